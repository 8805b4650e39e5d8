"""``manage.py iiif_conformance``: the conformance checker, for whoever has ``manage.py`` at hand anyway.

It asks a running server over the web, and looks at nothing of this project.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Check a server of IIIF authorization from outside, whoever it belongs to."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand everything over as it is, so that options and exit status are those of the module."""
        sys.exit(self.checked(argv[2:], f"{argv[0]} {argv[1]}"))

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Run it from the command line: manage.py iiif_conformance URL")

    def checked(self, arguments: list[str], program: str) -> int:
        try:
            from iiif_auth.conformance.command import main  # what it needs may not be installed
        except ModuleNotFoundError as missing:
            self.stderr.write(str(missing))
            return 2
        return main(arguments, program)
