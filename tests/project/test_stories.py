"""What has happened at the demo of late: near dates, a history, a request, a table of rights, and a great many rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError
from django.utils import timezone

from iiif_auth import history, roles, store
from iiif_auth.exchange import columns, judging, reading
from iiif_auth.exchange.dates import Style
from iiif_auth.identify import described
from iiif_auth.models import AccessRequest, Batch, Change, Embargo, Grant, Resource
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed
from project import stories
from project.management.commands import demo
from tests.browser.demo import ROOT


def person(name: str):
    return get_user_model().objects.get(username=name)


def may_see(name: str, path: str, days: float = 0) -> bool:
    found = decide(store.find_offer(path), described(person(name)), timezone.now() + timedelta(days=days))
    return isinstance(found, Allowed)


def test_one_grant_ends_tonight_and_not_before(library):
    assert may_see("student", "/iiif/image/3/album-1")
    assert not may_see("student", "/iiif/image/3/album-1", days=1)
    assert not may_see("student", "/iiif/image/3/album-2")
    assert not may_see("reader", "/iiif/image/3/album-1")


def test_the_last_opening_is_closed_even_to_the_reading_room_and_its_substitute_is_not(library, client):
    client.post("/place/", {"place": "reading-room"})
    size = "full/max/0/default.jpg"
    assert client.get(f"/iiif/image/3/register-3/{size}").status_code == 200
    assert client.get(f"/iiif/image/3/register-4/{size}").status_code != 200
    assert client.get(f"/iiif/image/3/register-4-redacted/{size}").status_code == 200


def test_the_diary_opens_at_the_next_new_year(library):
    ends = timezone.localtime(Embargo.objects.get(collection__slug="merehaven-diaries").ends)
    assert (ends.year, ends.month, ends.day, ends.hour) == (timezone.localdate().year + 1, 1, 1, 0)


def test_one_request_waits_for_those_who_look_after_the_minute_book_and_for_nobody_else(library):
    waiting = AccessRequest.objects.filter(state=AccessRequest.State.NEW)
    assert [roles.visible(person(name), waiting).count() for name in ("rights", "desk", "maps")] == [1, 0, 0]


def test_the_history_goes_back_sixty_days_with_names_and_reasons(library):
    told = Change.objects.exclude(actor=None)
    assert {row.actor_name for row in told} == {"rights", "desk", "systems", "curator"}
    assert all(row.reason for row in told)
    ages = [(timezone.localdate() - timezone.localdate(row.at)).days for row in told]
    assert (max(ages), min(ages)) == (58, 0)
    assert timezone.localdate(Change.objects.order_by("at")[0].at) == timezone.localdate() - timedelta(days=60)


def test_what_was_done_together_can_not_be_undone_after_it_was_put_back_by_hand(library):
    first = Batch.objects.order_by("created")[0]
    with pytest.raises(history.NotUndone):
        history.undo(first, person("rights"), "To see.")


def test_the_songs_are_for_those_who_are_in_both_groups_in_their_season_and_for_no_administrator(library):
    path = "/iiif/image/3/songs-1"
    assert may_see("elder", path)
    assert not may_see("elder", path, days=200)
    assert not any(may_see(name, path) for name in ("admin", "curator", "reader"))
    assert not roles.visible(person("admin"), Resource.objects.filter(url=path)).exists()
    person("elder").groups.remove(Group.objects.get(name="Merehaven singers"))
    assert not may_see("elder", path)


def test_the_vpn_lets_people_in_again(library, client):
    address = "/iiif/image/3/coins-1/full/max/0/default.jpg"
    assert client.get(address, REMOTE_ADDR="203.0.113.9").status_code == 200
    assert client.get(address, REMOTE_ADDR="203.0.113.200").status_code == 401


def test_the_table_of_rights_has_three_errors_and_five_changes(library):
    sheet = reading.sheet((ROOT / "fixtures" / "demo_rights.csv").read_bytes(), "")
    mapping = columns.guessed(sheet.headings, {})
    found = judging.judged(person("rights"), sheet.rows, mapping, Style())
    states = [one.state for one in found]
    assert (len(states), states.count("error"), states.count("changed"), states.count("same")) == (40, 3, 5, 32)
    assert [one.identifier for one in found if one.state == "error"] == [
        "/iiif/image/3/minutes-3",
        "/iiif/image/3/fleet-4",
        "/iiif/image/3/chart-1",
    ]
    assert mapping.count("") == 1


def test_rows_without_pictures_are_added_once(library):
    assert stories.stress(25) == 25
    assert stories.stress(25) == 0
    assert stories.stress(30) == 5
    rows = Resource.objects.filter(collection__slug="merehaven-stress")
    assert (rows.count(), rows.filter(policy=None).count()) == (30, 15)


@pytest.mark.parametrize("rows", [-1, demo.MOST_ROWS + 1])
def test_more_rows_than_can_be_made_are_refused_with_a_sentence(rows):
    with pytest.raises(CommandError, match="can not be made"):
        demo.check_numbers(8000, rows)


def test_grants_of_the_past_are_over(library):
    assert not may_see("researcher", "/iiif/image/3/register-2")
    assert Grant.objects.get(resource__url="/iiif/image/3/register-2").granted_by == person("desk")
