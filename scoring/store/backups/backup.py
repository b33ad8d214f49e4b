"""Making a backup and putting one back, whatever the database is."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from rules.titles import Title
from scoring.store.backups import postgresql, sqlite
from scoring.store.backups.manifest import BackupError, Manifest, becoming, read_manifest, write_manifest
from scoring.store.backups.sqlite import Advance
from scoring.store.connection import Store, parse_url
from scoring.store.errors import explain
from scoring.store.revision import address, revisions

_WAYS: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


def back_up(
    store: Store,
    to: Path,
    now: dt.datetime,
    anchors: AbstractContextManager[bytes | None] | None = None,
    advance: Advance = lambda done, whole: None,
) -> Manifest:
    """Copy a store, as it is at one moment, into a new directory; others go on to write meanwhile.

    :param to: there is nothing of that name until the backup is whole.
    :param anchors: entered while that moment is chosen: gives the file of anchors as it is then.
    :param advance: told how much is copied, and how much there is (0: not known).
    :raises BackupError: where it can't be made; nothing is left of it then.

    >>> import datetime as dt
    >>> from pathlib import Path
    >>> from fixtures.small import small_store
    >>> noon = dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
    >>> made = back_up(small_store(), Path("backup"), noon)
    >>> made.copied.kind, made.copied.rows["runs"], [part.name for part in made.parts]
    ('sqlite', 1, ['store.sqlite'])
    """
    way = _WAYS[store.engine.dialect.name]
    try:
        with becoming(to) as directory:
            copied = way.copy(store, directory, anchors or nullcontext(), advance)
            return write_manifest(directory, now.isoformat(), version("xinheng"), copied)
    except (sqlite3.Error, OSError) as error:
        why = _why(error, str(to))
        raise BackupError(
            Title(f"备份{to}无法建立:{why.zh}", f"the backup {to} can't be made: {why.en}")
        ) from error


def read_backup(directory: Path) -> Manifest:
    """What a backup holds, once every part of it was found to be as it was written.

    :raises BackupError: where it is none, is damaged or was made by a newer Xinheng.
    """
    manifest = read_manifest(directory)
    found, known = manifest.copied.revision, revisions()
    if found not in known:
        raise BackupError(
            Title(
                f"备份{directory}由信衡{manifest.program}建立,结构版本为{found},本版不认识(需要{known[-1]})。"
                "请安装该版信衡",
                f"the backup {directory} is of Xinheng {manifest.program}, at revision {found}, unknown to "
                f"this version, which needs {known[-1]}. Install that Xinheng",
            )
        )
    return manifest


def restore(
    directory: Path,
    url: str | None = None,
    replace: bool = False,
    advance: Advance = lambda done, whole: None,
) -> Manifest:
    """Make a backup the store, brought up to date; until it is whole, what was there before is.

    :param url: of the store, as for :func:`scoring.store.open_store`.
    :param replace: also where there is a store that holds something.
    :param advance: told how much is written, and how much there is (0: not known).
    :raises BackupError: where the backup is damaged or of the other kind of database, the store holds
        something or is in use.

    >>> import datetime as dt
    >>> from pathlib import Path
    >>> from fixtures.small import small_store
    >>> made = back_up(small_store(), Path("copy"), dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC))
    >>> restore(Path("copy"), "sqlite:///again.db") == made
    True
    """
    manifest, parsed = read_backup(directory), parse_url(url)
    if parsed.get_backend_name() != manifest.copied.kind:
        made, where = manifest.copied.database, address(parsed)
        raise BackupError(
            Title(
                f"备份{directory}来自{made},而{where}不是",
                f"the backup {directory} is of {made}, and {where} is not",
            )
        )
    try:
        _WAYS[manifest.copied.kind].put_back(directory, manifest.copied, parsed, replace, advance)
    except (sqlite3.Error, OSError) as error:
        why, where = _why(error, address(parsed)), address(parsed)
        raise BackupError(
            Title(
                f"备份{directory}无法恢复到{where}:{why.zh}",
                f"the backup {directory} can't be put into {where}: {why.en}",
            )
        ) from error
    return manifest


def _why(error: Exception, where: str) -> Title:
    return explain(error, where) if isinstance(error, sqlite3.Error) else Title(str(error), str(error))
