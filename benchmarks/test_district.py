"""The job that a credit centre runs: the installed pack on the district's enterprises, step by step.

Beside it the same pack by hand in what a user would take instead, with the same scores.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import arrays, frames
from benchmarks.data import Data, attach
from benchmarks.district import AS_OF
from benchmarks.judging import steps_of_a_grade, whole_grade
from benchmarks.ledger import Ledger, Step
from rules.library.loader import find_pack

SCAN = """
    select sum(strlen(kind)), sum(strlen(field)), sum(strlen(severity)), sum(strlen(status)),
           sum(strlen(level)), sum(amount), max(occurred_on), max(ends_on) {keys}
    from records
"""
KEYS = ", sum(strlen(record_id)), sum(strlen(subject_id))"


def test_the_installed_pack_beside_the_scan_of_the_columns_that_it_reads(
    benchmark: BenchmarkFixture, ledger: Ledger, district: Data
) -> None:
    pack = find_pack("enterprise-credit", AS_OF)
    with duckdb.connect() as duck:
        attach(duck, district)

        def run(query: str) -> Callable[[], object]:
            return lambda: duck.execute(query).fetchall()

        ledger.steps(
            benchmark,
            Step("scan of its columns", run(SCAN.format(keys=KEYS))),
            [
                Step("scan of them without the two keys", run(SCAN.format(keys=""))),
                *steps_of_a_grade(duck, pack, AS_OF),
                Step("by hand in Polars: scores of one day", lambda: frames.grades(district)),
                Step("by hand in NumPy: scores of one day", lambda: arrays.grades(district)),
            ],
            whole_grade(duck, pack, AS_OF, "≤ 12"),
        )
        assert_all_graded(duck, district)
        assert differing(duck, pack.tiers, frames.grades(district).to_arrow()) == 0
        assert differing(duck, pack.tiers, arrays.grades(district).as_arrow()) == 0


def differing(duck: duckdb.DuckDBPyConnection, tiers: tuple[str, ...], by_hand: pa.Table) -> int:
    """Of how many subjects score or tier differ, or are missing on one side."""
    duck.register("by_hand", by_hand)
    found = duck.execute(
        "select count(*) from (select subject_id, score, list_position(?, tier) - 1 as tier from scores) s"
        " full join by_hand h using (subject_id)"
        " where s.score is distinct from h.score or s.tier is distinct from h.tier",
        [list(tiers)],
    ).fetchall()
    return int(found[0][0])


def assert_all_graded(duck: duckdb.DuckDBPyConnection, data: Data) -> None:
    """That everybody has a score, every tier somebody, and caps had something to hold."""
    of_all = "select count(*), count(distinct tier) from scores"
    assert duck.execute(of_all).fetchall() == [(data.subject_count, 4)]
    assert duck.execute("select count(*) > 0 from hits where points <> points_before").fetchall() == [(True,)]
