"""Bringing in manifests, as people do it."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from iiif_auth import fetch, models, roles
from iiif_auth.admin import tables
from iiif_auth.exchange import uploads
from tests import factories
from tests.admin.pages import Form
from tests.admin.test_tables import anybodys, applied, staff
from tests.exchange.test_trees import COLLECTION_3, MANIFEST_2, MANIFEST_3

pytestmark = pytest.mark.django_db

START = reverse("admin:iiif_auth_manifests")


def brought_in(client, document, **more):
    answer = client.post(START, {"text": json.dumps(document), **more})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def looked_at(client, url, **answers):
    fields = Form(client.get(url).content.decode(), "").fields
    answer = client.post(url, {**fields, "do": "look", **answers})
    assert answer.status_code == 302, answer.content.decode()
    return client.get(answer.url)


def test_a_manifest_is_looked_at_applied_and_put_back(root):
    collection, policy = factories.CollectionFactory(slug="maps"), factories.AccessPolicyFactory(slug="closed")
    known = factories.ResourceFactory(url="https://images.example.org/iiif/3/one", label={"en": ["My own label"]})
    url = brought_in(root, MANIFEST_3)
    page = root.get(url).content.decode()
    assert "known" in page
    assert "not known yet" in page
    assert models.Resource.objects.count() == 1
    rows = looked_at(root, url, collection="maps", policy="closed")
    assert models.Resource.objects.count() == 1
    applied(root, rows, "Agreement with the donor")
    assert (
        models.Resource.objects.filter(collection=collection, policy=policy).count() == models.Resource.objects.count()
    )
    known.refresh_from_db()
    assert known.label == {"en": ["My own label"]}
    thumb = models.Rendition.objects.get(url="https://images.example.org/thumbs/one.jpg")
    assert thumb.resource == known
    made = models.Resource.objects.get(url="https://images.example.org/iiif/2/two")
    assert (made.label, made.image_api, made.type) == ({"en": ["Second page – Natural light"]}, 2, "Image")
    root.post(rows.request["PATH_INFO"], {"do": "undo", "reason": "A mistake"})
    assert models.Resource.objects.get() == known
    assert not models.Rendition.objects.exists()


def test_only_what_is_ticked_changes(root):
    factories.CollectionFactory(slug="maps")
    url = brought_in(root, MANIFEST_3)
    rows = looked_at(root, url, collection="maps", tick=["1"])
    applied(root, rows)
    assert models.Resource.objects.get().url == "https://images.example.org/iiif/2/two"


def test_ticks_are_kept_from_page_to_page(root):
    items = [{"id": f"https://x.example/c{n}", "type": "Canvas", "items": page_of(n)} for n in range(120)]
    url = brought_in(root, {**MANIFEST_3, "items": items})
    kept = root.post(url, {"do": "page-2", "tick": ["3"]})
    assert kept.url == "?page=2"
    batch = models.Batch.objects.get()
    assert len(batch.plan["left"]) == 99
    assert "21 items are ticked." in root.get(url + "?page=2").content.decode()
    root.post(url, {"do": "none"})
    assert len(models.Batch.objects.get().plan["left"]) == 120
    root.post(url, {"do": "all"})
    assert models.Batch.objects.get().plan["left"] == []


def page_of(number):
    body = {"id": f"https://x.example/{number}.jpg", "type": "Image"}
    return [{"type": "AnnotationPage", "items": [{"type": "Annotation", "motivation": "painting", "body": body}]}]


def test_pictures_are_only_of_this_site(root, settings):
    base = settings.IIIF_AUTH_FLOW["BASE_URL"]
    body = {"id": f"{base}/iiif/image/3/a/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg"}
    own = {"type": "Canvas", "thumbnail": [{"id": f"{base}/thumbs/a.jpg"}], "items": page_of(1)}
    own["items"][0]["items"][0]["body"] = body
    far = {"type": "Canvas", "thumbnail": "https://elsewhere.example/t.jpg", "items": page_of(2)}
    page = root.get(brought_in(root, {**MANIFEST_3, "items": [own, far]})).content.decode()
    assert 'src="/thumbs/a.jpg"' in page
    assert 'src="https:' not in page


def test_rights_are_shown_as_what_they_are(root):
    page = root.get(brought_in(root, {**MANIFEST_2, "license": "http://rightsstatements.org/vocab/InC/1.0/"}))
    assert "This describes copyright and not who may see it" in page.content.decode()


def test_manifests_that_are_only_pointed_at_are_listed(root, settings):
    url = brought_in(root, COLLECTION_3)
    page = root.get(url).content.decode()
    assert "https://x.example/m1.json" in page
    assert "Bring in" not in page.replace("Bring them in", "")
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "MANIFEST_SOURCES": ("https://x.example/",)}
    assert 'name="url" value="https://x.example/m1.json"' in root.get(url).content.decode()


def test_addresses_are_fetched_only_from_the_sites_that_are_listed(root, settings):
    assert 'name="url"' not in root.get(START).content.decode()
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "MANIFEST_SOURCES": ("https://x.example/",)}
    refused = root.post(START, {"url": "http://169.254.169.254/latest"})
    assert "Documents from this address are not fetched." in refused.content.decode()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "This is not JSON"),
        ('{"hello": 1}', "neither a manifest nor a Collection"),
        ('{"type": "Manifest", "items": []}', "nothing in this document that could be restricted"),
        ("", "Please give one thing"),
    ],
)
def test_what_is_no_manifest_is_answered_with_a_sentence(root, text, sentence):
    assert sentence in root.post(START, {"text": text}).content.decode()


def test_a_file_will_do_as_well(root):
    file = SimpleUploadedFile("m.json", json.dumps(MANIFEST_2).encode())
    assert root.post(START, {"file": file}).status_code == 302


def test_people_see_nothing_of_collections_that_are_not_theirs(client, root):
    mine, other = factories.CollectionFactory(slug="mine"), factories.CollectionFactory(slug="other")
    factories.ResourceFactory(url="https://images.example.org/iiif/3/one", collection=other)
    user = staff(client, "view_resource", "change_resource", "add_resource", "view_collection")
    models.Delegation.objects.create(collection=mine, user=user, role="manager")
    url = brought_in(client, MANIFEST_3)
    page = client.get(url).content.decode()
    assert "other" not in page.split("datalist")[0].lower().replace("another", "")
    assert page.count("not known yet") == len(models.Batch.objects.get().plan["contents"])
    rows = looked_at(client, url, collection="mine")
    assert rows.context["counts"]["new"] == 0
    assert rows.context["counts"]["error"] == len(models.Batch.objects.get().plan["contents"])
    assert "There is no collection" in client.post(url, {"do": "look", "collection": "other"}).content.decode()


def test_a_manifest_belongs_to_whoever_brought_it_in(client, root):
    url = brought_in(root, MANIFEST_3)
    staff(client, "view_resource", "change_resource", "every_collection")
    assert client.get(url).status_code == 404
    staff(client, "view_resource")
    assert client.get(START).status_code == 403
    assert client.post(START, {"text": "{}"}).status_code == 403


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


def test_it_is_noticed_where_manifests_are_anybodys(client, root, monkeypatch):
    monkeypatch.setattr(uploads, "own", anybodys)
    with pytest.raises(AssertionError, match="200 == 404"):
        test_a_manifest_belongs_to_whoever_brought_it_in(client, root)


def test_it_is_noticed_where_everybody_may_bring_them_in(client, root, monkeypatch):
    monkeypatch.setattr(tables, "may_exchange", lambda user: True)
    with pytest.raises(AssertionError, match="200 == 403"):
        test_a_manifest_belongs_to_whoever_brought_it_in(client, root)


def test_it_is_noticed_where_other_collections_are_told_of(client, root, monkeypatch):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    with pytest.raises(AssertionError):
        test_people_see_nothing_of_collections_that_are_not_theirs(client, root)


def test_it_is_noticed_where_a_manifest_may_be_fetched_from_anywhere(root, settings, monkeypatch):
    asked = []

    def unplugged(target, addresses, until, context):
        asked.append(target.host)
        raise OSError("unplugged")

    monkeypatch.setattr(fetch, "_connection", unplugged)
    monkeypatch.setattr(fetch, "listed", lambda url, sources: fetch.target_of(url))
    with pytest.raises(AssertionError, match="are not fetched"):
        test_addresses_are_fetched_only_from_the_sites_that_are_listed(root, settings)
    assert asked == ["169.254.169.254"]
