"""From rows to the values that policy judges.

Rules that many resources share are few and change rarely: they are read once into a :class:`Rulebook`, which is good for
exactly one stamp of the epoch. What belongs to one resource is read at each request, in one statement together with the
epoch, so that a change counts from the moment it is committed (security 3.1, strict mode). An offer made of both is kept
for as long as the epoch says that nothing at all has changed, and every request asks the epoch.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_network
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, router

from iiif_auth.conf import conf
from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Collection,
    CollectionRule,
    Condition,
    Embargo,
    Grant,
    Network,
    RefusalText,
    Resource,
    Tier,
    Withdrawal,
)
from iiif_auth.policy import types as policy
from iiif_auth.protocol import identity
from iiif_auth.protocol.languages import frozen

logger = logging.getLogger("iiif_auth.store")


class RulesInMotion(RuntimeError):
    """The rules changed each time while they were being read; nothing can be decided on them."""


# -- The rulebook -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A collection as policy sees it: its levels from itself outwards, and whether existence is secret here."""

    levels: tuple[policy.Level, ...]
    hidden: bool
    slug: str


@dataclass(slots=True)
class Rulebook:
    """Everything that many resources share, as it was at one stamp."""

    stamp: str
    services: dict[str, policy.AccessService] = field(default_factory=dict)
    networks: dict[int, policy.Network] = field(default_factory=dict)
    policies: dict[int, policy.Policy] = field(default_factory=dict)
    policy_grants: dict[int, tuple[policy.Grant, ...]] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    suffixes: dict[str, str] = field(default_factory=dict)
    stand_ins: set[str] = field(default_factory=set)
    instead: set[str] = field(default_factory=set)
    tier_suffixes: dict[tuple[str, str], str] = field(default_factory=dict)
    exact: dict[str, int] = field(default_factory=dict)
    prefixes: list[tuple[str, int]] = field(default_factory=list)
    globs: list[tuple[str, int]] = field(default_factory=list)

    def collection_of(self, uri: str) -> int | None:
        """The collection that takes in this URL by rule: exact before the longest prefix before a pattern."""
        if uri in self.exact:
            return self.exact[uri]
        for prefix, collection in self.prefixes:
            if uri.startswith(prefix):
                return collection
        return next((collection for pattern, collection in self.globs if fits(pattern, uri)), None)

    def bases(self, uri: str) -> Iterable[tuple[str, str]]:
        """``(URL, suffix)`` pairs of which this URL may be a smaller version."""
        return ((uri.removesuffix(suffix), suffix) for suffix in self.suffixes if uri.endswith(suffix))

    def candidates(self, uri: str) -> list[str]:
        """Every URL whose rows may bear on this one: itself, what it is a version of, and what may stand in for it."""
        bases = [uri, *(base for base, _suffix in self.bases(uri))]
        return list(
            dict.fromkeys([*bases, *(base + suffix for base in bases for suffix in self.stand_ins), *self.instead])
        )


def fits(pattern: str, uri: str) -> bool:
    """Whether a URL looks like a pattern, in which ``*`` is anything within one segment. Linear in both lengths."""
    wanted, given = pattern.split("/"), uri.split("/")
    return len(wanted) == len(given) and all(map(_segment_fits, wanted, given))


