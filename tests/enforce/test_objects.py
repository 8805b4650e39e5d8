"""Signed addresses of objects in private buckets: spelt as Amazon's own library spells them, held to by a storage that checks
them by itself, and handed out to those only who may have what is there.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from iiif_auth.enforce import delivering, objects
from iiif_auth.enforce.objects import NotAnAddress, presigned, reachable
from iiif_auth.http import probe
from iiif_auth.models import AccessPolicy
from iiif_auth.policy.types import Allowed, Authenticated, ImageApi, Level, Offer, Policy, Rendition, Subject, Tier
from tests import web
from tests.http import test_alpha
from tests.security.tickets import SETTINGS
from tests.web import CANARY, EVERYONE, SIGNED_IN, Browser, access, person, site

__all__ = ["site"]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY: dict[str, Any] = {
    "key_id": "AKIAEXAMPLE",
    "secret": "the secret of this key / with + signs",
    "region": "eu-central-1",
}
BUCKET = "https://films.s3.eu-central-1.amazonaws.com"
FILM = f"{BUCKET}/harbour.mp4"


def signed(url: str = FILM, **values: Any) -> str:
    return presigned(url, **{**KEY, "now": NOW, **values})


def parameters(address: str) -> list[tuple[str, str]]:
    """Names and values as they stand in an address, in order."""
    pairs = [part.partition("=") for part in address.partition("?")[2].split("&")]
    return [(name, value) for name, _, value in pairs]


# -- Against Amazon's own library ---------------------------------------------------------------------------------

LETTERS = "abcXYZ019-._~ +%?#&=/!'()*,:;@$[]\\^`{|}\"<>äßéø漢字Ωя\u0301\u00a0🎞"


def a_name(chance: Random) -> str:
    """The name of an object, of whatever an object may be named that browsers can ask for."""
    while True:
        name = "".join(chance.choices(LETTERS, k=chance.randint(1, 24)))
        if not name.endswith("/") and not {".", ".."} & set(name.split("/")):
            return name


def a_moment(chance: Random) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(10**9))


def some_parameters(chance: Random) -> list[tuple[str, str]]:
    """Parameters, of which some begin as others do."""
    names = (
        "response-content-type",
        "response-content-disposition",
        "versionId",
        "a",
        "a-b",
        "aB",
        "b~",
        "ä",
        "X",
        "x",
    )
    return [
        (name, "".join(chance.choices(LETTERS, k=chance.randint(0, 12))))
        for name in chance.sample(names, chance.randrange(5))
    ]


@dataclass(frozen=True)
class Asked:
    """Something to sign, and all that it is signed with."""

    url: str
    at: datetime
    seconds: int
    values: dict[str, str]

    def ours(self) -> str:
        return presigned(self.url, now=self.at, seconds=self.seconds, **self.values)

    def theirs(self, monkeypatch: pytest.MonkeyPatch) -> str:
        auth = pytest.importorskip("botocore.auth")
        credentials = pytest.importorskip("botocore.credentials")
        request = pytest.importorskip("botocore.awsrequest").AWSRequest("GET", self.url)
        given = (self.values["key_id"], self.values["secret"], self.values["session_token"] or None)
        monkeypatch.setattr(auth, "get_current_datetime", lambda *_, **__: self.at.replace(tzinfo=None))
        signer = auth.S3SigV4QueryAuth(
            credentials.Credentials(*given), self.values["service"], self.values["region"], expires=self.seconds
        )
        signer.add_auth(request)
        return str(request.url)


def something(chance: Random) -> Asked:
    host = chance.choice(
        ("films.s3.eu-west-1.amazonaws.com", "objects.example.org:9000", "[2001:db8::1]:9000", "a.example.org")
    )
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in some_parameters(chance))
    url = f"https://{host}/{quote(a_name(chance), safe='/~')}" + (f"?{query}" if query else "")
    values = {
        "key_id": "".join(chance.choices("ABCXYZ019_-.:+=", k=20)),
        "secret": "".join(chance.choices(LETTERS, k=40)),
        "region": chance.choice(("eu-central-1", "us-east-1", "auto", "garage")),
        "service": chance.choice(("s3", "s3", "s3express")),
        "session_token": chance.choice(("", "", "FwoGZXIvYXdzE//+=" + "".join(chance.choices("abc/+=", k=30)))),
    }
    return Asked(url, a_moment(chance), chance.choice((1, 60, 3600, chance.randint(1, 3600))), values)


def compare(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign something so many times, once ourselves and once by Amazon's library."""
    chance = Random(20261121)
    for _ in range(count):
        asked = something(chance)
        assert same(asked.ours(), asked.theirs(monkeypatch)), asked


