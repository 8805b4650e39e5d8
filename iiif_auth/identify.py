"""From requests to subjects. Two doors, never merged (INV4): a *bearer* shows a token, a *browser* a cookie.

Everybody who asks is somewhere: the address counts at both doors, and is judged at every use.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache, partial
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.db import connections
from django.http import HttpRequest
from django.utils import timezone

from iiif_auth import store
from iiif_auth.attributes.keeping import said_of
from iiif_auth.conf import conf
from iiif_auth.policy.types import INVITATION, AccessService, Address, Offer, OriginRule, Pattern, Subject
from iiif_auth.protocol import dialects
from iiif_auth.protocol.terms import AMBIENT

logger = logging.getLogger("iiif_auth.identify")

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
"""What :func:`new_secret` makes: 256 random bits. Nothing else is worth a query."""


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return sha256(secret.encode("ascii")).hexdigest()


def machine_digest(secret: str) -> str:
    """What is stored of a machine's secret. It is another than :func:`digest`: neither counts in the place of the other."""
    return digest(f"iiif_auth.device:{secret}")


# -- Where somebody is --------------------------------------------------------------------------------------------


def address(request: HttpRequest) -> Address | None:
    """The address of whoever asks, or ``None`` if it can not be told for sure (security table N).

    With ``TRUSTED_PROXIES`` = N the N-th entry of ``X-Forwarded-For`` from the right counts: it was written by our own
    outermost proxy. Anything odd is no address. IPv4 in IPv6 is IPv4.
    """
    count = conf.TRUSTED_PROXIES
    text = request.META.get("REMOTE_ADDR", "")
    if count > 0:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = entries[-count] if len(entries) >= count else ""
    return parsed_address(text)


@lru_cache(maxsize=1024)
def parsed_address(text: str) -> Address | None:
    """An address in any of its spellings as the one value that policy compares."""
    try:
        found: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        return found.ipv4_mapped or found
    return found


def ambient(request: HttpRequest) -> Subject:
    """Whoever asks, knowing only what every request carries."""
    return _hooked(Subject(address=address(request)), request)


def standing_here(request: HttpRequest) -> Subject:
    """Whoever asks, knowing only where they are: by address, or by the enrolled machine that they sit at."""
    own = machine(request)
    places = frozenset[str]() if own is None else own.places
    return _hooked(Subject(address=address(request), places=places), request)


def _hooked(subject: Subject, request: HttpRequest) -> Subject:
    hook = conf.SUBJECT
    if hook is None:
        return subject
    found = hook(subject, request)
    if not isinstance(found, Subject):
        raise TypeError("The SUBJECT hook must return a Subject.")
    return _not_invited_by(found, subject)


def _not_invited_by(found: Subject, subject: Subject) -> Subject:
    """What a hook made of somebody, without invitations or loans of its own: only the pass says who has which."""
    claimed = {pair for pair in found.attributes if pair[0] == INVITATION and pair not in subject.attributes}
    if claimed or found.loans - subject.loans:
        return replace(found, attributes=found.attributes - claimed, loans=found.loans & subject.loans)
    return found


