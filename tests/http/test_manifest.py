"""A manifest that was built elsewhere, sent or named, and what comes back."""

from __future__ import annotations

import json
import logging
import socket

import pytest

from iiif_auth import fetch, store
from iiif_auth.http import manifest as door
from iiif_auth.http.manifest import ManifestView
from tests import factories, web
from tests.web import BASE, EVERYONE, SIGNED_IN, VIEWER, Browser

P2 = "http://iiif.io/api/presentation/2/context.json"
P3 = "http://iiif.io/api/presentation/3/context.json"
AUTH_2 = "http://iiif.io/api/auth/2/context.json"
AT = "/iiif-auth/manifest"
CHART = f"{BASE}/iiif/3/chart"


@pytest.fixture(autouse=True)
def library(site):
    """A chart for people signed in, a film for them, a map for everybody, and a shelf whose existence is secret."""
    login = web.service("login", "login", dialects=["2", "1", "1-media"])
    web.restricted("/iiif/3/chart", SIGNED_IN, by=(login,))
    web.restricted("/media/film.mp4", SIGNED_IN, by=(login,), type="Video")
    web.restricted("/iiif/3/map", EVERYONE)
    shelf = web.hidden_collection(policy=factories.AccessPolicyFactory())
    web.tier(shelf.policy, SIGNED_IN, by=(login,))
    factories.ResourceFactory(url="/iiif/3/secret-plain", collection=shelf)
    return site


def body(url, **values):
    return {"id": f"{BASE}{url}" if url.startswith("/") else url, "type": "Image", **values}


def image2(url):
    service = {"@context": "http://iiif.io/api/image/2/context.json", "@id": f"{BASE}{url}", "profile": "level2"}
    return {"@id": f"{BASE}{url}/full/full/0/default.jpg", "@type": "dctypes:Image", "service": service}


def manifest(*bodies, context=P3):
    return {"@context": context, "type": "Manifest", "items": list(bodies)}


def sent(document, browser=None, **headers):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return (browser or Browser()).post(AT, text, content_type="application/json", headers=headers)


def returned(document):
    response = sent(document)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def refused(response, status):
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    (sentence,) = response.json().values()
    assert sentence.endswith(".")
    return sentence


# -- Sent ---------------------------------------------------------------------------------------------------------


def test_what_is_restricted_has_services_and_nothing_else_changes():
    bodies = body("/iiif/3/chart"), body("/iiif/3/map"), body("/iiif/3/nothing"), body("https://elsewhere.example/x")
    found = returned(manifest(*bodies))
    assert found["@context"] == [AUTH_2, P3]
    assert found["items"][1:] == list(bodies[1:])
    (probe,) = found["items"][0]["service"]
    assert Browser().get(web.path(probe["id"])).json()["status"] == 401
    assert (probe["type"], probe["service"][0]["id"]) == ("AuthProbeService2", f"{BASE}/iiif-auth/2/access/login")
    assert returned(found) == found


def test_a_manifest_with_nothing_restricted_comes_back_as_it_was():
    document = manifest(
        body("/iiif/3/map"), body("https://elsewhere.example/x"), {"label": {"de": ["Ünïcode"]}, "n": 1.50}
    )
    answer = sent(document).content.decode()
    assert answer == json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def test_every_spelling_of_an_address_is_the_same_resource():
    spellings = [
        f"{CHART}/full/max/0/default.jpg",
        f"{CHART}/info.json",
        CHART.replace("https", "http"),
        CHART.replace("iiif.example.org", "IIIF.example.org:443"),
        CHART.replace("chart", "%63hart"),
        f"{CHART}#xywh=1,2,3,4",
        f"{CHART}/10,20,30,40/!200,200/0/default.jpg#x",
    ]
    found = returned(manifest(*map(body, spellings)))
    assert [len(one["service"]) for one in found["items"]] == [1] * len(spellings)
    assert [one["id"] for one in found["items"]] == spellings


def test_a_manifest_of_presentation_2_has_auth_1_inside_its_image_services():
    found = returned({"@context": P2, "@type": "sc:Manifest", "x": [image2("/iiif/3/chart"), image2("/iiif/3/chart")]})
    first, second = (one["service"]["service"] for one in found["x"])
    assert (first["@context"], first["@id"]) == (
        "http://iiif.io/api/auth/1/context.json",
        f"{BASE}/iiif-auth/1/access/login",
    )
    assert second == first["@id"]
    assert found["@context"] == P2


def test_an_image_service_2_in_presentation_3_has_typed_auth_1_inside_and_the_probe_beside():
    image = body("/iiif/3/chart", service=[{"@id": CHART, "@type": "ImageService2", "profile": "level2"}])
    (found,) = returned(manifest(image))["items"]
    inside, beside = found["service"][0]["service"], found["service"][1]
    assert [one["@type"] for one in inside] == ["AuthCookieService1"]
    assert (beside["type"], "profile" in beside) == ("AuthProbeService2", True)
    assert len(found["service"]) == 2


