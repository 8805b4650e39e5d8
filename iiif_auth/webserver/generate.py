"""What a web server's configuration is made of: the doors and secrets of the settings, and what only its keeper knows.

``iiif_webserver nginx`` and ``iiif_webserver caddy`` print it. What would not be safe, or would not start, is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from iiif_auth.conf import conf
from iiif_auth.enforce import doors as enforce_doors
from iiif_auth.enforce import guard
from iiif_auth.enforce.doors import Door

SECRET = re.compile(r"[A-Za-z0-9_-]{32,200}")
"""What can stand in any configuration as it is: a web server would read a ``$`` as the beginning of a name."""
KEY_NAME = re.compile(r"[a-z0-9]{1,12}")
NAMES = re.compile(r"[A-Za-z0-9.-]+(?: [A-Za-z0-9.-]+)*")
LISTEN = re.compile(r"(?:[0-9.]+|\[[0-9a-fA-F:]+\]|localhost):[0-9]{1,5}")
INNER = re.compile(r"(?:127\.[0-9.]+|\[::1\]|localhost):[1-9][0-9]{1,4}")
APP = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[1-9][0-9]{0,4}|unix:/[A-Za-z0-9._/-]+")
FOLDER = re.compile(r"/[A-Za-z0-9._/-]+")
SIZE = re.compile(r"[1-9][0-9]{0,5}[kmg]")
PREFIX = re.compile(r"/(?:[A-Za-z0-9._-]+/)+")

SENTENCES = {
    400: "This address is not in the one spelling in which things are published here.",
    405: "Ask with GET.",
    503: "This can not be had at the moment. Please try again in a minute.",
    **guard.ERRORS,
}

BLANK = (
    "X-IIIF-Auth-Secret",
    "X-IIIF-Base",
    "X-Original-URI",
    "X-Original-Method",
    "X-Forwarded-Host",
    "X-Forwarded-Prefix",
    "X-Forwarded-Port",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "Forwarded",
    "Proxy",
)
"""Headers by which a client could speak as if it were the web server."""

HIDDEN = (
    "Set-Cookie",
    "Cache-Control",
    "Expires",
    "Pragma",
    "Link",
    "Location",
    "Vary",
    "WWW-Authenticate",
    "X-Powered-By",
    "Content-Security-Policy",
    "Content-Disposition",
    "Cross-Origin-Resource-Policy",
    "X-Content-Type-Options",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Expose-Headers",
)


class Mode(StrEnum):
    """Who is asked: the web server asks the check, or the application is asked and tells the web server what to send."""

    AUTH_REQUEST = "auth-request"
    X_ACCEL = "x-accel"


class NotPrintable(ValueError):
    """No configuration can be made of this; the message is a sentence with the next step."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the web server is, and the application behind it: what its keeper says on the command line.

    Attributes:
        names: the host names, with blanks between them; by default the one of ``BASE_URL``.
        listen: address and port for plain http, such as ``127.0.0.1:8080``; without it https is served with
        certificate and key: the files of both.
        app: host and port of the application, or ``unix:`` and its socket.
        checker: likewise, where the check is asked if that is another process of the same application; empty: at ``app``.
        inner: where nginx fetches files from itself, on this machine.
        folder: where answers of the check are kept; a folder in memory is best.
        logs: the folder of the logs.
        bytes: how much of image servers' answers is kept, such as ``2g``; empty: nothing.
        whole_cookie: tell the check all cookies, for sites whose ``SUBJECT`` hook reads others than ours.
        fragment: print only what stands inside ``http``, for a folder such as ``/etc/nginx/conf.d``.
    """

    names: str = ""
    listen: str = ""
    certificate: str = ""
    key: str = ""
    app: str = "127.0.0.1:8000"
    checker: str = ""
    inner: str = "127.0.0.1:8184"
    folder: str = "/var/cache/nginx/iiif"
    logs: str = "/var/log/nginx"
    bytes: str = ""
    whole_cookie: bool = False
    fragment: bool = False
    mode: Mode = Mode.AUTH_REQUEST


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration to print: the place, and what the settings say."""

    place: Place
    doors: tuple[Door, ...]
    mount: str
    base_url: str
    secret: str
    seconds: int
    edge_keys: Mapping[str, str] = field(default_factory=dict)
    send_file: str = ""
    send_upstream: str = ""

    @property
    def host(self) -> str:
        """The host of the site itself, by which the application is asked."""
        return urlsplit(self.base_url).netloc

    @property
    def bases(self) -> tuple[str, ...]:
        """The sites that doors are on; the empty one is this site."""
        return tuple(dict.fromkeys(("", *(door.base for door in self.doors))))

    def at(self, base: str) -> tuple[Door, ...]:
        """The doors of a site, those with the longest path first."""
        return tuple(door for door in self.doors if door.base == base)

    def names_of(self, base: str) -> str:
        """The host names of a site."""
        given = urlsplit(base).hostname if base else self.place.names or urlsplit(self.base_url).hostname
        return given or "localhost"


