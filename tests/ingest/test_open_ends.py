"""Who reports that a term has no end any more has said something, unlike who leaves the cell empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.library.loader import load_vocabulary
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.facts.records import submit_records
from scoring.facts.versions import FileInfo
from scoring.store import Store

from .conftest import CODES, current, write_text, write_workbook

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


def test_so_it_is_by_the_api(store: Store) -> None:
    row = {"record_id": "R1", "subject_id": CODES[0], "kind": "permit", "status": "有效"}
    row |= {"occurred_on": "2026-01-05", "ends_on": "2026-12-31"}
    for end in ("2026-12-31", "长期"):
        submit_records(
            store, load_vocabulary("enterprise"), [row | {"ends_on": end}], FileInfo(end, "api", "api")
        )
    assert "ends_on" not in current(store)[0]
