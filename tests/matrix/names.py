"""The names of the deployment: two registrable domains, more hosts on each, and sites that belong to neither.

They end in ``.test`` (RFC 6761), which nobody can register and no list of public suffixes knows, so the last two labels are
the site, as at ``example.org``.
"""

from __future__ import annotations

INSTITUTION = "institution.test"
LIBRARY = "library.institution.test"
IMAGES = "images.institution.test"
SAME_SITE_VIEWER = "viewer.institution.test"
VIEWER = "viewer.example.test"
NEST = "nest.third.test"
EVIL = "evil.fourth.test"
PROVIDER = "login.provider.test"
CONTROL = "control.harness.test"

ALL = (LIBRARY, IMAGES, SAME_SITE_VIEWER, VIEWER, NEST, EVIL, PROVIDER, CONTROL)
