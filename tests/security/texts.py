"""Does a text ever become markup? ``python -m tests.security.texts --count 100000 [--seed 1] [--twin]``

Texts are made of what HTML, scripts and templates are made of. Each is put where people or other sites may put one: the message
id of a token page, what the staff write about a service, and names that the admin lists. Chromium's own parser reads each page,
which must have the very elements and attributes of the same page with a harmless text, hold the text letter for letter, and
run nothing. Rows T1 and A7 of security.md. One text in ten goes to the access page, one in two hundred through the admin, whose
pages take longer. With ``--twin`` texts are not escaped, which must be found.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any
from unittest.mock import patch

HARMLESS = "harmless"
MARK = "xq"
"""At both ends of each text, so that none is blank and each can be found again."""
BATCH = 200
EVERY = 10.0
PARTS = (
    *("<script>", "</script>", "<script/x>", "</script >", "<!--", "-->", "--!>", "<![CDATA[", "]]>", "<?", "<!"),
    *(
        "<img src=x onerror=hit()>",
        "<svg/onload=hit()>",
        "<svg><script>hit()</script></svg>",
        "<math><mi//xlink:href=x>",
    ),
    *(
        "<iframe srcdoc='<script>parent.hit()</script>'>",
        "<base href=//evil.example>",
        "<style>*{}</style>",
        "<a href=",
    ),
    *(
        "</title>",
        "</textarea>",
        "</style>",
        "</noscript>",
        "</option></select>",
        "<plaintext>",
        "<template>",
        "</template>",
    ),
    *('"', "'", "`", "=", ">", "<", "/", "\\", "&", ";", "(", ")", "{", "}", " ", "\t", "\n", "%", "$", "#", "0"),
    *(
        ' autofocus onfocus="hit()" ',
        " onmouseover=hit() ",
        "' onclick='hit()",
        '" style="x',
        "javascript:hit()",
        "hit()",
    ),
    *(
        "&lt;script&gt;",
        "&#60;img&#62;",
        "&quot;",
        "&#x22",
        "&amp;lt;",
        "\\u003cscript\\u003e",
        "\\x3c",
        "%3Cscript%3E",
    ),
    *("{{ 7|add:7 }}", "{% now 'Y' %}", "{{", "}}", "{%", "${hit()}", "%s", "%(x)s", "{0.__class__}", "{x}"),
    *(
        "__proto__",
        "constructor",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\u202e",
        "\u0130",
        "\uff1cscript\uff1e",
        "é",
        "字",
        "😀",
    ),
)
READ = """(pages) => { const posted = (island) => {
    try { return JSON.parse(island).message.messageId; } catch { return "no JSON"; }
}; return pages.map((html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const shape = [], values = [];
    for (const element of page.querySelectorAll("*")) {
        const names = element.getAttributeNames();
        shape.push(element.localName + " " + names.sort().join(" "));
        for (const name of names) values.push(element.getAttribute(name));
    }
    const scripts = [...page.scripts].filter((one) => one.type !== "application/json").map((one) => one.text).join("\\n");
    const island = page.getElementById("envelope")?.textContent;
    const messageId = island === undefined ? null : posted(island);
    const texts = [page.documentElement.textContent, ...values].join("\\u0001");
    return {shape: shape.join("\\n"), scripts: scripts.replaceAll(/nonce-[^"']*/g, ""), messageId, texts};
}); }"""
RUN = """async (pages) => {
    globalThis.hits = 0;
    globalThis.hit = () => { globalThis.hits += 1; };
    for (const html of pages) {
        const frame = document.createElement("iframe");
        const loaded = new Promise((done) => { frame.onload = done; });
        frame.srcdoc = "<script>hit = () => parent.hit(); alert = confirm = prompt = hit;</script>" + html;
        document.body.append(frame);
        await loaded;
        frame.remove();
    }
    return globalThis.hits;
}"""


def made(chance: Random) -> str:
    """A text of some of the parts, now and then with any letter at all between them."""
    parts = [chance.choice(PARTS) for _ in range(chance.randint(1, 9))]
    if chance.random() < 0.3:
        parts.insert(
            chance.randrange(len(parts) + 1), chr(chance.choice((chance.randrange(1, 0xD800), 0xFFFD, 0x1F600)))
        )
    return MARK + "".join(parts).replace("\r", "")[:180] + MARK


# -- Pages ----------------------------------------------------------------------------------------------------------


Write = Callable[[str], list[str]]
"""Pages that hold a text."""


def token_page(text: str) -> list[str]:
    from django.test import RequestFactory

    from iiif_auth.http.token import page
    from iiif_auth.protocol import v2

    return [
        page(RequestFactory().get("/"), v2.token_message("t", 300, text), "https://viewer.example").content.decode()
    ]


def access_pages(text: str) -> list[str]:
    """What the staff write about a service, as readers see it: at the click, after it, and among their own passes."""
    from iiif_auth.models import AccessService
    from tests import web

    texts = {name: {"en": [text]} for name in ("label", "heading", "note", "confirm_label")}
    if not AccessService.objects.filter(slug="texts").update(**texts):
        web.service("texts", **texts)
    browser = web.Browser()
    asked = browser.get(web.access("texts"))
    browser.click(web.access("texts"))
    return [answer.content.decode() for answer in (asked, browser.get("/iiif-auth/passes"))]


@dataclass
class Admin:
    """Names and reasons, in the lists and forms of the staff."""

    browser: Any = None
    rows: dict[str, Any] = field(default_factory=dict)

    def __call__(self, text: str) -> list[str]:
        from iiif_auth.models import AccessService, Grant, Network
        from tests import factories, web

        if self.browser is None:
            staff = factories.UserFactory(username="texts-staff", is_staff=True, is_superuser=True)
            self.browser = web.Browser().sign_in(staff)
            self.rows["network"] = factories.NetworkFactory(name=HARMLESS)
            self.rows["person"] = factories.UserFactory(username="texts-person")
            self.rows["grant"] = factories.GrantFactory(user=self.rows["person"])
            self.rows["service"] = factories.AccessServiceFactory(slug="texts-admin")
        Network.objects.filter(pk=self.rows["network"].pk).update(name=text)
        type(self.rows["person"]).objects.filter(pk=self.rows["person"].pk).update(username=text[:150])
        Grant.objects.filter(pk=self.rows["grant"].pk).update(reason=text)
        AccessService.objects.filter(pk=self.rows["service"].pk).update(label={"en": [text]}, note={"en": [text]})
        pages = []
        for kind, key in (("network", "network"), ("grant", "grant"), ("accessservice", "service")):
            for rest in ("", f"{self.rows[key].pk}/change/"):
                answer = self.browser.get(f"/admin/iiif_auth/{kind}/{rest}")
                assert answer.status_code == 200, (kind, rest, answer.status_code)
                pages.append(answer.content.decode())
        return pages


# -- The browser ----------------------------------------------------------------------------------------------------


class Reader:
    """Chromium in a thread of its own: beside its loop Django would refuse to ask the database."""

    def __init__(self, chromium: str) -> None:
        self.thread = ThreadPoolExecutor(1)
        self.page: Any = self.thread.submit(self._started, chromium).result()

    def _started(self, chromium: str) -> Any:
        from playwright.sync_api import sync_playwright

        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        return self.browser.new_page()

    def ask(self, script: str, given: Any) -> Any:
        return self.thread.submit(lambda: self.page.evaluate(script, given)).result()

    def close(self) -> None:
        self.thread.submit(lambda: (self.browser.close(), self.playwright.stop())).result()
        self.thread.shutdown()


@contextmanager
def reader(chromium: str) -> Iterator[Reader]:
    found = Reader(chromium)
    try:
        yield found
    finally:
        found.close()


# -- The campaign ---------------------------------------------------------------------------------------------------


@dataclass
class Figures:
    """How many texts went where, how many pages were read and run, and what became markup."""

    texts: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    run: int = 0
    wrong: list[str] = field(default_factory=list)


def run(
    count: int, seed: int, chromium: str, told: Callable[[Figures, str], None] = lambda found, where: None, **parts: int
) -> Figures:
    """Look at ``count`` texts in token pages, and at every ``access``-th and ``admin``-th of as many elsewhere."""
    each = {"token": 1, "access": 10, "admin": 200, **parts}
    places: dict[str, Write] = {"token": token_page, "access": access_pages, "admin": Admin()}
    figures = Figures()
    with reader(chromium) as browser:
        for where, write in places.items():
            chance = Random(f"{seed} {where}")
            plain = browser.ask(READ, write(MARK + HARMLESS + MARK))
            texts = (made(chance) for _ in range(count // each[where]))
            if where != "token":  # several lines are shown in several elements
                texts = (" ".join(text.splitlines()) for text in texts)
            while batch := list(islice(texts, BATCH if where == "token" else 5)):
                look(where, write, batch, plain, browser, figures)
                told(figures, where)
    return figures


def look(
    where: str, write: Write, batch: list[str], plain: list[dict[str, Any]], browser: Reader, figures: Figures
) -> None:
    pages = [(text, number, page) for text in batch for number, page in enumerate(write(text))]
    read = browser.ask(READ, [page for _text, _number, page in pages])
    for (text, number, _page), found in zip(pages, read, strict=True):
        said = wrong_with(text, found, plain[number])
        if said:
            figures.wrong.append(f"{where} {number}: {said}: {text!r}")
    # Loading takes longer than reading, so the first page of each batch is run, and of the admin every one.
    chosen = [page for _text, _number, page in pages][:: 1 if where == "admin" else BATCH // 2]
    hits = browser.ask(RUN, chosen)
    if hits:
        figures.wrong.append(f"{where}: {hits} scripts of texts ran: {batch!r}")
    figures.texts[where] += len(batch)
    figures.pages += len(pages)
    figures.run += len(chosen)


def wrong_with(text: str, found: dict[str, Any], plain: dict[str, Any]) -> str:
    """What became of a text that should have stayed one; empty if nothing did."""
    if found["shape"] != plain["shape"]:
        return "the page has other elements or attributes"
    if found["scripts"] != plain["scripts"]:
        return "a script has changed"
    if found["messageId"] is not None and found["messageId"] != text:
        return "the message id is another"
    shown = MARK + HARMLESS + MARK in plain["texts"]
    if found["messageId"] is None and shown and " ".join(text.split()) not in " ".join(found["texts"].split()):
        return "the text is not shown as it was written"
    return ""


@contextmanager
def unescaped() -> Iterator[None]:
    """The twin: what templates escape is taken for markup, and what is an island for a script is plain JSON."""
    import json

    from django.template import defaultfilters
    from django.utils.safestring import mark_safe

    def island(value: Any, element: str) -> str:
        return mark_safe(f'<script id="{element}" type="application/json">{json.dumps(value)}</script>')  # noqa: S308

    with ExitStack() as stack:
        stack.enter_context(patch("django.template.base.conditional_escape", str))
        stack.enter_context(patch.object(defaultfilters, "_json_script", island))
        yield


def chromium_here() -> str:
    found = shutil.which("chromium")
    if not found:
        raise SystemExit("Chromium is not installed (Debian: apt-get install chromium).")
    return found


class Progress:
    """A line every ten seconds."""

    def __init__(self) -> None:
        self.begun = self.told = time.monotonic()

    def __call__(self, found: Figures, where: str) -> None:
        now = time.monotonic()
        if now - self.told >= EVERY:
            self.told = now
            print(
                f"{now - self.begun:6.0f} s  {where:6} {found.texts[where]:7} texts, {len(found.wrong)} wrong",
                file=sys.stderr,
            )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.texts", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--twin", action="store_true", help="texts are not escaped; ends well if that is found everywhere"
    )
    given = parser.parse_args()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.security.texts_settings", "DATABASE_URL": "sqlite://:memory:"}
    import django

    django.setup()
    from django.test.utils import setup_test_environment

    from tests.tables import made_ready

    setup_test_environment()
    made_ready()
    with unescaped() if given.twin else ExitStack():
        found = run(given.count, given.seed, chromium_here(), Progress())
    for where, texts in found.texts.items():
        print(f"{where:8} {texts:7} texts")
    print(f"{found.pages} pages read, {found.run} run, {len(found.wrong)} wrong")
    print("\n".join(found.wrong[:20]))
    caught = {line.partition(" ")[0].rstrip(":") for line in found.wrong}
    return int(caught != set(found.texts)) if given.twin else int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
