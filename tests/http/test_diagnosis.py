"""The page of diagnosis: what the server tells of one request, what its two cookies are, and that nothing is kept or opened."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse

from iiif_auth import checks, identify
from iiif_auth.http import diagnosis
from iiif_auth.models import Pass
from tests import web
from tests.web import BASE, HOME, HOST, READING_ROOM, Browser

pytestmark = pytest.mark.usefixtures("site")
PAGE, FRAME, SEEN, WINDOW = (reverse(f"iiif_auth:diagnosis{rest}") for rest in ("", "-frame", "-seen", "-window"))
FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


def words(response) -> str:
    """What is to be read without JavaScript."""
    shown = re.sub(r"<(\w+)[^>]* hidden>.*?</\1>", " ", response.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)).replace("&#x27;", "'")


def report(response) -> str:
    return re.search(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), re.DOTALL)[1]


def test_it_says_where_one_is_and_that_nobody_is_signed_in():
    said = words(Browser().get(PAGE))
    assert HOME in said
    assert "At none of the library's places." in said
    assert "No. Viewers send you here to sign in" in said
    assert "None at present in this browser." in said


def test_it_names_the_place_one_is_at():
    network = web.reading_room()
    web.restricted("/iiif/3/chart", web.at(network))
    assert network.name in words(Browser(address=READING_ROOM).get(PAGE))
    assert network.name not in words(Browser().get(PAGE))


def test_it_says_so_where_the_address_can_not_be_told(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 2}
    assert "It can not be told for certain." in words(Browser().get(PAGE))


def test_it_names_who_is_signed_in_but_not_in_the_text_for_others():
    browser = Browser()
    browser.sign_in(web.person("margaret"))
    response = browser.get(PAGE)
    assert "As margaret." in words(response).replace("</textarea>", "")
    assert "margaret" not in report(response)
    assert "Signed in: yes" in report(response)


def test_it_names_the_services_one_has_gone_through_and_says_when_access_has_ended():
    row = web.service("terms", label={"en": ["Terms of the donor"]})
    web.restricted("/iiif/3/chart", web.agreed(row), by=(row,))
    browser = Browser()
    browser.click(web.access("terms"))
    assert "Terms of the donor" in words(browser.get(PAGE))
    Pass.objects.all().delete()
    said = words(browser.get(PAGE))
    assert "Terms of the donor" not in said
    assert "It was ended, here or by the library." in said


def test_without_a_script_the_cookie_is_looked_for_on_the_second_load():
    browser = Browser()
    assert "Look whether it is kept" in words(browser.get(PAGE))
    assert "Kept." in words(browser.get(f"{PAGE}?again=1"))
    assert "Not kept." in words(Browser().get(f"{PAGE}?again=1"))
    assert "Look whether it is kept" not in words(Browser().get(f"{PAGE}?again=1"))


def test_one_cookie_crosses_sites_and_the_other_is_partitioned():
    page, frame = Browser().get(PAGE), Browser().get(FRAME, headers=FRAMED)
    plain, partitioned = page.cookies[diagnosis.COOKIE].OutputString(), frame.cookies[diagnosis.TWIN].OutputString()
    for cookie in (plain, partitioned):
        assert {"HttpOnly", "Secure", "SameSite=None", "Path=/", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Partitioned" in partitioned.split("; ")
    assert "Partitioned" not in plain
    assert set(page.cookies) == {diagnosis.COOKIE}
    assert set(frame.cookies) == {diagnosis.TWIN}


def test_what_came_along_is_told_to_our_own_script_only():
    browser = Browser()
    assert browser.get(SEEN).json().items() >= {"cookie": False, "partitioned": False, "storageAccess": ""}.items()
    browser.get(PAGE)
    answer = browser.get(SEEN, headers={"Sec-Fetch-Storage-Access": "active"})
    assert answer.json().items() >= {"cookie": True, "partitioned": False, "storageAccess": "active"}.items()
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("address", [PAGE, WINDOW])
def test_pages_of_ours_are_not_framed_and_keep_their_opener(address: str):
    answer = Browser().get(address)
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_the_frame_can_be_framed_and_has_nothing_to_click_that_does_anything():
    answer = Browser().get(FRAME, headers=FRAMED)
    assert "X-Frame-Options" not in answer.headers
    assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]
    assert not re.findall(r"<(form|button|input|a )", answer.content.decode())


@pytest.mark.parametrize("address", [PAGE, WINDOW, FRAME, SEEN])
def test_nothing_is_kept_and_nothing_can_be_sent(address: str):
    browser = Browser()
    browser.get(address)
    assert (Pass.objects.count(), Session.objects.count()) == (0, 0)
    assert browser.post(address).status_code == 403  # for want of a token, which no form here has
    assert Client(HTTP_HOST=HOST).post(address, secure=True).status_code == 405


def test_no_page_says_what_a_cookie_holds():
    row = web.service("terms")
    web.restricted("/iiif/3/chart", web.agreed(row), by=(row,))
    browser = Browser()
    browser.click(web.access("terms"))
    secret = browser.cookies[identify.COOKIE].value
    assert secret
    assert all(secret not in browser.get(address).content.decode() for address in (PAGE, FRAME, SEEN))


def test_a_test_viewer_is_offered_where_there_is_one(settings):
    assert "the library has set up no test viewer there" in words(Browser().get(PAGE))
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "DIAGNOSIS_VIEWER": "https://other.example.net/look"}
    answer = Browser().get(PAGE).content.decode()
    assert f'href="https://other.example.net/look?frame={BASE}{FRAME}"' in answer


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", []),
        ("https://other.example.net/look", []),
        (f"{BASE}/look", ["DIAGNOSIS_VIEWER is on this site."]),
        ("other.example.net", ["DIAGNOSIS_VIEWER 'other.example.net' is no address."]),
    ],
)
def test_a_test_viewer_must_be_an_address_on_another_site(settings, address: str, found: list[str]):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "DIAGNOSIS_VIEWER": address}
    assert [message.msg for message in checks.diagnosis()] == found


def test_the_pages_around_a_refusal_lead_here():
    row = web.service("terms")
    web.restricted("/iiif/3/chart", web.agreed(row), by=(row,))
    browser = Browser()
    done = browser.click(web.access("terms"))
    assert f'href="{PAGE}"' in done.content.decode()


def test_it_costs_the_queries_of_a_pass_and_no_more(django_assert_max_num_queries):
    row = web.service("terms")
    web.restricted("/iiif/3/chart", web.agreed(row), by=(row,))
    browser = Browser()
    browser.click(web.access("terms"))
    browser.get(PAGE)
    with django_assert_max_num_queries(5):
        browser.get(PAGE)


def test_a_look_needs_no_browser():
    request = RequestFactory().get(PAGE, REMOTE_ADDR=HOME)
    assert diagnosis.look(request) == diagnosis.Look(None, HOME, (), "", identify.Standing.ABSENT, ())
