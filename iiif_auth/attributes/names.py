"""The names of attributes: one of ours each, and what it is called on the wire. No Django in here.

The object identifiers and short names are those of eduPerson (202208), SCHAC (1.5.0) and the SAML subject identifier
attributes (1.0); the claims those of OpenID Connect Core 1.0 and of the REFEDS mapping of eduPerson to claims.
"""

from __future__ import annotations

AFFILIATION, ENTITLEMENT, GROUP = "affiliation", "entitlement", "group"
ORGANISATION, ASSURANCE, SUBJECT = "organisation", "assurance", "subject"

NAMES = (AFFILIATION, ENTITLEMENT, GROUP, ORGANISATION, ASSURANCE, SUBJECT)
"""Every name there is, in the order in which people are shown them."""

FOLDED = frozenset({AFFILIATION, ORGANISATION})
"""Attributes whose values are compared without regard to case (eduPerson; SCHAC): they are kept in small letters."""

WIRE: dict[str, tuple[str, ...]] = {
    AFFILIATION: (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
        "urn:mace:dir:attribute-def:eduPersonScopedAffiliation",
        "urn:mace:dir:attribute-def:eduPersonAffiliation",
        "eduPersonScopedAffiliation",
        "eduPersonAffiliation",
        "eduperson_scoped_affiliation",
        "eduperson_affiliation",
        "affiliation",
        "affiliations",
    ),
    ENTITLEMENT: (
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.7",
        "urn:mace:dir:attribute-def:eduPersonEntitlement",
        "eduPersonEntitlement",
        "eduperson_entitlement",
        "entitlement",
        "entitlements",
    ),
    GROUP: (
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        "http://schemas.xmlsoap.org/claims/Group",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
        "isMemberOf",
        "memberOf",
        "group",
        "groups",
        "roles",
    ),
    ORGANISATION: (
        "urn:oid:1.3.6.1.4.1.25178.1.2.9",
        "schacHomeOrganization",
        "schac_home_organization",
        "organisation",
    ),
    ASSURANCE: ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "eduPersonAssurance", "eduperson_assurance", "assurance"),
    SUBJECT: (
        "urn:oasis:names:tc:SAML:attribute:subject-id",
        "urn:oasis:names:tc:SAML:attribute:pairwise-id",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.10",
        "eduPersonPrincipalName",
        "eduperson_principal_name",
        "subject",
        "sub",
    ),
}
"""By our name, the names on the wire."""

BY_WIRE = {wire.lower(): name for name, wires in WIRE.items() for wire in wires}
"""By the name on the wire in small letters, our name."""
