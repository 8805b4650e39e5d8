"""Many rows at once: asked, looked over, done, put back; and everything that is refused on the way."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from iiif_auth import bulk, history, store
from iiif_auth.models import Batch, Change, Collection, Embargo, Grant, Resource, Withdrawal
from tests import factories
from tests.admin.pages import Form
from tests.admin.test_admin_pages import act, page
from tests.admin.test_permissions import member_of_staff

pytestmark = pytest.mark.django_db

TAKEN = {"reason": "Letter", "reference": "L 3", "review_on": "2999-01-01", "text": "rights"}
MANAGER = ("view_resource", "change_resource", "view_collection", "view_accesspolicy", "view_batch", "change_batch")


@pytest.fixture
def open_policy():
    held = factories.AccessPolicyFactory(name="Open")
    factories.ConditionFactory(tier=factories.TierFactory(policy=held))
    return held


def done(client, model, name, rows, **answers):
    return act(client, model, name, rows, step="apply", count=len(rows), **{"reason": "Because", **answers})


def text(answer):
    return answer.content.decode()


# -- The pages ----------------------------------------------------------------------------------------------------


def test_everything_that_matches_is_changed_with_one_field_instead_of_a_thousand(root, open_policy):
    factories.ResourceFactory.create_batch(130)
    factories.ResourceFactory(type="Text", image_api=0)
    url = page("resource", "changelist") + "?type__exact=Image"
    first = Resource.objects.earliest("pk")
    chosen = {"action": "set_policy", "_selected_action": [first.pk], "select_across": "1"}
    asked = root.post(url, chosen)
    assert "Set the policy of 130 resources" in text(asked)
    sent = Form(text(asked)).fields | {"step": "look", "policy": open_policy.pk, "reason": "Agreement"}
    looked = root.post(url, sent)
    assert "130 will be changed." in text(looked)
    again = Form(text(looked)).fields
    assert again["_selected_action"] == [str(first.pk)]
    assert not Resource.objects.filter(policy=open_policy).exists()
    answer = root.post(url, again | {"step": "apply"}, follow=True)
    assert Resource.objects.filter(policy=open_policy).count() == 130
    batch = Batch.objects.get()
    assert (batch.state, batch.done, batch.reason) == ("done", 130, "Agreement")
    assert answer.redirect_chain[-1][0] == reverse("admin:iiif_auth_batch_change", args=[batch.pk])


def test_who_gains_and_loses_is_told_before_anything_is_done(root, open_policy):
    closed = factories.AccessPolicyFactory(name="Closed")
    rows = [*factories.ResourceFactory.create_batch(2, policy=closed), factories.ResourceFactory(policy=open_policy)]
    looked = act(root, "resource", "set_policy", rows, step="look", policy=open_policy.pk, reason="x")
    gains = {one.who: (one.opens, one.closes, one.same) for one in looked.context["gains"]}
    assert gains == {"The public": (2, 0, 0), "Anyone signed in": (2, 0, 0)}
    assert looked.context["left"] == [("They have this policy already.", 1)]
    assert looked.context["policies"] == [("Closed", 2), ("Open", 1)]
    assert not Change.objects.filter(reason="x").exists()


def test_nothing_is_done_if_what_is_chosen_has_changed_since_it_was_looked_at(root, open_policy):
    rows = factories.ResourceFactory.create_batch(2)
    answer = act(root, "resource", "set_policy", rows, step="apply", count=3, policy=open_policy.pk, reason="x")
    assert "has changed in the meantime" in text(answer)
    assert not Batch.objects.exists()


@pytest.mark.parametrize("step", ["look", "apply", "file"])
def test_without_a_reason_nothing_is_done(root, open_policy, step):
    rows = factories.ResourceFactory.create_batch(2)
    answer = act(root, "resource", "set_policy", rows, step=step, count=2, policy=open_policy.pk, reason="  ")
    assert "This field is required" in text(answer)
    assert "#id_reason" in text(answer)
    assert not Batch.objects.exists()


def test_answers_are_not_lost_when_they_are_to_be_changed(root, open_policy):
    rows = factories.ResourceFactory.create_batch(2)
    answer = act(root, "resource", "set_policy", rows, step="ask", policy=open_policy.pk, reason="Of the heirs")
    form = Form(text(answer)).fields
    assert (form["policy"], [one.strip() for one in form["reason"]]) == ([str(open_policy.pk)], ["Of the heirs"])


def test_the_dry_run_is_a_file_that_no_spreadsheet_program_evaluates(root, open_policy):
    kept = factories.ResourceFactory(policy=open_policy, label={"en": ["=1+1"]})
    free = factories.ResourceFactory()
    rows = [kept, free]
    answers = {"policy": open_policy.pk, "only_without": "yes", "reason": "x"}
    answer = act(root, "resource", "set_policy", rows, step="file", count=1, **answers)
    assert answer["Content-Type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert lines[1:] == [
        [str(kept.pk), "'=1+1", kept.url, "Open", "They have a policy of their own already."],
        [str(free.pk), str(free), free.url, "", "Set policy"],
    ]
    assert not Batch.objects.exists()


def test_looking_changes_nothing_and_takes_few_queries(root, open_policy, django_assert_max_num_queries):
    rows = factories.ResourceFactory.create_batch(60)
    before = Change.objects.count()
    store.rulebook()
    with django_assert_max_num_queries(30):
        act(root, "resource", "set_policy", rows, step="look", policy=open_policy.pk, reason="x")
    assert Change.objects.count() == before


# -- The deeds ----------------------------------------------------------------------------------------------------


def test_an_embargo_is_laid_until_the_first_minute_of_a_day(root, open_policy, settings):
    rows = factories.ResourceFactory.create_batch(2)
    done(
        root, "resource", "embargo", rows, ends="2031-05-01", closes="all", present="leave", then_policy=open_policy.pk
    )
    for held in Embargo.objects.all():
        assert timezone.localtime(held.ends).isoformat().startswith("2031-05-01T00:00:00")
        assert (held.then_policy, held.reason) == (open_policy, "Because")
    assert Embargo.objects.count() == 2


@pytest.mark.parametrize(("present", "left"), [("leave", ["old"]), ("add", ["new", "old"]), ("replace", ["new"])])
def test_what_is_under_an_embargo_already_is_left_or_gets_another_or_this_one_instead(root, present, left):
    row = factories.ResourceFactory()
    factories.EmbargoFactory(resource=row, reason="old")
    answers = {"ends": "2031-05-01", "closes": "all", "present": present, "reason": "new"}
    act(root, "resource", "embargo", [row], step="apply", count=0 if present == "leave" else 1, **answers)
    running = Embargo.objects.filter(bulk.deeds.not_over(timezone.now()))
    assert sorted(running.values_list("reason", flat=True)) == left


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"ends": "2001-05-01"}, "has come already"),
        ({"ends": "2031-05-01", "starts": "2032-01-01"}, "must come after"),
        ({"then_policy": "policy"}, "needs a day"),
    ],
)
def test_an_embargo_that_makes_no_sense_is_not_laid(root, open_policy, answers, sentence):
    row = factories.ResourceFactory()
    answers = {key: open_policy.pk if value == "policy" else value for key, value in answers.items()}
    answer = done(root, "resource", "embargo", [row], closes="all", present="leave", **answers)
    assert sentence in text(answer)
    assert not Embargo.objects.exists()


def test_access_is_granted_until_a_day_is_over_and_ended_again(root):
    rows, person = factories.ResourceFactory.create_batch(2), factories.UserFactory(username="ann")
    tomorrow = timezone.localdate() + timedelta(days=1)
    done(root, "resource", "grant", rows, user_named="ann", ends=str(tomorrow), take="on")
    assert {(row.user, row.granted_by.username, row.take) for row in Grant.objects.all()} == {(person, "root", True)}
    assert timezone.localtime(Grant.objects.first().ends).date() == tomorrow + timedelta(days=1)
    other = factories.GrantFactory(resource=rows[0])
    done(root, "resource", "end_grants", rows, user_named="ann")
    assert list(Grant.objects.filter(bulk.deeds.not_over(timezone.now()))) == [other]


def test_a_grant_is_for_one_at_a_time(root):
    factories.UserFactory(username="ann")
    factories.GroupFactory(name="Elders")
    answer = done(root, "resource", "grant", [factories.ResourceFactory()], user_named="ann", group_named="Elders")
    assert "one person, one group or one network" in text(answer)
    assert not Grant.objects.exists()


def test_withdrawing_and_restoring_many(root, open_policy):
    rows = factories.ResourceFactory.create_batch(2, policy=open_policy)
    done(root, "resource", "withdraw", rows, **TAKEN)
    held = Withdrawal.objects.all()
    assert {(row.reference, str(row.review_on), row.ends) for row in held} == {("L 3", "2999-01-01", None)}
    assert all("holder of rights" in row.note["en"][0] for row in held)
    done(root, "resource", "restore", rows)
    assert not Withdrawal.objects.filter(ends=None).exists()
    assert set(Resource.objects.values_list("policy", flat=True)) == {open_policy.pk}


@pytest.mark.parametrize("missing", ["reason", "reference", "review_on"])
def test_a_withdrawal_needs_reason_reference_and_review_date(root, missing):
    answer = done(root, "resource", "withdraw", [factories.ResourceFactory()], **{**TAKEN, missing: ""})
    assert f"#id_{missing}" in text(answer)
    assert not Withdrawal.objects.exists()


def test_moving_and_deleting_many(root):
    place = factories.CollectionFactory(slug="maps")
    rows = factories.ResourceFactory.create_batch(3)
    done(root, "resource", "move", rows[:2], collection="maps")
    assert Resource.objects.filter(collection=place).count() == 2
    done(root, "resource", "remove", rows[:2])
    assert list(Resource.objects.all()) == rows[2:]
    history.undo(Batch.objects.first(), None, "")
    assert Resource.objects.filter(collection=place).count() == 2


def test_what_is_shown_instead_of_something_is_not_deleted(root):
    row = factories.ResourceFactory()
    factories.TierFactory(gets="substitute", substitute=row)
    answer = act(root, "resource", "remove", [row], step="look", reason="x")
    assert "shown instead of something else" in text(answer)
    act(root, "resource", "remove", [row], step="apply", count=0, reason="x")
    assert Resource.objects.get() == row


def test_djangos_own_way_of_deleting_is_not_offered(root):
    row = factories.ResourceFactory()
    assert "delete_selected" not in text(root.get(page("resource", "changelist")))
    act(root, "resource", "delete_selected", [row], post="yes")
    assert Resource.objects.exists()


def test_collections_are_withdrawn_too(root):
    rows = [factories.CollectionFactory()]
    factories.ResourceFactory(collection=rows[0])
    done(root, "collection", "withdraw", rows, **TAKEN)
    assert Withdrawal.objects.get().collection == rows[0]


# -- Who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("set_policy", "change_resource"),
        ("move", "change_resource"),
        ("embargo", "add_embargo"),
        ("lift", "change_embargo"),
        ("grant", "add_grant"),
        ("end_grants", "change_grant"),
        ("withdraw", "add_withdrawal"),
        ("restore", "change_withdrawal"),
        ("remove", "delete_resource"),
    ],
)
def test_every_action_needs_its_permission(client, name, needs):
    row = factories.ResourceFactory()
    looker = member_of_staff(client, "view_resource", "view_accesspolicy")
    assert f'value="{name}"' not in text(looker.get(page("resource", "changelist")))
    answer = act(looker, "resource", name, [row])
    assert "order" not in (answer.context or {})
    holder = member_of_staff(client, "view_resource", "view_accesspolicy", needs)
    assert act(holder, "resource", name, [row]).context["order"] is not None


def delegated(client, place, *codenames, role="manager"):
    browser = member_of_staff(client, *codenames)
    user = factories.get_user_model().objects.latest("pk")
    user.user_permissions.remove(user.user_permissions.get(codename="every_collection"))
    from iiif_auth.models import Delegation

    Delegation.objects.create(collection=place, user=user, role=role)
    return browser


def test_rows_of_other_collections_are_neither_found_nor_counted(client, open_policy):
    mine, other = factories.CollectionFactory.create_batch(2)
    own = factories.ResourceFactory(collection=mine)
    foreign = factories.ResourceFactory(collection=other)
    browser = delegated(client, mine, *MANAGER)
    answers = {"step": "look", "policy": open_policy.pk, "reason": "x"}
    looked = act(browser, "resource", "set_policy", [own, foreign], **answers)
    assert (looked.context["total"], looked.context["free"]) == (1, 1)
    act(browser, "resource", "set_policy", [own, foreign], **{**answers, "step": "apply", "count": 1})
    foreign.refresh_from_db()
    own.refresh_from_db()
    assert (own.policy, foreign.policy) == (open_policy, None)


def test_nothing_is_moved_into_a_collection_of_others(client):
    mine, other = factories.CollectionFactory(slug="mine"), factories.CollectionFactory(slug="other")
    own = factories.ResourceFactory(collection=mine)
    browser = delegated(client, mine, *MANAGER)
    for place in ("other", ""):
        assert (
            act(browser, "resource", "move", [own], step="apply", count=1, collection=place, reason="x")
            .context["form"]
            .errors
        )
    own.refresh_from_db()
    assert own.collection == mine
    assert other.resources.count() == 0


# -- Withdrawing one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["resource", "collection"])
def test_one_is_withdrawn_and_restored_in_one_step_each(root, model):
    row = {"resource": factories.ResourceFactory, "collection": factories.CollectionFactory}[model]()
    url = reverse(f"admin:iiif_auth_{model}_withdraw", args=[row.pk])
    assert url in text(root.get(page(model, "changelist")))
    assert url in text(root.get(page(model, "change", row.pk)))
    assert root.get(url).status_code == 200
    assert not Withdrawal.objects.exists()
    assert root.post(url, {"step": "apply", **TAKEN}).status_code == 302
    assert getattr(Withdrawal.objects.get(), model) == row
    back = reverse(f"admin:iiif_auth_{model}_restore", args=[row.pk])
    assert back in text(root.get(page(model, "change", row.pk)))
    root.post(back, {"step": "apply", "reason": "Cleared up"})
    assert Withdrawal.objects.get().ends is not None
    assert Change.objects.filter(model="withdrawal", reason="Cleared up", action="changed").exists()


def test_only_those_who_may_withdraw_it_reach_the_page(client):
    mine, other = factories.CollectionFactory.create_batch(2)
    own, foreign = factories.ResourceFactory(collection=mine), factories.ResourceFactory(collection=other)
    url = "admin:iiif_auth_resource_withdraw"
    assert client.get(reverse(url, args=[own.pk])).status_code == 302
    assert (
        member_of_staff(client, *MANAGER).post(reverse(url, args=[own.pk]), {"step": "apply", **TAKEN}).status_code
        == 403
    )
    browser = delegated(client, mine, *MANAGER, "add_withdrawal")
    assert browser.post(reverse(url, args=[foreign.pk]), {"step": "apply", **TAKEN}).status_code == 302
    assert not Withdrawal.objects.exists()
    browser.post(reverse(url, args=[own.pk]), {"step": "apply", **TAKEN})
    assert Withdrawal.objects.get().resource == own


# -- Jobs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """Jobs of a few rows."""
    monkeypatch.setattr(bulk.running, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(bulk.running, "CHUNK", 2)


def test_more_than_fit_into_a_transaction_become_a_job_that_can_be_watched(root, open_policy, few, capsys):
    rows = factories.ResourceFactory.create_batch(5)
    done(root, "resource", "set_policy", rows, policy=open_policy.pk)
    batch = Batch.objects.get()
    assert (batch.state, batch.total, batch.done) == ("waiting", 5, 0)
    assert not Resource.objects.filter(policy=open_policy).exists()
    watched = text(root.get(reverse("admin:iiif_auth_batch_change", args=[batch.pk])))
    assert 'http-equiv="refresh"' in watched
    assert '<progress id="iiif-auth-progress" max="5" value="0">' in watched
    call_command("iiif_auth_batch")
    assert f"{batch.pk}: Set the policy of 5 resources, 0 of 5 rows, waiting" in capsys.readouterr().out
    call_command("iiif_auth_batch", "--run")
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.said) == ("done", 5, "5 were changed.")
    assert Change.objects.filter(batch=batch, actor__username="root", reason="Because").count() == 5
    assert f"{batch.pk}: 4 of 5 rows" in capsys.readouterr().out
    history.undo(batch, None, "")
    assert not Resource.objects.filter(policy=open_policy).exists()


def test_a_job_killed_between_two_pieces_goes_on_where_it_was(root, open_policy, few, monkeypatch):
    rows = factories.ResourceFactory.create_batch(5)
    done(root, "resource", "set_policy", rows, policy=open_policy.pk)
    batch = bulk.continued(Batch.objects.get())
    assert (batch.done, Resource.objects.filter(policy=open_policy).count()) == (2, 2)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(Batch, "save", killed)  # after the rows, before the note: both are taken back
        with pytest.raises(KeyboardInterrupt):
            bulk.continued(batch)
    batch.refresh_from_db()
    assert (batch.done, Resource.objects.filter(policy=open_policy).count()) == (2, 2)
    call_command("iiif_auth_batch", "--run", verbosity=0)
    assert Resource.objects.filter(policy=open_policy).count() == 5
    assert Change.objects.filter(batch=batch).count() == 5


def test_a_job_of_somebody_who_lost_the_permission_fails(client, open_policy, few):
    rows = factories.ResourceFactory.create_batch(5)
    done(member_of_staff(client, *MANAGER), "resource", "set_policy", rows, policy=open_policy.pk)
    factories.get_user_model().objects.latest("pk").user_permissions.clear()
    call_command("iiif_auth_batch", "--run", verbosity=0)
    batch = Batch.objects.get()
    assert (batch.state, batch.said) == ("failed", "Whoever ordered this may not do it, or no longer.")
    assert not Resource.objects.filter(policy=open_policy).exists()


def test_a_job_leaves_what_went_out_of_reach(client, open_policy, few):
    mine, other = factories.CollectionFactory.create_batch(2)
    rows = factories.ResourceFactory.create_batch(5, collection=mine)
    done(delegated(client, mine, *MANAGER), "resource", "set_policy", rows, policy=open_policy.pk)
    Resource.objects.filter(pk=rows[3].pk).update(collection=other)
    call_command("iiif_auth_batch", "--run", verbosity=0)
    assert Batch.objects.get().said == "4 were changed. 1 was left as it was."
    assert set(Resource.objects.filter(policy=None)) == {rows[3]}


def test_a_job_can_be_stopped_and_put_back(root, open_policy, few):
    rows = factories.ResourceFactory.create_batch(5)
    done(root, "resource", "set_policy", rows, policy=open_policy.pk)
    batch = bulk.continued(Batch.objects.get())
    url = reverse("admin:iiif_auth_batch_stop", args=[batch.pk])
    assert root.get(url).status_code == 403
    root.post(url)
    call_command("iiif_auth_batch", "--run", verbosity=0)
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.said) == ("failed", 2, "Stopped by root.")
    root.post(reverse("admin:iiif_auth_batch_undo", args=[batch.pk]), {"reason": "x"})
    assert not Resource.objects.filter(policy=open_policy).exists()


def test_a_large_batch_is_put_back_as_a_job(root, open_policy, few):
    rows = factories.ResourceFactory.create_batch(5)
    done(root, "resource", "set_policy", rows, policy=open_policy.pk)
    call_command("iiif_auth_batch", "--run", verbosity=0)
    batch = Batch.objects.get()
    made = history.undo_later(batch, None, "Mistake")
    assert made.state == "waiting"
    call_command("iiif_auth_batch", "--run", verbosity=0)
    made.refresh_from_db()
    assert (made.state, made.undoes, made.done) == ("done", batch, 5)
    assert not Resource.objects.filter(policy=open_policy).exists()


def test_keys_are_kept_as_runs():
    keys = [3, 1, 2, 9, 10, 20]
    assert bulk.running.runs(keys) == [[1, 3], [9, 10], [20, 20]]
    parts = [bulk.running.part_of([[1, 3], [9, 10], [20, 20]], start, 4) for start in (0, 4)]
    assert parts == [[1, 2, 3, 9], [10, 20]]


@pytest.mark.parametrize(
    "deed", [bulk.Withdraw("r", "f", "2999-01-01", {"en": ["x"]}), bulk.Give(group=3), bulk.Lift()]
)
def test_a_deed_comes_back_from_its_plan(deed):
    assert bulk.deed_of(deed.plan()) == deed


# -- Filters --------------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_what_governs_it(root, open_policy):
    held = factories.CollectionFactory(policy=open_policy)
    inner = Collection.objects.create(slug="inner", label={"en": ["Inner"]}, parent=held)
    own = factories.ResourceFactory(policy=open_policy)
    above = factories.ResourceFactory(collection=inner)
    alone = factories.ResourceFactory()
    embargoed = factories.EmbargoFactory(resource=own, ends=timezone.now() + timedelta(days=3)).resource
    granted = factories.GrantFactory(resource=above, ends=timezone.now() + timedelta(days=20)).resource
    with history.by(factories.UserFactory(username="tomas")) as author:
        history.updated(Resource.objects.filter(pk=alone.pk), remarks="x")
    for query, found in (
        ("governed=own", {own}),
        ("governed=above", {above}),
        ("governed=not", {alone}),
        ("state=closed", {embargoed}),
        ("state=granted", {granted}),
        ("state=nothing", {alone}),
        ("soon=opens-7", {embargoed}),
        ("soon=ends-7", set()),
        ("soon=ends-30", {granted}),
        (f"changed_by={author.user.pk}", {alone}),
    ):
        answer = root.get(f"{page('resource', 'changelist')}?{query}")
        assert set(answer.context["cl"].result_list) == found, query
