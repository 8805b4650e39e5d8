"""What has happened at the demo library of late: dates that are always near, and a history of sixty days.

Fixtures say what is so; this says what was done, by whom and when, counted from the day on which the demo is first set up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, identify
from iiif_auth.asking.codes import new_code
from iiif_auth.models import (
    AccessPolicy,
    AccessRequest,
    Batch,
    Change,
    Collection,
    Condition,
    Embargo,
    Grant,
    Network,
    RequestMessage,
    Resource,
    Tier,
)
from project.wording import in_all

UNREDACTED = "/iiif/image/3/register-4"
OPENS = 2049
"""The year in which the youngest patient of the last opening would be a hundred."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days as the library counts them, from the moment ``now``."""

    now: datetime

    def midnight(self, days: int) -> datetime:
        """The first moment of a day, so many days from today."""
        return timezone.make_aware(datetime.combine(timezone.localdate(self.now) + timedelta(days=days), time()))

    def new_year(self, year: int) -> datetime:
        return timezone.make_aware(datetime.combine(date(year, 1, 1), time()))

    @property
    def year(self) -> int:
        return timezone.localdate(self.now).year


def tell(now: datetime) -> None:
    """Make all of it happen, in a library that was just set up."""
    calendar = Calendar(now)
    Change.objects.update(at=calendar.midnight(-60))
    for days, who, why, deed in DEEDS:
        with happened(calendar, days, who, why):
            deed(calendar)
    wait(calendar)


@contextmanager
def happened(calendar: Calendar, days: int, who: str, why: str) -> Iterator[None]:
    """What is changed within was changed so many days ago, towards noon, by this person."""
    at = min(calendar.midnight(-days) + timedelta(hours=10, minutes=7 * days % 60), calendar.now)
    last = Change.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    batches = set(Batch.objects.values_list("pk", flat=True))
    with history.by(person(who), reason=why, network="198.51.100.0"):
        yield
    Change.objects.filter(pk__gt=last).update(at=at)
    Batch.objects.exclude(pk__in=batches).update(created=at, finished=at)


def person(username: str) -> Any:
    return get_user_model().objects.get(username=username)


# -- What was done ------------------------------------------------------------------------------------------------


def close_the_last_opening(calendar: Calendar) -> None:
    Embargo.objects.create(
        resource=Resource.objects.get(url=UNREDACTED),
        ends=calendar.new_year(OPENS),
        closes=Embargo.Closes.FULL,
        note=in_all(
            format_lazy(
                _(
                    "This page names patients who may still be alive. It is shown in full from 1 January {year}, "
                    "in the reading room."
                ),
                year=OPENS,
            )
        ),
        reason="Youngest patient born in 1949; a hundred years, as agreed with the data-protection officer.",
    )


def open_the_diary_at_new_year(calendar: Calendar) -> None:
    """Its author died in 1958; the family has agreed to the next New Year."""
    year = calendar.year + 1
    held = Embargo.objects.get(collection__slug="merehaven-diaries")
    held.ends = calendar.new_year(year)
    held.note = in_all(
        format_lazy(_("The author's family asked that the diary stays closed until 1 January {year}."), year=year)
    )
    held.save()


def show_two_at_the_exhibition(calendar: Calendar) -> None:
    fleet(calendar, "Set policy: Merehaven: open", AccessPolicy.objects.get(slug="merehaven-open"))


def end_the_exhibition(calendar: Calendar) -> None:
    fleet(calendar, "Remove policy", None)


def fleet(calendar: Calendar, what: str, own: AccessPolicy | None) -> None:
    """Give two of the fleet photographs a policy of their own, as a batch."""
    author = history.current()
    rows = Resource.objects.filter(url__in=[f"/iiif/image/3/fleet-{n}" for n in (2, 5)])
    batch = history.begun(Batch.Kind.BULK, author.user, what, author.reason, total=2)
    with history.by(author.user, batch=batch):
        changed = history.updated(rows, policy=own)
    history.ended(batch, f"{changed} resources changed.")


def move_the_season(calendar: Calendar) -> None:
    """The songs are in season whenever the demo is looked at."""
    tier = Tier.objects.get(policy__slug="merehaven-songs", slug="full")
    month = timezone.localdate(calendar.now).month
    tier.season_starts, tier.season_ends = (f"{(month + by - 1) % 12 + 1:02}-01" for by in (-1, 3))
    tier.save()


