"""Auth 0.9.2: no origins, one kind of login, 403 for whoever is known, and lesser pictures by redirect."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import Pass, Token
from tests import factories, web
from tests.http.test_access import grants_nothing
from tests.http.test_token import HOSTILE, broken, run
from tests.web import (
    BASE,
    CANARY,
    EVERYONE,
    READING_ROOM,
    SIGNED_IN,
    VIEWER,
    Browser,
    access,
    described,
    page_in,
    person,
    plain_token,
)

CHART = "/iiif/0/chart"
PICTURE = "full/full/0/default.jpg"


@pytest.fixture
def login(site):
    login = web.service("login", "login", dialects=["0.9.2", "2"], note={"en": ["Sign in with your reader account."]})
    web.picture("chart", SIGNED_IN, by=(login,))
    return login


@pytest.fixture
def staff(db):
    return factories.GroupFactory()


@pytest.fixture
def minutes(login, staff):
    """For staff, with nothing else for anybody."""
    return web.picture("minutes", {"kind": "group", "group": staff}, by=(login,))


@pytest.fixture
def tiers(login, staff):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, {"kind": "group", "group": staff}, by=(login,), slug="full", order=1)
    web.tier(rules, EVERYONE, slug="low", order=2, gets="smaller", max_edge=600)
    return web.in_both_apis(factories.ResourceFactory(url="/iiif/3/map", policy=rules))


def reader(name: str = "ada", *groups) -> Browser:
    user = person(name)
    user.groups.set(groups)
    browser = Browser().sign_in(user)
    browser.click(page_in("login", "0.9.2"))
    return browser


def token_of(browser: Browser) -> str:
    return web.drawn(browser, "login", "0.9.2")


def block(uri: str = CHART, bearer: str | None = None) -> dict:
    (found,) = described(uri, bearer).json()["service"]
    return found


# -- Descriptions -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-DESC-01", "A092-DESC-02", "A092-DESC-03", "A092-DESC-05", "A092-OUT-01")
def test_a_description_says_where_to_log_in_and_out_and_where_the_token_is(login):
    at = f"{BASE}/iiif-auth/0"
    found = block()
    assert {name: value for name, value in found.items() if name != "service"} == {
        "@context": "http://iiif.io/api/auth/0/context.json",
        "@id": f"{at}/access/login",
        "profile": "http://iiif.io/api/auth/0/login",
        "label": "Merehaven Library: login",
        "description": "Sign in with your reader account.",
    }
    assert found["service"] == [
        {"@id": f"{at}/token/login", "profile": "http://iiif.io/api/auth/0/token"},
        {
            "@id": f"{at}/logout/login",
            "profile": "http://iiif.io/api/auth/0/logout",
            "label": "Log out: Merehaven Library: login",
        },
    ]
    assert described(CHART).json()["@id"] == f"{BASE}{CHART}"


@pytest.mark.requirement("A092-DESC-04", "A092-INFO-03", "A092-INFO-04", "A092-INFO-07")
def test_everything_is_said_to_whoever_may_and_whoever_may_not(login):
    refused, shown = described(CHART), described(CHART, token_of(reader()))
    assert (refused.status_code, shown.status_code) == (401, 200)
    assert refused.json() == shown.json()
    assert "WWW-Authenticate" not in refused.headers


@pytest.mark.requirement("A092-INFO-05")
def test_passwords_are_asked_for_at_another_address_and_never_by_the_description(login):
    for header in (None, "Basic eDp5"):
        response = described(CHART, **({"authorization": header} if header else {}))
        assert (response.status_code, "WWW-Authenticate" in response.headers) == (401, False)
    page = Browser().get(web.path(block()["@id"]))
    assert (page.status_code, "WWW-Authenticate" in page.headers) == (302, False)
    assert page.headers["Location"].startswith("/accounts/login/")


@pytest.mark.requirement("A092-INFO-01", "A092-INFO-02", "A092-DESC-04")
def test_whoever_may_not_is_sent_to_a_lesser_version_which_says_how_to_get_more(tiers):
    response = described("/iiif/0/map")
    assert (response.status_code, response.headers["Location"]) == (302, f"{BASE}/iiif/0/map~low/info.json")
    low = described("/iiif/0/map~low")
    assert (low.status_code, low.json()["@id"]) == (200, f"{BASE}/iiif/0/map~low")
    assert low.json()["service"][0]["@id"] == f"{BASE}/iiif-auth/0/access/login"


@pytest.mark.requirement("A092-INFO-06")
def test_whoever_is_known_and_never_let_in_gets_403_and_everything_else_the_same(minutes, staff):
    stranger = described("/iiif/0/minutes")
    known = described("/iiif/0/minutes", token_of(reader("ada")))
    colleague = described("/iiif/0/minutes", token_of(reader("bob", staff)))
    assert [stranger.status_code, known.status_code, colleague.status_code] == [401, 403, 200]
    assert stranger.json() == known.json() == colleague.json()
    assert "WWW-Authenticate" not in known.headers
    assert known.headers["Cache-Control"] == "no-store"
    assert known.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.requirement("A092-INFO-06")
def test_where_there_is_a_lesser_version_even_the_known_are_sent_there(tiers):
    response = described("/iiif/0/map", token_of(reader()))
    assert (response.status_code, response.headers["Location"]) == (302, f"{BASE}/iiif/0/map~low/info.json")


@pytest.mark.requirement("A092-INFO-06")
def test_403_is_for_the_known_and_for_this_version_only(minutes, login):
    """An old token, one of somebody who left, and one of another version are nobody's; 401 then (C3)."""
    login.dialects = web.ALL
    login.save()
    browser = reader()
    token = token_of(browser)
    assert described("/iiif/0/minutes", token).status_code == 403
    browser.click(page_in("login", "0.9.4"))
    assert described("/iiif/0/minutes", web.drawn(browser, "login", "0.9.4")).status_code == 401
    assert described("/iiif/1/minutes", token).status_code == 401
    Token.objects.update(ends=timezone.now())
    assert described("/iiif/0/minutes", token).status_code == 401
    token = token_of(browser)
    browser.get(web.logout_page("login", "0"))
    assert described("/iiif/0/minutes", token).status_code == 401


