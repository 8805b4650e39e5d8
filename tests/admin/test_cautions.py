"""What looks wrong in a policy is said on its page, with a link to the field that mends it."""

from __future__ import annotations

import re

import pytest
from django.conf import global_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from iiif_auth.admin import cautions
from iiif_auth.models import AccessPolicy
from tests import factories, web

pytestmark = pytest.mark.django_db
SIGNED_IN = web.SIGNED_IN


@pytest.fixture(autouse=True)
def one_language(settings):
    settings.LANGUAGES = [("en", "English")]


def policy(**values: object) -> AccessPolicy:
    return factories.AccessPolicyFactory(**values)


def login(**values: object):
    return web.service("login", "login", **values)


def said(row: AccessPolicy) -> dict[str, str]:
    return {one.said: one.where for one in cautions.about(AccessPolicy.objects.get(pk=row.pk))}


def where(row: AccessPolicy, text: str) -> str:
    found = [place for sentence, place in said(row).items() if text in sentence]
    assert len(found) == 1, (text, said(row))
    return found[0]


def sound() -> AccessPolicy:
    row = policy()
    web.tier(row, SIGNED_IN, by=(login(),))
    factories.RefusalTextFactory(policy=row, why="not-signed-in")
    return row


def test_a_sound_policy_has_none():
    assert said(sound()) == {}


def test_each_leads_to_its_field():
    row, past = policy(), timezone.now() - timezone.timedelta(days=1)
    web.tier(row, SIGNED_IN, by=(login(),), order=1, ends=past)
    web.tier(row, SIGNED_IN, by=(), order=2, gets="smaller", max_edge=400)
    web.tier(row, order=3)
    assert where(row, "has been over since") == "#id_tiers-0-ends"
    assert where(row, "has no access service") == "#id_tiers-1-conditions-0-who"
    assert where(row, "has no conditions") == "#id_tiers-2-conditions-0-who"
    assert where(row, "gives more than") == "#tiers-2"


def test_a_tier_that_is_never_reached_is_named():
    row = sound()
    assert "never reached" not in str(said(row))
    web.tier(
        row, SIGNED_IN, by=tuple(row.tiers.get().services.all()), order=9, slug="copy", gets="smaller", max_edge=400
    )
    assert "“copy” is never reached" in str(said(row))


def test_letting_everybody_in_and_nobody():
    row = policy()
    web.tier(row, web.EVERYONE)
    assert "gives the full version to everybody" in str(said(row))
    nobody = policy()
    web.tier(nobody, by=(login(),))
    assert where(nobody, "lets nobody in by itself") == "#tiers-group"
    assert "no tiers" in str(said(policy()))


def test_what_can_not_be_read_is_said_and_not_judged():
    row = sound()
    AccessPolicy.objects.filter(pk=row.pk).update(zone="Nowhere/Land")
    assert list(said(row).values()) == ["#id_zone"]


def test_a_network_leads_to_its_own_page(settings):
    row, network = policy(), factories.NetworkFactory(prefixes=["10.0.0.0/8"])
    web.tier(row, web.at(network), by=(web.service("room", "external"),))
    page = reverse("admin:iiif_auth_network_change", args=[network.pk])
    assert where(row, "which only arrive here from inside") == page
    assert "TRUSTED_PROXIES" not in str(said(row))
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert where(row, "TRUSTED_PROXIES") == page
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 1}
    assert "TRUSTED_PROXIES" not in str(said(row))


def test_texts_that_lack_a_language_of_the_site(settings):
    row = sound()
    settings.LANGUAGES = [("en", "English"), ("cy", "Cymraeg")]
    assert where(row, "“not signed in” lacks a text in Cymraeg") == "#texts-0"
    settings.LANGUAGES = global_settings.LANGUAGES  # nobody's choice
    assert said(row) == {}
    text = row.texts.get()
    text.heading = {"en-GB": ["Members only"], "cy": ["Aelodau yn unig"]}
    text.save()
    settings.LANGUAGES = [("en", "English"), ("cy", "Cymraeg")]
    assert "not signed in" not in str(said(row))


def test_a_refusal_about_which_nobody_is_told_anything():
    row = sound()
    row.texts.all().delete()
    assert where(row, "no text for people who are refused because: not signed in") == "#texts-group"


def test_a_service_that_is_offered_in_no_version():
    row = sound()
    row.tiers.get().services.update(dialects=[])
    assert where(row, "not offered in any version") == "#id_tiers-0-services"


def test_what_is_hidden_from_the_staff_and_what_two_people_approve():
    row = sound()
    AccessPolicy.objects.filter(pk=row.pk).update(second_approver=True)
    assert where(row, "readers may not ask") == "#id_requestable"
    AccessPolicy.objects.filter(pk=row.pk).update(secret_from_staff=True, requestable=True)
    assert where(row, "hidden from the staff") == "#id_secret_from_staff"
    assert where(row, "only keyholders will see") == "#id_requestable"


def test_a_policy_above_that_is_stricter():
    row, outer = policy(), factories.CollectionFactory(policy=sound())
    web.tier(row, web.EVERYONE)
    inner = factories.CollectionFactory(parent=outer, policy=row)
    assert where(row, "a policy above it is stricter") == reverse("admin:iiif_auth_collection_change", args=[inner.pk])
    type(inner).objects.filter(pk=inner.pk).update(overrides=True)
    assert "stricter" not in str(said(row))


def test_its_page_shows_them_above_the_form_and_every_link_leads_somewhere(root):
    row = policy()
    web.tier(row, SIGNED_IN, by=(login(),), ends=timezone.now() - timezone.timedelta(days=1))
    web.tier(row, web.EVERYONE, order=5)
    text = root.get(reverse("admin:iiif_auth_accesspolicy_change", args=[row.pk])).content.decode()
    box = text[text.index('class="iiif-auth-cautions"') :].partition("</section>")[0]
    anchors = re.findall(r'href="#([^"]+)"', box)
    assert "has been over since" in box
    assert anchors
    assert [name for name in anchors if f'id="{name}"' not in text and f'id="{name}_0"' not in text] == []
    for name in ("What it does", "For whom", "When", "What they get", "Used by", "History", "requestable"):
        assert name in text


def test_minor_ones_are_not_repeated_at_every_save():
    row = sound()
    row.texts.all().delete()
    assert said(row)
    assert cautions.texts(row) == []


def test_the_page_of_a_policy_costs_few_queries(root):
    row = sound()
    for number in range(4):
        web.tier(
            row,
            SIGNED_IN,
            by=tuple(row.tiers.first().services.all()),
            order=number + 2,
            gets="smaller",
            max_edge=100 + number,
        )
    url = reverse("admin:iiif_auth_accesspolicy_change", args=[row.pk])
    root.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert root.get(url).status_code == 200
    assert len(seen) <= 30
