"""What a regulator and the graded themselves learn of days on which no run has said anything."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from click.testing import CliRunner
from client import Client, Sign
from small_district import FINED, LISTED, SUBJECTS

from api.schemas.subjects import ForecastSchema
from api.schemas.supervision import PopulationForecastSchema
from scoring.access.keys import Role
from scoring.cli import main

FORECAST = f"/v1/subjects/{FINED}/forecast"


def test_a_forecast_begins_as_the_grade_stands_and_says_why_it_changes(regulator: Client) -> None:
    found, grade = regulator.get(FORECAST).json, regulator.get(f"/v1/subjects/{FINED}/grade").json
    first, *later = found["steps"]
    assert list(found) == list(ForecastSchema().fields)
    assert (first["begins"], first["score"], first["tier"]) == (grade["as_of"], grade["score"], grade["tier"])
    assert first["reasons"] == []
    assert later
    assert all(step["reasons"] for step in later)
    fine = next(r for step in later for r in step["reasons"] if r["record_id"] == "P-1")
    assert fine["points_before"] < fine["points"] <= 0
    assert fine["rule"]["title"]["zh"]
    assert fine["rule"]["citations"]
    for before, after in zip(found["steps"], later, strict=False):
        assert before["ends"] == after["begins"]


def test_a_foretold_day_is_explained_with_the_same_score(regulator: Client) -> None:
    for step in regulator.get(FORECAST).json["steps"][1:4]:
        told = regulator.get(f"/v1/subjects/{FINED}/explanation?as_of={step['begins']}").json
        assert (told["run"], told["as_of"]) == (None, step["begins"])
        assert (told["score"], told["tier"]) == (step["score"], step["tier"])


def test_what_was_known_at_a_moment_is_told_apart_from_what_became_known_later(regulator: Client) -> None:
    old = regulator.get("/v1/runs/1").json
    asked = urlencode({"as_of": "2026-07-31", "known_at": old["known_at"]})
    told = regulator.get(f"/v1/subjects/{LISTED}/explanation?{asked}").json
    assert (told["run"], told["veto"]) == (None, None)
    assert regulator.get(f"/v1/subjects/{LISTED}/explanation?as_of=2026-07-31").json["veto"] is not None


def test_a_subject_sees_its_own_forecast_and_no_other(sign_in: Sign) -> None:
    own = sign_in(Role.SUBJECT, FINED)
    assert own.get(FORECAST).status_code == 200
    assert own.get(f"/v1/subjects/{LISTED}/forecast").status_code == 404


def test_odd_questions_are_refused(regulator: Client) -> None:
    for query in (
        "run=1&as_of=2026-07-31",
        "known_at=0001-01-01T00:00:00%2B14:00",
        "known_at=9999-12-31T23:59:59-14:00",
        "known_at=soon",
    ):
        assert regulator.get(f"/v1/subjects/{FINED}/explanation?{query}").status_code == 422, query
    assert regulator.get(f"{FORECAST}?months=0").status_code == 422
    assert regulator.get(f"{FORECAST}?pack=nothing").status_code == 404
    assert regulator.get("/v1/subjects/91110000600037341L/forecast").status_code == 404
    assert regulator.get(f"/v1/subjects/{FINED}/explanation?as_of=9999-12-31").status_code == 200


def test_the_command_line_gives_the_forecast_that_the_api_gives(regulator: Client, district_url: str) -> None:
    line = ["forecast", FINED, "--database", district_url, "--format", "json"]
    printed = CliRunner().invoke(main, line, catch_exceptions=False)
    assert json.loads(printed.stdout) == regulator.get(FORECAST).json


def test_a_regulator_is_told_how_everybody_will_stand(regulator: Client, district_url: str) -> None:
    found = regulator.get("/v1/forecasts/population?months=12").json
    assert list(found) == list(PopulationForecastSchema().fields)
    assert len(found["months"]) == 12
    assert sum(found["tiers"].values()) == len(SUBJECTS)
    before = found["tiers"]
    for month in found["months"]:
        assert sum(month["tiers"].values()) == len(SUBJECTS)
        moved = dict.fromkeys(before, 0)
        for move in month["transitions"]:
            moved[move["tier_before"]] -= move["subjects"]
            moved[move["tier"]] += move["subjects"]
        assert month["tiers"] == {tier: before[tier] + moved[tier] for tier in before}
        assert month["up"] + month["down"] == sum(move["subjects"] for move in month["transitions"])
        before = month["tiers"]
    assert sum(month["up"] for month in found["months"]), "fines count no longer"
    line = ["forecast", "--population", "--months", "12", "--database", district_url, "--format"]
    printed = CliRunner().invoke(main, [*line, "json"], catch_exceptions=False)
    assert json.loads(printed.stdout) == found
    table = CliRunner().invoke(main, [*line, "csv"], catch_exceptions=False).stdout.splitlines()
    assert len(table) == 13
    assert table[1].startswith(found["months"][0]["ends"])


def test_what_is_foretold_of_everybody_is_for_regulators(sign_in: Sign) -> None:
    for role, whose in ((Role.SUBJECT, FINED), (Role.DEPARTMENT, "样例区税务局"), (Role.OPERATOR, None)):
        who = sign_in(role, whose) if whose else sign_in(role)
        assert who.get("/v1/forecasts/population").status_code == 403, role


def test_odd_questions_about_everybody_are_refused(regulator: Client, district_url: str) -> None:
    for query, status in (("months=0", 422), ("months=121", 422), ("pack=nothing", 404), ("subject=1", 400)):
        assert regulator.get(f"/v1/forecasts/population?{query}").status_code == status, query
    for line in (
        ["forecast"],
        ["forecast", FINED, "--population"],
        ["forecast", "--population", "--months", "121"],
    ):
        assert CliRunner().invoke(main, [*line, "--database", district_url]).exit_code == 2, line
