"""The twenty rows of the browsers' test matrix that are more than a way through: headers, windows, frames, and attacks.

Rows 1, 2 and 3 are cells of the mode table (login, returning, click-through). Each function returns what it saw in a few words,
or fails with what was wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests.matrix import chain, names, ways
from tests.matrix.deployment import Deployment, Entry
from tests.matrix.driver import Late
from tests.matrix.modes import BY_KEY, Mode
from tests.matrix.reading import TWIN, outcome
from tests.matrix.ways import Visit

LOGIN = "merehaven-login"
CUT = {"Cross-Origin-Opener-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class Row:
    """``modes`` is empty where no browser is needed; ``popups`` as kiosks have them."""

    number: int
    label: str
    see: Callable[[Visit], str] | Callable[[Deployment], str]
    modes: tuple[Mode, ...] = field(default_factory=tuple)
    popups: bool = False


def tried(row: Row, mode: Mode | None, library: Deployment) -> str:
    """One cell; in words what was seen.

    Raises:
        AssertionError: what must be was not.
        Unable: the browser is not here, or can not be made to do this.
    """
    library.as_new()
    if mode is None:
        return row.see(library)  # type: ignore[arg-type]
    with mode.start(popups=row.popups) as browser:
        return row.see(Visit(browser, library, mode))  # type: ignore[arg-type]


# -- Windows -------------------------------------------------------------------------------------------------------


def stays_open(visit: Visit) -> str:
    """On every page of the chain: the viewer's hold on the window, the window's hold on the viewer, and no early question."""
    mark = visit.house.mark()
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    window = visit.press_enter()
    seen = []
    visit.fill(window, "nobody", "wrong")
    visit.browser.click(ways.LOGIN_BUTTON, window)
    visit.browser.until("the refusal", lambda: visit.browser.there(".errorlist, [role=alert]", window))
    seen.append(hold(visit, window, "login refused"))
    visit.sign_in(window)
    visit.browser.until("the question", lambda: visit.browser.there("#continue", window))
    seen.append(hold(visit, window, "access page"))
    time.sleep(1)
    early = visit.house.requests(mark, "/token/")
    assert not early, f"asked for a token before anybody had finished: {early}"
    assert not visit.browser.run(ways.TOLD, "closed"), "the viewer took the window for closed"
    visit.confirm(window)
    visit.ends()
    return f"opener kept on: {', '.join(seen)}; {outcome(visit.house.log(mark))}"


def hold(visit: Visit, window: str, where: str) -> str:
    assert visit.browser.run("() => window.opener !== null", window=window), f"no opener on: {where}"
    return where


def bites(visit: Visit) -> str:
    """The test above, against a login page that cuts the opener as Django's default does."""
    visit.house.ask("headers", overrides={"/accounts/login/": CUT})
    mark = visit.house.mark()
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    visit.press_enter()
    visit.told("token")
    posted = [one["posts"] for one in visit.house.requests(mark, "/token/")]
    assert posted, "the cut was not noticed"
    return f"closed at once, token asked for before anybody typed: {posted[0]}"


def in_a_tab(visit: Visit) -> str:
    return through(visit, visit.house.viewer("herbal-1", LOGIN, window="tab"))


def through(visit: Visit, address: str) -> str:
    """The whole way through a login from a viewer at some address."""
    mark = visit.house.mark()
    visit.open(address)
    window = visit.press_enter()
    visit.sign_in(window)
    visit.confirm(window)
    visit.ends()
    return good(visit.house.log(mark))


def good(entries: list[Entry]) -> str:
    found = outcome(entries)
    assert found.good, str(found)
    return str(found)


def nested(visit: Visit) -> str:
    """The viewer in a frame on a third site."""
    mark = visit.house.mark()
    visit.browser.goto(visit.house.nested(visit.house.viewer("herbal-1", LOGIN)))
    told = "(type) => globalThis.told.filter((event) => event.type === type)"
    visit.browser.until("the nested viewer", lambda: visit.browser.run(told, "ready"))
    before = visit.browser.windows()
    visit.browser.click_in_frame("#nested", "#enter")
    window = visit.browser.new_window(before)
    visit.sign_in(window)
    visit.confirm(window)
    visit.browser.until("the picture", lambda: visit.browser.run(told, "picture"))
    visit.browser.alone()
    return good(visit.house.log(mark))


