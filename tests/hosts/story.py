"""The whole flow on the host's site; run by ``test_host.py`` in a process of its own, with the host's settings."""

from __future__ import annotations

import logging

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from iiif_auth import api, identify
from iiif_auth.models import AccessPolicy, AccessService, Condition, Grant, Network, Pass, Resource, Tier
from tests.hosts.archive.models import Reader
from tests.web import Form, envelope

SITE = "https://archive.example.org"
VIEWER = "https://viewer.example.com"
SCAN = "/scans/map"
ACCESS = f"/iiif-auth/2/access/login?origin={VIEWER}"
TOKEN = f"/iiif-auth/2/token/login?origin={VIEWER}&messageId=1"
HEADER = "Cross-Origin-Opener-Policy"

pytestmark = pytest.mark.django_db


class Browser(Client):
    def __init__(self, **extra):
        super().__init__(enforce_csrf_checks=True, HTTP_HOST="archive.example.org", **extra)

    def generic(self, *args, **kwargs):
        return super().generic(*args, **{**kwargs, "secure": True})

    def click(self, url, **data):
        fields = Form(self.get(url).content.decode()).fields
        return self.post(url, {**fields, **data}, headers={"origin": SITE})


@pytest.fixture(autouse=True)
def world():
    """A scan for members of a group, who sign in, and one more for whoever sits in the reading room."""
    cache.clear()
    login = AccessService.objects.create(slug="login", pattern="login", label={"en": ["Archive"]})
    members = Group.objects.create(name="members")
    rules = AccessPolicy.objects.create(slug="members", name="Members")
    tier = Tier.objects.create(policy=rules, slug="full")
    tier.services.add(login)
    Condition.objects.create(tier=tier, kind="group", group=members)
    Resource.objects.create(url=SCAN, label={"en": ["Map"]}, policy=rules)
    room = Network.objects.create(slug="room", name="Room", prefixes=["192.0.2.0/28"])
    other = AccessPolicy.objects.create(slug="room", name="Room")
    Condition.objects.create(tier=Tier.objects.create(policy=other, slug="full"), kind="network", network=room)
    Resource.objects.create(url="/scans/atlas", label={"en": ["Atlas"]}, policy=other)


def reader(email="ada@example.org", *groups):
    found = Reader(email=email)
    found.set_password("secret")
    found.save()
    found.groups.set(groups)
    return found


def member():
    return reader("ada@example.org", Group.objects.get())


def entered() -> tuple[Browser, str]:
    """A member's browser that went through everything, and a token of its viewer."""
    browser = Browser()
    away = browser.get(ACCESS)
    assert away.status_code == 302
    assert away.headers["Location"].startswith("/signing-in/?next=%2Fiiif-auth%2F")
    back = browser.click(away.headers["Location"], email="ada@example.org", password="secret")
    assert (back.status_code, back.headers["Location"]) == (302, ACCESS)
    assert identify.COOKIE not in browser.cookies
    assert browser.click(back.headers["Location"]).status_code == 200
    message = envelope(browser.get(TOKEN))
    assert message["targetOrigin"] == VIEWER
    return browser, message["message"]["accessToken"]


def probe(token=None, uri=SCAN, method="get", **headers):
    if token:
        headers["authorization"] = f"Bearer {token}"
    (service,) = api.services_for(uri)
    return getattr(Browser(), method)(service["id"].removeprefix(SITE), headers={"origin": VIEWER, **headers})


def test_the_whole_flow_with_the_hosts_own_sign_in():
    user = member()
    assert Browser().get(SCAN).status_code == 401
    assert probe().json()["status"] == 401
    browser, token = entered()
    assert probe(token).json()["status"] == 200
    response = browser.get(SCAN)
    assert (response.status_code, response.content) == (200, b"CANARY map")
    assert Pass.objects.get().user == user


def test_somebody_who_is_no_member_is_refused_everywhere():
    reader("ada@example.org")
    browser, token = entered()
    assert (probe(token).json()["status"], browser.get(SCAN).status_code) == (403, 403)


def test_a_grant_to_one_reader_counts_whatever_the_key_is():
    user = reader("ada@example.org")
    Grant.objects.create(user=user, resource=Resource.objects.get(url=SCAN))
    browser, token = entered()
    assert (probe(token).json()["status"], browser.get(SCAN).status_code) == (200, 200)


@pytest.mark.parametrize("end", ["sign out", "password", "inactive", "deleted", "group", "logout"])
def test_whatever_ends_at_the_host_ends_here_at_once(end):
    user = member()
    browser, token = entered()
    assert (probe(token).json()["status"], browser.get(SCAN).status_code) == (200, 200)
    match end:
        case "sign out":
            browser.get("/signing-out/")
        case "password":
            user.set_password("another")
            user.save()
        case "inactive":
            Reader.objects.update(is_active=False)
        case "deleted":
            user.delete()
        case "group":
            user.groups.clear()
        case "logout":
            browser.get("/iiif-auth/2/logout/login")
            assert "_auth_user_id" not in browser.session
    refused = 403 if end == "group" else 401
    assert (probe(token).json()["status"], browser.get(SCAN).status_code) == (refused, refused)


