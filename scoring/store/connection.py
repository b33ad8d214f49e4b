"""Opening the store: the one place where a database is set up.

SQLite is reached through Python's own driver alone. A second copy of the SQLite library in the process (as
in the ADBC driver or DuckDB's extension) would drop the first one's file locks when it closes a file and
delete its write-ahead log: see "How To Corrupt An SQLite Database File", 2.2.1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.titles import Title
from scoring.store.errors import StoreError, no_directory, store_errors
from scoring.store.revision import address, require_current

DEFAULT_URL = "sqlite:///xinheng.db"
URL_VARIABLE = "XINHENG_DATABASE_URL"
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 30000",
    "PRAGMA cache_size = -65536",
    "PRAGMA journal_size_limit = 67108864",
)
_CONNECT_SECONDS = 10
TOUCHED = "touched"
"""Under this a session's ``info`` has the rows that are changed, for what accompanies it: table → keys."""

_COMPANIONS: ContextVar[tuple[Callable[[Session], None], ...]] = ContextVar("companions", default=())


def accompany_changes(*companions: Callable[[Session], None]) -> None:
    """Have every change that this thread makes from now on accompanied, in the change's own transaction.

    :param companions: called with the session of each :meth:`Store.writing` at its end; what one writes is
        kept with the change or not at all, and where it raises nothing is kept. None: no one any more.
    """
    _COMPANIONS.set(companions)


def accompany(session: Session) -> None:
    """Have what accompanies a change do so, at the end of its transaction.

    For what is not written through :meth:`Store.writing`, which sees to it itself.
    """
    for companion in _COMPANIONS.get():
        companion(session)


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. ``reading`` and ``writing`` are the two ways to its data.

    >>> import sqlalchemy
    >>> from fixtures.small import small_store
    >>> with small_store().reading() as session:
    ...     session.scalar(sqlalchemy.text("select count(*) from subject_versions"))
    2
    """

    engine: sa.Engine

    @property
    def address(self) -> str:
        """Where the store is, without secrets."""
        return address(self.engine.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one unchanging state of the store.

        :raises StoreError: where the database fails.
        """
        options: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with store_errors(self.address), Session(self.engine.execution_options(**options)) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are all kept when the block ends, or none of them where it fails.

        :raises StoreError: where the database fails.
        """
        with (
            store_errors(self.address),
            Session(self.engine.execution_options(writing=True), expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
            if session.in_transaction():  # or all is taken back
                accompany(session)

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()


def open_store(url: str | None = None) -> Store:
    """Open a store that exists and is up to date.

    :param url: ``sqlite:///file.db`` or ``postgresql://user:password@host/database``; by default the
        environment's ``XINHENG_DATABASE_URL``, else ``sqlite:///xinheng.db``.
    :raises StoreError: where there is none, it can't be reached or its schema is another.

    >>> open_store("sqlite:///none.db")
    Traceback (most recent call last):
        ...
    scoring.store.errors.StoreError: there is no store at sqlite:///none.db. Make one with: xinheng db upgrade
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        where = address(parsed)
        raise StoreError(
            Title(
                f"{where}没有库。请先建立:xinheng db upgrade",
                f"there is no store at {where}. Make one with: xinheng db upgrade",
            )
        )
    store = _connect(parsed)
    try:
        require_current(store.engine)
    except StoreError:
        store.close()
        raise
    return store


def create_store(url: str | None = None) -> Store:
    """Open a store, making it (SQLite) and bringing its schema up to date where needed.

    :param url: as for :func:`open_store`.
    :raises StoreError: where its directory or server isn't there, or its schema is newer.

    >>> create_store("sqlite:///office.db").address
    'sqlite:///office.db'
    """
    from scoring.store.schema import upgrade  # with Alembic, which nothing else needs

    store = _connect(parse_url(url), make=True)
    with store_errors(store.address):
        upgrade(store.engine)
    return store


def parse_url(url: str | None = None) -> sa.URL:
    """Read a store's URL, or the environment's, or the default.

    :raises StoreError: where it is not the URL of a SQLite file or a PostgreSQL database.
    """
    text = url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    try:
        parsed = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise StoreError(
            Title(f"库的地址无法读取。{_URL_HELP.zh}", f"the store's URL can't be read. {_URL_HELP.en}")
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite")
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    where = address(parsed)
    raise StoreError(
        Title(f"{where}不是库的地址。{_URL_HELP.zh}", f"{where} is not a store's URL. {_URL_HELP.en}")
    )


_URL_HELP = Title(
    "正确写法:sqlite:///file.db 或 postgresql://user:password@host:5432/database",
    "Right: sqlite:///file.db or postgresql://user:password@host:5432/database",
)


def _connect(url: sa.URL, make: bool = False) -> Store:
    store = Store(
        _sqlite_engine(url, make) if url.get_backend_name() == "sqlite" else _postgresql_engine(url)
    )
    with store_errors(store.address), store.engine.connect():
        return store


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    return sa.create_engine(url, connect_args=patience, pool_pre_ping=True, hide_parameters=True)


def _sqlite_engine(url: sa.URL, make: bool) -> sa.Engine:
    directory = Path(url.database or "").parent
    if not directory.is_dir():
        raise StoreError(no_directory(address(url), directory))
    engine = sa.create_engine(url, hide_parameters=True)
    if not make:
        sa.event.listen(engine, "do_connect", _open_existing)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_existing(_dialect: Any, _record: Any, given: list[str], options: dict[str, Any]) -> None:
    """SQLite makes a file that is not there: one that was deleted would come back empty."""
    given[0] = f"{Path(given[0]).resolve().as_uri()}?mode=rw"
    options["uri"] = True


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not at the first change
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer waits for its turn at the start: one that had read before could only fail."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
