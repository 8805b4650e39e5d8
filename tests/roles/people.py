"""Members of staff with permissions and delegations, read anew from the database as each request does."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from iiif_auth.models import Delegation
from tests import factories


def permissions(*codenames: str) -> Any:
    found = Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames)
    assert found.count() == len(set(codenames)), set(codenames) - set(found.values_list("codename", flat=True))
    return found


def every_permission(*but: str) -> Any:
    return Permission.objects.filter(content_type__app_label="iiif_auth").exclude(codename__in=but)


def staff(*delegations: tuple[Any, str], may: Any = None, most_days: int | None = None, **more: Any) -> Any:
    """Somebody with every permission but ``every_collection``, or those given, and with roles in some collections."""
    user = factories.UserFactory(is_staff=True, **more)
    user.user_permissions.set(every_permission("every_collection", "see_hidden") if may is None else may)
    for collection, role in delegations:
        Delegation.objects.create(collection=collection, user=user, role=role, most_days=most_days)
    return fresh(user)


def fresh(user: Any) -> Any:
    """The same person, as the next request sees them."""
    return get_user_model().objects.get(pk=user.pk)