def let_the_new_pool_in(calendar: Calendar) -> None:
    """What ended the turning away that the counts of those days tell of."""
    pool = Network.objects.create(slug="merehaven-vpn", name="Merehaven VPN pool", prefixes=["203.0.113.0/25"])
    tier = Tier.objects.get(policy__slug="merehaven-coins", slug="full")
    Condition.objects.create(tier=tier, kind=Condition.Kind.NETWORK, network=pool)


def lend_an_opening_for_a_week(calendar: Calendar) -> None:
    grant = Grant.objects.create(
        user=person("researcher"),
        resource=Resource.objects.get(url="/iiif/image/3/register-2"),
        starts=calendar.midnight(-33),
        ends=calendar.midnight(-26),
        reason="A week in October for chapter three; identity card seen.",
        granted_by=person("desk"),
    )
    Grant.objects.filter(pk=grant.pk).update(created=calendar.midnight(-33) + timedelta(hours=10))


def lend_a_leaf_until_tonight(calendar: Calendar) -> None:
    Grant.objects.create(
        user=person("student"),
        resource=Resource.objects.get(url="/iiif/image/3/album-1"),
        ends=calendar.midnight(1),
        reason="For the seminar this afternoon, by word of mouth from the family.",
        granted_by=person("curator"),
    )


Told = tuple[int, str, str, Callable[[Calendar], None]]
DEEDS: tuple[Told, ...] = (
    (58, "rights", "Review of the infirmary registers by the data-protection officer.", close_the_last_opening),
    (38, "rights", "Two photographs hang in the exhibition; the donor agrees.", show_two_at_the_exhibition),
    (33, "desk", "A week in October for chapter three; identity card seen.", lend_an_opening_for_a_week),
    (29, "rights", "The exhibition is over.", end_the_exhibition),
    (20, "rights", "Letter from the family: it may be opened at New Year.", open_the_diary_at_new_year),
    (12, "curator", "The singers' letter about this year's season.", move_the_season),
    (8, "systems", "New pool of the VPN, ticket 4711: people at home were turned away.", let_the_new_pool_in),
    (0, "curator", "For the seminar this afternoon, by word of mouth from the family.", lend_a_leaf_until_tonight),
)
"""How many days ago, by whom, why, and what."""


# -- What waits ---------------------------------------------------------------------------------------------------


def wait(calendar: Calendar) -> None:
    """One request for the minute book, which somebody is to answer."""
    row = Resource.objects.get(url="/iiif/image/3/minutes-2")
    asked = calendar.midnight(-1) + timedelta(hours=15)
    request = AccessRequest.objects.create(
        code=new_code(),
        url=row.url,
        resource=row,
        user=person("researcher"),
        name="R. Esher",
        email="researcher@merehaven.example",
        purpose="For an article about the building of the east quay I should like to read the minutes of 1886.",
        wished_until=timezone.localdate(calendar.now) + timedelta(days=30),
        language="en",
        state=AccessRequest.State.NEW,
        digest=identify.digest(identify.new_secret()),
        created=asked,
        confirmed=asked + timedelta(minutes=4),
    )
    RequestMessage.objects.create(
        request=request,
        by=person("curator"),
        internal=True,
        text="The chairman has no objection; the page about the pilot's dismissal is not among those asked for.",
        at=calendar.midnight(0) + timedelta(hours=9),
    )


def stress(rows: int) -> int:
    """Fill a collection up to so many rows without pictures, for trying out what is done to many; how many were added."""
    shelf, _made = Collection.objects.get_or_create(
        slug="merehaven-stress",
        defaults={
            "label": in_all(_("Stress set, without pictures")),
            "policy": AccessPolicy.objects.get(slug="merehaven-open"),
            "parent": Collection.objects.get(slug="merehaven"),
        },
    )
    own = [AccessPolicy.objects.get(slug=slug) for slug in MIXED]
    there = Resource.objects.filter(collection=shelf).count()
    added = [
        Resource(
            url=f"/iiif/image/3/stress-{number:06}",
            label=in_all(format_lazy(_("Stress sheet {number}"), number=f"{number:06}")),
            type="Image",
            image_api=3,
            collection=shelf,
            policy=own[number % 10] if number % 10 < len(own) else None,
        )
        for number in range(there + 1, rows + 1)
    ]
    return len(Resource.objects.bulk_create(added, batch_size=1000))


MIXED = ("merehaven-readers", "merehaven-readers", "merehaven-preview", "merehaven-preview", "merehaven-staff")
"""The own policies of five rows in ten; the others have none."""
