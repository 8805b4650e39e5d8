from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.web import login, site, terms

__all__ = ["login", "site", "terms"]

# What touches no rows need not be done once more on PostgreSQL.
collect_ignore = (
    ["test_tickets.py", "test_tiers.py"] if os.environ.get("DATABASE_URL", "").startswith("postgres") else []
)

# How fast a machine is says nothing about what is true.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
