"""A SQLite store into a file and back, by SQLite's own backup, page by page in one transaction.

Writers go on while a store is copied: the copy is what was there when it began. Putting one back is a
transaction of the store's file like any other, which a process that is killed leaves to be rolled back; until
it ends nobody else can open the file.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from rules.titles import Title
from scoring.store.access import PageSession
from scoring.store.backups.manifest import ANCHORS, BackupError, Copied, new_file, require_free, rows_of
from scoring.store.connection import Store, create_store
from scoring.store.errors import no_directory
from scoring.store.models import StoreIdentity
from scoring.store.revision import address
from scoring.store.scratch import own_directory

FILE = "store.sqlite"
PAGES = 4096
"""Copied at a time; between two times it is told how far it came."""

_NO_STORE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Advance = Callable[[int, int], None]


def copy(
    store: Store, directory: Path, anchors: AbstractContextManager[bytes | None], advance: Advance
) -> Copied:
    """Copy a store as it is now.

    :param anchors: entered while the moment is chosen; its text becomes a file beside the copy.
    :raises sqlite3.Error: where the copy can't be written.
    :raises BackupError: where the store is damaged.
    """
    file = new_file(directory / FILE)
    with store.reading() as session:
        with anchors as text:
            session.execute(sa.text("SELECT version_num FROM alembic_version"))  # the first question decides
        if text is not None:
            new_file(directory / ANCHORS).write_bytes(text)
        source: Any = session.connection().connection.driver_connection
        with closing(sqlite3.connect(file)) as target:
            target.execute("PRAGMA synchronous = OFF")  # it counts once it was synchronised as a whole
            source.backup(target, pages=PAGES, progress=_telling(advance))
            target.execute("PRAGMA journal_mode = DELETE")  # one file
            _require_sound(target, store.address)
            with _asking(target) as connection:
                [revision] = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars()
                return Copied("sqlite", f"SQLite {sqlite3.sqlite_version}", revision, rows_of(connection))


def put_back(directory: Path, copied: Copied, url: sa.URL, replace: bool, advance: Advance) -> None:
    """Put a copy, brought up to date, in the place of a database; until all of it is, nothing of it is.

    :raises BackupError: where somebody uses the file, or it holds something and may not be replaced.
    :raises sqlite3.Error: where it can't be written.
    """
    file = Path(url.database or "")
    if not file.parent.is_dir():
        raise BackupError(no_directory(address(url), file.parent))
    is_new = not file.exists()
    if is_new:
        new_file(file)
    try:
        with _alone(file, address(url)) as target, own_directory(str(file.parent)) as scratch:
            with _asking(target) as connection:
                require_free(connection, address(url), replace)
            with closing(sqlite3.connect(_up_to_date(directory / FILE, Path(scratch, FILE)))) as source:
                source.backup(target, pages=PAGES, progress=_telling(advance))
    except (sqlite3.DatabaseError, sa.exc.DatabaseError) as error:
        found = error.orig if isinstance(error, sa.exc.DatabaseError) else error
        if is_new or getattr(found, "sqlite_errorcode", None) not in _NO_STORE:
            raise
        where = address(url)
        raise BackupError(
            Title(
                f"{where}已损坏或不是数据库({found}),未作改动。请将该文件移走(有{file.name}-wal的一并移走),"
                "再重新执行",
                f"{where} is damaged, or no database ({found}), and was left alone. Right: move the file "
                f"away, with {file.name}-wal if that is there; then run again",
            )
        ) from None
    except BaseException:
        if is_new:
            file.unlink(missing_ok=True)
        raise


def _up_to_date(copy: Path, scratch: Path) -> Path:
    """A copy of the copy with today's schema, an identity of its own, and nobody signed in.

    From here on it is another store than the one that it was copied from, whose columns are not its own; who
    has signed out since would be signed in again.
    """
    shutil.copyfile(copy, new_file(scratch))
    store = create_store(f"sqlite:///{scratch}")
    with store.writing() as session:
        session.execute(sa.delete(PageSession))
        session.execute(sa.update(StoreIdentity).values(id=uuid.uuid4().hex))
    store.close()
    return scratch


@contextmanager
def _alone(file: Path, where: str) -> Iterator[sqlite3.Connection]:
    """A connection beside which there is no other, not even one that does nothing."""
    with closing(sqlite3.connect(file, timeout=1, isolation_level=None)) as target:
        try:
            target.execute("PRAGMA locking_mode = EXCLUSIVE")
            target.execute("PRAGMA journal_mode = DELETE")
            target.execute("BEGIN EXCLUSIVE")
            target.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise BackupError(
                Title(
                    f"库{where}正在使用:请停止服务及其他打开该库的程序,再重新执行",
                    f"the store {where} is in use: stop the server and whatever else has it open; then run "
                    "again",
                )
            ) from None
        yield target


@contextmanager
def _asking(driver: sqlite3.Connection) -> Iterator[sa.Connection]:
    """The connection as SQLAlchemy's, which does not close it."""
    engine = sa.create_engine("sqlite://", creator=lambda: driver, poolclass=sa.StaticPool)
    with engine.connect() as connection:
        yield connection


def _require_sound(copy: sqlite3.Connection, where: str) -> None:
    [(found,)] = copy.execute("PRAGMA quick_check(1)")
    if found != "ok":
        raise BackupError(
            Title(
                f"库{where}已损坏:{found}。请恢复最近一次完好的备份",
                f"the store {where} is damaged: {found}. Put the last good backup back",
            )
        )


def _telling(advance: Advance) -> Callable[[int, int, int], None]:
    return lambda status, left, whole: advance(whole - left, whole)
