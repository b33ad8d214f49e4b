"""``xinheng trials``: candidates that are graded beside the pack in force, and what they would change."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from rules.calendar import today
from rules.library.loader import file_text
from scoring.access.keys import owners_of
from scoring.answers.search import names_of
from scoring.cli.options import NUMBER, database_option, operator
from scoring.cli.output import SHOWN_OF_A_HASH, Format, listing_options, print_rows, progress, tell
from scoring.rulemaking import trials
from scoring.rulemaking.desk import By
from scoring.rulemaking.trials import MOST_BACK, Night
from scoring.store import Store, open_store
from scoring.store.packs import stored_pack
from scoring.store.rulebook import known_packs

TRIALS = {
    "id": "编号 no.",
    "pack_id": "评价规则 pack",
    "version": "版本 version",
    "pack_hash": "规则校验码 hash",
    "as_of": "最近一次 last run",
    "moved": "等级不同 other tier",
    "subjects": "主体数 subjects",
    "reason": "理由 reason",
    "started_by": "发起人 started by",
    "started_at": "开始 started",
    "ended_at": "结束 ended",
    "ending": "结束理由 why ended",
}
NIGHTS = {
    "as_of": "评价基准日 as of",
    "run_id": "批次 run",
    "against": "现行版本 version in force",
    "subjects": "主体数 subjects",
    "differ": "得分或等级不同 other score or tier",
    "moved": "等级不同 other tier",
}
RULES = {"rule": "规则 rule", "title": "名称 title", "subjects": "涉及主体数 subjects"}
MOVES = {
    "subject_id": "主体 subject",
    "name": "名称 name",
    "tier_before": "现行等级 tier in force",
    "tier": "候选等级 tier by the candidate",
    "rules": "涉及规则 rules",
    "since": "起 since",
    "until": "止 until",
}
number_argument = click.argument("number", type=NUMBER)
reason_option = click.option("--reason", required=True, help="Why; it stands in the audit log.")


@click.group("trials")
def trials_group() -> None:
    """Candidates that are graded beside the pack in force every night: who would be graded otherwise."""


@trials_group.command("start")
@click.argument("file", type=click.Path(path_type=Path))
@reason_option
@click.option(
    "--back",
    default=1,
    show_default=True,
    type=click.IntRange(0, MOST_BACK),
    help="Try it beside so many of the last runs at once.",
)
@database_option
def start_command(file: Path, reason: str, back: int, database: str | None) -> None:
    """Try the candidate in FILE beside each run of its pack from now on; nothing of it is published.

    It is tried as it stands, as if it had been in force on the day of each run: its first day may be one to
    come.

    Example: xinheng trials start draft.yaml --reason 第3次专题会议 --back 30
    """
    with closing(open_store(database)) as store:
        text = file_text(file).replace("\r\n", "\n")
        found = trials.start_trial(store, text, str(file), reason, _me(), today(), back)
        digest = found.pack_hash[:SHOWN_OF_A_HASH]
        tell(f"试运行 trial {found.id}: {found.pack_id} {found.version} {digest}", err=False)
        _tell_where_none(grade_trials(store, found.pack_id))


@trials_group.command("run")
@database_option
def run_command(database: str | None) -> None:
    """Grade the candidates beside the runs that came since, as xinheng score does after each run.

    Example: xinheng trials run
    """
    with closing(open_store(database)) as store:
        _tell_where_none(grade_trials(store))


@trials_group.command("list")
@database_option
@listing_options
def list_command(database: str | None, fmt: Format) -> None:
    """List trials, the newest first.

    Example: xinheng trials list --format json
    """
    with closing(open_store(database)) as store:
        found = trials.list_trials(store)
        owners = owners_of(store, {trial.started_by for trial in found})
        last = {one.id: night for one in found for night in trials.nights_of(store, one.id, 1)}
        titles = {"pack_id": {pack.id: pack.title for pack in known_packs(store)}}
    rows = (
        (asdict(last[one.id]) if one.id in last else {})
        | asdict(one)
        | {"started_by": owners.get(one.started_by, one.started_by)}
        for one in found
    )
    print_rows(rows, TRIALS, fmt, titles)


@trials_group.command("nights")
@number_argument
@database_option
@listing_options
def nights_command(number: int, database: str | None, fmt: Format) -> None:
    """List the runs beside which the candidate of NUMBER was graded, and how many it grades otherwise.

    Example: xinheng trials nights 1
    """
    with closing(open_store(database)) as store:
        trial = trials.get_trial(store, number)
        print_rows(map(asdict, trials.nights_of(store, trial.id)), NIGHTS, fmt)


@trials_group.command("rules")
@number_argument
@database_option
@listing_options
def rules_command(number: int, database: str | None, fmt: Format) -> None:
    """List by which rules subjects have another tier by the candidate of NUMBER, and how many.

    Example: xinheng trials rules 1
    """
    with closing(open_store(database)) as store:
        trial = trials.get_trial(store, number)
        counted = trials.counts_by_rule(trials.moves_of(store, trial.id))
        titles = trials.rule_titles(store, trial)
    rows = ({"rule": rule, "title": titles.get(rule), "subjects": many} for rule, many in counted.items())
    print_rows(rows, RULES, fmt)


@trials_group.command("show")
@number_argument
@click.option("--ended", is_flag=True, help="Also those who differ no more.")
@database_option
@listing_options
def show_command(number: int, ended: bool, database: str | None, fmt: Format) -> None:
    """List who has another tier by the candidate of NUMBER, by which rules and since when.

    Example: xinheng trials show 1 --xlsx 试运行.xlsx
    """
    with closing(open_store(database)) as store:
        trial, moves = trials.get_trial(store, number), trials.moves_of(store, number, ended)
        pack = stored_pack(store, trial.pack_hash)
        names = names_of(store, pack.vocabulary.id, {move.subject_id for move in moves})
        titles = {"rules": trials.rule_titles(store, trial)}
    rows = ({**asdict(move), "name": names.get(move.subject_id)} for move in moves)
    print_rows(rows, MOVES, fmt, titles)


@trials_group.command("end")
@number_argument
@reason_option
@database_option
def end_command(number: int, reason: str, database: str | None) -> None:
    """End the trial of NUMBER; what it has found stays.

    Example: xinheng trials end 1 --reason 已提交施行
    """
    with closing(open_store(database)) as store:
        found = trials.end_trial(store, number, reason, _me())
        tell(f"试运行 trial {found.id}: 已结束 ended", err=False)


def grade_trials(store: Store, pack_id: str | None = None) -> int:
    """Grade what is on trial beside new runs, and say of each how many differ.

    :return: of how many.
    :raises SimulationError: where a candidate can't be compared any more.
    """
    with progress("试运行 trials"):
        found = list(trials.grade_trials(store, today(), pack_id))
    for night in found:
        tell(_said(night))
    return len(found)


def _tell_where_none(graded: int) -> None:
    if not graded:
        tell(
            "没有可对照的新批次：此后发布的批次将自动对照"
            " no new run to stand beside: it is graded beside those that are published from now on"
        )


def _said(night: Night) -> str:
    return (
        f"试运行 trial {night.trial_id}: {night.as_of}, {night.moved:,}/{night.subjects:,}"
        f" 等级不同 with another tier, {night.differ:,} 得分或等级不同 with another score or tier"
    )


def _me() -> By:
    return By(operator(), "operator")
