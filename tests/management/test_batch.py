"""The command that runs jobs: those it runs, and what it leaves to the people who are still looking at it."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from iiif_auth import history
from iiif_auth.exchange import manifests, uploads
from iiif_auth.exchange.dates import Style
from iiif_auth.exchange.sheets import Sheet
from iiif_auth.management.commands import iiif_auth_batch
from iiif_auth.models import Batch, Resource
from tests import factories
from tests.exchange.test_trees import MANIFEST_3

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita():
    return factories.UserFactory(username="rita", is_staff=True, is_superuser=True)


@pytest.fixture
def looked_at(rita):
    """A spreadsheet that was judged and a manifest that was proposed, neither of them applied."""
    factories.AccessPolicyFactory(slug="closed")
    rows = ((2, [factories.ResourceFactory().url, "closed"]),)
    sheet = uploads.table(rita, Sheet(("identifier", "policy"), rows), "rights.csv", {})
    uploads.mapped(sheet, sheet.plan["mapping"], Style())
    brought = manifests.kept(rita, json.dumps(MANIFEST_3).encode(), "book.json")
    manifests.proposed(brought, manifests.Wish("", "closed"))
    return [sheet, brought]


def told(capsys, *options):
    call_command("iiif_auth_batch", *options)
    return capsys.readouterr().out


def as_stored(batches):
    return list(Batch.objects.filter(pk__in=[one.pk for one in batches]).order_by("pk").values())


def test_what_somebody_still_looks_at_is_left_alone(looked_at, capsys):
    before = as_stored(looked_at)
    assert told(capsys) == "No job waits.\n"
    assert told(capsys, "--run") == ""
    for one in looked_at:
        assert told(capsys, "--run", "--only", str(one.pk)) == ""
    assert as_stored(looked_at) == before
    assert not Resource.objects.exclude(policy=None).exists()


def test_it_is_noticed_where_every_plan_is_a_job(looked_at, capsys, monkeypatch):
    """A twin that forgets what kind of batch it is."""

    def jobs(command, only=None):
        return Batch.objects.filter(state__in=iiif_auth_batch.OPEN).exclude(plan={}).order_by("pk")

    monkeypatch.setattr(iiif_auth_batch.Command, "jobs", jobs)
    with pytest.raises(AssertionError):
        test_what_somebody_still_looks_at_is_left_alone(looked_at, capsys)
    monkeypatch.setattr(iiif_auth_batch.Command, "list_jobs", lambda command: command.stdout.write("No job waits."))
    before = as_stored(looked_at)
    told(capsys, "--run")
    assert as_stored(looked_at) != before


def test_a_job_beside_them_is_run(looked_at, rita, capsys):
    row = factories.ResourceFactory()
    plan = {"deed": "x", "model": "resource", "rows": [[row.pk, row.pk]]}
    job = history.begun(Batch.Kind.BULK, rita, "Something of another version", "x", 1, plan)
    before = as_stored(looked_at)
    assert f"{job.pk}: " in told(capsys, "--run")
    job.refresh_from_db()
    assert job.state == Batch.State.FAILED
    assert as_stored(looked_at) == before
