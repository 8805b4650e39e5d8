"""Cookies with the attribute ``Partitioned``, which Python's own have from 3.14 on."""

from __future__ import annotations

from http.cookies import Morsel


class PartitionedMorsel(Morsel[str]):
    """A cookie with the attribute ``Partitioned``. Nothing of Python's is changed for it."""

    _reserved = {**Morsel._reserved, "partitioned": "Partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012
    _flags = {*Morsel._flags, "partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012
