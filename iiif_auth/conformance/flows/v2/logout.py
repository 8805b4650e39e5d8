"""The logout service: one look at it, and the browser is a stranger's again (section 6)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import bearer, fetched, opened, parameters
from iiif_auth.conformance.documents import Service, identifier, type_of
from iiif_auth.conformance.findings import Finding, judged, measured, untestable
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v2.targets import Target, status_of
from iiif_auth.conformance.flows.v2.token import Asking
from iiif_auth.conformance.person import asked_for_token, profile


def logout_of(access: Service) -> str:
    """Where one logs out of an access service; empty if nowhere."""
    listed = access.body.get("service")
    children = [one for one in listed if hasattr(one, "get")] if isinstance(listed, list) else []
    return next((identifier(one) for one in children if "Logout" in type_of(one)), "")


def is_there(asking: Asking) -> Iterator[Finding]:
    if profile(asking.holder.access) == "active":
        found = logout_of(asking.holder.access)
        evidence = f"{asking.holder.name} has {f'the logout service {found}' if found else 'no logout service'}."
        yield judged("A2-LOG-01", bool(found), evidence, asking.holder.access.id)


def leave(asking: Asking, opener: Target | None) -> Iterator[Finding]:
    """Log out, and see what is left; ``opener`` is a target that the token opens."""
    holder, url = asking.holder, logout_of(asking.holder.access)
    why = _why_not(asking, url)
    if why:
        yield from (untestable(id, why, url) for id in ("A2-LOG-03", "A2-LOG-04"))
        return
    old = holder.jar.copy()
    hops = opened(asking.tour, parameters(url, ("origin", asking.tour.origin)), holder.jar)
    holder.left = True
    kept = {one.name for one in holder.jar} & {*holder.cookies}
    again = asked_for_token(asking.tour, asking.service, holder.jar).token
    told = f"{hops[0].told} answered {hops[-1].status}"
    claims = [
        ("a page", hops[-1].status < 400),
        (f"the cookie {', '.join(sorted(kept))} deleted", not kept),
        ("no token any more", not again),
    ]
    yield measured("A2-LOG-03", told, claims, "the cookie is gone, and there is no other token", url)
    revived = asked_for_token(asking.tour, asking.service, old).token
    evidence = f"After {hops[0].told} the old cookie {'still gives tokens' if revived else 'gives none'}."
    yield judged("A2-LOG-04", not revived, evidence, url)
    if opener is not None:
        answer = fetched(opener.tour, opener.url, bearer(holder.token))
        evidence = f"After {hops[0].told} the old token gets status {status_of(answer)} from {opener.url}."
        yield judged("A2-LOG-04", status_of(answer) == status_of(opener.plain), evidence, url)


def _why_not(asking: Asking, url: str) -> str:
    if not url:
        return f"{asking.holder.name} has no logout service."
    if asking.holder.given:
        return "The cookie was given; logging out would end the session it belongs to."
    return "" if asking.holder.token else asking.holder.why_not


LOGOUT: tuple[Check[Asking], ...] = (Check(("A2-LOG-01",), is_there),)
LEAVING: tuple[Check[tuple[Asking, Target | None]], ...] = (
    Check(("A2-LOG-03", "A2-LOG-04"), lambda leaving: leave(*leaving)),
)