def _segment_fits(pattern: str, segment: str) -> bool:
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == segment
    if not segment.startswith(first) or len(segment) < len(first) + len(rest[-1]) or not segment.endswith(rest[-1]):
        return False
    at, end = len(first), len(segment) - len(rest[-1])
    for part in rest[:-1]:
        found = segment.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class Reader:
    """Reads the rulebook, one query a table."""

    def __init__(self, using: str, *, ended: bool = False) -> None:
        self.using, self.ended = using, ended

    def rulebook(self, stamp: str) -> Rulebook:
        book = Rulebook(stamp)
        book.services = dict(self._services())
        book.networks = dict(self._networks())
        self._read_policies(book)
        self._read_collections(book)
        self._read_rules(book)
        return book

    def _services(self) -> Iterable[tuple[str, policy.AccessService]]:
        for row in AccessService.objects.using(self.using):
            try:
                yield row.slug, service_value(row)
            except (TypeError, ValueError):
                # Policies that lead through it can not be read either, and so admit nobody.
                logger.exception("Access service %s can not be read; nobody gets in through it.", row.slug)

    def _networks(self) -> Iterable[tuple[int, policy.Network]]:
        for row in Network.objects.using(self.using):
            try:
                yield row.pk, policy.Network(tuple(ip_network(text) for text in row.prefixes), row.name)
            except (TypeError, ValueError):
                logger.exception("Network %s can not be read; it admits nobody.", row.slug)
                yield row.pk, policy.Network((), row.name)

    # -- policies

    def _read_policies(self, book: Rulebook) -> None:
        tiers, texts = defaultdict(list), defaultdict(list)
        for row in self._tiers():
            tiers[row.policy_id].append(row)
        for text in RefusalText.objects.using(self.using):
            texts[text.policy_id].append(
                (policy.Why(text.why), policy.Text(texts_of(text.heading), texts_of(text.note)))
            )
        for held in AccessPolicy.objects.using(self.using):
            book.policies[held.pk] = self._policy(book, held, tiers[held.pk], tuple(texts[held.pk]))
        by_policy = defaultdict(list)
        for grant in self._grants().filter(policy__isnull=False):
            level = policy.Level("", book.policies[grant.policy_id])
            by_policy[grant.policy_id].append(grant_value(grant, book.networks, (level,)))
        book.policy_grants = {key: tuple(values) for key, values in by_policy.items() if key is not None}

    def _tiers(self) -> Iterable[Tier]:
        rows = Tier.objects.using(self.using).order_by("policy", "order", "pk").select_related("substitute")
        return rows.prefetch_related("services", "conditions__user", "conditions__service", "conditions__group")

    def _grants(self) -> Any:
        rows = Grant.objects.using(self.using).select_related("service", "user", "group").order_by("pk")
        return rows if self.ended else rows.exclude(ends__lte=datetime.now(UTC))

    def _policy(
        self,
        book: Rulebook,
        row: AccessPolicy,
        tiers: Sequence[Tier],
        texts: tuple[tuple[policy.Why, policy.Text], ...],
    ) -> policy.Policy:
        try:
            policy.zone(row.zone)
            values = () if row.is_template else tuple(self._tier(book, row, tier) for tier in tiers)
        except (KeyError, OSError, TypeError, ValueError):
            # A rule that can not be read is not a yes (security D8).
            logger.exception("Policy %s can not be read; it admits nobody.", row.slug)
            values = ()
        return policy.Policy(row.slug, values, texts, row.name)

    def _tier(self, book: Rulebook, row: AccessPolicy, tier: Tier) -> policy.Tier:
        suffix = tier.suffix or f"~{tier.slug}"
        if tier.gets == Tier.Gets.SMALLER:
            book.suffixes[suffix] = tier.slug
            book.tier_suffixes[(row.slug, tier.slug)] = suffix
        if tier.substitute is not None:
            book.instead.add(tier.substitute.url)
        elif tier.gets == Tier.Gets.SUBSTITUTE:
            book.stand_ins.add(suffix)
        season = (
            policy.Season(month_day(tier.season_starts), month_day(tier.season_ends), row.zone)
            if tier.season_starts
            else None
        )
        services = sorted((book.services[service.slug] for service in tier.services.all()), key=flow_order)
        return policy.Tier(
            slug=tier.slug,
            audience=audience(tier, book.networks),
            gets=policy.Gets(tier.gets),
            max_edge=tier.max_edge or 0,
            substitute=substitute_of(tier, suffix),
            take=tier.take,
            window=policy.Window(tier.starts, tier.ends),
            season=season,
            wall=None if tier.wall_years is None else policy.Wall(tier.wall_years, row.zone),
            services=tuple(services),
            label=texts_of(tier.label),
        )

    # -- collections

    def _read_collections(self, book: Rulebook) -> None:
        rows = {row.pk: row for row in Collection.objects.using(self.using)}
        overlays = self._overlays()
        for key in rows:
            self._place(book, rows, overlays, key, ())

    def _overlays(self) -> dict[str, dict[int, list[Any]]]:
        found: dict[str, dict[int, list[Any]]] = {
            name: defaultdict(list) for name in ("embargo", "withdrawal", "grant")
        }
        for embargo in Embargo.objects.using(self.using).filter(collection__isnull=False):
            found["embargo"][embargo.collection_id or 0].append(embargo_value(embargo))
        for withdrawal in Withdrawal.objects.using(self.using).filter(collection__isnull=False):
            window = policy.Window(withdrawal.starts, withdrawal.ends)
            found["withdrawal"][withdrawal.collection_id or 0].append(
                policy.Withdrawal(window, texts_of(withdrawal.note))
            )
        for grant in self._grants().filter(collection__isnull=False):
            found["grant"][grant.collection_id].append(grant)
        return found

    def _place(
        self,
        book: Rulebook,
        rows: dict[int, Collection],
        overlays: dict[str, dict[int, list[Any]]],
        key: int,
        below: tuple[int, ...],
    ) -> Place:
        if key in book.places:
            return book.places[key]
        row = rows[key]
        if key in below:
            # A circle has no outermost collection; nobody gets in until somebody mends it, by grants or otherwise.
            logger.error("Collection %s is part of itself; it admits nobody.", row.slug)
            closed = policy.Embargo(policy.ALWAYS, hard=True)
            return Place((policy.Level(row.slug, embargoes=(closed,)),), hidden=True, slug=row.slug)
        above = (
            self._place(book, rows, overlays, row.parent_id, (*below, key)) if row.parent_id else Place((), False, "")
        )
        level = policy.Level(
            name=row.slug,
            policy=book.policies[row.policy_id] if row.policy_id else None,
            overrides=row.overrides,
            embargoes=tuple(overlays["embargo"][key]),
            withdrawals=tuple(overlays["withdrawal"][key]),
            policy_grants=book.policy_grants.get(row.policy_id or 0, ()),
        )
        scope = (level, *above.levels)
        grants = tuple(grant_value(grant, book.networks, scope) for grant in overlays["grant"][key])
        levels = (with_grants(level, grants), *above.levels)
        book.places[key] = place = Place(levels, row.hides_existence or above.hidden, row.slug)
        return place

    def _read_rules(self, book: Rulebook) -> None:
        for rule in CollectionRule.objects.using(self.using).order_by("pk"):
            if rule.fits == CollectionRule.Fits.EXACT:
                book.exact[identity.folded(rule.pattern)] = rule.collection_id
            elif rule.fits == CollectionRule.Fits.PREFIX:
                book.prefixes.append((rule.pattern, rule.collection_id))
            else:
                book.globs.append((rule.pattern, rule.collection_id))
        book.prefixes.sort(key=lambda rule: -len(rule[0]))


