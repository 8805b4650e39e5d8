"""The one tally of this process: filled where decisions are answered, emptied when a request has ended."""

from __future__ import annotations

import atexit
import logging
import os
from datetime import datetime
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver

from iiif_auth.conf import conf
from iiif_auth.counting.tally import Tally
from iiif_auth.counting.writing import write
from iiif_auth.policy.types import Address, Decision, Offer

logger = logging.getLogger("iiif_auth.counting")


class Kept:
    """The tally of this process, made when it is first needed; ``None`` if nothing is counted here."""

    begun = False
    tally: Tally | None = None


def begin() -> Tally | None:
    """What settings say is asked once a process, not at every decision."""
    seconds = conf.COUNT_SECONDS
    Kept.tally = Tally(seconds, conf.TIME_ZONE) if seconds else None
    Kept.begun = True
    return Kept.tally


def note(door: str, offer: Offer | None, decision: Decision, address: Address | None, at: datetime) -> None:
    """Count a decision that is answered now: no query, and less than a microsecond.

    Args:
        door: ``"probe"`` for what viewers ask, ``"content"`` for the bytes.
        address: where it was asked from; only the network it is in is remembered, by its day.
        at: when, aware.
    """
    tally = Kept.tally if Kept.begun else begin()
    if tally is not None:
        tally.add((door, offer, decision, address, at))


def flush() -> None:
    """Write down what was counted. What can not be written now is kept for later; nobody is refused for it."""
    tally = Kept.tally
    if tally is None:
        return
    taken = tally.take()
    if not taken.days:
        return
    try:
        write(taken)
    except Exception:  # counting is the least of a request: no fault of it may spoil what was answered
        logger.exception("What was counted could not be written; it is tried again later.")
        tally.put_back(taken)


@receiver(request_finished, dispatch_uid="iiif_auth.counting")
def flush_when_due(sender: object, **kwargs: Any) -> None:
    """Whichever request ends after some time writes down what all before it counted: at most once in that time."""
    tally = Kept.tally
    if tally is not None and tally.due <= tally.clock():
        flush()


def forget() -> None:
    """Begin with nothing: what a process counted before it split is its own, and is written by itself."""
    Kept.begun, Kept.tally = False, None


atexit.register(flush)
if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=forget)
