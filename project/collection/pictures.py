"""What the Merehaven Museum & Library has to show, and who draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from PIL import Image

from project.collection import borrowed, chart, drawings, ferns, manuscripts, photographs, portraits, songsheet, survey

Draw = Callable[[], Image.Image]

_INVENTED: Final = "Drawn by this demonstration; no rights reserved"
_DRAWN: Final = "Drawn by a program from a fixed seed"


@dataclass(frozen=True, slots=True)
class Picture:
    """``derivatives`` are smaller files of their own, ``<identifier>~<tier>``, by the length of their longer edge."""

    identifier: str
    title: str
    draw: Draw
    credit: str = _INVENTED
    made: str = _DRAWN
    derivatives: Mapping[str, int] = field(default_factory=dict)

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Its own and those of its derivatives."""
        return (self.identifier, *(f"{self.identifier}~{tier}" for tier in self.derivatives))


def _series(
    name: str, titles: tuple[str, ...], draw: Callable[[int], Image.Image], made: str, **derivatives: int
) -> Iterator[Picture]:
    for number, title in enumerate(titles, 1):
        yield Picture(f"{name}-{number}", title, partial(draw, number), _INVENTED, made, derivatives)


_FOLIOS: Final = tuple(f"Infirmary register, 1949, folio {211 + number}" for number in range(4))

PICTURES: Final[tuple[Picture, ...]] = (
    Picture(
        "survey-1",
        "Plan of the town and port of Merehaven, 1874",
        survey.town_survey,
        made="Streets drawn straight and bent together; every house numbered",
        derivatives={"members": 1200, "public": 500},
    ),
    Picture(
        "chart-1",
        "A chart of the Merehaven Isles, 1851",
        chart.sea_chart,
        made="Coast, depths and soundings from one fractal height field",
    ),
    *_series(
        "fleet",
        tuple(scene.caption for scene in photographs.SCENES),
        photographs.fleet_photograph,
        "Drawn in greys, reflected in a drawn sea, grained and toned",
    ),
    *_series(
        "herbal",
        tuple(f"{fern.english} ({fern.latin})" for fern in ferns.FERNS),
        ferns.fern_plate,
        "Grown leaflet upon leaflet; the names are real",
        preview=400,
    ),
    *_series("register", _FOLIOS, manuscripts.register_opening, "Written with a drawn pen; every name is invented"),
    *(
        Picture(
            f"register-{number}-redacted",
            f"{title}, names covered",
            partial(manuscripts.redacted_opening, number),
            made="The same page drawn without the names, and bars where they would be",
        )
        for number, title in enumerate(_FOLIOS, 1)
    ),
    *_series(
        "minutes",
        tuple(f"Harbour Trustees, minute book, page {85 + number}" for number in range(3)),
        manuscripts.minute_page,
        "Written with a drawn pen on drawn paper",
    ),
    *_series(
        "diary",
        tuple(f"Harbour diary, leaf {number}" for number in (1, 2, 3)),
        manuscripts.diary_page,
        "Written and sketched with a drawn pen",
    ),
    Picture("gallery-1", "Model of the frigate Petrel, profile and deck", drawings.ship_model),
    *_series(
        "album",
        ("Portrait album, first leaf", "Portrait album, second leaf"),
        portraits.album_page,
        "Shades of nobody in particular",
    ),
    Picture("poster-1", "Grand Regatta", drawings.poster, made="Wooden letters, drawn and worn"),
    *_series(
        "songs",
        tuple(f"Winter songs, leaf {number}" for number in (1, 2, 3)),
        songsheet.song_leaf,
        "Written with a drawn pen; words and tunes are invented",
    ),
    Picture(
        "sealed-1",
        "A letter, sealed until 2052",
        manuscripts.sealed_letter,
        made="The wax is a height field under a raking light",
    ),
    Picture(
        "deepfield-1",
        "Hubble deep field",
        borrowed.deep_field,
        "NASA, public domain",
        "From the scikit-image wheel",
        {"preview": 400},
    ),
    Picture("retina-1", "A retina", borrowed.retina, "Public domain (CC0)", "From the scikit-image wheel"),
    Picture(
        "rocket-1",
        "A rocket leaves",
        borrowed.rocket,
        "SpaceX, released to the public domain",
        "From the scikit-image wheel, enlarged three times",
    ),
    Picture(
        "coins-1",
        "Greek coins from Pompeii",
        borrowed.coins,
        "Brooklyn Museum, no known copyright restrictions",
        "From the scikit-image wheel, enlarged four times",
    ),
)
