"""Decision tables of DMN 1.1 to 1.6.

Source: OMG, Decision Model and Notation 1.3 (formal/2021-02-01), 8 (decision tables; 8.2.10 hit policies).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter

from rules.language.expressions import DECIMAL, Value
from rules.language.parse import ConditionError
from rules.model import Vocabulary
from rules.titles import Title, halves
from rules.tools.exchange import feel
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
from rules.tools.exchange.matches import Asked, Kind, Match, both, known
from rules.tools.exchange.xml import Element

DMN_1_3 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
SPACES = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    DMN_1_3,
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
    "https://www.omg.org/spec/DMN/20240513/MODEL/",
)
"""DMN 1.1, 1.2, 1.3, 1.4, 1.5 and 1.6."""

IS_NULL = " = null"
_KINDS: dict[str, Kind] = {
    "number": "decimal", "double": "decimal", "integer": "integer", "long": "integer", "string": "text",
    "boolean": "boolean", "date": "date",
}  # fmt: skip


def read_dmn(root: Element, vocabulary: Vocabulary | None = None) -> Draft:
    """What the decision tables of a model say.

    >>> from rules.tools.exchange.xml import read_xml
    >>> space = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    >>> text = f"<definitions xmlns='{space}'><decision name='x'><context/></decision></definitions>"
    >>> print(read_dmn(read_xml(text.encode(), "d.dmn")).missing[0])
    d.dmn:1:67: x: no decision table
        found: context
        right: a decision table, or the file without it
    """
    draft = Draft(root.get("name") or root.get("id") or "dmn", root.place, vocabulary)
    model = _Model(root, draft)
    for element in model.in_order(root.all("decision", "businessKnowledgeModel", "decisionService")):
        with draft.taking():
            model.take(element)
    return draft


def _read(decision: Element) -> list[str]:
    """What the inputs of a decision's table are called."""
    table = decision.one("decisionTable")
    clauses = [clause.one("inputExpression") for clause in (table.all("input") if table else [])]
    return [read.words("text").removesuffix(IS_NULL) for read in clauses if read]


