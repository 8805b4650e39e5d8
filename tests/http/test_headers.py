"""The header matrix (requirements 2.8), whole: what each kind of answer carries, and nothing besides."""

from __future__ import annotations

import re

import pytest

from tests import web
from tests.web import SIGNED_IN, Browser, access, logout_page, probe_of, token_page

CHART = "/iiif/3/chart"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TOKEN_POLICY = "default-src 'none'; script-src 'nonce-…'; base-uri 'none'; form-action 'none'"
PAGE = {
    "Cache-Control": "no-store, max-age=0, no-cache, must-revalidate, private",
    "Content-Security-Policy": PAGE_POLICY,
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DONE = {**PAGE, "Vary": "Accept-Language"}
DJANGO = {"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}
FRAMED = {name: value for name, value in DJANGO.items() if name != "X-Frame-Options"}
CORS = {"Access-Control-Allow-Origin": "*"}
JSON = {**DJANGO, **CORS, "Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
UNKNOWN = {
    **JSON,
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Language",
}
REFUSED = {**UNKNOWN, "Vary": "Accept-Language, Sec-Fetch-Storage-Access"}
EXPECTED = {
    "access page": PAGE,
    "access page, refused": DONE,
    "access page, sign in first": {name: value for name, value in PAGE.items() if name != "Content-Security-Policy"},
    "click": DONE,
    "logout": DONE,
    "token": {
        "Cache-Control": "no-store",
        "Content-Security-Policy": TOKEN_POLICY,
        "Content-Type": "text/html; charset=utf-8",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language, Cookie, Origin, Sec-Fetch-Storage-Access",
        "X-Content-Type-Options": "nosniff",
    },
    "probe": {**JSON, "Cache-Control": "no-store", "Vary": "Accept, Accept-Language, Authorization"},
    "preflight": {
        **DJANGO,
        **CORS,
        "Access-Control-Allow-Headers": "Authorization, Range",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Max-Age": "600",
        "Content-Type": "text/html; charset=utf-8",
        "Vary": "Accept, Accept-Language",
        "X-Content-Type-Options": "nosniff",
    },
    "info.json": {**JSON, "Cache-Control": "public, max-age=60", "Vary": "Accept, Accept-Language"},
    "info.json, missing": {**JSON, "Cache-Control": "no-store", "Vary": "Accept, Accept-Language"},
    "content, refused": REFUSED,
    "content, unknown": UNKNOWN,
    "content, granted": {
        **FRAMED,
        **CORS,
        "Access-Control-Expose-Headers": "Content-Length, Content-Range, ETag",
        "Cache-Control": "private, no-cache",
        "Content-Type": "image/jpeg",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Vary": "Accept-Language",
        "X-Content-Type-Options": "nosniff",
    },
}
UNIMPORTANT = {"Allow", "Content-Language", "Content-Length", "Expires", "Location", "Date"}


def answers(holder: Browser) -> dict:
    stranger, image = Browser(), f"{CHART}/full/max/0/default.jpg"
    return {
        "access page": stranger.get(access("terms")),
        "access page, refused": stranger.get(access("terms", "null")),
        "access page, sign in first": stranger.get(access("login")),
        "click": stranger.click(access("terms")),
        "logout": stranger.get(logout_page("terms")),
        "token": holder.get(token_page("terms"), headers={"origin": web.VIEWER}),
        "probe": stranger.get(probe_of(CHART), headers={"origin": web.VIEWER}),
        "preflight": stranger.options(probe_of(CHART), headers={"origin": web.VIEWER}),
        "info.json": stranger.get(f"{CHART}/info.json"),
        "info.json, missing": stranger.get("/iiif/3/nothing/info.json"),
        "content, refused": stranger.get(image),
        "content, unknown": stranger.get("/iiif/3/unheard-of/full/max/0/default.jpg"),
        "content, granted": holder.get(image),
    }


@pytest.mark.requirement("A2-INT-08")
@pytest.mark.requirement("A2-INT-09")
@pytest.mark.requirement("A2-TOK-12")
@pytest.mark.requirement("A2-TOK-13")
@pytest.mark.requirement("A2-CONT-04")
def test_every_kind_of_answer_carries_exactly_its_headers(site):
    terms, login = web.service("terms"), web.service("login", "login")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    web.restricted("/iiif/3/map", SIGNED_IN, by=(login,))
    holder = Browser()
    holder.click(access("terms"))
    found = {name: headers(response) for name, response in answers(holder).items()}
    assert [name for name in EXPECTED if found[name] != EXPECTED[name]] == []
    assert found == EXPECTED


def headers(response) -> dict[str, str]:
    found = {name: value for name, value in response.headers.items() if name not in UNIMPORTANT}
    if "Vary" in found:
        found["Vary"] = ", ".join(sorted(part.strip().title() for part in found["Vary"].split(",")))
    if "Content-Security-Policy" in found:
        found["Content-Security-Policy"] = re.sub(r"'nonce-[\w-]{22}'", "'nonce-…'", found["Content-Security-Policy"])
    return found


def test_the_access_page_says_where_static_files_are_if_they_are_elsewhere(site):
    site.STATIC_URL = "https://static.example.org/files/"
    web.service("terms")
    policy = Browser().get(access("terms")).headers["Content-Security-Policy"]
    assert "script-src 'self' https://static.example.org; style-src 'self' https://static.example.org;" in policy
