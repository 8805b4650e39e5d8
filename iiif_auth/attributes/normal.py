"""Claims, SAML attributes and headers as one form: pairs of our name and a value. No Django in here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from iiif_auth.attributes.names import BY_WIRE, FOLDED

Said = tuple[str, str]
"""Our name of an attribute, and one value."""

MOST_VALUES, MOST_LENGTH = 500, 500
"""What one login may bring. More is not somebody's affiliation but a mistake, or an attempt to fill a table."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def said(claims: Mapping[str, object]) -> tuple[Said, ...]:
    """What some claims or attributes say, each pair once, in their order; what we have no name for is left out.

    Args:
        claims: by the name on the wire, a text or a list of texts. Anything else, such as a number or an object, says nothing.
    """
    found = dict.fromkeys(pair for wire, value in claims.items() for pair in _pairs(str(wire), value))
    return tuple(found)[:MOST_VALUES]


def _pairs(wire: str, value: object) -> Iterator[Said]:
    name = BY_WIRE.get(wire.lower())
    for text in _texts(value) if name else ():
        tidy = text.strip()
        if name and tidy and len(tidy) <= MOST_LENGTH and not CONTROL.search(tidy):
            yield name, tidy.lower() if name in FOLDED else tidy


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return (one for one in value if isinstance(one, str)) if isinstance(value, list | tuple) else ()


def from_openid(data: Mapping[str, object]) -> tuple[Said, ...]:
    """What an OpenID provider says, of the user info and the ID token together.

    User info that is about somebody else than the ID token says nothing (OpenID Connect Core 1.0, section 5.3.2).

    Args:
        data: ``{"userinfo": {…}, "id_token": {…}}``, either of which may be missing, or the claims themselves.
    """
    if "userinfo" not in data and "id_token" not in data:
        return said(data)
    token, info = _claims(data.get("id_token")), _claims(data.get("userinfo"))
    if token and info and token.get("sub") != info.get("sub"):
        info = {}
    return tuple(dict.fromkeys((*said(token), *said(info))))[:MOST_VALUES]


def _claims(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


BETWEEN = re.compile(r"(?<!\\);")


def from_headers(headers: Mapping[str, str]) -> tuple[Said, ...]:
    r"""What a proxy says in headers, several values with ``;`` between them and ``\;`` for a semicolon (Shibboleth SP 3).

    Args:
        headers: by our name or a name on the wire, the value of the header.
    """
    return said({name: [part.replace("\\;", ";") for part in BETWEEN.split(text)] for name, text in headers.items()})
