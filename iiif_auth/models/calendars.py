"""What each member of staff is reminded of, and where a calendar program fetches it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CalendarFeed(models.Model):
    """The private address of somebody's calendar, of which only the digest is stored, and what they are mailed about."""

    class Requests(models.TextChoices):
        AT_ONCE = "once", _("At once")
        DAILY = "day", _("Once a day")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(_("since"), default=timezone.now)
    seen = models.DateTimeField(_("last used"), null=True, blank=True)
    digest_days = models.PositiveSmallIntegerField(
        _("e-mail so many days before"), null=True, blank=True, help_text=_("Empty: no e-mail.")
    )
    mailed = models.DateField(_("last e-mail"), null=True, blank=True, editable=False)
    requests = models.CharField(
        _("e-mail about new requests"),
        max_length=4,
        choices=Requests.choices,
        blank=True,
        help_text=_("Empty: no e-mail."),
    )
    requests_told = models.DateTimeField(_("told of requests until"), null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager[CalendarFeed]] = models.Manager()

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")

    def __str__(self) -> str:
        return str(self.user)
