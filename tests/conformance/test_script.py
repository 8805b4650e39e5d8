"""Scripts of pages run where they can do no harm, and what they would have said is known."""

from __future__ import annotations

import time

import pytest

from iiif_auth.conformance import script
from iiif_auth.conformance.pages import Policy, policy, read
from iiif_auth.conformance.script import CannotRun, Posted, play

URL = "https://iiif.example.org/token?messageId=7&origin=https%3A%2F%2Fclient.example.org"
VIEWER = "https://client.example.org"


def played(body, rules: Policy | None = None, **values):
    return play(read(URL, body), rules, **values)


def says(code, **values):
    return played(f"<body><script>{code}</script></body>", **values).posted


SAID = (Posted("parent", "object", {"a": 1}, VIEWER),)


@pytest.mark.parametrize(
    "code",
    [
        f"window.parent.postMessage({{a: 1}}, '{VIEWER}')",
        f"parent.postMessage({{a: 1}}, {{targetOrigin: '{VIEWER}'}})",
        f"(window.opener || window.parent).postMessage({{a: 1}}, '{VIEWER}')",
        f"window.onload = () => parent.postMessage({{a: 1}}, '{VIEWER}')",
        f"addEventListener('load', function () {{ parent.postMessage({{a: 1}}, '{VIEWER}') }})",
        f"document.addEventListener('DOMContentLoaded', () => parent.postMessage({{a: 1}}, '{VIEWER}'))",
        f"setTimeout(() => parent.postMessage({{a: 1}}, '{VIEWER}'), 2000)",
        f"Promise.resolve().then(() => parent.postMessage({{a: 1}}, '{VIEWER}'))",
        f"(async () => {{ await null; parent.postMessage({{a: 1}}, '{VIEWER}') }})()",
        "parent.postMessage({a: 1}, new URLSearchParams(location.search).get('origin'))",
        f"parent.postMessage(JSON.parse('{{\"a\": 1}}'), '{VIEWER}')",
        f"fetch('/x').catch(() => parent.postMessage({{a: 1}}, '{VIEWER}'))",
    ],
)
def test_a_message_is_noted_however_it_is_posted(code):
    assert says(code) == SAID


def test_islands_of_json_are_read_by_id_and_by_selector():
    island = '<script id="envelope" type="application/json">{"a": 1}</script>'
    for find in ("getElementById('envelope')", "querySelector('script#envelope')", "querySelector('[id=envelope]')"):
        code = f"parent.postMessage(JSON.parse(document.{find}.textContent), '{VIEWER}')"
        assert played(f"{island}<script>{code}</script>").posted == SAID


def test_elements_have_their_attributes_and_values():
    body = '<body data-message-id="7"><form class="a b"><input name="x" value="1"></form><p hidden>text</p>'
    code = """
    const form = document.querySelector("form.b");
    parent.postMessage({
        id: document.body.dataset.messageId, value: form.querySelector("input").value,
        text: document.querySelector("body > p").textContent, none: document.querySelector("form p"),
        many: document.querySelectorAll("input, p").length,
    }, "*");
    """
    message = played(f"{body}<script>{code}</script>").posted[0].message
    assert message == {"id": "7", "value": "1", "text": "text", "none": None, "many": 2}


def test_a_script_in_a_file_is_fetched_and_run_in_its_turn():
    body = (
        '<script src="/own.js"></script><script>parent.postMessage({a: answer}, "https://client.example.org")</script>'
    )
    asked = []
    given = played(body, fetch=lambda url: asked.append(url) or "var answer = 1;")
    assert (given.posted, asked) == (SAID, ["https://iiif.example.org/own.js"])
    assert played(body, fetch=lambda url: None).posted == ()


def test_modules_run_after_the_page_and_keep_their_names_to_themselves():
    body = '<script type="module">var mine = 1; parent.postMessage(order, "*")</script><script>var order = typeof mine;</script>'
    assert [one.message for one in played(body).posted] == ["undefined"]


def test_a_script_that_fails_does_not_keep_the_next_from_running():
    given = played(
        "<script>nonsense(</script><script>undefinedThing()</script><script>parent.postMessage('x', '*')</script>"
    )
    assert [one.message for one in given.posted] == ["x"]
    assert len(given.errors) == 2


