"""The rows: facts and their constraints. No HTTP, no decision."""

from __future__ import annotations

from iiif_auth.models.content import Rendition, Resource
from iiif_auth.models.epoch import Epoch
from iiif_auth.models.overlays import Embargo, Grant, Withdrawal
from iiif_auth.models.passes import Agreement, ClientCode, Pass, RegisteredClient, Token
from iiif_auth.models.rules import (
    AccessPolicy,
    AccessService,
    Collection,
    CollectionRule,
    Condition,
    Network,
    RefusalText,
    Tier,
)

__all__ = [
    "AccessPolicy",
    "AccessService",
    "Agreement",
    "ClientCode",
    "Collection",
    "CollectionRule",
    "Condition",
    "Embargo",
    "Epoch",
    "Grant",
    "Network",
    "Pass",
    "RefusalText",
    "RegisteredClient",
    "Rendition",
    "Resource",
    "Tier",
    "Token",
    "Withdrawal",
]
