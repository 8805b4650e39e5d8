"""Whether a token and a cookie have nothing to do with each other."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator

from iiif_auth.conformance.cookies import Cookie

SHORTEST = 8
"""Letters of a cookie's value below which finding it in a token means nothing."""
DIGESTS = ("md5", "sha1", "sha256", "sha512")


def kinship(token: str, cookies: Iterable[Cookie]) -> str:
    """How a token can be had from a cookie or the other way, in words; empty if no way was found."""
    for cookie in cookies:
        if len(cookie.value) >= SHORTEST and (found := _kinship(token, cookie.value)):
            return f"{found} of the cookie {cookie.name}"
    return ""


def _kinship(token: str, value: str) -> str:
    if token == value:
        return "is the value"
    if value in token or token in value:
        return "holds the value, or is a part,"
    if token in _digests(value) or value in _digests(token):
        return "is a plain digest, or has one for the value,"
    return ""


def _digests(value: str) -> Iterator[str]:
    for name in DIGESTS:
        digest = hashlib.new(name, value.encode(), usedforsecurity=False).digest()
        yield digest.hex()
        yield base64.b64encode(digest).decode()
        yield base64.b64encode(digest).decode().rstrip("=")
        yield base64.urlsafe_b64encode(digest).decode().rstrip("=")
