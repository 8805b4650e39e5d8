"""Signed addresses on the web: whom a probe gives one, and what it opens, for how long, without any cookie."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.enforce import guard, signed
from iiif_auth.models import AccessPolicy, Agreement, Pass
from tests import factories, web
from tests.web import CANARY, EVERYONE, SIGNED_IN, Browser, access, person, probe_of

CHART, REPORT = "/iiif/3/chart", "/media/report.txt"
METHODS = ["post", "put", "patch", "delete"]


@pytest.fixture
def login(site):
    login = web.service("login", "login", dialects=web.ALL)
    for url in (CHART, REPORT, "/media/song.mp3"):
        web.restricted(url, SIGNED_IN, by=(login,))
    AccessPolicy.objects.update(signed=True)
    return login


@pytest.fixture
def reader(login):
    return web.signed_in_reader()


def location(browser: Browser, uri: str = REPORT) -> str:
    """The address that the probe hands out to the viewer of this browser."""
    found = web.probe(uri, web.token(browser, "login"))
    assert found["status"] == 302
    return web.path(found["location"]["id"])


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


# -- Handing out --------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PRB-12")
@pytest.mark.parametrize("uri", [REPORT, CHART])
def test_a_probe_hands_out_an_address_that_works_without_a_cookie(reader, uri):
    place = location(reader, uri)
    assert place.startswith("/iiif-auth/signed/")
    response = Browser().get(place)
    assert (response.status_code, body(response)) == (
        200,
        body(reader.get(place.partition(uri)[1] + place.partition(uri)[2])),
    )
    assert CANARY in body(Browser().get(place))


def test_a_stranger_is_handed_nothing(reader):
    for token in (None, "A" * 43):
        found = web.probe(REPORT, token)
        assert (found["status"], "location" in found) == (401, False)


def test_where_no_policy_wants_it_nothing_is_signed(reader):
    AccessPolicy.objects.update(signed=False)
    assert web.probe(REPORT, web.token(reader, "login"))["status"] == 200


def test_a_policy_that_is_set_aside_does_not_sign(login, reader):
    """Only what bears on the thing: a shelf that signs, under a policy that replaces the shelf's."""
    signing, plain = factories.AccessPolicyFactory(signed=True), factories.AccessPolicyFactory()
    web.tier(signing, SIGNED_IN, by=(login,))
    web.tier(plain, SIGNED_IN, by=(login,))
    shelf = factories.CollectionFactory(policy=signing)
    row = factories.ResourceFactory(url="/media/shelved.txt", image_api=0, type="Text", collection=shelf)
    assert web.probe(row.url, web.token(reader, "login"))["status"] == 302
    row.policy, row.overrides = plain, True
    row.save()
    assert web.probe(row.url, web.token(reader, "login"))["status"] == 200


def test_for_what_everybody_there_may_have_nothing_is_signed(login, reader):
    """It can be cached, and a signed address can not."""
    web.restricted("/media/open.txt", EVERYONE, by=(login,))
    web.restricted("/media/here.txt", web.at(web.reading_room("203.0.113.0/24")), by=(login,))
    AccessPolicy.objects.update(signed=True)
    for uri in ("/media/open.txt", "/media/here.txt"):
        assert web.probe(uri, web.token(reader, "login"))["status"] == 200


def test_what_is_delivered_elsewhere_is_signed_there(login, reader):
    row = web.restricted("/media/film.txt", SIGNED_IN, by=(login,))
    factories.RenditionFactory(resource=row, url="/copies/film.txt", is_location=True)
    AccessPolicy.objects.update(signed=True)
    place = location(reader, row.url)
    assert place.endswith("/copies/film.txt")
    assert body(Browser().get(place)) == CANARY


