"""Forged tickets: a short run of :mod:`tests.security.tickets`, and that it finds codes that are broken in the usual ways."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode as read
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.utils import timezone

from iiif_auth.enforce import doors, signed
from tests.security import tickets
from tests.webserver.nginx import Nginx, asked


@pytest.fixture(autouse=True)
def library(settings):
    for name, value in tickets.SETTINGS.items():
        setattr(settings, name, value)


def test_no_forged_ticket_is_accepted_and_every_real_one_is():
    found = tickets.campaign(6_000, seed=1)
    assert found.accepted == []
    assert (found.genuine > 100, found.refused_though_genuine) == (True, 0)
    assert set(found.tried) == {forger.__name__ for forger in tickets.FORGERS}


def coded(*left_out: str):
    """The code of a ticket as somebody would write it who forgets something."""

    def code(key, name, ends, holder, uri):
        parts = {"name": name, "ends": str(ends), "holder": str(holder), "uri": uri}
        said = "|".join(part for what, part in parts.items() if what not in left_out)
        return signed._text(hmac.new(key, said.encode(), "sha256").digest())

    return code


def believed(patch):
    patch.setattr(signed, "holds", lambda ticket, uri, now: ticket.ends > now.timestamp())


def without_an_end(patch):
    real = signed.holds
    patch.setattr(signed, "holds", lambda ticket, uri, now: real(ticket, uri, tickets.NOW))


def by_its_beginning(patch):
    patch.setattr(hmac, "compare_digest", lambda one, other: one[:1] == other[:1])


def decoded(patch):
    """The bytes are compared, not the letters; and the pattern takes any letters."""
    patch.setattr(doors, "_TICKET", re.compile(r"[a-z0-9]+\.[0-9]{10}\.[0-9]+\.[A-Za-z0-9_-]{43}"))
    patch.setattr(hmac, "compare_digest", lambda one, other: read(one + b"=") == read(other + b"="))


TWINS = {
    "the code leaves out the item": (lambda patch: patch.setattr(signed, "_code", coded("uri")), "another_item"),
    "the code leaves out the end": (lambda patch: patch.setattr(signed, "_code", coded("ends")), "another_end"),
    "the code leaves out the pass": (lambda patch: patch.setattr(signed, "_code", coded("holder")), "another_pass"),
    "the pass alone counts": (believed, "a_bit_of_the_code_changed"),
    "a ticket has no end": (without_an_end, "after_the_end"),
    "codes are compared by their first letter": (by_its_beginning, "a_bit_of_the_code_changed"),
    "codes are compared decoded": (decoded, "the_same_bytes_written_otherwise"),
    "any method will do": (
        lambda patch: patch.setattr("iiif_auth.enforce.check.METHODS", ("GET", "HEAD", "POST", "PUT", "DELETE")),
        "by_another_method",
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_is_found(name, monkeypatch):
    breaks, forger = TWINS[name]
    breaks(monkeypatch)
    accepted = Counter(line.partition(":")[0] for line in tickets.campaign(2_000, seed=2).accepted)
    assert accepted[forger] > 0


# -- Those that nginx checks alone --------------------------------------------------------------------------------

NGINX = """
map $request_uri $edge {{
    default 0;
    "~^/iiif-auth/edge/(?<edge_name>[a-z0-9]+)\\.(?<edge_ends>[0-9]+)\\.(?<edge_code>[^/]+)(?<edge_item>/[^?]*)" $edge_name;
}}
map $request_uri $whole {{ default 0; "~^/iiif-auth/edge/{ticket}/" 1; }}
map $edge $edge_key {{ default ""; {keys} }}
server {{
    listen 80;
    merge_slashes off;
    location ^~ /iiif-auth/edge/ {{
        if ($whole = 0) {{ return 403; }}
        if ($edge_key = "") {{ return 403; }}
        secure_link $edge_code,$edge_ends;
        secure_link_md5 "$edge_key $edge_ends $edge_item $edge_key";
        if ($secure_link = "") {{ return 403; }}
        if ($secure_link = "0") {{ return 403; }}
        return 204;
    }}
}}
"""


def configured(ticket: str = doors.EDGE_TICKET) -> str:
    keys = " ".join(f'"{name}" "{key}";' for name, key in tickets.EDGE_KEYS.items())
    return NGINX.format(ticket=ticket, keys=keys)


def test_no_forged_edge_ticket_is_accepted_by_the_model_of_nginx():
    assert all(tickets.nginx_lets(target, tickets.NOW) for target in tickets.edge_known())
    assert tickets.edge_campaign(5_000, seed=1) == []


def test_nginx_lets_in_whom_the_model_lets_in(tmp_path: Path, monkeypatch):
    """The configuration, the model and what we write agree: real tickets, forged ones, and ones that have ended."""
    now = timezone.now()
    monkeypatch.setattr(tickets, "NOW", now)
    chance, known = Random(3), tickets.edge_known()
    tried = [*known, *(tickets.edge_forged(chance, known) for _ in range(250))]
    tried = [target for target in tried if " " not in target]
    with Nginx(configured(), tmp_path / "nginx") as nginx:
        answers = {target: asked(nginx.url, target).status for target in tried}
        ended = signed.edge_address("/media/film.mp4", now - timedelta(minutes=5))
        assert asked(nginx.url, str(ended)).status == 403
    assert {target for target, answer in answers.items() if answer == 204} == set(known)
    assert set(answers.values()) <= {204, 400, 403}
    assert all(tickets.nginx_lets(target, now) == (answer == 204) for target, answer in answers.items())


def test_with_any_letters_in_the_code_nginx_takes_sixteen_tickets_for_one(tmp_path: Path, monkeypatch):
    """The twin: nginx compares bytes, and the last letter has four bits that it does not look at."""
    monkeypatch.setattr(tickets, "NOW", timezone.now())
    known = tickets.edge_known()[0]
    name, ends, code = known.removeprefix("/iiif-auth/edge/").split("/")[0].split(".")
    twin = code[:-1] + tickets.LETTERS[(tickets.LETTERS.index(code[-1]) & ~15) + 1]
    forged = known.replace(code, twin)
    for pattern, status in ((doors.EDGE_TICKET, 403), (r"[a-z0-9]+\.[0-9]{10}\.[A-Za-z0-9_-]{22}", 204)):
        with Nginx(configured(pattern), tmp_path / str(status)) as nginx:
            assert asked(nginx.url, forged).status == status


def test_without_edge_keys_there_are_no_edge_tickets(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "EDGE_KEYS": {}}
    assert signed.edge_address("/media/film.mp4", tickets.NOW) is None


def test_an_edge_ticket_lives_a_minute_at_most(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "EDGE_SECONDS": 3600}
    (ends,) = {target.split(".")[1] for target in tickets.edge_known()}
    assert int(ends) == int(tickets.NOW.timestamp()) + 60
