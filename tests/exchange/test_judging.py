"""Every row is answered: what it changes, or what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from iiif_auth import models, roles
from iiif_auth.exchange import deeds, judging, uploads
from iiif_auth.exchange.dates import Style, question
from iiif_auth.exchange.known import Known
from iiif_auth.exchange.sheets import Sheet
from tests import factories

pytestmark = pytest.mark.django_db
Role = models.Delegation.Role
PLAIN = Style()


@pytest.fixture
def root():
    return factories.UserFactory(is_staff=True, is_superuser=True)


def judged(user, *rows, style=PLAIN):
    """Rows as dicts of cells, judged."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    told = [[number, [row.get(key, "") for key in keys]] for number, row in enumerate(rows, 2)]
    return judging.judged(user, told, keys, style)


def said(user, **row) -> str:
    """What is said of one row about one resource that is there."""
    row.setdefault("identifier", factories.ResourceFactory().url)
    (found,) = judged(user, row)
    assert found.state == judging.ERROR, found
    assert found.deeds == []
    return " ".join(found.errors)


def done(user, *rows, style=PLAIN):
    found = judged(user, *rows, style=style)
    assert [one.errors for one in found] == [[]] * len(rows)
    return deeds.do(deed for one in found for deed in one.deeds)


WRONG = [
    ({"identifier": ""}, "There is no address in this row"),
    ({"identifier": "not an address", "label": "x"}, "is no address"),
    ({"identifier": "javascript:alert(1)"}, "is no address"),
    ({"policy": "redding-room"}, "Did you mean “reading-room”"),
    ({"policy": "template"}, "There is no policy “template”."),
    ({"collection": "mapps"}, "Did you mean “maps”?"),
    ({"collection": "="}, "formula"),
    ({"label": "=1+1"}, "This cell is a formula"),
    ({"label": {"formula": "=A1"}}, "This cell is a formula"),
    ({"note": "a\x00b"}, "U+0000"),
    ({"note": "x" * 5001}, "at most 5000 fit"),
    ({"label": "x" * 4001}, "at most 4000 fit"),
    ({"label": "-"}, "A label can not be cleared"),
    ({"type": "Painting"}, "the types are Image, Video"),
    ({"type": "-"}, "This can not be cleared"),
    ({"image_service": "4"}, "please write 3, 2, or 0"),
    ({"type": "Video", "image_service": "3"}, "Only images have an image service"),
    ({"embargo_until": "31.02.2031"}, "is not a date"),
    ({"embargo_until": "soon"}, "is not a date"),
    ({"embargo_until": "2020-01-01"}, "That day is past"),
    ({"embargo_until": "01/02/2031"}, "can be read in two ways"),
    ({"embargo_until": "47968"}, "is a number, not a date"),
    ({"embargo_until": "9999-12-31"}, "is not a date"),
    ({"then_policy": "reading-room"}, "Please say until when"),
    ({"embargo_until": "indefinitely", "then_policy": "reading-room"}, "needs a day"),
    ({"grant_to": "nobody-of-that-name"}, "There is no person"),
    ({"grant_to": "group: Elder"}, "Did you mean “Elders”?"),
    ({"grant_to": "ada", "place": "desk"}, "either a person or a place"),
    ({"view": "full"}, "Please say who gets this access"),
    ({"place": "dusk"}, "Did you mean “desk”"),
    ({"grant_to": "ada", "view": "huge"}, "There is no version “huge”"),
    ({"grant_to": "ada", "download": "perhaps"}, "neither yes nor no"),
    ({"grant_to": "ada", "grant_until": "2020-01-01"}, "That day is past"),
]


@pytest.fixture
def named():
    factories.AccessPolicyFactory(slug="reading-room", name="Reading room")
    factories.AccessPolicyFactory(slug="template", is_template=True)
    factories.CollectionFactory(slug="maps")
    factories.UserFactory(username="ada", email="ada@example.org")
    factories.GroupFactory(name="Elders")
    factories.NetworkFactory(slug="desk", name="Reading-room desk")


