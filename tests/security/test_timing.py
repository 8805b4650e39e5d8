"""The figures of ``timing.py``, in short: few samples say little, but what is told apart easily is found."""

from __future__ import annotations

from random import Random

import pytest
from django.test import RequestFactory
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import Token
from tests import factories, web
from tests.security import timing

ROOM = 0.14
"""With 150 samples chance alone reaches this once in some hundred thousand runs."""


@pytest.fixture
def chance():
    return Random(1)


def test_the_area_is_a_half_for_the_same_and_one_for_the_longer():
    assert timing.auc([1, 2, 3], [1, 2, 3]) == 0.5
    assert timing.auc([1, 2, 3], [4, 5]) == 1.0
    assert timing.auc([4, 5], [1, 2, 3]) == 0.0
    assert timing.auc([1, 3], [2]) == 0.5


def test_the_time_of_a_probe_tells_nothing_of_a_token(site, chance):
    """K3, with the A/A control beside it."""
    for one in timing.tokens(150, chance):
        assert abs(one.auc - 0.5) < ROOM, one


def test_as_many_questions_are_asked_of_the_database_for_every_token(site, django_assert_num_queries):
    """K3: what no clock can be too slow for."""
    login = web.service("login", "login")
    web.restricted("/iiif/3/chart", web.SIGNED_IN, by=(login,))
    browser = web.Browser().sign_in(web.person())
    browser.click(web.access("login"))
    live = web.token(browser, "login")
    web.probe_status("/iiif/3/chart", live)
    ended = identify.new_secret()
    holder = Token.objects.get().holder
    factories.TokenFactory(digest=identify.digest(ended), holder=holder, service="login", ends=timezone.now())
    for shown in ("A" * 43, live[:20] + "A" * 23, ended):
        with django_assert_num_queries(1):
            assert web.probe_status("/iiif/3/chart", shown) == 401


def test_a_wrong_password_takes_as_long_for_nobody_as_for_somebody(site, settings, chance):
    """A12, with the A/A control beside it."""
    settings.PASSWORD_HASHERS = ["tests.security.timing.Quick"]
    for one in timing.accounts(100, chance):
        assert abs(one.auc - 0.5) < 0.2, one


def test_the_twin_that_does_not_hash_for_nobody_is_caught(site, settings, chance):
    settings.PASSWORD_HASHERS = ["tests.security.timing.Quick"]
    settings.AUTHENTICATION_BACKENDS = ["tests.security.test_timing.Hasty"]
    control, nobody = timing.accounts(60, chance)
    assert abs(control.auc - 0.5) < 0.25
    assert nobody.auc < 0.1


def test_the_twin_is_told_apart(chance):
    assert timing.twin(300, chance).auc > 0.8


class Hasty:
    """A backend that answers at once where there is nobody."""

    def authenticate(self, request: RequestFactory, username: str, password: str):
        from django.contrib.auth import get_user_model

        user = get_user_model().objects.filter(username=username).first()
        return user if user is not None and user.check_password(password) else None
