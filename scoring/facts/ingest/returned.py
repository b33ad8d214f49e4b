"""Rows that an office got back to mend: what stands where a cell could not be read, and which rows came again
as they went out.

Most rows that are not mended are refused again for what they say. One that is refused for the rows beside it
(its number comes twice), or for how it stood (too few cells), would be taken once it comes alone. So its
reason ends in a mark, which holds as long as its cells are the same; who means the row as it is clears the
reason.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from rules.model import Title
from rules.titles import halves
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Unreadable, as_text

if TYPE_CHECKING:  # what reads one subject needs no reader of workbooks
    from scoring.facts.ingest.sheets import Cells

_TO_MEND = "〔待改 to mend: "
_UNREAD = re.compile(f"{_TO_MEND}([^〕]+)〕", re.DOTALL)
_MARK = re.compile(r"(.{1,4000}) 〔未改动不予采用[^〔〕]*#([0-9a-f]{8})〕\s*", re.DOTALL)
_HINT = Title("请改正;确以此行为准的,请清空退回原因", "mend it; if it is the right one, clear its reason")


def to_mend(cell: Unreadable) -> str:
    """What is written where a cell could not be read: why not, and what is left of it."""
    return f"{_TO_MEND}{cell.fault.reason.both}〕{cell.text}"


def still_to_mend(text: str) -> Fault | None:
    """Why a cell could not be read in which something of :func:`to_mend` stands still."""
    found = _UNREAD.search(text) if _TO_MEND in text else None
    hint = Title("请填写正确的内容", "what is right in its place")
    return Fault(halves(found[1]), hint) if found else None


def marked(reason: str, cells: Cells) -> str:
    """The reason of a row that may not come again as it is.

    :param cells: of the row, as they are written; without the reason.
    """
    told = "未改动不予采用,以此行为准的请清空本格 unchanged it stays out; if it is right, clear this cell"
    return f"{reason} 〔{told} #{_digest(cells)}〕"


def unmended(cells: Cells, own: int) -> Fault | None:
    """The reason of a row that came again as it went out; None of any other.

    :param own: where the reason stands.

    >>> cells = ("R1", marked("编号重复", ("R1", None, "x")), None, "x")
    >>> unmended(cells, 1).reason.zh, unmended((*cells[:3], "y"), 1)
    ('编号重复', None)
    """
    found = _MARK.fullmatch(as_text(cells[own])) if own < len(cells) else None
    if found is None or found[2] != _digest((*cells[:own], *cells[own + 1 :])):
        return None
    return Fault(halves(found[1]), _HINT)


def _digest(cells: Cells) -> str:
    """What the cells say, whatever spaces a spreadsheet makes of theirs."""
    said = "\n".join(" ".join(as_text(cell).split()) for cell in cells).rstrip("\n")
    return hashlib.sha256(said.encode()).hexdigest()[:8]
