"""The page on which a copy is borrowed, given back or waited for. Looking changes nothing; each deed is a click on our page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from iiif_auth import identify, middleware, passes, store
from iiif_auth.asking import limits
from iiif_auth.asking.items import Item, openable
from iiif_auth.conf import conf
from iiif_auth.http.access import page
from iiif_auth.http.ask import with_no_referrer
from iiif_auth.http.reading import in_readers_language, languages
from iiif_auth.http.refused import out_of_order
from iiif_auth.lending import counter, readers
from iiif_auth.lending.counter import NotLent, Reader
from iiif_auth.lending.state import State, state_of
from iiif_auth.lending.wanted import Wanted, held, wanted
from iiif_auth.models import LentWork
from iiif_auth.policy.types import Offer, Subject
from iiif_auth.protocol import identity

LINES = (20, 3600)
"""Places in lines that are taken from one address: how many in how many seconds."""


@dataclass(frozen=True)
class Visit:
    """Somebody at the counter, about one item."""

    request: HttpRequest
    reference: str
    item: Item
    copy: Wanted
    reader: Reader
    at: datetime

    @property
    def state(self) -> State:
        return state_of(self.copy, self.reader, self.at)

    @property
    def work(self) -> LentWork:
        """The row of the work, with what it is called now.

        Raises:
            NotLent: the rule is gone.
        """
        levels = self.item.offer.levels
        collection = levels[1].name if len(levels) > 1 else ""
        return counter.work_of(self.copy, self.item.label(("en",)), self.reference, collection)


class LineForm(forms.Form):
    """Where to write when it is somebody's turn."""

    email = forms.EmailField(
        label=_lazy("E-mail address"),
        required=False,
        help_text=_lazy("Optional: we write to it once, when it is your turn, and then forget it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


@never_cache
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@in_readers_language
def borrow(request: HttpRequest, reference: str) -> HttpResponse:
    """Borrow an item. Where borrowing would not help just now, the page that says why not says what would."""
    try:
        visit = _visit(request, reference)
    except store.RulesInMotion:
        return out_of_order(request)
    if visit is None:
        return HttpResponseRedirect(reverse("iiif_auth:refused", kwargs={"reference": reference}))
    if request.method != "POST":
        return _shown(visit)
    return DEEDS.get(request.POST.get("action", ""), _again)(visit)


def _visit(request: HttpRequest, reference: str) -> Visit | None:
    """``None`` if there is nothing to borrow here, or not by this reader, or nobody may know."""
    uri = identity.referred(reference, conf.BASE_URL)
    offer, presented = store.find_for(uri, identify.presenting(request)) if uri else (None, store.Presented(""))
    if uri is None or offer is None or not store.seats_of(offer):
        return None
    at, subject = timezone.now(), identify.browser_with(request, presented.holder)
    copy = _copy(offer, subject, at)
    secret = request.POST.get("turn", "") or request.GET.get("turn", "")
    reader = readers.reader_of(request, presented.holder, at, secret)
    return None if copy is None else Visit(request, reference, Item(uri, offer), copy, reader, at)


def _copy(offer: Offer, subject: Subject, at: datetime) -> Wanted | None:
    return held(offer, subject) or wanted(offer, subject, at)


# -- Deeds --------------------------------------------------------------------------------------------------------


def _borrowed(visit: Visit) -> HttpResponse:
    reader, secret = visit.reader, ""
    if reader.holder is None:
        if not visit.state.can_borrow:
            return _shown(visit, _("All copies are out just now."), 409)
        reader, secret = readers.with_pass(reader, visit.at)
    try:
        counter.borrow(visit.work, reader)
    except NotLent:
        return _shown(visit, _("Somebody else was quicker: all copies are out just now."), 409)
    response = _again(visit)
    if secret:
        passes.set_invited_cookie(response, secret)
        middleware.unmark(response)
    return response


def _returned(visit: Visit) -> HttpResponse:
    return _done(visit, counter.give_back(visit.work, visit.reader), _("You have no copy of this any more."))


def _renewed(visit: Visit) -> HttpResponse:
    done = counter.renew(visit.work, visit.reader) is not None
    return _done(visit, done, _("It can not be lent on: somebody waits for it, or your loan is over."))


def _waiting(visit: Visit) -> HttpResponse:
    form = LineForm(visit.request.POST)
    if not form.is_valid():
        return _shown(visit, "", 400, form)
    email = form.cleaned_data["email"]
    if visit.reader.holder is None and not email:
        form.add_error(
            "email", _("Please give an e-mail address: otherwise we could not tell you that it is your turn.")
        )
        return _shown(visit, "", 400, form)
    if not limits.within("lines", str(identify.address(visit.request)), LINES):
        return _shown(visit, _("Too many places were taken from here within an hour. Please try again later."), 429)
    found = counter.wait(visit.work, visit.reader, email, get_language() or "")
    if found is None:
        return _shown(visit, _("There is no waiting list for this."), 409)
    if visit.reader.holder is None:
        return _shown(visit, _("You are in the waiting list. We write to you when it is your turn."))
    return _again(visit)


def _gave_up(visit: Visit) -> HttpResponse:
    return _done(visit, counter.give_up(visit.work, visit.reader), _("You are not in the waiting list any more."))


def _done(visit: Visit, done: bool, otherwise: str) -> HttpResponse:
    return _again(visit) if done else _shown(visit, otherwise, 409)


def _again(visit: Visit) -> HttpResponse:
    response = HttpResponseRedirect(visit.request.path)
    response.status_code = 303
    return response


DEEDS: dict[str, Callable[[Visit], HttpResponse]] = {
    "borrow": _borrowed,
    "return": _returned,
    "renew": _renewed,
    "wait": _waiting,
    "give-up": _gave_up,
}


# -- What the page says -------------------------------------------------------------------------------------------


def _shown(visit: Visit, problem: str = "", status: int = 200, form: LineForm | None = None) -> HttpResponse:
    state, request = visit.state, visit.request
    email = getattr(visit.reader.user, "email", "") if visit.reader.user else ""
    has_line = state.queue and not (state.turn or state.loan or state.can_borrow)
    context: dict[str, object] = {
        "title": _title(state),
        "item": visit.item.label(languages(request)),
        "state": state,
        "problem": problem,
        "zone": conf.TIME_ZONE,
        "open_at": openable(visit.item.offer.wanted),
        "form": (form or LineForm(initial={"email": email})) if has_line else None,
        "turn": request.POST.get("turn", "") or request.GET.get("turn", ""),
    }
    return with_no_referrer(page(request, "iiif_auth/borrow.html", context, status))


def _title(state: State) -> str:
    if state.loan is not None:
        return _("You have borrowed this")
    if state.can_borrow:
        return _("Borrow a copy")
    return _("All copies are out")
