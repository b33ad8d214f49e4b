"""Making a backup and putting one back, whatever the database is."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

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
        raise BackupError(f"the backup {to} can't be made: {_why(error, str(to))}") from error


def read_backup(directory: Path) -> Manifest:
    """What a backup holds, once every part of it was found to be as it was written.

    :raises BackupError: where it is none, is damaged or was made by a newer Xinheng.
    """
    manifest = read_manifest(directory)
    if manifest.copied.revision not in revisions():
        raise BackupError(
            f"the backup {directory} is of Xinheng {manifest.program}, at revision "
            f"{manifest.copied.revision}, unknown to this version, which needs {revisions()[-1]}. "
            "Install that Xinheng"
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
        raise BackupError(
            f"the backup {directory} is of {manifest.copied.database}, and {address(parsed)} is not"
        )
    try:
        _WAYS[manifest.copied.kind].put_back(directory, manifest.copied, parsed, replace, advance)
    except (sqlite3.Error, OSError) as error:
        why = _why(error, address(parsed))
        raise BackupError(f"the backup {directory} can't be put into {address(parsed)}: {why}") from error
    return manifest


def _why(error: Exception, where: str) -> str:
    return explain(error, where) if isinstance(error, sqlite3.Error) else str(error)
