"""Files that wait to be taken: what goes, and what stays while somebody is at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.facts.ingest.uploads import MOST_WAITING, Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    """Those of an office, of which none waits."""
    (tmp_path / "accounts").mkdir()
    return Uploads(tmp_path, "云衡区市场监督管理局")


def test_a_file_that_is_being_taken_stays_however_many_come(uploads: Uploads) -> None:
    digest = uploads.keep(b"1", "first.csv")
    with uploads.turn(digest) as found:
        for number in range(MOST_WAITING + 2):
            uploads.keep(str(number).encode(), "more.csv")
        assert found.path.read_bytes() == b"1"
        found.end(7)
    assert uploads.find(digest).file_id == 7


def test_of_too_many_that_wait_the_oldest_goes_and_what_was_taken_counts_for_none(uploads: Uploads) -> None:
    taken = uploads.keep(b"0", "taken.csv")
    with uploads.turn(taken) as found:
        found.end(7)
    kept = [uploads.keep(str(number).encode(), f"{number}.csv") for number in range(1, MOST_WAITING + 1)]
    assert set(uploads.waiting()) == set(kept)
    assert uploads.find(taken).file_id == 7
    uploads.keep(b"last", "last.csv")
    uploads.clear()
    assert len(uploads.waiting()) == MOST_WAITING
    assert uploads.find(taken).file_id == 7