def older(reader: Browser, dialect: str) -> dict[str, str]:
    """What the probe of an older version says to a viewer of it."""
    reader.click(web.page_in("login", dialect))
    token = web.drawn(reader, "login", dialect)
    response = Browser().get(probe_of(REPORT, dialect), headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 200
    return dict(response.json())


def test_the_probe_of_the_alpha_hands_it_out_too(reader):
    place = web.path(older(reader, "alpha")["location"])
    assert place.startswith("/iiif-auth/signed/")
    assert body(Browser().get(place)) == body(reader.get(REPORT))


def test_where_viewers_compare_addresses_letter_by_letter_the_published_one_stays(reader):
    """In the practice around 1.0 another address would be that of a lesser version (A1X-03)."""
    assert older(reader, "1")["contentLocation"] == f"{web.BASE}{REPORT}"


# -- What it opens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_it_is_for_looking(reader, method):
    viewer = Browser()
    viewer.handler.enforce_csrf_checks = False  # or Django would refuse it before we do
    response = getattr(viewer, method)(location(reader))
    assert (response.status_code, CANARY in body(response)) == (403, False)


def test_head_and_ranges_are_looking(reader):
    place = location(reader)
    head = Browser().head(place)
    assert (head.status_code, body(head)) == (200, b"")
    part = Browser().get(place, headers={"range": "bytes=0-5"})
    assert (part.status_code, body(part)) == (206, CANARY[:6])


def test_the_preflight_is_that_of_content(reader):
    response = Browser().options(location(reader), headers={"origin": web.OTHER_VIEWER})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_what_it_opens_is_kept_by_no_shared_cache_and_usable_from_everywhere(reader):
    response = Browser().get(location(reader), headers={"origin": web.OTHER_VIEWER})
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert not response.cookies


@pytest.mark.parametrize("other", ["/media/song.mp3", f"{CHART}/full/max/0/default.jpg", "/media/unheard-of.txt"])
def test_it_opens_nothing_else(reader, other):
    place = location(reader)
    response = Browser().get(place.replace(REPORT, other))
    assert (response.status_code, CANARY in body(response)) == (401, False)
    assert "path" not in response.headers


@pytest.mark.parametrize(
    "other", ["/plain", "/boom", "/accounts/login/", "/iiif-auth/services", "/unheard-of", "/iiif-auth/check", ""]
)
def test_it_is_no_way_to_what_is_not_guarded(reader, other):
    place = location(reader)
    assert Browser(raise_request_exception=False).get(place.replace(REPORT, other)).status_code in (403, 404)


def test_a_signed_address_under_a_signed_address_is_nothing(reader):
    place = location(reader)
    assert Browser().get(place.replace(REPORT, place)).status_code == 403


def test_the_cookie_of_whoever_follows_it_does_not_count(reader, login):
    """Neither for more (INV4) nor for less."""
    place = location(reader)
    other = Browser().sign_in(person("bob"))
    other.click(access("login"))
    assert other.get(place).status_code == 200
    forged = place.replace("/media/report.txt", "/media/song.mp3")
    assert other.get("/media/song.mp3").status_code in (200, 404)
    assert other.get(forged).status_code == 401


def test_a_token_under_a_ticket_does_not_count(reader):
    place, token = location(reader), web.token(reader, "login")
    forged = place.replace(REPORT, "/media/song.mp3")
    for method in ("get", "head"):
        response = getattr(Browser(), method)(forged, headers={"authorization": f"Bearer {token}"})
        assert response.status_code == 401


def test_info_json_under_a_ticket_names_itself_so_that_tiles_are_asked_there(reader):
    facts = store.find_pass(identify.digest(reader.access_cookie))
    ticket = signed.issue(CHART, facts, timezone.now())
    response = Browser().get(f"/iiif-auth/signed/{ticket}{CHART}/info.json")
    found = response.json()
    assert response.status_code == 200
    assert found["id"] == f"{web.BASE}/iiif-auth/signed/{ticket}{CHART}"
    assert "service" not in found
    assert response.headers["Cache-Control"] == "no-store"
    tile = Browser().get(f"{web.path(found['id'])}/full/max/0/default.jpg")
    assert body(tile) == CANARY
    stranger = Browser().get(f"/iiif-auth/signed/{ticket[:-3]}AAA{CHART}/info.json")
    assert (stranger.status_code, b"6000" in stranger.content) == (401, False)


# -- How long -----------------------------------------------------------------------------------------------------


def over(reader, login):
    Pass.objects.update(ends=timezone.now() - timedelta(seconds=1))


def idle(reader, login):
    Pass.objects.update(idle_until=timezone.now() - timedelta(seconds=1))


def logged_out(reader, login):
    reader.click("/iiif-auth/2/logout/login")


def disabled(reader, login):
    type(person("bob")).objects.update(is_active=False)


def password_changed(reader, login):
    user = type(person("bob")).objects.get(username="ada")
    user.set_password("another")
    user.save()


def withdrawn(reader, login):
    from iiif_auth.models import Resource

    factories.WithdrawalFactory(resource=Resource.objects.get(url=REPORT))


def rules_changed(reader, login):
    from iiif_auth.models import Condition

    Condition.objects.all().delete()


def agreement_gone(reader, login):
    """It was for people signed in, so what is left of the pass still opens it: the other side."""
    Agreement.objects.all().delete()


@pytest.mark.parametrize("end", [over, idle, logged_out, disabled, password_changed, withdrawn, rules_changed])
def test_it_ends_at_once_with_whatever_it_was_given_for(reader, login, end):
    """Each use is judged anew (security K5, K14)."""
    place = location(reader)
    assert Browser().get(place).status_code == 200
    end(reader, login)
    response = Browser().get(place)
    assert (response.status_code in (401, 403), CANARY in body(response)) == (True, False)


def test_it_does_not_end_with_what_it_was_not_given_for(reader, login):
    place = location(reader)
    agreement_gone(reader, login)
    assert Browser().get(place).status_code == 200


def test_it_ends_by_itself(reader, site, monkeypatch):
    place = location(reader)
    Pass.objects.update(ends=timezone.now() + timedelta(days=30), idle_until=timezone.now() + timedelta(days=30))
    later = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert Browser().get(place).status_code == 401


def test_a_key_that_is_taken_away_ends_what_it_signed(reader, site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SIGNING_KEYS": {"k1": "x" * 32}}
    place = location(reader)
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SIGNING_KEYS": {"k2": "y" * 32, "k1": "x" * 32}}
    assert Browser().get(place).status_code == 200
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SIGNING_KEYS": {"k2": "y" * 32}}
    assert Browser().get(place).status_code == 401


def test_somebody_who_only_looks_at_a_film_is_not_put_out(reader):
    place = location(reader)
    Pass.objects.update(idle_until=timezone.now() + timedelta(minutes=2))
    Browser().get(place)
    assert Pass.objects.get().idle_until > timezone.now() + timedelta(minutes=20)


@pytest.mark.parametrize(
    "ticket",
    ["x", "k1.2000000000.7." + "A" * 42, "%00", "k1.2000000000.7." + "A" * 44, "..", "k1.2000000000.0." + "A" * 43],
)
def test_what_is_no_ticket_is_refused(reader, ticket):
    response = Browser().get(f"/iiif-auth/signed/{ticket}{REPORT}")
    assert (response.status_code in (403, 404), CANARY in body(response)) == (True, False)


def test_a_refusal_is_like_every_other(reader):
    """Whether a ticket has ended or never was is not told."""
    place = location(reader)
    forged = Browser().get(place.replace(".", ".", 1).replace(REPORT, "/media/song.mp3"))
    assert forged.json() == {"error": guard.ERRORS[401]}
    assert forged.headers["Cache-Control"] == "no-store"
    assert forged.headers["Access-Control-Allow-Origin"] == "*"
