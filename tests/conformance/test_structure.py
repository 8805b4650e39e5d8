"""Documents and answers judged by looking: every example of the specification passes, and every fault is named by its ID."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from iiif_auth.conformance import structure
from iiif_auth.conformance.documents import read
from iiif_auth.conformance.findings import Finding, Outcome
from iiif_auth.conformance.structure import alpha, v092, v1, v2
from iiif_auth.conformance.table import REQUIREMENTS

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
AT = "https://iiif.example.org"
FILM = f"{AT}/media/film-hi.mp4"
PROBE = f"{AT}/auth/2-alpha/probe/film-hi.mp4"
Judge = Callable[[Any], Iterable[Finding]]


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def document(body: Any, url: str = "") -> Iterable[Finding]:
    return structure.check(read(url or address(body), body))


def address(body: Any) -> str:
    """Where a document is found, if it is where it says."""
    found = body.get("@id", body.get("id", f"{AT}/services"))
    return f"{found}/info.json" if body.get("protocol") else found


KIND_OF = {"image": "Image", "video": "Video", "hls": "Video", "pdf": "Text"}


def judge(name: str) -> Judge:
    """The function that a viewer's part in the conversation would hand this example to."""
    version, _, stem = name.partition("/")
    if name in ANSWERS:
        return ANSWERS[name]
    if version == "2.0" and "-probe-" in stem:
        return lambda body: v2.probe_result(body, KIND_OF[stem.partition("-")[0]], f"{AT}/auth/2/probe/x")
    if version == "2.0-alpha" and "-probe-http" in stem:
        return lambda body: alpha.probe_result(body, 401 if "401" in stem else 200, body["id"])
    if stem.startswith(("token", "error")):
        return message(version, stem)
    return document


def message(version: str, stem: str) -> Judge:
    return {
        "2.0": lambda body: v2.message(body, "ae3415", f"{AT}/token"),
        "2.0-alpha": lambda body: alpha.message(body, "ae3415" if "message" in stem else None, f"{AT}/token"),
        "1.0": lambda body: v1.message(body, "1234" if "message" in stem else None, f"{AT}/token"),
        "0.9.4": lambda body: v1.message(body, "1234" if "message" in stem else None, f"{AT}/token", "0.9.4"),
        "0.9.2": lambda body: v092.message(body, "1234" if "message" in stem else None, f"{AT}/token"),
    }[version]


ANSWERS: dict[str, Judge] = {
    "0.9.2/client-identity-response": lambda body: v092.authorization_code(body, f"{AT}/client"),
    "1.0/defacto-probe-200-full": lambda body: v1.probe_result(body, FILM, f"{AT}/probe"),
    "1.0/defacto-probe-200-degraded": lambda body: v1.probe_result(body, FILM, f"{AT}/probe"),
    "1.0/defacto-probe-401": lambda body: v1.probe_result(body, FILM, f"{AT}/probe"),
}
REQUEST = "0.9.2/client-identity-request"
"""What a client sends; there is nothing of a server in it to judge."""
OPEN = "2.0/image-info-open-tier"
"""Open to everybody, so that it has no services."""
KNOWN = {"2.0/image-probe-401-ALT-imageservice-typed": {"A2-PRB-09"}}
"""Legal by its letters, but a substitute of another type than the picture it stands for (data README; requirements 1.8)."""

NAMES = sorted(str(path.relative_to(EXAMPLES).with_suffix("")) for path in EXAMPLES.rglob("*.json"))


def failed(findings: Iterable[Finding]) -> set[str]:
    return {finding.id for finding in findings if finding.outcome is Outcome.FAIL}


def passed(findings: Iterable[Finding]) -> set[str]:
    return {finding.id for finding in findings if finding.outcome is Outcome.PASS}


# -- What is right passes -----------------------------------------------------------------------------------------


def test_all_examples_are_here():
    assert len(NAMES) == 105


@pytest.mark.parametrize("name", [name for name in NAMES if name != REQUEST])
def test_an_example_of_the_specification_passes(name):
    findings = list(judge(name)(example(name)))
    assert failed(findings) == KNOWN.get(name, set()), [found.evidence for found in findings]
    assert bool(passed(findings)) is (name != OPEN)


