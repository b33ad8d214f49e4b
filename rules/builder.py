"""The second pass: names, types, conditions and references of a pack, all problems at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from rules import decision_tables as tables
from rules.conditions import ConditionError, Scope, parse_condition, parse_expression
from rules.expressions import (
    BOOLEAN,
    COUNT,
    DATE,
    DECIMAL,
    INTEGER,
    TEXT,
    TOTAL,
    TRUE,
    Expression,
    IsNull,
    Kind,
    Level,
    Literal,
    Name,
    Type,
    Value,
    conjunction,
    names,
    reads_as_of,
)
from rules.fields import OWN_CHOICE
from rules.model import (
    Aggregate,
    Column,
    Decay,
    Example,
    Measure,
    Pack,
    Rule,
    Supervision,
    Table,
    Vocabulary,
    Window,
)
from rules.problems import PackError, Problem
from rules.source import Document, Path
from rules.windows import take_time_out

MAX_RULES = 10_000
MAX_ROWS = 1_000
MAX_DECAY_MONTHS = 120
_TYPES = {"text": TEXT, "integer": INTEGER, "decimal": DECIMAL, "date": DATE, "boolean": BOOLEAN}
T = TypeVar("T")


def build_vocabulary(document: Document, data: Mapping[str, Any], path: Path) -> Vocabulary:
    """A vocabulary from data of the right shape.

    :raises PackError: with every problem found.
    """
    problems: list[Problem] = []
    subject = _table(document, data["subject"], (*path, "subject"), problems)
    records = data["records"] and _table(document, data["records"], (*path, "records"), problems)
    link, date = "", ""
    if records:
        link, date = data["records"]["subject"], data["records"]["date"]
        for role, name, needed in (("subject", link, None), ("date", date, DATE)):
            column = records.columns.get(name)
            if column is None or (needed and column.type != needed):
                where = (*path, "records", role)
                problems.append(document.problem(where, name, "not a column fit for this", f"a column's name ({role})"))
        for name in sorted(set(subject.columns) & set(records.columns) - {link}):
            where = (*path, "records", "columns", name)
            problems.append(document.problem(where, name, "also an attribute of the subject", "a name of its own"))
        if not problems and records.columns[link].type != subject.columns[subject.key].type:
            where = (*path, "records", "subject")
            problems.append(document.problem(where, link, "not of the type of the subject's key", "the same type"))
    if problems:
        raise PackError(problems)
    return Vocabulary(data["vocabulary"], data["title"], subject, records, link, date)


def _table(document: Document, data: Mapping[str, Any], path: Path, problems: list[Problem]) -> Table:
    columns = {
        name: Column(
            name, _TYPES[c["type"]], c["type"], c["title"], c["values"], tuple(c["aliases"]), c["format"]
        )
        for name, c in data["columns"].items()
    }
    key = columns.get(data["key"])
    if key is None or key.type not in (TEXT, INTEGER):
        problems.append(document.problem((*path, "key"), data["key"], "not a key", "a text or integer column's name"))
    return Table(data["key"], columns)


def build_pack(document: Document, data: Mapping[str, Any], vocabulary: Vocabulary) -> Pack:
    """A pack from data of the right shape.

    :raises PackError: with every problem found.
    """
    builder = _Builder(document, data, vocabulary)
    pack = builder.pack()
    if builder.problems:
        raise PackError(builder.problems)
    return pack


class _Builder:
    def __init__(self, document: Document, data: Mapping[str, Any], vocabulary: Vocabulary) -> None:
        self.document, self.data, self.vocabulary = document, data, vocabulary
        self.problems: list[Problem] = []
        self.records = vocabulary.records.columns if vocabulary.records else {}
        self.record_scope = self._record_scope()
        self.scope = self.record_scope
        self.dimensions = {d.id for d in data["dimensions"]}
        self.bases = {b.id for b in data["basis"]} | {OWN_CHOICE}
        self.tiers = [g.tier for g in data["grades"]]

    def pack(self) -> Pack:
        data = self.data
        measures = self._measures()
        self.scope = self._full_scope(measures)
        rules = [
            *(r for i, d in enumerate(data["rules"]) if (r := self._rule(d, ("rules", i)))),
            *(r for i, d in enumerate(data["tables"]) for r in self._table(d, ("tables", i))),
            *(r for i, d in enumerate(data["vetoes"]) if (r := self._veto(d, ("vetoes", i)))),
        ]
        self._check_unique()
        self._check_grades()
        if len(rules) > MAX_RULES:
            self._report((), str(len(rules)), f"more than {MAX_RULES:,} rules", "split it into several packs")
        return Pack(
            id=data["pack"],
            version=data["version"],
            title=data["title"],
            vocabulary=self.vocabulary,
            in_force_from=data["in_force"]["from_"],
            in_force_until=data["in_force"]["until"],
            bases=tuple(data["basis"]),
            score=data["score"],
            dimensions=tuple(data["dimensions"]),
            measures=measures,
            rules=tuple(rules),
            grades=tuple(data["grades"]),
            supervision=self._supervision(),
            examples=self._examples(data["examples"], ("examples",), None),
            place=self.document.place(()),
        )

    # names

    def _record_scope(self) -> Scope:
        columns = {n: Name(n, Level.RECORD, c.type) for n, c in self.records.items()}
        return Scope(columns, {n: frozenset(c.values) for n, c in self.records.items() if c.values})

    def _full_scope(self, measures: Sequence[Measure]) -> Scope:
        attributes = self.vocabulary.subject.columns
        known = dict(self.record_scope.names)
        known.pop(self.vocabulary.record_subject, None)
        known |= {n: Name(n, Level.SUBJECT, c.type) for n, c in attributes.items()}
        known |= {m.id: Name(m.id, Level.MEASURE, m.type) for m in measures}
        values = dict(self.record_scope.values) | {n: frozenset(c.values) for n, c in attributes.items() if c.values}
        for measure in measures:
            if isinstance(measure.operand, Name) and measure.type == TEXT and measure.operand.name in values:
                values[measure.id] = values[measure.operand.name]
        return Scope(known, values)

    def _subject_scope(self) -> Scope:
        columns = self.vocabulary.subject.columns
        return Scope(
            {n: Name(n, Level.SUBJECT, c.type) for n, c in columns.items()},
            {n: frozenset(c.values) for n, c in columns.items() if c.values},
        )

    # reporting

    def _report(self, path: Path, text: str, message: str, hint: str = "", offset: int = 0) -> None:
        self.problems.append(self.document.problem(path, text, message, hint, offset))

    def _try(self, path: Path, text: str, build: Callable[[], T]) -> T | None:
        try:
            return build()
        except ConditionError as error:
            self._report(path, error.text or text, error.message, error.hint, error.offset)
            return None

    def _condition(self, text: str | None, path: Path, scope: Scope | None = None) -> Expression | None:
        if text is None:
            return TRUE
        return self._try(path, text, lambda: parse_condition(text, scope or self.scope))

    # measures

    def _measures(self) -> tuple[Measure, ...]:
        built: dict[str, Measure] = {}
        waiting = dict(self.data["measures"])
        taken = set(self.records) | set(self.vocabulary.subject.columns)
        for name in [n for n in waiting if n in taken]:
            self._report(("measures", name), name, "already a column's name", "a name of its own")
        for stage in (_is_base, _is_ratio, _is_rank):
            for name in [n for n, d in waiting.items() if stage(d)]:
                measure = self._measure(name, waiting.pop(name), built)
                if measure:
                    built[name] = measure
        return tuple(built.values())

    def _measure(self, name: str, data: Mapping[str, Any], built: Mapping[str, Measure]) -> Measure | None:
        path: Path = ("measures", name)
        aggregate = next(a for a in Aggregate if a in data)
        draft = Measure(
            name, data["title"], aggregate, None, TRUE, None, data["by"], None, (), COUNT, self.document.place(path)
        )
        if aggregate is Aggregate.RATIO:
            return self._ratio(draft, data, path, built)
        if aggregate is Aggregate.RANK:
            return self._rank(draft, data, path, built)
        return self._base(draft, data, path)

    def _base(self, draft: Measure, data: Mapping[str, Any], path: Path) -> Measure | None:
        if not self.records:
            self._report(path, "", "the vocabulary has no records to measure", "attributes alone")
            return None
        where = self._condition(data["where"], (*path, "where"), self.record_scope)
        if where is not None:
            self._try((*path, "where"), data["where"] or "", lambda: take_time_out(where))
        operand, kind = self._operand(draft.aggregate, data, path)
        window = self._window(data["within"] or _NO_WINDOW, (*path, "within"), Level.RECORD, self.record_scope)
        if data["by"] and data["by"] not in self.records:
            self._report((*path, "by"), data["by"], "not a column of a record", "a record's column")
        if where is None or kind is None or window is None:
            return None
        take = Aggregate(data["take"]) if data["take"] else None
        if take is Aggregate.COUNT:
            kind = COUNT
        elif take is not None and (kind.kind is not Kind.NUMBER):
            self._report((*path, "take"), data["take"], f"{take} of {kind} values", "a number, or take: count")
            return None
        elif take is Aggregate.SUM:
            kind = TOTAL
        return replace(draft, operand=operand, where=where, window=window, take=take, type=kind)

    def _operand(
        self, aggregate: Aggregate, data: Mapping[str, Any], path: Path
    ) -> tuple[Expression | None, Type | None]:
        if aggregate is Aggregate.COUNT:
            return None, COUNT
        text, where = data[aggregate], (*path, str(aggregate))
        operand = self._try(where, text, lambda: parse_expression(text, self.record_scope))
        if operand is None:
            return None, None
        kind = operand.type.kind
        if aggregate is Aggregate.LATEST:
            if not isinstance(operand, Name):
                self._report(where, text, "not a column", "the name of a record's column")
                return operand, None
            return operand, operand.type
        if reads_as_of(operand) or kind in (Kind.TEXT, Kind.BOOLEAN):
            self._report(where, text, f"no {aggregate} of this", "a number, or for min and max also a date")
            return operand, None
        if aggregate in (Aggregate.MIN, Aggregate.MAX):
            return operand, operand.type
        if kind is not Kind.NUMBER or operand.type.whole > DECIMAL.whole + 4 or operand.type.scale > DECIMAL.scale:
            self._report(where, text, f"no exact {aggregate} of this", "a number column or a sum of two")
            return operand, None
        return operand, TOTAL

    def _ratio(
        self, draft: Measure, data: Mapping[str, Any], path: Path, built: Mapping[str, Measure]
    ) -> Measure | None:
        for index, part in enumerate(data["ratio"]):
            found = built.get(part)
            if found is None or found.type.kind is not Kind.NUMBER or found.aggregate is Aggregate.RATIO:
                self._report(
                    (*path, "ratio", index), part, "not a measure that a ratio can use", "a number measure, no ratio"
                )
                return None
        return replace(draft, parts=tuple(data["ratio"]), type=TOTAL)

    def _rank(
        self, draft: Measure, data: Mapping[str, Any], path: Path, built: Mapping[str, Measure]
    ) -> Measure | None:
        found = built.get(data["rank"])
        where = self._condition(data["where"], (*path, "where"), self._subject_scope())
        if found is None or found.type.kind is not Kind.NUMBER or found.aggregate is Aggregate.RANK:
            self._report((*path, "rank"), data["rank"], "not a measure that can be ranked", "a number measure")
            return None
        if where is None or reads_as_of(where):
            self._report((*path, "where"), str(data["where"]), "not a condition on attributes alone", "attributes")
            return None
        return replace(draft, parts=(data["rank"], data["order"]), where=where)

    # rules

    def _rule(self, data: Mapping[str, Any], path: Path) -> Rule | None:
        self._check_references(data, path)
        when = self._condition(data["when"], (*path, "when"))
        per = self._per(data, path)
        if when is None or (data["per"] and per is None):
            return None
        self._try((*path, "when"), data["when"], lambda: take_time_out(when))
        level = self._level(when, per, data["counts"], path)
        window = self._counts(data["counts"], path, level)
        if per is not None and window is not None and window.decay:
            self._report((*path, "per"), data["per"], "per and decay exclude each other", "one of the two")
        return self._finish(data, path, Rule(
            id=data["id"], title=data["title"], level=level, dimension=data["dimension"], when=when,
            points=data["points"], per=per, window=window, cap=data["cap"], tier=None, table=None,
            citations=data["basis"], place=self.document.place(path),
        ))  # fmt: skip

    def _veto(self, data: Mapping[str, Any], path: Path) -> Rule | None:
        self._check_references(data, path)
        if data["tier"] not in self.tiers:
            self._report((*path, "tier"), data["tier"], "no such tier", f"one of {', '.join(self.tiers)}")
        when = self._condition(data["when"], (*path, "when"))
        if when is None:
            return None
        self._try((*path, "when"), data["when"], lambda: take_time_out(when))
        level = self._level(when, None, data["counts"], path)
        return self._finish(data, path, Rule(
            id=data["id"], title=data["title"], level=level, dimension=None, when=when, points=None, per=None,
            window=self._counts(data["counts"], path, level), cap=None, tier=data["tier"], table=None,
            citations=data["basis"], place=self.document.place(path),
        ))  # fmt: skip

    def _finish(self, data: Mapping[str, Any], path: Path, rule: Rule) -> Rule:
        return replace(rule, examples=self._examples(data["examples"], (*path, "examples"), rule))

    def _per(self, data: Mapping[str, Any], path: Path) -> Expression | None:
        text, where = data["per"], (*path, "per")
        if not text:
            return None
        per = self._try(where, text, lambda: parse_expression(text, self.scope))
        if per is None:
            return None
        if per.type.kind is not Kind.NUMBER or reads_as_of(per) or per.type.whole + per.type.scale > 29:
            self._report(where, text, "not a number to multiply points by", "a number column or measure")
            return None
        return per

    def _level(self, when: Expression, per: Expression | None, counts: Any, path: Path) -> Level:
        read = names(when) | (names(per) if per else frozenset())
        for key in ("from_", "until"):
            text = (counts or {}).get(key)
            if text:
                where = (*path, "counts", key.rstrip("_"))
                bound = self._try(where, text, lambda text=text: parse_expression(text, self.scope))  # type: ignore[misc]
                read |= names(bound) if bound else frozenset()
        return Level.RECORD if any(n.level is Level.RECORD for n in read) else Level.SUBJECT

    def _counts(self, data: Any, path: Path, level: Level) -> Window | None:
        if data is None and level is Level.SUBJECT:
            return None
        return self._window(data or _NO_WINDOW, (*path, "counts"), level, self.scope)

    def _window(self, data: Mapping[str, Any], path: Path, level: Level, scope: Scope) -> Window | None:
        default = self.vocabulary.record_date if level is Level.RECORD else None
        text = data["from_"] or default
        if text is None:
            self._report(path, "", "a window of a subject needs its 'from'", "from: a date attribute")
            return None
        start = self._date(text, (*path, "from"), scope)
        until = self._date(data["until"], (*path, "until"), scope) if data["until"] else None
        decay = self._decay(data, path)
        if start is None or (data["until"] and until is None):
            return None
        return Window(start, data["months"], data["days"], until, decay)

    def _date(self, text: str, path: Path, scope: Scope) -> Expression | None:
        found = self._try(path, text, lambda: parse_expression(text, scope))
        if found is not None and (found.type != DATE or reads_as_of(found) or isinstance(found, Literal)):
            self._report(path, text, "not a date of the record or subject", "a date column, such as occurred_on")
            return None
        return found

    def _decay(self, data: Mapping[str, Any], path: Path) -> tuple[Decay, ...]:
        decay, months = data["decay"], data["months"]
        last = months if decay == "linear" else decay[-1].months if decay else 0
        if last > MAX_DECAY_MONTHS:
            self._report((*path, "decay"), str(last), "a decay over too long a time", f"{MAX_DECAY_MONTHS} months")
            return ()
        if decay == "linear":
            return tuple(Decay(k, Fraction(months - k, months)) for k in range(1, months))
        return decay or ()

    # tables

    def _table(self, data: Mapping[str, Any], path: Path) -> list[Rule]:
        self._check_references(data, path)
        if len(data["rows"]) > MAX_ROWS:
            self._report((*path, "rows"), str(len(data["rows"])), f"more than {MAX_ROWS:,} rows", "several tables")
            return []
        where = self._condition(data["where"], (*path, "where"))
        inputs = self._inputs(data, path)
        cells = self._cells(data, path, len(inputs) if inputs else 0)
        if where is None or inputs is None or cells is None:
            return []
        self._try((*path, "where"), data["where"] or "", lambda: take_time_out(where))
        if data["hit"] == "unique" and (pair := tables.clash(cells)):
            rows = f"rows {pair[0] + 1} and {pair[1] + 1}"
            self._report((*path, "rows", pair[1]), rows, f"{rows} can match together", "hit: first, or rows apart")
        conditions = [self._row_condition(row, inputs, (*path, "rows", i)) for i, row in enumerate(cells)]
        if any(c is None for c in conditions):
            return []
        known = [c for c in conditions if c is not None]
        level = self._level(conjunction((where, *(_touch(i) for i in inputs))), None, data["counts"], path)
        window = self._counts(data["counts"], path, level)
        built = []
        for index, row in enumerate(data["rows"]):
            own = tables.first_only(cells, known, index) if data["hit"] == "first" else known[index]
            row_path = (*path, "rows", index)
            built.append(Rule(
                id=f"{data['id']}.{index + 1}", title=row["title"] or data["title"], level=level,
                dimension=data["dimension"], when=conjunction((where, own)),
                points=row["points"], per=None, window=window, cap=data["cap"], tier=None, table=data["id"],
                citations=data["basis"], place=self.document.place(row_path),
            ))  # fmt: skip
        examples = self._examples(data["examples"], (*path, "examples"), built[0])
        return [replace(built[0], examples=examples), *built[1:]]

    def _inputs(self, data: Mapping[str, Any], path: Path) -> list[Expression] | None:
        texts = [(data["input"], (*path, "input"))] if "input" in data else []
        texts += [(text, (*path, "inputs", i)) for i, text in enumerate(data.get("inputs", ()))]
        inputs = []
        for text, where in texts:
            found = self._try(where, text, lambda text=text: parse_expression(text, self.scope))  # type: ignore[misc]
            if found is not None and reads_as_of(found):
                self._report(where, text, "as_of can't be an input", "a column or measure")
                found = None
            inputs.append(found)
        return None if any(i is None for i in inputs) else [i for i in inputs if i is not None]

    def _cells(self, data: Mapping[str, Any], path: Path, width: int) -> list[list[tables.Cell]] | None:
        rows: list[list[tables.Cell]] = []
        for index, row in enumerate(data["rows"]):
            row_path = (*path, "rows", index)
            if width and len(row["cells"]) != width:
                self._report(row_path, "", f"{len(row['cells'])} cells for {width} inputs", "a cell for each input")
                continue
            cells = [self._try(row_path, str(c), lambda c=c: tables.read_cell(c)) for c in row["cells"]]  # type: ignore[misc]
            if all(c is not None for c in cells):
                rows.append([c for c in cells if c is not None])
        return rows if len(rows) == len(data["rows"]) else None

    def _row_condition(
        self, cells: Sequence[tables.Cell], inputs: Sequence[Expression], path: Path
    ) -> Expression | None:
        terms: list[Expression] = []
        for cell, operand in zip(cells, inputs, strict=True):
            found = self._try(path, "", lambda c=cell, o=operand: tables.cell_condition(c, o, self.scope))  # type: ignore[misc]
            if found is None:
                return None
            terms += found
        return conjunction(tuple(terms))

    # examples

    def _examples(self, data: Sequence[Mapping[str, Any]], path: Path, rule: Rule | None) -> tuple[Example, ...]:
        return tuple(e for i, d in enumerate(data) if (e := self._example(d, (*path, i), rule)))

    def _example(self, data: Mapping[str, Any], path: Path, rule: Rule | None) -> Example | None:
        problems = len(self.problems)
        attributes = self.vocabulary.subject.columns
        subject = self._row(data["subject"], attributes, (*path, "subject"))
        records = [self._row(r, self.records, (*path, "records", i)) for i, r in enumerate(data["records"])]
        if data["given"] is not None:
            own = {k: v for k, v in data["given"].items() if k in attributes}
            rest = {k: v for k, v in data["given"].items() if k not in attributes}
            subject |= self._row(own, attributes, (*path, "given"))
            if self.records and (rest or (rule and rule.level is Level.RECORD)):
                records.append(self._row(rest, self.records, (*path, "given")))
            elif rest:
                self._report((*path, "given"), ", ".join(rest), "no such attribute", f"one of {', '.join(attributes)}")
        self._date_records(records, data["as_of"], rule)
        hit, points = data["hit"], data["points"]
        if rule is not None and hit is None:
            hit = True if points is not None or data["tier"] is not None else None
        if (rule is not None and hit is None) or (rule is None and data["score"] is None and data["tier"] is None):
            hint = "points: -4, hit: false or tier: D" if rule else "score: 80 or tier: B"
            self._report(path, "", "nothing is expected", hint)
        if len(self.problems) > problems:
            return None
        return Example(
            subject, tuple(records), data["as_of"], hit, points, data["score"], data["tier"], self.document.place(path)
        )

    def _date_records(self, records: Sequence[dict[str, Value | None]], as_of: dt.date, rule: Rule | None) -> None:
        """A record of an example that says nothing of its date is of the example's day."""
        start = rule.window.start if rule and rule.window else None
        column = start.name if isinstance(start, Name) and start.level is Level.RECORD else self.vocabulary.record_date
        for record in records:
            record.setdefault(column, as_of)

    def _row(
        self, data: Mapping[str, Any], columns: Mapping[str, Column], path: Path
    ) -> dict[str, Value | None]:
        row: dict[str, Value | None] = {}
        for name, value in data.items():
            column = columns.get(name)
            if column is None:
                self._report((*path, name), name, "no such column", f"one of {', '.join(columns)}")
                continue
            fits = value is None or _fits(column, value)
            if not fits:
                wanted = f"one of {', '.join(column.values)}" if column.values else f"a value of type {column.declared}"
                self._report((*path, name), str(value), f"not a value of {name}", wanted)
            row[name] = Decimal(value) if fits and column.declared == "decimal" and value is not None else value
        return row

    # references

    def _check_references(self, data: Mapping[str, Any], path: Path) -> None:
        dimension = data.get("dimension")
        if dimension is not None and dimension not in self.dimensions:
            known = ", ".join(sorted(self.dimensions)) or "none is declared"
            self._report((*path, "dimension"), dimension, "no such dimension", f"one of {known}")
        for citation in data["basis"]:
            if citation.basis not in self.bases:
                known = ", ".join(sorted(self.bases))
                self._report((*path, "basis"), str(citation), "the pack has no such basis", f"one of {known}")

    def _check_unique(self) -> None:
        for part in ("rules", "vetoes", "tables", "dimensions", "basis"):
            ids = [_id(entry) for entry in self.data[part]]
            for index, count in enumerate(ids):
                if ids.index(count) != index:
                    self._report((part, index, "id"), count, "the id stands here twice", "an id of its own")
        everything = Counter(_id(e) for part in ("rules", "vetoes", "tables") for e in self.data[part])
        for name, count in everything.items():
            if count > 1 and not any(p.text == name for p in self.problems):
                self._report((), name, "an id of two parts of the pack", "an id of its own")

    def _check_grades(self) -> None:
        grades = self.data["grades"]
        for index, (better, worse) in enumerate(zip(grades, grades[1:], strict=False)):
            if better.lowest <= worse.lowest:
                self._report(("grades", index + 1, "from"), worse.tier, "not below the grade before it", "best first")
        if grades[-1].lowest > self.data["score"].min:
            last = grades[-1]
            text = f"from: {Decimal(last.lowest) / 100}"
            self._report(("grades", len(grades) - 1, "from"), text, "scores below it have no grade", "from: score.min")
        if len(set(self.tiers)) < len(self.tiers):
            self._report(("grades",), ", ".join(self.tiers), "a tier stands here twice", "each tier once")

    def _supervision(self) -> tuple[Supervision, ...]:
        given = self.data["supervision"]
        for tier in given:
            if tier not in self.tiers:
                self._report(("supervision", tier), tier, "no such tier", f"one of {', '.join(self.tiers)}")
        if given:
            for tier in self.tiers:
                if tier not in given:
                    self._report(("supervision",), "", f"tier {tier} is missing", "an entry for every tier")
        return tuple(
            Supervision(tier=tier, measures=tuple(given[tier].pop("measures")), **given[tier])
            for tier in self.tiers
            if tier in given
        )


_NO_WINDOW: Mapping[str, Any] = {"from_": None, "months": None, "days": None, "until": None, "decay": None}


def _is_base(data: Mapping[str, Any]) -> bool:
    return not _is_ratio(data) and not _is_rank(data)


def _is_ratio(data: Mapping[str, Any]) -> bool:
    return "ratio" in data


def _is_rank(data: Mapping[str, Any]) -> bool:
    return "rank" in data


def _touch(operand: Expression) -> Expression:
    """A condition that reads what the operand reads, to learn the level of a table."""
    return IsNull(operand)


def _id(entry: Any) -> str:
    return str(entry["id"] if isinstance(entry, Mapping) else entry.id)


def _fits(column: Column, value: object) -> bool:
    if column.values:
        return value in column.values
    match column.declared:
        case "text":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "decimal":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "date":
            return isinstance(value, dt.date)
        case _:
            return isinstance(value, bool)
