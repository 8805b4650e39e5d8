"""Finding the many that are to be changed: filters of the list of resources."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles
from iiif_auth.bulk.deeds import not_over, running
from iiif_auth.models import Change, Embargo, Grant, Withdrawal

MOST_PEOPLE = 50


class Filter(admin.SimpleListFilter):
    """A filter with a table of what each answer finds."""

    def wanted(self, value: str, at: datetime) -> Q | Exists | None:
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = self.wanted(self.value() or "", timezone.now())
        return queryset if found is None else queryset.filter(found)


def own(model: Any, *conditions: Q) -> Exists:
    return Exists(model.objects.filter(*conditions, resource=OuterRef("pk")).order_by())


class PolicyFilter(Filter):
    title = _("own policy, or none")
    parameter_name = "governed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("own", _("By a policy of its own")),
            ("above", _("By its collection only")),
            ("not", _("By no policy at all")),
        ]

    def wanted(self, value: str, at: datetime) -> Q | None:
        above = Q(collection__policy__isnull=False)
        for depth in range(1, 6):
            above |= Q(**{"collection__" + "parent__" * depth + "policy__isnull": False})
        wanted: dict[str, Q] = {
            "own": Q(policy__isnull=False),
            "above": Q(policy=None) & above,
            "not": Q(policy=None) & ~above,
        }
        return wanted.get(value)


class OverlaidFilter(Filter):
    title = _("laid over it")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("withdrawn", _("Withdrawn")),
            ("closed", _("Closed by an embargo")),
            ("limited", _("Smaller versions only, by an embargo")),
            ("granted", _("Opened to some by grants")),
            ("nothing", _("Nothing: the policies alone count")),
        ]

    def wanted(self, value: str, at: datetime) -> Q | Exists | None:
        now = running(at)
        withdrawn, granted = own(Withdrawal, now), own(Grant, now)
        closed, limited = own(Embargo, now, Q(closes="all")), own(Embargo, now, Q(closes="full"))
        wanted: dict[str, Q | Exists] = {
            "withdrawn": withdrawn,
            "closed": closed,
            "limited": Q(limited) & ~Q(closed),
            "granted": granted,
            "nothing": ~Q(withdrawn) & ~Q(closed) & ~Q(limited) & ~Q(granted),
        }
        return wanted.get(value)


class SoonFilter(Filter):
    """What changes by itself soon: an embargo that opens, or a grant that ends."""

    title = _("opens or ends within")
    parameter_name = "soon"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("opens-7", _("Opens within 7 days")),
            ("opens-30", _("Opens within 30 days")),
            ("opens-365", _("Opens within a year")),
            ("ends-1", _("A grant ends today")),
            ("ends-7", _("A grant ends within 7 days")),
            ("ends-30", _("A grant ends within 30 days")),
            ("opened-30", _("Opened in the last 30 days")),
        ]

    def wanted(self, value: str, at: datetime) -> Exists | None:
        if value not in {key for key, _name in self.lookup_choices}:
            return None
        verb, _dash, days = value.partition("-")
        if verb == "opened":
            return own(Embargo, Q(ends__gt=at - timedelta(days=int(days)), ends__lte=at))
        until = start_of(timezone.localdate(at) + timedelta(days=int(days)))
        return own(Embargo if verb == "opens" else Grant, not_over(at), Q(ends__lte=until))


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


class ChangedByFilter(Filter):
    title = _("last changed by")
    parameter_name = "changed_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """People of the staff who changed something; one who looks up others' work must be allowed to."""
        if not request.user.has_perm("iiif_auth.view_change"):
            return []
        changes = roles.visible(request.user, Change.objects.filter(actor=OuterRef("pk"))).order_by()
        people = get_user_model()._default_manager.filter(Exists(changes)).order_by(get_user_model().USERNAME_FIELD)
        return [(str(person.pk), person.get_username()) for person in people[:MOST_PEOPLE]]

    def wanted(self, value: str, at: datetime) -> Q | None:
        if value not in {key for key, _name in self.lookup_choices}:
            return None
        changes = Change.objects.filter(model="resource", row=OuterRef("pk"))
        later = Change.objects.filter(model="resource", row=OuterRef("row"), pk__gt=OuterRef("pk")).order_by()
        return Q(Exists(changes.filter(~Exists(later), Q(actor=value)).order_by()))


FILTERS = (PolicyFilter, OverlaidFilter, SoonFilter, ChangedByFilter)
