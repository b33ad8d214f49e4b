"""A store in which each further record had opened an alert of its own comes up with one that has grown."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

import sqlalchemy as sa
from alembic import command

from scoring.live.alerts import Wanted, list_alerts
from scoring.live.scanning import rescan
from scoring.store import create_store
from scoring.store.base import Moment
from scoring.store.connection import _connect, parse_url
from scoring.store.schema import _config

from .events_pack import firms, record, take_in

NOW = dt.datetime(2026, 8, 3, 4, tzinfo=dt.UTC)
DAYS = ["2026-01-10", "2026-02-10", "2026-03-10", "2026-04-10", "2026-05-10"]
NAMES = ("pack_id", "pack_hash", "alert", "subject_id", "record_id", "records", "acknowledged_by")
MOMENTS = (sa.column("raised_at", Moment), sa.column("acknowledged_at", Moment))
ALERTS = sa.table("alerts", *map(sa.column, NAMES), *MOMENTS)


def test_alerts_of_before_that_share_records_are_one_after_the_next_scan_and_what_was_settled_stays(
    database_url: str,
) -> None:
    old, config = _connect(parse_url(database_url), make=True), _config()
    fixed = {"pack_id": "firms", "pack_hash": "x", "alert": "repeat", "subject_id": "A", "raised_at": NOW}
    with old.engine.execution_options(writing=True).begin() as connection:
        config.attributes.update(connection=connection, metadata=None)
        command.upgrade(config, "0027")
        for end, seen in ((2, "somebody"), (3, None), (4, None)):
            names = ", ".join(f'"p{number}"' for number in range(end - 2, end + 1))
            row = {"record_id": f"p{end}", "records": f"[{names}]", "acknowledged_by": seen}
            connection.execute(sa.insert(ALERTS).values(**fixed, **row, acknowledged_at=seen and NOW))
    old.close()
    with closing(create_store(database_url)) as store:
        rows = [record(f"p{number}", "penalty", day, field="x") for number, day in enumerate(DAYS)]
        take_in(store, "subject", [{"firm_id": "A"}])
        take_in(store, "record", rows)
        assert [found.version for found in list_alerts(store)] == [1, 1, 1]
        done = rescan(store, firms())
        assert (done.raised, done.grown) == (0, 1)
        second, first = list_alerts(store)
        assert (first.acknowledged_by, first.records) == ("somebody", ("p0", "p1", "p2"))
        assert (second.state, second.records) == ("open", ("p1", "p2", "p3", "p4"))
        assert second.last_on == dt.date(2026, 5, 10)
        (third,) = list_alerts(store, Wanted(state="withdrawn"))
        assert third.joined == second.id
