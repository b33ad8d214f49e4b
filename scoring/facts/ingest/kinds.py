"""Several kinds in one cell, as officials write them: 1.罚 款（1.5万元）2.没收违法所得（3200元）."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal

from rules.model import Title
from scoring.facts.ingest.errors import CellError
from scoring.facts.ingest.folding import fold
from scoring.facts.ingest.numbers import parse_decimal

_BETWEEN = re.compile(r"[,;、/|+。]+|并处?|以?及|和")
_ORDINAL = re.compile(
    r"\(?(?:(?<![0-9.])(?P<digits>[0-9]{1,2})"
    r"|[第其]?(?P<word>[一二三四五六七八九十])(?=[.、,:)是])"
    r"|(?<![A-Z])(?P<roman>[IVX]{1,4})(?=[.、,:)]))"
    r"(?P<mark>[.、,:)]+\s*|是|\s+)?(?=[\u4e00-\u9fff])",
    re.IGNORECASE,
)
_MOST_JOINED = 20
"""The parts of a word, a sign each: the longest of a list has fewer."""

_WORDS = "一二三四五六七八九十"
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_AMOUNT = re.compile(
    r"(?<=[\u4e00-\u9fff])\s*(?:"
    r"\((?P<within>[^()]*[元圆][^()]*|[^()0-9]*[0-9][0-9,.]*\s*[十百千]?[万亿]|[0-9][0-9,.]{2,})\)"
    r"|(?P<behind>(?:(?:人民币|¥)\s*)?[0-9][0-9,.]*\s*(?:[十百千]?[万亿]元?|[百千]?[元圆])整?))"
)
_BEFORE_AMOUNT = re.compile(r"(?:[合共]?计|金额|[罚没]款|人民币|:|\s)+")
_UNIT = re.compile("[元圆万亿]")


def words_of(text: str, is_known: Callable[[str], bool]) -> list[str]:
    """The words of a cell, without ordinals and amounts; spaces part two words, or stand within one.

    :param is_known: whether a word, without spaces, is one of a list.
    :raises CellError: where an amount can't be read.

    >>> known = {"警告", "罚款", "没收"}.__contains__
    >>> words_of("1.罚 款（1.5万元）2.警告 没 收", known), words_of("第一，罚款；第二，改 正", known)
    (['罚款', '警告', '没收'], ['罚款', '改', '正'])
    """
    amount_behind(text)
    bare = _without_ordinals(_AMOUNT.sub("", fold(text)))
    return [word for part in _BETWEEN.split(bare) for word in _joined(part.split(), is_known)]


def amount_behind(text: str) -> Decimal | None:
    """The sum of the amounts that stand behind the words of a cell, in yuan; None where none does.

    :raises CellError: where one has no unit, or is no number.

    >>> amount_behind("罚款（人民币1.5万元）、没收违法所得3,200元"), amount_behind("（1）罚款（2）没收")
    (Decimal('18200.0000'), None)
    """
    found = [one["within"] or one["behind"] for one in _AMOUNT.finditer(fold(text))]
    return sum(map(_amount, found), Decimal()) if found else None


def _amount(text: str) -> Decimal:
    try:
        if _UNIT.search(text):
            return parse_decimal(_BEFORE_AMOUNT.sub("", text))
        why = Title("没有单位", "has no unit")
    except CellError as error:
        why = error.fault.reason
    raise CellError(
        Title(f"写在类别后的金额“{text}”{why.zh}", f"the amount behind the kind, {text}: {why.en}"),
        Title("请把金额填入金额列,类别只写名称", "the amount in its own column, the kind alone here"),
    )


def _joined(tokens: list[str], is_known: Callable[[str], bool]) -> Iterator[str]:
    """Words that are known, of one token or, where some are not, of the most that make one."""
    if all(map(is_known, tokens)):
        yield from tokens
        return
    while tokens:
        longest = min(len(tokens), _MOST_JOINED)
        ends = (end for end in range(longest, 0, -1) if is_known("".join(tokens[:end])))
        end = next(ends, 1)
        yield "".join(tokens[:end])
        tokens = tokens[end:]


def _without_ordinals(text: str) -> str:
    """A text with commas for its ordinals, where they count from one on: 1.罚款2.没收, 一、罚款二、没收."""
    found = list(_ORDINAL.finditer(text))
    is_sure = len(found) > 1 or any(one["mark"] for one in found)
    is_list = is_sure and [*map(_number, found)] == [*range(1, len(found) + 1)]
    return _ORDINAL.sub(",", text) if is_list else text


def _number(found: re.Match[str]) -> int:
    if found["digits"]:
        return int(found["digits"])
    if found["word"]:
        return _WORDS.index(found["word"]) + 1
    roman = found["roman"].upper()
    return _ROMAN.index(roman) + 1 if roman in _ROMAN else 0
