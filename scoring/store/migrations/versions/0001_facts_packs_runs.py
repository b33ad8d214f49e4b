"""Facts with their versions, packs, runs and results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0001"
down_revision = None

CURRENT = sa.text("known_until IS NULL")


def upgrade() -> None:
    """Make the first tables."""
    _ingested_files()
    _versions("subject_versions")
    _versions("record_versions", sa.Column("record_id", sa.String(), nullable=False))
    _version_indexes()
    _quarantine()
    _packs()
    _runs()
    _scores()
    _dimension_scores()
    _hits()


def _ingested_files() -> None:
    op.create_table(
        "ingested_files",
        sa.Column("id", BigId, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("table", sa.String(), nullable=False),
        sa.Column("rows_good", sa.Integer(), nullable=False),
        sa.Column("rows_bad", sa.Integer(), nullable=False),
        sa.Column("ingested_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ingested_files"),
        sa.UniqueConstraint(
            "sha256", "vocabulary", "table", name="uq_ingested_files_sha256_vocabulary_table"
        ),
    )
    op.create_index("ix_ingested_files_ingested_at", "ingested_files", ["ingested_at"])


def _versions(name: str, *columns: sa.Column[str]) -> None:
    op.create_table(
        name,
        sa.Column("id", BigId, nullable=False),
        *columns,
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("known_from", Moment(), nullable=False),
        sa.Column("known_until", Moment(), nullable=True),
        sa.Column("file_id", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(["file_id"], ["ingested_files.id"], name=f"fk_{name}_file_id"),
    )


def _version_indexes() -> None:
    for name, key in (("subject_versions", "subject_id"), ("record_versions", "record_id")):
        op.create_index(
            f"ix_{name}_vocabulary_{key}",
            name,
            ["vocabulary", key],
            unique=True,
            sqlite_where=CURRENT,
            postgresql_where=CURRENT,
        )
        op.create_index(
            f"ix_{name}_vocabulary_subject_id_known_from", name, ["vocabulary", "subject_id", "known_from"]
        )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", BigId, nullable=False),
        sa.Column("file_id", BigId, nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(), nullable=True),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.ForeignKeyConstraint(["file_id"], ["ingested_files.id"], name="fk_quarantine_file_id"),
    )
    op.create_index("ix_quarantine_file_id_row_no", "quarantine", ["file_id", "row_no"])


def _packs() -> None:
    op.create_table(
        "packs",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("vocabulary_source", sa.Text(), nullable=True),
        sa.Column("stored_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_packs"),
    )
    op.create_index("ix_packs_pack_id_version", "packs", ["pack_id", "version"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_at", Moment(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("published_at", Moment(), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("orphans", sa.Integer(), nullable=False),
        sa.Column("snapshot_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["pack_hash"], ["packs.hash"], name="fk_runs_pack_hash"),
    )
    op.create_index("ix_runs_pack_id_as_of", "runs", ["pack_id", "as_of"])


def _scores() -> None:
    op.create_table(
        "scores",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("veto", sa.String(), nullable=True),
        sa.Column("next_change_on", sa.Date(), nullable=True),
        sa.Column("inputs_known", sa.Integer(), nullable=False),
        sa.Column("inputs_total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "subject_id", name="pk_scores"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scores_run_id_tier_subject_id", "scores", ["run_id", "tier", "subject_id"])


def _dimension_scores() -> None:
    op.create_table(
        "dimension_scores",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("points_before", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "subject_id", "dimension", name="pk_dimension_scores"),
        sqlite_with_rowid=False,
    )


def _hits() -> None:
    op.create_table(
        "hits",
        sa.Column("run_id", BigId, nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=True),
        sa.Column("points_before", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("counts_from", sa.Date(), nullable=True),
        sa.Column("counts_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "subject_id", "no", name="pk_hits"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_hits_run_id_rule", "hits", ["run_id", "rule"])
