"""From the bytes of a file to a sheet."""

from __future__ import annotations

from django.utils.translation import gettext

from iiif_auth.exchange import delimited, workbooks
from iiif_auth.exchange.sheets import MOST_BYTES, NotASheet, Sheet, too_large


def sheet(raw: bytes, encoding: str = "") -> Sheet:
    """The spreadsheet in a file, whatever its name says it is.

    Raises:
        NotASheet: it can not be read; the message is a sentence with what to do.
    """
    if len(raw) > MOST_BYTES:
        raise NotASheet(too_large())
    if raw.startswith((workbooks.MAGIC, workbooks.OLDER)):
        return workbooks.read(raw)
    if raw.startswith((b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"{\\rtf")):
        raise NotASheet(gettext("This is no spreadsheet; please send CSV or .xlsx."))
    return delimited.read(raw, encoding)
