"""Pictures from another host of the library's: cookies that go along to a whole domain, and only if the settings say so."""

from __future__ import annotations

import pytest

from iiif_auth import identify
from tests import factories, web
from tests.http.test_devices import at, device, enrolled
from tests.web import Browser, access, content_status, logout_page, person

DOMAIN = "example.org"
ACCESS, TWIN, MACHINE = "__Secure-iiif_access", "__Secure-iiif_twin", "__Secure-iiif_device"
CHART = "/iiif/3/chart"


@pytest.fixture
def login(site, login):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "COOKIE_DOMAIN": DOMAIN}
    return login


@pytest.fixture
def reader(login):
    return web.signed_in_reader()


def attributes(morsel):
    return morsel["domain"], morsel["path"], morsel["secure"], morsel["httponly"], morsel["samesite"]


WHOLE = (DOMAIN, "/", True, True, "None")


def test_without_the_setting_every_cookie_stays_with_its_host(site):
    web.service("terms")
    morsel = Browser().click(access("terms")).cookies[identify.COOKIE]
    assert identify.named(identify.COOKIE) == identify.COOKIE == "__Host-iiif_access"
    assert attributes(morsel) == ("", "/", True, True, "None")


@pytest.mark.parametrize("given", ["example.org", ".example.org", " Example.ORG "])
def test_the_access_cookie_goes_along_to_the_domain_and_is_taken_away_there(login, site, given):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "COOKIE_DOMAIN": given}
    browser = Browser().sign_in(person())
    cookies = browser.click(access("login")).cookies
    assert attributes(cookies[ACCESS]) == WHOLE
    assert content_status(browser) == 200
    taken = browser.get(logout_page("login")).cookies[ACCESS]
    assert (attributes(taken), taken.value, taken["max-age"]) == (WHOLE, "", 0)
    assert content_status(browser) == 401


def test_the_twin_goes_along_to_the_domain_too(reader):
    response = reader.get(web.token_page("login"))
    assert attributes(response.cookies[TWIN]) == WHOLE
    assert response.cookies[TWIN]["partitioned"]
    framed = Browser()
    framed.cookies[TWIN] = reader.twin
    assert content_status(framed) == 200
    assert web.token(framed, "login")
    assert TWIN not in framed.get(web.token_page("login")).cookies


def test_an_enrolled_machine_is_known_by_the_domains_cookie(login):
    room = factories.NetworkFactory(prefixes=["10.9.9.0/24"])
    web.picture("map", at(room))
    machine = enrolled(device(room))
    assert attributes(machine.cookies[MACHINE]) == WHOLE
    assert content_status(machine, "/iiif/3/map") == 200
    del machine.cookies[MACHINE]
    assert content_status(machine, "/iiif/3/map") == 403


@pytest.mark.parametrize("name", [identify.COOKIE, identify.TWIN])
def test_a_cookie_from_before_the_setting_opens_nothing(reader, name):
    web.token(reader, "login")
    one = Browser()
    one.cookies[name] = reader.access_cookie if name == identify.COOKIE else reader.twin
    assert content_status(one) == 401


def test_what_another_host_of_the_domain_sets_besides_is_none(reader):
    """Any host there can set a cookie of this name, and the browser sends both: neither counts (security K9)."""
    good, other = reader.access_cookie, identify.new_secret()
    for line in (
        f"{ACCESS}={good}; {ACCESS}={other}",
        f"{ACCESS}={other}; {ACCESS}={good}",
        f"{ACCESS}={good}; {ACCESS} =x",
    ):
        assert content_status(Browser(HTTP_COOKIE=line)) == 401, line
    assert content_status(Browser(HTTP_COOKIE=f"{ACCESS}={good}; {identify.COOKIE}={other}")) == 200


def test_a_planted_cookie_is_not_the_one_that_somebody_goes_on_with(login):
    """Whoever planted their own pass there does not share in what is agreed to afterwards (security K1)."""
    planter, browser = Browser(), Browser().sign_in(person())
    planter.click(access("login"))
    browser.cookies[ACCESS] = planter.access_cookie or identify.new_secret()
    planted = browser.access_cookie
    browser.click(access("login"))
    assert browser.access_cookie != planted
    thief = Browser()
    thief.cookies[ACCESS] = planted
    assert content_status(thief) == 401


def first_wins(request, name):
    return request.COOKIES.get(name) or None


@pytest.mark.parametrize(
    ("what", "broken", "test"),
    [
        ("_sent_alone", first_wins, test_what_another_host_of_the_domain_sets_besides_is_none),
        ("named", lambda cookie: cookie, test_the_twin_goes_along_to_the_domain_too),
    ],
)
def test_what_is_broken_on_purpose_is_noticed(reader, monkeypatch, what, broken, test):
    monkeypatch.setattr(identify, what, broken)
    with pytest.raises((AssertionError, KeyError)):
        test(reader)
