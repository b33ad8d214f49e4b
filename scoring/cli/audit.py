"""``xinheng audit``: whether the audit log is whole, and anchors that speak for it from outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from rules.titles import Title
from scoring.access.anchors import add_anchor, make_key, read_key, told, verify_anchored
from scoring.access.audit import verify
from scoring.cli.options import database_option, operator
from scoring.cli.output import tell
from scoring.store import open_store

_FILE = click.Path(path_type=Path, dir_okay=False)
_KEY_HELP = "The file of the key that signs anchors; nobody else may read it."


@click.group("audit")
def audit_group() -> None:
    """The log of who read or changed what."""


@audit_group.command("verify")
@click.option("--anchors", type=_FILE, help="The file that `audit anchor` adds to.")
@click.option("--key", "key_file", type=_FILE, help=_KEY_HELP)
@database_option
def verify_command(anchors: Path | None, key_file: Path | None, database: str | None) -> None:
    """Find entries that were altered, removed or moved, and a tail that was cut off.

    The hashes alone can't tell a log that was rewritten from the start by someone who may write to the store;
    anchors can, if they are kept where that someone can't write. A file of anchors that is missing, empty,
    shortened or not signed by the key is a failure, too.

    Example: xinheng audit verify --anchors /var/lib/xinheng-anchors/anchors --key /etc/xinheng/anchor.key
    """
    if (anchors is None) != (key_file is None):
        raise click.UsageError(
            "两者须同用 --anchors and --key go together: anchors are worth what their signatures are"
        )
    with closing(open_store(database)) as store:
        if anchors is None or key_file is None:
            log = verify(store)
            _refuse(told(log.faults))
        else:
            found = verify_anchored(store, anchors, read_key(key_file))
            log = found.log
            _refuse(found.faults)
    tell(f"审计日志完整 the audit log is whole: {log.entries} entries, {log.head.hash[:16]}…", err=False)
    if anchors is None:
        tell(
            "未与锚点核对 not compared with anchors: a log rewritten as a whole would look the same",
            err=False,
        )
    else:
        at = found.last.at.isoformat()
        tell(
            f"自最近一次锚定（{at}）以来的 {found.behind} 条尚未锚定 "
            f"{found.behind} entries since the last anchor of {at}: not anchored",
            err=False,
        )


@audit_group.command("anchor")
@click.option("--anchors", type=_FILE, required=True, help="The file that a line is added to.")
@click.option("--key", "key_file", type=_FILE, required=True, help=_KEY_HELP)
@click.option("--begin", is_flag=True, help="Begin the file; a key is made where there is none.")
@database_option
def anchor_command(anchors: Path, key_file: Path, begin: bool, database: str | None) -> None:
    """Check the log, and add its end, signed, to a file outside of the store; the line is printed as well.

    Nothing is anchored where the log or an earlier anchor does not hold. deploy/xinheng-anchor.timer does
    this every hour.

    Example: xinheng audit anchor --anchors /var/lib/xinheng-anchors/anchors --key /etc/xinheng/anchor.key
    """
    with closing(open_store(database)) as store:
        if begin and not key_file.exists():
            make_key(key_file)
        actor, now = operator(), dt.datetime.now(dt.UTC)
        tell(str(add_anchor(store, anchors, read_key(key_file), actor, now, begin)), err=False)


def _refuse(faults: Sequence[Title]) -> None:
    for fault in faults:
        tell(str(fault))
    if faults:
        raise click.ClickException(f"审计日志不完整 the audit log is not whole: {len(faults)} faults")
