"""The probe says what the content does, for the same person at the same instant (INV5), in libraries made up at random."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from iiif_auth import api
from iiif_auth.models import Resource
from tests import factories, web
from tests.web import HOME, READING_ROOM, VIEWER, Browser, access, content_status, person

SEEDS = range(16)
SERVICES = ("login", "terms", "kiosk", "campus")


class Library:
    """Some rules and some things, all made by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.place = web.reading_room()
        self.groups = [factories.GroupFactory(), factories.GroupFactory()]
        self.people = [person(f"person-{number}") for number in range(3)]
        for user, groups in zip(self.people, ((0,), (0, 1), ()), strict=True):
            user.groups.set([self.groups[number] for number in groups])
        patterns = ("login", "clickthrough", "kiosk", "external")
        self.services = {name: web.service(name, pattern) for name, pattern in zip(SERVICES, patterns, strict=True)}
        doors = factories.AccessPolicyFactory()
        web.tier(doors, web.at(self.place), by=(self.services["kiosk"], self.services["campus"]))
        self.free = web.restricted("/iiif/3/free", web.EVERYONE)
        self.policies = [self.policy() for _ in range(5)]
        self.shelves = [self.shelf(number) for number in range(3)]
        self.things = [self.thing(number) for number in range(8)]
        for _ in range(6):
            self.overlay()

    def some(self, *values: Any) -> Any:
        return self.chance.choice(values)

    def who(self) -> dict[str, Any]:
        return self.some(
            web.EVERYONE,
            web.SIGNED_IN,
            {"kind": "group", "group": self.some(*self.groups)},
            {"kind": "user", "user": self.some(*self.people)},
            web.at(self.place),
            web.agreed(self.services["terms"]),
            web.agreed(self.services["login"]),
            web.agreed(self.services["kiosk"]),
            web.agreed(self.services["campus"]),
        )

    def window(self) -> dict[str, Any]:
        begin, end = sorted(self.chance.sample(range(-20, 20, 3), 2))
        now = timezone.now()
        starts, ends = now + timedelta(days=begin), now + timedelta(days=end)
        return {"starts": self.some(None, starts), "ends": self.some(None, ends)}

    def policy(self) -> Any:
        rules = factories.AccessPolicyFactory()
        for number in range(self.chance.randint(1, 3)):
            gets = self.some("full", "full", "smaller", "substitute", "nothing") if number else "full"
            values = self.window() if self.chance.random() < 0.2 else {}
            if self.chance.random() < 0.15:
                values["wall_years"] = self.some(10, 80)
            web.tier(
                rules,
                *[self.who() for _ in range(self.chance.randint(1, 2))],
                by=tuple(self.chance.sample(list(self.services.values()), self.chance.randint(0, 3))),
                slug=f"t{number}",
                order=number,
                gets=gets,
                max_edge=self.some(400, 1500) if gets == "smaller" else None,
                substitute=self.free if gets == "substitute" else None,
                join=self.some("any", "any", "all"),
                **values,
            )
        return rules

    def shelf(self, number: int) -> Any:
        return (
            web.hidden_collection(f"/iiif/3/hidden-{number}-", policy=self.some(None, *self.policies))
            if number == 2
            else (factories.CollectionFactory(policy=self.some(None, *self.policies)))
        )

    def thing(self, number: int) -> Resource:
        return factories.ResourceFactory(
            url=f"/iiif/3/thing-{number}",
            policy=self.some(None, *self.policies, *self.policies),
            collection=self.some(None, None, *self.shelves),
            date=self.some(None, date(1900, 5, 1), date(1990, 5, 1)),
        )

    def overlay(self) -> None:
        target = self.some(
            {"resource": self.some(*self.things)}, {"collection": self.some(*self.shelves), "resource": None}
        )
        match self.some("embargo", "withdrawal", "grant", "grant"):
            case "embargo":
                closes = self.some("all", "full")
                factories.EmbargoFactory(**target, **self.window(), closes=closes, hard=self.some(True, False))
            case "withdrawal":
                now, end = timezone.now(), timedelta(days=self.some(-1, 1))
                factories.WithdrawalFactory(**target, starts=now - timedelta(days=2), ends=now + end)
            case "grant":
                whom = self.some(
                    {"user": self.some(*self.people)},
                    {"user": None, "group": self.some(*self.groups)},
                    {"user": None, "network": self.place},
                    {"user": None, "service": self.services["terms"]},
                )
                factories.GrantFactory(**target, **whom, **self.window(), tier=self.some("", "", "t1"))

    def visitors(self) -> list[Browser]:
        """People at home and in the reading room, with every combination of what they may have gone through."""
        found = []
        for address in (HOME, READING_ROOM):
            for user in (None, *self.people):
                for agrees in (False, True):
                    browser = Browser(address)
                    if agrees:
                        browser.click(access("terms"))
                    if user is not None:
                        browser.sign_in(user).click(access("login"))
                    if address == READING_ROOM and agrees:
                        browser.get(access("kiosk"))
                    found.append(browser)
        return found


