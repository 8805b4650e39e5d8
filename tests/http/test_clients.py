"""Client identities of Auth 0.9.2: a registered viewer's server shows a secret and gets a code for one login and one token."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import clients, identify
from iiif_auth.models import ClientCode, Pass, RegisteredClient, Token
from tests import factories, web
from tests.http.test_token import run
from tests.web import BASE, SIGNED_IN, VIEWER, Browser, access, described, person, plain_token

HERE = "/iiif-auth/0/client/login"
DEEP = "[" * 2000 + "]" * 2000


@pytest.fixture
def login(site):
    login = web.service("login", "login", dialects=["0.9.2"], clients="known")
    web.picture("chart", SIGNED_IN, by=(login,))
    return login


@pytest.fixture
def only(login):
    login.clients = "only"
    login.save()
    return login


@pytest.fixture
def machine(login) -> tuple[str, str]:
    """The name and the secret of a registered viewer."""
    row = factories.RegisteredClientFactory(client_id="reading-room-7", services=[login])
    secret = clients.new_secret(row)
    row.save()
    return row.client_id, secret


def ask(machine=("", ""), url: str = HERE, **changed: object):
    """What a viewer's server is answered; it is no browser and has no cookies."""
    body = {"clientId": machine[0], "clientSecret": machine[1], **changed}
    return Browser().post(url, json.dumps(body), content_type="application/json")


def code_for(machine) -> str:
    response = ask(machine)
    assert response.status_code == 200, response.content
    return str(response.json()["authorizationCode"])


def visit(browser: Browser, code: str = "", slug: str = "login"):
    """Sign in, and click on the page that a viewer opened with this code."""
    browser.sign_in(person())
    return browser.click(access(slug, "", "0") + (f"?code={code}" if code else ""))


# -- Codes --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-CID-01")
def test_the_description_says_where_viewers_may_say_who_they_are(login, machine):
    (block,) = described("/iiif/0/chart").json()["service"]
    found = [held for held in block["service"] if held["profile"] == "http://iiif.io/api/auth/0/clientId"]
    assert found == [{"@id": f"{BASE}{HERE}", "profile": "http://iiif.io/api/auth/0/clientId"}]
    login.clients = "any"
    login.save()
    (block,) = described("/iiif/0/chart").json()["service"]
    assert "clientId" not in json.dumps(block)


@pytest.mark.requirement("A092-CID-02")
def test_name_and_secret_are_answered_with_a_code_and_nothing_else(login, machine):
    response = ask(machine)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert set(response.json()) == {"authorizationCode"}
    assert identify.SECRET.fullmatch(response.json()["authorizationCode"])
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("A092-CID-04")
def test_with_the_code_one_logs_in_and_gets_a_token(login, only, machine):
    browser, code = Browser(), code_for(machine)
    assert b"data-close-now" in visit(browser, code).content
    found = plain_token(browser, "login", "0", code=code).json()
    assert set(found) == {"accessToken", "tokenType", "expiresIn"}
    assert described("/iiif/0/chart", found["accessToken"]).status_code == 200


@pytest.mark.requirement("A092-CID-04", "A092-TOK-03")
def test_and_so_does_a_frame(login, only, machine):
    browser, code = Browser(), code_for(machine)
    visit(browser, code)
    message, target = run(browser.get(f"{web.token_page('login', '', '1', '0')}&code={code}"))
    assert (message["tokenType"], message["messageId"], target) == ("Bearer", "1", "*")


def test_nothing_of_secret_and_code_is_kept_but_digests(login, machine):
    _, secret = machine
    code = code_for(machine)
    kept = [
        str(value) for rows in (RegisteredClient, ClientCode) for row in rows.objects.values() for value in row.values()
    ]
    assert not [text for text in kept if secret in text or code in text]
    assert RegisteredClient.objects.get().digest == identify.digest(secret)
    assert ClientCode.objects.get().digest == identify.digest(code)


def test_when_it_was_last_used_is_noted(login, machine):
    assert RegisteredClient.objects.get().seen is None
    ask((machine[0], "wrong"))
    assert RegisteredClient.objects.get().seen is None
    code_for(machine)
    assert RegisteredClient.objects.get().seen is not None


# -- Refusals of the client identity service ----------------------------------------------------------------------


