"""A document from somebody else's site, fetched on somebody else's behalf, with every limit that this needs (security S1, S2).

What may be fetched is a list of the operator's. A name is resolved once and the address that was judged is the one connected to,
so that the answer of a name server can not change in between. Nothing is followed, unpacked or sent along.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

from iiif_auth.protocol.manifest import MAX_BYTES

AGENT = "django-iiif-auth"
"""How we name ourselves; a request under this name is never itself fetched for."""

SECONDS = 5.0
MAX_HEADER_BYTES = 64_000
PIECE = 65_536

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], list[str]]
"""The addresses of a host as texts; raises ``OSError`` if it has none."""


class NotFetched(Exception):
    """The document could not be had; the message is a sentence that says why."""


class NotListed(NotFetched):
    """The URL is none of those that may be fetched."""


class Unanswered(NotFetched):
    """Nobody answered, or not in time: asking again later may help."""


class NotThere(NotFetched):
    """The site answered that it has no such document."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts. ``path`` begins with a slash and holds no query; ``query`` is empty or begins with ``?``."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORTS[self.scheme] else f"{name}:{self.port}"

    def covers(self, other: Target) -> bool:
        """Whether ``other`` is at this address or below it, whole segments counting."""
        same = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return same and f"{other.path}/".startswith(f"{self.path.rstrip('/')}/")


PORTS = {"http": 80, "https": 443}
URL = re.compile(
    r"(?P<scheme>https?)://(?:(?P<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)|\[(?P<v6>[0-9a-f:.]+)\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
)
MAX_URL = 2000
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%25|%0|%1|%7f", re.IGNORECASE)
"""An escape that is none, a control character, or one escaped twice, which some servers read as something else."""

DOTS = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|$)")


def target_of(url: str) -> Target | None:
    """The parts of a URL; ``None`` if there is anything about it that two programs might read in two ways."""
    found = URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        return None
    path, query = found["path"] or "/", found["query"] or ""
    if BAD_ESCAPE.search(path + query) or "//" in path or DOTS.search(unquote(path)):
        return None
    port = int(found["port"] or PORTS[found["scheme"]])
    return Target(found["scheme"], found["name"] or found["v6"], port, path, query) if port < 65_536 else None


def listed(url: str, sources: Iterable[str]) -> Target:
    """The URL in its parts, if one of ``sources``, which are beginnings of URLs, covers it.

    Raises:
        NotListed: none does.
    """
    target = target_of(url)
    entries = [entry for source in sources if (entry := target_of(source)) is not None and not entry.query]
    if target is None or not any(entry.covers(target) for entry in entries):
        raise NotListed(
            "Documents from this address are not fetched. Whoever runs this site can add the beginning of the address to "
            "MANIFEST_SOURCES in IIIF_AUTH_FLOW, or you can send the document itself."
        )
    return target


# -- Addresses ----------------------------------------------------------------------------------------------------

NAT64 = IPv6Network("64:ff9b::/96")


def resolved(host: str, port: int) -> list[str]:
    """The addresses that this machine's resolver gives."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: Address) -> bool:
    """Whether it is on the public network, also where it stands for another one: no loopback, private, link-local and so on."""
    inner = _inside(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_public(inner)
    local = isinstance(address, IPv6Address) and address.is_site_local  # given up in 2004, but still routed by some
    return address.is_global and not (local or address.is_multicast or address.is_reserved)


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that one of IPv6 stands for, if it does."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def is_meant(host: str, address: Address) -> bool:
    """Whether a host that the operator listed says by itself that this inner address is meant."""
    if host == "localhost":
        return address.is_loopback
    try:
        return ip_address(host) == address
    except ValueError:
        return False


def is_inside(address: Address) -> bool:
    """Whether a machine of one's own may be there, behind a name of one's own: this machine, or a private network, but no address
    by which clouds and routers talk of themselves (``169.254.169.254``), none of many, and none that means nobody.
    """
    inner = _inside(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return is_inside(inner)
    odd = address.is_link_local or address.is_multicast or address.is_unspecified
    return not odd and (address.is_loopback or address.is_private)


def _addresses(target: Target, resolve: Resolver, until: float, *, inner: bool = False) -> list[str]:
    """Where to connect to. One inner address among several is enough to refuse them all, unless ``inner`` ones are meant.

    Raises:
        NotFetched: there is no address, or one that must not be asked.
    """
    found = [ip_address(text.partition("%")[0]) for text in _in_time(resolve, target, until)]
    if not found:
        raise Unanswered(f"{target.host} has no address; please check how it is written.")
    if not all(is_public(one) or is_meant(target.host, one) or (inner and is_inside(one)) for one in found):
        raise NotFetched(
            f"{target.host} is at an address inside this network, from which nothing is fetched for others. To allow it, list it "
            "by that address."
        )
    return [str(one) for one in found]


def _in_time(resolve: Resolver, target: Target, until: float) -> list[str]:
    """The resolver's answer; it knows no limit of time itself, so it is asked aside."""
    answers: list[list[str]] = []

    def ask() -> None:
        try:
            answers.append(resolve(target.host, target.port))
        except (OSError, UnicodeError):
            answers.append([])

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(0.0, until - time.monotonic()))
    if not answers:
        raise Unanswered(SLOW)
    return answers[0]


