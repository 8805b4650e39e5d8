"""nginx's language as nginx reads it; where there is doubt, nginx itself was asked."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from iiif_auth.webserver.findings import NotReadable
from iiif_auth.webserver.lint import check
from iiif_auth.webserver.nginx_places import regex_prefixes
from iiif_auth.webserver.nginx_syntax import MAX_DEPTH, parsed, read
from iiif_auth.webserver.statements import Statement
from tests.webserver.nginx import Nginx, asked


def words(text: str) -> list[tuple[str, ...]]:
    return [(one.name, *one.args) for one in parsed(text, "x.conf")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("root /srv;", ("root", "/srv")),
        ("a 'b c' \"d;e\" f;", ("a", "b c", "d;e", "f")),
        ('a "b\\"c" d;', ("a", 'b"c', "d")),
        ("a b\\;c;", ("a", "b\\;c")),
        ("a x${uri}y;", ("a", "x${uri}y")),
        ('a b"c;', ("a", 'b"c')),
        ("a b#c;", ("a", "b#c")),
        ("a b}c;", ("a", "b}c")),
        ("a # comment; {\n b;", ("a", "b")),
        ("a 'tab\\tend';", ("a", "tab\tend")),
        ("a\tb\r\nc;", ("a", "b", "c")),
        ("location ~* \\.(jpg|png)$ ;", ("location", "~*", "\\.(jpg|png)$")),
        ('if ("$a" = "b") ;', ("if", '("$a"', "=", "b", ")")),
    ],
)
def test_words_quotes_escapes_and_comments(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == [expected]


@pytest.mark.parametrize("said", ["a;{}b", 'it is "so"', "tab\there", "back\\slash", "a#b"])
def test_nginx_reads_quoted_words_as_we_do(said: str, folder: Path) -> None:
    quoted = "'" + said.replace("\\", "\\\\").replace("'", "\\'") + "'"
    text = f"server {{ listen 80; location / {{ return 200 {quoted}; }} }}"
    [server] = parsed(text, "x.conf")
    assert server.body is not None
    assert server.body[1].body == (Statement("return", ("200", said), "x.conf", 1),)
    with Nginx(text, folder) as nginx:
        assert asked(nginx.url, "/").body.decode() == said


def test_lines_are_counted_through_quotes_comments_and_blocks() -> None:
    text = "# one\nhttp {\n  log_format x 'a\nb';\n  server {\n    root\n      /srv;\n  }\n}\n"
    [http] = parsed(text, "x.conf")
    assert http.body is not None
    assert [(one.name, one.line) for one in http.body] == [("log_format", 3), ("server", 5)]
    assert http.body[1].body == (Statement("root", ("/srv",), "x.conf", 6),)


def test_blocks_of_lua_are_left_alone() -> None:
    lua = """-- it's a }\n  local s = "}" .. [[ } ]] if x then y({}) end"""
    text = f"location / {{\n content_by_lua_block {{\n  {lua}\n }}\n root /srv;\n}}"
    [place] = parsed(text, "x.conf")
    assert place.body is not None
    assert [(one.name, one.line) for one in place.body] == [("content_by_lua_block", 2), ("root", 6)]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a b", 1, "no “;”"),
        ("server {\n root /srv;\n", 2, "never closed"),
        ("server { }\n}", 2, "too many"),
        ("server { root /srv }", 1, "no “;” before"),
        ("a;\n;", 2, "name of a directive"),
        ("a 'b", 1, "never closed"),
        ("a \\", 1, "quotation mark"),
        ("a 'b'c;", 1, "space"),
        ("a \0;", 1, "NUL"),
        ("\ufeffa;", 1, "byte order mark"),
        ("a {" * (MAX_DEPTH + 2), 1, "nested"),
        ("x_by_lua_block { ( ", 1, "Lua"),
    ],
)
def test_what_nginx_refuses_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(NotReadable, match=said) as refused:
        check(text, "x.conf")
    assert (refused.value.file, refused.value.line) == ("x.conf", line)
    assert str(refused.value).startswith(f"x.conf:{line}: ")


