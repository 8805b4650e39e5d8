"""Reads a Caddyfile as Caddy reads it: words, quotes, comments, blocks, snippets, imports and sites; in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from iiif_auth.webserver.findings import NotReadable, plain
from iiif_auth.webserver.statements import Statement

MAX_CHARACTERS = 4_000_000
MAX_DEPTH = 50
MAX_STATEMENTS = 20_000

TOKEN = re.compile(
    r"""
      (?P<end>\n)
    | (?P<space>[^\S\n]+ | \\\r?\n | \#[^\n]*)
    | (?P<quoted>"(?:[^"\\]|\\.)*+")
    | (?P<raw>`[^`]*+`)
    | (?P<here><<(?P<mark>[A-Za-z0-9_-]+)\r?(?=\n))
    | (?P<bare>(?:\\(?!\r?\n) | [^\s"`\\])(?:\\(?!\r?\n) | [^\s\\])*+)
    """,
    re.VERBOSE | re.DOTALL,
)
ARGUMENT = re.compile(r"\{args[.\[]([0-9]{1,3})\]?\}")


@dataclass(frozen=True, slots=True)
class Line:
    """The words of one line; ``bare`` says whether the last of them was written without quotes."""

    words: tuple[str, ...]
    number: int
    bare: bool


@dataclass(frozen=True, slots=True)
class Caddyfile:
    """Global options, and sites: each a statement whose name is its first address."""

    options: tuple[Statement, ...]
    sites: tuple[Statement, ...]


def _lines(text: str, name: str) -> Iterator[Line]:
    words: list[str] = []
    started, bare = 1, True
    for match, word, line in _words(text, name):
        if match.lastgroup != "end":
            started = started if words else line
            words.append(word)
            bare = match["bare"] is not None
        elif words:
            yield Line(tuple(words), started, bare)
            words = []
    if words:
        yield Line(tuple(words), started, bare)


def _words(text: str, name: str) -> Iterator[tuple[re.Match[str], str, int]]:
    """Words and ends of lines, each with its line."""
    at, line = 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise NotReadable(name, line, "a quotation mark is opened here and never closed.")
        word, after = _word(text, match, name, line)
        if match.lastgroup != "space":
            yield match, word, line
        line += text.count("\n", at, after)
        at = after


def _word(text: str, match: re.Match[str], name: str, line: int) -> tuple[str, int]:
    """A word with its quotes undone, and where it ends."""
    if match["quoted"]:
        return match[0][1:-1].replace('\\"', '"'), match.end()
    if match["raw"]:
        return match[0][1:-1], match.end()
    if match["here"]:
        end = re.compile(rf"^[ \t]*{re.escape(match['mark'])}\b", re.MULTILINE).search(text, match.end())
        if end is None:
            raise NotReadable(name, line, f"the text that begins with “<<{plain(match['mark'])}” never ends.")
        return text[match.end() + 1 : end.start()], end.end()
    return match[0], match.end()


@dataclass(slots=True)
class _Open:
    line: Line | None
    statements: list[Statement] = field(default_factory=list)


def parsed(text: str, name: str) -> tuple[Statement, ...]:
    """The lines of a file as statements; a block without a name has the name ``""``.

    Raises:
        NotReadable: Caddy would not start with this.
    """
    _fit(text, name)
    blocks = [_Open(None)]
    for line in _addresses_joined(_lines(text, name)):
        _take(blocks, line, name)
    if len(blocks) > 1:
        opened = blocks[-1].line
        raise NotReadable(name, opened.number if opened else 1, "this block is never closed; add a line with “}”.")
    return tuple(blocks[0].statements)


def _fit(text: str, name: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise NotReadable(name, 1, f"the file has more than {MAX_CHARACTERS} characters, so it is no configuration.")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise NotReadable(name, line, "there is a NUL character, so this is no text file.")


def _addresses_joined(lines: Iterator[Line]) -> Iterator[Line]:
    """Addresses of a site may go on in the next line after a comma."""
    words: tuple[str, ...] = ()
    number = 1
    for line in lines:
        number = number if words else line.number
        words = (*words, *line.words) if len(words) < MAX_DEPTH else line.words
        if not line.words[-1].endswith(",") or not line.bare:
            yield Line(words, number, line.bare)
            words = ()
    if words:
        yield Line(words, number, True)


def _take(blocks: list[_Open], line: Line, name: str) -> None:
    if line.words == ("}",) and line.bare:
        if len(blocks) == 1:
            raise NotReadable(name, line.number, "there is a “}” too many.")
        done = blocks.pop()
        blocks[-1].statements.append(_statement(done.line or line, name, tuple(done.statements)))
    elif line.words[-1] == "{" and line.bare:
        if len(blocks) > MAX_DEPTH:
            raise NotReadable(name, line.number, f"blocks are nested more than {MAX_DEPTH} deep.")
        blocks.append(_Open(Line(line.words[:-1], line.number, True)))
    else:
        blocks[-1].statements.append(_statement(line, name, None))


def _statement(line: Line, name: str, body: tuple[Statement, ...] | None) -> Statement:
    first, *others = line.words or ("",)
    return Statement(first, tuple(others), name, line.number, body)


# -- Sites, snippets and imports ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Imports:
    snippets: dict[str, tuple[Statement, ...]]
    folder: Path | None
    left: int = MAX_STATEMENTS


def read(text: str, name: str, folder: Path | None = None) -> Caddyfile:
    """The options and sites of a Caddyfile, with what is imported in its place; ``import`` stays where nothing was found.

    Raises:
        NotReadable: Caddy would not start with it, or imports go round in a circle.
    """
    statements = parsed(text, name)
    snippets = {one.name[1:-1]: one.body for one in statements if one.body is not None and one.name.startswith("(")}
    imports = _Imports(snippets, folder)
    options = statements[0].body if statements and statements[0].name == "" and statements[0].body else ()
    rest = tuple(one for one in statements if one.name and not one.name.startswith(("(", "&(")))
    sites = rest if any(one.body is not None and _is_site(one) for one in rest) else _only_site(rest)
    inner = tuple(one for site in sites for one in _imported((site,), imports, ()))
    return Caddyfile(options, inner)


DIRECTIVES = frozenset(
    {"reverse_proxy", "handle", "handle_path", "route", "forward_auth", "file_server", "tls", "log", "encode"}
)


def _is_site(one: Statement) -> bool:
    """Whether a block at the top is a site: its name is an address, not a directive of the only site."""
    return one.name not in DIRECTIVES and not one.name.startswith("@")


def _only_site(rest: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """A file with one site may do without the braces: its first line is the address."""
    if not rest:
        return ()
    first, *others = rest
    if first.name in DIRECTIVES:
        first, others = Statement("", (), first.file, first.line), list(rest)
    return (Statement(first.name, first.args, first.file, first.line, tuple(others)),)


def _imported(statements: tuple[Statement, ...], imports: _Imports, trail: tuple[str, ...]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for one in statements:
        imports.left -= 1
        if imports.left < 0 or len(trail) > MAX_DEPTH:
            raise NotReadable(one.file, one.line, "imports are so many, or so deep, that nothing can be said of them.")
        if one.name == "import" and one.body is None:
            found += _of_import(one, imports, trail)
        elif one.body is None:
            found.append(one)
        else:
            body = _imported(one.body, imports, trail)
            found.append(Statement(one.name, one.args, one.file, one.line, body))
    return tuple(found)


def _of_import(one: Statement, imports: _Imports, trail: tuple[str, ...]) -> tuple[Statement, ...]:
    name = one.args[0] if one.args else ""
    if name in trail:
        raise NotReadable(one.file, one.line, f"“{plain(name)}” imports itself in the end.")
    body = imports.snippets.get(name)
    if body is None:
        body = _of_files(one, name, imports)
    if body is None:
        return (one,)
    return _imported(tuple(_given(line, one.args[1:]) for line in body), imports, (*trail, name))


def _of_files(one: Statement, name: str, imports: _Imports) -> tuple[Statement, ...] | None:
    if imports.folder is None or not name or "**" in name or name.startswith("/"):
        return None
    paths = [path for path in sorted(imports.folder.glob(name)) if path.is_file()]
    found: list[Statement] = []
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                text = file.read(MAX_CHARACTERS + 1)
        except OSError as problem:
            raise NotReadable(
                one.file, one.line, f"“{plain(name)}” could not be read: {problem.strerror}."
            ) from problem
        imports.left -= len(text) // 100
        found += parsed(text, str(path))
    return tuple(found) if paths else None


def _given(one: Statement, args: tuple[str, ...]) -> Statement:
    """A line of a snippet with the arguments of the ``import`` put in."""

    def filled(word: str) -> str:
        return ARGUMENT.sub(lambda found: args[int(found[1])] if int(found[1]) < len(args) else found[0], word)

    body = None if one.body is None else tuple(_given(inner, args) for inner in one.body)
    return Statement(filled(one.name), tuple(filled(arg) for arg in one.args), one.file, one.line, body)
