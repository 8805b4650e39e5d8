"""The page that says why: may this person, there and then, see this item, and which rule says so?

Nobody is impersonated. The question is put to the same rules that answer viewers; only the one who asks is imagined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfoNotFoundError

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import identify, store
from iiif_auth.admin import spoken
from iiif_auth.admin.people import NamedField, shown
from iiif_auth.conf import conf
from iiif_auth.identify import described
from iiif_auth.models import AccessPolicy, Collection, Grant, RefusalText, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.explain import Because, Explanation, Finding, Verdict, explain
from iiif_auth.policy.types import Allowed, Decision, Denied, ImageApi, Level, Offer, Subject, Substitute, Unknown
from iiif_auth.protocol import identity, v2
from iiif_auth.protocol.dialects import PROBES
from iiif_auth.protocol.languages import frozen
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import content_status

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Resource]
else:
    Base = object

MINE = "mine"
MOST_GRANTS = 10
"""Grants to other people that are shown one by one; more are counted."""
YEARS = range(1900, 9900)
"""Years that can be asked about: beyond them the calendar ends in some time zone."""


# -- The question -------------------------------------------------------------------------------------------------


class WhyForm(forms.Form):
    """What is asked. An empty person is nobody, an empty address nowhere, an empty time now."""

    resource = forms.CharField(
        label=_("Item"),
        max_length=identity.MAX_LENGTH * 2,
        help_text=_("Its address in any spelling, as copied from a viewer, an info.json, an image or a probe."),
    )
    person = NamedField(
        label=_("Person"),
        required=False,
        max_length=200,
        help_text=_("A name or e-mail address. Empty: nobody signed in."),
    )
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=100,
        help_text=_("Such as 192.0.2.5. What is written here counts before the place. Empty: nowhere in particular."),
    )
    place = forms.ChoiceField(label=_("Place"), required=False)
    at = forms.DateTimeField(
        label=_("Time"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Please write the time as 2031-05-01 09:00.")},
    )
    agreed = forms.MultipleChoiceField(label=_("Has gone through"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, request: HttpRequest, rows: QuerySet[Resource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows, self.own = rows, identify.ambient(request).address
        self.book = rules_now()
        mine = gettext("My own address (%(address)s)") % {"address": self.own or gettext("not known")}
        places = [(f"network:{key}", network.label) for key, network in self.book.networks.items()]
        place: Any = self.fields["place"]
        place.choices = [("", gettext("Nowhere in particular")), (MINE, mine), *sorted(places, key=lambda one: one[1])]
        agreed: Any = self.fields["agreed"]
        agreed.choices = [(slug, spoken.picked(service.label) or slug) for slug, service in self.book.services.items()]
        self.fields["at"].help_text = gettext("Empty: now. In the time zone %(zone)s.") % {"zone": conf.TIME_ZONE}

    def full_clean(self) -> None:
        with timezone.override(conf.TIME_ZONE):
            super().full_clean()

    def clean_resource(self) -> str:
        text = self.cleaned_data["resource"].strip()
        return by_number(text, self.rows) if text.isascii() and text.isdigit() else by_address(text)

    def clean_address(self) -> str:
        text: str = self.cleaned_data["address"].strip()
        if text and identify.parsed_address(text) is None:
            raise ValidationError(_("This is not an address; please write one such as 192.0.2.5 or 2001:db8::5."))
        return text

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"] or timezone.now()
        if at.year not in YEARS:
            raise ValidationError(
                _("Please give a year from %(first)d to %(last)d.") % {"first": YEARS[0], "last": YEARS[-1]}
            )
        return timezone.make_aware(at) if timezone.is_naive(at) else at

    def where(self) -> str:
        """The address that is judged; ``""`` for none."""
        chosen = self.cleaned_data["place"]
        if self.cleaned_data["address"] or not chosen:
            return str(self.cleaned_data["address"])
        if chosen == MINE:
            return str(self.own or "")
        return first_address(self.book.networks[int(chosen.partition(":")[2])])


def rules_now() -> store.Rulebook:
    """What there is to choose from. If it can not be read, the form is shown all the same, and the answer says so."""
    try:
        return store.rulebook()
    except store.RulesInMotion:
        return store.Rulebook("")


def by_number(text: str, rows: QuerySet[Resource]) -> str:
    """The address of a resource by its primary key."""
    row = rows.filter(pk=int(text)).first() if len(text) < 19 else None
    if row is None:
        raise ValidationError(_("There is no resource with the number %(number)s.") % {"number": text[:20]})
    return str(row.url)


def by_address(text: str) -> str:
    """The normalised address that a text means; of a probe of ours, what it is about."""
    try:
        uri = identity.normalised(text, conf.BASE_URL)
    except identity.NotAResourceURL as error:
        raise ValidationError(
            _("This can not be the address of an item. Give a whole address beginning with https://, or a path.")
        ) from error
    prefix = next((one for one in probe_prefixes() if uri.startswith(one)), None)
    if prefix is None:
        return uri
    about = identity.referred(uri.removeprefix(prefix), conf.BASE_URL)
    if about is None:
        raise ValidationError(_("This is a probe of this site, but it asks about nothing that can be read."))
    return about


def probe_prefixes() -> list[str]:
    """The beginnings of the addresses of our probes, one for each space of versions that has some."""
    return [reverse("iiif_auth:probe", kwargs={"space": one, "reference": "x"}).removesuffix("x") for one in PROBES]


def first_address(network: policy.Network) -> str:
    """Of the first prefix the first address that a machine can have; ``""`` for a network without prefixes."""
    if not network.prefixes:
        return ""
    prefix = network.prefixes[0]
    return str(prefix[1] if prefix.num_addresses > 2 else prefix[0])


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the browser that asks is, as far as can be told, and how that was told."""

    remote: str
    forwarded: str
    chosen: str
    because: str