@pytest.mark.parametrize("name", [name for name in NAMES if name != REQUEST])
def test_what_an_example_passes_is_in_the_table_of_requirements(name):
    assert {found.id for found in judge(name)(example(name))} <= set(REQUIREMENTS)


def test_an_id_on_an_external_service_is_told_of_and_neither_right_nor_wrong():
    findings = list(document(example("2.0/service-access-external")))
    assert [f.outcome for f in findings if f.id == "A2-ACC-03"] == [Outcome.UNTESTABLE]
    assert "A2-DECL-11" in next(f.evidence for f in findings if f.id == "A2-ACC-03")
    assert "A2-ACC-03" in passed(document(example("2.0/service-access-external-strict-no-id")))


def test_services_that_are_shared_are_noticed_and_others_are_not_missed():
    assert "A2-DECL-10" in passed(document(example("2.0/image-info")))
    assert "A2-DECL-10" not in {found.id for found in document(example("2.0/pdf-resource"))}


def test_cookie_services_on_content_are_noticed():
    assert "A1X-01" in passed(document(example("1.0/defacto-video-resource")))
    assert "A1X-01" not in {found.id for found in document(example("1.0/image-info"))}


# -- What is wrong is named ---------------------------------------------------------------------------------------


def at(body: Any, pointer: str) -> tuple[Any, Any]:
    """The object or list that a JSON pointer leads into, and the last step."""
    *way, last = pointer.lstrip("/").split("/")
    for step in way:
        body = body[int(step) if isinstance(body, list) else step]
    return body, int(last) if isinstance(body, list) else last


def put(pointer: str, value: Any) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        holder, name = at(body, pointer)
        holder[name] = value

    return change


def drop(pointer: str) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        holder, name = at(body, pointer)
        del holder[name]

    return change


def again(pointer: str, to: str) -> Callable[[Any], None]:
    """A copy of a part, added to a list."""

    def change(body: Any) -> None:
        holder, name = at(body, pointer)
        target, last = at(body, to)
        target[last].append(deepcopy(holder[name]))

    return change


def alone(pointer: str) -> Callable[[Any], None]:
    """A list of one as that one."""

    def change(body: Any) -> None:
        holder, name = at(body, pointer)
        holder[name] = holder[name][0]

    return change


@dataclass(frozen=True)
class Case:
    """A change to an example that breaks one requirement, and those that can not be kept without it."""

    id: str
    name: str
    change: Callable[[Any], None]
    also: set[str] = field(default_factory=set)
    judge: Judge | None = None

    def __str__(self) -> str:
        return self.id


EN = {"en": ["x"]}
INFO, PDF, MANIFEST, MIXED = "2.0/image-info", "2.0/pdf-resource", "2.0/manifest", "mixed/image2-info-auth1-and-auth2"
ACTIVE, KIOSK, STRICT = (f"2.0/service-access-{name}" for name in ("active", "kiosk", "external-strict-no-id"))
TIERS, LOCATION, REFUSED = "2.0/image-probe-401-tiers", "2.0/image-probe-302-location", "2.0/pdf-probe-401"
MESSAGE, ERROR = "2.0/token-message", "2.0/token-error-missingAspect"
AUTH_2 = v2.CONTEXT
IMAGE_3 = "http://iiif.io/api/image/3/context.json"
LOGIN_2 = "/service/0/service/1"

