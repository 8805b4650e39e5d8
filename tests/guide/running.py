"""A browser that does what the scripts say, and takes the pictures."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from project.items import PASSWORD
from tests.browser.conftest import ARGUMENTS
from tests.browser.demo import ROOT, Demo, running
from tests.guide.script import CONTENT, Person, Step, Task, content, picture_name

PATIENCE = 60_000
SEEN_WITHIN = PATIENCE
WIDTH, HEIGHT, MARGIN = 1360, 800, 12
MOST_BYTES, COLOURS = 120_000, 64
"""Of a picture; sixty-four colours are all that a form has."""


@contextmanager
def stage() -> Iterator[Demo]:
    """A fresh demo with the scene set. Its pictures are not drawn: none of these pages shows one."""
    with tempfile.TemporaryDirectory() as folder:
        more = {"DATABASE_URL": f"sqlite:///{folder}/guide.sqlite3", "DEMO_DRAW": "0"}
        with running(more, log="guide") as demo:
            environment = {
                **os.environ,
                **more,
                "DEMO": "1",
                "BASE_URL": demo.address,
                "DEMO_DATA": str(demo.data),
                "DJANGO_SETTINGS_MODULE": "project.settings",
            }
            subprocess.run([sys.executable, "-m", "tests.guide.scene"], cwd=ROOT, env=environment, check=True)
            yield demo


@contextmanager
def browser() -> Iterator[Page]:
    """A window of its own, in English, light."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*ARGUMENTS, "--disable-gpu"]
        )
        context = opened.new_context(
            locale="en-GB", color_scheme="light", viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
        opened.close()


def sign_in(page: Page, base: str, account: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{base}/admin/login/?next=/admin/iiif_auth/")
    page.get_by_label("Username").fill(account)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{base}/admin/iiif_auth/")


def play(person: Person, page: Page, base: str, pictures: Path | None = None) -> None:
    """All tasks of a person, one after the other; with a folder, a picture of each step that has one.

    Raises:
        AssertionError: something was not on the page that ought to be, and which step it was.
    """
    for task in person.tasks:
        sign_in(page, base, task.account)
        for number, step in enumerate(task.steps, 1):
            try:
                follow(step, page, base)
            except Exception as problem:
                said = str(problem).partition("Aria snapshot")[0]
                raise AssertionError(f"{person.slug}, {task.slug}, step {number} ({page.url}): {said}") from None
            if pictures is not None and step.picture:
                (pictures / picture_name(person, task, number)).write_bytes(taken(page, step))


def follow(step: Step, page: Page, base: str) -> None:
    for act in step.acts:
        act.on(page, base)
    page.wait_for_load_state()
    for words in step.expected():
        found = page.locator(f"{CONTENT}, .messagelist").get_by_text(words).locator("visible=true")
        fields = content(page).get_by_label(words).locator("visible=true")
        buttons = content(page).get_by_role("button", name=words).locator("visible=true")
        expect(found.or_(fields).or_(buttons).first).to_be_visible(timeout=SEEN_WITHIN)


def taken(page: Page, step: Step) -> bytes:
    """What is to be seen of the page, from ``at`` on, as few bytes as it takes."""
    if step.at:
        top = page.locator(step.at).locator("visible=true").first.evaluate("(e) => e.getBoundingClientRect().top")
        page.evaluate("(by) => window.scrollBy(0, by)", top - MARGIN)
    else:
        page.evaluate("window.scrollTo(0, 0)")
    page.evaluate("document.activeElement && document.activeElement.blur()")
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def unnamed(task: Task) -> Iterator[str]:
    """What a browser does in a task that its reader is not told in bold."""
    for step in task.steps:
        for act in step.acts:
            if f"**{act.named}" not in step.do:
                yield f"{task.slug}: “{act.named}” is not in “{step.do}”"
