"""What people are told if nobody wrote anything better: headings and notes for every refusal, as language maps."""

from __future__ import annotations

from datetime import datetime

from iiif_auth.policy.types import LanguageMap, Text, Why, zone
from iiif_auth.protocol.terms import Problem

MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July")
    + ("August", "September", "October", "November", "December"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli")
    + ("August", "September", "Oktober", "November", "Dezember"),
}


def _map(en: str, de: str) -> LanguageMap:
    return (("en", (en,)), ("de", (de,)))


def _text(heading: tuple[str, str], note: tuple[str, str]) -> Text:
    return Text(_map(*heading), _map(*note))


RESTRICTED = ("Restricted", "Zugang beschränkt")

REFUSALS: dict[Why, Text] = {
    Why.WITHDRAWN: _text(
        ("Withdrawn", "Zurückgezogen"),
        (
            "This item has been withdrawn and is not shown at present.",
            "Dieses Objekt wurde zurückgezogen und wird zurzeit nicht gezeigt.",
        ),
    ),
    Why.EMBARGOED: _text(
        ("Not yet open", "Noch nicht frei"),
        ("This item is under embargo.", "Dieses Objekt unterliegt einer Sperrfrist."),
    ),
    Why.NO_POLICY: _text(
        RESTRICTED,
        (
            "Access to this item has not been settled yet. Please ask the library.",
            "Der Zugang zu diesem Objekt ist noch nicht geregelt. Bitte fragen Sie die Bibliothek.",
        ),
    ),
    Why.NOT_OFFERED: _text(
        RESTRICTED,
        (
            "This version is not offered online. Please ask the library.",
            "Diese Fassung wird online nicht angeboten. Bitte fragen Sie die Bibliothek.",
        ),
    ),
    Why.TOO_EARLY: _text(
        ("Not yet open", "Noch nicht frei"),
        ("This item is not open yet.", "Dieses Objekt ist noch nicht freigegeben."),
    ),
    Why.TOO_LATE: _text(
        ("No longer open", "Nicht mehr frei"),
        (
            "The time in which this item could be seen is over.",
            "Der Zeitraum, in dem dieses Objekt zu sehen war, ist vorbei.",
        ),
    ),
    Why.OUT_OF_SEASON: _text(
        ("Not at this time of year", "Nicht zu dieser Jahreszeit"),
        (
            "This item can be seen at certain times of the year only.",
            "Dieses Objekt ist nur zu bestimmten Zeiten des Jahres zu sehen.",
        ),
    ),
    Why.NOT_SIGNED_IN: _text(
        RESTRICTED,
        ("Please sign in to see this item.", "Bitte melden Sie sich an, um dieses Objekt zu sehen."),
    ),
    Why.NOT_AGREED: _text(
        ("Please read this first", "Bitte zuerst lesen"),
        (
            "Please read and accept the terms to see this item.",
            "Bitte lesen und bestätigen Sie die Bedingungen, um dieses Objekt zu sehen.",
        ),
    ),
    Why.NOT_ENTITLED: _text(
        RESTRICTED,
        (
            "You do not have access to this item. If you think you should, please ask the library.",
            "Sie haben keinen Zugang zu diesem Objekt. Wenn Sie ihn brauchen, fragen Sie bitte die Bibliothek.",
        ),
    ),
    Why.WRONG_PLACE: _text(
        ("Not available here", "Hier nicht verfügbar"),
        (
            "This item can be seen only at certain places, such as the reading room.",
            "Dieses Objekt ist nur an bestimmten Orten zu sehen, zum Beispiel im Lesesaal.",
        ),
    ),
}

HIDDEN = _text(
    RESTRICTED,
    (
        "If there is something here that you may see, please sign in.",
        "Falls es hier etwas gibt, das Sie sehen dürfen, melden Sie sich bitte an.",
    ),
)
UNKNOWN = _text(
    ("Not found", "Nicht gefunden"),
    (
        "There is no such item here. Please check the address.",
        "Hier gibt es kein solches Objekt. Bitte prüfen Sie die Adresse.",
    ),
)
UNAVAILABLE = _text(
    ("Not available just now", "Im Moment nicht verfügbar"),
    (
        "Something went wrong on our side. Please try again in a few minutes.",
        "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es in einigen Minuten noch einmal.",
    ),
)

COOKIES_KEPT_OUT = _text(
    ("Your browser keeps the library's cookies out", "Ihr Browser hält die Cookies der Bibliothek fern"),
    (
        "You have access, but this browser lets no cookie of the library into this viewer, so nothing could be shown "
        "here. Please open the item on the library's own site, or allow cookies of the library on other sites and try again.",
        "Sie haben Zugang, aber dieser Browser lässt kein Cookie der Bibliothek in diesen Viewer, also könnte hier nichts "
        "gezeigt werden. Bitte öffnen Sie das Objekt auf der Seite der Bibliothek selbst, oder erlauben Sie Cookies der "
        "Bibliothek auf anderen Seiten und versuchen Sie es noch einmal.",
    ),
)

