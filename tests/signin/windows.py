"""The demo's settings, with the window that people sign in with named by a file, so that one demo shows both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from project.settings import *  # noqa: F403 - settings are a module of names


class Flow(dict[str, Any]):
    """Settings of which one is looked up when it is asked for; ``conf`` keeps none of them."""

    def get(self, name: str, default: Any = None) -> Any:
        if name == "LOGIN_WINDOW":
            return Path(os.environ["SIGN_IN_WINDOW"]).read_text(encoding="utf-8")
        return super().get(name, default)


IIIF_AUTH_FLOW = Flow(IIIF_AUTH_FLOW)  # noqa: F405
