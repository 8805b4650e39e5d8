"""What came by what, read from the server's log."""

from __future__ import annotations

from dataclasses import dataclass

from tests.matrix.deployment import Entry

ACCESS = "__Host-iiif_access"
TWIN = "__Host-iiif_twin"
MACHINE = "__Host-iiif_device"
"""The names of the cookies, written out: no Django is set up where this is read. A test compares them with the app's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``token`` and ``picture`` say what carried them; a word in brackets is why there was none."""

    token: str
    picture: str

    def __str__(self) -> str:
        return f"token: {self.token}; picture: {self.picture}"

    @property
    def good(self) -> bool:
        return not (self.token + self.picture).count("(")


def outcome(entries: list[Entry]) -> Outcome:
    tokens = [one for one in entries if "posts" in one and one["method"] in ("GET", "POST") and one["posts"] != "?"]
    came = [one for one in tokens if one["posts"] == "token"]
    pictures = [one for one in entries if "/full/" in one.get("path", "")]
    return Outcome(by_token(came[-1]) if came else refused(tokens), by_picture(pictures))


def refused(tokens: list[Entry]) -> str:
    return f"({tokens[-1]['posts']})" if tokens else "(not asked for)"


def by_token(entry: Entry) -> str:
    return "hand-off" if "/redeem" in entry["path"] else by_cookie(entry, "place")


def by_cookie(entry: Entry, otherwise: str) -> str:
    """The server looks at the twin only where no access cookie came, and at a machine's enrolment where neither did."""
    cookies = [name.replace("__Secure-", "__Host-") for name in entry["cookies"]]
    kinds = (("cookie", ACCESS), ("twin", TWIN), ("machine", MACHINE))
    return next((kind for kind, name in kinds if name in cookies), otherwise)


def by_picture(pictures: list[Entry]) -> str:
    """The last that was answered counts: in one case a browser asks twice, the second time with its cookie."""
    if not pictures:
        return "(not asked for)"
    last = pictures[-1]
    if last["status"] != 200:
        return f"({last['status']})"
    return "signed" if "/signed/" in last["path"] else by_cookie(last, "place")
