"""Whose rows a file held, and how they came; of files from before as far as their records still say it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict

import sqlalchemy as sa
from alembic import op

from rules.calendar import SHANGHAI
from scoring.facts.feeding import is_late

revision = "0018"
down_revision = "0017"

_COUNTS = ("taken", "refused", "late", "backlog", "corrected", "contradicted")


def upgrade() -> None:
    """Make the table, whose a refused row is, the sheets of rows, and indexes by file; then fill them."""
    op.create_table(
        "feeds",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.ForeignKeyConstraint(["file_id"], ["ingested_files.id"], name="fk_feeds_file_id_ingested_files"),
        sa.PrimaryKeyConstraint("file_id", "authority", name="pk_feeds"),
    )
    op.create_index("ix_feeds_authority_came_on", "feeds", ["authority", "came_on"])
    op.create_index("ix_feeds_came_on", "feeds", ["came_on"])
    op.add_column("quarantine", sa.Column("authority", sa.String(), nullable=True))
    for table in ("subject_versions", "record_versions", "record_contradictions"):
        op.add_column(table, sa.Column("sheet", sa.String(), nullable=True))
    op.create_index("ix_record_versions_file_id", "record_versions", ["file_id"])
    op.create_index("ix_record_contradictions_file_id", "record_contradictions", ["file_id"])
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """The rows of each file by authority: those that made a version, and those that were refused."""
    counts: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    days: dict[int, dt.date] = {}
    began: dict[str, dt.date] = {}
    for file_id, came_at, authority, decided, is_new, rows in connection.execute(_rows(connection)):
        day = days[file_id] = _shanghai(came_at)
        first = began.setdefault(authority, day)
        found = counts[file_id, authority]
        found["taken"] += rows
        if is_new and decided and is_late(dt.date.fromisoformat(decided), day):
            found["late"] += rows
            found["backlog"] += rows if dt.date.fromisoformat(decided) < first else 0
    alone = Counter(file_id for file_id, _ in counts)
    for file_id, authority in counts:
        if alone[file_id] == 1:
            counts[file_id, authority]["refused"] = _attribute(connection, file_id, authority)
    _take_back(connection, counts, days)
    table = sa.table("feeds", *(sa.column(name) for name in ("file_id", "authority", *_COUNTS)))
    table.append_column(sa.column("came_on", sa.Date))
    rows_of = [
        {"file_id": file_id, "authority": authority, "came_on": days[file_id]}
        | {name: found[name] for name in _COUNTS}
        for (file_id, authority), found in counts.items()
    ]
    if rows_of:
        connection.execute(sa.insert(table), rows_of)


def _take_back(
    connection: sa.Connection, counts: dict[tuple[int, str], Counter[str]], days: dict[int, dt.date]
) -> None:
    """The numbers of undoings: those of the file that each took back, less than none."""
    undoings = sa.text("SELECT id, undoes FROM ingested_files WHERE undoes IS NOT NULL ORDER BY id")
    for undoing, file in connection.execute(undoings).all():
        for (file_id, authority), found in list(counts.items()):
            if file_id == file:
                counts[undoing, authority] = Counter({name: -rows for name, rows in found.items()})
                days[undoing] = days[file]


def _rows(connection: sa.Connection) -> sa.TextClause:
    is_postgresql = connection.dialect.name == "postgresql"
    value = "v.data::json ->> '{}'" if is_postgresql else "json_extract(v.data, '$.\"{}\"')"
    return sa.text(
        f"""
        SELECT file_id, ingested_at, authority, decided, is_new, count(*)
        FROM (
            SELECT v.file_id, f.ingested_at, {value.format("authority")} AS authority,
                {value.format("occurred_on")} AS decided,
                CASE WHEN EXISTS (
                    SELECT 1 FROM record_versions p WHERE p.vocabulary = v.vocabulary
                    AND p.record_id = v.record_id AND p.known_until = v.known_from
                ) THEN 0 ELSE 1 END AS is_new
            FROM record_versions v JOIN ingested_files f ON f.id = v.file_id
            WHERE f.source IN ('file', 'api') AND v.known_from = f.ingested_at
        ) rows_of
        WHERE authority IS NOT NULL
        GROUP BY file_id, ingested_at, authority, decided, is_new ORDER BY file_id
        """  # the names are this file's own
    )


def _attribute(connection: sa.Connection, file_id: int, authority: str) -> int:
    """Say of the refused rows of a file of one authority that they are its own; how many they are."""
    of_file = {"file_id": file_id, "authority": authority}
    refused = "file_id = :file_id AND level = 'error'"
    connection.execute(
        sa.text(f"UPDATE quarantine SET authority = :authority WHERE {refused}"),
        of_file,
    )
    rows = f"SELECT DISTINCT sheet, row_no FROM quarantine WHERE {refused}"
    return int(connection.scalar(sa.text(f"SELECT count(*) FROM ({rows}) AS refused"), of_file) or 0)


def _shanghai(moment: dt.datetime | str) -> dt.date:
    """The day of a moment in UTC, which SQLite gives as text."""
    found = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(SHANGHAI).date()