def test_an_image_service_3_has_nothing_inside():
    service = {"id": CHART, "type": "ImageService3", "profile": "level2"}
    (found,) = returned(manifest(body("/iiif/3/chart", service=[service])))["items"]
    assert found["service"][0] == service
    assert found["service"][1]["type"] == "AuthProbeService2"


def test_a_film_has_the_practice_around_auth_1_beside_its_probe():
    (found,) = returned(manifest(body("/media/film.mp4")))["items"]
    assert [one.get("type", one.get("@type")) for one in found["service"]] == [
        "AuthProbeService2",
        "AuthCookieService1",
        "AuthProbeService1",
    ]


def test_version_0_9_is_spoken_only_about_what_is_not_offered_in_1_0():
    web.restricted("/iiif/3/old", SIGNED_IN, by=(web.service("old", "login", dialects=["0.9.4", "2"]),))
    web.restricted("/iiif/3/both", SIGNED_IN, by=(web.service("both", "login", dialects=["0.9.4", "0.9.2", "1"]),))
    images = [image2("/iiif/3/old"), image2("/iiif/3/both")]
    found = returned({"@context": P2, "@type": "sc:Manifest", "x": images})
    assert [one["service"]["service"]["@id"] for one in found["x"]] == [
        f"{BASE}/iiif-auth/0/access/old",
        f"{BASE}/iiif-auth/1/access/both",
    ]


def test_what_is_offered_in_nothing_that_such_a_viewer_speaks_says_so_in_1_0():
    web.restricted("/iiif/3/new", SIGNED_IN, by=(web.service("new", "login", dialects=["2"]),))
    found = returned({"@context": P2, "@type": "sc:Manifest", "x": image2("/iiif/3/new")})
    assert found["x"]["service"]["service"]["profile"] == "http://iiif.io/api/auth/1/external"


# -- What is hidden -----------------------------------------------------------------------------------------------

SECRET, NOTHING = "/iiif/3/secret-plain", "/iiif/3/secret-nothing"


@pytest.mark.parametrize(
    "shape",
    [
        lambda url: manifest(body(url)),
        lambda url: manifest(
            body(f"{url}/full/max/0/default.jpg", service=[{"id": BASE + url, "type": "ImageService3"}])
        ),
        lambda url: manifest(body(url, service=[{"id": f"{BASE}/iiif-auth/2/probe/x", "type": "AuthProbeService2"}])),
        lambda url: manifest(body("/iiif/3/chart"), body(url)),
        lambda url: {"@context": P2, "@type": "sc:Manifest", "x": [image2(url), image2("/iiif/3/chart")]},
    ],
)
def test_what_is_hidden_looks_like_nothing_to_everybody(shape, django_assert_num_queries):
    signed_in = Browser().sign_in(web.person())
    store.rulebook()
    answers = []
    for url in (SECRET, NOTHING, f"{SECRET}~low", "/unheard-of"):
        for browser in (Browser(), signed_in):
            with django_assert_num_queries(1):
                answer = sent(shape(url), browser)
            answers.append(answer.content.replace(url.encode(), b"URL"))
    assert len(set(answers)) == 1
    assert json.loads(answers[0].replace(b"URL", SECRET.encode()))


# -- Named --------------------------------------------------------------------------------------------------------

SOURCES = ["https://manifests.example.org/public/"]


def named(url, **headers):
    return Browser().get(AT, {"url": url}, headers=headers)


def test_without_an_allow_list_nothing_is_fetched(monkeypatch):
    monkeypatch.setattr(fetch, "_answer", lambda *given: 1 / 0)
    for url in ("https://manifests.example.org/public/m.json", "http://169.254.169.254/", "file:///etc/passwd", BASE):
        assert "MANIFEST_SOURCES" in refused(named(url), 403)


@pytest.fixture
def elsewhere(library, monkeypatch):
    """Another site, in place of the network; what it will say, and what it was asked."""
    library.IIIF_AUTH_FLOW = {**library.IIIF_AUTH_FLOW, "MANIFEST_SOURCES": SOURCES}
    asked, says = [], {"text": b"{}"}

    def connected(target, addresses, until, context):
        asked.append((target.path + target.query, addresses))
        return socket.socket()

    def answer(connection, target, most, until):
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/ld+json\r\n\r\n" + says["text"]

    monkeypatch.setattr(fetch, "_connection", connected)
    monkeypatch.setattr(fetch, "_answer", answer)
    monkeypatch.setattr(fetch.socket, "getaddrinfo", lambda *given, **more: [(0, 0, 0, "", ("93.184.216.34", 443))])
    says["asked"] = asked
    return says


def test_a_manifest_on_the_list_is_fetched_and_decorated(elsewhere):
    elsewhere["text"] = json.dumps(manifest(body("/iiif/3/chart"))).encode()
    response = named("https://manifests.example.org/public/m.json?v=1")
    assert response.status_code == 200
    assert response.json() == returned(manifest(body("/iiif/3/chart")))
    assert elsewhere["asked"] == [("/public/m.json?v=1", ["93.184.216.34"])]


