"""The register of public bodies: a district edits it by files, and a name has one owner."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scoring.facts.bodies import UnknownBodyError, register
from scoring.facts.ingest.files import FileReport, Reading, ingest_file
from scoring.store import Store

FULL = "国家税务总局云衡区税务局"
RENAMED = ("DW301,数据局,,大数据局", "DW302,大数据局,,", "DW303,丁局,,旧局", "DW304,戊局,,旧局")
HEADERS = "单位编码,单位名称,其他名称,曾用名"


def _take(store: Store, folder: Path, name: str, *lines: str) -> FileReport:
    path = folder / name
    path.write_text("\n".join((HEADERS, *lines)), encoding="utf-8")
    return ingest_file(store, path, "department", Reading(dataset="subject", quarantine=folder / "q"))


def test_a_file_gives_a_body_its_other_names(store: Store, tmp_path: Path) -> None:
    report = _take(store, tmp_path, "a.csv", f"DW301,云衡区税务局,{FULL}；区税务局,云衡区国税局")
    with store.reading() as session:
        found = register(session)
    names = {"DW301", "云衡区税务局", FULL, "区税务局", "云衡区国税局"}
    assert (report.new, report.rejected) == (1, 0)
    assert all(found.names(name) >= names for name in names)
    assert {found.title(name) for name in names} == {"云衡区税务局"}
    assert found.names("云衡海关") == {"云衡海关"}


@pytest.mark.parametrize(
    "claim",
    [f"DW302,{names}," for names in ("乙局,丙局", "乙局,ＤＷ301", "乙局,甲局", "丙局,", "乙局,丙 局;丁局")],
)
def test_a_name_that_is_anothers_is_refused_with_its_holder(store: Store, tmp_path: Path, claim: str) -> None:
    _take(store, tmp_path, "a.csv", "DW301,甲局,丙局,")
    report = _take(store, tmp_path, "b.csv", claim, "DW303,戊局,,")
    assert (report.new, report.rejected) == (1, 1)
    assert report.quarantine is not None
    [told] = csv.DictReader(report.quarantine.read_text(encoding="utf-8-sig").splitlines())
    assert told["原因 reason"].startswith(f"名称“{told['值 value']}”已属于单位DW301")
    assert told["列 column"] == ("单位名称" if claim == "DW302,丙局,," else "其他名称")


def test_of_two_rows_of_a_file_that_claim_a_name_the_first_has_it(store: Store, tmp_path: Path) -> None:
    report = _take(store, tmp_path, "a.csv", "DW301,甲局,丙局,", "DW302,乙局,丙局,")
    again = _take(store, tmp_path, "b.csv", "DW301,甲局,丁局,", "DW302,乙局,丙局,")
    assert (report.new, report.rejected) == (1, 1)
    assert (again.changed, again.new, again.rejected) == (1, 1, 0)


def test_a_body_s_own_name_comes_before_what_another_was_called(store: Store, tmp_path: Path) -> None:
    _take(
        store,
        tmp_path,
        "a.csv",
        "DW301,数据局,,大数据局",
        "DW302,大数据局,,",
        "DW303,丁局,,旧局",
        "DW304,戊局,,旧局",
    )
    with store.reading() as session:
        found = register(session)
    assert found.body("大数据局").subject_id == "DW302"
    assert "大数据局" not in found.names("数据局")
    assert "旧局" not in found.names("丁局")
    with pytest.raises(UnknownBodyError, match="DW303 and DW304"):
        found.body("旧局")
