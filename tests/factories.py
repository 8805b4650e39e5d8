"""Rows for tests: one factory a model, each making a row that is sound and opens nothing by itself."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import lru_cache
from typing import Any

import factory
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from iiif_auth import models


def hashed(password: str) -> str:
    """Hashed once for each choice of hashers: hashing is slow on purpose, and tests make many people."""
    return _hashed(password, tuple(settings.PASSWORD_HASHERS))


@lru_cache
def _hashed(password: str, hashers: tuple[str, ...]) -> str:
    return make_password(password)


class UserFactory(factory.django.DjangoModelFactory):
    """Somebody with the password ``secret``, whatever the host calls the field people sign in with."""

    class Meta:
        model = get_user_model()

    email = factory.Sequence(lambda number: f"person-{number}@example.org")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault(model_class.USERNAME_FIELD, kwargs["email"])
        return super()._create(model_class, *args, **{**kwargs, "password": hashed(kwargs.pop("password", "secret"))})


class GroupFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Group

    name = factory.Sequence(lambda number: f"Group {number}")


class NetworkFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Network

    slug = factory.Sequence(lambda number: f"network-{number}")
    name = factory.Sequence(lambda number: f"Network {number}")
    prefixes = factory.LazyFunction(lambda: ["192.0.2.0/28"])


class AccessServiceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.AccessService

    slug = factory.Sequence(lambda number: f"service-{number}")
    pattern = models.AccessService.Pattern.LOGIN
    label = factory.LazyFunction(lambda: {"en": ["Log in to Merehaven Library"]})


class AccessPolicyFactory(factory.django.DjangoModelFactory):
    """A policy without tiers, which admits nobody."""

    class Meta:
        model = models.AccessPolicy

    slug = factory.Sequence(lambda number: f"policy-{number}")
    name = factory.Sequence(lambda number: f"Policy {number}")


class TierFactory(factory.django.DjangoModelFactory):
    """A tier without conditions, which is for nobody; ``services`` may be given."""

    class Meta:
        model = models.Tier
        skip_postgeneration_save = True

    policy = factory.SubFactory(AccessPolicyFactory)
    slug = factory.Sequence(lambda number: f"tier-{number}")
    order = factory.Sequence(lambda number: number % 1000)

    @factory.post_generation
    def services(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted:
            self.services.set(extracted)


class ConditionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Condition

    tier = factory.SubFactory(TierFactory)
    kind = models.Condition.Kind.EVERYONE


class RefusalTextFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.RefusalText

    policy = factory.SubFactory(AccessPolicyFactory)
    why = models.RefusalText.Why.NOT_SIGNED_IN
    heading = factory.LazyFunction(lambda: {"en": ["Members only"]})


class CollectionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Collection

    slug = factory.Sequence(lambda number: f"collection-{number}")
    label = factory.Sequence(lambda number: {"en": [f"Collection {number}"]})


class CollectionRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.CollectionRule

    collection = factory.SubFactory(CollectionFactory)
    pattern = factory.Sequence(lambda number: f"/iiif/3/shelf-{number}/")


class ResourceFactory(factory.django.DjangoModelFactory):
    """An image of an Image API 3 service on this site, without collection and policy."""

    class Meta:
        model = models.Resource

    url = factory.Sequence(lambda number: f"/iiif/3/picture-{number}")
    label = factory.Sequence(lambda number: {"en": [f"Picture {number}"]})
    image_api = models.content.ImageApi.V3


class RenditionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Rendition

    resource = factory.SubFactory(ResourceFactory)
    url = factory.Sequence(lambda number: f"/files/rendition-{number}.jpg")


class EmbargoFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Embargo

    resource = factory.SubFactory(ResourceFactory)


class WithdrawalFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Withdrawal

    resource = factory.SubFactory(ResourceFactory)


class GrantFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Grant

    user = factory.SubFactory(UserFactory)
    resource = factory.SubFactory(ResourceFactory)


def hexdigest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class PassFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Pass

    digest = factory.Sequence(lambda number: hexdigest(f"pass {number}"))
    user = factory.SubFactory(UserFactory)
    created = factory.LazyFunction(timezone.now)
    seen = factory.SelfAttribute("created")
    idle_until = factory.LazyAttribute(lambda row: row.created + timedelta(minutes=30))
    ends = factory.LazyAttribute(lambda row: row.created + timedelta(hours=12))


class IdentityProviderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.IdentityProvider

    issuer = factory.Sequence(lambda number: f"https://idp-{number}.example.org")
    name = factory.Sequence(lambda number: f"University {number}")
    attributes = factory.LazyFunction(lambda: ["affiliation", "group"])
    scopes = factory.LazyFunction(lambda: ["example.org"])


class PersonAttributeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.PersonAttribute

    user = factory.SubFactory(UserFactory)
    provider = factory.SubFactory(IdentityProviderFactory)
    name = "affiliation"
    value = "staff@example.org"


class AgreementFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Agreement

    holder = factory.SubFactory(PassFactory)
    service = factory.SubFactory(AccessServiceFactory)
    origin = "https://viewer.example.org"
    at = factory.LazyFunction(timezone.now)


class TokenFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Token

    digest = factory.Sequence(lambda number: hexdigest(f"token {number}"))
    holder = factory.SubFactory(PassFactory)
    service = "login"
    dialect = "v2"
    origin = "https://viewer.example.org"
    created = factory.LazyFunction(timezone.now)
    ends = factory.LazyAttribute(lambda row: row.created + timedelta(minutes=5))


class RegisteredClientFactory(factory.django.DjangoModelFactory):
    """A viewer whose secret nobody knows; ``services`` may be given."""

    class Meta:
        model = models.RegisteredClient
        skip_postgeneration_save = True

    client_id = factory.Sequence(lambda number: f"reading-room-{number}")
    name = factory.Sequence(lambda number: f"Reading room {number}")
    digest = factory.Sequence(lambda number: hexdigest(f"client {number}"))

    @factory.post_generation
    def services(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted:
            self.services.set(extracted)


class ClientCodeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.ClientCode

    digest = factory.Sequence(lambda number: hexdigest(f"code {number}"))
    client = factory.SubFactory(RegisteredClientFactory)
    service = factory.SubFactory(AccessServiceFactory)
    ends = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=10))


class SeatsFactory(factory.django.DjangoModelFactory):
    """One copy of each item, for an hour, with a waiting list."""

    class Meta:
        model = models.Seats

    slug = factory.Sequence(lambda number: f"seats-{number}")
    name = factory.Sequence(lambda number: f"Lending copies {number}")


class SeatsPlaceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.SeatsPlace

    seats = factory.SubFactory(SeatsFactory)
    network = factory.SubFactory(NetworkFactory)


class LentWorkFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.LentWork

    seats = factory.SubFactory(SeatsFactory)
    work = factory.Sequence(lambda number: f"/iiif/3/lent-{number}")
    digest = factory.Sequence(lambda number: hexdigest(f"work {number}"))
    name = factory.Sequence(lambda number: f"Work {number}")


class LoanFactory(factory.django.DjangoModelFactory):
    """A loan that is out, of a reader who is there."""

    class Meta:
        model = models.Loan

    work = factory.SubFactory(LentWorkFactory)
    holder = factory.SubFactory(PassFactory)
    user = factory.SelfAttribute("holder.user")
    since = factory.LazyFunction(timezone.now)
    due = factory.LazyAttribute(lambda row: row.since + timedelta(hours=1))


class WaitingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = models.Waiting

    work = factory.SubFactory(LentWorkFactory)
    holder = factory.SubFactory(PassFactory)
    user = factory.SelfAttribute("holder.user")
    since = factory.LazyFunction(timezone.now)
