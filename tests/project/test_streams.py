"""The film as MP4, HLS and DASH, made of a few seconds of nothing much."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from project.collection import media, prepare, streams

SECONDS = 4
MPD = "{urn:mpeg:dash:schema:mpd:2011}"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "film.webm"
    rng = np.random.default_rng(1)
    shown = rng.integers(0, 255, (54, 96, 3), dtype=np.uint8)
    frames = (np.roll(shown, number, axis=1) for number in range(media.RATE * SECONDS))
    media._encode(path, (96, 54), frames, "200k")
    return path


@pytest.fixture(scope="module")
def made(source: Path) -> Path:
    folder = source.parent / "harbour"
    folder.mkdir()
    large, small = source.parent / "film.mp4", source.parent / "small.mp4"
    streams.write_mp4(large, source)
    streams.write_mp4(small, source, streams.SMALL)
    streams.write_folder(folder, (small, large))
    return folder


def test_the_mp4_is_h264_and_aac_with_its_index_first(made: Path):
    path = made.parent / "film.mp4"
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.codec.name, picture.width, picture.height) == ("h264", *streams.LARGE)
        assert (sound.codec.canonical_name, sound.layout.name) == ("aac", "stereo")
        keys = [float(packet.pts * packet.time_base) for packet in film.demux(picture) if packet.is_keyframe]
    assert keys == [0, 2]


def test_the_playlists_name_every_piece_and_nothing_outside_their_folder(made: Path):
    sizes = re.findall(r"^[^#\n].*$", (made / streams.ENTRY).read_text(), re.MULTILINE)
    assert sizes == ["216p.m3u8", "360p.m3u8"]
    named = {streams.ENTRY, streams.DASH, *sizes}
    for playlist in sizes:
        text = (made / playlist).read_text()
        assert 'METHOD=AES-128,URI="film.key"' in text
        named |= {"film.key", *re.findall(r"^[^#\n].*$", text, re.MULTILINE)}
    named |= set(pieces_of_dash(made))
    assert named == {path.name for path in made.iterdir()}


def pieces_of_dash(folder: Path) -> list[str]:
    found = []
    for one in ElementTree.parse(folder / streams.DASH).iter(f"{MPD}Representation"):  # noqa: S314 - ours
        template = one.find(f"{MPD}SegmentTemplate")
        lines = template.findall(f"{MPD}SegmentTimeline/{MPD}S")
        count = sum(1 + int(line.get("r", "0")) for line in lines)
        names = [template.get("media").replace("$Number$", str(number + 1)) for number in range(count)]
        found += [
            name.replace("$RepresentationID$", one.get("id")) for name in (template.get("initialization"), *names)
        ]
    return found


def test_a_piece_of_hls_says_nothing_without_the_key_and_plays_with_it(made: Path):
    piece = (made / "360p-0.ts").read_bytes()
    assert piece[:1] != b"G" or piece[188:189] != b"G"
    assert len((made / streams.KEY).read_bytes()) == 16
    with av.open(str(made / "360p.m3u8"), options={"allowed_extensions": "ALL"}) as film:
        assert sum(1 for _frame in film.decode(video=0)) == media.RATE * SECONDS


def test_without_the_right_key_it_does_not_play(made: Path):
    kept = (made / streams.KEY).read_bytes()
    (made / streams.KEY).write_bytes(bytes(16))
    try:
        with (
            pytest.raises((av.FFmpegError, IndexError)),
            av.open(str(made / "360p.m3u8"), options={"allowed_extensions": "ALL"}) as film,
        ):
            list(film.decode(video=0))
    finally:
        (made / streams.KEY).write_bytes(kept)


def test_the_pieces_of_dash_play_one_after_another(made: Path):
    """PyAV can write a description of DASH but not read it; what a player does with one is to join the pieces."""
    names = [name for name in pieces_of_dash(made) if re.match(r"(begin|piece)-1\b", name)]
    joined = BytesIO(b"".join((made / name).read_bytes() for name in names))
    with av.open(joined) as film:
        assert film.streams.video[0].width == streams.LARGE[0]
        assert sum(1 for _frame in film.decode(video=0)) == media.RATE * SECONDS


# -- Preparing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The film of a few seconds in place of the one that takes half a minute to draw."""
    monkeypatch.setattr(media, "write_film", lambda path: path.write_bytes(source.read_bytes()))
    monkeypatch.setattr(media, "write_small_film", lambda path, _from: path.write_bytes(source.read_bytes()))
    monkeypatch.setattr(media, "write_film_poster", lambda path: path.write_bytes(b"poster"))


def test_the_film_is_prepared_in_every_form_once(tmp_path: Path, drawn: None):
    assert [step.skipped for step in prepare.prepare(tmp_path, ["harbour"], workers=1)] == [False]
    key = (tmp_path / "films" / "harbour" / "film.key").read_bytes()
    assert (tmp_path / "media" / "film.mp4").is_file()
    assert [path.name for path in (tmp_path / "films").iterdir()] == ["harbour"]
    assert [step.skipped for step in prepare.prepare(tmp_path, ["film.mp4"], workers=1)] == [True]
    (tmp_path / "stamps" / "harbour").write_text("another drawing")
    assert [step.skipped for step in prepare.prepare(tmp_path, ["harbour"], workers=1)] == [False]
    assert (tmp_path / "films" / "harbour" / "film.key").read_bytes() != key
    assert [path.name for path in (tmp_path / "films").iterdir()] == ["harbour"]


def test_a_failure_leaves_no_half_a_film(tmp_path: Path, drawn: None, monkeypatch: pytest.MonkeyPatch):
    def half(folder: Path, films: tuple[Path, ...]) -> None:
        (folder / "index.m3u8").write_text("#EXTM3U")
        raise OSError("disk full")

    monkeypatch.setattr(streams, "write_folder", half)
    with pytest.raises(OSError, match="disk full"):
        list(prepare.prepare(tmp_path, ["harbour"], workers=1))
    assert list((tmp_path / "films").iterdir()) == []


def test_what_a_killed_run_left_of_a_film_is_swept_away(tmp_path: Path, drawn: None, monkeypatch: pytest.MonkeyPatch):
    leftover = tmp_path / "films" / ".123-harbour"
    leftover.mkdir(parents=True)
    (leftover / "film.key").write_bytes(bytes(16))
    monkeypatch.setattr(prepare, "ABANDONED_AFTER", -1)
    list(prepare.prepare(tmp_path, [], workers=1))
    assert not leftover.exists()


def test_without_an_encoder_the_demo_does_without_and_says_so(
    tmp_path: Path, drawn: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(streams, "_ENCODERS", ())
    steps = list(prepare.prepare(tmp_path, ["film.webm"], workers=1))
    assert "can not encode H.264" in steps[0].what
    assert sorted(path.name for path in (tmp_path / "media").iterdir()) == [
        "film-poster.jpg",
        "film-small.webm",
        "film.webm",
    ]
    assert list((tmp_path / "films").iterdir()) == []
