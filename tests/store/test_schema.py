"""The store's schema: what is declared is what the migrations make."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import alembic.command
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from scoring.store import Store, create_store, schema
from scoring.store.base import Base
from scoring.store.connection import parse_url
from scoring.store.live import LiveScan
from scoring.store.models import IngestedFile, Quarantined, SubjectVersion
from scoring.store.revision import MIGRATIONS, revisions
from scoring.store.schema import METADATA, upgrade
from scoring.store.undo import list_files


def test_the_migrations_make_exactly_the_declared_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        assert {"runs", "hits"} <= set(METADATA.tables)


def test_the_files_of_the_migrations_are_called_by_their_revisions() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]


def test_a_module_of_tables_imports_those_that_its_own_refer_to() -> None:
    """Whoever imports it, and nothing else of the store, can write its rows."""
    owners = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    for table, owner in owners.items():
        known = vars(sys.modules[owner.__module__])
        referred = {owners[key.column.table].__name__ for key in table.foreign_keys}
        assert referred <= known.keys(), owner.__module__


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


def test_a_store_of_before_files_could_come_again_keeps_its_data(database_url: str) -> None:
    _filled_at_0005(database_url)
    store = create_store(database_url)
    with store.reading() as session:
        versions = list(session.scalars(sa.select(SubjectVersion.data)))
        quarantined = [(row.reason, row.level) for row in session.scalars(sa.select(Quarantined))]
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, METADATA) == []
    assert (versions, quarantined) == (["{}"], [("bad", "error")])
    sources = {file.name: file.source for file in list_files(store, everything=True)}
    assert sources == {"a.csv": "file", "api: k": "api", "repair: R1": "mark", "problem 3": "program"}
    with store.writing() as session:  # references are checked again, and the same file may come again
        session.add(IngestedFile(id=9, sha256="a" * 64, name="a.csv", **_FILE))
    store.close()


_FILE = {
    "vocabulary": "merchant",
    "table": "subject",
    "rows_good": 1,
    "rows_bad": 1,
    "ingested_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
}


def _filled_at_0005(url: str) -> None:
    """A store as it was before, with a file, its rows, and what the program itself put down."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(parse_url(url))
    with engine.begin() as connection:
        config.attributes.update(connection=connection, metadata=METADATA)
        alembic.command.upgrade(config, "0005")
        old = sa.MetaData()
        old.reflect(connection, only=["ingested_files", "subject_versions", "quarantine"])
        names = {"a.csv": 64, "api: k": 32, "repair: R1": 32, "problem 3": 32}
        for number, (name, digits) in enumerate(names.items(), 1):
            file = {"id": number, "sha256": "a" * (digits - 1) + str(number), "name": name, **_FILE}
            connection.execute(sa.insert(old.tables["ingested_files"]), file)
        row = {"file_id": 1, "row_no": 2}
        version = {
            "id": 1,
            "subject_id": "a",
            "data": "{}",
            "content_hash": "x",
            "known_from": _FILE["ingested_at"],
        }
        connection.execute(
            sa.insert(old.tables["subject_versions"]), row | version | {"vocabulary": "merchant"}
        )
        connection.execute(sa.insert(old.tables["quarantine"]), row | {"id": 1, "reason": "bad"})
    engine.dispose()
