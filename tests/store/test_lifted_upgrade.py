"""A store of before the reasons of liftings were kept as what they are comes up with them."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import sqlalchemy as sa
from alembic import command

from rules.titles import Title
from scoring.facts.consequences import list_consequences
from scoring.store import create_store
from scoring.store.access import RecordMark
from scoring.store.base import Base, table_of
from scoring.store.connection import _connect, parse_url
from scoring.store.consequences import ConsequenceRow
from scoring.store.schema import _config

NOW = dt.datetime(2026, 8, 3, 4, tzinfo=dt.UTC)
DAY = NOW.date()


def test_why_a_measure_was_lifted_is_still_said_once_in_each_language(database_url: str) -> None:
    old, config = _connect(parse_url(database_url), make=True), _config()
    with old.engine.execution_options(writing=True).begin() as connection:
        config.attributes.update(connection=connection, metadata=None)
        command.upgrade(config, "0025")
        known = {"vocabulary": "enterprise", "subject_id": "S", "record_id": "R"}
        mark = {"kind": "repair", "status_before": "effective", "status_after": "repaired"}
        mark |= {"effective_on": DAY, "reason": "已缴清", "evidence": "[]", "made_by": "x", "made_at": NOW}
        _insert(connection, RecordMark, id=1, **known, **mark)
        measure = {"office": "x", "clause": "food", "told": '["甲", "A"]', "reason": "x", "begins_on": DAY}
        measure |= {
            "entered_by": "x",
            "entered_at": NOW,
            "lifted_on": DAY,
            "lifted_at": NOW,
            "lifted_by": "x",
        }
        for number, because, lifted_by in (
            (1, "信用修复 Repair: 已缴清", 1),
            (2, "认定单位更正了记录 the office has changed the record", None),
            (3, "期限届满", None),
        ):
            words = {"lifted_because": because, "mark_id": lifted_by}
            _insert(connection, ConsequenceRow, id=number, **known, **measure, **words)
    old.close()
    with closing(create_store(database_url)) as store:
        assert [one.lifted_because for one in list_consequences(store, "enterprise")] == [
            Title("信用修复：已缴清", "Repair: 已缴清"),
            Title("认定单位更正或撤回了记录", "the office has changed the record, or taken it back"),
            Title("期限届满", "期限届满"),
        ]


def _insert(connection: sa.Connection, model: type[Base], **values: object) -> None:
    """A row with these columns alone: the others were not there yet."""
    connection.execute(sa.insert(table_of(model)).values(values))
