"""Signing in at an institution through a browser: what a real provider says opens a picture in the viewer; nothing else does."""

from __future__ import annotations

import base64
import hmac
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from project.items import PASSWORD
from project.sign_in import Entry
from tests.browser.conftest import COOKIES_ALLOWED, COOKIES_BLOCKED, Contexts, Notes
from tests.browser.demo import ROOT, Demo, log_file, running
from tests.browser.reader import Reader, Stage, closing, confirm, sign_in
from tests.browser.test_flow import asked_for, assert_sees, assert_sees_nothing, identifier_of
from tests.browser.test_pages import shot, sized, spills, violations
from tests.signin.leaving import claims_for

NEEDED = ("onelogin", "oidc_provider_mock", "jwt", "fido2")
ALBUM = "album"
SERVICE = "merehaven-login"
ENTER = re.compile("Authorize|Sign in")
Sitting = Callable[[Demo, int], Reader]
COOKIES = pytest.mark.parametrize("cookies", [COOKIES_ALLOWED, COOKIES_BLOCKED], ids=["allowed", "blocked"])


@contextmanager
def providers() -> Iterator[dict[str, Any]]:
    """Two OpenID providers and a SAML one in a process of their own."""
    told = log_file("providers")
    with told.open("wb") as said:
        command = [sys.executable, "-W", "ignore", "-m", "tests.signin.providers"]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line, told.read_text(encoding="utf-8", errors="replace")[-4000:]
                yield json.loads(line)
            finally:
                process.terminate()


@dataclass(frozen=True, slots=True)
class Library:
    """A demo, and the file that says which window people sign in with."""

    demo: Demo
    window: Path


def believe(issuers: dict[str, str], more: dict[str, str]) -> None:
    """Staff of each institution may read the album."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "VIEWER_URL")}
    environment = {**kept, **more}
    command = [sys.executable, "-m", "tests.signin.believing"]
    text = json.dumps(issuers).encode()
    done = subprocess.run(command, cwd=ROOT, env=environment, input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]


@pytest.fixture(scope="module")
def known(chromium: str) -> Iterator[dict[str, Any]]:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert missing == []
    with providers() as said:
        yield said


@pytest.fixture(scope="module")
def library(known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The demo with these providers, whose staff may read the album."""
    folder = tmp_path_factory.mktemp("sign-in")
    window = folder / "window"
    window.write_text("same", encoding="utf-8")
    chosen = {
        **known["settings"],
        "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tests.signin.windows",
        "SIGN_IN_WINDOW": str(window),
    }
    with running(chosen, log="sign-in") as demo:
        believe(known["issuers"], {**chosen, "DEMO": "1", "BASE_URL": demo.address, "DEMO_DATA": str(demo.data)})
        yield Library(demo, window)


@pytest.fixture
def in_the_tab(library: Library) -> Demo:
    library.window.write_text("same", encoding="utf-8")
    return library.demo


@pytest.fixture
def at_the_side(library: Library) -> Demo:
    library.window.write_text("side", encoding="utf-8")
    return library.demo


@pytest.fixture
def sitting(new_context: Contexts, notes: Notes) -> Sitting:
    """Somebody before the album in a viewer on another site, who is not let in yet."""

    def sit(demo: Demo, cookies: int) -> Reader:
        # The viewer's frame is empty before it is ours, and a message for us that finds it empty is a line on the console.
        notes.expect("target origin provided")
        reader = Reader(new_context(cookies=cookies), demo)
        assert reader.open(ALBUM).status == "401"
        assert_sees_nothing(reader, ALBUM)
        return reader

    return sit


def identify_oneself(tab: Page, provider: str, person: str) -> None:
    """From the login page to the institution, say who one is there, and come back."""
    tab.get_by_role("button", name=f"Sign in with {provider}").click()
    tab.wait_for_url("http://127.0.0.1:*/**")
    tab.locator('input[name="sub"]').fill(person)
    tab.get_by_role("button", name=ENTER).click(no_wait_after=True)


def go_in(reader: Reader, provider: str, person: str) -> Stage:
    mark = reader.mark()
    tab = reader.press(SERVICE)
    identify_oneself(tab, provider, person)
    confirm(tab)
    return reader.settled(mark)


@COOKIES
@pytest.mark.parametrize("provider", ["Openid", "Northwick College"])
def test_what_the_institution_says_opens_the_picture(in_the_tab: Demo, sitting: Sitting, provider: str, cookies: int):
    reader = sitting(in_the_tab, cookies)
    assert go_in(reader, provider, "ada").rendition == "full"
    assert_sees(reader, identifier_of(ALBUM))


def test_whoever_is_not_staff_there_is_told_so(in_the_tab: Demo, sitting: Sitting):
    reader = sitting(in_the_tab, COOKIES_BLOCKED)
    assert go_in(reader, "Northwick College", "ben").state == "denied"
    assert_sees_nothing(reader, ALBUM)
    assert asked_for(reader, ALBUM) in (401, 403)


