"""How people from identity providers get in. Imported only where ``allauth.socialaccount`` is installed."""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest
from django.shortcuts import render

logger = logging.getLogger("project.elsewhere")


def username_for(provider: str, subject: str) -> str:
    """The user name of somebody from elsewhere: made of the provider and the subject, so that nobody can choose it."""
    mark = sha256(f"{provider}\0{subject}".encode()).hexdigest()[:20]
    return f"{provider[:100]}.{mark}"


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who people are that sign in elsewhere: a provider and a subject, and never a name or an e-mail address (security A11).

    Their e-mail address is not kept: nobody gets into an account, or takes one over, because an address is the same.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whoever a configured provider vouches for gets an account; what it opens is decided by rules."""
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, {**data, "username": "", "email": ""})
        user.username = username_for(sociallogin.account.provider, sociallogin.account.uid)
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        problem = what_is_wrong(sociallogin, request)
        if problem:
            logger.warning("Refused a login by %.100s: %s", sociallogin.account.provider, problem)
            page = render(request, "socialaccount/authentication_error.html", {"auth_error": {}}, status=401)
            raise ImmediateHttpResponse(page)
        sociallogin.email_addresses = []


def what_is_wrong(sociallogin: Any, request: HttpRequest) -> str:
    """Why an answer is not believed; ``""`` if it is."""
    account = sociallogin.account
    if not str(account.uid or "").strip():
        return "it names no subject"
    data = account.extra_data
    app = account.get_provider(request).app
    if app.provider == "saml":
        return ""
    token, info = data.get("id_token"), data.get("userinfo")
    if not isinstance(token, dict):
        return "there is no ID token"
    if token.get("iss") != app.settings.get("issuer"):
        return "the ID token is of another issuer"
    if isinstance(info, dict) and info.get("sub") != token.get("sub"):
        return "the user info is about somebody else"
    return ""
