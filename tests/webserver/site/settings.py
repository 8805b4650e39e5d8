"""Settings of the library behind the stacks. What differs between stacks is in the environment."""

from __future__ import annotations

import json
import os

from tests.webserver.site.holdings import FILMS, IMAGES, MEDIA, OLDER, REELS

STACK = json.loads(os.environ.get("STACK", "{}"))
"""``folder``, ``upstream`` (host and port), ``base`` and whatever of ``IIIF_AUTH_FLOW`` is not as it usually is (``flow``)."""

FOLDER, UPSTREAM = STACK.get("folder", "/nonexistent"), STACK.get("upstream", "127.0.0.1:9")

SECRET_KEY = "a key of tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "iiif_auth"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.webserver.site.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{FOLDER}/library.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "static/"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "iiif_auth": {"handlers": ["console"], "level": "WARNING"},
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}

CHECK_SECRET = "the-secret-of-the-check-in-32-letters"
EDGE_KEYS = {"e1": "a-key-for-the-edge-of-it-in-32-letters"}
SIGNING_KEYS = {"s1": "a-key-for-signed-addresses"}
DOORS = (
    {"name": "images", "path": IMAGES, "serves": "image-3", "upstream": f"http://{UPSTREAM}/iiif/3/"},
    {"name": "older", "path": OLDER, "serves": "image-2", "upstream": f"http://{UPSTREAM}/iiif/2/"},
    {"name": "media", "path": MEDIA, "serves": "files", "root": f"{FOLDER}{MEDIA}"},
    {"name": "films", "path": FILMS, "serves": "folders", "root": f"{FOLDER}{FILMS}"},
    {"name": "reels", "path": REELS, "serves": "folders", "upstream": f"http://{UPSTREAM}{REELS}"},
)
IIIF_AUTH_FLOW = {
    "BASE_URL": STACK.get("base", "http://127.0.0.1"),
    "LOGIN_URL": "/empty",
    "TRUSTED_PROXIES": 1,
    "DOORS": DOORS,
    "CHECK_SECRET": CHECK_SECRET,
    "EDGE_KEYS": EDGE_KEYS,
    "SIGNING_KEYS": SIGNING_KEYS,
    **STACK.get("flow", {}),
}
