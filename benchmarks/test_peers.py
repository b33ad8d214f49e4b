"""Other rule engines on the same rules and a sample of the records, with the same hits."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import peers
from benchmarks.data import Data
from benchmarks.durable import DurableRules
from benchmarks.ledger import Beside, Ledger
from benchmarks.rulesets import AS_OF, pack_of, rule_set
from scoring.judging.engine import grade

SAMPLE = 500
"""How many subjects' records the peers are given: what the slowest does in some seconds."""


@pytest.fixture
def records(connection: duckdb.DuckDBPyConnection) -> list[peers.Record]:
    sample = f"select * from records where subject_id < {SAMPLE}"
    rows = connection.sql(f"{sample} and occurred_on <= date '{AS_OF}'").to_arrow_table().to_pylist()
    return [peers.as_peer_record(row) for row in rows]


@pytest.fixture
def hits(connection: duckdb.DuckDBPyConnection) -> peers.Hits:
    """The engine's."""
    grade(connection, pack_of(rule_set(40)), AS_OF)
    found = connection.sql(f"select record_id, rule from hits where subject_id < {SAMPLE}").fetchall()
    assert len(found) > SAMPLE
    return set(found)


@pytest.fixture
def batch(connection: duckdb.DuckDBPyConnection) -> Callable[[], None]:
    """The engine on all the records; the peers are given a sample, and compared by the time a record."""
    pack = pack_of(rule_set(40))
    return lambda: grade(connection, pack, AS_OF)


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("plain Python loops", peers.plain_python),
        ("rule-engine", peers.rule_engine_rules),
        ("ZEN, in batches", peers.zen_table),
    ],
)
def test_a_peer_finds_the_same_hits(
    benchmark: BenchmarkFixture,
    ledger: Ledger,
    data: Data,
    batch: Callable[[], None],
    records: list[peers.Record],
    hits: peers.Hits,
    name: str,
    peer: peers.Make,
) -> None:
    run = peer(rule_set(40))
    beside = [Beside(f"{name} / batch, time a record", batch, data.record_count)]
    ledger.measure(benchmark, lambda: run(records), len(records), beside)
    assert run(records) == hits


def test_durable_rules_finds_the_same_hits(
    benchmark: BenchmarkFixture,
    ledger: Ledger,
    data: Data,
    batch: Callable[[], None],
    records: list[peers.Record],
    hits: peers.Hits,
) -> None:
    beside = [Beside("durable_rules / batch, time a record", batch, data.record_count, "≥ 500")]
    with DurableRules(rule_set(40)) as run:
        ledger.measure(benchmark, lambda: run(records), len(records), beside, elsewhere=True)
        assert run(records) == hits
