"""The enterprise pack by hand in vectorised NumPy, in the manner of OpenFisca: a function a rule.

All 92 rules and 19 measures of enterprise-credit 2026.1 on one day, which give score and tier. What the judge
gives besides is left out: hits, dimensions, next changes, how much was known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.data import Data
from benchmarks.district import AS_OF
from rules.calendar import first_start_still_open

Array = np.ndarray[Any, Any]
Rule = Callable[["Population"], Array]

READ = ["subject_id", "kind", "field", "severity", "status", "level", "amount", "occurred_on", "ends_on"]
NEVER = np.iinfo(np.int32).max
TODAY = AS_OF.toordinal() - dt.date(1970, 1, 1).toordinal()
CUTOFFS = -np.array([(first_start_still_open(AS_OF, m) - dt.date(1970, 1, 1)).days for m in range(1, 121)])
"""Of dates before the n-th of these (as a negative number), n whole months have passed."""


@dataclass(frozen=True)
class Records:
    """Columns of some records; texts as codes, dates as days."""

    codes: dict[str, dict[str, int]]
    subject: Array
    columns: dict[str, Array]

    def where(self, chosen: Array) -> Records:
        """Some of them."""
        rows = np.flatnonzero(chosen)
        return Records(self.codes, self.subject[rows], {n: c[rows] for n, c in self.columns.items()})

    def has(self, column: str, *values: str) -> Array:
        """Whether a column has one of these values."""
        own, known = self.columns[column], self.codes[column]
        found = np.zeros(len(own), dtype=bool)
        for value in values:
            found |= own == known.get(value, -2)
        return found

    @cached_property
    def age(self) -> Array:
        """Whole months since they occurred; -1 of those that are yet to occur."""
        occurred = self.columns["occurred_on"]
        return np.where(occurred > TODAY, -1, np.searchsorted(CUTOFFS, -occurred, side="left"))

    def within(self, months: int, since: int = 0, until: bool = False) -> Array:
        """Whether it is so many months ago, and no end has come."""
        open_ = (self.age >= since) & (self.age < months)
        return open_ & (self.columns["ends_on"] > TODAY) if until else open_


class Population:
    """The enterprises and their records."""

    def __init__(self, data: Data) -> None:
        subjects = pq.read_table(data.subjects, columns=["subject_id", "size", "state", "established_on"])
        records = pq.read_table(data.records, columns=READ)
        self.subject_id = subjects["subject_id"].combine_chunks()
        self.size = len(self.subject_id)
        owner = pc.index_in(records["subject_id"], value_set=self.subject_id).to_numpy()
        texts = {name: _coded(records[name]) for name in ("kind", "field", "severity", "status", "level")}
        columns = {name: codes for name, (codes, _) in texts.items()}
        columns |= {name: _days(records[name], NEVER) for name in ("occurred_on", "ends_on")}
        columns["amount"] = pc.fill_null(pc.cast(records["amount"], pa.int64()), -1).to_numpy()
        self.records = Records({name: known for name, (_, known) in texts.items()}, owner, columns)
        own = {name: _coded(subjects[name]) for name in ("size", "state")}
        established = {"occurred_on": _days(subjects["established_on"], NEVER)}
        self.own = Records(
            {name: known for name, (_, known) in own.items()},
            np.arange(self.size),
            {name: codes for name, (codes, _) in own.items()} | established,
        )
        self._known: dict[str, Records] = {}

    def of(self, kind: str, status: str | None = "effective") -> Records:
        """The effective records of a kind."""
        key = f"{kind} {status}"
        if key not in self._known:
            chosen = self.of(kind, None).has("status", status) if status else self.records.has("kind", kind)
            source = self.of(kind, None) if status else self.records
            self._known[key] = source.where(chosen)
        return self._known[key]

    def count(self, records: Records, chosen: Array) -> Array:
        """How many of the records each subject has."""
        return np.bincount(records.subject[chosen], minlength=self.size)

    def sum(self, records: Records, chosen: Array, points: int | Array, cap: int | None = None) -> Array:
        """Points of each subject, held at a cap."""
        if isinstance(points, int):
            total = self.count(records, chosen) * points
        else:
            total = np.bincount(records.subject[chosen], points[chosen], self.size).astype(np.int64)
        return total if cap is None else held(total, cap)

    def latest(self, kind: str, months: int) -> tuple[Array, dict[str, int]]:
        """The last level of each subject as a code, -1 for none."""
        records = self.of(kind)
        records = records.where(records.within(months) & (records.columns["level"] >= 0))
        found = np.full(self.size, -1, dtype=np.int32)
        order = np.argsort(records.columns["occurred_on"], kind="stable")
        found[records.subject[order]] = records.columns["level"][order]
        return found, records.codes["level"]


def _coded(column: pa.ChunkedArray) -> tuple[Array, dict[str, int]]:
    coded = pc.dictionary_encode(column).combine_chunks()
    codes = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int8)
    return codes, {value: code for code, value in enumerate(coded.dictionary.to_pylist())}


def _days(column: pa.ChunkedArray, unknown: int) -> Array:
    days: Array = pc.fill_null(pc.cast(column, pa.int32()), unknown).to_numpy()
    return days


def held(points: Array, cap: int) -> Array:
    """Points held at a cap."""
    return np.maximum(points, cap) if cap < 0 else np.minimum(points, cap)


def faded(points: int, months: int, age: Array) -> Array:
    """What is left of points that fade evenly over so many months; rounded half away from zero."""
    left = [(2 * abs(points) * (months - m) + months) // (2 * months) for m in range(months)]
    found: Array = (np.array([*left, 0]) * np.sign(points))[np.clip(age, 0, months)]
    return found


def stepped(age: Array, *steps: tuple[int, int]) -> Array:
    """Points from a month on."""
    months, points = zip(*steps, strict=True)
    return np.array([0, *points])[np.searchsorted(months, age, side="right")]


# Measures


def repeat_findings(people: Population) -> tuple[Array, Array, Array]:
    """Most findings in one key field, the number of such fields, findings elsewhere."""
    penalties = people.of("penalty", None)
    met = penalties.has("severity", "general", "serious") & penalties.has("status", "effective", "repaired")
    met &= penalties.within(24)
    general = penalties.has("field", "general")
    field = penalties.columns["field"]
    fields = len(penalties.codes["field"])
    key = met & ~general & (field >= 0)
    by_field = np.bincount(penalties.subject[key] * fields + field[key], minlength=people.size * fields)
    table = by_field.reshape(people.size, fields)
    return table.max(axis=1), (table > 0).sum(axis=1), people.count(penalties, met & general)


LISTED = ("seriously_dishonest_listing", "abnormal_operation_listing", "judgment_default")
OWED = ("wage_arrears_listing", "tax_arrears", "social_insurance_arrears")
BAD = ("penalty", *LISTED, *OWED, "contract_default", "payment_default", "safety_accident")
BAD_LEVELS = {
    "annual_report": ("missing", "false"),
    "inspection": ("failed", "refused"),
    "commitment": ("broken",),
    "complaint": ("upheld",),
    "loan": ("overdue", "written_off"),
}


def bad_records(people: Population, months: int) -> Array:
    """Adverse records."""
    total = np.zeros(people.size, dtype=np.int64)
    for kind in (*BAD, *BAD_LEVELS):
        records = people.of(kind)
        chosen = records.within(months)
        if kind in BAD_LEVELS:
            chosen &= records.has("level", *BAD_LEVELS[kind])
        total += people.count(records, chosen)
    return total


def standing_listings(people: Population) -> Array:
    """Listings and arrears that still stand."""
    return sum(
        (people.count(r, r.within(36, until=True)) for r in map(people.of, (*LISTED, *OWED))),
        np.zeros(people.size, dtype=np.int64),
    )


def share_at_least(part: Array, whole: Array, percent: int) -> Array:
    """Whether part / whole, rounded half away to 4 decimals, is at least so much; not where whole is 0."""
    rounded = (20_000 * part + whole) // np.maximum(2 * whole, 1)
    enough: Array = (whole > 0) & (rounded >= percent * 100)
    return enough


# Rules on records: one function a rule or table, by dimension


def _simple(kind: str, points: int, cap: int, months: int, **how: Any) -> Rule:
    """So many points a record of a kind within some months."""
    level, severity = how.get("level"), how.get("severity")

    def rule(people: Population) -> Array:
        records = people.of(kind)
        chosen = records.within(months, how.get("since", 0), how.get("until", False))
        if level:
            chosen &= records.has("level", *level.split())
        if severity:
            chosen &= records.has("severity", severity)
        if over := how.get("over"):
            chosen &= records.columns["amount"] >= over
        if how.get("fades"):
            return people.sum(records, chosen, faded(points, how["fades"], records.age), cap)
        if steps := how.get("steps"):
            return people.sum(records, chosen, stepped(records.age, (0, points), *steps), cap)
        return people.sum(records, chosen, points, cap)

    return rule


ALWAYS = 12 * 9000
BASIC: list[Rule] = [
    _simple("annual_report", 100, 100, 18, level="on_time"),
    _simple("annual_report", -200, -400, 12, level="late", fades=12),
    _simple("annual_report", -400, -800, 12, level="missing", until=True),
    _simple("annual_report", -800, -1200, 36, level="false", steps=[(12, -600), (24, -400)]),
    _simple("abnormal_operation_listing", -1000, -1500, ALWAYS, until=True),
    _simple("abnormal_operation_listing", -500, -500, ALWAYS, since=12, until=True),
]
COMPLIANCE: list[Rule] = [
    _simple("penalty", -100, -300, 3, severity="minor", until=True),
    _simple("penalty", -600, -1800, 12, severity="general", until=True, fades=12),
    _simple("penalty", -1400, -3500, 36, severity="serious", until=True, steps=[(12, -1050), (24, -700)]),
    _simple("penalty", -500, -1000, 24, level="permit_withheld suspension", fades=24),
    _simple("seriously_dishonest_listing", -3000, -3000, 36, until=True),
    _simple("inspection", 50, 100, 12, level="passed"),
    _simple("inspection", -300, -900, 12, level="failed", fades=12),
    _simple("inspection", -400, -800, 12, level="unreachable", until=True),
    _simple("inspection", -800, -1600, 24, level="refused", fades=24),
]
FISCAL: list[Rule] = [
    _simple("tax_arrears", -400, -800, 36, until=True),
    _simple("social_insurance_arrears", -400, -800, 24, until=True),
    _simple("social_insurance_arrears", -300, -300, 24, since=6, until=True),
    _simple("wage_arrears_listing", -2500, -2500, 36, until=True),
]
PERFORMANCE: list[Rule] = [
    _simple("commitment", 50, 100, 24, level="open kept"),
    _simple("commitment", -500, -1500, 12, level="broken", steps=[(6, -250)]),
    _simple("commitment", -800, -1600, 36, level="broken", severity="serious", fades=36),
    _simple("contract_default", -400, -1200, 12, until=True, fades=12),
    _simple("contract_default", -300, -600, 12, until=True, over=500_000),
    _simple("payment_default", -400, -1200, 36, until=True),
    _simple("judgment_default", -2500, -2500, 24, until=True),
    _simple("judgment_default", -2500, -2500, 60, since=24, until=True, severity="serious"),
    _simple("loan", 100, 200, 24, level="repaid"),
    _simple("loan", -600, -1200, 24, level="overdue", until=True),
    _simple("loan", -1500, -1500, 36, level="written_off", fades=36),
]
REPUTATION: list[Rule] = [
    _simple("public_service", 50, 100, 12),
    _simple("complaint", -150, -600, 12, level="upheld", fades=12),
]


def tax_arrears_amount(people: Population) -> Array:
    """A point for each 100,000 yuan."""
    records = people.of("tax_arrears")
    amount = records.columns["amount"]
    return people.sum(records, records.within(36, until=True) & (amount > 0), -((amount + 500) // 1000), -800)


def payment_default_of_large_firm(people: Population) -> Array:
    """Heavier for a large firm."""
    records = people.of("payment_default")
    large = people.own.has("size", "large")[records.subject]
    return people.sum(records, records.within(36, until=True) & large, -400, -800)


def penalty_aggravated(people: Population) -> Array:
    """By the field and the amount of the penalty."""
    records = people.of("penalty")
    points = -200 * records.has("field", "food_medicine", "work_safety", "wages").astype(np.int64)
    online = ("examination", "finance", "online_falsehood", "social_insurance_fraud", "telecom_fraud")
    points -= 300 * records.has("field", *online)
    points -= 100 * (records.columns["amount"] >= 100_000)
    points -= 300 * (records.columns["amount"] >= 1_000_000)
    return people.sum(
        records, records.has("severity", "general", "serious") & records.within(12), points, -1000
    )


def safety_accident(people: Population) -> Array:
    """By how grave it was."""
    records = people.of("safety_accident")
    levels = [records.has("level", level) for level in ("extraordinary", "major", "larger")]
    points = np.select(levels, [-4000, -3000, -1800], -800) * stepped(records.age, (0, 4), (12, 2), (24, 1))
    return people.sum(records, records.within(36), points // 4, -4000)


def award(people: Population) -> Array:
    """By who gave it."""
    records = people.of("award")
    levels = [records.has("level", level) for level in ("national", "municipal")]
    points = np.select(levels, [400, 300], 150) * stepped(records.age, (0, 2), (12, 1))
    return people.sum(records, records.within(24), points // 2, 400)


# Grades


@dataclass(frozen=True)
class Grades:
    """Score in hundredths and tier (0 the best), by the population's order of subjects."""

    subject_id: pa.Array
    score: Array
    tier: Array

    def as_arrow(self) -> pa.Table:
        """As a table."""
        return pa.table({"subject_id": self.subject_id, "score": self.score, "tier": self.tier})


