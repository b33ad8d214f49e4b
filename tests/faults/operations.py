"""What is done to a store in a history: small pieces of everything that writes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from cli.market import BLANK, HIT, MISSED, PACK

from rules.library.loader import load_text, load_vocabulary
from scoring.access.anchors import add_anchor, read_key
from scoring.access.audit import AuditLog, Event
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.ingest.mapping import NO_MAPPING
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.records import RecordError, UnknownRecordError, submit_records
from scoring.facts.repairs import Commitment
from scoring.facts.settling import (
    Ruling,
    list_contradictions,
    list_twins,
    resolve_contradiction,
    settle_twins,
)
from scoring.facts.snapshot import snapshot_of_versions, take_snapshot
from scoring.facts.undo import undo_file
from scoring.live.supervisor import Engine
from scoring.runs.batch import run
from scoring.runs.published import latest_run
from scoring.store import Store
from scoring.store.backups import back_up, restore
from scoring.store.models import IngestedFile
from scoring.store.packs import PackText
from scoring.tickets.chart import Actor
from scoring.tickets.desk import Move, Subject, open_ticket

MARKET = load_text(PACK, "market.yaml")
AS_OF = dt.date(2026, 3, 31)
"""Has come by a clock that is set back, too: of a day to come nobody is told."""
ENTERPRISE = load_vocabulary("enterprise")
CODES = (HIT, MISSED, BLANK)
REFUSALS = (RecordError, UnknownRecordError)
NOON = dt.datetime(2026, 6, 1, 4, tzinfo=dt.UTC)

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of thing that is done.

    :param draw: makes its arguments; the number is of the step, and no other step has it.
    :param do: does it to a store, with a folder of its own for files.
    :param weight: how often it is done.
    :param repeats: whether doing it again right afterwards changes nothing.
    :param logs: whether it writes to the audit log.
    """

    draw: Callable[[random.Random, int], Arguments]
    do: Callable[[Store, Path, Arguments], Any]
    weight: int
    repeats: bool = True
    logs: bool = False


def _records(chance: random.Random, number: int) -> Arguments:
    rows = [
        f"F{chance.randrange(12)},{chance.choice(CODES)},penalty,general,effective,fine,"
        f"{chance.randrange(1, 9)}00,2025-0{chance.randrange(1, 10)}-01"
        for _ in range(chance.randrange(1, 5))
    ]
    if chance.random() < 0.5:
        rows.append(f"X{number},{HIT},penalty,general,effective,fine,much,2025-13-01")
    header = "record_id,subject_id,kind,severity,status,level,amount,occurred_on"
    return {"name": f"{number}.csv", "text": "\n".join([header, *rows, ""])}


def _subjects(chance: random.Random, number: int) -> Arguments:
    rows = [
        f"{code},公司{chance.randrange(9)},{chance.choice(['large', 'micro', ''])},2010-01-02"
        for code in chance.sample(CODES, 2)
    ]
    return {"name": f"{number}.csv", "text": "\n".join(["subject_id,name,size,established_on", *rows, ""])}


def ingest(store: Store, folder: Path, arguments: Arguments) -> Any:
    path = folder / arguments["name"]
    path.write_text(arguments["text"], "utf-8")
    ingest_file(store, path, "enterprise", Reading(NO_MAPPING, None, folder / "quarantine"))


def _undo(chance: random.Random, number: int) -> Arguments:
    return {"share": chance.random()}


def undo(store: Store, folder: Path, arguments: Arguments) -> Any:
    with store.reading() as session:
        of_files = sa.select(IngestedFile.id).where(IngestedFile.source.in_(("file", "api")))
        files = list(session.scalars(of_files.order_by(IngestedFile.id)))
    undo_file(store, files[int(arguments["share"] * len(files))])


def _submitted(chance: random.Random, number: int) -> Arguments:
    row = {
        "record_id": f"S{number}",
        "subject_id": chance.choice(CODES),
        "kind": "award",
        "level": "national",
    }
    return {"row": row | {"status": "effective", "occurred_on": "2025-03-01"}, "number": number}


def submit(store: Store, folder: Path, arguments: Arguments) -> Any:
    source = FileInfo(f"{arguments['number']:064x}", f"request {arguments['number']}", "api")
    done = submit_records(store, ENTERPRISE, [arguments["row"]], source)
    return done.keys


