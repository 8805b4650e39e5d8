"""``python -m project.images --port 8182 --data .demo``: the demo's image server, unguarded, for this machine alone."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from project.images.server import NotLoopback, server


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m project.images", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8182, help="the port to listen on; 0 takes a free one (default: 8182)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine's own (default: 127.0.0.1)")
    parser.add_argument(
        "--data", type=Path, default=Path(".demo"), help="the folder that “images” is in (default: .demo)"
    )
    given = parser.parse_args(arguments)
    if not (given.data / "images").is_dir():
        parser.error(
            f"there is no folder {given.data / 'images'}; “manage.py demo” makes one, or give another with --data"
        )
    try:
        made = server(given.host, given.port, given.data)
    except (NotLoopback, OSError) as problem:
        parser.error(str(problem))
    sys.stdout.write(f"http://{given.host}:{made.server_port}/iiif/3/\n")
    sys.stdout.flush()
    with made, suppress(KeyboardInterrupt):
        made.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
