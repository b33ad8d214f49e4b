"""The revision that a store's schema is at, and the one that this version of Xinheng works with.

Every command asks for it, so it is read without Alembic, which only an upgrade needs.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from rules.titles import Title
from scoring.store.errors import StoreError, is_busy, store_errors

MIGRATIONS = Path(__file__).parent / "migrations"


class OlderStoreError(StoreError):
    """The store's schema is older than this version of Xinheng.

    :ivar found: its revision; None where it has no tables yet.
    """

    def __init__(self, title: Title, found: str | None) -> None:
        super().__init__(title)
        self.found = found


def revisions() -> list[str]:
    """Every revision of the schema, the newest last: a migration's file begins with the revision it makes."""
    return sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def require_current(engine: sa.Engine) -> None:
    """Check that the schema is the one this version of Xinheng works with.

    :raises OlderStoreError: naming the revision found, the one needed and the command that helps.
    :raises StoreError: where it can't be reached, or is of a newer Xinheng.
    """
    _require_file(engine.url)
    found, known = found_revision(engine), revisions()
    needed = known[-1]
    if found == needed:
        return
    if found is not None and found not in known:
        raise StoreError(newer(engine))
    where = address(engine.url)
    title = Title(
        f"库{where}的结构版本为{found or '无(尚未建表)'},本版信衡需要{needed}。请执行:xinheng db upgrade",
        f"the store {where} is at revision {found or 'none (no tables yet)'}; "
        f"this version of Xinheng needs {needed}. Run: xinheng db upgrade",
    )
    raise OlderStoreError(title, found)


def require_writable(engine: sa.Engine) -> None:
    """Check by a change that the database takes changes: of a number that nothing reads.

    Where somebody else is changing it just now, that is proof enough.

    :raises StoreError: where it is full, can only be read or can't be reached.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    with store_errors(address(engine.url)), engine.connect() as connection:
        try:
            (_touch_sqlite if is_sqlite else _touch_postgresql)(connection)
        except sa.exc.OperationalError as error:
            if not is_busy(error.orig):
                raise


def _touch_sqlite(connection: sa.Connection) -> None:
    patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    try:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        (number,) = connection.exec_driver_sql("PRAGMA user_version").one()
        connection.exec_driver_sql(f"PRAGMA user_version = {number ^ 1}")
        connection.commit()
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")


def _touch_postgresql(connection: sa.Connection) -> None:
    connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
    connection.commit()


def found_revision(engine: sa.Engine) -> str | None:
    """The revision that a database is at; None where it has none.

    :raises StoreError: where it can't be reached.
    """
    with store_errors(address(engine.url)), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return revision


def address(url: sa.URL) -> str:
    """A database's address as it may be shown: without password and parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


def _require_file(url: sa.URL) -> None:
    """A SQLite file that was deleted goes on to work for those who have it open, and ends with them."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        where = address(url)
        raise StoreError(Title(f"库{where}的文件已不存在", f"the file of the store {where} is gone"))


def newer(engine: sa.Engine) -> Title:
    """What to say of a database whose revision this version of Xinheng does not know."""
    found, needed, where = found_revision(engine), revisions()[-1], address(engine.url)
    return Title(
        f"库{where}的结构版本为{found},本版信衡不认识(需要{needed})。请安装建立该库的信衡版本,"
        "或对另一数据库执行xinheng db upgrade",
        f"the store {where} is at revision {found}, unknown to this version of Xinheng, "
        f"which needs {needed}. Install the Xinheng that made it, or `xinheng db upgrade` another database",
    )
