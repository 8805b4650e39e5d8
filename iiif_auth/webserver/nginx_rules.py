"""The holes that are known in nginx configurations: how each is exploited, and what to do (security 2.6, checklist 32 to 36)."""

from __future__ import annotations

from iiif_auth.webserver.findings import Rule, Severity

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

MISSING_CARET = Rule(
    "missing-caret",
    WARNING,
    "nginx tries regular expressions after it has found a plain prefix, and the first that fits answers instead. The usual block "
    "that gives pictures and scripts a long life (“location ~* \\.(jpg|png)$”) then serves every tile, and the check is never "
    "asked. Nothing of that kind may stand here today; somebody will add it.",
    "Write “location ^~” before the path.",
)
REGEX_WINS = Rule(
    "regex-wins",
    ERROR,
    "A regular expression beats a plain prefix, whatever their order in the file. An address that both fit, such as "
    "“…/full/max/0/default.jpg”, is answered here, where nobody asks the check.",
    "Write “^~” before the path of the guarded location, or put this location inside it.",
)
SATISFY_ANY = Rule(
    "satisfy-any",
    ERROR,
    "“satisfy any” lets a request in as soon as one of “allow”, “auth_basic” and “auth_request” says yes. Whoever comes from an "
    "allowed address, and behind another proxy that may be everybody, gets the content although the check says 401.",
    "Use “satisfy all”, the default, and put networks into the access policy, where the check judges them.",
)
ERROR_PAGE_CONTENT = Rule(
    "error-page-content",
    ERROR,
    "An error page is fetched inside nginx by a new search for a location, and that location has no check of its own. When the "
    "check refuses, or is down, the reader is given what this page leads to: the protected picture, with status 200, or even "
    "with status 403. A picture is shown whatever its status says.",
    "Lead refusals to a static page or to the application, or leave “error_page” out of guarded locations.",
)
ERROR_PAGE_DISGUISE = Rule(
    "error-page-disguise",
    WARNING,
    "“=” in an “error_page” replaces the status. Viewers learn from 401 and 403 that somebody has to log in; with another "
    "status they take the page for the picture, and caches keep it as such.",
    "Leave the “=” out, so that the refusal keeps its status.",
)
NO_LIMIT_EXCEPT = Rule(
    "methods-open",
    ERROR,
    "The check is always asked with GET, whatever the reader's own method is. When it says yes, a POST, PUT or DELETE of any "
    "reader reaches the image server unchanged, and some of those servers delete caches or take uploads that way.",
    "Add “limit_except GET HEAD OPTIONS { deny all; }” to the location.",
)
AUTH_CACHE_KEY = Rule(
    "auth-cache-key",
    ERROR,
    "An answer of the check is kept under this key, and given to the next request with the same key. What the key lacks, the "
    "next request may differ in: without the cookie and the address a stranger gets the answer of a reader, without the item one "
    "permitted picture opens all, and without the method and the token a HEAD opens what a GET may not have.",
    "Build the key from the cookie, the address, the item, and the method with its token, or do not cache the check at all.",
)
AUTH_CACHE_TILE = Rule(
    "auth-cache-per-tile",
    WARNING,
    "With the whole address of the request in the key, every tile is a new entry: the check is asked for each of them, and "
    "storing costs more than is saved. It lets nobody in, but it is slower than no cache.",
    "Take the item out of the address with a “map”, and use that in the key.",
)
AUTH_CACHE_LONG = Rule(
    "auth-cache-long",
    ERROR,
    "For as long as an answer of the check is kept, a person who was logged out, whose permission has ended, or whose picture "
    "was withdrawn, is still let in.",
    "Keep answers for one second: “proxy_cache_valid 200 401 403 1s;”.",
)
AUTH_CACHE_STALE = Rule(
    "auth-cache-stale",
    ERROR,
    "A stale answer of the check is given while the application is down or slow, or while it is being asked again. Whoever makes "
    "it slow, or waits for it, keeps an access that was taken away.",
    "Remove “proxy_cache_use_stale” and “proxy_cache_background_update”, or set both to “off” in the location of the check.",
)
AUTH_CACHE_DEAF = Rule(
    "auth-cache-deaf",
    ERROR,
    "Some answers must not be kept at all: those about one part of a picture, for people who may see it only small. The check "
    "says so with “X-Accel-Expires: 0”, which is ignored here, so that the answer for a small part opens a large one.",
    "Remove X-Accel-Expires from “proxy_ignore_headers” in the location of the check.",
)
AUTH_CACHE_LOCK = Rule(
    "auth-cache-lock",
    WARNING,
    "With the lock, all tiles of a picture but one wait for the first answer, and nginx looks only every half second whether it "
    "has come. Measured: a quarter of the tiles of a new viewer then take 200 ms or more, instead of 1 ms.",
    "Set “proxy_cache_lock off;” in the location of the check.",
)
AUTH_CONDITIONAL = Rule(
    "auth-conditional",
    ERROR,
    "The headers of the reader's request go to the check as well. A browser that has a tile already asks with If-None-Match; if "
    "anything in the application answers 304 to that, nginx takes it for a failure and the reader gets a 500.",
    'Add “proxy_set_header If-None-Match "";” and the same for If-Modified-Since and Range to the location of the check.',
)
AUTH_NOT_INTERNAL = Rule(
    "auth-not-internal",
    ERROR,
    "Anybody can ask this address directly, and nginx adds its secret header for them. They see the headers with the name "
    "of the hidden original, and can ask about any address as often as they like.",
    "Add “internal;” to the location of the check.",
)
AUTH_BODY = Rule(
    "auth-body",
    WARNING,
    "The check is announced a body (Content-Length) that nginx has not read and does not send, so an application that waits "
    "for it answers too late, and the reader gets a 500.",
    'Add “proxy_pass_request_body off;” and “proxy_set_header Content-Length "";” to the location of the check.',
)
AUTH_TARGET = Rule(
    "auth-target",
    ERROR,
    "No location was made for the address of this “auth_request”, so the question goes wherever everything else goes: to a "
    "folder or a page that knows nothing of it. If there is anything at that address, its 200 is taken for a yes.",
    "Add “location = …” with that address, “internal”, that asks the application.",
)
AUTH_YES = Rule(
    "auth-always-yes",
    ERROR,
    "The location of the check answers by itself, without asking anybody, or makes a no into a yes. All behind it is open.",
    "Let the location ask the application by “proxy_pass”, and nothing else.",
)
AUTH_TIMEOUTS = Rule(
    "auth-timeouts",
    WARNING,
    "While the application hangs, every request for a tile waits here for a minute, until nginx has no connection left "
    "for pictures that everybody may see. Nobody is let in, but everything stands still.",
    "Add “proxy_connect_timeout 500ms;”, “proxy_send_timeout 1s;” and “proxy_read_timeout 1s;” to the location of the check.",
)
AUTH_SECRET = Rule(
    "auth-secret",
    ERROR,
    "The check believes what it is told only from its own web server, which it knows by this header. Without it every "
    "answer is 403; or, if the application is set not to mind, everybody who reaches it can ask in the name of others.",
    "Add “proxy_set_header X-IIIF-Auth-Secret” with the value of CHECK_SECRET, in a file that only nginx can read.",
)
AUTH_ORIGINAL = Rule(
    "auth-original",
    ERROR,
    "A header that nginx does not set is passed on as the client sent it. The check decides about the address and the method in "
    "X-Original-URI and X-Original-Method: a reader who writes an open address there is let in to any other.",
    "Add “proxy_set_header X-Original-URI $request_uri;” and “proxy_set_header X-Original-Method $request_method;”.",
)
AUTH_BASE = Rule(
    "auth-base",
    ERROR,
    "Where one application publishes several sites, the check looks for the address among the things of the site that "
    "X-IIIF-Base names, and of its own if that is empty. A site that is not named, or is named by the reader, is the wrong one: "
    "a picture that is open there lets everybody in to the restricted one of the same name here.",
    'Add “proxy_set_header X-IIIF-Base "";” to the location of the check; instead of the "", what the doors of this site name as '
    "their “base”.",
)
FORWARDED_OPEN = Rule(
    "forwarded-for-open",
    ERROR,
    "The address in X-Forwarded-For is the client's own writing here. Whoever writes an address of the reading room into it is "
    "in the reading room.",
    "Add “proxy_set_header X-Forwarded-For $remote_addr;”.",
)
FORWARDED_APPENDED = Rule(
    "forwarded-for-appended",
    WARNING,
    "The real address is added after whatever the client wrote. An application that counts the proxies wrongly by one, or "
    "takes the first address of the list, believes the client.",
    "Replace the list: “proxy_set_header X-Forwarded-For $remote_addr;”.",
)
FORWARDS_CREDENTIALS = Rule(
    "forwards-credentials",
    ERROR,
    "The reader's cookies and tokens are sent on to a server that has no use for them. They stand in its logs, and whoever runs "
    "or breaks into it can log in as every reader. Headers set further out do not count in a place that sets one of its own.",
    'Add “proxy_set_header Cookie "";” and “proxy_set_header Authorization "";” to this very location.',
)
CLIENT_PATH = Rule(
    "client-path",
    ERROR,
    "The check decides about the address as the client wrote it, but what is fetched is the address as nginx understands it, "
    "with “%2f” and “..” resolved. “/open%2f..%2fsecret/x” is decided as something open, and the secret is delivered.",
    "Fetch what was decided: “auth_request_set $up $upstream_http_x_iiif_upstream;” and “proxy_pass http://images/prefix$up;”; "
    "for files “auth_request_set $file $upstream_http_x_iiif_file;” and “root /folder; try_files /$file =404;”.",
)
NO_PREFIX = Rule(
    "proxy-without-prefix",
    ERROR,
    "When the variable is empty, because the check said nothing or another answer was cached, the argument has no path left, and "
    "nginx then sends the client's own address to the server, as it came.",
    "Put a constant path before the variable: “proxy_pass http://images/prefix$up;”.",
)
SHARED_UPSTREAM = Rule(
    "shared-upstream",
    ERROR,
    "The same server answers behind this open location and behind a guarded one. nginx chooses the location by the address as it "
    "understands it and may forward the address as it came: “/open/..%2fguarded/x” is chosen as the one and answered as "
    "the other. Plainly asking for the guarded name under this path may be enough.",
    "Guard this location as well, or let the image server for open pictures be another one.",
)
SHARED_ROOT = Rule(
    "shared-root",
    ERROR,
    "A folder behind a guarded location can be reached by another address that nobody guards. Knowing the name of a file is "
    "all it takes.",
    "Move the guarded files out of this folder, or shut the address: “location ^~ /that/folder/ { return 404; }”.",
)
ALIAS_SLIP = Rule(
    "alias-slip",
    ERROR,
    "The location's path has no slash at its end, so it also fits what continues the name: “/files../secret” becomes "
    "“/srv/files/../secret”, and nginx delivers the neighbour of the folder.",
    "End the path of the location and the path it stands for with a slash, both.",
)
ACCEL_OPEN = Rule(
    "accel-not-internal",
    ERROR,
    "This location is meant for X-Accel-Redirect, where the application has decided already. Without “internal” anybody can ask "
    "for it directly, and gets every file.",
    "Add “internal;” to the location.",
)
GUARD_LOST = Rule(
    "guard-lost",
    ERROR,
    "This location lies within the addresses of a guarded one, and what it serves is asked of nobody. Whoever finds an "
    "address that fits it gets the content.",
    "Remove “auth_request off”, or add the same “auth_request” here.",
)
BEFORE_AUTH = Rule(
    "leaves-before-auth",
    ERROR,
    "“rewrite”, “return” and “if” are carried out before nginx asks the check. What leaves the location in that moment is never "
    "decided, so the condition here is the only guard, and most conditions are about something that the client sends.",
    "Remove the condition; let the check decide. For what must leave, lead it to a location that is guarded as well.",
)
MERGE_SLASHES = Rule(
    "merge-slashes-off",
    WARNING,
    "“//iiif/…” is then another address than “/iiif/…”: no guarded location fits it, the one for everything else does, and "
    "many servers behind it take the two for the same.",
    "Remove “merge_slashes off”.",
)
PUBLIC_CACHE = Rule(
    "public-cache",
    ERROR,
    "A lifetime that is set here holds for restricted pictures too. A cache that several people share, at the institution or at "
    "the provider, keeps the picture of one reader and gives it to the next.",
    "Use what the check says: “auth_request_set $cache $upstream_http_x_iiif_cache;”, “proxy_hide_header Cache-Control;” and "
    "“add_header Cache-Control $cache;”.",
)
CORS_CREDENTIALS = Rule(
    "cors-credentials",
    ERROR,
    "With this header, a script on any site that is allowed as origin reads pictures with the cookies of its visitor.",
    "Remove Access-Control-Allow-Credentials; content needs “Access-Control-Allow-Origin: *” and nothing more.",
)
CONTENT_CACHE_KEY = Rule(
    "content-cache-key",
    WARNING,
    "Pictures are kept under a key that does not contain what was fetched. Two people who ask for the same address and are given "
    "different versions of it then get the version of whoever came first.",
    "Put the variable with the path from the check into “proxy_cache_key”, or leave the key to nginx.",
)
GUARD_MISSING = Rule(
    "guard-missing",
    ERROR,
    "This is a path under which restricted content is published, and no location of this configuration asks the check for it.",
    "Add a location for the path with “auth_request”; “manage.py iiif_webserver nginx” prints one.",
)
NOTHING_GUARDED = Rule(
    "nothing-guarded",
    NOTE,
    "There is no “auth_request”, no “internal” and no “secure_link” in this file, so there was nothing to judge.",
    "Check the file in which the guarded locations are, or print one with “manage.py iiif_webserver nginx”.",
)
UNREAD = Rule(
    "unread-include",
    NOTE,
    "Whatever this file says was not looked at: it may open what is guarded here, or set what seems to be missing.",
    "Check the whole configuration: “nginx -T > all.conf” writes it into one file.",
)
