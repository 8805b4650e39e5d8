"""Tiers for whoever borrowed a copy: which loans count where, what is said of them, and what would help."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest

from iiif_auth.policy import words
from iiif_auth.policy.decide import decide, is_restricted
from iiif_auth.policy.explain import explain
from iiif_auth.policy.routes import routes
from iiif_auth.policy.types import (
    AccessService,
    Agreed,
    AllOf,
    Allowed,
    AnyOf,
    Authenticated,
    Denied,
    Level,
    Network,
    Offer,
    Pattern,
    Policy,
    Rendition,
    Seat,
    Subject,
    Tier,
    Why,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROOM = Network((ip_network("192.0.2.0/28"),), "Reading room")
INSIDE, OUTSIDE = ip_address("192.0.2.5"), ip_address("203.0.113.9")
TERMS = AccessService("terms", Pattern.CLICKTHROUGH)
LENT = Seat("copies", "/chart", label="Lending copies")
THERE = Seat("copies", "/chart", (("room", ROOM),), elsewhere=False, label="Lending copies")


def offer(audience) -> Offer:
    return Offer(
        Rendition("/chart"), levels=(Level("/chart", Policy("lent", (Tier("full", audience, services=(TERMS,)),))),)
    )


def holding(*loans, address=None, **more) -> Subject:
    return Subject(loans=frozenset(loans), address=address, **more)


@pytest.mark.parametrize(
    ("seat", "subject", "admitted"),
    [
        (LENT, holding(("copies", "/chart", "")), True),
        (LENT, holding(("copies", "/diary", "")), False),
        (LENT, holding(("others", "/chart", "")), False),
        (LENT, holding(), False),
        (LENT, holding(("copies", "/chart", "room"), address=INSIDE), False),
        (THERE, holding(("copies", "/chart", "room"), address=INSIDE), True),
        (THERE, holding(("copies", "/chart", "room"), address=OUTSIDE), False),
        (THERE, holding(("copies", "/chart", "room")), False),
        (THERE, holding(("copies", "/chart", "annexe"), address=INSIDE), False),
        (THERE, holding(("copies", "/chart", ""), address=OUTSIDE), True),
    ],
)
def test_a_loan_counts_for_its_rule_and_its_work_and_where_its_place_is(seat, subject, admitted):
    assert seat.admits(subject) is admitted
    assert isinstance(decide(offer(seat), subject, NOON), Allowed) is admitted


def test_what_is_lent_is_open_to_nobody_with_nothing_in_hand():
    assert is_restricted(offer(LENT))
    assert is_restricted(offer(Seat("copies")))


@pytest.mark.parametrize(
    ("audience", "subject", "why"),
    [
        (LENT, Subject(), Why.NO_SEAT),
        (AllOf((Agreed("terms"), LENT)), Subject(), Why.NOT_AGREED),
        (AllOf((Agreed("terms"), LENT)), Subject(agreements=frozenset({"terms"})), Why.NO_SEAT),
        (AllOf((Authenticated(), LENT)), Subject(), Why.NOT_SIGNED_IN),
        (AllOf((ROOM, LENT)), Subject(), Why.WRONG_PLACE),
        (AllOf((ROOM, LENT)), Subject(address=INSIDE), Why.NO_SEAT),
    ],
)
def test_a_missing_copy_is_named_when_all_the_rest_is_there(audience, subject, why):
    found = decide(offer(audience), subject, NOON)
    assert isinstance(found, Denied)
    assert found.why is why


def test_borrowing_is_what_would_help_and_where_copies_are():
    for seat, needs in ((LENT, (LENT,)), (THERE, (ROOM, THERE))):
        found = [one.needs for one in explain(offer(seat), Subject(), NOON).remedies if not one.grant]
        assert found == [needs]
    [anywhere] = routes(offer(LENT), NOON).found
    [there] = routes(offer(THERE), NOON).found
    assert (anywhere.needs, there.needs) == ((LENT,), (ROOM, THERE))
    assert routes(offer(Seat("copies", "/chart", elsewhere=False)), NOON).found == ()


def test_it_is_said_in_words():
    assert words.who(LENT, str) == "anyone who borrowed a copy (“Lending copies”)"
    assert words.condition(Seat("copies"), str) == "have borrowed a copy (“copies”)"
    assert words.lack(LENT, str) == "has not borrowed a copy (“Lending copies”)"
    assert words.step(LENT, str) == "borrowing a copy (“Lending copies”)"
    assert words.who(AnyOf((ROOM, LENT)), str).endswith("or anyone who borrowed a copy (“Lending copies”)")


def test_a_rule_that_lends_nothing_and_a_tier_without_a_service_are_warned_of():
    barren = Policy("lent", (Tier("full", Seat("copies", elsewhere=False), services=(TERMS,)),))
    assert words.warnings(barren, NOON, str) == ("“full” asks for a copy of “copies”, which lends none.",)
    mute = Policy("lent", (Tier("full", LENT),))
    assert words.warnings(mute, NOON, str) == (
        "“full” is lent but has no access service, so viewers can not show what was borrowed.",
    )
    assert words.warnings(Policy("lent", (Tier("full", THERE, services=(TERMS,)),)), NOON, str) == ()
