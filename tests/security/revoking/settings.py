"""A small site for campaigns: sessions and log-in, the app, and nothing that would only cost time."""

from __future__ import annotations

from pathlib import Path

import environ

env = environ.Env()

SECRET_KEY = "known to everybody who reads this"
ALLOWED_HOSTS = ["iiif.example.org"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "rest_framework",
    "iiif_auth",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",  # says how long answers are, so that connections are kept
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "tests.http.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parents[2] / "http" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
DATABASES = {"default": {**env.db("DATABASE_URL", default="sqlite://:memory:"), "CONN_MAX_AGE": None}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
STATIC_URL = "static/"
IIIF_AUTH_FLOW = {"BASE_URL": "https://iiif.example.org", "LOGIN_URL": "/accounts/login/", "COUNT_SECONDS": 0}
LOGGING = {
    "version": 1,
    "loggers": {name: {"level": "CRITICAL", "propagate": False} for name in ("django.request", "iiif_auth")},
}
