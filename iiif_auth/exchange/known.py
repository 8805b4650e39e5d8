"""What is there already, looked up for a whole file at once: the resources it names, and everything rows may refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext

from iiif_auth import roles, store
from iiif_auth.exchange.cells import Wrong
from iiif_auth.models import AccessPolicy, Collection, Embargo, Grant, Network, Rendition, Resource, Tier
from iiif_auth.protocol import identity

AT_ONCE = 1_000
"""Values in one statement; a database takes only so many."""

MOST_NEAR = 3
Row = TypeVar("Row", bound=Model)


def in_parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    found = list(values)
    for start in range(0, len(found), AT_ONCE):
        yield found[start : start + AT_ONCE]


@dataclass(slots=True)
class Names:
    """Rows by what people may call them, each of them by its identifier or its name."""

    rows: dict[str, Any] = field(default_factory=dict)
    several: set[str] = field(default_factory=set)
    spelt: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, row: Any) -> None:
        key = name.strip().casefold()
        if not key:
            return
        if self.rows.setdefault(key, row) != row:
            self.several.add(key)
        self.spelt.setdefault(key, name.strip())

    def find(self, text: str, missing: str) -> Any:
        """The row of this name.

        Args:
            missing: the sentence for none, with ``%(name)s``.

        Raises:
            Wrong: there is none, and then the nearest names are given; or several.
        """
        key = text.casefold()
        if key in self.several:
            raise Wrong(gettext("Several are called “%(name)s”; please give the identifier.") % {"name": text[:80]})
        if key not in self.rows:
            raise Wrong(missing % {"name": text[:80]} + self.near(key))
        return self.rows[key]

    def near(self, key: str) -> str:
        """The nearest names as the end of a sentence; ``""`` if none is near."""
        near = {
            id(self.rows[one]): self.spelt[one] for one in reversed(get_close_matches(key, self.rows, MOST_NEAR, 0.6))
        }
        names = list(near.values())[::-1]
        listed = gettext(", ").join(gettext("“%(name)s”") % {"name": name} for name in names)
        return " " + gettext("Did you mean %(names)s?") % {"names": listed} if names else ""


@dataclass(slots=True)
class Known:
    """What a judgement needs, as it is now and as far as somebody may find it."""

    user: Any
    resources: dict[str, Resource] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    """Addresses of resources and renditions that this person does not find."""
    renditions: dict[str, Rendition] = field(default_factory=dict)
    embargoes: dict[int, list[Embargo]] = field(default_factory=lambda: defaultdict(list))
    grants: dict[int, list[Grant]] = field(default_factory=lambda: defaultdict(list))
    policies: Names = field(default_factory=Names)
    collections: Names = field(default_factory=Names)
    networks: Names = field(default_factory=Names)
    people: Names = field(default_factory=Names)
    groups: Names = field(default_factory=Names)
    tiers: set[str] = field(default_factory=set)
    places: dict[str, int | None] = field(default_factory=dict)
    """By address, the collection whose address rule takes it in."""
    answers: dict[tuple[str, int | None, int | None], Any] = field(default_factory=dict)

    def may(self, codename: str, row: Resource) -> bool:
        """Whether this person may do something at a resource, asked once for all rows in one place."""
        return bool(self._asked(codename, row, lambda: roles.may(self.user, f"iiif_auth.{codename}", row)))

    def most_days(self, row: Resource) -> int | None:
        """The longest access in days that this person may give there; ``None``: as long as they like."""
        found: int | None = self._asked("", row, lambda: roles.most_days(self.user, row))
        return found

    def _asked(self, what: str, row: Resource, ask: Callable[[], Any]) -> Any:
        key = (what, row.collection_id or self.places.get(row.url), row.policy_id)
        if key not in self.answers:
            self.answers[key] = ask()
        return self.answers[key]


def looked_up(user: Any, urls: Iterable[str], people: Iterable[str]) -> Known:
    """What is known of these normalised addresses and of these people, in a number of queries that grows slowly."""
    known, asked = Known(user), list(dict.fromkeys(urls))
    _resources(known, asked)
    _overlays(known, Embargo, known.embargoes, ("then_policy",))
    _overlays(known, Grant, known.grants, ("user", "group", "network"))
    policies = roles.visible(user, AccessPolicy.objects.filter(is_template=False))
    _names(known.policies, policies, lambda row: (row.slug, row.name))
    _names(known.collections, roles.visible(user, Collection.objects.all()), _names_of_collection)
    _names(known.networks, roles.visible(user, Network.objects.all()), lambda row: (row.slug, row.name))
    _people(known, people)
    known.tiers.update(Tier.objects.order_by("slug").values_list("slug", flat=True).distinct())
    book = store.rulebook()
    known.places.update({url: book.collection_of(url) for url in asked})
    return known


def _resources(known: Known, urls: Sequence[str]) -> None:
    for part in in_parts(urls):
        digests = [identity.digest(url) for url in part]
        there = Resource.objects.filter(url_digest__in=digests)
        seen = roles.visible(known.user, there).select_related("collection", "policy")
        known.resources.update({row.url: row for row in seen})
        known.elsewhere.update(set(there.values_list("url", flat=True)) - known.resources.keys())
        renditions = Rendition.objects.filter(url_digest__in=digests).select_related("resource")
        known.renditions.update({row.url: row for row in roles.visible(known.user, renditions)})
        known.elsewhere.update(set(renditions.values_list("url", flat=True)) - known.renditions.keys())


def _overlays(known: Known, model: Any, into: dict[int, list[Any]], related: tuple[str, ...]) -> None:
    now = timezone.now()
    for part in in_parts(row.pk for row in known.resources.values()):
        rows = model.objects.filter(Q(ends=None) | Q(ends__gt=now), resource__in=part)
        for row in rows.select_related(*related).order_by("pk"):
            into[row.resource_id].append(row)


def _names(into: Names, rows: Iterable[Row], names: Callable[[Any], Iterable[str]]) -> None:
    for row in rows:
        for name in names(row):
            into.add(name, row)


def _names_of_collection(row: Collection) -> Iterable[str]:
    labels = row.label.values() if isinstance(row.label, dict) else ()
    return (row.slug, *(text for texts in labels for text in texts))


def _people(known: Known, texts: Iterable[str]) -> None:
    """Only those who are named: nobody else's name is offered instead."""
    model = get_user_model()
    fields = [model.USERNAME_FIELD, model.get_email_field_name()]
    asked = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    for part in in_parts(asked):
        for name in dict.fromkeys(fields):
            people = model._default_manager.filter(**{f"{name}__in": [*part, *(one.lower() for one in part)]})
            for row in people:
                known.people.add(str(getattr(row, name)), row)
    _names(known.groups, Group.objects.all(), lambda row: (row.name,))
