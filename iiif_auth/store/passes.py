"""What browsers and viewers carry: passes and tokens, each read in one statement with the person's present groups
and attributes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, router
from django.utils import timezone

from iiif_auth.store import statements
from iiif_auth.store.cards import instant
from iiif_auth.store.rules import database, lends
from iiif_auth.store.statements import Found
from iiif_auth.store.values import user_id

SEEN_AGAIN = timedelta(hours=1)
"""How exactly it is known when an enrolled machine was last seen; noting it costs a statement."""


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """A copy that a pass holds until it is due: the rule, the work, and the slug of the place it is of, or ``""``.

    ``minutes`` is how much longer it is lent while somebody reads; 0 if it is not.
    """

    id: int
    rule: str
    place: str
    minutes: int
    work: str
    due: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """As :class:`iiif_auth.policy.types.Subject` has it."""
        return self.rule, self.work, self.place


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What a pass says, all of it read in one statement together with the person's present groups and attributes."""

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
    attributes: frozenset[tuple[str, str]] = frozenset()
    device: int | None = None
    """The enrolled machine on which it was given."""
    places: frozenset[str] = frozenset()
    """The networks for which that machine stands now."""
    enrols: bool = False
    """Whether it is the machine's own, which is nobody's and went through nothing."""
    copies: tuple[HeldCopy, ...] = ()

    def loans(self, at: datetime) -> frozenset[tuple[str, str, str]]:
        """The copies that are held at an instant: what is due is not held any more, whether it was returned or not."""
        return frozenset(copy.key for copy in self.copies if at < copy.due)

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

    def is_stale(self, at: datetime) -> bool:
        """Whether its idle life should begin anew: after half of it; of a machine's own, an hour after it was last seen."""
        idle = timedelta(minutes=self.idle_minutes)
        return self.idle_until - at < (idle - SEEN_AGAIN if self.enrols else idle / 2)


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
        WHERE a.holder_id = p.id AND a.version = {version} AND {offered}), {groups}, {attributes},
    p.device_id, p.enrols, CASE WHEN p.device_id IS NULL THEN NULL ELSE (SELECT CAST(d.network_id AS TEXT)
        FROM iiif_auth_device d WHERE d.id = p.device_id AND d.revoked IS NULL) END, {loans}"""
VERSION = """COALESCE((SELECT v.number FROM iiif_auth_terms v WHERE v.service_id = a.service_id AND v.from_day <= %s
    ORDER BY v.from_day DESC, v.number DESC LIMIT 1), 0)"""
"""The version of its terms that a service asks for at a moment; 0 where none is published. Other agreements do not count."""
OFFERED = "CAST(s.dialects AS TEXT) <> '[]'"
"""A service that is offered in no version is switched off, and what was agreed to there does not count."""
SWITCHED_ON = f"SELECT 1 FROM iiif_auth_accessservice s WHERE s.slug = p.through AND {OFFERED}"  # noqa: S608 - our own text
THROUGH = f"(p.through = '' OR EXISTS ({SWITCHED_ON}))"
"""Whoever signed in through a service that is off, or gone, is nobody any more."""
SESSION = "(p.session = '' OR EXISTS (SELECT 1 FROM {sessions} d WHERE d.session_key = p.session))"
"""The host's session that somebody signed in with is still there, whoever might have ended it and however."""
GROUPS = "(SELECT {together}(CAST({group} AS TEXT), ',') FROM {table} WHERE {user} = p.user_id)"
ATTRIBUTES = {
    "sqlite": """(SELECT json_group_array(json_array(x.name, x.value)) FROM iiif_auth_personattribute x
        WHERE x.user_id = p.user_id)""",
    "postgresql": """(SELECT CAST(json_agg(json_build_array(x.name, x.value)) AS TEXT) FROM iiif_auth_personattribute x
        WHERE x.user_id = p.user_id)""",
}
"""What identity providers say of somebody at present, in the same statement: what is no longer said counts no longer."""
LOANS = """(SELECT {together}(CAST(l.id AS TEXT) || ' ' || r.slug || ' ' || COALESCE(n.slug, '') || ' '
        || CAST(CASE WHEN r.renews THEN r.minutes ELSE 0 END AS TEXT) || ' ' || w.work || ' ' || CAST(l.due AS TEXT), '{line}')
    FROM iiif_auth_loan l JOIN iiif_auth_lentwork w ON w.id = l.work_id JOIN iiif_auth_seats r ON r.id = w.seats_id
    LEFT JOIN iiif_auth_network n ON n.id = w.network_id WHERE l.holder_id = p.id AND l.ended IS NULL)"""
