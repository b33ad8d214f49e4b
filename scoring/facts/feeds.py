"""Quality of feeds: what each office sent, what of it was wrong or late, and which office has fallen silent.

An office is a body of the register by any of its names (:mod:`scoring.facts.bodies`), or an authority that is
in no register. The numbers are those that were noted with the files (:mod:`scoring.facts.feeding`); a file
that was taken back does not count.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice, pairwise
from statistics import median
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from rules.calendar import add_months
from rules.fault import PackError, UnknownPackError
from rules.library.loader import load_vocabulary
from rules.model import Column
from rules.titles import Title
from scoring.facts.bodies import VOCABULARY, Register, UnknownBodyError, register
from scoring.facts.feeding import began_on, due_on, feeding_of, is_late
from scoring.facts.merging import AUTHORITY, STATUS, corrections
from scoring.facts.one_record import put_record
from scoring.store import Store
from scoring.store.access import RecordMark
from scoring.store.batches import BATCH_ROWS, parts
from scoring.store.feeds import COUNTS, FeedRow
from scoring.store.findings import ContradictionRow
from scoring.store.inside import ValueIn
from scoring.store.models import IngestedFile, Quarantined, RecordVersion

RHYTHM_MONTHS = 24
"""The months back of which the comings make the rhythm of an office (own choice, as all about silence)."""
LEAST_COMINGS = 4
LEAST_DAYS = 7

NOBODY = Title("未注明机关", "no authority said")

FaultKind = Literal["refused", "late", "corrected", "contradicted"]
KINDS: Mapping[FaultKind, Title] = {
    "refused": Title("未入库", "refused"),
    "late": Title("迟报", "late"),
    "corrected": Title("后经更正", "corrected later"),
    "contradicted": Title("与本中心决定矛盾", "contradicts a decision made here"),
}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an office sends.

    :param last_on: when something came last; None where nothing did.
    :param days: the median of the days between two comings; None where it came too seldom to say.
    :param expected_by: the last day on which its silence is as usual.
    """

    last_on: dt.date | None
    days: int | None
    expected_by: dt.date | None

    def is_silent(self, on: dt.date) -> bool:
        """Whether an office has been silent for longer than is usual with it."""
        return self.expected_by is not None and on > self.expected_by


def rhythm(comings: Iterable[dt.date]) -> Rhythm:
    """The rhythm of the days on which something came.

    Of at least four comings the usual gap is the median; twice as long is silence, and at least a week more.

    >>> from datetime import date
    >>> monthly = rhythm(date(2026, month, 5) for month in range(1, 7))
    >>> monthly.days, monthly.expected_by.isoformat()
    (31, '2026-08-06')
    >>> monthly.is_silent(date(2026, 8, 6)), monthly.is_silent(date(2026, 8, 7))
    (False, True)
    >>> rhythm([date(2026, 1, 5), date(2026, 2, 5)]).days is None
    True
    """
    days = sorted(set(comings))
    if len(days) < LEAST_COMINGS:
        return Rhythm(days[-1] if days else None, None, None)
    usual = round(median((later - day).days for day, later in pairwise(days)))
    return Rhythm(days[-1], usual, days[-1] + dt.timedelta(usual + max(usual, LEAST_DAYS)))


@dataclass(frozen=True, slots=True)
class Feed:
    """What an office sent.

    :param body: its number in the register; None where it is in none.
    :param name: what it is called; empty for rows that say nobody's name.
    :param files: files and requests with such rows of its.
    :param sent: rows; what is said again (:mod:`scoring.facts.feeding`) is none.
    :param right: of them those that were taken, in time, contradict nothing, and had nothing to put right:
        a row that corrects an earlier one stands for that one here. The backlog is right. Never fewer than
        none, though more of what was sent before may be corrected than is sent.
    :param backlog: of the late rows those that were decided before anything came from the office.
    :param is_silent: nothing came for longer than is usual with it.
    """

    body: str | None
    name: str
    files: int
    sent: int
    right: int
    refused: int
    late: int
    backlog: int
    corrected: int
    contradicted: int
    last_on: dt.date | None
    usual_days: int | None
    expected_by: dt.date | None
    is_silent: bool

    @property
    def share(self) -> float | None:
        """The right of the rows sent, in per cent, rounded down, so that 100 is all; None of none."""
        return 1000 * self.right // self.sent / 10 if self.sent else None

    @property
    def has_faults(self) -> bool:
        """Whether there is anything to put right."""
        return any((self.refused, self.late - self.backlog, self.corrected, self.contradicted))

    @property
    def key(self) -> str:
        """By which a listing is ordered; two offices of one name have a number."""
        return f"{self.name} {self.body or ''}"


