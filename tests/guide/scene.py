"""What the five people find besides the demo's own collection: run inside the demo's environment, once, before they begin.

``python -m tests.guide.scene``
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import django

CODE = "7F3K-92"
"""The reference that a caller quotes to Hana."""
SHEETS, LEDGERS, SLIDES = 10_000, 40, 60


def set_the_scene(sheets: int = SHEETS) -> None:
    """Forty ledgers, ten thousand survey sheets, sixty new slides, a request that waits, and a reader who was refused."""
    from django.contrib.auth import get_user_model

    from iiif_auth.models import Collection, Delegation

    people = get_user_model().objects.in_bulk(field_name="username")
    people["reader"].email = "ines@example.org"
    people["reader"].save()
    top = Collection.objects.get(slug="merehaven")
    maps = Collection.objects.get(slug="merehaven-maps")
    ledgers = Collection.objects.create(
        slug="merehaven-ledgers", label={"en": ["Customs ledgers"]}, parent=top, policy=room_policy()
    )
    fill(ledgers, "ledger", "Customs ledger, page", LEDGERS)
    Delegation.objects.create(collection=ledgers, user=people["desk"], role="desk", most_days=30)
    Delegation.objects.create(collection=ledgers, user=people["help"], role="viewer")
    fill(
        Collection.objects.create(slug="merehaven-sheets", label={"en": ["Survey sheets"]}, parent=maps),
        *("sheet", "Survey sheet", sheets),
    )
    fill(
        Collection.objects.create(slug="merehaven-slides", label={"en": ["Lantern slides"]}, parent=top),
        *("slide", "Lantern slide", SLIDES),
    )
    wait_for_an_answer()


def room_policy() -> object:
    """The reading room only, and readers may ask."""
    from iiif_auth.models import AccessPolicy, AccessService, Condition, Network, Tier

    policy = AccessPolicy.objects.create(slug="ledgers", name="Ledgers: reading room", requestable=True)
    tier = Tier.objects.create(policy=policy, slug="full", order=1)
    tier.services.add(AccessService.objects.get(slug="merehaven-reading-room"))
    room = Network.objects.get(slug="merehaven-reading-room")
    Condition.objects.create(tier=tier, kind="network", network=room)
    return policy


def fill(collection: object, name: str, label: str, count: int) -> None:
    from iiif_auth.models import Resource

    Resource.objects.bulk_create(
        Resource(
            url=f"/iiif/image/3/{name}-{number}",
            label={"en": [f"{label} {number}"]},
            image_api=3,
            collection=collection,
        )
        for number in range(1, count + 1)
    )


def wait_for_an_answer() -> None:
    """A request that was confirmed by e-mail, and a refusal whose reference somebody has."""
    from django.utils import timezone

    from iiif_auth.models import AccessRequest, Refusal, Resource

    now = timezone.now()
    asked = Resource.objects.get(url="/iiif/image/3/ledger-7")
    AccessRequest.objects.create(
        code="C4DF-67",
        url=asked.url,
        resource=asked,
        name="Bram Okafor",
        email="bram@example.org",
        purpose="I am writing the history of the salt trade, and page 7 has the duties of 1871.",
        state=AccessRequest.State.NEW,
        digest=hashlib.sha256(b"guide").hexdigest(),
        created=now - timedelta(hours=3),
        confirmed=now - timedelta(hours=2),
    )
    Refusal.objects.create(
        code=CODE,
        url="/iiif/image/3/ledger-3",
        at=now - timedelta(minutes=2),
        address="203.0.113.200",
        why="not-entitled",
    )


if __name__ == "__main__":
    django.setup()
    set_the_scene()
