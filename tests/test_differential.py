"""The engine against the reference: the same scores, hits and dates for any pack and any data."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import reference
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from strategies import Case, Data, cases
from timeline_cases import EXAMPLES as BY_EXAMPLE

from rules import plan
from rules.fault import PackError
from rules.language.evaluate import evaluate
from rules.language.expressions import Kind
from rules.library.loader import load_text
from rules.model import Pack, Table
from scoring.judging.engine import grade

EXAMPLES = int(os.environ.get("XINHENG_EXAMPLES", "120"))
LONG = EXAMPLES > 120
thorough = settings(
    max_examples=EXAMPLES,
    derandomize=not LONG,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
briefer = settings(thorough, max_examples=EXAMPLES // 2)

ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def load(case: Case) -> Pack:
    """The pack; a product that would not be exact is refused when it is loaded, and no case."""
    try:
        return load_text(case.pack, "random.yaml")
    except PackError as error:
        if not any(words in p.message for p in error.faults for words in INEXACT):
            raise
        assume(False)
        raise


def arrow(table: Table, rows: list[Data]) -> pa.Table:
    schema = pa.schema([(name, ARROW[column.declared]) for name, column in table.columns.items()])
    return pa.Table.from_pylist(rows, schema=schema)


MEASURES = "from measures order by subject_id"
INEXACT = ("would not be exact", "to multiply points by", "a ratio can use", "no exact sum")
Graded = dict[Any, reference.Score]


def graded(
    connection: duckdb.DuckDBPyConnection, pack: Pack, case: Case, day: dt.date
) -> tuple[Graded, dict[Any, dt.date | None]]:
    """The engine's results in the reference's form, and every subject's ``next_change_on``.

    Of the day alone, without those that follow, it says the same.
    """
    give(connection, pack, case)
    grade(connection, pack, day, ahead=False, measured=True)
    alone, measures = read(connection, pack), connection.execute(MEASURES).fetchall()
    grade(connection, pack, day, measured=True)
    scores, changes = read(connection, pack)
    assert alone == (scores, dict.fromkeys(scores))
    assert connection.execute(MEASURES).fetchall() == measures
    return scores, changes


def give(connection: duckdb.DuckDBPyConnection, pack: Pack, case: Case) -> None:
    """The case's subjects and records as tables."""
    records = pack.vocabulary.records
    assert records is not None
    connection.register("subjects", arrow(pack.vocabulary.subject, case.subjects))
    connection.register("records", arrow(records, case.records))


def read(connection: duckdb.DuckDBPyConnection, pack: Pack) -> tuple[Graded, dict[Any, dt.date | None]]:
    """What the engine has left, as :func:`graded` gives it."""
    found: dict[Any, list[reference.Hit]] = {}
    listed = "subject_id, rule, record_id, points_before, points, counts_from, counts_until"
    for key, rule, *rest in connection.execute(f"select {listed} from hits").fetchall():
        found.setdefault(key, []).append(reference.Hit(key, pack.rule(rule), *rest))
    dimensions: dict[Any, dict[str, tuple[int, int]]] = {}
    for key, name, before, points in connection.execute("from dimension_scores").fetchall():
        dimensions.setdefault(key, {})[name] = (before, points)
    listed = "subject_id, next_change_on, score, tier, band, veto, inputs_known, inputs_total"
    rows = connection.execute(f"select {listed} from scores").fetchall()
    scores = {
        key: reference.Score(*rest, dimensions.get(key, {}), in_order(found.get(key, [])))
        for key, _, *rest in rows
    }
    assert len(scores) == len(rows)
    return scores, {key: change for key, change, *_ in rows}


def in_order(hits: Any) -> tuple[reference.Hit, ...]:
    return tuple(sorted(hits, key=lambda hit: (hit.rule.id, str(hit.record))))


def expected(pack: Pack, case: Case, day: dt.date) -> Graded:
    scores = reference.grade(pack, day, case.subjects, case.records)
    return {key: replace(score, hits=in_order(score.hits)) for key, score in scores.items()}


@thorough
@given(case=cases())
def test_the_engine_gives_what_the_language_means(connection: duckdb.DuckDBPyConnection, case: Case) -> None:
    scores, _ = check(connection, case)
    event(f"hits: {min(5, sum(len(score.hits) for score in scores.values()))}")


@pytest.mark.parametrize("case", BY_EXAMPLE.values(), ids=BY_EXAMPLE)
def test_by_example(connection: duckdb.DuckDBPyConnection, case: Case) -> None:
    """From each day on which something changes to the next."""
    ahead = [case.as_of]
    while ahead:
        _, changes = check(connection, replace(case, as_of=ahead[0]))
        ahead = sorted(change for change in changes.values() if change)


