"""What the demo library shows: its items, and what each of them is there to demonstrate."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Piece:
    """One canvas: what is on it, at which path of this site. ``plain`` pictures are given without their image service."""

    path: str
    label: Words
    duration: float = 0.0
    width: int = 0
    height: int = 0
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One manifest. ``shows`` says what everybody meets, ``try_this`` how to get further."""

    slug: str
    label: Words
    kind: Words
    shows: Words
    try_this: Words
    pieces: tuple[Piece, ...]


def pictures(identifier: str, count: int, label: Words) -> tuple[Piece, ...]:
    return tuple(
        Piece(f"/iiif/image/3/{identifier}-{n}", format_lazy("{label} {n}", label=label, n=n))
        for n in range(1, count + 1)
    )


def picture(identifier: str, label: Words, *, plain: bool = False) -> tuple[Piece, ...]:
    return (Piece(f"/iiif/image/3/{identifier}", label, plain=plain),)


ITEMS = (
    Item(
        "chart",
        _("Chart of the Merehaven Isles"),
        _("Open"),
        _("Everybody sees it; the viewer shows no lock, and no question is asked."),
        _("Zoom in to the soundings."),
        picture("chart-1", _("Chart")),
    ),
    Item(
        "herbal",
        _("Herbal of ferns"),
        _("Log in"),
        _("Nothing is shown before you log in with a reader account."),
        _("Log in as “reader”. Log out from the viewer, and the plates are refused again."),
        pictures("herbal", 6, _("Plate")),
    ),
    Item(
        "minutes",
        _("Minute book of the Harbour Board"),
        _("One group only"),
        _("Only members of the group “Merehaven staff” may read it."),
        _("Log in as “reader”: you are told that your account is not a staff account. Then as “curator”."),
        pictures("minutes", 3, _("Page")),
    ),
    Item(
        "fleet",
        _("Herring-fleet photographs"),
        _("Click-through terms"),
        _("The donor's terms come first; no account is needed."),
        _("Read the terms and accept them with one click."),
        pictures("fleet", 6, _("Photograph")),
    ),
    Item(
        "register",
        _("Infirmary register 1949"),
        _("Reading-room address, with a substitute"),
        _("Outside the reading room the names are covered: a different picture is shown instead."),
        _(
            "Move everybody to the reading room with the switch on the library's first page, and open it again: "
            "no click is needed. The last opening stays covered there too: it is closed until 2049."
        ),
        pictures("register", 4, _("Opening")),
    ),
    Item(
        "gallery",
        _("Ship model, gallery guide"),
        _("Kiosk"),
        _("Shown at the gallery's kiosks, where nobody logs in and nobody clicks anything away."),
        _(
            "Move everybody to the gallery kiosk. (A browser may block the tab that opens by itself; allow "
            "pop-ups, as a kiosk would.)"
        ),
        picture("gallery-1", _("Ship model")),
    ),
    Item(
        "diary",
        _("Harbour diary"),
        _("Embargo until New Year"),
        _("Nobody sees it before that day; logging in is not even offered, because it would not help."),
        _("On the “Why?” page of the admin choose a time after next New Year."),
        pictures("diary", 3, _("Page")),
    ),
    Item(
        "deepfield",
        _("Telescope deep field"),
        _("Open preview, full version after login"),
        _("Everybody sees a preview of 400 pixels, a smaller file of its own."),
        _("Log in as “reader”: the picture sharpens in place."),
        picture("deepfield-1", _("Deep field")),
    ),
    Item(
        "survey",
        _("Town survey of Merehaven"),
        _("Three tiers"),
        _("500 pixels for everybody, 1200 for readers, the whole survey for researchers."),
        _("Log in as “reader”, log out, log in as “researcher”, and zoom to the house numbers each time."),
        picture("survey-1", _("Survey")),
    ),
    Item(
        "album",
        _("Portrait album"),
        _("Named researcher"),
        _("The policy lets nobody in; a grant lets in one person, until it ends."),
        _("Log in as “reader” (refused), then as “researcher”, who has a grant. End the grant in the admin."),
        pictures("album", 2, _("Leaf")),
    ),
    Item(
        "songs",
        _("Book of winter songs"),
        _("Two groups together, in season"),
        _("Singers who are also islanders read it, while it is the season; nobody else, and none of the staff."),
        _("Log in as “elder”, who is both. Then look for it in the admin as “admin”: it is not even listed."),
        pictures("songs", 3, _("Leaf")),
    ),
    Item(
        "poster",
        _("Contested poster"),
        _("Withdrawn"),
        _("Taken down after a complaint; nobody sees it, whatever they may otherwise see."),
        _("End the withdrawal in the admin: the poster is back at once, with its old policy."),
        picture("poster-1", _("Poster")),
    ),
    Item(
        "sealed",
        _("Sealed letter"),
        _("Hidden existence"),
        _(
            "The server does not tell whether it exists: every made-up address beginning the same way gets the "
            "same answers."
        ),
        _(
            "Log in as “curator” to see it. (A library would not list this manifest; the demo does, so that you "
            "can try.)"
        ),
        picture("sealed-1", _("Letter"), plain=True),
    ),
    Item(
        "coins",
        _("Greek coins from Pompeii"),
        _("Campus network or login"),
        _("On the campus network it simply opens; elsewhere readers log in."),
        _("Log in as “reader”, or move everybody to the campus network."),
        picture("coins-1", _("Coins")),
    ),
    Item(
        "retina",
        _("Retina of a human eye"),
        _("Content advice"),
        _("A warning first; whoever wants to see it clicks once."),
        _("Choose “Show it”."),
        picture("retina-1", _("Retina")),
    ),
    Item(
        "rocket",
        _("Launch of a rocket"),
        _("Open"),
        _("Everybody sees it."),
        _("Restrict it yourself: in the admin open the collection “Modern pictures”, choose another policy and save."),
        picture("rocket-1", _("Launch")),
    ),
    Item(
        "film",
        _("Evening in the harbour, a film"),
        _("Film: small copy for everybody"),
        _("A small copy plays at once; readers get the full size, delivered from another address."),
        _("Log in as “reader”: the probe sends the viewer on to where the film is delivered."),
        (Piece("/media/film.webm", _("Film"), 12.0, 960, 540),),
    ),
    Item(
        "reel",
        _("Evening in the harbour, as MP4"),
        _("Film: an MP4 for readers"),
        _("One file, of which the browser fetches the parts that it plays."),
        _("Log in as “reader”, jump about in the film, and log out while it plays: nothing more of it arrives."),
        (Piece("/media/film.mp4", _("Film"), 12.0, 640, 360),),
    ),
    Item(
        "stream",
        _("Evening in the harbour, streamed"),
        _("Film: HLS and DASH for readers"),
        _(
            "Many small pieces, two playlists and a key: whoever may have the film may have each of them, and nobody else."
        ),
        _(
            "Log in as “reader” and look at the network panel of your browser: pieces and key come from a signed address."
        ),
        (Piece("/films/harbour/index.m3u8", _("Film"), 12.0, 640, 360),),
    ),
    Item(
        "song",
        _("Harbour shanty, a recording"),
        _("Sound: the first bars for everybody"),
        _("The first bars play for everybody; readers hear the whole song."),
        _("Log in as “reader”."),
        (Piece("/media/song.webm", _("Song"), 12.0),),
    ),
    Item(
        "report",
        _("Report of the Harbour Board (PDF)"),
        _("PDF"),
        _("A document for readers."),
        _("Log in as “reader”; the PDF opens in the viewer and can be saved."),
        (Piece("/media/report.pdf", _("Report")),),
    ),
)