def grades(data: Data) -> Grades:
    """The pack from the files to scores and tiers."""
    return Grading(Population(data)).grades()


class Grading:
    """One day's grading of a population."""

    def __init__(self, people: Population) -> None:
        self._people = people
        self._most, self._fields, self._elsewhere = repeat_findings(people)
        self._ratings = {
            kind: people.latest(f"{kind}_rating", months)
            for kind, months in (("environment", 18), ("tax", 18), ("customs", 60), ("labour", 18))
        }

    def grades(self) -> Grades:
        """Score and tier."""
        score = 7800 + sum(
            np.clip(self._total(dimension), low, high)
            for dimension, low, high in (
                (self._basic, -2000, 400),
                (self._compliance, -6000, 800),
                (self._fiscal, -4000, 1000),
                (self._performance, -4000, 800),
                (self._reputation, -1500, 500),
            )
        )
        score = np.clip(score, 0, 10_000)
        band = np.select([score >= 9000, score >= 7500, score >= 5000], [0, 1, 2], 3)
        return Grades(self._people.subject_id, score, np.maximum(band, self._vetoed()))

    def _total(self, dimension: Callable[[], Iterator[Array]]) -> Array:
        total = np.zeros(self._people.size, dtype=np.int64)
        for points in dimension():
            total += points
        return total

    def _rated(self, kind: str, **points: int) -> Array:
        level, known = self._ratings[kind]
        total = np.zeros(self._people.size, dtype=np.int64)
        for value, given in points.items():
            total += given * (level == known.get(value, -2))
        return total

    def _basic(self) -> Iterator[Array]:
        own = self._people.own
        operating = own.has("state", "operating")
        yield 100 * (operating & (own.age >= 36))
        yield 100 * (operating & (own.age >= 120))
        yield -500 * own.has("state", "suspended")
        yield from (rule(self._people) for rule in BASIC)

    def _compliance(self) -> Iterator[Array]:
        people, own = self._people, self._people.own
        yield from (rule(people) for rule in COMPLIANCE)
        yield penalty_aggravated(people)
        yield safety_accident(people)
        penalties = people.of("penalty")
        amounts = np.maximum(penalties.columns["amount"], 0)
        yield -400 * (people.sum(penalties, penalties.within(12), amounts) >= 500_000)
        yield np.select([self._most >= 4, self._most == 3, self._most == 2], [-2000, -1200, -400], 0)
        yield -500 * (self._fields >= 3)
        yield -400 * (self._elsewhere >= 3)
        inspections = people.of("inspection")
        recent = inspections.within(24)
        all_, passed = (
            people.count(inspections, chosen)
            for chosen in (recent, recent & inspections.has("level", "passed"))
        )
        yield 100 * ((all_ >= 3) & share_at_least(passed, all_, 90))
        operating = own.has("state", "operating")
        clean = (bad_records(people, 12) == 0) & (standing_listings(people) == 0)
        yield 100 * (operating & clean & (own.age >= 12))
        yield 200 * (operating & (bad_records(people, 36) == 0) & (own.age >= 36))
        yield self._rated("environment", green=300, blue=100, yellow=-500, red=-1500)

    def _fiscal(self) -> Iterator[Array]:
        yield from (rule(self._people) for rule in FISCAL)
        yield tax_arrears_amount(self._people)
        ratings = self._people.of("tax_rating")
        best = self._people.count(ratings, ratings.within(36) & ratings.has("level", "A"))
        level, known = self._ratings["tax"]
        yield 200 * ((best >= 3) & (level == known["A"]))
        yield self._rated("tax", A=500, B=200, C=-600, D=-1500)
        yield self._rated("customs", certified=300, dishonest=-1200)
        yield self._rated("labour", A=300, C=-1000)

    def _performance(self) -> Iterator[Array]:
        people = self._people
        yield from (rule(people) for rule in PERFORMANCE)
        yield payment_default_of_large_firm(people)
        commitments = people.of("commitment")
        recent = commitments.within(24)
        kept = people.count(commitments, recent & commitments.has("level", "kept"))
        due = people.count(commitments, recent & commitments.has("level", "kept", "broken"))
        well, fairly, half = (share_at_least(kept, due, percent) for percent in (95, 80, 50))
        yield np.select([well & (due >= 3), well, fairly, half, due > 0], [400, 200, 100, -200, -600], 0)

    def _reputation(self) -> Iterator[Array]:
        people = self._people
        yield from (rule(people) for rule in REPUTATION)
        yield award(people)
        complaints = people.of("complaint")
        upheld = people.count(complaints, complaints.within(6) & complaints.has("level", "upheld"))
        yield -400 * (upheld >= 3)

    def _vetoed(self) -> Array:
        """The tier that vetoes force; 0 for none."""
        people, tier = self._people, np.zeros(self._people.size, dtype=np.int64)
        forced: list[tuple[int, Array]] = []

        def by_records(to: int, records: Records, chosen: Array) -> None:
            forced.append((to, records.subject[chosen]))

        def by_subjects(to: int, chosen: Array) -> None:
            forced.append((to, np.flatnonzero(chosen)))

        for kind, months in (
            ("seriously_dishonest_listing", 36),
            ("judgment_default", 24),
            ("wage_arrears_listing", 36),
        ):
            by_records(3, people.of(kind), people.of(kind).within(months, until=True))
            disputed = people.of(kind, "disputed")
            by_records(2, disputed, disputed.within(36, until=True))
        serious = people.of("judgment_default")
        by_records(3, serious, serious.within(60, 24, until=True) & serious.has("severity", "serious"))
        accidents = people.of("safety_accident")
        by_records(3, accidents, accidents.within(12) & accidents.has("level", "major", "extraordinary"))
        penalties = people.of("penalty")
        by_records(2, penalties, penalties.within(12) & penalties.has("level", "permit_revoked"))
        abnormal = people.of("abnormal_operation_listing")
        by_records(2, abnormal, abnormal.within(ALWAYS, until=True))
        by_subjects(3, people.own.has("state", "revoked"))
        by_subjects(2, people.own.has("state", "cancelled"))
        by_subjects(2, self._most >= 4)
        for kind, worst in (("tax", "D"), ("environment", "red"), ("customs", "dishonest"), ("labour", "C")):
            level, known = self._ratings[kind]
            by_subjects(2, level == known.get(worst, -2))
        for to, subjects in forced:
            tier[subjects] = np.maximum(tier[subjects], to)
        return tier
