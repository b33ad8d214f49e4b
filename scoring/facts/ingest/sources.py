"""A column of the vocabulary in a file, and where its cells come from: one place, or in forms several.

Each source gives the cell of a row, and the place of the one that is meant where something is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from rules.model import Column, Title
from scoring.facts.ingest.cells import REGISTRATION, Convert, is_unknown, no_key
from scoring.facts.ingest.decoration import undecorated
from scoring.facts.ingest.errors import CellError, Fault
from scoring.facts.ingest.folding import Cell, Unreadable, as_text, document, fold, fold_header
from scoring.facts.ingest.header_words import readings
from scoring.facts.ingest.kinds import amount_behind

Cells = Sequence[Cell]

NOWHERE = -1
"""The position of a column that has no cells of its own."""

_REGISTRATION = re.compile("[0-9]{13}|[0-9]{6}[0-9A-Z]{9}")
"""A number of registration, from before the codes: 13 or 15 digits, of co-operatives with letters."""


class Source(Protocol):
    """Where the cell of a column comes from."""

    def cell(self, cells: Cells) -> Cell:
        """The cell, by those of a row."""

    def place(self, cells: Cells) -> int:
        """The position of the cell that a message about it names."""


def doubt_of(column: Column, header: str) -> Title | None:
    """What else a header may mean that is taken for a column."""
    words = {word for word, _ in readings(header)} if column.doubted else ()
    return next((why for word, why in column.doubted.items() if fold_header(word) in words), None)


@dataclass(frozen=True, slots=True)
class Found:
    """A column of the vocabulary in a file.

    :param position: of its cells in a row, from 0.
    :param header: as it stands in the file.
    :param per: what the header multiplies bare numbers by: 10000 for 金额(万元).
    :param source: where its cells come from, if not from its position alone.
    """

    column: Column
    position: int
    header: str
    per: int
    source: Source | None = None

    def cell(self, cells: Cells) -> Cell:
        """The column's cell in a row; None where the file has it not, or the row ends before it."""
        if self.source is not None:
            return self.source.cell(cells)
        return cells[self.position] if 0 <= self.position < len(cells) else None

    def place(self, cells: Cells) -> int:
        """The position of the cell that a message about the column names."""
        return self.position if self.source is None else self.source.place(cells)


@dataclass(frozen=True, slots=True)
class First:
    """The first cell that says something."""

    places: tuple[int, ...]

    def cell(self, cells: Cells) -> Cell:
        return cells[self.place(cells)]

    def place(self, cells: Cells) -> int:
        return next((place for place in self.places if _says(cells[place])), self.places[0])


@dataclass(frozen=True, slots=True)
class Code:
    """A credit code, where a registration number may stand instead, as the header says."""

    source: Source

    def cell(self, cells: Cells) -> Cell:
        cell = self.source.cell(cells)
        is_number = _REGISTRATION.fullmatch(fold(undecorated(as_text(cell))).upper()) is not None
        return Unreadable(REGISTRATION, as_text(cell)) if is_number else cell

    def place(self, cells: Cells) -> int:
        return self.source.place(cells)


@dataclass(frozen=True, slots=True)
class Sum:
    """The numbers of several cells, added.

    :param parts: the position of each with what reads it.
    """

    parts: tuple[tuple[int, Convert], ...]

    def cell(self, cells: Cells) -> Cell:
        numbers = [(cells[place], convert(cells[place])) for place, convert in self.parts]
        wrong = next((Unreadable(n, as_text(cell)) for cell, n in numbers if isinstance(n, Fault)), None)
        known = [Decimal(str(n)) for _, n in numbers if n is not None and not isinstance(n, Fault)]
        return wrong or (str(sum(known, Decimal())) if known else None)

    def place(self, cells: Cells) -> int:
        wrong = (place for place, convert in self.parts if isinstance(convert(cells[place]), Fault))
        said = (place for place, _ in self.parts if _says(cells[place]))
        return next(wrong, next(said, self.parts[0][0]))


@dataclass(frozen=True, slots=True)
class Listed:
    """The words of several cells, one after another."""

    places: tuple[int, ...]

    def cell(self, cells: Cells) -> Cell:
        unreadable = next((cell for cell in self._said(cells) if isinstance(cell, Unreadable)), None)
        return unreadable or "、".join(map(as_text, self._said(cells)))

    def place(self, cells: Cells) -> int:
        return next((place for place in self.places if _says(cells[place])), self.places[0])

    def _said(self, cells: Cells) -> Iterator[Cell]:
        return (cells[place] for place in self.places if _says(cells[place]))


