"""Asking for access: no account, no script, nothing to be had by asking for it in bulk."""

from __future__ import annotations

import re
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.middleware.csrf import _get_new_csrf_string
from django.utils import timezone

from iiif_auth.asking import states
from iiif_auth.models import AccessPolicy, AccessRequest, Terms
from tests import web
from tests.asking.reading import CHART, WISH, ask_page, asked, last_link, named_only, refused_page
from tests.web import BASE, Browser, person

pytestmark = pytest.mark.usefixtures("site")
State = AccessRequest.State


def sent(browser: Browser | None = None, url: str = CHART, **wish: str):
    return (browser or Browser()).click(ask_page(url), **{**WISH, **wish})


def test_from_the_refusal_to_a_confirmed_request():
    row, browser = named_only(), Browser()
    page = browser.get(refused_page())
    assert f'action="{ask_page()}"' in page.content.decode()
    assert sent(browser).status_code == 200
    request = AccessRequest.objects.get()
    assert (request.state, request.resource, request.user, request.email) == (
        State.UNCONFIRMED,
        row,
        None,
        WISH["email"],
    )
    link = last_link()
    assert mail.outbox[0].to == [WISH["email"]]
    assert browser.get(link).status_code == 200
    request.refresh_from_db()
    assert request.state == State.UNCONFIRMED  # looking, as mail scanners do, confirms nothing
    browser.click(link, action="confirm")
    request.refresh_from_db()
    assert request.state == State.NEW
    assert request.confirmed is not None


def test_the_secret_of_the_link_is_not_stored():
    named_only()
    sent()
    secret = last_link().rpartition("/")[2]
    stored = AccessRequest.objects.values().get()
    assert secret not in str(stored)
    assert "x" * 43 not in str(stored)


def test_whoever_is_signed_in_asks_as_themselves():
    named_only()
    ada = person()
    assert asked(browser=Browser().sign_in(ada)).user == ada


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"email": "ada"}, "valid email"),
        ({"purpose": " "}, "This field is required"),
        ({"wished_until": "soon"}, "write the day as 2027-03-31"),
        ({"wished_until": "2001-01-01"}, "This day is over"),
        ({"wished_until": "2999-01-01"}, "within the next 5 years"),
    ],
)
def test_what_is_wrong_is_said_on_top_and_nothing_is_lost(wrong, sentence):
    named_only()
    response = sent(**{"purpose": "A thesis.", "name": "Ada Reader", **wrong})
    text = response.content.decode()
    assert response.status_code == 400
    assert sentence in text
    assert f'<a href="#id_{next(iter(wrong))}">' in text
    kept = {"name": "Ada Reader", "purpose": "A thesis."}
    assert all(value in text for key, value in kept.items() if key not in wrong)
    assert not AccessRequest.objects.exists()
    assert not mail.outbox


def test_programs_that_fill_in_everything_are_told_the_same_and_nothing_is_kept():
    named_only()
    honest = sent(email="one@example.org").content.decode().replace("one@example.org", "")
    AccessRequest.objects.all().delete()
    mail.outbox.clear()
    trapped = sent(email="two@example.org", website="https://spam.example").content.decode()
    assert trapped.replace("two@example.org", "") == honest
    assert not AccessRequest.objects.exists()
    assert not mail.outbox


def test_one_address_can_not_send_many():
    for number in range(12):
        named_only(f"/iiif/3/chart-{number}")
    found = [sent(url=f"/iiif/3/chart-{n}", email=f"p{n}@example.org").status_code for n in range(12)]
    assert found == [200] * 10 + [429] * 2
    assert AccessRequest.objects.count() == 10


def test_one_e_mail_address_is_not_flooded():
    for number in range(7):
        named_only(f"/iiif/3/chart-{number}")
    found = [sent(Browser(f"203.0.113.{n}"), url=f"/iiif/3/chart-{n}").status_code for n in range(7)]
    assert found == [200] * states.MOST_A_DAY + [429] * 2
    assert len(mail.outbox) == states.MOST_A_DAY


def test_strangers_are_not_flooded_by_many_addresses_either(monkeypatch):
    monkeypatch.setattr(states, "MOST_UNCONFIRMED", 2)
    named_only()
    found = [sent(Browser(f"203.0.113.{n}"), email=f"p{n}@example.org").status_code for n in range(4)]
    assert found == [200, 200, 429, 429]


def test_asking_twice_makes_one_request():
    named_only()
    sent()
    first = last_link()
    sent(purpose="Better words.")
    assert AccessRequest.objects.get().purpose == "Better words."
    assert Browser().get(first).status_code == 404
    asked_for = last_link()
    Browser().click(asked_for, action="confirm")
    sent()
    assert AccessRequest.objects.count() == 1
    assert "already" in mail.outbox[-1].subject
    assert Browser().get(asked_for).status_code == 200  # nobody else makes the first link worthless


