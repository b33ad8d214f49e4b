"""Examples of a pack as sheets that an officer fills in, and back into the text of the pack.

The first sheet has a row for each example: what is given of the subject, what is expected, what came. The
second has its records, told apart by the example's number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import yaml

from rules.fault import Fault, PackError, Place
from rules.language.expressions import Kind
from rules.language.parse import ConditionError
from rules.model import Column, Example, Pack
from rules.nearest import one_of
from rules.tools.exchange.draft import points_in
from rules.tools.exchange.pack import dumped_in_line
from rules.tools.exchange.scorecard import Line
from rules.tools.layout import layout

EXAMPLES, RECORDS = "示例 examples", "记录 records"
NO, RULE, AS_OF = "序号 no", "规则 rule", "评价基准日 as_of"
EXPECTED = {
    "hit": "应适用 hit",
    "points": "应得分值 points",
    "score": "应得分 score",
    "tier": "应为等级 tier",
    "value": "应得值 value",
}
GOT, PASSED = "实为 got", "通过 passed"
_TRUTHS = {"true": True, "false": False, "是": True, "否": False, "1": True, "0": False}
_UNKNOWN = "null"
_ANY_EXPECTED = "points: -4, hit: false or tier: D"
Owned = Mapping[str | None, Sequence[Mapping[str, Any]]]
"""Examples as a pack's text has them, by the rule, table or veto that they stand in; None: the whole pack."""


def sheets(
    pack: Pack, results: Iterable[tuple[str | None, Example, str, bool]]
) -> dict[str, list[list[Any]]]:
    """The rows of each sheet, headers first.

    :param results: of each example: what it stands in, itself, what came, and whether that was expected.
    """
    found = list(results)
    deciding = {measure.id for measure in pack.measures if measure.decision}
    subject = _used(pack.vocabulary.subject.columns, (e.subject for _, e, _, _ in found))
    record_columns = pack.vocabulary.records.columns if pack.vocabulary.records else {}
    record = _used(record_columns, (r for _, e, _, _ in found for r in e.records))
    rows: list[list[Any]] = [[NO, RULE, AS_OF, *map(_header, subject), *EXPECTED.values(), GOT, PASSED]]
    records: list[list[Any]] = [[NO, *map(_header, record)]]
    for number, (owner, example, got, passed) in enumerate(found, 1):
        given = [_cell(example.subject, column) for column in subject]
        hundredths = (None if p is None else Decimal(p).scaleb(-2) for p in (example.points, example.score))
        value = _UNKNOWN if owner in deciding and example.value is None else example.value
        expected = [example.hit, *hundredths, example.tier, value]
        rows.append([number, owner, example.as_of, *given, *expected, got, passed])
        records += [[number, *(_cell(row, column) for column in record)] for row in example.records]
    return {EXAMPLES: rows, **({RECORDS: records} if pack.vocabulary.records else {})}


def _used(columns: Mapping[str, Column], rows: Iterable[Mapping[str, Any]]) -> list[Column]:
    names = {name for row in rows for name in row}
    return [column for name, column in columns.items() if name in names]


def _header(column: Column) -> str:
    return f"{column.title.zh} {column.name}"


def _cell(row: Mapping[str, Any], column: Column) -> Any:
    value = row.get(column.name)
    if column.name in row and value is None:
        return _UNKNOWN
    is_long = isinstance(value, int | Decimal) and len(Decimal(value).as_tuple().digits) > _DIGITS
    return str(value) if is_long else value


_DIGITS = 15
"""Of a number, as many as a spreadsheet keeps."""


def read_examples(found: Mapping[str, Sequence[Line]], pack: Pack, file: str) -> Owned:
    """The examples in the sheets of a workbook; what came is passed over.

    :param found: the rows of each sheet, by its name.
    :raises PackError: naming the cells that hold what a pack can't.
    """
    reader = _Reader(pack, file)
    examples = reader.read(found)
    if reader.faults:
        raise PackError(reader.faults)
    return examples