@pytest.mark.parametrize(
    "url",
    [
        "https://manifests.example.org/private/m.json",
        "https://manifests.example.org/publicity.json",
        "https://manifests.example.org/public/../private",
        "http://manifests.example.org/public/m.json",
        "https://evil.example.org/public/m.json",
    ],
)
def test_what_is_not_on_the_list_is_not_fetched(elsewhere, url):
    assert "MANIFEST_SOURCES" in refused(named(url), 403)
    assert elsewhere["asked"] == []


def test_what_the_other_site_does_wrong_is_told(elsewhere):
    for text, status in ((b"<html>", 400), (b"[]", 400), (b"x" * (door.MAX_BYTES + 1), 502)):
        elsewhere["text"] = text
        refused(named(SOURCES[0] + "m.json"), status)


def test_a_document_is_not_fetched_in_circles(elsewhere):
    refused(named(SOURCES[0] + "m.json", **{"user-agent": fetch.AGENT}), 403)
    assert elsewhere["asked"] == []


def test_without_a_url_one_is_told_how_to_ask():
    for url in (AT, f"{AT}?url="):
        assert "POST" in refused(Browser().get(url), 400)


# -- What is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [b"", b"{", b"<html>", b"[]", b"7", b"{}", b'{"type": "ImageService3"}', b"\xff\xfe\x00", b'{"x": NaN}']
)
def test_what_is_no_manifest_is_refused_with_a_sentence(text):
    refused(sent(text), 400)


@pytest.mark.parametrize("depth", [65, 900, 200_000])
def test_what_is_nested_too_deeply_is_refused(depth):
    text = b'{"type": "Manifest", "x": ' + b"[" * depth + b"]" * depth + b"}"
    assert "64 levels" in refused(sent(text), 400)


def test_what_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(door, "MAX_BYTES", 100)
    assert "100 bytes" in refused(sent(b'{"type": "Manifest"}' + b" " * 81), 413)
    assert sent(b'{"type": "Manifest"}' + b" " * 80).status_code == 200


def test_a_manifest_may_be_larger_than_a_form(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    found = returned(manifest(body("/iiif/3/chart"), {"label": {"en": ["x" * 3_000_000]}}))
    assert "service" in found["items"][0]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_other_methods_are_refused(method):
    response = getattr(Browser(), method)(AT)
    refused(response, 405)
    assert response.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_it_does_not_matter_as_what_it_is_sent():
    for kind in ("application/ld+json", "text/plain", "application/octet-stream"):
        response = Browser().post(AT, json.dumps(manifest(body("/iiif/3/chart"))), content_type=kind)
        assert "service" in response.json()["items"][0]


# -- Headers ------------------------------------------------------------------------------------------------------


def test_pages_of_every_site_may_send_one_and_read_the_answer():
    asked = {
        "origin": VIEWER,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    preflight = Browser().options(AT, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
    answer = sent(manifest(body("/iiif/3/chart")), origin=VIEWER)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert not answer.cookies


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("application/ld+json", "application/ld+json"), ("*/*", "application/json"), ("text/html", "application/json")],
)
def test_the_answer_is_json_whatever_is_asked_for(accept, kind):
    assert sent(manifest(body("/iiif/3/chart")), accept=accept).headers["Content-Type"] == kind


def test_a_browsers_cookies_change_nothing():
    document = manifest(body("/iiif/3/chart"), body(SECRET))
    assert sent(document, Browser().sign_in(web.person())).content == sent(document).content


def test_an_error_here_is_told_as_one(monkeypatch):
    monkeypatch.setattr(store, "find_offers", lambda uris: 1 / 0)
    logging.disable()
    refused(sent(manifest(body("/iiif/3/chart"))), 500)
    logging.disable(logging.NOTSET)


# -- Many ---------------------------------------------------------------------------------------------------------


def test_a_thousand_canvases_cost_a_handful_of_queries(django_assert_max_num_queries):
    document = manifest(*(body(f"/iiif/3/chart{'' if n % 2 else n}/full/max/0/default.jpg") for n in range(1000)))
    store.rulebook()
    with django_assert_max_num_queries(4):
        found = returned(document)
    assert sum("service" in one for one in found["items"]) == 500


def test_what_was_counted_adds_up():
    urls = ("/iiif/3/chart", "/iiif/3/chart/info.json", "/media/film.mp4", "/iiif/3/map", SECRET, "/unheard-of")
    document = manifest(*map(body, urls), body("https://elsewhere.example/%zz"))
    _found, holdings = door.decorated(document)
    assert holdings.tally() == door.Tally(known=3, decorated=2, open=1, unknown=2, hidden=1)


def test_it_is_for_viewers_on_every_site():
    assert issubclass(ManifestView, door.PublicView)
