"""The simulator's other ways in: a reference, a group, a manifest; and who may ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from iiif_auth import drafts, fetch, roles
from iiif_auth.admin import inside
from iiif_auth.admin.why import WhyMixin
from iiif_auth.contents import NotPublished, snapshot
from iiif_auth.models import Condition, Refusal
from tests import factories as make
from tests.admin.staff import of_the_staff

pytestmark = pytest.mark.django_db

WHY = "admin:iiif_auth_why"
MANIFEST = "admin:iiif_auth_why_manifest"


@pytest.fixture
def desk(client):
    client.force_login(of_the_staff("use_simulator", "every_collection"))
    return client


@pytest.fixture
def staff_only():
    held = make.AccessPolicyFactory(slug="staff", name="Staff only")
    tier = make.TierFactory(policy=held, slug="full")
    make.ConditionFactory(tier=tier, kind=Condition.Kind.GROUP, group=make.GroupFactory(name="Staff"))
    return held


@pytest.fixture
def chart(staff_only):
    return make.ResourceFactory(url="/iiif/3/chart", label={"en": ["Chart"]}, policy=staff_only)


def answer(client, **question):
    response = client.get(reverse(WHY), {**question, "format": "json"}, follow=True)
    assert response.status_code == 200, response.content
    return response.json()


# -- Who may ask --------------------------------------------------------------------------------------------------


def test_the_simulator_alone_is_permission_enough(desk, chart):
    assert answer(desk, resource="/iiif/3/chart")["decision"] == "refused"


@pytest.mark.parametrize("name", [WHY, MANIFEST])
def test_other_staff_may_not_ask(client, chart, name):
    client.force_login(of_the_staff("every_collection", "view_grant"))
    assert client.get(reverse(name), {"resource": "/iiif/3/chart"}).status_code == 403


def test_staff_of_another_collection_learn_nothing(client, chart):
    client.force_login(of_the_staff("use_simulator", "view_resource"))
    assert answer(client, resource="/iiif/3/chart")["decision"] == "unknown"
    by_number = client.get(reverse(WHY), {"resource": str(chart.pk), "format": "json"})
    assert by_number.status_code == 400


# -- A group ------------------------------------------------------------------------------------------------------


def test_a_new_member_of_a_group_can_be_asked_about(desk, chart):
    said = answer(desk, resource="/iiif/3/chart", group="Staff")
    assert (said["decision"], said["person"], said["groups"]) == ("allowed", "a new member of Staff", ["Staff"])


def test_a_person_can_be_imagined_in_another_group(desk, chart):
    make.UserFactory(email="hana@example.org")
    assert answer(desk, resource="/iiif/3/chart", person="hana@example.org")["decision"] == "refused"
    said = answer(desk, resource="/iiif/3/chart", person="hana@example.org", group="staff")
    assert (said["decision"], said["person"], said["groups"]) == ("allowed", "hana@example.org", ["Staff"])


def test_an_unknown_group_is_answered_with_a_sentence(desk, chart):
    response = desk.get(reverse(WHY), {"resource": "/iiif/3/chart", "group": "Nobody", "format": "json"})
    assert "There is no “Nobody”" in str(response.json()["errors"]["group"])


# -- A reference --------------------------------------------------------------------------------------------------


@pytest.fixture
def refusal(chart):
    hana = make.UserFactory(email="hana@example.org")
    at = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
    return Refusal.objects.create(code="7F3K-92QD", url="/iiif/3/chart", at=at, user=hana, address="192.0.2.5")


@pytest.mark.parametrize("spelling", ["7F3K-92QD", " 7f3k-92qd "])
def test_a_reference_fills_in_the_question(desk, refusal, settings, spelling):
    settings.TIME_ZONE = "Europe/London"
    make.AccessServiceFactory(slug="terms", label={"en": ["Terms"]})
    refusal.agreed = ["terms"]
    refusal.save()
    said = answer(desk, resource=spelling)
    assert (said["decision"], said["person"], said["address"]) == ("refused", "hana@example.org", "192.0.2.5")
    assert (said["at"], said["agreed"], said["reference"]) == ("2026-07-01T10:30:00+01:00", ["Terms"], "7F3K-92QD")


def test_the_filled_in_question_can_be_asked_for_now(desk, refusal):
    html = desk.get(reverse(WHY), {"resource": "7F3K-92QD"}, follow=True).content.decode()
    assert "The same question for now" in html
    assert 'value="hana@example.org"' in html


def test_an_unknown_reference_is_answered_with_a_sentence(desk):
    response = desk.get(reverse(WHY), {"resource": "AAAA-1111", "format": "json"})
    assert "There is no refusal with the reference AAAA-1111" in str(response.json())


def test_a_reference_of_somebody_elses_item_is_unknown(client, refusal):
    client.force_login(of_the_staff("use_simulator", "view_resource"))
    response = client.get(reverse(WHY), {"resource": "7F3K-92QD", "format": "json"}, follow=True)
    assert "There is no refusal with the reference" in str(response.json())
    assert "hana" not in response.content.decode()


def test_an_hour_that_comes_twice_is_kept_apart(settings, db):
    from iiif_auth.admin.asking import clock

    settings.TIME_ZONE = "Europe/London"
    assert clock(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "2026-10-25T00:30:00+00:00"
    assert clock(datetime(2026, 10, 25, 9, 30, tzinfo=UTC)) == "2026-10-25T09:30:00"


# -- A draft ------------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(staff_only):
    """Everybody, where the policy that is live is for the staff."""
    condition = Condition.objects.get(tier__policy=staff_only)
    Condition.objects.filter(pk=condition.pk).update(kind=Condition.Kind.EVERYONE, group=None)
    made = drafts.begun(staff_only, snapshot(staff_only), None)
    condition.save()
    return made


def test_a_draft_can_be_tried_before_it_is_live(desk, chart, draft):
    assert answer(desk, resource="/iiif/3/chart")["decision"] == "refused"
    said = answer(desk, resource="/iiif/3/chart", draft=str(draft.pk))
    assert (said["decision"], said["draft"]) == ("allowed", str(draft))
    assert said["places"][0]["sentence"] == "Anyone may view and keep a copy."
    assert answer(desk, resource="/iiif/3/chart")["decision"] == "refused"


def test_a_draft_that_names_what_is_gone_is_answered_with_a_sentence(desk, chart, draft, monkeypatch):
    def gone(row):
        raise NotPublished(["The group Staff is gone."])

    monkeypatch.setattr(drafts, "as_policy", gone)
    response = desk.get(reverse(WHY), {"resource": "/iiif/3/chart", "draft": str(draft.pk), "format": "json"})
    assert "The group Staff is gone." in str(response.json()["errors"]["draft"])


# -- A manifest ---------------------------------------------------------------------------------------------------


def manifest(*names, base="http://localhost:8000"):
    canvases = [
        {
            "type": "Canvas",
            "id": f"https://museum.example.org/book/canvas/{number}",
            "label": {"en": [f"Page {number}"]},
            "items": [
                {
                    "type": "AnnotationPage",
                    "items": [
                        {"type": "Annotation", "body": {"type": "Image", "id": f"{base}{name}/full/max/0/default.jpg"}}
                    ],
                }
            ],
        }
        for number, name in enumerate(names, 1)
    ]
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": "https://museum.example.org/book/manifest.json",
        "type": "Manifest",
        "label": {"en": ["The book"]},
        "items": canvases,
    }


@pytest.fixture
def here(settings):
    settings.IIIF_AUTH_FLOW = {
        **settings.IIIF_AUTH_FLOW,
        "BASE_URL": "http://localhost:8000",
        "MANIFEST_SOURCES": ("https://museum.example.org/",),
    }


@pytest.fixture
def open_page():
    tier = make.TierFactory(slug="full")
    make.ConditionFactory(tier=tier)
    return make.ResourceFactory(url="/iiif/3/open", policy=tier.policy)


def test_a_pasted_manifest_shows_what_is_restricted_in_it(desk, here, chart, open_page):
    text = json.dumps(manifest("/iiif/3/chart", "/iiif/3/open", "/iiif/3/nowhere"))
    html = desk.post(reverse(MANIFEST), {"text": text}).content.decode()
    assert "The book: 1 restricted item" in html
    assert "Page 1" in html
    assert f"{reverse(WHY)}?resource=%2Fiiif%2F3%2Fchart" in html
    assert "1 more is open to everybody." in html
    assert "1 address in it is not ours" in html


def test_a_canvas_leads_to_its_manifest(desk, here, chart, staff_only, monkeypatch):
    make.ResourceFactory(url="/iiif/3/second", label={"en": ["Second"]}, policy=staff_only)
    asked = []

    def fetched(url, sources, *args, **kwargs):
        asked.append(url)
        if url.endswith("manifest.json"):
            raise fetch.NotThere("There is none.")
        return json.dumps(manifest("/iiif/3/chart", "/iiif/3/second")).encode()

    monkeypatch.setattr(fetch, "fetched", fetched)
    url = "https://viewer.example.org/#?manifest=https://museum.example.org/book/canvas/2"
    html = desk.post(reverse(MANIFEST), {"url": url}).content.decode()
    assert asked == ["https://museum.example.org/book/manifest.json", "https://museum.example.org/book/manifest"]
    assert ("Page 2" in html, "Page 1" in html) == (True, False)


def test_what_is_not_listed_is_not_fetched(desk, here, monkeypatch):
    monkeypatch.setattr(fetch, "opened", lambda *args, **kwargs: pytest.fail("It was asked."))
    for url in ("https://elsewhere.example.org/manifest.json", "http://169.254.169.254/latest"):
        html = desk.post(reverse(MANIFEST), {"url": url}).content.decode()
        assert "Documents from this address are not fetched." in html


def test_looking_at_the_page_fetches_nothing(desk, here, monkeypatch):
    monkeypatch.setattr(fetch, "fetched", lambda *args, **kwargs: pytest.fail("It was asked."))
    assert desk.get(reverse(MANIFEST), {"url": "https://museum.example.org/manifest.json"}).status_code == 200


def test_a_manifest_is_sent_with_the_form_of_this_site_only(chart, here):
    client = Client(enforce_csrf_checks=True)
    client.force_login(of_the_staff("use_simulator", "every_collection"))
    assert client.post(reverse(MANIFEST), {"text": json.dumps(manifest())}).status_code == 403


def test_a_manifest_tells_nothing_about_other_collections(client, here, chart):
    client.force_login(of_the_staff("use_simulator", "view_resource"))
    html = client.post(reverse(MANIFEST), {"text": json.dumps(manifest("/iiif/3/chart"))}).content.decode()
    assert "The book: 0 restricted items" in html
    assert "resource=%2Fiiif" not in html


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Please give either the address of a manifest or the manifest itself."),
        ({"text": "{"}, "This is not JSON"),
        ({"text": "[]"}, "neither a manifest nor a Collection"),
        ({"text": json.dumps({"type": "Manifest", "label": {"en": "x"}, "items": [[]]})}, "0 restricted items"),
    ],
)
def test_a_bad_manifest_is_answered_with_a_sentence(desk, here, sent, sentence):
    assert sentence in desk.post(reverse(MANIFEST), sent).content.decode()


def test_many_items_cost_few_queries(desk, here, staff_only, django_assert_max_num_queries):
    names = [make.ResourceFactory(policy=staff_only).url for _ in range(40)]
    with django_assert_max_num_queries(25):
        html = desk.post(reverse(MANIFEST), {"text": json.dumps(manifest(*names))}).content.decode()
    assert "The book: 40 restricted items" in html


@pytest.mark.parametrize(
    ("label", "said"),
    [({"en": ["A"]}, "A"), ("B", "B"), (["C", "D"], "C"), ({"@value": "E"}, "E"), (None, ""), ({"en": [1]}, "1")],
)
def test_labels_of_both_versions_are_read(label, said):
    assert inside.label_of({"label": label}) == said


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


@pytest.fixture
def careless(monkeypatch):
    """Nobody asks any more who finds what."""
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)


def test_it_is_noticed_where_other_collections_are_told_of(client, chart, careless):
    with pytest.raises(AssertionError, match="'refused' == 'unknown'"):
        test_staff_of_another_collection_learn_nothing(client, chart)


def test_it_is_noticed_where_references_are_anybodys(client, refusal, careless):
    with pytest.raises(AssertionError):
        test_a_reference_of_somebody_elses_item_is_unknown(client, refusal)


def test_it_is_noticed_where_manifests_tell_of_other_collections(client, here, chart, careless):
    with pytest.raises(AssertionError, match="0 restricted items"):
        test_a_manifest_tells_nothing_about_other_collections(client, here, chart)


@pytest.mark.parametrize("name", [WHY, MANIFEST])
def test_it_is_noticed_where_everybody_may_ask(client, chart, monkeypatch, name):
    monkeypatch.setattr(WhyMixin, "_check_may_simulate", lambda *given: None)
    with pytest.raises(AssertionError, match="200 == 403"):
        test_other_staff_may_not_ask(client, chart, name)
