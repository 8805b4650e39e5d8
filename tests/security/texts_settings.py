"""The site of :mod:`tests.security.texts`: that of the other campaigns, with the admin."""

from __future__ import annotations

from tests.security.revoking.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.messages", "django.contrib.admin"]  # noqa: F405
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]  # noqa: F405
TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.contrib.messages.context_processors.messages")  # noqa: F405
ROOT_URLCONF = "tests.security.texts_urls"
