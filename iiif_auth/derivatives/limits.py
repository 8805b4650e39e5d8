"""How much one original may cost, and the one exception for what could not be made of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


class NotMade(RuntimeError):
    """A smaller version was not made. The message is one sentence for whoever runs the command."""


class Stopped(NotMade):
    """Somebody stopped the command; nothing is wrong with the original."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one original may have at most: pixels in a picture or a frame, and minutes of work."""

    megapixels: int = 4_000
    minutes: float = 240.0

    def check_size(self, width: int, height: int) -> None:
        """Refuse a picture before one of its pixels is decoded: a small file may claim any size (security, table I).

        Raises:
            NotMade: it has too many pixels, or none.
        """
        if width < 1 or height < 1:
            raise NotMade("It has no pixels.")
        if width * height > self.pixels:
            raise NotMade(
                f"It has {width} x {height} pixels, more than {self.megapixels} megapixels; "
                "raise --max-megapixels if it is meant to be that large."
            )

    @property
    def pixels(self) -> int:
        return self.megapixels * 1_000_000


@dataclass(frozen=True, slots=True)
class Watch:
    """Says when one piece of work has to end: its time is over, or somebody stopped the command."""

    limits: Limits
    stopping: threading.Event = field(default_factory=threading.Event)
    begun: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return self.stopping.is_set() or time.monotonic() - self.begun > self.limits.minutes * 60

    def reason(self) -> NotMade:
        """What to raise when it is over."""
        if self.stopping.is_set():
            return Stopped("It was stopped.")
        return NotMade(f"It took more than {self.limits.minutes:g} minutes; raise --max-minutes if it may.")
