"""HTML as far as the flow needs it: forms that can be sent, scripts that can be run, and the elements these look for."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
MOST = 20_000
"""Elements that are read of a page."""


@dataclass(slots=True)
class Element:
    """An element with the text inside it; ``parent`` is a number in the page's list, or -1."""

    tag: str
    attributes: Mapping[str, str]
    parent: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """What a form has to fill in or to press. ``given`` tells whether the page itself gives it a value to send."""

    name: str
    kind: str
    value: str
    given: bool
    required: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form. ``action`` is absolute and ``method`` in upper case."""

    action: str
    method: str
    fields: tuple[Field, ...]
    multipart: bool = False

    @property
    def password(self) -> Field | None:
        """Where the password goes, if this is a form to log in with."""
        return next((one for one in self.fields if one.kind == "password"), None)

    @property
    def user(self) -> Field | None:
        """Where the name goes: the last text field before the password, or one that says so itself."""
        texts = [one for one in self.fields if one.kind in ("text", "email", "tel", "password") and one.name]
        said = next((one for one in texts if "username" in one.hint or one.kind == "email"), None)
        before = [one for one in texts[: texts.index(self.password)] if one.kind != "password"] if self.password else []
        return before[-1] if before else said

    @property
    def buttons(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.kind in ("submit", "image"))

    def sent(self, answers: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
        """What a browser would send after somebody filled in ``answers`` and pressed the first button."""
        filled = answers or {}
        pairs = [
            (one.name, filled.get(one.name, one.value))
            for one in self.fields
            if one.name and one.kind != "submit" and (one.given or one.required or one.name in filled)
        ]
        pressed = self.buttons[:1]
        return pairs + [(button.name, button.value) for button in pressed if button.name]


@dataclass(frozen=True, slots=True)
class Script:
    """A script that a browser would run: its own text, or ``source`` as an absolute URL."""

    text: str
    source: str = ""
    nonce: str = ""
    module: bool = False


@dataclass(slots=True)
class Page:
    """A page as its HTML says."""

    url: str
    elements: list[Element] = field(default_factory=list)

    @property
    def title(self) -> str:
        return next((" ".join(one.text.split()) for one in self.elements if one.tag == "title"), "")

    @property
    def forms(self) -> tuple[Form, ...]:
        numbers = [number for number, one in enumerate(self.elements) if one.tag == "form"]
        return tuple(self._form(number) for number in numbers)

    @property
    def scripts(self) -> tuple[Script, ...]:
        return tuple(self._script(one) for one in self.elements if one.tag == "script" and _runs(one))

    def _form(self, number: int) -> Form:
        attributes = self.elements[number].attributes
        action = attributes.get("action", "")
        return Form(
            action=_absolute(self.url, action) if action else self.url.partition("#")[0],
            method=attributes.get("method", "get").upper(),
            fields=tuple(self._fields(number)),
            multipart=attributes.get("enctype", "") == "multipart/form-data",
        )

    def _fields(self, form: int) -> Iterator[Field]:
        name = self.elements[form].attributes.get("id", "")
        for number, one in enumerate(self.elements):
            reader = FIELDS.get(one.tag)
            belongs = one.attributes.get("form") == name if "form" in one.attributes else form in self._above(number)
            if reader is not None and belongs and "disabled" not in one.attributes:
                yield reader(self, number)

    def _above(self, number: int) -> Iterator[int]:
        parent = self.elements[number].parent
        while parent >= 0:
            yield parent
            parent = self.elements[parent].parent

    def _script(self, one: Element) -> Script:
        source = one.attributes.get("src", "")
        return Script(
            text="" if source else one.text,
            source=_absolute(self.url, source) if source else "",
            nonce=one.attributes.get("nonce", ""),
            module=one.attributes.get("type", "").lower() == "module",
        )

    def _options(self, number: int) -> list[Element]:
        return [one for at, one in enumerate(self.elements) if one.tag == "option" and number in self._above(at)]


SCRIPT_TYPES = ("", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript")


def _runs(script: Element) -> bool:
    return script.attributes.get("type", "").strip().lower() in SCRIPT_TYPES


def _absolute(base: str, relative: str) -> str:
    try:
        return urljoin(base, relative)
    except ValueError:
        return ""


def _input(page: Page, number: int) -> Field:
    attributes = page.elements[number].attributes
    kind = attributes.get("type", "text").lower() or "text"
    ticked = kind not in ("checkbox", "radio") or "checked" in attributes
    return Field(
        name=attributes.get("name", ""),
        kind=kind,
        value=attributes.get("value", "on" if kind in ("checkbox", "radio") else ""),
        given=ticked and kind not in ("submit", "image", "button", "reset", "file"),
        required="required" in attributes,
        hint=attributes.get("autocomplete", ""),
    )


def _button(page: Page, number: int) -> Field:
    attributes = page.elements[number].attributes
    kind = attributes.get("type", "submit").lower() or "submit"
    return Field(attributes.get("name", ""), kind, attributes.get("value", ""), given=False)


def _textarea(page: Page, number: int) -> Field:
    one = page.elements[number]
    return Field(one.attributes.get("name", ""), "textarea", one.text, given=True)


def _select(page: Page, number: int) -> Field:
    options = page._options(number)
    chosen = next((one for one in options if "selected" in one.attributes), options[0] if options else None)
    value = chosen.attributes.get("value", chosen.text.strip()) if chosen else ""
    return Field(page.elements[number].attributes.get("name", ""), "select", value, given=chosen is not None)


FIELDS = {"input": _input, "button": _button, "textarea": _textarea, "select": _select}


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page(url)
        self.open: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len(self.page.elements) >= MOST:
            return
        if tag == "option":
            self.handle_endtag(tag)  # the next option ends the one before
        # Of a repeated attribute browsers take the first.
        attributes = {name: value or "" for name, value in reversed(attrs)}
        self.page.elements.append(Element(tag, attributes, self.open[-1] if self.open else -1))
        if tag not in VOID:
            self.open.append(len(self.page.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        found = next((at for at in reversed(self.open) if self.page.elements[at].tag == tag), None)
        if found is not None:
            del self.open[self.open.index(found) :]

    def handle_data(self, data: str) -> None:
        for number in self.open[-8:]:
            self.page.elements[number].text += data


def read(url: str, html: str) -> Page:
    """A page; whatever is wrong with it, what can be read of it is read."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader.page


