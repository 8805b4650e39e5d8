"""Giving passes and tokens, and ending them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language, ngettext

from iiif_auth import carried, identify, store, terms, twins
from iiif_auth.models import AccessService, Agreement, ClientCode, Handoff, Invitation, Pass, Token, Twin
from iiif_auth.policy import types as policy
from iiif_auth.policy.types import Pattern

MOST_TOKENS = 20
"""Live tokens of one pass and service; the oldest beyond that are ended (security T13)."""


def set_cookie(response: HttpResponseBase, secret: str, service: policy.AccessService) -> None:
    """Give the browser its access cookie: a cross-site one, so that ``<img>`` carries it (A2-CONT-05, security K10)."""
    _cookie(response, secret, service.pass_hours * 3600)


def delete_cookie(response: HttpResponseBase) -> None:
    """Take the access cookie away, with the attributes it was set with; without them browsers keep it."""
    _cookie(response, "", 0)


def _cookie(response: Any, value: str, max_age: int) -> None:
    response.set_cookie(identify.named(identify.COOKIE), value, max_age=max_age, **identify.carried_everywhere())


@transaction.atomic
def grant(request: HttpRequest, service: policy.AccessService, origin: str, *, clicked: bool = True) -> str:
    """Note that this browser went through a service for a viewer's site; the secret for its new cookie.

    The value of the cookie changes each time (security K1). What was agreed to before stays, unless somebody else has signed
    in since (security K2). At a login somebody is signed in, or carries an invitation and becomes nobody by it.

    Args:
        clicked: whether somebody agreed just now, which is then written down; or was remembered to have agreed before.
    """
    now = timezone.now()
    holder = _kept_pass(request, now) or Pass(created=now, ends=now)
    secret = identify.new_secret()
    holder.digest = identify.digest(secret)
    _end_carriers(holder)
    signs_in = service.pattern is Pattern.LOGIN and identify.is_signed_in(request)
    _prolong(holder, service, now, anew=signs_in or holder.pk is None)
    if signs_in:
        _sign_in(holder, request, service)
    holder.device_id = _device(request)
    carried.describe(holder, request)
    holder.save()
    row = AccessService.objects.get(slug=service.slug)
    current = terms.in_force(service.slug, now)
    version = current.number if current else 0
    Agreement.objects.update_or_create(
        holder=holder, service=row, origin=origin, defaults={"at": now, "version": version}
    )
    if service.pattern is Pattern.CLICKTHROUGH and clicked:
        here, language = identify.address(request), get_language() or ""
        terms.note_acceptance(holder, row.pk, version, origin, here, language, now)
    return secret


def _end_carriers(holder: Pass) -> None:
    """End everything else that speaks for a pass whose cookie changes: whoever planted it keeps no part of it (security K1).

    Tokens that stand for cookies are left: they open nothing, and the viewer that holds one is not to be cut off by a click.
    """
    if holder.pk is not None:
        Twin.objects.filter(holder=holder).delete()
        Handoff.objects.filter(holder=holder).delete()
        Token.objects.filter(holder=holder, cookieless=True).delete()


def _sign_in(holder: Pass, request: HttpRequest, service: policy.AccessService) -> None:
    user: Any = request.user
    if holder.pk and holder.user_id is None:
        # Doors that were opened by an invitation are not those of whoever signs in now.
        Agreement.objects.filter(holder=holder, service__pattern=AccessService.Pattern.LOGIN).delete()
    holder.user, holder.credential = user, store.credential_mark(user.password)
    holder.through, holder.session = service.slug, carried.session_of(request)


INVITED_HOURS = 12
INVITED_IDLE_MINUTES = 120
"""The life of a pass that was made by an invitation; its link makes another as long as the invitation has not ended."""


@transaction.atomic
def grant_by_invitation(request: HttpRequest, invitation: Invitation) -> str:
    """Note that this browser opened an invitation; the secret for its new cookie."""
    now = timezone.now()
    holder = _kept_pass(request, now) or Pass(
        created=now, ends=min(now + timedelta(hours=INVITED_HOURS), invitation.ends), idle_minutes=INVITED_IDLE_MINUTES
    )
    secret = identify.new_secret()
    holder.digest, holder.invitation = identify.digest(secret), invitation
    _end_carriers(holder)
    holder.seen, holder.idle_until = now, now + timedelta(minutes=holder.idle_minutes)
    holder.device_id = _device(request)
    carried.describe(holder, request)
    holder.save()
    Invitation.objects.filter(pk=invitation.pk).update(seen=now)
    return secret


def set_invited_cookie(response: HttpResponseBase, secret: str) -> None:
    """Give the browser the access cookie of a pass that was made by an invitation."""
    _cookie(response, secret, INVITED_HOURS * 3600)


def _prolong(holder: Pass, service: policy.AccessService, now: datetime, *, anew: bool) -> None:
    """Begin the lives of a pass anew; a click prolongs nobody's sign-in."""
    whole = now + timedelta(hours=service.pass_hours)
    holder.ends = whole if anew else holder.ends
    holder.idle_minutes = min(service.idle_minutes, holder.idle_minutes) if holder.pk else service.idle_minutes
    holder.seen = now
    holder.idle_until = now + timedelta(minutes=holder.idle_minutes)


