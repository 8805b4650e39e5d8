"""What every flow works with: the servers, what the one who asks has given, and the documents that were found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from iiif_auth.conformance.cookies import Cookie, Jar, is_loopback
from iiif_auth.conformance.documents import Document, Resource, Service
from iiif_auth.conformance.pages import Page, read
from iiif_auth.conformance.web import Answer, Unreachable, Web, origin_of

ORIGIN = "https://client.example.org"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account to log in with; the password is in no ``repr`` and in no report."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``origin`` is the site that the checker pretends to be a viewer of."""

    urls: tuple[str, ...]
    origin: str = ORIGIN
    credentials: Credentials | None = None
    cookies: tuple[tuple[str, str], ...] = ()
    client: Credentials | None = None
    """A viewer that is registered with an 0.9.2 server: its identifier and, if it was given, its secret."""
    only: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    resources: int = 20

    @property
    def named(self) -> frozenset[str]:
        """The origins of the URLs given, the only ones that credentials and given cookies ever go to."""
        return frozenset(origin for origin in map(origin_of, self.urls) if origin)

    def wants(self, requirement: str) -> bool:
        return not self.only or any(requirement.startswith(prefix) for prefix in self.only)


@dataclass
class Tour:
    """One run: its client, its options, and what has been found so far."""

    web: Web
    options: Options
    documents: list[Document] = field(default_factory=list)
    selected: list[tuple[Document, Resource]] = field(default_factory=list)
    """The content and image services that are looked at, at most ``options.resources``."""
    problems: list[str] = field(default_factory=list)
    """Sentences about documents that could not be read."""
    scripts: dict[str, str | None] = field(default_factory=dict)
    looked_up: dict[tuple[str, str], tuple[Answer, ...]] = field(default_factory=dict)
    """Descriptions with the redirects on the way, by URL and the token they were asked with."""

    @property
    def origin(self) -> str:
        return self.options.origin

    def services(self, version: str, role: str) -> Iterator[Service]:
        """The services of one version and role, each identifier once, complete ones before references."""
        found: dict[str, Service] = {}
        every = [one for document in self.documents for one in document.services]
        for service in sorted(every, key=lambda one: "service" not in one.body):
            if service.version == version and service.role == role:
                found.setdefault(service.id or service.path, service)
        yield from found.values()

    def given_jar(self) -> Jar:
        """A browser with the cookies that were given, for the hosts that were named, and no others."""
        hosts = [urlsplit(origin) for origin in self.options.named]
        return Jar(
            Cookie(name, value, host.hostname or "", secure=host.scheme == "https")
            for name, value in self.options.cookies
            for host in hosts
        )

    def may_be_told(self, url: str) -> bool:
        """Whether credentials may go there: to the very host that was named, by the same scheme and port."""
        return origin_of(url) in self.options.named

    def page(self, answer: Answer) -> Page:
        return read(answer.url, answer.text)

    def script(self, page: Page) -> dict[str, str | None]:
        """The texts of a page's scripts that stand in files of the same site; others are not fetched."""
        own = [one.source for one in page.scripts if one.source and origin_of(one.source) == origin_of(page.url)]
        for source in own:
            if source not in self.scripts:
                self.scripts[source] = self._text(source)
        return self.scripts

    def _text(self, source: str) -> str | None:
        try:
            answer = self.web.ask("GET", source, headers={"Sec-Fetch-Dest": "script"})
        except Unreachable:
            return None
        return answer.text if answer.status == 200 else None


def on_loopback(urls: Iterable[str]) -> bool:
    """Whether any of these is plain http on this very machine, where nobody has certificates."""
    parts = [urlsplit(origin_of(url)) for url in urls]
    return any(part.scheme == "http" and is_loopback(part.hostname or "") for part in parts)
