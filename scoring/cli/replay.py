"""``xinheng replay``: a published run had again, and held to what was published."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict

import click

from scoring.cli.options import NUMBER, database_option
from scoring.cli.output import Format, format_option, print_rows, progress, tell
from scoring.runs.replay import replay
from scoring.store import open_store

COLUMNS = {
    "table": "结果表 table",
    "subject_id": "主体 subject",
    "row": "行 row",
    "column": "列 column",
    "stored": "已发布 published",
    "replayed": "重算 replayed",
}


@click.command("replay")
@click.argument("run", type=NUMBER)
@click.option(
    "--most", default=100, show_default=True, type=click.IntRange(1), help="The most differences to list."
)
@database_option
@format_option
def replay_command(run: int, most: int, database: str | None, fmt: Format) -> None:
    """Have RUN again from the facts at its moment and the text of its pack, and list what differs.

    Nothing should: then the exit code is 0. It is 1 where a row of the run, or a fact or the rules that it
    rests on, are others than they were.

    Example: xinheng replay 2
    """
    with closing(open_store(database)) as store, progress(f"批次 run {run}") as advance:
        found = replay(store, run, most, lambda step, rows: advance(0, 0))
    print_rows(map(asdict, found.differences), COLUMNS, fmt)
    rows = "，".join(f"{table} {number:,}" for table, number in found.rows.items())
    tell(f"已比对 compared  {rows}；不同 differing  {found.differing:,}")
    if found.differing:
        raise click.exceptions.Exit(1)
