"""Where our services are on this site."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse

from iiif_auth.conf import conf
from iiif_auth.protocol.dialects import PROBES
from iiif_auth.protocol.links import Links


def links(space: str = "2") -> Links:
    """The links of one space of dialects, absolute, from the setting and never from ``Host`` (security C6)."""
    return _links(space, *_mount())


def refused_at(reference: str) -> str:
    """The page that says why something is refused, absolute.

    Args:
        reference: of the item, as ``protocol.identity.reference`` makes it, of letters that need no escape.
    """
    return _refused_at(*_mount()) + reference


def _mount() -> tuple[str, str, object]:
    """Where the app is: what the addresses of its services depend on."""
    return conf.BASE_URL, get_script_prefix(), get_urlconf() or settings.ROOT_URLCONF


@lru_cache(maxsize=64)
def _refused_at(site: str, script: str, urlconf: object) -> str:
    return site + reverse("iiif_auth:refused", kwargs={"reference": "x"}).removesuffix("x")


@lru_cache(maxsize=64)
def _links(space: str, site: str, script: str, urlconf: object) -> Links:
    """Made once for each place the app is at: finding four addresses takes as long as an empty page."""

    def prefix(name: str, **kwargs: str) -> str:
        return site + reverse(f"iiif_auth:{name}", kwargs={"space": space, **kwargs}).removesuffix("x")

    return Links(
        site=site,
        access_at=prefix("access", slug="x"),
        token_at=prefix("token", slug="x"),
        logout_at=prefix("logout", slug="x"),
        probe_at=prefix("probe", reference="x") if space in PROBES else "",
        client_at=prefix("client", slug="x"),
    )
