"""A snapshot: the typed tables of what was known at a moment."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from rules.model import Pack
from scoring.facts.entries import FileInfo
from scoring.facts.snapshot import Snapshot, take_snapshot
from scoring.facts.versions import ingest_rows
from scoring.store import Store, StoreError

from .conftest import TakeIn
from .market import rows

ZHANG = {
    "merchant_id": "z",
    "stalls": 3,
    "turnover": Decimal("12345678901234.5678"),
    "joined_on": dt.date(2020, 2, 29),
    "licensed": True,
}
LI = {"merchant_id": "l"}


def taken(store: Store, pack: Pack, at: dt.datetime | None = None) -> tuple[Snapshot, list[Any], list[Any]]:
    with duckdb.connect() as duck:
        snapshot = take_snapshot(store, pack.vocabulary, duck, at)
        subjects = duck.execute("select * from subjects order by merchant_id desc").fetchall()
        return snapshot, subjects, duck.execute("select * from records order by record_id").fetchall()


def test_values_are_exact_and_typed(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [ZHANG, LI])
    take_in(store, "record", [{"record_id": "r", "merchant_id": "z", "occurred_on": dt.date(2026, 1, 31)}])
    snapshot, subjects, records = taken(store, market)
    assert subjects == [tuple(ZHANG.values()), ("l", None, None, None, None)]
    assert records == [("r", "z", None, dt.date(2026, 1, 31))]
    assert (snapshot.subjects, snapshot.records, snapshot.orphans) == (2, 1, 0)


def test_what_was_known_then_can_be_had_again(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [ZHANG])
    before = taken(store, market)
    take_in(store, "subject", [{**ZHANG, "stalls": 4}, LI])
    after = taken(store, market)
    assert taken(store, market, before[0].known_at) == before
    assert [row[1] for row in after[1]] == [4, None]
    assert taken(store, market, dt.datetime(2100, 1, 1, tzinfo=dt.UTC)) == after


def test_a_moment_between_two_files_is_that_of_the_first(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [ZHANG])
    before = taken(store, market)
    take_in(store, "subject", [LI])
    between = before[0].known_at + dt.timedelta(microseconds=1)
    assert taken(store, market, between)[0].known_at == before[0].known_at


def test_the_fingerprint_is_of_the_content_alone(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [ZHANG, LI])
    first = taken(store, market)[0]
    take_in(store, "subject", [{**ZHANG, "stalls": 4}])
    second = taken(store, market)[0]
    take_in(store, "subject", [LI, ZHANG])
    third = taken(store, market)[0]
    assert first.hash == third.hash != second.hash
    assert first.known_at < third.known_at


def test_records_of_unknown_subjects_are_counted(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [ZHANG])
    take_in(
        store, "record", [{"record_id": "r", "merchant_id": "nobody"}, {"record_id": "s", "merchant_id": "z"}]
    )
    snapshot = taken(store, market)[0]
    assert (snapshot.records, snapshot.orphans) == (2, 1)


def test_an_empty_store_says_what_to_do(store: Store, market: Pack) -> None:
    with pytest.raises(StoreError, match=r"nothing was known in the store.*xinheng ingest"):
        taken(store, market)


def test_before_the_first_file_nothing_was_known(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [ZHANG])
    with pytest.raises(StoreError, match="nothing was known at 2020-01-01"):
        taken(store, market, dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def test_a_store_of_other_subjects_is_named(store: Store, market: Pack) -> None:
    ingest_rows(store, "farm", "subject", rows("merchant_id", [LI]), FileInfo("0" * 64, "farms.csv"))
    with pytest.raises(StoreError, match="knew no subject of merchant"):
        taken(store, market)


def test_a_value_that_does_not_fit_its_column_is_an_error(
    store: Store, market: Pack, take_in: TakeIn
) -> None:
    take_in(store, "subject", [{"merchant_id": "x", "stalls": "many"}])
    with pytest.raises(StoreError, match=r"subjects in the store do not fit.*many"):
        taken(store, market)
