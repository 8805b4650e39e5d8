"""Members of the staff with these permissions and no others; those with roles in collections are in ``tests.roles.people``."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission

from tests import factories


def of_the_staff(*codenames: str, **more: Any) -> Any:
    person = factories.UserFactory(is_staff=True, **more)
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return person
