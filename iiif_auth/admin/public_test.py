"""“Test as public”: does the site really keep back what the rules keep back from nobody in particular, and show the rest?

The server asks its own public addresses as a stranger would, and compares each answer with the decision for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfoNotFoundError

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles, store
from iiif_auth.admin import stranger
from iiif_auth.admin.stranger import Heard
from iiif_auth.conf import conf
from iiif_auth.models import Resource
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import NOBODY, Allowed, ImageApi, Network, Offer, Rendition, principals
from iiif_auth.protocol import identity

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Resource]
else:
    Base = object

REFUSED = (401, 403, 404, 410)
SHOWN = (200, 206)
SENT_ON = range(300, 400)


@dataclass(frozen=True, slots=True)
class Probe:
    """One address to be asked: what it is, and whether nobody in particular should get it; ``None`` if either will do."""

    what: str
    url: str
    shown: bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One address after it was asked. ``verdict`` is ``good``, ``bad`` or ``open``; ``word`` and ``said`` say it in words."""

    what: str
    url: str
    verdict: str
    word: str
    said: str


# -- What is asked ------------------------------------------------------------------------------------------------


def probes_of(offer: Offer) -> Iterator[Probe]:
    """The addresses of an item and of its smaller versions, plain and with tricks."""
    for version in (offer.wanted, *offer.others):
        yield from (_image if version.image_api is not ImageApi.NONE else _file)(version, _is_shown(version))
        if version.location:
            yield Probe(gettext("where it is delivered"), version.location, _is_shown(version))


def _is_shown(version: Rendition) -> bool:
    """Whether nobody in particular, nowhere in particular, may have it now: decided at its own address."""
    offer = store.find_offer(version.uri)
    return isinstance(decide(offer, NOBODY, timezone.now()), Allowed)


def _image(version: Rendition, shown: bool) -> Iterator[Probe]:
    url = identity.absolute(version.uri, conf.BASE_URL)
    largest = "max" if version.image_api is ImageApi.V3 else "full"
    tile = "256,256" if version.image_api is ImageApi.V3 else "256,"
    name = {"size": _size(version)}
    yield Probe(gettext("%(size)s: info.json") % name, f"{url}/info.json", shown or None)
    yield Probe(gettext("%(size)s: the whole picture") % name, f"{url}/full/{largest}/0/default.jpg", shown)
    yield Probe(gettext("%(size)s: a thumbnail") % name, f"{url}/full/!100,100/0/default.jpg", shown)
    yield Probe(gettext("%(size)s: a tile") % name, f"{url}/0,0,256,256/{tile}/0/default.jpg", shown)
    if not shown:
        yield Probe(gettext("%(size)s: with a slash at the end") % name, f"{url}/full/{largest}/0/default.jpg/", False)
        yield Probe(gettext("%(size)s: with a query") % name, f"{url}/full/{largest}/0/default.jpg?download=1", False)
        yield Probe(gettext("%(size)s: in percent") % name, f"{url}/full/pct:100/0/default.jpg", False)


def _file(version: Rendition, shown: bool) -> Iterator[Probe]:
    url = identity.absolute(version.uri, conf.BASE_URL)
    name = {"size": _size(version)}
    yield Probe(gettext("%(size)s: the file") % name, url, shown)
    if not shown:
        yield Probe(gettext("%(size)s: with a slash at the end") % name, f"{url}/", False)
        yield Probe(gettext("%(size)s: with a query") % name, f"{url}?download=1", False)


def _size(version: Rendition) -> str:
    from iiif_auth.policy.types import FULL

    if version.reach >= FULL:
        return gettext("Full version")
    return gettext("At most %(edge)d pixels") % {"edge": version.reach}


# -- What is made of it -------------------------------------------------------------------------------------------


def outcome(probe: Probe, heard: Heard) -> Outcome:
    verdict, said = judged(probe, heard)
    return Outcome(probe.what, probe.url, verdict, str(WORDS[verdict]), said)


WORDS = {"good": _("As it should be"), "bad": _("Not as it should be"), "open": _("Could not be told")}


def judged(probe: Probe, heard: Heard) -> tuple[str, str]:
    """A verdict and a sentence. What was let through though nobody may have it is bad; so is the opposite."""
    status = {"status": heard.status, "location": heard.location[:200]}
    if not heard.status:
        return "open", _unheard(heard)
    if heard.status in SHOWN:
        return _shown(probe, status)
    if heard.status in SENT_ON:
        return _sent_on(probe), gettext("Sent on to %(location)s (%(status)d).") % status
    if 400 <= heard.status < 500:
        return _refused(probe, heard.status, status)
    return "open", gettext("The server answered %(status)d, which says neither yes nor no.") % status


