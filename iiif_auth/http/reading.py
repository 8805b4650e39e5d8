"""In which language somebody reads."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation.trans_real import parse_accept_lang_header

from iiif_auth.policy.types import LanguageMap
from iiif_auth.protocol.languages import chosen


def languages(request: HttpRequest) -> tuple[str, ...]:
    """What somebody reads, best first: by the browser's preferences, then by the language of the page."""
    accepted = tuple(tag for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()))
    return (*accepted, get_language() or "en")


def text(request: HttpRequest, value: LanguageMap) -> str:
    """A language map for this reader."""
    return chosen(value, languages(request))
