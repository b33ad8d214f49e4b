"""Bounds in time that a condition itself sets: terms that compare a date with ``as_of``."""

from __future__ import annotations

from rules.language.expressions import AsOf, Compare, Expression, Shift, conjunction, conjuncts, reads_as_of
from rules.language.parse import ConditionError
from rules.model import When

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def take_time_out(condition: Expression) -> When:
    """Moves the terms that compare with ``as_of`` out of a condition.

    >>> from rules.language.expressions import DATE, AsOf, Compare, Level, Name, render
    >>> due = Name("due_on", Level.RECORD, DATE)
    >>> [render(date) for date in take_time_out(Compare("<", due, AsOf())).begins]
    ['due_on + interval 1 day']
    """
    rest: list[Expression] = []
    begins: list[Expression] = []
    ends: list[Expression] = []
    for term in conjuncts(condition):
        if reads_as_of(term):
            _bound(term, begins, ends)
        else:
            rest.append(term)
    return When(condition, conjunction(tuple(rest)), tuple(begins), tuple(ends))


def _bound(term: Expression, begins: list[Expression], ends: list[Expression]) -> None:
    if not isinstance(term, Compare):
        raise _misplaced()
    op, date, day = term.op, term.left, term.right
    if isinstance(date, AsOf):
        op, date, day = _FLIPPED.get(op, op), day, date
    if not isinstance(day, AsOf) or reads_as_of(date) or op == "<>":
        raise _misplaced()
    next_day = Shift(date, 0, 1)
    if op in ("<=", "="):
        begins.append(date)
    if op == "<":
        begins.append(next_day)
    if op in (">=", "="):
        ends.append(next_day)
    if op == ">":
        ends.append(date)


def _misplaced() -> ConditionError:
    return ConditionError(
        "as_of must stand alone on one side of a comparison that is a term of the top-level 'and'",
        "established_on + interval 12 month <= as_of",
        text="as_of",
    )
