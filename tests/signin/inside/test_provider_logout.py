"""Whoever leaves their institution has left here: OpenID Connect back-channel logout and SAML single logout (security K5)."""

from __future__ import annotations

import base64
import time

import jwt
import pytest
import requests
from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from iiif_auth.models import Pass, Token
from project import logout_tokens, provider_logouts, provider_sessions, provider_urls
from project.models import ProviderLogout, ProviderSession
from tests import web
from tests.signin.inside import test_openid, test_saml
from tests.signin.inside.conftest import CHART, opens, reader, shown
from tests.signin.inside.saml import College
from tests.signin.inside.test_openid import STAFF
from tests.signin.inside.test_saml import MEMBER
from tests.signin.leaving import EVENT, claims_for

SLS = f"{web.BASE}/accounts/saml/college/sls/"


@pytest.fixture(autouse=True)
def nothing_remembered():
    cache.clear()


def said(openid, *, number: int = 0, head: dict | None = None, **other) -> str:
    """A token that the provider has signed."""
    given = {"claims": claims_for(openid[number], **other), "head": head or {}}
    return requests.post(f"{openid[number]}/sign", json=given, timeout=20).text


def posted(settings, token: str, number: int = 0):
    """What the provider itself does: no browser, no cookie."""
    where = f"/accounts/oidc/{settings.WAYS.openid[number].key}/backchannel-logout/"
    return web.Browser().post(where, {"logout_token": token})


def signed_in(settings, openid, session: str | None = "one", subject: str = "ada", number: int = 0) -> web.Browser:
    """A browser in which somebody signed in at the provider, and opened the chart."""
    browser = reader()
    more = {"sid": session} if session else {}
    assert test_openid.sign_in(browser, settings, openid, subject, number, **STAFF, **more).status_code == 302
    return browser


def probed(token: str) -> int:
    asked = reader().get(web.probe_of(CHART), headers={"authorization": f"Bearer {token}"})
    return int(asked.json()["status"])


def is_in(browser: web.Browser) -> bool:
    return SESSION_KEY in browser.session


# -- OpenID Connect -------------------------------------------------------------------------------------------------


