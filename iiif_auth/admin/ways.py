"""What one can ask about a row, or do with it: links, in one column beside its name, which stays in sight in a narrow window."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin.bases import Admin


class Ways(Admin):
    """``way_links`` names the methods that give the links."""

    way_links: tuple[str, ...] = ()

    @admin.display(description=_("questions and steps"))
    def ways(self, row: Any) -> str:
        links = ((getattr(self, name)(row),) for name in self.way_links)
        return format_html_join("", '<span class="iiif-auth-way">{}</span> ', links)
