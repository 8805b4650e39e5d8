"""Ending what is running, from a list of embargoes, withdrawals or grants."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from iiif_auth import history
from iiif_auth.admin import states
from iiif_auth.models import Batch


def end_now(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """End what is running, as a batch; what has not begun is left to be changed or deleted by hand."""
    now = timezone.now()
    with transaction.atomic():
        keys = list(queryset.order_by().values_list("pk", flat=True))
        rows = admin.model._default_manager.filter(pk__in=keys)
        what = gettext("End now: %(what)s") % {"what": admin.opts.verbose_name_plural}
        batch = history.begun(Batch.Kind.BULK, request.user, what, gettext("Ended now."), len(keys))
        with history.by(request.user, batch=batch, reason=gettext("Ended now.")):
            count = history.updated(rows.filter(states.conditions(now)["running"]), ends=now)
        said = ngettext("%(n)d was changed.", "%(n)d were changed.", count) % {"n": count}
        history.ended(batch, said)
    admin.message_user(request, f"{gettext('It is over from now on.')} {said}", messages.SUCCESS)
    if left := len(keys) - count:
        text = gettext("%(n)d were left as they are, because they are over or have not begun.") % {"n": left}
        admin.message_user(request, text, messages.WARNING)
