"""A change counts from the moment it is committed, by whatever means it was made, and not before."""

from __future__ import annotations

import json
from io import StringIO
from threading import Thread

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, connections, transaction

from iiif_auth import store, triggers
from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Collection,
    CollectionRule,
    Condition,
    Device,
    Embargo,
    Epoch,
    Grant,
    Network,
    RefusalText,
    Rendition,
    Resource,
    Seats,
    SeatsPlace,
    Terms,
    Tier,
    Withdrawal,
)
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Denied
from tests import factories
from tests.store.test_values import EARLY

pytestmark = pytest.mark.django_db


def epoch():
    return Epoch.objects.values_list("number", "stamp", "pulse").get()


def raised(before):
    """Which of number, stamp and pulse are other than before."""
    now = epoch()
    assert now[0] >= before[0]
    return tuple(new != old for new, old in zip(now, before, strict=True))


RULE, CONTENT, NOT_AT_ALL = (True, True, True), (True, False, True), (False, False, False)


@pytest.fixture
def library():
    """One row of everything that is watched."""
    service, network = factories.AccessServiceFactory(), factories.NetworkFactory()
    tier = factories.TierFactory(services=[service])
    factories.ConditionFactory(tier=tier, kind="network", network=network)
    factories.RefusalTextFactory(policy=tier.policy)
    shelf = factories.CollectionFactory(policy=tier.policy)
    factories.CollectionRuleFactory(collection=shelf)
    row = factories.ResourceFactory(url="/iiif/3/chart", collection=shelf)
    factories.RenditionFactory(resource=row)
    factories.EmbargoFactory(resource=row)
    factories.WithdrawalFactory(resource=row)
    factories.GrantFactory(resource=row)
    factories.SeatsPlaceFactory(network=network)
    Device.objects.create(name="Window desk", network=network)
    Terms.objects.create(service=service, number=1, heading={"en": ["Terms"]}, text={"en": ["Please read."]})


WATCHED = {
    AccessPolicy: ("name", RULE),
    Tier: ("order", RULE),
    Condition: ("bracket", RULE),
    RefusalText: ("note", RULE),
    Network: ("name", RULE),
    Device: ("name", RULE),
    AccessService: ("token_seconds", RULE),
    Collection: ("hides_existence", RULE),
    CollectionRule: ("pattern", RULE),
    Embargo: ("hard", RULE),
    Withdrawal: ("reason", RULE),
    Grant: ("take", RULE),
    Terms: ("note", RULE),
    Seats: ("copies", RULE),
    SeatsPlace: ("copies", RULE),
    Resource: ("date", CONTENT),
    Rendition: ("format", CONTENT),
}


def test_every_table_of_ours_that_bears_on_a_decision_is_watched():
    tables = {f"iiif_auth_{name}" for name in (*triggers.RULES, *triggers.CONTENT)}
    assert {model._meta.db_table for model in WATCHED} | {Tier.services.through._meta.db_table} == tables


@pytest.mark.parametrize("model", WATCHED)
def test_saving_raises_it(library, model):
    before, row = epoch(), model.objects.get()
    row.save()
    assert raised(before) == WATCHED[model][1]


@pytest.mark.parametrize("model", WATCHED)
def test_updating_many_raises_it(library, model):
    field, expected = WATCHED[model]
    before, value = epoch(), model.objects.values_list(field, flat=True).get()
    model.objects.update(**{field: value})
    assert raised(before) == expected


@pytest.mark.parametrize("model", WATCHED)
def test_handwritten_sql_raises_it(library, model):
    before, table = epoch(), model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET id = id")  # noqa: S608 - a name of ours
    assert raised(before) == WATCHED[model][1]


@pytest.mark.parametrize("model", [Condition, RefusalText, CollectionRule, Embargo, Withdrawal, Grant, Rendition])
@pytest.mark.parametrize("way", ["row", "many", "sql"])
def test_deleting_raises_it(library, model, way):
    before, row = epoch(), model.objects.get()
    if way == "row":
        row.delete()
    elif way == "many":
        model.objects.all()._raw_delete("default")
    else:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - a name of ours
    assert raised(before) == WATCHED[model][1]


def test_deleting_a_person_or_a_group_that_a_rule_names_raises_it(library):
    group = factories.GroupFactory()
    factories.GrantFactory(resource=Resource.objects.get(), user=None, group=group)
    before = epoch()
    group.delete()
    assert raised(before) == RULE
    before = epoch()
    Grant.objects.get().user.delete()
    assert raised(before) == RULE


@pytest.mark.parametrize("ignore", [False, True])
def test_creating_in_bulk_raises_it(ignore):
    before = epoch()
    rows = [AccessPolicy(slug=f"p{number}", name="P") for number in range(3)]
    AccessPolicy.objects.bulk_create(rows, ignore_conflicts=ignore)
    assert raised(before) == RULE


