"""Which resource a URL means.

A resource *is* its URL, whatever model or file stands behind it. Matching folds what does not change the meaning of a
IIIF URL and nothing else: the scheme, the case of the host, a default port, a trailing slash, ``/info.json``, image
parameters and the query. Percent-encoding is kept (``%2F`` inside an identifier is not a slash), its hex digits are
upper-cased. A URL on our own site is kept as its path, so that a site can move without touching a row.
"""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256
from urllib.parse import urlsplit

MAX_LENGTH = 2000


class NotAResourceURL(ValueError):
    """The text is not the URL of anything that could be restricted; the message says why."""


ALLOWED = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%^-]*")
HOST = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
IMAGE_PARAMETERS = re.compile(
    r"/(?:full|square|pct:[0-9.,]+|[0-9]+,[0-9]+,[0-9]+,[0-9]+)"
    r"/(?:\^?max|full|\^?pct:[0-9.]+|\^?!?[0-9]*,[0-9]*)"
    r"/!?[0-9.]+/(?:default|color|gray|bitonal|native)\.[a-z0-9]{2,4}$"
)


def normalised(url: str, base: str) -> str:
    """The one spelling of ``url`` under which its resource is stored.

    Args:
        url: an absolute http(s) URL, or a path beginning with ``/`` on this site.
        base: the public base URL of this site, ``https://host[:port]``.

    Raises:
        NotAResourceURL: it can not be the URL of a resource.
    """
    if len(url) > MAX_LENGTH:
        raise NotAResourceURL(f"The address has {len(url)} characters; at most {MAX_LENGTH} fit.")
    if not ALLOWED.fullmatch(url) or BAD_ESCAPE.search(url):
        raise NotAResourceURL("The address contains a character that must be percent-encoded.")
    host, path = _split(url)
    path = _folded_path(path)
    own = _split(base)[0] if base else ""
    return path if host in ("", own) else f"https://{host}{path}"


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
    default = ":443" if scheme.lower() == "https" else ":80"
    return host.removesuffix(default), slash + path


def _folded_path(path: str) -> str:
    path = re.sub(r"%[0-9a-fA-F]{2}", lambda found: found.group().upper(), path)
    path = IMAGE_PARAMETERS.sub("", path.removesuffix("/info.json")).rstrip("/")
    segments = path.split("/")[1:]
    if any(segment.replace("%2E", ".") in ("", ".", "..") for segment in segments) or not segments:
        raise NotAResourceURL("The path must not be empty, nor contain empty segments, “.” or “..”.")
    return path


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