def seen(request: HttpRequest) -> Seen:
    """The asker's own address, for finding out what a proxy does to it."""
    forwarded, found = request.META.get("HTTP_X_FORWARDED_FOR", ""), identify.ambient(request).address
    return Seen(request.META.get("REMOTE_ADDR", ""), forwarded, str(found or ""), _because(request, found))


def _because(request: HttpRequest, found: policy.Address | None) -> str:
    count, plain = conf.TRUSTED_PROXIES, identify.address(request)
    if found != plain:
        return gettext("The SUBJECT hook of this site put it in the place of %(address)s.") % {"address": plain}
    if found is None:
        return gettext("No address can be told for sure from these; please check TRUSTED_PROXIES (%(count)d).") % {
            "count": count
        }
    if count == 0:
        return gettext("TRUSTED_PROXIES is 0, so the address of the connection counts and the header is not read.")
    return gettext("TRUSTED_PROXIES is %(count)d, so that entry of the header counts, from the right.") % {
        "count": count
    }


# -- The answer ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """Something with a page of its own, if whoever looks may open it."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule, its verdict and why."""

    rule: str
    verdict: str
    word: str
    why: str
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One level: the item or a collection around it."""

    number: int
    what: Link
    policy: Link | None
    sentence: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Instead:
    """Something that would be shown instead."""

    label: str
    url: str
    why: str
    controlled: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything the page says, as plain texts; the same in each format."""

    decision: str
    headline: str
    reason: str
    item: str
    person: str
    groups: tuple[str, ...]
    address: str
    networks: tuple[str, ...]
    agreed: tuple[str, ...]
    at: str
    time: str
    content_status: int
    probe_status: int
    heading: str
    note: str
    instead: tuple[Instead, ...] = ()
    places: tuple[Place, ...] = ()
    remedies: tuple[str, ...] = ()
    hints: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Inquiry:
    """One question being answered for one member of staff."""

    request: HttpRequest
    site: str
    form: WhyForm
    offer: Offer | None

    @property
    def uri(self) -> str:
        return str(self.form.cleaned_data["resource"])

    @property
    def person(self) -> Any:
        return self.form.cleaned_data["person"]

    @property
    def at(self) -> datetime:
        at: datetime = self.form.cleaned_data["at"]
        return at

    @cached_property
    def reader(self) -> words.Reader:
        return spoken.reader()

    @cached_property
    def subject(self) -> Subject:
        agreements = frozenset(self.form.cleaned_data["agreed"])
        return replace(described(self.person, self.form.where()), agreements=agreements)

    @cached_property
    def explained(self) -> Explanation:
        offer = with_ended(self.offer, self.form.book, self.subject) if self.offer else None
        return explain(offer, self.subject, self.at)

    def answer(self) -> Answer:
        decision = self.explained.decision
        told = v2.probe_result(decision, Links(conf.BASE_URL, "", "", "", ""), conf.TIME_ZONE)
        agreed = (one.label for slug, one in self.form.book.services.items() if slug in self.subject.agreements)
        return Answer(
            decision=DECISIONS[type(decision)],
            headline=headline(decision),
            reason=reason(decision, self.reader),
            item=self._item(),
            person=shown(self.person) if self.person else gettext("nobody signed in"),
            groups=self._groups(),
            address=str(self.subject.address or gettext("nowhere in particular")),
            networks=tuple(one.label for one in self.form.book.networks.values() if one.admits(self.subject)),
            agreed=tuple(map(spoken.picked, agreed)),
            at=self.at.isoformat(),
            time=f"{words.instant(self.at, gettext, self.reader)} ({self.reader.zone})",
            content_status=content_status(decision),
            probe_status=int(str(told["status"])),
            heading=self._text(told.get("heading")),
            note=self._text(told.get("note")),
            instead=tuple(map(self._instead, decision.substitutes if isinstance(decision, Denied) else ())),
            places=tuple(self._places()),
            remedies=tuple(words.remedy_phrase(one, gettext, self.reader) for one in self.explained.remedies),
            hints=tuple(self._hints()),
        )

    def _text(self, language_map: Any) -> str:
        return spoken.picked(frozen(language_map))

    def _item(self) -> str:
        return identity.absolute(self.uri, conf.BASE_URL)

    def _groups(self) -> tuple[str, ...]:
        groups = getattr(self.person, "groups", None) if self.subject.user else None
        return () if groups is None else tuple(str(group) for group in groups.all())

    def _hints(self) -> Iterator[str]:
        if self.person is not None and self.subject.user is None:
            yield gettext("This account is not active, so the person counts as nobody signed in.")
        if self.person is not None and self.subject.user is not None:
            yield gettext("The person counts as signed in, as viewers see it after the access page.")
        if conf.SUBJECT is not None:
            yield gettext("What the SUBJECT hook of this site adds to what is known of people is left out here.")
        if isinstance(self.explained.decision, Denied) and self.explained.decision.hidden:
            yield gettext("This collection keeps secret what exists, so everybody refused reads the same words.")

    # -- instead

    def _instead(self, substitute: Substitute) -> Instead:
        rendition = substitute.rendition
        url = identity.absolute(rendition.uri, conf.BASE_URL)
        return Instead(
            label=spoken.picked(rendition.label) or url,
            url=url if rendition.image_api is ImageApi.NONE else f"{url}/info.json",
            why="?" + urlencode({**self.request.GET.dict(), "resource": rendition.uri}),
            controlled=substitute.offer is not None,
        )

    # -- the rules

    def _places(self) -> Iterator[Place]:
        for number, level in enumerate(self.explained.levels):
            yield Place(
                number=number + 1,
                what=self._place(number, level),
                policy=self._policy(level.policy.slug) if level.policy else None,
                sentence=words.policy_sentence(level.policy, gettext, self.reader) if level.policy else "",
                lines=tuple(self._lines([one for one in self.explained.findings if one.level == number])),
            )

    def _place(self, number: int, level: Level) -> Link:
        if number:
            return self._linked(self._collections.get(level.name), level.name)
        return self._linked(self._resource, level.name or self.uri)

    def _policy(self, slug: str) -> Link:
        return self._linked(self._policies.get(slug), slug)

    @cached_property
    def _resource(self) -> Resource | None:
        return resource_of(self.explained.levels)

    @cached_property
    def _collections(self) -> dict[str, Collection]:
        names = [level.name for level in self.explained.levels[1:]]
        return {row.slug: row for row in Collection.objects.filter(slug__in=names)}

    @cached_property
    def _policies(self) -> dict[str, AccessPolicy]:
        slugs = [level.policy.slug for level in self.explained.levels if level.policy]
        return {row.slug: row for row in AccessPolicy.objects.filter(slug__in=slugs)}

    def _linked(self, row: Any, fallback: str) -> Link:
        """A row with the address of its page, if there is one and this member of staff may open it."""
        if row is None:
            return Link(fallback)
        meta = row._meta
        if not self.request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
            return Link(str(row))
        try:
            url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk], current_app=self.site)
        except NoReverseMatch:
            url = ""
        return Link(str(row), url)

    def _lines(self, found: Sequence[Finding]) -> Iterator[Line]:
        yield from (self._line(finding) for finding in found if not self._is_counted_only(finding))
        others = sum(map(self._is_counted_only, found))
        if others:
            rule = ngettext("%(count)d grant to somebody else", "%(count)d grants to others", others)
            word = words.verdict_word(Verdict.DOES_NOT_APPLY, gettext)
            yield Line(rule % {"count": others}, Verdict.DOES_NOT_APPLY.value, word, gettext("Not for this person."))

    def _is_counted_only(self, finding: Finding) -> bool:
        """Grants to others tell nothing to those who may not see grants, and too much if there are many."""
        return finding.because is Because.SOMEBODY_ELSE and not self._shows_others

    @cached_property
    def _shows_others(self) -> bool:
        others = [one for one in self.explained.findings if one.because is Because.SOMEBODY_ELSE]
        return self._names and len(others) <= MOST_GRANTS

    @cached_property
    def _names(self) -> bool:
        return self.request.user.has_perm("iiif_auth.view_grant")

    def _line(self, finding: Finding) -> Line:
        row = self._grants.get(finding.rule.label) if isinstance(finding.rule, policy.Grant) else None
        rule = finding.rule
        if row is not None and isinstance(rule, policy.Grant):
            rule = replace(rule, principal=store.linked_principal(row, self.form.book.networks))
        said = words.rule_sentence(rule, gettext, self.reader, named=self._names)
        if isinstance(rule, policy.Tier):
            said = f"{words.tier_name(rule, self.reader)}: {said}"
        return Line(
            rule=said,
            verdict=finding.verdict.value,
            word=words.verdict_word(finding.verdict, gettext),
            why=self._why(finding, row),
            link=self._source(finding, row),
        )

    def _why(self, finding: Finding, row: Grant | None) -> str:
        said = words.finding_sentence(finding, gettext, self.reader)
        if row is None or not self._names or row.granted_by is None:
            return said
        return f"{said} " + gettext("Given by %(person)s.") % {"person": shown(row.granted_by)}

    def _source(self, finding: Finding, row: Grant | None) -> Link | None:
        """The page on which this rule can be changed."""
        if row is not None:
            return replace(self._linked(row, ""), text=gettext("Grant %(number)d") % {"number": row.pk})
        if finding.policy:
            return self._policy(finding.policy)
        if finding.rule is None:
            return None
        return self._place(finding.level, self.explained.levels[finding.level])

    @cached_property
    def _grants(self) -> dict[str, Grant]:
        """The rows of the grants that are shown one by one, by primary key as text."""
        shown_ones = (f for f in self.explained.findings if not self._is_counted_only(f))
        keys = {f.rule.label for f in shown_ones if isinstance(f.rule, policy.Grant)}
        rows = Grant.objects.filter(pk__in=[int(key) for key in keys if key.isascii() and key.isdigit()])
        related = rows.select_related("user", "group", "network", "service", "granted_by")
        return {str(row.pk): row for row in related}


