"""The same file may come again; contradictions of marks, twins, and files that take others back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0013"
down_revision = "0012"

_OPEN = sa.text("closed_at IS NULL")
_UNSETTLED = sa.text("outcome IS NULL")


def upgrade() -> None:
    """What is in the store already came from files, but for what the program itself put down."""
    _files()
    _contradictions()
    _twins()


def _files() -> None:
    with op.batch_alter_table("ingested_files") as files:
        files.drop_constraint("uq_ingested_files_sha256_vocabulary_table", type_="unique")
        files.add_column(sa.Column("source", sa.String(), nullable=False, server_default="file"))
        files.add_column(sa.Column("undoes", BigId, nullable=True))
        files.create_foreign_key("fk_ingested_files_undoes", "ingested_files", ["undoes"], ["id"])
        files.create_index("ix_ingested_files_vocabulary_table_id", ["vocabulary", "table", "id"])
    files_of = sa.table("ingested_files", *map(sa.column, ("name", "sha256", "source")))
    by_program = sa.func.length(files_of.c.sha256) == 32  # a random number, where a file has its SHA-256
    for source, names in (
        ("program", ["%"]),
        ("api", ["api: %"]),
        ("mark", ["objection: %", "decision: %", "repair: %"]),
    ):
        named = sa.or_(*(files_of.c.name.like(name) for name in names))
        op.execute(sa.update(files_of).where(by_program, named).values(source=source))


def _contradictions() -> None:
    op.create_table(
        "record_contradictions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("mark_id", BigId, nullable=False),
        sa.Column("claimed", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("file_id", BigId, nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["mark_id"], ["record_marks.id"], name="fk_record_contradictions_mark_id"),
        sa.ForeignKeyConstraint(["file_id"], ["ingested_files.id"], name="fk_record_contradictions_file_id"),
        sa.PrimaryKeyConstraint("id", name="pk_record_contradictions"),
    )
    op.create_index(
        "ix_record_contradictions_vocabulary_record_id",
        "record_contradictions",
        ["vocabulary", "record_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "ix_record_contradictions_open",
        "record_contradictions",
        ["vocabulary", "id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _twins() -> None:
    op.create_table(
        "record_twins",
        sa.Column("id", BigId, nullable=False),
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("first_id", sa.String(), nullable=False),
        sa.Column("second_id", sa.String(), nullable=False),
        sa.Column("found_at", Moment(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("kept", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_record_twins"),
    )
    op.create_index(
        "ix_record_twins_vocabulary_first_id_second_id",
        "record_twins",
        ["vocabulary", "first_id", "second_id"],
        unique=True,
    )
    op.create_index(
        "ix_record_twins_open",
        "record_twins",
        ["vocabulary", "id"],
        sqlite_where=_UNSETTLED,
        postgresql_where=_UNSETTLED,
    )
