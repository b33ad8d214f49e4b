"""A scorecard in a spreadsheet: a row for each bin of each variable, and its points.

What bins are written with: intervals (``[30,40)``), comparisons, lists, and the words of numbers that the law
defines: Civil Code of the PRC, Art. 1259 (in force since 2021-01-01): 以上, 以下 and 以内 include the number,
不满 and 超过 do not.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath

from rules.fault import WHOLE, Fault, PackError, Place
from rules.language.expressions import Value
from rules.language.parse import ConditionError
from rules.model import Vocabulary
from rules.titles import Title
from rules.tools.exchange.draft import (
    Column,
    Draft,
    Input,
    NotTakenError,
    Row,
    Table,
    points_in,
    require_apart,
)
from rules.tools.exchange.matches import (
    HIGHEST,
    LOWEST,
    Asked,
    Cut,
    Kind,
    Match,
    Ordered,
    compared,
    one_value,
)

_HEADERS: Mapping[str, frozenset[str]] = {
    "variable": frozenset(
        {"变量", "变量名", "指标", "指标名称", "特征", "variable", "characteristic", "feature"}
    ),
    "bin": frozenset({"分箱", "区间", "取值", "取值范围", "条件", "bin", "bins", "range", "attribute"}),
    "points": frozenset({"分值", "得分", "分数", "points", "score", "partial score"}),
    "note": frozenset({"说明", "备注", "理由", "原因", "note", "reason", "reason code"}),
}
_START = frozenset({"基础分", "基准分", "起始分", "初始分", "basepoints", "base points", "base score"})
_OTHER = frozenset({"其他", "其它", "其余", "other", "others", "else", "-"})
_UNKNOWN = frozenset({"缺失", "缺失值", "空值", "missing", "null", "nan", "n/a"})
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
_END = rf"({_NUMBER}|\d{{4}}-\d\d-\d\d|[-+]?(?:inf|∞))"
_INTERVAL = re.compile(rf"([\[\](])\s*{_END}\s*(?:,|~|;|\.\.)\s*{_END}\s*([\])\[])")
_COMPARED = re.compile(rf"(<=|>=|<|>|不满|超过)\s*{_END}")
_BY_LAW = re.compile(rf"{_END}\s*及?(以上|以下|以内)(?:\(含\))?")
_OPEN = re.compile(rf"{_END}\s*(?:-|~|至|到|—|–)\s*{_END}.*")
_BETWEEN = re.compile(r"%,%|[、,;|]")
_SIGNS = {"不满": "<", "超过": ">", "以上": ">=", "以下": "<=", "以内": "<="}
_WRITTEN = str.maketrans({"≥": ">=", "≤": "<=", "＜": "<", "＞": ">", "−": "-"})
_HINT = "[30,40), >= 30, 30, A、B, 缺失 or 其他"

Line = tuple[int, Sequence[str]]
"""The number of a row, and what its cells show."""


@dataclass(frozen=True, slots=True)
class _Bin:
    """A row of the sheet.

    :param words: values that it lists; of what type is known once all bins of the variable are.
    """

    place: Place
    name: str
    text: str
    asked: Asked
    words: tuple[str, ...]
    points: Decimal
    note: str


def read_scorecard(
    sheets: Mapping[str, Sequence[Line]], file: str, vocabulary: Vocabulary | None = None
) -> Draft:
    """What the scorecards in a workbook say.

    :param sheets: the rows of each sheet, by its name.
    :param vocabulary: the shared one whose attributes it asks of; None: the pack brings its own.
    :raises PackError: where none has the three columns.

    >>> lines = [(1, ["变量", "分箱", "分值"]), (2, ["年限", "<3", "5"]), (3, ["年限", ">=3", "10"])]
    >>> [table.title.zh for table in read_scorecard({"评分卡": lines}, "card.xlsx").tables]
    ['年限']
    """
    draft = Draft(PurePath(file).stem, Place(file, 1, 1), vocabulary)
    variables: dict[str, list[_Bin]] = {}
    found = False
    for name, lines in sheets.items():
        for at, line in enumerate(lines):
            columns = _columns(line[1])
            if {"variable", "bin", "points"} <= columns.keys():
                found = True
                _read_lines(draft, name, columns, lines[at + 1 :], variables)
                break
    if not found:
        message, hint = "no sheet of a scorecard", "a row with 变量, 分箱 and 分值 above the bins"
        raise PackError([Fault(draft.place, WHOLE, "", message, hint)])
    for name, bins in variables.items():
        with draft.taking():
            draft.tables.append(_table(draft, name, bins))
    return draft


def _columns(cells: Sequence[str]) -> dict[str, int]:
    """Where which column of a scorecard stands, if this is the row of their headers."""
    folded = [_folded(cell).casefold() for cell in cells]
    return {
        name: next(place for place, cell in enumerate(folded) if cell in words)
        for name, words in _HEADERS.items()
        if words & set(folded)
    }


def _read_lines(
    draft: Draft, sheet: str, columns: Mapping[str, int], lines: Sequence[Line], into: dict[str, list[_Bin]]
) -> None:
    for number, cells in lines:
        read = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
        if not any(read.values()):
            continue
        places = {name: Place(draft.place.file, number, at + 1) for name, at in columns.items()}
        name = f"{sheet} {read['variable']} {read['bin']}".strip()
        with draft.taking():
            try:
                points = points_in(unicodedata.normalize("NFKC", read["points"]))
            except ConditionError as error:
                raise NotTakenError(
                    places["points"], name, read["points"], error.message, error.hint
                ) from None
            if _folded(read["variable"]).casefold() in _START:
                draft.start += points
                continue
            if not read["variable"]:
                raise NotTakenError(places["variable"], name, "", "no variable", "its name in every row")
            try:
                asked, words = _read_bin(read["bin"])
            except ConditionError as error:
                raise NotTakenError(places["bin"], name, read["bin"], error.message, error.hint) from None
            made = _Bin(places["bin"], name, read["bin"], asked, words, points, read.get("note", ""))
            into.setdefault(read["variable"], []).append(made)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_WRITTEN)).strip()


def _read_bin(text: str) -> tuple[Asked, tuple[str, ...]]:
    """What a bin asks, as far as that is known without its variable's type, and the words that it lists.

    :raises ConditionError: on what can be read in two ways, or in none.
    """
    folded = _folded(text)
    word = folded.casefold()
    if word in _OTHER:
        return None, ()
    if word in _UNKNOWN:
        return Match(unknown=True), ()
    if found := _INTERVAL.fullmatch(word):
        low, high = _cut(found[2], found[1] != "["), _cut(found[3], found[4] == "]")
        if (type(low[1]) is not type(high[1]) and low > LOWEST and high < HIGHEST) or low >= high:
            raise ConditionError("an empty range", "[70,90), with the smaller end first")
        return Match(spans=((low, high),)), ()
    if found := _COMPARED.fullmatch(word):
        return compared(_SIGNS.get(found[1], found[1]), _ordered(found[2])), ()
    if found := _BY_LAW.fullmatch(word):
        return compared(_SIGNS[found[2]], _ordered(found[1])), ()
    if _OPEN.fullmatch(word) and _value(word) is None:
        raise ConditionError("a range that does not say whether its ends belong to it", "[30,40) or (30,40]")
    words = tuple(part.strip() for part in _BETWEEN.split(folded))
    if not all(words) or re.search(r"[<>=\[\]∞]", folded):
        raise ConditionError("not a bin", _HINT)
    return Match(), words


def _cut(text: str, after: bool) -> Cut:
    if text.endswith(("inf", "∞")):
        return LOWEST if text.startswith("-") else HIGHEST
    return 0, _ordered(text), int(after)


def _ordered(text: str) -> Ordered:
    found = _value(text)
    if found is None:
        raise ConditionError("not a bin", _HINT)
    return found


def _value(text: str) -> Ordered | None:
    """A number or a date; None of another text."""
    if re.fullmatch(_NUMBER, text):
        return Decimal(text)
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _table(draft: Draft, name: str, bins: Sequence[_Bin]) -> Table:
    column = draft.column(name, Title(name, name), _kind(bins), (), bins[0].place)
    rows = [_row(one, column) for one in bins]
    others = [row for row in rows if row.asked == (None,)]
    require_apart([row for row in rows if row not in others])
    if others and others != rows[-1:]:
        why = "a bin that takes all that is left, and is not the last"
        raise NotTakenError(
            others[0].place, others[0].name, "", why, "one such bin, the last of its variable"
        )
    hit = "first" if others else "unique"
    return Table(draft.table_id(name), column.title, (Input(column),), hit, tuple(rows), bins[0].place)


def _kind(bins: Sequence[_Bin]) -> Kind:
    """Of what type a variable is: of the one that all its bins have."""
    ends = [
        cut[1]
        for one in bins
        for span in (one.asked.spans if one.asked else ())
        for cut in span
        if cut not in (LOWEST, HIGHEST)
    ]
    values = [*ends, *(_value(word) for one in bins for word in one.words)]
    types = {type(value) for value in values}
    if types == {Decimal}:
        return "decimal"
    return "date" if types == {dt.date} else "text"


def _row(one: _Bin, column: Column) -> Row:
    asked, kind = one.asked, column.kind
    if asked is not None and asked.spans and kind == "text":
        raise NotTakenError(
            one.place, one.name, one.text, "a range beside other values", "numbers or dates alone"
        )
    for word in one.words:
        value = _said(one, word, column) if kind == "text" else _value(word)
        assert value is not None, "all words are values of the type"
        asked = (asked or Match()) | one_value(value)
    note = Title(one.note, one.note) if one.note else None
    return Row((asked,), one.points, one.place, one.name, note=note)


def _said(one: _Bin, word: str, column: Column) -> Value:
    try:
        return column.code(word)
    except ConditionError as error:
        raise NotTakenError(one.place, one.name, word, error.message, error.hint) from None