DECISIONS: dict[type[Decision], str] = {Allowed: "allowed", Denied: "refused", Unknown: "unknown"}


def headline(decision: Decision) -> str:
    match decision:
        case Allowed():
            return gettext("Allowed")
        case Denied():
            return gettext("Refused")
        case Unknown():  # pragma: no branch
            return gettext("Unknown")


def reason(decision: Decision, reader: words.Reader) -> str:
    match decision:
        case Allowed(take=take):
            return gettext("They may view and keep a copy.") if take else gettext("They may view, but not keep a copy.")
        case Denied(why=why, opens=opens):
            said = REASONS.get(why) or RefusalText.Why(why).label
            known = {"reason": said, "when": words.instant(opens, gettext, reader) if opens else ""}
            return (
                gettext("Because: %(reason)s, until %(when)s.") if opens else gettext("Because: %(reason)s.")
            ) % known
        case Unknown():  # pragma: no branch
            return gettext("No resource, rendition or collection has this address.")


REASONS = {policy.Why.NO_POLICY: _("no policy applies")}


def resource_of(levels: Iterable[Level]) -> Resource | None:
    """The row behind the nearest level; there is none where a collection's address rule or a hook takes a URL in."""
    nearest = next(iter(levels), None)
    if nearest is None or not nearest.name.isascii():
        return None
    return Resource.objects.filter(url_digest=identity.digest(nearest.name)).first()


