"""Tables: every row becomes a rule; see :mod:`rules.language.decision_tables` for what a cell says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rules.language import decision_tables
from rules.language.decision_tables import Cell
from rules.language.expressions import TRUE, Expression, Level, conjunction, names, reads_as_of
from rules.language.parse import ConditionError
from rules.language.words import LANGUAGES, words_of
from rules.meaning.context import Context
from rules.meaning.examples import build_examples
from rules.meaning.references import References
from rules.meaning.rules import check_baseline, check_cap
from rules.meaning.windows import rule_window
from rules.model import Rule, Title, When
from rules.text.source import Path

MAX_ROWS = 1_000


def build_table(context: Context, references: References, data: Mapping[str, Any], path: Path) -> list[Rule]:
    """The rules of one entry of ``tables``; none where something is wrong with it."""
    references.check(data, path)
    points = [row["points"] for row in data["rows"]]
    check_cap(context, data["cap"], points, path)
    check_baseline(context, data["baseline"], points, path)
    if len(data["rows"]) > MAX_ROWS:
        text = str(len(data["rows"]))
        context.report((*path, "rows"), text, f"more than {MAX_ROWS:,} rows", "several tables")
        return []
    for index, row in enumerate(data["rows"]):
        references.check({"basis": row["basis"] or ()}, (*path, "rows", index))
    where = context.when(data["where"], (*path, "where"))
    inputs = _inputs(context, data, path)
    cells = _cells(context, data, path, len(inputs) if inputs else 0)
    if where is None or inputs is None or cells is None:
        return []
    conditions = _conditions(context, data, cells, inputs, path)
    if not conditions:
        return []
    if data["hit"] == "unique":
        _check_unique(context, conditions, path)
    chosen = decision_tables.first_only(conditions) if data["hit"] == "first" else conditions
    titles = [
        row["title"] or _title(context, data, c) for row, c in zip(data["rows"], conditions, strict=True)
    ]
    return _rules(context, data, path, where, inputs, chosen, titles)


def _rules(
    context: Context,
    data: Mapping[str, Any],
    path: Path,
    where: When,
    inputs: Sequence[Expression],
    conditions: Sequence[Expression],
    titles: Sequence[Title],
) -> list[Rule]:
    levels: frozenset[Level] = frozenset(n.level for part in (where.written, *inputs) for n in names(part))
    level, window = rule_window(context, data["counts"], (*path, "counts"), levels)
    built = [
        Rule(
            id=f"{data['id']}.{number}",
            title=titles[number - 1],
            level=level,
            dimension=data["dimension"],
            when=_also(where, condition),
            points=row["points"],
            per=None,
            window=window,
            cap=data["cap"],
            baseline=data["baseline"],
            tier=None,
            table=data["id"],
            consequence=False,
            citations=row["basis"] or data["basis"],
            note=row["note"] or data["note"],
            place=context.document.place((*path, "rows", number - 1)),
        )
        for number, (row, condition) in enumerate(zip(data["rows"], conditions, strict=True), start=1)
    ]
    examples = build_examples(context, data["examples"], (*path, "examples"), built[0])
    return [replace(built[0], examples=examples), *built[1:]]


def _title(context: Context, data: Mapping[str, Any], condition: Expression) -> Title:
    """What a row is called that has no title of its own: its table, and what its cells ask for."""
    table: Title = data["title"]
    if condition == TRUE:
        return table if len(data["rows"]) == 1 else Title(f"{table.zh}：其他", f"{table.en}: other")
    zh, en = (words_of(context.vocabulary, context.measures, language) for language in LANGUAGES)
    return Title(f"{table.zh}：{zh.row(condition, table.zh)}", f"{table.en}: {en.row(condition, table.en)}")


def _also(where: When, condition: Expression) -> When:
    """The table's condition and a row's."""
    written, judged = (conjunction((part, condition)) for part in (where.written, where.condition))
    return When(written, judged, where.begins, where.ends)


def _inputs(context: Context, data: Mapping[str, Any], path: Path) -> list[Expression] | None:
    texts: list[tuple[str, Path]] = [(data["input"], (*path, "input"))] if "input" in data else []
    texts += [(text, (*path, "inputs", index)) for index, text in enumerate(data.get("inputs", ()))]
    inputs = []
    for text, where in texts:
        found = context.expression(text, where)
        if found is not None and reads_as_of(found):
            context.report(where, text, "as_of can't be an input", "a column or measure")
        elif found is not None:
            inputs.append(found)
    return inputs if len(inputs) == len(texts) else None


def _cells(context: Context, data: Mapping[str, Any], path: Path, width: int) -> list[list[Cell]] | None:
    """The rows' cells; ``width`` is 0 where it is not known how many there should be."""
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
            found = context.attempt(at, str(cell), lambda cell=cell: decision_tables.read_cell(cell))  # type: ignore[misc]
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
) -> list[Expression]:
    """A condition for each row; none at all where a cell does not fit its input."""
    rows = []
    for index, row in enumerate(cells):
        written = data["rows"][index]["cells"]
        terms = [
            _terms(context, cell, operand, _cell_path(context, (*path, "rows", index), place), written[place])
            for place, (cell, operand) in enumerate(zip(row, inputs, strict=True))
        ]
        if None not in terms:
            rows.append(conjunction(tuple(term for cell in terms for term in cell or ())))
    return rows if len(rows) == len(cells) else []


def _terms(
    context: Context, cell: Cell, operand: Expression, path: Path, written: object
) -> tuple[Expression, ...] | None:
    try:
        return decision_tables.cell_condition(cell, operand, context.scope)
    except ConditionError as error:
        context.report(path, str(written), error.message, error.hint)
        return None


def _check_unique(context: Context, conditions: Sequence[Expression], path: Path) -> None:
    pair = decision_tables.clash(conditions)
    if pair:
        rows = f"rows {pair[0] + 1} and {pair[1] + 1}"
        hint = "hit: first, or rows apart"
        context.report((*path, "rows", pair[1]), rows, f"{rows} can match together", hint)
