"""Makes the smaller versions that tiers promise, as files of their own."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iiif_auth import store
from iiif_auth.derivatives import plan, recipes
from iiif_auth.derivatives.folders import Folder
from iiif_auth.derivatives.jobs import Job
from iiif_auth.derivatives.ledger import InUse, Ledger, alone
from iiif_auth.derivatives.limits import Limits, NotMade
from iiif_auth.derivatives.making import DiskFull, State, Step, Workshop, check_tools
from iiif_auth.derivatives.plan import Chosen, Planner, Unplanned
from iiif_auth.models import AccessPolicy, Collection, Resource
from iiif_auth.protocol import identity

OPERATIONS = tuple(recipes.VALUES)
MINUTE, HOUR = 60, 3600
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Make the smaller versions of tiers from the originals, as files beside them: pictures, films and sound. What is up to "
        "date is left alone, so it can be stopped and run again at any time. Originals are never written over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--originals", required=True, metavar="FOLDER", help="where the originals are")
        parser.add_argument("--into", metavar="FOLDER", help="where to write; by default beside the originals")
        for name, of in (("resource", "URL"), ("collection", "SLUG"), ("policy", "SLUG")):
            parser.add_argument(
                f"--{name}", action="append", default=[], metavar=of, help=f"of this {name} only; may be repeated"
            )
        parser.add_argument(
            "--recipe", metavar="FILE", type=Path, help="a TOML file with a table for each tier, such as [members]"
        )
        parser.add_argument(
            "--jobs", type=int, default=1, metavar="N", help="how many files are made at once (default 1)"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would be made, and make nothing")
        parser.add_argument("--force", action="store_true", help="make what is up to date, too")
        parser.add_argument(
            "--max-megapixels", type=int, default=4_000, metavar="N", help="of an original (default 4000)"
        )
        parser.add_argument(
            "--max-minutes", type=float, default=240, metavar="N", help="for one original (default 240)"
        )
        self._add_operations(parser)

    def _add_operations(self, parser: CommandParser) -> None:
        group = parser.add_argument_group("what is done, where the recipe does not say otherwise")
        group.add_argument("--scale", type=int, metavar="PIXELS", help="longest edge, if less than the tier's own")
        group.add_argument("--watermark", metavar="TEXT", help="words across it, or the name of a PNG")
        group.add_argument(
            "--blur", type=float, metavar="PART", help="0.02 leaves what 50 pixels along the longest edge hold"
        )
        group.add_argument("--grey", action="store_true", default=None, help="without colour")
        group.add_argument("--quality", type=int, metavar="N", help="of lossy pictures, 1 to 100 (default 85)")
        group.add_argument("--clip-seconds", type=float, metavar="S", help="of films and sound, how much is kept")
        group.add_argument("--start", type=float, metavar="S", help="where the clip begins (default 0)")
        group.add_argument("--max-height", type=int, metavar="PIXELS", help="of films")
        group.add_argument("--bitrate", metavar="RATE", help="of films or of sound alone, such as 600k")

    # -- from beginning to end

    def handle(self, *args: Any, **options: Any) -> None:
        originals, into = folder_at(options["originals"]), folder_at(options["into"] or options["originals"])
        limits = limits_of(options)
        told = told_recipes(options)
        chosen = chosen_of(options)
        try:
            with alone(into), as_interruption(signal.SIGTERM):
                ledger = Ledger(into)
                made = frozenset(ledger.entries) if originals == into else frozenset()
                planner = Planner(originals, told, made)
                self._do(planner, chosen, Workshop(into, ledger, limits, options["jobs"]), options)
        except (InUse, NotMade, DiskFull) as problem:
            raise CommandError(str(problem)) from problem
        except store.RulesInMotion as problem:
            raise CommandError("The rules are being changed at this moment; run the command again.") from problem
        except OSError as problem:
            raise CommandError(f"Nothing can be read or written there: {problem}") from problem
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was made is good; run it again to go on.", returncode=INTERRUPTED
            ) from None

    def _do(self, planner: Planner, chosen: Chosen, shop: Workshop, options: dict[str, Any]) -> None:
        jobs: list[Job] = []
        problems: list[Unplanned] = []
        for one in planner.jobs(chosen):
            (jobs if isinstance(one, Job) else problems).append(one)  # type: ignore[arg-type]
        waiting = [job for job in jobs if options["force"] or not shop.is_current(job)]
        for problem in problems:
            self.stderr.write(f"{problem.name}: {problem.why}")
        if options["dry_run"]:
            self._show(jobs, waiting)
        else:
            check_tools(waiting)
            problems += self._make(shop, waiting)
            shop.ledger.tidy()
        self._sum_up(planner, jobs, waiting, problems, dry=options["dry_run"])

    def _make(self, shop: Workshop, waiting: Sequence[Job]) -> list[Unplanned]:
        failed: list[Unplanned] = []
        whole = 0
        with contextlib.closing(shop.made(waiting)) as steps:
            for step in steps:
                self._say(step)
                whole += not step.lesser
                if step.state is State.FAILED:
                    failed.append(Unplanned(step.job.name, step.why))
        if whole:
            self.stdout.write(
                f"{count(whole, 'of them shows', 'of them show')} all that the original does, which is no larger than the tier."
            )
        return failed

    # -- saying

    def _say(self, step: Step) -> None:
        done = f"[{step.done:>{len(str(step.total))}}/{step.total}] {step.job.name}"
        if step.state is State.FAILED:
            self.stderr.write(f"{done}: {step.why}")
        elif step.state is State.GOING:
            self.stdout.write(f"{done}: {step.part:.0%}{in_words(step.left)}")
        else:
            self.stdout.write(f"{done}{in_words(step.left)}")
        self.stdout.flush()

    def _show(self, jobs: Sequence[Job], waiting: Sequence[Job]) -> None:
        due = {job.name for job in waiting}
        rows = [("file", "of", "pixels", "otherwise", "")]
        rows += [
            (
                job.name,
                job.original.name,
                str(job.edge),
                str(job.recipe),
                "to be made" if job.name in due else "up to date",
            )
            for job in jobs
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def _sum_up(
        self, planner: Planner, jobs: Sequence[Job], waiting: Sequence[Job], problems: Sequence[Unplanned], *, dry: bool
    ) -> None:
        failed = {problem.name for problem in problems}
        made = sum(job.name not in failed for job in waiting)
        said = [f"{'To be made' if dry else 'Made'}: {made}. Up to date: {len(jobs) - len(waiting)}."]
        unknown = sum(not job.addressed for job in jobs)
        if unknown:
            said.append(
                f"{count(unknown, 'has', 'have')} no address yet: add a rendition for the tier, or nobody is offered it."
            )
        if planner.elsewhere:
            said.append(f"On other sites, and so left out: {planner.elsewhere}.")
        if problems:
            raise CommandError(" ".join([*said, f"Not made: {len(problems)}, for the reasons above."]))
        self.stdout.write(" ".join(said))


# -- What was asked for ---------------------------------------------------------------------------------------------


def folder_at(path: str) -> Folder:
    try:
        return Folder.at(path)
    except OSError as problem:
        raise CommandError(f"{problem} Make it first, or name another.") from problem


def limits_of(options: dict[str, Any]) -> Limits:
    if options["jobs"] < 1 or options["max_megapixels"] < 1 or not 0 < options["max_minutes"] < 1e6:
        raise CommandError("--jobs, --max-megapixels and --max-minutes must be above zero.")
    return Limits(options["max_megapixels"], options["max_minutes"])


def told_recipes(options: dict[str, Any]) -> recipes.Recipes:
    given = {name: options[name] for name in OPERATIONS if options[name] is not None}
    try:
        told = recipes.read(options["recipe"], given, Path.cwd())
        plan.check_tables(told)
    except recipes.NotARecipe as problem:
        raise CommandError(str(problem)) from problem
    return told


def chosen_of(options: dict[str, Any]) -> Chosen:
    try:
        urls = plan.normalised(options["resource"])
    except identity.NotAResourceURL as problem:
        raise CommandError(f"A resource was named that can be none. {problem}") from problem
    check_known("resource", urls, known_urls(urls))
    for name, model in (("collection", Collection), ("policy", AccessPolicy)):
        found = model.objects.using(store.database()).filter(slug__in=options[name])
        check_known(name, options[name], set(found.values_list("slug", flat=True)))
    return Chosen(urls, tuple(options["collection"]), tuple(options["policy"]))


def known_urls(urls: Sequence[str]) -> set[str]:
    rows = Resource.objects.using(store.database()).filter(url_digest__in=[identity.digest(url) for url in urls])
    return set(rows.values_list("url", flat=True))


def check_known(what: str, named: Sequence[str], known: set[str]) -> None:
    """A slip of the pen must not look as if there were nothing to do."""
    missing = [name for name in named if name not in known]
    if missing:
        raise CommandError(f"There is no {what} {', '.join(missing)}; see the admin for those there are.")


@contextlib.contextmanager
def as_interruption(number: signal.Signals) -> Iterator[None]:
    """Have a signal end the work in good order, as Ctrl-C does."""

    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    try:
        former: Callable[..., Any] | int | None = signal.signal(number, stop)
    except ValueError:  # somebody runs the command in a thread, where signals are not ours
        yield
        return
    try:
        yield
    finally:
        signal.signal(number, former)


# -- Words ----------------------------------------------------------------------------------------------------------


def in_words(seconds: float) -> str:
    if seconds < 1:
        return ""
    if seconds < 2 * MINUTE:
        return f", about {seconds:.0f} s left"
    if seconds < 2 * HOUR:
        return f", about {seconds / MINUTE:.0f} min left"
    return f", about {seconds / HOUR:.0f} h left"


def count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