def is_signed_in(request: HttpRequest) -> bool:
    """Whether a person is signed in at the host; some hosts have an account for “anonymous” (hosts.md, C19)."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return False
    hook = conf.IS_AUTHENTICATED
    if hook is not None:
        return bool(hook(user))
    return user.get_username().lower() not in ("anonymous", "anonymoususer") or user.has_usable_password()


def described(user: Any = None, address: str = "") -> Subject:
    """Somebody as policy sees them, from a user object and an address."""
    where = parsed_address(address) if address else None
    if user is None or not user.is_authenticated or not user.is_active:
        return Subject(address=where)
    groups = getattr(user, "groups", None)
    keys = frozenset(str(key) for key in groups.values_list("pk", flat=True)) if groups is not None else frozenset()
    return Subject(user=str(user.pk), groups=keys, attributes=said_of(user), address=where)


# -- The browser's door -------------------------------------------------------------------------------------------


COOKIE = "__Host-iiif_access"
"""Bound to exactly this site. Chromium and Firefox take it on loopback names over plain http too (measured), so that a demo
carries the same cookie as a library on the web."""

MACHINE = "__Host-iiif_device"
"""What an enrolled machine carries, beside the access cookies of the readers who come and go (security K17)."""


TWIN = "__Host-iiif_twin"
"""The access cookie's ``Partitioned`` twin: it lives in the viewer's own partition, where browsers that block cookies of other
sites still keep one (browsers.md, section 4.1). Another name, or both would be two cookies of one name."""


def named(cookie: str) -> str:
    """The name of one of these cookies at this site. One that goes along to a whole domain can not be bound to a host."""
    return cookie.replace("__Host-", "__Secure-", 1) if conf.COOKIE_DOMAIN else cookie


def carried_everywhere() -> dict[str, Any]:
    """The attributes of a cookie that opens content: a cross-site one, so that ``<img>`` carries it (A2-CONT-05)."""
    whole: dict[str, Any] = {"path": "/", "secure": True, "httponly": True, "samesite": "None"}
    return {**whole, "domain": conf.COOKIE_DOMAIN or None}


def cookie_secret(request: HttpRequest) -> str | None:
    """The secret in the access cookie; ``None`` if there is none, or more than one (cookie tossing, security K9)."""
    return _sent_alone(request, named(COOKIE))


def twin_secret(request: HttpRequest) -> str | None:
    """The secret in the twin; ``None`` wherever an access cookie was sent too, sound or not: two are never merged (INV4)."""
    return None if _sent(request, named(COOKIE)) else _sent_alone(request, named(TWIN))


def machine_secret(request: HttpRequest) -> str | None:
    """The secret in the cookie of an enrolled machine, by the same rule, if it can be one of ours."""
    value = _sent_alone(request, named(MACHINE))
    return value if value and SECRET.fullmatch(value) else None


def _sent_alone(request: HttpRequest, name: str) -> str | None:
    value = request.COOKIES.get(name, "")
    return value if _sent(request, name) <= 1 and value else None


def _sent(request: HttpRequest, name: str) -> int:
    """How many cookies of this name came along."""
    # Names are compared as Django reads them, or a blank before the “=” would make a second cookie invisible here.
    return sum(part.partition("=")[0].strip() == name for part in request.META.get("HTTP_COOKIE", "").split(";"))


class Standing(Enum):
    """How a presented cookie stands."""

    ABSENT = "absent"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class CurrentPass:
    """The pass that a request presents, if it presents one, and how it stands."""

    standing: Standing
    facts: store.PassFacts | None = None


def current_pass(request: HttpRequest, at: datetime | None = None) -> CurrentPass:
    """The pass behind the access cookie; one query, or none without a cookie.

    What the machine carries is nobody's pass, and a twin counts for nothing on pages of our own.
    """
    if cookie_secret(request) is None:
        return CurrentPass(Standing.ABSENT)
    return _standing(_own(request)().holder, at or timezone.now())


def machine(request: HttpRequest) -> store.PassFacts | None:
    """What this browser carries as an enrolled machine, if it is one and is not revoked; one query a request, or none without
    a cookie.
    """
    secret = machine_secret(request)
    if secret is None:
        return None
    if not hasattr(request, "iiif_auth_machine"):
        found = store.find_pass(machine_digest(secret))
        sound = _standing(found, timezone.now()).standing is Standing.SOUND
        request.iiif_auth_machine = found if sound else None  # type: ignore[attr-defined]
    return request.iiif_auth_machine  # type: ignore[attr-defined,no-any-return]


def framed_pass(request: HttpRequest, origin: str) -> CurrentPass:
    """The pass that a viewer's frame presents: by access cookie, or by a twin that was given for this very site."""
    if twin_secret(request) is None:
        return current_pass(request)
    return _standing(_own(request, origin)().holder, timezone.now())


def _standing(facts: store.PassFacts | None, at: datetime) -> CurrentPass:
    if facts is None or not facts.sound:
        return CurrentPass(Standing.UNKNOWN)
    return CurrentPass(Standing.EXPIRED if facts.expired(at) else Standing.SOUND, facts)


