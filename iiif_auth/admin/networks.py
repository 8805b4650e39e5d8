"""Networks as one text, a test of many addresses, lists from campuses and proxies, and one's own address as it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, identify, roles
from iiif_auth.admin import ranges, spoken
from iiif_auth.admin.counted import pointing
from iiif_auth.admin.ranges import Held, Read, Section, Unread
from iiif_auth.admin.seen import seen
from iiif_auth.conf import conf
from iiif_auth.models import Device, Network, NetworkUse

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Network]
else:
    Base = object

MOST_TEXT = 250_000
"""Letters of all networks together; beyond that they are edited one by one."""
MOST_TESTED = 1_000
MOST_CAUTIONS = 50
MOST_USES = 500
LINES = {"class": "iiif-auth-lines", "spellcheck": "false", "autocomplete": "off"}


class TextForm(forms.Form):
    """All networks, or one of them, as text."""

    text = forms.CharField(
        label=_("Networks"),
        required=False,
        widget=forms.Textarea({**LINES, "rows": 16}),
        help_text=_("A heading such as [reading-room] Reading room, and below it one prefix or address to a line."),
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=_("For the history."))
    before = forms.CharField(required=False, widget=forms.HiddenInput)


class TestForm(forms.Form):
    addresses = forms.CharField(
        label=_("Addresses"),
        max_length=60_000,
        widget=forms.Textarea({**LINES, "rows": 4}),
        help_text=_("One to a line, as many as you like up to a thousand."),
    )


class ListForm(forms.Form):
    """A list from elsewhere, and where it is to go."""

    list = forms.CharField(
        label=_("List"),
        max_length=400_000,
        widget=forms.Textarea({**LINES, "rows": 6}),
        help_text=_("Prefixes, ranges such as 192.0.2.10-192.0.2.40, masks, stars, or lines with IncludeIP."),
    )
    into = forms.ModelChoiceField(Network.objects.none(), label=_("For the network"), empty_label=None)

    def __init__(self, *args: Any, rows: QuerySet[Network], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        into: Any = self.fields["into"]
        into.queryset = rows


# -- What is said -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tested:
    """An address, and the networks and lines that it belongs to; or why it is none."""

    address: str
    places: tuple[str, ...]
    problem: str = ""


def held_of(rows: Iterable[Network]) -> list[Held]:
    """Networks with their prefixes; a line that can not be read is nowhere."""
    return [Held(row.pk, row.name, tuple(prefixes_of(row))) for row in rows]


def prefixes_of(row: Network) -> Iterator[Any]:
    for text in row.prefixes if isinstance(row.prefixes, list) else []:
        try:
            yield ip_network(text)
        except (TypeError, ValueError):
            continue


def tested(text: str, networks: list[Held]) -> list[Tested]:
    """Each address of a text, once."""
    lines = dict.fromkeys(line.strip() for line in text.replace(",", "\n").splitlines() if line.strip())
    return [_tested(line, networks) for line in list(lines)[:MOST_TESTED]]


def _tested(text: str, networks: list[Held]) -> Tested:
    address = identify.parsed_address(text)
    if address is None:
        return Tested(text[:60], (), gettext("This is not an address."))
    found = [
        gettext("%(network)s (by %(line)s)") % {"network": held.name, "line": ranges.shown(prefix)}
        for held in networks
        for prefix in held.prefixes
        if prefix.version == address.version and address in prefix
    ]
    return Tested(text[:60], tuple(found))


def cautions(rows: Iterable[Network], request: HttpRequest) -> list[str]:
    """What looks wrong with the networks together, and with how addresses arrive here."""
    rows = list(rows)
    found = list(_about_proxies(request))
    for row in rows:
        found += spoken.cautions_about_network(row)
    for one, wider, other, line in ranges.overlaps(held_of(rows)):
        names = {"one": one.name, "wider": wider, "other": other.name, "line": line}
        found.append(gettext("%(line)s of %(other)s lies within %(wider)s of %(one)s.") % names)
    return list(dict.fromkeys(found))


def _about_proxies(request: HttpRequest) -> Iterator[str]:
    forwarded = bool(request.META.get("HTTP_X_FORWARDED_FOR"))
    if forwarded and conf.TRUSTED_PROXIES == 0:
        yield gettext(
            "This request came through a proxy, but TRUSTED_PROXIES is 0: everybody seems to be where the proxy is. Set it to "
            "the number of your proxies."
        )
    elif conf.TRUSTED_PROXIES > 0 and identify.address(request) is None:
        yield gettext(
            "TRUSTED_PROXIES is larger than the number of proxies this request came through, so nobody is anywhere."
        )


def about_oneself(request: HttpRequest, row: Network) -> str:
    """Whether the browser that asks is in a network, by its address as this site sees it."""
    here = identify.ambient(request).address
    names = {"address": here, "network": row}
    if here is None:
        return gettext("Your own address is not known here, so it is not in %(network)s.") % names
    if any(here.version == prefix.version and here in prefix for prefix in prefixes_of(row)):
        return gettext("Your own address, %(address)s, is in %(network)s.") % names
    return gettext("Your own address, %(address)s, is not in %(network)s.") % names


@dataclass(frozen=True, slots=True)
class Use:
    network: Network
    line: str
    day: Any


def uses(rows: list[Network]) -> list[Use]:
    """Every line with the last day on which somebody came from it, or none; those never used first."""
    days = {(one.network_id, one.prefix): one.day for one in NetworkUse.objects.filter(network__in=rows)}
    found = [Use(row, str(line), days.get((row.pk, str(line)))) for row in rows for line in row.prefixes]
    return sorted(found, key=lambda use: (use.day is not None, use.day or 0, use.network.name, use.line))


# -- Storing it ---------------------------------------------------------------------------------------------------


def mark(text: str) -> str:
    """Tells whether somebody else has changed the networks since the page was shown."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a text changes in one network; ``row`` is not saved yet if it is new."""

    row: Network
    added: tuple[str, ...]
    gone: tuple[str, ...]
    renamed: bool

    @property
    def said(self) -> str:
        names = {"network": self.row.name, "added": len(self.added), "gone": len(self.gone)}
        return gettext("%(network)s: %(added)d added, %(gone)d taken away.") % names


