"""Runs are asked for, seen when they are whole, compared and taken out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from client import Client, Sign
from flask import Flask
from lending_desk import check, terms
from small_district import LISTED, MIXED, PACK, SUBJECTS
from waiting import until

from api.http.export import encoded
from rules.calendar import today
from rules.library.loader import find_pack
from scoring.access.keys import Role
from scoring.answers.explain import explain
from scoring.runs.batch import run
from scoring.store import Store


def test_runs_are_listed_the_newest_first(regulator: Client) -> None:
    first = regulator.get("/v1/runs?limit=1").json
    second = regulator.get(f"/v1/runs?limit=1&cursor={first['next']}").json
    assert [page["items"][0]["id"] for page in (first, second)] == [2, 1]
    assert second["next"] is None
    assert regulator.get("/v1/runs?pack=another").json["items"] == []


def test_a_run_says_how_many_subjects_have_each_tier(regulator: Client) -> None:
    found = regulator.get("/v1/runs/2").json
    assert sum(found["tiers"].values()) == found["subjects"] == 12
    assert found["tiers"]["D"] >= 1


def test_a_run_that_is_asked_for_is_seen_when_it_is_published(regulator: Client) -> None:
    asked = regulator.post("/v1/runs", json={"as_of": "2026-08-31"})
    assert asked.status_code == 202

    def is_over() -> bool:
        run = regulator.get("/v1/runs/3")
        assert run.status_code == 404 or sum(run.json["tiers"].values()) == 12, "whole, or not there"
        return regulator.get(asked.headers["Location"]).json["state"] in ("published", "failed")

    until(is_over, "the end of the run", every=0.2)
    job = regulator.get(asked.headers["Location"]).json
    assert (job["state"], job["problem"], job["rows"]) == ("published", None, 30)
    assert regulator.get(f"/v1/runs/{job['run_id']}").json["as_of"] == "2026-08-31"
    assert regulator.get("/v1/run-jobs").json["items"][0]["id"] == job["id"]


def test_a_run_of_a_day_to_come_is_nobodys_grade_before_that_day(
    regulator: Client, sign_in: Sign, store: Store
) -> None:
    ahead = dt.date(2999, 12, 31)
    run(store, find_pack(PACK, ahead), ahead)
    grade = f"/v1/subjects/{MIXED}/grade"
    assert regulator.get(grade).json["as_of"] == "2026-07-31"
    assert regulator.get(f"{grade}?as_of={ahead}").json["as_of"] == str(ahead)
    assert regulator.get(f"/v1/subjects/{MIXED}/explanation").json["run"]["as_of"] == "2026-07-31"
    assert explain(store, PACK, MIXED).as_of == dt.date(2026, 7, 31), "on the command line and on pages too"
    assert {item["as_of"] for item in regulator.get("/v1/subjects").json["items"]} == {"2026-07-31"}
    bank, day = sign_in(Role.LENDER, "甲银行"), today()
    tomorrow = day + dt.timedelta(days=1)  # which it may be before the bank asks
    consent = terms(MIXED, lender="甲银行", valid_from=str(day), valid_until=str(tomorrow))
    assert regulator.post("/v1/consents", json=consent).status_code == 201
    answer = bank.post("/v1/lender-checks", json=check(consent["reference"], MIXED)).json
    assert answer["graded_on"] == "2026-07-31"


def test_a_comparison_counts_who_moved(regulator: Client) -> None:
    found = regulator.get("/v1/runs/2/comparison?against=1").json
    assert sum(row["subjects"] for row in found["transitions"]) == 12
    moved = sum(row["subjects"] for row in found["transitions"] if row["tier"] != row["tier_before"])
    moves = regulator.get("/v1/runs/2/moves?against=1").json["items"]
    assert len(moves) == moved
    assert {LISTED, MIXED} <= {move["subject_id"] for move in moves}
    assert next(move for move in moves if move["subject_id"] == LISTED)["tier"] == "D"


def test_a_run_compared_with_itself_moved_nobody(regulator: Client) -> None:
    assert regulator.get("/v1/runs/2/moves?against=2").json["items"] == []


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
@pytest.mark.parametrize("table", ["scores", "dimension_scores", "hits"])
def test_all_results_can_be_taken_out(regulator: Client, table: str, form: str) -> None:
    answer = regulator.get(f"/v1/runs/2/export?table={table}&format={form}")
    rows = _READERS[form](answer.data)
    assert answer.status_code == 200
    if table == "scores":
        assert [row["subject_id"] for row in rows] == SUBJECTS
        assert {int(row["run_id"]) for row in rows} == {2}
    assert sorted(rows[0]) == sorted(
        _READERS["ndjson"](regulator.get(f"/v1/runs/2/export?table={table}").data)[0]
    )


_READERS = {
    "ndjson": lambda data: [json.loads(line) for line in data.splitlines()],
    "csv": lambda data: list(csv.DictReader(io.StringIO(data.decode()))),
    "parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
}


def test_lines_of_an_export_are_text_as_people_read_it() -> None:
    batch = pa.RecordBatch.from_pydict({"record_id": ["云罚〔2026〕1号"], "points": [-500]})
    [line] = encoded(iter([batch]), batch.schema, "ndjson")
    assert line.decode() == '{"record_id": "云罚〔2026〕1号", "points": -500}\n'


def test_an_export_is_compressed_for_those_who_take_it(app: Flask, regulator: Client) -> None:
    import gzip

    plain = regulator.get("/v1/runs/2/export?table=hits")
    packed = regulator.get("/v1/runs/2/export?table=hits", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data


def test_a_long_answer_is_compressed_and_a_short_one_is_not(regulator: Client) -> None:
    take = {"Accept-Encoding": "gzip"}
    assert regulator.get("/v1/packs/enterprise-credit", headers=take).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in regulator.get("/v1/run-jobs", headers=take).headers