def test_includes_that_go_round_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("include b.conf;", encoding="utf-8")
    (tmp_path / "b.conf").write_text("include a.conf;", encoding="utf-8")
    with pytest.raises(NotReadable, match="includes itself"):
        read("include a.conf;", "x.conf", tmp_path)


def test_includes_that_multiply_are_refused(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.conf").write_text(f"include {number + 1}.conf;" * 9, encoding="utf-8")
    (tmp_path / "9.conf").write_text("a;", encoding="utf-8")
    with pytest.raises(NotReadable, match="nothing can be said"):
        read("include 0.conf;", "x.conf", tmp_path)


@pytest.mark.parametrize("unreadable", ["/dev/zero", "folder", "**/*.conf", "../" * 99, "a\\0b", "[", ""])
def test_strange_includes_are_left_in_place(unreadable: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    [found] = read(f"include '{unreadable}';", "x.conf", tmp_path) or (None,)
    assert found is None or found.name == "include"


WITHOUT_ARGUMENTS = (
    "error_page",
    "rewrite",
    "add_header",
    "include",
    "return",
    "auth_request",
    "satisfy",
    "try_files",
    "set",
    "map",
    "alias",
    "expires",
    "proxy_pass",
    "auth_request_set",
    "secure_link",
    "proxy_cache",
    "proxy_cache_key",
    "proxy_cache_valid",
    "proxy_set_header",
    "root",
    "limit_except",
    "merge_slashes",
    "deny",
)
EMPTY = "; ".join(WITHOUT_ARGUMENTS)
CHAIN = "".join(f"set $a{number} $a{number + 1}; " for number in range(5_000))
HOSTILE = [
    "'" * 200_001,
    "a '" + "\\" * 200_001,
    "${" * 100_000 + ";",
    "{" * 200_000,
    "a " * 100_000 + ";",
    "location ~ " + "(" * 100_000 + " {}",
    "location ~ ^" + "(a|b)" * 20_000 + " { root /; }",
    "location ~ ^" + "[" * 50_000 + " { root /; }",
    "server { location / { auth_request /x; } " + "location ~ ^/(a|(b|(c|d))) { root /; } " * 400 + "}",
    "map $a $b { " + "x $b; " * 20_000 + "}",
    CHAIN + "server { location / { auth_request /x; proxy_pass http://x$a0; } }",
    f"{EMPTY}; location {{ }} server {{ }} if {{ }}",
    f"server {{ {EMPTY}; map {{ }} upstream {{ }} location {{ {EMPTY}; auth_request /x; if {{ {EMPTY}; }} }} }}",
    "x {\n forward_auth\n forward_auth @\n root\n rewrite\n header\n reverse_proxy {\n header_up\n to\n }\n @a\n}",
    "\x1b[2J\x00",
    "\ud800;",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["x.conf", "Caddyfile"])
def test_hostile_files_get_an_answer_or_a_sentence(text: str, name: str) -> None:
    with contextlib.suppress(NotReadable):
        assert isinstance(check(text, name, guarded=("/iiif/",)), list)


@pytest.mark.parametrize("name", ["x.conf", "Caddyfile"])
def test_a_refusal_can_not_move_the_cursor(name: str) -> None:
    with pytest.raises(NotReadable) as refused:
        check("a \x1b[2J\x00", name)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("\\.jpg$", ("",)),
        ("^/static/", ("/static/",)),
        ("^/(static|assets)/x", ("/static/x", "/assets/x")),
        ("^/(?:a|b(?:c|d))", ("/a", "/bc", "/bd")),
        ("^/(?<name>[a-z]+)/", ("/",)),
        ("^/a|/b", ("",)),
        ("^/a+b", ("/",)),
        ("^/ab?", ("/a",)),
        ("^/a\\.b", ("/a.b",)),
        ("^/a\\d", ("/a",)),
        ("^(?!/iiif/)", ("",)),
        ("^", ("",)),
    ],
)
def test_beginnings_of_regular_expressions(pattern: str, expected: tuple[str, ...]) -> None:
    assert regex_prefixes(pattern) == expected
