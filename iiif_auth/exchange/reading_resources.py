"""The columns about a resource itself: what they say, and what it would change."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from iiif_auth import roles
from iiif_auth.conf import conf
from iiif_auth.exchange import columns
from iiif_auth.exchange.cells import Wrong
from iiif_auth.exchange.deeds import Alter, Make
from iiif_auth.models import Rendition, Resource
from iiif_auth.models.content import ImageApi, Kind
from iiif_auth.protocol import identity, languages

if TYPE_CHECKING:
    from iiif_auth.exchange.judging import Bench, Given, Judged

FIELDS = {
    "type": "type",
    "image_service": "image_api",
    "collection": "collection",
    "policy": "policy",
    "note": "remarks",
}
"""The field of each column; the label is a map and goes its own way."""

EMPTY: dict[str, Any] = {"image_service": 0, "collection": None, "policy": None, "note": ""}
NO_SERVICE = ("0", "no", "none", "file")
SERVICE_IN_PATH = re.compile(r"/(?:iiif|image|images|iiif/image)/([23])/")
LOOSEN = "iiif_auth.loosen_policy"


# -- What a cell says ---------------------------------------------------------------------------------------------


def _type(bench: Bench, text: str) -> str:
    for kind in Kind:
        if text.casefold() in (kind.value.casefold(), str(kind.label).casefold()):
            return str(kind.value)
    listed = ", ".join(kind.value for kind in Kind)
    raise Wrong(gettext("“%(text)s” is no type; the types are %(types)s.") % {"text": text[:40], "types": listed})


def _image_service(bench: Bench, text: str) -> int:
    word = text.casefold()
    if word in (*NO_SERVICE, gettext("no").casefold()):
        return ImageApi.NONE.value
    found = re.search(r"(?:^|[^0-9])([23])(?:\.[0-9]+)*$", word)
    if found is None:
        raise Wrong(
            gettext("“%(text)s” is no image service; please write 3, 2, or 0 for a file.") % {"text": text[:40]}
        )
    return int(found[1])


def _collection(bench: Bench, text: str) -> Any:
    return bench.known.collections.find(text, gettext("There is no collection “%(name)s”."))


def _policy(bench: Bench, text: str) -> Any:
    return bench.known.policies.find(text, gettext("There is no policy “%(name)s”."))


def _note(bench: Bench, text: str) -> str:
    return text


READERS: dict[str, Callable[[Bench, str], Any]] = {
    "type": _type,
    "image_service": _image_service,
    "collection": _collection,
    "policy": _policy,
    "note": _note,
}


def said(bench: Bench, given: Given, found: Judged) -> dict[str, Any]:
    """The values that a row gives, by field; what is wrong goes to the errors of the row."""
    values: dict[str, Any] = {}
    for key, name in FIELDS.items():
        try:
            if key in given.cleared:
                values[name] = _cleared(key)
            elif key in given.values:
                values[name] = READERS[key](bench, given.values[key])
        except Wrong as wrong:
            found.errors.append(f"{columns.title(key)}: {wrong}")
    return values


def _cleared(key: str) -> Any:
    if key not in EMPTY:
        raise Wrong(gettext("This can not be cleared; please write what it is, or leave the cell empty."))
    return EMPTY[key]


def words(name: str, value: Any) -> str:
    """A value as it stands in a list of differences."""
    if value in (None, ""):
        return gettext("nothing")
    if name == "image_api":
        return str(ImageApi(value).label)
    return str(Kind(value).label) if name == "type" else str(value)


# -- Labels -------------------------------------------------------------------------------------------------------


def label_of(row: Resource) -> str:
    """The label in the language of the site, in which files are written and read."""
    held = row.label if isinstance(row.label, dict) else {}
    return languages.chosen(languages.frozen(held), (settings.LANGUAGE_CODE,))


def relabelled(row: Resource, text: str) -> dict[str, list[str]]:
    """The label with another text where :func:`label_of` reads it; other languages stay."""
    held = dict(row.label) if isinstance(row.label, dict) else {}
    language = settings.LANGUAGE_CODE
    read = next((tag for tag in held if " ".join(held[tag]) == label_of(row)), language)
    near = read.split("-")[0].lower() == language.split("-")[0].lower() or read == "none"
    return {**held, (read if near else language): [text]}


# -- A resource that is there -------------------------------------------------------------------------------------


def altered(bench: Bench, given: Given, found: Judged, row: Resource) -> None:
    """What a row changes of a resource."""
    values = {name: value for name, value in said(bench, given, found).items() if getattr(row, name) != value}
    if "label" in given.cleared:
        found.errors.append(f"{columns.title('label')}: {gettext('A label can not be cleared; write another one.')}")
    label = given.values.get("label", "")
    if label and label != label_of(row):
        found.changes.append((columns.title("label"), label_of(row), label))
        values["label"] = relabelled(row, label)
    if not values:
        return
    _check(bench, row, values)
    _tell(found, row, values)
    found.deeds.append(Alter(Resource, row.pk, tuple(sorted(values.items()))))


def _tell(found: Judged, row: Resource, values: dict[str, Any]) -> None:
    for key, name in FIELDS.items():
        if name in values:
            found.changes.append((columns.title(key), words(name, getattr(row, name)), words(name, values[name])))


def _check(bench: Bench, row: Resource, values: dict[str, Any]) -> None:
    """Raises ``Wrong`` unless this person may, there and where it goes, and the database would take it."""
    user = bench.known.user
    after = copy.copy(row)
    for name, value in values.items():
        setattr(after, name, value)
    if not bench.known.may("change_resource", row):
        raise Wrong(gettext("You may look at this resource but not change it."))
    if "collection" in values and not bench.known.may("change_resource", after):
        raise Wrong(gettext("You may not put it there; please choose one of your own collections."))
    if row.overrides and "policy" in values:
        _check_loosening(user, values["policy"])
    _check_sound(after)


def _check_loosening(user: Any, policy: Any) -> None:
    if policy is None:
        raise Wrong(
            gettext(
                "Its policy replaces those above, so it can not be cleared here; please change that on its own page."
            )
        )
    if not user.has_perm(LOOSEN):
        raise Wrong(gettext("Its policy replaces those above; only people who may loosen policies can exchange it."))


def _check_sound(row: Resource) -> None:
    if row.image_api and row.type != Kind.IMAGE:
        raise Wrong(
            gettext("Only images have an image service; please write 0 for “Image service”, or Image for “Type”.")
        )
    try:
        row.clean_fields(exclude=("collection", "policy", "url_digest"))
    except ValidationError as error:
        raise Wrong(" ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())) from error


# -- A resource that is new ---------------------------------------------------------------------------------------


def made(bench: Bench, given: Given, found: Judged, url: str) -> Resource:
    """The resource that a row makes.

    Raises:
        Wrong: nobody may make it, or this person may not.
    """
    _check_free(bench, url)
    values = said(bench, given, found)
    if found.errors:
        raise Wrong(gettext("So this resource can not be made."))
    label = given.values.get("label", "") or url.rsplit("/", 1)[-1]
    guess = service_of(url) if "image_api" not in values and values.get("type", Kind.IMAGE) == Kind.IMAGE else 0
    row = Resource(url=url, label={settings.LANGUAGE_CODE: [label]}, **{"image_api": guess, **values})
    _check_place(bench, row, url)
    _check_sound(row)
    if guess:
        found.hints.append(
            gettext("It becomes an image service of version %(version)d, by its address.") % {"version": guess}
        )
    found.changes.append((gettext("Resource"), gettext("nothing"), label))
    _tell(found, Resource(url=url), {name: value for name, value in values.items() if value not in (None, "")})
    found.deeds.append(Make(row))
    return row


def _check_free(bench: Bench, url: str) -> None:
    other = bench.known.renditions.get(url)
    if other is not None:
        raise Wrong(
            gettext("This is another address of “%(resource)s”; please use that one's own address, %(address)s.")
            % {"resource": other.resource, "address": other.resource.url}
        )
    if url in bench.known.elsewhere:
        raise Wrong(_not_found())


def _not_found() -> str:
    return gettext("There is no resource with this address among those you look after.")


def _check_place(bench: Bench, row: Resource, url: str) -> None:
    """Who works in some collections only makes what an address rule of theirs takes in.

    Otherwise trying to make something would tell whether others have it.
    """
    user = bench.known.user
    if not user.has_perm("iiif_auth.add_resource"):
        raise Wrong(_not_found())
    if roles.is_everywhere(user):
        return
    place = bench.known.places.get(url)
    own = {one.pk: one for one in bench.known.collections.rows.values()}
    if place not in own or not bench.known.may("add_resource", Resource(url=url)) or not roles.may_claim(user, url):
        raise Wrong(_not_found())
    row.collection = row.collection or own[place]
    if not bench.known.may("add_resource", row):
        raise Wrong(gettext("You may not put it there; please choose one of your own collections."))


def service_of(url: str) -> int:
    """The version of the Image API that an address seems to be of, by this site's doors and by custom; 0 for a file."""
    for door in conf.DOORS:
        path, serves = str(door.get("path", "")), str(door.get("serves", ""))
        if serves.startswith("image-") and path and url.startswith(path):
            return int(serves.removeprefix("image-"))
    found = SERVICE_IN_PATH.search(url)
    return int(found[1]) if found and not re.search(r"\.[a-z0-9]{2,4}$", url) else 0


