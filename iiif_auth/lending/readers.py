"""Who stands at the counter: by the access cookie, and by a mailed link."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from iiif_auth import identify, passes, store
from iiif_auth.lending.counter import Reader
from iiif_auth.models import Pass


def reader_of(request: HttpRequest, facts: store.PassFacts | None, now: datetime, secret: str = "") -> Reader:
    """Whoever asks: by a pass that is sound, else nobody yet. ``secret`` is that of a mailed link, if there was one."""
    digest = identify.digest(secret) if identify.SECRET.fullmatch(secret) else ""
    if facts is None or not facts.sound or facts.expired(now):
        return Reader(None, lifetime(now), secret=digest)
    user = get_user_model()._default_manager.filter(pk=facts.user).first() if facts.user else None
    return Reader(facts.id, facts.ends, user, digest)


def lifetime(now: datetime) -> datetime:
    """How long a pass lasts that is made for nothing but a loan: as that of an invitation."""
    return now + timedelta(hours=passes.INVITED_HOURS)


def with_pass(reader: Reader, now: datetime) -> tuple[Reader, str]:
    """The reader with a pass of nobody's, made here because there is none; and the secret for its cookie."""
    secret, idle = identify.new_secret(), passes.INVITED_IDLE_MINUTES
    held = Pass.objects.create(
        digest=identify.digest(secret),
        created=now,
        seen=now,
        idle_minutes=idle,
        idle_until=now + timedelta(minutes=idle),
        ends=lifetime(now),
    )
    return Reader(held.pk, held.ends, None, reader.secret), secret
