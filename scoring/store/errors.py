"""What went wrong with the store, said so that the reader can act on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from rules.titles import Title, TitledError

_BUGS = (sa.exc.IntegrityError, sa.exc.ProgrammingError)

_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMOPEN", "SQLITE_IOERR_SHMSIZE")
"""The second where the file system says so (a quota, a largest size of files), and not SQLite; the others
where there is no room for the index of the write-ahead log, which a connection makes first of all."""

# PostgreSQL's error codes (its manual, appendix A)
_DISK_FULL = "53100"
_READ_ONLY_TRANSACTION = "25006"
_LOCK_NOT_AVAILABLE = "55P03"


class StoreError(TitledError):
    """The store can't be used, or can't do what was asked; the message says why and what would help."""


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn failures of the database (not there, full, locked, damaged) into :class:`StoreError`.

    Violated constraints and wrong statements pass through: they are faults of the caller.

    :param where: the store's address without secrets, for the message.
    """
    try:
        yield
    except _BUGS:
        raise
    except sa.exc.DatabaseError as error:
        raise StoreError(explain(error.orig or error, where)) from error


def no_directory(of: str, directory: object) -> Title:
    """What to say of a directory that is not there."""
    return Title(f"{of}的目录不存在:{directory}", f"the directory of {of} does not exist: {directory}")


def explain(error: BaseException, where: str) -> Title:
    """A database's failure in one sentence, without the statement and its values: they hold personal data."""
    if _is_full(error):
        return Title(
            f"库{where}所在磁盘已满:需要空间的这次改动未保存,此前的均已保存。请腾出空间后重新执行",
            f"the disk of the store {where} is full: the change that needed room was not kept, "
            "those before it were. Free some space and run again",
        )
    if _is_read_only(error):
        return Title(
            f"库{where}只能读取,而此操作需要写入。请授予运行用户对该文件及其目录的写权限,或换用可写的数据库,"
            "再重新执行",
            f"the store {where} can only be read, and this needs to write. Let the user that runs this write "
            "the file and its directory, or take a database that takes changes; then run again",
        )
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return Title(
            f"库{where}一直被其他进程锁定:等待中的改动未保存。请重新执行",
            f"the store {where} was kept locked by another process: the change that waited for it "
            "was not kept. Run again",
        )
    if _sqlite_name(error) == "SQLITE_CANTOPEN":
        return Title(
            f"库{where}无法打开:该文件须存在,运行用户须对该文件及其目录有写权限",
            f"the store {where} failed: unable to open database file. It has to be there, and the user that "
            "runs this has to have the right to write it and its directory",
        )
    reason = " ".join(str(error).split()) or type(error).__name__
    return Title(f"库{where}出错:{reason}", f"the store {where} failed: {reason}")


def _is_full(error: BaseException) -> bool:
    return _sqlstate(error) == _DISK_FULL or _sqlite_name(error) in _FULL


def _is_read_only(error: BaseException) -> bool:
    """Also of a file that can't be opened: SQLite in WAL mode has to write beside it even to read; and of a
    journal that can't be deleted, the one file that SQLite deletes."""
    return _sqlstate(error) == _READ_ONLY_TRANSACTION or _sqlite_name(error).startswith(
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_IOERR_DELETE")
    )


def is_busy(error: BaseException | None) -> bool:
    """Whether somebody else was changing just now what a change waited for."""
    return _sqlstate(error) == _LOCK_NOT_AVAILABLE or _sqlite_name(error) == "SQLITE_BUSY"


def _sqlstate(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _sqlite_name(error: BaseException | None) -> str:
    return str(getattr(error, "sqlite_errorname", "")) if isinstance(error, sqlite3.Error) else ""
