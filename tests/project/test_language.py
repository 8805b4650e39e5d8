"""The demo's pages in every language: by the link, by the account, by a choice made here, by the browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from project.items import ITEMS
from project.models import Preference
from project.wording import in_all, in_all_2

pytestmark = pytest.mark.django_db


def language(client: Client, path: str = "/", **more: str) -> str:
    response = client.get(path, **more)
    found = re.search(r'<html lang="([a-z]+)" dir="ltr">', response.content.decode())
    assert found is not None
    assert response.headers["Content-Language"] == found[1]
    return found[1]


@pytest.fixture
def reader():
    return get_user_model().objects.create_user("reader", password="merehaven")


def test_a_choice_is_kept_in_this_browser():
    client = Client(headers={"accept-language": "fr"})
    assert language(client) == "fr"
    assert client.post("/language/", {"language": "de", "next": "/"}).headers["Location"] == "/"
    assert language(client) == "de"
    assert language(client, "/?lang=fr") == "fr"
    assert language(client) == "de"


def test_a_choice_is_kept_with_the_account_and_meets_one_elsewhere(reader):
    client = Client()
    client.force_login(reader)
    client.post("/language/", {"language": "de"})
    elsewhere = Client(headers={"accept-language": "fr"})
    assert language(elsewhere) == "fr"
    elsewhere.post("/accounts/login/", {"login": "reader", "password": "merehaven"})
    assert language(elsewhere) == "de"


def test_signing_in_changes_nothing_for_who_never_chose(reader):
    client = Client(headers={"accept-language": "fr"})
    client.post("/accounts/login/", {"login": "reader", "password": "merehaven"})
    assert language(client) == "fr"


def test_a_link_changes_neither_the_account_nor_the_browser(reader):
    client = Client()
    client.force_login(reader)
    assert language(client, "/?lang=de") == "de"
    assert not Preference.objects.exists()
    assert "django_language" not in client.cookies
    assert client.get("/language/?language=de").status_code == 405


@pytest.mark.parametrize("code", ["xx", "", "../de", "de\x00"])
def test_a_language_there_is_not_is_not_kept(reader, code):
    client = Client()
    client.force_login(reader)
    client.post("/language/", {"language": code})
    assert not Preference.objects.exists()
    assert language(client) == "en"


def test_a_choice_needs_the_form_of_this_site():
    assert Client(enforce_csrf_checks=True).post("/language/", {"language": "de"}).status_code == 403


def test_one_is_not_sent_elsewhere_after_choosing():
    answer = Client().post("/language/", {"language": "de", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


def test_the_viewer_opens_in_the_language_chosen_here(settings):
    settings.VIEWER_URL = "http://127.0.0.1:9"
    client = Client(headers={"accept-language": "de"})
    assert "http://127.0.0.1:9/#" in client.get("/").content.decode()
    client.post("/language/", {"language": "fr"})
    assert "http://127.0.0.1:9/?lang=fr#" in client.get("/").content.decode()


def test_names_of_items_travel_in_every_language():
    for item in ITEMS:
        assert list(in_all(item.label)) == ["en", "de", "fr", "es", "cy"], item.slug
    assert in_all("Merehaven") == {"en": ["Merehaven"]}
    assert in_all_2("Merehaven") == "Merehaven"
    assert in_all_2(ITEMS[0].label)[1] == {"@value": "Seekarte der Merehaven-Inseln", "@language": "de"}