def plan(place: Place) -> Plan:
    """What to print, from the settings.

    Raises:
        NotPrintable: something is missing, or could not be written down safely.
        django.core.exceptions.ImproperlyConfigured: the doors make no sense.
    """
    seconds = conf.CHECK_CACHE_SECONDS
    found = Plan(
        place,
        enforce_doors.doors(),
        enforce_doors.mount(),
        conf.BASE_URL,
        conf.CHECK_SECRET,
        0 if seconds <= 0 else max(1, round(seconds)),
        conf.EDGE_KEYS,
        conf.SEND_FILE,
        conf.SEND_UPSTREAM,
    )
    for problem in problems(found):
        raise NotPrintable(problem)
    return found


def problems(found: Plan) -> Iterator[str]:
    """What is in the way, as sentences."""
    for holds, sentence in (*_of_settings(found), *_of_place(found.place)):
        if not holds:
            yield sentence


Rule = tuple[object, str]


def _of_settings(found: Plan) -> tuple[Rule, ...]:
    proxies = conf.TRUSTED_PROXIES
    keys = found.edge_keys.items()
    accel = found.place.mode is Mode.X_ACCEL
    rooted = any(door.root for door in found.doors)
    return (
        (found.doors, "There are no DOORS in IIIF_AUTH_FLOW: say there where guarded content is published."),
        (
            found.mount,
            "The URLs of iiif_auth are included nowhere, so there is no check to ask; include iiif_auth.urls.",
        ),
        (found.base_url, "Set BASE_URL in IIIF_AUTH_FLOW, such as https://library.example.org."),
        (
            SECRET.fullmatch(found.secret),
            "Set CHECK_SECRET in IIIF_AUTH_FLOW to at least 32 letters, digits, - and _: the check believes only a web server "
            "that says it. “python -c 'import secrets; print(secrets.token_urlsafe())'” makes one.",
        ),
        (
            proxies == 1,
            f"TRUSTED_PROXIES in IIIF_AUTH_FLOW is {proxies}, but with this web server in front it must be 1: it replaces "
            "X-Forwarded-For by the address that it sees.",
        ),
        (
            all(KEY_NAME.fullmatch(name) and SECRET.fullmatch(key) for name, key in keys),
            "EDGE_KEYS in IIIF_AUTH_FLOW: names are up to 12 small letters and digits; keys are at least 32 letters, digits, - "
            "and _.",
        ),
        (
            not accel or PREFIX.fullmatch(found.send_upstream),
            "With --mode x-accel the application names internal locations: set SEND_UPSTREAM in IIIF_AUTH_FLOW, such as "
            "/_iiif_up/.",
        ),
        (
            not (accel and rooted) or PREFIX.fullmatch(found.send_file),
            "With --mode x-accel the application names internal locations: set SEND_FILE in IIIF_AUTH_FLOW, such as "
            "/_iiif_files/.",
        ),
        (
            all(FOLDER.fullmatch(door.root) for door in found.doors if door.root),
            "The root of a door has characters that a configuration could be broken with; use letters, digits, . - and _.",
        ),
    )


def _of_place(place: Place) -> tuple[Rule, ...]:
    files = (place.certificate, place.key)
    return (
        (not place.names or NAMES.fullmatch(place.names), "--server-name is a host name, or several in one word “…”."),
        (
            place.listen or all(files),
            "Give --certificate and --key for https; or, on this machine only, --listen 127.0.0.1:8080 for plain http.",
        ),
        (not (place.listen and any(files)), "Give either --listen, for plain http, or --certificate and --key."),
        (
            not place.listen or LISTEN.fullmatch(place.listen),
            "--listen is an address and a port, such as 127.0.0.1:8080.",
        ),
        (APP.fullmatch(place.app), "--app is a host and a port, such as 127.0.0.1:8000, or unix:/run/library.sock."),
        (
            not place.checker or APP.fullmatch(place.checker),
            "--checker is a host and a port, such as 127.0.0.1:8001, or unix:/run/check.sock.",
        ),
        (
            not (place.checker and place.mode is Mode.X_ACCEL),
            "With --mode x-accel there is no check to ask, so leave out --checker.",
        ),
        (INNER.fullmatch(place.inner), "--inner is a port of this machine's own, such as 127.0.0.1:8184."),
        (not place.bytes or SIZE.fullmatch(place.bytes), "--cache-bytes is a size, such as 500m or 2g."),
        (
            all(FOLDER.fullmatch(one) for one in (*files, place.folder, place.logs) if one),
            "Files and folders are given in full, such as /etc/ssl/library.pem, in letters, digits, . - and _.",
        ),
    )
