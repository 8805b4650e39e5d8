"""Pages for identity providers that allauth has not, or of which we need more; they come before allauth's."""

from __future__ import annotations

from django.apps import apps
from django.urls import URLPattern, path

from project import provider_logouts

OPENID, SAML = (f"allauth.socialaccount.providers.{name}" for name in ("openid_connect", "saml"))
BACKCHANNEL = path("oidc/<str:provider_id>/backchannel-logout/", provider_logouts.openid, name="openid_connect_logout")
FINISH = path("saml/<slug:organization_slug>/acs/finish/", provider_logouts.finish_acs, name="saml_finish_acs")
LOGOUT = path("saml/<slug:organization_slug>/sls/", provider_logouts.saml, name="saml_sls")


def pages() -> list[URLPattern]:
    """Those of the ways that are installed: the packages of the others may be missing."""
    here = [BACKCHANNEL] if apps.is_installed(OPENID) else []
    return here + ([FINISH, LOGOUT] if apps.is_installed(SAML) else [])


urlpatterns = pages()
