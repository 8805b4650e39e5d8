"""Offers: what is wanted, what one might have instead, and every rule that bears on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from iiif_auth.conf import conf
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import is_restricted
from iiif_auth.store import works
from iiif_auth.store.cards import Card, Reading, map_of, read, window
from iiif_auth.store.passes import Finder, Presented
from iiif_auth.store.rules import Place, Rulebook, RulesInMotion, books, database, epoch, key_of, lends, rulebook
from iiif_auth.store.statements import Found
from iiif_auth.store.values import (
    attribute_value,
    reach_needed,
    reach_of,
    renamed,
    settled,
    user_id,
    with_grants,
    with_then,
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Offers that were made since the last change, whatever it was a change of."""

    pulse: str
    offers: dict[str, policy.Offer] = field(default_factory=dict)


MOST_OFFERS = 5_000
"""On one shelf. An offer takes some two kilobytes; a full shelf is begun anew."""

shelves: dict[str, Shelf] = {}


def find_offer(uri: str) -> policy.Offer | None:
    """The offer behind a normalised URL, or ``None`` if there is no such thing; one query (two after a change).

    Raises:
        RulesInMotion: see :func:`rulebook`.
    """
    return _offer_at_pulse(uri, lambda: epoch(database())[1])[0]


def find_for(uri: str, finder: Finder) -> tuple[policy.Offer | None, Presented]:
    """The offer behind a normalised URL, and what was presented for it, as of one instant; one query (two after a change).

    The statement that reads what is presented also says the epoch. If that has moved on while the offer was read, both are read
    again, since a person who left a group before an item was opened to it was never let in (security D3).
    So is what was read before this process knew that copies are lent at all.

    Raises:
        RulesInMotion: they changed each time.
    """
    for _attempt in range(3):
        presented = finder()
        offer, pulse = _offer_at_pulse(uri, lambda: presented.pulse)  # noqa: B023 - called before the next round
        if pulse == presented.pulse and (presented.has_loans or not lends()):
            return offer, presented
    raise RulesInMotion("The rules changed each time while a resource was being read.")


def _offer_at_pulse(uri: str, pulse: Callable[[], str]) -> tuple[policy.Offer | None, str]:
    """The offer, and the pulse at which it was read; ``pulse`` says the present one, and is asked only if an offer is kept."""
    key = key_of(database())
    shelf = shelves.get(key)
    kept = shelf.offers.get(uri) if shelf else None
    if shelf and kept and shelf.pulse == pulse():
        return kept, shelf.pulse
    book, reading = _current(uri)
    offer = _composed(book, reading.cards, uri)
    if offer is None:
        return _offer_of_host(uri), reading.pulse
    offer = replace(offer, restricted=is_restricted(offer))
    _shelve(key, reading.pulse, uri, offer)
    return offer, reading.pulse


MOST_AT_ONCE = 300
"""About how many URLs are looked for in one statement. Each is a parameter twice, and a database takes only so many."""


def find_offers(uris: Iterable[str]) -> dict[str, policy.Offer | None]:
    """What :func:`find_offer` gives for each of many normalised URLs; one query for some hundreds of them.

    Nothing is kept: one long list must not push out what is asked for one by one.

    Raises:
        RulesInMotion: see :func:`rulebook`.
    """
    asked = list(dict.fromkeys(uris))
    book = books.get(key_of(database())) or rulebook()
    for _attempt in range(3):
        found, stamp = _offers_at(book, asked)
        if stamp == book.stamp:
            return {uri: _offer_of_host(uri) if offer is None else offer for uri, offer in found.items()}
        book = rulebook(stamp)
    raise RulesInMotion("The rules changed each time while resources were being read.")


def _offers_at(book: Rulebook, uris: Sequence[str]) -> tuple[dict[str, policy.Offer | None], str]:
    """The offers by these rules and their stamp; or another stamp that was met with, and then the offers are not all there."""
    found: dict[str, policy.Offer | None] = {}
    for candidates in _batches(book, uris):
        reading = read(list(dict.fromkeys(one for several in candidates.values() for one in several)))
        if reading.stamp != book.stamp:
            return found, reading.stamp
        at = _by_url(reading.cards)
        for uri, several in candidates.items():
            cards = {key: card for one in several for key, card in at.get(one, {}).items()}
            found[uri] = _composed(book, cards, uri)
    return found, book.stamp


