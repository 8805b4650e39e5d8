"""Rows for every page of the admin, in the demo's own database, and the addresses of the pages.

Run beside a demo, with the same ``DATABASE_URL``: ``python -m tests.browser.furnish`` prints one line of JSON. It is a process
of its own, because Django's ORM and Playwright's event loop do not go together in one.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page

from project.items import PASSWORD
from tests.browser.demo import ROOT, Demo, running

ROWS = 230
"""Enough for a second page of a list."""
TABLE = (
    "identifier,policy,embargo_until\n/iiif/3/crowd-1,crowd-2,\n/iiif/3/crowd-3,no-such,\n/iiif/3/crowd-4,,31/31/2031\n"
)
SECRET = "K" * 43
"""In the links of a request and of an invitation, in a database that is thrown away."""


@dataclass(frozen=True, slots=True)
class Furnished:
    """A demo with rows for every page, and the pages by their names."""

    demo: Demo
    pages: dict[str, str]

    def url(self, name: str) -> str:
        return self.demo.url(self.pages[name])

    def enter(self, page: Page) -> None:
        """Sign in as somebody who may do everything."""
        page.goto(self.demo.url("/admin/login/?next=/admin/"))
        page.fill("#id_username", "admin")
        page.fill("#id_password", PASSWORD)
        page.locator('[type="submit"]').click()
        page.wait_for_url("**/admin/")


@contextmanager
def house() -> Iterator[Furnished]:
    """A demo of its own, without pictures, that speaks Arabic too; its rows would be in the way of others."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = {
            "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
            "DJANGO_SETTINGS_MODULE": "tests.browser.right_to_left",
            "DEMO_DRAW": "0",
        }
        with running(chosen, log="furnished") as demo:
            yield Furnished(demo, furnished(demo.address, {**chosen, "DEMO_DATA": str(demo.data)}))


def furnished(base: str, chosen: dict[str, str]) -> dict[str, str]:
    """``{name: path}`` of every page, after filling the database of a demo."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "VIEWER_URL")}
    environment = {**kept, **chosen, "DEMO": "1", "BASE_URL": base}
    done = subprocess.run(
        [sys.executable, "-m", "tests.browser.furnish"], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username="admin"))
    fill()
    found = answering(client, {**addresses(client), **of_readers()})
    sys.stdout.write(json.dumps(found) + "\n")


def fill() -> None:
    from django.utils import timezone

    from iiif_auth import identify, models
    from tests import factories
    from tests.admin import crowd

    crowd.fill(ROWS, ROWS)
    now = timezone.now()
    group = factories.GroupFactory(name="Everybody at once")
    models.Delegation.objects.create(collection=models.Collection.objects.first(), group=group, role="viewer")
    request = models.AccessRequest.objects.order_by("-pk").first()
    assert request is not None
    digest = identify.digest(SECRET)
    models.AccessRequest.objects.filter(pk=request.pk).update(state="new", digest=digest)
    invitation = models.Invitation.objects.create(
        digest=digest, email="guest@example.org", name="Guest", ends=now + timedelta(days=9), request=request
    )
    models.Grant.objects.create(invitation=invitation, resource=request.resource, ends=invitation.ends, reason="Asked")
    models.Device.objects.create(name="Window desk", network=models.Network.objects.first())
    lend(factories.SeatsFactory(name="Lending copies", copies=1))
    models.PolicyDraft.objects.create(
        policy=models.AccessPolicy.objects.get(slug="crowd-3"), publish_at=now - timedelta(days=1), reason="Overdue"
    )


def lend(rule: Any) -> None:
    """Two items that are lent: of one a copy is free, of the other it is out and somebody waits."""
    from tests import factories

    policy = factories.AccessPolicyFactory(slug="lent", name="Lent")
    factories.ConditionFactory(tier=factories.TierFactory(policy=policy), kind="seat", seats=rule)
    for name in ("free", "out"):
        factories.ResourceFactory(url=f"/iiif/3/lent-{name}", label={"en": [f"Pilot book, {name}"]}, policy=policy)
    from iiif_auth.lending.wanted import Wanted

    out = Wanted(rule.slug, "/iiif/3/lent-out", "")
    work = factories.LentWorkFactory(seats=rule, work=out.work, digest=out.digest, name="Pilot book, out")
    factories.LoanFactory(work=work)
    factories.WaitingFactory(work=work)


def addresses(client: Any) -> dict[str, str]:
    """What the admin's own URLs say, and the pages that only something that was begun has."""
    from django.urls import reverse

    from iiif_auth.models import AccessPolicy
    from tests.admin import crowd

    policy = AccessPolicy.objects.get(slug="crowd-1")
    new = reverse("admin:iiif_auth_draft_new", args=[policy.pk])
    assert client.post(new, sent(client, new)).status_code == 302
    found = dict(crowd.pages())
    table = begun(client, "iiif_auth_tables", file=upload("rights.csv", TABLE))
    rows = client.post(table, sent(client, table))
    assert rows.status_code == 302, rows.content.decode()
    manifest = begun(client, "iiif_auth_manifests", text=json.dumps(manifest_3()))
    item = "/iiif/image/3/survey-1"
    return {
        **found,
        "iiif_auth_draft_new": new,
        "iiif_auth_table": table,
        "iiif_auth_table_rows": rows.url,
        "iiif_auth_manifest": manifest,
        "iiif_auth_why": f"{reverse('admin:iiif_auth_why')}?resource={item}&person=reader",
        "iiif_auth_sees_what": f"{reverse('admin:iiif_auth_sees_what')}?person=reader",
        "index": reverse("admin:index"),
    }


def manifest_3() -> Any:
    from tests.exchange.test_trees import MANIFEST_3

    return MANIFEST_3


def sent(client: Any, address: str) -> dict[str, list[str]]:
    from tests.admin.pages import Form

    return Form(client.get(address).content.decode()).fields


def upload(name: str, text: str) -> Any:
    file = io.BytesIO(text.encode())
    file.name = name
    return file


def begun(client: Any, name: str, **sent_with: Any) -> str:
    from django.urls import reverse

    answer = client.post(reverse(f"admin:{name}"), sent_with)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.url)


def of_readers() -> dict[str, str]:
    """Pages of ours that people meet who are not of the staff."""
    from django.urls import reverse

    from iiif_auth.protocol import identity

    item = identity.reference("/iiif/3/crowd-1")
    lent = {name: identity.reference(f"/iiif/3/lent-{name}") for name in ("free", "out")}
    return {
        **{f"borrow-{name}": reverse("iiif_auth:borrow", args=[one]) for name, one in lent.items()},
        "refused": reverse("iiif_auth:refused", args=[item]),
        "passes": reverse("iiif_auth:passes"),
        "ask": reverse("iiif_auth:ask", args=[item]),
        "asked": reverse("iiif_auth:asked", args=[SECRET]),
        "asked-gone": reverse("iiif_auth:asked", args=["x"]),
        "invited": reverse("iiif_auth:invited", args=[SECRET]),
        "enrol": reverse("iiif_auth:enrol"),
        "invited-gone": reverse("iiif_auth:invited", args=["x"]),
    }


def answering(client: Any, found: dict[str, str]) -> dict[str, str]:
    """Those that are pages: no downloads, no forwardings, nothing that there is no row for."""
    kept = {}
    for name, address in found.items():
        answer = client.get(address)
        if answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html"):
            kept[name] = address
        else:
            sys.stderr.write(f"{name} {address}: {answer.status_code} {answer.get('Content-Type', '')}\n")
    return kept


if __name__ == "__main__":
    main()
