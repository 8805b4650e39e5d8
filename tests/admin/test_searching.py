"""Searching by key finds what Django's own search finds, in fewer steps."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from iiif_auth import models
from iiif_auth.admin import searching
from tests import factories
from tests.roles.people import staff

pytestmark = pytest.mark.django_db

LIST = reverse("admin:iiif_auth_grant_changelist")


@pytest.fixture
def grants():
    """For a person, a group and a place, to an item, a collection and a policy."""
    hana = factories.UserFactory(email="hana.o'neil@example.org", first_name="Hana")
    chart = factories.ResourceFactory(url="/iiif/3/chart-7", label={"en": ["Chart of the Isles"], "de": ["Größe"]})
    maps = factories.CollectionFactory(slug="maps-7")
    held = factories.AccessPolicyFactory(name="Reading room 7")
    return [
        factories.GrantFactory(user=hana, resource=chart, reason="Thesis on harbours"),
        factories.GrantFactory(user=factories.UserFactory(email="eva@example.org"), resource=chart),
        factories.GrantFactory(user=None, group=factories.GroupFactory(name="Elders"), resource=None, collection=maps),
        factories.GrantFactory(user=None, network=factories.NetworkFactory(), resource=None, policy=held),
        factories.GrantFactory(user=hana, resource=factories.ResourceFactory(), reason="100% of it_all"),
    ]


def found(client, text):
    answer = client.get(LIST, {"q": text})
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


WORDS = (
    *(
        "hana",
        "HANA chart",
        "7",
        "chart 7 isles",
        "elders",
        "maps-7",
        "reading room",
        "'reading room'",
        '"room reading"',
    ),
    *("thesis hana", "thesis eva", "o'neil", "100%", "it_all", "nothing", "e e e e e e", "%", "_", "\\"),
)


@pytest.mark.parametrize("most", [0, 2_000])
@pytest.mark.parametrize("text", WORDS)
def test_what_is_found_is_what_djangos_search_finds(root, grants, monkeypatch, text, most):
    """Whether it is looked for by key or, where that would be too many, joined."""
    monkeypatch.setattr(searching, "MOST_KEYS", most)
    ours = found(root, text)
    monkeypatch.setattr(
        searching.SearchedByKeys, "get_search_results", admin.ModelAdmin.get_search_results, raising=True
    )
    assert ours == found(root, text)


def test_labels_are_found_in_letters_that_a_database_may_keep_escaped(root, grants):
    assert found(root, "größe") | found(root, "Größe") == {grants[0].pk, grants[1].pk}


def test_a_quotation_mark_by_itself_is_a_letter(root, grants):
    """To Django it is an empty word, which occurs everywhere."""
    assert found(root, "'") == {grants[0].pk, grants[4].pk}


def test_nothing_else_of_the_list_is_lost(root, grants):
    """Another order, the whole list, and a filter."""
    assert [row.pk for row in root.get(LIST, {"q": "chart", "o": "1"}).context["cl"].result_list]
    assert found(root, "") == found(root, "  ") == {row.pk for row in grants}
    over = root.get(LIST, {"q": "hana", "state": "over"}).context["cl"]
    assert (over.result_count, over.queryset.count()) == (0, 0)


def test_a_search_asks_few_questions_however_many_words_it_has(root, grants, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        found(root, "a b c d e f g h")


@pytest.mark.parametrize("model", ["embargo", "withdrawal"])
def test_what_closes_something_is_found_by_what_it_closes(root, model):
    factory = {"embargo": factories.EmbargoFactory, "withdrawal": factories.WithdrawalFactory}[model]
    row = factory(resource=factories.ResourceFactory(url="/iiif/3/ledger", label={"en": ["Ledger"]}), reason="A donor")
    factory(resource=factories.ResourceFactory())
    url = reverse(f"admin:iiif_auth_{model}_changelist")
    for text in ("ledger", "LEDGER donor", "/iiif/3/led"):
        assert [one.pk for one in root.get(url, {"q": text}).context["cl"].result_list] == [row.pk]


def test_only_those_of_ones_own_collections_are_found(client, grants):
    mine = factories.CollectionFactory()
    own = factories.GrantFactory(resource=factories.ResourceFactory(collection=mine), user=grants[0].user)
    client.force_login(staff((mine, "manager")))
    assert found(client, "hana") == {own.pk}
    assert models.Grant.objects.filter(user=own.user).count() == 3
