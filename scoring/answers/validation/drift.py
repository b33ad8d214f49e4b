"""How far scores, tiers and what the rules read have shifted from one run to a later one, and whether an
office fell silent or the world changed.

The population stability index of two distributions is the sum of (b - a) × ln(b / a) over their classes;
below 0.1 is taken for stable, and from 0.25 on for a shift that calls for a look: a custom of scorecards, and
here our own choice. Classes are those of the earlier run: its codes, or its tenths.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import log

import duckdb

from rules.calendar import add_days, add_months
from rules.language.evaluate import evaluate
from rules.language.expressions import Kind, Level, Name
from rules.model import Pack, Vocabulary
from rules.plan import Plan, closed_columns, compile_plan
from rules.titles import Title, TitledError
from scoring.answers.validation.kinds import kinds_of
from scoring.facts.snapshot import forget_snapshot, take_snapshot
from scoring.judging.engine import grade_coded
from scoring.judging.sql import date, quoted
from scoring.runs.published import RunSummary, latest_run
from scoring.store import Store
from scoring.store.computed import computed
from scoring.store.packs import stored_pack
from scoring.store.workspace import workspace

AUTHORITY = "authority"
MODERATE, MAJOR = 0.1, 0.25
CLASSES = 10
MONTHS = 3
"""For how long before a run's day records are counted by office."""
ENOUGH = 5
"""So many records in these months make an office's silence worth saying."""


class DriftError(TitledError):
    """Runs that can't be compared."""


class Size(StrEnum):
    """How great a shift is."""

    STABLE = "stable"
    MODERATE = "moderate"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Class:
    """A class of values: a code, or numbers from ``low`` to before ``high`` (None: no bound). Of dates these
    are the days from them to the run's day.

    :param known: False for the class of those of whom nothing is known.
    :param before, after: how many subjects are in it.
    """

    known: bool
    code: str | None
    low: float | None
    high: float | None
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Shift:
    """How something is distributed in the two runs.

    :param of: the title of the attribute or measure, of scores or tiers.
    :param silent: kinds of records that it counts, of which an office has sent nothing any more.
    """

    name: str
    title: Title
    classes: tuple[Class, ...]
    silent: tuple[Feed, ...] = ()

    @property
    def index(self) -> float:
        """The population stability index; a class that one run lacks counts there for half a subject."""
        befores, afters = ([max(n, 0.5) for n in side] for side in self._sides())
        before, after = sum(befores), sum(afters)
        return sum(
            (b / after - a / before) * log((b / after) / (a / before))
            for a, b in zip(befores, afters, strict=True)
        )

    @property
    def size(self) -> Size:
        """What is made of the index."""
        return Size.MAJOR if self.index >= MAJOR else Size.MODERATE if self.index >= MODERATE else Size.STABLE

    def _sides(self) -> tuple[list[int], list[int]]:
        return [one.before for one in self.classes], [one.after for one in self.classes]


@dataclass(frozen=True, slots=True)
class Feed:
    """Records of a kind that an authority decided in the months up to the later run's day (``after``), and in
    the same months of the year before (``before``), for much is sent once a year.

    :param kind: a code; None where the vocabulary has no kinds.
    """

    authority: str
    kind: str | None
    before: int
    after: int

    @property
    def fell_silent(self) -> bool:
        """Whether there is nothing where there was a good deal."""
        return self.before >= ENOUGH and self.after == 0


@dataclass(frozen=True, slots=True)
class Drift:
    """Two runs beside one another; what has shifted most comes first.

    :param feeds: those of which the later months have less than half or more than twice as many, or none.
    """

    pack: Pack
    before: RunSummary
    after: RunSummary
    score: Shift
    tier: Shift
    inputs: tuple[Shift, ...]
    feeds: tuple[Feed, ...]

    def title_of(self, feed: Feed) -> Title:
        """Of a feed's kind of records; an empty one where there are no kinds."""
        kind = feed.kind or ""
        return kinds_of(self.pack.vocabulary).get(kind, Title(kind, kind))


def runs_to_compare(
    store: Store, pack_id: str, before: RunSummary | None = None, after: RunSummary | None = None
) -> tuple[RunSummary, RunSummary]:
    """Two runs of a pack.

    :param after: None for the latest run.
    :param before: None for the latest of those a month or more earlier.
    :raises DriftError: where there are no two.
    """
    later, earlier = after or latest_run(store, pack_id), before
    if earlier is None and later is not None:
        month_before = add_days(
            add_months(add_days(later.as_of, 1), -1), -1
        )  # of a month's end the last one's
        earlier = latest_run(store, later.pack_id, month_before)
    if earlier is None or later is None:
        raise DriftError(
            Title(
                f"{pack_id}没有可比较的两次评价,须相隔一个月以上",
                f"there are no two runs of {pack_id} to compare, a month or more apart",
            )
        )
    return earlier, later