def test_overwriting_in_bulk_raises_it():
    AccessPolicy.objects.create(slug="p", name="P")
    before = epoch()
    AccessPolicy.objects.bulk_create(
        [AccessPolicy(slug="p", name="Q")], update_conflicts=True, unique_fields=["slug"], update_fields=["name"]
    )
    assert (raised(before), AccessPolicy.objects.get().name) == (RULE, "Q")


def test_adding_and_taking_away_a_service_of_a_tier_raises_it(library):
    tier, service = Tier.objects.get(), factories.AccessServiceFactory()
    for change in (tier.services.add, tier.services.remove):
        before = epoch()
        change(service)
        assert raised(before) == RULE
    before = epoch()
    tier.services.clear()
    assert raised(before) == RULE


def test_a_fixture_raises_it(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"model": "iiif_auth.accesspolicy", "fields": {"slug": "p", "name": "P"}}]))
    before = epoch()
    call_command("loaddata", path, verbosity=0)
    assert raised(before) == RULE


def test_reading_and_what_passes_do_raise_nothing(library):
    before = epoch()
    store.find_offer("/iiif/3/chart")
    holder = factories.PassFactory(user=None)
    factories.TokenFactory(holder=holder)
    holder.delete()
    assert raised(before) == NOT_AT_ALL


def test_an_address_that_changes_changes_the_rules_that_name_it(library):
    before = epoch()
    Resource.objects.filter(url="/iiif/3/chart").update(url="/iiif/3/map")
    assert raised(before) == RULE
    before = epoch()
    Resource.objects.filter(url="/iiif/3/map").update(url="/iiif/3/map")
    assert raised(before) == CONTENT


def test_it_is_raised_in_the_same_transaction_and_undone_with_it(library):
    before = epoch()
    try:
        with transaction.atomic():
            AccessPolicy.objects.update(name="Other")
            within = epoch()
            raise InterruptedError
    except InterruptedError:
        pass
    assert (within[0], epoch()) == (before[0] + 1, before)
    AccessPolicy.objects.update(name="Another")
    assert epoch()[0] == within[0]
    assert epoch()[1:] != within[1:]
    assert len({before[1], within[1], epoch()[1]}) == 3


# -- What is kept -------------------------------------------------------------------------------------------------


def open_chart():
    """A chart open to everyone, and the policy that opens it."""
    row = factories.TierFactory()
    factories.ConditionFactory(tier=row)
    factories.ResourceFactory(url="/iiif/3/chart", policy=row.policy)
    return row.policy


def outcome():
    return type(decide(store.find_offer("/iiif/3/chart"), policy.NOBODY, EARLY))


CHANGES = {
    "a condition": lambda: Condition.objects.all().delete(),
    "a tier": lambda: Tier.objects.update(gets="nothing"),
    "a template": lambda: AccessPolicy.objects.update(is_template=True),
    "the policy of the resource": lambda: Resource.objects.update(policy=factories.AccessPolicyFactory()),
    "an embargo": lambda: factories.EmbargoFactory(resource=Resource.objects.get()),
    "a withdrawal": lambda: factories.WithdrawalFactory(resource=Resource.objects.get(), starts=EARLY),
    "a stricter collection": lambda: Resource.objects.update(
        collection=factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    ),
    "an address rule": lambda: factories.CollectionRuleFactory(
        collection__policy=factories.AccessPolicyFactory(), pattern="/iiif/3/"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_next_decision_knows_of(change):
    open_chart()
    assert [outcome(), outcome()] == [Allowed, Allowed]
    CHANGES[change]()
    assert [outcome(), outcome()] == [Denied, Denied]


def test_a_resource_that_is_gone_is_gone_at_once():
    open_chart()
    assert outcome() is Allowed
    Resource.objects.all().delete()
    assert store.find_offer("/iiif/3/chart") is None


def test_an_offer_is_kept_until_something_changes(django_assert_num_queries):
    open_chart()
    first = store.find_offer("/iiif/3/chart")
    with django_assert_num_queries(1):
        assert store.find_offer("/iiif/3/chart") is first
    factories.ResourceFactory()
    again = store.find_offer("/iiif/3/chart")
    assert again == first
    assert again is not first


def test_nothing_seen_in_a_transaction_is_kept_past_its_undoing():
    open_chart()
    outcome()
    try:
        with transaction.atomic():
            Condition.objects.all().delete()
            assert outcome() is Denied
            raise InterruptedError
    except InterruptedError:
        pass
    assert outcome() is Allowed


def test_rules_that_come_back_with_an_old_number_are_not_taken_for_the_old_ones():
    """The twin: a copy that goes by the number alone takes the undone rules for the present ones."""
    open_chart()
    try:
        with transaction.atomic():
            Tier.objects.update(gets="nothing")
            undone = (epoch()[0], outcome())
            raise InterruptedError
    except InterruptedError:
        pass
    AccessPolicy.objects.update(name="Renamed")
    by_number = {undone[0]: undone[1]}
    assert by_number[epoch()[0]] is Denied  # the twin is wrong
    assert outcome() is Allowed


def test_without_an_epoch_nothing_is_kept():
    open_chart()
    outcome()
    Epoch.objects.all().delete()
    with connection.cursor() as cursor:
        for name, table, _sql in triggers.triggers(connection):
            cursor.execute(triggers._drop(connection, name, table))
    Condition.objects.all().delete()
    assert outcome() is Denied


def test_a_full_shelf_is_begun_anew(monkeypatch):
    monkeypatch.setattr(store.offers, "MOST_OFFERS", 3)
    for number in range(5):
        factories.ResourceFactory(url=f"/iiif/3/{number}")
    for number in range(5):
        assert store.find_offer(f"/iiif/3/{number}").wanted.uri == f"/iiif/3/{number}"
    assert [len(shelf.offers) for shelf in store.offers.shelves.values() if "/iiif/3/4" in shelf.offers] == [2]


def test_rules_that_never_rest_are_an_error_and_not_a_yes(monkeypatch):
    open_chart()
    monkeypatch.setattr(store.rules, "_read_rulebook", lambda using, stamp: None)
    store.rules.books.clear()
    with pytest.raises(store.RulesInMotion):
        store.find_offer("/iiif/3/chart")


# -- The triggers themselves --------------------------------------------------------------------------------------


def problems():
    return [message.id for message in run_checks(databases=["default"]) if message.id == "iiif_auth.E021"]


def test_triggers_that_are_gone_are_missed_and_migrate_brings_them_back():
    name, table, _sql = next(iter(triggers.triggers(connection)))
    assert problems() == []
    with connection.cursor() as cursor:
        cursor.execute(triggers._drop(connection, name, table))
    assert problems() == ["iiif_auth.E021"]
    call_command("migrate", "iiif_auth", verbosity=0)
    assert problems() == []


def rebuilt_in_sqlite(cursor, table: str) -> None:
    """As Django changes a table there."""
    made = cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table]).fetchone()[0]
    cursor.execute(f"DROP TABLE {table}")
    cursor.execute(made)