def with_grants(level: policy.Level, grants: tuple[policy.Grant, ...]) -> policy.Level:
    return replace(level, grants=grants)


def substitute_of(tier: Tier, suffix: str) -> str:
    """The URL of what is shown instead; ``+suffix`` if every resource has its own at its address with that suffix."""
    if tier.substitute is not None:
        return str(tier.substitute.url)
    return f"+{suffix}" if tier.gets == Tier.Gets.SUBSTITUTE else ""


def settled(level: policy.Level, base: str) -> policy.Level:
    """A level whose tiers name the stand-ins of this very resource."""
    held = level.policy
    named = (
        {tier.substitute: base + tier.substitute[1:] for tier in held.tiers if tier.substitute.startswith("+")}
        if held
        else {}
    )
    return renamed(level, named)


def renamed(level: policy.Level, names: Mapping[str, str]) -> policy.Level:
    """A level whose tiers call what they show instead by other names; the level itself if there are none."""
    held = level.policy
    if held is None or not any(tier.substitute in names for tier in held.tiers):
        return level
    tiers = tuple(replace(tier, substitute=names.get(tier.substitute, tier.substitute)) for tier in held.tiers)
    return replace(level, policy=replace(held, tiers=tiers))


def month_day(text: str) -> tuple[int, int]:
    """A day of the year.

    Raises:
        ValueError: there is none of that name, and such a season can not be read as a yes.
    """
    day = date.fromisoformat(f"2000-{text}")
    return day.month, day.day


def texts_of(value: Any) -> policy.LanguageMap:
    """A language map as it is in the database; a malformed one says nothing, but closes and opens nothing either."""
    try:
        return frozen(value)
    except (AttributeError, TypeError):
        logger.error("A language map can not be read: %.80r", value)
        return ()


def flow_order(service: policy.AccessService) -> tuple[int, str]:
    """The order in which viewers try services."""
    return policy.FLOW_ORDER.index(service.pattern), service.slug


def service_value(row: AccessService) -> policy.AccessService:
    texts = ("label", "heading", "note", "confirm_label", "error_heading", "error_note", "logout_label")
    return policy.AccessService(
        slug=row.slug,
        pattern=policy.Pattern(row.pattern),
        token_seconds=row.token_seconds,
        idle_minutes=row.idle_minutes,
        pass_hours=row.pass_hours,
        origin_rule=policy.OriginRule(row.origin_rule),
        origins=tuple(row.origins),
        dialects=dialects_of(row),
        agree_in_viewer=row.agree_in_viewer,
        clients=policy.Clients(row.clients),
        **{name: texts_of(getattr(row, name)) for name in texts},
    )


def dialects_of(row: AccessService) -> tuple[str, ...]:
    """What a service is offered in. Where only registered viewers get in, that is 0.9.2 at most: the others have none."""
    if row.clients == AccessService.Clients.ONLY:
        return tuple(name for name in row.dialects if name == "0.9.2")
    return tuple(row.dialects)


def embargo_value(row: Embargo) -> policy.Embargo:
    return policy.Embargo(policy.Window(row.starts, row.ends), policy.Closes(row.closes), row.hard, texts_of(row.note))


def audience(tier: Tier, networks: dict[int, policy.Network]) -> policy.Audience:
    """The conditions of a tier joined as it says; those in one bracket are joined the other way first."""
    outer, inner = (policy.AllOf, policy.AnyOf) if tier.join == Tier.Join.ALL else (policy.AnyOf, policy.AllOf)
    members: list[policy.Audience] = []
    brackets: dict[int, list[policy.Audience]] = defaultdict(list)
    for condition in sorted(tier.conditions.all(), key=lambda row: (row.bracket, row.pk)):
        principal = principal_value(condition, networks)
        (brackets[condition.bracket] if condition.bracket else members).append(principal)
    members += [inner(tuple(group)) for group in brackets.values()]
    return outer(tuple(members))


def principal_value(row: Condition, networks: dict[int, policy.Network]) -> policy.Principal:
    match row.kind:
        case Condition.Kind.EVERYONE:
            return policy.Everyone()
        case Condition.Kind.AUTHENTICATED:
            return policy.Authenticated()
        case Condition.Kind.ATTRIBUTE:
            return policy.Attribute(row.attribute_name, row.attribute_value)
    return linked_principal(row, networks)


def linked_principal(row: Condition | Grant, networks: dict[int, policy.Network]) -> policy.Principal:
    """The principal named by one of the foreign keys that conditions and grants share.

    Raises:
        ValueError: none is set; such a row admits nobody.
    """
    if row.user_id is not None:
        return policy.User(str(row.user_id), str(row.user))
    if row.group_id is not None:
        return policy.Group(str(row.group_id), str(row.group))
    if row.network_id is not None:
        return networks[row.network_id]
    if row.service is not None:
        return policy.Agreed(row.service.slug, str(row.service))
    raise ValueError(f"{row!r} names nobody.")


