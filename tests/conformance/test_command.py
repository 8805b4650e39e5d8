"""The command: what it takes, what it says when it makes no sense, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from iiif_auth.conformance import command
from iiif_auth.conformance.command import Misused, Progress, carry_out, parser, read_options
from iiif_auth.conformance.tour import Credentials
from tests.conformance.conftest import BASE, COLLECTION

ROOT = Path(__file__).parents[2]
FLEET = f"{BASE}/iiif/manifests/fleet.json"
FORGETFUL = """
import sys

blocked = sys.argv[1].split(",")

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""


def options(*arguments, environment=None):
    return read_options(parser("x").parse_args([COLLECTION, *arguments]), environment or {})


def run(*arguments, transport=None):
    return carry_out(parser("x").parse_args(list(arguments)), transport)


# -- What it takes ------------------------------------------------------------------------------------------------


def test_by_itself_it_is_a_viewer_from_elsewhere_with_nothing_in_hand():
    found = options()
    assert (found.urls, found.origin, found.credentials, found.cookies) == (
        (COLLECTION,),
        "https://client.example.org",
        None,
        (),
    )
    assert (found.only, found.versions, found.resources) == ((), (), 20)


def test_the_password_may_come_from_the_environment():
    found = options("--user", "ada", environment={"IIIF_CONFORMANCE_PASSWORD": "from there"})
    assert found.credentials == Credentials("ada", "from there")
    assert options("--user", "ada", "--password", "from here").credentials == Credentials("ada", "from here")


