from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    NOTHING,
    OTHER,
    AccessService,
    Agreed,
    AllOf,
    Allowed,
    AnyOf,
    Attribute,
    Authenticated,
    Closes,
    Denied,
    Embargo,
    Everyone,
    Gets,
    Grant,
    Group,
    Level,
    Network,
    Offer,
    Pattern,
    Policy,
    Rendition,
    Season,
    Subject,
    Substitute,
    Text,
    Tier,
    Unknown,
    User,
    Wall,
    Why,
    Window,
    Withdrawal,
)

NOON = datetime(2024, 6, 15, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
TODAY = Window(NOON - DAY, NOON + DAY)
LATER = Window(NOON + DAY, NOON + 2 * DAY)

IMAGE = Rendition("image")
MEDIUM = Rendition("medium", 800)
SMALL = Rendition("small", 400)
POSTER = Rendition("poster")

LOGIN = AccessService("login", Pattern.LOGIN)
CLICK = AccessService("click", Pattern.CLICKTHROUGH)
KIOSK = AccessService("kiosk", Pattern.KIOSK)

ANNA = Subject(user="1", groups=frozenset({"staff"}))
BOB = Subject(user="2")

FREE = Tier("free", Everyone())
STAFF = Tier("staff", Group("staff"), services=(LOGIN,))
LOOK = Tier("look", Everyone(), Gets.SMALLER, max_edge=400)
LOOK_STAFF = Tier("look", Group("staff"), Gets.SMALLER, max_edge=400, services=(LOGIN,))
CLICKED = Tier("clicked", Agreed("click"), services=(CLICK,))
INSTEAD = Tier("instead", Everyone(), Gets.SUBSTITUTE, substitute="poster")


def at(policy=None, **rules):
    """One level; a policy may be said as its tiers."""
    if isinstance(policy, Tier):
        policy = rule(policy)
    return Level("here", policy, **rules)


def rule(*tiers, slug="p", texts=()):
    return Policy(slug, tiers, texts)


def offer(*levels, wanted=IMAGE, **more):
    return Offer(wanted, levels=levels, **more)


def words(text):
    return (("en", (text,)),)


def ask(*levels, who=NOBODY, when=NOON, **more):
    return decide(offer(*levels, **more), who, when)


def yes(*by, rendition=IMAGE, take=True):
    return Allowed(rendition, by, take)


def no(why, rendition=IMAGE, **more):
    return Denied(rendition, why=why, **more)


STAFF_ONLY = no(Why.NOT_SIGNED_IN, remedies=(LOGIN,))


# -- Unknown, and nothing to go by --------------------------------------------------------------------------------


def test_what_is_not_offered_is_unknown():
    assert decide(None, ANNA, NOON) == Unknown()


def test_without_levels_nobody_may():
    assert ask() == no(Why.NO_POLICY)


def test_without_any_policy_nobody_may():
    assert ask(at(), at(), who=ANNA) == no(Why.NO_POLICY)


def test_an_empty_policy_admits_nobody():
    assert ask(at(rule()), who=ANNA) == no(Why.NOT_OFFERED)


def test_a_grant_for_a_policy_means_nothing_where_there_is_none():
    assert ask(at(policy_grants=(Grant(Everyone()),))) == no(Why.NO_POLICY)


def test_hiding_is_passed_on():
    assert ask(hidden=True) == no(Why.NO_POLICY, hidden=True)


def test_a_naive_time_is_refused():
    with pytest.raises(TypeError):
        ask(at(FREE), when=datetime(2024, 6, 15, 12))  # noqa: DTZ001


def test_an_unknown_zone_is_an_error_and_not_a_yes():
    with pytest.raises(ZoneInfoNotFoundError):
        ask(at(replace(FREE, season=Season((1, 1), (12, 31), "Europe/Atlantis"))))


def test_a_tier_that_gets_something_unknown_is_an_error_and_not_a_yes():
    with pytest.raises(TypeError):
        ask(at(replace(FREE, gets="everything")))


# -- One policy ---------------------------------------------------------------------------------------------------


def test_everybody_may_have_what_is_free():
    assert ask(at(FREE)) == yes("p/free")


def test_the_staff_may_and_nobody_else():
    level = at(STAFF)
    assert [ask(level, who=who) for who in (ANNA, BOB, NOBODY)] == [
        yes("p/staff"),
        no(Why.NOT_ENTITLED, remedies=(LOGIN,)),
        STAFF_ONLY,
    ]


def test_losing_the_group_is_felt_at_once():
    assert ask(at(STAFF), who=replace(ANNA, groups=frozenset())) == no(Why.NOT_ENTITLED, remedies=(LOGIN,))


def test_a_second_tier_may_admit_whom_the_first_does_not():
    assert ask(at(rule(STAFF, FREE))) == yes("p/free")


def test_a_smaller_tier_reaches_its_edge_and_no_further():
    asked = [Rendition("r", reach) for reach in (399, 400, 401)]
    assert [ask(at(LOOK), wanted=wanted) for wanted in asked] == [
        yes("p/look", rendition=asked[0]),
        yes("p/look", rendition=asked[1]),
        no(Why.NOT_OFFERED, asked[2]),
    ]


def test_getting_nothing_is_a_no():
    assert ask(at(Tier("none", Everyone(), Gets.NOTHING)), wanted=SMALL) == no(Why.NOT_OFFERED, SMALL)


def test_an_empty_audience_is_a_no():
    assert [ask(at(Tier("t", rules)), who=ANNA) for rules in (AllOf(), AnyOf())] == [no(Why.NOT_ENTITLED)] * 2


def test_the_end_of_a_tier_is_no_longer_in_it():
    level = at(replace(FREE, window=Window(NOON, NOON + DAY)))
    assert [ask(level, when=when) for when in (NOON - TICK, NOON, NOON + DAY - TICK, NOON + DAY)] == [
        no(Why.TOO_EARLY, opens=NOON),
        yes("p/free"),
        yes("p/free"),
        no(Why.TOO_LATE),
    ]


def test_the_hour_that_comes_twice_is_told_apart():
    paris = ZoneInfo("Europe/Paris")
    first, second = (datetime(2024, 10, 27, 2, 30, tzinfo=paris, fold=fold) for fold in (0, 1))
    level = at(replace(FREE, window=Window(first, second)))
    assert [ask(level, when=when) for when in (first, second)] == [yes("p/free"), no(Why.TOO_LATE)]


# -- Several levels -----------------------------------------------------------------------------------------------


def test_the_strictest_level_wins():
    assert [ask(at(FREE), at(STAFF)), ask(at(STAFF), at(FREE))] == [STAFF_ONLY, STAFF_ONLY]


def test_every_level_that_has_a_policy_is_named_in_a_yes():
    assert ask(at(FREE), at(), at(rule(STAFF, slug="q")), who=ANNA) == yes("p/free", "q/staff")


def test_a_policy_further_out_is_enough():
    assert ask(at(), at(FREE)) == yes("p/free")


def test_a_level_may_override_those_further_out():
    assert ask(at(FREE, overrides=True), at(STAFF)) == yes("p/free")


def test_overriding_is_not_felt_further_in():
    assert ask(at(STAFF), at(FREE, overrides=True)) == STAFF_ONLY


def test_overriding_without_a_policy_overrides_nothing():
    assert ask(at(overrides=True), at(STAFF)) == STAFF_ONLY


def test_overriding_may_close_what_is_open_further_out():
    assert ask(at(STAFF, overrides=True), at(FREE)) == STAFF_ONLY


def test_an_overridden_level_keeps_its_embargo_and_withdrawal():
    inner = at(FREE, overrides=True)
    assert ask(inner, at(FREE, embargoes=(Embargo(TODAY),))) == no(Why.EMBARGOED, opens=NOON + DAY)
    assert ask(inner, at(FREE, withdrawals=(Withdrawal(TODAY),))) == no(Why.WITHDRAWN, opens=NOON + DAY)


# -- Grants -------------------------------------------------------------------------------------------------------


def test_a_grant_opens_its_own_level():
    assert ask(at(STAFF, grants=(Grant(User("2"), label="Bob"),)), who=BOB) == yes("Bob")


def test_a_grant_opens_everything_further_out():
    assert ask(at(FREE, grants=(Grant(User("2"), label="Bob"),)), at(STAFF), who=BOB) == yes("p/free", "Bob")


def test_a_grant_does_not_open_what_is_closed_further_in():
    refused = no(Why.NOT_ENTITLED, remedies=(LOGIN,))
    assert ask(at(STAFF), at(FREE, grants=(Grant(User("2")),)), who=BOB) == refused


def test_a_grant_is_for_one_and_not_for_others():
    assert ask(at(STAFF, grants=(Grant(User("2")),)), who=Subject(user="3")) == no(Why.NOT_ENTITLED, remedies=(LOGIN,))


def test_a_grant_opens_a_resource_without_any_policy():
    assert ask(at(grants=(Grant(User("2")),)), at(), who=BOB) == yes()


def test_a_grant_further_out_does_not_open_a_resource_without_any_policy():
    assert ask(at(), at(grants=(Grant(User("2")),)), who=BOB) == no(Why.NO_POLICY)


def test_a_grant_reaches_only_as_far_as_it_says():
    level = at(STAFF, grants=(Grant(User("2"), 400, label="Bob"),))
    assert ask(level, who=BOB, wanted=SMALL) == yes("Bob", rendition=SMALL)
    assert ask(level, who=BOB, wanted=MEDIUM) == no(Why.NOT_ENTITLED, MEDIUM, remedies=(LOGIN,))


def test_a_grant_ends():
    level = at(STAFF, grants=(Grant(User("2"), window=TODAY, label="Bob"),))
    assert [ask(level, who=BOB, when=when) for when in (NOON, NOON + DAY)] == [
        yes("Bob"),
        no(Why.NOT_ENTITLED, remedies=(LOGIN,)),
    ]


def test_a_grant_for_a_policy_is_good_for_levels_that_carry_it_only():
    given = {"policy_grants": (Grant(User("2"), label="Bob"),)}
    assert ask(at(STAFF, **given), at(STAFF, **given), who=BOB) == yes("Bob", "Bob")
    assert ask(at(STAFF, **given), at(STAFF), who=BOB) == no(Why.NOT_ENTITLED, remedies=(LOGIN,))


# -- Embargoes and withdrawals ------------------------------------------------------------------------------------


def test_an_embargo_closes_all_until_it_ends():
    level = at(FREE, embargoes=(Embargo(Window(NOON, NOON + DAY)),))
    closed = no(Why.EMBARGOED, opens=NOON + DAY)
    assert [ask(level, when=when) for when in (NOON - TICK, NOON, NOON + DAY - TICK, NOON + DAY)] == [
        yes("p/free"),
        closed,
        closed,
        yes("p/free"),
    ]


def test_an_embargo_closes_a_level_without_policy_too():
    assert ask(at(embargoes=(Embargo(TODAY),)), at(FREE)) == no(Why.EMBARGOED, opens=NOON + DAY)


def test_an_embargo_on_the_full_leaves_the_smaller():
    level = at(rule(FREE, LOOK), embargoes=(Embargo(TODAY, Closes.FULL),))
    assert ask(level) == no(Why.EMBARGOED, opens=NOON + DAY)
    assert ask(level, wanted=SMALL) == yes("p/free", rendition=SMALL)


def test_an_embargo_on_the_full_leaves_every_smaller_version_to_those_who_might_have_had_the_full_one():
    levels = at(STAFF, embargoes=(Embargo(TODAY, Closes.FULL),))
    assert ask(levels, wanted=SMALL, who=ANNA) == yes("p/staff", rendition=SMALL)
    assert ask(levels, wanted=SMALL) == no(Why.NOT_SIGNED_IN, SMALL, remedies=(LOGIN,))


def test_an_embargo_on_the_full_at_a_level_without_policy_leaves_the_smaller():
    levels = at(embargoes=(Embargo(TODAY, Closes.FULL),)), at(FREE)
    assert ask(*levels) == no(Why.EMBARGOED, opens=NOON + DAY)
    assert ask(*levels, wanted=MEDIUM) == yes("p/free", rendition=MEDIUM)


def test_of_two_embargoes_the_one_on_all_counts():
    level = at(rule(FREE, LOOK), embargoes=(Embargo(LATER), Embargo(TODAY, Closes.FULL), Embargo(TODAY)))
    assert ask(level, wanted=SMALL) == no(Why.EMBARGOED, SMALL, opens=NOON + DAY)


def test_an_embargo_closes_grants_for_the_policy():
    level = at(STAFF, policy_grants=(Grant(User("2")),), embargoes=(Embargo(TODAY),))
    assert ask(level, who=BOB) == no(Why.EMBARGOED, opens=NOON + DAY)


def test_a_grant_passes_an_embargo():
    level = at(FREE, grants=(Grant(User("2"), label="Bob"),), embargoes=(Embargo(TODAY),))
    assert ask(level, who=BOB) == yes("Bob")


def test_a_grant_does_not_pass_a_hard_embargo():
    hard = Embargo(TODAY, hard=True)
    assert ask(at(FREE, grants=(Grant(User("2")),), embargoes=(hard,)), who=BOB) == no(Why.EMBARGOED, opens=NOON + DAY)
    assert ask(at(grants=(Grant(User("2")),)), at(FREE, embargoes=(hard,)), who=BOB) == no(
        Why.EMBARGOED, opens=NOON + DAY
    )


def test_a_hard_embargo_that_is_over_stops_no_grant():
    hard = Embargo(Window(end=NOON), hard=True)
    assert ask(at(STAFF, grants=(Grant(User("2"), label="Bob"),), embargoes=(hard,)), who=BOB) == yes("Bob")


def test_all_embargoes_must_end():
    ends = NOON + 2 * DAY
    levels = at(FREE, embargoes=(Embargo(TODAY),)), at(FREE, embargoes=(Embargo(Window(end=ends)),))
    assert ask(*levels) == no(Why.EMBARGOED, opens=ends)


def test_an_embargo_without_end_opens_at_no_known_time():
    levels = at(FREE, embargoes=(Embargo(TODAY),)), at(FREE, embargoes=(Embargo(Window()),))
    assert ask(*levels) == no(Why.EMBARGOED)


def test_an_embargo_that_does_not_keep_one_out_is_not_the_reason():
    levels = at(STAFF), at(FREE, embargoes=(Embargo(TODAY, Closes.FULL),))
    assert ask(*levels, wanted=SMALL) == no(Why.NOT_SIGNED_IN, SMALL, remedies=(LOGIN,))


def test_a_withdrawal_closes_everything_to_everybody():
    level = at(FREE, grants=(Grant(Everyone()),), withdrawals=(Withdrawal(TODAY),))
    wanted = (IMAGE, SMALL, Rendition("other", OTHER))
    assert [ask(level, who=ANNA, wanted=one) for one in wanted] == [
        no(Why.WITHDRAWN, one, opens=NOON + DAY) for one in wanted
    ]


def test_a_withdrawal_anywhere_is_enough():
    assert ask(at(FREE), at(), at(withdrawals=(Withdrawal(TODAY),))) == no(Why.WITHDRAWN, opens=NOON + DAY)


def test_a_withdrawal_ends():
    assert ask(at(FREE, withdrawals=(Withdrawal(TODAY),)), when=NOON + DAY) == yes("p/free")


def test_of_two_withdrawals_the_later_end_counts_in_whatever_zone_it_is_told():
    paris = ZoneInfo("Europe/Paris")
    first, second = (datetime(2024, 10, 27, 2, 30, tzinfo=paris, fold=fold) for fold in (0, 1))
    level = at(FREE, withdrawals=(Withdrawal(Window(end=first)), Withdrawal(Window(end=second))))
    assert ask(level).opens.astimezone(UTC) == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


def test_a_withdrawal_without_end_opens_at_no_known_time():
    level = at(FREE, withdrawals=(Withdrawal(TODAY), Withdrawal(Window(NOON - DAY))))
    assert ask(level) == no(Why.WITHDRAWN)


# -- Keeping a copy -----------------------------------------------------------------------------------------------


def test_one_may_look_and_not_take():
    assert ask(at(replace(FREE, take=False))) == yes("p/free", take=False)


def test_one_source_that_lets_take_is_enough():
    assert ask(at(rule(replace(FREE, take=False), STAFF)), who=ANNA) == yes("p/free")


def test_every_level_must_let_take():
    assert ask(at(FREE), at(replace(FREE, take=False))) == yes("p/free", "p/free", take=False)


def test_what_reaches_less_than_wanted_lets_nobody_take_it():
    assert ask(at(rule(replace(FREE, take=False), LOOK))) == yes("p/free", take=False)


def test_what_an_embargo_closed_lets_nobody_take():
    level = at(
        rule(replace(FREE, take=False), LOOK), embargoes=(Embargo(TODAY),), grants=(Grant(User("2"), take=False),)
    )
    assert ask(level, wanted=SMALL, who=BOB) == yes(rendition=SMALL, take=False)


def test_a_grant_may_be_to_look_only():
    level = at(STAFF, grants=(Grant(User("2"), take=False, label="Bob"),))
    assert ask(level, who=BOB) == yes("Bob", take=False)


# -- Why ----------------------------------------------------------------------------------------------------------


def test_the_nearest_failing_level_gives_the_reason():
    levels = at(FREE), at(replace(FREE, window=LATER)), at(STAFF)
    assert ask(*levels) == no(Why.TOO_EARLY, opens=NOON + DAY, remedies=(LOGIN,))


@pytest.mark.parametrize(
    ("times", "why", "opens"),
    [
        ({"window": LATER}, Why.TOO_EARLY, LATER.start),
        ({"window": Window(end=NOON)}, Why.TOO_LATE, None),
        ({"window": Window(end=NOON), "wall": Wall(10)}, Why.TOO_LATE, None),
        ({"window": LATER, "wall": Wall(10)}, Why.TOO_EARLY, LATER.start),
        ({"wall": Wall(10)}, Why.TOO_EARLY, datetime(2030, 1, 2, tzinfo=UTC)),
        ({"wall": Wall(10), "season": Season((1, 1), (1, 2))}, Why.TOO_EARLY, datetime(2030, 1, 2, tzinfo=UTC)),
        ({"wall": Wall(9000)}, Why.TOO_EARLY, None),
        ({"wall": Wall(1), "season": Season((1, 1), (1, 2))}, Why.OUT_OF_SEASON, None),
        ({"season": Season((1, 1), (1, 2))}, Why.OUT_OF_SEASON, None),
    ],
)
def test_a_closed_tier_tells_the_first_reason(times, why, opens):
    assert ask(at(replace(STAFF, **times)), made=date(2020, 1, 2)) == no(why, opens=opens)


def test_a_wall_without_a_date_opens_at_no_known_time():
    assert ask(at(replace(FREE, wall=Wall(0)))) == no(Why.TOO_EARLY)


def test_of_closed_tiers_the_first_gives_the_reason():
    tiers = replace(STAFF, window=Window(end=NOON)), replace(FREE, window=LATER)
    assert ask(at(rule(*tiers))) == no(Why.TOO_LATE)


def test_an_open_tier_gives_the_reason_before_a_closed_one():
    assert ask(at(rule(replace(FREE, window=LATER), STAFF))) == STAFF_ONLY


def test_a_tier_that_reaches_too_little_gives_no_reason():
    assert ask(at(rule(LOOK_STAFF, CLICKED))) == no(Why.NOT_AGREED, remedies=(CLICK,))


PLACE = Network((ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("audience", "nobody", "bob"),
    [
        (User("9"), Why.NOT_SIGNED_IN, Why.NOT_ENTITLED),
        (Group("g"), Why.NOT_SIGNED_IN, Why.NOT_ENTITLED),
        (Attribute("a", "b"), Why.NOT_SIGNED_IN, Why.NOT_ENTITLED),
        (Agreed("click"), Why.NOT_AGREED, Why.NOT_AGREED),
        (PLACE, Why.WRONG_PLACE, Why.WRONG_PLACE),
        (AllOf((Authenticated(), Agreed("click"))), Why.NOT_SIGNED_IN, Why.NOT_AGREED),
        (AllOf((Authenticated(), PLACE)), Why.NOT_SIGNED_IN, Why.WRONG_PLACE),
        (AllOf((PLACE, User("9"))), Why.NOT_SIGNED_IN, Why.NOT_ENTITLED),
        (AnyOf((PLACE, Agreed("click"))), Why.NOT_AGREED, Why.NOT_AGREED),
        (AnyOf((PLACE, AllOf((Agreed("click"), User("9"))))), Why.NOT_SIGNED_IN, Why.NOT_AGREED),
        (AllOf(), Why.NOT_SIGNED_IN, Why.NOT_ENTITLED),
        (AnyOf(), Why.NOT_SIGNED_IN, Why.NOT_ENTITLED),
    ],
)
def test_what_is_missing_is_told_of_the_first_open_tier(audience, nobody, bob):
    assert [ask(at(Tier("t", audience)), who=who) for who in (NOBODY, BOB)] == [no(nobody), no(bob)]


def test_one_who_is_in_the_right_place_is_told_of_the_rest():
    inside = Subject(address=ip_address("10.1.2.3"))
    assert ask(at(Tier("t", AllOf((PLACE, Agreed("click"))))), who=inside) == no(Why.NOT_AGREED)


# -- Text ---------------------------------------------------------------------------------------------------------

NEAR, FAR, NOTE = Text(words("near")), Text(words("far")), Text(words("note"))


def test_the_deciding_policy_has_the_first_word():
    told = rule(STAFF, texts=((Why.TOO_LATE, FAR), (Why.NOT_SIGNED_IN, NEAR)))
    free = rule(FREE, texts=((Why.NOT_SIGNED_IN, FAR),))
    assert ask(at(free), at(told)) == replace(STAFF_ONLY, text=NEAR)


def test_if_it_has_no_word_the_first_level_that_has_one_speaks():
    far = rule(FREE, texts=((Why.NOT_SIGNED_IN, FAR),))
    assert ask(at(STAFF), at(), at(far)) == replace(STAFF_ONLY, text=FAR)


def test_a_policy_set_aside_is_silent():
    far = rule(FREE, texts=((Why.NOT_SIGNED_IN, FAR),))
    assert ask(at(STAFF, overrides=True), at(far)) == STAFF_ONLY


@pytest.mark.parametrize(("note", "text"), [(NOTE.heading, NOTE), ((), NEAR)])
def test_the_note_of_an_embargo_comes_before_the_text(note, text):
    told = rule(FREE, texts=((Why.EMBARGOED, NEAR),))
    assert ask(at(told, embargoes=(Embargo(TODAY, note=note),))) == no(Why.EMBARGOED, opens=NOON + DAY, text=text)


@pytest.mark.parametrize(("note", "text"), [(NOTE.heading, NOTE), ((), NEAR)])
def test_the_note_of_a_withdrawal_comes_before_the_text(note, text):
    told = rule(FREE, texts=((Why.WITHDRAWN, NEAR),))
    overlays = Withdrawal(LATER, FAR.heading), Withdrawal(TODAY, note)
    assert ask(at(told, withdrawals=overlays)) == no(Why.WITHDRAWN, opens=NOON + DAY, text=text)


# -- Remedies -----------------------------------------------------------------------------------------------------


def test_remedies_are_the_services_of_covering_open_tiers_of_failing_levels_once_each():
    both = replace(STAFF, services=(CLICK, LOGIN, CLICK))
    shut = replace(STAFF, services=(KIOSK,), window=LATER)
    small = replace(LOOK_STAFF, services=(KIOSK,))
    passed = replace(FREE, services=(KIOSK,))
    levels = at(rule(both, shut, small)), at(passed), at(STAFF)
    assert ask(*levels) == no(Why.NOT_SIGNED_IN, remedies=(CLICK, LOGIN))


def test_what_was_agreed_to_is_no_remedy():
    tier = replace(CLICKED, audience=AllOf((Agreed("click"), Group("staff"))), services=(CLICK, LOGIN))
    agreed = Subject(agreements=frozenset({"click"}))
    assert ask(at(tier), who=agreed) == no(Why.NOT_SIGNED_IN, remedies=(LOGIN,))


def test_nothing_helps_against_a_withdrawal():
    assert ask(at(STAFF, withdrawals=(Withdrawal(TODAY),))) == no(Why.WITHDRAWN, opens=NOON + DAY)


SEALED = no(Why.EMBARGOED, opens=NOON + DAY)


def test_nothing_helps_against_an_embargo_that_nobody_may_pass():
    assert ask(at(STAFF, embargoes=(Embargo(TODAY),)), at(CLICKED)) == SEALED


def test_signing_in_may_help_against_an_embargo_that_somebody_may_pass():
    level = at(STAFF, grants=(Grant(User("2")),), embargoes=(Embargo(TODAY),))
    assert ask(level) == replace(SEALED, remedies=(LOGIN,))


def test_a_grant_further_in_is_good_for_that_too():
    levels = at(FREE, grants=(Grant(User("2")),)), at(STAFF, embargoes=(Embargo(TODAY),))
    assert ask(*levels) == replace(SEALED, remedies=(LOGIN,))


@pytest.mark.parametrize("grant", [Grant(User("2"), 400), Grant(User("2"), window=LATER)])
def test_a_grant_too_small_or_too_late_gives_no_hope(grant):
    assert ask(at(STAFF, grants=(grant,), embargoes=(Embargo(TODAY),))) == SEALED


def test_a_grant_further_out_gives_no_hope():
    assert ask(at(STAFF, embargoes=(Embargo(TODAY),)), at(FREE, grants=(Grant(User("2")),))) == SEALED


def test_a_hard_embargo_leaves_no_hope():
    assert ask(at(STAFF, grants=(Grant(User("2")),), embargoes=(Embargo(TODAY, hard=True),))) == SEALED


def test_an_embargo_on_the_full_leaves_hope_for_the_smaller():
    level = at(LOOK_STAFF, embargoes=(Embargo(TODAY, Closes.FULL),))
    assert ask(level, wanted=SMALL) == no(Why.NOT_SIGNED_IN, SMALL, remedies=(LOGIN,))


# -- Substitutes --------------------------------------------------------------------------------------------------


def test_nobody_gets_the_thumbnail_instead():
    assert ask(at(rule(STAFF, LOOK)), others=(SMALL,)) == replace(STAFF_ONLY, substitutes=(Substitute(SMALL),))


def test_looking_stops_at_the_first_that_one_may_have():
    level = at(rule(STAFF, replace(LOOK, max_edge=800)))
    assert ask(level, others=(MEDIUM, SMALL)) == replace(STAFF_ONLY, substitutes=(Substitute(MEDIUM),))


def test_what_one_may_not_have_and_cannot_get_is_no_substitute():
    assert ask(at(replace(FREE, window=LATER)), others=(SMALL,)) == no(Why.TOO_EARLY, opens=NOON + DAY)


def test_a_controlled_substitute_comes_with_its_own_offer():
    click = replace(CLICKED, gets=Gets.SMALLER, max_edge=800)
    level, others = at(rule(STAFF, click, LOOK)), (IMAGE, MEDIUM, SMALL)
    medium = offer(level, wanted=MEDIUM, others=(SMALL,))
    assert ask(level, others=others) == replace(STAFF_ONLY, substitutes=(Substitute(MEDIUM, medium), Substitute(SMALL)))


def test_what_is_not_smaller_is_no_substitute():
    others = replace(MEDIUM, uri="same"), IMAGE, Rendition("other", OTHER)
    assert ask(at(LOOK), wanted=MEDIUM, others=others) == no(Why.NOT_OFFERED, MEDIUM)


FREE_POSTER = offer(at(FREE), wanted=POSTER)


def test_another_resource_may_be_shown_instead():
    assert ask(at(rule(STAFF, INSTEAD)), substitutes=(FREE_POSTER,)) == replace(
        STAFF_ONLY, substitutes=(Substitute(POSTER),)
    )


def test_a_smaller_rendition_that_one_may_have_comes_alone():
    assert ask(at(rule(STAFF, LOOK, INSTEAD)), others=(SMALL,), substitutes=(FREE_POSTER,)) == replace(
        STAFF_ONLY, substitutes=(Substitute(SMALL),)
    )


def test_a_controlled_rendition_comes_before_another_resource():
    level = at(rule(STAFF, INSTEAD))
    asked = offer(level, others=(SMALL,), substitutes=(FREE_POSTER,))
    small = replace(asked, wanted=SMALL, others=())
    assert decide(asked, NOBODY, NOON) == replace(
        STAFF_ONLY, substitutes=(Substitute(SMALL, small), Substitute(POSTER))
    )


def test_another_resource_has_rules_of_its_own():
    controlled = offer(at(STAFF), wanted=POSTER)
    shut = offer(at(replace(FREE, window=LATER)), wanted=POSTER)
    level = at(rule(CLICKED, INSTEAD))
    refused = no(Why.NOT_AGREED, remedies=(CLICK,))
    assert [ask(level, substitutes=(instead,)) for instead in (controlled, shut)] == [
        replace(refused, substitutes=(Substitute(POSTER, controlled),)),
        refused,
    ]


def test_a_substitute_has_no_substitutes():
    shut = offer(at(INSTEAD), wanted=POSTER, substitutes=(FREE_POSTER,))
    assert ask(at(INSTEAD), substitutes=(shut,)) == no(Why.NOT_OFFERED)


def test_a_resource_that_is_not_there_is_no_substitute():
    assert ask(at(INSTEAD), substitutes=(replace(FREE_POSTER, wanted=IMAGE),)) == no(Why.NOT_OFFERED)


def test_a_tier_that_does_not_admit_one_offers_no_substitute():
    tier = replace(INSTEAD, audience=Group("staff"))
    levels = at(rule(INSTEAD, slug="q")), at(rule(Tier("other", Everyone(), Gets.SUBSTITUTE), tier))
    asked = {"substitutes": (FREE_POSTER,)}
    assert ask(levels[1], **asked) == no(Why.NOT_OFFERED)
    assert ask(levels[1], who=ANNA, **asked) == no(Why.NOT_OFFERED, substitutes=(Substitute(POSTER),))


def test_a_level_that_lets_nothing_through_lets_no_substitute_through():
    levels = at(INSTEAD), at(Tier("none", Everyone(), Gets.NOTHING))
    assert ask(*levels, substitutes=(FREE_POSTER,)) == no(Why.NOT_OFFERED)


def test_each_substitute_is_named_once():
    small_poster = replace(SMALL, uri="poster")
    level = at(rule(STAFF, INSTEAD, INSTEAD))
    twice = offer(level, level, substitutes=(FREE_POSTER,))
    both = offer(level, others=(small_poster,), substitutes=(FREE_POSTER,))
    assert decide(twice, NOBODY, NOON) == replace(STAFF_ONLY, substitutes=(Substitute(POSTER),))
    assert decide(both, NOBODY, NOON) == replace(
        STAFF_ONLY, substitutes=(Substitute(small_poster, replace(both, wanted=small_poster, others=())),)
    )


def test_a_level_without_policy_names_no_substitute():
    assert ask(at(), at(INSTEAD), substitutes=(FREE_POSTER,)) == no(Why.NOT_OFFERED, substitutes=(Substitute(POSTER),))


def test_an_embargo_on_all_offers_no_substitute_and_one_on_the_full_does():
    def level(closes):
        return at(INSTEAD, grants=(Grant(Everyone(), OTHER),), embargoes=(Embargo(TODAY, closes),))

    assert [ask(level(closes), substitutes=(FREE_POSTER,)) for closes in (Closes.ALL, Closes.FULL)] == [
        SEALED,
        replace(SEALED, substitutes=(Substitute(POSTER),)),
    ]


def test_a_withdrawal_leaves_no_substitute():
    level = at(rule(LOOK, INSTEAD), withdrawals=(Withdrawal(TODAY),))
    assert ask(level, others=(SMALL,), substitutes=(FREE_POSTER,)) == no(Why.WITHDRAWN, opens=NOON + DAY)


@pytest.mark.parametrize("reach", [NOTHING, OTHER, 400, FULL - 1])
def test_a_grant_of_less_is_never_the_full(reach):
    assert ask(at(STAFF, grants=(Grant(Everyone(), reach),))) == STAFF_ONLY
