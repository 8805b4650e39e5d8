"""“Signed in on these devices”: people see what they carry, and end it; nobody sees or ends what is others'."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import carried, identify
from iiif_auth.models import Pass, Token
from tests import factories, web
from tests.web import BASE, READING_ROOM, Browser, access, content_status, person, probe_status

PAGE = "/iiif-auth/passes"
CHART, MAP = "/iiif/3/chart", "/iiif/3/map"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


def seated(user, agent: str = FIREFOX, address: str = web.HOME) -> Browser:
    browser = Browser(address, HTTP_USER_AGENT=agent).sign_in(user)
    browser.click(access("login"))
    assert content_status(browser) == 200
    return browser


def shown(browser: Browser) -> str:
    response = browser.get(PAGE)
    assert response.status_code == 200
    text = response.content.decode()
    assert not {"{{", "}}", "{%", "%}"} & set(text.split())
    return text


def number(browser: Browser) -> str:
    return str(Pass.objects.get(digest=identify.digest(browser.access_cookie)).pk)


def test_somebody_sees_their_browsers_with_this_one_marked(login):
    web.reading_room()
    user = person()
    here, there = seated(user), seated(user, IPHONE, READING_ROOM)
    text = shown(here)
    assert "Firefox on Linux" in text
    assert "Safari on iOS" in text
    assert text.count("This browser") == 1
    assert text.index("This browser") < text.index("Safari on iOS")
    assert "Network" in text  # the reading room, by its name
    assert READING_ROOM not in text
    assert "Merehaven Library: login" in text
    assert web.VIEWER in text
    assert text.count(f"{timezone.localtime():%B} {timezone.localtime():%Y}") >= 6
    assert shown(there).index("Safari on iOS") < shown(there).index("Firefox on Linux")


def test_what_was_agreed_to_is_shown_with_its_version(terms):
    _version(terms, 3)
    browser = Browser()
    browser.click(access("terms"))
    text = shown(browser)
    assert "version 3" in text
    assert "Merehaven Library: terms" in text


def _version(terms, which):
    from iiif_auth.models import Terms

    day = timezone.now() - timedelta(days=1)
    Terms.objects.create(service=terms, number=which, heading={"en": ["T"]}, text={"en": ["T"]}, from_day=day)


def test_ending_one_ends_cookie_token_and_nothing_else(login):
    user = person()
    here, there = seated(user), seated(user, IPHONE)
    token = web.token(there, "login")
    response = here.click(PAGE, end=number(there))
    assert "Access has ended in 1 browser" in response.content.decode()
    assert (content_status(here), content_status(there), probe_status(CHART, token)) == (200, 401, 401)
    assert here.access_cookie is not None


def test_ending_all_others_leaves_this_one(login):
    user = person()
    here, *others = seated(user), seated(user, IPHONE), seated(user)
    here.click(PAGE, others="1")
    assert [content_status(one) for one in (here, *others)] == [200, 401, 401]


def test_ending_all_ends_this_one_too_and_takes_its_cookie(login):
    user = person()
    here, there = seated(user), seated(user)
    here.click(PAGE, all="1")
    assert here.access_cookie is None
    assert (content_status(here), content_status(there)) == (401, 401)
    assert not Token.objects.exists()


def test_somebody_who_only_agreed_sees_and_ends_their_own_browser(terms):
    browser, other = Browser(), Browser()
    browser.click(access("terms"))
    other.click(access("terms"))
    text = shown(browser)
    assert text.count("<h2>") == 1
    browser.click(PAGE, end=number(browser))
    assert browser.access_cookie is None
    assert (content_status(browser, MAP), content_status(other, MAP)) == (401, 200)


@pytest.mark.parametrize("how", ["end", "all", "others"])
def test_nobody_ends_what_is_somebody_elses(login, how):
    ada, bob = seated(person("ada")), seated(person("bob"), IPHONE)
    assert "Safari on iOS" not in shown(ada)
    ada.click(PAGE, **{how: number(bob)})
    assert content_status(bob) == 200
    assert Pass.objects.filter(pk=int(number(bob))).exists()


def test_the_test_above_would_find_one_who_looks_at_every_pass(login, monkeypatch):
    ada, bob = seated(person("ada")), seated(person("bob"), IPHONE)
    monkeypatch.setattr(carried, "own", lambda request, at: carried.live(at).order_by("-seen"))
    assert "Safari on iOS" in shown(ada)
    ada.click(PAGE, end=number(bob))
    assert content_status(bob) == 401


def test_a_cookie_alone_lets_nobody_look_at_the_persons_other_browsers(login):
    user = person()
    here, there = seated(user), seated(user, IPHONE)
    thief = Browser()
    thief.cookies[identify.COOKIE] = here.access_cookie
    text = shown(thief)
    assert "Safari on iOS" not in text
    assert user.get_username() not in text
    thief.click(PAGE, all="1")
    assert content_status(there) == 200


def test_the_name_of_who_sat_here_before_is_not_told(login, terms):
    """The session is Bob's; the pass that is left in the browser is not."""
    ada = seated(person("ada"))
    bob = Browser().sign_in(person("bob"))
    bob.cookies[identify.COOKIE] = ada.access_cookie
    text = shown(bob)
    assert "somebody who signed in here before" in text
    assert ">ada<" not in text


def test_whoever_carries_nothing_is_told_so(site):
    text = shown(Browser())
    assert "no restricted items" in text
    assert "<form" not in text


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_the_page_ends_nothing(login, method):
    user = person()
    here, there = seated(user), seated(user)
    getattr(here, method)(PAGE, {"all": "1", "end": number(there), "others": "1"})
    assert (content_status(here), content_status(there)) == (200, 200)


def test_a_post_without_the_pages_own_secret_ends_nothing(login):
    user = person()
    here, there = seated(user), seated(user)
    for headers in ({"origin": "https://evil.example"}, {"origin": BASE}):
        assert here.post(PAGE, {"all": "1"}, headers=headers).status_code == 403
    assert (content_status(here), content_status(there)) == (200, 200)


@pytest.mark.parametrize("sent", ["", "0", "-1", "9" * 40, "１", "1 OR 1=1", "null"])
def test_what_is_no_pass_of_ones_own_ends_nothing_and_is_no_error(login, sent):
    here = seated(person())
    response = here.click(PAGE, end=sent)
    assert response.status_code == 200
    assert "Nothing was ended" in response.content.decode()
    assert content_status(here) == 200


def test_the_page_is_framed_by_nobody_and_kept_by_nobody(login):
    response = seated(person()).get(PAGE)
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "no-store" in response.headers["Cache-Control"]


def test_the_page_takes_as_many_questions_for_a_hundred_browsers_as_for_two(login, django_assert_max_num_queries):
    user = person()
    here = seated(user)
    mark = Pass.objects.get().credential
    for _ in range(120):
        row = factories.PassFactory(user=user, credential=mark, digest=identify.digest(identify.new_secret()))
        factories.AgreementFactory(holder=row, service=login)
    with django_assert_max_num_queries(9):
        text = shown(here)
    assert "There are more" in text
    here.click(PAGE, all="1")
    assert not Pass.objects.exists()


def test_what_has_run_out_is_not_shown(login):
    user = person()
    here, there = seated(user), seated(user, IPHONE)
    Pass.objects.filter(pk=int(number(there))).update(idle_until=timezone.now())
    assert "Safari on iOS" not in shown(here)
