"""``xinheng backup`` and ``xinheng restore``: a store into a directory of files, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click

from rules.titles import Title
from scoring.access.anchors import held, put_back, require_place
from scoring.access.audit import AuditLog, Event
from scoring.cli.options import database_option, operator
from scoring.cli.output import progress, tell
from scoring.store import Store, StoreError, open_store
from scoring.store.backups import BackupError, Manifest, back_up, read_backup, restore
from scoring.store.backups.manifest import ANCHORS

_FILE = click.Path(path_type=Path, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command("backup")
@click.argument("to", type=_DIRECTORY)
@click.option("--anchors", type=_FILE, help="The file of the audit log's anchors, to be taken along.")
@database_option
def backup_command(to: Path, anchors: Path | None, database: str | None) -> None:
    """Copy the store, as it is at one moment, into the new directory TO, while others work with it.

    With --anchors the file of anchors as it is at that moment comes along. Keys, passwords and settings are
    not in it: docs/operations.md says what else is to be kept, and where.

    Example: xinheng backup /var/backups/xinheng/2026-11-27 --anchors /var/lib/xinheng-anchors/anchors
    """
    now = dt.datetime.now(dt.UTC)
    with closing(open_store(database)) as store, progress(f"备份 backup {to.name}") as advance:
        _note(store, to, "asked")
        try:
            manifest = back_up(store, to, now, held(anchors) if anchors else None, advance)
        except BaseException:
            _note(store, to, "failed")
            raise
        _note(store, to, "done")
    tell(f"{to}: 已备份 backed up: {_told(manifest)}", err=False)


@click.command("restore")
@click.argument("source", metavar="FROM", type=_DIRECTORY)
@click.option(
    "--check", is_flag=True, help="Say whether the backup is whole, and what it holds; change nothing."
)
@click.option("--replace", is_flag=True, help="Also in the place of a store that holds something.")
@click.option(
    "--anchors", type=_FILE, help="Where the anchors in the backup go; no other anchors may be there."
)
@database_option
def restore_command(
    source: Path, check: bool, replace: bool, anchors: Path | None, database: str | None
) -> None:
    """Make the backup in the directory FROM the store, with the server stopped.

    The whole backup is checked first. What is in the store's place stays until all of the backup is there; a
    store that holds something is replaced only with --replace. A backup of an older version is brought up to
    date.

    Example: xinheng restore /var/backups/xinheng/2026-11-27 --anchors /var/lib/xinheng-anchors/anchors
    """
    if check:
        tell(f"{source}: 完整 whole: {_told(read_backup(source))}", err=False)
        return
    text = _anchors(source, anchors)
    with progress(f"恢复 restore {source.name}") as advance:
        manifest = restore(source, database, replace, advance)
    if anchors is not None:
        put_back(anchors, text)
    with closing(open_store(database)) as store:
        _log(store, "store.restore", {"from": str(source.resolve()), "made_at": manifest.made_at})
    tell(f"{source}: 已恢复 restored: {_told(manifest)}", err=False)
    tell(
        "备份之后吊销的密钥和撤回的同意重新有效,请逐一核对 keys and consents that ended after the backup are "
        "valid again: see `xinheng keys list`, `xinheng consents list`"
    )


def _note(store: Store, to: Path, phase: str) -> None:
    """Have the log say so, if it can: of a store that takes no changes a backup is needed most."""
    try:
        _log(store, "store.backup", {"to": str(to.resolve()), "phase": phase})
    except StoreError as error:
        tell(f"审计日志未能记下本次备份 the audit log does not say of this backup: {phase}: {error.told}")


def _log(store: Store, action: str, details: Mapping[str, str]) -> None:
    """Who copied everything, and that what the log has after this came after another past."""
    AuditLog(store).write([Event(operator(), "operator", action, details=details)])


def _anchors(source: Path, to: Path | None) -> bytes:
    """The anchors of a backup that is whole, if there is a place for them."""
    if to is None:
        return b""
    if ANCHORS not in {part.name for part in read_backup(source).parts}:
        en = f"the backup {source} was made without anchors: leave --anchors out"
        raise BackupError(Title(f"备份{source}不含锚点:请去掉--anchors", en))
    text = (source / ANCHORS).read_bytes()
    require_place(to, text)
    return text


def _told(manifest: Manifest) -> str:
    copied = manifest.copied
    size = sum(part.size for part in manifest.parts)
    files = ", ".join(part.name for part in manifest.parts)
    return (
        f"{manifest.made_at}, Xinheng {manifest.program}, {copied.database}, revision {copied.revision}, "
        f"{sum(copied.rows.values()):,} 行 rows, {size:,} 字节 bytes ({files})"
    )
