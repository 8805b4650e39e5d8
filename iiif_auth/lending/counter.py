"""The counter over which copies go: one person at a time for each work, so that no more are out than there are.

Every deed here takes hold of the row of the work first, by writing to it: on PostgreSQL others wait at that row, on SQLite at the
database. What counts is how many loans have no end written down. A loan that is over by the clock or because its pass is
gone is given its end before its copy goes to somebody else, so that nothing brings it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from iiif_auth import store
from iiif_auth.lending import line
from iiif_auth.lending.wanted import Wanted
from iiif_auth.models import Collection, LentWork, Loan, Network, Seats, Waiting


class NotLent(Exception):
    """There is no copy to be had; ``until`` is when the first that is out is due, if all are out and that is known."""

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__("No copy is free.")
        self.until = until


@dataclass(frozen=True, slots=True)
class Reader:
    """Who stands at the counter: a pass, the person if somebody is signed in, and the digest of the secret in a mailed link."""

    holder: int | None
    ends: datetime
    user: Any = None
    secret: str = ""

    def loans(self, rows: QuerySet[Loan]) -> QuerySet[Loan]:
        """Of some loans, those of this reader, on whatever device: one reader has one copy of a work."""
        whose = Q(holder=self.holder) if self.holder is not None else Q(pk__in=())
        return rows.filter(whose | Q(user=self.user) if self.user else whose)

    def waits(self, rows: QuerySet[Waiting]) -> QuerySet[Waiting]:
        whose = Q(holder=self.holder) if self.holder is not None else Q(pk__in=())
        whose |= Q(user=self.user) if self.user else Q(pk__in=())
        return rows.filter(whose | Q(digest=self.secret) if self.secret else whose)


# -- Works --------------------------------------------------------------------------------------------------------


def work_of(one: Wanted, name: str = "", reference: str = "", collection: str = "") -> LentWork:
    """The row of a work, made if nothing of it was lent before. What it is called and where it is now is written down.

    Raises:
        NotLent: the rule or the place is gone.
    """
    rule = Seats.objects.filter(slug=one.rule).first()
    network = Network.objects.filter(slug=one.place).first() if one.place else None
    if rule is None or (one.place and network is None):
        raise NotLent
    where = Collection.objects.filter(slug=collection).first() if collection else None
    facts = {"seats": rule, "network": network, "work": one.work}
    named = {"name": name[:300], "reference": reference, "collection": where}
    row, made = LentWork.objects.get_or_create(digest=one.digest, defaults={**facts, **named})
    if not made and (row.name, row.reference, row.collection) != (name[:300], reference, where):
        LentWork.objects.filter(pk=row.pk).update(**named)
    return row


@contextmanager
def in_hand(work: LentWork) -> Iterator[datetime]:
    """Take hold of a work until the block ends; the moment at which that was done."""
    with transaction.atomic():
        LentWork.objects.filter(pk=work.pk).update(turn=F("turn") + 1)
        yield timezone.now()


def copies_of(work: LentWork) -> int:
    """How many copies there are, as the rule says now."""
    if work.network_id is None:
        return int(Seats.objects.values_list("copies", flat=True).get(pk=work.seats_id))
    found = work.seats.places.filter(network=work.network_id).values_list("copies", flat=True).first()
    return found or 0


def out(work: LentWork) -> QuerySet[Loan]:
    """The loans of a work that have no end written down."""
    return Loan.objects.filter(work=work, ended=None)


def live(now: datetime) -> Q:
    """Loans that count at a moment, as far as a database can tell: not ended, not due, and their pass is there."""
    return Q(ended=None, due__gt=now, holder__idle_until__gt=now, holder__ends__gt=now)


# -- Deeds --------------------------------------------------------------------------------------------------------


def borrow(work: LentWork, reader: Reader) -> Loan:
    """Lend a copy to whoever asks. Whoever holds one already keeps it, on the device where they ask.

    Raises:
        NotLent: all are out, or kept for those who wait.
    """
    if reader.holder is None:
        raise NotLent
    with in_hand(work) as now:
        _end_those_due(work, now)
        mine = reader.loans(out(work)).first()
        if mine is not None:
            return _at_hand(mine, reader, now)
        turn = line.turn_of(reader.waits(line.standing(work)))
        found = _lent(work, reader, turn, now)
    if found is None:
        raise NotLent(_first_due(work))
    return found


def _lent(work: LentWork, reader: Reader, turn: Waiting | None, now: datetime) -> Loan | None:
    free = _free(work, now)
    line.call(work, free, now)
    if turn is not None:
        turn.refresh_from_db()
    kept_for_others = line.called(work, now).exclude(pk=turn.pk if turn else 0).count()
    if free - kept_for_others <= 0:
        return None
    due = min(now + timedelta(minutes=work.seats.minutes), reader.ends)
    if due <= now:
        return None
    if turn is not None:
        line.ends(turn, Waiting.How.BORROWED, now)
    return Loan.objects.create(work=work, holder_id=reader.holder, user=reader.user, since=now, due=due)


def _at_hand(loan: Loan, reader: Reader, now: datetime) -> Loan:
    loan.holder_id, loan.user = reader.holder, reader.user or loan.user
    loan.due = max(min(loan.due, reader.ends), now + timedelta(seconds=1))
    loan.save(update_fields=["holder", "user", "due"])
    return loan


def give_back(work: LentWork, reader: Reader) -> bool:
    """End the reader's own loan; whether there was one. The next in line is called."""
    with in_hand(work) as now:
        _end_those_due(work, now)
        ended = reader.loans(out(work)).update(ended=now, how=Loan.How.RETURNED)
        line.call(work, _free(work, now), now)
    return bool(ended)


