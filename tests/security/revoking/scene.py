"""The library of the campaign, and its readers: made fifty at a time, each with a cookie, a token and a signed address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import get_random_string

from iiif_auth import identify, store
from iiif_auth.conf import conf
from iiif_auth.enforce import signed
from iiif_auth.lending.wanted import Wanted
from iiif_auth.models import (
    Agreement,
    Device,
    Grant,
    Invitation,
    LentWork,
    Loan,
    Pass,
    PersonAttribute,
    Resource,
    Token,
    Twin,
)
from iiif_auth.protocol import identity
from tests import factories, web
from tests.web import SIGNED_IN, VIEWER

BACKEND = "django.contrib.auth.backends.ModelBackend"
AT_ONCE = 40
"""Readers made together."""
HOURS = timedelta(hours=2)
HERE = "127.0.0.0/8"
STAFF = ("affiliation", "staff@example.org")
"""What an institution says of whoever is to see one of the items."""


@dataclass(frozen=True, slots=True)
class Library:
    """What stays from round to round. Rounds that are played at the same time each have one of their own.

    ``desk`` and ``stacks`` are places that machines stand for; they have no addresses.
    """

    lane: int
    items: dict[str, Resource]
    login: Any
    terms: Any
    room: Any
    readers: Group
    provider: Any
    desk: Any
    stacks: Any
    work: LentWork

    @staticmethod
    def built(lane: int) -> Library:
        login, terms = web.service(f"login-{lane}", "login"), web.service(f"terms-{lane}")
        room, desk, stacks = (
            factories.NetworkFactory(slug=f"{name}-{lane}", prefixes=prefixes)
            for name, prefixes in (("room", [HERE]), ("desk", []), ("stacks", []))
        )
        copies = factories.SeatsFactory(slug=f"copies-{lane}", copies=3 * AT_ONCE)
        who = {
            "signed-in": (SIGNED_IN,),
            "granted": (),
            "group": (),
            "invited": (),
            "terms": (web.agreed(terms),),
            "room": (web.at(room),),
            "machine": (web.at(desk),),
            "said": ({"kind": "attribute", "attribute_name": STAFF[0], "attribute_value": STAFF[1]},),
            "lent": ({"kind": "seat", "seats": copies},),
        }
        items = {
            name: web.picture(f"{name}-{lane}", *conditions, by=(terms if name == "terms" else login,))
            for name, conditions in who.items()
        }
        readers = factories.GroupFactory(name=f"Readers {lane}")
        factories.GrantFactory(resource=items["group"], group=readers, user=None)
        provider = factories.IdentityProviderFactory(issuer=f"https://idp-{lane}.example.org")
        return Library(
            lane, items, login, terms, room, readers, provider, desk, stacks, _work(copies, items["lent"].url)
        )


def _work(copies: Any, url: str) -> LentWork:
    """What the loans of an item are written under."""
    offer = store.find_offer(url)
    assert offer is not None
    wanted = Wanted(copies.slug, store.seats_of(offer)[0].work, "")
    return factories.LentWorkFactory(seats=copies, work=wanted.work, digest=wanted.digest)


@dataclass(slots=True)
class Reader:
    """Somebody in one round."""

    house: Library
    kind: str
    name: str
    neighbours: list[Reader] = field(default_factory=list, repr=False)
    user: Any = None
    cookie: str = ""
    token: str = ""
    session: str = ""
    holder: Any = None
    grant: Any = None
    group: Any = None
    invitation: Any = None
    device: Any = None
    loan: Any = None
    machine: str = ""
    twin: str = ""
    undo: list[Any] = field(default_factory=list)

    @property
    def item(self) -> Resource:
        return self.house.items[self.name]

    @property
    def content(self) -> str:
        return f"{self.item.url}/full/max/0/default.jpg"

    @property
    def probe(self) -> str:
        return web.probe_of(self.item.url)

    @property
    def signed(self) -> str:
        uri = identity.normalised(self.item.url, conf.BASE_URL)
        facts: Any = SimpleNamespace(id=self.holder.pk, ends=self.holder.ends)
        return signed.address(self.content, signed.issue(uri, facts, timezone.now()))


def seated(library: Library, kinds: Sequence[tuple[str, str]]) -> list[Reader]:
    """A reader for each kind and item, who has everything that opens it."""
    found = [Reader(library, kind, item) for kind, item in kinds]
    for reader in found:
        reader.neighbours = found
    _people(found)
    _openings(library, found)
    _machines(library, found)
    _said(library, found)
    _passes(library, found)
    _copies(library, found)
    return found


def _machines(library: Library, readers: Sequence[Reader]) -> None:
    """Enrolled machines, where the item is opened by one."""
    now = timezone.now()
    for reader in readers:
        if reader.name == "machine":
            reader.device = Device(name=reader.user.username, network=library.desk, since=now)
            reader.machine = identify.new_secret()
    Device.objects.bulk_create([reader.device for reader in readers if reader.device])
    Pass.objects.bulk_create(
        Pass(
            digest=identify.machine_digest(reader.machine),
            device=reader.device,
            enrols=True,
            created=now,
            seen=now,
            idle_minutes=600,
            idle_until=now + HOURS,
            ends=now + HOURS,
        )
        for reader in readers
        if reader.device
    )


def _said(library: Library, readers: Sequence[Reader]) -> None:
    """What the institution says of people, where the item is opened by that."""
    name, value = STAFF
    PersonAttribute.objects.bulk_create(
        PersonAttribute(user=reader.user, provider=library.provider, name=name, value=value)
        for reader in readers
        if reader.name == "said"
    )


def _copies(library: Library, readers: Sequence[Reader]) -> None:
    """Copies lent to passes, where the item is opened by one."""
    now = timezone.now()
    for reader in readers:
        if reader.name == "lent":
            reader.loan = Loan(work=library.work, holder=reader.holder, user=reader.user, since=now, due=now + HOURS)
    Loan.objects.bulk_create([reader.loan for reader in readers if reader.loan])


def _people(readers: Sequence[Reader]) -> None:
    model, mark = get_user_model(), get_random_string(12)
    password = factories.hashed("secret")
    users = model.objects.bulk_create(
        model(username=f"{mark}-{number}", password=password) for number, _reader in enumerate(readers)
    )
    for reader, user in zip(readers, users, strict=True):
        reader.user, reader.session = user, get_random_string(32)
    keeper = SessionStore()
    Session.objects.bulk_create(
        Session(
            session_key=reader.session,
            expire_date=timezone.now() + HOURS,
            session_data=keeper.encode(
                {
                    SESSION_KEY: str(reader.user.pk),
                    BACKEND_SESSION_KEY: BACKEND,
                    HASH_SESSION_KEY: reader.user.get_session_auth_hash(),
                }
            ),
        )
        for reader in readers
    )


def _openings(library: Library, readers: Sequence[Reader]) -> None:
    """Grants, groups and invitations, where the item is opened by one."""
    for reader in readers:
        if reader.name == "granted":
            reader.grant = Grant(resource=reader.item, user=reader.user)
        elif reader.kind == "group deleted":
            reader.group = Group.objects.create(name=get_random_string(12))
            reader.user.groups.add(reader.group)
            reader.grant = Grant(resource=reader.item, group=reader.group)
        elif reader.name == "group":
            reader.user.groups.add(library.readers)
        elif reader.name == "invited":
            made, until = get_random_string(12), timezone.now() + HOURS
            reader.invitation = Invitation.objects.create(digest=made, email=f"{made}@example.org", ends=until)
            reader.grant = Grant(resource=reader.item, invitation=reader.invitation)
    # At once: each statement makes every process read the rules anew.
    Grant.objects.bulk_create([reader.grant for reader in readers if reader.grant])


def _passes(library: Library, readers: Sequence[Reader]) -> None:
    now = timezone.now()
    for reader in readers:
        reader.cookie, reader.token, reader.twin = (identify.new_secret() for _secret in range(3))
        person = None if reader.invitation else reader.user
        reader.holder = Pass(
            digest=identify.digest(reader.cookie),
            user=person,
            invitation=reader.invitation,
            device=reader.device,
            credential=store.credential_mark(person.password) if person else "",
            through=library.login.slug if person else "",
            session=reader.session if person else "",
            created=now,
            seen=now,
            idle_minutes=60,
            idle_until=now + HOURS,
            ends=now + HOURS,
        )
    Pass.objects.bulk_create([reader.holder for reader in readers])
    Twin.objects.bulk_create(
        Twin(digest=identify.digest(reader.twin), holder=reader.holder, origin=VIEWER, created=now)
        for reader in readers
    )
    Agreement.objects.bulk_create(
        Agreement(holder=reader.holder, service=service, origin=VIEWER, at=now)
        for reader in readers
        for service in (library.login, library.terms)
    )
    Token.objects.bulk_create(
        Token(
            digest=identify.digest(reader.token),
            holder=reader.holder,
            service=(library.terms if reader.name == "terms" else library.login).slug,
            dialect="2",
            origin=VIEWER,
            created=now,
            ends=now + HOURS,
        )
        for reader in readers
    )


def cleared(readers: Sequence[Reader]) -> None:
    """Take everybody away again."""
    Pass.objects.filter(pk__in=[reader.holder.pk for reader in readers]).delete()
    Device.objects.filter(pk__in=[one.device.pk for one in readers if one.device and one.device.pk]).delete()
    Loan.objects.filter(pk__in=[one.loan.pk for one in readers if one.loan]).delete()
    Grant.objects.filter(pk__in=[reader.grant.pk for reader in readers if reader.grant and reader.grant.pk]).delete()
    Invitation.objects.filter(
        pk__in=[one.invitation.pk for one in readers if one.invitation and one.invitation.pk]
    ).delete()
    Group.objects.filter(pk__in=[reader.group.pk for reader in readers if reader.group and reader.group.pk]).delete()
    Session.objects.filter(session_key__in=[reader.session for reader in readers]).delete()
    get_user_model().objects.filter(username__in=[reader.user.username for reader in readers]).delete()
