"""What django-allauth learns at a login. Imported only where ``allauth.socialaccount`` is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.signals import user_logged_in
from allauth.socialaccount.signals import social_account_added, social_account_removed, social_account_updated

from iiif_auth.attributes import keeping, normal

SAML, WELL_KNOWN = "saml", "/.well-known/"


def connect() -> None:
    """Listen to logins, and to accounts that are joined and parted."""
    user_logged_in.connect(logged_in, dispatch_uid="iiif_auth.attributes.logged_in")
    social_account_added.connect(joined, dispatch_uid="iiif_auth.attributes.joined")
    social_account_updated.connect(joined, dispatch_uid="iiif_auth.attributes.updated")
    social_account_removed.connect(parted, dispatch_uid="iiif_auth.attributes.parted")


def logged_in(sender: object, user: Any, sociallogin: Any = None, **kwargs: Any) -> None:
    """Somebody is in, a second factor included. A login with a password says nothing of what providers say."""
    if sociallogin is not None:
        learn(user, sociallogin.account, kwargs.get("request"))


def joined(sender: object, request: Any, sociallogin: Any, **kwargs: Any) -> None:
    learn(sociallogin.user, sociallogin.account, request)


def parted(sender: object, request: Any, socialaccount: Any, **kwargs: Any) -> None:
    keeping.forget(socialaccount.user, issuer_of(socialaccount.get_provider(request).app))


def learn(user: Any, account: Any, request: Any) -> None:
    """Keep what one login brought, or that it brought nothing."""
    app = account.get_provider(request).app
    issuer, data = issuer_of(app), account.extra_data
    found: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    if kind_of(app) == SAML:
        keeping.keep(user, issuer, normal.said(found))
    else:
        keeping.keep(user, issuer, normal.from_openid(found) if said_by(found, issuer) else ())


def kind_of(app: Any) -> str:
    return str(getattr(app, "provider", ""))


def issuer_of(app: Any) -> str:
    """What the provider of an app is called, by the settings of this site and not by its own word.

    For SAML the entity ID; for OpenID Connect the issuer, which is the address of its configuration without the well-known part
    (OpenID Connect Discovery 1.0, section 4.3) unless the settings of the app name an ``issuer``.
    """
    settings: Mapping[str, Any] = getattr(app, "settings", None) or {}
    if kind_of(app) == SAML:
        return str((settings.get("idp") or {}).get("entity_id", ""))
    server = str(settings.get("server_url", "")).partition(WELL_KNOWN)[0]
    return str(settings.get("issuer") or server or kind_of(app))


def said_by(data: Mapping[str, Any], issuer: str) -> bool:
    """Whether the ID token, if there is one, names this issuer: one provider may not speak as another (security A11)."""
    token = data.get("id_token")
    claimed = token.get("iss") if isinstance(token, Mapping) else data.get("iss", issuer)
    return str(claimed).rstrip("/") == issuer.rstrip("/")
