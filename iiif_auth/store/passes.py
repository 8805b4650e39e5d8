"""What browsers and viewers carry: passes and tokens, each read in one statement with the person's present groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import connections
from django.utils import timezone

from iiif_auth.store.cards import Found, instant
from iiif_auth.store.rules import database
from iiif_auth.store.values import user_id


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What a pass says, all of it read in one statement together with the person's present groups."""

    id: int
    user: str | None
    groups: frozenset[str]
    agreements: dict[str, frozenset[str]]
    idle_until: datetime
    ends: datetime
    idle_minutes: int
    sound: bool
    doors: frozenset[str] = frozenset()
    """Services through which tokens are drawn, but by an invitation and without signing in: to policy nobody went through."""
    invitation: str | None = None
    invited_until: datetime | None = None

    @property
    def gone_through(self) -> frozenset[str]:
        """The services that count for policy."""
        return frozenset(self.agreements) - self.doors

    def invited(self, at: datetime) -> str | None:
        """The invitation that this pass carries, as long as it has not ended."""
        live = self.invited_until is not None and at < self.invited_until
        return self.invitation if live else None

    def expired(self, at: datetime) -> bool:
        return self.idle_until <= at or self.ends <= at


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token, and the pass it was drawn from if it was drawn from one."""

    service: str
    dialect: str
    origin: str
    ends: datetime
    holder: PassFacts | None
    has_holder: bool
    cookieless: bool = False
    """It was drawn in a frame whose browser was measured to keep our cookies out."""


HELD = """p.id, CAST(p.user_id AS TEXT), p.credential, u.{password}, {active}, CAST(p.idle_until AS TEXT),
    CAST(p.ends AS TEXT), p.idle_minutes,
    (SELECT CAST(i.id AS TEXT) || ' ' || CAST(i.ends AS TEXT) FROM iiif_auth_invitation i WHERE i.id = p.invitation_id),
    (SELECT {together}(s.slug || ' ' || a.origin || CASE WHEN s.pattern = 'login' AND p.user_id IS NULL THEN ' !' ELSE '' END,
        ',')
        FROM iiif_auth_agreement a JOIN iiif_auth_accessservice s ON s.id = a.service_id
        WHERE a.holder_id = p.id AND a.version = {version}), {groups}"""
VERSION = """COALESCE((SELECT v.number FROM iiif_auth_terms v WHERE v.service_id = a.service_id AND v.from_day <= %s
    ORDER BY v.from_day DESC, v.number DESC LIMIT 1), 0)"""
"""The version of its terms that a service asks for at a moment; 0 where none is published. Other agreements do not count."""
GROUPS = "(SELECT {together}(CAST({group} AS TEXT), ',') FROM {table} WHERE {user} = p.user_id)"
PERSON = "LEFT JOIN {users} u ON u.{user_key} = p.user_id"
NOBODYS = "SELECT e.pulse FROM iiif_auth_epoch e"
BROWSER = "SELECT e.pulse, {held} FROM iiif_auth_epoch e LEFT JOIN iiif_auth_pass p ON p.digest = %s {person}"
TWINS = """SELECT e.pulse, {held} FROM iiif_auth_epoch e
LEFT JOIN iiif_auth_pass p ON p.id = (SELECT w.holder_id FROM iiif_auth_twin w WHERE w.digest = %s) {person}"""
TWINS_OF = """SELECT e.pulse, {held} FROM iiif_auth_epoch e
LEFT JOIN iiif_auth_pass p ON p.id = (SELECT w.holder_id FROM iiif_auth_twin w WHERE w.digest = %s AND w.origin = %s) {person}"""
TICKETS = "SELECT e.pulse, {held} FROM iiif_auth_epoch e LEFT JOIN iiif_auth_pass p ON p.id = %s {person}"
BEARER = """SELECT e.pulse, t.service, t.dialect, t.origin, CAST(t.ends AS TEXT), t.holder_id, t.cookieless, {held}
FROM iiif_auth_epoch e LEFT JOIN iiif_auth_token t ON t.digest = %s LEFT JOIN iiif_auth_pass p ON p.id = t.holder_id {person}"""
"""Each says the epoch as well, so that one statement tells whether everything that was kept still holds (security 3.1)."""
TOGETHER = {"sqlite": "group_concat", "postgresql": "string_agg"}
"""Neither identifiers nor origins nor keys hold a comma or a space."""


@lru_cache(maxsize=16)
def _statement(template: str, model: str, using: str) -> str:
    """The statement for the host's own user model, whatever its tables are called."""
    people: Any = get_user_model()
    quote, vendor = connections[using].ops.quote_name, connections[using].vendor
    active = _column(people, "is_active")
    held = HELD.format(
        together=TOGETHER[vendor],
        password=quote(_column(people, "password") or "password"),
        active=f"CASE WHEN p.user_id IS NULL OR u.{quote(active)} THEN 1 ELSE 0 END" if active else "1",
        groups=_groups_of(people, quote, TOGETHER[vendor]),
        version=VERSION,
    )
    person = PERSON.format(users=quote(people._meta.db_table), user_key=quote(people._meta.pk.column))
    return template.format(held=held, person=person)


