"""Everything behind the doors of the settings, served by Django.

Include it at the root of a site: ``path("", include("iiif_auth.doorways"))``.
A web server in front that asks the check does without it, but for info.json, which is always written here.
"""

from __future__ import annotations

from django.urls import URLPattern
from django.urls.resolvers import RegexPattern

from iiif_auth.doorways.views import doorway
from iiif_auth.enforce.doors import doors

__all__ = ["urlpatterns"]


class BehindADoor(RegexPattern):
    """Fits every path below a door. The settings are read when a request comes, as all others are.

    Only whether this is ours is seen here, on the decoded path; what is asked is read from the raw one, and may be refused there.
    """

    def __init__(self) -> None:
        super().__init__(r"", is_endpoint=True)

    def match(self, path: str) -> tuple[str, tuple[()], dict[str, str]] | None:
        beginnings = tuple(door.path for door in doors())
        return ("", (), {}) if f"/{path}".startswith(beginnings) else None


urlpatterns = [URLPattern(BehindADoor(), doorway)]
