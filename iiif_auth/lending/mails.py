"""What is mailed to readers who wait for a copy."""

from __future__ import annotations

from urllib.parse import quote

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from iiif_auth.conf import conf
from iiif_auth.models import LentWork, Waiting


def page_of(work: LentWork, secret: str = "") -> str:
    """The public address of the page on which a work is borrowed."""
    where = conf.BASE_URL + reverse("iiif_auth:borrow", kwargs={"reference": work.reference})
    return f"{where}?turn={quote(secret)}" if secret else where


def your_turn(turn: Waiting, secret: str) -> None:
    """Say that a copy is kept, and until when.

    Raises:
        OSError, smtplib.SMTPException: it could not be sent.
    """
    context = {"turn": turn, "what": turn.work.name, "link": page_of(turn.work, secret), "site": conf.BASE_URL}
    with translation.override(turn.language or None):
        subject, _, body = render_to_string("iiif_auth/mail/your_turn.txt", context).partition("\n")
        send_mail(subject.strip(), body.strip() + "\n", None, [turn.email])
