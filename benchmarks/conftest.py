"""Options, data and the table of ratios at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb
import pytest

from benchmarks.data import Data, attach, data_in
from benchmarks.district import district_in
from benchmarks.ledger import Ledger

LEDGER = pytest.StashKey[Ledger]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--scale`` and ``--copies``, or XINHENG_BENCH_SCALE and XINHENG_BENCH_COPIES."""
    default = float(os.environ.get("XINHENG_BENCH_SCALE", "0.1"))
    parser.addoption("--scale", type=float, default=default, help="1: a million subjects, 20 million records")
    copies = int(os.environ.get("XINHENG_BENCH_COPIES", "1"))
    parser.addoption(
        "--copies", type=int, default=copies, help="10: the district's enterprises ten times over"
    )


def pytest_configure(config: pytest.Config) -> None:
    """One ledger a run."""
    config.stash[LEDGER] = Ledger()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The ratios."""
    if config.stash[LEDGER].lines:
        sizes = f"scale {config.getoption('--scale')}, copies {config.getoption('--copies')}"
        terminalreporter.section(f"ratios at {sizes}")
        terminalreporter.write_line(config.stash[LEDGER].table())


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """What this run has measured."""
    return pytestconfig.stash[LEDGER]


@pytest.fixture(scope="session")
def data(pytestconfig: pytest.Config) -> Data:
    """The files, made once a scale and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    return data_in(pytestconfig.cache.mkdir("xinheng-benchmarks"), pytestconfig.getoption("--scale"))


@pytest.fixture(scope="session")
def district(pytestconfig: pytest.Config) -> Data:
    """The sample district's enterprises, made once a number of copies and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("xinheng-benchmarks")
    return district_in(folder, pytestconfig.getoption("--copies"))


@pytest.fixture
def connection(data: Data) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the views ``subjects`` and ``records`` over the files."""
    with duckdb.connect() as opened:
        attach(opened, data)
        yield opened
