"""Access cookie services: pages in a tab of their own, of which a cookie comes (section 2.1), and logging out (section 2.3)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import opened, parameters
from iiif_auth.conformance.cookies import Cookie, Jar
from iiif_auth.conformance.findings import Finding, judged, measured, untestable
from iiif_auth.conformance.flows.earlier.people import Asking, Holder, Visiting, child_of
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.person import profile
from iiif_auth.conformance.web import origin_of

DAY = 86_400
LONGEST = 7 * DAY
"""Seconds that an access cookie may live and still be nearer to minutes than to months."""


def can_be_opened(visiting: Visiting) -> Iterator[Finding]:
    """With an origin and with parameters that nobody knows; a kiosk may of course refuse whoever is elsewhere."""
    bare = opened(visiting.tour, visiting.url, Jar())[-1]
    more = visiting.page(Jar(), ("t", "1"), ("unknown", "x")).answer
    first = visiting.first.hops[-1]
    for how, answer in (("an origin", first), ("an origin and unknown parameters", more)):
        fine = answer.status < 400 or answer.status == bare.status
        evidence = f"{answer.told} answered {answer.status} with {how}, and {bare.status} without anything."
        yield judged("A1-ACC-01", fine, evidence, visiting.url)


def closes_at_the_end(visiting: Visiting) -> Iterator[Finding]:
    if not visiting.holder.token:
        yield untestable("A1-ACC-03", visiting.holder.why_not, visiting.url)
        return
    answer = visiting.last.hops[-1]
    told = "closes itself" if visiting.last.closed else "has no script that closes it"
    yield judged("A1-ACC-03", visiting.last.closed, f"{answer.told}, the last page, {told}.", visiting.url)


def asks_nothing(visiting: Visiting) -> Iterator[Finding]:
    """A click-through gives its cookie at once and closes: the viewer has shown the terms already."""
    yield _at_once(visiting, "A1-ACC-04")


def lets_a_kiosk_in(visiting: Visiting) -> Iterator[Finding]:
    """A kiosk too, to a machine at the right place; that a machine elsewhere is refused is no fault."""
    answer = visiting.first.hops[-1]
    if answer.status in (401, 403):
        why = f"{answer.told} answered {answer.status}: this machine is none of its kiosks. Run the checker on one."
        yield untestable("A1-ACC-05", why, visiting.url)
    else:
        yield _at_once(visiting, "A1-ACC-05")


def _at_once(visiting: Visiting, id: str) -> Finding:
    first = visiting.first
    claims = [
        ("a cookie", bool(first.cookies)),
        ("a page that closes itself", first.closed),
        ("nothing to click", len(visiting.visit.steps) == 1),
    ]
    told = f"{first.hops[0].told} answered {first.hops[-1].status}"
    return measured(id, told, claims, "with a cookie and a page that closes itself, at once", visiting.url)


def is_a_place_to_log_in(visiting: Visiting) -> Iterator[Finding]:
    """A page for people, here or where the institution has its logins; and in the end a page of this site again."""
    answer = visiting.first.hops[-1]
    if answer.redirects_to is not None:
        where = origin_of(answer.redirects_to)
        why = f"{answer.told} sends people on to {where} to log in; what they see there nobody looked at."
        yield untestable("A1-ACC-07", why, visiting.url)
        return
    sound = answer.status == 200 and answer.type == "text/html"
    evidence = f"{answer.told} answered {answer.status} {answer.type}; a page is expected."
    yield judged("A1-ACC-07", sound, evidence, visiting.url)
    if visiting.holder.token:
        last = visiting.last.hops[-1]
        evidence = f"The login ended at {last.url.partition('?')[0]}; a page on the site of the cookie is expected."
        yield judged("A1-ACC-07", origin_of(last.url) == origin_of(visiting.url), evidence, visiting.url)


def needs_no_visit(asking: Asking) -> Iterator[Finding]:
    """There is nothing to open for an external service: its token service says at once who is let in."""
    shown = asking.holder.answer
    told = shown.told if shown is not None else "was not asked"
    sound = shown is not None and shown.message is not None
    yield judged("A1-ACC-06", sound, f"Without a visit anywhere, {asking.url} {told}.", asking.url)


def gives_a_cookie_for_a_while(visiting: Visiting) -> Iterator[Finding]:
    given = access_cookies(visiting.holder)
    if not given:
        yield untestable(
            "A1-SEC-02", f"{visiting.holder.name} gave no cookie that a token service goes by.", visiting.url
        )
    for cookie in given:
        life = cookie.life
        told = "until the browser is closed" if life is None else f"for {life / 60:.0f} minutes"
        evidence = (
            f"{visiting.holder.name} set the cookie {cookie.name} {told}; minutes rather than months are advised."
        )
        yield judged("A1-SEC-02", life is None or life <= LONGEST, evidence, visiting.url)


def access_cookies(holder: Holder) -> list[Cookie]:
    """The cookies, as they were set, that the token service goes by."""
    steps = holder.visit.steps if holder.visit else ()
    given = [one for step in steps for one in step.cookies if one.name in holder.cookies]
    return list({one.name: one for one in given}.values())


# -- Logging out --------------------------------------------------------------------------------------------------


def lets_go(asking: Asking) -> Iterator[Finding]:
    yield from leave(asking, "A1-OUT-02")


def leave(asking: Asking, id: str) -> Iterator[Finding]:
    """Log out: the cookie is deleted, and the browser that had it gets no token any more."""
    holder = asking.holder
    url = child_of(holder.access, "logout")
    if why := why_not_leave(asking, url):
        yield untestable(id, why, url or holder.access.id)
        return
    hops = opened(asking.tour, parameters(url, *asking.query), holder.jar)
    holder.left = True
    kept = sorted({one.name for one in holder.jar} & {*holder.cookies})
    again = asking.with_id("again").token
    claims = [
        ("a page", hops[-1].status < 400),
        (f"that the cookie {', '.join(kept)} is deleted, with the Path and Domain it was set with", not kept),
        ("no token any more", not again),
    ]
    told = f"{hops[0].told} answered {hops[-1].status}"
    yield measured(id, told, claims, "the cookie is gone, and there is no other token", url)


def why_not_leave(asking: Asking, url: str) -> str:
    if not url:
        return f"{asking.holder.name} has no logout service."
    if asking.holder.given:
        return "The cookie was given; logging out would end the session it belongs to."
    return "" if asking.holder.token else asking.holder.why_not


PAGES: tuple[Check[Visiting], ...] = (
    Check(("A1-ACC-01",), can_be_opened),
    Check(("A1-ACC-03",), closes_at_the_end),
    Check(("A1-SEC-02",), gives_a_cookie_for_a_while),
)
BY_PROFILE: dict[str, tuple[Check[Visiting], ...]] = {
    "login": (*PAGES, Check(("A1-ACC-07",), is_a_place_to_log_in)),
    "clickthrough": (*PAGES, Check(("A1-ACC-04",), asks_nothing)),
    "kiosk": (*PAGES, Check(("A1-ACC-05",), lets_a_kiosk_in)),
}
EXTERNAL: tuple[Check[Asking], ...] = (Check(("A1-ACC-06",), needs_no_visit),)
LEAVING: tuple[Check[Asking], ...] = (Check(("A1-OUT-02",), lets_go),)


def checks_for(holder: Holder) -> tuple[Check[Visiting], ...]:
    """What there is to look at; an external service has no page that anybody opens."""
    return BY_PROFILE.get(profile(holder.access), ())
