"""A row of every model that has a place, all of them about one collection and all carrying its mark."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from iiif_auth import models
from tests import factories


def rows_about(collection: models.Collection) -> list[Any]:
    """The collection itself first, then what is in it, on it and was said about it."""
    mark = collection.slug
    resource = factories.ResourceFactory(
        url=f"/iiif/3/of-{mark}", label={"en": [f"Item {mark}"]}, remarks=mark, collection=collection
    )
    asked = models.AccessRequest.objects.create(
        code=mark[:12],
        url=resource.url,
        resource=resource,
        digest=mark,
        email=f"{mark}@example.org",
        name=mark,
        purpose=mark,
        state="new",
    )
    invited = models.Invitation.objects.create(
        digest=mark, name=mark, email=f"i-{mark}@example.org", ends=timezone.now(), request=asked
    )
    batch = models.Batch.objects.create(kind="bulk", what=f"Something with {mark}", reason=mark)
    change = {"action": "changed", "model": "resource", "row": resource.pk, "collection": collection.pk, "name": mark}
    rule = (
        models.Seats.objects.first() or factories.SeatsFactory()
    )  # rules are everybody's; what is lent by them is not
    work = factories.LentWorkFactory(name=mark, collection=collection, seats=rule)
    lending = [
        work,
        factories.LoanFactory(work=work, holder__user__email=f"l-{mark}@example.org"),
        factories.WaitingFactory(work=work, email=f"w-{mark}@example.org", holder__user=None),
    ]
    return [
        collection,
        resource,
        factories.RenditionFactory(resource=resource, url=f"/files/{mark}.jpg"),
        factories.EmbargoFactory(resource=resource, reason=mark),
        factories.WithdrawalFactory(resource=None, collection=collection, reason=mark),
        factories.GrantFactory(resource=resource, reason=mark),
        factories.GrantFactory(resource=None, collection=collection, reason=mark),
        factories.CollectionRuleFactory(collection=collection, pattern=f"/iiif/3/{mark}/"),
        models.Delegation.objects.create(
            collection=collection, user=factories.UserFactory(email=f"d-{mark}@example.org")
        ),
        asked,
        invited,
        models.RequestMessage.objects.create(request=asked, text=mark),
        models.Refusal.objects.create(code=mark[:12], url=resource.url),
        batch,
        models.Change.objects.create(batch=batch, reason=mark, **change),
        models.DailyCount.objects.create(
            day=date(2026, 11, 1), door="probe", collection=collection.pk, decision="refused", count=1
        ),
        *lending,
    ]
