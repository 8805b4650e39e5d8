"""What is laid over policies: embargoes and withdrawals close, grants open. Removing one never rewrites another."""

from __future__ import annotations

from collections.abc import Collection as Names
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.content import Resource
from iiif_auth.models.fields import LanguageMapField
from iiif_auth.models.rules import AccessPolicy, AccessService, Collection, Matching, Network, attribute_text


def exactly_one(*fields: str) -> Q:
    """A condition: exactly one of these foreign keys is set."""
    choices = Q()
    for chosen in fields:
        choices |= Q(**{f"{field}__isnull": field != chosen for field in fields})
    return choices


PRINCIPALS = ("user", "group", "network", "service", "invitation", "attribute_name")
"""For whom a grant may be: exactly one of these."""

WINDOW = Q(starts=None) | Q(ends=None) | Q(starts__lt=F("ends"))


class Embargo(models.Model):
    """Closes a resource or a collection for a time, whatever its policy opens. Judged when somebody asks."""

    class Closes(models.TextChoices):
        ALL = "all", _("Everything")
        FULL = "full", _("The full version only")

    resource = models.ForeignKey(
        Resource, models.CASCADE, null=True, blank=True, related_name="embargoes", verbose_name=_("resource")
    )
    collection = models.ForeignKey(
        Collection, models.CASCADE, null=True, blank=True, related_name="embargoes", verbose_name=_("collection")
    )
    starts = models.DateTimeField(_("from"), null=True, blank=True, help_text=_("Empty: since ever."))
    ends = models.DateTimeField(
        _("opens on"), null=True, blank=True, help_text=_("Open from this moment on. Empty: until you say.")
    )
    closes = models.CharField(_("closes"), max_length=4, choices=Closes.choices, default=Closes.ALL)
    then_policy = models.ForeignKey(
        AccessPolicy,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="then_of",
        verbose_name=_("then the policy"),
        limit_choices_to={"is_template": False},
        help_text=_("What governs it from that moment on. Empty: what governs it anyway."),
    )
    hard = models.BooleanField(_("no exceptions"), default=False, help_text=_("Grants do not open it either."))
    note = LanguageMapField(_("what people are told"))
    reason = models.TextField(_("reason"), blank=True)

    objects: ClassVar[models.Manager[Embargo]] = models.Manager()

    class Meta:
        verbose_name = _("embargo")
        verbose_name_plural = _("embargoes")
        ordering = ("ends", "pk")
        indexes = (models.Index(fields=("ends", "id"), name="iiif_auth_embargo_ends"),)
        constraints = (
            models.CheckConstraint(condition=exactly_one("resource", "collection"), name="iiif_auth_embargo_target"),
            models.CheckConstraint(condition=WINDOW, name="iiif_auth_embargo_window"),
            models.CheckConstraint(condition=Q(closes__in=("all", "full")), name="iiif_auth_embargo_closes"),
            models.CheckConstraint(
                condition=Q(then_policy=None) | Q(ends__isnull=False), name="iiif_auth_embargo_then"
            ),
        )

    def __str__(self) -> str:
        return str(_("Embargo on %(what)s") % {"what": self.resource or self.collection})


class Withdrawal(models.Model):
    """Takes a resource or a collection away from everybody, grants or not. Ending it restores what was before."""

    resource = models.ForeignKey(
        Resource, models.CASCADE, null=True, blank=True, related_name="withdrawals", verbose_name=_("resource")
    )
    collection = models.ForeignKey(
        Collection, models.CASCADE, null=True, blank=True, related_name="withdrawals", verbose_name=_("collection")
    )
    starts = models.DateTimeField(_("from"), default=timezone.now)
    ends = models.DateTimeField(_("restored on"), null=True, blank=True)
    review_on = models.DateField(
        _("to be reviewed on"), null=True, blank=True, help_text=_("A reminder; it restores nothing.")
    )
    note = LanguageMapField(_("what people are told"))
    reason = models.TextField(_("reason"), blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)

    objects: ClassVar[models.Manager[Withdrawal]] = models.Manager()

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ("-starts", "pk")
        indexes = (models.Index(fields=("-starts", "id"), name="iiif_auth_withdrawal_starts"),)
        constraints = (
            models.CheckConstraint(condition=exactly_one("resource", "collection"), name="iiif_auth_withdrawal_target"),
            models.CheckConstraint(condition=WINDOW, name="iiif_auth_withdrawal_window"),
        )

    def __str__(self) -> str:
        return str(_("Withdrawal of %(what)s") % {"what": self.resource or self.collection})