BY_SLUG = {item.slug: item for item in ITEMS}

ACCOUNTS: tuple[tuple[str, Words, tuple[str, ...]], ...] = (
    ("reader", _("a reader: may see what readers may see"), ()),
    ("student", _("a student: as a reader, and one leaf of the portrait album until tonight"), ()),
    (
        "researcher",
        _("a researcher: the survey in full, and the portrait album by a grant"),
        ("Merehaven researchers",),
    ),
    (
        "curator",
        _("staff: reads the minute book and edits collections, policies and grants in the admin"),
        ("Merehaven staff",),
    ),
    ("elder", _("a singer and an islander: reads the winter songs"), ("Merehaven singers", "Merehaven islanders")),
    ("admin", _("administrator: everything in the admin, and no more than anybody else in the viewer"), ()),
    (
        "desk",
        _("reading-room desk: gives access to the infirmary registers for a week at most, and nothing else"),
        ("Access desk",),
    ),
    ("maps", _("manager of the maps, and of nothing else"), ("Collection access manager",)),
    ("rights", _("rights officer: everything but networks and services"), ("Rights officer",)),
    ("systems", _("access administrator: networks, services, templates, delegation"), ("Access administrator",)),
    ("help", _("help desk: looks at everything in the maps and registers, changes nothing"), ("Access viewer",)),
    ("audit", _("auditor: reads all that was written, sees no picture"), ("Access auditor",)),
)
STAFF = ("curator", "admin", "desk", "maps", "rights", "systems", "help", "audit")
DELEGATED: tuple[tuple[str, str, str, int | None], ...] = (
    ("merehaven-register", "desk", "desk", 7),
    ("merehaven-maps", "maps", "manager", None),
    ("merehaven-maps", "help", "viewer", None),
    ("merehaven-register", "help", "viewer", None),
)
"""Collection, account, role and the longest grant in days."""
PASSWORD = "merehaven"  # noqa: S105 - of a demo that listens on loopback only, and says so
