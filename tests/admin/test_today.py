"""The app index says what matters today to whoever looks, and finds what the help desk was told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from iiif_auth.admin import doctor, today
from iiif_auth.models import AccessRequest, Batch, Delegation, Pass, PolicyDraft, Refusal
from tests import factories

pytestmark = pytest.mark.django_db
INDEX = "/admin/iiif_auth/"


def clerk(*permissions: str, everywhere: bool = True):
    person = factories.UserFactory(is_staff=True)
    names = [*permissions, *(["every_collection"] if everywhere else [])]
    person.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="iiif_auth"))
    return person


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def said(person, at=None) -> list[str]:
    request = RequestFactory().get(INDEX, HTTP_HOST="localhost:8000")
    request.user = person
    return [line.text for line in today.lines(request, at)]


def asked_for(**values: object) -> AccessRequest:
    number = AccessRequest.objects.count()
    values = {"state": "new", "name": "Ann", "email": "ann@example.org", "purpose": "study", **values}
    return AccessRequest.objects.create(code=f"code-{number}", digest=f"digest {number}", url="/iiif/3/x", **values)


def test_everything_that_matters_is_a_count_in_a_sentence(root):
    now = timezone.now().replace(hour=12, minute=0)
    person, later = factories.UserFactory(), now + timedelta(hours=3)
    factories.GrantFactory(user=person, ends=later)
    factories.GrantFactory(user=person, ends=now + timedelta(days=2))
    factories.EmbargoFactory(ends=now + timedelta(days=2))
    factories.EmbargoFactory(ends=now + timedelta(days=8))
    factories.WithdrawalFactory(starts=now - timedelta(days=9), review_on=now.date())
    factories.WithdrawalFactory(starts=now - timedelta(days=9), ends=now - timedelta(days=1), review_on=now.date())
    asked_for()
    asked_for(state="seconded")
    asked_for(state="approved")
    Batch.objects.create(kind="bulk", what="many", state="running")
    Batch.objects.create(kind="bulk", what="many", state="failed")
    Batch.objects.create(kind="bulk", what="long ago", state="failed", created=now - timedelta(days=30))
    policy = factories.AccessPolicyFactory()
    PolicyDraft.objects.create(policy=policy, publish_at=later)
    PolicyDraft.objects.create(policy=policy, publish_at=later, failed="A group is gone.")
    PolicyDraft.objects.create(policy=policy, publish_at=later, published=now)
    root_person = factories.UserFactory(is_staff=True, is_superuser=True)
    assert said(root_person, now) == [
        "2 requests wait for an answer.",
        "1 grant ends today.",
        "1 embargo ends within a week.",
        "1 withdrawal is to be reviewed.",
        "1 job is running or waiting.",
        "1 job failed within a week.",
        "1 draft is due within a day.",
        "1 draft could not be published.",
        "The site itself is in order.",
    ]


def test_every_link_leads_to_what_was_counted(root):
    now = timezone.now()
    factories.GrantFactory(user=factories.UserFactory(), ends=today.midnight(now) - timedelta(seconds=1))
    factories.EmbargoFactory(ends=now + timedelta(days=2))
    factories.WithdrawalFactory(starts=now - timedelta(days=9), review_on=timezone.localdate())
    asked_for()
    Batch.objects.create(kind="bulk", what="many", state="failed")
    page = root.get(INDEX)
    request = RequestFactory().get(INDEX)
    request.user = page.wsgi_request.user
    links = {line.text: line.url for line in today.lines(request)}
    assert {
        "1 grant ends today.",
        "1 embargo ends within a week.",
        "1 withdrawal is to be reviewed.",
        "1 request waits for an answer.",
        "1 job failed within a week.",
    } <= set(links)
    for text, url in links.items():
        if url and "changelist" not in url and text.startswith("1 "):
            answer = root.get(url)
            assert answer.status_code == 200, (text, url)
            if "cl" in answer.context:
                assert answer.context["cl"].result_count == 1, text
            assert text in page.content.decode()


def test_what_others_look_after_is_not_counted():
    mine, theirs = factories.CollectionFactory(), factories.CollectionFactory()
    person = clerk("view_grant", "view_embargo", "view_withdrawal", "view_accessrequest", everywhere=False)
    Delegation.objects.create(collection=mine, user=person)
    now = timezone.now()
    for place in (mine, theirs, theirs):
        row = factories.ResourceFactory(collection=place)
        factories.EmbargoFactory(resource=row, ends=now + timedelta(days=2))
        asked_for(resource=row)
    assert said(person) == ["1 request waits for an answer.", "1 embargo ends within a week."]


def test_without_a_permission_nothing_is_said_of_it(client):
    factories.EmbargoFactory(ends=timezone.now() + timedelta(days=2))
    assert said(clerk("view_resource")) == []
    assert said(clerk("view_embargo")) == ["1 embargo ends within a week."]


def test_pages_are_listed_for_those_who_may_open_them():
    def titles(person) -> str:
        return client_of(person).get(INDEX).content.decode()

    assert reverse("admin:iiif_auth_reports") in titles(clerk("view_dailycount"))
    assert reverse("admin:iiif_auth_reports") not in titles(clerk("view_resource"))


def test_a_page_that_is_not_there_yet_is_not_listed(monkeypatch):
    monkeypatch.setattr(today, "PAGES", (("iiif_auth_of_another_day", "", "Another day", ""),))
    request = RequestFactory().get(INDEX)
    request.user = clerk()
    assert today.pages(request) == []


def test_the_index_asks_the_database_little_however_much_there_is(root):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert root.get(INDEX).status_code == 200
        return len(seen)

    factories.ConditionFactory()
    queries()
    few = queries()
    for row in factories.EmbargoFactory.create_batch(20, ends=timezone.now() + timedelta(days=1)):
        factories.GrantFactory(user=factories.UserFactory(), resource=row.resource, ends=timezone.now())
    queries()
    assert queries() <= few <= 12


# -- The doctor ---------------------------------------------------------------------------------------------------


def problems(person=None, **meta: str) -> list[str]:
    request = RequestFactory().get("/", **{"HTTP_HOST": "localhost:8000", **meta})
    return [one.said for one in doctor.problems(request, timezone.now())]


def test_a_site_in_order_has_no_problems(root):
    assert problems() == []
    assert "in order" in root.get(reverse("admin:iiif_auth_doctor")).content.decode()


def test_a_proxy_that_is_not_trusted_is_seen(settings):
    assert len(problems(HTTP_X_FORWARDED_FOR="203.0.113.9")) == 1
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 1}
    assert problems(HTTP_X_FORWARDED_FOR="203.0.113.9") == []
    assert "came through fewer" in problems()[0]


def test_another_address_than_viewers_are_told_is_seen():
    assert "localhost:8000" in problems(HTTP_HOST="127.0.0.1:8000")[0]


def test_settings_that_checks_complain_of_are_seen(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "SIGNED_MINUTES": 0}
    assert any("SIGNED_MINUTES" in one for one in problems())


def test_a_policy_that_can_not_be_read_is_named_with_its_page(root):
    tier = factories.TierFactory(policy__name="Broken")
    factories.ConditionFactory(tier=tier)
    assert problems() == []
    type(tier.policy).objects.filter(pk=tier.policy_id).update(zone="Nowhere/Land")
    assert problems() == ["The policy “Broken” can not be read, so it lets nobody in."]
    page = root.get(reverse("admin:iiif_auth_doctor")).content.decode()
    assert reverse("admin:iiif_auth_accesspolicy_change", args=[tier.policy_id]) in page


def test_daily_work_that_was_forgotten_is_seen():
    held = factories.PassFactory()
    Pass.objects.filter(pk=held.pk).update(ends=timezone.now() - timedelta(days=2))
    assert problems() == []
    Pass.objects.filter(pk=held.pk).update(ends=timezone.now() - timedelta(days=4))
    assert "daily work" in problems()[0]


def test_the_doctor_is_for_those_who_look_after_the_site():
    url = reverse("admin:iiif_auth_doctor")
    assert Client().get(url).status_code == 302
    assert client_of(clerk("view_accessservice")).get(url).status_code == 403
    assert client_of(clerk("change_accessservice")).get(url).status_code == 200


# -- Finding ------------------------------------------------------------------------------------------------------


def find(client: Client, text: str) -> str:
    return client.get(reverse("admin:iiif_auth_find"), {"q": text}).url


def test_addresses_numbers_and_references_lead_to_why(root):
    Refusal.objects.create(code="7F3K-92", url="/iiif/3/x")
    why = reverse("admin:iiif_auth_why")
    assert find(root, "https://iiif.example.org/iiif/3/x/info.json").startswith(f"{why}?resource=https")
    assert find(root, "/iiif/3/x") == f"{why}?resource=%2Fiiif%2F3%2Fx"
    assert find(root, "12") == f"{why}?resource=12"
    assert find(root, "7f3k 92").startswith(f"{why}?resource=7")
    assert find(root, "") == why


def test_a_name_leads_to_the_one_item_or_to_the_list(root):
    row = factories.ResourceFactory(label={"en": ["Chart of the isles"]})
    assert find(root, "of the isles") == f"{reverse('admin:iiif_auth_why')}?resource={row.pk}"
    factories.ResourceFactory(label={"en": ["Chart of the isles, 2nd edition"]})
    assert find(root, "of the isles").startswith(reverse("admin:iiif_auth_resource_changelist"))
    assert find(root, "7F3K-92").startswith(reverse("admin:iiif_auth_resource_changelist"))  # no such reference


def test_what_is_hidden_is_not_found_by_its_name():
    mine, theirs = factories.CollectionFactory(), factories.CollectionFactory()
    factories.ResourceFactory(collection=theirs, label={"en": ["Secret ledger"]})
    person = clerk("view_resource", everywhere=False)
    Delegation.objects.create(collection=mine, user=person)
    client = client_of(person)
    assert find(client, "Secret ledger") == f"{reverse('admin:iiif_auth_resource_changelist')}?q=Secret+ledger"


@pytest.mark.parametrize("text", ["\x00", "%", "'" * 9, "x" * 3000, "https://[", "\u202e", "//", "javascript:alert(1)"])
def test_no_search_breaks_and_none_leads_away(root, text):
    assert find(root, text).startswith("/admin/iiif_auth/resource/")


def test_nobody_searches_without_the_permission():
    url = reverse("admin:iiif_auth_find")
    assert Client().get(url, {"q": "x"}).url.startswith("/admin/login/")
    assert client_of(clerk("view_network")).get(url, {"q": "x"}).status_code == 403
