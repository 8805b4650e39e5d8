"""“Test as public”: the server asks itself as a stranger, asks nobody else, and says what is not as it should be."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.test import Client
from django.urls import reverse

from iiif_auth import fetch, roles, store
from iiif_auth.admin import public_test, stranger
from iiif_auth.admin.public_test import Probe, judged
from iiif_auth.admin.stranger import Heard
from iiif_auth.models import Condition
from tests import factories as make
from tests.admin.staff import of_the_staff

pytestmark = pytest.mark.django_db


class Site(BaseHTTPRequestHandler):
    """Answers as it is told to, and remembers what it was asked."""

    answers: dict[str, int] = {}
    location = "https://bucket.example.org/x"
    asked: list[tuple[str, dict[str, str]]] = []

    def do_GET(self):
        type(self).asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        status = next((code for ending, code in self.answers.items() if ending in self.path), 401)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", self.location)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        self.wfile.write(b"x" * 50_000)

    def log_message(self, *args):
        pass


@pytest.fixture
def site(settings):
    handler = type("Handler", (Site,), {"answers": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": base, "DOORS": ()}
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def desk(client):
    client.force_login(of_the_staff("view_resource", "use_simulator", "every_collection"))
    return client


@pytest.fixture
def chart():
    held = make.AccessPolicyFactory(slug="staff")
    full = make.TierFactory(policy=held, slug="full")
    make.ConditionFactory(tier=full, kind=Condition.Kind.AUTHENTICATED)
    small = make.TierFactory(policy=held, slug="small", gets=make.models.Tier.Gets.SMALLER, max_edge=400)
    make.ConditionFactory(tier=small)
    return make.ResourceFactory(url="/iiif/3/chart", label={"en": ["Chart"]}, policy=held)


def url_of(row):
    return reverse("admin:iiif_auth_public_test", args=[row.pk])


def asked(client, row):
    response = client.post(url_of(row))
    assert response.status_code == 200
    return response.context["summary"], {one.url.partition("/iiif/3/")[2]: one for one in response.context["outcomes"]}


def test_a_site_that_obeys_is_green(desk, site, chart):
    site.answers = {"chart~small": 200, "info.json": 200}
    summary, found = asked(desk, chart)
    assert summary == "good"
    assert found["chart/full/max/0/default.jpg"].said == "Refused (401)."
    assert found["chart~small/full/max/0/default.jpg"].said == "Shown (200)."
    assert {"chart/full/max/0/default.jpg/", "chart/full/max/0/default.jpg?download=1", "chart/info.json"} <= set(found)


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({"chart/full/max/0/default.jpg": 200, "~small": 200}, "chart/full/max/0/default.jpg"),
        ({"default.jpg?download": 206, "~small": 200}, "chart/full/max/0/default.jpg?download=1"),
        ({"chart/0,0,256,256": 302, "~small": 200}, "chart/0,0,256,256/256,256/0/default.jpg"),
        ({"chart~small/full/max": 403, "~small": 200}, "chart~small/full/max/0/default.jpg"),
    ],
)
def test_a_site_that_leaks_or_refuses_too_much_is_red(desk, site, chart, answers, wrong):
    site.answers = answers
    summary, found = asked(desk, chart)
    assert summary == "bad"
    assert found[wrong].verdict == "bad"
    assert "Something is not as it should be" in desk.post(url_of(chart)).content.decode()


def test_nothing_says_who_asks(desk, site, chart):
    asked(desk, chart)
    assert site.asked
    for _path, headers in site.asked:
        assert not {"cookie", "authorization", "referer"} & set(headers)


def test_looking_at_the_page_asks_nobody(desk, site, chart):
    html = desk.get(url_of(chart)).content.decode()
    assert site.asked == []
    assert "What will be asked" in html


def test_a_form_of_another_site_asks_nobody(site, chart):
    client = Client(enforce_csrf_checks=True)
    client.force_login(of_the_staff("view_resource", "use_simulator", "every_collection"))
    assert client.post(url_of(chart)).status_code == 403
    assert site.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.org/x.jpg",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1:1/x.jpg",
        "https://localhost/x.jpg",
    ],
)
def test_what_is_elsewhere_is_not_asked(desk, site, monkeypatch, url):
    monkeypatch.setattr(fetch, "opened", lambda *args, **kwargs: pytest.fail("It was asked."))
    item = make.ResourceFactory(url=url, image_api=0)
    summary, found = asked(desk, item)
    assert summary == "open"
    assert {one.said for one in found.values()} == {
        "Not asked, because it is neither on this site nor behind one of its doors."
    }


def test_a_place_of_delivery_elsewhere_is_not_asked(desk, site, chart, monkeypatch):
    make.RenditionFactory(resource=chart, url="https://bucket.example.org/chart.jpg", is_location=True)
    reached = []
    monkeypatch.setattr(fetch, "opened", lambda target, *args, **kwargs: reached.append(target.host) or unplugged())
    asked(desk, chart)
    assert set(reached) == {"127.0.0.1"}


def unplugged():
    raise OSError("unplugged")


def test_a_site_that_does_not_answer_could_not_be_asked(desk, chart, settings):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": base, "DOORS": ()}
        summary, found = asked(desk, chart)
    assert summary == "open"
    assert all(one.said.startswith("Could not be asked") for one in found.values())


def test_a_site_that_is_slow_could_not_be_asked(settings, monkeypatch):
    monkeypatch.setattr(fetch, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": base, "DOORS": ()}
        assert stranger.heard(f"{base}/x") == Heard(problem="slow")


def test_a_file_is_asked_as_a_file(desk, site):
    film = make.ResourceFactory(url="/media/film.webm", image_api=0, type="Video")
    site.answers = {}
    found = desk.post(url_of(film)).context["outcomes"]
    assert [one.url.rpartition("/media/")[2] for one in found] == [
        "film.webm",
        "film.webm/",
        "film.webm?download=1",
    ]


def test_a_rule_about_places_comes_with_a_caution(desk, site, chart):
    assert not public_test.is_by_place(store.find_offer(chart.url))
    make.GrantFactory(user=None, network=make.NetworkFactory(), resource=chart)
    assert "The server is somewhere too" in desk.get(url_of(chart)).content.decode()


@pytest.mark.parametrize(
    ("shown", "status", "verdict"),
    [
        (True, 200, "good"),
        (False, 200, "bad"),
        (False, 206, "bad"),
        (None, 200, "good"),
        (None, 401, "good"),
        (True, 401, "bad"),
        (True, 404, "bad"),
        (False, 404, "good"),
        (False, 302, "bad"),
        (True, 302, "good"),
        (True, 400, "open"),
        (False, 400, "good"),
        (True, 500, "open"),
        (False, 503, "open"),
    ],
)
def test_every_answer_has_a_verdict(shown, status, verdict):
    assert judged(Probe("", "", shown), Heard(status))[0] == verdict


# -- Where names lead, and how answers end --------------------------------------------------------------------------


class Names:
    """A name server that answers otherwise each time it is asked, and a network in which nobody answers."""

    def __init__(self, *answers):
        self.answers, self.asked, self.connected = list(answers), 0, []

    def getaddrinfo(self, host, port, *given, **more):
        self.asked += 1
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def create_connection(self, address, timeout=None):
        host = address[0]
        # As the real one does, which asks for a name, and not for an address.
        self.connected.append(host if host[0].isdigit() else self.getaddrinfo(host, address[1])[0][4][0])
        raise ConnectionRefusedError


def by_name(settings, monkeypatch, *answers):
    names = Names(*answers)
    monkeypatch.setattr(fetch.socket, "getaddrinfo", names.getaddrinfo)
    monkeypatch.setattr(fetch.socket, "create_connection", names.create_connection)
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": "http://library.example.org", "DOORS": ()}
    return names


@pytest.mark.parametrize("address", ["169.254.169.254", "224.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_name_of_ones_own_does_not_lead_where_no_site_can_be(settings, monkeypatch, address):
    names = by_name(settings, monkeypatch, address)
    assert stranger.heard("http://library.example.org/x").problem == "NotFetched"
    assert names.connected == []


def test_it_is_noticed_where_it_may(settings, monkeypatch):
    monkeypatch.setattr(fetch, "is_inside", lambda address: True)
    with pytest.raises(AssertionError):
        test_a_name_of_ones_own_does_not_lead_where_no_site_can_be(settings, monkeypatch, "169.254.169.254")


def test_a_name_that_changes_its_mind_is_asked_once(settings, monkeypatch):
    """As a name server does that means to have another address asked than the one that was judged."""
    names = by_name(settings, monkeypatch, "10.0.0.7", "169.254.169.254")
    assert stranger.heard("http://library.example.org/x").problem == "ConnectionRefusedError"
    assert (names.connected, names.asked) == (["10.0.0.7"], 1)


def test_it_is_noticed_where_the_name_is_asked_again(settings, monkeypatch):
    judged_only = fetch._addresses

    def careless(target, *given, **more):
        judged_only(target, *given, **more)
        return [target.host]

    monkeypatch.setattr(fetch, "_addresses", careless)
    with pytest.raises(AssertionError, match=r"169\.254\.169\.254"):
        test_a_name_that_changes_its_mind_is_asked_once(settings, monkeypatch)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_is_sent_on_is_noted_and_not_followed(desk, site, chart, status):
    site.answers, site.location = {"/chart": status}, "/elsewhere/on/this/site"
    asked(desk, chart)
    assert site.asked
    assert not [path for path, _headers in site.asked if path.startswith("/elsewhere")]


def test_it_is_noticed_where_it_is_followed(desk, site, chart, monkeypatch):
    once = stranger.heard

    def following(url):
        found = once(url)
        return once(f"{public_test.conf.BASE_URL}{found.location}") if found.location else found

    monkeypatch.setattr(stranger, "heard", following)
    with pytest.raises(AssertionError, match="/elsewhere"):
        test_what_is_sent_on_is_noted_and_not_followed(desk, site, chart, 302)


def test_it_is_noticed_where_anything_is_asked(desk, site, chart, monkeypatch):
    monkeypatch.setattr(fetch, "listed", lambda url, places: fetch.target_of(url))
    with pytest.raises(AssertionError, match=r"bucket\.example\.org"):
        test_a_place_of_delivery_elsewhere_is_not_asked(desk, site, chart, monkeypatch)
    with pytest.raises(pytest.fail.Exception, match="It was asked"):
        test_what_is_elsewhere_is_not_asked(desk, site, monkeypatch, "https://169.254.169.254/latest/meta-data")


class Endless:
    """The socket of a site that goes on and on: a line of its head each time, or as much as is taken."""

    def __init__(self, most, piece=b"x: y\r\n"):
        self.piece, self.most, self.given = piece, most, 0

    def settimeout(self, seconds):
        pass

    def recv(self, size):
        if self.given >= self.most:
            return b""
        found = (self.piece * (min(size, 1_000_000) // len(self.piece) + 1))[:size]
        self.given += len(found)
        return found


def test_of_a_large_answer_only_the_beginning_is_read():
    endless = Endless(50_000_000)
    assert len(stranger.beginning(endless, time.monotonic() + 60)) <= 2 * stranger.MOST
    assert endless.given <= 40_000


def test_it_is_noticed_where_all_of_it_is_read(monkeypatch):
    monkeypatch.setattr(stranger, "MOST", 100_000_000)
    with pytest.raises(AssertionError):
        test_of_a_large_answer_only_the_beginning_is_read()


def test_an_answer_that_comes_in_drops_could_not_be_asked(settings, monkeypatch):
    monkeypatch.setattr(fetch, "SECONDS", 0.3)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as drip:
        thread = threading.Thread(target=dripping, args=(drip, over), daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{drip.getsockname()[1]}"
        settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": base, "DOORS": ()}
        try:
            assert stranger.heard(f"{base}/x") == Heard(problem="slow")
        finally:
            over.set()
            thread.join(10)


MOST_OF_A_REQUEST = 65_536


def dripping(listener, over):
    connection, _who = listener.accept()
    with connection, suppress(OSError):
        connection.recv(MOST_OF_A_REQUEST)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(20):
            connection.sendall(b"x: y\r\n")
            if over.wait(0.05):
                break
        connection.sendall(b"\r\n")


def test_it_is_noticed_where_each_drop_is_given_its_own_time(settings, monkeypatch):
    monkeypatch.setattr(fetch, "left", lambda until: 5.0)
    with pytest.raises(AssertionError, match="status: 200 != 0"):
        test_an_answer_that_comes_in_drops_could_not_be_asked(settings, monkeypatch)


# -- Who may ask --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
def test_others_may_not_ask(client, site, chart, method):
    for codenames, status in (
        (("view_resource", "every_collection"), 403),
        (("use_simulator", "every_collection"), 403),
        (("view_resource", "use_simulator", "change_resource"), 404),
    ):
        client.force_login(of_the_staff(*codenames))
        assert getattr(client, method)(url_of(chart)).status_code in (status, 404)
    client.logout()
    assert getattr(client, method)(url_of(chart)).status_code == 302
    assert site.asked == []


def test_it_is_noticed_where_they_may(client, site, chart, monkeypatch):
    monkeypatch.setattr(public_test, "may_test", lambda request, row: True)
    with pytest.raises(AssertionError, match="200 in"):
        test_others_may_not_ask(client, site, chart, "post")
    assert site.asked


def test_it_is_noticed_where_those_of_other_collections_may(client, site, chart, monkeypatch):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    monkeypatch.setattr(roles, "may", lambda user, permission, row: user.has_perm(permission))
    with pytest.raises(AssertionError, match="200 in"):
        test_others_may_not_ask(client, site, chart, "get")
