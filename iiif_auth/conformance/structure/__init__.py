"""Judges documents and answers by looking at them: no network, no state, nothing of Django.

Each version has a module with tables of rules, ``(requirement, what it is about, what would be wrong)``, and ``JUDGED``, which
tells the requirements that each of its functions judges. Here is the one function for documents; those for answers
(``v2.probe_result``, ``v2.message``, ``v1.message`` and so on) are in the modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iiif_auth.conformance.documents import Document
from iiif_auth.conformance.findings import Finding
from iiif_auth.conformance.structure import alpha, v092, v1, v2
from iiif_auth.conformance.structure.places import whole

__all__ = ["JUDGED", "check"]

JUDGED: Mapping[str, tuple[str, ...]] = {
    f"{module.__name__.rpartition('.')[2]}.{function}": found
    for module in (v2, v1, v092, alpha)
    for function, found in module.JUDGED.items()
}
"""Which requirements can be judged by looking, by the function that does: ``{"v2.check": ("A2-DECL-06", …), …}``."""


def check(document: Document) -> Iterator[Finding]:
    """What a document (manifest, Collection, info.json, content resource or service) shows about every version it speaks.

    A requirement that it has nothing to do with is not mentioned.
    """
    seen = whole(document)
    for module in (v2, v1, v092, alpha):
        yield from module.check(seen)
