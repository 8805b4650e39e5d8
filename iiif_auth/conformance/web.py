"""Asks servers, one request at a time, and keeps what they answered.

No redirect is followed unless a check says so, cookies go only where the check's own person has them, and there is a limit to
everything: requests, time, and the size of what is read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

from iiif_auth.conformance.cookies import Cookie, Jar, parsed

try:
    import httpx
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "The conformance checker needs httpx. Install it with: pip install 'django-iiif-auth[conformance]'",
        name=missing.name,
    ) from None

AGENT = "iiif-auth-conformance (+https://iiif.io/api/auth/2.0/)"
DOCUMENT = 5_000_000
"""Bytes that are read of a document; no manifest worth reading is longer."""
GLANCE = 65_536
"""Bytes that are read of content: enough to see what it is."""
PATIENCE = 10.0
"""Seconds to wait for a server to connect, or to go on."""
LONGEST = 30.0
"""Seconds that one answer may take from beginning to end, however steadily it drips."""
HOPS = 10


class Unreachable(Exception):
    """There was no usable answer; says why in a sentence."""


class Exhausted(Exception):
    """The limit of requests or of time is reached; says so in a sentence."""


@dataclass(frozen=True, slots=True)
class Limits:
    requests: int = 1000
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. ``cut`` tells that there was more to read; header names are in lower case."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False
    cookies: tuple[Cookie, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    @property
    def type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def redirects_to(self) -> str | None:
        """The absolute URL of a redirect, if this is one."""
        location = self.header("location")
        if self.status not in (301, 302, 303, 307, 308) or not location:
            return None
        try:
            return urljoin(self.url, location)
        except ValueError:
            return None

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Unreachable: it is none.
        """
        if self.cut:
            raise Unreachable(f"{self.told} sent more than {DOCUMENT // 1_000_000} MB, which is more than is read.")
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            why = "is nested too deeply" if isinstance(error, RecursionError) else "is not JSON"
            raise Unreachable(f"{self.told} answered {self.status} with a body that {why}.") from None

    @property
    def told(self) -> str:
        """The request in a few words, for evidence."""
        return f"{self.method} {shortened(self.url)}"


def shortened(url: str, longest: int = 160) -> str:
    """A URL that fits on a line; hostile ones are long."""
    return url if len(url) <= longest else f"{url[: longest - 1]}…"


def origin_of(url: str) -> str:
    """Scheme, host and port as browsers write an origin; empty for what is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


class Web:
    """A client that counts. ``transport`` is httpx's; tests put a server in the same process behind it.

    ``told`` is called before each request with the number of requests so far and the request in a few words.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
        *,
        verify: bool = True,
        told: Callable[[int, str], None] = lambda number, what: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.client = httpx.Client(
            transport=transport,
            verify=verify,
            follow_redirects=False,
            timeout=PATIENCE,
            headers={"User-Agent": AGENT},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # the people whom checks play have their own
        )
        self.told = told
        self.clock = clock
        self.began = clock()
        self.requests = 0
        self.dead: dict[str, str] = {}
        """Why servers could not be connected to; nobody waits for them twice."""

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *gone: object) -> None:
        self.client.close()

    @property
    def seconds(self) -> float:
        return self.clock() - self.began

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        jar: Jar | None = None,
        form: list[tuple[str, str]] | None = None,
        content: bytes | None = None,
        most: int = DOCUMENT,
    ) -> Answer:
        """Send one request and read at most ``most`` bytes of the answer. Cookies come from ``jar`` and are put into it.

        ``form`` is sent as a browser sends forms, ``content`` as it is.

        Raises:
            Unreachable: there was no answer.
            Exhausted: a limit is reached.
        """
        self._count(method, url)
        sent = {"Accept-Language": "en", **(headers or {})}
        if jar is not None and jar.header(url):
            sent["Cookie"] = jar.header(url)
        try:
            answer = self._sent(method, url, sent, _body(form, content), most)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                self.dead[origin_of(url)] = reason(error)
            raise Unreachable(f"{method} {shortened(url)} got no answer: {reason(error)}.") from None
        if jar is not None:
            jar.take_all(answer.cookies)
        return answer

    def _count(self, method: str, url: str) -> None:
        if not origin_of(url):
            raise Unreachable(f"“{shortened(url)}” is not a web address.")
        if origin_of(url) in self.dead:
            raise Unreachable(f"{method} {shortened(url)} was not asked again: {self.dead[origin_of(url)]}.")
        if self.requests >= self.limits.requests:
            raise Exhausted(f"The limit of {self.limits.requests} requests was reached first (see --max-requests).")
        if self.seconds > self.limits.seconds:
            raise Exhausted(f"The limit of {self.limits.seconds:.0f} seconds was reached first (see --max-seconds).")
        self.requests += 1
        self.told(self.requests, f"{method} {shortened(url, 100)}")

    def _sent(self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any], most: int) -> Answer:
        with self.client.stream(method, url, headers=dict(headers), **body) as response:
            read, cut = self._read(response, most)
        lines = [value for name, value in response.headers.multi_items() if name.lower() == "set-cookie"]
        cookies = tuple(cookie for cookie in (parsed(line, url) for line in lines) if cookie is not None)
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(method, url, response.status_code, found, read, cut, cookies, dict(headers))

    def _read(self, response: httpx.Response, most: int) -> tuple[bytes, bool]:
        """The beginning of a body, and whether there was more of it."""
        until = self.clock() + min(LONGEST, max(1.0, self.limits.seconds - self.seconds))
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > most:
                return b"".join(chunks)[:most], True
            if self.clock() > until:
                raise httpx.ReadTimeout(f"the answer was not complete after {LONGEST:.0f} seconds")
        return b"".join(chunks), False

    def follow(
        self, answer: Answer, *, jar: Jar | None = None, headers: Mapping[str, str] | None = None, stay: bool = False
    ) -> list[Answer]:
        """An answer and those its redirects lead to, as a browser follows them: with GET, up to ten times.

        ``stay`` ends the walk before a redirect leaves the origin.
        """
        hops = [answer]
        while (target := hops[-1].redirects_to) and len(hops) <= HOPS:
            if stay and origin_of(target) != origin_of(answer.url):
                break
            hops.append(self.ask("GET", target, jar=jar, headers=headers))
        return hops


def _body(form: list[tuple[str, str]] | None, content: bytes | None) -> dict[str, Any]:
    """What httpx is given to send."""
    if content is not None:
        return {"content": content}
    data: dict[str, list[str]] = {}
    for name, value in form or ():
        data.setdefault(name, []).append(value)
    return {} if form is None else {"data": data}


REASONS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, "it took too long to connect"),
    (httpx.TimeoutException, "it took too long"),
    (httpx.ConnectError, "nobody could be reached there"),
    (httpx.DecodingError, "its body could not be unpacked"),
    (httpx.RemoteProtocolError, "what came was not HTTP"),
    (httpx.InvalidURL, "the address is not one"),
)


def reason(error: Exception) -> str:
    """Why there was no answer, in words, with the system's own where it has some."""
    words = next((words for kind, words in REASONS if isinstance(error, kind)), "the connection failed")
    said = " ".join(str(error).split())
    return f"{words} ({said})" if said else words
