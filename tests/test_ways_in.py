"""The ways in, by kinds of faults: what comes in wrong is put right or said, never kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
import sqlalchemy as sa
import xlwt
from click.testing import CliRunner, Result
from ingest.builders import Tab, Workbook, number, row
from repairing import steps
from seeing import having_looked

from api.app import create_app
from api.settings import Settings
from scoring.access.keys import Role, create_key
from scoring.cli import main
from scoring.store import Store
from scoring.store.models import RecordVersion, SubjectVersion

FIRM, OTHER = "91110000600037341L", "91500156MA5U000019"
COLUMNS = ("编号", "信用代码", "机关", "类别", "失信程度", "状态", "等级", "决定日期", "金额")
FINE = ("R1", FIRM, "区城管局", "行政处罚", "一般", "有效", "罚款", "2026-03-05", "1000")
FIRMS = f"信用代码,企业名称,成立日期,从业人数\n{FIRM},甲公司,2020-01-01,12\n"

Write = Callable[[Path], object]


@pytest.fixture
def known(store: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with one enterprise, which commands use, in a directory of its own."""
    monkeypatch.setenv("XINHENG_DATABASE_URL", store_url)
    monkeypatch.chdir(tmp_path)
    Path("firms.csv").write_text(FIRMS, encoding="utf-8")
    assert xinheng("ingest", "firms.csv").exit_code == 0
    return store


def xinheng(*arguments: object) -> Result:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert "Traceback" not in result.output
    return result


def current(store: Store, version: Any = RecordVersion) -> list[dict[str, Any]]:
    with store.reading() as session:
        rows = session.scalars(sa.select(version.data).filter_by(known_until=None).order_by(version.id))
        return [json.loads(data) for data in rows]


def fine(**other: str) -> tuple[str, ...]:
    """A penalty that can be, but for what is said otherwise: by the columns' titles."""
    return tuple((dict(zip(COLUMNS, FINE, strict=True)) | other).values())


# Files


def lines(*rows: Sequence[str], head: Sequence[str] = COLUMNS, ends: Sequence[str] = ("\n",)) -> Write:
    """A text file; its lines end in turn as said."""
    made = [",".join(cells) for cells in (head, *rows)]
    text = "".join(line + ends[number % len(ends)] for number, line in enumerate(made))
    return lambda path: path.write_bytes(text.encode())


def damaged(*rows: Sequence[str]) -> Write:
    """Names and codes, and the last row's authority cut after two of the three bytes of a character."""
    names = [
        "record_id",
        "subject_id",
        "authority",
        "kind",
        "severity",
        "status",
        "level",
        "occurred_on",
        "amount",
    ]
    text = "\n".join(",".join(cells) for cells in (names, *rows)).encode()
    cut = text.rindex("局".encode())
    return lambda path: path.write_bytes(text[: cut + 2] + text[cut + 3 :])


def book(*tabs: Tab) -> Write:
    return lambda path: Workbook(tabs).write(path)


def sheet(*rows: Sequence[str], name: str = "表", state: str = "visible", **how: Any) -> Tab:
    return Tab(name, [row(*COLUMNS), *(row(*cells) for cells in rows)], state, **how)


def old_workbook(path: Path) -> None:
    made = xlwt.Workbook()
    tab = made.add_sheet("表")
    for place, cells in enumerate((COLUMNS, FINE)):
        for column, value in enumerate(cells):
            tab.write(place, column, value)
    made.save(str(path))


@dataclass(frozen=True)
class Kind:
    """Files that come one after the other, and what is right.

    :param kept: the records known after them, each with the value of the column that matters.
    :param said: what the last answer or its quarantine says.
    """

    files: Sequence[tuple[str, Write]]
    kept: dict[str, str]
    said: Sequence[str] = ()
    column: str = "status"


DATE = COLUMNS.index("决定日期")
CODED = ("R1", FIRM, "云衡税局", "penalty", "general", "effective", "fine", "2026-03-05", "1000")
NO_VALUE = "<c><f>1+1</f></c>"
EFFECTIVE = {"R1": "effective"}

