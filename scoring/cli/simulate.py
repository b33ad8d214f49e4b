"""``xinheng simulate``: what a new pack would do to everybody, with nothing published."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from rules.calendar import today
from rules.library.references import named_pack
from rules.model import Pack
from scoring.answers.simulate import Simulation, SimulationError, simulate
from scoring.answers.trial_population import Source, open_population
from scoring.characters.formulas import inert
from scoring.cli.options import Day, database_option, known_by
from scoring.cli.output import Format, NewFile, format_option, print_rows, progress, tell
from scoring.store.scratch import whole_file

MOVERS_SHOWN = 20
RULES = {
    "rule": "规则 rule",
    "title": "名称 title",
    "subjects": "主体数 subjects",
    "movers": "其中等级变化 of them moving",
    "hits_before": "触发次数（前） hits before",
    "hits_after": "触发次数（后） hits after",
    "points_before": "分值前 points before",
    "points_after": "分值后 points after",
}
SCORES = {"lowest": "得分 score from", "before": "前 before", "after": "后 after"}
GROUPS = {
    "attribute": "属性 attribute",
    "value": "取值 value",
    "tier": "等级 tier",
    "before": "前 before",
    "after": "后 after",
}
MOVERS = {
    "subject_id": "主体 subject",
    "tier_before": "原等级 from",
    "tier_after": "新等级 to",
    "score_before": "原得分 score before",
    "score_after": "新得分 score after",
    "rules": "变化的规则 rules that differ",
}
_POINTS = ("points_before", "points_after", "lowest", "score_before", "score_after")
_LISTING = ("part", "name", "tier", "before", "after", "subjects", "movers", "hits_before", "hits_after",
            "points_before", "points_after")  # fmt: skip


@click.command("simulate")
@click.option("--pack", required=True, help="The new pack: a file, or id@version.")
@click.option(
    "--against",
    default="current",
    show_default=True,
    help="The pack to compare with: current (the installed version in force), id@version or a file.",
)
@click.option(
    "--subjects", type=click.Path(path_type=Path), help="Grade this file (csv, parquet), not the store."
)
@click.option("--records", type=click.Path(path_type=Path), help="The records about them.")
@click.option("--by", multiple=True, help="An attribute to group by; by default every one with codes.")
@click.option("--movers", type=NewFile(".csv"), help="List all who move here (CSV).")
@click.option(
    "--as-of",
    type=Day(),
    help="The date of the results; by default today, or the first day of a pack that is yet to come.",
)
@database_option
@format_option
def simulate_command(
    pack: str,
    against: str,
    subjects: Path | None,
    records: Path | None,
    by: tuple[str, ...],
    movers: Path | None,
    as_of: dt.date | None,
    database: str | None,
    fmt: Format,
) -> None:
    """Grade everybody by a new pack and by another, and show who would move and why. Nothing is published.

    Example: xinheng simulate --pack draft.yaml --against current --movers movers.csv
    """
    if records is not None and subjects is None:
        raise click.UsageError("--records须与--subjects同用 --records go with --subjects")
    known = partial(known_by, database)
    after = named_pack(pack, as_of or today(), known)
    as_of = as_of or max(today(), after.in_force_from)
    before = named_pack(after.id if against == "current" else against, as_of, known)
    result = _simulated(before, after, as_of, Source(database, subjects, records), by)
    if movers is not None:
        _write_movers(result, movers)
    if fmt == "table":
        print_tables(result, after)
    else:
        {"json": _print_json, "csv": _print_listing}[fmt](result)


def _simulated(before: Pack, after: Pack, as_of: dt.date, source: Source, by: tuple[str, ...]) -> Simulation:
    with (
        progress(f"{before.version} → {after.version}"),
        open_population(source, after.vocabulary) as connection,
    ):
        try:
            return simulate(connection, before, after, as_of, by or None)
        except SimulationError as error:
            raise click.ClickException(str(error.told)) from None


_NO_RULE = (
    "各主体适用的规则及分值相同，等级变化出自分数线、基准分、维度上下限等"
    " The same rules give the same points: tiers change by where they begin, by the start or by bounds"
)


def print_tables(result: Simulation, pack: Pack) -> None:
    """Print who moves, by which rules, and how the scores and groups stand."""
    before, after = result.before, result.after
    tell(f"{before.pack} {before.version} → {after.pack} {after.version}，{result.as_of}", err=False)
    tell(
        f"{result.subjects:,} 个主体 subjects，{result.moved:,} 个等级变化 would change their tier", err=False
    )
    _heading("等级变化 From tier (row) to tier (column)")
    tiers = list(dict.fromkeys(t.after for t in result.transitions))
    print_rows(_matrix(result), {"before": "前 \\ 后 from \\ to", **{tier: tier for tier in tiers}}, "table")
    if result.rules:
        _heading("哪些规则 By which rules")
        print_rows(_rows(result.rules, RULES), RULES, "table")
    elif result.moved:
        _heading(_NO_RULE)
    _heading("得分分布 Scores")
    print_rows(_rows(result.scores, SCORES), SCORES, "table")
    if result.groups:
        _heading("分组 Groups")
        columns = {
            "attribute": "属性 attribute",
            "value": "取值 value",
            **{tier: tier for tier in pack.tiers},
        }
        print_rows(_group_lines(result, pack), columns, "table")
    _heading(f"等级变动主体 Who would move（{min(result.moved, MOVERS_SHOWN)} / {result.moved:,}）")
    print_rows(_movers(result, MOVERS_SHOWN), MOVERS, "table")


def _heading(text: str) -> None:
    tell(f"\n{text}", err=False)


def _matrix(result: Simulation) -> Iterator[dict[str, Any]]:
    for tier in dict.fromkeys(t.before for t in result.transitions):
        yield {"before": tier, **{t.after: t.subjects for t in result.transitions if t.before == tier}}


def _group_lines(result: Simulation, pack: Pack) -> Iterator[dict[str, str]]:
    """A line for every group; a tier's cell says how many have it, and how many would."""
    columns = pack.vocabulary.subject.columns
    for (attribute, value), shifts in groupby(result.groups, key=lambda s: (s.attribute, s.value)):
        title = columns[attribute].values.get(value or "")
        line = {"attribute": str(columns[attribute].title), "value": str(title or value or "未知 unknown")}
        yield line | {s.tier: _change(s.before, s.after) for s in shifts}


