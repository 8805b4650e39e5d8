"""The one search box of the app index: whatever somebody at the help desk was told leads to the page that says why."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from iiif_auth import roles
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.labels import label_contains
from iiif_auth.asking import codes
from iiif_auth.models import Refusal, Resource

ADDRESS = re.compile(r"\A(?:/|[a-z][a-z0-9+.-]*:)|/", re.IGNORECASE)


class Finding(Admin):
    """Adds the search to the pages of resources. It reads only, and says of nothing hidden that it is there."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.find_view)
        return [path("find/", view, name="iiif_auth_find"), *super().get_urls()]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(where(request, request.GET.get("q", "").replace("\x00", "").strip()))


def where(request: HttpRequest, text: str) -> str:
    """The simulator for an address, a reference, a number or a name that one item has; else the list of what fits."""
    if not text or ADDRESS.search(text) or text.isdigit() or is_code(text):
        return why(text)
    rows = roles.visible(request.user, Resource.objects.filter(label_contains(text))).order_by("pk")
    found = list(rows.values_list("pk", flat=True)[:2])
    if len(found) == 1:
        return why(str(found[0]))
    return f"{reverse('admin:iiif_auth_resource_changelist')}?{urlencode({'q': text})}"


def is_code(text: str) -> bool:
    """Whether it is the reference of a refusal; a word of a name may look like one."""
    code = codes.read(text)
    return code is not None and Refusal.objects.filter(code=code).exists()


def why(text: str) -> str:
    query = f"?{urlencode({'resource': text})}" if text else ""
    return f"{reverse('admin:iiif_auth_why')}{query}"
