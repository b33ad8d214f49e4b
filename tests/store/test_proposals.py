"""A run may be proposed first: who would fall is heard, and what is published then is what was proposed."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from rules.fault import UnknownPackError
from rules.library.loader import load_pack
from rules.model import Pack
from scoring.answers.forecast import forecast
from scoring.runs.batch import run
from scoring.runs.proposals import (
    answer_proposal,
    note_told,
    propose,
    publish_proposal,
    withdraw_proposal,
)
from scoring.runs.proposed import (
    HeldError,
    ProposalRefusedError,
    UnknownProposalError,
    list_falls,
    list_proposals,
    show_proposal,
)
from scoring.runs.published import latest_run, list_runs
from scoring.runs.replay import replay
from scoring.runs.results import grade_history, grade_of, tier_counts
from scoring.store import Store, open_store
from scoring.store.proposals import ProposedFall

from .conftest import TakeIn
from .market import MARKET

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
NOW = dt.date(2026, 6, 2)
LAST, AFTER = dt.date(2026, 6, 12), dt.date(2026, 6, 13)


def merchant(number: str) -> dict[str, object]:
    return {"merchant_id": number, "stalls": 1, "licensed": True}


def complaint(number: str, about: str, day: str = "2026-05-10") -> dict[str, object]:
    return {"record_id": number, "merchant_id": about, "kind": "complaint", "occurred_on": day}


@pytest.fixture
def graded(store: Store, market: Pack, take_in: TakeIn) -> Store:
    """Three good merchants, of whom one was complained of since."""
    take_in(store, "subject", [merchant(number) for number in "abc"])
    run(store, market, MAY)
    take_in(store, "record", [complaint("r1", "a")])
    return store


def tiers(store: Store) -> dict[str, str]:
    """By what was published last, in June."""
    last = replace(list_runs(store)[0], as_of=JUNE)
    found = {number: grade_of(store, last, number) for number in "abc"}
    return {number: grade.tier for number, grade in found.items() if grade is not None}


GOOD = dict.fromkeys("abc", "good")


def test_who_would_fall_is_listed_and_nobody_is_given_the_grade(graded: Store, market: Pack) -> None:
    before = forecast(graded, "market", "a")
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    assert (found.state, found.until, found.falls) == ("open", LAST, 1)
    (fall,) = list_falls(graded, found.id)
    assert (fall.subject_id, fall.tier_before, fall.tier) == ("a", "good", "bad")
    assert (fall.score_before, fall.score) == (8000, 7000)
    assert tiers(graded) == GOOD
    assert [made.as_of for made in list_runs(graded)] == [MAY]
    assert latest_run(graded, "market", JUNE) == list_runs(graded)[0]
    assert [grade.tier for grade in grade_history(graded, "market", "a")] == ["good"]
    assert forecast(graded, "market", "a") == before


def test_what_is_published_is_what_was_proposed_and_what_came_since_is_the_next_runs(
    graded: Store, market: Pack, take_in: TakeIn
) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    take_in(graded, "record", [complaint("r2", "b")])
    made = publish_proposal(graded, found.id, "王", on=AFTER).run
    assert tier_counts(graded, made) == {"bad": 1, "good": 2}
    assert (made.as_of, made.known_at) == (JUNE, found.known_at)
    assert replay(graded, made.id).differing == 0
    done = show_proposal(graded, found.id)
    assert (done.state, done.run_id, done.ended_by) == ("published", made.id, "王")
    after = run(graded, market, JUNE)
    assert tier_counts(graded, after.run) == {"bad": 2, "good": 1}
    assert replay(graded, after.run.id).differing == 0


def test_a_fall_is_not_published_before_the_term_to_answer_is_over(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    with pytest.raises(ProposalRefusedError, match="2026-06-12"):
        publish_proposal(graded, found.id, "王", on=LAST)
    assert tiers(graded) == GOOD
    assert publish_proposal(graded, found.id, "王", on=AFTER).is_new


def test_where_nobody_would_fall_it_is_published_at_once(store: Store, market: Pack, take_in: TakeIn) -> None:
    take_in(store, "subject", [merchant("a")])
    first = propose(store, market, JUNE, 10, "李", on=NOW)
    assert first.falls == 0
    assert publish_proposal(store, first.id, "王", on=NOW).is_new
    again = propose(store, market, JUNE, 10, "李", on=NOW)
    assert not publish_proposal(store, again.id, "王", on=NOW).is_new
    assert len(list_runs(store)) == 1


def test_what_is_withdrawn_is_never_published(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    done = withdraw_proposal(graded, found.id, "材料有误", "王")
    assert (done.state, done.reason, done.ended_by) == ("withdrawn", "材料有误", "王")
    with pytest.raises(ProposalRefusedError, match="withdrawn"):
        publish_proposal(graded, found.id, "王", on=AFTER)
    with pytest.raises(ProposalRefusedError, match="withdrawn"):
        withdraw_proposal(graded, found.id, "x", "王")
    assert tiers(graded) == GOOD
    assert run(graded, market, JUNE).is_new


def test_while_a_proposal_is_open_no_fall_is_published_past_it(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    for day, full in ((JUNE, False), (MAY, False), (NOW, True)):
        with pytest.raises(HeldError, match=f"proposal {found.id} of market"):
            run(graded, market, day, full=full, again=full)
    with pytest.raises(HeldError):
        propose(graded, market, NOW, 5, "李", on=NOW)
    assert len(list_runs(graded)) == 1


def test_a_run_that_was_under_way_when_one_was_proposed_is_not_published(graded: Store, market: Pack) -> None:
    def meanwhile(step: str, rows: int) -> None:
        if step == "grade":
            propose(graded, market, JUNE, 10, "李", on=NOW)

    with pytest.raises(HeldError):
        run(graded, market, JUNE, progress=meanwhile)
    assert len(list_runs(graded)) == 1


def test_a_run_published_while_one_is_being_proposed_is_what_it_is_compared_to(
    graded: Store, market: Pack
) -> None:
    published: list[int] = []

    def meanwhile(step: str, rows: int) -> None:
        if step == "grade" and not published:
            published.append(run(graded, market, JUNE).run.id)

    found = propose(graded, market, JUNE, 10, "李", on=NOW, progress=meanwhile)
    assert (found.base, found.falls) == (published[0], 0)


def test_of_two_who_propose_at_once_one_does(graded: Store, market: Pack, store_url: str) -> None:
    stores = [open_store(store_url) for _ in range(3)]
    at_once, refused = threading.Barrier(len(stores)), list[HeldError]()

    def ask(own: Store) -> None:
        at_once.wait()
        try:
            propose(own, market, JUNE, 10, "李", on=NOW)
        except HeldError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask, args=(own,)) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(list_proposals(graded)), len(refused)) == (1, 2)
    for own in stores:
        own.close()


def test_a_publication_that_is_stopped_leaves_the_proposal_open(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)

    def stop(session: sa.orm.Session, run_id: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish_proposal(graded, found.id, "王", on=AFTER, confirm=stop)
    assert show_proposal(graded, found.id) == found
    assert tiers(graded) == GOOD
    assert publish_proposal(graded, found.id, "王", on=AFTER).is_new


def test_what_would_not_give_what_was_proposed_is_not_published(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    with graded.writing() as session:
        session.execute(sa.update(ProposedFall).values(score=7100))
    with pytest.raises(ProposalRefusedError, match="not what was proposed"):
        publish_proposal(graded, found.id, "王", on=AFTER)
    assert (show_proposal(graded, found.id).state, tiers(graded)) == ("open", GOOD)


def test_who_would_fall_answers_within_the_term_and_nobody_else_does(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    answer_proposal(graded, found.id, "a", "投诉已撤回", "K1", on=LAST)
    fall = answer_proposal(graded, found.id, "a", "附调解书", "K1", on=LAST)
    assert [(answer.text, answer.made_by) for answer in fall.answers] == [
        ("投诉已撤回", "K1"),
        ("附调解书", "K1"),
    ]
    with pytest.raises(ProposalRefusedError, match="until 2026-06-12"):
        answer_proposal(graded, found.id, "a", "x", "K1", on=AFTER)
    with pytest.raises(UnknownProposalError):
        answer_proposal(graded, found.id, "b", "x", "K1", on=LAST)
    with pytest.raises(UnknownProposalError):
        answer_proposal(graded, found.id + 1, "a", "x", "K1", on=LAST)
    assert show_proposal(graded, found.id).answered == 1
    withdraw_proposal(graded, found.id, "x", "王")
    with pytest.raises(ProposalRefusedError, match="withdrawn"):
        answer_proposal(graded, found.id, "a", "x", "K1", on=LAST)


def test_it_is_kept_who_was_told_first_and_by_whom(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    assert found.told == 0
    note_told(graded, found.id, "a", "K1")
    note_told(graded, found.id, "a", "K2")
    assert (show_proposal(graded, found.id).told, list_falls(graded, found.id)[0].told_by) == (1, "K1")


def test_a_subject_sees_only_that_it_would_fall_itself(graded: Store, market: Pack) -> None:
    found = propose(graded, market, JUNE, 10, "李", on=NOW)
    assert [one.id for one in list_proposals(graded, subject_id="a")] == [found.id]
    assert list_proposals(graded, subject_id="b") == []
    with pytest.raises(UnknownProposalError):
        show_proposal(graded, found.id, "b")


def strict(folder: Path) -> Pack:
    """A next version that begins in June and starts lower."""
    path = folder / "strict.yaml"
    text = MARKET.replace('version: "1"', 'version: "2"').replace("start: 80", "start: 70")
    path.write_text(text.replace("from: 2026-01-01", "from: 2026-06-01"), encoding="utf-8")
    return load_pack(path)


def test_a_new_pack_is_proposed_and_published_with_the_days_on_which_each_version_rules(
    graded: Store, market: Pack, tmp_path: Path
) -> None:
    new = strict(tmp_path)
    versions = [market, new]
    found = propose(graded, new, JUNE, 10, "李", on=NOW, versions=versions)
    assert found.falls == 3
    assert forecast(graded, "market", "b").steps[0].grade.tier == "good"  # type: ignore[union-attr]
    (tmp_path / "strict.yaml").unlink()
    made = publish_proposal(graded, found.id, "王", on=AFTER).run
    assert made.pack_hash == found.pack_hash
    assert tier_counts(graded, made) == {"bad": 3}
    grade = grade_of(graded, made, "b")
    assert grade is not None
    assert grade.score == 7000
    with pytest.raises(UnknownPackError):
        propose(graded, market, JUNE, 10, "李", on=NOW, versions=versions)


def test_grades_of_tiers_that_the_new_pack_does_not_know_are_not_guessed_at(
    graded: Store, tmp_path: Path
) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(MARKET.replace("tier: good", "tier: fine"), encoding="utf-8")
    with pytest.raises(ProposalRefusedError, match="does not know the tiers good"):
        propose(graded, load_pack(path), JUNE, 10, "李", on=NOW)
