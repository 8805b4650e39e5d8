"""What ends somebody's access: each a deed that returns once it is written, and the item that it closes to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from iiif_auth import api, carried, devices, identify
from iiif_auth.asking import invitations
from iiif_auth.attributes import keeping
from iiif_auth.lending import counter
from iiif_auth.models import (
    AccessService,
    Condition,
    Device,
    Embargo,
    Grant,
    IdentityProvider,
    Loan,
    Network,
    Pass,
    PersonAttribute,
    Terms,
    Tier,
    Withdrawal,
)
from tests.security.revoking.asking import Asker
from tests.security.revoking.scene import HERE, STAFF, Reader
from tests.web import logout_page

Deed = Callable[[Reader, Asker], object]
CSRF = "c" * 32
SOON = timedelta(milliseconds=60)


def people() -> type:
    return get_user_model()


def _over_soon(rows: QuerySet[Any], field: str) -> None:
    """Write down that something ends in a moment, and wait for that."""
    ends = timezone.now() + SOON
    rows.update(**{field: ends})
    while timezone.now() < ends:
        time.sleep(0.002)


# -- Through one of the processes ---------------------------------------------------------------------------------


def _cookies(reader: Reader) -> str:
    return f"{identify.COOKIE}={reader.cookie}; sessionid={reader.session}; csrftoken={CSRF}"


def _posted(reader: Reader, node: Asker, path: str, **fields: str) -> None:
    body = "&".join(f"{name}={value}" for name, value in {**fields, "csrfmiddlewaretoken": CSRF}.items())
    headers = {"Cookie": _cookies(reader), "Content-Type": "application/x-www-form-urlencoded"}
    assert node.send("POST", path, headers, body) in (200, 302)


def left_the_login(reader: Reader, node: Asker) -> None:
    assert node.send("GET", logout_page(reader.house.login.slug), {"Cookie": _cookies(reader)}) == 200


def left_the_terms(reader: Reader, node: Asker) -> None:
    assert node.send("GET", logout_page(reader.house.terms.slug), {"Cookie": _cookies(reader)}) == 200


def logged_out_of_the_host(reader: Reader, node: Asker) -> None:
    _posted(reader, node, "/accounts/logout/")


def logged_out_of_the_host_without_the_pass(reader: Reader, node: Asker) -> None:
    """From a partition of the browser in which the access cookie is not: only the session is presented."""
    headers = {
        "Cookie": f"sessionid={reader.session}; csrftoken={CSRF}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert node.send("POST", "/accounts/logout/", headers, f"csrfmiddlewaretoken={CSRF}") in (200, 302)


def ended_on_the_own_page(reader: Reader, node: Asker) -> None:
    _posted(reader, node, "/iiif-auth/passes", end=str(reader.holder.pk))


def all_ended_on_the_own_page(reader: Reader, node: Asker) -> None:
    _posted(reader, node, "/iiif-auth/passes", all="1")


# -- The person ---------------------------------------------------------------------------------------------------


def deactivated(reader: Reader, node: Asker) -> None:
    reader.user.is_active = False
    reader.user.save()


def deactivated_in_bulk(reader: Reader, node: Asker) -> None:
    people().objects.filter(pk=reader.user.pk).update(is_active=False)


def deactivated_in_sql(reader: Reader, node: Asker) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET is_active = %s WHERE id = %s", [False, reader.user.pk])


def password_changed(reader: Reader, node: Asker) -> None:
    reader.user.set_password("another")
    reader.user.save()


def password_taken_away(reader: Reader, node: Asker) -> None:
    reader.user.set_unusable_password()
    reader.user.save()


def deleted(reader: Reader, node: Asker) -> None:
    people().objects.get(pk=reader.user.pk).delete()


# -- The session --------------------------------------------------------------------------------------------------


def session_ended_by_the_staff(reader: Reader, node: Asker) -> None:
    Session.objects.filter(session_key=reader.session).delete()


def session_flushed(reader: Reader, node: Asker) -> None:
    SessionStore(reader.session).flush()


def session_renewed(reader: Reader, node: Asker) -> None:
    """As when somebody logs in anew."""
    keeper = SessionStore(reader.session)
    keeper.load()
    keeper.cycle_key()
    reader.undo.append(keeper.flush)


def everybodys_sessions_ended(reader: Reader, node: Asker) -> None:
    """Of all who are there in this round's library, in one statement that no signal hears of."""
    keys = [one.session for one in reader.neighbours]
    others = list(Session.objects.filter(session_key__in=keys).exclude(session_key=reader.session))
    with connection.cursor() as cursor:
        # Placeholders only.
        cursor.execute(f"DELETE FROM django_session WHERE session_key IN ({', '.join(['%s'] * len(keys))})", keys)  # noqa: S608
    reader.undo.append(lambda: Session.objects.bulk_create(others))


