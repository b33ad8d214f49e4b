"""A pack as frozen, checked data: the words of the rule language.

Points are integer hundredths throughout; dates are calendar dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from rules.articles import article_in
from rules.fault import Place
from rules.language.expressions import TRUE, Call, Expression, Level, Literal, Type, Value
from rules.titles import Title as Title

OWN_CHOICE = "own-choice"
OWN_CHOICE_TITLE = Title("自定", "own choice")
SCORE = "score"
"""How the conditions of vetoes name the score."""
NOWHERE = Place("", 0, 0)
GIVEN = {"identity": "where given"}
"""Parts of a pack that came to the language later: packs without them are what they were."""


@dataclass(frozen=True, slots=True)
class Possible:
    """Which values of a column can be, beyond its type.

    :param least: the lowest number.
    :param most: the highest number.
    :param not_before: a date column of the row, or a date attribute of its subject, that comes no later.
    :param days_ahead: how many days after the day of its coming a date may lie.
    :param earliest: the first day; by default :data:`EARLIEST`.
    :param latest: the last day; by default :data:`LATEST`, or what ``days_ahead`` allows.
    :param also: days that can be although they are out of bounds, or stand for no date elsewhere.
    """

    least: Decimal | None = None
    most: Decimal | None = None
    not_before: str | None = None
    days_ahead: int | None = None
    earliest: dt.date | None = None
    latest: dt.date | None = None
    also: tuple[dt.date, ...] = ()


EARLIEST, LATEST = dt.date(1950, 1, 1), dt.date(2099, 12, 31)
"""Between which days a date is believed where its vocabulary says nothing else (own choice)."""

ANYTHING = Possible()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a record of one kind needs beside what every record needs.

    :param needs: columns that it fills.
    :param values: column → the only codes of it that the kind knows; none where it leaves the column empty.
    """

    needs: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Column:
    """One declared attribute of a subject or column of a record.

    :param declared: the type's name in the vocabulary: text, integer, decimal, date, boolean.
    :param values: code → title, where the column has a closed list of codes.
    :param aliases: other headers by which files name the column.
    :param doubted: headers that may mean something else → what; the column is read all the same.
    :param spellings: other words by which files say a code → the code.
    :param format: a further check on a text: ``uscc`` (GB 32100-2015).
    :param lawful: patterns of codes that break the format and are in use, ``?`` for any character.
    :param fillers: codes that stand for one that is not known.
    """

    name: str
    type: Type
    declared: str
    title: Title
    values: Mapping[str, Title] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    format: str | None = None
    lawful: tuple[str, ...] = field(default=(), metadata={"identity": False})
    fillers: tuple[str, ...] = field(default=(), metadata={"identity": False})
    possible: Possible = field(default=ANYTHING, metadata={"identity": False})
    spellings: Mapping[str, str] = field(default_factory=dict, metadata={"identity": False})
    doubted: Mapping[str, Title] = field(default_factory=dict, metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of subjects or of records, by name, and which of them is the key.

    :param needs: the columns that every row fills beside its keys.
    :param kind: the column whose codes tell kinds of records apart.
    :param kinds: code of ``kind`` → what a record of that kind needs besides.
    """

    key: str
    columns: Mapping[str, Column]
    needs: tuple[str, ...] = field(default=(), metadata={"identity": False})
    kind: str | None = field(default=None, metadata={"identity": False})
    kinds: Mapping[str, Kind] = field(default_factory=dict, metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class Limit:
    """How long the law lets records count, whoever writes a pack.

    :param when: which records.
    :param months: for how many months from the record's date at the longest; 0 where they never count.
    :param until: the date column on which they end where it is stated.
    :param because: the law that says so.
    """

    when: Expression
    months: int | None
    until: str | None
    because: Title


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the law makes of records of which nobody has said it: the class of a penalty, by its kind.

    :param when: which records; of several proposals for a column the first that fits is made.
    :param column: a column with a list of codes.
    :param code: what is proposed.
    :param meanwhile: what holds until a person has confirmed the code, where one must.
    :param because: the clause that says so.
    """

    when: Expression
    column: str
    code: str
    meanwhile: str | None
    because: Title


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is known of one kind of subject and of the records about it.

    :param records: None where subjects have attributes alone.
    :param record_subject: the record column that holds the subject's key.
    :param record_date: the record column from which a record counts unless its rule says otherwise.
    :param find_by: attributes by which a record's subject is found where its code is a filler.
    :param limits: how long the law lets records count; lint holds packs to it.
    :param proposals: what rows do not say, and the law lets follow from what they do.
    :param favourable: which records speak for their subject alone: there is nothing to repair in them.
    """

    id: str
    title: Title
    subject: Table
    records: Table | None
    record_subject: str
    record_date: str
    find_by: tuple[str, ...] = field(default=(), metadata={"identity": False})
    limits: tuple[Limit, ...] = field(default=(), metadata={"identity": False})
    proposals: tuple[Proposal, ...] = field(default=(), metadata={"identity": False})
    favourable: Expression | None = field(default=None, metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class Basis:
    """A document that rules rest on; ``own-choice`` needs no entry.

    :param short: how it is cited in a list: its number, where it has one.
    :param in_force_from: the first day on which it is law; None where the pack does not say.
    :param repealed_on: the first day on which it is law no more.
    :param replaced_by: the basis that took its place.
    """

    id: str
    title: str
    short: str
    in_force_from: dt.date | None = field(default=None, metadata=GIVEN)
    repealed_on: dt.date | None = field(default=None, metadata=GIVEN)
    replaced_by: str | None = field(default=None, metadata=GIVEN)


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule comes from: a basis of the pack and the article in it."""

    basis: str
    article: str

    def __str__(self) -> str:
        return f"{self.basis} {self.article}".strip()


@dataclass(frozen=True, slots=True)
class Dated:
    """A value that law changes: in force from each date until the next one. Before the first date: None."""

    steps: tuple[tuple[dt.date, int | None], ...]

    def on(self, day: dt.date) -> int | None:
        """The value in force on ``day``."""
        current: int | None = None
        for start, value in self.steps:
            if start <= day:
                current = value
        return current

    def next_change(self, day: dt.date) -> dt.date | None:
        """The first date after ``day`` on which another value starts."""
        return min((start for start, _ in self.steps if start > day), default=None)


@dataclass(frozen=True, slots=True)
class Decay:
    """From ``months`` after the start of a window on, ``keep`` of the points remains."""

    months: int
    keep: Fraction


@dataclass(frozen=True, slots=True)
class Window:
    """When a record counts: on day d with ``start <= d < end``.

    The end is the earliest of ``start`` + months, ``start`` + days and ``until``; a bound that is absent, and
    an ``until`` that is unknown, leave it open. An unknown ``start`` never counts.
    """

    start: Expression
    months: int | None = None
    days: int | None = None
    until: Expression | None = None
    decay: tuple[Decay, ...] = ()

    def is_over(self, day: dt.date) -> bool:
        """Whether it has ended on the day, whatever its start: months and days end with the calendar."""
        return day == dt.date.max and bool(self.months or self.days)


@dataclass(frozen=True, slots=True)
class When:
    """A condition with its time taken apart once, by :func:`rules.language.time_terms.take_time_out`.

    :param written: the condition as it was written, for people and for the identity of packs.
    :param condition: what is left without ``as_of``.
    :param begins: dates; the condition is true only on days d with each of them ≤ d.
    :param ends: dates; true only on days d with d < each of them.
    """

    written: Expression
    condition: Expression
    begins: tuple[Expression, ...] = ()
    ends: tuple[Expression, ...] = ()


ALWAYS = When(TRUE, TRUE)


class Aggregate(StrEnum):
    """How a measure makes one value of many records, of other measures, or (``run``) of groups alone: how
    many months or years with a value follow one another at the most."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    LATEST = "latest"
    RATIO = "ratio"
    RANK = "rank"
    PEERS = "peers"
    PERCENTILE = "percentile"
    VALUE = "value"
    RUN = "run"


OVER_GROUP = frozenset({Aggregate.RANK, Aggregate.PEERS, Aggregate.PERCENTILE})
"""Aggregates that depend on other subjects."""

DERIVED = OVER_GROUP | {Aggregate.RATIO, Aggregate.VALUE}
"""Aggregates of other measures, not of records."""

NEVER_UNKNOWN = frozenset({Aggregate.COUNT, Aggregate.SUM, Aggregate.RUN})
"""Aggregates that are 0 of nothing."""

PERIODS = {"start_of_month": 1, "start_of_year": 12}
"""What of a date makes groups of which one follows another → how many months each is long."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a table that gives a value says beside the measure that it is: the measure's operand is all of its
    rows.

    :param codes: the texts that it can give with their titles, the first first in priority; none of numbers.
    :param hit: its hit policy.
    :param take: what is made of all the rows that match; None where one counts.
    :param rows: the condition of each and what it gives, as they stand.
    :param default: what it gives where no row matches.
    """

    codes: tuple[tuple[str, Title], ...]
    citations: tuple[Citation, ...]
    note: Title | None = field(default=None, metadata=GIVEN)
    hit: str = field(default="", metadata={"identity": False})
    take: str | None = field(default=None, metadata={"identity": False})
    rows: tuple[tuple[Expression, Literal], ...] = field(default=(), metadata={"identity": False})
    default: Literal | None = field(default=None, metadata={"identity": False})
    examples: tuple[Example, ...] = field(default=(), metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class Measure:
    """A value derived from a subject's records, or from other measures.

    :param operand: what is summed, compared, taken or (``value``) computed; None for a count, ratio or rank.
    :param where: which records take part; for measures made of measures, which subjects do.
    :param by: what of a record makes groups, reduced to one value by ``take``; of aggregates over a group the
        name of the attribute or measure that makes groups of subjects.
    :param bands: of numbers by which subjects are grouped: from each of these to before the next is a group.
    :param fewest: of how many subjects a group must be for a percentile in it; None for 2.
    :param each: at what each group's value is held: a positive one is the most, a negative one the least.
    :param parts: the measures that this one is made of; of a ratio the part and the whole, of aggregates over
        a group what is compared and then ``by``, where that is a measure.
    :param descending: of a rank or percentile: whether the greatest value is first.
    :param decision: what else the table says that gives it; None where no table does.
    """

    id: str
    title: Title
    aggregate: Aggregate
    operand: Expression | None
    where: When
    window: Window | None
    by: Expression | None
    take: Aggregate | None
    parts: tuple[str, ...]
    descending: bool
    type: Type
    each: Decimal | None = field(default=None, metadata=GIVEN)
    bands: tuple[Decimal, ...] = field(default=(), metadata=GIVEN)
    fewest: int | None = field(default=None, metadata=GIVEN)
    decision: Decision | None = field(default=None, metadata=GIVEN)
    place: Place = field(default=NOWHERE, metadata={"identity": False})

    @property
    def months_long(self) -> int | None:
        """How long each of its groups is, where one follows another."""
        return PERIODS.get(self.by.function) if isinstance(self.by, Call) else None


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case beside a rule: for these inputs, on this day, the rule gives these points.

    :param subject: the subject's attributes.
    :param records: the subject's records.
    :param hit: whether the rule must hit; None for an example of a whole pack.
    :param points: the expected hundredths of all hits of the rule together, after its cap.
    :param score: the expected score in hundredths.
    :param tier: the expected tier.
    :param value: what the table must give that the example stands in; None for no row that matches.
    """

    subject: Mapping[str, Value | None]
    records: tuple[Mapping[str, Value | None], ...]
    as_of: dt.date
    hit: bool | None
    points: int | None
    score: int | None
    tier: str | None
    place: Place
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and what it leads to: points, a tier or a consequence. A table row is a rule too.

    :param level: RECORD: judged once a record; SUBJECT: once a subject.
    :param points: hundredths by date; None for a veto.
    :param per: what the points are multiplied by, rounded half away from zero to hundredths.
    :param cap: the most, in hundredths, that all hits of the rule together may give one subject.
    :param baseline: the hundredths that are expected of the rule, or of its table; None for 0.
    :param tier: for a veto: the tier that it forces; None where it lowers.
    :param lowers: for a veto: by how many tiers it lowers what the score gives.
    :param below: for a veto: :data:`SCORE` or a dimension, and the hundredths below which it must be for the
        veto to hold; all of them.
    :param table: the table of which the rule is a row.
    :param consequence: whether the rule says what a result leads to, and gives no points.
    :param note: what people should know beside the title: which evidence makes a finding, say.
    """

    id: str
    title: Title
    level: Level
    dimension: str | None
    when: When
    points: Dated | None
    per: Expression | None
    window: Window | None
    cap: int | None
    tier: str | None
    table: str | None
    consequence: bool
    citations: tuple[Citation, ...]
    note: Title | None = None
    baseline: int | None = field(default=None, metadata=GIVEN)
    lowers: int | None = field(default=None, metadata=GIVEN)
    below: tuple[tuple[str, int], ...] = field(default=(), metadata=GIVEN)
    examples: tuple[Example, ...] = field(default=(), metadata={"identity": False})
    place: Place = field(default=NOWHERE, metadata={"identity": False})

    @property
    def is_veto(self) -> bool:
        """Whether it holds the tier down, whatever the points."""
        return self.tier is not None or self.lowers is not None

    @property
    def limit(self) -> Title | None:
        """What a veto makes of the tier, in short; None where it is none."""
        if self.lowers is not None:
            return Title(f"降{self.lowers}级", f"lowered by {self.lowers}")
        return None if self.tier is None else Title(f"≤ {self.tier}", f"≤ {self.tier}")


@dataclass(frozen=True, slots=True)
class Event:
    """One record of an alert's pattern.

    :param stands_until: a date of the record; the next event must come before it, where it is known.
    """

    when: Expression
    stands_until: Expression | None


@dataclass(frozen=True, slots=True)
class Alert:
    """A pattern of several records of one subject, in the order of their dates (then of their ids).

    :param same: a column in which all the records must have one known value.
    :param days: the last record comes less than so many days after the first; None for no limit.
    """

    id: str
    title: Title
    events: tuple[Event, ...]
    same: str | None
    days: int | None
    citations: tuple[Citation, ...]
    place: Place = field(default=NOWHERE, metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class Remedy:
    """A lawful step that betters what a record says: its repair, a report filed, a promise kept.

    :param when: which records it is for.
    :param changes: what their columns say once it is done.
    :param after: the first day on which it may be done; None for any day. Unknown: never.
    :param needs: what must be done or shown for it.
    """

    id: str
    title: Title
    when: Expression
    changes: Mapping[str, Value | None]
    after: Expression | None
    needs: tuple[Title, ...]
    citations: tuple[Citation, ...]
    place: Place = field(default=NOWHERE, metadata={"identity": False})


@dataclass(frozen=True, slots=True)
class Together:
    """Rules that one fact may meet on purpose.

    :param rules: ids of rules, vetoes and tables, sorted; a table stands for all its rows.
    :param why: why the fact counts more than once.
    """

    rules: tuple[str, ...]
    why: Title


@dataclass(frozen=True, slots=True)
class Dimension:
    """A part of the score; its points are kept between ``floor`` and ``ceiling`` (hundredths)."""

    id: str
    title: Title
    floor: int | None
    ceiling: int | None


@dataclass(frozen=True, slots=True)
class Grade:
    """A tier and the lowest score (hundredths) that reaches it; None where vetoes alone give the tier."""

    tier: str
    title: Title
    lowest: int | None


@dataclass(frozen=True, slots=True)
class Supervision:
    """What a tier leads to.

    :param sample_share: the share of the tier's subjects that random inspection draws in a year.
    :param visits_per_year: the most visits a year, None for no limit.
    :param unprompted_visits: whether a visit may come without a complaint or a check that is due.
    :param lending: the lane of a lender: fast, normal, careful, none; None where no lender checks.
    """

    tier: str
    sample_share: Decimal
    visits_per_year: int | None
    unprompted_visits: bool
    lending: str | None
    valid_months: int
    measures: tuple[Title, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Where the score starts and between which bounds it is kept (hundredths)."""

    start: int
    min: int
    max: int


class Authority(StrEnum):
    """Who makes a grade."""

    NATIONAL = "national"
    INDUSTRY = "industry"
    DISTRICT = "district"

    @property
    def said(self) -> Title:
        """Who that is."""
        return _AUTHORITIES[self]


_AUTHORITIES = {
    Authority.NATIONAL: Title("国家统一评价", "one grade of the whole country"),
    Authority.INDUSTRY: Title("行业主管部门评价", "the grade of an industry's regulator"),
    Authority.DISTRICT: Title("区级评价，用于本区监管", "the district's own grade, for its supervision"),
}


@dataclass(frozen=True, slots=True)
class Pack:
    """A versioned set of rules for one kind of subject. ``grades`` run from the best tier to the worst.

    :param tables: the titles of the tables that give points, by id; their rows are among the rules.
    :param authority: who makes the grade; None where the pack does not say.
    :param together: which rules may meet one fact, and why.
    :param note: what people must know before they use it.
    """

    id: str
    version: str
    title: Title
    vocabulary: Vocabulary
    in_force_from: dt.date
    in_force_until: dt.date | None
    bases: tuple[Basis, ...]
    score: Score
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    rules: tuple[Rule, ...]
    tables: Mapping[str, Title]
    alerts: tuple[Alert, ...]
    grades: tuple[Grade, ...]
    supervision: tuple[Supervision, ...]
    remedies: tuple[Remedy, ...] = field(default=(), metadata=GIVEN)
    authority: Authority | None = field(default=None, metadata=GIVEN)
    together: tuple[Together, ...] = field(default=(), metadata=GIVEN)
    note: Title | None = field(default=None, metadata=GIVEN)
    examples: tuple[Example, ...] = field(default=(), metadata={"identity": False})
    place: Place = field(default=NOWHERE, metadata={"identity": False})

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers, best first."""
        return tuple(grade.tier for grade in self.grades)

    @property
    def bands(self) -> tuple[tuple[int, int], ...]:
        """The tiers that scores reach: the place of each, and the lowest score that reaches it."""
        return tuple((n, grade.lowest) for n, grade in enumerate(self.grades) if grade.lowest is not None)

    def lowered(self, place: int, by: int) -> int:
        """The place of the tier that is ``by`` worse than one that scores reach, of those that scores reach;
        at most the worst of them."""
        places = [place for place, _ in self.bands]
        return places[min(places.index(place) + by, len(places) - 1)]

    def rule(self, rule_id: str) -> Rule:
        """The rule, table row or veto of that id.

        :raises KeyError: where the pack has none.
        """
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def document(self, citation: Citation) -> Title:
        """A citation as people read it: the document's title and the article."""
        return self._cited(citation, {basis.id: basis.title for basis in self.bases})

    def cite(self, citation: Citation) -> Title:
        """A citation in short: the document's number and the article."""
        return self._cited(citation, {basis.id: basis.short for basis in self.bases})

    def _cited(self, citation: Citation, names: Mapping[str, str]) -> Title:
        """A document keeps its Chinese name; where in it is said in the reader's language."""
        if citation.basis == OWN_CHOICE or citation.basis not in names:
            return OWN_CHOICE_TITLE
        name = names[citation.basis]
        titles = {basis.id: basis.title for basis in self.bases}
        where = article_in(titles[citation.basis], citation.article)
        return Title(name + where.zh, f"{name} {where.en}".strip())
