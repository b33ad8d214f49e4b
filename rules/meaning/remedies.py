"""Remedies: the lawful steps that better what a record says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.language.expressions import DATE, Expression, Level, names, reads_as_of
from rules.meaning.context import Context
from rules.meaning.examples import typed_row
from rules.meaning.references import References
from rules.model import Remedy
from rules.text.source import Path


def build_remedies(
    context: Context, references: References, data: Sequence[Mapping[str, Any]]
) -> tuple[Remedy, ...]:
    """All entries of ``remedies``."""
    built = (_remedy(context, references, entry, ("remedies", index)) for index, entry in enumerate(data))
    return tuple(remedy for remedy in built if remedy)


def _remedy(context: Context, references: References, data: Mapping[str, Any], path: Path) -> Remedy | None:
    references.check(data, path)
    when = context.condition(data["when"], (*path, "when"))
    after = None if data["after"] is None else _after(context, data["after"], (*path, "after"))
    if when is None or (after is None and data["after"] is not None):
        return None
    levels = {name.level for name in names(when)}
    if reads_as_of(when) or Level.MEASURE in levels or Level.RECORD not in levels:
        hint = "columns of the record, and attributes"
        context.report((*path, "when"), data["when"], "not a condition on a record", hint)
        return None
    return Remedy(
        id=data["id"],
        title=data["title"],
        when=when,
        changes=_changes(context, data["changes"], (*path, "changes")),
        after=after,
        needs=tuple(data["needs"]),
        citations=data["basis"],
        place=context.document.place(path),
    )


def _changes(context: Context, data: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    records = context.vocabulary.records
    fixed = (records.key, context.vocabulary.record_subject) if records else ()
    for name in fixed:
        if name in data:
            context.report((*path, name), name, "what a record is, and whose, no remedy changes", "status")
    return typed_row(context, data, context.records, path)


def _after(context: Context, text: str, path: Path) -> Expression | None:
    after = context.expression(text, path)
    if after is None:
        return None
    levels = {name.level for name in names(after)}
    if after.type != DATE or reads_as_of(after) or Level.MEASURE in levels or Level.RECORD not in levels:
        context.report(path, text, "not a date of the record", "occurred_on + interval 3 month")
        return None
    return after
