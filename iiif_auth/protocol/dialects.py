"""Every version of the protocol that there is: one row each. See :mod:`iiif_auth.protocol.dialect` for what a row says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from iiif_auth.policy.types import AccessService, Offer
from iiif_auth.protocol import alpha, v092, v1, v2
from iiif_auth.protocol.dialect import Dialect, Host, Probe, Probing, Setting
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import AMBIENT, JSON, JSONValue, is_open, services_above, services_of

MEDIA = v1.MEDIA

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (v2.DIALECT, v1.DIALECT, v1.DIALECT_094, v092.DIALECT, alpha.DIALECT)
}
"""By name, the newest first; the alpha, which nobody should begin with, last."""

TITLES = {**{name: one.title for name, one in DIALECTS.items()}, MEDIA: "Auth 1.0 for film, sound and documents"}
"""Everything that a service can be offered in."""

BY_DEFAULT = ("2", "1")

SPACES: dict[str, tuple[Dialect, ...]] = {}
for _dialect in DIALECTS.values():
    SPACES[_dialect.space] = (*SPACES.get(_dialect.space, ()), _dialect)
"""The dialects behind each first part of an address."""

PROBES: dict[str, Probe] = {one.space: one.probe for one in DIALECTS.values() if one.probe}
"""How probes speak, by space; some spaces have none."""


def spoken(space: str, service: AccessService, *, origin: bool) -> Dialect | None:
    """The dialect in which somebody speaks to a service: of those of a space, the one that names an origin, or does not
    (A094-DIFF-01); ``None`` if the service is offered in none of them.
    """
    offered = [one for one in SPACES[space] if service.speaks(one.name)]
    alike = [one for one in offered if one.names_origin is origin]
    return next(iter(alike or offered), None)


def assumed(space: str, *, origin: bool) -> Dialect:
    """The dialect in which to answer somebody who asks for a service that there is not."""
    return next((one for one in SPACES[space] if one.names_origin is origin), SPACES[space][0])


def offered_in(space: str, service: AccessService) -> Dialect | None:
    """A dialect of this space in which a service is offered, for what does not depend on which of them; ``None`` if in none."""
    return next((one for one in SPACES[space] if service.speaks(one.name)), None)


def described(
    names: Iterable[str],
    offer: Offer,
    host: Host,
    links: Callable[[str], Links],
    at: datetime,
    languages: tuple[str, ...] = ("en",),
) -> list[JSON]:
    """The blocks of several dialects for one description or resource.

    Args:
        names: of dialects, in the order in which their blocks are to stand.
        links: the addresses of a space.
        at: the instant: what is open then names no services but, up to 1.0, those that lead to something better.
        languages: in which plain texts are best, best first.
    """
    chosen = [(dialect, _services(dialect, offer, at)) for dialect in map(DIALECTS.__getitem__, names)]
    served = {dialect.space for dialect, services in chosen if services and services != (AMBIENT,)}
    found: list[JSON] = []
    for dialect, services in chosen:
        # What stands for “no service at all” is not said beside real ones of a sister dialect.
        if services and not (services == (AMBIENT,) and dialect.space in served):
            found += dialect.blocks(offer, services, Setting(links(dialect.space), host, languages))
    return merged(found)


def _services(dialect: Dialect, offer: Offer, at: datetime) -> tuple[AccessService, ...]:
    if not is_open(offer, at):
        return services_of(offer, dialect.name)
    return services_above(offer, dialect.name) if dialect.probing is Probing.REDIRECT else ()


def media(offer: Offer, host: Host, links: Callable[[str], Links], languages: tuple[str, ...] = ("en",)) -> list[JSON]:
    """The blocks that the practice around 1.0 puts on a film, a recording or a document (A1X-01, A1X-02)."""
    services = tuple(one for one in services_of(offer, "1") if one is not AMBIENT and one.speaks(MEDIA))
    if not services:
        return []
    setting = Setting(links("1"), host, languages)
    return [*v1.DIALECT.blocks(offer, services, setting), v1.media_probe(offer, setting)]


def merged(blocks: Sequence[JSON]) -> list[JSON]:
    """Blocks of versions that share their constants are one block: 0.9.2 only adds children to what 0.9.4 says."""
    found: dict[tuple[JSONValue, ...], JSON] = {}
    for block in blocks:
        key = (block.get("@context"), block.get("@id", block.get("id")))
        found[key] = _joined(found[key], block) if key in found else block
    return list(found.values())


def _joined(first: JSON, second: JSON) -> JSON:
    children = [*_children(first)]
    children += [child for child in _children(second) if child not in children]
    return {**second, **first, "service": children}


def _children(block: JSON) -> list[JSONValue]:
    held = block.get("service")
    return list(held) if isinstance(held, list) else []
