"""What the graded can do about it, as the API and its page say it."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from itertools import combinations
from typing import Any

import pytest
import reference
from click.testing import CliRunner
from client import Client, Sign
from flask import Flask
from small_district import FINED, LISTED, MIXED, PACK, SUBJECTS, enterprise, take

from api.schemas.subjects import PathsSchema
from fixtures.codes import credit_code
from rules.library.loader import find_pack
from rules.model import Pack
from scoring.access.keys import Role, create_key
from scoring.answers.paths import paths_of
from scoring.answers.timelines import Facts, UnknownSubjectError, facts_of
from scoring.cli import main
from scoring.facts.undo import list_files, undo_file
from scoring.runs.batch import run
from scoring.store import Store, open_store

CLEAN = SUBJECTS[3]
SUMMER = dt.date(2026, 7, 31)
DAY = dt.timedelta(1)


def address(subject: str, tier: str | None = None) -> str:
    return f"/v1/subjects/{subject}/paths" + (f"?tier={tier}" if tier else "")


@pytest.fixture
def pack() -> Pack:
    return find_pack(PACK, SUMMER)


@pytest.fixture
def facts(district_url: str, pack: Pack) -> Facts:
    """What is known of the enterprise that is fined often."""
    store = open_store(district_url)
    with store.reading() as session:
        found = facts_of(session, pack.vocabulary, MIXED)
    store.close()
    return found


@pytest.fixture(autouse=True)
def in_summer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody asks on the day of the run."""
    asked_on(SUMMER, monkeypatch)


def asked_on(day: dt.date, monkeypatch: pytest.MonkeyPatch) -> None:
    for where in ("api.resources.subjects", "api.pages.grades", "scoring.cli.paths"):
        monkeypatch.setattr(f"{where}.today", lambda: day)


def tier_on(facts: Facts, repaired: set[str], day: dt.date) -> int:
    """The place of its tier once penalties are repaired, by the reference and the version of the day."""
    pack = find_pack(PACK, day)
    records = [
        {**row, "status": "repaired"} if name in repaired else row for name, row in facts.records.items()
    ]
    own = {"subject_id": MIXED, **facts.attributes}
    return pack.tiers.index(reference.grade(pack, day, [own], records)[MIXED].tier)


def records_of(found: dict[str, Any], path: dict[str, Any]) -> set[str]:
    return {found["steps"][number]["record_id"] for number in path["steps"]}


def test_steps_that_are_really_done_reach_the_tier_on_the_day_said_and_no_part_of_them_does(
    regulator: Client, pack: Pack, facts: Facts
) -> None:
    found = regulator.get(address(MIXED)).json
    assert list(found) == list(PathsSchema().fields)
    assert (found["tier"], found["target"], found["complete"]) == ("C", "B", True)
    assert found["paths"]
    assert found["nearest"] is None
    wanted = pack.tiers.index(found["target"])
    steps = {step["record_id"]: dt.date.fromisoformat(step["on"]) for step in found["steps"]}
    for path in found["paths"]:
        done, day = records_of(found, path), dt.date.fromisoformat(path["reached_on"])
        ready = max((steps[name] for name in done), default=SUMMER)
        assert tier_on(facts, done, day) <= wanted
        assert day >= ready
        if ready < day:
            assert tier_on(facts, done, day - DAY) > wanted
        for name in done:
            assert steps[name] == max(SUMMER, facts.records[name]["occurred_on"].replace(month=9))
        for size in range(len(done)):
            for part in combinations(done, size):
                assert tier_on(facts, set(part), day) > wanted
        if path["until"]:
            assert tier_on(facts, done, dt.date.fromisoformat(path["until"])) > wanted


