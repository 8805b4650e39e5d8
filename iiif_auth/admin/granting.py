"""Giving access until a day: from a list of items, a collection or a person, to people with an account or without."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import identify, roles, store
from iiif_auth.admin import askable, spoken, states
from iiif_auth.admin.answering import reason
from iiif_auth.admin.people import NamedField
from iiif_auth.conf import conf
from iiif_auth.dates import days, giving
from iiif_auth.dates.days import Until
from iiif_auth.models import Batch, Change, Collection, Grant, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Subject
from iiif_auth.protocol import identity

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object

GIVE = "iiif_auth.add_grant"
MOST_LINES, MOST_MATCHING, PAGE = 500, 1000, 100
"""Items that may be typed, items that a whole list may have, and lines of the page that says what came of it."""


class UntilForm(forms.Form):
    """Until when, by name or by day, and why."""

    until = forms.ChoiceField(label=_("Until"), widget=forms.RadioSelect, initial=Until.WEEK)
    day = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("For a day of your choice. That day is still in."),
        error_messages={"invalid": _("Please write the day as 2031-05-01.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea({"rows": 2}),
        help_text=_("For your colleagues and the history; readers do not see it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = timezone.now()
        until: Any = self.fields["until"]
        until.choices = list(choices(self.now))

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and "until" in self.cleaned_data:
            self._set_end()

    def _set_end(self) -> None:
        found = self.cleaned_data
        try:
            end = giving.end_of(found["until"], found.get("day"), self.now)
        except OverflowError:
            end = None
        if end is None and "day" not in self.errors:
            self.add_error("day", _("Please give the last day."))
        elif end is not None and end <= self.now:
            self.add_error("day", _("That day is over; please give today or a later one."))
        found["ends"] = end

    def bound(self, limit: int | None) -> None:
        """Refuse an end beyond a limit in days."""
        ends = self.cleaned_data.get("ends")
        if ends is None or self.errors:
            return
        within = giving.within_limit(ends, limit, self.now)
        if within is None:
            said = ngettext(
                "Here you may give access for %(n)d day at most; please choose an earlier end.",
                "Here you may give access for %(n)d days at most; please choose an earlier end.",
                limit or 0,
            )
            self.add_error("until", said % {"n": limit})
        self.cleaned_data["ends"] = within


def choices(now: datetime) -> Iterator[tuple[str, str]]:
    """The presets with the days they mean."""
    for until in Until:
        last = days.last_day(until, now, conf.TERM_ENDS)
        if last is not None:
            yield until.value, gettext("%(preset)s (%(day)s)") % {"preset": until.label, "day": long_day(last)}
        elif until == Until.DAY:
            yield until.value, str(until.label)


def long_day(day: date) -> str:
    return f"{date_format(day, 'l')}, {date_format(day, 'DATE_FORMAT')}"


class GiveForm(UntilForm):
    """Who gets what."""

    person = NamedField(
        label=_("Person"),
        required=False,
        max_length=200,
        help_text=_("A user name, an e-mail address, or a part of it that only one person has."),
    )
    email = forms.EmailField(
        label=_("Or an e-mail address without an account"),
        required=False,
        help_text=_("They are sent a link that works until the end."),
    )
    name = forms.CharField(label=_("Their name"), required=False, max_length=200)
    items = forms.CharField(
        label=_("Items"),
        required=False,
        max_length=MOST_LINES * identity.MAX_LENGTH,
        widget=forms.Textarea({"rows": 5}),
        help_text=_("One to a line: an address in any spelling, or a number."),
    )
    collection = forms.ModelChoiceField(
        Collection.objects.none(), label=_("And a whole collection"), required=False, empty_label=_("None")
    )
    match = forms.CharField(required=False, widget=forms.HiddenInput, max_length=4000)
    tier = forms.ChoiceField(label=_("They may have"), required=False)
    take = forms.BooleanField(label=_("They may keep a copy"), required=False, initial=True)

    field_order = (
        *("person", "email", "name", "items", "match", "collection", "tier", "take", "until", "day", "reason"),
    )

    def __init__(self, *args: Any, user: Any, matching: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.matching, self.book = user, matching, store.rulebook()
        self.found: list[Resource] = []
        collection: Any = self.fields["collection"]
        collection.queryset = roles.within(user, GIVE, Collection.objects.all())
        tier: Any = self.fields["tier"]
        tier.choices = [("", gettext("The full version")), *smaller_tiers(self.book)]

    def clean_items(self) -> str:
        text: str = self.cleaned_data["items"]
        lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        if len(lines) > MOST_LINES:
            raise ValidationError(_("Please give at most %(n)d items at once, or a collection.") % {"n": MOST_LINES})
        known = self._rows(lines)
        strange = [line for line in lines if line not in known]
        if strange:
            names = ", ".join(line[:100] for line in strange[:5]) + (", …" if len(strange) > 5 else "")
            raise ValidationError(
                _("You can give access to no item with this address or number: %(names)s.") % {"names": names}
            )
        self.found += dict.fromkeys(known[line] for line in lines)
        return text

    def _rows(self, lines: list[str]) -> dict[str, Resource]:
        """By line, the resource that it means and that may be given."""
        keys = {line: int(line) for line in lines if line.isascii() and line.isdigit() and len(line) < 19}
        digests = {line: digest for line in lines if line not in keys and (digest := digest_of(line))}
        rows = roles.within(self.user, GIVE, Resource.objects.select_related("collection"))
        by_key = rows.in_bulk(list(keys.values()))
        by_digest = rows.in_bulk(list(digests.values()), field_name="url_digest")
        found = {line: by_key.get(key) for line, key in keys.items()}
        found.update({line: by_digest.get(digest) for line, digest in digests.items()})
        return {line: row for line, row in found.items() if row is not None}

    def clean_match(self) -> str:
        query: str = self.cleaned_data["match"]
        if query:
            rows = list(roles.within(self.user, GIVE, self.matching(query))[: MOST_MATCHING + 1])
            if len(rows) > MOST_MATCHING:
                raise ValidationError(
                    _("The list has more than %(n)d items; please give a collection instead.") % {"n": MOST_MATCHING}
                )
            self.found += rows
        return query

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        person, email = found.get("person"), found.get("email")
        if bool(person) == bool(email) and not {"person", "email"} & set(self.errors):
            self.add_error("person", _("Please give either a person or an e-mail address."))
        if email:
            self._check_email(email)
        if not (self.found or found.get("collection") or {"items", "match", "collection"} & set(self.errors)):
            self.add_error("items", _("Please say to what: items, or a collection."))
        return found

    def _check_email(self, email: str) -> None:
        model = get_user_model()
        known = model._default_manager.filter(**{f"{model.get_email_field_name()}__iexact": email}).first()
        if known is not None:
            self.add_error(
                "email", _("That is the address of an account; please write it under “Person”, and no link is needed.")
            )

    def _set_end(self) -> None:
        super()._set_end()
        if not self.errors:
            self.bound(giving.limit_in_days(self.user, self.places()))
            self._check_tier()

    def places(self) -> giving.Places:
        chosen = self.cleaned_data.get("collection")
        return giving.Places.of(self.found, [chosen] if chosen else [], self.book)

    def _check_tier(self) -> None:
        """A tier that nothing there has would give nothing."""
        tier = self.cleaned_data.get("tier")
        if not tier:
            return
        offers = store.find_offers(row.url for row in self.found)
        without = [row for row in self.found if not has_tier(offers[row.url], tier)]
        chosen = self.cleaned_data.get("collection")
        if chosen is not None and not any(
            t.slug == tier for level in self.book.places[chosen.pk].levels for t in tiers_of(level)
        ):
            without.append(chosen)
        if without:
            names = ", ".join(str(row) for row in without[:5]) + (", …" if len(without) > 5 else "")
            self.add_error("tier", _("There is no such version of: %(names)s.") % {"names": names})

    def wish(self) -> giving.Wish:
        found = self.cleaned_data
        chosen = found["collection"]
        return giving.Wish(
            person=found["person"],
            ends=found["ends"],
            reason=found["reason"],
            email=found["email"],
            name=found["name"],
            tier=found["tier"],
            take=found["take"],
            resources=tuple(dict.fromkeys(self.found)),
            collections=(chosen,) if chosen else (),
        )


def digest_of(line: str) -> str:
    try:
        return identity.digest(identity.normalised(line, conf.BASE_URL))
    except identity.NotAResourceURL:
        return ""


def tiers_of(level: policy.Level) -> Iterator[policy.Tier]:
    return (tier for held in level.policies for tier in held.tiers)


def has_tier(offer: policy.Offer | None, slug: str) -> bool:
    return offer is not None and any(tier.slug == slug for level in offer.levels for tier in tiers_of(level))


def smaller_tiers(book: store.Rulebook) -> list[tuple[str, str]]:
    """The smaller versions that there are, by the identifier of their tier."""
    found: dict[str, str] = {}
    for tier in (tier for held in book.policies.values() for tier in held.tiers):
        if tier.gets is policy.Gets.SMALLER:
            found.setdefault(tier.slug, f"{words.tier_name(tier, spoken.reader())} ({tier.slug})")
    return sorted(found.items(), key=lambda one: one[1])


# -- What came of it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """One grant, and what its holder may see by all rules together as they are now."""

    grant: Grant
    what: str
    until: str
    sound: bool
    why: str


def outcomes(rows: list[Grant]) -> Iterator[Outcome]:
    """Judged by the rules themselves, so that a withdrawal that goes on closing is named."""
    offers = store.find_offers(row.resource.url for row in rows if row.resource)
    subjects: dict[tuple[Any, Any], Subject] = {}
    for row in rows:
        subject = subjects.setdefault((row.user_id, row.invitation_id), subject_of(row))
        yield _outcome(row, offers.get(row.resource.url) if row.resource else None, subject)


def _outcome(row: Grant, offer: policy.Offer | None, subject: Subject) -> Outcome:
    until = last_moment(row.ends) if row.ends else gettext("no end")
    if row.resource is None:
        where = gettext(
            "What is in it opens to them there and further out, unless something is withdrawn or nearer rules close it."
        )
        return Outcome(row, tier_of(row), until, sound=True, why=where)
    decision = decide(offer, subject, timezone.now())
    sound = isinstance(decision, Allowed)
    if row.tier and not sound:
        why = gettext("They may have the version named here; the rest stays closed to them.")
        return Outcome(row, tier_of(row), until, sound=True, why=why)
    return Outcome(row, tier_of(row), until, sound, reason(decision, spoken.reader()))


def last_moment(ends: datetime) -> str:
    """An end as people say it: a midnight is the end of the day before, not the day that it begins."""
    local = timezone.localtime(ends)
    if local.time() != time():
        return states.day(ends)
    return gettext("the end of %(day)s") % {"day": long_day(local.date() - timedelta(days=1))}


def tier_of(row: Grant) -> str:
    tier = row.tier or gettext("the full version")
    return tier if row.take else gettext("%(tier)s, to look only") % {"tier": tier}


def subject_of(row: Grant) -> Subject:
    """The one whom a grant is for, as nothing but signed in, or come by the link."""
    if row.invitation_id is not None:
        return Subject(attributes=frozenset({(policy.INVITATION, str(row.invitation_id))}))
    return identify.described(row.user) if row.user_id is not None else Subject()


# -- The pages ----------------------------------------------------------------------------------------------------


def may_give(user: Any) -> bool:
    return roles.somewhere(user, GIVE)


class GivingPages(Base):
    """Adds the pages to the admin of grants, and “extend” to its list."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("give/", view(self.give_view), name="iiif_auth_give"),
            path("given/", view(self.given_view), name="iiif_auth_given"),
            *super().get_urls(),
        ]

    def give_view(self, request: HttpRequest) -> HttpResponse:
        if not may_give(request.user):
            raise PermissionDenied
        form = GiveForm(
            request.POST if request.method == "POST" else None,
            initial=None if request.method == "POST" else self._prefilled(request),
            user=request.user,
            matching=lambda query: self._matching(request, query),
        )
        if request.method == "POST" and form.is_valid():
            answer = self._give(request, form)
            if answer is not None:
                return answer
        match = form["match"].value()
        count = roles.within(request.user, GIVE, self._matching(request, match)).count() if match else 0
        more = {"form": form, "count": count, "zone": conf.TIME_ZONE}
        return self._giving_page(request, gettext("Give access"), "admin/iiif_auth/give.html", more)

    def _prefilled(self, request: HttpRequest) -> dict[str, Any]:
        keys = [int(text) for text in request.GET.getlist("resource") if text.isdigit()][:MOST_LINES]
        rows = roles.within(request.user, GIVE, Resource.objects.filter(pk__in=keys))
        return {
            "items": "\n".join(rows.values_list("url", flat=True)),
            "collection": request.GET.get("collection", ""),
            "person": request.GET.get("person", ""),
            "match": request.GET.get("match", ""),
            "take": True,
            "until": Until.WEEK,
        }

    def _matching(self, request: HttpRequest, query: str) -> QuerySet[Any]:
        """The resources of a list by its filters, as its own page finds them for this person."""
        asked = copy.copy(request)
        asked.method, asked.GET = "GET", QueryDict(query)
        model_admin: Any = self.admin_site._registry[Resource]
        try:
            rows: QuerySet[Any] = admin.ModelAdmin.get_changelist_instance(model_admin, asked).get_queryset(asked)
        except (IncorrectLookupParameters, SuspiciousOperation, ValidationError, ValueError):
            messages.error(request, gettext("The filters of that list can not be read; please choose the items again."))
            return Resource.objects.none()
        return Resource.objects.filter(pk__in=rows.order_by().values("pk"))

    def _give(self, request: HttpRequest, form: GiveForm) -> HttpResponse | None:
        try:
            given = giving.give(request.user, form.wish())
        except OSError:
            form.add_error("email", _("The e-mail could not be sent, so nothing was given. Please try again."))
            return None
        if given.there:
            said = ngettext(
                "%(n)d was left out, for they have it already for as long.",
                "%(n)d were left out, for they have them already for as long.",
                given.there,
            )
            messages.info(request, said % {"n": given.there})
        for sentence in askable.warnings(given.grants):
            messages.warning(request, sentence)
        if not given.grants:
            return HttpResponseRedirect(reverse("admin:iiif_auth_grant_changelist", current_app=self.admin_site.name))
        query = {"batch": given.batch.pk} if given.batch else {"grant": given.grants[0].pk}
        page = reverse("admin:iiif_auth_given", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{page}?{urlencode(query)}")

    def given_view(self, request: HttpRequest) -> HttpResponse:
        """Who may see what until when, judged anew each time the page is looked at."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = numbered(request.GET.get("batch", ""), roles.visible(request.user, Batch.objects.all()))
        keys: Any = [numbered(request.GET.get("grant", ""), Grant.objects.all())]
        if batch is not None:
            keys = Change.objects.filter(batch=batch, model="grant").order_by("row").values_list("row", flat=True)
        grants = self.get_queryset(request).filter(pk__in=[getattr(one, "pk", one) for one in keys if one])
        rows = list(
            grants.select_related("resource", "collection", "user", "invitation", "policy").order_by("pk")[: PAGE + 1]
        )
        if not rows:
            raise Http404
        more = {"outcomes": list(outcomes(rows[:PAGE])), "more": len(rows) > PAGE, "batch": batch, "first": rows[0]}
        return self._giving_page(request, gettext("Access given"), "admin/iiif_auth/given.html", more)

    def _giving_page(self, request: HttpRequest, title: str, template: str, more: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "media": self.media,
            **more,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, context)

    # -- a new end for what is chosen

    @admin.action(description=_("New end…"), permissions=["change"])
    def extend(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask until when and why; what is over begins to count again."""
        rows = roles.within(request.user, GIVE, roles.within(request.user, "iiif_auth.change_grant", queryset))
        sent = "answered" in request.POST
        form = UntilForm(request.POST if sent else None)
        if sent and form.is_valid():
            form.bound(self._limit(request, rows))
        if sent and form.is_valid():
            rows = Grant.objects.filter(pk__in=list(rows.order_by().values_list("pk", flat=True)[:MOST_MATCHING]))
            changed = giving.extend(request.user, rows, form.cleaned_data["ends"], form.cleaned_data["reason"])
            said = ngettext("%(n)d grant has a new end.", "%(n)d grants have a new end.", changed) % {"n": changed}
            messages.success(request, said)
            return None
        return self._asked_until(request, rows, form)

    def _limit(self, request: HttpRequest, rows: QuerySet[Any]) -> int | None:
        related = list(rows.select_related("resource", "collection")[: MOST_MATCHING + 1])
        if len(related) > MOST_MATCHING and not roles.is_everywhere(request.user):
            return 0
        limits = [
            roles.most_days(request.user, row) for row in {row.resource or row.collection or row for row in related}
        ]
        return min((one for one in limits if one is not None), default=None)

    def _asked_until(self, request: HttpRequest, rows: QuerySet[Any], form: UntilForm) -> HttpResponse:
        count = rows.count()
        more = {
            "form": form,
            "shown": rows.select_related(*self.list_select_related)[:20],  # type: ignore[misc]
            "more": max(0, count - 20),
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            "chosen": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "zone": conf.TIME_ZONE,
            "too_many": count > MOST_MATCHING,
            "most": MOST_MATCHING,
        }
        title = ngettext("A new end for %(n)d grant", "A new end for %(n)d grants", count) % {"n": count}
        return self._giving_page(request, title, "admin/iiif_auth/extend.html", more)


def numbered(text: str, rows: QuerySet[Any]) -> Any:
    """A row by its number; ``None`` if there is none, or no number."""
    return rows.filter(pk=int(text)).first() if text.isascii() and text.isdigit() and len(text) < 19 else None


class GivesAccess(Base):
    """For the admin of what access is given to: an action for the list, and a link on each row and page."""

    def get_list_display(self, request: HttpRequest) -> Any:
        found = super().get_list_display(request)
        return (*found, "give_link") if may_give(request.user) else found

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        if obj is None or not may_give(request.user):
            return found
        return (*found, (_("Give access"), {"fields": ("give_link",)}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "give_link")

    @admin.display(description=_("give access"))
    def give_link(self, row: Any) -> str:
        if row.pk is None:
            return "-"
        url = reverse("admin:iiif_auth_give", current_app=self.admin_site.name)
        label = gettext("Give access to %(what)s") % {"what": row}
        name = self.opts.model_name
        return format_html(
            '<a href="{}?{}={}" aria-label="{}">{}</a>', url, name, row.pk, label, gettext("Give access")
        )

    @admin.action(description=_("Give access until…"), permissions=["grant"])
    def give_access(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """To the page that asks whom and until when: with what is ticked, or with the filters if all of them are meant."""
        if request.POST.get("select_across") == "1":
            query = [("match", request.GET.urlencode() or "all=")]
        else:
            query = [(str(self.opts.model_name), str(key)) for key in queryset.values_list("pk", flat=True)]
        return HttpResponseRedirect(
            f"{reverse('admin:iiif_auth_give', current_app=self.admin_site.name)}?{urlencode(query)}"
        )

    def has_grant_permission(self, request: HttpRequest) -> bool:
        return may_give(request.user)
