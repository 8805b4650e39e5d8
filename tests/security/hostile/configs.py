"""Configurations of web servers for the library, small enough to be broken one line at a time.

They are written by hand, after the same plan as those that ``iiif_webserver`` prints; the twins are made from them by replacing
lines. ``@name@`` stands for what differs from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping

from iiif_auth.enforce import doors

ID, FILE, FOLDER = doors.IDENTIFIER, doors.FILE_PATH, doors.FOLDER_REST
IMAGE_2, IMAGE_3 = doors.IMAGE_REST_2, doors.IMAGE_REST_3
END = r"(?:\?.*)?$"


def filled(text: str, values: Mapping[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


IMAGES = """
upstream images { server 127.0.0.1:@upstream@; keepalive 16; }
server { listen 80 default_server; return 421; }
"""
APP = "upstream app { server 127.0.0.1:@app@; keepalive 16; }"

MAPS = f"""
proxy_cache_path @nginx@/decisions keys_zone=decisions:1m levels=1:2 use_temp_path=off;
map_hash_bucket_size 512;
map $request_uri $iiif_kind {{
    default "";
    "~^/iiif/image/3/{ID}/{IMAGE_3}{END}" bytes;
    "~^/iiif/image/2/{ID}/{IMAGE_2}{END}" bytes;
    "~^/iiif/image/[23]/{ID}(?:/info\\.json|/|){END}" described;
    "~^/films/{FILE}{END}" bytes;
    "~^/(?:media|scans)/{FILE}{END}" bytes;
}}
map $request_uri $iiif_item {{
    default $request_uri;
    "~^(?<iiif_a>/iiif/image/[23]/{ID})/" $iiif_a;
}}
map $request_uri $iiif_rest {{
    default "";
    "~^/iiif/image/3/{ID}/(?<iiif_b>{IMAGE_3}){END}" $iiif_b;
    "~^/iiif/image/2/{ID}/(?<iiif_c>{IMAGE_2}){END}" $iiif_c;
}}
# A version that is cut on the fly has another rest than was asked for.
map $iiif_cut $iiif_part {{ default $iiif_cut; "" $iiif_rest; }}
map "$request_method $http_authorization" $iiif_token {{
    default "";
    "~^HEAD (?<iiif_t>.+)$" "HEAD $iiif_t";
}}
"""

CHECKED = """
        auth_request /_iiif_auth;
        auth_request_set $iiif_source $upstream_http_x_iiif_source;
        auth_request_set $iiif_file $upstream_http_x_iiif_file;
        auth_request_set $iiif_cut $upstream_http_x_iiif_rest;
        auth_request_set $iiif_cache $upstream_http_x_iiif_cache;"""

CLEAN = """
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Cookie "";
        proxy_set_header Authorization "";
        proxy_hide_header Set-Cookie;"""
CACHED = """
        proxy_hide_header Cache-Control;
        add_header Cache-Control $iiif_cache;"""

TO_APP = """
        proxy_pass http://app;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host iiif.example.org;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;"""

METHODS = 'if ($request_method !~ "^(?:GET|HEAD)$") { return 405; }'

CHECKING = (
    IMAGES
    + APP
    + MAPS
    + f"""
server {{
    listen 80;
    server_name iiif.example.org;
    error_page 418 = @described;

    location ^~ /iiif/image/3/ {{
        {METHODS}
        if ($iiif_kind = "") {{ return 400; }}
        if ($iiif_kind = described) {{ return 418; }}{CHECKED}
        proxy_pass http://images/iiif/3/$iiif_source/$iiif_part;{CLEAN}{CACHED}
    }}
    location ^~ /iiif/image/2/ {{
        {METHODS}
        if ($iiif_kind = "") {{ return 400; }}
        if ($iiif_kind = described) {{ return 418; }}{CHECKED}
        proxy_pass http://images/iiif/2/$iiif_source/$iiif_part;{CLEAN}{CACHED}
    }}
    location ^~ /scans/ {{
        {METHODS}
        if ($iiif_kind = "") {{ return 400; }}{CHECKED}
        proxy_pass http://images/files/$iiif_source;{CLEAN}{CACHED}
    }}
    location ^~ /media/ {{
        {METHODS}
        if ($iiif_kind = "") {{ return 400; }}{CHECKED}
        root @folder@/media;
        try_files /$iiif_file =404;
        add_header Cache-Control $iiif_cache;
    }}
    location ^~ /films/ {{
        {METHODS}
        if ($iiif_kind = "") {{ return 400; }}{CHECKED}
        root @folder@/films;
        try_files /$iiif_file =404;
        add_header Cache-Control $iiif_cache;
    }}
    location = /_iiif_auth {{
        internal;
        proxy_pass http://app/iiif-auth/check;
        proxy_http_version 1.1;
        proxy_pass_request_body off;
        proxy_set_header Connection "";
        proxy_set_header Content-Length "";
        proxy_set_header If-None-Match "";
        proxy_set_header If-Modified-Since "";
        proxy_set_header Range "";
        proxy_set_header Host iiif.example.org;
        proxy_set_header X-IIIF-Auth-Secret @secret@;
        proxy_set_header X-Original-URI $request_uri;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_connect_timeout 500ms;
        proxy_read_timeout 5s;
        proxy_cache decisions;
        proxy_cache_key "$http_cookie|$remote_addr|$iiif_token|$iiif_item";
        proxy_cache_valid 200 401 403 1s;
        proxy_cache_lock off;
        proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
    }}
    location ^~ /iiif-auth/check {{ return 403; }}
    location @described {{{TO_APP}
    }}
    location / {{{TO_APP}
    }}
    location /static/ {{ alias @folder@/static/; }}
}}
"""
)
"""nginx that asks the check, and sends the bytes itself."""

