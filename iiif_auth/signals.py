"""What the host tells us: somebody logged out there."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from iiif_auth import passes


@receiver(user_logged_out, dispatch_uid="iiif_auth.end_pass")
def end_pass(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    """Logging out of the host ends the pass of this browser, and so its tokens and its pictures."""
    if request is not None and hasattr(request, "COOKIES"):
        passes.end(request)