def presenting(request: HttpRequest) -> store.Finder:
    """How to read what this browser presents: a pass, and what it carries as an enrolled machine."""
    own = machine_secret(request)
    if own is None:
        return _own(request)
    reader, twin = (_digest_of(secret) for secret in (cookie_secret(request), twin_secret(request)))
    return partial(store.presented_at_machine, reader, machine_digest(own), twin)


def _digest_of(secret: str | None) -> str:
    """The digest of what can be one of ours; nothing else is worth a look."""
    return digest(secret) if secret and SECRET.fullmatch(secret) else ""


def _own(request: HttpRequest, origin: str | None = None) -> store.Finder:
    """How to read the pass behind the access cookie or its twin, if that can be one of ours.

    ``origin`` asks for a twin of that site only; ``None`` for any, since pictures do not say for whom they are.
    """
    for secret, find in ((cookie_secret(request), store.presented_pass), (twin_secret(request), _twin_at(origin))):
        if secret is not None:
            return partial(find, digest(secret)) if SECRET.fullmatch(secret) else store.nobody
    return store.nobody


def _twin_at(origin: str | None) -> Callable[[str], store.Presented]:
    return partial(store.presented_twin, origin=origin)


def browser(request: HttpRequest) -> Subject:
    """The one whose browser asks, by access cookie and address. An ``Authorization`` header is not looked at (INV2)."""
    carries = cookie_secret(request) is not None or machine_secret(request) is not None
    return browser_with(request, presenting(request)().holder if carries else None)


def browser_with(request: HttpRequest, facts: store.PassFacts | None) -> Subject:
    """The one whose browser presents this pass; one that is not sound, or over, counts for nothing."""
    held = facts if _standing(facts, timezone.now()).standing is Standing.SOUND else None
    request.iiif_auth_pass = held  # type: ignore[attr-defined]
    return _hooked(_subject(held, request), request)


def _subject(facts: store.PassFacts | None, request: HttpRequest) -> Subject:
    here = address(request)
    if facts is None:
        return Subject(address=here)
    invitation = facts.invited(timezone.now())
    carried = frozenset({(INVITATION, invitation)}) if invitation else frozenset()
    said = facts.attributes | carried
    loans = facts.loans(timezone.now()) if facts.copies else frozenset()
    return Subject(facts.user, facts.groups, said, here, facts.gone_through, facts.places, loans)


def keep_alive(request: HttpRequest, offer: Offer | None = None) -> None:
    """Prolong the pass that :func:`browser` found, once more than half of its idle life is gone; so the loan of what is seen.

    One statement in many minutes, so that somebody who only looks on is not put out.
    """
    facts: store.PassFacts | None = getattr(request, "iiif_auth_pass", None)
    now = timezone.now()
    if facts is not None and facts.copies and offer is not None:
        lend_on(facts, offer, now)
    if facts is not None and facts.is_stale(now):
        slide(facts, now)


SLIDE = "UPDATE iiif_auth_pass SET seen = %s, idle_until = %s WHERE id = %s"
SLIDE_MACHINE = "UPDATE iiif_auth_pass SET seen = %s, idle_until = %s, ends = %s WHERE id = %s"
"""A machine stays enrolled as long as it is used."""


def slide(facts: store.PassFacts, now: datetime) -> bool:
    """Start the idle life of a pass anew; whether it is still there."""
    connection = connections[store.database()]
    idle_until = now + timedelta(minutes=facts.idle_minutes)
    times = [connection.ops.adapt_datetimefield_value(time) for time in (now, idle_until)]
    statement, lives = (SLIDE_MACHINE, [*times, times[1]]) if facts.enrols else (SLIDE, times)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*lives, facts.id])
        return bool(cursor.rowcount)


LEND_ON = """
UPDATE iiif_auth_loan SET due = %s WHERE id = %s AND ended IS NULL AND due > %s
    AND NOT EXISTS (SELECT 1 FROM iiif_auth_waiting w WHERE w.work_id = iiif_auth_loan.work_id AND w.ended IS NULL)
"""


