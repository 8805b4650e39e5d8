"""The commands of the README, so that tests and CI run what its readers run: ``python -m tests.readme_commands test``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"<!-- (?:command: )?(?P<name>[a-z]+) -->\n```(?:sh|python)\n(?P<text>.*?)```", re.DOTALL)


def blocks() -> dict[str, str]:
    """Every marked block of the README by its name."""
    return {found["name"]: found["text"].strip() for found in BLOCK.finditer(README.read_text(encoding="utf-8"))}


if __name__ == "__main__":
    print(blocks()[sys.argv[1]])
