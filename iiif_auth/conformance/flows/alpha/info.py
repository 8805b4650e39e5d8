"""Descriptions: 200, or 401 with the lesser version named in the body (sections 1.6 and 3)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import bearer, preflight, shown
from iiif_auth.conformance.findings import Finding, failed, judged, measured, untestable
from iiif_auth.conformance.flows.earlier.images import INFO, Description, Image, looked_up, same_for_strangers
from iiif_auth.conformance.flows.earlier.people import Holder
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.info import GONE, Holding, keys_in
from iiif_auth.conformance.structure.v1 import is_same
from iiif_auth.conformance.web import origin_of, shortened

NEEDED = ("id", "type", "protocol", "profile", "width", "height")
"""What every description of an image has to have in Image API 3."""


# -- What anybody gets --------------------------------------------------------------------------------------------


def says_no_properly(image: Image) -> Iterator[Finding]:
    found = image.plain
    status = found.first.status
    if status == 401:
        yield _is_whole(image, found)
        yield judged("A2A-INFO-01", True, f"{found.told} to anybody.", image.url)
        yield from _names_a_lesser(image, found, None)
    elif found.lesser:
        evidence = (
            f"{found.told}; 401 with the location of the lesser version in the body is expected, and no redirect."
        )
        yield failed("A2A-INFO-03", evidence, image.url)
    elif found.is_out_of_order or status in GONE:
        yield untestable("A2A-INFO-01", f"{found.told}.", image.url)
    elif found.last.status != 200:
        yield failed("A2A-INFO-01", f"{found.told} to anybody; 200 or 401 is expected.", image.url)
    elif image.open_sight.denied:
        evidence = f"{found.told} to anybody, but {image.open_sight.told}; 401 is expected for both."
        yield failed("A2A-INFO-01", evidence, image.url)


def _is_whole(image: Image, found: Description) -> Finding:
    """Whoever may not see it gets the whole description all the same, with the services that help."""
    body = found.body or {}
    claims = [("a JSON object", found.body is not None)]
    claims += [(f"{name} in it", name in body) for name in NEEDED if found.body is not None and image.api == "3"]
    claims.append(("its access services in it", bool(keys_in(image, found))))
    told = f"{found.last.told} answered 401 with {found.last.header('content-type') or 'no Content-Type'}"
    return measured("A2A-INFO-02", told, claims, "with the whole description", image.url)


def _names_a_lesser(image: Image, found: Description, holder: Holder | None) -> Iterator[Finding]:
    """What is named instead is another image service, and one that whoever asks may have."""
    location = found.location
    if location is None:
        evidence = f"{found.last.told} answered 401 without a location, for there is no lesser version."
        yield judged("A2A-INFO-04", True, evidence, image.url)
        return
    told = f"{found.last.told} answered 401 with the location {shortened(str(location))}"
    if not isinstance(location, str) or not origin_of(location):
        yield failed("A2A-INFO-03", f"{told}; a URI is expected.", image.url)
        return
    lesser = location.removesuffix(INFO)
    other = looked_up(image.tour, lesser, holder.token if holder else "")
    differs = not is_same(lesser, image.id) and is_same(other.id, lesser)
    evidence = f"{told}, whose description calls itself {shortened(other.id)}."
    yield judged("A2A-INFO-06", differs, evidence, image.url)
    yield judged(
        "A2A-INFO-03", other.granted, f"{told}, which answers {other.last.status} to the same person.", image.url
    )


def makes_no_difference_for_strangers(image: Image) -> Iterator[Finding]:
    yield same_for_strangers(image, "A2A-INFO-01")


def answers_preflights(image: Image) -> Iterator[Finding]:
    """OPTIONS is 200, and nothing else, whoever may see the image."""
    answer = preflight(image.tour, image.url)
    told = f"{answer.told} (preflight) answered {answer.status}"
    yield measured("A2A-INFO-05", told, [("exactly 200", answer.status == 200)], "as it should", image.url)


def guards_the_picture_too(image: Image) -> Iterator[Finding]:
    if image.plain.last.status == 401:
        evidence = f"{image.plain.told} to anybody, and {image.open_sight.told}."
        yield judged("A2A-CONT-01", not image.open_sight.granted, evidence, image.content)


# -- What somebody gets -------------------------------------------------------------------------------------------


def opens_to_a_token(holding: Holding) -> Iterator[Finding]:
    image, found = holding.image, holding.found
    if not image.is_restricted:
        return
    if found.is_out_of_order:
        yield untestable("A2A-INFO-01", f"With a token of {holding.holder.name} {found.told}.", image.url)
        return
    sight = image.sight(holding.holder)
    told = f"With a token of {holding.holder.name} {found.told}; with its cookie {sight.told}"
    if found.granted or sight.granted:
        evidence = f"{told}; both should be granted."
        yield judged("A2A-INFO-01", found.granted and sight.granted, evidence, image.url)
    elif found.lesser:
        yield failed(
            "A2A-INFO-03", f"{told}; 401 with the location in the body is expected, and no redirect.", image.url
        )
    elif found.last.status == 401:
        yield _is_whole(image, found)
        yield from _names_a_lesser(image, found, holding.holder)
    else:
        yield failed("A2A-INFO-01", f"{told}; 200 or 401 is expected.", image.url)


def keeps_the_picture_from_tokens(holding: Holding) -> Iterator[Finding]:
    image = holding.image
    if not image.open_sight.granted:
        sight = shown(image.tour, image.content, headers=bearer(holding.holder.token))
        evidence = f"{sight.told} to somebody who has only a token; 401 or 403 is expected."
        yield judged("A2A-CONT-01", not sight.granted, evidence, image.content)


ANYBODY: tuple[Check[Image], ...] = (
    Check(("A2A-INFO-01", "A2A-INFO-02", "A2A-INFO-03", "A2A-INFO-04", "A2A-INFO-06"), says_no_properly),
    Check(("A2A-CONT-01",), guards_the_picture_too),
)
ANYBODY_THOROUGH: tuple[Check[Image], ...] = (
    Check(("A2A-INFO-05",), answers_preflights),
    Check(("A2A-INFO-01",), makes_no_difference_for_strangers),
)
HOLDERS: tuple[Check[Holding], ...] = (
    Check(("A2A-INFO-01", "A2A-INFO-02", "A2A-INFO-03", "A2A-INFO-04", "A2A-INFO-06"), opens_to_a_token),
)
HOLDERS_THOROUGH: tuple[Check[Holding], ...] = (Check(("A2A-CONT-01",), keeps_the_picture_from_tokens),)
