"""The values that policy is made of.

Everything here is frozen, comparable and free of Django: rows become these values in ``store``, requests become a
:class:`Subject` in ``identify``, and :func:`iiif_auth.policy.decide.decide` takes nothing else.

**Reach.** What somebody may have of a resource is one number, its *reach*: :data:`FULL` for the resource itself, the
longest edge in pixels for a smaller derivative, :data:`OTHER` when only some other resource may be shown instead, and
:data:`NOTHING`. A larger reach includes every smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from zoneinfo import ZoneInfo

FULL = 1_000_000_000
"""The reach of the resource itself."""
OTHER = 0
"""The reach of somebody who may only be shown another resource instead."""
NOTHING = -1
"""The reach of somebody who may have nothing at all."""

Address = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
LanguageMap = tuple[tuple[str, tuple[str, ...]], ...]
"""A IIIF language map as a hashable value: ``(("en", ("Chart",)),)``. ``protocol`` turns it into JSON."""


@dataclass(frozen=True, slots=True)
class Subject:
    """All that policy may know about the one who asks.

    ``user`` is the primary key as text, never a name; ``groups`` are primary keys as text; ``attributes`` are
    ``(name, value)`` pairs; ``agreements`` are slugs of the access services gone through.
    """

    user: str | None = None
    groups: frozenset[str] = frozenset()
    attributes: frozenset[tuple[str, str]] = frozenset()
    address: Address | None = None
    agreements: frozenset[str] = frozenset()


NOBODY = Subject()


# -- Principals: small values with one method ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Everyone:
    def admits(self, subject: Subject) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Authenticated:
    def admits(self, subject: Subject) -> bool:
        return subject.user is not None


@dataclass(frozen=True, slots=True)
class User:
    id: str
    label: str = field(default="", compare=False)

    def admits(self, subject: Subject) -> bool:
        return subject.user == self.id


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    label: str = field(default="", compare=False)

    def admits(self, subject: Subject) -> bool:
        return self.id in subject.groups


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    value: str

    def admits(self, subject: Subject) -> bool:
        return (self.name, self.value) in subject.attributes


INVITATION = "iiif-auth:invitation"
"""The attribute of whoever opened an invitation, with its number. Nobody else can give it: see ``identify``."""


def invited(number: str) -> Attribute:
    """Whoever opened this invitation."""
    return Attribute(INVITATION, number)


def is_invitation(principal: object) -> bool:
    return isinstance(principal, Attribute) and principal.name == INVITATION


@dataclass(frozen=True, slots=True)
class Network:
    """A named place: admits an address inside any of its prefixes. No address is nowhere."""

    prefixes: tuple[IPNetwork, ...]
    label: str = field(default="", compare=False)

    def admits(self, subject: Subject) -> bool:
        address = subject.address
        return address is not None and any(
            address.version == prefix.version and address in prefix for prefix in self.prefixes
        )


@dataclass(frozen=True, slots=True)
class Agreed:
    """Whoever went through this access service: clicked, was let in by a kiosk, or signed in there."""

    service: str
    label: str = field(default="", compare=False)

    def admits(self, subject: Subject) -> bool:
        return self.service in subject.agreements


Principal = Everyone | Authenticated | User | Group | Attribute | Network | Agreed
PERSONAL = (Authenticated, User, Group, Attribute)
"""Principals that only somebody signed in can meet."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Admits whom every member admits. With no member it admits nobody: an empty rule is not a yes."""

    members: tuple[Principal | AllOf | AnyOf, ...] = ()

    def admits(self, subject: Subject) -> bool:
        return bool(self.members) and all(member.admits(subject) for member in self.members)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Admits whom at least one member admits; with no member, nobody."""

    members: tuple[Principal | AllOf | AnyOf, ...] = ()

    def admits(self, subject: Subject) -> bool:
        return any(member.admits(subject) for member in self.members)


Audience = Principal | AllOf | AnyOf


def principals(audience: Audience) -> tuple[Principal, ...]:
    """Every principal named in an audience, in reading order."""
    if isinstance(audience, AllOf | AnyOf):
        return tuple(leaf for member in audience.members for leaf in principals(member))
    return (audience,)


# -- Time ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The named time zone.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone; a rule with such a zone can not be read as a yes.
    """
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time ``[start, end)``; ``None`` leaves that side open (INV12)."""

    start: datetime | None = None
    end: datetime | None = None

    def begun(self, at: datetime) -> bool:
        return self.start is None or self.start <= at

    def over(self, at: datetime) -> bool:
        return self.end is not None and self.end <= at

    def covers(self, at: datetime) -> bool:
        return self.begun(at) and not self.over(at)


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Season:
    """A part of every year, from one ``(month, day)`` up to but not including another; it may pass New Year."""

    start: tuple[int, int]
    end: tuple[int, int]
    zone: str = "UTC"

    def covers(self, at: datetime) -> bool:
        local = at.astimezone(zone(self.zone))
        day = (local.month, local.day)
        if self.start <= self.end:
            return self.start <= day < self.end
        return day >= self.start or day < self.end


@dataclass(frozen=True, slots=True)
class Wall:
    """A moving wall: opens ``years`` years after the resource's date, at midnight in ``zone``."""

    years: int
    zone: str = "UTC"

    def opens(self, made: date | None) -> datetime | None:
        """The instant it opens; ``None`` if the date is unknown or the calendar does not reach that far."""
        if made is None or made.year + self.years > 9999:
            return None
        try:
            day = made.replace(year=made.year + self.years)
        except ValueError:  # 29 February in a common year: the day after the 28th has come
            day = date(made.year + self.years, 3, 1)
        try:
            return datetime.combine(day, time.min, tzinfo=zone(self.zone)).astimezone(UTC)
        except OverflowError:  # the first midnight of the calendar, seen from further west
            return None

    def covers(self, made: date | None, at: datetime) -> bool:
        opens = self.opens(made)
        return opens is not None and opens <= at


