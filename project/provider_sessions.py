"""Sessions that began with an identity provider's word, and end with it: OpenID Connect back-channel logout, SAML single logout.

Imported only where ``allauth.socialaccount`` is installed. Ending a session ends the passes that were given in it, and with them
tokens, cookies and signed addresses, at once and everywhere (security K5).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib import import_module
from typing import Any

from allauth.account.signals import user_logged_in
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth import logout
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from iiif_auth import api
from iiif_auth.attributes.from_allauth import SAML, issuer_of, kind_of
from project.models import ProviderLogout, ProviderSession

NAME_ID, SESSION_INDEX = "project:name-id", "project:session-index"
"""Where the data of a SAML account keep what its last answer was called; attributes are never called so."""
MOST = 255
REMEMBERED = timedelta(days=1)
"""How long it is known that a provider ended something. No login is on its way for longer."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a provider calls a session, and when it said so."""

    issuer: str
    subject: str
    number: str
    at: datetime


def connect() -> None:
    """Listen to logins."""
    user_logged_in.connect(logged_in, dispatch_uid="project.provider_sessions")


def logged_in(sender: object, request: HttpRequest, sociallogin: Any = None, **kwargs: Any) -> None:
    """Note by what name the provider would end this session; if it has done so already, nobody is signed in."""
    if sociallogin is None:
        return
    begun = begun_by(sociallogin.account, request)
    if not request.session.session_key:
        request.session.save()
    row = {"issuer": begun.issuer, "subject": begun.subject, "number": begun.number}
    ProviderSession.objects.update_or_create(session_id=request.session.session_key, defaults=row)
    # Noted first and looked up then: a logout at the same moment does it the other way round, so one of the two sees the other.
    if has_ended(begun):
        logout(request)


def begun_by(account: Any, request: HttpRequest) -> Begun:
    app, data = account.get_provider(request).app, account.extra_data
    if kind_of(app) == SAML:
        return Begun(issuer_of(app), data.get(NAME_ID, ""), short(data.get(SESSION_INDEX, "")), timezone.now())
    token = data.get("id_token", {})
    at = datetime.fromtimestamp(int(token.get("auth_time") or token.get("iat") or 0), UTC)
    return Begun(issuer_of(app), str(account.uid), short(str(token.get("sid", ""))), at)


def short(number: str) -> str:
    """A name of a session as it is kept; of one that is longer than a row has room for, what no other is like."""
    return number if len(number) <= MOST else sha256(number.encode()).hexdigest()


def has_ended(begun: Begun) -> bool:
    """Whether the provider has ended this very session, or everything of this person's since."""
    this = Q(number=begun.number) if begun.number else Q(pk__in=())
    everything = Q(number="", subject=begun.subject, at__gte=begun.at)
    return ProviderLogout.objects.filter(this | everything, issuer=begun.issuer).exists()


def end(issuer: str, subject: str, numbers: Collection[str], *, provider: str, at: datetime | None = None) -> list[str]:
    """End what a provider ends.

    Must run outside a transaction, or a login at the same moment may be missed.

    Args:
        issuer: who says so, which the caller has made sure of.
        subject: whose sessions; may be empty if there are numbers.
        numbers: what the provider calls them; without any, everything that this person has through this provider ends.
        provider: what allauth calls it; without numbers, all passes of its account of that subject end.
        at: when it was ended, by the provider's clock; sign-ins that it dates before come too late.

    Returns:
        The keys of the sessions that were ended.
    """
    now = timezone.now()
    ProviderLogout.objects.filter(at__lt=now - REMEMBERED).delete()
    at = at or now
    numbers = [short(number) for number in numbers]
    ProviderLogout.objects.bulk_create(
        ProviderLogout(issuer=issuer, subject=subject, number=number, at=at) for number in numbers or [""]
    )
    keys = list(begun_under(issuer, subject, numbers).values_list("session_id", flat=True))
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for key in keys:
        store.delete(key)
    ProviderSession.objects.filter(session_id__in=keys).delete()
    api.end_passes_of_sessions(keys)
    if subject and not numbers:
        for account in SocialAccount.objects.filter(provider=provider, uid=subject).select_related("user"):
            api.end_passes(account.user)
    return keys


def begun_under(issuer: str, subject: str, numbers: Collection[str]) -> Any:
    """The sessions that are meant. One whose number is not known is meant if it is the same person's."""
    rows = ProviderSession.objects.filter(issuer=issuer)
    if not numbers:
        return rows.filter(subject=subject)
    if not subject:
        return rows.filter(number__in=numbers)
    return rows.filter(subject=subject, number__in=[*numbers, ""])