def same(one: str, other: str) -> bool:
    """Whether two addresses differ at most in the order of their parameters."""
    return one.partition("?")[0] == other.partition("?")[0] and sorted(parameters(one)) == sorted(parameters(other))


def test_thousands_of_addresses_are_signed_as_amazons_own_library_signs_them(monkeypatch):
    compare(2500, monkeypatch)


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Amazon's whole client, for buckets in the host's name and in the path; it is asked for addresses and connects to nobody."""
    session = pytest.importorskip("botocore.session").Session()
    config = pytest.importorskip("botocore.config").Config
    return {
        style: session.create_client(
            "s3",
            region_name=KEY["region"],
            endpoint_url="https://objects.example.org:9000",
            aws_access_key_id=KEY["key_id"],
            aws_secret_access_key=KEY["secret"],
            config=config(signature_version="s3v4", s3={"addressing_style": style}),
        )
        for style in ("path", "virtual")
    }


def test_a_quoted_name_is_the_object_that_amazons_client_means_by_the_name(clients, monkeypatch):
    auth = pytest.importorskip("botocore.auth")
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None))
    chance = Random(4)
    for style, base in (("path", "objects.example.org:9000/films"), ("virtual", "films.objects.example.org:9000")):
        for _ in range(150):
            name = a_name(chance)
            params = {"Bucket": "films", "Key": name, "ResponseContentDisposition": f"inline; filename={name}"}
            theirs = clients[style].generate_presigned_url("get_object", Params=params, ExpiresIn=60)
            disposition = quote(params["ResponseContentDisposition"])
            url = f"https://{base}/{quote(name)}?response-content-disposition={disposition}"
            assert same(signed(url), theirs), name


def without_a_plus(patch):
    patch.setattr(objects, "quote", lambda text, safe: quote(text, safe=safe + "+"))


def with_the_tilde_encoded(patch):
    patch.setattr(objects, "quote", lambda text, safe: quote(text, safe=safe).replace("~", "%7E"))


def decoded_twice(patch):
    real = objects._decoded
    patch.setattr(objects, "_decoded", lambda text: objects.unquote(real(text)))


def sorted_as_a_whole(patch):
    real = objects._joined
    patch.setattr(objects, "_joined", lambda pairs, more: "&".join(sorted(real(pairs, more).split("&"))))


def without_the_port(patch):
    real = objects.read
    patch.setattr(objects, "read", lambda url: replace(real(url), host=real(url).host.removesuffix(":9000")))


def for_an_hour(patch):
    patch.setattr(objects, "_check", lambda *values: None)
    patch.setattr(objects, "str", lambda number: "3600", raising=False)


def without_a_day_in_the_key(patch):
    real = objects._signing_key
    patch.setattr(objects, "_signing_key", lambda secret, scope: real(secret, scope.partition("/")[2]))


@pytest.mark.parametrize(
    "broken",
    [
        *(without_a_plus, with_the_tilde_encoded, decoded_twice, sorted_as_a_whole, without_the_port, for_an_hour),
        without_a_day_in_the_key,
    ],
)
def test_a_signer_that_is_wrong_in_one_thing_is_found(broken, monkeypatch):
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        compare(300, monkeypatch)


# -- One spelling -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/a+b", "/a%2Bb"),
        ("/a~b", "/a~b"),
        ("/a%7eb", "/a~b"),
        ("/%41%2fb", "/A/b"),
        ("/films//x.mp4", "/films//x.mp4"),
        ("/100%25.pdf", "/100%25.pdf"),
        ("/%2541", "/%2541"),
        ("/Kärtchen.tif", "/K%C3%A4rtchen.tif"),
        ("/Ka\u0308rtchen.tif", "/Ka%CC%88rtchen.tif"),
        ("/..x/.y/z..", "/..x/.y/z.."),
        ("/a\\b", "/a%5Cb"),
        ("/(a)!*'b", "/%28a%29%21%2A%27b"),
    ],
)
def test_a_name_has_one_spelling(given, path):
    assert signed(BUCKET + given).partition("?")[0] == BUCKET + path


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("https://Films.Example.ORG/x", "https://films.example.org"),
        ("HTTPS://films.example.org:443/x", "https://films.example.org"),
        ("https://films.example.org:8443/x", "https://films.example.org:8443"),
        ("http://localhost:9000/x", "http://localhost:9000"),
        ("http://films.localhost:80/x", "http://films.localhost"),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000"),
        ("http://[::1]:9000/x", "http://[::1]:9000"),
        ("https://old_bucket.s3.amazonaws.com/x", "https://old_bucket.s3.amazonaws.com"),
    ],
)
def test_the_host_is_spelt_as_browsers_send_it(given, host):
    assert signed(given).partition("/x?")[0] == host
    plain = signed(f"{host}/x")
    assert signed(given) == plain


def test_parameters_stay_and_all_are_in_order():
    found = parameters(signed(f"{FILM}?a-b=2&a=1&response-content-type=video%2Fmp4&versionId=&b"))
    assert found[:-1] == sorted(found[:-1])
    assert found[-1][0] == "X-Amz-Signature"
    assert {
        ("a", "1"),
        ("a-b", "2"),
        ("b", ""),
        ("response-content-type", "video%2Fmp4"),
        ("versionId", ""),
    } < set(found)


def test_it_is_good_for_a_minute_unless_told_otherwise():
    assert dict(parameters(signed()))["X-Amz-Expires"] == "60"
    assert dict(parameters(signed(seconds=3600)))["X-Amz-Expires"] == "3600"


def test_an_instant_is_one_instant_in_every_zone():
    assert signed(now=NOW.astimezone(timezone(timedelta(hours=-9)))) == signed()
    assert signed(now=NOW.replace(microsecond=999_999)) == signed()
    assert signed(now=NOW + timedelta(seconds=1)) != signed()


BAD = [
    *(
        "",
        "/media/film.mp4",
        "//films.example.org/x",
        "films.example.org/x",
        "ftp://films.example.org/x",
        "s3://films/x",
    ),
    *("https:films.example.org/x", "https://user@films.example.org/x", "https://user:word@films.example.org/x"),
    *(
        "https:///x",
        "https://films.example.org:0/x",
        "https://films.example.org:65536/x",
        "https://films.example.org:x/x",
    ),
    *(
        "https://films.example.org\\@elsewhere.example.net/x",
        "https://filme-für-alle.example.org/x",
        f"{FILM}#t=10",
        f" {FILM}",
    ),
    *(
        "http://films.example.org/x",
        "http://127.0.0.1.example.org/x",
        "http://localhost.example.org/x",
        "http://[::2]/x",
    ),
    *("javascript:alert(1)", "data:text/plain,x", f"{FILM}\n", "https://films.example.org\r\n/x"),
]
"""What is no address for a browser."""


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_address_is_not_signed_nor_handed_out(url):
    with pytest.raises(NotAnAddress, match=r"[.]$"):
        signed(url)
    with pytest.raises(NotAnAddress, match=r"[.]$"):
        reachable(url)


@pytest.mark.parametrize(
    "rest",
    [
        *("", "/", "/films/", "/films/?x=1", "?list-type=2", "/?list-type=2", "/films%2F"),
        *("/a/../b", "/a/./b", "/..", "/a/%2e%2e/b", "/a%2F..%2Fb", "/."),
        *("/100%", "/%zz", "/%2", "/%ff", "/\ud800", "/a\nb", "/a%00b", "/a%0Ab"),
        *("/x?a=%", "/x?a=b+c", "/x?a=%ff", "/x?response-content-type=a%0D%0Ab"),
        *(
            "/x?X-Amz-Signature=0",
            "/x?x-amz-expires=99999",
            "/x?X-AMZ-SECURITY-TOKEN=x",
            "/x?X%2DAmz-Date=20200101T000000Z",
        ),
    ],
)
def test_what_opens_more_than_an_object_or_has_two_readings_is_not_signed(rest):
    with pytest.raises(NotAnAddress, match=r"[.]$"):
        signed(BUCKET + rest)


@pytest.mark.parametrize(
    "values",
    [
        *({"seconds": seconds} for seconds in (0, -1, 3601, 60.0, "60", True, None)),
        *({"key_id": name} for name in ("", "a/b", "a b", "ä", "a\n")),
        *({"region": name} for name in ("", "eu/central", "eu central", "eu-central-1\n")),
        *({"service": name} for name in ("", "s3/aws4_request")),
        {"secret": ""},
        {"now": NOW.replace(tzinfo=None)},
    ],
)
def test_values_that_make_no_sense_are_named_and_the_key_is_not(values):
    with pytest.raises(ValueError, match=next(iter(values))) as found:
        signed(**values)
    assert KEY["secret"] not in str(found.value)


def test_the_key_is_nowhere_in_the_address():
    assert not {KEY["secret"], quote(KEY["secret"]), quote(KEY["secret"], safe="")} & {
        part for pair in parameters(signed()) for part in pair
    }


@pytest.mark.parametrize("url", [FILM, signed(), "http://127.0.0.1:9000/films/x", f"{BUCKET}/100%25.pdf?a=%2B"])
def test_an_address_in_one_spelling_is_handed_out_as_it_is(url):
    assert reachable(url) == url


@pytest.mark.parametrize("rest", ["/a b", "/ä", '/"', "/<x>", "/a\\b", "/100%", "/x?a=%2", "/{x}", "/^", "/a\tb"])
def test_an_address_that_browsers_would_spell_otherwise_is_not_handed_out(rest):
    with pytest.raises(NotAnAddress, match="percent-encoded"):
        reachable(BUCKET + rest)


# -- A storage ----------------------------------------------------------------------------------------------------

REGION, SERVICE = KEY["region"], "s3"
NAMED = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
CHECKS = ("signature", "method", "ended", "early", "once", "one kind", "scope")


class Storage(ThreadingHTTPServer):
    """A bucket on the web that lets nobody have anything but by a good signature, written from Amazon's description of it.

    It shares nothing with what it checks: it reads bytes, and encodes by a rule of its own. ``without`` names one of its
    :data:`CHECKS` that it forgets, so that it can be seen that each is needed.
    """

    daemon_threads = True
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.objects: dict[bytes, bytes] = {b"/films/harbour.mp4": CANARY, b"/films/other.mp4": b"another film"}
        self.secrets = {KEY["key_id"]: KEY["secret"]}
        self.now = NOW
        self.without = ""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def verdict(self, method: str, target: str, headers: dict[str, str]) -> int:
        path, _, query = target.partition("?")
        pairs = [tuple(map(unescaped, part.split("=", 1))) for part in query.split("&") if "=" in part]
        values = {name.decode(): value.decode() for name, value in pairs}
        if any(f"X-Amz-{name}" not in values for name in NAMED):
            return 403
        names = [name for name, _ in pairs]
        refusals = {
            "one kind": "authorization" in headers,
            "once": len(set(names)) < len(names),
            "scope": self.is_elsewhere(values),
            "early": written(values["X-Amz-Date"]) > self.now + timedelta(minutes=15),
            "ended": self.now >= written(values["X-Amz-Date"]) + timedelta(seconds=int(values["X-Amz-Expires"])),
            "signature": not self.is_signed(method, path, dict(pairs), values, headers),
        }
        if any(refused for check, refused in refusals.items() if check != self.without):
            return 403
        return 200 if unescaped(path) in self.objects else 404

    def is_elsewhere(self, values: dict[str, str]) -> bool:
        _, day, region, service, end = values["X-Amz-Credential"].split("/")
        return (day, region, service, end) != (values["X-Amz-Date"][:8], REGION, SERVICE, "aws4_request")

    def is_signed(
        self, method: str, path: str, pairs: dict[bytes, bytes], values: dict[str, str], headers: dict[str, str]
    ) -> bool:
        secret = self.secrets.get(values["X-Amz-Credential"].split("/")[0])
        if secret is None or values["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
            return False
        signing = values["X-Amz-SignedHeaders"].split(";")
        if "host" not in signing:
            return False
        covered = sorted((escaped(name), escaped(value)) for name, value in pairs.items() if name != b"X-Amz-Signature")
        said = [
            b"GET" if self.without == "method" else method.encode(),
            escaped(unescaped(path), b"/"),
            b"&".join(name + b"=" + value for name, value in covered),
            *[f"{name}:{headers.get(name, '').strip()}".encode() for name in signing],
            b"",
            ";".join(signing).encode(),
            b"UNSIGNED-PAYLOAD",
        ]
        scope = values["X-Amz-Credential"].partition("/")[2]
        lines = ["AWS4-HMAC-SHA256", values["X-Amz-Date"], scope, sha256(b"\n".join(said)).hexdigest()]
        key = f"AWS4{secret}".encode()
        for word in (*scope.split("/"), "\n".join(lines)):
            key = hmac.digest(key, word.encode(), "sha256")
        return key.hex() == values["X-Amz-Signature"]


def unescaped(text: str) -> bytes:
    data, found = text.encode("latin-1"), bytearray()
    while data:
        escape = data[:1] == b"%"
        found += bytes.fromhex(data[1:3].decode()) if escape else data[:1]
        data = data[3 if escape else 1 :]
    return bytes(found)


def escaped(data: bytes, kept: bytes = b"") -> bytes:
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" + kept
    return b"".join(bytes([byte]) if byte in plain else b"%%%02X" % byte for byte in data)


def written(instant: str) -> datetime:
    return datetime.strptime(f"{instant}+0000", "%Y%m%dT%H%M%SZ%z")


class Requests(BaseHTTPRequestHandler):
    server: Storage

    def answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.verdict(self.command, self.path, headers)
        body = self.server.objects[unescaped(self.path.partition("?")[0])] if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is to be read of it."""


