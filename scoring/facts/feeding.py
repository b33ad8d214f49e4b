"""Whose rows a file held, and how they came: noted with the file, in its transaction.

What is late is the law's for penalties and permits (双公示: 7 working days from the decision) and our own
choice for every other record. So is what a repeat is: 合格率 is the qualified of the rows sent, and
what is sent twice was sent once. A row that says what is known already counts neither as sent nor as right.
Of a text that came before and counts, only rows of records that were not known, or that go against a decision
made here since, count again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from rules.calendar import SHANGHAI
from rules.model import Vocabulary
from rules.workdays import workdays_later
from scoring.facts.merging import AUTHORITY
from scoring.store.base import table_of
from scoring.store.feeds import COUNTS, FeedRow
from scoring.store.findings import ContradictionRow
from scoring.store.inside import ValueIn
from scoring.store.models import IngestedFile, Quarantined, RecordVersion

WORKDAYS = 7
"""The working days after a decision within which it has to come."""


@dataclass(frozen=True, slots=True)
class Feeding:
    """How to tell whose rows arrive, and whether in time.

    :param decided_on: the column of the day of the decision.
    :param sender: the authority that sent the rows, where that is known; those refused are all its own.
    """

    decided_on: str
    sender: str | None = None


def feeding_of(vocabulary: Vocabulary, sender: str | None = None) -> Feeding | None:
    """How records of a vocabulary are told apart; None where they say neither whose nor of which day."""
    table, day = vocabulary.records, vocabulary.record_date
    return Feeding(day, sender) if table is not None and day and AUTHORITY in table.columns else None


@lru_cache(maxsize=4_096)
def due_on(decided_on: dt.date) -> dt.date:
    """The last day on which what was decided on a day comes in time; counted once for its many rows."""
    return workdays_later(decided_on, WORKDAYS)


def is_late(decided_on: dt.date, came_on: dt.date) -> bool:
    """Whether what was decided on a day came too late.

    >>> from datetime import date
    >>> [is_late(date(2026, 9, 24), date(2026, 10, day)) for day in (12, 13)]  # 中秋节 and 国庆节 between
    [False, True]
    """
    return due_on(decided_on) < came_on


def day_of(file: IngestedFile) -> dt.date:
    """The day in Shanghai on which a file came."""
    return file.ingested_at.astimezone(SHANGHAI).date()


def note_feed(
    connection: sa.Connection,
    file: IngestedFile,
    rows: tuple[sa.Table, sa.Table],
    feeding: Feeding,
    amiss: Mapping[str, Counter[str]],
) -> None:
    """Note the rows of each authority, once they are in the store and the quarantine.

    :param rows: the staged rows that were not refused, and those of them that changed a record.
    :param amiss: how many rows of which authority were ``corrected`` and ``contradicted``.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    came_on, is_repeat = day_of(file), _came_before(connection, file)
    whose: set[str] = set()
    began = cache(lambda authority: began_on(connection, authority) or came_on)
    taken = _taken(file, *rows, feeding.decided_on)
    for authority, decided, is_new, is_changed, is_claim, number in connection.execute(taken):
        whose.add(authority or "")
        if not (is_new or is_claim or (is_changed and not is_repeat)):
            continue
        found = counts[authority or ""]
        found["taken"] += number
        if is_new and decided and is_late(day := dt.date.fromisoformat(decided), came_on):
            found["late"] += number
            found["backlog"] += number if day < began(authority or "") else 0
    _attribute(connection, file.id, feeding.sender, [name for name in whose if name])
    wrong = {**amiss, "refused": _refused(connection, file.id)}
    for name, numbers in (wrong if not is_repeat else {"contradicted": amiss["contradicted"]}).items():
        for authority, number in numbers.items():
            counts[authority][name] = number
    if counts:
        connection.execute(
            sa.insert(table_of(FeedRow)),
            [
                {"file_id": file.id, "authority": authority, "came_on": came_on}
                | {name: found[name] for name in COUNTS}
                for authority, found in counts.items()
            ],
        )


