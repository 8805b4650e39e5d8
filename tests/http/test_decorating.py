"""A host whose manifests get their services on the way out, and everything else of the host's, which does not."""

from __future__ import annotations

import gzip
import json
import logging
from datetime import UTC, datetime

import pytest
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import condition

from iiif_auth import store
from iiif_auth.decorating import ManifestMiddleware
from tests import factories, web
from tests.http.urls import urlpatterns as others
from tests.web import BASE, EVERYONE, SIGNED_IN, Browser

P3 = "http://iiif.io/api/presentation/3/context.json"
MIDDLEWARE = "iiif_auth.decorating.ManifestMiddleware"


def manifest(*paths):
    return {"@context": P3, "type": "Manifest", "items": [{"id": BASE + path, "type": "Image"} for path in paths]}


DOCUMENT = manifest("/iiif/3/chart", "/iiif/3/map", "/iiif/3/secret-plain")
TEXT = json.dumps(DOCUMENT).encode()


def plain(request: HttpRequest) -> HttpResponse:
    return JsonResponse(DOCUMENT)


@condition(
    etag_func=lambda request: '"of-the-host"',
    last_modified_func=lambda request: datetime(2020, 1, 1, tzinfo=UTC),
)
def dated(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(
        TEXT, content_type='application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    )
    response.headers["Content-Length"] = str(len(TEXT))
    patch_vary_headers(response, ["Accept"])
    return response


@condition(etag_func=lambda request: '"of-the-host"')
def unrestricted(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b' {"type": "Manifest"} ', content_type="application/json")


def packed(request: HttpRequest) -> HttpResponse:
    if "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "") or "gzip" in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(gzip.compress(TEXT), content_type="application/json", headers={"Content-Encoding": "gzip"})
    return HttpResponse(TEXT, content_type="application/json")


def partial(request: HttpRequest) -> HttpResponse:
    if "HTTP_RANGE" in request.META:
        return HttpResponse(TEXT[:10], status=206, content_type="application/json")
    return HttpResponse(TEXT, content_type="application/json")


LEFT_ALONE = {
    "page": lambda request: HttpResponse(TEXT, content_type="text/html"),
    "unnamed": lambda request: HttpResponse(TEXT, content_type=""),
    "missing": lambda request: HttpResponse(TEXT, content_type="application/json", status=404),
    "created": lambda request: HttpResponse(TEXT, content_type="application/json", status=201),
    "broken": lambda request: HttpResponse(TEXT[:-1], content_type="application/json"),
    "deep": lambda request: HttpResponse(
        b'{"type":"Manifest","x":' + b"[" * 500 + b"]" * 500 + b"}", content_type="application/json"
    ),
    "other": lambda request: JsonResponse({"type": "FeatureCollection", "id": f"{BASE}/iiif/3/chart"}),
    "list": lambda request: JsonResponse([DOCUMENT], safe=False),
    "latin": lambda request: HttpResponse(TEXT, content_type="application/json; charset=latin-1"),
    "always-packed": lambda request: HttpResponse(
        gzip.compress(TEXT, mtime=0), content_type="application/json", headers={"Content-Encoding": "gzip"}
    ),
    "streamed": lambda request: StreamingHttpResponse(iter([TEXT]), content_type="application/json"),
    "file": lambda request: FileResponse(iter([TEXT]), content_type="application/json"),
}

urlpatterns = [
    path("manifests/plain.json", plain),
    path("manifests/dated.json", dated),
    path("manifests/unrestricted.json", unrestricted),
    path("manifests/packed.json", packed),
    path("manifests/partial.json", partial),
    *(path(f"manifests/{name}.json", view) for name, view in LEFT_ALONE.items()),
    path("elsewhere/plain.json", plain),
    path("manifests/below/plain.json", plain),
    *others,
]


@pytest.fixture(autouse=True)
def host(site):
    web.restricted("/iiif/3/chart", SIGNED_IN, by=(web.service("login", "login"),))
    web.restricted("/iiif/3/map", EVERYONE)
    shelf = web.hidden_collection(policy=factories.AccessPolicyFactory())
    factories.ResourceFactory(url="/iiif/3/secret-plain", collection=shelf)
    site.ROOT_URLCONF = "tests.http.test_decorating"
    site.MIDDLEWARE = [*site.MIDDLEWARE, MIDDLEWARE]
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "MANIFEST_PATHS": ["/manifests/*.json"]}
    return site


def got(name, method="get", **headers):
    return getattr(Browser(), method)(f"/manifests/{name}.json", headers=headers)


def bytes_of(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def decorated(response):
    found = json.loads(response.content)
    assert ["service" in one for one in found["items"]] == [True, False, False]
    return found


# -- Manifests ----------------------------------------------------------------------------------------------------


def test_a_manifest_gets_its_services_on_the_way_out():
    found = decorated(got("plain"))
    assert found["items"][0]["service"][0]["type"] == "AuthProbeService2"
    assert found["items"][1:] == DOCUMENT["items"][1:]
    assert found["@context"][1] == P3


def test_length_and_validator_are_those_of_what_is_sent():
    response = got("dated")
    decorated(response)
    assert int(response.headers["Content-Length"]) == len(response.content) > len(TEXT)
    assert response.headers["ETag"] != '"of-the-host"'
    assert "Last-Modified" not in response.headers
    assert response.headers["Content-Type"].startswith("application/ld+json;profile=")
    assert "Accept" in response.headers["Vary"]


def test_the_head_of_a_manifest_is_that_of_what_would_be_sent():
    head, whole = got("dated", "head"), got("dated")
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert head.content == b""


def test_who_has_what_is_sent_is_told_that_it_has_not_changed():
    tag = got("dated").headers["ETag"]
    for shown in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = got("dated", **{"if-none-match": shown})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize(
    "headers",
    [
        {"if-none-match": '"of-the-host"'},
        {"if-modified-since": "Wed, 01 Jan 2031 00:00:00 GMT"},
        {"if-none-match": '"of-the-host"', "if-modified-since": "Wed, 01 Jan 2031 00:00:00 GMT"},
    ],
)
def test_who_has_what_the_host_would_have_sent_gets_the_services(headers):
    response = got("dated", **headers)
    assert response.status_code == 200
    decorated(response)


def test_a_changed_rule_is_a_changed_manifest():
    tag = got("dated").headers["ETag"]
    web.AccessService.objects.update(label={"en": ["Another name"]})
    response = got("dated", **{"if-none-match": tag})
    assert response.status_code == 200
    assert "Another name" in response.content.decode()


def test_a_view_that_packs_or_cuts_what_it_sends_is_not_asked_to():
    decorated(got("packed", **{"accept-encoding": "gzip, br"}))
    whole = got("partial", range="bytes=0-9")
    assert whole.status_code == 200
    decorated(whole)


@pytest.mark.parametrize("name", ["packed", "dated"])
def test_middleware_above_still_packs_what_is_sent(host, name):
    host.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *host.MIDDLEWARE]
    response = got(name, **{"accept-encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert "service" in json.loads(gzip.decompress(response.content))["items"][0]


def test_middleware_above_finds_the_headers_again(host):
    host.MIDDLEWARE = ["django.middleware.http.ConditionalGetMiddleware", *host.MIDDLEWARE]
    tag = got("plain").headers["ETag"]
    assert got("plain", **{"if-none-match": tag}).status_code == 304


def test_what_is_hidden_is_left_as_it_was():
    assert decorated(got("plain"))["items"][2] == DOCUMENT["items"][2]


def test_everybody_is_sent_the_same():
    assert Browser().sign_in(web.person()).get("/manifests/plain.json").content == got("plain").content


# -- Everything else ----------------------------------------------------------------------------------------------


def without(host):
    host.MIDDLEWARE = [name for name in host.MIDDLEWARE if name != MIDDLEWARE]


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_no_whole_manifest_passes_unchanged(host, name):
    response = got(name)
    found = response.status_code, bytes_of(response), dict(response.headers)
    without(host)
    untouched = got(name)
    assert found == (untouched.status_code, bytes_of(untouched), dict(untouched.headers))
    assert response.streaming is untouched.streaming


@pytest.mark.parametrize("url", ["/elsewhere/plain.json", "/manifests/below/plain.json", "/manifests/plain.jsonx"])
def test_other_paths_pass_unchanged_and_ask_the_database_nothing(url, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Browser().get(url)
    assert response.status_code == 404 or response.content == TEXT


def test_without_paths_nothing_is_touched(host):
    host.IIIF_AUTH_FLOW = {key: value for key, value in host.IIIF_AUTH_FLOW.items() if key != "MANIFEST_PATHS"}
    assert got("plain").content == TEXT


@pytest.mark.parametrize("method", ["post", "put", "delete", "options", "patch"])
def test_other_methods_pass_unchanged(method):
    request = Browser()
    request.handler.enforce_csrf_checks = False
    assert getattr(request, method)("/manifests/plain.json").content == TEXT


def test_a_manifest_in_which_nothing_is_restricted_is_the_hosts_own_to_the_byte():
    response = got("unrestricted")
    assert response.content == b' {"type": "Manifest"} '
    assert response.headers["ETag"] == '"of-the-host"'
    assert got("unrestricted", **{"if-none-match": '"of-the-host"'}).status_code == 304


def test_if_the_rules_can_not_be_read_the_hosts_answer_passes(monkeypatch, caplog):
    monkeypatch.setattr(store, "find_offers", lambda uris: 1 / 0)
    with caplog.at_level(logging.ERROR, logger="iiif_auth"):
        assert got("plain").content == TEXT
    assert "A manifest is left without services." in caplog.text


def test_the_questions_to_the_database_do_not_grow_with_the_manifest(django_assert_num_queries):
    got("plain")
    with django_assert_num_queries(1):
        decorated(got("plain"))


def test_it_is_the_middleware_that_does_it(host):
    without(host)
    assert got("plain").content == TEXT
    assert ManifestMiddleware(plain)(HttpRequest()).content == TEXT
