"""Registered viewers of Auth 0.9.2. A secret is made here, shown once, and never again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from iiif_auth import clients
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.passes import SECRET
from iiif_auth.models import AccessService, RegisteredClient


@admin.register(RegisteredClient)
class RegisteredClientAdmin(Admin):
    list_display = ("name", "client_id", "is_active", "created", "seen")
    list_filter = ("is_active", "services")
    search_fields = ("name", "client_id")
    ordering = ("name",)
    fields = ("name", "client_id", "services", "is_active", "created", "seen")
    readonly_fields = ("created", "seen")
    prepopulated_fields = {"client_id": ("name",)}
    change_form_template = "admin/iiif_auth/client_form.html"

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return dict(self.prepopulated_fields) if obj is None else {}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Services are few, and each with a label of its own to tick; the box that Django's picker searches in has none."""
        return super().formfield_for_manytomany(db_field, request, **{**kwargs, "widget": forms.CheckboxSelectMultiple})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not SECRET & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def cautions(self, row: RegisteredClient) -> Iterator[str]:
        if not row.services.exists():
            yield gettext("No access service is chosen, so this viewer gets in nowhere yet.")
        for service in row.services.filter(clients=AccessService.Clients.ANY):
            yield gettext("“%(service)s” does not ask viewers who they are; change that on its own page.") % {
                "service": service
            }

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.secret_view)
        name = "iiif_auth_registeredclient_secret"
        return [path("<path:object_id>/secret/", view, name=name), *super().get_urls()]

    @sensitive_variables("secret")
    def save_model(self, request: HttpRequest, obj: RegisteredClient, form: Any, change: bool) -> None:
        if not change:
            secret = clients.new_secret(obj)
            request.iiif_auth_secret = secret  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: RegisteredClient, *args: Any, **kwargs: Any) -> HttpResponse:
        """The secret on a page of its own, in the answer itself: it is put into no message, cookie or log."""
        super().response_add(request, obj, *args, **kwargs)
        return self._shown(request, obj, request.iiif_auth_secret)  # type: ignore[attr-defined]

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first: the machines that have the old secret stop working."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, row, "", gettext("Give “%(name)s” a new secret?") % {"name": row})
        secret = clients.new_secret(row)
        row.save(update_fields=["digest"])
        self.log_change(request, row, gettext("New secret."))
        return self._shown(request, row, secret)

    @sensitive_variables("secret")
    def _shown(self, request: HttpRequest, row: RegisteredClient, secret: str) -> HttpResponse:
        return self._page(request, row, secret, gettext("The secret of “%(name)s”") % {"name": row})

    def _page(self, request: HttpRequest, row: RegisteredClient, secret: str, title: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": title,
            "secret": secret,
            "media": self.media,
        }
        response = TemplateResponse(request, "admin/iiif_auth/secret.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response
