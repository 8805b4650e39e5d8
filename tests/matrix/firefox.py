"""Firefox over WebDriver BiDi: the line of :mod:`tests.browser.firefox`, with more windows than one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.browser import firefox
from tests.browser.firefox import BiDiError
from tests.matrix import names
from tests.matrix.driver import WHERE, Driver, Gone


class Firefox(Driver):
    name = "Firefox"

    def __init__(self, inner: firefox.Firefox) -> None:
        self._inner = inner
        self.said = inner.said
        self.main = self._tops()[0]["context"]

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        try:
            return self._inner._ask(method, **parameters)
        except BiDiError as problem:
            raise Gone(str(problem)) from problem

    def _tops(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("browsingContext.getTree")["contexts"]
        return found

    def windows(self) -> list[str]:
        found = [str(one["context"]) for one in self._tops()]
        return [self.main, *(one for one in found if one != self.main)] if self.main in found else found

    def goto(self, address: str, window: str | None = None) -> None:
        self.ask("browsingContext.navigate", context=window or self.main, url=address, wait="complete")

    def run(self, function: str, *given: Any, window: str | None = None) -> Any:
        answer = self.ask(
            "script.callFunction",
            functionDeclaration=f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given))) ?? 'null'",
            arguments=[{"type": "string", "value": json.dumps(given)}],
            target={"context": window or self.main},
            awaitPromise=True,
            userActivation=False,
        )
        if answer["type"] != "success":
            raise Gone(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def click_at(self, x: float, y: float, window: str | None = None) -> None:
        steps: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        self.ask("input.performActions", context=window or self.main, actions=[pointer])

    def click_in_frame(self, frame: str, selector: str) -> None:
        inner = self._tops()[0]["children"][0]["context"]
        x, y = self.until("something to click in the frame", lambda: self.run(WHERE, selector, window=inner))
        self.click_at(x, y, inner)

    def close(self) -> None:
        """Whoever started it ends it."""


@contextmanager
def running(preferences: Mapping[str, Any] | None = None) -> Iterator[Firefox]:
    """A Firefox without a screen that knows our names."""
    ours = {"network.dns.localDomains": ",".join(names.ALL)}
    with firefox.running({**ours, **(preferences or {})}) as started:
        yield Firefox(started)