SLOW = f"The other site took longer than {SECONDS:g} seconds; please try again, or send the document itself."


# -- Fetching -----------------------------------------------------------------------------------------------------


def fetched(
    url: str,
    sources: Iterable[str],
    most: int = MAX_BYTES,
    *,
    resolve: Resolver = resolved,
    context: ssl.SSLContext | None = None,
    inner: bool = False,
) -> bytes:
    """The JSON text at a URL.

    Args:
        sources: beginnings of the URLs that may be fetched.
        most: bytes of the document.
        context: how a site's certificate is checked; by default with this machine's authorities, and against the site's name.
        inner: the sources are machines of the operator's own, so their names may lead to addresses inside this network.

    Raises:
        NotListed: the URL is none of those.
        Unanswered: nobody answered, or not in time.
        NotThere: the answer is that there is no such document.
        NotFetched: whatever else went wrong.
    """
    target = listed(url, sources)
    until = time.monotonic() + SECONDS
    try:
        with opened(target, until, resolve=resolve, context=context, inner=inner) as connection:
            return document_in(_answer(connection, target, most + MAX_HEADER_BYTES, until), most)
    except TimeoutError as error:
        raise Unanswered(SLOW) from error
    except ssl.SSLError as error:
        raise NotFetched(
            f"{target.host} could not be trusted ({error.reason or 'TLS'}); its certificate is not right."
        ) from error
    except (OSError, HTTPException) as error:
        raise Unanswered(f"{target.host} gave no whole answer ({type(error).__name__}); please try again.") from error


def opened(
    target: Target,
    until: float,
    *,
    resolve: Resolver = resolved,
    context: ssl.SSLContext | None = None,
    inner: bool = False,
) -> socket.socket:
    """A connection to the address that was judged; see :func:`fetched` for what the arguments mean.

    Raises:
        OSError: there is none; ``TimeoutError`` and ``ssl.SSLError`` among others.
        NotFetched: there is no address, or one that must not be asked.
    """
    return _connection(target, _addresses(target, resolve, until, inner=inner), until, context)


def _answer(connection: socket.socket, target: Target, most: int, until: float) -> bytes:
    """Everything that the site says. We ask it to hang up after that, and give it until a fixed time.

    Raises:
        OSError: it could not be asked; ``TimeoutError`` among others.
        NotFetched: it sent too much.
    """
    connection.settimeout(left(until))
    connection.sendall(_request(target))
    return received(connection, most, until)


def received(connection: socket.socket, most: int, until: float) -> bytes:
    """Everything that is sent until the other side hangs up.

    Raises:
        OSError: it was cut off; ``TimeoutError`` if it is not over by ``until``, an instant of ``time.monotonic``.
        NotFetched: it is more than ``most`` bytes.
    """
    pieces: list[bytes] = []
    size = 0
    while True:
        connection.settimeout(left(until))
        piece = connection.recv(PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise NotFetched("The document is too large to be fetched; please send it in parts.")


def left(until: float) -> float:
    """Seconds left.

    Raises:
        TimeoutError: none are.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connection(target: Target, addresses: list[str], until: float, context: ssl.SSLContext | None) -> socket.socket:
    """A connection to one of the addresses that were judged; over https the site has to prove its name."""
    plain = _plain_connection(target, addresses, until)
    if target.scheme == "http":
        return plain
    try:
        plain.settimeout(left(until))
        return (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


def _plain_connection(target: Target, addresses: list[str], until: float) -> socket.socket:
    problem: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, target.port), left(until))
        except OSError as error:
            problem = error
    raise problem


def _request(target: Target) -> bytes:
    lines = (
        f"GET {target.path}{target.query} HTTP/1.1",
        f"Host: {target.host_header}",
        f"User-Agent: {AGENT}",
        "Accept: application/ld+json, application/json",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


class _Said:
    """What was received, in the form in which the standard library reads an answer."""

    def __init__(self, raw: bytes) -> None:
        self._file = BytesIO(raw)

    def makefile(self, mode: str) -> BytesIO:
        return self._file


def document_in(raw: bytes, most: int) -> bytes:
    """The document in an answer.

    Raises:
        HTTPException: the answer is not HTTP, or not whole.
        NotFetched: it is not a JSON document of acceptable size.
    """
    response = HTTPResponse(_Said(raw), method="GET")  # type: ignore[arg-type]
    response.begin()
    _check_status(response.status)
    if not _is_json(response.headers.get_content_type()):
        raise NotFetched(
            f"There is no JSON there, but {response.headers.get_content_type()}; please check the address."
        )
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NotFetched("The document was sent compressed, though it was asked for plainly; please send it yourself.")
    body = response.read()
    if len(body) > most:
        raise NotFetched("The document is too large to be fetched; please send it in parts.")
    return body


def _check_status(status: int) -> None:
    """Raises ``NotFetched`` unless the document is there."""
    if 300 <= status < 400:
        raise NotFetched("The document has moved, and redirects are not followed; please give the address where it is.")
    if status in (404, 410):
        raise NotThere(f"The other site answered {status}: it has no such document.")
    if status != 200:
        raise NotFetched(f"The other site answered {status} instead of the document; please check the address.")


def _is_json(media_type: str) -> bool:
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")
