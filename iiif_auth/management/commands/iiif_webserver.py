"""Prints the configuration of a web server that guards the content, and finds known holes in one that somebody wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from iiif_auth.enforce import doors
from iiif_auth.webserver import caddy_config, generate, nginx_config
from iiif_auth.webserver.findings import Finding, NotReadable, as_json, exit_status, text
from iiif_auth.webserver.lint import Server, check

MOST = 5_000_000
"""Bytes of a configuration; none that is written by hand comes near."""
PRINTERS = {"nginx": nginx_config.printed, "caddy": caddy_config.printed}


class Command(BaseCommand):
    help = (
        "Print a complete, commented configuration of nginx or Caddy for the DOORS in IIIF_AUTH_FLOW; or find the known holes in "
        "one that exists already."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True, metavar="nginx|caddy|check")
        nginx = ways.add_parser("nginx", help="print a configuration of nginx (1.18 or later)")
        _place(nginx)
        _for_nginx(nginx)
        _place(ways.add_parser("caddy", help="print a configuration of Caddy (2.6 or later)"))
        checking = ways.add_parser("check", help="find known holes in a configuration of nginx or Caddy")
        checking.add_argument("file", help="the configuration, or - for standard input")
        checking.add_argument(
            "--server", choices=[*Server], help="in whose language it is; by default told by the file"
        )
        checking.add_argument("--json", action="store_true", help="print the findings for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["way"] == "check":
            self._check(options)
            return
        try:
            found = generate.plan(place_of(options))
        except (generate.NotPrintable, ImproperlyConfigured) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(PRINTERS[options["way"]](found), ending="")

    def _check(self, options: dict[str, Any]) -> None:
        try:
            findings = findings_of(options["file"], options["server"])
        except (NotReadable, ImproperlyConfigured) as problem:
            raise CommandError(str(problem)) from problem
        except (OSError, ValueError) as problem:
            raise CommandError(f"The configuration could not be read: {problem}") from problem
        self.stdout.write(as_json(findings) if options["json"] else text(findings), ending="")
        if exit_status(findings):
            sys.exit(1)


def findings_of(name: str, server: str | None) -> list[Finding]:
    """What is wrong with a configuration, where the doors of this site are to be guarded.

    Raises:
        NotReadable: no server would start with it.
        OSError, ValueError: it can not be read, or is none.
    """
    if name == "-":
        told, raw, folder = "standard input", sys.stdin.buffer.read(MOST + 1), None
    else:
        told, raw, folder = name, _read(Path(name)), Path(name).resolve().parent
    if len(raw) > MOST:
        raise ValueError("it is larger than any configuration.")
    published = doors.doors()
    return check(
        raw.decode(),
        told,
        guarded=tuple(door.path for door in published),
        bases=tuple(dict.fromkeys(door.base for door in published if door.base)),
        folder=folder,
        server=Server(server) if server else None,
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST + 1)


def _place(parser: CommandParser) -> None:
    usual = generate.Place()
    parser.add_argument("--server-name", default="", metavar="NAMES", help="host names; by default that of BASE_URL")
    parser.add_argument(
        "--certificate", default="", metavar="FILE", help="of TLS, with all that is between it and the root"
    )
    parser.add_argument("--key", default="", metavar="FILE", help="the private key of the certificate")
    parser.add_argument(
        "--listen",
        default="",
        metavar="ADDRESS:PORT",
        help="serve plain http there instead, behind another server or for a try",
    )
    parser.add_argument(
        "--app", default=usual.app, metavar="HOST:PORT", help=f"the application, or unix:SOCKET (default {usual.app})"
    )
    parser.add_argument(
        "--checker",
        default="",
        metavar="HOST:PORT",
        help="another process of the application that answers the check alone, or unix:SOCKET",
    )


def _for_nginx(parser: CommandParser) -> None:
    usual = generate.Place()
    parser.add_argument(
        "--mode",
        choices=[*generate.Mode],
        default=generate.Mode.AUTH_REQUEST,
        help="auth-request: nginx asks the check (default); x-accel: the application is asked, and says what to send",
    )
    parser.add_argument(
        "--cache-folder",
        default=usual.folder,
        metavar="FOLDER",
        help=f"for answers of the check (default {usual.folder})",
    )
    parser.add_argument(
        "--log-folder", default=usual.logs, metavar="FOLDER", help=f"for the access log (default {usual.logs})"
    )
    parser.add_argument(
        "--inner",
        default=usual.inner,
        metavar="ADDRESS:PORT",
        help=f"where nginx fetches files from itself, on this machine (default {usual.inner})",
    )
    parser.add_argument(
        "--cache-bytes", default="", metavar="SIZE", help="keep so much of what image servers make, such as 2g"
    )
    parser.add_argument(
        "--whole-cookie",
        action="store_true",
        help="tell the check all cookies, if a SUBJECT hook reads others than ours",
    )
    parser.add_argument(
        "--fragment", action="store_true", help="print only what stands inside “http”, for /etc/nginx/conf.d"
    )


def place_of(options: dict[str, Any]) -> generate.Place:
    """What was said on the command line. What was not asked of Caddy is as it usually is."""
    usual = generate.Place()
    return generate.Place(
        names=options["server_name"],
        listen=options["listen"],
        certificate=options["certificate"],
        key=options["key"],
        app=options["app"],
        checker=options["checker"],
        inner=options.get("inner", usual.inner),
        folder=options.get("cache_folder", usual.folder).rstrip("/"),
        logs=options.get("log_folder", usual.logs).rstrip("/"),
        bytes=options.get("cache_bytes", ""),
        whole_cookie=options.get("whole_cookie", False),
        fragment=options.get("fragment", False),
        mode=generate.Mode(options.get("mode", usual.mode)),
    )
