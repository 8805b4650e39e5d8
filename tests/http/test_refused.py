"""The page that says why not: it tells readers what helps them, and nobody what is secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.asking import codes, refusals
from iiif_auth.http import refused
from iiif_auth.models import AccessPolicy, Embargo, Pass, Refusal, Withdrawal
from iiif_auth.protocol import identity
from tests import factories, web
from tests.asking.reading import CHART, named_only, refused_page
from tests.web import BASE, HOME, READING_ROOM, Browser, person

pytestmark = pytest.mark.usefixtures("site")


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_it_names_the_reason_the_item_and_a_code():
    named_only()
    said = words(Browser().get(refused_page()))
    row = Refusal.objects.get()
    assert "Please sign in to see this item." in said
    assert row.code in said
    assert (row.url, row.why, row.address, row.user) == (CHART, "not-signed-in", HOME, None)
    assert codes.read(f" {row.code.lower().replace('-', ' ')} ") == row.code


def test_a_viewer_is_told_the_address_of_the_page_where_requests_are_taken():
    named_only()
    note = web.probe(CHART)["note"]
    assert note["en"][-1] == f"Why not, and how to ask for access: {BASE}{refused_page()}"
    assert all(refused_page() in texts[-1] for texts in note.values())


def test_a_viewer_is_told_of_no_page_where_nobody_is_asked_or_may_know():
    row = named_only(requestable=False)
    assert "refused" not in str(web.probe(CHART))
    AccessPolicy.objects.filter(pk=row.policy_id).update(requestable=True)
    assert "refused" in str(web.probe(CHART))
    row.collection = web.hidden_collection(prefix="/iiif/3/")
    row.save()
    assert "refused" not in str(web.probe(CHART))
    assert "refused" not in str(web.probe("/iiif/3/nothing-like-it"))


def test_the_code_stays_the_same_when_the_page_is_reloaded():
    named_only()
    browser = Browser()
    pages = [words(browser.get(refused_page())) for _ in range(3)]
    assert Refusal.objects.count() == 1
    assert all(Refusal.objects.get().code in one for one in pages)


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-dest": "image"}, {"sec-purpose": "prefetch"}], ids=("picture", "prefetch")
)
def test_nothing_is_written_down_for_what_no_person_looks_at(headers):
    named_only()
    Browser().get(refused_page(), headers=headers)
    Browser().head(refused_page())
    assert not Refusal.objects.exists()


def test_one_address_gets_so_many_codes_and_others_still_get_theirs(monkeypatch):
    monkeypatch.setattr(refusals, "MOST_FROM_ONE_ADDRESS", 2)
    for number in range(3):
        named_only(f"/iiif/3/chart-{number}")
        last = words(Browser().get(refused_page(f"/iiif/3/chart-{number}")))
    assert Refusal.objects.count() == 2
    assert "Your reference" not in last
    assert "Your reference" in words(Browser("198.51.100.7").get(refused_page("/iiif/3/chart-2")))


def test_it_says_when_it_opens():
    row = named_only()
    Embargo.objects.create(resource=row, ends=datetime(2031, 4, 30, 23, tzinfo=UTC))
    said = words(Browser().get(refused_page()))
    assert "It opens on 1 May 2031, 00:00." in said
    assert "(Europe/London)" in said


def test_it_lists_the_ways_in_and_what_there_is_instead():
    terms = web.service("terms")
    row = web.restricted(CHART, web.agreed(terms), by=(terms,))
    web.tier(row.policy, web.EVERYONE, gets="smaller", max_edge=400, slug="small", label={"en": ["Preview"]})
    page = Browser().get(refused_page()).content.decode()
    assert f'href="{web.BASE}{web.access("terms", "")}"' in page
    assert f'href="{web.BASE}{CHART}~small/full/!1200,1200/0/default.jpg"' in page


def test_whoever_may_see_it_is_told_so_and_gets_no_code():
    web.restricted(CHART, web.at(web.reading_room()))
    assert "You may see this item" in words(Browser(READING_ROOM).get(refused_page()))
    assert not Refusal.objects.exists()
    assert "You may see this item" not in words(Browser().get(refused_page()))


def test_whoever_is_signed_in_here_is_judged_as_themselves():
    row, ada = named_only(), person()
    factories.GrantFactory(resource=row, user=ada)
    assert "You may see this item" in words(Browser().sign_in(ada).get(refused_page()))
    assert "You do not have access" in words(Browser().sign_in(person("bob")).get(refused_page()))


def test_a_session_is_not_joined_with_somebody_elses_pass():
    terms = web.service("terms")
    row = web.restricted(CHART, {"kind": "user", "user": person("eve")}, web.agreed(terms), by=(terms,))
    row.policy.tiers.update(join="all")
    holder = Browser()
    secret = "x" * 43
    bob, now = person("bob"), timezone.now()
    held = Pass.objects.create(
        digest=identify.digest(secret),
        user=bob,
        credential=store.credential_mark(bob.password),
        created=now,
        seen=now,
        idle_until=now + timedelta(hours=1),
        ends=now + timedelta(hours=1),
    )
    factories.AgreementFactory(holder=held, service=terms)
    holder.cookies[identify.COOKIE] = secret
    holder.sign_in(factories.UserFactory._meta.model.objects.get(username="eve"))
    assert "You may see this item" not in words(holder.get(refused_page()))


# -- What is secret -----------------------------------------------------------------------------------------------

SECRET = "/iiif/3/secret-chart"


def test_what_is_secret_and_what_is_not_there_look_the_same():
    held = web.hidden_collection(policy=factories.AccessPolicyFactory(requestable=True))
    web.restricted(SECRET, collection=held, label={"en": ["The hidden chart"]})
    pages = [Browser().get(refused_page(url)) for url in (SECRET, "/iiif/3/secret-none", "/iiif/3/nothing-here")]
    blank = [re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{2}", "CODE", words(one)) for one in pages]
    assert [one.status_code for one in pages] == [404, 404, 404]
    assert blank[0] == blank[1] == blank[2]
    assert "hidden chart" not in blank[0]
    assert "Ask for access" not in blank[0]


def test_the_twin_that_forgets_what_is_secret_is_caught(monkeypatch):
    """The test above looks at something that can go wrong."""
    monkeypatch.setattr(refused, "_secret", lambda visit, code: refused._denied(visit, visit.decision, code))
    held = web.hidden_collection(policy=factories.AccessPolicyFactory())
    web.restricted(SECRET, collection=held, label={"en": ["The hidden chart"]})
    assert "hidden chart" in words(Browser().get(refused_page(SECRET)))


@pytest.mark.parametrize("reference", ["%", "AAAA", identity.reference("/iiif/3/chart") + "=", "x" * 9000])
def test_what_is_no_reference_of_ours_is_not_there(reference):
    response = Browser().get(f"/iiif-auth/refused/{reference}")
    assert response.status_code == 404
    assert not Refusal.objects.exists()


# -- Whether there is a form --------------------------------------------------------------------------------------


def has_form(url: str = CHART) -> bool:
    response = Browser().get(refused_page(url))
    assert response.status_code == 200
    return b'name="purpose"' in response.content


def test_there_is_a_form_where_the_policy_says_so():
    named_only()
    assert has_form()


def test_there_is_none_where_it_does_not():
    named_only(requestable=False)
    assert not has_form()


def test_there_is_none_where_no_grant_would_help():
    row = named_only()
    Withdrawal.objects.create(resource=row)
    assert not has_form()


def test_nor_under_an_embargo_without_exceptions():
    row = named_only()
    held = Embargo.objects.create(resource=row, hard=True)
    assert not has_form()
    Embargo.objects.filter(pk=held.pk).update(hard=False)
    assert has_form()


def test_there_is_none_where_another_policy_refuses_that_takes_no_requests():
    outer = factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    web.tier(outer.policy, web.SIGNED_IN)
    row = named_only()
    row.collection = outer
    row.save()
    assert not has_form()


def test_pages_are_never_kept_and_never_framed():
    named_only()
    response = Browser().get(refused_page())
    assert "no-store" in response.headers["Cache-Control"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert Browser().post(refused_page()).status_code in (403, 405)