def isolated(visit: Visit) -> str:
    """A viewer with COEP ``require-corp`` and COOP ``same-origin-allow-popups``."""
    address = visit.house.viewer("herbal-1", LOGIN, coep="require-corp", coop="same-origin-allow-popups")
    return through(visit, address)


def same_site(visit: Visit) -> str:
    """A viewer on the library's own registrable domain."""
    return through(visit, visit.house.viewer("herbal-1", LOGIN, host=names.SAME_SITE_VIEWER))


def other_host(visit: Visit) -> str:
    """Pictures from another host of the library's."""
    visit.house.ask("settings", given={"COOKIE_DOMAIN": names.INSTITUTION})
    elsewhere = visit.house.at(names.IMAGES)
    return through(visit, visit.house.viewer("herbal-1", LOGIN, images=elsewhere))


def side_window(visit: Visit) -> str:
    """A provider that cuts the opener, opened in a window of its own by the access page."""
    visit.house.ask("settings", given={"LOGIN_URL": "/matrix/login", "LOGIN_WINDOW": "side"})
    mark = visit.house.mark()
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    window = visit.press_enter()
    before = visit.browser.windows()
    visit.browser.click("[data-side]", window)
    side = visit.browser.new_window(before)
    visit.browser.click("#proceed", side)
    visit.confirm(window)
    visit.ends()
    return good(visit.house.log(mark))


def without_opener(visit: Visit) -> str:
    """A viewer that cuts the library's window off from itself: it can never learn that the window has closed."""
    visit.open(visit.house.viewer("herbal-1", LOGIN, window="noopener"))
    window = visit.press_enter()
    visit.sign_in(window)
    visit.confirm(window)
    words = visit.browser.until("a message", lambda: message(visit, window))
    link = visit.browser.run(BACK, visit.house.at(names.VIEWER), window=window)
    assert link, f"no link back: {words}"
    return f"says: “{words[:120]}” and links back"


BACK = """(origin) => [...document.querySelectorAll("main a")]
    .some((one) => one.href.startsWith(origin) && one.checkVisibility())"""
MESSAGE = """() => [...document.querySelectorAll("[data-said=lost], [data-said=blocked]")]
    .filter((one) => one.checkVisibility()).map((one) => one.innerText).join(" ")"""


def message(visit: Visit, window: str) -> str:
    return " ".join(str(visit.browser.run(MESSAGE, window=window)).split())


def no_second_window(visit: Visit) -> str:
    """The hand-off's window does not open: the first must stay, and say so."""
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    window = visit.press_enter()
    visit.sign_in(window)
    visit.browser.until("the question", lambda: visit.browser.there("#continue", window))
    visit.browser.run("() => { globalThis.open = () => null; return true; }", window=window)
    visit.confirm(window)
    time.sleep(3)
    assert window in visit.browser.windows(), "the window closed although the other did not open"
    return f"stays and says: “{message(visit, window)[:160] or 'the question again'}”"


# -- Frames and headers --------------------------------------------------------------------------------------------


FRAMED = {
    "/iiif-auth/diagnosis/frame": True,
    "/iiif-auth/2/token/merehaven-login?messageId=m&origin=ORIGIN": True,
    "/iiif-auth/2/access/merehaven-terms?origin=ORIGIN": False,
    "/accounts/login/": False,
    "/iiif-auth/handoff": False,
    "/iiif-auth/2/logout/merehaven-login": False,
    "/iiif-auth/diagnosis": False,
}


