"""``xinheng feeds``: how good the files of offices are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from rules.calendar import today
from scoring.cli.options import Day, database_option
from scoring.cli.output import Format, listing_options, print_rows, tell
from scoring.facts.feeds import (
    FAULT_HEADINGS,
    KINDS,
    NOBODY,
    Feed,
    FeedFault,
    feed_faults,
    office_feeds,
    record_months,
    usual_since,
)
from scoring.store import open_store

FEEDS = {
    "body": "单位编码 body",
    "name": "单位 office",
    "files": "文件 files",
    "sent": "报送 sent",
    "right": "合格 right",
    "share": "合格率 share",
    "refused": "未入库 refused",
    "late": "迟报 late",
    "backlog": "其中存量 backlog",
    "corrected": "更正 corrected",
    "contradicted": "矛盾 contradicted",
    "last_on": "最近报送 last",
    "usual_days": "通常间隔天数 usual gap",
    "expected_by": "最迟应报 expected by",
    "is_silent": "中断报送 silent",
}


@click.command("feeds")
@click.option("--body", help="Of this office alone, by any of its names; '': of rows that say nobody's.")
@click.option("--since", type=Day(), show_default="a year before", help="The first day looked at.")
@click.option("--on", "on", type=Day(), default=today, show_default="today in Shanghai", help="The last day.")
@click.option("--record", is_flag=True, help="Put bodies' months that are over on record, for their grade.")
@click.option("--rows", is_flag=True, help="List the rows that the office of --body has to put right.")
@database_option
@listing_options
def feeds_command(
    body: str | None,
    since: dt.date | None,
    on: dt.date,
    record: bool,
    rows: bool,
    database: str | None,
    fmt: Format,
) -> None:
    """Say how good each office's files are, which rows it has to put right, and who has fallen silent.

    Rows sent, right, refused, late (more than 7 working days from the decision to its coming), corrected by
    later ones and contradicting a decision made here. What was decided before the office first sent is
    backlog, and right. What is sent again does not count, nor does a file that was taken back. An office is
    silent when nothing came for more than twice its usual gap, and at least a week beyond it.

    --record, from the system's timer once a day, puts what each body sent in each of the last 12 months that
    are over on record, by which the department pack grades it.

    \b
    Examples:
      xinheng feeds --since 2026-01-01 --format csv
      xinheng feeds --body 云衡区市场监督管理局 --rows --format csv
    """
    if rows and body is None:
        raise click.UsageError(
            "--rows须用--body写明单位 --rows lists those of one office: name it with --body"
        )
    since = since or usual_since(on)
    with closing(open_store(database)) as store:
        if record:
            record_months(store, on)
        if rows and body is not None:
            print_rows(_faults(feed_faults(store, since, on, body), fmt), FAULT_HEADINGS, fmt)
            return
        found = office_feeds(store, since, on, body)
    print_rows((_row(feed, fmt) for feed in found), FEEDS, fmt)
    for feed in found:
        if feed.is_silent:
            tell(
                f"{feed.name or NOBODY}: 自{feed.last_on}起未报送,按其通常间隔应不迟于{feed.expected_by} "
                f"silent since {feed.last_on}, by its own rhythm expected by {feed.expected_by}"
            )


def _row(feed: Feed, fmt: Format) -> dict[str, Any]:
    """A feed; in a table in words."""
    row = asdict(feed) | {"share": feed.share}
    if fmt == "table":
        row |= {"name": feed.name or str(NOBODY), "is_silent": "是 yes" if feed.is_silent else ""}
        row["share"] = "" if feed.share is None else f"{feed.share:.1f}%"
    return row


def _faults(faults: Iterator[FeedFault], fmt: Format) -> Iterator[dict[str, Any]]:
    """The rows; what is amiss is a code for programs and a title for people."""
    for fault in faults:
        yield fault.values() | ({"kind": str(KINDS[fault.kind])} if fmt == "table" else {})