CASES_2 = (
    Case("A2-GEN-01", INFO, put(f"{LOGIN_2}/service/1/id", "http://iiif.example.org/out"), {"A2-LOG-02"}),
    Case("A2-DECL-04", INFO, alone("/service")),
    Case("A2-DECL-04", PDF, alone("/service/0/service")),
    Case("A2-DECL-04", STRICT, alone("/service")),
    Case("A2-DECL-04", ACTIVE, put("/service", "x"), {"A2-ACC-04"}),
    Case("A2-DECL-05", INFO, again(LOGIN_2, "/service")),
    Case("A2-DECL-05", INFO, again("/service/0", "/service/0/service"), {"A2-PSD-03"}),
    Case("A2-DECL-05", INFO, again(f"{LOGIN_2}/service/0", "/service/0/service"), {"A2-PSD-03"}),
    Case("A2-DECL-06", INFO, put("/@context", IMAGE_3)),
    Case("A2-DECL-06", MANIFEST, drop("/@context/0")),
    Case("A2-DECL-07", INFO, put("/@context", [IMAGE_3, AUTH_2])),
    Case("A2-DECL-07", MANIFEST, lambda body: body["@context"].reverse()),
    Case("A2-DECL-08", INFO, put("/service/0/@context", AUTH_2)),
    Case("A2-DECL-08", PDF, put("/service/0/service/0/service/1/@context", AUTH_2)),
    Case("A2-DECL-09", MIXED, drop("/service/2/@context")),
    Case(
        "A2-DECL-09",
        MIXED,
        put("/@context", [AUTH_2, "http://iiif.io/api/image/2/context.json"]),
        {"A1-DESC-08"},
    ),
    Case("A2-DECL-11", INFO, drop("/service/0/service/0/id")),
    Case("A2-DECL-11", INFO, drop(f"{LOGIN_2}/service/0/type"), {"A2-TSD-01"}),
    Case(
        "A2-DECL-12",
        MANIFEST,
        lambda body: strip(body["items"][1]["items"][0]["items"][0]["body"]["service"][0]["service"][1]),
    ),
    Case("A2-DECL-12", MANIFEST, lambda body: strip(body["rendering"][0]["service"][0]), {"A2-PSD-03"}),
    Case("A2-PSD-01", PDF, put("/service/0/id", 7), {"A2-DECL-11"}),
    Case("A2-PSD-01", PDF, put("/service/0/id", "http://iiif.example.org/probe"), {"A2-GEN-01"}),
    Case("A2-PSD-02", PDF, put("/service/0/type", "AuthProbe")),
    Case("A2-PSD-03", PDF, put("/service/0/service", [])),
    Case("A2-PSD-03", PDF, drop("/service/0/service")),
    Case("A2-PSD-04", PDF, drop("/service/0/errorHeading")),
    Case("A2-PSD-04", PDF, put("/service/0/errorNote", "Sorry")),
    Case("A2-ACC-01", ACTIVE, put("/profile", "login")),
    Case("A2-ACC-01", PDF, put("/service/0/service/0/type", "AuthCookieService2")),
    Case("A2-ACC-02", KIOSK, drop("/id")),
    Case("A2-ACC-02", ACTIVE, put("/id", "/login")),
    Case("A2-ACC-04", PDF, put("/service/0/service/0/service", [])),
    Case("A2-ACC-04", ACTIVE, again("/service/0", "/service")),
    Case("A2-ACC-04", ACTIVE, again("/service/1", "/service")),
    Case("A2-ACC-05", ACTIVE, drop("/label")),
    Case("A2-ACC-05", ACTIVE, put("/label", "Log in to Example Archive")),
    Case("A2-ACC-05", ACTIVE, put("/label", {"en": "Log in to Example Archive"})),
    Case("A2-ACC-06", ACTIVE, drop("/confirmLabel")),
    Case("A2-ACC-06", ACTIVE, put("/note", {})),
    Case("A2-ACC-07", PDF, put("/service/0/service/0/header", EN)),
    Case("A2-ACC-07", PDF, put("/service/0/service/0/profile", "interactive"), {"A2-ACC-01"}),
    Case("A2-INT-01", ACTIVE, put("/id", f"{AT}/login?realm=1")),
    Case("A2-TSD-01", PDF, put("/service/0/service/0/service/0/type", "AuthTokenService2")),
    Case("A2-TSD-01", ACTIVE, drop("/service/0/id"), {"A2-DECL-11"}),
    Case("A2-TSD-02", ACTIVE, drop("/service/0/errorHeading")),
    Case("A2-LOG-02", ACTIVE, put("/service/1/label", "Log out")),
    Case("A2-LOG-02", ACTIVE, drop("/service/1/label")),
    Case("A2-PRB-02", REFUSED, drop("/@context")),
    Case("A2-PRB-02", REFUSED, put("/type", "AuthProbeResult")),
    Case("A2-PRB-02", REFUSED, put("/status", "401")),
    Case("A2-PRB-02", REFUSED, put("/status", True)),
    Case("A2-PRB-07", "2.0/video-probe-200", put("/substitute", [{"id": FILM, "type": "Video"}])),
    Case("A2-PRB-08", TIERS, lambda body: put("/substitute", body["substitute"][0])(body)),
    Case("A2-PRB-08", TIERS, put("/substitute", [])),
    Case("A2-PRB-08", TIERS, put("/substitute/1", f"{AT}/image/3/map-lo")),
    Case("A2-PRB-08", "2.0/video-probe-401-substitute", drop("/substitute/0/type")),
    Case("A2-PRB-09", "2.0/video-probe-401-substitute", put("/substitute/0/type", "Sound")),
    Case("A2-PRB-09", TIERS, drop("/substitute/1/label")),
    Case("A2-PRB-11", TIERS, put("/substitute/0/service/1/id", f"{AT}/auth/2/probe/x")),
    Case("A2-CONT-02", TIERS, put("/substitute/1/id", f"{AT}/image/3/map-mid/full/max/0/default.jpg")),
    Case("A2-PSD-03", TIERS, put("/substitute/0/service/1/service", [])),
    Case("A2-PRB-14", REFUSED, put("/location", {"id": FILM, "type": "Text"})),
    Case("A2-PRB-15", LOCATION, put("/location/type", "Video")),
    Case("A2-PRB-15", LOCATION, drop("/location/id")),
    Case("A2-PRB-15", LOCATION, lambda body: put("/location", [body["location"]])(body)),
    Case("A2-PRB-16", REFUSED, drop("/heading")),
    Case("A2-PRB-16", REFUSED, drop("/note")),
    Case("A2-PRB-16", REFUSED, put("/note", "Log in.")),
    Case("A2-PRB-17", TIERS, put("/status", 403)),
    Case("A2-PRB-21", REFUSED, put("/id", f"{AT}/probe")),
    Case("A2-PRB-21", REFUSED, put("/type", "AuthProbeService2"), {"A2-PRB-02"}),
    Case("A2-PRB-21", LOCATION, put("/location", FILM), {"A2-PRB-15"}),
    Case("A2-TOK-05", MESSAGE, drop("/@context")),
    Case("A2-TOK-05", MESSAGE, put("/type", "AuthAccessToken")),
    Case("A2-TOK-05", MESSAGE, drop("/messageId")),
    Case("A2-TOK-05", MESSAGE, put("/accessToken", "")),
    Case("A2-TOK-06", MESSAGE, put("/messageId", "ae3416")),
    Case("A2-TOK-06", MESSAGE, put("/messageId", 7)),
    Case("A2-TOK-07", MESSAGE, put("/expiresIn", "300")),
    Case("A2-TOK-07", MESSAGE, put("/expiresIn", 0)),
    Case("A2-TOK-07", MESSAGE, put("/expiresIn", 2.5)),
    Case("A2-ERR-01", ERROR, drop("/type")),
    Case("A2-ERR-01", ERROR, drop("/profile")),
    Case("A2-ERR-01", ERROR, drop("/messageId")),
    Case("A2-ERR-01", ERROR, put("/messageId", "other")),
    Case("A2-ERR-02", ERROR, put("/profile", "missingCredentials")),
    Case("A2-ERR-03", ERROR, put("/heading", "No access token")),
    Case("A2-ERR-03", ERROR, drop("/heading")),
)


