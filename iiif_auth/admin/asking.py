"""What is asked of the simulator: which item, who, where, when, and by which draft."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import identify, roles, store
from iiif_auth.admin import people, spoken
from iiif_auth.admin.attributes import SaidField
from iiif_auth.admin.people import NamedField
from iiif_auth.conf import conf
from iiif_auth.models import PolicyDraft, Refusal, Resource
from iiif_auth.policy import types as policy
from iiif_auth.protocol import identity
from iiif_auth.protocol.dialects import PROBES

MINE = "mine"
MACHINE = "machine:"
MOST_DRAFTS = 100
"""Drafts to choose from, the latest first."""
YEARS = range(1900, 9900)
"""Years that can be asked about: beyond them the calendar ends in some time zone."""
CODE = re.compile(r"(?=.*[0-9-])[A-Za-z0-9-]{5,12}")
"""What may be the reference of a refusal."""


class WhyForm(forms.Form):
    """What is asked. An empty person is nobody, an empty address nowhere, an empty time now."""

    resource = forms.CharField(
        label=_("Item"),
        max_length=identity.MAX_LENGTH * 2,
        help_text=_(
            "Its address in any spelling, as copied from a viewer, an info.json, an image or a probe; its number; or the "
            "reference that a refused reader was told."
        ),
    )
    person = NamedField(
        label=_("Person"),
        required=False,
        max_length=200,
        help_text=_("A name or e-mail address. Empty: nobody signed in."),
    )
    group = NamedField(
        label=_("As a new member of"),
        required=False,
        find=people.group,
        max_length=200,
        help_text=_("The name of a group. Beside a person: as if that person were in it too."),
    )
    said = SaidField(
        label=_("As if their identity provider said"),
        max_length=2000,
        help_text=_("One to a line, such as affiliation=staff@example.org. Besides what it says of them already."),
    )
    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=100,
        help_text=_("Such as 192.0.2.5. What is written here counts before the place. Empty: nowhere in particular."),
    )
    place = forms.ChoiceField(label=_("Place"), required=False)
    at = forms.DateTimeField(
        label=_("Time"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Please write the time as 2031-05-01 09:00.")},
    )
    agreed = forms.MultipleChoiceField(label=_("Has gone through"), required=False, widget=forms.CheckboxSelectMultiple)
    draft = forms.ChoiceField(
        label=_("As if this draft were live"),
        required=False,
        help_text=_("It stands in the place of its policy, wherever that is used."),
    )

    def __init__(self, *args: Any, request: HttpRequest, rows: QuerySet[Resource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows, self.own = rows, identify.ambient(request).address
        self.book = rules_now()
        mine = gettext("My own address (%(address)s)") % {"address": self.own or gettext("not known")}
        places = [(f"network:{key}", network.label) for key, network in self.book.networks.items()]
        places += [
            (f"{MACHINE}{key}", gettext("A machine enrolled at %(network)s") % {"network": network.label})
            for key, network in self.book.networks.items()
            if network.enrolled
        ]
        place: Any = self.fields["place"]
        place.choices = [("", gettext("Nowhere in particular")), (MINE, mine), *sorted(places, key=lambda one: one[1])]
        agreed: Any = self.fields["agreed"]
        agreed.choices = [(slug, spoken.picked(service.label) or slug) for slug, service in self.book.services.items()]
        self.drafts = drafts_of(request.user)
        draft: Any = self.fields["draft"]
        draft.choices = [
            ("", gettext("None: the rules as they are")),
            *((key, str(row)) for key, row in self.drafts.items()),
        ]
        self.fields["at"].help_text = gettext("Empty: now. In the time zone %(zone)s.") % {"zone": conf.TIME_ZONE}

    def full_clean(self) -> None:
        with timezone.override(conf.TIME_ZONE):
            super().full_clean()

    def clean_resource(self) -> str:
        text = self.cleaned_data["resource"].strip()
        if text.isascii() and text.isdigit():
            return by_number(text, self.rows)
        if CODE.fullmatch(text):
            raise ValidationError(
                _(
                    "There is no refusal with the reference %(code)s. They are kept for some days; please ask for the address."
                )
                % {"code": text}
            )
        return by_address(text)

    def clean_address(self) -> str:
        text: str = self.cleaned_data["address"].strip()
        if text and identify.parsed_address(text) is None:
            raise ValidationError(_("This is not an address; please write one such as 192.0.2.5 or 2001:db8::5."))
        return text

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"] or timezone.now()
        if at.year not in YEARS:
            raise ValidationError(
                _("Please give a year from %(first)d to %(last)d.") % {"first": YEARS[0], "last": YEARS[-1]}
            )
        return timezone.make_aware(at) if timezone.is_naive(at) else at

    def drafted(self) -> PolicyDraft | None:
        """The draft that is to be judged by."""
        return self.drafts.get(self.cleaned_data["draft"])

    def where(self) -> str:
        """The address that is judged; ``""`` for none."""
        chosen = self.cleaned_data["place"]
        if self.cleaned_data["address"] or not chosen:
            return str(self.cleaned_data["address"])
        if chosen == MINE:
            return str(self.own or "")
        if chosen.startswith(MACHINE):
            return ""
        return first_address(self.book.networks[int(chosen.partition(":")[2])])

    def machine(self) -> frozenset[str]:
        """The places for which the machine that is judged stands."""
        chosen = self.cleaned_data["place"]
        return frozenset({chosen.partition(":")[2]} if chosen.startswith(MACHINE) else ())


def rules_now() -> store.Rulebook:
    """What there is to choose from. If it can not be read, the form is shown all the same, and the answer says so."""
    try:
        return store.rulebook()
    except store.RulesInMotion:
        return store.Rulebook("")


def by_number(text: str, rows: QuerySet[Resource]) -> str:
    """The address of a resource by its primary key."""
    row = rows.filter(pk=int(text)).first() if len(text) < 19 else None
    if row is None:
        raise ValidationError(_("There is no resource with the number %(number)s.") % {"number": text[:20]})
    return str(row.url)


def by_address(text: str) -> str:
    """The normalised address that a text means; of a probe of ours, what it is about."""
    try:
        uri = identity.normalised(text, conf.BASE_URL)
    except identity.NotAResourceURL as error:
        raise ValidationError(
            _("This can not be the address of an item. Give a whole address beginning with https://, or a path.")
        ) from error
    prefix = next((one for one in probe_prefixes() if uri.startswith(one)), None)
    if prefix is None:
        return uri
    about = identity.referred(uri.removeprefix(prefix), conf.BASE_URL)
    if about is None:
        raise ValidationError(_("This is a probe of this site, but it asks about nothing that can be read."))
    return about


def probe_prefixes() -> list[str]:
    """The beginnings of the addresses of our probes, one for each space of versions that has some."""
    return [reverse("iiif_auth:probe", kwargs={"space": one, "reference": "x"}).removesuffix("x") for one in PROBES]


def first_address(network: policy.Network) -> str:
    """Of the first prefix the first address that a machine can have; ``""`` for a network without prefixes."""
    if not network.prefixes:
        return ""
    prefix = network.prefixes[0]
    return str(prefix[1] if prefix.num_addresses > 2 else prefix[0])


def drafts_of(user: Any) -> dict[str, PolicyDraft]:
    """The drafts that are not published, of the policies that somebody may find, by number."""
    rows = roles.visible(user, PolicyDraft.objects.filter(published=None)).select_related("policy")
    return {str(row.pk): row for row in rows[:MOST_DRAFTS]}


# -- By reference -------------------------------------------------------------------------------------------------


def refusal_called(text: str, user: Any) -> Refusal | None:
    """The refusal with this reference, in whatever case it was written down, if it is about something that somebody finds."""
    code = text.strip().upper()
    rows = roles.visible(user, Refusal.objects.filter(code=code)).select_related("user")
    return rows.first() if CODE.fullmatch(code) else None


def question_of(row: Refusal) -> list[tuple[str, str]]:
    """The question that this refusal answered, as fields of the form."""
    fields = [
        ("resource", row.url),
        ("person", people.shown(row.user) if row.user else ""),
        ("address", row.address or ""),
        ("at", clock(row.at)),
        ("reference", row.code),
    ]
    agreed = row.agreed if isinstance(row.agreed, list) else []
    return [*fields, *(("agreed", str(slug)) for slug in agreed)]


def clock(at: datetime) -> str:
    """An instant as the form takes it: by the clock here, or in UTC where the clock says the same twice."""
    local = at.astimezone(ZoneInfo(conf.TIME_ZONE))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return at.isoformat(timespec="seconds") if twice else local.replace(tzinfo=None).isoformat(timespec="seconds")
