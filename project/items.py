"""What the demo library shows: its items, and what each of them is there to demonstrate."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Piece:
    """One canvas: what is on it, at which path of this site. ``plain`` pictures are given without their image service."""

    path: str
    label: str
    duration: float = 0.0
    width: int = 0
    height: int = 0
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One manifest. ``shows`` says what everybody meets, ``try_this`` how to get further."""

    slug: str
    label: str
    german: str
    kind: Words
    shows: Words
    try_this: Words
    pieces: tuple[Piece, ...]


def pictures(identifier: str, count: int, label: str) -> tuple[Piece, ...]:
    return tuple(Piece(f"/iiif/image/3/{identifier}-{n}", f"{label} {n}") for n in range(1, count + 1))


def picture(identifier: str, label: str, *, plain: bool = False) -> tuple[Piece, ...]:
    return (Piece(f"/iiif/image/3/{identifier}", label, plain=plain),)


ITEMS = (
    Item(
        "chart",
        "Chart of the Merehaven Isles",
        "Seekarte der Merehaven-Inseln",
        _("Open"),
        _("Everybody sees it; the viewer shows no lock, and no question is asked."),
        _("Zoom in to the soundings."),
        picture("chart-1", "Chart"),
    ),
    Item(
        "herbal",
        "Herbal of ferns",
        "Herbarium der Farne",
        _("Log in"),
        _("Nothing is shown before you log in with a reader account."),
        _("Log in as “reader”. Log out from the viewer, and the plates are refused again."),
        pictures("herbal", 6, "Plate"),
    ),
    Item(
        "minutes",
        "Minute book of the Harbour Board",
        "Protokollbuch der Hafenbehörde",
        _("One group only"),
        _("Only members of the group “Merehaven staff” may read it."),
        _("Log in as “reader”: you are told that your account is not a staff account. Then as “curator”."),
        pictures("minutes", 3, "Page"),
    ),
    Item(
        "fleet",
        "Herring-fleet photographs",
        "Fotografien der Heringsflotte",
        _("Click-through terms"),
        _("The donor's terms come first; no account is needed."),
        _("Read the terms and accept them with one click."),
        pictures("fleet", 6, "Photograph"),
    ),
    Item(
        "register",
        "Infirmary register 1949",
        "Krankenhausregister 1949",
        _("Reading-room address, with a substitute"),
        _("Outside the reading room the names are covered: a different picture is shown instead."),
        _(
            "Move everybody to the reading room with the switch on the library's first page, and open it again: "
            "no click is needed. The last opening stays covered there too: it is closed until 2049."
        ),
        pictures("register", 4, "Opening"),
    ),
    Item(
        "gallery",
        "Ship model, gallery guide",
        "Schiffsmodell, Galerieführer",
        _("Kiosk"),
        _("Shown at the gallery's kiosks, where nobody logs in and nobody clicks anything away."),
        _(
            "Move everybody to the gallery kiosk. (A browser may block the tab that opens by itself; allow "
            "pop-ups, as a kiosk would.)"
        ),
        picture("gallery-1", "Ship model"),
    ),
    Item(
        "diary",
        "Harbour diary",
        "Hafentagebuch",
        _("Embargo until New Year"),
        _("Nobody sees it before that day; logging in is not even offered, because it would not help."),
        _("On the “Why?” page of the admin choose a time after next New Year."),
        pictures("diary", 3, "Page"),
    ),
    Item(
        "deepfield",
        "Telescope deep field",
        "Blick in die Tiefe des Alls",
        _("Open preview, full version after login"),
        _("Everybody sees a preview of 400 pixels, a smaller file of its own."),
        _("Log in as “reader”: the picture sharpens in place."),
        picture("deepfield-1", "Deep field"),
    ),
    Item(
        "survey",
        "Town survey of Merehaven",
        "Stadtplan von Merehaven",
        _("Three tiers"),
        _("500 pixels for everybody, 1200 for readers, the whole survey for researchers."),
        _("Log in as “reader”, log out, log in as “researcher”, and zoom to the house numbers each time."),
        picture("survey-1", "Survey"),
    ),
    Item(
        "album",
        "Portrait album",
        "Porträtalbum",
        _("Named researcher"),
        _("The policy lets nobody in; a grant lets in one person, until it ends."),
        _("Log in as “reader” (refused), then as “researcher”, who has a grant. End the grant in the admin."),
        pictures("album", 2, "Leaf"),
    ),
    Item(
        "songs",
        "Book of winter songs",
        "Buch der Winterlieder",
        _("Two groups together, in season"),
        _("Singers who are also islanders read it, while it is the season; nobody else, and none of the staff."),
        _("Log in as “elder”, who is both. Then look for it in the admin as “admin”: it is not even listed."),
        pictures("songs", 3, "Leaf"),
    ),
    Item(
        "poster",
        "Contested poster",
        "Umstrittenes Plakat",
        _("Withdrawn"),
        _("Taken down after a complaint; nobody sees it, whatever they may otherwise see."),
        _("End the withdrawal in the admin: the poster is back at once, with its old policy."),
        picture("poster-1", "Poster"),
    ),
    Item(
        "sealed",
        "Sealed letter",
        "Versiegelter Brief",
        _("Hidden existence"),
        _(
            "The server does not tell whether it exists: every made-up address beginning the same way gets the "
            "same answers."
        ),
        _(
            "Log in as “curator” to see it. (A library would not list this manifest; the demo does, so that you "
            "can try.)"
        ),
        picture("sealed-1", "Letter", plain=True),
    ),
    Item(
        "coins",
        "Greek coins from Pompeii",
        "Griechische Münzen aus Pompeji",
        _("Campus network or login"),
        _("On the campus network it simply opens; elsewhere readers log in."),
        _("Log in as “reader”, or move everybody to the campus network."),
        picture("coins-1", "Coins"),
    ),
    Item(
        "retina",
        "Retina of a human eye",
        "Netzhaut eines menschlichen Auges",
        _("Content advice"),
        _("A warning first; whoever wants to see it clicks once."),
        _("Choose “Show it”."),
        picture("retina-1", "Retina"),
    ),
    Item(
        "rocket",
        "Launch of a rocket",
        "Start einer Rakete",
        _("Open"),
        _("Everybody sees it."),
        _("Restrict it yourself: in the admin open the collection “Modern pictures”, choose another policy and save."),
        picture("rocket-1", "Launch"),
    ),
    Item(
        "film",
        "Evening in the harbour, a film",
        "Abend im Hafen, ein Film",
        _("Film: small copy for everybody"),
        _("A small copy plays at once; readers get the full size, delivered from another address."),
        _("Log in as “reader”: the probe sends the viewer on to where the film is delivered."),
        (Piece("/media/film.webm", "Film", 12.0, 960, 540),),
    ),
    Item(
        "reel",
        "Evening in the harbour, as MP4",
        "Abend im Hafen, als MP4",
        _("Film: an MP4 for readers"),
        _("One file, of which the browser fetches the parts that it plays."),
        _("Log in as “reader”, jump about in the film, and log out while it plays: nothing more of it arrives."),
        (Piece("/media/film.mp4", "Film", 12.0, 640, 360),),
    ),
    Item(
        "stream",
        "Evening in the harbour, streamed",
        "Abend im Hafen, als Stream",
        _("Film: HLS and DASH for readers"),
        _(
            "Many small pieces, two playlists and a key: whoever may have the film may have each of them, and nobody else."
        ),
        _(
            "Log in as “reader” and look at the network panel of your browser: pieces and key come from a signed address."
        ),
        (Piece("/films/harbour/index.m3u8", "Film", 12.0, 640, 360),),
    ),
    Item(
        "song",
        "Harbour shanty, a recording",
        "Hafenlied, eine Aufnahme",
        _("Sound: the first bars for everybody"),
        _("The first bars play for everybody; readers hear the whole song."),
        _("Log in as “reader”."),
        (Piece("/media/song.webm", "Song", 12.0),),
    ),
    Item(
        "report",
        "Report of the Harbour Board (PDF)",
        "Bericht der Hafenbehörde (PDF)",
        _("PDF"),
        _("A document for readers."),
        _("Log in as “reader”; the PDF opens in the viewer and can be saved."),
        (Piece("/media/report.pdf", "Report"),),
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
