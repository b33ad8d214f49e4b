"""What the law proposes of a record and only a person confirms: noted as it comes, and what becomes of it.

A person's word is a mark, of a person at the desk or of whoever brings a row that says the column of a record
that waits. It falls where a correction takes away what it rested on, or where the office says another: that
is a mark as well, and a warning.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import sqlalchemy as sa

from rules.model import Column, Proposal, Title, Vocabulary
from rules.titles import halves
from scoring.facts.feeding import day_of
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.proposing import Proposer
from scoring.facts.merging import STATUS, Values
from scoring.store.access import CLASSES, ApiKey, RecordMark
from scoring.store.base import insert_into, table_of
from scoring.store.batches import parts
from scoring.store.findings import ProposalRow
from scoring.store.models import IngestedFile, RecordVersion

AWAITED = ("effective", "disputed")
"""The statuses of a record of which a person's word is awaited."""


@dataclass(frozen=True, slots=True)
class Confirming:
    """How what is proposed of a file's rows is noted.

    :param vocabulary: whose proposals they are.
    :param called: what the file calls a column.
    :param by: who brings the rows.
    """

    vocabulary: Vocabulary
    called: Callable[[str], str]
    by: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of a row that was taken."""

    row_no: int
    sheet: str | None
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Word:
    """What a person said of a record's column by their latest mark, and what they are called."""

    column: str
    code: str
    by: str
    on: dt.date


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that made a version of its record.

    :param said: the columns that it says itself.
    :param known: of the record before, and ``data``: now.
    """

    key: str
    subject_id: str
    row_no: int
    sheet: str | None
    said: Collection[str]
    known: Values
    data: Values


class Confirmer:
    """What becomes of proposals and of persons' words as a file is taken.

    :ivar confirmed: the records of which a row says what waited for a person's word.
    """

    def __init__(
        self, connection: sa.Connection, arriving: sa.Table, file: IngestedFile, confirming: Confirming
    ) -> None:
        vocabulary = confirming.vocabulary
        assert vocabulary.records is not None
        self.confirmed: list[str] = []
        self._connection, self._arriving, self._file, self._by = connection, arriving, file, confirming
        self._proposer, self._titles = Proposer(vocabulary), vocabulary.records.columns
        self._columns = {
            proposal.column for proposal in vocabulary.proposals if proposal.meanwhile is not None
        }
        self._words = self._said_before() if self._columns else {}

    def anew(self, key: str, known: Values, merged: Values, unsaid: Iterable[str]) -> Mapping[str, Any]:
        """What the law says anew of a record that a row corrects (:meth:`Proposer.anew`)."""
        word = self._words.get(key)
        return self._proposer.anew(known, merged, unsaid, {word.column: word.code} if word else {})

    def note(self) -> Iterator[Told]:
        """Note what is proposed and waits, what a row confirms and which word falls; then tell of it."""
        if not self._columns:
            return
        raised, changed = list[tuple[_Row, Proposal]](), list[tuple[_Row, str]]()
        for row in self._rows():
            for column in self._columns:
                if column not in row.said:
                    raised += [(row, one) for one in _proposed_anew(self._proposer, column, row)]
                if column in row.known and row.known[column] != row.data.get(column):
                    changed.append((row, column))
        waiting = self._open([row.key for row, column in changed if column in row.said])
        fresh = {(row.key, proposal.column) for row, proposal in raised}
        for row, column in changed:
            if column in row.said and (row.key, column) in waiting:
                self._confirm(row, waiting[row.key, column])
            elif (word := self._words.get(row.key)) and (word.column, word.code) == (
                column,
                row.known[column],
            ):
                yield self._lapse(row, word)
            elif column in row.data.keys() - row.said and (row.key, column) not in fresh:
                yield self._followed(row, column)
        self._raise(raised)
        yield from self._still_waiting()

    def _said_before(self) -> Mapping[str, _Word]:
        """The words of persons on the records of arriving rows, as far as nothing was noted since."""
        later, a = sa.orm.aliased(RecordMark), self._arriving.c
        said = sa.and_(RecordMark.vocabulary == self._file.vocabulary, RecordMark.kind == "classification")
        if self._connection.scalar(sa.select(1).where(said).limit(1)) is None:
            return {}
        ended = sa.select(later.id).where(
            later.vocabulary == RecordMark.vocabulary,
            later.record_id == RecordMark.record_id,
            later.kind.in_(CLASSES),
            later.id > RecordMark.id,
        )
        by = sa.func.coalesce(ApiKey.owner, RecordMark.made_by)
        query = (
            sa.select(RecordMark.record_id, RecordMark.evidence, by, RecordMark.effective_on)
            .join_from(self._arriving, RecordMark, sa.and_(RecordMark.record_id == a.key + "", said))
            .outerjoin(ApiKey, ApiKey.prefix == RecordMark.made_by)
            .where(~ended.correlate(RecordMark).exists())
        )
        meant = self._changes()
        return {
            key: _Word(*meant[change], who, on)
            for key, evidence, who, on in self._connection.execute(query)
            if (change := json.loads(evidence)[0]["reference"]) in meant
        }

    def _changes(self) -> Mapping[str, tuple[str, str]]:
        """The words by which a mark says what it changed → the column and the code that a person said."""
        return {
            change_of(self._titles[column], before, code): (column, code)
            for column in self._columns
            for before, code in product(self._titles[column].values, repeat=2)
        }

    def _rows(self) -> Iterator[_Row]:
        """The rows that made a version of a record, but for new ones that say everything themselves."""
        a, before = self._arriving.c, sa.orm.aliased(RecordVersion)
        known = (before.record_id == a.key + "", before.vocabulary == self._file.vocabulary)
        query = (
            sa.select(
                a.key, a.subject_id, a.row_no, a.sheet, a.data, a.proposed, before.data, RecordVersion.data
            )
            .join_from(
                self._arriving,
                RecordVersion,
                sa.and_(self._is_current(a.key + ""), RecordVersion.file_id == self._file.id),
            )
            .outerjoin(before, sa.and_(*known, before.known_until == self._file.ingested_at))
            .where(sa.or_(a.proposed.is_not(None), before.data.is_not(None)))
            .order_by(a.order_no)
        )
        for key, subject_id, row_no, sheet, said, proposed, old, data in self._connection.execute(query):
            own = json.loads(said).keys() - set(json.loads(proposed or "[]"))
            yield _Row(key, subject_id, row_no, sheet, own, json.loads(old or "{}"), json.loads(data))

    def _open(self, keys: Sequence[str]) -> dict[tuple[str, str], sa.Row[Any]]:
        """What waits for a person's word of some records."""
        table = table_of(ProposalRow)
        found: dict[tuple[str, str], sa.Row[Any]] = {}
        for some in parts(keys):
            query = sa.select(table).where(
                table.c.vocabulary == self._file.vocabulary,
                table.c.record_id.in_(some),
                table.c.closed_at.is_(None),
            )
            found |= {(row.record_id, row.column): row for row in self._connection.execute(query)}
        return found

    def _confirm(self, row: _Row, waiting: sa.Row[Any]) -> None:
        """Note that a row says itself what waits for a person's word: whoever brings it has said it."""
        column, code = waiting.column, str(row.data[waiting.column])
        evidence = (
            {
                "title": str(Title(waiting.because_zh, waiting.because_en)),
                "reference": self._change(column, waiting.meanwhile, code),
            },
            {"title": str(_source(self._file)), "reference": str(_place(row))},
        )
        source, place = _source(self._file), _place(row)
        reason = Title(f"按报送认定（{source.zh}，{place.zh}）", f"as it was sent ({source.en}, {place.en})")
        mark = self._mark(row, "classification", reason.both, evidence)
        settled = {"settled": code, "closed_at": self._file.ingested_at, "mark_id": mark}
        self._connection.execute(sa.update(ProposalRow).where(ProposalRow.id == waiting.id).values(settled))
        self.confirmed.append(row.key)

    def _lapse(self, row: _Row, word: _Word) -> Told:
        """Note that what a person said of a record is not so any more."""
        before, now = self._title(word.column, word.code), self._title(word.column, row.data.get(word.column))
        said, hint = _RESTATED if word.column in row.said else _CORRECTED
        reason = Title(
            f"原由{word.by}于{word.on}认定为“{before.zh}”，{said.zh}“{now.zh}”",
            f"{word.by} had said {before.en} on {word.on}; {said.en} {now.en}",
        )
        change = self._change(word.column, word.code, row.data.get(word.column))
        evidence = ({"title": f"{_source(self._file)} {_place(row)}", "reference": change},)
        self._mark(row, "lapse", f"{word.on}认定为“{before.zh}”，{said.zh}“{now.zh}”", evidence)
        return Told(row.row_no, row.sheet, self._by.called(word.column), str(Fault(reason, hint)))

    def _followed(self, row: _Row, column: str) -> Told:
        """What to tell of a column that the law says anew: whether the office had said it nobody knows."""
        title, before, now = (
            self._titles[column].title,
            self._title(column, row.known[column]),
            self._title(column, row.data[column]),
        )
        reason = Title(
            f"{title.zh}随本次更正由“{before.zh}”改为“{now.zh}”",
            f"{title.en} follows this correction: {before.en} → {now.en}",
        )
        return Told(row.row_no, row.sheet, self._by.called(column), str(Fault(reason, _CORRECTED[1])))

    def _raise(self, raised: Sequence[tuple[_Row, Proposal]]) -> None:
        """Have proposals wait; what waits of the same column by another clause waits no more."""
        table, at = table_of(ProposalRow), self._file.ingested_at
        open_now = self._open([row.key for row, _ in raised])
        old = [open_now[place].id for row, one in raised if (place := (row.key, one.column)) in open_now]
        for some in parts(old):
            self._connection.execute(sa.update(table).where(table.c.id.in_(some)).values(closed_at=at))
        for part in parts(raised):
            news = [self._proposal(row, one) for row, one in part]
            self._connection.execute(sa.insert(table), news)

    def _still_waiting(self) -> Iterator[Told]:
        """Tell of each row whose record waits for a person's word."""
        a, waiting, one = self._arriving.c, table_of(ProposalRow), sa.orm.aliased(ProposalRow)
        of_record = sa.select(sa.func.min(one.id + 0)).where(  # sought by the record, not by the least number
            one.vocabulary == self._file.vocabulary,
            one.record_id == a.key,
            one.column.in_(sorted(self._columns)),
            one.closed_at.is_(None),
        )
        query = (
            sa.select(a.row_no, a.sheet, waiting, RecordVersion.data)
            .join_from(
                self._arriving, waiting, waiting.c.id == of_record.correlate(self._arriving).scalar_subquery()
            )
            .join(RecordVersion, self._is_current(waiting.c.record_id))
            .order_by(a.order_no)
        )
        for row in self._connection.execute(query):
            if is_awaited(row, json.loads(row.data), self._proposer):
                proposed = self._title(row.column, row.proposed)
                reason = Title(
                    f"建议认定为“{proposed.zh}”：{row.because_zh}",
                    f"{proposed.en} is proposed: {row.because_en}",
                )
                told = str(Fault(reason, _to_confirm(self._title(row.column, row.meanwhile))))
                yield Told(row.row_no, row.sheet, self._by.called(row.column), told)

    def _mark(self, row: _Row, kind: str, reason: str, evidence: Sequence[Mapping[str, str]]) -> int:
        about: dict[str, Any] = {"record_id": row.key, "subject_id": row.subject_id}
        about |= {
            "kind": kind,
            "reason": reason,
            "status": row.data.get(STATUS),
            "evidence": evidence,
            "made_by": self._by.by,
        }
        return _note(self._connection, self._file, about)

    def _proposal(self, row: _Row, proposal: Proposal) -> dict[str, Any]:
        return {
            "vocabulary": self._file.vocabulary,
            "record_id": row.key,
            "subject_id": row.subject_id,
            "column": proposal.column,
            "proposed": proposal.code,
            "meanwhile": proposal.meanwhile,
            "because_zh": proposal.because.zh,
            "because_en": proposal.because.en,
            "raised_at": self._file.ingested_at,
        }

    def _change(self, column: str, before: object, now: object) -> str:
        return change_of(self._titles[column], before, now)

    def _title(self, column: str, code: object) -> Title:
        return _title(self._titles[column], code)

    def _is_current(self, key: Any) -> sa.ColumnElement[bool]:
        return sa.and_(
            RecordVersion.record_id == key,
            RecordVersion.vocabulary == self._file.vocabulary,
            RecordVersion.known_until.is_(None),
        )


