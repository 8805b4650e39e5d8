"""The work of the day: each piece by itself, in order, and again without harm."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from iiif_auth import daily

pytestmark = pytest.mark.django_db
DONE = []


def first(now):
    """Does the first thing."""
    DONE.append("first")
    return "The first is done."


def broken(now):
    raise RuntimeError("out of order")


def last(now):
    DONE.append("last")
    return "The last is done."


def run(monkeypatch, *names, **options):
    DONE.clear()
    monkeypatch.setattr(daily, "WORK", tuple(f"tests.test_daily.{name}" for name in names))
    out, err = StringIO(), StringIO()
    try:
        call_command("iiif_auth_daily", stdout=out, stderr=err, no_color=True, **options)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def test_each_piece_says_what_it_did(monkeypatch):
    assert run(monkeypatch, "first", "last") == ("The first is done.\nThe last is done.\n", "", "")


def test_one_that_fails_keeps_none_of_the_others_from_being_done(monkeypatch):
    out, err, error = run(monkeypatch, "first", "broken", "last")
    assert (DONE, out) == (["first", "last"], "The first is done.\nThe last is done.\n")
    assert "tests.test_daily.broken failed: RuntimeError: out of order" in err
    assert error.startswith("1 of the pieces of work failed")


def test_one_that_does_not_exist_fails_like_any_other(monkeypatch):
    assert run(monkeypatch, "missing", "last")[2].startswith("1 of the pieces")
    assert DONE == ["last"]


def test_a_dry_run_does_nothing(monkeypatch):
    out, _err, error = run(monkeypatch, "first", "last", dry_run=True)
    assert (DONE, error) == ([], "")
    assert out.startswith("Does the first thing.")


def test_everything_that_is_listed_is_there():
    assert [path for path in daily.WORK if not callable(import_string(path))] == []


def test_the_real_work_can_be_done_twice():
    said = []
    for _time in range(2):
        out = StringIO()
        call_command("iiif_auth_daily", stdout=out)
        said.append(out.getvalue())
    assert said[0] == said[1]
    assert "Deleted 0 tokens that had ended" in said[0]
