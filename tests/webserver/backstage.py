"""What stands behind the web server in the linter's tests, and a configuration of nginx in which nothing is wrong.

The application decides as naively as any: by the beginning of the address it is told, and by a cookie. That is the twin which
shows what a hole in the web server's configuration is worth; our own check refuses what is not canonical besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.webserver.nginx import Peer, Request

CANARY = b"CANARY-7f3a"
SECRET = "let-nginx-in"
READER = {"Cookie": "pass=reader"}
ELSEWHERE = "https://open.example.org"
"""Another site of the same application, where everything of the same name is open."""

GOOD = """\
upstream images { server 127.0.0.1:$images; }
upstream application { server 127.0.0.1:$app; }
proxy_cache_path $folder/decisions keys_zone=decisions:1m levels=1:2 use_temp_path=off;
map $$request_uri $$iiif_item {
    default "";
    "~^(?<iiif_found>/[a-z]+/[^/?]+)" $$iiif_found;
}
# A token counts for HEAD only, so that no other method finds the answer it got.
map "$$request_method $$http_authorization" $$iiif_token {
    default "";
    "~^HEAD (?<iiif_shown>.+)$$" "HEAD $$iiif_shown";
}
server {
    listen 80;
    root $folder/www;
    error_page 500 502 503 504 /50x.html;

    location ^~ /iiif/ {
        limit_except GET HEAD OPTIONS { deny all; }
        auth_request /_iiif_auth;
        auth_request_set $$up $$upstream_http_x_iiif_upstream;
        auth_request_set $$cache $$upstream_http_x_iiif_cache;
        proxy_pass http://images/g$$up;
        proxy_set_header Cookie "";
        proxy_set_header Authorization "";
        proxy_hide_header Cache-Control;
        add_header Cache-Control $$cache;
        add_header Access-Control-Allow-Origin "*" always;
    }
    location ^~ /media/ {
        auth_request /_iiif_auth;
        auth_request_set $$file $$upstream_http_x_iiif_file;
        root $folder/media;
        try_files /$$file =404;
    }
    location ^~ /protected/ { internal; alias $folder/media/; }
    location = /_iiif_auth {
        internal;
        proxy_pass http://application/check;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header If-None-Match "";
        proxy_set_header If-Modified-Since "";
        proxy_set_header Range "";
        proxy_set_header X-IIIF-Auth-Secret $secret;
        proxy_set_header X-IIIF-Base "";
        proxy_set_header X-Original-URI $$request_uri;
        proxy_set_header X-Original-Method $$request_method;
        proxy_set_header X-Forwarded-For $$remote_addr;
        proxy_connect_timeout 500ms;
        proxy_send_timeout 1s;
        proxy_read_timeout 1s;
        proxy_cache decisions;
        proxy_cache_key "$$http_cookie|$$remote_addr|$$iiif_token|$$iiif_item";
        proxy_cache_valid 200 401 403 1s;
        proxy_cache_lock off;
    }
    location / {
        proxy_pass http://application;
        proxy_set_header Host $$host;
        proxy_set_header X-Forwarded-For $$remote_addr;
    }
    location /static/ { alias $folder/static/; expires 30d; }
    location ~ /\\. { deny all; }
    location = /50x.html { internal; }
}
"""
CACHE = GOOD[GOOD.index("        proxy_cache decisions;") : GOOD.index("    }\n    location / {")]
UNCACHED = GOOD.replace(CACHE, "")


def decided(request: Request) -> tuple[int, dict[str, str], bytes]:
    """A check that believes the beginning of an address; anything else it answers like a home page."""
    if not request.target.startswith("/check"):
        accel = (
            {"X-Accel-Redirect": "/protected/secret.mp4"} if "pass=reader" in request.headers.get("cookie", "") else {}
        )
        return 200, accel, b"home page"
    if request.headers.get("x-iiif-auth-secret") != SECRET:
        return 403, {}, b""
    if request.headers.get("if-none-match"):
        return 304, {}, b""
    uri = request.headers.get("x-original-uri", "")
    near = request.headers.get("x-forwarded-for", "").split(",")[0] == "10.0.0.1"
    token = "good" in request.headers.get("authorization", "") and request.headers.get("x-original-method") == "HEAD"
    known = "pass=reader" in request.headers.get("cookie", "")
    elsewhere = request.headers.get("x-iiif-base") == ELSEWHERE
    if not (known or near or elsewhere or token or uri.startswith(("/iiif/open", "/media/open"))):
        return 401, {"Cache-Control": "no-store"} if known else {}, b""
    below = "/" + uri.partition("?")[0].lstrip("/").partition("/")[2]
    return 200, {"X-IIIF-Upstream": below, "X-IIIF-File": below.lstrip("/"), "X-IIIF-Cache": "private, no-cache"}, b""


def shown(request: Request) -> tuple[int, dict[str, str], bytes]:
    """An image server: the secret is whatever lies in a folder of that name; it resolves nothing."""
    secret = "secret" in request.target.partition("?")[0].split("/")
    return 200, {"Content-Type": "text/plain"}, CANARY if secret else b"a public picture"


@dataclass(frozen=True, slots=True)
class Backstage:
    """The application, the image server, and the folder with files, restricted and not."""

    app: Peer
    images: Peer
    folder: Path

    def filled(self, text: str) -> str:
        """A configuration with the ports and folders of this run."""
        given = {"images": self.images.port, "app": self.app.port, "folder": self.folder, "secret": SECRET}
        return Template(text).substitute(given)

    def forget(self) -> None:
        self.app.seen.clear()
        self.images.seen.clear()


@contextmanager
def running(folder: Path) -> Iterator[Backstage]:
    folder.chmod(0o755)
    for name, words in {
        "media/secret.mp4": CANARY,
        "media/open.mp4": b"an open film",
        "static/site.css": b"body {}",
        "www/index.html": b"welcome",
        "www/50x.html": b"sorry",
        "neighbour/secret.txt": CANARY,
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(words)
    with Peer(decided) as app, Peer(shown) as images:
        yield Backstage(app, images, folder)
