"""The page that says why not, on the institution's own site: what one may have instead, when it opens, and whom to ask.

It says the same about what is kept secret and about what does not exist. Whoever is refused gets a code to quote; apart from
that nothing is written down, and nothing is opened here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_safe

from iiif_auth import identify, store
from iiif_auth.asking import refusals
from iiif_auth.asking.forms import AskForm
from iiif_auth.asking.items import Item, openable
from iiif_auth.conf import conf
from iiif_auth.http.access import is_for_a_page, page, said
from iiif_auth.http.links import links
from iiif_auth.http.reading import in_readers_language, languages, text
from iiif_auth.lending.wanted import wanted
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import (
    AccessService,
    Allowed,
    Decision,
    Denied,
    LanguageMap,
    Pattern,
    Subject,
    Text,
    Unknown,
)
from iiif_auth.protocol import dialects, identity, texts
from iiif_auth.protocol.languages import frozen
from iiif_auth.terms import in_force


@dataclass(frozen=True, slots=True)
class Way:
    """Something one can open: a way in, or what there is instead."""

    label: str
    url: str


@dataclass(frozen=True)
class Visit:
    """Somebody who looks at the page about one address."""

    request: HttpRequest
    reference: str
    item: Item | None
    subject: Subject
    at: datetime = field(default_factory=timezone.now)

    @property
    def decision(self) -> Decision:
        return decide(self.item.offer if self.item else None, self.subject, self.at)

    def may_ask(self) -> bool:
        decision = self.decision
        refused = isinstance(decision, Denied) and not decision.hidden
        return refused and self.item is not None and self.item.may_be_asked_for(self.subject, self.at)


@never_cache
@csrf_protect
@require_safe
@in_readers_language
def refused(request: HttpRequest, reference: str) -> HttpResponse:
    """Why this reader may not see this item, at this moment and from here."""
    visit = visited(request, reference)
    if visit is None:
        return out_of_order(request)
    decision = visit.decision
    if isinstance(decision, Allowed):
        return page(request, "iiif_auth/refused.html", _allowed(visit, decision))
    code = _code(visit, decision)
    if isinstance(decision, Unknown) or decision.hidden:
        return page(request, "iiif_auth/refused.html", _secret(visit, code), 404)
    return page(request, "iiif_auth/refused.html", _denied(visit, decision, code))


def out_of_order(request: HttpRequest) -> HttpResponse:
    return said(
        request,
        503,
        _("Not available just now"),
        _("The rules are being changed. Please reload this page in a minute."),
    )


def visited(request: HttpRequest, reference: str) -> Visit | None:
    """What is asked about, and by whom; ``None`` if nothing can be decided just now."""
    uri = identity.referred(reference, conf.BASE_URL)
    try:
        offer, presented = store.find_for(uri, identify.presenting(request)) if uri else (None, None)
    except store.RulesInMotion:
        return None
    subject = asker(request, presented.holder if presented else None)
    return Visit(request, reference, Item(uri, offer) if uri and offer else None, subject)


def asker(request: HttpRequest, facts: store.PassFacts | None) -> Subject:
    """Whoever looks, by pass and address; and by the host's own session, if the pass is not somebody else's.

    Content obeys the pass alone; but whoever is signed in here is told what they will have after one click.
    """
    found = identify.browser_with(request, facts)
    if not identify.is_signed_in(request) or found.user not in (None, str(request.user.pk)):
        return found
    here = identify.described(request.user)
    return replace(found, user=here.user, groups=found.groups | here.groups)


def _code(visit: Visit, decision: Denied | Unknown) -> str:
    """A code to quote, for whoever opens the page; not for robots, nor for pictures on other pages."""
    if not is_for_a_page(visit.request) or "prefetch" in visit.request.headers.get("Sec-Purpose", ""):
        return ""
    uri = identity.referred(visit.reference, conf.BASE_URL)
    if uri is None:
        return ""
    user = visit.request.user if identify.is_signed_in(visit.request) else None
    why = decision.why.value if isinstance(decision, Denied) else ""
    return refusals.code_for(uri, user, visit.subject.address, visit.subject.agreements, why, visit.at)


# -- What the page says -------------------------------------------------------------------------------------------


def _allowed(visit: Visit, decision: Allowed) -> dict[str, object]:
    return {
        "title": _("You may see this item"),
        "item": _name(visit),
        "note": _("Please reload the viewer. It may ask you to continue, with one click."),
        "ways": [Way(_("Open the item"), openable(decision.rendition))],
    }


def _secret(visit: Visit, code: str) -> dict[str, object]:
    """The same words for what is secret and for what is not there."""
    told = _texts(visit.request, texts.HIDDEN)
    return {**told, "code": code, "ask_staff": True}


def _denied(visit: Visit, decision: Denied, code: str) -> dict[str, object]:
    told = decision.text or texts.REFUSALS[decision.why]
    heading = told.heading if decision.text is None or told.note else texts.REFUSALS[decision.why].heading
    may_ask = visit.may_ask()
    form = AskForm(has_terms=bool(visit.item and visit.item.terms), initial=_known(visit.request)) if may_ask else None
    return {
        **_texts(visit.request, Text(heading, told.note or told.heading)),
        "item": _name(visit),
        "opens": decision.opens,
        "zone": conf.TIME_ZONE,
        "instead": [
            Way(text(visit.request, one.rendition.label) or _("Another version"), openable(one.rendition))
            for one in decision.substitutes
            if one.offer is None
        ],
        "ways": [*_ways_in(visit.request, decision), *_lent(visit)],
        "code": code,
        "ask_staff": not may_ask,
        "form": form,
        "terms": terms_of(visit) if may_ask else [],
        "action": reverse("iiif_auth:ask", kwargs={"reference": visit.reference}),
    }


def _texts(request: HttpRequest, told: Text) -> dict[str, object]:
    return {"title": text(request, told.heading), "note": text(request, told.note)}


def _name(visit: Visit) -> str:
    return visit.item.label(languages(visit.request)) if visit.item else ""


def _known(request: HttpRequest) -> dict[str, str]:
    """What whoever is signed in need not type."""
    if not identify.is_signed_in(request):
        return {}
    user = request.user
    return {"name": getattr(user, "get_full_name", str)() or user.get_username(), "email": getattr(user, "email", "")}


OPENED = (Pattern.LOGIN, Pattern.CLICKTHROUGH, Pattern.KIOSK)


def _ways_in(request: HttpRequest, decision: Denied) -> list[Way]:
    """Our own pages through which one may get in, where there is something to click."""
    found = ((service, _space(service)) for service in decision.remedies if service.pattern in OPENED)
    return [Way(text(request, one.label) or one.slug, links(space).access(one.slug)) for one, space in found if space]


def _lent(visit: Visit) -> list[Way]:
    """The page on which a copy is borrowed, where that would help the pass that this browser has, if any."""
    facts: store.PassFacts | None = getattr(visit.request, "iiif_auth_pass", None)
    if visit.item is None or not store.seats_of(visit.item.offer):
        return []
    if wanted(visit.item.offer, identify.browser_with(visit.request, facts), visit.at) is None:
        return []
    where = reverse("iiif_auth:borrow", kwargs={"reference": visit.reference})
    return [Way(_("Borrow a copy, or wait for one"), where)]


def _space(service: AccessService) -> str | None:
    return next((space for space in dialects.SPACES if dialects.offered_in(space, service)), None)


@dataclass(frozen=True, slots=True)
class TermsShown:
    """Terms as they are in force now."""

    label: LanguageMap
    name: str
    text: str
    version: int
    slug: str


def terms_of(visit: Visit) -> list[TermsShown]:
    """The terms that one agrees to when asking for the item."""
    return [_shown(visit, service) for service in visit.item.terms] if visit.item else []


def _shown(visit: Visit, service: AccessService) -> TermsShown:
    current = in_force(service.slug, visit.at)
    heading = frozen(current.heading) if current else service.heading or service.label
    words = frozen(current.text) if current else service.note
    name = text(visit.request, heading) or service.slug
    return TermsShown(heading, name, text(visit.request, words), current.number if current else 0, service.slug)
