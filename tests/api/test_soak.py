"""Everything at once for a moment, as :mod:`benchmarks.soak` does for hours: nothing is answered by an error.

Times and memory are judged there, where the machine is quiet; here nothing depends on how fast it is.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from benchmarks.soak import Told, fill, ingest_and_score, soak


def test_nothing_fails_while_files_come_in_and_everybody_is_graded_again(
    database_url: str, tmp_path: Path
) -> None:
    files = fill(database_url, tmp_path / "district", enterprises=150)
    seconds: list[tuple[int, int]] = []
    half = partial(ingest_and_score, database_url, files)
    told = soak(database_url, 3, 4, half, least=40, advance=lambda *done: seconds.append(done))
    assert told.errors == []
    assert {whole for _, whole in seconds} == {3}
    assert seconds == sorted(seconds)
    assert set(told.seconds) == {"grade", "explanation", "page", "post"}


@pytest.mark.parametrize(
    ("told", "is_well"),
    [
        (Told({"grade": [0.01] * 100}, memory=[50, 100, 105]), True),
        (Told({"grade": [0.01] * 100}, errors=["grade of A: 500"], memory=[50, 100, 105]), False),
        (Told({"grade": [0.01] * 97 + [0.2] * 3}, memory=[50, 100, 105]), False),
        (Told({"grade": [0.01] * 100, "page": [0.1] * 90 + [2] * 10}, memory=[50, 100, 105]), False),
        (Told({"grade": [0.01] * 100}, memory=[50, 100, 115]), False),
    ],
    ids=["all is well", "an error", "one in fifty is slow", "another kind is slow", "memory grows"],
)
def test_an_error_a_slow_kind_or_growing_memory_is_told(told: Told, is_well: bool) -> None:
    assert told.is_well() is is_well