KINDS = {
    "the same bytes again, after something else": Kind(
        [("1.csv", lines(fine())), ("2.csv", lines(fine(状态="异议中"))), ("3.csv", lines(fine()))], EFFECTIVE
    ),
    "a number that keeps its zeros in four ways": Kind(
        [(f"{n}.csv", lines(fine(编号=f"{left}0001{right}"))) for n, (left, right) in
         enumerate([("", ""), ("'", ""), ("`", ""), ('"=""', '"""')])],
        {"0001": "effective"},
    ),
    "a character written as its number": Kind(
        [("a.xlsx", book(sheet(fine(编号="R_x0031_"))))], EFFECTIVE
    ),
    "numbers that a spreadsheet has rounded": Kind(
        [("a.xlsx", book(sheet(*(fine(编号=number(f"20260301000000000{n}")) for n in (1, 2)))))],
        {},
        ["of more than 15 digits"],
    ),
    "numbers that a spreadsheet has shortened": Kind(
        [("a.csv", lines(fine(编号="2.02603E+17"), fine(编号="2.02603E+17", 信用代码=OTHER)))],
        {},
        ["a number with an exponent"],
    ),
    "fifteen digits": Kind(
        [("a.xlsx", book(sheet(fine(编号=number("202603010000001")))))], {"202603010000001": "effective"}
    ),
    "formulas without a value": Kind(
        [("a.xlsx", book(sheet(fine(编号="F1", 金额=NO_VALUE), fine(编号="F2", 决定日期=NO_VALUE), fine())))],
        EFFECTIVE,
        ["a formula without a saved value"],
    ),
    "cells merged downwards": Kind(
        [("a.xlsx", book(sheet(
            fine(), fine(编号="R2", 类别="<c/>", 决定日期="<c/>"), fine(编号="R3", 类别="<c/>"),
            merges=["D2:D4", "H2:H3"],
        )))],
        {"R1": "2026-03-05", "R2": "2026-03-05", "R3": "2026-03-05"},
        column="occurred_on",
    ),
    "several sheets": Kind(
        [("a.xlsx", book(
            Tab("说明", [row("填表说明")]),
            sheet(fine(编号="OLD"), name="旧", state="hidden"),
            sheet(fine(), name="1月"),
            sheet(fine(编号="R2", 金额="2"), name="2月"),
        ))],
        {"R1": "effective", "R2": "effective"},
        ["说明 不是数据表", "旧 隐藏,未读 hidden, not read", "2月 已读 read"],
    ),
    "one damaged byte": Kind(
        [("a.csv", damaged(CODED, ("R2", FIRM, "云衡局", *CODED[3:])))], {}, ["UTF-8", "第3行"]
    ),
    "lines that end in CR CR LF": Kind([("a.csv", lines(fine(), ends=["\r\r\n"]))], EFFECTIVE),
    "lines that end in different ways": Kind(
        [("a.csv", lines(fine(), fine(编号="R2"), fine(编号="R3"), ends=["\r\n", "\n", "\r", "\r\r\n"]))],
        {"R1": "effective", "R2": "effective", "R3": "effective"},
    ),
    **{
        f"no {column}": Kind([("a.csv", lines(fine(**{column: ""})))], {}, [f"缺少{what}"])
        for column, what in {
            "类别": "信息类别", "状态": "记录状态", "决定日期": "认定日期"
        }.items()
    },
    "no 失信程度, and nothing to go by": Kind(
        [("a.csv", lines(fine(失信程度="", 等级="")))], {}, ["缺少失信程度"]
    ),
    "no 失信程度, where the law says it": Kind(
        [("a.csv", lines(fine(失信程度="")))], {"R1": "minor"}, column="severity"
    ),
    "a column of dates that is called otherwise": Kind(
        [("a.csv", lines(fine(), head=[*COLUMNS[:DATE], "处罚时点", "金额"]))], {}, ["处罚时点→未识别"]
    ),
    "headers with remarks": Kind(
        [("a.csv", lines(
            fine(), head=["*编号", '"信用\n代码"', *COLUMNS[2:DATE], "决定日期（年/月/日）", "金额 （元）"]
        ))],
        {"R1": "2026-03-05"},
        column="occurred_on",
    ),
    "a list that says less": Kind(
        [("1.csv", lines(fine())), ("2.csv", lines(("R1", FIRM), head=["编号", "信用代码"]))],
        {"R1": "1000.0000"},
        column="amount",
    ),
    "an empty cell": Kind(
        [("1.csv", lines(fine())), ("2.csv", lines(fine(金额="", 等级="N/A")))],
        {"R1": "fine"},
        column="level",
    ),
    **{
        f"{what} that can't be": Kind([("a.csv", lines(fine(**row), fine(编号="R2")))], {"R2": "effective"})
        for what, row in {
            "a level": {"等级": "A"},
            "a date far ahead": {"决定日期": "2199-03-05"},
            "a negative fine": {"金额": "-1000"},
        }.items()
    },
    "an end before its beginning": Kind(
        [("a.csv", lines((*fine(), "2026-01-01"), head=[*COLUMNS, "截止日期"]))], {}, ["早于认定日期"]
    ),
    "a record from before its enterprise": Kind(
        [("a.csv", lines(fine(决定日期="2019-12-31")))], EFFECTIVE, ["rows taken with warnings"]
    ),
    "one decision under two numbers": Kind(
        [("a.csv", lines(fine(), fine(编号="R2")))],
        {"R1": "effective", "R2": "effective"},
        ["可能与R2是同一决定"],
    ),
    "a workbook of 2003": Kind([("a.xls", old_workbook)], EFFECTIVE),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_files_hold_is_kept_or_said(known: Store, kind: Kind) -> None:
    for name, write in kind.files:
        write(Path(name))
        result = xinheng("ingest", name)
    accounts = [path.read_text("utf-8-sig") for path in sorted(Path().glob("work/quarantine/*.csv"))]
    told = "".join([result.output, *accounts])
    assert {found["record_id"]: found[kind.column] for found in current(known)} == kind.kept
    assert [words for words in kind.said if words not in told] == []


def test_a_short_list_of_enterprises_erases_none_of_the_rest(known: Store) -> None:
    Path("less.csv").write_text(f"信用代码,从业人数,企业名称\n{FIRM},99,\n", encoding="utf-8")
    assert xinheng("ingest", "less.csv").exit_code == 0
    (firm,) = current(known, SubjectVersion)
    assert (firm["name"], firm["established_on"], firm["employees"]) == ("甲公司", "2020-01-01", 99)


# The API


class Caller:
    """Sends requests to the API as somebody."""

    def __init__(
        self, store: Store, role: Role, organisation: str | None = None, owner: str = "tests"
    ) -> None:
        self._client = create_app(Settings(log_level="error", cache_seconds=0), store).test_client()
        token = create_key(store, role, owner, organisation).token
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, path: str, body: object = None) -> tuple[int, Any]:
        method = "POST" if body else "GET"
        body = having_looked(lambda place: self(place)[1], path, body)
        answer = self._client.open(path, method=method, json=body, headers=self._headers)
        return answer.status_code, answer.json

    def tell(self, number: str, **other: str) -> int:
        """Post a penalty; the answer's status."""
        fixed = {"subject_id": FIRM, "kind": "penalty", "severity": "serious", "level": "fine"}
        dated = {"occurred_on": "2026-07-01", "status": "effective"}
        return self("/v1/records", {"records": [{"record_id": number} | fixed | dated | other]})[0]


