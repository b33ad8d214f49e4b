"""How large a file may be: what an office sends is far below, what would exhaust the machine is above.

All are own choices; docs/files.md states them. Work and memory follow the size of a file; what
multiplies them (packing, repeats, quotes that nothing closes) is bounded by itself.
"""

from __future__ import annotations

from rules.model import Title
from scoring.facts.ingest.errors import IngestError

MIB = 1 << 20
LARGEST_FILE = 1024 * MIB
LARGEST_OLD_WORKBOOK = 64 * MIB
"""An .xls is held in memory as a whole; 65,536 rows of 40 columns take about 30 MiB."""

LARGEST_UNPACKED = 2048 * MIB
FREE_UNPACKED = 32 * MIB
"""Up to here a workbook may be packed as well as it likes."""

HIGHEST_RATIO = 100
"""Unpacked to packed; tables reach 10 to 40."""

MOST_CELLS = 20_000_000
FREE_CELLS = 1_000_000
CELLS_A_BYTE = 2
"""Beyond the free ones, for each byte of the packed file; tables have a third of a cell."""

MOST_COLUMNS = 16_384
"""As many as a spreadsheet has."""

MOST_ROWS = 1_048_576
MOST_SHEETS = 1_000
MOST_MERGES = 200_000
MOST_STRINGS = 4_000_000
LARGEST_STRINGS = 256 * MIB
MOST_STYLES = 100_000
DEEPEST_ELEMENT = 64
LONGEST_TAG = MIB
LONGEST_LINE = MIB
"""Characters."""

LONGEST_QUOTED = 128 * 1024
"""Characters of a quoted cell; a spreadsheet's cell holds 32,767."""

MOST_QUOTED_LINES = 2_000


def check(file: str, found: int, most: int, zh: str, en: str) -> None:
    """Refuse a file that has more of something than it may.

    :raises IngestError: naming what, how much of it there is, and the bound.
    """
    if found > most:
        raise too_much(file, f"{zh}超过{most:,}(至少{found:,})", f"{en}: {found:,}, {most:,} at most")


def too_much(file: str, zh: str, en: str) -> IngestError:
    """The refusal of a file that goes beyond a bound."""
    hint = Title("请拆分文件,或只保留数据后另存", "split the file, or save its data alone in a new one")
    return IngestError(file, Title(zh, en), hint)
