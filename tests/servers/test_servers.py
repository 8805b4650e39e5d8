"""Real image servers behind our doors: described, rewritten, and passed on."""

from __future__ import annotations

from contextlib import closing, contextmanager
from urllib.parse import quote

import pytest

from iiif_auth import upstream
from iiif_auth.enforce.doors import Door, Serves
from iiif_auth.fetch import NotFetched, NotThere
from iiif_auth.policy.types import ImageApi, Rendition
from iiif_auth.upstream.passing import OutOfOrder, passed
from tests import servers
from tests.leaves import leaves

SIZES = {Serves.IMAGE_2: "full", Serves.IMAGE_3: "max"}


@contextmanager
def iipimage(folder):
    with servers.iipimage(folder / "images") as made:
        yield Door("images", "/iiif/image/2/", Serves.IMAGE_2, made.upstream), ".tif"


@contextmanager
def node_2(folder):
    with servers.node(folder / "images", 2) as made:
        yield Door("images", "/iiif/image/2/", Serves.IMAGE_2, made.upstream), ".tif"


@contextmanager
def node_3(folder):
    with servers.node(folder / "images", 3) as made:
        yield Door("images", "/iiif/image/3/", Serves.IMAGE_3, made.upstream), ".tif"


@contextmanager
def demo_2(folder):
    with servers.demo(folder, 2) as made:
        yield Door("images", "/iiif/image/2/", Serves.IMAGE_2, made.upstream), ""


@contextmanager
def demo_3(folder):
    with servers.demo(folder, 3) as made:
        yield Door("images", "/iiif/image/3/", Serves.IMAGE_3, made.upstream), ""


KINDS = [iipimage, node_2, node_3, demo_2, demo_3]


@pytest.fixture(scope="module", params=KINDS, ids=[kind.__name__ for kind in KINDS])
def behind(request, folder):
    """A door with a real server behind it, and the extension that its identifiers need."""
    upstream.forget()
    with request.param(folder) as made:
        yield made


def test_a_picture_is_described_with_its_own_size(behind):
    door, extension = behind
    found = upstream.describe(door, f"chart{extension}")
    assert (found.width, found.height) == servers.PICTURES["chart"]
    assert found.level >= 1
    assert found.tiles


def test_nothing_published_names_the_server_it_comes_from(behind):
    door, extension = behind
    found = upstream.describe(door, f"chart{extension}")
    public = f"https://iiif.example.org{door.path}chart"
    written = upstream.rewritten(found, public, door.serves.version, Rendition(f"{door.path}chart"))
    texts = list(leaves(written, str))
    assert public in texts
    assert not [text for text in texts if "127.0.0.1" in text or extension and extension in text]
    assert {text for text in texts if "://" in text} <= {
        public,
        f"http://iiif.io/api/image/{door.serves.version}/context.json",
        "http://iiif.io/api/image",
        "http://iiif.io/api/image/2/level1.json",
        "http://iiif.io/api/image/2/level2.json",
    }


def test_of_a_smaller_version_nothing_of_the_original_is_told(behind):
    door, extension = behind
    found = upstream.describe(door, f"chart~members{extension}")
    members = Rendition(f"{door.path}chart~members", reach=400, image_api=ImageApi(door.serves.version))
    written = upstream.rewritten(found, "https://iiif.example.org/x", door.serves.version, members)
    assert (written["width"], written["height"]) == (400, 300)
    assert not {1600, 1200, 800, 600} & set(leaves({**written, "maxWidth": 0, "maxHeight": 0, "maxArea": 0}, int))


def test_a_smaller_version_that_is_the_original_is_not_described(behind):
    door, extension = behind
    found = upstream.describe(door, f"chart{extension}")
    with pytest.raises(upstream.BadDescription, match="none above 400"):
        upstream.rewritten(found, "https://iiif.example.org/x", door.serves.version, Rendition("/x", reach=400))


@pytest.mark.parametrize("name", ["nothing", "nothing~members", "chart.jpg", "sub/nothing"])
def test_what_is_not_there_is_not_described(behind, name):
    door, extension = behind
    with pytest.raises(NotThere, match="no such document"):
        upstream.describe(door, f"{name}{extension}")


def test_a_picture_is_passed_on_whole(behind):
    door, extension = behind
    path = f"chart{extension}/full/200,/0/default.jpg"
    answer = passed(door, path, wanted="image/jpeg")
    assert (answer.status, answer.pieces is None) == (200, False)
    with closing(answer.pieces):
        picture = b"".join(answer.pieces)
    assert size_of(picture) == (200, 150)


def test_a_head_brings_no_bytes(behind):
    door, extension = behind
    answer = passed(door, f"chart{extension}/full/200,/0/default.jpg", "HEAD", wanted="image/jpeg")
    assert answer.status == 200
    with closing(answer.pieces):
        assert b"".join(answer.pieces) == b""


def test_what_can_not_be_made_is_no_picture(behind):
    door, extension = behind
    if door.upstream.startswith("fastcgi:"):
        return  # IIPImage 1.1 dies of it; see the next test
    answer = passed(door, f"chart{extension}/9000,9000,10,10/{SIZES[door.serves]}/0/default.jpg", wanted="image/jpeg")
    assert (answer.status, answer.pieces) == (400, None)


def test_a_server_that_dies_of_a_question_gives_no_picture(folder):
    """IIPImage 1.1, with a part outside the picture; a later one may say 400."""
    with iipimage(folder) as (door, extension):
        said = outcome(door, f"chart{extension}/9000,9000,10,10/full/0/default.jpg")
    assert said in ("later", 400)


def outcome(door, path):
    try:
        return passed(door, path, wanted="image/jpeg").status
    except OutOfOrder as problem:
        return "later" if problem.later else "out of order"


def test_no_name_is_asked_that_another_name_may_stand_for(folder):
    """IIPImage takes “../” out of names, wherever it stands."""
    upstream.forget()
    with iipimage(folder) as (door, extension):
        for name in ("ma../ps/survey", "../chart", "maps../survey"):
            with pytest.raises(NotFetched, match="none that can be asked"):
                upstream.describe(door, f"{name}{extension}")
            with pytest.raises(OutOfOrder, match="none that can be asked"):
                passed(door, f"{quote(name, safe='')}{extension}/full/9,/0/default.jpg", wanted="image/jpeg")


def test_the_base_address_is_not_followed_anywhere(behind):
    door, extension = behind
    with pytest.raises(OutOfOrder, match="answered 30"):
        passed(door, f"chart{extension}", wanted="image/jpeg")


@pytest.mark.parametrize("kind", [iipimage, node_2, node_3], ids=lambda kind: kind.__name__)
def test_a_name_with_a_folder_in_it_is_one_segment(kind, folder):
    upstream.forget()
    with kind(folder) as (door, extension):
        found = upstream.describe(door, f"maps/survey{extension}")
    assert (found.width, found.height) == servers.PICTURES["maps/survey"]


def test_a_server_that_is_gone_is_said_to_be(folder):
    upstream.forget()
    with demo_3(folder) as (door, _extension):
        pass
    with pytest.raises(OutOfOrder) as raised:
        passed(door, "chart/full/200,/0/default.jpg", wanted="image/jpeg")
    assert raised.value.later


def size_of(picture):
    import pyvips

    found = pyvips.Image.new_from_buffer(picture, "")
    return found.width, found.height
