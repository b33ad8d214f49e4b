"""``xinheng runs``: what has been published."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict

import click

from scoring.cli.options import database_option
from scoring.cli.output import Format, limit_option, listing_options, print_rows
from scoring.runs.published import list_runs
from scoring.store import open_store

COLUMNS = {
    "id": "批次 run",
    "pack_id": "评价规则 pack",
    "as_of": "评价基准日 as of",
    "known_at": "数据截至 known at",
    "published_at": "发布 published",
    "subjects": "主体 subjects",
    "records": "记录 records",
    "orphans": "未匹配主体的记录 orphans",
    "pack_hash": "规则校验码 hash",
}


@click.command("runs")
@click.option("--pack", "pack_id", help="Of this pack alone.")
@limit_option(most=1000, default=20)
@database_option
@listing_options
def runs_command(pack_id: str | None, limit: int, database: str | None, fmt: Format) -> None:
    """List the published runs, the newest first.

    Example: xinheng runs --pack enterprise-credit --format json
    """
    with closing(open_store(database)) as store:
        rows = [asdict(run) for run in list_runs(store, pack_id, limit=limit)]
    print_rows(rows, COLUMNS, fmt)
