"""Policy in words: one plain sentence for every policy, a phrase for all it is made of, and what looks wrong in it.

The sentences are made from the rules and never typed, so they can not say anything else than what is decided. Every
function takes the translator as ``_`` and gives it literals, so that ``makemessages`` finds them here. Subjects are in
the plural wherever English lets them be, so that other languages need one form of the verb; a single person has
messages of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_network

from iiif_auth.policy.explain import Because, Finding, Remedy, Rule, Verdict
from iiif_auth.policy.types import (
    FULL,
    NOTHING,
    OTHER,
    PERSONAL,
    AccessService,
    Agreed,
    AllOf,
    AnyOf,
    Attribute,
    Audience,
    Authenticated,
    Closes,
    Embargo,
    Everyone,
    Gets,
    Grant,
    Group,
    IPNetwork,
    LanguageMap,
    Matching,
    Network,
    Pattern,
    Policy,
    Principal,
    Season,
    Seat,
    Tier,
    User,
    Wall,
    Window,
    Withdrawal,
    is_invitation,
    principals,
    zone,
)

Translate = Callable[[str], str]


def first_text(value: LanguageMap) -> str:
    return next((" ".join(strings) for _language, strings in value), "")


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is said: in which time zone days begin, and which language of a language map is picked."""

    zone: str = "UTC"
    pick: Callable[[LanguageMap], str] = first_text


ANYBODY = Reader()


# -- Time ---------------------------------------------------------------------------------------------------------


def month(number: int, _: Translate) -> str:
    names = (
        _("January"),
        _("February"),
        _("March"),
        _("April"),
        _("May"),
        _("June"),
        _("July"),
        _("August"),
        _("September"),
        _("October"),
        _("November"),
        _("December"),
    )
    return names[number - 1] if 1 <= number <= 12 else str(number)


def day(value: date, _: Translate) -> str:
    return _("%(day)d %(month)s %(year)d") % {"day": value.day, "month": month(value.month, _), "year": value.year}


def instant(at: datetime, _: Translate, reader: Reader = ANYBODY) -> str:
    """A date if a day begins then, else a date with the time."""
    local = at.astimezone(zone(reader.zone))
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return day(local.date(), _)
    return _("%(day)s, %(time)s") % {"day": day(local.date(), _), "time": f"{local:%H:%M}"}


def stretch(window: Window, _: Translate, reader: Reader = ANYBODY) -> str:
    """``""`` for always."""
    start = "" if window.start is None else instant(window.start, _, reader)
    end = "" if window.end is None else instant(window.end, _, reader)
    if start and end:
        return _("from %(start)s until %(end)s") % {"start": start, "end": end}
    if start:
        return _("from %(start)s") % {"start": start}
    return _("until %(end)s") % {"end": end} if end else ""


def day_of_year(value: tuple[int, int], _: Translate) -> str:
    return _("%(day)d %(month)s") % {"day": value[1], "month": month(value[0], _)}


def every_year(season: Season, _: Translate) -> str:
    if season.start == season.end:
        return _("at no time of the year")
    ends = {"start": day_of_year(season.start, _), "end": day_of_year(season.end, _)}
    return _("every year from %(start)s until %(end)s") % ends


def moving_wall(wall: Wall, _: Translate) -> str:
    if wall.years == 0:
        return _("from its date on")
    if wall.years == 1:
        return _("once a year has passed since its date")
    return _("once %(years)d years have passed since its date") % {"years": wall.years}


def times(tier: Tier, _: Translate, reader: Reader = ANYBODY) -> str:
    """When a tier is open; ``""`` for always."""
    phrases = [
        moving_wall(tier.wall, _) if tier.wall else "",
        stretch(tier.window, _, reader),
        every_year(tier.season, _) if tier.season else "",
    ]
    return listed([phrase for phrase in phrases if phrase], _("%(one)s and %(other)s"))


def listed(phrases: Sequence[str], pair: str, comma: str = "%(one)s, %(other)s") -> str:
    """Phrases as a list: ``a, b and c``. ``pair`` is the translated way to join the last two."""
    if len(phrases) < 2:
        return "".join(phrases)
    *most, last = phrases
    joined = most[0]
    for phrase in most[1:]:
        joined = comma % {"one": joined, "other": phrase}
    return pair % {"one": joined, "other": last}


