"""Files of two encodings, or of another than is read: they are named, and nothing is guessed."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import pytest

import rules.library
from scoring.facts.ingest.encoding import find_encoding
from scoring.facts.ingest.errors import IngestError

HEAD = "编号,信用代码,企业名称"
ROWS = [f"R{n},91110000600037341L,云衡区第{n}面馆" for n in range(1, 8)]
LINES = [HEAD, *ROWS]
ODD = ["R8,91110000600037341L,某店", "R8,91110000600037341L,某酒店", "R8,91110000600037341L,重庆云衡酒店"]


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(IngestError) as error:
        find_encoding(path)
    return str(error.value)


def text(lines: list[str], encoding: str, end: str = "\r\n") -> bytes:
    return "".join(line + end for line in lines).encode(encoding)


@pytest.mark.parametrize("ascii_rows", [0, 3])
def test_a_mark_of_utf8_before_gb18030_names_the_first_byte_that_is_not_utf8(
    tmp_path: Path, ascii_rows: int
) -> None:
    data = codecs.BOM_UTF8 + text(["A,B,C"] * ascii_rows + LINES, "gb18030")
    said = refused(tmp_path / "a.csv", data)
    row, byte = ascii_rows + 1, 3 + 7 * ascii_rows
    assert f"第{row}行(第{byte}字节)不是UTF-8编码,而像是GB18030编码" in said
    assert f"not UTF-8 at byte {byte}" in said
    assert f"row {row}" in said
    assert "UTF-8标记" in said


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_mark_of_utf16_before_another_text_is_named(tmp_path: Path, mark: bytes, encoding: str) -> None:
    said = refused(tmp_path / "a.csv", mark + text(LINES, encoding))
    assert "第1行(第2字节)不是UTF-16编码" in said


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_line_of_utf8_in_a_file_of_gb18030_is_named(tmp_path: Path, odd: str, end: str) -> None:
    data = text(LINES, "gb18030", end) + text([odd], "utf-8", end) + text(ROWS, "gb18030", end)
    assert "第9行" in (said := refused(tmp_path / "a.csv", data))
    assert "是UTF-8编码,文件的其他部分是GB18030" in said


@pytest.mark.parametrize("odd", ODD)
def test_a_line_of_gb18030_in_a_file_of_utf8_is_named(tmp_path: Path, odd: str) -> None:
    data = text(LINES, "utf-8") + text([odd], "gb18030") + text(ROWS, "utf-8")
    said = refused(tmp_path / "a.csv", data)
    assert "第9行" in said
    assert "而像是GB18030编码" in said


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_two_joined_files_of_different_encodings_are_named_by_the_line_of_the_second(
    tmp_path: Path, mark: bytes
) -> None:
    data = text([*LINES, *ROWS * 10], "gb18030") + mark + text(LINES, "utf-8")
    assert f"第{len(LINES) + 10 * len(ROWS) + 1}行" in refused(tmp_path / "a.csv", data)


def test_two_joined_files_of_utf8_with_marks_are_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((codecs.BOM_UTF8 + text(LINES, "utf-8")) * 2)
    assert find_encoding(path) == "utf-8-sig"


def test_a_damaged_byte_of_utf8_is_not_called_gb18030(tmp_path: Path) -> None:
    data = text(LINES, "utf-8").replace("第5".encode(), b"\xff\xac5")
    said = refused(tmp_path / "a.csv", data)
    assert "第6行" in said
    assert "GB18030编码" not in said.split("right:")[0]


def test_a_name_whose_gb18030_is_short_utf8_by_chance_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text([*LINES, "R9,91110000600037341L,联通"], "gb18030"))
    assert find_encoding(path) == "gb18030"


TRADITIONAL = "編號,統一社會信用代碼,機關\r\n" + "R1,91110000600037341L,雲衡區稅務局第一分局\r\n" * 3


@pytest.mark.parametrize("encoding", ["big5", "big5hkscs", "cp950"])
@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_a_file_in_big5_is_called_so_and_not_read_as_other_characters(
    tmp_path: Path, encoding: str, headers: bool, end: str
) -> None:
    text = TRADITIONAL if headers else TRADITIONAL.replace("編號,統一社會信用代碼,機關", "id,code,authority")
    said = refused(tmp_path / "a.csv", text.replace("\r\n", end).encode(encoding))
    assert "像是Big5(繁体中文)编码,不是GB18030" in said
    assert "CSV in UTF-8 or GB18030" in said


def test_big5_with_characters_of_a_user_s_own_is_called_so_too(tmp_path: Path) -> None:
    assert "Big5" in refused(tmp_path / "a.csv", TRADITIONAL.encode("big5") + b"R2,x,\xfa\x40\r\n")


JAPANESE = [
    "編号,信用コード,会社名\nR1,91110000600037341L,株式会社サンプル商店\nR2,x,東京都渋谷区第一支店\n",
    "番号,名称\n1,東京都渋谷区第一支店\n2,日本電気工業株式会社\n",
    "id,name\n1,ヤマト運輸(株)大阪支店\n2,さくら食品\n",
]
KOREAN = [
    "번호,신용코드,회사명\nR1,91110000600037341L,주식회사 가나다\nR2,x,서울특별시 상점\n",
    "id,name\n1,한국전자공업 주식회사\n2,부산광역시 해운대구 식당\n",
]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize(
    ("called", "encoding", "text"),
    [("Shift_JIS", name, text) for name in ("shift_jis", "cp932") for text in JAPANESE]
    + [("EUC-JP", "euc_jp", text) for text in JAPANESE]
    + [("EUC-KR", name, text) for name in ("euc_kr", "cp949") for text in KOREAN]
    + [("JOHAB", "johab", text) for text in KOREAN]
    + [("ISO-2022-JP", "iso2022_jp", text) for text in JAPANESE]
    + [("ISO-2022-KR", "iso2022_kr", text) for text in KOREAN]
    + [("HZ", "hz", "\n".join(LINES))],
)
def test_a_file_in_an_encoding_of_another_country_is_called_so(
    tmp_path: Path, called: str, encoding: str, text: str, end: str
) -> None:
    said = refused(tmp_path / "a.csv", text.replace("\n", end).encode(encoding))
    assert f"in {called}" in said
    assert "CSV in UTF-8 or GB18030" in said


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-16"])
@pytest.mark.parametrize("word", ["~{", "~}", "~{甲~}", "+86-13800000000", "\x1b$B"])
def test_what_only_looks_a_little_like_another_encoding_stays(
    tmp_path: Path, encoding: str, word: str
) -> None:
    (tmp_path / "a.csv").write_bytes(text([*LINES, f"R9,91110000600037341L,{word}"], encoding))
    assert find_encoding(tmp_path / "a.csv").startswith(encoding)
    (tmp_path / "a.csv").write_bytes(text(["id,name", f"1,{word}"], encoding))
    find_encoding(tmp_path / "a.csv")


def office_words() -> list[str]:
    """The Chinese of the vocabularies and the official forms."""
    library = Path(rules.library.__file__).parent
    texts = (path.read_text("utf-8") for path in sorted(library.rglob("*.yaml")))
    return sorted({word for text in texts for word in re.findall("[\u4e00-\u9fff]{2,12}", text)})


def test_no_words_of_an_office_in_gb18030_are_taken_for_another_encoding(tmp_path: Path) -> None:
    words, path = office_words(), tmp_path / "a.csv"
    assert len(words) > 1_000
    few = [words[n : n + 5] for n in range(0, len(words), 5)]
    spread = [words[n::97] for n in range(97)]
    for some in (*few, *spread):
        path.write_bytes("\r\n".join([*some, "id,1"]).encode("gb18030"))
        assert find_encoding(path) in ("gb18030", "utf-8-sig"), some


@pytest.mark.parametrize(
    "text",
    [
        TRADITIONAL,
        "编号,名称\r\n1,喆堃昇犇鑫璧甯濛邬霈镕旻颢祎商行\r\n",
        "编号,名称\r\n1,阿依古丽·买买提\r\n",
    ],
)
def test_traditional_and_rare_characters_of_gb18030_stay(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("gb18030"))
    assert find_encoding(path) == "gb18030"


def test_who_says_that_it_is_gb18030_is_taken_at_their_word(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TRADITIONAL.encode("big5"))
    assert find_encoding(path, "gb18030") == "gb18030"


@pytest.mark.parametrize("end", ["\r\r\n", "\r"])
def test_the_line_of_another_encoding_has_an_editor_s_number(tmp_path: Path, end: str) -> None:
    data = text(LINES, "gb18030", end) + text([ODD[2]], "utf-8", end) + text(ROWS, "gb18030", end)
    assert "第9行是UTF-8编码" in refused(tmp_path / "a.csv", data)


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_utf_32_without_a_mark_is_named(tmp_path: Path, encoding: str) -> None:
    assert "UTF-32" in refused(tmp_path / "a.csv", text(LINES, encoding))
