"""The agenda in the admin, one's own calendar at a secret address, and who is told what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from iiif_auth.dates import feeds
from iiif_auth.models import CalendarFeed, Delegation
from tests import factories

pytestmark = pytest.mark.django_db
PAGE, MINE = "/admin/iiif_auth/embargo/agenda/", "/admin/iiif_auth/embargo/agenda/mine/"


def embargo(label="Chart", days=1, collection=None):
    row = factories.ResourceFactory(label={"en": [label]}, collection=collection)
    return factories.EmbargoFactory(resource=row, ends=timezone.now() + timedelta(days=days))


def delegated(collection, *permissions):
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="iiif_auth"))
    Delegation.objects.create(collection=collection, user=user, role="viewer")
    return user


def address_of(response):
    return response.context["address"].partition("/calendar/")[2]


def fetched(path):
    from django.urls import reverse

    return Client().get(reverse("iiif_auth:calendar", kwargs={"secret": path.removesuffix(".ics")}))


def test_the_list_begins_today_and_has_a_row_for_each_event(root):
    embargo("Chart", 1)
    embargo("Bygone", -1)
    page = root.get(PAGE).content.decode()
    assert ("Chart" in page, "Bygone" in page, "<caption" in page, 'scope="row"' in page) == (True, False, True, True)


def test_a_month_is_a_table_with_its_days_and_neighbours(root):
    row = embargo("Chart", 0)
    month = f"{timezone.localtime(row.ends):%Y-%m}"
    response = root.get(PAGE, {"view": "month", "month": month})
    weeks = response.context["weeks"]
    days = [cell.day for week in weeks for cell in week if cell.inside]
    assert (len(days), {len(week) for week in weeks}) == (days[-1].day, {7})
    assert [line.event.row for week in weeks for cell in week for line in cell.lines] == [row]
    assert [f"month={name}" in response.content.decode() for name in beside(month)] == [True, True]


def beside(month):
    year, number = map(int, month.split("-"))
    return [
        f"{(year * 12 + number - 1 + step) // 12:04}-{(year * 12 + number - 1 + step) % 12 + 1:02}" for step in (-1, 1)
    ]


def test_a_full_month_says_how_many_and_leads_to_each_day(root):
    row = factories.ResourceFactory()
    when = timezone.now().replace(day=15, hour=12)
    for _number in range(101):
        factories.EmbargoFactory(resource=row, ends=when)
    response = root.get(PAGE, {"view": "month"})
    (cell,) = [cell for week in response.context["weeks"] for cell in week if cell.counts]
    assert [(count.kind.name, count.number) for count in cell.counts] == [("opens", 101)]
    listed = root.get(PAGE + cell.url)
    assert len(listed.context["lines"]) == 100
    assert len(root.get(PAGE + listed.context["next_page"]).context["lines"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"month": "2031-13"},
        {"month": "0000-01"},
        {"month": "9999-12", "view": "month"},
        {"month": "May"},
        {"collection": "77"},
        {"collection": "x"},
        {"kind": "grants"},
        {"view": "year"},
        {"after": "x~y~z"},
        {"day": "2031-02-30"},
        {"day": "9999-12-31", "view": "list"},
    ],
)
def test_a_question_that_makes_no_sense_is_answered_all_the_same(root, query):
    assert root.get(PAGE, query).status_code == 200


def test_the_first_and_the_last_month_have_one_neighbour(root):
    assert root.get(PAGE, {"view": "month", "month": "1900-01"}).context["earlier"] == ""
    assert root.get(PAGE, {"view": "month", "month": "8999-12"}).context["later"] == ""


def test_only_what_one_may_see_is_listed_counted_and_offered(client):
    mine, other = factories.CollectionFactory(), factories.CollectionFactory()
    embargo("Here", collection=mine)
    theirs = embargo("Elsewhere", collection=other)
    factories.GrantFactory(resource=theirs.resource, ends=timezone.now() + timedelta(days=1))
    client.force_login(delegated(mine, "view_embargo", "view_resource", "view_collection"))
    for query in ({}, {"view": "month"}):
        page = client.get(PAGE, query)
        assert "Elsewhere" not in page.content.decode()
    assert "Here" in client.get(PAGE).content.decode()
    assert list(client.get(PAGE).context["form"].fields["collection"].queryset) == [mine]
    assert client.get(PAGE, {"collection": other.pk}).context["form"].errors
    assert [value for value, _word in client.get(PAGE).context["form"].fields["kind"].choices] == ["opens", "closes"]


def test_who_may_see_no_kind_is_refused(client):
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    client.force_login(factories.UserFactory(is_staff=True))
    assert (client.get(PAGE).status_code, client.post(MINE, {"make": "yes"}).status_code) == (403, 403)
    assert not CalendarFeed.objects.exists()


def test_a_page_costs_few_queries(root, django_assert_max_num_queries):
    for number in range(30):
        embargo(f"Chart {number}")
    for query in ({}, {"view": "month"}):
        with django_assert_max_num_queries(30):
            root.get(PAGE, query)


# -- One's own calendar -------------------------------------------------------------------------------------------


def test_a_secret_address_is_shown_once_and_stored_as_a_digest(root):
    embargo("Chart")
    response = root.post(MINE, {"make": "yes"})
    secret = address_of(response)
    assert ("no-store" in response["Cache-Control"], len(secret.removesuffix(".ics"))) == (True, 43)
    assert secret.removesuffix(".ics") not in str(CalendarFeed.objects.values())
    assert secret not in root.get(PAGE).content.decode()
    answer = fetched(secret)
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "text/calendar; charset=utf-8",
        "private, no-store",
    )
    assert b"SUMMARY:Opens: Chart" in answer.content
    assert CalendarFeed.objects.get().seen is not None


def test_a_look_makes_and_takes_back_nothing(root):
    assert root.get(MINE, {"make": "yes"}).status_code == 302
    assert not CalendarFeed.objects.exists()


def test_a_form_of_another_site_makes_nothing(root):
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    assert guarded.post(MINE, {"make": "yes"}).status_code == 403
    assert not CalendarFeed.objects.exists()


def test_a_new_address_and_taking_it_back_end_the_old_one(root):
    first = address_of(root.post(MINE, {"make": "yes"}))
    second = address_of(root.post(MINE, {"make": "yes"}))
    assert [fetched(one).status_code for one in (first, second)] == [404, 200]
    root.post(MINE, {"revoke": "yes"})
    assert fetched(second).status_code == 404
    unmade = CalendarFeed.objects.get().digest
    assert fetched(unmade).status_code == 404


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_the_address_dies_with_the_job(root, change):
    secret = address_of(root.post(MINE, {"make": "yes"}))
    user = CalendarFeed.objects.get().user
    assert fetched(secret).status_code == 200
    type(user).objects.filter(pk=user.pk).update(**change)
    dead, unknown = fetched(secret), fetched("x" * 43)
    assert (dead.status_code, dead.content) == (404, unknown.content)


def test_it_says_what_its_owner_may_see_at_the_moment(client):
    mine, other = factories.CollectionFactory(), factories.CollectionFactory()
    embargo("Here", collection=mine)
    embargo("Elsewhere", collection=other)
    user = delegated(mine, "view_embargo")
    client.force_login(user)
    secret = address_of(client.post(MINE, {"make": "yes"}))
    assert [name in fetched(secret).content for name in (b"Here", b"Elsewhere")] == [True, False]
    Delegation.objects.all().delete()
    assert b"Here" not in fetched(secret).content


@pytest.mark.parametrize("secret", ["", "ä" * 43, "x", "unmade:1", "../../x", "x" * 3000])
def test_what_is_no_secret_finds_nothing(client, secret):
    assert client.get(f"/iiif/auth/calendar/{secret}.ics").status_code == 404


def test_only_looking_is_possible_there(root):
    secret = address_of(root.post(MINE, {"make": "yes"}))
    from django.urls import reverse

    url = reverse("iiif_auth:calendar", kwargs={"secret": secret.removesuffix(".ics")})
    assert (Client().post(url).status_code, Client().head(url).status_code) == (405, 200)


def test_reminders_are_chosen_and_ended(root):
    root.post(MINE, {"digest_days": "3"})
    assert CalendarFeed.objects.values_list("digest_days", flat=True).get() == 3
    root.post(MINE, {"digest_days": "400"})
    assert CalendarFeed.objects.values_list("digest_days", flat=True).get() == 3
    root.post(MINE, {"digest_days": ""})
    assert CalendarFeed.objects.values_list("digest_days", flat=True).get() is None


def test_nobody_changes_the_calendar_of_somebody_else(root):
    other = feeds.of(factories.UserFactory(is_staff=True, is_superuser=True))
    before = CalendarFeed.objects.filter(pk=other.pk).values().get()
    for sent in ({"make": "yes"}, {"revoke": "yes"}, {"digest_days": "1"}):
        root.post(MINE, {**sent, "user": other.user_id, "pk": other.pk})
    assert CalendarFeed.objects.filter(pk=other.pk).values().get() == before