# -- For whom -----------------------------------------------------------------------------------------------------

NOBODY = AnyOf()


def plain(audience: Audience) -> Audience:
    """The same audience without brackets that say nothing; nobody is ``NOBODY``."""
    if not isinstance(audience, AllOf | AnyOf):
        return audience
    members = [plain(member) for member in audience.members]
    if isinstance(audience, AllOf):
        return _all_of(members)
    return _any_of([part for member in members for part in (member.members if isinstance(member, AnyOf) else [member])])


def _all_of(members: list[Audience]) -> Audience:
    if not members or NOBODY in members:
        return NOBODY
    rest = [member for member in dict.fromkeys(members) if member != Everyone()]
    if len(rest) < 2:
        return rest[0] if rest else Everyone()
    return AllOf(tuple(rest))


def _any_of(members: list[Audience]) -> Audience:
    if Everyone() in members:
        return Everyone()
    each = tuple(dict.fromkeys(members))
    return each[0] if len(each) == 1 else AnyOf(each)


def who(audience: Audience, _: Translate) -> str:
    """An audience as the subject of a sentence: “members of Staff”."""
    found = plain(audience)
    match found:
        case AnyOf(members=()):
            return _("nobody")
        case AnyOf(members=members):
            return _alternatives([who(member, _) for member in members], members, _)
        case AllOf(members=members):
            return _everything_at_once(members, _)
    return _one(found, _)


def _alternatives(phrases: list[str], members: Iterable[Audience], _: Translate) -> str:
    """A comma keeps what belongs together apart from the next alternative."""
    mixed = any(isinstance(member, AllOf) for member in members)
    return listed(phrases, _("%(one)s, or %(other)s") if mixed else _("%(one)s or %(other)s"))


def _everything_at_once(members: Sequence[Audience], _: Translate) -> str:
    group = next((member for member in members if isinstance(member, Group)), None)
    rest = [member for member in members if member is not group]
    conditions = listed([condition(member, _) for member in rest], _("%(one)s and %(other)s"))
    if group is None:
        return _("people who %(conditions)s") % {"conditions": conditions}
    return _("members of %(group)s who %(conditions)s") % {"group": name_of(group), "conditions": conditions}


def _one(principal: Audience, _: Translate) -> str:
    if is_invitation(principal):
        return _("whoever opened the invitation %(value)s") % details(principal, _)
    phrases = {
        Everyone: _("anyone"),
        Authenticated: _("anyone signed in"),
        User: _("%(person)s (one person)"),
        Group: _("members of %(group)s"),
        Attribute: _("anyone whose %(name)s is %(value)s"),
        Network: _at(principal, _("anyone at %(network)s"), _("anyone at %(network)s or at a machine enrolled there")),
        Agreed: _("anyone who went through “%(service)s”"),
        Seat: _("anyone who borrowed a copy (“%(seats)s”)"),
    }
    return phrases[type(principal)] % details(principal, _)


def _at(principal: Audience, by_address: str, with_machines: str) -> str:
    """The phrase for a place: where machines are enrolled, an address is not the only way to be there."""
    return with_machines if isinstance(principal, Network) and principal.enrolled else by_address


def details(principal: Audience, _: Translate) -> dict[str, str]:
    """The placeholders of a principal."""
    match principal:
        case User() | Group() | Network() | Agreed() | Seat():
            return {PLACEHOLDERS[type(principal)]: name_of(principal)}
        case Attribute(name=name, value=value):
            return {"name": name, "value": value if is_invitation(principal) else values(principal, _)}
    return {}


def values(attribute: Attribute, _: Translate) -> str:
    """The values of an attribute in quotes: “staff@example.org” or “…@example.com”."""
    shown = ("…@" if attribute.matching is Matching.SCOPE else "") + "%(value)s"
    quoted = [_("“%(value)s”") % {"value": shown % {"value": value}} for value in attribute.values]
    return listed(quoted, _("%(one)s or %(other)s"))


PLACEHOLDERS = {User: "person", Group: "group", Network: "network", Agreed: "service", Seat: "seats"}


def name_of(principal: User | Group | Network | Agreed | Seat) -> str:
    """What people call it; without a label its key, or the prefixes of a network."""
    match principal:
        case Network(prefixes=prefixes):
            return principal.label or ", ".join(str(prefix) for prefix in prefixes)
        case Agreed(service=key) | Seat(rule=key):
            return principal.label or key
        case User(id=key) | Group(id=key):  # pragma: no branch
            return principal.label or f"#{key}"


