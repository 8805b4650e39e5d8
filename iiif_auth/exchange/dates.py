"""Days and moments as people write them. What can be read in two ways is asked, once for a whole file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS
from django.utils.translation import gettext, override

from iiif_auth.conf import conf
from iiif_auth.exchange.cells import Wrong

ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
NAMED = re.compile(r"(\d{1,2})\.? (\w+),? (\d{4})")
SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d+)?")
YEARS = range(1900, 9000)
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's own day 0, with its leap day of 1900 that never was
ENDLESS = ("indefinitely", "for ever", "forever")


@dataclass(frozen=True, slots=True)
class Style:
    """How the dates of one file are written.

    Args:
        order: ``"dmy"`` or ``"mdy"`` for 01/05/2031; ``""`` if nobody has said so.
        serials: whether 47968 is a day as Excel counts them.
    """

    order: str = ""
    serials: bool = False


Reader = Callable[[re.Match[str], Style], tuple[datetime, bool]]


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be asked about the dates of a file: an example that can be read in two ways, and a number."""

    ambiguous: str = ""
    serial: str = ""

    def __bool__(self) -> bool:
        return bool(self.ambiguous or self.serial)


def question(texts: Iterable[str]) -> tuple[Style, Question]:
    """What the dates of a file tell by themselves, and what must be asked."""
    slashed, serial = [], ""
    for text in texts:
        if found := SLASHED.fullmatch(text):
            slashed.append((text, int(found[1]), int(found[2])))
        elif SERIAL.fullmatch(text):
            serial = serial or text
    orders = {order for _text, one, two in slashed if (order := _order(one, two))}
    if len(orders) == 1:
        return Style(orders.pop()), Question(serial=serial)
    open_one = next((text for text, one, two in slashed if one != two and not _order(one, two)), "")
    return Style(), Question(open_one, serial)


def _order(one: int, two: int) -> str:
    """What a date tells of itself: there is no thirteenth month."""
    if one > 12 >= two:
        return "dmy"
    return "mdy" if two > 12 >= one else ""


def is_endless(text: str) -> bool:
    return text.casefold() in (*ENDLESS, gettext("indefinitely").casefold())


def opening(text: str, style: Style) -> datetime:
    """The moment something opens: a day means its first moment here.

    Raises:
        Wrong: with a sentence.
    """
    return _read(text, style)[0]


def closing(text: str, style: Style) -> datetime:
    """The moment something is over: a day is still part of it.

    Raises:
        Wrong: with a sentence.
    """
    at, is_day = _read(text, style)
    if not is_day:
        return at
    next_day = at.astimezone(_zone()).replace(tzinfo=None) + timedelta(days=1)
    return next_day.replace(tzinfo=_zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(conf.TIME_ZONE)


def _read(text: str, style: Style) -> tuple[datetime, bool]:
    for pattern, reader in ((ISO, _iso), (DOTTED, _dotted), (SLASHED, _slashed), (NAMED, _named), (SERIAL, _serial)):
        found = pattern.fullmatch(text)
        if found is not None:
            return _sound(text, reader, found, style)
    raise Wrong(_unreadable(text))


def _sound(text: str, reader: Reader, found: re.Match[str], style: Style) -> tuple[datetime, bool]:
    try:
        at, is_day = reader(found, style)
        if at.year not in YEARS:
            raise ValueError
        return (at if at.tzinfo else at.replace(tzinfo=_zone())), is_day
    except Wrong:
        raise
    except (ValueError, OverflowError) as error:
        raise Wrong(_unreadable(text)) from error


def _unreadable(text: str) -> str:
    return gettext("“%(text)s” is not a date; write it as 2031-05-01.") % {"text": text[:40]}


def _iso(found: re.Match[str], style: Style) -> tuple[datetime, bool]:
    day = datetime(int(found[1]), int(found[2]), int(found[3]))  # noqa: DTZ001 - the zone comes with the offset
    if found[4] is None:
        return day, True
    at = datetime.combine(day, time(int(found[4]), int(found[5])))
    offset = (found[6] or "").replace("Z", "+00:00")
    return (datetime.fromisoformat(f"{at.isoformat()}{offset}") if offset else at), False


def _dotted(found: re.Match[str], style: Style) -> tuple[datetime, bool]:
    return datetime(int(found[3]), int(found[2]), int(found[1])), True  # noqa: DTZ001


def _slashed(found: re.Match[str], style: Style) -> tuple[datetime, bool]:
    one, two = int(found[1]), int(found[2])
    order = _order(one, two) or style.order
    if not order and one != two:
        raise Wrong(gettext("“%(text)s” can be read in two ways; write it as 2031-05-01.") % {"text": found[0]})
    day, month = (two, one) if order == "mdy" else (one, two)
    return datetime(int(found[3]), month, day), True  # noqa: DTZ001


def _named(found: re.Match[str], style: Style) -> tuple[datetime, bool]:
    month = _months().get(found[2].casefold())
    if month is None:
        raise ValueError
    return datetime(int(found[3]), month, int(found[1])), True  # noqa: DTZ001


def _months() -> dict[str, int]:
    """The names of the months in the reader's language and in English."""
    found = {str(name).casefold(): number for number, name in MONTHS.items()}
    with override("en"):
        return {str(name).casefold(): number for number, name in MONTHS.items()} | found


def _serial(found: re.Match[str], style: Style) -> tuple[datetime, bool]:
    if not style.serials:
        raise Wrong(gettext("“%(text)s” is a number, not a date; write it as 2031-05-01.") % {"text": found[0]})
    days = float(found[0])
    at = EPOCH + timedelta(minutes=round(days * 24 * 60))
    return at, days.is_integer()


def example_of_serial(text: str) -> datetime:
    """The day that a number means to Excel."""
    return EPOCH + timedelta(days=int(float(text)))


def written(at: datetime | None) -> str:
    """A moment of opening, so that :func:`opening` reads the same: its day where it is midnight here."""
    if at is None:
        return ENDLESS[0]
    here = at.astimezone(_zone())
    midnight = (here.hour, here.minute, here.second) == (0, 0, 0)
    return here.strftime("%Y-%m-%d") if midnight else here.strftime("%Y-%m-%d %H:%M%z")


def written_last_day(at: datetime | None) -> str:
    """A moment of ending, so that :func:`closing` reads the same: the last day, where it ends with one."""
    if at is None:
        return ENDLESS[0]
    here = at.astimezone(_zone())
    if (here.hour, here.minute, here.second) != (0, 0, 0):
        return written(at)
    return (here.replace(tzinfo=None) - timedelta(days=1)).strftime("%Y-%m-%d")
