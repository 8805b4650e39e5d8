"""The staff is mailed about requests that wait: whoever wants it and may answer, and about nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from iiif_auth import daily, placing, roles
from iiif_auth.asking import deciding, notices, states
from iiif_auth.conf import conf
from iiif_auth.dates import feeds, mailing
from iiif_auth.models import AccessRequest, CalendarFeed, Resource
from tests import factories
from tests.admin.staff import of_the_staff
from tests.asking.reading import CHART, asked, last_link, named_only
from tests.roles.people import staff
from tests.web import Browser

pytestmark = pytest.mark.django_db

ONCE, DAILY = "once", "day"


@pytest.fixture
def maps():
    row = named_only()
    collection = factories.CollectionFactory(slug="maps")
    Resource.objects.filter(pk=row.pk).update(collection=collection, label={"en": ["Chart of the Isles"]})
    return collection


def wanting(user, often=ONCE, told=None):
    feed = feeds.of(user)
    CalendarFeed.objects.filter(pk=feed.pk).update(requests=often, requests_told=told)
    return user


def desk(collection, often=ONCE, **more):
    return wanting(staff((collection, "desk"), **more), often)


def to_staff():
    """Whom mails went to that are not the reader's."""
    return [one.to[0] for one in mail.outbox if one.to != ["ada@example.org"]]


@pytest.fixture
def confirmed(site, django_capture_on_commit_callbacks):
    """A request that was sent and confirmed, with all that comes of it."""

    def run(**wish):
        with django_capture_on_commit_callbacks(execute=True):
            return asked(**wish)

    return run


# -- At once ------------------------------------------------------------------------------------------------------


def test_whoever_answers_requests_is_told_at_once(maps, confirmed):
    omar = desk(maps)
    row = confirmed()
    assert to_staff() == [omar.email]
    sent = mail.outbox[-1]
    assert sent.subject == "1 request waits for an answer"
    assert f"{row.code}: Chart of the Isles" in sent.body


def test_of_the_reader_nothing_is_mailed(maps, confirmed):
    desk(maps)
    row = confirmed()
    for text in (row.name, row.email, row.purpose):
        assert text not in mail.outbox[-1].body + mail.outbox[-1].subject


def test_nobody_is_told_before_the_reader_confirmed_or_twice(site, maps, django_capture_on_commit_callbacks):
    desk(maps)
    with django_capture_on_commit_callbacks(execute=True):
        browser = Browser()
        asked_only = AccessRequest.objects.create(
            code="X", url=CHART, digest="x", email="b@example.org", name="B", purpose="x", created=timezone.now()
        )
        notices.tell(asked_only)
    assert to_staff() == []
    with django_capture_on_commit_callbacks(execute=True):
        asked(browser=browser)
        browser.click(last_link_of_reader(), action="confirm")
    assert len(to_staff()) == 1


def last_link_of_reader():
    mine = [one for one in mail.outbox if one.to == ["ada@example.org"]]
    mail.outbox[:] = [*(one for one in mail.outbox if one not in mine), *mine]
    return last_link()


def test_an_answer_to_a_question_is_told_and_a_remark_is_not(maps, confirmed, django_capture_on_commit_callbacks):
    omar = desk(maps)
    row = confirmed()
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        assert states.answer(row, "One thing more.") is False
        deciding.ask_back(row, omar, "Which page?")
        assert states.answer(row, "Page 7.") is True
        notices.tell(row)
    assert to_staff() == [omar.email]


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"is_staff": False}, {"email": ""}], ids=["inactive", "no staff", "no address"]
)
def test_nobody_who_left_is_told(maps, confirmed, change):
    omar = desk(maps)
    type(omar).objects.filter(pk=omar.pk).update(**change)
    confirmed()
    assert to_staff() == []
    assert notices.due(timezone.now()) == "Sent 0 mails about new requests."


def test_whoever_did_not_ask_for_it_is_not_told(maps, confirmed):
    desk(maps, "")
    confirmed()
    assert to_staff() == []
    assert notices.due(timezone.now()) == "Sent 0 mails about new requests."


def only_those_of_the_place(maps, confirmed):
    """A desk elsewhere, somebody who only looks here, and one without the permission hear nothing."""
    desk(factories.CollectionFactory())
    wanting(staff((maps, "viewer")))
    wanting(of_the_staff("view_accessrequest", "every_collection"))
    omar = desk(maps)
    confirmed()
    assert to_staff() == [omar.email]
    CalendarFeed.objects.update(requests=DAILY, requests_told=None)
    mail.outbox.clear()
    notices.due(timezone.now())
    assert to_staff() == [omar.email]


def test_only_those_who_may_answer_it_are_told(maps, confirmed):
    only_those_of_the_place(maps, confirmed)


@pytest.mark.parametrize("broken", ["roles", "permission"])
def test_it_is_noticed_where_others_are_told_too(maps, confirmed, monkeypatch, broken):
    if broken == "roles":
        monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    else:
        monkeypatch.setattr(
            notices, "answerable", lambda user, rows: roles.within(user, "iiif_auth.view_accessrequest", rows)
        )
    with pytest.raises(AssertionError, match="@example.org"):
        only_those_of_the_place(maps, confirmed)


