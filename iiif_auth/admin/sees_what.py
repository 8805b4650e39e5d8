"""“What can this person see?”: policies, grants and collections of a person, of a group, or of somebody without an account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import identify, roles, store
from iiif_auth.admin import people, spoken, states
from iiif_auth.admin.people import NamedField
from iiif_auth.admin.situations import NOWHERE, Asker, Tally, tallies
from iiif_auth.models import AccessPolicy, Collection, Grant, Invitation, PersonAttribute, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.explain import SOMEBODY, Explanation, Verdict, explain
from iiif_auth.policy.routes import standing_of

PARTS = ("user", "group", "network", "service", "invitation", "resource", "collection", "policy", "granted_by")


class SeesForm(forms.Form):
    """About whom: a person, a group, or an e-mail address."""

    person = NamedField(
        label=_("Person"), required=False, max_length=200, help_text=_("A name or e-mail address, or a part of it.")
    )
    group = NamedField(
        label=_("Or a group"), required=False, find=people.group, max_length=200, help_text=_("The name of the group.")
    )
    email = forms.EmailField(
        label=_("Or an e-mail address"),
        required=False,
        max_length=254,
        help_text=_("Of somebody without an account, who was invited."),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        given = [name for name in self.fields if found.get(name)]
        if not self.errors and len(given) != 1:
            raise ValidationError(_("Please give one: a person, a group, or an e-mail address."))
        return found


@dataclass(frozen=True, slots=True)
class Satisfied:
    """A policy, what the one asked about gets where it alone governs, by which rules, and what would help them to more."""

    policy: AccessPolicy
    what: str
    rules: tuple[str, ...]
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A collection, how many resources are in it, and how many of them can be seen at which reach."""

    what: str
    collection: Collection | None
    total: int
    counts: tuple[int, ...]