def renew(work: LentWork, reader: Reader) -> Loan | None:
    """Lend on, if the rule has it so and nobody waits; ``None`` if not."""
    with in_hand(work) as now:
        _end_those_due(work, now)
        loan = reader.loans(out(work)).first()
        if loan is None or not work.seats.renews or line.standing(work).exists():
            return None
        loan.due = max(loan.due, min(now + timedelta(minutes=work.seats.minutes), reader.ends))
        loan.save(update_fields=["due"])
    return loan


def release(loan: Loan, by: Any, reason: str) -> bool:
    """End a loan at the desk; whether it was not over already. The next in line is called."""
    with in_hand(loan.work) as now:
        _end_those_due(loan.work, now)
        values = {"ended": now, "how": Loan.How.RELEASED, "by": by, "reason": reason[:500]}
        ended = Loan.objects.filter(pk=loan.pk, ended=None).update(**values)
        line.call(loan.work, _free(loan.work, now), now)
    return bool(ended)


def wait(work: LentWork, reader: Reader, email: str = "", language: str = "") -> Waiting | None:
    """Stand in line for a copy; ``None`` where there is no waiting list. Whoever stands there already keeps the place."""
    with in_hand(work) as now:
        if not work.seats.queue or (reader.holder is None and not email):
            return None
        _end_those_due(work, now)
        found = line.turn_of(reader.waits(line.standing(work))) or line.with_address(work, email)
        found = found or line.stand(work, reader.holder, reader.user, email, language, now)
        line.call(work, _free(work, now), now)
    return found


def give_up(work: LentWork, reader: Reader) -> bool:
    """Leave the line; whether somebody stood there."""
    with in_hand(work) as now:
        turn = line.turn_of(reader.waits(line.standing(work)))
        if turn is not None:
            line.ends(turn, Waiting.How.GAVE_UP, now)
        _end_those_due(work, now)
        line.call(work, _free(work, now), now)
    return turn is not None


def tidy(work: LentWork) -> None:
    """Write down what is over, and call who is next."""
    with in_hand(work) as now:
        _end_those_due(work, now)
        _end_those_left(work, now)
        line.call(work, _free(work, now), now)


# -- What is over -------------------------------------------------------------------------------------------------


def _end_those_due(work: LentWork, now: datetime) -> None:
    out(work).filter(due__lte=now).update(ended=F("due"), how=Loan.How.DUE)


def _free(work: LentWork, now: datetime) -> int:
    """How many copies are at the counter. Only if none is, it is looked whether all who have one are still there."""
    copies = copies_of(work)
    if out(work).count() >= copies:
        _end_those_left(work, now)
    return max(copies - out(work).count(), 0)


def _end_those_left(work: LentWork, now: datetime) -> None:
    """End the loans whose pass is gone, or is over, or is not sound any more."""
    for loan in out(work):
        if not is_there(loan.holder_id, now):
            Loan.objects.filter(pk=loan.pk, ended=None).update(ended=now, how=Loan.How.LEFT)


def is_there(holder: int | None, now: datetime) -> bool:
    """Whether a pass lets somebody in."""
    facts = store.presented_ticket(holder).holder if holder is not None else None
    return facts is not None and facts.sound and not facts.expired(now)


def _first_due(work: LentWork) -> datetime | None:
    return out(work).order_by("due").values_list("due", flat=True).first()