def _batches(book: Rulebook, uris: Sequence[str]) -> Iterable[dict[str, list[str]]]:
    """URLs with their candidates, as many as go into one statement: what bears on one is read in one."""
    batch: dict[str, list[str]] = {}
    size = 0
    for uri in uris:
        batch[uri] = book.candidates(uri)
        size += len(batch[uri])
        if size >= MOST_AT_ONCE:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def _by_url(cards: dict[str, Card]) -> dict[str, dict[str, Card]]:
    """The cards by every URL that stands on them."""
    found: dict[str, dict[str, Card]] = defaultdict(dict)
    for key, card in cards.items():
        for url in (card.row[1], *(row[1] for row in card.renditions)):
            found[url][key] = card
    return found


def _shelve(key: str, pulse: str, uri: str, offer: policy.Offer) -> None:
    """Keep an offer with those of the same pulse; without one nothing can be kept."""
    if not pulse:
        return
    shelf = shelves.get(key)
    if shelf is None or shelf.pulse != pulse or len(shelf.offers) >= MOST_OFFERS:
        shelf = shelves[key] = Shelf(pulse)
    shelf.offers[uri] = offer


def _composed(book: Rulebook, cards: dict[str, Card], uri: str) -> policy.Offer | None:
    offer = _offer(book, cards, uri)
    if offer is None:
        return _offer_by_rule(book, uri)
    offer = _in_one_api(cards, offer)
    offers = tuple(found for instead in _named_instead(offer) if (found := _offer(book, cards, instead)) is not None)
    return replace(offer, substitutes=offers)


def _in_one_api(cards: dict[str, Card], offer: policy.Offer) -> policy.Offer:
    """An offer whose substitutes are named by their addresses in the same version of the Image API, where they have one."""
    wanted = offer.wanted.image_api
    names = {instead: _alike(cards, instead, wanted) for instead in _named_instead(offer)}
    different = {instead: address for instead, address in names.items() if address != instead}
    return replace(offer, levels=tuple(renamed(level, different) for level in offer.levels)) if different else offer


def _alike(cards: dict[str, Card], uri: str, api: policy.ImageApi) -> str:
    """The address of a resource in this version of the Image API; its own if it has no other."""
    card = next((card for card in cards.values() if card.row[1] == uri), None)
    if card is None or int(card.row[3]) == api.value:
        return uri
    same = (row[1] for row in card.renditions if int(row[3]) == api.value and not row[2] and not row[6])
    return next(same, uri)


def stands_in(uri: str, original: str) -> bool:
    """Whether an address is that of the stand-in which belongs to this very original, by a tier's suffix."""
    return any(uri == original + suffix for suffix in rulebook().stand_ins)


def original_of(offer: policy.Offer) -> policy.Offer | None:
    """The offer for which this one stands in, by a tier's suffix; ``None`` if it stands in for nothing, or for nothing known."""
    uri = offer.wanted.uri
    bases = (uri.removesuffix(suffix) for suffix in rulebook().stand_ins if uri.endswith(suffix))
    originals = (found for base in bases if (found := find_offer(base)) is not None)
    return next((found for found in originals if uri in _named_instead(found)), None)


def _current(uri: str) -> tuple[Rulebook, Reading]:
    """The rules, and the cards of this URL and of whatever might be shown instead, as of one instant."""
    book = books.get(key_of(database())) or rulebook()
    for _attempt in range(3):
        reading = read(book.candidates(uri))
        if reading.stamp == book.stamp:
            return book, reading
        book = rulebook(reading.stamp)
    raise RulesInMotion("The rules changed each time while a resource was being read.")