def frames(visit: Visit) -> str:
    """Which pages can be framed: one that was shown asks for its style, or posts its message."""
    seen = []
    for address, allowed in FRAMED.items():
        mark = visit.house.mark()
        page = visit.house.origin + address.replace("ORIGIN", visit.house.at(names.NEST))
        visit.browser.goto(visit.house.nested(page))
        time.sleep(1)
        entries = visit.house.log(mark)
        asked_for = [one["status"] for one in entries if "path" in one and address.partition("?")[0] == one["path"]]
        assert asked_for, f"{address} was not even asked for"
        assert asked_for[0] != 404, f"there is no page at {address}"
        shown = shown_in_frame(visit, entries)
        assert shown == allowed, f"{address} {'was' if shown else 'was not'} shown in a frame"
        seen.append(f"{address.partition('?')[0].rpartition('/iiif-auth')[2]}: {'yes' if shown else 'no'}")
    return ", ".join(seen)


def shown_in_frame(visit: Visit, entries: list[Entry]) -> bool:
    posted = visit.browser.run("() => globalThis.heard.length")
    return bool(posted) or any(one.get("path", "").startswith("/static/") for one in entries)


# -- Later, and by others ------------------------------------------------------------------------------------------


def reloaded(visit: Visit) -> str:
    """The page again; no window."""
    signed_in(visit)
    mark = visit.house.mark()
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    visit.browser.click("#again")
    visit.told("picture")
    return good(visit.house.log(mark))


def signed_in(visit: Visit) -> None:
    """Through a login; whatever a row then finds refused was not refused before."""
    mark = visit.house.mark()
    ways.login(visit)
    good(visit.house.log(mark))


def left(visit: Visit) -> str:
    """After logging out: the token held, a new token, the picture, and the signed address that was handed out."""
    signed_in(visit)
    before = visit.house.mark()
    visit.browser.click("#leave")
    visit.browser.until("the logout", lambda: visit.house.requests(before, "/logout/"))
    time.sleep(0.5)
    return nothing_opens(visit)


def taken_out(visit: Visit) -> str:
    """The same after the staff have taken a machine out at which somebody sits."""
    mark = visit.house.mark()
    ways.enrolled(visit)
    good(visit.house.log(mark))
    visit.house.ask("take_out")
    return nothing_opens(visit)


def nothing_opens(visit: Visit) -> str:
    address = str(visit.browser.run("() => document.getElementById('picture').src"))
    mark = visit.house.mark()
    visit.browser.run("() => viewer.probe()")
    visit.told("picture", 2)
    held = visit.browser.run(ways.TOLD, "probe")[-1]["status"]
    assert held not in (200, 302), f"the token still opens: {held}"
    visit.browser.run("() => { viewer.again(); return true; }")
    visit.told("picture", 3)
    found = outcome(visit.house.log(mark))
    assert "(" in found.token, str(found)
    assert "(" in found.picture, str(found)
    if "/signed/" not in address:
        return f"probe {held}; {found}"
    stale = visit.house.request("GET", urlsplit(address).path)[0]
    assert stale in (401, 403, 404), f"the signed address still opens: {stale}"
    return f"probe {held}; {found}; signed address {stale}"


def spoofed(visit: Visit) -> str:
    """Another site that says it is the viewer: at the access page, at the token service, at both."""
    honest = visit.house.at(names.VIEWER)
    seen = []
    for calls in (("access",), ("token",), ("access", "token")):
        lies = {f"claims-{call}": honest for call in calls}
        mark = visit.house.mark()
        visit.open(visit.house.viewer("herbal-1", LOGIN, host=names.EVIL, **lies))
        window = visit.press_enter()
        visit.browser.until("a page", lambda w=window: visit.browser.there("[name=login], #continue", w))
        if visit.browser.there("[name=login]", window):
            visit.sign_in(window)
        visit.confirm(window)
        visit.told("picture", patience=60)
        entries = visit.house.log(mark)
        assert not visit.browser.run(ways.TOLD, "token")[-1]["got"], f"{calls}: the token was delivered"
        twins = [
            one["path"]
            for one in entries
            for cookie in one.get("sets", ())
            if cookie["name"] == TWIN and not cookie["deleted"]
        ]
        assert not twins, f"{calls}: a twin was set at {twins}"
        picture = outcome(entries).picture
        assert visit.mode.key == "firefox" or picture.startswith("("), f"{calls}: the picture came by {picture}"
        seen.append(f"{' and '.join(calls)}: no token, no twin, picture {picture}")
        leave_nothing_open(visit)
    return "; ".join(seen)