def strip(service: dict[str, Any]) -> None:
    """Leave only the name of a service."""
    for name in {*service} - {"id", "type"}:
        del service[name]


LOGIN, EXTERNAL, TERMS = "1.0/service-login", "1.0/service-external", "1.0/service-clickthrough"
INFO_1, INFO_1_TYPED, MANIFEST_1, VIDEO_1 = (
    "1.0/image-info",
    "1.0/image-info-v3",
    "1.0/manifest-p2",
    "1.0/defacto-video-resource",
)

CASES_1 = (
    Case("A1-DESC-01", LOGIN, drop("/@context")),
    Case("A1-DESC-01", LOGIN, put("/@context", "http://iiif.io/api/auth/0/context.json")),
    Case("A1-DESC-01", INFO_1, drop("/service/0/@context"), {"A1-DESC-08"}),
    Case("A1-DESC-02", LOGIN, put("/profile", "http://iiif.io/api/auth/1/signin")),
    Case("A1-DESC-02", LOGIN, put("/profile", "login")),
    Case("A1-DESC-03", LOGIN, drop("/@id")),
    Case("A1-DESC-03", TERMS, put("/@id", "terms")),
    Case("A1-DESC-04", EXTERNAL, drop("/label")),
    Case("A1-DESC-04", LOGIN, put("/label", " ")),
    Case("A1-DESC-05", LOGIN, drop("/confirmLabel")),
    Case("A1-DESC-05", TERMS, put("/header", EN)),
    Case("A1-DESC-06", EXTERNAL, put("/failureHeader", EN)),
    Case("A1-DESC-07", EXTERNAL, put("/service", [])),
    Case("A1-DESC-07", EXTERNAL, drop("/service/0/@id")),
    Case("A1-DESC-08", INFO_1, put("/@context", ["http://iiif.io/api/image/2/context.json"])),
    Case("A1-DESC-09", INFO_1_TYPED, drop("/service/0/service/0/@type")),
    Case("A1-DESC-09", INFO_1_TYPED, alone("/service")),
    Case("A1-DESC-09", VIDEO_1, drop("/service/0/service/1/@type")),
    Case("A1-DESC-10", MANIFEST_1, lambda body: body["sequences"][0]["canvases"].reverse()),
    Case("A1-INFO-04", INFO_1, put("/@id", f"{AT}/image/2/map-lo"), {"A1-INFO-15"}),
    Case("A1-INFO-15", INFO_1, put("/@id", f"{AT}/image/2/map%2Dhi")),
    Case("A1-INFO-15", INFO_1, put("/@id", f"{AT}:443/image/2/map-hi")),
    Case("A1-OUT-01", LOGIN, drop("/service/1/label")),
    Case("A1-OUT-01", LOGIN, drop("/service/1/@id")),
    Case("A1-SEC-03", LOGIN, put("/@id", "http://iiif.example.org/login")),
    Case("A1X-02", VIDEO_1, drop("/service/1/@id")),
    Case("A1X-02", VIDEO_1, drop("/service/1/@type")),
    Case("A1X-02", VIDEO_1, drop("/service/0")),
    Case("A1X-02", "1.0/defacto-probe-200-full", put("/label", 7)),
    Case("A1X-03", "1.0/defacto-probe-200-full", drop("/contentLocation")),
    Case("A1X-03", "1.0/defacto-probe-200-full", put("/contentLocation", "https://IIIF.example.org/media/film-hi.mp4")),
    Case("A1-TOK-01", "1.0/token", put("/@context", "http://iiif.io/api/auth/1/context.json")),
    Case("A1-TOK-01", "1.0/token", put("/expiresIn", "3600")),
    Case("A1-TOK-03", "1.0/token-message", put("/messageId", 1234)),
    Case("A1-TOK-03", "1.0/token-message", drop("/messageId")),
    Case("A1-TOK-07", "1.0/error-message-missingCredentials", drop("/messageId")),
    Case("A1-ERR-01", "1.0/error-unavailable", put("/error", "expiredCredentials")),
    Case("A1-ERR-02", "1.0/error-unavailable", put("/description", EN)),
)


