"""A request to measure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """A request, what it should answer, and the goal it is held against (speed.md, section 7)."""

    name: str
    path: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    in_process: float | None = None
    served: float | None = None
