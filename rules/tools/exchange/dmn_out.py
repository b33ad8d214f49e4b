"""Decision tables of a pack as DMN 1.3; what :mod:`rules.tools.exchange.dmn` reads back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from rules.fault import Fault, PackError
from rules.language.decision_tables import Cell, Comparable, Named, read_cell
from rules.language.expressions import Kind
from rules.library.loader import load_text
from rules.model import Column, Pack
from rules.nearest import one_of
from rules.text.source import Document, Path, read
from rules.tools.exchange import feel
from rules.tools.exchange.dmn import DMN_1_3, IS_NULL

_TYPES = {"text": "string", "decimal": "number", "integer": "integer", "date": "date", "boolean": "boolean"}
_POLICIES = {
    "unique": 'hitPolicy="UNIQUE"',
    "first": 'hitPolicy="FIRST"',
    "any": 'hitPolicy="ANY"',
    "priority": 'hitPolicy="PRIORITY"',
}
_INPUT = re.compile(r"([a-z][a-z0-9_]*)( is null)?")
_RESULT = re.compile(r"([a-z][a-z0-9_]*) = '(?:[^']|'')*'")
_OTHER_PARTS = ("rules", "vetoes", "measures", "consequences", "alerts", "remedies")


def dmn_text(
    text: str, file: str, partial: bool = False, only: Sequence[str] = ()
) -> tuple[str, list[Fault]]:
    """The decision tables of a pack as a DMN model, and what of the pack is not in it.

    :param partial: leave out what DMN has no word for, instead of refusing the whole.
    :param only: the tables to give, with those whose values they read; the whole pack where none is named.
    :raises PackError: where the text is no pack or has no such table, or naming what DMN has no word for.
    """
    pack, document = load_text(text, file), read(text, file)
    tables = [_Table(pack, document, t, ("tables", n)) for n, t in enumerate(document.data.get("tables", ()))]
    if only:
        tables = _chosen(tables, only, document)
    given = _given_out(tables)
    missing = [] if only else list(_left_behind(pack, document, given))
    decisions, columns = [], dict[str, Column]()
    for writer in tables:
        if faults := list(writer.faults(given)):
            missing += faults
        else:
            decisions.append(writer.decision())
            columns |= writer.columns()
    if missing and not (partial and decisions):
        raise PackError(missing)
    types, data = "".join(map(_type, columns.values())), "".join(map(_given, columns.values()))
    whole = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<definitions xmlns="{DMN_1_3}" namespace="urn:xinheng:{pack.id}" id={quoteattr(pack.id)}'
        f" name={quoteattr(pack.title.both if pack.title.zh != pack.title.en else pack.title.zh)}>\n"
        f"{types}{data}{''.join(decisions)}</definitions>\n"
    )
    return whole, sorted(missing, key=lambda fault: fault.place)


def _chosen(tables: Sequence[_Table], only: Sequence[str], document: Document) -> list[_Table]:
    """The tables that are named, and those whose values they read."""
    by_id = {str(table.data["id"]): table for table in tables}
    if unknown := [name for name in only if name not in by_id]:
        hint = one_of(unknown[0], list(by_id), "a pack with a table")
        raise PackError([document.fault(("tables",), unknown[0], "no table is called so", hint)])
    wanted, left = set[str](), list(only)
    while left:
        name = left.pop()
        if name in by_id and name not in wanted:
            wanted.add(name)
            left += by_id[name].reads
    return [table for name, table in by_id.items() if name in wanted]


def _left_behind(pack: Pack, document: Document, given: Set[str]) -> Iterator[Fault]:
    """What of a pack is no decision table, or changes the points of one."""
    for part in _OTHER_PARTS:
        if others := _ids(document.data.get(part) or (), given):
            yield document.fault((part,), ", ".join(others), "no part of a decision table", "tables alone")
    if pack.score.start:
        found = str(document.data["score"]["start"])
        yield document.fault(("score", "start"), found, "a score that does not start at 0", "start: 0")
    for number, dimension in enumerate(document.data.get("dimensions", ())):
        if {"floor", "ceiling"} & dimension.keys():
            message, hint = "a dimension with a bound", "a dimension without floor and ceiling"
            yield document.fault(("dimensions", number), dimension["id"], message, hint)


def _given_out(tables: Sequence[_Table]) -> frozenset[str]:
    """The tables that give a value and can be given, with all that they read."""
    given = frozenset(table.data["id"] for table in tables if table.measure)
    while left := {t.data["id"] for t in tables if t.data["id"] in given and any(t.faults(given))}:
        given -= left
    return given


def _ids(part: Any, given: Set[str]) -> list[str]:
    """What a part holds; what follows from a text of a table that is given follows from the table."""
    if isinstance(part, Mapping):
        return list(part)
    entries = ((str(entry["id"]), _RESULT.fullmatch(str(entry.get("when")))) for entry in part)
    return [name for name, result in entries if result is None or result[1] not in given]


class _Table:
    def __init__(self, pack: Pack, document: Document, data: Mapping[str, Any], path: Path) -> None:
        self.pack, self.document, self.data, self.path = pack, document, data, path
        self.inputs: Sequence[str] = data.get("inputs") or [data["input"]]
        self.rows = [_long(row) for row in data["rows"]]
        self.measures = {measure.id: measure for measure in pack.measures}
        self.measure = self.measures.get(data["id"])

    @property
    def kinds(self) -> list[Kind]:
        """Of which kind each input is."""
        known = {name: column.type for name, column in self.pack.vocabulary.subject.columns.items()}
        known |= {name: measure.type for name, measure in self.measures.items()}
        named = [_INPUT.fullmatch(text) for text in self.inputs]
        return [known[n[1]].kind if n and n[1] in known and not n[2] else Kind.BOOLEAN for n in named]

    def columns(self) -> dict[str, Column]:
        """The columns that it reads."""
        columns = self.pack.vocabulary.subject.columns
        return {name: columns[name] for name in self.reads if name in columns}

    @property
    def reads(self) -> list[str]:
        """The columns and tables that it reads."""
        return [found[1] for text in self.inputs if (found := _INPUT.fullmatch(text))]

    def faults(self, given: Set[str]) -> Iterator[Fault]:
        """What of it DMN has no word for.

        :param given: the other tables that can be given.
        """
        without = ("where", "counts", "cap", "baseline", *(() if self.measure else ("default",)))
        for key in without:
            if key in self.data:
                message, hint = "what a decision table of DMN does not have", "a table without it"
                yield self._fault((key,), str(self.data[key]), message, hint)
        key = "inputs" if "inputs" in self.data else "input"
        for number, text in enumerate(self.inputs):
            found = _INPUT.fullmatch(text)
            if found is None or found[1] not in {*self.pack.vocabulary.subject.columns, *given}:
                where = (key, number) if key == "inputs" else (key,)
                yield self._fault(where, text, "an input that is no attribute of the subject", "an attribute")
        yield from self._other_words()
        for number, row in enumerate(self.rows):
            if isinstance(row["result"], Mapping):
                yield self._fault(("rows", number), "", "points by date", "points of one day alone")

    def _other_words(self) -> Iterator[Fault]:
        for number, row in enumerate(self.rows):
            for cell, kind in zip(row["when"], self.kinds, strict=True):
                if _cell(read_cell(cell, kind), cell) is None:
                    message, hint = "a cell that FEEL has no word for", "one comparison or range of literals"
                    yield self._fault(("rows", number), str(cell), message, hint)

    def _fault(self, path: Path, found: str, message: str, hint: str) -> Fault:
        return self.document.fault((*self.path, *path), found, message, hint)

    def decision(self) -> str:
        """The decision, as XML."""
        rows = "".join(map(self._rule, self.rows))
        name = quoteattr(self.data["id"])
        title = self.measure.title if self.measure else self.pack.tables[self.data["id"]]
        needs = "".join(
            f'<informationRequirement><requiredDecision href="#{read}"/></informationRequirement>'
            for read in dict.fromkeys(self.reads)
            if read in self.measures
        )
        clauses = "".join(
            f"<input><inputExpression><text>{escape(text.replace(' is null', IS_NULL))}</text>"
            "</inputExpression></input>"
            for text in self.inputs
        )
        return (
            f"<decision id={name} name={name} label={quoteattr(title.both)}>"
            f'<variable name={name} typeRef="{self._type}"/>{needs}\n'
            f"<decisionTable {self._policy}>{clauses}"
            f'{self._output}<annotation name="title"/><annotation name="note"/>\n'
            f"{rows}</decisionTable></decision>\n"
        )

    @property
    def _type(self) -> str:
        return "string" if self.measure and self.measure.type.kind is Kind.TEXT else "number"

    @property
    def _output(self) -> str:
        table = self.measure.decision if self.measure else None
        if table is None:
            return '<output name="points" typeRef="number"/>'
        inner = ""
        if table.codes:
            codes = ", ".join(feel.written(code) for code, _ in table.codes)
            inner += f"<outputValues><text>{escape(codes)}</text></outputValues>"
        if table.default is not None:
            default = escape(feel.written(table.default.value))
            inner += f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>"
        return f'<output name="value" typeRef="{self._type}">{inner}</output>'

    def _result(self, result: Any) -> str:
        return feel.written(result) if self.measure else str(result)

    @property
    def _policy(self) -> str:
        taken = str(self.data.get("take", "sum")).upper()
        return _POLICIES.get(self.data["hit"], f'hitPolicy="COLLECT" aggregation="{taken}"')

    def _rule(self, row: Mapping[str, Any]) -> str:
        cells = [
            _cell(read_cell(cell, kind), cell) or ""
            for cell, kind in zip(row["when"], self.kinds, strict=True)
        ]
        said = [_said(row.get(key)) for key in ("title", "note")]
        return (
            "<rule>"
            + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells)
            + f"<outputEntry><text>{escape(self._result(row['result']))}</text></outputEntry>"
            + "".join(f"<annotationEntry><text>{escape(text)}</text></annotationEntry>" for text in said)
            + "</rule>\n"
        )


def _long(row: Any) -> Mapping[str, Any]:
    if isinstance(row, list):
        return {"when": row[:-1], "result": row[-1]}
    result = row["points"] if "points" in row else row["gives"]
    return {**row, "result": result, "when": row["when"] if isinstance(row["when"], list) else [row["when"]]}


def _said(title: Any) -> str:
    """A title of a pack's text in one text, both languages in it."""
    return f"{title['zh']}\u2003{title.get('en', title['zh'])}" if isinstance(title, Mapping) else title or ""