PROBLEMS: dict[Problem, Text] = {
    Problem.INVALID_REQUEST: _text(
        ("The viewer asked in a way we do not understand", "Der Viewer hat unverständlich angefragt"),
        (
            "Please reload the page. If it happens again, tell the makers of the viewer.",
            "Bitte laden Sie die Seite neu. Wenn es wieder geschieht, sagen Sie es den Herstellern des Viewers.",
        ),
    ),
    Problem.INVALID_ORIGIN: _text(
        ("This viewer has not been confirmed", "Dieser Viewer ist nicht bestätigt"),
        (
            "Please open the access page from this viewer and confirm its name there.",
            "Bitte öffnen Sie die Zugangsseite aus diesem Viewer und bestätigen Sie dort seinen Namen.",
        ),
    ),
    Problem.MISSING_ASPECT: _text(
        ("Access is not confirmed", "Der Zugang ist nicht bestätigt"),
        (
            "Please use the access page first. If you just did, your browser is keeping the library's cookie from this "
            "viewer: allow third-party cookies for the library, or open the item on the library's own site.",
            "Bitte benutzen Sie zuerst die Zugangsseite. Wenn Sie das gerade getan haben, hält Ihr Browser das "
            "Cookie der "
            "Bibliothek von diesem Viewer fern: Erlauben Sie Drittanbieter-Cookies für die Bibliothek, oder "
            "öffnen Sie das "
            "Objekt auf der Seite der Bibliothek selbst.",
        ),
    ),
    Problem.INVALID_ASPECT: _text(
        ("Your access has ended", "Ihr Zugang ist beendet"),
        ("Please use the access page again.", "Bitte benutzen Sie die Zugangsseite noch einmal."),
    ),
    Problem.EXPIRED_ASPECT: _text(
        ("Your access has expired", "Ihr Zugang ist abgelaufen"),
        ("Please use the access page again.", "Bitte benutzen Sie die Zugangsseite noch einmal."),
    ),
    Problem.UNAVAILABLE: UNAVAILABLE,
    Problem.COOKIES_KEPT_OUT: COOKIES_KEPT_OUT,
    Problem.INVALID_CLIENT: _text(
        ("This viewer is not registered", "Dieser Viewer ist nicht angemeldet"),
        (
            "The library gives access through registered viewers only. Please use one of its own machines.",
            "Die Bibliothek gibt nur angemeldeten Viewern Zugang. Bitte benutzen Sie einen ihrer eigenen Rechner.",
        ),
    ),
}


def refusal(why: Why, opens: datetime | None, zone_name: str) -> Text:
    """The text for a refusal, with the day it opens if that is known (``zone_name`` says where that day begins)."""
    text = REFUSALS[why]
    if opens is None:
        return text
    day = opens.astimezone(zone(zone_name))
    until = {
        "en": f"It opens on {day.day} {MONTHS['en'][day.month - 1]} {day.year}.",
        "de": f"Es wird am {day.day}. {MONTHS['de'][day.month - 1]} {day.year} freigegeben.",
    }
    note = tuple((language, (*strings, until[language])) for language, strings in text.note)
    return Text(text.heading, note)


ASK = {
    "en": "Why not, and how to ask for access: {address}",
    "de": "Warum nicht, und wie Sie um Zugang bitten: {address}",
    "fr": "Pourquoi, et comment demander l’accès : {address}",
    "es": "Por qué no, y cómo pedir acceso: {address}",
    "cy": "Pam ddim, a sut i ofyn am fynediad: {address}",
}


HERE = {
    "en": "The item on the library's own site: {address}",
    "de": "Das Objekt auf der Seite der Bibliothek selbst: {address}",
    "fr": "Le document sur le site de la bibliothèque : {address}",
    "es": "El documento en el sitio de la biblioteca: {address}",
    "cy": "Yr eitem ar wefan y llyfrgell ei hun: {address}",
}


def kept_out(address: str) -> Text:
    """What somebody is told whose browser lets no cookie into the viewer; ``address`` is the item's page on our own site."""
    note = tuple(
        (language, (*strings, HERE.get(language, HERE["en"]).format(address=address)))
        for language, strings in COOKIES_KEPT_OUT.note
    )
    return Text(COOKIES_KEPT_OUT.heading, note)


def with_way(note: LanguageMap, address: str) -> LanguageMap:
    """A note that ends with the address of the page on which one may ask, in English where there is no better sentence."""
    return tuple(
        (language, (*strings, ASK.get(language.partition("-")[0].lower(), ASK["en"]).format(address=address)))
        for language, strings in note
    )
