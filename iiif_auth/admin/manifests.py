"""Manifests and Collections that are brought in: what they show, what governs it now, and what shall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import fetch, roles
from iiif_auth.admin.tables import check, waiting
from iiif_auth.conf import conf
from iiif_auth.exchange import manifests, uploads
from iiif_auth.exchange.manifests import MOST_BYTES, Wish
from iiif_auth.exchange.trees import Content
from iiif_auth.models import AccessPolicy, Batch, Collection, Resource
from iiif_auth.protocol.manifest import NotAManifest

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Resource]
else:
    Base = object

PER_PAGE = 100
MOST_OFFERED = 200
"""Collections that are offered while somebody types; of more, the identifier is typed."""


# -- Forms --------------------------------------------------------------------------------------------------------


class ManifestForm(forms.Form):
    """A manifest: one of a file, a text, or an address."""

    file = forms.FileField(
        label=_("File"), required=False, widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )
    text = forms.CharField(
        label=_("Or its text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "cols": 80, "spellcheck": "false"}),
        help_text=_("JSON, copied and pasted. Send a file if it is longer than two megabytes."),
    )
    url = forms.CharField(label=_("Or its address"), required=False, max_length=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not conf.MANIFEST_SOURCES:
            del self.fields["url"]
        else:
            listed = {"sources": ", ".join(conf.MANIFEST_SOURCES)}
            self.fields["url"].help_text = gettext("Fetched once. Only from here: %(sources)s") % listed

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        given = [name for name in ("file", "text", "url") if found.get(name)]
        if len(given) != 1:
            self.add_error("file", gettext("Please give one thing: a file, its text, or its address."))
            return found
        try:
            found["document"] = getattr(self, f"_{given[0]}")(found[given[0]])
        except fetch.NotFetched as problem:
            self.add_error(given[0], str(problem))
        return found

    def _file(self, file: Any) -> bytes:
        text: bytes = file.read(MOST_BYTES + 1)
        return text

    def _text(self, text: str) -> bytes:
        return text.encode("utf-8", "replace")

    def _url(self, url: str) -> bytes:
        return fetch.fetched(url.strip(), conf.MANIFEST_SOURCES, MOST_BYTES)


class CollectionField(forms.CharField):
    """A collection by its identifier, of those that somebody finds; a few are offered while one types."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_length=80, **kwargs)
        self.found = roles.visible(user, Collection.objects.order_by("slug"))
        offered = list(self.found[: MOST_OFFERED + 1])
        self.offered = offered if len(offered) <= MOST_OFFERED else []
        if self.offered:
            self.widget.attrs["list"] = "iiif-auth-collections"

    def clean(self, value: Any) -> str:
        text = str(super().clean(value)).strip()
        if text and not self.found.filter(slug=text).exists():
            raise forms.ValidationError(
                gettext("There is no collection “%(name)s”; please give the identifier of one.") % {"name": text[:80]}
            )
        return text


