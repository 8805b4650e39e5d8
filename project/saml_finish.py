"""The page that reads a SAML answer: allauth's, which here also keeps by what name the provider would end the session.

Imported only where ``allauth.socialaccount.providers.saml`` is installed.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.saml.provider import SAMLProvider
from allauth.socialaccount.providers.saml.views import FinishACSView

from project.provider_sessions import NAME_ID, SESSION_INDEX


class Remembering(SAMLProvider):  # type: ignore[misc]
    """The NameID and the SessionIndex of an answer are in no attribute, so allauth forgets them."""

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        kept = {NAME_ID: data.get_nameid() or "", SESSION_INDEX: data.get_session_index() or ""}
        return {**super().extract_extra_data(data), **kept}


class Finish(FinishACSView):  # type: ignore[misc]
    def get_provider(self, organization_slug: str) -> Remembering:
        return Remembering(self.request, app=self.get_app(organization_slug))