def reach_of(tier: str, levels: Sequence[policy.Level]) -> int:
    """The reach of a tier by its identifier: of the nearest policy that has it, else nothing."""
    if not tier:
        return policy.FULL
    found = (t.reach for level in levels if level.policy for t in level.policy.tiers if t.slug == tier)
    return next(found, policy.NOTHING)


def grant_value(row: Grant, networks: dict[int, policy.Network], levels: Sequence[policy.Level]) -> policy.Grant:
    return policy.Grant(
        linked_principal(row, networks),
        reach_of(row.tier, levels),
        policy.Window(row.starts, row.ends),
        row.take,
        str(row.pk),
    )


# -- Reading what belongs to one resource -------------------------------------------------------------------------

_kept: dict[str, Rulebook] = {}


def database() -> str:
    """The database that decisions are made on: the one that is written to, because a replica lags behind a revocation."""
    return router.db_for_write(Resource)


def _key(using: str) -> str:
    return f"{using} {connections[using].settings_dict['NAME']} {conf.BASE_URL}"


def stamp_now(using: str) -> str:
    """The stamp of the rules as they are committed; ``""`` if there is none, and then nothing may be kept."""
    return _epoch(using)[0]


def _epoch(using: str) -> tuple[str, str]:
    """Stamp and pulse as they are committed. Asked at every request, so without the ORM, which takes ten times as long."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT stamp, pulse FROM iiif_auth_epoch")
        return cursor.fetchone() or ("", "")


def rulebook(stamp: str | None = None) -> Rulebook:
    """The rules at this stamp (by default, as they are now).

    Raises:
        RulesInMotion: they changed each time while being read.
    """
    using = database()
    key = _key(using)
    kept = _kept.get(key)
    for _attempt in range(3):
        before = stamp or stamp_now(using)
        if kept is not None and before and kept.stamp == before:
            return kept
        book = _read_rulebook(using, before)
        if book is not None:
            if before:
                _kept[key] = book
            return book
        stamp = None
    raise RulesInMotion("The rules changed each time while they were being read.")


def _read_rulebook(using: str, stamp: str) -> Rulebook | None:
    """The rules, if this was their stamp all the while they were read."""
    try:
        book = Reader(using).rulebook(stamp)
    except LookupError:
        # A row that points at one not read yet; if that is not because somebody else was writing, it is a fault.
        if stamp_now(using) == stamp:
            raise
        return None
    return book if stamp_now(using) == stamp else None


FIND = """
WITH hit AS (
    SELECT id FROM iiif_auth_resource WHERE url_digest IN ({marks})
    UNION SELECT resource_id FROM iiif_auth_rendition WHERE url_digest IN ({marks})
)
SELECT 'epoch' AS what, NULL AS a, stamp AS b, pulse AS c, NULL AS d, NULL AS e, NULL AS f, NULL AS g, NULL AS h, NULL AS i
    FROM iiif_auth_epoch
UNION ALL SELECT 'resource', CAST(r.id AS TEXT), r.url, r.type, CAST(r.image_api AS TEXT), r.format, CAST(r.label AS TEXT),
    CAST(r.collection_id AS TEXT), CAST(r.policy_id AS TEXT) || CASE WHEN r.overrides THEN '!' ELSE '' END,
    CAST(r.date AS TEXT)
    FROM iiif_auth_resource r WHERE r.id IN (SELECT id FROM hit)
UNION ALL SELECT 'rendition', CAST(r.resource_id AS TEXT), r.url, r.tier, CAST(r.image_api AS TEXT), r.format,
    CAST(r.label AS TEXT), CASE WHEN r.is_location THEN '1' ELSE '' END, NULL, NULL
    FROM iiif_auth_rendition r WHERE r.resource_id IN (SELECT id FROM hit)
UNION ALL SELECT 'embargo', CAST(o.resource_id AS TEXT), CAST(o.starts AS TEXT), CAST(o.ends AS TEXT), o.closes,
    CASE WHEN o.hard THEN '1' ELSE '' END, CAST(o.note AS TEXT), NULL, NULL, NULL
    FROM iiif_auth_embargo o WHERE o.resource_id IN (SELECT id FROM hit)
UNION ALL SELECT 'withdrawal', CAST(o.resource_id AS TEXT), CAST(o.starts AS TEXT), CAST(o.ends AS TEXT), NULL,
    NULL, CAST(o.note AS TEXT), NULL, NULL, NULL
    FROM iiif_auth_withdrawal o WHERE o.resource_id IN (SELECT id FROM hit)
UNION ALL SELECT 'grant', CAST(g.resource_id AS TEXT), CAST(g.starts AS TEXT), CAST(g.ends AS TEXT), g.tier,
    CASE WHEN g.take THEN '1' ELSE '' END, CAST(g.user_id AS TEXT), CAST(g.group_id AS TEXT), CAST(g.network_id AS TEXT),
    CAST(g.id AS TEXT) || ' ' || COALESCE(s.slug, '')
    FROM iiif_auth_grant g LEFT JOIN iiif_auth_accessservice s ON s.id = g.service_id
    WHERE g.resource_id IN (SELECT id FROM hit)