class _Model:
    def __init__(self, root: Element, draft: Draft) -> None:
        self.draft, self.root = draft, root
        self.values: dict[str, Column] = {}
        self.types = {item.get("name"): item for item in root.all("itemDefinition")}
        self.given = {item.get("name"): item for item in root.all("inputData")}
        self.decided = {item.get("name") for item in root.all("decision")}
        self.read = {name for item in root.all("decision") for name in _read(item)} & self.decided

    def in_order(self, elements: Sequence[Element]) -> Sequence[Element]:
        """The elements, each behind those that it reads; as they stand where they read one another."""
        named = {element.get("name"): element for element in elements}
        order = TopologicalSorter({name: [n for n in _read(e) if n in named] for name, e in named.items()})
        try:
            found = [named[name] for name in order.static_order()]
        except CycleError:
            return elements
        return found if len(found) == len(elements) and self.read else elements

    def take(self, decision: Element) -> None:
        """Make a table of a decision.

        :raises NotTakenError: where there is none, or one that can't be a table of the language.
        """
        name = decision.get("name") or decision.get("id")
        element = decision.one("decisionTable")
        if element is None:
            about = ("variable", "description", "question", "allowedAnswers", "extensionElements")
            holds = (c.name for c in decision.children if not c.name.endswith("Requirement"))
            found = next((held for held in holds if held not in about), decision.name)
            hint = "a decision table, or the file without it"
            raise NotTakenError(decision.place, name, found, "no decision table", hint)
        for part in (self.root, *element.under()):
            language = part.get("expressionLanguage")
            if language and "feel" not in language.casefold():
                raise NotTakenError(part.place, name, language, "an expression that is not FEEL", "FEEL")
        clauses = [self._input(name, clause, element) for clause in element.all("input")]
        inputs = tuple(dict.fromkeys(read for read, _ in clauses))
        texts = self._texts_of(element)
        if texts is not None or name in self.read:
            self._take_value(decision, element, clauses, inputs, texts)
            return
        output = self._output(name, element)
        rows = []
        for number, rule in enumerate(element.all("rule"), 1):
            with self.draft.taking():
                rows.append(_row(f"{name} #{number}", rule, clauses, output, element, _points))
        clause = element.all("output")[output]
        hit, rows = _policy(name, element, rows, feel.listed(clause.words("outputValues", "text")))
        if other := clause.words("defaultOutputEntry", "text"):
            if hit == "collect":
                hint = "a table without a default"
                raise NotTakenError(clause.place, name, other, "a default beside a sum", hint)
            points = _points(clause, name, other)
            hit, rows = "first", [*rows, Row((None,) * len(inputs), points, clause.place, name)]
        if rows:
            title = halves(decision.get("label") or name)
            made = Table(self.draft.table_id(name), title, inputs, hit, tuple(rows), element.place)
            self.draft.tables.append(made)

    def _texts_of(self, table: Element) -> tuple[str, ...] | None:
        """The texts that a table of one output gives, those that it lists first; None where it gives none."""
        outputs = table.all("output")
        if len(outputs) != 1:
            return None
        cells = [*_texts(table, "outputEntry", 0), outputs[0].words("defaultOutputEntry", "text")]
        if (self._kind(outputs[0].get("typeRef")) or _kind_of(filter(None, cells))) != "text":
            return None
        listed = feel.listed(outputs[0].words("outputValues", "text"))
        listed += self._listed(outputs[0].get("typeRef"))
        given = [value for cell in cells for value in feel.listed(cell)]
        return tuple(dict.fromkeys(value for value in (*listed, *given) if isinstance(value, str)))

    def _take_value(
        self,
        decision: Element,
        element: Element,
        clauses: Sequence[tuple[Input, bool]],
        inputs: tuple[Input, ...],
        texts: tuple[str, ...] | None,
    ) -> None:
        """Make a table that gives a text, or a number that another decision reads."""
        name = decision.get("name") or decision.get("id")
        read = _number if texts is None else _text
        output = 0 if texts is not None else self._output(name, element)
        rows = []
        for number, rule in enumerate(element.all("rule"), 1):
            with self.draft.taking():
                rows.append(_row(f"{name} #{number}", rule, clauses, output, element, read))
        for row in rows:
            if said := row.title or row.note:
                self.draft.remark(row.place, row.name, str(said), "a row of a value has no title and no note")
        clause = element.all("output")[output]
        listed = feel.listed(clause.words("outputValues", "text"))
        hit, take, rows = _value_policy(name, element, rows, listed, texts is not None)
        other = clause.words("defaultOutputEntry", "text")
        default = read(clause, name, other) if other else None
        title = halves(decision.get("label") or name)
        column = self.draft.column(
            name, title, "decimal" if texts is None else "text", texts or (), element.place, is_given=False
        )
        if rows:
            self.values[name] = column
            made = Table(column.name, title, inputs, hit, tuple(rows), element.place)
            self.draft.tables.append(replace(made, gives=column, take=take, default=default))

    def _input(self, name: str, clause: Element, table: Element) -> tuple[Input, bool]:
        """The input of a clause, and whether the clause asks for no more than whether it is unknown."""
        read = clause.one("inputExpression")
        text = read.words("text") if read else ""
        named = text.removesuffix(IS_NULL)
        path = named.split(".")
        if named in self.values:
            return Input(self.values[named]), named != text
        given = self.given.get(named) or self.given.get(path[0])
        if named in self.decided or not (given or feel.is_name(named)):
            message = (
                "a decision that is not taken as an input"
                if named in self.decided
                else "an input that is no name"
            )
            raise NotTakenError(clause.place, name, text, message, "the name of an input of the model")
        variable = given.one("variable") if given else None
        type_ref = variable.get("typeRef") if variable else ""
        if given and given.get("name") != named:
            for part in path[1:]:
                type_ref = self._component(type_ref, part)
        type_ref = type_ref or (read.get("typeRef") if read else "")
        place = table.all("input").index(clause)
        kind = self._kind(type_ref) or (None if type_ref else _kind_of(_texts(table, "inputEntry", place)))
        if kind is None:
            hint = "number, string, boolean or date"
            raise NotTakenError(
                clause.place, f"{name} {text}", type_ref, "a type that columns do not have", hint
            )
        listed = feel.listed(clause.words("inputValues", "text")) or self._listed(type_ref)
        codes = tuple(value for value in listed if isinstance(value, str)) if kind == "text" else ()
        label = given.get("label") if given and given.get("name") == named else ""
        column = self.draft.column(named, halves(label or named), kind, codes, clause.place)
        return Input(column), named != text

    def _type(self, type_ref: str) -> Element | None:
        """The type of the model that is named so; in DMN 1.1 behind a prefix."""
        return self.types.get(type_ref) or self.types.get(type_ref.rpartition(":")[2])

    def _kind(self, type_ref: str) -> Kind | None:
        """Of which of the language's types a type is."""
        for _ in range(len(self.types) + 1):
            item = self._type(type_ref)
            name = type_ref.rpartition(":")[2]
            if name in _KINDS and (item is None or name == "integer"):
                return _KINDS[name]
            if item is None or item.get("isCollection") == "true":
                return None
            type_ref = item.words("typeRef")
        return None

    def _listed(self, type_ref: str) -> tuple[Value, ...]:
        item = self._type(type_ref)
        return feel.listed(item.words("allowedValues", "text")) if item else ()

    def _component(self, type_ref: str, part: str) -> str:
        item = self._type(type_ref)
        components = item.all("itemComponent") if item else []
        return next((c.words("typeRef") for c in components if c.get("name") == part), "")

    def _output(self, name: str, table: Element) -> int:
        """Which output gives the points; others are noted as missing."""
        outputs = table.all("output")
        numbers = [
            place
            for place, output in enumerate(outputs)
            if (self._kind(output.get("typeRef")) or _kind_of(_texts(table, "outputEntry", place)))
            in ("decimal", "integer")
        ]
        if len(numbers) != 1:
            found = ", ".join(output.get("name") or output.get("label") for output in outputs)
            hint = "one output that is a number: the points"
            raise NotTakenError(table.place, name, found, "not one number as the output", hint)
        for place, output in enumerate(outputs):
            if place not in numbers:
                found, message = output.get("name") or output.get("label"), "an output beside the points"
                self.draft.lack(output.place, name, found, message, "points alone")
        return numbers[0]


