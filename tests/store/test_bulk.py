"""Many rows at once: what goes in as Arrow comes out of the database as it was."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
import sqlalchemy as sa

from scoring.store import Store, StoreError, bulk, create_store

NOTES = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("text", sa.Text),
    sa.Column("day", sa.Date),
)
TEXTS = ["", None, "null", '张记, "老"店', "two\nlines", "a\\b\t'c'", "\\N", "\\.", " padded "]
DAYS = [dt.date(2024, 2, 29), None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2026, 11, 24)]


def notes() -> pa.RecordBatch:
    numbers = range(len(TEXTS))
    return pa.RecordBatch.from_pydict(
        {
            "day": pa.array([DAYS[n % len(DAYS)] for n in numbers], pa.date32()),
            "id": pa.array([n * 10**15 for n in numbers], pa.int64()),
            "text": pa.array(TEXTS, pa.string()),
        }
    )


def test_texts_and_dates_come_back_as_they_were(store: Store) -> None:
    told: list[int] = []
    with store.writing() as session:
        NOTES.create(session.connection())
        assert bulk.append(session.connection(), NOTES, [notes(), notes().slice(0, 0)], told.append) == len(
            TEXTS
        )
    with store.reading() as session:
        read = session.execute(sa.select(NOTES).order_by(NOTES.c.id)).all()
    assert [(row.id, row.text, row.day) for row in read] == [
        (row["id"], row["text"], row["day"]) for row in notes().to_pylist()
    ]
    assert told == [len(TEXTS), len(TEXTS)]


def test_a_date_can_be_searched_for(store: Store) -> None:
    with store.writing() as session:
        NOTES.create(session.connection())
        bulk.append(session.connection(), NOTES, [notes()])
        found = sa.select(sa.func.count()).where(NOTES.c.day <= dt.date(2024, 2, 29))
        assert session.scalar(found) == 4


def test_rows_stream_out_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH_ROWS", 4)
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with store.writing() as session:
        NOTES.create(session.connection())
        bulk.append(session.connection(), NOTES, [notes()])
        query = sa.select(NOTES.c.id, NOTES.c.text).order_by(NOTES.c.id)
        batches = list(bulk.stream(session.connection(), query, schema))
    assert [batch.num_rows for batch in batches] == [4, 4, 1]
    assert [text for batch in batches for text in batch.column("text").to_pylist()] == TEXTS


def test_a_batch_that_breaks_a_rule_takes_the_others_back(store: Store) -> None:
    with store.writing() as session:
        NOTES.create(session.connection())

    def twice() -> None:
        with store.writing() as session:
            bulk.append(session.connection(), NOTES, [notes(), notes()])

    with pytest.raises(Exception, match=r"(?i)unique"):
        twice()
    with store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(NOTES)) == 0


def test_a_text_that_postgresql_can_not_hold_is_a_clear_error(postgresql_url: str) -> None:
    store = create_store(postgresql_url)
    with store.writing() as session:
        NOTES.create(session.connection())

    def nul() -> None:
        batch = pa.RecordBatch.from_pydict({"id": pa.array([1], pa.int64()), "text": ["a\0b"]})
        with store.writing() as session:
            bulk.append(session.connection(), NOTES, [batch])

    with pytest.raises(StoreError, match="invalid byte sequence"):
        nul()
    store.close()


def test_a_store_that_takes_no_rows_says_so(store: Store) -> None:
    with store.writing() as session:
        NOTES.create(session.connection())

    def refused() -> None:
        with store.writing() as session:
            session.execute(
                sa.text("PRAGMA query_only = ON" if store.is_sqlite else "SET TRANSACTION READ ONLY")
            )
            bulk.append(session.connection(), NOTES, [notes()])

    with pytest.raises(StoreError, match="can only be read, and this needs to write"):
        refused()
