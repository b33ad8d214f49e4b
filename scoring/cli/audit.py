"""``xinheng audit``: whether the audit log is whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from scoring.audit import GENESIS, Anchor, Verification, verify
from scoring.cli.options import database_option
from scoring.store import open_store


@click.group("audit")
def audit_group() -> None:
    """The log of who read or changed what."""


@audit_group.command("verify")
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with the ends of earlier checks; the end of this one is added. Keep it away from the store.",
)
@database_option
def verify_command(anchors: Path | None, database: str | None) -> None:
    """Find entries that were altered, removed or moved, and a tail that was cut off.

    The hashes alone can't tell a log that was rewritten from the start by someone who may write to the store;
    the anchors can, if they are kept where that someone can't write.

    Example: xinheng audit verify --anchors /mnt/elsewhere/xinheng.anchors
    """
    known = _read(anchors) if anchors else []
    with closing(open_store(database)) as store:
        found = verify(store, known)
    _report(found)
    if anchors and found.head.hash != GENESIS:
        _add(anchors, found.head)


def _report(found: Verification) -> None:
    for fault in found.faults:
        click.echo(f"{fault.seq}: {fault.message}", err=True)
    if found.faults:
        raise click.ClickException(f"审计日志不完整 the audit log is not whole: {len(found.faults)} faults")
    click.echo(f"审计日志完整 the audit log is whole: {found.entries} entries, {found.head.hash[:16]}…")


def _read(path: Path) -> list[Anchor]:
    if not path.exists():
        return []
    anchors = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        seq, _, digest = line.partition(" ")
        if not seq.isdecimal() or len(digest) != len(GENESIS):
            raise click.ClickException(f"{path}:{number}: {line[:80]!r} is no anchor. Right: number and hash")
        anchors.append(Anchor(int(seq), digest))
    return anchors


def _add(path: Path, head: Anchor) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{head.seq} {head.hash}\n")
