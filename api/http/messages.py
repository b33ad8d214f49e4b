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
        (r"Unknown (?:field|parameter)\.", "没有这一项"),
        (r"Given twice\.", "重复"),
        (r"Field may not be null\.", "不能为空值"),
        (r"Invalid input type\.", "内容的类型不对,应写作{…},可有多项的写作[{…}]"),
        (r"Must be one of: (.*)\.", r"应为下列之一:\1"),
        (r"Length must be between (\d+) and (\d+)\.", r"长度应为\1至\2"),
        (r"(?:Shorter than minimum length|Length must be at least) (\d+)\.", r"至少\1个"),
        (r"(?:Longer than maximum length|Length must be at most) (\d+)\.", r"至多\1个"),
        (r"Control characters are not allowed\.", "不能含控制字符"),
        (r"A natural person's number .*", "含自然人证件号码,本系统不予保存,请删去"),
        (r"String does not match expected pattern\.", "写法不对"),
        (r"Not a valid date: .*", "不是日期,应写作2026-07-31"),
        (r"Not a valid datetime\.", "不是时间,应写作2026-07-31T08:00:00Z"),
        (r"Not a valid boolean\.", "应为是或否"),
        (r"Not a valid (?:integer|number)\.", "不是数字"),
        (r"Not a valid string\.", "应为文字"),
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

_PLAINER = {
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


def language() -> str:
    """The language that Accept-Language asks for."""
    return current().accept_languages.best_match(LANGUAGES, LANGUAGES[0])


def in_language(said: Title | str) -> str:
    """What is said, in the language that is asked for.

    :param said: in both, or in English as a schema says it.
    """
    if language() == LANGUAGES[0]:
        return said.en if isinstance(said, Title) else _PLAINER.get(said, said)
    return said.zh if isinstance(said, Title) else in_chinese(said)
