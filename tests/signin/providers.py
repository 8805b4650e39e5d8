"""Identity providers for people with browsers: ``python -m tests.signin.providers`` runs them and prints where they are.

A process of their own, because the OpenID provider brings packages along that warn. Both know the same people, each by what it
says of them. The second OpenID provider is the first once more with isolated pages, as Microsoft's and Amazon's are.
"""

from __future__ import annotations

import json
import sys
import threading
from html import escape
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.signin.inside.saml import SCOPED, College
from tests.signin.leaving import teach

SCOPE = {"openid": "westmark.example", "isolated": "eastmark.example", "saml": "northwick.example"}
"""By provider, the domain that it speaks for."""
PEOPLE = {"ada": "staff", "ben": "student"}
"""By subject, what somebody is there."""
CONFINED = {"Cross-Origin-Opener-Policy": "same-origin"}


def openid(name: str, headers: dict[str, str]) -> Any:
    """An OpenID provider whose pages need nothing of other sites."""
    from oidc_provider_mock import User, app

    claims = [
        User(sub=sub, claims={"eduperson_scoped_affiliation": [f"{role}@{SCOPE[name]}"]})
        for sub, role in PEOPLE.items()
    ]
    made = teach(app(user_claims=claims))

    @made.after_request
    def plainly(response: Any) -> Any:
        if response.mimetype == "text/html":
            response.set_data(response.get_data(as_text=True).replace('rel="stylesheet"', 'rel="none"'))
        response.headers.extend(headers)
        return response

    return made


class SamlPages:
    """The two pages of a SAML provider: who one is, and a form that takes the answer back by itself."""

    def __init__(self, college: College) -> None:
        self.college = college

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        asked = parse_qs(environ.get("QUERY_STRING", ""))
        if environ["REQUEST_METHOD"] == "POST":
            sent = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
            return [self.answered(environ["QUERY_STRING"], sent["sub"][0], asked).encode()]
        form = '<form method="post"><label>Name <input name="sub"></label><button>Sign in</button></form>'
        return [page(form if "SAMLRequest" in asked else "Nothing was asked.").encode()]

    def answered(self, query: str, sub: str, asked: dict[str, list[str]]) -> str:
        request = self.college.asked(f"?{query}")
        scope = SCOPE["saml"]
        answer = self.college.answer(request, f"{sub}@{scope}", {SCOPED: [f"{PEOPLE[sub]}@{scope}"]})
        state = escape(asked.get("RelayState", [""])[0])
        return page(
            f'<form method="post" action="{escape(request.acs)}"><input type="hidden" name="SAMLResponse" value="{answer}">'
            f'<input type="hidden" name="RelayState" value="{state}"></form><script>document.forms[0].submit()</script>'
        )


def page(body: str) -> str:
    return f'<!doctype html><html lang="en"><title>Northwick College</title><main>{body}</main></html>'


def serve(app: Any) -> str:
    """Serve it for as long as this process lives; its address."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def main() -> None:
    """Print the settings of the demo that know these providers, and what each is called; then wait to be ended."""
    issuers = {"openid": serve(openid("openid", {})), "isolated": serve(openid("isolated", CONFINED))}
    college = College("https://idp.college.example/metadata")
    address = serve(SamlPages(college))
    entries = [
        {"id": name, "name": name.title(), "issuer": issuer, "client_id": "merehaven", "secret": "very-secret"}
        for name, issuer in issuers.items()
    ]
    settings = {
        "OPENID_PROVIDERS": json.dumps(entries),
        "SAML_PROVIDERS": json.dumps([{**college.entry, "sso_url": f"{address}/sso"}]),
        "MFA": "1",
    }
    said = {"settings": settings, "issuers": {**issuers, "saml": college.entity_id}}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
