"""The columns about closing a resource for a time, and about giving somebody access to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext

from iiif_auth.exchange import columns, dates
from iiif_auth.exchange.cells import Wrong
from iiif_auth.exchange.deeds import Alter, Make, Remove
from iiif_auth.models import Embargo, Grant, Resource

if TYPE_CHECKING:
    from iiif_auth.exchange.judging import Bench, Given, Judged

YES = ("yes", "y", "true", "1", "x")
NO = ("no", "n", "false", "0")
FULL = ("full", "all")
GROUP = "group:"
FAR = datetime.max.replace(tzinfo=UTC)


# -- Embargoes ----------------------------------------------------------------------------------------------------


def embargo(bench: Bench, given: Given, found: Judged, row: Resource) -> None:
    """What a row changes of what closes a resource for a time."""
    if not given.says(*columns.OF_EMBARGO):
        return
    held = bench.known.embargoes.get(row.pk, []) if row.pk else []
    if len(held) > 1:
        found.errors.append(
            gettext("It has %(count)d embargoes of its own; please change them on its page.") % {"count": len(held)}
        )
        return
    try:
        if "embargo_until" in given.cleared:
            _lift(bench, found, row, held)
        else:
            _close(bench, given, found, row, held[0] if held else None)
    except Wrong as wrong:
        found.errors.append(f"{columns.title('embargo_until')}: {wrong}")


def _lift(bench: Bench, found: Judged, row: Resource, held: list[Embargo]) -> None:
    for one in held:
        _check(bench, "delete_embargo", row)
        found.changes.append((columns.title("embargo_until"), dates.written(one.ends), gettext("nothing")))
        found.deeds.append(Remove(Embargo, one.pk))


def _close(bench: Bench, given: Given, found: Judged, row: Resource, held: Embargo | None) -> None:
    values = _embargo_values(bench, given, held)
    if held is None:
        _check(bench, "add_embargo", row)
        found.deeds.append(Make(Embargo(resource=row, **values)))
        found.changes.extend(_embargo_changes(Embargo(), values))
        return
    differing = {name: value for name, value in values.items() if _differs(getattr(held, name), value)}
    if differing:
        _check(bench, "change_embargo", row)
        found.deeds.append(Alter(Embargo, held.pk, tuple(sorted(differing.items()))))
        found.changes.extend(_embargo_changes(held, differing))


def _embargo_values(bench: Bench, given: Given, held: Embargo | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if text := given.values.get("embargo_until", ""):
        values["ends"] = None if dates.is_endless(text) else dates.opening(text, bench.style)
        _check_ends(values["ends"], held)
    elif held is None:
        raise Wrong(gettext("Please say until when it is closed; “Then the policy” alone closes nothing."))
    values.update(_then(bench, given))
    if given.says("reason"):
        values["reason"] = given.values.get("reason", "")
    ends = values.get("ends", held.ends if held else None)
    if ends is None and values.get("then_policy", held.then_policy if held else None):
        raise Wrong(gettext("What comes then needs a day; please give one, or clear “Then the policy” with “-”."))
    return values


def _then(bench: Bench, given: Given) -> dict[str, Any]:
    if "then_policy" in given.cleared:
        return {"then_policy": None}
    text = given.values.get("then_policy", "")
    missing = gettext("There is no policy “%(name)s”.")
    return {"then_policy": bench.known.policies.find(text, missing)} if text else {}


def _check_ends(ends: datetime | None, held: Embargo | None) -> None:
    """Nothing is stored that would do nothing."""
    if ends is None or (held is not None and not _differs(held.ends, ends)):
        return
    if ends <= timezone.now():
        raise Wrong(
            gettext("That day is past, so nothing would be closed; please give a later one, or “-” to open it.")
        )
    if held is not None and held.starts is not None and ends <= held.starts:
        raise Wrong(gettext("It begins to be closed later than that; please give a later day."))


def _embargo_changes(before: Embargo, values: dict[str, Any]) -> list[tuple[str, str, str]]:
    told = []
    if "ends" in values:
        was = dates.written(before.ends) if before.pk else gettext("nothing")
        told.append((columns.title("embargo_until"), was, dates.written(values["ends"])))
    for key, name in (("then_policy", "then_policy"), ("reason", "reason")):
        if name in values and getattr(before, name) != values[name]:
            said = (str(one or gettext("nothing")) for one in (getattr(before, name), values[name]))
            told.append((columns.title(key), *said))  # type: ignore[arg-type]
    return told


def _differs(before: Any, after: Any) -> bool:
    """Moments are written to the minute, so a part of one is no difference."""
    if isinstance(before, datetime) and isinstance(after, datetime):
        return abs(before - after) >= timedelta(minutes=1)
    return bool(before != after)


def _check(bench: Bench, codename: str, row: Resource) -> None:
    if not bench.known.may(codename, row):
        raise Wrong(gettext("You may not change this; please ask whoever looks after access here."))


# -- Grants -------------------------------------------------------------------------------------------------------


def grant(bench: Bench, given: Given, found: Judged, row: Resource) -> None:
    """What a row changes of who has access."""
    if not given.says(*columns.OF_GRANT):
        return
    try:
        if given.cleared & {"grant_to", "place"}:
            _end(bench, given, found, row)
        else:
            _give(bench, given, found, row)
    except Wrong as wrong:
        found.errors.append(f"{columns.title('grant_to')}: {wrong}")


def _held(bench: Bench, row: Resource) -> list[Grant]:
    return bench.known.grants.get(row.pk, []) if row.pk else []


def _end(bench: Bench, given: Given, found: Judged, row: Resource) -> None:
    """Access ends now; what has not begun goes. So it can still be seen who had it."""
    for one in _held(bench, row):
        ended = (one.network_id and "place" in given.cleared) or (
            (one.user_id or one.group_id) and "grant_to" in given.cleared
        )
        if ended:
            _check(bench, "change_grant", row)
            found.changes.append((columns.title("grant_to"), name_of(one), gettext("nothing")))
            found.deeds.append(_ending(one))


def _ending(one: Grant) -> Alter | Remove:
    now = timezone.now().replace(second=0, microsecond=0)
    if one.starts is not None and one.starts >= now:
        return Remove(Grant, one.pk)
    return Alter(Grant, one.pk, (("ends", now),))


def _give(bench: Bench, given: Given, found: Judged, row: Resource) -> None:
    whom = _principal(bench, given)
    name = name_of(Grant(**whom))
    told = (str(row.url), name)
    if told in bench.principals:
        raise Wrong(gettext("An earlier row gives “%(name)s” access to this already.") % {"name": name})
    bench.principals.add(told)
    values = _grant_values(bench, given)
    held = _same(_held(bench, row), whom, values.get("tier"))
    _check_limit(bench, row, values, held)
    if held is None:
        _check(bench, "add_grant", row)
        found.deeds.append(Make(Grant(resource=row, granted_by=bench.known.user, **whom, **values)))
        found.changes.append((columns.title("grant_to"), gettext("nothing"), _spoken(name, Grant(**values))))
        return
    differing = {key: value for key, value in values.items() if _differs(getattr(held, key), value)}
    if differing:
        _check(bench, "change_grant", row)
        after = Grant(**{key: values.get(key, getattr(held, key)) for key in ("tier", "take", "ends", "reason")})
        found.deeds.append(Alter(Grant, held.pk, tuple(sorted(differing.items()))))
        found.changes.append((columns.title("grant_to"), _spoken(name, held), _spoken(name, after)))


def _principal(bench: Bench, given: Given) -> dict[str, Any]:
    person, place = given.values.get("grant_to", ""), given.values.get("place", "")
    if person and place:
        raise Wrong(gettext("Please give either a person or a place; for both, write two rows."))
    if place:
        return {"network": bench.known.networks.find(place, gettext("There is no network “%(name)s”."))}
    if not person:
        raise Wrong(gettext("Please say who gets this access, or leave all of its cells empty."))
    if person.casefold().startswith(GROUP):
        name = person[len(GROUP) :].strip()
        return {"group": bench.known.groups.find(name, gettext("There is no group “%(name)s”."))}
    return {"user": bench.known.people.find(person, gettext("There is no person “%(name)s” with an account."))}


def _grant_values(bench: Bench, given: Given) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "view" in given.values:
        values["tier"] = _tier(bench, given.values["view"])
    if "download" in given.values:
        values["take"] = _yes_or_no(given.values["download"])
    if text := given.values.get("grant_until", ""):
        values["ends"] = None if dates.is_endless(text) else dates.closing(text, bench.style)
    elif "grant_until" in given.cleared:
        values["ends"] = None
    if given.says("reason"):
        values["reason"] = given.values.get("reason", "")
    return values


def _tier(bench: Bench, text: str) -> str:
    if text.casefold() in (*FULL, gettext("full version").casefold()):
        return ""
    if text not in bench.known.tiers:
        known = ", ".join(sorted(bench.known.tiers)[:20])
        raise Wrong(
            gettext("There is no version “%(name)s”; please write “full” or one of these: %(tiers)s.")
            % {"name": text[:40], "tiers": known}
        )
    return text


def _yes_or_no(text: str) -> bool:
    word = text.casefold()
    if word in (*YES, gettext("yes").casefold()):
        return True
    if word in (*NO, gettext("no").casefold()):
        return False
    raise Wrong(gettext("“%(text)s” is neither yes nor no.") % {"text": text[:40]})


def _same(held: list[Grant], whom: dict[str, Any], tier: str | None) -> Grant | None:
    """The access somebody has already: to this version, or to any where none is named."""
    key, value = next(iter(whom.items()))
    fitting = [one for one in held if getattr(one, f"{key}_id") == value.pk]
    return next((one for one in fitting if tier is None or one.tier == tier), fitting[0] if len(fitting) == 1 else None)


def _check_limit(bench: Bench, row: Resource, values: dict[str, Any], held: Grant | None) -> None:
    ends = values.get("ends", held.ends if held else None)
    if ends is not None and ends <= timezone.now():
        raise Wrong(gettext("That day is past, so nobody would get in; please give a later one."))
    if held is not None and held.starts is not None and (ends or FAR) <= held.starts:
        raise Wrong(gettext("This access begins later than that; please give a later day."))
    most = bench.known.most_days(row)
    if most is not None and (ends is None or ends > timezone.now() + timedelta(days=most + 1)):
        raise Wrong(
            gettext("You may give access for at most %(days)d days; please give an earlier day.") % {"days": most}
        )


def name_of(one: Grant) -> str:
    """Whom a grant is for, as the columns spell it."""
    if one.user is not None:
        return str(one.user.get_username())
    return f"{GROUP} {one.group}" if one.group else str(one.network)


def _spoken(name: str, one: Grant) -> str:
    parts = [name, one.tier or gettext("full version")]
    if not one.take:
        parts.append(gettext("to look only"))
    if one.ends is not None:
        parts.append(gettext("until %(day)s") % {"day": dates.written_last_day(one.ends)})
    return gettext(", ").join([*parts, one.reason] if one.reason else parts)
