"""Keys, the audit log, kept answers, run jobs and marks on records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0002"
down_revision = "0001"

GENESIS = "0" * 64


def upgrade() -> None:
    """Make the tables, and have the database refuse changes of the audit log."""
    _api_keys()
    _audit()
    _append_only()
    _kept_answers()
    _run_jobs()
    _record_marks()


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("prefix", name="pk_api_keys"),
    )


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("seq", BigId, autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_subject_id_seq", "audit_entries", ["subject_id", "seq"])
    op.create_index("ix_audit_entries_actor_seq", "audit_entries", ["actor", "seq"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", BigId, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": GENESIS}])


def _append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit_entries "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _kept_answers() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("api_key", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("kept_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("api_key", "idempotency_key", name="pk_kept_answers"),
    )
    op.create_index("ix_kept_answers_kept_at", "kept_answers", ["kept_at"])


def _run_jobs() -> None:
    op.create_table(
        "run_jobs",
        sa.Column("id", BigId, nullable=False),
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("run_id", BigId, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", Moment(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_run_jobs"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_jobs_run_id"),
    )


def _record_marks() -> None:
    op.create_table(
        "record_marks",
        sa.Column("id", BigId, nullable=False),
        sa.Column("vocabulary", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status_before", sa.String(), nullable=False),
        sa.Column("status_after", sa.String(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_record_marks"),
    )
    for key in ("subject_id", "record_id"):
        op.create_index(f"ix_record_marks_vocabulary_{key}_id", "record_marks", ["vocabulary", key, "id"])
