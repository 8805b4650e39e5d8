"""One person, one thing, one instant: every door gives the same answer. ``python -m tests.security.agreement --count 200000``

In libraries made up at random, at instants made up at random, each door is asked on behalf of the same person: the content behind
Django, the check as web servers ask it and as image servers do, the door that hands over to the web server, the probe, the two
versions of the protocol whose description is its own probe, and signed addresses, from the issuer and from the probe. Exit
status 1: two of them differ.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django

if __name__ == "__main__":
    django.setup()

from django.conf import settings
from django.db import connection, transaction
from django.test import RequestFactory, override_settings
from django.test.utils import setup_test_environment
from django.utils import timezone

from iiif_auth import identify, passes, store, upstream
from iiif_auth.doorways.views import doorway
from iiif_auth.enforce import check, signed
from iiif_auth.http.probe import ProbeView
from iiif_auth.models import AccessPolicy, AccessService, Agreement, Pass, Token
from iiif_auth.policy.types import Pattern
from iiif_auth.protocol import identity
from iiif_auth.protocol.terms import services_of
from iiif_auth.upstream import Description
from tests import web
from tests.http import urls
from tests.security.test_agreement import Library
from tests.web import BASE, HOME, HOST, READING_ROOM

SECRET = "a secret between web servers, of 32 letters"
FLOW = {
    "BASE_URL": BASE,
    "LOGIN_URL": "/accounts/login/",
    "CHECK_SECRET": SECRET,
    "SEND_FILE": "/_files/",
    "SEND_UPSTREAM": "/_up/",
    "DOORS": (
        {"name": "images", "path": "/iiif/3/", "serves": "image-3", "upstream": "http://127.0.0.1:8182/iiif/3/"},
        {"name": "older", "path": "/iiif/1/", "serves": "image-2", "upstream": "http://127.0.0.1:8182/iiif/2/"},
    ),
}
ALL = ["2", "1", "alpha"]


@dataclass
class Visitor:
    """Somebody at an address, perhaps with a pass; ``tokens`` by dialect and service."""

    address: str
    cookie: str = ""
    facts: store.PassFacts | None = None
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)


class World:
    """A library with its visitors, whose passes end at several times."""

    def __init__(self, seed: int) -> None:
        self.chance, self.asking = Random(seed), RequestFactory(HTTP_HOST=HOST)
        self.house = Library(seed)
        for row in AccessService.objects.all():
            row.dialects = ALL
            row.save()
        for row in AccessPolicy.objects.all():
            row.signed = self.chance.random() < 0.5
            row.save()
        for thing in self.house.things:
            web.in_both_apis(thing)
        names = [f"thing-{number}" for number in range(8)]
        small = [f"{name}~t{number}" for name in names[:4] for number in (1, 2)]
        self.names = [*names, *small, "free", "unheard-of", "hidden-2-nothing"]
        self.now = timezone.now()
        self.visitors = [Visitor(address) for address in (HOME, READING_ROOM)]
        self.visitors += [self.visitor() for _ in range(10)]

    def visitor(self) -> Visitor:
        """Somebody with a pass, signed in or not, who went through some services."""
        secret, user = identify.new_secret(), self.chance.choice((None, *self.house.people))
        ends = self.now + timedelta(days=self.chance.choice((-10, 0, 3, 10, 30)), seconds=self.chance.randrange(100))
        held = Pass.objects.create(
            digest=identify.digest(secret),
            user=user,
            credential=store.credential_mark(user.password) if user else "",
            created=self.now - timedelta(days=30),
            seen=self.now,
            idle_until=self.now + timedelta(days=90),
            ends=ends,
        )
        services = self.chance.sample(list(self.house.services.values()), self.chance.randint(1, 4))
        for row in services:
            Agreement.objects.create(holder=held, service=row, origin=web.VIEWER, at=self.now)
        facts = store.find_pass(held.digest)
        assert facts is not None
        tokens = {}
        for row in services:
            value = store.rulebook().services[row.slug]
            if value.pattern is not Pattern.EXTERNAL:
                tokens |= {(dialect, row.slug): passes.mint(value, dialect, web.VIEWER, facts) for dialect in ALL}
        Token.objects.filter(holder=held).update(ends=self.now + timedelta(days=90))
        drawn = {key: made[0] for key, made in tokens.items() if made is not None}
        return Visitor(self.chance.choice((HOME, READING_ROOM)), secret, facts, drawn)

    def instant(self, visitor: Visitor) -> datetime:
        """Any in a stretch of fifty days, often close to where something begins or ends, the pass for one."""
        if visitor.facts is not None and self.chance.random() < 0.2:
            return visitor.facts.ends + timedelta(microseconds=self.chance.choice((-400_000, -1, -1, 0, 1)))
        days = self.chance.randrange(-25, 26) if self.chance.random() < 0.5 else self.chance.uniform(-25, 25)
        return self.now + timedelta(days=days, microseconds=self.chance.choice((-1, 0, 1, 10**6)))


# -- The doors ----------------------------------------------------------------------------------------------------


@dataclass
class Asker:
    """One visitor, one thing, one instant."""

    world: World
    visitor: Visitor
    name: str

    @property
    def uri(self) -> str:
        return f"/iiif/3/{self.name}"

    @property
    def target(self) -> str:
        return f"{self.uri}/full/max/0/default.jpg"

    def request(self, path: str, method: str = "GET", *, cookie: bool = True, token: str = "", **more: str) -> Any:
        extra = {"HTTP_COOKIE": f"{identify.COOKIE}={self.visitor.cookie}"} if cookie and self.visitor.cookie else {}
        if token:
            extra["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return self.world.asking.generic(method, path, secure=True, REMOTE_ADDR=self.visitor.address, **extra, **more)

    def content(self, *, cookie: bool = True) -> int:
        """The view of a host that guards its own pictures."""
        return urls.image(
            self.request(self.target, cookie=cookie), identifier=self.name, rest="full/max/0/default.jpg"
        ).status_code

    def check(self, target: str = "", *, cookie: bool = True) -> int:
        asked = {"HTTP_X_IIIF_AUTH_SECRET": SECRET, "HTTP_X_ORIGINAL_URI": target or self.target}
        response = check.check(self.request("/iiif-auth/check", cookie=cookie, HTTP_X_ORIGINAL_METHOD="GET", **asked))
        assert (response.status_code == 200) == ("X-IIIF-Upstream" in response.headers)
        return response.status_code

    def delegate(self) -> int:
        """The check in JSON, as an image server asks."""
        cookie = f"{identify.COOKIE}={self.visitor.cookie}" if self.visitor.cookie else ""
        said = {"uri": self.target, "method": "GET", "cookie": cookie, "address": self.visitor.address}
        request = self.world.asking.post(
            "/iiif-auth/check", json.dumps(said), "application/json", HTTP_X_IIIF_AUTH_SECRET=SECRET
        )
        found = json.loads(check.check(request).content)
        assert (found["status"] == 200) == bool(found["upstream"])
        return int(found["status"])

    def handed_over(self) -> int:
        """The door that has the web server send it."""
        response = doorway(self.request(self.target))
        assert (response.status_code == 200) == ("X-Accel-Redirect" in response.headers)
        return response.status_code

    def probe(self, token: str = "") -> dict[str, Any]:
        response = PROBE(
            self.request("/x", cookie=False, token=token), space="2", reference=identity.reference(self.uri)
        )
        response.render()
        return dict(json.loads(response.content))

    def description(self, dialect: str, token: str = "") -> int:
        view = ALPHA if dialect == "alpha" else BRIDGE
        return int(view(self.request("/x", cookie=False, token=token), identifier=self.name).status_code)


PROBE, ALPHA, BRIDGE = ProbeView.as_view(), urls.Alpha.as_view(), urls.Bridge.as_view()


def without_existence(status: int) -> int:
    """As the check says it, which knows no 404: nginx would make an error of it."""
    return 403 if status == 404 else status


def compared(one: Asker, at: datetime, seen: Counter[str]) -> Iterator[tuple[str, object, object]]:
    """What each door says, and what it should: the same as the content."""
    content = one.content()
    answer = without_existence(content)
    seen[f"content {content}"] += 1
    yield "check", one.check(), answer
    yield "delegate", one.delegate(), answer
    yield "handed over", one.handed_over(), content
    yield from _by_token(one, content, seen)
    facts = one.visitor.facts
    if facts is not None and not facts.expired(at):
        ticket = signed.issue(one.uri, facts, at)
        yield "signed", one.check(signed.address(one.target, ticket), cookie=False), answer
        seen["signed"] += 1


def _by_token(one: Asker, content: int, seen: Counter[str]) -> Iterator[tuple[str, object, object]]:
    offer = store.find_offer(one.uri)
    older = store.find_offer(f"/iiif/1/{one.name}")
    ambient = one.content(cookie=False)
    yield "probe of nobody", one.probe()["status"] in (200, 302), ambient == 200
    if older is not None and not older.hidden and "~" not in one.name:
        yield "1.0 of nobody", one.description("1") == 200, ambient == 200
    held = list(one.visitor.tokens.items())
    for (dialect, slug), token in one.world.chance.sample(held, min(3, len(held))):
        counts = offer is not None and slug in {service.slug for service in services_of(offer, dialect)}
        expected = (content if counts else ambient) == 200
        if dialect == "2":
            yield f"probe with {slug}", _probed(one, token, seen), expected
        elif dialect == "alpha" and offer is not None and not offer.hidden:
            yield f"alpha with {slug}", one.description("alpha", token) == 200, expected
        elif dialect == "1" and older is not None and not older.hidden and "~" not in one.name:
            yield f"1.0 with {slug}", one.description("1", token) == 200, expected
        seen[f"token that {'counts' if counts else 'does not count'}"] += 1


def _probed(one: Asker, token: str, seen: Counter[str]) -> bool | str:
    """Whether the probe says yes; and where it sends the browser, the content must be there without a cookie."""
    found = one.probe(token)
    if found["status"] == 302:
        place = web.path(found["location"]["id"])
        seen["sent to a signed address"] += 1
        if one.check(place, cookie=False) != 200:
            return f"sent to {place}, which is refused"
    return found["status"] in (200, 302)


@contextmanager
def clock() -> Iterator[list[datetime]]:
    """The time, to be set."""
    now = [timezone.now()]

    def described(door: Any, source: str) -> Description:
        return Description(6000, 4000, 3)

    with ExitStack() as stack:
        stack.enter_context(patch.object(timezone, "now", lambda: now[0]))
        stack.enter_context(patch.object(upstream, "describe", described))
        yield now


@dataclass
class Found:
    triples: int = 0
    answers: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


def campaign(world: World, count: int, found: Found, tell: Callable[[int], None] = lambda done: None) -> Found:
    """Ask about so many triples of one library."""
    with clock() as now:
        for _ in range(count):
            one = Asker(world, world.chance.choice(world.visitors), world.chance.choice(world.names))
            now[0] = world.instant(one.visitor)
            for door, said, should in compared(one, now[0], found.seen):
                found.answers += 1
                if said != should:
                    found.differences.append(
                        f"{one.name} for {one.visitor.address} at {now[0]}: {door} says {said}, not {should}"
                    )
            found.triples += 1
            if found.triples % 500 == 0:
                tell(found.triples)
    return found


class Undone(Exception):
    """Takes a library back."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.agreement", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--each", type=int, default=5_000, help="triples asked of one library")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    began, found, number = time.monotonic(), Found(), 0

    def tell(done: int) -> None:
        speed = done / max(time.monotonic() - began, 0.001)
        sys.stderr.write(f"\r{done:>9,} triples  {speed:>6,.0f}/s  {len(found.differences)} differences ")
        sys.stderr.flush()

    with override_settings(**site()):
        while found.triples < options.count:
            try:
                with transaction.atomic():
                    campaign(
                        World(options.seed * 1_000 + number),
                        min(options.each, options.count - found.triples),
                        found,
                        tell,
                    )
                    raise Undone
            except Undone:
                number += 1
            except KeyboardInterrupt:  # what was found so far is told
                break
    print(f"\n{found.triples:,} triples in {number} libraries, {found.answers:,} answers compared")
    for name, count in sorted(found.seen.items()):
        print(f"  {name:<28}{count:>10,}")
    for line in found.differences[:20]:
        print(f"DIFFERENT {line}")
    print(f"{len(found.differences)} differences")
    return int(bool(found.differences))


def site() -> dict[str, Any]:
    """The settings, as :func:`tests.web.site` makes them."""
    return {
        "IIIF_AUTH_FLOW": FLOW,
        "ROOT_URLCONF": "tests.http.urls",
        "ALLOWED_HOSTS": [HOST],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "MIDDLEWARE": [name for name in settings.MIDDLEWARE if not name.startswith(("whitenoise.", "allauth."))],
        "TEMPLATES": [{**settings.TEMPLATES[0], "DIRS": [Path(__file__).parents[1] / "http" / "templates"]}],
    }


if __name__ == "__main__":
    sys.exit(main())
