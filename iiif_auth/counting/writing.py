"""Counts into rows, whatever other processes write at the same time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F

from iiif_auth import store
from iiif_auth.counting.facts import Facts
from iiif_auth.counting.tally import Counted
from iiif_auth.models import AccessPolicy, Collection, DailyCount, Network, NetworkUse
from iiif_auth.policy.types import Address


class Line(NamedTuple):
    """What makes one row of the counts, with collection and policy by their numbers."""

    day: date
    door: str
    collection: int
    policy: int
    tier: str
    decision: str
    why: str


def write(counted: Counted) -> None:
    """Add what was counted to the rows of its days, in one transaction.

    Raises:
        django.db.Error: nothing was written.
    """
    using = store.database()
    with transaction.atomic(using=using):
        written(numbered(counted.days, using), using)
        note_uses(counted.addresses, counted.day, using)


def written(lines: Mapping[Line, int], using: str) -> None:
    """Add to the rows of these lines. The rows are made first, empty, by whichever process is first to need them."""
    rows = [DailyCount(**line._asdict()) for line in lines]
    DailyCount.objects.using(using).bulk_create(rows, ignore_conflicts=True, batch_size=500)
    for line in sorted(lines):  # always in one order, so that two processes never wait for each other
        DailyCount.objects.using(using).filter(**line._asdict()).update(count=F("count") + lines[line])


def numbered(days: Mapping[date, Mapping[Facts, int]], using: str) -> dict[Line, int]:
    """The same counts by the numbers of collections and policies; 0 for what is not among the rows."""
    each = [(day, facts, times) for day, counts in days.items() for facts, times in counts.items()]
    collections = _numbers(Collection, {facts.collection for _day, facts, _times in each}, using)
    policies = _numbers(AccessPolicy, {facts.policy for _day, facts, _times in each}, using)
    found: Counter[Line] = Counter()
    for day, facts, times in each:
        collection, policy = collections.get(facts.collection, 0), policies.get(facts.policy, 0)
        found[Line(day, facts.door, collection, policy, facts.tier, facts.decision, facts.why)] += times
    return dict(found)


MOST_ASKED = 500


def _numbers(model: Any, slugs: set[str], using: str) -> dict[str, int]:
    wanted = sorted(slugs - {""})
    found: dict[str, int] = {}
    for start in range(0, len(wanted), MOST_ASKED):
        some = wanted[start : start + MOST_ASKED]
        found.update(model._default_manager.using(using).filter(slug__in=some).values_list("slug", "pk"))
    return found


# -- Where people came from ---------------------------------------------------------------------------------------


def note_uses(addresses: Iterable[Address], day: date, using: str) -> None:
    """Remember that a line of a network was used on this day; a line that has this day already is not written again."""
    given = list(addresses)
    if not given:
        return
    lines = prefixes(using)
    known = set(NetworkUse.objects.using(using).filter(day__gte=day).values_list("network_id", "prefix"))
    fresh = sorted(used(given, lines) - known)
    rows = [NetworkUse(network_id=network, prefix=prefix, day=day) for network, prefix in fresh]
    NetworkUse.objects.using(using).bulk_create(
        rows, update_conflicts=True, unique_fields=["network", "prefix"], update_fields=["day"]
    )


def prefixes(using: str) -> list[tuple[int, str]]:
    """Every line of every network, with the number of its network."""
    rows = Network.objects.using(using).values_list("pk", "prefixes")
    return [(pk, str(text)) for pk, texts in rows if isinstance(texts, list) for text in texts]


def used(addresses: Iterable[Address], lines: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """The lines that some of the addresses are in.

    Each address is looked up once for each length of prefix there is, since there may be thousands of both.
    """
    at: dict[tuple[int, int], dict[int, set[tuple[int, str]]]] = defaultdict(lambda: defaultdict(set))
    for line in lines:
        network = _network(line[1])
        if network is not None:
            shift = network.max_prefixlen - network.prefixlen
            at[(network.version, shift)][int(network.network_address) >> shift].add(line)
    found: set[tuple[int, str]] = set()
    for address in addresses:
        for (version, shift), several in at.items():
            if version == address.version:
                found |= several.get(int(address) >> shift, set())
    return found


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None  # a row that can not be read admits nobody, and nobody came from there
