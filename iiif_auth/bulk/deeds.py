"""What can be done to many resources or collections at once.

A deed is a value of plain facts, so that it can wait in a batch. It says which rows it leaves alone and why, does itself to
rows, and does the same to the values that policy judges, so that it can be seen beforehand who gains and who loses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from iiif_auth import history
from iiif_auth.models import Embargo, Grant, Resource, Tier, Withdrawal
from iiif_auth.policy import types as values
from iiif_auth.policy.types import Level
from iiif_auth.store import Rulebook
from iiif_auth.store.values import reach_of

Levels = tuple[Level, ...]
IsTarget = Callable[[Level], bool]


def running(at: datetime) -> Q:
    """Overlays that count at this moment."""
    return (Q(starts=None) | Q(starts__lte=at)) & (Q(ends=None) | Q(ends__gt=at))


def not_over(at: datetime) -> Q:
    return Q(ends=None) | Q(ends__gt=at)


def moment(text: str) -> datetime | None:
    """A moment from a plan; ``None`` for an empty text."""
    return parse_datetime(text) if text else None


def named(model: type[Model]) -> str:
    """The field by which an overlay names a row of this model."""
    return str(model._meta.model_name)


def over(model: type[Model], keys: Sequence[Any]) -> dict[str, Any]:
    """Which overlays are about these rows, as a filter."""
    return {f"{named(model)}__in": list(keys)}


@dataclass(frozen=True)
class Deed:
    """One thing to be done to many rows."""

    slug: ClassVar[str]
    needs: ClassVar[str]
    """The permission; ``{model}`` stands for what the rows are."""

    def permission(self, model: type[Model]) -> str:
        return f"iiif_auth.{self.needs.format(model=named(model))}"

    def plan(self) -> dict[str, Any]:
        """The deed as JSON, for :func:`deed_of`."""
        return {"deed": self.slug, "with": asdict(self)}

    def as_done_by(self, user: Any) -> Deed:
        """The deed as far as this person may still do it when it comes to be done."""
        return self

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        """The rows that are left alone: a sentence for each kind, and which they are."""
        return []

    def free(self, rows: QuerySet[Any], at: datetime) -> QuerySet[Any]:
        """The rows to which it is done."""
        for _why, which in self.spared(rows.model, at):
            rows = rows.exclude(which)
        return rows

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        """Do it to these rows, which are free, within the transaction around."""
        raise NotImplementedError

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        """What becomes of the level of a row."""
        raise NotImplementedError

    def upon(self, levels: Levels, is_target: IsTarget, book: Rulebook, at: datetime) -> Levels:
        """What becomes of all the levels that bear on a resource."""
        return tuple(self.on(level, book, at) if is_target(level) else level for level in levels)


@dataclass(frozen=True)
class SetPolicy(Deed):
    """Gives rows a policy of their own, or takes it away (``policy`` is ``None``)."""

    slug = "set_policy"
    needs = "change_{model}"
    policy: int | None = None
    only_without: bool = False
    loosens: bool = False

    def as_done_by(self, user: Any) -> Deed:
        return replace(self, loosens=self.loosens and user.has_perm("iiif_auth.loosen_policy"))

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        found = []
        if self.only_without:
            found.append((_("They have a policy of their own already."), Q(policy__isnull=False)))
        if not self.loosens:
            found.append((_("They replace the policies above, which you may not change."), Q(overrides=True)))
        same = _("They have no policy of their own.") if self.policy is None else _("They have this policy already.")
        return [*found, (same, Q(policy=self.policy))]

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        rows = model._base_manager.filter(pk__in=keys)
        if self.policy is None:
            history.updated(rows.filter(overrides=True), policy=None, overrides=False)
        history.updated(rows, policy=self.policy)

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        if (self.only_without and level.policy) or (level.overrides and not self.loosens):
            return level
        return replace(
            level,
            policy=book.policies.get(self.policy or 0),
            policy_grants=book.policy_grants.get(self.policy or 0, ()),
            overrides=level.overrides and self.policy is not None,
        )


@dataclass(frozen=True)
class Close(Deed):
    """Lays an embargo over rows. ``present``: what becomes of those under one already: leave, add or replace."""

    slug = "embargo"
    needs = "add_embargo"
    starts: str = ""
    ends: str = ""
    closes: str = "all"
    hard: bool = False
    then_policy: int | None = None
    note: dict[str, list[str]] = field(default_factory=dict)
    reason: str = ""
    present: str = "leave"

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        if self.present != "leave":
            return []
        held = Embargo.objects.filter(not_over(at), **{f"{named(model)}__isnull": False}).values(named(model))
        return [(_("They are under an embargo already, or will be."), Q(pk__in=held))]

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        if self.present == "replace":
            end(Embargo, over(model, keys), at)
        facts = asdict(self) | {"starts": moment(self.starts), "ends": moment(self.ends)}
        facts["then_policy_id"] = facts.pop("then_policy")
        del facts["present"]
        history.created(Embargo, [Embargo(**{f"{named(model)}_id": key}, **facts) for key in keys])

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        held = tuple(one for one in level.embargoes if not one.window.over(at))
        if self.present == "leave" and held:
            return level
        made = values.Embargo(
            values.Window(moment(self.starts), moment(self.ends)), values.Closes(self.closes), self.hard
        )
        return replace(level, embargoes=(*(held if self.present == "add" else ()), made))


def end(model: type[Any], which: dict[str, Any], at: datetime) -> None:
    """End what is running, and delete what has not begun: that never was."""
    rows = model.objects.filter(**which)
    history.deleted(rows.filter(starts__gt=at))
    history.updated(rows.filter(running(at)), ends=at)


def spared_by_lack(model: type[Model], laid: QuerySet[Any], why: Any) -> list[tuple[Any, Q]]:
    """The rows that nothing of this is laid over."""
    name = named(model)
    return [(why, ~Q(pk__in=laid.filter(**{f"{name}__isnull": False}).values(name)))]


@dataclass(frozen=True)
class Lift(Deed):
    """Ends the embargoes of rows."""

    slug = "lift"
    needs = "change_embargo"

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        return spared_by_lack(model, Embargo.objects.filter(not_over(at)), _("They are under no embargo of their own."))

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        end(Embargo, over(model, keys), at)

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        return replace(level, embargoes=())


@dataclass(frozen=True)
class Give(Deed):
    """Grants access to a person, a group or a network, until a moment."""

    slug = "grant"
    needs = "add_grant"
    user: Any = None
    group: int | None = None
    network: int | None = None
    tier: str = ""
    take: bool = True
    ends: str = ""
    reason: str = ""
    granted_by: Any = None

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        facts = {"tier": self.tier, "take": self.take, "ends": moment(self.ends), "reason": self.reason}
        links = {f"{name}_id": getattr(self, name) for name in ("user", "group", "network", "granted_by")}
        history.created(Grant, [Grant(**{f"{named(model)}_id": key}, **links, **facts) for key in keys])

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        principal: values.Principal
        if self.group is not None:
            principal = values.Group(str(self.group))
        elif self.network is not None:
            principal = book.networks.get(self.network, values.Network(()))
        else:
            principal = values.User(str(self.user))
        made = values.Grant(principal, window=values.Window(None, moment(self.ends)), take=self.take, label=self.tier)
        return replace(level, grants=(*level.grants, made))

    def upon(self, levels: Levels, is_target: IsTarget, book: Rulebook, at: datetime) -> Levels:
        """A grant reaches as far as the tier of that name does from where it is given outwards."""
        found = list(super().upon(levels, is_target, book, at))
        for position, level in enumerate(found):
            if is_target(level):
                *kept, made = level.grants
                reaching = replace(made, reach=reach_of(self.tier, levels[position:]))
                found[position] = replace(level, grants=(*kept, reaching))
        return tuple(found)


@dataclass(frozen=True)
class EndGrants(Deed):
    """Ends the grants given at rows, to everybody or to one person or group."""

    slug = "end_grants"
    needs = "change_grant"
    user: Any = None
    group: int | None = None

    def _which(self) -> dict[str, Any]:
        return {name: value for name in ("user", "group") if (value := getattr(self, name)) is not None}

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        about = {f"{named(model)}__isnull": False, **self._which()}
        held = Grant.objects.filter(not_over(at), **about).values(named(model))
        return [(_("There is no such grant at them."), ~Q(pk__in=held))]

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        end(Grant, over(model, keys) | self._which(), at)

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        if not self._which():
            return replace(level, grants=())
        ended = {values.User(str(self.user)), values.Group(str(self.group))}
        return replace(level, grants=tuple(grant for grant in level.grants if grant.principal not in ended))


@dataclass(frozen=True)
class Withdraw(Deed):
    """Takes rows away from everybody, from now on."""

    slug = "withdraw"
    needs = "add_withdrawal"
    reason: str = ""
    reference: str = ""
    review_on: str = ""
    note: dict[str, list[str]] = field(default_factory=dict)

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        held = Withdrawal.objects.filter(running(at), ends=None, **{f"{named(model)}__isnull": False})
        return [(_("They are withdrawn already."), Q(pk__in=held.values(named(model))))]

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        facts = asdict(self) | {
            "review_on": date.fromisoformat(self.review_on) if self.review_on else None,
            "starts": at,
        }
        history.created(Withdrawal, [Withdrawal(**{f"{named(model)}_id": key}, **facts) for key in keys])

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        return replace(level, withdrawals=(values.Withdrawal(values.ALWAYS),))


@dataclass(frozen=True)
class Restore(Deed):
    """Ends the withdrawals of rows; the rules are as they were before."""

    slug = "restore"
    needs = "change_withdrawal"

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        return spared_by_lack(model, Withdrawal.objects.filter(running(at)), _("They are not withdrawn themselves."))

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        history.updated(Withdrawal.objects.filter(running(at), **over(model, keys)), ends=at)

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        return replace(level, withdrawals=tuple(one for one in level.withdrawals if not one.window.begun(at)))


@dataclass(frozen=True)
class Move(Deed):
    """Puts resources into a collection, or into none."""

    slug = "move"
    needs = "change_resource"
    collection: int | None = None

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        here = Q(collection=self.collection) if self.collection else Q(collection__isnull=True)
        return [(_("They are there already."), here)]

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        history.updated(model._base_manager.filter(pk__in=keys), collection=self.collection)

    def upon(self, levels: Levels, is_target: IsTarget, book: Rulebook, at: datetime) -> Levels:
        place = book.places.get(self.collection or 0)
        return (levels[0], *(place.levels if place else ()))


@dataclass(frozen=True)
class Remove(Deed):
    """Deletes rows with everything that is laid over them. The addresses are then known to no rule but the collections'."""

    slug = "remove"
    needs = "delete_{model}"

    def spared(self, model: type[Model], at: datetime) -> list[tuple[Any, Q]]:
        if model is not Resource:
            return []
        shown = Tier.objects.filter(substitute__isnull=False).values("substitute")
        return [(_("They are shown instead of something else."), Q(pk__in=shown))]

    def do(self, model: type[Model], keys: Sequence[Any], at: datetime) -> None:
        history.deleted(model._base_manager.filter(pk__in=keys))

    def on(self, level: Level, book: Rulebook, at: datetime) -> Level:
        return Level(level.name)


DEEDS: dict[str, type[Deed]] = {
    deed.slug: deed for deed in (SetPolicy, Close, Lift, Give, EndGrants, Withdraw, Restore, Move, Remove)
}


def deed_of(plan: dict[str, Any]) -> Deed:
    """The deed of a plan.

    Raises:
        KeyError, TypeError: there is no such deed, or it takes other facts; a newer program wrote it.
    """
    return DEEDS[plan["deed"]](**plan["with"])
