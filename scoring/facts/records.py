"""Single records: taking some in and looking them up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import today
from rules.model import Column, Table, Title, Vocabulary
from rules.titles import TitledError, UnknownError
from scoring.characters.persons import without_persons
from scoring.facts.bodies import identity_of, register, same_body
from scoring.facts.confirming import Confirming
from scoring.facts.entries import FileInfo
from scoring.facts.feeding import feeding_of
from scoring.facts.ingest.cells import (
    EMPTY,
    FILLER,
    Convert,
    Reading,
    converter,
    is_open_end,
    open_is_none,
    with_open_end,
)
from scoring.facts.ingest.checks import Finding, RowCheck, merge_check, row_check, undecided
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import as_text, bracketed
from scoring.facts.ingest.keys import record_key, subject_key
from scoring.facts.ingest.proposing import Proposer
from scoring.facts.ingest.rows import NAME, AnyRow, BadRow, LostRow, OddRow, ShortRow
from scoring.facts.ingest.subjects import doubt, place
from scoring.facts.merging import AUTHORITY
from scoring.facts.noted import Rejected, as_lacks, noted_rows
from scoring.facts.orphans import NO_ORPHANS, Orphans
from scoring.facts.publicity import INTERNAL, is_shown
from scoring.facts.sifting import Check
from scoring.facts.staging import Staged
from scoring.facts.twins import likeness
from scoring.facts.versions import Handling, IngestResult, ingest_rows
from scoring.facts.visit_results import tell_once
from scoring.store import Store
from scoring.store.documents import decode, encode
from scoring.store.inside import ValueIn
from scoring.store.models import RecordVersion, SubjectVersion

_ROWS = pa.schema(
    [("row_no", pa.int64())] + [(name, pa.string()) for name in ("key", "subject_id", "data", "lacks")]
)


class RecordError(TitledError):
    """What was asked can't be done to this record, or to records of this kind; the message says why."""


class UnknownRecordError(UnknownError):
    """There is no such record, or not for who asks."""


def unknown_record(vocabulary: Vocabulary, record_id: str) -> UnknownRecordError:
    """What to raise where a record is not there."""
    en = f"there is no record {record_id} of {vocabulary.id}"
    return UnknownRecordError(Title(f"没有编号为{record_id}的{vocabulary.title.zh}记录", en))


