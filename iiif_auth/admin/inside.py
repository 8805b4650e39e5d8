"""What is restricted in a manifest: its items that are ours, by canvas, each with the question why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import fetch, roles, store
from iiif_auth.admin import spoken
from iiif_auth.conf import conf
from iiif_auth.models import Collection, Resource
from iiif_auth.policy.types import Offer
from iiif_auth.protocol import identity, languages, manifest
from iiif_auth.protocol.manifest import NotAManifest
from iiif_auth.protocol.terms import JSON, is_open

MAX_LETTERS = 2_000_000
"""Of a manifest that is pasted: a little below what Django takes of a form."""
MOST_SHOWN = 500
CANVAS = re.compile(r"/canvas(?:es)?/[^/]+/?$")


class ManifestForm(forms.Form):
    """A manifest, or one of its canvases, by address; or its text."""

    url = forms.CharField(
        label=_("Address of a manifest or of one of its canvases"),
        required=False,
        max_length=4000,
        help_text=_(
            "It is fetched only from the sites in MANIFEST_SOURCES. A link that opens it in a viewer is fine too."
        ),
    )
    text = forms.CharField(
        label=_("Or the manifest itself"),
        required=False,
        max_length=MAX_LETTERS,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60, "spellcheck": "false"}),
        help_text=_("Pasted from a browser, at most two million letters."),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and bool(found.get("url")) == bool(found.get("text")):
            raise ValidationError(_("Please give either the address of a manifest or the manifest itself."))
        return found


@dataclass(frozen=True, slots=True)
class Item:
    """Something restricted in a manifest, and the canvas it is on."""

    canvas: str
    label: str
    url: str
    uri: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The restricted items of a manifest, and how many addresses there are besides: open, and not ours to look after."""

    label: str
    items: tuple[Item, ...]
    more: int
    open: int
    others: int


def answered(model_admin: Any, request: HttpRequest, askable: QuerySet[Resource]) -> HttpResponse:
    """The page: the form, and after a sound answer what is in the manifest."""
    form = ManifestForm(request.POST if request.method == "POST" else None)
    contents = None
    if form.is_bound and form.is_valid():
        try:
            document, canvas = document_of(form.cleaned_data)
            contents = contents_of(document, canvas, request.user, askable)
        except (fetch.NotFetched, NotAManifest) as problem:
            form.add_error("url" if form.cleaned_data["url"] else "text", str(problem))
        except store.RulesInMotion:
            form.add_error(None, _("The rules can not be read just now. Please try again in a minute."))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": gettext("What is restricted in a manifest"),
        "form": form,
        "contents": contents,
        "fetches": bool(conf.MANIFEST_SOURCES),
    }
    return TemplateResponse(request, "admin/iiif_auth/why_manifest.html", context)


# -- Getting it ---------------------------------------------------------------------------------------------------


def document_of(given: dict[str, Any]) -> tuple[JSON, str]:
    """The document, and the canvas that was asked for, or ``""``.

    Raises:
        NotFetched, NotAManifest: with a sentence that says why.
    """
    if given["text"]:
        return manifest.parsed(given["text"].encode()), ""
    url = linked(given["url"])
    # Of the addresses that a canvas leads to, the first that has a document; the last one says why there is none.
    *first, last = candidates(url)
    for one in first:
        try:
            return manifest.parsed(fetch.fetched(one, conf.MANIFEST_SOURCES)), canvas_in(url)
        except (fetch.NotThere, NotAManifest):
            continue
    return manifest.parsed(fetch.fetched(last, conf.MANIFEST_SOURCES)), canvas_in(url)


def linked(url: str) -> str:
    """The manifest that a link into a viewer names; any other address as it is."""
    parts = urlsplit(url)
    for text in (parts.query, parts.fragment.removeprefix("?"), parts.fragment):
        named = dict(parse_qsl(text.partition("?")[2] or text))
        if found := named.get("canvas") or named.get("manifest") or named.get("iiif-content"):
            return found
    return url


def candidates(url: str) -> list[str]:
    """Where the manifest of a canvas may be, by the usual shapes of addresses; any other address is its own."""
    plain = url.partition("#")[0]
    if not CANVAS.search(plain):
        return [plain]
    above = CANVAS.sub("", plain)
    return [f"{above}/manifest.json", f"{above}/manifest", above]


