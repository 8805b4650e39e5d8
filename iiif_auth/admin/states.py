"""Running, coming or over: how rows with a beginning and an end are filtered and described."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


def conditions(at: datetime) -> dict[str, Q]:
    """By state, which rows are in it; each row is in exactly one."""
    over, coming = Q(ends__lte=at), Q(starts__gt=at)
    # Spelled out, because "not" on a column that may be empty is a trap in SQL.
    begun, lasting = Q(starts=None) | Q(starts__lte=at), Q(ends=None) | Q(ends__gt=at)
    return {"running": begun & lasting, "coming": coming, "over": over}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("running", _("Running")), ("coming", _("Coming")), ("over", _("Over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = conditions(timezone.now()).get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


def day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def state(row: Any) -> str:
    """The state of a row in words, with the moment it changes."""
    now = timezone.now()
    if row.ends is not None and row.ends <= now:
        return gettext("over since %(day)s") % {"day": day(row.ends)}
    if row.starts is not None and row.starts > now:
        return gettext("coming on %(day)s") % {"day": day(row.starts)}
    if row.ends is not None:
        return gettext("running until %(day)s") % {"day": day(row.ends)}
    return gettext("running, without an end")
