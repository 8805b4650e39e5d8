"""With thousands of rows every page stays small, and asks the database no more often than with a few."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iiif_auth.models import Resource
from tests.admin import crowd

pytestmark = pytest.mark.django_db
QUERIES, BYTES = 30, 500_000

LIST = "/admin/iiif_auth/resource/"

OF_SOMETHING = frozenset(
    f"iiif_auth_{name}" for name in ("given", "manifest", "table", "table_receipt", "table_rows", "tables_template")
)
"""Pages about what somebody brought or did a moment ago, which are measured where that is."""


def test_no_page_grows_with_the_rows(root):
    crowd.fill(3_000, 3_000)
    too_much = []
    for name, address in crowd.pages():
        with CaptureQueriesContext(connection) as queries:
            answer = root.get(address)
        size = 0 if answer.streaming else len(answer.content)
        assert answer.status_code in (200, 302, 403, 405) or name in OF_SOMETHING, (name, address, answer.status_code)
        if len(queries) > QUERIES or size > BYTES:
            too_much.append(f"{name}: {len(queries)} queries, {size} bytes")
    assert too_much == []


def test_every_page_of_ours_is_among_those_that_are_measured():
    names = {name for name, _address in crowd.pages()}
    assert {"app_list", "iiif_auth_resource_changelist", "iiif_auth_why", "iiif_auth_accesspolicy_add"} <= names


def test_a_page_far_into_the_list_shows_its_rows_in_order(root):
    """The keys of a page are looked up first, and the rows are those of a list that is told in one piece."""
    crowd.fill(230, 1)
    rows = list(Resource.objects.order_by("pk").values_list("pk", flat=True))
    shown = [row.pk for page in (1, 2, 3) for row in root.get(f"{LIST}?p={page}").context["cl"].result_list]
    assert shown == rows
