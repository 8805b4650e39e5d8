"""In which language somebody reads: what the viewer says, then what was chosen here before, then the browser's preferences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import global_settings, settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, get_language_from_request, get_language_info, override
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from iiif_auth import identify
from iiif_auth.policy.types import LanguageMap
from iiif_auth.protocol.languages import LANGUAGE_TAG, chosen

PARAMETERS = ("lang", "ui_locales")
"""What a viewer, or a link, may say the reader's language in: tags of BCP 47, best first, with blanks between them (as in
OpenID Connect Core 1.0, section 3.1.2.1).
"""
OWN_SECRETS = ("turn", "code")
"""Parameters of our own pages whose values look like tokens."""
MOST_TAGS = 10

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=HttpResponse)


def asked_for(request: HttpRequest) -> tuple[str, ...]:
    """The languages that the address itself names, best first; what is no language tag is passed over."""
    given = " ".join(request.GET.get(name, "")[:200] for name in PARAMETERS).lower().split()
    return tuple(tag for tag in given if LANGUAGE_TAG.fullmatch(tag))[:MOST_TAGS]


def spoken(tags: tuple[str, ...]) -> str | None:
    """The first of these languages that the pages of this site are in."""
    for tag in tags:
        try:
            return get_supported_language_variant(tag)
        except LookupError:
            continue
    return None


def languages(request: HttpRequest) -> tuple[str, ...]:
    """What somebody reads, best first, as the texts of the library may be in more languages than the pages are."""
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    chosen_before = (cookie.lower(),) if cookie and spoken((cookie,)) else ()
    accepted = tuple(tag for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()))
    return (*asked_for(request), *chosen_before, *accepted, get_language() or "en")


def text(request: HttpRequest, value: LanguageMap) -> str:
    """A language map for this reader."""
    return chosen(value, languages(request))


def in_readers_language(
    view: Callable[Concatenate[HttpRequest, P], Answer],
) -> Callable[Concatenate[HttpRequest, P], Answer]:
    """Give a page in the reader's language, and say in its headers which that is.

    The address decides, if it names a language that the site speaks; then whatever the host's own middleware chose (by
    account, cookie or browser); and where there is no such middleware, Django's own choice is made here.
    """

    @wraps(view)
    def in_language(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        with override(language_of(request)):
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Content-Language", get_language() or "en")
        patch_vary_headers(response, ("Accept-Language",))
        return response

    return in_language


def language_of(request: HttpRequest) -> str | None:
    """The language of our pages for this reader."""
    if not settings.USE_I18N:
        return get_language()
    has_middleware = hasattr(request, "LANGUAGE_CODE")
    return spoken(asked_for(request)) or (get_language() if has_middleware else get_language_from_request(request))


@dataclass(frozen=True, slots=True)
class Choice:
    """A language that a page could be in instead: its code, its name in itself, and the address of the page in it."""

    code: str
    name: str
    url: str
    is_now: bool


def choices(request: HttpRequest) -> list[Choice]:
    """The languages of the site, for a menu of links; none where there is nothing to choose, or something typed to lose."""
    offered = settings.LANGUAGES
    if request.method not in ("GET", "HEAD") or offered == global_settings.LANGUAGES or len(offered) < 2:
        return []
    return [_choice(request, str(code), str(name)) for code, name in offered]


def _choice(request: HttpRequest, code: str, name: str) -> Choice:
    query = request.GET.copy()
    for parameter in [name for name in query if name in PARAMETERS or _is_strangers_secret(name, str(query[name]))]:
        del query[parameter]
    query["lang"] = code
    return Choice(code, _own_name(code, name), f"?{query.urlencode()}", is_now=code == get_language())


def _is_strangers_secret(name: str, value: str) -> bool:
    """Whether this may be a token that somebody sent where none is read; it is not said back (A2-CONT-01)."""
    return name not in OWN_SECRETS and identify.SECRET.fullmatch(value) is not None


def _own_name(code: str, name: str) -> str:
    """What a language calls itself; the host's name for it, if Django does not know it."""
    try:
        own = str(get_language_info(code)["name_local"])
        return own[:1].upper() + own[1:]
    except KeyError:
        return name