def _change(before: int, after: int) -> str:
    return str(after) if before == after else f"{before} → {after}"


def _print_json(result: Simulation) -> None:
    data = {
        "as_of": str(result.as_of),
        "before": _version(result.before),
        "after": _version(result.after),
        "subjects": result.subjects,
        "moved": result.moved,
        "transitions": list(_rows(result.transitions, ("before", "after", "subjects"))),
        "rules": list(_rows(result.rules, RULES)),
        "scores": list(_rows(result.scores, SCORES)),
        "groups": list(_rows(result.groups, GROUPS)),
        "movers": list(_movers(result)),
    }
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _version(version: Any) -> dict[str, str]:
    return {"pack": version.pack, "version": version.version, "hash": version.hash}


def _print_listing(result: Simulation) -> None:
    """Everything but who moves, as one listing; ``part`` says what a line is about."""
    lines = [
        {"part": "transition", **row} for row in _rows(result.transitions, ("before", "after", "subjects"))
    ]
    lines += [{"part": "rule", "name": row.pop("rule"), **row} for row in _rows(result.rules, RULES)]
    lines += [{"part": "score", "name": row.pop("lowest"), **row} for row in _rows(result.scores, SCORES)]
    lines += [{**row, "part": row["attribute"], "name": row["value"]} for row in _rows(result.groups, GROUPS)]
    print_rows(lines, _LISTING, "csv")


def _rows(entries: Any, columns: Any) -> Iterator[dict[str, Any]]:
    return ({name: _shown(name, getattr(entry, name)) for name in columns} for entry in entries)


def _shown(name: str, value: Any) -> Any:
    if name == "title":
        return str(value)
    return _points(value) if name in _POINTS else value


def _points(hundredths: int) -> int | float:
    """Points as a number; a whole number without decimals."""
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def _movers(result: Simulation, most: int | None = None) -> Iterator[dict[str, Any]]:
    table = result.movers if most is None else result.movers.slice(0, most)
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield {name: _shown(name, value) for name, value in row.items()}


def _write_movers(result: Simulation, path: Path) -> None:
    with (
        whole_file(path) as unfinished,
        unfinished.open("w", encoding="utf-8-sig", newline="") as file,  # Excel reads UTF-8 by its mark
    ):
        writer = csv.DictWriter(file, list(MOVERS))
        writer.writeheader()
        writer.writerows(map(_inert, _movers(result)))
    tell(f"written: {path}")


def _inert(row: dict[str, Any]) -> dict[str, Any]:
    return {name: inert(value) if isinstance(value, str) else value for name, value in row.items()}
