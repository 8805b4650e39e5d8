"""The written guide is what the scripts say, and what the scripts say is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from iiif_auth.admin.today import PAGES
from tests.browser.conftest import chromium
from tests.browser.demo import Demo
from tests.guide.people import PEOPLE
from tests.guide.running import MOST_BYTES, browser, play, stage, unnamed
from tests.guide.script import Person
from tests.guide.writing import FOLDER, anchor, page

__all__ = ["chromium"]
INDEX = FOLDER.parent / "README.md"
LINK = re.compile(r"\]\(([^)#:]*)(#[^)]*)?\)")
BY_NAME = pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.slug)


@BY_NAME
def test_the_page_in_the_repository_is_the_one_the_scripts_produce(person: Person):
    assert (FOLDER / f"{person.slug}.md").read_text(encoding="utf-8") == page(person)


@BY_NAME
def test_whatever_the_browser_does_the_reader_is_told_in_bold(person: Person):
    assert [line for task in person.tasks for line in unnamed(task)] == []


@BY_NAME
def test_every_picture_is_there_and_small(person: Person):
    sizes = {name: (FOLDER / name).stat().st_size for name in person.pictures()}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert len(sizes) >= 2


def test_there_are_no_other_files_in_the_guide():
    pages = {f"{person.slug}.md" for person in PEOPLE}
    pictures = {name for person in PEOPLE for name in person.pictures()}
    assert {path.name for path in FOLDER.iterdir()} == pages | pictures


def headings(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {f"#{anchor(line.lstrip('#').strip())}" for line in lines if line.startswith("#")}


def test_the_links_of_the_index_lead_somewhere():
    for target, part in LINK.findall(INDEX.read_text(encoding="utf-8")):
        path = INDEX.parent / target if target else INDEX
        assert path.exists(), target
        if part:
            assert part in headings(path), target + part


def test_the_index_has_each_of_the_twenty_five_jobs_once():
    rows = re.findall(r"^\| (\d+) \|", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, 26))


def test_the_index_names_every_page_that_is_not_a_list_of_rows():
    text = INDEX.read_text(encoding="utf-8")
    assert [str(title) for _name, _permission, title, _about in PAGES if str(title) not in text] == []


# -- And they are so ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[Demo]:
    with stage() as started:
        yield started


@pytest.mark.browser
@BY_NAME
def test_a_stranger_can_follow_the_script(person: Person, demo: Demo):
    with browser() as window:
        play(person, window, demo.address)


@pytest.mark.browser
def test_a_step_that_promises_what_is_not_there_fails(demo: Demo, monkeypatch: pytest.MonkeyPatch):
    """The broken twin: without it, a runner that looks at nothing would pass too."""
    monkeypatch.setattr("tests.guide.running.SEEN_WITHIN", 2_000)
    person = next(one for one in PEOPLE if one.slug == "hana")
    task = person.tasks[0]
    step = replace(task.steps[0], see="**Something that no page says**")
    with browser() as window, pytest.raises(AssertionError, match="step 1"):
        play(replace(person, tasks=(replace(task, steps=(step,)),)), window, demo.address)
