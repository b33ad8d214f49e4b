"""The sample district, written and taken into a store once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import MadeOnce

from district import SMALL
from fixtures.district import write_district
from scoring.facts.ingest.files import Reading, ingest_paths
from scoring.store import Store, create_store, open_store

VOCABULARIES = ("enterprise", "department", "inspector", "rural", "tourism")


@pytest.fixture(scope="session")
def district(made_once: MadeOnce) -> Path:
    """The directory of the district's files."""
    return made_once("district", write_district)


@pytest.fixture(scope="session")
def small_district(made_once: MadeOnce) -> Path:
    """The directory of a district of 240 enterprises; its bodies are as many as ever."""
    return made_once("small-district", lambda directory: write_district(directory, **SMALL))


@pytest.fixture(scope="session")
def district_store(district: Path, made_once: MadeOnce) -> Iterator[Store]:
    """A store that holds the whole district, to read."""

    def fill(folder: Path) -> None:
        store = create_store(f"sqlite:///{folder / 'xinheng.db'}")
        for vocabulary in VOCABULARIES:
            report = ingest_paths(store, [district / vocabulary], vocabulary, Reading(quarantine=folder))
            assert report.failures == ()
        store.close()

    store = open_store(f"sqlite:///{made_once('district-store', fill) / 'xinheng.db'}")
    yield store
    store.close()