def _cell(cell: Cell, written: Any) -> str | None:
    """A cell of the language as one of FEEL; None where FEEL can't say it, or reads another name in it."""
    if cell.anything:
        return "-"
    if cell.negated:
        inner = _cell(replace(cell, negated=False), written["not"])
        known = ", null" if cell.values is not None else ""  # of unknown values FEEL's not("A") is true
        return inner and f"not({inner}{known})"
    if cell.among:
        parts = [_cell(part, None) for part in cell.among]
        return None if None in parts else ", ".join(map(str, parts))
    if cell.unknown:
        return "null"
    if cell.values is not None:
        listed = written if isinstance(written, list) else sorted(cell.values, key=str)
        return ", ".join(map(feel.written, listed))
    return (
        None
        if cell.reads_names
        else _ranged([(op, end) for op, end in cell.tests if not isinstance(end, Named)])
    )


def _ranged(tests: Sequence[tuple[str, Comparable]]) -> str | None:
    ops, ends = zip(*((op, feel.written(end)) for op, end in tests), strict=True)
    match ops:
        case (">" | ">=", "<" | "<="):
            return f"{'[' if ops[0] == '>=' else '('}{ends[0]}..{ends[1]}{']' if ops[1] == '<=' else ')'}"
        case ("<" | "<=" | ">" | ">=",):
            return f"{ops[0]} {ends[0]}"
        case _:
            return None


def _type(column: Column) -> str:
    if column.declared == "integer":
        return '<itemDefinition name="integer"><typeRef>number</typeRef></itemDefinition>\n'
    if not column.values:
        return ""
    listed = escape(", ".join(map(feel.written, column.values)))
    return (
        f'<itemDefinition name="{column.name}"><typeRef>string</typeRef>'
        f"<allowedValues><text>{listed}</text></allowedValues></itemDefinition>\n"
    )


def _given(column: Column) -> str:
    kind = column.name if column.values else _TYPES[column.declared]
    return (
        f'<inputData id="{column.name}" name="{column.name}" label={quoteattr(column.title.both)}>'
        f'<variable name="{column.name}" typeRef="{kind}"/></inputData>\n'
    )
