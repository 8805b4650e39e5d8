"""One form for what providers say, how far it is believed, and that it counts at once."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.attributes import keeping, normal, trust
from iiif_auth.attributes.typed import typed
from iiif_auth.models import PersonAttribute
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import decide
from tests import factories

STAFF = ("affiliation", "staff@example.org")


def test_claims_names_of_saml_and_headers_say_the_same():
    values = ["Staff@Example.org"]
    for wire in ("eduperson_scoped_affiliation", "urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "eduPersonScopedAffiliation"):
        assert normal.said({wire: values}) == (STAFF,)
    found = normal.from_headers({"affiliation": "staff@example.org;member@example.org", "entitlement": r"a\;b"})
    assert found == (STAFF, ("affiliation", "member@example.org"), ("entitlement", "a;b"))


@pytest.mark.parametrize(
    "value", [7, True, None, {"a": 1}, [{"a": 1}], "", " ", "a\x00b", "a\nb", "x" * 501, ["\ud800"]]
)
def test_what_is_no_text_says_nothing(value):
    assert normal.said({"groups": value}) == ()


def test_names_of_ours_can_not_be_said():
    assert normal.said({policy.INVITATION: "7", "iiif-auth:x": "1"}) == ()


@pytest.mark.parametrize(
    ("pair", "believed"),
    [
        (STAFF, True),
        (("affiliation", "staff"), True),
        (("affiliation", "staff@other.example"), False),
        (("affiliation", "staff@sub.example.org"), False),
        (("affiliation", "x@other.example@example.org"), False),
        (("affiliation", "staff@"), False),
        (("group", "x@other.example"), False),
        (("organisation", "example.org"), True),
        (("organisation", "other.example"), False),
        (("entitlement", "urn:x"), False),
    ],
)
def test_a_provider_says_what_it_may_for_its_own_scopes(pair, believed):
    held = trust.trusting(["affiliation", "group", "organisation"], ["example.org"])
    assert held.believes(pair) is believed
    assert trust.heard([pair], held) == (trust.Heard((pair,), ()) if believed else trust.Heard((), (pair,)))


@pytest.mark.parametrize(
    ("value", "admitted"),
    [
        ("x@a.example", True),
        ("@a.example", False),
        ("x@y@a.example", False),
        ("x@b.a.example", False),
        ("a.example", False),
    ],
)
def test_a_scope_is_what_stands_after_the_one_at(value, admitted):
    rule = policy.Attribute("affiliation", "a.example", ("c.example",), policy.Matching.SCOPE)
    assert rule.admits(policy.Subject("1", attributes=frozenset({("affiliation", value)}))) is admitted
    assert rule.admits(policy.Subject("1", attributes=frozenset({rule.example})))


def test_one_line_says_a_rule():
    assert typed("affiliation = Staff@A.example | student@a.example").values == ("staff@a.example", "student@a.example")
    assert typed("affiliation=@A.example").columns() == {
        "attribute_name": "affiliation",
        "attribute_value": "a.example",
        "attribute_matching": "scope",
    }
    for wrong in ("affiliation", "=x", "a=@x | y", "a=@x@y", "a=@", "iiif-auth:invitation=1", "a=" + "x" * 501):
        with pytest.raises(ValidationError):
            typed(wrong)


@pytest.mark.django_db
def test_each_provider_replaces_its_own_words_only():
    one, two = factories.IdentityProviderFactory(), factories.IdentityProviderFactory()
    person = factories.UserFactory()
    for provider in (one, two):
        keeping.keep(person, provider.issuer, [STAFF, ("group", "readers")])
    keeping.keep(person, one.issuer, [("group", "readers")])
    assert PersonAttribute.objects.filter(provider=one).count() == 1
    assert PersonAttribute.objects.filter(provider=two).count() == 2
    keeping.keep(person, two.issuer, [])
    assert keeping.said_of(person) == {("group", "readers")}
    assert keeping.keep(person, "https://nobody.example", [STAFF]).kept == ()


@pytest.mark.django_db
def test_what_it_may_no_longer_say_is_forgotten():
    row = factories.PersonAttributeFactory()
    row.provider.scopes = ["other.example"]
    row.provider.save()
    assert keeping.narrow(row.provider) == 1
    assert not PersonAttribute.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["condition", "grant", "policy grant"])
@pytest.mark.parametrize("columns", [("staff@a.example\nstaff@example.org", "exact"), ("example.org", "scope")])
def test_what_is_said_opens_and_what_is_no_longer_said_closes_at_once(where, columns):
    value, matching = columns
    asked = {"attribute_name": "affiliation", "attribute_value": value, "attribute_matching": matching}
    rules = factories.AccessPolicyFactory()
    tier = factories.TierFactory(policy=rules)
    resource = factories.ResourceFactory(url="/iiif/3/chart", policy=rules)
    if where == "condition":
        factories.ConditionFactory(tier=tier, kind="attribute", **asked)
    else:
        target = {"resource": resource} if where == "grant" else {"resource": None, "policy": rules}
        factories.GrantFactory(user=None, **asked, **target)
    holder = factories.PassFactory()
    row = factories.PersonAttributeFactory(user=holder.user)

    def opens() -> bool:
        facts = store.find_pass(holder.digest)
        subject = policy.Subject(facts.user, facts.groups, facts.attributes)
        assert identify.described(holder.user).attributes == facts.attributes
        return isinstance(decide(store.find_offer("/iiif/3/chart"), subject, timezone.now()), policy.Allowed)

    assert opens()
    row.delete()
    assert not opens()
