"""The store's schema over time: bring it up to date.

A module that declares tables is imported here, so that :data:`METADATA` holds them all; the migration that
makes them is the next file in ``migrations/versions``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy.orm import Session

from rules.titles import Title
from scoring.store import access as _access  # noqa: F401
from scoring.store import changes as _changes  # noqa: F401
from scoring.store import consequences as _consequences  # noqa: F401
from scoring.store import feeds as _feeds  # noqa: F401
from scoring.store import findings as _findings  # noqa: F401
from scoring.store import inspections as _inspections  # noqa: F401
from scoring.store import installations as _installations  # noqa: F401
from scoring.store import lending as _lending  # noqa: F401
from scoring.store import live as _live  # noqa: F401
from scoring.store import models as _models  # noqa: F401
from scoring.store import proposals as _proposals  # noqa: F401
from scoring.store import reports as _reports  # noqa: F401
from scoring.store import tickets as _tickets  # noqa: F401
from scoring.store import timelines as _timelines  # noqa: F401
from scoring.store import trials as _trials  # noqa: F401
from scoring.store import visits as _visits  # noqa: F401
from scoring.store.base import Base
from scoring.store.connection import TOUCHED, accompany
from scoring.store.errors import StoreError
from scoring.store.revision import MIGRATIONS, newer

METADATA = Base.metadata
_UPGRADE_LOCK = 0x58494E48  # any constant: it keeps two upgrades of one PostgreSQL database apart


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest revision, in one transaction; nothing happens where it is there already.

    :raises StoreError: where the database is of a newer Xinheng.
    """
    config = _config()
    with _rebuilding(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
        config.attributes.update(connection=connection, metadata=METADATA)
        before = _heads(connection)
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(newer(engine)) from error
        if _heads(connection) != before:
            _accompany(connection, _heads(connection))


def _heads(connection: sa.Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()


def _accompany(connection: sa.Connection, heads: tuple[str, ...]) -> None:
    """An upgrade is a change as any other."""
    with Session(connection, info={TOUCHED: {"alembic_version": dict.fromkeys(heads)}}) as session:
        accompany(session)
        session.commit()  # to the connection, whose transaction goes on


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
                    en = f"the table {broken[0]} refers to rows that are not there"
                    raise StoreError(Title(f"表{broken[0]}引用了不存在的行", en))
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
