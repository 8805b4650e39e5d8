"""The accounts of people whom a web server in front has signed in."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.backends import RemoteUserBackend as DjangoBackend
from django.http import HttpRequest

from project.remote import Person

logger = logging.getLogger("project.remote")


class RemoteUserBackend(DjangoBackend):
    """Finds or makes the account of somebody whom the server in front has signed in."""

    def authenticate(self, request: HttpRequest | None, remote_user: Any) -> Any:  # type: ignore[override, unused-ignore]
        """The account, unless it is somebody's who logs in with a password here: then it is not theirs to have."""
        if not isinstance(remote_user, Person):
            return None
        user: Any = super().authenticate(request, remote_user.username)
        if user is not None and user.has_usable_password():
            logger.error("The account %r has a password, so nobody gets into it from elsewhere.", user.get_username())
            return None
        return user

    def configure_user(self, request: HttpRequest | None, user: Any, created: bool = True) -> Any:  # type: ignore[override, unused-ignore]
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        return user
