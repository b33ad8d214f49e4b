"""Alerts: what several records together mean, whatever the order in which they become known."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import add_days, today
from rules.language.evaluate import evaluate
from rules.model import Alert
from scoring.access.keys import Role, create_key
from scoring.cli.alerts import alerts_group
from scoring.facts.undo import list_files, undo_file
from scoring.live import events
from scoring.live.alerts import (
    Alert as Found,
)
from scoring.live.alerts import (
    AlertsRefusedError,
    UnknownAlertError,
    Wanted,
    acknowledge,
    assign,
    list_alerts,
)
from scoring.live.events import Judge
from scoring.live.growing import HISTORY
from scoring.live.patterns import Match, search
from scoring.live.supervisor import Engine
from scoring.store import Store, create_store
from scoring.store.changes import ChangeRow

from .events_pack import PACK, Row, firms, record, take_in

FIRMS = firms()
DAY = dt.date(2026, 7, 1)


@pytest.fixture(scope="module")
def judge(durable: Engine) -> Judge:
    """The pack at work, on durable_rules."""
    return Judge(FIRMS, durable)


def standing(store: Store, alert: str | None = None) -> list[tuple[str, ...]]:
    found = list_alerts(store)
    return sorted((a.alert, *a.records) for a in found if alert in (None, a.alert))


def arrive(store: Store, judge: Judge, *rows: Row) -> Any:
    take_in(store, "record", rows)
    return judge.judge(store, "A", DAY)


# What the language says, said by trying every combination


def brute_force(alert: Alert, rows: Sequence[Row]) -> set[Match]:
    """Of all combinations that are a match, for each last record the one with the latest records."""
    order = sorted((r for r in rows if r["happened_on"]), key=lambda r: (r["happened_on"], r["record_id"]))
    found: dict[int, tuple[int, ...]] = {}
    for positions in itertools.combinations(range(len(order)), len(alert.events)):
        if is_match(alert, [order[p] for p in positions]):
            found[positions[-1]] = max(found.get(positions[-1], ()), positions)
    return {Match(alert.id, tuple(order[p]["record_id"] for p in positions)) for positions in found.values()}


def together(matches: set[Match], rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Matches of one pattern that share records, directly or by others, as the records of one alert."""
    place = {r["record_id"]: (str(r["happened_on"]), r["record_id"]) for r in rows}
    alerts: list[tuple[str, set[str]]] = []
    for match in matches:
        alerts.append((match.alert, set(match.records)))
        while pair := next(
            ((a, b) for a, b in itertools.combinations(alerts, 2) if a[0] == b[0] and a[1] & b[1]), None
        ):
            alerts = [one for one in alerts if one not in pair] + [(pair[0][0], pair[0][1] | pair[1][1])]
    return sorted((name, *sorted(records, key=place.__getitem__)) for name, records in alerts)


def is_match(alert: Alert, rows: Sequence[Row]) -> bool:
    if not all(evaluate(e.when, r, DAY) is True for e, r in zip(alert.events, rows, strict=True)):
        return False
    if alert.same and (rows[0].get(alert.same) is None or len({r.get(alert.same) for r in rows}) > 1):
        return False
    ends = [
        evaluate(e.stands_until, r, DAY) if e.stands_until else None
        for e, r in zip(alert.events, rows, strict=True)
    ]
    if any(end and end <= after["happened_on"] for end, after in zip(ends, rows[1:], strict=False)):
        return False
    return alert.days is None or (rows[-1]["happened_on"] - rows[0]["happened_on"]).days < alert.days


days = st.sampled_from([0, 1, 2, 99, 100, 101, 200, 364, 365, 366, 500, 700]).map(
    lambda n: dt.date(2024, 6, 1) + dt.timedelta(n)
)


def rows_of(kinds: list[str], fields: list[str | None], fewest: int = 0) -> st.SearchStrategy[list[Row]]:
    return st.lists(
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(kinds),
                "field": st.sampled_from(fields),
                "note": st.sampled_from(["a", "ab", "b", None]),
                "happened_on": st.one_of(days, days, days, st.none()),
                "ends_on": st.one_of(st.none(), days),
            }
        ),
        min_size=fewest,
        max_size=9,
    ).map(lambda rows: [{"record_id": f"r{n}", "firm_id": "A", **row} for n, row in enumerate(rows)])