def _device(request: HttpRequest) -> int | None:
    """The enrolled machine of this browser. A pass that is given at it carries its place, to the viewer's tokens too."""
    own = identify.machine(request)
    return own.device if own is not None else None


def _kept_pass(request: HttpRequest, now: datetime) -> Pass | None:
    """The pass this browser holds, if it is sound and nobody else's; otherwise it ends here."""
    found = identify.current_pass(request, now)
    if found.facts is None:
        _end_presented(request)
        return None
    row = Pass.objects.select_for_update().filter(pk=found.facts.id).first()
    present = str(request.user.pk) if identify.is_signed_in(request) else None
    if row is None or found.standing is not identify.Standing.SOUND or found.facts.user not in (None, present):
        Pass.objects.filter(pk=found.facts.id).delete()
        return None
    return row


def _end_presented(request: HttpRequest) -> None:
    """Delete a pass that counts for nothing any more, so that nothing can make it count again."""
    secret = identify.cookie_secret(request)
    if secret and identify.SECRET.fullmatch(secret):
        Pass.objects.filter(digest=identify.digest(secret)).delete()


def mint(
    service: policy.AccessService,
    dialect: str,
    origin: str,
    facts: store.PassFacts | None,
    *,
    twin: str = "",
    cookieless: bool = False,
) -> tuple[str, int] | None:
    """A new token and its life in seconds; ``None`` if the pass ended in the meantime (security K6).

    ``twin`` is the secret of a new partitioned cookie for the same site, if the browser is to be given one; ``cookieless`` says
    that the browser keeps our cookies out.

    Without a pass the token stands for an address, which the probe sees for itself: nothing is stored, and a flood of
    such tokens leaves no trace (security T13).
    """
    now = timezone.now()
    token = identify.new_secret()
    if facts is None:
        return token, service.token_seconds
    ends = min(now + timedelta(seconds=service.token_seconds), facts.ends)
    with transaction.atomic(using=store.database()):
        # Prolonging the pass takes hold of its row: a logout comes before all this or after it, never in between.
        row = (identify.digest(token), facts.id, service.slug, dialect, origin, now, ends, cookieless)
        if not identify.slide(facts, now) or not _stored(row, agreed=facts.enrols):
            return None
        if twin:
            twins.note(twin, facts.id, origin, now)
    return token, max(1, int((ends - now).total_seconds()))


