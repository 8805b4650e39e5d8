"""Manifests that are brought in: kept as the plan of a batch, and turned into rows that are judged like a spreadsheet's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext

from iiif_auth import roles, store
from iiif_auth.conf import conf
from iiif_auth.exchange import trees, uploads
from iiif_auth.exchange.cells import CONTROL, Cell
from iiif_auth.exchange.dates import Style
from iiif_auth.exchange.known import in_parts
from iiif_auth.exchange.trees import MOST_CONTENTS, Content
from iiif_auth.models import Batch, Collection, Resource
from iiif_auth.protocol import identity, manifest

MOST_BYTES = 20_000_000
COLUMNS = ("identifier", "label", "type", "image_service", "collection", "policy", "thumbnail")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of what is ticked.

    Args:
        collection, policy: identifiers; empty to leave them alone.
        known: whether what is known already changes too.
        thumbnails: whether small pictures are governed like what they show.
    """

    collection: str = ""
    policy: str = ""
    known: bool = True
    thumbnails: bool = True


def kept(user: Any, text: bytes, name: str, collection: str = "") -> Batch:
    """Keep a document for its sender to look at.

    Raises:
        NotAManifest: it is none; the message is a sentence that says why.
    """
    found = trees.tree(manifest.parsed(text, MOST_BYTES))
    contents = [one for one in found.contents if normalised(one.uri)]
    if not contents and not found.references:
        raise manifest.NotAManifest(
            gettext(
                "There is nothing in this document that could be restricted; please check that it is the right one."
            )
        )
    plan: dict[str, Any] = {
        "form": "manifest",
        "name": (CONTROL.sub(" ", found.label) or name)[:200],
        "contents": [asdict(one) for one in contents[:MOST_CONTENTS]],
        "references": found.references,
        "rights": found.rights,
        "cut": found.cut or len(contents) > MOST_CONTENTS,
        "left": [],
        "wish": asdict(Wish(collection=collection)),
        "encoding": "",
        "separator": "",
        "sheet": "",
    }
    what = gettext("Manifest %(name)s") % {"name": plan["name"]}
    return uploads.kept(user, Batch.Kind.MANIFEST, what, plan, len(plan["contents"]))


def normalised(url: str) -> str:
    """The address as resources have it; ``""`` if nothing can have it."""
    try:
        return identity.normalised(url, conf.BASE_URL)
    except identity.NotAResourceURL:
        return ""


def contents_of(batch: Batch) -> list[Content]:
    return [Content(**one) for one in batch.plan["contents"]]


def ticked(batch: Batch, numbers: Sequence[int], chosen: Iterable[int]) -> None:
    """Of these contents, those that are chosen count; what is said of others stays."""
    left = (set(batch.plan["left"]) | set(numbers)) - set(chosen)
    batch.plan = {**batch.plan, "left": sorted(left)}


def ticked_all(batch: Batch, chosen: bool) -> None:
    """Everything counts, or nothing does."""
    batch.plan = {**batch.plan, "left": [] if chosen else list(range(len(batch.plan["contents"])))}


def proposed(batch: Batch, wish: Wish) -> None:
    """Judge what a wish comes to for everything that is ticked, and keep it."""
    batch.plan = {**batch.plan, "wish": asdict(wish), "rows": list(_rows(batch, wish))}
    batch.total = len(batch.plan["rows"])
    batch.save(update_fields=["total"])
    uploads.mapped(batch, COLUMNS, Style())


def _rows(batch: Batch, wish: Wish) -> Iterable[tuple[int, list[Cell]]]:
    left, contents = set(batch.plan["left"]), contents_of(batch)
    there = present(batch.actor, (one.uri for one in contents))
    for number, one in enumerate(contents):
        is_there = normalised(one.uri) in there
        if number in left or (is_there and not wish.known):
            continue
        about = ["", "", ""] if is_there else [_label(one), one.kind, str(one.image_api)]
        small = one.thumbnail if wish.thumbnails and normalised(one.thumbnail) != normalised(one.uri) else ""
        yield number + 1, [one.uri, *about, wish.collection, wish.policy, small if normalised(small) else ""]


def _label(one: Content) -> str:
    """The label as a cell: a line that begins like a formula is a text here."""
    text = " ".join(CONTROL.sub(" ", one.label).split())
    return f"'{text}" if text.startswith(("=", "-", "'")) else text


# -- What is there already ----------------------------------------------------------------------------------------


def present(user: Any, uris: Iterable[str]) -> dict[str, Resource]:
    """The resources that somebody finds at these addresses, by normalised address."""
    urls = list(dict.fromkeys(url for uri in uris if (url := normalised(uri))))
    found: dict[str, Resource] = {}
    for part in in_parts(urls):
        rows = Resource.objects.filter(url_digest__in=[identity.digest(url) for url in part])
        found.update({row.url: row for row in roles.visible(user, rows).select_related("collection", "policy")})
    return found


def placed_by_rule(user: Any, uris: Iterable[str]) -> dict[str, Collection]:
    """For addresses that are not known, the collection that takes them in by an address rule, if somebody finds it."""
    book = store.rulebook()
    keys = {url: book.collection_of(url) for uri in uris if (url := normalised(uri))}
    rows = Collection.objects.filter(pk__in={key for key in keys.values() if key})
    held = {row.pk: row for row in roles.visible(user, rows)}
    return {url: held[key] for url, key in keys.items() if key in held}


def picture_of(one: Content) -> str:
    """A small picture for a page of the admin: only one of this site's own, so that looking asks nobody else; else ``""``."""
    if one.thumbnail and normalised(one.thumbnail).startswith("/"):
        return urlsplit(one.thumbnail).path
    own = normalised(one.uri)
    return f"{own}/full/!100,100/0/default.jpg" if own.startswith("/") and one.image_api else ""


OPEN = ("publicdomain", "creativecommons.org", "/NoC-", "/CNE/")


def suggestion(rights: Sequence[str]) -> str:
    """What a statement of rights may mean for access, which it does not decide; ``""`` if there is none."""
    if not rights:
        return ""
    about = gettext("This describes copyright and not who may see it; you decide that here.")
    if all(any(word in one for word in OPEN) for one in rights):
        return gettext("It says that others may use it, so an open policy may fit.") + " " + about
    return gettext("It says that rights are kept, so look at the agreement before you open it.") + " " + about
