"""What is noted of a file's rows, in the quarantine: what kept some out, and what is odd about others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scoring.characters.persons import without_persons
from scoring.facts.merging import AUTHORITY
from scoring.store import bulk
from scoring.store.base import table_of
from scoring.store.batches import BATCH_ROWS
from scoring.store.inside import ValueIn
from scoring.store.models import Quarantined

Level = Literal["error", "warning"]
"""An error keeps its row out of the store; a row with warnings alone is taken."""
CHECK_SHOWN = 1_000
"""Of what a check finds wrong, at most so much is said."""

QUARANTINE = pa.schema(
    [("file_id", pa.int64()), ("row_no", pa.int64())]
    + [(name, pa.string()) for name in ("column", "value", "reason", "level", "sheet", "authority")]
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing that kept a row out, or that is odd about a row that was taken. A row may have several.

    :param column: as headed in the file; None where the whole row is meant.
    :param value: as it stands in the file.
    :param level: ``warning`` where the row was taken.
    :param sheet: of the workbook, in which ``row_no`` counts.
    :param authority: whose record the row speaks of, as far as it says so.

    Whatever is said of a row goes through here, and no number of a natural person does.
    """

    row_no: int
    column: str | None
    value: str | None
    reason: str
    level: Level = "error"
    sheet: str | None = None
    authority: str | None = None

    def __post_init__(self) -> None:
        """Take persons' numbers out."""
        for name in ("column", "value", "reason", "authority"):
            said = getattr(self, name)
            if said is not None:
                object.__setattr__(self, name, without_persons(said))


def note(connection: sa.Connection, file_id: int, faults: Iterable[Rejected]) -> None:
    """Put faults of a file's rows into the quarantine."""
    bulk.append(connection, table_of(Quarantined), _batches(file_id, faults))


def _batches(file_id: int, faults: Iterable[Rejected]) -> Iterator[pa.RecordBatch]:
    names = [name for name in QUARANTINE.names if name != "file_id"]
    waiting = map(attrgetter(*names), faults)
    while some := list(islice(waiting, BATCH_ROWS)):
        columns = dict(zip(names, zip(*some, strict=True), strict=True))
        yield pa.RecordBatch.from_pydict({"file_id": [file_id] * len(some), **columns}, QUARANTINE)


def noted_rows(session: Session, file_id: int, level: Level | None = None) -> Iterator[Rejected]:
    """What kept rows of a file out, and what is odd about others, by row; one of the two where it is said."""
    query = (
        sa.select(Quarantined)
        .filter_by(file_id=file_id, **({"level": level} if level else {}))
        .order_by(Quarantined.sheet, Quarantined.row_no, Quarantined.id)
    )
    for row in session.scalars(query.execution_options(yield_per=1_000)):
        yield Rejected(
            row.row_no,
            row.column,
            row.value,
            row.reason,
            row.level,  # type: ignore[arg-type]
            row.sheet,
            row.authority,
        )


def first_noted(session: Session, file_id: int) -> tuple[Rejected, ...]:
    """The first of them, of both levels."""
    return tuple(islice(noted_rows(session, file_id), CHECK_SHOWN))


def count_noted(connection: sa.Connection, file_id: int, level: Level) -> int:
    """The rows of a file that have an error, or those that were taken with a warning."""
    worst = sa.func.min(Quarantined.level)  # by the alphabet, an error comes before a warning
    rows = sa.select(worst).filter_by(file_id=file_id).group_by(Quarantined.sheet, Quarantined.row_no)
    noted = rows.having(worst == level).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(noted)) or 0


def fault_bad_rows(connection: sa.Connection, file_id: int) -> None:
    """What is odd about a row that is set aside is one of its faults: the row was not taken."""
    row, other = aliased(Quarantined), aliased(Quarantined)
    same = sa.and_(other.row_no == row.row_no, other.sheet.is_not_distinct_from(row.sheet))
    is_bad = sa.exists().where(other.file_id == file_id, same, other.level == "error")
    odd = sa.select(row.id).where(row.file_id == file_id, row.level == "warning", is_bad)
    connection.execute(sa.update(Quarantined).where(Quarantined.id.in_(odd)).values(level="error"))


def as_lacks(lacks: Iterable[Rejected]) -> str | None:
    """What a row lacks, as the column ``lacks`` of the rows of a file; None where it is nothing."""
    return json.dumps([(lack.column, lack.value, lack.reason) for lack in lacks]) if lacks else None


def whose(document: Any) -> ValueIn:
    """Whose record a staged row speaks of."""
    return ValueIn(document, AUTHORITY)