@dataclass(frozen=True, slots=True)
class FeedFault:
    """A row that an office has to put right, or that came late and is no backlog.

    :param file: as it was called.
    :param sheet: of the workbook, in which the row counts.
    :param record_id: None of a row that could not be read.
    :param right: what would be right.
    """

    kind: FaultKind
    came_on: dt.date
    file_id: int
    file: str
    sheet: str | None
    row_no: int
    record_id: str | None
    column: str | None
    value: str | None
    right: str

    def values(self) -> dict[str, Any]:
        """By their names; many rows are written, and ``asdict`` takes five times as long."""
        return {name: getattr(self, name) for name in FAULT_HEADINGS}


def office_feeds(store: Store, since: dt.date, on: dt.date, organisation: str | None = None) -> list[Feed]:
    """What offices sent from one day to another, by name; offices that sent something in two years are there.

    :param organisation: by any of its names; its feed alone.

    >>> from datetime import date
    >>> from fixtures.small import small_store
    >>> from rules.calendar import today
    >>> found = office_feeds(small_store(), today(), today())
    >>> [(feed.name, feed.sent, feed.late, feed.backlog) for feed in found][:1]
    [('云衡区市场监督管理局', 1, 1, 1)]
    """
    return [feed for feed in _feeds(store, since, on, organisation) if feed.last_on is not None]


def _feeds(store: Store, since: dt.date, on: dt.date, organisation: str | None = None) -> list[Feed]:
    """As :func:`office_feeds`, with offices all of whose files were taken back."""
    with store.reading() as session:
        bodies = register(session)
        names = None if organisation is None else _names(bodies, organisation)
        first = min(since, add_months(on, -RHYTHM_MONTHS))
        counts: dict[tuple[str | None, str], Counter[str]] = defaultdict(Counter)
        comings: dict[tuple[str | None, str], Counter[dt.date]] = defaultdict(Counter)
        for row in session.execute(_daily(first, on, names)):
            office = _office(bodies, row.authority)
            comings[office][row.came_on] += row.taken + row.refused
            if row.came_on >= since:
                counts[office].update({name: getattr(row, name) for name in ("files", *COUNTS)})
    feeds = (_feed(office, counts[office], found, on) for office, found in comings.items())
    return sorted(feeds, key=lambda feed: feed.key)


def feed_faults(store: Store, since: dt.date, on: dt.date, organisation: str) -> Iterator[FeedFault]:
    """Each row that an office has to put right, as a stream: refused, contradicted, corrected, then late.

    Of each kind the latest files come first. What came late and is backlog is not amiss, and not there.

    :param organisation: by any of its names; the empty text: of rows that say nobody's.
    """
    with store.reading() as session:
        names = _names(register(session), organisation)
        sent = list(_standing(session, since, on, names))
        for faults, has_some in _FAULTS:
            for some in _alike(pair for pair in sent if has_some(pair[0])):
                yield from faults(_Found(session, some))


def _names(bodies: Register, organisation: str) -> list[str]:
    return sorted(bodies.names(organisation))


def _office(bodies: Register, authority: str) -> tuple[str | None, str]:
    try:
        body = bodies.body(authority)
    except UnknownBodyError:
        return None, authority
    return body.subject_id, body.name


