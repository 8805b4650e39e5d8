"""Who asks: the hooks of a host, accounts that stand for nobody, and what is swept away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import api, identify, passes
from iiif_auth.models import Pass, Token
from tests import factories, web
from tests.web import EVERYONE, SIGNED_IN, Browser, access, content_status, person, probe_status

CHART = "/iiif/3/chart"


def staff_of_the_library(subject, request):
    """A hook: a header that the host's own proxy sets says who works there."""
    works_here = request.headers.get("X-Works-Here") == "yes"
    return replace(subject, attributes=frozenset({("role", "staff")})) if works_here else subject


def not_a_subject(subject, request):
    return None


def no_robots(user):
    return not user.get_username().startswith("robot")


def test_a_host_may_add_what_it_knows_at_both_doors(site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SUBJECT": "tests.http.test_identify.staff_of_the_library"}
    staff = {"kind": "attribute", "attribute_name": "role", "attribute_value": "staff"}
    web.restricted(CHART, staff)
    for headers, status in (({}, 403), ({"HTTP_X_WORKS_HERE": "yes"}, 200)):
        browser = Browser(**headers)
        assert content_status(browser) == status
        assert browser.get(web.probe_of(CHART)).json()["status"] == status


def test_a_hook_that_answers_nonsense_opens_nothing(site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SUBJECT": "tests.http.test_identify.not_a_subject"}
    web.restricted(CHART, EVERYONE)
    assert content_status(Browser(raise_request_exception=False)) == 500
    assert probe_status(CHART) == 503


@pytest.mark.parametrize(
    ("name", "usable", "hook", "signed_in"),
    [
        ("ada", True, "", True),
        ("ada", False, "", True),
        ("anonymous", False, "", False),
        ("AnonymousUser", False, "", False),
        ("anonymous", True, "", True),
        ("robot-7", True, "", True),
        ("robot-7", True, "tests.http.test_identify.no_robots", False),
        ("ada", True, "tests.http.test_identify.no_robots", True),
    ],
)
def test_an_account_for_nobody_in_particular_is_nobody(site, name, usable, hook, signed_in):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "IS_AUTHENTICATED": hook}
    login = web.service("login", "login")
    web.restricted(CHART, SIGNED_IN, by=(login,))
    user = person(name)
    if not usable:
        user.set_unusable_password()
        user.save()
    browser = Browser().sign_in(user)
    assert browser.get(access("login")).status_code == (200 if signed_in else 302)
    assert not Pass.objects.exists()


def test_what_has_long_ended_is_swept_away_and_nothing_else(site):
    now = timezone.now()
    lives = {"fresh": 1, "just over": -1, "long over": -8 * 24}
    rows = {name: factories.PassFactory(ends=now + timedelta(hours=hours)) for name, hours in lives.items()}
    kept = factories.TokenFactory(holder=rows["fresh"], ends=now + timedelta(seconds=9))
    factories.TokenFactory(holder=rows["fresh"], ends=now)
    passes.prune(now)
    assert set(Pass.objects.all()) == {rows["fresh"], rows["just over"]}
    assert list(Token.objects.all()) == [kept]


def test_a_document_gets_its_services_and_keeps_the_rest(site):
    web.restricted(CHART, web.SIGNED_IN, by=(web.service("login", "login"),))
    web.restricted("/iiif/3/open", EVERYONE)
    document = {"@context": "http://iiif.io/api/image/3/context.json", "id": f"{web.BASE}{CHART}"}
    assert api.with_services(document, CHART) == {
        **document,
        "@context": ["http://iiif.io/api/auth/2/context.json", "http://iiif.io/api/image/3/context.json"],
        "service": api.services_for(CHART),
    }
    assert api.with_services(document, "/iiif/3/open") == document
    assert "profile" in api.with_services(document, CHART, version=2)["service"][0]


def test_secrets_are_long_and_never_the_same():
    made = {identify.new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(identify.SECRET.fullmatch(secret) for secret in made)