def test_what_is_hidden_is_not_forbidden_but_not_there(login, staff):
    web.picture("secret-x", {"kind": "group", "group": staff}, by=(login,), collection=web.hidden_collection())
    token = token_of(reader())
    there, nothing = described("/iiif/0/secret-x", token), described("/iiif/0/secret-nothing", token)
    assert (there.status_code, there.content) == (nothing.status_code, nothing.content) == (404, nothing.content)


# -- The login page -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-LOGIN-01", "A092-LOGIN-02", "A092-LOGIN-03", "A092-LOGIN-04")
def test_one_logs_in_without_an_origin_and_the_token_service_sees_it(login):
    person("ada")
    browser = Browser()
    url = web.path(block()["@id"])
    assert "?" not in url
    to_login = browser.get(url)
    assert to_login.status_code == 302
    back = browser.click(to_login.headers["Location"], username="ada", password="secret")
    assert back.headers["Location"] == url
    page = browser.get(url)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<form" in page.content
    assert grants_nothing(page)
    done = browser.click(url)
    assert b"data-close-now" in done.content
    assert b"iiif_auth/pages.js" in done.content
    morsel = done.cookies[identify.COOKIE]
    assert (morsel["path"], morsel["domain"]) == ("/", "")
    assert plain_token(browser, "login", "0").status_code == 200


@pytest.mark.requirement("A092-LOGIN-04")
def test_universal_viewers_extra_parameter_is_ignored(login):
    assert Browser().sign_in(person()).get(f"{access('login', '', '0')}?t=1732").status_code == 200


@pytest.mark.requirement("A092-LOGIN-05")
def test_whoever_posts_a_name_of_another_system_gets_nothing(login):
    """It may be agreed on out of band; we agree on it with nobody."""
    person("ada")
    for body in ({"username": "ada", "password": "secret"}, {"user": "ada"}):
        for headers in ({}, {"origin": BASE}, {"origin": VIEWER}):
            browser = Browser()
            response = browser.post(page_in("login", "0.9.2"), body, headers=headers)
            assert response.status_code in (302, 403)
            assert grants_nothing(response)
            assert plain_token(browser, "login", "0").status_code == 401


