"""What goes wrong for people, and what is refused to other sites; each seen to fail where it must."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from project import viewer_site
from tests.browser import hostile, words
from tests.browser.conftest import Contexts, Notes
from tests.browser.demo import Demo
from tests.browser.reader import Reader, confirm, sign_in
from tests.browser.test_flow import asked_for, assert_asks, assert_sees, assert_sees_nothing, assert_token_came

pytestmark = pytest.mark.browser
LOGIN = "merehaven-login"


def test_a_wrong_password_is_told_and_the_right_one_still_works(reader: Reader):
    reader.open("herbal")
    mark = reader.mark()
    tab = reader.press(LOGIN)
    sign_in(tab, "reader", "not the password")
    expect(tab.get_by_role("alert")).to_be_visible()
    assert "/accounts/login/" in tab.url
    reader.keeps_waiting()
    sign_in(tab, "reader")
    confirm(tab)
    assert reader.settled(mark).rendition == "full"
    assert_sees(reader, "herbal-1")


def test_closing_the_tab_leaves_one_outside_and_one_may_try_again(reader: Reader):
    reader.open("herbal")
    mark = reader.mark()
    reader.press(LOGIN).close()
    stage = reader.settled(mark)
    assert (stage.state, stage.shown) == ("denied", "")
    assert [event["profile"] for event in reader.events("token-answer", since=mark)] == ["missingAspect"]
    expect(reader.way(LOGIN)).to_contain_text(words.service(LOGIN)["error_heading"])
    assert_sees_nothing(reader, "herbal")
    assert reader.log_in("reader").rendition == "full"


def test_somebody_without_the_right_group_is_told_whom_it_is_for(reader: Reader):
    reader.open("minutes")
    stage = reader.log_in("reader")
    assert (stage.state, stage.status, stage.shown) == ("denied", "403", "")
    assert_asks(reader, *words.refusal("merehaven-staff", "not-entitled"))
    assert_sees_nothing(reader, "minutes")
    assert asked_for(reader, "minutes") == 403


def frame(context_page: Page, address: str, answers: int = 1) -> list[dict[str, object]]:
    """Open a hostile page; what it heard from its frames, once it has heard so many answers and a little longer."""
    context_page.goto(address)
    context_page.wait_for_function("(answers) => heard.length >= answers", arg=answers)
    context_page.wait_for_timeout(300)
    heard: list[dict[str, object]] = context_page.evaluate("heard")
    return heard


def test_a_site_that_lies_about_its_origin_hears_nothing(reader: Reader, demo: Demo):
    """Security T6: the browser delivers only to the origin that was named, and that is somebody else."""
    reader.open("herbal")
    assert reader.log_in("reader").rendition == "full"
    token_service = demo.url(f"/iiif-auth/2/token/{LOGIN}")
    with hostile.serving({"/": hostile.framing(token_service, demo.viewer)}, "127.0.0.2") as site:
        page = reader.context.new_page()
        with page.expect_response(lambda answer: "/token/" in answer.url) as framed:
            page.goto(site)
        assert framed.value.status == 200
        assert "AuthAccessToken2" in framed.value.text()  # the token was there, in the frame; it did not get out
        page.wait_for_timeout(300)
        assert page.evaluate("heard") == []


def test_a_site_that_nobody_confirmed_gets_no_token(reader: Reader, demo: Demo):
    """Security T7: its own origin, while the person is logged in elsewhere."""
    reader.open("herbal")
    reader.log_in("reader")
    pages: dict[str, str] = {}
    with hostile.serving(pages, "127.0.0.2") as site:
        pages["/"] = hostile.framing(demo.url(f"/iiif-auth/2/token/{LOGIN}"), site)
        heard = frame(reader.context.new_page(), site)
    assert [(message["origin"], message["data"]["profile"]) for message in heard] == [(demo.address, "invalidOrigin")]
    assert "accessToken" not in str(heard)


ODD = (
    "http://{viewer}@{here}",
    "http%3A%2F%2F{viewer}%40{here}",
    "http://{viewer}%40{here}",
    "http://{here}\\@{viewer}",
    "//{here}",
    "{here}",
    "null",
    "*",
    "/",
    "file://",
    "file:///etc/hosts",
    "data:text/html,x",
    "javascript:alert(1)",
    "blob:http://{here}/1",
    "app://viewer",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "http://{here}/page",
    "http://{here}#viewer",
    " http://{here}",
)


def test_an_origin_that_is_none_brings_no_token_to_anybody(reader: Reader, demo: Demo):
    """Security T2 and T3: browsers take some of these for the address of the site that asks."""
    reader.open("herbal")
    assert reader.log_in("reader").rendition == "full"
    pages: dict[str, str] = {}
    page = reader.context.new_page()
    with hostile.serving(pages, "127.0.0.2") as site:
        names = {"viewer": demo.viewer.partition("//")[2], "here": site.partition("//")[2]}
        odd = [one.format(**names) for one in ODD]
        pages["/"] = hostile.framing(demo.url(f"/iiif-auth/2/token/{LOGIN}"), *odd)
        heard = [message["data"] for message in frame(page, site, len(odd))]
    told = {odd[int(data["messageId"][1:]) - 1]: data.get("profile", "a token") for data in heard}
    assert told.keys() == set(odd)
    assert set(told.values()) <= {"invalidRequest", "invalidOrigin"}, told


def test_a_browser_would_deliver_to_whoever_stands_behind_a_name(reader: Reader, demo: Demo):
    """The twin of the test above: the same address, handed to ``postMessage`` as it came."""
    reader.open("herbal")
    assert reader.log_in("reader").rendition == "full"
    pages: dict[str, str] = {}
    with hostile.serving(pages, "127.0.0.2") as site:
        raw = f"http://{demo.viewer.partition('//')[2]}@{site.partition('//')[2]}"

        def as_it_came(route, request):
            answer = route.fetch()
            named = answer.text().replace(f'"targetOrigin": "{demo.viewer}"', f'"targetOrigin": "{raw}"')
            route.fulfill(response=answer, body=named)

        page = reader.context.new_page()
        page.route(f"**/2/token/{LOGIN}*", as_it_came)
        pages["/"] = hostile.framing(demo.url(f"/iiif-auth/2/token/{LOGIN}"), demo.viewer)
        heard = frame(page, site)
    assert [message["data"]["type"] for message in heard] == ["AuthAccessToken2"]


READ = """async (address) => {
    try { return await (await fetch(address, {credentials: "include"})).text(); } catch (problem) { return problem.name; }
}"""
LOADED = """(address) => new Promise((done) => {
    const script = document.createElement("script");
    script.onload = () => done("loaded");
    script.onerror = () => done("refused");
    script.src = address;
    document.body.append(script);
})"""


def test_no_site_reads_the_answer_for_programs(reader: Reader, demo: Demo, notes: Notes):
    """Security T12: without a message, services of version 1 answer in JSON, which is for programs that hold the cookie."""
    notes.expect("/iiif-auth/1/token/")
    reader.open("herbal")
    assert reader.log_in("reader").rendition == "full"
    address = demo.url(f"/iiif-auth/1/token/{LOGIN}")
    assert "accessToken" in reader.context.request.get(address).text()
    with hostile.serving({"/": "<!doctype html><title>Somebody else</title>"}, "127.0.0.2") as site:
        page = reader.context.new_page()
        page.goto(site)
        assert page.evaluate(READ, address) == "TypeError"
        assert page.evaluate(LOADED, address) == "refused"

        def open_to_all(route, request):
            allowed = {"access-control-allow-origin": site, "access-control-allow-credentials": "true"}
            headers = {name: value for name, value in request.all_headers().items() if not name.startswith("sec-")}
            answer = route.fetch(headers=headers)
            route.fulfill(response=answer, headers={**answer.headers, **allowed})

        page.route(
            "**/1/token/**", open_to_all
        )  # the twin: it is our headers, and what we see of the browser's, that keep it out
        assert "accessToken" in page.evaluate(READ, address)


def test_a_token_in_anybodys_hands_opens_no_content(reader: Reader, demo: Demo, new_context: Contexts):
    """Security T8: knowing the token is of no value where the bytes are."""
    reader.open("herbal")
    tokens: list[str] = []
    reader.page.on(
        "request",
        lambda sent: tokens.append(sent.headers["authorization"]) if "authorization" in sent.headers else None,
    )
    reader.log_in("reader")
    assert tokens
    content = demo.url("/iiif/image/3/herbal-1/full/300,/0/default.jpg")
    elsewhere = new_context()
    secret = tokens[-1].removeprefix("Bearer ")
    assert elsewhere.request.get(content, headers={"authorization": tokens[-1]}).status == 401
    assert elsewhere.request.get(f"{content}?access_token={secret}&token={secret}").status == 401
    assert elsewhere.request.get(content, headers={"cookie": f"__Host-iiif_access={secret}"}).status == 401
    assert asked_for(reader, "herbal") == 200


def test_two_viewers_at_once_are_confirmed_one_by_one_and_both_work(reader: Reader, demo: Demo):
    server = viewer_site.serve(0, demo.collection, "127.0.0.3")
    viewer_site.start(server)
    other = f"http://127.0.0.3:{server.server_address[1]}"
    try:
        reader.open("herbal")
        assert reader.log_in("reader").rendition == "full"
        second = Reader(reader.context, demo, other)
        assert second.open("herbal").state == "denied"
        mark = second.mark()
        tab = second.press(LOGIN)
        expect(tab.locator(".origin")).to_have_text(other)
        confirm(tab)
        assert second.settled(mark).rendition == "full"
        assert_token_came(second, LOGIN, since=mark)
        assert asked_for(second, "herbal") == 200
        assert asked_for(reader, "herbal") == 200
    finally:
        server.shutdown()
        server.server_close()


def test_ending_a_grant_is_felt_at_once(reader: Reader, demo: Demo, new_context: Contexts):
    reader.open("album")
    assert reader.log_in("researcher").rendition == "full"
    assert asked_for(reader, "album") == 200
    admin = new_context().new_page()
    grants = demo.url("/admin/iiif_auth/grant/?q=letter+of+28+May")
    admin.goto(demo.url("/admin/login/?next=/admin/"))
    sign_in_admin(admin)
    admin.goto(grants)
    admin.locator("#result_list tbody tr").first.locator("th a").click()
    ends = admin.locator("#id_ends_0")
    before = ends.input_value()
    ends.fill("2026-01-01")
    admin.locator('[name="_save"]').click()
    try:
        assert asked_for(reader, "album") in (401, 403)
        stage = reader.open("album")
        assert stage.shown == ""
    finally:
        admin.goto(grants)
        admin.locator("#result_list tbody tr").first.locator("th a").click()
        admin.locator("#id_ends_0").fill(before)
        admin.locator('[name="_save"]').click()
        expect(admin.locator(".messagelist")).to_be_visible()


def sign_in_admin(page: Page) -> None:
    page.fill("#id_username", "admin")
    page.fill("#id_password", "merehaven")
    page.locator('[type="submit"]').click()


# -- The hold on the tab ------------------------------------------------------------------------------------------


def first_steps(reader: Reader) -> None:
    """To the login page, where the viewer must go on waiting."""
    reader.open("herbal")
    reader.press(LOGIN)
    reader.keeps_waiting()


@pytest.mark.requirement("A2-INT-08")
def test_the_viewer_waits_until_the_tab_is_really_closed(reader: Reader):
    first_steps(reader)


@pytest.mark.requirement("A2-INT-08")
def test_it_would_not_wait_if_one_page_sent_what_django_sends_by_default(reader: Reader):
    """The twin: the same steps, with ``Cross-Origin-Opener-Policy`` put back on the redirect to the login page alone."""

    def spoiled(route, request):
        answer = route.fetch(max_redirects=0)
        assert answer.status == 302
        route.fulfill(response=answer, headers={**answer.headers, "cross-origin-opener-policy": "same-origin"})

    reader.context.route("**/2/access/**", spoiled)
    with pytest.raises(AssertionError, match="did not wait"):
        first_steps(reader)
