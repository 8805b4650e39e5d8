"""What the benchmark of tiles needs of the app, as JSON: run in a process of its own for each database.

python -m tests.bench.shelf fill      makes the rows; prints cookies and signed addresses
python -m tests.bench.shelf servers   prints the configurations of nginx and Caddy
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

READERS, ITEMS = 60, 60
TILES = 20
ENTRY = "tiles.json"


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    import django

    django.setup()
    print(json.dumps({"fill": fill, "servers": servers}[sys.argv[1]]()))


def fill() -> dict[str, Any]:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from iiif_auth import identify, store
    from iiif_auth.conf import conf
    from iiif_auth.enforce import doors, signed
    from iiif_auth.models import Collection, Resource
    from tests.bench.site import fill as fill_site
    from tests.bench.site import pass_of
    from tests.tables import made_ready

    made_ready()
    checks = [target for target in fill_site() if target.name.startswith("check")]
    shelf, now = Collection.objects.get(slug="shelf"), timezone.now()
    Resource.objects.bulk_create(
        Resource(
            url=f"/tiles/item-{number}/{ENTRY}", label={"en": [f"Tiles {number}"]}, type="Dataset", collection=shelf
        )
        for number in range(ITEMS)
    )
    secrets = []
    for user in User.objects.all()[:READERS]:
        secrets.append(identify.new_secret())
        pass_of(user, secrets[-1], now)
    holder = store.find_pass(identify.digest(secrets[0]))
    offer = store.find_offer(f"/tiles/item-0/{ENTRY}")
    assert holder is not None
    assert offer is not None
    uri = offer.wanted.uri
    return {
        "cookies": [f"{identify.COOKIE}={secret}" for secret in secrets],
        "signed": signed.address(uri, signed.issue(uri, holder, now)).removesuffix(ENTRY),
        "edge": {"name": "e1", "key": conf.EDGE_KEYS["e1"], "item": "/tiles/item-0", "at": f"{doors.mount()}edge/"},
        "checks": [[target.name, target.path, target.status, target.headers] for target in checks],
    }


def servers() -> dict[str, str]:
    from iiif_auth.webserver import caddy_config, generate, nginx_config

    place = generate.Place(
        listen=os.environ["LISTEN"],
        app=os.environ["APP"],
        checker=os.environ["CHECKER"],
        folder=os.environ["KEPT"],
        logs=os.environ["LOGS"],
    )
    plan = generate.plan(place)
    return {"nginx": nginx_config.printed(plan), "caddy": caddy_config.printed(plan)}


if __name__ == "__main__":
    main()
