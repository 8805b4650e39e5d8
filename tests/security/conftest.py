from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.web import site

__all__ = ["site"]

# How fast a machine is says nothing about what is true.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
