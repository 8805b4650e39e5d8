"""Smaller films and sound, as FFmpeg's own programs and their bytes show them."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from iiif_auth.derivatives import recordings
from iiif_auth.derivatives.limits import Limits, NotMade, Stopped, Watch
from iiif_auth.derivatives.recipes import Recipe
from tests.derivatives import originals


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Originals for the whole module; tests do not write to them."""
    folder = tmp_path_factory.mktemp("originals")
    for name in ("film.mp4", "film.webm"):
        originals.film(folder / name, folder)
    originals.sound(folder / "song.wav")
    cover = folder / "cover.png"
    originals.light(90, 300, 300).pngsave(str(cover))
    originals.ffmpeg(
        *("-i", str(folder / "song.wav"), "-i", str(cover), "-map", "0", "-map", "1", "-c:v", "copy"),
        *("-metadata", f"title={originals.CANARY}", "-disposition:v", "attached_pic", str(folder / "song.mp3")),
    )
    return folder


def made(original: Path, into: Path, edge=160, recipe=None, limits=None, said=None):
    watch = Watch(limits or Limits())
    return recordings.make(original, into, into.suffix[1:], edge, recipe or Recipe(), watch, 2, said)


def probed(path: Path):
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def frames(path: Path, width: int, height: int):
    """Every frame, as pixels."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3).astype(float)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_a_film_is_smaller_and_nothing_else_comes_along(library, tmp_path, name):
    original, into = library / name, tmp_path / f"film~small{Path(name).suffix}"
    before = probed(original)
    assert originals.is_in(originals.CANARY, original), "The test planted nothing."
    assert (len(before["streams"]) >= 3, len(before["chapters"])) == (True, 1)
    made(original, into)
    after = probed(into)
    assert [one["codec_type"] for one in after["streams"]] == ["video", "audio"]
    assert (after["streams"][0]["width"], after["streams"][0]["height"]) == (160, 90)
    assert float(after["format"]["duration"]) == pytest.approx(4, abs=0.2)
    assert after["chapters"] == []
    assert not originals.is_in(originals.CANARY, into)
    assert b"54.3190" not in into.read_bytes()


def test_without_the_arguments_that_strip_it_a_film_is_thrown_away(library, tmp_path, monkeypatch):
    """The broken twin of the test above: what was written is looked at before it counts."""
    monkeypatch.setattr(recordings, "_NOTHING_ELSE", ())
    with pytest.raises(NotMade, match=r"It came out with .*title.* of the original, so it was thrown away\."):
        made(library / "film.mp4", tmp_path / "film.mp4")


def test_an_mp4_begins_with_its_index_so_that_it_can_be_streamed(library, tmp_path):
    made(library / "film.mp4", tmp_path / "film.mp4")
    written = (tmp_path / "film.mp4").read_bytes()
    assert 0 < written.index(b"moov") < written.index(b"mdat")


def test_a_webm_has_its_cues_before_its_pictures(library, tmp_path):
    made(library / "film.webm", tmp_path / "film.webm")
    written = (tmp_path / "film.webm").read_bytes()
    assert 0 < written.index(b"\x1c\x53\xbb\x6b", 400) < written.index(b"\x1f\x43\xb6\x75")


def test_a_clip_lasts_as_long_as_it_should_and_begins_where_it_should(library, tmp_path):
    made(library / "film.mp4", tmp_path / "clip.mp4", recipe=Recipe(clip_seconds=1, start=2))
    assert float(probed(tmp_path / "clip.mp4")["format"]["duration"]) == pytest.approx(1, abs=0.15)
    made(library / "film.mp4", tmp_path / "whole.mp4")
    clip, whole = frames(tmp_path / "clip.mp4", 160, 90), frames(tmp_path / "whole.mp4", 160, 90)
    differences = [abs(clip[0] - frame).mean() for frame in whole]
    assert differences.index(min(differences)) / 10 == pytest.approx(2, abs=0.11)


@pytest.mark.parametrize(("recipe", "size"), [(Recipe(max_height=60), (106, 60)), (Recipe(), (160, 90))])
def test_a_film_is_no_higher_than_it_may_be(library, tmp_path, recipe, size):
    found = made(library / "film.mp4", tmp_path / "film.mp4", recipe=recipe)
    assert (found.width, found.height) == size


def test_a_film_is_never_enlarged(library, tmp_path):
    found = made(library / "film.mp4", tmp_path / "film.mp4", edge=4000, recipe=Recipe(clip_seconds=1))
    assert (found.width, found.height) == (320, 180)


def test_blur_and_grey_are_in_every_frame(library, tmp_path):
    made(library / "film.mp4", tmp_path / "plain.mp4")
    made(library / "film.mp4", tmp_path / "other.mp4", recipe=Recipe(blur=0.1, grey=True))
    plain, other = frames(tmp_path / "plain.mp4", 160, 90), frames(tmp_path / "other.mp4", 160, 90)
    assert len(other) == len(plain) > 8
    assert abs(np.diff(plain, axis=2)).max() > 100
    assert abs(np.diff(other, axis=2)).max() < 40
    assert (other.max(axis=3) - other.min(axis=3)).max() <= 4


def test_a_watermark_is_in_every_frame(library, tmp_path):
    made(library / "film.mp4", tmp_path / "plain.mp4")
    made(library / "film.mp4", tmp_path / "other.mp4", recipe=Recipe(watermark="Merehaven: 100%{pts}'"))
    change = abs(frames(tmp_path / "plain.mp4", 160, 90) - frames(tmp_path / "other.mp4", 160, 90))
    assert change.max(axis=(2, 3)).max(axis=1).min() > 40


def test_a_bitrate_is_kept(library, tmp_path):
    made(library / "film.mp4", tmp_path / "low.mp4", recipe=Recipe(bitrate="30k"))
    made(library / "film.mp4", tmp_path / "high.mp4", recipe=Recipe(bitrate="300k"))
    assert (tmp_path / "low.mp4").stat().st_size * 2 < (tmp_path / "high.mp4").stat().st_size


# -- Sound ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["mp3", "m4a", "ogg", "opus", "webm", "wav", "flac"])
def test_sound_is_clipped_and_nothing_else_comes_along(library, tmp_path, ending):
    into = tmp_path / f"song.{ending}"
    made(library / "song.mp3", into, recipe=Recipe(clip_seconds=3))
    after = probed(into)
    assert [one["codec_type"] for one in after["streams"]] == ["audio"]
    assert float(after["format"]["duration"]) == pytest.approx(3, abs=0.15)
    assert originals.is_in(originals.CANARY, library / "song.mp3")
    assert not originals.is_in(originals.CANARY, into)


@pytest.mark.parametrize(("ending", "recipe"), [("mp3", Recipe(watermark="x")), ("wav", Recipe(bitrate="64k"))])
def test_sound_that_would_be_left_as_it_is_is_refused(library, tmp_path, ending, recipe):
    with pytest.raises(NotMade, match="Nothing says what makes this sound recording smaller"):
        made(library / "song.wav", tmp_path / f"song.{ending}", recipe=recipe)


# -- Refusing -------------------------------------------------------------------------------------------------------


def test_a_playlist_called_a_film_reads_no_other_file(library, tmp_path):
    """FFmpeg would follow it if it were left to choose its reader: the twin shows that it does."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:6", "#EXTINF:6,", str(library / "film.mp4"), "#EXT-X-ENDLIST", ""]
    concat = f"ffconcat version 1.0\nfile '{library / 'film.mp4'}'\n"
    for number, text in enumerate(("\n".join(lines), concat)):
        trap = tmp_path / f"trap-{number}.mp4"
        trap.write_text(text)
        with pytest.raises(NotMade, match=r"^FFmpeg says: .+\.$"):
            made(trap, tmp_path / "b.mp4")
    twin = [
        "ffprobe",
        "-v",
        "error",
        "-safe",
        "0",
        "-protocol_whitelist",
        "file",
        "-show_streams",
        str(tmp_path / "trap-1.mp4"),
    ]
    assert b"codec_type=video" in subprocess.run(twin, capture_output=True, check=True).stdout