def change_of(column: Column, before: object, now: object) -> str:
    """What a mark of a class says that it changed; by these words it is found again what a person said.

    :param before: the code before, and ``now``: since.
    """
    return f"{column.title}: {_title(column, before)} → {_title(column, now)}"


def _title(column: Column, code: object) -> Title:
    return column.values.get(str(code), _UNKNOWN)


def is_awaited(row: Any, data: Mapping[str, Any], proposer: Proposer) -> bool:
    """Whether a person's word is still awaited of a record as it is now, and the law still proposes this.

    :param row: of ``record_proposals``.
    :param data: what is known of the record, as the store writes it.
    """
    if row.closed_at is not None or data.get(STATUS) not in AWAITED:
        return False
    proposed = {proposal.code for proposal in proposer.law(row.column, data).to_confirm}
    return data.get(row.column) == row.meanwhile and row.proposed in proposed


def take_back(
    connection: sa.Connection, file: IngestedFile, undoing: IngestedFile, keys: Sequence[str], by: str
) -> None:
    """Undo what a file did about some records: what it raised waits no more, what it closed waits again.

    A word that it said has fallen, and one that fell by it stands again; either is a mark.

    :param file: a file of records, or an undoing; ``undoing``: what takes it back.
    """
    for some in parts(keys):
        _swap_proposals(connection, file, undoing, some)
        _swap_words(connection, file, undoing, some, by)


