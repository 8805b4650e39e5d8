"""Copies that are lent: how many there are of each work, who holds one now, and who waits for one."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from iiif_auth.models.naming import NaturalManager, slug_validator
from iiif_auth.models.passes import Pass
from iiif_auth.models.rules import Collection, Network


class Seats(models.Model):
    """How copies are lent: how many of each work at a time, for how long, and whether one may wait for one."""

    class Counts(models.TextChoices):
        RESOURCE = "resource", _("Each item is a work")
        COLLECTION = "collection", _("Each collection is a work: a book whose pages are items")

    slug = models.CharField(_("identifier"), max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(_("name"), max_length=200, help_text=_("Readers see it, such as “Lending copies”."))
    counts = models.CharField(_("what is lent"), max_length=10, choices=Counts.choices, default=Counts.RESOURCE)
    copies = models.PositiveSmallIntegerField(
        _("copies"),
        default=1,
        help_text=_("Of each work, for readers who are at none of the places below. 0: only at these places."),
    )
    minutes = models.PositiveIntegerField(
        _("minutes"), default=60, help_text=_("How long a copy is lent. 1440 minutes are a day.")
    )
    renews = models.BooleanField(
        _("goes on while it is read"),
        default=False,
        help_text=_("A loan is prolonged while its reader looks at the work, as long as nobody waits for it."),
    )
    queue = models.BooleanField(
        _("waiting list"), default=True, help_text=_("Readers may wait for a copy when all are out.")
    )
    hold_minutes = models.PositiveIntegerField(
        _("kept for minutes"), default=15, help_text=_("How long a copy is kept for the first who waits for it.")
    )

    objects = NaturalManager()
    natural_fields = ("slug",)

    class Meta:
        verbose_name = _("lending rule")
        verbose_name_plural = _("lending rules")
        ordering = ("name", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(counts__in=("resource", "collection")), name="iiif_auth_seats_counts"),
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=525_600, hold_minutes__gte=1, hold_minutes__lte=43_200),
                name="iiif_auth_seats_minutes",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.slug,)


class SeatsPlace(models.Model):
    """Copies that are lent at one place only, such as one screen in each reading room."""

    seats = models.ForeignKey(Seats, models.CASCADE, related_name="places", verbose_name=_("lending rule"))
    network = models.ForeignKey(Network, models.PROTECT, related_name="seats", verbose_name=_("place"))
    copies = models.PositiveSmallIntegerField(_("copies"), default=1, help_text=_("Of each work, at this place."))

    objects = NaturalManager()
    natural_fields = ("seats", "network")

    class Meta:
        verbose_name = _("place with copies of its own")
        verbose_name_plural = _("places with copies of their own")
        ordering = ("seats", "pk")
        constraints = (models.UniqueConstraint(fields=("seats", "network"), name="iiif_auth_seats_place_once"),)

    def __str__(self) -> str:
        return f"{self.seats}: {self.network}"

    def natural_key(self) -> tuple[int, int]:
        return (self.seats_id, self.network_id)


class LentWork(models.Model):
    """One work as a rule lends it at one place, or at none. Whoever changes its loans or its line takes hold of this row."""

    seats = models.ForeignKey(Seats, models.CASCADE, related_name="works", verbose_name=_("lending rule"))
    network = models.ForeignKey(
        Network, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("place")
    )
    work = models.TextField(_("work"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=300, blank=True)
    reference = models.TextField(_("address of an item of it"), blank=True)
    collection = models.ForeignKey(
        Collection, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("collection")
    )
    turn = models.PositiveBigIntegerField(default=0, editable=False)

    objects: ClassVar[models.Manager[LentWork]] = models.Manager()

    class Meta:
        verbose_name = _("work that is lent")
        verbose_name_plural = _("works that are lent")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name or self.work


class Loan(models.Model):
    """One copy in one reader's hands. It counts until it is due, as long as it was not ended and its pass is there.

    Whatever ends passes need not know of loans: a loan whose pass is gone is over.
    """

    class How(models.TextChoices):
        DUE = "due", _("was due")
        RETURNED = "returned", _("returned by the reader")
        RELEASED = "released", _("released by the staff")
        LEFT = "left", _("the reader left")

    work = models.ForeignKey(LentWork, models.CASCADE, related_name="loans", verbose_name=_("work"))
    holder = models.ForeignKey(
        Pass, models.DO_NOTHING, db_constraint=False, null=True, related_name="+", verbose_name=_("pass")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reader")
    )
    since = models.DateTimeField(_("since"))
    due = models.DateTimeField(_("due"))
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    how = models.CharField(_("how it ended"), max_length=8, choices=How.choices, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("released by"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects: ClassVar[models.Manager[Loan]] = models.Manager()

    class Meta:
        verbose_name = _("loan")
        verbose_name_plural = _("loans")
        ordering = ("-since", "-pk")
        indexes = (
            models.Index(fields=("holder",), condition=Q(ended=None), name="iiif_auth_loan_held"),
            models.Index(fields=("work",), condition=Q(ended=None), name="iiif_auth_loan_out"),
            models.Index(fields=("due",), condition=Q(ended=None), name="iiif_auth_loan_due"),
            models.Index(fields=("since", "id"), name="iiif_auth_loan_since"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(how__in=("", "due", "returned", "released", "left")), name="iiif_auth_loan_how"
            ),
            models.CheckConstraint(
                condition=Q(ended=None, how="") | (Q(ended__isnull=False) & ~Q(how="")), name="iiif_auth_loan_ended"
            ),
            models.CheckConstraint(condition=Q(due__gt=F("since")), name="iiif_auth_loan_window"),
        )

    def __str__(self) -> str:
        return f"{self.work}, {self.since:%Y-%m-%d %H:%M}"


class Waiting(models.Model):
    """A place in the line for a copy. The first gets a copy kept for some minutes when one is there."""

    class How(models.TextChoices):
        BORROWED = "borrowed", _("got a copy")
        GAVE_UP = "gave-up", _("gave up the place")
        MISSED = "missed", _("did not come in time")
        LEFT = "left", _("the reader left")

    work = models.ForeignKey(LentWork, models.CASCADE, related_name="waiting", verbose_name=_("work"))
    holder = models.ForeignKey(
        Pass, models.DO_NOTHING, db_constraint=False, null=True, related_name="+", verbose_name=_("pass")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("reader")
    )
    email = models.EmailField(_("e-mail address"), blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    since = models.DateTimeField(_("since"))
    digest = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        editable=False,
        help_text=_("Of the secret in the link that was mailed."),
    )
    kept_until = models.DateTimeField(_("a copy is kept until"), null=True, blank=True)
    ended = models.DateTimeField(_("ended"), null=True, blank=True)
    how = models.CharField(_("how it ended"), max_length=8, choices=How.choices, blank=True)

    objects: ClassVar[models.Manager[Waiting]] = models.Manager()

    class Meta:
        verbose_name = _("place in a waiting list")
        verbose_name_plural = _("places in waiting lists")
        ordering = ("since", "pk")
        indexes = (models.Index(fields=("work", "since"), condition=Q(ended=None), name="iiif_auth_waiting_now"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(how__in=("", "borrowed", "gave-up", "missed", "left")), name="iiif_auth_waiting_how"
            ),
            models.CheckConstraint(
                condition=Q(ended=None, how="") | (Q(ended__isnull=False) & ~Q(how="")), name="iiif_auth_waiting_ended"
            ),
        )

    def __str__(self) -> str:
        return f"{self.work}, {self.since:%Y-%m-%d %H:%M}"
