"""The login service: a page of which comes a cookie for the token service (section 2.1), and logging out (section 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.findings import Finding, judged, untestable
from iiif_auth.conformance.flows.earlier.people import Asking, Visiting
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.access import leave
from iiif_auth.conformance.web import origin_of


def is_a_page(visiting: Visiting) -> Iterator[Finding]:
    """A page for people, or a way to where the institution has its logins; a browser's own question for a password counts too."""
    answer = visiting.first.hops[-1]
    if answer.redirects_to is not None:
        told = f"{answer.told} sends people on to {origin_of(answer.redirects_to)} to log in"
        yield judged("A092-LOGIN-01", True, f"{told}.", visiting.url)
        yield judged("A092-LOGIN-04", True, f"{told}, though no origin was given.", visiting.url)
        return
    basic = answer.status == 401 and answer.header("www-authenticate").lower().startswith("basic")
    page = answer.type == "text/html" and bool(answer.body)
    told = f"{answer.told} answered {answer.status} {answer.type}"
    yield judged("A092-LOGIN-01", page or basic, f"{told}; a page is expected.", visiting.url)
    evidence = f"{told} without an origin, which viewers of 0.9.2 never give."
    yield judged("A092-LOGIN-04", answer.status < 400 or basic, evidence, visiting.url)


def gives_a_cookie(visiting: Visiting) -> Iterator[Finding]:
    holder = visiting.holder
    if holder.token_service is None or visiting.visit.problem:
        yield untestable("A092-LOGIN-02", holder.why_not, visiting.url)
        return
    going = [one.name for one in holder.jar.going_to(holder.token_service.id)]
    told = f"After {holder.name} the cookies {', '.join(going) or '(none)'} go to {holder.token_service.id}"
    said = holder.answer.told if holder.answer else "was not asked"
    evidence = f"{told}, which {said}."
    yield judged("A092-LOGIN-02", bool(going) and bool(holder.token), evidence, visiting.url)


def closes_at_the_end(visiting: Visiting) -> Iterator[Finding]:
    if not visiting.holder.token:
        yield untestable("A092-LOGIN-03", visiting.holder.why_not, visiting.url)
        return
    answer = visiting.last.hops[-1]
    told = "closes itself" if visiting.last.closed else "has no script that closes it"
    yield judged("A092-LOGIN-03", visiting.last.closed, f"{answer.told}, the last page, {told}.", visiting.url)


def lets_go(asking: Asking) -> Iterator[Finding]:
    yield from leave(asking, "A092-OUT-02")


PAGES: tuple[Check[Visiting], ...] = (
    Check(("A092-LOGIN-01", "A092-LOGIN-04"), is_a_page),
    Check(("A092-LOGIN-02",), gives_a_cookie),
    Check(("A092-LOGIN-03",), closes_at_the_end),
)
LEAVING: tuple[Check[Asking], ...] = (Check(("A092-OUT-02",), lets_go),)