class WishForm(forms.Form):
    """What is to become of what is ticked."""

    def __init__(self, *args: Any, user: Any, wish: Wish, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["collection"] = CollectionField(
            user=user,
            label=gettext("Put it into the collection"),
            required=False,
            initial=wish.collection,
            help_text=gettext("Its identifier. Empty: leave it where it is."),
        )
        policies = roles.visible(user, AccessPolicy.objects.filter(is_template=False)).order_by("name")
        self.fields["policy"] = forms.ModelChoiceField(
            policies,
            label=gettext("Give it the policy"),
            required=False,
            initial=wish.policy,
            to_field_name="slug",
            empty_label=gettext("None of its own: what the collection says"),
        )
        for name, label in (
            ("known", gettext("Change what is known already, too")),
            ("thumbnails", gettext("Govern small pictures (thumbnails) like what they show")),
        ):
            self.fields[name] = forms.BooleanField(label=label, required=False, initial=getattr(wish, name))

    @property
    def wish(self) -> Wish:
        given = self.cleaned_data
        policy = given["policy"].slug if given["policy"] else ""
        return Wish(given["collection"], policy, given["known"], given["thumbnails"])


# -- What the page shows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a manifest, on the page."""

    number: int
    label: str
    what: str
    uri: str
    picture: str
    ticked: bool
    state: str
    policy: str
    collection: str
    begins: str
    """The name of the manifest, where a new one begins."""


WHAT = {
    "Image": _("Picture"),
    "Video": _("Film"),
    "Sound": _("Sound"),
    "Text": _("Text or PDF"),
    "Model": _("Model"),
    "Dataset": _("Data"),
}
ROLES = {"shown": "", "choice": _("one of several to choose from"), "download": _("to be downloaded")}


def what_it_is(one: Content) -> str:
    service = gettext("image service %(version)d") % {"version": one.image_api}
    parts = [str(WHAT[one.kind]), service if one.image_api else gettext("a file"), str(ROLES[one.role])]
    return gettext(", ").join(part for part in parts if part)


def lines(batch: Batch, page: Page[tuple[int, Content]]) -> list[Line]:
    """The things of one page, with what governs each now as far as the sender finds it."""
    uris = [one.uri for _number, one in page]
    there, left = manifests.present(batch.actor, uris), set(batch.plan["left"])
    placed = manifests.placed_by_rule(batch.actor, uris)
    found, before, may_look = [], "", roles.sees_images(batch.actor)
    for number, one in page:
        row = there.get(manifests.normalised(one.uri))
        place = (row.collection if row and row.collection else None) or placed.get(manifests.normalised(one.uri))
        found.append(
            Line(
                number,
                one.label or one.uri,
                what_it_is(one),
                one.uri,
                manifests.picture_of(one) if may_look else "",
                number not in left,
                gettext("known") if row else gettext("not known yet"),
                str(row.policy) if row and row.policy else "",
                str(place) if place else "",
                one.manifest if one.manifest != before else "",
            )
        )
        before = one.manifest
    return found


# -- Pages --------------------------------------------------------------------------------------------------------


class ManifestsMixin(Base):
    """Adds the pages for manifests to the admin of resources."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            path("manifests/", wrap(self.manifests_view), name="iiif_auth_manifests"),
            path("manifests/<int:key>/", wrap(self.manifest_view), name="iiif_auth_manifest"),
        ]
        return [*pages, *super().get_urls()]

    def manifests_view(self, request: HttpRequest) -> HttpResponse:
        """Give a manifest: a file, its text, or its address."""
        check(request)
        form = ManifestForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._kept(request, form.cleaned_data)
            except NotAManifest as problem:
                form.add_error(
                    next(name for name in ("file", "text", "url") if form.cleaned_data.get(name)), str(problem)
                )
        recent = uploads.own(request.user, Batch.Kind.MANIFEST).defer("plan")[:10]
        title = gettext("Manifests")
        return self._manifest_page(request, "manifests", title, form=form, recent=recent, sources=conf.MANIFEST_SOURCES)

    def _kept(self, request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
        name = given["file"].name if given.get("file") else given.get("url") or gettext("pasted text")
        batch = manifests.kept(request.user, given["document"], name, request.GET.get("collection", "")[:80])
        return HttpResponseRedirect(reverse("admin:iiif_auth_manifest", args=[batch.pk]))

    def manifest_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """What a manifest shows, with a tick at each, and what it shall be given."""
        batch = waiting(request, key, Batch.Kind.MANIFEST)
        if batch.state != Batch.State.WAITING:
            return HttpResponseRedirect(reverse("admin:iiif_auth_table_rows", args=[key]))
        page = Paginator(list(enumerate(manifests.contents_of(batch))), PER_PAGE).get_page(request.GET.get("page"))
        sent = request.POST if request.method == "POST" else None
        form = WishForm(sent, user=request.user, wish=Wish(**batch.plan["wish"]))
        if sent is not None and (answer := self._answered(request, batch, page, form)):
            return answer
        return self._manifest_page(
            request,
            "manifest",
            gettext("What is in “%(name)s”") % {"name": batch.plan["name"]},
            batch=batch,
            form=form,
            page=page,
            lines=lines(batch, page),
            count=len(batch.plan["contents"]) - len(batch.plan["left"]),
            suggestion=manifests.suggestion(batch.plan["rights"]),
            sources=conf.MANIFEST_SOURCES,
        )

    def _answered(
        self, request: HttpRequest, batch: Batch, page: Page[tuple[int, Content]], form: WishForm
    ) -> HttpResponse | None:
        """Keep the ticks of this page, and go where somebody wanted to; ``None`` if the form must be corrected."""
        self._tick(request, batch, page)
        batch.save(update_fields=["plan"])
        todo = request.POST.get("do", "look")
        if todo != "look":
            number = todo.removeprefix("page-") if todo.startswith("page-") else str(page.number)
            return HttpResponseRedirect(f"?page={number if number.isdigit() else 1}")
        if not form.is_valid():
            return None
        manifests.proposed(batch, form.wish)
        return HttpResponseRedirect(reverse("admin:iiif_auth_table_rows", args=[batch.pk]))

    def _tick(self, request: HttpRequest, batch: Batch, page: Page[tuple[int, Content]]) -> None:
        todo = request.POST.get("do", "look")
        if todo in ("all", "none"):
            manifests.ticked_all(batch, todo == "all")
            return
        chosen = (int(one) for one in request.POST.getlist("tick") if one.isdigit() and len(one) < 7)
        manifests.ticked(batch, [number for number, _one in page], chosen)

    def _manifest_page(self, request: HttpRequest, name: str, title: str, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "media": self.media,
            **more,
        }
        return TemplateResponse(request, f"admin/iiif_auth/{name}.html", context)