CLIENTS, OLD, NEW = "0.9.2/image-info-with-client-identity", "0.9.2/image-info", "0.9.4/image-info"
CLIENT = {"@id": f"{AT}/client", "profile": "http://iiif.io/api/auth/0/clientId"}
CASES_0 = (
    Case("A092-DESC-01", OLD, drop("/service/@id"), {"A094-ALL-01"}),
    Case("A092-DESC-01", OLD, drop("/service/@context"), {"A094-ALL-01"}),
    Case("A092-DESC-01", OLD, drop("/service/label"), {"A094-ALL-01"}),
    Case("A092-DESC-01", OLD, put("/service/profile", "http://iiif.io/api/auth/0/login/restricted"), {"A094-ALL-01"}),
    Case("A092-DESC-02", OLD, drop("/service/description")),
    Case("A092-DESC-03", OLD, drop("/service/service/0"), {"A094-ALL-01"}),
    Case(
        "A092-DESC-05", OLD, put("/@id", "https://images.example.org/image/2/map-hi"), {"A092-INFO-02", "A094-ALL-01"}
    ),
    Case("A092-INFO-02", OLD, put("/@id", f"{AT}/image/2/map-lo"), {"A094-ALL-01"}),
    Case("A092-CID-01", CLIENTS, drop("/service/service/0/@id")),
    Case("A092-CID-01", OLD, lambda body: put("/service", [body["service"], CLIENT])(body)),
    Case("A092-OUT-01", OLD, drop("/service/service/1/label"), {"A094-ALL-01"}),
    Case("A092-TOK-01", "0.9.2/token", drop("/tokenType")),
    Case("A092-TOK-01", "0.9.2/token", put("/scope", "all")),
    Case("A092-TOK-03", "0.9.2/token-message", put("/messageId", "1235")),
    Case(
        "A092-TOK-04",
        "0.9.2/error-missingCredentials",
        lambda body: None,
        judge=lambda body: v092.message(body, "1", AT),
    ),
    Case("A092-ERR-01", "0.9.2/error-missingCredentials", put("/error", "invalidOrigin")),
    Case("A092-ERR-02", "0.9.2/error-missingCredentials", put("/description", EN)),
    Case("A092-CID-02", "0.9.2/client-identity-response", put("/authorizationCode", 7)),
    Case("A094-ALL-01", "0.9.4/service-external", drop("/label")),
    Case("A094-ALL-01", "0.9.4/service-kiosk", drop("/@id")),
    Case("A094-ALL-01", NEW, put("/service/0/failureHeader", EN)),
    Case("A094-ALL-01", "0.9.4/token-message", put("/messageId", "1")),
    Case("A094-ALL-01", "0.9.4/error-unavailable", put("/error", "invalidClient")),
    Case("A094-DIFF-02", "0.9.4/service-clickthrough", put("/service/0", CLIENT), {"A094-ALL-01"}),
    Case("A094-DIFF-02", "0.9.4/service-clickthrough", lambda body: body["service"].append(CLIENT)),
)