def _mark(chance: random.Random, number: int) -> Arguments:
    kind, status = chance.choice(
        [
            ("objection", "disputed"),
            ("decision", "effective"),
            ("decision", "revoked"),
            ("application", ""),
            ("admission", ""),
            ("repair", "repaired"),
            ("breach", "effective"),
        ]
    )
    return {"key": f"F{chance.randrange(12)}", "kind": kind, "status": status, "number": number}


def mark(store: Store, folder: Path, arguments: Arguments) -> Any:
    request = MarkRequest(
        arguments["kind"],
        arguments["status"],
        dt.date(2026, 3, 1),
        f"because {arguments['number']}",
        ({"title": "t", "reference": "r"},),
        "somebody else" if arguments["kind"] == "repair" else "somebody",
        commitment=Commitment("x", dt.date(2026, 3, 1)),
    )
    mark_record(store, ENTERPRISE, arguments["key"], request)


def settle(store: Store, folder: Path, arguments: Arguments) -> Any:
    """What is open, the first of it."""
    ruling = Ruling(f"because {arguments['number']}", "somebody", dt.date(2026, 3, 2))
    if contradictions := list_contradictions(store, ENTERPRISE):
        resolve_contradiction(store, ENTERPRISE, contradictions[0].id, arguments["number"] % 2 == 0, ruling)
    elif twins := list_twins(store, ENTERPRISE):
        settle_twins(store, ENTERPRISE, twins[0].id, min(twins[0].records), ruling)


def _score(chance: random.Random, number: int) -> Arguments:
    return {"days": chance.choice([0, 0, 1, 30])}


def score(store: Store, folder: Path, arguments: Arguments) -> Any:
    as_of = AS_OF + dt.timedelta(days=arguments["days"])
    text = PackText(PACK, "market.yaml")
    done = run(store, MARKET, as_of, text=text, versions=[MARKET])
    answers = latest_run(store, "market", as_of)
    assert answers is not None
    assert (answers.as_of, answers.snapshot_hash) == (as_of, done.run.snapshot_hash), "another run answers"
    return answers.snapshot_hash


def columns(store: Store, folder: Path, arguments: Arguments) -> Any:
    with duckdb.connect() as one, duckdb.connect() as other:
        copied = take_snapshot(store, ENTERPRISE, one)
        assert copied == snapshot_of_versions(store, ENTERPRISE, other, copied.known_at)
        for table in ("subjects", "records"):
            rows = [each.execute(f"from {table} order by all").fetchall() for each in (one, other)]
            assert rows[0] == rows[1]


def log(store: Store, folder: Path, arguments: Arguments) -> Any:
    event = Event("cli:li", "regulator", "test.read", HIT, details={"step": arguments["number"]})
    AuditLog(store).write([event, event])


def anchor(store: Store, folder: Path, arguments: Arguments) -> Any:
    path = folder / "anchors"
    add_anchor(store, path, read_key(folder / "anchor.key"), "cli:li", dt.datetime.now(dt.UTC))


def ticket(store: Store, folder: Path, arguments: Arguments) -> Any:
    engine = Engine()
    try:
        open_ticket(
            store,
            Subject(f"门前路灯不亮 {arguments['number']}", "hotline"),
            Move("open", Actor.DESK, "李专员", at=NOON),
            engine,
        )
    finally:
        engine.close()


def backup(store: Store, folder: Path, arguments: Arguments) -> Any:
    """Made, and put back elsewhere."""
    to = folder / f"backup-{arguments['number']}"
    if not to.exists():
        back_up(store, to, NOON)
    other = folder / "another.db"
    restore(to, f"sqlite:///{other}", replace=True)


def numbered(chance: random.Random, number: int) -> Arguments:
    """Nothing but the number of the step."""
    return {"number": number}


OPERATIONS = {
    "records": Operation(_records, ingest, 6),
    "subjects": Operation(_subjects, ingest, 3),
    "undo": Operation(_undo, undo, 3),
    "submit": Operation(_submitted, submit, 4, repeats=False),
    "mark": Operation(_mark, mark, 4, repeats=False),
    "settle": Operation(numbered, settle, 2, repeats=False),
    "score": Operation(_score, score, 3),
    "columns": Operation(numbered, columns, 3),
    "log": Operation(numbered, log, 3, repeats=False, logs=True),
    "anchor": Operation(numbered, anchor, 3, repeats=False, logs=True),
    "ticket": Operation(numbered, ticket, 1, repeats=False),
    "backup": Operation(numbered, backup, 2),
}
