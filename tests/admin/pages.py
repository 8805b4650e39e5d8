"""A page of the admin as a browser sees it: what it would send if nobody touched the form."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID_TYPES = ("submit", "button", "image", "reset")


class Form(HTMLParser):
    """The fields of the form with this id, or of the last form of the page."""

    def __init__(self, html: str, form_id: str = "") -> None:
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.fields: dict[str, list[str]] = {}
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.several = False
        self.textarea: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = not self.form_id or given.get("id") == self.form_id
            if self.inside:
                self.fields = {}
        elif self.inside and tag == "input":
            self._input(given)
        elif self.inside and tag == "select":
            self.select, self.options, self.several = given.get("name"), [], "multiple" in given
        elif tag == "option":
            self.options.append((given.get("value") or "", "selected" in given))
        elif self.inside and tag == "textarea":
            self.textarea = given.get("name")
            self.fields.setdefault(str(self.textarea), []).append("")

    def _input(self, given: dict[str, Any]) -> None:
        kind, name = given.get("type", "text"), given.get("name")
        if not name or kind in VOID_TYPES or (kind in ("checkbox", "radio") and "checked" not in given):
            return
        self.fields.setdefault(name, []).append(given.get("value") or ("on" if kind == "checkbox" else ""))

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.fields[self.textarea][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.textarea:
            # A browser drops one line break at the beginning, and sends all others as CR LF.
            last = self.fields[self.textarea]
            last[-1] = last[-1].removeprefix("\r\n").removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            self.textarea = None
        elif tag == "select" and self.select:
            chosen = [value for value, selected in self.options if selected]
            if not chosen and not self.several and self.options:
                chosen = [self.options[0][0]]
            self.fields.setdefault(self.select, []).extend(chosen)
            self.select = None


def sent_back(response: Any, model: str) -> dict[str, list[str]]:
    """What a browser would send if nobody touched the form of a change page."""
    fields = Form(response.content.decode(), f"{model}_form").fields
    return {name: values for name, values in fields.items() if "__prefix__" not in name}
