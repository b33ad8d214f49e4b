"""The files that the store has taken: each enters in its turn, at a moment after that of all others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.characters.persons import without_persons
from scoring.facts.staging import TableName
from scoring.store.models import IngestedFile, last_ingest

Source = Literal["file", "api", "mark", "program", "undo"]


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What makes a file the same file.

    :param sha256: hex digest of its bytes, and of whatever else decides how it is read (its mapping); of a
        request that of what it says, by which repeats are told.
    :param name: as people know it, but for the number of a natural person.
    :param source: where it comes from.
    """

    sha256: str
    name: str
    source: Source = "file"

    def __post_init__(self) -> None:
        """Take persons' numbers out."""
        object.__setattr__(self, "name", without_persons(self.name, is_sure=True))


def new_file(
    session: Session, vocabulary_id: str, table: TableName, file: FileInfo, undoes: int | None = None
) -> IngestedFile:
    """Enter a file; its moment is after those of all others, even where the clock was set back.

    :param undoes: the file that it takes back.
    """
    now, last = dt.datetime.now(dt.UTC), last_ingest(session)
    if last is not None:
        now = max(now, last + dt.timedelta(microseconds=1))
    entry = IngestedFile(
        sha256=file.sha256,
        name=file.name,
        vocabulary=vocabulary_id,
        table=table,
        rows_good=0,
        rows_bad=0,
        ingested_at=now,
        source=file.source,
        undoes=undoes,
    )
    session.add(entry)
    session.flush()
    return entry


def wait_for_turn(session: Session) -> None:
    """Files are taken one by one, so that the moment at which one becomes known is after all earlier ones.

    In SQLite a writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE ingested_files IN SHARE ROW EXCLUSIVE MODE"))
