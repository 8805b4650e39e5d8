"""Doing one thing to many rows: what it would change for whom, doing it, and doing it piece by piece."""

from __future__ import annotations

from iiif_auth.bulk.deeds import (
    DEEDS,
    Close,
    Deed,
    EndGrants,
    Give,
    Lift,
    Move,
    Remove,
    Restore,
    SetPolicy,
    Withdraw,
    deed_of,
)
from iiif_auth.bulk.gains import Gain, gains
from iiif_auth.bulk.running import MOST_AT_ONCE, NotAllowed, continued, started, stopped

__all__ = [
    "DEEDS",
    "MOST_AT_ONCE",
    "Close",
    "Deed",
    "EndGrants",
    "Gain",
    "Give",
    "Lift",
    "Move",
    "NotAllowed",
    "Remove",
    "Restore",
    "SetPolicy",
    "Withdraw",
    "continued",
    "deed_of",
    "gains",
    "started",
    "stopped",
]
