"""What people agree to, version by version, and who agreed to which."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.fields import LanguageMapField
from iiif_auth.models.rules import AccessService


class Terms(models.Model):
    """One version of the text of a click-through service. Once published it is never changed: a new version asks again."""

    service = models.ForeignKey(
        AccessService, models.CASCADE, related_name="versions", verbose_name=_("access service")
    )
    number = models.PositiveIntegerField(_("version"))
    heading = LanguageMapField(_("heading"), blank=False)
    text = LanguageMapField(_("text"), blank=False)
    from_day = models.DateTimeField(
        _("in force from"),
        null=True,
        blank=True,
        help_text=_("From this moment on people are asked again. Empty: a draft."),
    )
    note = models.TextField(_("for your colleagues"), blank=True)

    objects: ClassVar[models.Manager[Terms]] = models.Manager()

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        ordering = ("service", "-number")
        constraints = (models.UniqueConstraint(fields=("service", "number"), name="iiif_auth_terms_number"),)

    def __str__(self) -> str:
        return str(_("%(service)s, version %(number)d") % {"service": self.service, "number": self.number})


class Acceptance(models.Model):
    """That somebody agreed to a version: kept when the pass has ended, for as long as the institution must prove it."""

    service = models.ForeignKey(
        AccessService, models.PROTECT, related_name="acceptances", verbose_name=_("access service")
    )
    version = models.PositiveIntegerField(_("version"), default=0, help_text=_("0: before there were versions."))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    user_name = models.CharField(_("name at the time"), max_length=254, blank=True)
    pass_number = models.BigIntegerField(_("pass"), null=True, blank=True)
    origin = models.CharField(_("viewer"), max_length=300, blank=True)
    network = models.CharField(_("from"), max_length=49, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    at = models.DateTimeField(_("on"), db_index=True)

    objects: ClassVar[models.Manager[Acceptance]] = models.Manager()

    class Meta:
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.service}, {self.version}"
