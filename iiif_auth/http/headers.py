"""The header matrix (requirements 2.8), one table for each kind of answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.utils.cache import patch_vary_headers

from iiif_auth.cors import CORS, PREFLIGHT

__all__ = ["CORS", "NEVER_STORE", "PAGE", "PREFLIGHT", "TOKEN_PAGE", "page_policy", "token_policy", "with_headers"]

Response = TypeVar("Response", bound=HttpResponseBase)

NEVER_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
PAGE = {
    **NEVER_STORE,
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
TOKEN_PAGE = {
    **NEVER_STORE,
    "Referrer-Policy": "no-referrer",
    # Viewers that isolate themselves need these two; others do not notice them (browsers.md, section 2).
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def with_headers(response: Response, headers: Mapping[str, str], *, vary: tuple[str, ...] = ()) -> Response:
    for name, value in headers.items():
        response.headers[name] = value
    if vary:
        patch_vary_headers(response, vary)
    return response


def page_policy(*, asks: bool = False, framed: bool = False) -> str:
    """The Content-Security-Policy of our own pages: nothing from elsewhere, and nobody frames them (A2-INT-09).

    ``asks``: the page's script asks this site something. ``framed``: any site may have it in a frame.
    """
    own = _static_source()
    policy = (
        f"default-src 'none'; script-src {own}; style-src {own}; img-src {own} data:; "
        f"{_asking(asks)}form-action 'self'; base-uri 'none'"
    )
    return policy if framed else f"{policy}; frame-ancestors 'none'"


def token_policy(nonce: str, *, asks: bool = False) -> str:
    """The Content-Security-Policy of the token page, which anybody may frame (A2-TOK-12)."""
    return f"default-src 'none'; script-src 'nonce-{nonce}'; {_asking(asks)}base-uri 'none'; form-action 'none'"


def _asking(asks: bool) -> str:
    return "connect-src 'self'; " if asks else ""


def _static_source() -> str:
    """Where our static files come from, as a source expression."""
    url = static("iiif_auth/pages.css")
    scheme, separator, rest = url.partition("//")
    return f"'self' {scheme}//{rest.partition('/')[0]}" if separator else "'self'"
