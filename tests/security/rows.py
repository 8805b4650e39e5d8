"""The tests that show each row of security.md's tables T, K, N and A: ``python -m tests.security.rows``.

``test_rows.py`` holds that every test named here exists. A row without any test is printed as missing.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

HTTP_TOKEN, HTTP_ACCESS, HTTP_PROBE = "http/test_token.py", "http/test_access.py", "http/test_probe.py"
ATTACKS, BAD, TWINS = "security/test_attacks.py", "security/test_bad_input.py", "security/test_twins.py"
ORIGINS, REFUSALS, REVOKED = "security/test_origins.py", "browser/test_refusals.py", "security/test_revoked.py"
PASSES, SIGNED, TIMING = "http/test_passes.py", "http/test_signed.py", "security/test_timing.py"
OPENID, SAML = "signin/inside/test_openid.py", "signin/inside/test_saml.py"
TICKETS, HEADERS, DOMAIN = "enforce/test_signed.py", "http/test_headers.py", "http/test_cookie_domain.py"

Tests = tuple[str, ...]


def of(module: str, *names: str) -> Tests:
    return tuple(f"{module}::test_{name}" for name in names)


ROWS: dict[str, Tests] = {
    "T1": of(BAD, "no_message_id_gets_out_of_its_island", "the_script_posts_them_unchanged")
    + of("security/test_texts.py", "no_text_ever_becomes_markup", "a_text_that_is_not_escaped_is_found_everywhere"),
    "T2": of(ORIGINS, "everything_else_is_refused")
    + of(HTTP_TOKEN, "where_no_origin_can_be_used_the_error_goes_to_everybody_and_no_token_is_made")
    + of(
        REFUSALS,
        "an_origin_that_is_none_brings_no_token_to_anybody",
        "a_browser_would_deliver_to_whoever_stands_behind_a_name",
    ),
    "T3": of(ORIGINS, "everything_else_is_refused")
    + of(HTTP_TOKEN, "where_no_origin_can_be_used_the_error_goes_to_everybody_and_no_token_is_made")
    + of(REFUSALS, "an_origin_that_is_none_brings_no_token_to_anybody"),
    "T4": of(
        ORIGINS,
        "a_browser_understands_every_accepted_origin_as_the_one_we_name",
        "so_it_does_with_thousands_of_made_up_ones",
    ),
    "T5": of(ATTACKS, "an_origin_that_is_named_twice_or_oddly_gets_no_token"),
    "T6": of(REFUSALS, "a_site_that_lies_about_its_origin_hears_nothing"),
    "T7": of(REFUSALS, "a_site_that_nobody_confirmed_gets_no_token")
    + of(HTTP_ACCESS, "only_the_viewer_that_was_confirmed_is_told"),
    "T8": of("security/test_tokens_everywhere.py", "a_token_opens_nothing_anywhere")
    + of(REFUSALS, "a_token_in_anybodys_hands_opens_no_content"),
    "T9": of(
        "security/test_dialects.py",
        "a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other",
    ),
    "T10": of(HTTP_TOKEN, "what_is_not_a_frame_gets_no_token"),
    "T11": of(HEADERS, "every_kind_of_answer_carries_exactly_its_headers")
    + of(PASSES, "the_page_is_framed_by_nobody_and_kept_by_nobody"),
    "T12": of("http/test_token_v1.py", "plain_json_is_for_no_site")
    + of(REFUSALS, "no_site_reads_the_answer_for_programs"),
    "T13": of(HTTP_TOKEN, "many_tokens_end_the_oldest_ones", "tokens_for_an_address_leave_no_rows"),
    "T14": of(ATTACKS, "a_message_id_writes_no_lines_into_logs"),
    "K1": of(
        HTTP_ACCESS,
        "each_click_gives_the_cookie_a_new_value_and_ends_the_old_one",
        "a_planted_cookie_is_never_adopted",
    )
    + of(REVOKED, "what_was_ended_is_not_brought_back_by_a_click"),
    "K2": of(HTTP_ACCESS, "somebody_else_at_the_same_browser_inherits_nothing"),
    "K3": of(
        TIMING,
        "the_time_of_a_probe_tells_nothing_of_a_token",
        "as_many_questions_are_asked_of_the_database_for_every_token",
    ),
    "K4": of(ATTACKS, "what_is_in_the_database_opens_nothing")
    + of(HTTP_ACCESS, "neither_the_secret_nor_the_token_is_kept"),
    "K5": of(
        "security/test_revocations.py",
        "nothing_is_delivered_after_it_was_taken_away",
        "a_process_that_remembers_for_a_second_is_caught",
    )
    + of(
        REVOKED,
        "a_pass_ends_with_the_session_that_made_it",
        "a_pass_ends_with_the_login_it_came_through",
        "a_password_changed_on_the_hosts_own_page_ends_every_pass_even_here",
        "a_host_may_end_everything_of_a_person",
    )
    + of(HTTP_ACCESS, "what_ends_an_account_ends_its_pass_at_once", "losing_the_group_is_felt_at_once")
    + of(
        "signin/inside/test_provider_logout.py",
        "a_logout_at_the_provider_ends_that_session_and_no_other",
        "a_login_that_is_on_its_way_while_the_provider_ends_it_comes_too_late",
        "a_token_that_is_not_a_good_one_ends_nothing",
        "a_token_that_somebody_else_made_ends_nothing",
        "a_logout_at_the_college_ends_the_session_and_tells_the_college",
        "a_request_that_is_not_a_good_one_ends_nothing",
    ),
    "K6": of("store/test_races.py", "no_token_outlives_a_logout")
    + of("postgres/test_on_postgresql.py", "no_token_outlives_a_logout"),
    "K7": of(HTTP_TOKEN, "a_token_does_not_outlive_the_pass") + of(HTTP_ACCESS, "a_grant_that_ends_is_felt_at_once"),
    "K8": of(ATTACKS, "a_token_drawn_in_the_reading_room_is_worth_nothing_outside")
    + of(HTTP_TOKEN, "a_token_for_an_address_is_worth_nothing_elsewhere"),
    "K9": of(BAD, "a_cookie_that_is_not_exactly_ours_once_is_none", "two_hundred_cookies_of_others_change_nothing")
    + of(
        DOMAIN,
        "what_another_host_of_the_domain_sets_besides_is_none",
        "a_planted_cookie_is_not_the_one_that_somebody_goes_on_with",
    )
    + of("matrix/test_matrix.py", "what_a_host_beside_ours_plants_is_never_taken_for_ours"),
    "K10": of(HTTP_ACCESS, "the_cookie_is_bound_to_this_site_and_sent_to_it_from_every_other")
    + of(ATTACKS, "the_hosts_own_cookies_stay_at_home"),
    "K11": of(TICKETS, "the_key_is_of_use_for_nothing_else"),
    "K12": of(TICKETS, "without_keys_of_their_own_they_are_made_of_the_secret_key_and_outlive_its_change"),
    "K13": of("security/test_tickets.py", "no_forged_ticket_is_accepted_and_every_real_one_is"),
    "K14": of(SIGNED, "it_ends_at_once_with_whatever_it_was_given_for")
    + of("security/test_revocations.py", "nothing_is_delivered_after_it_was_taken_away"),
    "K15": of(BAD, "a_malformed_header_holds_no_token", "a_value_that_is_no_token_is_nobodys"),
    "K16": of(HTTP_PROBE, "the_token_alone_says_who_asks_even_beside_somebody_elses_cookie")
    + of(SIGNED, "the_cookie_of_whoever_follows_it_does_not_count"),
    "K17": of(
        PASSES,
        "ending_one_ends_cookie_token_and_nothing_else",
        "ending_all_others_leaves_this_one",
        "nobody_ends_what_is_somebody_elses",
    )
    + of("admin/test_passes.py", "ending_them_ends_tokens_too_and_is_written_down", "nobody_else_ends_one"),
    "K18": of(ATTACKS, "what_answers_in_json_or_with_bytes_sets_no_cookie"),
    "N1": of(BAD, "proxies_are_counted_from_the_right", "several_headers_in_one_name_are_counted_together"),
    "N2": of("test_checks.py", "a_wrong_setting_is_named_once_and_nothing_else_is")
    + of("admin/test_networks.py", "a_proxy_that_is_not_configured_is_pointed_out"),
    "N3": of(
        BAD, "every_spelling_of_an_address_is_one_address_or_none", "an_address_is_the_same_place_in_every_spelling"
    ),
    "N4": of(BAD, "who_has_no_address_is_nowhere_not_everywhere"),
    "N5": of(ATTACKS, "a_network_has_no_names")
    + of("admin/test_networks.py", "overlaps_and_odd_networks_are_pointed_out"),
    "N6": of(ATTACKS, "no_header_of_a_reader_says_where_they_are"),
    "N7": of(ATTACKS, "each_request_is_judged_by_its_own_address"),
    "N8": of(ATTACKS, "a_network_has_no_names"),
    "N9": of(ATTACKS, "allauth_counts_the_same_proxies"),
    "N10": of(ATTACKS, "under_asgi_an_address_is_the_same"),
    "A1": of(
        HTTP_ACCESS,
        "a_click_that_comes_from_another_site_is_refused",
        "a_click_without_the_token_of_the_page_is_refused",
        "looking_at_the_page_grants_nothing_however_often",
    )
    + of(PASSES, "a_post_without_the_pages_own_secret_ends_nothing", "looking_at_the_page_ends_nothing"),
    "A2": of(HTTP_ACCESS, "the_pages_can_not_be_framed"),
    "A3": of(ATTACKS, "nobody_is_signed_in_by_somebody_elses_form", "the_page_that_confirms_names_the_account"),
    "A4": of(
        ATTACKS,
        "the_way_to_the_login_leads_back_to_our_own_page_only",
        "the_access_page_redirects_nowhere_by_what_it_is_told",
    ),
    "A5": of(ATTACKS, "the_page_that_confirms_names_the_account"),
    "A6": of(ATTACKS, "our_pages_open_no_tabs_and_tell_no_other_site_where_somebody_was"),
    "A7": of(HTTP_ACCESS, "texts_are_never_markup")
    + of("security/test_texts.py", "no_text_ever_becomes_markup", "a_text_that_is_not_escaped_is_found_everywhere"),
    "A8": of(ATTACKS, "texts_of_the_staff_are_never_templates"),
    "A9": of(BAD, "a_malformed_language_map_is_refused_with_a_sentence"),
    "A10": of(ATTACKS, "nothing_in_an_address_becomes_a_header"),
    "A11": of(
        OPENID,
        "the_same_address_at_two_providers_makes_two_people",
        "they_would_be_one_if_addresses_were_identities",
        "nobody_takes_the_name_of_a_local_account",
        "an_answer_that_was_used_is_not_used_again",
        "an_answer_that_nobody_asked_for_is_refused",
        "an_answer_of_one_provider_does_not_count_at_the_other",
        "the_token_names_the_issuer_and_the_subject",
        "one_provider_does_not_speak_as_another",
        "a_provider_speaks_for_its_own_scope_only",
        "a_provider_that_nobody_configured_in_the_admin_is_believed_nothing",
    )
    + of(
        SAML,
        "an_answer_that_is_not_ours_is_refused",
        "an_answer_that_somebody_else_signed_is_refused",
        "an_answer_that_was_tampered_with_is_refused",
        "an_answer_is_used_once",
        "an_answer_for_one_browser_does_not_count_in_another",
        "the_subject_is_the_person_whatever_the_name_of_the_moment",
    )
    + of(
        "project/test_remote.py",
        "nobody_becomes_a_local_account_of_the_same_name",
        "a_name_given_to_another_issuer_inherits_nobody",
    )
    + of("signin/inside/test_remote.py", "what_a_visitor_sends_signs_in_nobody", "nobody_gets_into_a_local_account"),
    "A12": of(
        TIMING,
        "a_wrong_password_takes_as_long_for_nobody_as_for_somebody",
        "the_twin_that_does_not_hash_for_nobody_is_caught",
    ),
}
"""By row, the tests, as ``module::test`` below ``tests``."""


@cache
def tests_in(module: str) -> frozenset[str]:
    path = TESTS / module
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def missing() -> list[str]:
    """What is wrong with the table, a line each: rows without a test, and tests that are not there."""
    bare = [f"{row}: no test" for row, tests in ROWS.items() if not tests]
    gone = [
        f"{row}: {test} is not there"
        for row, tests in ROWS.items()
        for test in tests
        if test.partition("::")[2] not in tests_in(test.partition("::")[0])
    ]
    return bare + gone


def main() -> int:
    for row, tests in ROWS.items():
        print(f"{row:4} {len(tests):2}  {'  '.join(tests) or 'none'}")
    found = missing()
    print("\n".join(["", *found]) if found else "\nEvery row has a test.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
