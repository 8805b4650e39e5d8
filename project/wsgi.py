"""The WSGI application. The check of a web server in front is answered before the site's middleware."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from iiif_auth.enforce.wsgi import CheckFirst

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = CheckFirst(get_wsgi_application())
