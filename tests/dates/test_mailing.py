"""Reminders: once before and once after, to people who work here and asked for them, and of nothing they may not see."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail

from iiif_auth.dates import feeds, mailing
from iiif_auth.models import CalendarFeed
from tests import factories
from tests.dates.test_events import staff

pytestmark = pytest.mark.django_db

NOW = datetime(2031, 5, 10, 6, tzinfo=UTC)
TODAY = date(2031, 5, 10)


@pytest.fixture(autouse=True)
def in_utc(settings):
    settings.TIME_ZONE = "UTC"
    settings.BASE_URL = "https://library.example.org"


@pytest.fixture
def root():
    return factories.UserFactory(is_superuser=True, is_staff=True)


def wanting(user, days=3, **values):
    feed = feeds.of(user)
    CalendarFeed.objects.filter(pk=feed.pk).update(digest_days=days, **values)
    return CalendarFeed.objects.get(pk=feed.pk)


def embargo(label, ends):
    return factories.EmbargoFactory(resource=factories.ResourceFactory(label={"en": [label]}), ends=ends)


def test_it_names_what_is_so_many_days_away_and_what_was_yesterday(root):
    wanting(root)
    for label, days in (("Ten", -1), ("Now", 0), ("Two", 2), ("Three", 3), ("Four", 4)):
        embargo(label, NOW + timedelta(days=days))
    assert mailing.would(NOW) == "Would send 1 reminder of dates."
    assert mailing.due(NOW) == "Sent 1 reminder of dates."
    (sent,) = mail.outbox
    named = [name for name in ("Ten", "Now", "Two", "Three", "Four") if f"{name} opens" in sent.body]
    assert (named, sent.to, sent.subject) == (["Ten", "Three"], [root.email], "1 date is coming")


def test_it_is_sent_once_a_day(root):
    wanting(root)
    embargo("Three", NOW + timedelta(days=3))
    said = [mailing.due(NOW + timedelta(hours=hours)) for hours in (0, 1, 24)]
    assert said == ["Sent 1 reminder of dates.", "Sent 0 reminders of dates.", "Sent 0 reminders of dates."]
    assert len(mail.outbox) == 1


def test_days_on_which_nothing_was_done_are_made_up_for(root):
    wanting(root, mailed=TODAY - timedelta(days=3))
    for label, days in (("Away", 1), ("Near", 3), ("Past", -2)):
        embargo(label, NOW + timedelta(days=days))
    mailing.due(NOW)
    assert all(f"{name} opens" in mail.outbox[0].body for name in ("Away", "Near", "Past"))


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"is_staff": False}, {"email": ""}], ids=["inactive", "no staff", "no address"]
)
def test_nobody_else_is_written_to(root, change):
    wanting(root)
    embargo("Three", NOW + timedelta(days=3))
    type(root).objects.filter(pk=root.pk).update(**change)
    assert (mailing.due(NOW), mail.outbox) == ("Sent 0 reminders of dates.", [])


def test_whoever_did_not_ask_for_it_gets_none(root):
    wanting(root, days=None)
    embargo("Three", NOW + timedelta(days=3))
    assert (mailing.due(NOW), mail.outbox) == ("Sent 0 reminders of dates.", [])


def test_it_names_nothing_of_another_collection():
    mine = factories.CollectionFactory()
    wanting(staff("view_embargo", collection=mine))
    for label, place in (("Mine", mine), ("Theirs", factories.CollectionFactory())):
        row = factories.ResourceFactory(label={"en": [label]}, collection=place)
        factories.EmbargoFactory(resource=row, ends=NOW + timedelta(days=3))
    mailing.due(NOW)
    assert [("Mine" in one.body, "Theirs" in one.body) for one in mail.outbox] == [(True, False)]


def test_one_that_can_not_be_sent_keeps_nobody_else_from_theirs_and_is_tried_again(root, monkeypatch):
    other = factories.UserFactory(is_superuser=True, is_staff=True)
    wanting(root)
    wanting(other)
    embargo("Three", NOW + timedelta(days=3))
    right, broken = mailing.send_mail, [root.email]

    def sending(subject, text, sender, to):
        if to == broken:
            raise OSError("no route")
        return right(subject, text, sender, to)

    monkeypatch.setattr(mailing, "send_mail", sending)
    with pytest.raises(mailing.NotSent):
        mailing.due(NOW)
    assert [one.to for one in mail.outbox] == [[other.email]]
    broken.clear()
    assert mailing.due(NOW) == "Sent 1 reminder of dates."
    assert [one.to for one in mail.outbox] == [[other.email], [root.email]]


def test_many_dates_are_counted_after_the_first_hundred(root):
    wanting(root)
    row = factories.ResourceFactory()
    for _number in range(103):
        factories.EmbargoFactory(resource=row, ends=NOW + timedelta(days=3))
    mailing.due(NOW)
    assert (mail.outbox[0].body.count(" opens: "), "and more" in mail.outbox[0].body) == (100, True)
