"""A file of records is not taken as a list of subjects because it has a code and a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.mapping import parse_mapping
from scoring.store import Store
from scoring.store.models import SubjectVersion

from .conftest import CODES, Ingest, current, write_text, write_workbook

WHO = ("企业名称", "统一社会信用代码")
FIRM = ("甲", CODES[0])


@pytest.mark.parametrize(
    ("name", "headers", "right"),
    [
        (
            "移出经营异常名录",
            ("移出日期", "移出原因"),
            ":经营异常名录表缺少:列入日期;一般",
        ),
        ("a", ("处罚结果", "处罚金额", "处罚日期"), "双公示行政处罚表缺少:行政处罚决定书文号;一般"),
        ("a", ("2.处罚日期（必填）",), "记录表缺少:记录编号、信息类别、记录状态、认定日期;"),
        ("a", ("纳税信用级别", "评价年度"), "记录表缺少:记录编号、信息类别、记录状态、认定日期;"),
        ("a", ("行业", "日期", "类别"), "记录表缺少:记录编号、记录状态;"),
        ("a", ("列入日期",), "列入经营异常名录原因"),
        ("a", ("列入原因",), "列入日期"),
        ("a", ("许可名称", "许可日期"), "记录编号"),
        ("a", ("判决",), "记录编号"),
        ("a", ("变更事项", "变更前", "变更日期"), "记录编号"),
        ("a", ("税收违法案件公布日期",), "记录编号"),
        ("a", ("欠税金额（万元）",), "记录编号"),
        ("a", ("CF_WSH",), "处罚类别"),
        ("a", ("黑名单类型",), "记录编号"),
        ("a", ("惩戒措施", "履行情况"), "记录编号"),
        ("a", ("违规行为",), "记录编号"),
        ("a", ("责令改正内容", "处理情况"), "记录编号"),
        ("a", ("记录状态",), "记录编号"),
        ("a", ("信用得分",), "记录编号"),
        ("a", ("不合格项目",), "记录编号"),
        ("a", ("年报结果", "年报年度"), "记录编号"),
        ("a", ("未年报年度",), "记录编号"),
        ("a", ("年报逾期处罚日期",), "记录编号"),
    ],
)
def test_what_speaks_of_acts_is_no_list_of_enterprises(
    take: Ingest, sqlite: Store, tmp_path: Path, name: str, headers: tuple[str, ...], right: str
) -> None:
    rows = [(*WHO, *headers), (*FIRM, *("2026-03-05" for _ in headers))]
    text = write_text(tmp_path / f"{name}.csv", [",".join(row) for row in rows], "gb18030")
    for path in (text, write_workbook(tmp_path / f"{name}.xlsx", rows)):
        with pytest.raises(IngestError, match=r"表头说的是记录,不是主体") as refused:
            take(path, None)
        assert right in refused.value.hint.zh
        assert "--table subject" in str(refused.value)
    assert current(sqlite, SubjectVersion) == []


@pytest.mark.parametrize(
    "headers",
    [
        ("序号", "法定代表人", "住所", "联系电话", "经营范围", "备注"),
        ("登记机关", "核准日期", "注销日期", "吊销原因", "营业期限至", "更新时间", "数据来源单位"),
        ("主管税务机关", "管辖机关", "建成投产时间", "上年纳税金额", "营业时间", "入园日期"),
        ("行业", "登记状态", "纳税信用级别"),
        ("年报年度", "年报日期"),
        ("年度报告公示日期", "年报年度", "报送时间", "是否公示年报"),
        ("最近年报年度", "年报状态", "资产总额", "营业总收入", "从业人数"),
        ("状态", "许可证号", "许可经营项目", "是否失信", "纳税人识别号", "执行董事"),
        (
            "经办人",
            "停业日期",
            "吊销日期",
            "信用代码证号",
            "名单来源",
            "数据处理时间",
            "登记状态",
            "信息来源",
        ),
    ],
)
def test_a_register_may_say_more_of_its_enterprises(
    take: Ingest, tmp_path: Path, headers: tuple[str, ...]
) -> None:
    path = write_text(
        tmp_path / "a.csv", [",".join((*WHO, *headers)), ",".join((*FIRM, *("" for _ in headers)))]
    )
    report = take(path, None)
    assert (report.dataset, report.new) == ("subject", 1)


def test_who_says_that_they_are_subjects_is_taken_at_his_word(take: Ingest, tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", [",".join((*WHO, "移出日期")), ",".join((*FIRM, "2026-03-05"))])
    left_out = parse_mapping("columns: {移出日期: }", "m.yaml")
    assert take(path, None, dataset="subject").new == 1
    assert take(path, None, mapping=left_out).unchanged == 1