def test_the_password_is_asked_for_at_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    monkeypatch.setattr(command.getpass, "getpass", lambda prompt: f"typed after “{prompt}”")
    assert options("--user", "ada").credentials == Credentials("ada", "typed after “Password of ada: ”")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("2.0.0", "2.0.0"),
        ("2", "2.0.0"),
        ("alpha", "2.0-alpha"),
        ("1.0", "1.0"),
        ("1", "1.0"),
        ("0.9.2", "0.9.2"),
        ("0.9", "0.9"),
    ],
)
def test_versions_go_by_the_names_that_people_use(name, version):
    assert options("--version", name).versions == (version,)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cookie", "nonsense"], "NAME=VALUE"),
        (["--cookie", "=x"], "NAME=VALUE"),
        (["--cookie", "a=b; c=d"], "NAME=VALUE"),
        (["--cookie", "a=b\r\nX: y"], "NAME=VALUE"),
        (["--origin", "https://viewer.example/"], "not an origin as browsers write it"),
        (["--origin", "null"], "not an origin as browsers write it"),
        (["--only", "A2-XYZ"], "No requirement begins with “A2-XYZ”"),
        (["--version", "3"], "“3” is not a version; there are 2.0.0, 2.0-alpha, 1.0, 0.9"),
        (["--user", "ada"], "put it into IIIF_CONFORMANCE_PASSWORD"),
        (["--password", "x"], "give --user too"),
        (["--user", "ada", "--password", "x", "--cookie", "a=b"], "either --user or --cookie"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence_with_a_next_step(arguments, words, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(Misused, match=words) as refused:
        options(*arguments)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "arguments",
    [[], [COLLECTION, "--max-requests", "0"], [COLLECTION, "--max-seconds", "soon"], [COLLECTION, "--format", "pdf"]],
)
def test_other_nonsense_is_told_as_usual(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        parser("x").parse_args(arguments)
    assert ended.value.code == 2
    assert "usage: x" in capsys.readouterr().err


# -- How it ends --------------------------------------------------------------------------------------------------


def test_a_sound_server_ends_with_0_and_a_table(server, capsys):
    assert run(FLEET, transport=server) == 0
    told, progress = capsys.readouterr()
    assert "Authorization Flow 2.0.0" in told
    assert "Every requirement that could be tested is met." in told
    assert progress == ""


def test_a_broken_server_ends_with_1(server, capsys, monkeypatch):
    from iiif_auth.http import headers

    monkeypatch.setitem(headers.PREFLIGHT, "Access-Control-Allow-Headers", "*")
    assert run(FLEET, transport=server) == 1
    assert "✗ A2-PRB-18" in capsys.readouterr().out


def test_nothing_to_test_ends_with_2(server, capsys):
    assert run(f"{BASE}/", transport=server) == 2
    assert run("https://nobody.example.org/manifest", transport=server) == 2
    told = " ".join(capsys.readouterr().out.split())  # wherever the lines of this terminal end
    assert "is not JSON" in told
    assert "nobody could be reached there" in told


@pytest.mark.parametrize(
    "arguments", [["manifest.json"], [COLLECTION, "--only", "B7"], [COLLECTION, "--output", "/nowhere/at/all"]]
)
def test_bad_usage_ends_with_2_before_anything_is_asked(arguments, server, capsys):
    assert run(*arguments, transport=server) == 2
    told, problem = capsys.readouterr()
    assert (told, server.asked) == ("", [])
    assert len(problem.splitlines()) == 1


def test_recommendations_count_where_they_are_wanted(server, capsys, monkeypatch):
    from iiif_auth.http import access

    def without_script(request, template, context, status=200):
        response = real(request, template, context, status)
        response.content = response.content.replace(b"data-close-now", b"data-stay").replace(
            b"data-granted", b"data-left"
        )
        return response

    real = access.page
    monkeypatch.setattr(access, "page", without_script)
    assert run(FLEET, transport=server) == 0
    assert "1 recommendation is not followed" in capsys.readouterr().out
    assert run(FLEET, "--shoulds", transport=server) == 1


def test_reports_for_machines_go_into_files(server, capsys, tmp_path):
    for form, read in (("json", json.loads), ("junit", lambda text: ElementTree.fromstring(text.encode()))):  # noqa: S314 - ours
        path = tmp_path / form
        assert run(FLEET, "--format", form, "--output", str(path), transport=server) == 0
        assert read(path.read_text(encoding="utf-8")) is not None
    assert capsys.readouterr().out == ""


def test_the_password_is_in_no_report(server, tmp_path):
    for form in ("text", "json", "junit"):
        path = tmp_path / form
        run(
            f"{BASE}/iiif/manifests/herbal.json",
            "--user",
            "reader",
            "--password",
            "merehaven",
            "--format",
            form,
            "--output",
            str(path),
            transport=server,
        )
        told = path.read_text(encoding="utf-8")
        assert "A2-TOK-05" in told
        assert "“merehaven”" not in told
        assert " merehaven " not in told.replace("reader", "")


def test_the_limits_are_those_given(server, capsys):
    run(FLEET, "--max-requests", "7", transport=server)
    assert len(server.asked) == 7
    assert "limit of 7 requests was reached first" in capsys.readouterr().out


def test_colours_are_for_terminals(monkeypatch):
    terminal = type("Terminal", (io.StringIO,), {"isatty": lambda self: True})()
    given = parser("x").parse_args([COLLECTION])
    assert command.colourful(given, terminal, {})
    assert not command.colourful(given, io.StringIO(), {})
    assert not command.colourful(given, terminal, {"NO_COLOR": "1"})
    assert not command.colourful(parser("x").parse_args([COLLECTION, "--no-colour"]), terminal, {})


def test_progress_is_told_to_whoever_watches_and_leaves_nothing_behind():
    terminal = type("Terminal", (io.StringIO,), {"isatty": lambda self: True})()
    progress = Progress(terminal, quiet=False)
    progress.tell(7, "GET https://x/\x1b[2J")
    progress.end()
    assert "   7  GET https://x/[2J" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    for quiet in (Progress(terminal, quiet=True), Progress(io.StringIO(), quiet=False)):
        quiet.tell(1, "x")
        quiet.end()
        assert quiet.watched is False


def test_whoever_stops_it_gets_no_traceback(monkeypatch, capsys):
    def stopped(web, options):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "judge", stopped)
    assert run(COLLECTION) == 2
    assert capsys.readouterr().err == "Stopped; there is no report.\n"


def test_letters_that_a_terminal_does_not_have_become_question_marks():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    command.say("✓ fine\n", stream)
    assert stream.buffer.getvalue() == b"? fine\n"


# -- In a process of its own --------------------------------------------------------------------------------------


def ran(code, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_knows_nothing_of_django_nor_of_the_rest_of_this_app():
    code = f"""{FORGETFUL}
import importlib, pkgutil
package = importlib.import_module("iiif_auth.conformance")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(*sorted({{name.split(".")[1] for name in sys.modules if name.startswith("iiif_auth.")}}))
"""
    done = ran(code, "django,rest_framework,allauth,asgiref,project")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "conformance", "")


def test_without_httpx_it_says_what_to_install():
    start = "sys.argv = ['x', 'https://x/']; runpy.run_module('iiif_auth.conformance', run_name='__main__')"
    code = f"{FORGETFUL}\nimport runpy\n{start}"
    done = ran(code, "httpx")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "The conformance checker needs httpx. Install it with: pip install 'django-iiif-auth[conformance]'\n"
    )


def test_it_is_a_module_to_run():
    done = ran(
        "import runpy, sys; sys.argv[0] = 'x'; runpy.run_module('iiif_auth.conformance', run_name='__main__')", "--help"
    )
    assert done.returncode == 0
    assert "usage: python -m iiif_auth.conformance" in done.stdout
    assert "never" not in done.stderr


def test_manage_py_takes_the_same_arguments():
    done = subprocess.run(
        [sys.executable, "manage.py", "iiif_conformance", "nonsense"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("“nonsense” is not a web address.")


def test_it_is_not_called_from_code():
    with pytest.raises(CommandError, match="Run it from the command line"):
        call_command("iiif_conformance")