def _texts(table: Element, entry: str, place: int) -> Iterable[str]:
    """The cells of a column."""
    rows = (rule.all(entry) for rule in table.all("rule"))
    return (row[place].words("text") for row in rows if place < len(row))


def _kind_of(texts: Iterable[str]) -> Kind | None:
    """The type of a column that states none: that of all that its cells name, where it is one."""
    kinds = {kind for text in texts for kind in feel.kinds(text)}
    return kinds.pop() if len(kinds) == 1 else None


Result = Callable[[Element, str, str], Decimal | str]
"""Reads what a row gives, of an element, a name and its text."""


def _row(
    name: str,
    rule: Element,
    clauses: Sequence[tuple[Input, bool]],
    output: int,
    table: Element,
    result: Result,
) -> Row:
    cells, results = rule.all("inputEntry"), rule.all("outputEntry")
    if len(cells) != len(clauses) or len(results) != len(table.all("output")):
        hint = f"{len(clauses)} cells, then the points"
        raise NotTakenError(rule.place, name, "", "not a cell for each input", hint)
    asked: dict[Input, Asked] = {}
    for cell, (read, is_null) in zip(cells, clauses, strict=True):
        before = asked.get(read)
        if is_null and before and not before.unknown and cell.words("text") == "false":
            continue  # it is known already
        found = asked[read] = both(before, _asked(cell, name, read.column, is_null))
        if found is not None and not found:
            where, text = f"{name} {read.column.title}", cell.words("text")
            raise NotTakenError(
                cell.place, where, text, "a cell that matches nothing", "the table without the row"
            )
    names = (annotation.get("name") for annotation in table.all("annotation"))
    said = dict(zip(names, (entry.words("text") for entry in rule.all("annotationEntry")), strict=False))
    title = said.pop("title", "")
    note = "; ".join(filter(None, (rule.words("description"), *said.values())))
    points = result(results[output], name, results[output].words("text"))
    return Row(tuple(asked.values()), points, rule.place, name, _title(title), _title(note))


