"""What a file does to what is known: it adds and corrects, and takes away only what it says is unknown."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from rules.model import Pack
from scoring.answers.explain import explain
from scoring.facts.entries import FileInfo
from scoring.facts.merging import ColumnChanges
from scoring.facts.undo import list_files, undo_file
from scoring.facts.versions import ingest_rows
from scoring.runs.batch import run
from scoring.store import Store, StoreError
from scoring.store.documents import encode
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion

from .conftest import TakeIn
from .market import rows


def current(store: Store, model: Any = SubjectVersion) -> list[dict[str, Any]]:
    """What is known now, by key."""
    query = sa.select(model.data).where(model.known_until.is_(None))
    with store.reading() as session:
        return sorted((json.loads(data) for data in session.scalars(query)), key=str)


def numbers(result: Any) -> tuple[int, int, int, int]:
    return result.new, result.changed, result.unchanged, result.rejected


def documents(store: Store) -> list[tuple[str, str, str, int, bool]]:
    """Every version of subjects, as it stands."""
    with store.reading() as session:
        found = session.scalars(sa.select(SubjectVersion).order_by(SubjectVersion.id))
        return [(v.subject_id, v.data, v.content_hash, v.file_id, v.known_until is None) for v in found]


FULL = {"merchant_id": "a", "stalls": 3, "licensed": True}


# A file that says less


def test_a_column_that_a_file_lacks_leaves_what_is_known(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [FULL, {"merchant_id": "b", "stalls": 1}])
    less = take_in(store, "subject", [{"merchant_id": "a", "stalls": 4}, {"merchant_id": "b"}])
    assert current(store) == [FULL | {"stalls": 4}, {"merchant_id": "b", "stalls": 1}]
    assert numbers(less) == (0, 1, 1, 0)
    assert less.columns["stalls"] == ColumnChanges(changed=1, kept=1)
    assert less.columns["licensed"] == ColumnChanges(kept=1)


def test_what_becomes_known_later_is_added_and_the_document_is_canonical(
    store: Store, take_in: TakeIn
) -> None:
    take_in(store, "subject", [{"merchant_id": "a", "stalls": 3}])
    more = take_in(store, "subject", [{"merchant_id": "a", "licensed": True}])
    _, document, digest, _, _ = documents(store)[-1]
    assert document == encode(FULL)
    assert digest == sha256(document.encode()).hexdigest()
    assert more.columns["licensed"] == ColumnChanges(set=1)


def test_a_row_clears_only_what_it_says_is_unknown(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [FULL])
    document = encode({"merchant_id": "a"}, cleared=["stalls"])
    table = rows("merchant_id", [{"merchant_id": "a"}])
    table = table.set_column(table.schema.get_field_index("data"), "data", pa.array([document]))
    done = ingest_rows(store, "merchant", "subject", table, FileInfo("c" * 64, "cleared.csv"))
    assert current(store) == [{"merchant_id": "a", "licensed": True}]
    assert done.columns["stalls"] == ColumnChanges(cleared=1)
    again = ingest_rows(store, "merchant", "subject", table, FileInfo("d" * 64, "cleared again.csv"))
    assert numbers(again) == (0, 0, 1, 0)


def test_a_new_row_that_clears_a_column_holds_no_null(store: Store) -> None:
    table = rows("merchant_id", [{"merchant_id": "a"}])
    document = encode({"merchant_id": "a"}, cleared=["stalls"])
    table = table.set_column(table.schema.get_field_index("data"), "data", pa.array([document]))
    ingest_rows(store, "merchant", "subject", table, FileInfo("c" * 64, "new.csv"))
    assert documents(store)[0][1] == '{"merchant_id":"a"}'


# The same again


def test_the_same_bytes_after_another_file_are_news(store: Store, take_in: TakeIn) -> None:
    for stalls in (1, 2, 1):
        done = take_in(store, "subject", [{"merchant_id": "a", "stalls": stalls}])
    assert numbers(done) == (0, 1, 0, 0)
    assert current(store) == [{"merchant_id": "a", "stalls": 1}]


def test_the_same_file_by_two_at_once_is_taken_once(store: Store, take_in: TakeIn) -> None:
    start = Barrier(4)

    def take() -> Any:
        start.wait()
        return take_in(store, "subject", [FULL])

    with ThreadPoolExecutor(4) as threads:
        done = [future.result() for future in [threads.submit(take) for _ in range(4)]]
    assert sorted(map(numbers, done)) == [(0, 0, 1, 0)] * 3 + [(1, 0, 0, 0)]
    assert len(documents(store)) == 1


def test_files_by_many_at_once_become_known_one_after_the_other(store: Store, take_in: TakeIn) -> None:
    start = Barrier(4)

    def take(number: int) -> Any:
        start.wait()
        return take_in(store, "subject", [{"merchant_id": "a", "stalls": number}])

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(take, range(4)))
    assert sorted(map(numbers, done)) == [(0, 1, 0, 0)] * 3 + [(1, 0, 0, 0)]
    with store.reading() as session:
        moments = list(session.scalars(sa.select(IngestedFile.ingested_at).order_by(IngestedFile.id)))
        found = session.scalars(sa.select(SubjectVersion).order_by(SubjectVersion.id)).all()
    assert moments == sorted(set(moments))
    assert [v.known_until for v in found] == [*moments[1:], None]


def test_a_clock_that_was_set_back_makes_nothing_known_before_what_is_known(
    store: Store, take_in: TakeIn
) -> None:
    take_in(store, "subject", [{"merchant_id": "a", "stalls": 1}])
    ahead = dt.datetime(2126, 1, 1, tzinfo=dt.UTC)
    with store.writing() as session:
        session.execute(sa.update(IngestedFile).values(ingested_at=ahead))
        session.execute(sa.update(SubjectVersion).values(known_from=ahead))
    take_in(store, "subject", [{"merchant_id": "a", "stalls": 2}])
    with store.reading() as session:
        old, new = session.scalars(sa.select(SubjectVersion).order_by(SubjectVersion.id))
    assert ahead < new.known_from == old.known_until


# A check


def test_a_check_says_what_a_file_would_do_and_does_nothing(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [FULL])
    before = documents(store)
    table = rows("merchant_id", [{"merchant_id": "a", "stalls": 9}, {"merchant_id": "b"}])
    file = FileInfo("e" * 64, "next.csv")
    checked = ingest_rows(store, "merchant", "subject", table, file, check=True)
    assert documents(store) == before
    assert len(list_files(store)) == 1
    taken = ingest_rows(store, "merchant", "subject", table, file)
    assert numbers(checked) == numbers(taken) == (1, 1, 0, 0)
    assert checked.columns == taken.columns


# Undo


def test_a_file_that_is_taken_back_leaves_what_was_known_before(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [FULL, {"merchant_id": "b"}])
    wrong = take_in(store, "subject", [{"merchant_id": "a", "stalls": 99}, {"merchant_id": "c"}])
    before = documents(store)
    done = undo_file(store, wrong.file_id)
    assert (done.restored, done.ended, done.left) == (1, 1, ())
    assert current(store) == [FULL, {"merchant_id": "b"}]
    assert [version[:4] for version in documents(store)][: len(before)] == [v[:4] for v in before]


def test_taking_back_twice_changes_nothing_more(store: Store, take_in: TakeIn) -> None:
    wrong = take_in(store, "subject", [FULL])
    undo_file(store, wrong.file_id)
    after = documents(store)
    again = undo_file(store, wrong.file_id)
    assert (again.file_id, again.restored, again.ended, again.left) == (None, 0, 0, ())
    assert documents(store) == after


def test_taking_back_can_be_taken_back(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [FULL])
    wrong = take_in(store, "subject", [{"merchant_id": "a", "stalls": 99}, {"merchant_id": "c"}])
    known = current(store)
    first = undo_file(store, wrong.file_id)
    assert first.file_id is not None
    second = undo_file(store, first.file_id)
    assert (second.restored, second.ended) == (2, 0)
    assert current(store) == known
    third = undo_file(store, wrong.file_id)
    assert (third.restored, third.ended) == (1, 1)
    assert current(store) == [FULL]


def test_files_are_taken_back_one_after_the_other(store: Store, take_in: TakeIn) -> None:
    results = [take_in(store, "subject", [{"merchant_id": "a", "stalls": n}]) for n in (1, 2, 3)]
    for result, left in zip(reversed(results), ([2], [1], []), strict=True):
        undo_file(store, result.file_id)
        assert [row["stalls"] for row in current(store)] == left


def test_what_was_said_later_stays_and_is_named(store: Store, take_in: TakeIn) -> None:
    first = take_in(store, "subject", [{"merchant_id": "a", "stalls": 1}, {"merchant_id": "b"}])
    take_in(store, "subject", [{"merchant_id": "a", "stalls": 2}])
    done = undo_file(store, first.file_id)
    assert (done.ended, done.left) == (1, ("a",))
    assert current(store) == [{"merchant_id": "a", "stalls": 2}]


def test_a_file_that_was_taken_back_can_be_taken_again(store: Store, take_in: TakeIn) -> None:
    first = take_in(store, "subject", [FULL])
    undo_file(store, first.file_id)
    assert numbers(take_in(store, "subject", [FULL])) == (1, 0, 0, 0)
    assert current(store) == [FULL]


def test_two_who_take_a_file_back_at_once_take_it_back_once(store: Store, take_in: TakeIn) -> None:
    take_in(store, "subject", [FULL])
    wrong = take_in(store, "subject", [{"merchant_id": "a", "stalls": 99}])
    start = Barrier(3)

    def undo() -> Any:
        start.wait()
        return undo_file(store, wrong.file_id)

    with ThreadPoolExecutor(3) as threads:
        done = [future.result() for future in [threads.submit(undo) for _ in range(3)]]
    assert sorted(undone.restored for undone in done) == [0, 0, 1]
    assert current(store) == [FULL]
    assert len(documents(store)) == 3


def test_the_list_of_files_says_what_was_taken_back(store: Store, take_in: TakeIn) -> None:
    first = take_in(store, "record", [{"record_id": "r", "merchant_id": "a"}])
    done = undo_file(store, first.file_id)
    undoing, file = list_files(store)
    assert (file.id, file.source, file.undone_by) == (first.file_id, "file", done.file_id)
    assert (undoing.id, undoing.source, undoing.undoes) == (done.file_id, "undo", first.file_id)
    assert current(store, RecordVersion) == []


def test_a_file_that_is_not_there_cannot_be_taken_back(store: Store) -> None:
    with pytest.raises(StoreError, match="no file 17"):
        undo_file(store, 17)


# The past


def test_an_old_explanation_stays_as_it_is_when_files_come_and_are_taken_back(
    store: Store, take_in: TakeIn, market: Pack
) -> None:
    day = dt.date(2026, 11, 24)
    complaint = {
        "record_id": "r",
        "merchant_id": "a",
        "kind": "complaint",
        "occurred_on": dt.date(2026, 3, 1),
    }
    take_in(store, "subject", [FULL])
    first = take_in(store, "record", [complaint])
    old = run(store, market, day).run
    said = explain(store, "market", "a", old.id)
    take_in(store, "record", [complaint | {"kind": "fraud"}])
    later = take_in(store, "subject", [FULL | {"stalls": 9}])
    undo_file(store, later.file_id)
    undo_file(store, first.file_id)
    run(store, market, day)
    assert explain(store, "market", "a", old.id) == said


def test_grades_follow_a_file_that_was_taken_back(store: Store, take_in: TakeIn, market: Pack) -> None:
    day = dt.date(2026, 11, 24)
    take_in(store, "subject", [FULL | {"stalls": 9}, {"merchant_id": "b"}])
    before = run(store, market, day).run
    wrong = take_in(store, "subject", [{"merchant_id": "a", "stalls": 1}])
    between = run(store, market, day).run
    undo_file(store, wrong.file_id)
    after = run(store, market, day).run
    assert before.snapshot_hash == after.snapshot_hash != between.snapshot_hash
