"""The entry in the audit log that each change from the command line leaves.

No command sees to it, and none can forget it: whatever is written through :meth:`scoring.store.Store.writing`
while one is at work has its entry in the transaction of the change, and is not kept without it.
"""

from __future__ import annotations

import datetime as dt
import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.cli.options import operator
from scoring.store import accompany_changes
from scoring.store.connection import TOUCHED

ROWS = 100
"""So many rows of a table are named in an entry; of more it says how many."""

_WRITTEN = "written"
"""Under this a connection's ``info`` has whether its transaction has changed anything."""

_UNSAID = {"address", "commitment", "database", "findings", "fmt", "measures", "note", "text", "words"}
"""Parameters that are no part of what is done, may hold a secret, or are told by a person at length: the last
stand beside the thing, and in the log they would stay for ever."""


@contextmanager
def changes_logged() -> Iterator[None]:
    """Have each change that this thread makes to a store meanwhile leave its entry."""
    noted = (
        (Session, "after_flush", _note_rows),
        (sa.Engine, "begin", _begin),
        (sa.Engine, "after_cursor_execute", _note),
    )
    for listener in noted:
        sa.event.listen(*listener)
    accompany_changes(log_change)
    try:
        yield
    finally:
        accompany_changes()
        for listener in noted:
            sa.event.remove(*listener)


def log_change(session: Session) -> None:
    """Log the command under way, and the rows that it has changed in a session, within its transaction."""
    from scoring.access.audit import append  # with what takes longer to load than what only reads can spare
    from scoring.cli.acting import me

    context = click.get_current_context()
    session.flush()  # what is still to be written is noted as well
    if not session.connection().info.get(_WRITTEN):
        return
    touched: dict[str, dict[str, None]] = session.info.pop(TOUCHED, {})
    subjects = touched.pop("subjects", {})
    rows = {table: _first(ids) for table, ids in touched.items()}
    command, only = command_of(context), next(iter(subjects)) if len(subjects) == 1 else None
    said = {
        "command": command,
        "given": _given(context),
        "account": _account(),
        "rows": rows,
        "subjects": [] if only else _first(subjects),
    }
    known = {name: value for name, value in said.items() if value}
    action, now = f"cli.{command.replace(' ', '.')}", dt.datetime.now(dt.UTC)
    append(session, [me().event(action, only, now, **known)])


def command_of(context: click.Context) -> str:
    """A command by its names below ``xinheng``.

    >>> import click
    >>> main = click.Context(click.Group(), info_name="xinheng")
    >>> rules = click.Context(click.Group(), parent=main, info_name="rules")
    >>> command_of(click.Context(click.Command("lint"), parent=rules, info_name="lint"))
    'rules lint'
    """
    above = context.parent
    name = str(context.info_name)
    return name if above is None or above.parent is None else f"{command_of(above)} {name}"


def _begin(connection: sa.Connection) -> None:
    connection.info[_WRITTEN] = False


def _note(connection: sa.Connection, cursor: Any, statement: str, *_: object) -> None:
    """Note that a statement has changed a row."""
    if cursor.rowcount > 0 and statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
        connection.info[_WRITTEN] = True


def _note_rows(session: Session, _: object) -> None:
    """Note of what is flushed which rows it is, and whom it is about."""
    touched: dict[str, dict[str, None]] = session.info.setdefault(TOUCHED, {})
    changed = (row for row in session.dirty if session.is_modified(row))
    for row in (*session.new, *changed, *session.deleted):
        key = sa.inspect(type(row)).primary_key_from_instance(row)
        touched.setdefault(row.__tablename__, {})["/".join(map(str, key))] = None
        if subject_id := getattr(row, "subject_id", None):
            touched.setdefault("subjects", {})[subject_id] = None


def _first(ids: Iterable[str]) -> list[str]:
    ids = list(ids)
    more = len(ids) - ROWS
    return [*islice(ids, ROWS), *([f"+ {more}"] if more > 0 else [])]


def _given(context: click.Context) -> dict[str, Any]:
    """What was said to the command, and what it takes where nothing was said."""
    said = {name: value for name, value in context.params.items() if name not in _UNSAID}
    return {name: _plain(value) for name, value in said.items() if value not in (None, (), "", False)}


def _plain(value: Any) -> Any:
    """A value as the log has it: paths as text, out of which it takes the numbers of persons."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _account() -> str | None:
    """The account of the system, where the person goes by another name than that."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return None if operator() == f"cli:{name}" else name
