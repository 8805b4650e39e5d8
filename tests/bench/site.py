"""A library of some size, and what one of its readers carries."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import Group, User
from django.db import connections
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.conf import conf
from iiif_auth.http.links import links
from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Agreement,
    Collection,
    Condition,
    Grant,
    Pass,
    Resource,
    Tier,
    Token,
)
from tests.bench.target import Target

RESOURCES, READERS = 2_000, 200
NAMES = {"en": ["Log in to Merehaven Library"], "cy": ["Mewngofnodi i Lyfrgell Merehaven"]}


def fill() -> list[Target]:
    """Make the rows; the requests to measure."""
    service = AccessService.objects.create(slug="login", pattern="login", label=NAMES, origin_rule="open")
    shelf = Collection.objects.create(slug="shelf", label={"en": ["Shelf"]}, policy=_policy(service))
    Resource.objects.bulk_create(
        Resource(url=f"/iiif/3/item-{number}", label={"en": [f"Item {number}"]}, image_api=3, collection=shelf)
        for number in range(RESOURCES)
    )
    secret, token = _readers(service)
    probe = f"/iiif-auth/2/probe/{links().probe('/iiif/3/item-7').rpartition('/')[2]}"
    cookie, bearer = {"Cookie": f"{identify.COOKIE}={secret}"}, {"Authorization": f"Bearer {token}"}
    asking = {
        "X-IIIF-Auth-Secret": conf.CHECK_SECRET,
        "X-Original-URI": "/iiif/3/item-7/512,0,512,512/512,512/0/default.jpg",
        "X-Original-Method": "GET",
        "X-Forwarded-For": "192.0.2.7",
    }
    served_check = 1.5 if connections["default"].vendor == "sqlite" else 2.2
    mint = "/iiif-auth/2/token/login?messageId=1&origin=https://viewer.example.org"
    return [
        Target("empty view", "/empty", 200),
        Target("content, allowed", "/content/item-7", 204, cookie, 3.0, 1.5),
        Target("content, refused", "/content/item-7", 401, {}, 3.0, 1.5),
        Target("check, allowed", "/iiif-auth/check", 200, {**asking, **cookie}, 3.0, served_check),
        Target("check, refused", "/iiif-auth/check", 401, asking, 3.0, served_check),
        Target("probe, nobody", probe, 200, {}, None, 1.5),
        Target("probe, token", probe, 200, bearer, None, 2.1),
        Target("info.json", "/iiif/3/item-7/info.json", 200),
        Target("token", mint, 200, {**cookie, "Sec-Fetch-Dest": "iframe"}, None, 4.8),
    ]


def _policy(service: AccessService) -> AccessPolicy:
    policy = AccessPolicy.objects.create(slug="members", name="Members")
    full = Tier.objects.create(policy=policy, slug="full", order=1)
    full.services.add(service)
    Condition.objects.create(tier=full, kind="authenticated")
    preview = Tier.objects.create(policy=policy, slug="preview", order=2, gets="smaller", max_edge=400)
    Condition.objects.create(tier=preview, kind="everyone")
    return policy


def pass_of(user: User, secret: str, now: datetime) -> Pass:
    """A pass that lasts for a day."""
    day = now + timedelta(days=1)
    credential = store.credential_mark(user.password)
    digest = identify.digest(secret)
    return Pass.objects.create(
        digest=digest,
        user=user,
        credential=credential,
        created=now,
        seen=now,
        idle_minutes=1440,
        idle_until=day,
        ends=day,
    )


def _readers(service: AccessService) -> tuple[str, str]:
    """Readers in groups, with passes, tokens and grants; the cookie and the token of one of them."""
    now, secret, token = timezone.now(), identify.new_secret(), identify.new_secret()
    groups = [Group.objects.create(name=f"Group {number}") for number in range(10)]
    items = list(Resource.objects.all()[:READERS])
    for number in range(READERS):
        user = User.objects.create(username=f"reader-{number}", password=f"pbkdf2_sha256$1000000${number}")
        user.groups.add(*groups[number % 7 : number % 7 + 3])
        key, shown = (secret, token) if number == 77 else (identify.new_secret(), identify.new_secret())
        held = pass_of(user, key, now)
        Agreement.objects.create(holder=held, service=service, origin="https://viewer.example.org", at=now)
        Token.objects.create(
            digest=identify.digest(shown),
            holder=held,
            service="login",
            dialect="2",
            origin="https://viewer.example.org",
            created=now,
            ends=now + timedelta(days=1),
        )
        Grant.objects.create(user=user, resource=items[number])
    return secret, token
