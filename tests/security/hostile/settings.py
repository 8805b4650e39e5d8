"""Settings of the site under attack: the app and what it needs, and no more. Each server changes a few; see ``serving``."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.security.hostile.holdings import CHECK_SECRET, EDGE_KEYS, HOST

HERE = Path(os.environ.get("HOSTILE_FOLDER", "/nonexistent"))
UPSTREAM = os.environ.get("HOSTILE_UPSTREAM", "127.0.0.1:9")
SECRET_KEY = "only-for-hostile-requests-0123456789-abcdefghijklmnop"
DEBUG = False
ALLOWED_HOSTS = [HOST]
ROOT_URLCONF = "tests.security.hostile.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "iiif_auth",
]
MIDDLEWARE = [
    "iiif_auth.middleware.FlowMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HERE / "site.sqlite3",
        "CONN_MAX_AGE": 600,
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
LOGIN_URL = "/"
STATIC_URL = "/static/"
USE_TZ = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
IIIF_AUTH_FLOW = {
    "BASE_URL": f"https://{HOST}",
    "TRUSTED_PROXIES": 0,
    "CHECK_SECRET": CHECK_SECRET,
    "SIGNED_MINUTES": 600,
    "EDGE_KEYS": EDGE_KEYS,
    "EDGE_SECONDS": 60,
    "DOORS": (
        {"name": "images", "path": "/iiif/image/3/", "serves": "image-3", "upstream": f"http://{UPSTREAM}/iiif/3/"},
        {"name": "older", "path": "/iiif/image/2/", "serves": "image-2", "upstream": f"http://{UPSTREAM}/iiif/2/"},
        {"name": "media", "path": "/media/", "serves": "files", "root": f"{HERE}/media/"},
        {"name": "films", "path": "/films/", "serves": "folders", "root": f"{HERE}/films/"},
        {"name": "scans", "path": "/scans/", "serves": "files", "upstream": f"http://{UPSTREAM}/files/"},
    ),
}
IIIF_AUTH_FLOW |= json.loads(os.environ.get("HOSTILE_CHANGES", "{}"))
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "CRITICAL"}}
