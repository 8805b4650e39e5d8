"""Lending in the admin: rules, what is out now, and ending a loan with a reason; where one works, and nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from iiif_auth import daily
from iiif_auth.admin import lending as pages
from iiif_auth.lending import counter
from iiif_auth.models import AccessPolicy, Change, Condition, Loan, Seats, SeatsPlace, Waiting
from iiif_auth.policy.words import warnings
from iiif_auth.store import rulebook
from tests import factories, web
from tests.lending.scene import CHART, do, lent, overdue, reader, seat, sees
from tests.roles.people import permissions, staff

LIST = "/admin/iiif_auth/loan/"
RELEASE = "/admin/iiif_auth/loan/release/"
DESK = ("view_loan", "change_loan", "view_waiting")

pytestmark = pytest.mark.django_db


def client_of(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def boss():
    return client_of(factories.UserFactory(is_staff=True, is_superuser=True))


def desk(*delegations, **more):
    return client_of(staff(*delegations, **{"may": permissions(*DESK), **more}))


def out_in(slug: str, **values) -> Loan:
    where = factories.CollectionFactory(slug=slug)
    return factories.LoanFactory(work__collection=where, work__name=f"Work of {slug}", **values)


def test_the_list_says_who_has_what_where_until_when_and_how_many_wait():
    loan = out_in("maps", holder__user__email="ada@example.org", work__network=web.reading_room())
    factories.WaitingFactory.create_batch(2, work=loan.work)
    factories.WaitingFactory(work=loan.work, ended=timezone.now(), how="gave-up")
    row = boss().get(LIST).context["cl"].result_list[0]
    admin = pages.LoanAdmin(Loan, None)
    assert (str(row.work), admin.waiting(row), admin.place(row)) == ("Work of maps", 2, str(row.work.network))
    assert admin.state(row) == "out"


def test_what_is_over_in_any_way_is_not_out():
    now = timezone.now()
    live = factories.LoanFactory()
    factories.LoanFactory(since=now - timedelta(hours=2), due=now - timedelta(seconds=1))
    factories.LoanFactory(ended=now, how="returned")
    left = factories.LoanFactory()
    left.holder.delete()
    factories.LoanFactory(holder__idle_until=now - timedelta(seconds=1))
    factories.LoanFactory(holder__ends=now - timedelta(seconds=1))
    client = boss()
    assert [row.pk for row in client.get(LIST).context["cl"].result_list] == [live.pk]
    over = client.get(LIST, {"state": "over"}).context["cl"].result_list
    admin = pages.LoanAdmin(Loan, None)
    assert sorted(admin.state(row) for row in over) == [
        "returned by the reader",
        "the reader left",
        "the reader left",
        "the reader left",
        "was due",
    ]
    assert len(client.get(LIST, {"state": "all"}).context["cl"].result_list) == 6


def test_a_loan_is_ended_with_a_reason_and_its_reader_sees_nothing_more(site):
    lent()
    one, other = reader(), reader()
    do(one, "borrow")
    do(other, "wait")
    loan = Loan.objects.get()
    site.ROOT_URLCONF = "project.urls"
    site.ALLOWED_HOSTS = ["*"]
    client = boss()
    page = client.get(RELEASE, {"loan": loan.pk})
    assert "From the reading" not in page.content.decode()
    assert Loan.objects.get().ended is None
    assert "This field is required." in client.post(RELEASE, {"loan": loan.pk}).content.decode()
    assert client.post(RELEASE, {"loan": loan.pk, "reason": "Wanted for the exhibition"}).status_code == 302
    loan.refresh_from_db()
    assert (loan.how, loan.reason, loan.by.is_superuser) == ("released", "Wanted for the exhibition", True)
    assert [row.pk for row in client.get(LIST, {"state": "released"}).context["cl"].result_list] == [loan.pk]
    site.ROOT_URLCONF = "tests.http.urls"
    assert not sees(one)
    assert Waiting.objects.get().kept_until is not None


def test_a_loan_that_was_ended_is_not_ended_again():
    loan = factories.LoanFactory(ended=timezone.now(), how="returned")
    client = boss()
    client.post(RELEASE, {"loan": loan.pk, "reason": "Again"})
    loan.refresh_from_db()
    assert (loan.how, loan.reason) == ("returned", "")
    assert not counter.release(loan, None, "Again")


def test_several_are_chosen_in_the_list_and_ended_together():
    loans = factories.LoanFactory.create_batch(3)
    client = boss()
    chosen = {"action": "release_selected", "_selected_action": [loan.pk for loan in loans[:2]]}
    where = client.post(LIST, chosen)["location"]
    assert where == f"{RELEASE}?loan={loans[0].pk}&loan={loans[1].pk}"
    client.post(RELEASE, {"loan": [loan.pk for loan in loans[:2]], "reason": "Stocktaking"})
    assert Loan.objects.filter(how="released").count() == 2


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 30, "\u0663", ""])
def test_a_name_that_is_none_ends_nothing(asked):
    assert boss().get(RELEASE, {"loan": asked}).status_code == 200
    assert boss().post(RELEASE, {"loan": asked, "reason": "x"}).status_code == 200


def test_the_desk_ends_loans_in_its_own_collection_and_finds_no_others():
    mine, theirs = out_in("maps"), out_in("songs")
    client = desk((mine.work.collection, "desk"))
    text = client.get(LIST).content.decode()
    assert ("Work of maps" in text, "Work of songs" in text) == (True, False)
    assert "Work of songs" not in client.get(RELEASE, {"loan": theirs.pk}).content.decode()
    client.post(RELEASE, {"loan": [mine.pk, theirs.pk], "reason": "End of the day"})
    assert sorted(Loan.objects.values_list("how", flat=True)) == ["", "released"]
    theirs.refresh_from_db()
    assert theirs.ended is None


def test_who_may_only_look_ends_nothing():
    loan = out_in("maps")
    viewer = desk((loan.work.collection, "viewer"))
    reading = desk((loan.work.collection, "desk"), may=permissions("view_loan"))
    nobody = desk(may=permissions("view_collection"))
    for client in (viewer, reading):
        page = client.get(LIST)
        assert ("Work of maps" in page.content.decode(), "Release…" in page.content.decode()) == (True, False)
        assert client.post(RELEASE, {"loan": loan.pk, "reason": "x"}).status_code == 403
    assert nobody.get(LIST).status_code == 403
    assert nobody.get(RELEASE).status_code == 403
    assert Client().get(RELEASE).status_code == 302
    assert Client().post(RELEASE, {"loan": loan.pk, "reason": "x"}).status_code == 302
    assert Loan.objects.get().ended is None


def test_the_test_would_notice_a_page_that_ends_any_loan(monkeypatch):
    mine, theirs = out_in("maps"), out_in("songs")
    client = desk((mine.work.collection, "desk"))
    monkeypatch.setattr(pages.roles, "within", lambda user, permission, rows: rows)
    client.post(RELEASE, {"loan": theirs.pk, "reason": "x"})
    theirs.refresh_from_db()
    assert theirs.how == "released"


def test_nothing_is_ended_without_the_token_of_the_form():
    loan = factories.LoanFactory()
    user = factories.UserFactory(is_staff=True, is_superuser=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(RELEASE, {"loan": loan.pk, "reason": "x"}).status_code == 403
    assert Loan.objects.get().ended is None


def test_the_first_page_leads_there_for_those_who_may_look():
    index = reverse("admin:app_list", args=["iiif_auth"])
    assert LIST in boss().get(index).content.decode()
    assert LIST not in desk(may=permissions("view_collection")).get(index).content.decode()


def test_a_rule_is_made_in_the_admin_recorded_and_asked_for_by_a_policy():
    client, network = boss(), web.reading_room()
    form = {
        "name": "Lending copies",
        "slug": "lending",
        "counts": "resource",
        "copies": "2",
        "minutes": "60",
        "queue": "on",
        "hold_minutes": "15",
        "places-TOTAL_FORMS": "1",
        "places-INITIAL_FORMS": "0",
        "places-0-network": str(network.pk),
        "places-0-copies": "1",
    }
    assert client.post("/admin/iiif_auth/seats/add/", form).status_code == 302
    rule = Seats.objects.get()
    assert pages.sentence(rule) == f"2 copies of each item, 1 more at {network}, for 60 minutes"
    assert Change.objects.filter(model="seats").count() == 1
    policy = factories.AccessPolicyFactory()
    web.tier(policy, seat(rule))
    said = client.get("/admin/iiif_auth/accesspolicy/").content.decode()
    assert "Anyone who borrowed a copy (“Lending copies”) may view" in said
    [warning] = [w for w in warnings(rulebook().policies[policy.pk], timezone.now(), str) if "lent" in w]
    assert "has no access service" in warning
    assert client.post(f"/admin/iiif_auth/seats/{rule.pk}/delete/", {"post": "yes"}).status_code == 200
    assert Seats.objects.exists()


def test_a_condition_of_a_policy_is_chosen_from_the_rules(root_form):
    condition = Condition.objects.get()
    assert (condition.kind, condition.seats.slug) == ("seat", "lending")


@pytest.fixture
def root_form():
    from tests.admin.test_admin_pages import blank_policy, tier

    rule = factories.SeatsFactory(slug="lending")
    form = blank_policy(**tier(0, f"seat:{rule.pk}"), **{"tiers-TOTAL_FORMS": "1"})
    assert boss().post("/admin/iiif_auth/accesspolicy/add/", form).status_code == 302


def test_why_and_who_speak_of_copies(site):
    lent()
    site.ROOT_URLCONF = "project.urls"
    site.ALLOWED_HOSTS = ["*"]
    client = boss()
    resource = AccessPolicy.objects.get().resources.get()
    why = client.get(reverse("admin:iiif_auth_why"), {"resource": resource.pk, "who": "anonymous"}).content.decode()
    assert "has not borrowed a copy" in why
    assert "borrowing a copy" in why
    who = client.get(reverse("admin:iiif_auth_resource_who", args=[resource.pk])).content.decode()
    assert "borrowed a copy" in who


def test_a_hundred_thousand_loans_cost_the_list_no_more(django_assert_max_num_queries):
    work = factories.LentWorkFactory()
    holder = factories.PassFactory()
    now = timezone.now()
    old = {"work": work, "holder": holder, "since": now - timedelta(days=2), "due": now - timedelta(days=1)}
    Loan.objects.bulk_create((Loan(ended=now, how="returned", **old) for _ in range(20_000)), batch_size=5_000)
    factories.LoanFactory.create_batch(50)
    client = boss()
    with django_assert_max_num_queries(30):
        page = client.get(LIST)
    assert (len(page.context["cl"].result_list), len(page.content) < 500_000) == (50, True)


def test_the_daily_work_calls_who_is_next_and_forgets_who_had_what_long_ago(site):
    lent()
    one, other = reader(), reader()
    do(one, "borrow")
    do(other, "wait")
    overdue()
    call_command("iiif_auth_lending")
    assert Waiting.objects.get().kept_until is not None
    long_ago = timezone.now() - timedelta(days=91)
    factories.LoanFactory(since=long_ago - timedelta(hours=1), due=long_ago, ended=long_ago, how="due")
    [done] = daily.run(timezone.now(), work=("iiif_auth.lending.due.due",))
    assert (done.failed, done.said) == (
        False,
        "Looked after the waiting list of 1 work; 1 reader of long ago forgotten.",
    )
    assert Loan.objects.filter(user__isnull=False).count() == 0
    assert SeatsPlace.objects.count() == 0
    assert sees(other, CHART) is False