def refused(response, status: int, word: str) -> bool:
    body = response.json()
    found = (response.status_code, body["error"], set(body)) == (status, word, {"error", "description"})
    return found and not ClientCode.objects.exists()


@pytest.mark.requirement("A092-CID-03")
def test_an_unknown_name_a_wrong_secret_and_a_malformed_request_are_three_different_things(login, machine):
    name, secret = machine
    assert refused(ask(("nobody", secret)), 401, "invalidClient")
    assert refused(ask((name, identify.new_secret())), 401, "invalidClientSecret")
    assert refused(ask((name, "short")), 401, "invalidClientSecret")
    assert refused(ask((name, "ü" * 43)), 401, "invalidClientSecret")
    assert refused(ask((name, "\x00" * 43)), 401, "invalidClientSecret")
    assert refused(ask((name, secret[:-1])), 401, "invalidClientSecret")
    assert refused(ask((name, "")), 401, "invalidClientSecret")


@pytest.mark.requirement("A092-CID-03")
@pytest.mark.parametrize("name", ["", "Reading-Room-7", "reading-room-7 ", "reading-room-7\x00", "%", "ü", "' OR 1=1"])
def test_a_name_is_that_name_and_no_other(login, machine, name):
    assert refused(ask((name, machine[1])), 401, "invalidClient")


@pytest.mark.requirement("A092-CID-03", "A092-ERR-01")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[]",
        b"{}",
        b"[1]",
        b'{"clientId": "reading-room-7"}',
        b'{"clientSecret": "x"}',
        b'{"clientId": 7, "clientSecret": 8}',
        b'{"clientId": ["reading-room-7"], "clientSecret": ["x"]}',
        b'{"clientId": {"a": 1}, "clientSecret": null}',
        b'{"clientId": null, "clientSecret": "x"}',
        b'{"clientId": true, "clientSecret": true}',
        b'{"clientid": "reading-room-7", "clientsecret": "x"}',
        b"clientId=reading-room-7&clientSecret=x",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b'{"clientId": "reading-room-7", "clientSecret": "x"',
        b'{"clientId": "' + b"a" * 300 + b'", "clientSecret": "x"}',
        b'{"clientId": "a", "clientSecret": "' + b"x" * 300 + b'"}',
        DEEP.encode(),
        b'{"a":' * 700 + b"1" + b"}" * 700,
        b" " * 5000 + b"{}",
        b"9" * 5000,
        b"NaN",
        b'{"clientId": "a", "clientSecret": "x"}' * 200,
    ],
    ids=range(29),
)
def test_what_can_not_be_read_is_an_invalid_request(login, machine, body):
    for kind in (
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        response = Browser().generic("POST", HERE, body, content_type=kind)
        assert refused(response, 400, "invalidRequest")


def test_a_body_that_says_it_is_short_is_read_no_further(login, machine):
    body = json.dumps({"clientId": machine[0], "clientSecret": machine[1]}).encode()
    response = Browser().generic("POST", HERE, body, CONTENT_LENGTH="-1")
    assert response.status_code == 400
    for length in ("5", "abc", "99999999999999999999", "0"):
        assert Browser().generic("POST", HERE, body, CONTENT_LENGTH=length).status_code == 400
    assert not ClientCode.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_only_post_is_answered(login, machine, method):
    response = getattr(Browser(), method)(HERE)
    assert response.status_code == 405
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert not ClientCode.objects.exists()


@pytest.mark.parametrize("query", ["clientId={}&clientSecret={}"])
def test_name_and_secret_in_an_address_are_not_read(login, machine, query):
    response = Browser().generic("POST", f"{HERE}?{query.format(*machine)}", b"")
    assert refused(response, 400, "invalidRequest")


def test_it_is_for_servers_no_site_can_read_it_and_no_browser_gets_a_cookie(login, machine):
    for pair in (machine, ("nobody", "x")):
        response = ask(pair)
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]
        assert not response.cookies
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_an_inactive_viewer_and_one_of_another_service_are_unknown(login, machine):
    row = RegisteredClient.objects.get()
    row.is_active = False
    row.save()
    assert refused(ask(machine), 401, "invalidClient")
    row.is_active = True
    row.save()
    row.services.set([web.service("other", "login", dialects=["0.9.2"], clients="known")])
    assert refused(ask(machine), 401, "invalidClient")
    assert ask(machine, HERE.replace("login", "other")).status_code == 200


