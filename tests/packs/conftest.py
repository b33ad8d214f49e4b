"""The department packs as they are installed, and the enterprise pack."""

from __future__ import annotations

import pytest

from rules.library.references import named_pack
from rules.model import Pack

from .district import ANY_DAY


@pytest.fixture(scope="session", params=["2026.1", "2026.2"])
def department(request: pytest.FixtureRequest) -> Pack:
    """The pack that grades public bodies, in each version."""
    return named_pack(f"department-credit@{request.param}", ANY_DAY)


@pytest.fixture(scope="session")
def enterprise() -> Pack:
    """The pack that grades enterprises, as it was in summer."""
    return named_pack("enterprise-credit@2026.1", ANY_DAY)
