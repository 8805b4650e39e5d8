"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class IIIFAuthConfig(AppConfig):
    name = "iiif_auth"
    label = "iiif_auth"
    verbose_name = _("Access to IIIF content")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from iiif_auth import checks, counting, history, signals, triggers  # noqa: F401 - they register themselves with loaded apps

        history.connect()
        if apps.is_installed("allauth.socialaccount"):
            from iiif_auth.attributes import from_allauth

            from_allauth.connect()
        post_migrate.connect(triggers.reinstall, sender=self, dispatch_uid="iiif_auth.triggers")