@lru_cache(maxsize=8)
def drift(store: Store, before: RunSummary, after: RunSummary) -> Drift:
    """What has shifted from one run to a later one of the same pack, each by what was known to it;
    remembered, for a published run never changes.

    :raises DriftError: where they are of different packs, or the second is of no later day.

    >>> from dataclasses import replace
    >>> from datetime import date
    >>> from fixtures.small import small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> later = latest_run(store, "tourism-credit")
    >>> found = drift(store, replace(later, as_of=date(2026, 1, 31)), later)
    >>> [(one.code, one.before, one.after) for one in found.tier.classes]
    [('B', 2, 1), ('C', 0, 1)]
    """
    if before.pack_id != after.pack_id or before.as_of >= after.as_of:
        raise DriftError(
            Title(
                "请选择同一规则的两次评价,前一次的评价基准日早于后一次",
                "choose two runs of one pack, the first of an earlier day than the second",
            )
        )
    asked = ("drift", *before.source, *after.source)
    found = computed(store, asked, _Shifts, lambda: _shifts(store, before, after))
    pack = stored_pack(store, after.pack_hash)
    return Drift(pack, before, after, found.score, found.tier, found.inputs, found.feeds)


@dataclass(frozen=True, slots=True)
class _Shifts:
    """What is computed of a drift: see :class:`Drift`."""

    score: Shift
    tier: Shift
    inputs: tuple[Shift, ...]
    feeds: tuple[Feed, ...]


def _shifts(store: Store, before: RunSummary, after: RunSummary) -> _Shifts:
    with workspace() as duck:
        earlier, plan = (
            _read(store, duck, run, side) for run, side in ((before, "before"), (after, "after"))
        )
        feeds = _feeds(duck, plan.pack.vocabulary, after.as_of)
        silent = [feed for feed in feeds if feed.fell_silent]
        days = (before.as_of, after.as_of)
        shared = [name for name in plan.inputs if name in earlier.inputs and _has_classes(plan, name)]
        inputs = [_input(duck, plan, name, silent, days) for name in shared]
        score = Shift(
            "score", Title("得分", "Score"), _numbers(duck, "scores", ("score / 100", "score / 100"))
        )
        tier = Shift("tier", Title("等级", "Tier"), _codes(duck, "scores", "tier", plan.pack.tiers))
    worst_first = sorted(inputs, key=lambda shift: -shift.index)
    return _Shifts(score, tier, tuple(worst_first), tuple(filter(_is_other, feeds)))


def _read(store: Store, duck: duckdb.DuckDBPyConnection, run: RunSummary, side: str) -> Plan:
    """Keep what a run read and said, as the tables ``scores_`` and ``inputs_`` of a side; its facts stay."""
    plan = compile_plan(stored_pack(store, run.pack_hash))
    words = plan.pack.vocabulary
    forget_snapshot(duck)
    take_snapshot(store, words, duck, run.known_at)
    grade_coded(duck, plan.pack, run.as_of, ahead=False, measured=True)
    own = f"s.{quoted(words.subject.key)} = m.subject_id"
    read = f"select s.*, m.* exclude (subject_id) from subjects s join measures m on {own}"
    for name, query in (("scores", "from scores"), ("inputs", read)):
        duck.execute(f"create temp table {name}_{side} as {query}")
    return plan


def _feeds(duck: duckdb.DuckDBPyConnection, words: Vocabulary, day: dt.date) -> list[Feed]:
    """Of the later run's records, by who decided and by kind."""
    columns = words.records.columns if words.records else {}
    if AUTHORITY not in columns:
        return []
    kind = "kind" if "kind" in columns else "cast(null as varchar)"
    decided, office = quoted(words.record_date), quoted(AUTHORITY)
    counts = (
        f"count(*) filter (where {decided} > {date(add_months(day, -back - MONTHS))}"
        f" and {decided} <= {date(add_months(day, -back))})"
        for back in (12, 0)
    )
    rows = duck.execute(
        f"select {office} as authority, {kind} as kind, {', '.join(counts)} from records"
        f" where {office} is not null group by all order by authority, kind"
    )
    return [Feed(*row) for row in rows.fetchall()]


def _is_other(feed: Feed) -> bool:
    """Whether there are so many more or fewer that it may explain what has shifted."""
    few, many = sorted((feed.before, feed.after))
    return many >= ENOUGH and many > 2 * few


