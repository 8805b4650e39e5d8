"""Which identity providers are believed what, and what they say of people."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iiif_auth.attributes.names import NAMES
from iiif_auth.models.fields import CheckedJSONField
from iiif_auth.models.naming import NaturalManager

SCOPE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class ScopeListField(CheckedJSONField):
    """A list of the domains that an identity provider may speak for, in small letters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": list, "blank": True, **kwargs})

    def check_value(self, value: Any) -> None:
        if not isinstance(value, list):
            raise ValidationError(_("Scopes are a list of texts such as example.org."))
        for text in value:
            if not isinstance(text, str) or len(text) > 253 or not SCOPE.fullmatch(text):
                raise ValidationError(
                    _("“%(text)s” is not a scope; write the domain in small letters, such as example.org.")
                    % {"text": str(text)[:80]}
                )

    def formfield(self, **kwargs: Any) -> Any:
        from iiif_auth.forms import LinesFormField

        return models.Field.formfield(self, **{"form_class": LinesFormField, **kwargs})


class AttributeListField(CheckedJSONField):
    """A list of names of attributes, of our own list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": list, "blank": True, **kwargs})

    def check_value(self, value: Any) -> None:
        known = ", ".join(NAMES)
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValidationError(_("Attributes are a list of these names: %(known)s.") % {"known": known})
        for name in value:
            if name not in NAMES:
                raise ValidationError(
                    _("“%(name)s” is not an attribute we know; the attributes are %(known)s.")
                    % {"name": name[:40], "known": known}
                )

    def formfield(self, **kwargs: Any) -> Any:
        from iiif_auth.forms import AttributesFormField

        return models.Field.formfield(self, **{"form_class": AttributesFormField, **kwargs})


class IdentityProvider(models.Model):
    """Somebody who signs people in, and how far what it says of them is believed. Without a row it is believed nothing."""

    issuer = models.CharField(
        _("issuer"),
        max_length=500,
        unique=True,
        help_text=_(
            "Exactly what it calls itself: the issuer of OpenID Connect, the entity ID of SAML, or the name that the site's "
            "settings give to a proxy."
        ),
    )
    name = models.CharField(_("name"), max_length=200)
    attributes = AttributeListField(_("may say"), help_text=_("Everything else that it says is dropped."))
    scopes = ScopeListField(
        _("for the scopes"),
        help_text=_(
            "The domains that it may speak for, one to a line, such as example.org. Whatever it says of another organisation "
            "is dropped."
        ),
    )

    objects = NaturalManager()
    natural_fields = ("issuer",)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.issuer,)


class PersonAttribute(models.Model):
    """One thing that an identity provider says of a person since their last login there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    provider = models.ForeignKey(
        IdentityProvider, models.CASCADE, related_name="said", verbose_name=_("identity provider")
    )
    name = models.CharField(_("attribute"), max_length=40)
    value = models.CharField(_("value"), max_length=500)
    since = models.DateTimeField(_("since"), default=timezone.now)
    seen = models.DateTimeField(_("last said"), default=timezone.now)

    objects: ClassVar[models.Manager[PersonAttribute]] = models.Manager()

    class Meta:
        verbose_name = _("attribute of a person")
        verbose_name_plural = _("attributes of people")
        ordering = ("-seen", "pk")
        indexes = (models.Index(fields=("name", "value"), name="iiif_auth_attribute_value"),)
        constraints = (
            models.UniqueConstraint(fields=("user", "provider", "name", "value"), name="iiif_auth_attribute_once"),
            # Names of ours, such as that of an invitation, are nobody else's to say.
            models.CheckConstraint(condition=~Q(name__startswith="iiif-auth:"), name="iiif_auth_attribute_theirs"),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
