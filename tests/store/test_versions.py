"""Facts over time: what a file changes, and what it can't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from scoring.facts.entries import FileInfo
from scoring.facts.noted import Rejected
from scoring.facts.versions import Handling, ingest_rows
from scoring.store import Store
from scoring.store.models import IngestedFile, Quarantined, RecordVersion, SubjectVersion

from .conftest import TakeIn
from .market import rows


def merchant(number: str, **values: Any) -> dict[str, Any]:
    return {"merchant_id": number, **values}


def record(number: str, of: str, **values: Any) -> dict[str, Any]:
    return {"record_id": number, "merchant_id": of, **values}


def versions(store: Store, model: Any) -> list[tuple[str, str, bool]]:
    key = "record_id" if model is RecordVersion else "subject_id"
    with store.reading() as session:
        found = session.scalars(sa.select(model).order_by(model.id))
        return [(getattr(row, key), row.data, row.known_until is None) for row in found]


def numbers(result: Any) -> tuple[int, int, int, int]:
    return result.new, result.changed, result.unchanged, result.rejected


def test_a_corrected_row_ends_the_old_version_and_keeps_it(store: Store, take_in: TakeIn) -> None:
    first = take_in(store, "subject", [merchant("a", stalls=1), merchant("b", stalls=2)])
    second = take_in(store, "subject", [merchant("a", stalls=9), merchant("b", stalls=2), merchant("c")])
    assert numbers(first) == (2, 0, 0, 0)
    assert numbers(second) == (1, 1, 1, 0)
    assert versions(store, SubjectVersion) == [
        ("a", '{"merchant_id":"a","stalls":1}', False),
        ("b", '{"merchant_id":"b","stalls":2}', True),
        ("a", '{"merchant_id":"a","stalls":9}', True),
        ("c", '{"merchant_id":"c"}', True),
    ]


def test_one_version_ends_at_the_moment_when_the_next_begins(store: Store, take_in: TakeIn) -> None:
    take_in(store, "record", [record("r1", "a", kind="complaint")])
    take_in(store, "record", [record("r1", "a", kind="fraud")])
    with store.reading() as session:
        old, new = session.scalars(sa.select(RecordVersion).order_by(RecordVersion.id))
        ingested = list(session.scalars(sa.select(IngestedFile.ingested_at).order_by(IngestedFile.id)))
    assert [old.known_from, old.known_until, new.known_from] == [ingested[0], ingested[1], ingested[1]]
    assert ingested[0] < ingested[1]
    assert new.known_until is None
    assert (new.record_id, new.subject_id, new.vocabulary, new.row_no) == ("r1", "a", "merchant", 2)


def test_the_same_file_twice_changes_nothing_and_is_not_read(store: Store) -> None:
    file = FileInfo("f" * 64, "merchants.csv")
    bad = [Rejected(3, "stalls", "many", "not a number")]
    once = ingest_rows(store, "merchant", "subject", rows("merchant_id", [merchant("a")]), file, bad)

    def unread() -> Iterator[pa.RecordBatch]:
        raise AssertionError("the file was read again")
        yield

    schema = rows("merchant_id", []).schema
    again = ingest_rows(
        store, "merchant", "subject", pa.RecordBatchReader.from_batches(schema, unread()), file, bad
    )
    assert numbers(once) == (1, 0, 0, 1)
    assert numbers(again) == (0, 0, 1, 1)
    assert (again.file_id, again.held) == (once.file_id, 0)
    assert len(versions(store, SubjectVersion)) == 1


def test_the_file_of_before_a_correction_is_news_when_it_comes_after_it(
    store: Store, take_in: TakeIn
) -> None:
    old, new = [merchant("a", stalls=1)], [merchant("a", stalls=2)]
    results = [take_in(store, "subject", data) for data in (old, new, old, old)]
    assert [numbers(result) for result in results] == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)]
    assert versions(store, SubjectVersion)[-1] == ("a", '{"merchant_id":"a","stalls":1}', True)


def test_other_vocabularies_are_not_touched(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [merchant("a", stalls=1)])
    taken = rows("merchant_id", [merchant("a", stalls=2)])
    result = ingest_rows(store, "farm", "subject", taken, FileInfo("0" * 64, "farms.csv"))
    assert numbers(result) == (1, 0, 0, 0)
    assert [current for _, _, current in versions(store, SubjectVersion)] == [True, True]


def test_of_rows_with_one_key_the_first_stays_and_others_are_quarantined(
    store: Store, take_in: TakeIn
) -> None:
    data = [
        record("r1", "a", kind="fraud"),
        record("r2", "a"),
        record("r1", "a"),
        record("r1", "a", kind="fraud"),
    ]
    result = take_in(store, "record", data)
    assert numbers(result) == (2, 0, 1, 1)
    assert versions(store, RecordVersion)[0] == (
        "r1",
        '{"kind":"fraud","merchant_id":"a","record_id":"r1"}',
        True,
    )
    with store.reading() as session:
        (kept_out,) = session.scalars(sa.select(Quarantined))
        (file,) = session.scalars(sa.select(IngestedFile))
    assert (kept_out.row_no, kept_out.column, kept_out.value) == (4, "record_id", "r1")
    assert "row 2" in kept_out.reason
    assert (file.rows_good, file.rows_bad) == (3, 1)


def test_rows_that_say_the_same_are_refused_together_and_each_is_counted(store: Store) -> None:
    taken = rows("record_id", [record("r1", "a"), record("r2", "a"), record("r1", "a"), record("r3", "a")])

    def check(_: Any, staged: Any) -> Iterator[Rejected]:
        yield from (Rejected(row.row_no, "merchant_id", "a", "x") for row in staged if row.key != "r3")

    file = FileInfo("0" * 64, "records.csv")
    result = ingest_rows(store, "merchant", "record", taken, file, handling=Handling("record_id", [check]))
    assert numbers(result) == (1, 0, 0, 3)
    with store.reading() as session:
        places = session.scalars(sa.select(Quarantined.row_no).order_by(Quarantined.row_no)).all()
    assert places == taken["row_no"].to_pylist()[:3]


def test_a_row_with_two_faults_is_one_rejected_row(store: Store, take_in: TakeIn) -> None:
    faults = [
        Rejected(7, "摊位", "许多", "不是数 not a number"),
        Rejected(7, "日期", "2026-13-01", "不是日期 not a date"),
        Rejected(9, None, None, "空行 an empty row"),
    ]
    result = take_in(store, "subject", [merchant("a")], faults)
    assert numbers(result) == (1, 0, 0, 2)
    with store.reading() as session:
        kept = session.scalars(sa.select(Quarantined).order_by(Quarantined.id)).all()
    assert [Rejected(k.row_no, k.column, k.value, k.reason) for k in kept] == faults


def test_faults_may_be_found_while_the_rows_are_read(store: Store) -> None:
    faults: list[Rejected] = []

    def read() -> Iterator[pa.RecordBatch]:
        yield from rows("merchant_id", [merchant("a")]).to_batches()
        faults.append(Rejected(3, "stalls", "x", "not a number"))

    reader = pa.RecordBatchReader.from_batches(rows("merchant_id", []).schema, read())
    result = ingest_rows(store, "merchant", "subject", reader, FileInfo("1" * 64, "m.csv"), iter(faults))
    assert numbers(result) == (1, 0, 0, 1)


def test_a_file_that_fails_midway_leaves_nothing(store: Store) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from rows("merchant_id", [merchant("a")]).to_batches()
        raise OSError("the disk was pulled out")

    file = FileInfo("2" * 64, "m.csv")
    reader = pa.RecordBatchReader.from_batches(rows("merchant_id", []).schema, broken())
    with pytest.raises(OSError, match="pulled out"):
        ingest_rows(store, "merchant", "subject", reader, file, [Rejected(3, None, None, "bad")])
    with store.reading() as session:
        counts = [
            session.scalar(sa.select(sa.func.count(model.id))) for model in (IngestedFile, SubjectVersion)
        ]
    assert counts == [0, 0]
    again = ingest_rows(store, "merchant", "subject", rows("merchant_id", [merchant("a")]), file)
    assert numbers(again) == (1, 0, 0, 0)


def test_a_file_without_good_rows_is_known_too(store: Store, take_in: TakeIn) -> None:
    result = take_in(store, "subject", [], [Rejected(2, None, None, "nothing in it")])
    assert numbers(result) == (0, 0, 0, 1)


def test_others_may_write_while_a_file_is_read(store: Store, take_in: TakeIn) -> None:
    def slowly() -> Iterator[pa.RecordBatch]:
        yield from rows("merchant_id", [merchant("a")]).to_batches()
        take_in(store, "subject", [merchant("b")])

    reader = pa.RecordBatchReader.from_batches(rows("merchant_id", []).schema, slowly())
    ingest_rows(store, "merchant", "subject", reader, FileInfo("3" * 64, "slow.csv"))
    assert [key for key, _, _ in versions(store, SubjectVersion)] == ["b", "a"]


def test_what_is_odd_about_a_row_that_was_taken_is_counted_apart(store: Store, take_in: TakeIn) -> None:
    notes = [
        Rejected(2, "摊位", "900", "多得少见 unusually many", "warning"),
        Rejected(7, "摊位", "许多", "不是数 not a number"),
        Rejected(7, "日期", "2009-01-01", "很久以前 long ago", "warning"),
    ]
    result = take_in(store, "subject", [merchant("a", stalls=900)], notes)
    assert (numbers(result), result.warned) == ((1, 0, 0, 1), 1)
    again = take_in(store, "subject", [merchant("a", stalls=900)], notes)
    assert (numbers(again), again.warned) == ((0, 0, 1, 1), 1)


@pytest.mark.parametrize("found", [999, 1_000, 1_001])
def test_a_check_says_of_up_to_a_thousand_things_what_is_wrong(store: Store, found: int) -> None:
    """And counts them all."""
    wrong = [Rejected(number, None, None, "x") for number in range(found)]
    file = FileInfo("4" * 64, "bad.csv")
    result = ingest_rows(store, "merchant", "subject", rows("merchant_id", []), file, wrong, check=True)
    assert (result.rejected, len(result.noted)) == (found, min(found, 1_000))
