"""The answer of the simulator: what is decided, every rule with its verdict, and what would be enough.

Nobody is impersonated. The question is put to the same rules that answer viewers; only the one who asks is imagined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles, store
from iiif_auth.admin import spoken
from iiif_auth.admin.asking import WhyForm
from iiif_auth.admin.drafted import with_policy
from iiif_auth.admin.ended import with_ended
from iiif_auth.admin.people import shown
from iiif_auth.conf import conf
from iiif_auth.identify import described
from iiif_auth.models import AccessPolicy, Collection, Grant, RefusalText, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.explain import SOMEBODY, Because, Explanation, Finding, Verdict, explain
from iiif_auth.policy.types import Allowed, Decision, Denied, ImageApi, Level, Offer, Subject, Substitute, Unknown
from iiif_auth.protocol import identity, v2
from iiif_auth.protocol.languages import frozen
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import content_status

MOST_GRANTS = 10
"""Grants to other people that are shown one by one; more are counted."""


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
    draft: str = ""
    reference: str = ""


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
    def group(self) -> Any:
        return self.form.cleaned_data["group"]

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
        somebody = replace(described(self.person, self.form.where()), agreements=agreements, places=self.form.machine())
        found = as_member(somebody, self.group)
        return as_said(found, self.form.cleaned_data.get("said") or frozenset())

    @cached_property
    def explained(self) -> Explanation:
        offer = with_ended(self.offer, self.form.book, self.subject) if self.offer else None
        draft = self.form.drafted()
        return explain(with_policy(offer, draft) if offer and draft else offer, self.subject, self.at)

    def answer(self) -> Answer:
        decision = self.explained.decision
        told = v2.probe_result(decision, Links(conf.BASE_URL, "", "", "", ""), conf.TIME_ZONE)
        agreed = (one.label for slug, one in self.form.book.services.items() if slug in self.subject.agreements)
        return Answer(
            decision=DECISIONS[type(decision)],
            headline=headline(decision),
            reason=reason(decision, self.reader),
            item=self._item(),
            person=self._person(),
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
            draft=str(self.form.drafted() or ""),
            reference=self.request.GET.get("reference", "")[:12],
        )

    def _person(self) -> str:
        if self.person:
            return shown(self.person)
        return (
            gettext("a new member of %(group)s") % {"group": self.group} if self.group else gettext("nobody signed in")
        )

    def _text(self, language_map: Any) -> str:
        return spoken.picked(frozen(language_map))

    def _item(self) -> str:
        return identity.absolute(self.uri, conf.BASE_URL)

    def _groups(self) -> tuple[str, ...]:
        groups = getattr(self.person, "groups", None) if self.subject.user else None
        held = [] if groups is None else [str(group) for group in groups.all()]
        return tuple(dict.fromkeys([*held, *([str(self.group)] if self.group and self.subject.user else [])]))

    def _hints(self) -> Iterator[str]:
        if self.person is not None and self.subject.user is None:
            yield gettext("This account is not active, so the person counts as nobody signed in.")
        if self.person is not None and self.subject.user is not None:
            yield gettext("The person counts as signed in, as viewers see it after the access page.")
        if self.form.drafted() is not None:
            yield gettext("Judged by the draft. Smaller versions are listed as the policy has them now.")
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
        if not roles.may(self.request.user, f"{meta.app_label}.view_{meta.model_name}", row):
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
        """Grants to others tell nothing to those who may not see them, and too much if there are many."""
        return finding.because is Because.SOMEBODY_ELSE and getattr(finding.rule, "label", "") not in self._grants

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
        said = words.rule_sentence(rule, gettext, self.reader, named=row is not None and self._names)
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
        shown_ones = (
            f for f in self.explained.findings if self._shows_others or f.because is not Because.SOMEBODY_ELSE
        )
        keys = {f.rule.label for f in shown_ones if isinstance(f.rule, policy.Grant)}
        rows = Grant.objects.filter(pk__in=[int(key) for key in keys if key.isascii() and key.isdigit()])
        related = roles.visible(self.request.user, rows).select_related(
            "user", "group", "network", "service", "granted_by"
        )
        return {str(row.pk): row for row in related}


def as_member(subject: Subject, group: Any) -> Subject:
    """Somebody as if in a group too; whoever is nobody becomes somebody signed in."""
    if group is None:
        return subject
    return replace(subject, user=subject.user or SOMEBODY, groups=subject.groups | {str(group.pk)})


def as_said(subject: Subject, said: frozenset[tuple[str, str]]) -> Subject:
    """Somebody as if this were said of them too; whoever is nobody becomes somebody signed in."""
    if not said:
        return subject
    return replace(subject, user=subject.user or SOMEBODY, attributes=subject.attributes | said)


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
            return gettext("No resource, rendition or collection that is yours to look after has this address.")


REASONS = {policy.Why.NO_POLICY: _("no policy applies")}


def resource_of(levels: Iterable[Level]) -> Resource | None:
    """The row behind the nearest level; there is none where a collection's address rule or a hook takes a URL in."""
    nearest = next(iter(levels), None)
    if nearest is None or not nearest.name.isascii():
        return None
    return Resource.objects.filter(url_digest=identity.digest(nearest.name)).first()
