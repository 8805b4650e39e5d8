"""Identity providers, what they say of people, and rules that ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin.bases import Admin
from iiif_auth.admin.passes import ReadOnly
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.attributes import keeping
from iiif_auth.attributes.names import AFFILIATION, NAMES, ORGANISATION, SUBJECT
from iiif_auth.attributes.typed import Typed, typed
from iiif_auth.models import IdentityProvider, PersonAttribute
from iiif_auth.policy import types as policy

SCOPED = {AFFILIATION, ORGANISATION, SUBJECT}


class AttributeField(forms.CharField):
    """An attribute on one line; the value is a :class:`~iiif_auth.attributes.typed.Typed`, or ``None``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"class": "vTextField", "size": 60})
        super().__init__(*args, **{"required": False, "max_length": 4200, "widget": widget, **kwargs})

    def clean(self, value: Any) -> Typed | None:
        text = super().clean(value)
        return typed(text) if text else None


class SaidField(forms.CharField):
    """Attributes as they are said of somebody, one to a line; the value is a set of pairs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"required": False, "widget": forms.Textarea({"rows": 2}), **kwargs})

    def clean(self, value: Any) -> frozenset[tuple[str, str]]:
        lines = [line for line in (super().clean(value) or "").splitlines() if line.strip()]
        return frozenset(pair for line in lines for pair in _pairs(typed(line)))


def _pairs(line: Typed) -> Iterator[tuple[str, str]]:
    at = "somebody@" if line.matching == policy.Matching.SCOPE else ""
    return ((line.name, at + value) for value in line.values)


class TakesAttribute(PlainForm):
    """A form of a grant with the attribute on one line."""

    attribute = AttributeField(
        label=_("Attribute"),
        help_text=_(
            "What an identity provider says, such as affiliation=staff@example.org | student@example.org, or "
            "affiliation=@example.org for everybody of that organisation."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "attribute" in self.fields and self.instance.pk:
            self.initial.setdefault("attribute", self.instance.attribute)

    def _post_clean(self) -> None:
        if "attribute" in self.fields and "attribute" not in self.errors:
            found: Typed | None = self.cleaned_data.get("attribute")
            columns = found.columns() if found else EMPTY
            for name, value in columns.items():
                setattr(self.instance, name, value)
        super()._post_clean()  # type: ignore[misc]


EMPTY: dict[str, Any] = {"attribute_name": None, "attribute_value": "", "attribute_matching": "exact"}


# -- What looks wrong ---------------------------------------------------------------------------------------------


def cautions_about(attribute: policy.Attribute) -> Iterator[str]:
    """Why a rule that asks for this may let in nobody, or somebody else than was meant."""
    if policy.is_invitation(attribute):
        return
    said = {"attribute": attribute.name}
    if attribute.name not in NAMES:
        known = ", ".join(NAMES)
        yield gettext(
            "Identity providers say nothing of “%(attribute)s”; what they can say is %(known)s. Only a hook of this site can."
        ) % {**said, "known": known}
        return
    providers = [row for row in IdentityProvider.objects.order_by("name") if attribute.name in row.attributes]
    if not providers:
        yield gettext("No identity provider is believed about “%(attribute)s”, so nobody has it.") % said
        return
    yield from _about_values(attribute, providers)


def _about_values(attribute: policy.Attribute, providers: list[IdentityProvider]) -> Iterator[str]:
    scopes = {scope for row in providers for scope in row.scopes}
    for value in attribute.values:
        scope = value if attribute.matching is policy.Matching.SCOPE else value.partition("@")[2]
        if scope and scope not in scopes:
            yield gettext("No identity provider may speak for “%(scope)s”, so nobody has that.") % {"scope": scope}
        elif not _anybody(attribute, value):
            yield gettext("Nobody has “%(value)s” at present.") % {"value": value}
    unscoped = attribute.name == AFFILIATION and any("@" not in value for value in attribute.values)
    if unscoped and attribute.matching is policy.Matching.EXACT and len(providers) > 1:
        yield gettext("Without @ and a domain this is the same for people of every organisation: %(names)s.") % {
            "names": ", ".join(str(row) for row in providers)
        }


def _anybody(attribute: policy.Attribute, value: str) -> bool:
    fits = Q(value__endswith=f"@{value}") if attribute.matching is policy.Matching.SCOPE else Q(value=value)
    return PersonAttribute.objects.filter(fits, name=attribute.name).exists()


def cautions_about_grant(row: Any) -> Iterator[str]:
    if row.attribute_name:
        lines = row.attribute_value.split("\n")
        matching = policy.Matching(row.attribute_matching)
        yield from cautions_about(policy.Attribute(row.attribute_name, lines[0], tuple(lines[1:]), matching))


# -- Pages --------------------------------------------------------------------------------------------------------


@admin.register(IdentityProvider)
class IdentityProviderAdmin(Admin):
    form = PlainForm
    list_display = ("name", "issuer", "says", "speaks_for", "people")
    search_fields = ("name", "issuer", "scopes")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "issuer")}),
        (_("How far it is believed"), {"fields": ("attributes", "scopes")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdentityProvider]:
        rows: QuerySet[IdentityProvider] = super().get_queryset(request)
        return rows.annotate(people_count=Count("said__user", distinct=True))

    @admin.display(description=_("may say"))
    def says(self, row: IdentityProvider) -> str:
        return ", ".join(row.attributes) or gettext("nothing")

    @admin.display(description=_("for the scopes"))
    def speaks_for(self, row: IdentityProvider) -> str:
        return ", ".join(row.scopes) or gettext("none")

    @admin.display(description=_("people"))
    def people(self, row: Any) -> str:
        text = ngettext("%(count)d person", "%(count)d people", row.people_count) % {"count": row.people_count}
        url = reverse("admin:iiif_auth_personattribute_changelist")
        return format_html('<a href="{}?provider__id__exact={}">{}</a>', url, row.pk, text)

    def save_model(self, request: HttpRequest, obj: IdentityProvider, form: Any, change: bool) -> None:
        """What it may no longer say is forgotten at once, and not when people log in next."""
        super().save_model(request, obj, form, change)
        gone = keeping.narrow(obj) if change else 0
        if gone:
            text = ngettext(
                "%(count)d thing that it said of people is forgotten.",
                "%(count)d things that it said of people are forgotten.",
                gone,
            )
            self.message_user(request, text % {"count": gone})

    def cautions(self, row: IdentityProvider) -> Iterable[str]:
        if not row.attributes:
            yield gettext("It may say nothing yet, so everything that it says of people is dropped.")
        if SCOPED & set(row.attributes) and not row.scopes:
            yield gettext("It has no scopes, so whatever has an @ in it, and every home organisation, is dropped.")


@admin.register(PersonAttribute)
class PersonAttributeAdmin(ReadOnly):
    person = "user__"
    list_display = ("user", "name", "value", "provider", "since", "seen")
    list_display_links = None
    list_filter = ("name", ("provider", admin.RelatedOnlyFieldListFilter), "seen")
    search_fields = ("value",)
    ordering = ("-seen", "pk")
    list_select_related = ("user", "provider")
    fields = ("user", "name", "value", "provider", "since", "seen")