@dataclass(frozen=True, slots=True)
class Told:
    """What must be said where other cells of the row say something, such as why a listing ended.

    :param source: of what must be said; None where the file has no place for it.
    :param others: the positions of these cells, and ``headers`` what they stand under.
    :param wanted: the title of what must be said.
    """

    source: Source | None
    others: tuple[int, ...]
    headers: tuple[str, ...]
    wanted: str

    def cell(self, cells: Cells) -> Cell:
        said = self.source.cell(cells) if self.source else None
        if said is not None and _says(said):
            return said
        other = next((n for n, place in enumerate(self.others) if _says(cells[place])), None)
        if other is None:
            return said
        header = self.headers[other]
        reason = Title(
            f"已填“{header}”而缺少{self.wanted}", f"{header} is filled in, and {self.wanted} is not"
        )
        hint = Title(
            f"请填写{self.wanted};未发生的请将“{header}”留空", f"the day, or an empty cell under {header}"
        )
        return Unreadable(Fault(reason, hint), as_text(said))

    def place(self, cells: Cells) -> int:
        if self.source is not None:
            return self.source.place(cells)
        return next((place for place in self.others if _says(cells[place])), self.others[0])


@dataclass(frozen=True, slots=True)
class Behind:
    """An amount of its own cells; where these say nothing, what stands behind the kinds: 罚款（1.5万元）.

    Where both say something they must say the same. What can't be read there is a fault of the kinds.

    :param places: of the kinds.
    """

    source: Source | None
    places: tuple[int, ...]

    def cell(self, cells: Cells) -> Cell:
        own, behind = self._own(cells), self._behind(cells)
        if behind is None or isinstance(own, Unreadable):
            return own
        if own is None or Decimal(str(own)) == behind:
            return str(behind)
        reason = Title(
            f"类别后的金额{behind:.2f}元与金额列的{Decimal(str(own)):.2f}元不同",
            f"behind the kind stands {behind:.2f} yuan, and {Decimal(str(own)):.2f} as the amount",
        )
        return Unreadable(Fault(reason, Title("请核对,金额只填一处", "one of them, the right one")), str(own))

    def place(self, cells: Cells) -> int:
        is_own = self.source is not None and (self._own(cells) is not None or self._behind(cells) is None)
        return self.source.place(cells) if is_own and self.source else self.places[0]

    def _own(self, cells: Cells) -> Cell:
        return self.source.cell(cells) if self.source else None

    def _behind(self, cells: Cells) -> Decimal | None:
        try:
            found = [amount_behind(as_text(cells[place])) for place in self.places]
        except CellError:
            return None
        return sum(filter(None, found), Decimal()) if any(one is not None for one in found) else None


@dataclass(frozen=True, slots=True)
class Part:
    """What one column says of a record's number.

    :param sources: where it may stand, each with what reads it; the first that says something counts.
    :param otherwise: what is said where none does.
    """

    sources: tuple[tuple[Source, Convert], ...]
    otherwise: str | None = None

    def says(self, cells: Cells) -> str | Fault | None:
        """The value in its one spelling, or why it can't be read."""
        values = (convert(source.cell(cells)) for source, convert in self.sources)
        said = (value for value in values if value is not None and value != REGISTRATION)
        value = next(said, self.otherwise)
        if value is None or isinstance(value, Fault):
            return value
        return no_key(fold(str(value))) or str(value)

    def place(self, cells: Cells) -> int:
        """The position of the cell that is meant."""
        return self.sources[0][0].place(cells) if self.sources else 0


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a record: its own, or what others say of it, authority and document, one after another.

    Which brackets somebody typed around the year makes no other document, nor do spaces.
    """

    own: First | None
    parts: tuple[Part, ...]

    def cell(self, cells: Cells) -> Cell:
        if self.own is not None and _says(self.own.cell(cells)):
            return self.own.cell(cells)
        said = [part.says(cells) for part in self.parts]
        wrong = next((Unreadable(value) for value in said if isinstance(value, Fault)), None)
        if wrong is not None or None in said:
            return wrong
        return " ".join(document(str(value)) for value in said)

    def place(self, cells: Cells) -> int:
        if self.own is not None and _says(self.own.cell(cells)):
            return self.own.place(cells)
        wrong = (part for part in self.parts if isinstance(part.says(cells), Fault))
        silent = (part for part in self.parts if part.says(cells) is None)
        return next(wrong, next(silent, self.parts[-1])).place(cells)


@dataclass(frozen=True, slots=True)
class Nothing:
    """A column that the file has not; another one is named in its place."""

    instead: int

    def cell(self, cells: Cells) -> Cell:
        return None

    def place(self, cells: Cells) -> int:
        return self.instead


def _says(cell: Cell) -> bool:
    return isinstance(cell, Unreadable) or not is_unknown(as_text(cell))
