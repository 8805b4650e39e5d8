"""The rows of the library, and what its readers carry: cookies that count and that have ended, tokens, and tickets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from iiif_auth import identify, models, store
from iiif_auth.enforce import signed
from tests import factories
from tests.security.hostile.holdings import (
    CURATOR,
    FILES,
    MEMBER,
    PEOPLE,
    PICTURES,
    SCANS,
    TARGETS,
    Picture,
)

LOGIN = "members"
NETWORK = "192.0.2.0/28"
"""Where nobody who asks here is. Whoever claims to be there is lying."""


def fill() -> None:
    """Every resource, under the policy that is meant for it."""
    login = factories.AccessServiceFactory(slug=LOGIN, idle_minutes=600, dialects=["2"])
    policies = _policies(login)
    hiding = factories.CollectionFactory(slug="hush", hides_existence=True)
    for one in PICTURES:
        if one.key not in ("unlisted", "chart~members"):
            _picture(one, policies, hiding)
    for row in dict.fromkeys((one.row, one.who) for one in (*FILES, *SCANS) if one.row):
        factories.ResourceFactory(url=row[0], image_api=0, type="Text", policy=policies[row[1].name.lower()])


def _policies(login: models.AccessService) -> dict[str, models.AccessPolicy]:
    named = ("everyone", "members", "curators", "derived", "virtual", "network")
    found = {name: factories.AccessPolicyFactory(slug=name) for name in named}
    _tier(found["everyone"], {"kind": "everyone"})
    _tier(found["members"], _group(MEMBER.group), _group(CURATOR.group), by=login)
    _tier(found["curators"], _group(CURATOR.group), by=login)
    _tier(found["network"], {"kind": "network", "network": factories.NetworkFactory(prefixes=[NETWORK])})
    for name, values in (("derived", {"suffix": "~members"}), ("virtual", {"suffix": "~small", "virtual": True})):
        _tier(found[name], _group(CURATOR.group), by=login)
        small: dict[str, Any] = {"gets": "smaller", "max_edge": 400, "order": 1, **values}
        _tier(found[name], _group(MEMBER.group), by=login, slug="small", **small)
    return found


def _group(name: str) -> dict[str, Any]:
    return {"kind": "group", "group": Group.objects.get_or_create(name=name)[0]}


def _tier(
    policy: models.AccessPolicy, *who: dict[str, Any], by: models.AccessService | None = None, **values: Any
) -> None:
    row = factories.TierFactory(policy=policy, services=(by,) if by else (), **{"order": 0, **values})
    for condition in who:
        factories.ConditionFactory(tier=row, **condition)


def _picture(one: Picture, policies: dict[str, models.AccessPolicy], hiding: models.Collection) -> None:
    policy = policies["network" if one.network else one.tiers or one.who.name.lower()]
    row = factories.ResourceFactory(
        url=f"/iiif/image/3/{one.name}", source=one.source, policy=policy, collection=hiding if one.hidden else None
    )
    url = f"/iiif/image/2/{one.name}"
    factories.RenditionFactory(resource=row, url=url, image_api=2, source=one.source)


# -- What readers carry ---------------------------------------------------------------------------------------------


def belongings() -> dict[str, Any]:
    """What the people hold, by name, as the generator of requests gets it.

    ``tickets`` are triples: the ticket, what it was made for, and whose it is. ``loose_tickets`` are signed with the right key,
    but for no address at all.
    """
    now = timezone.now()
    users = {one.name: _user(one.name, one.group) for one in PEOPLE if one.group}
    passes = {name: _pass(user, now) for name, user in users.items()}
    old = now - timedelta(hours=20)
    ended = {name: _pass(user, old) for name, user in users.items()}
    facts = {name: _facts(secret) for name, (secret, _row) in passes.items()}
    past = {name: _facts(secret) for name, (secret, _row) in ended.items()}
    return {
        "cookies": {name: secret for name, (secret, _row) in passes.items()},
        "ended": [secret for secret, _row in ended.values()],
        "bearers": [_token(row, now) for _secret, row in passes.values()],
        "tickets": _tickets(facts, now),
        "dead_tickets": _tickets(facts, old) + _tickets(past, now, seconds=600),
        "loose_tickets": [signed.issue("", one, now) for one in facts.values()],
    }


def _user(name: str, group: str) -> Any:
    user = get_user_model().objects.create(username=name.replace(" ", "-"), password="!")
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def _pass(user: Any, since: datetime) -> tuple[str, models.Pass]:
    secret = identify.new_secret()
    until = since + timedelta(hours=12)
    row = models.Pass.objects.create(
        digest=identify.digest(secret),
        user=user,
        credential=store.credential_mark(user.password),
        created=since,
        seen=since,
        idle_minutes=600,
        idle_until=since + timedelta(hours=10),
        ends=until,
    )
    return secret, row


def _token(holder: models.Pass, now: datetime) -> str:
    token = identify.new_secret()
    models.Token.objects.create(
        digest=identify.digest(token),
        holder=holder,
        service=LOGIN,
        dialect="2",
        origin="https://viewer.example.com",
        created=now,
        ends=now + timedelta(hours=12),
    )
    return token


def _facts(secret: str) -> store.PassFacts:
    found = store.find_pass(identify.digest(secret))
    assert found is not None
    return found


def _tickets(
    holders: dict[str, store.PassFacts], now: datetime, seconds: int | None = None
) -> list[tuple[str, str, str]]:
    """A ticket of everybody's for every URL, whether they may have what is there or not: the door judges that anew."""
    uris = dict.fromkeys(target.uri for target in TARGETS)
    return [
        (
            signed.issue(uri, facts if seconds is None else replace(facts, ends=now + timedelta(seconds=seconds)), now),
            uri,
            name,
        )
        for name, facts in holders.items()
        for uri in uris
    ]
