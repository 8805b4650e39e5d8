from __future__ import annotations

import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from project.viewer_site import ROOT, TYPES, asset, serve, start

COLLECTION = "http://localhost:8000/iiif/collection.json"
FILES = sorted(path for path in ROOT.rglob("*") if path.suffix in TYPES)


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    server = serve(0, COLLECTION)
    thread = start(server)
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def ask(server: ThreadingHTTPServer, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    """Exactly this path on the wire: a friendlier client would tidy it up first."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.putrequest(method, path)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page_is_at_the_root(server):
    response, body = ask(server, "/?manifest=x")
    assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert body == (ROOT / "index.html").read_bytes()


def test_it_says_which_collection_to_open(server):
    response, body = ask(server, "/config.json")
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"collection": COLLECTION}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_comes_with_its_type(server, path):
    response, body = ask(server, f"/{path.relative_to(ROOT)}")
    assert (response.status, response.headers["Content-Type"]) == (200, TYPES[path.suffix])
    assert body == path.read_bytes()


@pytest.mark.parametrize("path", ["/", "/config.json", "/viewer.js", "/nothing-here"])
def test_every_answer_carries_the_policy(server, path):
    headers = ask(server, path)[0].headers
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert policy[:6] == [
        "default-src 'self'",
        "img-src *",
        "media-src *",
        "connect-src *",
        "frame-src *",
        "style-src 'self' 'unsafe-inline'",
    ]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_cuts_the_windows_it_opens(server):
    """A viewer that isolates itself would see every window of the library as closed."""
    headers = ask(server, "/")[0].headers
    assert "Cross-Origin-Opener-Policy" not in headers
    assert "Cross-Origin-Embedder-Policy" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/../viewer_site.py",
        "/../settings.py",
        "/vendor/../../settings.py",
        "/%2e%2e/viewer_site.py",
        "/..%2fviewer_site.py",
        "/%2e%2e%2f%2e%2e%2fREADME.md",
        "/..\\viewer_site.py",
        "//etc/passwd",
        "/%00index.html",
        "/vendor",
        "/vendor/",
        "/nothing-here.js",
    ],
)
def test_what_is_not_ours_is_not_found(server, path):
    response, body = ask(server, path)
    assert (response.status, body) == (404, b"Not found\n")


def test_a_link_out_of_the_folder_leads_nowhere(tmp_path: Path):
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "viewer"
    root.mkdir()
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    assert asset("/out.txt", root) is None


def test_a_neighbour_with_a_longer_name_is_not_inside(tmp_path: Path):
    (tmp_path / "viewer").mkdir()
    (tmp_path / "viewer-private").mkdir()
    (tmp_path / "viewer-private" / "secret.txt").write_text("secret")
    assert asset("/../viewer-private/secret.txt", tmp_path / "viewer") is None


def test_head_sends_the_headers_only(server):
    response, body = ask(server, "/viewer.js", "HEAD")
    assert body == b""
    assert int(response.headers["Content-Length"]) == (ROOT / "viewer.js").stat().st_size


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_only_reads(server, method):
    assert ask(server, "/config.json", method)[0].status == 501


def test_the_page_has_nothing_its_policy_forbids():
    page = (ROOT / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son\w+\s*=|\sstyle\s*=|javascript:", page)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_the_vendored_file_is_the_one_described():
    digest = hashlib.sha256((ROOT / "vendor" / "openseadragon.min.js").read_bytes()).hexdigest()
    assert digest in (ROOT / "vendor" / "README.md").read_text()


@pytest.mark.parametrize("language", ["de", "fr", "es", "cy"])
def test_every_language_says_the_same_things(language):
    line = re.compile(r'^  "?([\w-]+)"?: ["`](.*)["`],$', re.MULTILINE)
    english, other = (dict(line.findall((ROOT / "words" / f"{name}.js").read_text())) for name in ("en", language))
    assert len(english) > 100
    assert list(other) == list(english)
    slots = re.compile(r"\{\w+\}")
    assert [key for key in english if sorted(slots.findall(english[key])) != sorted(slots.findall(other[key]))] == []