def condition(audience: Audience, _: Translate) -> str:
    """An audience as what must be true of people: “are members of Staff”."""
    found = plain(audience)
    match found:
        case AnyOf(members=()):
            return _("are nobody")
        case AnyOf(members=members):
            parts = [condition(member, _) for member in members]
            return _("(%(alternatives)s)") % {"alternatives": listed(parts, _("%(one)s or %(other)s"))}
        case AllOf(members=members):
            return listed([condition(member, _) for member in members], _("%(one)s and %(other)s"))
    return _condition(found, _)


def _condition(principal: Audience, _: Translate) -> str:
    if is_invitation(principal):
        return _("have opened the invitation %(value)s") % details(principal, _)
    phrases = {
        Everyone: _("are anyone"),
        Authenticated: _("are signed in"),
        User: _("are %(person)s"),
        Group: _("are members of %(group)s"),
        Attribute: _("have %(value)s as their %(name)s"),
        Network: _at(principal, _("are at %(network)s"), _("are at %(network)s or at a machine enrolled there")),
        Agreed: _("have gone through “%(service)s”"),
        Seat: _("have borrowed a copy (“%(seats)s”)"),
    }
    return phrases[type(principal)] % details(principal, _)


def lack(principal: Principal, _: Translate) -> str:
    """What is not so: “not a member of Staff”."""
    if is_invitation(principal):
        return _("has not opened the invitation %(value)s") % details(principal, _)
    phrases = {
        Everyone: "",
        Authenticated: _("not signed in"),
        User: _("not %(person)s"),
        Group: _("not a member of %(group)s"),
        Attribute: _("not known to have %(value)s as %(name)s"),
        Network: _at(principal, _("not at %(network)s"), _("neither at %(network)s nor at a machine enrolled there")),
        Agreed: _("has not gone through “%(service)s”"),
        Seat: _("has not borrowed a copy (“%(seats)s”)"),
    }
    return phrases[type(principal)] % details(principal, _)


# -- What they get ------------------------------------------------------------------------------------------------


def what(reach: int, take: bool, _: Translate) -> str:
    """What a reach lets people do: “view and keep a copy”."""
    if reach >= FULL:
        return _("view and keep a copy") if take else _("view")
    if reach > OTHER:
        return _smaller(take, _) % {"edge": reach}
    return _("see something else instead") if reach == OTHER else _("see nothing")


def _smaller(take: bool, _: Translate) -> str:
    if take:
        return _("view and keep a version of at most %(edge)d pixels")
    return _("view a version of at most %(edge)d pixels")


def way(service: AccessService, _: Translate, reader: Reader = ANYBODY) -> str:
    """How an access service lets people in."""
    name = reader.pick(service.label) or service.slug
    match service.pattern:
        case Pattern.LOGIN:
            return _("by signing in")
        case Pattern.CLICKTHROUGH:
            return _("after agreeing to “%(service)s”") % {"service": name}
        case Pattern.KIOSK:
            return _("at a kiosk")
        case Pattern.EXTERNAL:  # pragma: no branch
            return _("recognised by where they are")


def ways(tier: Tier, _: Translate, reader: Reader = ANYBODY) -> str:
    """The ways in that the audience does not say already; none where nobody or everybody is let in anyway."""
    if plain(tier.audience) in (Everyone(), NOBODY):
        return ""
    leaves = principals(tier.audience)
    phrases = [way(service, _, reader) for service in tier.services if not _said_already(service, leaves)]
    return listed(list(dict.fromkeys(phrases)), _("%(one)s or %(other)s"))


def _said_already(service: AccessService, leaves: Sequence[Principal]) -> bool:
    if any(isinstance(leaf, Agreed) and leaf.service == service.slug for leaf in leaves):
        return True
    kinds = (Authenticated,) if service.pattern is Pattern.LOGIN else (Network,)
    return service.pattern is not Pattern.CLICKTHROUGH and any(isinstance(leaf, kinds) for leaf in leaves)


def tier_name(tier: Tier, reader: Reader = ANYBODY) -> str:
    return reader.pick(tier.label) or tier.slug


