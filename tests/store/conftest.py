"""A small population: merchants of a market, their complaints and awards, and a pack that grades them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from rules.library.loader import load_pack
from rules.model import Pack
from scoring.facts.entries import FileInfo
from scoring.facts.noted import Rejected
from scoring.facts.staging import TableName
from scoring.facts.versions import Handling, IngestResult, ingest_rows
from scoring.store import Store

from .market import MARKET, rows

TakeIn = Callable[..., IngestResult]


@pytest.fixture
def market_file(tmp_path: Path) -> Path:
    """The pack as a file."""
    path = tmp_path / "market.yaml"
    path.write_text(MARKET, encoding="utf-8")
    return path


@pytest.fixture
def market(market_file: Path) -> Pack:
    """The pack, loaded."""
    return load_pack(market_file)


@pytest.fixture
def take_in() -> TakeIn:
    """Take a file of merchants or of records into a store."""

    def take(
        store: Store, table: TableName, data: Iterable[Mapping[str, Any]], rejected: Iterable[Rejected] = ()
    ) -> IngestResult:
        key = "merchant_id" if table == "subject" else "record_id"
        taken = rows(key, data)
        file = FileInfo(sha256(repr(taken.to_pylist()).encode()).hexdigest(), f"{table}s.csv")
        return ingest_rows(store, "merchant", table, taken, file, rejected, Handling(key_column=key))

    return take
