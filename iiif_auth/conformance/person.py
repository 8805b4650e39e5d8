"""Somebody at a browser: opens an access service, reads and clicks as far as a person would, and holds what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iiif_auth.conformance.browser import Shown, framed, opened, parameters, seen, submitted
from iiif_auth.conformance.cookies import Cookie, Jar
from iiif_auth.conformance.documents import Service, listed_values
from iiif_auth.conformance.pages import Form
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Answer, origin_of, shortened

STEPS = 6
"""Forms that are filled in and sent before somebody gives up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done, ``opened``, ``logged in`` or ``confirmed``, and every answer up to the page it led to."""

    deed: str
    hops: tuple[Answer, ...]
    shown: Shown

    @property
    def closed(self) -> bool:
        return self.shown.played.closed

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """The cookies that were given on the way."""
        return tuple(one for hop in self.hops for one in hop.cookies if not one.deletes)


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to an access service. ``problem`` tells in a sentence why it led nowhere, if it did."""

    service: Service
    jar: Jar
    steps: tuple[Step, ...] = ()
    problem: str = ""

    @property
    def hops(self) -> tuple[Answer, ...]:
        return tuple(hop for step in self.steps for hop in step.hops)


@dataclass
class Holder:
    """Somebody who went through an access service, or tried to; ``token`` is empty if there was none to be had.

    ``visit`` is ``None`` where there was nothing to visit: an address is recognised, or a cookie was given. ``cookies`` are the
    names of those that the token service goes by.
    """

    access: Service
    token_service: Service | None
    jar: Jar
    visit: Visit | None = None
    answer: Shown | None = None
    cookies: tuple[str, ...] = ()
    given: bool = False
    left: bool = field(default=False)

    @property
    def token(self) -> str:
        return self.answer.token if self.answer else ""

    @property
    def message(self) -> Mapping[str, Any]:
        return (self.answer.message or {}) if self.answer else {}

    @property
    def name(self) -> str:
        """What to call the access service in a sentence."""
        return shortened(self.access.id or self.access.path, 90)

    @property
    def why_not(self) -> str:
        """Why there is no token, in a sentence."""
        if self.visit is not None and self.visit.problem:
            return self.visit.problem
        if self.token_service is None:
            return f"The access service {self.name} has no token service."
        told = self.answer.told if self.answer else "was not asked"
        return f"The token service of {self.name} {told}."


def profile(service: Service) -> str:
    """``active``, ``kiosk``, ``external``, ``login`` …: the last word of the profile of any version."""
    values = [value for value in listed_values(service.body.get("profile")) if isinstance(value, str)]
    return values[0].rstrip("/").rpartition("/")[2] if values else ""


Query = tuple[tuple[str, str], ...]
"""Parameters that a viewer adds to an address."""


def visited(tour: Tour, service: Service, query: Query | None = None, jar: Jar | None = None) -> Visit:
    """Go through an access service, with an empty browser unless there is one that has been elsewhere already.

    A viewer tells its ``origin``, unless ``query`` says otherwise.
    """
    jar = Jar() if jar is None else jar
    added = (("origin", tour.origin),) if query is None else query
    steps = [_step(tour, "opened", opened(tour, parameters(service.id, *added), jar))]
    problem = ""
    while not steps[-1].closed and len(steps) <= STEPS and not problem:
        problem = _away(service, steps[-1]) or _next(tour, steps, jar)
    return Visit(service, jar, tuple(steps), problem)


def _step(tour: Tour, deed: str, hops: list[Answer]) -> Step:
    return Step(deed, tuple(hops), seen(tour, hops[-1]))


def _away(service: Service, step: Step) -> str:
    target = step.hops[-1].redirects_to
    if target is None:
        return ""
    return (
        f"The access service {shortened(service.id, 90)} sends people on to {shortened(target, 90)}. Nothing is done there: "
        "log in with a browser and give the cookie with --cookie NAME=VALUE."
    )


