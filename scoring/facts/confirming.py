"""What the law proposes of a record and only a person confirms: noted as it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from rules.model import Proposal, Vocabulary
from scoring.facts.ingest.proposing import Proposer
from scoring.store.base import table_of
from scoring.store.batches import parts
from scoring.store.findings import ProposalRow
from scoring.store.models import IngestedFile, RecordVersion


def note_proposals(
    connection: sa.Connection, arriving: sa.Table, file: IngestedFile, vocabulary: Vocabulary
) -> None:
    """Note what is proposed of a file's records and waits for a person's word, each once.

    :param arriving: the file's rows, of which ``proposed`` names the columns that they do not say themselves.
    """
    columns = {proposal.column for proposal in vocabulary.proposals if proposal.meanwhile is not None}
    if not columns:
        return
    proposer, a, before = Proposer(vocabulary), arriving.c, sa.orm.aliased(RecordVersion)
    query = (
        sa.select(a.key, a.subject_id, a.data, a.proposed, RecordVersion.data, before.data)
        .join_from(
            arriving,
            RecordVersion,
            sa.and_(
                RecordVersion.record_id == a.key + "",
                RecordVersion.vocabulary == vocabulary.id,
                RecordVersion.known_until.is_(None),
                RecordVersion.file_id == file.id,
            ),
        )
        .outerjoin(
            before,
            sa.and_(
                before.record_id == a.key + "",
                before.vocabulary == vocabulary.id,
                before.known_until == file.ingested_at,
            ),
        )
        .where(sa.or_(a.proposed.is_not(None), before.data.is_not(None)))
        .order_by(a.order_no)
    )
    rows = [
        _row(vocabulary, key, subject_id, proposal, file)
        for key, subject_id, said, proposed, data, known in connection.execute(query)
        for column in columns - (json.loads(said).keys() - set(json.loads(proposed or "[]")))
        for proposal in _waiting(proposer, column, json.loads(data), json.loads(known or "{}"))
    ]
    for some in parts(rows):
        _insert_new(connection, vocabulary, some)


def _waiting(
    proposer: Proposer, column: str, data: Mapping[str, Any], known: Mapping[str, Any]
) -> Sequence[Proposal]:
    """What a person must confirm of a record's column that its row does not say.

    Of what was known before it is only what the law did not say before: of another value that somebody said
    it says nothing.
    """
    now, before = proposer.law(column, data), proposer.law(column, known)
    if column in known and (known[column] not in before.allowed or now.to_confirm == before.to_confirm):
        return ()
    return [proposal for proposal in now.to_confirm if data.get(column) == proposal.meanwhile]


def _row(
    vocabulary: Vocabulary, key: str, subject_id: str, proposal: Proposal, file: IngestedFile
) -> dict[str, Any]:
    return {
        "vocabulary": vocabulary.id,
        "record_id": key,
        "subject_id": subject_id,
        "column": proposal.column,
        "proposed": proposal.code,
        "meanwhile": proposal.meanwhile,
        "because_zh": proposal.because.zh,
        "because_en": proposal.because.en,
        "raised_at": file.ingested_at,
    }


_CLAUSE = ("proposed", "meanwhile", "because_zh", "because_en", "raised_at")
"""What is another where another clause proposes something of the same column."""


def _insert_new(connection: sa.Connection, vocabulary: Vocabulary, rows: Sequence[Mapping[str, Any]]) -> None:
    """What waits already, as of a record that was taken back and came again, waits by the clause of now."""
    table = table_of(ProposalRow)
    query = sa.select(table.c.record_id, table.c.column, table.c.id).where(
        table.c.vocabulary == vocabulary.id,
        table.c.record_id.in_([row["record_id"] for row in rows]),
        table.c.closed_at.is_(None),
    )
    waiting = {(record_id, column): number for record_id, column, number in connection.execute(query)}
    news = []
    for row in rows:
        if (number := waiting.get((row["record_id"], row["column"]))) is None:
            news.append(row)
        else:
            changes = {name: row[name] for name in _CLAUSE}
            connection.execute(sa.update(table).where(table.c.id == number).values(changes))
    if news:
        connection.execute(sa.insert(table), news)
