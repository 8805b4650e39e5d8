"""What is in a collection, and what to add by rule, list, manifest or spreadsheet; counted before anything is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, roles
from iiif_auth.admin.tables import may_exchange
from iiif_auth.exchange import membership, uploads
from iiif_auth.exchange.dates import Style
from iiif_auth.exchange.sheets import MOST_ROWS, too_many_rows
from iiif_auth.models import Collection, CollectionRule

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Collection]
    RuleBase = forms.ModelForm[CollectionRule]
else:
    Base, RuleBase = object, forms.ModelForm


class RuleForm(RuleBase):
    """An address rule of one collection."""

    class Meta:
        model = CollectionRule
        fields = ("fits", "pattern")
        widgets = {"pattern": forms.TextInput(attrs={"size": 60, "inputmode": "url"})}

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        same = CollectionRule.objects.filter(
            collection=self.instance.collection_id, fits=found.get("fits"), pattern=found.get("pattern", "")
        )
        if same.exists():
            self.add_error("pattern", gettext("The collection has this rule already."))
        return found


class SavingForm(RuleForm):
    """The same, with the reason for it."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))


class AddressesForm(forms.Form):
    addresses = forms.CharField(
        label=_("Addresses"),
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"}),
        help_text=_(
            "One to a line, in any spelling: of images, files, info.json, or of the pages of objects on this site."
        ),
    )

    def clean_addresses(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["addresses"].splitlines()]
        if sum(map(bool, lines)) > MOST_ROWS:
            raise ValidationError(too_many_rows())
        return lines


class MembersMixin(Base):
    """Adds the page to the admin of collections, and ``members_link`` for its list and its form."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<path:object_id>/members/", self.admin_site.admin_view(self.members_view), name="iiif_auth_members"
        )
        return [page, *super().get_urls()]

    @admin.display(description=_("what is in it"))
    def members_link(self, row: Collection) -> str:
        if row.pk is None:
            return "-"
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            reverse("admin:iiif_auth_members", args=[row.pk], current_app=self.admin_site.name),
            gettext("What is in it, and what to add"),
            row,
        )

    def members_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Counts of what is in a collection; a rule can be tried before it is saved, and addresses can be listed."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        deed = {"rule": self._rule, "list": self._list}.get(request.POST.get("do", ""))
        if request.method == "POST" and deed is not None:
            return deed(request, row)
        return self._members(request, row)

    def _members(self, request: HttpRequest, row: Collection, **more: Any) -> HttpResponse:
        trial = self._trial(request, row) if may_rule(request.user, row) else {}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": gettext("What is in “%(collection)s”, and what to add") % {"collection": row},
            "media": self.media,
            "inside": membership.inside(request.user, row),
            "parts": list(roles.visible(request.user, row.children.order_by("slug"))[:100]),
            "may_rule": may_rule(request.user, row),
            "may_list": may_exchange(request.user) and self.has_change_permission(request, row),
            "addresses": AddressesForm(),
            **trial,
            **more,
        }
        return TemplateResponse(request, "admin/iiif_auth/members.html", context)

    # -- an address rule

    def _trial(self, request: HttpRequest, row: Collection) -> dict[str, Any]:
        """The form for a rule; if one is tried, what it would do."""
        tried = "pattern" in request.GET
        form = RuleForm(request.GET if tried else None, instance=CollectionRule(collection=row), prefix=None)
        if not tried or not form.is_valid():
            return {"form": form}
        saving = SavingForm(initial={"fits": form.instance.fits, "pattern": form.instance.pattern})
        return {"form": form, "preview": membership.preview(request.user, form.instance), "saving": saving}

    def _rule(self, request: HttpRequest, row: Collection) -> HttpResponse:
        if not may_rule(request.user, row):
            raise PermissionDenied
        form = SavingForm(request.POST, instance=CollectionRule(collection=row))
        if not form.is_valid():
            tried = membership.preview(request.user, form.instance) if "pattern" not in form.errors else None
            return self._members(request, row, form=form, preview=tried, saving=form if tried else None)
        with history.by(request.user, reason=form.cleaned_data["reason"]):
            form.save()
        text = gettext("From now on “%(rule)s” belongs to it.") % {"rule": form.instance}
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:iiif_auth_members", args=[row.pk]))

    # -- a list of addresses

    def _list(self, request: HttpRequest, row: Collection) -> HttpResponse:
        if not (may_exchange(request.user) and self.has_change_permission(request, row)):
            raise PermissionDenied
        form = AddressesForm(request.POST)
        if not form.is_valid():
            return self._members(request, row, form=form, addresses=form, preview=None)
        batch = uploads.listed(request.user, form.cleaned_data["addresses"], row.slug)
        uploads.mapped(batch, batch.plan["mapping"], Style())
        return HttpResponseRedirect(reverse("admin:iiif_auth_table_rows", args=[batch.pk]))


def may_rule(user: Any, row: Collection) -> bool:
    """Whether somebody may add address rules here: they take in what is others', so only people who work everywhere do."""
    return (
        roles.is_everywhere(user)
        and roles.may(user, "iiif_auth.change_collection", row)
        and user.has_perm("iiif_auth.add_collectionrule")
    )
