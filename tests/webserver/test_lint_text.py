"""What people and programs read of the findings, and how a file's language is told."""

from __future__ import annotations

import json

import pytest

from iiif_auth.webserver import caddy_rules, nginx_rules
from iiif_auth.webserver.findings import Finding, Rule, Severity, as_json, exit_status, text
from iiif_auth.webserver.lint import Server, check, server_of

ONE = Finding("site.conf", 7, Severity.ERROR, "satisfy-any", "It lets in.", "Somebody comes " * 20, "Mend it.")
OTHER = Finding("site.conf", 9, Severity.WARNING, "missing-caret", "It could lose.", "One day.", "Write it.")
RULES = [
    (table.__name__, one)
    for table in (nginx_rules, caddy_rules)
    for one in vars(table).values()
    if isinstance(one, Rule)
]


def test_a_finding_is_a_line_an_explanation_and_a_next_step() -> None:
    lines = text([OTHER]).splitlines()
    assert lines == [
        "site.conf:9  warning  missing-caret  It could lose.",
        "    One day.",
        "    Next step: Write it.",
        "",
        "Found: 1 warning.",
    ]


def test_explanations_are_wrapped_and_given_once_for_each_rule() -> None:
    told = text([ONE, ONE, OTHER], width=60)
    assert told.count("Next step: Mend it.") == 1
    assert max(len(line) for line in told.splitlines() if line.startswith("    ")) <= 60
    assert told.splitlines()[-1] == "Found: 2 errors, 1 warning."


def test_nothing_found_is_said_too() -> None:
    assert text([]) == "No known hole was found.\n"


@pytest.mark.parametrize("name", ["site.conf", "Caddyfile"])
def test_an_empty_file_is_named_too(name: str) -> None:
    assert [(one.file, one.line, one.id) for one in check("", name)] == [(name, 1, "nothing-guarded")]


def test_programs_get_every_field() -> None:
    told = json.loads(as_json([ONE, OTHER]))
    assert told["errors"] == 1
    assert told["findings"][1] == {
        "file": "site.conf",
        "line": 9,
        "severity": "warning",
        "id": "missing-caret",
        "sentence": "It could lose.",
        "why": "One day.",
        "next_step": "Write it.",
    }


def test_only_errors_decide_the_exit_status() -> None:
    assert (exit_status([]), exit_status([OTHER]), exit_status([OTHER, ONE])) == (0, 0, 1)


def test_a_file_can_not_move_the_cursor() -> None:
    found = check('server { location "/a\x1b[2J\nb" { auth_request /x; proxy_pass http://y; } }', "evil\x1b.conf")
    assert found
    assert "\x1b" not in text(found)
    assert all("\n" not in one.sentence for one in found)


@pytest.mark.parametrize("table", [nginx_rules, caddy_rules], ids=["nginx", "caddy"])
def test_no_two_rules_have_one_name(table: object) -> None:
    names = [one.id for one in vars(table).values() if isinstance(one, Rule)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("table", "rule"), RULES, ids=[f"{table}-{one.id}" for table, one in RULES])
def test_every_rule_explains_itself_in_sentences(table: str, rule: Rule) -> None:
    assert len(rule.why) > 60
    assert rule.why.endswith(".")
    assert rule.mend.rstrip("”").endswith((".", ";"))
    assert "  " not in rule.why


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("Caddyfile", "", Server.CADDY),
        ("site.caddy", "root /srv;", Server.CADDY),
        ("site.conf", "example.org {\n}", Server.NGINX),
        ("default", "server {\n  listen 80;\n}", Server.NGINX),
        ("default", "location ^~ /iiif/ { }", Server.NGINX),
        ("default", "example.org {\n\troute {\n\t}\n}", Server.CADDY),
    ],
)
def test_the_language_is_told_by_the_name_or_the_text(name: str, written: str, expected: Server) -> None:
    assert server_of(written, name) is expected
