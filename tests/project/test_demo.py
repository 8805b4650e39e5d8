"""``manage.py demo``: what it sets up, and what it says when it can not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from iiif_auth.models import AccessPolicy, Collection, Grant, Resource
from project import places
from project.items import ACCOUNTS, ITEMS, PASSWORD
from project.management.commands import demo
from tests.browser.demo import free_port, interruptible

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_piece_of_every_item_is_a_resource(library):
    known = set(Resource.objects.values_list("url", flat=True))
    assert [piece.path for item in ITEMS for piece in item.pieces if piece.path not in known] == []


def test_loading_again_changes_nothing(library):
    Collection.objects.filter(slug="merehaven-modern").update(policy=AccessPolicy.objects.get(slug="merehaven-readers"))
    before = Resource.objects.count(), Grant.objects.count()
    assert demo.load_once() is False
    assert (Resource.objects.count(), Grant.objects.count()) == before
    assert Collection.objects.get(slug="merehaven-modern").policy.slug == "merehaven-readers"


def test_an_account_of_the_same_name_is_not_touched(db):
    somebody = get_user_model().objects.create_user("reader", password="somebody else's")
    demo.make_account("reader", ())
    somebody.refresh_from_db()
    assert somebody.check_password("somebody else's")
    assert not somebody.check_password(PASSWORD)


def test_every_account_that_is_told_of_can_log_in(library, client):
    assert [client.login(username=name, password=PASSWORD) for name, _about, _groups in ACCOUNTS] == [True] * len(
        ACCOUNTS
    )


def test_the_curator_edits_rules_but_not_accounts(library):
    curator = get_user_model().objects.get(username="curator")
    assert curator.has_perm("iiif_auth.change_accesspolicy")
    assert not curator.has_perm("auth.change_user")


@pytest.mark.parametrize("port", [0, -1, 65535, 99999])
def test_a_port_that_is_none_is_refused_with_a_sentence(settings, port):
    with pytest.raises(CommandError, match="is not a port"):
        call_command("demo", port=port)


def test_a_port_in_use_is_said_to_be_so_with_a_way_out(settings):
    with closing(socket.socket()) as other:
        other.bind((demo.HOST, 0))
        other.listen()
        with pytest.raises(CommandError, match=r"can not be used .* --port 8100"):
            demo.ensure_free(other.getsockname()[1])


def test_beginning_afresh_throws_away_the_database_and_keeps_the_pictures(tmp_path):
    kept = [tmp_path / "secret-key", tmp_path / "images" / "chart-1.tif"]
    for path in [*kept, *(tmp_path / f"demo.sqlite3{rest}" for rest in ("", "-wal", "-shm"))]:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"something")
    demo.throw_away(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    demo.throw_away(tmp_path)


# -- Where everybody sits -----------------------------------------------------------------------------------------


def register(client) -> int:
    return client.get("/iiif/image/3/register-1/full/max/0/default.jpg").status_code


def test_moving_to_the_reading_room_opens_what_is_shown_there(library, client):
    assert register(client) == 401
    assert client.post("/place/", {"place": "reading-room"}).status_code == 302
    assert register(client) == 200
    client.post("/place/", {"place": "home"})
    assert register(client) == 401


def test_only_a_demo_pretends(library, client, settings):
    places.sit("reading-room")
    settings.DEMO = False
    assert register(client) == 401
    assert client.post("/place/", {"place": "reading-room"}).status_code == 404


def test_somebody_from_elsewhere_stays_where_they_are(library, client):
    places.sit("reading-room")
    assert client.get("/iiif/image/3/register-1/full/max/0/default.jpg", REMOTE_ADDR="203.0.113.9").status_code == 401


@pytest.mark.parametrize("place", ["", "moon", "Home", "reading-room "])
def test_a_place_that_is_none_moves_nobody(library, client, place):
    assert client.post("/place/", {"place": place}).status_code == 400
    assert places.here() is places.HOME


def test_the_switch_needs_the_form_it_stands_in(library):
    from django.test import Client

    assert Client(enforce_csrf_checks=True).post("/place/", {"place": "campus"}).status_code == 403


def test_the_first_page_tells_of_every_item_and_account(library, client):
    page = client.get("/").content.decode()
    assert all(item.label.replace("&", "&amp;") in page for item in ITEMS)
    assert all(f"<kbd>{name}</kbd>" in page for name, _about, _groups in ACCOUNTS)


def test_outside_a_demo_no_password_is_told(library, client, settings):
    settings.DEMO = False
    assert PASSWORD not in client.get("/").content.decode().replace("merehaven-", "").replace("Merehaven", "")


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.slug)
def test_every_item_has_a_page_with_its_rules_in_words(library, client, item):
    page = client.get(f"/items/{item.slug}/").content.decode()
    assert item.label.replace("&", "&amp;") in page
    assert "<li>" in page.partition("rules-heading")[2]


# -- The command itself -------------------------------------------------------------------------------------------


@pytest.mark.readme
def test_the_command_prints_one_line_when_ready_and_keeps_what_was_changed(tmp_path, pictures):
    port = free_port()
    environment = {**os.environ, "DEMO_DATA": str(tmp_path), "DEMO_DRAW": "no"}
    for key in ("DEMO", "BASE_URL", "VIEWER_URL", "DATABASE_URL"):
        environment.pop(key, None)
    command = [sys.executable, "manage.py", "demo", "--json", "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        server.send_signal(signal.SIGINT)
        rest, said = server.communicate(timeout=30)
    ready = json.loads(line)
    assert (ready["base_url"], ready["viewer_url"]) == (f"http://localhost:{port}", f"http://127.0.0.1:{port + 1}")
    assert [account["username"] for account in ready["accounts"]] == [name for name, _about, _groups in ACCOUNTS]
    assert all(set(account) == {"username", "password", "about"} for account in ready["accounts"])
    assert rest == ""
    assert "loaded the collection" in said
    assert "Your changes are kept" in said
