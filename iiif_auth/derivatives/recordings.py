"""Smaller films and sound recordings, by FFmpeg: clipped, of fewer pixels, and ready to be streamed.

Pictures and sound are decoded and encoded anew, the first of each kind; nothing else of the original is taken along: no
metadata, chapters, attachments, cover art, subtitles, captions or data.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from iiif_auth.derivatives import pictures
from iiif_auth.derivatives.folders import RECORDINGS, extension
from iiif_auth.derivatives.limits import Limits, NotMade, Watch
from iiif_auth.derivatives.recipes import Recipe

PROBE_SECONDS: Final = 120
GRACE_SECONDS: Final = 5.0
MOST_PIXELS: Final = 2**31 - 1
"""The largest number that FFmpeg takes for them."""

TAGS_OF_WRITERS: Final = {
    *(
        "encoder",
        "major_brand",
        "minor_version",
        "compatible_brands",
        "handler_name",
        "vendor_id",
        "language",
        "duration",
    )
}
"""Tags that FFmpeg writes itself, whatever the original was."""

Progress = Callable[[float], None]
"""Is told from time to time which part is done, from 0 to 1."""

_X264 = ("-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p", "-profile:v", "high", "-a53cc", "0")
_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1", "-pix_fmt", "yuv420p")


@dataclass(frozen=True, slots=True)
class Container:
    """How a kind of file is written: the writer of FFmpeg, and how pictures (if it has any) and sound are encoded."""

    muxer: str
    sound: tuple[str, ...]
    film: tuple[str, ...] = ()
    crf: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    lossless: bool = False


_MP4 = Container("mp4", ("-c:a", "aac"), _X264, ("-crf", "25"), ("-movflags", "+faststart", "-write_tmcd", "0"))
_WEBM = Container("webm", ("-c:a", "libopus"), _VP9, ("-crf", "34", "-b:v", "0"), ("-cues_to_front", "1"))
_OGG = ("-c:a", "libvorbis")
CONTAINERS: Final = {
    "mp4": _MP4,
    "m4v": _MP4,
    "webm": _WEBM,
    "m4a": Container("ipod", _MP4.sound, options=("-movflags", "+faststart")),
    "weba": Container("webm", _WEBM.sound, options=_WEBM.options),
    "mp3": Container("mp3", ("-c:a", "libmp3lame"), options=("-id3v2_version", "0", "-write_xing", "1")),
    "ogg": Container("ogg", _OGG),
    "oga": Container("ogg", _OGG),
    "opus": Container("opus", ("-c:a", "libopus")),
    "wav": Container("wav", ("-c:a", "pcm_s16le"), lossless=True),
    "flac": Container("flac", ("-c:a", "flac"), lossless=True),
}
"""What can be written, by extension."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What is in a file: pixels as they are shown (0 without pictures), seconds (0 if unknown), and whether there is sound."""

    width: int
    height: int
    seconds: float
    sound: bool
    streams: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    chapters: int = 0

    @property
    def is_film(self) -> bool:
        return self.width > 0


@cache
def program(name: str) -> str:
    """Where a program is.

    Raises:
        NotMade: it is not installed.
    """
    found = shutil.which(name)
    if not found:
        raise NotMade(f"Films and sound need {name}; install FFmpeg (Debian: apt-get install ffmpeg).")
    return found


def make(
    original: Path,
    into: Path,
    form: str,
    edge: int,
    recipe: Recipe,
    watch: Watch,
    threads: int = 1,
    said: Progress | None = None,
) -> Recording:
    """Write the smaller version of a film or a sound recording to ``into``; what came out.

    Raises:
        NotMade: the original can not be read, is too large or took too long, the recipe would leave it as it is, or the file
            could not be written.
    """
    found = probed(original, watch.limits)
    length = _length(found, recipe)
    container = _container(form, found)
    if not found.is_film and not recipe.clip_seconds and not (recipe.bitrate and not container.lossless):
        raise NotMade(
            "Nothing says what makes this sound recording smaller; give the tier clip_seconds or, for a lossy format, bitrate."
        )
    size = shown_size(found, edge, recipe) if found.is_film else (0, 0)
    with tempfile.TemporaryDirectory() as scratch:
        across = _mark(Path(scratch) / "mark.png", size, recipe)
        command = [
            *_reading(original, watch.limits, recipe, length, threads),
            *(("-f", "png_pipe", "-i", f"file:{across}") if across else ()),
            *_pictures(found, size, recipe, container, across is not None),
            *_sound(found, recipe, container),
            *_NOTHING_ELSE,
            *("-threads", str(threads), *container.options, "-f", container.muxer, f"file:{into}"),
        ]
        _run(command, watch, length, said)
    made = probed(into, watch.limits, container.muxer)
    _check(made, size, length, found)
    return made