# -- Services, tiers, policies ------------------------------------------------------------------------------------


class Pattern(StrEnum):
    """The four ways to obtain an access aspect; each dialect has its own word for them."""

    LOGIN = "login"
    CLICKTHROUGH = "clickthrough"
    KIOSK = "kiosk"
    EXTERNAL = "external"


FLOW_ORDER = (Pattern.EXTERNAL, Pattern.KIOSK, Pattern.CLICKTHROUGH, Pattern.LOGIN)
"""The order in which viewers try services (Authorization Flow 2.0, section 7.1)."""


class OriginRule(StrEnum):
    """Which viewers' sites may be given a token."""

    CONFIRMED = "confirmed"
    OPEN = "open"
    LISTED = "listed"


class Clients(StrEnum):
    """Whether viewers identify themselves to a service (Auth 0.9.2 only): nobody does, some may, or all must."""

    ANY = "any"
    KNOWN = "known"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class AccessService:
    """One way in, with its texts as language maps.

    ``token_seconds`` is the life of a token; ``idle_minutes`` and ``pass_hours`` the sliding and absolute life of the
    pass behind the cookie. ``dialects`` are the names of those it is offered in; ``agree_in_viewer`` says that viewers of
    Auth 0.9 and 1.0 show the terms themselves, and our page only opens and closes.
    """

    slug: str
    pattern: Pattern
    label: LanguageMap = ()
    heading: LanguageMap = ()
    note: LanguageMap = ()
    confirm_label: LanguageMap = ()
    error_heading: LanguageMap = ()
    error_note: LanguageMap = ()
    logout_label: LanguageMap = ()
    token_seconds: int = 300
    idle_minutes: int = 30
    pass_hours: int = 12
    origin_rule: OriginRule = OriginRule.CONFIRMED
    origins: tuple[str, ...] = ()
    dialects: tuple[str, ...] | None = ("2", "1")
    agree_in_viewer: bool = False
    clients: Clients = Clients.ANY

    def speaks(self, dialect: str) -> bool:
        """Whether it is offered in a dialect; ``dialects`` is ``None`` for what is offered in every one."""
        return self.dialects is None or dialect in self.dialects