@pytest.fixture(scope="module")
def running() -> Iterator[Storage]:
    with Storage() as storage:
        thread = Thread(target=storage.serve_forever, args=(0.02,))
        thread.start()
        yield storage
        storage.shutdown()
        thread.join()


@pytest.fixture
def storage(running: Storage) -> Storage:
    running.now, running.without = NOW, ""
    return running


@dataclass
class Request:
    """What is sent to the storage, and when."""

    address: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW


def sent(storage: Storage, request: Request) -> tuple[int, bytes]:
    storage.now = request.now
    connection = HTTPConnection("127.0.0.1", storage.server_address[1], timeout=20)
    try:
        connection.request(request.method, request.address.removeprefix(storage.base), headers=request.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def film(storage: Storage, rest: str = "", **values: Any) -> str:
    return signed(f"{storage.base}/films/harbour.mp4{rest}", **values)


@pytest.mark.parametrize("values", [{}, {"seconds": 1}, {"seconds": 3600}, {"session_token": "lent/+=="}])
@pytest.mark.parametrize("rest", ["", "?response-content-type=video%2Fmp4&a-b=1&a=2"])
def test_whoever_has_the_address_gets_the_object(storage, values, rest):
    assert sent(storage, Request(film(storage, rest, **values))) == (200, CANARY)


def test_objects_of_any_name_are_got_and_no_other(storage):
    chance = Random(7)
    for number in range(100):
        name = a_name(chance)
        storage.objects[b"/films/" + name.encode()] = f"object {number}".encode()
        address = signed(f"{storage.base}/films/{quote(name)}")
        assert sent(storage, Request(address)) == (200, f"object {number}".encode()), name


def test_it_ends_with_its_last_second(storage):
    address = film(storage, seconds=60)
    assert sent(storage, Request(address, now=NOW + timedelta(seconds=59)))[0] == 200
    assert sent(storage, Request(address, now=NOW + timedelta(seconds=60)))[0] == 403


Attack = Callable[[Storage], Request]


def another_key(storage: Storage) -> Request:
    return Request(film(storage, secret="another secret"))


def another_keys_name(storage: Storage) -> Request:
    return Request(film(storage).replace(KEY["key_id"], "AKIAOTHER"))


def no_key(storage: Storage) -> Request:
    return Request(film(storage, key_id="AKIAOTHER", secret="x"))


def another_object(storage: Storage) -> Request:
    return Request(film(storage).replace("harbour.mp4", "other.mp4"))


def another_object_for_the_same_signature(storage: Storage) -> Request:
    return Request(film(storage).replace("/films/harbour.mp4", "/films/%6fther.mp4"))


def another_host(storage: Storage) -> Request:
    return Request(film(storage), headers={"Host": "elsewhere.example.org"})


def a_longer_life(storage: Storage) -> Request:
    address = film(storage).replace("X-Amz-Expires=60", "X-Amz-Expires=3600")
    return Request(address, now=NOW + timedelta(minutes=5))


def a_later_start(storage: Storage) -> Request:
    return Request(film(storage).replace("T120000Z", "T120500Z"), now=NOW + timedelta(minutes=5))


def a_changed_parameter(storage: Storage) -> Request:
    return Request(film(storage, "?response-content-type=video%2Fmp4").replace("video%2Fmp4", "text%2Fhtml"))


def a_parameter_more(storage: Storage) -> Request:
    return Request(f"{film(storage)}&response-content-type=text%2Fhtml")


def a_parameter_less(storage: Storage) -> Request:
    return Request(film(storage, "?versionId=1").replace("versionId=1&", ""))


def no_signature(storage: Storage) -> Request:
    address, _, signature = film(storage).rpartition("=")
    return Request(f"{address}={'0' * len(signature)}")


def after_the_end(storage: Storage) -> Request:
    return Request(film(storage), now=NOW + timedelta(seconds=61))


def long_before(storage: Storage) -> Request:
    return Request(film(storage), now=NOW - timedelta(hours=1))


def two_signatures(storage: Storage) -> Request:
    other = signed(f"{storage.base}/films/other.mp4").rpartition("&")[2]
    whole = film(storage)
    return Request(f"{whole.rpartition('&')[0]}&{other}&{whole.rpartition('&')[2]}")


def two_lives(storage: Storage) -> Request:
    return Request(film(storage).replace("X-Amz-Expires", "X-Amz-Expires=3600&X-Amz-Expires"))


def two_kinds_of_signature(storage: Storage) -> Request:
    return Request(film(storage), headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"})


def another_region(storage: Storage) -> Request:
    return Request(film(storage, region="us-east-1"))


def another_service(storage: Storage) -> Request:
    return Request(film(storage, service="s3express"))


def by(method: str) -> Attack:
    def attack(storage: Storage) -> Request:
        return Request(film(storage), method)

    attack.__name__ = f"by_{method}"
    return attack


ATTACKS: dict[Attack, str] = {
    **dict.fromkeys((another_key, another_keys_name, no_key, another_object, another_host, no_signature), "signature"),
    **dict.fromkeys((another_object_for_the_same_signature, a_longer_life, a_later_start), "signature"),
    **dict.fromkeys((a_changed_parameter, a_parameter_more, a_parameter_less), "signature"),
    **dict.fromkeys(map(by, ("HEAD", "PUT", "POST", "DELETE")), "method"),
    after_the_end: "ended",
    long_before: "early",
    **dict.fromkeys((two_signatures, two_lives), "once"),
    two_kinds_of_signature: "one kind",
    **dict.fromkeys((another_region, another_service), "scope"),
}
"""What somebody may do with an address, and the check that is there against it."""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_address_is_good_for_what_was_signed_and_for_nothing_else(storage, attack):
    assert sent(storage, attack(storage)) == (403, b"")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_storage_that_forgets_one_check_is_seen_to(storage, attack):
    storage.without = ATTACKS[attack]
    assert sent(storage, attack(storage))[0] == 200


def test_every_check_of_the_storage_is_attacked():
    assert set(ATTACKS.values()) == set(CHECKS)


# -- Handed out ---------------------------------------------------------------------------------------------------

REPORT, CHART, SECRET = "/media/report.txt", "/iiif/3/chart", "/iiif/3/secret-map"
asked_for: list[Rendition] = []
"""What the hook was asked for, in order."""


def in_the_bucket(rendition: Rendition) -> str | None:
    """A hook as a site would write it: files are in a bucket, pictures are not."""
    asked_for.append(rendition)
    if rendition.image_api is not ImageApi.NONE:
        return None
    name = rendition.source or rendition.uri.removeprefix("/media/")
    return signed(f"https://objects.example.org/films/{quote(name)}")


@pytest.fixture
def bucket(site):
    """A site with the hook in its settings."""
    asked_for.clear()
    hook(site, f"{__name__}.in_the_bucket")
    return site


@pytest.fixture
def reader(bucket) -> str:
    """The token of somebody who may have the report and the chart."""
    login = web.service("login", "login", dialects=web.ALL)
    for url in (REPORT, CHART):
        web.restricted(url, SIGNED_IN, by=(login,))
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    return web.token(browser, "login")


def hook(settings: Any, answer: Any) -> None:
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "LOCATIONS": answer}


@pytest.mark.requirement("A2-PRB-15")
def test_a_probe_sends_whoever_may_have_it_to_the_bucket(reader):
    found = web.probe(REPORT, reader)
    assert (found["status"], found["location"]["type"]) == (302, "Text")
    assert found["location"]["id"] == in_the_bucket(Rendition(REPORT))


@pytest.mark.requirement("A2-PRB-14")
def test_where_the_hook_knows_nothing_the_published_address_stands(reader):
    found = web.probe(CHART, reader)
    assert (found["status"], "location" in found) == (200, False)
    assert [one.uri for one in asked_for] == [CHART]


def test_whoever_needs_no_token_is_sent_there_too(bucket):
    """As in a reading room, whose address is enough: what is in the bucket is not at its own address for anybody."""
    web.restricted(REPORT, EVERYONE)
    found = web.probe(REPORT, None)
    assert (found["status"], found["location"]["id"]) == (302, in_the_bucket(Rendition(REPORT)))


def test_the_bytes_are_there(reader, bucket, storage):
    hook(bucket, lambda rendition: signed(f"{storage.base}/films/harbour.mp4"))
    assert sent(storage, Request(web.probe(REPORT, reader)["location"]["id"])) == (200, CANARY)


def test_the_hook_comes_before_signed_addresses_and_leaves_what_it_does_not_know_to_them(reader):
    AccessPolicy.objects.update(signed=True)
    assert web.probe(REPORT, reader)["location"]["id"].startswith("https://objects.example.org/films/report.txt?")
    chart = web.probe(CHART, reader)["location"]["id"]
    assert chart.startswith(f"{web.BASE}/iiif-auth/signed/")


def test_the_alpha_names_the_place_too(bucket):
    web.restricted(REPORT, SIGNED_IN, by=(web.service("login", "login", dialects=["alpha"]),))
    _, token = test_alpha.reader()
    response = test_alpha.probe(REPORT, token)
    assert (response.status_code, response.json()["location"]) == (200, in_the_bucket(Rendition(REPORT)))


@pytest.mark.parametrize("uri", [REPORT, CHART, SECRET, "/media/unheard-of", "/iiif/3/secret-nothing"])
@pytest.mark.parametrize("token", [None, "A" * 43])
def test_without_a_yes_the_hook_is_not_asked(reader, uri, token):
    web.hidden_collection()
    web.restricted(SECRET, SIGNED_IN)
    found = web.probe(uri, token)
    assert (found["status"] in (401, 403, 404), "location" in found, asked_for) == (True, False, [])


def test_a_reader_of_other_things_is_not_sent_there(reader):
    web.restricted("/media/minutes.txt")
    assert web.probe("/media/minutes.txt", reader)["status"] in (401, 403)
    assert asked_for == []


def broken(rendition: Rendition) -> str:
    raise OSError("The key can not be read.")


def insecure(rendition: Rendition) -> str:
    return "http://objects.example.org/x"


WRONG = [
    *(broken, lambda _: 7, lambda _: b"https://x.example.org/y", lambda _: "", lambda _: "/media/report.txt"),
    *(
        insecure,
        lambda _: "//objects.example.org/x",
        lambda _: "https://a@b.example.org/x",
    ),
    *(
        lambda _: "https://objects.example.org/a b",
        lambda _: "javascript:alert(1)",
        lambda _: "https://objects.example.org/x#y",
    ),
]


@pytest.mark.parametrize("answer", WRONG)
def test_a_hook_that_fails_is_no_yes(reader, bucket, answer):
    hook(bucket, answer)
    found = web.probe(REPORT, reader)
    assert (found["status"], "location" in found) == (503, False)
    assert web.probe(REPORT)["status"] == 401


def test_a_picture_service_can_not_be_sent_to_an_address_with_a_question_mark(reader, bucket):
    hook(bucket, lambda _: "https://objects.example.org/iiif/chart?signature=x")
    assert web.probe(CHART, reader)["status"] == 503
    hook(bucket, lambda _: "https://objects.example.org/signature/iiif/chart")
    found = web.probe(CHART, reader)
    assert found["location"]["service"][0]["id"] == "https://objects.example.org/signature/iiif/chart"


def test_without_a_hook_nothing_changes(reader, bucket):
    hook(bucket, "")
    assert web.probe(REPORT, reader)["status"] == 200


def asked_whatever_is_decided(patch):
    def judged(request, space, reference):
        delivering.elsewhere(Rendition(REPORT))
        return real(request, space, reference)

    real = probe.judged
    patch.setattr(probe, "judged", judged)


def an_error_is_a_shrug(patch):
    def forgiving(rendition):
        try:
            return real(rendition)
        except (OSError, TypeError, ValueError):
            return None

    real = delivering.elsewhere
    patch.setattr(delivering, "elsewhere", forgiving)


def any_address_will_do(patch):
    patch.setattr(objects, "reachable", lambda address: address)


def signed_addresses_come_first(patch):
    patch.setattr(delivering, "elsewhere", lambda rendition: None)


NOTICED: dict[Callable[[pytest.MonkeyPatch], None], Callable[[str, Any], None]] = {
    asked_whatever_is_decided: lambda token, _: test_without_a_yes_the_hook_is_not_asked(token, REPORT, None),
    an_error_is_a_shrug: lambda token, bucket: test_a_hook_that_fails_is_no_yes(token, bucket, broken),
    any_address_will_do: lambda token, bucket: test_a_hook_that_fails_is_no_yes(token, bucket, insecure),
    signed_addresses_come_first: lambda token, _: (
        test_the_hook_comes_before_signed_addresses_and_leaves_what_it_does_not_know_to_them(token)
    ),
}
"""Ways to break what hands addresses out, and what fails then."""


@pytest.mark.parametrize("breaks", NOTICED, ids=lambda breaks: breaks.__name__)
def test_a_broken_door_is_noticed(breaks, reader, bucket, monkeypatch):
    breaks(monkeypatch)
    with pytest.raises(AssertionError):
        NOTICED[breaks](reader, bucket)


# -- For whoever has nothing in hand ------------------------------------------------------------------------------


def test_whoever_is_let_in_with_nothing_in_hand_is_sent_there_too(settings):
    """By where they are, say: what is in a bucket is not at its own address for anybody. We sign nothing of ours for them."""
    settings.IIIF_AUTH_FLOW = {**SETTINGS["IIIF_AUTH_FLOW"], "LOCATIONS": in_the_bucket}
    rules = Policy("members", (Tier("full", Authenticated()),), signed=True)
    for wanted, sent_there in ((Rendition(REPORT), True), (Rendition(CHART, image_api=ImageApi.V3), False)):
        offer = Offer(wanted, levels=(Level("x", rules),))
        found = delivering.delivered(Allowed(wanted), offer, None, Subject(user="1"), NOW).rendition
        assert bool(found.location) is sent_there


# -- The recipe ---------------------------------------------------------------------------------------------------

RECIPE = Path(__file__).parents[2] / "iiif_auth/enforce/recipes/object-storage.md"


@pytest.fixture
def places(bucket, monkeypatch) -> dict[str, Any]:
    """The first Python of the recipe, as a site would have it, and the hook in the settings."""
    monkeypatch.setenv("FILMS_KEY_ID", KEY["key_id"])
    monkeypatch.setenv("FILMS_SECRET", KEY["secret"])
    found: dict[str, Any] = {}
    code = RECIPE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    exec(compile(code, str(RECIPE), "exec"), found)  # noqa: S102 - it is ours
    hook(bucket, found["location"])
    return found


def opened(places: dict[str, Any], name: str, address: str) -> HttpResponseBase:
    """What a browser with no cookie gets from the view of the recipe."""
    request = RequestFactory().get(f"/media/{name}", HTTP_HOST=web.HOST, REMOTE_ADDR=address, secure=True)
    response: HttpResponseBase = places["media"](request, name=name)
    return response


def test_the_recipe_sends_readers_to_the_bucket_and_nobody_else(reader, places):
    place = web.probe(REPORT, reader)["location"]["id"]
    assert place.startswith(f"{places['BUCKET']}/report.txt?X-Amz-Algorithm=")
    assert {("response-cache-control", "no-store"), ("X-Amz-Expires", "300")} < set(parameters(place))
    assert "location" not in web.probe(REPORT)
    assert web.probe(CHART, reader)["status"] == 200


def test_the_view_of_the_recipe_redirects_to_what_was_decided_about(places):
    room = web.at(web.reading_room())
    web.restricted("/media/minutes.pdf", room, source="kept/minutes & notes?.pdf")
    response = opened(places, "minutes.pdf", web.READING_ROOM)
    assert (response.status_code, response["Cache-Control"]) == (302, "no-store")
    assert response["Location"].startswith(f"{places['BUCKET']}/kept/minutes%20%26%20notes%3F.pdf?")
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("name", ["minutes.pdf", "unheard-of.pdf"])
def test_the_view_of_the_recipe_refuses_everybody_else(places, name):
    web.restricted("/media/minutes.pdf", web.at(web.reading_room()))
    response = opened(places, name, web.HOME)
    assert response.status_code in (401, 403, 404)
    assert "Location" not in response
