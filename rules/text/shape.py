"""The shape of a pack and of a vocabulary: which keys there are and what each may hold.

Loading gives dictionaries of checked values; conditions are still text, since their names are known only
when the whole pack is (:mod:`rules.library.loader`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validate, validates_schema

from rules.model import (
    ANYTHING,
    EARLIEST,
    LATEST,
    OVER_GROUP,
    Aggregate,
    Authority,
    Basis,
    Decay,
    Dimension,
    Grade,
    Kind,
    Possible,
    Score,
)
from rules.text import fields as own
from rules.text.fields import complaint

AGGREGATES = tuple(str(a) for a in Aggregate if a is not Aggregate.RUN)
TAKES = ("max", "min", "sum", "count")
GROUP_TAKES = (*TAKES, "run")
HITS = ("unique", "first", "any", "priority", "collect")
POINTS, NUMBER = "points", "number"
MISSING = fields.Field.default_error_messages["required"]
UNKNOWN_KEY = "no such key"
NO_SUCH_WORD = "not one of the words allowed"
LANES = ("fast", "normal", "careful", "none")
TYPES = ("text", "integer", "decimal", "date", "boolean")


def one_of(choices: tuple[str, ...]) -> validate.OneOf:
    """A closed list of words."""
    return validate.OneOf(choices, error=f"{NO_SUCH_WORD}\0{', '.join(choices)}")


class Strict(Schema):
    """A mapping of known keys; an unknown one is an error that lists them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        known = ", ".join(f.data_key or name for name, f in self.fields.items())
        self.error_messages = {
            "unknown": f"{UNKNOWN_KEY}\0{known}",
            "type": f"not a mapping\0keys: {known}",
        }


def nested(schema: type[Schema], **kwargs: Any) -> fields.Nested:
    return fields.Nested(schema, **kwargs)


def many(schema: type[Schema]) -> fields.List[Any]:
    """A list of mappings; absent means none."""
    return fields.List(fields.Nested(schema), load_default=list)