def _named_instead(offer: policy.Offer) -> list[str]:
    tiers = (tier for level in offer.levels for held in level.policies for tier in held.tiers)
    return list(dict.fromkeys(tier.substitute for tier in tiers if tier.substitute))


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that a row has: whose it is, and the slug of the tier it is for, empty for the resource itself.

    ``source`` is the name of its bytes upstream, if that is not the one in the URL.
    """

    card: Card
    base: str
    image_api: policy.ImageApi
    format: str
    tier: str
    source: str


@dataclass(frozen=True, slots=True)
class Version:
    """What a URL stands for: the tier (empty for all of it), the reach it needs, and where its bytes are."""

    tier: str
    reach: int
    source: str = ""
    virtual: policy.Virtual | None = None
    cut_from: str = ""


def _offer(book: Rulebook, cards: dict[str, Card], uri: str) -> policy.Offer | None:
    for address, suffix in _addresses(book, cards, uri):
        levels, hidden = _levels(book, address.card)
        version = _derived(book, address, levels, suffix) if suffix else _version_at(address, levels)
        if version is not None:
            return _offer_at(book, address, uri, levels, hidden, version)
    return None


def _addresses(book: Rulebook, cards: dict[str, Card], uri: str) -> Iterable[tuple[Address, str]]:
    """A URL of a row is that row; else it may be an image service of a row with a suffix."""
    exact = _exact_address(cards, uri)
    if exact is not None:
        yield exact, ""
        return
    for base, suffix in sorted(book.bases(uri), key=lambda pair: -len(pair[0])):
        found = _exact_address(cards, base)
        if found is not None and not found.tier and found.image_api is not policy.ImageApi.NONE:
            yield found, suffix


def _version_at(address: Address, levels: Sequence[policy.Level]) -> Version:
    """What an address of its own stands for. Where no policy has its tier, or the tier shows nothing, it needs all the reach."""
    reach = reach_needed(address.tier, levels)
    return Version(address.tier, reach if reach > policy.OTHER else policy.FULL, address.source)


def _derived(book: Rulebook, address: Address, levels: Sequence[policy.Level], suffix: str) -> Version | None:
    """The version for the tier of the resource's own policies whose addresses have this suffix.

    Where two policies give one suffix to versions of different sizes, the larger counts for who may have it, and the smaller for
    what is cut. It is cut on the fly only where all of them say so.
    """
    tiers = [
        tier
        for level in levels
        for held in level.policies
        for tier in held.tiers
        if book.tier_suffixes.get((held.slug, tier.slug)) == suffix
    ]
    if not tiers:
        return None
    reach = max(tier.reach for tier in tiers)
    virtual = _narrowest([tier.virtual for tier in tiers])
    if virtual is not None:
        return Version(tiers[0].slug, reach, address.source, virtual, address.base)
    return Version(tiers[0].slug, reach, suffixed(address.source, suffix))


def _narrowest(several: Sequence[policy.Virtual | None]) -> policy.Virtual | None:
    """What all of them allow; ``None`` if one of them is a file of its own."""
    found = [one for one in several if one is not None]
    if len(found) < len(several):
        return None
    return policy.Virtual(
        min(one.max_edge for one in found),
        tuple(form for form in found[0].formats if all(form in one.formats for one in found)),
        tuple(quality for quality in found[0].qualities if all(quality in one.qualities for one in found)),
    )


def suffixed(source: str, suffix: str) -> str:
    """The name of a smaller version beside its original: the suffix before the extension, ``survey~small.tif``."""
    folder, slash, name = source.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    return f"{folder}{slash}{stem}{suffix}{dot}{extension}" if stem else source and f"{source}{suffix}"


def _offer_at(
    book: Rulebook,
    address: Address,
    uri: str,
    levels: tuple[policy.Level, ...],
    hidden: bool,
    version: Version,
) -> policy.Offer:
    row = address.card.row
    label = map_of(row[5])
    wanted = policy.Rendition(
        uri=uri,
        reach=version.reach,
        kind=policy.Kind(row[2]),
        image_api=address.image_api,
        format=address.format,
        label=_tier_label(levels, version.tier) or label,
        location=_location(address.card, version.tier, uri),
        source=version.source,
        virtual=version.virtual,
        cut_from=version.cut_from,
        tier=version.tier,
    )
    others = tuple(_others(book, address, levels, wanted))
    made = date.fromisoformat(row[8]) if row[8] else None
    return policy.Offer(wanted, others, levels, made, hidden, (), label)


def _exact_address(cards: dict[str, Card], uri: str) -> Address | None:
    for card in cards.values():
        if card.row[1] == uri:
            return Address(card, uri, policy.ImageApi(int(card.row[3])), card.row[4], "", card.row[9])
    for card in cards.values():
        for row in card.renditions:
            if row[1] == uri:
                return Address(card, uri, policy.ImageApi(int(row[3])), row[4], row[2], row[7])
    return None


def _levels(book: Rulebook, card: Card) -> tuple[tuple[policy.Level, ...], bool]:
    uri, collection, governed = card.row[1], card.row[6], card.row[7]
    key = int(collection) if collection else book.collection_of(uri)
    place = book.places[key] if key is not None else None
    above = place.levels if place else ()
    own = int(governed.rstrip("!")) if governed else None
    level = policy.Level(
        name=uri,
        policy=book.policies[own] if own else None,
        overrides=bool(governed) and governed.endswith("!"),
        embargoes=tuple(
            with_then(value, then, book.policies, book.policy_grants)
            for _pk, value, then in sorted(card.embargoes, key=_key)
        ),
        withdrawals=tuple(card.withdrawals),
        policy_grants=book.policy_grants.get(own or 0, ()),
    )
    grants = tuple(_grant(book, row, (level, *above)) for row in card.grants)
    levels = tuple(settled(one, uri) for one in (with_grants(level, grants), *above))
    return _lent(book, levels, uri, place), bool(place and place.hidden)


def _lent(book: Rulebook, levels: tuple[policy.Level, ...], uri: str, place: Place | None) -> tuple[policy.Level, ...]:
    return works.of_item(levels, uri, place.slug if place else "") if book.lends else levels


def _key(found: tuple[int, policy.Embargo, int | None]) -> int:
    return found[0]


def _grant(book: Rulebook, values: Found, levels: Sequence[policy.Level]) -> policy.Grant:
    tier, take = values[3:5]
    number, _, told = values[8].partition(" ")
    principal = _principal(book, values, told)
    return policy.Grant(principal, reach_of(tier, levels), window(values), bool(take), number)


def _principal(book: Rulebook, values: Found, told: str) -> policy.Principal:
    """For whom a grant is; ``told`` is the slug of a service, or an attribute after a blank."""
    user, group, network = values[5:8]
    if user:
        return policy.User(user_id(user))
    if group:
        return policy.Group(group)
    if network:
        return book.networks[int(network)]
    if values[9]:
        return policy.invited(values[9])
    service, _, attribute = told.partition(" ")
    if not attribute:
        return policy.Agreed(service)
    matching, _, pair = attribute.partition(" ")
    name, _, text = pair.partition("=")
    return attribute_value(name, text, matching)


def _tier_label(levels: Sequence[policy.Level], slug: str) -> policy.LanguageMap:
    if not slug:
        return ()
    found = (t.label for level in levels for held in level.policies for t in held.tiers if t.slug == slug and t.label)
    return next(found, ())


def _location(card: Card, tier: str, uri: str) -> str:
    """Where a version is delivered if not at its own address; the place of delivery itself leads no further."""
    locations = [row[1] for row in card.renditions if row[6]]
    here = (row[1] for row in card.renditions if row[6] and row[2] == tier)
    return "" if uri in locations else next(here, "")


def _others(
    book: Rulebook, address: Address, levels: Sequence[policy.Level], wanted: policy.Rendition
) -> Iterable[policy.Rendition]:
    """The smaller renditions there are, largest first, one for each reach."""
    found: dict[int, policy.Rendition] = {}
    for held in (held for level in levels for held in level.policies):
        for tier in held.tiers:
            if tier.gets is policy.Gets.SMALLER:
                suffix = book.tier_suffixes[(held.slug, tier.slug)]
                rendition = _smaller(book, address, levels, tier, suffix, wanted)
                if rendition is not None and policy.OTHER < rendition.reach < wanted.reach:
                    found.setdefault(rendition.reach, rendition)
    return (found[reach] for reach in sorted(found, reverse=True))


def _smaller(
    book: Rulebook,
    address: Address,
    levels: Sequence[policy.Level],
    tier: policy.Tier,
    suffix: str,
    wanted: policy.Rendition,
) -> policy.Rendition | None:
    """The rendition for a tier: an explicit row, else the address with the tier's suffix, if this is an image service.

    Its reach is what its own address needs, so that what is offered here is not refused there (INV5).
    """
    label = tier.label or wanted.label
    for row in sorted(address.card.renditions, key=lambda row: int(row[3]) != address.image_api.value):
        if row[2] == tier.slug and not row[6]:
            api, reach = policy.ImageApi(int(row[3])), reach_needed(tier.slug, levels)
            return policy.Rendition(
                row[1],
                reach,
                wanted.kind,
                api,
                row[4] or wanted.format,
                map_of(row[5]) or label,
                source=row[7],
                tier=tier.slug,
            )
    derived = _derived(book, address, levels, suffix)
    if address.image_api is policy.ImageApi.NONE or derived is None:
        return None
    return policy.Rendition(
        address.base + suffix,
        derived.reach,
        wanted.kind,
        address.image_api,
        wanted.format,
        label,
        source=derived.source,
        virtual=derived.virtual,
        cut_from=derived.cut_from,
        tier=derived.tier,
    )


def _offer_by_rule(book: Rulebook, uri: str) -> policy.Offer | None:
    """A URL that no row knows but a collection's address rule takes in."""
    key = book.collection_of(uri)
    if key is None:
        return None
    place = book.places[key]
    levels = _lent(book, (policy.Level(uri), *place.levels), uri, place)
    return policy.Offer(policy.Rendition(uri), levels=levels, hidden=place.hidden)


def _offer_of_host(uri: str) -> policy.Offer | None:
    hook = conf.OFFERS
    return hook(uri) if hook else None
