"""``xinheng objections``: objections to records, from filing to the last word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

import click

from rules.calendar import today
from rules.library.loader import installed_packs, load_vocabulary
from rules.titles import UnknownError
from scoring.access.keys import owners_of
from scoring.answers.either_way import EitherWay, either_way
from scoring.cli.options import Day, database_option, operator
from scoring.cli.output import Format, format_option, print_rows, tell
from scoring.facts import objection_desk
from scoring.facts.desk import Wanted
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objection_case import OUTCOMES
from scoring.facts.objection_desk import Objection
from scoring.facts.objections import Kind, MarkRequest, mark_record
from scoring.facts.records import RecordError
from scoring.store import Store, open_store

COLUMNS = {
    "id": "编号 no.",
    "record_id": "记录 record",
    "subject_id": "主体 subject",
    "authority": "认定单位 authority",
    "stage": "环节 stage",
    "filed_on": "提出 filed",
    "due_on": "期限 due",
    "outcome": "结果 outcome",
    "escalations": "升级 escalated",
}
MARKS = {
    "effective_on": "日期 on",
    "kind": "事项 step",
    "status_after": "记录状态 record",
    "reason": "理由 reason",
    "made_by": "办理 by",
    "owner": "持有人 owner",
    "made_at": "登记于 entered",
}
WAYS = {
    "pack": "评价 pack",
    "now": "目前 now",
    "upheld": "异议成立 upheld",
    "rejected": "驳回 rejected",
}
FIGURES = {
    "office": "单位 office",
    "filed": "提出 filed",
    "open": "待办 open",
    "overdue": "逾期 overdue",
    "decided": "已决定 decided",
    "upheld": "成立 upheld",
    "reviewed": "复核 reviewed",
    "median_days": "中位天数 median days",
}

vocabulary_option = click.option(
    "--vocabulary", default=ENTERPRISES, show_default=True, help="Of which records."
)


def step_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every step says: the record, why, what it rests on, on which day."""
    options = (
        click.argument("record"),
        click.option("--reason", required=True, help="Why; it stands beside the record."),
        click.option("--evidence", multiple=True, help="Number of a document that it rests on; repeatable."),
        click.option(
            "--on", "day", type=Day(), default=today, show_default="today", help="When it was done."
        ),
        vocabulary_option,
        database_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("objections")
def objections_group() -> None:
    """Objections to records: file, acknowledge, decide, review; who is late, and figures by office."""


@objections_group.command("list")
@click.option("--open", "is_open", is_flag=True, help="Those about which an office has to do something.")
@click.option("--overdue", is_flag=True, help="Those that are late.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many."
)
@vocabulary_option
@database_option
@format_option
def list_command(
    is_open: bool, overdue: bool, limit: int, vocabulary: str, database: str | None, fmt: Format
) -> None:
    """List objections, the longest waiting first.

    Example: xinheng objections list --overdue --format csv
    """
    with store_of(database) as store:
        wanted = Wanted(is_open=is_open, overdue_on=today() if overdue else None)
        found = objection_desk.list_objections(store, load_vocabulary(vocabulary).id, wanted, limit)
    print_rows(map(_row, found), COLUMNS, fmt)


@objections_group.command("show")
@click.argument("number", type=int)
@database_option
@format_option
def show_command(number: int, database: str | None, fmt: Format) -> None:
    """Show what was done about the objection of NUMBER, and what the grade would be either way.

    Example: xinheng objections show 7
    """
    with store_of(database) as store:
        found = objection_desk.show_objection(store, number)
        words = load_vocabulary(found.vocabulary)
        ways = either_way(store, words, found.subject_id, found.record_id, today())
        owners = owners_of(store, (mark.made_by for mark in found.marks))
    tell(_said(found))
    marks = (asdict(mark) | {"owner": owners.get(mark.made_by)} for mark in found.marks)
    print_rows(marks, MARKS, fmt)
    if fmt == "table":
        print_rows(map(_way, ways), WAYS, fmt)


@objections_group.command("file")
@step_options
def file_command(**given: Any) -> None:
    """File an objection to RECORD: it is disputed until that is decided.

    Example: xinheng objections file XZ-1 --reason 处罚对象有误 --evidence JK-2026-1
    """
    _mark("objection", "disputed", **given)


@objections_group.command("acknowledge")
@step_options
def acknowledge_command(**given: Any) -> None:
    """Acknowledge the objection to RECORD.

    Example: xinheng objections acknowledge XZ-1 --reason 材料齐全
    """
    _mark("acknowledgement", "disputed", **given)


@objections_group.command("decide")
@click.option(
    "--upheld/--rejected", required=True, default=None, help="The record is revoked, or effective again."
)
@click.option("--office", help="The office for which you decide: not on its own records.")
@step_options
def decide_command(upheld: bool, office: str | None, **given: Any) -> None:
    """Decide the objection to RECORD, or review its rejection: by somebody else than who decided first.

    Example: xinheng objections decide XZ-1 --upheld --reason 法院判决撤销
    """
    _mark("decision", OUTCOMES["upheld" if upheld else "rejected"], office=office, **given)


@objections_group.command("appeal")
@step_options
def appeal_command(**given: Any) -> None:
    """Note that the one review of the rejected objection to RECORD is asked for.

    Example: xinheng objections appeal XZ-1 --reason 有新证据
    """
    _mark("appeal", "disputed", **given)


@objections_group.command("figures")
@click.option("--since", type=Day(), help="Only objections made on this day or later.")
@vocabulary_option
@database_option
@format_option
def figures_command(since: dt.date | None, vocabulary: str, database: str | None, fmt: Format) -> None:
    """By office: objections to its records, how many were upheld, and median working days to a decision.

    Example: xinheng objections figures --since 2026-01-01 --format csv
    """
    with store_of(database) as store:
        found = objection_desk.figures(store, load_vocabulary(vocabulary).id, today(), since)
    print_rows(map(asdict, found), FIGURES, fmt)


@objections_group.command("tick")
@database_option
@format_option
def tick_command(database: str | None, fmt: Format) -> None:
    """Escalate what is overdue: once a day, from the system's timer.

    Example: xinheng objections tick
    """
    kinds = {pack.vocabulary.id: pack.vocabulary for pack in installed_packs() if pack.vocabulary.records}
    with store_of(database) as store:
        done = [found for words in kinds.values() for found in objection_desk.tick(store, words, today())]
    print_rows(map(_row, done), COLUMNS, fmt)


def _mark(
    kind: Kind, status: str, *, record: str, reason: str, evidence: tuple[str, ...], day: dt.date,
    vocabulary: str, database: str | None, office: str | None = None,
) -> None:  # fmt: skip
    documents = tuple({"title": number, "reference": number} for number in evidence)
    by = operator()
    wanted = MarkRequest(kind, status, day, reason, documents, by, office)
    with store_of(database) as store:
        mark = mark_record(store, load_vocabulary(vocabulary), record, wanted)
    tell(f"{mark.record_id}: {mark.kind}, {mark.status_after}", err=False)


def _said(found: Objection) -> str:
    due = f", 期限 due {found.case.due_on}" if found.case.due_on else ""
    return f"{found.id} {found.record_id} ({found.subject_id}): {found.case.stage}{due}"


def _row(found: Objection) -> dict[str, object]:
    known = {name: getattr(found, name) for name in ("id", "record_id", "subject_id", "authority")}
    return known | asdict(found.case)


def _way(way: EitherWay) -> dict[str, object]:
    grades = {"now": way.now, "upheld": way.upheld, "rejected": way.rejected}
    shown = {name: f"{grade.tier} {grade.score / 100:g}" for name, grade in grades.items()}
    return {"pack": f"{way.pack.id} {way.pack.version}", **shown}


@contextmanager
def store_of(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except (RecordError, UnknownError) as error:
            raise click.ClickException(str(error)) from None