def _swap_proposals(
    connection: sa.Connection, file: IngestedFile, undoing: IngestedFile, keys: Sequence[str]
) -> None:
    table, at = table_of(ProposalRow), undoing.ingested_at
    mine = sa.and_(table.c.vocabulary == file.vocabulary, table.c.record_id.in_(keys))
    closed = connection.execute(sa.select(table).where(mine, table.c.closed_at == file.ingested_at)).all()
    raised = sa.update(table).where(mine, table.c.raised_at == file.ingested_at, table.c.closed_at.is_(None))
    connection.execute(raised.values(closed_at=at))
    if closed:
        again = [{name: getattr(row, name) for name in _REOPENED} | {"raised_at": at} for row in closed]
        connection.execute(insert_into(connection, ProposalRow).on_conflict_do_nothing(), again)


def _swap_words(
    connection: sa.Connection, file: IngestedFile, undoing: IngestedFile, keys: Sequence[str], by: str
) -> None:
    marks = table_of(RecordMark)
    query = (
        sa.select(marks)
        .where(marks.c.vocabulary == file.vocabulary, marks.c.record_id.in_(keys))
        .where(marks.c.kind.in_(CLASSES))
        .order_by(marks.c.id)
    )
    found = connection.execute(query).all()
    told = {mark.record_id: mark for mark in found if mark.kind == "classification"}
    last = {mark.record_id: mark for mark in found}
    for key, mark in last.items():
        if mark.made_at != file.ingested_at:
            continue
        about = {"record_id": key, "subject_id": mark.subject_id, "status": mark.status_after}
        source = _source(file)
        if mark.kind == "lapse" and key in told:
            word = told[key]
            said = halves(word.reason)
            reason = Title(
                f"撤回{source.zh}，原认定恢复：{said.zh}",
                f"{source.en} was taken back, and the earlier word stands again: {said.en}",
            )
            about |= {"kind": "classification", "reason": reason.both}
            about |= {"made_by": word.made_by, "evidence": json.loads(word.evidence)}
            _note(connection, undoing, about, word.effective_on)
        else:
            reason = Title(
                f"撤回{source.zh}，原认定随之失效", f"{source.en} was taken back, and the word with it"
            )
            about |= {"kind": "lapse", "reason": reason.both, "made_by": by}
            _note(connection, undoing, about | {"evidence": json.loads(mark.evidence)})


