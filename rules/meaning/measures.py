"""Measures: values derived from a subject's records, and values made of such values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Any

from rules.language.expressions import (
    COUNT,
    TOTAL,
    Expression,
    Kind,
    Level,
    Name,
    Type,
    names,
    reads_as_of,
)
from rules.meaning.context import Context
from rules.meaning.decisions import Undecided
from rules.meaning.windows import record_window
from rules.model import ALWAYS, DERIVED, OVER_GROUP, Aggregate, Measure, When
from rules.text.source import Path

_MOST_RATIO_DIGITS = 30
"""Before the point: a quotient's part, in units of its eighth decimal, has at most 38 digits."""
PERCENT = replace(TOTAL, whole=3)
"""From 0 to 100."""

_ADDS_UP = (
    f"a number of at most {TOTAL.whole} digits before the point and 4 after it: round(amount * share, 4)"
)


def build_measures(
    context: Context, data: Mapping[str, Mapping[str, Any]], undecided: Mapping[str, Undecided]
) -> tuple[Measure, ...]:
    """All measures, those first that others are made of.

    :param undecided: the tables that give values, by id.
    """
    built: dict[str, Measure] = {}
    paths: dict[str, Path] = {name: ("measures", name, "?") for name in data}
    paths |= {name: (*table.path, "id") for name, table in undecided.items()}
    for name, path in paths.items():
        if name in context.records or name in context.attributes:
            context.faulty.add(name)
            context.report(path, name, "already a column's name", "a name of its own")
        elif name in data and name in undecided:
            context.report(path, name, "already a measure's name", "a name of its own")
    mentioned = {name: _mentioned(entry) for name, entry in data.items()}
    mentioned |= {name: table.mentioned for name, table in undecided.items()}
    for name in _in_order(context, mentioned, paths):
        if name in undecided:
            measure = undecided[name].measure(context, context.subject_and(built.values()))
        else:
            measure = _measure(context, name, data[name], built)
        if measure:
            built[name] = measure
        else:
            context.faulty.add(name)
    return tuple(built.values())


