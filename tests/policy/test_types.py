from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from iiif_auth.policy.types import (
    ALWAYS,
    FLOW_ORDER,
    FULL,
    NOBODY,
    NOTHING,
    OTHER,
    Agreed,
    AllOf,
    AnyOf,
    Attribute,
    Authenticated,
    Everyone,
    Gets,
    Grant,
    Group,
    Network,
    Pattern,
    Season,
    Subject,
    Tier,
    User,
    Wall,
    Window,
    principals,
    zone,
)

NOON = datetime(2024, 6, 15, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ANNA = Subject(
    user="1",
    groups=frozenset({"staff"}),
    attributes=frozenset({("role", "editor")}),
    address=ip_address("10.1.2.3"),
    agreements=frozenset({"click"}),
)
READING_ROOM = Network((ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")), label="Reading room")
YES, NO = Everyone(), User("nobody")


def utc(*when):
    return datetime(*when, tzinfo=UTC)


# -- Principals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "anna", "nobody"),
    [
        (Everyone(), True, True),
        (Authenticated(), True, False),
        (User("1"), True, False),
        (User("2"), False, False),
        (Group("staff"), True, False),
        (Group("1"), False, False),
        (Attribute("role", "editor"), True, False),
        (Attribute("role", "reader"), False, False),
        (Attribute("editor", "role"), False, False),
        (READING_ROOM, True, False),
        (Network((ip_network("192.0.2.0/24"),)), False, False),
        (Agreed("click"), True, False),
        (Agreed("login"), False, False),
    ],
)
def test_a_principal_admits_whom_it_names_and_nobody_else(principal, anna, nobody):
    assert (principal.admits(ANNA), principal.admits(NOBODY)) == (anna, nobody)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.0.0", True),
        ("10.1.255.255", True),
        ("10.0.255.255", False),
        ("10.2.0.0", False),
        ("2001:db8::", True),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db9::", False),
        ("::10.1.2.3", False),
        ("::ffff:10.1.2.3", False),
    ],
)
def test_a_network_ends_where_its_prefix_ends(address, inside):
    assert READING_ROOM.admits(Subject(address=ip_address(address))) is inside


def test_a_network_of_one_version_is_nowhere_in_the_other():
    everywhere = Network((ip_network("::/0"),))
    assert (everywhere.admits(ANNA), everywhere.admits(Subject(address=ip_address("::1")))) == (False, True)


def test_a_network_without_prefixes_is_nowhere():
    assert Network(()).admits(ANNA) is False


def test_two_principals_are_the_same_whatever_people_call_them():
    assert (User("1", "Anna"), Group("1", "Staff"), Agreed("click", "Click")) == (
        User("1"),
        Group("1"),
        Agreed("click"),
    )


# -- Audiences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "all_of", "any_of"),
    [
        ((), False, False),
        ((YES,), True, True),
        ((NO,), False, False),
        ((YES, NO), False, True),
        ((NO, YES), False, True),
        ((YES, YES), True, True),
        ((NO, NO), False, False),
        ((AllOf(),), False, False),
        ((YES, AnyOf()), False, True),
        ((AnyOf((NO, YES)), AllOf((YES,))), True, True),
    ],
)
def test_an_empty_rule_is_not_a_yes(members, all_of, any_of):
    assert (AllOf(members).admits(ANNA), AnyOf(members).admits(ANNA)) == (all_of, any_of)


def test_principals_are_told_in_reading_order():
    audience = AllOf((User("1"), AnyOf((Group("a"), AllOf((READING_ROOM, AllOf())), Group("b"))), Agreed("click")))
    assert principals(audience) == (User("1"), Group("a"), READING_ROOM, Group("b"), Agreed("click"))


def test_a_principal_alone_is_its_own_audience():
    assert principals(READING_ROOM) == (READING_ROOM,)


# -- Time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "at", "begun", "over", "covers"),
    [
        (ALWAYS, NOON, True, False, True),
        (Window(start=NOON), NOON - TICK, False, False, False),
        (Window(start=NOON), NOON, True, False, True),
        (Window(end=NOON), NOON - TICK, True, False, True),
        (Window(end=NOON), NOON, True, True, False),
        (Window(NOON, NOON), NOON, True, True, False),
        (Window(NOON, NOON + TICK), NOON, True, False, True),
        (Window(NOON + TICK, NOON - TICK), NOON, False, True, False),
    ],
)
def test_a_window_holds_its_first_instant_and_not_its_last(window, at, begun, over, covers):
    assert (window.begun(at), window.over(at), window.covers(at)) == (begun, over, covers)


def test_a_window_does_not_mind_in_which_zone_the_instant_is_told():
    tokyo = timezone(timedelta(hours=9))
    window = Window(NOON.astimezone(tokyo), (NOON + TICK).astimezone(ZoneInfo("Europe/Paris")))
    assert [window.covers(NOON + step) for step in (-TICK, 0 * TICK, TICK)] == [False, True, False]


