"""Rules that many resources share, read once for each stamp of the epoch."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, router

from iiif_auth.conf import conf
from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Collection,
    CollectionRule,
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
from iiif_auth.store.values import (
    audience,
    embargo_value,
    flow_order,
    grant_value,
    month_day,
    service_value,
    substitute_of,
    texts_of,
    virtual_of,
    with_grants,
    with_then,
)

logger = logging.getLogger("iiif_auth.store")


class RulesInMotion(RuntimeError):
    """The rules changed each time while they were being read; nothing can be decided on them."""


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
        return policy.Policy(row.slug, values, texts, row.name, row.signed, row.requestable, row.signed_if_blocked)

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
            virtual=virtual_of(tier),
        )

    # -- collections

    def _read_collections(self, book: Rulebook) -> None:
        rows = {row.pk: row for row in Collection.objects.using(self.using)}
        overlays = self._overlays(book)
        for key in rows:
            self._place(book, rows, overlays, key, ())

    def _overlays(self, book: Rulebook) -> dict[str, dict[int, list[Any]]]:
        found: dict[str, dict[int, list[Any]]] = {
            name: defaultdict(list) for name in ("embargo", "withdrawal", "grant")
        }
        for embargo in Embargo.objects.using(self.using).filter(collection__isnull=False).order_by("pk"):
            value = with_then(embargo_value(embargo), embargo.then_policy_id, book.policies, book.policy_grants)
            found["embargo"][embargo.collection_id or 0].append(value)
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


# -- Reading it, once for each stamp ------------------------------------------------------------------------------

books: dict[str, Rulebook] = {}


def database() -> str:
    """The database that decisions are made on: the one that is written to, because a replica lags behind a revocation."""
    # Asked several times a request; without routers, which most sites are, it is always the same.
    return router.db_for_write(Resource) if router.routers else DEFAULT_DB_ALIAS


def key_of(using: str) -> str:
    # The settings of a connection, without the connection itself, which is another for each thread.
    return f"{using} {connections.settings[using]['NAME']} {conf.BASE_URL}"


def stamp_now(using: str) -> str:
    """The stamp of the rules as they are committed; ``""`` if there is none, and then nothing may be kept."""
    return epoch(using)[0]


def epoch(using: str) -> tuple[str, str]:
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
    key = key_of(using)
    kept = books.get(key)
    for _attempt in range(3):
        before = stamp or stamp_now(using)
        if kept is not None and before and kept.stamp == before:
            return kept
        book = _read_rulebook(using, before)
        if book is not None:
            if before:
                books[key] = book
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
