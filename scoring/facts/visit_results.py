"""What came of visits: the result and the enterprise's rating, by file, form or API, and the record of it.

A visit that was made is an inspection among the records of its enterprise, whose number is the visit's code,
where the vocabulary has that kind. Where an office tells of the same inspection under a number of its own
(same enterprise, day and authority), whether before or after, its record is the one that counts.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from rules.calendar import today
from rules.fault import UnknownPackError
from rules.library.loader import load_vocabulary
from rules.model import Vocabulary
from rules.titles import Title, TitledError, UnknownError
from scoring.facts.bodies import register
from scoring.facts.entries import wait_for_turn
from scoring.facts.ingest.folding import fold
from scoring.facts.merging import AUTHORITY, STATUS
from scoring.facts.noted import Rejected
from scoring.facts.one_record import put_record
from scoring.facts.staging import Staged
from scoring.store import Store
from scoring.store.documents import decode
from scoring.store.models import IngestedFile, RecordVersion, SubjectVersion
from scoring.store.visits import VisitRow, lock_visits

VOCABULARY = "visit"
"""Of the files in which offices report results."""

INSPECTION = "inspection"
PASSED = "passed"
WITHOUT_WORDS = (PASSED, "unreachable")
"""Outcomes of which nobody has to say what was found."""

PARTY = 2
"""Inspectors a visit: 行政处罚法 art. 42 asks for at least two."""

RATINGS = range(1, 6)
_BETWEEN = re.compile(r"[\s;；、,，|]+")


class VisitRefusedError(TitledError):
    """What a visit, or the caps, do not allow; the message says why, and what would be right."""


class UnknownVisitError(UnknownError):
    """There is no visit of that code, or not for who asks."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a visit.

    :param went: the inspectors who came, of those whom the code names; empty for all of them.
    :param findings, measures: in words.
    """

    done_on: dt.date
    outcome: str
    findings: str | None = None
    measures: str | None = None
    went: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rating:
    """What the enterprise says of a visit: 1 (bad) to 5 (good), and why."""

    rating: int
    words: str | None = None


def outcomes() -> Mapping[str, Title]:
    """What may come of a visit, by code."""
    return load_vocabulary(VOCABULARY).subject.columns["outcome"].values


def as_code(text: str) -> str:
    """A code as it is kept, of whatever somebody typed.

    :raises UnknownVisitError: where it can be none: a digit is missing, or mistyped.

    >>> as_code("3141 5926-5358")
    '314159265358'
    >>> as_code("3141 5926 5385")
    Traceback (most recent call last):
        ...
    scoring.facts.visit_results.UnknownVisitError: 3141 5926 5385 is no visit code: a digit is mistyped
    """
    digits = re.sub(r"[\s-]", "", fold(text))
    if not re.fullmatch(r"[0-9]{12}", digits):
        raise UnknownVisitError(
            Title(f"{text}不是检查码:检查码为12位数字", f"{text} is no visit code: those have 12 digits")
        )
    try:
        return str(mod_11_10.validate(digits))
    except ValidationError:
        en = f"{text} is no visit code: a digit is mistyped"
        raise UnknownVisitError(Title(f"{text}不是检查码:有数字输错,请核对", en)) from None


def visit_row(session: Session, code: str, office: str | None = None) -> VisitRow:
    """The visit of a code, in any spelling.

    :param office: only if this office takes part in it, by whichever of its names.
    :raises UnknownVisitError: where there is none.
    """
    row = session.scalar(sa.select(VisitRow).where(VisitRow.code == as_code(code)))
    if row is None:
        raise unknown_visit(code)
    if office is not None and register(session).names(office).isdisjoint(json.loads(row.authorities)):
        raise unknown_visit(code)
    return row


def unknown_visit(code: str) -> UnknownVisitError:
    """What to raise where there is no visit of a code, or not for who asks."""
    return UnknownVisitError(Title(f"没有检查码为{code}的检查", f"there is no visit of the code {code}"))


def enter_result(
    store: Store, code: str, result: Result, by: str, on: dt.date, office: str | None = None
) -> None:
    """Note what came of a visit; the inspection is among the enterprise's records from then on.

    :param on: the day on which it is entered.
    :param office: only if this office takes part in the visit.
    :raises UnknownVisitError: where there is no such visit.
    :raises VisitRefusedError: where it was made, cancelled or has lapsed, or the code is for other days or
        inspectors.
    """
    with store.writing() as session:
        wait_for_turn(session)
        lock_visits(session)
        row = visit_row(session, code, office)
        _check_result(row, result, on)
        _keep_result(session, row, result, by)


def enter_rating(store: Store, code: str, rating: Rating, by: str, subject_id: str | None = None) -> None:
    """Note what the enterprise says of a visit.

    :param subject_id: only if the visit was of this enterprise.
    :raises UnknownVisitError: where there is no such visit.
    :raises VisitRefusedError: where it was not made yet, or is rated already.
    """
    with store.writing() as session:
        lock_visits(session)
        row = visit_row(session, code)
        if subject_id not in (None, row.subject_id):
            raise unknown_visit(code)
        _check_rating(row, rating, row.outcome)
        _keep_rating(row, rating, by)


def refuse_closed(row: VisitRow, on: dt.date) -> None:
    """A code is used once, while it is open.

    :raises VisitRefusedError: where the visit was made, cancelled or has lapsed.
    """
    if row.outcome is not None:
        raise VisitRefusedError(
            Title(
                f"检查码已使用:{row.done_on}的检查结果已登记",
                f"the code is used: the visit of {row.done_on} has its result",
            )
        )
    if row.cancelled_at is not None:
        raise VisitRefusedError(
            Title(f"检查已取消:{row.cancel_reason}", f"the visit was cancelled: {row.cancel_reason}")
        )
    if row.report_until < on:
        raise VisitRefusedError(
            Title(
                f"检查码已失效:结果应在{row.report_until}前登记",
                f"the code has lapsed: its result could be entered until {row.report_until}",
            )
        )


def _check_result(row: VisitRow, result: Result, on: dt.date) -> None:
    refuse_closed(row, on)
    if not row.begins_on <= result.done_on <= row.ends_on:
        raise VisitRefusedError(
            Title(
                f"检查码适用于{row.begins_on}至{row.ends_on},不含{result.done_on}",
                f"the code is for {row.begins_on} to {row.ends_on}, not for {result.done_on}",
            )
        )
    if result.done_on > on:
        en = f"{result.done_on} is still to come: a result is entered once the visit was made"
        raise VisitRefusedError(Title(f"{result.done_on}尚未到来:检查之后登记结果", en))
    if strangers := [one for one in result.went if one not in json.loads(row.inspectors)]:
        raise VisitRefusedError(
            Title(
                f"{'、'.join(strangers)}不在检查码所列人员之中",
                f"the code does not name {', '.join(strangers)} among its inspectors",
            )
        )
    if result.went and len(set(result.went)) < PARTY:
        raise VisitRefusedError(Title(f"到场人员不得少于{PARTY}人", f"at least {PARTY} inspectors go"))
    if result.outcome not in WITHOUT_WORDS and not result.findings:
        raise VisitRefusedError(
            Title("请填写发现问题:结果不是合格", f"say what was found: the outcome is {result.outcome}")
        )


def _keep_result(session: Session, row: VisitRow, result: Result, by: str) -> None:
    row.done_on, row.outcome = result.done_on, result.outcome
    row.findings, row.measures = result.findings, result.measures
    row.went = json.dumps(list(dict.fromkeys(result.went))) if result.went else row.inspectors
    row.entered_by, row.entered_at = by, dt.datetime.now(dt.UTC)
    session.flush()
    _tell_once(session, [row])


def _check_rating(row: VisitRow, rating: Rating, outcome: str | None) -> None:
    if rating.rating not in RATINGS:
        raise VisitRefusedError(Title("评分为1至5", "a rating is one of 1 to 5"))
    if outcome is None:
        raise VisitRefusedError(
            Title("检查结果登记后方可评价", "a visit is rated once its result is entered")
        )
    if row.rating is not None:
        raise VisitRefusedError(Title("企业已作评价,不可更改", "the enterprise has rated the visit already"))


def _keep_rating(row: VisitRow, rating: Rating, by: str) -> None:
    row.rating, row.rating_words = rating.rating, rating.words
    row.rated_by, row.rated_at = by, dt.datetime.now(dt.UTC)


# Files


def check_rows(session: Session, rows: Sequence[Staged]) -> Iterator[Rejected]:
    """Which rows of a file of results are not to be taken: see :data:`scoring.facts.versions.Check`."""
    lock_visits(session)
    seen: set[str] = set()
    for row in rows:
        try:
            code = as_code(row.key)
            if code in seen:
                raise VisitRefusedError(
                    Title("本文件中另一行是同一检查码", "another row of the file has the same code")
                )
            seen.add(code)
            _check_row(session, row)
        except (UnknownVisitError, VisitRefusedError) as error:
            yield Rejected(row.row_no, "code", row.key, error.title.both, sheet=row.sheet)


def _check_row(session: Session, row: Staged) -> None:
    said = _said(row.data)
    visit, on = visit_row(session, row.key), said.on
    if said.subject_id not in (None, visit.subject_id):
        raise VisitRefusedError(
            Title(f"检查码属于{visit.subject_id}", f"the code is for a visit of {visit.subject_id}")
        )
    if said.result is not None and not _repeats(visit, said.result):
        _check_result(visit, said.result, on)
    if said.rating is not None and visit.rating != said.rating.rating:
        _check_rating(visit, said.rating, said.result.outcome if said.result else visit.outcome)
    if said.result is None and said.rating is None:
        raise VisitRefusedError(
            Title("请填写检查日期和检查结果,或企业评分", "give the day and the outcome, or a rating")
        )


@dataclass(frozen=True, slots=True)
class _Said:
    """What a row says. ``on`` is the day on which it comes."""

    subject_id: str | None
    result: Result | None
    rating: Rating | None
    on: dt.date


def _said(document: str) -> _Said:
    row = decode(document, load_vocabulary(VOCABULARY).subject)
    if (row["done_on"] is None) != (row["outcome"] is None):
        raise VisitRefusedError(
            Title("检查日期和检查结果须同时填写", "the day and the outcome are given together")
        )
    result = rating = None
    if row["outcome"] is not None:
        went = tuple(one for one in _BETWEEN.split(row["inspectors"] or "") if one)
        result = Result(row["done_on"], row["outcome"], row["findings"], row["measures"], went)
    if row["rating"] is not None:
        rating = Rating(row["rating"], row["rating_words"])
    return _Said(row["subject_id"], result, rating, today())


def _repeats(visit: VisitRow, result: Result) -> bool:
    """Whether a row says again what is known, such as one that adds the rating."""
    same = (visit.done_on, visit.outcome, visit.findings, visit.measures)
    return same == (result.done_on, result.outcome, result.findings, result.measures)


def take_results(session: Session, file: IngestedFile) -> None:
    """Note what the rows of a file of results say, in its transaction; :func:`check_rows` let them in."""
    query = sa.select(SubjectVersion).where(
        SubjectVersion.vocabulary == VOCABULARY,
        SubjectVersion.known_until.is_(None),
        SubjectVersion.file_id == file.id,
    )
    for version in session.scalars(query.order_by(SubjectVersion.id)).all():
        visit, said = visit_row(session, version.subject_id), _said(version.data)
        if said.result is not None and visit.outcome is None:
            _keep_result(session, visit, said.result, f"file: {file.name}")
        if said.rating is not None and visit.rating is None:
            _keep_rating(visit, said.rating, f"file: {file.name}")


# Records


def tell_once(session: Session, file: IngestedFile) -> None:
    """See that inspections of which a file speaks, or spoke before it was taken back, are told once."""
    theirs = sa.select(RecordVersion.subject_id).where(
        RecordVersion.vocabulary == file.vocabulary, RecordVersion.file_id == file.id
    )
    query = sa.select(VisitRow).where(
        VisitRow.vocabulary == file.vocabulary,
        VisitRow.outcome.is_not(None),
        VisitRow.subject_id.in_(theirs),
    )
    _tell_once(session, session.scalars(query.order_by(VisitRow.id)).all())


def _tell_once(session: Session, visits: Iterable[VisitRow]) -> None:
    """Have each visit told by one record that counts: its office's own, or else one of the code's number."""
    for visit in visits:
        words = _with_inspections(visit.vocabulary)
        if words is None:
            continue
        theirs = _office_record(session, visit, words)
        if visit.record_id == (theirs or visit.code):
            continue
        own = _own_record(session, visit, words)
        if theirs is None:
            _put(session, visit, words, {**own, STATUS: "effective"} if visit.record_id else own)
        elif own:
            _put(session, visit, words, {**own, STATUS: "revoked"})
        visit.record_id = theirs or visit.code


def _with_inspections(vocabulary_id: str) -> Vocabulary | None:
    try:
        words = load_vocabulary(vocabulary_id)
    except UnknownPackError:
        return None
    columns = words.records.columns if words.records else {}
    needed = {"kind", "level", STATUS, AUTHORITY, words.record_date}
    return words if columns.keys() >= needed and INSPECTION in columns["kind"].values else None


def _office_record(session: Session, visit: VisitRow, words: Vocabulary) -> str | None:
    """The number under which an office that went tells of the visit; the first, where there are several."""
    other = sa.orm.aliased(VisitRow)
    taken = sa.select(1).where(
        sa.or_(
            other.code == RecordVersion.record_id,
            sa.and_(other.id != visit.id, other.record_id == RecordVersion.record_id),
        )
    )
    query = sa.select(RecordVersion.record_id, RecordVersion.data).where(
        RecordVersion.vocabulary == visit.vocabulary,
        RecordVersion.subject_id == visit.subject_id,
        RecordVersion.known_until.is_(None),
        ~taken.correlate(RecordVersion).exists(),
    )
    bodies, offices = register(session), json.loads(visit.authorities)
    assert words.records is not None, "it has inspections"
    for record_id, document in session.execute(query.order_by(RecordVersion.record_id)):
        said = decode(document, words.records)
        is_same_day = (said["kind"], said[words.record_date]) == (INSPECTION, visit.done_on)
        if is_same_day and bodies.title(said[AUTHORITY] or "") in offices:
            return str(record_id)
    return None


def _own_record(session: Session, visit: VisitRow, words: Vocabulary) -> dict[str, object]:
    """What is known of the record of the code's number; nothing where there is none of this enterprise."""
    document = session.scalar(
        sa.select(RecordVersion.data).where(
            RecordVersion.vocabulary == visit.vocabulary,
            RecordVersion.record_id == visit.code,
            RecordVersion.subject_id == visit.subject_id,
            RecordVersion.known_until.is_(None),
        )
    )
    assert words.records is not None, "it has inspections"
    return dict(decode(document, words.records)) if document else {}


def _put(session: Session, visit: VisitRow, words: Vocabulary, known: Mapping[str, object]) -> None:
    """Have the record of the code's number say what came of the visit."""
    assert words.records is not None, "it has inspections"
    said = {
        **known,
        words.records.key: visit.code,
        words.record_subject: visit.subject_id,
        "kind": INSPECTION,
        "level": visit.outcome,
        STATUS: known.get(STATUS) or "effective",
        words.record_date: visit.done_on,
        AUTHORITY: json.loads(visit.authorities)[0],
    }
    put_record(session, visit.vocabulary, visit.code, visit.subject_id, said, f"visit: {visit.code}")
