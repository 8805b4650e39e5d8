"""Every door of the admin, found by looking at the admin site, so that a page that is added later is tried too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import NoReverseMatch, reverse

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
CHANGING = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|csrfToken: "\w+"|data-csrf="\w+"|\d{1,2}:\d{2}(:\d{2})?( [ap]\.?m\.?)?'
)


def ours() -> dict[type[Model], Any]:
    registry: dict[type[Model], Any] = admin.site._registry
    return {model: one for model, one in registry.items() if model._meta.app_label == "iiif_auth"}


def patterns() -> Iterator[tuple[type[Model], str, list[str]]]:
    """Of each page: the model of the admin class it belongs to, the name of its URL, and the names of its arguments."""
    for model, model_admin in ours().items():
        for pattern in model_admin.get_urls():
            name = getattr(pattern, "name", None)
            if name:
                yield model, name, ARGUMENT.findall(str(pattern.pattern))


def lists() -> list[str]:
    """The addresses of pages about no row in particular, and the lists searched and with their counts as well."""
    found = []
    for _model, name, arguments in patterns():
        if not arguments:
            url = reverse(f"admin:{name}")
            found += [url, f"{url}?_facets=True", f"{url}?q=mark"] if name.endswith("_changelist") else [url]
    return [reverse("admin:index"), reverse("admin:app_list", args=["iiif_auth"]), *dict.fromkeys(found)]


def pages(rows: list[Any]) -> list[str]:
    """The addresses of all pages about these rows."""
    found = []
    for model, name, arguments in patterns():
        for row in rows:
            if (
                type(row) is model
                and len(arguments) == 1
                and arguments[0] in ("object_id", "pk", "key", "number", "id")
            ):
                try:
                    found.append(reverse(f"admin:{name}", args=[row.pk]))
                except NoReverseMatch:
                    continue
    return list(dict.fromkeys(found))


def pickers() -> list[dict[str, str]]:
    """What every autocomplete of ours asks for."""
    found = []
    for model, model_admin in ours().items():
        for one in (model_admin, *(inline(model, admin.site) for inline in model_admin.inlines)):
            opts = one.opts
            found += [
                {"app_label": opts.app_label, "model_name": opts.model_name, "field_name": field, "term": ""}
                for field in one.autocomplete_fields
            ]
    return found


def text(answer: Any) -> str:
    """A page without what differs each time it is asked for."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return CHANGING.sub("", body.decode(errors="replace"))
