"""One number that every change of a rule raises, in the same transaction.

The database itself raises it, by triggers that a migration makes, so that no bulk update, fixture or hand-written SQL
can change a rule unnoticed. ``stamp`` and ``pulse`` are random: a number that comes back after a rollback or a restored
backup does not bring old rules back with it. ``stamp`` changes with the rules that many resources share, ``pulse`` with
anything at all.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Epoch(models.Model):
    id = models.PositiveSmallIntegerField(primary_key=True)
    number = models.BigIntegerField(_("number"), default=0)
    stamp = models.CharField(_("stamp"), max_length=32, default="")
    pulse = models.CharField(_("pulse"), max_length=32, default="")

    objects: ClassVar[models.Manager[Epoch]] = models.Manager()

    class Meta:
        verbose_name = _("epoch")
        verbose_name_plural = _("epoch")
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="iiif_auth_epoch_single"),)

    def __str__(self) -> str:
        return str(self.number)
