"""The five of them."""

from __future__ import annotations

from tests.guide import hana, lena, omar, rita, tomas
from tests.guide.script import Person

PEOPLE: tuple[Person, ...] = (omar.PERSON, hana.PERSON, rita.PERSON, lena.PERSON, tomas.PERSON)
