"""Which rows there can be: what a row must say to count at all, and what its values can't be together.

One function for every way in: files, the API, and scoring from file to file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain

from rules.model import EARLIEST, LATEST, Column, Kind, Possible, Table, Title, Vocabulary
from scoring.facts.ingest.cells import with_open_end
from scoring.facts.ingest.dates import FILLERS, no_date
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import document
from scoring.facts.merging import AUTHORITY, Judge, Objection, SameBody, Values, is_same

Columns = tuple[str, ...]
Value = str | int | bool | None
_NOTHING = Kind((), {})
_FILL_IN = Title("请填写", "fill it in")
_ANOTHER = Fault(
    Title("编号属于其他单位对其他主体的记录", "the number of another authority's record, of another subject"),
    Title(
        "请核对;各单位编号相同时请在编号前加单位",
        "check it; where authorities number alike, put theirs before it",
    ),
)
_OTHER_MATTER = Fault(
    Title(
        "编号已用于另一件事:主体、类别、日期、文书号不止一项不同",
        "the number of another matter: more than one of subject, kind, day and document differ",
    ),
    Title(
        "另一件事请另编号;确属更正的,先报原编号已撤销,再用新编号报送",
        "a number of its own; if it is a correction, report the old one as revoked, this under a new number",
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a value of a row, or odd about it.

    :param column: its name in the vocabulary.
    :param odd: possible after all: the row is taken, and a warning given.
    :param lacking: the row does not say what every row needs; what is known of its key may.
    """

    column: str
    fault: Fault
    odd: bool = False
    lacking: bool = False


class RowCheck:
    """A function from a row to everything that keeps it from counting, or makes it doubtful.

    It is made of parts, each of which looks at a few columns alone. So of many rows only the values that
    stand together somewhere need to be looked at, once each (:meth:`says`).

    :ivar reads: the sets of columns that parts look at.
    """

    def __init__(self, table: Table, day: dt.date) -> None:
        self._kind = table.kind
        self._by_kind = {code: _parts(table, kind, day) for code, kind in table.kinds.items()}
        self._otherwise = _parts(table, _NOTHING, day)
        parts = chain(self._otherwise, *self._by_kind.values())
        self.reads = tuple(dict.fromkeys(part.reads for part in parts))

    def __call__(self, values: Values) -> list[Finding]:
        return [finding for part in self._parts(values) for finding in part.check(values)]

    def says(self, reads: Columns, values: Sequence[Value]) -> bool:
        """Whether the parts that look at some columns find anything in a row with these values in them."""
        row = dict(zip(reads, values, strict=True))
        return any(True for part in self._parts(row) if part.reads == reads for _ in part.check(row))

    def _parts(self, values: Values) -> Sequence[_Part]:
        kind = values.get(self._kind) if self._kind else None
        return self._by_kind.get(str(kind), self._otherwise)


def row_check(table: Table, day: dt.date) -> RowCheck:
    """What keeps a row of a table from counting, or makes it doubtful.

    :param day: the day on which the rows come; dates may lie so far after it as the vocabulary says.
    """
    return RowCheck(table, day)


def merge_check(
    check: RowCheck,
    header: Callable[[str], str],
    vocabulary: Vocabulary,
    table: Table,
    same_body: SameBody,
    number: Sequence[str] = (),
) -> Judge:
    """A function from what is known, and what it would become, to what must keep it from becoming so.

    What was impossible before the row came is not the row's fault; but what is lacking still must be said. A
    number under which another authority speaks of another subject is that of another record; and so it is
    under its own authority where more is other than a correction changes: of subject, kind, day and document
    number it changes one (own choice).

    :param header: what a column is called where the row comes from.
    :param table: of the vocabulary, whose rows these are.
    :param same_body: whether two names are one authority's, who goes by several.
    :param number: the columns of which a form makes the number of a record that has none.
    """
    link, names = vocabulary.record_subject, (vocabulary.record_subject, table.kind, vocabulary.record_date)
    identity = [*filter(None, names), _DOCUMENT] if table is vocabulary.records else []

    def judge(known: Values, merged: Values) -> list[Objection]:
        other = [name for name in identity if _differs(known, merged, name)]
        is_anothers = link in other and _differs(known, merged, AUTHORITY)
        if is_anothers and not same_body(str(known[AUTHORITY]), str(merged[AUTHORITY])):
            return [(header(link), str(merged[link]), str(_ANOTHER))]
        if len(other) > 1:
            fault = _other_decision(header, number) if _is_made(merged, table, number) else _OTHER_MATTER
            return [(header(table.key), str(merged[table.key]), str(fault))]
        found = [finding for finding in check(merged) if not finding.odd]
        before = check(known) if found else []
        return [
            (header(finding.column), str(merged.get(finding.column) or ""), str(finding.fault))
            for finding in found
            if finding.lacking or finding not in before
        ]

    return judge


