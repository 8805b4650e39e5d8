"""What the template of the app index asks for: Django gives it nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

if TYPE_CHECKING:
    from iiif_auth.admin import today

register = template.Library()


@register.simple_tag(takes_context=True)
def matters_today(context: dict[str, Any]) -> list[today.Line]:
    # Only here, since Django reads every module of tags, also on a site without an admin.
    from iiif_auth.admin import today

    return today.lines(context["request"])


@register.simple_tag(takes_context=True)
def our_pages(context: dict[str, Any]) -> list[dict[str, Any]]:
    from iiif_auth.admin import today

    return today.pages(context["request"])
