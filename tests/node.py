"""Runs scripts as a browser would, with Node. Without Node a laptop skips these tests; CI fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

PAGES = r"""
const vm = require("vm");
const pages = JSON.parse(require("fs").readFileSync(0, "utf8"));
const run = ({islands, scripts}) => {
  const posted = [], parent = {postMessage: (...given) => { posted.push(given); }};
  const document = {getElementById: (id) => (id in islands ? {textContent: islands[id]} : null)};
  const context = vm.createContext({document, window: {parent, opener: null}, JSON});
  for (const script of scripts) vm.runInContext(script, context);
  return posted;
};
process.stdout.write(JSON.stringify(pages.map(run)));
"""
"""Runs each page's scripts with a stub of ``window``, and says how ``postMessage`` was called."""

ORIGINS = r"""
const urls = JSON.parse(require("fs").readFileSync(0, "utf8"));
const origin = (text) => { try { return new URL(text).origin; } catch { return null; } };
process.stdout.write(JSON.stringify(urls.map(origin)));
"""
"""What the URL standard says the origin of each text is; ``null`` if it is no URL."""


def node(script: str, given: object) -> Any:
    """The JSON that a script writes, given some JSON."""
    program = shutil.which("node")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Node is needed to run the pages' scripts.")
        pytest.skip("Node is not installed.")
    done = subprocess.run([program, "-e", script], input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def posted(pages: Sequence[Any]) -> list[list[list[Any]]]:
    """The arguments of every call of ``postMessage``, page by page; each page as :class:`tests.web.Page`."""
    given = [{"islands": page.islands, "scripts": [script for _nonce, script in page.scripts]} for page in pages]
    found: list[list[list[Any]]] = node(PAGES, given)
    return found


def url_origins(texts: Sequence[str]) -> list[str | None]:
    found: list[str | None] = node(ORIGINS, list(texts))
    return found
