"""What would break the flow or open a hole is said at start-up, with an id and what to do."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import connections
from django.db.models import Q
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve
from django.utils.module_loading import import_string

from iiif_auth import fetch, triggers
from iiif_auth.conf import DEFAULTS, conf
from iiif_auth.dates import days
from iiif_auth.enforce import doors
from iiif_auth.models import Network
from iiif_auth.protocol import origins
from iiif_auth.store.rules import database

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "testserver")
MOST_NETWORKS = 1_000
MIDDLEWARE = "iiif_auth.middleware.FlowMiddleware"


def error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"iiif_auth.E{number:03}")


def warning(number: int, message: str, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"iiif_auth.W{number:03}")


@register(Tags.security)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Everything that settings alone can tell."""
    unreadable = list(shape())
    return unreadable or [message for check in SETTINGS_CHECKS for message in check()]


def shape() -> Iterator[CheckMessage]:
    if not isinstance(conf.given, dict):
        yield error(1, "IIIF_AUTH_FLOW is not a dict.", 'Write IIIF_AUTH_FLOW = {"BASE_URL": "https://…"}.')


def keys() -> Iterator[CheckMessage]:
    for key in sorted(set(conf.given) - set(DEFAULTS)):
        known = ", ".join(sorted(DEFAULTS))
        yield error(2, f"IIIF_AUTH_FLOW has an unknown key {key!r}.", f"The keys are {known}.")
    other = getattr(settings, "IIIF_AUTH", None)
    if isinstance(other, dict) and set(other) & set(DEFAULTS):
        yield error(
            3, "IIIF_AUTH holds our settings, and another package publishes that dict.", "Rename it to IIIF_AUTH_FLOW."
        )


def base_url() -> Iterator[CheckMessage]:
    url = conf.BASE_URL
    if not url:
        yield error(
            4, "IIIF_AUTH_FLOW has no BASE_URL.", 'Set it to the public address, such as "https://iiif.example.org".'
        )
    elif origins.serialised(url) != url:
        yield error(
            5,
            f"BASE_URL {url!r} is not scheme://host[:port].",
            "Write it in small letters, without a path, such as https://iiif.example.org.",
        )
    elif (
        not url.startswith("https://")
        and urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1")
        and not str(urlsplit(url).hostname).endswith(".localhost")
    ):
        yield error(
            6,
            f"BASE_URL {url!r} is not https, so browsers will not keep the access cookie.",
            "Serve the site over https; plain http works on loopback names only.",
        )


DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def cookie_domain() -> Iterator[CheckMessage]:
    domain = conf.COOKIE_DOMAIN
    host = urlsplit(conf.BASE_URL).hostname or ""
    if not domain:
        return
    if not DOMAIN.fullmatch(domain):
        yield error(
            61,
            f"COOKIE_DOMAIN {domain!r} is not a domain with a dot in it, so browsers will not keep the access cookie.",
            "Set it to the domain that this site and your image hosts share, such as museum.example.org, or leave it out.",
        )
    elif host != domain and not host.endswith(f".{domain}"):
        yield error(
            62,
            f"This site, {host}, is not within COOKIE_DOMAIN {domain!r}, so browsers will not keep the access cookie.",
            "Set it to the domain that this site and your image hosts share, or leave it out if there is only this host.",
        )
    else:
        yield warning(
            61,
            f"Every host within {domain} is sent the cookies that open content, and can set cookies of their names.",
            "Leave COOKIE_DOMAIN out unless pictures come from another host; otherwise take the smallest domain that has both "
            "hosts in it, and let nobody else publish there. Silence this check once you have looked.",
        )


def login_url() -> Iterator[CheckMessage]:
    try:
        url = resolve_url(conf.LOGIN_URL)
        if url.startswith("/"):
            resolve(url.partition("?")[0])
    except (NoReverseMatch, Resolver404):
        yield error(
            7,
            f"The login page {conf.LOGIN_URL!r} does not exist.",
            "Set LOGIN_URL in IIIF_AUTH_FLOW, such as account_login or admin:login.",
        )


