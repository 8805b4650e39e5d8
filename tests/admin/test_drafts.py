"""Drafts: written in the policy's own form, judged without being live, compared, published at once, in time, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from iiif_auth import contents, drafts, history
from iiif_auth.admin import compared
from iiif_auth.models import AccessPolicy, Batch, Condition, PolicyDraft, RefusalText, Resource, Tier
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import NOBODY, Allowed, Denied, Subject
from iiif_auth.store import find_offer
from tests import factories
from tests.admin.pages import Form
from tests.roles.people import fresh, permissions, staff

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
DRAFTER = ("every_collection", "view_accesspolicy", "add_policydraft", "change_policydraft", "view_policydraft")
PUBLISHER = (*DRAFTER, "publish_policy", "delete_policydraft")


@pytest.fixture
def researchers():
    return factories.GroupFactory(name="Researchers")


@pytest.fixture
def live(researchers):
    """Researchers have it in full, everybody a preview, and the rest are told so."""
    row = factories.AccessPolicyFactory(slug="survey", name="Survey")
    service = factories.AccessServiceFactory(slug="login")
    full = factories.TierFactory(policy=row, slug="full", order=0, services=[service])
    factories.ConditionFactory(tier=full, kind="group", group=researchers)
    preview = factories.TierFactory(policy=row, slug="preview", order=1, gets="smaller", max_edge=400)
    factories.ConditionFactory(tier=preview, kind="everyone")
    factories.RefusalTextFactory(policy=row)
    return row


@pytest.fixture
def item(live):
    return factories.ResourceFactory(url="/iiif/3/survey-1", policy=live)


def content(row: AccessPolicy, **policy: object) -> contents.Content:
    found = contents.snapshot(row)
    return {**found, "policy": {**found["policy"], **policy}}


def for_everybody(row: AccessPolicy) -> contents.Content:
    """The same policy, but that the full version is for anybody."""
    found = content(row)
    found["tiers"][0]["conditions"] = [{**found["tiers"][0]["conditions"][0], "kind": "everyone", "group": None}]
    found["tiers"][0]["services"] = []
    return found


def drafted(row: AccessPolicy, said: contents.Content | None = None, **more: object) -> PolicyDraft:
    made = drafts.begun(row, said or for_everybody(row), staff(may=permissions(*PUBLISHER)), "Agreed")
    for name, value in more.items():
        setattr(made, name, value)
    made.save()
    return made


def opened(client, *codenames: str):
    client.force_login(staff(may=permissions(*codenames)))
    return client


def url(name: str, draft: PolicyDraft) -> str:
    return reverse(f"admin:iiif_auth_{name}", args=[draft.pk])


def everything() -> list:
    rows = [AccessPolicy, Tier, Condition, RefusalText]
    return [list(model.objects.order_by("pk").values()) for model in rows]


# -- What a draft says --------------------------------------------------------------------------------------------


def test_a_draft_of_what_is_live_says_what_is_live(live):
    row = contents.rows_of(contents.snapshot(live), live)
    assert contents.value_of(row) == drafts.as_policy(drafted(live, content(live)))
    book = find_offer  # the rulebook's own value is what readers are judged by
    assert book
    from iiif_auth.store import rulebook

    assert contents.value_of(row) == rulebook().policies[live.pk]


def test_every_column_of_a_policy_is_kept(live):
    """A column that is added later is drafted too, or left out on purpose."""
    own = {field.name for field in contents.plain_fields(AccessPolicy)}
    assert own == {*contents.OWN, "slug", "is_template"}
    tier = contents.snapshot(live)["tiers"][0]
    assert set(tier) == {f.name for f in (*Tier._meta.concrete_fields, *Tier._meta.many_to_many)} - {"id", "policy"} | {
        "conditions"
    }
    columns = {field.name for field in Condition._meta.concrete_fields} - {"id", "tier"}
    assert set(tier["conditions"][0]) == columns - {"seats"}
    factories.ConditionFactory(tier=live.tiers.get(slug="preview"), kind="seat", seats=factories.SeatsFactory())
    (borrowed,) = (one for one in contents.snapshot(live)["tiers"][1]["conditions"] if one["kind"] == "seat")
    assert set(borrowed) == columns


def test_a_draft_is_judged_and_readers_are_not(live, item):
    draft = drafted(live)
    value = drafts.as_policy(draft)
    offer = find_offer(item.url)
    assert isinstance(decide(offer, NOBODY, NOON), Denied)
    levels = compared.exchanged(offer.levels, value)
    assert compared.outcome(levels, NOBODY, NOON) == (1_000_000_000, True)
    assert isinstance(decide(find_offer(item.url), NOBODY, NOON), Denied)


def test_what_is_gone_is_named(live, researchers):
    draft = drafted(live, content(live, name="Other"))
    researchers.delete()
    with pytest.raises(drafts.NotPublished, match=r"Group “Researchers” is gone\."):
        drafts.as_policy(draft)
    with pytest.raises(drafts.NotPublished):
        drafts.publish(draft, staff(may=permissions(*PUBLISHER)), "Now", anyway=True)
    live.refresh_from_db()
    assert live.name == "Survey"


# -- Publishing ---------------------------------------------------------------------------------------------------


def test_publishing_changes_what_readers_get_and_can_be_undone(live, item):
    user, before = staff(may=permissions(*PUBLISHER)), contents.snapshot(live)
    batch = drafts.publish(drafted(live), user, "Agreed with the donor")
    assert isinstance(decide(find_offer(item.url), NOBODY, NOON), Allowed)
    assert (batch.kind, batch.reason, batch.actor) == (Batch.Kind.PUBLISHED, "Agreed with the donor", user)
    assert Batch.objects.get(pk=batch.pk).state == Batch.State.DONE
    history.undo(batch, user, "Too early")
    assert contents.snapshot(AccessPolicy.objects.get()) == before
    assert isinstance(decide(find_offer(item.url), NOBODY, NOON), Denied)


def test_only_what_differs_is_written(live):
    said = content(live)
    said["tiers"][1]["max_edge"] = 800
    said["texts"] = []
    batch = drafts.publish(drafted(live, said), staff(may=permissions(*PUBLISHER)), "Larger")
    assert sorted(batch.changes.values_list("action", "model")) == [("changed", "tier"), ("deleted", "refusaltext")]
    assert Tier.objects.get(slug="preview").max_edge == 800


def test_tiers_can_be_added_taken_away_and_exchanged(live):
    said = content(live)
    said["tiers"] = [said["tiers"][1], {**said["tiers"][0], "slug": "members", "order": 7}]
    drafts.publish(drafted(live, said), staff(may=permissions(*PUBLISHER)), "Renamed")
    assert list(Tier.objects.values_list("slug", flat=True)) == ["preview", "members"]
    made = Tier.objects.get(slug="members")
    assert ([one.kind for one in made.conditions.all()], made.services.count()) == (["group"], 1)


def test_what_makes_no_sense_is_not_published_even_in_part(live):
    said, before = for_everybody(live), everything()
    said["tiers"][1]["max_edge"] = None
    draft = drafted(live, said)
    with pytest.raises(drafts.NotPublished):
        drafts.publish(draft, staff(may=permissions(*PUBLISHER)), "Now")
    assert everything() == before
    assert not Batch.objects.exists()


def test_what_was_changed_since_is_not_replaced_unless_asked(live):
    draft = drafted(live)
    Tier.objects.filter(slug="preview").update(max_edge=600)
    user = staff(may=permissions(*PUBLISHER))
    with pytest.raises(drafts.NotPublished, match="changed since"):
        drafts.publish(draft, user, "Now")
    drafts.publish(draft, user, "Now", anyway=True)
    assert Tier.objects.get(slug="preview").max_edge == 400


def test_nothing_is_published_twice(live):
    draft, user = drafted(live), staff(may=permissions(*PUBLISHER))
    drafts.publish(draft, user, "Now")
    with pytest.raises(drafts.NotPublished, match="already"):
        drafts.publish(draft, user, "Again", anyway=True)


# -- At a time ----------------------------------------------------------------------------------------------------


def test_what_is_due_is_published_by_the_daily_work_and_nothing_before(live, item):
    user, draft = staff(may=permissions(*PUBLISHER)), drafted(live)
    drafts.planned(draft, user, NOON, "From January")
    assert drafts.due(NOON - timedelta(seconds=1)) == "Published 0 drafts of policies."
    assert isinstance(decide(find_offer(item.url), NOBODY, NOON), Denied)
    assert drafts.would(NOON) == "1 draft of a policy is due."
    assert drafts.due(NOON) == "Published 1 draft of a policy."
    assert isinstance(decide(find_offer(item.url), NOBODY, NOON), Allowed)
    assert Batch.objects.get().actor == user
    assert drafts.due(NOON) == "Published 0 drafts of policies."


@pytest.mark.parametrize("lost", ["publish_policy", "every_collection", "active", "gone"])
def test_nothing_is_published_for_somebody_who_may_not_any_more(live, lost):
    user, draft = staff(may=permissions(*PUBLISHER)), drafted(live)
    drafts.planned(draft, user, NOON, "From January")
    if lost == "gone":
        user.delete()
    elif lost == "active":
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    else:
        user.user_permissions.remove(permissions(lost).get())
    before = everything()
    assert "1 could not be published" in drafts.due(NOON)
    draft.refresh_from_db()
    assert "may not publish policies any more" in draft.failed
    assert everything() == before


def test_a_broken_draft_says_why_and_does_not_keep_others_from_being_published(live, researchers):
    user, broken = staff(may=permissions(*PUBLISHER)), drafted(live, content(live, name="Broken"))
    drafts.planned(broken, user, NOON - timedelta(days=1), "Soon")
    other = factories.AccessPolicyFactory()
    good = drafted(other, content(other, name="Better"))
    drafts.planned(good, user, NOON, "Soon")
    researchers.delete()
    assert drafts.due(NOON) == "Published 1 draft of a policy. 1 could not be published."
    broken.refresh_from_db()
    assert "Group “Researchers” is gone." in broken.failed or "changed since" in broken.failed
    other.refresh_from_db()
    assert other.name == "Better"
    assert drafts.due(NOON) == "Published 0 drafts of policies."


# -- What differs, and for whom -----------------------------------------------------------------------------------


def test_what_differs_is_said_in_the_words_of_the_form(live):
    said = for_everybody(live)
    said["tiers"][1]["max_edge"] = 800
    said["policy"]["signed"] = True
    found = {
        (one.where, one.what): (one.live, one.draft) for one in compared.differences(contents.snapshot(live), said)
    }
    assert found == {
        ("Policy", "Hand out signed addresses"): ("no", "yes"),
        ("Tier “full”", "Access services"): ("Log in to Merehaven Library", ""),
        ("Tier “full”", "Conditions"): ("A group Researchers", "Everyone"),
        ("Tier “preview”", "Longest edge in pixels"): ("400", "800"),
    }


def test_who_gains_and_who_loses_is_judged_by_all_the_rules(live, item, researchers):
    """Items under a stricter policy above gain nothing, and the numbers are those of decisions one by one."""
    strict = factories.AccessPolicyFactory()
    factories.ConditionFactory(tier__policy=strict, kind="group", group=researchers)
    closed = factories.CollectionFactory(policy=strict)
    below = factories.CollectionFactory(policy=live)
    ruled = factories.CollectionFactory(policy=live)
    factories.CollectionRuleFactory(collection=ruled, pattern="/iiif/3/shelf/")
    factories.ResourceFactory(url="/iiif/3/shelf/1")
    for _number in range(3):
        factories.ResourceFactory(collection=below)
        factories.ResourceFactory(collection=closed, policy=live)
    factories.ResourceFactory()
    user = staff(may=permissions(*PUBLISHER))
    value, now = drafts.as_policy(drafted(live)), contents.value_of(contents.rows_of(contents.snapshot(live), live))
    found = {one.who: one for one in compared.lines(user, live, now, value, (), NOON)}
    public, member = found["The public"], found["A member of Researchers"]
    assert (public.better, public.same, public.opens + public.worse + public.closes) == (5, 3, 0)
    assert (member.same, member.better + member.opens) == (8, 0)
    assert (public.live, public.draft) == ("view and keep a version of at most 400 pixels", "view and keep a copy")
    assert compared.affected(user, live, now) == (8, 2)
    judged = [find_offer(row.url) for row in Resource.objects.all()]
    gains = sum(
        isinstance(decide(one, NOBODY, NOON), Denied)
        and compared.outcome(compared.exchanged(one.levels, value), NOBODY, NOON)[0] == 1_000_000_000
        for one in judged
    )
    assert gains == public.better + public.opens


def test_people_and_addresses_that_are_typed_in_are_judged_too(client, live, item, researchers):
    member = factories.UserFactory(email="ada@example.org")
    member.groups.add(researchers)
    factories.NetworkFactory(name="Reading room")
    draft = drafted(live)
    page = opened(client, *DRAFTER).get(
        url("policydraft_change", draft), {"people": "ada@example.org", "addresses": "192.0.2.5"}
    )
    lines = {one.who: one for one in page.context["lines"]}
    assert lines["ada@example.org"].live == "view and keep a copy"
    assert lines["At 192.0.2.5 (in: Reading room)"].better == 1
    assert "ada@example.org at 192.0.2.5" in lines
    wrong = client.get(url("policydraft_change", draft), {"people": "nobody-of-that-name", "addresses": "300.1.1.1"})
    assert "There is no “nobody-of-that-name”" in wrong.content.decode()
    assert "is not an address" in wrong.content.decode()


# -- The pages ----------------------------------------------------------------------------------------------------


def form_of(client, address: str) -> dict[str, list[str]]:
    page = client.get(address)
    assert page.status_code == 200
    fields = Form(page.content.decode(), "accesspolicy_form").fields
    return {name: values for name, values in fields.items() if "__prefix__" not in name}


def test_a_draft_is_written_in_the_form_of_the_policy_and_nothing_live_changes(client, live):
    before = everything()
    drafter = opened(client, *DRAFTER)
    address = reverse("admin:iiif_auth_draft_new", args=[live.pk])
    fields = form_of(drafter, address)
    assert everything() == before
    answer = drafter.post(address, {**fields, "name": "New name", "tiers-1-max_edge": "900", "tiers-0-DELETE": "on"})
    draft = PolicyDraft.objects.get()
    assert answer["Location"] == url("policydraft_change", draft)
    assert everything() == before
    assert draft.content["draft"]["policy"]["name"] == "New name"
    assert [(one["slug"], one["max_edge"]) for one in draft.content["draft"]["tiers"]] == [("preview", 900)]
    assert draft.content["base"] == contents.snapshot(live)


def test_a_draft_is_edited_again_with_what_it_says(client, live):
    said = content(live, about="Because")
    said["tiers"].append({**said["tiers"][1], "slug": "tiny", "max_edge": 100, "order": 5})
    draft, before = drafted(live, said), everything()
    drafter = opened(client, *DRAFTER)
    fields = form_of(drafter, url("draft_edit", draft))
    page = drafter.get(url("draft_edit", draft)).content.decode()
    assert "on a page of its own" not in page  # its rows are nowhere
    assert (fields["about"], fields["tiers-2-max_edge"], fields["tiers-TOTAL_FORMS"]) == (["Because"], ["100"], ["3"])
    drafter.post(url("draft_edit", draft), {**fields, "tiers-2-max_edge": "150", "texts-0-DELETE": "on"})
    draft.refresh_from_db()
    assert [one["max_edge"] for one in draft.content["draft"]["tiers"]] == [None, 400, 150]
    assert draft.content["draft"]["texts"] == []
    unchanged = form_of(drafter, url("draft_edit", draft))
    kept = draft.content["draft"]
    drafter.post(url("draft_edit", draft), unchanged)
    draft.refresh_from_db()
    assert draft.content["draft"] == kept
    assert everything() == before


def test_what_is_wrong_in_the_form_is_said_there(client, live):
    drafter, before = opened(client, *DRAFTER), everything()
    address = reverse("admin:iiif_auth_draft_new", args=[live.pk])
    page = drafter.post(address, {**form_of(drafter, address), "tiers-1-max_edge": ""})
    assert "A smaller version needs its longest edge" in page.content.decode()
    assert not PolicyDraft.objects.exists()
    assert everything() == before


def test_a_policy_being_changed_can_be_kept_as_a_draft_instead(client, live):
    keeper = opened(client, *DRAFTER, "change_accesspolicy", "view_tier", "change_tier", "add_tier", "delete_tier")
    page = keeper.get(reverse("admin:iiif_auth_accesspolicy_change", args=[live.pk])).content.decode()
    assert f'formaction="{reverse("admin:iiif_auth_draft_new", args=[live.pk])}"' in page


def test_publishing_asks_for_a_reason_and_for_what_was_changed_since(client, live):
    draft, publisher = drafted(live), opened(client, *PUBLISHER)
    assert "This field is required" in publisher.post(url("draft_publish", draft), {"now": "1"}).content.decode()
    Tier.objects.filter(slug="preview").update(max_edge=600)
    page = publisher.post(url("draft_publish", draft), {"now": "1", "reason": "Agreed"})
    assert page.status_code == 400
    assert "Look at what would be replaced" in page.content.decode()
    assert not Batch.objects.exists()
    publisher.post(url("draft_publish", draft), {"now": "1", "reason": "Agreed", "anyway": "on"})
    draft.refresh_from_db()
    assert draft.published is not None
    assert Batch.objects.get().reason == "Agreed"


def test_publishing_is_planned_and_taken_back(client, live):
    draft, publisher = drafted(live), opened(client, *PUBLISHER)
    past = publisher.post(url("draft_publish", draft), {"plan": "1", "reason": "Agreed", "at": "2020-01-01T09:00"})
    assert "a time that is still to come" in past.content.decode()
    publisher.post(url("draft_publish", draft), {"plan": "1", "reason": "Agreed", "at": "2099-01-01T09:00"})
    draft.refresh_from_db()
    assert (draft.publish_at.year, draft.reason, draft.published) == (2099, "Agreed", None)
    publisher.post(url("draft_publish", draft), {"unplan": "1"})
    draft.refresh_from_db()
    assert draft.publish_at is None


def test_what_is_overdue_stands_out_in_words(client, live):
    draft = drafted(live, publish_at=timezone.now() - timedelta(days=2))
    publisher = opened(client, *PUBLISHER)
    for address in (
        url("policydraft_change", draft),
        reverse("admin:iiif_auth_policydraft_changelist") + "?state=late",
    ):
        text = publisher.get(address).content.decode()
        assert "overdue since" in text
        assert "iiif-auth-amber" in text


# -- Who may ------------------------------------------------------------------------------------------------------


def test_who_may_write_drafts_does_not_publish_them(client, live):
    draft, drafter = drafted(live), opened(client, *DRAFTER)
    assert "Publish now" not in drafter.get(url("policydraft_change", draft)).content.decode()
    for sent in ({"now": "1", "reason": "x"}, {"plan": "1", "reason": "x", "at": "2099-01-01T09:00"}, {"unplan": "1"}):
        assert drafter.post(url("draft_publish", draft), sent).status_code == 403
    draft.refresh_from_db()
    assert (draft.published, draft.publish_at) == (None, None)


def test_who_may_look_does_not_write(client, live):
    draft, viewer = drafted(live), opened(client, "every_collection", "view_policydraft", "view_accesspolicy")
    pages = [url("draft_edit", draft), reverse("admin:iiif_auth_draft_new", args=[live.pk])]
    assert [viewer.get(one).status_code for one in pages] == [403, 403]
    assert [viewer.post(one, {}).status_code for one in pages] == [403, 403]
    assert viewer.get(url("policydraft_change", draft)).status_code == 200


def test_drafts_are_not_for_those_who_work_in_single_collections(client, live):
    draft, own = drafted(live), factories.CollectionFactory()
    client.force_login(staff((own, "manager")))
    assert client.get(url("policydraft_change", draft)).status_code == 200
    assert client.post(url("draft_publish", draft), {"now": "1", "reason": "x"}).status_code == 403
    assert client.get(url("draft_edit", draft)).status_code == 403
    assert client.get(reverse("admin:iiif_auth_draft_new", args=[live.pk])).status_code == 403


def test_looking_changes_nothing_and_publishing_is_a_post(client, live):
    draft, publisher = drafted(live), opened(client, *PUBLISHER)
    before = (everything(), list(PolicyDraft.objects.values()), Batch.objects.count())
    for address in (url("policydraft_change", draft), url("draft_edit", draft), url("draft_publish", draft)):
        publisher.get(address)
    assert (everything(), list(PolicyDraft.objects.values()), Batch.objects.count()) == before
    assert publisher.get(url("draft_publish", draft)).status_code == 405


def test_a_template_has_no_draft(client):
    template = factories.AccessPolicyFactory(is_template=True)
    assert opened(client, *PUBLISHER).get(reverse("admin:iiif_auth_draft_new", args=[template.pk])).status_code == 404


def test_the_comparison_takes_few_queries(client, live, django_assert_max_num_queries):
    for _number in range(30):
        factories.ResourceFactory(policy=live, collection=factories.CollectionFactory())
    draft, publisher = drafted(live), opened(client, *PUBLISHER)
    publisher.get(url("policydraft_change", draft))
    with django_assert_max_num_queries(30):
        publisher.get(url("policydraft_change", draft))


def test_a_person_of_the_community_is_found_by_key_and_not_by_name(live):
    """Somebody renamed is the same person; somebody else of the name is not."""
    ada = factories.UserFactory(email="ada@example.org")
    said = content(live)
    said["tiers"][0]["conditions"] = [
        {**said["tiers"][0]["conditions"][0], "kind": "user", "group": None, "user": {"id": str(ada.pk), "name": "ada"}}
    ]
    draft = drafted(live, said)
    drafts.publish(draft, staff(may=permissions(*PUBLISHER)), "Ada")
    assert Condition.objects.get(tier__slug="full").user == fresh(ada)
    assert drafts.as_policy(draft).tiers[0].audience.admits(Subject(user=str(ada.pk)))
