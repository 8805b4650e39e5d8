"""``manage.py demo``: the whole demonstration in one command."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from iiif_auth.models import Collection, Delegation
from project import counts, stories, viewer_site
from project.items import ACCOUNTS, DELEGATED, PASSWORD, STAFF
from project.manifests import public

HOST = "127.0.0.1"
MOST_ROWS = 200_000


class Command(BaseCommand):
    help = (
        "Set up and serve the demo library, and a viewer on another site that shows it. Running it again harms nothing."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="Port of the library (default 8000); the viewer gets the next one."
        )
        parser.add_argument("--no-viewer", action="store_true", help="Serve the library only.")
        parser.add_argument("--reset", action="store_true", help="Throw away the demo's database and begin afresh.")
        parser.add_argument(
            "--rows", type=int, default=0, help="Add a collection of so many rows without pictures, such as 10000."
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="Print one line of JSON when everything is ready, and nothing else, on standard output.",
        )

    def handle(self, *args: Any, port: int, no_viewer: bool, reset: bool, rows: int = 0, **options: Any) -> None:
        self.to_stderr = options["json"]
        check_numbers(port, rows)
        if not settings.DEMO:
            become_demo(port, no_viewer)
        for wanted in [port] if no_viewer else [port, port + 1]:
            ensure_free(wanted)
        folder = Path(settings.DEMO_DATA)
        if reset:
            throw_away(folder)
        self.set_up(folder, rows)
        self.serve(port, no_viewer)

    # -- preparing

    def say(self, text: str, ending: str = "\n") -> None:
        (self.stderr if self.to_stderr else self.stdout).write(text, ending=ending)

    def set_up(self, folder: Path, rows: int) -> None:
        (folder / "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise complains of a folder that is not there
        self.say("Preparing the database … ", ending="")
        call_command("migrate", verbosity=0, interactive=False)
        fresh = load_once()
        self.say("loaded the collection." if fresh else "kept as you left it.")
        if rows and (added := stories.stress(rows)):
            self.say(f"Added {added:,} rows without pictures.")
        errors = [message for message in run_checks() if message.is_serious()]
        if errors:
            raise CommandError("\n".join(str(message) for message in errors))
        if settings.DEMO_DRAW:
            self.draw(folder)

    def draw(self, folder: Path) -> None:
        """Draw what is not there yet, saying how far it has got."""
        # Drawing takes libraries that take their time, and this command begins twice: see become_demo.
        from project.collection.prepare import prepare

        drawn = 0
        for step in prepare(folder):
            drawn += not step.skipped
            if not step.skipped:
                self.say(f"[{step.done:>3}/{step.total}] {step.what}")
        self.say(f"Drew {drawn} pictures and recordings." if drawn else "All pictures and recordings are there.")

    # -- serving

    def serve(self, port: int, no_viewer: bool) -> None:
        library = make_server(port)
        if not no_viewer:
            viewer = viewer_site.serve(port + 1, public(reverse("collection")), HOST)
            threading.Thread(target=viewer.serve_forever, daemon=True).start()
        try:
            self.announce(no_viewer)
            library.serve_forever()
        except KeyboardInterrupt:
            self.say("\nThe demo has stopped. Your changes are kept; --reset begins afresh.")

    def announce(self, no_viewer: bool) -> None:
        if self.to_stderr:
            self.stdout.write(json.dumps(ready(no_viewer)))
            self.stdout.flush()
            return
        self.say("")
        self.say(self.style.SUCCESS("The library is open."))
        self.say(f"  Library  {settings.BASE_URL}/          what there is to see, and why it is restricted")
        self.say(f"  Admin    {settings.BASE_URL}/admin/    edit policies and grants; ask “Why?”")
        if not no_viewer:
            self.say(f"  Viewer   {settings.VIEWER_URL}/          on another site, as a viewer anywhere would be")
        self.say(f"\nAccounts, all with the password “{PASSWORD}”:")
        for username, about, _groups in ACCOUNTS:
            self.say(f"  {username:<11}{about}")
        self.say(
            "\nIf the viewer says that access is not confirmed, the browser blocks third-party cookies: allow "
            "them for localhost.\n"
            "Stop with Ctrl-C."
        )


def check_numbers(port: int, rows: int) -> None:
    if not 1 <= port <= 65534:
        raise CommandError(f"{port} is not a port; choose one between 1024 and 65534.")
    if not 0 <= rows <= MOST_ROWS:
        raise CommandError(f"{rows} rows can not be made; choose a number up to {MOST_ROWS}.")


def ready(no_viewer: bool) -> dict[str, Any]:
    return {
        "base_url": settings.BASE_URL,
        "viewer_url": "" if no_viewer else settings.VIEWER_URL,
        "accounts": [
            {"username": name, "password": PASSWORD, "about": str(about)} for name, about, _groups in ACCOUNTS
        ],
    }


def become_demo(port: int, no_viewer: bool) -> None:
    """Begin again as a demo: settings are read once, and these must be known before."""
    environment = {
        **os.environ,
        "DEMO": "1",
        "BASE_URL": f"http://localhost:{port}",
        # Another host name is another site, although both are this machine (browsers.md).
        "VIEWER_URL": "" if no_viewer else f"http://127.0.0.1:{port + 1}",
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
    }
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - ourselves, with our own arguments


def ensure_free(port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} can not be used ({error.strerror}). Choose another: manage.py demo --port 8100"
            ) from error


def throw_away(folder: Path) -> None:
    """The database goes; pictures stay, since drawing them again would give the same ones."""
    for name in ("demo.sqlite3", "demo.sqlite3-wal", "demo.sqlite3-shm"):
        (folder / name).unlink(missing_ok=True)


@transaction.atomic
def load_once() -> bool:
    """Load fixtures and accounts into an empty database; whether there was anything to do."""
    if Collection.objects.filter(slug="merehaven").exists():
        return False
    call_command("loaddata", "merehaven", "iiif_auth_roles", verbosity=0)
    for account in ACCOUNTS:
        make_account(account[0], account[2])
    for delegation in DELEGATED:
        delegate(*delegation)
    call_command("loaddata", "merehaven_grants", verbosity=0)
    counts.seed(timezone.localdate())
    stories.tell(timezone.now())
    return True


def make_account(username: str, groups: tuple[str, ...]) -> None:
    """An account that does not exist yet; existing ones are not touched."""
    model = get_user_model()
    if model.objects.filter(username=username).exists():
        return
    user = model(username=username, is_staff=username in STAFF, is_superuser=username == "admin")
    user.set_password(PASSWORD)
    user.save()
    user.groups.set(Group.objects.filter(name__in=groups))
    if username == "curator":
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth"))


def delegate(slug: str, username: str, role: str, most_days: int | None) -> None:
    """Let an account work in a collection."""
    user = get_user_model().objects.get(username=username)
    collection = Collection.objects.get(slug=slug)
    Delegation.objects.get_or_create(collection=collection, user=user, defaults={"role": role, "most_days": most_days})


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody wants to read a line for every tile."""


def make_server(port: int) -> ThreadedWSGIServer:
    """Django's own threaded server: enough for one machine, and it runs on any system."""
    server = ThreadedWSGIServer((HOST, port), QuietHandler)
    server.set_app(get_wsgi_application())
    return server
