"""The holes that are known in Caddyfiles: how each is exploited, and what to do (security 2.6, checklist 32 to 36)."""

from __future__ import annotations

from iiif_auth.webserver.findings import Rule, Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

UNCOVERED = Rule(
    "matcher-uncovered",
    ERROR,
    "“forward_auth” is asked only for requests that its matcher fits, and the content is delivered for others too. A request "
    "that fits the second and not the first is delivered undecided.",
    "Put both into one “route” or “handle” with the matcher, and leave the matcher of “forward_auth” out.",
)
EXCEPTION = Rule(
    "matcher-exception",
    ERROR,
    "Caddy compares paths without regard to case, decoded, and with “..” resolved; the server behind gets the address as it "
    "was sent. An address that counts as the exception here can be something else there, and is delivered undecided.",
    "Ask the check for everything. What is open to all, it lets through.",
)
ORDER = Rule(
    "handler-first",
    ERROR,
    "Within “route”, directives run in the order of the file. The content is delivered before “forward_auth” has its turn, so "
    "the check is never asked.",
    "Move “forward_auth” to the beginning of the route.",
)
REWRITE_FIRST = Rule(
    "rewrite-first",
    ERROR,
    "Caddy rewrites the address before it asks the check, whatever the order in the file, unless both are in a “route”. The "
    "check then decides about another address than the one the reader asked for; and a header in the rewrite is the client's "
    "own.",
    "Use “route { forward_auth … rewrite … reverse_proxy … }”, and tell the check {http.request.orig_uri}.",
)
CREDENTIALS = Rule(
    "forwards-credentials",
    ERROR,
    "The reader's cookies and tokens are sent on to a server that has no use for them. They stand in its logs, and whoever "
    "runs or breaks into it can log in as every reader.",
    "Add “header_up -Cookie” and “header_up -Authorization” to this “reverse_proxy”.",
)
CLIENT_PATH = Rule(
    "client-path",
    ERROR,
    "The check decides about the address as it was told, but what is fetched is the address as the client wrote it, to be "
    "understood by yet another server. “/open%2f..%2fsecret” may be open to the one and the secret to the other.",
    "Fetch what was decided: “copy_headers X-IIIF-Upstream”, and in the same “route” “rewrite * {header.X-IIIF-Upstream}”.",
)
COPIED = Rule(
    "copied-header",
    WARNING,
    "“copy_headers” puts a header of the check's answer into the request, over what the client sent. When an answer lacks it, "
    "some versions of Caddy leave the client's own header there, and the client chooses what is fetched.",
    "Take the header away first: “request_header -X-IIIF-Upstream”, as the first line of the “route”.",
)
ORIGINAL = Rule(
    "auth-original",
    ERROR,
    "A header that Caddy does not set is passed on as the client sent it. The check decides about the address and the method "
    "in X-Original-URI and X-Original-Method: a reader who writes an open address there is let in to any other.",
    "Add “header_up X-Original-URI {http.request.orig_uri}” and “header_up X-Original-Method {http.request.orig_method}”.",
)
BASE = Rule(
    "auth-base",
    ERROR,
    "Where one application publishes several sites, the check looks for the address among the things of the site that "
    "X-IIIF-Base names, and of its own if there is none. A reader who may write the header names another site, where a picture "
    "of the same name may be open to everybody.",
    "Add “header_up -X-IIIF-Base”; for a site that doors name as their “base”, “header_up X-IIIF-Base” with that base.",
)
SECRET = Rule(
    "auth-secret",
    ERROR,
    "The check believes what it is told only from its own web server, which it knows by this header. Without it every answer "
    "is 403; or, if the application is set not to mind, everybody who reaches it can ask in the name of others.",
    "Add “header_up X-IIIF-Auth-Secret” with the value of CHECK_SECRET, best from the environment: {$CHECK_SECRET}.",
)
CONDITIONAL = Rule(
    "auth-conditional",
    WARNING,
    "The headers of the reader's request go to the check as well. If anything in the application answers 304 to "
    "If-None-Match, Caddy gives that to the reader, whose browser shows the copy it has, although nobody decided that it "
    "still may.",
    "Add “header_up -If-None-Match”, “header_up -If-Modified-Since” and “header_up -Range” to “forward_auth”.",
)
TIMEOUTS = Rule(
    "auth-timeouts",
    WARNING,
    "While the application hangs, every request for a tile waits, without end. Nobody is let in, but everything stands still.",
    "Add “transport http { dial_timeout 500ms  response_header_timeout 1s }” to “forward_auth”.",
)
METHODS = Rule(
    "methods-open",
    ERROR,
    "The check is always asked with GET, whatever the reader's own method is. When it says yes, a POST, PUT or DELETE of any "
    "reader reaches the server behind unchanged, and some of those delete caches or take uploads that way.",
    "Begin the “route” with “@other not method GET HEAD OPTIONS” and “respond @other 405”; outside of it, “respond” is too late.",
)
SHARED_UPSTREAM = Rule(
    "shared-upstream",
    ERROR,
    "The same server answers behind this open place and behind a guarded one. Asking for the guarded name under this path may "
    "be enough; if not, an address that Caddy takes for the one and the server behind for the other is.",
    "Guard this place as well, or let the image server for open pictures be another one.",
)
SHARED_ROOT = Rule(
    "shared-root",
    ERROR,
    "A folder behind a guarded place can be reached by another address that nobody guards. Knowing the name of a file is all "
    "it takes.",
    "Move the guarded files out of this folder, or guard this address as well.",
)
ERRORS = Rule(
    "error-page-content",
    ERROR,
    "“handle_errors” also runs when the check cannot be asked. Whoever brings the application down, or waits until it is, "
    "gets the guarded content from here.",
    "Answer errors with “respond” or a static page from another folder.",
)
TRUSTED = Rule(
    "trusted-proxies",
    WARNING,
    "From these addresses, what the client writes into X-Forwarded-For is believed. Whoever sits in such a network, a reading "
    "room for instance, can then be at any address.",
    "List the addresses of the proxies that really stand before this server, or remove the line.",
)
FORWARDED = Rule(
    "forwarded-for-open",
    ERROR,
    "The address in X-Forwarded-For is the client's own writing here. Whoever writes an address of the reading room into it "
    "is in the reading room.",
    "Remove the line; Caddy sets X-Forwarded-For by itself, to {remote_host}.",
)
PUBLIC_CACHE = Rule(
    "public-cache",
    ERROR,
    "A lifetime that is set here holds for restricted pictures too. A cache that several people share keeps the picture of "
    "one reader and gives it to the next.",
    "Use what the check says: “copy_headers X-IIIF-Cache” and “header Cache-Control {header.X-IIIF-Cache}”.",
)
CORS_CREDENTIALS = Rule(
    "cors-credentials",
    ERROR,
    "With this header, a script on any site that is allowed as origin reads pictures with the cookies of its visitor.",
    "Remove Access-Control-Allow-Credentials; content needs “Access-Control-Allow-Origin *” and nothing more.",
)
GUARD_MISSING = Rule(
    "guard-missing",
    ERROR,
    "This is a path under which restricted content is published, and nothing in this file asks the check for it.",
    "Add a “route” for the path that begins with “forward_auth”; “manage.py iiif_webserver caddy” prints one.",
)
NOTHING_GUARDED = Rule(
    "nothing-guarded",
    NOTE,
    "There is no “forward_auth” in this file, so there was nothing to judge.",
    "Check the file in which the guarded places are, or print one with “manage.py iiif_webserver caddy”.",
)
UNREAD = Rule(
    "unread-include",
    NOTE,
    "Whatever is imported there was not looked at: it may open what is guarded here, or set what seems to be missing.",
    "Check the file with the imported one beside it.",
)
