"""Random questions for the two programs: small alphabets, so that rules meet, and instants on their very edges.

``block(seed, number)`` is one offer and what is asked of it; the same two numbers always give the same questions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from random import Random
from zoneinfo import ZoneInfo

from iiif_auth.policy.types import (
    ALWAYS,
    FULL,
    AccessService,
    Agreed,
    AllOf,
    AnyOf,
    Attribute,
    Authenticated,
    Closes,
    Embargo,
    Everyone,
    Gets,
    Grant,
    Group,
    Level,
    Matching,
    Network,
    Offer,
    Pattern,
    Policy,
    Rendition,
    Season,
    Seat,
    Subject,
    Text,
    Tier,
    User,
    Wall,
    Why,
    Window,
    Withdrawal,
)

ASKED = 16
"""Questions about one offer."""

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")
MICROSECOND = timedelta(microseconds=1)
POINTS = tuple(
    datetime.fromisoformat(text).astimezone(UTC)
    for text in (
        "2023-12-31T23:00:00Z",  # New Year in Paris
        "2024-01-01T00:00:00Z",
        "2024-01-01T05:00:00Z",  # New Year in New York
        "2024-02-28T00:00:00Z",
        "2024-02-29T00:00:00Z",
        "2024-02-29T18:30:00Z",  # 1 March in Kolkata
        "2024-02-29T23:00:00Z",
        "2024-03-01T00:00:00Z",
        "2024-03-31T01:00:00Z",  # summer time begins in Paris
        "2024-06-30T22:00:00Z",  # 1 July in Paris
        "2024-07-01T00:00:00Z",
        "2024-10-27T00:30:00Z",  # 02:30 in Paris, and again an hour later
        "2024-10-27T01:30:00Z",
        "2024-12-31T11:00:00Z",  # New Year in Auckland
        "2025-02-28T00:00:00Z",
        "2025-02-28T23:00:00Z",
        "2025-03-01T00:00:00Z",
        "2017-10-15T03:00:00Z",  # a midnight that did not exist in São Paulo
    )
)
INSTANTS = tuple(point + step for point in POINTS for step in (timedelta(0), timedelta(0), MICROSECOND, -MICROSECOND))
DATES = (None, date(1924, 2, 29), date(1954, 1, 1), date(2004, 2, 29), date(2004, 3, 1), date(2007, 10, 15))
DATES += (date(2020, 2, 29), date(2023, 7, 1), date(2024, 2, 29), date(2024, 12, 31))
YEARS = (0, 0, 1, 4, 5, 10, 20, 20, 21, 70, 100, 8000)
DAYS = ((1, 1), (2, 28), (2, 29), (3, 1), (7, 1), (10, 27), (12, 31))

WINDOWS = (ALWAYS,) * 4
WINDOWS += tuple(Window(start, end) for start in (None, *POINTS[::3]) for end in (None, *POINTS[1::4]))
WINDOWS += tuple(Window(start, start) for start in POINTS[:2])
WINDOWS += tuple(
    Window(start.astimezone(ZoneInfo("Europe/Paris")), end.astimezone(ZoneInfo("Europe/Paris")))
    for start, end in ((POINTS[4], POINTS[11]), (POINTS[11], POINTS[12]), (POINTS[12], POINTS[14]))
)
RUNNING = tuple(window for window in WINDOWS if window.covers(POINTS[7]) or window.covers(POINTS[9]))
OFTEN = (ALWAYS,) * 60 + WINDOWS
"""Windows for tiers and grants: mostly open, or hardly anybody would get in."""

PRINCIPALS = (
    Everyone(),
    Authenticated(),
    User("1"),
    User("2"),
    Group("1"),
    Group("2"),
    Group("3"),
    Attribute("role", "staff"),
    Attribute("role", "student"),
    Attribute("role", "student", ("guest", "")),
    Attribute("role", "a.example", (), Matching.SCOPE),
    Attribute("role", "b.example", ("a.example", "", "staff"), Matching.SCOPE),
    Network((ip_network("10.0.0.0/8"),)),
    Network((ip_network("10.1.0.0/16"), ip_network("2001:db8::/32"))),
    Network((ip_network("::a00:0/104"),)),
    Network((ip_network("0.0.0.0/0"),)),
    Network((ip_network("::/0"),)),
    Network((ip_network("10.1.2.3/32"), ip_network("2001:db8::1/128"))),
    Network(()),
    Network((), id="7"),
    Network((ip_network("10.1.2.4/32"),), id="8"),
    Network((ip_network("192.0.2.0/24"),), id="9", enrolled=True),
    Agreed("click"),
    Agreed("kiosk"),
    Agreed("login"),
    Seat("book", "x/1"),
    Seat("book", "x/1", (("room", Network((ip_network("10.0.0.0/8"),))),)),
    Seat("book", "x/2", (("room", Network((ip_network("10.1.2.3/32"),))), ("annexe", Network(()))), elsewhere=False),
    Seat(
        "other",
        "x/1",
        (("room", Network((ip_network("2001:db8::/32"),))), ("room", Network((ip_network("10.1.2.4/32"),)))),
    ),
)
LOANS = tuple(
    (rule, work, place) for rule in ("book", "other") for work in ("x/1", "x/2") for place in ("", "room", "annexe")
)
LIKELY = (*PRINCIPALS, *PRINCIPALS[:2] * 5)
"""Audiences rather admit than not, for a yes is harder to come by than a no."""
ADDRESSES = (None, *map(ip_address, ("10.1.2.3", "10.1.2.4", "10.200.0.1", "192.0.2.1", "::a01:203", "2001:db8::1")))
ADDRESSES += (ip_address("2001:db9::1"), ip_address("::ffff:10.1.2.3"))
PLACES = ("", "7", "8", "9", "10")
"""Of enrolled machines; the empty one is no place, though networks without a key have it."""
SERVICES = tuple(
    AccessService(slug, pattern)
    for slug, pattern in (
        ("click", Pattern.CLICKTHROUGH),
        ("kiosk", Pattern.KIOSK),
        ("login", Pattern.LOGIN),
        ("other", Pattern.EXTERNAL),
    )
)
CHAINS = ((), SERVICES[:1], SERVICES[2:3], SERVICES[:3], SERVICES[1:], SERVICES[::-1], (SERVICES[0], SERVICES[0]))
EDGES = (0, 200, 400, 400, 800, FULL - 1, FULL)
REACHES = (FULL, FULL, FULL, 800, 400, 200, 0, -1, FULL - 1)
GETS = (
    Gets.FULL,
    Gets.FULL,
    Gets.FULL,
    Gets.FULL,
    Gets.FULL,
    Gets.SMALLER,
    Gets.SMALLER,
    Gets.SUBSTITUTE,
    Gets.SUBSTITUTE,
    Gets.NOTHING,
)
DEPTHS = (*(1,) * 24, *(2,) * 16, *(3,) * 6, *(4,) * 3, 0)
URIS = ("x/1", "x/2", "other/400", "missing")
RENDITIONS = tuple(Rendition(f"other/{reach}", reach) for reach in (800, 400, 200, 0, FULL, FULL - 1))
RENDITIONS += (Rendition("second/400", 400), Rendition("other/400", 200), Rendition("x/1", 400))
WANTED = (Rendition("full", FULL),) * 8
WANTED += tuple(Rendition(f"wanted/{reach}", reach) for reach in (800, 400, 400, 200, FULL - 1, 0))
NOTES = tuple((("en", (f"note {number}",)),) for number in range(3))
TEXTS = tuple(
    tuple((why, Text((("en", (f"{name} {why}",)),))) for why in list(Why)[first::step])
    for name, first, step in (("all", 0, 1), ("even", 0, 2), ("odd", 1, 2), ("late", 5, 1))
)


def audience(rng, depth=0):
    shape = rng.random()
    if shape < 0.6 or depth == 2:
        return rng.choice(LIKELY)
    members = tuple(audience(rng, depth + 1) for _ in range(rng.choice((0, 1, 2, 2, 2, 3))))
    return AllOf(members) if shape < 0.8 else AnyOf(members)


def tier(rng):
    shape = rng.random()
    return Tier(
        "tier",
        audience(rng),
        gets=rng.choice(GETS),
        max_edge=rng.choice(EDGES),
        substitute=rng.choice(URIS),
        take=shape < 0.6,
        window=rng.choice(OFTEN),
        season=season(rng) if rng.random() < 0.12 else None,
        wall=Wall(rng.choice(YEARS), rng.choice(ZONES)) if rng.random() < 0.12 else None,
        services=rng.choice(CHAINS),
    )


def season(rng):
    return Season(rng.choice(DAYS), rng.choice(DAYS), rng.choice(ZONES))


def policy(rng):
    tiers = tuple(tier(rng) for _ in range(rng.choice((0, 1, 2, 2, 3, 3, 4, 4))))
    if tiers and rng.random() < 0.05:
        tiers += tiers[:1]
    return Policy("policy", tiers, rng.choice(TEXTS) if rng.random() < 0.5 else ())


def grants(rng, often):
    if rng.random() > often:
        return ()
    return tuple(
        Grant(rng.choice(PRINCIPALS), rng.choice(REACHES), rng.choice(OFTEN), rng.random() < 0.5)
        for _ in range(rng.choice((1, 1, 2)))
    )


def embargoes(rng):
    if rng.random() > 0.15:
        return ()
    return tuple(
        Embargo(
            rng.choice(RUNNING if rng.random() < 0.7 else WINDOWS),
            Closes.ALL if rng.random() < 0.4 else Closes.FULL,
            rng.random() < 0.3,
            rng.choice(NOTES) if rng.random() < 0.5 else (),
            *then(rng),
        )
        for _ in range(rng.choice((1, 1, 2, 3)))
    )


def then(rng):
    """Now and then a policy that governs from the end on, and grants given for it."""
    return (policy(rng), grants(rng, 0.3)) if rng.random() < 0.4 else (None, ())


def withdrawals(rng):
    if rng.random() > 0.03:
        return ()
    count = rng.choice((1, 1, 2))
    return tuple(Withdrawal(rng.choice(WINDOWS), rng.choice((*NOTES, ()))) for _ in range(count))


def level(rng, shared):
    rules = shared if rng.random() < 0.2 else policy(rng) if rng.random() < 0.6 else None
    return Level(
        "level",
        rules,
        overrides=rng.random() < 0.15,
        embargoes=embargoes(rng),
        withdrawals=withdrawals(rng),
        grants=grants(rng, 0.25),
        policy_grants=grants(rng, 0.2),
    )


def levels(rng, most):
    shared = policy(rng)
    found = [level(rng, shared) for _ in range(min(most, rng.choice(DEPTHS)))]
    if found and rng.random() < 0.05:
        found.append(found[-1])
    return tuple(found)


def smaller(rng):
    return tuple(rng.sample(RENDITIONS, rng.choice((0, 1, 2, 3))))


def offer(rng, nested=False):
    instead = ()
    if not nested and rng.random() < 0.4:
        uris = rng.sample(URIS[:3], rng.choice((1, 1, 2)))
        instead = tuple(replace(offer(rng, nested=True), wanted=Rendition(uri)) for uri in uris)
    if nested and rng.random() < 0.1:
        instead = (Offer(Rendition("x/2"), levels=(Level("open", Policy("p", (Tier("t", Everyone()),))),)),)
    return Offer(
        rng.choice(WANTED),
        others=smaller(rng),
        levels=levels(rng, 2 if nested else 4),
        made=rng.choice(DATES),
        substitutes=instead,
    )


SCOPED = (
    "x@a.example",
    "x@b.example",
    "x@y@a.example",
    "@a.example",
    "x@",
    "a.example",
    "x@A.example",
    "x@a.example ",
    "",
    "x@staff",
)


def subject(rng):
    """Somebody; now and then with groups or attributes but nobody signed in, as a pass may give."""
    groups = frozenset(g for g in "123" if rng.random() < 0.3)
    attributes = frozenset(("role", value) for value in ("staff", "student") if rng.random() < 0.3)
    attributes |= frozenset((rng.choice(("role", "group")), value) for value in SCOPED if rng.random() < 0.12)
    agreements = frozenset(slug for slug in ("click", "kiosk", "login", "other") if rng.random() < 0.3)
    user = rng.choice((None, None, "1", "2", "3"))
    if user is None and rng.random() < 0.8:
        groups = attributes = frozenset()
    places = frozenset(rng.choice(PLACES) for _ in range(rng.randrange(3)))
    loans = frozenset(loan for loan in LOANS if rng.random() < 0.15)
    return Subject(user, groups, attributes, rng.choice(ADDRESSES), agreements, places, loans)


def placed(at):
    """The same instants, said in different places."""
    return (*at, *(i.astimezone(ZoneInfo("Europe/Paris")) for i in at), *(i.astimezone(TOKYO) for i in at[::4]))


TOKYO = timezone(timedelta(hours=9))
SUBJECTS = tuple(subject(Random(number)) for number in range(400))
MOMENTS = INSTANTS * 4 + placed(INSTANTS)


def block(seed, number):
    """One offer (now and then none at all) and the subjects and instants to ask about."""
    rng = Random(seed * 1_000_000_007 + number)
    wanted = offer(rng) if rng.random() > 0.002 else None
    return wanted, [(rng.choice(SUBJECTS), rng.choice(MOMENTS)) for _ in range(ASKED)]
