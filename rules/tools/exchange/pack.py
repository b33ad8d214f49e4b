"""The text of a pack that was read from another notation."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any

import yaml

from rules.fault import WHOLE, Fault, PackError
from rules.language.expressions import literal
from rules.library.loader import load_text
from rules.meaning.tables import MAX_ROWS
from rules.titles import Title
from rules.tools.exchange.draft import KEY, Column, Draft, Input, Row, Table, id_of
from rules.tools.exchange.matches import Cells, cells_for
from rules.tools.exchange.witnesses import examples
from rules.tools.layout import layout


def pack_text(draft: Draft, begins: dt.date, partial: bool = False) -> str:
    """The text of the pack, in the one layout.

    :param begins: the day from which it is to rule.
    :param partial: leave out what the language can't say, instead of refusing the whole.
    :raises PackError: naming where in the file there is what the language can't say.
    """
    if draft.missing and not partial:
        raise PackError(draft.missing)
    if not draft.tables:
        message, hint = "no table or scorecard that the language has", "see docs/exchange.md"
        raise PackError([*draft.missing, Fault(draft.place, WHOLE, "", message, hint)])
    written = [_written(table, begins) for table in draft.tables]
    text = layout(dumped(_pack(draft, written, begins)), draft.place.file)
    try:
        load_text(text, draft.place.file)
    except PackError as error:
        raise PackError([_where_it_was_read(draft, written, fault) for fault in error.faults]) from None
    return text


@dataclass(frozen=True, slots=True)
class _Written:
    """A table as a pack has it, and which row each of its rows was made of."""

    data: dict[str, Any]
    rows: list[Row]


def _written(table: Table, begins: dt.date) -> _Written:
    made = [(row, cells) for row in table.rows for cells in _split(row)]
    shapes = [_Shape.of([cells[place] for _, cells in made]) for place in range(len(table.inputs))]
    rows = []
    for row, cells in made:
        line = Flow(cell for shape, own in zip(shapes, cells, strict=True) for cell in shape.cells(own))
        said = {key: text for key, text in (("title", row.title), ("note", row.note)) if text}
        said = said if table.gives is None else {}
        rows.append({"when": line, "points": row.points, **said} if said else Flow([*line, row.points]))
    data = {
        "id": table.id,
        "title": table.title,
        **({"dimension": "score"} if table.gives is None else {"gives": _gives(table.gives)}),
        "inputs": Flow(
            text for shape, i in zip(shapes, table.inputs, strict=True) for text in shape.inputs(i)
        ),
        "hit": table.hit,
        **({"take": table.take} if table.take else {}),
        "rows": rows,
        **({} if table.default is None else {"default": table.default}),
        **({} if table.baseline is None else {"baseline": table.baseline}),
        "basis": "own-choice",
        **({"examples": cases} if (cases := examples(table, begins)) else {}),
    }
    return _Written(data, [row for row, _ in made])


def _gives(column: Column) -> Any:
    return Flow(column.codes) if column.codes else "number"


def _split(row: Row) -> Iterator[tuple[Cells, ...]]:
    """Its cells; several rows of them where one cell takes several."""
    pieces = [cells_for(asked) for asked in row.asked]
    many = prod(map(len, pieces))
    if many > MAX_ROWS:
        message = f"more than {MAX_ROWS:,} rows"
        raise PackError([Fault(row.place, row.name, str(many), message, "several tables")])
    return product(*pieces)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How often an input stands in a table.

    :param twice: once more, for the upper end of ranges.
    :param unknown: once more, for whether it is unknown.
    """

    twice: bool
    unknown: bool

    @classmethod
    def of(cls, column: Sequence[Cells]) -> _Shape:
        asks = any(c.unknown or (c.unknown is False and c.own == "-") for c in column)
        return cls(any(c.upper != "-" for c in column), asks)

    def cells(self, cells: Cells) -> Iterator[Any]:
        yield cells.own
        if self.twice:
            yield cells.upper
        if self.unknown:
            yield "-" if cells.unknown is None else cells.unknown

    def inputs(self, read: Input) -> Iterator[str]:
        yield from [read.expression] * (1 + self.twice)
        if self.unknown:
            yield f"{read.expression} is null"