def rebuilt_in_postgresql(cursor, table: str) -> None:
    """As somebody may do by hand."""
    cursor.execute(f"CREATE TABLE rebuilt (LIKE {table} INCLUDING ALL)")
    cursor.execute(f"DROP TABLE {table}")
    cursor.execute(f"ALTER TABLE rebuilt RENAME TO {table}")


REBUILT = {"sqlite": rebuilt_in_sqlite, "postgresql": rebuilt_in_postgresql}


def test_a_table_that_was_rebuilt_without_its_triggers_gets_them_back_from_migrate():
    with connection.cursor() as cursor:
        REBUILT[connection.vendor](cursor, "iiif_auth_refusaltext")
    assert problems() == ["iiif_auth.E021"]
    call_command("migrate", "iiif_auth", verbosity=0)
    assert problems() == []


def test_other_databases_are_refused_by_name():
    class Other:
        vendor = "oracle"

    with pytest.raises(NotImplementedError, match="works with SQLite and PostgreSQL, not with oracle"):
        list(triggers.triggers(Other()))


# -- Other connections --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_change_by_another_connection_is_felt_at_once():
    open_chart()
    assert [outcome(), outcome()] == [Allowed, Allowed]

    def change():
        Condition.objects.all().delete()
        connections.close_all()

    other = Thread(target=change)
    other.start()
    other.join()
    assert outcome() is Denied


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_a_flushed_database_leaves_nothing_behind_in_memory(_round):
    open_chart()
    assert outcome() is Allowed
    call_command("flush", interactive=False, verbosity=0)
    assert store.find_offer("/iiif/3/chart") is None
    factories.ResourceFactory(url="/iiif/3/chart", policy=factories.AccessPolicyFactory())
    assert outcome() is Denied


def names():
    """Everything of ours that the database holds."""
    kinds = {
        "sqlite": "SELECT name FROM sqlite_master WHERE name LIKE '%iiif_auth%'",
        "postgresql": """SELECT relname FROM pg_class WHERE relname LIKE '%iiif_auth%'
            UNION SELECT tgname FROM pg_trigger WHERE tgname LIKE '%iiif_auth%'
            UNION SELECT proname FROM pg_proc WHERE proname LIKE '%iiif_auth%'""",
    }
    with connection.cursor() as cursor:
        cursor.execute(kinds[connection.vendor])
        return {name for (name,) in cursor.fetchall() if "auth_user" not in name}


@pytest.mark.django_db(transaction=True)
def test_going_back_to_zero_leaves_nothing_and_going_forward_brings_everything():
    before = names()
    call_command("migrate", "iiif_auth", "zero", verbosity=0)
    try:
        assert names() == set()
        assert problems() == []
    finally:
        call_command("migrate", "iiif_auth", verbosity=0)
    assert names() == before
    assert epoch() == (0, "", "")


def test_migrations_are_complete():
    call_command("makemigrations", "iiif_auth", "--check", "--dry-run", stdout=StringIO())
