"""Addresses of objects in private buckets: each opens one object, to one method, for some seconds (security K13).

The signature is version 4 of Amazon's, in the query, which S3 and what is built like it (MinIO, Ceph, Garage and others) check by
themselves. It covers the method, the host, the path, every parameter and when it ends, so that whoever has such an address has
this object for so long and nothing else. Nothing ends it sooner, but for the end of the key it was signed with: whoever must be
able to shut things at once leaves the bytes behind a door (:mod:`iiif_auth.enforce.doors`).
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

ALGORITHM: Final = "AWS4-HMAC-SHA256"
MOST_SECONDS: Final = 3600
METHOD: Final = "GET"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
"""What stands for the body of a request that has none."""
PORTS: Final = {"http": 80, "https": 443}

_HOST = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]"
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>[1-9][0-9]{{0,4}}))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
)
_LOOPBACK = re.compile(r"(?:[a-z0-9-]+\.)*localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]")
_WRITTEN = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")
_KEY_ID = re.compile(r"[!-.0-~]{1,256}")
_SCOPE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED: Final = "x-amz-"


class NotAnAddress(ValueError):
    """A browser can not be sent to this, or it can not be signed; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address in its parts: ``host`` in small letters and with its port, if that is not the usual one; the rest as given."""

    scheme: str
    host: str
    path: str
    query: str


def presigned(
    url: str,
    *,
    key_id: str,
    secret: str,
    region: str,
    seconds: int = 60,
    now: datetime,
    service: str = "s3",
    session_token: str = "",
) -> str:
    """An address at which anybody may fetch an object (GET, and nothing else) until some seconds have passed.

    Args:
        url: the object, ``https://bucket.host/name`` or ``https://host/bucket/name``. What is percent-encoded in it is decoded
            once, and the whole is encoded in the one spelling that is signed; so a name with ``%``, ``?`` or ``#`` must be quoted
            beforehand. Parameters, such as ``response-content-type``, stay and are signed.
        key_id: the name of a key that may read objects and do nothing else.
        secret: the key.
        region: as the storage calls it; some know one only, such as ``auto``.
        seconds: how long it is good for, 1 to 3600. That is when a request must have begun; what is under way is sent to the end.
        now: when it is signed, aware.
        service: what the storage calls itself; ``s3`` nearly everywhere.
        session_token: what belongs to a key that is lent for a while, if it is one.

    Raises:
        NotAnAddress: there is no object at such an address, or a browser would ask for another than the one signed.
        ValueError: some other value makes no sense; the message says which. It never shows the key.
    """
    place = read(url)
    _check(key_id, secret, region, service, seconds)
    instant = _instant(now)
    scope = f"{instant[:8]}/{region}/{service}/aws4_request"
    path = _object(place.path)
    query = _joined(
        _parameters(place.query),
        {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{key_id}/{scope}",
            "X-Amz-Date": instant,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            **({"X-Amz-Security-Token": session_token} if session_token else {}),
        },
    )
    request = "\n".join((METHOD, path, query, f"host:{place.host}", "", "host", UNSIGNED))
    said = "\n".join((ALGORITHM, instant, scope, sha256(request.encode("ascii")).hexdigest()))
    signature = hmac.new(_signing_key(secret, scope), said.encode("ascii"), sha256).hexdigest()
    return f"{place.scheme}://{place.host}{path}?{query}&X-Amz-Signature={signature}"


def read(address: str) -> Place:
    """The parts of an address to which a browser can be sent: over https, or on this machine.

    Raises:
        NotAnAddress: it is another kind of address, or a fragment, a user or a port that is none is in it.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"] or 1) > 65535:
        raise NotAnAddress("Give a whole address such as https://bucket.example.org/name, with no user and no # in it.")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    if scheme != "https" and not _LOOPBACK.fullmatch(host):
        raise NotAnAddress("Give an address that begins with https://; plain http is for this machine only.")
    port = int(found["port"] or PORTS[scheme])
    if port != PORTS[scheme]:
        host = f"{host}:{port}"
    return Place(scheme, host, found["path"] or "", found["query"] or "")


def reachable(address: str) -> str:
    """The same address, once it is seen that browsers can be sent there as it stands.

    Raises:
        NotAnAddress: see :func:`read`; or something in it must be percent-encoded.
    """
    read(address)
    if not _WRITTEN.fullmatch(address) or _BAD_ESCAPE.search(address):
        raise NotAnAddress("The address contains a character that must be percent-encoded.")
    return address


# -- One spelling -------------------------------------------------------------------------------------------------


def _object(path: str) -> str:
    """The path of an object, encoded as it is signed."""
    name = _decoded(path)
    if not name or name.endswith("/"):
        raise NotAnAddress("The address ends before the name of an object; signed, it would open the list of them.")
    if _DOTS.search(name):
        raise NotAnAddress(
            "A part of the path is . or .., which browsers resolve, and then the signature fits no more."
        )
    return quote(name, safe="/~")


def _parameters(query: str) -> list[tuple[str, str]]:
    """Names and values that were in the address, decoded."""
    if "+" in query:
        raise NotAnAddress("Write %20 or %2B in the parameters: some read + as a blank, and others do not.")
    found = [part.partition("=") for part in query.split("&") if part]
    pairs = [(_decoded(name), _decoded(value)) for name, _, value in found]
    if any(name.lower().startswith(_RESERVED) for name, _ in pairs):
        raise NotAnAddress("The address has a signature or a part of one (X-Amz-…); give it without.")
    return pairs


def _joined(pairs: list[tuple[str, str]], more: dict[str, str]) -> str:
    """All parameters, encoded, and then in the order of their names and values."""
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in [*pairs, *more.items()])
    return "&".join(f"{name}={value}" for name, value in encoded)


def _decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise NotAnAddress("A % in the address begins no escape; write %25 for the sign itself.")
    try:
        found = unquote(text, errors="strict")
        found.encode("utf-8")
    except UnicodeError as error:
        raise NotAnAddress("The address is not UTF-8.") from error
    if _CONTROL.search(found):
        raise NotAnAddress("There is a control character in the address.")
    return found


# -- What is signed, and with what --------------------------------------------------------------------------------


def _check(key_id: str, secret: str, region: str, service: str, seconds: int) -> None:
    rules = (
        (_KEY_ID.fullmatch(key_id), "key_id is the name of a key, in ASCII and without a slash or a blank."),
        (secret, "secret is empty, so there is nothing to sign with."),
        (_SCOPE.fullmatch(region), "region is a plain word such as eu-central-1."),
        (_SCOPE.fullmatch(service), "service is a plain word, nearly always s3."),
        (type(seconds) is int and 1 <= seconds <= MOST_SECONDS, f"seconds is a whole number, 1 to {MOST_SECONDS}."),
    )
    for holds, sentence in rules:
        if not holds:
            raise ValueError(sentence)


def _instant(now: datetime) -> str:
    if now.utcoffset() is None:
        raise ValueError("now needs a time zone; django.utils.timezone.now() has one.")
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _signing_key(secret: str, scope: str) -> bytes:
    """A key for one day, one region and one service, made from the secret."""
    key = b"AWS4" + secret.encode("utf-8")
    for part in scope.split("/"):
        key = hmac.new(key, part.encode("ascii"), sha256).digest()
    return key
