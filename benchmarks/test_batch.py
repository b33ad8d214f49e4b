"""The batch beside the scan of its data and the best query by hand, with 40, 400 and 4,000 rules."""

from __future__ import annotations

import duckdb
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import handwritten
from benchmarks.data import Data
from benchmarks.judging import steps_of_a_grade, whole_grade
from benchmarks.ledger import Beside, Ledger, Step
from benchmarks.rulesets import AS_OF, pack_of, rule_set
from scoring.judging.engine import grade

SCAN = """
    select sum(strlen(kind)), sum(strlen(severity)), sum(strlen(status)), sum(amount), max(occurred_on),
           sum(subject_id), sum(record_id)
    from records
"""


def test_forty_rules_cost_little_more_than_the_scan_and_the_query_by_hand(
    benchmark: BenchmarkFixture, ledger: Ledger, connection: duckdb.DuckDBPyConnection, data: Data
) -> None:
    rules = rule_set(40)
    pack = pack_of(rules)
    count = data.record_count
    beside = [
        Beside("batch / scan of its columns", lambda: connection.execute(SCAN).fetchall(), count, "≤ 3"),
        Beside("batch / by hand, scores alone", lambda: handwritten.scores_only(connection, rules), count),
        Beside("batch / by hand", lambda: handwritten.everything(connection, rules), count, "≤ 1.2"),
    ]
    ledger.measure(benchmark, lambda: grade(connection, pack, AS_OF), count, beside)
    assert_same_results(connection)
    handwritten.scores_only(connection, rules)
    assert differences(connection, "scores", "hand_scores") == 0


@pytest.mark.parametrize("size", [400, 4000])
def test_many_rules_cost_little_more_than_forty(
    benchmark: BenchmarkFixture, ledger: Ledger, connection: duckdb.DuckDBPyConnection, data: Data, size: int
) -> None:
    forty, rules = pack_of(rule_set(40)), rule_set(size)
    pack = pack_of(rules)
    count = data.record_count
    aim = "≤ 3" if size == 4000 else ""
    beside = [
        Beside(f"batch, {size:,} rules / 40 rules", lambda: grade(connection, forty, AS_OF), count, aim)
    ]
    ledger.measure(benchmark, lambda: grade(connection, pack, AS_OF), count, beside)
    handwritten.everything(connection, rules)
    assert_same_results(connection)


def test_the_steps_of_a_batch_beside_the_scan_and_the_query_by_hand(
    benchmark: BenchmarkFixture, ledger: Ledger, connection: duckdb.DuckDBPyConnection
) -> None:
    rules = rule_set(40)
    pack = pack_of(rules)
    ledger.steps(
        benchmark,
        Step("scan, 40 rules", lambda: connection.execute(SCAN).fetchall()),
        [
            Step("by hand: one day, its hits", lambda: handwritten.everything(connection, rules)),
            *steps_of_a_grade(connection, pack, AS_OF),
        ],
        whole_grade(connection, pack, AS_OF, "≤ 3"),
    )


def assert_same_results(connection: duckdb.DuckDBPyConnection) -> None:
    """That the engine and the query by hand agree on every row, and that caps had something to hold."""
    for table in ("scores", "dimension_scores", "hits"):
        assert differences(connection, table, f"hand_{table}") == 0
    [(held,)] = connection.execute("select count(*) from hits where points <> points_before").fetchall()
    assert held > 0


def differences(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> int:
    """How many rows only one of the tables has, by the left one's columns."""
    columns = ", ".join(name for name, *_ in connection.execute(f"describe {left}").fetchall())
    one, other = (f"select {columns} from {table}" for table in (left, right))
    query = f"select count(*) from (({one} except all {other}) union all ({other} except all {one}))"
    [(count,)] = connection.execute(query).fetchall()
    return int(count)
