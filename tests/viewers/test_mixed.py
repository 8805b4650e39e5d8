"""One manifest for everybody: Auth 1.0 inside the one image service, the 2.0.0 probe beside it. Each viewer takes its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from playwright.sync_api import BrowserContext

from project import viewer_site
from tests.viewers.holdings import COLLECTIONS, Library
from tests.viewers.mirador import Mirador
from tests.viewers.own import Own
from tests.viewers.vault import Vault

cell = partial(pytest.mark.cell, flavour="mixed")
LOGIN = "merehaven-login"
ROW = "Log in (herbal)"
OPEN = "Open (chart)"


@pytest.fixture
def own(context: BrowserContext, library: Library) -> Iterator[Callable[[str], Own]]:
    """The demo's viewer, told of the Collection whose manifests are mixed."""
    server = viewer_site.serve(0, library.demo.url(f"{COLLECTIONS['mixed']}/collection.json"))
    thread = viewer_site.start(server)
    yield lambda flavour: Own(context, f"http://127.0.0.1:{server.server_address[1]}", library, flavour)
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@cell("Mirador", OPEN)
def test_mirador_opens_an_open_item(mirador: Callable[[str], Mirador]):
    viewer = mirador("mixed")
    viewer.show("chart")
    viewer.assert_shows()
    assert viewer.asked("/iiif-auth/") == []


@cell("Mirador", ROW)
def test_mirador_takes_auth_1_and_leaves_the_probe_alone(mirador: Callable[[str], Mirador]):
    viewer = mirador("mixed")
    viewer.show("herbal")
    viewer.assert_asks(LOGIN)
    viewer.assert_shows_nothing()
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    viewer.until_it_knows("herbal-1", degraded=False)
    viewer.look_again()
    viewer.assert_shows(since=mark)
    assert {one.path for one in viewer.asked("/iiif-auth/")} == {
        f"/iiif-auth/1/access/{LOGIN}",
        f"/iiif-auth/1/token/{LOGIN}",
        # Our own small window, which the click on “Continue” opens, whatever the viewer.
        "/iiif-auth/handoff",
        "/iiif-auth/handoff/standing",
    }


@cell("react-iiif-vault", OPEN)
def test_react_iiif_vault_opens_an_open_item(vault: Callable[[str], Vault]):
    viewer = vault("mixed")
    viewer.show("chart")
    viewer.assert_shows()
    assert viewer.asked("/iiif-auth/") == []


@cell("react-iiif-vault", ROW)
def test_react_iiif_vault_takes_2_0_and_leaves_auth_1_alone(vault: Callable[[str], Vault]):
    viewer = vault("mixed")
    viewer.show("herbal")
    viewer.assert_shows_nothing()
    mark = viewer.house.mark()
    viewer.log_in("reader", LOGIN)
    viewer.assert_shows(since=mark)
    assert viewer.asked("/iiif-auth/1/") == []


@cell("The demo's viewer", ROW)
def test_the_demos_viewer_takes_2_0_and_leaves_auth_1_alone(own: Callable[[str], Own]):
    viewer = own("mixed")
    viewer.show("herbal")
    viewer.assert_shows_nothing()
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    viewer.assert_shows(since=mark)
    assert viewer.asked("/iiif-auth/1/") == []
