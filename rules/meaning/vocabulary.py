"""Vocabularies: which columns there are, and which of them link a record to its subject and its date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.expressions import BOOLEAN, DATE, DECIMAL, INTEGER, TEXT, Type
from rules.model import Column, Table, Vocabulary
from rules.problems import PackError, Problem
from rules.source import Document, Path

_TYPES = {"text": TEXT, "integer": INTEGER, "decimal": DECIMAL, "date": DATE, "boolean": BOOLEAN}


def build_vocabulary(document: Document, data: Mapping[str, Any], path: Path) -> Vocabulary:
    """A vocabulary from data of the right shape.

    :param path: where in the document it stands.
    :raises PackError: with every problem found.
    """
    problems: list[Problem] = []
    subject = _table(document, data["subject"], (*path, "subject"), problems)
    records, link, date = None, "", ""
    if data["records"]:
        link, date = data["records"]["subject"], data["records"]["date"]
        records = _table(document, data["records"], (*path, "records"), problems)
        _check_roles(document, records, {"subject": None, "date": DATE}, data["records"], path, problems)
        _check_link(document, subject, records, link, path, problems)
    if problems:
        raise PackError(problems)
    return Vocabulary(data["vocabulary"], data["title"], subject, records, link, date)


def _table(document: Document, data: Mapping[str, Any], path: Path, problems: list[Problem]) -> Table:
    columns = {
        name: Column(
            name, _TYPES[c["type"]], c["type"], c["title"], c["values"], tuple(c["aliases"]), c["format"]
        )
        for name, c in data["columns"].items()
    }
    key = columns.get(data["key"])
    if key is None or key.type not in (TEXT, INTEGER):
        hint = "a text or integer column's name"
        problems.append(document.problem((*path, "key"), data["key"], "not a key", hint))
    return Table(data["key"], columns)


def _check_roles(
    document: Document,
    records: Table,
    roles: Mapping[str, Type | None],
    data: Mapping[str, Any],
    path: Path,
    problems: list[Problem],
) -> None:
    for role, needed in roles.items():
        column = records.columns.get(data[role])
        if column is None or (needed and column.type != needed):
            hint = f"the name of a {needed or 'declared'} column"
            where = (*path, "records", role)
            problems.append(document.problem(where, data[role], "not a column fit for this", hint))


def _check_link(
    document: Document, subject: Table, records: Table, link: str, path: Path, problems: list[Problem]
) -> None:
    for name in sorted(set(subject.columns) & set(records.columns) - {link}):
        where = (*path, "records", "columns", name, "?")
        problems.append(
            document.problem(where, name, "also an attribute of the subject", "a name of its own")
        )
    own, other = records.columns.get(link), subject.columns.get(subject.key)
    if own and other and own.type != other.type:
        where = (*path, "records", "subject")
        hint = f"a {other.declared} column"
        problems.append(document.problem(where, link, "not of the type of the subject's key", hint))
