"""What the library's staff wrote: the texts of ``fixtures/merehaven.json``."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.browser.demo import ROOT


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((ROOT / "fixtures" / "merehaven.json").read_text(encoding="utf-8"))
    return rows


def service(slug: str, language: str = "en") -> dict[str, str]:
    """The texts of an access service in one language; those it does not have are empty."""
    fields = next(
        row["fields"] for row in _rows() if row["model"] == "iiif_auth.accessservice" and row["fields"]["slug"] == slug
    )
    names = ("label", "heading", "note", "confirm_label", "error_heading", "error_note", "logout_label")
    return {name: " ".join(fields.get(name, {}).get(language, [])) for name in names}


def refusal(policy: str, why: str, language: str = "en") -> tuple[str, str]:
    """Heading and note of a refusal."""
    fields = next(
        row["fields"]
        for row in _rows()
        if row["model"] == "iiif_auth.refusaltext"
        and (row["fields"]["policy"], row["fields"]["why"]) == ([policy], why)
    )
    return " ".join(fields["heading"][language]), " ".join(fields["note"][language])
