"""What a dialect is: a table of words and a few pure functions.

The modules beside this one each make such a table; :mod:`iiif_auth.protocol.dialects` lists them. Everything else, views and
admin, goes by the list, so that another version of the protocol is one module and one row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from iiif_auth.policy.types import AccessService, Decision, LanguageMap, Offer, Pattern
from iiif_auth.protocol.languages import chosen
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import JSON, Problem


class Host(Enum):
    """The kind of document in which a service stands; ``typed`` ones want ``type`` on everything and contexts at the top."""

    IMAGE_2 = "image2"
    IMAGE_3 = "image3"
    PRESENTATION_2 = "presentation2"
    PRESENTATION_3 = "presentation3"

    @property
    def typed(self) -> bool:
        return self in (Host.IMAGE_3, Host.PRESENTATION_3)


class Probing(Enum):
    """How a viewer learns what the browser would get (requirements, 1.1 and C1)."""

    ELSEWHERE = "elsewhere"
    """It asks a probe service, and a description is the same for everybody."""
    REDIRECT = "redirect"
    """It asks for the description: 200, 302 to a lesser one, or 401."""
    LOCATION = "location"
    """It asks for the description: 200, or 401 with the address of a lesser one in the body."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a block is to stand, and in which languages its plain texts are best (best first)."""

    links: Links
    host: Host
    languages: tuple[str, ...] = ("en",)

    def text(self, value: LanguageMap) -> str:
        """A language map as the plain text that versions before 2.0 have."""
        return chosen(value, self.languages)


Services = tuple[AccessService, ...]
Answer = tuple[int, JSON]
"""HTTP status and body."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a probe is asked, and by whom: its own address, where everything else is, and what the asker reads (best first).

    ``zone_name`` says where days begin, for the dates that refused people are told; ``ask_at`` is the page on which they can ask
    for access, or ``""``.
    """

    address: str
    links: Links
    languages: tuple[str, ...] = ("en",)
    zone_name: str = "UTC"
    ask_at: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """How the probe service of a version speaks.

    Attributes:
        told: the answer to a decision.
        out_of_order: the answer where nothing could be decided, which is not a yes (security INV6).
        offered_as: the name by which a service must be offered for its tokens to count here.
        heads: a HEAD of the content itself is a probe too (A2A-HEAD-01, A1X-01).
    """

    told: Callable[[Decision, Question], Answer]
    out_of_order: Callable[[Question], Answer]
    offered_as: str
    heads: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of the protocol.

    Attributes:
        name: what a service lists it by, and what its tokens are tagged with.
        title: what people call it.
        space: the first part of its addresses. Versions that share their constants share a space.
        context: its JSON-LD context, and whether a typed host lists it at its top (else every block brings its own).
        blocks: the descriptions of services for an offer.
        token: the answer that carries a token, from the token and its life in seconds.
        error: the answer that says why there is none.
        probing: how viewers learn what they would get.
        names_origin: the token service is told the viewer's origin. If not, its message goes to ``*``.
        answers_json: the token service answers plain JSON where no ``messageId`` is given.
        at_once: the patterns whose page grants on being opened, without a click on it.
        probe: how its probe service speaks, if it has one.
        locates: viewers follow an address that the probe gives them, so that content can come where no cookie does.
        forbids: a description may answer 403 to whoever is known and will never be let in (C3).
    """

    name: str
    title: str
    space: str
    context: str
    listed: bool
    blocks: Callable[[Offer, Services, Setting], list[JSON]]
    token: Callable[[str, int], JSON]
    error: Callable[[Problem, AccessService | None, tuple[str, ...]], JSON]
    probing: Probing
    probe: Probe | None = None
    names_origin: bool = True
    answers_json: bool = True
    at_once: frozenset[Pattern] = frozenset((Pattern.KIOSK,))
    forbids: bool = False
    locates: bool = False

    def grants_at_once(self, service: AccessService) -> bool:
        """Whether opening a service's page is enough. Terms are agreed to in the viewer only where the service says so."""
        if service.pattern is Pattern.CLICKTHROUGH and not service.agree_in_viewer:
            return False
        return service.pattern in self.at_once