# -- Looking --------------------------------------------------------------------------------------------------------


def probed(path: Path, limits: Limits, written_as: str = "") -> Recording:
    """What is in a file, read by the one reader for its extension.

    Raises:
        NotMade: it is broken, or has no pictures and no sound, or too many pixels.
    """
    reader = _READERS_OF.get(written_as) or RECORDINGS[extension(path.name)]
    shown = ("-show_streams", "-show_format", "-show_chapters", "-of", "json", f"file:{path}")
    command = [program("ffprobe"), "-v", "error", "-protocol_whitelist", "file", "-f", reader, *shown]
    try:
        done = subprocess.run(  # noqa: S603  a list, no shell
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotMade(f"FFmpeg could not say within {PROBE_SECONDS} seconds what is in it.") from None
    if done.returncode:
        raise NotMade(_sentence_of(done.stderr))
    return _described(json.loads(done.stdout), limits)


_READERS_OF: Final = {
    "mp4": "mov",
    "ipod": "mov",
    "webm": "matroska",
    "mp3": "mp3",
    "ogg": "ogg",
    "opus": "ogg",
    "wav": "wav",
    "flac": "flac",
}


def _described(document: dict[str, Any], limits: Limits) -> Recording:
    streams = document.get("streams", [])
    cover = [one for one in streams if one.get("disposition", {}).get("attached_pic")]
    films = [one for one in streams if one.get("codec_type") == "video" and one not in cover]
    sound = any(one.get("codec_type") == "audio" for one in streams)
    if not films and not sound:
        raise NotMade("There are no moving pictures and no sound in it.")
    width, height = _upright(films[0]) if films else (0, 0)
    if films:
        limits.check_size(width, height)
    found = document.get("format", {})
    return Recording(
        width,
        height,
        _seconds(found.get("duration")),
        sound,
        tuple("cover" if one in cover else str(one.get("codec_type")) for one in streams),
        frozenset(tag.lower() for one in (found, *streams) for tag in one.get("tags", {})),
        len(document.get("chapters", [])),
    )


def _upright(stream: dict[str, Any]) -> tuple[int, int]:
    """The size that is seen: pixels need not be square, nor the camera have been upright."""
    width, height = int(stream.get("width", 0)), int(stream.get("height", 0))
    across, _colon, down = str(stream.get("sample_aspect_ratio", "1:1")).partition(":")
    if across.isdecimal() and down.isdecimal() and int(across) and int(down):
        width = max(1, round(width * int(across) / int(down)))
    turned = next((side["rotation"] for side in stream.get("side_data_list", []) if "rotation" in side), 0)
    return (height, width) if round(float(turned) / 90) % 2 else (width, height)


def _seconds(text: Any) -> float:
    try:
        found = float(text)
    except (TypeError, ValueError):
        return 0.0
    return found if math.isfinite(found) and found > 0 else 0.0


# -- Telling FFmpeg -------------------------------------------------------------------------------------------------

_NOTHING_ELSE = (
    *("-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1", "-sn", "-dn"),
    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
)


def _length(found: Recording, recipe: Recipe) -> float:
    """How many seconds are to come out; 0 if nobody knows."""
    if not found.seconds:
        return recipe.clip_seconds
    if recipe.start >= found.seconds:
        raise NotMade(f"It lasts {found.seconds:.1f} seconds, and the clip would begin at second {recipe.start:g}.")
    left = found.seconds - recipe.start
    return min(left, recipe.clip_seconds) if recipe.clip_seconds else left


def _container(form: str, found: Recording) -> Container:
    container = CONTAINERS.get(form)
    if container is None:
        raise NotMade(
            f"Nothing is written as .{form}; give the version a name that ends in one of {', '.join(CONTAINERS)}."
        )
    if found.is_film and not container.film:
        raise NotMade(f"A .{form} holds no film; give the version a name that ends in .mp4 or .webm.")
    return container


def shown_size(found: Recording, edge: int, recipe: Recipe) -> tuple[int, int]:
    """The size of a film with no longer edge and no more height than that, in even numbers, never enlarged."""
    scale = min(1.0, edge / max(found.width, found.height))
    if recipe.max_height:
        scale = min(scale, recipe.max_height / found.height)
    return _even(found.width * scale), _even(found.height * scale)


def _even(length: float) -> int:
    """Encoders want even numbers; rounded down, so that a limit is kept."""
    return max(2, int(length + 1e-6) // 2 * 2)


def _reading(original: Path, limits: Limits, recipe: Recipe, length: float, threads: int) -> list[str]:
    reader = RECORDINGS[extension(original.name)]
    return [
        *(program("ffmpeg"), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
        *("-progress", "pipe:1", "-stats_period", "2", "-filter_threads", str(threads)),
        *("-threads", str(threads), "-protocol_whitelist", "file", "-max_pixels", str(min(limits.pixels, MOST_PIXELS))),
        *(("-ss", f"{recipe.start:.3f}") if recipe.start else ()),
        *(("-t", f"{length:.3f}") if recipe.clip_seconds else ()),
        *("-f", reader, "-i", f"file:{original}"),
    ]


def _pictures(found: Recording, size: tuple[int, int], recipe: Recipe, container: Container, marked: bool) -> list[str]:
    if not found.is_film:
        return ["-vn"]
    width, height = size
    steps = [f"scale={width}:{height}:flags=bicubic", "setsar=1"]
    if recipe.blur:
        share = pictures.coarse_edge(recipe.blur) / max(size)
        coarse = f"{max(1, round(width * share))}:{max(1, round(height * share))}"
        # Made so small that the detail is gone, and large again; see pictures.
        steps += ["format=yuv444p", f"scale={coarse}:flags=area", f"scale={width}:{height}:flags=bicubic"]
    grey = ",format=gray,format=yuv420p" if recipe.grey else ",format=yuv420p"
    # The capital V leaves out cover art, which is a film of one picture otherwise.
    graph = f"[0:V:0]{','.join(steps)}[seen]"
    graph += f";[seen][1:v]overlay=0:0{grey}[out]" if marked else f";[seen]null{grey}[out]"
    rate = (
        ("-b:v", recipe.bitrate, "-maxrate", recipe.bitrate, "-bufsize", recipe.bitrate)
        if recipe.bitrate
        else container.crf
    )
    return ["-filter_complex", graph, "-map", "[out]", *container.film, *rate]


def _sound(found: Recording, recipe: Recipe, container: Container) -> list[str]:
    if not found.sound:
        return ["-an"]
    rate = recipe.bitrate if recipe.bitrate and not found.is_film else "96k"
    return ["-map", "0:a:0", "-ac", "2", *container.sound, *(() if container.lossless else ("-b:a", rate))]


def _mark(path: Path, size: tuple[int, int], recipe: Recipe) -> Path | None:
    if not (recipe.watermark or recipe.watermark_file) or not size[0]:
        return None
    library = pictures.vips()
    try:
        pictures.mark(*size, recipe).pngsave(str(path), keep="none", compression=1)
    except library.Error as problem:
        raise NotMade(pictures.sentence_of(problem)) from problem
    return path


# -- Running it -----------------------------------------------------------------------------------------------------


def _run(command: Sequence[str], watch: Watch, length: float, said: Progress | None) -> None:
    """Run FFmpeg to its end, or until its time is over.

    Raises:
        NotMade: it failed, with what it said last.
    """
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603  a list of arguments, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        )
        try:
            while process.poll() is None and not watch.is_over:
                _listen(process, length, said)
            if process.poll() is None:
                raise watch.reason()
        finally:
            _end(process)
        if process.returncode:
            complaints.seek(0)
            raise NotMade(_sentence_of(complaints.read(100_000)))


def _listen(process: subprocess.Popen[bytes], length: float, said: Progress | None) -> None:
    """Wait a moment for what FFmpeg says about how far it is."""
    stream: IO[bytes] | None = process.stdout
    if stream is None:
        return
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(0.5):
            return
    text = os.read(stream.fileno(), 65536).decode("ascii", "replace")
    if not text:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
    times = [line.partition("=")[2] for line in text.splitlines() if line.startswith("out_time_us=")]
    if times and said and length and times[-1].isdecimal():
        said(min(1.0, int(times[-1]) / 1_000_000 / length))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _sentence_of(complaints: bytes) -> str:
    """The last thing that FFmpeg said, without the paths and pointers in it that mean nothing to anybody."""
    lines = [line.strip() for line in complaints.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return "FFmpeg could not read it."
    said = lines[-1].rpartition("] ")[2].rpartition("file:")[2].rpartition("/")[2]
    return f"FFmpeg says: {said.rstrip('.')}."


def _check(made: Recording, size: tuple[int, int], length: float, original: Recording) -> None:
    """See that what came out is what was meant, and nothing more.

    Raises:
        NotMade: it is not.
    """
    if (made.width, made.height) != size or made.sound != original.sound:
        raise NotMade(
            f"It came out as {made.width} x {made.height} pixels, not as {size[0]} x {size[1]}, or without its sound."
        )
    along = [
        *(made.tags - TAGS_OF_WRITERS),
        *(set(made.streams) - {"video", "audio"}),
        *(["chapters"] if made.chapters else []),
    ]
    if along:
        raise NotMade(f"It came out with {', '.join(sorted(along))} of the original, so it was thrown away.")
    if length and not length * 0.95 - 2 <= made.seconds <= length * 1.02 + 2:
        raise NotMade(
            f"It came out {made.seconds:.1f} seconds long instead of {length:.1f}; the original may be broken."
        )
