"""The rule book says what the pack says, in both languages, and nothing of it can break the page."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser

from rules.library.loader import find_pack
from rules.model import Title
from rules.tools.book import rule_book
from rules.tools.documents import Code, Grid, Heading, html, markdown
from tests.tools.packs import applicants


def book(*replacements: tuple[str, str]) -> str:
    return markdown(rule_book(applicants(*replacements)))


def test_codes_windows_caps_and_bases_are_in_words() -> None:
    text = book()
    assert "类别为“罚款” Kind is “Fine”" in text
    assert "自日期起 12 个月内，按月递减 for 12 months from Date, less every month" in text
    assert "| 合计上限 Cap | -15 |" in text
    assert "某条例（2026年）第九条" in text
    assert "2026-01-01 起 +1；2026-07-01 起 +2" in text
    assert "等级不高于 tier no better than C" in text
    assert "`kind = 'fine'`" in text


def test_the_book_says_whose_grade_it_is_and_until_when_its_documents_are_law() -> None:
    old = "{id: old, title: 某旧条例, in_force_from: 2020-01-01, repealed_on: 2026-04-01, replaced_by: law}"
    law = "  - {id: law, title: 某条例（2026年）}\n"
    said = "note: {zh: 启用前须研读, en: Read it first}\nauthority: district\n"
    text = book(("in_force: {", f"{said}in_force: {{"), (law, f"{law}  - {old}\n"))
    assert "使用须知 Before use：启用前须研读 Read it first" in text
    assert "| 评价主体 Authority | 区级评价，用于本区监管 the district's own grade" in text
    assert "| 某旧条例；2020-01-01 起施行 in force；2026-04-01 废止 repealed，由某条例（2026年）替代" in text


def test_the_book_says_which_rules_meet_one_fact_and_what_the_law_limits() -> None:
    text = book(
        ("vetoes:\n", "together: [{rules: [fined, fine], why: {zh: 大额另计, en: More}}]\nvetoes:\n"),
        ("    columns:\n      record_id",
         "    limits:\n      - {when: kind = 'fine', months: 12, because: 第七条}\n"
         "      - {when: kind = 'award', months: 0, because: 第八条}\n    columns:\n      record_id"),
    )  # fmt: skip
    assert "| 罚款 Fine（fine）；罚款金额 Amount of the fine（fined） | 大额另计 More |" in text
    assert "| 类别为“罚款” Kind is “Fine” | 最长 12 个月 months | 第七条 |" in text
    assert "| 类别为“表彰” Kind is “Award” | 不得计入 never | 第八条 |" in text


def test_every_part_is_a_chapter_of_the_book() -> None:
    """In the contents of a document that is made of it, say."""
    parts = (
        "consequences: [{id: told, title: 告知, when: kind = 'fine', basis: law}]\n"
        "alerts: [{id: again, title: 再犯, basis: law, within: {days: 30},"
        " events: [{when: kind = 'fine', times: 3}]}]\n"
        "remedies: [{id: pay, title: 缴清, when: kind = 'fine', changes: {kind: award}, basis: law}]\n"
        "together: [{rules: [fined, fine], why: 大额另计}]\n"
        "measures: {fines: {title: 罚款次数, count: records}}\n"
        "vetoes:\n"
    )
    limit = "    limits: [{when: kind = 'fine', months: 12, because: 第七条}]\n    columns:\n      record_id"
    text = book(("vetoes:\n", parts), ("    columns:\n      record_id", limit))
    chapters = {line.split()[1] for line in text.splitlines() if line.startswith("## ")}
    assert chapters >= {
        *("信用等级", "分级监管", "指标", "守法", "一票否决与等级限制"),
        *("一事多计", "法定期限", "预警", "改进途径", "依据"),
    }


def test_the_book_says_with_whom_subjects_are_compared() -> None:
    measures = """measures:
  fines: {title: 罚款次数, count: records}
  months: {title: 罚款月数, count: records, by: start_of_month(occurred_on), take: count}
  run: {title: 连续罚款月数, count: records, by: start_of_month(occurred_on), take: run}
  years: {title: 连续罚款年数, sum: amount, by: start_of_year(occurred_on), take: run}
  place: {title: 名次, percentile: fines, order: asc, by: months, bands: [1, 3], fewest: 5}
  among: {title: 参评, peers: fines, by: town}
