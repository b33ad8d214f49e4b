"""The audit log: who read or changed what, append-only and chained by hashes.

There is one chain. A writer locks the head (one row), so that the processes of one or many servers take
turns, and a turn writes everything that waited for it (group commit): one transaction a batch, not one an
entry. :meth:`AuditLog.write` comes back when its entries are safe on disk, so that no answer goes out
before the log has it.

What :func:`verify` can find: a changed, removed, inserted or moved entry breaks the chain; a tail that was
cut off is missed by the head. Who can rewrite entries *and* head can make a chain that holds in itself; that
is found by an anchor (number and hash of an entry) kept out of their reach: :mod:`scoring.access.anchors`.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI
from rules.titles import Title
from scoring.characters.persons import without_persons
from scoring.store import Store
from scoring.store.access import AuditEntry, AuditHead
from scoring.store.base import table_of
from scoring.store.errors import store_errors
from scoring.store.inside import ValueIn, said_in

GENESIS = "0" * 64
"""What the first entry is chained to."""

_READ_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be logged.

    :param actor: the prefix of an API key, or ``cli:user``.
    :param action: what was done, such as ``subjects.get_grade``.
    :param details: what else identifies it, JSON values; never a secret.

    The number of a natural person, whom nobody can ask for here, is not logged.
    """

    actor: str
    role: str
    action: str
    subject_id: str | None = None
    request_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __post_init__(self) -> None:
        """Take persons' numbers out."""
        object.__setattr__(self, "subject_id", _without_persons(self.subject_id))
        object.__setattr__(self, "details", _without_persons(self.details))


def _without_persons(said: Any) -> Any:
    match said:
        case str():
            return without_persons(said, is_sure=True)
        case Mapping():
            return {name: _without_persons(value) for name, value in said.items()}
        case list() | tuple():
            return [_without_persons(value) for value in said]
        case _:
            return said


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the log; see :class:`scoring.store.access.AuditEntry`."""

    seq: int
    at: dt.datetime
    actor: str
    role: str
    action: str
    subject_id: str | None
    request_id: str | None
    details: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """An entry's number and hash, kept outside of the store."""

    seq: int
    hash: str


