"""Where the demo's readers sit.

A demo on one machine has only loopback addresses, so it can pretend that everybody sits somewhere else. The switch belongs to the
demo server as a whole, because a probe carries no cookie that could tell one reader from another. It exists only while
``DEMO`` is set, which ``manage.py demo`` alone does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from threading import Lock

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from iiif_auth.policy.types import Subject


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to sit. The addresses are from the ranges reserved for documentation (RFC 5737)."""

    slug: str
    name: str | Promise
    address: str


PLACES = {
    place.slug: place
    for place in (
        Place("home", _("At home"), "203.0.113.200"),
        Place("reading-room", _("In the reading room"), "192.0.2.5"),
        Place("kiosk", _("At the gallery kiosk"), "192.0.2.129"),
        Place("campus", _("On the campus network"), "198.51.100.20"),
    )
}
HOME = PLACES["home"]

_lock = Lock()
_here = [HOME]


def here() -> Place:
    """Where everybody sits at present."""
    with _lock:
        return _here[0]


def sit(slug: str) -> Place:
    """Seat everybody somewhere.

    Raises:
        KeyError: there is no such place.
    """
    with _lock:
        _here[0] = PLACES[slug]
        return _here[0]


def pretend(subject: Subject, request: HttpRequest) -> Subject:
    """The ``SUBJECT`` hook of the demo: the address of the place instead of the loopback address, and of no other address."""
    if not settings.DEMO or subject.address is None or not subject.address.is_loopback:
        return subject
    return replace(subject, address=ip_address(here().address))