ALPHA_INFO, ALPHA_VIDEO, TIER = (
    "2.0-alpha/image-info-200",
    "2.0-alpha/video-resource",
    "2.0-alpha/image-info-401-with-location",
)
CASES_ALPHA = (
    Case("A2A-DESC-01", ALPHA_INFO, put("/service/0/profile", "clickthrough")),
    Case("A2A-DESC-01", ALPHA_INFO, drop("/service/1/id")),
    Case("A2A-DESC-01", ALPHA_INFO, put("/service/1/label", "Log in")),
    Case("A2A-DESC-02", ALPHA_INFO, put("/service/0/@context", AUTH_2)),
    Case("A2A-DESC-02", ALPHA_INFO, put("/@context", IMAGE_3)),
    Case("A2A-DESC-03", ALPHA_INFO, put("/service/1/service/0/type", "AuthAccessTokenService2")),
    Case("A2A-DESC-03", ALPHA_INFO, put("/service/1/service/0/label", EN)),
    Case("A2A-DESC-03", ALPHA_INFO, drop("/service/1/service/0")),
    Case("A2A-DESC-04", ALPHA_INFO, put("/service/1/service/1/type", "AuthLogoutService3")),
    Case("A2A-DESC-05", ALPHA_INFO, drop("/service/1/header")),
    Case("A2A-DESC-05", ALPHA_INFO, put("/service/0/failureHeader", "Failed")),
    Case("A2A-DESC-06", ALPHA_VIDEO, lambda body: body["service"][1]["service"].append(body["service"].pop(0))),
    Case("A2A-DESC-06", ALPHA_VIDEO, again("/service/0", "/service")),
    Case("A2A-DESC-07", ALPHA_INFO, lambda body: body["service"].append({"id": PROBE, "type": "AuthProbeService2"})),
    Case("A2A-INFO-03", TIER, put("/location", {"id": f"{AT}/alpha/image/3/map-mid", "type": "Image"})),
    Case("A2A-INFO-06", TIER, put("/location", f"{AT}/alpha/image/3/map-hi")),
    Case("A2A-PRB-02", "2.0-alpha/video-probe-http200", drop("/@context")),
    Case(
        "A2A-PRB-02",
        "2.0-alpha/video-probe-http200",
        put("/id", FILM),
        judge=partial(alpha.probe_result, status=200, url=PROBE),
    ),
    Case(
        "A2A-PRB-02",
        "2.0-alpha/video-probe-http200",
        lambda _: None,
        judge=partial(alpha.probe_result, status=403, url=PROBE),
    ),
    Case("A2A-PRB-03", "2.0-alpha/video-probe-http401-location", put("/location", {"id": FILM, "type": "Video"})),
    Case("A2A-TOK-01", "2.0-alpha/token", put("/@context", AUTH_2)),
    Case("A2A-TOK-02", "2.0-alpha/token-message", put("/messageId", 1)),
    Case("A2A-TOK-02", "2.0-alpha/error-unavailable", lambda _: None, judge=lambda body: alpha.message(body, "1", AT)),
    Case("A2A-ERR-01", "2.0-alpha/error-unavailable", put("/type", "AuthAccessTokenError2")),
    Case("A2A-ERR-01", "2.0-alpha/error-unavailable", put("/error", "expiredAspect")),
    Case("A2A-ERR-01", "2.0-alpha/error-unavailable", put("/description", "Sorry")),
)

