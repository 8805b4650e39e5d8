"""Which language a page is in: what the address says, then what was chosen here before, then the browser."""

from __future__ import annotations

import re

import pytest
from django.test import RequestFactory

from iiif_auth.http import reading
from tests import web
from tests.web import VIEWER, Browser, access

pytestmark = pytest.mark.usefixtures("site")

BUTTON = {"en": "Cancel", "de": "Abbrechen", "fr": "Annuler"}


@pytest.fixture
def terms():
    return web.service(
        "terms", label={"en": ["Merehaven Library"], "de": ["Bibliothek Merehaven"], "gd": ["Leabharlann"]}
    )


def page(address: str, accept: str = "", cookie: str = "", **more: str):
    browser = Browser()
    if cookie:
        browser.cookies["django_language"] = cookie
    return browser.get(address, headers={"accept-language": accept, **more} if accept else more)


def language(response) -> str:
    found = re.search(r'<html lang="([a-z-]+)" dir="(ltr|rtl)">', response.content.decode())
    assert found is not None
    assert response.headers["Content-Language"] == found[1]
    assert "Accept-Language" in response.headers["Vary"]
    return found[1]


@pytest.mark.parametrize(
    ("query", "accept", "cookie", "expected"),
    [
        ("", "", "", "en"),
        ("", "de-AT, en;q=0.5", "", "de"),
        ("", "xx, fr;q=0.5", "", "fr"),
        ("", "xx", "", "en"),
        ("", "de", "fr", "fr"),
        ("", "de", "xx", "de"),
        ("&lang=de", "fr", "", "de"),
        ("&lang=de", "fr", "fr", "de"),
        ("&lang=de-CH", "", "", "de"),
        ("&lang=DE", "", "", "de"),
        ("&lang=xx", "fr", "", "fr"),
        ("&lang=xx", "", "", "en"),
        ("&lang=", "fr", "", "fr"),
        ("&ui_locales=fr-CA+fr+en", "de", "", "fr"),
        ("&ui_locales=xx+de", "", "", "de"),
        ("&lang=en", "de", "de", "en"),
        ("&lang=%22%3E%3Cscript%3E", "de", "", "de"),
        ("&lang=" + "de-" * 2000, "", "", "en"),
        ("&lang=../../etc/passwd%00", "", "", "en"),
    ],
)
def test_the_address_decides_then_the_choice_made_here_then_the_browser(terms, query, accept, cookie, expected):
    response = page(access("terms", VIEWER) + query, accept, cookie)
    assert language(response) == expected
    assert f">{BUTTON[expected]}</button>" in response.content.decode()


def test_texts_of_the_library_come_in_the_language_asked_for_even_if_the_page_can_not(terms):
    """Scottish Gaelic is a language of the library's texts, not of this site's pages."""
    shown = page(access("terms", VIEWER) + "&lang=gd", "de").content.decode()
    assert "Leabharlann" in shown
    assert ">Abbrechen</button>" in shown


def test_texts_follow_the_language_chosen_here_before_the_browser(terms):
    assert "Bibliothek Merehaven" in page(access("terms", VIEWER), "en", cookie="de").content.decode()


@pytest.mark.parametrize("given", [{}, {"django_language": "xx"}])
def test_a_host_without_the_middleware_of_languages_has_them_all_the_same(terms, settings, given):
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "anguage" not in one]
    browser = Browser()
    browser.cookies.load(given)
    assert language(browser.get(access("terms", VIEWER), headers={"accept-language": "fr"})) == "fr"
    assert language(browser.get(access("terms", VIEWER) + "&lang=de", headers={"accept-language": "fr"})) == "de"


def test_the_language_of_one_page_is_not_left_behind_for_the_next(terms):
    assert language(page(access("terms", VIEWER) + "&lang=de")) == "de"
    assert language(page(access("terms", VIEWER))) == "en"


@pytest.mark.parametrize("path", ["2/access/none-such", "refused/none-such", "asked/none-such"])
def test_refusals_speak_the_language_too(path):
    response = page(f"/iiif-auth/{path}?lang=fr")
    assert language(response) == "fr"
    assert response.status_code in (404, 200)


def test_the_way_to_the_login_page_takes_the_language_along():
    web.service("login", pattern="login")
    away = page(access("login", VIEWER) + "&lang=de").headers["Location"]
    assert away.endswith("&lang=de")
    assert "lang%3Dde" in away
    assert "lang=" not in page(access("login", VIEWER)).headers["Location"].partition("?")[2]


# -- The menu --------------------------------------------------------------------------------------------------------


def menu(response) -> list[tuple[str, str]]:
    return re.findall(r'<li><a href="([^"]*)" lang="([a-z]+)"', response.content.decode())


def test_the_menu_leads_to_the_same_page_in_every_language(terms):
    response = page(access("terms", VIEWER) + "&lang=de&ui_locales=fr")
    assert [code for _address, code in menu(response)] == ["en", "de", "fr", "es", "cy"]
    for address, code in menu(response):
        assert address.startswith("?origin=")
        assert address.endswith(f"lang={code}")
        assert address.count("lang") == 1
    assert (
        '<a href="' + menu(response)[1][0] + '" lang="de" hreflang="de" aria-current="true">Deutsch</a>'
        in response.content.decode()
    )


def test_there_is_no_menu_where_something_typed_would_be_lost(terms):
    browser = Browser()
    assert menu(browser.post(access("terms", VIEWER), {"version": "7"})) == []


def test_there_is_no_menu_where_the_host_chose_no_languages(terms, settings):
    from django.conf import global_settings

    settings.LANGUAGES = global_settings.LANGUAGES
    assert menu(page(access("terms", VIEWER))) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lang=de", ("de",)),
        ("lang=de&ui_locales=fr+cy", ("de", "fr", "cy")),
        ("lang=%00", ()),
        ("lang=" + "a+" * 99, ()),
    ],
)
def test_only_language_tags_are_read_from_the_address(query, expected):
    assert reading.asked_for(RequestFactory().get(f"/?{query}")) == expected


def test_a_long_list_of_languages_is_cut_short():
    request = RequestFactory().get("/", {"ui_locales": " ".join(["de"] * 60)})
    assert len(reading.asked_for(request)) == reading.MOST_TAGS