def _next(tour: Tour, steps: list[Step], jar: Jar) -> str:
    """Do what the page asks for; why it could not be done, or nothing."""
    shown = steps[-1].shown
    form = chosen_form(shown)
    if form is None:
        return f"{shown.answer.told} answered {shown.answer.status} with a page that has no form to send and does not close."
    if form.password is None:
        steps.append(
            _step(tour, "confirmed", submitted(tour, shown.page, form.action, form.sent(), jar, method=form.method))
        )
        return ""
    answers, problem = _filled(tour, form, shown, [step.deed for step in steps])
    if not problem:
        hops = submitted(tour, shown.page, form.action, form.sent(answers), jar, method="POST")
        steps.append(_step(tour, "logged in", hops))
    return problem


def chosen_form(shown: Shown) -> Form | None:
    """The form that leads on: one to log in with, or else the first that is posted."""
    forms = [form for form in shown.page.forms if form.action]
    logins = [form for form in forms if form.password is not None and form.method == "POST"]
    posted = [form for form in forms if form.method == "POST" and form.password is None]
    if logins:
        return logins[0]
    return posted[0] if posted else None


def _filled(tour: Tour, form: Form, shown: Shown, deeds: list[str]) -> tuple[dict[str, str], str]:
    """What to write into a login form, or why nothing is written into this one."""
    credentials = tour.options.credentials
    if credentials is None:
        return (
            {},
            f"{shown.answer.told} asks for a name and a password; give them with --user, or a cookie with --cookie.",
        )
    if "logged in" in deeds:
        return {}, f"{shown.answer.told} asked for the password again, so the name or the password is wrong."
    if not (tour.may_be_told(form.action) and tour.may_be_told(shown.page.url)):
        where = origin_of(form.action) if tour.may_be_told(shown.page.url) else origin_of(shown.page.url)
        return {}, (
            f"The login form belongs to {where or 'an unknown host'}, which is not the host named in the URL, so no password was "
            "sent there. Log in with a browser and give the cookie with --cookie NAME=VALUE."
        )
    user, password = form.user, form.password
    if user is None or password is None or not user.name or not password.name:
        return {}, f"The login form of {shown.answer.told} has no field for a name that could be recognised."
    return {user.name: credentials.user, password.name: credentials.password}, ""


# -- Tokens -------------------------------------------------------------------------------------------------------


def token_service_of(tour: Tour, access: Service) -> Service | None:
    """The first token service inside an access service."""
    for document in tour.documents:
        for service in document.services:
            if service.role == "token" and service.inside is not None and service.inside.body is access.body:
                return service
    return None


def asked_for_token(
    tour: Tour, service: Service, jar: Jar | None, message_id: str = "1234", query: Query | None = None
) -> Shown:
    """The token service in a frame, as a viewer asks it; ``query`` as for :func:`visited`."""
    added = (("origin", tour.origin),) if query is None else query
    return framed(tour, service.id, ("messageId", message_id), *added, jar=jar)


def become(tour: Tour, access: Service, query: Query | None = None) -> Holder:
    """Somebody with whatever this access service gives: by a cookie given, a visit, or nothing but an address.

    ``query`` as for :func:`visited`.
    """
    token_service = token_service_of(tour, access)
    holder = Holder(access, token_service, Jar())
    if tour.options.cookies:
        holder.jar, holder.given = tour.given_jar(), True
    elif access.id and profile(access) != "external":
        holder.visit = visited(tour, access, query)
        holder.jar = holder.visit.jar
    if token_service is not None and token_service.id:
        holder.answer = asked_for_token(tour, token_service, holder.jar, query=query)
    if holder.token:
        holder.cookies = decisive_cookies(tour, holder, query)
    return holder


def decisive_cookies(tour: Tour, holder: Holder, query: Query | None = None) -> tuple[str, ...]:
    """The names of the cookies that the token service goes by, found by leaving the others at home."""
    service = holder.token_service
    if service is None or not len(holder.jar):
        return ()
    names = [cookie.name for cookie in holder.jar.going_to(service.id)]
    if len(names) == 1:
        return (names[0],)
    for name in reversed(names):  # the one given last is the likeliest
        if asked_for_token(tour, service, holder.jar.only([name]), query=query).token:
            return (name,)
    return tuple(names)
