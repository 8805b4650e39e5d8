"""What the demo site knows of an account besides what Django knows."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Preference(models.Model):
    """The language that somebody chose while signed in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=35)

    def __str__(self) -> str:
        return f"{self.user}: {self.language}"


class ProviderSession(models.Model):
    """A session here that began with an identity provider's word, by what that provider calls it, so that its word can end it.

    It goes with the session. ``subject`` is the ``sub`` of OpenID Connect or the NameID of SAML, ``number`` the ``sid`` or the
    SessionIndex; a provider that names no sessions leaves it empty.
    """

    session = models.OneToOneField(
        "sessions.Session", models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    issuer = models.CharField(max_length=1024)
    subject = models.CharField(max_length=1024)
    number = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes = (models.Index(fields=("subject",), name="project_provider_subject"),)

    def __str__(self) -> str:
        return f"{self.issuer}: {self.number or self.subject}"


class ProviderLogout(models.Model):
    """What a provider has ended: a login that it began before, and that is still on its way here, comes too late."""

    issuer = models.CharField(max_length=1024)
    subject = models.CharField(max_length=1024, blank=True)
    number = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.issuer}: {self.number or self.subject}"
