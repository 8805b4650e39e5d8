"""Descriptions: 200, 302 to a lesser version, or 401 with the services that help (section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iiif_auth.conformance.browser import bearer, preflight, shown
from iiif_auth.conformance.documents import NotIIIF, read
from iiif_auth.conformance.findings import Finding, failed, judged, measured, passed, untestable
from iiif_auth.conformance.flows.earlier.images import INFO, Description, Image, same_for_strangers
from iiif_auth.conformance.flows.earlier.people import Holder, key_of
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.structure.v1 import is_same
from iiif_auth.conformance.web import Answer, origin_of, shortened

JSON_TYPES = ("application/json", "application/ld+json")
GONE = (404, 410)


# -- What anybody gets --------------------------------------------------------------------------------------------


def says_no_properly(image: Image) -> Iterator[Finding]:
    """Whoever may not see it is told 401, with the description and its services."""
    found = image.plain
    answer = found.last
    if answer.status == 401:
        yield from _refusal(image, found)
    elif found.is_out_of_order or answer.status in GONE:
        yield untestable("A1-INFO-01", f"{found.told}.", image.url)
    elif answer.status != 200:
        yield failed("A1-INFO-01", f"{found.told} to anybody; 200, 302 or 401 is expected.", image.url)
    elif not found.lesser and image.open_sight.denied:
        evidence = f"{found.told} to anybody, but {image.open_sight.told}; 401 is expected for both."
        yield failed("A1-INFO-01", evidence, image.url)


def _refusal(image: Image, found: Description) -> Iterator[Finding]:
    answer = found.last
    what = answer.header("content-type") or "a body without a Content-Type"
    evidence = f"{answer.told} answered 401 with {what}{'' if found.body else ', which is no description'}."
    yield judged("A1-INFO-11", found.body is not None, evidence, image.url)
    claims = [
        ("a description with an identifier", bool(found.id)),
        (f"the services of {image.version} in it", bool(keys_in(image, found))),
    ]
    # Of several tiers the lowest says no like an image that has none.
    id = "A1-INFO-03" if found.lesser else "A1-INFO-01"
    yield measured(id, f"{answer.told} answered 401", claims, "with the description and its services", image.url)
    asked = answer.header("www-authenticate")
    evidence = (
        f"{answer.told} answered 401 {f'with WWW-Authenticate: {asked}' if asked else 'and asks for no password'}."
    )
    yield judged("A1-INFO-12", not asked, evidence, image.url)


def keys_in(image: Image, found: Description) -> frozenset[str]:
    """What the access services in a description are known by."""
    try:
        document = read(found.last.url, found.body)
    except NotIIIF:
        return frozenset()
    return frozenset(key_of(one) for one in document.services if (one.version, one.role) == (image.version, "access"))


def makes_no_difference_for_strangers(image: Image) -> Iterator[Finding]:
    """A token that is none is no token: the answer is what anybody gets, and no error."""
    yield same_for_strangers(image, "A1-INFO-01")


def sends_on(image: Image) -> Iterator[Finding]:
    """To the description of a lesser version, which has a name of its own and still tells how to get more."""
    found = image.plain
    if not found.lesser:
        return
    sound = found.first.status == 302 and found.last.status in (200, 401) and found.body is not None
    yield judged("A1-INFO-02", sound, f"{found.told}; 302 to a description is expected.", image.url)
    own = found.last.url.partition("?")[0].removesuffix(INFO)
    claims = [
        (f"another name than {shortened(image.id)}", not is_same(found.id, image.id)),
        (f"its own address {shortened(own)}", is_same(found.id, own)),
    ]
    yield measured("A1-INFO-04", f"The lesser version calls itself {shortened(found.id)}", claims, "its own", image.url)
    keys = keys_in(image, found)
    lacks = sorted(image.accesses - keys) if keys else ["any service"]
    told = f"{found.last.told}, the lesser version of {shortened(image.id)},"
    evidence = f"{told} {'lacks ' + ', '.join(lacks) if lacks else 'has the services that lead to the better one'}."
    yield judged("A1-INFO-07", not lacks, evidence, image.url)


def can_be_read_anywhere(image: Image) -> Iterator[Finding]:
    yield from readable(image, image.plain)


def readable(image: Image, found: Description) -> Iterator[Finding]:
    """By viewers on any site, whatever the status, and without cookies."""
    for hop in found.hops:
        allowed = hop.header("access-control-allow-origin")
        evidence = (
            f"{hop.told} answered {hop.status} with Access-Control-Allow-Origin {allowed or 'missing'}; * is expected."
        )
        yield judged("A1-INFO-09", allowed == "*", evidence, image.url)
        with_cookies = hop.header("access-control-allow-credentials").lower() == "true"
        told = "allows credentials, which viewers do not send" if with_cookies else "does not ask for cookies"
        yield judged("A1-INFO-10", not with_cookies, f"{hop.told} {told}.", image.url)
    strayed = next((hop for hop in found.hops if origin_of(hop.url) != origin_of(image.url)), None)
    if strayed is not None:
        evidence = f"{found.told}; on the way to {strayed.url}, another origin, browsers drop the token."
        yield failed("A1-INFO-09", evidence, image.url)


def is_kept_by_no_cache(image: Image) -> Iterator[Finding]:
    if image.is_restricted:
        yield from (kept_by_nobody(image, hop) for hop in image.plain.hops if hop.status in (302, 401))


def kept_by_nobody(image: Image, answer: Answer) -> Finding:
    """What one person gets is no answer for the next."""
    cache = answer.header("cache-control").lower()
    varies = {"authorization", "*"} & {name.strip().lower() for name in answer.header("vary").split(",")}
    sound = "no-store" in cache or bool(varies) and ("private" in cache or "no-cache" in cache)
    vary = answer.header("vary") or "missing"
    told = f"{answer.told} answered {answer.status} with Cache-Control: {cache or 'missing'}, Vary: {vary}"
    evidence = f"{told}{'' if sound else '; no-store, or private and Vary: Authorization, is expected'}."
    return judged("A1-INFO-13", sound, evidence, image.url)


def has_the_name_it_is_cited_by(image: Image) -> Iterator[Finding]:
    """Letter by letter: viewers take anything else for a lesser version."""
    found = image.plain
    if found.body is not None and not found.lesser:
        told = f"{image.cited} cites {shortened(image.id)}, and the description calls itself {shortened(found.id)}"
        yield judged("A1-INFO-15", found.id == image.id, f"{told}.", image.url)


def allows_tokens(image: Image) -> Iterator[Finding]:
    """The preflight, without which no browser sends a token."""
    answer = preflight(image.tour, image.url)
    told = f"{answer.told} (preflight) answered {answer.status}"
    yield measured("A1-INFO-08", told, preflight_claims(answer), "and allows Authorization", image.url)


def preflight_claims(answer: Answer) -> list[tuple[str, bool]]:
    names = {name.strip().lower() for name in answer.header("access-control-allow-headers").split(",")}
    return [
        ("a status from 200 to 299", 200 <= answer.status < 300),
        ("Access-Control-Allow-Origin: *", answer.header("access-control-allow-origin") == "*"),
        ("Authorization by name in Access-Control-Allow-Headers", "authorization" in names),
    ]


def guards_the_picture_too(image: Image) -> Iterator[Finding]:
    """What the description refuses, the image server refuses."""
    if image.is_restricted and image.plain.last.status in (200, 401):
        sight = image.open_sight
        evidence = f"{image.plain.told} to anybody, and {sight.told}."
        yield judged("A1-CONT-01", not image.is_in(sight), evidence, image.content)


# -- What somebody gets -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holding:
    """An image, and somebody with a token and the cookie behind it."""

    image: Image
    holder: Holder

    @property
    def found(self) -> Description:
        return self.image.asked(self.holder.token)


def opens_to_a_token(holding: Holding) -> Iterator[Finding]:
    """A token changes the answer wherever the cookie opens the picture, and only there."""
    image, found = holding.image, holding.found
    yield from readable(image, found)
    if not image.is_restricted:
        return
    if found.is_out_of_order:
        yield untestable("A1-INFO-06", f"With a token of {holding.holder.name} {found.told}.", image.url)
        return
    yield from (kept_by_nobody(image, hop) for hop in found.hops)
    sight = image.sight(holding.holder)
    told = f"With a token of {holding.holder.name} {found.told}; with its cookie {sight.told}"
    if found.granted:
        evidence = f"{told}; the description calls itself {shortened(found.id)}."
        yield judged("A1-INFO-06", is_same(found.id, image.id), evidence, image.url)
        yield judged("A1-CONT-02", image.is_in(sight), f"{told}.", image.url)
    elif image.is_in(sight) and not image.is_in(image.open_sight):
        yield failed("A1-INFO-06", f"{told}; the description is expected to answer 200 too.", image.url)
    elif found.outcome != image.plain.outcome:
        yield passed("A1-INFO-06", f"{told}, and without a token {image.plain.told}.", image.url)
    else:
        why = f"{told}: whoever went through it may not see this, so the token had nothing to change."
        yield untestable("A1-INFO-06", why, image.url)


def keeps_the_picture_from_tokens(holding: Holding) -> Iterator[Finding]:
    """The picture goes by the cookie: a token, which any site can read, opens nothing."""
    image = holding.image
    if image.is_in(image.open_sight):
        return
    sight = shown(image.tour, image.content, headers=bearer(holding.holder.token))
    evidence = f"{sight.told} to somebody who has only a token; 401 or 403 is expected."
    yield judged("A1-CONT-01", not image.is_in(sight), evidence, image.content)


def is_cited_at_its_best(holding: Holding) -> Iterator[Finding]:
    """The version that is cited is one that some people get and others do not, so it is not the least of them."""
    image = holding.image
    if image.plain.lesser and holding.found.granted:
        evidence = (
            f"{image.cited} cites {shortened(image.id)}, and not {shortened(image.plain.id)}, which anybody gets."
        )
        yield passed("A1-INFO-05", evidence, image.cited)


def opens_no_more_than_the_cookie(holding: Holding) -> Iterator[Finding]:
    """The token of a service that the description does not name opens at most what its own cookie opens."""
    image, found = holding.image, holding.found
    if image.is_restricted and found.granted:
        sight = image.sight(holding.holder)
        told = (
            f"With a token of {holding.holder.name}, which it does not name, {found.told}; with its cookie {sight.told}"
        )
        yield judged("A1-CONT-02", image.is_in(sight), f"{told}.", image.url)


ANYBODY: tuple[Check[Image], ...] = (
    Check(("A1-INFO-01", "A1-INFO-03", "A1-INFO-11", "A1-INFO-12"), says_no_properly),
    Check(("A1-INFO-02", "A1-INFO-04", "A1-INFO-07"), sends_on),
    Check(("A1-INFO-09", "A1-INFO-10"), can_be_read_anywhere),
    Check(("A1-INFO-13",), is_kept_by_no_cache),
    Check(("A1-INFO-15",), has_the_name_it_is_cited_by),
    Check(("A1-CONT-01",), guards_the_picture_too),
)
ANYBODY_THOROUGH: tuple[Check[Image], ...] = (
    Check(("A1-INFO-08",), allows_tokens),
    Check(("A1-INFO-01",), makes_no_difference_for_strangers),
)
HOLDERS: tuple[Check[Holding], ...] = (
    Check(("A1-INFO-06", "A1-CONT-02", "A1-INFO-09", "A1-INFO-10", "A1-INFO-13"), opens_to_a_token),
    Check(("A1-INFO-05",), is_cited_at_its_best),
)
HOLDERS_THOROUGH: tuple[Check[Holding], ...] = (Check(("A1-CONT-01",), keeps_the_picture_from_tokens),)
STRANGERS: tuple[Check[Holding], ...] = (Check(("A1-CONT-02",), opens_no_more_than_the_cookie),)
