"""Terms in versions: a new one asks again, at its moment, and an agreement to another one counts for nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import passes, store, terms
from iiif_auth.models import Acceptance, Agreement, Pass, Terms
from iiif_auth.store import passes as reading
from tests import web
from tests.web import BOTH, Browser, access, content_status, person, probe_status, token_page

pytestmark = pytest.mark.usefixtures("site")
CHART = "/iiif/3/chart"


@pytest.fixture
def donor():
    row = web.service("terms", note={"en": ["The old note."]}, pass_hours=720, idle_minutes=1440)
    web.restricted(CHART, web.agreed(row), by=(row,))
    return row


def version(service, number: int, after: timedelta = timedelta(0), **values) -> Terms:
    words = {"heading": {"en": [f"Terms {number}"]}, "text": {"en": [f"Text of version {number}."]}}
    return Terms.objects.create(
        service=service, number=number, **{**words, "from_day": timezone.now() + after, **values}
    )


def agreed() -> Browser:
    browser = Browser()
    browser.click(access("terms"))
    return browser


def test_agreements_from_before_there_were_versions_count_until_one_is_published(donor):
    browser = agreed()
    version(donor, 1, from_day=None)
    assert content_status(browser) == 200
    Terms.objects.update(from_day=timezone.now())
    assert content_status(browser) == 401


def test_a_new_version_ends_cookie_and_token_and_asks_again(donor):
    version(donor, 1)
    browser = agreed()
    token = web.token(browser, "terms")
    assert (content_status(browser), probe_status(CHART, token)) == (200, 200)
    version(donor, 2)
    assert (content_status(browser), probe_status(CHART, token)) == (401, 401)
    assert "Text of version 2." in browser.get(access("terms")).content.decode()
    browser.click(access("terms"))
    assert content_status(browser) == 200
    assert probe_status(CHART, web.token(browser, "terms")) == 200
    assert Agreement.objects.get().version == 2


def test_the_moment_comes_without_anybody_changing_a_row(donor, monkeypatch):
    version(donor, 1)
    version(donor, 2, timedelta(minutes=10))
    browser = agreed()
    token = web.token(browser, "terms")
    real = timezone.now
    for minutes, status in ((9, 200), (11, 401)):
        monkeypatch.setattr(timezone, "now", lambda minutes=minutes: real() + timedelta(minutes=minutes))
        assert content_status(browser) == status
        if minutes == 11:
            assert probe_status(CHART, token) == 401
    monkeypatch.undo()
    assert content_status(browser) == 200


def test_no_token_is_drawn_from_an_agreement_to_an_old_version(donor):
    browser = agreed()
    version(donor, 1)
    assert web.problem(browser, "terms") == "missingAspect"


def test_nor_if_the_version_comes_while_one_is_drawn(donor, monkeypatch):
    browser = agreed()
    real = passes.identify.slide

    def publishes(*args):
        version(donor, 1)
        return real(*args)

    monkeypatch.setattr(passes.identify, "slide", publishes)
    assert web.problem(browser, "terms") == "invalidAspect"


def test_the_twin_that_counts_any_version_is_caught(donor, monkeypatch):
    """The tests above look at something that can go wrong."""
    browser = agreed()
    version(donor, 1)
    monkeypatch.setattr(reading, "VERSION", "CASE WHEN %s IS NULL THEN 0 ELSE a.version END")
    reading._statement.cache_clear()
    assert content_status(browser) == 200
    reading._statement.cache_clear()


def test_whoever_read_the_text_before_is_shown_the_new_one(donor):
    version(donor, 1)
    browser = Browser()
    page = browser.get(access("terms"))
    version(donor, 2)
    again = browser.click(access("terms"), page)
    text = again.content.decode()
    assert "Text of version 2." in text
    assert "has changed" in text
    assert not Agreement.objects.exists()
    browser.click(access("terms"), again)
    assert Agreement.objects.get().version == 2


def test_whoever_read_the_note_before_there_were_versions_is_shown_them(donor):
    browser = Browser()
    page = browser.get(access("terms"))
    version(donor, 1)
    assert "Text of version 1." in browser.click(access("terms"), page).content.decode()
    assert not Agreement.objects.exists()


@BOTH
def test_where_viewers_show_the_note_a_version_is_read_on_our_page(donor, version):
    """Its module's own ``version`` makes rows; this one is of the protocol."""
    donor.agree_in_viewer, donor.dialects = True, ["2", "1", "0.9.4"]
    donor.save()
    url = access("terms", space=version.space)
    assert b"data-close-now" in Browser().get(url).content
    Terms.objects.create(
        service=donor, number=1, heading={"en": ["T"]}, text={"en": ["Read me."]}, from_day=timezone.now()
    )
    page = Browser().get(url).content
    assert b"Read me." in page
    assert b"data-close-now" not in page


def test_the_version_in_force_is_the_latest_that_has_begun(donor):
    version(donor, 1, timedelta(days=-2))
    version(donor, 2, timedelta(days=-1))
    version(donor, 3, timedelta(days=1))
    version(donor, 4, from_day=None)
    found = terms.in_force("terms", timezone.now())
    assert found is not None
    assert found.number == 2
    agreed()
    assert Agreement.objects.get().version == 2


def test_other_services_are_not_asked_again(donor):
    other = web.service("other")
    version(other, 1)
    assert content_status(agreed()) == 200


def test_versions_cost_no_statement(donor, django_assert_num_queries):
    version(donor, 1)
    browser = agreed()
    digest = Pass.objects.get().digest
    with django_assert_num_queries(1):
        facts = store.find_pass(digest)
    assert facts is not None
    assert set(facts.agreements) == {"terms"}
    assert browser.access_cookie


# -- The log ------------------------------------------------------------------------------------------------------


def test_every_click_is_written_down_and_stays_when_the_pass_is_gone(donor):
    version(donor, 3)
    browser = Browser(address="203.0.113.9").sign_in(person())
    web.service("login", "login")
    browser.click(access("login"))
    browser.click(access("terms"))
    held = Pass.objects.get()
    number = held.pk
    held.delete()
    row = Acceptance.objects.get()
    assert (row.service, row.version, row.user_name, row.pass_number) == (donor, 3, "ada", number)
    assert (row.origin, row.network, row.language) == (web.VIEWER, "203.0.113.0/24", "en")


def test_signing_in_is_no_acceptance(donor):
    web.service("login", "login")
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    assert not Acceptance.objects.exists()


def test_the_name_goes_when_the_account_does(donor):
    ada = person()
    browser = Browser().sign_in(ada)
    web.service("login", "login")
    browser.click(access("login"))
    browser.click(access("terms"))
    assert "0" in terms.due(timezone.now())
    assert Acceptance.objects.get().user_name == "ada"
    ada.delete()
    assert "1" in terms.would(timezone.now())
    terms.due(timezone.now())
    row = Acceptance.objects.get()
    assert (row.user_name, row.version, row.user) == ("", 0, None)


def test_the_token_page_of_a_service_with_versions_still_answers(donor):
    version(donor, 1)
    assert Browser().get(token_page("terms")).status_code == 200
