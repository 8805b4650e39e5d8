"""People who went through access services, and what they can ask a token service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iiif_auth.conformance.browser import Shown, framed, opened, parameters, seen
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.documents import Service, identifier, listed_values, profile_of, type_of
from iiif_auth.conformance.person import Holder, Query, Step, Visit, become
from iiif_auth.conformance.script import CannotRun
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Answer, Unreachable

__all__ = ["Asking", "Holder", "Visiting", "become_somebody", "child_of", "key_of"]

WORDS = {"token": "/token", "logout": "/logout", "client": "/clientId"}
PARTS = {"token": "Token", "logout": "Logout", "client": "Client"}


def child_of(access: Service, role: str) -> str:
    """The address of a service that stands in an access service; empty if there is none."""
    children = [one for one in listed_values(access.body.get("service")) if isinstance(one, Mapping)]
    fitting = (one for one in children if profile_of(one).endswith(WORDS[role]) or PARTS[role] in type_of(one))
    return next((identifier(one) for one in fitting if identifier(one)), "")


def key_of(access: Service) -> str:
    """What an access service is known by; an external one may have no address of its own."""
    return access.id or child_of(access, "token")


def become_somebody(tour: Tour, access: Service, query: Query | None = None) -> Holder:
    """As :func:`iiif_auth.conformance.person.become`; who is stopped on the way can tell by what."""
    try:
        return become(tour, access, query)
    except (Unreachable, CannotRun) as problem:
        return Holder(access, None, Jar(), visit=Visit(access, Jar(), problem=str(problem)))


@dataclass(frozen=True)
class Asking:
    """A token service and somebody to ask it as; ``holder.token`` is empty for one who has nothing.

    ``query`` is what a viewer of the version tells besides ``messageId``: its origin, or nothing.
    """

    tour: Tour
    holder: Holder
    query: Query

    @property
    def service(self) -> Service:
        """The token service.

        Raises:
            Unreachable: the access service has none.
        """
        if self.holder.token_service is None or not self.holder.token_service.id:
            raise Unreachable(f"The access service {self.holder.name} has no token service with an address.")
        return self.holder.token_service

    @property
    def url(self) -> str:
        return self.service.id

    def in_frame(self, *pairs: tuple[str, str], jar: Jar | None = None) -> Shown:
        """As viewers ask, in a frame, with these parameters and no others; as a stranger if an empty jar is given."""
        return framed(self.tour, self.url, *pairs, jar=self.holder.jar.copy() if jar is None else jar)

    def with_id(self, message_id: str, jar: Jar | None = None) -> Shown:
        return self.in_frame(("messageId", message_id), *self.query, jar=jar)

    def as_program(self, *pairs: tuple[str, str], jar: Jar | None = None) -> Answer:
        """As programs ask that are no browser: without ``messageId``."""
        sent = self.holder.jar.copy() if jar is None else jar
        return self.tour.web.ask("GET", parameters(self.url, *pairs), headers={"Accept": "application/json"}, jar=sent)


@dataclass(frozen=True)
class Visiting:
    """An access service and the visit that was made to it, with the parameters that a viewer of the version adds."""

    tour: Tour
    holder: Holder
    query: Query

    @property
    def url(self) -> str:
        return self.holder.access.id

    @property
    def visit(self) -> Visit:
        """The visit.

        Raises:
            Unreachable: none was made, because a cookie was given, or it could not begin.
        """
        if self.holder.visit is None or not self.holder.visit.steps:
            why = self.holder.visit.problem if self.holder.visit else "A cookie was given, so nobody went through it."
            raise Unreachable(why)
        return self.holder.visit

    @property
    def first(self) -> Step:
        return self.visit.steps[0]

    @property
    def last(self) -> Step:
        return self.visit.steps[-1]

    def page(self, jar: Jar, *more: tuple[str, str]) -> Shown:
        """The access page as a viewer opens it, after redirects within its origin."""
        hops = opened(self.tour, parameters(self.url, *self.query, *more), jar)
        return seen(self.tour, hops[-1])