def with_ended(offer: Offer, book: store.Rulebook, subject: Subject) -> Offer:
    """The offer with this person's ended grants too. The rulebook forgets those; what they open they opened once."""
    names = [level.name for level in offer.levels[1:]]
    slugs = [level.policy.slug for level in offer.levels if level.policy]
    whose = Q(user__isnull=True) & (Q(group__isnull=True) | Q(group__in=subject.groups))
    if subject.user is not None:
        whose |= Q(user=subject.user)
    rows = Grant.objects.filter(Q(collection__slug__in=names) | Q(policy__slug__in=slugs), whose)
    ended = rows.filter(ends__lte=timezone.now()).select_related("user", "group", "service", "collection", "policy")
    found = list(ended.order_by("pk"))
    levels = tuple(_with_ended(number, offer.levels, found, book) for number in range(len(offer.levels)))
    return replace(offer, levels=levels, restricted=False)


def _with_ended(number: int, levels: Sequence[Level], ended: list[Grant], book: store.Rulebook) -> Level:
    level = levels[number]
    here = [row for row in ended if number and row.collection and row.collection.slug == level.name]
    its = [row for row in ended if level.policy and row.policy and row.policy.slug == level.policy.slug]
    return replace(
        level,
        grants=_joined(level.grants, here, levels[number:], book),
        policy_grants=_joined(level.policy_grants, its, (level,), book),
    )


