"""Reports: what was counted, for those who may look and of what they may find; nothing is changed by looking."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from iiif_auth.admin import counts
from iiif_auth.admin.counts import Asked
from iiif_auth.models import DailyCount, Delegation, Grant
from project.counts import seed
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/admin/iiif_auth/dailycount/reports/"


def counted(times: int = 7, days: int = 1, **values: object) -> DailyCount:
    values = {"door": "probe", "decision": "allowed", "tier": "full", **values}
    return DailyCount.objects.create(day=timezone.localdate() - timedelta(days=days), count=times, **values)


def staff(*permissions: str, everywhere: bool = True):
    person = factories.UserFactory(is_staff=True)
    names = [*permissions, *(["every_collection"] if everywhere else [])]
    person.user_permissions.set(Permission.objects.filter(codename__in=names, content_type__app_label="iiif_auth"))
    return person


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def plot(response, slug: str):
    return next(one for one in response.context["plots"] if one.slug == slug)


def table(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def test_the_plots_say_what_was_counted(root):
    policy = factories.AccessPolicyFactory(name="Reading room")
    collection = factories.CollectionFactory(label={"en": ["Ledgers"]})
    place = {"policy": policy.pk, "collection": collection.pk}
    counted(40, **place)
    counted(9, 2, decision="refused", tier="", why="wrong-place", **place)
    counted(1000, door="content", **place)
    page = root.get(URL)
    decisions = plot(page, "decisions")
    assert {one.name: sum(one.values) for one in decisions.series} == {
        "Shown in full": 40,
        "Something lesser": 0,
        "Refused": 9,
    }
    assert decisions.series[0].values[-2] == 40
    assert [(one.name, sum(one.values)) for one in plot(page, "reasons").series] == [("In the wrong place", 9)]
    assert plot(page, "policies").rows == [("Reading room", ["40", "0", "9"])]
    assert plot(page, "collections").names == ("Ledgers",)
    assert plot(page, "tiers").names == ("full",)
    text = page.content.decode()
    assert text.count('<svg class="iiif-auth-plot"') == text.count("The numbers:") == 5  # there are no grants


def test_what_is_no_longer_there_is_called_so(root):
    counted(policy=4711, collection=4712)
    assert plot(root.get(URL), "policies").names == ("no longer there (number 4711)",)


def test_a_collection_is_asked_for_with_what_is_within(root):
    outer = factories.CollectionFactory(slug="maps")
    inner, other = factories.CollectionFactory(parent=outer), factories.CollectionFactory()
    for number, row in enumerate((outer, inner, other), start=1):
        counted(10**number, collection=row.pk)
    page = root.get(URL, {"collection": "maps"})
    assert sum(plot(page, "decisions").series[0].values) == 110


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"first": "2026-11-21", "last": "2026-11-20"}, "first"),
        ({"first": "2016-01-01"}, "first"),
        ({"first": "tomorrow"}, "first"),
        ({"period": "365", "step": "day"}, "step"),
        ({"collection": "no such thing"}, "collection"),
        ({"collection": "collection"}, "collection"),
        ({"policy": "99999"}, "policy"),
        ({"door": "window"}, "door"),
        ({"period": "abc"}, "period"),
    ],
)
def test_what_makes_no_sense_is_answered_by_a_sentence(root, given, field):
    factories.CollectionFactory(slug="collection-a", label={"en": ["A collection"]})
    factories.CollectionFactory(slug="collection-b", label={"en": ["B collection"]})
    page = root.get(URL, given)
    assert page.status_code == 200
    assert field in page.context["form"].errors
    assert f'href="#id_{field}"' in page.content.decode()
    assert page.context["plots"] == []


@pytest.mark.parametrize("text", ["\x00", "%", "'", "x" * 3000, "\u202e"])
def test_no_text_breaks_it(root, text):
    assert root.get(URL, {"collection": text}).status_code == 200


def test_weeks_begin_on_monday_and_months_on_the_first():
    asked = Asked(date(2026, 11, 4), date(2026, 12, 2), "week")
    assert [str(day) for day in counts.buckets(asked)][:2] == ["2026-11-02", "2026-11-09"]
    assert len(counts.buckets(asked)) == 5


# -- The file -----------------------------------------------------------------------------------------------------


def test_the_file_has_every_line_and_hides_small_counts(root):
    policy = factories.AccessPolicyFactory(name="=cmd|' /C calc'!A0")
    counted(5, policy=policy.pk)
    counted(4, 2, policy=policy.pk, decision="refused", tier="", why="unknown")
    lines = table(root.get(URL, {"format": "csv"}))
    assert {(line["decision"], line["count"]) for line in lines} == {("allowed", "5"), ("refused", "<5")}
    assert {line["policy"] for line in lines} == {"'=cmd|' /C calc'!A0"}


def test_small_counts_of_single_days_are_added_before_they_are_hidden(root):
    for days in (1, 2):
        counted(3, days)
    first = timezone.localdate() - timedelta(days=60)
    lines = table(root.get(URL, {"format": "csv", "step": "month", "first": first.isoformat()}))
    assert sum(int(line["count"]) for line in lines if line["count"] != "<5") in (0, 6)


# -- Who may ------------------------------------------------------------------------------------------------------


def test_others_are_refused():
    assert Client().get(URL).status_code == 302
    assert signed_in(staff()).get(URL).status_code == 403
    assert signed_in(staff()).get(URL, {"format": "csv"}).status_code == 403
    assert signed_in(staff("view_dailycount")).get(URL).status_code == 200


@pytest.mark.parametrize(
    "asked", [{}, {"format": "csv"}, {"collection": "theirs"}, {"collection": "theirs", "format": "csv"}]
)
def test_counts_of_others_collections_are_not_told(asked):
    """Neither as a number, nor by name, nor as “no such collection”."""
    mine, theirs = factories.CollectionFactory(slug="mine"), factories.CollectionFactory(slug="theirs")
    person = staff("view_dailycount", "view_collection", "view_accesspolicy", everywhere=False)
    Delegation.objects.create(collection=mine, user=person)
    counted(11, collection=mine.pk)
    counted(700, collection=theirs.pk)
    counted(900)  # in no collection
    response = signed_in(person).get(URL, asked)
    if "collection" in asked:
        assert response.context["form"].errors
    elif asked:
        assert [line["count"] for line in table(response)] == ["11"]
    else:
        assert sum(plot(response, "decisions").series[0].values) == 11
        assert plot(response, "collections").names == (str(mine),)


def test_grants_are_plotted_for_those_who_may_see_grants():
    person = factories.UserFactory()
    grant = factories.GrantFactory(user=person)
    Grant.objects.filter(pk=grant.pk).update(created=timezone.now() - timedelta(days=10))
    without = signed_in(staff("view_dailycount")).get(URL)
    assert "grants" not in [one.slug for one in without.context["plots"]]
    running = plot(signed_in(staff("view_dailycount", "view_grant")).get(URL), "grants")
    assert (running.series[0].values[0], running.series[0].values[-1]) == (0, 1)


def test_a_grant_that_ended_no_longer_runs():
    grant = factories.GrantFactory(user=factories.UserFactory(), ends=timezone.now() - timedelta(days=3))
    Grant.objects.filter(pk=grant.pk).update(created=timezone.now() - timedelta(days=20))
    asked = Asked(timezone.localdate() - timedelta(days=11), timezone.localdate(), "day")
    assert counts.active(Grant.objects.all(), asked)[1] == [1] * 8 + [0] * 4


def test_looking_changes_nothing_and_nothing_can_be_changed(root):
    row = counted()
    assert root.post(reverse("admin:iiif_auth_dailycount_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert root.get(reverse("admin:iiif_auth_dailycount_add")).status_code == 403
    root.get(URL)
    assert list(DailyCount.objects.values_list("count", flat=True)) == [7]


def test_many_rows_cost_no_more_queries(root):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert root.get(URL, {"period": 90}).status_code == 200
        return len(seen)

    counted()
    few = queries()
    policies = factories.AccessPolicyFactory.create_batch(8)
    for number in range(200):
        counted(number, number % 80, policy=policies[number % 8].pk, tier=f"t{number}")
    assert queries() <= few + 1
    assert few < 25


def test_the_demo_tells_its_story():
    treasury = factories.CollectionFactory(slug="merehaven-treasures", policy=factories.AccessPolicyFactory())
    factories.CollectionFactory(slug="merehaven-sky", policy=factories.AccessPolicyFactory())
    today = timezone.localdate()
    assert seed(today) > 100
    assert seed(today) == 0  # and once only
    asked = Asked(today - timedelta(days=60), today - timedelta(days=1), "day", "probe", (treasury.pk,))
    rows = DailyCount.objects.filter(door="probe")
    places = counts.over_time(rows.filter(collection=treasury.pk), "why", asked)["wrong-place"]
    assert [number for number, times in enumerate(places) if times] == list(range(44, 52))
    visits = counts.over_time(rows.exclude(collection=treasury.pk), "door", asked)["probe"]
    assert sum(visits[22:29]) > 2.5 * sum(visits[8:15])
