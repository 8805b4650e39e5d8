"""One step: choose a policy for a whole collection, see what that means, save."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, placing, roles, store
from iiif_auth.admin import loosening, spoken
from iiif_auth.admin.bases import Admin
from iiif_auth.models import AccessPolicy, Collection, CollectionRule, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.decide import Case, in_utc
from iiif_auth.policy.explain import standing_in
from iiif_auth.policy.types import NOBODY, Level, Offer, Rendition, Subject

CHANGE = "iiif_auth.change_collection"


class RestrictForm(forms.Form):
    """The one choice there is to make, and why."""

    policy = forms.ModelChoiceField(
        AccessPolicy.objects.none(),
        label=_("Policy of everything in it"),
        required=False,
        empty_label=_("None: as the collection above says"),
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("For your colleagues; it is kept in the history."),
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )

    def __init__(self, *args: Any, user: Any, row: Collection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        chosen: Any = self.fields["policy"]
        chosen.queryset = roles.visible(user, AccessPolicy.objects.filter(is_template=False)).order_by("name")

    def clean_policy(self) -> AccessPolicy | None:
        chosen: AccessPolicy | None = self.cleaned_data["policy"]
        if chosen is None and self.row.overrides:
            raise forms.ValidationError(
                _("This collection replaces the policies above, so it needs one of its own. Choose a policy.")
            )
        return chosen


# -- What it covers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Covered:
    """What a collection and those within it take in, and what of that has rules of its own."""

    listed: int
    own: int
    replaced: int
    rules: int
    inner: int
    inner_replaced: int

    @property
    def sentences(self) -> list[str]:
        """All of it, in words; nothing that is not there."""
        return [sentence for sentence in (*self._what(), *self._but()) if sentence]

    def _what(self) -> tuple[str, str]:
        listed = ngettext("It covers %(n)d item.", "It covers %(n)d items.", self.listed) % {"n": self.listed}
        rules = ngettext(
            "It also covers whatever else fits its address rule, listed or not.",
            "It also covers whatever else fits its %(n)d address rules, listed or not.",
            self.rules,
        )
        return listed, rules % {"n": self.rules} if self.rules else ""

    def _but(self) -> tuple[str, str, str, str]:
        joined = self.own - self.replaced
        own = ngettext(
            "%(n)d of them has a policy of its own too: the stricter of the two counts.",
            "%(n)d of them have policies of their own too: the stricter of the two counts.",
            joined,
        )
        replaced = ngettext(
            "%(n)d of them replaces it with its own, and stays as it is.",
            "%(n)d of them replace it with their own, and stay as they are.",
            self.replaced,
        )
        inner = ngettext(
            "%(n)d collection within it has a policy of its own: the stricter of the two counts.",
            "%(n)d collections within it have policies of their own: the stricter of the two counts.",
            self.inner,
        )
        inner_replaced = ngettext(
            "%(n)d collection within it replaces it, and stays as it is.",
            "%(n)d collections within it replace it, and stay as they are.",
            self.inner_replaced,
        )
        return (
            own % {"n": joined} if joined else "",
            replaced % {"n": self.replaced} if self.replaced else "",
            inner % {"n": self.inner} if self.inner else "",
            inner_replaced % {"n": self.inner_replaced} if self.inner_replaced else "",
        )


def within(key: int) -> frozenset[int]:
    """A collection and all below it; one query for each storey."""
    seen, below = {key}, {key}
    while below:
        below = set(Collection.objects.filter(parent__in=below).order_by().values_list("pk", flat=True)) - seen
        seen |= below
    return frozenset(seen)


def resources_in(keys: frozenset[int]) -> QuerySet[Resource]:
    """The listed items of some collections, by their rows or by address rules."""
    return Resource.objects.order_by().filter(Q(collection__in=keys) | (Q(collection=None) & placing.by_rule(keys)))


def covered(row: Collection) -> Covered:
    keys = within(row.pk)
    counted = resources_in(keys).aggregate(
        listed=Count("pk"),
        own=Count("pk", filter=Q(policy__isnull=False)),
        replaced=Count("pk", filter=Q(overrides=True)),
    )
    inner = Collection.objects.filter(pk__in=keys - {row.pk}).aggregate(
        inner=Count("pk", filter=Q(policy__isnull=False, overrides=False)),
        inner_replaced=Count("pk", filter=Q(overrides=True)),
    )
    rules = CollectionRule.objects.filter(collection__in=keys).count()
    return Covered(**counted, rules=rules, **inner)


# -- Who gains and who loses --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What some people may do with an item of the collection that has no rules of its own, now and then."""

    who: str
    now: str
    then: str
    word: str
    sign: str


def changes(row: Collection, chosen: AccessPolicy | None, at: datetime) -> list[Change]:
    """For strangers, people signed in, and whoever the two policies name: what they have now, and what they would have."""
    book = store.rulebook()
    place = book.places.get(row.pk)
    levels = place.levels if place else (Level(row.slug),)
    value = book.policies.get(chosen.pk) if chosen else None
    grants = book.policy_grants.get(chosen.pk, ()) if chosen else ()
    after = (replace(levels[0], policy=value, policy_grants=grants), *levels[1:])
    audiences = people([level.policy for level in (*levels, after[0]) if level.policy])
    return [compared(name, subject, levels, after, at) for name, subject in audiences]