def test_a_mail_that_can_not_be_sent_is_an_error_to_try_again(monkeypatch):
    named_only()

    def broken(*args, **kwargs):
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr("iiif_auth.asking.mails.send_mail", broken)
    response = sent()
    assert response.status_code == 503
    assert WISH["purpose"] in response.content.decode()
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize("kind", ["not requestable", "hidden", "unknown", "open"])
def test_where_there_is_nothing_to_ask_for_one_is_sent_to_the_page_that_says_why(kind):
    row = named_only(requestable=kind != "not requestable")
    if kind == "hidden":
        held = web.hidden_collection(prefix="/iiif/3/")
        row.collection = held
        row.save()
    if kind == "open":
        web.tier(row.policy, web.EVERYONE)
    url = "/iiif/3/none" if kind == "unknown" else CHART
    browser = Browser()
    browser.get(ask_page(url))
    for response in (browser.get(ask_page(url)), _posted(browser, url)):
        assert (response.status_code, response.url) == (302, refused_page(url))
    assert not AccessRequest.objects.exists()


def _posted(browser: Browser, url: str):
    browser.cookies["csrftoken"] = token = _get_new_csrf_string()
    return browser.post(ask_page(url), {**WISH, "csrfmiddlewaretoken": token}, headers={"origin": BASE})


def test_no_other_site_can_send_the_form():
    named_only()
    assert Browser().post(ask_page(), WISH).status_code == 403
    assert not AccessRequest.objects.exists()


# -- Terms --------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_terms():
    login, terms = web.service("login", "login"), web.service("terms", note={"en": ["Cite us."]})
    row = web.restricted(CHART, by=(login, terms))
    AccessPolicy.objects.filter(pk=row.policy_id).update(requestable=True)
    return terms


def test_terms_are_shown_and_must_be_agreed_to(with_terms):
    assert "Cite us." in Browser().get(refused_page()).content.decode()
    assert "tick this box" in sent().content.decode()
    assert not AccessRequest.objects.exists()
    assert sent(agreed="on").status_code == 200
    assert "Agreed to “Merehaven Library: terms”." in AccessRequest.objects.get().messages.get().text


def test_the_version_in_force_is_what_is_read_and_noted(with_terms):
    words = {"heading": {"en": ["Donor's terms"]}, "text": {"en": ["Cite us twice."]}}
    Terms.objects.create(service=with_terms, number=4, from_day=timezone.now(), **words)
    page = Browser().get(refused_page()).content.decode()
    assert "Cite us twice." in page
    assert "Cite us." not in page
    sent(agreed="on")
    assert "version 4" in AccessRequest.objects.get().messages.get().text


# -- The page of a request ----------------------------------------------------------------------------------------


def test_questions_are_answered_there():
    named_only()
    row, browser = asked(), Browser()
    link = last_link()
    row.state = State.ASKED
    row.save()
    states.said(row, "Which plates?")
    states.said(row, "Looks odd to me.", internal=True)
    page = browser.get(link).content.decode()
    assert "Which plates?" in page
    assert "Looks odd" not in page
    browser.click(link, action="answer", text="Plates 3 to 7.")
    row.refresh_from_db()
    assert row.state == State.NEW
    assert row.messages.filter(from_reader=True).get().text == "Plates 3 to 7."


def test_a_request_can_be_taken_back_until_it_is_decided():
    named_only()
    row, browser = asked(), Browser()
    link = last_link()
    page = browser.get(link)
    browser.click(link, page, action="take-back")
    row.refresh_from_db()
    assert (row.state, row.decided is not None) == (State.EXPIRED, True)
    assert browser.click(link, page, action="take-back").status_code == 409
    assert browser.click(link, page, action="answer", text="Hello?").status_code == 409


@pytest.mark.parametrize("secret", ["x" * 43, "x", "%00" * 43])
def test_other_links_lead_nowhere(secret):
    named_only()
    asked()
    assert Browser().get(f"/iiif-auth/asked/{secret}").status_code == 404


def test_the_address_of_the_page_is_told_to_nobody():
    named_only()
    asked()
    response = Browser().get(last_link())
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]


def test_what_became_secret_since_is_not_named_any_more():
    row = named_only()
    row.label = {"en": ["The portrait"]}
    row.save()
    asked()
    link = last_link()
    assert "The portrait" in Browser().get(link).content.decode()
    row.collection = web.hidden_collection()
    row.save()
    assert "The portrait" not in Browser().get(link).content.decode()


def test_the_page_escapes_what_readers_write():
    named_only()
    asked(purpose="<script>alert(1)</script>", name="<b>Ada</b>")
    page = Browser().get(last_link()).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_mails_can_not_be_given_another_subject():
    named_only()
    sent(name="Ada\r\nBcc: all@example.org")
    assert re.search(r"Dear Ada Bcc: all@example.org,", mail.outbox[-1].body)
    assert mail.outbox[-1].recipients() == [WISH["email"]]
