"""The page at which a copy is borrowed, returned and waited for; and what the doors say of it, at each moment."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.lending import counter, wanted
from iiif_auth.models import AccessPolicy, Loan, Pass, Seats, Waiting
from iiif_auth.policy.types import Subject
from tests import factories, web
from tests.lending.scene import (
    CHART,
    DIARY,
    counter_of,
    do,
    freely_lent,
    is_told,
    lent,
    lent_collection,
    overdue,
    reader,
    sees,
)
from tests.web import BASE, READING_ROOM, Browser, person

pytestmark = pytest.mark.usefixtures("site")


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# -- Yes ----------------------------------------------------------------------------------------------------------


def test_whoever_borrowed_the_copy_sees_it_at_both_doors_and_nobody_else():
    lent()
    one, other = reader(), reader()
    assert (sees(one), is_told(one)) == (False, 403)
    assert do(one, "borrow").status_code == 303
    assert (sees(one), is_told(one)) == (True, 200)
    assert (sees(other), is_told(other), sees(Browser())) == (False, 403, False)
    page = one.get(counter_of())
    assert "You have borrowed this" in words(page)
    assert "Return it" in words(page)


def test_looking_at_the_page_lends_nothing_and_keeps_nothing():
    lent()
    one = reader()
    page = one.get(counter_of())
    one.head(counter_of())
    assert "Borrow it now" in words(page)
    assert "If you borrow it now, it is due on" in words(page)
    assert not Loan.objects.exists()
    assert not sees(one)


def test_neither_a_tile_nor_a_probe_takes_a_copy():
    lent()
    one = reader()
    assert not sees(one)
    assert is_told(one) == 403
    assert not Loan.objects.exists()


def test_without_a_token_for_the_form_nothing_is_lent():
    lent()
    one = reader()
    assert one.post(counter_of(), {"action": "borrow"}, headers={"origin": BASE}).status_code == 403
    assert one.post(counter_of(), {"action": "borrow"}, headers={"origin": web.VIEWER}).status_code == 403
    assert not Loan.objects.exists()


def test_where_nothing_but_a_copy_is_asked_for_borrowing_gives_a_pass():
    freely_lent()
    one = Browser()
    answer = do(one, "borrow")
    assert (answer.status_code, one.access_cookie is not None) == (303, True)
    assert sees(one)
    held = Pass.objects.get()
    assert (held.user, Loan.objects.get().holder) == (None, held)
    assert not sees(Browser())


def test_a_loan_lasts_as_long_as_the_rule_says_but_no_longer_than_the_pass():
    lent(minutes=90)
    one = reader()
    do(one, "borrow")
    loan = Loan.objects.get()
    assert loan.due - loan.since == timedelta(minutes=90)
    lent(DIARY, factories.SeatsFactory(minutes=14 * 1440))
    do(one, "borrow", DIARY)
    assert Loan.objects.get(work__work=DIARY).due == Pass.objects.get().ends


def test_a_person_has_one_copy_on_whatever_device():
    lent(copies=2)
    ada = person("ada")
    one, other = (reader().sign_in(ada) for _ in range(2))
    Pass.objects.update(user=ada, credential=store.credential_mark(ada.password))
    do(one, "borrow")
    assert "on another device" in words(other.get(counter_of()))
    do(other, "borrow")
    assert (sees(one), sees(other), Loan.objects.count()) == (False, True, 1)


def test_a_book_is_one_work_whatever_its_pages():
    lent_collection("page-1", "page-2")
    one, other = Browser(), Browser()
    do(one, "borrow", "/iiif/3/page-1")
    assert sees(one, "/iiif/3/page-1")
    assert sees(one, "/iiif/3/page-2")
    answer = do(other, "borrow", "/iiif/3/page-2")
    assert answer.status_code == 409
    assert not sees(other, "/iiif/3/page-2")


# -- No -----------------------------------------------------------------------------------------------------------


def test_the_last_copy_goes_to_one_reader_and_the_next_is_told_until_when():
    lent()
    one, other = reader(), reader()
    do(one, "borrow")
    answer = do(other, "borrow")
    assert answer.status_code == 409
    assert "All copies are out" in words(answer)
    assert "Next one due" in words(answer)
    assert (sees(one), sees(other), Loan.objects.count()) == (True, False, 1)


def test_a_loan_is_over_at_the_very_moment_and_nobody_has_to_do_anything_about_it():
    lent()
    one = reader()
    do(one, "borrow")
    token = web.token(one, "terms")
    assert sees(one)
    overdue()
    assert not sees(one)
    assert web.probe_status(CHART, token) == 403
    assert Loan.objects.get().ended is None


def test_the_loan_of_another_pass_and_of_another_work_counts_for_nothing():
    rule = lent()
    lent(DIARY, rule)
    one, other = reader(), reader()
    do(one, "borrow", DIARY)
    assert (sees(one, DIARY), sees(one), sees(other, DIARY)) == (True, False, False)


@pytest.mark.parametrize(
    ("broken", "url", "who"),
    [("expired", CHART, 0), ("anybody's", CHART, 1), ("any work", DIARY, 0)],
)
def test_the_tests_would_notice_a_server_that_honours_the_wrong_loans(monkeypatch, broken, url, who):
    lent(DIARY, lent())
    readers = [reader(), reader()]
    do(readers[0], "borrow")
    key = Loan.objects.get().work
    every = frozenset({(key.seats.slug, work, "") for work in (CHART, DIARY)})
    own = frozenset({(key.seats.slug, CHART, "")})
    twins = {
        "expired": lambda facts, at: frozenset(copy.key for copy in facts.copies),
        "anybody's": lambda facts, at: own,
        "any work": lambda facts, at: every if facts.copies else frozenset(),
    }
    if broken == "expired":
        overdue()
    assert not sees(readers[who], url)
    monkeypatch.setattr(store.PassFacts, "loans", twins[broken])
    if broken == "anybody's":  # who holds nothing is not even asked
        monkeypatch.setattr(identify, "_subject", lambda facts, request: Subject(None, loans=own, agreements=AGREED))
    assert sees(readers[who], url)


AGREED = frozenset({"terms"})


def test_logging_out_gives_the_copy_to_the_next():
    lent()
    one, other = reader(), reader()
    do(one, "borrow")
    one.get(web.logout_page("terms"))
    assert not sees(one)
    assert "Borrow it now" in words(other.get(counter_of()))
    assert do(other, "borrow").status_code == 303
    assert sees(other)
    assert sorted(Loan.objects.values_list("how", flat=True)) == ["", "left"]


def test_a_pass_that_lives_again_does_not_bring_back_a_copy_that_went_to_somebody_else():
    """The last instant of a pass: its prolonging was under way when its copy was lent to the next."""
    lent()
    one, other = reader(), reader()
    do(one, "borrow")
    held = Loan.objects.get().holder
    Pass.objects.filter(pk=held.pk).update(idle_until=timezone.now() - timedelta(seconds=1))
    assert do(other, "borrow").status_code == 303
    Pass.objects.filter(pk=held.pk).update(idle_until=timezone.now() + timedelta(hours=1))
    assert (sees(one), sees(other)) == (False, True)


def test_a_hook_lends_nothing(settings, monkeypatch):
    lent()
    one = reader()
    do(one, "borrow")
    found = store.find_pass(identify.digest(one.access_cookie))
    claimed = found.loans(timezone.now()) | {("copies", DIARY, "")}
    hooked = identify._not_invited_by(Subject(loans=claimed), Subject())
    assert hooked.loans == frozenset()
    assert identify._not_invited_by(Subject(loans=claimed), Subject(loans=found.loans(timezone.now()))).loans == {
        ("copies", CHART, "")
    }


def test_who_may_not_see_it_with_a_copy_either_is_not_lent_one():
    lent()
    stranger = Browser()
    page = stranger.get(counter_of())
    assert (page.status_code, "refused" in page["location"]) == (302, True)
    do(stranger, "borrow")
    assert not Loan.objects.exists()


def test_what_is_kept_secret_or_not_lent_has_no_counter():
    freely_lent("/iiif/3/secret-1")
    web.hidden_collection()
    web.restricted(DIARY, web.SIGNED_IN)
    factories.ResourceFactory(url="/iiif/3/open", policy=None)
    places = {url: Browser().get(counter_of(url)) for url in (DIARY, "/iiif/3/open", "/iiif/3/nothing")}
    assert {page.status_code for page in places.values()} == {302}
    assert "waiting" not in str(web.probe("/iiif/3/nothing"))


# -- Places -------------------------------------------------------------------------------------------------------


def test_a_copy_of_the_reading_room_is_lent_there_and_is_seen_there_only():
    rule = lent(copies=0)
    factories.SeatsPlaceFactory(seats=rule, network=web.reading_room())
    outside, inside, second = reader(), reader(READING_ROOM), reader(READING_ROOM)
    assert outside.get(counter_of()).status_code == 302
    assert do(inside, "borrow").status_code == 303
    assert sees(inside)
    assert do(second, "borrow").status_code == 409
    token = web.token(inside, "terms")
    assert web.probe_status(CHART, token, READING_ROOM) == 200
    assert web.probe_status(CHART, token) == 403
    inside.defaults["REMOTE_ADDR"] = web.HOME
    assert not sees(inside)


def test_each_place_has_copies_of_its_own():
    rule = lent(copies=1)
    factories.SeatsPlaceFactory(seats=rule, network=web.reading_room())
    outside, inside = reader(), reader(READING_ROOM)
    assert [do(one, "borrow").status_code for one in (outside, inside)] == [303, 303]
    assert (sees(outside), sees(inside)) == (True, True)
    assert do(reader(), "borrow").status_code == 409


# -- Returning, prolonging ----------------------------------------------------------------------------------------


def test_what_is_returned_is_closed_at_once_and_goes_to_the_next():
    lent()
    one, other = reader(), reader()
    do(one, "borrow")
    assert do(other, "return").status_code == 409
    assert sees(one)
    assert do(one, "return").status_code == 303
    assert not sees(one)
    assert Loan.objects.get().how == "returned"
    do(other, "borrow")
    assert sees(other)


def test_reading_prolongs_a_loan_only_where_the_rule_has_it_so_and_nobody_waits():
    rule = lent(renews=True, minutes=60)
    one, other = reader(), reader()
    do(one, "borrow")

    def half_over():
        now = timezone.now()
        Loan.objects.update(since=now - timedelta(minutes=50), due=now + timedelta(minutes=10))
        before = Loan.objects.get().due
        assert sees(one)
        return Loan.objects.get().due - before

    assert half_over() > timedelta(minutes=49)
    assert sees(one)
    do(other, "wait", email="bo@example.org")
    assert half_over() == timedelta(0)
    assert do(one, "renew").status_code == 409
    Waiting.objects.all().delete()
    Seats.objects.filter(pk=rule.pk).update(renews=False)
    assert half_over() == timedelta(0)
    assert do(one, "renew").status_code == 409


def test_looking_at_something_else_prolongs_no_loan():
    rule = lent(renews=True)
    lent(DIARY, rule)
    one = reader()
    do(one, "borrow")
    do(one, "borrow", DIARY)
    now = timezone.now()
    Loan.objects.filter(work__work=CHART).update(since=now - timedelta(hours=1), due=now + timedelta(minutes=5))
    before = Loan.objects.get(work__work=CHART).due
    assert sees(one, DIARY)
    assert Loan.objects.get(work__work=CHART).due == before


def test_what_is_over_is_not_prolonged():
    lent(renews=True)
    one = reader()
    do(one, "borrow")
    facts = store.find_pass(identify.digest(one.access_cookie))
    overdue()
    offer = store.find_offer(CHART)
    before = Loan.objects.get().due
    identify.lend_on(facts, offer, timezone.now())
    assert Loan.objects.get().due == before


def test_a_reader_keeps_it_longer_with_a_click():
    lent(renews=True)
    one = reader()
    do(one, "borrow")
    now = timezone.now()
    Loan.objects.update(since=now - timedelta(minutes=50), due=now + timedelta(minutes=10))
    assert do(one, "renew").status_code == 303
    assert Loan.objects.get().due > now + timedelta(minutes=59)


# -- Waiting ------------------------------------------------------------------------------------------------------


def test_the_first_in_line_is_kept_a_copy_and_mailed(django_capture_on_commit_callbacks):
    lent(hold_minutes=20)
    one, first, second, third = (reader() for _ in range(4))
    do(one, "borrow")
    do(first, "wait", email="first@example.org")
    do(second, "wait")
    assert "Your place in the waiting list: 1" in words(first.get(counter_of()))
    assert "Your place in the waiting list: 2" in words(second.get(counter_of()))
    assert not mail.outbox
    with django_capture_on_commit_callbacks(execute=True):
        do(one, "return")
    assert [message.to for message in mail.outbox] == [["first@example.org"]]
    assert "a copy is kept for you until" in words(first.get(counter_of()))
    assert do(third, "borrow").status_code == 409
    assert do(second, "borrow").status_code == 409
    assert do(first, "borrow").status_code == 303
    assert (sees(first), sees(second), sees(third)) == (True, False, False)
    turn = Waiting.objects.get(how="borrowed")
    assert (turn.email, turn.digest) == ("", "")
    assert "Your place in the waiting list: 1" in words(second.get(counter_of()))


def test_who_does_not_come_in_time_is_passed_over():
    lent()
    one, first, second = (reader() for _ in range(3))
    do(one, "borrow")
    do(first, "wait")
    do(second, "wait")
    do(one, "return")
    Waiting.objects.exclude(kept_until=None).update(kept_until=timezone.now() - timedelta(seconds=1))
    assert do(second, "borrow").status_code == 303
    assert list(Waiting.objects.order_by("since").values_list("how", flat=True)) == ["missed", "borrowed"]
    assert do(first, "borrow").status_code == 409


def test_a_copy_that_came_back_by_the_clock_is_kept_for_who_waited_not_for_who_came_by():
    lent()
    one, first, other = (reader() for _ in range(3))
    do(one, "borrow")
    do(first, "wait")
    overdue()
    assert "Borrow it now" not in words(other.get(counter_of()))
    assert do(other, "borrow").status_code == 409
    assert "Borrow it now" in words(first.get(counter_of()))
    assert do(first, "borrow").status_code == 303


def test_the_link_in_the_mail_brings_the_place_in_line_to_another_browser(django_capture_on_commit_callbacks):
    freely_lent()
    one, other = Browser(), Browser()
    do(one, "borrow")
    answer = do(other, "wait", email="bo@example.org")
    assert "We write to you when it is your turn" in words(answer)
    with django_capture_on_commit_callbacks(execute=True):
        do(one, "return")
    link = re.search(rf"{re.escape(BASE)}(\S+turn=\S+)", mail.outbox[0].body)[1]
    assert do(Browser(), "borrow").status_code == 409
    phone = Browser()
    page = phone.get(link)
    assert "a copy is kept for you" in words(page)
    assert page["Referrer-Policy"] == "no-referrer"
    assert phone.click(link, page, action="borrow").status_code == 303
    assert sees(phone)
    assert do(Browser(), "borrow", turn=link.partition("=")[2]).status_code == 409


def test_a_place_in_line_can_be_given_up_and_one_address_has_one_place():
    freely_lent()
    do(Browser(), "borrow")
    first = Browser()
    for _ in range(2):
        do(first, "wait", email="bo@example.org")
    assert Waiting.objects.count() == 1
    with_pass = reader_of_terms()
    do(with_pass, "wait")
    assert do(with_pass, "give-up").status_code == 303
    assert do(with_pass, "give-up").status_code == 409
    assert Waiting.objects.filter(ended=None).count() == 1


def reader_of_terms():
    web.service("terms")
    return reader()


def test_nobody_waits_in_vain_for_a_mail_that_can_not_be_sent_or_a_line_that_is_not_there():
    rule = freely_lent()
    do(Browser(), "borrow")
    assert "Please give an e-mail address" in words(do(Browser(), "wait"))
    answer = do(Browser(), "wait", email="not an address")
    assert (answer.status_code, "Enter a valid email address" in words(answer)) == (400, True)
    late = Browser()
    page = late.get(counter_of())
    Seats.objects.filter(pk=rule.pk).update(queue=False)
    assert late.click(counter_of(), page, action="wait", email="bo@example.org").status_code == 409
    assert not Waiting.objects.exists()


def test_places_in_lines_are_not_taken_by_the_thousand(monkeypatch):
    monkeypatch.setattr("iiif_auth.http.borrow.LINES", (2, 3600))
    freely_lent()
    do(Browser(), "borrow")
    codes = [do(Browser(), "wait", email=f"reader-{n}@example.org").status_code for n in range(3)]
    assert codes == [200, 200, 429]


# -- What viewers and readers are told ----------------------------------------------------------------------------


def test_the_probe_says_where_to_borrow_and_until_when_all_are_out():
    lent()
    one, other = reader(), reader()
    here = f"{BASE}{counter_of()}"
    told = web.probe(CHART, web.token(other, "terms"))
    assert (told["heading"]["en"], told["note"]["en"][-1]) == (
        ["To be borrowed"],
        f"A copy is free. Borrow it here: {here}",
    )
    do(one, "borrow")
    due = timezone.localtime(Loan.objects.get().due)
    told = web.probe(CHART, web.token(other, "terms"))
    assert told["note"]["en"][-1] == (
        f"All copies are out; the next is due on {due:%Y-%m-%d} at {due:%H:%M}. You can wait for one here: {here}"
    )
    assert "borrow" not in str(web.probe(CHART)["note"]).replace("borrowed", "")


def test_the_page_that_says_why_not_leads_to_the_counter_where_that_would_help():
    lent()
    one, stranger = reader(), Browser()
    where = counter_of()
    refused = where.replace("/borrow/", "/refused/")
    assert where in one.get(refused).content.decode()
    assert where not in stranger.get(refused).content.decode()
    do(one, "borrow")
    assert where not in one.get(refused).content.decode()


# -- What is off costs nothing ------------------------------------------------------------------------------------


def test_no_statement_speaks_of_loans_where_nothing_is_lent(django_assert_num_queries):
    web.restricted(CHART, web.agreed(web.service("terms")), by=())
    one = Browser()
    one.click(web.access("terms"))
    sees(one)
    with django_assert_num_queries(1) as found:
        assert sees(one)
    assert "loan" not in found.captured_queries[0]["sql"]


def test_a_loan_costs_no_query_more(django_assert_num_queries):
    lent()
    one = reader()
    do(one, "borrow")
    sees(one)
    with django_assert_num_queries(1) as found:
        assert sees(one)
    assert "iiif_auth_loan" in found.captured_queries[0]["sql"]


def test_a_process_that_did_not_know_of_lending_yet_honours_the_first_loan():
    rules = AccessPolicy.objects.create(slug="later", name="Later")
    row = factories.ResourceFactory(url=CHART, policy=rules)
    one = reader_of_terms()
    assert not sees(one)
    assert not store.lends()
    old = dict(store.rules.books)
    rule = factories.SeatsFactory(slug="copies")
    web.tier(rules, {"kind": "seat", "seats": rule})
    do(one, "borrow")
    store.rules.books.clear()
    store.rules.books.update(old)
    store.offers.shelves.clear()
    assert row.url == CHART
    assert sees(one)


def test_the_counter_is_found_by_trying_not_by_the_reason():
    lent()
    offer = store.find_offer(CHART)
    now = timezone.now()
    assert wanted.wanted(offer, Subject(), now) is None
    found = wanted.wanted(offer, Subject(agreements=AGREED), now)
    assert found == wanted.Wanted("copies", CHART, "")
    assert wanted.wanted(offer, wanted.with_loan(Subject(agreements=AGREED), found), now) is None
    with pytest.raises(counter.NotLent):
        counter.work_of(wanted.Wanted("nothing", CHART, ""))
