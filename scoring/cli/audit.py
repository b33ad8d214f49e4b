"""``xinheng audit``: what the audit log says, whether it is whole, and anchors that speak for it outside."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from rules.titles import Title
from scoring.access.anchors import add_anchor, make_key, read_key, told, verify_anchored
from scoring.access.audit import Entry, Verification, Wanted, search, verify
from scoring.access.keys import ROLE_TITLES, Key, list_keys
from scoring.cli.options import NUMBER, Day, database_option, operator
from scoring.cli.output import SHOWN_OF_A_HASH, Format, limit_option, listing_options, print_rows, tell
from scoring.facts.ingest.keys import ENTERPRISES, subject_key
from scoring.store import Store, open_store

COLUMNS = {
    "seq": "序号 no.",
    "at": "时间 at",
    "actor": "操作者 who",
    "owner": "持有人 owner",
    "role": "角色 role",
    "action": "操作 action",
    "subject_id": "主体 subject",
    "request_id": "请求 request",
    "details": "详情 details",
    "hash": "校验码 hash",
}
_FILE = click.Path(path_type=Path, dir_okay=False)
_KEY_HELP = "The file of the key that signs anchors; nobody else may read it."


@click.group("audit")
def audit_group() -> None:
    """The log of who read or changed what: list it, check that it is whole, anchor it."""


@audit_group.command("list")
@click.option(
    "--who", help="A key's prefix, its owner or organisation, or whose account of the command line it was."
)
@click.option("--action", help="What was done, such as cli.keys.revoke; cli.keys is all that begins so.")
@click.option("--subject", help="About whom alone (its credit code).")
@click.option("--since", type=Day(), help="The first day looked at.")
@click.option("--until", type=Day(), help="The last day looked at.")
@click.option("--before", type=NUMBER, help="Only entries before this one: to go on where a listing ended.")
@click.option(
    "--verify", "is_verified", is_flag=True, help="Check the whole log as well, as audit verify does."
)
@limit_option(most=100_000)
@database_option
@listing_options
def list_command(
    who: str | None, subject: str | None, is_verified: bool, limit: int, database: str | None, fmt: Format,
    **wanted: Any,
) -> None:  # fmt: skip
    """List who read or changed what, the newest first.

    What concerns several subjects at once stands under none of them: look for its action.

    Example: xinheng audit list --who 王主任 --action subjects --since 2026-07-01 --verify
    """
    key = subject and subject_key(ENTERPRISES, subject)
    with closing(open_store(database)) as store:
        keys = list_keys(store)
        asked = Wanted(**wanted, subject_id=key, actors=None if who is None else _actors(keys, who))
        owners = {key.prefix: key.owner for key in keys}
        rows = [_row(entry, owners, fmt) for entry in search(store, asked, limit)]
        print_rows(rows, COLUMNS, fmt, {"role": ROLE_TITLES})
        if is_verified:
            _tell_whole(_verified(store))


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
            log = _verified(store)
        else:
            found = verify_anchored(store, anchors, read_key(key_file))
            log = found.log
            _refuse(found.faults)
    _tell_whole(log, err=False)
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


def _actors(keys: Sequence[Key], who: str) -> set[str]:
    """Under which names somebody may stand in the log."""
    theirs = {key.prefix for key in keys if who in (key.owner, key.organisation)}
    return {who, f"cli:{who}", *theirs}


def _row(entry: Entry, owners: dict[str, str], fmt: Format) -> dict[str, Any]:
    row = asdict(entry) | {"owner": owners.get(entry.actor)}
    if fmt == "json":
        return row
    said = {"details": json.dumps(entry.details, ensure_ascii=False) if entry.details else None}
    return row | said | ({"hash": entry.hash[:SHOWN_OF_A_HASH]} if fmt == "table" else {})


def _verified(store: Store) -> Verification:
    log = verify(store)
    _refuse(told(log.faults))
    return log


def _tell_whole(log: Verification, err: bool = True) -> None:
    tell(f"审计日志完整 the audit log is whole: {log.entries} entries, {log.head.hash[:16]}…", err=err)


def _refuse(faults: Sequence[Title]) -> None:
    for fault in faults:
        tell(str(fault))
    if faults:
        raise click.ClickException(f"审计日志不完整 the audit log is not whole: {len(faults)} faults")
