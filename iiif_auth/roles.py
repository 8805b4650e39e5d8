"""Where somebody of the staff may work: everywhere, or in the collections that were delegated to them.

Django's permissions say what a person may do; a delegation says where, and as what. Without ``every_collection`` nobody
finds, counts or changes anything outside their own collections, and within them only what the role allows. What a policy
keeps from the staff is found by the people whom the policy is for, and by keyholders: those who were given ``see_hidden``
by name or by a group, superusers too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.auth.models import Permission
from django.db.models import Model, Q, QuerySet

from iiif_auth import placing, store
from iiif_auth.models import AccessPolicy, Collection, Delegation
from iiif_auth.policy import types as policy

EVERYWHERE = "iiif_auth.every_collection"
HIDDEN = "see_hidden"
IMAGES = "iiif_auth.use_simulator"
KEPT = "_iiif_auth_scope"

Row = TypeVar("Row", bound=Model)

LOOK = frozenset({"use_simulator"})
GIVE = (
    LOOK
    | {
        f"{verb}_{name}"
        for name in ("grant", "accessrequest", "requestmessage", "invitation")
        for verb in ("add", "change", "delete")
    }
    | {"change_loan"}
)
MANAGE = GIVE | {
    *("add_resource", "change_resource", "add_rendition", "add_collection", "change_collection"),
    *("add_batch", "change_batch", "add_delegation", "change_delegation", "delete_delegation"),
    *(f"{verb}_{name}" for name in ("embargo", "withdrawal") for verb in ("add", "change", "delete")),
}
POWERS: dict[str, frozenset[str]] = {
    Delegation.Role.VIEWER: LOOK,
    Delegation.Role.DESK: GIVE,
    Delegation.Role.MANAGER: MANAGE,
}
"""By role, what it allows besides looking, to those who have the permission as well.

Nobody but those who work everywhere deletes resources or their renditions, since what is no longer listed may be open, nor
writes address rules, which take in what is others'.
"""
ORDER = tuple(POWERS)


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody is in one collection: the strongest role, and the longest grant in days (``None``: no limit)."""

    role: str
    most_days: int | None

    def allows(self, codename: str) -> bool:
        return codename.startswith("view_") or codename in POWERS[self.role]

    def joined(self, other: Power | None) -> Power:
        """Both together: the stronger role, and the longer of the limits that come with giving access."""
        if other is None:
            return self
        role = max(self.role, other.role, key=ORDER.index)
        limits = [one.most_days for one in (self, other) if one.role != Delegation.Role.VIEWER]
        return Power(role, None if None in limits else max((days for days in limits if days is not None), default=None))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where somebody works: by collection as what, and what is hidden from them."""

    everywhere: bool
    powers: dict[int, Power] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    secret: frozenset[int] = frozenset()

    def bounds(self, codename: str) -> placing.Bounds:
        """The collections in which somebody may do something."""
        allowed = frozenset(key for key, power in self.powers.items() if power.allows(codename))
        return placing.Bounds(None if self.everywhere else allowed, self.hidden, self.secret)

    def finds(self, spot: placing.Spot) -> bool:
        return spot.collection not in self.hidden and spot.policy not in self.secret

    def allows(self, codename: str, spot: placing.Spot) -> bool:
        if self.everywhere or not self.finds(spot):
            return self.everywhere and self.finds(spot)
        power = self.powers.get(spot.collection or 0)
        return power is not None and power.allows(codename)


# -- Questions ----------------------------------------------------------------------------------------------------


def is_everywhere(user: Any) -> bool:
    """Whether a person works in every collection."""
    return bool(user.has_perm(EVERYWHERE))


def visible(user: Any, rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows of any of our models that somebody may find at all, permission apart."""
    return within(user, f"{rows.model._meta.app_label}.view_{rows.model._meta.model_name}", rows)


