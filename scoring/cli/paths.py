"""``xinheng paths``: which lawful steps lead to a better tier, and on which day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click

from rules.calendar import today
from rules.language.words import number
from rules.model import Title
from scoring.answers.paths import Nearest, Paths, Step, paths_of
from scoring.answers.paths_json import paths_document
from scoring.cli.options import database_option
from scoring.cli.output import Format, format_option, print_rows, tell
from scoring.store import open_store

COLUMNS = {
    "reached_on": "达到 reached on",
    "until": "保持至 until",
    "tier": "等级 tier",
    "score": "得分 score",
    "steps": "步骤 steps",
}

TOO_MANY = Title(
    "组合过多，未全部试过，可能还有步骤更少或更早的；已全部试过的步数上限",
    "too many sets to try: others may have fewer steps or an earlier day; all were tried up to this size:",
)
HELD = Title("按现状计算，步骤可能改变它", "held as it stands, although steps may move it")


@click.command("paths")
@click.argument("subject")
@click.option("--tier", help="The tier to reach; by default the one above its own.")
@click.option("--pack", "pack_id", default="enterprise-credit", show_default=True, help="The pack's id.")
@database_option
@format_option
def paths_command(subject: str, tier: str | None, pack_id: str, database: str | None, fmt: Format) -> None:
    """List the smallest sets of lawful steps that bring SUBJECT (its credit code) to a better tier, and when.

    Steps are the remedies of the pack, each on the first day on which it may be done; a row without steps is
    waiting. No set is listed of which a part reaches the tier as early. Where there are too many sets to try
    them all, that is said.

    Example: xinheng paths 91500159MAXKF9G70Q --tier B
    """
    with closing(open_store(database)) as store:
        found = paths_of(store, pack_id, subject, tier, today())
    if fmt == "json":
        click.echo(json.dumps(paths_document(found), ensure_ascii=False, indent=2))
        return
    print_rows(_rows(found), COLUMNS, fmt)
    for line in _said(found):
        tell(line)


def _rows(found: Paths) -> Iterator[dict[str, Any]]:
    for path in found.found.paths:
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
    search, nearest = found.found, found.found.nearest
    yield f"{found.tier} → {found.target}，可用步骤 steps open {len(found.steps)}"
    yield f"已试组合 sets tried {search.tried}"
    if nearest is not None:
        best = f"{nearest.tier} {number(nearest.score)} ({nearest.on})"
        yield f"最多只到 the best is {best}{_short_of(nearest)}"
    if not search.complete:
        yield f"{TOO_MANY} {search.tried_to}"
    for measure in found.held:
        yield f"{HELD}: {measure.title}"


def _short_of(nearest: Nearest) -> str:
    if nearest.veto is not None:
        return f"，因 because of {nearest.veto.title}"
    return "" if nearest.lowest is None else f"，需要 it takes {number(nearest.lowest)}"
