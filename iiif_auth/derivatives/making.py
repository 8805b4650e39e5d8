"""Makes the files of a plan, several at once, and says how far it has got."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from iiif_auth.derivatives import pictures, recordings
from iiif_auth.derivatives.folders import Folder, settle, sweep, unfinished
from iiif_auth.derivatives.jobs import Job
from iiif_auth.derivatives.ledger import Entry, Ledger, mark_of
from iiif_auth.derivatives.limits import Limits, NotMade, Stopped, Watch

FULL_BELOW: Final = 4_000_000
"""Bytes left on a disk that is called full."""


class State(StrEnum):
    MADE = "made"
    GOING = "going"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one file, after ``done`` of ``total``; ``left`` is an estimate in seconds, negative if there is none yet.

    ``part`` is how much of the file is there while it is going; ``why`` is the sentence if it failed.
    """

    job: Job
    state: State
    done: int
    total: int
    left: float
    part: float = 1.0
    why: str = ""
    lesser: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made; ``lesser`` is false if it shows all of the pixels of its original."""

    job: Job
    lesser: bool


class DiskFull(RuntimeError):
    """There is no room left for anything; what was made so far is good."""


def check_tools(jobs: Sequence[Job]) -> None:
    """See that everything is installed before the first file is begun.

    Raises:
        NotMade: something is not.
    """
    if any(job.is_picture for job in jobs):
        pictures.vips()
    if any(not job.is_picture for job in jobs):
        recordings.program("ffmpeg")
        recordings.program("ffprobe")


class Workshop:
    """Makes files below one folder."""

    def __init__(self, into: Folder, ledger: Ledger, limits: Limits, workers: int = 1) -> None:
        self.into, self.ledger, self.limits, self.workers = into, ledger, limits, workers
        self.stopping = threading.Event()

    def is_current(self, job: Job) -> bool:
        """Whether the file of a job is there already."""
        return self.ledger.is_current(job.name, job.digest(), job.original)

    def made(self, jobs: Sequence[Job]) -> Generator[Step, None, None]:
        """Make them all, one step for each and some on the way; what fails does not stop the others.

        Raises:
            DiskFull: nothing more can be written.
        """
        sweep({(self.into.root / job.name).parent for job in jobs})
        news: queue.SimpleQueue[tuple[Job, float | Future[Made]]] = queue.SimpleQueue()
        count = Count(len(jobs), sum(job.original.size for job in jobs))
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for job in jobs:
                    future = pool.submit(self._make, job, news)
                    future.add_done_callback(lambda done, job=job: news.put((job, done)))  # type: ignore[misc]
                while count.done < count.total:
                    yield self._step(count, *news.get())
            finally:
                self.stopping.set()
                pool.shutdown(cancel_futures=True)

    def _step(self, count: Count, job: Job, news: float | Future[Made]) -> Step:
        if isinstance(news, float):
            return Step(job, State.GOING, count.done, count.total, count.left(), part=news)
        count.add(job)
        try:
            made = news.result()
        except NotMade as problem:
            why = str(problem)
        except OSError as problem:
            why = f"It could not be written: {problem.strerror or problem}."
        else:
            return Step(job, State.MADE, count.done, count.total, count.left(), lesser=made.lesser)
        if shutil.disk_usage(self.into.root).free < FULL_BELOW:
            raise DiskFull(
                f"The disk of {self.into.root} is full. Make room and run the command again; it goes on from there."
            )
        return Step(job, State.FAILED, count.done, count.total, count.left(), why=why)

    # -- one file

    def _make(self, job: Job, news: queue.SimpleQueue[tuple[Job, float | Future[Made]]]) -> Made:
        if self.stopping.is_set():
            raise Stopped("It was not begun.")
        path = self.into.place(job.name)
        if path.exists() and not self.ledger.is_ours(job.name):
            raise NotMade(
                "There is a file of this name already that this command has not made, or that was changed since, so it is left "
                "alone; move it away if it is to be made."
            )
        new = unfinished(path, path.suffix[1:] or "part")
        try:
            lesser = self._written(job, new, news)
            self._settled(job, new, path)
        finally:
            new.unlink(missing_ok=True)
        return Made(job, lesser)

    def _written(self, job: Job, new: Path, news: queue.SimpleQueue[tuple[Job, float | Future[Made]]]) -> bool:
        """Write the file, and say whether it shows less than its original, or in another way."""
        watch = Watch(self.limits, self.stopping)
        original, recipe = job.original.path, job.recipe
        changed = bool(recipe.blur or recipe.grey or recipe.watermark or recipe.watermark_file)
        if job.is_picture:
            size = pictures.make(original, new, job.form, job.edge, recipe, watch)
            return changed or max(size) < pictures.longest_edge(original)
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        made = recordings.make(
            original, new, job.form, job.edge, recipe, watch, threads, lambda part: news.put((job, part))
        )
        less = recordings.probed(original, self.limits)
        return changed or bool(recipe.clip_seconds or recipe.bitrate) or made.height < less.height // 2 * 2

    def _settled(self, job: Job, new: Path, path: Path) -> None:
        """Move the file into its place, once the ledger says what it will be: moving changes neither its size nor its time."""
        original = job.original
        if mark_of(original.path) != (original.size, original.modified):
            raise NotMade("The original changed while it was being read; run the command again.")
        self.ledger.add(
            Entry(job.name, job.digest(), original.name, original.size, original.modified, mark_of(new) or (0, 0))
        )
        settle(new, path)


class Count:
    """How much is done, and how long the rest may take: by the bytes of the originals, which vary more than anything else."""

    def __init__(self, total: int, weight: int) -> None:
        self.done, self.total = 0, total
        self.begun, self._weight, self._passed = time.monotonic(), weight, 0

    def add(self, job: Job) -> None:
        self.done += 1
        self._passed += job.original.size

    def left(self) -> float:
        """Seconds; negative if nothing is done yet."""
        if not self._passed:
            return -1.0
        return (time.monotonic() - self.begun) * (self._weight - self._passed) / self._passed
