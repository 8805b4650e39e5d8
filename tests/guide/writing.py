"""The scripts as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.guide.script import Person, Task, picture_name

FOLDER = Path(__file__).resolve().parents[2] / "iiif_auth" / "admin" / "guide"
NOTE = "<!-- Written by `python -m tests.guide` from tests/guide/; change it there. -->"


def page(person: Person) -> str:
    """The tasks of one person, one after the other."""
    lines = [NOTE, "", f"# {person.name}", "", person.about, "", *contents(person)]
    for task in person.tasks:
        lines += ["", *section(person, task)]
    return "\n".join(lines) + "\n"


def contents(person: Person) -> Iterator[str]:
    for task in person.tasks:
        yield f"* [{task.title}](#{anchor(task.title)})"
    yield ""
    yield (
        "Every task begins on the first page of *Access to IIIF content* in the admin, signed in. To try it, start the demo "
        "(`python manage.py demo`) and sign in with the account named; the password of all of them is `merehaven`. "
        "The pictures were taken by a browser that did what is written here."
    )


def section(person: Person, task: Task) -> Iterator[str]:
    yield from (f"## {task.title}", "", f"**When:** {task.when}", "")
    yield from (f"**What you need:** {task.needs} In the demo: `{task.account}`.", "")
    for number, step in enumerate(task.steps, 1):
        yield f"{number}. {step.do}"
        yield ""
        yield f"   *You see:* {step.see}"
        yield ""
        if step.picture:
            yield f"   ![{step.picture}]({picture_name(person, task, number)})"
            yield ""
    if task.wrong:
        yield from ("**If it goes otherwise**", "")
        for case, answer in task.wrong:
            yield f"* *{case}* {answer}"


def anchor(title: str) -> str:
    """As GitHub makes it from a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def write(people: tuple[Person, ...]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for person in people:
        (FOLDER / f"{person.slug}.md").write_text(page(person), encoding="utf-8")
