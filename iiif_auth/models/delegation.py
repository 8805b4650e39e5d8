"""Who of the staff works in which collection, and as what."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.overlays import exactly_one
from iiif_auth.models.rules import Collection


class Delegation(models.Model):
    """Lets a person or a group work in a collection and everything within it, as far as a role goes."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("May look")
        DESK = "desk", _("Gives access for a time, and answers requests")
        MANAGER = "manager", _("Manages access: policies, embargoes, withdrawals")

    collection = models.ForeignKey(Collection, models.CASCADE, related_name="delegations", verbose_name=_("collection"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    group = models.ForeignKey(
        "auth.Group", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("group")
    )
    role = models.CharField(_("as"), max_length=7, choices=Role.choices, default=Role.VIEWER)
    most_days = models.PositiveSmallIntegerField(
        _("longest grant in days"), null=True, blank=True, help_text=_("Empty: no limit.")
    )

    objects: ClassVar[models.Manager[Delegation]] = models.Manager()

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        ordering = ("collection", "pk")
        constraints = (
            models.CheckConstraint(condition=exactly_one("user", "group"), name="iiif_auth_delegation_whom"),
            models.CheckConstraint(
                condition=Q(role__in=("viewer", "desk", "manager")), name="iiif_auth_delegation_role"
            ),
            models.UniqueConstraint(
                fields=("collection", "user"), condition=Q(user__isnull=False), name="iiif_auth_delegation_user"
            ),
            models.UniqueConstraint(
                fields=("collection", "group"), condition=Q(group__isnull=False), name="iiif_auth_delegation_group"
            ),
        )
        permissions = (("every_collection", _("Works in every collection, not only in those delegated")),)

    def __str__(self) -> str:
        return f"{self.collection}: {self.user or self.group}"
