"""Tickets: what they say, how long, with which keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from iiif_auth import store
from iiif_auth.enforce import doors, signed
from tests.web import BASE

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
URI = "/media/film.mp4"
HOLDER = store.PassFacts(7, "1", frozenset(), {}, NOW + timedelta(hours=1), NOW + timedelta(hours=12), 30, sound=True)


@pytest.fixture(autouse=True)
def flow(settings):
    settings.ROOT_URLCONF = "tests.http.urls"
    settings.SECRET_KEY = "the secret key of a site, which has many letters"
    settings.IIIF_AUTH_FLOW = {"BASE_URL": BASE}
    return settings


def ticket(uri: str = URI, holder: store.PassFacts = HOLDER, now: datetime = NOW) -> signed.Ticket:
    return signed.read(signed.issue(uri, holder, now))


def test_a_ticket_is_good_for_its_item_until_it_ends():
    made = ticket()
    assert (made.holder, made.ends) == (7, int((NOW + timedelta(minutes=60)).timestamp()))
    assert signed.holds(made, URI, NOW)
    assert signed.holds(made, URI, NOW + timedelta(minutes=60, microseconds=-1))
    assert not signed.holds(made, URI, NOW + timedelta(minutes=60))
    assert not signed.holds(made, "/media/film.mp4~", NOW)


def test_it_ends_with_the_pass_if_that_ends_sooner(flow):
    soon = replace(HOLDER, ends=NOW + timedelta(minutes=5))
    assert ticket(holder=soon).ends == int((NOW + timedelta(minutes=5)).timestamp())
    flow.IIIF_AUTH_FLOW = {**flow.IIIF_AUTH_FLOW, "SIGNED_MINUTES": 2}
    assert ticket().ends == int((NOW + timedelta(minutes=2)).timestamp())


@pytest.mark.parametrize("change", [{"key": "x"}, {"ends": 2_000_000_000}, {"holder": 8}, {"code": "A" * 43}])
def test_whatever_is_changed_in_it_ends_it(change):
    assert not signed.holds(replace(ticket(), **change), URI, NOW)


def test_in_the_last_second_of_a_pass_it_is_still_good():
    """Or whoever is just let in would be sent to an address that has ended (INV5)."""
    at = NOW.replace(microsecond=600_000)
    made = ticket(holder=replace(HOLDER, ends=NOW.replace(microsecond=700_000)), now=at)
    assert signed.holds(made, URI, at)
    assert not signed.holds(made, URI, at + timedelta(seconds=1))


def test_what_is_written_is_read_again():
    text = signed.issue(URI, HOLDER, NOW)
    assert signed.read(text).text == text
    assert doors.is_ticket(text)
    for other in ("", "x", text + "A", text.upper(), f"{text}\n", text.replace(".7.", ".07.")):
        with pytest.raises(signed.NotSigned):
            signed.read(other)


def test_no_two_tickets_make_one_message(flow, monkeypatch):
    """Parts that are only joined would let a digit move from the end to the pass (security D2)."""
    messages = set()
    real = signed.hmac.new
    monkeypatch.setattr(signed.hmac, "new", lambda key, message, how: messages.add(message) or real(key, message, how))
    for name, ends, holder, uri in (("k", 1, 23, "/a"), ("k", 12, 3, "/a"), ("k1", 2, 3, "/a"), ("k", 1, 2, "3/a")):
        signed._code(b"x", name, ends, holder, uri)
    assert len(messages) == 4


# -- Keys ---------------------------------------------------------------------------------------------------------


def with_keys(flow, **keys: str) -> None:
    flow.IIIF_AUTH_FLOW = {**flow.IIIF_AUTH_FLOW, "SIGNING_KEYS": keys}


def test_the_first_key_signs_and_all_of_them_count(flow):
    with_keys(flow, k1="one")
    older = ticket()
    with_keys(flow, k2="two", k1="one")
    newer = ticket()
    assert (older.key, newer.key) == ("k1", "k2")
    assert signed.holds(older, URI, NOW)
    assert signed.holds(newer, URI, NOW)
    with_keys(flow, k2="two")
    assert not signed.holds(older, URI, NOW)
    assert signed.holds(newer, URI, NOW)


def test_a_key_under_another_name_is_another_key(flow):
    with_keys(flow, k1="one")
    made = ticket()
    with_keys(flow, k2="one")
    assert not signed.holds(made, URI, NOW)
    assert not signed.holds(replace(made, key="k2"), URI, NOW)


def test_without_keys_of_their_own_they_are_made_of_the_secret_key_and_outlive_its_change(flow):
    """Security K12: a new SECRET_KEY with the old one as a fallback puts nobody out."""
    made = ticket()
    flow.SECRET_KEY_FALLBACKS, flow.SECRET_KEY = [flow.SECRET_KEY], "a new secret key of the site, of many letters too"
    assert signed.holds(made, URI, NOW)
    assert ticket().key != made.key
    flow.SECRET_KEY_FALLBACKS = []
    assert not signed.holds(made, URI, NOW)


def test_the_key_is_of_use_for_nothing_else(flow):
    """What Django signs with the secret key is signed with another one (security K11)."""
    from django.core.signing import Signer

    assert flow.SECRET_KEY.encode() not in signed._keys().values()
    code = Signer(salt="").signature(URI)
    assert not signed.holds(replace(ticket(), code=code), URI, NOW)


# -- Addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "address"),
    [
        (URI, f"/iiif-auth/signed/T{URI}"),
        ("/iiif/3/ark:%2F1", "/iiif-auth/signed/T/iiif/3/ark:%2F1"),
        ("https://images.example.org/iiif/3/x", "https://images.example.org/iiif-auth/signed/T/iiif/3/x"),
    ],
)
def test_the_ticket_stands_before_the_public_path(place, address):
    assert signed.address(place, "T") == address


def test_what_stands_beside_it_is_asked_under_the_ticket_too(flow):
    """A playlist names its segments beside itself, and so a browser asks for them under the same ticket."""
    from urllib.parse import urljoin

    flow.IIIF_AUTH_FLOW = {
        **flow.IIIF_AUTH_FLOW,
        "DOORS": ({"name": "films", "path": "/films/", "serves": "folders", "root": "/srv/films/"},),
    }
    uri = "/films/harbour/index.m3u8"
    text = signed.issue(uri, HOLDER, NOW)
    asked = doors.asked(urljoin(signed.address(uri, text), "low/seg-1.ts"))
    assert (asked.ticket, asked.uri, asked.rest) == (text, uri, "low/seg-1.ts")
    assert signed.holds(signed.read(asked.ticket), asked.uri, NOW)