def test_the_hosts_own_pages_can_ask():
    user = member()
    stranger = Browser().get("/page/map").json()
    assert (stranger["reader"], stranger["browser"], stranger["restricted"]) == (False, False, True)
    assert [service["type"] for service in stranger["services"]] == ["AuthProbeService2"]
    browser = Browser()
    browser.force_login(user)
    assert (browser.get("/page/map").json()["reader"], browser.get("/page/map").json()["browser"]) == (True, False)
    there = Browser(REMOTE_ADDR="192.0.2.5").get("/page/atlas").json()
    assert (there["reader"], there["browser"]) == (True, True)


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/json", "application/json; version=99", ""])
def test_the_hosts_framework_settings_bend_nothing(accept):
    for _ in range(3):
        response = probe(accept=accept)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
        assert response.json()["status"] == 401
    assert Browser().get(f"{SCAN}/info.json?format=api", headers={"accept": accept}).json()["service"]
    assert probe(method="post").status_code == 405


def test_errors_do_not_reach_the_hosts_handler(monkeypatch):
    from iiif_auth import store

    (service,) = api.services_for(SCAN)
    monkeypatch.setattr(store, "find_for", lambda *given: 1 / 0)
    logging.disable()
    response = Browser().get(service["id"].removeprefix(SITE), headers={"origin": VIEWER})
    logging.disable(logging.NOTSET)
    assert (response.status_code, response.json()["status"]) == (200, 503)


@pytest.mark.parametrize("origin", [VIEWER, "https://friend.example.org"])
@pytest.mark.parametrize("door", ["probe", "info.json"])
def test_every_viewer_gets_its_preflight_and_its_answer(origin, door):
    (service,) = api.services_for(SCAN)
    url = service["id"].removeprefix(SITE) if door == "probe" else f"{SCAN}/info.json"
    asked = {
        "origin": origin,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    preflight = Browser().options(url, headers=asked)
    assert preflight.status_code in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] in ("*", origin)
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]
    answer = Browser().get(url, headers={"origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", origin)
    for response in (preflight, answer):
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("url", [TOKEN, ACCESS, "/page/map", "/signing-in/", "/en/welcome/", "/iiif-auth/2/nothing"])
def test_the_hosts_list_stays_in_force_everywhere_else(url):
    response = Browser().get(url, headers={"origin": VIEWER})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_strict_policy_does_not_stop_our_pages():
    member()
    browser, _token = entered()
    page = browser.get(TOKEN)
    assert "script-src 'nonce-" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors" not in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers
    assert "script-src 'self'" in browser.get(ACCESS).headers["Content-Security-Policy"]
    assert Browser().get("/page/map").headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_the_hosts_sign_in_keeps_the_viewers_hold_only_while_it_lasts():
    member()
    browser = Browser()
    assert browser.get("/signing-in/").headers[HEADER] == "same-origin"
    browser.get(ACCESS)
    assert browser.get("/signing-in/").headers[HEADER] == "unsafe-none"
    browser, _token = entered()
    assert browser.get("/page/map").headers[HEADER] in ("same-origin", "unsafe-none")
    assert Browser().get("/page/map").headers[HEADER] == "same-origin"


def test_nothing_of_ours_turns_into_a_redirect_to_another_language():
    response = probe()
    assert response.status_code == 200
    for url in ("/iiif-auth/2/probe/nonsense", "/iiif-auth/2/token/nonsense"):
        assert Browser().get(url, headers={"accept-language": "de"}).status_code == 200


def test_a_page_without_anything_restricted_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(2):  # the savepoint of ATOMIC_REQUESTS
        response = Browser().get("/en/welcome/")
    assert not response.cookies


def test_as_few_queries_as_anywhere(django_assert_max_num_queries):
    member()
    _browser, token = entered()
    probe(token)
    (service,) = api.services_for(SCAN)
    url = service["id"].removeprefix(SITE)
    client = Browser()
    # With ATOMIC_REQUESTS each request is a savepoint here, which is two statements more.
    with django_assert_max_num_queries(4):
        assert client.get(url, headers={"authorization": f"Bearer {token}"}).json()["status"] == 200


def preflight_of_a_scan(uri=SCAN):
    asked = {"access-control-request-method": "HEAD", "access-control-request-headers": "authorization"}
    return Browser().options(uri, headers={"origin": VIEWER, **asked})


def test_viewers_on_every_site_may_ask_before_they_look_at_what_is_guarded():
    member()
    response = preflight_of_a_scan()
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Access-Control-Allow-Origin"] in ("*", VIEWER)
    assert "authorization" in response.headers["Access-Control-Allow-Headers"].lower()
    assert "Access-Control-Allow-Origin" not in preflight_of_a_scan("/signing-in/").headers


def test_without_our_answer_the_cors_app_would_swallow_the_preflight():
    """So that the tests above can not pass because nothing stood in the way."""
    from corsheaders.signals import check_request_enabled

    from iiif_auth.signals import is_for_viewers

    assert check_request_enabled.disconnect(dispatch_uid="iiif_auth.is_for_viewers")
    try:
        preflight = probe(method="options", **{"access-control-request-method": "GET"})
        assert "Access-Control-Allow-Origin" not in preflight.headers
        assert "Access-Control-Allow-Origin" not in preflight_of_a_scan().headers
    finally:
        check_request_enabled.connect(is_for_viewers, dispatch_uid="iiif_auth.is_for_viewers")