def _shown(probe: Probe, status: dict[str, Any]) -> tuple[str, str]:
    if probe.shown is False:
        return "bad", gettext(
            "Anybody gets it (%(status)d), though nobody should. Please check the web server."
        ) % status
    return "good", gettext("Shown (%(status)d).") % status


def _refused(probe: Probe, code: int, status: dict[str, Any]) -> tuple[str, str]:
    if not probe.shown and code in (404, 410):
        return "good", gettext("Not shown: there is nothing at this address for a stranger (%(status)d).") % status
    if not probe.shown:
        return "good", gettext("Refused (%(status)d).") % status
    if code in REFUSED:
        return "bad", gettext("Refused (%(status)d), though it is open to everybody.") % status
    return "open", gettext("The server takes this address for a mistake (%(status)d).") % status


def _sent_on(probe: Probe) -> str:
    """Whoever may have it is sent on; whoever may not must not be told where it is."""
    return "bad" if probe.shown is False else "good"


def _unheard(heard: Heard) -> str:
    if heard.problem == "elsewhere":
        return gettext("Not asked, because it is neither on this site nor behind one of its doors.")
    if heard.problem == "slow":
        return gettext("Could not be asked: there was no answer in time.")
    return gettext("Could not be asked (%(problem)s).") % {"problem": heard.problem}


def outcomes(offer: Offer) -> list[Outcome]:
    """Every address asked, in order."""
    probes = list({probe.url: probe for probe in probes_of(offer)}.values())
    return [outcome(*pair) for pair in zip(probes, stranger.heard_all(probe.url for probe in probes), strict=True)]


def is_by_place(offer: Offer) -> bool:
    """Whether some rule asks where people are: the server that asks is somewhere too."""
    tiers = (tier for level in offer.levels for held in level.policies for tier in held.tiers)
    audiences = (
        *(tier.audience for tier in tiers),
        *(grant.principal for level in offer.levels for grant in level.grants),
    )
    return any(isinstance(leaf, Network) for audience in audiences for leaf in principals(audience))


def summary(found: Iterable[Outcome]) -> str:
    """The worst verdict: ``bad`` before ``open`` before ``good``."""
    verdicts = {one.verdict for one in found}
    return next((one for one in ("bad", "open") if one in verdicts), "good")


# -- The page -----------------------------------------------------------------------------------------------------


class TestsAsPublic(Base):
    """Adds the test to the admin of resources, and ``public_link`` for its form."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.public_view)
        return [path("<path:object_id>/public/", view, name="iiif_auth_public_test"), *super().get_urls()]

    @admin.display(description=_("test as public"))
    def public_link(self, row: Resource | None) -> str:
        if row is None or row.pk is None:
            return "-"
        url = reverse("admin:iiif_auth_public_test", args=[row.pk], current_app=self.admin_site.name)
        hidden = format_html('<span class="visually-hidden">: {}</span>', row)
        return format_html('<a href="{}">{}{}</a>', url, gettext("Test as public…"), hidden)

    def public_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """GET says what would be asked; POST asks it, because the server then makes requests of its own."""
        row = self.get_object(request, object_id)
        if row is None or not roles.visible(request.user, Resource.objects.filter(pk=row.pk)).exists():
            raise Http404(gettext("There is nothing with this number, or it is not yours to look after."))
        if not (self.has_view_permission(request, row) and may_test(request, row)):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": gettext("Test %(what)s as public") % {"what": row},
            "base": conf.BASE_URL,
            **self._asked(request, row),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/iiif_auth/public_test.html", context)

    def _asked(self, request: HttpRequest, row: Resource) -> dict[str, Any]:
        try:
            offer = store.find_offer(row.url)
            if offer is None:
                return {"problem": gettext("The rules do not know this item.")}
            if request.method != "POST":
                return {"probes": list(probes_of(offer)), "by_place": is_by_place(offer)}
            found = outcomes(offer)
        except (store.RulesInMotion, ZoneInfoNotFoundError):
            return {"problem": gettext("The rules can not be read just now. Please try again in a minute.")}
        return {"outcomes": found, "summary": summary(found), "by_place": is_by_place(offer)}


def may_test(request: HttpRequest, row: Resource) -> bool:
    """Making the server ask is for those who may simulate, or change the item."""
    names = ("iiif_auth.use_simulator", "iiif_auth.change_resource")
    return any(roles.may(request.user, name, row) for name in names)
