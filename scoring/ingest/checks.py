"""Which rows there can be: what a row must say to count at all, and what its values can't be together.

One function for every way in: files, the API, and scoring from file to file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from rules.model import Column, Kind, Table, Title
from scoring.ingest.errors import Fault
from scoring.store.merging import Judge, Objection, Values

_NOTHING = Kind((), {})
_FILL_IN = Title("请填写", "fill it in")


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


RowCheck = Callable[[Values], list[Finding]]


def row_check(table: Table, day: dt.date) -> RowCheck:
    """A function from a row to everything that keeps it from counting, or makes it doubtful.

    :param day: the day on which the rows come; dates may lie so far after it as the vocabulary says.
    """
    by_kind = {code: _parts(table, kind, day) for code, kind in table.kinds.items()}
    otherwise = _parts(table, _NOTHING, day)

    def check(values: Values) -> list[Finding]:
        kind = values.get(table.kind) if table.kind else None
        found: list[Finding] = []
        for part in by_kind.get(str(kind), otherwise):
            found += part(values)
        return found

    return check


def merge_check(check: RowCheck, header: Callable[[str], str]) -> Judge:
    """A function from what is known, and what it would become, to what must keep it from becoming so.

    What was impossible before the row came is not the row's fault; but what is lacking still must be said.

    :param header: what a column is called where the row comes from.
    """

    def judge(known: Values, merged: Values) -> list[Objection]:
        found = [finding for finding in check(merged) if not finding.odd]
        before = check(known) if found else []
        return [
            (header(finding.column), str(merged.get(finding.column) or ""), str(finding.fault))
            for finding in found
            if finding.lacking or finding not in before
        ]

    return judge


_Part = Callable[[Values], Iterator[Finding]]


def _parts(table: Table, kind: Kind, day: dt.date) -> list[_Part]:
    parts = [_needed(table, (*table.needs, *kind.needs))]
    parts += [_listed(table.columns[name], codes) for name, codes in kind.values.items()]
    for column in table.columns.values():
        possible = column.possible
        if possible.least is not None or possible.most is not None:
            parts.append(_in_range(column))
        earlier = table.columns.get(possible.not_before or "")
        if earlier is not None:
            parts.append(_in_order(earlier, column))
        if possible.days_ahead is not None:
            parts.append(_not_ahead(column, day, possible.days_ahead))
    return parts


def lacks(table: Table) -> Iterator[tuple[str | None, str, Fault]]:
    """Every kind (None: all), a column that its rows need, and what is wrong without it."""
    for name in table.needs:
        yield None, name, _lack(table, name)
    for code, kind in table.kinds.items():
        for name in kind.needs:
            yield code, name, _lack(table, name)


def _lack(table: Table, name: str) -> Fault:
    title = table.columns[name].title
    reason = Title(f"缺少{title.zh},记录无法计入", f"without its {name} the row could never count")
    return Fault(reason, _FILL_IN)


def _needed(table: Table, names: tuple[str, ...]) -> _Part:
    faults = {name: _lack(table, name) for name in names}

    def check(values: Values) -> Iterator[Finding]:
        for name, fault in faults.items():
            if values.get(name) is None:
                yield Finding(name, fault, lacking=True)

    return check


def _listed(column: Column, codes: tuple[str, ...]) -> _Part:
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

    return check


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

    return check


def _in_order(earlier: Column, column: Column) -> _Part:
    def check(values: Values) -> Iterator[Finding]:
        first, then = values.get(earlier.name), values.get(column.name)
        if first is not None and then is not None and str(then) < str(first):
            yield Finding(column.name, before(earlier, str(first)))

    return check


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
        if value > now:
            yield Finding(column.name, near, odd=True) if value <= last else Finding(column.name, far)

    return check
