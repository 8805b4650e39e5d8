"""Each role at each door of the admin: what is in another collection is not found, not counted, and not changed."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from iiif_auth import models, placing, roles
from iiif_auth.admin.scope import Scoped, ScopedInline
from tests import factories
from tests.admin.pages import sent_back
from tests.roles import doors
from tests.roles.people import fresh, permissions, staff
from tests.roles.rows import rows_about

pytestmark = pytest.mark.django_db

ROLES = ("viewer", "desk", "manager")
OWN, OTHER = "mark-own", "mark-other"


@pytest.fixture
def own():
    factories.NetworkFactory()
    factories.AccessServiceFactory()
    return rows_about(
        factories.CollectionFactory(slug=OWN, label={"en": [OWN]}, policy=factories.AccessPolicyFactory())
    )


def foreign() -> list:
    rows = rows_about(
        factories.CollectionFactory(slug=OTHER, label={"en": [OTHER]}, policy=models.AccessPolicy.objects.get())
    )
    inside = factories.CollectionFactory(slug=f"{OTHER}-part", parent=rows[0])
    factories.ResourceFactory(url="/iiif/3/loose-mark-other", label={"en": [OTHER]})
    return [*rows, inside]


def browser(client, own: list, role: str):
    """Somebody with every permission there is but those to work everywhere and to find what is hidden, and with a role."""
    client.force_login(staff((own[0], role), username=f"{role}-1"))
    client.raise_request_exception = True
    return client


def seen(client, urls: list[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for url in urls:
        answer = client.get(url)
        found[url] = (answer.status_code, doors.text(answer))
    return found


def differing(before: dict, after: dict) -> list[str]:
    return [url for url in before if before[url] != after[url]]


def told(client) -> dict[str, object]:
    """What the pickers offer, and how many they say there are."""
    return {json.dumps(asked): client.get(reverse("admin:autocomplete"), asked).content for asked in doors.pickers()}


def stored(rows: list) -> list:
    return [list(type(row)._default_manager.filter(pk=row.pk).values()) for row in rows]


# -- Lists, searches, counts, pickers -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_no_list_picker_or_page_tells_that_there_is_anything_in_another_collection(client, own, role):
    """The same pages, letter by letter, whether the other collection is there or not."""
    user = browser(client, own, role)
    # Searched lists and pickers do not ask for the role, so the strongest stands for all of them.
    urls = [url for url in doors.lists() if role == "manager" or "?" not in url]
    before, offered = seen(user, urls), told(user)
    foreign()
    after = seen(user, urls)
    assert differing(before, after) == []
    assert told(user) == offered
    assert not [url for url, (_status, page) in after.items() if OTHER in page]
    assert [url for url, (status, _page) in after.items() if status >= 500] == []
    assert OWN in after[reverse("admin:iiif_auth_resource_changelist")][1]


def test_and_this_is_noticed_where_roles_are_not_asked(client, own, monkeypatch):
    """The same test with a twin that finds everything: nearly every list and picker tells."""
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    user = browser(client, own, "manager")
    urls = [url for url in doors.lists() if url.endswith("/") or "_facets" in url]
    before, offered = seen(user, urls), told(user)
    foreign()
    told_by = set(differing(before, seen(user, urls)))
    for name in ("resource", "collection", "embargo", "withdrawal", "grant", "delegation"):
        assert reverse(f"admin:iiif_auth_{name}_changelist") in told_by, name
    assert told(user) != offered


# -- Pages about a row --------------------------------------------------------------------------------------------


def refused(client, rows: list) -> list[str]:
    """The pages about these rows that are answered otherwise than with a no, or that say anything of them."""
    wrong = []
    for url in doors.pages(rows):
        for ask in (client.get, confirmed(client)):
            answer = ask(url)
            home = answer.status_code == 302 and answer["Location"] in (reverse("admin:index"), *LISTS())
            if not (home or answer.status_code in (403, 404, 405) or is_of_no_row(ask, url)):
                wrong.append(f"{answer.status_code} {url}")
            elif OTHER in doors.text(answer):
                wrong.append(f"tells {url}")
    return wrong


def confirmed(client):
    """A POST that says yes to whatever a page asks."""
    return lambda url: client.post(url, {"post": "yes", "reason": "x", "answered": "yes"})


def is_of_no_row(ask, url: str) -> bool:
    """Whether a page is the same for a row that does not exist: it is about something else."""
    nowhere = re.sub(r"/\d+/", "/987654/", url)
    # Asked again, since the first page shows the messages of those before.
    return doors.text(ask(nowhere)).replace(nowhere, "N") == doors.text(ask(url)).replace(url, "N")


def LISTS() -> set[str]:  # noqa: N802
    return {reverse(f"admin:{name}") for _model, name, arguments in doors.patterns() if not arguments}


@pytest.mark.parametrize("role", ROLES)
def test_no_page_about_a_row_of_another_collection_opens_or_changes_anything(client, own, role):
    others = foreign()
    user, before = browser(client, own, role), stored(others)
    assert len(doors.pages(others)) > 30
    assert refused(user, others) == []
    assert stored(others) == before


def test_and_this_is_noticed_where_every_row_is_anybodys(client, own, monkeypatch):
    others = foreign()
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    monkeypatch.setattr(roles, "may", lambda user, permission, row: user.has_perm(permission))
    wrong = refused(browser(client, own, "manager"), others)
    assert len(wrong) > 20


def test_what_does_not_exist_is_answered_like_what_is_others(client, own):
    others = foreign()
    user = browser(client, own, "manager")
    for row in others[:6]:
        for name in ("change", "delete", "history"):
            view = f"admin:iiif_auth_{row._meta.model_name}_{name}"
            try:
                urls = [reverse(view, args=[key]) for key in (row.pk, 987654)]
            except NoReverseMatch:
                continue
            there, nowhere = (user.get(url, follow=True) for url in urls)
            texts = [doors.text(one).replace(f"“{key}”", "N") for one, key in ((there, row.pk), (nowhere, 987654))]
            assert there.status_code == nowhere.status_code
            assert re.sub(r"\s+", "", texts[0]) == re.sub(r"\s+", "", texts[1]), (row, name)


@pytest.mark.parametrize("role", ROLES)
def test_ones_own_pages_open_without_a_fault(client, own, role):
    user = browser(client, own, role)
    answers = {url: user.get(url).status_code for url in doors.pages(own)}
    assert [url for url, status in answers.items() if status >= 500] == []
    assert answers[reverse("admin:iiif_auth_resource_change", args=[own[1].pk])] == 200


def test_every_admin_class_of_ours_asks():
    """Also the inlines: whoever writes a new one on Django's own classes is told here."""
    for model, model_admin in doors.ours().items():
        assert isinstance(model_admin, Scoped), model
        assert all(issubclass(inline, ScopedInline) for inline in model_admin.inlines), model


