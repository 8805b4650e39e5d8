"""The access service: a tab in which a person clicks, a cookie comes of it, and the tab closes (section 3, appendix A)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iiif_auth.conformance.browser import Shown, opened, parameters, seen, submitted
from iiif_auth.conformance.cookies import Cookie, Jar
from iiif_auth.conformance.findings import Finding, judged, measured, untestable
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.person import Holder, Step, Visit, asked_for_token, chosen_form, profile
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Answer, Unreachable, origin_of, shortened

CUTS_OFF = ("same-origin", "same-origin-allow-popups", "noopener-allow-popups")
"""Policies under which a viewer believes at once that the tab it opened is closed."""


@dataclass(frozen=True)
class Visiting:
    """An access service and the visit that was made to it."""

    tour: Tour
    holder: Holder

    @property
    def url(self) -> str:
        return self.holder.access.id

    @property
    def visit(self) -> Visit:
        """The visit.

        Raises:
            Unreachable: none was made, because a cookie was given.
        """
        if self.holder.visit is None or not self.holder.visit.steps:
            why = self.holder.visit.problem if self.holder.visit else "A cookie was given, so nobody went through it."
            raise Unreachable(why)
        return self.holder.visit

    @property
    def last(self) -> Step:
        return self.visit.steps[-1]

    def page(self, jar: Jar, *more: tuple[str, str]) -> Shown:
        """The access page as a viewer opens it, after redirects within its origin."""
        hops = opened(self.tour, parameters(self.url, ("origin", self.tour.origin), *more), jar)
        return seen(self.tour, hops[-1])


# -- Every page of the flow ---------------------------------------------------------------------------------------


def never_cuts_the_viewer_off(visiting: Visiting) -> Iterator[Finding]:
    for hop in visiting.visit.hops:
        policy = hop.header("cross-origin-opener-policy").partition(";")[0].strip()
        evidence = f"{hop.told} ({hop.status}) sent Cross-Origin-Opener-Policy: {policy or 'nothing'}"
        wrong = "; the viewer would think the tab closed, and ask for a token too early"
        yield judged(
            "A2-INT-08", policy not in CUTS_OFF, f"{evidence}{wrong if policy in CUTS_OFF else ''}.", visiting.url
        )


def can_not_be_framed(visiting: Visiting) -> Iterator[Finding]:
    own = [step.hops[-1] for step in visiting.visit.steps if _is_own(step.hops[-1], visiting.url)]
    for answer in own:
        frames = answer.header("content-security-policy") or answer.header("x-frame-options")
        evidence = f"{answer.told} sent {shortened(frames) or 'neither X-Frame-Options nor a policy'}."
        expected = "Content-Security-Policy: frame-ancestors 'none'"
        yield judged("A2-INT-09", _forbids_frames(answer), evidence, visiting.url, expected=expected)


def _is_own(answer: Answer, url: str) -> bool:
    return answer.url.partition("?")[0] == url.partition("?")[0] and answer.status == 200


def _forbids_frames(answer: Answer) -> bool:
    if answer.header("x-frame-options").strip().upper() in ("DENY", "SAMEORIGIN"):
        return True
    directives = answer.header("content-security-policy").lower().replace(",", ";").split(";")
    sources = next((one.split()[1:] for one in directives if one.split()[:1] == ["frame-ancestors"]), ["*"])
    return not {"*", "https:", "http:"} & {*sources}


def sends_no_form_for_others(visiting: Visiting) -> Iterator[Finding]:
    """The form carries something that only this page could know: sent from another site, or without it, it grants nothing."""
    step = next(
        (
            one
            for one in visiting.visit.steps
            if chosen_form(one.shown) is not None and _is_own(one.hops[-1], visiting.url)
        ),
        None,
    )
    form = chosen_form(step.shown) if step else None
    if step is None or form is None or not visiting.holder.token or form.password is not None:
        return
    jar = visiting.holder.jar.without(visiting.holder.cookies)
    buttons = [(one.name, one.value) for one in form.buttons[:1] if one.name]
    evil = type(step.shown.page)("https://evil.example/page")
    submitted(visiting.tour, evil, form.action, buttons or [("go", "1")], jar, method=form.method)
    got = _token(visiting, jar)
    told = "gave access" if got else "gave nothing"
    evidence = f"The form at {form.action}, sent from another site without its hidden fields, {told}."
    yield judged("A2-INT-09", not got, evidence, visiting.url)


def can_be_opened(visiting: Visiting) -> Iterator[Finding]:
    """With ``?origin=``, and with parameters it does not know."""
    told = "a query of its own, behind which viewers write ?origin=" if "?" in visiting.url else "no query of its own"
    yield judged("A2-INT-01", "?" not in visiting.url, f"{visiting.url} has {told}.", visiting.url)
    for more in ((), (("t", "1"),)):
        shown = visiting.page(Jar(), *more)
        fine = shown.answer.status < 400 or shown.answer.redirects_to is not None
        evidence = f"{shown.answer.told} answered {shown.answer.status} with {'an unknown parameter' if more else 'an origin'}."
        yield judged("A2-INT-01", fine, evidence, visiting.url)


# -- Active: with a click -----------------------------------------------------------------------------------------


def gives_nothing_without_a_click(visiting: Visiting) -> Iterator[Finding]:
    """To look at the page gives no access, neither to a stranger nor to somebody who is signed in already."""
    first = visiting.visit.steps[0]
    yield _only_looked(visiting, first.shown, visiting.holder.cookies, first.cookies, "to a stranger")
    if not visiting.holder.token:
        return
    for how, jar in _browsers(visiting.holder):
        before = {(one.name, one.value) for one in jar}
        shown = visiting.page(jar)
        new = tuple(one for one in jar if (one.name, one.value) not in before)
        yield _only_looked(visiting, shown, visiting.holder.cookies, new, how)


def _browsers(holder: Holder) -> list[tuple[str, Jar]]:
    """Signed in with the access cookie, and signed in without it.

    The first is the holder's own browser: a server that gives a new cookie at a look takes the old one back.
    """
    found = [("to somebody who has access already", holder.jar)]
    rest = holder.jar.without(holder.cookies)
    return [*found, ("to somebody who is signed in", rest)] if len(rest) else found


def _only_looked(
    visiting: Visiting, shown: Shown, names: tuple[str, ...], new: tuple[Cookie, ...], how: str
) -> Finding:
    given = [one.name for one in new if one.name in names]
    closes = shown.played.closed
    evidence = f"{shown.answer.told} {how} {_deeds(given, closes)}."
    return judged("A2-INT-04", not given and not closes, evidence, visiting.url)


def _deeds(given: list[str], closes: bool) -> str:
    deeds = [f"sets the cookie {', '.join(given)}"] if given else []
    deeds += ["closes at once"] if closes else []
    return f"{' and '.join(deeds)}, although nobody has clicked" if deeds else "waits for a click"


def gives_access_by_a_click(visiting: Visiting) -> Iterator[Finding]:
    """The click is on a page of the access service's own origin, and the cookie comes with it or after it."""
    if not visiting.holder.token:
        yield untestable("A2-INT-04", visiting.holder.why_not, visiting.url)
        return
    clicks = [step for step in visiting.visit.steps if step.deed != "opened"]
    own = [step for step in clicks if origin_of(step.hops[0].url) == origin_of(visiting.url)]
    evidence = f"{visiting.holder.name} gave access after {' and '.join(step.deed for step in clicks) or 'no click'}."
    yield judged("A2-INT-04", bool(own), evidence, visiting.url)


