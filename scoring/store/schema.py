"""The store's schema over time: bring it up to date, or say that it isn't.

A module that declares tables is imported here, so that :data:`METADATA` holds them all; the migration that
makes them is the next file in ``migrations/versions``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from scoring.store import access as _access  # noqa: F401
from scoring.store import findings as _findings  # noqa: F401
from scoring.store import inspections as _inspections  # noqa: F401
from scoring.store import lending as _lending  # noqa: F401
from scoring.store import live as _live  # noqa: F401
from scoring.store import models as _models  # noqa: F401
from scoring.store import problems as _problems  # noqa: F401
from scoring.store import timelines as _timelines  # noqa: F401
from scoring.store.base import Base
from scoring.store.errors import StoreError, store_errors

METADATA = Base.metadata
_UPGRADE_LOCK = 0x58494E48  # any constant: it keeps two upgrades of one PostgreSQL database apart


class OlderStoreError(StoreError):
    """The store's schema is older than this version of Xinheng.

    :ivar found: its revision; None where it has no tables yet.
    """

    def __init__(self, message: str, found: str | None) -> None:
        super().__init__(message)
        self.found = found


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest revision, in one transaction; nothing happens where it is there already.

    :raises StoreError: where the database is of a newer Xinheng.
    """
    config = _config()
    with _rebuilding(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        config.attributes.update(connection=connection, metadata=METADATA)
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(_newer(engine, found_revision(engine))) from error


@contextmanager
def _rebuilding(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction in which SQLite may put a new table in the place of one that others refer to.

    (https://www.sqlite.org/lang_altertable.html, 7.) References are checked before it ends.
    """
    with engine.execution_options(writing=True).connect() as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys = OFF")  # has no effect within a transaction
        try:
            with connection.begin():
                yield connection
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise StoreError(f"the table {broken[0]} refers to rows that are not there")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def require_current(engine: sa.Engine) -> None:
    """Check that the schema is the one this version of Xinheng works with.

    :raises OlderStoreError: naming the revision found, the one needed and the command that helps.
    :raises StoreError: where it can't be reached, or is of a newer Xinheng.
    """
    _require_file(engine.url)
    found, scripts = found_revision(engine), ScriptDirectory.from_config(_config())
    needed = scripts.get_current_head()
    if found == needed:
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(_newer(engine, found))
    raise OlderStoreError(
        f"the store {address(engine.url)} is at revision {found or 'none (no tables yet)'}; "
        f"this version of Xinheng needs {needed}. Run: xinheng db upgrade",
        found,
    )


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
            busy = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_BUSY"
            if not (busy or isinstance(error.orig, psycopg.errors.LockNotAvailable)):
                raise


def _touch_sqlite(connection: sa.Connection) -> None:
    patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    try:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        (number,) = connection.exec_driver_sql("PRAGMA user_version").one()
        connection.exec_driver_sql(f"PRAGMA user_version = {(number + 1) % 2**31}")
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
        return MigrationContext.configure(connection).get_current_revision()


def address(url: sa.URL) -> str:
    """A database's address as it may be shown: without password and parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


def _require_file(url: sa.URL) -> None:
    """A SQLite file that was deleted goes on to work for those who have it open, and ends with them."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StoreError(f"the file of the store {address(url)} is gone")


def _newer(engine: sa.Engine, found: str | None) -> str:
    needed = ScriptDirectory.from_config(_config()).get_current_head()
    return (
        f"the store {address(engine.url)} is at revision {found}, unknown to this version of Xinheng, "
        f"which needs {needed}. Install the Xinheng that made it, or `xinheng db upgrade` another database"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
