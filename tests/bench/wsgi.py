"""The WSGI application that is measured."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from iiif_auth.enforce.wsgi import CheckFirst

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
application = CheckFirst(get_wsgi_application())
