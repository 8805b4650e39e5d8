"""One directive of a configuration file, whichever server it is for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """A directive: its name, its arguments with quotes and escapes undone, and for a block what is inside it."""

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    body: tuple[Statement, ...] | None = None

    @property
    def first(self) -> str:
        """The first argument, or nothing."""
        return self.args[0] if self.args else ""

    @property
    def final(self) -> str:
        """The last argument, or nothing."""
        return self.args[-1] if self.args else ""