"""Asked only where copies are lent. No work has a blank or a new line in it."""
PERSON = "LEFT JOIN {users} u ON u.{user_key} = p.user_id"
NOBODYS = "SELECT e.pulse FROM iiif_auth_epoch e"
BROWSER = "SELECT e.pulse, {held} FROM iiif_auth_epoch e LEFT JOIN iiif_auth_pass p ON p.digest = %s {person}"
MACHINE = """SELECT e.pulse, {held} FROM iiif_auth_epoch e LEFT JOIN iiif_auth_pass p ON p.digest IN (%s, %s)
    OR p.id = (SELECT w.holder_id FROM iiif_auth_twin w WHERE w.digest = %s) {person}"""
TWINS = """SELECT e.pulse, {held} FROM iiif_auth_epoch e
LEFT JOIN iiif_auth_pass p ON p.id = (SELECT w.holder_id FROM iiif_auth_twin w WHERE w.digest = %s) {person}"""
TWINS_OF = """SELECT e.pulse, {held} FROM iiif_auth_epoch e
LEFT JOIN iiif_auth_pass p ON p.id = (SELECT w.holder_id FROM iiif_auth_twin w WHERE w.digest = %s AND w.origin = %s) {person}"""
TICKETS = "SELECT e.pulse, {held} FROM iiif_auth_epoch e LEFT JOIN iiif_auth_pass p ON p.id = %s {person}"
BEARER = """SELECT e.pulse, t.service, t.dialect, t.origin, CAST(t.ends AS TEXT), t.holder_id, t.cookieless, {held}
FROM iiif_auth_epoch e LEFT JOIN iiif_auth_token t ON t.digest = %s AND t.ends > %s
LEFT JOIN iiif_auth_pass p ON p.id = t.holder_id {person}"""
"""Each says the epoch as well, so that one statement tells whether everything that was kept still holds (security 3.1). A token
that has ended is not read: its answer would take longer than that of one that never was (security K3)."""
TOGETHER = {"sqlite": "group_concat", "postgresql": "string_agg"}
"""Neither identifiers nor origins nor keys hold a comma or a space."""


@lru_cache(maxsize=32)
def _statement(template: str, model: str, using: str, sessions: str, lending: bool) -> statements.Statement:
    """The statement for the host's own user model and sessions, whatever their tables are called."""
    people: Any = get_user_model()
    quote, vendor = connections[using].ops.quote_name, connections[using].vendor
    held = HELD.format(
        together=TOGETHER[vendor],
        password=quote(_column(people, "password") or "password"),
        active=_active(people, quote, sessions),
        groups=_groups_of(people, quote, TOGETHER[vendor]),
        version=VERSION,
        attributes=ATTRIBUTES[vendor],
        loans=LOANS.format(together=TOGETHER[vendor], line="\n") if lending else "NULL",
        offered=OFFERED,
    )
    person = PERSON.format(users=quote(people._meta.db_table), user_key=quote(people._meta.pk.column))
    return statements.prepared(template.format(held=held, person=person))


def _active(people: Any, quote: Callable[[str], str], sessions: str) -> str:
    """Whether the person's account is active, and the session they signed in with has not been ended."""
    active = _column(people, "is_active")
    both = f"(p.user_id IS NULL OR u.{quote(active)})" if active else "1 = 1"
    both += f" AND {THROUGH}"
    if sessions:
        both += f" AND {SESSION.format(sessions=quote(sessions))}"
    return f"CASE WHEN {both} THEN 1 ELSE 0 END"


def session_table() -> str:
    """The table of the host's sessions, where it keeps them in one that stands beside ours; else nothing."""
    return _session_table(settings.SESSION_ENGINE, database())


@lru_cache(maxsize=8)
def _session_table(engine: str, using: str) -> str:
    # “cached_db” keeps them in the table too; others have none, and there only the browser's own logout is heard of.
    keeper = getattr(import_module(engine).SessionStore, "get_model_class", None)
    installed = apps.is_installed("django.contrib.sessions")
    if keeper is None or (engine.startswith("django.contrib.") and not installed):
        return ""
    model = keeper()
    return str(model._meta.db_table) if router.db_for_write(model) == using else ""


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
    has_loans: bool = True
    """Whether it was asked what copies are held, or there is nobody to hold any."""


Finder = Callable[[], Presented]
"""Reads what is presented anew, each time it is called; one query."""


def nobody() -> Presented:
    """Nothing is presented: only the epoch."""
    row = _row(NOBODYS)
    return Presented(row[0] if row else "")


