"""``xinheng objections``: objections to records, from filing to the last word."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import click

from rules.calendar import today
from rules.library.loader import load_vocabulary
from scoring.answers.either_way import EitherWay, either_way
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
from scoring.cli.output import Format, Titles, format_option, listing_options, print_rows
from scoring.facts import objection_desk
from scoring.facts.objection_case import OUTCOME_TITLES, OUTCOMES, STAGE_TITLES
from scoring.facts.objections import Kind, MarkRequest, mark_record

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
WAYS = {
    "pack": "评价 pack",
    "now": "目前 now",
    "upheld": "异议成立 upheld",
    "rejected": "驳回 rejected",
}
TITLES: Titles = {"stage": STAGE_TITLES, "outcome": OUTCOME_TITLES}
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


@click.group("objections")
def objections_group() -> None:
    """Objections to records: file, acknowledge, decide, review; who is late, and figures by office."""


@objections_group.command("list")
@list_options
def list_command(
    is_open: bool, overdue: bool, limit: int, vocabulary: str, database: str | None, fmt: Format
) -> None:
    """List objections, the longest waiting first.

    Example: xinheng objections list --overdue --format csv
    """
    with store_of(database) as store:
        wanted, words = wanted_cases(is_open, overdue), load_vocabulary(vocabulary)
        found = objection_desk.list_objections(store, words.id, wanted, limit)
    print_rows(map(case_row, found), COLUMNS, fmt, TITLES)


@objections_group.command("show")
@click.argument("number", type=NUMBER)
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
        tell_case(found, STAGE_TITLES)
        print_marks(store, found, fmt)
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
@listing_options
def figures_command(since: dt.date | None, vocabulary: str, database: str | None, fmt: Format) -> None:
    """By office: objections to its records, how many were upheld, and median working days to a decision.

    Example: xinheng objections figures --since 2026-01-01 --format csv
    """
    with store_of(database) as store:
        found = objection_desk.figures(store, load_vocabulary(vocabulary).id, today(), since)
    print_rows(map(asdict, found), FIGURES, fmt)


@objections_group.command("tick")
@database_option
@listing_options
def tick_command(database: str | None, fmt: Format) -> None:
    """Escalate what is overdue: once a day, from the system's timer.

    Example: xinheng objections tick
    """
    with store_of(database) as store:
        done = [found for kind in kinds_of_records() for found in objection_desk.tick(store, kind, today())]
    print_rows(map(case_row, done), COLUMNS, fmt, TITLES)


def _mark(
    kind: Kind, status: str, *, record: str, reason: str, evidence: tuple[str, ...], day: dt.date,
    vocabulary: str, database: str | None, office: str | None = None,
) -> None:  # fmt: skip
    wanted = MarkRequest(kind, status, day, reason, evidence_of(evidence), operator(), office)
    with store_of(database) as store:
        tell_mark(mark_record(store, load_vocabulary(vocabulary), record, wanted), vocabulary)


def _way(way: EitherWay) -> dict[str, object]:
    grades = {"now": way.now, "upheld": way.upheld, "rejected": way.rejected}
    shown = {name: f"{grade.tier} {grade.score / 100:g}" for name, grade in grades.items()}
    return {"pack": f"{way.pack.id} {way.pack.version}", **shown}