def test_nothing_is_to_be_done_on_a_day_that_is_past(
    regulator: Client, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is of the summer, and still the latest."""
    day = dt.date(2026, 11, 28)
    asked_on(day, monkeypatch)
    found = regulator.get(address(MIXED)).json
    assert min(step["on"] for step in found["steps"]) == f"{day}"
    assert all(path["reached_on"] >= f"{day}" for path in found["paths"])
    tiers = find_pack(PACK, day).tiers
    assert found["tier"] == tiers[tier_on(facts, set(), day)]


def test_a_step_names_what_it_needs_and_its_law(regulator: Client) -> None:
    step = regulator.get(address(MIXED)).json["steps"][0]
    assert step["remedy"] == "remedy.penalty-general"
    assert step["needs"][0]["zh"]
    assert step["citations"]


def test_to_wait_is_said_where_that_is_enough(regulator: Client) -> None:
    (path,) = regulator.get(address(LISTED)).json["paths"]
    assert (path["steps"], path["reached_on"]) == ([], "2029-05-20")
    assert regulator.get(address(MIXED)).json["paths"][-1]["steps"] == []


def test_the_best_tier_has_no_aim_and_one_out_of_reach_says_what_it_would_take(regulator: Client) -> None:
    clean = regulator.get(address(CLEAN)).json
    assert (clean["tier"], clean["target"], clean["paths"], clean["complete"]) == ("B", "A", [], True)
    near = clean["nearest"]
    assert (near["on"], near["tier"], near["lowest"], near["veto"]) == ("2026-07-31", "B", 90, None)
    assert near["score"] == regulator.get(f"/v1/subjects/{CLEAN}/grade").json["score"] < 90
    own = regulator.get(address(CLEAN, "B")).json
    assert [(path["steps"], path["reached_on"]) for path in own["paths"]] == [([], "2026-07-31")]


def test_the_command_line_gives_the_paths_that_the_api_gives(regulator: Client, district_url: str) -> None:
    for subject, tier in ((MIXED, None), (LISTED, "A"), (CLEAN, None), (FINED, "B")):
        line = ["paths", subject, "--database", district_url, "--format", "json"]
        line += ["--tier", tier] if tier else []
        printed = CliRunner().invoke(main, line, catch_exceptions=False)
        assert json.loads(printed.stdout) == regulator.get(address(subject, tier)).json


def test_the_command_line_says_why_there_is_no_path(regulator: Client, district_url: str) -> None:
    printed = CliRunner().invoke(main, ["paths", CLEAN, "--database", district_url], catch_exceptions=False)
    assert "it takes 90" in printed.stderr


def test_a_subject_sees_its_own_paths_and_nobody_else_any_but_the_regulator(sign_in: Sign) -> None:
    own = sign_in(Role.SUBJECT, MIXED)
    assert own.get(address(MIXED)).status_code == 200
    assert own.get(address(FINED)).status_code == 404
    for role, organisation in ((Role.LENDER, "样例银行"), (Role.DEPARTMENT, "样例区税务局")):
        assert sign_in(role, organisation).get(address(MIXED)).status_code == 403


def test_a_subject_that_is_unknown_and_a_tier_that_is_none_are_not_found(regulator: Client) -> None:
    assert regulator.get(address("91110000600037341L")).status_code == 404
    assert regulator.get(address(MIXED) + "?pack=nothing").status_code == 404
    refused = regulator.get(address(MIXED, "E"))
    assert refused.status_code == 404
    assert "no tier E" in refused.json["detail"]


def test_the_page_says_what_the_api_says(app: Flask, regulator: Client, district_url: str) -> None:
    store = open_store(district_url)
    token = create_key(store, Role.REGULATOR, "甲").token
    store.close()
    visitor = app.test_client()
    form = re.search(r'name="form_token" value="([^"]+)"', visitor.get("/sign-in").text)
    assert form is not None
    visitor.post("/sign-in", data={"key": token, "form_token": form[1]})
    page = f"/subjects/{PACK}/{{}}/paths"
    found, shown = regulator.get(address(MIXED)).json, visitor.get(page.format(MIXED)).text
    ways = re.findall(r"<h3>\D*(\d{4}-\d\d-\d\d)", re.sub(r"<time[^>]*>", "", shown))
    assert ways == [path["reached_on"] for path in found["paths"]]
    assert "只需等待" in shown
    assert "履行处罚决定" in shown
    clean = visitor.get(page.format(CLEAN)).text
    assert "也达不到" in clean
    assert re.search(r"目标等级所需得分.*90", clean)
    assert "没有可办的步骤；评价规则" in clean
    assert visitor.get(page.format(MIXED) + "?tier=E").status_code == 404


def test_one_without_records_is_answered_and_one_that_left_is_not_once_a_run_knows(store: Store) -> None:
    newcomer = credit_code(random.Random(5), "91")
    take(store, "enterprise", "subject", "subject_id", [enterprise(99, newcomer)])
    run(store, find_pack(PACK, SUMMER), SUMMER)
    answer = paths_of(store, PACK, newcomer, "B")
    assert (answer.steps, [path.steps for path in answer.found.paths]) == ((), [()])
    undo_file(store, list_files(store)[0].id)
    assert paths_of(store, PACK, newcomer, "B").found == answer.found
    run(store, find_pack(PACK, SUMMER), SUMMER)
    with pytest.raises(UnknownSubjectError, match="nothing was known"):
        paths_of(store, PACK, newcomer)
