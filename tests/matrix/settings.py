"""Settings of the deployment that the matrix runs against: the demo's own, behind TLS, under names of two sites."""

from __future__ import annotations

from django.conf import global_settings

from project.settings import *  # noqa: F403 - the demo's settings are what is tested
from tests.matrix import names

ALLOWED_HOSTS = [names.LIBRARY, names.IMAGES]
ROOT_URLCONF = "tests.matrix.urls"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *global_settings.PASSWORD_HASHERS]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain"},
        "kept": {"class": "tests.matrix.log.Told"},
    },
    "loggers": {
        "iiif_auth": {"handlers": ["console"], "level": "WARNING"},
        "iiif_auth.token": {"handlers": ["kept"], "level": "DEBUG"},
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
