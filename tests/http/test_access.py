"""The access service: pages, clicks and the cookie they give (section 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import Agreement, Pass, Token
from tests import factories, web
from tests.web import HOME, OTHER_VIEWER, READING_ROOM, VIEWER, Browser, access, content_status, person, probe_status

CHART = "/iiif/3/chart"


@pytest.fixture
def terms(site):
    terms = web.service("terms")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    return terms


@pytest.fixture
def login(site):
    login = web.service("login", "login")
    web.restricted(CHART, web.SIGNED_IN, by=(login,))
    return login


@pytest.fixture
def kiosk(site):
    kiosk = web.service("kiosk", "kiosk")
    web.restricted(CHART, web.at(web.reading_room()), by=(kiosk,))
    return kiosk


def grants_nothing(response) -> bool:
    return identify.COOKIE not in response.cookies and not Pass.objects.exists() and not Agreement.objects.exists()


# -- The page and the click ---------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-INT-01")
def test_the_page_takes_an_origin_and_ignores_everything_else(terms):
    response = Browser().get(f"{access('terms')}&t=1&callback=x&format=api")
    assert response.status_code == 200
    assert VIEWER in response.content.decode()


@pytest.mark.requirement("A2-INT-04")
def test_looking_at_the_page_grants_nothing_however_often(terms):
    browser = Browser()
    for _ in range(3):
        response = browser.get(access("terms"))
        assert response.status_code == 200
        assert b"<form" in response.content
        assert b"data-close-now" not in response.content
        assert grants_nothing(response)
    assert content_status(browser) == 401


@pytest.mark.requirement("A2-INT-04")
def test_a_click_grants_and_closes(terms):
    browser = Browser()
    response = browser.click(access("terms"))
    assert response.status_code == 200
    assert b"data-close-now" in response.content
    assert content_status(browser) == 200
    assert probe_status(CHART, web.token(browser, "terms")) == 200


@pytest.mark.requirement("A2-INT-03")
def test_the_last_page_brings_the_script_that_closes_it(terms):
    response = Browser().click(access("terms"))
    assert b"iiif_auth/pages.js" in response.content
    assert b"data-close-now" in response.content


@pytest.mark.requirement("A2-INT-04")
def test_somebody_already_signed_in_still_has_to_click(login):
    browser = Browser().sign_in(person())
    response = browser.get(access("login"))
    assert response.status_code == 200
    assert b"<form" in response.content
    assert grants_nothing(response)
    assert content_status(browser) == 401
    assert browser.click(access("login")).status_code == 200
    assert content_status(browser) == 200


@pytest.mark.requirement("A2-INT-04")
def test_a_browser_with_a_pass_still_has_to_click_for_another_viewer(terms):
    browser = Browser()
    browser.click(access("terms"))
    before = browser.access_cookie
    response = browser.get(access("terms", OTHER_VIEWER))
    assert identify.COOKIE not in response.cookies
    assert browser.access_cookie == before
    assert web.problem(browser, "terms", OTHER_VIEWER) == "invalidOrigin"


@pytest.mark.requirement("A2-INT-05")
def test_even_a_viewer_on_the_librarys_own_site_is_confirmed_by_a_click(terms):
    """The specification would let us skip the click there; we never do, and so nothing depends on comparing origins."""
    browser = Browser()
    assert grants_nothing(browser.get(access("terms", web.BASE)))
    browser.click(access("terms", web.BASE))
    assert probe_status(CHART, web.token(browser, "terms", web.BASE)) == 200


def test_head_grants_nothing(terms, kiosk_at_hand):
    for slug in ("terms", "kiosk-2"):
        response = Browser(READING_ROOM).head(access(slug))
        assert grants_nothing(response)


@pytest.fixture
def kiosk_at_hand(site):
    kiosk = web.service("kiosk-2", "kiosk")
    web.restricted("/iiif/3/map", web.at(web.reading_room()), by=(kiosk,))
    return kiosk


@pytest.mark.requirement("A2-INT-09")
def test_a_click_that_comes_from_another_site_is_refused(terms):
    browser = Browser()
    page = browser.get(access("terms"))
    fields = web.Form(page.content.decode()).fields
    response = browser.post(access("terms"), fields, headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    assert grants_nothing(response)


@pytest.mark.requirement("A2-INT-09")
def test_a_click_without_the_token_of_the_page_is_refused(terms):
    browser = Browser()
    browser.get(access("terms"))
    response = browser.post(access("terms"), {}, headers={"origin": web.BASE})
    assert response.status_code == 403
    assert grants_nothing(response)


@pytest.mark.requirement("A2-INT-09")
def test_the_pages_can_not_be_framed(terms):
    browser = Browser()
    for response in (browser.get(access("terms")), browser.click(access("terms"))):
        assert response.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(terms, method):
    response = getattr(Browser(), method)(access("terms"))
    assert response.status_code in (403, 405)
    assert grants_nothing(response)


def test_an_unknown_service_is_said_to_be_unknown(site):
    response = Browser().get(access("nonsense"))
    assert response.status_code == 404
    assert "There is no such service" in response.content.decode()


@pytest.mark.requirement("A2-INT-06")
def test_where_an_address_counts_there_is_nothing_to_do_and_no_cookie(site):
    external = web.service("campus", "external", label={"en": ["Campus network"]})
    web.restricted(CHART, web.at(web.reading_room()), by=(external,))
    for slug in ("campus", "ambient"):
        response = Browser(READING_ROOM).get(access(slug))
        assert response.status_code == 200
        assert grants_nothing(response)
        assert b"<form" not in response.content


# -- The cookie ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-CONT-05")
def test_the_cookie_is_bound_to_this_site_and_sent_to_it_from_every_other(terms):
    response = Browser().click(access("terms"))
    (line,) = [text for text in response.cookies.output(header="").splitlines() if "__Host-" in text]
    name, _, rest = line.strip().partition("=")
    secret, *attributes = rest.split("; ")
    assert name == "__Host-iiif_access"
    assert identify.SECRET.fullmatch(secret)
    assert {attribute.partition("=")[0].lower() for attribute in attributes} == {
        "expires",
        "httponly",
        "max-age",
        "path",
        "samesite",
        "secure",
    }
    assert {"HttpOnly", "Secure", "SameSite=None", "Path=/", "Max-Age=43200"} <= set(attributes)


@pytest.mark.requirement("A2-TOK-09")
def test_neither_the_secret_nor_the_token_is_kept(terms):
    browser = Browser()
    browser.click(access("terms"))
    secret, token = browser.access_cookie, web.token(browser, "terms")
    kept = [str(value) for rows in (Pass, Token) for row in rows.objects.values() for value in row.values()]
    assert not [text for text in kept if secret in text or token in text]
    assert Pass.objects.get().digest == identify.digest(secret)
    assert Token.objects.get().digest == identify.digest(token)
    assert token != secret


def test_each_click_gives_the_cookie_a_new_value_and_ends_the_old_one(terms):
    browser, thief = Browser(), Browser()
    browser.click(access("terms"))
    thief.cookies[identify.COOKIE] = browser.access_cookie
    assert content_status(thief) == 200
    browser.click(access("terms"))
    assert browser.access_cookie != thief.access_cookie
    assert content_status(browser) == 200
    assert content_status(thief) == 401
    assert web.problem(thief, "terms") == "invalidAspect"


def test_a_planted_cookie_is_never_adopted(terms):
    browser = Browser()
    planted = identify.new_secret()
    browser.cookies[identify.COOKIE] = planted
    browser.click(access("terms"))
    assert browser.access_cookie != planted
    assert not Pass.objects.filter(digest=identify.digest(planted)).exists()


def test_the_pages_are_not_stored_anywhere(terms):
    browser = Browser()
    for response in (browser.get(access("terms")), browser.click(access("terms")), browser.get(access("nonsense"))):
        assert "no-store" in response.headers["Cache-Control"]


# -- Sign in ------------------------------------------------------------------------------------------------------


def test_signing_in_leads_through_the_hosts_own_page_and_back_with_the_origin(login):
    person("ada")
    browser = Browser()
    response = browser.get(access("login"))
    assert response.status_code == 302
    assert response.headers["Location"] == (
        "/accounts/login/?next=%2Fiiif-auth%2F2%2Faccess%2Flogin%3Forigin%3Dhttps%3A%2F%2Fviewer.example.com"
    )
    assert grants_nothing(response)
    back = browser.click(response.headers["Location"], username="ada", password="secret")
    assert back.status_code == 302
    assert back.headers["Location"] == access("login")
    assert content_status(browser) == 401
    browser.click(back.headers["Location"])
    assert content_status(browser) == 200
    assert probe_status(CHART, web.token(browser, "login")) == 200


def test_a_click_by_somebody_not_signed_in_grants_nothing(login, terms_too):
    browser = Browser()
    fields = web.Form(browser.get(access("terms")).content.decode()).fields
    response = browser.post(access("login"), fields, headers={"origin": web.BASE})
    assert response.status_code == 302
    assert grants_nothing(response)


@pytest.fixture
def terms_too(site):
    return web.service("terms")


def test_not_you_signs_out_ends_the_pass_and_asks_for_somebody_else(login):
    ada, bob = person("ada"), person("bob")
    browser = Browser().sign_in(ada)
    browser.click(access("login"))
    token = web.token(browser, "login")
    response = browser.click(access("login"), switch="1")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/?next=")
    assert "_auth_user_id" not in browser.session
    assert not Pass.objects.exists()
    assert content_status(browser) == 401
    assert probe_status(CHART, token) == 401
    browser.sign_in(bob).click(access("login"))
    assert Pass.objects.get().user == bob


def test_somebody_else_at_the_same_browser_inherits_nothing(site):
    terms, login = web.service("terms"), web.service("login", "login")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    browser = Browser().sign_in(person("ada"))
    browser.click(access("login"))
    browser.click(access("terms"))
    assert content_status(browser) == 200
    browser.sign_in(person("bob"))
    browser.click(access("login"))
    assert content_status(browser) == 401
    assert set(Agreement.objects.values_list("service__slug", flat=True)) == {login.slug}


def test_what_was_agreed_to_before_signing_in_stays(site):
    terms = web.service("terms")
    web.service("login", "login")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    browser = Browser()
    browser.click(access("terms"))
    browser.sign_in(person("ada"))
    browser.click(access("login"))
    assert content_status(browser) == 200


# -- Kiosks -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-INT-07")
def test_a_kiosk_lets_in_whoever_is_there_at_once_and_closes(kiosk):
    browser = Browser(READING_ROOM)
    response = browser.get(access("kiosk"), headers={"sec-fetch-dest": "document"})
    assert response.status_code == 200
    assert identify.COOKIE in response.cookies
    assert b"data-close-now" in response.content
    assert b"<form" not in response.content
    assert web.token(browser, "kiosk")


@pytest.mark.requirement("A2-INT-07")
def test_a_kiosk_lets_in_nobody_from_elsewhere(kiosk):
    response = Browser(HOME).get(access("kiosk"))
    assert response.status_code == 403
    assert grants_nothing(response)


def test_a_kiosk_that_no_tier_ties_to_a_place_lets_in_nobody(site):
    kiosk = web.service("kiosk", "kiosk")
    web.restricted(CHART, web.agreed(kiosk), by=(kiosk,))
    response = Browser(READING_ROOM).get(access("kiosk"))
    assert response.status_code == 403
    assert grants_nothing(response)


def test_a_picture_on_somebodys_page_does_not_open_a_kiosk_nor_end_a_pass(kiosk, terms_too):
    browser = Browser(READING_ROOM)
    browser.click(access("terms"))
    before = browser.access_cookie
    response = browser.get(access("kiosk"), headers={"sec-fetch-dest": "image"})
    assert response.status_code == 403
    assert browser.access_cookie == before
    assert Pass.objects.get().digest == identify.digest(before)


def test_a_pass_from_a_kiosk_is_worth_nothing_elsewhere(kiosk):
    """The picture obeys the place; the pass only lets the viewer ask."""
    browser = Browser(READING_ROOM)
    browser.get(access("kiosk"))
    token = web.token(browser, "kiosk")
    assert (content_status(browser), probe_status(CHART, token, READING_ROOM)) == (200, 200)
    gone = Browser(HOME)
    gone.cookies[identify.COOKIE] = browser.access_cookie
    assert (content_status(gone), probe_status(CHART, token, HOME)) == (403, 403)


# -- Viewers ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-INT-02")
def test_only_the_viewer_that_was_confirmed_is_told(terms):
    browser = Browser()
    browser.click(access("terms"))
    assert web.token(browser, "terms", VIEWER)
    assert web.problem(browser, "terms", OTHER_VIEWER) == "invalidOrigin"
    browser.click(access("terms", OTHER_VIEWER))
    assert web.token(browser, "terms", VIEWER)
    assert web.token(browser, "terms", OTHER_VIEWER)


def test_a_viewer_that_does_not_say_who_it_is_gets_a_page_but_no_token(terms):
    browser = Browser()
    response = browser.get(access("terms", ""))
    assert response.status_code == 200
    assert "did not say who it is" in response.content.decode()
    browser.click(access("terms", ""))
    assert content_status(browser) == 200
    assert web.problem(browser, "terms") == "invalidOrigin"


@pytest.mark.requirement("A2-TOK-11")
@pytest.mark.parametrize(
    ("rule", "origins", "listed", "unlisted"),
    [
        ("open", [], None, None),
        ("listed", [VIEWER], None, "invalidOrigin"),
        ("listed", [], "invalidOrigin", "invalidOrigin"),
        ("confirmed", [], "invalidOrigin", "invalidOrigin"),
        ("confirmed", [VIEWER], "invalidOrigin", "invalidOrigin"),
    ],
)
def test_each_service_says_which_viewers_are_told(site, rule, origins, listed, unlisted):
    """The person confirmed the library's own viewer, and no other."""
    terms = web.service("terms", origin_rule=rule, origins=[*origins, web.BASE] if rule == "listed" else origins)
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    browser = Browser()
    browser.click(access("terms", web.BASE))
    for origin, expected in ((VIEWER, listed), (OTHER_VIEWER, unlisted)):
        assert web.message(browser, "terms", origin).get("profile") == expected


