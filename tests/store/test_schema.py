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

from rules.identity import identity
from rules.model import Pack
from scoring.facts.undo import list_files
from scoring.runs.batch import run as run_pack
from scoring.runs.published import get_run
from scoring.runs.result_tables import stream_results
from scoring.runs.results import Filters, grade_line, list_grades, tier_counts, transitions
from scoring.store import Store, create_store, schema
from scoring.store.base import Base
from scoring.store.connection import parse_url
from scoring.store.feeds import FeedRow
from scoring.store.live import LiveScan
from scoring.store.models import IngestedFile, Quarantined, SubjectVersion
from scoring.store.packs import PackText
from scoring.store.revision import MIGRATIONS, revisions
from scoring.store.schema import METADATA, upgrade

from .conftest import TakeIn
from .market import MARKET


def test_the_migrations_make_exactly_the_declared_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
        assert {"runs", "spans"} <= set(METADATA.tables)
        made = sa.inspect(connection)
        for name, table in METADATA.tables.items():  # which the comparison leaves out
            keys = [column.name for column in table.primary_key]
            assert set(made.get_pk_constraint(name)["constrained_columns"]) == set(keys), name


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
    engine = sa.create_engine(parse_url(url))
    with engine.begin() as connection:
        _upgrade_to(connection, "0005")
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


def test_the_files_of_a_store_of_before_feeds_are_those_of_their_offices(database_url: str) -> None:
    _filled_at_0016(database_url)
    store = create_store(database_url)
    with store.reading() as session:
        rows = session.scalars(sa.select(FeedRow).order_by(FeedRow.file_id, FeedRow.authority)).all()
        whose = session.scalars(sa.select(Quarantined.authority)).all()
    store.close()
    days = {1: dt.date(2026, 1, 2), 2: dt.date(2026, 2, 1), 3: dt.date(2026, 2, 1)}
    found = [(r.file_id, r.authority, r.taken, r.refused, r.late, r.backlog) for r in rows]
    assert found == [(1, "甲", 2, 1, 1, 1), (2, "甲", 2, 0, 1, 0), (3, "甲", -2, 0, -1, 0)]
    assert all(row.came_on == days[row.file_id] for row in rows)
    assert whose == ["甲", "甲"]


def _filled_at_0016(url: str) -> None:
    """A first file with two faults in one row, a second one that was taken back, and that undoing."""
    engine = sa.create_engine(parse_url(url))
    with engine.begin() as connection:
        _upgrade_to(connection, "0016")
        old = sa.MetaData()
        old.reflect(connection, only=["ingested_files", "record_versions", "quarantine"])
        files, versions, faults = (old.tables[n] for n in ("ingested_files", "record_versions", "quarantine"))
        moments = [dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC), KNOWN_FEB, KNOWN_FEB + dt.timedelta(hours=1)]
        for number, (moment, source, undoes) in enumerate(
            zip(moments, ("file", "file", "undo"), (None, None, 2), strict=True), 1
        ):
            file = {"id": number, "sha256": str(number), "name": "a", "source": source, "undoes": undoes}
            file |= _FILE | {"vocabulary": "enterprise", "table": "record", "ingested_at": moment}
            connection.execute(sa.insert(files), file)
        said = (
            (1, "R1", "2020-01-01", 0, 1), (1, "R2", "2026-01-01", 0, None),
            (2, "R1", "2020-01-01", 1, 2), (2, "R3", "2026-01-05", 1, 2),
        )  # fmt: skip
        for number, (file_id, record, day, begins, ends) in enumerate(said, 1):
            version = {"id": number, "vocabulary": "enterprise", "record_id": record, "subject_id": "s"}
            version |= {"data": f'{{"authority":"甲","occurred_on":"{day}"}}', "content_hash": "x"}
            version |= {"row_no": 2, "known_from": moments[begins], "file_id": file_id}
            connection.execute(
                sa.insert(versions), version | {"known_until": None if ends is None else moments[ends]}
            )
        for number in (1, 2):
            fault = {"id": number, "file_id": 1, "row_no": 4, "reason": "bad", "level": "error"}
            connection.execute(sa.insert(faults), fault)
    engine.dispose()