STORE = f"""
INSERT INTO iiif_auth_token (digest, holder_id, service, dialect, origin, created, ends, cookieless)
    SELECT %s, %s, %s, %s, %s, %s, %s, %s WHERE %s OR EXISTS (
        SELECT 1 FROM iiif_auth_agreement a JOIN iiif_auth_accessservice s ON s.id = a.service_id
        WHERE a.holder_id = %s AND s.slug = %s AND a.version = {store.VERSION})
"""  # noqa: S608 - our own text
END_SURPLUS = """
DELETE FROM iiif_auth_token WHERE id IN (
    SELECT id FROM iiif_auth_token WHERE holder_id = %s AND service = %s
    ORDER BY created DESC, id DESC LIMIT 1000 OFFSET %s)
"""
"""Viewers ask for a token every few minutes; the ORM would take five times as long over these three statements."""


def _stored(row: tuple[str, int, str, str, str, datetime, datetime, bool], *, agreed: bool = False) -> bool:
    """Store a token if its service is still agreed to; whether it was. An enrolled machine agrees to nothing, and need not."""
    _digest, holder, service, *_rest, now, ends, cookieless = row
    connection = connections[store.database()]
    # Whose terms have changed since the token was begun is judged now, with the pass in hand.
    at, until, judged = (connection.ops.adapt_datetimefield_value(time) for time in (now, ends, timezone.now()))
    with connection.cursor() as cursor:
        cursor.execute(STORE, [*row[:5], at, until, cookieless, agreed, holder, service, judged])
        if not cursor.rowcount:
            return False
        cursor.execute(END_SURPLUS, [holder, service, MOST_TOKENS])
        return True


def _hold(facts: store.PassFacts | None) -> bool:
    """Take hold of a pass until the transaction ends, so that no token is drawn from it meanwhile (security K6)."""
    return facts is not None and Pass.objects.select_for_update().filter(pk=facts.id).first() is not None


@transaction.atomic
def leave(request: HttpRequest, service: policy.AccessService) -> bool:
    """End what this browser has through a service, and every token drawn from it; whether a pass is left.

    Leaving a login ends the whole pass: what was agreed to belongs to the person who leaves.
    """
    found = identify.current_pass(request)
    if found.facts is None or not _hold(found.facts):
        return False
    if service.pattern is not Pattern.LOGIN:
        Agreement.objects.filter(holder_id=found.facts.id, service__slug=service.slug).delete()
        Token.objects.filter(holder_id=found.facts.id, service=service.slug).delete()
        if Agreement.objects.filter(holder_id=found.facts.id).exists():
            return True
    Pass.objects.filter(pk=found.facts.id).delete()
    return False


@transaction.atomic
def end(request: HttpRequest) -> None:
    """End the pass of this browser altogether."""
    found = identify.current_pass(request)
    if found.facts is not None and _hold(found.facts):
        Pass.objects.filter(pk=found.facts.id).delete()


def prune(now: datetime | None = None) -> tuple[int, int]:
    """Delete tokens and codes that have ended, and passes a week after their end (until then they say “expired”, not “unknown”).

    How many tokens, and how many passes.
    """
    at = now or timezone.now()
    ClientCode.objects.filter(ends__lte=at).delete()
    Handoff.objects.filter(ends__lte=at).delete()
    _, tokens = Token.objects.filter(ends__lte=at).delete()
    _, passes = Pass.objects.filter(ends__lte=at - timedelta(days=7)).delete()
    return tokens.get(Token._meta.label, 0) + passes.get(Token._meta.label, 0), passes.get(Pass._meta.label, 0)


def due(now: datetime) -> str:
    """Delete what has ended: the daily work of :mod:`iiif_auth.daily`."""
    tokens, held = prune(now)
    deleted = ngettext("Deleted %d token that had ended", "Deleted %d tokens that had ended", tokens) % tokens
    ended = ngettext("%d pass that ended over a week ago", "%d passes that ended over a week ago", held) % held
    return f"{deleted} and {ended}."
