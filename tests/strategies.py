"""Random packs, subjects, records and days, as data: what the engine and the reference are compared on.

The vocabularies are small, so that conditions meet; their names are those that an engine might use itself,
their values the ones that break arithmetic, calendars and quoting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import yaml
from hypothesis import strategies as st

Data = dict[str, Any]

TEXTS = [
    "a",
    "b",
    "A",
    "a_b",
    "a%b",
    "it's",
    "",
    " a",
    "中文",
    "中",
    "😀",
    "'; drop table subjects; --",
    'x"y',
    "e\u0301",
]
CODES = ["a", "b", "c", "it's", "中文"]
PATTERNS = ["%", "_", "a%", "%b", "a_b", "中_", "%'%", "__", "", "%😀", "e_"]
INTEGERS = [*[0, 1, 2, 3] * 3, -1, 7, 100, 10**17, 10**18 - 1, -(10**18) + 1]
DECIMALS = [*["0", "1", "1.5", "2.5", "-2.5", "0.3333"] * 2, "0.0001", "-0.0001", "99.995", "10000000000000",
            "99999999999999.9999", "-99999999999999.9999"]  # fmt: skip
WIDE = "99999999999.999999"
"""A factor with which a product of a measure is too wide for anything."""
DAYS_BETWEEN = " + 0)"
"""How a number made of dates ends, by which it is told from a date."""

DAYS = [
    dt.date.fromisoformat(day)
    for day in [
        "2023-12-31",
        "2024-01-30",
        "2024-01-31",
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2024-03-31",
        "2024-08-31",
        "2024-11-30",
        "2024-12-31",
        "2025-01-01",
        "2025-01-29",
        "2025-01-31",
        "2025-02-28",
        "2025-03-01",
        "2025-08-31",
        "2025-12-31",
    ]
]
FAR_DAYS = [dt.date.min, dt.date(1900, 2, 28), dt.date(2096, 2, 29), dt.date(9999, 1, 31), dt.date.max]

SUBJECT_COLUMNS = {
    "points": "decimal",
    "elapsed": "integer",
    "rule": "text",
    "starts_on": "date",
    "flag": "boolean",
}
RECORD_COLUMNS = {
    "happened_on": "date",
    "stops_on": "date",
    "kind": "text",
    "note": "text",
    "amount": "decimal",
    "days": "integer",
    "tier": "boolean",
}
RECORD_KEY = "record_id"


@dataclass(frozen=True)
class Case:
    """A pack's text, the day, the subjects and the records."""

    pack: str
    as_of: dt.date
    subjects: list[Data]
    records: list[Data]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    whole = value == value.to_integral_value()
    kind, text = ("int", str(int(value))) if whole else ("float", format(value, "f"))
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", text)


_Dumper.add_representer(Decimal, _represent)


