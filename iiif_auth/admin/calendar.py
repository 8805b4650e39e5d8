"""The agenda: what opens, ends or has to be looked at, as a list and as a month, and one's own calendar and reminders."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from iiif_auth import roles
from iiif_auth.admin import request_mails
from iiif_auth.conf import conf
from iiif_auth.dates import days, feeds
from iiif_auth.dates.events import KINDS, SOURCES, After, Agenda, Event, Kind, may_look, within_places
from iiif_auth.dates.mailing import address_of
from iiif_auth.models import Collection

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object

PAGE = 100
MOST_NAMED = 100
"""Events that are named in a month; of a fuller month it says how many there are on each day."""
YEARS = range(1900, 9000)


class AgendaForm(forms.Form):
    """Which events, and how they are shown. Everything may be left empty."""

    view = forms.ChoiceField(
        label=_("Show as"), required=False, choices=[("list", _("List")), ("month", _("Month"))], initial="list"
    )
    month = forms.CharField(
        label=_("Month"),
        required=False,
        max_length=7,
        widget=forms.TextInput({"type": "month", "placeholder": "2031-05"}),
        help_text=_("Such as 2031-05. Empty: a list begins today, a month is the present one."),
    )
    collection = forms.ModelChoiceField(
        Collection.objects.none(), label=_("Collection, and what is in it"), required=False, empty_label=_("All")
    )
    kind = forms.MultipleChoiceField(
        label=_("What happens"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(kind.name, kind.word) for kind in KINDS.values()],
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found: Any = self.fields["collection"]
        found.queryset = roles.visible(user, Collection.objects.all())
        kinds: Any = self.fields["kind"]
        known = {source.kind for source in SOURCES if may_look(user, source.model)}
        kinds.choices = [(kind.name, kind.word) for kind in KINDS.values() if kind.name in known]

    def clean_month(self) -> date | None:
        text: str = self.cleaned_data["month"].strip()
        if not text:
            return None
        try:
            found = date.fromisoformat(f"{text}-01")
        except ValueError:
            found = None
        if found is None or found.year not in YEARS:
            raise forms.ValidationError(_("Please write the month as 2031-05."))
        return found


class RemindersForm(forms.Form):
    digest_days = forms.IntegerField(
        label=_("E-mail so many days before"),
        required=False,
        min_value=0,
        max_value=365,
        widget=forms.NumberInput({"size": 4}),
        help_text=_("And once more on the day after. Empty: no e-mail."),
    )


def when(event: Event) -> str:
    """When something happens, in words; of a grant that ends at midnight, the last day, by which it was given."""
    day = date_format(event.day, "DATE_FORMAT")
    if not event.all_day:
        return f"{day}, {date_format(timezone.localtime(event.at), 'TIME_FORMAT')}"
    if event.kind.name != "grant":
        return day
    return gettext("End of %(day)s") % {"day": date_format(event.day - timedelta(days=1), "DATE_FORMAT")}


@dataclass(frozen=True, slots=True)
class Line:
    """An event as the page shows it."""

    event: Event
    when: str
    url: str


@dataclass(frozen=True, slots=True)
class Count:
    kind: Kind
    number: int


@dataclass(slots=True)
class Cell:
    """A day of the grid."""

    day: date
    inside: bool
    today: bool
    lines: list[Line] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    url: str = ""


@dataclass(frozen=True)
class Looking:
    """One look at the agenda."""

    request: HttpRequest
    site: str
    form: AgendaForm

    @cached_property
    def asked(self) -> dict[str, Any]:
        return self.form.cleaned_data if self.form.is_valid() else {}

    @cached_property
    def now(self) -> Any:
        return timezone.now()

    @cached_property
    def today(self) -> date:
        return days.today(self.now)

    @property
    def as_month(self) -> bool:
        return self.asked.get("view") == "month"

    @cached_property
    def day(self) -> date | None:
        """One day is asked for by the links of a full month."""
        try:
            found = date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            return None
        return found if found.year in YEARS else None

    @cached_property
    def month(self) -> date | None:
        return self.asked.get("month") or (self.today.replace(day=1) if self.as_month else None)

    @cached_property
    def agenda(self) -> Agenda:
        kinds, chosen = frozenset(self.asked.get("kind") or ()), self.asked.get("collection")
        places = None
        if chosen is not None:
            visible = roles.visible(self.request.user, Collection.objects.all())
            places = within_places(visible.values_list("pk", "parent_id"), chosen.pk)
        start, end = self.span()
        return Agenda(self.request.user, days.begins(start), days.ends(end) if end else None, kinds, places)

    def span(self) -> tuple[date, date | None]:
        """The first and the last day that are asked for."""
        if self.day:
            return self.day, self.day
        return (self.month, last_of(self.month)) if self.month else (self.today, None)

    # -- the list

    @cached_property
    def events(self) -> list[Event]:
        return self.agenda.first(PAGE + 1, After.read(self.request.GET.get("after", "")))

    def lines(self) -> Iterator[Line]:
        yield from map(self.line, self.events[:PAGE])

    def line(self, event: Event) -> Line:
        return Line(event, when(event), self._page_of(event))

    def _page_of(self, event: Event) -> str:
        row = event.row if event.kind.name != "tier" else event.row.policy
        try:
            return reverse(f"admin:iiif_auth_{row._meta.model_name}_change", args=(row.pk,), current_app=self.site)
        except NoReverseMatch:
            return ""

    @property
    def next_page(self) -> str:
        return self.link(after=self.events[PAGE - 1].key) if len(self.events) > PAGE else ""

    # -- the month

    def weeks(self) -> list[list[Cell]]:
        month = self.month or self.today.replace(day=1)
        grid = calendar.Calendar((get_format("FIRST_DAY_OF_WEEK") - 1) % 7).monthdatescalendar(month.year, month.month)
        counts = self.agenda.counts(month, last_of(month))
        weeks = [[Cell(day, day.month == month.month, day == self.today) for day in week] for week in grid]
        cells = {cell.day: cell for week in weeks for cell in week if cell.inside}
        if sum(counts.values()) <= MOST_NAMED:
            for event in self.agenda.first(MOST_NAMED):
                cells[event.day].lines.append(self.line(event))
        else:
            for (day, kind), number in sorted(
                counts.items(), key=lambda one: (one[0][0], list(KINDS).index(one[0][1]))
            ):
                cells[day].counts.append(Count(KINDS[kind], number))
                cells[day].url = self.link(view="list", day=day.isoformat())
        return weeks

    def weekdays(self) -> list[str]:
        monday, first = date(2024, 1, 1), (get_format("FIRST_DAY_OF_WEEK") - 1) % 7
        return [date_format(monday + timedelta(days=first + number), "l") for number in range(7)]

    # -- links

    def link(self, **changes: str) -> str:
        """The same question with some of it changed; ``""`` takes something out."""
        given = {name: self.request.GET.getlist(name) for name in ("view", "month", "collection", "kind", "day")}
        wanted = {**given, **{name: [text] if text else [] for name, text in changes.items()}}
        return "?" + urlencode([(name, text) for name, texts in wanted.items() for text in texts if text])

    def beside(self, step: int) -> str:
        """The link to the month before or after."""
        month = self.month or self.today.replace(day=1)
        number = month.year * 12 + month.month - 1 + step
        if number // 12 not in YEARS:
            return ""
        return self.link(month=f"{number // 12:04}-{number % 12 + 1:02}", day="")

    def context(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"looking": self, "earlier": self.beside(-1), "later": self.beside(1)}
        if self.as_month:
            return {**shown, "weeks": self.weeks(), "weekdays": self.weekdays(), "heading": self.heading()}
        return {**shown, "lines": list(self.lines()), "next_page": self.next_page, "heading": self.heading()}

    def heading(self) -> str:
        if self.day:
            return date_format(self.day, "DATE_FORMAT")
        if self.month:
            return date_format(self.month, "YEAR_MONTH_FORMAT")
        return gettext("From %(day)s on") % {"day": date_format(self.today, "DATE_FORMAT")}


def last_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def may_see_agenda(user: Any) -> bool:
    return any(may_look(user, source.model) for source in SOURCES)


class CalendarPages(Base):
    """Adds the agenda to an admin class."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("agenda/", self.admin_site.admin_view(self.agenda_view), name="iiif_auth_calendar"),
            path("agenda/mine/", self.admin_site.admin_view(self.own_calendar_view), name="iiif_auth_calendar_mine"),
            *super().get_urls(),
        ]

    def agenda_view(self, request: HttpRequest) -> HttpResponse:
        """Asked with GET, so that a month can be sent to a colleague as a link."""
        if not may_see_agenda(request.user):
            raise PermissionDenied
        form = AgendaForm(request.GET, user=request.user)
        looking = Looking(request, self.admin_site.name, form)
        feed = feeds.kept(request.user)
        more = {
            "form": form,
            **looking.context(),
            "feed": feed,
            "has_address": feeds.has_address(feed),
            "reminders": RemindersForm(initial={"digest_days": feed.digest_days if feed else None}),
            "request_mails": request_mails.form_for(request.user, feed),
            "email": address_of(request.user),
        }
        return self._agenda_page(request, gettext("Dates"), "admin/iiif_auth/agenda.html", more)

    @sensitive_variables("secret", "address")
    def own_calendar_view(self, request: HttpRequest) -> HttpResponse:
        """Make or take back one's own secret address, or choose one's reminders; always one's own."""
        if not may_see_agenda(request.user):
            raise PermissionDenied
        back = HttpResponseRedirect(reverse("admin:iiif_auth_calendar", current_app=self.admin_site.name))
        if request.method != "POST":
            return back
        if "make" in request.POST:
            secret = feeds.address_made(request.user)
            address = conf.BASE_URL + reverse("iiif_auth:calendar", kwargs={"secret": secret})
            title = gettext("The address of your calendar")
            return self._agenda_page(request, title, "admin/iiif_auth/calendar_address.html", {"address": address})
        if "revoke" in request.POST:
            feeds.address_revoked(request.user)
            messages.success(request, gettext("Nothing is found at that address any more."))
            return back
        if "requests" in request.POST:
            request_mails.chosen(request)
            return back
        return self._remind(request) or back

    def _remind(self, request: HttpRequest) -> HttpResponse | None:
        form = RemindersForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
            return None
        wanted = form.cleaned_data["digest_days"]
        feed = feeds.of(request.user)
        feed.digest_days = wanted
        feed.save(update_fields=["digest_days"])
        messages.success(request, self._reminded(request, wanted))
        return None

    def _reminded(self, request: HttpRequest, wanted: int | None) -> str:
        if wanted is None:
            return gettext("You get no e-mail about dates.")
        said = ngettext(
            "You get an e-mail %(n)d day before something happens, and on the day after.",
            "You get an e-mail %(n)d days before something happens, and on the day after.",
            wanted,
        ) % {"n": wanted}
        missing = gettext("Your account has no e-mail address yet, so nothing can be sent.")
        return said if address_of(request.user) else f"{said} {missing}"

    def _agenda_page(self, request: HttpRequest, title: str, template: str, more: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "zone": conf.TIME_ZONE,
            **more,
        }
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, template, context)
        response.headers["Cache-Control"] = "no-store"
        return response
