"""How people log in here: with the accounts that the library made for them. Who signs in elsewhere: :mod:`project.elsewhere`."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class NoSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Readers' accounts are made by staff."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
