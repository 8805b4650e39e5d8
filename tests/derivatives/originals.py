"""Originals for tests, drawn here, with something planted in every corner where metadata may hide."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import pyvips

CANARY = "CANARY-7f3a9e51-of-the-original"
GPS = "54/1 19/1 4321/100"


def stripes(width=800, height=600, period=8):
    """Fine black and white stripes on the left, red on the right: what blur and grey have to take away."""
    x = pyvips.Image.xyz(width, height)[0]
    bars = ((x % period) < period / 2).ifthenelse(255, 0).cast("uchar")
    red = bars.new_from_image([220, 30, 40]).cast("uchar")
    return (x < width // 2).ifthenelse(bars.bandjoin([bars, bars]), red).cast("uchar").copy(interpretation="srgb")


def light(value=200, width=800, height=600):
    """One even tone, on which a watermark is all there is to see."""
    return (pyvips.Image.black(width, height, bands=3) + value).cast("uchar").copy(interpretation="srgb")


def described(picture):
    """The same picture with canaries in EXIF, GPS, XMP, IPTC, a thumbnail and a colour profile."""
    copy = (picture if picture.get_typeof("icc-profile-data") else picture.icc_export(output_profile="srgb")).copy()
    blob, text = pyvips.GValue.blob_type, pyvips.GValue.gstr_type
    thumbnail = picture.thumbnail_image(160).jpegsave_buffer(keep="none") + CANARY.encode()
    for kind, name, value in (
        (text, "exif-ifd0-ImageDescription", CANARY),
        (text, "exif-ifd0-Artist", CANARY),
        (text, "exif-ifd3-GPSLatitude", GPS),
        (text, "exif-ifd3-GPSLatitudeRef", "N"),
        (blob, "xmp-data", f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{CANARY}</x:xmpmeta>".encode()),
        (blob, "iptc-data", b"\x1c\x02\x78\x00" + bytes([len(CANARY)]) + CANARY.encode()),
        (blob, "jpeg-thumbnail-data", thumbnail),
    ):
        copy.set_type(kind, name, value)
    return copy


def write(picture, path: Path, **options):
    """As an institution would have it: with everything that came with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".tif", ".tiff"):
        options = {"compression": "lzw", **options}
    described(picture).write_to_file(str(path), keep="all", **options)
    return path


def is_in(canary: str, path: Path) -> bool:
    return canary.encode() in path.read_bytes()


# -- Films and sound ------------------------------------------------------------------------------------------------


def ffmpeg(*arguments: str) -> None:
    if shutil.which("ffmpeg") is None:
        missing = "FFmpeg is not installed (Debian: apt-get install ffmpeg)."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *arguments], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def film(path: Path, scratch: Path, seconds=4, size="320x180"):
    """A moving test card with sound, chapters, tags at the file and its streams, subtitles and cover art."""
    notes = scratch / "notes.txt"
    notes.write_text(
        f";FFMETADATA1\ntitle={CANARY}\nlocation=+54.3190-010.1400/\ncomment={CANARY}\n"
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle={CANARY}\n"
    )
    spoken = scratch / "spoken.srt"
    spoken.write_text(f"1\n00:00:00,000 --> 00:00:03,000\n{CANARY}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    mp4 = path.suffix in (".mp4", ".mov")
    codecs = ("-c:v", "libx264", "-preset", "ultrafast") if mp4 else ("-c:v", "libvpx", "-deadline", "realtime")
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"),
        *("-i", str(spoken), "-i", str(notes)),
        *("-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3"),
        *(*codecs, "-pix_fmt", "yuv420p", "-c:a", "aac" if mp4 else "libopus", "-c:s", "mov_text" if mp4 else "webvtt"),
        *("-metadata:s:v:0", f"title={CANARY}", "-metadata:s:a:0", f"title={CANARY}"),
        *("-metadata:s:v:0", f"handler_name={CANARY}", str(path)),
    )
    return path


def sound(path: Path, seconds=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", "-metadata", f"title={CANARY}", str(path))
    return path