MARK = {"reason": "x", "evidence": [{"title": "t", "reference": "r"}], "effective_on": "2026-08-01"}


@pytest.mark.parametrize("spelling", ["R1", "R1 ", "\u3000R1", "Ｒ１", "R1\u200b", "'R1", '="R1"'])
def test_no_department_overwrites_anothers_record_however_it_spells_its_number(
    known: Store, spelling: str
) -> None:
    Caller(known, Role.REGULATOR).tell("R1", authority="区城管局")
    assert Caller(known, Role.DEPARTMENT, "云衡海关").tell(spelling, status="revoked") != 200 or (
        len(current(known)) == 2
    ), "it is another number, or it is refused"
    first = next(found for found in current(known) if found["record_id"] == "R1")
    assert (first["status"], first["authority"]) == ("effective", "区城管局")


def test_a_record_counts_live_however_its_number_is_spelled(known: Store) -> None:
    regulator = Caller(known, Role.REGULATOR)
    scores = []
    for spelling, cause in (("L1", "L1"), ("L2 ", "L2"), ("Ｌ３", "L3")):
        assert regulator.tell(spelling) == 200
        live = regulator(f"/v1/subjects/{FIRM}/live-grade")[1]
        assert live["cause"] == cause
        scores.append(live["score"])
    assert scores == sorted(set(scores), reverse=True)


