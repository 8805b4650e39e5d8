"""Conditions as one question, “who?”: everyone, anyone signed in, a person, a group, a place, or what they went through.

Each tier in the policy form carries its own list of them, so that a whole policy is made on one page. The lists are plain
formsets, one for each tier, with the tier's prefix; Django's own script renumbers them together with their tier.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.forms.models import inlineformset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin import people
from iiif_auth.admin.bases import InlineFormSet
from iiif_auth.admin.copying import MARK
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.attributes import typed as lines
from iiif_auth.models import AccessService, Condition, Network, Seats, Tier
from iiif_auth.models.rules import attribute_text

MOST_GROUPS = 200
"""Beyond this many, groups are typed instead of chosen."""
TYPED = {
    "user": _("Please write the person's user name or e-mail address beside it."),
    "group": _("Please write the name of the group beside it."),
    "attribute": lines.HOW,
}


class Choices:
    """What “who?” can be answered with. Kept for one request, however many conditions the page shows.

    Args:
        marked: also what came with the templates, and which nobody but they should use.
    """

    def __init__(self, *, marked: bool = True) -> None:
        self.marked = marked

    def _of(self, rows: Any) -> list[Any]:
        return list(rows if self.marked else rows.exclude(slug__startswith=MARK))

    @cached_property
    def groups(self) -> list[Group]:
        return list(Group.objects.order_by("name")[: MOST_GROUPS + 1])

    @cached_property
    def networks(self) -> list[Network]:
        return self._of(Network.objects.order_by("name"))

    @cached_property
    def services(self) -> list[AccessService]:
        return self._of(AccessService.objects.order_by("slug"))

    @cached_property
    def seats(self) -> list[Seats]:
        return self._of(Seats.objects.order_by("name"))

    @cached_property
    def offered(self) -> list[tuple[Any, Any]]:
        """Choices of a select: ``kind``, or ``kind:primary key`` for what can be listed."""
        kind = Condition.Kind
        few = len(self.groups) <= MOST_GROUPS
        typed = [kind.USER, kind.ATTRIBUTE] if few else [kind.USER, kind.GROUP, kind.ATTRIBUTE]
        plain = [("", "---------"), *((str(one), one.label) for one in (kind.EVERYONE, kind.AUTHENTICATED))]
        lists = [
            (_("In the group"), self._listed("group", self.groups if few else [])),
            (_("At the place"), self._listed("network", self.networks)),
            (_("Went through"), self._listed("agreed", self.services)),
            (_("Borrowed a copy"), self._listed("seat", self.seats)),
            (_("To be typed"), [(str(one), one.label) for one in typed]),
        ]
        return [*plain, *((title, choices) for title, choices in lists if choices)]

    def _listed(self, kind: str, rows: list[Any]) -> list[tuple[str, str]]:
        return [(f"{kind}:{row.pk}", name_of(row)) for row in rows]

    @property
    def codes(self) -> set[str]:
        return {code for code, label in flat(self.offered)}


def name_of(row: Any) -> str:
    """Its name, and whether it came with the templates: then a copy gets one of the host's own."""
    marked = getattr(row, "slug", "").startswith(MARK)
    return gettext("%(name)s (of the templates)") % {"name": row} if marked else str(row)


