"""Alerts: patterns of several records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.language.expressions import DATE, Level, Literal, names, reads_as_of
from rules.meaning.context import Context
from rules.meaning.references import References
from rules.model import Alert, Event
from rules.text.source import Path


def build_alerts(
    context: Context, references: References, data: Sequence[Mapping[str, Any]]
) -> tuple[Alert, ...]:
    """All entries of ``alerts``."""
    built = (_alert(context, references, entry, ("alerts", index)) for index, entry in enumerate(data))
    return tuple(alert for alert in built if alert)


def _alert(context: Context, references: References, data: Mapping[str, Any], path: Path) -> Alert | None:
    references.check(data, path)
    if data["same"] is not None and data["same"] not in context.records:
        context.report((*path, "same"), data["same"], "not a column of a record", "a record's column")
    events: list[Event] = []
    for index, entry in enumerate(data["events"]):
        event = _event(context, entry, (*path, "events", index))
        if event is None:
            return None
        events += [event] * entry["times"]
    return Alert(
        id=data["id"],
        title=data["title"],
        events=tuple(events),
        same=data["same"],
        days=data["within"] and data["within"]["days"],
        citations=data["basis"],
        place=context.document.place(path),
    )


def _event(context: Context, data: Mapping[str, Any], path: Path) -> Event | None:
    when = context.condition(data["when"], (*path, "when"))
    if when is None:
        return None
    levels = {n.level for n in names(when)}
    if reads_as_of(when) or Level.MEASURE in levels or Level.RECORD not in levels:
        hint = "columns of the record, and attributes"
        context.report((*path, "when"), data["when"], "not a condition on a record as it arrives", hint)
        return None
    if data["stands_until"] is None:
        return Event(when, None)
    until = context.expression(data["stands_until"], (*path, "stands_until"), context.record_scope)
    if until is None:
        return None
    if until.type != DATE or isinstance(until, Literal) or reads_as_of(until):
        context.report((*path, "stands_until"), data["stands_until"], "not a date of the record", "ends_on")
        return None
    return Event(when, until)
