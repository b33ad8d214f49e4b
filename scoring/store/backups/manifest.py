"""What a backup is: a directory with a manifest, which says what it holds, and the parts that it names.

The directory has another name until the manifest, its last file, is on the disk: one that is there is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rules.titles import Title
from scoring.store.errors import StoreError
from scoring.store.scratch import own_directory

ANCHORS = "anchors"
"""The part with the anchors of the audit log."""

_MANIFEST = "manifest.json"
_FORM = 1


class BackupError(StoreError):
    """A backup can't be made or put back; the message says why, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a backup, as it was written."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied of a database.

    :param kind: ``sqlite`` or ``postgresql``.
    :param database: which one it was, with its version.
    :param revision: of the schema.
    :param rows: number of rows by table.
    """

    kind: str
    database: str
    revision: str
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    :param made_at: the moment, as ISO 8601 has it.
    :param program: the version of Xinheng that made it.
    :param parts: its files.
    """

    made_at: str
    program: str
    copied: Copied
    parts: tuple[Part, ...]


@contextmanager
def becoming(to: Path) -> Iterator[Path]:
    """A directory, for its owner alone, that is ``to`` when the block ends well; otherwise nothing is left.

    Of a process that was killed, the next backup beside it clears what is left.

    :raises BackupError: where there is something of that name, or no directory for it.
    """
    if to.exists() or to.is_symlink():
        en = f"{to} is there already: a backup is a new directory"
        raise BackupError(Title(f"{to}已存在:备份须写入新目录", en))
    if not to.parent.is_dir():
        en = f"the directory of the backup does not exist: {to.parent}"
        raise BackupError(Title(f"备份所在目录不存在:{to.parent}", en))
    with own_directory(str(to.parent)) as scratch:
        directory = Path(scratch, "backup")
        directory.mkdir(mode=0o700)
        yield directory
        directory.rename(to)
        _sync(to.parent)


def new_file(path: Path) -> Path:
    """A new file that its owner alone may read."""
    path.touch(mode=0o600, exist_ok=False)
    return path


def write_manifest(directory: Path, made_at: str, program: str, copied: Copied) -> Manifest:
    """Name all files of a directory in its manifest, once they are on the disk."""
    for path in directory.iterdir():
        _sync(path)
    parts = tuple(_described(path) for path in sorted(directory.iterdir()))
    manifest = Manifest(made_at, program, copied, parts)
    said = {"form": _FORM, **asdict(manifest)}
    text = json.dumps(said | {"sha256": _digest(said)}, indent=1)
    path = new_file(directory / _MANIFEST)
    path.write_text(text + "\n", "utf-8")
    _sync(path)
    _sync(directory)
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a backup of which every part is as it was written.

    :raises BackupError: naming what is missing or differs.
    """
    manifest = _parsed(directory / _MANIFEST)
    for part in manifest.parts:
        path = directory / part.name
        if not path.is_file():
            en = f"the backup {directory} lacks its part {part.name}"
            raise BackupError(Title(f"备份{directory}缺少文件{part.name}", en))
        if _described(path) != part:
            raise BackupError(
                Title(
                    f"{path}与写入时不符:大小或SHA-256不同。请改用其他备份",
                    f"{path} is not as it was written: size or SHA-256 is another. Take another backup",
                )
            )
    return manifest


def rows_of(connection: sa.Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = sorted(sa.inspect(connection).get_table_names())
    count = sa.select(sa.func.count())
    return {name: connection.execute(count.select_from(sa.table(name))).scalar_one() for name in names}


_ALWAYS = {"alembic_version", "audit_entries", "audit_head", "store_identity"}
"""Tables that have a row in a store that is new: its making is logged."""


def require_free(connection: sa.Connection, where: str, replace: bool) -> None:
    """Check that a backup may be put where a database is.

    :param replace: also where it is a store that holds something.
    :raises BackupError: where it may not.
    """
    rows = rows_of(connection)
    if rows and "alembic_version" not in rows:
        some = ", ".join([*rows][:5])
        raise BackupError(
            Title(
                f"{where}不是库,其中有他人的表:{some}",
                f"{where} is no store, but has tables of others: {some}",
            )
        )
    held = {name: number for name, number in rows.items() if number > (name in _ALWAYS)}
    if held and not replace:
        most = sorted(held, key=lambda name: -held[name])[:3]
        told = ", ".join(f"{name} {held[name]:,}" for name in most)
        raise BackupError(
            Title(
                f"库{where}已有内容({told} …),未作改动。加--replace则以备份替换;替换前请先备份",
                f"the store {where} holds something ({told} …) and was left alone. With --replace the backup "
                "takes its place; make a backup of it before",
            )
        )


def _parsed(path: Path) -> Manifest:
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        digest, form = said.pop("sha256"), said["form"]
        if digest != _digest(said):
            en = f"{path} is not as it was written. Take another backup"
            raise BackupError(Title(f"{path}与写入时不符。请改用其他备份", en))
        if form != _FORM:
            en = f"{path} is of form {form}, which this version of Xinheng does not know"
            raise BackupError(Title(f"{path}的格式为{form},本版信衡不认识", en))
        return Manifest(
            said["made_at"],
            said["program"],
            Copied(**said["copied"]),
            tuple(Part(**part) for part in said["parts"]),
        )
    except FileNotFoundError:
        en = f"{path.parent} is no backup: it has no {path.name}"
        raise BackupError(Title(f"{path.parent}不是备份:其中没有{path.name}", en)) from None
    except (ValueError, LookupError, TypeError, AttributeError):
        en = f"{path} is no manifest of a backup, or is damaged"
        raise BackupError(Title(f"{path}不是备份清单,或已损坏", en)) from None


def _described(path: Path) -> Part:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(path.name, os.fstat(file.fileno()).st_size, digest)


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _sync(path: Path) -> None:
    """Have a file, or the names in a directory, on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