def _joined(
    grants: tuple[policy.Grant, ...], rows: list[Grant], scope: Sequence[Level], book: store.Rulebook
) -> tuple[policy.Grant, ...]:
    known = {grant.label for grant in grants}
    return (*grants, *(store.grant_value(row, book.networks, scope) for row in rows if str(row.pk) not in known))


# -- Saying it ----------------------------------------------------------------------------------------------------


def as_text(answer: Answer) -> str:
    """The whole answer as lines to be copied into a message."""
    return "\n".join(_text_lines(answer)) + "\n"


def _text_lines(answer: Answer) -> Iterator[str]:
    yield f"{answer.headline.upper()}. {answer.reason}"
    for name, value in facts(answer):
        yield f"{name}: {value}"
    yield from (gettext("Instead:") + f" {instead.label} <{instead.url}>" for instead in answer.instead)
    for place in answer.places:
        yield ""
        yield f"{place.number}. {place.what.text}: {place.sentence or gettext('No policy.')}"
        yield from (f"   {line.word.upper()} | {line.rule} | {line.why}" for line in place.lines)
    if answer.remedies:
        yield ""
        yield gettext("Would be enough:") + " " + " | ".join(answer.remedies)


def facts(answer: Answer) -> Iterator[tuple[str, str]]:
    """What was asked and what the person would get, by name."""
    yield gettext("Item"), answer.item
    yield gettext("Person"), with_more(answer.person, answer.groups)
    yield gettext("Address"), with_more(answer.address, answer.networks)
    if answer.agreed:
        yield gettext("Has gone through"), ", ".join(answer.agreed)
    yield gettext("Time"), answer.time
    status = {"content": answer.content_status, "probe": answer.probe_status}
    yield gettext("Status"), gettext("content %(content)d, probe %(probe)d") % status
    if answer.heading:
        yield gettext("They read"), " – ".join(text for text in (answer.heading, answer.note) if text)