# -- Tokens -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-TOK-01", "A092-TOK-02")
def test_a_program_gets_plain_json_that_says_it_is_a_bearers(login):
    response = plain_token(reader(), "login", "0")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    found = response.json()
    assert found == {"accessToken": found["accessToken"], "tokenType": "Bearer", "expiresIn": 300}
    assert described(CHART, found["accessToken"]).status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("A092-TOK-02")
def test_a_token_always_says_how_long_it_lasts_because_every_one_of_ours_ends(login):
    browser = reader()
    Pass.objects.update(ends=timezone.now() + timedelta(seconds=20, milliseconds=500))
    assert plain_token(browser, "login", "0").json()["expiresIn"] == 20


@pytest.mark.requirement("A092-TOK-03", "A094-DIFF-01")
@pytest.mark.parametrize("message_id", ["1234", *HOSTILE])
def test_a_frame_gets_a_message_that_goes_to_whoever_framed_it(login, message_id):
    response = reader().get(web.token_page("login", "", quote(message_id), "0"))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    message, target = run(response)
    token = message["accessToken"]
    assert message == {"accessToken": token, "tokenType": "Bearer", "expiresIn": 300, "messageId": message_id}
    assert target == "*"


@pytest.mark.requirement("A094-DIFF-01", "A094-DIFF-03")
def test_with_an_origin_the_same_address_speaks_0_9_4(login):
    login.dialects = ["0.9.4", "0.9.2"]
    login.save()
    browser = reader()
    browser.click(page_in("login", "0.9.4"))
    old, target = run(browser.get(web.token_page("login", "", "1", "0")))
    assert (set(old), target) == ({"accessToken", "tokenType", "expiresIn", "messageId"}, "*")
    new, target = run(browser.get(web.token_page("login", VIEWER, "1", "0")))
    assert (set(new), target) == ({"accessToken", "expiresIn", "messageId"}, VIEWER)
    assert [row.dialect for row in Token.objects.order_by("pk")] == ["0.9.2", "0.9.4"]
    for token in (old["accessToken"], new["accessToken"]):
        assert described(CHART, token).status_code == 200


def test_a_token_without_an_origin_needs_a_login_without_one(login):
    """Otherwise any page could frame the token service and read what was meant for one viewer."""
    login.dialects = ["0.9.4", "0.9.2"]
    login.save()
    browser = Browser().sign_in(person())
    browser.click(page_in("login", "0.9.4"))
    message, target = run(browser.get(web.token_page("login", "", "1", "0")))
    assert (message["error"], target) == ("invalidRequest", "*")
    assert not Token.objects.exists()
    browser.click(page_in("login", "0.9.2"))
    message, _ = run(browser.get(web.token_page("login", "", "1", "0")))
    assert message["tokenType"] == "Bearer"


@pytest.mark.requirement("A092-TOK-04", "A092-ERR-01", "A092-ERR-02")
@pytest.mark.parametrize(
    ("drive", "word", "status"),
    [
        ("nothing", "missingCredentials", 401),
        ("nonsense", "invalidCredentials", 401),
        ("expired", "invalidCredentials", 401),
        ("service", "invalidRequest", 400),
        ("broken", "invalidRequest", 503),
    ],
)
def test_an_error_is_a_page_with_200_or_json_with_the_status_that_fits(login, monkeypatch, drive, word, status):
    browser = reader()
    if drive == "nothing":
        browser = Browser()
    elif drive == "nonsense":
        browser.cookies[identify.COOKIE] = identify.new_secret()
    elif drive == "expired":
        Pass.objects.update(ends=timezone.now())
    elif drive == "broken":
        monkeypatch.setattr("django.db.transaction.Atomic.__enter__", broken)
    slug = "unheard-of" if drive == "service" else "login"
    plain = plain_token(browser, slug, "0")
    assert (plain.status_code, plain.json()["error"]) == (status, word)
    assert set(plain.json()) == {"error", "description"}
    response = browser.get(web.token_page(slug, "", "1234", "0"))
    assert response.status_code == 200
    message, target = run(response)
    assert (message, target) == ({**plain.json(), "messageId": "1234"}, "*")
    assert "reader account" not in message["description"]