def presented_pass(digest: str) -> Presented:
    """The pass with this digest, expired or not; one query."""
    return _presented(BROWSER, digest)


def presented_at_machine(digest: str, machine: str, twin: str = "") -> Presented:
    """What counts of a reader's pass (its digest or that of its twin, or ``""``) and of the machine that they sit at; one query.

    A reader's pass that is good is told with the machine's place besides its own; otherwise the machine stands for itself.
    """
    lending = lends()
    rows = _rows(MACHINE, _moment(), digest, machine, twin, lending=lending)
    found = [_pass_facts(row[1:]) for row in rows if row[1] is not None]
    own = next((one for one in found if one.enrols), None)
    reader = next((one for one in found if not one.enrols), None)
    return Presented(rows[0][0] if rows else "", _together(reader, own, timezone.now()), has_loans=lending)


def _together(reader: PassFacts | None, own: PassFacts | None, at: datetime) -> PassFacts | None:
    if own is None or not own.sound or own.expired(at):
        return reader
    if reader is None or not reader.sound or reader.expired(at):
        return own
    return replace(reader, places=reader.places | own.places)


def presented_twin(digest: str, origin: str | None = None) -> Presented:
    """The pass whose twin cookie has this digest, given for this site if one is named, expired or not; one query."""
    if origin is None:
        return _presented(TWINS, digest)
    return _presented(TWINS_OF, digest, origin)


def presented_ticket(number: int) -> Presented:
    """The pass with this primary key, expired or not, for addresses that were signed for it; one query."""
    return _presented(TICKETS, number)


def presented_token(digest: str) -> Presented:
    """The token with this digest, if it has not ended, and what stands behind it, expired or not; one query."""
    lending, now = lends(), _moment()
    row = _row(BEARER, now, digest, now, lending=lending)
    if row is None or row[1] is None:
        return Presented(row[0] if row else "")
    pulse, service, dialect, origin, ends, holder, cookieless = row[:7]
    held = _pass_facts(row[7:]) if row[7] is not None else None
    token = TokenFacts(service, dialect, origin, instant(ends) or NEVER, held, holder is not None, bool(cookieless))
    return Presented(pulse, held, token, lending)


def find_pass(digest: str) -> PassFacts | None:
    """The pass with this digest, expired or not; one query."""
    return presented_pass(digest).holder


def find_token(digest: str) -> TokenFacts | None:
    """The token with this digest, if it has not ended, and what stands behind it, expired or not; one query."""
    return presented_token(digest).token


def _moment() -> Any:
    """Now, as this database writes it: versions of terms come into force without anybody changing a row."""
    return connections[database()].ops.adapt_datetimefield_value(timezone.now())


def _row(template: str, *values: Any, lending: bool = False) -> Found | None:
    return next(iter(_rows(template, *values, lending=lending)), None)


def _rows(template: str, *values: Any, lending: bool = False) -> list[Found]:
    using = database()
    statement = _statement(template, settings.AUTH_USER_MODEL, using, session_table(), lending)
    return statements.rows(using, statement, values)


def _presented(template: str, *values: str | int) -> Presented:
    lending = lends()
    row = _row(template, _moment(), *values, lending=lending)
    if row is None or row[1] is None:
        return Presented(row[0] if row else "")
    return Presented(row[0], _pass_facts(row[1:]), has_loans=lending)


def credential_mark(password: str) -> str:
    """What a pass remembers of a password hash: enough to notice that it changed, and of no use otherwise."""
    return sha256(f"iiif_auth.pass:{password}".encode()).hexdigest()


NEVER = datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def _pass_facts(row: Found) -> PassFacts:
    """What a row says. The same row says the same, however often it is read."""
    key, user, credential, password, active, idle, ends, minutes, invited, agreed, groups, said, *more = row
    device, enrols, place, loans = more
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
        # A machine that was revoked ends every pass that was given at it.
        sound=(device is None or place is not None)
        and (not user or bool(active and password is not None and credential == credential_mark(password))),
        doors=frozenset(doors),
        invitation=invitation or None,
        invited_until=instant(until),
        attributes=frozenset((name, value) for name, value in json.loads(said)) if said else frozenset(),
        device=device,
        places=frozenset({place} if place else ()),
        enrols=bool(enrols),
        copies=tuple(_held_copy(line) for line in loans.split("\n")) if loans else (),
    )


def _held_copy(line: str) -> HeldCopy:
    key, rule, place, minutes, work, due = line.split(" ", 5)
    return HeldCopy(int(key), rule, place, int(minutes), work, instant(due) or NEVER)
