"""``xinheng proposals``: runs that are proposed, from the falls that they would bring to the last word."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict

import click

from scoring.answers.notices.compute import Notice, Reason, notice_of_proposal
from scoring.answers.notices.files import rule_changes
from scoring.cli.options import NUMBER, database_option, operator
from scoring.cli.output import Format, limit_option, listing_options, print_rows, progress, tell
from scoring.facts.ingest.keys import subject_key
from scoring.runs import proposals
from scoring.runs.proposed import STATES, ProposalSummary, list_falls, list_proposals, show_proposal
from scoring.store import open_store

COLUMNS = {
    "id": "编号 no.",
    "pack_id": "评价规则 pack",
    "as_of": "评价基准日 as of",
    "state": "状态 state",
    "until": "意见期限 answers until",
    "falls": "将下降 would fall",
    "told": "已告知 told",
    "answered": "已答复 answered",
    "run_id": "批次 run",
}
FALLS = {
    "subject_id": "主体 subject",
    "tier_before": "原等级 tier before",
    "tier": "拟评等级 tier",
    "score_before": "原得分 score before",
    "score": "拟评得分 score",
    "reasons": "主要原因 reasons",
    "told_at": "告知 told",
    "answers": "意见 answers",
}


def row_of(found: ProposalSummary) -> dict[str, object]:
    """A proposal's row of a listing."""
    return asdict(found)


@click.group("proposals")
def proposals_group() -> None:
    """Runs that are proposed: who would fall and their answers; publish or withdraw one."""


@proposals_group.command("list")
@limit_option(most=1000, default=20)
@database_option
@listing_options
def list_command(limit: int, database: str | None, fmt: Format) -> None:
    """List proposals, the newest first.

    Example: xinheng proposals list --format json
    """
    with closing(open_store(database)) as store:
        found = list_proposals(store, limit=limit)
    print_rows(map(row_of, found), COLUMNS, fmt, {"state": STATES})


@proposals_group.command("show")
@click.argument("number", type=NUMBER)
@limit_option(most=1_000_000)
@database_option
@listing_options
def show_command(number: int, limit: int, database: str | None, fmt: Format) -> None:
    """Show who would fall by the proposal of NUMBER, why, and what they answer.

    Example: xinheng proposals show 3 --format csv
    """
    with closing(open_store(database)) as store:
        found = show_proposal(store, number)
        tell(
            f"{found.id} {found.pack_id} {found.as_of}: {found.state}, 意见期限 answers until {found.until},"
            f" 将下降 would fall {found.falls:,}"
        )
        rows = (
            asdict(fall)
            | {"score_before": fall.score_before / 100, "score": fall.score / 100}
            | {"reasons": _reasons(notice_of_proposal(store, number, fall.subject_id))}
            | {"answers": [answer.text for answer in fall.answers]}
            for fall in list_falls(store, number, limit=limit)
        )
        print_rows(rows, FALLS, fmt)


@proposals_group.command("publish")
@click.argument("number", type=NUMBER)
@database_option
def publish_command(number: int, database: str | None) -> None:
    """Publish the proposal of NUMBER: once its term is over, or where nobody would fall.

    Judged again from the facts of the proposal; published if that gives the same, or not at all.

    Example: xinheng proposals publish 3
    """
    with closing(open_store(database)) as store, progress(f"拟发布 proposal {number}") as advance:
        outcome = proposals.publish_proposal(
            store, number, operator(), progress=lambda step, rows: advance(rows, 0)
        )
    tell(f"已发布 published as run {outcome.run.id}", err=False)


@proposals_group.command("withdraw")
@click.argument("number", type=NUMBER)
@click.option("--reason", required=True, help="Why; it stands beside the proposal.")
@database_option
def withdraw_command(number: int, reason: str, database: str | None) -> None:
    """Withdraw the proposal of NUMBER; nothing of it is published.

    Example: xinheng proposals withdraw 3 --reason 规则有误
    """
    with closing(open_store(database)) as store:
        proposals.withdraw_proposal(store, number, reason, operator())
    tell(f"已撤回 withdrawn: {number}", err=False)


@proposals_group.command("answer")
@click.argument("number", type=NUMBER)
@click.argument("subject")
@click.option("--text", required=True, help="What it says.")
@database_option
def answer_command(number: int, subject: str, text: str, database: str | None) -> None:
    """Note what SUBJECT, who would fall by the proposal of NUMBER, answers to it.

    Example: xinheng proposals answer 3 91500000MA00000000 --text 处罚决定已撤销
    """
    with closing(open_store(database)) as store:
        code = subject_key(show_proposal(store, number).vocabulary, subject)
        fall = proposals.answer_proposal(store, number, code, text, operator())
    tell(f"{fall.subject_id}: {len(fall.answers)} 条意见 answers", err=False)


def _effect(reason: Reason) -> str:
    """What a reason does to the tier, or to the points."""
    if reason.rule.tier:
        return f"≤{reason.rule.tier}"
    return str(reason.rule.limit or f"{reason.points / 100:+g}")


def _reasons(notice: Notice) -> list[str]:
    """The principal reasons, each in a line: rule, points, records and law; then how the rules changed."""
    pack = notice.now.pack
    reasons = [
        " ".join(
            part
            for part in (
                str(reason.rule.title),
                _effect(reason),
                "、".join(one.record_id for one in reason.counted if one.record_id),
                f"({'; '.join(pack.cite(citation).zh for citation in reason.rule.citations)})",
            )
            if part
        )
        for reason in notice.reasons
    ]
    return reasons + [str(said) for said in rule_changes(notice)]
