"""What somebody asks about: an item, whether one may ask for it, and whether a grant would open it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from iiif_auth import store
from iiif_auth.conf import conf
from iiif_auth.models import AccessPolicy, Rendition, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import Case, in_force, in_utc, is_allowed
from iiif_auth.protocol import identity
from iiif_auth.protocol.languages import chosen

TRIED = policy.invited("?")
"""Somebody with a grant, for finding out what a grant would do."""


@dataclass(frozen=True)
class Item:
    """An address and the offer behind it."""

    uri: str
    offer: policy.Offer

    @cached_property
    def resource(self) -> Resource | None:
        """The row that a grant is given for: of the address itself, or of what it is a version of."""
        candidates = [self.uri, *(base for base, _suffix in store.rulebook().bases(self.uri))]
        return next((row for uri in candidates if (row := _row_at(uri)) is not None), None)

    @cached_property
    def policies(self) -> list[AccessPolicy]:
        """The policies that govern it."""
        slugs = [found.slug for found in in_force(self.offer.levels) if found is not None]
        return list(AccessPolicy.objects.filter(slug__in=slugs, is_template=False)) if slugs else []

    @property
    def needs_two(self) -> bool:
        """Whether two people must approve."""
        return any(row.second_approver for row in self.policies)

    @property
    def terms(self) -> list[policy.AccessService]:
        """What people agree to on the way in."""
        found = {
            service.slug: service
            for held in in_force(self.offer.levels)
            for tier in (held.tiers if held else ())
            for service in tier.services
            if service.pattern is policy.Pattern.CLICKTHROUGH
        }
        return list(found.values())

    @property
    def tiers(self) -> list[policy.Tier]:
        """The tiers that can be granted instead of the full version, each identifier once."""
        found = {
            tier.slug: tier
            for held in in_force(self.offer.levels)
            for tier in (held.tiers if held else ())
            if tier.gets is policy.Gets.SMALLER
        }
        return list(found.values())

    def label(self, languages: tuple[str, ...]) -> str:
        return chosen(self.offer.label, languages) or self.uri.rpartition("/")[2] or self.uri

    def may_be_asked_for(self, subject: policy.Subject, at: datetime) -> bool:
        """Whether the page that says why not has a form: the policies that refuse say so, and a grant would open it.

        What is kept secret is never asked for, nor what comes from the host's own hook, which knows nothing of our grants.
        """
        return (
            not self.offer.hidden
            and self._is_ours
            and self._all_who_refuse_may_be_asked(subject, at)
            and opened_by_grant(self.offer, at)
        )

    @property
    def _is_ours(self) -> bool:
        return self.resource is not None or store.rulebook().collection_of(self.uri) is not None

    def _all_who_refuse_may_be_asked(self, subject: policy.Subject, at: datetime) -> bool:
        wanted = self.offer.wanted.reach
        refusing = {
            standing.policy.slug
            for standing in Case(self.offer, subject, in_utc(at)).standings
            if standing.policy is not None and standing.reach < wanted
        }
        requestable = {row.slug for row in self.policies if row.requestable}
        return bool(requestable) and refusing <= requestable


def _row_at(uri: str) -> Resource | None:
    digest = identity.digest(uri)
    row = Resource.objects.filter(url_digest=digest).first()
    if row is None:
        found = Rendition.objects.filter(url_digest=digest).select_related("resource").first()
        row = found.resource if found else None
    return row


def item_at(uri: str) -> Item | None:
    """What is behind a normalised URL; ``None`` if nothing is, or nobody may know.

    Raises:
        RulesInMotion: see :func:`iiif_auth.store.rulebook`.
    """
    offer = store.find_offer(uri)
    return None if offer is None else Item(uri, offer)


def opened_by_grant(offer: policy.Offer, at: datetime, reach: int = policy.FULL) -> bool:
    """Whether a grant at the item itself would open it now: withdrawals and embargoes without exceptions are not opened."""
    levels = offer.levels or (policy.Level(name=""),)
    first = replace(levels[0], grants=(*levels[0].grants, policy.Grant(TRIED, reach)))
    tried = replace(offer, levels=(first, *levels[1:]), restricted=False)
    wanted = min(offer.wanted.reach, reach)
    subject = policy.Subject(attributes=frozenset({(TRIED.name, TRIED.value)}))
    return is_allowed(replace(tried, wanted=replace(tried.wanted, reach=wanted)), subject, at)


def address_of(uri: str) -> str:
    """The public address of a normalised URL."""
    return identity.absolute(uri, conf.BASE_URL)


def openable(rendition: policy.Rendition) -> str:
    """An address at which a browser shows a rendition by itself: of an image service, a picture of moderate size."""
    uri = address_of(rendition.uri)
    return uri if rendition.image_api is policy.ImageApi.NONE else f"{uri}/full/!1200,1200/0/default.jpg"