def _has_classes(plan: Plan, name: Name) -> bool:
    """Texts without a list of codes can't be put in classes."""
    return name.type.kind is not Kind.TEXT or bool(codes_of(plan, name.name))


def codes_of(plan: Plan, name: str) -> Mapping[str, Title]:
    """The codes that an attribute or a measure may have, with their titles; none where it has no list."""
    words = plan.pack.vocabulary
    if name in words.subject.columns:
        return words.subject.columns[name].values
    measure = plan.measure(name)
    if measure.decision is not None:
        return dict(measure.decision.codes)
    operand = measure.operand
    columns = words.records.columns if words.records else {}
    return columns[operand.name].values if isinstance(operand, Name) and operand.name in columns else {}


def _input(
    duck: duckdb.DuckDBPyConnection,
    plan: Plan,
    name: Name,
    silent: Sequence[Feed],
    days: tuple[dt.date, dt.date],
) -> Shift:
    column = quoted(name.name)
    match name.type.kind:
        case Kind.NUMBER:
            classes = _numbers(duck, "inputs", (column, column))
        case Kind.DATE:
            before, after = (f"date_diff('day', {column}, {date(day)})" for day in days)
            classes = _numbers(duck, "inputs", (before, after))
        case Kind.BOOLEAN:
            classes = _codes(duck, "inputs", f"cast({column} as varchar)", ("true", "false"))
        case Kind.TEXT:
            classes = _codes(duck, "inputs", column, tuple(codes_of(plan, name.name)))
    if name.level is Level.MEASURE:
        counted = _kinds(plan, name.name)
        heard_no_more = tuple(feed for feed in silent if feed.kind is None or feed.kind in counted)
        return Shift(name.name, plan.measure(name.name).title, classes, heard_no_more)
    return Shift(name.name, plan.pack.vocabulary.subject.columns[name.name].title, classes)


def _codes(
    duck: duckdb.DuckDBPyConnection, table: str, value: str, codes: Sequence[str]
) -> tuple[Class, ...]:
    """Codes in their order, those that neither side has left out."""
    befores, afters = (
        dict(duck.execute(f"select {value}, count(*) from {table}_{side} group by 1").fetchall())
        for side in ("before", "after")
    )
    listed = dict.fromkeys(
        [*codes, *sorted(found for found in {*befores, *afters} if found is not None), None]
    )
    return tuple(
        Class(code is not None, code, None, None, befores.get(code, 0), afters.get(code, 0))
        for code in listed
        if code in befores or code in afters
    )


def _numbers(duck: duckdb.DuckDBPyConnection, table: str, values: tuple[str, str]) -> tuple[Class, ...]:
    """The least number of the earlier side by itself, for many have none of most things; the tenths of the
    others; and those of whom nothing is known."""
    before, after = (f"(select {v} as v from {table}_{side})" for v, side in zip(values, _SIDES, strict=True))
    tenths = ", ".join(str(n / CLASSES) for n in range(1, CLASSES))
    [(bounds,)] = duck.execute(
        "select list_sort(list_distinct(list_prepend(min(v), quantile_disc(v, ["
        + tenths
        + f"])))) from {before}"
        f" where v > (select min(v) from {before})"
    ).fetchall()
    bounds = [float(bound) for bound in bounds or ()]
    place = "len(list_filter(cast(? as double[]), lambda bound: bound <= v))"
    query = f"select case when v is not null then {place} end, count(*) from {{}} group by 1"
    counted = [dict(duck.execute(query.format(side), [bounds]).fetchall()) for side in (before, after)]
    edges = [None, *bounds, None]
    known = [(n, edges[n], edges[n + 1]) for n in range(len(bounds) + 1)]
    return tuple(
        Class(n is not None, None, low, high, counted[0].get(n, 0), counted[1].get(n, 0))
        for n, low, high in [*known, (None, None, None)]
        if n in counted[0] or n in counted[1]
    )


_SIDES = ("before", "after")


def _kinds(plan: Plan, name: str) -> frozenset[str]:
    """The kinds of records that may take part in a measure, or in those that it is made of."""
    measure = plan.measure(name)
    words = plan.pack.vocabulary
    of_parts = (kind for part in measure.parts for kind in _kinds(plan, part))
    number = plan.measures.index(measure)
    rows = [row for group in plan.measured for row in group.rows if row.owner == number]
    unknown = dict.fromkeys(closed_columns(words))
    own = (
        kind
        for kind in kinds_of(words)
        if any(evaluate(row.closed, {**unknown, "kind": kind}, dt.date.min) is not False for row in rows)
    )
    return frozenset([*of_parts, *own])
