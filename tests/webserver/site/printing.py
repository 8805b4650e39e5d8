"""``python -m tests.webserver.site.printing``: several configurations at once, for starting Django takes longer than printing.

Reads a list of command lines in JSON, without the words before ``nginx`` or ``caddy``, and writes a list of configurations.
"""

from __future__ import annotations

import json
import os
import sys
from io import StringIO

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.webserver.site.settings")
    django.setup()
    from django.core.management import call_command

    texts = []
    for words in json.load(sys.stdin):
        out = StringIO()
        call_command("iiif_webserver", *words, stdout=out)
        texts.append(out.getvalue())
    json.dump(texts, sys.stdout)


if __name__ == "__main__":
    main()
