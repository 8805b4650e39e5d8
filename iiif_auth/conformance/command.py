"""The command line: ``python -m iiif_auth.conformance URL`` and ``manage.py iiif_conformance URL``."""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from iiif_auth.conformance import report as reports
from iiif_auth.conformance.flows import ROWS
from iiif_auth.conformance.run import Report, judge
from iiif_auth.conformance.table import REQUIREMENTS
from iiif_auth.conformance.tour import ORIGIN, Credentials, Options
from iiif_auth.conformance.web import Limits, Web, origin_of

if TYPE_CHECKING:
    import httpx

PASSWORD = "IIIF_CONFORMANCE_PASSWORD"  # noqa: S105 - the name of a variable
SECRET = "IIIF_CONFORMANCE_CLIENT_SECRET"  # noqa: S105 - the name of a variable
USAGE = 2
SHORT = {"2": "2.0.0", "2.0": "2.0.0", "alpha": "2.0-alpha", "1": "1.0"}
VERSIONS = {name: name for version, rows in ROWS.items() for name in (version, *rows)} | SHORT


class Misused(ValueError):
    """What was asked for makes no sense; says so in a sentence, with what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "urls", nargs="+", metavar="URL", help="a manifest, a Collection or an info.json, of any version"
    )
    who = parser.add_argument_group("who to be")
    who.add_argument("--user", help="an account of the server, for its login form; the password is asked for")
    who.add_argument(
        "--password",
        help=f"its password; better in the variable {PASSWORD}. It is sent to the host named in the URL and nowhere else",
    )
    who.add_argument(
        "--cookie",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a cookie of somebody who has access; repeatable",
    )
    who.add_argument(
        "--origin", default=ORIGIN, help="the site that the checker pretends to be a viewer of (default: %(default)s)"
    )
    what = parser.add_argument_group("what to check")
    what.add_argument(
        "--only", action="append", default=[], metavar="ID", help="requirements, or beginnings of their IDs; repeatable"
    )
    what.add_argument(
        "--version",
        dest="versions",
        action="append",
        default=[],
        metavar="VERSION",
        help="versions: 2.0.0, alpha, 1.0, 0.9, or 0.9.4 and 0.9.2 by themselves; repeatable",
    )
    what.add_argument("--client-id", metavar="ID", help="a viewer that is registered with the server, for 0.9.2")
    what.add_argument(
        "--client-secret",
        metavar="SECRET",
        help=f"its secret; better in the variable {SECRET}. It is sent to the host named in the URL and nowhere else",
    )
    what.add_argument("--shoulds", action="store_true", help="recommendations count for the exit status too")
    limits = parser.add_argument_group("limits")
    limits.add_argument("--max-requests", type=_positive, default=1000, metavar="N", help="default: %(default)s")
    limits.add_argument("--max-seconds", type=_positive, default=300, metavar="N", help="default: %(default)s")
    limits.add_argument("--max-resources", type=_positive, default=20, metavar="N", help="default: %(default)s")
    limits.add_argument("--insecure", action="store_true", help="take any certificate of the server")
    out = parser.add_argument_group("report")
    out.add_argument("--format", choices=("text", "json", "junit"), default="text", help="default: %(default)s")
    out.add_argument("--output", metavar="FILE", help="write the report there instead of here")
    out.add_argument("--no-colour", "--no-color", dest="no_colour", action="store_true", help="no colours")
    out.add_argument("--quiet", action="store_true", help="say nothing about how it is going")


def parser(program: str) -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog=program,
        description=(
            "Check a server of IIIF authorization from outside, as viewers and browsers meet it: find its services, walk through "
            "every flow, and report on each requirement whether it is met."
        ),
        epilog=(
            "Exit status: 0 if every requirement that could be tested is met, 1 if one is not, 2 if there was nothing to test "
            "or the command makes no sense."
        ),
    )
    add_arguments(found)
    return found


def _positive(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number above 0")
    return number


def main(arguments: Sequence[str] | None = None, program: str = "python -m iiif_auth.conformance") -> int:
    """Run the command; the exit status."""
    return carry_out(parser(program).parse_args(arguments))


def carry_out(given: argparse.Namespace, transport: httpx.BaseTransport | None = None) -> int:
    """Do what was asked for; the exit status. ``transport`` is for tests that have the server in the same process."""
    with ExitStack() as opened:
        try:
            options = read_options(given, os.environ)
            stream = (
                opened.enter_context(Path(given.output).open("w", encoding="utf-8")) if given.output else sys.stdout
            )
        except Misused as problem:
            return misused(str(problem))
        except OSError as problem:
            return misused(
                f"The report can not be written to {given.output}: {problem.strerror}. Choose another --output."
            )
        found = watched(given, options, transport)
        if found is None:
            return misused("Stopped; there is no report.")
        say(written(found, given, stream), stream)
    return reports.exit_status(found, shoulds=given.shoulds)


def watched(given: argparse.Namespace, options: Options, transport: httpx.BaseTransport | None) -> Report | None:
    """The report, with its progress told meanwhile; ``None`` if somebody stopped it."""
    progress = Progress(sys.stderr, quiet=given.quiet)
    limits = Limits(given.max_requests, float(given.max_seconds))
    try:
        with Web(limits, transport, verify=not given.insecure, told=progress.tell) as web:
            return judge(web, options)
    except KeyboardInterrupt:
        return None
    finally:
        progress.end()


def misused(sentence: str) -> int:
    say(f"{sentence}\n", sys.stderr)
    return USAGE


def say(words: str, stream: TextIO) -> None:
    """Write it; what a stream has no letters for becomes a question mark, and whoever stops reading has read enough."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with suppress(BrokenPipeError):
        stream.write(words.encode(encoding, "replace").decode(encoding))
        stream.flush()