def differences(found: list[Section], rows: Iterable[Network]) -> list[Difference]:
    """What is to be stored. Networks that the text leaves out stay as they are."""
    held = {row.slug: row for row in rows}
    changes = [_difference(section, held.get(section.slug)) for section in found]
    return [one for one in changes if one.added or one.gone or one.renamed or one.row._state.adding]


def _difference(section: Section, row: Network | None) -> Difference:
    before = [str(one) for one in row.prefixes] if row else []
    row = row or Network(slug=section.slug)
    renamed = row.name != section.name
    row.name, row.prefixes = section.name, list(section.prefixes)
    added = tuple(one for one in section.prefixes if one not in before)
    return Difference(row, added, tuple(one for one in before if one not in section.prefixes), renamed)


# -- The page -----------------------------------------------------------------------------------------------------


class NetworksPage(Base):
    """Adds the page to the admin of networks, and ``text_link`` for its list."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.networks_view)
        return [path("text/", view, name="iiif_auth_networks"), *super().get_urls()]

    @admin.display(description=_("as text"))
    def text_link(self, row: Network) -> str:
        url = reverse("admin:iiif_auth_networks", current_app=self.admin_site.name)
        label = gettext("%(network)s as text") % {"network": row}
        return format_html('<a href="{}?network={}" aria-label="{}">{}</a>', url, row.slug, label, gettext("Text"))

    @admin.display(description=_("machines"))
    def machines_link(self, row: Network) -> str:
        """How many machines are enrolled there, and where to enrol one."""
        url = reverse("admin:iiif_auth_device_changelist", current_app=self.admin_site.name)
        count: int = getattr(row, "machines", 0)
        label = ngettext("%(n)d enrolled machine of %(network)s", "%(n)d enrolled machines of %(network)s", count)
        told = label % {"n": count, "network": row}
        return format_html('<a href="{}?network__id__exact={}" aria-label="{}">{}</a>', url, row.pk, told, count)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Network]:
        rows: QuerySet[Network] = super().get_queryset(request)
        live = Q(revoked=None, since__isnull=False)
        return rows.annotate(machines=pointing(Device, "network", request.user, live))

    def _caution(self, request: HttpRequest, obj: Network) -> None:
        """Besides what looks wrong with the network: how addresses arrive, and whether one's own is in it."""
        super()._caution(request, obj)  # type: ignore[misc]
        for sentence in _about_proxies(request):
            self.message_user(request, sentence, messages.WARNING)
        self.message_user(request, about_oneself(request, obj), messages.INFO)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET":
            for sentence in _about_proxies(request):
                self.message_user(request, sentence, messages.WARNING)
        return super().changelist_view(request, extra_context)

    def networks_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        desk = Desk(self, request)
        action = ACTIONS.get(request.POST.get("action", "")) if request.method == "POST" else None
        return (action(desk) if action else None) or desk.page()