class Gets(StrEnum):
    """What a tier lets people have."""

    FULL = "full"
    SMALLER = "smaller"
    SUBSTITUTE = "substitute"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Virtual:
    """A smaller version that is cut from the large picture at each request: its longest edge, and what it may be asked in."""

    max_edge: int
    formats: tuple[str, ...] = ("jpg",)
    qualities: tuple[str, ...] = ("default",)


@dataclass(frozen=True, slots=True)
class Tier:
    """One level of a policy: for whom, when, through which services, and what they get.

    ``max_edge`` counts for ``SMALLER`` (pixels); ``substitute`` is the URL of another resource for ``SUBSTITUTE``;
    ``take`` says that one may keep a copy, not only look.
    """

    slug: str
    audience: Audience
    gets: Gets = Gets.FULL
    max_edge: int = 0
    substitute: str = ""
    take: bool = True
    window: Window = ALWAYS
    season: Season | None = None
    wall: Wall | None = None
    services: tuple[AccessService, ...] = ()
    label: LanguageMap = ()
    virtual: Virtual | None = None

    @property
    def reach(self) -> int:
        match self.gets:
            case Gets.FULL:
                return FULL
            case Gets.SMALLER:
                return self.max_edge
            case Gets.SUBSTITUTE:
                return OTHER
            case Gets.NOTHING:
                return NOTHING

    def open_at(self, at: datetime, made: date | None) -> bool:
        """Whether its times hold: window, season and moving wall, all three."""
        return (
            self.window.covers(at)
            and (self.wall is None or self.wall.covers(made, at))
            and (self.season is None or self.season.covers(at))
        )

    def admits(self, subject: Subject, at: datetime, made: date | None) -> bool:
        return self.open_at(at, made) and self.audience.admits(subject)


class Why(StrEnum):
    """Why somebody was refused."""

    WITHDRAWN = "withdrawn"
    EMBARGOED = "embargoed"
    NO_POLICY = "no-policy"
    NOT_OFFERED = "not-offered"
    TOO_EARLY = "too-early"
    TOO_LATE = "too-late"
    OUT_OF_SEASON = "out-of-season"
    NOT_SIGNED_IN = "not-signed-in"
    NOT_AGREED = "not-agreed"
    NOT_ENTITLED = "not-entitled"
    WRONG_PLACE = "wrong-place"


@dataclass(frozen=True, slots=True)
class Text:
    """What a refused person is told: a heading and a note, both language maps."""

    heading: LanguageMap
    note: LanguageMap = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A named, ordered list of tiers, best first, and its texts for refusals; ``signed`` has probes hand out signed addresses.

    ``requestable`` has them tell whoever is refused where to ask for access; ``signed_if_blocked`` has them hand out signed
    addresses to browsers alone that were measured to keep our cookies out.
    """

    slug: str
    tiers: tuple[Tier, ...] = ()
    texts: tuple[tuple[Why, Text], ...] = ()
    name: str = field(default="", compare=False)
    signed: bool = False
    requestable: bool = False
    signed_if_blocked: bool = False


class Closes(StrEnum):
    """How much an embargo closes."""

    ALL = "all"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Embargo:
    """Closes what a policy opens, for a time. A ``hard`` one is not opened by grants either.

    ``then`` is what governs in place of the level's policy from the end of the window on, with ``then_grants``, which were given
    for that policy.
    """

    window: Window
    closes: Closes = Closes.ALL
    hard: bool = False
    note: LanguageMap = ()
    then: Policy | None = None
    then_grants: tuple[Grant, ...] = ()

    def ended(self) -> timedelta:
        """When it ends, to be compared: two times of one zone would compare by the clock, which says 02:30 twice in autumn."""
        return timedelta.max if self.window.end is None else self.window.end - datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Closes everything to everybody, for a time; no grant opens it."""

    window: Window
    note: LanguageMap = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """Adds: lets a principal have ``reach`` for a time. ``label`` is what people call it."""

    principal: Principal
    reach: int = FULL
    window: Window = ALWAYS
    take: bool = True
    label: str = field(default="", compare=False)

    def admits(self, subject: Subject, at: datetime) -> bool:
        return self.window.covers(at) and self.principal.admits(subject)


