"""From a cell to the value of its column, ready for JSON; or the fault that keeps it out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from math import isnan

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength, ValidationError

from rules.model import Column, Title
from scoring.characters.persons import has_person, has_surely
from scoring.characters.visible import is_blank, mark
from scoring.facts.ingest.dates import WINDOWS_EPOCH, DateError, from_serial, parse_date
from scoring.facts.ingest.decoration import FORMULA, begins_as_formula, is_formula, undecorated
from scoring.facts.ingest.errors import CellError, Fault
from scoring.facts.ingest.folding import (
    Cell,
    Dayless,
    Shown,
    Unreadable,
    as_text,
    fold,
    fold_name,
    fold_text,
    fold_word,
)
from scoring.facts.ingest.kinds import words_of
from scoring.facts.ingest.misread import MAYBE_MISREAD, meant
from scoring.facts.ingest.numbers import SCALE, parse_decimal, parse_integer
from scoring.facts.ingest.returned import still_to_mend

JsonValue = str | int | bool | None
Convert = Callable[[Cell], JsonValue | Fault]

LONGEST_TEXT = 4_000
LONGEST_KEY = 200
"""So that the address of a record fits into what servers and proxies take."""

SOUGHT = frozenset({"authority", "name", "registration_number", "town"})
"""Columns of text by which the store finds versions: no longer than a key, for an index takes no more."""

STEPS = frozenset({".", ".."})
ADDRESS_WORDS = frozenset(
    {"grade", "grades", "explanation", "history", "live-grade", "report", "consents", "lender-checks"}
    | {"forecast", "paths", "records", "reports", "credit-report"}
)
"""What follows a subject in the service's addresses; a test holds that these are all."""

BEGINS = "*"
"""Behind a word that stands for another: so does whatever begins with it."""

UNKNOWN = frozenset(
    {"", "-", "--", "—", "——", "无", "null", "none", "n/a", "na", "/", "\\"}
    | {"(null)", "<null>", "[null]", "\\n", "nan", "<na>", "nat", "undefined"}  # as programs write it
)
OPEN_END = frozenset(
    {"长期", "长期有效", "永久", "永久有效", "终身", "终身有效", "无固定期限", "无期限", "无限期", "不限期"}
)
FOREVER = dt.date.max
"""The day that stands for no end, where a vocabulary says that it can be."""

BOOLEANS = {
    "是": True,
    "true": True,
    "1": True,
    "yes": True,
    "否": False,
    "false": False,
    "0": False,
    "no": False,
}
SPREADSHEET_ERRORS = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!"}
    | {"#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!", "#EXTERNAL!", "#GETTING_DATA"}
)
MOST_PRECISE = 10**15
"""A spreadsheet keeps 15 digits of a number; from here on the last ones are zeros."""

_LAST_DECIMAL = Decimal(1).scaleb(-SCALE)
_WHOLE_DECIMALS = MOST_PRECISE // 10**SCALE
"""Below it 15 digits have room for all decimals that are kept."""

_EXPONENT = re.compile(r"[-+]?[0-9](?:(?:\.[0-9]+)?E[-+][0-9]{2,3}|\.[0-9]+E[0-9]{1,3})", re.IGNORECASE)
_LONG_FLOAT = re.compile(r"[0-9]{16,}\.0+")
_LOST_SIGNS = ("\ufffd", "\u951f\u65a4\u62f7", "\ufffc", "\u70eb" * 4, "\u5c6f" * 4)
"""What stands for characters that a transfer could not read: the sign for one, and two read as GB18030; for a
picture that stood in the text; and what a program left that never wrote there (烫烫烫 may be a name)."""

_TOO_NARROW = re.compile(r"\s*#{2,}\s*")
_NO_TEXTS = (dt.date, dt.time, dt.timedelta, bool)
"""What a spreadsheet has made of a text: 3-12-2026, 3-12, 3:12 or true. What was typed is lost."""
_COUNTED = ("decimal", "integer", "date")
CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CODE = f"[0-9]{{8}}[{CODE_SIGNS}]{{10}}"
CODE_WEIGHTS = (*(pow(3, place, 31) for place in range(17)), 1)
_CODE = re.compile(CODE)
_WORTH = [{sign: number * weight for number, sign in enumerate(CODE_SIGNS)} for weight in CODE_WEIGHTS]
"""What each sign of a code adds in its place to a sum that 31 divides (GB 32100-2015)."""