def _note(
    connection: sa.Connection, file: IngestedFile, about: Mapping[str, Any], on: dt.date | None = None
) -> int:
    """Add a mark of a class, made with a file; its number."""
    status = about["status"] or ""
    mark = {name: about[name] for name in ("record_id", "subject_id", "kind", "reason", "made_by")} | {
        "vocabulary": file.vocabulary,
        "status_before": status,
        "status_after": status,
        "effective_on": on or day_of(file),
        "evidence": json.dumps([*about["evidence"]], ensure_ascii=False, sort_keys=True),
        "made_at": file.ingested_at,
    }
    return connection.execute(sa.insert(RecordMark).values(mark).returning(RecordMark.id)).scalar_one()


def _proposed_anew(proposer: Proposer, column: str, row: _Row) -> Sequence[Proposal]:
    """What a person must confirm of a record's column that its row does not say.

    Of what was known before it is only what the law did not say before: of another value that somebody said
    it says nothing.
    """
    now, before = proposer.law(column, row.data), proposer.law(column, row.known)
    if column in row.known and (
        now.to_confirm == before.to_confirm
        or (row.known[column] not in before.allowed and row.data.get(column) == row.known[column])
    ):
        return ()
    return [proposal for proposal in now.to_confirm if row.data.get(column) == proposal.meanwhile]


