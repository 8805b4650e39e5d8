"""Who of the staff works in which collection, and as what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles
from iiif_auth.admin import people
from iiif_auth.admin.bases import Admin, StackedInline
from iiif_auth.admin.overlays import TakesPeople
from iiif_auth.admin.people import NamesPeople
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.models import Collection, Delegation

SENTENCES = {
    Delegation.Role.VIEWER: _(
        "They find what is in here, and may ask why somebody sees it or not; they change nothing."
    ),
    Delegation.Role.DESK: _("They may also give access for a time, take it back, and answer readers' requests."),
    Delegation.Role.MANAGER: _(
        "They may also attach policies, close and withdraw items, add items, and change many at once; they can not "
        "loosen what is closed above, delete items, write address rules, or change what a policy says."
    ),
}
"""By role, what it is for."""


def in_words(row: Delegation) -> str:
    """What somebody may do there, as far as Django's permissions go."""
    said = [str(SENTENCES[Delegation.Role(row.role)])]
    if row.role != Delegation.Role.VIEWER and row.most_days is not None:
        days = ngettext("Grants: %(n)d day at most.", "Grants: %(n)d days at most.", row.most_days)
        said.append(days % {"n": row.most_days})
    return " ".join(said)


def what_lacks(row: Delegation) -> Iterable[str]:
    """Why a delegation does not work yet: it says where, and Django's permissions say what."""
    if row.user is None:
        return
    if not row.user.is_active or not getattr(row.user, "is_staff", True):
        yield gettext("%(person)s can not open the admin: the account is not one of the staff, or not active.") % {
            "person": people.shown(row.user)
        }
    elif not row.user.has_perm("iiif_auth.view_resource"):
        yield gettext(
            "%(person)s has no permission yet: put them into a group such as “Access viewer” or “Access desk” as well."
        ) % {"person": people.shown(row.user)}


def too_much(user: Any, row: Delegation, collection: Collection) -> tuple[str, str] | None:
    """The field and a sentence if somebody would give more than they have themselves."""
    if roles.is_everywhere(user):
        return None
    own = roles.held(user, collection.pk or collection.parent_id or 0)
    if own is None or roles.ORDER.index(row.role) > roles.ORDER.index(own.role):
        return "role", gettext("This is more than you may do here yourself; please choose a lesser role.")
    gives = row.role != Delegation.Role.VIEWER and own.most_days is not None
    if gives and (row.most_days is None or row.most_days > (own.most_days or 0)):
        days = own.most_days or 0
        longest = ngettext("You may give %(n)d day here at most.", "You may give %(n)d days here at most.", days)
        return "most_days", longest % {"n": days}
    return None


class DelegationForm(NamesPeople, PlainForm):
    """For one person or one group; nobody gives more than they have."""

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(found.get("user")) == bool(found.get("group")) and not {"user", "group"} & set(self.errors):
            self.add_error(None, _("Please say for whom: one person or one group."))
        return found

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc, unused-ignore]
        owner = getattr(self, "owner", None)
        place = owner if owner is not None else self.instance.collection if self.instance.collection_id else None
        asker = getattr(self, "asker", None)
        if self.errors or not self.changed_data or place is None or asker is None:
            return
        if (objection := too_much(asker, self.instance, place)) is not None:
            self.add_error(objection[0], ValidationError(objection[1]))


def is_beyond(user: Any, row: Delegation | None) -> bool:
    """Whether a delegation gives more than somebody has: then they do not change it, or take it away, either."""
    return row is not None and too_much(user, row, row.collection) is not None


class DelegationInline(TakesPeople, StackedInline):
    model = Delegation
    form = DelegationForm
    extra = 0
    classes = ("collapse",)
    fields = (("user", "group"), ("role", "most_days"))
    verbose_name_plural = _("who of the staff works in here")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user", "group")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Others change them one by one in their list, where each is compared with what they have themselves."""
        return roles.is_everywhere(request.user) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.is_everywhere(request.user) and super().has_delete_permission(request, obj)


@admin.register(Delegation)
class DelegationAdmin(TakesPeople, Admin):
    form = DelegationForm
    list_display = ("__str__", "role", "in_words", "most_days")
    list_filter = ("role", ("collection", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("collection", "user", "group")
    autocomplete_fields = ("collection",)
    readonly_fields = ("in_words",)
    fieldsets = (
        (None, {"fields": ("collection",)}),
        (_("For whom (one of these)"), {"fields": ("user", "group")}),
        (_("As what"), {"fields": ("role", "in_words", "most_days")}),
    )

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["collection__slug", "collection__label", "group__name", *people.search_fields("user__")]

    @admin.display(description=_("what they may do"))
    def in_words(self, row: Delegation) -> str:
        if row.pk is None:
            roles_in_words = ((role.label, SENTENCES[role]) for role in Delegation.Role)
            return format_html_join("", "<p><strong>{}.</strong> {}</p>", roles_in_words)
        return in_words(row)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not is_beyond(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_beyond(request.user, obj)

    def cautions(self, row: Delegation) -> Iterable[str]:
        return what_lacks(row)
