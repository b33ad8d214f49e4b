"""What the law asks of a pack that says whose grade it makes.

How long records may count is said by the vocabulary (``limits``), once for all packs about its subjects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rules.calendar import add_days, add_months
from rules.language.expressions import Call, Expression, Level, Name, Shift, conjunction, render
from rules.model import DERIVED, Alert, Authority, Citation, Limit, Rule, When, Window
from rules.text.source import Path
from rules.tools.lint.finding import Finding, Severity
from rules.tools.lint.review import Review

NATIONAL_NAMES = ("公共信用综合评价", "公共信用评价", "企业信用状况综合评价")
"""What the evaluations of the whole country are called (GB/T 45255-2025, 国办发〔2026〕8号)."""


def authority(review: Review) -> Iterator[Finding]:
    """Packs that do not say whose grade they make: the other checks of this room pass them over."""
    pack = review.pack
    if pack.authority is None:
        goes_on = bool(pack.vocabulary.limits) and pack.in_force_until is None
        severity = Severity.WARNING if goes_on else Severity.NOTICE
        message = "does not say who makes the grade: what the law asks of it is not checked"
        yield review.finding(severity, "no-authority", (), "", message, "authority: district")


def called_as_the_nation_does(review: Review) -> Iterator[Finding]:
    """A district's grade under the name of the nation's."""
    title = review.pack.title
    used = [name for name in NATIONAL_NAMES if name in title.zh]
    if review.pack.authority is Authority.DISTRICT and used:
        yield review.finding(
            Severity.ERROR, "national-name", ("title",), "",
            f"{used[0]} is the name of a national evaluation: a district's grade is not one", title.zh,
        )  # fmt: skip


def bases_in_force(review: Review) -> Iterator[Finding]:
    """Rules that cite what is law no more, or not yet."""
    bases = {basis.id: basis for basis in review.pack.bases}
    for name, about, citations, days in _cited(review):
        for basis in (bases[c.basis] for c in citations if c.basis in bases):
            if basis.repealed_on and any(end > basis.repealed_on for _, end in days):
                after = f", replaced by {basis.replaced_by}" if basis.replaced_by else ""
                message = f"cites {basis.id}, which is repealed from {basis.repealed_on} on{after}"
                yield review.finding(Severity.ERROR, "repealed-basis", about, name, message)
            if basis.in_force_from and any(start < basis.in_force_from for start, _ in days):
                message = f"cites {basis.id}, which is law from {basis.in_force_from} on"
                yield review.finding(Severity.WARNING, "basis-to-come", about, name, message)


def _cited(
    review: Review,
) -> Iterator[tuple[str, Rule | Path, Sequence[Citation], Sequence[tuple[dt.date, dt.date]]]]:
    """What cites documents, and the days on which it is in force; rows that cite alike, once a table."""
    seen = set()
    for rule in review.pack.rules:
        days = review.in_force(rule)
        alike = (rule.table, rule.citations, tuple(days))
        if rule.table is None or alike not in seen:
            seen.add(alike)
            yield rule.id, rule, rule.citations, days
    for measure in review.pack.measures:
        if measure.decision is not None:
            yield measure.id, review.path_of(measure), measure.decision.citations, [review.span]
    for index, alert in enumerate(review.pack.alerts):
        yield alert.id, ("alerts", index), alert.citations, [review.span]
    for index, remedy in enumerate(review.pack.remedies):
        yield remedy.id, ("remedies", index), remedy.citations, [review.span]


@dataclass(frozen=True, slots=True)
class _Counting:
    """A rule, a measure, or an event of an alert, as what counts records.

    :param held: whether an end that the record states must end it.
    :param ends: dates of the record before which alone it counts.
    :param months: for how many months it can count them at most; None for no end.
    :param days: or for how many days.
    """

    id: str
    about: Rule | Path
    when: Expression
    held: bool
    ends: tuple[Expression, ...] = ()
    months: int | None = None
    days: int | None = None


def limits(review: Review) -> Iterator[Finding]:
    """Rules, measures and alerts that count records for longer than the law lets them."""
    if review.pack.authority is None:
        return
    for counting in _countings(review):
        for limit in review.pack.vocabulary.limits:
            fault = _over(counting, limit)
            if fault and review.possible(conjunction((counting.when, limit.when))):
                check, message = fault
                yield review.finding(
                    Severity.ERROR, check, counting.about, counting.id,
                    f"{message}; {limit.because}", render(limit.when),
                )  # fmt: skip


def _over(counting: _Counting, limit: Limit) -> tuple[str, str] | None:
    """What would be wrong if something counted the records that a limit is about."""
    if limit.months == 0:
        return "never-counts", "counts records that may not be counted"
    if limit.months is not None and not _ends_within(counting, limit.months):
        return "counts-too-long", f"can count records for longer than {limit.months} months"
    if limit.until is not None and counting.held and not any(_is_by(e, limit.until) for e in counting.ends):
        return "ignores-end", f"goes on counting when {limit.until} has come"
    return None


def _ends_within(counting: _Counting, months: int) -> bool:
    """Whether, certainly, it counts no record for longer than so many months."""
    if counting.months is not None and counting.months <= months:
        return True
    return counting.days is not None and counting.days <= _shortest(months)


def _is_by(end: Expression, column: str) -> bool:
    """Whether an end, certainly, is no later than the date in a column, where that is known."""
    match end:
        case Name():
            return end.name == column
        case Call(function="least"):
            return any(_is_by(argument, column) for argument in end.arguments)
        case Call(function="coalesce"):
            return _is_by(end.arguments[0], column)
        case _:
            return False


@lru_cache(maxsize=64)
def _shortest(months: int) -> int:
    """The fewest days that so many months can have."""
    first = dt.date(2025, 1, 1)
    days = (add_days(first, n) for n in range(1461))
    return min((add_months(day, months) - day).days for day in days)


def _countings(review: Review) -> Iterator[_Counting]:
    date = review.pack.vocabulary.record_date
    for rule in review.pack.rules:
        if rule.level is Level.RECORD:
            against = rule.points is None or any((value or 0) < 0 for _, value in rule.points.steps)
            held = against or rule.consequence
            yield _counting(rule.id, rule, rule.when, rule.window, date, held)
    for measure in review.pack.measures:
        if measure.aggregate not in DERIVED:
            about = ("measures", measure.id, "?")
            yield _counting(measure.id, about, measure.where, measure.window, date, True)
    for index, alert in enumerate(review.pack.alerts):
        yield from _looked_back_at(alert, ("alerts", index))


def _counting(
    name: str, about: Rule | Path, when: When, window: Window | None, date: str, held: bool
) -> _Counting:
    ends = (*((window.until,) if window and window.until else ()), *when.ends)
    lasts = [months for end in ends for months in _months_after(end, date)]
    days = None
    if window is not None:
        starts = list(_months_after(window.start, date))
        lasts += [months + window.months for months in starts if window.months]
        days = window.days if starts == [0] else None
    return _Counting(name, about, when.written, held, ends, min(lasts, default=None), days)


def _months_after(end: Expression, date: str) -> Iterator[int]:
    """How many months after the record's date a date is at the latest, where that is certain."""
    match end:
        case Name() if end.name == date:
            yield 0
        case Shift(operand=Name() as operand) if operand.name == date and end.days <= 0:
            yield end.months
        case Call(function="least"):
            for argument in end.arguments:
                yield from _months_after(argument, date)


def _looked_back_at(alert: Alert, about: Path) -> Iterator[_Counting]:
    """The records of an alert: all but the last, which has just come, are counted for its days."""
    *earlier, last = alert.events
    for event in earlier:
        yield _Counting(alert.id, about, event.when, held=False, days=alert.days)
    yield _Counting(alert.id, about, last.when, held=False, days=0)