def _to_confirm(meanwhile: Title) -> Title:
    """How a person may say it: a row that says what holds meanwhile leaves it waiting."""
    return Title(
        f"须由人确认：在“待确认”页面办理，或报送编号、代码和该列；仍为“{meanwhile.zh}”的，只能在页面办理",
        "a person must confirm it: on the page of what is to be confirmed, or by a row with the record's"
        f" number, the code and this column; on the page alone where it is {meanwhile.en}",
    )


def _source(file: IngestedFile) -> Title:
    """What a file is called in a mark, which those read who are graded: without whose key it came by."""
    named = {"api": Title("接口报送", "sent by the API"), "undo": Title("撤回操作", "an undoing")}
    return named.get(file.source, Title(file.name, file.name))


def _place(row: _Row) -> Title:
    sheet = f"{row.sheet}!" if row.sheet else ""
    return Title(f"第{sheet}{row.row_no}行", f"row {sheet}{row.row_no}")


_REOPENED = (
    "vocabulary",
    "record_id",
    "subject_id",
    "column",
    "proposed",
    "meanwhile",
    "because_zh",
    "because_en",
)
_UNKNOWN = Title("未注明", "unknown")
_CORRECTED = (
    Title("因本次更正不再适用，现为", "by this correction that is not so any more, and it is"),
    Title(
        "另有认定的，请报送编号、代码和该列", "if it is another, send the number, the code and this column"
    ),
)
"""That a person's word fell, and what may be done, where the row corrects what it rested on."""
_RESTATED = (
    Title("报送单位现报为", "this row says otherwise, and it is"),
    Title("请核对；报送有误的，请重报该列", "check it; if the row is wrong, send this column again"),
)
"""The same where the row says another itself."""
