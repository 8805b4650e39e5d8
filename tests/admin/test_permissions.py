"""Who may do what in the admin, and what nobody is shown."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from iiif_auth import models
from tests import factories
from tests.admin.pages import sent_back
from tests.admin.test_admin_pages import MADE, act, dress, page

pytestmark = pytest.mark.django_db


def member_of_staff(client, *codenames: str):
    """The browser of somebody who works in every collection; those of single ones are in ``test_roles``."""
    codenames = ("every_collection", *codenames)
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    client.force_login(user)
    return client


KEEPER = ("view_resource", "change_resource", "view_collection", "change_collection", "view_accesspolicy")
SENT = {"step": "apply", "count": "1", "reason": "x"}
TAKEN = {"reference": "x", "review_on": "2999-01-01", "text": "review"}
PLACED = {"resource": factories.ResourceFactory, "collection": factories.CollectionFactory}


@pytest.mark.parametrize("model", PLACED)
def test_only_with_its_permission_can_a_policy_replace_those_above(client, model):
    row = PLACED[model](policy=factories.AccessPolicyFactory())
    url = page(model, "change", row.pk)
    keeper = member_of_staff(client, *KEEPER)
    form = sent_back(keeper.get(url), model)
    assert "overrides" not in form
    keeper.post(url, form | {"overrides": "on"})
    row.refresh_from_db()
    assert not row.overrides
    loosener = member_of_staff(client, *KEEPER, "loosen_policy")
    loosener.post(url, sent_back(loosener.get(url), model) | {"overrides": "on"})
    row.refresh_from_db()
    assert row.overrides


@pytest.mark.parametrize("model", PLACED)
def test_a_policy_that_replaces_others_is_not_exchanged_without_it(client, model):
    first, second = factories.AccessPolicyFactory.create_batch(2)
    row = PLACED[model](policy=first, overrides=True)
    url = page(model, "change", row.pk)
    keeper = member_of_staff(client, *KEEPER)
    assert keeper.post(url, sent_back(keeper.get(url), model) | {"policy": second.pk}).status_code == 302
    row.refresh_from_db()
    assert row.policy == first


def test_nor_by_the_action(client):
    first, second = factories.AccessPolicyFactory.create_batch(2)
    row = factories.ResourceFactory(policy=first, overrides=True)
    act(member_of_staff(client, *KEEPER), "resource", "set_policy", [row], **SENT, policy=second.pk)
    row.refresh_from_db()
    assert row.policy == first
    act(
        member_of_staff(client, *KEEPER, "loosen_policy"),
        "resource",
        "set_policy",
        [row],
        **SENT,
        policy=second.pk,
    )
    row.refresh_from_db()
    assert row.policy == second


@pytest.mark.parametrize("model", PLACED)
def test_replacing_without_a_policy_is_answered_with_a_sentence(root, model):
    row = PLACED[model]()
    url = page(model, "change", row.pk)
    answer = root.post(url, sent_back(root.get(url), model) | {"overrides": "on"})
    assert "Choose the policy that replaces those above" in answer.content.decode()


@pytest.mark.parametrize("model", MADE)
def test_who_may_only_look_finds_nothing_to_save(client, model):
    row = MADE[model]()
    if isinstance(row, models.AccessPolicy):
        dress(row)
        factories.RefusalTextFactory(policy=row)
    views = Permission.objects.filter(content_type__app_label="iiif_auth", codename__startswith="view_")
    everything = list(views.values_list("codename", flat=True))
    viewer = member_of_staff(client, *everything)
    answer = viewer.get(page(model, "change", row.pk))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="_save"' not in text
    assert not re.search(r'<(input|select|textarea)[^>]* name="(?!csrf)[^"_]*(who|text|slug|url|gets)"', text)
    assert viewer.post(page(model, "change", row.pk), {}).status_code == 403
    assert viewer.get(page(model, "add")).status_code == 403
    assert viewer.get(page(model, "delete", row.pk)).status_code == 403


def test_conditions_are_said_in_words_to_those_who_may_only_look(client):
    tier = factories.TierFactory()
    factories.ConditionFactory(tier=tier, kind="authenticated")
    viewer = member_of_staff(client, "view_accesspolicy", "view_tier")
    for url in (page("accesspolicy", "change", tier.policy.pk), page("tier", "change", tier.pk)):
        assert "Anyone signed in" in viewer.get(url).content.decode()


def test_who_may_change_a_policy_but_not_its_tiers_changes_no_condition(client):
    row = factories.ConditionFactory()
    policy = row.tier.policy
    keeper = member_of_staff(client, "view_accesspolicy", "change_accesspolicy", "view_tier")
    url = page("accesspolicy", "change", policy.pk)
    form = sent_back(keeper.get(url), "accesspolicy") | {"name": "New name"}
    forged = {
        "tiers-0-gets": "full",
        "tiers-0-id": row.tier.pk,
        "tiers-0-conditions-TOTAL_FORMS": "1",
        "tiers-0-conditions-INITIAL_FORMS": "0",
        "tiers-0-conditions-0-who": "authenticated",
        "tiers-TOTAL_FORMS": "1",
        "tiers-INITIAL_FORMS": "1",
    }
    assert keeper.post(url, form | forged).status_code == 302
    policy.refresh_from_db()
    assert policy.name == "New name"
    assert list(models.Condition.objects.values_list("pk", "kind")) == [(row.pk, "everyone")]


@pytest.mark.parametrize("model", MADE)
def test_a_stranger_among_the_staff_sees_nothing(client, model):
    row = MADE[model]()
    stranger = member_of_staff(client)
    pages = [page(model, "changelist"), *(page(model, name, row.pk) for name in ("change", "delete", "history"))]
    assert [stranger.get(url).status_code for url in pages] == [403] * 4


def test_copying_needs_the_permission_to_add(client):
    row = factories.AccessPolicyFactory()
    url = page("accesspolicy", "copy", row.pk)
    assert member_of_staff(client, "view_accesspolicy").post(url, {"name": "B", "slug": "b"}).status_code == 403
    member_of_staff(client, "view_accesspolicy", "add_accesspolicy").post(url, {"name": "B", "slug": "b"})
    assert models.AccessPolicy.objects.filter(slug="b").exists()


def test_withdrawing_needs_the_permission_to_add_a_withdrawal(client):
    row = factories.ResourceFactory()
    act(member_of_staff(client, *KEEPER), "resource", "withdraw", [row], **SENT, **TAKEN)
    assert not models.Withdrawal.objects.exists()
    act(member_of_staff(client, *KEEPER, "add_withdrawal"), "resource", "withdraw", [row], **SENT, **TAKEN)
    assert models.Withdrawal.objects.exists()


def test_the_app_index_names_the_tasks_one_may_do(client):
    url = reverse("admin:app_list", args=["iiif_auth"])
    assert reverse("admin:iiif_auth_why") not in member_of_staff(client, "view_network").get(url).content.decode()
    assert reverse("admin:iiif_auth_why") in member_of_staff(client, "view_resource").get(url).content.decode()


# -- Credentials --------------------------------------------------------------------------------------------------


def test_no_page_shows_a_digest_or_a_credential(root):
    token = factories.TokenFactory(holder__credential="c" * 64)
    factories.AgreementFactory(holder=token.holder)
    secrets = (token.digest, token.holder.digest, token.holder.credential)
    for model, row in (("token", token), ("pass", token.holder), ("agreement", token.holder.agreements.get())):
        urls = [page(model, "changelist"), *(page(model, name, row.pk) for name in ("change", "delete", "history"))]
        for url in urls:
            text = root.get(url).content.decode()
            assert not [secret for secret in secrets if secret in text], url


def test_a_digest_finds_nobody(root):
    token = factories.TokenFactory()
    for model, digest in (("token", token.digest), ("pass", token.holder.digest)):
        assert list(root.get(page(model, "changelist"), {"q": digest}).context["cl"].result_list) == []


@pytest.mark.parametrize(
    "lookup", ["digest__startswith", "digest", "holder__digest__startswith", "credential__startswith"]
)
@pytest.mark.parametrize("model", ["pass", "token", "agreement"])
@pytest.mark.filterwarnings("ignore")
def test_no_digest_can_be_guessed_letter_by_letter_by_filtering(root, model, lookup):
    row = MADE[model]()
    answer = root.get(page(model, "changelist"), {lookup: "a"})
    assert answer.status_code in (302, 400)
    assert row.pk


def test_a_revoked_pass_takes_its_tokens_with_it(root):
    token = factories.TokenFactory()
    root.post(page("pass", "delete", token.holder.pk), {"post": "yes"})
    assert not models.Token.objects.exists()


@pytest.mark.parametrize("model", ["pass", "token", "agreement"])
def test_credentials_can_not_be_made_or_changed(root, model):
    row = MADE[model]()
    assert root.post(page(model, "add"), {}).status_code == 403
    assert root.post(page(model, "change", row.pk), {}).status_code == 403
