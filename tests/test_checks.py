"""System checks: each speaks up once about a wrong setting, and is silent about right ones."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.db import connection, connections

from iiif_auth import checks, triggers
from tests import factories

FLOW = "iiif_auth.middleware.FlowMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"
RIGHT = {"BASE_URL": "https://iiif.example.org"}


@pytest.fixture
def right(settings):
    """Settings with which nothing is to be said."""
    settings.IIIF_AUTH_FLOW = RIGHT
    settings.ROOT_URLCONF = "tests.http.urls"
    settings.LOGIN_URL = "/accounts/login/"
    settings.MIDDLEWARE = [FLOW, SECURITY, "django.contrib.sessions.middleware.SessionMiddleware"]
    return settings


def said() -> list[str]:
    return [message.id for message in checks.check_settings(None)]


def flow(**values):
    return {"IIIF_AUTH_FLOW": {**RIGHT, **values}}


DOOR = {"name": "files", "path": "/files/", "serves": "files", "upstream": "http://127.0.0.1:8182/files/"}
WRONG = {
    "iiif_auth.E001": [
        {"IIIF_AUTH_FLOW": []},
        {"IIIF_AUTH_FLOW": "https://iiif.example.org"},
        {"IIIF_AUTH_FLOW": None},
    ],
    "iiif_auth.E002": [flow(BASEURL="x"), flow(base_url="x")],
    "iiif_auth.E003": [{"IIIF_AUTH": RIGHT}],
    "iiif_auth.E004": [{"IIIF_AUTH_FLOW": {}}, flow(BASE_URL=""), flow(BASE_URL="/")],
    "iiif_auth.E017": [
        flow(MANIFEST_SOURCES="https://x.example.org/"),
        flow(MANIFEST_PATHS="/iiif/*"),
        flow(MANIFEST_PATHS=None),
    ],
    "iiif_auth.E018": [
        *[flow(MANIFEST_SOURCES=[url]) for url in ("x.example.org", "https://x.example.org/?a=b", "ftp://x/", 7, "")],
        *[flow(MANIFEST_PATHS=[path]) for path in ("iiif/*", "https://x.example.org/iiif/*", None)],
    ],
    "iiif_auth.E005": [
        flow(BASE_URL=url)
        for url in (
            "https://iiif.example.org/path",
            "iiif.example.org",
            "https://IIIF.example.org",
            "ftp://x",
            "https://x:443",
        )
    ],
    "iiif_auth.E006": [flow(BASE_URL=url) for url in ("http://iiif.example.org", "http://localhost.example.org")],
    "iiif_auth.E007": [{"LOGIN_URL": url} for url in ("/nowhere/", "no-such-name", "no:such")]
    + [flow(LOGIN_URL="/nowhere/")],
    "iiif_auth.E008": [{name: "None"} for name in ("SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE")],
    "iiif_auth.E009": [{"MIDDLEWARE": [SECURITY]}],
    "iiif_auth.E010": [{"MIDDLEWARE": [SECURITY, FLOW]}],
    "iiif_auth.E011": [
        {"MIDDLEWARE": [FLOW, SECURITY, f"django.middleware.cache.{name}"]}
        for name in ("UpdateCacheMiddleware", "FetchFromCacheMiddleware")
    ],
    "iiif_auth.E012": [flow(TRUSTED_PROXIES=count) for count in (-1, "two", None, [1])],
    "iiif_auth.E013": [
        flow(**{hook: path})
        for hook in ("OFFERS", "LOCATIONS", "SUBJECT", "IS_AUTHENTICATED")
        for path in ("a.b", "nodots")
    ],
    "iiif_auth.E014": [flow(SUBJECT="django.VERSION"), flow(OFFERS=7), flow(LOCATIONS="django.VERSION")],
    "iiif_auth.E015": [flow(SEND_FILE=prefix) for prefix in ("protected/", "/protected", "protected")],
    "iiif_auth.E022": [
        flow(DOORS=doors)
        for doors in (
            ({"name": "a", "path": "/a/"},),
            ({**DOOR, "serves": "pictures"},),
            ({**DOOR, "upstream": ""},),
            ({**DOOR, "root": "/srv/"},),
            ({**DOOR, "path": "/a"},),
            ({**DOOR, "path": "/"},),
            ({**DOOR, "name": "A b"},),
            ({**DOOR, "upstream": "http://127.0.0.1:8182/iiif"},),
            ({**DOOR, "upstream": "file:///etc/"},),
            ({**DOOR, "serves": "image-3", "upstream": "", "root": "/srv/"},),
            ({**DOOR, "upstream": "fastcgi://127.0.0.1:9000/"},),
            ({**DOOR, "base": "images.example.org"},),
            ({**DOOR, "uptream": "http://x/"},),
            ({**DOOR, "entry": "../x"},),
            (DOOR, DOOR),
            (DOOR, {**DOOR, "path": "/b/"}),
            (DOOR, {**DOOR, "name": "b"}),
            "images",
            7,
        )
    ],
    "iiif_auth.E023": [
        flow(SIGNING_KEYS=["x" * 32]),
        flow(SIGNING_KEYS={"K1": "x" * 32}),
        flow(EDGE_KEYS={"k.1": "x" * 32}),
        flow(EDGE_KEYS="x" * 32),
    ],
    "iiif_auth.E024": [
        flow(CHECK_SECRET="short", TRUSTED_PROXIES=1),
        flow(SIGNING_KEYS={"k1": "short"}),
        flow(EDGE_KEYS={"k2": "x" * 32, "k1": "x" * 31}),
    ],
    "iiif_auth.E025": [
        *[flow(CHECK_CACHE_SECONDS=seconds) for seconds in (-1, 6, "1", None, True)],
        *[flow(EDGE_SECONDS=seconds) for seconds in (0, 61, "60")],
        *[flow(RANGE_BYTES=size) for size in (0, 65_535, "1M", None)],
        *[flow(COUNT_SECONDS=seconds) for seconds in (-1, 3601, "60", True)],
        *[flow(SIGNED_MINUTES=minutes) for minutes in (0, 721, "60")],
    ],
    "iiif_auth.E060": [flow(LOGIN_WINDOW=name) for name in ("", "popup", None)],
    "iiif_auth.E070": [
        flow(DIAGNOSIS_VIEWER=page) for page in ("viewer.example.net", "ftp://viewer.example.net/", "https://")
    ],
    "iiif_auth.E071": [flow(DIAGNOSIS_VIEWER=f"{RIGHT['BASE_URL']}/look")],
    "iiif_auth.E061": [
        flow(COOKIE_DOMAIN=domain) for domain in ("org", "localhost", "192.0.2.1", "exa mple.org", "a/b.org")
    ],
    "iiif_auth.E062": [flow(COOKIE_DOMAIN=domain) for domain in ("images.example.org", "xample.org", "example.com")],
    "iiif_auth.W061": [flow(COOKIE_DOMAIN=domain) for domain in ("example.org", ".Example.org", "iiif.example.org")],
    "iiif_auth.E026": [flow(SEND_FILE_HEADER=name) for name in ("X-Send", "", "x-accel-redirect")],
    "iiif_auth.E044": [flow(TERM_ENDS=days) for days in (("02-30",), "03-31", ("1 May",), (331,), None)],
    "iiif_auth.E027": [flow(SEND_UPSTREAM=prefix) for prefix in ("up/", "/up", "up")],
    "iiif_auth.E028": [flow(CHECK_SECRET="x" * 32), flow(CHECK_SECRET="x" * 32, TRUSTED_PROXIES=0, DOORS=(DOOR,))],
    "iiif_auth.W003": [flow(DOORS=({**DOOR, "upstream": "", "root": "/no/such/folder/"},))],
    "iiif_auth.W001": [{"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}],
    "iiif_auth.W002": [
        {"CORS_ALLOW_ALL_ORIGINS": True, "CORS_ALLOW_CREDENTIALS": True, "INSTALLED_APPS": ["corsheaders"]},
    ],
}
GOOD = [
    {},
    flow(BASE_URL="https://iiif.example.org/"),
    flow(BASE_URL="https://iiif.example.org:8443"),
    flow(BASE_URL="http://localhost:8000"),
    flow(BASE_URL="http://library.localhost:8000"),
    flow(BASE_URL="http://127.0.0.1:8000"),
    flow(BASE_URL="http://[::1]:8000"),
    flow(DIAGNOSIS_VIEWER="https://viewer.example.net/look"),
    flow(TRUSTED_PROXIES=2),
    flow(TRUSTED_PROXIES=0),
    flow(SEND_FILE="/protected/"),
    flow(SUBJECT="project.places.pretend"),
    flow(LOCATIONS="tests.enforce.test_objects.in_the_bucket"),
    flow(LOGIN_URL="https://sso.example.org/login"),
    {"IIIF_AUTH": {"something": "else"}},
    {"IIIF_AUTH": "another.package"},
    {"SESSION_COOKIE_SAMESITE": "Strict", "CSRF_COOKIE_SAMESITE": False},
    {"MIDDLEWARE": [SECURITY], "SECURE_CROSS_ORIGIN_OPENER_POLICY": None},
    {"MIDDLEWARE": []},
    {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"), **flow(TRUSTED_PROXIES=1)},
    flow(MANIFEST_SOURCES=["https://x.example.org/iiif/"], MANIFEST_PATHS=("/iiif/*/manifest.json",)),
    {"CORS_ALLOW_ALL_ORIGINS": True, "INSTALLED_APPS": ["corsheaders"]},
    {"CORS_ALLOW_CREDENTIALS": True, "INSTALLED_APPS": ["corsheaders"]},
    flow(DOORS=(DOOR, {**DOOR, "name": "b", "base": "https://images.example.org"})),
    flow(DOORS=[{**DOOR, "serves": "image-2", "upstream": "fastcgi://127.0.0.1:9000/iiif/"}]),
    flow(DOORS=({**DOOR, "upstream": "", "root": "/"},)),
    flow(DOORS=(DOOR,), CHECK_SECRET="x" * 32, TRUSTED_PROXIES=1),
    flow(SIGNING_KEYS={"k2": "y" * 32, "k1": "x" * 40}, EDGE_KEYS={"e1": "z" * 32}),
    flow(CHECK_CACHE_SECONDS=0, SIGNED_MINUTES=720, EDGE_SECONDS=1),
    flow(CHECK_CACHE_SECONDS=0.5),
    flow(SEND_FILE_HEADER="X-Sendfile", SEND_UPSTREAM="/_iiif_up/"),
]


def apply(settings, values) -> None:
    for name, value in values.items():
        if name == "INSTALLED_APPS":
            value = [app for app in settings.INSTALLED_APPS if not app.startswith("allauth")] + value
        setattr(settings, name, value)


@pytest.mark.parametrize(("id", "values"), [(id, values) for id, cases in WRONG.items() for values in cases])
def test_a_wrong_setting_is_named_once_and_nothing_else_is(right, id, values):
    apply(right, values)
    assert said() == [id]


@pytest.mark.parametrize("values", GOOD)
def test_right_settings_are_passed_over_in_silence(right, values):
    apply(right, values)
    assert said() == []


def test_every_message_says_what_to_do(right):
    for cases in WRONG.values():
        apply(right, cases[0])
        assert all(
            message.hint and message.hint.endswith(".") or '"' in message.hint
            for message in checks.check_settings(None)
        )


def test_a_user_model_without_a_password_is_named(right, monkeypatch):
    """No setting makes one here, so the question is asked about a model that has none."""
    monkeypatch.setattr(checks, "get_user_model", lambda: Group)
    assert said() == ["iiif_auth.E016"]


POSTGRES = {"CONN_MAX_AGE": 60, "OPTIONS": {}}


@pytest.mark.parametrize(
    ("vendor", "given", "expected"),
    [
        ("sqlite", {}, ["iiif_auth.W063"]),
        ("postgresql", {}, []),
        ("postgresql", {"CONN_MAX_AGE": None}, []),
        ("postgresql", {"CONN_MAX_AGE": 0}, ["iiif_auth.W064"]),
        ("postgresql", {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}, []),
        ("postgresql", {"DISABLE_SERVER_SIDE_CURSORS": True}, ["iiif_auth.E063"]),
        ("postgresql", {"DISABLE_SERVER_SIDE_CURSORS": False}, []),
    ],
)
def test_statements_are_kept_ready_only_where_they_can_be(right, monkeypatch, vendor, given, expected):
    monkeypatch.setattr(type(connections["default"]), "vendor", vendor)
    monkeypatch.setattr(connections["default"], "settings_dict", {**POSTGRES, **given})
    assert said() == []
    apply(right, flow(PREPARED_STATEMENTS=True))
    assert said() == expected


def test_statements_are_not_kept_ready_through_the_older_driver(right, monkeypatch):
    monkeypatch.setattr(type(connections["default"]), "vendor", "postgresql")
    monkeypatch.setattr(checks.importlib.util, "find_spec", lambda name: None)
    apply(right, flow(PREPARED_STATEMENTS=True))
    assert said() == ["iiif_auth.E064"]


def test_triggers_that_are_missing_are_named(db):
    assert checks.check_database(None, databases=["default"]) == []
    triggers.remove(connection)
    assert [message.id for message in checks.check_database(None, databases=["default"])] == ["iiif_auth.E021"]
    triggers.install(connection)
    assert checks.check_database(None, databases=["default"]) == []


def test_a_database_that_can_not_watch_itself_is_named(db, monkeypatch):
    monkeypatch.setattr(type(connections["default"]), "vendor", "oracle")
    assert [message.id for message in checks.check_database(None, databases=["default"])] == ["iiif_auth.E020"]


def found_in_the_database():
    return [message.id for message in checks.check_database(None, databases=["default"])]


def test_rules_about_places_ask_how_many_proxies_there_are(db, settings):
    settings.IIIF_AUTH_FLOW = {"BASE_URL": "https://iiif.example.org"}
    network = factories.NetworkFactory()
    assert found_in_the_database() == [], "no rule names it"
    grant = factories.GrantFactory(user=None, network=network)
    assert found_in_the_database() == ["iiif_auth.W031"]
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 0}
    assert found_in_the_database() == []
    grant.delete()
    factories.ConditionFactory(kind="network", network=network)
    del settings.IIIF_AUTH_FLOW["TRUSTED_PROXIES"]
    assert found_in_the_database() == ["iiif_auth.W031"]


@pytest.mark.parametrize("prefix", ["0.0.0.0/0", "::/0"])
def test_a_place_that_is_the_whole_world_is_named(db, settings, prefix):
    settings.IIIF_AUTH_FLOW = {"BASE_URL": "https://iiif.example.org", "TRUSTED_PROXIES": 0}
    factories.GrantFactory(user=None, network=factories.NetworkFactory(prefixes=["192.0.2.0/28", prefix]))
    assert found_in_the_database() == ["iiif_auth.W032"]


def test_no_database_is_asked_unless_it_is_named():
    assert checks.check_database(None) == []


def test_the_demo_has_nothing_to_be_said_about_it(db):
    assert [message for message in run_checks(databases=["default"]) if str(message.id).startswith("iiif_auth.")] == []


def test_every_id_is_given_once_and_tried_here():
    source = Path(checks.__file__).read_text()
    found = Counter(
        f"iiif_auth.{'E' if kind == 'error' else 'W'}{int(number):03}"
        for kind, number in re.findall(r"\b(error|warning)\(\s*(\d+),", source)
    )
    assert [id for id, times in found.items() if times > 1] == []
    otherwise = ["E016", "E020", "E021", "W031", "W032", "E063", "W063", "E064", "W064"]
    tried = {*WRONG, *(f"iiif_auth.{id}" for id in otherwise)}
    assert set(found) == tried
