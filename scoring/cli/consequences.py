"""``xinheng consequences``: the measures that offices apply because of grades and records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict

import click

from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.library.sanctions import sanctions
from rules.titles import Title
from scoring.answers.validation.kinds import kinds_of
from scoring.cli.cases import store_of, vocabulary_option
from scoring.cli.options import NUMBER, Day, database_option, operator
from scoring.cli.output import Format, limit_option, listing_options, print_rows, tell
from scoring.facts.consequences import (
    Consequence,
    ConsequenceRefusedError,
    NewConsequence,
    enter_consequence,
    lift_consequence,
    list_consequences,
)
from scoring.facts.ingest.keys import ENTERPRISES, subject_key
from scoring.runs.ground import published_grade

COLUMNS = {
    "id": "编号 no.",
    "subject_id": "主体 subject",
    "office": "实施单位 office",
    "told": "措施 measure",
    "ground": "依据 ground",
    "begins_on": "实施 from",
    "ends_on": "最迟 at the latest",
    "lifted_on": "解除 lifted",
    "lifted_because": "解除理由 because",
}
CLAUSES = {
    "id": "条款 clause",
    "number": "序号 no.",
    "measure": "措施 measure",
    "what": "内容 what",
    "basis": "依据 basis",
    "records": "须依据的记录 records",
}


@click.group("consequences")
def consequences_group() -> None:
    """Measures applied because of grades and records: enter, lift and list them; the national list."""


@consequences_group.command("measures")
@listing_options
def measures_command(fmt: Format) -> None:
    """List the clauses of the national list: nothing else can be entered.

    Example: xinheng consequences measures
    """
    found = sanctions()
    if not found.is_checked:
        tell("条目未与公布文本核对 not yet compared with the published list")
    rows = (
        asdict(clause)
        | {"measure": str(clause.measure), "what": str(clause.what), "records": " ".join(clause.records)}
        for clause in found.clauses.values()
    )
    told = {" ".join(clause.records): _kinds(clause.records) for clause in found.clauses.values()}
    print_rows(rows, CLAUSES, fmt, {"records": told})


def _kinds(codes: Collection[str]) -> Title:
    """What kinds of records are called."""
    kinds = kinds_of(load_vocabulary(ENTERPRISES))
    titles = [kinds.get(code, Title(code, code)) for code in codes]
    return Title("、".join(title.zh for title in titles), ", ".join(title.en for title in titles))


@consequences_group.command("list")
@click.option("--subject", help="Only those applied to this subject.")
@click.option("--office", help="Only those of this office.")
@click.option("--standing", is_flag=True, help="Only those that are still applied.")
@limit_option()
@vocabulary_option
@database_option
@listing_options
def list_command(
    subject: str | None, office: str | None, standing: bool, limit: int, vocabulary: str,
    database: str | None, fmt: Format,
) -> None:  # fmt: skip
    """List the measures that were applied, in the order in which they were entered.

    Example: xinheng consequences list --standing --format csv
    """
    words = load_vocabulary(vocabulary)
    key = subject and subject_key(words, subject)
    with store_of(database) as store:
        found = list_consequences(
            store, words.id, subject_id=key, office=office, standing=standing, limit=limit
        )
    print_rows(map(_row, found), COLUMNS, fmt)


@consequences_group.command("enter")
@click.argument("subject")
@click.option("--office", required=True, help="Who applies the measure.")
@click.option("--clause", required=True, help="Of the national list: xinheng consequences measures.")
@click.option("--record", help="The record that it rests on.")
@click.option("--pack", help="Or the pack by whose latest grade it is applied.")
@click.option("--reason", required=True, help="Why; it stands beside the measure.")
@click.option("--on", "day", type=Day(), default=today, show_default="today", help="From when.")
@vocabulary_option
@database_option
def enter_command(
    subject: str, office: str, clause: str, record: str | None, pack: str | None, reason: str, day: dt.date,
    vocabulary: str, database: str | None,
) -> None:  # fmt: skip
    """Enter a measure that an office applies to SUBJECT, because of a record or of its grade.

    Example: xinheng consequences enter 91500232MA5U00001M --office 区财政局 --clause procurement
    --record XZ-1 --reason 列入不良行为记录名单
    """
    with store_of(database) as store:
        if (record is None) == (pack is None):
            raise ConsequenceRefusedError(
                Title("依据须为一条记录或一项评价", "give --record or --pack, and not both")
            )
        ground = record if record is not None else published_grade(store, str(pack), subject)
        wanted = NewConsequence(subject, office, clause, ground, reason, day, operator())
        found = enter_consequence(store, load_vocabulary(vocabulary), wanted)
    tell(f"{found.id}: {found.told}", err=False)


@consequences_group.command("lift")
@click.argument("number", type=NUMBER)
@click.option("--reason", required=True, help="Why.")
@click.option("--on", "day", type=Day(), default=today, show_default="today", help="From when.")
@database_option
def lift_command(number: int, reason: str, day: dt.date, database: str | None) -> None:
    """Lift the measure of NUMBER. What rests on a record is lifted with its repair by itself.

    Example: xinheng consequences lift 7 --reason 期限届满
    """
    with store_of(database) as store:
        found = lift_consequence(store, number, reason, operator(), day)
    tell(f"{found.id}: {found.lifted_on}", err=False)


def _row(found: Consequence) -> dict[str, object]:
    ground = found.record_id or f"{found.tier} (run {found.run_id})"
    because = str(found.lifted_because or "")
    return asdict(found) | {"ground": ground, "told": str(found.told), "lifted_because": because}