@pytest.mark.parametrize(
    "code", ["window.close()", "self.close()", "close()", "open('', '_self').close()", "setTimeout(close, 100)"]
)
def test_a_page_that_closes_itself_is_seen_to(code):
    assert played(f"<script>{code}</script>").closed


@pytest.mark.parametrize(
    "code", ["document.querySelector('button')", "const f = () => window.close()", "parent.close()", "opener"]
)
def test_a_page_that_only_could_is_not(code):
    assert not played(f"<button>x</button><script>{code}</script>").closed


@pytest.mark.parametrize(
    "attempt",
    ["parent.location.href", "top.document.title", "opener.postMessage(1, '*')", "require('fs')", "XMLHttpRequest()"],
)
def test_what_a_frame_may_not_do_fails(attempt):
    given = played(f"<script>{attempt}; parent.postMessage('did it', '*')</script>")
    assert (given.posted, len(given.errors)) == ((), 1)


@pytest.mark.parametrize(
    "bomb",
    [
        "for (;;) {}",
        "const all = []; for (;;) all.push('x'.repeat(1e6))",
        "function f() { f() } f()",
        "setTimeout(function again() { setTimeout(again) })",
        "(async function again() { for (;;) await null })()",
        "window.onload = () => { for (;;) {} }",
        "'x'.repeat(2 ** 30)",
        "/(a+)+$/.test('a'.repeat(60) + 'b')",
    ],
)
def test_bombs_end_soon(bomb):
    before = time.monotonic()
    assert played(f"<script>{bomb}</script>").posted == ()
    assert time.monotonic() - before < 12
    assert says(f"parent.postMessage({{a: 1}}, '{VIEWER}')") == SAID


def test_a_page_can_not_forge_what_is_written_down():
    forged = 'JSON.stringify = () => \'{"posted": [], "closed": true}\'; Array.prototype.push = () => 0;'
    given = played(f"<script>parent.postMessage('before', '*'); {forged}</script>")
    assert [one.message for one in given.posted] == ["before"]
    assert not given.closed


def test_a_message_to_oneself_is_no_message_to_the_viewer():
    assert [one.to for one in says("window.postMessage('x', '*'); top.postMessage('y', '*')")] == ["self", "parent"]


def test_a_target_that_is_not_named_is_none():
    assert says("parent.postMessage({a: 1})") == (Posted("parent", "object", {"a": 1}, None),)


def test_without_an_interpreter_it_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr(script, "find_spec", lambda name: None)
    assert not script.available()
    with pytest.raises(CannotRun, match=r"pip install 'django-iiif-auth\[conformance\]'"):
        played("<script>1</script>")


# -- Which scripts the page's own policy lets run -----------------------------------------------------------------

INLINE = '<script nonce="abc">parent.postMessage({a: 1}, "https://client.example.org")</script>'
OWN = '<script src="/own.js"></script>'
CODE = 'parent.postMessage({a: 1}, "https://client.example.org")'


@pytest.mark.parametrize(
    ("header", "body", "runs"),
    [
        ("", INLINE, True),
        ("default-src 'none'", INLINE, False),
        ("default-src 'none'; script-src 'nonce-abc'", INLINE, True),
        ("script-src 'nonce-other'", INLINE, False),
        ("script-src 'unsafe-inline'", INLINE, True),
        ("script-src 'unsafe-inline' 'nonce-other'", INLINE, False),
        ("script-src 'sha256-aVNCQHrC01rKrz0hGgOcTGQgKHs4fGdVIOb9qP5nbz4='", INLINE, False),
        ("script-src 'nonce-abc', script-src 'none'", INLINE, False),
        ("img-src 'none'", INLINE, True),
        ("script-src-elem 'none'; script-src 'nonce-abc'", INLINE, False),
        ("script-src 'self'", OWN, True),
        ("script-src 'self'", INLINE, False),
        ("script-src iiif.example.org", OWN, True),
        ("script-src https://*.example.org", OWN, True),
        ("script-src https://other.example.org", OWN, False),
        ("script-src https:", OWN, True),
        ("script-src *", OWN, True),
    ],
)
def test_a_script_runs_only_if_the_pages_own_policy_lets_it(header, body, runs):
    given = played(body, policy(header), fetch=lambda url: CODE)
    assert given.posted == (SAID if runs else ())
    assert given.refused == (0 if runs else 1)
