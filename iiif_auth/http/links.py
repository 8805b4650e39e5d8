"""Where our services are on this site."""

from __future__ import annotations

from django.urls import reverse

from iiif_auth.conf import conf
from iiif_auth.protocol.links import Links


def links() -> Links:
    """The links of Authorization Flow 2.0, absolute, from the setting and never from ``Host`` (security C6)."""
    site = conf.BASE_URL

    def prefix(name: str, **kwargs: str) -> str:
        return site + reverse(f"iiif_auth:{name}", kwargs=kwargs).removesuffix("x")

    return Links(
        site=site,
        access_at=prefix("access", slug="x"),
        token_at=prefix("token", slug="x"),
        logout_at=prefix("logout", slug="x"),
        probe_at=prefix("probe", reference="x"),
    )
