"""Which viewers' sites are understood, and that browsers understand them alike (security table T2 to T5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iiif_auth.protocol.origins import serialised
from tests.node import url_origins
from tests.security import origins


@pytest.mark.parametrize("text", origins.good())
def test_origins_as_browsers_write_them_are_accepted(text):
    assert serialised(text) == text.removesuffix("/")


@pytest.mark.parametrize("text", origins.bad())
def test_everything_else_is_refused(text):
    assert serialised(text) is None


@pytest.mark.requirement("A2-TOK-04")
def test_a_browser_understands_every_accepted_origin_as_the_one_we_name():
    accepted, wrong = origins.disagreements([*origins.good(), *origins.bad()])
    assert (accepted, wrong) == (len(origins.good()), [])


@pytest.mark.requirement("A2-TOK-04")
def test_so_it_does_with_thousands_of_made_up_ones():
    accepted, wrong = origins.disagreements(list(origins.generated(6000, seed=20)))
    assert wrong == []
    assert accepted > 200


def test_the_origins_of_browsers_are_mostly_accepted():
    """What a browser sends as its own origin must not be refused for being unusual, but for being no name of DNS."""
    texts = [
        f"{scheme}://{host}" for scheme in ("http", "https") for host in ("a.b.c.example", "x--y.example", "9.example")
    ]
    assert [serialised(text) for text in texts] == texts == url_origins(texts)


@given(st.text(max_size=400))
def test_nothing_is_an_error(text):
    found = serialised(text)
    assert found is None or found == text.removesuffix("/")


@pytest.mark.parametrize("text", ["http://viewer.example.org", "http://localhost:8080", "http://[::1]"])
def test_plain_http_is_a_question_of_the_setting(text):
    assert (serialised(text), serialised(text, plain_http=False)) == (text, None)
    secure = text.replace("http:", "https:")
    assert serialised(secure, plain_http=False) == secure
