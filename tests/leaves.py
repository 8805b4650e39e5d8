"""What stands anywhere in a document of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(value: Any, kind: type) -> Iterator[Any]:
    """The values of one kind, in reading order; names of properties are none."""
    if isinstance(value, kind):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from leaves(one, kind)