vetoes:
"""
    text = book(("vetoes:\n", measures))
    groups = "按 by 罚款月数 分档 in bands ≥1 ≥3 分组，每组至少 of at least 5 个主体 subjects"
    assert f"| 名次 | 百分位 percentile | 罚款次数（从低到高 least first，{groups}） |" in text
    assert "| 参评 | 参评数 number ranked | 罚款次数（按 by 乡镇 Town 分组） |" in text
    assert "记录 records，按 by 日期当月首日 the first day of the month of Date 分组取 计数 count" in text
    assert "记录 records，按 by 日期 Date 计最长连续月数 the most months in a row |" in text
    assert "按 by 日期 Date 计最长连续年数 the most years in a row |" in text


def test_the_book_says_by_how_many_tiers_a_veto_lowers() -> None:
    assert "等级较得分所得降2级 2 tiers below that of the score" in book(("    tier: C\n", "    lowers: 2\n"))


def test_the_book_says_below_which_points_a_veto_holds() -> None:
    said = book(("    tier: C\n", "    tier: C\n    below: {score: 60}\n"))
    assert "，且得分低于60分" in said
    assert "and the score below 60" in said
    assert "below score: 60" in said


def test_each_rule_and_table_stands_under_its_dimension() -> None:
    headings = [line for line in book().splitlines() if line.startswith("#")]
    assert headings[0] == "# 贷款申请人 Loan applicants"
    assert [line for line in headings if "依据" not in line][3:] == [
        "## 守法 Conduct",
        "### 罚款 Fine",
        "### 小规模 Small",
        "### 罚款金额 Amount of the fine",
        "## 一票否决与等级限制 Vetoes and limits of the tier",
        "### 黑名单 Listed",
        "## 主体的属性 Columns of a subject",
        "## 记录的栏目 Columns of a record",
    ]


def test_a_table_shows_each_row() -> None:
    title = r"罚款金额：≥1,000、\<50,000 Amount of the fine: ≥1,000, \<50,000"
    assert f"| fined.2 | {title} | 金额不少于1000且金额小于50000" in book()


def test_a_row_without_a_title_is_called_by_its_table_and_what_it_asks_for() -> None:
    pack = find_pack("enterprise-credit", dt.date(2026, 12, 15))
    assert pack.rule("environment.rating.1").title == Title(
        "企业环境信用评价：绿", "Environment credit rating: Green"
    )
    assert pack.rule("commitment.kept-share.3").title.zh == "承诺履行率：≥0.8、<0.95"
    assert pack.rule("penalty.field.3").title.zh == "拖欠工资"  # its own


def test_a_column_that_says_nothing_is_left_out_of_a_table() -> None:
    heads = "| 行 Row | 名称 Title | 条件 Condition | 分值 Points |"
    basis = ('["< 1000", 0]', '{when: "< 1000", points: 0, basis: law §9}')
    note = ('["< 1000", 0]', '{when: "< 1000", points: 0, note: 轻微}')
    assert f"{heads}\n" in book()
    assert f"{heads} 依据 Basis |\n" in book(basis)
    assert f"{heads} 说明 Note |\n" in book(note)


def test_every_rule_of_a_shipped_pack_is_in_its_book() -> None:
    pack = find_pack("enterprise-credit", dt.date(2026, 7, 1))
    text = markdown(rule_book(pack))
    for rule in pack.rules:
        assert rule.id.replace("_", "\\_") in text or f"`{rule.id}`" in text


def test_the_same_pack_gives_the_same_book() -> None:
    assert book() == book()
    assert html("t", rule_book(applicants())) == html("t", rule_book(applicants()))


def test_the_words_that_conditions_are_written_in_stand_in_the_book() -> None:
    text = markdown(rule_book(find_pack("tourism-credit", dt.date(2026, 8, 31))))
    subject, _, record = text.partition("## 主体的属性")[2].partition("## 记录的栏目")
    assert "营业 Operating（operating）；歇业 Suspended（suspended） | 文本 text | `state` |" in subject
    assert "游客投诉 Visitor's complaint（complaint）" in record
    assert "| 认定日期 Date | — | 日期 date | `occurred_on` |" in record


def test_comments_and_examples_do_not_change_the_book() -> None:
    assert book(("rules:\n", "# a comment\nrules:\n")) == book()


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_prints() -> None:
    page = html("规则", rule_book(applicants()))
    assert Tags(page).open == []
    assert "@media print" in page
    assert '<html lang="zh-CN">' in page


def test_text_of_a_pack_is_never_markup() -> None:
    evil = (
        "title: {zh: 小规模, en: Small}",
        "title: {zh: '<script>x</script>', en: '| [a](http://b) | `c`'}",
    )
    assert "script" not in Tags(html("<b>", rule_book(applicants(evil)))).seen
    assert "\\<script\\>" in book(evil)
    assert "\\[a\\](http" in book(evil)


def test_a_bar_does_not_end_a_cell() -> None:
    text = markdown([Heading(1, "a"), Grid(("h",), (("x | y",), (Code("a | b"),)))])
    assert text == "# a\n\n| h |\n| --- |\n| x \\| y |\n| `a \\| b` |\n"