def tier_phrase(tier: Tier, _: Translate, reader: Reader = ANYBODY) -> str:
    """A tier as a clause: “members of Staff may view and keep a copy until 1 May 2031”."""
    return _clause(who(tier.audience, _), tier, _, reader)


def _clause(subject: str, tier: Tier, _: Translate, reader: Reader) -> str:
    said = what(tier.reach, tier.take, _)
    for more in (ways(tier, _, reader), times(tier, _, reader)):
        said = f"{said} {more}" if more else said
    if isinstance(plain(tier.audience), User):
        return _("%(person)s may %(what)s") % {"person": subject, "what": said}
    return _("%(people)s may %(what)s") % {"people": subject, "what": said}


# -- A policy in one sentence -------------------------------------------------------------------------------------


def policy_sentence(policy: Policy, _: Translate, reader: Reader = ANYBODY) -> str:
    """The whole policy as one sentence, the best version first, whatever the order of its tiers."""
    clauses: list[str] = []
    said: list[Tier] = []
    for tier in sorted(policy.tiers, key=lambda tier: (-tier.reach, not tier.take)):
        if says_something(tier, said):
            clauses.append(_clause(_subject(tier, said, _), tier, _, reader))
            said.append(tier)
    if not any(is_for_all(tier) for tier in said):
        clauses.append(_the_rest(said, _))
    return sentence(listed(clauses, "%(one)s; %(other)s", "%(one)s; %(other)s"), _)


def says_something(tier: Tier, better: Iterable[Tier]) -> bool:
    """Whether it lets somebody have something that none of the better tiers lets the same people have anyway."""
    if tier.reach == NOTHING or plain(tier.audience) == NOBODY:
        return False
    return not any(includes(one, tier) for one in better)


def includes(one: Tier, other: Tier) -> bool:
    """Whether a tier of at least the same reach is for the people of the other one at all its times."""
    for_them = plain(one.audience) in (Everyone(), plain(other.audience))
    timed = is_always_open(one) or (one.window, one.season, one.wall) == (other.window, other.season, other.wall)
    return for_them and timed and (one.take or not other.take)


def is_for_all(tier: Tier) -> bool:
    """Whether everybody passes it, always."""
    return plain(tier.audience) == Everyone() and is_always_open(tier)


def is_always_open(tier: Tier) -> bool:
    return tier.window == Window() and tier.season is None and tier.wall is None


def _subject(tier: Tier, said: Sequence[Tier], _: Translate) -> str:
    """“Everyone else” after tiers for others; where those have their times, also they themselves at other times."""
    if not said or plain(tier.audience) != Everyone():
        return who(tier.audience, _)
    return _("everyone else") if all(map(is_always_open, said)) else _("otherwise anyone")


def _the_rest(said: Sequence[Tier], _: Translate) -> str:
    if not said:
        return _("nobody may see anything")
    return (
        _("nobody else may see anything") if all(map(is_always_open, said)) else _("otherwise nobody may see anything")
    )


def sentence(clause: str, _: Translate) -> str:
    """A clause with a capital and a full stop."""
    return _("%(clause)s.") % {"clause": clause[:1].upper() + clause[1:]}


# -- What is laid over policies -----------------------------------------------------------------------------------


def embargo_phrase(embargo: Embargo, _: Translate, reader: Reader = ANYBODY) -> str:
    if embargo.closes is Closes.ALL:
        said = _closed(embargo.window, _, reader)
    else:
        said = _("the full version is %(closed)s") % {"closed": _closed(embargo.window, _, reader)}
    said = _("%(closed)s, to people with a grant too") % {"closed": said} if embargo.hard else said
    if embargo.then is None:
        return said
    return _("%(closed)s; then “%(policy)s” governs") % {"closed": said, "policy": policy_name(embargo.then)}


def policy_name(policy: Policy) -> str:
    return policy.name or policy.slug


def _closed(window: Window, _: Translate, reader: Reader) -> str:
    when = stretch(window, _, reader)
    if window.end is None:
        return _("closed %(when)s, with no end set") % {"when": when} if when else _("closed, with no end set")
    return _("closed %(when)s") % {"when": when}


def withdrawal_phrase(withdrawal: Withdrawal, _: Translate, reader: Reader = ANYBODY) -> str:
    when = stretch(withdrawal.window, _, reader)
    return _("withdrawn %(when)s") % {"when": when} if when else _("withdrawn")