# -- Which scripts a page's own policy lets run -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Policy:
    """A Content-Security-Policy: each header line by itself has to allow what is done."""

    lines: tuple[Mapping[str, tuple[str, ...]], ...]

    def sources(self, *names: str) -> Iterator[tuple[str, ...]]:
        """For each line the sources of the first of these directives that it has."""
        for line in self.lines:
            found = next((line[name] for name in names if name in line), None)
            if found is not None:
                yield found

    def allows(self, script: Script, page: str) -> bool:
        directives = ("script-src-elem", "script-src", "default-src")
        return all(_allowed(script, page, sources) for sources in self.sources(*directives))


def policy(header: str) -> Policy:
    """The policies of a header; browsers join repeated ones with a comma."""
    return Policy(tuple(_directives(line) for line in header.split(",") if line.strip()))


def _directives(line: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in line.split(";"):
        name, *values = one.split() or [""]
        found.setdefault(name.lower(), tuple(values))
    return found


STRONG = re.compile(r"'(?:nonce-|sha(?:256|384|512)-)", re.IGNORECASE)


def _allowed(script: Script, page: str, sources: tuple[str, ...]) -> bool:
    if script.nonce and f"'nonce-{script.nonce}'" in sources:
        return True
    if script.source:
        return any(_source_matches(source, script.source, page) for source in sources)
    if any(STRONG.match(source) for source in sources):
        return any(_hash_matches(source, script.text) for source in sources)
    return "'unsafe-inline'" in {source.lower() for source in sources}


def _hash_matches(source: str, text: str) -> bool:
    name, _, value = source.strip("'").partition("-")
    if name.lower() not in ("sha256", "sha384", "sha512"):
        return False
    digest = hashlib.new(name.lower(), text.encode()).digest()
    return base64.b64encode(digest).decode() == value.replace("-", "+").replace("_", "/")


def _source_matches(source: str, url: str, page: str) -> bool:
    """Whether a source expression covers a URL; paths in it are compared by their beginning."""
    if source.lower() == "'self'":
        return url.split("/", 3)[:3] == page.split("/", 3)[:3]
    if source == "*" or source in ("https:", "http:"):
        return url.startswith(source.strip("*"))
    wanted = source if "://" in source else f"{url.partition('://')[0]}://{source}"
    pattern = re.escape(wanted.rstrip("/")).replace(r"://\*\.", r"://[^/]+\.")
    return re.match(rf"{pattern}(?:[/?#:]|$)", url) is not None
