"""Every command and every line of code in the README does what the README says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest

from iiif_auth.conf import DEFAULTS
from project.collection.prepare import prepare
from tests.browser.demo import alone, data_folder, free_port, interruptible
from tests.readme_commands import README, blocks

ROOT = README.parent


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh copy of what is in the repository, with nothing that somebody built there."""
    target = tmp_path_factory.mktemp("clone") / "iiif_auth"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.mark.readme
def test_the_first_command_brings_up_the_demo_from_a_fresh_copy(clone):
    """The command as it stands; only the port and the form of the announcement are added at its end.

    Of the pictures it finds all but two: to draw them takes minutes, and the first of the other demos has done so.
    """
    port = free_port()
    with alone(data_folder()):
        drawn = [step.done for step in prepare(data_folder())]
        for folder in ("images", "media", "films", "stamps"):
            shutil.copytree(data_folder() / folder, clone / ".demo" / folder)
    for missing in ("images/chart-1.tif", "stamps/report.pdf"):
        (clone / ".demo" / missing).unlink()
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DEMO", "BASE_URL", "VIRTUAL_ENV", "DATABASE_URL")
    }
    command = f"{blocks()['demo']} --json --port {port}"
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=interruptible,
    ) as demo:
        assert demo.stdout is not None
        line = demo.stdout.readline()
        try:
            ready = json.loads(line)
            with urlopen(f"{ready['base_url']}/iiif/collection.json") as answer:
                assert json.load(answer)["type"] == "Collection"
            with urlopen(ready["viewer_url"]) as answer:
                assert answer.status == 200
        finally:
            os.killpg(demo.pid, signal.SIGINT)
            _out, said = demo.communicate(timeout=60)
    assert "Drew 2 pictures and recordings." in said
    assert len(drawn) == 43


@pytest.mark.readme
def test_a_new_site_with_the_lines_of_the_readme_passes_its_checks(tmp_path):
    """``django-admin startproject``, the README's settings and URLs, then the README's commands."""
    subprocess.run([sys.executable, "-m", "django", "startproject", "site_of_yours", str(tmp_path)], check=True)
    package = tmp_path / "site_of_yours"
    with (package / "settings.py").open("a", encoding="utf-8") as settings:
        settings.write("\n" + blocks()["settings"] + "\n")
    with (package / "urls.py").open("a", encoding="utf-8") as urls:
        urls.write("\nfrom django.urls import include\n" + blocks()["urls"] + "\n")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "site_of_yours.settings",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
    }
    for command in [*blocks()["migrate"].splitlines(), *blocks()["prune"].splitlines()]:
        words = command.replace("python ", f"{sys.executable} ", 1).split()
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_for_host_sites_is_code_of_ours(db):
    """The README's example runs, with the names it takes for granted."""
    from django.test import RequestFactory

    from tests.factories import UserFactory

    request = RequestFactory().get("/")
    request.user = UserFactory()
    names = {
        "info_json": {"@context": "http://iiif.io/api/image/3/context.json"},
        "manifest": {"@context": "http://iiif.io/api/presentation/3/context.json", "type": "Manifest", "items": []},
        "request": request,
    }
    exec(compile(blocks()["api"], str(README), "exec"), names)  # noqa: S102
    assert names["services"] == []
    assert names["image"](request, identifier="chart").status_code == 404


def test_every_setting_is_in_the_readme_and_no_other():
    table = README.read_text(encoding="utf-8").partition("### Settings")[2].partition("### ")[0]
    rows = [line.split("|")[1].strip().strip("`") for line in table.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(DEFAULTS)


def test_the_install_command_names_the_package():
    assert blocks()["install"].split()[-1] == "django-iiif-auth"


def test_every_picture_in_the_readme_is_there():
    import re

    for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).is_file(), target


FEWER = {10_000_000: 2000, 2_000_000: 2000, 1_000_000: 5000, 200_000: 400, 100_000: 500, 20_000: 100, 10_000: 10}
SHORTER = {
    "python -m tests.bench": " --rounds 1 --calls 5",
    "python -m tests.bench.tiles": " --rounds 1 --tiles 160",
    "python -m tests.bench.manifests": " --rounds 1",
    "python -m tests.bench.many": " 500",
    "python -m tests.bench.admin": " --rows 500 --rounds 1",
    "python -m tests.bulk.killed --points 200 --seed 1": " --points 4 --rows 40",
    "python -m tests.exchange.killed --points 200 --seed 1": " --points 4",
}
"""What takes minutes is run with less of everything."""
NEEDS = {"origins": "node", "texts": "chromium"}


def campaigns() -> list[str]:
    lines = README.read_text(encoding="utf-8").splitlines()
    return [line.split("`")[1] for line in lines if line.startswith("| `python -m")]


CAMPAIGN_PARTS = int(os.environ.get("CAMPAIGN_PARTS", "3"))


def of(day: int) -> list[str]:
    """Those that are run on a day, counted from any: each has tests of its own that are run always."""
    return [command for place, command in enumerate(campaigns()) if place % CAMPAIGN_PARTS == day % CAMPAIGN_PARTS]


def test_within_three_days_each_campaign_is_run():
    days = [command for day in range(CAMPAIGN_PARTS) for command in of(day)]
    assert sorted(days) == sorted(campaigns())


@pytest.mark.readme
@pytest.mark.parametrize("command", of(datetime.now(UTC).toordinal()))
def test_the_longer_campaigns_run_as_written(command):
    for name, program in NEEDS.items():
        if name in command and shutil.which(program) is None and os.environ.get("CI") != "true":
            pytest.skip(f"{program} is not installed.")
    command = re.sub(r"\b[0-9]{5,}\b", lambda number: str(FEWER[int(number[0])]), command) + SHORTER.get(command, "")
    words = command.replace("python ", f"{sys.executable} ", 1).split()
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")
    }
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_there_are_seventeen_campaigns():
    assert len(campaigns()) == 17