rows_of_a_firm = rows_of(["penalty", "penalty", "listing", "award", "broken"], ["x", "y", None])
many_fines = rows_of(["penalty"], ["x"], fewest=6)


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_a_firm, watched=st.sampled_from([True, False, None]))
def test_the_alerts_are_those_that_trying_every_combination_finds(
    judge: Judge, rows: list[Row], watched: bool | None
) -> None:
    own = [{**row, "watched": watched} for row in rows]
    right = set().union(*(brute_force(alert, own) for alert in FIRMS.alerts))
    assert judge.patterns.matches({"firm_id": "A", "watched": watched}, rows) == right


@settings(deadline=None)
@given(st.data())
def test_plain_python_finds_what_durable_rules_finds(durable: Engine, data: st.DataObject) -> None:
    events = data.draw(st.integers(2, 4))
    flags, ends = st.sampled_from([0, 0, 1]), st.sampled_from([3, 7, 99])
    fields = {f"e{n}": flags for n in range(1, events + 1)} | {f"u{n}": ends for n in range(1, events + 1)}
    facts: list[Mapping[str, int]] = data.draw(
        st.lists(st.fixed_dictionaries({"day": st.integers(0, 9), **fields}), max_size=8)
    )
    facts.sort(key=lambda fact: fact["day"])
    limit = data.draw(st.sampled_from([None, 1, 4]))
    definition = {"kind": "sequences", "events": events, "days": limit}
    found = durable.ask(f"sequence {events} {limit}", definition, facts)
    assert [tuple(match) for match in found] == search(facts, events, limit)


@settings(max_examples=16, deadline=None)
@given(rows=st.one_of(rows_of_a_firm, many_fines), data=st.data())
def test_any_order_of_arrival_and_repair_ends_in_the_same_alerts(
    judge: Judge, tmp_path_factory: pytest.TempPathFactory, rows: list[Row], data: st.DataObject
) -> None:
    repaired = [{**row, "kind": "kept"} for row in rows if data.draw(st.sampled_from([True, False, False]))]
    arrivals = [*data.draw(st.permutations(rows)), *repaired]
    store = create_store(f"sqlite:///{tmp_path_factory.mktemp('order') / 'x.db'}")
    take_in(store, "subject", [{"firm_id": "A", "watched": True}])
    for row in arrivals:
        arrive(store, judge, row)
    left = {row["record_id"]: {**row, "watched": True} for row in arrivals}
    own = [left[row["record_id"]] for row in rows]
    right = set().union(*(brute_force(alert, own) for alert in FIRMS.alerts))
    assert standing(store) == together(right, own)
    store.close()


# As a regulator sees it


@pytest.fixture
def firm(store: Store) -> Store:
    """A store that knows the firm A, on SQLite and on PostgreSQL."""
    take_in(store, "subject", [{"firm_id": "A"}])
    return store


def test_the_third_penalty_in_one_field_within_a_year_gives_an_alert(firm: Store, judge: Judge) -> None:
    arrive(firm, judge, record("p1", "penalty", "2026-01-10", field="wages"))
    arrive(firm, judge, record("p2", "penalty", "2026-02-10", field="wages"))
    arrive(firm, judge, record("p3", "penalty", "2026-03-10", field="traffic"))
    assert standing(firm) == []
    outcome = arrive(firm, judge, record("p4", "penalty", "2026-04-10", field="wages"))
    assert outcome.raised == 1
    (alert,) = list_alerts(firm, Wanted(state="open"))
    assert (alert.subject_id, alert.alert, alert.records) == ("A", "repeat", ("p1", "p2", "p4"))


def test_a_late_record_is_taken_into_account(firm: Store, judge: Judge) -> None:
    arrive(firm, judge, record("p", "penalty", "2026-03-01"))
    arrive(firm, judge, record("l", "listing", "2026-01-01", ends_on="2026-06-01"))
    assert standing(firm) == [("listed", "l", "p")]


def test_a_penalty_on_the_day_on_which_the_listing_ends_is_none_while_listed(
    firm: Store, judge: Judge
) -> None:
    arrive(firm, judge, record("l", "listing", "2026-01-01", ends_on="2026-06-01"))
    arrive(firm, judge, record("p", "penalty", "2026-06-01"))
    assert standing(firm) == []


def test_a_corrected_record_withdraws_the_alert_and_its_return_brings_it_back(
    firm: Store, judge: Judge
) -> None:
    arrive(firm, judge, record("a", "award", "2026-01-01"), record("b", "broken", "2026-03-01"))
    (first,) = list_alerts(firm)
    acknowledge(firm, {first.id: first.version}, "somebody", "seen")
    outcome = arrive(firm, judge, record("b", "kept", "2026-03-01"))
    assert (outcome.withdrawn, standing(firm)) == (1, [])
    assert [a.state for a in list_alerts(firm, Wanted(state="withdrawn"))] == ["withdrawn"]
    arrive(firm, judge, record("b", "broken", "2026-03-02"))
    (again,) = list_alerts(firm)
    assert (again.id, again.state, again.acknowledged_by, again.note) == (
        first.id,
        "acknowledged",
        "somebody",
        "seen",
    )


