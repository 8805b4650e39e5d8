"""What the host tells us: somebody logged out there; and what a CORS app asks us."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from iiif_auth import passes


@receiver(user_logged_out, dispatch_uid="iiif_auth.end_pass")
def end_pass(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Logging out of the host ends the pass of this browser, and so its tokens and its pictures."""
    if request is not None and hasattr(request, "COOKIES"):
        passes.end(request)


def is_for_viewers(sender: object, request: HttpRequest, **kwargs: Any) -> bool:
    """Whether this is a probe, an info.json or guarded content, which viewers on every site must be able to ask for.

    django-cors-headers answers preflights itself, and those of sites not on its list with
    nothing (hosts.md, C6).
    """
    from iiif_auth.http.api_view import PublicView  # settings must be ready

    try:
        view = resolve(request.path_info, getattr(request, "urlconf", None)).func
    except Resolver404:
        return False
    public = issubclass(getattr(view, "view_class", getattr(view, "cls", object)), PublicView)
    return public or getattr(view, "iiif_auth_guarded", False)


if apps.is_installed("corsheaders"):
    from corsheaders.signals import check_request_enabled

    check_request_enabled.connect(is_for_viewers, dispatch_uid="iiif_auth.is_for_viewers")
