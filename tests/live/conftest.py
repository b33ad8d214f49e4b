"""What the tests of live events share: a real process of durable_rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scoring.live.supervisor import Engine


@pytest.fixture(scope="session")
def durable() -> Iterator[Engine]:
    """durable_rules in its process; every answer must be its own."""
    engine = Engine()
    yield engine
    engine.close()
    assert engine.incidents == {}
