"""Searching rows by what they point at: the words are looked for where they stand, and the rows then found by key.

Joining everything that a row points at makes a database compare each of a hundred thousand rows with all its neighbours, once
to count what is found and once more for the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from iiif_auth.admin.bases import Admin
from iiif_auth.admin.labels import label_contains
from iiif_auth.models.fields import LanguageMapField

MOST_KEYS = 2_000
"""Rows that are passed on by key. What is pointed at by more is joined instead: nearly all of them are found anyway."""

MOST_WORDS = 3
"""Words that are looked for one by one, with a query for each kind of row that is pointed at; more are joined."""


class SearchedByKeys(Admin):
    """Finds what Django's own search finds in ``search_fields``: rows in which every word occurs, in whatever field."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = list(words_of(search_term.replace("\x00", "")))
        if not words:
            return queryset, False
        found, joined = matching(queryset, self.get_search_fields(request), words)
        # The count and the page would each work it out.
        keys = [] if joined else list(found.order_by().values_list("pk", flat=True)[: MOST_KEYS + 1])
        return (found if joined or len(keys) > MOST_KEYS else queryset.filter(pk__in=keys)), False


def words_of(text: str) -> Iterator[str]:
    """The words of a search; what stands in quotation marks is one."""
    for word in smart_split(text):
        quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
        yield unescape_string_literal(word) if quoted else word


def matching(rows: QuerySet[Any], fields: Iterable[str], words: Sequence[str]) -> tuple[QuerySet[Any], bool]:
    """The rows in which each of these words occurs, and whether anything had to be joined for that.

    Args:
        fields: columns of the rows (``reason``) or of what they point at (``user__email``).
    """
    columns: dict[str, list[str]] = defaultdict(list)
    for field in fields:
        relation, _, column = field.rpartition("__")
        columns[relation].append(column)
    joined = False
    for number, word in enumerate(words):
        condition = Q(pk__in=())
        for relation, names in columns.items():
            by_key = _by_keys(rows.model, relation, names, word) if number < MOST_WORDS else None
            joined = joined or by_key is None
            condition |= _anywhere(rows.model, relation, names, word) if by_key is None else by_key
        rows = rows.filter(condition)
    return rows, joined


def _by_keys(model: type[Model], relation: str, columns: Iterable[str], word: str) -> Q | None:
    """The rows that point at something in which a word occurs, by its keys; ``None`` if it occurs in too many."""
    if not relation:
        return _anywhere(model, "", columns, word)
    related: Any = model._meta.get_field(relation).related_model
    found = related._base_manager.filter(_anywhere(related, "", columns, word)).order_by()
    keys = list(found.values_list("pk", flat=True)[: MOST_KEYS + 1])
    return None if len(keys) > MOST_KEYS else Q(**{f"{relation}__in": keys})


def _anywhere(model: type[Model], relation: str, columns: Iterable[str], word: str) -> Q:
    """The rows in one of whose columns, or of what they point at, a word occurs."""
    held: Any = model._meta.get_field(relation).related_model if relation else model
    found = Q(pk__in=())
    for column in columns:
        path = f"{relation}__{column}" if relation else column
        is_label = isinstance(held._meta.get_field(column), LanguageMapField)
        found |= label_contains(word, path) if is_label else Q(**{f"{path}__icontains": word})
    return found