def within(user: Any, permission: str, rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows with which somebody's roles let them do something, as ``iiif_auth.change_resource``; permission apart."""
    app, codename = permission.split(".")
    if rows.model._meta.app_label != "iiif_auth":
        return rows
    scope = scope_of(user)
    if rows.model._meta.model_name in placing.SHARED and not (scope.everywhere or codename.startswith("view_")):
        return rows.none()
    return placing.filtered(rows, scope.bounds(codename), user)


def may(user: Any, permission: str, row: Model) -> bool:
    """Whether somebody may do something (``"iiif_auth.change_resource"``) with one row, or at one, such as to add a grant."""
    if not user.has_perm(permission):
        return False
    if row._meta.app_label != "iiif_auth":
        return True
    scope, name = scope_of(user), str(row._meta.model_name)
    codename = permission.partition(".")[2]
    if name in placing.SHARED:
        return scope.everywhere or codename.startswith("view_")
    if scope.everywhere and not (scope.hidden or scope.secret):
        return True
    if name in placing.OWN_WAY and row.pk is not None:
        return within(user, permission, type(row)._default_manager.filter(pk=row.pk)).exists()
    return scope.allows(codename, placing.spot(row))


def somewhere(user: Any, permission: str) -> bool:
    """Whether somebody may do something with any row at all: by permission, and in some collection or everywhere."""
    if not user.has_perm(permission):
        return False
    scope = scope_of(user)
    codename = permission.partition(".")[2]
    if scope.everywhere or codename.startswith("view_"):
        return True
    shared = codename.partition("_")[2] in placing.SHARED
    return not shared and any(power.allows(codename) for power in scope.powers.values())


def most_days(user: Any, row: Model) -> int | None:
    """The longest grant in days that somebody may give at a row; ``None``: as long as they like; 0: none at all."""
    scope, spot = scope_of(user), placing.spot(row)
    if not scope.allows("add_grant", spot):
        return 0
    return None if scope.everywhere else scope.powers[spot.collection or 0].most_days


def may_claim(user: Any, url: str, but: int | None = None) -> bool:
    """Whether an address is nobody else's: to list it means to say who may see it.

    Args:
        url: normalised.
        but: the primary key of the resource that is being changed.
    """
    scope = scope_of(user)
    return scope.everywhere or all(
        scope.allows("change_resource", spot) for spot in placing.claimed_by(url, but) if spot.collection or spot.policy
    )


def sees_images(user: Any) -> bool:
    """Whether somebody is shown pictures of items in the admin: auditors read what was written, but look at nothing."""
    return bool(user.has_perm(IMAGES))


def held(user: Any, collection: int) -> Power | None:
    """What somebody is in a collection; ``None`` if nothing, or if they work everywhere."""
    return scope_of(user).powers.get(collection)


def collections(user: Any) -> frozenset[int] | None:
    """The primary keys of the collections that somebody finds; ``None``: all there are."""
    scope = scope_of(user)
    if scope.everywhere and not scope.hidden:
        return None
    keys = Collection.objects.values_list("pk", flat=True) if scope.everywhere else scope.powers
    return frozenset(keys) - scope.hidden


# -- Reading it ---------------------------------------------------------------------------------------------------


def scope_of(user: Any) -> Scope:
    """Where somebody works, read once for each request: it is kept on the user, whom every request reads anew."""
    kept = getattr(user, KEPT, None)
    if kept is None:
        kept = read(user)
        setattr(user, KEPT, kept)
    found: Scope = kept
    return found


def forget(user: Any) -> None:
    """Read a person's scope again at the next question; for programs that keep people longer than for a request."""
    if hasattr(user, KEPT):
        delattr(user, KEPT)


def read(user: Any) -> Scope:
    """Where somebody works, as it is stored now."""
    everywhere = is_everywhere(user)
    secret = secret_policies(user)
    if everywhere and not secret:
        return Scope(True)
    tree = {row["pk"]: row for row in Collection.objects.values("pk", "parent_id", "policy_id")}
    hidden = frozenset(key for key in tree if any(row["policy_id"] in secret for row in lineage(tree, key)))
    return Scope(everywhere, {} if everywhere else powers_of(user, tree), hidden, secret)


def lineage(tree: dict[int, Any], key: int | None) -> Iterator[Any]:
    """A collection and those it is part of, outwards; a circle ends where it began."""
    seen: set[int] = set()
    while key is not None and key not in seen and key in tree:
        seen.add(key)
        yield tree[key]
        key = tree[key]["parent_id"]


def powers_of(user: Any, tree: dict[int, Any]) -> dict[int, Power]:
    """By collection, what was delegated to a person or their groups there or further out."""
    given: dict[int, Power] = {}
    for collection, role, days in delegated(user):
        given[collection] = Power(role, days).joined(given.get(collection))
    found: dict[int, Power] = {}
    for key in tree:
        for row in lineage(tree, key):
            if row["pk"] in given:
                found[key] = given[row["pk"]].joined(found.get(key))
    return found


def delegated(user: Any) -> Iterator[tuple[int, str, int | None]]:
    """Collection, role and limit of each delegation; the groups that administer a collection manage it."""
    if not user.is_active:
        return
    whose = Q(user=user.pk) | Q(group__in=groups_of(user))
    yield from Delegation.objects.filter(whose).order_by().values_list("collection_id", "role", "most_days")
    administered = Collection.objects.filter(administrators__in=groups_of(user)).order_by().values_list("pk", flat=True)
    yield from ((key, str(Delegation.Role.MANAGER), None) for key in administered)


def groups_of(user: Any) -> Any:
    """The groups of a person as a query; a host's user model may have none."""
    groups = getattr(user, "groups", None)
    return groups.order_by().values("pk") if groups is not None else ()


# -- What is hidden from the staff --------------------------------------------------------------------------------


def secret_policies(user: Any) -> frozenset[int]:
    """The policies whose things somebody does not find."""
    held = list(AccessPolicy.objects.filter(secret_from_staff=True).order_by().values_list("pk", flat=True))
    if not held or is_keyholder(user):
        return frozenset()
    rules = store.rulebook().policies
    subject = policy.Subject(user=str(user.pk), groups=frozenset(str(row["pk"]) for row in groups_of(user)))
    return frozenset(key for key in held if key not in rules or not is_for(rules[key], subject))


def is_keyholder(user: Any) -> bool:
    """Whether ``see_hidden`` was given to a person by name or by a group; being a superuser is not enough."""
    if not user.is_superuser:
        return bool(user.has_perm(f"iiif_auth.{HIDDEN}"))
    given = Permission.objects.filter(content_type__app_label="iiif_auth", codename=HIDDEN)
    own = getattr(user, "user_permissions", None)
    by_name = own is not None and own.filter(pk__in=given.values("pk")).exists()
    return user.is_active and (by_name or given.filter(group__in=groups_of(user)).exists())


def is_for(held: policy.Policy, subject: policy.Subject) -> bool:
    """Whether a policy names somebody, themselves or by their groups: what is for everybody does not count."""
    stranger = policy.Subject(user="")
    named = (tier for tier in held.tiers if tier.gets is not policy.Gets.NOTHING)
    return any(tier.audience.admits(subject) and not tier.audience.admits(stranger) for tier in named)


__all__ = [
    "Power",
    "Scope",
    "collections",
    "forget",
    "held",
    "is_everywhere",
    "may",
    "may_claim",
    "most_days",
    "scope_of",
    "sees_images",
    "somewhere",
    "visible",
    "within",
]