def flat(choices: list[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [pair for code, label in choices for pair in (label if isinstance(label, list) else [(code, label)])]


class ConditionForm(PlainForm):
    """One condition: who, and for some answers a text beside it."""

    who = forms.ChoiceField(label=_("For whom"), required=False)
    named = forms.CharField(
        label=_("Name or attribute"),
        required=False,
        max_length=4200,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    field_order = ("who", "named", "bracket")

    class Meta:
        model = Condition
        fields = ("bracket",)

    def __init__(self, *args: Any, choices: Choices | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.listed = choices or Choices()
        who: Any = self.fields["who"]
        who.choices = self.listed.offered
        self.fields["bracket"].required = False
        if self.instance.pk:
            code, name = answer(self.instance, self.listed)
            self.initial.update(who=code, named=name)
            if code not in self.listed.codes:
                held = self.instance.network or self.instance.service or self.instance.seats
                who.choices = [*self.listed.offered, (code, str(held))]

    def has_changed(self) -> bool:
        """A new row counts as soon as it says who, not because its bracket was emptied."""
        return bool({"who", "named"} & set(self.changed_data) if self.instance._state.adding else self.changed_data)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        found["bracket"] = found.get("bracket") or 0
        kind, _colon, key = str(found.get("who") or "").partition(":")
        if not kind:
            if "who" not in self.errors:
                self.add_error("who", _("Please choose who it is, or tick “Delete” to take the condition away."))
            return found
        try:
            self.values = {**EMPTY, "kind": kind, **meant(kind, key, str(found.get("named") or "").strip())}
        except ValidationError as error:
            self.add_error("named", error)
        return found

    def _post_clean(self) -> None:
        for name, value in getattr(self, "values", {}).items():
            setattr(self.instance, name, value)
        super()._post_clean()  # type: ignore[misc]


EMPTY: dict[str, Any] = {
    "user": None,
    "group": None,
    "network_id": None,
    "service_id": None,
    "seats_id": None,
    "attribute_name": "",
    "attribute_value": "",
    "attribute_matching": "exact",
}


COLUMNS = {"network": "network_id", "agreed": "service_id", "seat": "seats_id"}
"""What is listed, and where the row that was chosen goes."""


def meant(kind: str, key: str, text: str) -> dict[str, Any]:
    """The columns that an answer sets.

    Raises:
        ValidationError: with a sentence, if the text beside it does not say whom.
    """
    if kind in COLUMNS:
        return {COLUMNS[kind]: int(key)}
    if kind == "group" and key:
        return {"group": Group.objects.get(pk=key)}
    if kind in TYPED:
        return typed(kind, text)
    return {}


def typed(kind: str, text: str) -> dict[str, Any]:
    if not text:
        raise ValidationError(TYPED[kind])
    if kind == "user":
        return {"user": people.person(text)}
    if kind == "group":
        return {"group": people.group(text)}
    return lines.typed(text).columns()


def answer(row: Condition, listed: Choices) -> tuple[str, str]:
    """How a stored condition answers “who?”: the choice, and the text beside it."""
    match row.kind:
        case Condition.Kind.USER:
            return "user", people.shown(row.user)
        case Condition.Kind.ATTRIBUTE:
            return "attribute", attribute_text(row.attribute_name, row.attribute_value, row.attribute_matching)
        case Condition.Kind.GROUP:
            code = f"group:{row.group_id}"
            return (code, "") if code in listed.codes else ("group", str(row.group))
        case Condition.Kind.NETWORK:
            return f"network:{row.network_id}", ""
        case Condition.Kind.AGREED | Condition.Kind.SEAT:
            return f"{row.kind}:{row.service_id or row.seats_id}", ""
    return row.kind, ""


class ConditionFormSetBase(InlineFormSet):
    """The conditions of one tier."""

    template_name = "admin/iiif_auth/conditions.html"

    def get_queryset(self) -> Any:
        if not hasattr(self, "_queryset"):
            saved = self.instance.pk is not None
            if saved and "conditions" in getattr(self.instance, "_prefetched_objects_cache", {}):
                kept = self.instance.conditions.all()
                self._queryset: Any = sorted(kept, key=lambda row: (row.bracket, row.pk))
                return self._queryset
            rows = Condition.objects.filter(tier=self.instance) if saved else Condition.objects.none()
            self._queryset = rows.select_related("user", "group").order_by("bracket", "pk")
        return self._queryset

    @property
    def words(self) -> str:
        """The saved conditions in words, for people who may only look."""
        return gettext(" · ").join(spoken(row, Choices()) for row in self.get_queryset()) or gettext("nobody")


def spoken(row: Condition, listed: Choices) -> str:
    """One condition in words."""
    code, name = answer(row, listed)
    label = dict(flat(listed.offered)).get(code, row.get_kind_display())
    return f"{label} {name}".strip()


ConditionFormSet = inlineformset_factory(
    Tier, Condition, form=ConditionForm, formset=ConditionFormSetBase, extra=2, can_delete=True
)
"""Two empty rows each; more with the button, or after saving."""
