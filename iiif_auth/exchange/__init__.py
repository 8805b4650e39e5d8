"""Bringing in what is kept elsewhere, and giving it out: spreadsheets, lists of addresses, manifests."""

from __future__ import annotations
