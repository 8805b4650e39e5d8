"""The command, from rows and originals to files."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
import pyvips
from django.core.management import CommandError, call_command

from iiif_auth import store
from iiif_auth.derivatives import pictures
from iiif_auth.derivatives.folders import Folder
from iiif_auth.derivatives.plan import Chosen, Planner
from iiif_auth.derivatives.recipes import Recipes
from tests import factories
from tests.derivatives import originals
from tests.web import BASE, site

__all__ = ["site"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "originals"
    path.mkdir()
    return path


def policy(slug, **tiers):
    """A policy with smaller tiers, by their longest edge."""
    held = factories.AccessPolicyFactory(slug=slug)
    factories.TierFactory(policy=held, slug="full", order=0)
    for order, (name, edge) in enumerate(tiers.items(), 1):
        values = edge if isinstance(edge, dict) else {"max_edge": edge}
        factories.TierFactory(policy=held, slug=name, order=order, **{"gets": "smaller", **values})
    return held


def picture(url, held, **values):
    return factories.ResourceFactory(url=url, policy=held, image_api=3, **values)


def called(folder, *arguments):
    """What it said, on standard output."""
    out, err = StringIO(), StringIO()
    call_command("iiif_derivatives", "--originals", str(folder), *arguments, stdout=out, stderr=err)
    assert err.getvalue() == ""
    return out.getvalue()


def refused(folder, *arguments):
    """What it said, on standard error and with the exit status."""
    err = StringIO()
    with pytest.raises(CommandError) as problem:
        call_command("iiif_derivatives", "--originals", str(folder), *arguments, stdout=StringIO(), stderr=err)
    return err.getvalue() + str(problem.value)


def width(path):
    return pyvips.Image.new_from_file(str(path)).width


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def draw(folder, *names, size=(800, 600)):
    for name in names:
        originals.write(originals.light(180, *size), folder / name)


# -- What is made ---------------------------------------------------------------------------------------------------


def test_every_tier_that_shows_less_gets_its_file(folder):
    draw(folder, "maps/survey.tif", "chart.jpg")
    held = policy("survey", members=400, public=200)
    picture("/iiif/3/plan-1", held, source="maps/survey.tif")
    picture("/iiif/3/chart", held)
    said = called(folder)
    assert said.splitlines()[-1] == "Made: 4. Up to date: 0."
    assert "[4/4] " in said
    made = ["maps/survey~members.tif", "maps/survey~public.tif", "chart~members.jpg", "chart~public.jpg"]
    assert files(folder) == sorted([*made, "maps/survey.tif", "chart.jpg", ".iiif-derivatives.jsonl"])
    assert [width(folder / name) for name in made] == [400, 200, 400, 200]


def test_what_is_made_is_what_the_store_will_ask_for(folder):
    """One name, one size: the address of a version leads to the file that was made for it (security 2.6)."""
    draw(folder, "maps/survey.tif", "chart.tif", "dotted.tif")
    held = policy("survey", members={"max_edge": 400, "suffix": ".small"}, public=200)
    picture("/iiif/3/plan-1", held, source="maps/survey.tif")
    picture("/iiif/3/chart", held)
    picture("/iiif/3/dotted.tif", held)
    row = picture("/iiif/3/handmade", held, source="chart.tif")
    factories.RenditionFactory(resource=row, url="/iiif/3/other", tier="public", image_api=3, source="new/other.tif")
    called(folder)
    for url in ("plan-1.small", "plan-1~public", "chart.small", "chart~public", "dotted.tif~public", "other"):
        wanted = store.find_offer(f"/iiif/3/{url}").wanted
        name = wanted.source or url
        found = [path for path in (folder / name, folder / f"{name}.tif") if path.is_file()]
        assert found, url
        assert width(found[0]) == wanted.reach, url


def test_a_row_that_names_a_version_names_its_file(folder):
    originals.film(folder / "film.mp4", folder, seconds=1)
    held = policy("film", small=160)
    row = factories.ResourceFactory(url="/media/film.mp4", policy=held, image_api=0, type="Video")
    factories.RenditionFactory(resource=row, url="/media/film-small.webm", tier="small", image_api=0)
    called(folder, "--resource", f"{BASE}/media/film.mp4")
    assert "film-small.webm" in files(folder)


def test_a_version_without_an_address_is_made_and_said_to_have_none(folder):
    draw(folder, "page.png")
    factories.ResourceFactory(url="/media/page.png", policy=policy("p", small=100), image_api=0)
    said = called(folder)
    assert "1 has no address yet: add a rendition for the tier, or nobody is offered it." in said
    assert width(folder / "page~small.png") == 100


def test_policies_in_force_count_and_others_do_not(folder):
    draw(folder, "a.tif", "b.tif")
    above = factories.CollectionFactory(slug="above", policy=policy("above", small=100))
    picture("/iiif/3/a", policy("own", other=200), collection=above)
    picture("/iiif/3/b", policy("over", other=300), collection=above, overrides=True)
    called(folder)
    assert [name for name in files(folder) if "~" in name] == ["a~other.tif", "a~small.tif", "b~other.tif"]


def test_versions_made_on_the_fly_and_other_tiers_need_no_file(folder):
    draw(folder, "a.tif")
    held = policy("p", small={"max_edge": 100, "virtual": True}, nothing={"gets": "nothing", "max_edge": None})
    picture("/iiif/3/a", held)
    assert called(folder) == "Made: 0. Up to date: 0.\n"
    assert files(folder) == ["a.tif"]


def test_it_can_be_asked_for_some_only(folder):
    draw(folder, "a.tif", "b.tif", "c.tif")
    shelf = factories.CollectionFactory(slug="shelf")
    box = factories.CollectionFactory(slug="box", parent=shelf)
    one, two = policy("one", s=100), policy("two", s=100)
    picture("/iiif/3/a", one, collection=box)
    picture("/iiif/3/b", two)
    picture("/iiif/3/c", one)

    def listed(*arguments):
        return [line.split()[0] for line in called(folder, "--dry-run", *arguments).splitlines()[1:-1]]

    assert listed() == ["a~s.tif", "b~s.tif", "c~s.tif"]
    assert listed("--collection", "shelf") == ["a~s.tif"]
    assert listed("--policy", "one") == ["a~s.tif", "c~s.tif"]
    assert listed("--policy", "one", "--collection", "shelf") == ["a~s.tif"]
    assert listed("--resource", "/iiif/3/b", "--resource", f"{BASE}/iiif/3/c/info.json") == ["b~s.tif", "c~s.tif"]
    for option, name in (("--collection", "shelve"), ("--policy", "three"), ("--resource", "/iiif/3/d")):
        assert f"There is no {option[2:]} {name}" in refused(folder, option, name)
    assert "A resource was named that can be none." in refused(folder, "--resource", "/a/../b")


def test_recipes_and_options_are_followed(folder, tmp_path):
    draw(folder, "a.tif")
    picture("/iiif/3/a", policy("p", members=400, public=200))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[public]\nscale = 120\ngrey = true\n["p/members"]\nwatermark = "Merehaven"\n')
    called(folder, "--recipe", str(recipe), "--quality", "70")
    public = pyvips.Image.new_from_file(str(folder / "a~public.tif"))
    assert (public.width, public.bands) == (120, 1)
    assert pyvips.Image.new_from_file(str(folder / "a~members.tif")).deviate() > 5
    recipe.write_text("[membres]\nscale = 3\n")
    assert "The recipe has a table [membres], but no policy has such a tier" in refused(folder, "--recipe", str(recipe))


# -- Again ----------------------------------------------------------------------------------------------------------


def test_what_is_up_to_date_is_left_alone_and_what_is_not_is_made_again(folder):
    draw(folder, "a.tif", "b.tif")
    held = policy("p", s=100)
    picture("/iiif/3/a", held)
    picture("/iiif/3/b", held)
    called(folder)
    before = (folder / "a~s.tif").stat().st_mtime_ns
    assert called(folder) == "Made: 0. Up to date: 2.\n"
    assert (folder / "a~s.tif").stat().st_mtime_ns == before
    draw(folder, "b.tif", size=(900, 600))
    assert called(folder).endswith("Made: 1. Up to date: 1.\n")
    assert called(folder, "--grey").endswith("Made: 2. Up to date: 0.\n")
    assert called(folder, "--grey", "--force").endswith("Made: 2. Up to date: 0.\n")
    held.tiers.filter(slug="s").update(max_edge=80)
    assert called(folder, "--grey").endswith("Made: 2. Up to date: 0.\n")
    (folder / "a~s.tif").unlink()
    assert called(folder, "--grey").endswith("Made: 1. Up to date: 1.\n")
    assert (width(folder / "a~s.tif"), len((folder / ".iiif-derivatives.jsonl").read_bytes().splitlines())) == (80, 2)


def test_a_dry_run_shows_what_is_due_and_writes_nothing(folder):
    draw(folder, "a.tif")
    picture("/iiif/3/a", policy("p", s=100))
    said = called(folder, "--dry-run", "--grey")
    assert said.splitlines()[1].split() == ["a~s.tif", "a.tif", "100", "grey", "to", "be", "made"]
    assert said.splitlines()[-1] == "To be made: 1. Up to date: 0."
    assert files(folder) == ["a.tif"]


def test_files_can_go_to_a_folder_of_their_own_and_be_made_side_by_side(folder, tmp_path):
    names = [f"deep/page-{number}.jpg" for number in range(6)]
    draw(folder, *names)
    held = policy("p", s=100)
    for name in names:
        picture(f"/iiif/3/{Path(name).stem}", held, source=name)
    into = tmp_path / "derivatives"
    into.mkdir()
    assert called(folder, "--into", str(into), "--jobs", "3").endswith("Made: 6. Up to date: 0.\n")
    assert files(into) == [".iiif-derivatives.jsonl", *(name.replace(".jpg", "~s.jpg") for name in names)]
    assert files(folder) == sorted(names)


def test_what_is_no_smaller_than_its_original_is_said(folder):
    draw(folder, "a.tif", size=(90, 60))
    picture("/iiif/3/a", policy("p", s=100))
    assert "1 of them shows all that the original does" in called(folder)


def test_it_says_how_long_it_will_take():
    from iiif_auth.management.commands.iiif_derivatives import in_words

    assert [in_words(seconds) for seconds in (-1, 0.4, 61.2, 600, 3 * 3600 + 9)] == [
        "",
        "",
        ", about 61 s left",
        ", about 10 min left",
        ", about 3 h left",
    ]


# -- What is not made -----------------------------------------------------------------------------------------------


def test_a_broken_original_is_a_sentence_and_stops_nothing_else(folder):
    draw(folder, "a.tif", "c.tif")
    (folder / "b.tif").write_bytes(b"II*\0 and nothing else")
    (folder / "e.tif").write_bytes(b"no picture at all")
    held = policy("p", s=100)
    for name in "abcde":
        picture(f"/iiif/3/{name}", held)
    said = refused(folder)
    assert "d~s: There is no original called d in the folder" in said
    assert "b~s.tif: libvips says: " in said
    assert "e~s.tif: It is not a TIFF, JPEG, PNG, WebP or JPEG 2000 file" in said
    assert said.endswith("Made: 2. Up to date: 0. Not made: 3, for the reasons above.")
    assert [name for name in files(folder) if "~" in name or name.startswith(".iiif-derivatives-")] == [
        "a~s.tif",
        "c~s.tif",
    ]


def test_no_original_is_ever_written_over(folder):
    draw(folder, "a.tif", "a~s.tif", "b.tif", "other.tif", "c.tif")
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    held = policy("p", s=100)
    picture("/iiif/3/a", held)  # a~s.tif is there, made by nobody knows whom
    row = picture("/iiif/3/b", held, source="b.tif")
    factories.RenditionFactory(resource=row, url="/iiif/3/b-small", tier="s", image_api=3, source="other.tif")
    factories.ResourceFactory(
        url="/iiif/3/o", image_api=3, source="other.tif", policy=factories.AccessPolicyFactory(slug="another")
    )
    itself = picture("/iiif/3/c", held, source="c.tif")
    factories.RenditionFactory(resource=itself, url="/iiif/3/c-small", tier="s", image_api=3, source="c.tif")
    for arguments in ((), ("--force",)):
        said = refused(folder, *arguments)
        assert "a~s.tif: There is a file of this name already that this command has not made" in said
        assert said.count("An original has this name, and originals are never written over") == 2
    assert {name: (folder / name).read_bytes() for name in files(folder) if name in before} == before
    assert set(files(folder)) - set(before) <= {".iiif-derivatives.jsonl"}


def test_a_file_that_was_changed_by_hand_is_kept(folder):
    draw(folder, "a.tif")
    picture("/iiif/3/a", policy("p", s=100))
    called(folder)
    (folder / "a~s.tif").write_bytes(b"retouched")
    assert "or that was changed since, so it is left alone" in refused(folder, "--force")
    assert (folder / "a~s.tif").read_bytes() == b"retouched"


def test_an_original_that_changes_meanwhile_is_not_taken_for_done(folder, monkeypatch):
    draw(folder, "a.tif")
    picture("/iiif/3/a", policy("p", s=100))
    real = pictures.WRITERS["tiff"]

    def slow(*arguments):
        real(*arguments)
        draw(folder, "a.tif", size=(640, 480))

    monkeypatch.setitem(pictures.WRITERS, "tiff", slow)
    assert "The original changed while it was being read; run the command again." in refused(folder)
    assert files(folder) == ["a.tif"]


def test_two_versions_under_one_name_are_not_made(folder):
    draw(folder, "a.tif", "b.tif")
    held = policy("p", s=100)
    for name in "ab":
        row = picture(f"/iiif/3/{name}", held)
        factories.RenditionFactory(resource=row, url=f"/iiif/3/{name}-s", tier="s", image_api=3, source="small.tif")
    assert "small.tif: Two different versions have this name" in refused(folder)


def test_rows_that_lead_out_of_the_folder_are_refused(folder, tmp_path):
    """Validation keeps them out of the admin; a fixture or another program may still bring them in."""
    draw(folder, "a.tif")
    draw(tmp_path, "secret.tif")
    held = policy("p", s=100)
    picture("/iiif/3/x", held, source="../secret.tif")
    row = picture("/iiif/3/a", held)
    factories.RenditionFactory(resource=row, url="/iiif/3/y", tier="s", image_api=3, source="../stolen.tif")
    said = refused(folder)
    assert said.count("can not be the name of a file in the folder") == 2
    assert not (tmp_path / "stolen.tif").exists()
    assert not list(tmp_path.glob("secret~*"))


def test_what_is_on_another_site_is_counted_and_left_out(folder):
    picture("https://images.example.net/iiif/3/far", policy("p", s=100))
    assert called(folder).endswith("On other sites, and so left out: 1.\n")


def test_folders_and_numbers_that_are_none_are_sentences(folder, tmp_path):
    assert "is not a folder. Make it first, or name another." in refused(tmp_path / "gone")
    assert "must be above zero" in refused(folder, "--jobs", "0")
    assert "“blur” has to be a number above 0 up to 0.5" in refused(folder, "--blur", "3")


def test_without_libvips_there_is_one_sentence(folder, monkeypatch):
    draw(folder, "a.tif")
    picture("/iiif/3/a", policy("p", s=100))
    monkeypatch.setitem(sys.modules, "pyvips", None)
    assert refused(folder) == "Pictures need libvips; install it with: pip install 'django-iiif-auth[images]'"


def test_the_app_and_the_command_are_there_without_libvips_and_ffmpeg():
    code = (
        "import sys; sys.modules['pyvips'] = None; import django; django.setup();"
        "from django.core.management import get_commands, load_command_class as load;"
        "load('iiif_auth', 'iiif_derivatives').create_parser('manage.py', 'iiif_derivatives').format_help()"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- Being stopped --------------------------------------------------------------------------------------------------


def jobs_in(folder):
    planner = Planner(Folder.at(folder), Recipes())
    return list(planner.jobs(Chosen()))


def test_a_full_disk_ends_it_with_a_sentence_and_leaves_no_half_file(folder, monkeypatch):
    draw(folder, "a.tif", "b.tif")
    held = policy("p", s=100)
    picture("/iiif/3/a", held)
    picture("/iiif/3/b", held)

    def no_room(_picture, path, _quality):
        path.write_bytes(b"II*\0 half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(pictures.WRITERS, "tiff", no_room)
    assert "It could not be written: No space left on device." in refused(folder)
    monkeypatch.setattr("iiif_auth.derivatives.making.FULL_BELOW", 2**62)
    assert "is full. Make room and run the command again" in refused(folder)
    assert files(folder) == ["a.tif", "b.tif"]


LIMITED = """
import resource, sys
from pathlib import Path
from iiif_auth.derivatives import pictures, recordings
from iiif_auth.derivatives.limits import Limits, NotMade, Watch
from iiif_auth.derivatives.recipes import Recipe
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
original, into, form = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
make = pictures.make if form == "tiff" else recordings.make
try:
    make(original, into, form, 300, Recipe(), Watch(Limits()))
