"""Settings of the host. Nothing of the demo is used."""

from __future__ import annotations

import os

SECRET_KEY = "only-for-tests-and-never-anywhere-else-0123456789"
DEBUG = False
ALLOWED_HOSTS = ["archive.example.org"]
ROOT_URLCONF = "tests.hosts.archive.urls"
INSTALLED_APPS = [
    "corsheaders",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "iiif_auth",
    "tests.hosts.archive.apps.ArchiveConfig",
]
MIDDLEWARE = [
    "iiif_auth.middleware.FlowMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "tests.hosts.archive.middleware.StrictPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
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
        "NAME": os.environ["HOST_DATABASE"],
        "ATOMIC_REQUESTS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTH_USER_MODEL = "archive.Reader"
LOGIN_URL = "/nowhere-at-all/"
STATIC_URL = "/static/"
LANGUAGE_CODE = "en"
USE_TZ = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

CORS_ALLOWED_ORIGINS = ["https://friend.example.org", "https://partner.example.org"]
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.BasicAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": "7",
    "ALLOWED_VERSIONS": ["7"],
    "EXCEPTION_HANDLER": "tests.hosts.archive.middleware.no_answer",
}
IIIF_AUTH_FLOW = {"BASE_URL": "https://archive.example.org", "LOGIN_URL": "sign-in"}
