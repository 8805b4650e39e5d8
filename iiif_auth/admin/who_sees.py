"""“Who can see this?”: everybody whom the rules of a resource or a collection let in, by kind and by name, with the rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext

from iiif_auth import roles, store
from iiif_auth.admin import people, spoken, states
from iiif_auth.admin.answering import Link
from iiif_auth.attributes.keeping import said_of_each
from iiif_auth.models import AccessPolicy, Collection, Condition, Grant, Invitation, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.routes import Gets, Route, Routes, is_personal, routes, standing_of, without

PER_PAGE = 100
MOST_INVITED = 100
AT_ONCE = 500
"""People judged together while a list is written to a file."""

Target = Resource | Collection


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of people and what they get. ``group`` is the key of the one group they are in, ``members`` how many that has."""

    who: str
    what: str
    rules: tuple[Link, ...]
    group: str = ""
    members: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """One person, or whoever has an invitation, and what they get by which rules."""

    name: str
    key: str
    what: str
    rules: tuple[Link, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """An embargo or a withdrawal that bears on it, running or still to come."""

    where: str
    said: str


class Sheet:
    """One question, answered for one member of staff as of now."""

    def __init__(self, target: Target, user: Any) -> None:
        self.target, self.user, self.at = target, user, timezone.now()

    # -- what is judged

    @cached_property
    def offer(self) -> policy.Offer:
        """The rules of the item; of a collection, those of an item in it that has none of its own.

        Raises:
            RulesInMotion: they changed each time while they were being read.
        """
        if isinstance(self.target, Resource):
            found = store.find_offer(self.target.url)
            return found or policy.Offer(policy.Rendition(self.target.url))
        place = store.rulebook().places.get(self.target.pk)
        levels = place.levels if place else ()
        return policy.Offer(policy.Rendition(""), levels=(policy.Level(""), *levels))

    @cached_property
    def levels(self) -> tuple[policy.Level, ...]:
        return tuple(level.governed(self.at) for level in self.offer.levels)

    @cached_property
    def names(self) -> bool:
        """Whether whoever looks may see to whom access was given."""
        return bool(self.user.has_perm("iiif_auth.view_grant"))

    # -- kinds

    @cached_property
    def found(self) -> Routes:
        return routes(without(self.offer, lambda grant: not is_personal(grant)), self.at)

    def kinds(self) -> list[Kind]:
        counted = self._members(self.found.found)
        return [self._kind(route, counted) for route in self.found.found]

    def _kind(self, route: Route, counted: dict[str, int]) -> Kind:
        group = next((need.id for need in route.needs if isinstance(need, policy.Group)), "")
        return Kind(
            who=who(self._labelled(route.needs)),
            what=words.what(route.gets.reach, route.gets.take, gettext),
            rules=self.rules(route.gets),
            group=group,
            members=counted.get(group),
        )

    def _labelled(self, needs: Iterable[policy.Principal]) -> list[policy.Principal]:
        """What comes of a grant's row has no label yet."""
        names = self._group_names
        return [
            replace(one, label=names.get(one.id, one.label)) if isinstance(one, policy.Group) else one for one in needs
        ]

    @cached_property
    def _group_names(self) -> dict[str, str]:
        needed = {need.id for route in self.found.found for need in route.needs if isinstance(need, policy.Group)}
        return {str(row.pk): row.name for row in Group.objects.filter(pk__in=needed)}

    def _members(self, found: Iterable[Route]) -> dict[str, int]:
        keys = {need.id for route in found for need in route.needs if isinstance(need, policy.Group)}
        if not (has_groups() and keys):
            return {}
        everyone: Any = get_user_model()._default_manager
        rows = everyone.filter(groups__in=keys, is_active=True).order_by()
        counted = rows.values_list("groups").annotate(Count("pk"))
        return {str(group): count for group, count in counted if str(group) in keys}

    # -- rules

    def rules(self, gets: Gets) -> tuple[Link, ...]:
        """The rules by which somebody gets something, each once."""
        return tuple(dict.fromkeys(link for name in gets.by if (link := self._rule(name)) is not None))

    def _rule(self, name: str) -> Link | None:
        if name in self._tiers:
            slug, tier = self._tiers[name]
            held = self._policies.get(slug)
            said = words.rule_sentence(tier, gettext, spoken.reader())
            return Link(f"{held or slug}, {words.tier_name(tier, spoken.reader())}: {said}", self._url(held))
        row = self._grants.get(name)
        if row is None:
            return Link(gettext("A grant"))
        until = gettext("until %(day)s") % {"day": states.day(row.ends)} if row.ends else gettext("without an end")
        return Link(gettext("Grant %(number)d, %(until)s") % {"number": row.pk, "until": until}, self._url(row))

    def _url(self, row: Any) -> str:
        if row is None or not roles.may(self.user, f"iiif_auth.view_{row._meta.model_name}", row):
            return ""
        try:
            return reverse(f"admin:iiif_auth_{row._meta.model_name}_change", args=[row.pk])
        except NoReverseMatch:
            return ""

    @cached_property
    def _tiers(self) -> dict[str, tuple[str, policy.Tier]]:
        held = [level.policy for level in self.levels if level.policy]
        return {f"{one.slug}/{tier.slug}": (one.slug, tier) for one in held for tier in one.tiers}

    @cached_property
    def _policies(self) -> dict[str, AccessPolicy]:
        slugs = [level.policy.slug for level in self.levels if level.policy]
        return {row.slug: row for row in AccessPolicy.objects.filter(slug__in=slugs)}

    @cached_property
    def _grants(self) -> dict[str, Grant]:
        """The grants by which kinds of people get in, by key; those to people are read with them."""
        if not self.names:
            return {}
        keys = [int(name) for route in self.found.found for name in route.gets.by if name.isdigit()]
        rows = roles.visible(self.user, Grant.objects.filter(pk__in=keys)).select_related(*PARTS)
        return {str(row.pk): row for row in rows}

    # -- people

    @cached_property
    def granted(self) -> QuerySet[Grant]:
        """The running grants that bear on it, as far as whoever looks may find them."""
        slugs = [level.name for level in self.offer.levels[1:]]
        policies = [level.policy.slug for level in self.levels if level.policy]
        scope = Q(collection__slug__in=slugs) | Q(policy__slug__in=policies)
        if isinstance(self.target, Resource):
            scope |= Q(resource=self.target.pk)
        rows = Grant.objects.filter(scope, states.conditions(self.at)["running"])
        return roles.visible(self.user, rows).order_by()

    @cached_property
    def people(self) -> QuerySet[Any]:
        """Whoever is named by a grant or by a condition, in the order of their names."""
        slugs = [level.policy.slug for level in self.levels if level.policy]
        named = Condition.objects.filter(tier__policy__slug__in=slugs, user__isnull=False).order_by().values("user")
        granted = self.granted.filter(user__isnull=False).values("user")
        return everybody().filter(Q(pk__in=granted) | Q(pk__in=named))

    def members(self, group: str) -> QuerySet[Any]:
        """The members of one of the groups that are let in."""
        known = {need.id for route in self.found.found for need in route.needs if isinstance(need, policy.Group)}
        return everybody().filter(groups=group) if group in known and has_groups() else everybody().none()

    def named(self, rows: list[Any]) -> list[Named]:
        """These people with what each gets, in a number of queries that does not grow with them."""
        subjects = subjects_of(rows)
        keys = {subject.user for subject in subjects if subject.user}
        offer = without(self.offer, lambda grant: not is_personal(grant) or is_one_of(grant, keys))
        nobody = standing_of(offer, policy.NOBODY, self.at)
        found = [standing_of(offer, subject, self.at) for subject in subjects]
        self._read_grants(found)
        return [self._named(row, gets, nobody) for row, gets in zip(rows, found, strict=True)]

    def _named(self, row: Any, gets: Gets, nobody: Gets) -> Named:
        more = not nobody.covers(gets)
        return Named(people.shown(row), str(row.pk), self.gets_in_words(gets), self.rules(gets) if more else (), more)

    def gets_in_words(self, gets: Gets) -> str:
        return words.what(gets.reach, gets.take, gettext)

    def _read_grants(self, found: Iterable[Gets]) -> None:
        if not self.names:
            return
        keys = {int(name) for gets in found for name in gets.by if name.isdigit() and name not in self._grants}
        rows = roles.visible(self.user, Grant.objects.filter(pk__in=keys)).select_related(*PARTS)
        self._grants.update({str(row.pk): row for row in rows})

    def invited(self) -> list[Named]:
        """Whoever has an invitation, by e-mail: people without an account."""
        keys = self.granted.filter(invitation__isnull=False, invitation__ends__gt=self.at).values("invitation")
        rows = list(Invitation.objects.filter(pk__in=keys).order_by("email", "pk")[:MOST_INVITED])
        numbers = {str(row.pk) for row in rows}
        offer = without(self.offer, lambda grant: not is_personal(grant) or invitation_of(grant) in numbers)
        carried = [policy.Subject(attributes=frozenset({(policy.INVITATION, str(row.pk))})) for row in rows]
        found = [standing_of(offer, subject, self.at) for subject in carried]
        nobody = standing_of(offer, policy.NOBODY, self.at)
        self._read_grants(found)
        return [
            replace(self._named(row, gets, nobody), name=row.email, key="")
            for row, gets in zip(rows, found, strict=True)
        ]

    # -- what closes it

    def closed(self) -> list[Closed]:
        return [
            Closed(self._place(number, level), words.rule_sentence(rule, gettext, spoken.reader()))
            for number, level in enumerate(self.offer.levels)
            for rule in closing(level)
            if not rule.window.over(self.at)
        ]

    def _place(self, number: int, level: policy.Level) -> str:
        return str(self._around.get(level.name, level.name)) if number else str(self.target)

    @cached_property
    def _around(self) -> dict[str, Collection]:
        slugs = [level.name for level in self.offer.levels[1:]]
        return {row.slug: row for row in Collection.objects.filter(slug__in=slugs)}

    # -- everything, for a file

    def rows(self) -> Iterator[dict[str, str]]:
        """Every kind of people, person and invitation; names only for those who may see them."""
        for kind in self.kinds():
            yield row_of(gettext("kind"), kind.who, kind.what, kind.rules)
        if not self.names:
            return
        pages = Paginator(self.people, AT_ONCE)
        for number in pages.page_range:
            for one in self.named(list(pages.page(number))):
                yield row_of(gettext("person"), one.name, one.what, one.rules)
        for one in self.invited():
            yield row_of(gettext("invitation"), one.name, one.what, one.rules)


COLUMNS = ("kind", "who", "what", "rules")
PARTS = ("user", "group", "network", "service", "resource", "collection", "policy")


def row_of(kind: str, who: str, what: str, rules: Iterable[Link]) -> dict[str, str]:
    return dict(zip(COLUMNS, (kind, who, what, " | ".join(rule.text for rule in rules)), strict=True))


def who(needs: Iterable[policy.Principal]) -> str:
    """A kind of people as a phrase with a capital: “Members of Staff who are at Reading room”."""
    held = tuple(needs)
    listed = tuple(need for need in held if not isinstance(need, policy.Authenticated)) or held
    said = words.who(policy.AllOf(listed) if listed else policy.Everyone(), gettext)
    return said[:1].upper() + said[1:]


def closing(level: policy.Level) -> Iterator[policy.Embargo | policy.Withdrawal]:
    yield from level.withdrawals
    yield from level.embargoes


def everybody() -> QuerySet[Any]:
    return get_user_model()._default_manager.order_by(get_user_model().USERNAME_FIELD)


def has_groups() -> bool:
    """Whether the host's people can be in Django's groups."""
    try:
        return get_user_model()._meta.get_field("groups").related_model is Group
    except FieldDoesNotExist:
        return False


def subjects_of(rows: list[Any]) -> list[policy.Subject]:
    """People as policy sees them, nowhere in particular; their groups, and what is said of them, are read at once."""
    held: dict[Any, set[str]] = {row.pk: set() for row in rows}
    if has_groups():
        pairs = get_user_model()._default_manager.filter(pk__in=held, groups__isnull=False).order_by()
        for person, group in pairs.values_list("pk", "groups"):
            held[person].add(str(group))
    said = said_of_each(held)
    active = (row if row.is_active else None for row in rows)
    return [
        policy.Subject(user=str(row.pk), groups=frozenset(held[row.pk]), attributes=said[row.pk])
        if row
        else policy.NOBODY
        for row in active
    ]


def is_one_of(grant: policy.Grant, keys: set[str]) -> bool:
    return isinstance(grant.principal, policy.User) and grant.principal.id in keys


def invitation_of(grant: policy.Grant) -> str:
    principal = grant.principal
    return principal.value if isinstance(principal, policy.Attribute) and policy.is_invitation(principal) else ""
