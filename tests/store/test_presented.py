"""What is presented and the rules it is judged by are of one instant, whatever happens in between (security D3, D10)."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from iiif_auth import identify, store
from iiif_auth.enforce import guard
from iiif_auth.models import AccessPolicy, Epoch, Resource
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Subject
from tests import factories, web

pytestmark = pytest.mark.django_db

CHART = "/iiif/3/chart"


@pytest.fixture
def member():
    """Somebody in a group, a pass of theirs, and a chart that is nobody's yet."""
    group, user = factories.GroupFactory(), factories.UserFactory()
    user.groups.add(group)
    held = factories.PassFactory(user=user, credential=store.credential_mark(user.password))
    web.restricted(CHART)
    store.rulebook()
    store.offers.shelves.clear()
    return user, group, held


def open_to(group: Group) -> None:
    """The chart is opened to a group."""
    (policy,) = AccessPolicy.objects.all()
    web.tier(policy, {"kind": "group", "group": group})


def lets_in(offer, presented) -> bool:
    facts = presented.holder
    subject = Subject(user=facts.user, groups=facts.groups) if facts else Subject()
    return isinstance(decide(offer, subject, factories.timezone.now()), Allowed)


class Interrupted:
    """A finder after whose first rounds something happens, as another process would have it."""

    def __init__(self, finder, *deeds) -> None:
        self.finder, self.deeds, self.rounds = finder, list(deeds), 0

    def __call__(self):
        found = self.finder()
        self.rounds += 1
        if self.deeds:
            self.deeds.pop(0)()
        return found


def test_somebody_who_left_before_it_was_opened_is_never_let_in(member):
    """The pass is read while they are a member, the rules when their former group is let in: neither was ever true at once."""
    user, group, held = member

    def leave_and_open():
        user.groups.remove(group)
        open_to(group)

    finder = Interrupted(lambda: store.presented_pass(held.digest), leave_and_open)
    offer, presented = store.find_for(CHART, finder)
    assert not lets_in(offer, presented)
    assert (finder.rounds, presented.holder.groups) == (2, frozenset())


def test_one_who_reads_the_two_apart_would_let_them_in(member):
    """The twin, or the test above would show nothing."""
    user, group, held = member
    presented = store.presented_pass(held.digest)
    user.groups.remove(group)
    open_to(group)
    assert lets_in(store.find_offer(CHART), presented)


def test_somebody_who_stays_is_let_in_from_the_first_answer_on(member):
    _user, group, held = member
    finder = Interrupted(lambda: store.presented_pass(held.digest), lambda: open_to(group))
    assert lets_in(*store.find_for(CHART, finder))
    assert finder.rounds == 2


def test_rules_that_were_kept_are_those_of_the_instant_at_which_the_pass_was_read(member):
    """Whoever asked a moment before the change gets the answer of that moment; whoever asks after it does not."""
    user, group, held = member
    open_to(group)
    store.find_offer(CHART)
    finder = Interrupted(lambda: store.presented_pass(held.digest), lambda: factories.ResourceFactory())
    assert lets_in(*store.find_for(CHART, finder))
    assert finder.rounds == 1
    user.groups.remove(group)
    assert not lets_in(*store.find_for(CHART, finder))


def test_where_nothing_changes_it_is_read_once(member):
    finder = Interrupted(lambda: store.presented_pass(member[2].digest))
    for _ in range(2):
        store.find_for(CHART, finder)
    assert finder.rounds == 2


def changed_and_read() -> None:
    """Something changes, and somebody else asks for the same at once."""
    factories.ResourceFactory()
    store.find_offer(CHART)


def test_if_it_changes_each_time_nothing_is_decided(member, rf):
    finder = Interrupted(store.nobody, *[changed_and_read] * 3)
    with pytest.raises(store.RulesInMotion):
        store.find_for(CHART, finder)
    assert finder.rounds == 3


def test_that_is_no_yes_at_the_content(member, rf, monkeypatch):
    monkeypatch.setattr(identify, "presenting", lambda request: Interrupted(store.nobody, *[changed_and_read] * 3))
    with pytest.raises(store.RulesInMotion):
        guard.refusal(rf.get("/"), CHART)


def test_without_an_epoch_everything_is_read_each_time_and_nothing_is_kept(member):
    Epoch.objects.all().delete()
    store.offers.shelves.clear()
    presented = store.nobody()
    assert presented == store.Presented("")
    offer, _ = store.find_for(CHART, store.nobody)
    assert offer is not None
    assert store.offers.shelves == {}


# -- What is read -------------------------------------------------------------------------------------------------