@pytest.mark.parametrize(
    ("season", "at", "covered"),
    [
        (Season((7, 1), (9, 1)), utc(2024, 6, 30, 23, 59, 59), False),
        (Season((7, 1), (9, 1)), utc(2024, 7, 1), True),
        (Season((7, 1), (9, 1)), utc(2030, 8, 31, 23, 59, 59), True),
        (Season((7, 1), (9, 1)), utc(2024, 9, 1), False),
        (Season((12, 1), (2, 1)), utc(2024, 11, 30), False),
        (Season((12, 1), (2, 1)), utc(2024, 12, 1), True),
        (Season((12, 1), (2, 1)), utc(2025, 1, 31), True),
        (Season((12, 1), (2, 1)), utc(2025, 2, 1), False),
        (Season((12, 1), (2, 1)), NOON, False),
        (Season((7, 1), (7, 1)), utc(2024, 7, 1), False),
        (Season((7, 1), (7, 1)), utc(2024, 1, 1), False),
        (Season((2, 29), (3, 1)), utc(2024, 2, 29), True),
        (Season((2, 29), (3, 1)), utc(2025, 2, 28), False),
        (Season((2, 29), (3, 1)), utc(2025, 3, 1), False),
        (Season((2, 28), (2, 29)), utc(2025, 2, 28), True),
        (Season((1, 1), (1, 2), "Pacific/Auckland"), utc(2024, 12, 31, 10, 59, 59), False),
        (Season((1, 1), (1, 2), "Pacific/Auckland"), utc(2024, 12, 31, 11), True),
        (Season((1, 1), (1, 2), "Pacific/Auckland"), utc(2025, 1, 1, 11), False),
    ],
)
def test_a_season_comes_every_year_on_local_days(season, at, covered):
    assert season.covers(at) is covered


@pytest.mark.parametrize(
    ("wall", "made", "opens"),
    [
        (Wall(70), date(1954, 3, 4), utc(2024, 3, 4)),
        (Wall(0), date(2024, 3, 4), utc(2024, 3, 4)),
        (Wall(4), date(2020, 2, 29), utc(2024, 2, 29)),
        (Wall(1), date(2024, 2, 29), utc(2025, 3, 1)),
        (Wall(1, "Europe/Paris"), date(2023, 7, 1), utc(2024, 6, 30, 22)),
        (Wall(1, "America/New_York"), date(2023, 1, 1), utc(2024, 1, 1, 5)),
        (Wall(10, "America/Sao_Paulo"), date(2007, 10, 15), utc(2017, 10, 15, 3)),
        (Wall(7975), date(2024, 12, 31), utc(9999, 12, 31)),
        (Wall(7976), date(2024, 1, 1), None),
        (Wall(0), None, None),
    ],
)
def test_a_wall_opens_at_local_midnight_years_later(wall, made, opens):
    assert wall.opens(made) == opens


def test_a_wall_is_passed_at_the_instant_it_opens():
    wall, made = Wall(1, "Europe/Paris"), date(2023, 7, 1)
    opens = utc(2024, 6, 30, 22)
    assert [wall.covers(made, at) for at in (opens - TICK, opens, opens + TICK)] == [False, True, True]


def test_a_wall_without_a_date_is_never_passed():
    assert Wall(0).covers(None, utc(9999, 1, 1)) is False


def test_a_zone_that_does_not_exist_is_an_error_and_not_a_yes():
    with pytest.raises(ZoneInfoNotFoundError):
        Season((1, 1), (12, 31), "Europe/Atlantis").covers(NOON)
    with pytest.raises(ZoneInfoNotFoundError):
        zone("Europe/Atlantis")


# -- Tiers and grants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gets", "reach"),
    [(Gets.FULL, FULL), (Gets.SMALLER, 400), (Gets.SUBSTITUTE, OTHER), (Gets.NOTHING, NOTHING)],
)
def test_a_tier_reaches_as_far_as_what_it_gets(gets, reach):
    assert Tier("t", Everyone(), gets, max_edge=400).reach == reach


def test_reaches_are_ordered_from_nothing_to_full():
    assert NOTHING < OTHER < 1 < FULL


@pytest.mark.parametrize("window", [ALWAYS, Window(end=NOON)])
@pytest.mark.parametrize("season", [None, Season((6, 15), (6, 16)), Season((6, 16), (6, 17))])
@pytest.mark.parametrize("wall", [None, Wall(1), Wall(2)])
def test_a_tier_is_open_if_window_season_and_wall_all_hold(window, season, wall):
    tier = Tier("t", Everyone(), window=window, season=season, wall=wall)
    open_ = window == ALWAYS and season != Season((6, 16), (6, 17)) and wall != Wall(2)
    made = date(2023, 6, 15)
    assert (tier.open_at(NOON, made), tier.admits(NOBODY, NOON, made)) == (open_, open_)


def test_an_open_tier_admits_its_audience_only():
    tier = Tier("t", Group("staff"))
    assert (tier.admits(ANNA, NOON, None), tier.admits(NOBODY, NOON, None)) == (True, False)


def test_a_grant_admits_its_principal_while_it_runs():
    grant = Grant(User("1"), window=Window(NOON, NOON + TICK))
    asked = [(ANNA, NOON - TICK), (ANNA, NOON), (ANNA, NOON + TICK), (NOBODY, NOON)]
    assert [grant.admits(subject, at) for subject, at in asked] == [False, True, False, False]


# -- Values -------------------------------------------------------------------------------------------------------


def test_nobody_has_nothing_to_show():
    assert Subject(None, frozenset(), frozenset(), None, frozenset()) == NOBODY


def test_values_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        ANNA.user = "2"


def test_viewers_try_every_pattern_once():
    assert sorted(FLOW_ORDER) == sorted(Pattern)


def test_a_wall_before_the_calendar_begins_never_opens():
    assert Wall(0, "Pacific/Auckland").opens(date(1, 1, 1)) is None
    assert Wall(0, "UTC").opens(date(1, 1, 1)) == datetime(1, 1, 1, tzinfo=UTC)
