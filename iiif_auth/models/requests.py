"""Readers who ask: refusals with a code to quote, requests for access, and links that bring somebody in without an account."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.content import Resource


class Refusal(models.Model):
    """One visit to the page that says why not, with a code that a reader can read out to the help desk. Kept for some days."""

    code = models.CharField(_("reference"), max_length=12, unique=True)
    url = models.TextField(_("address of the item"))
    at = models.DateTimeField(_("on"), default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    agreed = models.JSONField(_("had gone through"), default=list, blank=True)
    why = models.CharField(_("reason"), max_length=20, blank=True)

    objects: ClassVar[models.Manager[Refusal]] = models.Manager()

    class Meta:
        verbose_name = _("refusal")
        verbose_name_plural = _("refusals")
        ordering = ("-at",)

    def __str__(self) -> str:
        return self.code


class AccessRequest(models.Model):
    """A reader asks to see something."""

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("E-mail not confirmed")
        NEW = "new", _("New")
        ASKED = "asked", _("Asked back")
        SECONDED = "seconded", _("Waiting for a second approval")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Expired")

    code = models.CharField(_("reference"), max_length=12, unique=True)
    url = models.TextField(_("address of the item"))
    resource = models.ForeignKey(
        Resource, models.SET_NULL, null=True, blank=True, related_name="requests", verbose_name=_("resource")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail address"))
    purpose = models.TextField(_("purpose"))
    wished_until = models.DateField(_("wished until"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    state = models.CharField(_("state"), max_length=11, choices=State.choices, default=State.UNCONFIRMED)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(_("asked on"), default=timezone.now, db_index=True)
    confirmed = models.DateTimeField(_("confirmed on"), null=True, blank=True)
    decided = models.DateTimeField(_("decided on"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    first_approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("first approved by"),
    )
    until = models.DateTimeField(_("approved until"), null=True, blank=True)
    tier = models.CharField(_("tier"), max_length=40, blank=True)
    forgotten = models.DateTimeField(_("personal data removed on"), null=True, blank=True)

    objects: ClassVar[models.Manager[AccessRequest]] = models.Manager()

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ("-created",)
        indexes = (models.Index(fields=("state", "created"), name="iiif_auth_request_state"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("unconfirmed", "new", "asked", "seconded", "approved", "refused", "expired")),
                name="iiif_auth_request_state_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.code}: {self.name or '–'}"


class RequestMessage(models.Model):
    """What was said about a request: to the reader, by the reader, or among the staff."""

    request = models.ForeignKey(AccessRequest, models.CASCADE, related_name="messages", verbose_name=_("request"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    from_reader = models.BooleanField(_("by the reader"), default=False)
    internal = models.BooleanField(_("for the staff only"), default=False)
    text = models.TextField(_("text"))
    at = models.DateTimeField(_("on"), default=timezone.now)

    objects: ClassVar[models.Manager[RequestMessage]] = models.Manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return self.text[:80]


class Invitation(models.Model):
    """A link that brings somebody in who has no account: whoever opens it gets a pass that carries it. Revoked by deleting it."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=200, blank=True)
    created = models.DateTimeField(_("made on"), default=timezone.now)
    ends = models.DateTimeField(_("until"))
    seen = models.DateTimeField(_("last used"), null=True, blank=True)
    request = models.ForeignKey(
        AccessRequest, models.SET_NULL, null=True, blank=True, related_name="invitations", verbose_name=_("request")
    )

    objects: ClassVar[models.Manager[Invitation]] = models.Manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.name or self.email