def test_a_viewer_that_is_not_listed_does_not_even_get_the_page(site):
    web.service("terms", origin_rule="listed", origins=[VIEWER])
    browser = Browser()
    assert browser.get(access("terms", VIEWER)).status_code == 200
    response = browser.get(access("terms", OTHER_VIEWER))
    assert response.status_code == 403
    assert b"<form" not in response.content
    fields = web.Form(browser.get(access("terms", VIEWER)).content.decode()).fields
    assert grants_nothing(browser.post(access("terms", OTHER_VIEWER), fields, headers={"origin": web.BASE}))


@pytest.mark.parametrize(
    "query",
    [
        "origin=null",
        "origin=",
        "origin=*",
        f"origin={VIEWER}&origin={VIEWER}",
        "origin=%00",
        "origin=%ff%fe",
        "origin=%0a",
    ],
)
def test_a_viewer_that_names_itself_badly_is_refused_and_so_is_the_click(terms, query):
    browser = Browser()
    url = f"{web.path(web.links().access('terms'))}?{query}"
    response = browser.get(url)
    assert response.status_code == 400
    assert b"<form" not in response.content
    fields = web.Form(browser.get(access("terms")).content.decode()).fields
    response = browser.post(url, fields, headers={"origin": web.BASE})
    assert response.status_code == 400
    assert grants_nothing(response)


