"""The templates that come with the app: they load, say what they do, open nothing themselves, and their copies work."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from django.core.management import call_command
from django.urls import reverse

from iiif_auth.admin import copying, spoken
from iiif_auth.models import AccessPolicy, AccessService, Condition, Network, RefusalText, Resource, Tier
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import FULL, NOBODY, Allowed, Denied, Subject
from iiif_auth.store import find_offer, rulebook
from tests import factories

pytestmark = pytest.mark.django_db

ROWS = (AccessPolicy, AccessService, Condition, Network, RefusalText, Tier)
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
JULY = datetime(2027, 7, 15, 12, tzinfo=UTC)
READER = Subject(user="1")
SAID = {
    "open": "Anyone may view and keep a copy.",
    "signed-in": "Anyone signed in may view and keep a copy; nobody else may see anything.",
    "signed-in-preview": (
        "Anyone signed in may view and keep a copy; everyone else may view and keep a version of at most 400 pixels."
    ),
    "three-tiers": (
        "Anyone signed in may view and keep a version of at most 1200 pixels; "
        "everyone else may view and keep a version of at most 400 pixels."
    ),
    "terms": "Anyone who went through “Terms of use” may view and keep a copy; nobody else may see anything.",
    "advisory": "Anyone who went through “Content advice” may view and keep a copy; nobody else may see anything.",
    "reading-room": "Anyone at Reading room may view; nobody else may see anything.",
    "kiosk": "People who have gone through “Kiosk” and are at Kiosks may view; nobody else may see anything.",
    "named-people": "Nobody may see anything.",
    "moving-wall-70": (
        "Anyone may view and keep a copy once 70 years have passed since its date; otherwise nobody may see anything."
    ),
    "seasonal": (
        "Anyone signed in may view and keep a copy every year from 1 November until 1 March; "
        "otherwise nobody may see anything."
    ),
    "closed": "Nobody may see anything.",
    "campus-login-preview": (
        "Anyone at Campus or anyone signed in may view and keep a copy; "
        "everyone else may view and keep a version of at most 400 pixels."
    ),
    "embargo": "Anyone may view and keep a copy.",
    "named-researchers": "Nobody may see anything.",
    "community-protocol": "Nobody may see anything.",
    "staff-only": "Nobody may see anything.",
    "legal-deposit": "People who are at Reading room and are signed in may view; nobody else may see anything.",
    "reading-room-redacted": "Anyone at Reading room may view; everyone else may see something else instead.",
}


def load() -> None:
    call_command("loaddata", "iiif_auth_templates", verbosity=0)


@pytest.fixture(autouse=True)
def templates():
    load()


def copy_of(name: str) -> AccessPolicy:
    row = AccessPolicy.objects.get(slug=f"template-{name}")
    return copying.copied(row, name=row.name, slug=copying.free_slug(row.slug))


def allowed(policy: AccessPolicy, subject: Subject, at: datetime = NOON, **values: object) -> bool:
    row = factories.ResourceFactory(policy=policy, **values)
    decision = decide(find_offer(row.url), subject, at)
    assert isinstance(decision, Allowed | Denied)
    return isinstance(decision, Allowed)


def test_loading_twice_changes_nothing():
    before = [list(model.objects.order_by("pk").values()) for model in ROWS]
    load()
    assert [list(model.objects.order_by("pk").values()) for model in ROWS] == before


def test_all_are_templates_and_explain_themselves():
    rows = AccessPolicy.objects.all()
    assert {row.slug.removeprefix("template-") for row in rows} == set(SAID)
    assert all(row.is_template and row.about for row in rows)


def test_everything_that_people_read_is_there_in_five_languages():
    texts = [text for row in RefusalText.objects.all() for text in (row.heading, row.note)]
    texts += [row.label for row in (*Tier.objects.all(), *AccessService.objects.all())]
    names = ("heading", "note", "confirm_label", "error_heading", "error_note", "logout_label")
    texts += [text for row in AccessService.objects.all() for name in names if (text := getattr(row, name))]
    assert {tuple(text) for text in texts} == {("en", "de", "fr", "es", "cy")}


@pytest.mark.parametrize("name", SAID)
def test_the_sentence_of_each_says_what_it_is_for(name):
    assert spoken.policy_sentence(spoken.whole(AccessPolicy.objects.get(slug=f"template-{name}"))) == SAID[name]


@pytest.mark.parametrize("name", SAID)
def test_a_copy_says_the_same(name):
    assert spoken.policy_sentence(spoken.whole(copy_of(name))) == SAID[name]


@pytest.mark.parametrize("name", SAID)
def test_a_template_itself_opens_nothing(name):
    row = AccessPolicy.objects.get(slug=f"template-{name}")
    assert rulebook().policies[row.pk].tiers == ()
    everything = Subject(
        user="1", address=ip_address("192.0.2.5"), agreements=frozenset(rulebook().services), groups=frozenset("1")
    )
    assert not allowed(row, everything, date="1900-01-01")


@pytest.mark.parametrize(
    ("name", "subject", "values", "expected"),
    [
        ("open", NOBODY, {}, True),
        ("signed-in", NOBODY, {}, False),
        ("signed-in", READER, {}, True),
        ("signed-in-preview", NOBODY, {}, False),
        ("signed-in-preview", READER, {}, True),
        ("three-tiers", READER, {}, False),
        ("terms", NOBODY, {}, False),
        ("terms", Subject(agreements=frozenset({"terms"})), {}, True),
        ("advisory", Subject(agreements=frozenset({"terms"})), {}, False),
        ("advisory", Subject(agreements=frozenset({"advisory"})), {}, True),
        ("reading-room", NOBODY, {}, False),
        ("reading-room", Subject(address=ip_address("192.0.2.5")), {}, True),
        ("kiosk", Subject(agreements=frozenset({"kiosk"})), {}, False),
        ("kiosk", Subject(address=ip_address("192.0.2.130")), {}, False),
        ("kiosk", Subject(address=ip_address("192.0.2.130"), agreements=frozenset({"kiosk"})), {}, True),
        ("named-people", READER, {}, False),
        ("moving-wall-70", NOBODY, {"date": "1956-06-01"}, True),
        ("moving-wall-70", NOBODY, {"date": "1957-06-01"}, False),
        ("moving-wall-70", NOBODY, {}, False),
        ("seasonal", READER, {"at": NOON}, True),
        ("seasonal", READER, {"at": JULY}, False),
        ("closed", READER, {}, False),
        ("campus-login-preview", NOBODY, {}, False),
        ("campus-login-preview", READER, {}, True),
        ("campus-login-preview", Subject(address=ip_address("198.51.100.5")), {}, True),
        ("embargo", NOBODY, {}, True),
        ("named-researchers", READER, {}, False),
        ("community-protocol", READER, {}, False),
        ("staff-only", READER, {}, False),
        ("legal-deposit", READER, {}, False),
        ("legal-deposit", Subject(address=ip_address("192.0.2.5")), {}, False),
        ("legal-deposit", Subject(user="1", address=ip_address("192.0.2.5")), {}, True),
        ("reading-room-redacted", NOBODY, {}, False),
        ("reading-room-redacted", Subject(address=ip_address("192.0.2.5")), {}, True),
    ],
)
def test_a_copy_opens_what_it_says(name, subject, values, expected):
    assert allowed(copy_of(name), subject, **values) is expected


def test_a_preview_is_offered_to_everybody():
    row = factories.ResourceFactory(policy=copy_of("signed-in-preview"))
    decision = decide(find_offer(row.url), NOBODY, NOON)
    assert isinstance(decision, Denied)
    assert [(one.rendition.reach, one.rendition.uri) for one in decision.substitutes] == [(400, f"{row.url}~preview")]
    assert [service.slug for service in decision.remedies] == ["login"]


def test_named_people_get_in_by_a_grant_and_are_asked_to_log_in():
    policy, person = copy_of("named-people"), factories.UserFactory()
    factories.GrantFactory(user=person, resource=None, policy=policy)
    row = factories.ResourceFactory(policy=policy)
    assert isinstance(decide(find_offer(row.url), Subject(user=str(person.pk)), NOON), Allowed)
    denied = decide(find_offer(row.url), NOBODY, NOON)
    assert isinstance(denied, Denied)
    assert [service.slug for service in denied.remedies] == ["login"]


def test_a_copy_asks_and_hides_as_its_template_does():
    assert copy_of("named-researchers").requestable
    assert copy_of("community-protocol").secret_from_staff
    assert not copy_of("open").secret_from_staff


def test_a_community_is_let_in_once_both_groups_are_chosen_and_in_season_only():
    policy, groups = copy_of("community-protocol"), factories.GroupFactory.create_batch(2)
    for group in groups:
        factories.ConditionFactory(tier=policy.tiers.get(), kind="group", group=group)
    keys = [str(group.pk) for group in groups]
    both, one = Subject(user="1", groups=frozenset(keys)), Subject(user="1", groups=frozenset(keys[:1]))
    assert [allowed(policy, *asked) for asked in ((both, NOON), (both, JULY), (one, NOON))] == [True, False, False]


def test_copies_share_the_hosts_own_services_and_never_those_of_the_templates():
    login = factories.AccessServiceFactory(slug="login", label={"en": ["Log in to Merehaven"]})
    first, second = copy_of("signed-in"), copy_of("seasonal")
    assert [tier.services.get() for policy in (first, second) for tier in policy.tiers.all()] == [login, login]
    load()
    login.refresh_from_db()
    assert login.label == {"en": ["Log in to Merehaven"]}


def test_a_service_of_the_same_name_but_another_kind_is_not_taken_for_it():
    factories.AccessServiceFactory(slug="login", pattern="clickthrough")
    assert copy_of("signed-in").tiers.get().services.get().slug == "login-2"


def test_the_hosts_own_reading_room_is_used_where_there_is_one():
    own = factories.NetworkFactory(slug="reading-room", prefixes=["198.51.100.0/28"])
    copy = copy_of("reading-room")
    assert copy.tiers.get().conditions.get().network == own
    assert not allowed(copy, Subject(address=ip_address("192.0.2.5")))
    assert allowed(copy, Subject(address=ip_address("198.51.100.5")))


def test_a_second_copy_has_a_free_identifier():
    assert [copy_of("open").slug, copy_of("open").slug] == ["open", "open-2"]


def test_copying_leaves_the_original_as_it_is():
    before = [
        list(model.objects.filter(pk__lte=10_000).order_by("pk").values()) for model in (Tier, Condition, RefusalText)
    ]
    copy_of("kiosk")
    after = [
        list(model.objects.order_by("pk").values())[: len(rows)]
        for model, rows in zip((Tier, Condition, RefusalText), before, strict=True)
    ]
    assert after == before


def test_a_template_is_used_from_its_own_page(root):
    row = AccessPolicy.objects.get(slug="template-terms")
    url = reverse("admin:iiif_auth_accesspolicy_copy", args=[row.pk])
    page = root.get(url).content.decode()
    assert SAID["terms"].split("“")[0] in page
    refused = root.post(url, {"name": "Harker bequest", "slug": "template-terms"}).content.decode()
    assert "“terms” is free" in refused
    answer = root.post(url, {"name": "Harker bequest", "slug": "harker"})
    made = AccessPolicy.objects.get(slug="harker")
    assert answer.url == reverse("admin:iiif_auth_accesspolicy_change", args=[made.pk])
    assert not made.is_template
    assert allowed(made, Subject(agreements=frozenset({"terms"})))


def test_the_action_copies_each(root):
    rows = list(AccessPolicy.objects.order_by("pk")[:2])
    form = {"action": "copy_selected", "_selected_action": [row.pk for row in rows], "select_across": "0"}
    root.post(reverse("admin:iiif_auth_accesspolicy_changelist"), form)
    assert AccessPolicy.objects.filter(is_template=False).count() == 2


def test_a_template_can_not_be_attached(root):
    row = AccessPolicy.objects.get(slug="template-open")
    form = {
        "label-0-language": "en",
        "label-0-text": "X",
        "url": "/iiif/3/x",
        "type": "Image",
        "image_api": "3",
        "policy": row.pk,
    }
    for prefix in ("renditions", "embargoes", "withdrawals", "grants"):
        form |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    assert root.post(reverse("admin:iiif_auth_resource_add"), form).status_code == 200
    assert not Resource.objects.exists()


def test_the_reach_of_every_full_tier_is_everything():
    policies = [copy_of(name) for name in ("open", "signed-in", "terms")]
    assert {tier.reach for one in policies for tier in rulebook().policies[one.pk].tiers} == {FULL}
