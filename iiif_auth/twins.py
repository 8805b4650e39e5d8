"""The access cookie's twin: a ``Partitioned`` cookie in a viewer's own partition (browsers.md, section 4.1).

Browsers that keep the cookies of other sites out of a page may still keep a *partitioned* one, which goes along from pages of
that one site only. Its value is a secret of its own, of which the digest is stored with the pass and the viewer's site. It opens
what the access cookie opens, and ends with the pass: a logout can not reach into another site's partition to delete it.
"""

from __future__ import annotations

import time
from datetime import datetime
from http.cookies import Morsel
from typing import Any

from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from iiif_auth import identify, store
from iiif_auth.conf import conf

SLOTS = 64
"""The most twins that a pass has for one viewer's site. A browser that keeps none is given one with each token, and fills no
table with them (security T13); where some are kept, frames that ask in parallel rarely take each other's place."""


class PartitionedMorsel(Morsel[str]):
    """A cookie with the attribute ``Partitioned``, which Python's own have from 3.14 on. Nothing of Python's is changed."""

    _reserved = {**Morsel._reserved, "partitioned": "Partitioned"}  # type: ignore[attr-defined]
    _flags = {*Morsel._flags, "partitioned"}  # type: ignore[attr-defined]


def set_cookie(response: HttpResponseBase, secret: str, seconds: int) -> None:
    """Give the browser a twin, for the partition in which it asked."""
    morsel = PartitionedMorsel()
    name, domain = identify.named(identify.TWIN), conf.COOKIE_DOMAIN
    morsel.set(name, secret, secret)
    attributes: dict[str, Any] = {
        "max-age": seconds,
        "path": "/",
        "secure": True,
        "httponly": True,
        "samesite": "None",
        "partitioned": True,
        **({"domain": domain} if domain else {}),
    }
    morsel.update(attributes)
    response.cookies[name] = morsel


def lacking(request: HttpRequest, origin: str) -> str:
    """The secret for a twin, if none came with this request and the frame is where it says it is; else ``""``."""
    has_one = identify.named(identify.TWIN) in request.COOKIES
    return "" if has_one or not is_there(request, origin) else identify.new_secret()


def is_there(request: HttpRequest, origin: str) -> bool:
    """Whether the browser, too, says that the frame is in a page of this site; ``""`` is a viewer that did not claim any.

    A twin lies in the partition of whoever holds the frame, and opens pictures there, whatever was claimed (browsers.md, 6, row
    13). What our own frame asks for again counts: it has looked whose page it is in.
    """
    if not origin or request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    said = request.headers.get("Origin") or request.headers.get("Referer", "")
    return said == origin or said.startswith(f"{origin}/")


STORE = """
INSERT INTO iiif_auth_twin (digest, holder_id, origin, slot, created) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (holder_id, origin, slot) DO UPDATE SET digest = excluded.digest, created = excluded.created
"""


def note(secret: str, holder: int, origin: str, now: datetime) -> None:
    """Store a twin of a pass; one statement."""
    connection = connections[store.database()]
    at = connection.ops.adapt_datetimefield_value(now)
    slot = time.time_ns() // 1000 % SLOTS
    with connection.cursor() as cursor:
        cursor.execute(STORE, [identify.digest(secret), holder, origin, slot, at])
