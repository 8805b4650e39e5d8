"""Every requirement of Authorization Flow 2.0 is shown to be met by a test that names it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "fixtures" / "spec" / "requirements.tsv"


def required() -> set[str]:
    rows = TABLE.read_text().splitlines()[1:]
    return {row.split("\t")[0] for row in rows if row.startswith("A2-")}


def marks(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """``(requirement, test)`` for every marker in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.requirement":
                    yield from ((ast.literal_eval(one), node.name) for one in decorator.args)


def named() -> dict[str, set[str]]:
    found = defaultdict(set)
    for module in TESTS.rglob("test_*.py"):
        for requirement, test in marks(ast.parse(module.read_text())):
            found[requirement].add(f"{module.stem}.{test}")
    return found


def test_there_are_as_many_requirements_as_the_specification_was_read_to_have():
    assert len(required()) == 87


def test_every_requirement_is_named_by_a_test():
    assert sorted(required() - set(named())) == []


def test_no_test_names_a_requirement_that_there_is_not():
    assert {name: tests for name, tests in named().items() if name.startswith("A2-") and name not in required()} == {}


def test_only_tests_name_requirements():
    assert [
        test for tests in named().values() for test in tests if not test.rpartition(".")[2].startswith("test_")
    ] == []
