"""nginx in front of the views: what it fetches by ``X-Accel-Redirect`` is to the byte what was decided."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from tests import servers, web
from tests.test_fetch import site as answering
from tests.upstream.stub import answer
from tests.web import CANARY, EVERYONE, SIGNED_IN, site
from tests.webserver.running import free_port

__all__ = ["site"]

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{app}; proxy_set_header Host {host}; proxy_set_header X-Forwarded-Proto https; }}
    location ^~ /_iiif_up/images/ {{
      internal;
      set $up $upstream_http_x_iiif_upstream;
      proxy_pass http://127.0.0.1:{images}/iiif/3/$up;
      proxy_pass_request_headers off; proxy_hide_header Link; proxy_hide_header Set-Cookie;
    }}
    location ^~ /_iiif_files/media/ {{ internal; alias {media}/; }}
  }}
}}
"""


@contextmanager
def nginx(folder, **given):
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        servers.missing("nginx is not installed (Debian: apt-get install nginx-light).")
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, host=web.HOST, **given))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with servers.ended(process):
        servers.wait_for(port, process)
        yield port


def ask(port, target, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", target, headers=headers)
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


@pytest.fixture
def images():
    says = answer(
        CANARY, b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nLink: <http://inside/>\r\nSet-Cookie: a=b\r\n"
    )
    with answering(says) as made:
        yield made


@pytest.fixture
def front(site, live_server, images, tmp_path):
    """nginx, the site behind it, and an image server behind both."""
    site.ROOT_URLCONF = "tests.doorways.urls"
    site.ALLOWED_HOSTS = ["*"]
    (tmp_path / "media").mkdir()
    tmp_path.chmod(0o755)
    upstream = f"http://127.0.0.1:{images.port}/iiif/3/"
    site.IIIF_AUTH_FLOW = {
        **site.IIIF_AUTH_FLOW,
        "SEND_FILE": "/_iiif_files/",
        "SEND_UPSTREAM": "/_iiif_up/",
        "DOORS": (
            {"name": "images", "path": "/iiif/3/", "serves": "image-3", "upstream": upstream},
            {"name": "media", "path": "/media/", "serves": "files", "root": f"{tmp_path}/media/"},
        ),
    }
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(folder, app=live_server.thread.port, images=images.port, media=tmp_path / "media") as port:
        yield port


@pytest.mark.django_db(transaction=True)
def test_what_nginx_fetches_is_what_was_decided(front, images):
    web.restricted("/iiif/3/open", EVERYONE, source="maps/harbour 1?.tif")
    web.restricted("/iiif/3/closed", SIGNED_IN)
    status, headers, body = ask(
        front, "/iiif/3/open/full/%5Emax/0/default.jpg?x=y", Cookie="a=b", Authorization="Basic eDp5"
    )
    assert (status, body) == (200, CANARY)
    (asked,) = images.asked
    assert asked.startswith(b"GET /iiif/3/maps%2Fharbour%201%3F.tif/full/%5Emax/0/default.jpg HTTP/1.")
    assert not {b"cookie", b"authorization"} & {line.split(b":")[0].lower() for line in asked.split(b"\r\n")}
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Cache-Control"] == "public, max-age=60"
    assert not {"Link", "Set-Cookie", "X-IIIF-Upstream", "X-Accel-Redirect"} & set(headers)
    status, _headers, body = ask(front, "/iiif/3/closed/full/max/0/default.jpg")
    assert (status in (401, 403), CANARY in body, len(images.asked)) == (True, False, 1)


@pytest.mark.django_db(transaction=True)
def test_a_file_is_sent_by_nginx_in_parts(front, tmp_path):
    web.restricted("/media/report.pdf", EVERYONE, source="2026/Bericht ü?.pdf")
    web.restricted("/media/secret.pdf", SIGNED_IN)
    for name in ("2026/Bericht ü?.pdf", "secret.pdf"):
        path = tmp_path / "media" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(CANARY)
    for folder in tmp_path.parents:
        if folder != folder.parent and folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)  # nginx is not root here, and pytest's folders are its own
    status, headers, body = ask(front, "/media/report.pdf", Range="bytes=0-5")
    assert (status, body, headers["Content-Type"]) == (206, b"CANARY", "application/pdf")
    for target in (
        "/media/secret.pdf",
        "/_iiif_files/media/secret.pdf",
        "/_iiif_up/images/secret",
        "/media/../_iiif_files/media/secret.pdf",
    ):
        status, _headers, body = ask(front, target)
        assert (status in (401, 403, 404), CANARY in body) == (True, False)