KNOWN_FEB = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
RUN_ON = dt.date(2026, 6, 30)
KNOWN = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
OLD_RUNS = (
    (1, RUN_ON, {"a": (7000, "B", None), "b": (9000, "A", dt.date(2026, 9, 1))}),
    (2, RUN_ON, {"a": (6000, "C", dt.date(2026, 8, 1))}),
    (3, dt.date(2026, 7, 31), {"a": (6500, "B", None), "c": (1000, "D", None)}),
)
"""Number and date of each run, and of each subject score, tier and next change."""


def test_the_runs_of_a_store_of_before_timelines_stay_readable(database_url: str) -> None:
    _filled_at_0013(database_url)
    store = create_store(database_url)
    for number, as_of, people in OLD_RUNS:
        run = get_run(store, number)
        found = list_grades(store, run, Filters())
        assert [(g.subject_id, g.score, g.tier, g.next_change_on) for g in found] == [
            (subject, *result) for subject, result in people.items()
        ]
        assert {g.as_of for g in found} == {as_of}
        hits = [row for batch in stream_results(store, run, "hits") for row in batch.to_pylist()]
        assert [(h["subject_id"], h["rule"], h["record_id"], h["points"]) for h in hits] == [
            (subject, "complaint", f"r-{subject}", -1000) for subject in people
        ]
        assert all(h["counts_from"] == dt.date(2026, 3, 31) and h["counts_until"] is None for h in hits)
        assert sum(tier_counts(store, run).values()) == len(people)
    assert transitions(store, get_run(store, 2), get_run(store, 3)) == [(None, "D", 1), ("C", "B", 1)]
    line = grade_line(store, get_run(store, 3), "a")
    assert [(piece.begins, piece.score) for piece in line] == [(RUN_ON, 6000), (OLD_RUNS[2][1], 6500)]
    with store.reading() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, METADATA) == []
    store.close()


def test_a_run_after_that_builds_on_none_of_them(database_url: str, market: Pack, take_in: TakeIn) -> None:
    _filled_at_0013(database_url)
    store = create_store(database_url)
    take_in(store, "subject", [{"merchant_id": "a", "stalls": 1}])
    run = run_pack(store, market, dt.date(2026, 7, 31)).run
    assert (run.kind, [g.subject_id for g in list_grades(store, run, Filters())]) == ("full", ["a"])
    assert tier_counts(store, run) == {"good": 1}
    assert len(list_grades(store, get_run(store, 3), Filters())) == 2, "what was said stays"
    store.close()


def _filled_at_0013(url: str) -> None:
    """A store as it was before timelines were kept, with runs in it."""
    engine = sa.create_engine(parse_url(url))
    text = PackText(MARKET, "market.yaml")
    with engine.begin() as connection:
        _upgrade_to(connection, "0013")
        old = sa.MetaData()
        old.reflect(connection, only=["packs", "runs", "scores", "dimension_scores", "hits"])
        pack = {"hash": identity(text.load()), "pack_id": "market", "version": "1", "stored_at": KNOWN}
        pack |= {"file_name": text.file, "source": text.text}
        connection.execute(sa.insert(old.tables["packs"]), pack)
        for number, as_of, people in OLD_RUNS:
            run = {"pack_hash": pack["hash"], "pack_id": "market", "vocabulary": "merchant"}
            run |= {"as_of": as_of, "engine": "duckdb", "subjects": len(people), "records": 0, "orphans": 0}
            run |= {"known_at": KNOWN, "started_at": KNOWN, "published_at": KNOWN, "snapshot_hash": "x"}
            connection.execute(sa.insert(old.tables["runs"]), run)
            for no, (subject, (score, tier, change)) in enumerate(people.items(), start=1):
                key = {"run_id": number, "subject_id": subject}
                result = {"score": score, "tier": tier, "band": tier, "next_change_on": change}
                inputs = {"inputs_known": 1, "inputs_total": 2}
                connection.execute(sa.insert(old.tables["scores"]), key | result | inputs)
                points = {"points_before": -1000, "points": -1000}
                dimension = {"dimension": "conduct", **points}
                connection.execute(sa.insert(old.tables["dimension_scores"]), key | dimension)
                hit = {"no": no, "rule": "complaint", "record_id": f"r-{subject}", **points}
                hit |= {"counts_from": dt.date(2026, 3, 31)}
                connection.execute(sa.insert(old.tables["hits"]), key | hit)
    engine.dispose()


def _upgrade_to(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, metadata=METADATA)
    alembic.command.upgrade(config, revision)
