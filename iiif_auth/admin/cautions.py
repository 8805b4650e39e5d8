"""What looks wrong in a policy, each with the field of its page that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import global_settings, settings
from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from iiif_auth import store
from iiif_auth.admin import spoken
from iiif_auth.admin.attributes import cautions_about
from iiif_auth.conf import conf
from iiif_auth.models import AccessPolicy, Collection, Network, RefusalText
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import NOBODY, Denied, Level, Offer, Policy, Rendition, Subject, Tier

SOMEBODY = Subject(user="0")
"""Signed in, and nothing else: 0 is nobody's number."""
MOST_COLLECTIONS = 5


@dataclass(frozen=True, slots=True)
class Caution:
    """A sentence, and where to mend it: ``#`` and the id of a field or a part of the page, or the address of another page.

    What is ``minor`` changes nothing in who sees what; the page says it, but not every time that somebody saves.
    """

    said: str
    where: str = ""
    minor: bool = False


def about(row: AccessPolicy, now: datetime | None = None) -> list[Caution]:
    """Everything about a policy that its author can hardly have meant, or should know before using it. Each said once.

    What was read of the row already is believed; see :func:`texts` for one that was just saved.
    """
    now = now or timezone.now()
    prefetch_related_objects([row], *spoken.PARTS, *spoken.TOLD)
    try:
        value = spoken.policy_value(row)
    except spoken.Unreadable:
        said = gettext("This policy can not be read, so it lets nobody in. Please check its time zone and its tiers.")
        return [Caution(said, "#id_zone")]
    found = {one.said: one for one in _everything(row, value, now)}
    return list(found.values())


def _everything(row: AccessPolicy, value: Policy, now: datetime) -> Iterator[Caution]:
    for number, tier in enumerate(value.tiers):
        yield from _about_tier(number, tier, now)
    yield from _about_all_tiers(value, now)
    yield from _about_networks(row, value)
    yield from _about_attributes(value)
    yield from _about_staff(row)
    yield from _about_languages(row)
    yield from _about_services(value)
    if not row.is_template:
        yield from _about_refusals(row, value, now)
        yield from _about_places(row, value, now)


def texts(row: AccessPolicy) -> Iterable[str]:
    """The sentences alone, for somebody who just saved it."""
    return [one.said for one in about(spoken.whole(row)) if not one.minor]


# -- One tier -----------------------------------------------------------------------------------------------------

NEUTRAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ends", {"window": policy.ALWAYS}),
    ("season_ends", {"season": None}),
    ("gets", {"gets": policy.Gets.FULL}),
)
"""By field of a tier, what takes away all that could be wrong about it. What remains is about for whom it is."""


def warned(tiers: Iterable[Tier], now: datetime) -> tuple[str, ...]:
    return words.warnings(Policy("", tuple(tiers)), now, gettext, spoken.reader())


def _about_tier(number: int, tier: Tier, now: datetime) -> Iterator[Caution]:
    for said in (*warned([tier], now), *spoken.cautions_about_tier(tier)):
        yield Caution(said, f"#id_tiers-{number}-{_field(tier, said, now)}")


def _field(tier: Tier, said: str, now: datetime) -> str:
    """The field without whose value nobody would say so."""
    if said in warned([tier], now):
        for field, without in NEUTRAL:
            if said not in warned([replace(tier, **without)], now):
                return field
    return "conditions-0-who"


# -- All tiers together -------------------------------------------------------------------------------------------


def _about_all_tiers(value: Policy, now: datetime) -> Iterator[Caution]:
    alone = {said for tier in value.tiers for said in warned([tier], now)}
    for said in warned(value.tiers, now):
        if said not in alone:
            yield Caution(said, f"#{_first_to_say(said, value.tiers, now)}")
    yield from _never_reached(value.tiers)
    if value.tiers and not any(words.says_something(tier, ()) for tier in value.tiers):
        yield Caution(gettext("It lets nobody in by itself; only people with a grant see something."), "#tiers-group")


def _first_to_say(said: str, tiers: tuple[Tier, ...], now: datetime) -> str:
    """The part of the page with the tier that brings this about."""
    numbers = (number for number in range(len(tiers)) if said in warned(tiers[: number + 1], now))
    return f"tiers-{next(numbers)}" if tiers else "tiers-group"


def _never_reached(tiers: tuple[Tier, ...]) -> Iterator[Caution]:
    """Tiers whose people all have as much, or more, by another one."""
    for number, tier in enumerate(tiers):
        for other in tiers:
            better = other is not tier and (other.reach, other.take) > (tier.reach, tier.take)
            covered = better and words.includes(other, tier) and not words.is_for_all(other)
            if covered and tier.gets is not policy.Gets.NOTHING:
                names = {"tier": _named(tier), "other": _named(other)}
                said = gettext("“%(tier)s” is never reached, because “%(other)s” gives the same people more.") % names
                yield Caution(said, f"#tiers-{number}")


def _named(tier: Tier) -> str:
    return words.tier_name(tier, spoken.reader())


# -- Networks, services, staff ------------------------------------------------------------------------------------


def _about_networks(row: AccessPolicy, value: Policy) -> Iterator[Caution]:
    conditions = [condition for tier in row.tiers.all() for condition in tier.conditions.all()]
    networks = {condition.network.pk: condition.network for condition in conditions if condition.network is not None}
    for key, network in networks.items():
        for said in spoken.cautions_about_network(network):
            yield Caution(said, reverse("admin:iiif_auth_network_change", args=[key]))
        yield from _behind_a_proxy(network)


