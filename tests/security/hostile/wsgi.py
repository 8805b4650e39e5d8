"""The site under attack, for servers that are told a name instead of being forked."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from iiif_auth.enforce.wsgi import CheckFirst

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.security.hostile.settings"
application = CheckFirst(get_wsgi_application())
