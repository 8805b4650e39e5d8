"""The page “Why?”: it says what the rules say, in three formats, and answers bad questions with a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.urls import include, path, reverse
from django.utils import timezone

from iiif_auth import identify, roles, store
from iiif_auth.admin import answering, asking, ended
from iiif_auth.admin import seen as seeing
from iiif_auth.admin.why import WhyMixin
from iiif_auth.models import Condition, Grant, Resource
from iiif_auth.policy import types as policy
from iiif_auth.protocol import identity
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

site = admin.AdminSite(name="admin")
FULL = make.models.Tier.Gets.FULL
SMALLER = make.models.Tier.Gets.SMALLER


class ResourceAdmin(WhyMixin, admin.ModelAdmin):
    list_display = ("__str__", "why_link")
    readonly_fields = ("why_link",)


class NarrowAdmin(ResourceAdmin):
    """Of somebody who looks after one collection only."""

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(collection__slug="others")


site.register(Resource, NarrowAdmin)
for model in (make.models.AccessPolicy, make.models.Collection, make.models.Grant):
    site.register(model)
urlpatterns = [path("admin/", site.urls), path("iiif-auth/", include("iiif_auth.urls"))]


@pytest.fixture
def staff():
    """Of the staff, with leave to look at resources of all collections and at nothing else."""
    person = make.UserFactory(email="desk@example.org", is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=("view_resource", "every_collection")))
    return person


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def keeper(client):
    client.force_login(make.UserFactory(email="keeper@example.org", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def members():
    """A policy: members of Staff in full, everybody at 400 pixels."""
    held = make.AccessPolicyFactory(slug="members", name="Members first")
    full = make.TierFactory(policy=held, slug="full", order=1, gets=FULL)
    make.ConditionFactory(tier=full, kind=Condition.Kind.GROUP, group=make.GroupFactory(name="Staff"))
    preview = make.TierFactory(policy=held, slug="preview", order=2, gets=SMALLER, max_edge=400, take=False)
    make.ConditionFactory(tier=preview)
    return held


@pytest.fixture
def chart(members):
    return make.ResourceFactory(url="/iiif/3/chart", label={"en": ["Chart"]}, policy=members)


def asked(client, format="json", **question):
    return client.get(reverse("admin:iiif_auth_why"), {**question, "format": format})


def answer(client, **question):
    response = asked(client, **question)
    assert response.status_code == 200, response.content
    return response.json()


def lines(said):
    return [(line["word"], line["rule"], line["why"]) for place in said["places"] for line in place["lines"]]


def page(client, **question):
    response = client.get(reverse("admin:iiif_auth_why"), question)
    assert response.status_code == 200
    return response.content.decode()


# -- The answer ---------------------------------------------------------------------------------------------------


def test_nobody_is_refused_and_told_what_would_help(desk, chart):
    said = answer(desk, resource="/iiif/3/chart")
    assert (said["decision"], said["headline"]) == ("refused", "Refused")
    assert said["person"] == "nobody signed in"
    assert (said["content_status"], said["probe_status"]) == (401, 401)
    assert said["heading"] == "Restricted"
    assert [one["label"] for one in said["instead"]] == ["Chart"]
    assert said["instead"][0]["url"].endswith("/iiif/3/chart~preview/info.json")
    assert said["remedies"] == ["a grant", "signing in and membership of Staff"]
    assert said["places"][0]["sentence"] == (
        "Members of Staff may view and keep a copy; everyone else may view a version of at most 400 pixels."
    )
    assert lines(said) == [
        ("no", "full: Members of Staff may view and keep a copy.", "Not a member of Staff."),
        (
            "does not apply",
            "preview: Anyone may view a version of at most 400 pixels.",
            "All its conditions are met, but it only lets people view a version of at most 400 pixels.",
        ),
    ]


def test_a_member_is_allowed(desk, chart):
    person = make.UserFactory(email="hana@example.org")
    person.groups.add(make.Group.objects.get(name="Staff"))
    said = answer(desk, resource="/iiif/3/chart", person="hana@example.org")
    assert (said["headline"], said["reason"]) == ("Allowed", "They may view and keep a copy.")
    assert (said["person"], said["groups"]) == ("hana@example.org", ["Staff"])
    assert said["remedies"] == []


def test_a_version_that_may_not_be_kept(desk, chart):
    assert answer(desk, resource="/iiif/3/chart~preview")["reason"] == "They may view, but not keep a copy."


def test_what_is_not_there_is_unknown(desk):
    said = answer(desk, resource="/nothing/here")
    assert (said["headline"], said["content_status"], said["places"]) == ("Unknown", 404, [])


@pytest.mark.parametrize(
    "spelling",
    [
        "/iiif/3/chart",
        " http://localhost:8000/iiif/3/chart/info.json ",
        "http://localhost:8000/iiif/3/chart/full/max/0/default.jpg?download=1",
        "http://localhost:8000/iiif-auth/2/probe/{reference}",
        "/iiif-auth/2/probe/{reference}",
        "{pk}",
    ],
)
def test_an_item_is_found_by_any_spelling(desk, chart, settings, spelling):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": "http://localhost:8000"}
    text = spelling.format(pk=chart.pk, reference=identity.reference("/iiif/3/chart"))
    assert answer(desk, resource=text)["item"] == "http://localhost:8000/iiif/3/chart"


def test_time_changes_the_answer(desk, chart):
    make.EmbargoFactory(resource=chart, ends=datetime(2049, 1, 1, tzinfo=UTC), hard=True)
    before = answer(desk, resource=str(chart.pk))
    assert before["reason"] == "Because: under embargo, until 1 January 2049."
    assert ("no", "Closed until 1 January 2049, to people with a grant too.", "Runs until 1 January 2049.") in lines(
        before
    )
    after = answer(desk, resource=str(chart.pk), at="2049-01-02T09:00")
    assert (after["at"], after["time"]) == ("2049-01-02T09:00:00+00:00", "2 January 2049, 09:00 (Europe/London)")
    assert after["reason"] == "Because: not signed in."


def test_a_place_and_an_agreement_change_the_answer(desk):
    room = make.NetworkFactory(name="Reading room", prefixes=["192.0.2.0/28"])
    terms = make.AccessServiceFactory(slug="terms", pattern="clickthrough", label={"en": ["Terms"]})
    tier = make.TierFactory(join="all", gets=FULL, services=[terms])
    make.ConditionFactory(tier=tier, kind=Condition.Kind.NETWORK, network=room)
    make.ConditionFactory(tier=tier, kind=Condition.Kind.AGREED, service=terms)
    item = str(make.ResourceFactory(policy=tier.policy).pk)
    assert answer(desk, resource=item)["remedies"] == ["a grant", "going through “Terms” and being at Reading room"]
    inside = answer(desk, resource=item, place=f"network:{room.pk}")
    assert (inside["address"], inside["networks"], inside["decision"]) == ("192.0.2.1", ["Reading room"], "refused")
    agreed = answer(desk, resource=item, address="192.0.2.5", place="mine", agreed="terms")
    assert (agreed["address"], agreed["agreed"], agreed["decision"]) == ("192.0.2.5", ["Terms"], "allowed")


def test_ones_own_address_can_be_asked_about(desk, chart, settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "SUBJECT": "", "TRUSTED_PROXIES": 0}
    assert answer(desk, resource=str(chart.pk), place="mine")["address"] == "127.0.0.1"


def test_a_network_without_addresses_is_nowhere():
    assert asking.first_address(policy.Network(())) == ""
    assert asking.first_address(policy.Network((ip_network("192.0.2.7/32"),))) == "192.0.2.7"


def test_an_inactive_account_is_nobody(desk, chart):
    make.UserFactory(email="gone@example.org", is_active=False)
    said = answer(desk, resource=str(chart.pk), person="gone@example.org")
    assert "This account is not active, so the person counts as nobody signed in." in said["hints"]
    assert said["reason"] == "Because: not signed in."


def test_no_policy_at_all(desk):
    said = answer(desk, resource=str(make.ResourceFactory().pk))
    assert said["reason"] == "Because: no policy applies."
    assert lines(said) == [("no", "No policy.", "There is no policy anywhere, so nobody is let in.")]


def test_a_secret_collection_is_said_to_be_one(desk, members):
    vault = make.CollectionFactory(slug="vault", label={"en": ["The vault"]}, policy=members, hides_existence=True)
    make.CollectionRuleFactory(collection=vault, pattern="/vault/")
    said = answer(desk, resource="/vault/1")
    assert any("keeps secret" in hint for hint in said["hints"])
    assert [place["what"]["text"] for place in said["places"]] == ["/vault/1", "The vault"]


def from_a_hook(uri):
    rules = policy.Policy("theirs", (policy.Tier("all", policy.Everyone()),))
    return policy.Offer(policy.Rendition(uri), levels=(policy.Level("Gemälde 7", rules),))


def test_an_item_of_the_hosts_own_is_explained_too(desk, settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "OFFERS": f"{__name__}.from_a_hook"}
    (place,) = answer(desk, resource="/paintings/7")["places"]
    assert (place["what"]["text"], place["policy"]["text"]) == ("Gemälde 7", "theirs")


# -- Grants -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["resource", "collection", "policy"])
def test_an_ended_grant_is_shown_wherever_it_was_given(keeper, chart, scope):
    hana = make.UserFactory(email="hana@example.org")
    chart.collection = make.CollectionFactory(slug="maps", policy=chart.policy)
    chart.save()
    ended = datetime(2025, 11, 14, tzinfo=UTC)
    given = {
        "resource": None,
        scope: {"resource": chart, "collection": chart.collection, "policy": chart.policy}[scope],
    }
    make.GrantFactory(user=hana, ends=ended, granted_by=make.UserFactory(email="omar@example.org"), **given)
    said = answer(keeper, resource=str(chart.pk), person="hana@example.org")
    whys = [why for _, rule, why in lines(said) if "grant" in rule]
    assert set(whys) == {"Ended on 14 November 2025. Given by omar@example.org."}
    earlier = answer(keeper, resource=str(chart.pk), person="hana@example.org", at="2025-11-13T12:00")
    assert earlier["decision"] == ("refused" if scope == "collection" else "allowed"), "good outwards, not inwards"


def test_a_running_grant_allows(keeper, chart):
    hana = make.UserFactory(email="hana@example.org")
    grant = make.GrantFactory(user=hana, resource=chart)
    said = answer(keeper, resource=str(chart.pk), person="hana@example.org")
    assert said["decision"] == "allowed"
    line = said["places"][0]["lines"][-1]
    assert line["rule"] == "By a grant hana@example.org may view and keep a copy."
    assert line["link"] == {
        "text": f"Grant {grant.pk}",
        "url": reverse("admin:iiif_auth_grant_change", args=[grant.pk]),
    }


def test_grants_to_others_are_named_to_those_who_may_see_grants(keeper, chart):
    make.GrantFactory(user=make.UserFactory(email="eva@example.org"), resource=chart)
    assert "eva@example.org" in asked(keeper, resource=str(chart.pk)).content.decode()


def test_grants_to_others_are_counted_to_those_who_may_not(desk, chart):
    make.GrantFactory(user=make.UserFactory(email="eva@example.org"), resource=chart)
    for format in ("json", "text", ""):
        assert "eva@example.org" not in asked(desk, format, resource=str(chart.pk)).content.decode()
    assert lines(answer(desk, resource=str(chart.pk)))[-1] == (
        "does not apply",
        "1 grant to somebody else",
        "Not for this person.",
    )


def test_many_grants_to_others_are_counted(keeper, chart, django_assert_max_num_queries):
    Grant.objects.bulk_create([Grant(user=make.UserFactory(), resource=chart) for _ in range(12)])
    with django_assert_max_num_queries(60):
        assert lines(answer(keeper, resource=str(chart.pk)))[-1][1] == "12 grants to others"


def test_ones_own_grant_is_shown_without_names_to_those_who_may_not_see_grants(desk, chart):
    hana = make.UserFactory(email="hana@example.org")
    make.GrantFactory(user=hana, resource=chart, granted_by=make.UserFactory(email="omar@example.org"))
    response = asked(desk, "text", resource=str(chart.pk), person="hana@example.org").content.decode()
    assert "By a grant somebody may view and keep a copy." in response
    assert "omar" not in response


# -- Links --------------------------------------------------------------------------------------------------------


def test_every_place_links_to_what_it_is(keeper, chart):
    chart.collection = make.CollectionFactory(slug="maps", label={"en": ["Maps"]})
    chart.save()
    first, second = answer(keeper, resource=str(chart.pk))["places"]
    assert first["what"] == {"text": "Chart", "url": reverse("admin:iiif_auth_resource_change", args=[chart.pk])}
    policy_url = reverse("admin:iiif_auth_accesspolicy_change", args=[chart.policy.pk])
    assert first["policy"] == {"text": "Members first", "url": policy_url}
    collection_url = reverse("admin:iiif_auth_collection_change", args=[chart.collection.pk])
    assert second["what"] == {"text": "Maps", "url": collection_url}


def test_what_one_may_not_open_is_not_a_link(desk, chart):
    (place,) = answer(desk, resource=str(chart.pk))["places"]
    assert place["policy"] == {"text": "Members first", "url": ""}


def test_a_model_without_an_admin_is_not_a_link(keeper, chart, monkeypatch):
    monkeypatch.setattr(
        answering, "reverse", lambda name, **kwargs: reverse(name.replace("accesspolicy", "nope"), **kwargs)
    )
    (place,) = answer(keeper, resource=str(chart.pk))["places"]
    assert place["policy"]["url"] == ""


def test_the_list_and_the_form_lead_to_the_page(keeper, chart):
    link = f"{reverse('admin:iiif_auth_why')}?resource={chart.pk}"
    assert link in keeper.get(reverse("admin:iiif_auth_resource_changelist")).content.decode()
    assert link in keeper.get(reverse("admin:iiif_auth_resource_change", args=[chart.pk])).content.decode()
    assert ResourceAdmin(Resource, site).why_link(None) == "-"


# -- The page -----------------------------------------------------------------------------------------------------


def test_the_empty_form_asks_and_answers_nothing(desk):
    html = page(desk)
    assert "May this person, there and then, see this item?" in html
    assert 'id="iiif-auth-headline"' not in html
    assert "errornote" not in html


def test_the_page_says_everything_in_words(desk, chart):
    html = page(desk, resource=str(chart.pk))
    for text in ("Refused", "Not a member of Staff.", "signing in and membership of Staff", "content 401, probe 401"):
        assert text in html
    assert "Any one of these would be enough" in html


def test_where_nothing_helps_the_page_says_so(desk, chart):
    make.WithdrawalFactory(resource=chart)
    assert "Nothing would help" in page(desk, resource=str(chart.pk))


def test_the_text_can_be_copied(desk, chart):
    make.UserFactory(email="hana@example.org")
    terms = make.AccessServiceFactory(slug="terms", label={"en": ["Terms"]})
    response = asked(desk, "text", resource=str(chart.pk), person="hana", agreed=terms.slug)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    said = response.content.decode().splitlines()
    assert said[0] == "REFUSED. Because: signed in, but not entitled."
    assert "Person: hana@example.org" in said
    assert "Has gone through: Terms" in said
    assert "   NO | full: Members of Staff may view and keep a copy. | Not a member of Staff." in said
    assert said[-1] == "Would be enough: membership of Staff | a grant"


def test_what_people_wrote_is_escaped(desk, members):
    item = make.ResourceFactory(label={"en": ["<script>alert(1)</script>"]}, policy=members)
    html = page(desk, resource=str(item.pk))
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html


# -- Bad questions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "field", "sentence"),
    [
        ({"resource": ""}, "resource", "This field is required."),
        ({"resource": "not an address"}, "resource", "This can not be the address of an item."),
        ({"resource": "https://[::1"}, "resource", "This can not be the address of an item."),
        ({"resource": "/a\x00b"}, "resource", "Null characters are not allowed."),
        ({"resource": "/x" * 3000}, "resource", "Ensure this value has at most 4000 characters"),
        ({"resource": "999999"}, "resource", "There is no resource with the number 999999."),
        ({"resource": "9" * 40}, "resource", "There is no resource with the number"),
        ({"resource": "/iiif-auth/2/probe/!!!"}, "resource", "This is a probe of this site"),
        ({"person": "nobody@example.org"}, "person", "There is no “nobody@example.org”"),
        ({"person": "example.org"}, "person", "Several fit “example.org”"),
        ({"person": "x" * 60_000}, "person", "Ensure this value has at most 200 characters"),
        ({"person": "a\x00b"}, "person", "Null characters are not allowed."),
        ({"address": "300.1.1.1"}, "address", "This is not an address"),
        ({"address": "fe80::1%eth0"}, "address", "This is not an address"),
        ({"at": "yesterday"}, "at", "Please write the time as"),
        ({"at": "0001-01-01T00:00"}, "at", "Please give a year from 1900 to 9899."),
        ({"at": "9999-12-31T23:59"}, "at", "Please give a year from 1900 to 9899."),
        ({"at": "2026-03-29T01:30"}, "at", "couldn’t be interpreted in time zone"),
        ({"place": "network:0"}, "place", "Select a valid choice."),
        ({"agreed": "nothing"}, "agreed", "Select a valid choice."),
    ],
)
def test_a_bad_question_is_answered_with_a_sentence(desk, chart, settings, question, field, sentence):
    settings.TIME_ZONE = "Europe/London"
    make.UserFactory(email="eva@example.org")
    question = {"resource": "/iiif/3/chart", **question}
    response = asked(desk, **question)
    assert response.status_code == 400
    assert [error["message"] for error in response.json()["errors"][field]][0].startswith(sentence) or (
        sentence in str(response.json()["errors"][field])
    )
    assert asked(desk, "text", **question).status_code == 400
    html = page(desk, **question)
    assert 'class="errornote' in html
    assert 'id="iiif-auth-headline"' not in html


def test_an_unknown_format_is_the_page(desk, chart):
    assert "text/html" in asked(desk, "pdf", resource=str(chart.pk))["Content-Type"]


def test_rules_that_can_not_be_read_are_said_to_be(desk, chart, monkeypatch):
    def moving(*args):
        raise store.RulesInMotion("moving")

    monkeypatch.setattr(store, "rulebook", moving)
    monkeypatch.setattr(store, "find_offer", moving)
    assert "The rules can not be read just now" in page(desk, resource="/iiif/3/chart")


# -- Who may ask --------------------------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in(client):
    response = client.get(reverse("admin:iiif_auth_why"))
    assert response.status_code == 302
    assert "/admin/login/" in response["Location"]


def test_staff_without_the_permission_may_not_ask(client):
    client.force_login(make.UserFactory(is_staff=True))
    assert client.get(reverse("admin:iiif_auth_why"), {"resource": "1"}).status_code == 403


def test_what_is_somebody_elses_to_look_after_is_as_if_it_were_not_there(desk, members):
    others = make.CollectionFactory(slug="others", policy=members)
    item = make.ResourceFactory(url="/iiif/3/theirs", collection=others)
    by_number = asked(desk, resource=str(item.pk)).json()["errors"]["resource"][0]["message"]
    assert by_number == f"There is no resource with the number {item.pk}."
    theirs, nothing = answer(desk, resource="/iiif/3/theirs"), answer(desk, resource="/iiif/3/nothing")
    same = ("decision", "headline", "reason", "content_status", "probe_status", "heading", "note", "places", "hints")
    assert [theirs[name] for name in same] == [nothing[name] for name in same]
    assert theirs["decision"] == "unknown"


def test_nobody_is_signed_in_as_somebody_else(desk, chart, staff):
    make.UserFactory(email="hana@example.org")
    page(desk, resource=str(chart.pk), person="hana@example.org")
    assert desk.session["_auth_user_id"] == str(staff.pk)
    assert get_user_model().objects.get(email="hana@example.org").last_login is None


def test_answers_are_not_kept(desk, chart):
    assert "no-store" in asked(desk, resource=str(chart.pk))["Cache-Control"]


# -- Where the asker is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "chosen", "because"),
    [
        (0, "198.51.100.1", "203.0.113.9", "TRUSTED_PROXIES is 0"),
        (1, "198.51.100.1, 192.0.2.5", "192.0.2.5", "TRUSTED_PROXIES is 1"),
        (2, "192.0.2.5", "", "No address can be told for sure"),
    ],
)
def test_ones_own_address_is_explained(settings, proxies, forwarded, chosen, because):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "SUBJECT": "", "TRUSTED_PROXIES": proxies}
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR=forwarded)
    seen = seeing.seen(request)
    assert (seen.remote, seen.forwarded, seen.chosen) == ("203.0.113.9", forwarded, chosen)
    assert seen.because.startswith(because)


def elsewhere(subject, request):
    return replace(subject, address=identify.parsed_address("192.0.2.77"))


def test_a_hook_that_moves_the_asker_is_named(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "SUBJECT": f"{__name__}.elsewhere"}
    seen = seeing.seen(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9"))
    assert (seen.chosen, seen.because) == (
        "192.0.2.77",
        "The SUBJECT hook of this site put it in the place of 203.0.113.9.",
    )


def test_what_ended_a_moment_ago_is_not_shown_twice(keeper, chart):
    """The rulebook in use may still know a grant that has ended since it was read."""
    chart.collection = make.CollectionFactory(slug="maps", policy=chart.policy)
    chart.save()
    hana = make.UserFactory(email="hana@example.org")
    grant = make.GrantFactory(user=hana, resource=None, collection=chart.collection)
    book = store.rulebook()
    Grant.objects.filter(pk=grant.pk).update(ends=timezone.now() - timedelta(seconds=1))
    level = book.places[chart.collection.pk].levels[0]
    assert ended._joined(level.grants, [grant], (level,), book) == level.grants


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


def test_it_is_noticed_where_names_are_for_everybody(desk, chart, monkeypatch):
    monkeypatch.setattr(answering.Inquiry, "_names", True)
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    with pytest.raises(AssertionError, match=r"eva@example\.org"):
        test_grants_to_others_are_counted_to_those_who_may_not(desk, chart)


def test_it_is_noticed_where_the_giver_is_named_to_everybody(desk, chart, monkeypatch):
    monkeypatch.setattr(answering.Inquiry, "_names", True)
    with pytest.raises(AssertionError, match="omar"):
        test_ones_own_grant_is_shown_without_names_to_those_who_may_not_see_grants(desk, chart)


def test_it_is_noticed_where_anybodys_item_may_be_asked_about(desk, members, monkeypatch):
    monkeypatch.setattr(WhyMixin, "_may_ask", lambda *given: True)
    with pytest.raises(AssertionError):
        test_what_is_somebody_elses_to_look_after_is_as_if_it_were_not_there(desk, members)