def grant_phrase(grant: Grant, _: Translate, reader: Reader = ANYBODY, *, named: bool = True) -> str:
    """A grant as a clause; unless ``named`` it does not say to whom it was given."""
    when = stretch(grant.window, _, reader)
    said = what(grant.reach, grant.take, _)
    said = f"{said} {when}" if when else said
    if not named:
        return _("by a grant somebody may %(what)s") % {"what": said}
    if isinstance(grant.principal, User):
        return _("by a grant %(person)s may %(what)s") % {"person": name_of(grant.principal), "what": said}
    return _("by a grant %(people)s may %(what)s") % {"people": who(grant.principal, _), "what": said}


# -- An explanation in words --------------------------------------------------------------------------------------


def verdict_word(verdict: Verdict, _: Translate) -> str:
    match verdict:
        case Verdict.YES:
            return _("yes")
        case Verdict.NO:
            return _("no")
        case Verdict.DOES_NOT_APPLY:  # pragma: no branch
            return _("does not apply")


def rule_sentence(rule: Rule | None, _: Translate, reader: Reader = ANYBODY, *, named: bool = True) -> str:
    """What a rule says, whoever asks."""
    match rule:
        case None:
            return _("No policy.")
        case Policy():
            return policy_sentence(rule, _, reader)
        case Tier():
            return sentence(tier_phrase(rule, _, reader), _)
        case Grant():
            return sentence(grant_phrase(rule, _, reader, named=named), _)
    return sentence(_overlay_phrase(rule, _, reader), _)


def _overlay_phrase(rule: Embargo | Withdrawal, _: Translate, reader: Reader) -> str:
    match rule:
        case Embargo():
            return embargo_phrase(rule, _, reader)
        case Withdrawal():  # pragma: no branch
            return withdrawal_phrase(rule, _, reader)


def finding_sentence(finding: Finding, _: Translate, reader: Reader = ANYBODY) -> str:
    """Why this rule says what it says."""
    return sentence(_reason(finding, _, reader), _)


def _reason(finding: Finding, _: Translate, reader: Reader) -> str:
    if finding.because is Because.UNMET:
        return listed([lack(leaf, _) for leaf in finding.unmet], "%(one)s; %(other)s", "%(one)s; %(other)s") or _(
            "it is for nobody"
        )
    if finding.because in (Because.NOT_BEGUN, Because.OVER, Because.WALL, Because.SEASON, Because.RUNNING):
        return _reason_in_time(finding, _, reader)
    if finding.because is Because.SMALLER:
        return _reason_too_small(finding, _)
    return _reasons(_)[finding.because]


def _reasons(_: Translate) -> dict[Because, str]:
    return {
        Because.ADMITS: _("all its conditions are met"),
        Because.EMBARGOED: _("an embargo closes it"),
        Because.SOMEBODY_ELSE: _("it is for somebody else"),
        Because.HARD: _("an embargo without exceptions closes it to people with a grant too"),
        Because.FULL_ONLY: _("it closes the full version only"),
        Because.SET_ASIDE: _("a policy nearer to the item replaces it"),
        Because.NO_TIERS: _("it has no tiers, so it lets nobody in"),
        Because.NO_POLICY: _("there is no policy here, so nothing is asked"),
        Because.UNSETTLED: _("there is no policy anywhere, so nobody is let in"),
    }


def _reason_too_small(finding: Finding, _: Translate) -> str:
    rule = finding.rule
    offers = what(rule.reach, rule.take, _) if isinstance(rule, Tier | Grant) else ""
    if finding.gives > NOTHING:
        return _("all its conditions are met, but it only lets people %(what)s") % {"what": offers}
    return _("it only lets people %(what)s") % {"what": offers}


def _reason_in_time(finding: Finding, _: Translate, reader: Reader) -> str:
    when = "" if finding.when is None else instant(finding.when, _, reader)
    match finding.because:
        case Because.NOT_BEGUN:
            return _("begins on %(when)s") % {"when": when}
        case Because.OVER:
            return _("ended on %(when)s") % {"when": when}
        case Because.RUNNING:
            return _("runs until %(when)s") % {"when": when} if when else _("runs, with no end set")
        case Because.WALL:
            return _("opens on %(when)s") % {"when": when} if when else _("never opens, for the date is not known")
    return _out_of_season(finding.rule, _)