except (NotMade, OSError) as problem:
    print("refused")
else:
    print("made")
"""


@pytest.mark.parametrize("form", ["tiff", "mp4"])
def test_a_writer_that_runs_out_of_room_is_noticed(folder, form):
    """A real shortage: the kernel ends every file after 3000 bytes."""
    original = folder / ("a.tif" if form == "tiff" else "a.mp4")
    if form == "tiff":
        pyvips.Image.gaussnoise(640, 480, mean=128, sigma=40).cast("uchar").copy(interpretation="b-w").tiffsave(
            str(original)
        )
    else:
        originals.film(original, folder, seconds=1)
    command = [sys.executable, "-c", LIMITED, str(original), str(folder / f"b.{form}"), form]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert done.stdout == "refused\n", done.stderr


RUN = """
import sys
from iiif_auth.derivatives.folders import Folder
from iiif_auth.derivatives.ledger import Ledger, alone
from iiif_auth.derivatives.limits import Limits
from iiif_auth.derivatives.making import Workshop
from iiif_auth.derivatives.jobs import Job
from iiif_auth.derivatives.recipes import Recipe
folder = Folder.at(sys.argv[1])
with alone(folder):
    shop = Workshop(folder, Ledger(folder), Limits(), workers=2)
    names = sorted(path.name for path in folder.root.glob("page-*.tif") if "~" not in path.name)
    jobs = [Job(n.replace(".tif", "~s.tif"), folder.original(n), 700, Recipe(blur=0.1), "tiff") for n in names]
    waiting = [job for job in jobs if not shop.is_current(job)]
    print("begun", len(waiting), flush=True)
    for step in shop.made(waiting):
        assert step.state == "made", step.why
        print(step.done, flush=True)
