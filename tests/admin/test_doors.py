"""What stands behind doors, in the admin: it can be said there, and what makes no sense is answered with a sentence."""

from __future__ import annotations

import pytest
from django.urls import reverse

from iiif_auth.models import Resource, Tier
from tests import factories
from tests.admin.pages import Form

pytestmark = pytest.mark.django_db


def opened(root, row) -> tuple[str, dict[str, list[str]]]:
    """The address of a row's page, and what it would send if nobody touched the form."""
    url = reverse(f"admin:iiif_auth_{row._meta.model_name}_change", args=[row.pk])
    page = root.get(url)
    assert page.status_code == 200
    return url, Form(page.content.decode(), f"{row._meta.model_name}_form").fields


@pytest.fixture
def preview():
    return factories.TierFactory(slug="preview", gets="smaller", max_edge=400)


def test_a_policy_can_sign_and_its_smaller_versions_be_made_on_the_fly(root, preview):
    url, fields = opened(root, preview.policy)
    assert "signed" not in fields  # a box that is not ticked is not sent
    said = {"signed": "on", "tiers-0-virtual": "on", "tiers-0-formats": "jpg,png", "tiers-0-qualities": "gray"}
    assert root.post(url, {**fields, **said}).status_code == 302
    tier = Tier.objects.get(pk=preview.pk)
    assert (tier.policy.signed, tier.virtual, tier.formats, tier.qualities) == (True, True, "jpg,png", "gray")
    _, fields = opened(root, tier.policy)
    assert fields["signed"] == fields["tiers-0-virtual"] == ["on"]
    assert (fields["tiers-0-formats"], fields["tiers-0-qualities"]) == (["jpg,png"], ["gray"])


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"tiers-0-gets": "full", "tiers-0-max_edge": "", "tiers-0-virtual": "on"},
            "Only a smaller version can be made",
        ),
        ({"tiers-0-formats": "tif"}, "Use jpg, png and webp, with commas."),
        ({"tiers-0-qualities": "best"}, "Use default, color, gray and bitonal, with commas."),
    ],
)
def test_what_makes_no_sense_is_answered_with_a_sentence(root, preview, said, sentence):
    url, fields = opened(root, preview.policy)
    page = root.post(url, {**fields, **said})
    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert Tier.objects.get(pk=preview.pk).virtual is False


def test_a_resource_and_its_renditions_say_where_their_bytes_are(root):
    row = factories.ResourceFactory()
    factories.RenditionFactory(resource=row)
    url, fields = opened(root, row)
    assert (fields["source"], fields["renditions-0-source"]) == ([""], [""])
    assert root.post(url, {**fields, "source": "maps/1.tif", "renditions-0-source": "prints/1.jpg"}).status_code == 302
    row = Resource.objects.get()
    assert (row.source, row.renditions.get().source) == ("maps/1.tif", "prints/1.jpg")


def test_a_name_that_leads_out_of_the_folder_is_refused(root):
    url, fields = opened(root, factories.ResourceFactory())
    page = root.post(url, {**fields, "source": "../secret.tif"})
    assert "Give the name as the image server knows it" in page.content.decode()
    assert Resource.objects.get().source == ""