def test_a_name_that_looks_like_something_else_to_ffmpeg_is_a_name(library, tmp_path):
    odd = tmp_path / "concat:a|-i %03d.mp4"
    odd.write_bytes((library / "film.mp4").read_bytes())
    assert made(odd, tmp_path / "-y %d.mp4").width == 160


def test_half_a_film_is_a_sentence(library, tmp_path):
    whole = (library / "film.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NotMade, match=r"^FFmpeg says: .+\.$"):
        made(tmp_path / "half.mp4", tmp_path / "b.mp4")


def test_a_film_with_a_hole_in_it_comes_out_too_short_and_is_refused(library, tmp_path):
    whole = (library / "film.webm").read_bytes()
    (tmp_path / "hole.webm").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(NotMade):
        made(tmp_path / "hole.webm", tmp_path / "b.webm")


def test_a_clip_that_begins_after_the_end_is_refused(library, tmp_path):
    with pytest.raises(NotMade, match=r"It lasts 4\.\d seconds, and the clip would begin at second 30"):
        made(library / "film.mp4", tmp_path / "b.mp4", recipe=Recipe(start=30))


@pytest.mark.parametrize(("ending", "why"), [("avi", "Nothing is written as .avi"), ("mp3", "A .mp3 holds no film")])
def test_a_film_is_not_written_as_what_can_not_be_streamed(library, tmp_path, ending, why):
    with pytest.raises(NotMade, match=why):
        made(library / "film.mp4", tmp_path / f"b.{ending}")


def test_too_many_pixels_or_minutes_are_refused(library, tmp_path):
    originals.film(tmp_path / "large.mp4", tmp_path, seconds=1, size="1280x800")
    with pytest.raises(NotMade, match="1280 x 800 pixels, more than 1 megapixels"):
        made(tmp_path / "large.mp4", tmp_path / "b.mp4", limits=Limits(megapixels=1))
    with pytest.raises(NotMade, match="It took more than 0 minutes"):
        made(library / "film.mp4", tmp_path / "b.mp4", limits=Limits(minutes=0))


def test_when_somebody_stops_it_ffmpeg_is_gone_too(library, tmp_path):
    stopping = threading.Event()
    timer = threading.Timer(0.3, stopping.set)
    original = originals.film(tmp_path / "long.mp4", tmp_path, seconds=120)
    timer.start()
    with pytest.raises(Stopped):
        recordings.make(original, tmp_path / "b.webm", "webm", 600, Recipe(), Watch(Limits(), stopping), 1)
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.exists()]
    assert not any(str(tmp_path).encode() in line for line in running)


def test_it_says_how_far_it_is(library, tmp_path):
    said = []
    made(library / "film.mp4", tmp_path / "b.mp4", said=said.append)
    assert said == sorted(said)
    assert said[-1] == pytest.approx(1, abs=0.1)