# -- Actions ------------------------------------------------------------------------------------------------------

ANSWERS = {
    "step": "apply",
    "answered": "yes",
    "confirm": "yes",
    "apply": "yes",
    "post": "yes",
    "reason": "x",
    "reference": "x",
    "until": "2099-01-01",
}


def acted(client, rows: list) -> list:
    """Try every action of every list on these rows and on “all”, with likely answers to what it asks."""
    before = stored(rows)
    for model, model_admin in doors.ours().items():
        keys = [row.pk for row in rows if type(row) is model]
        request = client.get(reverse("admin:index")).wsgi_request
        request.GET = {}
        for name in model_admin.get_actions(request):
            for across in ("0", "1"):
                sent = {"action": name, "_selected_action": keys, "select_across": across, "index": "0", **ANSWERS}
                client.post(reverse(f"admin:iiif_auth_{model._meta.model_name}_changelist"), sent)
    return [row for row, one, other in zip(rows, before, stored(rows), strict=True) if one != other]


@pytest.mark.parametrize("role", ROLES)
def test_no_action_touches_a_row_of_another_collection(client, own, role):
    others = foreign()
    assert acted(browser(client, own, role), others) == []


def test_and_this_is_noticed_where_actions_take_what_they_get(client, own, monkeypatch):
    others = foreign()
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    monkeypatch.setattr(roles, "may", lambda user, permission, row: user.has_perm(permission))
    assert acted(browser(client, own, "manager"), others)


def test_every_permission_that_an_action_asks_for_is_one_that_a_role_can_have():
    """An action whose permission nobody could use at a row would do nothing for those who work in single collections."""
    known = {f"iiif_auth.{name}" for name in roles.MANAGE}
    for model, model_admin in doors.ours().items():
        if model._meta.model_name in placing.SHARED:
            continue
        for action in model_admin.actions or ():
            function = getattr(model_admin, action) if isinstance(action, str) else action
            for name in getattr(function, "allowed_permissions", ()):
                needed = model_admin._of_action(name)
                assert needed in known or name in ("view", "delete"), (model, name, needed)