"""
"""One statement for everything about some resources, and the epoch as of the same instant."""

Found = tuple[Any, ...]
"""A row as the statement gives it: texts and nulls."""


@dataclass(slots=True)
class Card:
    """The rows about one resource."""

    row: Found
    renditions: list[Found] = field(default_factory=list)
    embargoes: list[policy.Embargo] = field(default_factory=list)
    withdrawals: list[policy.Withdrawal] = field(default_factory=list)
    grants: list[Found] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one statement found: the epoch, and the cards of resources by primary key."""

    stamp: str
    pulse: str
    cards: dict[str, Card]


@lru_cache(maxsize=64)
def _find_sql(count: int) -> str:
    return FIND.format(marks=", ".join(["%s"] * count))


def _read(uris: Sequence[str]) -> Reading:
    """The present epoch, and the cards of every resource that one of these URLs belongs to."""
    digests = [identity.digest(uri) for uri in uris]
    with connections[database()].cursor() as cursor:
        cursor.execute(_find_sql(len(digests)), digests * 2)
        rows = cursor.fetchall()
    epoch = next((row for row in rows if row[0] == "epoch"), ("epoch", None, "", ""))
    cards = {row[1]: Card(row[1:]) for row in rows if row[0] == "resource"}
    for what, *values in rows:
        if what not in ("epoch", "resource"):
            _lay(cards[values[0]], what, tuple(values))
    return Reading(epoch[2], epoch[3], cards)


def _lay(card: Card, what: str, values: Found) -> None:
    if what == "rendition":
        card.renditions.append(values)
    elif what == "grant":
        card.grants.append(values)
    elif what == "embargo":
        closes, hard, note = values[3:6]
        card.embargoes.append(policy.Embargo(_window(values), policy.Closes(closes), bool(hard), _map(note)))
    else:
        card.withdrawals.append(policy.Withdrawal(_window(values), _map(values[5])))


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    # SQLite keeps no zone: Django writes there in the zone of the connection, which is UTC unless somebody says otherwise.
    return at if at.tzinfo else at.replace(tzinfo=connections[database()].timezone)


def _window(values: Found) -> policy.Window:
    if not values[1] and not values[2]:
        return policy.ALWAYS
    return policy.Window(_instant(values[1]), _instant(values[2]))


def _map(text: str | None) -> policy.LanguageMap:
    return texts_of(json.loads(text)) if text else ()


# -- Offers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shelf:
    """Offers that were made since the last change, whatever it was a change of."""

    pulse: str
    offers: dict[str, policy.Offer] = field(default_factory=dict)


MOST_OFFERS = 5_000
"""On one shelf. An offer takes some two kilobytes; a full shelf is begun anew."""

_shelves: dict[str, Shelf] = {}


def find_offer(uri: str) -> policy.Offer | None:
    """The offer behind a normalised URL, or ``None`` if there is no such thing; one query (two after a change).

    Raises:
        RulesInMotion: see :func:`rulebook`.
    """
    using = database()
    key = _key(using)
    shelf = _shelves.get(key)
    kept = shelf.offers.get(uri) if shelf else None
    if shelf and kept and shelf.pulse == _epoch(using)[1]:
        return kept
    book, reading = _current(uri)
    offer = _composed(book, reading.cards, uri)
    if offer is None:
        return _offer_of_host(uri)
    _shelve(key, reading.pulse, uri, offer)
    return offer


MOST_AT_ONCE = 300
"""About how many URLs are looked for in one statement. Each is a parameter twice, and a database takes only so many."""


def find_offers(uris: Iterable[str]) -> dict[str, policy.Offer | None]:
    """What :func:`find_offer` gives for each of many normalised URLs; one query for some hundreds of them.

    Nothing is kept: one long list must not push out what is asked for one by one.

    Raises:
        RulesInMotion: see :func:`rulebook`.
    """
    asked = list(dict.fromkeys(uris))
    book = _kept.get(_key(database())) or rulebook()
    for _attempt in range(3):
        found, stamp = _offers_at(book, asked)
        if stamp == book.stamp:
            return {uri: _offer_of_host(uri) if offer is None else offer for uri, offer in found.items()}
        book = rulebook(stamp)
    raise RulesInMotion("The rules changed each time while resources were being read.")


def _offers_at(book: Rulebook, uris: Sequence[str]) -> tuple[dict[str, policy.Offer | None], str]:
    """The offers by these rules and their stamp; or another stamp that was met with, and then the offers are not all there."""
    found: dict[str, policy.Offer | None] = {}
    for candidates in _batches(book, uris):
        reading = _read(list(dict.fromkeys(one for several in candidates.values() for one in several)))
        if reading.stamp != book.stamp:
            return found, reading.stamp
        at = _by_url(reading.cards)
        for uri, several in candidates.items():
            cards = {key: card for one in several for key, card in at.get(one, {}).items()}
            found[uri] = _composed(book, cards, uri)
    return found, book.stamp


