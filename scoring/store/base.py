"""What every table of the store shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A 64-bit key; SQLite counts up by itself only in a column called INTEGER."""

Points = sa.BigInteger
"""Integer hundredths of a point."""


class Moment(TypeDecorator[dt.datetime]):
    """A moment in UTC with microseconds; SQLite keeps it as text that sorts by time."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs a time zone: {value.isoformat()}")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


Clock = Callable[[Session], dt.datetime]
"""What time it is, for those who share a store."""


def database_time(session: Session) -> dt.datetime:
    """The database's time, so that servers whose clocks differ agree; SQLite has that of its one host."""
    if session.get_bind().dialect.name == "sqlite":
        return dt.datetime.now(dt.UTC)
    return session.execute(sa.select(sa.func.clock_timestamp())).scalar_one().astimezone(dt.UTC)  # type: ignore[no-any-return]


class Base(DeclarativeBase):
    """The tables of the store. Constraints have names, so that migrations can speak of them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def index_where(condition: str, name: str | None, *columns: str, unique: bool = False) -> sa.Index:
    """An index of the rows of which a condition is true: few, where most are over."""
    where = sa.text(condition)
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def table_of(model: type[Base]) -> sa.Table:
    """The table of a model."""
    return Base.metadata.tables[model.__tablename__]


def insert_new(session: Session, model: type[Base], **values: Any) -> None:
    """Insert a row unless one of its key is there, also one that another transaction inserts just now."""
    session.execute(insert_into(session.connection(), model).values(values).on_conflict_do_nothing())


def insert_into(connection: sa.Connection, model: type[Base]) -> Any:
    """An INSERT of the database's own kind, which can say what a conflict does.

    The dialect is in use by then, and the other one need not be loaded.
    """
    return insert_of(connection.dialect.name, model)


def insert_of(dialect: str, model: type[Base]) -> Any:
    """As :func:`insert_into`, by the name of the database's kind."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table_of(model))
