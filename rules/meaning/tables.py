"""Tables: every row becomes a rule; see :mod:`rules.language.decision_tables` for what a cell says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rules.language.decision_tables import Cell, cell_condition, clash, first_only, none_of, read_cell
from rules.language.expressions import TRUE, Expression, Kind, conjunction, names, reads_as_of
from rules.language.parse import ConditionError, Scope, UndeclaredNameError
from rules.language.words import other_rows, row_title
from rules.meaning.context import Context
from rules.meaning.examples import build_examples
from rules.meaning.references import References
from rules.meaning.rules import check_baseline, check_cap
from rules.meaning.windows import rule_window
from rules.model import Rule, Title, When
from rules.text.fields import FOREVER_AGO
from rules.text.source import Path

MAX_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a table asks: of all, and row by row."""

    where: When
    inputs: Sequence[Expression]
    conditions: Sequence[Expression]


def build_table(context: Context, references: References, data: Mapping[str, Any], path: Path) -> list[Rule]:
    """The rules of one entry of ``tables`` that gives points; none where something is wrong with it."""
    points = [row["points"] for row in data["rows"]]
    given = points if data["default"] is None else [*points, data["default"]]
    check_cap(context, data["cap"], given, path)
    check_baseline(context, data["baseline"], given, path)
    for index, row in enumerate(data["rows"]):
        references.check({"basis": row["basis"] or ()}, (*path, "rows", index))
    asked = read_table(context, references, data, path, context.scope)
    if asked is None:
        return []
    check_policy(context, data["hit"], asked.conditions, points, path)
    chosen = _chosen(context, data, asked.conditions, path)
    if data["default"] is not None:
        chosen = [*chosen, none_of(asked.conditions)]
    return _rules(context, data, path, asked, chosen)


def read_table(
    context: Context, references: References, data: Mapping[str, Any], path: Path, scope: Scope
) -> Asked | None:
    """What an entry of ``tables`` asks; None where something is wrong with it.

    :param scope: what it may name.
    """
    references.check(data, path)
    if len(data["rows"]) > MAX_ROWS:
        text = str(len(data["rows"]))
        context.report((*path, "rows"), text, f"more than {MAX_ROWS:,} rows", "several tables")
        return None
    where = context.when(data["where"], (*path, "where"), scope)
    inputs = _inputs(context, data, path, scope)
    cells = _cells(context, data, path, inputs)
    if where is None or inputs is None or cells is None:
        return None
    conditions = _conditions(context, data, cells, inputs, path, scope)
    return Asked(where, inputs, conditions) if conditions else None


def check_policy(
    context: Context, hit: str, conditions: Sequence[Expression], results: Sequence[object], path: Path
) -> None:
    """``unique``: no two rows can match together; ``any``: none that do not give the same."""
    if hit not in ("unique", "any"):
        return
    pair = clash(conditions, results if hit == "any" else ())
    if pair:
        rows = f"rows {pair[0] + 1} and {pair[1] + 1}"
        message, hint = f"{rows} can match together", "hit: first, or rows apart"
        if hit == "any":
            message, hint = f"{rows} can match together and give another result", "one result, or rows apart"
        context.report((*path, "rows", pair[1]), rows, message, hint)


def _chosen(
    context: Context, data: Mapping[str, Any], conditions: Sequence[Expression], path: Path
) -> Sequence[Expression]:
    """The conditions of the rows so that only those hold that count."""
    if data["hit"] in ("first", "any"):
        return first_only(conditions)
    if data["take"] not in ("min", "max"):
        return conditions
    given = [row["points"].steps for row in data["rows"]]
    if any(len(steps) > 1 or steps[0][0] != FOREVER_AGO for steps in given):
        message, hint = "points by date are in no order", "take: sum, or points of one day alone"
        context.report((*path, "take"), data["take"], message, hint)
        return conditions
    order = sorted(range(len(given)), key=lambda row: given[row][0][1], reverse=data["take"] == "max")
    return first_only(conditions, order)