def test_the_three_ways_to_present_a_pass_say_the_same_of_it(member):
    user, group, held = member
    token = factories.TokenFactory(holder=held)
    service = factories.AccessServiceFactory()
    factories.AgreementFactory(holder=held, service=service)
    by_cookie, by_ticket = store.presented_pass(held.digest), store.presented_ticket(held.pk)
    by_token = store.presented_token(token.digest)
    assert by_cookie.holder == by_ticket.holder == by_token.holder
    assert {found.pulse for found in (by_cookie, by_ticket, by_token, store.nobody())} == {Epoch.objects.get().pulse}
    facts = by_cookie.holder
    assert (facts.id, facts.user, facts.groups) == (held.pk, str(user.pk), frozenset({str(group.pk)}))
    assert set(facts.agreements) == {service.slug}
    assert facts.sound


def test_what_is_not_there_is_nobody_at_the_same_pulse(member):
    pulse = Epoch.objects.get().pulse
    nobody = store.Presented(pulse)
    assert store.presented_pass("0" * 64) == store.presented_ticket(10**9) == store.presented_token("0" * 64) == nobody
    assert store.presented_ticket(2**63 - 1) == nobody


def test_a_token_without_a_pass_speaks_for_nobody(member):
    token = factories.TokenFactory(holder=None)
    found = store.presented_token(token.digest)
    assert (found.holder, found.token.holder, found.token.has_holder) == (None, None, False)


def test_a_pass_of_somebody_whose_password_changed_is_not_sound(member):
    user, _group, held = member
    user.set_password("another")
    user.save()
    assert not store.presented_ticket(held.pk).holder.sound
    assert not store.presented_pass(held.digest).holder.sound


def test_a_pass_of_nobody_in_particular_is_sound(member):
    held = factories.PassFactory(user=None)
    assert (store.presented_pass(held.digest).holder.user, store.presented_ticket(held.pk).holder.sound) == (None, True)


# -- Sources ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "small"),
    [
        ("maps/survey.tif", "maps/survey~small.tif"),
        ("survey.tif", "survey~small.tif"),
        ("survey", "survey~small"),
        ("a.b/survey", "a.b/survey~small"),
        ("survey.tar.gz", "survey.tar~small.gz"),
        (".hidden", ".hidden~small"),
        ("", ""),
    ],
)
def test_a_derived_file_stands_beside_its_original(source, small):
    assert store.offers.suffixed(source, "~small") == small


def test_each_version_says_where_its_bytes_are():
    rules = factories.AccessPolicyFactory()
    web.tier(rules, web.EVERYONE, slug="full", order=0)
    web.tier(rules, web.EVERYONE, slug="small", order=1, gets="smaller", max_edge=600)
    web.tier(rules, web.EVERYONE, slug="fly", order=2, gets="smaller", max_edge=300, virtual=True, formats="jpg,png")
    row = factories.ResourceFactory(url=CHART, policy=rules, source="maps/chart.tif")
    factories.RenditionFactory(resource=row, url="/iiif/2/chart", image_api=2, source="older/chart.jp2")
    factories.RenditionFactory(resource=row, url="/prints/chart.jpg", tier="small", source="prints/1.jpg")

    def where(uri):
        wanted = store.find_offer(uri).wanted
        return wanted.source, wanted.virtual and (wanted.virtual.max_edge, wanted.virtual.formats), wanted.cut_from

    assert where(CHART) == ("maps/chart.tif", None, "")
    assert where(f"{CHART}~small") == ("maps/chart~small.tif", None, "")
    assert where(f"{CHART}~fly") == ("maps/chart.tif", (300, ("jpg", "png")), CHART)
    assert where("/iiif/2/chart") == ("older/chart.jp2", None, "")
    assert where("/iiif/2/chart~fly") == ("older/chart.jp2", (300, ("jpg", "png")), "/iiif/2/chart")
    assert where("/prints/chart.jpg") == ("prints/1.jpg", None, "")
    assert Resource.objects.get().source == "maps/chart.tif"


def test_where_two_policies_disagree_the_version_is_cut_only_as_both_allow():
    """One suffix in the policy of the chart and in that of its shelf: the smaller size, and what both are made in."""
    inner, outer = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    for rules, edge, formats in ((inner, 600, "jpg,png"), (outer, 300, "jpg,webp")):
        web.tier(rules, web.EVERYONE, slug="small", gets="smaller", max_edge=edge, virtual=True, formats=formats)
    shelf = factories.CollectionFactory(policy=outer)
    factories.ResourceFactory(url=CHART, policy=inner, collection=shelf)
    wanted = store.find_offer(f"{CHART}~small").wanted
    assert (wanted.virtual.max_edge, wanted.virtual.formats, wanted.reach) == (300, ("jpg",), 600)
    outer.tiers.update(virtual=False)
    factories.ResourceFactory()
    assert store.find_offer(f"{CHART}~small").wanted.virtual is None