def _out_of_season(rule: Rule | None, _: Translate) -> str:
    season = rule.season if isinstance(rule, Tier) else None
    return _("out of season: open %(when)s") % {"when": every_year(season, _)} if season else _("out of season")


def remedy_phrase(remedy: Remedy, _: Translate, reader: Reader = ANYBODY) -> str:
    """What would be enough: “membership of Staff and being at Reading room”."""
    steps = [step(need, _) for need in remedy.needs]
    if remedy.grant:
        steps.append(_("a grant"))
    if remedy.until is not None:
        steps.append(_("waiting until %(when)s") % {"when": instant(remedy.until, _, reader)})
    return listed(steps, _("%(one)s and %(other)s"))


def step(need: Principal, _: Translate) -> str:
    phrases = {
        Everyone: "",
        Authenticated: _("signing in"),
        User: _("being %(person)s"),
        Group: _("membership of %(group)s"),
        Attribute: _("having %(value)s as %(name)s"),
        Network: _at(need, _("being at %(network)s"), _("being at %(network)s or at a machine enrolled there")),
        Agreed: _("going through “%(service)s”"),
        Seat: _("borrowing a copy (“%(seats)s”)"),
    }
    return phrases[type(need)] % details(need, _)


# -- What looks wrong ---------------------------------------------------------------------------------------------


def warnings(policy: Policy, at: datetime, _: Translate, reader: Reader = ANYBODY) -> tuple[str, ...]:
    """Sentences about what a policy says that its author can hardly have meant; none if it reads sound."""
    if not policy.tiers:
        return (_("It has no tiers, so it lets nobody in."),)
    found = [message for tier in policy.tiers for message in _about_tier(tier, at, _, reader)]
    return tuple(dict.fromkeys([*found, *_about_order(policy.tiers, _, reader), *_about_networks(policy.tiers, _)]))


def _about_tier(tier: Tier, at: datetime, _: Translate, reader: Reader) -> Iterator[str]:
    name = tier_name(tier, reader)
    yield from _about_audience(tier, name, _)
    yield from _about_what(tier, name, _)
    yield from _about_window(tier, name, at, _, reader)
    yield from _about_season(tier, name, _)
    if plain(tier.audience) not in (Everyone(), NOBODY):
        yield from _about_signing_in(tier, name, _)
        yield from _about_agreements(tier, name, _)
        yield from _about_seats(tier, name, _)


def _about_audience(tier: Tier, name: str, _: Translate) -> Iterator[str]:
    if not principals(tier.audience):
        yield _("“%(tier)s” has no conditions, so it is for nobody.") % {"tier": name}
    elif plain(tier.audience) == NOBODY:
        yield _("“%(tier)s” asks for something that nobody can meet.") % {"tier": name}


def _about_what(tier: Tier, name: str, _: Translate) -> Iterator[str]:
    if tier.gets is Gets.NOTHING and plain(tier.audience) != Everyone():
        yield _("“%(tier)s” gives nothing, and takes nothing away from people whom another tier lets in.") % {
            "tier": name
        }
    if tier.gets is Gets.SMALLER and tier.max_edge < 1:
        yield _("“%(tier)s” gives a smaller version without saying how large.") % {"tier": name}
    if tier.gets is Gets.SUBSTITUTE and not tier.substitute:
        yield _("“%(tier)s” gives something else instead without saying what.") % {"tier": name}


def _about_window(tier: Tier, name: str, at: datetime, _: Translate, reader: Reader) -> Iterator[str]:
    start, end = tier.window.start, tier.window.end
    if start is not None and end is not None and start >= end:
        yield _("“%(tier)s” ends before it begins, so it is never open.") % {"tier": name}
    elif end is not None and tier.window.over(at):
        yield _("“%(tier)s” has been over since %(when)s.") % {"tier": name, "when": instant(end, _, reader)}


def _about_season(tier: Tier, name: str, _: Translate) -> Iterator[str]:
    if tier.season is None:
        return
    if not is_day(tier.season.start) or not is_day(tier.season.end):
        yield _("The season of “%(tier)s” begins or ends on a day that does not exist.") % {"tier": name}
    elif tier.season.start == tier.season.end:
        yield _("The season of “%(tier)s” ends on the day it begins, so it is never open.") % {"tier": name}


