"""Sending files: whole, in part, not again, or by nginx (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import os

import pytest

from iiif_auth.enforce import files

TEXT = b"0123456789"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "ten.txt").write_bytes(TEXT)
    (folder / "empty.txt").write_bytes(b"")
    (folder / "a b?#%é.txt").write_bytes(TEXT)
    (tmp_path / "secret.txt").write_bytes(b"SECRET")
    os.symlink(tmp_path / "secret.txt", folder / "link.txt")
    return folder


@pytest.fixture
def ask(rf, root, db):
    def asked(name="ten.txt", method="get", **headers):
        request = getattr(rf, method)("/", headers={key.replace("_", "-"): value for key, value in headers.items()})
        response = files.send(request, root, name, "text/plain")
        body = b"".join(response.streaming_content) if response.streaming else response.content
        response.close()
        return response.status_code, body, dict(response.headers)

    return asked


def test_a_whole_file(ask):
    status, body, headers = ask()
    assert (status, body) == (200, TEXT)
    assert (headers["Content-Length"], headers["Accept-Ranges"], headers["Content-Type"]) == (
        "10",
        "bytes",
        "text/plain",
    )
    assert "Content-Range" not in headers


@pytest.mark.parametrize(
    ("wanted", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=3-", 206, b"3456789", "bytes 3-9/10"),
        ("bytes=-4", 206, b"6789", "bytes 6-9/10"),
        ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=5-100", 206, b"56789", "bytes 5-9/10"),
        ("bytes=-100", 206, TEXT, "bytes 0-9/10"),
        ("bytes=0-", 206, TEXT, "bytes 0-9/10"),
        ("bytes=0-9", 206, TEXT, "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=100-200", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=5-2", 200, TEXT, None),
        ("bytes=-", 200, TEXT, None),
        ("bytes=0-1,3-4", 200, TEXT, None),
        ("bytes=a-b", 200, TEXT, None),
        ("bytes=٠-٣", 200, TEXT, None),
        ("items=0-3", 200, TEXT, None),
        ("bytes=0-99999999999999999999999999", 200, TEXT, None),
        ("", 200, TEXT, None),
    ],
)
def test_part_of_a_file(ask, wanted, status, body, content_range):
    found, sent, headers = ask(range=wanted)
    assert (found, sent, headers.get("Content-Range")) == (status, body, content_range)


def test_of_an_empty_file_there_are_no_parts(ask):
    assert ask("empty.txt")[:2] == (200, b"")
    assert ask("empty.txt", range="bytes=0-")[0] == 416
    assert ask("empty.txt", range="bytes=-5")[0] == 416


def test_what_the_browser_has_is_not_sent_again(ask):
    _, _, headers = ask()
    etag, modified = headers["ETag"], headers["Last-Modified"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        assert ask(if_none_match=known)[:2] == (304, b"")
    assert ask(if_modified_since=modified)[0] == 304
    assert ask(if_none_match='"x"', if_modified_since=modified)[:2] == (200, TEXT)
    assert ask(if_modified_since="nonsense")[0] == 200
    assert ask(if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT")[0] == 200


def test_a_part_of_another_version_is_not_sent(ask):
    _, _, headers = ask()
    assert ask(range="bytes=0-3", if_range=headers["ETag"])[:2] == (206, b"0123")
    assert ask(range="bytes=0-3", if_range='"x"')[:2] == (200, TEXT)


def test_head_says_all_and_sends_nothing(ask):
    status, body, headers = ask(method="head")
    assert (status, body, headers["Content-Length"]) == (200, b"", "10")


@pytest.mark.parametrize(
    "name", ["../secret.txt", "/etc/passwd", "link.txt", "", ".", "..", "nothing.txt", "../media", "./../secret.txt"]
)
def test_names_that_lead_elsewhere_lead_nowhere(ask, settings, name):
    for prefix in ("", "/protected/"):
        settings.IIIF_AUTH_FLOW = {"SEND_FILE": prefix}
        with pytest.raises(files.NoSuchFile):
            ask(name)


@pytest.mark.parametrize("name", ["a\x00b", "\x00", "x" * 5000])
def test_names_that_no_file_can_have_lead_nowhere(ask, name):
    with pytest.raises(files.NoSuchFile):
        ask(name)


def test_nginx_is_told_the_name_as_it_will_decode_it(ask, settings):
    settings.IIIF_AUTH_FLOW = {"SEND_FILE": "/protected/"}
    status, body, headers = ask("a b?#%é.txt")
    assert (status, body) == (200, b"")
    assert headers["X-Accel-Redirect"] == "/protected/a%20b%3F%23%25%C3%A9.txt"
    assert headers["Content-Type"] == "text/plain"


# -- Films and recordings are sent in parts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("bytes=0-", "bytes 0-65535/200000"),
        ("bytes=100-199999", "bytes 100-65635/200000"),
        ("bytes=5-104", "bytes 5-104/200000"),
        ("bytes=-500", "bytes 199500-199999/200000"),
        ("bytes=-150000", "bytes 50000-115535/200000"),
        ("bytes=199999-", "bytes 199999-199999/200000"),
        ("bytes=200000-", "bytes */200000"),
    ],
)
@pytest.mark.parametrize(("kind", "cut"), [("video/mp4", True), ("audio/mpeg", True), ("application/pdf", False)])
def test_a_part_of_what_is_played_is_no_longer_than_was_decided_about(rf, settings, tmp_path, asked, given, kind, cut):
    """Or a film that a browser has begun goes on to its end, whatever happens to the pass."""
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "RANGE_BYTES": 65_536}
    (tmp_path / "film").write_bytes(bytes(200_000))
    response = files.sent(rf.get("/film", headers={"range": asked}), tmp_path / "film", kind)
    shortened = int(given.partition("-")[2].partition("/")[0] or 0) in (65_535, 65_635, 115_535)
    found = response.headers["Content-Range"]
    assert found.endswith("-199999/200000") if shortened and not cut else found == given


def test_whoever_asks_for_no_part_is_sent_the_whole(rf, settings, tmp_path):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "RANGE_BYTES": 65_536}
    (tmp_path / "film").write_bytes(bytes(200_000))
    response = files.sent(rf.get("/film"), tmp_path / "film", "video/mp4")
    assert (response.status_code, response.headers["Content-Length"]) == (200, "200000")
