"""A small SAML identity provider on python3-saml's own signer."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

SCOPED = "urn:oid:1.3.6.1.4.1.5923.1.1.1.9"
SUBJECT_ID = "urn:oasis:names:tc:SAML:attribute:subject-id"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
MAIL = "urn:oid:0.9.2342.19200300.100.1.3"


@dataclass(frozen=True)
class Request:
    """What a service asked for."""

    id: str
    acs: str
    audience: str


class College:
    """An identity provider with a key of its own."""

    def __init__(self, entity_id: str) -> None:
        self.entity_id = entity_id
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "college.example")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        self.certificate = made.public_bytes(pem).decode()
        self.key = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    @property
    def entry(self) -> dict[str, str]:
        return {
            "id": "college",
            "name": "Northwick College",
            "entity_id": self.entity_id,
            "sso_url": "https://idp.college.example/sso",
            "slo_url": "https://idp.college.example/slo",
            "certificate": self.certificate,
        }

    def asked(self, location: str) -> Request:
        packed = parse_qs(urlsplit(location).query)["SAMLRequest"][0]
        root = ElementTree.fromstring(zlib.decompress(base64.b64decode(packed), -15))  # noqa: S314 - our own request
        issuer = root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer")
        return Request(root.attrib["ID"], root.attrib["AssertionConsumerServiceURL"], issuer.text)

    def answer(self, request: Request, subject: str, said: dict[str, list[str]], **other: Any) -> str:
        """A signed answer, as the form of the browser posts it; ``other`` replaces what is true by something else."""
        from onelogin.saml2.utils import OneLogin_Saml2_Utils

        now = datetime.now(UTC)
        values = {
            "issuer": self.entity_id,
            "audience": request.audience,
            "to": request.id,
            "acs": request.acs,
            "ends": now + timedelta(minutes=5),
            "signed": True,
            "name": uuid4().hex,
            "index": f"_{uuid4().hex}",
            **other,
        }
        assertion = self._assertion(values, subject, said, now)
        if values["signed"]:
            signed = OneLogin_Saml2_Utils.add_sign(assertion, self.key, self.certificate)
            assertion = (signed if isinstance(signed, str) else signed.decode()).removeprefix("<?xml version='1.0'?>")
        to = f' InResponseTo="{values["to"]}"' if values["to"] else ""
        response = (
            f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_{uuid4().hex}" Version="2.0"'
            f' IssueInstant="{stamp(now)}" Destination="{values["acs"]}"{to}>'
            f'<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{values["issuer"]}</saml:Issuer>'
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f"{assertion}</samlp:Response>"
        )
        return base64.b64encode(response.encode()).decode()

    def leaving(self, sls: str, name: str, *indexes: str, **other: Any) -> str:
        """The address to which a browser is sent to log somebody out (redirect binding); ``other`` as above, or what is sent."""
        now = datetime.now(UTC)
        values = {"issuer": self.entity_id, "to": sls, "ends": now + timedelta(minutes=5), "signed": True, **other}
        numbers = "".join(f"<samlp:SessionIndex>{index}</samlp:SessionIndex>" for index in indexes)
        request = (
            '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'
            f' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{uuid4().hex}" Version="2.0"'
            f' IssueInstant="{stamp(now)}" Destination="{values["to"]}" NotOnOrAfter="{stamp(values["ends"])}">'
            f"<saml:Issuer>{values['issuer']}</saml:Issuer><saml:NameID>{name}</saml:NameID>{numbers}"
            "</samlp:LogoutRequest>"
        )
        packer = zlib.compressobj(wbits=-15)
        packed = base64.b64encode(packer.compress(request.encode()) + packer.flush()).decode()
        sent = {values.get("as", "SAMLRequest"): packed, "RelayState": "there", "SigAlg": RSA_SHA256}
        query = urlencode(sent)
        if not values["signed"]:
            return f"{urlsplit(sls).path}?{query}"
        key: Any = serialization.load_pem_private_key(self.key.encode(), None)
        signature = base64.b64encode(key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        return f"{urlsplit(sls).path}?{query}&{urlencode({'Signature': signature})}"

    def _assertion(self, values: dict[str, Any], subject: str, said: dict[str, list[str]], now: datetime) -> str:
        to = f' InResponseTo="{values["to"]}"' if values["to"] else ""
        attributes = "".join(
            f'<saml:Attribute Name="{name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in found)
            + "</saml:Attribute>"
            for name, found in {SUBJECT_ID: [subject], **said}.items()
        )
        ends = stamp(values["ends"])
        return (
            f'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_{uuid4().hex}" Version="2.0"'
            f' IssueInstant="{stamp(now)}"><saml:Issuer>{values["issuer"]}</saml:Issuer><saml:Subject>'
            '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">'
            f"{values['name']}</saml:NameID>"
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData'
            f' NotOnOrAfter="{ends}" Recipient="{values["acs"]}"{to}/></saml:SubjectConfirmation></saml:Subject>'
            f'<saml:Conditions NotBefore="{stamp(now - timedelta(minutes=1))}" NotOnOrAfter="{ends}">'
            f"<saml:AudienceRestriction><saml:Audience>{values['audience']}</saml:Audience>"
            "</saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{stamp(now)}" SessionIndex="{values["index"]}"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement>"
            f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"
        )


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
