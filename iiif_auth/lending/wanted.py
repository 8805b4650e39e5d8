"""Which copy would let somebody in: found by trying, with the rules as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from iiif_auth import store
from iiif_auth.models import LentWork
from iiif_auth.policy.decide import is_allowed
from iiif_auth.policy.types import Offer, Seat, Subject
from iiif_auth.protocol import identity


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy: by which rule, of which work, and of which place (its slug, or ``""``)."""

    rule: str
    work: str
    place: str

    @property
    def loan(self) -> tuple[str, str, str]:
        """As a subject has it."""
        return self.rule, self.work, self.place

    @property
    def digest(self) -> str:
        """By which the row of the work at this place is found."""
        return identity.digest("\n".join(self.loan))

    def row(self) -> LentWork | None:
        """The row, if something of it was ever lent."""
        return LentWork.objects.filter(digest=self.digest).first()


def held(offer: Offer, subject: Subject) -> Wanted | None:
    """The copy somebody holds that is of this offer."""
    return next((one for one in _copies(offer, subject) if one.loan in subject.loans), None)


def wanted(offer: Offer, subject: Subject, at: datetime) -> Wanted | None:
    """The copy whose loan alone would let somebody in, where they are now; ``None`` if none would, or they are in already."""
    if is_allowed(offer, subject, at):
        return None
    return next((one for one in _copies(offer, subject) if is_allowed(offer, with_loan(subject, one), at)), None)


def with_loan(subject: Subject, one: Wanted) -> Subject:
    return replace(subject, loans=subject.loans | {one.loan})


def _copies(offer: Offer, subject: Subject) -> Iterator[Wanted]:
    for seat in store.seats_of(offer):
        for place in places(seat, subject):
            if not any(character.isspace() for character in seat.work):
                yield Wanted(seat.rule, seat.work, place)


def places(seat: Seat, subject: Subject) -> Iterator[str]:
    """Whose copies somebody can have where they are: those of the place they are at; elsewhere those of no place."""
    here = [slug for slug, _network in seat.places if seat.is_at(slug, subject)]
    yield from here
    if not here and seat.elsewhere:
        yield ""
