"""What was changed, by whom, why, and how to put it back. Rows are only ever added."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Batch(models.Model):
    """Changes that were made together, for one reason, and can be undone together."""

    class Kind(models.TextChoices):
        BULK = "bulk", _("Many at once")
        TABLE = "table", _("Spreadsheet")
        MANIFEST = "manifest", _("Manifest")
        PUBLISHED = "published", _("Published draft")
        REQUEST = "request", _("Request")
        CLEANING = "cleaning", _("Cleaning up")
        UNDO = "undo", _("Put back")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        UNDONE = "undone", _("Put back")

    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    what = models.CharField(_("what"), max_length=500)
    reason = models.TextField(_("reason"), blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    actor_name = models.CharField(_("name at the time"), max_length=254, blank=True)
    created = models.DateTimeField(_("on"), default=timezone.now)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("rows done"), default=0)
    plan = models.JSONField(_("plan"), default=dict, blank=True, editable=False)
    said = models.TextField(_("outcome"), blank=True)
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by", verbose_name=_("puts back")
    )

    objects: ClassVar[models.Manager[Batch]] = models.Manager()

    class Meta:
        verbose_name = _("batch of changes")
        verbose_name_plural = _("batches of changes")
        ordering = ("-created", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "running", "done", "failed", "undone")), name="iiif_auth_batch_state"
            ),
        )

    def __str__(self) -> str:
        return self.what


class Change(models.Model):
    """One row of a rule that was added, changed or deleted, with what it said before and after."""

    class Action(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        DELETED = "deleted", _("Deleted")

    at = models.DateTimeField(_("on"), default=timezone.now, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    actor_name = models.CharField(_("name at the time"), max_length=254, blank=True)
    network = models.CharField(
        _("from"), max_length=49, blank=True, help_text=_("The network it was done from, without the last part.")
    )
    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, blank=True, related_name="changes", verbose_name=_("batch")
    )
    action = models.CharField(_("what happened"), max_length=7, choices=Action.choices)
    model = models.CharField(_("kind"), max_length=40)
    row = models.BigIntegerField(_("number"))
    name = models.CharField(_("name at the time"), max_length=300, blank=True)
    collection = models.BigIntegerField(
        _("collection"), null=True, blank=True, editable=False, help_text=_("The number of the collection it was in.")
    )
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    objects: ClassVar[models.Manager[Change]] = models.Manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("history")
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=("model", "row"), name="iiif_auth_change_row"),
            models.Index(fields=("collection", "at"), name="iiif_auth_change_place"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(action__in=("added", "changed", "deleted")), name="iiif_auth_change_action"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.name}"
