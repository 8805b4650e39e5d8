"""What it costs to add services to a manifest of 1,000 canvases, as a ratio to reading and writing the same document.

    python -m tests.bench.manifests

Nothing is asserted: machines differ. Ratios are the medians of paired rounds, in this process, on a new SQLite database.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from statistics import median
from time import process_time_ns
from typing import Any

from tests.bench.__main__ import database

CANVASES = 1_000
SITE = "http://localhost:8000"
LABEL = "Page {} of a book whose publisher writes of every page where it was, who held it and what became of it."


def image_of(number: int) -> str:
    """Every other page is one that the library has, and restricts."""
    return f"{SITE}/iiif/3/{'item' if number % 2 else 'elsewhere'}-{number}"


def manifest_3() -> dict[str, Any]:
    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": "https://books.example.org/1/manifest",
        "type": "Manifest",
        "label": {"en": ["A book of a thousand pages"]},
        "items": [canvas_3(number) for number in range(CANVASES)],
    }


def canvas_3(number: int) -> dict[str, Any]:
    at, image = f"https://books.example.org/1/canvas/{number}", image_of(number)
    sides = {"width": 4000, "height": 6000}
    body = {
        "id": f"{image}/full/max/0/default.jpg",
        "type": "Image",
        "format": "image/jpeg",
        **sides,
        "service": [{"id": image, "type": "ImageService3", "profile": "level2"}],
    }
    painting = {"id": f"{at}/painting", "type": "Annotation", "motivation": "painting", "body": body, "target": at}
    page = {"id": f"{at}/page", "type": "AnnotationPage", "items": [painting]}
    return {"id": at, "type": "Canvas", "label": {"en": [LABEL.format(number)]}, **sides, "items": [page]}


def manifest_2() -> dict[str, Any]:
    return {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": "https://books.example.org/1/manifest",
        "@type": "sc:Manifest",
        "label": "A book of a thousand pages",
        "sequences": [{"@type": "sc:Sequence", "canvases": [canvas_2(number) for number in range(CANVASES)]}],
    }


def canvas_2(number: int) -> dict[str, Any]:
    at, image = f"https://books.example.org/1/canvas/{number}", image_of(number)
    sides = {"width": 4000, "height": 6000}
    service = {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": image,
        "profile": "http://iiif.io/api/image/2/level2.json",
    }
    resource = {
        "@id": f"{image}/full/full/0/default.jpg",
        "@type": "dctypes:Image",
        "format": "image/jpeg",
        **sides,
        "service": service,
    }
    painting = {"@type": "oa:Annotation", "motivation": "sc:painting", "resource": resource, "on": at}
    return {"@id": at, "@type": "sc:Canvas", "label": LABEL.format(number), **sides, "images": [painting]}


def cost(work: Callable[[], object]) -> int:
    """CPU time of this process, in nanoseconds."""
    before = process_time_ns()
    work()
    return process_time_ns() - before


def measured(name: str, document: dict[str, Any], rounds: int) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from iiif_auth.http.manifest import decorated
    from iiif_auth.protocol import manifest

    text = manifest.written(document)
    found, holdings = decorated(document)
    answer = manifest.written(found)
    with CaptureQueriesContext(connection) as asked:
        decorated(document)
    spent = [
        (
            cost(lambda: json.dumps(json.loads(text))),
            cost(lambda: decorated(document)),
            cost(lambda: manifest.written(decorated(manifest.parsed(text))[0])),
        )
        for _ in range(rounds)
    ]
    plain, alone, whole = (median(costs) / 1e6 for costs in zip(*spent, strict=True))
    alone_ratio = median(one[1] / one[0] for one in spent)
    whole_ratio = median(one[2] / one[0] for one in spent)
    print(f"\n{name}: {CANVASES} canvases, {holdings.tally().decorated} decorated, {len(asked)} queries")
    print(f"{len(text):,} bytes in, {len(answer):,} out")
    print(f"{'':36}{'ms':>8}{'ratio':>8}")
    print(f"{'json.loads and json.dumps':36}{plain:8.1f}{1:8.2f}")
    print(f"{'services added':36}{alone:8.1f}{alone_ratio:8.2f}")
    print(f"{'read, services added, written':36}{whole:8.1f}{whole_ratio:8.2f}")


def main(rounds: int) -> None:
    with database(postgres=False):
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
        import django

        from tests.tables import made_ready

        django.setup()
        from tests.bench.site import fill

        made_ready()
        fill()
        print(f"Python {platform.python_version()}, Django {django.__version__}, SQLite")
        measured("Presentation 3", manifest_3(), rounds)
        measured("Presentation 2.1", manifest_2(), rounds)


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m tests.bench.manifests")
    options.add_argument("--rounds", type=int, default=15)
    main(options.parse_args().rounds)
