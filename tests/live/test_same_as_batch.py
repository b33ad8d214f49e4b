"""Live grades, the batch and the reference: the same hits and grades for any pack and any data.

And durable_rules, which knows nothing of how the rest is judged, finds each condition true where Python does.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import reference
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from strategies import Case, cases
from test_differential import EXAMPLES, connection, expected, graded, load, thorough
from test_timeline import one_by_one, score_on

from rules.identity import identity
from rules.language.evaluate import compiled
from rules.language.expressions import Level
from rules.library.loader import in_force, installed_packs
from rules.model import Pack
from scoring.judging import one
from scoring.judging.period import Period
from scoring.live.conditions import DURABLE, Conditions, conditions_of, engine_of
from scoring.live.supervisor import Engine

__all__ = ["connection"]


def gradable(pack: Pack, day: dt.date) -> bool:
    """Whether there are live grades of a day."""
    return in_force(pack, day) and day < dt.date.max


def live(pack: Pack, case: Case) -> dict[Any, reference.Score | None]:
    """Every subject's live grade, in the reference's form."""
    timelines = one_by_one(pack, Period.of(case.as_of), case.subjects, case.records)
    return {key: score_on(pack, key, timeline, case.as_of) for key, timeline in timelines.items()}


@settings(thorough, max_examples=max(25, EXAMPLES // 4))
@given(case=cases(), data=st.data())
def test_live_grades_are_those_of_the_batch_and_of_the_language(
    connection: duckdb.DuckDBPyConnection, case: Case, data: st.DataObject
) -> None:
    pack = load(case)
    assume(gradable(pack, case.as_of))
    right = expected(pack, case, case.as_of)
    batch, _ = graded(connection, pack, case, case.as_of)
    assert batch == right
    arrived = Case(case.pack, case.as_of, case.subjects, data.draw(st.permutations(case.records)))
    assert live(pack, arrived) == right
    event(f"hits: {min(3, sum(len(s.hits) for s in right.values()))}")


@settings(thorough, max_examples=max(25, EXAMPLES // 4))
@given(case=cases())
def test_durable_rules_finds_every_condition_true_where_python_does(durable: Engine, case: Case) -> None:
    pack = load(case)
    key, link, judge = pack.vocabulary.subject.key, pack.vocabulary.record_subject, one.Judge(pack)
    people = {}
    for subject in case.subjects:
        own = [record for record in case.records if record[link] == subject[key]]
        people[subject[key]] = {**subject, **judge.values(subject, own, case.as_of)}
    records = [{**record, **people.get(record[link], {})} for record in case.records]
    for level, rows in ((Level.RECORD, records), (Level.SUBJECT, list(people.values()))):
        asked = [condition for condition in conditions_of(pack) if condition.level is level]
        right = [frozenset(c.id for c in asked if compiled(c.when)(row) is True) for row in rows]
        assert Conditions(f"{identity(pack)[:16]}.{level}", asked, durable).met(rows) == right
    engines = {engine for engine, _ in engine_of(pack).values()}
    event(f"judged by {', '.join(sorted(engines))}")


def test_durable_rules_takes_all_rules_of_the_installed_packs() -> None:
    left = {pack.id: _left(pack) for pack in installed_packs()}
    assert {pack_id: reasons for pack_id, reasons in left.items() if reasons} == {}


def _left(pack: Pack) -> dict[str, str]:
    return {name: reason for name, (engine, reason) in engine_of(pack).items() if engine != DURABLE}
