"""The department pack as it is installed."""

from __future__ import annotations

import pytest

from rules.library.loader import PACKS, load_pack
from rules.model import Pack


@pytest.fixture(scope="session")
def department() -> Pack:
    """The pack that grades public bodies."""
    return load_pack(PACKS / "department-credit.yaml")


@pytest.fixture(scope="session")
def enterprise() -> Pack:
    """The pack that grades enterprises."""
    return load_pack(PACKS / "enterprise-credit.yaml")