def test_two_services_for_two_things_are_kept_apart(site):
    first, second = web.service("first"), web.service("second")
    web.restricted(CHART, web.agreed(first), by=(first,))
    web.restricted("/iiif/3/map", web.agreed(second), by=(second,))
    browser = Browser()
    browser.click(access("first"))
    assert (content_status(browser, CHART), content_status(browser, "/iiif/3/map")) == (200, 401)
    assert web.problem(browser, "second") == "missingAspect"
    browser.click(access("second"))
    assert (content_status(browser, CHART), content_status(browser, "/iiif/3/map")) == (200, 200)


# -- Text ---------------------------------------------------------------------------------------------------------


def test_the_page_speaks_the_language_of_its_reader(site):
    web.service("terms", label={"en": ["Merehaven Library"], "de": ["Bibliothek Merehaven"]})
    for language, label in (("de-CH,de;q=0.9", "Bibliothek Merehaven"), ("cy", "Merehaven Library")):
        response = Browser().get(access("terms"), headers={"accept-language": language})
        assert label in response.content.decode()


@pytest.mark.parametrize(
    "languages", ["x" * 20_000, "en," * 20_000, "*", "en;q=nan", "en;q=2", "\x00", "é", ";;;,,,", "i-klingon"]
)
def test_no_wish_for_a_language_is_an_error(site, languages):
    web.service("terms")
    response = Browser().get(access("terms"), headers={"accept-language": languages})
    assert response.status_code == 200
    assert "Merehaven Library: terms" in response.content.decode()


