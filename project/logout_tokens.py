"""Logout tokens of OpenID Connect Back-Channel Logout 1.0: read, and believed only if everything in section 2.6 holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that nobody but the provider can make; none with a shared secret, and not ``none``."""
TYPES = ("", "JWT", "LOGOUT+JWT")
"""Many providers leave the type out, which the specification lets them do. The event and the missing nonce tell what it is."""
LONGEST = 600
"""Seconds after which a token is too old, whatever it says itself."""
SKEW = 60
MOST = 16_384
"""Characters of a token."""


class Refused(Exception):
    """A token that is not believed, and why, for the provider's log and ours."""


@dataclass(frozen=True, slots=True)
class Logout:
    """What is to end: one session (``number``), or everything of a ``subject`` if no number is given."""

    subject: str
    number: str
    id: str
    at: datetime


Keys = Callable[[str, str], Any]
"""By the name of a key and the kind of signature, the key of the provider; raises :class:`Refused` if it has none such."""


def read(token: str, *, issuer: str, audience: str, keys: Keys) -> Logout:
    """What a provider says is to end.

    Raises:
        Refused: the token is not a logout token of this provider for this site, or not any more.
    """
    name, algorithm = header_of(token)
    key = keys(name, algorithm)
    try:
        claims = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            leeway=SKEW,
            options={"require": ["iss", "aud", "iat", "jti", "events"], "verify_sub": False},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as problem:
        raise Refused(f"The logout token is not good: {str(problem).rstrip('.')}.") from problem
    return meant(claims)


def header_of(token: str) -> tuple[str, str]:
    """By which key and in which way it says that it was signed, once the rest of its head is in order."""
    if len(token) > MOST:
        raise Refused("The logout token is too long.")
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as problem:
        raise Refused("The logout token can not be read.") from problem
    if head.get("alg") not in ALGORITHMS:
        raise Refused("The logout token is not signed with a key of the provider.")
    if str(head.get("typ", "")).upper().removeprefix("APPLICATION/") not in TYPES:
        raise Refused("The token is of another type.")
    return str(head.get("kid", "")), str(head["alg"])


def meant(claims: Mapping[str, Any]) -> Logout:
    """What claims that are the provider's own mean."""
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise Refused("The token is about something else than a logout.")
    if "nonce" in claims:
        raise Refused("A logout token has no nonce; this is another kind of token.")
    if int(claims["iat"]) < time.time() - LONGEST:
        raise Refused("The logout token is too old.")
    subject, number = claims.get("sub", ""), claims.get("sid", "")
    if not all(isinstance(one, str) for one in (subject, number, claims["jti"])) or not (subject or number):
        raise Refused("The logout token names neither a person nor a session.")
    return Logout(subject, number, claims["jti"], datetime.fromtimestamp(int(claims["iat"]), UTC))