def _daily(first: dt.date, last: dt.date, names: Sequence[str] | None) -> sa.Select[*tuple[Any, ...]]:
    rows = FeedRow.taken + FeedRow.refused
    sums = (sa.func.sum(getattr(FeedRow, name)).label(name) for name in COUNTS)
    files = sa.func.sum(sa.case((rows > 0, 1), (rows < 0, -1), else_=0)).label("files")
    query = sa.select(FeedRow.authority, FeedRow.came_on, files, *sums)
    return _between(query, first, last, names).group_by(FeedRow.authority, FeedRow.came_on)


def _between(
    query: sa.Select[*tuple[Any, ...]], first: dt.date, last: dt.date, names: Sequence[str] | None
) -> sa.Select[*tuple[Any, ...]]:
    query = query.where(FeedRow.came_on.between(first, last))
    return query if names is None else query.where(FeedRow.authority.in_(names))


def _feed(
    office: tuple[str | None, str], count: Counter[str], comings: Mapping[dt.date, int], on: dt.date
) -> Feed:
    usual = rhythm(day for day, rows in comings.items() if rows > 0)
    amiss = count["late"] - count["backlog"] + count["corrected"] + count["contradicted"]
    return Feed(
        body=office[0],
        name=office[1],
        files=count["files"],
        sent=count["taken"] + count["refused"],
        right=max(0, count["taken"] - amiss),
        **{name: count[name] for name in COUNTS if name != "taken"},
        last_on=usual.last_on,
        usual_days=usual.days,
        expected_by=usual.expected_by,
        is_silent=usual.is_silent(on),
    )


def _standing(
    session: Session, since: dt.date, on: dt.date, names: Sequence[str]
) -> Iterator[tuple[FeedRow, IngestedFile]]:
    """The files with rows of these names that are not taken back, the latest first."""
    query = sa.select(FeedRow, IngestedFile).join(IngestedFile, IngestedFile.id == FeedRow.file_id)
    rows = session.execute(_between(query, since, on, names).order_by(FeedRow.file_id.desc())).all()
    back: set[int] = set()
    for _, file in rows:
        if file.undoes is not None and file.id not in back:
            back.add(file.undoes)
    yield from ((row, file) for row, file in rows if file.undoes is None and file.id not in back)


_Sent: TypeAlias = tuple[FeedRow, IngestedFile]


def _alike(sent: Iterable[_Sent]) -> Iterator[Sequence[_Sent]]:
    """Files with the same vocabulary, authority and day together, as many as one query takes."""
    for _, some in groupby(sent, lambda pair: (pair[1].vocabulary, pair[0].authority, pair[0].came_on)):
        yield from parts(list(some))