_DOCUMENT = "document_no"


def _is_made(merged: Values, table: Table, number: Sequence[str]) -> bool:
    """Whether a record's number is what others of its columns say, one after another."""
    said = " ".join(document(str(merged.get(name) or "")) for name in number)
    return bool(number) and merged[table.key] == said


def _other_decision(header: Callable[[str], str], number: Sequence[str]) -> Fault:
    """A number of its own can't be given where the form makes it."""
    headers = [header(name) for name in number]
    zh = f"核对{'、'.join(headers)},两者相同即为同一决定;确属更正的,请信用中心先撤销原记录"
    en = f"check {' and '.join(headers)}: with both the same it is one decision"
    return replace(
        _OTHER_MATTER,
        hint=Title(zh, f"{en}; if it is a correction, have the credit centre revoke the old one first"),
    )


def _differs(known: Values, merged: Values, name: str) -> bool:
    before, now = known.get(name), merged.get(name)
    return None not in (before, now) and not is_same(name, before, now)


@dataclass(frozen=True, slots=True)
class _Part:
    """One check of a row.

    :param reads: all the columns that it looks at; the kind where it is of some kinds alone.
    """

    reads: Columns
    check: Callable[[Values], Iterator[Finding]]


def _parts(table: Table, kind: Kind, day: dt.date) -> list[_Part]:
    of_kind = (table.kind,) if table.kind else ()
    parts = [_needed(table, name, (name,)) for name in table.needs]
    parts += [_needed(table, name, (*of_kind, name)) for name in kind.needs if name not in table.needs]
    parts += [_listed(table.columns[name], codes, of_kind) for name, codes in kind.values.items()]
    for column in table.columns.values():
        possible = column.possible
        if column.declared == "date":
            parts.append(_believed(column, is_needed=column.name in (*table.needs, *kind.needs)))
        if possible.least is not None or possible.most is not None:
            parts.append(_in_range(column))
        earlier = table.columns.get(possible.not_before or "")
        if earlier is not None:
            parts.append(_in_order(earlier, column))
        if possible.days_ahead is not None:
            parts.append(_not_ahead(column, day, possible.days_ahead))
    return parts


def _needed(table: Table, name: str, reads: Columns) -> _Part:
    title = table.columns[name].title
    reason = Title(f"缺少{title.zh},记录无法计入", f"without its {name} the row could never count")
    fault = Fault(reason, _FILL_IN)

    def check(values: Values) -> Iterator[Finding]:
        if values.get(name) is None:
            yield Finding(name, fault, lacking=True)

    return _Part(reads, check)


def undecided(column: Column, other: Column, header: str, codes: Sequence[str]) -> Fault:
    """Why a row without a column can't count, where the law would have said it by another one.

    :param other: the column that the row leaves empty as well.
    :param header: what it is called where the row comes from.
    :param codes: of it, by which the law would have said the first one.
    """
    words = "、".join(other.values[code].zh for code in codes)
    classes = "、".join(title.zh for title in column.values.values())
    return Fault(
        Title(
            f"缺少{column.title.zh},“{header}”又没有写明可据以认定的种类,记录无法计入",
            f"without its {column.name} the row could never count, and {header} names nothing to tell it by",
        ),
        Title(
            f"请在“{header}”写明{words}中的一种;都不是的,在“{column.title.zh}”列写明{classes},没有该列的请增加",
            f"one of {', '.join(codes)}; else the {column.name}, in a column of its own: "
            f"{', '.join(column.values)}",
        ),
    )