def _pack(draft: Draft, written: Sequence[_Written], begins: dt.date) -> dict[str, Any]:
    lowest, highest = _bounds(draft, written)
    pack_id = id_of(draft.title, "pack")
    read = {read.column.name: read.column for table in draft.tables for read in table.inputs}
    columns = {name: column for name, column in read.items() if column.is_given}
    last = [table for table in draft.tables if table.gives and table.id not in read]
    results = [result for table in last for result in _results(table)]
    source = re.split(r"[\\/]", draft.place.file)[-1]
    key = {KEY: {"type": "integer", "title": Title("编号", "Number")}}
    own = {
        "vocabulary": pack_id,
        "title": Title("主体", "Subject"),
        "subject": {"key": KEY, "columns": key | {name: _column(c) for name, c in columns.items()}},
    }
    return {
        "pack": pack_id,
        "version": "1",
        "title": draft.title,
        "note": Title(f"由{source}转换而成", f"Made from {source}"),
        "subject": draft.vocabulary.id if draft.vocabulary else own,
        "in_force": {"from": begins},
        "score": {"start": draft.start, "min": lowest, "max": highest},
        "dimensions": [{"id": "score", "title": Title("得分", "Score")}],
        "tables": [table.data for table in written],
        **({"consequences": results} if results else {}),
        "grades": [{"tier": "scored", "title": Title("已评分", "Scored"), "from": lowest}],
        **({"examples": [{"as_of": begins, **case} for case in draft.examples]} if draft.examples else {}),
    }


def _results(table: Table) -> Iterator[dict[str, Any]]:
    """What follows from a table that no other reads: each of its texts."""
    for number, code in enumerate(table.gives.codes if table.gives else (), 1):
        zh, en = table.title.zh, table.title.en
        yield {
            "id": f"{table.id}-{number}",
            "title": Title(f"{zh}：{code}", f"{en}: {code}"),
            "when": f"{table.id} = {literal(code)}",
            "basis": "own-choice",
        }


def _column(column: Column) -> dict[str, Any]:
    values = {"values": {code: code for code in column.codes}} if column.codes else {}
    return {"type": column.kind, "title": column.title, **values}


def _bounds(draft: Draft, written: Sequence[_Written]) -> tuple[Decimal, Decimal]:
    """Bounds that no score passes, so that none is cut."""
    lowest = highest = draft.start
    for table in written:
        points = [Decimal(0), *(row.points for row in table.rows if isinstance(row.points, Decimal))]
        points = points[: 1 if "gives" in table.data else None]
        if table.data["hit"] == "collect":
            lowest += sum(p for p in points if p < 0)
            highest += sum(p for p in points if p > 0)
        else:
            lowest += min(points)
            highest += max(points)
    return lowest, highest


_PART = re.compile(r"tables\[(\d+)\](?:\.rows\[(\d+)\])?")


def _where_it_was_read(draft: Draft, written: Sequence[_Written], fault: Fault) -> Fault:
    """A fault of the pack's text, at what the text was made of."""
    found = _PART.match(fault.field)
    if found is None:
        return fault
    if found[2] is None:
        table = draft.tables[int(found[1])]
        return replace(fault, place=table.place, field=str(table.title), part="")
    row = written[int(found[1])].rows[int(found[2])]
    return replace(fault, place=row.place, field=row.name, part="")


class Flow(list[Any]):
    """A list on one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump_number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    kind = "int" if value == value.to_integral_value() else "float"
    text = format(int(value) if kind == "int" else value.normalize(), "d" if kind == "int" else "f")
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", text)


def _dump_title(dumper: yaml.SafeDumper, title: Title) -> yaml.Node:
    if title.zh == title.en:
        return dumper.represent_str(title.zh)
    return dumper.represent_mapping("tag:yaml.org,2002:map", {"zh": title.zh, "en": title.en}, True)


_Dumper.add_representer(Decimal, _dump_number)
_Dumper.add_representer(Title, _dump_title)
_Dumper.add_representer(
    Flow, lambda dumper, items: dumper.represent_sequence("tag:yaml.org,2002:seq", items, True)
)


def dumped(data: Mapping[str, Any] | Sequence[Any]) -> str:
    """Data as YAML that packs may use: exact numbers, no aliases."""
    return yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100_000, default_flow_style=None
    )


def dumped_in_line(data: Mapping[str, Any]) -> str:
    """The same on one line."""
    return yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000, default_flow_style=True
    ).strip()


def value_in_line(value: Any) -> str:
    """A value alone on one line.

    >>> value_in_line([1, "a: b"])
    "[1, 'a: b']"
    """
    return dumped_in_line({"x": value})[len("{x: ") : -len("}")]
