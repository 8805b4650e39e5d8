"""The one reader of settings: ``IIIF_AUTH_FLOW``, a dict. Everything is read at use, nothing is kept.

The name ``IIIF_AUTH`` belongs to another package, which publishes its content (``hosts.md``, C1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

DEFAULTS: dict[str, Any] = {
    "BASE_URL": "",
    "LOGIN_URL": "",
    "TRUSTED_PROXIES": 0,
    "PLAIN_HTTP_VIEWERS": True,
    "SEND_FILE": "",
    "OFFERS": "",
    "SUBJECT": "",
    "IS_AUTHENTICATED": "",
    "MANIFEST_SOURCES": (),
    "MANIFEST_PATHS": (),
}
"""Every key there is, with its default."""


class Conf:
    """Settings by name, as properties."""

    @property
    def given(self) -> dict[str, Any]:
        return getattr(settings, "IIIF_AUTH_FLOW", {})

    def _value(self, key: str) -> Any:
        return self.given.get(key, DEFAULTS[key])

    @property
    def BASE_URL(self) -> str:
        """The public URL of this site, ``https://host[:port]``, without a slash at the end."""
        return str(self._value("BASE_URL")).rstrip("/")

    @property
    def LOGIN_URL(self) -> str:
        """Where people log in: a URL or the name of one. Default: Django's own ``LOGIN_URL``."""
        return str(self._value("LOGIN_URL") or settings.LOGIN_URL)

    @property
    def TIME_ZONE(self) -> str:
        """Where days begin, for the dates that refused people are told: Django's ``TIME_ZONE``."""
        return str(settings.TIME_ZONE)

    @property
    def TRUSTED_PROXIES(self) -> int:
        """How many proxies of ours append to ``X-Forwarded-For``; with 0 the header is not read at all."""
        return int(self._value("TRUSTED_PROXIES"))

    @property
    def PLAIN_HTTP_VIEWERS(self) -> bool:
        """Whether viewers on ``http://`` pages may be given tokens."""
        return bool(self._value("PLAIN_HTTP_VIEWERS"))

    @property
    def SEND_FILE(self) -> str:
        """A prefix such as ``/protected/`` of an internal nginx location for ``X-Accel-Redirect``; empty: send it ourselves."""
        return str(self._value("SEND_FILE"))

    @property
    def OFFERS(self) -> Callable[[str], Any] | None:
        """A hook ``(url) -> Offer | None`` for resources that live in the host's own models."""
        return self._hook("OFFERS")

    @property
    def SUBJECT(self) -> Callable[..., Any] | None:
        """A hook ``(subject, request) -> Subject`` that adds groups and attributes of the host's."""
        return self._hook("SUBJECT")

    @property
    def IS_AUTHENTICATED(self) -> Callable[..., bool] | None:
        """A hook ``(user) -> bool`` for hosts whose anonymous visitors have an account of their own."""
        return self._hook("IS_AUTHENTICATED")

    @property
    def MANIFEST_SOURCES(self) -> tuple[str, ...]:
        """Beginnings of the URLs from which manifests may be fetched to add services to them; none by default."""
        return tuple(self._value("MANIFEST_SOURCES"))

    @property
    def MANIFEST_PATHS(self) -> tuple[str, ...]:
        """Paths of the host's own manifests, ``*`` being anything within a segment, to which a middleware adds services."""
        return tuple(self._value("MANIFEST_PATHS"))

    def _hook(self, key: str) -> Callable[..., Any] | None:
        path = self._value(key)
        return import_string(path) if isinstance(path, str) and path else path or None


conf = Conf()
