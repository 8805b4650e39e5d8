"""A library with a great many rows, made in seconds, and every page of the admin that is ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from iiif_auth.models import (
    AccessPolicy,
    AccessRequest,
    AccessService,
    Batch,
    Change,
    Collection,
    CollectionRule,
    Condition,
    DailyCount,
    Embargo,
    Grant,
    Network,
    Resource,
    Tier,
    Withdrawal,
)

CHUNK = 5_000
COLLECTIONS, POLICIES, PEOPLE, GROUPS = 50, 20, 500, 20


def fill(resources: int, grants: int) -> None:
    """So many resources in fifty collections with twenty policies, and so many grants to five hundred people."""
    service = AccessService.objects.create(
        slug="crowd-login", pattern="login", label={"en": ["Log in"]}, origin_rule="open"
    )
    Network.objects.create(slug="crowd-room", name="Reading room", prefixes=["192.0.2.0/28"])
    groups = Group.objects.bulk_create(Group(name=f"Crowd {number}") for number in range(GROUPS))
    people = User.objects.bulk_create(
        User(username=f"crowd-{number}", email=f"crowd-{number}@example.org", password="!") for number in range(PEOPLE)
    )
    policies = [_policy(number, groups, service) for number in range(POLICIES)]
    shelves = _shelves(policies)
    _rows(resources, shelves, policies)
    first = Resource.objects.order_by("pk").values_list("pk", flat=True)[: max(resources // 2, 1)]
    items = list(first)
    _grants(grants, items, people)
    _overlays(items)
    _records(items, shelves, people[0])


def _policy(number: int, groups: list[Group], service: AccessService) -> AccessPolicy:
    policy = AccessPolicy.objects.create(slug=f"crowd-{number}", name=f"Crowd policy {number:02}", requestable=True)
    full = Tier.objects.create(policy=policy, slug="full", order=1)
    full.services.add(service)
    Condition.objects.create(tier=full, kind="group", group=groups[number % GROUPS])
    if number % 2:
        less = Tier.objects.create(policy=policy, slug="preview", order=2, gets="smaller", max_edge=400)
        Condition.objects.create(tier=less, kind="everyone")
    return policy


def _shelves(policies: list[AccessPolicy]) -> list[Collection]:
    found: list[Collection] = []
    for number in range(COLLECTIONS):
        found.append(
            Collection.objects.create(
                slug=f"crowd-{number}",
                label={"en": [f"Shelf {number:02}"]},
                policy=policies[number % POLICIES],
                parent=found[number % 5] if number >= 5 else None,
            )
        )
    CollectionRule.objects.bulk_create(CollectionRule(collection=one, pattern=f"/iiif/3/{one.slug}-") for one in found)
    return found


def _rows(count: int, shelves: list[Collection], policies: list[AccessPolicy]) -> None:
    for start in range(0, count, CHUNK):
        Resource.objects.bulk_create(
            Resource(
                url=f"/iiif/3/crowd-{number}",
                label={"en": [f"Plate {number}"]},
                image_api=3,
                collection=shelves[number % COLLECTIONS],
                policy=policies[number % POLICIES] if number % 10 == 0 else None,
            )
            for number in range(start, min(start + CHUNK, count))
        )


def _grants(count: int, items: list[int], people: list[User]) -> None:
    now = timezone.now()
    for start in range(0, count, CHUNK):
        Grant.objects.bulk_create(
            Grant(
                user=people[number % PEOPLE],
                resource_id=items[number % len(items)],
                ends=now + timedelta(days=number % 400 - 30, minutes=1),
                reason="Crowd",
            )
            for number in range(start, min(start + CHUNK, count))
        )


def _overlays(items: list[int]) -> None:
    now = timezone.now()
    Embargo.objects.bulk_create(
        Embargo(resource_id=pk, ends=now + timedelta(days=number % 900 - 60)) for number, pk in enumerate(items[::20])
    )
    Withdrawal.objects.bulk_create(
        Withdrawal(resource_id=pk, starts=now, reason="Crowd", review_on=now.date() + timedelta(days=number % 60 - 5))
        for number, pk in enumerate(items[::200])
    )


def _records(items: list[int], shelves: list[Collection], person: User) -> None:
    now = timezone.now()
    batch = Batch.objects.create(kind="bulk", what="Crowd", actor=person, state="done", total=len(items))
    for start in range(0, len(items), CHUNK):
        Change.objects.bulk_create(
            Change(
                at=now - timedelta(minutes=number),
                actor=person,
                batch=batch if number % 2 else None,
                action="changed",
                model="resource",
                row=pk,
                name=f"Plate {pk}",
                collection=shelves[number % COLLECTIONS].pk,
                before={"remarks": "a"},
                after={"remarks": "b"},
            )
            for number, pk in enumerate(items[start : start + CHUNK], start)
        )
    AccessRequest.objects.bulk_create(
        AccessRequest(
            code=f"C{number:07}",
            url=f"/iiif/3/crowd-{number}",
            resource_id=pk,
            name=f"Reader {number}",
            email="reader@example.org",
            purpose="To read it",
            state=("new", "approved", "refused")[number % 3],
            digest=f"{number:064}",
        )
        for number, pk in enumerate(items[:2_000])
    )
    DailyCount.objects.bulk_create(
        DailyCount(
            day=now.date() - timedelta(days=day),
            door="probe",
            collection=shelf.pk,
            policy=shelf.policy_id or 0,
            decision=decision,
            count=7 * day + number,
        )
        for day in range(90)
        for number, shelf in enumerate(shelves)
        for decision in ("allowed", "refused")
    )


# -- Every page -----------------------------------------------------------------------------------------------------


def pages() -> list[tuple[str, str]]:
    """``(name, address)`` of every page of the admin that is ours, asked about the newest row where it wants one."""
    found = [(name, address) for name, address in _named() if address is not None]
    return sorted(set(found), key=lambda one: one[0])


def _named() -> Iterator[tuple[str, str | None]]:
    for model, site in admin.site._registry.items():
        if model._meta.app_label != "iiif_auth":
            continue
        newest = model._default_manager.order_by("-pk").first()
        for pattern in site.urls:
            yield from _of(pattern, newest)
    yield "app_list", reverse("admin:app_list", args=["iiif_auth"])


def _of(pattern: URLPattern | URLResolver, newest: Any) -> Iterator[tuple[str, str | None]]:
    name = getattr(pattern, "name", None)
    if not name:
        return
    for route in _routes(f"admin:{name}"):
        wanted = re.findall(r"%\((\w+)\)s", route)
        if not wanted:
            yield name, reverse(f"admin:{name}")
        elif len(wanted) == 1 and newest is not None:
            yield name, reverse(f"admin:{name}", kwargs={wanted[0]: newest.pk})


def _routes(name: str) -> list[str]:
    """The addresses a name has, with places for its arguments."""
    admin_urls = get_resolver().namespace_dict["admin"][1]
    return [possible for one in admin_urls.reverse_dict.getlist(name.partition(":")[2]) for possible, _ in one[0]][:1]
