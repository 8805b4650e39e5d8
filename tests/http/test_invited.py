"""Invitations: a mailed link and a click open what was granted, to nobody else and not a moment longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from iiif_auth import identify, passes, store
from iiif_auth.asking import invite
from iiif_auth.asking.invitations import revoke
from iiif_auth.models import Agreement, Condition, Grant, Invitation, Pass
from iiif_auth.policy import types as policy
from iiif_auth.policy.types import INVITATION
from tests import factories, web
from tests.asking.reading import CHART, last_link, named_only
from tests.web import VIEWER, Browser, access, content_status, person, probe_status

pytestmark = pytest.mark.usefixtures("site")
OTHER = "/iiif/3/map"


@pytest.fixture
def chart():
    return named_only()


def invited(row, days: int = 7, email: str = "ada@example.org") -> Invitation:
    found = invite(email, "Ada Reader", timezone.now() + timedelta(days=days))
    Grant.objects.create(invitation=found, resource=row)
    return found


def opened() -> Browser:
    browser = Browser()
    browser.click(last_link())
    return browser


def test_looking_at_the_page_opens_nothing_and_a_click_does(chart):
    invited(chart)
    browser, link = Browser(), last_link()
    page = browser.get(link)
    assert page.status_code == 200
    assert "Picture" in page.content.decode()
    assert not Pass.objects.exists()
    assert content_status(browser) == 401
    browser.click(link)
    assert content_status(browser) == 200
    assert content_status(Browser()) == 401


def test_it_opens_nothing_else(chart):
    named_only(OTHER)
    invited(chart)
    browser = opened()
    assert (content_status(browser), content_status(browser, OTHER)) == (200, 401)


def test_a_viewer_gets_a_token_without_anybody_signing_in(chart):
    invited(chart)
    browser = opened()
    assert b"by an invitation" in browser.get(access("login")).content
    assert not Agreement.objects.exists()
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert probe_status(CHART, token) == 200
    named_only(OTHER)
    assert probe_status(OTHER, token) == 401


def test_whoever_is_not_invited_is_sent_to_sign_in(chart):
    assert Browser().get(access("login")).status_code == 302
    invited(chart)
    browser = opened()
    assert browser.click(access("login"), **{"sign-in": "1"}).status_code == 302
    assert not Agreement.objects.exists()
    Invitation.objects.update(ends=timezone.now())
    assert browser.get(access("login")).status_code == 302


def test_going_through_a_login_by_invitation_is_not_signing_in(chart):
    login = chart.policy.tiers.get().services.get()
    signed_in_there = web.restricted(OTHER, web.agreed(login), by=(login,))
    invited(chart)
    browser = opened()
    browser.click(access("login"))
    assert content_status(browser, OTHER) == 401
    assert probe_status(OTHER, web.token(browser, "login")) == 401
    ada = Browser().sign_in(person())
    ada.click(access("login"))
    assert content_status(ada, OTHER) == 200
    assert signed_in_there.policy.tiers.get().conditions.get().kind == Condition.Kind.AGREED


def test_the_twin_that_counts_it_as_signing_in_is_caught(chart, monkeypatch):
    login = chart.policy.tiers.get().services.get()
    web.restricted(OTHER, web.agreed(login), by=(login,))
    monkeypatch.setattr(store.PassFacts, "gone_through", property(lambda self: frozenset(self.agreements)))
    invited(chart)
    browser = opened()
    browser.click(access("login"))
    assert content_status(browser, OTHER) == 200


ENDINGS = {
    "revoked": lambda row: revoke(row),
    "deleted by many": lambda row: Invitation.objects.filter(pk=row.pk).delete(),
    "ended": lambda row: Invitation.objects.filter(pk=row.pk).update(ends=timezone.now()),
    "grant ended": lambda row: Grant.objects.filter(invitation=row).update(ends=timezone.now()),
    "grant deleted": lambda row: Grant.objects.filter(invitation=row).delete(),
}


@pytest.mark.parametrize("way", ENDINGS)
def test_ending_it_cuts_cookie_and_token_at_once(chart, way):
    row = invited(chart)
    browser = opened()
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert (content_status(browser), probe_status(CHART, token)) == (200, 200)
    ENDINGS[way](row)
    assert (content_status(browser), probe_status(CHART, token)) == (401, 401)


def test_the_twin_that_does_not_look_at_the_end_is_caught(chart, monkeypatch):
    row = invited(chart)
    browser = opened()
    monkeypatch.setattr(store.PassFacts, "invited", lambda self, at: self.invitation)
    ENDINGS["ended"](row)
    assert content_status(browser) == 200


def test_an_end_that_comes_by_itself_is_felt_without_any_change(chart, monkeypatch):
    invited(chart, days=7)
    browser = opened()
    Pass.objects.update(ends=timezone.now() + timedelta(days=30), idle_until=timezone.now() + timedelta(days=30))
    late = timezone.now() + timedelta(days=7, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: late)
    assert content_status(browser) == 401


def test_a_pass_made_by_it_does_not_outlive_it(chart):
    row = invited(chart, days=0)
    Invitation.objects.update(ends=timezone.now() + timedelta(minutes=5))
    row.refresh_from_db()
    opened()
    assert Pass.objects.get().ends == row.ends


@pytest.mark.parametrize("secret", ["x" * 43, "x", "%2e%2e"])
def test_other_links_lead_nowhere(chart, secret):
    invited(chart)
    assert Browser().get(f"/iiif-auth/invited/{secret}").status_code == 404
    assert not Pass.objects.exists()


def test_no_other_site_can_click(chart):
    invited(chart)
    assert Browser().post(last_link()).status_code == 403
    assert not Pass.objects.exists()


def test_one_person_has_one_live_invitation_and_the_newest_link_opens_all(chart):
    second = named_only(OTHER)
    first = invited(chart, days=30)
    old_link, browser = last_link(), opened()
    again = invited(second, days=7, email="ADA@example.org")
    assert again == first
    assert again.ends > timezone.now() + timedelta(days=29)
    assert Browser().get(old_link).status_code == 404
    assert (content_status(browser), content_status(browser, OTHER)) == (200, 200)
    assert content_status(opened(), OTHER) == 200


def test_the_secret_is_mailed_and_not_stored(chart):
    row = invited(chart)
    secret = last_link().rpartition("/")[2]
    assert secret not in str(Invitation.objects.filter(pk=row.pk).values().get())
    assert mail.outbox[-1].to == ["ada@example.org"]


def test_an_invitation_keeps_what_this_browser_agreed_to(chart):
    terms = web.service("terms")
    web.restricted(OTHER, web.agreed(terms), by=(terms,))
    browser = Browser()
    browser.click(access("terms"))
    invited(chart)
    browser.click(last_link())
    assert (content_status(browser), content_status(browser, OTHER)) == (200, 200)


def test_doors_opened_by_invitation_close_when_somebody_signs_in(chart):
    invited(chart)
    browser = opened()
    browser.click(access("login"))
    browser.sign_in(person())
    browser.click(access("login", "https://second.example"))
    assert set(Agreement.objects.values_list("origin", flat=True)) == {"https://second.example"}
    assert VIEWER not in str(list(Agreement.objects.values()))


# -- Nobody else can say that somebody was invited ----------------------------------------------------------------


def claiming(subject, request):
    claimed = {(INVITATION, str(number)) for number in range(1, 1000)}
    return replace(subject, attributes=subject.attributes | claimed | {("club", "yes")})


@pytest.mark.parametrize("hook", [None, f"{__name__}.claiming"])
def test_a_host_can_not_claim_that_somebody_was_invited(chart, settings, hook):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "SUBJECT": hook or ""}
    row = invited(chart)
    assert row.pk < 1000
    assert content_status(Browser()) == 401
    assert probe_status(CHART) == 401
    assert content_status(opened()) == 200


def test_the_twin_that_believes_the_host_is_caught(chart, settings, monkeypatch):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "SUBJECT": f"{__name__}.claiming"}
    monkeypatch.setattr(identify, "_not_invited_by", lambda found, subject: found)
    invited(chart)
    assert content_status(Browser()) == 200


def test_other_attributes_of_the_host_count(site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SUBJECT": f"{__name__}.claiming"}
    web.restricted(CHART, {"kind": "attribute", "attribute_name": "club", "attribute_value": "yes"})
    assert content_status(Browser()) == 200


# -- Rows and values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["resource", "collection", "policy"])
def test_a_grant_to_an_invitation_counts_wherever_it_is_given(scope):
    row = named_only()
    shelf = factories.CollectionFactory(policy=row.policy)
    row.collection, row.policy = shelf, None
    row.save()
    target = {"resource": row, "collection": shelf, "policy": shelf.policy}[scope]
    found = invite("ada@example.org", "", timezone.now() + timedelta(days=1))
    Grant.objects.create(invitation=found, **{scope: target})
    browser = opened()
    assert content_status(browser) == 200
    assert content_status(Browser()) == 401


def test_a_pass_with_an_invitation_is_read_in_one_statement(chart, django_assert_num_queries):
    row = invited(chart)
    opened()
    digest = Pass.objects.get().digest
    with django_assert_num_queries(1):
        facts = store.find_pass(digest)
    assert facts is not None
    assert (facts.invitation, facts.invited(timezone.now())) == (str(row.pk), str(row.pk))
    assert facts.invited(row.ends) is None
    assert policy.invited("5").admits(policy.Subject(attributes=frozenset({(INVITATION, "5")})))
    assert passes.INVITED_HOURS >= 1