@pytest.mark.requirement("A092-TOK-06")
@pytest.mark.parametrize("name", ["callback", "jsonp", "cb"])
def test_there_is_no_jsonp(login, name):
    response = plain_token(reader(), "login", "0", **{name: "alert"})
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"alert" not in response.content
    assert response.content.startswith(b"{")


@pytest.mark.requirement("A092-SEC-01")
def test_no_cookie_has_the_value_of_a_token(login):
    browser = reader()
    for _ in range(3):
        token = token_of(browser)
        assert token not in [morsel.value for morsel in browser.cookies.values()]
        assert described(CHART, browser.access_cookie).status_code == 401


@pytest.mark.requirement("A092-OUT-02")
def test_leaving_resets_everything(login):
    browser = reader()
    token = token_of(browser)
    assert described(CHART, token).status_code == 200
    out = next(held for held in block()["service"] if held["profile"].endswith("/logout"))
    assert browser.get(web.path(out["@id"])).status_code == 200
    assert plain_token(browser, "login", "0").status_code == 401
    assert described(CHART, token).status_code == 401
    assert browser.access_cookie is None


def test_a_kiosk_and_an_address_are_logins_too(site):
    kiosk, campus = (
        web.service("kiosk", "kiosk", dialects=["0.9.2"]),
        web.service("campus", "external", dialects=["0.9.2"]),
    )
    web.picture("chart", web.at(web.reading_room()), by=(kiosk, campus))
    browser = Browser(READING_ROOM)
    browser.get(page_in("kiosk", "0.9.2"))
    for slug in ("kiosk", "campus"):
        token = web.drawn(browser, slug, "0.9.2")
        assert described(CHART, token, READING_ROOM).status_code == 200
        assert described(CHART, token).status_code in (401, 403)


# -- Pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-CONT-01")
def test_pictures_obey_the_cookie_and_never_the_token(login):
    browser = reader()
    bearer = {"authorization": f"Bearer {token_of(browser)}"}
    url = f"{CHART}/{PICTURE}"
    assert browser.get(url).status_code == 200
    for method in ("get", "head"):
        response = getattr(Browser(), method)(url, headers=bearer)
        assert response.status_code == 401
        assert CANARY not in response.content


@pytest.mark.requirement("A092-CONT-02")
@pytest.mark.parametrize("rest", [PICTURE, "0,0,512,512/256,/0/default.jpg", "full/full/!90/gray.png"])
def test_whoever_is_known_and_may_not_is_sent_to_the_same_part_of_the_lesser_picture(tiers, rest):
    browser = reader()
    response = browser.get(f"/iiif/0/map/{rest}")
    assert (response.status_code, response.headers["Location"]) == (302, f"/iiif/0/map~low/{rest}")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert CANARY not in response.content
    assert browser.get(response.headers["Location"]).status_code == 200


@pytest.mark.requirement("A092-CONT-02")
def test_nobody_else_is_sent_on_nor_anybody_in_another_space(tiers, minutes, staff):
    """What is 302 here is 401 where a probe or a description has said so before (C15)."""
    browser = reader()
    assert Browser().get(f"/iiif/0/map/{PICTURE}").status_code == 401
    assert (
        Browser().get(f"/iiif/0/map/{PICTURE}", headers={"authorization": f"Bearer {token_of(browser)}"}).status_code
        == 401
    )
    assert browser.get(f"/iiif/1/map/{PICTURE}").status_code == 401
    assert browser.get(f"/iiif/3/map/{PICTURE}").status_code == 401
    assert browser.get(f"/iiif/0/minutes/{PICTURE}").status_code == 403
    assert reader("bob", staff).get(f"/iiif/0/map/{PICTURE}").status_code == 200


def test_what_is_hidden_is_not_sent_on(login, staff):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, {"kind": "group", "group": staff}, by=(login,), slug="full", order=1)
    web.tier(rules, SIGNED_IN, slug="low", order=2, gets="smaller", max_edge=600)
    shelf = web.hidden_collection()
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/secret-map", policy=rules, collection=shelf))
    factories.CollectionRuleFactory(collection=shelf, pattern="/iiif/1/secret-")
    browser = reader()
    there, nothing = (browser.get(f"/iiif/0/secret-{name}/{PICTURE}") for name in ("map", "nothing"))
    assert (there.status_code, there.content) == (nothing.status_code, nothing.content) == (401, nothing.content)
