"""How often strangers may do what costs us something. Counted in Django's cache, which forgets; nothing is opened by it."""

from __future__ import annotations

from hashlib import sha256

from django.core.cache import cache

FORMS = (10, 3600)
"""Requests that are sent from one address: how many in how many seconds."""


def within(what: str, who: str, limit: tuple[int, int]) -> bool:
    """Count one more, and say whether it is still within the limit.

    Args:
        what: what is counted, such as ``"forms"``.
        who: whose it is; only a digest is kept.
        limit: how many in how many seconds.
    """
    most, seconds = limit
    key = f"iiif_auth.asking.{what}.{sha256(who.encode()).hexdigest()}"
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key) <= most
    except ValueError:  # it was forgotten between the two
        return True
