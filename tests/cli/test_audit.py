"""``xinheng audit list``: who did what, by whom, what, when and about whom, and whether the log is whole."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from cli.conftest import Command
from cli.market import HIT
from rules.calendar import SHANGHAI
from scoring.access.audit import AuditLog, Event
from scoring.access.keys import Role, create_key
from scoring.store import open_store

NIGHT = dt.datetime(2026, 7, 1, 0, 30, tzinfo=SHANGHAI)
"""In Shanghai the first of July, by UTC still June."""


@pytest.fixture
def url(graded: Path, tmp_path: Path) -> str:
    """A store in whose log stand two keys of Wang's, and what was done by one of them and by others."""
    shutil.copy(graded, tmp_path / "own.db")
    url = f"sqlite:///{tmp_path / 'own.db'}"
    with closing(open_store(url)) as store:
        wang = create_key(store, Role.DEPARTMENT, "王主任", "区发改局").key.prefix
        did = (
            (wang, "subjects.get_grade", HIT, NIGHT),
            (wang, "subjects.list", None, NIGHT + dt.timedelta(days=1)),
            ("cli:li", "cli.keys.revoke", None, NIGHT - dt.timedelta(hours=1)),
            ("cli:li", "cli.keys_of.x", None, NIGHT - dt.timedelta(hours=1)),
        )
        events = [Event(by, "operator", what, whom, details={"n": 1}, at=at) for by, what, whom, at in did]
        AuditLog(store).write(events)
    return url


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--who", "王主任"), ["subjects.list", "subjects.get_grade"]),
        (("--who", "区发改局", "--action", "subjects"), ["subjects.list", "subjects.get_grade"]),
        (("--who", "li"), ["cli.keys_of.x", "cli.keys.revoke"]),
        (("--who", "nobody"), []),
        (("--action", "cli.keys"), ["cli.keys.revoke"]),
        (("--action", "subjects.list"), ["subjects.list"]),
        (("--subject", f" {HIT.lower()}"), ["subjects.get_grade"]),
        (("--since", "2026-07-01", "--until", "2026-07-01"), ["subjects.get_grade"]),
        (("--until", "2026-06-30"), ["cli.keys_of.x", "cli.keys.revoke"]),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_the_log_is_listed_by_whom_what_whose_and_when(
    command: Command, url: str, words: tuple[str, ...], found: list[str]
) -> None:
    done = command("audit", "list", *words, "--format", "json", "--database", url)
    listed = [row for row in json.loads(done.stdout) if row["details"] == {"n": 1}]
    assert (done.exit_code, [row["action"] for row in listed]) == (0, found), done.output


def test_people_read_who_it_was_and_go_on_where_a_listing_ended(
    command: Command, url: str, tmp_path: Path
) -> None:
    here = ("--database", url)
    first = command("audit", "list", "--who", "王主任", "--limit", 1, *here)
    headings, row = (line.split("\t") for line in first.stdout.splitlines())
    assert headings[:4] == ["序号 no.", "时间 at", "操作者 who", "持有人 owner"]
    assert (row[1], row[3], row[5], row[8]) == ("2026-07-02 00:30", "王主任", "subjects.list", '{"n": 1}')
    assert "there are more: --limit" in first.stderr
    rest = command(
        "audit", "list", "--who", "王主任", "--before", row[0], "--xlsx", tmp_path / "a.xlsx", *here
    )
    assert rest.exit_code == 0, rest.output
    cells = [[cell.value for cell in line] for line in load_workbook(tmp_path / "a.xlsx").worksheets[0]]
    assert [line[5] for line in cells[3:]] == ["subjects.get_grade"]


def test_a_listing_says_whether_the_log_is_whole(command: Command, url: str) -> None:
    line = ("audit", "list", "--verify", "--database", url, "--who")
    done = command(*line, "li")
    assert (done.exit_code, "the audit log is whole" in done.stderr) == (0, True)
    with closing(open_store(url)) as store, store.writing() as session:
        session.execute(sa.text("DROP TRIGGER audit_no_update"))
        session.execute(sa.text("UPDATE audit_entries SET actor = 'cli:wu' WHERE action = 'cli.keys.revoke'"))
    done = command(*line, "wu")
    assert (done.exit_code, "cli.keys.revoke" in done.stdout) == (1, True)
    assert "the audit log is not whole" in done.stderr
