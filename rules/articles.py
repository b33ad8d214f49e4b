"""Articles of law as people cite them: 第二条 in Chinese, art. 2 in English."""

from __future__ import annotations

import re

from rules.titles import Title

_DIGITS = "零一二三四五六七八九"
_UNITS = {"十": 10, "百": 100, "千": 1000}
_ARTICLE = re.compile(r"(?:art\.|§) ?(\d{1,4})(?:\((\d{1,2})\))?")
_IN_CHINESE = re.compile(r"、?第([零一二三四五六七八九十百千]+)条")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_OF_POINTS = ("意见", "方案", "通知")
"""How documents are called that have numbered points and no articles."""


def numeral(number: int) -> str:
    """A number from 1 to 9999 in Chinese.

    >>> numeral(7), numeral(10), numeral(69), numeral(105), numeral(1260)
    ('七', '十', '六十九', '一百零五', '一千二百六十')
    """
    said, rest = "", number
    for unit, size in reversed(_UNITS.items()):
        digit, rest = divmod(rest, size)
        if digit:
            said += _DIGITS[digit] + unit
        elif said and not said.endswith("零"):
            said += "零"
    said = (said + (_DIGITS[rest] if rest else "")).rstrip("零")
    return said.removeprefix("一") if number < 20 and number > 9 else said


def article_in(document: str, article: str) -> Title:
    """A place in a document, as its readers would look for it.

    :param article: as packs write it: ``art. 2``, ``§69(7)``; anything else is said as it is, and so is a
        place in a document of another language.

    >>> article_in("民法典", "art. 577"), article_in("国务院令第722号", "§69(7)")
    (Title(zh='第五百七十七条', en='art. 577'), Title(zh='第六十九条（七）', en='art. 69(7)'))
    >>> article_in("国务院办公厅关于……的指导意见（国办发〔2019〕35号）", "§7")
    Title(zh='第（七）项', en='point 7')
    >>> article_in("FHRS Brand Standard", "§4")
    Title(zh=' §4', en='§4')
    """
    if article and not _CHINESE.search(document):
        return Title(f" {article}", article)
    found = _ARTICLE.fullmatch(article)
    if found is None:
        return Title(article, article)
    number, item = found.groups()
    if re.sub("（[^（）]*）|》", "", document).endswith(_OF_POINTS):
        return Title(f"第（{numeral(int(number))}）项", f"point {number}")
    beside = Title(f"（{numeral(int(item))}）", f"({item})") if item else Title("", "")
    return Title(f"第{numeral(int(number))}条{beside.zh}", f"art. {number}{beside.en}")


def in_english(citation: str) -> str:
    """A citation that is written in Chinese for who reads English: the law keeps its name.

    >>> in_english("招标投标法第五十三条、第五十四条"), in_english("国办发〔2020〕49号")
    ('招标投标法 art. 53, 54', '国办发〔2020〕49号')
    """

    def said(found: re.Match[str]) -> str:
        return f"{', ' if found[0].startswith('、') else ' art. '}{_number(found[1])}"

    return _IN_CHINESE.sub(said, citation)


def _number(said: str) -> int:
    total, digit = 0, 0
    for sign in said:
        if sign in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[sign], 0
        else:
            digit = _DIGITS.index(sign)
    return total + digit