def session_cookie() -> Iterator[CheckMessage]:
    for name in ("SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE"):
        if str(getattr(settings, name, "Lax")).lower() == "none":
            yield error(
                8,
                f"{name} is None: every site in the world would act with people's sessions.",
                f'Set {name} = "Lax". The app has a cookie of its own for viewers.',
            )


def middleware() -> Iterator[CheckMessage]:
    installed = list(settings.MIDDLEWARE)
    opener = getattr(settings, "SECURE_CROSS_ORIGIN_OPENER_POLICY", "same-origin")
    if MIDDLEWARE in installed:
        if installed.index(MIDDLEWARE) > 0 and "SecurityMiddleware" in "".join(
            installed[: installed.index(MIDDLEWARE)]
        ):
            yield error(
                10,
                f"{MIDDLEWARE} stands after SecurityMiddleware, which then sets the header last.",
                "Put it first in MIDDLEWARE.",
            )
    elif opener and "django.middleware.security.SecurityMiddleware" in installed:
        yield error(
            9,
            f"The login pages send Cross-Origin-Opener-Policy: {opener}, so viewers think that the tab was closed at once.",
            f"Put {MIDDLEWARE!r} first in MIDDLEWARE.",
        )


def shared_cache() -> Iterator[CheckMessage]:
    for name in ("UpdateCacheMiddleware", "FetchFromCacheMiddleware"):
        if f"django.middleware.cache.{name}" in settings.MIDDLEWARE:
            yield error(
                11,
                f"{name} would keep answers meant for one person and give them to another.",
                "Remove it, and use cache_page on public views.",
            )


def proxies() -> Iterator[CheckMessage]:
    try:
        count = conf.TRUSTED_PROXIES
    except (TypeError, ValueError):
        count = -1
    if count < 0:
        yield error(
            12,
            "TRUSTED_PROXIES is not a number of proxies.",
            "Count the proxies of yours in front of the site; 0 if there are none.",
        )
    elif count == 0 and getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        yield warning(
            1,
            "There is a proxy in front (SECURE_PROXY_SSL_HEADER), but TRUSTED_PROXIES is 0: everybody has the proxy's address.",
            "Set TRUSTED_PROXIES to the number of your proxies.",
        )


def hooks() -> Iterator[CheckMessage]:
    for key in ("OFFERS", "LOCATIONS", "SUBJECT", "IS_AUTHENTICATED", "ITEM_PAGE"):
        path = conf.given.get(key)
        try:
            found = import_string(path) if isinstance(path, str) and path else path
        except ImportError as problem:
            yield error(13, f"The hook {key} can not be imported: {problem}", "Give the dotted path of a function.")
        else:
            if found and not callable(found):
                yield error(14, f"The hook {key} is not a function.", "Give the dotted path of a function.")


def send_file() -> Iterator[CheckMessage]:
    prefix = conf.SEND_FILE
    if prefix and not (prefix.startswith("/") and prefix.endswith("/")):
        yield error(
            15,
            f"SEND_FILE {prefix!r} is not a location.",
            "Begin and end it with a slash, such as /protected/, and make that location “internal” in nginx.",
        )


def user_model() -> Iterator[CheckMessage]:
    model = get_user_model()
    try:
        model._meta.get_field("password")
    except FieldDoesNotExist:
        yield error(
            16,
            f"{model._meta.label} has no password column, so a pass could not end with a changed password.",
            "Derive your user model from AbstractBaseUser.",
        )


def csp() -> Iterator[CheckMessage]:
    if importlib.util.find_spec("corsheaders") and "corsheaders" in settings.INSTALLED_APPS:
        everyone = getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False)
        if everyone and getattr(settings, "CORS_ALLOW_CREDENTIALS", False):
            yield warning(
                2,
                "CORS_ALLOW_CREDENTIALS with all origins lets any site read people's pages.",
                "Turn one of the two off; the flow needs neither.",
            )


def manifests() -> Iterator[CheckMessage]:
    """Entries that can not be used are passed over at run time, and so must be named here."""
    for key, example, fits in (
        ("MANIFEST_SOURCES", "https://manifests.example.org/iiif/", is_source),
        ("MANIFEST_PATHS", "/iiif/*/manifest.json", lambda path: isinstance(path, str) and path.startswith("/")),
    ):
        given = conf.given.get(key, ())
        if not isinstance(given, list | tuple):
            yield error(17, f"{key} is not a list.", f"Write it as a list, even with one entry: [{example!r}].")
            continue
        for entry in given:
            if not fits(entry):
                yield error(18, f"{entry!r} in {key} can not be used.", f"Write each entry like {example!r}.")


