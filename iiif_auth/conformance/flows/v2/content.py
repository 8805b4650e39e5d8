"""Content obeys the aspect and nothing else, and info.json is the same for everybody (sections 1, 2 and 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import Sight, bearer, fetched, parameters, shown
from iiif_auth.conformance.documents import VERSION_2, Document
from iiif_auth.conformance.findings import Finding, judged, measured, untestable
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v2.targets import Target
from iiif_auth.conformance.person import Holder
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import GLANCE, Answer

SMALL = 16_384
"""Bytes of a refusal; a page that explains is longer than it need be, but content is longer still."""
CROSS_SITE = ("", "cross-origin")


# -- What anybody gets --------------------------------------------------------------------------------------------


def declares_a_probe(target: Target) -> Iterator[Finding]:
    """What is refused to anybody has a probe, and an image service has it in its info.json."""
    sight = target.open_sight
    if not sight.denied:
        return
    declared = target.probe is not None
    if target.older and not declared:
        why = f"{sight.told} to anybody; {target.resource.document} is for viewers of older versions."
        yield untestable("A2-DECL-01", why, target.content)
        return
    evidence = f"{sight.told} to anybody, and {'has a probe' if declared else 'no probe stands on it in any document'}."
    yield judged("A2-DECL-01", declared, evidence, target.content)
    for info in target.infos:
        probes = {one.id for one in info.services if (one.version, one.role) == (VERSION_2, "probe")}
        evidence = f"{sight.told} to anybody; {info.url} {'has a probe' if probes else 'has no probe of 2.0.0'}."
        yield judged("A2-DECL-02", bool(probes), evidence, info.url)
        if target.probe is not None and target.url in probes and target.resource.document != info.url:
            yield judged("A2-DECL-03", True, f"{target.url} stands in the manifest and in {info.url}.", info.url)


def refuses_well(target: Target) -> Iterator[Finding]:
    """A refusal is small, is kept nowhere, and asks for no password."""
    sight = target.open_sight
    if sight.denied:
        yield measured("A2-CONT-03", sight.told, _refusal(sight), "small and kept nowhere", target.content)


def _refusal(sight: Sight) -> list[tuple[str, bool]]:
    last = sight.last
    return [
        ("401 or 403 and not a redirect to a page", len(sight.hops) == 1 and last.status in (401, 403)),
        (f"a body of at most {SMALL} bytes", len(last.body) <= SMALL and not last.cut),
        ("no WWW-Authenticate", not last.header("www-authenticate")),
        ("Cache-Control: no-store", "no-store" in last.header("cache-control").lower()),
    ]


def refuses_parts_and_heads(target: Target) -> Iterator[Finding]:
    """A part of it, or only its headers, are refused like the whole."""
    if not target.open_sight.denied:
        return
    for what, method, headers in (("a part", "GET", {"Range": "bytes=0-99"}), ("HEAD", "HEAD", {})):
        sight = shown(target.tour, target.content, target.kind, headers=headers, method=method)
        evidence = f"{sight.told} when asked for {what}, and {target.open_sight.last.status} for the whole."
        yield judged("A2-CONT-03", sight.denied, evidence, target.content)


# -- What a holder gets -------------------------------------------------------------------------------------------


def obeys_the_aspect_only(holding: tuple[Target, Holder]) -> Iterator[Finding]:
    """A token of the flow opens no content, wherever it is put."""
    target, holder = holding
    if not target.open_sight.denied:
        return
    token = holder.token
    places: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("as a bearer token", target.content, bearer(token)),
        ("in its query", parameters(target.content, ("token", token), ("access_token", token)), {}),
    )
    for how, url, headers in places:
        sight = shown(target.tour, url, target.kind, headers=headers)
        evidence = f"{sight.told} to somebody who has only a token, sent {how}."
        yield judged(
            "A2-CONT-01", not sight.granted, evidence, target.content, expected="a refusal, for tokens are for probes"
        )


def can_be_used_anywhere(holding: tuple[Target, Holder]) -> Iterator[Finding]:
    """What is granted can be shown on a viewer's page, and drawn on its canvas."""
    target, holder = holding
    sight = shown(target.tour, target.content, target.kind, holder.jar.copy(), {"Origin": target.tour.origin})
    if sight.granted:
        yield usable(target, sight.last)