@pytest.mark.parametrize("names", [["withdraw"], ["delete_selected"], ["withdraw", "delete_selected"]])
def test_actions_touch_only_what_the_role_lets_one_do_however_they_are_named(client, own, names):
    """A viewer of one collection and manager of another has the action, and not for what they may only look at."""
    others = foreign()
    user = staff((own[0], "manager"), (others[0], "viewer"))
    client.force_login(user)
    sent = {
        "action": names,
        "_selected_action": [others[1].pk],
        "index": str(len(names) - 1),
        **ANSWERS,
        "review_on": "2099-01-01",
    }
    client.post(reverse("admin:iiif_auth_resource_changelist"), sent)
    assert models.Resource.objects.filter(pk=others[1].pk).exists()
    assert not models.Withdrawal.objects.filter(resource=others[1]).exists()


# -- Forms --------------------------------------------------------------------------------------------------------


def change(row) -> str:
    return reverse(f"admin:iiif_auth_{row._meta.model_name}_change", args=[row.pk])


def test_nobody_moves_a_resource_into_or_out_of_another_collection(client, own):
    others, user = foreign(), browser(client, own, "manager")
    fields = sent_back(user.get(change(own[1])), "resource")
    page = user.post(change(own[1]), {**fields, "collection": others[0].pk})
    assert "Select a valid choice" in page.content.decode()
    page = user.post(change(own[1]), {**fields, "collection": ""})
    assert "outside of yours" in page.content.decode()
    assert models.Resource.objects.get(pk=own[1].pk).collection_id == own[0].pk
    moved = factories.CollectionFactory(parent=own[0])
    client.force_login(fresh(models.Delegation.objects.get(role="manager").user))
    assert client.post(change(own[1]), {**fields, "collection": moved.pk}).status_code == 302


def test_nobody_gives_access_to_what_is_anothers(client, own):
    others, user = foreign(), browser(client, own, "desk")
    add = reverse("admin:iiif_auth_grant_add")
    person = factories.UserFactory(email="reader@example.org")
    sent = {"user": "reader@example.org", "take": "on", "reason": "x"}
    count = models.Grant.objects.count()
    for target in (
        {"resource": others[1].pk},
        {"collection": others[0].pk},
        {"policy": models.AccessPolicy.objects.get().pk},
    ):
        assert user.post(add, {**sent, **target}).status_code == 200
    assert models.Grant.objects.count() == count
    assert user.post(add, {**sent, "resource": own[1].pk}).status_code == 302
    assert models.Grant.objects.filter(user=person).count() == 1


def test_a_grant_is_no_longer_than_the_delegation_says(client, own):
    models.Delegation.objects.all().delete()
    client.force_login(staff((own[0], "desk"), most_days=7))
    factories.UserFactory(email="reader@example.org")
    add, sent = (
        reverse("admin:iiif_auth_grant_add"),
        {"user": "reader@example.org", "take": "on", "resource": own[1].pk},
    )
    for ends in (None, timezone.now() + timedelta(days=9)):
        when = {} if ends is None else {"ends_0": ends.strftime("%Y-%m-%d"), "ends_1": "12:00"}
        page = client.post(add, {**sent, **when})
        assert "for 7 days at most" in page.content.decode()
    soon = timezone.now() + timedelta(days=5)
    assert client.post(add, {**sent, "ends_0": soon.strftime("%Y-%m-%d"), "ends_1": "12:00"}).status_code == 302
    long = models.Grant.objects.get(pk=own[5].pk)
    fields = sent_back(client.get(change(long)), "grant")
    assert client.post(change(long), {**fields, "reason": "Another word"}).status_code == 302
    assert "for 7 days at most" in client.post(change(long), {**fields, "tier": "preview"}).content.decode()


def test_nor_in_the_lines_below_a_resource(client, own):
    models.Delegation.objects.all().delete()
    client.force_login(staff((own[0], "manager"), most_days=7))
    factories.UserFactory(email="reader@example.org")
    fields = sent_back(client.get(change(own[1])), "resource")
    line = {
        "grants-TOTAL_FORMS": "2",
        "grants-1-user": "reader@example.org",
        "grants-1-take": "on",
        "grants-1-resource": own[1].pk,
    }
    assert "for 7 days at most" in client.post(change(own[1]), {**fields, **line}).content.decode()