def _batches(book: Rulebook, uris: Sequence[str]) -> Iterable[dict[str, list[str]]]:
    """URLs with their candidates, as many as go into one statement: what bears on one is read in one."""
    batch: dict[str, list[str]] = {}
    size = 0
    for uri in uris:
        batch[uri] = book.candidates(uri)
        size += len(batch[uri])
        if size >= MOST_AT_ONCE:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def _by_url(cards: dict[str, Card]) -> dict[str, dict[str, Card]]:
    """The cards by every URL that stands on them."""
    found: dict[str, dict[str, Card]] = defaultdict(dict)
    for key, card in cards.items():
        for url in (card.row[1], *(row[1] for row in card.renditions)):
            found[url][key] = card
    return found


def _shelve(key: str, pulse: str, uri: str, offer: policy.Offer) -> None:
    """Keep an offer with those of the same pulse; without one nothing can be kept."""
    if not pulse:
        return
    shelf = _shelves.get(key)
    if shelf is None or shelf.pulse != pulse or len(shelf.offers) >= MOST_OFFERS:
        shelf = _shelves[key] = Shelf(pulse)
    shelf.offers[uri] = offer


def _composed(book: Rulebook, cards: dict[str, Card], uri: str) -> policy.Offer | None:
    offer = _offer(book, cards, uri)
    if offer is None:
        return _offer_by_rule(book, uri)
    offer = _in_one_api(cards, offer)
    offers = tuple(found for instead in _named_instead(offer) if (found := _offer(book, cards, instead)) is not None)
    return replace(offer, substitutes=offers)


def _in_one_api(cards: dict[str, Card], offer: policy.Offer) -> policy.Offer:
    """An offer whose substitutes are named by their addresses in the same version of the Image API, where they have one."""
    wanted = offer.wanted.image_api
    names = {instead: _alike(cards, instead, wanted) for instead in _named_instead(offer)}
    different = {instead: address for instead, address in names.items() if address != instead}
    return replace(offer, levels=tuple(renamed(level, different) for level in offer.levels)) if different else offer


def _alike(cards: dict[str, Card], uri: str, api: policy.ImageApi) -> str:
    """The address of a resource in this version of the Image API; its own if it has no other."""
    card = next((card for card in cards.values() if card.row[1] == uri), None)
    if card is None or int(card.row[3]) == api.value:
        return uri
    same = (row[1] for row in card.renditions if int(row[3]) == api.value and not row[2] and not row[6])
    return next(same, uri)


def stands_in(uri: str, original: str) -> bool:
    """Whether an address is that of the stand-in which belongs to this very original, by a tier's suffix."""
    return any(uri == original + suffix for suffix in rulebook().stand_ins)


def original_of(offer: policy.Offer) -> policy.Offer | None:
    """The offer for which this one stands in, by a tier's suffix; ``None`` if it stands in for nothing, or for nothing known."""
    uri = offer.wanted.uri
    bases = (uri.removesuffix(suffix) for suffix in rulebook().stand_ins if uri.endswith(suffix))
    originals = (found for base in bases if (found := find_offer(base)) is not None)
    return next((found for found in originals if uri in _named_instead(found)), None)


def _current(uri: str) -> tuple[Rulebook, Reading]:
    """The rules, and the cards of this URL and of whatever might be shown instead, as of one instant."""
    book = _kept.get(_key(database())) or rulebook()
    for _attempt in range(3):
        reading = _read(book.candidates(uri))
        if reading.stamp == book.stamp:
            return book, reading
        book = rulebook(reading.stamp)
    raise RulesInMotion("The rules changed each time while a resource was being read.")