def canvas_in(url: str) -> str:
    plain = url.partition("#")[0]
    return plain if CANVAS.search(plain) else ""


# -- What is in it ------------------------------------------------------------------------------------------------


def contents_of(document: JSON, canvas: str, user: Any, askable: QuerySet[Resource]) -> Contents:
    """The restricted items of a manifest that are somebody's to look after.

    Raises:
        NotAManifest: it is nested too deeply.
        RulesInMotion: the rules changed each time while they were being read.
    """
    urls, canvases = manifest.mentioned(document), list(canvases_of(document))
    where = {url: label for _name, label, found in reversed(canvases) for url in found}
    if wanted := {url for name, _label, found in canvases if name == canvas for url in found}:
        urls = [url for url in urls if url in wanted]
    spelt = {url: uri for url in urls if (uri := normalised(url))}
    found = store.find_offers(spelt.values())
    seen = yours(found.values(), user, askable)
    ours = {url: offer for url, uri in spelt.items() if (offer := found[uri]) is not None and id(offer) in seen}
    now = timezone.now()
    closed = {url: offer for url, offer in ours.items() if not is_open(offer, now)}
    items = [Item(where.get(url, ""), spoken.picked(offer.label), url, spelt[url]) for url, offer in closed.items()]
    return Contents(
        label=label_of(document),
        items=tuple(items[:MOST_SHOWN]),
        more=max(0, len(items) - MOST_SHOWN),
        open=len(ours) - len(closed),
        others=len(urls) - len(ours),
    )


def normalised(url: str) -> str:
    try:
        return identity.normalised(url, conf.BASE_URL)
    except identity.NotAResourceURL:
        return ""


def yours(offers: Iterable[Offer | None], user: Any, askable: QuerySet[Resource]) -> set[int]:
    """Which of these offers somebody may ask about, by identity: two queries for some hundreds of them."""
    held = [offer for offer in offers if offer is not None and offer.levels]
    digests = {identity.digest(offer.levels[0].name): offer for offer in held if offer.levels[0].name.isascii()}
    known = set(Resource.objects.filter(url_digest__in=digests).values_list("url_digest", flat=True))
    yours = set(askable.filter(url_digest__in=known).values_list("url_digest", flat=True))
    around = {offer.levels[1].name for offer in held if len(offer.levels) > 1}
    places = set(roles.visible(user, Collection.objects.filter(slug__in=around)).values_list("slug", flat=True))
    return {id(offer) for offer in held if _is_yours(offer, known, yours, places, user)}


def _is_yours(offer: Offer, known: set[str], yours: set[str], places: set[str], user: Any) -> bool:
    name = identity.digest(offer.levels[0].name) if offer.levels[0].name.isascii() else ""
    if name in known:
        return name in yours
    if len(offer.levels) > 1:
        return offer.levels[1].name in places
    return roles.is_everywhere(user)


def canvases_of(document: Any) -> Iterator[tuple[str, str, list[str]]]:
    """The canvases of a document in order: address, label, and every address in each."""
    pending = [document]
    while pending:
        held = pending.pop()
        if isinstance(held, list):
            pending.extend(reversed(held))
        elif isinstance(held, dict) and is_canvas(held):
            yield str(held.get("id") or held.get("@id") or ""), label_of(held), list(addresses_in(held))
        elif isinstance(held, dict):
            pending.extend(reversed(list(held.values())))


def is_canvas(held: JSON) -> bool:
    return str(held.get("type") or held.get("@type") or "").removeprefix("sc:") == "Canvas"


def addresses_in(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        held = pending.pop()
        if isinstance(held, dict):
            yield from (str(held[key]).partition("#")[0] for key in ("id", "@id") if key in held)
            pending.extend(held.values())
        elif isinstance(held, list):
            pending.extend(held)


def label_of(held: JSON) -> str:
    """A label in either version of the Presentation API, as plain text."""
    label = held.get("label")
    if isinstance(label, dict) and all(isinstance(texts, list) for texts in label.values()):
        try:
            return spoken.picked(languages.frozen({key: list(map(str, texts)) for key, texts in label.items()}))
        except (AttributeError, TypeError):
            return ""
    first = label[0] if isinstance(label, list) and label else label
    return str(first.get("@value", "") if isinstance(first, dict) else first or "")[:300]