@pytest.mark.parametrize("key", ["云市监/2026/12", "/a", "a//b", "100%", "a%2Fb", "a?b#c"])
def test_what_can_be_kept_can_be_contested_and_repaired(known: Store, key: str) -> None:
    regulator = Caller(known, Role.REGULATOR)
    assert regulator.tell(key, severity="minor") == 200
    address = f"/v1/records/{quote(key, safe='')}"
    assert regulator(address)[1]["versions"][0]["record_id"] == key
    assert regulator(f"{address}/objections", MARK)[0] == 201
    decider = Caller(known, Role.REGULATOR, owner="somebody else")
    assert decider(f"{address}/decisions", MARK | {"outcome": "rejected"})[0] == 201
    for step, body in steps(MARK):
        assert (decider if step == "repairs" else regulator)(f"{address}/{step}", body)[0] == 201


def test_no_list_of_an_office_undoes_what_was_decided_here(known: Store) -> None:
    lines(fine(), fine(编号="R2", 金额="2"))(Path("1.csv"))
    assert xinheng("ingest", "1.csv").exit_code == 0
    regulator = Caller(known, Role.REGULATOR)
    regulator("/v1/records/R1/objections", MARK)
    assert regulator("/v1/records/R1/decisions", MARK | {"outcome": "upheld"})[0] == 201
    decider = Caller(known, Role.REGULATOR, owner="somebody else")
    for step, body in steps(MARK):
        assert (decider if step == "repairs" else regulator)(f"/v1/records/R2/{step}", body)[0] == 201
    lines(fine(金额="3"), fine(编号="R2", 金额="4"))(Path("2.csv"))
    result = xinheng("ingest", "2.csv")
    assert [(row["record_id"], row["status"], row["amount"]) for row in current(known)] == [
        ("R1", "revoked", "3.0000"),
        ("R2", "repaired", "4.0000"),
    ]
    assert "xinheng records contradictions" in result.stderr
    listed = xinheng("records", "contradictions", "--format", "csv").stdout
    assert len(listed.splitlines()) == 3


# From file to file

PACK = """
pack: ways
version: "1"
title: {zh: 试, en: T}
subject:
  vocabulary: firm
  title: {zh: 企, en: Firm}
  subject:
    key: id
    columns:
      id: {type: text, title: {zh: 号, en: Id}}
      x: {type: decimal, title: {zh: 数, en: X}}
in_force: {from: 2000-01-01}
score: {start: 0, min: -100, max: 100}
dimensions: [{id: a, title: {zh: 甲, en: A}}]
rules:
  - {id: r, title: {zh: 一, en: one}, dimension: a, when: x > 10, points: 5, basis: own-choice}
grades: [{tier: A, title: {zh: 甲, en: A}, from: 0}, {tier: B, title: {zh: 乙, en: B}, from: -100}]
"""


