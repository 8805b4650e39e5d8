"""The same servers, each broken in one way that somebody's were, or that ours could be; the generator must find every one.

A *budget* is the number of requests within which it does. Most are found within a tenth of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.security.hostile import configs
from tests.security.hostile.stacks import Wanted


@dataclass(frozen=True, slots=True)
class Twin:
    """A broken configuration.

    Attributes:
        story: what somebody thought when they wrote it.
        wanted: the servers.
        budget: requests.
    """

    name: str
    story: str
    wanted: Wanted
    budget: int = 20_000


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A configuration with each ``(old, new)`` replaced; ``old`` must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


MAIN = "    location @described {"
"""Before this, other locations can be put in."""


def _nginx(name: str, story: str, *changes: tuple[str, str], base: str = configs.CHECKING) -> Twin:
    mode = {configs.CHECKING: "nginx", configs.HANDED: "x-accel", configs.EDGE: "edge"}[base]
    config = changed(base, *changes)
    return Twin(name, story, Wanted(name, mode, "nginx", config, hands_over=mode == "x-accel"))


def _django(name: str, story: str, *, mode: str = "django") -> Twin:
    return Twin(name, story, Wanted(name, mode, proxied=False, twin=name))


NO_GRAMMAR = ('        if ($iiif_kind = "") { return 400; }\n', "")
LOOSE_ITEM = (
    f'    "~^(?<iiif_a>/iiif/image/[23]/{configs.ID})/" $iiif_a;',
    '    "~^(?<iiif_a>/iiif/image/[23]/[^/?]+)" $iiif_a;',
)
NGINX: Final = (
    _nginx(
        "regex-location-wins",
        "thumbnails have a location of their own, and a regular expression wins over a prefix without ^~",
        ("location ^~ /iiif/", "location /iiif/"),
        (MAIN, "    location ~* ^/iiif/image/[23]/.+\\.(?:jpg|png)$ { proxy_pass http://images; }\n" + MAIN),
    ),
    _nginx(
        "missing-caret-tilde",
        "the usual lines for static files stand beside a door without ^~",
        ("location ^~ /media/", "location /media/"),
        (MAIN, "    location ~* \\.(?:mp4|txt|css)$ { root @folder@; expires 7d; }\n" + MAIN),
    ),
    _nginx(
        "open-segments",
        "segments of films are worth nothing by themselves, so only the playlist is guarded",
        ("location ^~ /films/", "location /films/"),
        (MAIN, "    location ~ ^/films/.*\\.ts$ { root @folder@; }\n" + MAIN),
    ),
    _nginx(
        "satisfy-any",
        "the monitoring on this machine may see everything",
        (
            "    location ^~ /iiif/image/3/ {\n",
            "    location ^~ /iiif/image/3/ {\n        satisfy any; allow 127.0.0.1; deny all;\n",
        ),
        # With what the check said nothing would be found there: it was not asked.
        ("proxy_pass http://images/iiif/3/$iiif_source/$iiif_part;", "proxy_pass http://images;"),
    ),
    _nginx(
        "error-page-proxies",
        "whoever is refused is shown something else, from the same image server",
        (
            "    location ^~ /iiif/image/3/ {\n",
            "    location ^~ /iiif/image/3/ {\n        error_page 401 403 = @lesser;\n",
        ),
        (MAIN, "    location @lesser { proxy_pass http://images; }\n" + MAIN),
    ),
    _nginx(
        "cached-by-address-of-the-page",
        "answers of the check are kept by what was asked for",
        ('proxy_cache_key "$http_cookie|$remote_addr|$iiif_token|$iiif_item";', 'proxy_cache_key "$request_uri";'),
    ),
    _nginx(
        "cached-without-cookie",
        "answers of the check are kept by address and item",
        (
            'proxy_cache_key "$http_cookie|$remote_addr|$iiif_token|$iiif_item";',
            'proxy_cache_key "$remote_addr|$iiif_item";',
        ),
    ),
    _nginx(
        "alias-slip",
        "an alias ends in a slash, and its location does not",
        ("    location /static/ { alias", "    location /static { alias"),
    ),
    _nginx(
        "decided-by-item-fetched-by-uri",
        "the check is asked about the identifier, and what is fetched is what nginx made of the whole path",
        NO_GRAMMAR,
        LOOSE_ITEM,
        (
            "proxy_set_header X-Original-URI $request_uri;",
            "proxy_set_header X-Original-URI $iiif_item/full/max/0/default.jpg;",
        ),
        ("proxy_pass http://images/iiif/3/$iiif_source/$iiif_part;", "proxy_pass http://images/iiif/3/;"),
    ),
    _nginx(
        "no-constant-beginning",
        "the address upstream is a variable that nobody sets, so nginx passes on what the client wrote",
        NO_GRAMMAR,
        LOOSE_ITEM,
        ("proxy_pass http://images/iiif/3/$iiif_source/$iiif_part;", "proxy_pass http://images$iiif_up;"),
        (
            "        auth_request_set $iiif_file $upstream_http_x_iiif_file;",
            "        auth_request_set $iiif_file $upstream_http_x_iiif_file;\n"
            "        auth_request_set $iiif_up $upstream_http_x_iiif_path;",
        ),
    ),
    _nginx(
        "open-beginning-beside",
        "what is open goes straight to the same image server",
        (MAIN, "    location ^~ /iiif/image/3/open-1/ { proxy_pass http://images; }\n" + MAIN),
    ),
    _nginx(
        "believes-the-client-where-it-is",
        "the address that the client claims is handed on",
        ("proxy_set_header X-Forwarded-For $remote_addr;", "proxy_set_header X-Forwarded-For $http_x_forwarded_for;"),
        ("proxy_cache decisions;", "proxy_cache off;"),  # or who told the truth a moment ago decides
    ),
    _nginx(
        "passes-cookies-on",
        "nobody told nginx to keep cookies from the image server",
        ('        proxy_set_header Cookie "";\n', ""),
    ),
    _nginx(
        "not-internal",
        "the location that X-Accel-Redirect leads to can be asked for by anybody",
        ("/_iiif_file/media/ { internal; alias", "/_iiif_file/media/ { alias"),
        base=configs.HANDED,
    ),
    _nginx(
        "edge-without-item",
        "the code of the minute's address covers its end, and not what it is for",
        (
            'secure_link_md5 "@edge@ $edge_ends /iiif/image/3/$edge_name @edge@";',
            'secure_link_md5 "@edge@ $edge_ends  @edge@";',
        ),
        base=configs.EDGE,
    ),
    _nginx(
        "edge-without-end",
        "the end of the minute's address is signed, and not looked at",
        ("secure_link $edge_code,$edge_ends;", "secure_link $edge_code;"),
        base=configs.EDGE,
    ),
)
CADDY: Final = (
    Twin(
        "caddy-keeps-queries",
        "a rewrite without a question mark keeps the query, and the image server listens to it",
        Wanted(
            "caddy-keeps-queries", "caddy", "caddy", changed(configs.CADDY, ("X-IIIF-Upstream}?", "X-IIIF-Upstream}"))
        ),
    ),
    Twin(
        "caddy-believes-headers",
        "the check is not asked for what has been checked before, as a header says",
        Wanted(
            "caddy-believes-headers",
            "caddy",
            "caddy",
            changed(
                configs.CADDY,
                (f"            {configs.CLEARED}\n", ""),
                (
                    "forward_auth 127.0.0.1:@app@ {",
                    "@unknown not header X-IIIF-File *\n            forward_auth @unknown 127.0.0.1:@app@ {",
                ),
            ),
        ),
    ),
)
DJANGO: Final = (
    _django("decoded-path", "the decision is about the decoded path, and the bytes are asked for by the raw one"),
    _django("token-as-cookie", "cookies and tokens are looked up in one place"),
    _django("bearer-for-content", "a token opens what it should only ask about"),
    _django("head-is-harmless", "HEAD has no body, so it is not refused"),
    _django("range-before-decision", "a part is not the whole, so it is not refused"),
    _django("file-traversal", "the name of a file is decoded and joined to the folder"),
    _django("ticket-without-address", "a ticket says whose it is, and not what it is for", mode="signed"),
    _django("ticket-without-end", "the end of a ticket is signed, and not looked at", mode="signed"),
)
TWINS: Final = (*NGINX, *CADDY, *DJANGO)
