"""What the law proposes of a record and only a person confirms: noted as it comes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
        sa.select(a.key, a.subject_id, a.proposed, RecordVersion.data, before.data)
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
        .where(a.proposed.is_not(None))
        .order_by(a.order_no)
    )
    rows = [
        _row(vocabulary, key, subject_id, proposal, file)
        for key, subject_id, proposed, data, known in connection.execute(query)
        for proposal in _waiting(proposer, columns.intersection(json.loads(proposed)), data, known)
    ]
    for some in parts(rows):
        _insert_new(connection, vocabulary, some)


def _waiting(proposer: Proposer, proposed: Iterable[str], data: str, known: str | None) -> Iterable[Proposal]:
    """What a person must confirm of a record: nothing of a column that was known before."""
    columns = set(proposed) - json.loads(known or "{}").keys()
    if not columns:
        return ()
    said = {name: value for name, value in json.loads(data).items() if name not in columns}
    return (proposal for proposal in proposer(said).to_confirm if proposal.column in columns)


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


def _insert_new(connection: sa.Connection, vocabulary: Vocabulary, rows: Iterable[Mapping[str, Any]]) -> None:
    """A record that was taken back and came again waits already."""
    query = sa.select(ProposalRow.record_id, ProposalRow.column).where(
        ProposalRow.vocabulary == vocabulary.id,
        ProposalRow.record_id.in_([row["record_id"] for row in rows]),
        ProposalRow.closed_at.is_(None),
    )
    waiting = {(record_id, column) for record_id, column in connection.execute(query)}
    news = [row for row in rows if (row["record_id"], row["column"]) not in waiting]
    if news:
        connection.execute(sa.insert(table_of(ProposalRow)), news)
