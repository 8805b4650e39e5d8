"""OpenID Connect through the whole chain, with a real provider: what opens, and what is refused."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import requests
from allauth.socialaccount.internal import statekit
from django.contrib.auth import get_user_model

from iiif_auth import middleware
from iiif_auth.attributes import from_allauth, keeping, normal, trust
from iiif_auth.models import IdentityProvider, PersonAttribute
from project import elsewhere
from tests import web
from tests.signin.inside.conftest import opens, reader, remembering, shown

User = get_user_model()
STAFF = {"eduperson_scoped_affiliation": ["staff@westmark.example"], "email": "ada@westmark.example"}


def begin(browser: web.Browser, settings, number: int = 0) -> str:
    """Press the button of the login page; where the provider asks for a name."""
    key = settings.WAYS.openid[number].key
    login = browser.get("/accounts/login/")
    assert f"/accounts/oidc/{key}/login/" in login.content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', login.content.decode())[1]
    sent = browser.post(
        f"/accounts/oidc/{key}/login/?process=login", {"csrfmiddlewaretoken": token}, headers={"origin": web.BASE}
    )
    assert sent.status_code == 302
    return sent["location"]


def agree(where: str, subject: str, issuer: str, claims: dict) -> str:
    """Sign in at the provider; where it sends the browser."""
    requests.put(f"{issuer}/users/{subject}", json=claims, timeout=20).raise_for_status()
    answer = requests.post(where, data={"sub": subject}, allow_redirects=False, timeout=20)
    assert answer.status_code == 302, answer.text[:500]
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def sign_in(browser: web.Browser, settings, openid, subject: str = "ada", number: int = 0, **claims) -> object:
    back = agree(begin(browser, settings, number), subject, openid[number], claims)
    return browser.get(back)


def test_what_the_provider_says_opens_the_chart(library, openid):
    browser = reader()
    assert sign_in(browser, library, openid, **STAFF).status_code == 302
    assert list(PersonAttribute.objects.values_list("name", "value")) == [("affiliation", "staff@westmark.example")]
    assert opens(browser)


def test_a_word_that_is_missing_at_the_next_login_closes_at_once(library, openid):
    browser, again = reader(), reader()
    sign_in(browser, library, openid, **STAFF)
    assert opens(browser)
    sign_in(again, library, openid, email="ada@westmark.example")
    assert not PersonAttribute.objects.exists()
    assert not shown(browser)
    assert User.objects.filter(username__startswith="uni-").count() == 1


def keeping_everything(user, issuer, pairs):
    provider = IdentityProvider.objects.filter(issuer=issuer).first()
    for name, value in pairs:
        PersonAttribute.objects.get_or_create(user=user, provider=provider, name=name, value=value)


def test_it_would_stay_open_if_words_were_only_added(library, openid, monkeypatch):
    """The broken twin of the test above."""
    monkeypatch.setattr(keeping, "keep", keeping_everything)
    browser = reader()
    sign_in(browser, library, openid, **STAFF)
    sign_in(reader(), library, openid)
    assert opens(browser)


def test_a_provider_speaks_for_its_own_scope_only(library, openid, caplog):
    browser = reader()
    sign_in(browser, library, openid, affiliation=["member@northwick.example", "student@westmark.example"])
    assert set(PersonAttribute.objects.values_list("value", flat=True)) == {"student@westmark.example"}
    assert not opens(browser)
    assert "affiliation" in caplog.text
    assert "member@northwick.example" not in caplog.text


def test_it_would_open_if_every_scope_were_believed(library, openid, monkeypatch):
    monkeypatch.setattr(trust.Trust, "believes", lambda self, pair: True)
    browser = reader()
    sign_in(browser, library, openid, affiliation=["member@northwick.example"])
    assert opens(browser)


def test_a_provider_that_nobody_configured_in_the_admin_is_believed_nothing(library, openid):
    browser = reader()
    sign_in(browser, library, openid, number=1, **STAFF)
    assert User.objects.filter(username__startswith="other-").exists()
    assert not PersonAttribute.objects.exists()
    assert not opens(browser)


def test_the_same_address_at_two_providers_makes_two_people(library, openid):
    local = web.person("ada", email="ada@westmark.example")
    for number in (0, 1):
        sign_in(reader(), library, openid, number=number, email_verified=True, **STAFF)
    assert User.objects.count() == 3
    assert not PersonAttribute.objects.filter(user=local).exists()
    assert set(User.objects.exclude(pk=local.pk).values_list("email", flat=True)) == {""}


def test_they_would_be_one_if_addresses_were_identities(library, openid, monkeypatch):
    def merged(self, request, sociallogin):
        sociallogin.connect(request, User.objects.get(email="ada@westmark.example"))

    web.person("ada", email="ada@westmark.example")
    monkeypatch.setattr(elsewhere.SocialAdapter, "pre_social_login", merged)
    sign_in(reader(), library, openid, email_verified=True, **STAFF)
    assert User.objects.count() == 1


def test_nobody_takes_the_name_of_a_local_account(library, openid):
    root = web.person("root", is_superuser=True)
    browser = reader()
    sign_in(browser, library, openid, subject="root", preferred_username="root")
    assert int(browser.session["_auth_user_id"]) != root.pk
    assert User.objects.filter(username="root").count() == 1


def brought_twice(library, openid, monkeypatch):
    """What the second time is answered, where the provider takes its codes more than once, as careless ones do."""
    from oidc_provider_mock import _storage

    monkeypatch.setattr(_storage.Storage, "remove_authorization_code", lambda self, code: None)
    browser = reader()
    back = agree(begin(browser, library), "ada", openid[0], STAFF)
    assert browser.get(back).status_code == 302
    return browser.get(back)


def test_an_answer_that_was_used_is_not_used_again(library, openid, monkeypatch):
    again = brought_twice(library, openid, monkeypatch)
    assert again.status_code == 401
    assert b"not signed in" in again.content


def test_it_would_be_used_again_if_what_was_asked_were_not_forgotten(library, openid, monkeypatch):
    monkeypatch.setattr(statekit, "unstash_state", remembering)
    assert brought_twice(library, openid, monkeypatch).status_code == 302


def test_an_answer_that_nobody_asked_for_is_refused(library, openid):
    back = agree(begin(reader(), library), "ada", openid[0], STAFF)
    stranger = reader()
    assert b"not signed in" in stranger.get(back).content
    assert "_auth_user_id" not in stranger.session


def test_an_answer_of_one_provider_does_not_count_at_the_other(library, openid):
    browser = reader()
    back = agree(begin(browser, library), "ada", openid[0], STAFF)
    mixed = back.replace(library.WAYS.openid[0].key, library.WAYS.openid[1].key)
    browser.get(mixed)
    assert "_auth_user_id" not in browser.session


ISSUED = {"id_token": {"iss": "https://a.example", "sub": "1"}, "userinfo": {"sub": "1", "groups": ["x"]}}


@pytest.mark.parametrize(
    ("data", "believed"),
    [
        (ISSUED, True),
        ({**ISSUED, "id_token": {"iss": "https://b.example", "sub": "1"}}, False),
        ({"userinfo": ISSUED["userinfo"]}, False),
        ({**ISSUED, "userinfo": {"sub": "2"}}, False),
    ],
)
def test_the_token_names_the_issuer_and_the_subject(data, believed):
    class Account:
        uid, provider, extra_data = "1", "uni", data

        @staticmethod
        def get_provider(request):
            app = type("App", (), {"provider": "openid_connect", "settings": {"issuer": "https://a.example"}})
            return type("Provider", (), {"app": app})

    found = elsewhere.what_is_wrong(type("Login", (), {"account": Account()})(), None)
    assert (found == "") is believed


def test_one_provider_does_not_speak_as_another():
    assert from_allauth.said_by(ISSUED, "https://a.example/")
    assert not from_allauth.said_by(ISSUED, "https://b.example")
    assert normal.from_openid({**ISSUED, "userinfo": {"sub": "2", "groups": ["x"]}}) == (("subject", "1"),)


def chain(library, openid) -> list:
    """Every page from the access page to the institution and back, and those on which it goes wrong."""
    browser = reader()
    pages = [browser.get(web.access("login"))]
    where = begin(browser, library)
    key = library.WAYS.openid[0].key
    pages += [browser.get("/accounts/login/"), browser.get(f"/accounts/oidc/{key}/login/")]
    pages += [browser.get(f"/accounts/oidc/{key}/login/callback/?error=access_denied&state=x")]
    pages += [browser.get("/accounts/3rdparty/login/error/"), browser.get("/accounts/2fa/authenticate/")]
    pages += [browser.get(agree(where, "ada", openid[0], STAFF))]
    pages += [browser.post("/accounts/saml/college/acs/", {"SAMLResponse": "x"})]
    return [*pages, browser.get("/accounts/saml/college/acs/finish/")]


def test_the_viewer_keeps_its_hold_on_every_page_of_the_chain(library, openid):
    """A single page with Django's own header would tell the viewer that the tab was closed (browsers.md, section 2)."""
    assert {page["Cross-Origin-Opener-Policy"] for page in chain(library, openid)} == {"unsafe-none"}
    assert reader().get("/accounts/login/")["Cross-Origin-Opener-Policy"] == "same-origin"
    unmarked = reader().post("/accounts/saml/college/acs/", {"SAMLResponse": "x"})
    assert unmarked["Cross-Origin-Opener-Policy"] == "unsafe-none"


@pytest.mark.parametrize(("forgotten", "pages"), [("is_marked", 7), ("is_answer", 0)])
def test_the_viewer_would_lose_it_if_sign_ins_were_not_marked(library, openid, monkeypatch, forgotten, pages):
    monkeypatch.setattr(middleware, forgotten, lambda request: False)
    policies = [page["Cross-Origin-Opener-Policy"] for page in chain(library, openid)]
    assert policies.count("same-origin") == pages
    unmarked = reader().post("/accounts/saml/college/acs/", {"SAMLResponse": "x"})
    assert (unmarked["Cross-Origin-Opener-Policy"] == "same-origin") is (forgotten == "is_answer")
