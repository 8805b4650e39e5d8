"""Credentials and cookies go to the host that was named, and to no other, however a server tries."""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
import pytest

from iiif_auth.conformance.documents import read
from iiif_auth.conformance.person import become, visited
from iiif_auth.conformance.tour import Credentials, Options, Tour
from iiif_auth.conformance.web import Limits, Web

HERE = "https://archive.example.org"
THERE = "https://idp.example.net"
LOGIN = '<form method="post" action="{}"><input name="user"><input type="password" name="pass"></form>'
CLOSING = "<script>window.close()</script>"
TOKEN = "<script>parent.postMessage({type: 'AuthAccessToken2', accessToken: 'secret-token', messageId: '1234'}, '*')</script>"


class Library:
    """Pages by path of this host, and a memory of every request to any host."""

    def __init__(self, **pages):
        self.pages = pages
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        page = self.pages.get(request.url.path.strip("/"), "")
        return page(request) if callable(page) else httpx.Response(200, html=page)

    def posted(self):
        return [(str(one.url), dict(parse_qsl(one.content.decode()))) for one in self.asked if one.method == "POST"]


def access(at=f"{HERE}/access", profile="active"):
    token = {"id": f"{HERE}/token", "type": "AuthAccessTokenService2"}
    body = {"id": at, "type": "AuthAccessService2", "profile": profile, "service": [token]}
    probe = {"id": f"{HERE}/probe", "type": "AuthProbeService2", "service": [body]}
    return read(f"{HERE}/manifest", {"id": f"{HERE}/i.jpg", "type": "Image", "service": [probe]})


@pytest.fixture
def gone():
    """Go through the access service of a library; the holder."""
    clients = []

    def go(library, document=None, **options):
        options.setdefault("credentials", Credentials("ada", "correct horse"))
        client = Web(Limits(50, 60), httpx.MockTransport(library))
        clients.append(client)
        tour = Tour(client, Options(urls=(f"{HERE}/manifest",), **options), [document or access()])
        return become(tour, next(tour.services("2.0.0", "access")))

    yield go
    for client in clients:
        client.client.close()


def test_a_login_form_of_the_named_host_is_filled_in(gone):
    library = Library(access=LOGIN.format("/in"), **{"in": CLOSING}, token=TOKEN)
    holder = gone(library)
    assert library.posted() == [(f"{HERE}/in", {"user": "ada", "pass": "correct horse"})]
    assert (holder.token, [step.deed for step in holder.visit.steps]) == ("secret-token", ["opened", "logged in"])


@pytest.mark.parametrize(
    "action",
    [
        f"{THERE}/in",
        "//idp.example.net/in",
        "http://archive.example.org/in",
        "https://archive.example.org:8443/in",
        "https://archive.example.org.evil.example/in",
        "https://archive.example.org@evil.example/in",
        "https://login.archive.example.org/in",
        "javascript:alert(1)",
    ],
)
def test_a_login_form_that_is_sent_elsewhere_is_not_filled_in(gone, action):
    library = Library(access=LOGIN.format(action), token=TOKEN)
    holder = gone(library)
    assert library.posted() == []
    assert "no password was sent there" in holder.visit.problem
    assert "--cookie NAME=VALUE" in holder.visit.problem


def test_a_login_page_on_another_host_is_not_even_opened(gone):
    library = Library(access=lambda request: httpx.Response(302, headers={"Location": f"{THERE}/login"}))
    holder = gone(library)
    assert {one.url.host for one in library.asked} == {"archive.example.org"}
    assert f"sends people on to {THERE}/login" in holder.visit.problem


def test_an_access_service_on_another_host_gets_no_password(gone):
    library = Library(access=LOGIN.format("/in"))
    holder = gone(library, access(f"{THERE}/access"))
    assert library.posted() == []
    assert f"belongs to {THERE}" in holder.visit.problem


def test_after_the_password_no_redirect_carries_it_on(gone):
    library = Library(
        access=LOGIN.format("/in"),
        **{"in": lambda request: httpx.Response(307, headers={"Location": f"{THERE}/steal"})},
    )
    holder = gone(library)
    assert [url for url, _ in library.posted()] == [f"{HERE}/in"]
    assert {one.url.host for one in library.asked} == {"archive.example.org"}
    assert "sends people on" in holder.visit.problem