@pytest.mark.parametrize(("row", "sentence"), WRONG)
def test_what_is_wrong_is_said_in_a_sentence(root, named, row, sentence):
    assert sentence in said(root, **row)


def test_a_row_can_make_change_and_clear_and_what_is_empty_is_left_alone(root, named):
    row = factories.ResourceFactory(remarks="old", policy=models.AccessPolicy.objects.get(slug="reading-room"))
    done(root, {"identifier": row.url, "policy": "-", "label": "New"}, {"identifier": "/iiif/3/new", "label": "Made"})
    row.refresh_from_db()
    assert (row.policy, row.remarks, row.label) == (None, "old", {"en": ["New"]})
    made = models.Resource.objects.get(url="/iiif/3/new")
    assert (made.label, made.image_api, made.policy) == ({"en": ["Made"]}, 3, None)


def test_labels_in_other_languages_stay(root):
    row = factories.ResourceFactory(label={"en": ["Map"], "de": ["Karte"]})
    done(root, {"identifier": row.url, "label": "Chart"})
    row.refresh_from_db()
    assert row.label == {"en": ["Chart"], "de": ["Karte"]}
    other = factories.ResourceFactory(label={"de": ["Karte"]})
    done(root, {"identifier": other.url, "label": "Map"})
    other.refresh_from_db()
    assert other.label == {"en": ["Map"], "de": ["Karte"]}


def test_an_embargo_is_made_moved_and_lifted(root, named):
    row = factories.ResourceFactory()
    one = {"identifier": row.url, "embargo_until": "2031-05-01", "then_policy": "Reading room", "reason": "Contract"}
    done(root, one)
    held = row.embargoes.get()
    assert held.ends == datetime(2031, 4, 30, 23, 0, tzinfo=UTC)  # midnight in London in summer
    assert (held.then_policy.slug, held.reason) == ("reading-room", "Contract")
    assert judged(root, one)[0].state == judging.SAME
    done(root, {"identifier": row.url, "embargo_until": "2032-01-01"})
    held.refresh_from_db()
    assert (held.ends.year, held.reason) == (2032, "Contract")
    done(root, {"identifier": row.url, "embargo_until": "-"})
    assert not row.embargoes.exists()


def test_an_embargo_without_end_stays_so_when_it_comes_back(root):
    row = factories.EmbargoFactory(ends=None).resource
    assert judged(root, {"identifier": row.url, "embargo_until": "indefinitely"})[0].state == judging.SAME


def test_several_embargoes_are_not_guessed_at(root):
    row = factories.EmbargoFactory().resource
    factories.EmbargoFactory(resource=row)
    assert "2 embargoes of its own" in said(root, identifier=row.url, embargo_until="2031-01-01")


def test_access_is_given_changed_and_ended(root, named):
    row = factories.ResourceFactory()
    one = {"identifier": row.url, "grant_to": "ada@example.org", "grant_until": "2031-05-01", "download": "no"}
    done(root, one, {"identifier": row.url, "grant_to": "group: elders"}, {"identifier": row.url, "place": "desk"})
    grant = row.grants.get(user__isnull=False)
    assert grant.ends == datetime(2031, 5, 1, 23, 0, tzinfo=UTC)  # the day itself is still part of it
    assert (grant.user.username, grant.take, grant.granted_by) == ("ada", False, root)
    assert judged(root, one)[0].state == judging.SAME
    done(root, {"identifier": row.url, "grant_to": "ada", "grant_until": "-", "download": "yes"})
    grant.refresh_from_db()
    assert (grant.ends, grant.take) == (None, True)
    done(root, {"identifier": row.url, "grant_to": "-"})
    ended = models.Grant.objects.filter(ends__lte=timezone.now())
    assert {one.user_id or one.group_id for one in ended} == {
        grant.user_id,
        models.Grant.objects.get(group__name="Elders").group_id,
    }
    assert row.grants.get(network__isnull=False).ends is None