def _rules(
    context: Context, data: Mapping[str, Any], path: Path, asked: Asked, chosen: Sequence[Expression]
) -> list[Rule]:
    where = asked.where
    read = (n.level for part in (where.written, *asked.inputs, *asked.conditions) for n in names(part))
    level, window = rule_window(context, data["counts"], (*path, "counts"), frozenset(read))
    common = Rule(
        id=data["id"],
        title=data["title"],
        level=level,
        dimension=data["dimension"],
        when=where,
        points=data["default"],
        per=None,
        window=window,
        cap=data["cap"],
        baseline=data["baseline"],
        tier=None,
        table=data["id"],
        consequence=False,
        citations=data["basis"],
        note=data["note"],
    )
    built = [
        replace(
            common,
            id=f"{data['id']}.{number}",
            title=row["title"] or _title(context, data, asked.conditions[number - 1]),
            when=_also(where, condition),
            points=row["points"],
            citations=row["basis"] or data["basis"],
            note=row["note"] or data["note"],
            place=context.document.place((*path, "rows", number - 1)),
        )
        for number, (row, condition) in enumerate(zip(data["rows"], chosen, strict=False), start=1)
    ]
    if data["default"] is not None:
        when, place = _also(where, chosen[-1]), context.document.place((*path, "default"))
        title = other_rows(data["title"])
        built.append(replace(common, id=f"{data['id']}.default", title=title, when=when, place=place))
    examples = build_examples(context, data["examples"], (*path, "examples"), built[0])
    return [replace(built[0], examples=examples), *built[1:]]


def _title(context: Context, data: Mapping[str, Any], condition: Expression) -> Title:
    """What a row is called that has no title of its own."""
    table: Title = data["title"]
    if condition == TRUE and len(data["rows"]) == 1:
        return table
    return row_title(context.vocabulary, context.measures, table, condition)


def _also(where: When, condition: Expression) -> When:
    """The table's condition and a row's."""
    written, judged = (conjunction((part, condition)) for part in (where.written, where.condition))
    return When(written, judged, where.begins, where.ends)


def _inputs(context: Context, data: Mapping[str, Any], path: Path, scope: Scope) -> list[Expression] | None:
    texts: list[tuple[str, Path]] = [(data["input"], (*path, "input"))] if "input" in data else []
    texts += [(text, (*path, "inputs", index)) for index, text in enumerate(data.get("inputs", ()))]
    inputs = []
    for text, where in texts:
        found = context.expression(text, where, scope)
        if found is not None and reads_as_of(found):
            context.report(where, text, "as_of can't be an input", "a column or measure")
        elif found is not None:
            inputs.append(found)
    return inputs if len(inputs) == len(texts) else None


def _cells(
    context: Context, data: Mapping[str, Any], path: Path, inputs: Sequence[Expression] | None
) -> list[list[Cell]] | None:
    """The rows' cells; how many there should be is not known where the inputs are not."""
    width = len(inputs) if inputs else 0
    rows = []
    for index, row in enumerate(data["rows"]):
        where = (*path, "rows", index)
        written = row["cells"]
        if width and len(written) != width:
            text = f"{len(written)} for {width}"
            context.report(where, text, "not a cell for each input", f"{width} cells, then the points")
            continue
        cells = []
        for place, cell in enumerate(written):
            at = _cell_path(context, where, place)
            kind = inputs[place].type.kind if inputs else Kind.TEXT
            found = context.attempt(at, str(cell), partial(read_cell, cell, kind))
            cells += [found] if found else []
        if len(cells) == len(written):
            rows.append(cells)
    return rows if len(rows) == len(data["rows"]) else None


def _cell_path(context: Context, row: Path, place: int) -> Path:
    """Where a cell stands in the short form of a row, or in the long one."""
    for path in ((*row, place), (*row, "when", place), (*row, "when")):
        if path in context.document.spots:
            return path
    return row


def _conditions(
    context: Context,
    data: Mapping[str, Any],
    cells: Sequence[Sequence[Cell]],
    inputs: Sequence[Expression],
    path: Path,
    scope: Scope,
) -> list[Expression]:
    """A condition for each row; none at all where a cell does not fit its input."""
    rows = []
    for index, row in enumerate(cells):
        written = data["rows"][index]["cells"]
        terms = [
            _terms(
                context,
                cell,
                operand,
                _cell_path(context, (*path, "rows", index), place),
                written[place],
                scope,
            )
            for place, (cell, operand) in enumerate(zip(row, inputs, strict=True))
        ]
        if None not in terms:
            rows.append(conjunction(tuple(term for cell in terms for term in cell or ())))
    return rows if len(rows) == len(cells) else []


def _terms(
    context: Context, cell: Cell, operand: Expression, path: Path, written: object, scope: Scope
) -> tuple[Expression, ...] | None:
    try:
        return cell_condition(cell, operand, scope)
    except ConditionError as error:
        if not (isinstance(error, UndeclaredNameError) and error.text in context.faulty):
            context.report(path, str(written), error.message, error.hint)
        return None
