"""The client identity service: a viewer's own server shows a secret and gets a code (section 2.4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from iiif_auth.conformance.browser import Shown, opened, parameters, seen
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.findings import Finding, judged, measured, untestable
from iiif_auth.conformance.flows.earlier.contents import json_object
from iiif_auth.conformance.flows.earlier.images import MADE_UP
from iiif_auth.conformance.flows.earlier.people import Asking
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.token import FITTING
from iiif_auth.conformance.structure import v092 as structure
from iiif_auth.conformance.tour import Credentials, Tour
from iiif_auth.conformance.web import Answer, Unreachable

NO_CLIENT = "It takes a viewer that is registered with the server: give --client-id and --client-secret."
NO_SECRET = "It takes the secret of the registered viewer: give --client-secret."  # noqa: S105 - a sentence


@dataclass(frozen=True)
class Identifying:
    """A client identity service, and somebody who went through the login it belongs to."""

    asking: Asking
    url: str

    @property
    def tour(self) -> Tour:
        return self.asking.tour

    @property
    def client(self) -> Credentials:
        """The registered viewer.

        Raises:
            Unreachable: none was given, or it must not be told to this host.
        """
        found = self.tour.options.client
        if found is None:
            raise Unreachable(NO_CLIENT)
        if not self.tour.may_be_told(self.url):
            raise Unreachable(f"{self.url} is not on the host named in the URL, so no secret was sent there.")
        return found

    def post(self, body: Any) -> Answer:
        """As the server of a viewer asks: JSON, and none of a browser's headers."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.tour.web.ask("POST", self.url, headers={"Content-Type": "application/json"}, content=content)

    def code(self) -> str:
        """A code for the registered viewer.

        Raises:
            Unreachable: there is none to be had.
        """
        if not self.client.password:
            raise Unreachable(NO_SECRET)
        answer = self.post({"clientId": self.client.user, "clientSecret": self.client.password})
        found = json_object(answer).get("authorizationCode")
        if not isinstance(found, str) or not found:
            raise Unreachable(f"{answer.told} answered {answer.status} without an authorizationCode.")
        return found


def refuses_what_makes_no_sense(identifying: Identifying) -> Iterator[Finding]:
    cases: tuple[tuple[str, Any], ...] = (("what is no JSON", b"clientId=x"), ("an empty object", {}), ("a list", []))
    for what, body in cases:
        yield from _refused(identifying, identifying.post(body), what, "invalidRequest")


def refuses_the_unknown(identifying: Identifying) -> Iterator[Finding]:
    answer = identifying.post({"clientId": MADE_UP, "clientSecret": MADE_UP})
    yield from _refused(identifying, answer, "a client that there is not", "invalidClient")


def refuses_a_wrong_secret(identifying: Identifying) -> Iterator[Finding]:
    answer = identifying.post({"clientId": identifying.client.user, "clientSecret": MADE_UP})
    yield from _refused(identifying, answer, "a wrong secret", "invalidClientSecret")


def _refused(identifying: Identifying, answer: Answer, what: str, word: str) -> Iterator[Finding]:
    body = json_object(answer)
    error = body.get("error")
    told = f"{answer.told} with {what} answered {answer.status} with the error {error!r}"
    claims = [(f"the error {word!r}", error == word), ("a status that fits", answer.status in FITTING[word])]
    yield measured("A092-CID-03", told, claims, "as it should", identifying.url)
    yield from structure.message(body, None, identifying.url)


def gives_a_code(identifying: Identifying) -> Iterator[Finding]:
    if not identifying.client.password:
        yield untestable("A092-CID-02", NO_SECRET, identifying.url)
        return
    answer = identifying.post({"clientId": identifying.client.user, "clientSecret": identifying.client.password})
    told = f"{answer.told} with the right secret answered {answer.status} {answer.type}"
    claims = [("HTTP 200", answer.status == 200), ("JSON", answer.type == "application/json")]
    yield measured("A092-CID-02", told, claims, "with JSON", identifying.url)
    yield from structure.authorization_code(json_object(answer), identifying.url)


def takes_codes(identifying: Identifying) -> Iterator[Finding]:
    """The code goes to the login page and to the token service, which give what they give without one."""
    asking = identifying.asking
    code = ("code", identifying.code())
    page = opened(asking.tour, parameters(asking.holder.access.id, code), Jar())[-1]
    evidence = f"{_without(page.told, code[1])} answered {page.status} with a code; the login page is expected."
    yield judged("A092-CID-04", page.status < 400 and not _says_no(asking, page), evidence, identifying.url)
    if not asking.holder.token:
        yield untestable("A092-CID-04", asking.holder.why_not, identifying.url)
        return
    shown: Shown = asking.in_frame(("messageId", "code"), ("code", identifying.code()))
    evidence = f"With a code of a registered viewer the token service {shown.told}; a token is expected."
    yield judged("A092-CID-04", bool(shown.token), evidence, identifying.url)


def _says_no(asking: Asking, page: Answer) -> bool:
    """Whether a page is neither for logging in nor on the way there."""
    return page.redirects_to is None and not seen(asking.tour, page).page.forms


def _without(told: str, secret: str) -> str:
    return told.replace(secret, "…")


CHECKS: tuple[Check[Identifying], ...] = (
    Check(("A092-CID-03",), refuses_what_makes_no_sense),
    Check(("A092-CID-03",), refuses_the_unknown),
    Check(("A092-CID-03",), refuses_a_wrong_secret),
    Check(("A092-CID-02",), gives_a_code),
    Check(("A092-CID-04",), takes_codes),
)
