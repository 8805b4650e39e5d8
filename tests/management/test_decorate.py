"""The command that adds services to a manifest in a file, on standard input or on another site."""

from __future__ import annotations

import json
from contextlib import nullcontext
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from django.core.management import CommandError, call_command

from iiif_auth import fetch
from iiif_auth.management.commands import iiif_decorate
from tests import factories, web
from tests.web import BASE, EVERYONE, SIGNED_IN, site

__all__ = ["site"]

P3 = "http://iiif.io/api/presentation/3/context.json"


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture(autouse=True)
def library(request):
    settings = request.getfixturevalue("site")
    web.restricted("/iiif/3/chart", SIGNED_IN, by=(web.service("login", "login"),))
    web.restricted("/iiif/3/map", EVERYONE)
    shelf = web.hidden_collection(policy=factories.AccessPolicyFactory())
    factories.ResourceFactory(url="/iiif/3/secret-plain", collection=shelf)
    return settings


def manifest(*paths):
    return {"@context": P3, "type": "Manifest", "items": [{"id": BASE + path, "type": "Image"} for path in paths]}


def called(source, **options):
    """What it wrote, and what it said."""
    out, err = StringIO(), StringIO()
    call_command("iiif_decorate", str(source), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest("/iiif/3/chart", "/iiif/3/map", "/iiif/3/nothing")))
    return path


def test_a_file_is_written_with_its_services_and_what_was_found_is_said(file):
    wrote, said = called(file)
    found = json.loads(wrote)
    assert ["service" in one for one in found["items"]] == [True, False, False]
    assert wrote.endswith("}\n")
    assert said == "Known: 2 (1 decorated, 1 open to all). Unknown: 1.\n"


def test_what_is_hidden_is_left_alone_and_said_to_whoever_runs_it(file):
    file.write_text(json.dumps(manifest("/iiif/3/secret-plain", "/iiif/3/secret-nothing")))
    wrote, said = called(file)
    assert json.loads(wrote) == manifest("/iiif/3/secret-plain", "/iiif/3/secret-nothing")
    assert said == "Known: 0 (0 decorated, 0 open to all). Unknown: 0. Hidden, and left as if unknown: 2.\n"


def test_doing_it_twice_is_doing_it_once(file, tmp_path):
    once, twice = tmp_path / "once.json", tmp_path / "twice.json"
    called(file, output=str(once))
    called(once, output=str(twice))
    assert twice.read_bytes() == once.read_bytes() != file.read_bytes()


def test_standard_input_will_do(file, monkeypatch):
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(file.read_bytes())))
    assert called("-") == called(file)


def test_a_url_on_the_list_will_do_and_no_other(file, library, monkeypatch):
    url = "https://manifests.example.org/m.json"
    with pytest.raises(CommandError, match="MANIFEST_SOURCES"):
        called(url)
    library.IIIF_AUTH_FLOW = {**library.IIIF_AUTH_FLOW, "MANIFEST_SOURCES": [url]}
    asked = []
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + file.read_bytes()
    monkeypatch.setattr(fetch, "opened", lambda target, *given, **more: nullcontext(asked.append(target.host)))
    monkeypatch.setattr(fetch, "_answer", lambda *given: answer)
    assert called(url) == called(file)
    assert asked == ["manifests.example.org"]


@pytest.mark.parametrize("indent", ["  ", "    ", "\t", 1])
def test_a_document_that_is_indented_stays_so(file, indent):
    document = manifest("/iiif/3/map")
    file.write_text(json.dumps(document, indent=indent))
    assert called(file)[0] == file.read_text() + "\n"


def test_a_document_in_one_line_stays_in_one_line(file):
    assert called(file)[0].count("\n") == 1


def test_the_version_may_be_said_where_the_document_does_not_say_it(file):
    service = {"@id": f"{BASE}/iiif/3/chart", "profile": "http://iiif.io/api/image/2/level2.json"}
    file.write_text(json.dumps({"type": "Manifest", "x": {"type": "Image", "service": service}}))

    def types(presentation):
        found = json.loads(called(file, presentation=presentation)[0])["x"]["service"]
        return [one.get("type") for one in found] if isinstance(found, list) else found["service"]["@context"]

    assert types("2") == "http://iiif.io/api/auth/1/context.json"
    assert types("3") == types("auto") == [None, "AuthProbeService2"]


# -- Where it is written ------------------------------------------------------------------------------------------


def test_with_an_output_nothing_goes_to_standard_output(file, tmp_path):
    target = tmp_path / "out.json"
    wrote, said = called(file, output=str(target))
    assert (wrote, "1 decorated" in said) == ("", True)
    assert target.read_text() == called(file)[0]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_may_be_replaced_by_itself_and_keeps_its_permissions(file):
    file.chmod(0o640)
    expected = called(file)[0]
    called(file, output=str(file))
    assert file.read_text() == expected
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_is_written_through(file, tmp_path):
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    called(file, output=str(link))
    assert link.is_symlink()
    assert json.loads(target.read_text())["items"]


def test_if_anything_fails_the_old_file_is_still_there_and_nothing_else(file, tmp_path, monkeypatch):
    target = tmp_path / "out.json"
    target.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(iiif_decorate.os, "fsync", full)
    with pytest.raises(CommandError, match="Nothing was written: .*No space"):
        called(file, output=str(target))
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", "out.json"}


def test_a_folder_that_is_not_there_is_said(file, tmp_path):
    with pytest.raises(CommandError, match="Nothing was written"):
        called(file, output=str(tmp_path / "nowhere" / "out.json"))


# -- What is no manifest ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"{}", b'{"type": "ImageService3"}', b"\xff\xfe\x00"])
def test_what_is_no_manifest_is_refused_and_nothing_is_written(file, tmp_path, text):
    file.write_bytes(text)
    target = tmp_path / "out.json"
    with pytest.raises(CommandError) as raised:
        called(file, output=str(target))
    assert str(raised.value).endswith(".")
    assert raised.value.returncode == 1
    assert not target.exists()


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="could not be read.*nowhere"):
        called(tmp_path / "nowhere.json")
    with pytest.raises(CommandError, match="could not be read"):
        called(tmp_path)