def _named_instead(offer: policy.Offer) -> list[str]:
    tiers = (tier for level in offer.levels if level.policy for tier in level.policy.tiers)
    return list(dict.fromkeys(tier.substitute for tier in tiers if tier.substitute))


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that a row has: whose it is, and the slug of the tier it is for, empty for the resource itself."""

    card: Card
    base: str
    image_api: policy.ImageApi
    format: str
    tier: str


def _offer(book: Rulebook, cards: dict[str, Card], uri: str) -> policy.Offer | None:
    for address, suffix in _addresses(book, cards, uri):
        levels, hidden = _levels(book, address.card)
        tier = _derived_tier(book, levels, suffix) if suffix else (address.tier, _reach_at(address, levels))
        if tier is not None:
            return _offer_at(book, address, uri, levels, hidden, *tier)
    return None


def _addresses(book: Rulebook, cards: dict[str, Card], uri: str) -> Iterable[tuple[Address, str]]:
    """A URL of a row is that row; else it may be an image service of a row with a suffix."""
    exact = _exact_address(cards, uri)
    if exact is not None:
        yield exact, ""
        return
    for base, suffix in sorted(book.bases(uri), key=lambda pair: -len(pair[0])):
        found = _exact_address(cards, base)
        if found is not None and not found.tier and found.image_api is not policy.ImageApi.NONE:
            yield found, suffix


def _reach_at(address: Address, levels: Sequence[policy.Level]) -> int:
    """The reach that an address of its own needs: all of it, if no policy has its tier or the tier shows nothing of it."""
    reach = reach_of(address.tier, levels)
    return reach if reach > policy.OTHER else policy.FULL


def _derived_tier(book: Rulebook, levels: Sequence[policy.Level], suffix: str) -> tuple[str, int] | None:
    """The tier of the resource's own policies whose versions have this suffix, and the reach they need.

    Where two policies give one suffix to versions of different sizes, the larger size counts.
    """
    tiers = [
        tier
        for level in levels
        if level.policy
        for tier in level.policy.tiers
        if book.tier_suffixes.get((level.policy.slug, tier.slug)) == suffix
    ]
    return (tiers[0].slug, max(tier.reach for tier in tiers)) if tiers else None


def _offer_at(
    book: Rulebook,
    address: Address,
    uri: str,
    levels: tuple[policy.Level, ...],
    hidden: bool,
    tier: str,
    reach: int,
) -> policy.Offer:
    row = address.card.row
    label = _map(row[5])
    wanted = policy.Rendition(
        uri=uri,
        reach=reach,
        kind=policy.Kind(row[2]),
        image_api=address.image_api,
        format=address.format,
        label=_tier_label(levels, tier) or label,
        location=_location(address.card, tier, uri),
    )
    others = tuple(_others(book, address, levels, wanted))
    made = date.fromisoformat(row[8]) if row[8] else None
    return policy.Offer(wanted, others, levels, made, hidden, (), label)


def _exact_address(cards: dict[str, Card], uri: str) -> Address | None:
    for card in cards.values():
        if card.row[1] == uri:
            return Address(card, uri, policy.ImageApi(int(card.row[3])), card.row[4], "")
    for card in cards.values():
        for row in card.renditions:
            if row[1] == uri:
                return Address(card, uri, policy.ImageApi(int(row[3])), row[4], row[2])
    return None


def _levels(book: Rulebook, card: Card) -> tuple[tuple[policy.Level, ...], bool]:
    uri, collection, governed = card.row[1], card.row[6], card.row[7]
    key = int(collection) if collection else book.collection_of(uri)
    place = book.places[key] if key is not None else None
    above = place.levels if place else ()
    own = int(governed.rstrip("!")) if governed else None
    level = policy.Level(
        name=uri,
        policy=book.policies[own] if own else None,
        overrides=bool(governed) and governed.endswith("!"),
        embargoes=tuple(card.embargoes),
        withdrawals=tuple(card.withdrawals),
        policy_grants=book.policy_grants.get(own or 0, ()),
    )
    grants = tuple(_grant(book, row, (level, *above)) for row in card.grants)
    levels = (with_grants(level, grants), *above)
    return tuple(settled(one, uri) for one in levels), bool(place and place.hidden)


def _grant(book: Rulebook, values: Found, levels: Sequence[policy.Level]) -> policy.Grant:
    tier, take, user, group, network = values[3:8]
    number, _, service = values[8].partition(" ")
    principal: policy.Principal
    if user:
        principal = policy.User(user_id(user))
    elif group:
        principal = policy.Group(group)
    elif network:
        principal = book.networks[int(network)]
    else:
        principal = policy.Agreed(service)
    return policy.Grant(principal, reach_of(tier, levels), _window(values), bool(take), number)


def _tier_label(levels: Sequence[policy.Level], slug: str) -> policy.LanguageMap:
    if not slug:
        return ()
    found = (t.label for level in levels if level.policy for t in level.policy.tiers if t.slug == slug and t.label)
    return next(found, ())


def _location(card: Card, tier: str, uri: str) -> str:
    """Where a version is delivered if not at its own address; the place of delivery itself leads no further."""
    locations = [row[1] for row in card.renditions if row[6]]
    here = (row[1] for row in card.renditions if row[6] and row[2] == tier)
    return "" if uri in locations else next(here, "")


def _others(
    book: Rulebook, address: Address, levels: Sequence[policy.Level], wanted: policy.Rendition
) -> Iterable[policy.Rendition]:
    """The smaller renditions there are, largest first, one for each reach."""
    found: dict[int, policy.Rendition] = {}
    for level in levels:
        for tier in level.policy.tiers if level.policy else ():
            if level.policy and tier.gets is policy.Gets.SMALLER:
                suffix = book.tier_suffixes[(level.policy.slug, tier.slug)]
                rendition = _smaller(book, address, levels, tier, suffix, wanted)
                if rendition is not None and policy.OTHER < rendition.reach < wanted.reach:
                    found.setdefault(rendition.reach, rendition)
    return (found[reach] for reach in sorted(found, reverse=True))


def _smaller(
    book: Rulebook,
    address: Address,
    levels: Sequence[policy.Level],
    tier: policy.Tier,
    suffix: str,
    wanted: policy.Rendition,
) -> policy.Rendition | None:
    """The rendition for a tier: an explicit row, else the address with the tier's suffix, if this is an image service.

    Its reach is what its own address needs, so that what is offered here is not refused there (INV5).
    """
    label = tier.label or wanted.label
    for row in sorted(address.card.renditions, key=lambda row: int(row[3]) != address.image_api.value):
        if row[2] == tier.slug and not row[6]:
            api, reach = policy.ImageApi(int(row[3])), reach_of(tier.slug, levels)
            return policy.Rendition(row[1], reach, wanted.kind, api, row[4] or wanted.format, _map(row[5]) or label)
    derived = _derived_tier(book, levels, suffix)
    if address.image_api is policy.ImageApi.NONE or derived is None:
        return None
    return policy.Rendition(address.base + suffix, derived[1], wanted.kind, address.image_api, wanted.format, label)


def _offer_by_rule(book: Rulebook, uri: str) -> policy.Offer | None:
    """A URL that no row knows but a collection's address rule takes in."""
    key = book.collection_of(uri)
    if key is None:
        return None
    place = book.places[key]
    return policy.Offer(policy.Rendition(uri), levels=(policy.Level(uri), *place.levels), hidden=place.hidden)


