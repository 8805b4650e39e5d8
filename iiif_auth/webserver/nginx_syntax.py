"""Reads nginx's configuration language as nginx reads it: words, quotes, escapes, comments, blocks and includes.

Every character is looked at a bounded number of times, so a hostile file costs no more than its length.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from iiif_auth.webserver.findings import NotReadable, plain
from iiif_auth.webserver.statements import Statement

MAX_CHARACTERS = 4_000_000
MAX_DEPTH = 50
MAX_FILES = 300

TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+ | \#[^\n]*)
    | (?P<mark>[;{}])
    | (?P<quoted>"(?:[^"\\]|\\.)*+" | '(?:[^'\\]|\\.)*+')
    | (?P<bare>(?:\\. | \$\{ | [^ \t\r\n;{}"'\\\#])(?:\\. | \$\{ | [^ \t\r\n;{\\])*+)
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\([\"'\\trn])")
CONTROL_LETTERS = {"t": "\t", "r": "\r", "n": "\n"}
AFTER_A_QUOTE = frozenset(" \t\r\n;{)")
LUA = re.compile(
    r"--\[(=*)\[.*?\]\1\]|--[^\n]*|\[(=*)\[.*?\]\2\]|\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|[{}]", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    line: int
    mark: bool = False


@dataclass(slots=True)
class _Open:
    """A block that is being read."""

    words: list[_Word] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)


def parsed(text: str, name: str) -> tuple[Statement, ...]:
    """The statements of one file; ``include`` stays as it is.

    Raises:
        NotReadable: nginx would not start with this.
    """
    blocks = [_Open()]
    line = 1
    for word in _words(text, name):
        line = word.line
        _take(blocks, word, name)
    if len(blocks) > 1:
        opened = blocks[-2].words[0]
        raise NotReadable(
            name, line, f"the block “{plain(opened.text)}” of line {opened.line} is never closed; add a “}}”."
        )
    if blocks[0].words:
        raise NotReadable(name, line, f"“{plain(blocks[0].words[0].text)}” has no “;” at its end.")
    return tuple(blocks[0].statements)


def _take(blocks: list[_Open], word: _Word, name: str) -> None:
    if not word.mark:
        blocks[-1].words.append(word)
    elif word.text == "}":
        _close(blocks, word, name)
    elif not blocks[-1].words:
        raise NotReadable(name, word.line, f"there is a “{word.text}” where the name of a directive should be.")
    elif word.text == ";":
        blocks[-1].statements.append(_statement(blocks[-1], name, None))
    elif len(blocks) > MAX_DEPTH:
        raise NotReadable(name, word.line, f"blocks are nested more than {MAX_DEPTH} deep.")
    else:
        blocks.append(_Open())


def _close(blocks: list[_Open], word: _Word, name: str) -> None:
    done = blocks[-1]
    if done.words:
        raise NotReadable(name, word.line, f"“{plain(done.words[0].text)}” has no “;” before this “}}”.")
    if len(blocks) == 1:
        raise NotReadable(name, word.line, "there is a “}” too many.")
    blocks.pop()
    blocks[-1].statements.append(_statement(blocks[-1], name, tuple(done.statements)))


def _statement(block: _Open, name: str, body: tuple[Statement, ...] | None) -> Statement:
    first, *others = block.words
    block.words = []
    return Statement(first.text, tuple(word.text for word in others), name, first.line, body)


def _words(text: str, name: str) -> Iterator[_Word]:
    _fit(text, name)
    at, line, before = 0, 1, ""
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise NotReadable(name, line, "a quotation mark is opened here and never closed, or a “\\” ends the file.")
        word = _word(match, line)
        if match.lastgroup == "quoted" and text[match.end() : match.end() + 1] not in (*AFTER_A_QUOTE, ""):
            raise NotReadable(name, line, f"after “{plain(match[0])}” a space or a “;” is missing.")
        line += text.count("\n", at, match.end())
        at = match.end()
        if word is None:
            continue
        yield word
        if word.mark and word.text == "{" and before.endswith("_by_lua_block"):
            start, at = at, _end_of_lua(text, at, name, line)
            line += text.count("\n", start, at)
        before = word.text


def _fit(text: str, name: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise NotReadable(name, 1, f"the file has more than {MAX_CHARACTERS} characters, so it is no configuration.")
    if text.startswith("\ufeff"):
        raise NotReadable(name, 1, "the file begins with a byte order mark, which nginx refuses; save it without.")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise NotReadable(name, line, "there is a NUL character, so this is no text file.")


def _word(match: re.Match[str], line: int) -> _Word | None:
    match match.lastgroup:
        case "space":
            return None
        case "mark":
            return _Word(match[0], line, mark=True)
        case "quoted":
            return _Word(_unescaped(match[0][1:-1]), line)
    return _Word(_unescaped(match[0]), line)


def _unescaped(word: str) -> str:
    return ESCAPE.sub(lambda match: CONTROL_LETTERS.get(match[1], match[1]), word)


def _end_of_lua(text: str, at: int, name: str, line: int) -> int:
    """Where the ``}`` stands that ends a block of Lua, which has quotes and comments of its own."""
    depth = 0
    for match in LUA.finditer(text, at):
        if match[0] == "}" and depth == 0:
            return match.start()
        depth += {"{": 1, "}": -1}.get(match[0], 0)
    raise NotReadable(name, line, "this block of Lua is never closed; add a “}”.")


# -- Includes -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Budget:
    files: int = MAX_FILES
    characters: int = MAX_CHARACTERS


def read(text: str, name: str, folder: Path | None = None) -> tuple[Statement, ...]:
    """The statements of a file, with those of the files it includes in their place.

    A relative ``include`` is looked for beside the file (``folder``) and one folder up, as ``sites-enabled`` has it. What is not
    found there stays in place as ``include``, for the caller to say that it was not looked at.

    Raises:
        NotReadable: one of the files is no configuration, they include each other in a circle, or there are too many.
    """
    return _included(parsed(text, name), folder, _Budget(characters=MAX_CHARACTERS - len(text)), ())


def _included(
    statements: tuple[Statement, ...], folder: Path | None, budget: _Budget, trail: tuple[Path, ...]
) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for one in statements:
        if one.name == "include" and one.body is None:
            found += _of_include(one, folder, budget, trail)
        elif one.body is None:
            found.append(one)
        else:
            body = _included(one.body, folder, budget, trail)
            found.append(Statement(one.name, one.args, one.file, one.line, body))
    return tuple(found)


def _of_include(one: Statement, folder: Path | None, budget: _Budget, trail: tuple[Path, ...]) -> list[Statement]:
    paths = _meant(one.first, folder)
    if not paths and not glob.has_magic(one.first):
        return [one]
    if folder is None:
        return [one]
    found: list[Statement] = []
    for path in paths:
        if path in trail:
            raise NotReadable(one.file, one.line, f"“{plain(one.first)}” includes itself in the end.")
        text = _text(path, one, budget)
        found += _included(parsed(text, str(path)), folder, budget, (*trail, path))
    return found


def _meant(pattern: str, folder: Path | None) -> list[Path]:
    """The files that an ``include`` means, in nginx's order; none if there is no folder to look in."""
    if folder is None or not pattern or "**" in pattern:
        return []
    for root in (folder, folder.parent):
        found = sorted(glob.glob(pattern, root_dir=root))
        paths = [(root / name).resolve() for name in found]
        if files := [path for path in paths if path.is_file()]:
            return files
    return []


def _text(path: Path, one: Statement, budget: _Budget) -> str:
    budget.files -= 1
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(max(0, budget.characters) + 1)
    except OSError as problem:
        said = f"“{plain(one.first)}” could not be read: {problem.strerror}."
        raise NotReadable(one.file, one.line, said) from problem
    budget.characters -= len(text)
    if budget.files < 0 or budget.characters < 0:
        raise NotReadable(
            one.file, one.line, "so many or such large files are included that nothing can be said of them."
        )
    return text