def key_in_store(session: Session, vocabulary: Vocabulary, given: str) -> str:
    """The record that somebody asks for: as it was given, or else by the year in the forms' brackets.

    People write 〔2026〕 as their keyboard has it, and a paper says it as its office does.
    """
    key = record_key(vocabulary, given)
    of_this = sa.select(RecordVersion.id).where(
        RecordVersion.vocabulary == vocabulary.id, RecordVersion.record_id == key
    )
    return key if session.scalar(of_this.limit(1)) is not None else bracketed(key)


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of submitted records. Of a rejected row every fault is listed; rows count from 1.

    :param keys: of the rows that were taken, as the store keeps them.
    :param held: rows that say another status than an objection, a decision or a repair gave their record,
        which stands.
    :param warnings: what is odd about rows that were taken.
    :param confirmed: the records of which a row says what waited for a person's word.
    :param orphans: the rows that are taken, and whose subject is not known: they count for nobody.
    """

    new: int
    changed: int
    unchanged: int
    rejected: int
    held: int
    faults: tuple[Rejected, ...]
    warnings: tuple[Rejected, ...]
    keys: tuple[str, ...]
    confirmed: tuple[str, ...] = ()
    orphans: Orphans = NO_ORPHANS


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
    by: str | None = None,
) -> Submission:
    """Take records in, as if they were the rows of a file: good ones are kept, of the others it is said why.

    A row whose subject's code is empty or a filler is looked for by what it says of the subject in the
    vocabulary's ``find_by``, as a file's row is, among those who are known in the transaction that keeps it.

    :param rows: column → JSON value; codes may be given by code or title. None clears what is known of the
        column; an empty text, or no value, leaves it.
    :param authority: take only records of this authority; it is filled in where a row leaves it out.
    :param by: who submits them; by default the source says it.
    :raises RecordError: where the vocabulary has no records, or an office sends those that are no office's.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> from rules.library.loader import load_vocabulary
    >>> from scoring.facts.entries import FileInfo
    >>> good = {"record_id": "LY-4", "subject_id": RESTAURANT, "kind": "training"}
    >>> good |= {"status": "有效", "occurred_on": "2026-08-01"}
    >>> source = FileInfo("0" * 64, "request 1", "api")
    >>> rows = [good, {"record_id": "LY-5"}]
    >>> found = submit_records(small_store(), load_vocabulary("tourism"), rows, source)
    >>> found.new, found.keys, found.rejected
    (1, ('LY-4',), 1)
    >>> [(fault.row_no, fault.column) for fault in found.faults]
    [(2, 'subject_id'), (2, 'kind'), (2, 'status'), (2, 'occurred_on')]
    """
    table = records_table(vocabulary)
    if authority is not None and AUTHORITY not in table.columns:
        raise RecordError(no_office_sends(vocabulary))
    check, proposer = row_check(table, today()), Proposer(vocabulary)
    read = [
        part
        for number, row in enumerate(rows, start=1)
        for part in _row(vocabulary, table, check, proposer, row, number, authority)
    ]
    checks = [] if authority is None else [own_alone(authority)]
    keys: dict[int, str] = {}
    rejected: list[Rejected] = []

    def arrive(session: Session) -> pa.Table:
        good: list[tuple[int, str, str, str, str | None]] = []
        placed = place(lambda: nullcontext(session), vocabulary, "record", read)
        for row in doubt(lambda: nullcontext(session), vocabulary, table, placed, str):
            match row:
                case BadRow(_, notes) | OddRow(_, notes):
                    rejected.extend(notes)
                case ShortRow((number, key, subject, data, _), lacks):
                    good.append((number, key, subject, data, as_lacks(lacks)))
                case (number, key, subject, data, _):
                    good.append((number, key, subject, data, None))
        keys.update((number, key) for number, key, *_ in good)
        columns = zip(*good, strict=True) if good else ((), (), (), (), ())
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, _ROWS, strict=True)], _ROWS)

    identity = identity_of(store)
    handling = Handling(
        key_column=table.key,
        checks=checks,
        same_body=same_body(identity),
        judge=merge_check(check, lambda name: name, vocabulary, table, same_body(identity)),
        twins=likeness(vocabulary, identity),
        confirming=Confirming(vocabulary, lambda name: name, by or source.name),
        feeding=feeding_of(vocabulary, authority),
        follow=tell_once,
    )
    result = ingest_rows(store, vocabulary.id, "record", arrive, source, rejected, handling)
    return _submission(store, result, keys)


def get_record(
    store: Store,
    vocabulary: Vocabulary,
    record_id: str,
    authority: str | None = None,
    subject_id: str | None = None,
) -> list[Record]:
    """The versions of a record, the current one first.

    :param authority: only if it is this authority's.
    :param subject_id: only if it is this subject's to see (:func:`is_open_to`), and the versions about it.
    :raises UnknownRecordError: where there is none.
    """
    table = records_table(vocabulary)
    with store.reading() as session:
        key = key_in_store(session, vocabulary, record_id)
        query = (
            sa.select(RecordVersion)
            .where(RecordVersion.vocabulary == vocabulary.id, RecordVersion.record_id == key)
            .order_by(RecordVersion.known_from.desc(), RecordVersion.id.desc())
        )
        versions = [_record(row, table) for row in session.scalars(query)]
        is_open = bool(versions) and is_own(session, versions[0].data, authority)
    if not is_open or not is_open_to(subject_id, versions[0].subject_id, versions[0].data):
        raise unknown_record(vocabulary, record_id)
    return [version for version in versions if subject_id in (None, version.subject_id)]


Dated = tuple[str, str]
"""The day of a record, empty for none, and its id."""


def list_records(
    store: Store,
    vocabulary: Vocabulary,
    *,
    subject_id: str | None = None,
    authority: str | None = None,
    to_subject: bool = False,
    after: str | None = None,
    limit: int | None = None,
) -> list[Record]:
    """Current records by their id.

    :param to_subject: only those that the subject may see itself (:func:`is_open_to`).
    :param after: only records with a greater id: the last of the page before.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> from rules.library.loader import load_vocabulary
    >>> found = list_records(small_store(), load_vocabulary("tourism"), subject_id=RESTAURANT)
    >>> [(record.record_id, record.data["kind"], record.data["occurred_on"].isoformat()) for record in found]
    [('LY-2', 'penalty', '2026-06-01'), ('LY-3', 'safety_check', '2026-07-01')]
    """
    table = records_table(vocabulary)
    query = sa.select(RecordVersion).where(
        RecordVersion.vocabulary == vocabulary.id, RecordVersion.known_until.is_(None)
    )
    if after is not None:
        query = query.where(RecordVersion.record_id > after)
    with store.reading() as session:
        names = None if authority is None else sorted(register(session).names(authority))
        if subject_id is not None:
            query = _of_subject(query, subject_key(vocabulary, subject_id), names)
        elif names is not None:
            query = _of_names(query.order_by(RecordVersion.record_id).limit(limit), names)
        return _first(session, query.order_by(RecordVersion.record_id), table, to_subject, limit)


def newest_records(
    store: Store,
    vocabulary: Vocabulary,
    subject_id: str,
    *,
    to_subject: bool = False,
    before: Dated | None = None,
    limit: int,
) -> list[Record]:
    """The current records of a subject, the newest first, those of no date last.

    :param to_subject: only those that the subject may see itself (:func:`is_open_to`).
    :param before: where the page before ended (:func:`dated`).

    >>> from fixtures.small import RESTAURANT, small_store
    >>> from rules.library.loader import load_vocabulary
    >>> store, words = small_store(), load_vocabulary("tourism")
    >>> [last] = newest_records(store, words, RESTAURANT, limit=1)
    >>> dated(words, last)
    ('2026-07-01', 'LY-3')
    >>> [record.record_id for record in newest_records(store, words, RESTAURANT, before=_, limit=50)]
    ['LY-2']
    """
    table, version = records_table(vocabulary), RecordVersion
    day = sa.func.coalesce(ValueIn(version.data, str(vocabulary.record_date)), "")
    place = sa.tuple_(day, version.record_id)
    query = sa.select(version).where(version.vocabulary == vocabulary.id, version.known_until.is_(None))
    query = query.where(version.subject_id == subject_key(vocabulary, subject_id))
    if before is not None:
        query = query.where(place < sa.tuple_(*before))
    query = query.order_by(day.desc(), version.record_id.desc())
    with store.reading() as session:
        return _first(session, query, table, to_subject, limit)


def _first(
    session: Session, query: sa.Select[RecordVersion], table: Table, to_subject: bool, limit: int | None
) -> list[Record]:
    """The first records of a query; to their subject, of those that it may see."""
    found = (_record(row, table) for row in session.scalars(query.limit(None if to_subject else limit)))
    shown = (r for r in found if not to_subject or is_open_to(r.subject_id, r.subject_id, r.data))
    return list(islice(shown, limit))


def dated(vocabulary: Vocabulary, record: Record) -> Dated:
    """Where a record stands among those of its subject (:func:`newest_records`)."""
    day = record.data.get(str(vocabulary.record_date))
    return "" if day is None else day.isoformat(), record.record_id


def list_shown(
    store: Store,
    vocabulary: Vocabulary,
    on: dt.date,
    *,
    subject_id: str | None = None,
    authority: str | None = None,
    to_subject: bool = False,
    after: str | None = None,
    limit: int,
) -> list[Record]:
    """The current records that are shown on a day, by their id (:mod:`scoring.facts.publicity`)."""
    found: list[Record] = []
    while len(found) < limit:
        some = list_records(
            store,
            vocabulary,
            subject_id=subject_id,
            authority=authority,
            to_subject=to_subject,
            after=after,
            limit=limit,
        )
        found += [record for record in some if is_shown(vocabulary, record.data, on)]
        if len(some) < limit:
            break
        after = some[-1].record_id
    return found[:limit]


_OWNER: sa.ColumnElement[str] = ValueIn(RecordVersion.data, AUTHORITY)
_Records = sa.Select[RecordVersion]


def _of_subject(query: _Records, subject_id: str, names: Sequence[str] | None) -> _Records:
    """A subject's records are few: they are sought by it; what else is asked is an expression."""
    query = query.where(RecordVersion.subject_id == subject_id).order_by(RecordVersion.record_id + "")
    return query if names is None else query.where((_OWNER + "").in_(names))


