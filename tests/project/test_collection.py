from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import pyvips
from PIL import Image

from project.collection import borrowed, manuscripts, media
from project.collection import prepare as preparing
from project.collection.letterforms import glyphs, set_line
from project.collection.paper import paper, seeded
from project.collection.pictures import PICTURES, Picture
from project.collection.plate import Plate
from project.collection.prepare import Step, prepare
from project.images.pictures import master

ASKED_FOR = {
    "chart-1",
    "gallery-1",
    "survey-1",
    "survey-1~members",
    "survey-1~public",
    "deepfield-1",
    "deepfield-1~preview",
    "poster-1",
    "sealed-1",
    "coins-1",
    "retina-1",
    "rocket-1",
    *(f"herbal-{n}" for n in range(1, 7)),
    *(f"minutes-{n}" for n in range(1, 4)),
    *(f"fleet-{n}" for n in range(1, 7)),
    *(f"register-{n}" for n in range(1, 5)),
    *(f"register-{n}-redacted" for n in range(1, 5)),
    *(f"diary-{n}" for n in range(1, 4)),
    *(f"album-{n}" for n in range(1, 3)),
}


def test_the_collection_has_what_the_demo_shows():
    identifiers = [identifier for picture in PICTURES for identifier in picture.identifiers]
    assert len(identifiers) == len(set(identifiers))
    assert set(identifiers) >= ASKED_FOR
    assert all(picture.title and picture.credit and picture.made for picture in PICTURES)


# -- Drawing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw", [lambda: manuscripts.diary_page(1), lambda: manuscripts.redacted_opening(2), borrowed.coins]
)
def test_a_drawing_is_the_same_every_time(draw):
    assert np.array_equal(np.asarray(draw()), np.asarray(draw()))


def test_the_covered_register_has_no_names_and_is_otherwise_the_same_page():
    open_page = np.asarray(manuscripts.register_opening(1), dtype=int)
    covered = np.asarray(manuscripts.redacted_opening(1), dtype=int)
    changed = np.abs(open_page - covered).max(axis=2) > 0
    rows, columns = np.nonzero(changed)
    assert (columns.min(), columns.max() + 1) == (394, 808)
    first_bar = covered[250:290, 400:800]
    assert first_bar.max() < 40


def test_every_letter_of_every_caption_can_be_written():
    for style in ("hand", "roman"):
        for letter, glyph in glyphs(style).items():
            assert glyph.width > 0
            assert all(stroke.ndim == 2 and len(stroke) > 1 for stroke in glyph.strokes), letter
    strokes, length = set_line("Merehaven 1887")
    assert len(strokes) > 5
    assert length > 80


def test_paper_depends_on_its_seed_alone():
    assert np.array_equal(paper(seeded("one"), 90, 60), paper(seeded("one"), 90, 60))
    assert not np.array_equal(paper(seeded("one"), 90, 60), paper(seeded("two"), 90, 60))


def test_film_frames_move_and_repeat():
    dusk = media.Dusk()
    assert np.array_equal(dusk.frame(2.0), media.Dusk().frame(2.0))
    assert np.abs(dusk.frame(2.0).astype(int) - dusk.frame(2.5)).mean() > 0.5


def test_the_song_fills_both_channels_without_clipping():
    sound = media.song()
    assert sound.shape == (2, media.SECONDS * media.SAMPLES)
    assert 0.5 < np.abs(sound).max() < 1
    assert not np.array_equal(sound[0], sound[1])


# -- Preparing ------------------------------------------------------------------------------------------------------


