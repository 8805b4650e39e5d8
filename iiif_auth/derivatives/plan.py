"""Which files the policies in force ask for.

The store is asked about every address that a smaller version has, so that the file made here is the one that is decided about
and fetched: its tier, its size and its name are the store's answer (security 2.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote

from iiif_auth import store
from iiif_auth.conf import conf
from iiif_auth.derivatives.folders import FORMS, RECORDINGS, Folder, Original, extension
from iiif_auth.derivatives.jobs import Job
from iiif_auth.derivatives.limits import NotMade
from iiif_auth.derivatives.recipes import NotARecipe, Recipes
from iiif_auth.models import Rendition, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import in_force
from iiif_auth.protocol import identity
from iiif_auth.store.offers import suffixed

AT_ONCE = 100
"""Resources asked about in one go."""

FILMS_AS = {
    "mov": "mp4",
    "mkv": "mp4",
    "avi": "mp4",
    "mpg": "mp4",
    "mpeg": "mp4",
    "ts": "mp4",
    "mxf": "mp4",
    "ogv": "webm",
}
SOUND_AS = {"wav": "mp3", "flac": "mp3", "aif": "mp3", "aiff": "mp3", "mka": "m4a", "oga": "ogg"}
"""What is made of originals that no browser plays, or that have no lesser form, where no row says how it is called."""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A version that can not be made, and the sentence that says why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the command was asked to make versions of; everything, if nothing is named."""

    resources: Collection[str] = ()
    collections: Collection[str] = ()
    policies: Collection[str] = ()

    def takes(self, offer: policy.Offer, policies: Iterable[policy.Policy]) -> bool:
        levels = {level.name for level in offer.levels}
        slugs = {one.slug for one in policies}
        return (not self.collections or not levels.isdisjoint(self.collections)) and (
            not self.policies or not slugs.isdisjoint(self.policies)
        )


@dataclass(frozen=True, slots=True)
class Lesser:
    """A smaller version as the store knows it: its tier, and the name of its bytes, empty if it has no address yet."""

    policy: str
    tier: str
    suffix: str
    edge: int
    source: str


@dataclass(slots=True)
class Planner:
    """Turns resources into jobs.

    ``elsewhere`` counts the resources on other sites that have no name at the source: their originals are not here.
    """

    originals: Folder
    recipes: Recipes
    made: Collection[str] = ()
    elsewhere: int = 0
    _kept: set[str] = field(default_factory=set)
    _taken: dict[str, Job] = field(default_factory=dict)

    def jobs(self, chosen: Chosen) -> Iterator[Job | Unplanned]:
        """Every file that is asked for, each once."""
        self._kept = set(names_of_originals())
        rows = resources(chosen)
        while batch := list(islice(rows, AT_ONCE)):
            for row, lesser in versions(batch, chosen):
                yield from self._jobs_of(row, lesser)

    def _jobs_of(self, row: Resource, lesser: list[Lesser]) -> Iterator[Job | Unplanned]:
        name = row.source or ("" if row.url.startswith("https:") else address_name(row.url))
        if not name:
            self.elsewhere += bool(lesser)
            return
        for version in lesser:
            try:
                job = self._job(version, self.originals.original(name, self.made))
            except NotMade as problem:
                yield Unplanned(version.source or suffixed(name, version.suffix), str(problem))
            else:
                yield from self._once(job)

    def _once(self, job: Job) -> Iterator[Job | Unplanned]:
        """Two addresses of one version are one file; two versions under one name are a mistake."""
        taken = self._taken.setdefault(job.name, job)
        if taken is job:
            yield job
        elif (taken.edge, taken.recipe, taken.original.name) != (job.edge, job.recipe, job.original.name):
            yield Unplanned(job.name, "Two different versions have this name; give one of them another.")

    def _job(self, version: Lesser, original: Original) -> Job:
        added = "" if extension(version.source) else original.added
        name = version.source + added if version.source else unaddressed(original, version.suffix)
        form = form_of(name, original)
        if name == original.name or name in self._kept or (name.rpartition(".")[0] in self._kept and original.added):
            raise NotMade("An original has this name, and originals are never written over; give the version another.")
        recipe = self.recipes.of(version.policy, version.tier)
        return Job(name, original, recipe.edge(version.edge), recipe, form, addressed=bool(version.source))


def form_of(name: str, original: Original) -> str:
    """What is written: by the extension of the name, or as the original is if the name has none.

    Raises:
        NotMade: a picture is wanted of a recording, or the other way round.
    """
    given, own = extension(name), extension(original.name)
    wanted = given or own
    if (wanted in FORMS) != (own in FORMS):
        raise NotMade(f"A .{wanted} can not be made of a .{own}; give the version another name.")
    return FORMS.get(wanted, wanted)


def unaddressed(original: Original, suffix: str) -> str:
    """The name of a version that no row names yet, in a form that browsers play."""
    own = extension(original.name)
    wanted = FILMS_AS.get(own) or SOUND_AS.get(own)
    name = suffixed(original.name, suffix)
    return f"{name.rpartition('.')[0]}.{wanted}" if own in RECORDINGS and wanted else name