def _title(text: str) -> Title | None:
    return halves(text) if text else None


def _asked(cell: Element, name: str, column: Column, is_null: bool) -> Asked:
    text = cell.words("text")
    try:
        if is_null and text in ("true", "false"):
            return Match(unknown=True) if text == "true" else known(column.kind, column.codes)
        if is_null:
            return feel.asked(text, "boolean")
        return feel.asked(text, column.kind, column.codes, column.code)
    except ConditionError as error:
        where = f"{name} {column.title}"
        raise NotTakenError(cell.place, where, text, error.message, error.hint) from None


def _points(element: Element, name: str, text: str) -> Decimal:
    try:
        return points_in(text)
    except ConditionError as error:
        raise NotTakenError(element.place, name, text, error.message, error.hint) from None


def _text(element: Element, name: str, text: str) -> str:
    match feel.listed(text):
        case (str() as value,):
            return value
    raise NotTakenError(element.place, name, text, "not one text as a result", '"high", in quotes')


def _number(element: Element, name: str, text: str) -> Decimal:
    match feel.listed(text):
        case (Decimal() as value,) if DECIMAL.holds(value):
            return value
    hint = "a number of at most 14 digits before the point and 4 after it"
    raise NotTakenError(element.place, name, text, "not one number as a result", hint)


def _value_policy(
    name: str, table: Element, rows: list[Row], listed: Sequence[Value], is_text: bool
) -> tuple[str, str | None, list[Row]]:
    """The hit policy of a table that gives a value, and what it takes of all rows."""
    policy = f"{table.get('hitPolicy') or 'UNIQUE'} {table.get('aggregation')}".strip()
    taken = policy.removeprefix("COLLECT ").lower()
    if policy.startswith("COLLECT ") and taken in ("sum", "min", "max", "count") and not is_text:
        return "collect", taken, rows
    if policy == "PRIORITY" and is_text and all(row.points in listed for row in rows):
        return "priority", None, rows
    if is_text and policy.startswith("COLLECT"):
        hint = "UNIQUE, FIRST, ANY, or PRIORITY with outputValues"
        raise NotTakenError(table.place, name, policy, "a hit policy that the language does not have", hint)
    hit, rows = _policy(name, table, rows, listed)
    return "any" if policy == "ANY" else hit, None, rows


def _policy(name: str, table: Element, rows: list[Row], listed: Sequence[Value]) -> tuple[str, list[Row]]:
    """The hit policy of the language that gives the same points, and the rows in the order that it needs."""
    policy = f"{table.get('hitPolicy') or 'UNIQUE'} {table.get('aggregation')}".strip()
    match policy:
        case "UNIQUE" | "ANY":
            require_apart(rows, same_points=policy == "ANY")
            return ("unique" if policy == "UNIQUE" else "first"), rows
        case "FIRST":
            return "first", rows
        case "PRIORITY" if listed and all(row.points in listed for row in rows):
            return "first", sorted(rows, key=lambda row: listed.index(row.points))
        case "COLLECT SUM":
            return "collect", rows
        case "COLLECT MAX":
            return "first", sorted(rows, key=lambda row: row.points, reverse=True)
        case "COLLECT MIN":
            return "first", sorted(rows, key=lambda row: row.points)
    hint = "UNIQUE, FIRST, ANY, PRIORITY with outputValues, or COLLECT with SUM, MIN or MAX"
    raise NotTakenError(table.place, name, policy, "a hit policy that the language does not have", hint)
