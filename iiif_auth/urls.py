"""The URLs of the app; include them anywhere, above a CMS's catch-all. No path ends in a slash (hosts.md, C8).

The first part says which version of the protocol is spoken; what a service is not offered in is not there.
"""

from __future__ import annotations

from django.urls import path, re_path

from iiif_auth.enforce.check import check
from iiif_auth.http.access import access
from iiif_auth.http.ask import ask, asked
from iiif_auth.http.borrow import borrow
from iiif_auth.http.calendar import calendar
from iiif_auth.http.client import client
from iiif_auth.http.diagnosis import diagnosis, frame, seen, window
from iiif_auth.http.enrol import enrol
from iiif_auth.http.handoff import handoff, redeem, standing
from iiif_auth.http.invited import invited
from iiif_auth.http.logout import logout
from iiif_auth.http.manifest import ManifestView
from iiif_auth.http.passes import own_passes
from iiif_auth.http.probe import ProbeView
from iiif_auth.http.refused import refused
from iiif_auth.http.services import ServicesView
from iiif_auth.http.side import session, signed_in
from iiif_auth.http.signed import at_signed_address
from iiif_auth.http.token import token
from iiif_auth.protocol.dialects import PROBES, SPACES

ANY = f"(?P<space>{'|'.join(SPACES)})"
PROBING = f"(?P<space>{'|'.join(PROBES)})"
SLUG = "(?P<slug>[^/]+)"

app_name = "iiif_auth"
urlpatterns = [
    re_path(rf"^{ANY}/access/{SLUG}\Z", access, name="access"),
    re_path(rf"^{ANY}/token/{SLUG}\Z", token, name="token"),
    re_path(rf"^{ANY}/redeem/{SLUG}\Z", redeem, name="redeem"),
    re_path(rf"^{ANY}/logout/{SLUG}\Z", logout, name="logout"),
    re_path(rf"^{ANY}/client/{SLUG}\Z", client, name="client"),
    re_path(rf"^{PROBING}/probe/(?P<reference>[^/]+)\Z", ProbeView.as_view(), name="probe"),
    path("handoff", handoff, name="handoff"),
    path("handoff/standing", standing, name="standing"),
    path("signed-in", signed_in, name="signed-in"),
    path("session", session, name="session"),
    path("refused/<str:reference>", refused, name="refused"),
    path("ask/<str:reference>", ask, name="ask"),
    path("borrow/<str:reference>", borrow, name="borrow"),
    path("asked/<str:secret>", asked, name="asked"),
    path("invited/<str:secret>", invited, name="invited"),
    path("enrol", enrol, name="enrol"),
    path("passes", own_passes, name="passes"),
    path("check", check, name="check"),
    path("calendar/<str:secret>.ics", calendar, name="calendar"),
    path("signed/<str:ticket>/<path:path>", at_signed_address, name="signed"),
    path("diagnosis", diagnosis, name="diagnosis"),
    path("diagnosis/window", window, name="diagnosis-window"),
    path("diagnosis/frame", frame, name="diagnosis-frame"),
    path("diagnosis/seen", seen, name="diagnosis-seen"),
    path("services", ServicesView.as_view(), name="services"),
    path("services/<str:reference>", ServicesView.as_view(), name="services"),
    path("manifest", ManifestView.as_view(), name="manifest"),
]