def _of_names(page: _Records, names: Sequence[str]) -> _Records:
    """Of the first records of each name; one index seek a name."""
    pages = [page.where(_OWNER.in_([name])).subquery() for name in names]
    first = sa.union_all(*(sa.select(found.c.id) for found in pages))
    return sa.select(RecordVersion).where(RecordVersion.id.in_(first))


def is_own(session: Session, data: Mapping[str, Any], authority: str | None) -> bool:
    """Whether a record is an authority's, by whichever of its names; None may have every record."""
    return authority is None or data.get(AUTHORITY) in register(session).names(authority)


def is_open_to(subject_id: str | None, about: str, data: Mapping[str, Any]) -> bool:
    """Whether a subject may see a record: one about it that is not :data:`INTERNAL`. None sees all.

    :param about: whom the record is about.
    """
    return subject_id is None or (about == subject_id and data.get("kind") != INTERNAL)


def subject_attributes(store: Store, vocabulary: Vocabulary, subject_id: str) -> dict[str, Any] | None:
    """What is known of a subject now; None where there is no such subject."""
    query = sa.select(SubjectVersion.data).where(
        SubjectVersion.vocabulary == vocabulary.id,
        SubjectVersion.subject_id == subject_key(vocabulary, subject_id),
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
        raise RecordError(
            Title(f"{vocabulary.title.zh}没有记录", f"the vocabulary {vocabulary.id} has no records")
        )
    return vocabulary.records


# Reading a row


def _row(
    vocabulary: Vocabulary,
    table: Table,
    check: RowCheck,
    proposer: Proposer,
    row: Mapping[str, Any],
    number: int,
    authority: str | None,
) -> Iterator[AnyRow]:
    """A row as the reader of files gives it: good, bad, too short for a new one, or without its subject."""
    link = vocabulary.record_subject
    said = {name: row[name] for name in vocabulary.find_by if name in row and name not in table.columns}
    row = {name: value for name, value in row.items() if name not in said}
    clues, unread = _clues(vocabulary, said, number)
    values, faults = _read(table, vocabulary, row, number, authority)
    values |= _proposed(proposer, row, values)
    found = _judged(check, proposer, table, values, number)
    lacks = tuple(note for note, is_lack in found if is_lack)
    notes = [note for note, is_lack in found if not is_lack]
    errors = [*faults, *unread, *(note for note in notes if note.level == "error")]
    is_lost = len(errors) == 1 and not lacks and values[link] in (EMPTY, FILLER) and bool(clues)
    if errors and not is_lost:
        authority = values.get(AUTHORITY)
        whose = authority if isinstance(authority, str) else None
        noted, more = (
            tuple(replace(note, authority=whose) for note in some)
            for some in ((*faults, *unread, *notes), lacks)
        )
        key = values[table.key]
        yield BadRow(number, noted, None if isinstance(key, Fault | None) else str(key), more)
        return
    yield OddRow(number, tuple(notes))
    given = [name for name in values if name in row and name != link]
    cleared = [name for name in given if _clears(table.columns[name], row[name])]
    key = str(values[table.key])
    if is_lost:
        known = {name: v for name, v in values.items() if name != link and (v is not None or name in cleared)}
        yield LostRow(number, key, known, clues, errors[0])
        return
    good = (number, key, str(values[link]), encode(values, cleared), clues.get(NAME))
    yield ShortRow(good, lacks) if lacks else good


def _clears(column: Column, value: Any) -> bool:
    """Whether what a row says of a column is that there is nothing, and not that it does not say."""
    return value is None or (open_is_none(column) and is_open_end(value))


def _clues(
    vocabulary: Vocabulary, said: Mapping[str, Any], number: int
) -> tuple[dict[str, str], list[Rejected]]:
    """By which a subject may be found, in the order in which they are tried; and what can't be read."""
    values = {name: _cell(vocabulary.id, vocabulary.subject, "", name, value) for name, value in said.items()}
    unread = [
        Rejected(number, name, _shown(said[name]), str(value))
        for name, value in values.items()
        if isinstance(value, Fault)
    ]
    return {name: str(value) for name, value in values.items() if value is not None}, unread


def _read(
    table: Table, vocabulary: Vocabulary, row: Mapping[str, Any], number: int, authority: str | None
) -> tuple[dict[str, Any], list[Rejected]]:
    """The values of a row's columns, and everything that is wrong with them."""
    if authority is not None and AUTHORITY in table.columns:
        row = {AUTHORITY: authority, **row}
    values: dict[str, Any] = {}
    faults = [_no_column(number, name, table) for name in row if name not in table.columns]
    for name in dict.fromkeys((table.key, vocabulary.record_subject, *row)):
        if name in table.columns:
            value = _cell(vocabulary.id, table, vocabulary.record_subject, name, row.get(name))
            if isinstance(value, Fault):
                faults.append(Rejected(number, name, _shown(row.get(name)), str(value)))
            values[name] = value
    return values, faults


def _proposed(proposer: Proposer, row: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the law fills in; nothing where what it goes by can't be read, or the row clears what it fills."""
    unread = any(isinstance(values.get(name), Fault) for name in proposer.reads)
    cleared = any(name in row and row[name] is None for name in proposer.fills)
    return {} if unread or cleared else proposer(values).values


def _judged(
    check: RowCheck, proposer: Proposer, table: Table, values: Mapping[str, Any], number: int
) -> list[tuple[Rejected, bool]]:
    """What the row check finds in the values that could be read, and whether only a new record lacks it."""
    unread = {name for name, value in values.items() if isinstance(value, Fault)}
    known = {name: value for name, value in values.items() if name not in unread}
    return [
        (
            Rejected(
                number,
                finding.column,
                _shown(values.get(finding.column)),
                str(_fault_of(finding, proposer, table, known)),
                "warning" if finding.odd else "error",
            ),
            finding.lacking,
        )
        for finding in check(known)
        if finding.column not in unread
    ]


def _fault_of(finding: Finding, proposer: Proposer, table: Table, known: Mapping[str, Any]) -> Fault:
    """What is wrong, and where the law would fill in what is lacking, by which column it would."""
    awaited = proposer.awaits(finding.column, known) if finding.lacking else {}
    return next(
        (
            undecided(table.columns[finding.column], table.columns[name], name, codes)
            for name, codes in awaited.items()
        ),
        finding.fault,
    )


def _cell(vocabulary_id: str, table: Table, link: str, name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, str | int | float | bool):
        return _NOT_A_VALUE
    if isinstance(value, bool) and name in (table.key, link):
        return _NO_NUMBER
    column = table.columns[name]
    if column.declared == "date" and isinstance(value, int | float):
        value = as_text(value)  # the days of a spreadsheet are numbers, those of JSON are not
    found = _converter(_Column(vocabulary_id, name, name in (table.key, link)), table)(value)
    is_day = column.declared == "date" and isinstance(found, str)
    if is_day and found != str(value).strip() and not is_open_end(value):
        return with_open_end(column, _OTHER_FORM)  # offices' files have many forms, programs one
    return found


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


_OTHER_FORM = Fault(
    Title("日期的写法不对", "a date in another form"),
    Title("写作2026-03-01", "YYYY-MM-DD, such as 2026-03-01"),
)

_NO_NUMBER = Fault(
    Title("是或否,不是编号", "a yes or no, not a number"), Title("文本或数字", "a text or a number")
)


def _no_column(number: int, name: str, table: Table) -> Rejected:
    reason = Title("没有这一列", f"no such column (one of {', '.join(table.columns)})")
    return Rejected(number, _shown(name), None, reason.both)


def _of_others(row: Staged, found: str | None, authority: str) -> Rejected:
    en = f"not a record of your own authority (leave it out, or {authority})"
    reason = Title(f"不是本单位的记录（可不填，或填{authority}）", en)
    return Rejected(row.row_no, AUTHORITY, found, reason.both, sheet=row.sheet)


def _taken(row: Staged) -> Rejected:
    reason = Title("编号属于其他单位的记录", "the number of another authority's record")
    return Rejected(row.row_no, None, row.key, reason.both, sheet=row.sheet)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else "\ufffd" for c in without_persons(text)[:200])


def no_office_sends(vocabulary: Vocabulary) -> Title:
    """That records which do not say whose they are, are for the credit centre to take in."""
    return Title(
        f"{vocabulary.title.zh}的记录不注明机关,由信用中心导入,各单位不能报送",
        f"records of {vocabulary.id} say no authority: the credit centre takes them in, no office sends them",
    )


def own_alone(authority: str) -> Check:
    """Refuses what is not an authority's own: it says so itself, or is known as another's or nobody's.

    A record of which nobody says whose it is, is no department's to take: the district says whose it is.
    """

    def check(session: Session, rows: Sequence[Staged]) -> Iterator[Rejected]:
        own = register(session).names(authority)
        for row in rows:
            said = json.loads(row.data).get(AUTHORITY)
            if said not in own:
                yield _of_others(row, said, authority)
            elif row.current is not None and json.loads(row.current).get(AUTHORITY) not in own:
                yield _taken(row)

    return check


def _submission(store: Store, result: IngestResult, keys: Mapping[int, str]) -> Submission:
    with store.reading() as session:
        noted = list(noted_rows(session, result.file_id))
    faults = tuple(note for note in noted if note.level == "error")
    warnings = tuple(note for note in noted if note.level == "warning")
    refused = {fault.row_no for fault in faults}
    kept = dict.fromkeys(key for number, key in keys.items() if number not in refused)
    return Submission(
        result.new,
        result.changed,
        result.unchanged,
        result.rejected,
        result.held,
        faults,
        warnings,
        tuple(kept),
        result.confirmed,
        result.orphans,
    )


def _record(row: RecordVersion, table: Table) -> Record:
    return Record(row.record_id, row.subject_id, decode(row.data, table), row.known_from, row.known_until)