def is_source(entry: object) -> bool:
    target = fetch.target_of(entry) if isinstance(entry, str) else None
    return target is not None and not target.query


LEAST_SECRET = 32


def published() -> Iterator[CheckMessage]:
    """Doors make sense, and their folders are there; a web server that asks says for whom (security N2)."""
    try:
        found = doors.doors()
    except (ImproperlyConfigured, TypeError, ValueError, AttributeError) as problem:
        yield error(
            22, str(problem) or "DOORS can not be read.", "See “Doors” in the README for what a door looks like."
        )
        return
    for door in found:
        if door.root and not Path(door.root).is_dir():
            yield warning(
                3, f"The folder {door.root!r} of the door “{door.name}” is not there.", "Make it, or correct its root."
            )
    if conf.CHECK_SECRET and conf.given.get("TRUSTED_PROXIES", 0) == 0:
        yield error(
            28,
            "A web server asks for readers (CHECK_SECRET), but TRUSTED_PROXIES is 0: every reader has that server's address.",
            "Set TRUSTED_PROXIES to the number of your proxies, which is 1 if that web server is the only one.",
        )


def secrets() -> Iterator[CheckMessage]:
    named = {"CHECK_SECRET": conf.CHECK_SECRET}
    for setting in ("SIGNING_KEYS", "EDGE_KEYS"):
        given = conf.given.get(setting, {})
        if not isinstance(given, dict) or not all(KEY_NAME.fullmatch(str(name)) for name in given):
            yield error(
                23,
                f"{setting} is not a dict of keys by name.",
                'Name keys with 1 to 12 small letters and digits, newest first: {"k2": "…", "k1": "…"}.',
            )
            continue
        named |= {f"{setting}[{name!r}]": str(key) for name, key in given.items()}
    for name, secret in named.items():
        if secret and len(secret) < LEAST_SECRET:
            yield error(24, f"{name} is too short to be a secret.", f"Use {LEAST_SECRET} random characters or more.")


KEY_NAME = re.compile(r"[a-z0-9]{1,12}")


def lives() -> Iterator[CheckMessage]:
    """How long an answer or an address may be good for."""
    for key, least, most, unit in (
        ("CHECK_CACHE_SECONDS", 0, 5, "seconds"),
        ("SIGNED_MINUTES", 1, 720, "minutes"),
        ("EDGE_SECONDS", 1, 60, "seconds"),
        ("RANGE_BYTES", 65_536, 1_073_741_824, "bytes"),
        ("COUNT_SECONDS", 0, 3600, "seconds"),
    ):
        given = conf.given.get(key, DEFAULTS[key])
        if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given <= most:
            yield error(25, f"{key} is {given!r}.", f"Give {least} to {most} {unit}.")


SENDING = ("X-Accel-Redirect", "X-Sendfile")


def sending() -> Iterator[CheckMessage]:
    if conf.SEND_FILE_HEADER not in SENDING:
        yield error(26, f"SEND_FILE_HEADER is {conf.SEND_FILE_HEADER!r}.", f"It is one of {' and '.join(SENDING)}.")
    prefix = conf.SEND_UPSTREAM
    if prefix and not (prefix.startswith("/") and prefix.endswith("/")):
        yield error(
            27,
            f"SEND_UPSTREAM {prefix!r} is not a location.",
            "Begin and end it with a slash, such as /_iiif_up/, and make those locations “internal” in nginx.",
        )


def terms() -> Iterator[CheckMessage]:
    try:
        for text in conf.TERM_ENDS:
            days.in_year(2028, text)
    except (TypeError, ValueError):
        yield error(
            44,
            "TERM_ENDS has a day that does not exist.",
            'Write the last days of terms as MM-DD, such as ("03-31", "07-31").',
        )


def login_window() -> Iterator[CheckMessage]:
    if conf.LOGIN_WINDOW not in ("same", "side"):
        yield error(
            60,
            f"LOGIN_WINDOW is {conf.LOGIN_WINDOW!r}.",
            "Write “same”, or “side” if your identity provider cuts windows off from those that opened them.",
        )