def test_nobody_lists_the_address_of_what_is_anothers_nor_says_where_its_bytes_are(client, own):
    others, user = foreign(), browser(client, own, "manager")
    fields = sent_back(user.get(change(own[1])), "resource")
    assert {"url", "source"} & set(fields) == set()
    user.post(change(own[1]), {**fields, "url": "/iiif/3/elsewhere", "source": "secret.tif"})
    row = models.Resource.objects.get(pk=own[1].pk)
    assert (row.url, row.source) == (own[1].url, "")
    add = reverse("admin:iiif_auth_resource_add")
    blank = sent_back(user.get(add), "resource")
    new = {
        **blank,
        "label-0-text": "New",
        "type": "Image",
        "image_api": "3",
        "collection": own[0].pk,
        "source": "x.tif",
    }
    inside = f"/iiif/3/{OTHER}/1"
    for url in (inside, others[2].url):
        assert "not yours to list" in user.post(add, {**new, "url": url}).content.decode()
    assert user.post(add, {**new, "url": "/iiif/3/new"}).status_code == 302
    made = models.Resource.objects.get(url="/iiif/3/new")
    assert (made.collection_id, made.source) == (own[0].pk, "")


def test_nobody_takes_a_collection_out_of_a_stricter_one(client, own):
    others, user = foreign(), browser(client, own, "manager")
    fields = sent_back(user.get(change(own[0])), "collection")
    assert {"slug", "parent", "hides_existence", "administrators"} & set(fields) == set()
    user.post(change(own[0]), {**fields, "parent": others[0].pk, "slug": "other", "hides_existence": "on"})
    row = models.Collection.objects.get(pk=own[0].pk)
    assert (row.parent, row.slug, row.hides_existence) == (None, OWN, False)
    add, new = (
        reverse("admin:iiif_auth_collection_add"),
        {"label-0-language": "en", "label-0-text": "Part", "slug": "part"},
    )
    lines = sent_back(user.get(add), "collection")
    assert "outside of yours" in user.post(add, {**lines, **new}).content.decode()
    assert user.post(add, {**lines, **new, "parent": own[0].pk}).status_code == 302


def test_nobody_asks_by_what_points_at_a_row(client, own):
    others, user = foreign(), browser(client, own, "viewer")
    url = reverse("admin:iiif_auth_accesspolicy_changelist")
    assert user.get(url, {"resources": others[1].pk}).status_code in (302, 400)
    assert user.get(url, {"collections__id__exact": others[0].pk}).status_code in (302, 400)
    assert user.get(url, {"is_template__exact": "0"}).status_code == 200


def test_policies_networks_and_services_are_read_but_not_changed(client, own):
    user = browser(client, own, "manager")
    for row in (models.AccessPolicy.objects.get(), models.Network.objects.get(), models.AccessService.objects.get()):
        assert user.get(change(row)).status_code == 200
        assert user.post(change(row), {"name": "x", "slug": "x"}).status_code == 403
        assert user.get(reverse(f"admin:iiif_auth_{row._meta.model_name}_add")).status_code == 403


# -- Delegating ---------------------------------------------------------------------------------------------------


def delegate(client, **sent):
    return client.post(reverse("admin:iiif_auth_delegation_add"), sent)


def test_nobody_delegates_more_than_they_have(client, own):
    others = foreign()
    models.Delegation.objects.all().delete()
    client.force_login(staff((own[0], "manager"), most_days=7))
    factories.UserFactory(email="colleague@example.org", is_staff=True)
    whom = {"user": "colleague@example.org", "collection": own[0].pk}
    assert delegate(client, **{**whom, "collection": others[0].pk, "role": "viewer"}).status_code == 200
    assert "7 days here at most" in delegate(client, **whom, role="desk").content.decode()
    assert "7 days here at most" in delegate(client, **whom, role="desk", most_days=8).content.decode()
    assert models.Delegation.objects.count() == 1
    assert delegate(client, **whom, role="desk", most_days=7).status_code == 302


