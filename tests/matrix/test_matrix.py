"""The short version of the matrix: somebody's first login and their logout, in the browsers that treat cookies most differently.

The whole of it is ``python -m tests.matrix``; what came of it is in the README beside this file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from iiif_auth import identify
from tests.matrix import chain, log, names, reading, table
from tests.matrix.deployment import Deployment, running
from tests.matrix.driver import Driver, Unable
from tests.matrix.modes import BY_KEY, MODES, Mode
from tests.matrix.reading import Outcome, outcome
from tests.matrix.rows import ROWS, left
from tests.matrix.ways import WAY, WAYS, Visit, login

SHORT = ("chromium-blocked", "firefox", "firefox-heuristic-off", "webkit-itp")


@pytest.fixture(scope="module")
def library() -> Iterator[Deployment]:
    with running() as started:
        yield started


@pytest.mark.browser
@pytest.mark.parametrize("key", SHORT)
def test_a_first_login_brings_the_item_and_a_logout_takes_it_away(key: str, library: Deployment):
    mode = BY_KEY[key]
    library.as_new()
    mark = library.mark()
    with started(mode) as browser:
        said = left(Visit(browser, library, mode))
    entries = library.log(mark)
    out = next(place for place, one in enumerate(entries) if "/logout/" in one.get("path", ""))
    came = outcome(entries[:out])
    assert came.token in mode.token, said
    assert came.picture in mode.picture, said


PLANT = "(line) => { document.cookie = line; return document.cookie; }"
PICTURE_OF = "/full/200,/0/default.jpg"


@pytest.mark.browser
@pytest.mark.parametrize(("key", "domain"), [("chromium-allowed", names.INSTITUTION), ("firefox", "")])
def test_what_a_host_beside_ours_plants_is_never_taken_for_ours(key: str, domain: str, library: Deployment):
    """Security K9. On one host the browser keeps it out; on a domain it comes along, and then neither of the two counts."""
    mode = BY_KEY[key]
    library.as_new()
    library.ask("settings", given={"COOKIE_DOMAIN": domain or None})
    name = reading.ACCESS.replace("__Host-", "__Secure-") if domain else reading.ACCESS
    with started(mode) as browser:
        login(Visit(browser, library, mode))
        assert opened(browser, library) == (200, [name])
        beside = library.at(names.SAME_SITE_VIEWER)
        browser.goto(f"{beside}/plain/viewer.js")
        browser.until("the host beside ours", lambda: browser.run("() => location.origin") == beside)
        # The longer path is sent first, by which a server that takes the first would be had.
        browser.run(PLANT, f"{name}=planted; Domain={names.INSTITUTION}; Path=/iiif/; Secure; SameSite=None")
        expected = (401, [name, name]) if domain else (200, [name])
        assert opened(browser, library) == expected
    library.as_new()


@contextmanager
def started(mode: Mode) -> Iterator[Driver]:
    try:
        with mode.start() as browser:
            yield browser
    except Unable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def opened(browser: Driver, library: Deployment) -> tuple[int, list[str]]:
    """What a picture is answered, and the names of the access cookies that came along."""
    mark = library.mark()
    browser.goto(library.image("herbal-1") + PICTURE_OF)
    asked = browser.until("the picture's answer", lambda: library.requests(mark, PICTURE_OF))[-1]
    return asked["status"], [name for name in asked["cookies"] if name.endswith("iiif_access")]


@pytest.mark.browser
def test_no_answer_of_the_chain_cuts_the_opener_or_can_be_framed(library: Deployment):
    assert "17 answers" in chain.headers(library)


@pytest.mark.browser
def test_every_cookie_has_the_attributes_that_it_must_have(library: Deployment):
    assert "Partitioned" in chain.cookies(library)


@pytest.mark.browser
def test_a_page_that_cuts_the_opener_would_be_noticed(library: Deployment):
    """The twin of the test of headers: one page of the chain is as Django makes it."""
    honest = library.ask

    def worse(what: str, **given: object) -> object:
        if what == "headers":
            given = {"overrides": {"/accounts/signup/": {"Cross-Origin-Opener-Policy": "same-origin"}}}
        return honest(what, **given)

    spoilt = type("Spoilt", (Deployment,), {"__slots__": (), "ask": staticmethod(worse)})(library.port)
    with pytest.raises(AssertionError, match="GET /accounts/signup/"):
        chain.headers(spoilt)
    library.as_new()


# -- Reading the log, without any browser ----------------------------------------------------------------------------


def asked(path: str, status: int = 200, *cookies: str, **more: object) -> dict[str, object]:
    return {"path": path, "method": "GET", "status": status, "cookies": list(cookies), **more}


PICTURE = "/iiif/image/3/herbal-1/full/200,/0/default.jpg"
TOKEN = "/iiif-auth/2/token/merehaven-login"


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([], Outcome("(not asked for)", "(not asked for)")),
        ([asked(TOKEN, posts="missingAspect"), asked(PICTURE, 401)], Outcome("(missingAspect)", "(401)")),
        (
            [asked(TOKEN, 200, reading.ACCESS, posts="token"), asked(PICTURE, 200, reading.ACCESS)],
            Outcome("cookie", "cookie"),
        ),
        ([asked(TOKEN, 200, reading.TWIN, posts="token"), asked(PICTURE, 200, reading.TWIN)], Outcome("twin", "twin")),
        ([asked(TOKEN, posts="token"), asked(PICTURE)], Outcome("place", "place")),
        (
            [asked(TOKEN, 200, reading.MACHINE, posts="token"), asked(PICTURE, 200, reading.MACHINE, reading.ACCESS)],
            Outcome("machine", "cookie"),
        ),
        (
            [asked(TOKEN, posts="missingAspect"), asked("/iiif-auth/2/token/x/redeem", posts="token", method="POST")],
            Outcome("hand-off", "(not asked for)"),
        ),
        ([asked(PICTURE, 401), asked(PICTURE, 200, reading.ACCESS)], Outcome("(not asked for)", "cookie")),
        ([asked(PICTURE, 200, reading.ACCESS), asked(PICTURE, 401)], Outcome("(not asked for)", "(401)")),
        ([asked(f"/iiif-auth/signed/…{PICTURE}", 200, reading.ACCESS)], Outcome("(not asked for)", "signed")),
    ],
)
def test_what_came_by_what_is_read_from_the_log(entries: list[dict[str, object]], found: Outcome):
    assert outcome(entries) == found
    assert found.good == ("(" not in str(found))


def test_the_names_of_the_cookies_are_those_of_the_app():
    named = (reading.ACCESS, reading.TWIN, reading.MACHINE)
    assert named == (identify.COOKIE, identify.TWIN, identify.MACHINE)


def test_the_log_keeps_no_value_of_a_cookie_no_token_and_no_ticket():
    entry = log.request_of(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/iiif-auth/signed/k.1.2.secret/iiif/image/3/x",
            "HTTP_COOKIE": "__Host-iiif_access=secret; other=secret",
            "HTTP_AUTHORIZATION": "Bearer secret",
        }
    )
    body = b'<script id="envelope" type="application/json">{"message": {"accessToken": "secret"}}</script>'
    line = log.cookie_set("a=secret; Path=/; Secure; Max-Age=5")
    assert "secret" not in str((entry, log.message_of(body), line))
    assert (entry["cookies"], entry["bearer"], log.message_of(body)) == (["__Host-iiif_access", "other"], True, "token")
    assert line == {"name": "a", "attributes": ["Path=/", "Secure"], "deleted": False}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"message": {"profile": "missingAspect"}}', "missingAspect"),
        (b'{"message": {"error": "missingCredentials"}}', "missingCredentials"),
        (b'{"again": true}', "?"),
        (b"<!doctype html>", ""),
    ],
)
def test_what_a_token_page_posts_is_one_word(body: bytes, word: str):
    assert log.message_of(body) == word


def test_every_row_and_every_mode_has_a_name_of_its_own():
    called = [table.name(place) for place in range(len(ROWS))]
    assert len(set(called)) == len(called)
    assert {row.number for row in ROWS} == {*range(4, 21)}
    assert len(BY_KEY) == len(MODES)


def test_a_table_holds_what_was_walked_and_nothing_else():
    found = {("firefox", "login"): "token: cookie; picture: twin", ("HTTP", "4"): "a | b"}
    written = table.text(found)
    assert "| Firefox, as it comes | cookie / twin |" in written
    assert WAY["login"].label in written
    assert not any(way.label in written for way in WAYS if way.key != "login")
    assert r"| 4 | Headers of every answer of the chain | no browser | a \| b |" in written


def test_a_kiosk_may_open_windows_and_is_otherwise_the_same_browser():
    started: dict[str, object] = {}
    mode = replace(BY_KEY["chromium-blocked"], started=lambda **given: started.update(given))
    mode.start(popups=True)
    assert started == {"cookies": 1, "arguments": ("--disable-popup-blocking",)}


def test_cells_that_are_walked_no_longer_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found, page = tmp_path / "found.json", tmp_path / "README.md"
    found.write_text(json.dumps({"firefox": {"login": "token: twin; picture: twin", "by pigeon": "token: cookie"}}))
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    monkeypatch.setattr(table, "FOUND", found)
    monkeypatch.setattr(table, "README", page)
    table.keep({("firefox", "kiosk"): "token: cookie; picture: cookie"})
    assert json.loads(found.read_text())["firefox"].keys() == {"login", "kiosk"}
    written = page.read_text()
    assert "| Firefox, as it comes | twin / twin | cookie / cookie |" in written
    assert (written.startswith("before\n"), written.endswith("\nafter\n"), "old" in written) == (True, True, False)
