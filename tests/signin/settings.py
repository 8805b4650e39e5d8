"""The demo site with every way to sign in, for the tests in :mod:`tests.signin.inside`."""

from __future__ import annotations

import os

os.environ.update(OPENID_PROVIDERS="", SAML_PROVIDERS="", MFA="1", TRUSTED_PROXIES="1")

from project.settings import *  # noqa: F403

INSTALLED_APPS += [  # noqa: F405
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
]
MIDDLEWARE += ["project.answers.AnswersMiddleware", "project.remote.RemoteUserMiddleware"]  # noqa: F405
AUTHENTICATION_BACKENDS += ["project.remote_backend.RemoteUserBackend"]  # noqa: F405
IIIF_AUTH_FLOW = {"BASE_URL": "https://iiif.example.org", "TRUSTED_PROXIES": 1}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
ALLOWED_HOSTS = ["iiif.example.org", "testserver"]
ROOT_URLCONF = "tests.signin.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
