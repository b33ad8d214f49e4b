"""What was read in another encoding on the way is named, with what it may say; no word is taken for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.misread import meant
from tests.ingest.conftest import CODES, Ingest, write_text
from tests.ingest.test_cells import read
from tests.ingest.test_mixed_encodings import office_words

WORDS = (
    "重庆某某餐饮有限公司",
    "云衡区市场监督管理局",
    "未按规定公示年度报告",
    "罚款",
    "某店（个体）",
    "公司A座",
)
Way = Callable[[str], str]


def utf8_as_gbk(word: str) -> str:
    return word.encode().decode("gb18030", "replace").replace("\ufffd", "?")


def utf8_as_latin(word: str) -> str:
    return word.encode().decode("latin-1")


def utf8_as_windows(word: str) -> str:
    return "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in word.encode())


def gb18030_as_latin(word: str) -> str:
    return word.encode("gb18030").decode("latin-1")


WAYS = (utf8_as_gbk, utf8_as_latin, utf8_as_windows, gb18030_as_latin)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("way", WAYS)
def test_what_was_misread_on_the_way_is_refused_with_what_it_seems_to_say(word: str, way: Way) -> None:
    fault = read(way(word))
    assert isinstance(fault, Fault)
    assert "wrong encoding" in fault.reason.en
    assert word[:2] in fault.reason.zh
    assert word[:2] in fault.reason.en
    assert isinstance(read(way(word), required=True), Fault)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_lost_of_it_is_shown_as_lost(way: Way) -> None:
    said = meant(way("重庆某某餐饮有限公司")[:-1])
    assert said is not None
    assert said.startswith("重庆某某餐饮有限公")


@pytest.mark.parametrize("lost", ["烫烫烫烫", "屯屯屯屯屯", "云衡烫烫烫烫烫烫"])
def test_what_a_program_never_wrote_is_no_text(lost: str) -> None:
    assert "characters that were lost on the way" in str(read(lost))


SOUND = """
烫烫烫火锅店 屯屯米业 某××××店 ×××× ····· 阿卜杜拉·买买提 ……——…… £££££ °C±1° 喆堃昇犇鑫璧甯濛邬霈镕旻
（株）サンプル 涓涓幼儿园 鏍记茶楼 闂家面馆 浠水人家 婕妤电子 媾和 姝风吹 Société Çağdaş“Öğüt…” ÄÖÜß Þórð№1—2
"""


@pytest.mark.parametrize("word", SOUND.split())
def test_a_text_that_is_as_it_should_be_stays(word: str) -> None:
    assert meant(word) is None
    assert read(word) == word


def test_no_words_of_an_office_one_by_one_or_together_are_taken_so() -> None:
    words, chance = office_words(), random.Random(1)
    together = ["".join(chance.choices(words, k=2)) for _ in range(20_000)]
    names = ["".join(chance.choices(sorted({*"".join(words)}), k=3)) for _ in range(20_000)]
    assert [word for word in (*words, *together, *names) if meant(word) is not None] == []


def test_a_sound_file_with_a_cell_that_was_misread_keeps_its_other_rows(take: Ingest, tmp_path: Path) -> None:
    path = tmp_path / "企业.csv"
    names = (utf8_as_gbk("云衡某某面馆"), utf8_as_windows("云衡某某面馆"), "云衡某某面馆")
    lines = [
        "统一社会信用代码,企业名称",
        *(f"{code},{name}" for code, name in zip(CODES, names, strict=True)),
    ]
    report = take(write_text(path, lines))
    assert (report.new, report.rejected) == (1, 2)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vocabulary", [None, "enterprise"])
def test_headers_that_were_misread_are_named(
    take: Ingest, tmp_path: Path, way: Way, vocabulary: str | None
) -> None:
    lines = ["统一社会信用代码,企业名称", f"{CODES[0]},某某面馆"]
    with pytest.raises(IngestError) as error:
        take(write_text(tmp_path / "企业.csv", [way(line) for line in lines]), vocabulary)
    assert "乱码,像是“统一社会信用代码" in error.value.reason.zh
    assert "perhaps 统一社会信用代码" in error.value.reason.en
