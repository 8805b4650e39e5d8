"""SAML with a signing identity provider: what opens, and every answer that is refused."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.socialaccount.internal import statekit
from django.contrib.auth import get_user_model

from iiif_auth.models import PersonAttribute
from tests import web
from tests.signin.inside.conftest import opens, reader, remembering
from tests.signin.inside.saml import MAIL, SCOPED, College

User = get_user_model()
ACS = "/accounts/saml/college/acs/"
MEMBER = {SCOPED: ["member@northwick.example"], MAIL: ["ada@westmark.example"]}


def begin(browser: web.Browser, college: College):
    page = browser.get("/accounts/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    sent = browser.post(
        "/accounts/saml/college/login/?process=login", {"csrfmiddlewaretoken": token}, headers={"origin": web.BASE}
    )
    return college.asked(sent["location"])


def bring(browser: web.Browser, answer: str):
    """What the form at the identity provider does: a post from another site, and the redirect that follows."""
    first = browser.post(ACS, {"SAMLResponse": answer})
    assert first.status_code == 302
    return browser.get(first["location"])


def is_in(browser: web.Browser) -> bool:
    return "_auth_user_id" in browser.session


def test_what_the_college_says_opens_the_chart(library, college):
    browser = reader()
    bring(browser, college.answer(begin(browser, college), "ada@northwick.example", MEMBER))
    assert is_in(browser)
    assert set(PersonAttribute.objects.values_list("name", "value")) == {("affiliation", "member@northwick.example")}
    assert opens(browser)


def test_the_subject_is_the_person_whatever_the_name_of_the_moment(library, college):
    for _ in range(2):
        browser = reader()
        bring(browser, college.answer(begin(browser, college), "ada@northwick.example", MEMBER))
    assert User.objects.count() == 1


IMPOSTOR = College("https://idp.college.example/metadata")


@pytest.mark.parametrize(
    "other",
    [
        {"issuer": "https://somebody.example/metadata"},
        {"audience": "https://somebody.example/sp"},
        {"acs": "https://somebody.example/acs/"},
        {"to": ""},
        {"to": "_nobody-asked"},
        {"ends": datetime.now(UTC) - timedelta(hours=1)},
        {"signed": False},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_answer_that_is_not_ours_is_refused(library, college, other):
    browser = reader()
    page = bring(browser, college.answer(begin(browser, college), "ada@northwick.example", MEMBER, **other))
    assert not is_in(browser)
    assert not User.objects.exists()
    assert page.status_code == 401
    assert b"not signed in" in page.content
    assert b"/accounts/login/" in page.content


def test_an_answer_that_somebody_else_signed_is_refused(library, college):
    browser = reader()
    bring(browser, IMPOSTOR.answer(begin(browser, college), "ada@northwick.example", MEMBER))
    assert not is_in(browser)


def tampered(answer: str) -> str:
    text = base64.b64decode(answer).replace(b"member@northwick", b"faculty@northwick")
    return base64.b64encode(text).decode()


def test_an_answer_that_was_tampered_with_is_refused(library, college):
    browser = reader()
    bring(browser, tampered(college.answer(begin(browser, college), "ada@northwick.example", MEMBER)))
    assert not is_in(browser)


def brought_twice(college: College):
    """What the second time is answered, in the browser that it was meant for."""
    browser = reader()
    answer = college.answer(begin(browser, college), "ada@northwick.example", MEMBER)
    assert bring(browser, answer).status_code == 302
    return bring(browser, answer)


def test_an_answer_is_used_once(library, college):
    page = brought_twice(college)
    assert page.status_code == 401
    assert b"not signed in" in page.content


def test_it_would_be_used_again_if_what_was_asked_were_not_forgotten(library, college, monkeypatch):
    monkeypatch.setattr(statekit, "unstash_state", remembering)
    assert brought_twice(college).status_code == 302


def test_an_answer_that_nobody_signed_would_count_if_signatures_were_not_asked_for(library, college, monkeypatch):
    signatures_are_not_looked_at(monkeypatch)
    browser = reader()
    bring(browser, college.answer(begin(browser, college), "ada@northwick.example", MEMBER, signed=False))
    assert is_in(browser)


def test_a_tampered_answer_would_count_if_signatures_were_not_checked(library, college, monkeypatch):
    signatures_are_not_looked_at(monkeypatch)
    browser = reader()
    bring(browser, tampered(college.answer(begin(browser, college), "ada@northwick.example", MEMBER)))
    assert is_in(browser)
    assert PersonAttribute.objects.get().value == "faculty@northwick.example"


def signatures_are_not_looked_at(monkeypatch):
    from onelogin.saml2.response import OneLogin_Saml2_Response as Response
    from onelogin.saml2.utils import OneLogin_Saml2_Utils as Signed

    found = ["{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"]
    monkeypatch.setattr(Response, "process_signed_elements", lambda self: found)
    monkeypatch.setattr(Signed, "validate_sign", staticmethod(lambda *args, **kwargs: True))


def test_an_answer_for_one_browser_does_not_count_in_another(library, college):
    victim = reader()
    bring(victim, college.answer(begin(reader(), college), "mallory@northwick.example", MEMBER))
    assert not is_in(victim)


@pytest.mark.parametrize(
    ("switch", "other"),
    [
        ("reject_idp_initiated_sso", {"to": ""}),
        ("strict", {"audience": "https://somebody.example/sp"}),
        ("strict", {"issuer": "https://somebody.example/metadata"}),
    ],
)
def test_it_would_count_if_that_were_switched_off(library, college, switch, other):
    """The broken twins of the refusals above."""
    library.SOCIALACCOUNT_PROVIDERS["saml"]["APPS"][0]["settings"]["advanced"][switch] = False
    browser = reader()
    bring(browser, college.answer(begin(browser, college), "ada@northwick.example", MEMBER, **other))
    assert is_in(browser)
