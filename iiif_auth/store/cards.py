"""What belongs to single resources, read at each request in one statement together with the epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from django.db import connections

from iiif_auth.policy import types as policy
from iiif_auth.protocol import identity
from iiif_auth.store import statements
from iiif_auth.store.rules import database
from iiif_auth.store.statements import Found
from iiif_auth.store.values import texts_of

FIND = """
WITH hit AS (
    SELECT id FROM iiif_auth_resource WHERE url_digest IN ({marks})
    UNION SELECT resource_id FROM iiif_auth_rendition WHERE url_digest IN ({marks})
)
SELECT 'epoch' AS what, NULL AS a, stamp AS b, pulse AS c, NULL AS d, NULL AS e, NULL AS f, NULL AS g, NULL AS h, NULL AS i,
    NULL AS j FROM iiif_auth_epoch
UNION ALL SELECT 'resource', CAST(r.id AS TEXT), r.url, r.type, CAST(r.image_api AS TEXT), r.format, CAST(r.label AS TEXT),
    CAST(r.collection_id AS TEXT), CAST(r.policy_id AS TEXT) || CASE WHEN r.overrides THEN '!' ELSE '' END,
    CAST(r.date AS TEXT), r.source
    FROM iiif_auth_resource r WHERE r.id IN (SELECT id FROM hit)
UNION ALL SELECT 'rendition', CAST(r.resource_id AS TEXT), r.url, r.tier, CAST(r.image_api AS TEXT), r.format,
    CAST(r.label AS TEXT), CASE WHEN r.is_location THEN '1' ELSE '' END, r.source, NULL, NULL
    FROM iiif_auth_rendition r WHERE r.resource_id IN (SELECT id FROM hit)
UNION ALL SELECT 'embargo', CAST(o.resource_id AS TEXT), CAST(o.starts AS TEXT), CAST(o.ends AS TEXT), o.closes,
    CASE WHEN o.hard THEN '1' ELSE '' END, CAST(o.note AS TEXT), CAST(o.then_policy_id AS TEXT), CAST(o.id AS TEXT), NULL, NULL
    FROM iiif_auth_embargo o WHERE o.resource_id IN (SELECT id FROM hit)
UNION ALL SELECT 'withdrawal', CAST(o.resource_id AS TEXT), CAST(o.starts AS TEXT), CAST(o.ends AS TEXT), NULL,
    NULL, CAST(o.note AS TEXT), NULL, NULL, NULL, NULL
    FROM iiif_auth_withdrawal o WHERE o.resource_id IN (SELECT id FROM hit)
UNION ALL SELECT 'grant', CAST(g.resource_id AS TEXT), CAST(g.starts AS TEXT), CAST(g.ends AS TEXT), g.tier,
    CASE WHEN g.take THEN '1' ELSE '' END, CAST(g.user_id AS TEXT), CAST(g.group_id AS TEXT), CAST(g.network_id AS TEXT),
    CAST(g.id AS TEXT) || ' ' || COALESCE(s.slug, '')
        || COALESCE(' ' || g.attribute_matching || ' ' || g.attribute_name || '=' || g.attribute_value, ''),
    CAST(g.invitation_id AS TEXT)
    FROM iiif_auth_grant g LEFT JOIN iiif_auth_accessservice s ON s.id = g.service_id
    WHERE g.resource_id IN (SELECT id FROM hit)
"""
"""One statement for everything about some resources, and the epoch as of the same instant."""


@dataclass(slots=True)
class Card:
    """The rows about one resource."""

    row: Found
    renditions: list[Found] = field(default_factory=list)
    embargoes: list[tuple[int, policy.Embargo, int | None]] = field(default_factory=list)
    """Primary key, the value, and the primary key of the policy that governs then."""
    withdrawals: list[policy.Withdrawal] = field(default_factory=list)
    grants: list[Found] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one statement found: the epoch, and the cards of resources by primary key."""

    stamp: str
    pulse: str
    cards: dict[str, Card]


@lru_cache(maxsize=64)
def _find_sql(count: int) -> statements.Statement:
    return statements.prepared(FIND.format(marks=", ".join(["%s"] * count)))


def read(uris: Sequence[str]) -> Reading:
    """The present epoch, and the cards of every resource that one of these URLs belongs to."""
    digests = [identity.digest(uri) for uri in uris]
    rows = statements.rows(database(), _find_sql(len(digests)), digests * 2)
    epoch = next((row for row in rows if row[0] == "epoch"), ("epoch", None, "", ""))
    cards = {row[1]: Card(row[1:]) for row in rows if row[0] == "resource"}
    for what, *values in rows:
        if what not in ("epoch", "resource"):
            _lay(cards[values[0]], what, tuple(values))
    return Reading(epoch[2], epoch[3], cards)


def _lay(card: Card, what: str, values: Found) -> None:
    if what == "rendition":
        card.renditions.append(values)
    elif what == "grant":
        card.grants.append(values)
    elif what == "embargo":
        closes, hard, note, then, key = values[3:8]
        value = policy.Embargo(window(values), policy.Closes(closes), bool(hard), map_of(note))
        card.embargoes.append((int(key), value, int(then) if then else None))
    else:
        card.withdrawals.append(policy.Withdrawal(window(values), map_of(values[5])))


def instant(text: str | None) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    # SQLite keeps no zone: Django writes there in the zone of the connection, which is UTC unless somebody says otherwise.
    return at if at.tzinfo else at.replace(tzinfo=connections[database()].timezone)


def window(values: Found) -> policy.Window:
    if not values[1] and not values[2]:
        return policy.ALWAYS
    return policy.Window(instant(values[1]), instant(values[2]))


def map_of(text: str | None) -> policy.LanguageMap:
    return texts_of(json.loads(text)) if text else ()
