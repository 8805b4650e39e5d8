"""The WSGI application, with the check before everything else."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.webserver.site.settings")

from iiif_auth.enforce.wsgi import CheckFirst

application = CheckFirst(get_wsgi_application())