CASES = (*CASES_2, *CASES_1, *CASES_0, *CASES_ALPHA)


def broken(case: Case) -> list[Finding]:
    body = example(case.name)
    url = address(body)
    case.change(body)
    found = case.judge or judge(case.name)
    return list(document(body, url) if found is document else found(body))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_is_named_by_its_id_and_no_other(case):
    found = broken(case)
    assert failed(found) == {case.id} | case.also, [one.evidence for one in found if one.outcome is Outcome.FAIL]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_evidence_is_a_sentence_that_says_where(case):
    for finding in broken(case):
        if finding.outcome is Outcome.FAIL:
            assert finding.evidence.endswith("."), finding
            assert "\n" not in finding.evidence
            assert finding.url.startswith(("https://", FILM)), finding


# -- No requirement is forgotten ----------------------------------------------------------------------------------

NEVER_WRONG = {"A2-DECL-10", "A2-ACC-03", "A1X-01"}
"""Allowed to be otherwise (a MAY), or contradicted by another requirement; each has a test of its own above."""
ALL_JUDGED = {id for found in structure.JUDGED.values() for id in found}


def rows(*starts: str) -> set[str]:
    return {id for id in REQUIREMENTS if id.startswith(starts)}


def test_every_requirement_that_a_document_can_show_is_judged():
    wanted = rows("A2-PSD-", "A2-ACC-", "A2-TSD-", "A1X-", "A1-DESC-", "A2A-DESC-")
    wanted |= {f"A2-DECL-{number:02}" for number in range(4, 13)} | {"A2-LOG-02", "A2-TOK-05", "A2-TOK-06", "A2-TOK-07"}
    wanted |= {f"A2-PRB-{number:02}" for number in (2, 7, 8, 9, 14, 15, 16, 21)}
    wanted |= rows("A2-ERR-") - {"A2-ERR-04"}  # what comes without an origin, only behaviour shows
    wanted |= {"A1-INFO-04", "A1-INFO-15", "A1-ERR-01", "A1-ERR-02", "A1-OUT-01", "A094-ALL-01"}
    wanted |= rows("A092-DESC-") - {"A092-DESC-04"}  # two answers, to two people, have to be compared
    wanted |= {"A092-TOK-01", "A092-ERR-01", "A092-CID-01", "A092-OUT-01"}
    wanted |= {"A2A-PRB-02", "A2A-PRB-03", "A2A-ERR-01", "A2A-TOK-01"}
    assert sorted(wanted - ALL_JUDGED) == []


def test_everything_that_is_judged_is_in_the_table_of_requirements():
    assert sorted(ALL_JUDGED - set(REQUIREMENTS)) == []


def test_everything_that_is_judged_is_seen_to_fail():
    assert sorted(ALL_JUDGED - NEVER_WRONG - {case.id for case in CASES}) == []


def test_each_function_finds_only_what_its_table_says():
    told = {"document": {id for name, ids in structure.JUDGED.items() if name.endswith(".check") for id in ids}}
    seen = {
        found.id for name in NAMES if name != REQUEST and judge(name) is document for found in document(example(name))
    }
    assert seen <= told["document"]
    answers = {id for name, ids in structure.JUDGED.items() if not name.endswith(".check") for id in ids}
    seen = {
        f.id for name in NAMES if name != REQUEST and judge(name) is not document for f in judge(name)(example(name))
    }
    assert seen <= answers
