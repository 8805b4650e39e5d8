"""Who can see something: kinds of people, and whether what is said of them is what is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from random import Random

from iiif_auth.policy.decide import Case
from iiif_auth.policy.routes import Gets, fewest, is_personal, reached, routes, standing_of, without
from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    Agreed,
    AllOf,
    AnyOf,
    Authenticated,
    Embargo,
    Everyone,
    Grant,
    Group,
    Level,
    Network,
    Offer,
    Policy,
    Rendition,
    Subject,
    Tier,
    User,
    Window,
    Withdrawal,
    invited,
)
from iiif_auth.policy.types import Gets as Given

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STAFF, FRIENDS = Group("1"), Group("2")
ROOM = Network((ip_network("192.0.2.0/28"),))
TERMS = Agreed("terms")


def policy(*tiers, slug="p"):
    return Policy(slug, tuple(tiers))


def offer(*levels):
    return Offer(Rendition("/x"), levels=levels)


def kinds(found):
    return [(route.needs, route.gets.reach, route.gets.take) for route in found.found]


def test_the_best_comes_first_and_nobody_is_said_twice():
    held = policy(
        Tier("full", STAFF),
        Tier("look", AllOf((ROOM, TERMS)), take=False),
        Tier("small", Everyone(), Given.SMALLER, 400),
    )
    assert kinds(routes(offer(Level("/x", held)), NOW)) == [
        ((Authenticated(), STAFF), FULL, True),
        ((TERMS, ROOM), FULL, False),
        ((), 400, True),
    ]


def test_whoever_may_keep_a_copy_is_said_apart_from_whoever_may_look():
    held = policy(Tier("keep", STAFF), Tier("look", Everyone(), take=False))
    assert kinds(routes(offer(Level("/x", held)), NOW)) == [
        ((Authenticated(), STAFF), FULL, True),
        ((), FULL, False),
    ]


def test_people_must_pass_every_level():
    inner = policy(Tier("t", AnyOf((STAFF, ROOM))))
    outer = policy(Tier("t", FRIENDS), slug="q")
    found = routes(offer(Level("/x", inner), Level("c", outer)), NOW)
    assert {needs for needs, _reach, _take in kinds(found)} == {
        (Authenticated(), STAFF, FRIENDS),
        (Authenticated(), FRIENDS, ROOM),
    }
    assert all(route.gets.by == ("p/t", "q/t") for route in found.found)


def test_grants_count_outwards_and_only_while_they_run():
    over = Window(None, NOW - timedelta(days=1))
    grants = (Grant(STAFF, label="7"), Grant(FRIENDS, window=over, label="8"))
    found = routes(offer(Level("/x", policy(), grants=grants), Level("c", policy(slug="q"))), NOW)
    assert kinds(found) == [((Authenticated(), STAFF), FULL, True)]
    assert found.found[0].gets.by == ("7", "7")


def test_a_closed_item_has_no_kinds():
    open_to_all = policy(Tier("t", Everyone()))
    assert routes(offer(Level("/x", open_to_all, embargoes=(Embargo(Window()),))), NOW).found == ()
    assert routes(offer(Level("/x", open_to_all, withdrawals=(Withdrawal(Window()),))), NOW).found == ()
    assert routes(offer(Level("/x")), NOW).found == ()


def test_people_and_invitations_are_not_kinds():
    held = policy(Tier("t", AnyOf((User("5"), STAFF))))
    personal = (Grant(User("6"), label="1"), Grant(invited("3"), label="2"))
    found = routes(offer(Level("/x", held, grants=personal)), NOW)
    assert kinds(found) == [((Authenticated(), STAFF), FULL, True)]
    assert all(map(is_personal, personal))


def test_places_that_do_not_meet_are_no_kind():
    elsewhere = Network((ip_network("198.51.100.0/24"),))
    held = policy(Tier("t", AllOf((ROOM, elsewhere))))
    assert routes(offer(Level("/x", held)), NOW).found == ()


def test_very_many_kinds_are_cut_off_and_said_to_be():
    grants = tuple(Grant(Group(str(number)), label=str(number)) for number in range(400))
    found = routes(offer(Level("/x", policy(), grants=grants)), NOW)
    assert not found.complete
    assert len(found.found) == 300


def test_one_subject_is_told_what_they_get_and_why():
    held = policy(Tier("full", STAFF, take=False), Tier("small", Everyone(), Given.SMALLER, 400))
    what = offer(Level("/x", held))
    assert standing_of(what, Subject("9", frozenset({"1"})), NOW) == Gets(FULL, False, ("p/full",))
    assert standing_of(what, NOBODY, NOW) == Gets(400, True, ("p/small",))
    assert standing_of(offer(Level("/x", policy(Tier("full", STAFF)))), NOBODY, NOW) == Gets()


def test_grants_can_be_left_out():
    what = offer(Level("/x", policy(), grants=(Grant(User("5"), label="1"),), policy_grants=(Grant(STAFF, label="2"),)))
    left = without(what, lambda grant: not is_personal(grant))
    assert (left.levels[0].grants, [one.label for one in left.levels[0].policy_grants]) == ((), ["2"])


def test_the_fewest_needs_are_kept():
    a, b, c = STAFF, FRIENDS, ROOM
    assert set(fewest([frozenset({a, b}), frozenset({a}), frozenset({b, c})])) == {frozenset({a}), frozenset({b, c})}
    assert fewest([frozenset({a}), frozenset()]) == [frozenset()]


PEOPLE = [
    Subject(user, frozenset(groups), address=address, agreements=frozenset(agreed))
    for user, groups in ((None, ()), ("9", ()), ("9", ("1",)), ("9", ("2",)), ("9", ("1", "2")))
    for address in (None, ip_address("192.0.2.3"))
    for agreed in ((), ("terms",))
]
LEAVES = (Everyone(), Authenticated(), STAFF, FRIENDS, ROOM, TERMS)


def meets(subject, route):
    return all(need.admits(subject) for need in route.needs)


def random_offer(dice):
    def audience():
        some = tuple(dice.sample(LEAVES, dice.randint(1, 2)))
        return dice.choice((AllOf, AnyOf))(some)

    def tier(number):
        gets, edge = dice.choice(((Given.FULL, 0), (Given.SMALLER, 400), (Given.SMALLER, 100)))
        return Tier(str(number), audience(), gets, edge, take=dice.random() < 0.7)

    def level(number):
        held = policy(*(tier(n) for n in range(dice.randint(0, 3))), slug=f"p{number}") if dice.random() < 0.8 else None
        sizes = [FULL, *(tier.reach for tier in held.tiers)] if held else [FULL]
        grants = tuple(
            Grant(dice.choice(LEAVES), dice.choice(sizes), take=dice.random() < 0.7, label=f"{number}{n}")
            for n in range(dice.randint(0, 2))
        )
        embargoes = (Embargo(Window(), hard=dice.random() < 0.5),) if dice.random() < 0.15 else ()
        found = Level(str(number), held, dice.random() < 0.2, embargoes)
        return replace(found, **{dice.choice(("grants", "policy_grants")): grants})

    return offer(*(level(number) for number in range(dice.randint(1, 3))))


def test_what_is_said_of_kinds_is_what_is_decided_for_people():
    """Whoever is of a kind gets at least what is said; and nobody gets more than what is said of some kind they are of."""
    dice = Random(20261121)
    for _ in range(300):
        what = random_offer(dice)
        found = routes(what, NOW)
        assert found.complete
        for person in PEOPLE:
            gets = standing_of(what, person, NOW)
            said = [route.gets for route in found.found if meets(person, route)]
            assert all(gets.reach >= one.reach and (gets.reach > one.reach or gets.take >= one.take) for one in said)
            assert gets.reach < 0 or any(one.covers(gets) for one in said), (what, person)
            assert gets.reach == reached(Case(what, person, NOW))
