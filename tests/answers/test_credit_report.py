"""What stands in the credit report on paper, and what may not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from rules.library.loader import load_vocabulary
from rules.titles import UnknownError
from scoring.answers.credit_report import CHAPTERS, NOT_REPORTED, Content, PaperError, credit_content
from scoring.answers.credit_report.paper import ADDRESS_VARIABLE, report_pdf
from scoring.facts.entries import FileInfo
from scoring.facts.one_record import put_record
from scoring.facts.records import submit_records
from scoring.store import Store, open_store
from scoring.store.documents import encode
from scoring.store.models import IngestedFile, SubjectVersion

ENTERPRISE = load_vocabulary("enterprise")
FIRM = "91500232MA5U00001M"
DAY = dt.date(2026, 9, 1)
NOW = dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
AUTHORITY = "样例区市场监督管理局"


@pytest.fixture
def store(sqlite_store_url: str) -> Iterator[Store]:
    """A store with one enterprise."""
    opened = open_store(sqlite_store_url)
    with opened.writing() as session:
        file = IngestedFile(
            sha256="0" * 64, name="m.csv", vocabulary="enterprise", table="subject", rows_good=1, rows_bad=0,
            ingested_at=NOW, source="file",
        )  # fmt: skip
        session.add(file)
        session.flush()
        data = encode({"subject_id": FIRM, "name": "样例企业", "employees": 7, "town": "样例镇"})
        session.add(
            SubjectVersion(
                subject_id=FIRM, vocabulary="enterprise", data=data, content_hash="1", row_no=1,
                known_from=NOW, known_until=None, file_id=file.id,
            )
        )  # fmt: skip
    yield opened
    opened.close()


@pytest.fixture
def known(store: Store) -> Callable[..., None]:
    """Makes a record known."""

    def put(number: str, **more: Any) -> None:
        fixed = {"record_id": number, "subject_id": FIRM, "kind": "penalty", "severity": "general"}
        fixed |= {"status": "effective", "occurred_on": dt.date(2026, 6, 1), "authority": AUTHORITY}
        fixed |= {"document_no": f"{number}号", **more}
        with store.writing() as session:
            put_record(session, "enterprise", number, FIRM, fixed, "a list")

    return put


def content(store: Store, day: dt.date = DAY) -> Content:
    with store.reading() as session:
        return credit_content(session, ENTERPRISE, FIRM, day)


def documents(store: Store, day: dt.date = DAY) -> list[str | None]:
    return [line.document_no for _, lines in content(store, day).chapters for line in lines]


def test_every_kind_of_record_has_its_chapter_or_is_named_as_left_out() -> None:
    assert ENTERPRISE.records is not None
    placed = [kind for chapter in CHAPTERS for kind in chapter.kinds]
    assert sorted([*placed, *NOT_REPORTED]) == sorted(ENTERPRISE.records.columns["kind"].values)


def test_the_report_has_the_ten_chapters_of_the_national_form_in_their_order(store: Store) -> None:
    titles = [chapter.title.zh for chapter, _ in content(store).chapters]
    assert titles == [
        "一、登记注册基础信息", "二、行政管理信息", "三、诚实守信相关荣誉信息",
        "四、严重失信主体名单信息", "五、经营（活动）异常名录（状态）信息", "六、信用承诺信息",
        "七、信用评价信息", "八、司法判决及执行信息", "九、其他信息", "十、信用状况提升建议",
    ]  # fmt: skip


def test_what_is_repaired_revoked_minor_or_a_lenders_business_is_not_in_it(
    store: Store, known: Callable[..., None]
) -> None:
    known("A")
    known("B", status="repaired")
    known("C", status="revoked")
    known("D", severity="minor")
    known("E", kind="loan", severity=None, level="overdue")
    known("F", occurred_on=dt.date(2026, 9, 2))
    assert documents(store) == ["A号"]


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ({}, dt.date(2027, 5, 31)),
        ({"severity": "serious"}, dt.date(2029, 5, 31)),
        ({"ends_on": dt.date(2026, 12, 1)}, dt.date(2026, 11, 30)),
        ({"kind": "abnormal_operation_listing", "ends_on": dt.date(2030, 1, 1)}, dt.date(2029, 12, 31)),
        ({"kind": "inspection", "level": "failed"}, dt.date(2029, 5, 31)),
        ({"kind": "permit", "ends_on": dt.date(2035, 6, 1)}, dt.date(2035, 5, 31)),
    ],
)
def test_a_record_is_in_it_until_the_last_day_of_its_term_and_no_longer(
    store: Store, known: Callable[..., None], more: dict[str, Any], last: dt.date
) -> None:
    known("A", **{"severity": "general" if "kind" not in more else None, **more})
    assert documents(store, last) == ["A号"]
    assert documents(store, last + dt.timedelta(days=1)) == []


def test_what_is_disputed_is_marked(store: Store, known: Callable[..., None]) -> None:
    known("A", status="disputed")
    known("B")
    lines = {line.document_no: line.disputed for _, lines in content(store).chapters for line in lines}
    assert lines == {"A号": True, "B号": False}


def test_of_yearly_ratings_the_newest_stands(store: Store, known: Callable[..., None]) -> None:
    for year in (2025, 2026):
        day = dt.date(year, 4, 1)
        known(f"{year}", kind="tax_rating", severity=None, level="A", occurred_on=day)
    assert documents(store) == ["2026号"]


def test_of_the_register_only_what_the_form_asks_is_in_it(store: Store) -> None:
    assert [column.name for column, _ in content(store).register] == ["subject_id", "name", "town"]


def test_whoever_is_not_there_has_no_report(store: Store) -> None:
    with store.reading() as session, pytest.raises(UnknownError):
        credit_content(session, ENTERPRISE, "91110000600037341L", DAY)


def test_the_same_content_is_the_same_file_to_the_byte(
    store: Store, known: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "https://credit.example.cn")
    known("A", status="disputed", amount=None, level="fine")
    files = {report_pdf(content(store), "20260901-AAAABBBB", "AAAA-BBBB-CCCC-DDDD", NOW) for _ in range(2)}
    assert [file[:5] for file in files] == [b"%PDF-"]


def test_a_report_that_no_font_here_can_write_is_refused_and_not_printed_with_holes(store: Store) -> None:
    odd = replace(content(store), name="样例\U000323ad企业")
    with pytest.raises(PaperError, match="1 of the characters"):
        report_pdf(odd, "20260901-AAAABBBB", "AAAA", NOW)


def test_an_address_that_is_none_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "credit.example.cn")
    with pytest.raises(PaperError, match="https://credit"):
        report_pdf(content(store), "20260901-AAAABBBB", "AAAA", NOW)


def test_a_row_that_makes_the_class_serious_is_in_it_as_what_holds_meanwhile(store: Store) -> None:
    row = {"record_id": "G", "subject_id": FIRM, "kind": "penalty", "level": "closed", "status": "effective"}
    done = submit_records(store, ENTERPRISE, [row | {"occurred_on": "2026-07-01"}], FileInfo("g", "api"))
    assert (done.new, len(done.warnings)) == (1, 1)
    said = [{c.name: v for c, v in line.said} for _, lines in content(store).chapters for line in lines]
    assert said == [{"level": "closed", "severity": "general"}]