def check(connection: duckdb.DuckDBPyConnection, case: Case) -> tuple[Graded, dict[Any, dt.date | None]]:
    """Hold the engine to the reference on the case's day and until the next change; what it gave."""
    pack = load(case)
    scores, changes = graded(connection, pack, case, case.as_of)
    right = expected(pack, case, case.as_of)
    assert scores == right
    days = turning_days(pack, case)
    for key, change in changes.items():
        assert change is None or change > case.as_of
        for day in days_before(change, days, case.as_of):
            assert expected(pack, case, day)[key] == right[key], f"{key!r} changes on {day}"
        assert change is None or change in days, f"nothing can change on {change}"
    return scores, changes


def days_before(change: dt.date | None, days: list[dt.date], as_of: dt.date) -> list[dt.date]:
    """Days on which nothing has changed yet, if ``change`` is not late: the last ones, and some between."""
    last = [reference.add_days(change, -1)] if change and change > reference.add_days(as_of, 1) else []
    ahead = [day for day in days if as_of < day and (change is None or day < change)]
    return sorted({*ahead[:2], *ahead[-2:], *ahead[:: max(1, len(ahead) // 4)], *last})


def turning_days(pack: Pack, case: Case) -> list[dt.date]:
    """All days on which something of the case could begin, decay a step or end."""
    days = {start for rule in pack.rules if rule.points for start, _ in rule.points.steps}
    days |= {pack.in_force_until} - {None}
    days |= set(_turns(pack, case, pack.measures, case.as_of))
    ahead = sorted(day for day in days if day > case.as_of) if _dates_move(pack) else []
    for day in [case.as_of, *ahead]:
        days |= set(_turns(pack, case, pack.rules, day))
    return sorted(day for day in days if day > case.as_of)


def _dates_move(pack: Pack) -> bool:
    """Whether rules begin or end with dates that measures give, which change on the measures' own days."""
    kinds = {measure.id: measure.type.kind for measure in pack.measures}
    return any(kinds.get(n.name) is Kind.DATE for rule in pack.rules for n in reference.read_by(rule))


def _turns(pack: Pack, case: Case, judged: Sequence[Any], day: dt.date) -> Iterator[dt.date]:
    """The dates that rules or measures begin, decay a step or end with, as they are known on a day."""
    subjects = reference.measured(pack, day, case.subjects, case.records)
    records = [reference.exact_row(record) for record in case.records]
    rows = [{**subjects.get(r[pack.vocabulary.record_subject], {}), **r} for r in records]
    for one, row in product(judged, [*rows, *subjects.values()]):
        condition = one.where if isinstance(one, reference.Measure) else one.when
        yield from _turns_of(one.window, condition.written, row, day)


def _turns_of(window: Any, condition: Any, row: Data, day: dt.date) -> Iterator[dt.date]:
    if window is not None and (start := reference.value(window.start, row, day)) is not None:
        yield start
        yield from reference.ends_of(window, row, day)
        yield from (reference.add_months(start, step.months) for step in window.decay)
    for term in reference.conjuncts(condition):
        if isinstance(term, reference.Compare) and reference.reads_as_of(term):
            for side in (term.left, term.right):
                if (limit := reference.value(side, row, day)) is not None:
                    yield limit
                    yield reference.add_days(limit, 1)


@briefer
@given(case=cases())
def test_conditions_judged_one_by_one_mean_the_same(case: Case) -> None:
    pack = load(case)
    subjects = {subject[pack.vocabulary.subject.key]: subject for subject in case.subjects}
    rows = [{**subjects.get(r[pack.vocabulary.record_subject], {}), **r} for r in case.records]
    for rule in pack.rules:
        for row in rows:
            assert evaluate(rule.when.written, row, case.as_of) == reference.value(
                rule.when.written, reference.exact_row(row), case.as_of
            )


@briefer
@given(case=cases(), data=st.data())
def test_no_order_changes_anything(
    connection: duckdb.DuckDBPyConnection, case: Case, data: st.DataObject
) -> None:
    pack = load(case)
    shuffled = replace(
        case,
        subjects=data.draw(st.permutations(case.subjects)),
        records=data.draw(st.permutations(case.records)),
    )
    other = replace(pack, rules=tuple(data.draw(st.permutations(pack.rules))))
    assert graded(connection, other, shuffled, case.as_of) == graded(connection, pack, case, case.as_of)


@pytest.mark.parametrize("crowded", [0, 1])
def test_how_rules_share_joins_changes_nothing(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, crowded: int
) -> None:
    @settings(briefer, max_examples=EXAMPLES // 4)
    @given(case=cases())
    def holds(case: Case) -> None:
        pack = load(case)
        monkeypatch.setattr(plan, "CROWDED", 24)
        together = graded(connection, pack, case, case.as_of)
        monkeypatch.setattr(plan, "CROWDED", crowded)
        assert graded(connection, pack, case, case.as_of) == together

    holds()
