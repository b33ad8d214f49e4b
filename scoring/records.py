"""Single records: taking some in and looking them up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from rules.calendar import today
from rules.model import Table, Title, Vocabulary
from scoring.ingest.cells import Convert, Reading, converter
from scoring.ingest.checks import RowCheck, merge_check, row_check
from scoring.ingest.errors import Fault
from scoring.ingest.rows import GoodRow, OddRow
from scoring.ingest.subjects import doubt
from scoring.store import Store
from scoring.store.documents import decode, encode, value_in
from scoring.store.models import RecordVersion, SubjectVersion
from scoring.store.twins import twin_columns
from scoring.store.versions import FileInfo, IngestResult, Rejected, as_lacks, ingest_rows, noted_rows

AUTHORITY = "authority"
"""The column that says whose record it is."""

_ROWS = pa.schema(
    [("row_no", pa.int64())] + [(name, pa.string()) for name in ("key", "subject_id", "data", "lacks")]
)
_IDS_AT_ONCE = 500


class RecordError(Exception):
    """What was asked can't be done to this record, or to records of this kind; the message says why."""


class UnknownRecordError(LookupError):
    """There is no such record, or not for who asks."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of submitted records. Of a rejected row every problem is listed; rows count from 1.

    :param held: rows that say another status than an objection, a decision or a repair gave their record,
        which stands.
    :param warnings: what is odd about rows that were taken.
    """

    new: int
    changed: int
    unchanged: int
    rejected: int
    held: int
    problems: tuple[Rejected, ...]
    warnings: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A version of a record.

    :param data: the vocabulary's columns, None where unknown.
    :param known_until: None in the current version.
    """

    record_id: str
    subject_id: str
    data: Mapping[str, Any]
    known_from: dt.datetime
    known_until: dt.datetime | None


def submit_records(
    store: Store,
    vocabulary: Vocabulary,
    rows: Sequence[Mapping[str, Any]],
    source: FileInfo,
    authority: str | None = None,
) -> Submission:
    """Take records in, as if they were the rows of a file: good ones are kept, of the others it is said why.

    :param rows: column → JSON value; codes may be given by code or title. None clears what is known of the
        column; an empty text, or no value, leaves it.
    :param authority: take only records of this authority; it is filled in where a row leaves it out.
    :raises RecordError: where the vocabulary has no records.
    """
    table = records_table(vocabulary)
    check = row_check(table, today())
    foreign = _foreign(store, vocabulary, table, rows, authority) if authority else frozenset()
    good: list[tuple[*GoodRow, str | None]] = []
    rejected: list[Rejected] = []
    for number, row in enumerate(rows, start=1):
        values, problems = _read(table, vocabulary, row, number, authority)
        problems += [_taken(number, key) for key in foreign & {str(row.get(table.key))}]
        found = _judged(check, values, number)
        lacks = [note for note, is_lack in found if is_lack]
        notes = [note for note, is_lack in found if not is_lack]
        if problems or any(note.level == "error" for note in notes):
            rejected += [*problems, *notes, *lacks]
            continue
        rejected += notes
        cleared = [name for name in values if name in row and row[name] is None]
        document = encode(values, cleared)
        subject = values[vocabulary.record_subject]
        good.append((number, values[table.key], subject, document, as_lacks(lacks)))
    arrived = ((number, key, subject, document) for number, key, subject, document, _ in good)
    for odd in doubt(store, vocabulary, table, arrived):
        if isinstance(odd, OddRow):
            rejected += odd.warnings
    columns = zip(*good, strict=True) if good else ((), (), (), (), ())
    arrow = pa.table([pa.array(c, f.type) for c, f in zip(columns, _ROWS, strict=True)], _ROWS)
    twins = twin_columns(vocabulary)
    judge = merge_check(check, lambda name: name)
    result = ingest_rows(
        store, vocabulary.id, "record", arrow, source, rejected, table.key, twins, judge=judge
    )
    return _submission(store, result)


def get_record(
    store: Store, vocabulary: Vocabulary, record_id: str, authority: str | None = None
) -> list[Record]:
    """The versions of a record, the current one first.

    :param authority: only if it is this authority's.
    :raises UnknownRecordError: where there is none.
    """
    table = records_table(vocabulary)
    query = (
        sa.select(RecordVersion)
        .where(RecordVersion.vocabulary == vocabulary.id, RecordVersion.record_id == record_id)
        .order_by(RecordVersion.known_from.desc(), RecordVersion.id.desc())
    )
    with store.reading() as session:
        versions = [_record(row, table) for row in session.scalars(query)]
    if not versions or (authority is not None and versions[0].data.get(AUTHORITY) != authority):
        raise UnknownRecordError(f"there is no record {record_id} of {vocabulary.id}")
    return versions


def list_records(
    store: Store,
    vocabulary: Vocabulary,
    *,
    subject_id: str | None = None,
    authority: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[Record]:
    """Current records by their id.

    :param after: only records with a greater id: the last of the page before.
    """
    table = records_table(vocabulary)
    query = sa.select(RecordVersion).where(
        RecordVersion.vocabulary == vocabulary.id, RecordVersion.known_until.is_(None)
    )
    if subject_id is not None:
        query = query.where(RecordVersion.subject_id == subject_id)
    if authority is not None:
        query = query.where(value_in(store, RecordVersion.data, AUTHORITY) == authority)
    if after is not None:
        query = query.where(RecordVersion.record_id > after)
    with store.reading() as session:
        rows = session.scalars(query.order_by(RecordVersion.record_id).limit(limit))
        return [_record(row, table) for row in rows]


def subject_attributes(store: Store, vocabulary: Vocabulary, subject_id: str) -> dict[str, Any] | None:
    """What is known of a subject now; None where there is no such subject."""
    query = sa.select(SubjectVersion.data).where(
        SubjectVersion.vocabulary == vocabulary.id,
        SubjectVersion.subject_id == subject_id,
        SubjectVersion.known_until.is_(None),
    )
    with store.reading() as session:
        document = session.scalar(query)
    return None if document is None else decode(document, vocabulary.subject)


def records_table(vocabulary: Vocabulary) -> Table:
    """The columns of a vocabulary's records.

    :raises RecordError: where it has none.
    """
    if vocabulary.records is None:
        raise RecordError(f"the vocabulary {vocabulary.id} has no records")
    return vocabulary.records


# Reading a row


def _read(
    table: Table, vocabulary: Vocabulary, row: Mapping[str, Any], number: int, authority: str | None
) -> tuple[dict[str, Any], list[Rejected]]:
    """The values of a row's columns, and everything that is wrong with them."""
    if authority is not None and AUTHORITY in table.columns:
        row = {AUTHORITY: authority, **row}
    values: dict[str, Any] = {}
    problems = [_no_column(number, name, table) for name in row if name not in table.columns]
    for name in dict.fromkeys((table.key, vocabulary.record_subject, *row)):
        if name in table.columns:
            value = _cell(vocabulary.id, table, vocabulary.record_subject, name, row.get(name))
            if isinstance(value, Fault):
                problems.append(Rejected(number, name, _shown(row.get(name)), str(value)))
            values[name] = value
    if authority is not None and values.get(AUTHORITY) != authority:
        problems.append(_of_others(number, _shown(row.get(AUTHORITY)), authority))
    return values, problems


