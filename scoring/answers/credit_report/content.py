"""What stands in a credit report: the chapters of the national form, and which records each of them holds.

The chapters are those of 公共信用信息报告标准（2022年版）. Which kind of record stands in which of them, how
far back what the law gives no term goes, and the advice at the end are our own choice. The district's own
grade does not stand in it: it is for the district's supervision, and no public evaluation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import add_months
from rules.model import Column, Title, Vocabulary
from scoring.answers.timelines import unknown_subject
from scoring.facts.ingest.keys import subject_key
from scoring.facts.objection_case import DISPUTED
from scoring.facts.objections import STATUS
from scoring.facts.publicity import is_surely_shown
from scoring.facts.records import records_table
from scoring.store.documents import decode
from scoring.store.models import RecordVersion, SubjectVersion, last_ingest

GOES_BACK = 36
"""Months: the longest term of order 36, for what it gives none."""

ATTRIBUTES = (
    "subject_id", "registration_number", "name", "form", "industry", "size", "state", "established_on",
    "registered_capital", "town",
)  # fmt: skip
"""What stands of the register: nothing of the persons behind an enterprise."""

NAME, KIND, CLASS = "name", "kind", "severity"
DETAILS = ("level", CLASS, "field", "amount")
"""The columns that say what a record is about; no free text is among them, which might name a person."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of the form.

    :param standing: kinds of records that stand in it until they end.
    :param passing: kinds that stand in it for :data:`GOES_BACK` months, or until they end before.
    """

    title: Title
    standing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of records in it."""
        return self.standing + self.passing


CHAPTERS = (
    Chapter(Title("一、登记注册基础信息", "1. Registration"), passing=("registration_change",)),
    Chapter(
        Title("二、行政管理信息", "2. Administration"),
        standing=("permit", "confirmation"),
        passing=("penalty", "coercion", "inspection", "product_sampling", "hazard", "annual_report"),
    ),
    Chapter(
        Title("三、诚实守信相关荣誉信息", "3. Honours for honesty"),
        standing=("award", "qualification"),
        passing=("public_service",),
    ),
    Chapter(
        Title("四、严重失信主体名单信息", "4. Lists of the seriously dishonest"),
        standing=("seriously_dishonest_listing", "wage_arrears_listing", "judgment_default"),
    ),
    Chapter(
        Title("五、经营（活动）异常名录（状态）信息", "5. Abnormal operation"),
        standing=("abnormal_operation_listing", "irregular_taxpayer"),
    ),
    Chapter(Title("六、信用承诺信息", "6. Credit commitments"), passing=("commitment",)),
    Chapter(
        Title("七、信用评价信息", "7. Evaluations"),
        standing=(
            "national_rating", "tax_rating", "environment_rating", "customs_rating", "labour_rating",
        ),
    ),
    Chapter(
        Title("八、司法判决及执行信息", "8. Judgments and their execution"),
        standing=("unperformed_judgment", "equity_freeze"),
        passing=("criminal_judgment",),
    ),
    Chapter(
        Title("九、其他信息", "9. Other information"),
        passing=(
            "tax_arrears", "social_insurance_arrears", "housing_fund_arrears", "utility_arrears",
            "contract_default", "payment_default", "safety_accident",
        ),
    ),
    Chapter(Title("十、信用状况提升建议", "10. How to better it")),
)  # fmt: skip

NOT_REPORTED = ("loan", "check_request", "complaint")
"""Kinds that are no public credit information: lenders' business, offices' plans, what somebody claims."""

LATEST_ALONE = CHAPTERS[6].standing
"""Of these kinds the newest record stands for all."""

