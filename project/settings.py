"""Settings of the demo site. Everything a deployment would change comes from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ

from project import remote, sign_in
from project.secret import kept_secret

ROOT = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
"""Set by ``manage.py demo`` only: known passwords, and the switch that pretends where readers sit."""

DEMO_DATA = Path(env.str("DEMO_DATA", default=str(ROOT / ".demo")))
"""Where the demo keeps its database and its pictures."""

DEMO_DRAW = env.bool("DEMO_DRAW", default=True)
"""Whether ``manage.py demo`` draws what is not there yet; tests of the command itself do without."""

BASE_URL: str = env.str("BASE_URL", default="http://localhost:8000")
VIEWER_URL: str = env.str("VIEWER_URL", default="")
"""Where the demo's viewer is: another site, so another host name and port."""

SECRET_KEY: str = env.str("SECRET_KEY", default="") or kept_secret(DEMO_DATA)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "testserver"])

WAYS = sign_in.ways(
    openid=env.str("OPENID_PROVIDERS", default=""),
    saml=env.str("SAML_PROVIDERS", default=""),
    mfa=env.bool("MFA", default=False),
)
"""Ways to sign in besides a password; see :mod:`project.sign_in`."""
REMOTE = remote.Setup(
    variable=env.str("REMOTE_USER", default=""),
    secret=env.str("REMOTE_USER_SECRET", default=""),
    issuer=env.str("REMOTE_USER_ISSUER", default=""),
    issuer_variable=env.str("REMOTE_USER_ISSUER_VARIABLE", default=""),
    attributes=env.str("REMOTE_USER_ATTRIBUTES", default=""),
)
"""Whom a web server in front has signed in; see :mod:`project.remote`."""

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "allauth",
    "allauth.account",
    *WAYS.apps,
    "iiif_auth",
    "project",
]

MIDDLEWARE = [
    "iiif_auth.middleware.FlowMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "project.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    *(["project.answers.AnswersMiddleware"] if WAYS.elsewhere else []),
    *(["project.remote.RemoteUserMiddleware"] if REMOTE.wanted else []),
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, Any] = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DEMO_DATA / 'demo.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a deferred transaction that upgrades fails at once (security R16)
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    *(["project.remote_backend.RemoteUserBackend"] if REMOTE.wanted else []),
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "project.accounts.NoSignup"
SOCIALACCOUNT_ADAPTER = "project.elsewhere.SocialAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # the same e-mail address does not make two accounts one (security A11)
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = WAYS.providers(BASE_URL.rstrip("/"))
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # readers' accounts need no e-mail address here
MFA_TOTP_ISSUER = "Merehaven"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG

if DEMO:  # there is nobody to send it; what would be sent can be read in this folder
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DEMO_DATA / "mail"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("cy", "Cymraeg")]
TIME_ZONE = env.str("TIME_ZONE", default="Europe/London")
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT: str | None = env.str("STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FIXTURE_DIRS = [ROOT / "fixtures"]

SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [BASE_URL] if SECURE else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}

IMAGE_SERVER: str = env.str("IMAGE_SERVER", default="http://127.0.0.1:8182/iiif/")
"""Where ``python -m project.images`` listens, for a web server in front that guards it; the demo by itself does without."""

DOORS: tuple[dict[str, Any], ...] = (
    {"name": "images", "path": "/iiif/image/3/", "serves": "image-3", "upstream": f"{IMAGE_SERVER}3/"},
    {"name": "older", "path": "/iiif/image/2/", "serves": "image-2", "upstream": f"{IMAGE_SERVER}2/"},
    {"name": "media", "path": "/media/", "serves": "files", "root": f"{DEMO_DATA.resolve()}/media/"},
    {"name": "delivered", "path": "/media/delivered/", "serves": "files", "root": f"{DEMO_DATA.resolve()}/media/"},
    {"name": "films", "path": "/films/", "serves": "folders", "root": f"{DEMO_DATA.resolve()}/films/"},
)
DOORS = tuple(door for door in DOORS if "root" not in door or Path(door["root"]).is_dir())
"""Where a web server in front may send content itself. There are no folders before the demo has drawn what is in them."""

IIIF_AUTH_FLOW = {
    "BASE_URL": BASE_URL,
    "TRUSTED_PROXIES": TRUSTED_PROXIES,
    "SEND_FILE": env.str("SEND_FILE", default=""),
    "SEND_UPSTREAM": env.str("SEND_UPSTREAM", default=""),
    "SUBJECT": "project.places.pretend",
    "LOGIN_WINDOW": env.str("LOGIN_WINDOW", default="same"),
    "DOORS": DOORS,
    "CHECK_SECRET": env.str("CHECK_SECRET", default=""),
    "CHECK_CACHE_SECONDS": env.float("CHECK_CACHE_SECONDS", default=1),
    "SIGNING_KEYS": env.dict("SIGNING_KEYS", default={}),
    "EDGE_KEYS": env.dict("EDGE_KEYS", default={}),
    "DIAGNOSIS_VIEWER": f"{VIEWER_URL}/diagnosis.html" if VIEWER_URL else "",
    "RANGE_BYTES": 512 * 1024,  # six seconds of the demo's film
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "iiif_auth": {"handlers": ["console"], "level": "WARNING"},
        # Refusing is this site's daily business: a 401 is not worth a line, and lines cost (speed.md, section 7).
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