def ended_by_the_institution(reader: Reader, node: Asker) -> None:
    """As :mod:`project.provider_sessions` does when it hears of a logout there."""
    SessionStore().delete(reader.session)
    assert api.end_passes_of_sessions([reader.session]) == 1


# -- What the institution says ------------------------------------------------------------------------------------


def not_said_any_more(reader: Reader, node: Asker) -> None:
    """They log in again, elsewhere, and it is left out."""
    keeping.keep(reader.user, reader.house.provider.issuer, [])


def something_else_is_said(reader: Reader, node: Asker) -> None:
    keeping.keep(reader.user, reader.house.provider.issuer, [(STAFF[0], "alum@example.org")])


def what_was_said_deleted_in_sql(reader: Reader, node: Asker) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM iiif_auth_personattribute WHERE user_id = %s", [reader.user.pk])


def accounts_parted(reader: Reader, node: Asker) -> None:
    keeping.forget(reader.user, reader.house.provider.issuer)


def institution_believed_no_more(reader: Reader, node: Asker) -> None:
    """Of anybody: the others of this round's library are given back what was said of them."""
    provider = reader.house.provider
    others = list(PersonAttribute.objects.filter(provider=provider).exclude(user=reader.user))
    rows = IdentityProvider.objects.filter(pk=provider.pk)
    rows.update(scopes=["example.net"])
    keeping.narrow(rows.get())
    reader.undo.append(lambda: PersonAttribute.objects.bulk_create(others))
    reader.undo.append(lambda: rows.update(scopes=provider.scopes))


# -- Enrolled machines --------------------------------------------------------------------------------------------


def machine_revoked(reader: Reader, node: Asker) -> None:
    devices.revoke(reader.device, None)


def machine_deleted(reader: Reader, node: Asker) -> None:
    Device.objects.get(pk=reader.device.pk).delete()


def machine_moved(reader: Reader, node: Asker) -> None:
    Device.objects.filter(pk=reader.device.pk).update(network=reader.house.stacks)


# -- Copies -------------------------------------------------------------------------------------------------------


def copy_given_back(reader: Reader, node: Asker) -> None:
    assert counter.give_back(reader.house.work, counter.Reader(reader.holder.pk, reader.holder.ends, reader.user))


def copy_released_at_the_desk(reader: Reader, node: Asker) -> None:
    assert counter.release(reader.loan, None, "asked for")


def copy_was_due(reader: Reader, node: Asker) -> None:
    _over_soon(Loan.objects.filter(pk=reader.loan.pk), "due")


# -- Groups, grants and invitations -------------------------------------------------------------------------------


def taken_out_of_the_group(reader: Reader, node: Asker) -> None:
    reader.user.groups.clear()


def group_deleted(reader: Reader, node: Asker) -> None:
    reader.group.delete()


def grant_removed(reader: Reader, node: Asker) -> None:
    Grant.objects.filter(pk=reader.grant.pk).delete()


def grant_ended(reader: Reader, node: Asker) -> None:
    Grant.objects.filter(pk=reader.grant.pk).update(ends=timezone.now())


def window_ran_out(reader: Reader, node: Asker) -> None:
    """Nobody writes anything at the instant that counts."""
    _over_soon(Grant.objects.filter(pk=reader.grant.pk), "ends")


def grant_narrowed(reader: Reader, node: Asker) -> None:
    other = people().objects.create(username=f"{reader.user.username}-other")
    Grant.objects.filter(pk=reader.grant.pk).update(user=other)
    reader.undo.append(other.delete)


def invitation_withdrawn(reader: Reader, node: Asker) -> None:
    invitations.revoke(reader.invitation)


def invitation_ended(reader: Reader, node: Asker) -> None:
    type(reader.invitation).objects.filter(pk=reader.invitation.pk).update(ends=timezone.now())


# -- The pass -----------------------------------------------------------------------------------------------------


def ended_by_the_staff(reader: Reader, node: Asker) -> None:
    assert carried.end([reader.holder.pk]) == 1


def all_of_a_person_ended(reader: Reader, node: Asker) -> None:
    assert carried.end_of(reader.user) == 1


def not_used_for_too_long(reader: Reader, node: Asker) -> None:
    Pass.objects.filter(pk=reader.holder.pk).update(idle_until=timezone.now())


def ran_out(reader: Reader, node: Asker) -> None:
    _over_soon(Pass.objects.filter(pk=reader.holder.pk), "ends")


# -- Services and rules -------------------------------------------------------------------------------------------


