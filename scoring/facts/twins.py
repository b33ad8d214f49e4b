"""Twins: records that may be one decision under two numbers, so that it would count twice."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import sqlalchemy as sa

from rules.model import Vocabulary
from scoring.facts.merging import AUTHORITY, STATUS
from scoring.store.base import insert_into
from scoring.store.batches import parts
from scoring.store.findings import TwinsRow
from scoring.store.inside import ValueIn
from scoring.store.models import RecordVersion

WITHOUT_EFFECT = "revoked"
"""The status of a record that no longer counts, and of the twin that is not kept."""

_MOST_COMBINED = 5


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes two records of a subject twins.

    :param columns: sets of columns: twins are known and equal in all columns of a set.
    :param body: what is the same of every name of a public body, and of no other's.
    """

    columns: Sequence[Sequence[str]]
    body: Callable[[str], str]

    def value(self, data: Mapping[str, Any], name: str) -> Any:
        """What a record is compared by."""
        found = data.get(name)
        return self.body(found) if name == AUTHORITY and found is not None else found


@dataclass(frozen=True, slots=True)
class Known:
    """A record as twins are looked for."""

    record_id: str
    subject_id: str
    data: Mapping[str, Any]
    file_id: int
    row_no: int


def likeness(vocabulary: Vocabulary, body: Callable[[str], str]) -> Likeness:
    """By what records of a vocabulary are twins: the document, or day, authority and amount.

    :param body: what is the same of every name of a public body (``scoring.facts.bodies``).
    """
    columns = vocabulary.records.columns if vocabulary.records else {}
    sets = (("kind", "document_no"), ("kind", vocabulary.record_date, "authority", "amount"))
    known = tuple(tuple(map(str, names)) for names in sets if all(name in columns for name in names))
    return Likeness(known, body)


def are_twins(one: Mapping[str, Any], other: Mapping[str, Any], alike: Likeness) -> bool:
    """Whether two records of a subject may be one decision, and both would count."""
    counts = WITHOUT_EFFECT not in (one.get(STATUS), other.get(STATUS))
    return counts and any(
        all(
            (said := alike.value(one, name)) is not None and said == alike.value(other, name)
            for name in names
        )
        for names in alike.columns
    )


def note_twins(
    connection: sa.Connection,
    vocabulary_id: str,
    alike: Likeness,
    at: dt.datetime,
    subjects: sa.Select[str] | None = None,
) -> list[tuple[Known, Known]]:
    """Find the twins among current records and note those that are not noted yet.

    :param subjects: the query of those whose records are looked through; by default everybody.
    :return: the twins of these subjects of which nobody has said yet what they are.
    """
    found: list[tuple[Known, Known]] = []
    suspected = [_suspected(connection, vocabulary_id, names, subjects) for names in alike.columns]
    if not suspected:
        return found
    for some in parts(connection.scalars(sa.union(*suspected)).all()):
        pairs = _pairs(_records(connection, vocabulary_id, some), alike)
        found += _noted(connection, vocabulary_id, pairs, at)
    return found


def _suspected(
    connection: sa.Connection,
    vocabulary_id: str,
    names: Sequence[str],
    subjects: sa.Select[str] | None,
) -> sa.Select[str]:
    """The subjects that have two records with the same values; an authority may go by several names."""
    values = {name: ValueIn(RecordVersion.data, name) for name in names}
    same = [value for name, value in values.items() if name != AUTHORITY]
    query = (
        sa.select(RecordVersion.subject_id)
        .where(
            RecordVersion.vocabulary == vocabulary_id,
            RecordVersion.known_until.is_(None),
            *(value.is_not(None) for value in values.values()),
        )
        .group_by(RecordVersion.subject_id, *same)
        .having(sa.func.count() > 1)
    )
    return query if subjects is None else query.where(RecordVersion.subject_id.in_(subjects))


def _records(connection: sa.Connection, vocabulary_id: str, subjects: Sequence[str]) -> Iterator[Known]:
    v = RecordVersion
    query = sa.select(v.record_id, v.subject_id, v.data, v.file_id, v.row_no).where(
        v.vocabulary == vocabulary_id, v.subject_id.in_(subjects), v.known_until.is_(None)
    )
    for record_id, subject_id, data, file_id, row_no in connection.execute(query):
        yield Known(record_id, subject_id, json.loads(data), file_id, row_no)


def _pairs(records: Iterable[Known], alike: Likeness) -> list[tuple[Known, Known]]:
    """Each two of a group, the lesser number first; in a large group each with the next.

    When a regulator has revoked one of two, the next is compared again.
    """
    groups: dict[tuple[Any, ...], list[Known]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.record_id):
        for names in alike.columns:
            values = [alike.value(record.data, name) for name in names]
            if None not in values and record.data.get(STATUS) != WITHOUT_EFFECT:
                groups[record.subject_id, *names, *values].append(record)
    pairs = {
        (one.record_id, other.record_id): (one, other)
        for group in groups.values()
        for one, other in (combinations(group, 2) if len(group) <= _MOST_COMBINED else pairwise(group))
    }
    return list(pairs.values())


def _noted(
    connection: sa.Connection, vocabulary_id: str, pairs: Sequence[tuple[Known, Known]], at: dt.datetime
) -> list[tuple[Known, Known]]:
    """Note pairs; those that are not settled come back."""
    noted = [
        {
            "vocabulary": vocabulary_id,
            "subject_id": one.subject_id,
            "first_id": one.record_id,
            "second_id": other.record_id,
            "found_at": at,
        }
        for one, other in pairs
    ]
    if noted:
        connection.execute(insert_into(connection, TwinsRow).on_conflict_do_nothing(), noted)
    settled: set[tuple[str, str]] = set()
    for some in parts([row["first_id"] for row in noted]):
        query = sa.select(TwinsRow.first_id, TwinsRow.second_id).where(
            TwinsRow.vocabulary == vocabulary_id, TwinsRow.first_id.in_(some), TwinsRow.outcome.is_not(None)
        )
        settled.update((first, second) for first, second in connection.execute(query))
    return [pair for pair in pairs if (pair[0].record_id, pair[1].record_id) not in settled]
