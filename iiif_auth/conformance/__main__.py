"""``python -m iiif_auth.conformance URL``"""

from __future__ import annotations

import sys


def run() -> int:
    try:
        from iiif_auth.conformance.command import main  # what it needs may not be installed
    except ModuleNotFoundError as missing:
        print(missing, file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    return main()


if __name__ == "__main__":
    sys.exit(run())