def to_yaml(pack: Mapping[str, Any]) -> str:
    """A pack's data as the text that a person would keep."""
    return yaml.dump(dict(pack), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def quote(value: Any) -> str:
    """A value as conditions write it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case dt.date():
            return f"date '{value}'"
        case _:
            return str(value)


# Strategies that are made once for the same arguments: making one costs more than drawing from it.

Strategies = Callable[..., st.SearchStrategy[Any]]


def kept(make: Strategies) -> Strategies:
    """Makes strategies of arguments that can be hashed; ``True`` is another than 1."""
    return lru_cache(maxsize=5000, typed=True)(make)


@kept
def pick(*values: Any) -> st.SearchStrategy[Any]:
    """One of these values."""
    return st.sampled_from(values)


# Values


@kept
def days() -> st.SearchStrategy[dt.date]:
    near = st.dates(dt.date(2023, 6, 1), dt.date(2026, 6, 30))
    return st.one_of(*[st.sampled_from(DAYS)] * 4, near, near, near, near, st.sampled_from(FAR_DAYS))


@kept
def values(kind: str, column: str = "") -> st.SearchStrategy[Any]:
    match kind:
        case "text":
            return st.sampled_from(CODES if column == "kind" else TEXTS)
        case "integer":
            return st.sampled_from(INTEGERS)
        case "decimal":
            return st.sampled_from(DECIMALS).map(Decimal)
        case "date":
            return days()
        case _:
            return st.booleans()


def row(columns: Mapping[str, str]) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries(
        {name: st.one_of(*[values(kind, name)] * 4, st.none()) for name, kind in columns.items()}
    )


# Expressions, as text


@dataclass(frozen=True, eq=False)
class Names:
    """The names in scope, by type."""

    types: Mapping[str, str]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and list(self.types.items()) == list(other.types.items())

    def __hash__(self) -> int:
        return hash(tuple(self.types.items()))

    def of(self, *kinds: str) -> list[str]:
        return [name for name, kind in self.types.items() if kind in kinds]

    def coded(self) -> list[str]:
        """What has a closed list of values: the column, and measures that are one of its values."""
        return [name for name, kind in self.types.items() if name == "kind" or kind == "codes"]


@kept
@st.composite
def numbers(draw: st.DrawFn, names: Names, depth: int = 2) -> str:
    found = names.of("integer", "decimal", "measure")
    forms = (
        (["name"] * 3 if found else [])
        + ["literal"]
        + (["sum", "product", "product", "call", "abs", "round", "quotient"] if depth and found else [])
        + (["days"] if depth and names.of("date") else [])
    )
    match draw(pick(*forms)):
        case "name":
            return draw(pick(*found))
        case "literal":
            kind = draw(pick("integer", "decimal"))
            return quote(draw(values(kind)))
        case "sum":
            op = draw(pick("+", "-"))
            return f"({draw(numbers(names, depth - 1))} {op} {draw(numbers(names, depth - 1))})"
        case "product":
            name = draw(pick(*found))
            columns = names.of("integer", "decimal")
            factors = ("2", "-3", "0.5", "0.001", *((WIDE, *columns) if name in columns else ()))
            return f"{name} * {draw(pick(*factors))}"
        case "days":
            return f"({draw(dates(names, 1))} - ({draw(dates(names, 1))}){DAYS_BETWEEN}"
        case "round" | "quotient" as form:
            plain = pick(*found, "amount * days") if "amount" in found else pick(*found)
            by = f" / {draw(pick(*found, '3', '-0.7'))}" if form == "quotient" else ""
            return f"round({draw(plain)}{by}, {draw(pick(0, 1, 2, 4, 8))})"
        case "abs":
            return f"abs({draw(numbers(names, depth - 1))})"
        case _:
            return draw(calls(["coalesce", "least", "greatest"], numbers(names, depth - 1)))


@st.composite
def calls(draw: st.DrawFn, functions: list[str], argument: st.SearchStrategy[str]) -> str:
    arguments = draw(st.lists(argument, min_size=2, max_size=3))
    return f"{draw(pick(*functions))}({', '.join(arguments)})"


@kept
@st.composite
def dates(draw: st.DrawFn, names: Names, depth: int = 1) -> str:
    """A date that the data give; never a literal alone."""
    found = names.of("date")
    forms = ["name"] * 3 + (["shift", "shift", "call", "start"] if depth else [])
    match draw(pick(*forms)):
        case "name":
            return draw(pick(*found))
        case "start":
            return f"start_of_{draw(pick('year', 'month'))}({draw(dates(names, 0))})"
        case "shift":
            unit = draw(pick("day", "week", "month", "year"))
            op, count = draw(pick("+", "-")), draw(pick(0, 1, 2, 6, 12, 30, 900))
            date = draw(pick(*found, f"start_of_year({found[0]})"))
            moved = f"{date} {op} interval {count} {unit}"
            return moved + (" - interval 1 day" if unit in ("month", "year") and draw(st.booleans()) else "")
        case _:
            return draw(calls(["coalesce", "least", "greatest"], dates(names, depth - 1)))


@kept
@st.composite
def periods(draw: st.DrawFn, names: Names) -> str:
    """The month or year of a date, mostly of one that lies near the others."""
    date = draw(st.one_of(pick("happened_on", "happened_on", "happened_on - interval 6 month"), dates(names)))
    return f"start_of_{draw(pick('month', 'month', 'year'))}({date})"


@kept
@st.composite
def texts(draw: st.DrawFn, names: Names) -> str:
    name = draw(pick(*(n for n in names.of("text") if n != "kind")))
    return draw(pick(name, name, f"coalesce({name}, 'a')"))


@kept
def literals(kind: str) -> st.SearchStrategy[str]:
    match kind:
        case "number":
            return st.one_of(values("integer"), values("decimal"), st.just(Decimal("2.50"))).map(quote)
        case "date":
            return days().map(quote)
        case "text":
            return values("text").map(quote)
        case _:
            return st.sampled_from(CODES).map(quote)


@kept
@st.composite
def tests(draw: st.DrawFn, names: Names) -> str:
    """One comparison."""
    kinds = [k for k in ("number", "date", "text", "kind", "flag", "null") if _offers(names, k)]
    comparison = draw(pick("=", "<>", "<", "<=", ">", ">="))
    match draw(pick(*kinds)):
        case "number":
            left = draw(numbers(names))
            form = draw(pick("compare", "compare", "between", "in"))
            return draw(_against(left, form, comparison, literals("number"), numbers(names, 1)))
        case "date":
            left = draw(dates(names))
            form = draw(pick("compare", "compare", "between", "in"))
            return draw(_against(left, form, comparison, literals("date"), dates(names, 0)))
        case "text":
            left = draw(texts(names))
            if draw(st.booleans()):
                pattern = quote(draw(pick(*PATTERNS)))
                return f"{left} {draw(pick('like', 'not like'))} {pattern}"
            form = draw(pick("compare", "in"))
            equality = draw(pick("=", "<>"))
            return draw(_against(left, form, equality, literals("text"), texts(names)))
        case "kind":
            form = draw(pick("compare", "compare", "in"))
            coded = pick(*names.coded())
            return draw(_against(draw(coded), form, "=", literals("kind"), coded))
        case "flag":
            name = draw(pick(*names.of("boolean")))
            return draw(pick(name, f"not {name}", f"{name} = true", f"{name} <> true"))
        case _:
            name = draw(pick(*sorted(names.types)))
            return f"{name} is {draw(pick('', 'not '))}null"


def _offers(names: Names, kind: str) -> bool:
    match kind:
        case "number":
            return bool(names.of("integer", "decimal", "measure"))
        case "kind":
            return bool(names.coded())
        case "flag":
            return bool(names.of("boolean"))
        case "text":
            return any(n != "kind" for n in names.of("text"))
        case "date":
            return bool(names.of("date"))
        case _:
            return bool(names.types)


@st.composite
def _against(
    draw: st.DrawFn,
    left: str,
    form: str,
    op: str,
    literals: st.SearchStrategy[str],
    others: st.SearchStrategy[str],
) -> str:
    match form:
        case "between":
            return f"{left} between {draw(literals)} and {draw(literals)}"
        case "in":
            listed = ", ".join(draw(st.lists(literals, min_size=1, max_size=3)))
            return f"{left} {draw(pick('in', 'in', 'not in'))} ({listed})"
        case _:
            return f"{left} {op} {draw(st.one_of(literals, literals, others))}"


@kept
@st.composite
def conditions(draw: st.DrawFn, names: Names, timed: bool = True, depth: int = 2) -> str:
    """A condition, often of one term; ``timed`` where it may have a term with ``as_of``."""
    terms = [*draw(_terms(names, depth))]
    if timed and names.of("date") and draw(st.integers(0, 3)) == 0:
        op = draw(pick("=", "<", "<=", ">", ">="))
        date = draw(dates(names))
        terms.append(draw(pick(f"{date} {op} as_of", f"as_of {op} {date}")))
    return " and ".join(f"({t})" if " or " in t else t for t in terms)


@kept
def _terms(names: Names, depth: int) -> st.SearchStrategy[list[str]]:
    one = st.lists(tests(names), min_size=1, max_size=1)
    return st.one_of(one, one, st.lists(_nested(names, depth), min_size=1, max_size=3))


@kept
@st.composite
def _nested(draw: st.DrawFn, names: Names, depth: int) -> str:
    form = draw(pick(*["test"] * 4, *(["or", "not", "coalesce"] if depth else [])))
    if form == "test":
        return draw(tests(names))
    inner = draw(_nested(names, depth - 1))
    if form == "not":
        return f"not ({inner})"
    if form == "coalesce":
        return f"coalesce({inner}, {draw(pick('true', 'false'))})"
    return f"({inner}) or ({draw(_nested(names, depth - 1))})"


# The parts of a pack


@kept
def hundredths(low: int = -5000, high: int = 5000) -> st.SearchStrategy[Decimal]:
    return st.one_of(
        st.integers(low, high).map(lambda n: Decimal(n) / 100),
        st.sampled_from([-10, -4, 0, 3, 20]).map(Decimal),
    )


def capped(given: Data, *points: Any) -> st.SearchStrategy[Data]:
    """A cap, or none, of a sign that some of the points have; and a baseline, or none."""
    values = [v for p in points for v in (p.values() if isinstance(p, dict) else [p]) if v]
    signs = {v > 0 for v in values} or {False, True}
    baselines = _baselines(any(v < 0 for v in values))
    return st.builds(lambda cap, baseline: {**given, **cap, **baseline}, _caps(*sorted(signs)), baselines)


@kept
def _baselines(below_0: bool) -> st.SearchStrategy[Data]:
    baselines = hundredths().filter(lambda points: points > 0 or below_0)
    return st.one_of(st.just({}), st.just({}), baselines.map(lambda points: {"baseline": points}))


@kept
def _caps(*signs: bool) -> st.SearchStrategy[Data]:
    caps = st.builds(
        lambda positive, cap: cap if positive else -cap,
        st.sampled_from(signs),
        hundredths(1, 3000).map(abs).filter(bool),
    )
    return st.one_of(st.just({}), caps.map(lambda cap: {"cap": cap}))


@kept
def points() -> st.SearchStrategy[Any]:
    huge = st.sampled_from([Decimal(1_000_000), Decimal(-1_000_000)])
    by_date = st.dictionaries(
        st.sampled_from(DAYS), st.one_of(hundredths(), st.none()), min_size=1, max_size=3
    )
    return st.one_of(hundredths(), hundredths(), hundredths(), by_date, huge)


@kept
@st.composite
def windows(draw: st.DrawFn, names: Names, decays: bool) -> Data:
    window: Data = {"from": draw(dates(names))}
    length = draw(pick("months", "months", "days", None))
    if length:
        window[length] = draw(pick(1, 2, 3, 12, 13))
    if draw(st.integers(0, 3)) == 0:
        window["until"] = draw(dates(names))
    if decays and length == "months" and draw(st.booleans()):
        months = [n for n in sorted(draw(st.sets(st.integers(1, 12), max_size=3))) if n < window["months"]]
        keep = pick(Decimal("0.5"), Decimal("0.33"), 0, 1)
        steps = [{"after": n, "keep": draw(keep)} for n in months]
        window["decay"] = draw(st.sampled_from(["linear", steps or "linear"]))
    return window


@kept
def _operands(how: str, names: Names) -> st.SearchStrategy[str]:
    match how:
        case "count":
            return st.just("records")
        case "latest":
            return pick(*names.of("integer", "decimal", "date", "text", "boolean"))
        case "min" | "max":
            return st.one_of(numbers(names), dates(names))
        case _:
            return pick("amount", "days", "amount + amount", "abs(amount)", "coalesce(amount, 1)",
                        "round(amount * days, 4)", "round(amount * amount, 2)", "amount * 99999",
                        "round(amount / days, 2)", "stops_on - happened_on")  # fmt: skip


@kept
@st.composite
def measures(draw: st.DrawFn, names: Names) -> Data:
    """A measure of records."""
    how = draw(pick("count", "count", "sum", "min", "max", "mean", "latest"))
    measure = {"title": "M", how: draw(_operands(how, names))}
    if draw(st.booleans()):
        measure["where"] = draw(conditions(names))
    if draw(st.booleans()):
        measure["within"] = draw(windows(names, decays=False))
    if draw(st.integers(0, 2)) == 0:
        computed = draw(pick(*[None] * 4, "date", "number", "period", "period"))
        columns = pick("kind", "note", "days", "happened_on", "tier", "start_of_month(happened_on)")
        measure["by"] = draw(
            dates(names)
            if computed == "date"
            else numbers(names, 1)
            if computed == "number"
            else periods(names)
            if computed == "period"
            else columns
        )
        numeric = how in ("count", "sum", "mean") or str(measure[how]).startswith(("round", "amount *"))
        takes = ["max", "min", "sum", "count"] if numeric else ["count"]
        measure["take"] = "run" if computed == "period" else draw(pick(*takes))
        if numeric and draw(st.booleans()):
            measure["each"] = draw(pick(1, 2, -1, *([Decimal("0.5")] if how == "sum" else [])))
    return measure


@kept
@st.composite
def _bands(draw: st.DrawFn) -> list[Any]:
    return sorted(draw(st.sets(st.integers(-2, 6), min_size=1, max_size=3)))


def _groups(attributes: Names, measures: Sequence[str], numeric: Sequence[str]) -> st.SearchStrategy[Data]:
    """By what subjects are grouped: not at all, by an attribute or a measure, or by numbers in bands."""
    plain = pick("rule", "flag", "elapsed", *measures, *measures).map(lambda name: {"by": name})
    banded = st.builds(
        lambda name, bands: {"by": name, "bands": bands}, pick("elapsed", *numeric, *numeric), _bands()
    )
    return st.one_of(st.just({}), plain, banded)


@st.composite
def derived(draw: st.DrawFn, base: Mapping[str, Data], attributes: Names) -> dict[str, Data]:
    """Measures made of measures."""
    numeric = [
        n for n, m in base.items() if {"count", "sum", "mean"} & set(m) or m.get("take") in ("count", "run")
    ]
    made: dict[str, Data] = {}
    if numeric and draw(st.booleans()):
        parts = [draw(pick(*numeric)), draw(pick(*numeric))]
        made["share"] = {"title": "R", "ratio": parts}
    known = Names({**attributes.types, **dict.fromkeys([*numeric, *made], "measure")})
    if draw(st.booleans()):
        made["worth"] = {"title": "R", "value": draw(numbers(known, 1))}
    ranked = [*numeric, *made]
    if ranked and draw(st.booleans()):
        of, by = draw(pick(*ranked)), draw(_groups(attributes, [*base, *made], ranked))
        for name in draw(pick(("place",), ("place", "other_place"))):  # those of the same are found together
            how, order = draw(pick("rank", "rank", "peers", "percentile")), draw(pick("asc", "desc"))
            made[name] = {"title": "R", how: of, "order": order} | by
            if how == "percentile" and draw(st.booleans()):
                made[name]["fewest"] = draw(pick(2, 3))
        if draw(st.integers(0, 2)) == 0:  # a group of those in which others stand
            made["among_places"] = {"title": "R", draw(pick("rank", "percentile")): of, "by": "place"}
    for measure in made.values():
        if draw(st.integers(0, 2)) == 0:
            measure["where"] = draw(conditions(attributes, timed=False))
    return made


@kept
def _whens(names: Names) -> st.SearchStrategy[str]:
    always = ["true", "happened_on is not null", "amount is null or days is null", "kind = 'a'"]
    return st.one_of(
        conditions(names), tests(names), st.sampled_from(always if "days" in names.types else ["true"])
    )


@kept
def _multipliers(names: Names) -> st.SearchStrategy[str]:
    measured = names.of("measure")
    return st.one_of(numbers(names, 1), pick(*measured)) if measured else numbers(names, 1)


@kept
@st.composite
def rules(draw: st.DrawFn, names: Names) -> Data:
    rule: Data = {"title": "T", "dimension": draw(pick("one", "two")), "basis": "own-choice"}
    given = draw(points())
    rule |= {"when": draw(_whens(names)), "points": given}
    decays = True
    if draw(st.integers(0, 3)) == 0:
        rule["per"], decays = draw(_multipliers(names)), False
    if draw(st.integers(0, 2)):
        rule["counts"] = draw(windows(names, decays))
    return draw(capped(rule, given))


@kept
@st.composite
def vetoes(draw: st.DrawFn, names: Names) -> Data:
    veto = {
        "title": "V",
        "when": draw(conditions(names)),
        **dict([draw(pick(*(("tier", tier) for tier in "ABCM"), *(("lowers", by) for by in (1, 1, 2))))]),
        "basis": "own-choice",
    }
    if draw(st.booleans()):
        veto["counts"] = draw(windows(names, decays=False))
    return veto


@st.composite
def low(draw: st.DrawFn, score: list[int], dimensions: list[Data]) -> Data:
    """Below which points a veto holds, if it asks; points that can be had and not had."""
    one, two = dimensions
    bounds = {
        "score": (score[0] + 1, score[-1]),
        "one": (-29 if one["floor"] is None else one["floor"] + 1, 10),
        "two": (-10, 10 if two["ceiling"] is None else two["ceiling"]),
    }
    asked = draw(pick((), (), ("score",), ("one",), ("two",), ("score", "two")))
    return {n: draw(st.integers(*bounds[n])) for n in asked if bounds[n][0] <= bounds[n][1]}


@kept
@st.composite
def consequences(draw: st.DrawFn, names: Names) -> Data:
    return {"title": "C", "when": draw(conditions(names)), "basis": "own-choice"}


CELLS: Mapping[str, list[list[Any]]] = {
    "kind": [["a"], ["b"], [["c", "it's"]]],
    "amount": [["< 0", "0..2.5", ">= 2.5"], [Decimal("1.5")], ["<= 1", "> 1"]],
    "days": [["< 0", "0..3", "> 3"], [0, 1, [2, 3]], [Decimal("0.5"), ">= 1.5"]],
    "coalesce(days, 0) + 1": [[1, ">= 2"]],
    "round(amount / days, 2)": [["< 0", "0..0.5", ">= 0.5"], [Decimal("0.33"), 1]],
    "stops_on - happened_on": [["< 0", ">= 0"], [0, 366]],
    "tier": [[True], [False]],
    "happened_on": [["< 2024-03-01", "2024-03-01..2025-01-01", ">= 2025-01-01"], [dt.date(2024, 2, 29)]],
    "points": [["< 0", ">= 0"], ["-"]],
    "rule": [["a", "中文"], ["'; drop table subjects; --"]],
}


OVERLAPPING: Mapping[str, list[Any]] = {
    "kind": [{"not": "a"}, {"not": ["b", "中文"]}, {"not": None}, None, ["a", None]],
    "amount": ["[0..2.5]", "(0..2.5]", "]0..2.5[", "> 0 and <= 99.995", {"not": "0..2.5"}, None,
               ["< 0", "> 1"], "<= days", "= days", ">= points and <> 3", "points..days"],
    "days": ["[0..3)", {"not": [1, "> 3"]}, {"not": None}, None, [2, None], ">= elapsed"],
    "tier": [{"not": True}, None, "= flag"],
    "happened_on": ["[2024-02-29..2024-12-31]", "<= stops_on", {"not": None}, ["< starts_on", None]],
    "points": [None, {"not": None}, "<> 1 and <> 2"],
    "rule": ["= note", "<> note", {"not": "a"}, [None, ">= 1"]],
}  # fmt: skip
"""Cells that match together with others; some read a column."""

_INPUTS = st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=2, unique=True)


@kept
@st.composite
def tables(draw: st.DrawFn) -> Data:
    inputs = draw(_INPUTS)
    hit = draw(pick("unique", "first", "collect", "any"))
    if hit == "unique":
        cells = draw(st.sampled_from(CELLS[inputs[0]]))
        written = [[cell, *("-" for _ in inputs[1:])] for cell in cells]
    else:
        some = {i: [*(c for cells in CELLS[i] for c in cells), *OVERLAPPING.get(i, ()), "-"] for i in inputs}
        choice = [st.sampled_from(some[i]) for i in inputs]
        written = draw(st.lists(st.tuples(*choice).map(list), min_size=1, max_size=4))
    table: Data = {
        "title": "T",
        "dimension": draw(pick("one", "two")),
        "inputs": inputs,
        "hit": hit,
    }
    take = draw(pick("sum", "min", "max", None)) if hit == "collect" else None
    one = hundredths() if take in ("min", "max") else st.just(draw(points())) if hit == "any" else points()
    given = [draw(one) for _ in written]
    table |= {"take": take} if take else {}
    if draw(st.integers(0, 3)) == 0:
        table["default"] = draw(points())
        given.append(table["default"])
    rows = [[*cells, value] for cells, value in zip(written, given, strict=False)]
    table |= {"rows": rows, "basis": "own-choice"}
    everything = Names({**SUBJECT_COLUMNS, **RECORD_COLUMNS})
    if draw(st.booleans()):
        table["where"] = draw(conditions(everything))
    if draw(st.booleans()):
        table["counts"] = draw(windows(everything, decays=True))
    return draw(capped(table, *given))


DECIDED: Mapping[str, list[Any]] = {
    "measure": [0, "< 1", "[1..3]", "> 1 and <> 2.5", {"not": [0, 1]}, None, ["<= 0", 2, None], "-", "-",
                ">= elapsed", "points..elapsed"],
    "codes": ["a", ["b", "it's"], {"not": "a"}, {"not": ["a", "c"]}, None, {"not": None}, "-", "-"],
    "text": ["a", ["中文", ">= 1"], {"not": "A"}, None, "-", "= rule"],
    "date": ["[2024-01-31..2024-12-31]", "< 2025-01-01", {"not": None}, "> starts_on", "-"],
    "boolean": [True, {"not": True}, None, "= flag", "-"],
}  # fmt: skip
"""Cells of tables that give a value, by the type of the input; some read an attribute."""
DECIDED = {**DECIDED, "integer": DECIDED["measure"], "decimal": DECIDED["measure"]}


@st.composite
def decisions(draw: st.DrawFn, known: Names) -> Data:
    """A table that gives a number or a code."""
    inputs = draw(st.lists(pick(*known.types), min_size=1, max_size=2, unique=True))
    cells = [st.sampled_from(DECIDED[known.types[name]]) for name in inputs]
    rows = draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=5))
    table: Data = {
        "title": "D",
        "inputs": inputs,
        "basis": "own-choice",
        "gives": draw(st.permutations(CODES)),
    }
    hit = draw(pick("first", "any", "priority", "collect"))
    given: st.SearchStrategy[Any] = pick(*CODES)
    if hit == "collect" or (hit != "priority" and draw(st.booleans())):
        table["gives"], given = (
            "number",
            st.sampled_from([0, 1, -3, Decimal("2.5"), 10**13, Decimal("-0.0001")]),
        )
    if hit == "any":
        given = st.just(draw(given))
    if hit == "collect":
        table["take"] = draw(pick("sum", "min", "max", "count"))
    if table.get("take") != "count" and draw(st.booleans()):
        table["default"] = draw(given)
    if draw(st.integers(0, 3)) == 0:
        table["where"] = draw(conditions(known, timed=False))
    return {**table, "hit": hit, "rows": [[*row, draw(given)] for row in rows]}


def vocabulary(key: str, key_type: str, link: str) -> Data:
    """A vocabulary with keys of the given type, records linked by the column ``link``."""

    def columns(kinds: Mapping[str, str]) -> Data:
        return {name: {"type": kind, "title": name} for name, kind in kinds.items()}

    records = columns({RECORD_KEY: key_type, link: key_type, **RECORD_COLUMNS})
    records["kind"]["values"] = {code: code for code in CODES}
    return {
        "vocabulary": "people",
        "title": "People",
        "subject": {"key": key, "columns": columns({key: key_type, **SUBJECT_COLUMNS})},
        "records": {"key": RECORD_KEY, "subject": link, "date": "happened_on", "columns": records},
    }


def key_values(key_type: str) -> list[Any]:
    """Keys, in an order that differs from that of their texts."""
    return [10**17, 9, -1, 10, 0, 3] if key_type == "integer" else ["z'", "a", "中", "", "B", "😀"]


_AS_OF = st.one_of(
    *[st.sampled_from(DAYS), st.dates(dt.date(2023, 12, 1), dt.date(2026, 3, 1))] * 6,
    st.sampled_from(FAR_DAYS),
)
_SUBJECT, _RECORD = row(SUBJECT_COLUMNS), row(RECORD_COLUMNS)


@kept
@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A whole case."""
    key_type = draw(pick("text", "integer"))
    key, link = "subject_id", draw(pick("subject_id", "owner"))
    keys = key_values(key_type)
    owners = pick(*keys[:3] * 2, *keys[3:5], None)
    return Case(
        to_yaml(draw(packs(vocabulary(key, key_type, link)))),
        draw(_AS_OF),
        [{key: k, **draw(_SUBJECT)} for k in keys[: draw(pick(4, 4, 3, 2, 1, 0))]],
        [
            {
                RECORD_KEY: -number if key_type == "integer" else f"r{number}",
                link: owner,
                **draw(_RECORD),
            }
            for number, owner in enumerate(
                draw(st.lists(owners, min_size=draw(st.integers(0, 7)), max_size=8))
            )
        ],
    )


ORDERS: list[Callable[[list[Data]], list[Data]]] = [
    lambda grades: [*grades, {"tier": "M", "from": "veto"}],
    lambda grades: [*grades[:2], {"tier": "M", "from": "veto"}, *grades[2:]],
    lambda grades: [{"tier": "M", "from": "veto"}, *grades],
]
"""Where the tier stands that vetoes alone give."""


def value_type(measure: Data) -> str:
    """What a measure gives, as conditions may use it."""
    operand = str(measure.get("latest") or measure.get("min") or measure.get("max"))
    if "take" in measure or operand == "None":
        return "measure"
    if "latest" in measure:
        return "codes" if operand == "kind" else RECORD_COLUMNS[operand]
    dated = any(column in operand for column in ("happened_on", "stops_on")) and DAYS_BETWEEN not in operand
    return "date" if dated else "measure"


@st.composite
def packs(draw: st.DrawFn, people: Data) -> Data:
    attributes, columns = Names(SUBJECT_COLUMNS), Names(RECORD_COLUMNS)
    base = draw(st.lists(measures(columns), max_size=4))
    named = {f"m{n}": measure for n, measure in enumerate(base)}
    named |= draw(derived(named, attributes))
    subject = Names({**SUBJECT_COLUMNS, **{name: value_type(m) for name, m in named.items()}})
    decided: dict[str, Data] = {}
    for n in range(draw(pick(0, 0, 1, 2, 3))):
        table = decided[f"d{n}"] = draw(decisions(subject))
        kind = "measure" if table["gives"] == "number" else "codes"
        subject = Names({**subject.types, f"d{n}": kind})
    everything = Names({**subject.types, **RECORD_COLUMNS})
    scope = pick(everything, everything, columns, subject)
    own = [draw(rules(draw(scope))) for _ in range(draw(st.integers(1, 5)))]
    own += [draw(rules(Names({name: subject.types[name], "starts_on": "date"}))) for name in [*decided][-1:]]
    score = sorted(draw(st.lists(st.integers(-50, 150), min_size=3, max_size=3)))
    dimensions = [
        {"id": "one", "title": "1", "floor": draw(pick(None, -30, 0))},
        {"id": "two", "title": "2", "ceiling": draw(pick(None, 0, 15))},
    ]
    levels = sorted(draw(st.sets(st.integers(score[0], 151), min_size=2, max_size=2)), reverse=True)
    return {
        "pack": "random",
        "version": "1",
        "title": "随机",
        "subject": people,
        "in_force": {
            "from": dt.date(2020, 1, 1),
            "until": draw(pick(None, dt.date(2027, 1, 1))),
        },
        "score": {"min": score[0], "start": score[1], "max": score[2]},
        "dimensions": dimensions,
        "measures": named,
        "rules": [{"id": f"r{n}", **rule} for n, rule in enumerate(own)],
        "tables": [
            *({"id": name, **table} for name, table in reversed(decided.items())),
            *({"id": f"t{n}", **draw(tables())} for n in range(draw(st.integers(0, 2)))),
        ],
        "vetoes": [
            {"id": f"v{n}", **draw(vetoes(draw(scope))), "below": draw(low(score, dimensions))}
            for n in range(draw(st.integers(0, 3)))
        ],
        "consequences": [
            {"id": f"c{n}", **draw(consequences(draw(scope)))} for n in range(draw(st.integers(0, 1)))
        ],
        "grades": draw(pick(*ORDERS))(
            [
                {"tier": "A", "from": levels[0]},
                {"tier": "B", "from": levels[1]},
                {"tier": "C", "from": score[0] - 1},
            ]
        ),
    }