def test_the_first_scan_of_an_old_store_opens_what_is_recent_and_counts_the_rest_as_history(
    firm: Store, judge: Judge, store_url: str, tmp_path: Path
) -> None:
    """Years of records would open more than anybody can look at; what is history stays so."""

    def ago(days: int) -> str:
        return add_days(today(), -days).isoformat()

    penalties = [record(f"p{n}", "penalty", ago(900 - n), field="wages") for n in range(4)]
    pair = [record("a", "award", ago(220)), record("b", "broken", ago(170))]
    take_in(firm, "record", [*penalties, *pair])
    (tmp_path / "firms.yaml").write_text(PACK, "utf-8")
    scan = ["rescan", "--pack", str(tmp_path / "firms.yaml"), "--database", store_url]
    said = "1 个主体已复核 subjects judged, 1 条新预警 new alerts, 1 条属往期 older ones are history"
    assert said in CliRunner().invoke(alerts_group, scan).output
    assert [found.records for found in list_alerts(firm, Wanted(state="open"))] == [("a", "b")]
    assert {found.acknowledged_by for found in list_alerts(firm, Wanted(state="acknowledged"))} == {HISTORY}
    with firm.reading() as session:
        told = session.scalars(sa.select(ChangeRow.alert).where(ChangeRow.kind == "alert_opened")).all()
    assert told == ["broken"]
    arrive(firm, judge, record("q", "award", ago(1)))
    assert len(list_alerts(firm, Wanted(state="open"))) == 1
    shorter = CliRunner().invoke(alerts_group, [*scan, "--all", "--history-days", "5"]).output
    assert "0 条新预警 new alerts\n" in shorter, "what is open stays open"
    assert len(list_alerts(firm, Wanted(state="open"))) == 1


def test_the_list_tells_people_who_acknowledged_and_not_by_which_key_alone(
    firm: Store, judge: Judge, store_url: str
) -> None:
    key = create_key(firm, Role.REGULATOR, "钱某").key.prefix
    acknowledge(firm, {broken(firm, judge).id: None}, key)
    line = ["list", "--database", store_url]
    assert f"\t钱某 {key}\t" in CliRunner().invoke(alerts_group, line).output


def test_who_acknowledged_first_stays(firm: Store, judge: Judge) -> None:
    alert = broken(firm, judge)
    acknowledge(firm, {alert.id: None}, "first", "a")
    assert acknowledge(firm, {alert.id: None}, "second")[0].acknowledged_by == "first"
    assert acknowledge(firm, {alert.id: None}, "first", "a")[0].note == "a", "the same again"
    for by, note in (("second", "b"), ("second", "a"), ("first", "b")):
        with pytest.raises(AlertsRefusedError, match=f"alert {alert.id} was acknowledged by first"):
            acknowledge(firm, {alert.id: None}, by, note)
    assert the(firm, "broken", "acknowledged").note == "a"
    with pytest.raises(UnknownAlertError, match="99"):
        acknowledge(firm, {99: None}, "somebody")


# One alert that grows


def fines(store: Store, judge: Judge, *days: str) -> Any:
    """Penalties in one field, each called by its day."""
    return arrive(store, judge, *(record(f"p{day}", "penalty", day, field="wages") for day in days))


def broken(store: Store, judge: Judge) -> Found:
    arrive(store, judge, record("a", "award", "2026-01-01"), record("b", "broken", "2026-03-01"))
    return the(store, "broken")


def the(store: Store, name: str, state: Any = None) -> Found:
    """The one alert of a pattern that stands."""
    (found,) = list_alerts(store, Wanted(alert=name, state=state))
    return found


SPRING = ["2026-01-10", "2026-02-10", "2026-03-10"]


