"""The leanest site that runs the app, so that a ratio tells of the app and not of somebody's middleware."""

from __future__ import annotations

import environ

env = environ.Env()

SECRET_KEY = "measured, not served"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "iiif_auth"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.bench.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {**env.db("DATABASE_URL", default="sqlite://:memory:"), "CONN_MAX_AGE": None}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "static/"
CHECK_SECRET = "measured-and-known-to-everybody-who-reads-this"
IIIF_AUTH_FLOW = {
    "BASE_URL": "http://localhost:8000",
    "LOGIN_URL": "/login",
    "TRUSTED_PROXIES": 1,
    "PREPARED_STATEMENTS": env.bool("PREPARED", default=False),
    "CHECK_SECRET": CHECK_SECRET,
    "CHECK_CACHE_SECONDS": env.float("CHECK_CACHE_SECONDS", default=1),
    "EDGE_KEYS": {"e1": CHECK_SECRET},
    "DOORS": (
        {
            "name": "images",
            "path": "/iiif/3/",
            "serves": "image-3",
            "upstream": env.str("IMAGES", default="http://127.0.0.1:1/"),
        },
        {
            "name": "tiles",
            "path": "/tiles/",
            "serves": "folders",
            "root": env.str("TILES", default="/"),
            "entry": "tiles.json",
        },
    ),
}
# Django writes a line for every 401 otherwise, and that would be measured too (speed.md, section 7).
LOGGING = {"version": 1, "loggers": {"django.request": {"level": "CRITICAL", "propagate": False}}}
