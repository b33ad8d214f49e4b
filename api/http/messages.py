"""What is said to programs and those who write them, in the language that they ask for."""

from __future__ import annotations

import re

from api.around.request import current
from rules.model import Title

LANGUAGES = ("en", "zh")
"""Those in which errors are told; the first where no other is asked for."""

_MESSAGES = tuple(
    (re.compile(pattern), zh)
    for pattern, zh in (
        (r"Missing data for required field\.", "必填"),
        (r"Unknown (?:field|parameter)\.", "没有这一项,请核对名称,或删去"),
        (r"Given twice\.", "重复"),
        (r"Field may not be null\.", "不能为空值(null),须写上内容,或整项不写"),
        (r"Invalid (?:input )?type\.", "内容的类型不对,应写作{…},可有多项的写作[{…}]"),
        (r"Must be one of: (.*)\.", r"应为下列之一:\1"),
        (r"Length must be between (\d+) and (\d+)\.", r"长度应为\1至\2"),
        (r"(?:Shorter than minimum length|Length must be at least) (\d+)\.", r"至少\1个"),
        (r"(?:Longer than maximum length|Length must be at most) (\d+)\.", r"至多\1个"),
        (r"Control characters are not allowed\.", "不能含控制字符"),
        (r"A natural person's number .*", "含自然人证件号码,本系统不予保存,请删去"),
        (r"Not a month: .*", "不是月份,应写作2026-08"),
        (r"Not a valid date: .*", "不是日期,应写作2026-07-31"),
        (r"Not a valid (?:aware )?datetime\.", "不是时间,应带时区,写作2026-07-31T08:00:00Z"),
        (r"Number too large\.", "数字过大,至多18位"),
        (r"Special numeric values .*", "不是数字,应只写数字,如12"),
        (r"Not a valid utf-8 string\.", "应为UTF-8文字"),
        (r"Not a valid boolean\.", "应为是或否(true或false)"),
        (r"Not a valid (?:integer|number)\.", "不是数字,应只写数字,如12"),
        (r"Not a valid string\.", "应为文字,加引号"),
        (r"Not a valid list\.", "应为列表,只有一项也写作[…]"),
        (r"Not a valid mapping type\.", "应写作{…}"),
        (r"Not a number of points with at most two decimals\.", "应为分数,至多两位小数"),
        (r"not a cursor of .*", "不是本列表的位置,应为上一页的next"),
        (
            r"Must be greater than or equal to (-?\d+) and less than or equal to (-?\d+)\.",
            r"应在\1至\2之间",
        ),
        (r"Must be greater than or equal to (-?\d+)\.", r"不能小于\1"),
        (r"Must be less than or equal to (-?\d+)\.", r"不能大于\1"),
    )
)

_NOT_A_MOMENT = "Not a valid datetime: with its offset from UTC, such as 2026-07-31T08:00:00Z."
_PLAINER = {
    "Unknown field.": "There is no such field: look how it is spelt, or leave it out.",
    "Field may not be null.": "Null is not taken: a value is needed, or nothing at all.",
    "Not a valid boolean.": "Neither true nor false: one of them is needed, without quotes.",
    "Not a valid integer.": "Not a valid integer: digits alone are needed, such as 12.",
    "Not a valid number.": "Not a valid number: digits are needed, such as 12 or 12.5.",
    "Not a valid string.": "Not a text: one in quotes is needed.",
    "Not a valid utf-8 string.": "Not a text in UTF-8: one is needed.",
    "Not a valid datetime.": _NOT_A_MOMENT,
    "Not a valid aware datetime.": _NOT_A_MOMENT,
    "Number too large.": "Too large a number: one of at most 18 digits is needed.",
    "Special numeric values (nan or infinity) are not permitted.": "Not a number: such as 12 is needed.",
    "Invalid type.": "Invalid type: {…} is needed, or [{…}] where there can be several.",
    "Invalid input type.": "Invalid input type: {…} is needed, or [{…}] where there can be several.",
    "Not a valid list.": "Not a list: […] is needed, around a single value too.",
    "Not a valid mapping type.": "Not an object: {…} is needed.",
}
"""What marshmallow says without saying what would be right, in English."""


def in_chinese(message: str) -> str:
    """What a schema says of a field.

    :param message: in English, as marshmallow and our own validators say it; one in both languages, as of a
        file's row, stays.

    >>> in_chinese("Length must be between 1 and 200.")
    '长度应为1至200'
    """
    for pattern, zh in _MESSAGES:
        if found := pattern.fullmatch(message):
            return found.expand(zh)
    return message if re.search("[\u4e00-\u9fff]", message) else "填写有误"


def in_english(message: str) -> str:
    """The same in English, with what would be right where marshmallow leaves it out.

    >>> in_english("Not a valid list.")
    'Not a list: […] is needed, around a single value too.'
    """
    return _PLAINER.get(message, message)


def language() -> str:
    """The language that Accept-Language asks for."""
    return current().accept_languages.best_match(LANGUAGES, LANGUAGES[0])


def in_language(said: Title | str) -> str:
    """What is said, in the language that is asked for.

    :param said: in both, or in English as a schema says it.
    """
    if language() == LANGUAGES[0]:
        return said.en if isinstance(said, Title) else in_english(said)
    return said.zh if isinstance(said, Title) else in_chinese(said)