_A_PERSON = Title("自然人的证件号码,不予保存", "a natural person's number, which is not kept")
_LONGEST_UNKNOWN = max(map(len, UNKNOWN))
_SIGNS = "0-9A-Za-z\u4e00-\u5c6e\u5c70-\u70ea\u70ec-\u951e\u9520-\u9fa5\u3014\u3015"  # none of _LOST_SIGNS
PLAIN_TEXT = f"[{_SIGNS}][-{_SIGNS}]{{4,199}}"
"""Texts and keys that are read as they stand, but for those that begin as :data:`NOT_PLAIN` does, may hold a
resident's number as :data:`MAYBE_A_PERSON` does, or hold a sign of :data:`MAYBE_MISREAD`: most numbers of
records and documents, and most names."""

_FOOT = "第[ ]*[0-9]+[ ]*页|(?:填表|制表|填报|审核|复核|经办)[ ]*(?:人|单位|日期|时间)"
_TOTAL = "(?:本[页月季年表]|以上)?(?:[合小总共]|累)[ ]*计"
_NO_KEY = re.compile(
    f"({_FOOT}).*|({_TOTAL}(?:金额|[人户件家笔次]?数)?)(?:[^\u4e00-\u9fff].*)?|(备注|说明|注)[:].*"
)
"""What stands at the end of a list or of a page (own choice); a group is the word that says so."""
_ALONE = re.compile(f"{_TOTAL}[:]?")

_NO_KEYS = frozenset({"空", "暂无", "未知", "不详", "未填"})

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = f"(?:[0-9]{{1,2}}月[0-9]{{1,2}}日|[0-9]{{1,2}}-{_MONTH}|{_MONTH}-[0-9]{{2}})"
"""How a spreadsheet writes a number into a text file that it took for a day: of 3-12 it makes 3月12日."""
NOT_PLAIN = f"(?:[0-9][Ee]-|[Uu][Nn][Dd][Ee]|{_DAY}|{_TOTAL}|{_FOOT})"
MAYBE_A_PERSON = "[0-9](?:[-\u3014\u3015]*[0-9]){16}"
_SAME = re.compile(f"(?!{NOT_PLAIN})(?!.*{MAYBE_MISREAD}){PLAIN_TEXT}")

