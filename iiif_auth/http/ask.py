"""Asking for access: the form, and the page of a request, which only the mailed link opens. No account is needed."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from iiif_auth import identify
from iiif_auth.asking import limits, states
from iiif_auth.asking.forms import AskForm, ReplyForm
from iiif_auth.asking.items import Item, address_of, item_at
from iiif_auth.asking.states import NotPossible, State, Wish
from iiif_auth.http.access import page, said
from iiif_auth.http.reading import languages
from iiif_auth.http.refused import TermsShown, Visit, out_of_order, terms_of, visited
from iiif_auth.models import AccessRequest
from iiif_auth.store import RulesInMotion

logger = logging.getLogger("iiif_auth.asking")

NOT_SENT = (OSError, smtplib.SMTPException)


@never_cache
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, reference: str) -> HttpResponse:
    """The form for one item. Whoever may not ask, or need not, is sent to the page that says why not."""
    visit = visited(request, reference)
    if visit is None:
        return out_of_order(request)
    if visit.item is None or not visit.may_ask():
        return HttpResponseRedirect(reverse("iiif_auth:refused", kwargs={"reference": reference}))
    shown = terms_of(visit)
    form = AskForm(request.POST if request.method == "POST" else None, has_terms=bool(shown))
    if request.method != "POST" or not form.is_valid():
        return _form(visit, visit.item, form, shown, 400 if form.errors else 200)
    return _sent(visit, visit.item, form, shown)


def _form(visit: Visit, item: Item, form: AskForm, shown: list[TermsShown], status: int) -> HttpResponse:
    context: dict[str, object] = {
        "title": _("Ask for access"),
        "item": item.label(languages(visit.request)),
        "form": form,
        "terms": shown,
        "action": visit.request.path,
    }
    return page(visit.request, "iiif_auth/ask.html", context, status)


def _sent(visit: Visit, item: Item, form: AskForm, shown: list[TermsShown]) -> HttpResponse:
    request = visit.request
    if form.is_trapped:
        logger.info("A request was filled in by a program, and was not kept.")
        return _look_into_mail(request, form)
    if not limits.within("forms", str(visit.subject.address), limits.FORMS):
        form.add_error(None, _("Too many requests came from here within an hour. Please try again later."))
        return _form(visit, item, form, shown, 429)
    try:
        kept = states.ask(item, _wish(request, form, shown), visit.at)
    except NOT_SENT:
        logger.exception("The link that confirms a request could not be mailed.")
        form.add_error(None, _("We could not send an e-mail just now. Please try again in some minutes."))
        return _form(visit, item, form, shown, 503)
    if kept is None:
        form.add_error(None, _("This e-mail address has asked for much today. Please try again tomorrow."))
        return _form(visit, item, form, shown, 429)
    return _look_into_mail(request, form)


def _wish(request: HttpRequest, form: AskForm, shown: list[TermsShown]) -> Wish:
    given = form.cleaned_data
    return Wish(
        name=given["name"],
        email=given["email"],
        purpose=given["purpose"],
        wished_until=given["wished_until"],
        language=get_language() or "",
        user=request.user if identify.is_signed_in(request) else None,
        terms=tuple((one.label, one.version) for one in shown),
    )


def _look_into_mail(request: HttpRequest, form: AskForm) -> HttpResponse:
    return said(
        request,
        200,
        _("Please look into your mail"),
        _(
            "We sent a link to %(email)s. Please open it within three days: only then do we see your request. "
            "If nothing comes, look among unwanted mail, or ask again with another address."
        )
        % {"email": form.cleaned_data["email"]},
    )


# -- The page of a request ----------------------------------------------------------------------------------------


@never_cache
@sensitive_variables("secret")
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, secret: str) -> HttpResponse:
    """How a request stands; and confirming, answering and taking it back, each with a click."""
    row = states.opened_by(secret)
    if row is None:
        text = _("The link may be incomplete, or the request is too old. Please copy the whole link from the mail.")
        return with_no_referrer(said(request, 404, _("There is no such request"), text))
    if request.method != "POST":
        return _status(request, row, ReplyForm())
    return ACTIONS.get(request.POST.get("action", ""), _status_anew)(request, row)


def with_no_referrer(response: HttpResponse) -> HttpResponse:
    """The address of the page is a secret, so no other page is told it."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _status(
    request: HttpRequest, row: AccessRequest, form: ReplyForm, problem: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, object] = {
        "title": TITLES[State(row.state)],
        "row": row,
        "item": _name(request, row),
        "url": address_of(row.url),
        "messages_said": row.messages.filter(internal=False),
        "form": form if row.state in states.OPEN else None,
        "is_asked": row.state == State.ASKED,
        "may_confirm": row.state == State.UNCONFIRMED,
        "may_take_back": row.state in (*states.OPEN, State.UNCONFIRMED),
        "problem": problem,
    }
    return with_no_referrer(page(request, "iiif_auth/asked.html", context, status))


TITLES = {
    State.UNCONFIRMED: _lazy("Please confirm your request"),
    State.NEW: _lazy("Your request is being looked at"),
    State.ASKED: _lazy("There is a question for you"),
    State.SECONDED: _lazy("Your request is being looked at"),
    State.APPROVED: _lazy("Your request was approved"),
    State.REFUSED: _lazy("Your request was refused"),
    State.EXPIRED: _lazy("Your request is over"),
}


def _name(request: HttpRequest, row: AccessRequest) -> str:
    """What the item is called, unless it has become secret or is gone since."""
    try:
        item = item_at(row.url)
    except RulesInMotion:
        item = None
    return item.label(languages(request)) if item and not item.offer.hidden else row.url.rpartition("/")[2]


def _status_anew(request: HttpRequest, row: AccessRequest) -> HttpResponse:
    return with_no_referrer(HttpResponseRedirect(request.path))


def _confirmed(request: HttpRequest, row: AccessRequest) -> HttpResponse:
    states.confirm(row, timezone.now())
    return _status_anew(request, row)


def _answered(request: HttpRequest, row: AccessRequest) -> HttpResponse:
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _status(request, row, form, status=400)
    return _tried(request, row, lambda: states.answer(row, form.cleaned_data["text"]))


def _taken_back(request: HttpRequest, row: AccessRequest) -> HttpResponse:
    return _tried(request, row, lambda: states.take_back(row, timezone.now()))


def _tried(request: HttpRequest, row: AccessRequest, deed: Callable[[], None]) -> HttpResponse:
    try:
        deed()
    except NotPossible as problem:
        row.refresh_from_db()
        return _status(request, row, ReplyForm(), str(problem), 409)
    return _status_anew(request, row)


ACTIONS: dict[str, Callable[[HttpRequest, AccessRequest], HttpResponse]] = {
    "confirm": _confirmed,
    "answer": _answered,
    "take-back": _taken_back,
}
