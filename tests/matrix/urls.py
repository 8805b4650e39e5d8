"""The demo's URLs, and a sign-in at somebody else's: what an identity provider on another site is to a library."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme

from project.urls import urlpatterns as urls_of_demo
from tests.matrix import names


def begin(request: HttpRequest) -> HttpResponse:
    """To the provider; it sends people back with the address they wanted to get to."""
    request.session["next"] = request.GET.get("next", "/")
    port = settings.BASE_URL.rpartition(":")[2]
    back = {"back": f"{settings.BASE_URL}/matrix/callback"}
    return HttpResponseRedirect(f"https://{names.PROVIDER}:{port}/sign-in?{urlencode(back)}")


def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider, as the demo's reader. A real one would bring proof; what is tested here is windows."""
    wanted = request.session.pop("next", "/")
    reader = get_user_model().objects.get(username="reader")
    login(request, reader, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else "/")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("A page that breaks: its answer is one of the chain too.")


urlpatterns = [
    path("matrix/broken", broken),
    path("matrix/login", begin),
    path("matrix/callback", callback),
    *urls_of_demo,
]