_FOOT_OF_LIST = Fault(
    Title("合计行或页脚,不是编号", "a total, or the foot of a page, not a number"),
    Title("请删去该行", "leave the row out"),
)
EMPTY = Fault(Title("必填项为空", "empty, and required"), Title("请填写", "fill it in"))
FILLER = Fault(
    Title("占位代码,不是真实代码", "a filler, not a code"), Title("请填写真实代码", "the subject's own code")
)
REGISTRATION = Fault(
    Title("是工商注册号,不是统一社会信用代码", "a registration number, not a credit code"),
    Title("请填写18位代码", "the code of 18 characters"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of one column of a file are read.

    :param required: an empty cell is a fault; so it is for keys.
    :param per: what the header multiplies bare numbers by: 10000 for 金额(万元).
    :param replacements: folded words of the file and the text (or None: unknown) that each stands for.
    :param default: the text to read where the cell is empty.
    :param epoch: the day from which the workbook counts its dates.
    :param gravest: codes, of which a cell may name several: the one that stands first here counts.
    :param no_end: days in ISO form that stand for no date.
    """

    column: Column
    required: bool = False
    per: int = 1
    replacements: Mapping[str, str | None] = field(default_factory=dict)
    default: str = ""
    epoch: dt.datetime = WINDOWS_EPOCH
    gravest: Sequence[str] = ()
    no_end: Container[str] = ()


def converter(reading: Reading) -> Convert:
    """A function from a cell to its value: text, integer, boolean, or None where it is unknown.

    Decimals come as text with four decimals (``"12.5000"``) and dates in ISO form. Empty cells and the
    words of :data:`UNKNOWN` are unknown, but only as the whole cell: a name such as 无锡某某公司 stays as it
    is.
    """
    parse = _parser(reading)
    is_text = parse in _TEXTS
    is_plain = is_text and not reading.replacements

    def convert(cell: Cell) -> JsonValue | Fault:
        if is_plain and isinstance(cell, str) and _SAME.fullmatch(cell) and not _holds_person(cell):
            return cell  # as the general way below would give it
        if isinstance(cell, Unreadable):
            return cell.fault
        try:
            return _value(cell, reading, parse)
        except CellError as error:
            if not is_text and isinstance(cell, str) and begins_as_formula(cell):
                return FORMULA
            is_date = isinstance(error, DateError)
            return with_open_end(reading.column, error.fault) if is_date else error.fault

    return convert


def _value(given: Cell, reading: Reading, parse: Callable[[str], JsonValue]) -> JsonValue | Fault:
    cell = given
    if isinstance(cell, float) and isnan(cell):
        cell = None
    if isinstance(cell, Shown) and reading.column.declared in _COUNTED:
        cell = cell.number if reading.column.declared == "date" else cell.amount or cell.number
    if reading.column.declared == "date" and isinstance(cell, int | float) and not isinstance(cell, bool):
        return _unless(from_serial(cell, reading.epoch).isoformat(), reading.no_end)
    if parse in _TEXTS and isinstance(cell, _NO_TEXTS):
        raise CellError(_YES_OR_NO if isinstance(cell, bool) else _MADE_A_DAY, _AS_TEXT)
    if reading.column.declared == "date" and isinstance(cell, Dayless):
        raise CellError(_NO_DAY, _WHOLE_DAY)
    if isinstance(cell, str) and is_formula(cell):
        return FORMULA
    text = undecorated(cell) if isinstance(cell, str) else as_text(cell)
    _check_rounded(given, text)
    _check_text(text)
    if reading.gravest:
        return _gravest(text, reading, parse)
    if reading.replacements:
        text = _replaced(text, reading.replacements)
    if is_unknown(text) and not _is_code(reading.column, text):
        text = reading.default
    value = parse(text) if text else None
    if isinstance(value, str):
        if _holds_person(value):
            raise CellError(_A_PERSON, Title("请删去证件号码", "take the number out"))
        value = _unless(value, reading.no_end)
    if value is None and reading.required:
        return FILLER if text else EMPTY
    return value


_NO_DAY = Title("只有年月,没有日", "a month without its day")
_WHOLE_DAY = Title(
    "请写明到日,如2026-03-15;确为1日的,请将该列设为年月日格式",
    "the day as well, such as 2026-03-15; if it is the first, format the column so that it shows",
)


def _holds_person(text: str) -> bool:
    """Whether a text surely holds a resident's number, of 18 signs at least."""
    return len(text) >= 18 and has_surely(text)


def _unless(value: str, nothing: Container[str]) -> str | None:
    return None if value in nothing else value


def _gravest(text: str, reading: Reading, parse: Callable[[str], JsonValue]) -> JsonValue:
    """The gravest of the codes that a cell names, one or several; None where it names none.

    :raises CellError: naming the word that is none of them, where there are several.
    """
    known = {*_code_words(reading.column), *reading.replacements}
    words = words_of(text, lambda word: is_unknown(word) or fold_word(word) in known)
    said = [word for word in words if not is_unknown(word)]
    codes = {word: _kind(word, reading, parse, is_alone=len(said) == 1) for word in said}
    titled = {code for word, code in codes.items() if not word.isdigit()}
    if titled and not titled.issuperset(codes.values()):
        raise CellError(_NUMBER_OR_CODE, Title("类别只写名称", "the names of the kinds alone"))
    return min({*codes.values()} - {None}, key=lambda code: reading.gravest.index(str(code)), default=None)


_NUMBER_OR_CODE = Title("数字是序号还是代码不清楚", "a digit that may be an ordinal or a code")


def _kind(word: str, reading: Reading, parse: Callable[[str], JsonValue], is_alone: bool) -> JsonValue:
    said = _replaced(word, reading.replacements) or _behind(word, reading)
    try:
        return parse(said) if said else None
    except CellError as error:
        titles = "、".join(reading.column.values[code].zh for code in reading.gravest)
        reason = error.fault.reason
        named = reason if is_alone else Title(f"“{word}”{reason.zh}", f"{word}: {reason.en}")
        raise CellError(named, Title(titles, f"one of {', '.join(reading.gravest)}")) from None


def _behind(word: str, reading: Reading) -> str:
    """The kind that stands behind a word that names none, as in 其他-限制从业; else nothing."""
    bare = fold_word(word)
    begins = (known[:-1] for known, code in reading.replacements.items() if known[-1:] == BEGINS and not code)
    rests = (bare.removeprefix(begin).strip("-\u2014\u2013:()") for begin in begins if bare.startswith(begin))
    return next((rest for rest in rests if rest in _code_words(reading.column)), "")


def is_unknown(text: str) -> bool:
    """Whether a cell says that the value is not known: nothing to see, or a word of :data:`UNKNOWN`."""
    bare = undecorated(text).strip()
    if not bare.isprintable() and is_blank(bare):
        return True
    return len(bare) <= _LONGEST_UNKNOWN and fold_word(bare) in UNKNOWN


def _is_code(column: Column, text: str) -> bool:
    """Whether a word of :data:`UNKNOWN` is one of a column's own."""
    return bool(column.values and text.strip()) and fold_word(text) in _code_words(column)


def _replaced(text: str, replacements: Mapping[str, str | None]) -> str:
    word = fold_word(text)
    if word not in replacements:
        begins = (known for known in replacements if known[-1:] == BEGINS and word.startswith(known[:-1]))
        word = next(begins, word)
    return replacements.get(word, text) or ""


def _check_rounded(cell: Cell, text: str) -> None:
    """Refuse a number whose last digits a spreadsheet has lost, or has not written."""
    number = cell.number if isinstance(cell, Shown) else cell
    bare = text.strip() if text.isascii() else fold(text)
    is_long = isinstance(number, int | float) and (abs(number) >= MOST_PRECISE or _is_cut(number))
    if is_long or _LONG_FLOAT.fullmatch(bare):
        raise CellError(
            Title(
                "超过15位的数字,末尾数字已丢失", "a number of more than 15 digits: its last digits are lost"
            ),
            _AS_TEXT,
        )
    if _EXPONENT.fullmatch(bare):
        raise CellError(
            Title("科学计数法的数字,末尾数字已丢失", "a number with an exponent: its last digits are lost"),
            _AS_TEXT,
        )


def _is_cut(number: float) -> bool:
    """Whether the decimals that a column keeps are more than stand in 15 digits of a number."""
    is_near = MOST_PRECISE > abs(number) >= _WHOLE_DECIMALS
    return is_near and abs(Decimal(number) - Decimal(as_text(number))) >= _LAST_DECIMAL / 2


_A_DAY = re.compile(_DAY)
_MADE_A_DAY = Title("表格软件已把它变成日期或时间", "the spreadsheet has made a day or a time of it")
_YES_OR_NO = Title("表格软件已把它变成逻辑值", "the spreadsheet has made TRUE or FALSE of it")
_AS_TEXT = Title(
    "请将该列设为文本格式后重新录入或导出", "format the column as text, and type or export its values again"
)


def _check_text(text: str) -> None:
    if (said := meant(text)) is not None:
        raise CellError(
            Title(f"是乱码,像是“{said}”", f"was read in a wrong encoding on the way, and may say {said}"),
            Title("请从原系统重新导出,或改正", "export it from its source again, or mend it"),
        )
    if any(sign in text for sign in _LOST_SIGNS):
        raise CellError(
            Title("含有乱码,原来的字已丢失", "holds signs for characters that were lost on the way"),
            Title("请从原系统重新导出", "export it from its source again"),
        )
    if (unread := still_to_mend(text)) is not None:
        raise CellError(unread.reason, unread.hint)
    if text.isprintable() and len(text) <= LONGEST_TEXT and "#" not in text and "\u27e8" not in text:
        return
    if _TOO_NARROW.fullmatch(text):
        raise CellError(
            Title("列宽不足,只显示为####", "####, as a spreadsheet shows in a column that is too narrow"),
            Title("请加宽该列后重新导出", "widen the column, and export its values again"),
        )
    if text.strip() in SPREADSHEET_ERRORS:
        raise CellError(
            Title("表格公式出错", "an error value of the spreadsheet"),
            Title("请改正公式或直接填写数值", "mend the formula, or type the value"),
        )
    if len(text) > LONGEST_TEXT:
        raise CellError(
            Title(f"超过{LONGEST_TEXT}个字", f"longer than {LONGEST_TEXT} characters"),
            Title("请核对引号和分隔符", "check quotes and delimiters"),
        )
    if found := _CONTROL.search(text):
        sign = mark(found[0])
        raise CellError(
            Title(f"含有控制字符{sign}", f"holds a control character {sign}"),
            Title("请重新录入", "type the value again"),
        )


_CONTROL = re.compile("[\0-\x08\v\f\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|⟨U\\+[0-9A-F]{4,6}⟩")
"""Controls but for tab and line ends, halves of characters and what is none; and the marks by which they, and
others that nobody sees, are shown."""


def _parser(reading: Reading) -> Callable[[str], JsonValue]:
    """How a text that is not empty becomes a value of the column's type."""
    column = reading.column
    if column.values:
        return _code_parser(column)
    match column.declared:
        case "decimal":
            return lambda text: str(parse_decimal(fold(text), reading.per))
        case "integer":
            return lambda text: parse_integer(fold(text), reading.per)
        case "date":
            return partial(_iso_date, column)
        case "boolean":
            return _boolean
        case _ if column.format == "uscc":
            return lambda text: parse_uscc(text, column.lawful, column.fillers)
        case _ if reading.required:
            return parse_key
        case _:
            return _sought if column.name in SOUGHT else fold_text


def _sought(text: str) -> str:
    found = fold_name(text)
    if len(found) > LONGEST_KEY:
        raise CellError(
            Title(f"超过{LONGEST_KEY}个字", f"longer than {LONGEST_KEY} characters"),
            Title("请核对引号和分隔符", "check quotes and delimiters"),
        )
    return found


def _iso_date(column: Column, text: str) -> str | None:
    if is_end(column) and is_open_end(text):
        return None if open_is_none(column) else FOREVER.isoformat()
    return parse_date(fold(text)).isoformat()


def is_open_end(cell: Cell) -> bool:
    """Whether a cell says that there is no end, which is more than that none is known."""
    return isinstance(cell, str) and fold_word(undecorated(cell)) in OPEN_END


def is_end(column: Column) -> bool:
    """Whether a column holds the day on which something ends, which may lie ahead as far as one likes."""
    possible = column.possible
    may_end = possible.not_before is not None or FOREVER in possible.also
    return column.declared == "date" and possible.days_ahead is None and may_end


def open_is_none(column: Column) -> bool:
    """Whether a column of ends is empty where there is no end; else it is :data:`FOREVER`.

    Own choice: what begins on another day of its row goes on where no end is known. Of any other end, such as
    that of a consent, an empty cell says that there is nothing that could end.
    """
    return is_end(column) and column.possible.not_before is not None


def with_open_end(column: Column, fault: Fault) -> Fault:
    """The fault of a date; of an end it also tells how to say that there is none."""
    if not is_end(column):
        return fault
    day = FOREVER.isoformat() if FOREVER in column.possible.also else ""
    zh, en = (f"或{day}", f" or {day}") if day else ("", "")
    told = f"{fault.hint.zh};没有终止期限的填“长期”{zh}", f"{fault.hint.en}; for no end 长期{en}"
    return replace(fault, hint=Title(*told))


def _boolean(text: str) -> bool:
    found = BOOLEANS.get(fold_word(text))
    if found is None:
        raise CellError(
            Title("不是是或否", "neither yes nor no"), Title("是或否", "是 or 否, true or false, 1 or 0")
        )
    return found


def no_key(text: str) -> Fault | None:
    """Why a text, folded, is no key nor a part of one: it is a word for nothing, a total or a foot."""
    if text in _NO_KEYS:
        return EMPTY
    return _FOOT_OF_LIST if foot_of(text) else None


def foot_of(text: str) -> str:
    """The word by which a text is a total or the foot of a page, without the names behind; else empty.

    >>> [foot_of(text) for text in ("合 计：3件", "本页小计", "填表人：某某", "总计划有限公司")]
    ['合 计', '本页小计', '填表人', '']
    """
    found = _NO_KEY.fullmatch(fold(text))
    return found[found.lastindex or 0] if found else ""


def is_total(text: str) -> bool:
    """Whether a text is the word for a total, and nothing else."""
    return _ALONE.fullmatch(fold(text)) is not None


def parse_key(text: str) -> str:
    """A key in its one spelling. What can be kept can be asked for: it has a place in an address.

    :raises CellError: where it is a word for nothing, a total or a foot, a day that a spreadsheet made of it,
        too long, holds what nobody sees, or what an address takes for its own.
    """
    key = fold(undecorated(fold(text)))
    if (fault := no_key(key)) is not None:
        raise CellError(fault.reason, fault.hint)
    if _A_DAY.fullmatch(key):
        raise CellError(_MADE_A_DAY, _AS_TEXT)
    if len(key) > LONGEST_KEY:
        raise CellError(
            Title(f"编号超过{LONGEST_KEY}个字", f"a number of more than {LONGEST_KEY} characters"),
            Title("请核对是否误填了其他内容", "check that it is a number, not a text"),
        )
    if not key.isprintable():
        raise CellError(
            Title("编号含有换行或看不见的字符", "a number with a line break or a character that nobody sees"),
            Title("请重新录入", "type it again"),
        )
    parts = key.split("/")
    if not STEPS.isdisjoint(parts) or (len(parts) > 1 and parts[-1] in ADDRESS_WORDS):
        raise CellError(
            Title("编号不能作为网址的一部分", "a number that can't stand in an address"),
            Title(
                "斜杠之间不能是“.”或“..”,末段不能是grade等网址用词",
                "no '.' or '..' between slashes, and not one of the service's own words, such as grade, last",
            ),
        )
    return key


_TEXTS = (parse_key, fold_text, _sought)
"""What reads a column of texts."""


def parse_uscc(text: str, lawful: Sequence[str] = (), fillers: Container[str] = ()) -> str | None:
    """A unified social credit code, upper case and without spaces and hyphens, with a right check character.

    Source of the form: GB 32100-2015.

    :param lawful: patterns of codes that are in use although they break the form; ``?`` is any character.
    :param fillers: codes that stand for one that is not known: None.
    :raises CellError: naming the check character that would be right where it alone is wrong.
    """
    code = fold(text).upper()
    if not _CODE.fullmatch(code):
        code = uscc.compact(code)
    if code in fillers:
        return None
    if is_right(code) and not (code[:17].isdigit() and has_person(code)):
        return code
    if any(_has_form(code, pattern) for pattern in lawful):
        return code
    if has_person(code):
        raise CellError(
            _A_PERSON,
            Title("自然人不在评价范围内，请删去该行", "natural persons are not graded; take the row out"),
        )
    try:
        return str(uscc.validate(code))
    except InvalidChecksum:
        right = uscc.calc_check_digit(code[:-1])
        raise CellError(
            Title(f"校验码错误,应为{right}", f"wrong check character, {right} expected"),
            Title("请核对18位代码", "compare all 18 characters with the licence"),
        ) from None
    except InvalidLength:
        raise CellError(
            Title(
                f"统一社会信用代码应为18位,现为{len(code)}位", f"{len(code)} characters, a credit code has 18"
            ),
            Title("请填写完整代码,单元格设为文本格式", "the whole code, in a cell formatted as text"),
        ) from None
    except (InvalidFormat, ValidationError):
        raise CellError(
            Title("统一社会信用代码格式错误", "not the form of a credit code"),
            Title("前8位为数字,不含I、O、S、V、Z", "8 digits first; the letters I, O, S, V, Z are not used"),
        ) from None


def is_right(code: str) -> bool:
    """Whether a code has the form of GB 32100-2015 and the check character that its others give."""
    return bool(_CODE.fullmatch(code)) and sum(map(dict.__getitem__, _WORTH, code)) % 31 == 0


def _has_form(code: str, pattern: str) -> bool:
    return len(code) == len(pattern) and all(
        c == p or (p == "?" and c in CODE_SIGNS) for c, p in zip(code, pattern, strict=True)
    )


def _code_words(column: Column) -> dict[str, str]:
    """The words that stand for a column's codes."""
    values = column.values.items()
    return (
        {fold_word(word): code for word, code in column.spellings.items()}
        | {fold_word(title.en): code for code, title in values}
        | {fold_word(title.zh): code for code, title in values}
        | {fold_word(code): code for code in column.values}
    )


def _code_parser(column: Column) -> Callable[[str], JsonValue]:
    """Codes by their code, Chinese or English title, or another spelling."""
    words = _code_words(column)
    titles = [title.zh for title in column.values.values()]

    def parse(text: str) -> str:
        found = words.get(fold_word(text))
        if found is None:
            close = get_close_matches(fold(text)[:40], titles, n=1)
            right = f"是否为“{close[0]}”" if close else "、".join(titles)
            codes = next((c for c, t in column.values.items() if close and t.zh == close[0]), None)
            raise CellError(
                Title("不在代码表中", "not among the listed values"),
                Title(right, f"perhaps {codes}" if codes else "one of " + ", ".join(column.values)),
            )
        return found

    return parse