class ScoreSchema(Strict):
    start = own.Points(required=True)
    min = own.Points(required=True)
    max = own.Points(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Score:
        if not data["min"] <= data["start"] <= data["max"]:
            raise complaint("start is not between min and max", "min ≤ start ≤ max")
        return Score(**data)


class InForceSchema(Strict):
    from_ = own.Date(required=True, data_key="from")
    until = own.Date(load_default=None)

    @validates_schema
    def ordered(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("until") and "from_" in data and data["until"] <= data["from_"]:
            raise complaint("ends before it begins", "until after from")


class BasisSchema(Strict):
    id = own.Identifier(required=True)
    title = own.Text(required=True)
    short = own.Text(load_default=None)
    in_force_from = own.Date(load_default=None)
    repealed_on = own.Date(load_default=None)
    replaced_by = own.Identifier(load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Basis:
        begins, ends = data["in_force_from"], data["repealed_on"]
        if begins and ends and ends <= begins:
            raise complaint("repealed before it is in force", "repealed_on after in_force_from")
        if data["replaced_by"] and not ends:
            raise complaint("replaced and not repealed", "repealed_on: 2026-04-01, or no replaced_by")
        return Basis(**{**data, "short": data["short"] or data["title"]})


def _not_above_nothing(floor: int) -> None:
    if floor > 0:
        message = "a dimension without a hit gives 0: a floor above that would never be met"
        raise complaint(message, "a floor of 0 or less, such as -60; points that everybody has: score.start")


def _not_below_nothing(ceiling: int) -> None:
    if ceiling < 0:
        message = "a dimension without a hit gives 0: a ceiling below that would never be kept"
        raise complaint(
            message, "a ceiling of 0 or more, such as 8; points that everybody loses: score.start"
        )


class DimensionSchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    floor = own.Points(load_default=None, validate=_not_above_nothing)
    ceiling = own.Points(load_default=None, validate=_not_below_nothing)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Dimension:
        return Dimension(**data)


class DecaySchema(Strict):
    after = own.Count(required=True)
    keep = own.Fractional(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Decay:
        return Decay(data["after"], data["keep"])


class DecayField(fields.Field[Any]):
    """``linear``, or steps."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value == "linear":
            return value
        if isinstance(value, list) and value:
            steps = DecaySchema(many=True).load(value)
            months = [step.months for step in steps]
            if months == sorted(set(months)):
                return tuple(steps)
        raise complaint("not a decay", "linear, or steps in order: [{after: 6, keep: 0.5}]")


class WindowSchema(Strict):
    from_ = own.Text(load_default=None, data_key="from")
    months = own.Count(load_default=None)
    days = own.Count(load_default=None, most=400_000)
    until = own.Text(load_default=None)
    decay = DecayField(load_default=None)

    @validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("months") and data.get("days"):
            raise complaint("both months and days", "one of the two")
        decay, months = data.get("decay"), data.get("months")
        if decay and not months:
            raise complaint("a decay without its length", "months: 12")
        if decay and decay != "linear" and decay[-1].months >= months:
            raise complaint("a decay step after the window's end", f"after: less than {months}")


class ExampleSchema(Strict):
    given = fields.Dict(keys=fields.String(), load_default=None)
    subject = fields.Dict(keys=fields.String(), load_default=dict)
    records = fields.List(fields.Dict(keys=fields.String()), load_default=list)
    as_of = own.Date(required=True)
    points = own.Points(load_default=None)
    score = own.Points(load_default=None)
    hit = own.Flag(load_default=None)
    tier = own.Text(load_default=None)
    value = fields.Raw(allow_none=True)


class RuleSchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    note = own.TitleField(load_default=None)
    dimension = own.Identifier(required=True)
    when = own.Text(required=True)
    points = own.DatedPoints(required=True)
    per = own.Text(load_default=None)
    counts = nested(WindowSchema, load_default=None)
    cap = own.Points(load_default=None)
    baseline = own.Points(load_default=None)
    basis = own.CitationField(required=True)
    examples = many(ExampleSchema)


class VetoSchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    note = own.TitleField(load_default=None)
    when = own.Text(load_default=None)
    below = fields.Dict(keys=own.Identifier(), values=own.Points(), load_default=dict)
    tier = own.Text()
    lowers = own.Count()
    counts = nested(WindowSchema, load_default=None)
    basis = own.CitationField(required=True)
    examples = many(ExampleSchema)

    @validates_schema
    def one_result(self, data: dict[str, Any], **_: Any) -> None:
        if ("tier" in data) == ("lowers" in data):
            raise complaint("neither or both of tier and lowers", "tier: D, or lowers: 1")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["when"] is None and not data["below"]:
            raise ValidationError({"when": [MISSING]})
        return data


class ConsequenceSchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    note = own.TitleField(load_default=None)
    when = own.Text(required=True)
    counts = nested(WindowSchema, load_default=None)
    basis = own.CitationField(required=True)
    examples = many(ExampleSchema)


class EventSchema(Strict):
    when = own.Text(required=True)
    times = own.Count(load_default=1, most=10)
    stands_until = own.Text(load_default=None)


class AlertWindowSchema(Strict):
    days = own.Count(required=True, most=40_000)


class AlertSchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    events = fields.List(fields.Nested(EventSchema), required=True, validate=validate.Length(min=1))
    same = own.ColumnName(load_default=None)
    within = nested(AlertWindowSchema, load_default=None)
    basis = own.CitationField(required=True)

    @validates_schema
    def several_events(self, data: dict[str, Any], **_: Any) -> None:
        if not 2 <= sum(event["times"] for event in data.get("events", ())) <= 10:
            raise complaint("not a pattern of 2 to 10 records", "two events, or one with times: 3")


class RemedySchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    when = own.Text(required=True)
    changes = fields.Dict(
        keys=own.ColumnName(), values=fields.Raw(), required=True, validate=validate.Length(min=1)
    )
    after = own.Text(load_default=None)
    needs = fields.List(own.TitleField(), load_default=list)
    basis = own.CitationField(required=True)


class TogetherSchema(Strict):
    rules = fields.List(own.Identifier(), required=True, validate=validate.Length(min=1))
    why = own.TitleField(required=True)


class RowSchema(Strict):
    """The long form of a row; what it leaves out is the table's."""

    when = fields.Raw(required=True)
    points = fields.Raw()
    gives = fields.Raw()
    title = own.TitleField(load_default=None)
    note = own.TitleField(load_default=None)
    basis = own.CitationField(load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        when = data.pop("when")
        return {"cells": when if isinstance(when, list) else [when], **data}


class RowField(fields.Field[Any]):
    """``[cells…, result]`` or ``{when: [cells], points or gives, title, note, basis}``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list) and len(value) >= 2:
            return {"cells": value[:-1], "result": value[-1], **_AS_THE_TABLE}
        if isinstance(value, dict):
            return RowSchema().load(value)
        raise complaint("not a row", "[cell, points], or {when: [cells], points: 4, title: …}")


_AS_THE_TABLE: Mapping[str, None] = {"title": None, "note": None, "basis": None}


class GivesField(fields.Field[Any]):
    """``points``, ``number``, or the texts that a table can give: codes, or codes with titles."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value in (POINTS, NUMBER):
            return value
        listed = dict.fromkeys(value) if isinstance(value, list) and _are_texts(value) else value
        if not isinstance(listed, dict) or not listed or not _are_texts(listed):
            raise complaint("not what a table gives", "points, number, or texts: {high: {zh: 高, en: High}}")
        return {code: own.TitleField().deserialize(title or code) for code, title in listed.items()}


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) and value.strip() for value in values)


class TableSchema(Strict):
    id = own.Identifier(required=True)
    title = own.TitleField(required=True)
    note = own.TitleField(load_default=None)
    dimension = own.Identifier(load_default=None)
    where = own.Text(load_default=None)
    input = own.Text()
    inputs = fields.List(own.Text(), validate=validate.Length(min=1))
    hit = own.Text(required=True, validate=one_of(HITS))
    take = own.Text(load_default=None, validate=one_of(TAKES))
    gives = GivesField(load_default=POINTS)
    rows = fields.List(RowField(), required=True, validate=validate.Length(min=1))
    default = fields.Raw(load_default=None)
    counts = nested(WindowSchema, load_default=None)
    cap = own.Points(load_default=None)
    baseline = own.Points(load_default=None)
    basis = own.CitationField(required=True)
    examples = many(ExampleSchema)

    @validates_schema
    def one_input(self, data: dict[str, Any], **_: Any) -> None:
        if ("input" in data) == ("inputs" in data):
            raise complaint("neither or both of input and inputs", "input: level, or inputs: [level, size]")

    @validates_schema
    def one_policy(self, data: dict[str, Any], **_: Any) -> None:
        gives, hit, take = data.get("gives", POINTS), data.get("hit"), data.get("take")
        if take and hit != "collect":
            raise complaint("only of the rows that are collected something is taken", "hit: collect")
        if hit == "collect" and (isinstance(gives, dict) or (gives == POINTS and take == "count")):
            raise complaint("this can't be collected", "gives: number, or hit: priority")
        if hit == "priority" and not isinstance(gives, dict):
            raise complaint("priority is of texts, in the order of gives", "hit: collect, take: max")
        if take == "count" and data.get("default") is not None:
            raise complaint("the count of no row is 0", "no default")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        is_points, errors = data["gives"] == POINTS, dict[str, Any]()
        if is_points and data["dimension"] is None:
            errors["dimension"] = [MISSING]
        for key in () if is_points else ("dimension", "counts", "cap", "baseline"):
            if data[key] is not None:
                errors[key] = complaint(
                    "a table that gives no points has none of these", "gives: points"
                ).messages
        try:
            own.ColumnName().deserialize("t" if is_points else data["id"])
        except ValidationError as error:
            errors["id"] = error.messages
        rows = {n: found for n, row in enumerate(data["rows"]) if (found := _result(row, is_points))}
        if rows:
            errors["rows"] = rows
        if is_points and data["default"] is not None:
            default: dict[str, Any] = {"result": data["default"]}
            if found := _result(default, is_points):
                errors["default"] = found
            data["default"] = default.get("points")
        if errors:
            raise ValidationError(errors)
        return data


def _result(row: dict[str, Any], is_points: bool) -> Any:
    """Brings what a row gives to its place, points as such; the errors, where it can't."""
    key = POINTS if is_points else "gives"
    short = "result" in row
    if not short and (key not in row or {POINTS, "gives"} <= set(row)):
        return {key: [MISSING]}
    given = row.pop("result") if short else row.pop(key)
    try:
        row[key] = own.dated_points(given) if is_points else given
    except ValidationError as error:
        return error.messages if short else {key: error.messages}
    if not is_points and (row["title"] or row["note"] or row["basis"]):
        return complaint(
            "a row that gives no points has cells and a result alone", "[cells, result]"
        ).messages
    return None


class MeasureSchema(Strict):
    title = own.TitleField(required=True)
    count = own.Text(validate=validate.Equal("records", error="not countable\0count: records"))
    sum = own.Text()
    min = own.Text()
    max = own.Text()
    mean = own.Text()
    latest = own.Text()
    ratio = fields.List(own.ColumnName(), validate=validate.Length(equal=2, error="not two\0[part, whole]"))
    rank = own.ColumnName()
    peers = own.ColumnName()
    percentile = own.ColumnName()
    value = own.Text()
    order = own.Text(load_default="desc", validate=one_of(("desc", "asc")))
    where = own.Text(load_default=None)
    by = own.Text(load_default=None)
    bands = fields.List(own.Number(), load_default=list)
    fewest = own.Count(load_default=None, least=2, most=1_000_000_000)
    take = own.Text(load_default=None, validate=one_of(GROUP_TAKES))
    each = own.Number(load_default=None)
    within = nested(WindowSchema, load_default=None)

    @validates_schema
    def one_aggregate(self, data: dict[str, Any], **_: Any) -> None:
        given = [a for a in AGGREGATES if a in data]
        if len(given) != 1:
            raise complaint("not exactly one aggregate", f"one of {', '.join(AGGREGATES)}")
        among_subjects = set(OVER_GROUP) & set(data)
        if not among_subjects and (data.get("by") is None) != (data.get("take") is None):
            raise complaint("by and take go together", "by: field, take: max")
        if data.get("each") is not None and not data.get("take"):
            raise complaint("a cap on each group without groups", "by: field, take: sum, each: 30")
        bands = data.get("bands", [])
        if bands and not (among_subjects and data.get("by")):
            raise complaint("bands without subjects in groups", "percentile: m, by: size, bands: [3, 11, 21]")
        if any(low >= high for low, high in pairwise(bands)):
            raise complaint("bands that do not rise", "each above the one before: bands: [3, 11, 21]")
        if data.get("fewest") is not None and "percentile" not in data:
            raise complaint("fewest without a percentile", "percentile: m, by: size, fewest: 10")
        if data.get("within") and data["within"].get("decay"):
            raise complaint("a measure does not decay", "decay in a rule's counts")


class BandField(own.Points):
    """The lowest score of a tier, or ``veto`` for one that vetoes alone give."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return None if value == "veto" else super()._deserialize(value, attr, data, **kwargs)


class GradeSchema(Strict):
    tier = own.Text(required=True)
    title = own.TitleField(load_default=None)
    from_ = BandField(required=True, data_key="from")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Grade:
        title = data["title"] or own.TitleField().deserialize(data["tier"])
        return Grade(data["tier"], title, data["from_"])


class SupervisionSchema(Strict):
    sample_share = own.Share(required=True)
    visits_per_year = own.Count(load_default=None, least=0, most=366)
    unprompted_visits = own.Flag(load_default=True)
    lending = own.Text(load_default=None, validate=one_of(LANES))
    valid_months = own.Count(load_default=12, most=120)
    measures = fields.List(own.TitleField(), load_default=list)


class PossibleSchema(Strict):
    least = own.Number(load_default=None)
    most = own.Number(load_default=None)
    not_before = own.ColumnName(load_default=None)
    days_ahead = own.Count(least=0, most=40_000, load_default=None)
    earliest = own.Date(load_default=None)
    latest = own.Date(load_default=None)
    also = fields.List(own.Date(), load_default=list)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Possible:
        low, high = data["least"], data["most"]
        if low is not None and high is not None and low > high:
            raise complaint("the least is above the most", "least ≤ most")
        if (data["earliest"] or EARLIEST) > (data["latest"] or LATEST):
            raise complaint("the earliest day is after the latest", "earliest ≤ latest")
        return Possible(**{**data, "also": tuple(data["also"])})


class ColumnSchema(Strict):
    type = own.Text(required=True, validate=one_of(TYPES))
    title = own.TitleField(required=True)
    values = fields.Dict(keys=fields.String(), values=own.TitleField(), load_default=dict)
    aliases = fields.List(own.Text(), load_default=list)
    doubted = fields.Dict(keys=own.Text(), values=own.TitleField(), load_default=dict)
    spellings = fields.Dict(keys=own.Text(), values=fields.String(), load_default=dict)
    format = own.Text(load_default=None, validate=one_of(("uscc",)))
    lawful = fields.List(own.CodePattern(), load_default=list)
    fillers = fields.List(own.Text(), load_default=list)
    possible = nested(PossibleSchema, load_default=ANYTHING)

    @validates_schema
    def codes_are_text(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("type") != "text" and (data.get("values") or data.get("format")):
            raise complaint("values and format belong to a text", "type: text")
        if not data.get("format") and (data.get("lawful") or data.get("fillers")):
            raise complaint("lawful and fillers are exceptions to a format", "format: uscc")

    @validates_schema
    def spellings_say_codes(self, data: dict[str, Any], **_: Any) -> None:
        unknown = sorted(set(data.get("spellings", {}).values()) - set(data.get("values", {})))
        if unknown:
            raise complaint(f"{unknown[0]} is none of the column's values", "spellings: {another word: code}")

    @validates_schema
    def possible_fits_the_type(self, data: dict[str, Any], **_: Any) -> None:
        possible = data.get("possible", ANYTHING)
        if (possible.least, possible.most) != (None, None) and data.get("type") not in ("integer", "decimal"):
            raise complaint("least and most belong to a number", "type: integer or decimal")
        of_dates = replace(possible, least=None, most=None)
        if of_dates != ANYTHING and data.get("type") != "date":
            raise complaint(
                "not_before, days_ahead, earliest, latest and also belong to a date", "type: date"
            )


class SubjectTableSchema(Strict):
    key = own.ColumnName(required=True)
    columns = fields.Dict(keys=own.ColumnName(), values=fields.Nested(ColumnSchema), required=True)


class KindSchema(Strict):
    needs = fields.List(own.ColumnName(), load_default=list)
    values = fields.Dict(keys=own.ColumnName(), values=fields.List(own.Text()), load_default=dict)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Kind:
        values = {column: tuple(codes) for column, codes in data["values"].items()}
        return Kind(tuple(data["needs"]), values)


class LimitSchema(Strict):
    when = own.Text(required=True)
    months = own.Count(load_default=None, least=0)
    until = own.ColumnName(load_default=None)
    because = own.TitleField(required=True)

    @validates_schema
    def some_end(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("months") is None and data.get("until") is None:
            raise complaint("neither months nor until", "months: 12, or until: a date column")


class ProposalSchema(Strict):
    when = own.Text(required=True)
    column = own.ColumnName(required=True)
    code = own.Text(required=True)
    meanwhile = own.Text(load_default=None)
    because = own.TitleField(required=True)


class RecordTableSchema(SubjectTableSchema):
    subject = own.ColumnName(required=True)
    date = own.ColumnName(required=True)
    needs = fields.List(own.ColumnName(), load_default=list)
    find_by = fields.List(own.ColumnName(), load_default=list)
    kind = own.ColumnName(load_default=None)
    kinds = fields.Dict(keys=fields.String(), values=fields.Nested(KindSchema), load_default=dict)
    limits = many(LimitSchema)
    proposals = many(ProposalSchema)
    favourable = own.Text(load_default=None)


class VocabularySchema(Strict):
    vocabulary = own.Identifier(required=True)
    title = own.TitleField(required=True)
    subject = nested(SubjectTableSchema, required=True)
    records = nested(RecordTableSchema, load_default=None)


class SubjectField(fields.Field[Any]):
    """The name of a shared vocabulary, or a vocabulary in place."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            return VocabularySchema().load(value)
        return own.Identifier().deserialize(value)


class PackSchema(Strict):
    """What a pack's text may hold: its keys, and the shape of each.

    >>> sorted(PackSchema().validate({"pack": "market", "version": "1"}))  # what is missing
    ['grades', 'in_force', 'score', 'subject', 'title']
    """

    pack = own.Identifier(required=True)
    version = fields.String(required=True)
    title = own.TitleField(required=True)
    note = own.TitleField(load_default=None)
    authority = own.Text(load_default=None, validate=one_of(tuple(map(str, Authority))))
    subject = SubjectField(required=True)
    in_force = nested(InForceSchema, required=True)
    basis = many(BasisSchema)
    score = nested(ScoreSchema, required=True)
    dimensions = many(DimensionSchema)
    measures = fields.Dict(keys=own.ColumnName(), values=fields.Nested(MeasureSchema), load_default=dict)
    rules = many(RuleSchema)
    vetoes = many(VetoSchema)
    tables = many(TableSchema)
    consequences = many(ConsequenceSchema)
    together = many(TogetherSchema)
    alerts = many(AlertSchema)
    remedies = many(RemedySchema)
    grades = fields.List(fields.Nested(GradeSchema), required=True, validate=validate.Length(min=1))
    supervision = fields.Dict(
        keys=fields.String(), values=fields.Nested(SupervisionSchema), load_default=dict
    )
    examples = many(ExampleSchema)

    @pre_load
    def version_as_text(self, data: Any, **_: Any) -> Any:
        if isinstance(data, dict) and own.is_number(data.get("version")):
            return {**data, "version": str(data["version"])}
        return data

    @validates_schema
    def something_to_grade_by(self, data: dict[str, Any], **_: Any) -> None:
        if not (data.get("rules") or data.get("vetoes") or data.get("tables")):
            raise ValidationError("no rule, veto or table\0at least one", "rules")