def take_back_feed(connection: sa.Connection, file_id: int, undoing_id: int) -> None:
    """Take a file's numbers away again, as those of its undoing; once, for of a file of which others had
    said something since, the rest may be taken back later."""
    if not _rows_of(connection, IngestedFile.id == file_id):
        return
    table = table_of(FeedRow)
    less = [(-table.c[name]).label(name) for name in COUNTS]
    of_file = sa.select(sa.literal(undoing_id), table.c.authority, table.c.came_on, *less).where(
        table.c.file_id == file_id
    )
    connection.execute(sa.insert(table).from_select(["file_id", "authority", "came_on", *COUNTS], of_file))


def _taken(
    file: IngestedFile, arriving: sa.Table, changing: sa.Table, decided_on: str
) -> sa.Select[*tuple[Any, ...]]:
    """Rows by authority, day of decision and what they say: a new record, a change, or a contradiction."""
    a, version, claim = arriving.c, RecordVersion, ContradictionRow
    is_known = sa.select(1).where(changing.c.key == a.key).correlate(arriving).exists()
    claimed = sa.select(claim.record_id).where(
        claim.file_id == file.id, claim.raised_at == file.ingested_at, claim.vocabulary == file.vocabulary
    )
    parts: dict[str, sa.ColumnElement[Any]] = {
        "authority": ValueIn(version.data, AUTHORITY),
        "decided": ValueIn(version.data, decided_on),
        "is_new": sa.and_(version.file_id == file.id, ~is_known),
        "is_changed": is_known,
        "is_claim": a.key.in_(claimed),
    }
    current = sa.and_(
        version.vocabulary == file.vocabulary, version.record_id == a.key, version.known_until.is_(None)
    )
    each = (
        sa.select(*(part.label(name) for name, part in parts.items()))
        .join_from(arriving, version, current, isouter=True)  # outer: SQLite goes from what arrives
        .subquery()
    )
    return sa.select(*each.c, sa.func.count()).group_by(*each.c)


def began_on(connection: sa.Connection, authority: str) -> dt.date | None:
    """The day on which the first row of an authority came; what it decided before is backlog.

    :return: None where none did.
    """
    return connection.scalar(sa.select(sa.func.min(FeedRow.came_on)).where(FeedRow.authority == authority))


def _came_before(connection: sa.Connection, file: IngestedFile) -> bool:
    """Whether rows of the very same text were sent, and count: those of a file that was taken back do not."""
    same = sa.and_(IngestedFile.sha256 == file.sha256, IngestedFile.vocabulary == file.vocabulary)
    return _rows_of(connection, same) > 0


def _rows_of(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    """How many rows of files count: less those of their undoings, which may be undone as well."""
    rows = 0
    while found := connection.execute(_counted(which)).all():
        rows += sum(number for _, number in found)
        which = IngestedFile.undoes.in_([number for number, _ in found])
    return rows


def _counted(which: sa.ColumnElement[bool]) -> sa.Select[int, int]:
    """How many rows of each file count, fewer than none of what takes one back."""
    number = sa.func.sum(FeedRow.taken + FeedRow.refused)
    joined = sa.select(IngestedFile.id, number).join(FeedRow, FeedRow.file_id == IngestedFile.id)
    return joined.where(which).group_by(IngestedFile.id)


def _attribute(connection: sa.Connection, file_id: int, sender: str | None, taken: list[str]) -> None:
    """Say of refused rows whose they are: the sender's, or that of the only authority of the file's rows."""
    refused = (Quarantined.file_id == file_id, Quarantined.level == "error")
    update = sa.update(Quarantined)
    if sender is not None:
        connection.execute(update.where(*refused).values(authority=sender))
    elif len(taken) == 1:
        connection.execute(update.where(*refused, Quarantined.authority.is_(None)).values(authority=taken[0]))


def _refused(connection: sa.Connection, file_id: int) -> Counter[str]:
    row = (Quarantined.authority, Quarantined.sheet, Quarantined.row_no)
    each = sa.select(*row).where(Quarantined.file_id == file_id, Quarantined.level == "error").distinct()
    found = each.subquery()
    by_authority = sa.select(found.c.authority, sa.func.count()).group_by(found.c.authority)
    return Counter({authority or "": number for authority, number in connection.execute(by_authority)})