def test_where_viewers_do_not_say_who_they_are_nobody_is_known(login, machine):
    login.clients = "any"
    login.save()
    assert refused(ask(machine), 401, "invalidClient")


@pytest.mark.parametrize("space", ["0", "1", "2", "alpha"])
def test_only_0_9_2_has_it(login, machine, space):
    login.dialects = [name for name in web.ALL if name != "0.9.2"]
    login.save()
    assert refused(ask(machine, HERE.replace("/0/", f"/{space}/")), 400, "invalidRequest")


def test_a_new_secret_ends_the_old_one_and_every_code_drawn_with_it(login, only, machine):
    code = code_for(machine)
    row = RegisteredClient.objects.get()
    newer = clients.new_secret(row)
    row.save()
    assert not ClientCode.objects.exists()
    assert ask(machine).json()["error"] == "invalidClientSecret"
    browser = Browser()
    assert visit(browser, code).status_code == 403
    assert plain_token(browser, "login", "0", code=code).status_code == 401
    assert code_for((machine[0], newer))


# -- At the login page --------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-CID-04", "A092-TOK-05")
@pytest.mark.parametrize(
    ("rule", "code", "status"),
    [
        ("any", "", 200),
        ("any", "nonsense", 200),
        ("known", "", 200),
        ("known", "good", 200),
        ("known", "nonsense", 403),
        ("known", "A" * 43, 403),
        ("known", "two", 403),
        ("known", "empty", 403),
        ("only", "", 403),
        ("only", "good", 200),
        ("only", "nonsense", 403),
        ("only", "two", 403),
    ],
)
def test_the_page_opens_for_whom_the_service_is_for(login, machine, rule, code, status):
    good = code_for(machine)
    login.clients = rule
    login.save()
    query = {"": "", "good": f"?code={good}", "two": f"?code={good}&code={good}", "empty": "?code="}
    url = access("login", "", "0") + query.get(code, f"?code={code}")
    browser = Browser().sign_in(person())
    response = browser.get(url)
    assert response.status_code == status
    fields = web.Form(browser.get("/accounts/login/").content.decode()).fields
    clicked = browser.post(url, fields, headers={"origin": BASE})
    assert clicked.status_code == status
    assert Pass.objects.exists() is (status == 200)


def test_naming_an_origin_is_no_way_around(only, machine):
    browser = Browser().sign_in(person())
    assert browser.get(access("login", VIEWER, "0")).status_code == 403
    assert web.envelope(browser.get(web.token_page("login", VIEWER, space="0")))["message"]["error"] != ""
    assert not Pass.objects.exists()
    assert not Token.objects.exists()


@pytest.mark.parametrize("space", ["1", "2", "alpha"])
def test_where_only_registered_viewers_get_in_no_other_version_is_a_way_around(only, machine, space):
    only.dialects = web.ALL
    only.save()
    browser = Browser().sign_in(person())
    assert browser.get(access("login", VIEWER, space)).status_code == 404
    assert not Pass.objects.exists()
    assert browser.get(access("login", VIEWER, "0")).status_code == 403


# -- At the token service -----------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-TOK-05", "A092-ERR-01")
@pytest.mark.parametrize(
    ("rule", "code", "allowed"),
    [
        ("any", "", True),
        ("any", "nonsense", True),
        ("known", "", True),
        ("known", "good", True),
        ("known", "nonsense", False),
        ("known", "empty", False),
        ("known", "two", False),
        ("only", "", False),
        ("only", "good", True),
        ("only", "nonsense", False),
    ],
)
def test_a_code_is_looked_at_where_there_are_codes(login, machine, rule, code, allowed):
    browser, good = Browser(), code_for(machine)
    visit(browser, good)
    login.clients = rule
    login.save()
    query = {"": "", "good": f"?code={good}", "two": f"?code={good}&code={good}", "empty": "?code="}
    url = web.path(web.links("0").token("login")) + query.get(code, f"?code={code}")
    response = browser.get(url)
    assert ("accessToken" in response.json()) is allowed
    assert (response.status_code, response.json().get("error")) == ((200, None) if allowed else (401, "invalidClient"))


