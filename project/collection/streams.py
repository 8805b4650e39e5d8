"""The film for every browser: as a plain MP4, and cut into pieces as HLS (with a key) and as DASH.

Encoded twice, large and small; everything else only repacks what was encoded.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from project.collection.media import RATE, SAMPLES, Sound, song

LARGE: Final = (640, 360)
SMALL: Final = (384, 216)
BIT_RATES: Final = {LARGE: 700_000, SMALL: 260_000}
PIECE: Final = 2
"""Seconds in a piece, and between pictures that can be seen without an earlier one."""

ENTRY, KEY, DASH = "index.m3u8", "film.key", "manifest.mpd"
_ENCODERS: Final = ("libx264", "libopenh264")


def encoder() -> str:
    """The encoder of H.264 that this build of PyAV has; empty if it can not make films of this kind."""
    there = av.codec.codecs_available
    return next((name for name in _ENCODERS if name in there and "aac" in there), "")


def write_mp4(path: Path, source: Path, size: tuple[int, int] = LARGE) -> None:
    """The film as H.264 with the song as AAC; its index comes first, so that it can be played before it is all there."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as film, av.open(str(source)) as drawn:
        picture, sound = _add_picture(film, size), _add_sound(film)
        # Pieces of picture and of sound take turns: whoever plays the beginning needs both.
        for number, (frame, part) in enumerate(zip(drawn.decode(video=0), _parts(song()), strict=False)):
            shrunk = frame.reformat(*size, format="yuv420p")
            shrunk.pts, shrunk.time_base = number, Fraction(1, RATE)
            film.mux(picture.encode(shrunk))
            film.mux(sound.encode(_heard(part, number * part.shape[1])))
        for stream in (picture, sound):
            film.mux(stream.encode())


def write_folder(folder: Path, films: tuple[Path, ...]) -> None:
    """HLS and DASH of the same film in several sizes, the smallest first: ``index.m3u8`` and ``manifest.mpd``.

    The pieces of HLS are encrypted with a key that is new each time; it lies beside them, for those who may have it.
    """
    (folder / KEY).write_bytes(secrets.token_bytes(16))
    variants = [_write_variant(folder, film) for film in films]
    (folder / ENTRY).write_text("\n".join(["#EXTM3U", "#EXT-X-VERSION:3", *variants, ""]), encoding="ascii")
    _repack(
        folder / DASH,
        films,
        "dash",
        {
            "seg_duration": str(PIECE),
            "init_seg_name": "begin-$RepresentationID$.mp4",
            "media_seg_name": "piece-$RepresentationID$-$Number$.m4s",
            "adaptation_sets": "id=0,streams=v id=1,streams=a",
            "fflags": "+bitexact",
        },
    )


# -- Encoding -------------------------------------------------------------------------------------------------------


def _add_picture(film: Any, size: tuple[int, int]) -> Any:
    found = film.add_stream(encoder(), rate=RATE)
    found.width, found.height = size
    found.pix_fmt = "yuv420p"
    found.bit_rate = BIT_RATES[size]
    found.gop_size = RATE * PIECE
    if encoder() == "libx264":
        # Without the others it would begin anew at each cut of the film, and pieces would be of any length.
        found.options = {"preset": "veryfast", "profile": "main", "threads": "1", "sc_threshold": "0"}
    return found


def _add_sound(film: Any) -> Any:
    found = film.add_stream("aac", rate=SAMPLES, layout="stereo")
    found.bit_rate = 96_000
    return found


def _parts(sound: Sound) -> Iterator[Sound]:
    """What is heard during each frame."""
    length = SAMPLES // RATE
    for start in range(0, sound.shape[1], length):
        yield sound[:, start : start + length]


def _heard(part: Sound, at: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="stereo")
    frame.sample_rate = SAMPLES
    frame.pts, frame.time_base = at, Fraction(1, SAMPLES)
    return frame


# -- Cutting into pieces --------------------------------------------------------------------------------------------


def _write_variant(folder: Path, film: Path) -> str:
    """One size as HLS; the lines about it for the playlist of sizes."""
    with av.open(str(film)) as source:
        picture: Any = source.streams.video[0]
        name, size = f"{picture.height}p", f"{picture.width}x{picture.height}"
        codecs = f"avc1.{picture.codec_context.extradata[1:4].hex()},mp4a.40.2"
        seconds = (source.duration or 0) / av.time_base
    # The most that any piece may need, which for a film this calm is a third above the mean.
    bandwidth = int(film.stat().st_size * 8 / seconds * 1.3)
    about_key = folder / ".key"
    about_key.write_text(f"{KEY}\n{folder / KEY}\n{secrets.token_hex(16)}\n", encoding="utf-8")
    options = {
        "hls_time": str(PIECE),
        "hls_playlist_type": "vod",
        "hls_key_info_file": str(about_key),
        "hls_segment_filename": str(folder / f"{name}-%d.ts"),
    }
    _repack(folder / f"{name}.m3u8", (film,), "hls", options)
    about_key.unlink()
    return f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={size},CODECS="{codecs}",FRAME-RATE={RATE}\n{name}.m3u8'


def _repack(path: Path, films: tuple[Path, ...], kind: str, options: dict[str, str]) -> None:
    """The same pictures in another wrapping; the sound of the first film only."""
    with ExitStack() as opened:
        sources = [opened.enter_context(closing(av.open(str(film)))) for film in films]
        target = opened.enter_context(av.open(str(path), "w", format=kind, options=options))
        wanted: list[tuple[Any, Any]] = [(source, source.streams.video[0]) for source in sources]
        wanted.append((sources[0], sources[0].streams.audio[0]))
        into = {(id(source), stream.index): target.add_stream_from_template(stream) for source, stream in wanted}
        for source in sources:
            for packet in source.demux():
                new = into.get((id(source), packet.stream.index))
                if new is not None and packet.dts is not None:
                    packet.stream = new
                    target.mux(packet)