@dataclass(frozen=True, slots=True)
class Level:
    """One place on the way from a resource (first) up to its outermost collection (last).

    ``grants`` were given at this place; ``policy_grants`` were given for its policy, wherever that is used.
    ``overrides`` says that this level's policy replaces those above it instead of being joined with them.
    """

    name: str
    policy: Policy | None = None
    overrides: bool = False
    embargoes: tuple[Embargo, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    grants: tuple[Grant, ...] = ()
    policy_grants: tuple[Grant, ...] = ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy that governs here at some time: its own, and those that embargoes bring."""
        held = (self.policy, *(embargo.then for embargo in self.embargoes))
        return tuple(one for one in held if one is not None)

    def governed(self, at: datetime) -> Level:
        """This level with the policy that governs it at an instant: of the embargo with a ``then`` that ended last, if one has.

        Of several that ended at the same instant the first counts.
        """
        over = [one for one in self.embargoes if one.then is not None and one.window.over(at)]
        if not over:
            return self
        last = max(over, key=Embargo.ended)
        return replace(self, policy=last.then, policy_grants=last.then_grants)


# -- Offers and decisions -----------------------------------------------------------------------------------------


class Kind(StrEnum):
    """IIIF content types."""

    IMAGE = "Image"
    VIDEO = "Video"
    SOUND = "Sound"
    TEXT = "Text"
    MODEL = "Model"
    DATASET = "Dataset"


class ImageApi(Enum):
    """Whether a URI is an image service, and of which version of the Image API."""

    NONE = 0
    V2 = 2
    V3 = 3


@dataclass(frozen=True, slots=True)
class Rendition:
    """One version of a resource at its own URI (site-relative if it is on this site).

    ``location`` is where the bytes are delivered if not at ``uri`` itself. ``source`` is their name on the image server or in the
    folder, if it is not the one in the address; ``virtual`` says that they are cut from the picture at ``cut_from``.
    ``tier`` is the slug of the tier it is for, empty for the resource itself.
    """

    uri: str
    reach: int = FULL
    kind: Kind = Kind.IMAGE
    image_api: ImageApi = ImageApi.NONE
    format: str = ""
    label: LanguageMap = ()
    location: str = ""
    source: str = ""
    virtual: Virtual | None = None
    cut_from: str = ""
    tier: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """The rendition wanted, the ones one might have instead (best first), and every rule that bears on them.

    ``others`` are smaller renditions of the same resource; ``substitutes`` are offers of other resources that a tier
    names. ``levels`` run from the resource outwards. ``hidden`` says that existence itself is not told. ``restricted`` may say
    that what is wanted is open to nobody without something in hand, at any time, which need then not be asked each time.
    """

    wanted: Rendition
    others: tuple[Rendition, ...] = ()
    levels: tuple[Level, ...] = ()
    made: date | None = None
    hidden: bool = False
    substitutes: tuple[Offer, ...] = ()
    label: LanguageMap = ()
    restricted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Substitute:
    """Something to show instead. ``offer`` is set if one must go through its own services first."""

    rendition: Rendition
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes: this rendition, by these rules (one name a level); ``take`` if one may keep a copy."""

    rendition: Rendition
    by: tuple[str, ...] = ()
    take: bool = True


@dataclass(frozen=True, slots=True)
class Denied:
    """No, with the reason, what may be shown instead and which services might help.

    ``opens`` is the first instant at which this reason no longer holds, if it is known.
    """

    rendition: Rendition
    substitutes: tuple[Substitute, ...] = ()
    why: Why = Why.NO_POLICY
    remedies: tuple[AccessService, ...] = ()
    opens: datetime | None = None
    text: Text | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such thing, or nobody may know that there is."""


Decision = Allowed | Denied | Unknown
