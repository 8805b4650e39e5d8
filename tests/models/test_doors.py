"""The columns for what stands behind doors: what they take, what they refuse, and that copies keep them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from iiif_auth import store
from iiif_auth.admin import copying
from iiif_auth.models import AccessPolicy, Rendition, Resource, Tier
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("source", ["", "maps/survey.tif", "müller 1.tif", "50%?;#&.tif", "~a", ".hidden", "a..b"])
@pytest.mark.parametrize("factory", [factories.ResourceFactory, factories.RenditionFactory])
def test_a_name_at_the_source_may_be_anything_that_stays_in_its_folder(factory, source):
    row = factory(source=source)
    row.full_clean()
    assert type(row).objects.get(pk=row.pk).source == source


@pytest.mark.parametrize("source", ["/x", "../x", "a/../b", "a//b", "a/", ".", "..", "a\\b", "a\nb", "a\x7f"])
@pytest.mark.parametrize("factory", [factories.ResourceFactory, factories.RenditionFactory])
def test_one_that_leads_out_of_it_is_refused_with_a_sentence(factory, source):
    with pytest.raises(ValidationError) as refusal:
        factory(source=source).full_clean()
    assert "maps/survey.tif" in refusal.value.message_dict["source"][0]


def test_one_that_is_too_long_is_refused():
    with pytest.raises(ValidationError):
        factories.ResourceFactory.build(source="x" * 1001).full_clean()


@pytest.mark.parametrize("gets", ["full", "substitute", "nothing"])
def test_only_a_smaller_version_is_made_on_the_fly(gets):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        factories.TierFactory(gets=gets, virtual=True, suffix="~x")
    assert "iiif_auth_tier_virtual" in str(refusal.value)
    factories.TierFactory(gets="smaller", max_edge=400, virtual=True)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("formats", ("", "jpg", "jpg,png,webp"), ("tif", "jpg, png", "jpg,", ",", "JPG", "jpg\n")),
        ("qualities", ("", "default", "default,gray"), ("native", "default gray", "default,", "Default")),
    ],
)
def test_formats_and_qualities_are_lists_of_what_there_is(field, good, bad):
    row = factories.TierFactory(gets="smaller", max_edge=400, virtual=True)
    for value in good:
        setattr(row, field, value)
        row.full_clean()
    for value in bad:
        setattr(row, field, value)
        with pytest.raises(ValidationError) as refusal:
            row.full_clean()
        assert field in refusal.value.message_dict


def test_nothing_is_on_unless_somebody_says_so():
    row = factories.TierFactory()
    assert (row.virtual, row.formats, row.qualities, row.policy.signed) == (False, "", "", False)
    assert store.rulebook().policies[row.policy_id].signed is False
    assert factories.ResourceFactory().source == factories.RenditionFactory().source == ""


def test_a_copy_of_a_policy_keeps_what_is_made_on_the_fly_and_what_is_signed():
    rules = factories.AccessPolicyFactory(signed=True)
    factories.TierFactory(
        policy=rules, gets="smaller", max_edge=400, virtual=True, formats="jpg,webp", qualities="gray"
    )
    copy = copying.copied(rules, name="Copy", slug="copy")
    (tier,) = copy.tiers.all()
    assert (copy.signed, tier.virtual, tier.formats, tier.qualities) == (True, True, "jpg,webp", "gray")
    plain = copying.copied(factories.AccessPolicyFactory(), name="Plain", slug="plain")
    assert plain.signed is False


def test_what_rows_say_counts_from_the_moment_they_say_it():
    """Each column is watched by the epoch: a change of it is felt at once."""
    rules = factories.AccessPolicyFactory()
    tier = factories.TierFactory(policy=rules, slug="small", gets="smaller", max_edge=400)
    row = factories.ResourceFactory(url="/iiif/3/chart", policy=rules)
    rendition = factories.RenditionFactory(resource=row, url="/iiif/2/chart", image_api=2)

    def said() -> tuple:
        small = store.find_offer("/iiif/3/chart~small").wanted
        other = store.find_offer("/iiif/2/chart").wanted
        return small.source, small.virtual and (small.virtual.formats, small.virtual.qualities), other.source

    assert said() == ("", None, "")
    Resource.objects.filter(pk=row.pk).update(source="a.tif")
    assert said() == ("a~small.tif", None, "")
    Rendition.objects.filter(pk=rendition.pk).update(source="b.jp2")
    assert said() == ("a~small.tif", None, "b.jp2")
    Tier.objects.filter(pk=tier.pk).update(virtual=True, qualities="default,gray")
    assert said() == ("a.tif", (("jpg",), ("default", "gray")), "b.jp2")
    AccessPolicy.objects.filter(pk=rules.pk).update(signed=True)
    assert store.find_offer("/iiif/3/chart").levels[0].policy.signed