def written(found: Report, given: argparse.Namespace, stream: TextIO) -> str:
    if given.format == "json":
        return reports.as_json(found)
    if given.format == "junit":
        return reports.as_junit(found, shoulds=given.shoulds)
    width = min(shutil.get_terminal_size((110, 24)).columns, 140)
    return reports.text(found, colour=colourful(given, stream, os.environ), width=width)


def colourful(given: argparse.Namespace, stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Colours are for terminals, unless somebody said no (https://no-color.org/)."""
    return not given.no_colour and not environment.get("NO_COLOR") and stream.isatty()


# -- What was asked for -------------------------------------------------------------------------------------------


def read_options(given: argparse.Namespace, environment: Mapping[str, str]) -> Options:
    """The options, if they make sense.

    Raises:
        Misused: they do not.
    """
    return Options(
        urls=tuple(_url(url) for url in given.urls),
        origin=_origin(given.origin),
        credentials=_credentials(given, environment),
        cookies=tuple(_cookie(text) for text in given.cookie),
        client=_client(given, environment),
        only=tuple(_requirement(prefix) for prefix in given.only),
        versions=tuple(_version(name) for name in given.versions),
        resources=given.max_resources,
    )


def _url(url: str) -> str:
    if not origin_of(url):
        raise Misused(f"“{url}” is not a web address. Give the whole URL of a manifest, beginning with https://.")
    return url


def _origin(text: str) -> str:
    if origin_of(text) != text:
        raise Misused(
            f"“{text}” is not an origin as browsers write it, such as {ORIGIN}: no path, no slash at the end."
        )
    return text


def _credentials(given: argparse.Namespace, environment: Mapping[str, str]) -> Credentials | None:
    if not given.user:
        if given.password:
            raise Misused("A password needs a name: give --user too.")
        return None
    if given.cookie:
        raise Misused("Give either --user or --cookie: somebody with a cookie does not log in.")
    password = given.password or environment.get(PASSWORD)
    if password is None and sys.stdin.isatty():
        password = getpass.getpass(f"Password of {given.user}: ")
    if not password:
        raise Misused(f"The account {given.user} needs a password: put it into {PASSWORD}, or give --password.")
    return Credentials(given.user, password)


def _client(given: argparse.Namespace, environment: Mapping[str, str]) -> Credentials | None:
    """A registered viewer; without its secret it is still good for trying a wrong one."""
    if given.client_id:
        return Credentials(given.client_id, given.client_secret or environment.get(SECRET, ""))
    if given.client_secret:
        raise Misused("A client's secret needs a client: give --client-id too.")
    return None


def _cookie(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()) or any(one in text for one in ";\r\n"):
        raise Misused("A cookie is given as NAME=VALUE, as the browser's developer tools show it.")
    return name.strip(), value.strip()


def _requirement(prefix: str) -> str:
    if not any(id.startswith(prefix) for id in REQUIREMENTS):
        raise Misused(f"No requirement begins with “{prefix}”. IDs look like A2-PRB-01; A2-PRB is all about probes.")
    return prefix


def _version(name: str) -> str:
    if name not in VERSIONS:
        raise Misused(f"“{name}” is not a version; there are {', '.join(ROWS)}.")
    return VERSIONS[name]


# -- How it is going ----------------------------------------------------------------------------------------------


class Progress:
    """One line on standard error that tells the latest request; nothing where nobody is watching."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self.stream = stream
        self.watched = not quiet and stream.isatty()

    def tell(self, number: int, what: str) -> None:
        if self.watched:
            room = max(20, shutil.get_terminal_size((80, 24)).columns - 1)
            self.stream.write(f"\r\x1b[K{f'{number:>4}  {reports.clean(what)}'[:room]}")
            self.stream.flush()

    def end(self) -> None:
        if self.watched:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
