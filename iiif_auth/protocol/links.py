"""Where our services are. URLs are made by the rim and handed in: a protocol does not know its site."""

from __future__ import annotations

from dataclasses import dataclass

from iiif_auth.protocol import identity


@dataclass(frozen=True, slots=True)
class Links:
    """The public URLs of one dialect's services.

    ``site`` is the base URL; the others are URL prefixes to which a slug or a resource's reference is added. None may hold
    a ``?``: viewers append ``?origin=`` blindly (A2-INT-01).
    """

    site: str
    access_at: str
    token_at: str
    logout_at: str
    probe_at: str
    client_at: str = ""

    def access(self, service: str) -> str:
        return self.access_at + service

    def token(self, service: str) -> str:
        return self.token_at + service

    def logout(self, service: str) -> str:
        return self.logout_at + service

    def probe(self, uri: str) -> str:
        return self.probe_at + identity.reference(uri)

    def client(self, service: str) -> str:
        return self.client_at + service

    def content(self, uri: str) -> str:
        return identity.absolute(uri, self.site)
