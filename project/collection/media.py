"""The film and the song: drawn and reckoned, then encoded in formats that Chromium and Firefox both play."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from project.collection.paper import Field, clouds, seeded
from project.collection.plate import Colour, Pixels, Plate, curve

Sound = NDArray[np.float32]

WIDTH, HEIGHT, RATE, SECONDS = 960, 540, 16, 12
SMALL: Final = (426, 240)
SAMPLES: Final = 48_000

_HORIZON = 300
_LAMP = (742, 168)


# -- The film -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sprite:
    colour: Pixels
    cover: Field
    x: float
    y: int
    drift: float
    beat: float


class Dusk:
    """A harbour at the hour when the lamp is lit. ``frame(at)`` is a pure function of the second."""

    @cached_property
    def _sky(self) -> Pixels:
        rng = seeded("film")
        down = np.linspace(0, 1, _HORIZON, dtype=np.float32)[:, None, None] ** 0.8
        high, low = np.array([26, 34, 74], dtype=np.float32), np.array([226, 138, 92], dtype=np.float32)
        sky = high * (1 - down) + low * down + np.zeros((_HORIZON, WIDTH, 1), dtype=np.float32)
        cover = clouds(rng, WIDTH, _HORIZON * 5, 380, 5)[::5]
        sky += np.clip(cover - 0.1, 0, 2)[..., None] * np.array([34, 12, 10], dtype=np.float32)
        for _ in range(130):
            x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, 130))
            sky[y, x] += rng.uniform(40, 150) * (1 - y / 150)
        return sky

    @cached_property
    def _shore(self) -> tuple[Pixels, Field, Field]:
        """Land in the dusk, what it covers, and its windows."""
        rng = seeded("film shore")
        land, panes = Plate(WIDTH, _HORIZON, (0, 0, 0)), Plate(WIDTH, _HORIZON, (0, 0, 0))
        x = np.linspace(0, WIDTH, 160)
        for ridge, tone in ((0, (66, 62, 92)), (1, (44, 42, 68)), (2, (26, 26, 44))):
            rise = 74 - 22 * ridge + clouds(rng, 160, 2, 50, 4)[0] * (12 - 2 * ridge)
            slope = np.clip((640 - 70 * ridge - x) / 420, 0.05, 1)
            land.polygon([*zip(x, _HORIZON - rise * slope - 2, strict=True), (WIDTH, _HORIZON), (0, _HORIZON)], tone)
        for _ in range(74):
            _cottage(land, panes, rng)
        _lighthouse(land)
        dark = np.asarray(land.finished(), dtype=np.float32)
        windows = np.asarray(panes.finished().convert("L"), dtype=np.float32) / 255
        return dark, np.clip(dark.sum(axis=2) / 50, 0, 1), windows

    @cached_property
    def _beams(self) -> tuple[Field, Field, Field]:
        """Light to the left, to the right, and straight at us."""
        down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        dx, dy = across - _LAMP[0], down - _LAMP[1]
        wide = 5 + np.abs(dx) * 0.075
        ray = np.exp(-((dy - np.abs(dx) * 0.05) ** 2) / (2 * wide**2)) * np.exp(-np.abs(dx) / 460)
        glare = np.exp(-np.hypot(dx, dy) / 34) + 0.4 * np.exp(-np.abs(dy) / 3) * np.exp(-np.abs(dx) / 150)
        return ray * (dx < 0), ray * (dx >= 0), glare

    @cached_property
    def _boats(self) -> tuple[_Sprite, ...]:
        return tuple(
            _boat(*spec) for spec in ((0.46, 250, 326, 3.5, 0.0), (0.58, 560, 350, -5, 1.4), (1.05, 330, 440, 10, 2.6))
        )

    @cached_property
    def _captions(self) -> tuple[Field, Field]:
        return _caption("MEREHAVEN HARBOUR", "the evening the lamp was lit"), _caption(
            "MEREHAVEN MUSEUM & LIBRARY", "film no. 1"
        )

    def frame(self, at: float) -> NDArray[np.uint8]:
        picture = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
        picture[:_HORIZON] = self._above(at)
        picture[_HORIZON:] = self._water(picture[:_HORIZON], at)
        for sprite in self._boats:
            _float(picture, sprite, at)
        picture += self._lamplight(at)
        for letters, strength in zip(self._captions, (_fade(at, 0.4, 4.2), _fade(at, 9.0, 11.8)), strict=True):
            if strength:
                picture[:160] += letters[:160, :, None] * (225 * strength)
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _lamplight(self, at: float) -> Pixels:
        """The beam goes round in six seconds; seen from here it is on the left, at us, on the right, away."""
        turn = 2 * np.pi * at / 6
        left, right, glare = self._beams
        side = left if np.cos(turn) < 0 else right
        light = side * np.float32(abs(np.cos(turn))) + glare * np.float32(0.35 + 0.9 * max(0.0, np.sin(turn)) ** 6)
        return np.asarray(light[..., None] * np.array([150, 138, 96], dtype=np.float32), dtype=np.float32)

    @cached_property
    def _ripples(self) -> tuple[Field, Field]:
        depth = np.arange(HEIGHT - _HORIZON, dtype=np.float32)[:, None]
        near, across = depth / depth[-1], np.arange(WIDTH, dtype=np.float32)[None, :]
        return across / (9 + 40 * near) + depth * 0.7, across / (23 + 90 * near) - depth * 0.45

    def _above(self, at: float) -> Pixels:
        dark, cover, windows = self._shore
        night = 1 - 0.34 * at / SECONDS
        above = self._sky * night * (1 - cover[..., None]) + dark * cover[..., None] * (0.6 + 0.4 * night)
        across = np.arange(WIDTH) * 7919 % 97 / 97
        lit = windows * np.clip((at + 3 - across[None, :] * 11) * 2, 0, 1)
        return np.asarray(above + lit[..., None] * np.array([226, 168, 84], dtype=np.float32), dtype=np.float32)

    def _water(self, above: Pixels, at: float) -> Pixels:
        """The sky upside down, each row pushed about by three waves of different pace."""
        depth = np.arange(HEIGHT - _HORIZON, dtype=np.float32)
        near = depth / depth[-1]
        sway = (2 + 15 * near) * np.sin(depth * (0.55 - 0.36 * near) - at * 2.1) + 5 * near * np.sin(
            depth * 0.21 + at * 1.3
        )
        rows = np.clip(_HORIZON - 1 - depth * 0.92 + sway * 0.4, 0, _HORIZON - 1).astype(np.int32)
        across = (np.arange(WIDTH)[None, :] + sway[:, None] * np.sin(np.arange(WIDTH) / 37 + at * 0.9)[None, :]).astype(
            np.int32
        )
        mirrored = above[rows[:, None], np.clip(across, 0, WIDTH - 1)]
        short, long = self._ripples
        crest = np.sin(short - np.float32(at * 1.6)) * np.sin(long + np.float32(at))
        sea = np.array([20, 32, 58], dtype=np.float32)
        share = (0.74 - 0.3 * near)[:, None, None]
        shine = (
            np.clip(crest - 0.45, 0, 1)[..., None]
            * np.array([70, 56, 58], dtype=np.float32)
            * (0.25 + near[:, None, None])
        )
        return np.asarray(mirrored * share + sea * (1 - share) + shine, dtype=np.float32)


def _cottage(land: Plate, panes: Plate, rng: np.random.Generator) -> None:
    x, wide = float(rng.uniform(-10, 520)), float(rng.uniform(14, 26))
    y, high = _HORIZON - float(rng.uniform(0, 44)) * (1 - x / 620), float(rng.uniform(10, 16))
    tone = int(rng.uniform(18, 40))
    colour: Colour = (tone, tone, tone + 14)
    land.box(x, y - high, x + wide, y, fill=colour)
    land.polygon(
        [(x - 2, y - high), (x + wide / 2, y - high - 9), (x + wide + 2, y - high)], (tone + 12, tone + 8, tone + 18)
    )
    for pane in (0.2, 0.62):
        if rng.random() < 0.7:
            panes.box(
                x + wide * pane, y - high * 0.7, x + wide * pane + 3.4, y - high * 0.7 + 4.4, fill=(255, 255, 255)
            )


def _lighthouse(land: Plate) -> None:
    x, y = _LAMP
    land.polygon(
        curve([(640, _HORIZON), (690, 286), (730, 276), (770, 280), (830, 292), (880, _HORIZON)]), (20, 20, 34)
    )
    land.polygon([(x - 13, 280), (x - 8, y + 10), (x + 8, y + 10), (x + 13, 280)], (196, 186, 190))
    for band in (0.25, 0.62):
        top, low = y + 10 + band * (270 - y), y + 10 + (band + 0.16) * (270 - y)
        land.polygon([(x - 12, low), (x - 11, top), (x + 11, top), (x + 12, low)], (140, 46, 46))
    land.box(x - 9, y - 8, x + 9, y + 10, fill=(250, 232, 168), outline=(30, 30, 40), width=2)
    land.polygon([(x - 12, y - 8), (x, y - 22), (x + 12, y - 8)], (44, 30, 40))


def _boat(scale: float, x: float, y: int, drift: float, beat: float) -> _Sprite:
    wide, high = int(250 * scale), int(250 * scale)
    tint, mask = Plate(wide, high, (0, 0, 0)), Plate(wide, high, (0, 0, 0))
    k, base = scale, high - 2 * scale
    hull = curve(
        [
            (12 * k, base - 34 * k),
            (40 * k, base),
            (190 * k, base),
            (238 * k, base - 46 * k),
            (130 * k, base - 24 * k),
            (12 * k, base - 34 * k),
        ]
    )
    mast = [(100 * k, base - 20 * k), (96 * k, 14 * k)]
    sail = curve(
        [
            (104 * k, base - 40 * k),
            (100 * k, 24 * k),
            (188 * k, 60 * k),
            (206 * k, base - 60 * k),
            (104 * k, base - 42 * k),
        ]
    )
    for plate, paint in ((tint, ((24, 22, 30), (96, 62, 54))), (mask, ((255, 255, 255), (255, 255, 255)))):
        plate.polygon(sail, paint[1])
        plate.polygon(hull, paint[0])
        plate.line(mast, paint[0], 4 * k)
        plate.line([(96 * k, 16 * k), (236 * k, base - 46 * k)], paint[0], 1.2)
        plate.line([(96 * k, 16 * k), (14 * k, base - 34 * k)], paint[0], 1.2)
    tint.disc(100 * k, 40 * k, 4 * k, (255, 214, 130))
    cover = np.asarray(mask.finished().convert("L"), dtype=np.float32) / 255
    return _Sprite(np.asarray(tint.finished(), dtype=np.float32), cover, x, y, drift, beat)


def _float(picture: Pixels, sprite: _Sprite, at: float) -> None:
    high, wide = sprite.cover.shape
    left = int(sprite.x + sprite.drift * at)
    bottom = int(sprite.y + 2.6 * np.sin(at * 1.5 + sprite.beat) * high / 200)
    part = picture[bottom - high : bottom, left : left + wide]
    cover = sprite.cover[..., None]
    part[...] = part * (1 - cover) + sprite.colour * cover
    deep = min(high, HEIGHT - bottom)
    rows = np.arange(deep)
    shift = (np.sin(rows * 0.35 - at * 2.4) * (1 + rows / 14)).astype(int)
    columns = np.clip(np.arange(wide)[None, :] + shift[:, None], 0, wide - 1)
    flipped = (sprite.cover[::-1][rows[:, None], columns] * np.exp(-rows / (high * 0.4))[:, None] * 0.62)[..., None]
    below = picture[bottom : bottom + deep, left : left + wide]
    below[...] = below * (1 - flipped) + sprite.colour[::-1][rows[:, None], columns] * flipped


def _caption(title: str, line: str) -> Field:
    plate = Plate(WIDTH, HEIGHT, (0, 0, 0))
    plate.write(WIDTH / 2, 92, title, 27, (255, 255, 255), style="roman", anchor="middle", spacing=5)
    plate.write(WIDTH / 2, 132, line, 22, (255, 255, 255), anchor="middle", slant=0.4)
    letters = np.asarray(plate.finished().convert("L"), dtype=np.float32) / 255
    return np.clip(letters + gaussian_filter(letters, 4) * 0.2, 0, 1)


def _fade(at: float, start: float, end: float) -> float:
    return float(np.clip(min(at - start, end - at) / 0.8, 0, 1))


def frames() -> Iterator[NDArray[np.uint8]]:
    dusk = Dusk()
    for number in range(RATE * SECONDS):
        yield dusk.frame(number / RATE)


def write_film(path: Path) -> None:
    _encode(path, (WIDTH, HEIGHT), frames(), "1400k")


def write_small_film(path: Path, source: Path) -> None:
    """From the large film, decoded again: what a smaller copy of a film is."""
    with av.open(str(source)) as film:
        smaller = (frame.to_image().resize(SMALL, Image.Resampling.BOX) for frame in film.decode(video=0))
        _encode(path, SMALL, (np.asarray(picture) for picture in smaller), "260k")


def write_film_poster(path: Path) -> None:
    Image.fromarray(Dusk().frame(3.0)).save(path, "JPEG", quality=86)


def _encode(path: Path, size: tuple[int, int], pictures: Iterator[NDArray[np.uint8]], bit_rate: str) -> None:
    options = {
        "deadline": "realtime",
        "cpu-used": "6",
        "row-mt": "0",
        "threads": "1",
        "b": bit_rate,
        "g": str(RATE * 2),
    }
    with av.open(str(path), "w", format="webm", options={"fflags": "+bitexact"}) as film:
        stream: Any = film.add_stream("libvpx", rate=RATE, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        film.mux(stream.encode())


# -- The song -------------------------------------------------------------------------------------------------------

_BEAT: Final = 0.31
# Degrees of the Dorian scale on D, with their length in beats; eight bars of a hauling song that nobody has sung.
_TUNE: Final = (
    (0, 1),
    (4, 1),
    (4, 1),
    (3, 1),
    (2, 1),
    (3, 1),
    (4, 2),
    (6, 1),
    (7, 1),
    (6, 1),
    (4, 1),
    (5, 1),
    (3, 1),
    (4, 2),
    (7, 1),
    (7, 1),
    (6, 1),
    (4, 1),
    (5, 1),
    (4, 1),
    (3, 1),
    (2, 1),
    (0, 1),
    (2, 1),
    (3, 1),
    (4, 1),
    (2, 1),
    (1, 1),
    (0, 2),
    (0, 2),
    (-3, 1),
    (0, 3),
)
_DORIAN: Final = (0, 2, 3, 5, 7, 9, 10)
_CHORDS: Final = (0, 0, 3, 4, 0, 6, 3, 0, 0, 0)


def song() -> Sound:
    """Twelve seconds, two channels: a concertina with the tune, plucked strings beneath, a heel on the deck."""
    length = int(SECONDS * SAMPLES)
    sound: Sound = np.zeros((2, length), dtype=np.float32)
    at = 0.15
    for degree, beats in _TUNE:
        _add(sound, at, _reed(_pitch(degree), beats * _BEAT), 0.26, 0.42)
        at += beats * _BEAT
    for bar in range(9):
        start = 0.15 + bar * 4 * _BEAT
        for step, interval in enumerate((0, 4, 2, 4)):
            _add(sound, start + step * _BEAT, _string(_pitch(_CHORDS[bar] + interval - 7), 1.1), 0.30, 0.68)
        for stamp in (0, 2):
            _add(sound, start + stamp * _BEAT, _heel(bar * 2 + stamp), 0.5, 0.5)
    fade = np.clip((SECONDS - np.arange(length) / SAMPLES) / 0.6, 0, 1).astype(np.float32)
    roomy = (
        sound
        + 0.18 * np.roll(sound[::-1], int(0.083 * SAMPLES), axis=1)
        + 0.1 * np.roll(sound, int(0.151 * SAMPLES), axis=1)
    )
    return np.asarray(roomy * fade / np.abs(roomy).max() * 0.86, dtype=np.float32)


def write_song(path: Path) -> None:
    _encode_sound(path, song())


def write_song_clip(path: Path) -> None:
    """The first four seconds, fading."""
    clip = song()[:, : 4 * SAMPLES].copy()
    clip *= np.clip((4 - np.arange(clip.shape[1]) / SAMPLES) / 0.5, 0, 1)
    _encode_sound(path, clip)


def _pitch(degree: int) -> float:
    octave, step = divmod(degree, 7)
    return float(293.66 * 2 ** (octave + _DORIAN[step] / 12))


def _add(sound: Sound, at: float, note: Sound, loud: float, pan: float) -> None:
    start = int(at * SAMPLES)
    part = sound[:, start : start + len(note)]
    part += (
        np.array([[np.cos(pan * np.pi / 2)], [np.sin(pan * np.pi / 2)]], dtype=np.float32)
        * note[: part.shape[1]]
        * loud
    )


def _reed(pitch: float, seconds: float) -> Sound:
    """Two reeds a hair apart, so that they beat; a soft attack, a swell, a release."""
    time = np.arange(int((seconds + 0.09) * SAMPLES), dtype=np.float32) / SAMPLES
    voice = sum(
        np.sin(2 * np.pi * pitch * tuned * order * time) / order**1.25
        for tuned in (1.0, 1.0042)
        for order in (1, 2, 3, 4, 5, 7)
    )
    shape = (
        np.clip(time / 0.035, 0, 1)
        * np.clip((seconds + 0.09 - time) / 0.11, 0, 1)
        * (0.82 + 0.18 * np.sin(np.pi * time / seconds))
    )
    return np.asarray(voice * shape * 0.4, dtype=np.float32)


def _string(pitch: float, seconds: float) -> Sound:
    time = np.arange(int(seconds * SAMPLES), dtype=np.float32) / SAMPLES
    voice = sum(
        np.sin(2 * np.pi * pitch * order * time) * np.exp(-time * (2.2 + order * 1.3)) / order for order in range(1, 9)
    )
    return np.asarray(voice * np.clip(time / 0.003, 0, 1) * np.clip((seconds - time) / 0.05, 0, 1), dtype=np.float32)


def _heel(number: int) -> Sound:
    time = np.arange(int(0.16 * SAMPLES), dtype=np.float32) / SAMPLES
    knock = np.sin(2 * np.pi * 74 * time * np.exp(-time * 5)) * np.exp(-time * 26)
    scrape = (
        gaussian_filter(np.random.default_rng(number).standard_normal(len(time)).astype(np.float32), 5)
        * np.exp(-time * 70)
        * 2
    )
    return np.asarray(knock + scrape, dtype=np.float32)


def _encode_sound(path: Path, sound: Sound) -> None:
    with av.open(str(path), "w", format="webm", options={"fflags": "+bitexact"}) as song_file:
        stream: Any = song_file.add_stream("libopus", rate=SAMPLES, layout="stereo")
        stream.bit_rate = 96_000
        for start in range(0, sound.shape[1], 960):
            block = np.ascontiguousarray(sound[:, start : start + 960].T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format="flt", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLES, start, Fraction(1, SAMPLES)
            song_file.mux(stream.encode(frame))
        song_file.mux(stream.encode())