class _Reader:
    def __init__(self, pack: Pack, file: str) -> None:
        self.pack, self.file = pack, file
        self.faults: list[Fault] = []
        self.decided = {measure.id: measure.type for measure in pack.measures if measure.decision}
        self.owners = {*(rule.table or rule.id for rule in pack.rules), *self.decided}

    def read(self, found: Mapping[str, Sequence[Line]]) -> Owned:
        records: dict[str, list[dict[str, Any]]] = {}
        columns = self.pack.vocabulary.records.columns if self.pack.vocabulary.records else {}
        for row, given in self._rows(RECORDS, found.get(RECORDS, ()), columns):
            records.setdefault(row[NO][0], []).append(given)
        examples: dict[str | None, list[dict[str, Any]]] = {}
        for row, given in self._rows(EXAMPLES, found[EXAMPLES], self.pack.vocabulary.subject.columns):
            number, place = row[NO]
            owner = row[RULE][0] or None
            if owner is not None and owner not in self.owners:
                self._complain(row[RULE][1], RULE, owner, "no such rule", one_of(owner, self.owners))
            said = {
                name: self._expected(name, owner, *row[head])
                for name, head in EXPECTED.items()
                if row.get(head, ("",))[0]
            }
            if not said:
                hint = "value: what the table gives, or null" if owner in self.decided else _ANY_EXPECTED
                self._complain(place, number, "", "nothing is expected", hint)
            day = self._value(row[AS_OF][0], "date", row[AS_OF][1], AS_OF)
            own = records.pop(number, [])
            parts = {"subject": given, "records": own}
            examples.setdefault(owner, []).append(
                {**{k: v for k, v in parts.items() if v}, "as_of": day, **said}
            )
        for number in records:
            place = Place(self.file, 1, 1)
            self._complain(place, RECORDS, number, "records of no example", f"a row {number} in {EXAMPLES}")
        return examples

    def _rows(
        self, sheet: str, lines: Sequence[Line], columns: Mapping[str, Column]
    ) -> Iterator[tuple[dict[str, tuple[str, Place]], dict[str, Any]]]:
        """Of each row the cells under headers of ours, with their places, and the values of columns."""
        if not lines:
            return
        heads = [head.strip() for head in lines[0][1]]
        own = {NO, RULE, AS_OF, *EXPECTED.values(), GOT, PASSED}
        for at, head in enumerate(heads, 1):
            name = head.rpartition(" ")[2]
            if head and head not in own and name not in columns:
                self._complain(
                    Place(self.file, lines[0][0], at),
                    sheet,
                    head,
                    "no such column",
                    one_of(name, {n: c.title for n, c in columns.items()}),
                )
        for number, cells in lines[1:]:
            row, given = {}, {}
            for at, (head, text) in enumerate(zip(heads, cells, strict=False), 1):
                place, name = Place(self.file, number, at), head.rpartition(" ")[2]
                if head in own:
                    row[head] = text.strip(), place
                elif text and name in columns:
                    given[name] = self._value(text, columns[name].declared, place, head)
            missing = [
                head for head in ((NO, RULE, AS_OF) if sheet == EXAMPLES else (NO,)) if head not in row
            ]
            for head in missing:
                self._complain(Place(self.file, number, 1), sheet, "", "no such column", head)
            if not missing and any(cells):
                yield row, given

    def _expected(self, name: str, owner: str | None, text: str, place: Place) -> Any:
        if name == "tier":
            return text
        if name == "hit":
            return self._value(text, "boolean", place, EXPECTED[name])
        if name == "value":
            is_number = owner in self.decided and self.decided[owner].kind is Kind.NUMBER
            return self._value(text, "decimal" if is_number else "text", place, EXPECTED[name])
        try:
            return points_in(text)
        except ConditionError as error:
            return self._complain(place, EXPECTED[name], text, error.message, error.hint)

    def _value(self, text: str, declared: str, place: Place, name: str) -> Any:
        if text == _UNKNOWN:
            return None
        try:
            if declared == "date":
                return dt.date.fromisoformat(text.strip())
            if declared == "boolean":
                return _TRUTHS[text.strip().casefold()]
            if declared in ("integer", "decimal"):
                return Decimal(text.strip())
        except (ValueError, KeyError, ArithmeticError):
            return self._complain(
                place, name, text, f"not a value of type {declared}: {text}", f"a {declared}"
            )
        return text

    def _complain(self, place: Place, name: str, found: str, message: str, hint: str) -> None:
        self.faults.append(Fault(place, name, found, message, hint))


def with_examples(text: str, file: str, examples: Owned) -> str:
    """The text of a pack with other examples, in the one layout: those of each owner named take the place of
    those that it had. All else stays, comments too.

    >>> from rules.library.loader import PACKS
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> case = {"subject": {}, "hit": False}
    >>> "- {subject: {}, hit: false}" in with_examples(text, "x.yaml", {"scheme.joined": [case]})
    True
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), "the text of a pack that was loaded"
    edits = [_edit(text, node, examples[owner]) for owner, node in _owners(root) if owner in examples]
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return layout(text, file)


def _owners(root: yaml.MappingNode) -> Iterator[tuple[str | None, yaml.MappingNode]]:
    yield None, root
    for key, value in root.value:
        if key.value in ("rules", "vetoes", "tables", "consequences"):
            for entry in value.value:
                ids = [v.value for k, v in entry.value if k.value == "id"]
                yield ids[0], entry


def _edit(text: str, node: yaml.MappingNode, examples: Sequence[Mapping[str, Any]]) -> tuple[int, int, str]:
    """From where to where the text is replaced by what."""
    lines = [dumped_in_line(example) for example in examples]
    margin = " " * node.value[0][0].start_mark.column
    new = f"examples: [{', '.join(lines)}]" if node.flow_style else "\n".join(
        ["examples:", *(f"{margin}  - {line}" for line in lines)]
    )  # fmt: skip
    for key, value in node.value:
        if key.value == "examples":
            return key.start_mark.index, _end(text, value), new
    end = _end(text, node.value[-1][1])
    if node.flow_style:
        return end, end, f", {new}"
    end = text.find("\n", end) if "\n" in text[end:] else len(text)
    return end, end, f"\n{margin}{new}"


def _end(text: str, node: yaml.Node) -> int:
    """Where the last value in a node ends; behind it may stand comments that are not of the node."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    return len(text[:end].rstrip())