def closes_at_the_end(visiting: Visiting) -> Iterator[Finding]:
    if not visiting.holder.token:
        yield untestable("A2-INT-03", visiting.holder.why_not, visiting.url)
        return
    answer = visiting.last.hops[-1]
    evidence = (
        f"{answer.told}, the last page, {'closes itself' if visiting.last.closed else 'has no script that closes it'}."
    )
    yield judged("A2-INT-03", visiting.last.closed, evidence, visiting.url)


# -- The cookie ---------------------------------------------------------------------------------------------------


def gives_a_cookie_for_everywhere(visiting: Visiting) -> Iterator[Finding]:
    """It goes to pictures on other sites, and nothing but the server reads it."""
    given = [one for step in visiting.visit.steps for one in step.cookies if one.name in visiting.holder.cookies]
    for cookie in {one.name: one for one in given}.values():
        told = f"{visiting.holder.name} set the cookie {cookie.name} with {_line(cookie)}"
        yield measured("A2-CONT-05", told, _attributes(cookie), "so it goes to pictures on any site", visiting.url)
    if not given:
        why = f"{visiting.holder.name} set no cookie." if visiting.holder.token else visiting.holder.why_not
        yield untestable("A2-CONT-05", why, visiting.url)


def _line(cookie: Cookie) -> str:
    """The attributes as they were sent."""
    parts = [f"{name}={value}" if value else name for name, value in cookie.attributes.items()]
    return "; ".join(parts) or "no attributes"


def _attributes(cookie: Cookie) -> list[tuple[str, bool]]:
    return [
        ("Secure", cookie.secure),
        ("HttpOnly", "httponly" in cookie.attributes),
        ("SameSite=None", cookie.attributes.get("samesite", "").lower() == "none"),
        ("Path=/", cookie.path == "/"),
        ("no Partitioned", "partitioned" not in cookie.attributes),
    ]


# -- Kiosk --------------------------------------------------------------------------------------------------------


def lets_a_kiosk_in_at_once(visiting: Visiting) -> Iterator[Finding]:
    if not visiting.holder.token:
        why = "It let nobody in from here, and only a machine at the right place could tell."
        yield untestable("A2-INT-07", why, visiting.url)
        return
    deeds = [step.deed for step in visiting.visit.steps]
    told = f"{visiting.holder.name} gave access when it was {' and '.join(deeds)}"
    claims = [("no click", deeds == ["opened"]), ("a page that closes itself", visiting.last.closed)]
    yield measured("A2-INT-07", told, claims, "and closed by itself", visiting.url)


def _token(visiting: Visiting, jar: Jar) -> str:
    service = visiting.holder.token_service
    return asked_for_token(visiting.tour, service, jar).token if service is not None else ""


PAGES: tuple[Check[Visiting], ...] = (
    Check(("A2-INT-08",), never_cuts_the_viewer_off),
    Check(("A2-INT-09",), can_not_be_framed),
    Check(("A2-INT-03",), closes_at_the_end),
    Check(("A2-CONT-05",), gives_a_cookie_for_everywhere),
)
ACTIVE: tuple[Check[Visiting], ...] = (
    Check(("A2-INT-01",), can_be_opened),
    Check(("A2-INT-04",), gives_nothing_without_a_click),
    Check(("A2-INT-04",), gives_access_by_a_click),
    Check(("A2-INT-09",), sends_no_form_for_others),
)
KIOSK: tuple[Check[Visiting], ...] = (Check(("A2-INT-07",), lets_a_kiosk_in_at_once),)
BY_PROFILE = {"active": (*PAGES, *ACTIVE), "kiosk": (*PAGES, *KIOSK)}


def checks_for(holder: Holder) -> tuple[Check[Visiting], ...]:
    """What there is to look at; an external service has no page that anybody opens."""
    return BY_PROFILE.get(profile(holder.access), ())
