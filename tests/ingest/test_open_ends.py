"""Who reports that a term has no end any more has said something, unlike who leaves the cell empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.entries import FileInfo
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.records import submit_records
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .conftest import CODES, current, quarantined, write_text, write_workbook

CODE = "行政相对人代码_1(统一社会信用代码)"
PLAIN = "编号,信用代码,类别,状态,日期,截止日期,机关,文书号"
PERMIT = f"行政相对人名称,{CODE},行政许可决定文书号,许可决定日期,有效期至,许可机关"
PENALTY = f"{CODE},行政处罚决定书文号,处罚类别,处罚决定日期,处罚有效期,公示截止期,处罚机关"


def row(headers: str, end: str) -> str:
    """A record that ends on a day; of a penalty, that stands so long."""
    if headers == PLAIN:
        return f"R1,{CODES[0]},行政许可,有效,2026-01-05,{end},某局,1"
    if headers == PERMIT:
        return f"甲,{CODES[0]},某许〔2026〕1号,2026-01-05,{end},某局"
    return f"{CODES[0]},某罚〔2026〕1号,警告,2026-01-05,{end},某局"


def take(store: Store, path: Path) -> FileReport:
    return ingest_file(store, path, "enterprise", Reading(quarantine=path.parent / "q"))


@pytest.mark.parametrize("headers", [PLAIN, PERMIT])
@pytest.mark.parametrize("word", ["长期", "永 久 有 效", "无固定期限"])
def test_an_end_that_is_reported_open_is_open(store: Store, tmp_path: Path, headers: str, word: str) -> None:
    take(store, write_text(tmp_path / "1.csv", [headers, row(headers, "2026-12-31")]))
    report = take(store, write_text(tmp_path / "2.csv", [headers, row(headers, word)]))
    assert (report.changed, report.columns["ends_on"].cleared) == (1, 1)
    assert "ends_on" not in current(store)[0]
    lines = [headers.split(","), row(headers, word).split(",")]
    assert take(store, write_workbook(tmp_path / "3.xlsx", lines)).unchanged == 1


@pytest.mark.parametrize(
    ("headers", "end"), [(PLAIN, ""), (PLAIN, "无"), (PERMIT, "2099/12/31"), (PENALTY, "长期,")]
)
def test_what_says_no_end_leaves_the_one_that_is_known(
    store: Store, tmp_path: Path, headers: str, end: str
) -> None:
    """Of a penalty two columns say its end, and the one that is empty may have said it."""
    known = "2099/12/31,2026-12-31" if headers == PENALTY else "2026-12-31"
    take(store, write_text(tmp_path / "1.csv", [headers, row(headers, known)]))
    assert take(store, write_text(tmp_path / "2.csv", [headers, row(headers, end)])).changed == 0
    assert current(store)[0]["ends_on"] == "2026-12-31"


def test_among_other_rows_each_has_its_own_end(store: Store, tmp_path: Path) -> None:
    """Rows that are read together, and one that is judged by itself."""
    ends = {"R1": "2026-12-31", "R2": "长期", "R3": "", "R4": "长期"}
    for name, later in (("1.csv", dict.fromkeys(ends, "2026-06-30")), ("2.csv", ends)):
        rows = [
            f"{key},{CODES[0]},行政许可,有效,2026-01-0{n},{end},某局,{key}"
            for n, (key, end) in enumerate(later.items(), start=1)
        ]
        take(
            store,
            write_text(tmp_path / name, [PLAIN, *rows, f"R9,9,行政许可,有效,2026-01-09,{ends['R2']},,"]),
        )
    known = {record["record_id"]: record.get("ends_on") for record in current(store)}
    assert known == {"R1": "2026-12-31", "R2": None, "R3": "2026-06-30", "R4": None}


TITLES = ["到期日期", "有效期止", "有效期截止日期", "失效日期"]


@pytest.mark.parametrize("title", [*TITLES, "终止时间", "*截止时间（年/月/日）"])
@pytest.mark.parametrize("vocabulary", ["enterprise", "rural", "tourism"])
def test_an_end_is_known_by_what_officials_call_it(
    store: Store, tmp_path: Path, vocabulary: str, title: str
) -> None:
    """The day on which a loan is due does not end its record: where there are loans, 到期日期 is told."""
    code, award = ("农户编码", "乡村荣誉") if vocabulary == "rural" else ("信用代码", "失信被执行人")
    lines = [f"编号,{code},类别,等级,状态,日期,{title}", f"R1,{CODES[0]},{award},,有效,2026-01-05,2026-12-31"]
    path = write_text(
        tmp_path / "a.csv", [line.replace(",,", ",区级,", vocabulary == "rural") for line in lines]
    )
    report = ingest_file(store, path, vocabulary, Reading(quarantine=tmp_path / "q"))
    assert (report.new, report.ignored, current(store)[0]["ends_on"]) == (1, (), "2026-12-31")
    assert bool(report.doubted) == (title == "到期日期" and vocabulary != "tourism")


@pytest.mark.parametrize("title", TITLES)
def test_in_a_form_of_permits_it_means_nothing_else(store: Store, tmp_path: Path, title: str) -> None:
    lines = [PERMIT.replace("有效期至", title), row(PERMIT, "2026-12-31")]
    report = take(store, write_text(tmp_path / "a.csv", lines))
    assert (report.new, report.doubted, current(store)[0]["ends_on"]) == (1, (), "2026-12-31")


@pytest.mark.parametrize("title", ["公示截止日期", "公示到期日期", "处罚到期日期", "到期日期"])
def test_in_a_form_of_penalties_it_is_an_end_as_well(store: Store, tmp_path: Path, title: str) -> None:
    lines = [PENALTY.replace("处罚有效期,公示截止期", title), row(PENALTY, "2026-12-31")]
    report = take(store, write_text(tmp_path / "a.csv", lines))
    assert (report.new, current(store)[0]["ends_on"]) == (1, "2026-12-31")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("title", ["授权到期日期", "授权有效期至", "授权截止日期", "consented_until"])
def test_a_consent_for_good_is_a_consent(store: Store, tmp_path: Path, form: str, title: str) -> None:
    """Of a household without a day of consent nothing of its loans counts."""
    for end in ("2027-06-30", "长期", ""):
        lines = [["农户编码", "主体类型", title], ["NH1", "农户", end]]
        path = tmp_path / f"{end or 'none'}.{form}"
        write_workbook(path, lines) if form == "xlsx" else write_text(path, [",".join(row) for row in lines])
        report = ingest_file(store, path, "rural", Reading(quarantine=tmp_path / "q"))
    assert (report.rejected, current(store, SubjectVersion)[0]["consented_until"]) == (0, "9999-12-31")


def test_a_day_that_is_no_end_can_not_be_open(store: Store, tmp_path: Path) -> None:
    lines = ["农户编码,主体类型,建档日期", "NH1,农户,长期"]
    report = ingest_file(
        store, write_text(tmp_path / "a.csv", lines), "rural", Reading(quarantine=tmp_path / "q")
    )
    assert (report.new, report.rejected) == (0, 1)
    ((row, column, value, reason),) = quarantined(store)
    assert (row, column, value, reason[:4]) == (2, "建档日期", "长期", "不是日期")


@pytest.mark.parametrize("end", ["三年", "1900-01-00", "2921-03-04", "1970-01-01"])
def test_whose_end_is_refused_is_told_what_stands_for_none(store: Store, tmp_path: Path, end: str) -> None:
    take(store, write_text(tmp_path / "1.csv", [PLAIN, row(PLAIN, end)]))
    reasons = [reason for _, column, _, reason in quarantined(store) if column == "截止日期"]
    assert all("没有终止期限的填“长期”或9999-12-31" in reason for reason in reasons[:1])
    assert reasons


def test_so_it_is_by_the_api(store: Store) -> None:
    row = {"record_id": "R1", "subject_id": CODES[0], "kind": "permit", "status": "有效"}
    row |= {"occurred_on": "2026-01-05", "ends_on": "2026-12-31"}
    for end in ("2026-12-31", "长期"):
        submit_records(
            store, load_vocabulary("enterprise"), [row | {"ends_on": end}], FileInfo(end, "api", "api")
        )
    assert "ends_on" not in current(store)[0]
