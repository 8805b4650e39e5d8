"""Descriptions: 200, 302 to a degraded version, 401 for strangers, and 403 for the known who are not let in (3, 4)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import Sight, bearer, shown
from iiif_auth.conformance.findings import Finding, failed, judged, measured, untestable
from iiif_auth.conformance.flows.earlier.images import INFO, Description, Image, same_for_strangers
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.info import GONE, Holding, keys_in
from iiif_auth.conformance.structure.v1 import is_same
from iiif_auth.conformance.web import shortened

NEEDED = {"2": ("@id", "protocol", "width", "height", "profile"), "3": ("id", "protocol", "width", "height", "profile")}
"""What every description of an image has to have, by the version of its API."""


# -- What anybody gets --------------------------------------------------------------------------------------------


def says_no_properly(image: Image) -> Iterator[Finding]:
    found = image.plain
    answer = found.last
    if answer.status == 401:
        told = f"{answer.told} answered 401 with {answer.header('content-type') or 'no Content-Type'}"
        claims = [("a JSON object", found.body is not None)]
        yield measured("A092-INFO-03", told, claims, "with a description", image.url)
        yield from asks_for_no_password(image, found)
        yield has_everything(image, found)
    elif found.is_out_of_order or answer.status in GONE:
        yield untestable("A092-INFO-03", f"{found.told}.", image.url)
    elif answer.status != 200:
        yield failed("A092-INFO-03", f"{found.told} to anybody; 200, 302 or 401 is expected.", image.url)
    elif not found.lesser and image.open_sight.denied:
        evidence = f"{found.told} to anybody, but {image.open_sight.told}; 401 is expected for both."
        yield failed("A092-INFO-03", evidence, image.url)


def asks_for_no_password(image: Image, found: Description) -> Iterator[Finding]:
    """A browser would ask its reader for a password; who wants that does it at the login service."""
    answer = found.last
    asked = answer.header("www-authenticate")
    evidence = (
        f"{answer.told} answered 401 {f'with WWW-Authenticate: {asked}' if asked else 'and asks for no password'}."
    )
    yield judged("A092-INFO-04", not asked, evidence, image.url)
    basic = asked.lower().startswith("basic")
    evidence = f"{answer.told} {'asks for' if basic else 'does without'} Basic authentication."
    yield judged("A092-INFO-05", not basic, evidence, image.url)


def has_everything(image: Image, found: Description) -> Finding:
    """What an image's description needs, and its services, are there for whoever may not see it, too."""
    body = found.body or {}
    lacks = [name for name in NEEDED.get(image.api, ()) if name not in body]
    claims = [(f"{name} in it", False) for name in lacks]
    claims.append(("its login services in it", bool(keys_in(image, found))))
    told = f"{found.last.told} answered {found.last.status}"
    return measured("A092-DESC-04", told, claims, "with all that is needed", image.url)


def makes_no_difference_for_strangers(image: Image) -> Iterator[Finding]:
    yield same_for_strangers(image, "A092-INFO-03")


def sends_on(image: Image) -> Iterator[Finding]:
    found = image.plain
    if not found.lesser:
        return
    sound = found.first.status == 302 and found.last.status in (200, 401) and found.body is not None
    yield judged("A092-INFO-01", sound, f"{found.told}; 302 to a description is expected.", image.url)
    own = found.last.url.partition("?")[0].removesuffix(INFO)
    sound = is_same(found.id, own) and not is_same(found.id, image.id)
    evidence = f"The degraded version of {shortened(image.id)} at {shortened(own)} calls itself {shortened(found.id)}."
    yield judged("A092-INFO-02", sound, evidence, image.url)


def guards_the_picture_too(image: Image) -> Iterator[Finding]:
    if image.is_restricted and image.plain.last.status in (200, 401):
        evidence = f"{image.plain.told} to anybody, and {image.open_sight.told}."
        yield judged("A092-CONT-01", not image.is_in(image.open_sight), evidence, image.content)


# -- What somebody gets -------------------------------------------------------------------------------------------


def opens_to_a_token(holding: Holding) -> Iterator[Finding]:
    """With a token it is 200 for those who may see it, 302 where something lesser is theirs, and else 403."""
    image, found = holding.image, holding.found
    if not image.is_restricted:
        return
    if found.is_out_of_order:
        yield untestable("A092-INFO-07", f"With a token of {holding.holder.name} {found.told}.", image.url)
        return
    sight = image.sight(holding.holder)
    told = f"With a token of {holding.holder.name} {found.told}; with its cookie {sight.told}"
    if found.granted or image.is_in(sight):
        evidence = f"{told}; both should be granted."
        yield judged("A092-INFO-07", found.granted and image.is_in(sight), evidence, image.url)
        yield _says_the_same(image, found)
    elif found.lesser:
        yield judged("A092-INFO-01", found.first.status == 302, f"{told}; 302 is expected.", image.url)
        yield from _sends_the_picture_on(image, sight, told)
    else:
        evidence = f"{told}; 403 is expected for somebody who is known and may not see it."
        yield judged("A092-INFO-06", found.last.status == 403, evidence, image.url)
        if found.last.status == 403:
            yield has_everything(image, found)


def _says_the_same(image: Image, found: Description) -> Finding:
    """The services are there with a token as they are without."""
    before, after = keys_in(image, image.plain), keys_in(image, found)
    same = image.plain.lesser or before == after
    evidence = f"{found.last.told} has {_counted(after)} with a token, and {_counted(before)} without."
    return judged("A092-DESC-04", bool(after) and same, evidence, image.url)


def _counted(keys: frozenset[str]) -> str:
    return f"{len(keys)} login service{'' if len(keys) == 1 else 's'}"


def _sends_the_picture_on(image: Image, sight: Sight, told: str) -> Iterator[Finding]:
    """Who may not see the picture and may see a lesser one is sent to that, as with the description."""
    sent_on = sight.granted and sight.first.status == 302
    yield judged(
        "A092-CONT-02", sent_on, f"{told}; 302 to the same part of the degraded version is advised.", image.content
    )


def keeps_the_picture_from_tokens(holding: Holding) -> Iterator[Finding]:
    image = holding.image
    if not image.is_in(image.open_sight):
        sight = shown(image.tour, image.content, headers=bearer(holding.holder.token))
        evidence = f"{sight.told} to somebody who has only a token; it should be refused."
        yield judged("A092-CONT-01", not image.is_in(sight), evidence, image.content)


ANYBODY: tuple[Check[Image], ...] = (
    Check(("A092-INFO-03", "A092-INFO-04", "A092-INFO-05", "A092-DESC-04"), says_no_properly),
    Check(("A092-INFO-01", "A092-INFO-02"), sends_on),
    Check(("A092-CONT-01",), guards_the_picture_too),
)
ANYBODY_THOROUGH: tuple[Check[Image], ...] = (Check(("A092-INFO-03",), makes_no_difference_for_strangers),)
HOLDERS: tuple[Check[Holding], ...] = (
    Check(("A092-INFO-01", "A092-INFO-06", "A092-INFO-07", "A092-DESC-04", "A092-CONT-02"), opens_to_a_token),
)
HOLDERS_THOROUGH: tuple[Check[Holding], ...] = (Check(("A092-CONT-01",), keeps_the_picture_from_tokens),)
