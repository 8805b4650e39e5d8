"""Spreadsheets from a shell."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from iiif_auth import models
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(tmp_path, capsys):
    """Run the command on a text, and give what it said."""
    factories.UserFactory(username="root", is_superuser=True)
    factories.AccessPolicyFactory(slug="closed")

    def run(text: str, *more: str) -> str:
        file = tmp_path / "rights.csv"
        file.write_text(text)
        call_command("iiif_auth_import", str(file), "--user", "root", *more)
        return capsys.readouterr().out

    return run


def test_without_apply_it_only_says_what_would_change(told):
    said = told("identifier,policy,shelf\n/iiif/3/a,closed,1\n/iiif/3/b,clsed,2\n")
    assert "Left out: the column “shelf” is not known." in said
    assert "Line 3, /iiif/3/b: Own policy: There is no policy “clsed”. Did you mean “closed”" in said
    assert "To be made: 1. To be changed: 0. So already: 0. With errors: 1." in said
    assert not models.Resource.objects.exists()
    assert not models.Batch.objects.exists()


def test_with_apply_it_does_all_or_nothing(told):
    text = "Signatur,policy\n/iiif/3/a,closed\n/iiif/3/b,x\n"
    apply = ("--column", "Signatur=identifier", "--apply", "--reason", "Agreement")
    with pytest.raises(CommandError, match="some rows have errors"):
        told(text, *apply)
    assert not models.Resource.objects.exists()
    assert "1 resource was made." in told(text, *apply, "--skip-errors")
    batch = models.Batch.objects.get()
    assert (batch.state, batch.reason, batch.actor_name) == ("done", "Agreement", "root")
    assert models.Resource.objects.get().policy.slug == "closed"


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("identifier\n/a\n", ("--apply",), "Please say why"),
        ("a,b\n1,2\n", (), "No column holds addresses"),
        ("identifier,embargo\n/a,01/02/2031\n", (), "can be read in two ways"),
        ("identifier\n", (), "no rows"),
        ("identifier\n/a\n", ("--column", "x=y"), "names no column"),
        ("identifier\n/a\n", ("--user", "nobody"), "no account"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_sentence(told, text, more, sentence):
    with pytest.raises(CommandError, match=sentence):
        told(text, *more)


def test_people_have_the_rights_that_they_have(told):
    factories.UserFactory(username="hana", is_staff=True)
    assert "With errors: 1." in told("identifier,label\n/iiif/3/a,x\n", "--user", "hana")
