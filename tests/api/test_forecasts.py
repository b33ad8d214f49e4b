"""What a regulator and the graded themselves learn of days on which no run has said anything."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from click.testing import CliRunner
from client import Client, Sign
from small_district import FINED, LISTED

from api.schemas.subjects import ForecastSchema
from scoring.cli import main
from scoring.keys import Role

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
    assert own.get(f"/v1/subjects/{FINED}/explanation?as_of=2026-09-01").status_code == 403


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
    assert regulator.get("/v1/subjects/91500000NOBODY0000/forecast").status_code == 404
    assert regulator.get(f"/v1/subjects/{FINED}/explanation?as_of=9999-12-31").status_code == 200


def test_the_command_line_gives_the_forecast_that_the_api_gives(regulator: Client, district_url: str) -> None:
    line = ["forecast", FINED, "--database", district_url, "--format", "json"]
    printed = CliRunner().invoke(main, line, catch_exceptions=False)
    assert json.loads(printed.stdout) == regulator.get(FORECAST).json
