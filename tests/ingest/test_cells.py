"""Cells: widths, unknown values, codes, credit codes, texts."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from rules.language.expressions import BOOLEAN, DATE, DECIMAL, INTEGER, TEXT
from rules.model import Column, Possible, Title
from scoring.characters.formulas import inert
from scoring.facts.ingest.cells import UNKNOWN, Reading, converter
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Cell, Yearless, fold, fold_text, fold_word
from scoring.facts.ingest.keys import key_of

TYPES = {"text": TEXT, "decimal": DECIMAL, "integer": INTEGER, "date": DATE, "boolean": BOOLEAN}
KINDS = {"penalty": Title("行政处罚", "Administrative penalty"), "award": Title("表彰奖励", "Award")}
GOOD_CODE = "91110000600037341L"


def column(declared: str, **more: Any) -> Column:
    return Column("c", TYPES[declared], declared, Title("列", "Column"), **more)


def read(cell: Cell, declared: str = "text", **more: Any) -> Any:
    reading = {k: more.pop(k) for k in ("required", "per", "replacements", "default") if k in more}
    return converter(Reading(column(declared, **more), **reading))(cell)


def reason(answer: Any) -> str:
    assert isinstance(answer, Fault)
    return str(answer)


NOTHING = ["", "  ", "　", "-", "—", "——", "无", "null", "NULL", "N/A", "n/a", "－", "/", None]
NOTHING += ["NaN", "nan", "ｎａｎ", "None", "<NA>", "NaT", "undefined", "Undefined", float("nan")]


@pytest.mark.parametrize("written", NOTHING)
@pytest.mark.parametrize("declared", TYPES)
def test_a_cell_that_says_nothing_is_unknown(written: Cell, declared: str) -> None:
    assert read(written, declared) is None


@pytest.mark.parametrize("written", NOTHING)
def test_what_says_nothing_is_no_key(written: Cell) -> None:
    assert "empty, and required" in reason(read(written, required=True))
    assert "empty, and required" in reason(read(written, required=True, format="uscc"))


@pytest.mark.parametrize("written", ["无", "未知", "NaN", "none"])
def test_a_word_for_nothing_that_the_vocabulary_knows_means_what_it_says(written: str) -> None:
    codes = {"none": Title("无", "Nothing"), "nan": Title("未知", "Not known")}
    assert read(written, values=codes) == {"无": "none", "none": "none"}.get(written, "nan")
    assert read("null", values=codes) is None


@pytest.mark.parametrize("written", ["空", "暂无", "未知", " 不详", "未填"])
def test_an_offices_word_for_nothing_is_no_key_and_no_code(written: str) -> None:
    assert "empty, and required" in reason(read(written, required=True))
    assert "not among the listed values" in reason(read(written, values=KINDS))


@pytest.mark.parametrize(
    "written",
    [
        *("合计", "合 计", "小计：", "总计(户)", "共计3件", "第1页", "第 1 页 共 2 页", "第1页共2页"),
        *("填表人：张三", "制表日期2026年3月", "审核人张某某", "备注：以上数据", "注：不含个体"),
    ],
)
def test_a_total_and_the_foot_of_a_page_are_no_keys(written: str) -> None:
    assert "a total, or the foot of a page" in reason(read(written, required=True))


@pytest.mark.parametrize("written", ["第1号", "小计算机店1", "第12期名单", "审核通过001", "共青团区委"])
def test_a_key_that_looks_a_little_like_a_total_is_a_key(written: str) -> None:
    assert read(written, required=True) == written


def test_unknown_words_count_as_whole_cells_alone() -> None:
    assert read("无锡—重庆贸易有限公司") == "无锡—重庆贸易有限公司"
    assert read("N/A公司") == "N/A公司"


def test_a_key_can_not_be_unknown() -> None:
    assert "empty, and required" in reason(read("—", required=True))


def test_a_name_keeps_its_punctuation_and_a_key_is_folded_whole() -> None:
    assert read("　重庆（集团）Ａ１有限公司　") == "重庆（集团）A1有限公司"
    assert read("区发展改革委（粮食局）", required=True) == "区发展改革委(粮食局)"


def test_marks_that_nobody_sees_are_dropped() -> None:
    assert read("\ufeffR\u200b001", required=True) == "R001"
    assert read("红星\u200b餐饮\u00a0店") == "红星餐饮 店"


FILLERS = "\u034f\u115f\u1160\u17b4\u180e\u2800\u3164\uffa0\xad\u200c\u200d"


@pytest.mark.parametrize("sign", FILLERS)
def test_a_filler_is_neither_a_value_nor_a_part_of_one(sign: str) -> None:
    assert read(f"{sign}云衡{sign}面馆{sign}") == "云衡面馆"
    assert read(f"R{sign}1", required=True) == "R1"
    assert read(f"1{sign}2", "integer") == 12
    assert read(f"{sign}'R1{sign}", required=True) == "R1"
    for declared in TYPES:
        assert read(sign, declared) is None
        assert read(f"{sign} {sign}", declared) is None


@pytest.mark.parametrize("sign", "\u061c\u200e\u200f\u202e\u2066\u2062\u206f\U000e0041")
def test_a_mark_alone_that_nobody_sees_is_no_value(sign: str) -> None:
    assert read(sign) is None
    assert "empty, and required" in reason(read(sign, required=True))


@pytest.mark.parametrize("space", "\u1680\u2003\u200a\u202f\u205f\u3000\xa0")
def test_a_space_of_whatever_width_is_one(space: str) -> None:
    assert read(f"红星{space}餐饮店") == "红星 餐饮店"


@pytest.mark.parametrize("name", ["name", "authority", "registration_number"])
def test_by_how_a_sign_is_to_be_drawn_nobody_is_another(name: str) -> None:
    sought = Column(name, TEXT, "text", Title("列", "Column"))
    assert converter(Reading(sought))("云衡\ufe0f税务\U000e0100局") == "云衡税务局"
    assert read("云衡\ufe0f税务局") == "云衡\ufe0f税务局"


@pytest.mark.parametrize("name", ["name", "authority", "registration_number", "document_no", "number"])
@pytest.mark.parametrize(
    "given",
    [Yearless(2026, 3, 12), dt.datetime.fromisoformat("2026-12-03"), dt.date(2026, 12, 3), True, False],
)
@pytest.mark.parametrize("required", [True, False])
def test_no_text_is_made_of_what_a_spreadsheet_made_of_one(name: str, given: Cell, required: bool) -> None:
    sought = Column(name, TEXT, "text", Title("列", "Column"))
    made = "TRUE or FALSE" if isinstance(given, bool) else "a day or a time"
    assert f"the spreadsheet has made {made} of it" in reason(converter(Reading(sought, required))(given))


@pytest.mark.parametrize("written", ["3月12日", "12月3日", "３月１２日", "3-Dec", "Dec-26", "12-Mar"])
def test_a_number_of_which_a_text_file_has_a_day_is_refused(written: str) -> None:
    assert "the spreadsheet has made a day" in reason(read(written, required=True))
    assert read(written) == unicodedata.normalize("NFKC", written)


@pytest.mark.parametrize(
    "written", ["3月12日1号", "2026/3/12", "3-12", "DEC-26", "3-Dec-1", "5月", "Dec-2026"]
)
def test_a_number_that_is_like_a_day_is_one(written: str) -> None:
    assert read(written, required=True) == written


QUOTES = ['"%s"', "＂%s＂", "“%s”", "”%s”", "„%s“", "〝%s〞", "'%s'", "‘%s’", "＇%s＇", "`%s`"]
QUOTES += ["「%s」", "『%s』", "｢%s｣", '"\'%s"', "'\"%s\"'", '"""%s"""', '="%s"', "＝“%s”", "\u200b“%s” "]


@pytest.mark.parametrize("quotes", QUOTES)
def test_quotes_around_the_whole_of_a_cell_are_no_part_of_it(quotes: str) -> None:
    assert read(quotes % "0001", required=True) == "0001"
    assert read(quotes % GOOD_CODE, format="uscc") == GOOD_CODE
    assert read(quotes % "1,234.5", "decimal") == "1234.5000"
    assert read(quotes % "2026-03-01", "date") == "2026-03-01"
    assert read(quotes % "行政处罚", values=KINDS) == "penalty"
    assert read(quotes % "是", "boolean") is True
    assert read(quotes % "云衡面馆") == "云衡面馆"
    assert read(quotes % "无") is None
    assert read(quotes % "") is None


@pytest.mark.parametrize(
    "written", ["“老张”面馆", "“甲”和“乙”", "'甲'公司", "it's", "甲'", "《某某办法》", "“甲"]
)
def test_quotes_of_a_part_stay(written: str) -> None:
    assert read(written) == written


FORMULAS = [
    "=A1",
    "=SUM(A1:A3)",
    "=1+1",
    "＝A1",
    " =A1",
    "=甲!A1",
    '=TEXT(A1,"0000")',
    '="a"&"b"',
    "=cmd|' /C'!A0",
]
FORMULAS += ["+A1", "-$B$2*1.06", "@SUM(A1)", "+'表 1'!A1", "-sum(A1:B2)"]


@pytest.mark.parametrize("written", FORMULAS)
@pytest.mark.parametrize("declared", TYPES)
@pytest.mark.parametrize("how", [{}, {"required": True}, {"format": "uscc"}, {"values": KINDS}])
def test_a_formula_is_told_as_one_without_its_value(written: str, declared: str, how: dict[str, Any]) -> None:
    assert "a formula without its value" in reason(read(written, declared, **how))


@pytest.mark.parametrize("declared", ["decimal", "integer", "date", "boolean"])
def test_what_begins_as_a_formula_is_one_where_a_number_or_a_day_is_meant(declared: str) -> None:
    for written in ("@x", "+x", "=单价"):
        assert "a formula without its value" in reason(read(written, declared))
    assert "a formula" not in reason(read("-5块", declared))


@pytest.mark.parametrize("written", ["@云衡发布", "-5℃以下", "+86 138", "1=1", "--- 以下空白", "===="])
def test_a_text_that_only_begins_as_a_formula_is_a_text(written: str) -> None:
    assert read(written) == written


def test_a_text_that_is_guarded_is_the_text_whatever_it_says() -> None:
    for text in FORMULAS:
        assert read(inert(text)) == fold_text(text)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_full_width_and_half_width_are_one(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in text)
    assert fold(wide) == fold(text) == text
    assert fold_word(f"　{wide} ") == fold_word(text)
    assert fold_text(wide) == "".join(c if c.isalnum() else chr(ord(c) + 0xFEE0) for c in text)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    for folding in (fold_text, fold):
        assert folding(folding(text)) == folding(text)


@pytest.mark.parametrize(
    "written", ["penalty", "PENALTY", "行政处罚", " 行政 处罚 ", "administrative penalty", "Ｐenalty"]
)
def test_a_code_is_read_by_code_and_by_either_title(written: str) -> None:
    assert read(written, values=KINDS) == "penalty"


def test_an_unlisted_code_is_refused_with_what_is_near() -> None:
    assert "perhaps penalty" in reason(read("行政处罚决定", values=KINDS))
    assert "one of penalty, award" in reason(read("奖状", values=KINDS))


def test_a_mapping_says_what_a_text_stands_for() -> None:
    words = {fold_word("罚款"): "penalty", fold_word("待定"): None}
    assert read("罚款", values=KINDS, replacements=words) == "penalty"
    assert read("待定", values=KINDS, replacements=words) is None
    assert read("表彰奖励", values=KINDS, replacements=words) == "award"


def test_a_default_stands_where_the_file_says_nothing() -> None:
    assert read("", values=KINDS, default="行政处罚") == "penalty"
    assert read("award", values=KINDS, default="行政处罚") == "award"


@pytest.mark.parametrize(
    "written",
    [GOOD_CODE, GOOD_CODE.lower(), f" {GOOD_CODE} ", "91110000６０００３７３４１Ｌ", "9111-0000 600037341L"],
)
def test_a_credit_code_is_read_in_any_spelling(written: str) -> None:
    assert read(written, format="uscc") == GOOD_CODE


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("911100006000373418", "wrong check character, L expected"),
        ("9111000060003734", "16 characters, a credit code has 18"),
        (911100006000373000, "its last digits are lost"),
        ("91110000600037341O", "not the form of a credit code"),
        ("9111000A600037341L", "not the form of a credit code"),
    ],
)
def test_a_wrong_credit_code_says_what_is_wrong(written: Cell, said: str) -> None:
    assert said in reason(read(written, format="uscc"))


@given(
    st.text("0123456789", min_size=8, max_size=8),
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9),
)
def test_the_check_character_expected_is_the_one_that_passes(region: str, rest: str) -> None:
    body = region + rest
    right = uscc.calc_check_digit(body)
    wrong = "0" if right != "0" else "1"
    assert f"{right} expected" in reason(read(body + wrong, format="uscc"))
    assert read(body + right, format="uscc") == body + right


@pytest.mark.parametrize(
    ("written", "meant"),
    [("是", True), ("TRUE", True), ("1", True), (True, True), (1, True), ("否", False), (0, False)],
)
def test_yes_and_no(written: Cell, meant: bool) -> None:
    assert read(written, "boolean") is meant


def test_what_is_neither_yes_nor_no_is_refused() -> None:
    assert "neither yes nor no" in reason(read("也许", "boolean"))


@pytest.mark.parametrize(
    ("cell", "declared", "meant"),
    [
        (dt.datetime.fromisoformat("2026-03-01"), "date", "2026-03-01"),
        (dt.datetime.fromisoformat("2026-03-01T10:30"), "date", "2026-03-01"),
        (dt.date(2026, 3, 1), "date", "2026-03-01"),
        (46082, "date", "2026-03-01"),
        (20260301, "date", "2026-03-01"),
        (12.5, "decimal", "12.5000"),
        (1e14 / 4, "decimal", "25000000000000.0000"),
        (12.0, "integer", 12),
        (123, "text", "123"),
        (123.0, "text", "123"),
    ],
)
def test_real_cells_of_a_workbook(cell: Cell, declared: str, meant: Any) -> None:
    assert read(cell, declared) == meant


def test_true_is_no_number_and_no_date() -> None:
    assert "not a number" in reason(read(True, "decimal"))
    assert "not a date" in reason(read(True, "date"))


OPEN = ["长期", "长 期 有 效", "永久有效", " 无固定期限", "终身有效"]
ENDS = {
    "of what begins on another day of its row": (Possible(not_before="a"), None),
    "the same, and may be the last day": (Possible(not_before="a", also=(dt.date.max,)), None),
    "of what nothing says when it began": (Possible(also=(dt.date.max,)), "9999-12-31"),
}


@pytest.mark.parametrize("written", OPEN)
@pytest.mark.parametrize(("possible", "meant"), ENDS.values(), ids=ENDS)
def test_a_term_without_end_is_an_open_end(written: str, possible: Possible, meant: str | None) -> None:
    assert read(written, "date", possible=possible) == meant


@pytest.mark.parametrize("written", OPEN)
@pytest.mark.parametrize("possible", [Possible(), Possible(not_before="a", days_ahead=31)])
def test_what_is_no_end_is_not_open(written: str, possible: Possible) -> None:
    """A beginning comes after another day too, and lies not far ahead."""
    assert reason(read(written, "date", possible=possible)).startswith("不是日期（如 2026-03-01")


@pytest.mark.parametrize("written", ["三年", "2026-02-30", "0000-00-00", 7])
def test_of_an_end_it_is_told_how_to_say_that_there_is_none(written: Cell) -> None:
    for possible, _ in ENDS.values():
        told = reason(read(written, "date", possible=possible))
        assert "没有终止期限的填“长期”" in told
        assert "for no end 长期" in told
        assert ("或9999-12-31" in told) == bool(possible.also)
    assert "长期" not in reason(read(written, "date"))


@pytest.mark.parametrize("written", ["#REF!", "#N/A", " #DIV/0! "])
@pytest.mark.parametrize("declared", TYPES)
def test_an_error_of_a_spreadsheet_is_no_value(written: str, declared: str) -> None:
    assert "an error value of the spreadsheet" in reason(read(written, declared))


@pytest.mark.parametrize("written", ["(NULL)", "<null>", "[NULL]", r"\N"])
def test_what_programs_write_for_nothing_is_no_value(written: str) -> None:
    assert read(written) is None
    assert reason(read(written, required=True)) == reason(read("", required=True))


@pytest.mark.parametrize(
    "written",
    [
        "2.02603e+17",
        "2.02603E17",
        "2.02603e017",
        " 2.02603E+17 ",
        "２.０２E+１７",
        "1e-05",
        "202603010000000000.0",
    ],
)
@pytest.mark.parametrize("required", [False, True])
def test_a_number_as_programs_write_it_has_lost_its_last_digits(written: str, required: bool) -> None:
    assert "its last digits are lost" in reason(read(written, required=required))


@pytest.mark.parametrize("written", ["1E5", "1e3", "3E-5", "202603010000000001", "20260301000.0", "E-05栋"])
def test_a_number_that_only_looks_so_is_kept(written: str) -> None:
    assert read(written, required=True) == written


@pytest.mark.parametrize("written", ["云衡\ufffd税务局", "锟斤拷", "云衡锟斤拷局", "R\ufffd1", "\ufffc"])
@pytest.mark.parametrize("required", [False, True])
def test_what_a_transfer_has_destroyed_is_refused(written: str, required: bool) -> None:
    assert "characters that were lost on the way" in reason(read(written, required=required))


@pytest.mark.parametrize("written", ["##", "########", " #### "])
@pytest.mark.parametrize("declared", TYPES)
def test_hashes_of_a_column_that_was_too_narrow_are_no_value(written: str, declared: str) -> None:
    assert "widen the column" in reason(read(written, declared))


@pytest.mark.parametrize("written", ["a\0b", "a\x1b[2Jb", "a\ud800b"])
def test_control_characters_are_refused(written: str) -> None:
    assert "a control character" in reason(read(written))


def test_a_text_of_a_hash_and_of_two_lines_is_a_text() -> None:
    assert read("3#楼\n一层") == "3#楼\n一层"


def test_an_endless_text_is_refused() -> None:
    assert read("长" * 4_000) == "长" * 4_000
    assert "longer than 4000 characters" in reason(read("长" * 4_001))


def test_an_endless_number_is_refused() -> None:
    assert read("R" * 200, required=True) == "R" * 200
    assert "more than 200 characters" in reason(read("R" * 201, required=True))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_keeps_fifteen_digits(sign: int) -> None:
    assert read(sign * (10**15 - 1)) == f"{sign * (10**15 - 1)}"
    assert "its last digits are lost" in reason(read(sign * 10**15))


@pytest.mark.parametrize("sign", [1, -1])
def test_no_decimal_that_is_kept_is_rounded_away(sign: int) -> None:
    for number in (12_345_678_901_234.56, 123_456_789_012.3451):
        assert "its last digits are lost" in reason(read(sign * number, "decimal"))
    for number, kept in ((12_345_678_901.2345, "12345678901.2345"), (0.1 + 0.2, "0.3000")):
        assert read(sign * number, "decimal") == f"{'-' if sign < 0 else ''}{kept}"
    assert read(sign * 12_345_678_901_234.0, "integer") == sign * 12_345_678_901_234


def test_all_of_the_listed_values_are_named() -> None:
    values = {f"c{n}": Title(f"第{n}", f"No {n}") for n in range(1, 41)}
    said = reason(read("奖状", values=values))
    assert "、第12、第13、" in said
    assert "第40）" in said
    assert "c40)" in said


@given(
    st.one_of(
        st.text(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(),
        st.booleans(),
        st.datetimes(),
    )
)
def test_any_cell_is_a_value_unknown_or_a_fault(cell: Cell) -> None:
    for declared in TYPES:
        answer = read(cell, declared)
        assert answer is None or isinstance(answer, Fault | str | int)
        if isinstance(cell, str) and fold_word(cell) in UNKNOWN:
            assert answer is None or isinstance(answer, Fault)


def test_a_key_that_was_read_is_read_as_itself_whatever_character_it_began_with() -> None:
    """A mark that keeps a spreadsheet from changing a text is one in each of its spellings."""
    column = Column("c", TEXT, "text", Title("列", "Column"))
    begin_alike = [c for c in map(chr, range(0x110000)) if unicodedata.normalize("NFKC", c)[:1] in ("'", "`")]
    assert len(begin_alike) > 2
    for character in begin_alike:
        key = key_of(column, f"{character}P-2")
        assert (key, key_of(column, key)) == ("P-2", "P-2")
