"""The content door: who gets the bytes, and what a refusal looks like."""

from __future__ import annotations

import pytest
from django.db import connection

from iiif_auth import api
from iiif_auth.enforce import guard
from tests import factories, web
from tests.web import CANARY, EVERYONE, HOME, READING_ROOM, SIGNED_IN, Browser, access, content_status, person

CHART = "/iiif/3/chart"
TILE = f"{CHART}/0,0,512,512/256,/0/default.jpg"
METHODS = ["get", "head", "post", "put", "delete", "patch"]


@pytest.fixture
def terms(site):
    terms = web.service("terms")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    web.restricted("/media/report.txt", web.agreed(terms), by=(terms,))
    return terms


@pytest.fixture
def holder(terms):
    browser = Browser()
    browser.click(access("terms"))
    return browser


@pytest.mark.requirement("A2-CONT-03")
@pytest.mark.parametrize(
    ("uri", "status", "sentence"),
    [
        (CHART, 401, "Access to this is restricted."),
        ("/iiif/3/withdrawn", 403, "This is not available."),
        ("/iiif/3/unheard-of", 404, "There is no such thing here."),
    ],
)
def test_a_refusal_is_small_is_stored_nowhere_and_asks_for_no_password(terms, uri, status, sentence):
    factories.WithdrawalFactory(resource=web.restricted("/iiif/3/withdrawn", EVERYONE))
    response = Browser().get(f"{uri}/full/max/0/default.jpg")
    assert (response.status_code, response.json()) == (status, {"error": sentence})
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"WWW-Authenticate", "ETag", "Last-Modified", "Accept-Ranges", "Set-Cookie"} & set(response.headers)
    assert not response.cookies


@pytest.mark.requirement("A2-CONT-03")
@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"range": "bytes=0-3"},
        {"range": "bytes=0-"},
        {"if-none-match": "*"},
        {"if-modified-since": "Wed, 21 Oct 2048 07:28:00 GMT"},
        {"if-range": '"x"', "range": "bytes=0-3"},
    ],
)
def test_ranges_and_conditions_of_a_refused_request_are_not_even_read(terms, holder, method, headers):
    url = "/media/report.txt"
    etag = holder.get(url).headers["ETag"]
    for extra in ({}, {"if-none-match": etag}):
        response = getattr(Browser(), method)(url, headers={**headers, **extra})
        assert response.status_code == 401
        assert not {"ETag", "Content-Range", "Accept-Ranges", "Last-Modified"} & set(response.headers)
        assert CANARY not in response.content


@pytest.mark.parametrize("method", METHODS)
def test_no_method_gets_around_the_door(terms, method):
    response = getattr(Browser(), method)(TILE)
    assert response.status_code in (401, 403)
    assert CANARY not in response.content


@pytest.mark.requirement("A2A-HEAD-03")
@pytest.mark.parametrize("url", [TILE, "/media/report.txt", "/media/unheard-of.txt"])
def test_the_preflight_of_content_is_the_same_for_everything(terms, url):
    headers = {"access-control-request-method": "HEAD", "access-control-request-headers": "authorization"}
    response = Browser().options(url, headers={"origin": web.OTHER_VIEWER, **headers})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Range"


@pytest.mark.requirement("A2-CONT-01")
def test_the_aspect_opens_it(terms, holder):
    assert holder.get(TILE).content == CANARY
    assert Browser().get(TILE).status_code == 401


@pytest.mark.requirement("A2-CONT-04")
def test_what_is_granted_can_be_used_on_other_sites_and_is_kept_by_no_shared_cache(holder):
    """The view itself says ``public``; who may see it depends on who asks, so that is overruled (INV7)."""
    response = holder.get(TILE, headers={"origin": web.OTHER_VIEWER})
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, "private, no-cache"),
        ("public, max-age=3600", "private, no-cache"),
        ("max-age=3600", "private, no-cache"),
        ("private-ish", "private, no-cache"),
        ("private, max-age=60", "private, max-age=60"),
        ("Max-Age=60,PRIVATE", "Max-Age=60,PRIVATE"),
        ("no-store", "no-store"),
    ],
)
def test_a_view_may_say_how_long_but_never_for_whom(rf, given, kept):
    from django.http import HttpResponse

    response = HttpResponse(headers={"Cache-Control": given} if given else {})
    assert guard.admitted(rf.get("/"), response).headers["Cache-Control"] == kept


def test_what_everybody_may_have_any_cache_may_keep_for_a_minute(rf):
    from django.http import HttpResponse

    request = rf.get("/")
    request.iiif_auth_open = True
    assert guard.admitted(request, HttpResponse()).headers["Cache-Control"] == "public, max-age=60"


def test_documents_can_be_shown_in_the_frame_of_a_viewer(holder):
    assert "X-Frame-Options" not in holder.get(TILE).headers


def test_the_alias_of_an_address_is_judged_like_the_address(terms):
    for alias in (TILE, f"{CHART}/full/max/0/default.jpg", f"{CHART}/info.json/full/max/0/default.jpg"):
        assert Browser().get(alias).status_code in (401, 404)


