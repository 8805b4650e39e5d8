"""The headers and cookies of every answer between the viewer's click and the token, without any browser (rows 4 and 19)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from project.items import PASSWORD
from tests.matrix import names
from tests.matrix.deployment import Deployment, Entry
from tests.matrix.log import cookie_set
from tests.matrix.reading import ACCESS, TWIN

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(slots=True)
class Walker:
    """Somebody without a browser: keeps cookies, follows nothing by itself, notes each answer."""

    house: Deployment
    jar: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    cookies: list[Entry] = field(default_factory=list)
    form: str = ""

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> dict[str, str]:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items()), **headers}
        body = ""
        if form is not None:
            body = urlencode({"csrfmiddlewaretoken": self.form, **form})
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.house.origin}
        status, answered, content = self.house.request(method, path, body=body, headers=sent)
        found = {name.lower(): value for name, value in answered}
        self.seen.append((f"{method} {path.partition('?')[0]}", status, found))
        for line in (value for name, value in answered if name.lower() == "set-cookie"):
            self.cookies.append(cookie_set(line))
            name, _, value = line.partition(";")[0].partition("=")
            self.jar[name] = value.strip('"')
        if token := TOKEN.search(content.decode("utf-8", "replace")):
            self.form = token[1]
        return found


def walk(library: Deployment) -> Walker:
    """A login for a viewer with every mishap on its way, and the token by the access cookie at its end."""
    library.as_new()
    origin = urlencode({"origin": library.at(names.VIEWER)})
    access = f"/iiif-auth/2/access/merehaven-login?{origin}"
    walker = Walker(library)
    to = walker.ask("GET", access)["location"]
    login = to if to.startswith("/") else f"{urlsplit(to).path}?{urlsplit(to).query}"
    walker.ask("GET", login)
    walker.ask("POST", login, {"login": "nobody", "password": "wrong"})
    walker.ask("POST", login, {"login": "reader", "password": PASSWORD, "csrfmiddlewaretoken": "forged"})
    walker.ask("GET", "/accounts/signup/")
    walker.ask("GET", "/accounts/password/reset/")
    walker.ask("GET", "/accounts/no-such-page/")
    walker.ask("GET", "/matrix/login")
    walker.ask("GET", "/matrix/broken")
    walker.ask("GET", login)
    walker.ask("POST", login, {"login": "reader", "password": PASSWORD})
    walker.ask("GET", f"/iiif-auth/2/access/no-such-service?{origin}")
    walker.ask("GET", "/iiif-auth/2/access/merehaven-login?origin=nonsense")
    walker.ask("GET", access)
    walker.ask("POST", access, {"csrfmiddlewaretoken": "forged"})
    walker.ask("GET", access)
    walker.ask("POST", access, {})
    return walker


def headers(library: Deployment) -> str:
    """Row 4: no answer of the chain cuts the opener or may be framed; a page outside keeps Django's default."""
    walker = walk(library)
    wrong = [
        f"{what} ({status})"
        for what, status, sent in walker.seen
        if sent.get("cross-origin-opener-policy", "unsafe-none") != "unsafe-none"
    ]
    assert not wrong, f"these cut the opener: {wrong}"
    framed = [what for what, status, sent in walker.seen if status != 302 and sent.get("x-frame-options") != "DENY"]
    assert not framed, f"these may be framed: {framed}"
    outside = dict(library.request("GET", "/")[1])
    assert outside.get("Cross-Origin-Opener-Policy") == "same-origin", outside
    statuses = sorted({status for _what, status, _sent in walker.seen})
    return f"{len(walker.seen)} answers with {', '.join(map(str, statuses))}: `unsafe-none`, not framed; outside: `same-origin`"


WANTED = {
    "sessionid": {"HttpOnly", "Secure", "SameSite=Lax"},
    "csrftoken": {"Secure", "SameSite=Lax"},
    ACCESS: {"HttpOnly", "Secure", "SameSite=None"},
    TWIN: {"HttpOnly", "Secure", "SameSite=None", "Partitioned"},
}


def cookies(library: Deployment) -> str:
    """Row 19: the session stays Lax; the access cookie is a cross-site one and not partitioned; its twin is."""
    walker = walk(library)
    viewer = library.at(names.VIEWER)
    token = f"/iiif-auth/2/token/merehaven-login?{urlencode({'messageId': 'm', 'origin': viewer})}"
    walker.ask("GET", token, **{"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": f"{viewer}/"})
    set_there = {one["name"]: set(one["attributes"]) for one in walker.cookies if not one["deleted"]}
    assert set(WANTED) <= set(set_there), f"not set: {set(WANTED) - set(set_there)}"
    for name, wanted in WANTED.items():
        assert set_there[name] - {"Path=/"} == wanted, f"{name}: {sorted(set_there[name])}"
    return "; ".join(f"`{name}` {', '.join(sorted(wanted))}" for name, wanted in WANTED.items())
