"""What a platform's developer copies from docs/rules-in-force.md does what it says."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from pathlib import Path

import pytest
import serving
from client import Client
from flask import Flask
from rule_texts import short_pack

from api.resources import rule_drafts, rule_trials

PAGE = Path(__file__).parents[2] / "docs" / "rules-in-force.md"
NOW = dt.date(2026, 8, 10)


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """What is sent is the same on every database."""
    return sqlite_district_url


def test_with_curl_a_draft_becomes_law_and_a_candidate_is_tried(
    app: Flask, regulator: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (rule_drafts, rule_trials):
        monkeypatch.setattr(module, "today", lambda: NOW)
    files = {"draft.yaml": short_pack("2027-01-01"), "candidate.yaml": short_pack("2026-01-01")}
    for name, client in (("mine", regulator), ("theirs", regulator.colleague)):
        files[name] = f"Authorization: Bearer {client.token}\n"
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    script = PAGE.read_text(encoding="utf-8").rpartition("```sh\n")[2].partition("```")[0]
    with serving.served(app) as address:
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            env=os.environ | {"XINHENG_URL": address},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    approved, withdrawn, report, nights, moves, ended = map(
        json.loads, filter(None, done.stdout.splitlines())
    )
    assert (approved["state"], withdrawn["state"], withdrawn["version"]) == (
        "approved",
        "withdrawn",
        "2099.9",
    )
    assert (report["moved"], len(nights["items"]), len(moves["items"])) == (3, 1, 3)
    assert ended["ending"] == "已提交施行"
    seen = json.loads((tmp_path / "seen.json").read_text("utf-8"))
    assert seen["simulation"]["subjects"] == 12
