"""The short version of the matrix: somebody's first login and their logout, in the browsers that treat cookies most differently.

The whole of it is ``python -m tests.matrix``; what came of it is in the README beside this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from iiif_auth import identify
from tests.matrix import chain, log, reading, table
from tests.matrix.deployment import Deployment, running
from tests.matrix.driver import Unable
from tests.matrix.modes import BY_KEY, MODES
from tests.matrix.reading import Outcome, outcome
from tests.matrix.rows import ROWS, left
from tests.matrix.ways import WAY, WAYS, Visit

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
    try:
        with mode.start() as browser:
            visit = Visit(browser, library, mode)
            said = left(visit)
    except Unable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    entries = library.log(mark)
    out = next(place for place, one in enumerate(entries) if "/logout/" in one.get("path", ""))
    came = outcome(entries[:out])
    assert came.token in mode.token, said
    assert came.picture in mode.picture, said


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
    assert (reading.ACCESS, reading.TWIN) == (identify.COOKIE, identify.TWIN)


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
    names = [table.name(place) for place in range(len(ROWS))]
    assert len(set(names)) == len(names)
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
