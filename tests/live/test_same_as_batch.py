"""Live grades, the batch and the reference: the same hits and grades for any pack and any data."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import duckdb
import reference
from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import Case, cases
from test_differential import EXAMPLES, connection, expected, graded, in_order, load, thorough

from rules.loader import installed_packs
from rules.model import Pack
from scoring.live.conditions import DURABLE, engine_of
from scoring.live.grade import Grader, LiveGrade
from scoring.live.supervisor import Engine

__all__ = ["connection"]


def live(grader: Grader, case: Case) -> dict[Any, reference.Score]:
    """Every subject's live grade, in the reference's form."""
    vocabulary, day = grader.pack.vocabulary, grader.day(case.as_of)
    found = {}
    for subject in case.subjects:
        key = subject[vocabulary.subject.key]
        values = day.measures.among(str(key), case.subjects, case.records)
        own = [record for record in case.records if record[vocabulary.record_subject] == key]
        known = {**subject, **values}
        found[key] = as_score(key, grader.grade(day, known, grader.judged(known, own)))
    return found


def as_score(key: Any, grade: LiveGrade) -> reference.Score:
    hits = [reference.Hit(key, *(getattr(hit, f.name) for f in fields(hit))) for hit in grade.hits]
    known = (getattr(grade, f.name) for f in fields(grade) if f.name not in ("dimensions", "hits"))
    return reference.Score(*known, grade.dimensions, in_order(hits))


@settings(thorough, max_examples=max(25, EXAMPLES // 4))
@given(case=cases(), data=st.data())
def test_live_grades_are_those_of_the_batch_and_of_the_language(
    connection: duckdb.DuckDBPyConnection, durable: Engine, case: Case, data: st.DataObject
) -> None:
    pack = load(case)
    right = expected(pack, case, case.as_of)
    batch, _ = graded(connection, pack, case, case.as_of)
    assert batch == right
    arrived = Case(case.pack, case.as_of, case.subjects, data.draw(st.permutations(case.records)))
    assert live(Grader(pack, durable), arrived) == right
    engines = {engine for engine, _ in engine_of(pack).values()}
    event(f"judged by {', '.join(sorted(engines))}, hits: {min(3, sum(len(s.hits) for s in right.values()))}")


def test_durable_rules_takes_all_rules_of_the_installed_packs() -> None:
    left = {pack.id: _left(pack) for pack in installed_packs()}
    assert {pack_id: reasons for pack_id, reasons in left.items() if reasons} == {}


def _left(pack: Pack) -> dict[str, str]:
    return {name: reason for name, (engine, reason) in engine_of(pack).items() if engine != DURABLE}