def test_texts_are_never_markup(site):
    evil = "<script>alert(1)</script>{{ 7|add:7 }}{% now 'Y' %}%s"
    texts = {name: {"en": [evil]} for name in ("label", "heading", "note", "confirm_label")}
    web.service("terms", **texts)
    html = Browser().get(access("terms")).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:7 }}{% now &#x27;Y&#x27; %}%s" in html


# -- Lives --------------------------------------------------------------------------------------------------------


def age(**values: timedelta) -> None:
    """Let time pass for the one pass there is."""
    row = Pass.objects.get()
    for name, delta in values.items():
        setattr(row, name, timezone.now() + delta)
    row.save()


@pytest.mark.requirement("A2-TOK-08")
@pytest.mark.parametrize("life", ["idle_until", "ends"])
def test_a_pass_that_has_run_out_is_expired_at_every_door(terms, life):
    browser = Browser()
    browser.click(access("terms"))
    token = web.token(browser, "terms")
    age(**{life: timedelta(seconds=-1)})
    assert content_status(browser) == 401
    assert probe_status(CHART, token) == 401
    assert web.problem(browser, "terms") == "expiredAspect"
    browser.click(access("terms"))
    assert content_status(browser) == 200


def test_looking_on_keeps_a_pass_alive_but_not_beyond_its_end(terms):
    browser = Browser()
    browser.click(access("terms"))
    age(idle_until=timedelta(minutes=1))
    assert content_status(browser) == 200
    row = Pass.objects.get()
    assert row.idle_until > timezone.now() + timedelta(minutes=29)
    age(idle_until=timedelta(minutes=1), ends=timedelta(seconds=-1))
    assert content_status(browser) == 401
    assert Pass.objects.get().idle_until < timezone.now() + timedelta(minutes=2)


def test_a_refused_request_keeps_nothing_alive(terms):
    web.restricted("/iiif/3/other")
    browser = Browser()
    browser.click(access("terms"))
    age(idle_until=timedelta(minutes=1))
    assert content_status(browser, "/iiif/3/other") == 403
    assert Pass.objects.get().idle_until < timezone.now() + timedelta(minutes=2)


@pytest.mark.requirement("A2-ERR-02")
def test_no_cookie_an_unknown_one_and_an_old_one_are_three_different_things(terms):
    browser = Browser()
    assert web.problem(browser, "terms") == "missingAspect"
    browser.cookies[identify.COOKIE] = identify.new_secret()
    assert web.problem(browser, "terms") == "invalidAspect"
    browser.click(access("terms"))
    age(ends=timedelta(seconds=-1))
    assert web.problem(browser, "terms") == "expiredAspect"


# -- Losing what one had ------------------------------------------------------------------------------------------


def change_password(user):
    user.set_password("another")
    user.save()


def deactivate(user):
    user.is_active = False
    user.save()


@pytest.mark.parametrize("end", [change_password, deactivate, lambda user: user.delete()])
def test_what_ends_an_account_ends_its_pass_at_once(login, end):
    user = person()
    browser = Browser().sign_in(user)
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert (content_status(browser), probe_status(CHART, token)) == (200, 200)
    end(user)
    assert (content_status(browser), probe_status(CHART, token)) == (401, 401)
    assert web.problem(browser, "login") == "invalidAspect"


def test_losing_the_group_is_felt_at_once(site):
    login, group, user = web.service("login", "login"), factories.GroupFactory(), person()
    web.restricted(CHART, {"kind": "group", "group": group}, by=(login,))
    user.groups.add(group)
    browser = Browser().sign_in(user)
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert (content_status(browser), probe_status(CHART, token)) == (200, 200)
    user.groups.remove(group)
    assert (content_status(browser), probe_status(CHART, token)) == (403, 403)
    user.groups.add(group)
    assert (content_status(browser), probe_status(CHART, token)) == (200, 200)


def test_a_grant_that_ends_is_felt_at_once(login):
    group, user = factories.GroupFactory(), person()
    resource = web.restricted("/iiif/3/map", {"kind": "group", "group": group}, by=(login,))
    grant = factories.GrantFactory(user=user, resource=resource)
    browser = Browser().sign_in(user)
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert (content_status(browser, "/iiif/3/map"), probe_status("/iiif/3/map", token)) == (200, 200)
    grant.ends = timezone.now()
    grant.save()
    assert (content_status(browser, "/iiif/3/map"), probe_status("/iiif/3/map", token)) == (403, 403)


def test_signing_out_at_the_host_ends_the_pass(login):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    token = web.token(browser, "login")
    browser.click("/accounts/logout/", page=browser.get("/accounts/login/"))
    assert (content_status(browser), probe_status(CHART, token)) == (401, 401)
    assert not Pass.objects.exists()
