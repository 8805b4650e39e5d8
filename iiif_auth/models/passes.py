"""What browsers and viewers carry: passes behind the access cookie, and tokens. Only digests are stored."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.naming import slug_validator
from iiif_auth.models.rules import AccessService


class Pass(models.Model):
    """What an access cookie stands for: who, from when until when. Deleting it ends every token drawn from it."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    invitation = models.ForeignKey(
        "iiif_auth.Invitation",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="passes",
        verbose_name=_("invitation"),
    )
    credential = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text=_("Changes with the person's password, which so ends the pass."),
    )
    created = models.DateTimeField(_("since"))
    seen = models.DateTimeField(_("last used"))
    idle_minutes = models.PositiveIntegerField(_("idle life in minutes"), default=30)
    idle_until = models.DateTimeField(_("ends if not used before"))
    ends = models.DateTimeField(_("ends at the latest"), db_index=True)

    objects: ClassVar[models.Manager[Pass]] = models.Manager()

    class Meta:
        verbose_name = _("pass")
        verbose_name_plural = _("passes")
        ordering = ("-created",)

    def __str__(self) -> str:
        return str(_("Pass of %(whom)s") % {"whom": self.user or _("somebody not signed in")})


class Agreement(models.Model):
    """That the holder of a pass went through a service, for a viewer's site; ``""`` if none was named."""

    # "pass" is a keyword, and the row is what the cookie stands for.
    holder = models.ForeignKey(Pass, models.CASCADE, related_name="agreements", verbose_name=_("pass"))
    service = models.ForeignKey(
        AccessService, models.CASCADE, related_name="agreements", verbose_name=_("access service")
    )
    origin = models.CharField(_("viewer"), max_length=300, blank=True)
    version = models.PositiveIntegerField(
        _("version"), default=0, help_text=_("Of the terms; 0 where there are no versions.")
    )
    at = models.DateTimeField(_("on"))

    objects: ClassVar[models.Manager[Agreement]] = models.Manager()

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        ordering = ("-at",)
        constraints = (
            models.UniqueConstraint(fields=("holder", "service", "origin"), name="iiif_auth_agreement_once"),
        )

    def __str__(self) -> str:
        return f"{self.service} ({self.origin or '–'})"


class Token(models.Model):
    """What a viewer shows the probe. It carries no decision: everything is judged anew at every use."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    holder = models.ForeignKey(
        Pass,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="tokens",
        verbose_name=_("pass"),
        help_text=_("Empty for services that recognise an address."),
    )
    service = models.CharField(_("access service"), max_length=80)
    dialect = models.CharField(_("dialect"), max_length=8)
    origin = models.CharField(_("viewer"), max_length=300)
    created = models.DateTimeField(_("since"))
    ends = models.DateTimeField(_("until"), db_index=True)
    cookieless = models.BooleanField(
        _("without cookies"),
        default=False,
        help_text=_("The browser was measured to keep the library's cookies out of this viewer."),
    )

    objects: ClassVar[models.Manager[Token]] = models.Manager()

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.service} → {self.origin}"


class Twin(models.Model):
    """What a ``Partitioned`` cookie in a viewer's partition stands for: a pass, for one viewer's site. It ends with the pass.

    A pass has a few of them at most for each site: one that takes the ``slot`` of another ends it.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    holder = models.ForeignKey(Pass, models.CASCADE, related_name="twins", verbose_name=_("pass"))
    origin = models.CharField(_("viewer"), max_length=300, blank=True)
    slot = models.PositiveSmallIntegerField(default=0, editable=False)
    created = models.DateTimeField(_("since"))

    objects: ClassVar[models.Manager[Twin]] = models.Manager()

    class Meta:
        verbose_name = _("twin of an access cookie")
        verbose_name_plural = _("twins of access cookies")
        ordering = ("-created",)
        constraints = (models.UniqueConstraint(fields=("holder", "origin", "slot"), name="iiif_auth_twin_slot"),)

    def __str__(self) -> str:
        return self.origin or "–"


class Handoff(models.Model):
    """A code that carries somebody's consent from the access window into the viewer's frame, for seconds.

    It belongs to one pass and one viewer's site, and ends with either the pass or its seconds.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    holder = models.ForeignKey(Pass, models.CASCADE, related_name="handoffs", verbose_name=_("pass"))
    origin = models.CharField(_("viewer"), max_length=300, blank=True)
    created = models.DateTimeField(_("since"))
    ends = models.DateTimeField(_("until"), db_index=True)
    redeemed = models.PositiveSmallIntegerField(_("times redeemed"), default=0)

    objects: ClassVar[models.Manager[Handoff]] = models.Manager()

    class Meta:
        verbose_name = _("hand-off to a viewer")
        verbose_name_plural = _("hand-offs to viewers")
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.origin or "–"


class RegisteredClient(models.Model):
    """A viewer that identifies itself, as Auth 0.9.2 lets them. Its secret is shown once, and only its digest is stored."""

    client_id = models.CharField(
        _("name it gives"), max_length=80, unique=True, validators=[slug_validator], help_text=_("Its “clientId”.")
    )
    name = models.CharField(_("name"), max_length=200, help_text=_("For your colleagues, such as “Reading room 7”."))
    services = models.ManyToManyField(
        AccessService, related_name="registered_clients", verbose_name=_("access services"), blank=True
    )
    is_active = models.BooleanField(_("active"), default=True)
    digest = models.CharField(max_length=64, editable=False)
    created = models.DateTimeField(_("since"), auto_now_add=True)
    seen = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects: ClassVar[models.Manager[RegisteredClient]] = models.Manager()

    class Meta:
        verbose_name = _("registered viewer")
        verbose_name_plural = _("registered viewers")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ClientCode(models.Model):
    """A code that a registered viewer was given: good for one login and one token, for a few minutes."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    client = models.ForeignKey(RegisteredClient, models.CASCADE, related_name="codes", verbose_name=_("viewer"))
    service = models.ForeignKey(AccessService, models.CASCADE, related_name="+", verbose_name=_("access service"))
    holder = models.ForeignKey(
        Pass, models.CASCADE, null=True, blank=True, related_name="codes", verbose_name=_("pass")
    )
    ends = models.DateTimeField(_("until"), db_index=True)

    objects: ClassVar[models.Manager[ClientCode]] = models.Manager()

    class Meta:
        verbose_name = _("code of a registered viewer")
        verbose_name_plural = _("codes of registered viewers")
        ordering = ("-ends",)

    def __str__(self) -> str:
        return f"{self.client} → {self.service}"
