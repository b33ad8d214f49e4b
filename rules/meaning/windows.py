"""Windows: from when until when a record counts, and how its points decay."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rules.language.expressions import DATE, Expression, Level, Literal, names, reads_as_of
from rules.language.parse import Scope
from rules.meaning.context import Context
from rules.model import Decay, Window
from rules.text.source import Path

MAX_DECAY_MONTHS = 120
_NO_WINDOW: Mapping[str, Any] = {"from_": None, "months": None, "days": None, "until": None, "decay": None}


def record_window(
    context: Context, data: Mapping[str, Any] | None, path: Path, scope: Scope
) -> Window | None:
    """The window of records: from the vocabulary's record date unless ``from`` says otherwise."""
    given = data or _NO_WINDOW
    start = _date(context, given["from_"] or context.vocabulary.record_date, (*path, "from"), scope)
    until = _date(context, given["until"], (*path, "until"), scope) if given["until"] else None
    decay = _decay(context, given, path)
    if start is None or (given["until"] and until is None):
        return None
    return Window(start, given["months"], given["days"], until, decay)


def rule_window(
    context: Context, data: Mapping[str, Any] | None, path: Path, judged: frozenset[Level]
) -> tuple[Level, Window | None]:
    """How often a rule is judged, and its window.

    :param data: the rule's ``counts``.
    :param judged: the levels of the names in its conditions.
    """
    if Level.RECORD in judged:
        return Level.RECORD, record_window(context, data, path, context.scope)
    if data is None:
        return Level.SUBJECT, None
    if data["from_"] is None and not _names_a_record(context, data["until"]):
        context.report(path, "", "a window of a subject needs its 'from'", "from: a date attribute")
        return Level.SUBJECT, None
    window = record_window(context, data, path, context.scope)
    dates = [window.start, window.until] if window else []
    read = {n.level for date in dates if date for n in names(date)}
    return (Level.RECORD if Level.RECORD in read else Level.SUBJECT), window


def _names_a_record(context: Context, text: str | None) -> bool:
    """Whether an ``until`` makes a rule without a ``from`` one that is judged once a record."""
    scratch = Context(context.document, context.vocabulary)
    scratch.scope = context.scope
    found = scratch.expression(text, ()) if text else None
    return found is not None and any(n.level is Level.RECORD for n in names(found))


def _date(context: Context, text: str, path: Path, scope: Scope) -> Expression | None:
    found = context.expression(text, path, scope)
    if found is not None and (found.type != DATE or reads_as_of(found) or isinstance(found, Literal)):
        hint = "a date column, such as occurred_on"
        context.report(path, text, "not a date of the record or subject", hint)
        return None
    return found


def _decay(context: Context, data: Mapping[str, Any], path: Path) -> tuple[Decay, ...]:
    decay, months = data["decay"], data["months"]
    last = months if decay == "linear" else decay[-1].months if decay else 0
    if last > MAX_DECAY_MONTHS:
        hint = f"at most {MAX_DECAY_MONTHS} months"
        context.report((*path, "decay"), str(last), "a decay over too long a time", hint)
        return ()
    if decay == "linear":
        return tuple(Decay(k, Fraction(months - k, months)) for k in range(1, months))
    return decay or ()
