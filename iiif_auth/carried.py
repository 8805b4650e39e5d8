"""The passes that people carry in their browsers: known again by them, and ended by them, by the staff, and by the host.

A pass that is ended is deleted, and its tokens, codes and signed addresses end with it, in the same transaction: every process
reads it anew at every use.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from iiif_auth import identify, store, useragents
from iiif_auth.models import Pass


def describe(holder: Pass, request: HttpRequest) -> None:
    """Note on a pass how its owner may know it again: the browser in two words, and the network by its name."""
    holder.browser = useragents.short(request.headers.get("User-Agent", ""))
    holder.place = place_of(request)


def place_of(request: HttpRequest) -> str:
    """The name of the network that somebody is in; the address itself is not kept."""
    here = identify.ambient(request)
    if here.address is None:
        return ""
    networks = store.rulebook().networks.values()
    return next((network.label for network in networks if network.admits(here)), "")[:200]


def session_of(request: HttpRequest) -> str:
    """The key of the host's session, if the host keeps sessions where it can be seen at every use that they are there."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    return str(key) if key and store.session_table() else ""


def live(at: datetime) -> QuerySet[Pass]:
    """Every pass that has not run out."""
    return Pass.objects.filter(ends__gt=at, idle_until__gt=at)


def own(request: HttpRequest, at: datetime) -> QuerySet[Pass]:
    """The live passes that whoever asks may see and end, the latest first: those of the person who is signed in at the host, and
    the one that this browser holds. A cookie alone lets nobody look at a person's other browsers.
    """
    here = held(request)
    mine = Q(pk=here) if here is not None else Q(pk__in=())
    if identify.is_signed_in(request):
        mine |= Q(user=request.user)
    return live(at).filter(mine).order_by("-seen", "-pk")


def held(request: HttpRequest) -> int | None:
    """The pass that this browser holds, by its number."""
    facts = identify.current_pass(request).facts
    return facts.id if facts else None


@transaction.atomic
def end(numbers: Iterable[int]) -> int:
    """End passes, by their numbers; how many there were.

    They are held first: a token is drawn before this, and ends with its pass, or not at all (security K6).
    """
    rows = Pass.objects.select_for_update().filter(pk__in=list(numbers)).order_by("pk")
    found = list(rows.values_list("pk", flat=True))
    Pass.objects.filter(pk__in=found).delete()
    return len(found)


def end_of(user: Any) -> int:
    """End every pass of a person, in whatever browser; how many there were."""
    return end(Pass.objects.filter(user=user).values_list("pk", flat=True))


def end_of_sessions(keys: Collection[str]) -> int:
    """End the passes that were given in these sessions of the host; how many there were."""
    return end(Pass.objects.filter(session__in=[key for key in keys if key]).values_list("pk", flat=True))