class _Found:
    """What is amiss with the rows of an authority in files of one vocabulary that came on one day."""

    def __init__(self, session: Session, sent: Sequence[_Sent]) -> None:
        self._session = session
        self._row, file = sent[0]
        self._files = {file.id: file for _, file in sent}
        self._columns, self._decided_on = _words(file.vocabulary)

    def refused(self) -> Iterator[FeedFault]:
        """What kept rows out; the reason says what would be right."""
        row, whose = Quarantined, self._row.authority
        is_own = row.authority == whose if whose else row.authority.is_(None)
        query = sa.select(row.file_id, row.sheet, row.row_no, row.column, row.value, row.reason).where(
            row.file_id.in_(list(self._files)), row.level == "error", is_own
        )
        for *place, column, value, reason in self._rows(
            query, row.file_id.desc(), row.sheet, row.row_no, row.id
        ):
            yield self._fault("refused", (*place, None), column, value, reason)

    def contradicted(self) -> Iterator[FeedFault]:
        """Rows whose status is another than was decided here."""
        row = ContradictionRow
        right = sa.select(RecordMark.status_after).where(RecordMark.id == row.mark_id).scalar_subquery()
        query = (
            sa.select(row.file_id, row.sheet, row.row_no, row.record_id, row.claimed, right)
            .join(
                IngestedFile,
                sa.and_(IngestedFile.id == row.file_id, IngestedFile.ingested_at == row.raised_at),
            )
            .where(row.file_id.in_(list(self._files)), _authority(row) == self._row.authority)
        )
        for *place, claimed, stands in self._rows(query, row.file_id.desc(), row.row_no, row.id):
            yield self._fault(
                "contradicted", place, STATUS, self._shown(STATUS, claimed), self._shown(STATUS, stands)
            )

    def corrected(self) -> Iterator[FeedFault]:
        """What earlier rows said and these files' say otherwise: at the place of the row that was wrong."""
        row, wrong, first = RecordVersion, aliased(RecordVersion), aliased(IngestedFile)
        query = (
            sa.select(first.id, wrong.sheet, wrong.row_no, wrong.record_id, first.name, wrong.data, row.data)
            .select_from(row)
            .join(wrong, _follows(row, wrong))
            .join(first, first.id == wrong.file_id)
            .where(self._came(row), _authority(wrong) == self._row.authority)
        )
        for *place, name, before, after in self._rows(query, row.file_id.desc(), row.row_no, row.id):
            known, said = json.loads(before), json.loads(after)
            for column in corrections(known, said):
                values = self._shown(column, known[column]), self._shown(column, said.get(column))
                right = values[1] or "（空） nothing"
                yield self._fault("corrected", place, column, values[0], right, name)

    def late(self) -> Iterator[FeedFault]:
        """New records that came too late, and were decided since the authority's first rows came."""
        row, earlier, day = RecordVersion, aliased(RecordVersion), self._row.came_on
        decided_on = ValueIn(row.data, self._decided_on)
        began = began_on(self._session.connection(), self._row.authority) or day
        before = sa.select(1).select_from(earlier).where(_follows(row, earlier)).correlate(row)
        query = sa.select(row.file_id, row.sheet, row.row_no, row.record_id, decided_on).where(
            self._came(row),
            _authority(row) == self._row.authority,
            decided_on.between(began.isoformat(), day.isoformat()),
            ~before.exists(),
        )
        for *place, decided in self._rows(query, row.file_id.desc(), row.row_no, row.id):
            if is_late(of := dt.date.fromisoformat(decided), day):
                until = due_on(of)
                right = Title(f"应于{until}前报送", f"it was to come by {until}")
                yield self._fault("late", place, self._decided_on, decided, str(right))

    def _rows(self, query: sa.Select[*tuple[Any, ...]], *order: Any) -> Iterator[Any]:
        """Rows as they come, so that none of many waits for the last."""
        return iter(self._session.execute(query.order_by(*order).execution_options(yield_per=BATCH_ROWS)))

    def _came(self, row: Any) -> sa.ColumnElement[bool]:
        """That a version is of these files, and not one that came back."""
        moments = [file.ingested_at for file in self._files.values()]
        return sa.and_(row.file_id.in_(list(self._files)), row.known_from.in_(moments))

    def _fault(
        self,
        kind: FaultKind,
        place: Sequence[Any],
        column: str | None,
        value: str | None,
        right: str,
        name: str | None = None,
    ) -> FeedFault:
        """A fault of a row at its file, sheet, row and record; of another file that is so called."""
        file_id, sheet, row_no, record_id = place
        known, came = self._columns.get(column or ""), self._row.came_on
        header, name = known.title.zh if known else column, name or self._files[file_id].name
        return FeedFault(kind, came, file_id, name, sheet, row_no, record_id, header, value, right)

    def _shown(self, name: str, value: Any) -> str:
        """A value as an office writes it."""
        known = self._columns.get(name)
        title = known.values.get(str(value)) if known else None
        if known is not None and known.type.scale and value is not None:
            return f"{Decimal(str(value)).normalize():f}"
        return title.zh if title else "" if value is None else str(value)


_FAULTS: Sequence[tuple[Callable[[_Found], Iterator[FeedFault]], Callable[[FeedRow], bool]]] = (
    (_Found.refused, lambda row: row.refused > 0),
    (_Found.contradicted, lambda row: row.contradicted > 0),
    (_Found.corrected, lambda row: row.corrected > 0),
    (_Found.late, lambda row: row.late > row.backlog),
)
"""In the order in which the office reads them: what is not in the store comes first."""


