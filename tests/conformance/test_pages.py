"""Pages are read as far as the flow needs them, whatever state they are in."""

from __future__ import annotations

import pytest

from iiif_auth.conformance.browser import Shown
from iiif_auth.conformance.pages import read
from iiif_auth.conformance.person import chosen_form
from iiif_auth.conformance.script import Played
from iiif_auth.conformance.web import Answer

URL = "https://library.example.org/accounts/login/?next=/x#top"


def form(html, number=0):
    return read(URL, html).forms[number]


def test_a_form_is_sent_where_and_how_it_says():
    assert (form("<form>").action, form("<form>").method) == (
        "https://library.example.org/accounts/login/?next=/x",
        "GET",
    )
    assert form('<form method="post" action="../in">').action == "https://library.example.org/accounts/in"
    assert form('<form method="POST" action="https://idp.example.net/sso">').action == "https://idp.example.net/sso"
    assert form('<form action="https://[broken">').action == ""


def test_a_browser_sends_what_is_filled_in_ticked_and_pressed():
    html = """
    <form><input type=hidden name=csrf value="a&amp;b"><input name=login><input type=password name=password>
      <input type=checkbox name=remember checked><input type=checkbox name=spam>
      <input type=checkbox name=terms required value=yes>
      <input type=radio name=r value=1><input type=radio name=r value=2 checked>
      <select name=s><option value=x>X<option value=y selected>Y</select>
      <select name=t><option>first<option>second</select>
      <textarea name=note>words</textarea><input name=gone disabled value=1><input type=file name=f><input value=nameless>
      <button type=button name=no>no</button><button name=go value=1>Go</button><button name=other value=2>Other</button></form>
    """
    assert form(html).sent({"login": "ada", "password": "secret"}) == [
        ("csrf", "a&b"),
        ("login", "ada"),
        ("password", "secret"),
        ("remember", "on"),
        ("terms", "yes"),
        ("r", "2"),
        ("s", "y"),
        ("t", "first"),
        ("note", "words"),
        ("go", "1"),
    ]


@pytest.mark.parametrize(
    ("fields", "user"),
    [
        ("<input name=q><input name=login><input type=password name=p>", "login"),
        ("<input type=email name=mail><input type=password name=p>", "mail"),
        ("<input type=password name=p><input name=after autocomplete=username>", "after"),
        ("<input type=hidden name=h><input type=password name=p>", None),
    ],
)
def test_the_name_goes_into_the_field_before_the_password(fields, user):
    found = form(f"<form>{fields}</form>")
    assert found.password.name == "p"
    assert (found.user.name if found.user else None) == user


def test_a_field_may_belong_to_a_form_it_does_not_stand_in():
    page = read(
        URL, "<form id=a method=post></form><form id=b></form><input form=a name=x value=1><input form=c name=y>"
    )
    assert [[one.name for one in found.fields] for found in page.forms] == [["x"], []]


@pytest.mark.parametrize(
    ("html", "chosen"),
    [
        ("<form method=get action=/search><input name=q></form><form method=post action=/go></form>", "/go"),
        ("<form method=post action=/go></form><form method=post action=/in><input type=password name=p></form>", "/in"),
        ("<form method=post action=/go></form><form method=post action=/switch></form>", "/go"),
        ("<form method=get action=/search><input type=password name=p></form>", None),
        ("<p>Nothing.</p>", None),
    ],
)
def test_the_form_that_leads_on_is_posted(html, chosen):
    shown = Shown(Answer("GET", URL, 200, {}, b""), read(URL, html), Played((), closed=False))
    found = chosen_form(shown)
    assert (found.action.removeprefix("https://library.example.org") if found else None) == chosen


def test_scripts_are_those_a_browser_would_run():
    html = """<script>one</script><script type="text/javascript">two</script><script type=module src=m.js></script>
    <script type="application/json">{}</script><script type="text/template">x</script><script nonce=n src="https://cdn.example/x.js"></script>"""
    assert [(one.text, one.source, one.nonce, one.module) for one in read(URL, html).scripts] == [
        ("one", "", "", False),
        ("two", "", "", False),
        ("", "https://library.example.org/accounts/login/m.js", "", True),
        ("", "https://cdn.example/x.js", "n", False),
    ]


def test_an_end_tag_inside_a_string_ends_the_script_as_in_a_browser():
    html = '<script>send("</script><script>evil()</script>")</script>'
    assert [one.text for one in read(URL, html).scripts] == ['send("', "evil()"]


@pytest.mark.parametrize(
    "html", ["", "<", "<form", "</p></div>", "<!--", "<script>", "<a b='", "\x00\ufffd", "<p>" * 30_000, "&#xFFFFFFFF;"]
)
def test_whatever_comes_is_read_to_its_end(html):
    page = read(URL, html)
    assert len(page.elements) <= 20_000
    assert page.forms == ()
