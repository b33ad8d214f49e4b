"""The department pack on bodies of the sample district: engine and plain-Python scorer agree."""

from __future__ import annotations

import datetime as dt

import duckdb
import reference

from fixtures.department.build import department_sheets
from rules.model import Pack
from scoring.judging.engine import grade

from .district import fill

AS_OF = dt.date(2026, 7, 31)
BODIES = {"DW131", "DW210", "DW222", "DW402", "DW505"}
"""Merged, last two years running, tied, with too few answers, third from last of the year before."""


def test_engine_and_reference_agree_on_the_sample_district(department: Pack) -> None:
    register, *books = department_sheets(7, ["91500159MALHQAY57U"])
    subjects = [row for row in register.rows if row["subject_id"] in BODIES]
    records = [row for book in books for row in book.rows if row["subject_id"] in BODIES]
    expected = reference.grade(department, AS_OF, subjects, records)
    with duckdb.connect() as duck:
        fill(duck, "subjects", department.vocabulary.subject, subjects)
        assert department.vocabulary.records is not None
        fill(duck, "records", department.vocabulary.records, records)
        grade(duck, department, AS_OF)
        scores = duck.execute(
            "select subject_id, score, tier, band, veto, inputs_known, inputs_total from scores"
        ).fetchall()
        hits = duck.execute("select subject_id, rule, record_id, points_before, points from hits").fetchall()
    assert sorted(scores) == sorted(
        (body, s.score, s.tier, s.band, s.veto, s.inputs_known, s.inputs_total)
        for body, s in expected.items()
    )
    wanted = [(h.subject, h.rule.id, h.record, h.before, h.points) for s in expected.values() for h in s.hits]
    assert sorted(hits, key=str) == sorted(wanted, key=str)
