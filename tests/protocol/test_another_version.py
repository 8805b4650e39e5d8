"""Another version of the protocol is one module and one row: the package is copied, given one, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = '''
"""A version that nobody has written."""

from __future__ import annotations

from iiif_auth.protocol.dialect import Dialect, Probe, Probing
from iiif_auth.protocol.terms import content_status


def blocks(offer, services, setting):
    return [{"id": setting.links.access(one.slug), "type": "Door9", "knock": setting.text(one.label)} for one in services]


def told(decision, question):
    return 207, {"type": "Peephole9", "sees": content_status(decision)}


DIALECT = Dialect(
    name="9",
    title="Invented API 9.0",
    space="nine",
    context="https://example.org/9",
    listed=True,
    blocks=blocks,
    token=lambda value, expires_in: {"type": "Key9", "key": value, "minutes": expires_in // 60},
    error=lambda problem, service, languages: {"type": "NoKey9", "why": problem.value},
    probing=Probing.REDIRECT,
    probe=Probe(told, lambda question: (207, {"type": "Peephole9", "sees": 503}), offered_as="9", heads=True),
)
'''
ROW = ("v1.DIALECT_094, v092.DIALECT, alpha.DIALECT)", "v1.DIALECT_094, v092.DIALECT, alpha.DIALECT, v9.DIALECT)")
IMPORT = ("import alpha, v092, v1, v2\n", "import alpha, v092, v1, v2, v9\n")
STORY = """
import json, django
django.setup()
import iiif_auth
from tests.tables import made_ready
from django.test.utils import setup_test_environment
setup_test_environment()
made_ready()
from django.conf import settings
from django.test import Client
from iiif_auth.http.info import InfoView
from iiif_auth.models import AccessPolicy, AccessService, Condition, Resource, Tier
from iiif_auth.admin.rules import AccessServiceAdmin
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import path
import project.urls

class Info(InfoView):
    dialects = ("9",)
    def describe(self, identifier):
        return f"/iiif/9/{identifier}", {"@context": "http://iiif.io/api/image/3/context.json", "id": identifier}

project.urls.urlpatterns.insert(0, path("iiif/9/<identifier>/info.json", Info.as_view()))
service = AccessService(slug="terms", pattern="clickthrough", label={"en": ["Terms of Merehaven"]}, dialects=["9"])
service.full_clean(); service.save()
rules = AccessPolicy.objects.create(slug="rules", name="Rules")
tier = Tier.objects.create(policy=rules, slug="full"); tier.services.add(service)
Condition.objects.create(tier=tier, kind="agreed", service=service)
Resource.objects.create(url="/iiif/9/chart", label={"en": ["Chart"]}, type="Image", image_api=3, policy=rules)
from iiif_auth.protocol.identity import reference
probe = f"/iiif-auth/nine/probe/{reference('/iiif/9/chart')}"
told = {"home": iiif_auth.__file__}
client = Client(HTTP_HOST="localhost", headers={"origin": "https://localhost"})
info = client.get("/iiif/9/chart/info.json")
told["before"] = [info.status_code, info.json()["service"], info.json()["@context"], client.get(probe).json()["sees"]]
told["no key"] = client.get("/iiif-auth/nine/token/terms").json()
access = "/iiif-auth/nine/access/terms?origin=https://viewer.example.org"
told["granted"] = client.post(access, secure=True).status_code
key = client.get("/iiif-auth/nine/token/terms", secure=True).json()
told["key"] = sorted(key)
shown = {"headers": {"authorization": "Bearer " + key["key"]}}
stranger = Client(HTTP_HOST="localhost")
told["after"] = [stranger.get("/iiif/9/chart/info.json", **shown).status_code, stranger.get(probe, **shown).json()["sees"]]
told["elsewhere"] = stranger.get(probe.replace("nine", "2"), **shown).json()["status"]
told["not there"] = [client.get("/iiif-auth/2/access/terms").status_code, client.get("/iiif-auth/1/access/terms").status_code]
User.objects.create_superuser("root", "r@example.org", "pw")
client.login(username="root", password="pw")
told["ticked"] = "Invented API 9.0" in client.get(f"/admin/iiif_auth/accessservice/{service.pk}/change/").content.decode()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the copy of the package with another version in it says of itself."""
    home = tmp_path_factory.mktemp("another-version")
    ignored = shutil.ignore_patterns("__pycache__")
    for package in ("iiif_auth", "project", "templates", "fixtures"):
        shutil.copytree(ROOT / package, home / package, ignore=ignored)
    (home / "iiif_auth" / "protocol" / "v9.py").write_text(MODULE)
    table = home / "iiif_auth" / "protocol" / "dialects.py"
    text = table.read_text()
    for before, after in (IMPORT, ROW):
        assert text.count(before) == 1
        text = text.replace(before, after)
    table.write_text(text)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
        "BASE_URL": "https://localhost",
        "PYTHONPATH": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STORY],
        cwd=home, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers["home"].startswith(str(home))
    return answers


def test_it_describes_itself_in_its_own_words(told):
    status, services, contexts, sees = told["before"]
    door = {"id": "https://localhost/iiif-auth/nine/access/terms", "type": "Door9", "knock": "Terms of Merehaven"}
    assert (status, services, sees) == (401, [door], 401)
    assert contexts == ["https://example.org/9", "http://iiif.io/api/image/3/context.json"]


def test_it_gives_its_own_tokens_and_errors(told):
    assert told["no key"] == {"type": "NoKey9", "why": "missing-aspect"}
    assert told["granted"] == 200
    assert told["key"] == ["key", "minutes", "type"]
    assert told["after"] == [200, 200]


def test_its_tokens_are_nobody_elsewhere_and_it_is_offered_only_where_somebody_ticked_it(told):
    assert told["elsewhere"] == 401
    assert told["not there"] == [404, 404]
    assert told["ticked"]
