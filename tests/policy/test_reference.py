"""The program and the reference model agree; and were the program wrong, the comparison would notice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from iiif_auth.policy import decide as program
from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    AllOf,
    Allowed,
    AnyOf,
    Closes,
    Embargo,
    Everyone,
    Grant,
    Level,
    Network,
    Season,
    Tier,
    Wall,
    Why,
    Window,
    Withdrawal,
    zone,
)
from tests.reference import campaign
from tests.reference.cases import ASKED, MICROSECOND, block

SEED = 2024
BLOCKS = range(20_000 // ASKED)


def test_the_program_and_the_model_agree():
    cases, reached, difference = campaign.compare(SEED, BLOCKS)
    assert (cases, difference, campaign.MUST - set(reached)) == (20_000, None, set())


# -- Vulnerable twins: each is the program with one small mistake -------------------------------------------------


def a_window_holds_its_end(patch):
    patch.setattr(Window, "over", lambda self, at: self.end is not None and self.end < at)


def a_window_begins_late(patch):
    patch.setattr(Window, "begun", lambda self, at: self.start is None or self.start < at)


def times_of_one_zone_compare_by_the_clock(patch):
    patch.setattr(program, "EPOCH", datetime(1970, 1, 1, tzinfo=ZoneInfo("Europe/Paris")))


def an_empty_all_of_admits(patch):
    patch.setattr(AllOf, "admits", lambda self, subject: all(member.admits(subject) for member in self.members))


def any_of_wants_all(patch):
    patch.setattr(AnyOf, "admits", AllOf.admits)


def the_loosest_level_wins(patch):
    patch.setattr(program, "min", max, raising=False)
    patch.setattr(program.Case, "_allowed", lambda self, wanted: Allowed(wanted))


def embargoes_are_ignored(patch):
    stand = program.Case._stand
    patch.setattr(program.Case, "_stand", lambda self, levels: (replace(s, running=()) for s in stand(self, levels)))


def an_embargo_on_all_closes_the_full_only(patch):
    patch.setattr(program.Standing, "closes_all", False)


def grants_pass_hard_embargoes(patch):
    patch.setattr(program.Standing, "hard", False)


def withdrawals_are_ignored(patch):
    patch.setattr(program.Case, "_withdrawn", lambda self: iter(()))


def a_grant_opens_levels_further_in(patch):
    stand = program.Case._stand

    def wrong(self, levels):
        every = self._granted(tuple(grant for level in levels for grant in level.grants))
        return (replace(standing, granted=every) for standing in stand(self, levels))

    patch.setattr(program.Case, "_stand", wrong)


def a_grant_is_for_its_own_level_only(patch):
    stand = program.Case._stand

    def wrong(self, levels):
        return (replace(one, granted=self._granted(one.level.grants)) for one in stand(self, levels))

    patch.setattr(program.Case, "_stand", wrong)


def a_grant_never_ends(patch):
    patch.setattr(Grant, "admits", lambda self, subject, at: self.principal.admits(subject))


def networks_ignore_the_version(patch):
    def wrong(self, subject):
        mine = None if subject.address is None else int(subject.address)
        return mine is not None and any(
            int(prefix.network_address) <= mine <= int(prefix.broadcast_address) for prefix in self.prefixes
        )

    patch.setattr(Network, "admits", wrong)


def local_day(season, at):
    local = at.astimezone(zone(season.zone))
    return local.month, local.day


def seasons_stop_at_new_year(patch):
    patch.setattr(Season, "covers", lambda self, at: self.start <= local_day(self, at) < self.end)


def seasons_of_no_day_are_always(patch):
    right = Season.covers
    patch.setattr(Season, "covers", lambda self, at: self.start == self.end or right(self, at))


def seasons_are_told_in_utc(patch):
    right = Season.covers
    patch.setattr(
        Season,
        "covers",
        lambda self, at: right(replace(self, zone="UTC"), at) if self.zone != "UTC" else right(self, at),
    )


def walls_open_at_midnight_utc(patch):
    right = Wall.opens
    patch.setattr(Wall, "opens", lambda self, made: right(Wall(self.years), made))


def leap_days_come_a_day_early(patch):
    right = Wall.opens
    patch.setattr(Wall, "opens", lambda self, made: right(self, made and made.replace(day=min(made.day, 28))))


def a_wall_without_a_date_is_passed(patch):
    patch.setattr(Wall, "covers", lambda self, made, at: made is None or (self.opens(made) or at) <= at)


def tiers_are_always_open(patch):
    patch.setattr(Tier, "open_at", lambda self, at, made: True)


def overriding_is_ignored(patch):
    def wrong(levels):
        policies = [level.policy for level in levels]
        return policies if any(policies) else [program.EMPTY, *policies[1:]]

    patch.setattr(program, "in_force", wrong)


def without_any_policy_all_is_open(patch):
    right = program.in_force
    patch.setattr(program, "in_force", lambda levels: [None if p is program.EMPTY else p for p in right(levels)])


def the_first_end_counts(patch):
    patch.setattr(program, "latest", lambda windows: min((w.end for w in windows if w.end), default=None))


def what_governs_then_is_ignored(patch):
    patch.setattr(Level, "governed", lambda self, at: self)


def the_first_to_end_governs_for_ever(patch):
    right = Embargo.ended
    patch.setattr(Embargo, "ended", lambda self: -right(self))


def it_governs_one_instant_late(patch):
    right = Level.governed
    patch.setattr(Level, "governed", lambda self, at: right(self, at - MICROSECOND))


def grants_for_the_former_policy_stay(patch):
    right = Level.governed
    patch.setattr(Level, "governed", lambda self, at: replace(right(self, at), policy_grants=self.policy_grants))


def nothing_seals(patch):
    patch.setattr(program.Case, "_sealed", lambda self, standing, reach: False)


def a_uri_is_named_twice(patch):
    patch.setattr(program, "once", tuple)


def everybody_may_take(patch):
    right = program.Case._allowed
    patch.setattr(program.Case, "_allowed", lambda self, wanted: replace(right(self, wanted), take=True))


TWINS = [
    a_window_holds_its_end,
    a_window_begins_late,
    times_of_one_zone_compare_by_the_clock,
    an_empty_all_of_admits,
    any_of_wants_all,
    the_loosest_level_wins,
    embargoes_are_ignored,
    an_embargo_on_all_closes_the_full_only,
    grants_pass_hard_embargoes,
    withdrawals_are_ignored,
    a_grant_opens_levels_further_in,
    a_grant_is_for_its_own_level_only,
    a_grant_never_ends,
    networks_ignore_the_version,
    seasons_stop_at_new_year,
    seasons_of_no_day_are_always,
    seasons_are_told_in_utc,
    walls_open_at_midnight_utc,
    leap_days_come_a_day_early,
    a_wall_without_a_date_is_passed,
    tiers_are_always_open,
    overriding_is_ignored,
    without_any_policy_all_is_open,
    the_first_end_counts,
    what_governs_then_is_ignored,
    the_first_to_end_governs_for_ever,
    it_governs_one_instant_late,
    grants_for_the_former_policy_stay,
    nothing_seals,
    a_uri_is_named_twice,
    everybody_may_take,
]


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_vulnerable_twin_is_found_out(twin, monkeypatch):
    twin(monkeypatch)
    _, _, difference = campaign.compare(SEED, BLOCKS)
    assert difference is not None
    assert difference[1][0] != "error", "a mistake that crashes is not much of a twin"


# -- What no rule may ever do -------------------------------------------------------------------------------------


def asked(blocks=400):
    for number in range(blocks):
        offer, questions = block(SEED, number)
        if offer is not None and offer.levels:
            for place, (subject, at) in enumerate(questions):
                yield offer, place % len(offer.levels), subject, at


def with_rule(offer, place, **rules):
    """The same offer with one more rule at one level."""
    level = offer.levels[place]
    changed = replace(level, **{name: (*getattr(level, name), rule) for name, rule in rules.items()})
    return replace(offer, levels=(*offer.levels[:place], changed, *offer.levels[place + 1 :]))


def allowed(offer, subject, at):
    return isinstance(program.decide(offer, subject, at), Allowed)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("closes", Closes)
def test_an_embargo_opens_nothing(closes, hard):
    embargo = Embargo(Window(), closes, hard)
    opened = [
        (offer, place, subject, at)
        for offer, place, subject, at in asked()
        if allowed(with_rule(offer, place, embargoes=embargo), subject, at) and not allowed(offer, subject, at)
    ]
    assert opened == []


def test_a_grant_closes_nothing():
    closed = [
        (offer, place, subject, at)
        for offer, place, subject, at in asked()
        if allowed(offer, subject, at) and not allowed(with_rule(offer, place, grants=Grant(Everyone())), subject, at)
    ]
    assert closed == []


def test_a_withdrawal_is_a_no_to_everybody():
    withdrawal = Withdrawal(Window())
    answers = {
        program.decide(with_rule(offer, place, withdrawals=withdrawal), subject, at).why
        for offer, place, subject, at in asked()
    }
    assert answers == {Why.WITHDRAWN}


def test_nobody_may_have_what_is_beyond_the_full():
    beyond = [
        (offer, subject, at)
        for offer, _, subject, at in asked()
        if allowed(replace(offer, wanted=replace(offer.wanted, reach=FULL + 1)), subject, at)
    ]
    assert beyond == []


# -- The campaign itself ------------------------------------------------------------------------------------------


def test_the_same_seed_asks_the_same_questions():
    assert (block(SEED, 7), block(SEED, 7) == block(SEED, 8)) == (block(SEED, 7), False)


def test_a_campaign_that_never_reached_a_reason_proves_too_little(capsys):
    reached = Counter(campaign.MUST - {"denied: withdrawn"})
    assert campaign.report(campaign.ENOUGH, reached) == 2
    assert "never reached: denied: withdrawn" in capsys.readouterr().out


def test_a_short_campaign_may_miss_some(capsys):
    assert campaign.report(campaign.ENOUGH - 1, Counter()) == 0
    assert "no difference" in capsys.readouterr().out


def test_a_difference_can_be_asked_again(monkeypatch, capsys):
    withdrawals_are_ignored(monkeypatch)
    _, _, (index, one, two) = campaign.compare(SEED, BLOCKS)
    assert campaign.main(["--seed", str(SEED), "--only", str(index)]) == 1
    told = capsys.readouterr().out
    assert (two[2], one != two, "decide:" in told, "model :" in told) == ("withdrawn", True, True, True)


def test_an_exception_is_a_difference(monkeypatch):
    monkeypatch.delattr(program, "best")
    cases, _, (index, one, _) = campaign.compare(SEED, BLOCKS)
    assert (cases, index, one[0]) == (1, 0, "error")


def test_without_a_difference_asking_again_is_quiet(capsys):
    assert campaign.main(["--seed", str(SEED), "--only", "0"]) == 0
    assert "model :" in capsys.readouterr().out


def test_the_short_question_gets_the_answer_of_the_long_one():
    """``is_allowed`` and ``decide`` must never differ: caches go by the one, bytes by the other."""
    cases = list(asked())
    assert len(cases) > 500
    for offer, _place, subject, at in cases:
        assert program.is_allowed(offer, subject, at) is allowed(offer, subject, at)


def wrongly_restricted(judge):
    """The share of offers that it calls restricted, and those that nobody in particular is let into all the same."""
    cases = [(offer, judge(offer), at) for offer, _place, _subject, at in asked(2000)]
    share = sum(found for _, found, _ in cases) / len(cases)
    return share, [offer for offer, found, at in cases if found and program.is_allowed(offer, NOBODY, at)]


def test_what_is_called_restricted_is_open_to_nobody_at_any_time():
    """Caches are told by it that something is not everybody's, without asking (INV7)."""
    share, wrong = wrongly_restricted(program.is_restricted)
    assert wrong == []
    assert 0.3 < share < 0.95
    careless = wrongly_restricted(lambda offer: all(level.policy is not None for level in offer.levels))
    assert careless[1] != []
