"""Which version of a pack rules when is decided once, by runs; everything else is by what they decided."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from rules.fault import UnknownPackError
from rules.library.loader import find_pack, ruling_packs
from rules.model import Pack
from scoring.answers.explain import explain_day
from scoring.answers.forecast import forecast
from scoring.answers.paths import paths_of
from scoring.answers.timelines import UnknownSubjectError
from scoring.runs.batch import run
from scoring.runs.published import RunSummary
from scoring.runs.terms import first_difference, terms_of
from scoring.store import Store
from scoring.store.models import Run

from .conftest import TakeIn
from .test_keeping import DAY0, FINE, PEOPLE, Packs, day, score

COMPLAINT = {**FINE, "kind": "complaint"}
BEGINS = dt.date(2026, 1, 1)


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    folder = tmp_path / "packs"
    folder.mkdir()
    return Packs(folder, ranks=False)


@pytest.fixture
def known(store: Store, take_in: TakeIn) -> Store:
    """Of merchant a there is one complaint: 70 points with -10 for it, 40 with -40."""
    take_in(store, "subject", PEOPLE)
    take_in(store, "record", [COMPLAINT])
    return store


def said(store: Store, told: RunSummary, *days: int) -> list[int | None]:
    """The score of a on days: as kept, as foretold and as explained; all say the same."""
    steps = forecast(store, "market", "a", 12).steps
    found: list[int | None] = []
    for on in map(day, days):
        step = next(s for s in steps if s.begins <= on and (s.ends is None or on < s.ends))
        foretold = step.grade.score if step.grade else None
        assert explained(store, on) == foretold
        assert foretold is None or foretold == score(store, told, on)
        found.append(foretold)
    return found


def explained(store: Store, on: dt.date, known_at: dt.datetime | None = None) -> int | None:
    try:
        return explain_day(store, "market", "a", on, known_at).score
    except UnknownSubjectError:
        return None


def published_at(store: Store, told: RunSummary) -> dt.datetime:
    with store.reading() as session:
        moment = session.scalar(sa.select(Run.published_at).where(Run.id == told.id))
    assert moment is not None
    return moment


def test_of_two_versions_in_force_the_later_one_rules_while_it_lasts(known: Store, packs: Packs) -> None:
    old, new = packs.version(BEGINS), packs.version(day(30), day(60), -40)
    told = run(known, old, day(0), versions=[new, old]).run
    assert said(known, told, 0, 29, 30, 59, 60) == [7000, 7000, 4000, 4000, 7000]
    terms = [(piece.begins, piece.ends, piece.pack.version) for piece in terms_of(known, "market", told.id)]
    assert terms == [(BEGINS, day(30), "1"), (day(30), day(60), "2"), (day(60), None, "1")]


def test_a_path_is_by_the_versions_of_the_run(known: Store, packs: Packs) -> None:
    old, new = packs.version(BEGINS, day(60)), packs.version(day(30), None, -2)
    run(known, old, day(0), versions=[old, new])
    (path,) = paths_of(known, "market", "a", "good").found.paths
    assert (path.steps, path.reached_on, path.score) == ((), day(30), 7800), "waiting for the new version"


def test_a_version_that_is_withdrawn_rules_no_more_and_did_when_it_was_announced(
    known: Store, packs: Packs
) -> None:
    old, new = packs.version(BEGINS), packs.version(day(30), None, -40)
    first = run(known, old, day(0), versions=[old, new]).run
    second = run(known, old, day(1), versions=[old]).run
    assert said(known, second, 1, 29, 30, 90) == [7000, 7000, 7000, 7000]
    assert explained(known, day(30), published_at(known, first)) == 4000, "as it was decided then"
    assert explained(known, day(30), published_at(known, second)) == 7000


def test_a_version_that_is_moved_rules_from_its_new_day(known: Store, packs: Packs) -> None:
    old = packs.version(BEGINS)
    first = run(known, old, day(0), versions=[old, packs.version(day(30), None, -40)]).run
    second = run(known, old, day(1), versions=[old, packs.version(day(40), None, -40)]).run
    assert said(known, second, 29, 30, 39, 40) == [7000, 7000, 7000, 4000]
    assert explained(known, day(30), published_at(known, first)) == 4000


def test_a_version_whose_text_changed_before_its_day_rules_as_it_says_now(known: Store, packs: Packs) -> None:
    old = packs.version(BEGINS, day(30))
    run(known, old, day(0), versions=[old, packs.version(day(30), None, -40)])
    told = run(known, old, day(1), versions=[old, packs.version(day(30), None, -20)]).run
    assert said(known, told, 29, 30) == [7000, 6000]


def test_a_day_is_explained_by_the_run_that_knew_what_was_known_at_the_moment(
    known: Store, packs: Packs, take_in: TakeIn
) -> None:
    pack = packs.version(BEGINS)
    first = run(known, pack, day(0)).run
    take_in(known, "record", [{**COMPLAINT, "record_id": "r2"}])
    second = run(known, pack, day(0)).run
    take_in(known, "record", [{**COMPLAINT, "record_id": "r3"}])

    def found(known_at: dt.datetime | None) -> tuple[int | None, int]:
        told = explain_day(known, "market", "a", day(0), known_at)
        return told.run and told.run.id, told.score

    assert found(first.known_at) == (first.id, 7000)
    assert found(second.known_at - dt.timedelta(microseconds=1)) == (first.id, 7000)
    assert found(second.known_at) == (second.id, 6000)
    assert found(dt.datetime.now(dt.UTC)) == (None, 5000), "no run knew it"
    assert found(None) == (second.id, 6000)


def test_on_a_day_outside_every_version_there_is_no_grade(known: Store, packs: Packs) -> None:
    old, new = packs.version(BEGINS, day(20)), packs.version(day(30), None, -40)
    told = run(known, old, day(0), versions=[old, new]).run
    assert said(known, told, 19, 20, 29, 30) == [7000, None, None, 4000]
    assert explained(known, BEGINS - dt.timedelta(1)) is None


def test_before_anything_was_published_the_rules_are_those_of_now(known: Store, packs: Packs) -> None:
    told = run(known, packs.version(BEGINS), day(0)).run
    assert explained(known, day(5), told.known_at) == 7000
    assert terms_of(known, "unheard-of") == []


def test_a_version_has_no_run_on_a_day_on_which_a_later_one_rules(known: Store, packs: Packs) -> None:
    old, new = packs.version(BEGINS), packs.version(day(30), day(60), -40)
    versions = [old, new]
    with pytest.raises(UnknownPackError, match=f"market 1 does not rule on {day(30)} any more: 2 is, since"):
        run(known, old, day(30), versions=versions)
    assert run(known, new, day(30), versions=versions).is_new
    assert run(known, old, day(60), versions=versions).is_new


def test_of_two_installed_versions_the_later_one_is_found(packs: Packs) -> None:
    packs.version(BEGINS)
    packs.version(day(30), day(60))

    def found(on: dt.date) -> tuple[str, tuple[Pack, ...]]:
        return find_pack("market", on, packs.folder).version, ruling_packs(on, packs.folder)

    for on, version in ((DAY0, "1"), (day(29), "1"), (day(30), "2"), (day(59), "2"), (day(60), "1")):
        name, (pack,) = found(on)
        assert (name, pack.version) == (version, version), on
    assert ruling_packs(BEGINS - dt.timedelta(1), packs.folder) == ()


MAY, JUNE, JULY = (dt.date(2026, month, 1) for month in (5, 6, 7))


@pytest.mark.parametrize(
    ("other", "first"),
    [
        ([(MAY, None, "a")], None),
        ([(MAY, JUNE, "a")], JUNE),
        ([(MAY, JUNE, "a"), (JUNE, None, "a")], None),
        ([(MAY, JUNE, "a"), (JULY, None, "a")], JUNE),
        ([(MAY, JUNE, "a"), (JUNE, None, "b")], JUNE),
        ([(JUNE, None, "a")], MAY),
        ([(MAY, None, "b")], MAY),
    ],
)
def test_the_first_day_of_other_rules_may_be_one_on_which_a_version_ends_and_none_follows(
    other: list[tuple[dt.date, dt.date | None, str]], first: dt.date | None
) -> None:
    goes_on: list[tuple[dt.date, dt.date | None, str]] = [(MAY, None, "a")]
    for pair in ((goes_on, other), (other, goes_on)):
        assert first_difference(*pair, MAY) == first
    if first == JUNE:
        assert first_difference(goes_on, other, JUNE) == JUNE
