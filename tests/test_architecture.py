"""Who may import whom, and what must work without Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
SOURCES = [path for folder in ("iiif_auth", "project", "tests") for path in (ROOT / folder).rglob("*.py")]
WITHOUT_DJANGO = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "rest_framework", "allauth", "asgiref"):
            raise ImportError(f"{name} is not installed here.")

sys.meta_path.insert(0, Blocked())
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"django", "rest_framework"}, loaded
others = {name for name in sys.modules if name.startswith("iiif_auth.")}
print(*sorted({name.split(".")[1] for name in others}))
"""


def test_the_contracts_about_imports_are_kept(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize(
    ("package", "reaches"),
    [("policy", "policy"), ("protocol", "policy protocol"), ("conformance", "conformance")],
)
def test_it_works_where_there_is_no_django(package, reaches):
    command = [sys.executable, "-W", "error", "-c", WITHOUT_DJANGO, f"iiif_auth.{package}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, reaches, "")


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc", "util", "helper"])
def test_every_module_has_a_subject(name):
    assert [str(path) for path in SOURCES if path.stem == name or path.parent.name == name] == []


def test_nothing_says_where_on_a_machine_it_was_written():
    folders = tuple(f"/{name}/" for name in ("home", "work"))
    told = [path for path in SOURCES if any(folder in path.read_text() for folder in folders)]
    assert [str(path.relative_to(ROOT)) for path in told] == []
