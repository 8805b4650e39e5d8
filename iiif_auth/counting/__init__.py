"""How often something was shown, lessened and refused, by day and without persons.

Where a decision is answered, :func:`note` adds to a count in memory, which costs microseconds and no query. Whichever request
ends a minute later writes the counts down, and so does the end of the process. No person and no address is kept.
"""

from __future__ import annotations

from iiif_auth.counting.facts import Facts, fact_of
from iiif_auth.counting.noting import flush, flush_when_due, forget, note
from iiif_auth.counting.tally import Tally
from iiif_auth.counting.writing import Line, written

__all__ = ["Facts", "Line", "Tally", "fact_of", "flush", "flush_when_due", "forget", "note", "written"]
