"""What is kept for some days is not there after them, and what is not due stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from iiif_auth import daily
from iiif_auth.asking import deciding, invite, refusals, tidying
from iiif_auth.asking.deciding import Approval
from iiif_auth.asking.items import item_at
from iiif_auth.models import AccessRequest, Change, Grant, Invitation, Refusal, RequestMessage
from tests.asking.reading import asked, in_a_week, named_only
from tests.web import Browser, person

pytestmark = pytest.mark.usefixtures("site")
NOW = timezone.now()


def later(**values) -> str:
    return tidying.due(timezone.now() + timedelta(**values))


def test_it_is_part_of_the_daily_work():
    assert {"iiif_auth.asking.tidying.due", "iiif_auth.terms.due"} <= set(daily.WORK)
    assert all(not done.failed for done in daily.run(timezone.now(), work=("iiif_auth.asking.tidying.due",)))


def test_refusals_are_forgotten_after_thirty_days():
    refusals.code_for("/iiif/3/chart", None, None, (), "not-signed-in", timezone.now())
    later(days=29)
    assert Refusal.objects.count() == 1
    assert "1 refusals" in tidying.would(timezone.now() + timedelta(days=30, minutes=1))
    later(days=30, minutes=1)
    assert not Refusal.objects.exists()


def test_what_nobody_confirmed_is_deleted_after_three_days():
    named_only()
    row = asked()
    AccessRequest.objects.filter(pk=row.pk).update(state="unconfirmed")
    later(days=2)
    assert AccessRequest.objects.exists()
    later(days=3, minutes=1)
    assert not AccessRequest.objects.exists()


def test_open_requests_expire_when_their_day_is_over_and_the_reader_is_told():
    named_only()
    row = asked(wished_until=str(timezone.localdate() + timedelta(days=2)))
    later(days=2)
    row.refresh_from_db()
    assert row.state == "new"
    later(days=4)
    row.refresh_from_db()
    assert (row.state, row.decided is not None) == ("expired", True)
    assert "is over" in mail.outbox[-1].subject


def test_a_question_that_is_not_answered_for_thirty_days_ends_it():
    named_only()
    row = asked()
    deciding.ask_back(row, person("omar"), "Which?")
    later(days=29)
    row.refresh_from_db()
    assert row.state == "asked"
    later(days=31)
    row.refresh_from_db()
    assert row.state == "expired"


def test_ninety_days_after_the_decision_nobody_can_tell_who_it_was():
    named_only()
    ada = person()
    row = asked(browser=Browser().sign_in(ada), name="Ada Reader")
    deciding.refuse(row, person("omar"), "Dear Ada, no.")
    later(days=89)
    row.refresh_from_db()
    assert row.email
    later(days=91)
    row.refresh_from_db()
    assert (row.name, row.email, row.purpose, row.user, row.state) == ("", "", "", None, "refused")
    assert row.forgotten is not None
    assert not RequestMessage.objects.exists()
    assert "0 requests" in later(days=92)


def test_what_is_still_open_keeps_its_reader():
    named_only()
    row = asked()
    later(days=200)
    row.refresh_from_db()
    assert row.email


def test_invitations_lose_their_names_in_the_history_too():
    named_only()
    row, omar = asked(name="Zebedee Reader", email="zeb@example.org"), person("omar")
    item = item_at(row.url)
    assert item is not None
    deciding.approve(row, omar, item, Approval(in_a_week()))
    assert "Zebedee" in _written_about_it()
    later(days=95)
    assert Invitation.objects.get().email == "zeb@example.org"
    later(days=98)
    assert Invitation.objects.get().email == ""
    assert "Zebedee" not in _written_about_it()
    assert "zeb@" not in _written_about_it()
    assert Grant.objects.count() == 1


def _written_about_it() -> str:
    return str(list(Change.objects.values("name", "before", "after", "reason")) + list(Invitation.objects.values()))


def test_live_invitations_are_left_alone():
    invite("ada@example.org", "Ada", in_a_week())
    later(days=50)
    assert Invitation.objects.get().email
