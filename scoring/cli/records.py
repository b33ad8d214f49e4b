"""``xinheng records``: what only a person settles about records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import click

from rules.calendar import today
from rules.library.loader import load_vocabulary
from rules.model import Column, Vocabulary
from scoring.cli.cases import status_titles, store_of, vocabulary_option
from scoring.cli.options import NUMBER, database_option, operator
from scoring.cli.output import Format, Titles, limit_option, listing_options, print_rows, tell
from scoring.facts.cases import STEP_TITLES
from scoring.facts.merging import AUTHORITY
from scoring.facts.settling import (
    Contradiction,
    OpenProposal,
    Ruling,
    Twins,
    list_contradictions,
    list_proposals,
    list_twins,
    resolve_contradiction,
    search_twins,
    settle_proposals,
    settle_twins,
)

CONTRADICTION = {
    "id": "编号 no.",
    "record_id": "记录 record",
    "subject_id": "主体 subject",
    "status": "本中心决定 stands",
    "mark_kind": "依据 by",
    "claimed": "部门报送 claimed",
    "differs": "差异 differs",
    "file_id": "文件 file",
    "row_no": "行 row",
    "raised_at": "发现 raised",
}
TWINS = {
    "id": "编号 no.",
    "subject_id": "主体 subject",
    "first": "记录 one",
    "second": "记录 other",
    "same": "相同 the same",
    "differs": "差异 differs",
    "found_at": "发现 found",
}
PROPOSAL = {
    "id": "编号 no.",
    "record_id": "记录 record",
    "subject_id": "主体 subject",
    "authority": "认定机关 authority",
    "meanwhile": "暂按 counts as",
    "proposed": "建议 proposed",
    "because": "依据 because",
    "raised_at": "提出 raised",
}

reason_option = click.option("--reason", required=True, help="Why; it stands beside the record.")


@click.group("records")
def records_group() -> None:
    """Settle what only a person can: contradictions of decisions, decisions under two numbers, classes."""


@records_group.command("contradictions")
@vocabulary_option
@limit_option()
@database_option
@listing_options
def contradictions_command(vocabulary: str, limit: int, database: str | None, fmt: Format) -> None:
    """List rows of offices that say another status than a decision made here, which stands.

    Example: xinheng records contradictions --format csv
    """
    with store_of(database) as store:
        words = load_vocabulary(vocabulary)
        found = list_contradictions(store, words, limit=limit)
    columns = _columns(words, fmt)
    titles: Titles = {
        "mark_kind": STEP_TITLES,
        **dict.fromkeys(("status", "claimed"), status_titles(vocabulary)),
    }
    print_rows((_contradiction(each, columns) for each in found), CONTRADICTION, fmt, titles)


@records_group.command("resolve")
@click.argument("number", type=NUMBER)
@click.option(
    "--accept/--confirm", required=True, default=None, help="The office's status, or the one that stands."
)
@reason_option
@vocabulary_option
@database_option
def resolve_command(number: int, accept: bool, reason: str, vocabulary: str, database: str | None) -> None:
    """Resolve the contradiction of NUMBER. After --accept the office's rows say the status again.

    Example: xinheng records resolve 3 --confirm --reason 异议决定有效
    """
    with store_of(database) as store:
        words = load_vocabulary(vocabulary)
        mark = resolve_contradiction(store, words, number, accept, _ruling(reason))
    tell(f"{mark.record_id}: {mark.status_after}", err=False)


@records_group.command("twins")
@click.option("--search", is_flag=True, help="Look through all records first, also those of long ago.")
@vocabulary_option
@limit_option()
@database_option
@listing_options
def twins_command(search: bool, vocabulary: str, limit: int, database: str | None, fmt: Format) -> None:
    """List records that may be one decision under two numbers; both count until that is settled.

    Example: xinheng records twins --search
    """
    with store_of(database) as store:
        words = load_vocabulary(vocabulary)
        if search:
            search_twins(store, words, dt.datetime.now(dt.UTC))
        found = list_twins(store, words, limit=limit)
    columns = _columns(words, fmt)
    print_rows((_twins(each, columns) for each in found), TWINS, fmt)


@records_group.command("settle")
@click.argument("number", type=NUMBER)
@click.option("--keep", help="They are one decision; this record counts, the other is revoked.")
@click.option("--different", is_flag=True, help="They are two decisions; both count.")
@reason_option
@vocabulary_option
@database_option
def settle_command(
    number: int, keep: str | None, different: bool, reason: str, vocabulary: str, database: str | None
) -> None:
    """Settle what the twins of NUMBER are.

    Example: xinheng records settle 5 --keep HH900006 --reason 同一处罚决定书重复报送
    """
    if (keep is None) != different:
        raise click.UsageError("--keep与--different须选其一 say one of --keep and --different")
    with store_of(database) as store:
        revoked = settle_twins(store, load_vocabulary(vocabulary), number, keep, _ruling(reason))
    tell(f"{revoked}: 已撤销 revoked" if revoked else "两项决定 two decisions", err=False)


@records_group.command("proposals")
@vocabulary_option
@limit_option()
@database_option
@listing_options
def proposals_command(vocabulary: str, limit: int, database: str | None, fmt: Format) -> None:
    """List what the law proposes of records and a person must confirm: the gravest class of a penalty.

    Example: xinheng records proposals --format csv
    """
    with store_of(database) as store:
        words = load_vocabulary(vocabulary)
        found = list_proposals(store, words, limit=limit)
    print_rows((_proposal(each, words, fmt) for each in found), PROPOSAL, fmt)


@records_group.command("confirm")
@click.argument("numbers", type=NUMBER, nargs=-1, required=True)
@click.option("--as", "code", required=True, help="The code: the one proposed, or another.")
@reason_option
@vocabulary_option
@database_option
def confirm_command(
    numbers: tuple[int, ...], code: str, reason: str, vocabulary: str, database: str | None
) -> None:
    """Say of the records of proposals NUMBERS what the law proposes, or another code. Each gets a mark.

    Where one of them can't be said, none is.

    Example: xinheng records confirm 3 4 7 --as serious --reason 吊销许可证件
    """
    with store_of(database) as store:
        marks = settle_proposals(
            store, load_vocabulary(vocabulary), dict.fromkeys(numbers), code, _ruling(reason)
        )
    for mark in marks:
        tell(f"{mark.record_id}: {code}", err=False)


def _ruling(reason: str) -> Ruling:
    return Ruling(reason, operator(), today())


def _columns(words: Vocabulary, fmt: Format) -> Mapping[str, Column]:
    """The columns of records by whose titles people read names and codes; none for programs."""
    return words.records.columns if words.records and fmt == "table" else {}


def _contradiction(found: Contradiction, columns: Mapping[str, Column]) -> dict[str, object]:
    plain = {name: getattr(found, name) for name in CONTRADICTION if name != "differs"}
    return plain | {"differs": _differing(found.ours, found.theirs, columns)}


def _twins(found: Twins, columns: Mapping[str, Column]) -> dict[str, object]:
    (first, one), (second, other) = found.records.items()
    same = [name for name, value in one.items() if value is not None and other[name] == value]
    return {
        "id": found.id,
        "subject_id": found.subject_id,
        "first": first,
        "second": second,
        "same": [_name(name, columns) for name in same],
        "differs": _differing(one, other, columns),
        "found_at": found.found_at,
    }


def _proposal(found: OpenProposal, words: Vocabulary, fmt: Format) -> dict[str, object]:
    plain = {name: getattr(found, name) for name in PROPOSAL if name != "authority"}
    if fmt == "table" and words.records is not None:
        titles = words.records.columns[found.column].values
        plain |= {name: titles[plain[name]] for name in ("meanwhile", "proposed")}
    return plain | {"authority": found.record.get(AUTHORITY), "because": str(found.because)}


def _differing(one: Mapping[str, Any], other: Mapping[str, Any], columns: Mapping[str, Column]) -> list[str]:
    def said(name: str, value: object) -> object:
        known = columns[name].values if name in columns else {}
        return "—" if value is None else known[str(value)].zh if str(value) in known else value

    differing = [name for name in one if one[name] != other[name]]
    return [
        f"{_name(name, columns)}: {said(name, one[name])} / {said(name, other[name])}" for name in differing
    ]


def _name(name: str, columns: Mapping[str, Column]) -> str:
    return columns[name].title.zh if name in columns else name