def test_a_name_with_a_blank_is_found_under_its_address(site):
    """Django decodes the path; a resource is known by the address as browsers write it."""
    terms = web.service("terms")
    web.restricted("/media/map%201.txt", web.agreed(terms), by=(terms,))
    assert content_status(Browser(), "/media/map%201.txt") == 401
    browser = Browser()
    browser.click(access("terms"))
    assert content_status(browser, "/media/map%201.txt") == 200


@pytest.mark.parametrize(
    "name", ["report.txt%3Fx", "report.txt%23", "%72eport.txt", "report.txt%00", "Report.txt", "report.txt%20"]
)
def test_another_spelling_never_opens_more_than_the_file_itself(site, name):
    web.restricted("/media/open", EVERYONE)
    web.restricted("/media/report.txt")
    assert content_status(Browser(), f"/media/{name}") in (403, 404)


def test_only_to_look_is_not_to_take(site):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, web.at(web.reading_room()), take=False)
    factories.ResourceFactory(url="/copies/a", policy=rules, image_api=0, type="Text")
    factories.ResourceFactory(url=CHART, policy=rules)
    assert content_status(Browser(READING_ROOM)) == 200
    assert content_status(Browser(READING_ROOM), "/copies/a") == 403
    assert api.may_see("/copies/a", address=READING_ROOM)


def test_a_copy_that_only_some_may_take_is_kept_by_no_shared_cache(site):
    """Everybody may look, so the resource is open; a cache that kept a member's copy would hand it to everybody."""
    rules = factories.AccessPolicyFactory()
    web.tier(rules, EVERYONE, take=False, order=1)
    web.tier(rules, web.at(web.reading_room()), order=2)
    factories.ResourceFactory(url="/copies/a", policy=rules, image_api=0, type="Text")
    assert content_status(Browser(HOME), "/copies/a") == 403
    response = Browser(READING_ROOM).get("/copies/a")
    assert (response.content, response.headers["Cache-Control"]) == (CANARY, "private, no-cache")


def test_an_error_is_not_a_yes(holder, monkeypatch):
    holder.raise_request_exception = False
    assert holder.get(TILE).status_code == 200
    monkeypatch.setattr(connection, "cursor", lambda *args, **kwargs: 1 / 0)
    response = holder.get(TILE)
    monkeypatch.undo()
    assert response.status_code == 500
    assert CANARY not in response.content


def test_few_queries_are_asked(holder, django_assert_max_num_queries):
    holder.get(TILE)
    with django_assert_max_num_queries(2):
        assert holder.get(TILE).status_code == 200


def test_hosts_can_ask_the_same_question(site):
    login, group = web.service("login", "login"), factories.GroupFactory()
    web.restricted(CHART, {"kind": "group", "group": group}, by=(login,))
    web.restricted("/iiif/3/map", web.at(web.reading_room()))
    web.restricted("/iiif/3/open", EVERYONE)
    member, other, gone = person("member"), person("other"), person("gone", is_active=False)
    for user in (member, gone):
        user.groups.add(group)
    assert [api.may_see(CHART, user=user) for user in (member, other, gone, None)] == [True, False, False, False]
    assert [api.may_see("/iiif/3/map", address=address) for address in (READING_ROOM, HOME, "", "nonsense")] == [
        True,
        False,
        False,
        False,
    ]
    assert [api.may_see(url) for url in ("/iiif/3/open", "/iiif/3/unheard-of", "no url", "//", "")] == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert [api.is_restricted(url) for url in (CHART, "/iiif/3/open", "/iiif/3/unheard-of", "no url")] == [
        True,
        False,
        True,
        True,
    ]
    assert [len(api.services_for(url)) for url in (CHART, "/iiif/3/open", "/iiif/3/unheard-of", "no url")] == [
        1,
        0,
        0,
        0,
    ]


def test_a_request_is_judged_by_its_cookie_and_by_nothing_else_that_is_said(terms, holder, rf):
    request = rf.get("/", headers={"cookie": f"__Host-iiif_access={holder.access_cookie}"})
    assert api.may_see(CHART, request=request)
    stranger = rf.get("/", headers={"authorization": f"Bearer {web.token(holder, 'terms')}"})
    assert not api.may_see(CHART, request=stranger)
    assert not api.may_see(CHART, request=stranger, user=person())


@pytest.mark.requirement("A2-DECL-01")
@pytest.mark.parametrize("url", [CHART, "/media/report.txt", f"{web.BASE}{CHART}", f"{CHART}/full/max/0/default.jpg"])
def test_whatever_refuses_strangers_has_a_probe_to_put_beside_it(terms, url):
    (probe,) = api.services_for(url)
    assert probe["type"] == "AuthProbeService2"
    assert Browser().get(web.path(probe["id"])).json()["status"] == 401


@pytest.mark.requirement("A2-DECL-03")
def test_the_probe_for_a_manifest_is_the_one_in_info_json(terms):
    assert api.services_for(CHART) == Browser().get(f"{CHART}/info.json").json()["service"]


def test_somebody_signed_in_is_not_let_in_by_the_session_alone(site):
    """The session cookie does not travel to other sites; the content obeys the access cookie and no other."""
    web.restricted(CHART, SIGNED_IN, by=(web.service("login", "login"),))
    assert content_status(Browser().sign_in(person())) == 401
