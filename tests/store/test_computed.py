"""What a published run gives is computed once for all processes, and is never another store's or code's."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from fixtures.small import small_store
from rules.library import kept
from scoring.answers.validation import drift as drifts
from scoring.cli.computed import compute_shown
from scoring.inspections import foreseen
from scoring.runs.published import latest_run
from scoring.store import Store, computed

PACK = "tourism-credit"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A small one, and no copy of anything."""
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "copies"))
    return small_store()


def _table(store: Store, rows: list[int], of: str = "run 1") -> list[int]:
    made = computed.computed_table(store, ("numbers", of), lambda: pa.table({"number": rows}))
    return [*made["number"].to_pylist()]


def test_a_table_is_computed_once_for_each_store_source_and_code(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (_table(store, [1]), _table(store, [2])) == ([1], [1])
    assert _table(store, [3], "run 2") == [3]
    assert _table(small_store(), [4]) == [4]
    monkeypatch.setattr(computed, "_code", lambda: "another version")
    assert _table(store, [5]) == [5]


def test_a_table_that_is_too_large_is_computed_each_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computed, "LARGEST", 1)
    assert (_table(store, [1]), _table(store, [2])) == ([1], [2])


def test_what_was_computed_never_displaces_a_pack(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 1)
    kept.kept(("a pack",), str, lambda: "pack")
    for number in range(3):
        _table(store, [number], f"run {number}")
    assert kept.copy_of(("a pack",), str) == "pack"
    assert kept.folder().stat().st_mode & 0o777 == 0o700


def test_another_process_says_the_same_of_a_drift_and_judges_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = latest_run(store, PACK)
    assert later is not None
    earlier = replace(later, as_of=dt.date(2026, 1, 31))
    found = drifts.drift(store, earlier, later)
    drifts.drift.cache_clear()
    monkeypatch.setattr(drifts, "_read", None)
    again = drifts.drift(store, earlier, later)
    assert again == found
    assert [shift.index for shift in again.inputs] == [shift.index for shift in found.inputs]


def test_another_process_foretells_the_same_and_counts_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute_shown(store)
    found = foreseen.population_forecast(store, PACK)
    foreseen._pairs.cache_clear()
    monkeypatch.setattr(foreseen, "_count_pairs", None)
    assert foreseen.population_forecast(store, PACK) == found
