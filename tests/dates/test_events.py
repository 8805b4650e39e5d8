"""The agenda: every column that holds when something happens, in order, page by page, for whom it may be told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission

from iiif_auth.dates.events import SOURCES, After, Agenda, within_places
from iiif_auth.models import AccessRequest, Delegation, PolicyDraft, Terms
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)
START = datetime(2031, 5, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_utc(settings):
    settings.TIME_ZONE = "UTC"


@pytest.fixture
def root():
    return factories.UserFactory(is_superuser=True, is_staff=True)


def request_for(row, **values):
    number = AccessRequest.objects.count()
    facts = {"url": row.url, "resource": row, "name": "Ada", "email": "a@example.org", "purpose": "x", "state": "new"}
    return AccessRequest.objects.create(code=f"C-{number}", digest=f"d{number}", **{**facts, **values})


def staff(*permissions, collection=None, everywhere=False):
    user = factories.UserFactory(is_staff=True)
    names = [*permissions, *(["every_collection"] if everywhere else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="iiif_auth"))
    if collection is not None:
        Delegation.objects.create(collection=collection, user=user, role="desk")
    return type(user).objects.get(pk=user.pk)


def one_of_each():
    row, held = factories.ResourceFactory(), factories.AccessPolicyFactory()
    factories.EmbargoFactory(resource=row, starts=NOON, ends=NOON + timedelta(days=1))
    factories.WithdrawalFactory(resource=row, starts=START, ends=NOON + timedelta(days=2), review_on=date(2031, 5, 4))
    factories.GrantFactory(resource=row, ends=NOON + timedelta(days=4))
    factories.TierFactory(policy=held, starts=NOON + timedelta(days=5), ends=NOON + timedelta(days=6))
    PolicyDraft.objects.create(policy=held, publish_at=NOON + timedelta(days=7))
    Terms.objects.create(service=factories.AccessServiceFactory(), number=1, from_day=NOON + timedelta(days=8))
    request_for(row, wished_until=date(2031, 5, 10))
    return row


def test_every_source_is_told_in_the_order_of_time(root):
    one_of_each()
    found = Agenda(root, START).first(50)
    kinds = ["closes", "opens", "returns", "review", "grant", "tier", "tier", "draft", "terms", "request"]
    assert [event.kind.name for event in found] == kinds
    assert {event.source for event in found} == set(range(len(SOURCES)))
    assert [event.all_day for event in found].count(True) == 2
    assert all(event.sentence.endswith(".") and event.what in event.sentence for event in found)


def test_what_is_settled_is_not_told(root):
    row, held = factories.ResourceFactory(), factories.AccessPolicyFactory()
    for state in ("unconfirmed", "approved", "refused", "expired"):
        request_for(row, wished_until=date(2031, 5, 10), state=state)
    PolicyDraft.objects.create(policy=held, publish_at=NOON, published=NOON)
    factories.TierFactory(policy=factories.AccessPolicyFactory(is_template=True), ends=NOON)
    assert Agenda(root, START).first(50) == []


def test_a_span_holds_its_first_instant_and_not_its_last(root):
    row = factories.ResourceFactory()
    for ends in (START - timedelta(microseconds=1), START, NOON, START + timedelta(days=1)):
        factories.EmbargoFactory(resource=row, ends=ends)
    for day in (date(2031, 4, 30), date(2031, 5, 1), date(2031, 5, 2)):
        factories.WithdrawalFactory(resource=row, review_on=day)
    found = Agenda(root, START, START + timedelta(days=1)).first(50)
    assert [(event.kind.name, event.at) for event in found] == [("opens", START), ("review", START), ("opens", NOON)]


def test_pages_of_events_at_one_instant_lose_none_and_repeat_none(root):
    row = factories.ResourceFactory()
    for _number in range(5):
        factories.EmbargoFactory(resource=row, ends=START)
        factories.GrantFactory(resource=row, ends=START)
        factories.WithdrawalFactory(resource=row, review_on=date(2031, 5, 1))
    factories.EmbargoFactory(resource=row, ends=NOON)
    agenda, seen, after = Agenda(root, START), [], None
    while page := agenda.first(2, after):
        seen += page
        after = After.read(page[-1].key)
    assert (len(seen), len({event.key for event in seen})) == (16, 16)
    assert seen == agenda.first(50)


@pytest.mark.parametrize(
    "text", ["", "x", "~~", "2031-05-01T00:00~1~2", "2031-05-01T00:00+00:00~a~2", f"2031-05-01T00:00+00:00~1~{10**30}"]
)
def test_a_place_in_the_agenda_that_makes_no_sense_is_its_beginning(text):
    assert After.read(text) is None


def test_days_are_counted_as_they_are_listed(root):
    one_of_each()
    factories.GrantFactory(ends=datetime(2031, 5, 5, 23, 59, 59, tzinfo=UTC))
    agenda = Agenda(root, START)
    counted = agenda.counts(date(2031, 5, 1), date(2031, 5, 31))
    listed = {}
    for event in agenda.first(50):
        listed[event.day, event.kind.name] = listed.get((event.day, event.kind.name), 0) + 1
    assert counted == listed
    assert counted[date(2031, 5, 5), "grant"] == 2


def test_kinds_and_collections_are_filtered(root):
    shelf = factories.CollectionFactory()
    inner, other = factories.CollectionFactory(parent=shelf), factories.CollectionFactory()
    here = factories.EmbargoFactory(resource=factories.ResourceFactory(collection=inner), ends=NOON)
    place = factories.EmbargoFactory(resource=None, collection=shelf, ends=NOON)
    factories.EmbargoFactory(resource=factories.ResourceFactory(collection=other), ends=NOON)
    factories.GrantFactory(resource=here.resource, ends=NOON)
    keys = within_places([(shelf.pk, None), (inner.pk, shelf.pk), (other.pk, None)], shelf.pk)
    found = Agenda(root, START, None, frozenset({"opens"}), keys).first(50)
    assert {event.row for event in found} == {here, place}


def test_a_circle_of_collections_ends():
    assert within_places([(1, 2), (2, 1)], 1) == {1, 2}


def test_people_are_told_of_what_they_may_look_at_where_they_work_only():
    mine, other = factories.CollectionFactory(), factories.CollectionFactory()
    for place in (mine, other):
        row = factories.ResourceFactory(collection=place)
        factories.EmbargoFactory(resource=row, ends=NOON)
        factories.GrantFactory(resource=row, ends=NOON)
    desk = staff("view_embargo", "view_grant", collection=mine)
    only_grants = staff("view_grant", collection=mine)
    everywhere = staff("view_embargo", everywhere=True)
    nothing = staff("view_embargo", "view_grant")
    told = [
        [(event.kind.name, event.row.resource.collection) for event in Agenda(who, START).first(50)]
        for who in (desk, only_grants, everywhere, nothing, factories.UserFactory())
    ]
    assert told == [
        [("opens", mine), ("grant", mine)],
        [("grant", mine)],
        [("opens", mine), ("opens", other)],
        [],
        [],
    ]
    days = [sum(Agenda(who, START).counts(date(2031, 5, 1), date(2031, 5, 1)).values()) for who in (desk, nothing)]
    assert days == [2, 0]


def test_a_page_costs_one_query_for_each_source(root, django_assert_max_num_queries):
    one_of_each()
    for _number in range(20):
        factories.GrantFactory(ends=NOON)
    with django_assert_max_num_queries(len(SOURCES) + 2):
        [event.what for event in Agenda(root, START).first(50)]
