"""The origins of viewers.

Python and browsers disagree about what many strings mean as a URL, so nothing is parsed and repaired here: an origin is
accepted only in the one spelling that a browser itself would send, and that spelling is what goes to ``postMessage``.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from unicodedata import ucd_3_2_0 as unicode

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:]{2,39}\]|[a-z0-9.-]{1,253})(?::([1-9][0-9]{0,4}))?/?")
WRITTEN = {"Ll", "Lo", "Lm", "Mn", "Mc", "Nd", "Pd"}
"""The categories of characters that names are written with."""
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
"""Letters and marks that leave no mark: browsers drop them, and with them the name is another."""
LEFTWARDS = ("R", "AL", "AN")
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
    """Whether every label that claims to be punycode is one that a browser would write (UTS 46, section 4.1).

    Browsers and Pythons differ in which Unicode they know; the letters of 3.2, on which the first internationalised names
    were built, they all know. To refuse a newer one is safe, to misread it is not.
    """
    texts = [_decoded(label) for label in host.split(".")]
    if not all(texts):
        return False
    leftwards = [any(unicode.bidirectional(character) in LEFTWARDS for character in text) for text in texts]
    return not any(leftwards) or all(map(_reads_one_way, texts, leftwards))


def _decoded(label: str) -> str:
    """What a label says; nothing if it is not written as a browser writes it."""
    if not label.startswith("xn--"):
        return label
    try:
        text = label.encode("ascii").decode("idna")
        same = text.encode("idna").decode("ascii") == label
    except UnicodeError:
        return ""
    kinds = [kind(character) for character in text]
    plain = unicode.normalize("NFKC", text.casefold()) == text and not INVISIBLE.search(text)
    return text if same and plain and kinds[0][0] != "M" and {*kinds} <= WRITTEN else ""


def kind(character: str) -> str:
    """The category of a character, if it was never another."""
    first, now = unicode.category(character), unicodedata.category(character)
    same = first == now and unicode.bidirectional(character) == unicodedata.bidirectional(character)
    return now if same else "changed"


def _reads_one_way(text: str, leftwards: bool) -> bool:
    """Beside Hebrew or Arabic every label must read in one direction and begin with a letter (RFC 5893, section 2)."""
    directions = [unicode.bidirectional(character) for character in text]
    if not leftwards:
        return directions[0] == "L" and {*directions} <= {"L", "EN", "ES", "NSM"}
    return directions[0] in ("R", "AL") and {*directions} <= {"R", "AL", "NSM"}


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
