"""Whether a manifest or a Collection is one, by the rules of the Presentation API 3.0 and 2.1, written from their texts.

A kind of object is a table: a rule for every property it must have, and for every other that it may have. What is in no table is
a fault too, so that a misspelled property is not taken for an extension.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PRESENTATION_2 = "http://iiif.io/api/presentation/2/context.json"
PRESENTATION_3 = "http://iiif.io/api/presentation/3/context.json"
AUTH_2 = "http://iiif.io/api/auth/2/context.json"

Rule = Callable[[Any, str], Iterator[str]]
"""The faults of a value that stands at a pointer, each as ``pointer: what is wrong``."""
Table = Mapping[str, Rule]

LANGUAGE = re.compile(r"none|[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
URI = re.compile(r"https?://[^/\s]+(/\S*)?")


def faults(document: Any) -> list[str]:
    """Everything that is wrong with a manifest or a Collection of either version."""
    if not isinstance(document, dict):
        return [": it is no object"]
    contexts = listed(document.get("@context"))
    if PRESENTATION_3 in contexts:
        return list(whole_3(document))
    if PRESENTATION_2 in contexts:
        return list(whole_2(document))
    return ["/@context: it names neither version of the Presentation API"]


# -- Rules for single values --------------------------------------------------------------------------------------


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def claim(holds: Callable[[Any], Any], wanted: str) -> Rule:
    def rule(value: Any, at: str) -> Iterator[str]:
        if not holds(value):
            yield f"{at}: {wanted} was expected"

    return rule


def one_of(*values: str) -> Rule:
    return claim(lambda value: isinstance(value, str) and value in values, " or ".join(values))


def each(rule: Rule, *, least: int = 1) -> Rule:
    """A list of such values."""

    def of_list(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list) or len(value) < least:
            yield f"{at}: a list of {least} or more was expected"
            return
        for number, one in enumerate(value):
            yield from rule(one, f"{at}/{number}")

    return of_list


def one_or_each(rule: Rule) -> Rule:
    """One such value, or a list of them (only Presentation 2)."""

    def of_both(value: Any, at: str) -> Iterator[str]:
        yield from (each(rule) if isinstance(value, list) else rule)(value, at)

    return of_both


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def is_language_map(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(map(LANGUAGE.fullmatch, value))
        and all(map(is_texts, value.values()))
    )


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) and text for text in value)


text = claim(lambda value: isinstance(value, str) and value, "a string")
uri = claim(lambda value: isinstance(value, str) and URI.fullmatch(value), "an http or https URI")
own_uri = claim(
    lambda value: isinstance(value, str) and URI.fullmatch(value) and "#" not in value, "a URI without a fragment"
)
side = claim(lambda value: is_number(value) and isinstance(value, int), "a positive whole number")
seconds = claim(is_number, "a positive number of seconds")
language_map = claim(is_language_map, "a language map with lists of strings")
date = claim(
    lambda value: isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value),
    "a date and time in UTC",
)
media_type = claim(lambda value: isinstance(value, str) and re.fullmatch(r"[\w.+-]+/[\w.+-]+", value), "a media type")
direction = one_of("left-to-right", "right-to-left", "top-to-bottom", "bottom-to-top")


@dataclass(frozen=True)
class Kind:
    """A kind of object. ``more`` finds what two properties have to do with each other."""

    needed: Table
    allowed: Table
    more: Rule = lambda value, at: iter(())

    def __call__(self, value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: an object was expected"
            return
        yield from (f"{at}/{name}: it is missing" for name in self.needed if name not in value)
        rules = {**self.allowed, **self.needed}
        for name, inner in value.items():
            yield from rules.get(name, unknown)(inner, f"{at}/{name}")
        yield from self.more(value, at)


def unknown(_value: Any, at: str) -> Iterator[str]:
    yield f"{at}: there is no such property here"


# -- Presentation 3.0 ---------------------------------------------------------------------------------------------

OLD_SERVICES = ("ImageService1", "ImageService2", "SearchService1", "AutoCompleteService1")
OLD_SERVICES += ("AuthCookieService1", "AuthTokenService1", "AuthLogoutService1", "AuthProbeService1")
CONTENT = ("Dataset", "Image", "Model", "Sound", "Text", "Video")


def service_3(value: Any, at: str) -> Iterator[str]:
    """Every service has an id and a type, with an @ if it is older than Presentation 3 (3.0, “service”)."""
    if not isinstance(value, dict):
        yield f"{at}: an object was expected"
        return
    old = "@type" in value
    names = ("@id", "@type") if old else ("id", "type")
    yield from (f"{at}/{name}: it is missing" for name in names if name not in value)
    yield from (f"{at}/{name}: it is one name too many" for name in ("id", "type") if old and name in value)
    yield from uri(value.get(names[0], "http://missing.example/"), f"{at}/{names[0]}")
    if (value.get(names[1]) in OLD_SERVICES) is not old and names[1] in value:
        yield f"{at}/{names[1]}: {value[names[1]]!r} is not written like that"
    if "@context" in value:
        yield f"{at}/@context: contexts belong to the top of the document"
    if "service" in value:
        yield from services_3(value["service"], f"{at}/service")


services_3 = each(service_3)


def content(value: Any, at: str) -> Iterator[str]:
    yield from CONTENT_3(value, at)


PAIR = Kind({"label": language_map, "value": language_map}, {})
LINK = {"label": language_map, "format": media_type, "profile": text, "language": each(text), "service": services_3}
SIDES = {"height": side, "width": side, "duration": seconds}
CONTENT_3 = Kind(
    {"id": uri, "type": one_of(*CONTENT)},
    {**LINK, **SIDES, "annotations": each(lambda value, at: PAGE(value, at)), "thumbnail": each(content)},
)
LABELLED = Kind({"id": uri, "type": text, "label": language_map}, {**LINK, **SIDES})
SEE_ALSO = Kind({"id": uri, "type": text}, LINK)
AGENT = Kind(
    {"id": uri, "type": one_of("Agent"), "label": language_map},
    {"homepage": each(LABELLED), "logo": each(content), "seeAlso": each(SEE_ALSO)},
)
PART_OF = Kind({"id": uri, "type": text}, {"label": language_map})

DESCRIPTIVE: Table = {
    "label": language_map,
    "metadata": each(PAIR),
    "summary": language_map,
    "requiredStatement": PAIR,
    "rights": uri,
    "provider": each(AGENT),
    "thumbnail": each(content),
    "navDate": date,
    "placeholderCanvas": lambda value, at: CANVAS(value, at),
    "accompanyingCanvas": lambda value, at: CANVAS(value, at),
    "behavior": each(text),
    "seeAlso": each(SEE_ALSO),
    "service": services_3,
    "homepage": each(LABELLED),
    "rendering": each(LABELLED),
    "partOf": each(PART_OF),
    "annotations": each(lambda value, at: PAGE(value, at)),
}


def body(value: Any, at: str) -> Iterator[str]:
    """What is painted: content, a choice between several, or part of one."""
    if isinstance(value, dict) and value.get("type") == "Choice":
        yield from each(content)(value.get("items"), f"{at}/items")
    elif isinstance(value, dict) and value.get("type") == "SpecificResource":
        yield from content(value.get("source"), f"{at}/source")
    else:
        yield from content(value, at)


def target(value: Any, at: str) -> Iterator[str]:
    yield from uri(value.get("source") if isinstance(value, dict) else value, at)


def painted_nothing(value: Any, at: str) -> Iterator[str]:
    if value.get("motivation") == "painting" and "body" not in value:
        yield f"{at}/body: it is missing, but something is to be painted"


ANNOTATION = Kind(
    {"id": uri, "type": one_of("Annotation"), "target": target},
    {"motivation": text, "body": body, "label": language_map},
    painted_nothing,
)
PAGE = Kind({"id": uri, "type": one_of("AnnotationPage")}, {"items": each(ANNOTATION), "label": language_map})
PAINTED = Kind({**PAGE.needed, "items": each(ANNOTATION)}, PAGE.allowed)
"""A page of a canvas is not elsewhere; others may only be referred to."""


def misshapen(value: Any, at: str) -> Iterator[str]:
    """A canvas has both sides, or a duration, or all three; what it shows is painted on itself."""
    if ("height" in value) is not ("width" in value):
        yield f"{at}: height and width were expected together"
    if not {"height", "duration"} & {*value}:
        yield f"{at}: sides or a duration were expected"
    for page in listed(value.get("items")):
        for annotation in listed(page.get("items") if isinstance(page, dict) else None):
            on = annotation.get("target") if isinstance(annotation, dict) else None
            on = on.get("source") if isinstance(on, dict) else on
            if str(on).partition("#")[0] != value.get("id"):
                yield f"{at}/items: something is painted on {on!r}, which is another canvas"


CANVAS = Kind(
    {"id": own_uri, "type": one_of("Canvas")},
    {**DESCRIPTIVE, **SIDES, "items": each(PAINTED, least=0)},
    misshapen,
)


def range_item(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict) and value.get("type") == "Range" and "items" in value:
        yield from RANGE(value, at)
    else:
        yield from Kind({"id": uri, "type": one_of("Canvas", "Range", "SpecificResource")}, {"label": language_map})(
            value, at
        )


RANGE = Kind(
    {"id": uri, "type": one_of("Range"), "items": each(range_item)},
    {**DESCRIPTIVE, "start": range_item, "viewingDirection": direction},
)
CONTEXT_3: Table = {"@context": lambda value, at: context_3(value, at)}
MANIFEST_3 = Kind(
    {"id": own_uri, "type": one_of("Manifest"), "label": language_map, "items": each(CANVAS)},
    {
        **CONTEXT_3,
        **DESCRIPTIVE,
        "services": services_3,
        "viewingDirection": direction,
        "start": range_item,
        "structures": each(RANGE),
    },
)


def member(value: Any, at: str) -> Iterator[str]:
    kinds = {"Manifest": {"type": one_of("Manifest")}, "Collection": {"type": one_of("Collection")}}
    kind = kinds.get(value.get("type") if isinstance(value, dict) else "", {"type": one_of(*kinds)})
    yield from Kind({"id": own_uri, "label": language_map, **kind}, {**DESCRIPTIVE, "items": each(member)})(value, at)


COLLECTION_3 = Kind(
    {"id": own_uri, "type": one_of("Collection"), "label": language_map, "items": each(member, least=0)},
    {**CONTEXT_3, **DESCRIPTIVE, "services": services_3, "viewingDirection": direction},
)
WHOLES_3 = {"Manifest": MANIFEST_3, "Collection": COLLECTION_3}


def context_3(value: Any, at: str) -> Iterator[str]:
    """Other contexts go before that of the Presentation API, which has the last word."""
    if not all(isinstance(one, str) for one in listed(value)) or listed(value)[-1] != PRESENTATION_3:
        yield f"{at}: {PRESENTATION_3} was expected at the end"


def whole_3(document: dict[str, Any]) -> Iterator[str]:
    kind = WHOLES_3.get(str(document.get("type")))
    if kind is None:
        yield "/type: Manifest or Collection was expected"
        return
    yield from kind(document, "")
    yield from repeated(document, "id", "type", ("Manifest", "Canvas", "AnnotationPage", "Annotation", "Range"))
    if any(speaks_auth_2(one) for one in objects(document)) and AUTH_2 not in listed(document["@context"]):
        yield f"/@context: {AUTH_2} was expected, for there are services of it"


def speaks_auth_2(value: dict[str, Any]) -> bool:
    return str(value.get("type")).startswith("Auth") and str(value.get("type")).endswith("2")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def repeated(document: Any, id: str, type: str, kinds: tuple[str, ...]) -> Iterator[str]:
    """Parts of the document that have the same identifier."""
    found = Counter(str(one.get(id)) for one in objects(document) if one.get(type) in kinds and id in one)
    yield from (f": {name} stands for {number} things" for name, number in found.items() if number > 1)


# -- Presentation 2.1 ---------------------------------------------------------------------------------------------

OLD_CONTENT = tuple(
    f"dctypes:{name}" for name in ("Dataset", "Image", "InteractiveResource", "MovingImage", "Sound", "StillImage")
)
OLD_CONTENT += ("dctypes:Text", "dctypes:PhysicalObject", "foaf:Document", "oa:Choice", "cnt:ContentAsText")


def is_worded(value: Any) -> bool:
    return bool(
        isinstance(value, dict) and isinstance(value.get("@value"), str) and value.keys() <= {"@value", "@language"}
    )


words = one_or_each(
    claim(lambda value: (isinstance(value, str) and value) or is_worded(value), "a text, or one with a language")
)


def service_2(value: Any, at: str) -> Iterator[str]:
    """A service says by a context what it is, and one that was complete before can be cited by its URI."""
    if isinstance(value, str):
        yield from uri(value, at)
        return
    yield from Kind({"@context": text, "profile": one_or_each(text)}, inner_names(value))(value, at)
    yield from nested_2(value, at)


def nested_2(value: Any, at: str) -> Iterator[str]:
    """What stands in a service of Auth shares its context; what stands in another brings its own."""
    if not isinstance(value, dict) or "service" not in value:
        return
    is_auth = "/api/auth/" in str(value.get("@context")) or "/api/auth/" in str(value.get("profile"))
    yield from one_or_each(auth_child if is_auth else service_2)(value["service"], f"{at}/service")


def auth_child(value: Any, at: str) -> Iterator[str]:
    names = {name for name in ("id", "@id") if isinstance(value, dict) and name in value}
    yield from Kind({}, inner_names(value))(value, at)
    if not names:
        yield f"{at}/@id: it is missing"
    if isinstance(value, dict) and not {"profile", "type"} & {*value}:
        yield f"{at}/profile: it is missing"
    yield from nested_2({"@context": "/api/auth/", **value} if isinstance(value, dict) else value, at)


def inner_names(value: Any) -> Table:
    """The vocabulary of services is their own; only their addresses are looked at."""
    names = value if isinstance(value, dict) else {}
    return {name: uri if name in ("@id", "id") else anything for name in names}


def anything(_value: Any, _at: str) -> Iterator[str]:
    return iter(())


services_2 = one_or_each(service_2)


def linked(*needed: str) -> Rule:
    """A URI, or an object with one and these properties."""
    rules: Table = {"format": media_type, "label": words, "profile": text, "service": services_2, "@type": text}

    def rule(value: Any, at: str) -> Iterator[str]:
        if isinstance(value, str) and not needed:
            yield from uri(value, at)
        else:
            yield from Kind({"@id": uri, **{name: rules[name] for name in needed}}, {**rules, **SIDES})(value, at)

    return one_or_each(rule)


DESCRIPTIVE_2: Table = {
    "label": words,
    "metadata": each(Kind({"label": words, "value": words}, {})),
    "description": words,
    "thumbnail": linked(),
    "attribution": words,
    "license": one_or_each(uri),
    "logo": linked(),
    "viewingHint": text,
    "related": linked(),
    "rendering": linked("format", "label"),
    "service": services_2,
    "seeAlso": linked(),
    "within": one_or_each(linked()),
}
CONTENT_2 = Kind({"@id": uri, "@type": one_of(*OLD_CONTENT)}, {**DESCRIPTIVE_2, **SIDES, "format": media_type})
ANNOTATION_2 = Kind(
    {"@type": one_of("oa:Annotation"), "motivation": one_of("sc:painting"), "resource": CONTENT_2, "on": uri},
    {"@id": uri},
)


def painted_elsewhere(value: Any, at: str) -> Iterator[str]:
    for number, annotation in enumerate(listed(value.get("images"))):
        on = annotation.get("on") if isinstance(annotation, dict) else None
        if str(on).partition("#")[0] != value.get("@id"):
            yield f"{at}/images/{number}/on: {on!r} is another canvas"


CANVAS_2 = Kind(
    {"@id": own_uri, "@type": one_of("sc:Canvas"), "label": words, "height": side, "width": side},
    {**DESCRIPTIVE_2, "images": each(ANNOTATION_2, least=0), "otherContent": each(linked())},
    painted_elsewhere,
)
SEQUENCE = Kind(
    {"@type": one_of("sc:Sequence"), "canvases": each(CANVAS_2)},
    {**DESCRIPTIVE_2, "@id": uri, "viewingDirection": direction, "startCanvas": uri},
)
CONTEXT_2: Table = {"@context": one_of(PRESENTATION_2)}
MANIFEST_2 = Kind(
    {"@id": own_uri, "@type": one_of("sc:Manifest"), "label": words, "sequences": each(SEQUENCE), **CONTEXT_2},
    {**DESCRIPTIVE_2, "navDate": date, "viewingDirection": direction, "structures": each(anything)},
)
MEMBERS = {
    name: Kind({"@id": own_uri, "@type": one_of(name), "label": words}, DESCRIPTIVE_2)
    for name in ("sc:Manifest", "sc:Collection")
}


def member_2(value: Any, at: str) -> Iterator[str]:
    kind = MEMBERS.get(str(value.get("@type")) if isinstance(value, dict) else "", MEMBERS["sc:Manifest"])
    yield from kind(value, at)


COLLECTION_2 = Kind(
    {"@id": own_uri, "@type": one_of("sc:Collection"), "label": words, **CONTEXT_2},
    {
        **DESCRIPTIVE_2,
        "navDate": date,
        "manifests": each(MEMBERS["sc:Manifest"]),
        "collections": each(MEMBERS["sc:Collection"]),
        "members": each(member_2),
    },
)
WHOLES_2 = {"sc:Manifest": MANIFEST_2, "sc:Collection": COLLECTION_2}


def whole_2(document: dict[str, Any]) -> Iterator[str]:
    kind = WHOLES_2.get(str(document.get("@type")))
    if kind is None:
        yield "/@type: sc:Manifest or sc:Collection was expected"
        return
    yield from kind(document, "")
    yield from repeated(document, "@id", "@type", ("sc:Manifest", "sc:Canvas", "sc:Sequence", "oa:Annotation"))
