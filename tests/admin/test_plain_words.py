"""What a list offers is what one may do, and an end is told as people say it."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from iiif_auth.admin.granting import last_moment
from tests import factories

LIST = "/admin/iiif_auth/resource/"


def staff(client, *codenames: str) -> None:
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames))
    client.force_login(user)


@pytest.mark.django_db
@pytest.mark.parametrize(("codenames", "offered"), [((), False), (("add_withdrawal",), True)])
def test_the_way_to_take_something_down_is_shown_to_those_who_may(client, codenames, offered):
    row = factories.ResourceFactory()
    staff(client, "view_resource", "every_collection", *codenames)
    page = client.get(LIST).content.decode()
    assert str(row.pk) in page
    assert (f"{LIST}{row.pk}/withdraw/" in page) is offered


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (datetime(2031, 5, 3, 0, 0), "the end of Friday, May 2, 2031"),  # noqa: DTZ001
        (datetime(2031, 5, 2, 17, 0), "May 2, 2031, 5 p.m."),  # noqa: DTZ001
    ],
)
def test_a_midnight_is_the_end_of_the_day_before(ends, words):
    assert last_moment(timezone.make_aware(ends)) == words
