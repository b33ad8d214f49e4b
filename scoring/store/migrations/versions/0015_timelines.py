"""Results as versions of timelines. What earlier runs said stays readable, of their days."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from scoring.store.base import BigId, Moment

revision = "0015"
down_revision = "0014"

_DAY = {
    "sqlite": "CAST(julianday({}) - 2440587.5 AS INTEGER)",
    "postgresql": "({} - DATE '1970-01-01')",
}
"""A date as days since 1970."""


def upgrade() -> None:
    """Make the tables, say in them what the old ones say, and drop these."""
    _runs()
    _terms()
    _numbers()
    _said()
    day = _DAY[op.get_bind().dialect.name].format
    for statement in (_SUBJECTS, _RULES, *(text.format(**_days(day)) for text in (_GRADED, _LEFT))):
        op.execute(statement)
    for statement in (_SEGMENTS, _SPANS):
        op.execute(statement.format(**_days(day)))
    for table in ("hits", "dimension_scores", "scores"):
        op.drop_table(table)


def _days(day: object) -> dict[str, str]:
    names = ("r.as_of", "o.next_change_on", "h.counts_from", "h.counts_until")
    return {name.split(".")[1]: day(name) for name in names}  # type: ignore[operator]


_SUBJECTS = """
    INSERT INTO graded_subjects (pack_id, subject_id)
    SELECT DISTINCT r.pack_id, o.subject_id FROM scores o JOIN runs r ON r.id = o.run_id ORDER BY 1, 2"""

_RULES = """
    INSERT INTO graded_rules (pack_id, rule)
    SELECT DISTINCT r.pack_id, h.rule FROM hits h JOIN runs r ON r.id = h.run_id ORDER BY 1, 2"""

_GRADED = """
    INSERT INTO touches (subject, run, from_day)
    SELECT s.number, r.id, {as_of} FROM scores o JOIN runs r ON r.id = o.run_id
    JOIN graded_subjects s ON s.pack_id = r.pack_id AND s.subject_id = o.subject_id
    ORDER BY 1, 2"""

_LEFT = """
    INSERT INTO touches (subject, run, from_day)
    SELECT s.number, r.id, {as_of} FROM runs r JOIN graded_subjects s ON s.pack_id = r.pack_id
    LEFT JOIN scores o ON o.run_id = r.id AND o.subject_id = s.subject_id
    WHERE o.run_id IS NULL
    AND EXISTS (SELECT 1 FROM touches t WHERE t.subject = s.number AND t.run < r.id)"""
"""Those whom an earlier run graded and a later one did not."""

_SEGMENTS = """
    INSERT INTO segments (subject, run, begins, ends, score, tier, band, veto, known, total)
    SELECT s.number, r.id, {as_of}, {next_change_on}, o.score, o.tier, o.band, o.veto, o.inputs_known,
        o.inputs_total
    FROM scores o JOIN runs r ON r.id = o.run_id
    JOIN graded_subjects s ON s.pack_id = r.pack_id AND s.subject_id = o.subject_id
    ORDER BY 1, 2"""
"""A run said until when nothing changes: that long its word holds, and no longer."""

_SPANS = """
    INSERT INTO spans (subject, run, no, rule, record_id, begins, ends, points, counts_from, counts_until)
    SELECT s.number, r.id, h.no, n.number, h.record_id, {as_of}, {next_change_on}, h.points_before,
        {counts_from}, {counts_until}
    FROM hits h JOIN runs r ON r.id = h.run_id
    JOIN scores o ON o.run_id = h.run_id AND o.subject_id = h.subject_id
    JOIN graded_subjects s ON s.pack_id = r.pack_id AND s.subject_id = h.subject_id
    JOIN graded_rules n ON n.pack_id = r.pack_id AND n.rule = h.rule
    ORDER BY 1, 2, 3"""


def _runs() -> None:
    for column in (
        sa.Column("subjects_print", sa.String(), nullable=True),
        sa.Column("records_print", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False, server_default="day"),
        sa.Column("base", BigId, nullable=True),
        sa.Column("touched", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("terms_no", sa.Integer(), nullable=True),
        sa.Column("program", sa.String(), nullable=True),
    ):
        op.add_column("runs", column)


def _terms() -> None:
    op.create_table(
        "terms",
        sa.Column("pack_id", sa.String(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("pack_hash", sa.String(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pack_id", "no", "begins", name="pk_terms"),
        sa.ForeignKeyConstraint(["pack_hash"], ["packs.hash"], name="fk_terms_pack_hash"),
    )


def _numbers() -> None:
    for table, name in (("graded_subjects", "subject_id"), ("graded_rules", "rule")):
        op.create_table(
            table,
            sa.Column("number", sa.Integer(), nullable=False),
            sa.Column("pack_id", sa.String(), nullable=False),
            sa.Column(name, sa.String(), nullable=False),
            sa.PrimaryKeyConstraint("number", name=f"pk_{table}"),
        )
        op.create_index(f"ix_{table}_pack_id_{name}", table, ["pack_id", name], unique=True)


def _said() -> None:
    """What runs say of subjects, by subject and run; and how many have each tier."""
    _keyed("touches", _key("subject"), _key("run"), _number("from_day"))
    _keyed(
        "segments",
        *(_key(name) for name in ("subject", "run", "begins")),
        _number("ends", True),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("veto", sa.String(), nullable=True),
        _number("known"),
        _number("total"),
    )
    _keyed(
        "spans",
        *(_key(name) for name in ("subject", "run", "no")),
        _number("rule"),
        sa.Column("record_id", sa.String(), nullable=True),
        _number("begins"),
        _number("ends", True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        _number("counts_from", True),
        _number("counts_until", True),
    )
    tier = sa.Column("tier", sa.String(), nullable=False, primary_key=True)
    _keyed("tallies", _key("run"), _key("begins"), tier, _number("delta"))


def _key(name: str) -> sa.Column[int]:
    kind = BigId if name == "run" else sa.Integer()
    return sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _number(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _keyed(table: str, *columns: sa.Column[Any]) -> None:
    """A table that SQLite keeps by its key."""
    op.create_table(table, *columns, sqlite_with_rowid=False)
