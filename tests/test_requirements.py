"""Every requirement of every version of the protocol is shown to be met by a test that names it."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "iiif_auth" / "conformance" / "requirements.tsv"
BOTH = "version"
"""The parameter of a test that is run for 1.0 and for 0.9.4."""


def required() -> list[str]:
    rows = TABLE.read_text().splitlines()[1:]
    return [row.split("\t")[0] for row in rows]


def marks(tree: ast.AST) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """``(requirement, test)`` for every marker in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.requirement":
                    yield from ((ast.literal_eval(one), node) for one in decorator.args)


def marked() -> Iterator[tuple[str, str, ast.FunctionDef | ast.ClassDef]]:
    for module in sorted(TESTS.rglob("test_*.py")):
        for requirement, node in marks(ast.parse(module.read_text())):
            yield requirement, module.stem, node


def named() -> dict[str, set[str]]:
    found = defaultdict(set)
    for requirement, module, node in marked():
        found[requirement].add(f"{module}.{node.name}")
    return found


def test_there_are_as_many_requirements_as_the_specifications_were_read_to_have():
    assert len(required()) == len(set(required())) == 209
    assert Counter(name.split("-")[0] for name in required()) == {
        "A2": 87,
        "A1": 52,
        "A1X": 3,
        "A094": 4,
        "A092": 34,
        "A2A": 29,
    }


def test_every_requirement_is_named_by_a_test():
    assert sorted(set(required()) - set(named())) == []


def test_no_test_names_a_requirement_that_there_is_not():
    assert {name: tests for name, tests in named().items() if name not in required()} == {}


def test_only_tests_name_requirements():
    assert [
        test for tests in named().values() for test in tests if not test.rpartition(".")[2].startswith("test_")
    ] == []


@pytest.mark.requirement("A094-ALL-01")
def test_what_is_shown_of_1_0_is_shown_of_0_9_4_by_the_same_test():
    shown = {
        requirement
        for requirement, _module, node in marked()
        if isinstance(node, ast.FunctionDef) and BOTH in {argument.arg for argument in node.args.args}
    }
    assert sorted({name for name in required() if name.startswith("A1-")} - shown) == []
