"""The site, broken in one way: each of these is a mistake that somebody made before, or could make here tomorrow."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from django.http import HttpRequest

from iiif_auth import fetch, identify, store
from iiif_auth.doorways import content, views
from iiif_auth.doorways.target import target_of
from iiif_auth.enforce import guard, signed
from iiif_auth.enforce.doors import Door
from iiif_auth.policy.types import Allowed
from iiif_auth.upstream import connecting


def decides_on_the_decoded_path() -> None:
    """The decision is about the decoded, tidied path; the bytes are asked for by the path as it was sent."""
    asked, path_upstream = views.asked, views.upstream_path

    def tidied(target: str, *more: Any) -> Any:
        found = asked(posixpath.normpath(unquote(target.partition("?")[0])), *more)
        found_at[found.uri] = target.partition("?")[0].removeprefix(found.door.path)
        return found

    def raw(wanted: Any, *more: Any) -> str:
        if wanted.door.serves.version is None:
            return path_upstream(wanted, *more)
        return found_at[wanted.uri]

    def unjudged(door: Door, path: str) -> fetch.Target:
        start = fetch.target_of(door.upstream)
        assert start is not None
        return replace(start, path=start.path + path)

    found_at: dict[str, str] = {}
    connecting.target_of = unjudged  # which would have refused, as the web server would
    views.asked, views.upstream_path = tidied, raw  # type: ignore[assignment]


def takes_a_token_for_a_cookie() -> None:
    """Cookies and tokens are looked up in one place."""
    by_cookie = store.presented_pass

    def either(digest: str) -> store.Presented:
        found = by_cookie(digest)
        return found if found.holder else store.presented_token(digest)

    store.presented_pass = either


def takes_a_bearer_for_content() -> None:
    """A token opens what it should only ask about."""
    asker = guard._asker

    def anybody(request: HttpRequest, offer: Any, presented: store.Presented, ticket: Any, *more: Any) -> Any:
        token = identify.presented_token(request)
        if token and ticket is None:
            return identify.browser_with(request, store.presented_token(identify.digest(token)).holder)
        return asker(request, offer, presented, ticket, *more)

    guard._asker = anybody


def signs_without_the_address() -> None:
    """The code of a ticket covers whose it is and until when, but not what for."""
    code = signed._code

    def short(key: bytes, name: str, ends: int, holder: int, uri: str) -> str:
        return code(key, name, ends, holder, "")

    def any_reader(request: HttpRequest, uri: str, ticket: Any, now: datetime) -> store.Finder:
        if ticket is None:
            return identify.presenting(request)
        if not signed.holds(ticket, uri, now):
            raise signed.NotSigned
        return lambda: store.presented_ticket(ticket.holder)

    signed._code, guard._finder = short, any_reader


def forgets_when_tickets_end() -> None:
    """The end of a ticket is signed, and then not looked at."""
    holds, facts_of = signed.holds, store.presented_ticket

    def always(ticket: Any, uri: str, now: datetime) -> bool:
        return holds(ticket, uri, min(now, datetime.fromtimestamp(ticket.ends - 1, now.tzinfo)))

    def lasting(number: int) -> store.Presented:
        found = facts_of(number)
        if found.holder is None:
            return found
        far = datetime(2099, 1, 1, tzinfo=found.holder.ends.tzinfo)
        return replace(found, holder=replace(found.holder, ends=far, idle_until=far))

    signed.holds, store.presented_ticket = always, lasting


def thinks_heads_are_harmless() -> None:
    """HEAD has no body, so it is not refused."""
    verdict = guard.verdict

    def lenient(request: HttpRequest, url: str) -> Any:
        found = verdict(request, url)
        if request.method == "HEAD" and found.offer is not None:
            return replace(found, decision=Allowed(found.offer.wanted, True))
        return found

    guard.verdict = lenient


def answers_conditions_first() -> None:
    """Whether something has changed is said before it is asked who wants to know, and what is asked in parts is not refused."""
    verdict = guard.verdict

    def lenient(request: HttpRequest, url: str) -> Any:
        found = verdict(request, url)
        if "Range" in request.headers and found.offer is not None:
            return replace(found, decision=Allowed(found.offer.wanted, True))
        return found

    guard.verdict = lenient


def sends_files_by_their_decoded_name() -> None:
    """The rest of a file's path is decoded and joined to the folder without another look."""
    served = views.doorway

    def doorway(request: HttpRequest) -> Any:
        from iiif_auth.enforce import files
        from iiif_auth.enforce.doors import doors

        path = unquote(target_of(request).partition("?")[0])
        door = next((one for one in doors() if one.root and path.startswith(one.path)), None)
        if door and ".." in path:
            from pathlib import Path

            found = (Path(door.root) / path.removeprefix(door.path)).resolve()
            if "\0" not in path and found.is_file():
                return content._contained(files.sent(request, found, "text/plain"), "text/plain")
        return served(request)

    import iiif_auth.doorways as published

    published.urlpatterns[0].callback = doorway


BREAKS: Final[Mapping[str, Callable[[], None]]] = {
    "decoded-path": decides_on_the_decoded_path,
    "token-as-cookie": takes_a_token_for_a_cookie,
    "bearer-for-content": takes_a_bearer_for_content,
    "ticket-without-address": signs_without_the_address,
    "ticket-without-end": forgets_when_tickets_end,
    "head-is-harmless": thinks_heads_are_harmless,
    "range-before-decision": answers_conditions_first,
    "file-traversal": sends_files_by_their_decoded_name,
}
