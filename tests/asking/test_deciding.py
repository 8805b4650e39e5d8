"""Deciding about requests: what is approved opens, for one person, until its end, and by two people where two are asked for."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.utils import timezone

from iiif_auth.asking import deciding, states
from iiif_auth.asking.deciding import Approval
from iiif_auth.asking.items import item_at
from iiif_auth.asking.states import NotPossible
from iiif_auth.models import (
    AccessPolicy,
    AccessRequest,
    Batch,
    Change,
    Embargo,
    Grant,
    Invitation,
    Resource,
    Withdrawal,
)
from tests import factories, web
from tests.asking.reading import CHART, asked, in_a_week, last_link, named_only
from tests.web import Browser, access, content_status, person

pytestmark = pytest.mark.usefixtures("site")
State = AccessRequest.State


@pytest.fixture
def omar():
    return person("omar")


def approve(row, user, **values):
    item = item_at(row.url)
    assert item is not None
    return deciding.approve(row, user, item, Approval(**{"until": in_a_week(), **values}))


def test_a_reader_without_an_account_gets_an_invitation(omar):
    named_only()
    row = asked()
    grant = approve(row, omar, text="Welcome.")
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.until) == (State.APPROVED, omar, grant.ends)
    assert (grant.user, grant.invitation, grant.granted_by) == (None, Invitation.objects.get(), omar)
    assert "Welcome." in mail.outbox[-1].body
    browser = Browser()
    browser.click(last_link())
    assert content_status(browser) == 200
    assert content_status(Browser()) == 401


def test_a_reader_with_an_account_gets_a_personal_grant(omar):
    named_only()
    ada = person()
    row = asked(browser=Browser().sign_in(ada))
    assert approve(row, omar).user == ada
    assert not Invitation.objects.exists()
    browser = Browser().sign_in(ada)
    browser.click(access("login"))
    assert content_status(browser) == 200


def test_it_is_recorded_as_a_batch_with_what_it_changed(omar):
    named_only()
    row = asked()
    grant = approve(row, omar, text="For the thesis.")
    batch = Batch.objects.get()
    assert (batch.kind, batch.actor, batch.reason, batch.state) == ("request", omar, "For the thesis.", "done")
    assert row.code in batch.what
    changes = {(one.model, one.action) for one in Change.objects.filter(batch=batch)}
    assert ("grant", "added") in changes
    assert Change.objects.get(model="grant", row=grant.pk).actor == omar


def test_a_tier_can_be_granted_instead_of_the_full_version(omar):
    row = named_only()
    web.tier(row.policy, gets="smaller", max_edge=400, slug="small")
    request = asked()
    approve(request, omar, tier="small")
    browser = Browser()
    browser.click(last_link())
    assert content_status(browser) == 401
    assert content_status(browser, f"{CHART}~small") == 200


def test_a_tier_that_there_is_not_is_refused(omar):
    named_only()
    with pytest.raises(NotPossible):
        approve(asked(), omar, tier="nonesuch")
    assert not Grant.objects.exists()


@pytest.mark.parametrize("closed", [Withdrawal, Embargo])
def test_what_no_grant_opens_is_not_approved(omar, closed):
    row = named_only()
    request = asked()
    closed.objects.create(resource=row, **({"hard": True} if closed is Embargo else {}))
    with pytest.raises(NotPossible, match="would not open"):
        approve(request, omar)
    assert not Grant.objects.exists()


def test_an_end_in_the_past_is_refused(omar):
    named_only()
    with pytest.raises(NotPossible, match="over already"):
        approve(asked(), omar, until=timezone.now())


def test_nothing_is_decided_twice(omar):
    named_only()
    row = asked()
    deciding.refuse(row, omar, "No.")
    for deed in (
        lambda: approve(row, omar),
        lambda: deciding.refuse(row, omar, "No."),
        lambda: deciding.ask_back(row, omar, "?"),
    ):
        with pytest.raises(NotPossible, match="Refused"):
            deed()
    assert not Grant.objects.exists()
    assert Batch.objects.count() == 1


def test_refusing_tells_why_and_opens_nothing(omar):
    named_only()
    row = asked()
    deciding.refuse(row, omar, "The family asked us not to.")
    assert "The family asked us not to." in mail.outbox[-1].body
    assert not Grant.objects.exists()
    row.refresh_from_db()
    assert (row.state, row.decided_by) == (State.REFUSED, omar)


def test_a_mail_that_can_not_be_sent_leaves_all_as_it_was(omar, monkeypatch):
    named_only()
    row = asked()

    def broken(*args, **kwargs):
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr("iiif_auth.asking.mails.send_mail", broken)
    for deed in (lambda: approve(row, omar), lambda: deciding.refuse(row, omar, "No.")):
        with pytest.raises(SMTPServerDisconnected):
            deed()
    row.refresh_from_db()
    assert row.state == State.NEW
    assert not Grant.objects.exists()
    assert not Invitation.objects.exists()
    assert not Batch.objects.exists()


# -- Two people ---------------------------------------------------------------------------------------------------


@pytest.fixture
def two(omar):
    named_only(second_approver=True)
    row = asked()
    assert approve(row, omar) is None
    row.refresh_from_db()
    return row


def test_the_first_approval_opens_nothing(two, omar):
    assert (two.state, two.first_approver) == (State.SECONDED, omar)
    assert not Grant.objects.exists()
    assert not Invitation.objects.exists()


def test_nobody_is_the_second_to_themselves(two, omar):
    with pytest.raises(NotPossible, match="somebody else"):
        approve(two, omar)
    assert not Grant.objects.exists()


def test_the_second_opens_it(two):
    rita = person("rita")
    assert approve(two, rita, until=in_a_week() - timedelta(days=1)).granted_by == rita
    two.refresh_from_db()
    assert two.state == State.APPROVED


@pytest.mark.parametrize("more", [{"until": "later"}, {"tier": "small"}])
def test_the_second_gives_no_more_than_the_first(two, more):
    web.tier(AccessPolicy.objects.get(), gets="smaller", max_edge=400, slug="small")
    if "until" in more:
        more = {"until": in_a_week() + timedelta(days=1)}
    with pytest.raises(NotPossible, match="no more than that"):
        approve(two, person("rita"), **more)
    assert not Grant.objects.exists()


def test_a_first_approver_whose_account_is_gone_does_not_count(two, omar):
    omar.delete()
    two.refresh_from_db()
    assert approve(two, person("rita")) is None
    assert not Grant.objects.exists()


def test_after_a_question_two_must_approve_again_or_one_more(two, omar):
    deciding.ask_back(two, person("rita"), "Which plates?")
    states.answer(two, "All.")
    two.refresh_from_db()
    assert two.state == State.NEW
    assert approve(two, person("third")) is None
    assert not Grant.objects.exists()


# -- Odd items ----------------------------------------------------------------------------------------------------


def test_an_item_that_only_an_address_rule_knows_can_be_granted(omar):
    rules = factories.AccessPolicyFactory(requestable=True)
    web.tier(rules, by=(web.service("login", "login"),))
    shelf = factories.CollectionFactory(policy=rules)
    factories.CollectionRuleFactory(collection=shelf, pattern="/iiif/3/")
    assert not Resource.objects.exists()
    approve(asked(), omar)
    browser = Browser()
    browser.click(last_link())
    assert content_status(browser) == 200
    assert content_status(browser, "/iiif/3/other") == 401
    assert content_status(Browser()) == 401


def test_a_question_does_not_decide(omar):
    named_only()
    row = asked()
    deciding.ask_back(row, omar, "Which plates?")
    row.refresh_from_db()
    assert (row.state, row.decided) == (State.ASKED, None)
    assert "Which plates?" in mail.outbox[-1].body
