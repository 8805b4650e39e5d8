"""Events as iCalendar (RFC 5545), for calendar programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from iiif_auth.dates.events import SOURCES, Event

FOLD = 75
"""The longest line in octets, without its end (RFC 5545, 3.1)."""
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def calendar(events: Iterable[Event], name: str, host: str, now: datetime) -> str:
    """A whole calendar, as text.

    Args:
        host: of this site; it makes the identifiers unique in the world.
        now: when it was made (aware).
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//iiif_auth//calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    lines += [text("X-WR-CALNAME", name), "REFRESH-INTERVAL;VALUE=DURATION:PT12H", "X-PUBLISHED-TTL:PT12H"]
    for event in events:
        lines += _event(event, host, now)
    lines.append("END:VCALENDAR")
    return "".join(folded(line) for line in lines)


def _event(event: Event, host: str, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{uid(event, host)}"
    yield f"DTSTAMP:{stamp(now)}"
    if event.all_day:
        yield f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{event.day + timedelta(days=1):%Y%m%d}"
    else:
        yield f"DTSTART:{stamp(event.at)}"  # without an end it takes no time, which is what it does
    yield text("SUMMARY", f"{event.kind.word}: {event.what}")
    yield text("DESCRIPTION", event.sentence)
    yield text("CATEGORIES", str(event.kind.word))
    yield "TRANSP:TRANSPARENT"
    yield "CLASS:PRIVATE"
    yield "END:VEVENT"


def uid(event: Event, host: str) -> str:
    """The same for one row and column for ever, so that a date that moves moves the event."""
    source = SOURCES[event.source]
    return f"{source.model._meta.model_name}-{event.row.pk}-{source.field}@{host}"


def stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def text(name: str, value: str) -> str:
    """A property with a text, escaped; control characters are not allowed in any (3.3.11)."""
    plain = "".join(one for one in value if one in "\n\t" or (one >= " " and one != "\x7f"))
    return f"{name}:{plain.translate(ESCAPED)}"


def folded(line: str) -> str:
    """A line of at most 75 octets at a time, never cut within a character, with its end."""
    parts, size, start = [], 0, 0
    for place, one in enumerate(line):
        width = len(one.encode("utf-8", "replace"))
        if size + width > FOLD:
            parts.append(line[start:place])
            start, size = place, 1  # the space that begins what is folded counts too
        size += width
    parts.append(line[start:])
    return "\r\n ".join(parts) + "\r\n"
