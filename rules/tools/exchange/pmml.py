"""Scorecards of PMML 4.1 to 4.4.

Source: Data Mining Group, PMML 4.4.1: Scorecard, MiningSchema, Predicates (in ModelTree), ModelVerification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from itertools import chain, product
from math import prod

from rules.calendar import day_of
from rules.language.expressions import Value
from rules.language.parse import ConditionError
from rules.meaning.tables import MAX_ROWS
from rules.model import Vocabulary
from rules.titles import Title
from rules.tools.exchange.draft import Column, Draft, Input, NotTakenError, Row, Table, points_in
from rules.tools.exchange.matches import Asked, Kind, Match, both, compared, known, one_value, others
from rules.tools.exchange.xml import Element

SPACES = tuple(f"http://www.dmg.org/PMML-4_{minor}" for minor in range(1, 5))
_KINDS: Mapping[str, Kind] = {
    "string": "text", "integer": "integer", "float": "decimal", "double": "decimal", "boolean": "boolean",
    "date": "date",
}  # fmt: skip
_COMPARISONS = {"lessThan": "<", "lessOrEqual": "<=", "greaterThan": ">", "greaterOrEqual": ">="}
_ABOUT = ("Header", "MiningBuildTask", "DataDictionary", "TransformationDictionary", "Extension")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_PREDICATES = ("SimplePredicate", "SimpleSetPredicate", "CompoundPredicate", "True", "False")
Asks = Mapping[Input, Asked]
"""What must hold together."""


def read_pmml(root: Element, vocabulary: Vocabulary | None = None) -> Draft:
    """What the scorecard of a PMML file says.

    >>> from rules.tools.exchange.xml import read_xml
    >>> text = "<PMML xmlns='http://www.dmg.org/PMML-4_4'><TreeModel modelName='t'/></PMML>"
    >>> print(read_pmml(read_xml(text.encode(), "t.pmml")).missing[0])
    t.pmml:1:43: t: a model that is no scorecard
        found: TreeModel
        right: one Scorecard
    """
    models = [child for child in root.children if child.name not in _ABOUT]
    name = next((model.get("modelName") for model in models), "")
    draft = Draft(name or "scorecard", root.place, vocabulary)
    for number, model in enumerate(models):
        with draft.taking():
            if model.name != "Scorecard" or number:
                what = "a model that is no scorecard" if model.name != "Scorecard" else "a second scorecard"
                raise NotTakenError(model.place, model.get("modelName"), model.name, what, "one Scorecard")
            _Scorecard(root, model, draft).take()
    return draft


class _Scorecard:
    def __init__(self, root: Element, model: Element, draft: Draft) -> None:
        self.model, self.draft = model, draft
        dictionary = root.one("DataDictionary")
        self.fields = {f.get("name"): f for f in dictionary.all("DataField")} if dictionary else {}
        schema = model.one("MiningSchema")
        self.mined = {f.get("name"): f for f in schema.all("MiningField")} if schema else {}

    def take(self) -> None:
        """Make a table of each characteristic, and an example of each row of the verification."""
        model, name = self.model, self.model.get("modelName")
        if model.get("initialScore"):
            self.draft.start = _points(model, name, model.get("initialScore"))
        targets = model.one("Targets")
        if targets:
            hint = "the partial scores as they are to count"
            self.draft.lack(targets.place, name, "Targets", "a score that is computed further", hint)
        if self._reasons_in() == "pointsAbove":
            message = "reason codes stand as notes of rows; reasons are points below a baseline"
            self.draft.remark(model.place, name, "pointsAbove", message)
        parts = model.one("Characteristics")
        for element in parts.all("Characteristic") if parts else ():
            with self.draft.taking():
                self._characteristic(element)
        with self.draft.taking():
            self._verify(name)

    def _reasons_in(self) -> str:
        """Where reasons lie: ``pointsBelow`` the baseline, or above it; empty where there are none."""
        unused = self.model.get("useReasonCodes") == "false"
        return "" if unused else self.model.get("reasonCodeAlgorithm") or "pointsBelow"

    def _baseline(self, element: Element, name: str, rows: Iterable[Row]) -> Decimal | None:
        """Of a characteristic, else of the model; None where nobody can be below it."""
        text = element.get("baselineScore") or self.model.get("baselineScore")
        if not text or self._reasons_in() != "pointsBelow":
            return None
        baseline = _points(element, name, text)
        return baseline if baseline > 0 or any(Decimal(row.points) < baseline for row in rows) else None

    def _characteristic(self, element: Element) -> None:
        name = element.get("name") or "Characteristic"
        rows: list[tuple[Asks, Element, Decimal]] = []
        for number, attribute in enumerate(element.all("Attribute"), 1):
            with self.draft.taking():
                where = f"{name} #{number}"
                points = _partial_score(attribute, where)
                predicate = next((c for c in attribute.children if c.name in _PREDICATES), None)
                if predicate is None:
                    raise NotTakenError(attribute.place, where, "", "no predicate", ", ".join(_PREDICATES))
                rows += [(asks, attribute, points) for asks in self._asks(predicate, where)]
        inputs = tuple(dict.fromkeys(chain.from_iterable(asks for asks, _, _ in rows)))
        if not rows:
            return
        if not inputs:
            raise NotTakenError(element.place, name, "", "a characteristic that reads no field", "a field")
        made = tuple(
            Row(
                tuple(asks.get(read) for read in inputs),
                points,
                attribute.place,
                name,
                note=_reason(attribute.get("reasonCode") or element.get("reasonCode")),
            )
            for asks, attribute, points in rows
        )
        title = Title(name, name)
        baseline = self._baseline(element, name, made)
        self.draft.tables.append(
            Table(self.draft.table_id(name), title, inputs, "first", made, element.place, baseline)
        )

    def _asks(self, predicate: Element, where: str) -> list[Asks]:
        """What a predicate asks: any of several, each of which holds together.

        :raises NotTakenError: on what the language can't say.
        """
        try:
            match predicate.name:
                case "True":
                    return [{}]
                case "False":
                    return []
                case "CompoundPredicate":
                    return self._compound(predicate, where)
            read = self._input(predicate.get("field"))
            asked = _asked(predicate, read)
            return [{read: asked}] if asked else []
        except ConditionError as error:
            found = " ".join(predicate.attributes.values())
            raise NotTakenError(predicate.place, where, found, error.message, error.hint) from None

    def _compound(self, predicate: Element, where: str) -> list[Asks]:
        parts = [self._asks(part, where) for part in predicate.all(*_PREDICATES)]
        operator = predicate.get("booleanOperator")
        if operator == "or":
            return list(chain.from_iterable(parts))
        if operator != "and":
            raise ConditionError("a predicate that is no and, no or", "booleanOperator and, or")
        if prod(map(len, parts)) > MAX_ROWS:
            raise ConditionError(f"more than {MAX_ROWS:,} rows", "several tables")
        return [asks for chosen in product(*parts) if (asks := _all_of(chosen)) is not None]

    def _input(self, name: str) -> Input:
        field = self.fields.get(name)
        if field is None:
            raise ConditionError("a field that is not in the DataDictionary", "a DataField")
        kind = _KINDS.get(field.get("dataType"))
        if kind is None:
            raise ConditionError("a type that columns do not have", ", ".join(_KINDS))
        mined, values = self.mined.get(name), field.all("Value")
        if any(value.get("property") == "missing" for value in values):
            raise ConditionError("a value that stands for an unknown one", "no value for what is unknown")
        if mined and mined.get("outliers") not in ("", "asIs"):
            raise ConditionError("outliers that are treated otherwise", 'outliers="asIs"')
        codes = tuple(v.get("value") for v in values if v.get("property") in ("", "valid"))
        title = field.get("displayName") or name
        column = self.draft.column(
            name, Title(title, title), kind, codes if kind == "text" else (), field.place
        )
        instead = mined.get("missingValueReplacement") if mined else ""
        return Input(column, _value(instead, column) if instead else None)

    def _verify(self, name: str) -> None:
        """The cases that the file brings, as examples of the whole pack."""
        verification = self.model.one("ModelVerification")
        if verification is None:
            return
        fields = verification.one("VerificationFields")
        tags = {
            field.get("field"): field.get("column").rpartition(":")[2] or field.get("field")
            for field in (fields.all("VerificationField") if fields else ())
        }
        output = self.model.one("Output")
        predicted = [o.get("name") for o in (output.all("OutputField") if output else ())
                     if o.get("feature") in ("", "predictedValue")]  # fmt: skip
        targets = [n for n, f in self.mined.items() if f.get("usageType") in ("target", "predicted")]
        score = next((field for field in (*predicted, *targets) if field in tags), None)
        table = verification.one("InlineTable")
        for number, row in enumerate(table.all("row") if table else (), 1):
            cells = {child.name: child.text.strip() for child in row.children}
            where = f"{name} ModelVerification #{number}"
            with self.draft.taking():
                expected = _points(row, where, cells.get(tags.get(score or "", ""), ""))
                known_fields = [f for f in tags if f in self.draft.columns and cells.get(tags[f])]
                try:
                    columns = {f: self.draft.columns[f] for f in known_fields}
                    given = {c.name: _value(cells[tags[f]], c) for f, c in columns.items()}
                except ConditionError as error:
                    raise NotTakenError(row.place, where, "", error.message, error.hint) from None
                self.draft.examples.append({"subject": given, "score": expected})


def _all_of(chosen: tuple[Asks, ...]) -> Asks | None:
    """What several ask together; None where nothing matches it."""
    found: dict[Input, Asked] = {}
    for asks in chosen:
        for read, asked in asks.items():
            found[read] = both(found.get(read), asked)
    return None if any(asked is not None and not asked for asked in found.values()) else found


def _asked(predicate: Element, read: Input) -> Match:
    kind, codes = read.column.kind, read.column.codes
    if predicate.name == "SimpleSetPredicate":
        listed = Match()
        for text in _array(predicate):
            listed |= one_value(_value(text, read.column))
        return listed if predicate.get("booleanOperator") == "isIn" else others(listed, kind, codes)
    operator = predicate.get("operator")
    if operator == "isMissing":
        return Match(unknown=True)
    if operator == "isNotMissing":
        return known(kind, codes)
    value = _value(predicate.get("value"), read.column)
    if operator in ("equal", "notEqual"):
        match = one_value(value)
        return match if operator == "equal" else others(match, kind, codes)
    if operator not in _COMPARISONS or isinstance(value, str | bool | int):
        raise ConditionError("a comparison of what has no order", "numbers or dates")
    return compared(_COMPARISONS[operator], value)


def _array(predicate: Element) -> Iterator[str]:
    for found in _WORD.finditer(predicate.words("Array")):
        yield found[2] or found[1].replace('\\"', '"')


def _value(text: str, column: Column) -> Value:
    """A value of a column.

    :raises ConditionError: where the text is none.
    """
    kind = column.kind
    if kind == "text":
        return column.code(text)
    if kind == "boolean" and text in ("true", "false", "1", "0"):
        return text in ("true", "1")
    if kind in ("integer", "decimal") and re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", text):
        return Decimal(text)
    if kind == "date":
        with suppress(ValueError):
            return day_of(text)
    raise ConditionError(f"not a value of type {kind}: {text}", "a value of the field's dataType")


def _partial_score(attribute: Element, where: str) -> Decimal:
    if attribute.one("ComplexPartialScore"):
        hint = "partialScore, a number"
        raise NotTakenError(attribute.place, where, "ComplexPartialScore", "points that are computed", hint)
    return _points(attribute, where, attribute.get("partialScore"))


def _points(element: Element, where: str, text: str) -> Decimal:
    try:
        return points_in(text)
    except ConditionError as error:
        raise NotTakenError(element.place, where, text, error.message, error.hint) from None


def _reason(code: str) -> Title | None:
    return Title(f"原因代码{code}", f"reason code {code}") if code else None
