"""Rows as files: what ``dumpdata`` writes ``loaddata`` reads, and a file with a mistake is answered with a sentence."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.serializers import deserialize, serialize
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError

from iiif_auth.models import AccessPolicy, AccessService, Collection, Network, Rendition, Resource, Tier
from iiif_auth.protocol import identity
from tests import factories

pytestmark = pytest.mark.django_db

KEYED = [Network, AccessService, AccessPolicy, Tier, Collection, Resource, Rendition]


def library():
    """One row of everything that a fixture might hold."""
    login, network = factories.AccessServiceFactory(slug="login"), factories.NetworkFactory(slug="reading-room")
    rules = factories.AccessPolicyFactory(slug="members")
    stand_in = factories.ResourceFactory(url="/iiif/3/sorry")
    full = factories.TierFactory(
        policy=rules, slug="full", order=0, services=[login], season_starts="11-01", season_ends="03-01"
    )
    factories.TierFactory(
        policy=rules,
        slug="preview",
        order=1,
        gets="smaller",
        max_edge=400,
        suffix="~small",
        wall_years=70,
        virtual=True,
    )
    factories.TierFactory(policy=rules, slug="instead", order=2, gets="substitute", substitute=stand_in)
    factories.ConditionFactory(tier=full, kind="authenticated")
    factories.ConditionFactory(tier=full, kind="network", network=network)
    factories.ConditionFactory(tier=full, kind="agreed", service=login)
    factories.RefusalTextFactory(policy=rules)
    outer = factories.CollectionFactory(slug="library", policy=rules)
    shelf = factories.CollectionFactory(slug="maps", parent=outer)
    factories.CollectionRuleFactory(collection=shelf, pattern="/iiif/3/maps/")
    chart = factories.ResourceFactory(url="/iiif/3/p0%2F28", collection=shelf, policy=rules)
    factories.RenditionFactory(resource=chart, url="/iiif/2/p0%2F28", image_api=2)
    factories.EmbargoFactory(resource=chart)
    factories.WithdrawalFactory(resource=None, collection=shelf)
    factories.GrantFactory(user=None, group=factories.GroupFactory(), resource=chart, tier="preview")


def dumped(**options):
    """Without the epoch, and without the history, in which loading writes what it did itself."""
    written, left_out = StringIO(), ["iiif_auth.epoch", "iiif_auth.change"]
    call_command("dumpdata", "auth.group", "iiif_auth", exclude=left_out, stdout=written, **options)
    return json.loads(written.getvalue())


def loaded(rows, tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    call_command("loaddata", path, verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("natural", [True, False])
def test_what_is_dumped_can_be_loaded_again(tmp_path, natural):
    library()
    rows = dumped(use_natural_foreign_keys=natural)
    call_command("flush", interactive=False, verbosity=0)
    assert dumped() == []
    loaded(rows, tmp_path)
    assert dumped(use_natural_foreign_keys=natural) == rows


def test_natural_keys_name_rows_wherever_they_are(tmp_path):
    library()
    rows = dumped(use_natural_foreign_keys=True, use_natural_primary_keys=True)
    named = [row for row in rows if row["model"].split(".")[1] in {model._meta.model_name for model in KEYED}]
    assert [row for row in named if "pk" in row] == []
    tier = next(row for row in rows if row["model"] == "iiif_auth.tier" and row["fields"]["slug"] == "full")
    assert (tier["fields"]["policy"], tier["fields"]["services"]) == (["members"], [["login"]])
    loaded(named, tmp_path)  # over the same rows: nothing is there twice
    assert dumped(use_natural_foreign_keys=True, use_natural_primary_keys=True) == rows


@pytest.mark.parametrize("model", KEYED)
def test_a_row_is_found_by_its_natural_key(model):
    library()
    for row in model.objects.all():
        assert model.objects.get_by_natural_key(*row.natural_key()) == row


def test_a_fixture_need_not_know_digests_nor_the_one_spelling(tmp_path, settings):
    fields = {"label": {"en": ["Chart"]}, "image_api": 3, "url_digest": "0" * 64}
    url = "http://iiif.example.org/iiif/3/p0%2f28/info.json"
    loaded([{"model": "iiif_auth.resource", "fields": {**fields, "url": url}}], tmp_path)
    row = Resource.objects.values("url", "url_digest").get()
    assert row == {"url": "/iiif/3/p0%2F28", "url_digest": identity.digest("/iiif/3/p0%2F28")}


def test_a_fixture_that_is_loaded_twice_changes_the_row(tmp_path):
    for label in ("Chart", "The chart"):
        fields = {"url": "/iiif/3/chart", "label": {"en": [label]}}
        loaded([{"model": "iiif_auth.resource", "fields": fields}], tmp_path)
    assert [row.label for row in Resource.objects.all()] == [{"en": ["The chart"]}]


LABEL = {"en": ["X"]}
MISTAKES = {
    "a text for a language map": ("network", {"slug": "x", "name": "X", "prefixes": "192.0.2.0/24"}, "Networks are a list"),
    "a mask": ("network", {"slug": "x", "name": "X", "prefixes": ["192.0.2.0/255.255.255.0"]}, "is not a network"),
    "host bits": ("network", {"slug": "x", "name": "X", "prefixes": ["192.0.2.1/24"]}, "has host bits set"),
    "a zone": ("network", {"slug": "x", "name": "X", "prefixes": ["fe80::1%eth0"]}, "is not a network"),
    "a number": ("network", {"slug": "x", "name": "X", "prefixes": [3]}, "Networks are a list"),
    "a label that is a text": ("resource", {"url": "/x", "label": "Chart"}, "A language map is an object"),
    "a label that is a list": ("resource", {"url": "/x", "label": ["Chart"]}, "A language map is an object"),
    "a label without list": ("resource", {"url": "/x", "label": {"en": "Chart"}}, "must be a list with at least one"),
    "a language that is none": ("resource", {"url": "/x", "label": {"english!": ["Chart"]}}, "is not a language tag"),
    "an empty text": ("resource", {"url": "/x", "label": {"en": [" "]}}, "A text is empty"),
    "a text that turns round": ("resource", {"url": "/x", "label": {"en": ["a\u202eb"]}}, "invisible control character"),
    "no address": ("resource", {"url": "chart", "label": LABEL}, "Give a whole address"),
    "a way out": ("resource", {"url": "/a/%2e%2e/b", "label": LABEL}, "must not contain"),
    "an address with a space": ("resource", {"url": "/a b", "label": LABEL}, "must be percent-encoded"),
    "a pattern for nothing": ("collectionrule", {"pattern": "maps", "collection": 1}, "Give a whole address"),
    "an origin with a path": ("accessservice", {"slug": "x", "origins": ["https://v.example/x"]}, "is not an origin"),
    "origins in a text": ("accessservice", {"slug": "x", "origins": "https://v.example"}, "Origins are a list"),
    "a date that is none": ("resource", {"url": "/x", "label": LABEL, "date": "2026-02-30"}, "not a valid|invalid date"),
    "a policy that is not there": ("collection", {"slug": "x", "label": LABEL, "policy": ["nobody"]}, "does not exist"),
    "a key of the wrong length": ("tier", {"slug": "x", "policy": ["members", "full"]}, "named by 1 values in a fixture, not 2"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_fixture_is_answered_with_a_sentence(mistake, tmp_path):
    model, fields, sentence = MISTAKES[mistake]
    with pytest.raises(DeserializationError, match=sentence):
        loaded([{"model": f"iiif_auth.{model}", "pk": 1, "fields": fields}], tmp_path)


@pytest.mark.parametrize("pattern", ["active", "LOGIN", "", None])
def test_an_unknown_pattern_in_a_fixture_is_refused_by_the_database(pattern, tmp_path):
    with pytest.raises(IntegrityError, match="pattern"):
        loaded([{"model": "iiif_auth.accessservice", "pk": 1, "fields": {"slug": "x", "pattern": pattern}}], tmp_path)


def test_python_objects_survive_a_file():
    library()
    text = serialize("json", Tier.objects.all())
    assert [found.object.slug for found in deserialize("json", text)] == ["full", "preview", "instead"]