def people(policies: Iterable[policy.Policy]) -> list[tuple[str, Subject]]:
    """Who bears on these policies: each kind of person that they name, once."""
    found: dict[str, Subject] = {
        gettext("Anyone"): NOBODY,
        gettext("Anyone signed in"): Subject(user="0"),
    }
    for held in policies:
        for tier in held.tiers:
            for leaf in policy.principals(tier.audience):
                if (subject := somebody(leaf)) is not None:
                    name = words.who(leaf, gettext)
                    found.setdefault(name[:1].upper() + name[1:], subject)
    return list(found.items())


def somebody(leaf: policy.Principal) -> Subject | None:
    """One of those whom a principal names; nobody new for those that are asked about anyway."""
    match leaf:
        case policy.Group(id=key):
            return Subject(user="0", groups=frozenset({key}))
        case policy.User(id=key):
            return Subject(user=key)
        case policy.Attribute():
            return Subject(user="0", attributes=frozenset({leaf.example}))
        case policy.Network():
            return standing_in([leaf], Subject())
    return somebody_with(leaf)


def somebody_with(leaf: policy.Principal) -> Subject | None:
    """One of those whom a principal does not name: they did something."""
    match leaf:
        case policy.Agreed(service=service):
            return Subject(agreements=frozenset({service}))
        case policy.Seat(rule=rule, work=work):
            return Subject(loans=frozenset({(rule, work, "")}))
    return None


def compared(who: str, subject: Subject, before: tuple[Level, ...], after: tuple[Level, ...], at: datetime) -> Change:
    now, then = standing(before, subject, at), standing(after, subject, at)
    if then > now:
        word, sign = gettext("gain"), "▲"
    elif then < now:
        word, sign = gettext("lose"), "▼"
    else:
        word, sign = gettext("as before"), "="
    return Change(who, words.what(*now, gettext), words.what(*then, gettext), word, sign)


def standing(levels: tuple[Level, ...], subject: Subject, at: datetime) -> tuple[int, bool]:
    """How much somebody may have, and whether to keep a copy; the more the greater."""
    case = Case(Offer(Rendition(""), levels=(Level(""), *levels)), subject, in_utc(at))
    sources = [[one for one in standing.sources if one.reach >= case.reach] for standing in case.standings]
    keeps = case.reach > policy.NOTHING and all(any(one.take for one in several) for several in sources)
    return case.reach, keeps


# -- The page -----------------------------------------------------------------------------------------------------


class Restricting(Admin):
    """Adds the page to collections, with a link in their list and on their page."""

    def restrict_link(self, row: Any) -> str:
        if row.pk is None:
            return gettext("This can be chosen once it is saved.")
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            reverse("admin:iiif_auth_collection_restrict", args=[row.pk]),
            gettext("Choose a policy…"),
            row,
        )

    restrict_link.short_description = _("in one step")  # type: ignore[attr-defined]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.restrict_view)
        return [path("<path:object_id>/restrict/", view, name="iiif_auth_collection_restrict"), *super().get_urls()]

    def restrict_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not roles.may(request.user, CHANGE, row) or (row.overrides and not loosening.may_loosen(request)):
            raise PermissionDenied
        if request.method == "POST":
            form = RestrictForm(request.POST, user=request.user, row=row)
            if form.is_valid():
                return self._restricted(request, row, form.cleaned_data)
            return self._restrict_page(request, row, form, row.policy)
        return self._asked(request, row)

    def _asked(self, request: HttpRequest, row: Collection) -> HttpResponse:
        """What a choice would mean; without one, what there is now."""
        given = {"policy": request.GET.get("policy", row.policy_id or ""), "reason": request.GET.get("reason", "")}
        asked = RestrictForm(given, user=request.user, row=row)
        chosen = asked.cleaned_data["policy"] if asked.is_valid() else row.policy
        form = asked if "policy" in request.GET else RestrictForm(initial=given, user=request.user, row=row)
        return self._restrict_page(request, row, form, chosen)

    def _restrict_page(
        self, request: HttpRequest, row: Collection, form: RestrictForm, chosen: AccessPolicy | None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": gettext("Who may see “%(collection)s”?") % {"collection": row},
            "form": form,
            "media": self.media,
            "sentence": spoken.policy_sentence(spoken.whole(chosen)) if chosen else self._without(row),
            "is_now": chosen == row.policy,
            "covered": covered(row).sentences,
            "changes": changes(row, chosen, timezone.now()),
        }
        part = request.GET.get("part") == "answer" and request.method == "GET"
        name = "restrict_answer" if part else "restrict"
        return TemplateResponse(request, f"admin/iiif_auth/{name}.html", context)

    def _without(self, row: Collection) -> str:
        if row.parent_id:
            return gettext("Whatever the collection above says.")
        return gettext("Nobody may see anything, but for items with a policy of their own.")

    def _restricted(self, request: HttpRequest, row: Collection, said: dict[str, Any]) -> HttpResponse:
        row.policy = said["policy"]
        with history.by(request.user, reason=said["reason"]):
            row.save(update_fields=["policy"])
        self.log_change(request, row, [{"changed": {"fields": [gettext("policy")]}}])
        self.message_user(
            request,
            gettext("From now on, for all of “%(collection)s”: %(sentence)s")
            % {
                "collection": row,
                "sentence": spoken.policy_sentence(spoken.whole(row.policy)) if row.policy else self._without(row),
            },
            messages.SUCCESS,
        )
        return HttpResponseRedirect(reverse("admin:iiif_auth_collection_changelist"))