def _behind_a_proxy(network: Network) -> Iterator[Caution]:
    """Where no proxy is trusted but one stands in front, everybody has a private address: the proxy's."""
    behind = bool(getattr(settings, "SECURE_PROXY_SSL_HEADER", None)) and conf.TRUSTED_PROXIES == 0
    if behind and spoken.is_private(network):
        said = gettext(
            "The network %(network)s is private, and a proxy stands in front of the site that is not trusted: everybody has the "
            "proxy's own private address. Set TRUSTED_PROXIES."
        )
        yield Caution(said % {"network": network.name}, reverse("admin:iiif_auth_network_change", args=[network.pk]))


def _about_attributes(value: Policy) -> Iterator[Caution]:
    """Attributes that nobody has, or that no configured identity provider can say."""
    for number, tier in enumerate(value.tiers):
        for one in policy.principals(tier.audience):
            for said in cautions_about(one) if isinstance(one, policy.Attribute) else ():
                yield Caution(said, f"#id_tiers-{number}-conditions-0-named")


def _about_services(value: Policy) -> Iterator[Caution]:
    for number, tier in enumerate(value.tiers):
        for service in tier.services:
            if service.dialects is not None and not service.dialects:
                names = {"tier": _named(tier), "service": spoken.picked(service.label) or service.slug}
                said = gettext(
                    "“%(tier)s” leads through “%(service)s”, which is not offered in any version of the protocol."
                )
                yield Caution(said % names, f"#id_tiers-{number}-services")


def _about_staff(row: AccessPolicy) -> Iterator[Caution]:
    if row.second_approver and not row.requestable:
        said = gettext("Two people would approve requests, but readers may not ask for access.")
        yield Caution(said, "#id_requestable")
    if row.secret_from_staff:
        said = gettext(
            "What it governs is hidden from the staff: only the people it is for, and keyholders, find it in the admin. Nobody "
            "else can help a reader with it, or tell that it is missing."
        )
        yield Caution(said, "#id_secret_from_staff")
    if row.secret_from_staff and row.requestable:
        said = gettext("Readers may ask for access, but only keyholders will see their requests.")
        yield Caution(said, "#id_requestable")


# -- What others are told -----------------------------------------------------------------------------------------


def spoken_languages() -> dict[str, str]:
    """The languages of the site, if it has chosen some: Django's own list of a hundred is nobody's choice."""
    chosen = settings.LANGUAGES
    return {} if chosen == global_settings.LANGUAGES else {str(code): str(name) for code, name in chosen}


def _about_languages(row: AccessPolicy) -> Iterator[Caution]:
    wanted = spoken_languages()
    for name, where, value in _maps(row):
        if missing := [language for code, language in wanted.items() if value and not _has(value, code)]:
            said = gettext("“%(text)s” lacks a text in %(languages)s.")
            yield Caution(said % {"text": name, "languages": ", ".join(missing)}, where, minor=True)


def _has(value: dict[str, Any], code: str) -> bool:
    """Whether a language map says it in this language, or in a variety of it, or without naming one."""
    return any(tag == "none" or tag.partition("-")[0] == code.partition("-")[0] for tag in value)


def _maps(row: AccessPolicy) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, tier in enumerate(row.tiers.all()):
        yield str(tier), f"#id_tiers-{number}-label-0-text", tier.label
    for number, text in enumerate(row.texts.all()):
        where = f"#texts-{number}"
        yield from ((text.get_why_display(), where, value) for value in (text.heading, text.note))
    services = {service.pk: service for tier in row.tiers.all() for service in tier.services.all()}
    for key, service in services.items():
        where = reverse("admin:iiif_auth_accessservice_change", args=[key])
        yield from ((str(service), where, value) for value in (service.label, service.note))


def _about_refusals(row: AccessPolicy, value: Policy, now: datetime) -> Iterator[Caution]:
    """Refusals that will happen and about which nobody is told anything."""
    told = {text.why for text in row.texts.all()}
    names = dict(RefusalText.Why.choices)
    for subject in (NOBODY, SOMEBODY):
        decision = decide(_alone(value), subject, now)
        if isinstance(decision, Denied) and decision.why.value in names and decision.why.value not in told:
            said = gettext("There is no text for people who are refused because: %(why)s.")
            yield Caution(said % {"why": names[decision.why.value]}, "#texts-group", minor=True)


def _alone(value: Policy, above: tuple[Level, ...] = ()) -> Offer:
    return Offer(Rendition("/"), levels=(Level("/", value), *above))


# -- Where it is used ---------------------------------------------------------------------------------------------


def _about_places(row: AccessPolicy, value: Policy, now: datetime) -> Iterator[Caution]:
    """Collections of which the ones above let people see less: the strictest wins, so this policy says too much there."""
    using = Collection.objects.filter(policy=row, overrides=False, parent__isnull=False)[:MOST_COLLECTIONS]
    held = list(using)
    book = store.rulebook() if held else None
    for collection in held:
        place = book.places.get(collection.pk) if book else None
        above = place.levels[1:] if place else ()
        if loses(value, above, now):
            said = gettext(
                "In the collection “%(collection)s” people see less than this says, because a policy above it is stricter."
            )
            where = reverse("admin:iiif_auth_collection_change", args=[collection.pk])
            yield Caution(said % {"collection": collection}, where)


def loses(value: Policy, above: tuple[Level, ...], now: datetime) -> bool:
    """Whether a stranger, or somebody signed in, who may see all by this policy may not by those above it."""
    stricter = tuple(Level(level.name, level.policy, level.overrides) for level in above)
    return any(
        isinstance(decide(_alone(value, stricter), subject, now), Denied)
        and not isinstance(decide(_alone(value), subject, now), Denied)
        for subject in (NOBODY, SOMEBODY)
    )
