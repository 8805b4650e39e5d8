"""A secret key that a demo makes for itself once, so that there is none in the repository to be used by mistake."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret(folder: Path) -> str:
    """The key kept in ``folder``, made for its owner's eyes only if there is none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key