def diagnosis() -> Iterator[CheckMessage]:
    """A test viewer at home would always find that everything is allowed."""
    address = conf.DIAGNOSIS_VIEWER
    if not address:
        return
    named = urlsplit(address)
    if named.scheme not in ("http", "https") or not named.hostname:
        yield error(70, f"DIAGNOSIS_VIEWER {address!r} is no address.", "Write it with https:// and a host.")
    elif named.netloc == urlsplit(conf.BASE_URL).netloc:
        yield error(71, "DIAGNOSIS_VIEWER is on this site.", "Put the page on another site, as viewers are.")


def plans() -> Iterator[CheckMessage]:
    """Whether statements can be kept ready, where that is asked for, and whether it is of use."""
    if not conf.PREPARED_STATEMENTS:
        return
    connection = connections[database()]
    given = connection.settings_dict
    if connection.vendor != "postgresql":
        yield warning(
            63,
            "PREPARED_STATEMENTS is set, but only PostgreSQL keeps statements ready.",
            "Leave it out, or use PostgreSQL.",
        )
    elif importlib.util.find_spec("psycopg") is None:
        yield error(
            64,
            "PREPARED_STATEMENTS is set, and Django's older driver for PostgreSQL cannot keep statements ready.",
            "Install psycopg 3, or leave PREPARED_STATEMENTS out.",
        )
    elif given.get("DISABLE_SERVER_SIDE_CURSORS"):
        yield error(
            63,
            "PREPARED_STATEMENTS is set, and DISABLE_SERVER_SIDE_CURSORS says that a pooler lends a connection for one "
            "transaction only: what one connection keeps ready is unknown to the next, and such checks fail.",
            "Leave PREPARED_STATEMENTS out, or connect to PostgreSQL without the pooler.",
        )
    elif given["CONN_MAX_AGE"] == 0 and not given["OPTIONS"].get("pool"):
        yield warning(
            64,
            "PREPARED_STATEMENTS is set, but CONN_MAX_AGE is 0: what a connection keeps ready goes with it after each request.",
            "Set CONN_MAX_AGE of the database to some seconds, or use Django's connection pool.",
        )


SETTINGS_CHECKS = (
    keys,
    plans,
    login_window,
    base_url,
    cookie_domain,
    login_url,
    session_cookie,
    middleware,
    shared_cache,
    proxies,
    hooks,
    send_file,
    published,
    secrets,
    lives,
    sending,
    manifests,
    user_model,
    csp,
    terms,
    diagnosis,
)


@register(Tags.database)
def check_database(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Whether the database can raise the epoch by itself."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor not in ("sqlite", "postgresql"):
            messages.append(
                error(
                    20,
                    f"iiif_auth does not know how to watch rules in {connection.vendor}.",
                    "Use PostgreSQL or SQLite.",
                )
            )
        elif "iiif_auth_epoch" in connection.introspection.table_names() and triggers.missing(connection):
            messages.append(
                error(
                    21, "Triggers that announce changed rules are missing from the database.", "Run: manage.py migrate"
                )
            )
        else:
            messages += places(alias)
    return messages


def places(alias: str) -> Iterator[CheckMessage]:
    """What would make rules about networks mean something else than they say (security N2, N5)."""
    if "iiif_auth_network" not in connections[alias].introspection.table_names():
        return
    named = Q(conditions__isnull=False) | Q(grants__isnull=False)
    rows = list(Network.objects.using(alias).filter(named).distinct()[:MOST_NETWORKS])
    if rows and not settings.DEBUG and "TRUSTED_PROXIES" not in conf.given:
        yield warning(
            31,
            "Rules name networks, but IIIF_AUTH_FLOW does not say how many proxies of yours stand in front of the site.",
            "Set TRUSTED_PROXIES to their number; 0 if browsers connect to the application itself.",
        )
    for row in rows:
        if any(text.endswith("/0") for text in row.prefixes):
            yield warning(
                32,
                f"The network {row.slug} takes in every address there is, so rules about it hold for the whole world.",
                "Take the prefix that ends with /0 out of it, or let the rules say “everyone”.",
            )
