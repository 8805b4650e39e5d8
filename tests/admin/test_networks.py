"""The page of networks: text in and out, a test of addresses, lists from elsewhere, and what looks wrong."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from iiif_auth.admin import ranges
from iiif_auth.models import Network, NetworkUse
from tests import factories as make
from tests.admin.pages import Form
from tests.admin.staff import of_the_staff

pytestmark = pytest.mark.django_db

PAGE = "admin:iiif_auth_networks"


@pytest.fixture
def keeper(client):
    client.force_login(of_the_staff("view_network", "change_network", "add_network", "every_collection"))
    return client


@pytest.fixture
def room():
    return make.NetworkFactory(slug="room", name="Reading room", prefixes=["192.0.2.0/28", "2001:db8:1::/64"])


def page(client, **query):
    response = client.get(reverse(PAGE), query)
    assert response.status_code == 200
    return response.content.decode()


def sent(client, text, **fields):
    html = page(client)
    before = html.partition('name="before" value="')[2].partition('"')[0]
    return client.post(reverse(PAGE), {"action": "save", "before": before, "text": text, **fields})


TEXT = "[room] Reading room\n192.0.2.0/28\n2001:db8:1::/64\n"


# -- Text ---------------------------------------------------------------------------------------------------------


def test_all_networks_are_one_text(keeper, room):
    make.NetworkFactory(slug="campus", name="Campus", prefixes=["198.51.100.7"])
    assert "[campus] Campus\n198.51.100.7\n\n[room] Reading room\n192.0.2.0/28\n2001:db8:1::/64" in page(keeper)


def test_the_page_sent_back_unchanged_changes_nothing(keeper, room):
    fields = Form(
        page(keeper).partition('<form method="post" class="iiif-auth-question"')[2].join(["<form>", ""])
    ).fields
    assert fields  # the page has forms at all
    response = sent(keeper, TEXT)
    assert response.status_code == 302
    room.refresh_from_db()
    assert room.prefixes == ["192.0.2.0/28", "2001:db8:1::/64"]


def test_lines_are_added_taken_away_and_networks_renamed_and_made(keeper, room):
    make.NetworkFactory(slug="left-out", name="Left out", prefixes=["203.0.113.0/24"])
    text = "[room] The reading room\n192.0.2.0/28\n192.0.2.77\n\n[vpn] VPN pool\n203.0.113.0/25\n"
    response = sent(keeper, text, reason="Move to the new building")
    assert response.status_code == 302
    found = {row.slug: (row.name, row.prefixes) for row in Network.objects.all()}
    assert found == {
        "room": ("The reading room", ["192.0.2.0/28", "192.0.2.77"]),
        "vpn": ("VPN pool", ["203.0.113.0/25"]),
        "left-out": ("Left out", ["203.0.113.0/24"]),
    }
    assert "The reading room: 1 added, 1 taken away." in page(keeper)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("192.0.2.0/28\n", "Line 1, “192.0.2.0/28”: This line stands above the first heading"),
        ("[room] Room\n192.0.2.0/28 # new\n", "Notes can not be stored here, and would be lost"),
        ("[room] Room\n192.0.2.5/28\n", "do you mean 192.0.2.0/28?"),
        ("[room] Room\nnonsense\n", "This is no address, no prefix and no range of addresses."),
        ("[room] Room\n192.0.2.1-192.0.2.6\n", "This range takes several prefixes: 192.0.2.1, 192.0.2.2/31"),
        ("[room] Room\nfe80::1%eth0\n", "An address with a zone counts on one machine only."),
        ("[Room] Room\n192.0.2.1\n", "An identifier has small letters"),
        ("[room] Room\n192.0.2.1\n[room] Again\n192.0.2.2\n", "This network is there twice"),
        ("[room] Room\n", "Room would have no addresses"),
    ],
)
def test_a_bad_text_changes_nothing_and_is_not_lost(keeper, room, text, sentence):
    response = sent(keeper, "[other] Other\n192.0.2.99\n" + text if text.startswith("[") else text)
    assert response.status_code == 200
    html = response.content.decode()
    assert sentence in html
    assert text.splitlines()[-1].replace("&", "&amp;") in html
    assert list(Network.objects.values_list("slug", "name")) == [("room", "Reading room")]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(keeper, room):
    html = page(keeper)
    before = html.partition('name="before" value="')[2].partition('"')[0]
    room.prefixes = ["192.0.2.0/27"]
    room.save()
    response = keeper.post(reverse(PAGE), {"action": "save", "before": before, "text": TEXT})
    assert "Somebody else has changed the networks meanwhile." in response.content.decode()
    room.refresh_from_db()
    assert room.prefixes == ["192.0.2.0/27"]


def test_one_network_by_itself(keeper, room):
    make.NetworkFactory(slug="campus", name="Campus")
    html = page(keeper, network="room")
    assert ("[room]" in html, "[campus]" in html) == (True, False)
    assert f"{reverse(PAGE)}?network=room" in keeper.get(reverse("admin:iiif_auth_network_changelist")).content.decode()


# -- Testing addresses --------------------------------------------------------------------------------------------


def test_many_addresses_are_tested_at_once(keeper, room):
    make.NetworkFactory(slug="campus", name="Campus", prefixes=["192.0.2.0/24"])
    response = keeper.post(
        reverse(PAGE),
        {"action": "test", "test-addresses": "192.0.2.5\n2001:db8:1::9, 203.0.113.9\n::ffff:192.0.2.77\nx"},
    )
    assert [(one.address, one.places, one.problem) for one in response.context["tested"]] == [
        ("192.0.2.5", ("Campus (by 192.0.2.0/24)", "Reading room (by 192.0.2.0/28)"), ""),
        ("2001:db8:1::9", ("Reading room (by 2001:db8:1::/64)",), ""),
        ("203.0.113.9", (), ""),
        ("::ffff:192.0.2.77", ("Campus (by 192.0.2.0/24)",), ""),
        ("x", (), "This is not an address."),
    ]


def test_nothing_to_test_is_answered_with_a_sentence(keeper):
    html = keeper.post(reverse(PAGE), {"action": "test", "test-addresses": ""}).content.decode()
    assert 'class="errornote' in html


# -- Lists from elsewhere -----------------------------------------------------------------------------------------


LIST = """
# EZproxy of the library
IncludeIP 192.0.2.16-192.0.2.31
I 198.51.100.0/24 ; the campus
A 198.51.100.128/25
ExcludeIP 203.0.113.7
203.0.113.10-12
192.0.3.*
10.1.0.0 255.255.0.0
2001:db8:5::/48, 2001:db8:6::-2001:db8:6::ff
192.0.2.9/24
rubbish
"""


def test_a_list_of_a_proxy_becomes_prefixes():
    read = ranges.read_list(LIST)
    assert read.prefixes == [
        "10.1.0.0/16",
        "192.0.2.16/28",
        "192.0.3.0/24",
        "198.51.100.0/24",
        "203.0.113.10/31",
        "203.0.113.12",
        "2001:db8:5::/48",
        "2001:db8:6::/120",
    ]
    assert [(one.number, one.text, one.why) for one in read.unread] == [
        (
            6,
            "ExcludeIP 203.0.113.7",
            "Addresses that are left out can not be stored; please give the ranges without them.",
        ),
        (11, "192.0.2.9/24", "The prefix begins in the middle; do you mean 192.0.2.0/24?"),
        (12, "rubbish", "This is no address, no prefix and no range of addresses."),
    ]


@pytest.mark.parametrize("text", ["192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "192.0.2.1-999", "1.2.3.4-", "*.*"])
def test_an_impossible_range_is_not_understood(text):
    read = ranges.read_list(text)
    assert (read.prefixes, len(read.unread)) == ([], 1)


def test_the_range_of_everything_is_one_prefix():
    assert ranges.read_list("0.0.0.0-255.255.255.255").prefixes == ["0.0.0.0/0"]


def test_a_list_is_shown_before_it_is_added(keeper, room):
    fields = {"list-list": LIST, "list-into": str(room.pk)}
    html = keeper.post(reverse(PAGE), {"action": "read", **fields}).content.decode()
    assert "8 lines for Reading room" in html
    assert "Not understood, and left out" in html
    room.refresh_from_db()
    assert len(room.prefixes) == 2
    keeper.post(reverse(PAGE), {"action": "add", **fields})
    room.refresh_from_db()
    assert (len(room.prefixes), room.prefixes[:2]) == (10, ["192.0.2.0/28", "2001:db8:1::/64"])


# -- What looks wrong ---------------------------------------------------------------------------------------------


def test_overlaps_and_odd_networks_are_pointed_out(keeper, room, settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 0}
    make.NetworkFactory(slug="all", name="All", prefixes=["0.0.0.0/0"])
    make.NetworkFactory(slug="home", name="Home", prefixes=["10.0.0.0/8"])
    html = page(keeper)
    for text in (
        "192.0.2.0/28 of Reading room lies within 0.0.0.0/0 of All.",
        "10.0.0.0/8 of Home lies within 0.0.0.0/0 of All.",
        "takes in every address there is",
        "has private addresses (10.0.0.0/8)",
    ):
        assert text in html
    assert "2001:db8:1::/64 of" not in html


def test_a_proxy_that_is_not_configured_is_pointed_out(keeper, room, settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 0}
    sentence = "TRUSTED_PROXIES is 0: everybody seems to be where the proxy is."
    assert sentence in keeper.get(reverse(PAGE), HTTP_X_FORWARDED_FOR="192.0.2.5").content.decode()
    assert sentence not in page(keeper)


def test_overlapping_pairs_are_found_without_comparing_all():
    make_held = ranges.Held
    nets = [make_held(n, str(n), tuple(map(ranges.plain, (f"10.{n // 250}.{n % 250}.0/24",)))) for n in range(2000)]
    wide = make_held(9999, "wide", (ranges.plain("10.1.0.0/16"),))
    found = list(ranges.overlaps([*nets, wide]))
    assert len(found) == 250
    assert all(one.name == "wide" for one, *_rest in found)


def test_lines_never_used_come_first(keeper, room):
    NetworkUse.objects.create(network=room, prefix="192.0.2.0/28", day=date(2026, 11, 1))
    uses = keeper.get(reverse(PAGE)).context["uses"]
    assert [(use.line, use.day) for use in uses] == [("2001:db8:1::/64", None), ("192.0.2.0/28", date(2026, 11, 1))]
    assert "never yet" in page(keeper)


def test_ones_own_address_is_shown(keeper):
    assert "Your own address, as this site sees it" in page(keeper)


# -- Who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["save", "add"])
def test_whoever_may_only_look_changes_nothing(client, room, action):
    client.force_login(of_the_staff("view_network", "every_collection"))
    fields = {"text": "[room] Gone\n192.0.2.1\n", "list-list": "192.0.2.1", "list-into": str(room.pk)}
    assert client.post(reverse(PAGE), {"action": action, **fields}).status_code == 403
    room.refresh_from_db()
    assert room.name == "Reading room"
    assert len(room.prefixes) == 2


def test_staff_of_one_collection_may_not_change_what_all_share(client, room):
    client.force_login(of_the_staff("view_network", "change_network"))
    assert client.post(reverse(PAGE), {"action": "save", "text": "[room] Gone\n192.0.2.1\n"}).status_code == 403


def test_new_networks_need_their_own_permission(client, room):
    client.force_login(of_the_staff("view_network", "change_network", "every_collection"))
    response = sent(client, "[new] New\n192.0.2.1\n")
    assert "You may change networks but not add new ones" in response.content.decode()
    assert Network.objects.count() == 1


def test_others_do_not_see_it(client, room):
    assert "/login/" in client.get(reverse(PAGE))["Location"]
    client.force_login(of_the_staff("view_resource", "every_collection"))
    assert client.get(reverse(PAGE)).status_code == 403


def test_looking_changes_nothing(keeper, room):
    assert keeper.get(reverse(PAGE), {"action": "save", "text": "[room] Gone\n192.0.2.1\n"}).status_code == 200
    room.refresh_from_db()
    assert room.name == "Reading room"


def test_a_form_of_another_site_changes_nothing(room):
    client = Client(enforce_csrf_checks=True)
    client.force_login(of_the_staff("view_network", "change_network", "every_collection"))
    assert client.post(reverse(PAGE), {"action": "save", "text": "[room] Gone\n192.0.2.1\n"}).status_code == 403


def test_the_page_asks_few_questions(keeper, room, django_assert_max_num_queries):
    for _ in range(30):
        make.NetworkFactory()
    with django_assert_max_num_queries(15):
        page(keeper)