def with_more(text: str, more: Iterable[str]) -> str:
    joined = ", ".join(more)
    return gettext("%(text)s (in: %(more)s)") % {"text": text, "more": joined} if joined else text


class WhyMixin(Base):
    """Adds the page to the admin of resources, and ``why_link`` for its list and its form."""

    def get_urls(self) -> list[URLPattern]:
        page = path("why/", self.admin_site.admin_view(self.why_view), name="iiif_auth_why")
        return [page, *super().get_urls()]

    @admin.display(description=_("Why?"))
    def why_link(self, obj: Resource | None) -> str:
        if obj is None or obj.pk is None:
            return "-"
        url = reverse("admin:iiif_auth_why", current_app=self.admin_site.name)
        label = gettext("Why? Who may see %(resource)s") % {"resource": obj}
        return format_html('<a href="{}?resource={}" aria-label="{}">{}</a>', url, obj.pk, label, gettext("Why?"))

    def why_view(self, request: HttpRequest) -> HttpResponseBase:
        """Asked with GET, so that a question can be sent to a colleague as a link."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = "resource" in request.GET
        form = WhyForm(request.GET if asked else None, request=request, rows=self.get_queryset(request))
        answer = self._answer(request, form) if asked and form.is_valid() else None
        return FORMATS.get(request.GET.get("format", ""), page)(self, request, form, answer)

    def _answer(self, request: HttpRequest, form: WhyForm) -> Answer | None:
        """The answer; where there can be none, the form says why."""
        try:
            offer = store.find_offer(form.cleaned_data["resource"])
            if not self._may_ask(request, offer):
                form.add_error("resource", _("This item belongs to a collection that is not yours to look after."))
                return None
            return Inquiry(request, self.admin_site.name, form, offer).answer()
        except (store.RulesInMotion, ZoneInfoNotFoundError):
            form.add_error(
                None, _("The rules can not be read just now, so nobody is let in. Please try again in a minute.")
            )
        return None

    def _may_ask(self, request: HttpRequest, offer: Offer | None) -> bool:
        row = resource_of(offer.levels) if offer else None
        return row is None or self.get_queryset(request).filter(pk=row.pk).exists()


def page(model_admin: WhyMixin, request: HttpRequest, form: WhyForm, answer: Answer | None) -> HttpResponseBase:
    """For people."""
    query = request.GET.copy()
    query.pop("format", None)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": gettext("Why?"),
        "form": form,
        "answer": answer,
        "facts": list(facts(answer)) if answer else [],
        "text": as_text(answer) if answer else "",
        "query": query.urlencode(),
        "seen": seen(request),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/iiif_auth/why.html", context)


def json(model_admin: WhyMixin, request: HttpRequest, form: WhyForm, answer: Answer | None) -> HttpResponseBase:
    """For programs."""
    if answer is None:
        return JsonResponse({"errors": form.errors.get_json_data()}, status=400)
    return JsonResponse(asdict(answer))


def text(model_admin: WhyMixin, request: HttpRequest, form: WhyForm, answer: Answer | None) -> HttpResponseBase:
    """For messages."""
    said = form.errors.as_text() if answer is None else as_text(answer)
    return HttpResponse(said, content_type="text/plain; charset=utf-8", status=400 if answer is None else 200)


FORMATS = {"json": json, "text": text}