def lend_on(facts: store.PassFacts, offer: Offer, now: datetime) -> None:
    """Prolong the loans of what is being looked at, where the rule has it so, half of the time is gone and nobody waits.

    What is over is not prolonged: somebody else may have the copy by now.
    """
    seen = {(seat.rule, seat.work) for seat in store.seats_of(offer)}
    connection = connections[store.database()]
    for copy in facts.copies:
        due = min(now + timedelta(minutes=copy.minutes), facts.ends)
        if (copy.rule, copy.work) in seen and copy.due - now < timedelta(minutes=copy.minutes) / 2 and due > copy.due:
            times = [connection.ops.adapt_datetimefield_value(time) for time in (due, now)]
            with connection.cursor() as cursor:
                cursor.execute(LEND_ON, [times[0], copy.id, times[1]])


# -- The bearer's door --------------------------------------------------------------------------------------------


def presented_token(request: HttpRequest) -> str | None:
    """The token in the ``Authorization`` header; anything malformed is no token (A2-PRB-03, security K15)."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, value = header.partition(" ")
    return value if scheme.lower() == "bearer" and SECRET.fullmatch(value) else None


Doors = Mapping[str, frozenset[str]]
"""For each dialect that may be spoken here, the services whose tokens count: those nested under what is asked."""


def showing(request: HttpRequest) -> store.Finder:
    """How to read the token that is shown, and the pass behind it, if it can be one of ours."""
    token = presented_token(request)
    return store.nobody if token is None else partial(store.presented_token, digest(token))


def shown_token(request: HttpRequest, doors: Doors) -> store.TokenFacts | None:
    """The token that is shown, if it counts at one of these doors."""
    return counting_token(showing(request)().token, doors) if presented_token(request) else None


def counting_token(facts: store.TokenFacts | None, doors: Doors) -> store.TokenFacts | None:
    """A token, if it counts at one of these doors; where a token counts, cookies are ignored on purpose (INV4).

    It counts only in its own dialect and only for a service nested under what is asked (A2-PRB-05, C10); otherwise its holder is
    nobody, somewhere. A token without a pass behind it was given for an address, and the address is judged here as it is where
    the content is (security K8, INV5): such a token adds nothing.
    """
    if facts is None or facts.service not in doors.get(facts.dialect, frozenset()) or not _stands(facts):
        return None
    return facts


def bearer_of(request: HttpRequest, facts: store.TokenFacts | None) -> Subject:
    """The one that a token which counts speaks for, at this address; without one, whoever is at this address."""
    return _hooked(_subject(facts.holder if facts else None, request), request)


def _stands(facts: store.TokenFacts) -> bool:
    """Whether a token and the pass behind it are good at this instant."""
    now, holder = timezone.now(), facts.holder
    if holder is None or facts.ends <= now:
        return False
    # A machine's own pass went through nothing: its tokens say only where it stands.
    return holder.sound and not holder.expired(now) and (facts.service in holder.agreements or holder.enrols)


# -- Services -----------------------------------------------------------------------------------------------------


def may_use_origin(service: AccessService, origin: str, facts: store.PassFacts | None) -> bool:
    """Whether a viewer's site may be given a token: by the service's rule, and by what the person agreed to."""
    if service.origin_rule is OriginRule.OPEN:
        return True
    if service.origin_rule is OriginRule.LISTED:
        return origin in service.origins
    return facts is not None and origin in facts.agreements.get(service.slug, frozenset())


def service_called(slug: str, space: str = "2") -> AccessService | None:
    """The service with this slug, or the one that stands for no service at all; a row with its name comes first.

    ``None`` also where it is not offered in any dialect of this space: what is off is not there.
    """
    found = store.rulebook().services.get(slug) or (AMBIENT if slug == AMBIENT.slug else None)
    return found if found is not None and dialects.offered_in(space, found) else None


def recognises(service: AccessService, subject: Subject, book: store.Rulebook) -> bool:
    """Whether a service that looks only at where somebody is lets this subject in.

    Its places are those named by the tiers that lead through it. A kiosk that no tier ties to a place recognises nobody, for
    a kiosk that lets in the whole world is no kiosk; an external service without places stands for times, not places.
    """
    places = store.places_of(book, service.slug)
    if not places:
        return service.pattern is Pattern.EXTERNAL
    return any(place.admits(subject) for place in places)
