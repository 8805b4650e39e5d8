"""Where whoever may have something is sent for it: the published address, or a signed one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from iiif_auth import store
from iiif_auth.enforce import signed
from iiif_auth.enforce.delivering import delivered, edge_address, signs
from iiif_auth.policy.types import (
    Allowed,
    Authenticated,
    Everyone,
    Level,
    Offer,
    Policy,
    Rendition,
    Subject,
    Tier,
    Virtual,
    Window,
)
from tests.security.tickets import SETTINGS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FILM = Rendition("/media/film.mp4")
HOLDER = store.PassFacts(7, "1", frozenset(), {}, NOW + timedelta(hours=1), NOW + timedelta(hours=1), 30, sound=True)
MEMBERS = Policy("members", (Tier("full", Authenticated()),), signed=True)


@pytest.fixture(autouse=True)
def flow(settings):
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    return settings


def offer(*policies: Policy | None, rendition: Rendition = FILM, overrides: bool = False) -> Offer:
    return Offer(rendition, levels=tuple(Level("x", policy, overrides=overrides) for policy in policies))


def sent(one: Offer, here: Subject | None = None, now: datetime = NOW) -> Rendition:
    return delivered(Allowed(one.wanted), one, HOLDER, here or Subject(), now).rendition


def ticket_in(location: str) -> signed.Ticket:
    return signed.read(location.split("/")[3])


def test_a_yes_has_a_signed_address_and_is_otherwise_the_same():
    found = sent(offer(MEMBERS))
    assert replace(found, location="") == FILM
    assert found.location.endswith("/media/film.mp4")
    ticket = ticket_in(found.location)
    assert (ticket.holder, signed.holds(ticket, FILM.uri, NOW)) == (7, True)


def test_what_is_delivered_elsewhere_is_signed_there():
    found = sent(offer(MEMBERS, rendition=replace(FILM, location="/iiif/3/chart")))
    assert signed.holds(ticket_in(found.location), "/iiif/3/chart", NOW)
    assert not signed.holds(ticket_in(found.location), FILM.uri, NOW)


@pytest.mark.parametrize(
    "policies", [(None,), (replace(MEMBERS, signed=False),), (None, replace(MEMBERS, signed=False))]
)
def test_without_a_policy_that_says_so_nothing_is_signed(policies):
    assert sent(offer(*policies)) == FILM


def test_one_policy_of_several_is_enough_but_not_one_that_is_set_aside():
    plain = replace(MEMBERS, slug="plain", signed=False)
    assert signs(offer(plain, MEMBERS))
    assert signs(offer(None, MEMBERS))
    assert not signs(offer(plain, MEMBERS, overrides=True))


def test_for_somebody_who_may_have_it_anyhow_nothing_is_signed():
    everybodys = Policy("open", (Tier("full", Everyone()),), signed=True)
    assert sent(offer(everybodys)) == FILM
    assert sent(offer(MEMBERS), Subject(user="1")) == FILM


def test_whether_they_may_is_judged_at_that_instant():
    until = Policy("until", (Tier("full", Everyone(), window=Window(end=NOW)),), signed=True)
    assert sent(offer(until), now=NOW - timedelta(seconds=1)) == FILM
    assert sent(offer(until), now=NOW).location


# -- By the web server alone --------------------------------------------------------------------------------------


def test_a_plain_file_may_be_left_to_the_web_server_for_a_minute():
    address = edge_address(FILM, NOW)
    assert address is not None
    assert address.startswith("/iiif-auth/edge/e1.")
    assert address.endswith("/media/film.mp4")


def test_an_image_service_too_with_what_is_asked_of_it_behind():
    address = edge_address(Rendition("/iiif/3/chart"), NOW)
    assert address is not None
    assert address.endswith("/iiif/3/chart")


@pytest.mark.parametrize(
    "rendition",
    [
        Rendition("/media/film.mp4", source="kept/1.mp4"),
        Rendition("/iiif/3/chart~p", virtual=Virtual(400), cut_from="/iiif/3/chart"),
        Rendition("https://images.example.org/iiif/3/chart"),
        Rendition("/elsewhere/film.mp4"),
    ],
)
def test_what_only_the_app_can_find_is_not_left_to_it(rendition):
    """The web server knows no more than the name in the address, which is another file's there."""
    assert edge_address(rendition, NOW) is None


def test_without_keys_nothing_is_left_to_it(flow):
    flow.IIIF_AUTH_FLOW = {**flow.IIIF_AUTH_FLOW, "EDGE_KEYS": {}}
    assert edge_address(FILM, NOW) is None
