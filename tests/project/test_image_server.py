"""The demo's image server by itself: it serves everybody, and so this machine alone."""

from __future__ import annotations

import http.client
import json

import pytest

from project.images import __main__ as program
from project.images.server import NotLoopback, server
from tests import servers


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    servers.pictures(data / "images")
    with servers.demo(data) as made:
        yield int(made.upstream.rpartition(":")[2].partition("/")[0])


def ask(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path)
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def test_a_picture_and_its_description(running):
    status, headers, body = ask(running, "/iiif/3/chart/info.json")
    assert (status, json.loads(body)["width"]) == (200, 1600)
    status, headers, body = ask(running, "/iiif/2/chart/full/100,/0/default.png")
    assert (status, headers["Content-Type"], body[:4]) == (200, "image/png", b"\x89PNG")
    assert ask(running, "/iiif/3/chart", "HEAD")[:1] == (303,)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/iiif/1/chart/info.json", 404),
        ("/iiif/3/nothing/info.json", 404),
        ("/iiif/3/..%2Fchart/info.json", 404),
        ("/iiif/3/chart/full/max/0/default", 404),
        ("/iiif/3/chart/full/max/0/default.tif", 400),
        ("/iiif/3/chart/9000,0,1,1/max/0/default.jpg", 400),
        ("/other/3/chart/info.json", 404),
        ("x", 404),
    ],
)
def test_everything_else_is_a_plain_no(running, path, status):
    assert ask(running, path)[0] == status


def test_other_methods_are_refused(running):
    assert ask(running, "/iiif/3/chart/info.json", "POST")[0] == 405


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "example.org", ""])  # noqa: S104
def test_it_listens_nowhere_where_others_could_reach_it(host, tmp_path):
    with pytest.raises(NotLoopback, match=r"lets everybody have everything"):
        server(host, 0, tmp_path)


def test_the_program_says_what_is_wrong(tmp_path, capsys):
    for arguments, why in (
        (["--data", str(tmp_path)], "there is no folder"),
        (["--data", str(tmp_path), "--host", "0.0.0.0"], "0.0.0.0 can be reached"),  # noqa: S104
    ):
        with pytest.raises(SystemExit):
            program.main(arguments)
        assert why in capsys.readouterr().err
        (tmp_path / "images").mkdir(exist_ok=True)
