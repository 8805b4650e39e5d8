"""How often something was given and refused, by day, without persons; and which networks are still used."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.rules import Network


class DailyCount(models.Model):
    """So many decisions of one kind on one day."""

    class Decision(models.TextChoices):
        ALLOWED = "allowed", _("Allowed")
        LESS = "less", _("Something lesser")
        REFUSED = "refused", _("Refused")

    day = models.DateField(_("day"))
    door = models.CharField(_("asked by"), max_length=8, help_text=_("“probe” by a viewer, “content” for the bytes."))
    collection = models.BigIntegerField(_("collection"), default=0, help_text=_("0: none."))
    policy = models.BigIntegerField(_("policy"), default=0, help_text=_("0: none."))
    tier = models.CharField(_("tier"), max_length=40, blank=True)
    decision = models.CharField(_("decision"), max_length=7, choices=Decision.choices)
    why = models.CharField(_("reason"), max_length=20, blank=True)
    count = models.PositiveBigIntegerField(_("times"), default=0)

    objects: ClassVar[models.Manager[DailyCount]] = models.Manager()

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        ordering = ("-day", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("day", "door", "collection", "policy", "tier", "decision", "why"), name="iiif_auth_count_once"
            ),
            models.CheckConstraint(
                condition=Q(decision__in=("allowed", "less", "refused")), name="iiif_auth_count_decision"
            ),
        )

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class NetworkUse(models.Model):
    """The last day on which somebody came from a line of a network."""

    network = models.ForeignKey(Network, models.CASCADE, related_name="uses", verbose_name=_("network"))
    prefix = models.CharField(_("line"), max_length=49)
    day = models.DateField(_("last used"))

    objects: ClassVar[models.Manager[NetworkUse]] = models.Manager()

    class Meta:
        verbose_name = _("use of a network")
        verbose_name_plural = _("uses of networks")
        ordering = ("network", "prefix")
        constraints = (models.UniqueConstraint(fields=("network", "prefix"), name="iiif_auth_network_use_once"),)

    def __str__(self) -> str:
        return f"{self.network}: {self.prefix}"
