"""The origins of viewers.

Python and browsers disagree about what many strings mean as a URL, so nothing is parsed and repaired here: an origin is
accepted only in the one spelling that a browser itself would send, and that spelling is what goes to ``postMessage``.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:]{2,39}\]|[a-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?/?")
DEFAULT_PORTS = {"http": "80", "https": "443"}
MAX_LENGTH = 300


def serialised(value: str, *, plain_http: bool = True) -> str | None:
    """The origin in the spelling of the WHATWG URL standard, or ``None`` if it is not one we talk to.

    One trailing ``/`` is dropped (the examples of Auth 1.0 have it); everything else must be right already: lower case,
    punycode, no default port, no path, no user (security T2 to T4). ``plain_http`` lets ``http`` viewers in.
    """
    found = ORIGIN.fullmatch(value) if len(value) <= MAX_LENGTH and value.isascii() else None
    if found is None:
        return None
    scheme, host, port = found.groups()
    if not plain_http and scheme == "http":
        return None
    if port == DEFAULT_PORTS[scheme] or int(port or 1) > 65535 or not _is_host(host):
        return None
    return f"{scheme}://{host}" + (f":{port}" if port else "")


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    if not NAME.fullmatch(host) or "--" in host and not _is_punycode(host):
        return False
    last = host.rpartition(".")[2]
    # A browser reads a name whose last label is a number as an IPv4 address, whatever it looks like.
    return _is_ipv4(host) if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) else True


def _is_punycode(host: str) -> bool:
    """Labels with ``--`` in third place must decode; a browser refuses those that do not."""
    for label in host.split("."):
        if label[2:4] == "--" and label.startswith("xn--"):
            try:
                if label.encode("ascii").decode("idna").encode("idna").decode("ascii") != label:
                    return False
            except UnicodeError:
                return False
    return True


def _is_ipv4(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False


def _is_ipv6(text: str) -> bool:
    """Only the spelling that a browser writes: compressed, and never with a dotted tail."""
    try:
        return IPv6Address(text).compressed == text and "." not in text
    except AddressValueError:
        return False
