"""What a lender's developer copies does what it says."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import serving
from client import Client
from flask import Flask
from lending_desk import Clock, check, consented
from small_district import FINED, LISTED

from api.app import create_app
from api.settings import Settings
from scoring.store import Store


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """What is sent is the same on every database."""
    return sqlite_district_url


@pytest.fixture
def served(store: Store) -> Iterator[str]:
    """Where the application is served, on a day on which its grades can be relied on."""
    app = create_app(Settings(log_level="error"), store)
    app.extensions["clock"] = Clock()
    with serving.served(app) as address:
        yield address


def copied(app: Flask, name: str, folder: Path) -> Path:
    """A program as it stands on the page, which needs no key."""
    page = app.test_client().get("/quick-start").text
    _, _, rest = page.partition(f"<summary><code>{name}</code></summary>")
    text, _, _ = rest.partition('no">')[2].partition("</samp>")
    path = folder / name
    path.write_text(unescape(text), encoding="utf-8")
    return path


def run(line: list[str], server: str, lender: Client, **more: str) -> subprocess.CompletedProcess[str]:
    """A program with the server's address and the lender's key."""
    env = os.environ | {"XINHENG_URL": server, "XINHENG_KEY": lender.token} | more
    return subprocess.run(line, env=env, capture_output=True, text=True, encoding="utf-8")


def test_with_curl_a_consent_is_registered_and_the_tier_comes(
    app: Flask, lender: Client, served: str, tmp_path: Path
) -> None:
    document = tmp_path / "授权书.pdf"
    document.write_bytes(b"signed")
    terms = {"SUBJECT": LISTED, "REFERENCE": "SQ-2026-0017", "DOCUMENT": str(document)}
    terms |= {"FROM": "2026-08-01", "UNTIL": "2027-07-31"}
    script = copied(app, "lender.sh", tmp_path)
    for _ in range(2):  # sent again, it is one consent
        done = run(["sh", str(script)], served, lender, **terms)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        consent, answer = map(json.loads, filter(None, done.stdout.splitlines()))
        assert (consent["reference"], answer["tier"], answer["lane"]) == ("SQ-2026-0017", "D", "none")
    assert len(lender.get("/v1/consents").json["items"]) == 1


def test_with_curl_a_refusal_ends_the_program_and_says_why(
    app: Flask, lender: Client, served: str, tmp_path: Path
) -> None:
    terms = {"SUBJECT": LISTED[:-1], "REFERENCE": "SQ-2026-0017", "DOCUMENT": __file__}
    script = copied(app, "lender.sh", tmp_path)
    done = run(["sh", str(script)], served, lender, FROM="2026-08-01", UNTIL="2027-07-31", **terms)
    assert done.returncode != 0
    assert json.loads(done.stdout.splitlines()[0])["status"] == 422


def test_with_python_each_borrower_has_its_line(
    app: Flask, lender: Client, served: str, tmp_path: Path
) -> None:
    borrowers = tmp_path / "borrowers.json"
    consent = consented(lender, LISTED)
    asked = [check(consent), check("SQ-2026-9999", FINED), check(consent) | {"subject_id": "1"}]
    borrowers.write_text(json.dumps(asked), encoding="utf-8")
    done = run([sys.executable, str(copied(app, "lender.py", tmp_path)), str(borrowers)], served, lender)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.splitlines()
    assert first == f"{LISTED} D, none, until {dt.date(2026, 8, 31)}"
    assert second.startswith(f"{FINED} refused: no consent SQ-2026-9999")
    assert third.startswith("1 invalid: ")


def test_with_python_a_server_that_is_away_is_told(app: Flask, lender: Client, tmp_path: Path) -> None:
    (tmp_path / "borrowers.json").write_text("[{}]", encoding="utf-8")
    line = [sys.executable, str(copied(app, "lender.py", tmp_path)), str(tmp_path / "borrowers.json")]
    done = run(line, "http://127.0.0.1:9", lender)
    assert (done.returncode, "can't be reached" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_with_python_a_key_that_opens_nothing_is_told(
    app: Flask, lender: Client, served: str, tmp_path: Path
) -> None:
    (tmp_path / "borrowers.json").write_text("[{}]", encoding="utf-8")
    line = [sys.executable, str(copied(app, "lender.py", tmp_path)), str(tmp_path / "borrowers.json")]
    done = run(line, served, lender, XINHENG_KEY="xh_nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("401 A valid key is needed")
