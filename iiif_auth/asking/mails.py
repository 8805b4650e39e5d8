"""What is mailed to readers: plain text, in the language they asked in."""

from __future__ import annotations

from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from iiif_auth.conf import conf
from iiif_auth.models import AccessRequest, Invitation


def link(name: str, secret: str) -> str:
    """The public address of a page that only its link opens."""
    return conf.BASE_URL + reverse(f"iiif_auth:{name}", kwargs={"secret": secret})


def confirm(row: AccessRequest, what: str, secret: str) -> None:
    """Ask whoever reads this e-mail address to confirm the request."""
    _send("confirm", row.email, row.language, row=row, what=what, link=link("asked", secret))


def already(row: AccessRequest, what: str) -> None:
    """Say that there is a request already, so that the earlier mail is looked for."""
    _send("already", row.email, row.language, row=row, what=what)


def said(row: AccessRequest, kind: str, text: str) -> None:
    """Tell the reader what came of a request. The link is in the first mail: we do not have it any more."""
    _send(kind, row.email, row.language, row=row, text=text, what=row.url)


def invitation(row: Invitation, secret: str, language: str, text: str = "", what: str = "") -> None:
    """Send the link that brings somebody in."""
    _send("invitation", row.email, language, row=row, text=text, what=what, link=link("invited", secret))


def _send(template: str, to: str, language: str, **context: Any) -> None:
    """Send one mail; its first line is the subject.

    Raises:
        OSError, smtplib.SMTPException: it could not be sent.
    """
    with translation.override(language or None):
        subject, _, body = render_to_string(
            f"iiif_auth/mail/{template}.txt", {**context, "site": conf.BASE_URL}
        ).partition("\n")
        send_mail(subject.strip(), body.strip() + "\n", None, [to])
