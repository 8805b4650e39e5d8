"""Enrolled machines: the code, the cookie, what they open at every door, and what ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iiif_auth import devices, identify, passes, store
from iiif_auth.enforce import check
from iiif_auth.http import enrol as page
from iiif_auth.models import Device, Pass, Token
from tests import factories, web
from tests.web import BASE, HOME, VIEWER, Browser, access, at, content_status, probe_status, problem, service, token

pytestmark = pytest.mark.usefixtures("site")

ENROL = "/iiif-auth/enrol"
DOORS = ({"name": "images", "path": "/iiif/3/", "serves": "image-3", "upstream": "http://127.0.0.1:8182/iiif/3/"},)
SECRET = "s3cret-of-the-web-server"


@pytest.fixture
def room():
    return web.reading_room()


@pytest.fixture
def elsewhere():
    return factories.NetworkFactory(slug="map-room", name="Map room", prefixes=["198.51.100.0/28"])


@pytest.fixture
def chart(room):
    """A picture for the reading room, which both kinds of service lead to."""
    by = (service("campus", "external"), service("desk", "kiosk"))
    return web.picture("chart", at(room), by=by)


def device(room, name="Window desk"):
    return Device.objects.create(name=name, network=room)


def code_for(row):
    return devices.new_code(row, None)


def typed(browser, code):
    return browser.click(ENROL, code=code)


def enrolled(row, browser=None):
    browser = browser or Browser()
    assert typed(browser, code_for(row)).status_code == 302
    return browser


def machine_cookie(browser):
    return browser.cookies[identify.MACHINE].value if identify.MACHINE in browser.cookies else None


# -- The code -----------------------------------------------------------------------------------------------------


def test_a_code_enrols_the_machine_at_which_it_is_typed(room, chart):
    row, browser = device(room), Browser()
    assert content_status(browser) == 401
    code = code_for(row)
    response = typed(browser, f"  {code.lower().replace('-', ' ')} ")
    assert (response.status_code, response["Location"]) == (302, f"{ENROL}?done=1")
    row.refresh_from_db()
    assert row.since is not None
    assert row.digest is None
    assert "Reading" in browser.get(ENROL).content.decode() or row.network.name in browser.get(ENROL).content.decode()
    assert content_status(browser) == 200


def test_the_cookie_is_the_machines_own_and_goes_to_this_site_only(room):
    response = typed(Browser(), code_for(device(room)))
    morsel = response.cookies[identify.MACHINE]
    assert identify.MACHINE == "__Host-iiif_device"
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "None")
    assert (morsel["path"], morsel["domain"], int(morsel["max-age"])) == ("/", "", 400 * 86_400)
    assert identify.SECRET.fullmatch(morsel.value)
    assert not Pass.objects.filter(digest__in=(morsel.value, identify.digest(morsel.value))).exists()
    assert response["X-Frame-Options"] == "DENY"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    "text", ["2346-79CX", "", "0000-0000", "2346", "2346-79CD-FG", "ＡＢＣＤ-ＥＦＧＨ", "' OR 1=1"]
)
def test_a_wrong_code_enrols_nothing(room, chart, text):
    row, browser = device(room), Browser()
    code_for(row)
    response = typed(browser, text)
    assert response.status_code == 400
    assert machine_cookie(browser) is None
    assert content_status(browser) == 401
    assert not Pass.objects.exists()


def test_a_code_works_once(room):
    code = code_for(device(room))
    assert typed(Browser(), code).status_code == 302
    second = Browser()
    assert typed(second, code).status_code == 400
    assert machine_cookie(second) is None


def test_of_two_requests_at_once_one_uses_the_code(room, rf):
    row = device(room)
    code = code_for(row)
    before = Device.objects.get(pk=row.pk)
    assert devices.enrol(rf.post(ENROL), code) is not None
    assert devices._use_up(before, timezone.now()) is False


def test_a_code_is_good_for_ten_minutes(room):
    row = device(room)
    code = code_for(row)
    Device.objects.filter(pk=row.pk).update(code_ends=timezone.now())
    assert typed(Browser(), code).status_code == 400
    Device.objects.filter(pk=row.pk).update(code_ends=timezone.now() + timedelta(seconds=30))
    assert typed(Browser(), code).status_code == 302
    assert devices.CODE_MINUTES == 10


def test_a_newer_code_takes_the_place_of_the_earlier_and_revoking_ends_both(room):
    row = device(room)
    first, second = code_for(row), code_for(row)
    assert typed(Browser(), first).status_code == 400
    devices.revoke(row, None)
    assert typed(Browser(), second).status_code == 400


def test_a_code_counts_for_its_own_machine_and_place_only(room, elsewhere, chart):
    other = enrolled(device(elsewhere, "Map table"))
    assert content_status(other) == 401
    assert problem(other, "campus") == "missingAspect"
    assert "campus" in str(probe_status("/iiif/3/chart")) or probe_status("/iiif/3/chart") == 401


def test_codes_are_stored_so_that_nobody_reads_or_guesses_them(room):
    row = device(room)
    code = code_for(row)
    assert row.digest == devices.code_digest(code)
    assert row.digest != identify.digest(code)
    assert len({code_for(row) for _ in range(20)}) == 20


def test_whoever_tries_many_codes_is_stopped_and_others_are_not(room, monkeypatch):
    monkeypatch.setattr(page, "FROM_ONE", (3, 600))
    row, guesser = device(room), Browser("198.51.100.77")
    code = code_for(row)
    assert [typed(guesser, "2222-2222").status_code for _ in range(4)] == [400, 400, 400, 429]
    assert typed(guesser, code).status_code == 429, "not even the right one"
    assert machine_cookie(guesser) is None
    assert typed(Browser(), code).status_code == 302


def test_many_who_try_together_are_stopped_too(room, monkeypatch):
    monkeypatch.setattr(page, "FROM_ALL", (3, 600))
    code = code_for(device(room))
    for number in range(3):
        assert typed(Browser(f"198.51.100.{number + 1}"), "2222-2222").status_code == 400
    assert typed(Browser(), code).status_code == 429


def test_every_refused_code_is_answered_alike(room):
    used, old = device(room, "A"), device(room, "B")
    texts = ["2222-2222", code_for(used), code_for(old)]
    Device.objects.filter(pk=old.pk).update(code_ends=timezone.now())
    typed(Browser(), texts[1])
    said = {
        web.Page and typed(Browser(), text).content.decode().partition('role="alert">')[2].partition("<")[0]
        for text in texts
    }
    assert len(said) == 1


def test_a_get_enrols_nothing_and_a_post_needs_the_form(room):
    row = device(room)
    code = code_for(row)
    browser = Browser()
    assert browser.get(ENROL, {"code": code}).status_code == 200
    assert browser.post(ENROL, {"code": code}, headers={"origin": BASE}).status_code == 403
    fields = web.Form(browser.get(ENROL).content.decode()).fields
    response = browser.post(ENROL, {**fields, "code": code}, headers={"origin": "https://evil.example.net"})
    assert response.status_code == 403
    assert not Pass.objects.exists()
    assert typed(browser, code).status_code == 302


def test_a_browser_that_keeps_no_cookie_is_told_so(room):
    browser = enrolled(device(room))
    del browser.cookies[identify.MACHINE]
    assert "did not keep the cookie" in browser.get(f"{ENROL}?done=1").content.decode()
    assert "did not keep the cookie" not in Browser().get(ENROL).content.decode()


# -- What it opens ------------------------------------------------------------------------------------------------


def test_an_external_service_recognises_the_machine_and_its_token_says_where_it_stands(chart, room):
    browser = enrolled(device(room))
    shown = token(browser, "campus")
    assert probe_status("/iiif/3/chart", shown) == 200
    assert probe_status("/iiif/3/chart", shown, "203.0.113.200") == 200, "it has no fixed address"
    assert problem(Browser(), "campus") == "missingAspect"
    assert probe_status("/iiif/3/chart") == 401


def test_the_probe_looks_at_no_cookie(chart, room):
    browser = enrolled(device(room))
    response = browser.get(web.probe_of("/iiif/3/chart"))
    assert response.json()["status"] == 401


def test_a_kiosk_lets_the_machine_in_and_nobody_else(chart, room):
    machine, stranger = enrolled(device(room)), Browser()
    assert stranger.get(access("desk")).status_code == 403
    assert machine.get(access("desk")).status_code == 200
    assert machine.access_cookie is not None
    assert probe_status("/iiif/3/chart", token(machine, "desk")) == 200


def test_a_reader_who_signs_in_at_the_machine_carries_the_place_and_leaves_it_when_they_leave(room):
    by = service("login", "login")
    web.picture("chart", web.SIGNED_IN, at(room), by=(by,), tier_values={"join": "all"})
    machine = enrolled(device(room)).sign_in(web.person())
    machine.click(access("login"))
    shown = token(machine, "login")
    assert content_status(machine) == 200
    assert probe_status("/iiif/3/chart", shown) == 200
    machine.get(web.logout_page("login"))
    assert probe_status("/iiif/3/chart", shown) == 401
    assert content_status(machine) == 401
    assert machine_cookie(machine) is not None
    assert str(room) in machine.get(ENROL).content.decode(), "the enrolment stays"


def test_the_next_reader_is_at_the_place_although_the_last_ones_pass_is_over(chart, room):
    machine = enrolled(device(room))
    machine.get(access("desk"))
    Pass.objects.filter(enrols=False).update(idle_until=timezone.now())
    assert content_status(machine) == 200
    assert problem(machine, "desk") == "expiredAspect"


def test_a_pass_from_before_is_at_the_place_as_soon_as_the_machine_is(chart, room):
    service("terms")
    browser = Browser()
    browser.click(access("terms"))
    assert content_status(browser) == 401
    enrolled(device(room), browser)
    assert content_status(browser) == 200


def test_a_machine_is_nobody_and_went_through_nothing(room):
    by = service("terms")
    web.picture("terms-only", web.agreed(by), by=(by,))
    web.picture("members", web.SIGNED_IN)
    machine = enrolled(device(room))
    assert content_status(machine, "/iiif/3/terms-only") == 401
    assert content_status(machine, "/iiif/3/members") == 403
    assert problem(machine, "terms") == "missingAspect"


def test_a_machine_token_does_not_count_for_a_service_that_asks_for_more(room):
    terms = service("terms")
    web.picture("chart", web.agreed(terms), by=(service("campus", "external"), terms))
    factories.ConditionFactory(
        tier=factories.TierFactory(services=(terms.__class__.objects.get(slug="campus"),)), **at(room)
    )
    shown = token(enrolled(device(room)), "campus")
    assert probe_status("/iiif/3/chart", shown) == 401


# -- What ends it -------------------------------------------------------------------------------------------------


def test_revoking_ends_the_machine_and_everything_given_at_it_at_once(chart, room):
    row = device(room)
    machine = enrolled(row)
    machine.get(access("desk"))
    shown = [token(machine, "desk"), token(machine, "campus")]
    assert [probe_status("/iiif/3/chart", one) for one in shown] == [200, 200]
    devices.revoke(row, None)
    assert [probe_status("/iiif/3/chart", one) for one in shown] == [401, 401]
    assert content_status(machine) == 401
    assert problem(machine, "campus") == "missingAspect"
    assert problem(machine, "desk") == "invalidAspect"
    assert machine.get(access("desk")).status_code == 403
    assert not Pass.objects.exists()
    assert not Token.objects.exists()


def test_a_machine_marked_as_revoked_is_out_even_if_its_passes_are_still_there(chart, room):
    row = device(room)
    machine = enrolled(row)
    machine.get(access("desk"))
    shown = [token(machine, "desk"), token(machine, "campus")]
    Device.objects.filter(pk=row.pk).update(revoked=timezone.now())
    assert Pass.objects.count() == 2
    assert [probe_status("/iiif/3/chart", one) for one in shown] == [401, 401]
    assert content_status(machine) == 401


@pytest.mark.parametrize("what", ["device", "network"])
def test_deleting_the_machine_or_its_place_ends_it(elsewhere, what):
    row = device(elsewhere)
    machine = enrolled(row)
    (row if what == "device" else elsewhere).delete()
    assert not Pass.objects.exists()
    assert "Enrol this machine" in machine.get(ENROL).content.decode()


def test_a_moved_machine_is_at_its_new_place_at_once(chart, room, elsewhere):
    web.picture("map", at(elsewhere))
    row = device(room)
    machine = enrolled(row)
    shown = token(machine, "campus")
    assert (content_status(machine), content_status(machine, "/iiif/3/map")) == (200, 403)
    row.refresh_from_db()
    row.network = elsewhere
    row.save()
    assert (content_status(machine), content_status(machine, "/iiif/3/map")) == (401, 200)
    assert probe_status("/iiif/3/chart", shown) == 401


def test_enrolling_anew_ends_what_the_machine_had(chart, room):
    row = device(room)
    before = enrolled(row)
    shown = token(before, "campus")
    after = enrolled(row)
    assert content_status(before) == 401
    assert probe_status("/iiif/3/chart", shown) == 401
    assert content_status(after) == 200


def test_until_the_new_code_is_used_the_machine_goes_on(chart, room):
    row = device(room)
    machine = enrolled(row)
    code_for(row)
    assert content_status(machine) == 200


def test_a_browser_is_one_machine(chart, room, elsewhere):
    first, second = device(room), device(elsewhere, "Map table")
    machine = enrolled(first)
    copied = Browser()
    copied.cookies[identify.MACHINE] = machine_cookie(machine)
    enrolled(second, machine)
    assert content_status(machine) == 401
    assert content_status(copied) == 401
    assert set(Pass.objects.values_list("device", flat=True)) == {second.pk}


def test_a_machine_that_is_not_used_for_400_days_is_out_and_one_that_is_used_stays(chart, room):
    row = device(room)
    machine = enrolled(row)
    own = Pass.objects.get(enrols=True)
    assert own.ends - own.created == timedelta(days=400)
    day_old = timezone.now() - timedelta(days=200)
    life = timedelta(days=400)
    Pass.objects.update(seen=day_old, idle_until=day_old + life, ends=day_old + life)
    assert content_status(machine) == 200
    own.refresh_from_db()
    assert timezone.now() - own.seen < timedelta(minutes=1)
    assert own.ends - own.seen == life
    Pass.objects.update(idle_until=timezone.now(), ends=timezone.now())
    assert content_status(machine) == 401
    assert passes.prune(timezone.now() + timedelta(days=8))[1] == 1


@pytest.mark.parametrize(
    "address",
    [lambda: web.token_page("campus"), lambda: web.token_page("desk"), lambda: access("desk"), lambda: ENROL],
    ids=["external", "token", "kiosk", "enrol"],
)
def test_the_machine_keeps_its_cookie_for_as_long_again_whenever_it_is_used(chart, room, address):
    machine, address = enrolled(device(room)), address()
    hours_old = timezone.now() - timedelta(hours=2)
    Pass.objects.update(seen=hours_old, idle_until=hours_old + timedelta(days=400))
    secret = machine_cookie(machine)
    morsel = machine.get(address).cookies[identify.MACHINE]
    assert (morsel.value, int(morsel["max-age"])) == (secret, 400 * 86_400)
    assert timezone.now() - Pass.objects.get(enrols=True).seen < timedelta(minutes=1)
    assert identify.MACHINE not in Browser().get(address).cookies
    devices.revoke(Device.objects.get(), None)
    assert identify.MACHINE not in machine.get(address).cookies


# -- The cookie in other hands ------------------------------------------------------------------------------------


def test_neither_cookie_counts_in_the_place_of_the_other(chart, room):
    machine = enrolled(device(room))
    machine.get(access("desk"))
    own, readers = machine_cookie(machine), machine.access_cookie
    swapped = Browser()
    swapped.cookies[identify.COOKIE], swapped.cookies[identify.MACHINE] = own, readers
    assert content_status(swapped) == 401
    assert problem(swapped, "desk") == "invalidAspect"
    assert "Enrol this machine" in swapped.get(ENROL).content.decode()
    assert probe_status("/iiif/3/chart", own) == 401


@pytest.mark.parametrize(
    "line",
    [
        "__Host-iiif_device={secret}; __Host-iiif_device={secret}",
        "__Host-iiif_device=x; __Host-iiif_device={secret}",
        "__Host-iiif_device ={secret}; __Host-iiif_device=x",
        "__Host-iiif_device={secret}x",
        "__host-iiif_device={secret}",
        "iiif_device={secret}",
    ],
)
def test_a_tossed_or_misspelled_cookie_is_none(chart, room, line):
    secret = machine_cookie(enrolled(device(room)))
    target = "/iiif/3/chart/full/max/0/default.jpg"
    assert Browser().get(target, HTTP_COOKIE=f"a=b; __Host-iiif_device={secret}; c=d").status_code == 200
    assert Browser().get(target, HTTP_COOKIE=line.format(secret=secret)).status_code == 401


def test_two_access_cookies_are_none_but_the_machine_stands_for_itself(chart, room):
    secret = machine_cookie(enrolled(device(room)))
    line = f"__Host-iiif_access=x; __Host-iiif_access=y; __Host-iiif_device={secret}"
    assert Browser().get("/iiif/3/chart/full/max/0/default.jpg", HTTP_COOKIE=line).status_code == 200


def test_the_access_cookie_of_one_reader_with_the_machine_of_another_place(chart, room, elsewhere):
    """A cookie carried from machine to machine brings the place where it was given, as its tokens do, and no third one."""
    here, there = enrolled(device(room)), enrolled(device(elsewhere, "Map table"))
    web.picture("map", at(elsewhere))
    web.picture("other", at(factories.NetworkFactory(prefixes=["192.0.2.128/28"])))
    here.get(access("desk"))
    there.cookies[identify.COOKIE] = here.access_cookie
    assert [content_status(there, f"/iiif/3/{name}") for name in ("chart", "map", "other")] == [200, 200, 403]
    devices.revoke(Device.objects.get(network=room), None)
    assert [content_status(there, f"/iiif/3/{name}") for name in ("chart", "map", "other")] == [401, 200, 403]


def test_a_pass_renewed_away_from_the_machine_leaves_the_place_behind(chart, room):
    service("terms")
    machine = enrolled(device(room))
    machine.click(access("terms"))
    del machine.cookies[identify.MACHINE]
    assert content_status(machine) == 200, "it was given at the machine"
    machine.click(access("terms"))
    assert content_status(machine) == 401


# -- Web servers, and the cost ------------------------------------------------------------------------------------


def asked_by_a_web_server(secret, target="/iiif/3/chart/full/max/0/default.jpg"):
    request = RequestFactory().get(
        "/iiif-auth/check",
        HTTP_COOKIE=f"{identify.MACHINE}={secret}" if secret else "",
        HTTP_X_ORIGINAL_URI=target,
        HTTP_X_IIIF_AUTH_SECRET=SECRET,
        REMOTE_ADDR=HOME,
    )
    return check.check(request).status_code


def test_the_check_of_a_web_server_knows_the_machine(chart, room, settings):
    settings.IIIF_AUTH_FLOW = {
        **settings.IIIF_AUTH_FLOW,
        "CHECK_SECRET": SECRET,
        "DOORS": DOORS,
    }
    row = device(room)
    secret = machine_cookie(enrolled(row))
    assert (asked_by_a_web_server(secret), asked_by_a_web_server("")) == (200, 401)
    devices.revoke(row, None)
    assert asked_by_a_web_server(secret) == 401


def test_another_process_that_kept_everything_hears_of_the_revocation_at_once(chart, room):
    """What a process keeps are rules and offers; who asks is read by the one statement of each request."""
    row = device(room)
    machine = enrolled(row)
    finder = identify.presenting(RequestFactory().get("/", HTTP_COOKIE=f"{identify.MACHINE}={machine_cookie(machine)}"))
    assert finder().holder.places == {str(room.pk)}
    Device.objects.filter(pk=row.pk).update(revoked=timezone.now())
    assert finder().holder is None or not finder().holder.sound


def test_content_costs_one_statement_with_the_machine_and_no_more_without(chart, room):
    machine, stranger = enrolled(device(room)), Browser()
    machine.get(access("desk"))
    for browser in (machine, stranger):
        content_status(browser)
    for browser, most in ((machine, 1), (stranger, 1)):
        with CaptureQueriesContext(
            connection,
        ) as caught:
            content_status(browser)
        assert len(caught) <= most, [one["sql"][:80] for one in caught]


# -- Broken twins -------------------------------------------------------------------------------------------------


def _places_of_revoked_ones(patch):
    real = store.passes.HELD
    patch.setattr(store.passes, "HELD", real.replace("AND d.revoked IS NULL", ""))
    store.passes._statement.cache_clear()


def _codes_that_work_twice(patch):
    patch.setattr(devices, "_use_up", lambda row, now: True)
    patch.setattr(devices, "code_digest", lambda code: code)
    patch.setattr(Device, "refresh_from_db", lambda row: None)


def _codes_for_ever(patch):
    patch.setattr(
        devices, "_use_up", lambda row, now: Device.objects.filter(pk=row.pk).update(digest=None, code_ends=None) == 1
    )


def _no_limit(patch):
    patch.setattr(page, "_may_try", lambda request: True)


def _either_cookie(patch):
    patch.setattr(identify, "machine_digest", identify.digest)


def _first_of_two_cookies(patch):
    patch.setattr(identify, "_sent_alone", lambda request, name: request.COOKIES.get(name, "") or None)


def _passes_outlive_the_machine(patch):
    patch.setattr(passes, "_device", lambda request: None)


def _logout_ends_the_machine(patch):
    real = passes.leave

    def leave(request, service):
        own = identify.machine(request)
        Pass.objects.filter(pk=own.id if own else None).delete()
        return real(request, service)

    patch.setattr(passes, "leave", leave)


@pytest.mark.parametrize(
    ("broken", "noticed"),
    [
        (_places_of_revoked_ones, test_a_machine_marked_as_revoked_is_out_even_if_its_passes_are_still_there),
        (_codes_for_ever, test_a_code_is_good_for_ten_minutes),
        (_either_cookie, test_neither_cookie_counts_in_the_place_of_the_other),
        (_passes_outlive_the_machine, test_the_access_cookie_of_one_reader_with_the_machine_of_another_place),
        (
            _logout_ends_the_machine,
            test_a_reader_who_signs_in_at_the_machine_carries_the_place_and_leaves_it_when_they_leave,
        ),
    ],
    ids=lambda one: one.__name__.strip("_"),
)
def test_a_broken_twin_is_noticed(request, monkeypatch, broken, noticed):
    broken(monkeypatch)
    names = noticed.__code__.co_varnames[: noticed.__code__.co_argcount]
    given = {name: request.getfixturevalue(name) for name in names}
    try:
        with pytest.raises((AssertionError, KeyError)):
            noticed(**given)
    finally:
        monkeypatch.undo()
        store.passes._statement.cache_clear()


def test_a_twin_that_guesses_without_end_is_noticed(room, monkeypatch):
    _no_limit(monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        test_whoever_tries_many_codes_is_stopped_and_others_are_not(room, patch)


def test_a_twin_that_takes_the_last_of_two_cookies_is_noticed(chart, room, monkeypatch):
    _first_of_two_cookies(monkeypatch)
    with pytest.raises(AssertionError):
        test_a_tossed_or_misspelled_cookie_is_none(chart, room, "__Host-iiif_device=x; __Host-iiif_device={secret}")


def test_the_viewer_is_named_nowhere_in_what_the_machine_holds(chart, room):
    machine = enrolled(device(room))
    token(machine, "campus")
    assert VIEWER not in str(Pass.objects.filter(enrols=True).values())