class Sight:
    """The answer for one member of staff, as of now."""

    def __init__(self, user: Any, *, person: Any = None, group: Any = None, email: str = "") -> None:
        self.user, self.at = user, timezone.now()
        self.person, self.group, self.email = person, group, email

    @property
    def name(self) -> str:
        if self.group is not None:
            return gettext("Members of %(group)s") % {"group": self.group}
        return people.shown(self.person) if self.person is not None else self.email

    @cached_property
    def groups(self) -> list[Any]:
        groups = getattr(self.person, "groups", None)
        return list(groups.order_by("name")) if groups is not None else []

    @property
    def inactive(self) -> bool:
        return self.person is not None and not self.person.is_active

    @cached_property
    def invitations(self) -> list[Invitation]:
        """What was sent to this address, and by this member of staff may be found."""
        rows = Invitation.objects.filter(email__iexact=self.email) if self.email else Invitation.objects.none()
        return list(roles.visible(self.user, rows).order_by("-created")[:100])

    @cached_property
    def said(self) -> list[PersonAttribute]:
        """What identity providers say of them, as far as this member of staff may know it."""
        if self.person is None or not self.user.has_perm("iiif_auth.view_personattribute"):
            return []
        rows = PersonAttribute.objects.filter(user=self.person).select_related("provider")
        return list(rows.order_by("provider__name", "name", "value")[:MOST_SAID])

    @cached_property
    def account(self) -> Any:
        """The account with this e-mail address, if there is one."""
        field = get_user_model().get_email_field_name()
        if not self.email or field not in people.name_fields():
            return None
        return get_user_model()._default_manager.filter(**{f"{field}__iexact": self.email}).order_by("pk").first()

    @cached_property
    def described(self) -> policy.Subject:
        return identify.described(self.person)

    @cached_property
    def asker(self) -> Asker:
        if self.group is not None:
            groups = frozenset({str(self.group.pk)})
            return Asker(policy.Subject(user=SOMEBODY, groups=groups), Q(group=self.group))
        if self.person is not None:
            return Asker(self.described, self.whose if self.described.user else Q(pk__in=()))
        running = frozenset((policy.INVITATION, str(one.pk)) for one in self.invitations if one.ends > self.at)
        return Asker(policy.Subject(attributes=running), Q(invitation__in=[key for _name, key in running]))

    @cached_property
    def whose(self) -> Q:
        """Which grants are theirs, whether they count now or not."""
        if self.group is not None:
            return Q(group=self.group)
        if self.person is not None:
            groups = [group.pk for group in self.groups]
            return Q(user=self.person) | Q(group__in=groups) | by_attribute(self.described)
        return Q(invitation__in=[one.pk for one in self.invitations])

    @cached_property
    def book(self) -> store.Rulebook:
        """The rules.

        Raises:
            RulesInMotion: they changed each time while they were being read.
        """
        return store.rulebook()

    # -- policies

    def policies(self, rows: Iterable[AccessPolicy]) -> list[Satisfied]:
        return [self._satisfied(row, self.book.policies[row.pk]) for row in rows if row.pk in self.book.policies]

    def listed_policies(self) -> QuerySet[AccessPolicy]:
        return roles.visible(self.user, AccessPolicy.objects.filter(is_template=False)).order_by("name", "pk")

    def _satisfied(self, row: AccessPolicy, held: policy.Policy) -> Satisfied:
        subject = self.asker.subject
        grants = tuple(grant for grant in self.book.policy_grants.get(row.pk, ()) if grant.principal.admits(subject))
        offer = policy.Offer(policy.Rendition(""), levels=(policy.Level("", held, policy_grants=grants),))
        gets = standing_of(offer, subject, self.at)
        best = max((tier.reach for tier in held.tiers), default=policy.NOTHING)
        wanted = replace(offer, wanted=replace(offer.wanted, reach=max(best, policy.OTHER)))
        more = explain(wanted, subject, self.at) if gets.reach < best else None
        return Satisfied(
            row,
            words.what(gets.reach, gets.take, gettext),
            tuple(
                self._rules(explain(replace(offer, wanted=replace(offer.wanted, reach=gets.reach)), subject, self.at))
            )
            if gets.reach > policy.NOTHING
            else (),
            tuple(words.remedy_phrase(one, gettext, spoken.reader()) for one in more.remedies if not one.grant)
            if more
            else (),
        )

    def _rules(self, explained: Explanation) -> Iterator[str]:
        """The rules that say yes."""
        for finding in explained.findings:
            if finding.verdict is Verdict.YES and isinstance(finding.rule, policy.Tier):
                yield words.tier_phrase(finding.rule, gettext, spoken.reader())
            elif finding.verdict is Verdict.YES and isinstance(finding.rule, policy.Grant):
                yield gettext("by a grant for this policy")

    # -- grants

    def grants(self, state: str) -> QuerySet[Grant]:
        """Their grants in a state: running, coming or over."""
        rows = Grant.objects.filter(self.whose, states.conditions(self.at)[state])
        return roles.visible(self.user, rows).select_related(*PARTS).order_by("-created", "-pk")

    # -- collections

    @cached_property
    def tallies(self) -> dict[int, Tally]:
        rows = roles.visible(self.user, Resource.objects.all())
        return tallies(rows, self.asker, self.at, self.book)

    @cached_property
    def reaches(self) -> list[int]:
        """The columns: every reach that occurs, the best first, and nothing last."""
        found = {reach for tally in self.tallies.values() for reach in tally.by_reach}
        return sorted(found | {policy.FULL, policy.NOTHING}, reverse=True)

    def columns(self) -> list[str]:
        return [self._column(reach) for reach in self.reaches]

    def _column(self, reach: int) -> str:
        if reach >= policy.FULL:
            return gettext("Full version")
        if reach > policy.OTHER:
            return gettext("At most %(edge)d pixels") % {"edge": reach}
        return gettext("Something else instead") if reach == policy.OTHER else gettext("Nothing")

    def rows(self) -> list[Row]:
        """The collections with resources, those in none last."""
        named = {row.pk: row for row in Collection.objects.filter(pk__in=self.tallies)}
        found = [self._row(named.get(key), tally) for key, tally in self.tallies.items()]
        return sorted(found, key=lambda row: (row.collection is None, row.what.casefold()))

    def _row(self, collection: Collection | None, tally: Tally) -> Row:
        what = str(collection) if collection else gettext("In no collection")
        counts = tuple(tally.by_reach.get(reach, 0) for reach in self.reaches)
        return Row(what, collection, tally.total, counts)

    # -- for a file

    def written(self) -> Iterator[dict[str, str]]:
        """Everything as lines: policies, grants, and collections by what can be seen of them."""
        for one in self.policies(self.listed_policies()):
            yield line(gettext("policy"), str(one.policy), one.what, " | ".join(one.rules))
        for state, name in (("running", _("grant")), ("coming", _("grant to come")), ("over", _("grant that is over"))):
            for row in self.grants(state).iterator(chunk_size=500):
                yield line(str(name), str(row.resource or row.collection or row.policy), row.tier, period(row))
        yield from self._written_counts()

    def _written_counts(self) -> Iterator[dict[str, str]]:
        for held in self.rows():
            for column, count in zip(self.columns(), held.counts, strict=True):
                if count:
                    yield line(gettext("resources"), held.what, column, str(count))


def by_attribute(subject: policy.Subject) -> Q:
    """Which grants are for what is said of somebody; one query, of as many rows as grants ask for different things."""
    names = {name for name, _value in subject.attributes if name != policy.INVITATION}
    asked = Grant.objects.filter(attribute_name__in=names).order_by().values_list(*ATTRIBUTE).distinct()
    found = Q(pk__in=())
    for name, values, matching in asked:
        first, *others = values.split("\n")
        if policy.Attribute(name, first, tuple(others), policy.Matching(matching)).admits(subject):
            found |= Q(attribute_name=name, attribute_value=values, attribute_matching=matching)
    return found


ATTRIBUTE = ("attribute_name", "attribute_value", "attribute_matching")
MOST_SAID = 200
COLUMNS = ("kind", "what", "gets", "more")


def line(kind: str, what: str, gets: str, more: str) -> dict[str, str]:
    return dict(zip(COLUMNS, (kind, what, gets, more), strict=True))


def period(row: Grant) -> str:
    """When a grant is good, as two moments that programs can read."""
    return "/".join(at.isoformat() if at else "" for at in (row.starts, row.ends))


__all__ = ["COLUMNS", "NOWHERE", "Sight", "SeesForm"]
