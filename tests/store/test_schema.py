"""The store's schema: what is declared is what the migrations make."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scoring.store import Store
from scoring.store.live import LiveScan
from scoring.store.schema import METADATA, upgrade


def test_the_migrations_make_exactly_the_declared_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        assert {"runs", "hits"} <= set(METADATA.tables)


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    with store.writing() as session:
        session.add(LiveScan(pack_id="p", pack_hash="h", known_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    before = everything(store)
    assert before[1]["live_scans"]
    upgrade(store.engine)
    upgrade(store.engine)
    assert everything(store) == before


def everything(store: Store) -> tuple[object, dict[str, list[object]]]:
    """What a database is made of, and all that is in it."""
    found = sa.MetaData()
    found.reflect(store.engine)
    with store.engine.connect() as connection:
        rows = {table.name: list(connection.execute(sa.select(table))) for table in found.sorted_tables}
    made = [
        (
            table.name,
            [(c.name, str(c.type), c.nullable) for c in table.columns],
            sorted(str(i.name) for i in table.indexes),
        )
        for table in found.sorted_tables
    ]
    return made, rows