def test_a_fourth_penalty_makes_the_open_alert_grow_and_opens_no_other(firm: Store, judge: Judge) -> None:
    fines(firm, judge, *SPRING)
    first = the(firm, "repeat")
    outcome = fines(firm, judge, "2026-04-10")
    grown = the(firm, "repeat")
    assert (outcome.raised, outcome.grown) == (0, 1)
    assert (grown.id, grown.state, grown.version) == (first.id, "open", first.version + 1)
    assert grown.records == ("p2026-01-10", "p2026-02-10", "p2026-03-10", "p2026-04-10")
    assert (first.last_on, grown.last_on) == (dt.date(2026, 3, 10), dt.date(2026, 4, 10))
    assert [*grown.grown] == ["p2026-04-10"]
    assert grown.grown["p2026-04-10"] > grown.raised_at == first.raised_at
    with firm.reading() as session:
        told = session.execute(sa.select(ChangeRow.record_id, ChangeRow.alert_id)).all()
    assert told == [("p2026-03-10", first.id), ("p2026-04-10", first.id)]


def test_a_penalty_that_overlaps_with_none_of_it_opens_an_alert_of_its_own(firm: Store, judge: Judge) -> None:
    fines(firm, judge, *SPRING, "2028-01-10", "2028-02-10", "2028-03-10")
    assert [len(found.records) for found in list_alerts(firm)] == [3, 3]


def test_what_was_settled_is_not_opened_again_but_a_new_alert_names_it(firm: Store, judge: Judge) -> None:
    fines(firm, judge, *SPRING)
    first = the(firm, "repeat")
    acknowledge(firm, {first.id: first.version}, "somebody", "seen")
    assert fines(firm, judge, "2026-04-10").raised == 1
    new = the(firm, "repeat", "open")
    assert (new.follows, new.records) == (first.id, ("p2026-02-10", "p2026-03-10", "p2026-04-10"))
    settled = the(firm, "repeat", "acknowledged")
    assert (settled.id, len(settled.records), settled.note) == (first.id, 3, "seen")
    fines(firm, judge, "2026-05-10")
    assert [len(found.records) for found in list_alerts(firm)] == [4, 3], "the new one grows"


def test_a_late_record_between_those_of_a_settled_alert_is_no_part_of_what_was_settled(
    firm: Store, judge: Judge
) -> None:
    fines(firm, judge, *SPRING)
    first = the(firm, "repeat")
    acknowledge(firm, {first.id: first.version}, "somebody", "seen")
    fines(firm, judge, "2026-02-20")
    settled, new = the(firm, "repeat", "acknowledged"), the(firm, "repeat", "open")
    assert settled.records == first.records
    assert (new.follows, new.records) == (first.id, ("p2026-01-10", "p2026-02-10", "p2026-02-20"))


def test_to_look_again_changes_nothing(firm: Store, judge: Judge) -> None:
    fines(firm, judge, *SPRING, "2026-04-10")
    broken(firm, judge)
    acknowledge(firm, {the(firm, "broken").id: None}, "somebody")
    before = list_alerts(firm)
    outcome = judge.judge(firm, "A", DAY)
    assert outcome is not None
    assert (outcome.raised, outcome.withdrawn, outcome.history, outcome.grown) == (0, 0, 0, 0)
    assert list_alerts(firm) == before


def test_a_record_that_is_repaired_leaves_the_alert_and_one_between_two_joins_them(
    firm: Store, judge: Judge
) -> None:
    """As long as it stands; what is left is as it would be had it never come."""
    fines(firm, judge, "2025-03-10", "2025-04-10", "2025-05-10", "2026-05-20", "2026-06-20", "2026-07-20")
    create_key(firm, Role.REGULATOR, "王五")
    assign(firm, {list_alerts(firm)[0].id: None}, "王五", "somebody")
    newer, older = list_alerts(firm)
    fines(firm, judge, "2026-04-01")
    joined = the(firm, "repeat")
    assert (joined.id, len(joined.records), joined.assigned_to) == (older.id, 7, "王五")
    gone = the(firm, "repeat", "withdrawn")
    assert (gone.id, gone.joined) == (newer.id, older.id)
    arrive(firm, judge, record("p2026-04-01", "kept", "2026-04-01"))
    assert [(found.id, found.records, found.joined) for found in list_alerts(firm)] == [
        (newer.id, newer.records, None),
        (older.id, older.records, None),
    ]


def two_joined(store: Store, judge: Judge) -> tuple[Found, Found]:
    """The alert that two have become, and the one that was 王五's before."""
    fines(store, judge, "2025-03-10", "2025-04-10", "2025-05-10", "2026-05-20", "2026-06-20", "2026-07-20")
    create_key(store, Role.REGULATOR, "王五")
    (other,) = assign(store, {list_alerts(store)[0].id: None}, "王五", "somebody")
    fines(store, judge, "2026-04-01")
    return the(store, "repeat"), other


