"""The population that a policy officer tries rules on: what a store knows now, or two files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rules.model import Vocabulary
from scoring.facts.snapshot import take_snapshot
from scoring.judging.coded import code_facts
from scoring.runs.files import open_files
from scoring.store import open_store
from scoring.store.workspace import workspace


@dataclass(frozen=True, slots=True)
class Source:
    """Where subjects and records come from.

    :param database: the store's URL; None for the environment's or the default one. Not used with files.
    :param subjects: a file of subjects, CSV or Parquet.
    :param records: a file of records beside it.
    """

    database: str | None = None
    subjects: Path | None = None
    records: Path | None = None


@contextmanager
def open_population(source: Source, vocabulary: Vocabulary) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the tables ``subjects`` and, where the vocabulary has any, ``records``, with the
    coded ones beside them (:mod:`scoring.judging.coded`); gone afterwards.

    :raises FileError: on a file that can't be read.
    :raises StoreError: where the store can't be opened or knows nobody of the vocabulary.

    >>> from fixtures.small import small_files
    >>> from rules.library.loader import load_vocabulary
    >>> register, records = small_files()
    >>> with open_population(Source(subjects=register, records=records), load_vocabulary("tourism")) as duck:
    ...     duck.execute("select name, form from subjects order by all").fetchall()
    [('临江餐馆', 'restaurant'), ('云溪民宿', 'homestay')]
    """
    with workspace() as connection:
        if source.subjects is not None:
            open_files(connection, vocabulary, source.subjects, source.records)
            code_facts(connection, vocabulary)
        else:
            with closing(open_store(source.database)) as store:
                take_snapshot(store, vocabulary, connection)
        yield connection
