"""Access services: a tab in which a person clicks, or a kiosk that lets in at once (section 2.1.3), and leaving (section 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import opened
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.findings import Finding, judged, measured, untestable
from iiif_auth.conformance.flows.earlier.people import Asking, Holder, Visiting
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.access import leave
from iiif_auth.conformance.person import profile
from iiif_auth.conformance.web import origin_of


def can_be_opened(visiting: Visiting) -> Iterator[Finding]:
    bare = opened(visiting.tour, visiting.url, Jar())[-1]
    more = visiting.page(Jar(), ("t", "1"), ("unknown", "x")).answer
    for how, answer in (("an origin", visiting.first.hops[-1]), ("an origin and unknown parameters", more)):
        fine = answer.status < 400 or answer.status == bare.status
        evidence = f"{answer.told} answered {answer.status} with {how}, and {bare.status} without anything."
        yield judged("A2A-ACC-01", fine, evidence, visiting.url)


def waits_for_a_click(visiting: Visiting) -> Iterator[Finding]:
    """To look at the page gives no access, neither to a stranger nor to somebody who has been there before."""
    first = visiting.first
    yield _only_looked(visiting, [one.name for one in first.cookies], first.closed, "to a stranger")
    if not visiting.holder.token:
        yield untestable("A2A-ACC-02", visiting.holder.why_not, visiting.url)
        return
    jar = visiting.holder.jar.copy()
    before = {(one.name, one.value) for one in jar}
    shown = visiting.page(jar)
    new = [one.name for one in jar if (one.name, one.value) not in before]
    if {*new} & {*visiting.holder.cookies}:
        visiting.holder.jar = jar  # whoever is given another cookie may find the old one worth nothing
    yield _only_looked(visiting, new, shown.played.closed, "to somebody who has access already")
    clicks = [step for step in visiting.visit.steps if step.deed != "opened"]
    own = [step for step in clicks if origin_of(step.hops[0].url) == origin_of(visiting.url)]
    evidence = f"{visiting.holder.name} gave access after {' and '.join(one.deed for one in clicks) or 'no click'}."
    yield judged("A2A-ACC-02", bool(own), evidence, visiting.url)


def _only_looked(visiting: Visiting, given: list[str], closes: bool, how: str) -> Finding:
    """``given`` are names of cookies; only those that the token service goes by matter."""
    names = [name for name in given if name in visiting.holder.cookies]
    claims = [(f"no cookie before a click, but there came {', '.join(names)}", not names), ("no closing", not closes)]
    return measured("A2A-ACC-02", f"{visiting.url} shown {how}", claims, "waits for a click", visiting.url)


def lets_a_kiosk_in(visiting: Visiting) -> Iterator[Finding]:
    first = visiting.first
    answer = first.hops[-1]
    if answer.status in (401, 403):
        why = f"{answer.told} answered {answer.status}: this machine is none of its kiosks. Run the checker on one."
        yield untestable("A2A-ACC-04", why, visiting.url)
        return
    claims = [
        ("a cookie", bool(first.cookies)),
        ("a page that closes itself", first.closed),
        ("nothing to click", len(visiting.visit.steps) == 1),
    ]
    told = f"{answer.told} answered {answer.status}"
    yield measured("A2A-ACC-04", told, claims, "with a cookie and a page that closes itself, at once", visiting.url)


def lets_go(asking: Asking) -> Iterator[Finding]:
    yield from leave(asking, "A2A-OUT-01")


OPENED: Check[Visiting] = Check(("A2A-ACC-01",), can_be_opened)
BY_PROFILE: dict[str, tuple[Check[Visiting], ...]] = {
    "interactive": (OPENED, Check(("A2A-ACC-02",), waits_for_a_click)),
    "kiosk": (OPENED, Check(("A2A-ACC-04",), lets_a_kiosk_in)),
}
LEAVING: tuple[Check[Asking], ...] = (Check(("A2A-OUT-01",), lets_go),)


def checks_for(holder: Holder) -> tuple[Check[Visiting], ...]:
    """What there is to look at; an external service has no page that anybody opens."""
    return BY_PROFILE.get(profile(holder.access), ())
