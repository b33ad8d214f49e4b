"""A published run can be had again; where anything of it was changed since, that is found."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cli.market import AS_OF, HIT, MISSED, PACK, RECORDS, SUBJECTS
from click.testing import CliRunner
from databases import Fill

from scoring.cli import main
from scoring.runs.replay import replay
from scoring.store import Store, StoreError
from scoring.store.models import RecordVersion, Run
from scoring.store.timelines import GradedSubject, Segment, Span


def fill_market(url: str) -> None:
    """The market, graded once, and something learnt since."""
    later = RECORDS.splitlines()[0] + f"\nP9,{MISSED},penalty,general,effective,fine,1,2026-07-01\n"
    files = {"market.yaml": PACK, "subjects.csv": SUBJECTS, "records.csv": RECORDS, "more.csv": later}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        for line in (
            ("ingest", folder / "subjects.csv", folder / "records.csv", "--quarantine", folder),
            ("score", "--pack", folder / "market.yaml", "--as-of", AS_OF),
            ("ingest", folder / "more.csv", "--quarantine", folder),
        ):
            result = CliRunner().invoke(main, [*map(str, line), "--database", url])
            assert result.exit_code == 0, result.output


@pytest.fixture
def store_url(copy_of: Callable[[Fill], str]) -> str:
    """A copy of that, on SQLite and on PostgreSQL."""
    return copy_of(fill_market)


@pytest.fixture
def market(store: Store) -> Store:
    """The market's store."""
    return store


def again(store_url: str) -> Any:
    return CliRunner().invoke(main, ["replay", "1", "--database", store_url, "--format", "csv"])


def test_a_run_is_had_again_to_the_last_row_though_more_is_known_now(market: Store, store_url: str) -> None:
    found = replay(market, 1)
    assert (found.differing, found.differences) == (0, ())
    assert found.rows["scores"] == 3
    assert all(found.rows.values())
    assert again(store_url).exit_code == 0


_OF_HIT = Segment.subject.in_(sa.select(GradedSubject.number).where(GradedSubject.subject_id == HIT))
_TOMORROW = AS_OF + dt.timedelta(days=1)
TAMPERED = {
    "a score": (sa.update(Segment).where(_OF_HIT).values(score=9900), "score"),
    "a tier": (sa.update(Segment).where(_OF_HIT).values(tier="A"), "tier"),
    "a next change": (sa.update(Segment).where(_OF_HIT).values(ends=_TOMORROW), "next"),
    "points of a hit": (sa.update(Span).where(Span.record_id == "P1").values(points=0), "points"),
    "a hit": (sa.delete(Span).where(Span.record_id == "P1"), "penalty P1"),
    "a subject": (sa.delete(Segment).where(_OF_HIT), HIT),
    "a fact": (
        sa.update(RecordVersion)
        .where(RecordVersion.record_id == "P1")
        .values(data=sa.func.replace(RecordVersion.data, "2026-03-01", "2024-03-01")),
        "penalty P1",
    ),
}


@pytest.mark.parametrize(("change", "named"), TAMPERED.values(), ids=TAMPERED)
def test_what_was_tampered_with_is_found(market: Store, store_url: str, change: Any, named: str) -> None:
    with market.writing() as session:
        session.execute(change)
    result = again(store_url)
    assert result.exit_code == 1
    assert named in result.stdout
    assert HIT in result.stdout


def test_a_hit_that_stands_there_twice_is_not_the_same_as_one_that_stands_there_once(market: Store) -> None:
    """A veto, which gives no points: of nothing else would one see it."""
    with market.writing() as session:
        hit = session.execute(sa.select(*Span.__table__.c).where(Span.points == 0).limit(1)).one()
        last = session.scalar(sa.select(sa.func.max(Span.no)).where(Span.subject == hit.subject))
        session.execute(sa.insert(Span).values({**hit._asdict(), "no": last + 1}))
    (one,) = replay(market, 1).differences
    assert (one.table, one.column, one.stored, one.replayed) == ("hits", "_times", "2", "1")


def test_a_run_that_is_none_is_said(market: Store) -> None:
    result = again("sqlite:///nowhere.db")
    assert result.exit_code == 1
    with pytest.raises(StoreError, match="no run 99"):
        replay(market, 99)


def test_as_many_differences_are_named_as_are_asked_for_and_all_are_counted(market: Store) -> None:
    with market.writing() as session:
        session.execute(sa.update(Segment).values(score=9900, tier="A"))
        session.execute(sa.delete(Span).where(Span.record_id == "P1"))
        session.execute(sa.update(Run).values(records=99))
    found = replay(market, 1)
    named = [(one.table, one.subject_id, one.row, one.column) for one in found.differences]
    assert named[0] == ("run", None, "", "records")
    assert ("hits", HIT, "penalty P1", None) in named
    rows = {name[:3] for name in named}
    assert found.differing == len(rows) > 4
    for most in (0, 1, 2, 3):
        assert replay(market, 1, most=most).differences == found.differences[:most]
        assert replay(market, 1, most=most).differing == found.differing