def _offer_of_host(uri: str) -> policy.Offer | None:
    hook = conf.OFFERS
    return hook(uri) if hook else None


# -- Passes and tokens --------------------------------------------------------------------------------------------


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


HELD = """p.id, CAST(p.user_id AS TEXT), p.credential, u.{password}, {active}, CAST(p.idle_until AS TEXT),
    CAST(p.ends AS TEXT), p.idle_minutes,
    (SELECT {together}(s.slug || ' ' || a.origin, ',') FROM iiif_auth_agreement a
        JOIN iiif_auth_accessservice s ON s.id = a.service_id WHERE a.holder_id = p.id), {groups}"""
GROUPS = "(SELECT {together}(CAST({group} AS TEXT), ',') FROM {table} WHERE {user} = p.user_id)"
PERSON = "LEFT JOIN {users} u ON u.{user_key} = p.user_id"
BROWSER = "SELECT {held} FROM iiif_auth_pass p {person} WHERE p.digest = %s"
BEARER = """SELECT t.service, t.dialect, t.origin, CAST(t.ends AS TEXT), t.holder_id, {held}
FROM iiif_auth_token t LEFT JOIN iiif_auth_pass p ON p.id = t.holder_id {person} WHERE t.digest = %s"""
TOGETHER = {"sqlite": "group_concat", "postgresql": "string_agg"}
"""Neither identifiers nor origins nor keys hold a comma or a space."""


def _statement(template: str) -> str:
    """The statement for the host's own user model, whatever its tables are called."""
    return _statement_for(template, get_user_model(), connections[database()].vendor)


@lru_cache(maxsize=8)
def _statement_for(template: str, model: Any, vendor: str) -> str:
    quote = connections[database()].ops.quote_name
    active = _column(model, "is_active")
    held = HELD.format(
        together=TOGETHER[vendor],
        password=quote(_column(model, "password") or "password"),
        active=f"CASE WHEN p.user_id IS NULL OR u.{quote(active)} THEN 1 ELSE 0 END" if active else "1",
        groups=_groups_of(model, quote, TOGETHER[vendor]),
    )
    person = PERSON.format(users=quote(model._meta.db_table), user_key=quote(model._meta.pk.column))
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


def find_pass(digest: str) -> PassFacts | None:
    """The pass with this digest, expired or not; one query."""
    with connections[database()].cursor() as cursor:
        cursor.execute(_statement(BROWSER), [digest])
        row = cursor.fetchone()
    return _pass_facts(row) if row else None


def find_token(digest: str) -> TokenFacts | None:
    """The token with this digest and what stands behind it, expired or not; one query."""
    with connections[database()].cursor() as cursor:
        cursor.execute(_statement(BEARER), [digest])
        row = cursor.fetchone()
    if row is None:
        return None
    service, dialect, origin, ends, holder = row[:5]
    held = _pass_facts(row[5:]) if row[5] is not None else None
    return TokenFacts(service, dialect, origin, _instant(ends) or NEVER, held, holder is not None)


def user_id(text: str) -> str:
    """A user's primary key as policy writes it, however this database stores it (SQLite keeps a UUID without hyphens)."""
    key = get_user_model()._meta.pk
    return str(key.to_python(text))


def credential_mark(password: str) -> str:
    """What a pass remembers of a password hash: enough to notice that it changed, and of no use otherwise."""
    return sha256(f"iiif_auth.pass:{password}".encode()).hexdigest()


NEVER = datetime.min.replace(tzinfo=UTC)


def _pass_facts(row: Found) -> PassFacts:
    key, user, credential, password, active, idle, ends, minutes, agreed, groups = row
    agreements: dict[str, set[str]] = defaultdict(set)
    for service, _, origin in (text.partition(" ") for text in agreed.split(",")) if agreed else ():
        agreements[service].add(origin)
    return PassFacts(
        id=key,
        user=user_id(user) if user else None,
        groups=frozenset(groups.split(",")) if groups else frozenset(),
        agreements={service: frozenset(origins) for service, origins in agreements.items()},
        idle_until=_instant(idle) or NEVER,
        ends=_instant(ends) or NEVER,
        idle_minutes=minutes,
        sound=not user or bool(active and password is not None and credential == credential_mark(password)),
    )


def places_of(book: Rulebook, service: str) -> list[policy.Network]:
    """The networks named in the tiers that lead through an access service."""
    return [
        leaf
        for held in book.policies.values()
        for tier in held.tiers
        if any(one.slug == service for one in tier.services)
        for leaf in policy.principals(tier.audience)
        if isinstance(leaf, policy.Network)
    ]
