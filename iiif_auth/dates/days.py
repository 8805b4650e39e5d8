"""Days of the site: where they begin, and the ends that people choose for a grant by name.

A grant is good until an instant, and “until Friday” means that Friday is still in: it ends where Saturday begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from iiif_auth.conf import conf
from iiif_auth.policy.types import zone

FRIDAY = 4


class Until(TextChoices):
    """How the end of a grant is chosen."""

    TODAY = "today", _("End of today")
    FRIDAY = "friday", _("End of Friday")
    WEEK = "week", _("7 days")
    MONTH = "month", _("30 days")
    TERM = "term", _("End of term")
    DAY = "day", _("A day of my choice")


def begins(day: date, name: str = "") -> datetime:
    """The first instant of a day in a time zone (by default the site's), in UTC; some days have no midnight."""
    return datetime.combine(day, time.min, tzinfo=zone(name or conf.TIME_ZONE)).astimezone(UTC)


def ends(day: date, name: str = "") -> datetime:
    """The instant at which a day is over."""
    return begins(day + timedelta(days=1), name)


def today(now: datetime, name: str = "") -> date:
    """The day that it is at an instant."""
    return now.astimezone(zone(name or conf.TIME_ZONE)).date()


def last_day(until: str, now: datetime, terms: Sequence[str] = (), name: str = "") -> date | None:
    """The last day of a preset; ``None`` for a day of one's own choice, and for a term where there are none.

    Args:
        terms: the last days of terms as ``MM-DD``.
    """
    day = today(now, name)
    steps = {Until.TODAY: 0, Until.WEEK: 7, Until.MONTH: 30, Until.FRIDAY: (FRIDAY - day.weekday()) % 7}
    if until in steps:
        return day + timedelta(days=steps[Until(until)])
    return end_of_term(day, terms) if until == Until.TERM else None


def end_of_term(day: date, terms: Sequence[str]) -> date | None:
    """The first last day of a term that is not before a day; 29 February counts as the 28th in common years."""
    found = [in_year(year, text) for text in terms for year in (day.year, day.year + 1)]
    return min((one for one in found if one >= day), default=None)


def in_year(year: int, text: str) -> date:
    """A day of the year, ``MM-DD``, in a year.

    Raises:
        ValueError: there is no such day.
    """
    try:
        return date.fromisoformat(f"{year:04}-{text}")
    except ValueError:
        if text != "02-29":
            raise
        return date(year, 2, 28)
