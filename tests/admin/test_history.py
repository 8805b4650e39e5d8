"""The history in the admin: read by those who may, put back by those who might have done it, changed by nobody."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse

from iiif_auth import history, placing, roles
from iiif_auth.admin import putting_back
from iiif_auth.models import Batch, Change, Delegation, Resource, Withdrawal
from tests import factories
from tests.admin.pages import Form
from tests.admin.test_admin_pages import page
from tests.admin.test_permissions import member_of_staff

pytestmark = pytest.mark.django_db


def text(answer):
    return answer.content.decode()


@pytest.fixture
def rita():
    return factories.UserFactory(username="rita")


@pytest.fixture
def change(rita):
    """That the remarks of an item were changed."""
    row = factories.ResourceFactory(remarks="before", collection=factories.CollectionFactory())
    with history.by(rita, reason="A slip", network="192.0.2.77"):
        history.updated(Resource.objects.filter(pk=row.pk), remarks="after")
    return Change.objects.order_by("pk").last()


@pytest.fixture
def batch(rita):
    rows = factories.ResourceFactory.create_batch(3, remarks="before", collection=factories.CollectionFactory())
    made = history.begun(Batch.Kind.BULK, rita, "Remarks on 3", "Agreement")
    with history.by(rita, batch=made, reason="Agreement"):
        history.updated(Resource.objects.filter(pk__in=[row.pk for row in rows]), remarks="after")
    history.ended(made, "3 were changed.")
    return made


def of_the_place(client, row, *codenames):
    """Somebody who works in the collection of this change only."""
    browser = member_of_staff(client, *codenames)
    user = factories.get_user_model().objects.latest("pk")
    user.user_permissions.remove(user.user_permissions.get(codename="every_collection"))
    Delegation.objects.create(collection_id=row, user=user, role="manager")
    return browser


def revert(change):
    return reverse("admin:iiif_auth_change_revert", args=[change.pk])


def undo(batch):
    return reverse("admin:iiif_auth_batch_undo", args=[batch.pk])


def test_a_change_is_told_in_words(root, change):
    listed = text(root.get(page("change", "changelist")))
    assert "Remarks: before → after" in listed
    said = text(root.get(page("change", "change", change.pk)))
    for part in ("rita", "192.0.2.0/24", "A slip", "<td>before</td><td>after</td>", "Remarks"):
        assert part in said


def test_the_list_is_searched_and_filtered(root, change, rita):
    factories.NetworkFactory()
    for query in ("q=slip", f"actor={rita.pk}", "kind=resource&action__exact=changed", f"place={change.collection}"):
        found = root.get(f"{page('change', 'changelist')}?{query}").context["cl"].result_list
        assert change in found, query
        assert not [one for one in found if one.model == "network"]


@pytest.mark.parametrize("model", ["change", "batch"])
def test_nobody_adds_to_the_history_or_takes_from_it(root, change, batch, model):
    row = {"change": change, "batch": batch}[model]
    before = Change.objects.values_list().order_by("pk")[0]
    assert root.get(page(model, "add")).status_code == 403
    assert root.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert root.post(page(model, "change", row.pk), {"reason": "other"}).status_code == 403
    assert Change.objects.values_list().order_by("pk")[0] == before


def test_a_change_made_in_the_admin_is_the_persons(root):
    row = factories.NetworkFactory()
    form = {"name": "Elsewhere", "slug": row.slug, "prefixes": "192.0.2.0/28"}
    root.post(page("network", "change", row.pk), form, REMOTE_ADDR="198.51.100.77")
    change = Change.objects.order_by("pk").last()
    assert (change.actor_name, change.network, change.after) == ("root", "198.51.100.0/24", {"name": "Elsewhere"})


def test_the_history_of_a_row_shows_before_and_after(root, change):
    url = reverse("admin:iiif_auth_resource_history", args=[change.row])
    said = text(root.get(url))
    assert "<del>before</del>" in said
    assert page("change", "change", change.pk) in said


def test_the_history_of_a_row_shows_what_was_laid_over_it(root, rita):
    row, other = factories.ResourceFactory.create_batch(2)
    with history.by(rita, reason="A complaint."):
        Withdrawal.objects.create(resource=row)
    with history.by(rita, reason="About another."):
        Withdrawal.objects.create(resource=other)
    answer = text(root.get(reverse("admin:iiif_auth_resource_history", args=[row.pk])))
    assert "Withdrawal: Added" in answer
    assert "A complaint." in answer
    assert "About another." not in answer


def test_the_history_of_a_row_is_kept_from_those_who_may_not_read_it(client, change):
    url = reverse("admin:iiif_auth_resource_history", args=[change.row])
    assert "<del>before</del>" not in text(member_of_staff(client, "view_resource").get(url))
    assert "<del>before</del>" in text(member_of_staff(client, "view_resource", "view_change").get(url))


# -- One change -----------------------------------------------------------------------------------------------------


def test_a_change_is_reverted_with_a_reason(root, change):
    assert root.get(revert(change)).status_code == 200
    assert "This field is required" in text(root.post(revert(change), {"reason": ""}))
    assert Resource.objects.get(pk=change.row).remarks == "after"
    root.post(revert(change), {"reason": "It was right"})
    assert Resource.objects.get(pk=change.row).remarks == "before"
    assert Change.objects.order_by("pk").last().reason == "It was right"


def test_a_change_that_something_was_built_on_is_not_reverted_and_that_is_said(root, change):
    history.updated(Resource.objects.filter(pk=change.row), remarks="later")
    assert "was changed since: remarks" in text(root.get(page("change", "change", change.pk)))
    answer = root.post(revert(change), {"reason": "x"}, follow=True)
    assert "was changed since: remarks" in text(answer)
    assert Resource.objects.get(pk=change.row).remarks == "later"


def test_reverting_needs_the_permission_for_the_opposite(client, change):
    assert client.post(revert(change), {"reason": "x"}).status_code == 302  # to the log-in page
    for codenames in (("view_change",), ("view_change", "view_resource"), ("change_resource",)):
        assert member_of_staff(client, *codenames).post(revert(change), {"reason": "x"}).status_code == 403
    assert Resource.objects.get(pk=change.row).remarks == "after"
    member_of_staff(client, "view_change", "change_resource").post(revert(change), {"reason": "x"})
    assert Resource.objects.get(pk=change.row).remarks == "before"


def test_reverting_stays_within_ones_collections(client, change):
    codenames = ("view_change", "change_resource", "view_resource")
    elsewhere = of_the_place(client, factories.CollectionFactory().pk, *codenames)
    assert change not in elsewhere.get(page("change", "changelist")).context["cl"].result_list
    assert elsewhere.post(revert(change), {"reason": "x"}).status_code in (302, 403)
    assert Resource.objects.get(pk=change.row).remarks == "after"
    of_the_place(client, change.collection, *codenames).post(revert(change), {"reason": "x"})
    assert Resource.objects.get(pk=change.row).remarks == "before"


def test_what_replaces_the_policies_above_is_put_back_only_by_those_who_may_loosen(client):
    first, second = factories.AccessPolicyFactory.create_batch(2)
    row = factories.ResourceFactory(policy=first, overrides=True)
    history.updated(Resource.objects.filter(pk=row.pk), policy=second)
    change = Change.objects.order_by("pk").last()
    codenames = ("view_change", "change_resource")
    assert member_of_staff(client, *codenames).post(revert(change), {"reason": "x"}).status_code == 403
    member_of_staff(client, *codenames, "loosen_policy").post(revert(change), {"reason": "x"})
    row.refresh_from_db()
    assert row.policy == first


# -- Batches --------------------------------------------------------------------------------------------------------


def test_a_batch_is_shown_with_its_rows_and_a_receipt(root, batch):
    said = text(root.get(page("batch", "change", batch.pk)))
    for part in ("3 were changed.", "Agreement", "rita", "3 changed rows", "<del>before</del>", undo(batch)):
        assert part in said
    answer = root.get(reverse("admin:iiif_auth_batch_receipt", args=[batch.pk]))
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert len(lines) == 4
    assert lines[1][5:] == ["Changed", "Remarks", "before", "after"]


def test_a_batch_is_put_back_after_saying_what_will_not_be(root, batch, rita):
    row = Resource.objects.latest("pk")
    history.updated(Resource.objects.filter(pk=row.pk), remarks="later")
    asked = root.get(undo(batch))
    assert "2 rows will be as they were before" in text(asked)
    assert f"“{row}” was changed since: remarks." in text(asked).replace("&amp;", "&")
    assert Batch.objects.count() == 1
    root.post(undo(batch), Form(text(asked)).fields | {"reason": "Mistake"})
    assert sorted(Resource.objects.values_list("remarks", flat=True)) == ["before", "before", "later"]
    made = Batch.objects.get(kind="undo")
    assert (made.actor_name, made.reason, made.undoes) == ("root", "Mistake", batch)
    assert "already" in text(root.get(undo(batch), follow=True))


def test_putting_back_a_batch_needs_its_permissions_everywhere_in_it(client, batch):
    place = Change.objects.filter(batch=batch).first().collection
    enough = ("view_batch", "change_batch", "view_change", "change_resource", "view_resource")
    for lacking in ("change_batch", "change_resource"):
        codenames = [one for one in enough if one != lacking]
        assert member_of_staff(client, *codenames).post(undo(batch), {"reason": "x"}).status_code == 403
    other = factories.CollectionFactory()
    assert of_the_place(client, other.pk, *enough).post(undo(batch), {"reason": "x"}).status_code in (302, 403, 404)
    assert not Resource.objects.filter(remarks="before").exists()
    member_of_staff(client, *enough).post(undo(batch), {"reason": "x"})
    assert Resource.objects.filter(remarks="before", collection=place).count() == 3


def test_pages_of_the_history_do_not_grow_with_it(root, rita, django_assert_max_num_queries):
    rows = factories.ResourceFactory.create_batch(120)
    made = history.begun(Batch.Kind.BULK, rita, "Many", "x")
    with history.by(rita, batch=made):
        history.updated(Resource.objects.filter(pk__in=[row.pk for row in rows]), remarks="after")
    history.ended(made, "Done.")
    for url in (page("change", "changelist"), page("batch", "changelist"), page("batch", "change", made.pk)):
        with django_assert_max_num_queries(30):
            assert len(root.get(url).content) < 500_000
    assert "Page 1 of 2" in text(root.get(page("batch", "change", made.pk)))


# -- Batches over several collections -------------------------------------------------------------------------------

ENOUGH = ("view_batch", "change_batch", "view_change", "change_resource", "view_resource")


def mixed(actor=None):
    """A batch that changed a row in each of two collections."""
    rows = [factories.ResourceFactory(remarks="before", collection=factories.CollectionFactory()) for _ in range(2)]
    made = history.begun(Batch.Kind.BULK, actor, "Remarks on 2", "Agreement")
    with history.by(actor, batch=made, reason="Agreement"):
        history.updated(Resource.objects.filter(pk__in=[row.pk for row in rows]), remarks="after")
    history.ended(made, "2 were changed.")
    return made, rows


def remarks():
    return sorted(Resource.objects.values_list("remarks", flat=True))


def test_a_batch_that_touched_another_collection_is_neither_shown_nor_put_back(client):
    batch, (mine, _theirs) = mixed()
    browser = of_the_place(client, mine.collection_id, *ENOUGH)
    for name in ("undo", "receipt", "stop"):
        url = reverse(f"admin:iiif_auth_batch_{name}", args=[batch.pk])
        assert browser.get(url).status_code == 403
        assert browser.post(url, {"reason": "x"}).status_code == 403
    assert batch not in browser.get(page("batch", "changelist")).context["cl"].result_list
    assert remarks() == ["after", "after"]


def test_ones_own_batch_is_not_put_back_where_one_may_no_longer_change_all_of_it(client):
    """They did it when both collections were theirs; now one of them is."""
    browser = of_the_place(client, factories.CollectionFactory().pk, *ENOUGH)
    batch, (mine, _theirs) = mixed(factories.get_user_model().objects.latest("pk"))
    Delegation.objects.update(collection=mine.collection_id)
    assert "2 changed rows" in text(browser.get(page("batch", "change", batch.pk)))
    assert browser.get(undo(batch)).status_code == 403
    assert browser.post(undo(batch), {"reason": "x"}).status_code == 403
    assert remarks() == ["after", "after"]
    both = factories.get_user_model().objects.latest("pk")
    Delegation.objects.create(collection=_theirs.collection, user=both, role="manager")
    assert browser.post(undo(batch), {"reason": "x"}).status_code == 302
    assert remarks() == ["before", "before"]


def test_a_viewer_of_the_other_collection_sees_the_batch_and_puts_nothing_back(client):
    batch, (mine, theirs) = mixed()
    browser = of_the_place(client, mine.collection_id, *ENOUGH)
    viewer = factories.get_user_model().objects.latest("pk")
    Delegation.objects.create(collection=theirs.collection, user=viewer, role="viewer")
    assert browser.get(page("batch", "change", batch.pk)).status_code == 200
    assert browser.post(undo(batch), {"reason": "x"}).status_code == 403
    revertible = {one.row: one for one in batch.changes.all()}
    assert browser.post(revert(revertible[theirs.pk]), {"reason": "x"}).status_code == 403
    assert remarks() == ["after", "after"]
    assert browser.post(revert(revertible[mine.pk]), {"reason": "x"}).status_code == 302
    assert remarks() == ["after", "before"]


# -- Twins that are broken on purpose, each of which a test above must notice ---------------------------------------


def test_it_is_noticed_where_batches_of_other_collections_are_found(client, monkeypatch):
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    with pytest.raises(AssertionError):
        test_a_batch_that_touched_another_collection_is_neither_shown_nor_put_back(client)


@pytest.mark.parametrize(
    "test",
    [
        test_ones_own_batch_is_not_put_back_where_one_may_no_longer_change_all_of_it,
        test_a_viewer_of_the_other_collection_sees_the_batch_and_puts_nothing_back,
    ],
)
def test_it_is_noticed_where_it_is_enough_to_be_allowed_some_of_it(client, monkeypatch, test):
    """The permission is asked of each kind of change in each collection; a twin is content with one of them."""
    monkeypatch.setattr(putting_back, "all", any, raising=False)
    monkeypatch.setattr(putting_back.roles, "visible", careless_of_changes(roles.visible))
    with pytest.raises(AssertionError, match=r"(200|302) == 403"):
        test(client)


def careless_of_changes(visible):
    return lambda user, rows: rows if rows.model is Change else visible(user, rows)


def test_it_is_noticed_where_a_change_elsewhere_is_reverted(client, change, monkeypatch):
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    monkeypatch.setattr(roles, "may", lambda user, permission, row: user.has_perm(permission))
    with pytest.raises(AssertionError):
        test_reverting_stays_within_ones_collections(client, change)


def test_it_is_noticed_where_loosening_is_not_asked_about(client, monkeypatch):
    monkeypatch.setattr(putting_back, "_loosens", lambda changes: False)
    with pytest.raises(AssertionError, match="302 == 403"):
        test_what_replaces_the_policies_above_is_put_back_only_by_those_who_may_loosen(client)