def _follows(row: Any, earlier: Any) -> sa.ColumnElement[bool]:
    """That a version took the place of an earlier one."""
    return sa.and_(
        earlier.vocabulary == row.vocabulary,
        earlier.record_id == row.record_id,
        earlier.known_until == row.known_from,
    )


def _authority(row: Any) -> sa.ColumnElement[str]:
    return sa.func.coalesce(ValueIn(row.data, AUTHORITY), "")


def _words(vocabulary_id: str) -> tuple[Mapping[str, Column], str]:
    """The columns of a vocabulary's records, and that of the day of decision; none of a pack's own."""
    try:
        vocabulary = load_vocabulary(vocabulary_id)
    except (UnknownPackError, PackError):
        return {}, ""
    feeding = feeding_of(vocabulary)
    columns = vocabulary.records.columns if vocabulary.records else {}
    return columns, feeding.decided_on if feeding else ""


FAULT_SCHEMA = pa.schema(
    [("kind", pa.string()), ("came_on", pa.date32()), ("file_id", pa.int64()), ("file", pa.string())]
    + [("sheet", pa.string()), ("row_no", pa.int64())]
    + [(name, pa.string()) for name in ("record_id", "column", "value", "right")]
)
"""The fields of :class:`FeedFault` as columns."""

FAULT_HEADINGS = {
    "kind": "问题 fault",
    "came_on": "报送日期 came on",
    "file_id": "文件号 file no.",
    "file": "文件 file",
    "sheet": "工作表 sheet",
    "row_no": "行 row",
    "record_id": "记录编号 record",
    "column": "列 column",
    "value": "报送值 value",
    "right": "应为 what would be right",
}
"""Their headings, in their order."""


def fault_batches(faults: Iterable[FeedFault]) -> Iterator[pa.RecordBatch]:
    """The rows for the office as columns, a batch at a time."""
    waiting = iter(faults)
    while some := list(islice(waiting, BATCH_ROWS)):
        columns = {name: [getattr(fault, name) for fault in some] for name in FAULT_SCHEMA.names}
        yield pa.RecordBatch.from_pydict(columns, FAULT_SCHEMA)


def usual_since(on: dt.date) -> dt.date:
    """The first day that is looked at where nobody says: a year back."""
    return add_months(on, -12)


def record_months(store: Store, on: dt.date) -> int:
    """Put on record what each registered body sent in each of the last 12 months that are over.

    The department pack grades by it (kind ``data_feed``); what was there before a body began to send is no
    fault of a month. What is on record and has not changed stays as it is.

    :return: how many months of bodies are on record.
    """
    first = on.replace(day=1)
    starts = [add_months(first, -months) for months in range(12, 0, -1)]
    found = [
        (feed, start)
        for start in starts
        for feed in _feeds(store, start, add_months(start, 1) - dt.timedelta(1))
        if feed.body is not None and (feed.sent or _is_recorded(store, feed.body, start))
    ]
    with store.writing() as session:
        for feed, start in found:
            body, number = str(feed.body), _number(str(feed.body), start)
            data = {
                "record_id": number,
                "subject_id": body,
                "kind": MONTH_KIND,
                "status": "effective",
                "occurred_on": add_months(start, 1) - dt.timedelta(1),
                "rows_sent": feed.sent,
                "rows_right": feed.right,
            }
            put_record(session, VOCABULARY, number, body, data, f"feed {number}")
    return len(found)


MONTH_KIND = "data_feed"


def _number(body: str, start: dt.date) -> str:
    return f"FEED-{body}-{start:%Y-%m}"


def _is_recorded(store: Store, body: str, start: dt.date) -> bool:
    """Whether a month is on record of which nothing is left: its files were taken back."""
    query = sa.select(1).where(
        RecordVersion.vocabulary == VOCABULARY,
        RecordVersion.record_id == _number(body, start),
        RecordVersion.known_until.is_(None),
    )
    with store.reading() as session:
        return session.scalar(query) is not None