def score(subjects: str, pack: str = PACK) -> Result:
    Path("pack.yaml").write_text(pack, encoding="utf-8")
    on = ("--as-of", "2026-06-01")
    return xinheng("score", "--pack", "pack.yaml", *on, "--subjects", subjects, "--out", "out.csv")


@pytest.mark.parametrize("name", ["subject_id", "valid_from", "day", "h", "key", "record"])
def test_a_column_by_a_name_that_the_engine_uses_is_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    more = f"      {name}: {{type: decimal, title: {{zh: 另, en: Other}}}}\nin_force"
    text = PACK.replace("in_force", more).replace("x > 10", f"x > 10 and {name} > 2")
    Path("s.csv").write_text(f"id,x,{name}\na,11,3\nb,11,2\nb,11,2\n", "utf-8")
    result = score("s.csv", text)
    assert result.exit_code == 0, result.output
    assert "an error that should not be" not in result.output
    kept = [line.split(",")[:3] for line in Path("out.csv").read_text("utf-8-sig").splitlines()[1:]]
    assert kept == [["a", "5.00", "A"], ["b", "0.00", "A"]]


@pytest.mark.parametrize("name", ["rowid", "as_of", "date", "interval", "select"])
def test_a_name_that_is_the_engine_s_own_is_refused_with_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    column = f"      {name}: {{type: decimal, title: {{zh: 另, en: Other}}}}\nin_force"
    measure = f"measures:\n  {name}: {{title: {{zh: 量, en: M}}, value: x + 1}}\nin_force"
    Path("s.csv").write_text("id,x\na,11\n", "utf-8")
    for more in (column, measure):
        result = score("s.csv", PACK.replace("in_force", more))
        assert (result.exit_code, f"its_{name}" in result.output) == (1, True), result.output


@pytest.mark.parametrize(
    ("named", "beside"),
    [("list[1].csv", "list1.csv"), ("2026[12]/s.csv", "20261/s.csv"), ("all*.csv", "all1.csv"),
     ("a?.csv", "ab.csv"), ("**.csv", "x.csv"), ("{a,b}.csv", "a.csv"), ("甲'乙;.csv", "甲.csv")],
)  # fmt: skip
def test_the_file_that_is_named_is_the_file_that_is_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, beside: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, key in ((named, "right"), (beside, "wrong")):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(f"id,x\n{key},11\n", encoding="utf-8")
    assert score(named).exit_code == 0
    out = Path("out.csv").read_text("utf-8-sig")
    assert ("right" in out, "wrong" in out) == (True, False)


@pytest.mark.parametrize("ends", ["\r\r\n", "\r", "\r\n\n"])
def test_lines_are_lines_from_file_to_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.csv").write_bytes(ends.join(["id,x", "1,11", "2,12", ""]).encode())
    assert score("s.csv").exit_code == 0
    assert len(Path("out.csv").read_text("utf-8-sig").split()) == 3


def test_no_file_that_is_opened_in_a_spreadsheet_runs_what_an_office_wrote(known: Store) -> None:
    texts = ("=1+1", "@SUM(1)", "-2+3", "+1+1", "\t=1+1")
    Path("s.csv").write_text(
        "id,x\n" + "".join(f'{n},"{t}"\n' for n, t in enumerate(texts)), encoding="utf-8"
    )
    score("s.csv")
    lines(*(fine(编号=f"R{n}", 金额=f'"{t}"') for n, t in enumerate(texts)))(Path("r.csv"))
    xinheng("ingest", "r.csv")
    (quarantine,) = Path().glob("work/quarantine/r.*.quarantine.csv")
    for written in (Path("out.rejected.csv"), quarantine):
        told = written.read_text("utf-8-sig")
        assert "'=1+1" in told
        for text in texts:
            assert not {f",{text},", f'"{text}"'} & set(re.findall(r',[^,]*,|"[^"]*"', told)), written
    (mend,) = Path().glob("work/quarantine/r.*.mend.xlsx")
    cells = [cell for line in openpyxl.load_workbook(mend).active.iter_rows() for cell in line]  # type: ignore[union-attr]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
