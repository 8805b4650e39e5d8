"""Every finding is a reason of the decision, and every remedy really helps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from ipaddress import ip_address, ip_network

import pytest

from iiif_auth.policy.decide import decide
from iiif_auth.policy.explain import (
    Because,
    Explanation,
    Finding,
    Remedy,
    Verdict,
    concluded,
    explain,
    in_season,
    tried,
    unmet_sets,
)
from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    NOTHING,
    AllOf,
    Allowed,
    AnyOf,
    Authenticated,
    Closes,
    Embargo,
    Everyone,
    Gets,
    Grant,
    Group,
    Level,
    Network,
    Offer,
    Policy,
    Rendition,
    Season,
    Subject,
    Tier,
    Unknown,
    User,
    Wall,
    Window,
    Withdrawal,
)
from tests.reference.cases import block

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAST = datetime(2026, 1, 1, tzinfo=UTC)
FUTURE = datetime(2031, 5, 1, tzinfo=UTC)
STAFF = Group("1", "Staff")
ROOM = Network((ip_network("192.0.2.0/28"),), "Reading room")
ALL = Tier("all", Everyone())
STAFF_ONLY = Tier("full", STAFF)
PREVIEW = Tier("preview", Everyone(), Gets.SMALLER, max_edge=400)
HANA = Subject(user="7")


def offer(*tiers: Tier, **level: object) -> Offer:
    return Offer(Rendition("/x"), levels=(Level("/x", Policy("p", tiers), **level),))


def found(asked: Offer, subject: Subject = HANA, at: datetime = NOON) -> tuple[Finding, ...]:
    return explain(asked, subject, at).findings


def helps(asked: Offer, subject: Subject = HANA, at: datetime = NOON) -> tuple[Remedy, ...]:
    return explain(asked, subject, at).remedies


# -- It never disagrees -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_findings_and_remedies_agree_with_the_decision_on_random_cases(seed):
    for number in range(150):
        asked, questions = block(1000 + seed, number)
        for subject, at in questions[:6]:
            explained = explain(asked, subject, at)
            assert explained.decision == decide(asked, subject, at)
            if asked is not None:
                check_conclusion(asked, explained)
                check_remedies(asked, subject, at, explained)


def check_conclusion(asked, explained):
    decision, wanted = explained.decision, asked.wanted.reach
    reach, take = concluded(explained.findings, wanted)
    assert (reach >= wanted) == isinstance(decision, Allowed)
    assert take == (isinstance(decision, Allowed) and decision.take)
    assert {finding.level for finding in explained.findings} == set(range(len(explained.levels)))


def check_remedies(asked, subject, at, explained):
    assert not (explained.remedies and isinstance(explained.decision, Allowed))
    for remedy in explained.remedies:
        assert isinstance(decide(*tried(remedy, asked, subject), remedy.until or at), Allowed)


def test_what_does_not_exist_has_no_findings():
    assert explain(None, HANA, NOON) == Explanation(Unknown())


def test_a_naive_instant_is_refused():
    with pytest.raises(TypeError):
        explain(offer(ALL), HANA, datetime(2026, 6, 1))  # noqa: DTZ001 - that is the point


# -- Findings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (ALL, Finding(0, ALL, Verdict.YES, Because.ADMITS, gives=FULL, take=True)),
        (STAFF_ONLY, Finding(0, STAFF_ONLY, Verdict.NO, Because.UNMET, unmet=(STAFF,))),
        (PREVIEW, Finding(0, PREVIEW, Verdict.DOES_NOT_APPLY, Because.SMALLER, gives=400, take=True)),
        (
            replace(PREVIEW, audience=STAFF),
            Finding(0, replace(PREVIEW, audience=STAFF), Verdict.DOES_NOT_APPLY, Because.SMALLER),
        ),
    ],
)
def test_a_tier(tier, expected):
    assert found(offer(tier)) == (replace(expected, policy="p"),)


@pytest.mark.parametrize(
    ("change", "because", "when"),
    [
        ({"window": Window(start=FUTURE)}, Because.NOT_BEGUN, FUTURE),
        ({"window": Window(end=PAST)}, Because.OVER, PAST),
        ({"wall": Wall(70)}, Because.WALL, datetime(2030, 1, 1, tzinfo=UTC)),
        ({"season": Season((11, 1), (3, 1))}, Because.SEASON, None),
    ],
)
def test_a_tier_at_the_wrong_time(change, because, when):
    tier = replace(ALL, **change)
    asked = replace(offer(tier), made=date(1960, 1, 1))
    assert found(asked) == (Finding(0, tier, Verdict.NO, because, when=when, policy="p"),)


def test_a_moving_wall_without_a_date_has_no_instant():
    assert found(offer(replace(ALL, wall=Wall(70))))[0].when is None


@pytest.mark.parametrize(
    ("window", "verdict", "because", "when"),
    [
        (Window(PAST, FUTURE), Verdict.NO, Because.RUNNING, FUTURE),
        (Window(FUTURE), Verdict.DOES_NOT_APPLY, Because.NOT_BEGUN, FUTURE),
        (Window(end=PAST), Verdict.DOES_NOT_APPLY, Because.OVER, PAST),
    ],
)
def test_an_embargo_and_a_withdrawal(window, verdict, because, when):
    embargo, withdrawal = Embargo(window), Withdrawal(window)
    first, second, _tier = found(offer(ALL, embargoes=(embargo,), withdrawals=(withdrawal,)))
    assert first == Finding(0, withdrawal, verdict, because, when=when)
    assert second == Finding(0, embargo, verdict, because, when=when)


def test_an_embargo_of_the_full_version_leaves_the_smaller_ones():
    asked = offer(ALL, embargoes=(Embargo(Window(), Closes.FULL),))
    assert [finding.because for finding in found(asked)] == [Because.RUNNING, Because.EMBARGOED]
    smaller = replace(asked, wanted=Rendition("/x~small", 400))
    assert [finding.because for finding in found(smaller)] == [Because.FULL_ONLY, Because.ADMITS]


@pytest.mark.parametrize(
    ("grant", "verdict", "because", "when"),
    [
        (Grant(User("7")), Verdict.YES, Because.ADMITS, None),
        (Grant(User("8")), Verdict.DOES_NOT_APPLY, Because.SOMEBODY_ELSE, None),
        (Grant(User("7"), window=Window(end=PAST)), Verdict.NO, Because.OVER, PAST),
        (Grant(User("7"), window=Window(FUTURE)), Verdict.NO, Because.NOT_BEGUN, FUTURE),
        (Grant(User("7"), reach=400), Verdict.DOES_NOT_APPLY, Because.SMALLER, None),
    ],
)
def test_a_grant(grant, verdict, because, when):
    last = found(offer(STAFF_ONLY, grants=(grant,)))[-1]
    assert (last.rule, last.verdict, last.because, last.when, last.given_at) == (grant, verdict, because, when, 0)


def test_a_hard_embargo_closes_grants_too():
    asked = offer(STAFF_ONLY, grants=(Grant(User("7")),), embargoes=(Embargo(Window(), hard=True),))
    assert found(asked)[-1].because is Because.HARD


def test_a_grant_for_a_policy_is_closed_by_any_embargo():
    asked = offer(STAFF_ONLY, policy_grants=(Grant(User("7")),), embargoes=(Embargo(Window()),))
    assert (found(asked)[-1].because, found(asked)[-1].policy) == (Because.EMBARGOED, "p")


def test_a_grant_is_named_further_out_only_where_it_counts():
    grants = (Grant(User("7")), Grant(User("8")))
    outer = Level("c", Policy("outer", (STAFF_ONLY,)))
    asked = Offer(Rendition("/x"), levels=(Level("/x", grants=grants), outer))
    given = [(f.level, f.given_at, f.rule.principal) for f in found(asked) if isinstance(f.rule, Grant)]
    assert given == [(0, 0, User("7")), (0, 0, User("8")), (1, 0, User("7"))]


def test_a_replaced_policy_does_not_apply():
    inner, outer = Policy("inner", (ALL,)), Policy("outer", (STAFF_ONLY,))
    asked = Offer(Rendition("/x"), levels=(Level("/x", inner, overrides=True), Level("c", outer)))
    expected = Finding(1, outer, Verdict.DOES_NOT_APPLY, Because.SET_ASIDE, gives=FULL, take=True)
    assert found(asked)[-1] == expected


def test_places_without_a_policy():
    nowhere = Offer(Rendition("/x"))
    assert found(nowhere) == (Finding(0, None, Verdict.NO, Because.UNSETTLED),)
    above = Offer(Rendition("/x"), levels=(Level("/x"), Level("c", Policy("p", (ALL,)))))
    assert found(above)[0] == Finding(0, None, Verdict.YES, Because.NO_POLICY, gives=FULL, take=True)
    closed = replace(above, levels=(Level("/x", embargoes=(Embargo(Window()),)), above.levels[1]))
    assert found(closed)[1] == Finding(0, None, Verdict.NO, Because.EMBARGOED, gives=NOTHING, take=True)


def test_a_policy_without_tiers():
    assert found(offer())[0].because is Because.NO_TIERS


# -- Remedies -----------------------------------------------------------------------------------------------------

GRANT = Remedy(grant=True)


@pytest.mark.parametrize(
    ("audience", "subject", "expected"),
    [
        (STAFF, HANA, (Remedy((STAFF,)), GRANT)),
        (STAFF, NOBODY, (GRANT, Remedy((Authenticated(), STAFF)))),
        (Authenticated(), NOBODY, (Remedy((Authenticated(),)), GRANT)),
        (ROOM, HANA, (Remedy((ROOM,)), GRANT)),
        (AllOf((STAFF, ROOM)), HANA, (GRANT, Remedy((STAFF, ROOM)))),
        (AnyOf((STAFF, ROOM)), HANA, (Remedy((STAFF,)), Remedy((ROOM,)), GRANT)),
        (AnyOf((STAFF, AllOf((STAFF, ROOM)))), HANA, (Remedy((STAFF,)), GRANT)),
        (User("8"), HANA, (GRANT,)),
        (AllOf(), HANA, (GRANT,)),
        (Network(()), HANA, (GRANT,)),
    ],
)
def test_what_would_be_enough(audience, subject, expected):
    assert helps(offer(Tier("full", audience)), subject) == expected


def test_two_levels_ask_for_both():
    asked = Offer(Rendition("/x"), levels=tuple(Level(str(a), Policy("p", (Tier("t", a),))) for a in (STAFF, ROOM)))
    assert helps(asked) == (GRANT, Remedy((STAFF, ROOM)))


def test_nobody_is_in_two_places_at_once():
    elsewhere = Network((ip_network("198.51.100.0/24"),))
    assert helps(offer(Tier("t", AllOf((ROOM, elsewhere))))) == (GRANT,)
    wider = Network((ip_network("192.0.2.0/24"),))
    remedies = helps(offer(Tier("t", AllOf((ROOM, wider)))), Subject(address=ip_address("203.0.113.1")))
    assert len(remedies) == 2


def test_an_embargo_is_waited_for():
    asked = offer(ALL, embargoes=(Embargo(Window(end=FUTURE)),))
    assert helps(asked) == (Remedy(until=FUTURE), GRANT)


def test_a_hard_embargo_is_waited_for_even_with_a_grant():
    asked = offer(STAFF_ONLY, embargoes=(Embargo(Window(end=FUTURE), hard=True),))
    assert helps(asked) == (Remedy((STAFF,), until=FUTURE), Remedy(until=FUTURE, grant=True))


def test_nothing_helps_against_a_withdrawal_without_end():
    assert helps(offer(ALL, withdrawals=(Withdrawal(Window(PAST)),))) == ()


def test_waiting_goes_past_one_closure_after_another_into_the_season():
    tier = replace(ALL, season=Season((11, 1), (3, 1)))
    asked = offer(tier, embargoes=(Embargo(Window(end=FUTURE)),), withdrawals=(Withdrawal(Window(end=FUTURE)),))
    assert helps(asked)[0] == Remedy(until=datetime(2031, 11, 1, tzinfo=UTC))


def test_closures_that_follow_one_another_are_all_waited_for():
    ends = [datetime(2027 + year, 1, 1, tzinfo=UTC) for year in range(20)]
    windows = [Window(start, end) for start, end in zip([PAST, *ends], ends, strict=False)]
    asked = offer(ALL, withdrawals=tuple(Withdrawal(window) for window in reversed(windows)))
    assert helps(asked)[0] == Remedy(until=ends[-1])


def test_what_is_closed_in_every_season_is_not_waited_for_without_end():
    tier = replace(ALL, season=Season((11, 1), (3, 1)))
    winters = [Window(datetime(y, 10, 1, tzinfo=UTC), datetime(y + 1, 4, 1, tzinfo=UTC)) for y in range(2026, 2050)]
    assert helps(offer(tier, embargoes=tuple(Embargo(winter) for winter in winters))) == (GRANT,)


def test_what_is_over_does_not_come_back():
    assert helps(offer(replace(ALL, window=Window(end=PAST)))) == (GRANT,)


def test_a_wall_is_waited_for_if_the_date_is_known():
    asked = offer(replace(ALL, wall=Wall(70)))
    assert helps(asked) == (GRANT,)
    assert helps(replace(asked, made=date(1960, 1, 1)))[0] == Remedy(until=datetime(2030, 1, 1, tzinfo=UTC))


def test_a_grant_that_is_still_to_begin_is_waited_for():
    asked = offer(STAFF_ONLY, grants=(Grant(User("7"), window=Window(FUTURE)),), policy_grants=(Grant(User("8")),))
    assert Remedy(until=FUTURE) in helps(asked)
    held = offer(STAFF_ONLY, policy_grants=(Grant(User("7"), window=Window(FUTURE)),))
    assert Remedy(until=FUTURE) in helps(held)


def test_a_place_without_a_policy_is_waited_for():
    levels = (Level("/x", embargoes=(Embargo(Window(end=FUTURE)),)), Level("c", Policy("p", (ALL,))))
    assert helps(Offer(Rendition("/x"), levels=levels)) == (Remedy(until=FUTURE), GRANT)


@pytest.mark.parametrize(
    ("season", "at", "expected"),
    [
        (Season((6, 1), (7, 1)), NOON, NOON),
        (Season((2, 29), (3, 1)), NOON, datetime(2028, 2, 29, tzinfo=UTC)),
        (Season((7, 1), (8, 1), "Europe/Paris"), NOON, datetime(2026, 6, 30, 22, tzinfo=UTC)),
        (Season((7, 1), (7, 1)), NOON, None),
        (Season((1, 1), (6, 1)), datetime(9999, 12, 1, tzinfo=UTC), None),
    ],
)
def test_the_next_day_in_season(season, at, expected):
    assert in_season(season, at) == expected


def test_the_alternatives_of_many_conditions_stay_few():
    pairs = AllOf(tuple(AnyOf((Group(f"{n}a"), Group(f"{n}b"))) for n in range(12)))
    assert 0 < len(unmet_sets(pairs, HANA)) <= 300
