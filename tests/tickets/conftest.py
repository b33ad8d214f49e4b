"""What the tests of tickets share: a store with two public bodies, and the people who move a ticket."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from rules.calendar import SHANGHAI
from scoring.facts.entries import FileInfo
from scoring.facts.versions import ingest_rows
from scoring.live.supervisor import Engine
from scoring.store import Store
from scoring.store.documents import encode
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, Ticket, move_ticket, open_ticket

MONDAY = dt.date(2026, 6, 1)
NOON = dt.datetime.combine(MONDAY, dt.time(12), SHANGHAI)
BODIES = {"DW101": "样例区发展和改革委员会", "DW120": "样例区市场监督管理局"}
ABOUT = Subject("施工许可材料反复补正", "hotline")
ACTOR_OF = {
    "open": Actor.DESK,
    "assign": Actor.OFFICE,
    "return": Actor.OWNER,
    "coordinate": Actor.OWNER,
    "supervise": Actor.SUPERVISOR,
    "evaluate": Actor.ENTERPRISE,
    "correct": Actor.OFFICE,
}


@pytest.fixture
def office(store: Store) -> Store:
    """A store that knows the bodies, on SQLite and on PostgreSQL."""
    add_bodies(store)
    return store


def add_bodies(store: Store) -> None:
    rows = [{"subject_id": number, "name": name, "state": "active"} for number, name in BODIES.items()]
    arrow = pa.table(
        {
            "key": list(BODIES),
            "subject_id": list(BODIES),
            "data": [encode(row) for row in rows],
            "row_no": [1, 2],
        }
    )
    ingest_rows(store, "department", "subject", arrow, FileInfo("b" * 64, "bodies.csv"))


def collect(store: Store, engine: Engine) -> Ticket:
    return open_ticket(store, ABOUT, Move("open", Actor.DESK, "李专员", at=NOON), engine)


def do(store: Store, engine: Engine, ticket: Ticket, request: str, days: int = 0, **more: Any) -> Ticket:
    """The request by the actor whose it is, coming so many days after the Monday."""
    if request == "assign":
        more = {"owner": "DW101", "urgency": "urgent", **more}
    actor = more.pop("actor", ACTOR_OF[request])
    body = more.pop("body", None)
    move = Move(request, actor, "某人", at=NOON + dt.timedelta(days), **more)
    return move_ticket(store, ticket.id, move, engine, body)


def noon(day: dt.date) -> dt.datetime:
    """The middle of a day, as the clock of the district shows it."""
    return dt.datetime.combine(day, dt.time(12), SHANGHAI)
