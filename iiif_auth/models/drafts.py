"""Policies as they might be, before they are live."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.rules import AccessPolicy


class PolicyDraft(models.Model):
    """A policy as it might be: compared with what is live, then published, at once or at a time."""

    policy = models.ForeignKey(
        AccessPolicy, models.CASCADE, related_name="drafts", verbose_name=_("policy it would replace")
    )
    content = models.JSONField(_("content"), default=dict, editable=False)
    reason = models.TextField(_("reason"), blank=True)
    created = models.DateTimeField(_("begun on"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    publish_at = models.DateTimeField(
        _("to be published on"), null=True, blank=True, help_text=_("Empty: when somebody publishes it.")
    )
    published = models.DateTimeField(_("published on"), null=True, blank=True)
    failed = models.TextField(_("why it was not published"), blank=True)

    objects: ClassVar[models.Manager[PolicyDraft]] = models.Manager()

    class Meta:
        verbose_name = _("draft of a policy")
        verbose_name_plural = _("drafts of policies")
        ordering = ("-created",)

    def __str__(self) -> str:
        return str(_("Draft of %(policy)s") % {"policy": self.policy})
