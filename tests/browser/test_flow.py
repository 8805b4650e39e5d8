from __future__ import annotations
from tests.browser.reader import Reader


def test_try(reader: Reader):
    print(reader.open("chart"))
    print([e["type"] for e in reader.events()])
    print(reader.open("herbal"), reader.prompt.inner_text())
    print(reader.log_in("reader"))
    print(reader.events())
    print(len(reader.tiles("herbal-1")))
    print(reader.log_out())
