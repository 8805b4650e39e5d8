"""“Signed in on these devices”: the passes that somebody carries, to be looked at and ended (ASVS 7.5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from iiif_auth import carried, identify, passes, remembering, useragents
from iiif_auth.conf import conf
from iiif_auth.http.access import page
from iiif_auth.http.reading import in_readers_language, text
from iiif_auth.models import Agreement, Pass, Remembered
from iiif_auth.protocol.languages import frozen

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Door:
    """One thing that was agreed to with a pass."""

    name: str
    origin: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Carried:
    """A pass as its owner knows it again."""

    number: int
    browser: str
    place: str
    since: datetime
    seen: datetime
    here: bool
    person: str
    invited: bool
    doors: tuple[Door, ...]


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@in_readers_language
def own_passes(request: HttpRequest) -> HttpResponse:
    """The page. Looking at it changes nothing; ``end`` (a number), ``others``, ``all`` and ``forget`` are sent by its buttons.

    Whatever number is sent, only what the page shows to whoever sends it is ended.
    """
    here = carried.held(request)
    ended = _ended(request, here) if request.method == "POST" else None
    left = here is not None and ended is not None and not Pass.objects.filter(pk=here).exists()
    response = page(request, "iiif_auth/passes.html", _context(request, None if left else here, ended))
    if left:
        passes.delete_cookie(response)
    return response


# -- What is ended ------------------------------------------------------------------------------------------------


def _ended(request: HttpRequest, here: int | None) -> str:
    """Do what a button says; a sentence about it."""
    if "forget" in request.POST:
        remembering.forget(request)
        return _("This browser will be asked again everywhere.")
    # Not only the page's own hundred: “all” is all.
    numbers = [number for number in _own(request) if _is_chosen(request, number, here)]
    count = carried.end(numbers)
    if not count:
        return _("Nothing was ended: what you chose had ended already.")
    return ngettext(
        "Access has ended in %(count)d browser, at once.", "Access has ended in %(count)d browsers, at once.", count
    ) % {"count": count}


def _own(request: HttpRequest) -> list[int]:
    return list(carried.own(request, timezone.now()).values_list("pk", flat=True))


def _is_chosen(request: HttpRequest, number: int, here: int | None) -> bool:
    if "all" in request.POST:
        return True
    if "others" in request.POST:
        return number != here
    return request.POST.get("end") == str(number)


# -- What is shown ------------------------------------------------------------------------------------------------


def _context(request: HttpRequest, here: int | None, ended: str | None) -> dict[str, object]:
    rows = list(carried.own(request, timezone.now()).select_related("user")[: MOST_SHOWN + 1])
    shown = list(_shown(request, rows[:MOST_SHOWN], here))
    return {
        "title": _("Signed in on these devices"),
        "carried": sorted(shown, key=lambda one: not one.here),
        "others": any(not one.here for one in shown) and any(one.here for one in shown),
        "more": len(rows) > MOST_SHOWN,
        "remembered": [_door_remembered(request, row) for row in remembering.kept(request)],
        "person": request.user if identify.is_signed_in(request) else None,
        "ended": ended,
        "zone": conf.TIME_ZONE,
    }


def _shown(request: HttpRequest, rows: list[Pass], here: int | None) -> Iterator[Carried]:
    doors = _doors(request, rows)
    signed_in = request.user.pk if identify.is_signed_in(request) else None
    for row in rows:
        stranger = row.user_id is not None and row.user_id != signed_in
        yield Carried(
            number=row.pk,
            browser=useragents.in_words(row.browser),
            place=row.place,
            since=row.created,
            seen=row.seen,
            here=row.pk == here,
            person=_("somebody who signed in here before") if stranger else "",
            invited=row.invitation_id is not None,
            doors=tuple(doors.get(row.pk, ())),
        )


def _doors(request: HttpRequest, rows: list[Pass]) -> dict[int, list[Door]]:
    found: dict[int, list[Door]] = {}
    agreed = Agreement.objects.filter(holder__in=rows).select_related("service").order_by("at")
    for row in agreed:
        label = text(request, frozen(row.service.label)) or row.service.slug
        found.setdefault(row.holder_id, []).append(Door(label, row.origin, row.version, row.at))
    return found


def _door_remembered(request: HttpRequest, row: Remembered) -> Door:
    label = text(request, frozen(row.service.label)) or row.service.slug
    return Door(label, row.origin, row.version, row.ends)