class Grant(models.Model):
    """Lets somebody have a tier of a resource, of a collection, or of whatever a policy governs, for a time."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    group = models.ForeignKey(
        "auth.Group", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("group")
    )
    network = models.ForeignKey(
        Network, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("network")
    )
    service = models.ForeignKey(
        AccessService,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name=_("whoever went through"),
    )
    invitation = models.ForeignKey(
        "iiif_auth.Invitation",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name=_("whoever was invited"),
    )
    attribute_name = models.CharField(_("attribute"), max_length=200, null=True, blank=True)
    attribute_value = models.CharField(_("value"), max_length=4000, blank=True)
    attribute_matching = models.CharField(_("compared"), max_length=5, choices=Matching.choices, default=Matching.EXACT)
    resource = models.ForeignKey(
        Resource, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("resource")
    )
    collection = models.ForeignKey(
        Collection, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("collection")
    )
    policy = models.ForeignKey(
        AccessPolicy, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("policy")
    )
    tier = models.CharField(
        _("tier"),
        max_length=40,
        blank=True,
        help_text=_("The identifier of the tier they may have; empty for the full version."),
    )
    take = models.BooleanField(_("may keep a copy"), default=True)
    starts = models.DateTimeField(_("from"), null=True, blank=True)
    ends = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("From this moment on it no longer counts.")
    )
    reason = models.TextField(_("reason"), blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("given by"),
    )
    created = models.DateTimeField(_("given on"), auto_now_add=True)

    objects: ClassVar[models.Manager[Grant]] = models.Manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ("-created", "pk")
        indexes = (
            models.Index(fields=("-created", "id"), name="iiif_auth_grant_created"),
            models.Index(fields=("ends",), name="iiif_auth_grant_ends"),
        )
        constraints = (
            models.CheckConstraint(
                condition=exactly_one(*PRINCIPALS),
                name="iiif_auth_grant_principal",
            ),
            models.CheckConstraint(
                condition=(Q(attribute_name=None) & Q(attribute_value="", attribute_matching="exact"))
                | (
                    Q(attribute_name__isnull=False)
                    & ~Q(attribute_name="")
                    & ~Q(attribute_name__startswith="iiif-auth:")
                    & Q(attribute_matching__in=("exact", "scope"))
                ),
                name="iiif_auth_grant_attribute",
            ),
            models.CheckConstraint(
                condition=exactly_one("resource", "collection", "policy"), name="iiif_auth_grant_scope"
            ),
            models.CheckConstraint(condition=WINDOW, name="iiif_auth_grant_window"),
        )

    def __str__(self) -> str:
        whom = self.user or self.group or self.network or self.service or self.invitation or self.attribute
        return str(_("%(what)s for %(whom)s") % {"what": self.resource or self.collection or self.policy, "whom": whom})

    @property
    def attribute(self) -> str:
        """The attribute that it is for, on one line."""
        return attribute_text(self.attribute_name or "", self.attribute_value, self.attribute_matching)

    def validate_constraints(self, exclude: Names[str] | None = None) -> None:
        """Ask for somebody also where a form shows some of the possibilities only: Django would skip the question there."""
        super().validate_constraints(set(exclude or ()).difference(PRINCIPALS))
