"""Names below a folder, and whatever tries to lead out of it."""

from __future__ import annotations

import os

import pytest

from iiif_auth.derivatives import folders
from iiif_auth.derivatives.folders import Folder, check_name, extension
from iiif_auth.derivatives.ledger import Entry, InUse, Ledger, alone, mark_of
from iiif_auth.derivatives.limits import NotMade

SECRET = "secret.tif"


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / SECRET).write_bytes(b"II*\0")
    return folder


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "inside"
    (root / "maps").mkdir(parents=True)
    for name in ("chart.tif", "maps/survey.TIF", "film.mp4", "notes.txt"):
        (root / name).write_bytes(b"x")
    return Folder.at(root)


@pytest.mark.parametrize(
    ("name", "found", "added"),
    [
        ("chart", "chart.tif", ".tif"),
        ("chart.tif", "chart.tif", ""),
        ("maps/survey", "maps/survey.TIF", ".TIF"),
        ("film.mp4", "film.mp4", ""),
    ],
)
def test_an_original_is_found_by_its_name_with_or_without_extension(folder, name, found, added):
    original = folder.original(name)
    assert (original.name, original.added, original.size) == (found, added, 1)


@pytest.mark.parametrize("name", ["gone", "gone.tif", "notes", "notes.txt", "Chart", "maps", "chart.tif.tif"])
def test_what_is_not_there_is_a_sentence(folder, name):
    with pytest.raises(NotMade, match="There is no original called"):
        folder.original(name)


def test_two_that_may_be_meant_are_not_guessed_at(folder):
    (folder.root / "chart.jpg").write_bytes(b"x")
    with pytest.raises(NotMade, match=r"2 originals may be meant by chart: chart\.jpg, chart\.tif\. Name one"):
        folder.original("chart")
    assert folder.original("chart", {"chart.jpg"}).name == "chart.tif"


HOSTILE = [
    "",
    "..",
    ".",
    "../outside/secret.tif",
    "maps/../../outside/secret.tif",
    "/etc/passwd",
    "maps//survey.tif",
    "maps/./survey.tif",
    "..\\outside\\secret.tif",
    "chart.tif\0.png",
    "chart\n.tif",
    ".iiif-derivatives.jsonl",
    "maps/.hidden.tif",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_lead_elsewhere_are_refused(folder, outside, name):
    for meant in (check_name, folder.original, folder.place):
        with pytest.raises(NotMade, match="can not be the name of a file in the folder"):
            meant(name)


def test_links_that_lead_out_are_refused_and_links_within_are_not(folder, outside):
    (folder.root / "link.tif").symlink_to(outside / SECRET)
    (folder.root / "away").symlink_to(outside)
    (folder.root / "within.tif").symlink_to(folder.root / "chart.tif")
    for name in ("link.tif", "link", "away/secret.tif", "away/secret"):
        with pytest.raises(NotMade, match="is a link that leads out of the folder"):
            folder.original(name)
    assert folder.original("within.tif").path == folder.root / "chart.tif"
    for name in ("away/new.tif", "away/deeper/new.tif"):
        with pytest.raises(NotMade, match="is a link that leads out of the folder, so nothing is written there"):
            folder.place(name)
    assert os.listdir(outside) == [SECRET]


def test_nothing_is_written_through_a_link_or_over_a_folder(folder, outside):
    (folder.root / "link.tif").symlink_to(outside / "new.tif")
    (folder.root / "folder.tif").mkdir()
    for name in ("link.tif", "folder.tif"):
        with pytest.raises(NotMade, match="there is something that is not a file"):
            folder.place(name)


def test_only_files_are_read(folder):
    os.mkfifo(folder.root / "pipe.tif")
    with pytest.raises(NotMade, match="is not a file"):
        folder.original("pipe")


def test_a_name_too_long_is_a_sentence(folder):
    for name in ("a" * 300 + "/b.tif", "é" * 130 + ".tif"):
        for meant in (folder.place, folder.original):
            with pytest.raises(NotMade, match="can not be the name of a file"):
                meant(name)


def test_a_folder_has_to_be_there(tmp_path):
    with pytest.raises(NotADirectoryError):
        Folder.at(tmp_path / "gone")


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.TIF", "tif"), ("a.b/c", ""), (".tif", ""), ("a.pdf", ""), ("a.tif~members", ""), ("x/y.m4v", "m4v")],
)
def test_an_extension_is_one_that_is_known(name, found):
    assert extension(name) == found


def test_what_a_killed_run_left_is_swept_and_nothing_else(folder):
    path = folder.place("chart~small.tif")
    abandoned = folders.unfinished(path, "tif")
    (folder.root / ".iiif-derivatives.jsonl").write_bytes(b"")
    folders.sweep({folder.root})
    assert not abandoned.exists()
    assert sorted(os.listdir(folder.root)) == [".iiif-derivatives.jsonl", "chart.tif", "film.mp4", "maps", "notes.txt"]


# -- The ledger -----------------------------------------------------------------------------------------------------


def entry_of(folder, name, digest="d"):
    original = folder.original("chart")
    return Entry(name, digest, original.name, original.size, original.modified, mark_of(folder.root / name) or (0, 0))


def test_the_ledger_knows_what_is_current_and_what_is_ours(folder):
    original = folder.original("chart")
    made = folder.root / "chart~small.tif"
    made.write_bytes(b"small")
    Ledger(folder).add(entry_of(folder, "chart~small.tif"))
    ledger = Ledger(folder)
    assert ledger.is_current("chart~small.tif", "d", original)
    assert not ledger.is_current("chart~small.tif", "another recipe", original)
    assert ledger.is_ours("chart~small.tif")
    assert not ledger.is_ours("chart.tif")
    made.write_bytes(b"put here by hand")
    assert not ledger.is_ours("chart~small.tif")
    assert not ledger.is_current("chart~small.tif", "d", original)


def test_an_original_that_changed_makes_its_version_old(folder):
    (folder.root / "chart~small.tif").write_bytes(b"small")
    Ledger(folder).add(entry_of(folder, "chart~small.tif"))
    (folder.root / "chart.tif").write_bytes(b"drawn anew")
    assert not Ledger(folder).is_current("chart~small.tif", "d", folder.original("chart"))


def test_half_a_line_and_nonsense_count_for_nothing(folder):
    (folder.root / "chart~small.tif").write_bytes(b"small")
    ledger = Ledger(folder)
    ledger.add(entry_of(folder, "chart~small.tif"))
    with ledger.path.open("ab") as file:
        file.write(b'\n[1]\nnull\n{"made": 3}\n{"name": "x", "made": [1]}\n\xff\n{"name": "chart~sm')
    ledger = Ledger(folder)
    assert list(ledger.entries) == ["chart~small.tif"]
    ledger.add(entry_of(folder, "chart~small.tif", "e"))
    again = Ledger(folder)
    assert again.is_current("chart~small.tif", "e", folder.original("chart"))
    again.tidy()
    assert len(again.path.read_bytes().splitlines()) == 1
    assert Ledger(folder).entries == again.entries


def test_two_runs_do_not_meet_in_one_folder(folder):
    with alone(folder), pytest.raises(InUse, match="Another run is making files"), alone(folder):
        pass
    with alone(folder):
        pass
