"""Every door gives one answer: a short run of :mod:`tests.security.agreement`, and that it notices doors that do not."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from iiif_auth import identify
from iiif_auth.enforce import check, doors, guard, signed
from iiif_auth.policy.types import Allowed
from tests.security import agreement


@pytest.fixture(autouse=True)
def site(db, settings):
    for name, value in agreement.site().items():
        setattr(settings, name, value)
    return settings


@pytest.mark.parametrize("seed", [1, 2])
def test_every_door_gives_the_same_answer(seed):
    found = agreement.campaign(agreement.World(seed), 120, agreement.Found())
    assert found.differences == []
    for what in ("content 200", "content 401", "signed", "token that counts", "token that does not count"):
        assert found.seen[what] > 0, what


def kept_for_ever(patch):
    """The check remembers its answer to a reader about an item, whatever time it is."""
    real, known = check.check, {}

    def remembered(request):
        if request.method == "POST":
            return real(request)
        key = tuple(request.META.get(name) for name in ("HTTP_COOKIE", "REMOTE_ADDR", "HTTP_X_ORIGINAL_URI"))
        return known.setdefault(key, real(request))

    patch.setattr(check, "check", remembered)


def tiers_are_the_whole(patch):
    real = doors._known

    def whole(*given):
        found = real(*given)
        return replace(found, uri=re.sub(r"~t[0-9]\Z", "", found.uri))

    patch.setattr(doors, "_known", whole)


def a_ticket_is_a_decision(patch):
    real = guard.verdict

    def believed(request, url):
        found = real(request, url)
        ticket = getattr(request, "iiif_auth_ticket", None)
        return replace(found, decision=Allowed(found.offer.wanted)) if ticket and found.offer else found

    patch.setattr(guard, "verdict", believed)


def delegates_are_everywhere(patch):
    """The image server's own address is taken for the reader's."""
    real = check.Reader
    patch.setattr(check, "Reader", lambda cookie, address, token, method: real(cookie, "192.0.2.5", token, method))


def tickets_end_a_moment_before_the_pass(patch):
    patch.setattr(signed, "ceil", int)


def the_check_hears_tokens_and_no_cookies(patch):
    patch.setattr(identify, "presenting", identify.showing)


TWINS = (
    kept_for_ever,
    tiers_are_the_whole,
    a_ticket_is_a_decision,
    delegates_are_everywhere,
    tickets_end_a_moment_before_the_pass,
    the_check_hears_tokens_and_no_cookies,
)


@pytest.mark.parametrize("breaks", TWINS)
def test_a_door_that_differs_is_noticed(breaks, monkeypatch):
    world = agreement.World(3)
    breaks(monkeypatch)
    assert agreement.campaign(world, 150, agreement.Found()).differences
