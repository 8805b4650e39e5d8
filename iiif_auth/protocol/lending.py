"""What viewers are told about items that are lent: whether a copy is free, until when all are out, and where to borrow."""

from __future__ import annotations

from datetime import datetime

from iiif_auth.policy.types import LanguageMap, Text, Why, zone
from iiif_auth.protocol.texts import REFUSALS

FREE = {
    "en": "A copy is free. Borrow it here: {address}",
    "de": "Ein Exemplar ist frei. Hier können Sie es ausleihen: {address}",
    "fr": "Un exemplaire est libre. Empruntez-le ici : {address}",
    "es": "Hay un ejemplar libre. Tómelo en préstamo aquí: {address}",
    "cy": "Mae copi ar gael. Cewch ei fenthyg yma: {address}",
}
OUT = {
    "en": "All copies are out. You can wait for one here: {address}",
    "de": "Alle Exemplare sind ausgeliehen. Hier können Sie auf eines warten: {address}",
    "fr": "Tous les exemplaires sont empruntés. Vous pouvez en attendre un ici : {address}",
    "es": "Todos los ejemplares están prestados. Puede esperar uno aquí: {address}",
    "cy": "Mae pob copi allan. Cewch aros am un yma: {address}",
}
OUT_UNTIL = {
    "en": "All copies are out; the next is due on {day} at {time}. You can wait for one here: {address}",
    "de": "Alle Exemplare sind ausgeliehen; das nächste ist am {day} um {time} fällig. Hier können Sie warten: {address}",
    "fr": "Tous les exemplaires sont empruntés ; le prochain est dû le {day} à {time}. Vous pouvez l’attendre ici : {address}",
    "es": "Todos los ejemplares están prestados; el próximo vence el {day} a las {time}. Puede esperarlo aquí: {address}",
    "cy": "Mae pob copi allan; disgwylir y nesaf ar {day} am {time}. Cewch aros am un yma: {address}",
}


def told(text: Text | None, address: str, *, free: bool, until: datetime | None, zone_name: str) -> Text:
    """A text for people who have not borrowed a copy, with how it stands and where to go.

    Args:
        text: what the policy says of it; by default our own words.
        address: of the page on which one borrows or waits.
        until: when the first copy is due (aware), if none is free and that is known.
        zone_name: in which time zone that is said.
    """
    base = text or REFUSALS[Why.NO_SEAT]
    said = FREE if free else OUT if until is None else OUT_UNTIL
    local = until.astimezone(zone(zone_name)) if until else None
    words = {"address": address, "day": f"{local:%Y-%m-%d}" if local else "", "time": f"{local:%H:%M}" if local else ""}
    return Text(base.heading, _with(base.note or base.heading, said, words))


def _with(note: LanguageMap, said: dict[str, str], words: dict[str, str]) -> LanguageMap:
    """A note that ends with a sentence, in English where there is none in its language."""
    return tuple(
        (language, (*strings, said.get(language.partition("-")[0].lower(), said["en"]).format(**words)))
        for language, strings in note
    )
