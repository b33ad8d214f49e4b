"""``xinheng repairs``: applications for the repair of records, to the decision and, after a breach, back."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import click

from rules.calendar import today
from rules.library.loader import load_vocabulary
from scoring.cli.cases import (
    case_row,
    evidence_of,
    kinds_of_records,
    list_options,
    print_marks,
    step_options,
    store_of,
    tell_case,
    tell_mark,
    vocabulary_option,
    wanted_cases,
)
from scoring.cli.options import NUMBER, Day, database_option, operator
from scoring.cli.output import Format, Titles, format_option, listing_options, print_rows, tell
from scoring.facts.merging import REPAIRED
from scoring.facts.objections import Kind, MarkRequest, mark_record
from scoring.facts.repair_case import STAGE_TITLES
from scoring.facts.repair_desk import DESK, repair_figures
from scoring.facts.repairs import Commitment
from scoring.live.events import records_arrived

COLUMNS = {
    "id": "编号 no.",
    "record_id": "记录 record",
    "subject_id": "主体 subject",
    "authority": "认定单位 authority",
    "stage": "环节 stage",
    "filed_on": "申请 applied",
    "due_on": "期限 due",
    "decided_on": "决定 decided",
    "escalations": "升级 escalated",
}
TITLES: Titles = {"stage": STAGE_TITLES}
FIGURES = {
    "office": "单位 office",
    "filed": "申请 applied",
    "open": "待办 open",
    "overdue": "逾期 overdue",
    "returned": "退回 returned",
    "repaired": "修复 repaired",
    "refused": "不予修复 refused",
    "undone": "撤销 undone",
    "median_days": "中位天数 median days",
}


@click.group("repairs")
def repairs_group() -> None:
    """Repairs of records: apply, admit, decide, undo after a breach; who is late, and figures by office."""


@repairs_group.command("list")
@list_options
def list_command(
    is_open: bool, overdue: bool, limit: int, vocabulary: str, database: str | None, fmt: Format
) -> None:
    """List applications for repair, the longest waiting first.

    Example: xinheng repairs list --overdue --format csv
    """
    with store_of(database) as store:
        wanted = wanted_cases(is_open, overdue)
        found = DESK.list(store, load_vocabulary(vocabulary).id, wanted, limit)
    print_rows(map(case_row, found), COLUMNS, fmt, TITLES)


@repairs_group.command("show")
@click.argument("number", type=NUMBER)
@database_option
@format_option
def show_command(number: int, database: str | None, fmt: Format) -> None:
    """Show the commitment of the application of NUMBER, and what was done about it.

    Example: xinheng repairs show 7
    """
    with store_of(database) as store:
        found = DESK.show(store, number)
        tell_case(found, STAGE_TITLES)
        tell(f"{found.marks[0].committed_on} {found.marks[0].commitment}")
        print_marks(store, found, fmt)


@repairs_group.command("apply")
@click.option("--commitment", required=True, help="What is promised: its words.")
@click.option(
    "--committed-on", type=Day(), default=today, show_default="today", help="The day of the commitment."
)
@step_options
def apply_command(commitment: str, committed_on: dt.date, **given: Any) -> None:
    """Apply for the repair of RECORD, with a document that shows that every duty is fulfilled.

    Example: xinheng repairs apply XZ-1 --reason 罚款已缴 --evidence JK-1 --commitment 材料属实，违诺愿担责
    """
    _mark("application", "", commitment=Commitment(commitment, committed_on), **given)


@repairs_group.command("admit")
@step_options
def admit_command(**given: Any) -> None:
    """Admit the application for the repair of RECORD: it is then to be decided within its term.

    Example: xinheng repairs admit XZ-1 --reason 材料齐全
    """
    _mark("admission", "", **given)


@repairs_group.command("return")
@step_options
def return_command(**given: Any) -> None:
    """Return the application for the repair of RECORD: what it lacks is the reason.

    Example: xinheng repairs return XZ-1 --reason 缺少缴款凭证
    """
    _mark("return", "", **given)


@repairs_group.command("decide")
@click.option("--repaired/--refused", required=True, default=None, help="The record is repaired, or not.")
@step_options
def decide_command(repaired: bool, **given: Any) -> None:
    """Decide the application for the repair of RECORD: what rested on a repaired record is lifted.

    Example: xinheng repairs decide XZ-1 --repaired --reason 义务已履行
    """
    _mark(*(("repair", REPAIRED) if repaired else ("refusal", "")), **given)


@repairs_group.command("undo")
@step_options
def undo_command(**given: Any) -> None:
    """Undo the repair of RECORD after a breach of its commitment: the record is effective again, for good.

    Example: xinheng repairs undo XZ-1 --reason 缴款凭证系伪造 --evidence DC-1
    """
    _mark("breach", "effective", **given)


@repairs_group.command("figures")
@click.option("--since", type=Day(), help="Only applications filed on this day or later.")
@vocabulary_option
@database_option
@listing_options
def figures_command(since: dt.date | None, vocabulary: str, database: str | None, fmt: Format) -> None:
    """By office: applications for the repair of its records, and median working days to a decision.

    Example: xinheng repairs figures --since 2026-01-01 --format csv
    """
    with store_of(database) as store:
        found = repair_figures(store, load_vocabulary(vocabulary).id, today(), since)
    print_rows(map(asdict, found), FIGURES, fmt)


@repairs_group.command("tick")
@database_option
@listing_options
def tick_command(database: str | None, fmt: Format) -> None:
    """Escalate what is overdue: once a day, from the system's timer.

    Example: xinheng repairs tick
    """
    with store_of(database) as store:
        done = [found for kind in kinds_of_records() for found in DESK.tick(store, kind, today())]
    print_rows(map(case_row, done), COLUMNS, fmt, TITLES)


def _mark(
    kind: Kind, status: str, *, record: str, reason: str, evidence: tuple[str, ...], day: dt.date,
    vocabulary: str, database: str | None, commitment: Commitment | None = None,
) -> None:  # fmt: skip
    documents = evidence_of(evidence)
    wanted = MarkRequest(kind, status, day, reason, documents, operator(), commitment=commitment)
    with store_of(database) as store:
        mark = mark_record(store, load_vocabulary(vocabulary), record, wanted)
        records_arrived(store, vocabulary, [mark.record_id])
    tell_mark(mark, vocabulary)
