"""Which resource a URL means.

A resource *is* its URL, whatever model or file stands behind it. Matching folds what does not change the meaning of a
IIIF URL and nothing else: the scheme, the case of the host, a default port, a trailing slash, ``/info.json``, image
parameters and the query. Percent-encoding is kept (``%2F`` inside an identifier is not a slash), its hex digits are
upper-cased, and what needed none loses it. A URL on our own site is kept as its path, so that a site can move without
touching a row.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import unquote, urlsplit

MAX_LENGTH = 2000


class NotAResourceURL(ValueError):
    """The text is not the URL of anything that could be restricted; the message says why."""


ALLOWED = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%^-]*")
HOST = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
UNENCODED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,=:@")
"""What a segment of a path holds as it is (RFC 3986, 3.3), but for ``;``, which some servers take for the end of a name, and
``*``, which is anything in a pattern.
"""
SEPARATOR = re.compile(r"[/\\]")
DOTS = frozenset((".", ".."))
IMAGE_PARAMETERS = re.compile(
    r"/(?:full|square|pct:[0-9.,]+|[0-9]+,[0-9]+,[0-9]+,[0-9]+)"
    r"/(?:\^?max|full|\^?pct:[0-9.]+|\^?!?[0-9]*,[0-9]*)"
    r"/!?[0-9.]+/(?:default|color|gray|bitonal|native)\.[a-z0-9]{2,4}"
)


@lru_cache(maxsize=4096)
def normalised(url: str, base: str) -> str:
    """The one spelling of ``url`` under which its resource is stored; normalising it again changes nothing.

    Args:
        url: an absolute http(s) URL, or a path beginning with ``/`` on this site.
        base: the public base URL of this site, ``https://host[:port]``.

    Raises:
        NotAResourceURL: it can not be the URL of a resource.
    """
    host, path = _spelt(url, base)
    path = folded(path)
    if not path:
        raise NotAResourceURL("The path must not be empty.")
    return _joined(host, path)


def normalised_pattern(pattern: str, base: str) -> str:
    """A beginning of URLs, or a URL with ``*`` in it, in the spelling of the URLs it is compared with.

    Raises:
        NotAResourceURL: no URL could fit it.
    """
    host, path = _spelt(pattern, base)
    return _joined(host, path or "/")


def _spelt(url: str, base: str) -> tuple[str, str]:
    """Host (empty for this site) and path, in the spelling that does not depend on what they mean."""
    if not ALLOWED.fullmatch(url) or BAD_ESCAPE.search(url):
        raise NotAResourceURL("The address contains a character that must be percent-encoded.")
    host, path = _split(url)
    if len(path) > MAX_LENGTH:
        raise NotAResourceURL(f"The path has {len(path)} characters; at most {MAX_LENGTH} fit.")
    path = unescaped(path)
    _check_segments(path.removesuffix("/"))
    return "" if base and host == own_host(base) else host, path


def _escape(found: re.Match[str]) -> str:
    """What needs no encoding is not encoded: to servers ``%53ECRET`` is ``SECRET`` and ``ark%3A1`` is ``ark:1`` (security P3)."""
    character = chr(int(found[1], 16))
    return character if character in UNENCODED else found[0].upper()


def unescaped(path: str) -> str:
    """A path in which only what needs it is percent-encoded, in upper case."""
    return ESCAPE.sub(_escape, path) if "%" in path else path


def _joined(host: str, path: str) -> str:
    uri = f"https://{host}{path}" if host else path
    if len(uri) > MAX_LENGTH:
        raise NotAResourceURL(f"The address has {len(uri)} characters; at most {MAX_LENGTH} fit.")
    return uri


@lru_cache(maxsize=64)
def own_host(base: str) -> str:
    """The host of the base URL, as normalised URLs spell it."""
    return _split(base)[0]


def _split(url: str) -> tuple[str, str]:
    """Host with port, and path. The host is empty for a path on this site."""
    if url.startswith("/") and not url.startswith("//"):
        return "", url.partition("?")[0]
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise NotAResourceURL("Give a whole address beginning with https://, or a path beginning with /.")
    host, slash, path = rest.partition("?")[0].partition("/")
    host = host.lower()
    if not HOST.fullmatch(host):
        raise NotAResourceURL(f"{host[:60]!r} is not the name of a host.")
    # The scheme is folded, so both default ports go with http.
    return (host.removesuffix(":80") if scheme.lower() == "http" else host).removesuffix(":443"), slash + path


def folded(path: str) -> str:
    """A URL or its path without trailing slash, ``/info.json`` and image parameters, however often they are there."""
    while (shorter := _without_parameters(path.removesuffix("/").removesuffix("/info.json"))) != path:
        path = shorter
    return path


def _without_parameters(path: str) -> str:
    """Browsers write ``^`` in a path as ``%5E``, so the last four segments are compared decoded."""
    head, *tail = path.rsplit("/", 4)
    found = len(tail) == 4 and IMAGE_PARAMETERS.fullmatch(unquote("/" + "/".join(tail)))
    return head if found else path


def _check_segments(path: str) -> None:
    """Refuse what another program might read as a different path (security 2.6 and table P).

    Raises:
        NotAResourceURL: a segment is empty, or “.” or “..” even behind an encoded separator, or not text.
    """
    if "//" in f"{path}/":
        raise NotAResourceURL("The path must not contain empty segments.")
    try:
        text = unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise NotAResourceURL("The percent-encoding in the path is not UTF-8.") from error
    if CONTROL.search(text) or not DOTS.isdisjoint(SEPARATOR.split(text)):
        raise NotAResourceURL("The path must not contain “.” or “..” as a segment, nor control characters.")


def is_source(name: str) -> bool:
    """Whether a name upstream stays in its folder and is read alike by every program (security 2.6).

    It has no ``.`` or empty segment, none that ends in ``..`` (there are image servers that take ``../`` out of a name, wherever
    it stands), no backslash and no control character.
    """
    if CONTROL.search(name) or "\\" in name:
        return False
    return not name or all(segment not in ("", ".") and not segment.endswith("..") for segment in name.split("/"))


def absolute(uri: str, base: str) -> str:
    """The public URL of a normalised one."""
    return base + uri if uri.startswith("/") else uri


def digest(uri: str) -> str:
    """What is indexed: SHA-256 of the normalised URL, in hex, because a URL may be too long for an index."""
    return sha256(uri.encode("ascii")).hexdigest()


def reference(uri: str) -> str:
    """A normalised URL as one segment of a path: base64url, because ``%2F`` does not survive every proxy."""
    return base64.urlsafe_b64encode(uri.encode("ascii")).decode("ascii").rstrip("=")


def referred(reference_text: str, base: str) -> str | None:
    """The normalised URL that a reference stands for; ``None`` unless it is exactly one that we would write."""
    if len(reference_text) > MAX_LENGTH * 2 or not reference_text.isascii():
        return None
    padding = "=" * (-len(reference_text) % 4)
    try:
        uri = base64.b64decode(reference_text + padding, altchars=b"-_", validate=True).decode("ascii")
        sound = normalised(uri, base) == uri and reference(uri) == reference_text
    except (binascii.Error, ValueError):
        return None
    return uri if sound else None


def host_of(url: str) -> str:
    """The host of a URL for showing to people; the text itself if it has none."""
    return urlsplit(url).hostname or url
