"""Run the scripts, take the pictures, write the pages.

``python -m tests.guide`` for all of them, ``python -m tests.guide rita`` for one.
"""

from __future__ import annotations

import sys

from tests.guide.people import PEOPLE
from tests.guide.running import browser, play, stage
from tests.guide.writing import FOLDER, write


def main(wanted: list[str]) -> None:
    write(PEOPLE)
    chosen = [person for person in PEOPLE if not wanted or person.slug in wanted]
    with stage() as demo, browser() as page:
        for person in chosen:
            for old in FOLDER.glob(f"{person.slug}-*.png"):
                old.unlink()
            play(person, page, demo.address, FOLDER)
            print(f"{person.name}: {len(person.tasks)} tasks, {len(list(person.pictures()))} pictures", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