def test_a_logout_at_the_provider_ends_that_session_and_no_other(library, openid):
    left, kept, somebody_else = (
        signed_in(library, openid, "one"),
        signed_in(library, openid, "two"),
        signed_in(library, openid, "three", "ben"),
    )
    assert [opens(browser) for browser in (left, kept, somebody_else)] == [True] * 3
    token = web.token(left, "login")
    assert probed(token) == 200
    answer = posted(library, said(openid, sub="ada", sid="one"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert "no-store" in answer["Cache-Control"]
    assert probed(token) == 401
    assert [shown(browser) for browser in (left, kept, somebody_else)] == [False, True, True]
    assert [is_in(browser) for browser in (left, kept, somebody_else)] == [False, True, True]
    assert Pass.objects.count() == 2
    assert not Token.objects.exists()


def test_it_would_stay_open_if_the_session_were_not_noted(library, openid, monkeypatch):
    """The broken twin: what the provider calls the session was forgotten."""
    monkeypatch.setattr(provider_sessions.ProviderSession.objects, "update_or_create", lambda **given: None)
    browser = signed_in(library, openid)
    assert opens(browser)
    posted(library, said(openid, sub="ada", sid="one"))
    assert shown(browser)


@pytest.mark.parametrize("names", [{"sid": "one"}, {"sub": "ada", "sid": "one"}])
def test_a_session_may_be_named_with_or_without_its_person(library, openid, names):
    browser = signed_in(library, openid)
    assert opens(browser)
    assert posted(library, said(openid, **names)).status_code == 200
    assert not shown(browser)


def test_a_session_of_somebody_else_is_not_ended_by_its_number(library, openid):
    browser = signed_in(library, openid)
    assert opens(browser)
    assert posted(library, said(openid, sub="ben", sid="one")).status_code == 200
    assert shown(browser)


def test_without_a_session_everything_of_the_person_ends(library, openid):
    browsers = [signed_in(library, openid, number) for number in ("one", "two", None)]
    other = signed_in(library, openid, "three", "ben")
    assert all(opens(browser) for browser in (*browsers, other))
    assert posted(library, said(openid, sub="ada")).status_code == 200
    assert [shown(browser) for browser in (*browsers, other)] == [False, False, False, True]
    assert not any(is_in(browser) for browser in browsers)


def test_a_provider_that_named_no_session_ends_all_of_the_person(library, openid):
    browser = signed_in(library, openid, None)
    assert opens(browser)
    assert posted(library, said(openid, sub="ada", sid="one")).status_code == 200
    assert not shown(browser)


def test_passes_from_before_sessions_were_noted_end_with_the_person(library, openid):
    browser = signed_in(library, openid)
    assert opens(browser)
    ProviderSession.objects.all().delete()
    assert posted(library, said(openid, sub="ada")).status_code == 200
    assert not shown(browser)


def test_one_provider_ends_nothing_of_another(library, openid):
    browser = signed_in(library, openid)
    assert opens(browser)
    assert posted(library, said(openid, number=1, sub="ada", sid="one"), number=1).status_code == 200
    assert posted(library, said(openid, number=1, sub="ada", sid="one"), number=0).status_code == 400
    assert posted(library, said(openid, number=1, sub="ada", sid="one", iss=openid[0]), number=0).status_code == 400
    assert shown(browser)


def test_there_is_nothing_to_end_and_that_is_well(library, openid):
    assert posted(library, said(openid, sub="nobody", sid="none")).status_code == 200


NOW = int(time.time())
WRONG = {
    "another issuer": {"iss": "https://somebody.example"},
    "another site": {"aud": "somebody"},
    "no issuer": {"iss": None},
    "no audience": {"aud": None},
    "no time": {"iat": None},
    "no number": {"jti": None},
    "ended": {"exp": NOW - 3600},
    "old": {"iat": NOW - 3600, "exp": None},
    "from tomorrow": {"iat": NOW + 86_400, "exp": NOW + 90_000},
    "a time that is none": {"iat": "noon"},
    "a nonce": {"nonce": "n"},
    "no event": {"events": None},
    "another event": {"events": {"https://schemas.openid.net/secevent/risc/event-type/sessions-revoked": {}}},
    "an event that is no object": {"events": {EVENT: True}},
    "events that are a list": {"events": [EVENT]},
    "nobody": {"sub": None, "sid": None},
    "a person that is a number": {"sub": 7},
    "a session that is a list": {"sid": ["one"]},
    "an access token": {"head": {"typ": "at+jwt"}},
    "a key that the provider has not": {"head": {"kid": "another"}},
}


@pytest.mark.parametrize("other", WRONG.values(), ids=WRONG)
def test_a_token_that_is_not_a_good_one_ends_nothing(library, openid, other, caplog):
    browser = signed_in(library, openid)
    assert opens(browser)
    answer = posted(library, said(openid, **{"sub": "ada", "sid": "one", **other}))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["error_description"].endswith(".")
    assert "Refused a logout" in caplog.text
    assert shown(browser)
    assert is_in(browser)


@pytest.mark.parametrize("leniently", ["no event", "a nonce", "old"])
def test_it_would_end_something_if_its_meaning_were_not_looked_at(library, openid, monkeypatch, leniently):
    """The broken twin of the test above, for what is ours to look at."""
    browser = signed_in(library, openid)
    assert opens(browser)
    monkeypatch.setattr(
        logout_tokens, "meant", lambda claims: logout_tokens.Logout("ada", "one", claims["jti"], timezone.now())
    )
    decode = jwt.decode
    monkeypatch.setattr(jwt, "decode", lambda *a, **given: decode(*a, **{**given, "options": {"verify_sub": False}}))
    assert posted(library, said(openid, **{"sub": "ada", "sid": "one", **WRONG[leniently]})).status_code == 200
    assert not shown(browser)


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", None])
def test_providers_may_call_it_a_logout_token_or_nothing(library, openid, typ):
    assert posted(library, said(openid, sub="ada", head={"typ": typ})).status_code == 200


def forged(openid, how: str) -> str:
    """Tokens that somebody else has made."""
    claims = claims_for(openid[0], sub="ada", sid="one")
    keys = requests.get(f"{openid[0]}/jwks", timeout=20).json()["keys"]
    if how == "nobody signed it":
        return jwt.encode(claims, None, "none", headers={"kid": keys[0].get("kid", "")})
    if how == "signed with the public key as if it were a secret":
        secret = base64.urlsafe_b64decode(keys[0]["n"] + "==")
        return jwt.encode(claims, secret, "HS256", headers={"kid": keys[0].get("kid", "")})
    if how == "signed with a key of their own":
        return jwt.encode(claims, College("x").key, "RS256", headers={"kid": keys[0].get("kid", "")})
    token = said(openid, sub="ada", sid="one")
    head, body, signature = token.split(".")
    if how == "tampered with":
        return f"{head}.{jwt.utils.base64url_encode(b'{}').decode()}.{signature}"
    return {"cut off": f"{head}.{body}", "too long": "x" * 20_000, "not a token": "ädä", "empty": ""}[how]


@pytest.mark.parametrize(
    "how",
    [
        "nobody signed it",
        "signed with the public key as if it were a secret",
        "signed with a key of their own",
        "tampered with",
        "cut off",
        "too long",
        "not a token",
        "empty",
    ],
)
def test_a_token_that_somebody_else_made_ends_nothing(library, openid, how):
    browser = signed_in(library, openid)
    assert opens(browser)
    assert posted(library, forged(openid, how)).status_code == 400
    assert shown(browser)


def test_it_would_end_something_if_signatures_were_not_checked(library, openid, monkeypatch):
    browser = signed_in(library, openid)
    assert opens(browser)
    decode = jwt.decode
    unchecked = {"verify_signature": False, "verify_sub": False}
    monkeypatch.setattr(jwt, "decode", lambda *a, **given: decode(*a, **{**given, "options": unchecked}))
    assert posted(library, forged(openid, "signed with a key of their own")).status_code == 200
    assert not shown(browser)


def test_a_token_is_used_once(library, openid):
    token = said(openid, sub="ada", iat=int(time.time()) - 5)
    assert posted(library, token).status_code == 200
    browser = signed_in(library, openid, "later")
    assert opens(browser)
    assert posted(library, token).status_code == 400
    assert shown(browser)


def failing(*given: object, **more: object):
    raise OSError("the disk is full")


def test_a_logout_that_failed_here_may_be_tried_again(library, openid, monkeypatch):
    browser = signed_in(library, openid)
    assert opens(browser)
    token = said(openid, sub="ada", sid="one", jti="a name with blanks, and \n more " * 20)
    with monkeypatch.context() as patched:
        patched.setattr(provider_sessions, "end", failing)
        with pytest.raises(OSError, match="the disk is full"):
            posted(library, token)
    assert shown(browser)
    assert posted(library, token).status_code == 200
    assert not shown(browser)


def test_a_login_that_is_on_its_way_while_the_provider_ends_it_comes_too_late(library, openid):
    browser = reader()
    back = test_openid.agree(test_openid.begin(browser, library), "ada", openid[0], {**STAFF, "sid": "one"})
    assert posted(library, said(openid, sub="ada", sid="one")).status_code == 200
    browser.get(back)
    assert not is_in(browser)
    assert not ProviderSession.objects.exists()
    assert not opens(browser)


def test_so_does_one_of_before_everything_of_the_person_was_ended(library, openid):
    browser = reader()
    before = {**STAFF, "auth_time": int(time.time()) - 60}
    back = test_openid.agree(test_openid.begin(browser, library), "ada", openid[0], before)
    assert posted(library, said(openid, sub="ada", iat=int(time.time()) - 5)).status_code == 200
    browser.get(back)
    assert not is_in(browser)


def test_it_would_be_in_if_what_was_ended_were_forgotten(library, openid, monkeypatch):
    monkeypatch.setattr(provider_sessions, "has_ended", lambda begun: False)
    browser = reader()
    back = test_openid.agree(test_openid.begin(browser, library), "ada", openid[0], {**STAFF, "sid": "one"})
    posted(library, said(openid, sub="ada", sid="one"))
    browser.get(back)
    assert is_in(browser)
    assert opens(browser)


def test_whoever_signs_in_again_afterwards_is_in(library, openid):
    assert posted(library, said(openid, sub="ada", sid="one")).status_code == 200
    assert posted(library, said(openid, sub="ada", iat=int(time.time()) - 5)).status_code == 200
    assert ProviderLogout.objects.count() == 2
    browser = signed_in(library, openid, "two")
    assert is_in(browser)
    assert opens(browser)


def test_strangers_make_us_ask_the_provider_for_its_keys_once(library, openid, monkeypatch):
    asked = []
    honest = provider_logouts.Keys.asked_for
    monkeypatch.setattr(provider_logouts.Keys, "asked_for", lambda self: asked.append(1) or honest(self))
    for number in range(20):
        posted(library, said(openid, sub="ada", head={"kid": f"key-{number}"}))
        posted(library, forged(openid, "signed with a key of their own"))
    assert len(asked) == 1
    assert posted(library, said(openid, sub="ada")).status_code == 200


def test_a_new_key_of_the_provider_is_found(library, openid, monkeypatch):
    """Kept keys are old ones: it is asked again, once they have been kept for a while."""
    key = library.WAYS.openid[0].key
    cache.set(f"project.keys.{key}", {"keys": [], "at": time.time() - 60}, 600)
    assert posted(library, said(openid, sub="ada")).status_code == 200


@pytest.mark.parametrize(
    ("name", "changed", "is_picked"),
    [
        ("k", {}, True),
        ("k", {"use": "sig", "alg": "RS256"}, True),
        ("", {"kid": None}, True),
        ("other", {}, False),
        ("k", {"use": "enc"}, False),
        ("k", {"alg": "PS256"}, False),
        ("k", {"kty": "oct", "k": "c2VjcmV0"}, False),
        ("k", {"kty": "nonsense"}, False),
    ],
)
def test_a_key_is_picked_by_its_name_and_for_its_use(openid, name, changed, is_picked):
    key = {**requests.get(f"{openid[0]}/jwks", timeout=20).json()["keys"][0], "kid": "k"}
    assert (provider_logouts.pick([{**key, **changed}], name, "RS256") is not None) is is_picked
    assert provider_logouts.pick([key, key], "", "RS256") is None


def test_a_provider_that_can_not_be_reached_is_told_so(library, openid, caplog):
    library.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://localhost:9"
    answer = posted(library, said(openid, sub="ada"))
    assert answer.status_code == 400
    assert "can not be read at present" in answer.json()["error_description"]


def test_only_providers_that_are_configured_have_such_a_door(library, openid):
    token = said(openid, sub="ada")
    for key in ("unknown", library.WAYS.saml[0].key):
        assert (
            web.Browser().post(f"/accounts/oidc/{key}/backchannel-logout/", {"logout_token": token}).status_code == 404
        )
    here = f"/accounts/oidc/{library.WAYS.openid[0].key}/backchannel-logout/"
    assert web.Browser().get(here, {"logout_token": token}).status_code == 405


def test_a_login_with_a_password_is_nobodys_to_end(library, openid):
    browser = reader().sign_in(web.person("local"))
    assert not ProviderSession.objects.exists()
    assert posted(library, said(openid, sub="local")).status_code == 200
    assert is_in(browser)


def test_what_was_noted_goes_with_the_session(library, openid):
    browser = signed_in(library, openid)
    assert ProviderSession.objects.get().number == "one"
    browser.session.flush()
    assert not ProviderSession.objects.exists()
    signed_in(library, openid, "x" * 1000)
    assert len(ProviderSession.objects.get().number) == 64
    assert posted(library, said(openid, sid="x" * 1000)).status_code == 200
    assert not ProviderSession.objects.exists()
    assert not Session.objects.filter(session_key=browser.session.session_key).exists()


# -- SAML -----------------------------------------------------------------------------------------------------------


def at_college(college, name: str = "name-1", index: str = "_one") -> web.Browser:
    browser = reader()
    answer = college.answer(test_saml.begin(browser, college), "ada@northwick.example", MEMBER, name=name, index=index)
    assert test_saml.bring(browser, answer).status_code == 302
    assert opens(browser)
    return browser


def test_a_logout_at_the_college_ends_the_session_and_tells_the_college(library, college):
    browser, other = at_college(college), at_college(college, "name-2", "_two")
    back = browser.get(college.leaving(SLS, "name-1", "_one"))
    assert back.status_code == 302
    assert back["location"].startswith("https://idp.college.example/slo?SAMLResponse=")
    assert "RelayState=there" in back["location"]
    assert [shown(one) for one in (browser, other)] == [False, True]
    assert [is_in(one) for one in (browser, other)] == [False, True]


def test_it_needs_no_cookie_since_a_frame_of_the_colleges_brings_none(library, college):
    browser = at_college(college)
    assert web.Browser().get(college.leaving(SLS, "name-1", "_one")).status_code == 302
    assert not shown(browser)
    assert not is_in(browser)


def test_allauths_own_page_would_leave_it_open(library, college):
    """The broken twin: it asks the cookie, which a frame of the college's does not bring."""
    from allauth.socialaccount.providers.saml.views import sls
    from django.contrib.auth.models import AnonymousUser
    from django.test import RequestFactory

    browser = at_college(college)
    request = RequestFactory().get(college.leaving(SLS, "name-1", "_one"), secure=True, headers={"host": web.HOST})
    request.user = AnonymousUser()
    assert sls(request, organization_slug="college").status_code == 302
    assert shown(browser)


def test_without_a_session_index_everything_under_that_name_ends(library, college):
    browsers = [at_college(college, "name-1", index) for index in ("_one", "_two")]
    assert web.Browser().get(college.leaving(SLS, "name-1")).status_code == 302
    assert not any(shown(browser) for browser in browsers)


NOT_THE_COLLEGE = College("https://idp.college.example/metadata")
BAD_REQUESTS = {
    "nobody signed it": {"signed": False},
    "another issuer": {"issuer": "https://somebody.example/metadata"},
    "another site": {"to": "https://somebody.example/sls/"},
    "ended": {"ends": provider_sessions.datetime(2026, 1, 1, tzinfo=provider_sessions.UTC)},
    "an answer": {"as": "SAMLResponse"},
}


@pytest.mark.parametrize("other", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_request_that_is_not_a_good_one_ends_nothing(library, college, other, caplog):
    browser = at_college(college)
    page = browser.get(college.leaving(SLS, "name-1", "_one", **other))
    assert page.status_code == 400
    assert b"could not log you out" in page.content
    assert b"/accounts/logout/" in page.content
    assert "Refused a logout" in caplog.text
    assert shown(browser)
    assert is_in(browser)


def test_a_request_that_somebody_else_signed_or_changed_ends_nothing(library, college):
    browser = at_college(college)
    assert browser.get(NOT_THE_COLLEGE.leaving(SLS, "name-1", "_one")).status_code == 400
    good, other = college.leaving(SLS, "name-2", "_two"), college.leaving(SLS, "name-1", "_one")
    signature = good.partition("&Signature=")[2]
    assert browser.get(f"{other.partition('&Signature=')[0]}&Signature={signature}").status_code == 400
    assert browser.get(f"{SLS.removeprefix(web.BASE)}?SAMLRequest=x&Signature=x&SigAlg=x").status_code == 400
    assert shown(browser)


def test_it_would_end_something_if_signatures_were_not_asked_for(library, college, monkeypatch):
    """The broken twin: python3-saml takes a request for good that is not signed at all."""
    browser = at_college(college)
    there = college.leaving(SLS, "name-1", "_one", signed=False)
    assert browser.get(there).status_code == 400
    monkeypatch.setattr(provider_logouts, "is_signed", lambda request: True)
    assert browser.get(there).status_code == 302
    assert not shown(browser)


def test_a_college_without_an_address_for_answers_is_not_listened_to(library, college, caplog):
    browser = at_college(college)
    del library.SOCIALACCOUNT_PROVIDERS["saml"]["APPS"][0]["settings"]["idp"]["slo_url"]
    assert browser.get(college.leaving(SLS, "name-1", "_one")).status_code == 400
    assert "slo_url is not configured" in caplog.text
    assert shown(browser)


@pytest.mark.parametrize(
    ("installed", "names"),
    [
        ("openid_connect", ["openid_connect_logout"]),
        ("saml", ["saml_finish_acs", "saml_sls"]),
    ],
)
def test_there_are_only_pages_of_the_ways_that_are_installed(monkeypatch, installed, names):
    """Of a way that is not configured the packages may be missing, too."""
    monkeypatch.setattr(apps, "is_installed", lambda name: name.rpartition(".")[2] == installed)
    assert [pattern.name for pattern in provider_urls.pages()] == names