MINOR = "minor"
"""The class that is not published as a rule (信用修复管理办法（国家发展改革委令第36号）)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record as it stands in the report.

    :param said: what it is about: column and value.
    :param disputed: somebody objects to it, and that is not decided.
    """

    kind: Title
    said: tuple[tuple[Column, Any], ...]
    document_no: str | None
    authority: str | None
    decided_on: dt.date
    ends_on: dt.date | None
    disputed: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What a report says.

    :param name: of whom it speaks; its credit code where the register gives no name.
    :param register: what the register says: column and value.
    :param chapters: each chapter's lines, in the order of the form.
    :param advice: of the last chapter.
    :param known_at: the moment of the facts: when the last file, request or mark became known.
    """

    subject_id: str
    name: str
    register: tuple[tuple[Column, Any], ...]
    chapters: tuple[tuple[Chapter, tuple[Line, ...]], ...]
    advice: tuple[Title, ...]
    known_at: dt.datetime | None


def credit_content(session: Session, vocabulary: Vocabulary, subject_id: str, day: dt.date) -> Content:
    """What is known of a subject and may be shown on a day.

    :raises UnknownError: where there is no such subject.
    """
    key = subject_key(vocabulary, subject_id)
    document = session.scalar(
        sa.select(SubjectVersion.data).where(
            SubjectVersion.vocabulary == vocabulary.id,
            SubjectVersion.subject_id == key,
            SubjectVersion.known_until.is_(None),
        )
    )
    if document is None:
        title = Title(f"没有主体{subject_id}", f"there is no {vocabulary.id} {subject_id}")
        raise unknown_subject(session, vocabulary, subject_id, title)
    known = decode(document, vocabulary.subject)
    records = list(_shown(session, vocabulary, key, day))
    chapters = tuple((chapter, tuple(_lines(chapter, records, vocabulary, day))) for chapter in CHAPTERS)
    return Content(
        key,
        known.get(NAME) or key,
        tuple(_said(known, vocabulary.subject.columns, ATTRIBUTES)),
        chapters,
        tuple(_advice(records)),
        last_ingest(session),
    )


def _shown(
    session: Session, vocabulary: Vocabulary, subject_id: str, day: dt.date
) -> Iterator[Mapping[str, Any]]:
    """The records that may be shown, the newest first."""
    table = records_table(vocabulary)
    query = sa.select(RecordVersion.data).where(
        RecordVersion.vocabulary == vocabulary.id,
        RecordVersion.subject_id == subject_id,
        RecordVersion.known_until.is_(None),
    )
    found = [decode(document, table) for document in session.scalars(query)]
    dated = [data for data in found if data["occurred_on"] is not None]
    for data in sorted(dated, key=lambda data: (data["occurred_on"], data[table.key]), reverse=True):
        is_past = data["ends_on"] is not None and data["ends_on"] <= day
        if (
            data["occurred_on"] <= day
            and not is_past
            and data[CLASS] != MINOR
            and is_surely_shown(vocabulary, data, day)
        ):
            yield data


def _lines(
    chapter: Chapter, records: list[Mapping[str, Any]], vocabulary: Vocabulary, day: dt.date
) -> Iterator[Line]:
    columns, since = records_table(vocabulary).columns, add_months(day, -GOES_BACK)
    seen: set[str] = set()
    for data in records:
        kind = data[KIND]
        is_here = kind in chapter.standing or (kind in chapter.passing and data["occurred_on"] > since)
        if not is_here or (kind in LATEST_ALONE and kind in seen):
            continue
        seen.add(kind)
        yield Line(
            columns[KIND].values[kind],
            tuple(_said(data, columns, DETAILS)),
            data["document_no"],
            data["authority"],
            data["occurred_on"],
            data["ends_on"],
            data[STATUS] == DISPUTED,
        )


def _said(
    data: Mapping[str, Any], columns: Mapping[str, Column], names: tuple[str, ...]
) -> Iterator[tuple[Column, Any]]:
    return ((columns[name], data[name]) for name in names if data.get(name) is not None)


def _advice(records: list[Mapping[str, Any]]) -> Iterator[Title]:
    kinds = [data[KIND] for data in records]
    adverse = kinds.count("penalty") + sum(kinds.count(kind) for n in (3, 4) for kind in CHAPTERS[n].kinds)
    if adverse:
        yield Title(
            f"有{adverse}条失信信息尚在公示期内。履行相关义务、作出信用承诺并满最短公示期后，可向认定单位申请信用修复"
            "（信用修复管理办法（国家发展改革委令第36号））。",
            f"{adverse} adverse records are within their terms: after the shortest one, with the duties done"
            " and a commitment made, they may be repaired (NDRC order 36).",
        )
    if any(data[KIND] == "commitment" and data["level"] == "open" for data in records):
        yield Title("有履行中的信用承诺，请按期履行。", "There are commitments to be kept in time.")
    yield Title(
        "对报告中的信息有异议的，可向认定单位或本区信用中心提出异议。",
        "Who disagrees with a record may object to it, at its authority or at the district's credit centre.",
    )