def _judged(check: RowCheck, values: Mapping[str, Any], number: int) -> list[tuple[Rejected, bool]]:
    """What the row check finds in the values that could be read, and whether only a new record lacks it."""
    unread = {name for name, value in values.items() if isinstance(value, Fault)}
    known = {name: value for name, value in values.items() if name not in unread}
    return [
        (
            Rejected(
                number,
                finding.column,
                _shown(values.get(finding.column)),
                str(finding.fault),
                "warning" if finding.odd else "error",
            ),
            finding.lacking,
        )
        for finding in check(known)
        if finding.column not in unread
    ]


def _cell(vocabulary_id: str, table: Table, link: str, name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, str | int | float | bool):
        return _NOT_A_VALUE
    return _converter(_Column(vocabulary_id, name, name in (table.key, link)), table)(value)


@dataclass(frozen=True, slots=True)
class _Column:
    vocabulary_id: str
    name: str
    required: bool


_CONVERTERS: dict[_Column, tuple[Table, Convert]] = {}


def _converter(column: _Column, table: Table) -> Convert:
    known = _CONVERTERS.get(column)
    if known is None or known[0] is not table:
        reading = Reading(table.columns[column.name], required=column.required)
        known = _CONVERTERS[column] = (table, converter(reading))
    return known[1]


_NOT_A_VALUE = Fault(
    Title("不是单个值", "not a single value"),
    Title("文本、数字或布尔值", "a text, a number or true or false"),
)


def _no_column(number: int, name: str, table: Table) -> Rejected:
    return Rejected(
        number, name[:100], None, f"没有这一列 no such column (one of {', '.join(table.columns)})"
    )


def _of_others(number: int, found: str, authority: str) -> Rejected:
    reason = f"不是本单位的记录 not a record of your own authority (leave it out, or {authority})"
    return Rejected(number, AUTHORITY, found, reason)


def _taken(number: int, key: str) -> Rejected:
    return Rejected(
        number, None, key[:100], "编号属于其他单位的记录 the number of another authority's record"
    )


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:200])


def _foreign(
    store: Store, vocabulary: Vocabulary, table: Table, rows: Iterable[Mapping[str, Any]], authority: str
) -> frozenset[str]:
    """Which of the rows' keys are those of records of another authority."""
    keys = [str(row.get(table.key)) for row in rows]
    found: set[str] = set()
    with store.reading() as session:
        for start in range(0, len(keys), _IDS_AT_ONCE):
            query = sa.select(RecordVersion.record_id).where(
                RecordVersion.vocabulary == vocabulary.id,
                RecordVersion.known_until.is_(None),
                RecordVersion.record_id.in_(keys[start : start + _IDS_AT_ONCE]),
                sa.func.coalesce(value_in(store, RecordVersion.data, AUTHORITY), "") != authority,
            )
            found.update(session.scalars(query))
    return frozenset(found)


def _submission(store: Store, result: IngestResult) -> Submission:
    with store.reading() as session:
        noted = list(noted_rows(session, result.file_id))
    problems, warnings = (
        tuple(note for note in noted if note.level == level) for level in ("error", "warning")
    )
    return Submission(
        result.new, result.changed, result.unchanged, result.rejected, result.held, problems, warnings
    )


def _record(row: RecordVersion, table: Table) -> Record:
    return Record(row.record_id, row.subject_id, decode(row.data, table), row.known_from, row.known_until)
