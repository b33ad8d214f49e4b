"""The sample district, written and taken into a store once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from district import SMALL
from fixtures.district import write_district
from scoring.facts.ingest.files import Reading, ingest_paths
from scoring.store import Store, create_store

VOCABULARIES = ("enterprise", "department", "inspector", "rural", "tourism")


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the district's files."""
    directory = tmp_path_factory.mktemp("district")
    write_district(directory)
    return directory


@pytest.fixture(scope="session")
def small_district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a district of 240 enterprises; its bodies are as many as ever."""
    directory = tmp_path_factory.mktemp("small")
    write_district(directory, **SMALL)
    return directory


@pytest.fixture(scope="session")
def district_store(district: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that holds the whole district."""
    folder = tmp_path_factory.mktemp("store")
    store = create_store(f"sqlite:///{folder / 'xinheng.db'}")
    for vocabulary in VOCABULARIES:
        report = ingest_paths(store, [district / vocabulary], vocabulary, Reading(quarantine=folder))
        assert report.failures == ()
    yield store
    store.close()
