#!/usr/bin/env python
"""Django's command line for the demo site."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Run:  python -m pip install -e '.[demo]'  and try again.")
    execute_from_command_line(sys.argv)
