"""Lines are those of an editor, however they end; an encoding is recognised, or the damaged byte is named."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.facts.ingest import bounds
from scoring.facts.ingest.encoding import find_encoding
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.lines import lines, rows
from scoring.store import Store

from .conftest import CODES, Ingest, current, quarantined

HEAD, GOOD, BAD = "编号,信用代码,机关", f"R1,{CODES[0]},云衡税务局", "R2,x,云衡税务局"
ENDS = {"CR LF": "\r\n", "LF": "\n", "CR": "\r", "CR CR LF": "\r\r\n"}


def read(text: str) -> list[tuple[int, list[str] | Fault]]:
    return list(rows(lines(io.StringIO(text, newline=""), "a.csv"), ","))


def numbered(text: str) -> list[tuple[int, list[str] | str]]:
    return [(n, cells.reason.en if isinstance(cells, Fault) else cells) for n, cells in read(text)]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# Lines


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("last", [True, False])
def test_a_row_has_the_number_of_the_line_in_which_it_begins(
    take: Ingest, sqlite: Store, tmp_path: Path, end: str, last: bool
) -> None:
    text = end.join([HEAD, "", f'R0,{CODES[0]},"两', '行"', GOOD, BAD]) + (end if last else "")
    report = take(write(tmp_path / "a.csv", text.encode()))
    assert (report.new, report.rejected) == (2, 1)
    assert current(sqlite)[0]["authority"] == "两行"
    assert quarantined(sqlite)[0][0] == 6


def test_mixed_line_ends_are_read(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    text = f"{HEAD}\r\n{GOOD}\n\r{GOOD}\r\r\n{BAD}"
    report = take(write(tmp_path / "a.csv", text.encode()))
    assert (report.new, report.unchanged, report.rejected) == (1, 1, 1)
    assert quarantined(sqlite)[0][0] == 5


def test_a_separator_inside_a_cell_ends_no_line() -> None:
    assert read("a\u2028b,c\x0bd\x85e\nf,g\x1c") == [(1, ["a\u2028b", "c\x0bd\x85e"]), (2, ["f", "g\x1c"])]


ODD_ENDS = ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("sign", ODD_ENDS)
@pytest.mark.parametrize("name", ["utf-8", "gb18030", "utf-16"])
def test_rows_that_end_in_what_ends_no_line_are_told_so(
    take: Ingest, tmp_path: Path, sign: str, name: str
) -> None:
    path = write(tmp_path / "a.csv", sign.join([HEAD, GOOD, BAD, ""]).encode(name))
    with pytest.raises(IngestError, match=rf"以⟨U\+{ord(sign):04X}⟩分行 .*\n.*CR LF or LF"):
        take(path)


@pytest.mark.parametrize("sign", ODD_ENDS)
def test_a_row_that_goes_on_behind_such_a_sign_is_told_so(
    take: Ingest, sqlite: Store, tmp_path: Path, sign: str
) -> None:
    take(write(tmp_path / "a.csv", f"{HEAD}\n{GOOD}\n{GOOD}{sign}{GOOD}\n{BAD}\n".encode()))
    (row, _, _, why), (last, *_) = quarantined(sqlite)
    assert (row, last) == (3, 4)
    assert f"5 cells where the headers have 3, and ⟨U+{ord(sign):04X}⟩ among them" in why


@pytest.mark.parametrize("sign", ["\v", "\f", "\x1c", "\x7f", "\x85", "\x9f"])
def test_a_control_character_is_named_by_its_number(
    take: Ingest, sqlite: Store, tmp_path: Path, sign: str
) -> None:
    report = take(write(tmp_path / "a.csv", f"{HEAD}\nR1,{CODES[0]},云衡{sign}税务局\n".encode()))
    assert report.rejected == 1
    assert f"a control character ⟨U+{ord(sign):04X}⟩" in quarantined(sqlite)[0][3]


def test_a_separator_of_lines_in_a_text_is_kept(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    head = HEAD.replace("机关", "文书号")
    take(write(tmp_path / "a.csv", f"{head}\nR1,{CODES[0]},某罚\u20281号\n".encode()))
    assert current(sqlite)[0]["document_no"] == "某罚\u20281号"


NOTHING = {
    "mark": (codecs.BOM_UTF8, "编码标记(BOM)"),
    "mark of UTF-16": (codecs.BOM_UTF16_LE, "编码标记(BOM)"),
    "mark and blanks": (codecs.BOM_UTF8 + "  \r\n\r\n\u3000".encode(), "编码标记(BOM)、空格、空行"),
    "mark and blanks in UTF-16": (" \r\n\u3000\r\n".encode("utf-16"), "编码标记(BOM)、空格、空行"),
    "blanks in UTF-16": ("  \r\n \r\n".encode("utf-16-be"), "空格、空行"),
    "an end of line": (b"\r\n", "空格、空行"),
    "many blanks": (b" \r\n" * 100_000, "空格、空行"),
    "delimiters": (b",,\n,,\n", "分隔符、空格、空行"),
    "what nobody sees": ("\u200b\n".encode(), "空格、空行"),
    "zeros": (b"\0" * 5_000, "零字节"),
}


@pytest.mark.parametrize(("content", "said"), NOTHING.values(), ids=NOTHING)
def test_a_file_with_nothing_to_see_is_told_what_there_is(
    take: Ingest, tmp_path: Path, content: bytes, said: str
) -> None:
    path = write(tmp_path / "a.csv", content)
    with pytest.raises(IngestError) as error:
        take(path)
    assert error.value.reason.zh == f"文件里只有{said},没有内容"


def test_a_mark_where_files_were_joined_is_no_part_of_a_value(
    take: Ingest, sqlite: Store, tmp_path: Path
) -> None:
    text = f'\ufeff{HEAD}\n{GOOD}\n\ufeff{HEAD}\n\ufeff"R3",{CODES[0]},甲\n'
    report = take(write(tmp_path / "a.csv", text.encode()))
    assert (report.new, report.rejected) == (2, 0)
    assert [found["record_id"] for found in current(sqlite)] == ["R1", "R3"]


def test_a_zero_byte_costs_its_row(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    report = take(write(tmp_path / "a.csv", f"{HEAD}\n{GOOD}\nR2,{CODES[0]},a\0b\n".encode()))
    assert (report.new, report.rejected) == (1, 1)
    assert quarantined(sqlite)[0][:2] == (3, "机关")


@given(
    st.lists(st.lists(st.text("a,\"' \n\r\u2028\ufeff云", max_size=4), min_size=1, max_size=3), max_size=6),
    st.sampled_from(list(ENDS.values())),
)
def test_what_a_writer_of_csv_writes_is_read_back(table: list[list[str]], end: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    plain = [
        [cell.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n") for cell in row]
        for row in table
    ]
    plain = [[cell.replace("\n\ufeff", "\n") for cell in row] for row in plain]
    assert [cells for _, cells in read(text.getvalue())] == plain


@pytest.mark.parametrize("before", range((1 << 16) - 4, (1 << 16) + 4))
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_line_that_ends_at_a_block_s_end_is_one_line(before: int, end: str) -> None:
    text = "x" * before + end + f'y,"z{end}w"' + end + "v"
    assert read(text) == [(1, ["x" * before]), (2, ["y", "z\nw"]), (4, ["v"])]


# Quotes


def test_an_open_quote_costs_its_line_and_no_other() -> None:
    assert numbered('h,i\n1,"甲\n2,乙\n3,"丙"\n') == [
        (1, ["h", "i"]),
        (2, "quotes don't match; the row that begins in line 2 can't be read"),
        (3, ["2", "乙"]),
        (4, ["3", "丙"]),
    ]
    assert numbered('h\n"甲\n乙\n')[1] == (2, "the quote opened in line 2 is never closed")


def test_a_quote_that_swallows_rows_names_their_lines(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    text = f'{HEAD}\nR1,{CODES[0]},"甲\nR2,{CODES[0]},乙\nR3,{CODES[0]},丙",丁\n{GOOD}\n'
    assert take(write(tmp_path / "a.csv", text.encode())).new == 1
    assert quarantined(sqlite)[0][0] == 2
    assert "4 cells in lines 2–4, 3 headers" in quarantined(sqlite)[0][3]


@pytest.mark.parametrize(
    ("longest", "longer"),
    [
        (["x" * 65_536 + '","' + "x" * 65_531], ["x" * 65_536 + '","' + "x" * 65_532]),
        (["x"] * 1_999, ["x"] * 2_000),
    ],
    ids=["characters", "lines"],
)
def test_a_row_in_quotes_may_go_on_as_long_as_the_pages_say(longest: list[str], longer: list[str]) -> None:
    """For less than 131,072 characters before the line that ends it, and for 2,000 lines."""
    [(_, cells)] = numbered("\n".join(['1,"', *longest, 'end",z\n']))
    assert cells[-1] == "z"
    assert "is never closed" in numbered("\n".join(['1,"', *longer, 'end",z\n']))[0][1]


def test_a_large_file_with_an_open_quote_is_read_once_beyond_the_quote() -> None:
    class Counted(io.StringIO):
        given = 0

        def read(self, size: int | None = -1) -> str:
            text = super().read(size)
            self.given += len(text)
            return text

    size = 200_000
    stream = Counted('a,b\n1,"open\n' + "2,b\n" * size, newline="")
    found = list(rows(lines(stream, "a.csv"), ","))
    assert stream.given == 12 + 4 * size
    assert len(found) == size + 2
    assert [n for n, cells in found if isinstance(cells, Fault)] == [2]


@pytest.mark.parametrize("line", ['1,"x', '"', '",x,"', '"""', ',"",""",x', 'a"b,"', '","",'])
def test_the_work_of_odd_quotes_follows_the_size_of_the_file(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    library = csv.reader

    def counted(source: object, **how: object) -> object:
        return library((given.append(len(text)) or text for text in source), **how)  # type: ignore

    monkeypatch.setattr("scoring.facts.ingest.lines.csv.reader", counted)
    text = f"{line}\n" * 20_000
    read(text)
    assert sum(given) <= 4 * (len(text) + bounds.LONGEST_QUOTED)


def test_a_line_without_end_is_refused_with_its_number(take: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"{HEAD}\n{GOOD}\n".encode() + b"x" * (2 * bounds.LONGEST_LINE))
    with pytest.raises(IngestError, match="line 3 has more than 1,048,576 characters"):
        take(path)


def test_more_columns_than_a_spreadsheet_has_are_refused(take: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"{HEAD}\n{GOOD}\n".encode() + b"," * 900_000)
    with pytest.raises(IngestError, match="columns in line 3: 900,001, 16,384 at most"):
        take(path)


# Encodings


def encoding(path: Path, content: bytes) -> str:
    return find_encoding(write(path, content))


@pytest.mark.parametrize("name", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "gb18030"])
def test_an_encoding_is_recognised_with_and_without_mark(
    take: Ingest, sqlite: Store, tmp_path: Path, name: str
) -> None:
    take(write(tmp_path / "a.csv", f"{HEAD}\n{GOOD}\n".encode(name)))
    assert current(sqlite)[0]["authority"] == "云衡税务局"


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["编号,失信程度\r\n1,一般\r\n2,一\u3000般\r\n", "编号,名称一\r\n"], ids=["few", "one in four"]
)
def test_characters_that_hold_a_zero_byte_leave_utf_16_what_it_is(
    tmp_path: Path, text: str, name: str
) -> None:
    assert encoding(tmp_path / "a.csv", text.encode(name)) == name


@pytest.mark.parametrize("where", range(3))
def test_one_damaged_byte_in_utf_8_is_no_other_language(tmp_path: Path, where: int) -> None:
    good = "id,name\r\n1,云衡税务\r\n2,".encode()
    cut = "税".encode()[:where] + b"\xe7\x8e" * (where == 0) + b"\xff" * (where == 1)
    with pytest.raises(IngestError, match=f"not UTF-8 at byte {len(good)} .*, row 3\n"):
        encoding(tmp_path / "a.csv", good + cut + b",x\r\n3,a\r\n")


@pytest.mark.parametrize("before", ["", "\n", "\n\n", "\r\n", "a\n"])
def test_a_damaged_byte_is_named_wherever_it_is(tmp_path: Path, before: str) -> None:
    good = before.encode()
    told = rf"not UTF-8 at byte {len(good)} \(0xFF\), row {before.count(chr(10)) + 1}\n"
    with pytest.raises(IngestError, match=told):
        encoding(tmp_path / "a.csv", good + b"\xff" + "编号,信用代码\n".encode() * 9)


def test_one_damaged_byte_in_gb18030_is_named_with_its_line(tmp_path: Path) -> None:
    good = "编号,名称\r\r\n1,云衡税务局\r\r\n2,云".encode("gb18030")
    with pytest.raises(IngestError, match=f"not GB18030 at byte {len(good)} .*, row 3\n"):
        encoding(tmp_path / "a.csv", good + b"\xba," + "衡,某局\r\r\n".encode("gb18030"))


@pytest.mark.parametrize("mark", [codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE])
def test_utf_32_is_named_and_not_taken_for_utf_16(tmp_path: Path, mark: bytes) -> None:
    """Its mark begins as that of UTF-16 does."""
    name = "utf-32-le" if mark == codecs.BOM_UTF32_LE else "utf-32-be"
    with pytest.raises(IngestError, match="UTF-32"):
        find_encoding(write(tmp_path / "a.csv", mark + f"{HEAD}\n{GOOD}\n".encode(name)))


def test_half_a_character_of_utf_16_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"not UTF-16 at byte .*, row 2"):
        encoding(tmp_path / "a.csv", "编号,名称\n1,云衡".encode("utf-16") + b"\x00")


@pytest.mark.parametrize("name", ["模块", "云衡税务", "啊"])
def test_few_chinese_characters_are_enough_to_tell_gb18030(tmp_path: Path, name: str) -> None:
    assert encoding(tmp_path / "a.csv", f"id,name\n1,{name}\n".encode("gb18030")) == "gb18030"


@pytest.mark.parametrize("name", ["é", "阿依古丽·买买提", "Иван", "½"])
def test_letters_of_other_languages_stay_utf_8(tmp_path: Path, name: str) -> None:
    assert encoding(tmp_path / "a.csv", f"id,name\n1,{name}\n".encode()) == "utf-8-sig"


@pytest.mark.parametrize("before", range((1 << 20) - 3, (1 << 20) + 1))
@pytest.mark.parametrize("name", ["utf-8-sig", "gb18030"])
def test_a_character_across_two_blocks_is_whole(tmp_path: Path, before: int, name: str) -> None:
    plain = name.removesuffix("-sig")
    content = b"x" * before + "云衡税务局\n".encode(plain)
    assert encoding(tmp_path / "a.csv", content) == name
    with pytest.raises(IngestError, match=f"at byte {len(content)} .*, row 2"):
        encoding(tmp_path / "a.csv", content + b"\xff")