def _drawn(colour: tuple[int, int, int]) -> Image.Image:
    plate = Plate(600, 400, colour)
    plate.write(40, 200, "Merehaven", 60)
    return plate.finished()


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three small pictures in place of the collection; the list says which were drawn, in order."""
    drawn: list[str] = []

    def draw(name: str, colour: tuple[int, int, int]) -> Image.Image:
        drawn.append(name)
        return _drawn(colour)

    pictures = tuple(
        Picture(f"{name}-1", name, lambda name=name, colour=colour: draw(name, colour), derivatives={"public": 100})
        for name, colour in (("chart", (200, 40, 40)), ("poster", (40, 200, 40)), ("album", (40, 40, 200)))
    )
    monkeypatch.setattr(preparing, "PICTURES", pictures)
    return drawn


NAMES = ("chart-1", "poster-1", "album-1")


def test_a_derivative_is_a_smaller_file_of_its_own(tmp_path, three):
    list(prepare(tmp_path, NAMES, workers=1))
    full, small = (pyvips.Image.new_from_file(str(master(name, tmp_path))) for name in ("chart-1", "chart-1~public"))
    assert (full.width, full.height) == (600, 400)
    assert (small.width, small.height) == (100, 67)
    assert full.get("n-pages") > 1


def test_steps_count_up_and_a_second_run_skips_everything(tmp_path, three):
    assert list(prepare(tmp_path, NAMES, workers=1)) == [
        Step(1, 3, "chart", False),
        Step(2, 3, "poster", False),
        Step(3, 3, "album", False),
    ]
    assert list(prepare(tmp_path, NAMES, workers=1)) == [
        Step(1, 3, "chart", True),
        Step(2, 3, "poster", True),
        Step(3, 3, "album", True),
    ]
    assert three == ["chart", "poster", "album"]


def test_only_what_is_asked_for_is_made(tmp_path, three):
    assert [step.what for step in prepare(tmp_path, ["poster-1~public"], workers=1)] == ["poster"]
    assert master("chart-1", tmp_path) is None


def test_after_an_interruption_the_rest_is_made(tmp_path, three):
    running = prepare(tmp_path, NAMES, workers=1)
    next(running)
    running.close()
    assert [step.skipped for step in prepare(tmp_path, NAMES, workers=1)] == [True, False, False]
    assert three == ["chart", "poster", "album"]


def test_a_failure_while_writing_leaves_no_file_behind(tmp_path, three, monkeypatch):
    def half_written(picture: pyvips.Image, path: str, **options: object) -> None:
        Path(path).write_bytes(b"II*")
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(pyvips.Image, "tiffsave", half_written, raising=False)
        with pytest.raises(OSError, match="disk full"):
            list(prepare(tmp_path, NAMES, workers=1))
    assert list((tmp_path / "images").iterdir()) == []
    assert len(list(prepare(tmp_path, NAMES, workers=1))) == 3


def test_a_picture_whose_drawing_changed_is_made_again(tmp_path, three):
    list(prepare(tmp_path, NAMES, workers=1))
    (tmp_path / "stamps" / "poster-1.tif").write_text("another drawing")
    (tmp_path / "images" / "album-1~public.tif").unlink()
    assert [step.skipped for step in prepare(tmp_path, NAMES, workers=1)] == [True, False, False]


def test_what_a_killed_run_left_is_swept_away(tmp_path, three, monkeypatch):
    (tmp_path / "images").mkdir()
    leftover = tmp_path / "images" / ".123-chart-1.tif"
    leftover.write_bytes(b"II*")
    monkeypatch.setattr(preparing, "ABANDONED_AFTER", -1)
    list(prepare(tmp_path, NAMES, workers=1))
    assert not leftover.exists()


def test_report_and_song_are_made_by_two_workers(tmp_path):
    steps = list(prepare(tmp_path, ["song.webm", "report.pdf"], workers=2))
    assert {step.what for step in steps} == {"A song", "A report"}
    assert (tmp_path / "media" / "report.pdf").read_bytes().startswith(b"%PDF-")
    with (
        av.open(str(tmp_path / "media" / "song.webm")) as song,
        av.open(str(tmp_path / "media" / "song-clip.webm")) as clip,
    ):
        assert (round(song.duration / 1e6), round(clip.duration / 1e6)) == (12, 4)
        assert song.streams.audio[0].layout.name == "stereo"
