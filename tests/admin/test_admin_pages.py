"""Every page of the admin answers, stays quick with many rows, and lets people finish their work alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from iiif_auth import models
from iiif_auth.policy.types import NOBODY, Subject
from iiif_auth.store import find_offer, rulebook
from tests import factories
from tests.admin.pages import sent_back

MADE = {
    "accesspolicy": factories.AccessPolicyFactory,
    "accessservice": factories.AccessServiceFactory,
    "agreement": factories.AgreementFactory,
    "collection": factories.CollectionFactory,
    "embargo": factories.EmbargoFactory,
    "grant": factories.GrantFactory,
    "identityprovider": factories.IdentityProviderFactory,
    "loan": factories.LoanFactory,
    "network": factories.NetworkFactory,
    "pass": factories.PassFactory,
    "personattribute": factories.PersonAttributeFactory,
    "registeredclient": factories.RegisteredClientFactory,
    "resource": factories.ResourceFactory,
    "seats": factories.SeatsFactory,
    "tier": factories.TierFactory,
    "token": factories.TokenFactory,
    "waiting": factories.WaitingFactory,
    "withdrawal": factories.WithdrawalFactory,
}
KEPT = ("loan", "waiting")
READ_ONLY = ("agreement", "pass", "personattribute", "token", *KEPT)
HOSTILE = (
    "%",
    "'",
    '"',
    "\\",
    "\x00",
    "%00",
    "((",
    "[a",
    "/iiif/3/x y",
    "https://[",
    "\u202e",
    "x" * 3000,
    "{}",
    "ä ö",
)


def page(model: str, name: str, *args: object) -> str:
    return reverse(f"admin:iiif_auth_{model}_{name}", args=args)


@pytest.mark.django_db
@pytest.mark.parametrize("model", MADE)
def test_every_page_of_every_model_answers(root, model):
    row = MADE[model]()
    pages = [page(model, "changelist"), *(page(model, name, row.pk) for name in ("change", "history", "delete"))]
    codes = [root.get(url).status_code for url in pages]
    assert codes == [200, 200, 200, 403 if model in KEPT else 200]
    assert root.get(page(model, "add")).status_code == (403 if model in READ_ONLY else 200)


@pytest.mark.django_db
def test_the_index_lists_all_but_the_epoch(root):
    text = root.get(reverse("admin:app_list", args=["iiif_auth"])).content.decode()
    assert [model for model in MADE if page(model, "changelist") not in text] == []
    assert "epoch" not in text.lower()


def queries(client, url) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.django_db
@pytest.mark.parametrize("model", MADE)
def test_a_hundred_rows_cost_no_more_queries_than_two(root, model):
    for row in MADE[model].create_batch(2):
        dress(row)
    few = queries(root, page(model, "changelist"))
    for row in MADE[model].create_batch(98):
        dress(row)
    assert queries(root, page(model, "changelist")) <= few + 1
    assert few < 40


def dress(row) -> None:
    """Give a row all that its list may have to read."""
    if isinstance(row, models.AccessPolicy):
        factories.ConditionFactory(tier=factories.TierFactory(policy=row, services=[factories.AccessServiceFactory()]))
    elif isinstance(row, models.Collection | models.Resource):
        row.policy = factories.AccessPolicyFactory()
        dress(row.policy)
        row.save()


@pytest.mark.django_db
@pytest.mark.parametrize("model", MADE)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_search_breaks(root, model, text):
    MADE[model]()
    assert root.get(page(model, "changelist"), {"q": text}).status_code in (200, 302)


@pytest.mark.django_db
@pytest.mark.parametrize("field", [("grant", "resource"), ("collection", "policy"), ("grant", "service")])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_picker_breaks(root, field, text):
    asked = {"app_label": "iiif_auth", "model_name": field[0], "field_name": field[1], "term": text}
    assert root.get(reverse("admin:autocomplete"), asked).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["/iiif/3/chart", "http://localhost:8000/iiif/3/chart/full/max/0/default.jpg", "Karte", "Übersicht", "char"]
)
def test_a_resource_is_found_by_any_spelling_and_any_language(root, text):
    factories.ResourceFactory(url="/iiif/3/chart", label={"en": ["Chart"], "de": ["Karte: Übersicht"]})
    factories.ResourceFactory(label={"en": ["Something else"]})
    rows = root.get(page("resource", "changelist"), {"q": text}).context["cl"].result_list
    assert [row.url for row in rows] == ["/iiif/3/chart"]


# -- One form for a whole policy ----------------------------------------------------------------------------------


def blank_policy(**more: object) -> dict[str, object]:
    return {
        "name": "Members",
        "slug": "members",
        "about": "",
        "zone": "Europe/London",
        "tiers-TOTAL_FORMS": "0",
        "tiers-INITIAL_FORMS": "0",
        "texts-TOTAL_FORMS": "0",
        "texts-INITIAL_FORMS": "0",
        **more,
    }


def tier(number: int, *who: str, **more: object) -> dict[str, object]:
    given: dict[str, object] = {"gets": "full", "join": "any", "order": "0", "take": "on", **more}
    prefix = f"tiers-{number}-"
    conditions = {"TOTAL_FORMS": str(len(who)), "INITIAL_FORMS": "0"}
    rows = {
        f"{n}-{key}": text
        for n, one in enumerate(who)
        for key, text in zip(("who", "named"), one.split("|"), strict=False)
    }
    return {
        **{prefix + key: value for key, value in given.items()},
        **{f"{prefix}conditions-{key}": value for key, value in {**conditions, **rows}.items()},
    }


@pytest.mark.django_db
def test_members_in_full_and_a_preview_for_everyone_else_is_one_form(root):
    login = factories.AccessServiceFactory()
    form = blank_policy(
        **tier(0, "authenticated", services=[login.pk]),
        **tier(
            1, "everyone", "", gets="smaller", max_edge="400", **{"label-0-language": "en", "label-0-text": "Preview"}
        ),
        **{"tiers-TOTAL_FORMS": "2"},
    )
    answer = root.post(page("accesspolicy", "add"), form, follow=True)
    policy = models.AccessPolicy.objects.get()
    assert [str(message) for message in answer.context["messages"]][1:] == []
    held = rulebook().policies[policy.pk]
    assert [(one.slug, one.reach, len(one.services)) for one in held.tiers] == [
        ("full", 1_000_000_000, 1),
        ("preview-400", 400, 0),
    ]
    assert [one.audience.admits(NOBODY) for one in held.tiers] == [False, True]
    assert held.tiers[0].audience.admits(Subject(user="1"))
    said = root.get(page("accesspolicy", "changelist")).content.decode()
    assert "Anyone signed in may view and keep a copy; everyone else may view" in said


@pytest.mark.django_db
def test_every_kind_of_condition_can_be_chosen_and_comes_back_unchanged(root):
    person, group = factories.UserFactory(), factories.GroupFactory()
    network, service = factories.NetworkFactory(), factories.AccessServiceFactory()
    who = (
        "everyone",
        "authenticated",
        f"user|{person.email}",
        f"group:{group.pk}",
        "attribute|affiliation=staff@example.org",
        f"network:{network.pk}",
        f"agreed:{service.pk}",
    )
    root.post(page("accesspolicy", "add"), blank_policy(**tier(0, *who), **{"tiers-TOTAL_FORMS": "1"}))
    rows = list(
        models.Condition.objects.order_by("pk").values_list(
            "kind", "user", "group", "network", "service", "attribute_name", "attribute_value"
        )
    )
    assert rows == [
        ("everyone", None, None, None, None, "", ""),
        ("authenticated", None, None, None, None, "", ""),
        ("user", person.pk, None, None, None, "", ""),
        ("group", None, group.pk, None, None, "", ""),
        ("attribute", None, None, None, None, "affiliation", "staff@example.org"),
        ("network", None, None, network.pk, None, "", ""),
        ("agreed", None, None, None, service.pk, "", ""),
    ]
    policy = models.AccessPolicy.objects.get()
    forms = root.get(page("accesspolicy", "change", policy.pk)).context["inline_admin_formsets"][0].formset.forms
    shown = forms[0].conditions.initial_forms
    assert [(form.initial["who"], form.initial["named"]) for form in shown] == [
        ((*one.split("|"), "")[0], (*one.split("|"), "")[1]) for one in who
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("model", [model for model in MADE if model not in READ_ONLY])
def test_saving_an_untouched_form_changes_nothing(root, model):
    row = MADE[model]()
    if model == "accesspolicy":
        dress(row)
        factories.RefusalTextFactory(policy=row)
    url = page(model, "change", row.pk)
    before = list(models.Condition.objects.values())
    answer = root.post(url, sent_back(root.get(url), model))
    assert answer.status_code == 302, answer.context["errors"]
    assert LogEntry.objects.get().get_change_message() == "No fields changed."
    assert list(models.Condition.objects.values()) == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"gets": "smaller"}, "A smaller version needs its longest edge in pixels"),
        ({"gets": "full", "max_edge": "4"}, "everything else has none"),
        ({"gets": "substitute"}, "needs to be told what"),
        ({"season_starts": "11-01"}, "A season needs two different days"),
        ({"season_starts": "13-01", "season_ends": "12-01"}, "is not a day of the year"),
        (
            {"starts_0": "2030-01-01", "starts_1": "00:00", "ends_0": "2029-01-01", "ends_1": "00:00"},
            "The end must come after the beginning.",
        ),
        ({"slug": "Not A Slug"}, "Use small letters"),
    ],
)
def test_bad_tiers_are_answered_with_sentences(root, more, sentence):
    form = blank_policy(**tier(0, "everyone", **more), **{"tiers-TOTAL_FORMS": "1"})
    answer = root.post(page("accesspolicy", "add"), form)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not models.AccessPolicy.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("user|", "Please write the person"),
        ("user|nobody-at-all", "There is no “nobody-at-all”"),
        ("user|person", "Several fit “person”"),
        ("attribute|affiliation", "as name=value"),
        ("network:999999", "Select a valid choice"),
        ("group:1; DROP TABLE", "Select a valid choice"),
        ("|somebody", "Please choose who it is"),
    ],
)
def test_bad_conditions_are_answered_with_sentences(root, who, sentence):
    factories.UserFactory.create_batch(2)
    form = blank_policy(**tier(0, who), **{"tiers-TOTAL_FORMS": "1"})
    answer = root.post(page("accesspolicy", "add"), form)
    assert sentence in answer.content.decode()
    assert "Please correct the lines under" in answer.content.decode()
    assert not models.AccessPolicy.objects.exists()


@pytest.mark.django_db
def test_a_condition_is_taken_away_with_its_tick(root):
    held = factories.ConditionFactory()
    url = page("accesspolicy", "change", held.tier.policy.pk)
    form = sent_back(root.get(url), "accesspolicy") | {"tiers-0-conditions-0-DELETE": "on"}
    assert root.post(url, form).status_code == 302
    assert not models.Condition.objects.exists()
    assert "conditions" in str(LogEntry.objects.get().get_change_message()).lower()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        ({}, "It has no tiers, so it lets nobody in."),
        ({**tier(0, order="1"), "tiers-TOTAL_FORMS": "1"}, "has no conditions"),
        ({**tier(0, "everyone"), "tiers-TOTAL_FORMS": "1"}, "gives the full version to everybody"),
        ({**tier(0, "authenticated"), "tiers-TOTAL_FORMS": "1"}, "has no access service"),
        (
            {**tier(0, "everyone", ends_0="2001-01-01", ends_1="00:00"), "tiers-TOTAL_FORMS": "1"},
            "has been over since 1 January 2001",
        ),
    ],
)
def test_what_looks_wrong_in_a_policy_is_said_after_saving(root, tiers, sentence):
    answer = root.post(page("accesspolicy", "add"), blank_policy(**tiers), follow=True)
    assert sentence in " ".join(str(message) for message in answer.context["messages"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("prefixes", "sentence"), [("0.0.0.0/0", "every address there is"), ("10.0.0.0/8", "private"), ("192.0.2.0/28", "")]
)
def test_a_network_that_is_too_wide_or_private_is_pointed_out(root, prefixes, sentence):
    form = {"name": "Here", "slug": "here", "prefixes": prefixes}
    answer = root.post(page("network", "add"), form, follow=True)
    first, *said, own = [str(message) for message in answer.context["messages"]]
    assert ("added successfully" in first, "Your own address" in own) == (True, True)
    assert bool(said) == bool(sentence)
    assert sentence in " ".join(said)


# -- Actions ------------------------------------------------------------------------------------------------------


def act(client, model: str, action: str, rows, **answers: object):
    return client.post(
        page(model, "changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows], "select_across": "0", **answers},
        follow=True,
    )


@pytest.mark.django_db
def test_setting_a_policy_asks_first_and_then_sets_all(root):
    rows, policy = factories.ResourceFactory.create_batch(3), factories.AccessPolicyFactory()
    asked = act(root, "resource", "set_policy", rows)
    assert "Set the policy of 3" in asked.content.decode()
    assert not models.Resource.objects.filter(policy=policy).exists()
    act(root, "resource", "set_policy", rows, step="apply", count=3, policy=policy.pk, reason="Agreed")
    assert models.Resource.objects.filter(policy=policy).count() == 3
    assert models.Change.objects.filter(action="changed", reason="Agreed").count() == 3


@pytest.mark.django_db
def test_taking_the_policy_away_ends_replacing_those_above(root):
    over = factories.ResourceFactory(policy=factories.AccessPolicyFactory(), overrides=True)
    plain = factories.ResourceFactory(policy=over.policy)
    act(root, "resource", "remove_policy", [over, plain], step="apply", count=2, reason="Gone")
    assert list(models.Resource.objects.order_by("pk").values_list("policy", "overrides")) == [(None, False)] * 2


@pytest.mark.django_db
def test_withdrawing_needs_a_reason_and_then_closes_at_once(root):
    rows = factories.ResourceFactory.create_batch(2)
    refused = act(root, "resource", "withdraw", rows, step="apply", count=2, reason="")
    assert "This field is required" in refused.content.decode()
    assert not models.Withdrawal.objects.exists()
    said = {"note-0-language": "en", "note-0-text": "Being looked into.", "text": "own", "step": "apply"}
    given = {**said, "reference": "L 3", "review_on": str(timezone.localdate())}
    act(root, "resource", "withdraw", rows, reason="Letter of 3 May", count=2, **given)
    act(root, "resource", "withdraw", rows, reason="Twice", count=0, **given)
    held = models.Withdrawal.objects.order_by("resource")
    assert [(row.resource, row.reason, row.note) for row in held] == [
        (row, "Letter of 3 May", {"en": ["Being looked into."]}) for row in rows
    ]
    assert "withdrawn" in root.get(page("resource", "changelist")).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["embargo", "withdrawal", "grant"])
def test_what_runs_is_ended_now_and_what_is_to_come_is_left(root, model):
    now = timezone.now()
    running = MADE[model](starts=now - timedelta(days=1))
    coming = MADE[model](starts=now + timedelta(days=1))
    answer = act(root, model, "end_now", [running, coming])
    running.refresh_from_db()
    coming.refresh_from_db()
    assert running.ends is not None
    assert running.ends <= timezone.now()
    assert coming.ends is None
    assert "1 were left as they are" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["embargo", "withdrawal", "grant"])
def test_the_states_are_told_apart(root, model):
    now, day = timezone.now(), timedelta(days=1)
    made = {
        "running": MADE[model](starts=now - day, ends=now + day),
        "coming": MADE[model](starts=now + day),
        "over": MADE[model](starts=now - 2 * day, ends=now - day),
    }
    for state, row in made.items():
        assert list(root.get(page(model, "changelist"), {"state": state}).context["cl"].result_list) == [row]


@pytest.mark.django_db
def test_a_grant_is_signed_by_whoever_gives_it(root, django_user_model):
    person, resource = factories.UserFactory(), factories.ResourceFactory()
    form = {"user": person.email, "resource": resource.pk, "tier": "", "take": "on", "reason": "Thesis"}
    assert root.post(page("grant", "add"), form).status_code == 302
    grant = models.Grant.objects.get()
    assert (grant.user, grant.granted_by) == (person, django_user_model.objects.get(is_superuser=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({}, "Please say for whom"),
        ({"user": "ann"}, "There is no “ann”"),
        ({"group": "Staff", "resource": ""}, "Please say what for"),
        ({"group": "Staff", "user": "person"}, "Please say for whom"),
        (
            {
                "group": "Staff",
                "starts_0": "2030-02-01",
                "starts_1": "00:00",
                "ends_0": "2030-01-01",
                "ends_1": "00:00",
            },
            "The end must come after the beginning.",
        ),
    ],
)
def test_bad_grants_are_answered_with_sentences(root, more, sentence):
    root.get("/")
    resource = factories.ResourceFactory()
    factories.GroupFactory(name="Staff")
    factories.UserFactory(username="person") if more.get("user") == "person" else None
    answer = root.post(page("grant", "add"), {"resource": resource.pk, "tier": "", "take": "on", "reason": "", **more})
    assert sentence in answer.content.decode()
    assert not models.Grant.objects.exists()


@pytest.mark.django_db
def test_a_new_resource_can_be_embargoed_in_the_same_form(root):
    form = {
        "label-0-language": "en",
        "label-0-text": "Diary",
        "url": "/iiif/3/diary",
        "type": "Image",
        "image_api": "3",
        "embargoes-0-closes": "all",
        "embargoes-0-reason": "Donor",
        "grants-0-user": str(factories.UserFactory()),
        "grants-0-take": "on",
    }
    for prefix, count in (("renditions", "0"), ("embargoes", "1"), ("withdrawals", "0"), ("grants", "1")):
        form |= {f"{prefix}-TOTAL_FORMS": count, f"{prefix}-INITIAL_FORMS": "0"}
    assert root.post(page("resource", "add"), form).status_code == 302
    row = models.Resource.objects.get()
    assert (row.label, row.embargoes.get().reason) == ({"en": ["Diary"]}, "Donor")
    assert row.grants.get().granted_by is not None


@pytest.mark.django_db
def test_a_resource_that_moves_is_found_at_its_new_address_only(root):
    row = factories.ResourceFactory(url="/iiif/3/old", policy=factories.AccessPolicyFactory())
    url = page("resource", "change", row.pk)
    root.post(url, sent_back(root.get(url), "resource") | {"url": "/iiif/3/new"})
    assert find_offer("/iiif/3/old") is None
    assert find_offer("/iiif/3/new") is not None


@pytest.mark.django_db
@pytest.mark.parametrize(("make", "said"), [("embargo", "under embargo"), ("withdrawal", "withdrawn")])
def test_the_list_says_what_a_collection_above_closes(root, make, said):
    maps = factories.CollectionFactory()
    MADE[make](resource=None, collection=maps)
    factories.CollectionRuleFactory(collection=factories.CollectionFactory(parent=maps), pattern="/iiif/3/map-")
    factories.ResourceFactory(url="/iiif/3/map-1")
    (row,) = root.get(page("resource", "changelist")).context["cl"].result_list
    assert row.closed_said == said


@pytest.mark.django_db
def test_a_grant_beside_a_resource_needs_somebody_too(root):
    """The form there shows people and groups only, so Django by itself would leave the question to the database."""
    row = factories.ResourceFactory()
    url = reverse("admin:iiif_auth_resource_change", args=[row.pk])
    fields = sent_back(root.get(url), "resource")
    fields |= {"grants-TOTAL_FORMS": ["1"], "grants-0-resource": [str(row.pk)], "grants-0-reason": ["For her book"]}
    page = root.post(url, fields)
    assert page.status_code == 200
    assert "Please say for whom" in page.content.decode()
    assert models.Grant.objects.count() == 0