def _switched_off(slug: str, reader: Reader) -> None:
    rows = AccessService.objects.filter(slug=slug)
    was = rows.get().dialects
    rows.update(dialects=[])
    reader.undo.append(lambda: rows.update(dialects=was))


def login_switched_off(reader: Reader, node: Asker) -> None:
    _switched_off(reader.house.login.slug, reader)


def terms_switched_off(reader: Reader, node: Asker) -> None:
    _switched_off(reader.house.terms.slug, reader)


def new_terms(reader: Reader, node: Asker) -> None:
    row = Terms.objects.create(
        service=reader.house.terms,
        number=1,
        heading={"en": ["New"]},
        text={"en": ["New."]},
        from_day=timezone.now(),
    )
    reader.undo.append(row.delete)


def withdrawn(reader: Reader, node: Asker) -> None:
    row = Withdrawal.objects.create(resource=reader.item, reason="complaint")
    reader.undo.append(row.delete)


def embargoed(reader: Reader, node: Asker) -> None:
    row = Embargo.objects.create(resource=reader.item, hard=True, ends=timezone.now() + timedelta(days=9))
    reader.undo.append(row.delete)


def rule_narrowed(reader: Reader, node: Asker) -> None:
    tiers = Tier.objects.filter(policy=reader.item.policy)
    rows = list(Condition.objects.filter(tier__in=tiers))
    with transaction.atomic():
        Condition.objects.filter(tier__in=tiers).delete()
    reader.undo.append(lambda: Condition.objects.bulk_create(rows))


def room_moved(reader: Reader, node: Asker) -> None:
    rows = Network.objects.filter(pk=reader.house.room.pk)
    rows.update(prefixes=["192.0.2.0/28"])
    reader.undo.append(lambda: rows.update(prefixes=[HERE]))


KINDS: dict[str, tuple[str, Deed]] = {
    "left the login": ("signed-in", left_the_login),
    "left the terms": ("terms", left_the_terms),
    "logged out of the host": ("signed-in", logged_out_of_the_host),
    "logged out, pass not presented": ("signed-in", logged_out_of_the_host_without_the_pass),
    "ended on the own page": ("signed-in", ended_on_the_own_page),
    "all ended on the own page": ("granted", all_ended_on_the_own_page),
    "deactivated": ("signed-in", deactivated),
    "deactivated in bulk": ("granted", deactivated_in_bulk),
    "deactivated in SQL": ("group", deactivated_in_sql),
    "password changed": ("signed-in", password_changed),
    "password taken away": ("granted", password_taken_away),
    "person deleted": ("signed-in", deleted),
    "session ended by the staff": ("signed-in", session_ended_by_the_staff),
    "session flushed": ("granted", session_flushed),
    "session renewed": ("signed-in", session_renewed),
    "everybody's sessions ended": ("signed-in", everybodys_sessions_ended),
    "ended by the institution": ("signed-in", ended_by_the_institution),
    "attribute not said any more": ("said", not_said_any_more),
    "another attribute said": ("said", something_else_is_said),
    "attribute deleted in SQL": ("said", what_was_said_deleted_in_sql),
    "accounts parted": ("said", accounts_parted),
    "institution believed no more": ("said", institution_believed_no_more),
    "machine revoked": ("machine", machine_revoked),
    "machine deleted": ("machine", machine_deleted),
    "machine moved": ("machine", machine_moved),
    "copy given back": ("lent", copy_given_back),
    "copy released at the desk": ("lent", copy_released_at_the_desk),
    "copy was due": ("lent", copy_was_due),
    "taken out of the group": ("group", taken_out_of_the_group),
    "group deleted": ("group", group_deleted),
    "grant removed": ("granted", grant_removed),
    "grant ended": ("granted", grant_ended),
    "grant given to somebody else": ("granted", grant_narrowed),
    "window ran out": ("granted", window_ran_out),
    "invitation withdrawn": ("invited", invitation_withdrawn),
    "invitation ended": ("invited", invitation_ended),
    "pass ended by the staff": ("signed-in", ended_by_the_staff),
    "all of a person's passes ended": ("granted", all_of_a_person_ended),
    "pass not used for too long": ("signed-in", not_used_for_too_long),
    "pass ran out": ("signed-in", ran_out),
    "login service switched off": ("signed-in", login_switched_off),
    "terms switched off": ("terms", terms_switched_off),
    "new version of the terms": ("terms", new_terms),
    "item withdrawn": ("signed-in", withdrawn),
    "item embargoed": ("granted", embargoed),
    "rule narrowed": ("signed-in", rule_narrowed),
    "network changed": ("room", room_moved),
}
"""By name: the item, and what ends access to it."""
