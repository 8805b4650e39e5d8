"""Does the time of an answer tell what it must not? ``python -m tests.security.timing --samples 20000 [--seed 1]``

Two kinds of a question are asked in random order, and each time is measured. The area under the curve (AUC) says how well a time
alone tells one kind from the other: 0.5 is not at all, 1.0 or 0.0 is always. Beside each figure stands an A/A control, the same
kind under two names, and the twin, which must be told apart. Rows K3 (tokens) and A12 (accounts) of security.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

Question = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """How well times tell one kind of question from another."""

    name: str
    samples: int
    auc: float


def auc(first: Sequence[int], second: Sequence[int]) -> float:
    """The chance that a time of the second kind is longer than one of the first, ties being half."""
    ordered = sorted(first)
    wins = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in second)
    return wins / (2 * len(first) * len(second))


def compared(name: str, first: Question, second: Question, samples: int, chance: Random) -> Measured:
    """Ask both kinds so many times, in random order."""
    times: tuple[list[int], list[int]] = ([], [])
    kinds = [0] * samples + [1] * samples
    chance.shuffle(kinds)
    for kind in kinds:
        ask = (first, second)[kind]
        begun = time.perf_counter_ns()
        ask()
        times[kind].append(time.perf_counter_ns() - begun)
    return Measured(name, samples, auc(*times))


def tokens(samples: int, chance: Random) -> list[Measured]:
    """K3: a token that never was, one that begins like a live one, one that has ended, one that was revoked."""
    from django.utils import timezone

    from iiif_auth import identify
    from iiif_auth.models import Token
    from tests import factories, web

    login = web.service("login", "login")
    web.restricted("/iiif/3/chart", web.SIGNED_IN, by=(login,))
    browser = web.Browser().sign_in(web.person())
    browser.click(web.access("login"))
    live = web.token(browser, "login")
    ended, revoked = identify.new_secret(), identify.new_secret()
    holder = Token.objects.get().holder
    factories.TokenFactory(digest=identify.digest(ended), holder=holder, service="login", ends=timezone.now())
    factories.TokenFactory(digest=identify.digest(revoked), holder=holder, service="login").delete()

    def shown(make: Callable[[], str]) -> Question:
        def ask() -> None:
            assert web.probe_status("/iiif/3/chart", make()) == 401

        return ask

    def never() -> str:
        return identify.new_secret()

    def beginning() -> str:
        return live[:20] + identify.new_secret()[:23]

    return [
        compared("control: no such token, twice", shown(never), shown(never), samples, chance),
        compared("begins like a live token", shown(never), shown(beginning), samples, chance),
        compared("ended", shown(never), shown(lambda: identify.new_secret() and ended), samples, chance),
        compared("revoked", shown(never), shown(lambda: identify.new_secret() and revoked), samples, chance),
    ]


def accounts(samples: int, chance: Random) -> list[Measured]:
    """A12: signing in with a wrong password, for an account that there is and for one that there is not."""
    from django.contrib.auth import authenticate
    from django.test import RequestFactory

    from tests import web

    web.person("mary").save()
    request = RequestFactory().post("/accounts/login/")

    def wrong(name: str) -> Question:
        def ask() -> None:
            assert authenticate(request, username=name, password="not this") is None

        return ask

    return [
        compared("control: an account that there is, twice", wrong("mary"), wrong("mary"), samples, chance),
        compared("an account that there is not", wrong("mary"), wrong("nobody-here"), samples, chance),
    ]


def twin(samples: int, chance: Random) -> Measured:
    """A question that takes a fifth of a millisecond longer for one kind, as a comparison letter by letter might."""

    def work(steps: int) -> Question:
        def ask() -> None:
            sum(range(steps))

        return ask

    return compared("twin: one kind takes longer", work(2_000), work(4_000), samples, chance)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.timing")
    parser.add_argument("--samples", type=int, default=20_000, help="of each kind; a fiftieth of it for accounts")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.security.revoking.settings"
    os.environ["DATABASE_URL"] = "sqlite://:memory:"
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_test_environment

    from tests.tables import made_ready

    setup_test_environment()
    settings.PASSWORD_HASHERS = ["tests.security.timing.Quick"]
    made_ready()
    chance = Random(given.seed)
    found = [
        *tokens(given.samples, chance),
        *accounts(max(50, given.samples // 50), chance),
        twin(given.samples, chance),
    ]
    for one in found:
        print(f"{one.name:44} {one.samples:7} AUC {one.auc:.3f}")
    return 0


def __getattr__(name: str) -> type:
    """A hasher that takes milliseconds, once Django is ready: whether both kinds pay it is the question, not how much."""
    if name != "Quick":
        raise AttributeError(name)
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    return type("Quick", (PBKDF2PasswordHasher,), {"iterations": 5_000, "__module__": __name__})


if __name__ == "__main__":
    sys.exit(main())
