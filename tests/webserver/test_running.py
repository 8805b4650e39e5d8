"""Ports for servers of tests."""

from __future__ import annotations

import pytest

from tests.security.hostile import stacks
from tests.security.hostile.stacks import MODES
from tests.webserver import running
from tests.webserver.nginx import Peer


def test_no_port_is_given_twice_although_nobody_listens_there_yet(monkeypatch):
    handed_out = iter([41_001, 41_001, 41_003])

    class Scripted:
        """A system that hands a port out again, as it may once it was closed."""

        def __enter__(self):
            return self

        def __exit__(self, *_error):
            pass

        def bind(self, _address):
            pass

        def getsockname(self):
            return "127.0.0.1", next(handed_out)

    monkeypatch.setattr(running.socket, "socket", Scripted)
    monkeypatch.setattr(running, "GIVEN", set())
    assert [running.free_port(), running.free_port()] == [41_001, 41_003]


def test_a_campaign_does_not_take_another_server_for_the_one_it_means():
    with Peer(lambda request: (200, {"Server": "gunicorn"}, b"")) as peer:
        with pytest.raises(RuntimeError, match=r"where caddy checker should be, .+ answers"):
            stacks._is_itself(MODES["caddy checker"], peer.port)
        stacks._is_itself(MODES["django"], peer.port)
