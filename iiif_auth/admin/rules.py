"""Policies with their tiers and conditions on one page; access services, networks and collections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin import bulk, cautions, copying, policy_table, spoken, states, who
from iiif_auth.admin.bases import Admin, Fields, StackedInline
from iiif_auth.admin.counted import pointing
from iiif_auth.admin.delegation import DelegationInline
from iiif_auth.admin.doctor import Doctor
from iiif_auth.admin.granting import GivesAccess
from iiif_auth.admin.labels import LabelSearch
from iiif_auth.admin.loosening import Loosening
from iiif_auth.admin.members import MembersMixin
from iiif_auth.admin.networks import NetworksPage
from iiif_auth.admin.restricting import Restricting
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.admin.ways import Ways
from iiif_auth.admin.who_page import WhoSees
from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Collection,
    CollectionRule,
    Network,
    RefusalText,
    Resource,
    Tier,
    Withdrawal,
)
from iiif_auth.models.naming import slug_validator

# -- Tiers --------------------------------------------------------------------------------------------------------


class TierForm(PlainForm):
    """A tier together with its conditions. Without an identifier it gets one from what it gives."""

    listed: who.Choices | None = None

    class Meta:
        model = Tier
        exclude = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = self.listed or who.Choices()
        self.conditions = who.ConditionFormSet(
            data=self.data if self.is_bound else None,
            instance=self.instance,
            prefix=f"{self.prefix}-conditions" if self.prefix else "conditions",
            form_kwargs={"choices": listed},
        )
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("What grants and addresses call it. Left empty, one is made.")
        if "services" in self.fields:
            services: Any = self.fields["services"]
            services.label = _("How they get in")
            services.choices = [(service.pk, who.name_of(service)) for service in self._services(listed)]
        if "join" in self.fields:
            self.fields["join"].label = _("Needed of the lines above")

    def _services(self, listed: who.Choices) -> list[AccessService]:
        held = list(self.instance.services.all()) if self.instance.pk else []
        return list(dict.fromkeys([*listed.services, *held]))

    @property
    def in_words(self) -> str:
        return spoken.tier_sentence(self.instance) if self.instance.pk else ""

    @property
    def changed_data(self) -> list[str]:
        return [*super().changed_data, *(["conditions"] if self.conditions.has_changed() else [])]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not found.get("slug") and "slug" not in self.errors:
            found["slug"] = proposed_slug(found.get("gets"), found.get("max_edge"))
        if not self.conditions.is_valid():
            self.add_error(None, _("Please correct the lines under “For whom”."))
        return found

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        self.conditions.instance = self.instance
        self.conditions.save()


def proposed_slug(gets: Any, max_edge: Any) -> str:
    proposed = {Tier.Gets.SMALLER: f"preview-{max_edge}", Tier.Gets.SUBSTITUTE: "instead"}
    return proposed.get(gets, str(gets or "tier"))


WHAT = ("gets", "max_edge", "take")
NAMES = (("slug", "order"), "label")
INSTEAD = ("substitute", "suffix")
ON_THE_FLY = ("virtual", ("formats", "qualities"))
WHEN = (("starts", "ends"), ("season_starts", "season_ends"), "wall_years")


class TierInline(Fields, StackedInline):
    model = Tier
    form = TierForm
    template = "admin/iiif_auth/tiers.html"
    autocomplete_fields = ("substitute",)
    show_change_link = True
    verbose_name_plural = _("tiers: who gets what")
    fieldsets = (
        (_("What they get"), {"fields": (WHAT,)}),
        (None, {"fields": ("join", "services")}),
        (_("Name and order"), {"fields": NAMES, "classes": ("collapse",)}),
        (_("Something else instead"), {"fields": INSTEAD, "classes": ("collapse",)}),
        (_("Made on the fly"), {"fields": ON_THE_FLY, "classes": ("collapse",)}),
        (_("When"), {"fields": WHEN, "classes": ("collapse",)}),
    )

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None else 2

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        """With all that their forms and sentences need: a tier more is no query more."""
        parts = [part.removeprefix("tiers__") for part in spoken.PARTS]
        rows: QuerySet[Tier] = super().get_queryset(request)
        return rows.select_related("policy").prefetch_related(*parts)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # The answers to “who?” are read once for the page, not once for each line.
        listed = who.Choices(marked=obj is not None and obj.is_template)
        form = type("TierForm", (TierForm,), {"listed": listed})
        return super().get_formset(request, obj, **{"form": form, **kwargs})

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return checkboxes(db_field, super().formfield_for_manytomany, request, kwargs)


def checkboxes(db_field: Any, usual: Any, request: HttpRequest, kwargs: dict[str, Any]) -> Any:
    """Ticks instead of a list to be held down with Ctrl: services are few."""
    if db_field.name == "services":
        kwargs["widget"] = forms.CheckboxSelectMultiple
    return usual(db_field, request, **kwargs)


@admin.register(Tier)
class TierAdmin(Admin):
    """One tier with its conditions on a page of its own, for those who came by its link."""

    form = TierForm
    change_form_template = "admin/iiif_auth/tier_form.html"
    list_display = ("__str__", "policy_link", "in_words", "order")
    list_display_links = ("__str__",)
    list_filter = ("gets", ("policy", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("policy",)
    search_fields = ("slug", "policy__name", "policy__slug")
    autocomplete_fields = ("policy", "substitute")
    fieldsets = (
        (None, {"fields": ("policy", WHAT)}),
        (None, {"fields": ("join", "services")}),
        (_("Name and order"), {"fields": NAMES}),
        (_("Something else instead"), {"fields": INSTEAD, "classes": ("collapse",)}),
        (_("Made on the fly"), {"fields": ON_THE_FLY, "classes": ("collapse",)}),
        (_("When"), {"fields": WHEN, "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        parts = [part.removeprefix("tiers__") for part in spoken.PARTS]
        return super().get_queryset(request).prefetch_related(*parts)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return checkboxes(db_field, super().formfield_for_manytomany, request, kwargs)

    @admin.display(description=_("policy"), ordering="policy__name")
    def policy_link(self, row: Tier) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:iiif_auth_accesspolicy_change", args=[row.policy_id]), row.policy
        )

    @admin.display(description=_("in words"))
    def in_words(self, row: Tier) -> str:
        return spoken.tier_sentence(row)

    def cautions(self, row: Tier) -> Iterable[str]:
        return cautions.texts(row.policy)


# -- Policies -----------------------------------------------------------------------------------------------------


class RefusalTextInline(Fields, StackedInline):
    model = RefusalText
    form = PlainForm
    extra = 0
    classes = ("collapse",)
    verbose_name_plural = _("what others are told")


class CopyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200)
    slug = forms.CharField(
        label=_("Identifier"),
        max_length=80,
        validators=[slug_validator],
        help_text=_("Small letters, digits and hyphens."),
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if AccessPolicy.objects.filter(slug=slug).exists():
            raise forms.ValidationError(
                _("There is already a policy with this identifier; “%(free)s” is free.")
                % {"free": copying.free_slug(slug)}
            )
        return slug


@admin.register(AccessPolicy)
class AccessPolicyAdmin(Admin):
    form = PlainForm
    inlines = (TierInline, RefusalTextInline)
    list_display = ("name", "in_words", "used_by", "copy_link", "draft_link")
    list_filter = ("is_template",)
    ordering = ("name",)
    search_fields = ("name", "slug", "about")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("in_words", "in_table", "copy_link", "draft_link")
    actions = ("copy_selected",)
    change_form_template = "admin/iiif_auth/policy_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: AccessPolicy | None = None) -> Any:
        shown = () if obj is None else ("in_words", "in_table", ("copy_link", "draft_link"))
        does = {"fields": (*shown, "name", "slug", "about")}
        return ((_("What it does"), does), (_("Requests, and what the staff finds"), ASKING), (_("More"), MORE))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return dict(self.prepopulated_fields) if obj is None else {}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"zone": settings.TIME_ZONE, **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessPolicy]:
        counted = (
            super()
            .get_queryset(request)
            .annotate(
                resource_count=pointing(Resource, "policy", request.user),
                collection_count=pointing(Collection, "policy", request.user),
            )
        )
        return spoken.with_parts(counted)

    @admin.display(description=_("who may see what"))
    def in_words(self, row: AccessPolicy) -> str:
        return spoken.policy_sentence(row)

    @admin.display(description=_("as a table"))
    def in_table(self, row: AccessPolicy) -> str:
        return policy_table.table(row)

    @admin.display(description=_("used by"))
    def used_by(self, row: Any) -> str:
        if row.is_template:
            return gettext("nothing: a template is copied")
        links = (
            (
                ngettext("%(count)d collection", "%(count)d collections", row.collection_count),
                "collection",
                row.collection_count,
            ),
            (ngettext("%(count)d resource", "%(count)d resources", row.resource_count), "resource", row.resource_count),
        )
        parts = [
            format_html('<a href="{}?policy__id__exact={}">{}</a>', changelist(model), row.pk, text % {"count": count})
            for text, model, count in links
        ]
        return format_html("{}, {}", *parts)

    @admin.display(description=_("copy"))
    def copy_link(self, row: AccessPolicy) -> str:
        text = gettext("Use this template") if row.is_template else gettext("Duplicate")
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            reverse("admin:iiif_auth_accesspolicy_copy", args=[row.pk]),
            text,
            row.name,
        )

    @admin.display(description=_("draft"))
    def draft_link(self, row: AccessPolicy) -> str:
        if row.is_template:
            return "-"
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            reverse("admin:iiif_auth_draft_new", args=[row.pk]),
            gettext("Edit as a draft"),
            row.name,
        )

    @admin.action(description=_("Copy (a template becomes a policy)"), permissions=["add"])
    def copy_selected(self, request: HttpRequest, queryset: QuerySet[AccessPolicy]) -> None:
        for row in queryset:
            name = copying.proposed_name(row)
            made = copying.copied(row, name=name, slug=copying.free_slug(row.slug))
            self.log_addition(request, made, [{"added": {}}])
            self.message_user(request, gettext("“%(name)s” was made.") % {"name": made}, messages.SUCCESS)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.copy_view)
        return [path("<path:object_id>/copy/", view, name="iiif_auth_accesspolicy_copy"), *super().get_urls()]

    def copy_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Name a copy of a policy, then make it."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not (self.has_add_permission(request) and self.has_view_permission(request, row)):
            raise PermissionDenied
        proposed = {"name": copying.proposed_name(row), "slug": copying.free_slug(row.slug)}
        form = CopyForm(request.POST or None, initial=proposed)
        if request.method == "POST" and form.is_valid():
            return self._copied(request, row, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": self.copy_title(row),
            "sentence": spoken.policy_sentence(row),
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/iiif_auth/copy.html", context)

    def copy_title(self, row: AccessPolicy) -> str:
        text = gettext("Use the template “%(name)s”") if row.is_template else gettext("Duplicate “%(name)s”")
        return text % {"name": row.name}

    def _copied(self, request: HttpRequest, row: AccessPolicy, named: dict[str, str]) -> HttpResponse:
        made = copying.copied(row, name=named["name"], slug=named["slug"])
        self.log_addition(request, made, [{"added": {}}])
        self.message_user(request, gettext("“%(name)s” was made; change it as you like.") % {"name": made})
        target = "change" if self.has_view_or_change_permission(request, made) else "changelist"
        args = [made.pk] if target == "change" else []
        return HttpResponseRedirect(reverse(f"admin:iiif_auth_accesspolicy_{target}", args=args))

    def cautions(self, row: AccessPolicy) -> Iterable[str]:
        return () if row.is_template else cautions.texts(row)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        more = {"cautions": cautions.about(row), "used_by": self.used_by(row)} if row is not None else {}
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)


ASKING: dict[str, Any] = {"fields": copying.ASKING, "classes": ("collapse",)}
MORE: dict[str, Any] = {"fields": ("zone", "signed", "signed_if_blocked", "is_template"), "classes": ("collapse",)}


def changelist(model: str) -> str:
    return reverse(f"admin:iiif_auth_{model}_changelist")


# -- Access services and networks ---------------------------------------------------------------------------------


@admin.register(AccessService)
class AccessServiceAdmin(Doctor, LabelSearch, Admin):
    form = PlainForm
    list_display = ("__str__", "slug", "pattern", "versions", "origin_rule", "used_in")
    list_filter = ("pattern", "origin_rule")
    ordering = ("slug",)
    search_fields = ("slug",)
    fieldsets = (
        (None, {"fields": ("pattern", "slug", "label")}),
        (_("What people read"), {"fields": ("heading", "note", "confirm_label", "logout_label")}),
        (_("If it fails"), {"fields": ("error_heading", "error_note"), "classes": ("collapse",)}),
        (_("Which viewers"), {"fields": ("origin_rule", "origins")}),
        (_("Versions of the protocol"), {"fields": ("dialects", "agree_in_viewer", "clients")}),
        (_("How long it lasts"), {"fields": ("token_seconds", "idle_minutes", "pass_hours"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessService]:
        rows: QuerySet[AccessService] = super().get_queryset(request)
        return rows.annotate(policy_count=Count("tiers__policy", distinct=True))

    @admin.display(description=_("offered in"))
    def versions(self, row: AccessService) -> str:
        return ", ".join(str(name) for name in row.dialects) if isinstance(row.dialects, list) else ""

    def cautions(self, row: AccessService) -> Iterable[str]:
        return cautions_about_service(row)

    @admin.display(description=_("used in policies"), ordering="policy_count")
    def used_in(self, row: Any) -> int:
        count: int = row.policy_count
        return count


def cautions_about_service(row: AccessService) -> Iterator[str]:
    """What one should know of the versions a service is offered in."""
    if "2" not in row.dialects:
        yield gettext("This service is not offered in version 2.0.0, so viewers that speak only that can not use it.")
    if row.agree_in_viewer:
        yield gettext("In versions 1.0 and 0.9.4 people agree in the viewer; what they read there is the note above.")
    if "0.9.4" in row.dialects and "0.9.2" not in row.dialects and looks_like_a_login(row):
        yield gettext(
            "Viewers of version 0.9.2 take this for a login of theirs and then get no token. Offer it in 0.9.2 too, unless "
            "nobody has such a viewer."
        )
    if "0.9.2" in row.dialects and row.origin_rule == AccessService.OriginRule.LISTED:
        yield gettext("In version 0.9.2 viewers do not say who they are, so none is on the list and none gets in.")


def looks_like_a_login(row: AccessService) -> bool:
    """Whether versions 0.9 and 1.0 call it that (C9)."""
    terms = row.pattern == AccessService.Pattern.CLICKTHROUGH and not row.agree_in_viewer
    return terms or row.pattern == AccessService.Pattern.LOGIN


@admin.register(Network)
class NetworkAdmin(NetworksPage, Admin):
    form = PlainForm
    list_display = ("name", "slug", "addresses", "text_link")
    search_fields = ("name", "slug", "prefixes")
    prepopulated_fields = {"slug": ("name",)}
    fields = ("name", "slug", "prefixes")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return dict(self.prepopulated_fields) if obj is None else {}

    @admin.display(description=_("networks"))
    def addresses(self, row: Network) -> str:
        return ", ".join(str(prefix) for prefix in row.prefixes) if isinstance(row.prefixes, list) else ""

    def cautions(self, row: Network) -> Iterable[str]:
        return spoken.cautions_about_network(row)


# -- Collections --------------------------------------------------------------------------------------------------


class CollectionRuleInline(StackedInline):
    model = CollectionRule
    form = PlainForm
    extra = 0
    fields = (("fits", "pattern"),)
    verbose_name_plural = _("which addresses belong to it")


@admin.register(Collection)
class CollectionAdmin(bulk.Bulk, MembersMixin, GivesAccess, Restricting, WhoSees, Ways, Loosening, LabelSearch, Admin):
    inlines = (CollectionRuleInline, DelegationInline)
    list_display = ("__str__", "ways", "in_words", "policy", "resource_count", "parent", "slug", "hides_existence")
    way_links = ("restrict_link", "members_link", "who_link", "take_down")
    list_filter = (("policy", admin.RelatedOnlyFieldListFilter), "hides_existence", "overrides")
    ordering = ("slug",)
    list_select_related = ("parent", "policy")
    search_fields = ("slug",)
    autocomplete_fields = ("parent", "policy")
    filter_horizontal = ("administrators",)
    readonly_fields = ("in_words", "restrict_link", "who_link", "members_link", "take_down")
    actions = (
        "give_access",
        *bulk.actions("set_policy", "remove_policy", "embargo", "lift", "end_grants", "withdraw", "restore"),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("label", "slug", "parent", "members_link", "policy"),
                    *("in_words", "restrict_link", "who_link", "take_down", "overrides"),
                )
            },
        ),
        (_("More"), {"fields": ("hides_existence", "administrators"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        rows: QuerySet[Collection] = super().get_queryset(request)
        parts = (f"policy__{part}" for part in spoken.PARTS)
        running = Withdrawal.objects.filter(states.conditions(timezone.now())["running"], collection=OuterRef("pk"))
        counted = rows.annotate(
            resources_in=pointing(Resource, "collection", request.user), is_withdrawn=Exists(running)
        )
        return counted.prefetch_related(*parts)

    @admin.display(description=_("who may see what"))
    def in_words(self, row: Collection) -> str:
        if row.policy is None:
            return gettext("As the collection above says.") if row.parent_id else gettext("No policy here.")
        return spoken.policy_sentence(row.policy)

    @admin.display(description=_("resources"), ordering="resources_in")
    def resource_count(self, row: Any) -> str:
        return format_html(
            '<a href="{}?collection__id__exact={}">{}</a>', changelist("resource"), row.pk, row.resources_in
        )
