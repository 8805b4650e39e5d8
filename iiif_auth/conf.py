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
    "COOKIE_DOMAIN": "",
    "LOGIN_URL": "",
    "LOGIN_WINDOW": "same",
    "TRUSTED_PROXIES": 0,
    "PLAIN_HTTP_VIEWERS": True,
    "SEND_FILE": "",
    "OFFERS": "",
    "LOCATIONS": "",
    "SUBJECT": "",
    "IS_AUTHENTICATED": "",
    "ITEM_PAGE": "",
    "MANIFEST_SOURCES": (),
    "MANIFEST_PATHS": (),
    "DOORS": (),
    "CHECK_SECRET": "",
    "CHECK_CACHE_SECONDS": 1,
    "SIGNING_KEYS": {},
    "SIGNED_MINUTES": 60,
    "EDGE_KEYS": {},
    "EDGE_SECONDS": 60,
    "RANGE_BYTES": 1_048_576,
    "SEND_FILE_HEADER": "X-Accel-Redirect",
    "SEND_UPSTREAM": "",
    "COUNT_SECONDS": 60,
    "TERM_ENDS": ("03-31", "07-31", "12-31"),
    "DIAGNOSIS_VIEWER": "",
    "PREPARED_STATEMENTS": False,
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
    def COOKIE_DOMAIN(self) -> str:
        """Where the cookies that open content go along: a domain that this site and its image hosts are in, such as
        ``museum.example.org``; empty: to this host only, which is safer.
        """
        return str(self._value("COOKIE_DOMAIN")).strip().lstrip(".").lower()

    @property
    def LOGIN_URL(self) -> str:
        """Where people log in: a URL or the name of one. Default: Django's own ``LOGIN_URL``."""
        return str(self._value("LOGIN_URL") or settings.LOGIN_URL)

    @property
    def LOGIN_WINDOW(self) -> str:
        """Where people log in for a viewer: ``same`` window, or a ``side`` window for providers that cut openers off."""
        return str(self._value("LOGIN_WINDOW"))

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
    def LOCATIONS(self) -> Callable[[Any], Any] | None:
        """A hook ``(rendition) -> str | None``: where a browser that may have it finds it, such as in a bucket."""
        return self._hook("LOCATIONS")

    @property
    def SUBJECT(self) -> Callable[..., Any] | None:
        """A hook ``(subject, request) -> Subject`` that adds groups and attributes of the host's."""
        return self._hook("SUBJECT")

    @property
    def IS_AUTHENTICATED(self) -> Callable[..., bool] | None:
        """A hook ``(user) -> bool`` for hosts whose anonymous visitors have an account of their own."""
        return self._hook("IS_AUTHENTICATED")

    @property
    def ITEM_PAGE(self) -> Callable[[str], str | None] | None:
        """A hook ``(url) -> str | None``: the page of an item on this site, for readers whose browser lets no viewer show it."""
        return self._hook("ITEM_PAGE")

    @property
    def MANIFEST_SOURCES(self) -> tuple[str, ...]:
        """Beginnings of the URLs from which manifests may be fetched to add services to them; none by default."""
        return tuple(self._value("MANIFEST_SOURCES"))

    @property
    def MANIFEST_PATHS(self) -> tuple[str, ...]:
        """Paths of the host's own manifests, ``*`` being anything within a segment, to which a middleware adds services."""
        return tuple(self._value("MANIFEST_PATHS"))

    @property
    def DOORS(self) -> tuple[dict[str, Any], ...]:
        """Where guarded content is published, for the web server in front; see :mod:`iiif_auth.enforce.doors`."""
        return tuple(self._value("DOORS"))

    @property
    def CHECK_SECRET(self) -> str:
        """What the web server says with each check, so that nobody else can ask for another; without it all are refused."""
        return str(self._value("CHECK_SECRET"))

    @property
    def CHECK_CACHE_SECONDS(self) -> float:
        """How long the web server may keep an answer of the check for the same reader and item, in seconds; 0: not at all."""
        return float(self._value("CHECK_CACHE_SECONDS"))

    @property
    def SIGNING_KEYS(self) -> dict[str, str]:
        """Keys of signed addresses by name, the first of which signs; empty: made from ``SECRET_KEY`` and its fallbacks."""
        return dict(self._value("SIGNING_KEYS"))

    @property
    def SIGNED_MINUTES(self) -> int:
        """The longest life of a signed address."""
        return int(self._value("SIGNED_MINUTES"))

    @property
    def EDGE_KEYS(self) -> dict[str, str]:
        """Keys by name, the first of which signs, of addresses that the web server checks alone; empty: there are none."""
        return dict(self._value("EDGE_KEYS"))

    @property
    def EDGE_SECONDS(self) -> int:
        """The life of an address that the web server checks alone: nothing ends it sooner, so at most 60."""
        return min(60, int(self._value("EDGE_SECONDS")))

    @property
    def RANGE_BYTES(self) -> int:
        """The most that is sent of a film or a recording in answer to one request for a part of it, in bytes."""
        return int(self._value("RANGE_BYTES"))

    @property
    def SEND_FILE_HEADER(self) -> str:
        """``X-Accel-Redirect`` for nginx; ``X-Sendfile`` for Apache, whose value is the path on disk."""
        return str(self._value("SEND_FILE_HEADER"))

    @property
    def SEND_UPSTREAM(self) -> str:
        """A prefix such as ``/_iiif_up/`` of internal nginx locations, one a door, for ``X-Accel-Redirect`` to image servers."""
        return str(self._value("SEND_UPSTREAM"))

    @property
    def COUNT_SECONDS(self) -> float:
        """How long decisions are counted in memory before they are written down for the reports, in seconds; 0: not counted."""
        return float(self._value("COUNT_SECONDS"))

    @property
    def TERM_ENDS(self) -> tuple[str, ...]:
        """The last days of terms as ``MM-DD``, for grants “until the end of term”; empty: there are no terms."""
        return tuple(self._value("TERM_ENDS"))

    @property
    def PREPARED_STATEMENTS(self) -> bool:
        """Whether PostgreSQL plans the statements of a check once for each connection, and not at every check."""
        return bool(self._value("PREPARED_STATEMENTS"))

    @property
    def DIAGNOSIS_VIEWER(self) -> str:
        """A page on another site that shows the address in its parameter ``frame`` in a frame, for the page of diagnosis."""
        return str(self._value("DIAGNOSIS_VIEWER"))

    def _hook(self, key: str) -> Callable[..., Any] | None:
        path = self._value(key)
        return import_string(path) if isinstance(path, str) and path else path or None


conf = Conf()
