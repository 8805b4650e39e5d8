"""What an identity provider says when somebody has left it. The tests' OpenID provider has no words for it and is taught some."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def claims_for(issuer: str, **other: Any) -> dict[str, Any]:
    """The claims of a good token; ``other`` replaces them, or takes them away with ``None``."""
    now = int(time.time())
    good = {"iss": issuer, "aud": "merehaven", "iat": now, "exp": now + 120, "jti": uuid4().hex, "events": {EVENT: {}}}
    return {name: value for name, value in {**good, **other}.items() if value is not None}


def teach(app: Any) -> Any:
    """Have a provider sign what is posted to ``/sign``: ``claims``, and ``head`` for the header."""

    @app.post("/sign")
    def sign() -> Any:
        import flask
        import jwt

        given = flask.request.get_json()
        own = flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True)
        key = jwt.PyJWK(own, algorithm="RS256").key
        head = {"typ": "logout+jwt", "kid": own.get("kid", ""), **given.get("head", {})}
        return jwt.encode(given["claims"], key, "RS256", headers={name: v for name, v in head.items() if v is not None})

    return app