@pytest.mark.parametrize("is_settled", [False, True])
def test_what_was_taken_from_somebody_is_not_given_back_by_the_next_look(
    firm: Store, judge: Judge, is_settled: bool
) -> None:
    joined, _ = two_joined(firm, judge)
    assign(firm, {joined.id: joined.version}, None, "somebody")
    if is_settled:
        acknowledge(firm, {joined.id: None}, "somebody")
    before = list_alerts(firm)
    judge.judge(firm, "A", DAY)
    assert list_alerts(firm) == before


def test_what_does_not_stand_is_not_acknowledged(firm: Store, judge: Judge) -> None:
    """Else it would take its records back from the alert that it was joined to, or come back as if seen."""
    joined, other = two_joined(firm, judge)
    with pytest.raises(AlertsRefusedError, match=f"^alert {other.id} was joined to alert {joined.id}"):
        acknowledge(firm, {other.id: None}, "somebody")
    judge.judge(firm, "A", DAY)
    assert list_alerts(firm) == [joined]
    undone = broken(firm, judge)
    arrive(firm, judge, record("b", "kept", "2026-03-01"))
    with pytest.raises(AlertsRefusedError, match=f"^alert {undone.id} was withdrawn"):
        acknowledge(firm, {undone.id: None}, "somebody")


def test_what_grew_after_it_was_looked_at_is_not_acknowledged_nor_what_was_chosen_with_it(
    firm: Store, judge: Judge
) -> None:
    fines(firm, judge, *SPRING)
    seen = {found.id: found.version for found in (the(firm, "repeat"), broken(firm, judge))}
    fines(firm, judge, "2026-04-10")
    with pytest.raises(AlertsRefusedError, match=f"^alert {the(firm, 'repeat').id} has changed. Nothing"):
        acknowledge(firm, seen, "somebody", "seen")
    assert {found.state for found in list_alerts(firm)} == {"open"}


def test_alerts_are_listed_given_away_and_acknowledged_on_the_command_line(
    firm: Store, judge: Judge, store_url: str
) -> None:
    def told(*line: str) -> str:
        return CliRunner().invoke(alerts_group, [*line, "--database", store_url]).output

    def listed(*line: str) -> list[str]:
        return [row.split(",")[1] for row in told("list", *line, "--format", "csv").splitlines()[1:]]

    fines(firm, judge, *SPRING)
    number = str(broken(firm, judge).id)
    create_key(firm, Role.REGULATOR, "王五")
    assert listed() == ["broken", "repeat"]
    assert listed("--alert", "repeat") == listed("--since", "2026-03-02") == ["repeat"]
    assert listed("--until", "2026-03-02", "--state", "open") == ["broken"]
    assert listed("--town", "木棉镇") == []
    assert "没有监管人员赵六；现有：王五 no regulator is called 赵六; there are 王五" in told(
        "assign", number, "--to", "赵六"
    )
    assert f"{number}: 已分派给王五 assigned to 王五" in told("assign", number, "--to", "王五")
    assert (listed("--assigned-to", "王五"), listed("--unassigned")) == (["broken"], ["repeat"])
    assert "只能用一个" in told("list", "--unassigned", "--assigned-to", "王五")
    assert "there is no alert 99" in told("acknowledge", number, "99")
    assert listed("--state", "acknowledged") == []
    assert f"{number}: 已确认" in told("acknowledge", number, "--note", "已约谈")
    assert "请用--to写明经办人" in told("assign", number)
    assert f"预警{number}已由" in told("assign", number, "--to-nobody")
    assert listed("--state", "acknowledged") == ["broken"]


def test_the_alerts_of_a_subject_whose_file_was_taken_back_go_and_come_with_it(
    firm: Store, judge: Judge
) -> None:
    (file,) = list_files(firm)
    fines(firm, judge, *SPRING)
    late = judge._found(firm, events._facts(firm, FIRMS, ["A"]), DAY, None)
    undo_file(firm, file.id)
    assert judge.judge(firm, "A", DAY) is None
    assert the(firm, "repeat", "withdrawn").records
    with firm.writing() as session:
        assert events._kept(session, [one.row for one in late]) == set(), "who knew it then comes too late"
    take_in(firm, "subject", [{"firm_id": "A"}])
    judge.judge(firm, "A", DAY)
    assert the(firm, "repeat", "open").withdrawn_at is None


def test_two_that_judge_at_once_open_one_alert(firm: Store, judge: Judge) -> None:
    take_in(firm, "record", [record(f"p{n}", "penalty", day, field="wages") for n, day in enumerate(SPRING)])
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: judge.judge(firm, "A", DAY), range(8)))
    assert len(the(firm, "repeat").records) == 3
