"""What was read of each document that a pack in force cites, and how; of what was not, its title says so.

A document that nobody has read may be cited: a person has to look before it is relied on. What must not be is
a document cited as if it had been read. Whoever cites a new one reads it and says how, or remarks it.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest

from rules.library.references import named_pack
from rules.model import OWN_CHOICE, Basis, Pack

THE_SECOND = dt.date(2026, 12, 1)  # the day on which the versions read here come into force

#: How it was read, and the short titles, which are the same in every pack.
READ = {
    "the text that the rules rest on, in a public copy": """
        行政处罚法 税收征收管理法 社会保险法 住房公积金管理条例 国务院令第802号 国务院令第493号
        安全生产法 民法典 民事诉讼法 刑法 个人信息保护法 农村土地承包法 土地管理法 农产品质量安全法
        国务院令第629号 财政违法行为处罚处分条例 长江保护法 国务院令第541号 旅游法 价格法
        消费者权益保护法 消防法 国家旅游局令第32号 国务院令第722号 重庆市优化营商环境条例
        国务院令第783号 行政许可法 行政强制法 招标投标法 政府采购法 民营经济促进法 政务处分法 公务员法
        """,
    "the text before its last revision; of the revision, what others say": """
        企业信息公示暂行条例（2024年修订） 食品安全法
        """,
    "the passages that the rules rest on, as others quote them": """
        国市监信发〔2022〕6号 国办发〔2019〕35号 国办发〔2020〕49号 国办发〔2024〕54号
        企业经营异常名录管理暂行办法 国家税务总局公告2025年第12号 环发〔2013〕150号 渝环规〔2021〕7号
        海关总署令第282号 人社部规〔2016〕1号 人社部令第45号 法释〔2017〕7号 国务院令第809号
        """,
}
WAS_READ = {short for shorts in READ.values() for short in shorts.split()}

REMARK = re.compile("未核对原文|仅见|未见公开文本")


def _documents(pack: Pack) -> list[Basis]:
    """Documents of a pack; lint asks that each of them is cited, but one that is repealed."""
    return [basis for basis in pack.bases if basis.id != OWN_CHOICE and basis.repealed_on is None]


@pytest.mark.parametrize(
    "pack_id", ["enterprise-credit", "rural-credit", "tourism-credit", "department-credit"]
)
def test_a_document_was_read_or_its_title_says_that_it_was_not(pack_id: str) -> None:
    documents = _documents(named_pack(f"{pack_id}@2026.2", THE_SECOND))
    told = {basis.short for basis in documents if REMARK.search(basis.title)}
    assert {basis.short for basis in documents} - told - WAS_READ == set(), "read by nobody, and no remark"
    assert told & WAS_READ == set(), "read, and remarked as if it had not been"