HANDED = (
    IMAGES
    + APP
    + f"""
server {{
    listen 80;
    server_name iiif.example.org;
    location / {{{TO_APP}
    }}
    location ^~ /iiif-auth/check {{ return 403; }}
    location ^~ /_iiif_up/images/ {{
        internal;
        set $iiif_up $upstream_http_x_iiif_upstream;
        proxy_pass http://images/iiif/3/$iiif_up;{CLEAN}
    }}
    location ^~ /_iiif_up/older/ {{
        internal;
        set $iiif_up $upstream_http_x_iiif_upstream;
        proxy_pass http://images/iiif/2/$iiif_up;{CLEAN}
    }}
    location ^~ /_iiif_up/scans/ {{
        internal;
        set $iiif_up $upstream_http_x_iiif_upstream;
        proxy_pass http://images/files/$iiif_up;{CLEAN}
    }}
    location ^~ /_iiif_file/media/ {{ internal; alias @folder@/media/; }}
    location ^~ /_iiif_file/films/ {{ internal; alias @folder@/films/; }}
}}
"""
)
"""nginx in front of the site, which hands over what to send by ``X-Accel-Redirect``; signed addresses go this way too."""

EDGE = (
    IMAGES
    + f"""
map_hash_bucket_size 512;
map $request_uri $edge_ends {{ default ""; "~^/iiif-auth/edge/e1\\.(?<edge_e>[0-9]{{10}})\\.[A-Za-z0-9_-]{{22}}/" $edge_e; }}
map $request_uri $edge_code {{ default ""; "~^/iiif-auth/edge/e1\\.[0-9]{{10}}\\.(?<edge_c>[A-Za-z0-9_-]{{22}})/" $edge_c; }}
map $request_uri $edge_name {{
    default "";
    "~^/iiif-auth/edge/[^/]+/iiif/image/3/(?<edge_n>{ID})/{IMAGE_3}{END}" $edge_n;
}}
map $request_uri $edge_rest {{
    default "";
    "~^/iiif-auth/edge/[^/]+/iiif/image/3/{ID}/(?<edge_r>{IMAGE_3}){END}" $edge_r;
}}
server {{
    listen 80;
    server_name iiif.example.org;
    location ^~ /iiif-auth/edge/ {{
        {METHODS}
        if ($edge_rest = "") {{ return 400; }}
        secure_link $edge_code,$edge_ends;
        secure_link_md5 "@edge@ $edge_ends /iiif/image/3/$edge_name @edge@";
        if ($secure_link != "1") {{ return 403; }}
        proxy_pass http://images/iiif/3/$edge_name/$edge_rest;{CLEAN}
        add_header Cache-Control "private, no-cache";
    }}
    location / {{ return 404; }}
}}
"""
)
"""nginx that checks addresses of a minute by itself."""

CLEARED = (
    "request_header -X-IIIF-Upstream\n"
    "            request_header -X-IIIF-Source\n"
    "            request_header -X-IIIF-File\n"
    "            request_header -X-IIIF-Rest\n"
    "            request_header -SCRIPT_NAME"
)
_FORWARD = """forward_auth 127.0.0.1:@app@ {
                uri /iiif-auth/check
                header_up Host iiif.example.org
                header_up X-IIIF-Auth-Secret @secret@
                header_up X-Original-URI {http.request.orig_uri}
                header_up X-Original-Method {http.request.method}
                header_up X-Forwarded-For {http.request.remote.host}
                header_up -If-None-Match
                header_up -If-Modified-Since
                header_up -Range
                copy_headers X-IIIF-Upstream X-IIIF-File
            }"""
_PROXY = """reverse_proxy 127.0.0.1:@upstream@ {
                header_up -Cookie
                header_up -Authorization
                header_down -Set-Cookie
            }"""


def _caddy_door(path: str, prefix: str) -> str:
    return f"""
    handle {path}* {{
        @described expression `{{http.request.orig_uri}}.matches("^[^?]*/info[.]json([?].*)?$")`
        handle @described {{
            reverse_proxy 127.0.0.1:@app@ {{
                header_up X-Forwarded-For {{http.request.remote.host}}
            }}
        }}
        route {{
            {CLEARED}
            {_FORWARD}
            rewrite * {prefix}{{http.request.header.X-IIIF-Upstream}}?
            {_PROXY}
        }}
    }}"""


def _caddy_folder(path: str, folder: str) -> str:
    return f"""
    handle {path}* {{
        route {{
            {CLEARED}
            {_FORWARD}
            rewrite * /{{http.request.header.X-IIIF-File}}?
            root * @folder@/{folder}
            file_server
        }}
    }}"""


CADDY = f"""
{{
    admin off
    auto_https off
    log {{
        output discard
    }}
}}
http://iiif.example.org:@caddy@ {{
    bind 127.0.0.1
    @odd not method GET HEAD
    respond @odd 405
{_caddy_door("/iiif/image/3/", "/iiif/3/")}
{_caddy_door("/iiif/image/2/", "/iiif/2/")}
{_caddy_door("/scans/", "/files/")}
{_caddy_folder("/media/", "media")}
{_caddy_folder("/films/", "films")}
    handle /iiif-auth/check* {{
        respond 403
    }}
    handle {{
        reverse_proxy 127.0.0.1:@app@ {{
            header_up X-Forwarded-For {{http.request.remote.host}}
        }}
    }}
}}
"""
"""Caddy that asks the check."""
