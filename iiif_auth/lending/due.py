"""What is done about loans without anybody coming to the counter: who is next is called, and what is long over is forgotten.

``iiif_auth_daily`` does it once a day, ``iiif_auth_lending`` as often as one likes. That a loan is over does not depend on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import ngettext

from iiif_auth.lending import counter
from iiif_auth.models import LentWork, Loan, Waiting

KEPT_FOR = timedelta(days=90)
"""How long it is known who had a copy. Then the person goes, and the loan stays as a number."""


def call_next(now: datetime) -> int:
    """Look after every work for which somebody waits; how many works."""
    works = LentWork.objects.filter(pk__in=Waiting.objects.filter(ended=None).order_by().values("work")).order_by("pk")
    for work in works:
        counter.tidy(work)
    return len(works)


def remembered(now: datetime) -> QuerySet[Loan]:
    """Loans long over that still name their reader."""
    return Loan.objects.filter(due__lte=now - KEPT_FOR).exclude(user=None)


def due(now: datetime) -> str:
    """Call who is next, and forget who had copies long ago."""
    works = call_next(now)
    forgotten = remembered(now).update(user=None)
    forgotten += Waiting.objects.filter(ended__lte=now - KEPT_FOR).delete()[0]
    said = (
        ngettext("Looked after the waiting list of %d work", "Looked after the waiting lists of %d works", works)
        % works
    )
    gone = ngettext("%d reader of long ago forgotten", "%d readers of long ago forgotten", forgotten) % forgotten
    return f"{said}; {gone}."