def test_within_the_host_a_redirect_is_followed_without_it(gone):
    moved = {"in": lambda request: httpx.Response(307, headers={"Location": "/done"}), "done": CLOSING}
    library = Library(access=LOGIN.format("/in"), **moved)
    gone(library)
    assert [(one.method, one.url.path, one.content) for one in library.asked[2:3]] == [("GET", "/done", b"")]


def test_a_password_never_goes_into_an_address(gone):
    library = Library(access=LOGIN.format("/in").replace("post", "get"))
    holder = gone(library)
    assert not [one for one in library.asked if "correct" in str(one.url)]
    assert "no form to send" in holder.visit.problem


def test_a_password_that_is_not_taken_is_not_given_again(gone):
    library = Library(access=LOGIN.format("/access"))
    holder = gone(library)
    assert len(library.posted()) == 1
    assert "the name or the password is wrong" in holder.visit.problem


def test_a_form_without_a_field_for_the_name_is_left_alone(gone):
    library = Library(access='<form method="post"><input type="password" name="pin"></form>')
    holder = gone(library)
    assert library.posted() == []
    assert "no field for a name" in holder.visit.problem


def test_without_an_account_it_says_what_to_give(gone):
    holder = gone(Library(access=LOGIN.format("/in")), credentials=None)
    assert "give them with --user" in holder.why_not


def test_terms_are_agreed_to_by_sending_the_form(gone):
    form = '<form method="post"><input type="hidden" name="csrf" value="x"><button name="agree" value="1">OK</button></form>'

    def page(request):
        return httpx.Response(200, html=CLOSING if request.method == "POST" else form)

    library = Library(access=page, token=TOKEN)
    holder = gone(library, credentials=None)
    assert library.posted() == [(f"{HERE}/access?origin=https%3A%2F%2Fclient.example.org", {"csrf": "x", "agree": "1"})]
    assert library.asked[1].headers["origin"] == HERE
    assert [step.deed for step in holder.visit.steps] == ["opened", "confirmed"]


def test_forms_that_lead_to_forms_come_to_an_end(gone):
    library = Library(access='<form method="post"></form>', token="")
    holder = gone(library, credentials=None)
    assert len(library.posted()) == 6
    assert not holder.token


def test_an_external_service_is_not_visited(gone):
    library = Library(access="<p>Never seen.</p>", token=TOKEN)
    holder = gone(library, access(profile="external"))
    assert {one.url.path for one in library.asked} == {"/token"}
    assert (holder.token, holder.cookies) == ("secret-token", ())


def test_a_given_cookie_goes_to_the_named_host_only(gone):
    library = Library(access="<p>Never seen.</p>", token=TOKEN)
    holder = gone(library, cookies=(("session", "abc"),), credentials=None)
    assert {(one.url.path, one.headers.get("cookie")) for one in library.asked} == {("/token", "session=abc")}
    assert holder.jar.header(f"{THERE}/x") == ""
    assert holder.jar.header("http://archive.example.org/x") == ""
    assert (holder.given, holder.cookies) == (True, ("session",))


def test_the_cookie_that_counts_is_found_by_leaving_the_others_at_home(gone):
    def page(request):
        names = [("Set-Cookie", f"{name}=1; Path=/") for name in ("csrf", "session", "access", "language")]
        return httpx.Response(200, headers=names, html=CLOSING)

    def tokens(request):
        return httpx.Response(200, html=TOKEN if "access=1" in request.headers.get("cookie", "") else "")

    assert gone(Library(access=page, token=tokens)).cookies == ("access",)


def test_two_cookies_that_count_together_are_both_named(gone):
    def page(request):
        return httpx.Response(200, headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=1; Path=/")], html=CLOSING)

    def tokens(request):
        given = request.headers.get("cookie", "")
        return httpx.Response(200, html=TOKEN if "a=1" in given and "b=1" in given else "")

    assert set(gone(Library(access=page, token=tokens)).cookies) == {"a", "b"}


def test_the_password_is_in_no_repr():
    assert "horse" not in repr(Credentials("ada", "correct horse"))
    assert "horse" not in repr(Options(urls=(), credentials=Credentials("ada", "correct horse")))


def test_a_visit_starts_with_an_empty_browser(gone):
    library = Library(access=CLOSING)
    with Web(Limits(5, 5), httpx.MockTransport(library)) as client:
        tour = Tour(client, Options(urls=(HERE,), cookies=(("session", "abc"),)), [access()])
        visited(tour, next(tour.services("2.0.0", "access")))
    assert all("cookie" not in one.headers for one in library.asked)