def address_name(url: str) -> str:
    """The name in an address, as an image server or a folder is asked for it."""
    return unquote(url.rpartition("/")[2])


def names_of_originals() -> Iterator[str]:
    """The names of all originals that any row speaks of: no version may be written over them."""
    using = store.database()
    full = Rendition.objects.using(using).filter(tier="").exclude(source="")
    yield from full.values_list("source", flat=True).iterator()
    for source, url in Resource.objects.using(using).values_list("source", "url").iterator():
        yield source or address_name(url)


def resources(chosen: Chosen) -> Iterator[Resource]:
    """The rows, those named or all of them."""
    rows = Resource.objects.using(store.database()).order_by("pk").prefetch_related("renditions")
    if chosen.resources:
        rows = rows.filter(url_digest__in=[identity.digest(url) for url in chosen.resources])
    yield from rows.iterator(chunk_size=AT_ONCE)


# -- Versions -------------------------------------------------------------------------------------------------------

Tiers = dict[str, tuple[policy.Policy, policy.Tier]]
"""By suffix: the tier in force that has it, of several the one that shows most, which is the one its address asks for."""


def versions(rows: Iterable[Resource], chosen: Chosen) -> Iterator[tuple[Resource, list[Lesser]]]:
    """The resources that have smaller versions as files of their own, and these."""
    by_url = {row.url: row for row in rows}
    tiers: dict[str, Tiers] = {}
    suffixes = store.rulebook().tier_suffixes
    for url, offer in store.find_offers(by_url).items():
        held = [one for one in in_force(offer.levels) if one is not None] if offer else []
        if offer and chosen.takes(offer, held):
            tiers[url] = smaller_tiers(held, suffixes)
    addresses = {url: dict(addressed(by_url[url], found)) for url, found in tiers.items()}
    offers = store.find_offers(one for several in addresses.values() for one in several)
    for url, found in tiers.items():
        yield by_url[url], list(_lesser(found, addresses[url], offers))


def smaller_tiers(held: Iterable[policy.Policy], suffixes: Mapping[tuple[str, str], str]) -> Tiers:
    """The tiers whose versions are files of their own."""
    found: Tiers = {}
    for one in held:
        for tier in one.tiers:
            if tier.gets is policy.Gets.SMALLER and tier.virtual is None:
                # Policies of the host have none: their addresses are its own.
                suffix = suffixes.get((one.slug, tier.slug), "")
                if suffix and (suffix not in found or found[suffix][1].max_edge < tier.max_edge):
                    found[suffix] = (one, tier)
    return found


def addressed(row: Resource, tiers: Tiers) -> Iterator[tuple[str, str]]:
    """Addresses of versions with the suffix of their tier: those of rows, and of an image service for the tiers without one.

    Where a row says that the bytes are delivered elsewhere, that is where the file is.
    """
    rows: dict[str, list[Rendition]] = defaultdict(list)
    for rendition in row.renditions.all():
        rows[rendition.tier].append(rendition)
    for suffix, (_policy, tier) in tiers.items():
        own = [one for one in rows[tier.slug] if is_here(one)]
        delivered = [one for one in own if one.is_location]
        for one in delivered or own:
            yield one.url, suffix
        if not own and row.image_api:
            yield row.url + suffix, suffix
            # The same picture in the other version of the API, if it goes by another name at the source.
            yield from ((one.url + suffix, suffix) for one in rows[""] if one.image_api and one.source)


def is_here(row: Rendition) -> bool:
    return bool(row.source) or not row.url.startswith("https:")


def _lesser(tiers: Tiers, addresses: dict[str, str], offers: dict[str, policy.Offer | None]) -> Iterator[Lesser]:
    for url, suffix in addresses.items():
        held, tier = tiers[suffix]
        wanted = offer.wanted if (offer := offers.get(url)) else None
        # A row of its own at that address is a resource like any other, and what is cut on the fly needs no file.
        if wanted and wanted.virtual is None and policy.OTHER < wanted.reach < policy.FULL:
            edge = min(wanted.reach, tier.max_edge)
            yield Lesser(held.slug, tier.slug, suffix, edge, wanted.source or address_name(url))
    for suffix in tiers.keys() - set(addresses.values()):
        held, tier = tiers[suffix]
        yield Lesser(held.slug, tier.slug, suffix, tier.max_edge, "")


# -- What was asked for ---------------------------------------------------------------------------------------------


def normalised(urls: Iterable[str]) -> tuple[str, ...]:
    """Addresses as they are stored.

    Raises:
        NotAResourceURL: one of them can be none.
    """
    return tuple(identity.normalised(url, conf.BASE_URL) for url in urls)


def check_tables(recipes: Recipes) -> None:
    """See that every table of a recipe is for a tier there is: a slip of the pen would leave out a watermark in silence.

    Raises:
        NotARecipe: there is no such tier.
    """
    known = {name for held, tier in store.rulebook().tier_suffixes for name in (tier, f"{held}/{tier}")}
    for name in recipes.tables:
        if name not in known:
            raise NotARecipe(f"The recipe has a table [{name}], but no policy has such a tier with a smaller version.")