def leave_nothing_open(visit: Visit) -> None:
    """Windows of the library that stayed open on purpose end as a person would end them."""
    for window in visit.browser.windows()[1:]:
        visit.browser.run("() => { setTimeout(() => window.close()); return true; }", window=window)
    try:
        visit.browser.until("one window only", lambda: len(visit.browser.windows()) == 1, patience=20)
    except Late:
        """It ends with the browser."""


def nothing_pending(visit: Visit) -> str:
    """Without any hand-off under way the answer does not keep the viewer waiting."""
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    visit.browser.click("#again")
    visit.told("token")
    events = {one["type"]: one for one in visit.browser.run("() => viewer.told")}
    took = events["token"]["at"] - events["frame"]["at"]
    assert events["token"]["problem"] == "missingAspect", events["token"]
    assert took < 500, f"after {took} ms"
    return f"missingAspect after {took} ms"


def permitted(visit: Visit) -> str:
    """The person has allowed the library its cookies on the viewer's pages (set over the browser's own protocol).

    The login was at the library's own page, so there is no twin in the viewer's partition that would do.
    """
    viewer = visit.house.at(names.VIEWER)
    query = urlencode({"origin": viewer})
    visit.browser.goto(f"{visit.house.origin}/iiif-auth/2/access/{LOGIN}?{query}")
    visit.sign_in(None)
    visit.browser.click("#continue")
    visit.browser.until("the end of it", lambda: visit.browser.there("[data-granted]"))
    visit.browser.permit_storage_access(viewer, visit.house.origin)  # type: ignore[attr-defined]
    mark = visit.house.mark()
    visit.open(visit.house.viewer("herbal-1", LOGIN))
    visit.browser.click("#again")
    visit.told("picture")
    entries = visit.house.requests(mark, "/token/", "/full/")
    steps = [f"{one.get('sec-fetch-storage-access', '-')} {one['status']}" for one in entries]
    assert {"inactive", "active"} <= {step.partition(" ")[0] for step in steps}, steps
    return f"{good(visit.house.log(mark))} ({', '.join(steps)})"


# -- All of them ---------------------------------------------------------------------------------------------------


def modes(*keys: str) -> tuple[Mode, ...]:
    return tuple(BY_KEY[key] for key in keys)


CH0, CH1, FF, OFF, ALL, ITP = (
    "chromium-allowed",
    "chromium-blocked",
    "firefox",
    "firefox-heuristic-off",
    "firefox-block-all",
    "webkit-itp",
)
ROWS = (
    Row(4, "Headers of every answer of the chain", chain.headers),
    Row(5, "The window stays open and keeps its opener", stays_open, modes(CH0, FF, ITP)),
    Row(6, "…and that test bites", bites, modes(CH0, FF)),
    Row(7, "What can be framed", frames, modes(CH0, FF)),
    Row(8, "Provider that cuts the opener, in a side window", side_window, modes(CH1, FF, ITP)),
    Row(9, "The viewer opens a tab", in_a_tab, modes(CH1, FF, ITP)),
    Row(9, "The viewer is nested in a third site", nested, modes(CH1, FF, ITP)),
    Row(10, "Pictures on another host of the library", other_host, modes(CH0, CH1, FF, ITP)),
    Row(11, "The page again, without a window", reloaded, modes(CH1, OFF)),
    Row(12, "Logout ends everything", left, modes(CH1, ALL)),
    Row(12, "Taking a machine out ends everything", taken_out, modes(CH0, CH1, ALL), popups=True),
    Row(13, "Another site says it is the viewer", spoofed, modes(CH1, FF)),
    Row(14, "Nothing pending: an answer at once", nothing_pending, modes(CH1)),
    Row(15, "The second window does not open", no_second_window, modes(CH1)),
    Row(16, "Storage access was granted before", permitted, modes(CH1)),
    Row(17, "A viewer that isolates itself", isolated, modes(CH0, FF)),
    Row(18, "A viewer on the library's own site", same_site, modes(CH1, ALL, ITP)),
    Row(19, "Attributes of every cookie", chain.cookies),
    Row(20, "No opener at the end", without_opener, modes(CH1)),
)
