"""A library that lends a chart, and readers at its counter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from iiif_auth.models import AccessService, Loan, Resource, Seats
from iiif_auth.protocol import identity
from tests import factories, web
from tests.web import Browser, content_status

CHART = "/iiif/3/chart"
DIARY = "/iiif/3/diary"


def terms() -> AccessService:
    return AccessService.objects.filter(slug="terms").first() or web.service("terms")


def seat(rule: Seats) -> dict[str, Any]:
    return {"kind": "seat", "seats": rule}


def lent(url: str = CHART, rule: Seats | None = None, **values: Any) -> Seats:
    """Whoever agreed to the terms and has borrowed a copy sees this."""
    rule = rule or factories.SeatsFactory(slug="copies", **values)
    web.restricted(url, web.agreed(terms()), seat(rule), by=(terms(),), tier_values={"join": "all"})
    return rule


def freely_lent(url: str = CHART, rule: Seats | None = None, **values: Any) -> Seats:
    """Whoever has borrowed a copy sees this, with nothing else in hand."""
    rule = rule or factories.SeatsFactory(slug="copies", **values)
    web.restricted(url, seat(rule))
    return rule


def lent_collection(*names: str, **values: Any) -> Seats:
    """A book: one work, whose pages are items."""
    rule = factories.SeatsFactory(slug="copies", counts="collection", **values)
    rules = factories.AccessPolicyFactory()
    web.tier(rules, seat(rule))
    book = factories.CollectionFactory(slug="book", policy=rules)
    for name in names:
        factories.ResourceFactory(url=f"/iiif/3/{name}", collection=book)
    return rule


def counter_of(url: str = CHART) -> str:
    return f"/iiif-auth/borrow/{identity.reference(url)}"


def reader(address: str = web.HOME) -> Browser:
    """Somebody who has agreed to the terms."""
    browser = Browser(address)
    browser.click(web.access("terms"))
    return browser


def do(browser: Browser, action: str, url: str = CHART, **data: str) -> Any:
    """Press one of the buttons of the page, whether it is there or not."""
    page = browser.get(counter_of(url))
    shown = page if page.status_code == 200 else browser.get("/iiif-auth/2/access/terms")
    return browser.click(counter_of(url), shown, action=action, **data)


def sees(browser: Browser, url: str = CHART) -> bool:
    return content_status(browser, url) == 200


def is_told(browser: Browser, url: str = CHART) -> int:
    """What a viewer is told by the probe, with a token of this reader."""
    return web.probe_status(url, web.token(browser, "terms"))


def overdue(**which: Any) -> None:
    """As time goes by: these loans were due a second ago."""
    now = timezone.now()
    Loan.objects.filter(**which).update(since=now - timedelta(hours=2), due=now - timedelta(seconds=1))


def resource(url: str = CHART) -> Resource:
    return Resource.objects.get(url=url)