# -- Other addresses ----------------------------------------------------------------------------------------------


def also_at(bench: Bench, given: Given, found: Judged, row: Resource) -> None:
    """The further address that a row gives to a resource, unless it has it already."""
    text = given.values.get("thumbnail", "")
    if not text:
        return
    try:
        url = identity.normalised(text, conf.BASE_URL)
    except identity.NotAResourceURL as error:
        found.errors.append(f"{columns.title('thumbnail')}: {error}")
        return
    held = bench.known.renditions.get(url)
    if url == row.url or (held is not None and held.resource_id == row.pk):
        return
    if _is_taken(bench, url):
        found.hints.append(gettext("%(address)s is the address of something else, and stays so.") % {"address": url})
        return
    _add_address(bench, found, row, url)


def _is_taken(bench: Bench, url: str) -> bool:
    known = bench.known
    return url in known.renditions or url in known.resources or url in bench.made or url in bench.taken


def _add_address(bench: Bench, found: Judged, row: Resource, url: str) -> None:
    free = url not in bench.known.elsewhere and roles.may_claim(bench.known.user, url)
    if not (free and bench.known.may("add_rendition", row)):
        found.hints.append(gettext("You may not add %(address)s to it, so that stays as it is.") % {"address": url})
        return
    bench.taken.add(url)
    found.changes.append((columns.title("thumbnail"), gettext("nothing"), url))
    found.deeds.append(Make(Rendition(resource=row, url=url, image_api=service_of(url) if row.image_api else 0)))
