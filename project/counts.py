"""Sixty days of counts for the demo, always the same for the same day: an exhibition that draws visitors to the sky pictures,
and later a change of the VPN, after which people on campus are taken for strangers and turned away.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from iiif_auth.counting import Line
from iiif_auth.models import Collection, DailyCount

DAYS = 60
EXHIBITION = range(22, 31)
"""Days of the sixty, from the first, on which the posters of the exhibition hung in town."""
VPN_CHANGE = range(44, 52)
"""Days on which the new pool of the VPN was in no network of ours, until somebody wrote it there."""

SHARES: dict[str, tuple[int, tuple[tuple[str, str, str, float], ...]]] = {
    "merehaven-maps": (90, (("full", "allowed", "", 1.0),)),
    "merehaven-posters": (35, (("full", "allowed", "", 1.0),)),
    "merehaven-herbal": (60, (("full", "allowed", "", 0.6), ("", "refused", "not-signed-in", 0.4))),
    "merehaven-sky": (70, (("full", "allowed", "", 0.45), ("preview", "less", "not-signed-in", 0.55))),
    "merehaven-fleet": (40, (("full", "allowed", "", 0.7), ("", "refused", "not-agreed", 0.3))),
    "merehaven-register": (25, (("full", "allowed", "", 0.3), ("redacted", "less", "wrong-place", 0.7))),
    "merehaven-minutes": (12, (("full", "allowed", "", 0.5), ("", "refused", "not-entitled", 0.5))),
    "merehaven-treasures": (50, (("full", "allowed", "", 0.85), ("", "refused", "not-signed-in", 0.15))),
    "merehaven-album": (6, (("full", "allowed", "grant", 0.4), ("", "refused", "not-entitled", 0.6))),
}
"""By collection: requests on an ordinary day, and how they end: tier, decision, reason and share."""


def seed(today: date) -> int:
    """Write the counts of the sixty days before this one, unless there are any; how many lines were written."""
    if DailyCount.objects.exists():
        return 0
    rows = [DailyCount(**line._asdict(), count=times) for line, times in counted(today)]
    return len(DailyCount.objects.bulk_create(rows, batch_size=500))


def counted(today: date) -> Iterator[tuple[Line, int]]:
    """Every line with its count."""
    # Chance that is always the same: the demo's story must not depend on when it is told.
    chance = Random(1949)  # noqa: S311 - no secret
    places = {row.slug: row for row in Collection.objects.filter(slug__in=SHARES)}
    for number in range(DAYS):
        day = today - timedelta(days=DAYS - number)
        for slug, (usual, shares) in SHARES.items():
            requests = usual * week(day) * story(slug, number) * chance.uniform(0.8, 1.2)
            if (row := places.get(slug)) is not None:
                yield from ended(row, day, requests, changed(slug, number, shares))


def ended(
    row: Collection, day: date, requests: float, shares: tuple[tuple[str, str, str, float], ...]
) -> Iterator[tuple[Line, int]]:
    for tier, decision, why, share in shares:
        for door, pieces in (("probe", 1), ("content", 12 if decision != "refused" else 1)):
            if times := round(requests * share * pieces):
                yield Line(day, door, row.pk, row.policy_id or 0, tier, decision, why), times


def week(day: date) -> float:
    """Fewer people come at the weekend."""
    return 0.45 if day.weekday() >= 5 else 1.0


def story(slug: str, number: int) -> float:
    return 4.0 if slug == "merehaven-sky" and number in EXHIBITION else 1.0


def changed(
    slug: str, number: int, shares: tuple[tuple[str, str, str, float], ...]
) -> tuple[tuple[str, str, str, float], ...]:
    """Outside the campus network people must sign in to the treasury, and few think of it: they try again and again."""
    if slug == "merehaven-treasures" and number in VPN_CHANGE:
        return (("full", "allowed", "", 0.25), ("", "refused", "wrong-place", 2.6))
    return shares