"""


def test_killed_at_any_moment_it_leaves_no_half_file_and_goes_on_from_there(folder):
    draw(folder, *(f"page-{number:02}.tif" for number in range(20)), size=(900, 700))
    command = [sys.executable, "-c", RUN, str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    chance = random.Random(4)
    waiting = []
    for _kill in range(4):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        waiting.append(process.stdout.readline())
        for _file in range(chance.randint(0, 3)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.06))
        process.kill()
        process.communicate()
        for made in folder.glob("page-*~s.tif"):
            whole = pyvips.Image.tiffload(str(made), fail_on="error")
            assert whole.width == 700
            whole.avg()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("page-*~s.tif"))) == 20
    assert not list(folder.glob(".iiif-derivatives-*"))
    assert len(set(waiting)) > 1, "It began from the beginning each time."
    again = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert again.stdout == "begun 0\n"


def test_stopped_in_good_order_it_says_so_and_clears_up(folder, monkeypatch):
    draw(folder, "a.tif", "b.tif")
    held = policy("p", s=100)
    picture("/iiif/3/a", held)
    picture("/iiif/3/b", held)
    real = pictures.WRITERS["tiff"]

    def interrupted(*arguments):
        real(*arguments)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)

    monkeypatch.setitem(pictures.WRITERS, "tiff", interrupted)
    err = StringIO()
    with pytest.raises(CommandError, match=r"Stopped\. What was made is good") as stopped:
        call_command("iiif_derivatives", "--originals", str(folder), stdout=StringIO(), stderr=err)
    assert stopped.value.returncode == 130
    assert not list(folder.glob(".iiif-derivatives-*"))
    monkeypatch.setitem(pictures.WRITERS, "tiff", real)
    assert called(folder)


def test_planning_takes_few_statements_however_many_resources_there_are(folder, django_assert_max_num_queries):
    held = policy("p", s=100)
    for number in range(40):
        picture(f"/iiif/3/page-{number}", held)
        (folder / f"page-{number}.tif").write_bytes(b"x")
    store.rulebook()
    with django_assert_max_num_queries(10):
        assert len(jobs_in(folder)) == 40


def test_the_ledger_tells_nothing_but_names_and_numbers(folder):
    draw(folder, "a.tif")
    picture("/iiif/3/a", policy("p", s=100))
    called(folder)
    (line,) = (folder / ".iiif-derivatives.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == {"name", "digest", "original", "size", "modified", "made"}
    assert str(folder) not in line
