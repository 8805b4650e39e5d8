"""What a task is made of: a person, steps in words, and for each step what a browser does and must then see.

The words bind the browser. Whatever an act names (a field, a button, a link) must stand in bold in the sentence that tells the
reader what to do, and whatever stands in bold in “You see” must be on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from playwright.sync_api import Locator, Page

BOLD = re.compile(r"\*\*(.+?)\*\*")
CONTENT = "#content"
NEWEST = "first row"
"""A link that is called by where it is, because what it says is different every time."""


class Act(Protocol):
    """Something that a browser does; ``named`` is what the reader must be told of it."""

    @property
    def named(self) -> str: ...

    def on(self, page: Page, base: str) -> None: ...


def content(page: Page) -> Locator:
    return page.locator(CONTENT)


def shown(found: Locator) -> Locator:
    return found.locator("visible=true").first


def exactly(text: str) -> re.Pattern[str]:
    """A label as it is read: without its colon, whatever the capitals."""
    return re.compile(rf"^\s*{re.escape(text)}:?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Home:
    """The first page of this app, by the link that every page has above."""

    named: str = "Access to IIIF content"

    def on(self, page: Page, base: str) -> None:
        page.goto(f"{base}/admin/iiif_auth/")


@dataclass(frozen=True, slots=True)
class Follow:
    """A link; with ``row``, the one in the table's row that has this text."""

    named: str
    row: str = ""

    def on(self, page: Page, base: str) -> None:
        within = self._within(page)
        links = within.get_by_role("link")
        if self.named != NEWEST:
            links = within.get_by_role("link", name=re.compile(rf"^{re.escape(self.named)}"))
        shown(links).click()

    def _within(self, page: Page) -> Locator:
        if self.named == NEWEST:
            return content(page).locator("#result_list tbody tr").first
        return content(page).locator("tr", has_text=self.row).first if self.row else page.locator("body")


@dataclass(frozen=True, slots=True)
class Press:
    """A button; one may be named by how its words begin."""

    named: str

    def on(self, page: Page, base: str) -> None:
        shown(content(page).get_by_role("button", name=re.compile(rf"^{re.escape(self.named)}"))).click()


@dataclass(frozen=True, slots=True)
class Unfold:
    """A part of a page that is folded in."""

    named: str

    def on(self, page: Page, base: str) -> None:
        content(page).locator("summary", has_text=self.named).first.click()


@dataclass(frozen=True, slots=True)
class Write:
    """Text into a field; with ``in_days``, the day so many days from today."""

    named: str
    text: str
    in_days: int = 0

    def on(self, page: Page, base: str) -> None:
        text = (date.today() + timedelta(days=self.in_days)).isoformat() if self.in_days else self.text  # noqa: DTZ011
        found = content(page).get_by_label(exactly(self.named))
        shown(found.or_(content(page).get_by_role("textbox", name=exactly(self.named)))).fill(text)


@dataclass(frozen=True, slots=True)
class Choose:
    """An entry of a list to choose from."""

    named: str
    option: str

    def on(self, page: Page, base: str) -> None:
        box = shown(content(page).get_by_role("combobox", name=exactly(self.named)))
        words = [text.strip() for text in box.locator("option").all_text_contents()]
        fitting = [text for text in words if text.startswith(self.option)]
        assert fitting, f"“{self.option}” is not among {words}"
        box.select_option(label=fitting[0])


@dataclass(frozen=True, slots=True)
class Tick:
    """A box, or one of several answers, by how its words begin; ``row`` as for links."""

    named: str
    row: str = ""

    def on(self, page: Page, base: str) -> None:
        if self.row:
            content(page).locator("tr", has_text=self.row).get_by_role("checkbox").first.check()
        else:
            shown(content(page).get_by_label(re.compile(rf"^\s*{re.escape(self.named)}"))).check()


@dataclass(frozen=True, slots=True)
class Untick:
    """A box from which the tick is taken."""

    named: str

    def on(self, page: Page, base: str) -> None:
        shown(content(page).get_by_label(exactly(self.named))).uncheck()


@dataclass(frozen=True, slots=True)
class Send:
    """A file into a field."""

    named: str
    name: str
    text: str

    def on(self, page: Page, base: str) -> None:
        given = {"name": self.name, "mimeType": "application/octet-stream", "buffer": self.text.encode()}
        shown(content(page).get_by_label(exactly(self.named))).set_input_files([given])  # type: ignore[list-item]


@dataclass(frozen=True, slots=True)
class Visit:
    """An address that somebody was told, typed where addresses are typed."""

    named: str
    path: str

    def on(self, page: Page, base: str) -> None:
        page.goto(base + self.path)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do and what one then sees. ``picture`` describes the picture of it for those who do not see it; none without."""

    do: str
    acts: tuple[Act, ...]
    see: str
    picture: str = ""
    at: str = ""
    """What the picture begins with: a CSS selector; the top of the page without."""

    def expected(self) -> Iterator[str]:
        """The words that must be on the page."""
        yield from BOLD.findall(self.see)


@dataclass(frozen=True, slots=True)
class Task:
    """One errand: when it comes up, what one needs for it, its steps, and what may go wrong."""

    slug: str
    title: str
    when: str
    needs: str
    account: str
    steps: tuple[Step, ...]
    wrong: tuple[tuple[str, str], ...] = ()
    jobs: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose work this is."""

    slug: str
    name: str
    about: str
    tasks: tuple[Task, ...]

    def pictures(self) -> Iterator[str]:
        for task in self.tasks:
            for number, step in enumerate(task.steps, 1):
                if step.picture:
                    yield picture_name(self, task, number)


def picture_name(person: Person, task: Task, number: int) -> str:
    return f"{person.slug}-{task.slug}-{number}.png"
