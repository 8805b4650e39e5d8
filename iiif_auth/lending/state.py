"""How it stands with a work at a moment: how many copies are out, until when, who waits. Nothing changes by looking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from iiif_auth.lending import counter, line
from iiif_auth.lending.counter import Reader
from iiif_auth.lending.wanted import Wanted
from iiif_auth.models import LentWork, Loan, Seats, Waiting


@dataclass(frozen=True, slots=True)
class State:
    """What one reader is told about a work.

    Attributes:
        until: when the first copy that is out is due, if all are out.
        can_borrow: whether a click would most likely get a copy; the counter has the last word.
        position: the reader's place in the line, 0 for none.
        due: when a copy that is borrowed now would be due.
    """

    copies: int
    out: int
    waiting: int = 0
    until: datetime | None = None
    loan: Loan | None = None
    turn: Waiting | None = None
    position: int = 0
    can_borrow: bool = False
    queue: bool = False
    renews: bool = False
    due: datetime | None = None
    is_elsewhere: bool = False
    """Whether the reader's loan is on another device."""


NOBODYS = Reader(None, datetime.max.replace(tzinfo=UTC))


def state_of(one: Wanted, reader: Reader, now: datetime) -> State:
    """How it stands with the work that somebody wants."""
    rule = Seats.objects.filter(slug=one.rule).first()
    if rule is None:
        return State(0, 0)
    due = min(now + timedelta(minutes=rule.minutes), reader.ends)
    work = one.row()
    if work is None:
        copies = _copies_unlent(rule, one.place)
        return State(copies, 0, can_borrow=copies > 0, queue=rule.queue, due=due)
    standing = line.standing(work)
    turn = line.turn_of(reader.waits(standing)) if reader is not NOBODYS else None
    position = line.position(turn) if turn else 0
    copies, out, waiting = counter.copies_of(work), _out(work, now), standing.count()
    ahead = position - 1 if turn else waiting
    kept = turn is not None and turn.kept_until is not None and turn.kept_until > now
    loan = reader.loans(counter.out(work).filter(due__gt=now)).first()
    dues = counter.out(work).filter(due__gt=now).order_by("due").values_list("due", flat=True)
    return State(
        copies=copies,
        out=out,
        waiting=waiting,
        until=dues.first() if out >= copies else None,
        loan=loan,
        turn=turn,
        position=position,
        can_borrow=copies > out and (kept or copies - out > ahead),
        queue=rule.queue,
        renews=rule.renews and not waiting,
        due=due,
        is_elsewhere=loan is not None and loan.holder_id != reader.holder,
    )


def _out(work: LentWork, now: datetime) -> int:
    return Loan.objects.filter(counter.live(now), work=work).count()


def _copies_unlent(rule: Seats, place: str) -> int:
    """How many copies there are of a work of which none was ever lent."""
    if not place:
        return rule.copies
    return rule.places.filter(network__slug=place).values_list("copies", flat=True).first() or 0
