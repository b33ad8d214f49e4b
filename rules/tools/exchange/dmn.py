"""Decision tables of DMN 1.2 to 1.6.

Source: OMG, Decision Model and Notation 1.3 (formal/2021-02-01), 8 (decision tables; 8.2.10 hit policies).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rules.language.expressions import Value
from rules.language.parse import ConditionError
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

SPACES = (
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
    "https://www.omg.org/spec/DMN/20240513/MODEL/",
)
"""DMN 1.2, 1.3, 1.4, 1.5 and 1.6."""

IS_NULL = " = null"
_KINDS: dict[str, Kind] = {
    "number": "decimal", "double": "decimal", "integer": "integer", "long": "integer", "string": "text",
    "boolean": "boolean", "date": "date",
}  # fmt: skip


def read_dmn(root: Element) -> Draft:
    """What the decision tables of a model say.

    >>> from rules.tools.exchange.xml import read_xml
    >>> space = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    >>> text = f"<definitions xmlns='{space}'><decision name='x'><context/></decision></definitions>"
    >>> print(read_dmn(read_xml(text.encode(), "d.dmn")).missing[0])
    d.dmn:1:67: x: no decision table
        found: context
        right: a decision table, or the file without it
    """
    draft = Draft(root.get("name") or root.get("id") or "dmn", root.place)
    model = _Model(root, draft)
    for element in root.all("decision", "businessKnowledgeModel", "decisionService"):
        with draft.taking():
            model.take(element)
    return draft


class _Model:
    def __init__(self, root: Element, draft: Draft) -> None:
        self.draft = draft
        self.types = {item.get("name"): item for item in root.all("itemDefinition")}
        self.given = {item.get("name"): item for item in root.all("inputData")}
        self.decided = {item.get("name") for item in root.all("decision")}

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
        clauses = [self._input(name, clause, element) for clause in element.all("input")]
        inputs = tuple(dict.fromkeys(read for read, _ in clauses))
        output = self._output(name, element)
        rows = []
        for number, rule in enumerate(element.all("rule"), 1):
            with self.draft.taking():
                rows.append(_row(f"{name} #{number}", rule, clauses, output, element))
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

    def _input(self, name: str, clause: Element, table: Element) -> tuple[Input, bool]:
        """The input of a clause, and whether the clause asks for no more than whether it is unknown."""
        read = clause.one("inputExpression")
        text = read.words("text") if read else ""
        named = text.removesuffix(IS_NULL)
        path = named.split(".")
        given = self.given.get(named) or self.given.get(path[0])
        if named in self.decided or not (given or feel.is_name(named)):
            message = "another decision as an input" if named in self.decided else "an input that is no name"
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

    def _kind(self, type_ref: str) -> Kind | None:
        """Of which of the language's types a type is."""
        for _ in range(len(self.types) + 1):
            item = self.types.get(type_ref)
            name = type_ref.rpartition(":")[2]
            if name in _KINDS and (item is None or name == "integer"):
                return _KINDS[name]
            if item is None or item.get("isCollection") == "true":
                return None
            type_ref = item.words("typeRef")
        return None

    def _listed(self, type_ref: str) -> tuple[Value, ...]:
        item = self.types.get(type_ref)
        return feel.listed(item.words("allowedValues", "text")) if item else ()

    def _component(self, type_ref: str, part: str) -> str:
        item = self.types.get(type_ref)
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


def _row(name: str, rule: Element, clauses: Sequence[tuple[Input, bool]], output: int, table: Element) -> Row:
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
    points = _points(results[output], name, results[output].words("text"))
    return Row(tuple(asked.values()), points, rule.place, name, _title(title), _title(note))


def _title(text: str) -> Title | None:
    return halves(text) if text else None


def _asked(cell: Element, name: str, column: Column, is_null: bool) -> Asked:
    text = cell.words("text")
    try:
        if is_null and text in ("true", "false"):
            return Match(unknown=True) if text == "true" else known(column.kind, column.codes)
        return feel.asked(text, "boolean" if is_null else column.kind, column.codes)
    except ConditionError as error:
        where = f"{name} {column.title}"
        raise NotTakenError(cell.place, where, text, error.message, error.hint) from None


def _points(element: Element, name: str, text: str) -> Decimal:
    try:
        return points_in(text)
    except ConditionError as error:
        raise NotTakenError(element.place, name, text, error.message, error.hint) from None


def _policy(name: str, table: Element, rows: list[Row], listed: Sequence[Value]) -> tuple[str, list[Row]]:
    """The hit policy of the language that gives the same points, and the rows in the order that it needs."""
    policy = f"{table.get('hitPolicy') or 'UNIQUE'} {table.get('aggregation')}".strip()
    match policy:
        case "UNIQUE" | "ANY":
            require_apart(rows, same_points=policy == "ANY")
            return ("unique" if policy == "UNIQUE" else "first"), rows
        case "FIRST":
            return "first", rows
        case "PRIORITY" if all(row.points in listed for row in rows):
            return "first", sorted(rows, key=lambda row: listed.index(row.points))
        case "COLLECT SUM":
            return "collect", rows
        case "COLLECT MAX":
            return "first", sorted(rows, key=lambda row: -row.points)
        case "COLLECT MIN":
            return "first", sorted(rows, key=lambda row: row.points)
    hint = "UNIQUE, FIRST, ANY, PRIORITY with outputValues, or COLLECT with SUM, MIN or MAX"
    raise NotTakenError(table.place, name, policy, "a hit policy that the language does not have", hint)