def test_a_code_is_good_for_one_token(login, only, machine):
    browser, code = Browser(), code_for(machine)
    visit(browser, code)
    assert plain_token(browser, "login", "0", code=code).status_code == 200
    for _ in range(2):
        response = plain_token(browser, "login", "0", code=code)
        assert (response.status_code, response.json()["error"]) == (401, "invalidClient")
    assert Token.objects.count() == 1


def test_of_two_requests_at_the_same_time_with_one_code_one_gets_a_token(login, only, machine, monkeypatch):
    """The second comes when the first has found the code good and has not used it up yet."""
    browser, code = Browser(), code_for(machine)
    visit(browser, code)
    found, second = clients._live, []

    def meanwhile(code: str, service: str):
        row = found(code, service)
        if not second:
            second.append(None)
            second[0] = plain_token(browser, "login", "0", code=code)
        return row

    monkeypatch.setattr(clients, "_live", meanwhile)
    first = plain_token(browser, "login", "0", code=code)
    assert (first.status_code, second[0].status_code) == (401, 200)
    assert first.json()["error"] == "invalidClient"
    assert Token.objects.count() == 1
    assert not ClientCode.objects.exists()


def test_a_code_belongs_to_whoever_logged_in_with_it(login, only, machine):
    """A code that somebody overheard is of no use with a pass of their own."""
    ada, thief = Browser(), Browser()
    code, other = code_for(machine), code_for(machine)
    visit(ada, code)
    thief.sign_in(person("eve"))
    thief.click(f"{access('login', '', '0')}?code={other}")
    response = plain_token(thief, "login", "0", code=code)
    assert (response.status_code, response.json()["error"]) == (401, "invalidClient")
    assert plain_token(ada, "login", "0", code=code).status_code == 200


def test_a_second_login_with_a_code_takes_it_from_nobody(login, only, machine):
    ada, thief = Browser(), Browser()
    code = code_for(machine)
    visit(ada, code)
    thief.sign_in(person("eve"))
    thief.click(f"{access('login', '', '0')}?code={code}")
    assert plain_token(thief, "login", "0", code=code).status_code == 401
    assert plain_token(ada, "login", "0", code=code).status_code == 200


def test_a_code_runs_out(login, only, machine):
    browser, code = Browser(), code_for(machine)
    left = ClientCode.objects.get().ends - timezone.now()
    assert timedelta(0) < left <= clients.CODE_LIFE
    visit(browser, code)
    ClientCode.objects.update(ends=timezone.now())
    assert plain_token(browser, "login", "0", code=code).json()["error"] == "invalidClient"
    assert browser.get(f"{access('login', '', '0')}?code={code}").status_code == 403
    code_for(machine)
    assert ClientCode.objects.count() == 1


def test_a_code_ends_with_its_viewer(login, only, machine):
    for end in (lambda row: RegisteredClient.objects.update(is_active=False), lambda row: row.delete()):
        browser, code = Browser(), code_for(machine)
        browser.sign_in(factories.UserFactory())
        browser.click(f"{access('login', '', '0')}?code={code}")
        end(RegisteredClient.objects.get())
        assert plain_token(browser, "login", "0", code=code).json()["error"] == "invalidClient"
        RegisteredClient.objects.update(is_active=True)


def test_a_code_of_another_service_is_none(login, only, machine):
    other = web.service("other", "login", dialects=["0.9.2"], clients="only")
    RegisteredClient.objects.get().services.add(other)
    browser = Browser()
    code = code_for(machine)
    visit(browser, code)
    assert browser.get(f"{access('other', '', '0')}?code={code}").status_code == 403
    foreign = ask(machine, HERE.replace("login", "other")).json()["authorizationCode"]
    browser.click(f"{access('other', '', '0')}?code={foreign}")
    assert plain_token(browser, "login", "0", code=foreign).json()["error"] == "invalidClient"
    assert plain_token(browser, "other", "0", code=foreign).status_code == 200


def test_a_code_says_which_viewer_asks_and_nothing_of_the_person(login, only, machine):
    """Without a login of their own nobody has anything from it."""
    code = code_for(machine)
    response = plain_token(Browser(), "login", "0", code=code)
    assert (response.status_code, response.json()["error"]) == (401, "missingCredentials")
    assert described("/iiif/0/chart", code).status_code == 401
    browser = Browser()
    browser.cookies[identify.COOKIE] = code
    assert browser.get("/iiif/0/chart/full/full/0/default.jpg").status_code == 401
    assert ClientCode.objects.exists()
