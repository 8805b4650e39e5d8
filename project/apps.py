"""The demo site as a Django app."""

from __future__ import annotations

from django.apps import AppConfig, apps


class ProjectConfig(AppConfig):
    name = "project"

    def ready(self) -> None:
        from project import checks  # noqa: F401 - it registers itself

        if apps.is_installed("allauth.socialaccount"):
            from project import provider_sessions

            provider_sessions.connect()
