"""What a regulator learns about subjects."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from client import Client, Sign
from small_district import FINED, LISTED, MIXED, PACK, SUBJECTS

from api.schemas.subjects import ExplanationSchema
from scoring.access.keys import Role
from scoring.answers.timelines import near_subjects
from scoring.cli import main
from scoring.store import Store
from scoring.store.access import ApiKey

TYPED = FINED[:9] + ("1" if FINED[9] != "1" else "2") + FINED[10:]
"""A code with one sign wrong."""


@pytest.fixture
def mistyped(store: Store, sign_in: Sign) -> Client:
    """An older key, whose code nobody looked at."""
    client = sign_in(Role.SUBJECT, FINED)
    with store.writing() as session:
        session.get_one(ApiKey, client.prefix).organisation = TYPED
    return client


@pytest.mark.parametrize(
    "path", ["", "/grade", "/explanation", "/explanation?as_of=2026-08-01", "/forecast", "/paths"]
)
def test_a_mistyped_code_is_told_and_the_codes_near_it_only_to_who_may_list_subjects(
    regulator: Client, mistyped: Client, path: str
) -> None:
    answer = regulator.get(f"/v1/subjects/{TYPED}{path}")
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/invalid")
    assert "wrong check character" in answer.json["detail"]
    assert f"perhaps {FINED}" in answer.json["detail"]
    (fault,) = answer.json["errors"]
    assert (fault["location"], fault["field"]) == ("path", "subject_id")
    own = mistyped.get(f"/v1/subjects/{TYPED}{path}")
    assert own.status_code in (403, 422)
    assert FINED not in own.text


@pytest.mark.parametrize("path", ["/forecast", "/paths"])
def test_a_subject_with_a_mistyped_code_is_told_that_it_is_wrong(mistyped: Client, path: str) -> None:
    answer = mistyped.get(f"/v1/subjects/{TYPED}{path}")
    assert "wrong check character" in answer.json["detail"]


@pytest.mark.parametrize(
    "typed",
    [FINED[:-1], FINED + FINED[-1], FINED[:3] + FINED[4:], FINED[:8] + FINED[9] + FINED[8] + FINED[10:]],
)
def test_a_sign_that_is_missing_or_too_many_or_exchanged_is_found_as_well(
    store: Store, regulator: Client, typed: str
) -> None:
    assert f"perhaps {FINED}" in regulator.get(f"/v1/subjects/{typed}").json["detail"]
    with store.reading() as session:
        assert near_subjects(session, "enterprise", typed) == [FINED]
        assert near_subjects(session, "enterprise", "no code") == []
        assert near_subjects(session, "enterprise", FINED) == []


def test_a_grade_is_that_of_the_latest_run(regulator: Client) -> None:
    grade = regulator.get(f"/v1/subjects/{LISTED}/grade").json
    assert grade["as_of"] == "2026-07-31"
    assert (grade["tier"], grade["pack_id"]) == ("D", PACK)
    assert grade["veto"] is not None


def test_a_grade_as_of_a_date_is_what_the_run_before_it_says_of_the_date(regulator: Client) -> None:
    """It fades and ends with the date, and the next run is not known yet."""
    own, later = (
        regulator.get(f"/v1/subjects/{FINED}/grade?as_of={day}").json for day in ("2026-04-30", "2026-07-30")
    )
    assert (own["as_of"], later["as_of"], own["run_id"]) == ("2026-04-30", "2026-07-30", later["run_id"])
    assert own["next_change_on"] <= "2026-07-30"
    line = regulator.get(f"/v1/subjects/{FINED}/history").json["grades"]
    [said] = [piece for piece in line if piece["begins"] <= "2026-07-30" < (piece["ends"] or "9999")]
    assert later["score"] == said["score"] != own["score"]
    listed = regulator.get(f"/v1/subjects/{LISTED}/grade?as_of=2026-07-30").json
    assert (listed["veto"], listed["tier"] != "D") == (None, True)


def test_before_the_first_run_there_is_no_grade(regulator: Client) -> None:
    answer = regulator.get(f"/v1/subjects/{LISTED}/grade?as_of=2026-01-01")
    assert answer.status_code == 404
    assert "2026-01-01" in answer.json["detail"]


def test_the_history_of_grades_has_the_newest_first_and_goes_on_by_cursor(regulator: Client) -> None:
    first = regulator.get(f"/v1/subjects/{LISTED}/grades?limit=1").json
    second = regulator.get(f"/v1/subjects/{LISTED}/grades?limit=1&cursor={first['next']}").json
    assert [page["items"][0]["as_of"] for page in (first, second)] == ["2026-07-31", "2026-04-30"]
    assert second["next"] is None


def test_the_history_tells_the_grade_of_every_day_from_the_first_run_to_the_last(regulator: Client) -> None:
    pieces = regulator.get(f"/v1/subjects/{LISTED}/history").json["grades"]
    runs = regulator.get(f"/v1/subjects/{LISTED}/grades").json["items"]
    assert (pieces[0]["begins"], pieces[-1]["ends"]) == ("2026-04-30", "2026-08-01")
    assert [one["ends"] for one in pieces[:-1]] == [two["begins"] for two in pieces[1:]]
    for run in runs:
        (piece,) = (p for p in pieces if p["begins"] <= run["as_of"] < p["ends"])
        assert (piece["score"], piece["tier"]) == (run["score"], run["tier"])


def test_a_subject_comes_with_its_attributes_and_grade(regulator: Client) -> None:
    subject = regulator.get(f"/v1/subjects/{FINED}").json
    assert subject["attributes"]["name"] == "样例企业0有限公司"
    assert subject["grade"]["subject_id"] == FINED


def test_who_is_not_known_is_not_found(regulator: Client) -> None:
    for path in ("", "/grade", "/explanation"):
        answer = regulator.get(f"/v1/subjects/91110000600037341L{path}")
        assert (answer.status_code, answer.json["type"]) == (404, "/problems/not-found"), path


def test_why_a_text_can_be_no_code_is_told_in_the_language_asked_for(regulator: Client) -> None:
    asked = regulator.get("/v1/subjects/91500000NOBODY0000/grade", headers={"Accept-Language": "zh"}).json
    assert "统一社会信用代码" in asked["errors"][0]["message"], asked
    assert asked["errors"][0]["message"] in asked["detail"]


def test_an_explanation_names_rule_source_record_and_end(regulator: Client) -> None:
    found = regulator.get(f"/v1/subjects/{FINED}/explanation").json
    fine = next(hit for hit in found["hits"] if hit["record_id"] == "P-1")
    assert fine["points"] < 0
    assert fine["record"]["kind"] == "penalty"
    assert fine["counts_until"] is not None
    assert fine["rule"]["title"]["zh"]
    assert all(citation["document"] for citation in fine["rule"]["citations"])
    total = found["score"]
    assert abs(78 + sum(part["points"] for part in found["dimensions"]) - total) < 0.001


def test_the_command_line_gives_the_explanation_that_the_api_gives(
    regulator: Client, district_url: str
) -> None:
    found = regulator.get(f"/v1/subjects/{FINED}/explanation").json
    line = [
        "explain",
        FINED,
        "--pack",
        found["run"]["pack_id"],
        "--database",
        district_url,
        "--format",
        "json",
    ]
    printed = CliRunner().invoke(main, line, catch_exceptions=False)
    assert json.loads(printed.stdout) == found
    assert list(found) == list(ExplanationSchema().fields)


def test_an_explanation_says_what_kept_other_rules_out(regulator: Client) -> None:
    found = regulator.get(f"/v1/subjects/{FINED}/explanation").json
    hit = {hit["rule"]["id"] for hit in found["hits"]}
    missed = [miss for miss in found["misses"] if miss["failed"]]
    assert missed
    assert not hit & {miss["rule"]["id"] for miss in missed}
    assert all(term["term"] for miss in missed for term in miss["failed"])


def test_an_old_run_can_be_explained(regulator: Client) -> None:
    old = regulator.get(f"/v1/subjects/{LISTED}/explanation?run=1").json
    assert old["run"]["as_of"] == "2026-04-30"
    assert old["veto"] is None


def test_all_subjects_come_in_pages_each_once(regulator: Client) -> None:
    seen, cursor = [], ""
    while True:
        page = regulator.get(f"/v1/subjects?limit=5{cursor}").json
        seen += [grade["subject_id"] for grade in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == SUBJECTS


def test_subjects_can_be_had_by_tier_veto_score_and_coming_change(regulator: Client) -> None:
    def ids(query: str) -> set[str]:
        return {grade["subject_id"] for grade in regulator.get(f"/v1/subjects?{query}").json["items"]}

    veto = regulator.get(f"/v1/subjects/{LISTED}/grade").json["veto"]
    assert ids("tier=D") >= {LISTED}
    assert ids(f"veto={veto}") == {LISTED}
    worst = regulator.get(f"/v1/subjects/{MIXED}/grade").json["score"]
    assert MIXED in ids(f"score_to={worst}")
    assert MIXED not in ids(f"score_from={worst + 0.01}")
    assert ids("changes_by=2026-07-31") == set()
    assert ids("changes_by=2100-01-01") == set(SUBJECTS)


def test_a_cursor_that_is_none_is_refused(regulator: Client) -> None:
    answer = regulator.get("/v1/subjects?cursor=!!")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "cursor"


def test_the_same_answer_is_not_sent_twice(regulator: Client) -> None:
    first = regulator.get(f"/v1/subjects/{FINED}/grade")
    again = regulator.get(f"/v1/subjects/{FINED}/grade", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_json_has_chinese_as_it_is_and_keys_in_their_own_order_without_spaces(regulator: Client) -> None:
    text = regulator.get(f"/v1/subjects/{FINED}").text
    assert text.startswith(f'{{"subject_id":"{FINED}",'), text
    assert "样例企业" in text
    assert text.index('"subject_id"') < text.index('"name"')
