"""Caddyfiles as Caddy reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from iiif_auth.webserver.caddy_syntax import parsed, read
from iiif_auth.webserver.findings import NotReadable
from iiif_auth.webserver.statements import Statement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("root * /srv", ("root", "*", "/srv")),
        ('respond "a b" 200', ("respond", "a b", "200")),
        ('respond "a \\"b\\" \\n"', ("respond", 'a "b" \\n')),
        ('respond `a "b" c`', ("respond", 'a "b" c')),
        ("rewrite * /g{header.X}  # why", ("rewrite", "*", "/g{header.X}")),
        ("root * \\\n  /srv", ("root", "*", "/srv")),
        ("respond a#b", ("respond", "a#b")),
        ("respond <<END\n a\n b\n END\n", ("respond", " a\n b\n")),
    ],
)
def test_words_quotes_and_comments(text: str, expected: tuple[str, ...]) -> None:
    [found] = parsed(text, "Caddyfile")
    assert (found.name, *found.args) == expected


def test_blocks_and_lines() -> None:
    [site] = parsed(
        "example.org,\nwww.example.org {\n\tlog\n\n\thandle /a/* {\n\t\trespond `x\ny`\n\t\tabort\n\t}\n}\n",
        "Caddyfile",
    )
    assert (site.name, site.args, site.line) == ("example.org,", ("www.example.org",), 1)
    assert site.body is not None
    assert [(one.name, one.line) for one in site.body] == [("log", 3), ("handle", 5)]
    assert [(one.name, one.line) for one in site.body[1].body or ()] == [("respond", 6), ("abort", 8)]


def test_options_snippets_and_sites_are_told_apart() -> None:
    text = "{\n\tadmin off\n}\n(door) {\n\troot * {args.0}\n}\nexample.org {\n\timport door /srv\n}\n"
    file = read(text, "Caddyfile")
    assert [one.name for one in file.options] == ["admin"]
    assert [one.name for one in file.sites] == ["example.org"]
    assert file.sites[0].body == (Statement("root", ("*", "/srv"), "Caddyfile", 5),)


def test_the_only_site_may_do_without_braces() -> None:
    [site] = read("example.org\n\nroot * /srv\nfile_server\n", "Caddyfile").sites
    assert [one.name for one in site.body or ()] == ["root", "file_server"]


def test_imported_files_are_read_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "door.caddy").write_text("root * /srv\n", encoding="utf-8")
    [site] = read("example.org {\n\timport *.caddy\n\timport lost\n}\n", "Caddyfile", tmp_path).sites
    assert [one.name for one in site.body or ()] == ["root", "import"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('respond "a', "never closed"),
        ("example.org {\n", "never closed"),
        ("}\n", "too many"),
        ("a {\n" * 60, "nested"),
        ("respond <<END\n a", "never ends"),
        ("a\0", "NUL"),
        ("(a) {\n\timport b\n}\n(b) {\n\timport a\n}\nx {\n\timport a\n}\n", "imports itself"),
        (
            "".join(f"(a{n}) {{\n" + f"\timport a{n + 1}\n" * 9 + "}\n" for n in range(9)) + "x {\n\timport a0\n}\n",
            "so many",
        ),
    ],
)
def test_what_caddy_refuses_is_told(text: str, said: str) -> None:
    with pytest.raises(NotReadable, match=said):
        read(text, "Caddyfile")
