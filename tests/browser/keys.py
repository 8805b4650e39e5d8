"""Somebody who has a keyboard and nothing else: every key is counted, and the focus must be seen wherever it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

NAMED = """(element) => {
    const of = (ids) => ids.split(/\\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
    const said = element.getAttribute('aria-label') || of(element.getAttribute('aria-labelledby') ?? '')
        || [...(element.labels ?? [])].map((one) => one.textContent).join(' ')
        || (element.matches('input[type=submit], input[type=button]') ? element.value : element.textContent);
    return said.replace(/\\s+/g, ' ').trim();
}"""
SELECT2 = """(element) => {
    const field = element.closest('.select2')?.previousElementSibling;
    return [...(field?.labels ?? [])].map((one) => one.textContent).join(' ').replace(/\\s+/g, ' ').trim();
}"""
FOCUSED = f"""() => {{
    const element = document.activeElement, field = {SELECT2}, named = {NAMED};
    return !element || element === document.body || element.id === 'content-start' ? '' : field(element) || named(element);
}}"""
"""In one step, since what has the focus may go away."""
WITHOUT = """(element) => {
    const look = () => {
        const style = getComputedStyle(element);
        return ['outlineStyle', 'outlineWidth', 'outlineColor', 'boxShadow', 'borderColor', 'backgroundColor', 'color',
            'textDecorationLine'].map((name) => style[name]).join('|');
    };
    const outlined = getComputedStyle(element).outlineStyle !== 'none' && parseFloat(getComputedStyle(element).outlineWidth) > 0;
    if (outlined) return '';
    const before = look();
    const twin = element.cloneNode(true);
    element.after(twin);
    const style = getComputedStyle(twin);
    const after = ['outlineStyle', 'outlineWidth', 'outlineColor', 'boxShadow', 'borderColor', 'backgroundColor', 'color',
        'textDecorationLine'].map((name) => style[name]).join('|');
    twin.remove();
    return before === after ? 'looks the same without the focus' : '';
}"""
"""Nothing if the focus shows: by an outline, or by looking other than its own copy that has no focus."""
IN_SIGHT = """(element) => {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth && box.width > 0;
}"""


@dataclass
class Keys:
    """The keys that were pressed, and the fields that were filled by typing."""

    page: Page
    pressed: int = 0
    fields: int = 0

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)
            self.pressed += 1

    def skip(self) -> None:
        """Over the header and the navigation, by the link that is there for it, unless the page began further down itself."""
        if self.page.locator("#content-start:focus, #content *:focus").count():
            return
        self.to("Skip to main content", most=3)
        self.press("Enter")
        expect(self.page.locator("#content-start")).to_be_focused()

    def name(self) -> str:
        """What the control with the focus is called."""
        return str(self.page.evaluate(FOCUSED))

    def to(self, name: str, *, most: int = 150, key: str = "Tab", selector: str = "*") -> None:
        """Tab until the control whose name begins like this has the focus; it is in sight, and one sees that it has it."""
        seen = [self.name()]
        while not (seen[-1].startswith(name) and self.page.locator(f"{selector}:focus").count()):
            assert len(seen) <= most, f"“{name}” was not reached in {most} steps, but: {seen}"
            self.press(key)
            seen.append(self.name())
        self.assert_seen()

    def assert_seen(self) -> None:
        focused = self.page.locator("*:focus")
        assert focused.evaluate(IN_SIGHT), f"{self.name()} is not in sight"
        assert focused.evaluate(WITHOUT) == "", self.name()

    def type(self, text: str) -> None:
        """Fill in the field with the focus."""
        self.page.keyboard.type(text)
        self.fields += 1

    def leave(self, key: str = "Enter") -> None:
        """Press a key that leads to another page, and wait for it."""
        with self.page.expect_navigation():
            self.press(key)

    def choose(self, text: str) -> None:
        """In a list of the browser's: by the beginning of the entry, as far as it takes, or by arrows."""
        focused = self.page.locator("select:focus")
        options = [one.strip() for one in focused.locator("option").all_inner_texts()]
        here = focused.evaluate("(element) => element.selectedIndex")
        there = next(number for number, one in enumerate(options) if one.startswith(text))
        self.press("ArrowDown" if there > here else "ArrowUp", abs(there - here))
        assert focused.evaluate("(element) => element.selectedOptions[0].text").strip().startswith(text)

    def pick(self, text: str, offered: str = "") -> None:
        """In a list that searches: open it, type, and take the entry that is offered first, which says so (or something else)."""
        self.press("Enter")
        box = self.page.locator(".select2-container--open .select2-search__field")
        expect(box).to_be_focused()
        self.type(text)
        expect(self.page.locator(".select2-results__option--highlighted")).to_contain_text(offered or text)
        self.press("Enter")
        expect(box).to_have_count(0)

    def attach(self, path: Path) -> None:
        """A file, by the browser's own window for it."""
        expect(self.page.locator("input[type=file]:focus")).to_have_count(1)
        with self.page.expect_file_chooser() as chooser:
            self.press("Space")
        chooser.value.set_files(path)
        self.fields += 1

    def find(self, text: str) -> None:
        """In the search box of a list."""
        self.skip()
        self.to("", selector="#searchbar", most=12)
        self.type(text)
        self.leave()

    def count(self) -> tuple[int, int]:
        return self.pressed, self.fields


def table(counts: dict[str, tuple[int, int]]) -> str:
    """The counts as Markdown, a row for each job."""
    lines = ["| Job | Keys pressed | Fields typed |", "|---|---:|---:|"]
    lines += [f"| {job} | {pressed} | {fields} |" for job, (pressed, fields) in counts.items()]
    return "\n".join(lines) + "\n"


def read(text: str) -> dict[str, tuple[int, int]]:
    """The counts that such a table tells."""
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    return {job: (int(pressed), int(fields)) for job, pressed, fields in rows}


BEGIN, END = "<!-- keyboard: begin -->\n", "<!-- keyboard: end -->"
BETWEEN = re.compile(f"{re.escape(BEGIN)}(.*?){re.escape(END)}", re.DOTALL)


def written(text: str) -> str | None:
    """What stands between the two comments of a text; nothing if they are not there."""
    found = BETWEEN.search(text)
    return found[1] if found else None


def rewritten(text: str, section: str) -> str:
    """The text with another section; at its end where there was none."""
    new = f"{BEGIN}{section}{END}"
    if written(text) is None:
        return f"{text.rstrip()}\n\n{new}\n".lstrip()
    return BETWEEN.sub(lambda _: new, text)