def usable(target: Target, answer: Answer) -> Finding:
    policy = answer.header("cross-origin-resource-policy").lower()
    allowed = answer.header("access-control-allow-origin")
    claims = [
        (f"Cross-Origin-Resource-Policy: cross-origin, but it is {policy}", policy in CROSS_SITE),
        (
            "Access-Control-Allow-Origin, without which no canvas may use it",
            target.kind != "Image" or allowed in ("*", target.tour.origin),
        ),
    ]
    return measured("A2-CONT-04", f"{answer.told} granted", claims, "for pages of any site", target.content)


def open_content_can_be_used(target: Target) -> Iterator[Finding]:
    if target.open_sight.granted:
        yield usable(target, target.open_sight.last)


OPEN: tuple[Check[Target], ...] = (
    Check(("A2-DECL-01", "A2-DECL-02", "A2-DECL-03"), declares_a_probe),
    Check(("A2-CONT-03",), refuses_well),
)
THOROUGH: tuple[Check[Target], ...] = (Check(("A2-CONT-03",), refuses_parts_and_heads),)
HOLDING: tuple[Check[tuple[Target, Holder]], ...] = (
    Check(("A2-CONT-01",), obeys_the_aspect_only),
    Check(("A2-CONT-04",), can_be_used_anywhere),
)


# -- info.json ----------------------------------------------------------------------------------------------------

InfoOf = tuple[Tour, Document]


def is_the_same_for_everybody(asked: InfoOf) -> Iterator[Finding]:
    tour, info = asked
    if any(one.version != VERSION_2 for one in info.services):
        why = "It speaks older versions too, in which info.json itself says no."
        yield from (untestable(id, why, info.url) for id in ("A2-INFO-01", "A2-INFO-03"))
        return
    plain = fetched(tour, info.url)
    evidence = f"{plain.told} answered {plain.status} to anybody."
    yield judged("A2-INFO-01", plain.status == 200, evidence, info.url, expected="200, for it is not a probe")
    odd = fetched(tour, info.url, bearer("x" * 43))
    evidence = f"{odd.told} with an unknown token answered {odd.status}."
    yield judged(
        "A2-INFO-03", odd.status == plain.status, evidence, info.url, expected=f"{plain.status}, as without one"
    )
    same = odd.body == plain.body
    evidence = f"{odd.told} says {'the same' if same else 'something else'} with an unknown token."
    yield judged("A2-INFO-01", same, evidence, info.url)


def can_be_read_anywhere(asked: InfoOf) -> Iterator[Finding]:
    """By any site; and so can the redirect from the image's own address."""
    tour, info = asked
    base = info.url.removesuffix("/info.json")
    for url in (info.url, base):
        answer = tour.web.ask("GET", url, headers={"Origin": tour.origin, "Accept": "application/ld+json"}, most=GLANCE)
        allowed = answer.header("access-control-allow-origin")
        evidence = f"{answer.told} answered {answer.status} with Access-Control-Allow-Origin {allowed or 'missing'}."
        if url == info.url or answer.status == 303 or answer.redirects_to == info.url:
            yield judged("A2-INFO-02", allowed == "*", evidence, url, expected="*")


def tokens_change_nothing(asked: tuple[Tour, Document, Holder]) -> Iterator[Finding]:
    tour, info, holder = asked
    plain, now = fetched(tour, info.url), fetched(tour, info.url, bearer(holder.token))
    evidence = f"{now.told} says {'the same' if plain.body == now.body else 'something else'} with a good token."
    yield judged("A2-INFO-01", (plain.status, plain.body) == (now.status, now.body), evidence, info.url)


INFO: tuple[Check[InfoOf], ...] = (
    Check(("A2-INFO-01", "A2-INFO-03"), is_the_same_for_everybody),
    Check(("A2-INFO-02",), can_be_read_anywhere),
)
INFO_HOLDING: tuple[Check[tuple[Tour, Document, Holder]], ...] = (Check(("A2-INFO-01",), tokens_change_nothing),)