@COOKIES
def test_an_institution_with_isolated_pages_is_met_in_a_window_at_the_side(
    at_the_side: Demo, sitting: Sitting, cookies: int
):
    reader = sitting(at_the_side, cookies)
    mark = reader.mark()
    tab = reader.press(SERVICE)
    with reader.context.expect_page() as opened:
        tab.get_by_role("link", name="Sign in").click()
    side = opened.value
    with closing(side):
        identify_oneself(side, "Isolated", "ada")
    confirm(tab)
    assert reader.settled(mark).rendition == "full"
    assert_sees(reader, identifier_of(ALBUM))


def test_in_the_same_tab_such_an_institution_would_cut_the_viewer_off(in_the_tab: Demo, sitting: Sitting):
    """The broken twin: the viewer believes that the tab was closed, before anybody has said who they are."""
    reader = sitting(in_the_tab, COOKIES_BLOCKED)
    mark = reader.mark()
    tab = reader.press(SERVICE)
    tab.get_by_role("button", name="Sign in with Isolated").click()
    expect(tab.locator('input[name="sub"]')).to_be_visible()
    assert reader.settled(mark).state == "denied"
    assert reader.events("window-closed", since=mark)
    assert not tab.is_closed()


LEAVING = pytest.mark.parametrize("named", [{"sub": "ada"}, {"sub": "ada", "sid": "of-that-day"}], ids=["all", "one"])


@LEAVING
def test_whoever_leaves_the_institution_sees_nothing_here_any_more(
    in_the_tab: Demo, sitting: Sitting, known: dict[str, Any], named: dict[str, str]
):
    """The provider says so itself, behind the back of the browser, whose cookies and tokens are as they were."""
    reader = sitting(in_the_tab, COOKIES_BLOCKED)
    assert go_in(reader, "Openid", "ada").rendition == "full"
    assert asked_for(reader, ALBUM) == 200
    issuer = known["issuers"]["openid"]
    key = Entry({"id": "openid", "issuer": issuer}).key
    token = requests.post(f"{issuer}/sign", json={"claims": claims_for(issuer, **named)}, timeout=20).text
    door = in_the_tab.url(f"/accounts/oidc/{key}/backchannel-logout/")
    forged = requests.post(door, data={"logout_token": token[:-8] + "AAAAAAAA"}, timeout=20)
    assert (forged.status_code, asked_for(reader, ALBUM)) == (400, 200)
    assert requests.post(door, data={"logout_token": token}, timeout=20).status_code == 200
    assert asked_for(reader, ALBUM) in (401, 403)
    assert reader.open(ALBUM).status == "401"


# -- The pages that people meet on the way ------------------------------------------------------------------------


def look(page: Page, name: str) -> None:
    """Light on a wide screen and dark on a narrow one, with a heading and without anything in the way."""
    expect(page.locator("main h1")).to_be_visible()
    for size, scheme in (("desktop", "light"), ("phone", "dark")):
        sized(page, size, scheme)
        assert violations(page) == [], f"{name}, {size}, {scheme}"
        assert not spills(page), f"{name}, {size}"
        shot(page, f"{name}-{size}-{scheme}")
    sized(page, "desktop")


NOT_SIGNED_IN = {
    "login-elsewhere": "/accounts/login/",
    "login-refused": "/accounts/3rdparty/login/error/",
    "login-cancelled": "/accounts/3rdparty/login/cancelled/",
    "saml-unasked": "/accounts/saml/college/acs/finish/",
    "saml-not-left": "/accounts/saml/college/sls/",
}


def test_the_pages_of_signing_in_elsewhere_can_be_read_by_everybody(in_the_tab: Demo, new_context: Contexts):
    page = new_context().new_page()
    for name, path in NOT_SIGNED_IN.items():
        page.goto(in_the_tab.url(path))
        look(page, name)


SECOND = {
    "mfa": "/accounts/2fa/",
    "mfa-keys": "/accounts/2fa/webauthn/",
    "connections": "/accounts/3rdparty/",
}


def code_of(secret: str) -> str:
    """What an app shows at present (RFC 6238)."""
    counter = int(time.time() // 30).to_bytes(8)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def test_a_second_factor_is_set_up_and_asked_for_on_pages_that_everybody_can_read(
    in_the_tab: Demo, new_context: Contexts
):
    page = new_context().new_page()
    page.goto(in_the_tab.url("/accounts/login/?next=/accounts/2fa/totp/activate/"))
    sign_in(page, "reader")
    look(page, "mfa-who")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    look(page, "mfa-app")
    code = page.get_by_label("Authenticator code")
    code.fill(code_of(page.get_by_label("Authenticator secret").input_value()))
    page.get_by_role("button", name="Activate").click()
    look(page, "mfa-codes")
    for name, path in SECOND.items():
        page.goto(in_the_tab.url(path))
        look(page, name)
    page.context.clear_cookies()
    page.goto(in_the_tab.url("/accounts/login/"))
    sign_in(page, "reader")
    expect(page).to_have_url(re.compile("/accounts/2fa/authenticate/"))
    look(page, "mfa-asked")