def test_nor_changes_or_takes_away_what_gives_more_than_they_have(client, own):
    models.Delegation.objects.all().delete()
    boss = models.Delegation.objects.create(collection=own[0], user=factories.UserFactory(), role="manager")
    client.force_login(staff((own[0], "manager"), most_days=7))
    assert client.post(change(boss), {"collection": own[0].pk, "role": "viewer"}).status_code == 403
    delete = reverse("admin:iiif_auth_delegation_delete", args=[boss.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    client.post(
        reverse("admin:iiif_auth_delegation_changelist"),
        {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes", "index": "0"},
    )
    assert models.Delegation.objects.get(pk=boss.pk).role == "manager"


def test_whoever_works_everywhere_delegates_and_is_told_what_is_missing_yet(client, root, own):
    reader = factories.UserFactory(email="colleague@example.org", is_staff=True)
    page = root.post(
        reverse("admin:iiif_auth_delegation_add"),
        {"user": "colleague@example.org", "collection": own[0].pk, "role": "manager"},
        follow=True,
    )
    assert "has no permission yet" in page.content.decode()
    assert models.Delegation.objects.filter(user=reader).exists()
    assert "for whom: one person or one group" in delegate(root, collection=own[0].pk, role="viewer").content.decode()


def test_the_lines_below_a_collection_say_who_works_there(client, root, own):
    page = root.get(change(own[0]))
    assert f"d-{OWN}@example.org" in page.content.decode()
    factories.UserFactory(email="colleague@example.org", is_staff=True)
    fields = sent_back(page, "collection")
    line = {"delegations-TOTAL_FORMS": "2", "delegations-1-user": "colleague@example.org", "delegations-1-role": "desk"}
    assert root.post(change(own[0]), {**fields, **line}).status_code == 302
    assert models.Delegation.objects.get(user__email="colleague@example.org").role == "desk"


# -- The groups that come with the app ----------------------------------------------------------------------------

GROUPS = {
    "Access viewer": "viewer",
    "Access desk": "desk",
    "Collection access manager": "manager",
    "Rights officer": None,
    "Access administrator": None,
    "Access auditor": None,
}
MAY = {
    "use_simulator": set(GROUPS) - {"Access auditor"},
    "add_grant": {"Access desk", "Collection access manager", "Rights officer"},
    "add_withdrawal": {"Collection access manager", "Rights officer"},
    "loosen_policy": {"Rights officer"},
    "publish_policy": {"Rights officer"},
    "change_terms": {"Rights officer"},
    "change_network": {"Access administrator"},
    "change_accessservice": {"Access administrator"},
    "add_delegation": {"Access administrator"},
    "every_collection": {"Rights officer", "Access administrator", "Access auditor"},
    "view_change": set(GROUPS) - {"Access viewer"},
    "view_acceptance": {"Rights officer", "Access administrator", "Access auditor"},
    "see_hidden": set(),
}


@pytest.fixture
def groups():
    call_command("loaddata", "iiif_auth_roles", verbosity=0)


def test_the_six_groups_load_twice_and_may_what_they_are_for(groups):
    call_command("loaddata", "iiif_auth_roles", verbosity=0)
    assert set(Group.objects.values_list("name", flat=True)) == set(GROUPS)
    for codename, expected in MAY.items():
        assert set(Group.objects.filter(permissions__codename=codename).values_list("name", flat=True)) == expected, (
            codename
        )


def test_an_auditor_reads_everything_and_changes_nothing(groups):
    held = set(Group.objects.get(name="Access auditor").permissions.values_list("codename", flat=True))
    assert {name for name in held if not name.startswith("view_")} == {"every_collection"}
    wanted = {f"view_{model._meta.model_name}" for model in doors.ours()}
    assert wanted <= held


@pytest.mark.parametrize("name", GROUPS)
def test_each_group_opens_its_pages_without_a_fault(client, groups, own, name):
    user = staff(*([(own[0], GROUPS[name])] if GROUPS[name] else []), may=permissions("view_resource"))
    user.user_permissions.clear()
    user.groups.add(Group.objects.get(name=name))
    client.force_login(fresh(user))
    statuses = {url: client.get(url).status_code for url in doors.lists() if "?" not in url}
    assert set(statuses.values()) <= {200, 302, 403, 404, 405}, statuses
    assert statuses[reverse("admin:iiif_auth_resource_changelist")] == 200


# -- Everybody else -----------------------------------------------------------------------------------------------


def test_nobody_who_is_not_signed_in_or_not_of_the_staff_gets_in(client, own):
    urls = [*doors.lists(), *doors.pages(own)]
    assert {client.get(url).status_code for url in urls} == {302}
    client.force_login(factories.UserFactory())
    assert {client.get(url).status_code for url in urls} == {302}


def test_staff_without_permissions_sees_no_page(client, own):
    client.force_login(staff((own[0], "manager"), may=permissions("every_collection").none()))
    urls = [url for url in (*doors.lists()[2:], *doors.pages(own)) if "/jsi18n" not in url]
    opened = [url for url in urls if client.get(url).status_code == 200]
    assert opened == []


def test_scoped_lists_take_few_queries(client, own):
    for number in range(30):
        factories.CollectionFactory(parent=own[0])
        factories.CollectionRuleFactory(collection=own[0], pattern=f"/iiif/3/rule-{number}/")
        factories.ResourceFactory(collection=own[0])
    user = browser(client, own, "manager")
    for name in ("resource", "collection", "grant"):
        user.get(reverse(f"admin:iiif_auth_{name}_changelist"))  # reads the rules, which is done once for each change
        with CaptureQueriesContext(connection) as queries:
            assert user.get(reverse(f"admin:iiif_auth_{name}_changelist")).status_code == 200
        assert len(queries) <= 30, name