def test_a_second_row_about_the_same_can_only_give_access(root, named):
    url = factories.ResourceFactory().url
    found = judged(
        root,
        {"identifier": url, "policy": "reading-room"},
        {"identifier": url + "/info.json", "policy": "reading-room"},
        {"identifier": url, "grant_to": "ada"},
        {"identifier": url, "grant_to": "ADA"},
        {"identifier": url, "policy": "-", "place": "desk"},
    )
    assert [one.state for one in found] == ["changed", "error", "changed", "error", "error"]
    assert "Line 2 is about the same resource" in found[1].errors[0]
    assert "gives “ada” access to this already" in found[3].errors[0]


def test_a_further_row_about_one_that_is_wrong_is_wrong_too(root, named):
    found = judged(root, {"identifier": "/iiif/3/x", "policy": "nope"}, {"identifier": "/iiif/3/x", "grant_to": "ada"})
    assert [one.state for one in found] == ["error", "error"]
    assert "please correct that first" in found[1].errors[0]


def test_access_to_what_is_made_in_the_same_file(root, named):
    done(
        root, {"identifier": "/iiif/3/x", "embargo_until": "2031-01-01"}, {"identifier": "/iiif/3/x", "grant_to": "ada"}
    )
    made = models.Resource.objects.get()
    assert (made.embargoes.count(), made.grants.count()) == (1, 1)


def test_an_address_of_something_else_is_named(root):
    held = factories.RenditionFactory()
    assert "another address of" in said(root, identifier=held.url, label="x")


def test_what_replaces_policies_above_needs_its_own_permission(root):
    policy = factories.AccessPolicyFactory(slug="new")
    row = factories.ResourceFactory(policy=factories.AccessPolicyFactory(), overrides=True)
    user = keeper("change_resource", "view_resource", "every_collection")
    assert "may loosen policies" in said(user, identifier=row.url, policy="new")
    assert "can not be cleared here" in said(root, identifier=row.url, policy="-")
    assert judged(root, {"identifier": row.url, "policy": "new"})[0].state == judging.CHANGED
    assert policy.resources.count() == 0


# -- Whose rows ---------------------------------------------------------------------------------------------------


def keeper(*codenames: str, role: str | None = None, of: models.Collection | None = None, **more):
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames))
    if of is not None:
        models.Delegation.objects.create(collection=of, user=user, role=role or Role.MANAGER, **more)
    return user


ALL = (
    *("view_resource", "change_resource", "add_resource", "view_collection", "add_rendition"),
    *("add_embargo", "change_embargo", "delete_embargo", "add_grant", "change_grant"),
)


def test_rows_of_others_are_answered_as_what_is_not_there(named):
    mine, other = factories.CollectionFactory(slug="mine"), factories.CollectionFactory(slug="other")
    theirs = factories.ResourceFactory(collection=other)
    nowhere = factories.ResourceFactory()
    user = keeper(*ALL, of=mine)
    rows = [
        {"identifier": one, "label": "Mine now", "collection": "mine"}
        for one in (theirs.url, nowhere.url, "/iiif/3/no")
    ]
    found = judged(user, *rows)
    assert {tuple(one.errors) for one in found} == {found[0].errors and tuple(found[0].errors)}
    assert "There is no resource with this address among those you look after." in found[0].errors
    assert [one.deeds for one in found] == [[], [], []]


def test_collections_of_others_are_answered_as_what_is_not_there(named):
    mine = factories.CollectionFactory(slug="mine")
    factories.CollectionFactory(slug="others")
    row = factories.ResourceFactory(collection=mine)
    user = keeper(*ALL, of=mine)
    for name in ("others", "otters"):
        assert said(user, identifier=row.url, collection=name) == f"Collection: There is no collection “{name}”."
    assert "may not put it there" in said(user, identifier=row.url, collection="-")