def _column(model: Any, name: str) -> str | None:
    try:
        return str(model._meta.get_field(name).column)
    except FieldDoesNotExist:
        return None


def _groups_of(model: Any, quote: Callable[[str], str], together: str) -> str:
    """The keys of somebody's groups, wherever the user model keeps them, if it has any."""
    try:
        groups = model._meta.get_field("groups")
    except FieldDoesNotExist:
        return "NULL"
    names = {"table": groups.m2m_db_table(), "user": groups.m2m_column_name(), "group": groups.m2m_reverse_name()}
    return GROUPS.format(together=together, **{key: quote(name) for key, name in names.items()})


@dataclass(frozen=True, slots=True)
class Presented:
    """What stands behind something that was presented, and the epoch of the same instant."""

    pulse: str
    holder: PassFacts | None = None
    token: TokenFacts | None = None


Finder = Callable[[], Presented]
"""Reads what is presented anew, each time it is called; one query."""


def nobody() -> Presented:
    """Nothing is presented: only the epoch."""
    row = _row(NOBODYS)
    return Presented(row[0] if row else "")


def presented_pass(digest: str) -> Presented:
    """The pass with this digest, expired or not; one query."""
    return _presented(_row(BROWSER, _moment(), digest))


def presented_twin(digest: str, origin: str | None = None) -> Presented:
    """The pass whose twin cookie has this digest, given for this site if one is named, expired or not; one query."""
    if origin is None:
        return _presented(_row(TWINS, _moment(), digest))
    return _presented(_row(TWINS_OF, _moment(), digest, origin))


def presented_ticket(number: int) -> Presented:
    """The pass with this primary key, expired or not, for addresses that were signed for it; one query."""
    return _presented(_row(TICKETS, _moment(), number))


def presented_token(digest: str) -> Presented:
    """The token with this digest and what stands behind it, expired or not; one query."""
    row = _row(BEARER, _moment(), digest)
    if row is None or row[1] is None:
        return Presented(row[0] if row else "")
    pulse, service, dialect, origin, ends, holder, cookieless = row[:7]
    held = _pass_facts(row[7:]) if row[7] is not None else None
    token = TokenFacts(service, dialect, origin, instant(ends) or NEVER, held, holder is not None, bool(cookieless))
    return Presented(pulse, held, token)


def find_pass(digest: str) -> PassFacts | None:
    """The pass with this digest, expired or not; one query."""
    return presented_pass(digest).holder


def find_token(digest: str) -> TokenFacts | None:
    """The token with this digest and what stands behind it, expired or not; one query."""
    return presented_token(digest).token


def _moment() -> Any:
    """Now, as this database writes it: versions of terms come into force without anybody changing a row."""
    return connections[database()].ops.adapt_datetimefield_value(timezone.now())


def _row(template: str, *values: Any) -> Found | None:
    using = database()
    statement = _statement(template, settings.AUTH_USER_MODEL, using)
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        found: Found | None = cursor.fetchone()
    return found


def _presented(row: Found | None) -> Presented:
    if row is None:
        return Presented("")
    return Presented(row[0], _pass_facts(row[1:]) if row[1] is not None else None)


def credential_mark(password: str) -> str:
    """What a pass remembers of a password hash: enough to notice that it changed, and of no use otherwise."""
    return sha256(f"iiif_auth.pass:{password}".encode()).hexdigest()


NEVER = datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def _pass_facts(row: Found) -> PassFacts:
    """What a row says. The same row says the same, however often it is read."""
    key, user, credential, password, active, idle, ends, minutes, invited, agreed, groups = row
    agreements: dict[str, set[str]] = defaultdict(set)
    doors: set[str] = set()
    for service, origin, *marks in (text.split(" ") for text in agreed.split(",")) if agreed else ():
        agreements[service].add(origin)
        doors.update([service] if marks else [])
    invitation, _, until = (invited or "").partition(" ")
    return PassFacts(
        id=key,
        user=user_id(user) if user else None,
        groups=frozenset(groups.split(",")) if groups else frozenset(),
        agreements={service: frozenset(origins) for service, origins in agreements.items()},
        idle_until=instant(idle) or NEVER,
        ends=instant(ends) or NEVER,
        idle_minutes=minutes,
        sound=not user or bool(active and password is not None and credential == credential_mark(password)),
        doors=frozenset(doors),
        invitation=invitation or None,
        invited_until=instant(until),
    )
