"""``xinheng paths``: which lawful steps lead to a better tier, and on which day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click

from rules.words import number
from scoring.answers.paths import MOST_STEPS, Paths, Step, paths_of
from scoring.answers.paths_json import paths_document
from scoring.cli.options import database_option
from scoring.cli.output import Format, format_option, print_rows
from scoring.store import open_store

COLUMNS = {
    "reached_on": "达到 reached on",
    "until": "保持至 until",
    "tier": "等级 tier",
    "score": "得分 score",
    "steps": "步骤 steps",
}


@click.command("paths")
@click.argument("subject")
@click.option("--tier", help="The tier to reach; by default the one above its own.")
@click.option("--pack", "pack_id", default="enterprise-credit", show_default=True, help="The pack's id.")
@database_option
@format_option
def paths_command(subject: str, tier: str | None, pack_id: str, database: str | None, fmt: Format) -> None:
    """List the smallest sets of lawful steps that bring SUBJECT (its credit code) to a better tier, and when.

    Steps are the remedies of the pack, each on the first day on which it may be done; a row without steps is
    waiting. No set is listed of which a part reaches the tier as early.

    Example: xinheng paths 91500159MAXKF9G70Q --tier B
    """
    with closing(open_store(database)) as store:
        found = paths_of(store, pack_id, subject, tier)
    if fmt == "json":
        click.echo(json.dumps(paths_document(found), ensure_ascii=False, indent=2))
        return
    print_rows(_rows(found), COLUMNS, fmt)
    click.echo("，".join(_said(found)), err=True)


def _rows(found: Paths) -> Iterator[dict[str, Any]]:
    for path in found.paths:
        yield {
            "reached_on": path.reached_on,
            "until": path.until,
            "tier": path.tier,
            "score": number(path.score),
            "steps": [_step(step) for step in path.steps] or "等待 waiting",
        }


def _step(step: Step) -> str:
    return f"{step.on} {step.remedy.title} ({step.record_id})"


def _said(found: Paths) -> Iterator[str]:
    if found.target is None:
        yield f"已是最好等级 {found.tier} is the best tier"
        return
    yield f"{found.tier} → {found.target}"
    yield f"可用步骤 steps open {len(found.steps)}"
    yield f"已试 sets tried {found.tried}（每组至多 of at most {MOST_STEPS} 步 steps）"
    if found.untried:
        yield f"未试 sets not tried {found.untried} 或更多 or more"
