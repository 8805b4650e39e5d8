"""The rows: facts and their constraints. No HTTP, no decision."""

from __future__ import annotations

from iiif_auth.models.calendars import CalendarFeed
from iiif_auth.models.content import Rendition, Resource
from iiif_auth.models.delegation import Delegation
from iiif_auth.models.drafts import PolicyDraft
from iiif_auth.models.epoch import Epoch
from iiif_auth.models.history import Batch, Change
from iiif_auth.models.overlays import Embargo, Grant, Withdrawal
from iiif_auth.models.passes import Agreement, ClientCode, Handoff, Pass, RegisteredClient, Token, Twin
from iiif_auth.models.reports import DailyCount, NetworkUse
from iiif_auth.models.requests import AccessRequest, Invitation, Refusal, RequestMessage
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
from iiif_auth.models.terms import Acceptance, Terms

__all__ = [
    "Acceptance",
    "AccessPolicy",
    "AccessRequest",
    "AccessService",
    "Agreement",
    "Batch",
    "CalendarFeed",
    "Change",
    "ClientCode",
    "Collection",
    "CollectionRule",
    "Condition",
    "DailyCount",
    "Delegation",
    "Embargo",
    "Epoch",
    "Grant",
    "Handoff",
    "Invitation",
    "Network",
    "NetworkUse",
    "Pass",
    "PolicyDraft",
    "Refusal",
    "RefusalText",
    "RegisteredClient",
    "Rendition",
    "RequestMessage",
    "Resource",
    "Terms",
    "Tier",
    "Token",
    "Twin",
    "Withdrawal",
]
