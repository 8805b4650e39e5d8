"""Embargoes: until a day of the site, and then another policy; and those that are over while something else goes on closing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import store
from iiif_auth.admin import spoken, states
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.conf import conf
from iiif_auth.models import Embargo, Resource, Withdrawal
from iiif_auth.policy import words


class FromMidnight(forms.SplitDateTimeField):
    """A moment for which a day is enough: then it begins with that day."""

    widget = AdminSplitDateTime

    def clean(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2 and value[0] and not value[1]:
            value = [value[0], "00:00"]
        return super().clean(value)


class EmbargoForm(PlainForm):
    """Says beside the field where days begin."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "ends" in self.fields:
            self.fields["ends"].help_text = gettext(
                "A day is enough: “until 1 May” is written as 1 May and opens at 00:00 on 1 May, in the time zone %(zone)s. "
                "Empty: until you say."
            ) % {"zone": conf.TIME_ZONE}

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("then_policy") and not found.get("ends") and "ends" not in self.errors:
            self.add_error("ends", _("Please say from when on the other policy governs."))
        return found


def with_then(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Resources with what an embargo of their own brings: the policy that governs by one that is over, and the next to come."""
    now = timezone.now()
    bringing = Embargo.objects.filter(resource=OuterRef("pk"), then_policy__isnull=False)
    over = bringing.filter(ends__lte=now).order_by("-ends", "pk").values("then_policy")[:1]
    coming = bringing.filter(ends__gt=now).order_by("ends", "pk")
    found: QuerySet[Any] = rows.annotate(
        governs=Subquery(over),
        comes=Subquery(coming.values("then_policy")[:1]),
        comes_on=Subquery(coming.values("ends")[:1]),
    )
    return found


def own_policy(row: Any) -> int:
    """The policy that governs a resource itself: its own, or the one that an embargo brought; 0 for none."""
    return getattr(row, "governs", None) or row.policy_id or 0


def coming_in_words(row: Any, book: store.Rulebook) -> str:
    """What will govern a resource by an embargo of its own; ``""`` if nothing else will."""
    policy = book.policies.get(getattr(row, "comes", None) or 0)
    if policy is None:
        return ""
    return then_in_words(row.comes_on, policy)


def then_in_words(at: Any, policy: Any) -> str:
    said = words.policy_sentence(policy, gettext, spoken.reader())
    when = words.instant(at, gettext, spoken.reader())
    name = words.policy_name(policy)
    return gettext("From %(when)s on “%(policy)s” governs: %(said)s") % {"when": when, "policy": name, "said": said}


def what_comes_then(row: Embargo | None) -> str:
    """What an embargo says, for its own page."""
    if row is None or row.then_policy_id is None or row.ends is None:
        return "-"
    policy = store.rulebook().policies.get(row.then_policy_id)
    return "-" if policy is None else then_in_words(row.ends, policy)


# -- Over, and still closed ---------------------------------------------------------------------------------------


class StillClosed(admin.SimpleListFilter):
    """Embargoes that are over while another layer closes the same thing: withdrawn, another embargo, or no policy at all.

    What closes a collection closes what is in it by its row; what is in it by an address rule alone is not looked at here.
    """

    title = _("past but not open")
    parameter_name = "past"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("closed", _("Over, but something else closes it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return still_closed(queryset) if self.value() == "closed" else queryset


def still_closed(rows: QuerySet[Embargo]) -> QuerySet[Embargo]:
    now = timezone.now()
    places = store.rulebook().places
    closed = [key for key, place in places.items() if any(True for _one in closers(place, now))]
    bare = [key for key, place in places.items() if not any(level.governed(now).policy for level in place.levels)]
    running = states.conditions(now)["running"]
    return rows.filter(ends__lte=now).filter(
        _running(Withdrawal, running)
        | _running(Embargo, running)
        | Q(collection__in=[*closed])
        | Q(resource__collection__in=closed)
        | (Q(resource__collection__in=bare, resource__policy=None) & _without_then(now))
        | Q(pk__in=_without_any(now))
    )


def closers(place: store.Place, now: Any) -> Iterator[Any]:
    for level in place.levels:
        yield from (one for one in level.withdrawals if one.window.covers(now))
        yield from (one for one in level.embargoes if one.window.covers(now))


def _running(model: type[Model], running: Q) -> Q:
    here: Any = model._default_manager
    return Q(Exists(here.filter(running, resource=OuterRef("resource")))) | Q(
        Exists(here.filter(running, collection=OuterRef("collection")))
    )


def _without_then(now: Any) -> Q:
    brought = Embargo.objects.filter(resource=OuterRef("resource"), then_policy__isnull=False, ends__lte=now)
    return ~Q(Exists(brought))


def _without_any(now: Any) -> Any:
    """Of resources in no collection and without a policy. Whether an address rule takes them in is asked of each of these few."""
    book = store.rulebook()
    rows = Resource.objects.filter(collection=None, policy=None, embargoes__ends__lte=now)
    rows = rows.exclude(embargoes__then_policy__isnull=False, embargoes__ends__lte=now).distinct()
    alone = [pk for pk, url in rows.values_list("pk", "url")[:1000] if book.collection_of(url) is None]
    return Embargo.objects.filter(resource__in=alone).values("pk")
