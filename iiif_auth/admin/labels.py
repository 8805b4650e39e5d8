"""Searching in the texts of language maps."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from iiif_auth.admin.bases import Admin


def label_contains(text: str, field: str = "label") -> Q:
    """Rows with a text in any language. SQLite keeps JSON with escapes, so what is escaped is looked for as well."""
    escaped = json.dumps(text)[1:-1]
    found = Q(**{f"{field}__icontains": text})
    return found if escaped == text else found | Q(**{f"{field}__icontains": escaped})


class LabelSearch(Admin):
    """Looks for the words of a search in the label too."""

    label_field = "label"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, distinct = super().get_search_results(request, queryset, search_term)
        words = search_term.replace("\x00", "").split()
        if not words:
            return found, distinct
        labelled = queryset
        for word in words:
            labelled = labelled.filter(label_contains(word, self.label_field))
        return found | labelled, distinct
