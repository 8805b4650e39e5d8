"""Machines without a fixed address that count as being at a place. Only digests of their codes and secrets are stored."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.rules import Network


class Device(models.Model):
    """A machine that was enrolled, by a code that somebody of the staff made for it, to stand for a place.

    What its browser carries is a pass of its own, with ``enrols``; passes that readers are given at it name it too. So it is
    enrolled as long as it has that pass and is not revoked. Deleting it, or its place, ends them all.
    """

    name = models.CharField(
        _("name"), max_length=200, help_text=_("For your colleagues, such as “Reading room, desk by the window”.")
    )
    network = models.ForeignKey(
        Network,
        models.CASCADE,
        related_name="devices",
        verbose_name=_("place"),
        help_text=_("The network that it counts as being in, wherever its address is."),
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("enrolled by"),
        help_text=_("Whoever made the code."),
    )
    digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    code_ends = models.DateTimeField(_("code good until"), null=True, blank=True, editable=False)
    since = models.DateTimeField(_("enrolled on"), null=True, blank=True, editable=False)
    seen = models.DateTimeField(_("last seen before"), null=True, blank=True, editable=False)
    revoked = models.DateTimeField(_("revoked on"), null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager[Device]] = models.Manager()

    class Meta:
        verbose_name = _("enrolled machine")
        verbose_name_plural = _("enrolled machines")
        ordering = ("name", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(digest=None, code_ends=None) | Q(digest__isnull=False, code_ends__isnull=False),
                name="iiif_auth_device_code",
            ),
            models.CheckConstraint(condition=Q(revoked=None) | Q(digest=None), name="iiif_auth_device_revoked"),
        )

    def __str__(self) -> str:
        return self.name