def tokens(browser: Browser) -> dict[str, str]:
    """Every token that a viewer can draw from this browser."""
    found = {name: web.message(browser, name) for name in SERVICES}
    return {name: message["accessToken"] for name, message in found.items() if "accessToken" in message}


class Viewer:
    """A viewer at one address: it sends no cookies, so one does for all who sit there."""

    def __init__(self, address: str) -> None:
        self.client = Browser(address)

    def ask(self, uri: str, token: str = "") -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return dict(self.client.get(web.probe_of(uri), headers=headers).json())


def leads_there(uri: str) -> list[str]:
    """The services nested under the probe of a thing."""
    return [held["id"].rpartition("/")[2] for probe in api.services_for(uri) for held in probe["service"]]


@pytest.mark.requirement("A2-PRB-04")
@pytest.mark.requirement("A2-PRB-10")
@pytest.mark.parametrize("seed", SEEDS)
def test_probe_and_content_agree(site, seed):
    library, seen = Library(seed), Counter()
    things = [
        *[thing.url for thing in library.things],
        "/iiif/3/free",
        "/iiif/3/unheard-of",
        "/iiif/3/hidden-2-nothing",
    ]
    services = {uri: leads_there(uri) for uri in things}
    viewers = {address: Viewer(address) for address in (HOME, READING_ROOM)}
    ambient = {(address, uri): viewer.ask(uri) for address, viewer in viewers.items() for uri in things}
    for (address, uri), answer in ambient.items():
        # Without a token the probe sees what the content sees of a browser without its cookie.
        assert (address, uri, answer["status"]) == (address, uri, content_status(Browser(address), uri))
    for browser in library.visitors():
        held, address = tokens(browser), str(browser.defaults["REMOTE_ADDR"])
        for uri in things:
            content = content_status(browser, uri)
            for name, token in held.items():
                answer = viewers[address].ask(uri, token)
                if name in services[uri] and name != "campus":
                    assert (name, uri, answer["status"]) == (name, uri, content)
                else:
                    assert (name, uri, answer) == (name, uri, ambient[address, uri])
                assert answer["status"] != 200 or content == 200
                can_really_be_had(browser, answer)
                seen[answer["status"]] += 1
    assert seen[200]
    assert len(seen) > 1


def can_really_be_had(browser: Browser, answer: dict[str, Any]) -> None:
    for instead in answer.get("substitute", []):
        image, *probes = instead["service"]
        uri = web.path(image["id"])
        if probes:
            assert web.path(probes[0]["id"]) == web.probe_of(uri)
        else:
            assert content_status(browser, uri) == 200


def test_every_visitor_is_somebody_else(site):
    """So that the test above compares what it says it compares."""
    library = Library(1)
    visitors = library.visitors()
    assert len(visitors) == 16
    assert [sorted(tokens(browser)) for browser in visitors[:4]] == [[], ["terms"], ["login"], ["login", "terms"]]
    assert sorted(tokens(visitors[-1])) == ["campus", "kiosk", "login", "terms"]
    assert VIEWER not in (browser.defaults["REMOTE_ADDR"] for browser in visitors)