class Desk:
    """One request to the page: which networks it is about, its forms, and what came of them."""

    def __init__(self, model_admin: NetworksPage, request: HttpRequest) -> None:
        self.admin, self.request = model_admin, request
        self.slug = request.GET.get("network", "")
        rows = Network.objects.order_by("name", "pk").prefetch_related("devices")
        self.every = list(roles.visible(request.user, rows))
        self.rows = [row for row in self.every if row.slug == self.slug] if self.slug else self.every
        self.may_change = model_admin.has_change_permission(request)
        current = ranges.written(self.rows)
        self.too_long = len(current) > MOST_TEXT
        self.text = TextForm(initial={"text": current, "before": mark(current)})
        self.test, self.list = TestForm(prefix="test"), self._list_form()
        self.found: dict[str, Any] = {}

    def _list_form(self, data: Any = None) -> ListForm:
        rows = roles.visible(self.request.user, Network.objects.order_by("name"))
        return ListForm(
            data, rows=rows, prefix="list", initial={"into": self.rows[0].pk if self.slug and self.rows else None}
        )

    def page(self) -> HttpResponseBase:
        found = cautions(self.rows, self.request)
        used = uses(self.rows)
        context = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": gettext("Places and addresses"),
            "desk": self,
            "form": self._failed(),
            "cautions": found[:MOST_CAUTIONS],
            "more_cautions": max(0, len(found) - MOST_CAUTIONS),
            "uses": used[:MOST_USES],
            "more_uses": max(0, len(used) - MOST_USES),
            "seen": seen(self.request),
            **self.found,
        }
        self.request.current_app = self.admin.admin_site.name
        return TemplateResponse(self.request, "admin/iiif_auth/networks.html", context)

    def _failed(self) -> forms.Form:
        return next((form for form in (self.test, self.list) if form.is_bound and form.errors), self.text)

    # -- testing and reading change nothing

    def tests(self) -> None:
        self.test = TestForm(self.request.POST, prefix="test")
        if self.test.is_valid():
            self.found["tested"] = tested(self.test.cleaned_data["addresses"], held_of(self.every))

    def reads(self) -> Read | None:
        self.list = self._list_form(self.request.POST)
        if not self.list.is_valid():
            return None
        read = ranges.read_list(self.list.cleaned_data["list"])
        self.found["read"] = read
        self.found["into"] = self.list.cleaned_data["into"]
        return read

    # -- storing

    def adds(self) -> HttpResponseBase | None:
        """Add what was understood of a list to one network."""
        self._check_may_change()
        read = self.reads()
        if read is None or not read.prefixes:
            return None
        row: Network = self.list.cleaned_data["into"]
        fresh = [line for line in read.prefixes if line not in row.prefixes]
        row.prefixes = [*row.prefixes, *fresh]
        with transaction.atomic(), history.by(self.request.user):
            row.save()
        self.admin.log_change(self.request, row, [{"changed": {"fields": [gettext("networks")]}}])
        said = ngettext("%(n)d line was added to %(network)s.", "%(n)d lines were added to %(network)s.", len(fresh))
        return self._done([said % {"n": len(fresh), "network": row}])

    def saves(self) -> HttpResponseBase | None:
        """Store the text, all of it or nothing."""
        self._check_may_change()
        before = str(self.text.initial["before"])
        self.text = TextForm(self.request.POST)
        if not self.text.is_valid():
            return None
        found, unread = ranges.sections(self.text.cleaned_data["text"])
        changes = differences(found, self.every)
        problems = [*map(_unread, unread), *self._objections(before, changes)]
        for problem in problems:
            self.text.add_error("text", problem)
        return None if problems else self._stored(changes)

    def _objections(self, before: str, changes: list[Difference]) -> Iterator[str]:
        if self.text.cleaned_data["before"] != before:
            yield gettext(
                "Somebody else has changed the networks meanwhile. Copy your lines, load the page again, and add them."
            )
        if any(one.row._state.adding for one in changes) and not self.admin.has_add_permission(self.request):
            yield gettext("You may change networks but not add new ones; please use the identifiers that are there.")
        for one in changes:
            if not one.row.prefixes:
                yield gettext(
                    "%(network)s would have no addresses, so nobody would be there; leave it out instead."
                ) % {"network": one.row.name}

    def _stored(self, changes: list[Difference]) -> HttpResponseBase:
        reason = self.text.cleaned_data["reason"]
        with transaction.atomic(), history.by(self.request.user, reason=reason):
            for one in changes:
                log = self.admin.log_addition if one.row._state.adding else self.admin.log_change
                one.row.save()
                log(self.request, one.row, one.said)
        return self._done([one.said for one in changes] or [gettext("Nothing was different, so nothing was changed.")])

    def _done(self, said: list[str]) -> HttpResponseBase:
        for sentence in said[:20]:
            self.admin.message_user(self.request, sentence, messages.SUCCESS)
        return HttpResponseRedirect(self.request.get_full_path())

    def _check_may_change(self) -> None:
        if not self.may_change:
            raise PermissionDenied


def _unread(line: Unread) -> str:
    return gettext("Line %(number)d, “%(text)s”: %(why)s") % {"number": line.number, "text": line.text, "why": line.why}


def _only(act: Any) -> Any:
    def acting(desk: Desk) -> None:
        act(desk)

    return acting


ACTIONS = {"test": _only(Desk.tests), "read": _only(Desk.reads), "add": Desk.adds, "save": Desk.saves}
