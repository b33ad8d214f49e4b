"""Problems and what was done about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables, and have the database refuse changes of steps."""
    _problems()
    _steps()
    _append_only()


def _problems() -> None:
    op.create_table(
        "problems",
        sa.Column("id", BigId, nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("counterpart", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("urgency", sa.String(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_problems"),
        sa.UniqueConstraint("number", name="uq_problems_number"),
    )
    op.create_index("ix_problems_owner_id", "problems", ["owner", "id"])
    op.create_index("ix_problems_stage_due_on", "problems", ["stage", "due_on"])


def _steps() -> None:
    op.create_table(
        "problem_steps",
        sa.Column("problem_id", BigId, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("move", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("urgency", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["problem_id"], ["problems.id"], name="fk_problem_steps_problem_id"),
        sa.PrimaryKeyConstraint("problem_id", "no", name="pk_problem_steps"),
    )


def _append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION problem_steps_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the steps of problems are append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER problem_steps_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON problem_steps "
            "FOR EACH STATEMENT EXECUTE FUNCTION problem_steps_append_only()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER problem_steps_no_{change.lower()} BEFORE {change} ON problem_steps "
            "BEGIN SELECT RAISE(ABORT, 'the steps of problems are append-only'); END"
        )