def _listed(column: Column, codes: tuple[str, ...], of_kind: Columns) -> _Part:
    allowed = frozenset(codes)
    right = [column.values[code].zh for code in codes]
    hint = Title(
        "、".join(right) if right else "请留空", f"one of {', '.join(codes)}" if codes else "leave it empty"
    )
    fault = Fault(Title("与信息类别不符", "not a value of this kind of record"), hint)

    def check(values: Values) -> Iterator[Finding]:
        value = values.get(column.name)
        if value is not None and value not in allowed:
            yield Finding(column.name, fault)

    return _Part((*of_kind, column.name), check)


def _in_range(column: Column) -> _Part:
    least, most = column.possible.least, column.possible.most
    bounds = [f"{sign} {bound:f}" for sign, bound in (("≥", least), ("≤", most)) if bound is not None]
    right = " , ".join(bounds)
    fault = Fault(Title("数值不可能", "not a possible number"), Title(f"应{right}", right))

    def check(values: Values) -> Iterator[Finding]:
        value = values.get(column.name)
        if value is None:
            return
        number = Decimal(value)
        if (least is not None and number < least) or (most is not None and number > most):
            yield Finding(column.name, fault)

    return _Part((column.name,), check)


def _believed(column: Column, is_needed: bool) -> _Part:
    first, last = _bounds(column.possible)
    also = "".join(f",或为{day}" for day in column.possible.also)
    also_en = "".join(f", or {day}" for day in column.possible.also)
    impossible = Title("日期不可能", "not a possible date")
    empty = (
        Title("", "") if is_needed else Title(";没有日期请留空", "; leave the cell empty if there is no date")
    )
    between = Title(f"应在{first}至{last}之间{also}{empty.zh}", f"{first} to {last}{also_en}{empty.en}")
    real = Title(f"请填写真实日期{empty.zh}", f"the real date{empty.en}")

    def check(values: Values) -> Iterator[Finding]:
        value = values.get(column.name)
        if value is None:
            return
        day = str(value)
        if _is_filler(column, day):
            yield Finding(column.name, with_open_end(column, Fault(no_date(day), real)))
        elif not (first <= day <= last or _is_stated(column, day)):
            yield Finding(column.name, with_open_end(column, Fault(impossible, between)))

    return _Part((column.name,), check)


def _bounds(possible: Possible) -> tuple[str, str]:
    """The first and the last day; none to come is too late where another check says how far it may be."""
    last = possible.latest or (LATEST if possible.days_ahead is None else dt.date.max)
    return (possible.earliest or EARLIEST).isoformat(), last.isoformat()


def _is_stated(column: Column, day: str) -> bool:
    return any(day == also.isoformat() for also in column.possible.also)


def _is_filler(column: Column, day: str) -> bool:
    return day in FILLERS and not _is_stated(column, day)


def _in_order(earlier: Column, column: Column) -> _Part:
    def check(values: Values) -> Iterator[Finding]:
        first, then = values.get(earlier.name), values.get(column.name)
        if first is None or then is None or str(then) >= str(first):
            return
        if not _is_filler(earlier, str(first)) and not _is_filler(column, str(then)):
            yield Finding(column.name, before(earlier, str(first)))

    return _Part((earlier.name, column.name), check)


def before(earlier: Column, first: str) -> Fault:
    """The fault of a date that comes before another one."""
    return Fault(
        Title(f"早于{earlier.title.zh}{first}", f"before {earlier.name}, {first}"),
        Title("请核对两个日期", "compare the two dates"),
    )


def _not_ahead(column: Column, day: dt.date, days: int) -> _Part:
    end = min(day.toordinal() + days, dt.date.max.toordinal())
    now, last = day.isoformat(), dt.date.fromordinal(end).isoformat()
    far = Fault(
        Title(f"日期在{days}天以后,尚未发生", f"more than {days} days ahead"),
        Title("请核对年份", "check the year"),
    )
    near = Fault(Title("日期在将来", "a date in the future"), Title("请核对日期", "check the date"))

    def check(values: Values) -> Iterator[Finding]:
        value = str(values.get(column.name) or "")
        if value > now and not _is_filler(column, value):
            yield Finding(column.name, near, odd=True) if value <= last else Finding(column.name, far)

    return _Part((column.name,), check)
