"""Broken twins: each breaks one thing on purpose, and the test named beside it must notice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from subprocess import CalledProcessError
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import get_resolver
from django.utils.safestring import mark_safe

from iiif_auth import clients, identify, middleware, passes, store
from iiif_auth.conf import conf
from iiif_auth.enforce import check, delivering, guard, signed
from iiif_auth.http import access, headers, info, probe, token
from iiif_auth.http import logout as logout_views
from iiif_auth.http import signed as signed_views
from iiif_auth.http.api_view import PublicView
from iiif_auth.policy.types import OriginRule, Pattern
from iiif_auth.protocol import dialects, infojson, origins, v092, v1, v2
from iiif_auth.protocol.dialect import Dialect
from iiif_auth.protocol.terms import Problem
from tests.enforce import test_check, test_guard, test_heads
from tests.http import (
    test_access,
    test_access_v1,
    test_alpha,
    test_clients,
    test_headers,
    test_info,
    test_info_v1,
    test_logout,
    test_media_v1,
    test_middleware,
    test_probe,
    test_signed,
    test_token,
    test_token_v1,
    test_v092,
)

# The fixtures of those tests are needed here by name.
from tests.http.test_probe import tiers  # noqa: F401
from tests.security import test_bad_input, test_dialects, test_hidden, test_tokens_everywhere
from tests.store import test_credentials, test_presented
from tests.web import V094, V1


@dataclass
class Twin:
    """What is broken, how, and which test is to notice."""

    name: str
    breaks: Callable[[pytest.MonkeyPatch], None]
    test: Callable[..., None]
    values: dict[str, Any] = field(default_factory=dict)


TWINS: list[Twin] = []


def noticed_by(test: Callable[..., None], **values: Any) -> Callable[[Any], Any]:
    def register(breaks: Any) -> Any:
        TWINS.append(Twin(f"{breaks.__name__} / {test.__name__}", breaks, test, values))
        return breaks

    return register


# -- The probe ----------------------------------------------------------------------------------------------------


@noticed_by(
    test_probe.test_the_answer_is_always_200_and_says_the_status_inside,
    authorization=None,
    uri="/iiif/3/chart",
    status=401,
)
def probe_answers_with_the_status_itself(patch):
    def answer(status, body):
        return real(body.get("status", status), body)

    real = probe.answer
    patch.setattr(probe, "answer", answer)


@noticed_by(
    test_probe.test_the_answer_is_always_200_and_says_the_status_inside,
    authorization=None,
    uri="/iiif/3/chart",
    status=401,
)
def status_is_a_text(patch):
    real = v2._result
    patch.setattr(v2, "_result", lambda status, rest: {**real(status, rest), "status": str(status)})


@noticed_by(test_probe.test_smaller_versions_are_offered_and_can_really_be_had)
def substitute_is_an_object(patch):
    real = v2._refused
    patch.setattr(v2, "_refused", lambda *given: {**real(*given), "substitute": real(*given)["substitute"][0]})


@noticed_by(test_probe.test_cookies_are_not_looked_at)
def the_probe_takes_the_cookie(patch):
    patch.setattr(identify, "bearer_of", lambda request, facts: identify.browser(request))


@noticed_by(test_probe.test_a_token_of_a_service_that_does_not_lead_here_is_nobodys)
def the_token_of_any_service_counts(patch):
    class Every(frozenset):
        def __contains__(self, slug: object) -> bool:
            return True

    real = identify.counting_token
    patch.setattr(identify, "counting_token", lambda facts, doors: real(facts, dict.fromkeys(doors, Every())))


@noticed_by(test_probe.test_a_token_of_another_dialect_is_nobodys, dialect="1")
def the_token_of_any_dialect_counts(patch):
    real = store.presented_token

    def alike(digest):
        found = real(digest)
        return replace(found, token=found.token and replace(found.token, dialect="2"))

    patch.setattr(store, "presented_token", alike)


@noticed_by(test_probe.test_the_preflight_is_the_same_for_everything, uri="/iiif/3/chart")
def no_preflight(patch):
    patch.setattr(PublicView, "options", lambda self, request, *args, **kwargs: HttpResponse(status=204))


@noticed_by(test_probe.test_the_preflight_is_the_same_for_everything, uri="/iiif/3/chart")
def preflight_allows_everything_by_a_star(patch):
    patch.setitem(headers.PREFLIGHT, "Access-Control-Allow-Headers", "*")


@noticed_by(test_probe.test_an_answer_that_can_not_be_given_is_readable_from_anywhere_and_not_a_yes)
def errors_are_left_to_the_framework(patch):
    patch.setattr(PublicView, "handle_exception", lambda self, exc: HttpResponse(status=500))


@noticed_by(test_probe.test_a_no_says_why_in_words)
def no_words(patch):
    patch.setattr(v2, "_told", lambda text: {})


@noticed_by(
    test_probe.test_what_is_delivered_elsewhere_is_answered_with_a_location_only_to_those_who_may_have_it,
)
def location_is_a_text(patch):
    real = v2._granted
    patch.setattr(v2, "_granted", lambda *given: (302, {"location": real(*given)[1]["location"]["id"]}))


@noticed_by(test_probe.test_a_token_counts_in_its_header_only)
def the_token_counts_in_the_query(patch):
    real = identify.presented_token
    patch.setattr(identify, "presented_token", lambda request: real(request) or request.GET.get("access_token"))


# -- The token service --------------------------------------------------------------------------------------------


@noticed_by(
    test_token.test_whatever_the_message_is_called_it_comes_back_unchanged_and_nothing_else_runs,
    message_id="</script><script>alert(1)</script>",
)
@noticed_by(test_bad_input.test_the_script_posts_them_unchanged)
def the_message_is_written_raw(patch):
    import json

    def raw(value, element_id=None, encoder=None):
        return mark_safe(f'<script id="{element_id}" type="application/json">{json.dumps(value)}</script>')  # noqa: S308

    patch.setattr("django.template.defaultfilters._json_script", raw)


@noticed_by(
    test_token.test_where_no_origin_can_be_used_the_error_goes_to_everybody_and_no_token_is_made,
    query="?origin=https://good.example@evil.example&messageId=1",
    message_id="1",
)
def the_origin_is_taken_as_it_comes(patch):
    patch.setattr(origins, "serialised", lambda value, plain_http=True: value)


@noticed_by(test_token.test_the_page_posts_one_token_to_the_viewer_that_asked)
def the_token_goes_to_everybody(patch):
    real = token.page
    patch.setattr(token, "page", lambda request, message, target, ladder=None: real(request, message, "*", ladder))


@noticed_by(test_access.test_only_the_viewer_that_was_confirmed_is_told)
def the_origin_is_not_checked(patch):
    patch.setattr(identify, "may_use_origin", lambda service, origin, facts: True)


@noticed_by(test_token.test_the_page_may_be_framed_by_anybody_and_stored_by_nobody)
def the_token_page_can_not_be_framed(patch):
    patch.setitem(headers.TOKEN_PAGE, "X-Frame-Options", "DENY")


@noticed_by(test_token.test_the_page_may_be_framed_by_anybody_and_stored_by_nobody)
def the_token_page_is_kept(patch):
    patch.setitem(headers.TOKEN_PAGE, "Cache-Control", "max-age=60")


@noticed_by(test_token.test_every_error_is_a_message_in_words_for_people, profile="expiredAspect")
def expired_is_called_invalid(patch):
    patch.setitem(v2.PROBLEMS, Problem.EXPIRED_ASPECT, "invalidAspect")


@noticed_by(test_token.test_what_is_not_a_frame_gets_no_token, headers={"sec-fetch-dest": "script"}, allowed=False)
def scripts_get_tokens(patch):
    patch.setattr(token, "_may_be_answered", lambda request, as_json: True)


@noticed_by(test_token.test_a_token_does_not_outlive_the_pass)
def tokens_live_as_long_as_they_like(patch):
    real = passes.mint
    patch.setattr(passes, "mint", lambda *given: (real(*given)[0], 300))


@noticed_by(test_access.test_neither_the_secret_nor_the_token_is_kept)
def secrets_are_stored(patch):
    patch.setattr(identify, "digest", lambda secret: secret)


@noticed_by(test_token.test_an_old_token_says_nothing)
def tokens_stand_for_ever(patch):
    """Two look at the end: the statement that reads tokens, and whoever judges what it read."""
    patch.setattr(store.passes, "BEARER", store.passes.BEARER.replace("t.ends > %s", "(t.ends > %s OR 1 = 1)"))
    patch.setattr(identify, "_stands", lambda facts: True)


@noticed_by(test_credentials.test_a_token_that_has_ended_is_not_even_read, seconds=0, is_read=False)
def tokens_are_read_for_ever(patch):
    patch.setattr(store.passes, "BEARER", store.passes.BEARER.replace("t.ends > %s", "(t.ends > %s OR 1 = 1)"))


# -- The access service -------------------------------------------------------------------------------------------


@noticed_by(test_access.test_looking_at_the_page_grants_nothing_however_often)
@noticed_by(test_access.test_a_browser_with_a_pass_still_has_to_click_for_another_viewer)
def a_look_grants(patch):
    patch.setitem(access.PATTERNS, Pattern.CLICKTHROUGH, access.granted)


@noticed_by(test_access.test_somebody_already_signed_in_still_has_to_click)
def signing_in_grants(patch):
    patch.setattr(access, "confirmation", access.granted)


@noticed_by(test_middleware.test_while_somebody_signs_in_no_page_cuts_the_viewer_off, url="/moved", status=302)
def the_mark_is_not_heeded(patch):
    patch.setattr(middleware, "is_marked", lambda request: False)


@noticed_by(test_middleware.test_the_access_pages_never_cut_the_viewer_off_whoever_answers)
def refused_forms_cut_the_viewer_off(patch):
    patch.setattr(middleware, "is_access_page", lambda request: False)


@noticed_by(test_middleware.test_a_forged_mark_is_no_mark, value="1")
def any_mark_counts(patch):
    patch.setattr(middleware, "is_marked", lambda request: bool(request.COOKIES.get(middleware.COOKIE)))


@noticed_by(test_headers.test_every_kind_of_answer_carries_exactly_its_headers)
def the_access_page_isolates_itself(patch):
    patch.setitem(headers.PAGE, "Cross-Origin-Opener-Policy", "same-origin")


@noticed_by(test_access.test_the_pages_can_not_be_framed)
def the_access_page_can_be_framed(patch):
    patch.setattr(access, "page_policy", lambda: "default-src 'none'")


@noticed_by(test_access.test_each_click_gives_the_cookie_a_new_value_and_ends_the_old_one)
def the_cookie_keeps_its_value(patch):
    patch.setattr(identify, "new_secret", lambda: "A" * 43)


@noticed_by(test_access.test_somebody_else_at_the_same_browser_inherits_nothing)
def the_next_person_inherits(patch):
    def kept(request, now):
        found = identify.current_pass(request, now)
        return passes.Pass.objects.get(pk=found.facts.id) if found.facts else None

    patch.setattr(passes, "_kept_pass", kept)


@noticed_by(test_access.test_the_cookie_is_bound_to_this_site_and_sent_to_it_from_every_other)
def the_cookie_stays_on_its_own_site(patch):
    def lax(response, value, max_age):
        response.set_cookie(identify.COOKIE, value, max_age=max_age, secure=True, httponly=True, samesite="Lax")

    patch.setattr(passes, "_cookie", lax)


@noticed_by(test_access.test_a_kiosk_lets_in_nobody_from_elsewhere)
@noticed_by(test_access.test_a_kiosk_that_no_tier_ties_to_a_place_lets_in_nobody)
def a_kiosk_lets_in_the_world(patch):
    patch.setattr(identify, "recognises", lambda service, subject, book: True)


@noticed_by(test_access.test_a_pass_that_has_run_out_is_expired_at_every_door, life="idle_until")
@noticed_by(test_access.test_a_pass_that_has_run_out_is_expired_at_every_door, life="ends")
def passes_last_for_ever(patch):
    patch.setattr(store.PassFacts, "expired", lambda self, at: False)


@noticed_by(test_access.test_what_ends_an_account_ends_its_pass_at_once, end=test_access.change_password)
def the_password_does_not_matter(patch):
    for place in (store, store.passes):
        patch.setattr(place, "credential_mark", lambda password: "same")


@noticed_by(
    test_access.test_each_service_says_which_viewers_are_told,
    rule="listed",
    origins=[],
    listed="invalidOrigin",
    unlisted="invalidOrigin",
)
@noticed_by(
    test_token.test_a_service_for_addresses_with_an_empty_list_of_viewers_serves_none, rule="listed", allowed=False
)
def an_empty_list_is_every_viewer(patch):
    real = store.service_value

    def lenient(row):
        value = real(row)
        listed = [origin for origin in value.origins if origin != "https://iiif.example.org"]
        return value if listed else replace(value, origin_rule=OriginRule.OPEN)

    patch.setattr(store.rules, "service_value", lenient)


# -- Logout -------------------------------------------------------------------------------------------------------


@noticed_by(test_logout.test_a_picture_on_somebodys_page_logs_nobody_out, destination="image")
def pictures_log_out(patch):
    patch.setattr(logout_views, "is_for_a_page", lambda request: True)


@noticed_by(test_logout.test_leaving_the_last_thing_ends_the_pass)
def only_the_cookie_goes(patch):
    patch.setattr(passes, "leave", lambda request, service: False)


@noticed_by(test_logout.test_leaving_a_login_ends_session_pass_cookie_and_tokens, query="")
def the_session_stays(patch):
    patch.setattr(logout_views, "logout_of_host", lambda request: None)


@noticed_by(test_logout.test_leaving_terms_takes_back_that_agreement_and_nothing_else)
def leaving_one_thing_leaves_everything(patch):
    patch.setattr(passes, "leave", lambda request, service: passes.end(request) and False)


# -- Content ------------------------------------------------------------------------------------------------------


@noticed_by(test_tokens_everywhere.test_a_token_opens_nothing_anywhere, place="header", method="get")
@noticed_by(test_guard.test_a_request_is_judged_by_its_cookie_and_by_nothing_else_that_is_said)
def the_content_takes_tokens(patch):
    real = identify.presenting
    patch.setattr(
        identify,
        "presenting",
        lambda request: identify.showing(request) if identify.presented_token(request) else real(request),
    )
    patch.setattr(identify, "cookie_secret", lambda request: "")


@noticed_by(test_tokens_everywhere.test_a_token_opens_nothing_anywhere, place="access cookie", method="get")
def the_token_is_a_cookie(patch):
    real = store.presented_pass

    def either(digest):
        found = store.presented_token(digest)
        return found if found.token else real(digest)

    patch.setattr(store, "presented_pass", either)


@noticed_by(test_guard.test_what_is_granted_can_be_used_on_other_sites_and_is_kept_by_no_shared_cache)
def shared_caches_keep_content(patch):
    patch.setattr(guard, "admitted", lambda request, response: response)


@noticed_by(test_guard.test_only_to_look_is_not_to_take)
def looking_is_taking(patch):
    real = guard.refusal
    patch.setattr(guard, "refusal", lambda request, url, take=False, degraded=None: real(request, url))


@noticed_by(test_hidden.test_to_a_stranger_everything_looks_like_nothing, door="content")
@noticed_by(test_hidden.test_to_a_stranger_everything_looks_like_nothing, door="probe")
def what_is_hidden_says_why(patch):
    real = store.find_for

    def seen(uri, finder):
        offer, presented = real(uri, finder)
        return offer and replace(offer, hidden=False), presented

    patch.setattr(store, "find_for", seen)


@noticed_by(test_hidden.test_to_a_stranger_everything_looks_like_nothing, door="info.json")
def what_is_hidden_has_dimensions(patch):
    patch.setattr(info.InfoView, "_browser_may", lambda self, request, offer, now: True)


@noticed_by(test_info.test_everybody_is_told_the_same)
def info_json_depends_on_who_asks(patch):
    def get(self, request, identifier):
        subject = identify.browser(request._request)
        return self._missing() if not subject.agreements else real(self, request, identifier)

    real = info.InfoView.get
    patch.setattr(info.InfoView, "get", get)


@noticed_by(test_info.test_a_restricted_image_says_where_its_probe_is)
def the_context_of_auth_comes_last(patch):
    real = infojson.with_services

    def last(document, *given):
        made = dict(real(document, *given))
        return {**made, "@context": made["@context"][::-1] if isinstance(made["@context"], list) else made["@context"]}

    patch.setattr(infojson, "with_services", last)


# -- Versions before 2.0.0 ----------------------------------------------------------------------------------------


@noticed_by(
    test_dialects.test_a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other, name="probe of 2.0.0"
)
@noticed_by(
    test_dialects.test_a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other,
    name="probe of the alpha",
)
@noticed_by(
    test_dialects.test_a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other,
    name="description of 1.0",
)
@noticed_by(
    test_dialects.test_a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other,
    name="description of 0.9",
)
@noticed_by(
    test_dialects.test_a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other,
    name="head of a document",
)
@noticed_by(test_heads.test_versions_that_have_it_not_are_nobody, dialect="2")
def the_version_of_a_token_does_not_matter(patch):
    def alike(facts, doors):
        return facts if facts and any(facts.service in slugs for slugs in doors.values()) else None

    patch.setattr(identify, "counting_token", alike)


@noticed_by(test_heads.test_nothing_but_a_head_looks_at_the_token, dialect="alpha", method="get")
@noticed_by(test_alpha.test_content_obeys_the_cookie_and_never_the_token)
@noticed_by(test_info_v1.test_the_picture_obeys_the_cookie_and_never_the_token, version=V1)
def the_content_takes_tokens_of_old_versions(patch):
    def asker(request, offer, presented, ticket):
        doors = dict.fromkeys(dialects.DIALECTS, frozenset(store.rulebook().services))
        token = identify.shown_token(request, doors)
        return identify.bearer_of(request, token) if token else identify.browser(request)

    patch.setattr(guard, "_asker", asker)


@noticed_by(test_heads.test_the_view_behind_is_not_even_called, dialect="1")
def a_head_with_a_token_reaches_the_view(patch):
    patch.setattr(guard, "seen", lambda: None)


@noticed_by(test_media_v1.test_where_the_practice_is_off_a_token_of_1_0_says_nothing)
@noticed_by(test_heads.test_what_is_switched_off_is_not_heard, dialect="1")
def the_practice_is_followed_everywhere(patch):
    real = dialects.DIALECTS["1"]
    everywhere = replace(real, probe=replace(real.probe, offered_as="1"))
    patch.setitem(dialects.DIALECTS, "1", everywhere)
    patch.setitem(dialects.PROBES, "1", everywhere.probe)


@noticed_by(test_dialects.test_a_service_that_is_not_offered_in_a_space_is_not_there, space="alpha")
@noticed_by(test_dialects.test_what_is_not_offered_looks_like_what_was_never_there, space="0")
@noticed_by(test_dialects.test_a_new_service_is_offered_in_two_versions_and_off_in_the_others)
def every_service_is_offered_in_everything(patch):
    patch.setattr(identify, "service_called", lambda slug, space="2": store.rulebook().services.get(slug))


@noticed_by(test_info_v1.test_whoever_may_not_see_it_gets_401_and_the_whole_description, version=V1)
def a_refusal_asks_for_a_password(patch):
    real = info.InfoView._answer

    def asks(self, response):
        response.headers["WWW-Authenticate"] = 'Basic realm="library"'
        return real(self, response)

    patch.setattr(info.InfoView, "_answer", asks)


@noticed_by(test_info_v1.test_where_there_is_a_lesser_version_one_is_sent_to_the_best_one_may_have, version=V1)
@noticed_by(test_v092.test_whoever_may_not_is_sent_to_a_lesser_version_which_says_how_to_get_more)
@noticed_by(test_alpha.test_a_refusal_names_the_best_lesser_version_one_may_have_and_sends_nobody_there)
def nobody_is_told_of_a_lesser_version(patch):
    patch.setattr(info.InfoView, "_lesser", lambda self, offer, decision: None)


@noticed_by(test_info_v1.test_the_version_one_is_sent_to_names_the_services_of_the_higher_one, version=V094)
def a_lesser_version_leads_nowhere(patch):
    patch.setattr(dialects, "services_above", lambda offer, dialect: ())


@noticed_by(test_info_v1.test_a_page_that_stands_in_for_another_is_a_lesser_version_of_it, version=V1)
def a_stand_in_leads_nowhere(patch):
    patch.setattr(store, "original_of", lambda offer: None)


@noticed_by(test_info_v1.test_nobody_is_sent_to_a_placeholder_that_stands_for_many, version=V1)
def a_placeholder_counts_as_a_lesser_version(patch):
    patch.setattr(store, "stands_in", lambda uri, original: True)


@noticed_by(test_info_v1.test_every_answer_is_readable_from_anywhere_and_kept_by_no_cache, version=V1)
@noticed_by(test_alpha.test_every_answer_is_readable_from_anywhere_and_kept_by_no_cache)
def caches_keep_what_one_viewer_was_told(patch):
    patch.setitem(headers.NEVER_STORE, "Cache-Control", "public, max-age=60")


@noticed_by(
    test_info_v1.test_one_is_sent_on_within_the_library_whatever_the_request_says_of_it,
    version=V1,
    headers={"host": "evil.example"},
)
def one_is_sent_where_the_request_came_to(patch):
    real = info.InfoView.dispatch

    def followed(self, request, *args, **kwargs):
        response = real(self, request, *args, **kwargs)
        if "Location" in response.headers:
            response.headers["Location"] = request.build_absolute_uri(response.headers["Location"].partition(".org")[2])
        return response

    patch.setattr(info.InfoView, "dispatch", followed)


@noticed_by(test_info_v1.test_a_reader_who_is_not_entitled_is_told_401_like_everybody, version=V1)
@noticed_by(test_v092.test_403_is_for_the_known_and_for_this_version_only)
@noticed_by(test_alpha.test_nobody_is_forbidden_here_and_what_is_hidden_is_not_there)
def every_version_forbids(patch):
    patch.setattr(info, "forbidden", lambda token: token is not None)


@noticed_by(test_v092.test_whoever_is_known_and_never_let_in_gets_403_and_everything_else_the_same)
def no_version_forbids(patch):
    patch.setattr(info, "forbidden", lambda token: False)


@noticed_by(test_v092.test_nobody_else_is_sent_on_nor_anybody_in_another_space)
def strangers_are_sent_to_lesser_pictures(patch):
    def known(request, offer, decision):
        request.iiif_auth_pass = SimpleNamespace(enrols=False)
        return real(request, offer, decision)

    real = guard._lesser
    patch.setattr(guard, "_lesser", known)


@noticed_by(test_token_v1.test_the_page_posts_one_token_to_the_viewer_that_asked, version=V094)
@noticed_by(test_alpha.test_a_frame_gets_a_message_that_goes_to_the_viewer, message_id="1234")
def old_tokens_go_to_everybody(patch):
    real = token.page
    patch.setattr(token, "page", lambda request, message, target, ladder=None: real(request, message, "*", ladder))


@noticed_by(test_v092.test_a_token_without_an_origin_needs_a_login_without_one)
@noticed_by(test_token_v1.test_only_the_viewer_that_was_confirmed_is_told, version=V1)
def any_viewer_may_have_an_old_token(patch):
    patch.setattr(identify, "may_use_origin", lambda service, origin, facts: True)


@noticed_by(
    test_token_v1.test_plain_json_is_for_no_site,
    version=V1,
    fetched={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
    allowed=False,
)
def every_site_may_ask_for_plain_json(patch):
    patch.setattr(token, "_may_be_answered", lambda request, as_json: True)


@noticed_by(
    test_token_v1.test_an_error_in_plain_json_has_the_status_that_fits,
    version=V1,
    word="missingCredentials",
    status=401,
)
def errors_in_plain_json_are_200(patch):
    patch.setattr(token, "JSON_STATUS", dict.fromkeys(Problem, 200))


@noticed_by(test_v092.test_a_program_gets_plain_json_that_says_it_is_a_bearers)
def nobody_says_whose_the_token_is(patch):
    patch.setitem(dialects.DIALECTS, "0.9.2", replace(v092.DIALECT, token=v1.token))
    patch.setitem(dialects.SPACES, "0", (v1.DIALECT_094, dialects.DIALECTS["0.9.2"]))


@noticed_by(test_access_v1.test_where_the_page_shows_the_terms_it_is_a_login_with_a_button, version=V1)
@noticed_by(test_access_v1.test_where_the_page_shows_the_terms_it_is_a_login_with_a_button, version=V094)
def terms_are_agreed_to_by_opening_the_page(patch):
    patch.setattr(Dialect, "grants_at_once", lambda self, service: service.pattern in self.at_once)


@noticed_by(test_access_v1.test_nobody_agrees_by_looking_at_a_picture_or_a_frame, version=V1, destination="image")
@noticed_by(test_access_v1.test_nobody_agrees_by_a_head, version=V1)
def pictures_agree(patch):
    patch.setattr(access, "is_for_a_page", lambda request: True)


@noticed_by(test_access_v1.test_later_versions_ask_for_a_click_whatever_the_viewer_shows, version=V1, dialect="alpha")
def the_alpha_needs_no_click(patch):
    patch.setattr(access, "_grants_at_once", lambda space, service, origin: True)


@noticed_by(test_media_v1.test_the_probe_answers_by_its_status_and_always_says_where_the_content_is)
def a_refused_film_is_nowhere(patch):
    patch.setattr(v1, "_media", lambda location, label: {"label": label})


@noticed_by(test_dialects.test_what_is_hidden_and_what_was_made_up_are_the_same_in_every_space, space="alpha")
@noticed_by(test_dialects.test_what_is_hidden_and_what_was_made_up_are_the_same_in_every_space, space="1")
@noticed_by(test_dialects.test_what_is_hidden_and_what_was_made_up_are_the_same_in_every_space, space="0")
def what_is_hidden_is_described_in_old_versions(patch):
    real = store.find_offer
    patch.setattr(store, "find_offer", lambda uri: (offer := real(uri)) and replace(offer, hidden=False))


# -- Registered viewers -------------------------------------------------------------------------------------------


@noticed_by(test_clients.test_an_unknown_name_a_wrong_secret_and_a_malformed_request_are_three_different_things)
def any_secret_will_do(patch):
    patch.setattr(clients, "compare_digest", lambda one, other: True)


@noticed_by(test_clients.test_of_two_requests_at_the_same_time_with_one_code_one_gets_a_token)
@noticed_by(test_clients.test_a_code_is_good_for_one_token)
def codes_last(patch):
    patch.setattr(clients, "use_code", lambda codes, service, holder: clients._live(codes[0], service.slug) is not None)


@noticed_by(test_clients.test_a_code_belongs_to_whoever_logged_in_with_it)
@noticed_by(test_clients.test_a_second_login_with_a_code_takes_it_from_nobody)
def codes_belong_to_nobody(patch):
    patch.setattr(clients, "note_visit", lambda request, secret: None)


@noticed_by(test_clients.test_the_page_opens_for_whom_the_service_is_for, rule="only", code="", status=403)
@noticed_by(test_clients.test_naming_an_origin_is_no_way_around)
def whoever_is_not_registered_gets_in(patch):
    patch.setattr(clients, "refused", lambda request, space, service, has_origin: False)


@noticed_by(test_clients.test_a_new_secret_ends_the_old_one_and_every_code_drawn_with_it)
def the_old_secret_stays(patch):
    patch.setattr(clients, "new_secret", lambda client: identify.new_secret())


# -- The check, and signed addresses ------------------------------------------------------------------------------


@noticed_by(test_check.test_only_our_own_web_server_is_believed, secret="")
@noticed_by(test_check.test_without_a_secret_in_the_settings_nobody_is_believed)
def the_check_believes_whoever_asks(patch):
    patch.setattr(check, "is_ours", lambda request: True)


@noticed_by(test_check.test_without_a_secret_in_the_settings_nobody_is_believed)
def no_secret_is_a_secret(patch):
    patch.setattr(
        check, "is_ours", lambda request: request.META.get("HTTP_X_IIIF_AUTH_SECRET", "") == conf.CHECK_SECRET
    )


@noticed_by(test_check.test_a_token_opens_nothing_but_a_head)
@noticed_by(test_check.test_a_token_counts_in_json_as_in_headers)
def the_check_lets_a_token_in(patch):
    real = guard._asker

    def either(request, offer, presented, ticket):
        request.method = "HEAD"
        return real(request, offer, presented, ticket)

    patch.setattr(guard, "_asker", either)
    patch.setattr(check, "Reader", TellingAll)


class TellingAll(check.Reader):
    def __init__(self, cookie: str, address: str, token: str, method: str) -> None:
        super().__init__(cookie, address, token, method)
        self.META["HTTP_AUTHORIZATION"] = f"Bearer {token}"


@noticed_by(test_check.test_there_is_no_404_and_no_redirect, target="/iiif/3/unheard-of/full/max/0/default.jpg")
def the_check_says_what_is_not_there(patch):
    patch.setattr(check, "NO", check.Answer(404))
    patch.setattr(check, "_let_in", lambda *given, **more: check.NO)
    patch.setattr(check, "answer", lambda request, target, base="": check.NO)


@noticed_by(test_check.test_no_other_method_is_let_through, method="POST")
def the_check_does_not_mind_the_method(patch):
    patch.setattr(check, "METHODS", ("GET", "HEAD", "POST"))


@noticed_by(
    test_check.test_a_refusal_of_a_request_is_not_kept_as_one_of_the_item,
    target="/iiif/3/chart/full/max/361/default.jpg",
)
@noticed_by(test_check.test_a_part_of_a_smaller_version_is_one_of_the_large_picture_at_its_scale)
def every_answer_is_kept_for_the_item(patch):
    real = check.Answer.headers.fget
    kept = property(lambda self: {name: value for name, value in real(self).items() if name != "X-Accel-Expires"})
    patch.setattr(check.Answer, "headers", kept)


@noticed_by(test_check.test_what_describes_the_large_picture_is_not_handed_out_for_the_small_one, rest="info.json")
def the_large_picture_is_described_as_the_small_one(patch):
    real = check.virtual_rest
    patch.setattr(check, "virtual_rest", lambda asked, rendition: real(asked, rendition) if asked.image else "")


@noticed_by(test_check.test_under_a_ticket_the_cookie_of_whoever_asks_is_not_looked_at)
@noticed_by(test_signed.test_the_cookie_of_whoever_follows_it_does_not_count)
def a_ticket_is_as_good_as_a_cookie(patch):
    patch.setattr(guard, "_finder", lambda request, uri, ticket, now: identify.presenting(request))


@noticed_by(test_signed.test_it_opens_nothing_else, other="/media/song.mp3")
@noticed_by(test_signed.test_it_ends_by_itself)
def a_ticket_opens_everything(patch):
    patch.setattr(signed, "holds", lambda ticket, uri, now: True)


@noticed_by(test_signed.test_it_is_no_way_to_what_is_not_guarded, other="/plain")
def a_ticket_leads_anywhere(patch):
    patch.setattr("tests.http.urls.plain.iiif_auth_guarded", True, raising=False)


@noticed_by(test_signed.test_it_is_for_looking, method="post")
def a_ticket_is_for_every_method(patch):
    real = signed_views.at_signed_address

    def any_method(request, ticket, path):
        request.method = "GET"
        return real(request, ticket, path)

    for one in get_resolver("tests.http.urls").url_patterns[0].url_patterns:
        if one.name == "signed":
            patch.setattr(one, "callback", any_method)


@noticed_by(test_signed.test_for_what_everybody_there_may_have_nothing_is_signed)
def everything_is_signed(patch):
    patch.setattr(delivering, "is_allowed", lambda offer, subject, at: False)


@noticed_by(test_signed.test_a_policy_that_is_set_aside_does_not_sign)
def every_policy_signs(patch):
    patch.setattr(delivering, "signs", lambda offer: any(one.policy and one.policy.signed for one in offer.levels))


@noticed_by(test_presented.test_somebody_who_left_before_it_was_opened_is_never_let_in)
def who_asks_and_what_counts_are_read_apart(patch):
    patch.setattr(store, "find_for", lambda uri, finder: (finder(), store.find_offer(uri))[::-1])


# -- Places -------------------------------------------------------------------------------------------------------


@noticed_by(
    test_bad_input.test_proxies_are_counted_from_the_right, proxies=1, header="192.0.2.5, 203.0.113.9", status=403
)
def proxies_are_counted_from_the_left(patch):
    def leftmost(request):
        return identify.parsed_address(request.META.get("HTTP_X_FORWARDED_FOR", "").partition(",")[0])

    patch.setattr(identify, "address", leftmost)


@noticed_by(
    test_bad_input.test_a_cookie_that_is_not_exactly_ours_once_is_none,
    line="__Host-iiif_access =x; __Host-iiif_access={secret}",
)
def the_last_cookie_wins(patch):
    patch.setattr(identify, "cookie_secret", lambda request: request.COOKIES.get(identify.COOKIE))


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_a_broken_twin_is_noticed(twin, site, request, monkeypatch):
    fixtures = Fixtures(twin.test, request)
    fixtures.update(twin.values)
    wanted = [name for name in inspect.signature(twin.test).parameters if name not in twin.values]
    given = {name: fixtures[name] for name in wanted}
    twin.breaks(monkeypatch)
    with pytest.raises((AssertionError, KeyError, ValueError, CalledProcessError)):
        twin.test(**given, **twin.values)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_of_a_whole_server_it_notices_nothing(twin, site, request):
    """Or the test above would show nothing but that some test fails."""
    fixtures = Fixtures(twin.test, request)
    fixtures.update(twin.values)
    twin.test(**{name: fixtures[name] for name in inspect.signature(twin.test).parameters})


class Fixtures(dict[str, Any]):
    """Fixtures as a test's own module knows them, each made once."""

    def __init__(self, test: Callable[..., None], request: pytest.FixtureRequest) -> None:
        super().__init__()
        self.module, self.request = inspect.getmodule(test), request

    def __missing__(self, name: str) -> Any:
        function = inspect.unwrap(getattr(self.module, name, None) or (lambda: None))
        function = getattr(function, "_fixture_function", function)
        if name not in vars(self.module):
            value = self.request.getfixturevalue(name)
        else:
            value = function(**{need: self[need] for need in inspect.signature(function).parameters})
        self[name] = value
        return value