def is_day(value: tuple[int, int]) -> bool:
    """Whether there is such a day in some year."""
    try:
        date(2024, *value)
    except ValueError:
        return False
    return True


def _about_signing_in(tier: Tier, name: str, _: Translate) -> Iterator[str]:
    if not any(isinstance(leaf, PERSONAL) for leaf in principals(tier.audience)):
        return
    if not tier.services:
        yield _("“%(tier)s” asks who people are but has no access service, so viewers can not let them sign in.") % {
            "tier": name
        }
    elif all(service.pattern is not Pattern.LOGIN for service in tier.services):
        yield _("“%(tier)s” asks who people are, but none of its access services lets them sign in.") % {"tier": name}


def _about_agreements(tier: Tier, name: str, _: Translate) -> Iterator[str]:
    slugs = [service.slug for service in tier.services]
    for leaf in principals(tier.audience):
        if isinstance(leaf, Agreed) and leaf.service not in slugs:
            names = {"tier": name, "service": name_of(leaf)}
            yield _("“%(tier)s” asks people to have gone through “%(service)s”, but does not lead there.") % names


def _about_seats(tier: Tier, name: str, _: Translate) -> Iterator[str]:
    seats = [leaf for leaf in principals(tier.audience) if isinstance(leaf, Seat)]
    if seats and not tier.services:
        yield _("“%(tier)s” is lent but has no access service, so viewers can not show what was borrowed.") % {
            "tier": name
        }
    for seat in seats:
        if not (seat.elsewhere or seat.places):
            yield _("“%(tier)s” asks for a copy of “%(seats)s”, which lends none.") % {
                "tier": name,
                "seats": name_of(seat),
            }


def _about_order(tiers: Sequence[Tier], _: Translate, reader: Reader) -> Iterator[str]:
    for number, tier in enumerate(tiers):
        name, above = tier_name(tier, reader), tiers[:number]
        lower = next((one for one in above if one.reach < tier.reach), None)
        if lower is not None:
            names = {"tier": name, "other": tier_name(lower, reader)}
            yield _("“%(tier)s” gives more than “%(other)s” above it; the best comes first.") % names
        open_to_all = next((one for one in tiers if makes_pointless(one, tier)), None)
        if open_to_all is not None:
            names = {"tier": name, "other": tier_name(open_to_all, reader)}
            yield _("“%(tier)s” changes nothing, for everybody has as much by “%(other)s”.") % names


def makes_pointless(one: Tier, other: Tier) -> bool:
    """Whether a tier lets everybody have what the other tier, for some, lets people have."""
    if one is other or not is_for_all(one) or other.gets in (Gets.NOTHING, Gets.SUBSTITUTE):
        return False
    return one.reach >= other.reach and (one.take or not other.take) and plain(other.audience) != NOBODY


WIDE = {4: 8, 6: 16}
"""Prefixes of no more bits than this are too wide to be a place."""
PRIVATE = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
)
"""Addresses that mean something only inside one network; documentation ranges are not among them."""


def _about_networks(tiers: Sequence[Tier], _: Translate) -> Iterator[str]:
    leaves = [leaf for tier in tiers for leaf in principals(tier.audience) if isinstance(leaf, Network)]
    for network in dict.fromkeys(leaves):
        if not network.prefixes and not network.enrolled:
            yield _("The network %(network)s has no addresses, so nobody is there.") % {"network": name_of(network)}
        for prefix in network.prefixes:
            yield from _about_prefix(prefix, {"network": name_of(network), "prefix": str(prefix)}, _)


def _about_prefix(prefix: IPNetwork, names: dict[str, str], _: Translate) -> Iterator[str]:
    if prefix.prefixlen == 0:
        yield _("The network %(network)s takes in every address there is (%(prefix)s).") % names
    elif any(_meets(prefix, private) for private in PRIVATE):
        yield (
            _("The network %(network)s has private addresses (%(prefix)s), which only arrive here from inside.") % names
        )
    elif prefix.prefixlen <= WIDE[prefix.version]:
        yield _("The network %(network)s is very large (%(prefix)s).") % names


def _meets(one: IPNetwork, other: IPNetwork) -> bool:
    return one.version == other.version and one.overlaps(other)