def _in_order(context: Context, mentioned: Mapping[str, set[str]], paths: Mapping[str, Path]) -> list[str]:
    """The measures so that each comes after those that it is made of.

    :param mentioned: by name the words in which it may name others.
    """
    order = TopologicalSorter(
        {name: sorted(words & (set(mentioned) - context.faulty)) for name, words in mentioned.items()}
    )
    try:
        return list(order.static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        first = paths[error.args[1][0]]
        is_table = any(paths[name][-1] == "id" for name in error.args[1])
        made = "the tables are made of one another" if is_table else "the measures are made of one another"
        hint = "tables without a circle" if is_table else "measures without a circle"
        context.report(first if first[-1] == "id" else first[:-1], circle, made, hint)
        context.faulty |= set(mentioned)
        return []


def _mentioned(data: Mapping[str, Any]) -> set[str]:
    """The words in which a measure may name other measures."""
    if not set(DERIVED) & set(data):
        return set()
    words = (*OVER_GROUP, "by", "value", "where")
    texts = [*data.get("ratio", ()), *(data.get(word) or "" for word in words)]
    return set(re.findall(r"[a-z][a-z0-9_]*", " ".join(texts)))


def _measure(
    context: Context, name: str, data: Mapping[str, Any], built: Mapping[str, Measure]
) -> Measure | None:
    path: Path = ("measures", name)
    aggregate = next(a for a in Aggregate if a in data)
    draft = Measure(
        id=name,
        title=data["title"],
        aggregate=aggregate,
        operand=None,
        where=ALWAYS,
        window=None,
        by=None,
        take=None,
        parts=(),
        descending=data["order"] == "desc",
        type=COUNT,
        place=context.document.place(path),
    )
    if aggregate not in DERIVED:
        return _base(context, draft, data, path)
    if data["within"] or data["take"]:
        context.report(path, str(aggregate), "made of measures, not of records", "no within and no take")
        return None
    if aggregate is Aggregate.RATIO:
        return _ratio(context, draft, data, path, built)
    if aggregate is Aggregate.VALUE:
        return _computed(context, draft, data, path, built)
    return _among_peers(context, draft, data, path, built)


def _base(context: Context, draft: Measure, data: Mapping[str, Any], path: Path) -> Measure | None:
    if not context.records:
        context.report(path, "", "the vocabulary has no records to measure", "attributes alone")
        return None
    where = context.when(data["where"], (*path, "where"), context.record_scope)
    operand, kind = _operand(context, draft.aggregate, data, path)
    window = record_window(context, data["within"], (*path, "within"), context.record_scope)
    by = _grouped_by(context, data["by"], (*path, "by")) if data["by"] else None
    if where is None or kind is None or window is None:
        return None
    take = Aggregate(data["take"]) if data["take"] else None
    _check_each(context, data["each"], kind, path)
    grouped = replace(draft, operand=operand, by=by, take=take, each=data["each"])
    if take is Aggregate.RUN and by is not None and grouped.months_long is None:
        hint = "months or years: start_of_month(occurred_on), start_of_year(occurred_on)"
        context.report((*path, "by"), data["by"], "groups of which none follows another", hint)
        return None
    taken = _taken(context, grouped, kind, path)
    return None if taken is None else replace(grouped, where=where, window=window, type=taken)


def _grouped_by(context: Context, text: str, path: Path) -> Expression | None:
    """What of a record makes groups: the same on every day."""
    by = context.expression(text, path, context.record_scope)
    if by is not None and reads_as_of(by):
        hint = "a record's column, or what is computed of one: start_of_month(occurred_on)"
        context.report(path, text, "groups that change with as_of", hint)
    return by


def _check_each(context: Context, each: Decimal | None, kind: Type, path: Path) -> None:
    """A cap on each group is a value that its groups can have."""
    if each is not None and (kind.kind is not Kind.NUMBER or not each or not kind.holds(each)):
        hint = f"a number of at most {kind.scale} decimals, the most of each group, such as 30"
        context.report((*path, "each"), str(each), "no group's value can be held at it", hint)


def _adds_up(kind: Type) -> bool:
    return kind.kind is Kind.NUMBER and kind.whole <= TOTAL.whole and kind.scale <= TOTAL.scale


def _total_of(kind: Type) -> Type:
    """The type of the sum of a million values."""
    return replace(TOTAL, whole=max(TOTAL.whole, kind.whole + 6))


def _taken(context: Context, draft: Measure, kind: Type, path: Path) -> Type | None:
    """The type of what ``take`` makes of the groups' values."""
    take, summed = draft.take, draft.operand.type if draft.operand else COUNT
    if take in (Aggregate.COUNT, Aggregate.RUN):
        return COUNT
    if take is None:
        return kind
    if kind.kind is not Kind.NUMBER:
        context.report((*path, "take"), str(take), f"{take} of {kind} values", "a number, or take: count")
        return None
    if take is not Aggregate.SUM or draft.aggregate is Aggregate.SUM:
        return kind
    if not _adds_up(summed):
        context.report((*path, "take"), str(take), "no exact sum of this", _ADDS_UP)
        return None
    return _total_of(summed)


def _operand(
    context: Context, aggregate: Aggregate, data: Mapping[str, Any], path: Path
) -> tuple[Expression | None, Type | None]:
    """What is aggregated, and the type of the aggregate; no type where they don't fit."""
    if aggregate is Aggregate.COUNT:
        return None, COUNT
    text, where = data[aggregate], (*path, str(aggregate))
    operand = context.expression(text, where, context.record_scope)
    if operand is None:
        return None, None
    fault = _misfit(aggregate, operand)
    if fault:
        context.report(where, text, *fault)
        return operand, None
    if aggregate is Aggregate.SUM:
        return operand, _total_of(operand.type)
    return operand, TOTAL if aggregate is Aggregate.MEAN else operand.type


def _misfit(aggregate: Aggregate, operand: Expression) -> tuple[str, str] | None:
    """Why an expression can't be aggregated so, and what can."""
    kind = operand.type
    if aggregate is Aggregate.LATEST:
        return None if isinstance(operand, Name) else ("not a column", "the name of a record's column")
    if reads_as_of(operand) or kind.kind in (Kind.TEXT, Kind.BOOLEAN):
        return f"no {aggregate} of this", "a number, or for min and max also a date"
    if aggregate in (Aggregate.MIN, Aggregate.MAX):
        return None
    if not _adds_up(kind):
        return f"no exact {aggregate} of this", _ADDS_UP
    return None


def _ratio(
    context: Context, draft: Measure, data: Mapping[str, Any], path: Path, built: Mapping[str, Measure]
) -> Measure | None:
    if context.faulty & set(data["ratio"]):
        return None
    for index, part in enumerate(data["ratio"]):
        found = built.get(part)
        if found is None or not _divisible(found.type):
            hint = (
                f"a number measure of at most {_MOST_RATIO_DIGITS} digits before the point and 4 after it;"
                " of others a value: round(part / whole, 4)"
            )
            context.report((*path, "ratio", index), part, "not a measure that a ratio can use", hint)
            return None
    where = _subjects(context, data, path, built)
    return None if where is None else replace(draft, parts=tuple(data["ratio"]), where=where, type=TOTAL)


def _among_peers(
    context: Context, draft: Measure, data: Mapping[str, Any], path: Path, built: Mapping[str, Measure]
) -> Measure | None:
    """A rank, a percentile, or how many subjects are ranked."""
    key = str(draft.aggregate)
    if context.faulty & {data[key], data["by"]}:
        return None
    found = built.get(data[key])
    where = _subjects(context, data, path, built)
    by = context.subject_and(built.values()).names.get(data["by"] or "")
    if data["by"] and by is None:
        hint = "an attribute, or a measure of the pack"
        context.report((*path, "by"), data["by"], "neither an attribute nor a measure", hint)
        return None
    for number, bound in enumerate(data["bands"]):
        if by is not None and (by.type.kind is not Kind.NUMBER or not by.type.holds(bound)):
            hint = "bounds that the number by which subjects are grouped can have"
            context.report((*path, "bands", number), str(bound), "no bound of a band", hint)
            return None
    if found is None or found.type.kind is not Kind.NUMBER:
        context.report(
            (*path, key), data[key], "not a measure that can be ranked", "a number measure of the pack"
        )
        return None
    if where is None:
        return None
    return replace(
        draft,
        where=where,
        by=by,
        bands=tuple(data["bands"]),
        fewest=data["fewest"],
        parts=(data[key], *([by.name] if by is not None and by.level is Level.MEASURE else [])),
        type=PERCENT if draft.aggregate is Aggregate.PERCENTILE else COUNT,
    )


def _computed(
    context: Context, draft: Measure, data: Mapping[str, Any], path: Path, built: Mapping[str, Measure]
) -> Measure | None:
    """A value computed from attributes and measures."""
    where = _subjects(context, data, path, built)
    operand = context.expression(data["value"], (*path, "value"), context.subject_and(built.values()))
    if operand is None or where is None:
        return None
    if operand.type.kind is not Kind.NUMBER or reads_as_of(operand):
        hint = "a number computed from attributes and measures"
        context.report((*path, "value"), data["value"], "not a value that a measure can have", hint)
        return None
    read = {n.name for n in names(operand) | names(where.condition) if n.level is Level.MEASURE}
    return replace(draft, operand=operand, where=where, parts=tuple(sorted(read)), type=operand.type)


def _subjects(
    context: Context, data: Mapping[str, Any], path: Path, built: Mapping[str, Measure]
) -> When | None:
    """The condition on subjects: attributes and measures."""
    where = context.condition(data["where"], (*path, "where"), context.subject_and(built.values()))
    if where is not None and reads_as_of(where):
        hint = "a condition on attributes and measures"
        context.report((*path, "where"), str(data["where"]), "as_of in a measure made of measures", hint)
        return None
    return None if where is None else When(where, where)


def _divisible(kind: Type) -> bool:
    return kind.kind is Kind.NUMBER and kind.whole <= _MOST_RATIO_DIGITS and kind.scale <= TOTAL.scale
