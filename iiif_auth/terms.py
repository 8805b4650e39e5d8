"""Terms in versions: which one is in force at a moment, and who agreed to which.

A service without a published version asks with its own note, and agreements to it are of version 0. From the moment a
version is in force only agreements to that very version count; :mod:`iiif_auth.store.passes` judges that at every use.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from iiif_auth.history.author import truncated
from iiif_auth.models import Acceptance, Pass, Terms
from iiif_auth.policy.types import Address


def in_force(service: str, at: datetime) -> Terms | None:
    """The version that a service (by its slug) asks for; ``None`` while none is published."""
    published = Terms.objects.filter(service__slug=service, from_day__lte=at).select_related("service")
    return published.order_by("-from_day", "-number").first()


def note_acceptance(
    holder: Pass, service: int, version: int, origin: str, address: Address | None, language: str, at: datetime
) -> Acceptance:
    """Write down that the holder of a pass agreed; this stays when the pass has ended."""
    return Acceptance.objects.create(
        service_id=service,
        version=version,
        user=holder.user,
        user_name=holder.user.get_username()[:254] if holder.user else "",
        pass_number=holder.pk,
        origin=origin[:300],
        network=truncated(str(address or "")),
        language=language[:35],
        at=at,
    )


def due(now: datetime) -> str:
    """Take the names of people whose accounts are gone out of the acceptance log; version and moment stay."""
    count = nameless().update(user_name="")
    return _("Terms: the names of %(count)d acceptances were removed, since their accounts are gone.") % {
        "count": count
    }


def would(now: datetime) -> str:
    return _("Terms: %(count)d acceptances name people whose accounts are gone.") % {"count": nameless().count()}


def nameless() -> QuerySet[Acceptance]:
    return Acceptance.objects.filter(Q(user=None) & ~Q(user_name=""))
