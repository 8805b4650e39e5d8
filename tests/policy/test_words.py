"""Sentences are made from rules. The translator here is ``str``, so these are the English ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from iiif_auth.policy import words
from iiif_auth.policy.explain import Because, Finding, Remedy, Verdict, explain
from iiif_auth.policy.types import (
    FULL,
    OTHER,
    AccessService,
    Agreed,
    AllOf,
    AnyOf,
    Attribute,
    Authenticated,
    Closes,
    Embargo,
    Everyone,
    Gets,
    Grant,
    Group,
    Network,
    Pattern,
    Policy,
    Season,
    Tier,
    User,
    Wall,
    Window,
    Withdrawal,
)
from tests.reference.cases import block

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2031, 5, 1, tzinfo=UTC)
STAFF = Group("1", "Staff")
ROOM = Network((ip_network("192.0.2.0/28"),), "Reading room")
TERMS = Agreed("terms", "Donor's terms")
LOGIN = AccessService("login", Pattern.LOGIN)
CLICK = AccessService("terms", Pattern.CLICKTHROUGH, (("en", ("Donor's terms",)),))
KIOSK = AccessService("kiosk", Pattern.KIOSK)
EXTERNAL = AccessService("campus", Pattern.EXTERNAL)
ALL = Tier("all", Everyone())
MEMBERS = Tier("members", Authenticated(), services=(LOGIN,))
PREVIEW = Tier("preview", Everyone(), Gets.SMALLER, max_edge=400, take=False)
WINTER = Season((11, 1), (3, 1))


def said(*tiers):
    return words.policy_sentence(Policy("p", tiers), str)


@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        ((), "Nobody may see anything."),
        ((ALL,), "Anyone may view and keep a copy."),
        ((replace(ALL, take=False),), "Anyone may view."),
        (
            (MEMBERS, PREVIEW),
            "Anyone signed in may view and keep a copy; everyone else may view a version of at most 400 pixels.",
        ),
        (
            (Tier("t", AllOf((STAFF, ROOM)), take=False),),
            "Members of Staff who are at Reading room may view; nobody else may see anything.",
        ),
        (
            (Tier("t", STAFF, window=Window(FUTURE)), PREVIEW),
            "Members of Staff may view and keep a copy from 1 May 2031; "
            "otherwise anyone may view a version of at most 400 pixels.",
        ),
        (
            (replace(ALL, season=WINTER),),
            "Anyone may view and keep a copy every year from 1 November until 1 March; "
            "otherwise nobody may see anything.",
        ),
        (
            (Tier("t", STAFF), Tier("n", Everyone(), Gets.NOTHING)),
            "Members of Staff may view and keep a copy; nobody else may see anything.",
        ),
        (
            (MEMBERS, Tier("i", Everyone(), Gets.SUBSTITUTE, substitute="/other", take=False)),
            "Anyone signed in may view and keep a copy; everyone else may see something else instead.",
        ),
    ],
)
def test_a_policy_is_one_sentence(tiers, sentence):
    assert said(*tiers) == sentence


def test_the_order_of_tiers_does_not_change_the_sentence():
    assert said(PREVIEW, MEMBERS) == said(MEMBERS, PREVIEW)


def test_tiers_that_add_nothing_are_not_said():
    assert said(ALL, Tier("t", STAFF), PREVIEW, ALL, Tier("n", AnyOf())) == said(ALL)


def test_a_better_right_within_a_smaller_reach_is_said():
    tiers = (replace(ALL, take=False), Tier("t", STAFF, Gets.SMALLER, max_edge=400))
    assert said(*tiers) == "Anyone may view; members of Staff may view and keep a version of at most 400 pixels."


@pytest.mark.parametrize(
    ("audience", "phrase"),
    [
        (Everyone(), "anyone"),
        (Authenticated(), "anyone signed in"),
        (User("7", "hana"), "hana (one person)"),
        (User("7"), "#7 (one person)"),
        (STAFF, "members of Staff"),
        (Attribute("role", "staff"), "anyone whose role is “staff”"),
        (ROOM, "anyone at Reading room"),
        (Network(ROOM.prefixes), "anyone at 192.0.2.0/28"),
        (TERMS, "anyone who went through “Donor's terms”"),
        (AllOf(), "nobody"),
        (AllOf((STAFF, AnyOf())), "nobody"),
        (AllOf((Everyone(),)), "anyone"),
        (AllOf((Everyone(), STAFF)), "members of Staff"),
        (AnyOf((Everyone(), STAFF)), "anyone"),
        (AnyOf((STAFF, AnyOf((ROOM, STAFF)))), "members of Staff or anyone at Reading room"),
        (
            AnyOf((AllOf((STAFF, ROOM)), Authenticated())),
            "members of Staff who are at Reading room, or anyone signed in",
        ),
        (
            AllOf((Authenticated(), TERMS, Attribute("role", "staff"), User("7", "hana"))),
            "people who are signed in, have gone through “Donor's terms”, have “staff” as their role and are hana",
        ),
        (
            AllOf((STAFF, AnyOf((ROOM, AllOf((TERMS, Group("2", "Elders"))))))),
            "members of Staff who (are at Reading room or have gone through “Donor's terms” and are members of Elders)",
        ),
    ],
)
def test_an_audience(audience, phrase):
    assert words.who(audience, str) == phrase


def test_conditions_of_nobody_and_everyone():
    assert words.condition(AnyOf(), str) == "are nobody"
    assert words.condition(Everyone(), str) == "are anyone"


@pytest.mark.parametrize(
    ("services", "phrase"),
    [
        ((LOGIN,), "members of Staff may view by signing in"),
        ((CLICK,), "members of Staff may view after agreeing to “Donor's terms”"),
        ((KIOSK, LOGIN), "members of Staff may view at a kiosk or by signing in"),
        ((EXTERNAL,), "members of Staff may view recognised by where they are"),
    ],
)
def test_the_way_in_is_said(services, phrase):
    assert words.tier_phrase(Tier("t", STAFF, take=False, services=services), str) == phrase


@pytest.mark.parametrize(
    ("audience", "services"),
    [(Authenticated(), (LOGIN,)), (ROOM, (KIOSK, EXTERNAL)), (TERMS, (CLICK,)), (Everyone(), (LOGIN, KIOSK))],
)
def test_the_way_in_is_not_said_twice(audience, services):
    assert words.ways(Tier("t", audience, services=services), str) == ""


@pytest.mark.parametrize(
    ("tier", "phrase"),
    [
        (replace(ALL, wall=Wall(70)), "once 70 years have passed since its date"),
        (replace(ALL, wall=Wall(1)), "once a year has passed since its date"),
        (replace(ALL, wall=Wall(0)), "from its date on"),
        (replace(ALL, window=Window(PAST, FUTURE)), "from 1 January 2020 until 1 May 2031"),
        (replace(ALL, window=Window(end=NOON)), "until 1 June 2026, 12:00"),
        (replace(ALL, season=Season((5, 1), (5, 1))), "at no time of the year"),
        (
            replace(ALL, wall=Wall(5), season=WINTER),
            "once 5 years have passed since its date and every year from 1 November until 1 March",
        ),
    ],
)
def test_times(tier, phrase):
    assert words.times(tier, str) == phrase


def test_days_begin_in_the_readers_time_zone():
    paris = words.Reader(zone="Europe/Paris")
    assert words.instant(datetime(2031, 4, 30, 22, tzinfo=UTC), str, paris) == "1 May 2031"
    assert words.instant(datetime(2031, 4, 30, 22, tzinfo=UTC), str) == "30 April 2031, 22:00"


def test_a_month_that_does_not_exist_is_its_number():
    assert words.day_of_year((13, 1), str) == "1 13"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Embargo(Window(end=FUTURE)), "Closed until 1 May 2031."),
        (Embargo(Window()), "Closed, with no end set."),
        (Embargo(Window(PAST)), "Closed from 1 January 2020, with no end set."),
        (
            Embargo(Window(end=FUTURE), Closes.FULL, hard=True),
            "The full version is closed until 1 May 2031, to people with a grant too.",
        ),
        (Withdrawal(Window()), "Withdrawn."),
        (Withdrawal(Window(PAST)), "Withdrawn from 1 January 2020."),
        (Grant(User("7", "hana"), take=False), "By a grant hana may view."),
        (Grant(STAFF, OTHER), "By a grant members of Staff may see something else instead."),
        (Grant(ROOM, 400, Window(end=FUTURE), take=False),
         "By a grant anyone at Reading room may view a version of at most 400 pixels until 1 May 2031."),
        (MEMBERS, "Anyone signed in may view and keep a copy."),
        (Tier("t", User("7", "hana")), "Hana (one person) may view and keep a copy."),
        (Tier("t", STAFF, Gets.NOTHING), "Members of Staff may see nothing."),
        (Policy("p", (ALL,)), "Anyone may view and keep a copy."),
        (None, "No policy."),
    ],
)  # fmt: skip
def test_a_rule(rule, sentence):
    assert words.rule_sentence(rule, str) == sentence


def test_a_grant_need_not_say_to_whom_it_was_given():
    assert (
        words.rule_sentence(Grant(User("7", "hana")), str, named=False)
        == "By a grant somebody may view and keep a copy."
    )


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (Finding(0, MEMBERS, Verdict.YES, Because.ADMITS), "All its conditions are met."),
        (
            Finding(0, MEMBERS, Verdict.NO, Because.UNMET, unmet=(Authenticated(), STAFF, ROOM)),
            "Not signed in; not a member of Staff; not at Reading room.",
        ),
        (
            Finding(0, MEMBERS, Verdict.NO, Because.UNMET, unmet=(User("7", "hana"), Attribute("role", "x"), TERMS)),
            "Not hana; not known to have “x” as role; has not gone through “Donor's terms”.",
        ),
        (Finding(0, MEMBERS, Verdict.NO, Because.UNMET), "It is for nobody."),
        (Finding(0, ALL, Verdict.NO, Because.NOT_BEGUN, when=FUTURE), "Begins on 1 May 2031."),
        (Finding(0, ALL, Verdict.NO, Because.OVER, when=PAST), "Ended on 1 January 2020."),
        (Finding(0, ALL, Verdict.NO, Because.RUNNING, when=FUTURE), "Runs until 1 May 2031."),
        (Finding(0, ALL, Verdict.NO, Because.RUNNING), "Runs, with no end set."),
        (Finding(0, ALL, Verdict.NO, Because.WALL, when=FUTURE), "Opens on 1 May 2031."),
        (Finding(0, ALL, Verdict.NO, Because.WALL), "Never opens, for the date is not known."),
        (
            Finding(0, replace(ALL, season=WINTER), Verdict.NO, Because.SEASON),
            "Out of season: open every year from 1 November until 1 March.",
        ),
        (Finding(0, None, Verdict.NO, Because.SEASON), "Out of season."),
        (
            Finding(0, PREVIEW, Verdict.DOES_NOT_APPLY, Because.SMALLER),
            "It only lets people view a version of at most 400 pixels.",
        ),
        (
            Finding(0, PREVIEW, Verdict.DOES_NOT_APPLY, Because.SMALLER, gives=400),
            "All its conditions are met, but it only lets people view a version of at most 400 pixels.",
        ),
    ],
)
def test_a_finding(finding, sentence):
    assert words.finding_sentence(finding, str) == sentence


def test_every_reason_has_words():
    for because in Because:
        assert len(words.finding_sentence(Finding(0, ALL, Verdict.NO, because), str)) > 8


@pytest.mark.parametrize(
    ("remedy", "phrase"),
    [
        (Remedy((Authenticated(), STAFF)), "signing in and membership of Staff"),
        (
            Remedy((TERMS, ROOM), FUTURE),
            "going through “Donor's terms”, being at Reading room and waiting until 1 May 2031",
        ),
        (Remedy((Attribute("role", "x"), User("7", "hana"))), "having “x” as role and being hana"),
        (Remedy(grant=True), "a grant"),
    ],
)
def test_a_remedy(remedy, phrase):
    assert words.remedy_phrase(remedy, str) == phrase


def test_verdicts():
    assert [words.verdict_word(verdict, str) for verdict in Verdict] == ["yes", "no", "does not apply"]


# -- Warnings -----------------------------------------------------------------------------------------------------


def warned(*tiers):
    return words.warnings(Policy("p", tiers), NOON, str)


@pytest.mark.parametrize(
    "tiers",
    [
        (ALL,),
        (MEMBERS, PREVIEW),
        (Tier("room", ROOM), Tier("instead", Everyone(), Gets.SUBSTITUTE, substitute="/x")),
        (Tier("terms", TERMS, services=(CLICK,)), Tier("nothing", Everyone(), Gets.NOTHING)),
        (replace(ALL, season=WINTER, window=Window(PAST, FUTURE)),),
    ],
)
def test_a_sound_policy_has_no_warnings(tiers):
    assert warned(*tiers) == ()


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ((), ("It has no tiers, so it lets nobody in.",)),
        ((Tier("t", AllOf()),), ("“t” has no conditions, so it is for nobody.",)),
        ((Tier("t", AllOf((ROOM, AnyOf()))),), ("“t” asks for something that nobody can meet.",)),
        ((ALL, PREVIEW), ("“preview” changes nothing, for everybody has as much by “all”.",)),
        ((PREVIEW, MEMBERS), ("“members” gives more than “preview” above it; the best comes first.",)),
        (
            (Tier("t", ROOM, Gets.NOTHING),),
            ("“t” gives nothing, and takes nothing away from people whom another tier lets in.",),
        ),
        ((Tier("t", ROOM, Gets.SMALLER),), ("“t” gives a smaller version without saying how large.",)),
        ((Tier("t", ROOM, Gets.SUBSTITUTE),), ("“t” gives something else instead without saying what.",)),
        ((replace(ALL, window=Window(end=PAST)),), ("“all” has been over since 1 January 2020.",)),
        ((replace(ALL, window=Window(FUTURE, PAST)),), ("“all” ends before it begins, so it is never open.",)),
        (
            (replace(ALL, season=Season((2, 30), (3, 1))),),
            ("The season of “all” begins or ends on a day that does not exist.",),
        ),
        (
            (replace(ALL, season=Season((3, 1), (3, 1))),),
            ("The season of “all” ends on the day it begins, so it is never open.",),
        ),
        (
            (Tier("t", STAFF),),
            ("“t” asks who people are but has no access service, so viewers can not let them sign in.",),
        ),
        (
            (Tier("t", STAFF, services=(CLICK,)),),
            ("“t” asks who people are, but none of its access services lets them sign in.",),
        ),
        ((Tier("t", TERMS),), ("“t” asks people to have gone through “Donor's terms”, but does not lead there.",)),
        (
            (Tier("t", Network((ip_network("::/0"),), "World")),),
            ("The network World takes in every address there is (::/0).",),
        ),
        (
            (Tier("t", Network((ip_network("10.1.0.0/16"),), "Inside")),),
            ("The network Inside has private addresses (10.1.0.0/16), which only arrive here from inside.",),
        ),
        ((Tier("t", Network((ip_network("9.0.0.0/8"),), "Wide")),), ("The network Wide is very large (9.0.0.0/8).",)),
        ((Tier("t", Network((), "Empty")),), ("The network Empty has no addresses, so nobody is there.",)),
    ],
)
def test_a_warning(tiers, expected):
    assert warned(*tiers) == expected


def test_a_name_with_a_per_cent_sign_stays_as_it_is():
    tier = Tier("t", Agreed("x", "100 % %(tier)s"), label=(("en", ("50 % off",)),))
    assert warned(tier) == ("“50 % off” asks people to have gone through “100 % %(tier)s”, but does not lead there.",)
    assert "100 % %(tier)s" in said(tier)


# -- Whatever is asked --------------------------------------------------------------------------------------------


def test_every_random_case_can_be_said():
    for number in range(60):
        offer, questions = block(2000, number)
        subject, at = questions[0]
        explained = explain(offer, subject, at)
        for level in explained.levels:
            assert level.policy is None or words.policy_sentence(level.policy, str).endswith(".")
            assert level.policy is None or all(words.warnings(level.policy, at, str) or [True])
        for finding in explained.findings:
            assert words.rule_sentence(finding.rule, str)
            assert words.finding_sentence(finding, str)
        assert all(words.remedy_phrase(remedy, str) for remedy in explained.remedies)


def test_everything_said_goes_through_the_translator():
    policy = Policy("p", (Tier("t", AllOf((STAFF, ROOM)), season=WINTER, services=(LOGIN,)), PREVIEW))
    shouted = words.policy_sentence(policy, lambda text: text.replace("may", "MAY").replace("March", "MARCH"))
    assert shouted.startswith("Members of Staff who are at Reading room MAY view")
    assert "MARCH" in shouted


def test_what_there_is_of_a_reach():
    assert [words.what(reach, True, str) for reach in (FULL, 400, OTHER, -1)] == [
        "view and keep a copy",
        "view and keep a version of at most 400 pixels",
        "see something else instead",
        "see nothing",
    ]
