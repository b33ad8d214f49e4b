"""One record put into the store by the program itself, in the transaction of the caller."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scoring.facts.entries import FileInfo, new_file, wait_for_turn
from scoring.store.documents import content_hash, encode
from scoring.store.models import RecordVersion


def put_record(
    session: Session,
    vocabulary_id: str,
    record_id: str,
    subject_id: str,
    data: Mapping[str, Any],
    source: str,
) -> None:
    """Have a record say this: a new version, which ends the current one. The same content changes nothing.

    :param data: the vocabulary's columns, keys included.
    :param source: what the version comes from, as people know it.

    >>> from fixtures.small import RESTAURANT, small_store
    >>> from rules.library.loader import load_vocabulary
    >>> from scoring.facts.records import get_record
    >>> store, said = small_store(), {"record_id": "LY-3", "subject_id": RESTAURANT, "level": "failed"}
    >>> with store.writing() as session:
    ...     put_record(session, "tourism", "LY-3", RESTAURANT, said, "a correction")
    >>> [version.data["level"] for version in get_record(store, load_vocabulary("tourism"), "LY-3")]
    ['failed', 'passed']
    """
    wait_for_turn(session)
    document = encode(data)
    digest = content_hash(document)
    current = session.scalar(
        sa.select(RecordVersion).where(
            RecordVersion.vocabulary == vocabulary_id,
            RecordVersion.record_id == record_id,
            RecordVersion.known_until.is_(None),
        )
    )
    if current is not None and current.content_hash == digest:
        return
    entry = new_file(session, vocabulary_id, "record", FileInfo(uuid.uuid4().hex, source, "program"))
    entry.rows_good = 1
    if current is not None:
        current.known_until = entry.ingested_at
        session.flush()  # before the new version is added: one current version a record
    session.add(
        RecordVersion(
            record_id=record_id,
            vocabulary=vocabulary_id,
            subject_id=subject_id,
            data=document,
            content_hash=digest,
            row_no=1,
            known_from=entry.ingested_at,
            known_until=None,
            file_id=entry.id,
        )
    )