def test_within_ones_own_address_rules_things_can_be_made():
    mine = factories.CollectionFactory(slug="mine")
    factories.CollectionRuleFactory(collection=mine, pattern="/iiif/3/mine/")
    user = keeper(*ALL, of=mine)
    found = judged(user, {"identifier": "/iiif/3/mine/1", "label": "x"}, {"identifier": "/iiif/3/else/1", "label": "x"})
    assert [one.state for one in found] == ["new", "error"]
    deeds.do(found[0].deeds)
    assert models.Resource.objects.get().collection == mine


def test_a_desk_gives_access_for_so_long_and_changes_nothing_else(named):
    mine = factories.CollectionFactory(slug="mine")
    row = factories.ResourceFactory(collection=mine)
    user = keeper(*ALL, of=mine, role=Role.DESK, most_days=7)
    soon, late = (f"{timezone.now() + timedelta(days=days):%Y-%m-%d}" for days in (5, 30))
    assert judged(user, {"identifier": row.url, "grant_to": "ada", "grant_until": soon})[0].state == judging.CHANGED
    assert "at most 7 days" in said(user, identifier=row.url, grant_to="ada", grant_until=late)
    assert "at most 7 days" in said(user, identifier=row.url, grant_to="ada")
    assert "not change it" in said(user, identifier=row.url, label="x")
    assert "may not change this" in said(user, identifier=row.url, embargo_until="2031-01-01")


def test_what_may_not_be_added_is_not(named):
    row = factories.ResourceFactory()
    user = keeper("change_resource", "view_resource", "every_collection")
    assert "may not change this" in said(user, identifier=row.url, grant_to="ada")
    assert "may not change this" in said(user, identifier=row.url, embargo_until="2031-01-01")
    assert "no resource with this address" in said(user, identifier="/iiif/3/none", label="x")


# -- Many at once -------------------------------------------------------------------------------------------------


def test_queries_do_not_grow_with_the_rows(root, named, django_assert_max_num_queries):
    urls = [one.url for one in factories.ResourceFactory.create_batch(60)]
    rows = [
        {"identifier": url, "policy": "reading-room", "grant_to": "ada", "embargo_until": "2031-01-01"} for url in urls
    ]
    with django_assert_max_num_queries(32):
        assert {one.state for one in judged(root, *rows)} == {judging.CHANGED}


def test_nothing_is_done_when_something_goes_wrong_in_the_middle(root, named, monkeypatch):
    rows = factories.ResourceFactory.create_batch(3)
    told = tuple((number, [row.url, "reading-room", "2031-01-01"]) for number, row in enumerate(rows, 2))
    batch = uploads.table(root, Sheet(("identifier", "policy", "embargo_until"), told), "x.csv", {})
    uploads.mapped(batch, batch.plan["mapping"], Style())

    def broken(*args):
        raise RuntimeError

    monkeypatch.setattr(deeds, "_made", broken)
    with pytest.raises(RuntimeError):
        uploads.apply(batch, "x")
    batch.refresh_from_db()
    assert batch.state == models.Batch.State.WAITING
    assert not models.Resource.objects.exclude(policy=None).exists()


def test_a_file_is_applied_once(root, named):
    told = ((2, [factories.ResourceFactory().url, "reading-room"]),)
    batch = uploads.table(root, Sheet(("identifier", "policy"), told), "x.csv", {})
    uploads.mapped(batch, batch.plan["mapping"], Style())
    uploads.apply(batch, "x")
    with pytest.raises(uploads.Over):
        uploads.apply(batch, "x")


def test_files_that_nobody_applies_are_forgotten_after_a_week(root):
    batch = uploads.table(root, Sheet(("identifier",), ((2, ["/a"]),)), "x.csv", {})
    other = models.Batch.objects.create(
        kind="bulk", what="x", plan={"form": "bulk"}, created=timezone.now() - timedelta(30)
    )
    now = timezone.now()
    assert uploads.due(now + timedelta(days=6)) == "Forgot 0 files that were sent and never applied."
    assert uploads.would(now + timedelta(days=8)).startswith("Would forget 1 ")
    uploads.due(now + timedelta(days=8))
    assert list(models.Batch.objects.all()) == [other]
    assert batch.pk != other.pk


