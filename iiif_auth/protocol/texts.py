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
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet")
    + ("août", "septembre", "octobre", "novembre", "décembre"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio")
    + ("agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    "cy": ("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf")
    + ("Awst", "Medi", "Hydref", "Tachwedd", "Rhagfyr"),
}
OPENS = {
    "en": "It opens on {day} {month} {year}.",
    "de": "Es wird am {day}. {month} {year} freigegeben.",
    "fr": "Il ouvre le {day} {month} {year}.",
    "es": "Se abre el {day} de {month} de {year}.",
    "cy": "Bydd yn agor ar {day} {month} {year}.",
}


LANGUAGES = ("en", "de", "fr", "es", "cy")
"""The languages of every text here, in this order; English first, as it is what everybody falls back on."""


def _map(texts: tuple[str, ...]) -> LanguageMap:
    return tuple((language, (text,)) for language, text in zip(LANGUAGES, texts, strict=True))


def _text(heading: tuple[str, ...], note: tuple[str, ...]) -> Text:
    return Text(_map(heading), _map(note))


RESTRICTED = (
    "Restricted",
    "Zugang beschränkt",
    "Accès restreint",
    "Acceso restringido",
    "Cyfyngedig",
)

REFUSALS: dict[Why, Text] = {
    Why.WITHDRAWN: _text(
        (
            "Withdrawn",
            "Zurückgezogen",
            "Retiré",
            "Retirado",
            "Wedi’i dynnu’n ôl",
        ),
        (
            "This item has been withdrawn and is not shown at present.",
            "Dieses Objekt wurde zurückgezogen und wird zurzeit nicht gezeigt.",
            "Cet objet a été retiré et n’est pas montré pour le moment.",
            "Este objeto ha sido retirado y no se muestra por ahora.",
            "Mae’r eitem hon wedi’i thynnu’n ôl ac nid yw’n cael ei dangos ar hyn o bryd.",
        ),
    ),
    Why.EMBARGOED: _text(
        (
            "Not yet open",
            "Noch nicht frei",
            "Pas encore ouvert",
            "Aún no disponible",
            "Ddim ar agor eto",
        ),
        (
            "This item is under embargo.",
            "Dieses Objekt unterliegt einer Sperrfrist.",
            "Cet objet est sous embargo.",
            "Este objeto está bajo embargo.",
            "Mae’r eitem hon dan embargo.",
        ),
    ),
    Why.NO_POLICY: _text(
        RESTRICTED,
        (
            "Access to this item has not been settled yet. Please ask the library.",
            "Der Zugang zu diesem Objekt ist noch nicht geregelt. Bitte fragen Sie die Bibliothek.",
            "L’accès à cet objet n’est pas encore réglé. Veuillez demander à la bibliothèque.",
            "El acceso a este objeto aún no está decidido. Por favor, pregunte a la biblioteca.",
            "Nid yw mynediad i’r eitem hon wedi’i benderfynu eto. Gofynnwch i’r llyfrgell, os gwelwch yn dda.",
        ),
    ),
    Why.NOT_OFFERED: _text(
        RESTRICTED,
        (
            "This version is not offered online. Please ask the library.",
            "Diese Fassung wird online nicht angeboten. Bitte fragen Sie die Bibliothek.",
            "Cette version n’est pas proposée en ligne. Veuillez demander à la bibliothèque.",
            "Esta versión no se ofrece en línea. Por favor, pregunte a la biblioteca.",
            "Ni chynigir y fersiwn hwn ar-lein. Gofynnwch i’r llyfrgell, os gwelwch yn dda.",
        ),
    ),
    Why.TOO_EARLY: _text(
        (
            "Not yet open",
            "Noch nicht frei",
            "Pas encore ouvert",
            "Aún no disponible",
            "Ddim ar agor eto",
        ),
        (
            "This item is not open yet.",
            "Dieses Objekt ist noch nicht freigegeben.",
            "Cet objet n’est pas encore ouvert.",
            "Este objeto aún no está abierto.",
            "Nid yw’r eitem hon ar agor eto.",
        ),
    ),
    Why.TOO_LATE: _text(
        (
            "No longer open",
            "Nicht mehr frei",
            "Plus ouvert",
            "Ya no disponible",
            "Ddim ar agor mwyach",
        ),
        (
            "The time in which this item could be seen is over.",
            "Der Zeitraum, in dem dieses Objekt zu sehen war, ist vorbei.",
            "La période pendant laquelle cet objet pouvait être vu est terminée.",
            "El periodo en que se podía ver este objeto ha terminado.",
            "Mae’r cyfnod pan oedd modd gweld yr eitem hon ar ben.",
        ),
    ),
    Why.OUT_OF_SEASON: _text(
        (
            "Not at this time of year",
            "Nicht zu dieser Jahreszeit",
            "Pas à cette période de l’année",
            "No en esta época del año",
            "Nid yr adeg hon o’r flwyddyn",
        ),
        (
            "This item can be seen at certain times of the year only.",
            "Dieses Objekt ist nur zu bestimmten Zeiten des Jahres zu sehen.",
            "Cet objet n’est visible qu’à certaines périodes de l’année.",
            "Este objeto solo se puede ver en ciertas épocas del año.",
            "Dim ond ar adegau penodol o’r flwyddyn y gellir gweld yr eitem hon.",
        ),
    ),
    Why.NOT_SIGNED_IN: _text(
        RESTRICTED,
        (
            "Please sign in to see this item.",
            "Bitte melden Sie sich an, um dieses Objekt zu sehen.",
            "Veuillez vous connecter pour voir cet objet.",
            "Inicie sesión para ver este objeto.",
            "Mewngofnodwch i weld yr eitem hon, os gwelwch yn dda.",
        ),
    ),
    Why.NOT_AGREED: _text(
        (
            "Please read this first",
            "Bitte zuerst lesen",
            "À lire d’abord",
            "Lea esto primero",
            "Darllenwch hwn yn gyntaf",
        ),
        (
            "Please read and accept the terms to see this item.",
            "Bitte lesen und bestätigen Sie die Bedingungen, um dieses Objekt zu sehen.",
            "Veuillez lire et accepter les conditions pour voir cet objet.",
            "Lea y acepte las condiciones para ver este objeto.",
            "Darllenwch a derbyniwch y telerau i weld yr eitem hon, os gwelwch yn dda.",
        ),
    ),
    Why.NOT_ENTITLED: _text(
        RESTRICTED,
        (
            "You do not have access to this item. If you think you should, please ask the library.",
            "Sie haben keinen Zugang zu diesem Objekt. Wenn Sie ihn brauchen, fragen Sie bitte die Bibliothek.",
            "Vous n’avez pas accès à cet objet. Si vous pensez que vous devriez l’avoir, veuillez demander "
            "à la bibliothèque.",
            "No tiene acceso a este objeto. Si cree que debería tenerlo, pregunte a la biblioteca.",
            "Nid oes gennych fynediad i’r eitem hon. Os credwch y dylech ei gael, gofynnwch i’r llyfrgell.",
        ),
    ),
    Why.WRONG_PLACE: _text(
        (
            "Not available here",
            "Hier nicht verfügbar",
            "Indisponible ici",
            "No disponible aquí",
            "Ddim ar gael yma",
        ),
        (
            "This item can be seen only at certain places, such as the reading room.",
            "Dieses Objekt ist nur an bestimmten Orten zu sehen, zum Beispiel im Lesesaal.",
            "Cet objet n’est visible qu’à certains endroits, comme la salle de lecture.",
            "Este objeto solo se puede ver en ciertos lugares, como la sala de lectura.",
            "Dim ond mewn lleoedd penodol, fel yr ystafell ddarllen, y gellir gweld yr eitem hon.",
        ),
    ),
    Why.NO_SEAT: _text(
        (
            "To be borrowed",
            "Zum Ausleihen",
            "À emprunter",
            "Para tomar en préstamo",
            "I’w fenthyg",
        ),
        (
            "Only so many readers can see this item at a time, each with a borrowed copy.",
            "Dieses Objekt können nur so viele zugleich sehen, wie es Exemplare zum Ausleihen gibt.",
            "Seul un certain nombre de lecteurs peut voir cet objet en même temps, chacun avec un exemplaire emprunté.",
            "Solo cierto número de lectores puede ver este objeto a la vez, cada uno con un ejemplar prestado.",
            "Dim ond hyn a hyn o ddarllenwyr all weld yr eitem hon ar yr un pryd, pob un â chopi wedi’i fenthyg.",
        ),
    ),
}

HIDDEN = _text(
    RESTRICTED,
    (
        "If there is something here that you may see, please sign in.",
        "Falls es hier etwas gibt, das Sie sehen dürfen, melden Sie sich bitte an.",
        "S’il y a ici quelque chose que vous pouvez voir, veuillez vous connecter.",
        "Si hay aquí algo que pueda ver, inicie sesión.",
        "Os oes rhywbeth yma y cewch ei weld, mewngofnodwch, os gwelwch yn dda.",
    ),
)
UNKNOWN = _text(
    (
        "Not found",
        "Nicht gefunden",
        "Introuvable",
        "No encontrado",
        "Heb ei ganfod",
    ),
    (
        "There is no such item here. Please check the address.",
        "Hier gibt es kein solches Objekt. Bitte prüfen Sie die Adresse.",
        "Il n’y a pas d’objet de ce nom ici. Veuillez vérifier l’adresse.",
        "Aquí no hay tal objeto. Compruebe la dirección.",
        "Nid oes eitem o’r fath yma. Gwiriwch y cyfeiriad, os gwelwch yn dda.",
    ),
)
UNAVAILABLE = _text(
    (
        "Not available just now",
        "Im Moment nicht verfügbar",
        "Indisponible pour le moment",
        "No disponible en este momento",
        "Ddim ar gael ar hyn o bryd",
    ),
    (
        "Something went wrong on our side. Please try again in a few minutes.",
        "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es in einigen Minuten noch einmal.",
        "Un problème est survenu de notre côté. Veuillez réessayer dans quelques minutes.",
        "Algo ha fallado por nuestra parte. Inténtelo de nuevo en unos minutos.",
        "Aeth rhywbeth o’i le ar ein hochr ni. Rhowch gynnig arall arni ymhen ychydig funudau.",
    ),
)

COOKIES_KEPT_OUT = _text(
    (
        "Your browser keeps the library's cookies out",
        "Ihr Browser hält die Cookies der Bibliothek fern",
        "Votre navigateur écarte les cookies de la bibliothèque",
        "Su navegador no deja entrar las cookies de la biblioteca",
        "Mae eich porwr yn cadw cwcis y llyfrgell draw",
    ),
    (
        "You have access, but this browser lets no cookie of the library into this viewer, so nothing could be shown "
        "here. Please open the item on the library's own site, or allow cookies of the library on other sites and try again.",
        "Sie haben Zugang, aber dieser Browser lässt kein Cookie der Bibliothek in diesen Viewer, also könnte hier nichts "
        "gezeigt werden. Bitte öffnen Sie das Objekt auf der Seite der Bibliothek selbst, oder erlauben Sie Cookies der "
        "Bibliothek auf anderen Seiten und versuchen Sie es noch einmal.",
        "Vous avez accès, mais ce navigateur ne laisse entrer aucun cookie de la bibliothèque dans cette visionneuse : rien ne "
        "pourrait donc être montré ici. Veuillez ouvrir l’objet sur le site de la bibliothèque elle-même, ou autoriser ses "
        "cookies sur d’autres sites et réessayer.",
        "Tiene acceso, pero este navegador no deja entrar ninguna cookie de la biblioteca en este visor, así que aquí no se "
        "podría mostrar nada. Abra el objeto en el sitio de la propia biblioteca, o permita sus cookies en otros sitios e "
        "inténtelo de nuevo.",
        "Mae gennych fynediad, ond nid yw’r porwr hwn yn gadael unrhyw gwci gan y llyfrgell i mewn i’r gwyliwr hwn, felly ni "
        "ellid dangos dim yma. Agorwch yr eitem ar wefan y llyfrgell ei hun, neu caniatewch ei chwcis ar wefannau eraill a "
        "rhowch gynnig arall arni, os gwelwch yn dda.",
    ),
)

PROBLEMS: dict[Problem, Text] = {
    Problem.INVALID_REQUEST: _text(
        (
            "The viewer asked in a way we do not understand",
            "Der Viewer hat unverständlich angefragt",
            "La visionneuse a fait une demande que nous ne comprenons pas",
            "El visor ha preguntado de un modo que no entendemos",
            "Gofynnodd y gwyliwr mewn ffordd nad ydym yn ei deall",
        ),
        (
            "Please reload the page. If it happens again, tell the makers of the viewer.",
            "Bitte laden Sie die Seite neu. Wenn es wieder geschieht, sagen Sie es den Herstellern des Viewers.",
            "Veuillez recharger la page. Si cela se reproduit, signalez-le aux auteurs de la visionneuse.",
            "Recargue la página. Si vuelve a ocurrir, dígaselo a los autores del visor.",
            "Ail-lwythwch y dudalen. Os bydd yn digwydd eto, rhowch wybod i wneuthurwyr y gwyliwr.",
        ),
    ),
    Problem.INVALID_ORIGIN: _text(
        (
            "This viewer has not been confirmed",
            "Dieser Viewer ist nicht bestätigt",
            "Cette visionneuse n’a pas été confirmée",
            "Este visor no se ha confirmado",
            "Nid yw’r gwyliwr hwn wedi’i gadarnhau",
        ),
        (
            "Please open the access page from this viewer and confirm its name there.",
            "Bitte öffnen Sie die Zugangsseite aus diesem Viewer und bestätigen Sie dort seinen Namen.",
            "Veuillez ouvrir la page d’accès depuis cette visionneuse et y confirmer son nom.",
            "Abra la página de acceso desde este visor y confirme allí su nombre.",
            "Agorwch y dudalen fynediad o’r gwyliwr hwn a chadarnhewch ei enw yno.",
        ),
    ),
    Problem.MISSING_ASPECT: _text(
        (
            "Access is not confirmed",
            "Der Zugang ist nicht bestätigt",
            "L’accès n’est pas confirmé",
            "El acceso no está confirmado",
            "Nid yw’r mynediad wedi’i gadarnhau",
        ),
        (
            "Please use the access page first. If you just did, your browser is keeping the library's "
            "cookie from this viewer: allow third-party cookies for the library, or open the item on the "
            "library's own site.",
            "Bitte benutzen Sie zuerst die Zugangsseite. Wenn Sie das gerade getan haben, hält Ihr Browser "
            "das Cookie der Bibliothek von diesem Viewer fern: Erlauben Sie Drittanbieter-Cookies für die "
            "Bibliothek, oder öffnen Sie das Objekt auf der Seite der Bibliothek selbst.",
            "Veuillez d’abord utiliser la page d’accès. Si vous venez de le faire, votre navigateur cache "
            "le cookie de la bibliothèque à cette visionneuse : autorisez les cookies tiers pour la "
            "bibliothèque, ou ouvrez l’objet sur le site de la bibliothèque elle-même.",
            "Use primero la página de acceso. Si acaba de hacerlo, su navegador oculta a este visor la "
            "cookie de la biblioteca: permita las cookies de terceros para la biblioteca, o abra el objeto "
            "en el sitio de la propia biblioteca.",
            "Defnyddiwch y dudalen fynediad yn gyntaf. Os ydych newydd wneud hynny, mae eich porwr yn cadw "
            "cwci’r llyfrgell rhag y gwyliwr hwn: caniatewch gwcis trydydd parti i’r llyfrgell, neu agorwch "
            "yr eitem ar wefan y llyfrgell ei hun.",
        ),
    ),
    Problem.INVALID_ASPECT: _text(
        (
            "Your access has ended",
            "Ihr Zugang ist beendet",
            "Votre accès a pris fin",
            "Su acceso ha terminado",
            "Mae eich mynediad wedi dod i ben",
        ),
        (
            "Please use the access page again.",
            "Bitte benutzen Sie die Zugangsseite noch einmal.",
            "Veuillez utiliser de nouveau la page d’accès.",
            "Use de nuevo la página de acceso.",
            "Defnyddiwch y dudalen fynediad eto, os gwelwch yn dda.",
        ),
    ),
    Problem.EXPIRED_ASPECT: _text(
        (
            "Your access has expired",
            "Ihr Zugang ist abgelaufen",
            "Votre accès a expiré",
            "Su acceso ha caducado",
            "Mae amser eich mynediad wedi dod i ben",
        ),
        (
            "Please use the access page again.",
            "Bitte benutzen Sie die Zugangsseite noch einmal.",
            "Veuillez utiliser de nouveau la page d’accès.",
            "Use de nuevo la página de acceso.",
            "Defnyddiwch y dudalen fynediad eto, os gwelwch yn dda.",
        ),
    ),
    Problem.UNAVAILABLE: UNAVAILABLE,
    Problem.COOKIES_KEPT_OUT: COOKIES_KEPT_OUT,
    Problem.INVALID_CLIENT: _text(
        (
            "This viewer is not registered",
            "Dieser Viewer ist nicht angemeldet",
            "Cette visionneuse n’est pas enregistrée",
            "Este visor no está registrado",
            "Nid yw’r gwyliwr hwn wedi’i gofrestru",
        ),
        (
            "The library gives access through registered viewers only. Please use one of its own machines.",
            "Die Bibliothek gibt nur angemeldeten Viewern Zugang. Bitte benutzen Sie einen ihrer eigenen Rechner.",
            "La bibliothèque ne donne accès qu’aux visionneuses enregistrées. Veuillez utiliser l’un de ses "
            "propres postes.",
            "La biblioteca solo da acceso a visores registrados. Use uno de sus propios equipos.",
            "Dim ond trwy wylwyr cofrestredig y mae’r llyfrgell yn rhoi mynediad. Defnyddiwch un o’i "
            "pheiriannau ei hun.",
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
        language: words.format(day=day.day, month=MONTHS[language][day.month - 1], year=day.year)
        for language, words in OPENS.items()
    }
    note = tuple((language, (*strings, until[language])) for language, strings in text.note)
    return Text(text.heading, note)


ASK = {
    "en": "Why not, and how to ask for access: {address}",
    "de": "Warum nicht, und wie Sie um Zugang bitten: {address}",
    "fr": "Pourquoi, et comment demander l’accès : {address}",
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
