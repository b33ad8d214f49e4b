"""What the words of a header can mean, with and without numbers before them, units and remarks behind."""

from __future__ import annotations

import re
from functools import lru_cache

from scoring.facts.ingest.folding import MARKS, Cell, fold_header, fold_word
from scoring.facts.ingest.numbers import multiplier

_NUMBER_BEFORE = re.compile(r"^\(?(?:[0-9]{1,2}[.、):]?|[一二三四五六七八九十]{1,3}[.、):])(?=[^0-9])")
_REMARK = re.compile(r"(?P<title>.+)[(\[【{](?P<remark>[^()\[\]【】{}]+)[)\]】}]")
_YUAN = "(?:人民币|rmb|cny)?"
_MONEY = rf"{_YUAN}(?P<unit>[十百千]?[万亿]?元整?|[十百千]?[万亿]|万亿元?|yuan|¥){_YUAN}"
_UNIT = re.compile(rf"(?:(?:金额)?单位:?)?(?:以)?(?:{_MONEY}|(?P<count>万?人|个|家))(?:为单位|计)?")
_UNIT_BEHIND = re.compile(rf"(?P<title>.+?)(?:[-/:,;、.]?(?:单位:?)?{_MONEY}|[-/:](?P<count>万?人|个|家))")
_UNIT_ABOVE = re.compile(
    r"(?:单位:?[|]*|[(])(?:人民币)?"
    r"(?P<unit>(?:[百千][万亿]?|[万亿])元|元(?:(?=日期|填报|制表|编制|统计)|(?![\u4e00-\u9fff]))"
    r"|[百千]?[万亿](?![\u4e00-\u9fff]))"
)
_EITHER = re.compile(r"(?P<first>[^/、(]{2,}?)(?:[/、]|或者?|\(或?)(?P<second>[^/、()]{2,}?)\)?")
_FORM = re.compile(
    r"(?:非|不)?必填项?|选填项?|可选|可空|可不填|required|optional"
    r"|(?:格式|如|例如?):?[-0-9/.年月日ymd]+|[年月日/.-]{2,}|y{2,4}[-/.年]?m{1,2}[-/.月]?d{1,2}日?"
    r"|(?:文本|日期|数字|常规)(?:格式|型)?|下拉选择|单选|是/否|18位(?:代码|编码)?|为[^,;、]{1,16}时"
)


@lru_cache(maxsize=4_096)
def readings(header: str) -> tuple[tuple[str, int], ...]:
    """What a header can mean: as it stands first, at last without a number before it and remarks behind it.

    :return: words, each with what a unit among the remarks left out multiplies bare numbers by; 0 where none
        of them is a unit.
    """
    word, per = fold_header(header), 0
    readings = [(word, per)]
    readings.append((_NUMBER_BEFORE.sub("", word, count=1), per))
    bare = readings[-1][0]
    while (found := _REMARK.fullmatch(bare)) and (times := _remark(found["remark"])) is not None:
        if times > 1 and per > 1:  # two units: which of them counts, nobody knows
            break
        bare, per = found["title"].strip(MARKS), max(per, times)
        readings.append((bare, per))
    behind = _UNIT_BEHIND.fullmatch(bare) if per == 0 else None
    if behind is not None:
        readings.append((behind["title"], multiplier(behind["unit"] or behind["count"])))
    return tuple(dict.fromkeys(readings))


def either(header: str) -> tuple[str, ...]:
    """The two words of a header that says one thing or another, as 信用代码/注册号 does; else none."""
    found = _EITHER.fullmatch(readings(header)[-1][0])
    return (found["first"], found["second"]) if found else ()


def _remark(text: str) -> int | None:
    """What a remark behind a header multiplies by, 0 without a unit; None where it is none of units, formats
    and "required"."""
    per = 0
    for part in re.split("[,;、]", text):
        unit = _UNIT.fullmatch(part)
        if unit is None and not _FORM.fullmatch(part):
            return None
        if unit is not None:
            per = (per or 1) * multiplier(unit["unit"] or unit["count"])
    return per


def has_unit(header: str) -> bool:
    """Whether a header says in what its amounts are."""
    return any(per for _, per in readings(header))


def unit_in(header: str) -> str | None:
    """The unit of money that a header says.

    >>> unit_in("没收金额（万元）"), unit_in("涉案数额/元"), unit_in("人数（万人）"), unit_in("Amount")
    ('万元', '元', None, None)
    """
    word = fold_header(header)
    remark = _REMARK.fullmatch(word)
    parts = map(_UNIT.fullmatch, re.split("[,;、]", remark["remark"]) if remark else ())
    found = [unit for unit in (*parts, _UNIT_BEHIND.fullmatch(word)) if unit is not None]
    return next((unit["unit"] for unit in found if unit["unit"]), None)


def unit_above(line: str) -> str | None:
    """What a line above the headers says that all amounts are in: 万元 of 单位：万元."""
    unit = _UNIT_ABOVE.search(fold_word(line))
    return unit and unit["unit"]


def unit_alone(cell: Cell) -> str | None:
    """The unit that a cell is and nothing else: 万元 of （万元）."""
    unit = _UNIT.fullmatch(fold_word(cell).strip("()[]【】")) if isinstance(cell, str) else None
    return unit and (unit["unit"] or unit["count"])