def test_a_mail_that_can_not_be_sent_keeps_the_reader_from_nothing_and_is_made_up_for(maps, confirmed, monkeypatch):
    omar = desk(maps)
    with monkeypatch.context() as broken:
        broken.setattr(notices, "send_mail", unplugged)
        row = confirmed()
    row.refresh_from_db()
    assert (row.state, to_staff()) == ("new", [])
    assert notices.due(timezone.now()) == "Sent 1 mail about new requests."
    assert to_staff() == [omar.email]


def unplugged(*given):
    raise OSError("no route")


# -- Once a day ---------------------------------------------------------------------------------------------------


def test_once_a_day_what_came_since_is_named_once(maps, confirmed):
    omar = desk(maps, DAILY)
    rows = [confirmed(email=f"reader-{number}@example.org") for number in range(2)]
    mail.outbox.clear()
    now = timezone.now()
    assert notices.would(now) == "Would send 1 mail about new requests."
    said = [notices.due(now + timedelta(hours=hours)) for hours in (0, 24)]
    assert said == ["Sent 1 mail about new requests.", "Sent 0 mails about new requests."]
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([omar.email], "2 requests wait for an answer")
    assert all(row.code in sent.body for row in rows)


def test_what_was_told_at_once_or_decided_is_not_told_again(maps, confirmed):
    desk(maps)
    confirmed()
    AccessRequest.objects.update(state="refused")
    wanting(staff((maps, "desk")), DAILY)
    mail.outbox.clear()
    assert notices.due(timezone.now()) == "Sent 0 mails about new requests."
    AccessRequest.objects.update(state="new")
    assert notices.due(timezone.now()) == "Sent 1 mail about new requests."


def test_one_that_can_not_be_sent_keeps_nobody_else_from_theirs_and_is_tried_again(maps, confirmed, monkeypatch):
    first, second = desk(maps, DAILY), desk(maps, DAILY)
    confirmed()
    mail.outbox.clear()
    right = notices.send_mail

    def sending(subject, text, sender, to):
        if to == [first.email]:
            raise OSError("no route")
        return right(subject, text, sender, to)

    with monkeypatch.context() as broken:
        broken.setattr(notices, "send_mail", sending)
        with pytest.raises(mailing.NotSent):
            notices.due(timezone.now())
    assert to_staff() == [second.email]
    notices.due(timezone.now())
    assert to_staff() == [second.email, first.email]


def test_it_is_part_of_the_daily_work():
    assert "iiif_auth.asking.notices.due" in daily.WORK


def test_more_than_fifty_are_counted(maps):
    omar = desk(maps, DAILY)
    row = Resource.objects.get()
    AccessRequest.objects.bulk_create(
        AccessRequest(
            code=f"C-{number}",
            url=CHART,
            resource=row,
            digest=str(number),
            email="r@example.org",
            state="new",
            confirmed=timezone.now(),
        )
        for number in range(60)
    )
    notices.due(timezone.now())
    body = mail.outbox[0].body
    assert (to_staff(), body.count("C-"), "and more" in body) == ([omar.email], 50, True)
    first = AccessRequest.objects.order_by("created", "pk").first()
    assert conf.BASE_URL + reverse("admin:iiif_auth_accessrequest_change", args=[first.pk]) in body
    assert conf.BASE_URL + AGENDA in body


# -- Choosing it --------------------------------------------------------------------------------------------------

AGENDA = reverse("admin:iiif_auth_calendar")
MINE = reverse("admin:iiif_auth_calendar_mine")


def test_people_choose_it_for_themselves(client, maps):
    omar, other = staff((maps, "desk")), desk(maps, "")
    client.force_login(omar)
    assert 'name="requests"' in client.get(AGENDA).content.decode()
    page = client.post(MINE, {"requests": DAILY}, follow=True).content.decode()
    assert "once a day if new requests wait" in page
    assert '<option value="day" selected>' in page
    feed = feeds.of(omar)
    assert feed.requests == DAILY
    assert feed.requests_told is not None
    assert feeds.of(other).requests == ""
    client.post(MINE, {"requests": ""})
    assert feeds.of(omar).requests == ""


def test_what_is_not_offered_is_not_kept_and_looking_changes_nothing(client, maps):
    omar = staff((maps, "desk"))
    client.force_login(omar)
    assert "one of what is offered" in client.post(MINE, {"requests": "hourly"}, follow=True).content.decode()
    client.get(MINE, {"requests": DAILY})
    client.get(AGENDA, {"requests": DAILY})
    assert feeds.of(omar).requests == ""


def test_whoever_may_answer_none_is_not_offered_it(client, maps):
    viewer = staff((maps, "viewer"))
    client.force_login(viewer)
    assert 'name="requests"' not in client.get(AGENDA).content.decode()
    assert client.post(MINE, {"requests": ONCE}).status_code == 403
    client.force_login(of_the_staff("view_grant", "every_collection"))
    assert client.post(MINE, {"requests": ONCE}).status_code == 403
    assert not CalendarFeed.objects.exclude(requests="").exists()


def test_a_form_of_another_site_chooses_nothing(maps):
    client = Client(enforce_csrf_checks=True)
    omar = staff((maps, "desk"))
    client.force_login(omar)
    assert client.post(MINE, {"requests": ONCE}).status_code == 403
    assert feeds.of(omar).requests == ""