_BEGINNING = Anchor(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the log, at an entry."""

    seq: int
    message: Title


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the log found.

    :param entries: how many there are.
    :param head: the last one; of an empty log number 0.
    """

    entries: int
    head: Anchor
    faults: tuple[Fault, ...]


class AuditLog:
    """The log of a store, shared by the threads of a process.

    The first thread to come with events waits for its turn and then writes those of all that came meanwhile;
    the others wait for it. There is no thread of its own to start, stop or lose.
    """

    def __init__(self, store: Store) -> None:
        self._engine = store.engine.execution_options(writing=True)
        self._address = store.address
        self._queue = _queue(store)
        self._arriving = _Batch()
        self._door = threading.Lock()
        self._turn = threading.Lock()

    def write(self, events: Sequence[Event]) -> None:
        """Log events; when it returns they are committed.

        :raises StoreError: where the database fails; none of the events is in the log then.
        """
        if not events:
            return
        rows = [_row(event) for event in events]  # what can't be written fails here, by itself
        with self._door:
            batch = self._arriving
            is_first = not batch.rows
            batch.rows.extend(rows)
        if is_first:
            self._commit(batch)
        else:
            with batch.under_way:
                pass
        if batch.error is not None:
            raise batch.error

    def _commit(self, batch: _Batch) -> None:
        with self._turn:
            try:
                with self._queue, store_errors(self._address), self._engine.begin() as connection:
                    self._close(batch)
                    _append(connection, batch.rows)
            except Exception as error:
                batch.error = error
            finally:
                self._close(batch)
                batch.under_way.release()

    def _close(self, batch: _Batch) -> None:
        """Who comes from now on waits for the next batch."""
        with self._door:
            if self._arriving is batch:
                self._arriving = _Batch()


class _Batch:
    """Rows that are committed together.

    Its lock is held until that is done. Who waits for it hands it on at once, so that the threads wake one
    after the other: all of them together would only queue for the interpreter.
    """

    __slots__ = ("error", "rows", "under_way")

    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.under_way = threading.Lock()
        self.under_way.acquire()
        self.error: Exception | None = None


class _FileQueue:
    """Has the processes that share a SQLite file take turns at the log.

    SQLite itself lets a waiting writer sleep, up to a tenth of a second, and look again; the kernel wakes it.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)


def _queue(store: Store) -> AbstractContextManager[None]:
    """PostgreSQL needs none: the lock of the head's row wakes who waits."""
    if not store.is_sqlite:
        return nullcontext()
    return _FileQueue(Path(f"{store.engine.url.database}-audit-lock"))


def append(session: Session, events: Sequence[Event]) -> None:
    """Log events in the transaction of the caller: they are in the log with its changes, or neither is.

    From here to the end of the transaction other writers of the log wait; whatever else it locks, it locks
    before.
    """
    session.flush()
    _append(session.connection(), [_row(event) for event in events])


def entries(
    store: Store,
    *,
    subject_id: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[Entry]:
    """Entries, the newest first.

    :param before: only entries with a smaller number: the last of the page before.

    >>> from fixtures.small import small_store
    >>> store = small_store()
    >>> with store.writing() as session:
    ...     append(session, [Event("cli:li", "regulator", "subjects.get_grade")])
    >>> [(entry.seq, entry.actor, entry.action) for entry in entries(store)]
    [(1, 'cli:li', 'subjects.get_grade')]
    """
    query = sa.select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(limit)
    wanted = {"subject_id": subject_id, "actor": actor}
    given = {name: value for name, value in wanted.items() if value is not None}
    query = query.filter_by(**given)
    if action is not None:  # of whom is less than of what: the index of the actions is not to be taken then
        query = query.where((AuditEntry.action + "" if given else AuditEntry.action) == action)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    with store.reading() as session:
        return [_entry(row) for row in session.scalars(query)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries an auditor asks for; of what is None, whichever.

    :param actors: any of them.
    :param action: it, and those whose names go on with a dot after it.
    :param since: from this day on, in Shanghai, by the clock of who wrote the entry.
    :param until: to the end of this day.
    :param before: only entries with a smaller number.
    """

    actors: Collection[str] | None = None
    action: str | None = None
    subject_id: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    before: int | None = None


def search(store: Store, wanted: Wanted, limit: int) -> list[Entry]:
    """Entries that an auditor asks for, the newest first. There is no index of their moments: it is not for
    the path of a request.

    >>> import datetime as dt
    >>> from fixtures.small import small_store
    >>> from rules.calendar import SHANGHAI
    >>> store, day = small_store(), dt.date(2026, 7, 31)
    >>> noon = dt.datetime(2026, 7, 31, 12, tzinfo=SHANGHAI)
    >>> with store.writing() as session:
    ...     append(session, [Event("cli:li", "operator", "cli.keys.revoke", at=noon)])
    >>> [entry.seq for entry in search(store, Wanted(action="cli.keys", since=day, until=day), 9)]
    [1]
    >>> search(store, Wanted(until=dt.date(2026, 7, 30)), 9), search(store, Wanted(action="cli.key"), 9)
    ([], [])
    """
    query = sa.select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(limit)
    if wanted.actors is not None:
        query = query.where(AuditEntry.actor.in_(wanted.actors))
    if wanted.action is not None:
        family = AuditEntry.action.startswith(f"{wanted.action}.", autoescape=True)
        query = query.where(sa.or_(AuditEntry.action == wanted.action, family))
    if wanted.subject_id is not None:
        query = query.where(AuditEntry.subject_id == wanted.subject_id)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= dt.datetime.combine(wanted.since, dt.time.min, SHANGHAI))
    if wanted.until is not None:
        query = query.where(AuditEntry.at <= dt.datetime.combine(wanted.until, dt.time.max, SHANGHAI))
    if wanted.before is not None:
        query = query.where(AuditEntry.seq < wanted.before)
    with store.reading() as session:
        return [_entry(row) for row in session.scalars(query)]


def entries_of(
    store: Store,
    actions: Sequence[str],
    name: str,
    said: Sequence[str],
    limit: int | None,
    before: int | None = None,
) -> list[Entry]:
    """Entries of some actions, the newest first, whose details say one of some texts.

    :param actions: the program's own.
    :param name: under which the details say it; a name of the program's own. There is an index of those that
        are asked for: see :class:`scoring.store.access.AuditEntry`.
    :param before: only entries with a smaller number.
    """
    query = (
        sa.select(AuditEntry)
        .where(said_in(AuditEntry.action, actions), ValueIn(AuditEntry.details, name).in_(said))
        .order_by(AuditEntry.seq.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    with store.reading() as session:
        return [_entry(row) for row in session.scalars(query)]


def verify(store: Store, anchors: Sequence[Anchor] = ()) -> Verification:
    """Check every entry against the chain, the chain against the head, and both against the anchors.

    >>> from fixtures.small import small_store
    >>> store = small_store()
    >>> with store.writing() as session:
    ...     append(session, [Event("cli:li", "regulator", "subjects.get_grade")])
    >>> verify(store).entries, verify(store).faults
    (1, ())
    """
    expected: dict[int, set[str]] = {}
    for anchor in anchors:
        if anchor != _BEGINNING:
            expected.setdefault(anchor.seq, set()).add(anchor.hash)
    faults: list[Fault] = []
    last, count = _BEGINNING, 0
    with store.reading() as session:
        for row in _rows(session):
            faults += _faults(row, last, expected.pop(row.seq, set()))
            last, count = Anchor(row.seq, row.hash), count + 1
        head = session.execute(sa.select(AuditHead.seq, AuditHead.hash)).one_or_none()
    if head is None or (head.seq, head.hash) != (last.seq, last.hash):
        faults.append(Fault(last.seq, _other_head(None if head is None else head.seq)))
    faults += [Fault(seq, _NO_SUCH_ENTRY) for seq in sorted(expected)]
    return Verification(count, last, tuple(faults))


def chained(previous: str, entry: Sequence[Any]) -> str:
    """The hash of an entry: SHA-256 over the hash before it and everything it says, as compact JSON.

    :param previous: the hash of the entry before, or :data:`GENESIS`.
    :param entry: its columns but for the hash, in the order of the table.
    """
    seq, at, *others = entry
    return hashlib.sha256(previous.encode() + orjson.dumps([seq, at.isoformat(), *others])).hexdigest()


_LOCK_HEAD = sa.select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1).with_for_update()
_MOVE_HEAD = (
    sa.update(AuditHead)
    .where(AuditHead.id == 1)
    .values(seq=sa.bindparam("new_seq"), hash=sa.bindparam("new_hash"))
)
_INSERT = sa.insert(AuditEntry)
_COLUMNS = tuple(table_of(AuditEntry).columns.keys())
_PLACES = f"({', '.join('?' * len(_COLUMNS))})"
_ROWS_A_STATEMENT = 1_000

_Row = tuple[dt.datetime, str, str, str, str | None, str | None, str]
"""An entry without its number and hash."""


def _row(event: Event) -> _Row:
    details = orjson.dumps(event.details, default=str, option=orjson.OPT_SORT_KEYS).decode()
    at = event.at.astimezone(dt.UTC)
    return at, event.actor, event.role, event.action, event.subject_id, event.request_id, details


def _append(connection: sa.Connection, rows: Sequence[_Row]) -> None:
    """Add rows to the chain; other writers wait from here to the end of the transaction."""
    head, last = connection.execute(_LOCK_HEAD).one()
    entries: list[tuple[Any, ...]] = []
    for seq, row in enumerate(rows, head + 1):
        last = chained(last, (seq, *row))
        entries.append((seq, *row, last))
    for start in range(0, len(entries), _ROWS_A_STATEMENT):
        _insert(connection, entries[start : start + _ROWS_A_STATEMENT])
    connection.execute(_MOVE_HEAD, {"new_seq": head + len(rows), "new_hash": last})


def _insert(connection: sa.Connection, entries: Sequence[tuple[Any, ...]]) -> None:
    """In SQLite by one statement: after each one, the thread has to wait for its turn among the others."""
    if connection.dialect.name != "sqlite":
        connection.execute(_INSERT, [dict(zip(_COLUMNS, entry, strict=True)) for entry in entries])
        return
    values = (value for seq, at, *others in entries for value in (seq, _sqlite_moment(at), *others))
    places = ", ".join([_PLACES] * len(entries))
    connection.exec_driver_sql(
        f"INSERT INTO audit_entries ({', '.join(_COLUMNS)}) VALUES {places}", tuple(values)
    )


def _sqlite_moment(moment: dt.datetime) -> str:
    """As :class:`scoring.store.base.Moment` has it."""
    return moment.isoformat(" ", "microseconds").removesuffix("+00:00")


def _rows(session: Session) -> Iterator[sa.Row[Any]]:
    columns = AuditEntry.__table__.columns
    query = sa.select(*columns).order_by(AuditEntry.seq)
    yield from session.execute(query, execution_options={"yield_per": _READ_ROWS})


_NO_SUCH_ENTRY = Title("锚点指向本条,而日志中没有", "the anchor names this entry, but the log has none")


def _other_head(seq: int | None) -> Title:
    zh, en = ("缺失", "is missing") if seq is None else (f"指向第{seq}条", f"names entry {seq}")
    return Title(
        f"日志到此为止,而日志头{zh}:末尾或日志头被改动",
        f"the log ends here, but its head {en}: the tail or the head was changed",
    )


def _faults(row: sa.Row[Any], last: Anchor, anchored: set[str]) -> Iterator[Fault]:
    if row.seq != last.seq + 1:
        first, end = last.seq + 1, row.seq - 1
        yield Fault(row.seq, Title(f"第{first}至{end}条被删除", f"entries {first} to {end} were removed"))
    elif row.hash != chained(last.hash, row[:-1]):
        en = "this entry, or the one before it, was altered or moved"
        yield Fault(row.seq, Title("本条或其上一条被改动或移动", en))
    if anchored - {row.hash}:
        en = "the anchor holds another hash: the log up to here was rewritten"
        yield Fault(row.seq, Title("锚点所记哈希值不同:至此的日志被改写", en))


def _entry(row: AuditEntry) -> Entry:
    values = {name: getattr(row, name) for name in Entry.__slots__}
    return Entry(**(values | {"details": orjson.loads(row.details)}))
