"""Options that several commands take, and what they stand for."""

from __future__ import annotations

import datetime as dt
import getpass
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rules.calendar import day_of, moment_of, today
from rules.library.loader import found_among, installed_packs, load_pack
from rules.model import Pack

if TYPE_CHECKING:
    from scoring.store import Store


def operator() -> str:
    """Who gives a command, as the log and the store name them."""
    return f"cli:{getpass.getuser()}"


database_option = click.option(
    "--database", help="The store's URL; by default XINHENG_DATABASE_URL, else sqlite:///xinheng.db."
)


class Day(click.ParamType[dt.date]):
    """A calendar date."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return day_of(value)
        except ValueError:
            self.fail(f"日期应如2026-07-31 '{value}' is not a date such as 2026-07-31", param, ctx)


class Number(click.ParamType[int]):
    """The number of something in the store, no greater than the API takes."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        if not (text.isdecimal() and len(text) < _DIGITS and 1 <= int(text) <= _LARGEST):
            self.fail(f"编号应为1至{_LARGEST} '{value}' is not a number from 1 to {_LARGEST}", param, ctx)
        return int(text)


_LARGEST, _DIGITS = 2**53, 20
NUMBER = Number()


class Moment(click.ParamType[dt.datetime]):
    """A moment; in Shanghai where it has no time zone, and at the end of the day where it has no time."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        if isinstance(value, dt.datetime):
            return value
        try:
            return moment_of(value)
        except (ValueError, OverflowError):
            self.fail(
                f"时间有误 '{value}' is not a moment such as 2026-07-31 or 2026-07-31T09:30+08:00",
                param,
                ctx,
            )


class Memory(click.ParamType[str]):
    """An amount of memory, as DuckDB reads it."""

    name = "memory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not re.fullmatch(r"(?=.*[1-9])[0-9]{1,9}(\.[0-9]+)? ?[KMGT]i?B", text):
            self.fail(f"内存应如2GB '{value}' is not an amount of memory such as 512MB or 2GB", param, ctx)
        return text


def as_of_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--as-of``: the date that results speak about."""
    return click.option(
        "--as-of",
        type=Day(),
        default=today,
        show_default="today in Shanghai",
        help="The date of the results.",
    )(command)


def pack_of(name: str, as_of: dt.date, known: Callable[[], Sequence[Pack]]) -> Pack:
    """The pack in a file, where the name is one of a file, else the version that is in force.

    :param known: gives the versions that there are.
    :raises PackError, UnknownPackError: where it has faults, or there is none.
    """
    path = Path(name)
    return load_pack(path) if path.suffix in (".yaml", ".yml") else found_among(known(), name, as_of)


def known_by(database: str | None) -> Sequence[Pack]:
    """The versions that a store knows; where none is named and none is there, those in the program's folder.

    :param database: as ``--database`` has it.
    :raises StoreError: where a store that is named can't be opened.
    """
    with known_store(database) as store:
        if store is None:
            return installed_packs()
        from scoring.store.rulebook import known_packs

        return known_packs(store)


@contextmanager
def known_store(database: str | None) -> Iterator[Store | None]:
    """The store, closed again; None where none is named and none is there.

    :param database: as ``--database`` has it.
    :raises StoreError: where a store that is named can't be opened.
    """
    from scoring.store import open_store  # with a database, which not every command needs
    from scoring.store.connection import parse_url

    url = parse_url(database)
    if database is None and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield None
        return
    with closing(open_store(database)) as store:
        yield store
