"""A policy as a table: who may do what, when, and how they get in; made from the rules, like its sentence."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from iiif_auth.admin import spoken
from iiif_auth.models import AccessPolicy
from iiif_auth.policy import words
from iiif_auth.policy.types import Policy

Line = tuple[str, str, str, str, str]


def lines(policy: Policy) -> Iterator[Line]:
    """For each tier in its order: its name, for whom, what they may, when, and by which way in."""
    reader = spoken.reader()
    for tier in policy.tiers:
        yield (
            words.tier_name(tier, reader),
            words.who(tier.audience, gettext),
            words.what(tier.reach, tier.take, gettext),
            words.times(tier, gettext, reader) or gettext("always"),
            words.ways(tier, gettext, reader) or "–",
        )


def table(row: AccessPolicy) -> SafeString | str:
    """The table of a saved policy; a sentence where there is nothing to list."""
    try:
        found = list(lines(spoken.policy_value(row)))
    except spoken.Unreadable:
        return gettext("This policy can not be read, so it lets nobody in.")
    if not found:
        return gettext("It has no tiers, so it lets nobody in.")
    heads = (gettext("Tier"), gettext("For whom"), gettext("They may"), gettext("When"), gettext("How they get in"))
    return format_html(
        '<table class="iiif-auth-policy"><caption class="visually-hidden">{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>",
        gettext("Who may do what, and when, by %(policy)s") % {"policy": row},
        format_html_join("", '<th scope="col">{}</th>', ((head,) for head in heads)),
        format_html_join("", '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>', found),
    )
