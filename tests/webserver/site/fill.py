"""``python -m tests.webserver.site.fill``: make the rows of the library, and write what its people carry.

What they carry stands in ``carried.json`` in the folder: for each person a cookie, the primary key of the pass, and a token.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import django

from tests.webserver.site.holdings import (
    HOLDINGS,
    IMAGES,
    LEAVER,
    MEMBER,
    OLDER,
    ONSITE,
    PEOPLE,
    SECRET,
    STRANGER,
    STUDENT,
)

GROUPS = {STUDENT: ("Students",), MEMBER: ("Members",), LEAVER: ("Members",)}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.webserver.site.settings")
    django.setup()
    from django.db import connection, transaction

    from tests.tables import made_ready

    made_ready()
    with transaction.atomic():
        fill()
    with connection.cursor() as cursor:  # so that the file by itself is the whole database
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill() -> None:
    from django.conf import settings
    from django.contrib.auth.models import Group

    from iiif_auth.models import AccessPolicy, AccessService, Collection, CollectionRule, Resource

    groups = {name: Group.objects.create(name=name) for name in dict.fromkeys(sum(GROUPS.values(), ()))}
    service = AccessService.objects.create(
        slug="login", pattern="login", label={"en": ["Log in to Merehaven Library"]}, origin_rule="open"
    )
    _policies(service, groups)
    archive = Collection.objects.create(
        slug="archive",
        label={"en": ["Archive"]},
        hides_existence=True,
        policy=AccessPolicy.objects.get(slug="members"),
    )
    CollectionRule.objects.create(collection=archive, fits="prefix", pattern=SECRET)
    for holding in HOLDINGS:
        if holding.policy:
            Resource.objects.create(
                url=holding.path,
                label={"en": [holding.path]},
                type=holding.kind,
                image_api={IMAGES: 3, OLDER: 2}.get(holding.door, 0),
                source=holding.source,
                collection=archive if holding.hidden else None,
                policy=AccessPolicy.objects.get(slug=holding.policy),
            )
    carried = {person: _carried(person, service, groups) for person in (*PEOPLE, LEAVER) if person != STRANGER}
    Path(settings.FOLDER, "carried.json").write_text(json.dumps(carried), encoding="utf-8")


def _policies(service: object, groups: dict[str, object]) -> None:
    from iiif_auth.models import AccessPolicy, Condition, Network, Tier

    def policy(slug: str, **values: object) -> AccessPolicy:
        return AccessPolicy.objects.create(slug=slug, name=slug.capitalize(), **values)

    def tier(of: AccessPolicy, slug: str, order: int, *conditions: dict[str, object], **values: object) -> None:
        made = Tier.objects.create(policy=of, slug=slug, order=order, **values)
        made.services.add(service)
        for condition in conditions:
            Condition.objects.create(tier=made, **condition)

    members, students = ({"kind": "group", "group": groups[name]} for name in ("Members", "Students"))
    room = Network.objects.create(slug="room", name="Reading room", prefixes=[f"{ONSITE}/32"])
    tier(policy("open"), "full", 1, {"kind": "everyone"})
    of_members = policy("members")
    tier(of_members, "full", 1, members)
    tier(of_members, "preview", 2, students, members, gets="smaller", max_edge=400)
    of_surveys = policy("surveys")
    tier(of_surveys, "full", 1, members)
    tier(of_surveys, "small", 2, students, members, gets="smaller", max_edge=500, virtual=True)
    tier(policy("signed", signed=True), "full", 1, members)
    tier(policy("onsite"), "full", 1, {"kind": "network", "network": room})
    policy("nobody")


def _carried(person: str, service: object, groups: dict[str, object]) -> dict[str, object]:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from iiif_auth import identify, store
    from iiif_auth.models import Agreement, Pass, Token

    user = User.objects.create(username=person, password=f"pbkdf2_sha256$1000000${person}")
    user.groups.add(*(groups[name] for name in GROUPS.get(person, ())))
    now, secret, token = timezone.now(), identify.new_secret(), identify.new_secret()
    ends = now + timedelta(days=1)
    held = Pass.objects.create(
        digest=identify.digest(secret),
        user=user,
        credential=store.credential_mark(user.password),
        created=now,
        seen=now,
        idle_minutes=1440,
        idle_until=ends,
        ends=ends,
    )
    Agreement.objects.create(holder=held, service=service, origin="https://viewer.example.org", at=now)
    Token.objects.create(
        digest=identify.digest(token),
        holder=held,
        service="login",
        dialect="2",
        origin="https://viewer.example.org",
        created=now,
        ends=ends,
    )
    return {"cookie": f"{identify.COOKIE}={secret}", "pass": held.pk, "token": token, "signed": _signed(held.pk)}


def _signed(number: int) -> dict[str, str]:
    """A signed beginning, without the slash at its end, for each thing, under this person's pass."""
    from django.utils import timezone

    from iiif_auth import store
    from iiif_auth.enforce import signed
    from iiif_auth.protocol import identity

    now = timezone.now()
    holder = store.passes.presented_ticket(number).holder
    paths = [path for one in HOLDINGS for path in (one.path, *(f"{one.path}{suffix}" for suffix in one.smaller))]
    uris = {path: identity.normalised(path, "") for path in paths}
    return {path: signed.address("", signed.issue(uri, holder, now)) for path, uri in uris.items()}


if __name__ == "__main__":
    main()
