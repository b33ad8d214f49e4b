"""Conditions judged in Python mean what they mean in DuckDB, and a day's terms what the window says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import CODES, DAYS, RECORD_COLUMNS, Names, conditions, dates, days, numbers, row

from rules.calendar import add_days, add_months
from rules.language.evaluate import Counting, evaluate
from rules.language.expressions import BOOLEAN, DATE, DECIMAL, INTEGER, TEXT, Expression, Kind, Level, Name
from rules.language.parse import ConditionError, Scope, parse_condition, parse_expression
from rules.language.time_terms import take_time_out
from rules.model import Window
from rules.titles import Title
from scoring.judging.sql import DUCKDB_MACROS, quoted, sql_type, to_sql

TYPES = {"text": TEXT, "integer": INTEGER, "decimal": DECIMAL, "date": DATE, "boolean": BOOLEAN}
ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 4),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
SCOPE = Scope(
    {name: Name(name, Level.RECORD, TYPES[kind]) for name, kind in RECORD_COLUMNS.items()},
    {"kind": {code: Title(code, code) for code in CODES}},
)
NAMES = Names(RECORD_COLUMNS)
AS_OF = dt.date(2025, 1, 31)
often = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
rows = st.lists(row(RECORD_COLUMNS), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        for macro in DUCKDB_MACROS:
            connection.execute(macro)
        yield connection


def parsed(text: str) -> Expression:
    """The expression; one that would not be exact is refused when it is loaded, and no case."""
    try:
        return parse_expression(text, SCOPE)
    except ConditionError:
        assume(False)
        raise


def in_duckdb(duck: duckdb.DuckDBPyConnection, node: Expression, data: list[dict[str, Any]]) -> list[Any]:
    columns = ", ".join(f"{quoted(name)} {sql_type(TYPES[kind])}" for name, kind in RECORD_COLUMNS.items())
    duck.execute(f"create or replace table data (n integer, {columns})")
    table = {name: pa.array([r[name] for r in data], ARROW[kind]) for name, kind in RECORD_COLUMNS.items()}
    duck.register("given", pa.table({"n": pa.array(range(len(data)), pa.int32()), **table}))
    duck.execute("insert into data from given")
    return [value for (value,) in duck.execute(f"select {to_sql(node)} from data order by n").fetchall()]


@often
@given(conditions(NAMES, timed=False, depth=3), rows)
def test_a_condition_is_true_false_or_unknown_as_in_duckdb(
    duck: duckdb.DuckDBPyConnection, text: str, data: list[dict[str, Any]]
) -> None:
    node = parsed(text)
    assert [evaluate(node, r, AS_OF) for r in data] == in_duckdb(duck, node, data)


@often
@given(st.one_of(numbers(NAMES), dates(NAMES)), rows)
def test_numbers_and_dates_are_those_of_duckdb(
    duck: duckdb.DuckDBPyConnection, text: str, data: list[dict[str, Any]]
) -> None:
    node = parsed(text)
    assume(node.type.kind is not Kind.NUMBER or node.type.whole + node.type.scale <= 38)
    assert [evaluate(node, r, AS_OF) for r in data] == in_duckdb(duck, node, data)


@often
@given(conditions(NAMES, timed=True), row(RECORD_COLUMNS), st.sampled_from(DAYS))
def test_a_term_about_the_day_is_true_within_its_bounds(
    text: str, data: dict[str, Any], day: dt.date
) -> None:
    node = parsed(text)
    timed = take_time_out(node)
    begins = [evaluate(date, data, day) for date in timed.begins]
    ends = [evaluate(date, data, day) for date in timed.ends]
    assume(dt.date.max not in [*begins, *ends])  # the day after the calendar's last is no day
    counts = all(b is not None and b <= day for b in begins) and all(e is not None and day < e for e in ends)
    assert (evaluate(node, data, day) is True) == (evaluate(timed.condition, data, day) is True and counts)


def test_unknown_is_neither_true_nor_false() -> None:
    def judged(text: str, **values: Any) -> Any:
        return evaluate(parse_condition(text, SCOPE), values, AS_OF)

    assert judged("amount > 1") is None
    assert judged("not amount > 1") is None
    assert judged("amount > 1 and days > 1", days=0) is False
    assert judged("amount > 1 or days > 1", days=2) is True
    assert judged("amount in (1, 2)") is None
    assert judged("amount is null") is True
    assert judged("coalesce(amount, 5) > 1") is True
    assert judged("least(amount, days) = 3", days=3) is True


def test_an_unknown_name_of_a_row_is_an_unknown_value() -> None:
    assert evaluate(parse_condition("note like 'a%'", SCOPE), {}, AS_OF) is None


@given(days(), st.integers(1, 24), st.one_of(st.none(), days()))
@settings(derandomize=True, database=None)
def test_a_window_ends_with_the_earliest_of_its_ends(
    start: dt.date, months: int, until: dt.date | None
) -> None:
    window = Window(
        parse_expression("happened_on", SCOPE),
        months=months,
        days=30,
        until=parse_expression("stops_on", SCOPE),
    )
    counting = Counting.of(window)
    found = counting.on({"happened_on": start, "stops_on": until})
    assert found is not None
    assert found.start == found.first == start
    assert found.until == min([add_months(start, months), add_days(start, 30), *([until] if until else [])])
    assert counting.on({"happened_on": None, "stops_on": until}) is None


@pytest.mark.parametrize(
    ("day", "months", "moved"),
    [
        ("0001-01-31", -1, "0001-01-01"),
        ("0001-02-28", -1, "0001-01-28"),
        ("0001-12-31", -12, "0001-01-01"),
        ("0002-01-15", -12, "0001-01-15"),
        ("9999-12-01", 1, "9999-12-31"),
        ("9999-11-30", 1, "9999-12-30"),
        ("9998-12-01", 13, "9999-12-31"),
    ],
)
def test_a_window_ends_where_the_calendar_does(day: str, months: int, moved: str) -> None:
    assert add_months(dt.date.fromisoformat(day), months).isoformat() == moved