# -- Days ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "style", "day"),
    [
        ("2031-05-01", Style(), "2031-05-01"),
        ("1.5.2031", Style(), "2031-05-01"),
        ("13/05/2031", Style(), "2031-05-13"),
        ("05/13/2031", Style(), "2031-05-13"),
        ("03/04/2031", Style("dmy"), "2031-04-03"),
        ("03/04/2031", Style("mdy"), "2031-03-04"),
        ("05/05/2031", Style(), "2031-05-05"),
        ("1 May 2031", Style(), "2031-05-01"),
        ("47969", Style(serials=True), "2031-05-01"),
    ],
)
def test_days_are_read_as_they_are_written(root, text, style, day):
    row = factories.ResourceFactory()
    done(root, {"identifier": row.url, "embargo_until": text}, style=style)
    assert f"{timezone.localtime(row.embargoes.get().ends):%Y-%m-%d %H:%M}" == f"{day} 00:00"


def test_one_date_that_tells_the_order_tells_it_for_all():
    assert question(["03/04/2031", "25/04/2031"]) == (Style("dmy"), question([])[1])
    style, asked = question(["03/04/2031", "47969"])
    assert (style, asked.ambiguous, asked.serial) == (Style(), "03/04/2031", "47969")
    assert question(["25/04/2031", "04/25/2031", "03/04/2031"])[1].ambiguous == "03/04/2031"


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


def test_it_is_noticed_where_rows_of_others_are_found(named, monkeypatch):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    with pytest.raises(AssertionError):
        test_rows_of_others_are_answered_as_what_is_not_there(named)


def test_it_is_noticed_where_collections_of_others_are_found(named, monkeypatch):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    with pytest.raises(AssertionError, match="others"):
        test_collections_of_others_are_answered_as_what_is_not_there(named)


def test_it_is_noticed_where_nobody_asks_whose_address_it_is(monkeypatch):
    monkeypatch.setattr(roles, "is_everywhere", lambda user: True)
    with pytest.raises(AssertionError, match="'new', 'new'"):
        test_within_ones_own_address_rules_things_can_be_made()


def test_it_is_noticed_where_a_thing_may_be_put_anywhere(named, monkeypatch):
    monkeypatch.setattr(Known, "may", lambda known, codename, row: True)
    with pytest.raises(AssertionError):
        test_collections_of_others_are_answered_as_what_is_not_there(named)


def test_it_is_noticed_where_anything_may_be_added(named, monkeypatch):
    monkeypatch.setattr(Known, "may", lambda known, codename, row: True)
    with pytest.raises(AssertionError):
        test_what_may_not_be_added_is_not(named)


def test_it_is_noticed_where_a_desk_gives_access_for_ever(named, monkeypatch):
    monkeypatch.setattr(Known, "most_days", lambda known, row: None)
    with pytest.raises(AssertionError):
        test_a_desk_gives_access_for_so_long_and_changes_nothing_else(named)


def test_a_further_address_is_not_added_where_an_address_rule_gives_it_to_others():
    mine, other = factories.CollectionFactory(slug="mine"), factories.CollectionFactory(slug="other")
    factories.CollectionRuleFactory(collection=other, pattern="/thumbs/theirs/")
    row, user = factories.ResourceFactory(collection=mine), keeper(*ALL, of=mine)
    (theirs,) = judged(user, {"identifier": row.url, "thumbnail": "/thumbs/theirs/1.jpg"})
    (free,) = judged(user, {"identifier": row.url, "thumbnail": "/thumbs/mine/1.jpg"})
    assert (theirs.deeds, len(free.deeds)) == ([], 1)
    assert "You may not add" in theirs.hints[0]


def test_it_is_noticed_where_any_address_may_be_claimed(monkeypatch):
    monkeypatch.setattr(roles, "may_claim", lambda user, url, but=None: True)
    with pytest.raises(AssertionError):
        test_a_further_address_is_not_added_where_an_address_rule_gives_it_to_others()
