"""A whole collection restricted in one step: what it would mean is said first, and only those who may can do it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iiif_auth.admin.restricting import changes, covered
from iiif_auth.models import AccessPolicy, Change, Collection, Delegation
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import NOBODY, Allowed
from iiif_auth.store import find_offer
from tests import factories, web

pytestmark = pytest.mark.django_db


def rules(name: str, *tiers: dict) -> AccessPolicy:
    policy = factories.AccessPolicyFactory(name=name)
    for tier in tiers:
        web.tier(policy, *tier.pop("who"), **tier)
    return policy


@pytest.fixture
def ledgers() -> Collection:
    return factories.CollectionFactory(
        slug="ledgers", label={"en": ["Ledgers"]}, policy=rules("Open", {"who": [web.EVERYONE]})
    )


@pytest.fixture
def campus() -> AccessPolicy:
    network = factories.NetworkFactory(name="campus")
    smaller = {"who": [web.EVERYONE], "gets": "smaller", "max_edge": 400}
    return rules("Campus", {"who": [web.at(network)], "take": False}, smaller)


def page_of(row: Collection) -> str:
    return f"/admin/iiif_auth/collection/{row.pk}/restrict/"


def clerk(*permissions: str, everywhere: bool = True) -> Client:
    person = factories.UserFactory(is_staff=True)
    names = [*permissions, *(["every_collection"] if everywhere else [])]
    person.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="iiif_auth"))
    client = Client()
    client.force_login(person)
    client.person = person
    return client


def test_it_is_done_in_one_step_and_says_what_it_did(root, ledgers, campus):
    row = factories.ResourceFactory(collection=ledgers)
    assert isinstance(decide(find_offer(row.url), NOBODY, timezone.now()), Allowed)
    page = root.get(page_of(ledgers), {"policy": campus.pk})
    sentence = "Anyone at campus may view; everyone else may view and keep a version of at most 400 pixels."
    assert sentence in page.content.decode()
    assert "It covers 1 item." in page.content.decode()
    answer = root.post(page_of(ledgers), {"policy": campus.pk, "reason": "by contract"}, follow=True)
    assert sentence in str(next(iter(answer.context["messages"])))
    assert not isinstance(decide(find_offer(row.url), NOBODY, timezone.now()), Allowed)
    change = Change.objects.latest("pk")
    assert (change.reason, change.actor) == ("by contract", answer.wsgi_request.user)


def test_showing_changes_nothing(root, ledgers, campus):
    for query in ({"policy": campus.pk}, {"policy": campus.pk, "part": "answer"}, {"policy": ""}, {"policy": "x"}):
        assert root.get(page_of(ledgers), query).status_code == 200
    ledgers.refresh_from_db()
    assert ledgers.policy.name == "Open"


def test_the_part_for_the_script_is_the_answer_alone(root, ledgers, campus):
    text = root.get(page_of(ledgers), {"policy": campus.pk, "part": "answer"}).content.decode()
    assert "As it would be" in text
    assert "<form" not in text


def test_who_gains_and_who_loses(ledgers, campus):
    found = {one.who: (one.now, one.then, one.word) for one in changes(ledgers, campus, timezone.now())}
    small = "view and keep a version of at most 400 pixels"
    assert found == {
        "Anyone": ("view and keep a copy", small, "lose"),
        "Anyone signed in": ("view and keep a copy", small, "lose"),
        "Anyone at campus": ("view and keep a copy", "view", "lose"),
    }
    ledgers.policy = campus
    ledgers.save()
    opened = changes(ledgers, AccessPolicy.objects.get(name="Open"), timezone.now())
    assert {one.word for one in opened} == {"gain"}
    assert {one.word for one in changes(ledgers, campus, timezone.now())} == {"as before"}


def test_nobody_gains_what_the_collection_above_closes(ledgers, campus):
    outer = factories.CollectionFactory(policy=rules("Closed", {"who": [web.EVERYONE], "gets": "nothing"}))
    Collection.objects.filter(pk=ledgers.pk).update(parent=outer)
    ledgers.refresh_from_db()
    assert {(one.then, one.word) for one in changes(ledgers, campus, timezone.now())} == {("see nothing", "as before")}


def test_what_it_covers_is_counted_by_rows_and_by_rules_within_too(ledgers):
    inner = factories.CollectionFactory(parent=ledgers, policy=ledgers.policy)
    factories.CollectionFactory(parent=inner, policy=ledgers.policy, overrides=True)
    factories.CollectionRuleFactory(collection=inner, pattern="/iiif/3/ledger-")
    factories.CollectionRuleFactory(pattern="/iiif/3/ledger-of-others-")
    for name in ("ledger-1", "ledger-2", "ledger-of-others-1", "something"):
        factories.ResourceFactory(url=f"/iiif/3/{name}")
    factories.ResourceFactory(collection=ledgers, policy=ledgers.policy)
    factories.ResourceFactory(collection=inner, policy=ledgers.policy, overrides=True)
    found = covered(ledgers)
    assert (found.listed, found.own, found.replaced, found.rules) == (4, 2, 1, 1)
    assert (found.inner, found.inner_replaced) == (1, 1)
    assert len(found.sentences) == 6


def test_a_collection_that_replaces_needs_a_policy(root, ledgers):
    Collection.objects.filter(pk=ledgers.pk).update(overrides=True)
    page = root.post(page_of(ledgers), {"policy": ""})
    assert "needs one of its own" in page.content.decode()
    ledgers.refresh_from_db()
    assert ledgers.policy is not None


def test_a_template_can_not_be_chosen(root, ledgers):
    template = factories.AccessPolicyFactory(is_template=True)
    assert root.post(page_of(ledgers), {"policy": template.pk}).status_code == 200
    ledgers.refresh_from_db()
    assert ledgers.policy != template


# -- Who may ------------------------------------------------------------------------------------------------------


def test_others_can_not(ledgers, campus):
    sent = {"policy": campus.pk}
    assert Client().post(page_of(ledgers), sent).status_code == 302
    for client in (clerk(), clerk("view_collection"), clerk("change_resource")):
        assert client.get(page_of(ledgers)).status_code in (302, 403)
        assert client.post(page_of(ledgers), sent).status_code in (302, 403)
    ledgers.refresh_from_db()
    assert ledgers.policy.name == "Open"


def test_a_manager_can_in_their_collection_and_in_no_other(ledgers, campus):
    other = factories.CollectionFactory(policy=ledgers.policy)
    client = clerk("view_collection", "change_collection", "view_accesspolicy", everywhere=False)
    Delegation.objects.create(collection=ledgers, user=client.person, role="manager")
    assert client.post(page_of(other), {"policy": campus.pk}).status_code in (302, 403)
    assert "Open" not in client.get(page_of(other), follow=True).content.decode().partition("<main")[2]
    client.post(page_of(ledgers), {"policy": campus.pk})
    assert list(Collection.objects.filter(policy=campus)) == [ledgers]


def test_a_viewer_can_not(ledgers, campus):
    client = clerk("view_collection", "change_collection", everywhere=False)
    Delegation.objects.create(collection=ledgers, user=client.person, role="viewer")
    assert client.post(page_of(ledgers), {"policy": campus.pk}).status_code == 403


def test_what_replaces_the_policies_above_is_changed_by_those_who_may_loosen_only(ledgers, campus):
    Collection.objects.filter(pk=ledgers.pk).update(overrides=True)
    client = clerk("view_collection", "change_collection")
    assert client.post(page_of(ledgers), {"policy": campus.pk}).status_code == 403
    client = clerk("view_collection", "change_collection", "loosen_policy")
    assert client.post(page_of(ledgers), {"policy": campus.pk}).status_code == 302


def test_a_form_from_elsewhere_is_refused(ledgers, campus):
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.UserFactory(username="root", is_staff=True, is_superuser=True))
    assert client.post(page_of(ledgers), {"policy": campus.pk}).status_code == 403


def test_many_items_cost_no_more_queries(root, ledgers):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert root.get(page_of(ledgers)).status_code == 200
        return len(seen)

    factories.ResourceFactory(collection=ledgers)
    queries()
    few = queries()
    factories.ResourceFactory.create_batch(30, collection=ledgers)
    assert queries() <= few + 20  # the rulebook is read again after a change
    assert queries() <= few < 30
