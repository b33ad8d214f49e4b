"""``xinheng repeat-offences``: who was found against again and again in one key field."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from functools import partial
from typing import Any

import click

from rules.model import Pack, Rule
from scoring.answers.repeat_offences import Repeat, repeat_offences
from scoring.cli.options import as_of_option, database_option, pack_of
from scoring.cli.output import Format, listing_options, print_rows
from scoring.store import open_store
from scoring.store.rulebook import known_packs

COLUMNS = {
    "field": "重点领域 field",
    "field_title": "领域名称 title",
    "subject_id": "主体编码 subject",
    "name": "名称 name",
    "findings": "次数 findings",
    "since": "自 since",
    "until": "至 until",
    "escalations": "升级处理 leads to",
    "records": "记录 records",
}


@click.command("repeat-offences")
@click.option(
    "--pack", "pack_name", default="enterprise-credit", show_default=True, help="A pack's id, or its file."
)
@as_of_option
@click.option(
    "--at-least", default=2, show_default=True, type=click.IntRange(min=1), help="So many findings."
)
@click.option("--field", "field", help="Of this field alone.")
@database_option
@listing_options
def offences_command(
    pack_name: str, as_of: dt.date, at_least: int, field: str | None, database: str | None, fmt: Format
) -> None:
    """List repeat offenders by field: their findings, and which rules of the pack their number meets.

    What counts as a finding, and for how long, is the pack's.

    Example: xinheng repeat-offences --as-of 2026-07-31 --at-least 3 --field wages
    """
    with closing(open_store(database)) as store:
        pack = pack_of(pack_name, as_of, partial(known_packs, store))
        if field is not None:
            _check_field(pack, field)
        found = repeat_offences(store, pack, as_of, at_least)
    print_rows((_row(repeat) for repeat in found if field in (None, repeat.field)), COLUMNS, fmt)


def _check_field(pack: Pack, field: str) -> None:
    columns = pack.vocabulary.records.columns if pack.vocabulary.records else {}
    known = columns["field"].values if "field" in columns else {}
    if field not in known:
        raise click.BadParameter(
            f"没有这个领域 '{field}' is none of the fields {', '.join(known)}", param_hint="--field"
        )


def _row(repeat: Repeat) -> dict[str, Any]:
    return {
        "field": repeat.field,
        "field_title": str(repeat.field_title),
        "subject_id": repeat.subject_id,
        "name": repeat.attributes.get("name"),
        "findings": len(repeat.records),
        "since": repeat.since,
        "until": repeat.until,
        "escalations": "; ".join(map(_escalation, repeat.escalations)),
        "records": ", ".join(repeat.records),
    }


def _escalation(rule: Rule) -> str:
    return f"{rule.title} [{rule.id}]"
