"""The page that says why: may this person, there and then, see this item, and which rule says so?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfoNotFoundError

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles, store
from iiif_auth.admin import asking, inside
from iiif_auth.admin.answering import Answer, Inquiry, resource_of
from iiif_auth.admin.asking import WhyForm
from iiif_auth.admin.seen import seen
from iiif_auth.conf import conf
from iiif_auth.contents import NotPublished
from iiif_auth.models import Collection, Resource
from iiif_auth.policy.types import Offer

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Resource]
else:
    Base = object

SIMULATOR = "iiif_auth.use_simulator"


# -- Saying it ----------------------------------------------------------------------------------------------------


def as_text(answer: Answer) -> str:
    """The whole answer as lines to be copied into a message."""
    return "\n".join(_text_lines(answer)) + "\n"


def _text_lines(answer: Answer) -> Iterator[str]:
    yield f"{answer.headline.upper()}. {answer.reason}"
    for name, value in facts(answer):
        yield f"{name}: {value}"
    yield from (gettext("Instead:") + f" {instead.label} <{instead.url}>" for instead in answer.instead)
    for place in answer.places:
        yield ""
        yield f"{place.number}. {place.what.text}: {place.sentence or gettext('No policy.')}"
        yield from (f"   {line.word.upper()} | {line.rule} | {line.why}" for line in place.lines)
    if answer.remedies:
        yield ""
        yield gettext("Would be enough:") + " " + " | ".join(answer.remedies)


def facts(answer: Answer) -> Iterator[tuple[str, str]]:
    """What was asked and what the person would get, by name."""
    yield gettext("Item"), answer.item
    yield gettext("Person"), with_more(answer.person, answer.groups)
    yield gettext("Address"), with_more(answer.address, answer.networks)
    if answer.agreed:
        yield gettext("Has gone through"), ", ".join(answer.agreed)
    yield gettext("Time"), answer.time
    if answer.draft:
        yield gettext("Judged by"), answer.draft
    if answer.reference:
        yield gettext("Reference"), answer.reference
    status = {"content": answer.content_status, "probe": answer.probe_status}
    yield gettext("Status"), gettext("content %(content)d, probe %(probe)d") % status
    if answer.heading:
        yield gettext("They read"), " – ".join(text for text in (answer.heading, answer.note) if text)


def with_more(text: str, more: Iterable[str]) -> str:
    joined = ", ".join(more)
    return gettext("%(text)s (in: %(more)s)") % {"text": text, "more": joined} if joined else text


# -- The page -----------------------------------------------------------------------------------------------------


class WhyMixin(Base):
    """Adds the simulator to the admin of resources, and ``why_link`` for its list and its form."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        pages = [
            path("why/", view(self.why_view), name="iiif_auth_why"),
            path("why/manifest/", view(self.why_manifest_view), name="iiif_auth_why_manifest"),
        ]
        return [*pages, *super().get_urls()]

    @admin.display(description=_("Why?"))
    def why_link(self, obj: Resource | None) -> str:
        if obj is None or obj.pk is None:
            return "-"
        url = reverse("admin:iiif_auth_why", current_app=self.admin_site.name)
        label = gettext("Why? Who may see %(resource)s") % {"resource": obj}
        return format_html('<a href="{}?resource={}" aria-label="{}">{}</a>', url, obj.pk, label, gettext("Why?"))

    def why_view(self, request: HttpRequest) -> HttpResponseBase:
        """Asked with GET, so that a question can be sent to a colleague as a link."""
        self._check_may_simulate(request)
        if (filled := self._by_reference(request)) is not None:
            return filled
        asked = "resource" in request.GET
        form = WhyForm(request.GET if asked else None, request=request, rows=self._askable(request))
        answer = self._answer(request, form) if asked and form.is_valid() else None
        return FORMATS.get(request.GET.get("format", ""), page)(self, request, form, answer)

    def why_manifest_view(self, request: HttpRequest) -> HttpResponseBase:
        """What is restricted in a manifest. A POST, because it may have another site asked."""
        self._check_may_simulate(request)
        return inside.answered(self, request, self._askable(request))

    def _check_may_simulate(self, request: HttpRequest) -> None:
        if not (request.user.has_perm(SIMULATOR) or self.has_view_permission(request)):
            raise PermissionDenied

    def _askable(self, request: HttpRequest) -> QuerySet[Resource]:
        return roles.visible(request.user, self.get_queryset(request))

    def _by_reference(self, request: HttpRequest) -> HttpResponse | None:
        """The question of a refusal, filled in, so that one sees it and can change it."""
        row = asking.refusal_called(request.GET.get("resource", ""), request.user)
        if row is None:
            return None
        fields = asking.question_of(row)
        kept = [("format", request.GET["format"])] if "format" in request.GET else []
        url = reverse("admin:iiif_auth_why", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{url}?{urlencode([*fields, *kept])}")

    def _answer(self, request: HttpRequest, form: WhyForm) -> Answer | None:
        """The answer; where there can be none, the form says why. What is not theirs to look after is not there."""
        try:
            offer = store.find_offer(form.cleaned_data["resource"])
            found = offer if self._may_ask(request, offer) else None
            return Inquiry(request, self.admin_site.name, form, found).answer()
        except NotPublished as problem:
            form.add_error("draft", str(problem))
        except (store.RulesInMotion, ZoneInfoNotFoundError):
            form.add_error(
                None, _("The rules can not be read just now, so nobody is let in. Please try again in a minute.")
            )
        return None

    def _may_ask(self, request: HttpRequest, offer: Offer | None) -> bool:
        """Whether an item is theirs to look after."""
        if offer is None:
            return True
        row = resource_of(offer.levels)
        if row is not None:
            return self._askable(request).filter(pk=row.pk).exists()
        around = Collection.objects.filter(slug__in=[level.name for level in offer.levels[1:2]])
        if around.exists():
            return roles.visible(request.user, around).exists()
        return roles.is_everywhere(request.user)


def page(model_admin: WhyMixin, request: HttpRequest, form: WhyForm, answer: Answer | None) -> HttpResponseBase:
    """For people."""
    query = request.GET.copy()
    query.pop("format", None)
    now = query.copy()
    now["at"] = ""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": gettext("Why?"),
        "form": form,
        "answer": answer,
        "facts": list(facts(answer)) if answer else [],
        "text": as_text(answer) if answer else "",
        "query": query.urlencode(),
        "now_query": now.urlencode() if query.get("at") else "",
        "manifests": inside.ManifestForm(),
        "fetches": bool(conf.MANIFEST_SOURCES),
        "seen": seen(request),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/iiif_auth/why.html", context)


def json(model_admin: WhyMixin, request: HttpRequest, form: WhyForm, answer: Answer | None) -> HttpResponseBase:
    """For programs."""
    if answer is None:
        return JsonResponse({"errors": form.errors.get_json_data()}, status=400)
    return JsonResponse(asdict(answer))


def text(model_admin: WhyMixin, request: HttpRequest, form: WhyForm, answer: Answer | None) -> HttpResponseBase:
    """For messages."""
    said = form.errors.as_text() if answer is None else as_text(answer)
    return HttpResponse(said, content_type="text/plain; charset=utf-8", status=400 if answer is None else 200)


FORMATS = {"json": json, "text": text}
