"""Grading a store, listing what was graded, and what stands in the way."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import pty
import re
import select
import sqlite3
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from waiting import PATIENCE
from warm import Warm

from cli.conftest import PROGRAM, Command
from cli.market import AS_OF
from scoring.runs.published import RunSummary, list_runs
from scoring.runs.results import Filters, list_grades
from scoring.store import open_store
from scoring.store.timelines import Segment

Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def line(market: Path, database: str) -> tuple[str, ...]:
    return ("score", "--pack", str(market / "market.yaml"), "--as-of", str(AS_OF), "--database", database)


def test_the_tier_table_is_on_standard_output_and_the_rest_on_standard_error(
    process: Process, line: tuple[str, ...]
) -> None:
    done = process(*line, "--again")
    assert done.returncode == 0
    header, *tiers = done.stdout.splitlines()
    assert header.split("\t")[3] == "等级 tier"
    assert [row.split("\t")[3:] for row in tiers] == [
        ["A", "优 Good", "2", "66.7%"],
        ["D", "差 Poor", "1", "33.3%"],
    ]
    assert re.fullmatch(r"集市 Market: 3 subjects, 10 records, [\d.]+ s, run \d+\n", done.stderr)
    assert "\x1b" not in done.stdout + done.stderr


def test_what_is_published_is_shown_and_not_published_again(command: Command, line: tuple[str, ...]) -> None:
    new = command(*line, "--again", "--format", "json")
    told = command(*line, "--format", "json")
    run_id = json.loads(new.stdout)[0]["run"]
    assert (told.exit_code, told.stdout) == (0, new.stdout)
    assert f"已发布 already published as run {run_id}" in told.stderr


def test_a_day_to_come_is_told_to_be_no_grade_yet(
    command: Command, line: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "before that day this is nobody's grade"
    for today, is_to_come in ((AS_OF, False), (AS_OF - dt.timedelta(days=1), True)):
        monkeypatch.setattr("scoring.cli.score.today", partial(dt.date.fromordinal, today.toordinal()))
        assert (told in command(*line).stderr) is is_to_come


def test_every_format_says_the_same(command: Command, line: tuple[str, ...]) -> None:
    listed = json.loads(command(*line, "--format", "json").stdout)
    assert [(row["tier"], row["subjects"]) for row in listed] == [("A", 2), ("D", 1)]
    read = list(csv.DictReader(io.StringIO(command(*line, "--format", "csv").stdout)))
    assert [(row["tier"], int(row["subjects"])) for row in read] == [("A", 2), ("D", 1)]


def test_a_terminal_sees_progress(line: tuple[str, ...]) -> None:
    stdout, seen = on_a_terminal(*line)
    assert "集市 Market" in seen
    assert "━" in seen
    assert b"\x1b" not in stdout


def test_a_terminal_sees_how_far_subjects_are_judged_anew_and_a_pipe_does_not(
    process: Process, database: str
) -> None:
    line = ("alerts", "rescan", "--all", "--pack", "enterprise-credit", "--database", database)
    _, seen = on_a_terminal(*line)
    assert "━" in seen
    assert "100%" in seen
    done = process(*line)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"企业公共信用综合评价 .*: 3 个主体已复核 subjects judged, 0 条新预警 new alerts\n", done.stdout
    )


def on_a_terminal(*line: str) -> tuple[bytes, str]:
    """Standard output of a command, and what its standard error shows on a terminal."""
    terminal, end = pty.openpty()
    running = subprocess.Popen(
        [str(PROGRAM), *line], stdout=subprocess.PIPE, stderr=end, env=os.environ | {"TERM": "xterm"}
    )
    os.close(end)
    seen = b""
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            seen += os.read(terminal, 65536)
        except OSError:  # the last writer has gone
            break
    os.close(terminal)
    stdout, _ = running.communicate()
    assert running.returncode == 0
    return stdout, seen.decode()


def test_runs_are_listed_the_newest_first_with_their_whole_identity_for_programs(
    command: Command, line: tuple[str, ...], database: str
) -> None:
    command(*line)
    found = json.loads(command("runs", "--database", database, "--format", "json").stdout)
    numbers = [run["id"] for run in found]
    assert numbers == sorted(numbers, reverse=True)
    assert re.fullmatch("[0-9a-f]{64}", found[0]["pack_hash"])
    shown = command("runs", "--pack", "market", "--limit", 1, "--database", database).stdout.splitlines()
    assert len(shown) == 2
    assert re.search(r"\t\d{4}-\d\d-\d\d \d\d:\d\d\t", shown[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pack", "nope"), "no pack is called nope; there are: "),
        (("--pack", "enterprise-credit", "--as-of", "2020-01-01"), "is in force on 2020-01-01; there are: "),
        (("--pack", "nope.yaml"), "nope.yaml: 没有该文件或目录 No such file or directory"),
        (("--as-of", "2020-01-01"), "has no subject that a pack in force on 2020-01-01 grades"),
    ],
)
def test_a_pack_that_can_not_grade_is_named(
    command: Command, database: str, arguments: tuple[str, ...], words: str
) -> None:
    result = command("score", *arguments, "--database", database)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


@pytest.mark.parametrize("until", ["", "2026-12-31"])
@pytest.mark.parametrize("is_from_files", [False, True])
def test_a_pack_file_that_is_not_in_force_is_refused_with_the_days_on_which_it_is(
    command: Command, market: Path, database: str, tmp_path: Path, is_from_files: bool, until: str
) -> None:
    text = (market / "market.yaml").read_text(encoding="utf-8")
    days = "{from: 2026-01-01, until: " + until + "}" if until else "{from: 2026-01-01}"
    pack = tmp_path / "market.yaml"
    pack.write_text(text.replace("{from: 2026-01-01}", days), encoding="utf-8")
    files = ["--subjects", market / "subjects.csv", "--records", market / "records.csv"]
    where = [*files, "--out", tmp_path / "out.csv"] if is_from_files else ["--database", database]
    result = command("score", "--pack", pack, "--as-of", "2025-12-31", *where)
    assert result.exit_code == 1
    assert "market 1 is not in force on 2025-12-31" in result.stderr
    assert f"from 2026-01-01 until {until or 'further notice'}" in result.stderr


def test_a_pack_with_faults_is_refused_with_their_places(
    command: Command, tmp_path: Path, market: Path
) -> None:
    text = (market / "market.yaml").read_text("utf-8").replace("size = 'large'", "sice = 'large'")
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    result = command(
        "score", "--pack", tmp_path / "bad.yaml", "--subjects", "s.csv", "--out", tmp_path / "o.csv"
    )
    assert result.exit_code == 1
    assert re.search(r"bad\.yaml:\d+:\d+: .*sice", result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--as-of", "31.7.2026"),
        ("--as-of", "2026-W31-5"),
        ("--as-of", "20260731"),
        ("--subjects", "s.csv"),
        ("--memory", "much"),
        ("--memory", "0GB"),
        ("--memory", "١GB"),
        ("--memory", f"{'9' * 400}GB"),
        ("--format", "xml"),
        ("--nonsense",),
        ("stray",),
    ],
)
def test_bad_usage_is_exit_code_2(command: Command, arguments: tuple[str, ...]) -> None:
    result = command("score", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage: " in result.stderr


def test_a_store_that_is_not_there_is_made_with_upgrade(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    for line in (
        ("score",),
        ("runs",),
        ("explain", "x"),
        ("report",),
        ("plan", "inspections", "--month", "2026-08", "--seed", "1"),
    ):
        result = command(*line, "--database", url)
        assert result.exit_code == 1
        assert "Make one with: xinheng db upgrade" in result.stderr
    assert command("db", "upgrade", "--database", url).exit_code == 0
    again = command("db", "upgrade", "--database", url)
    assert (again.exit_code, "已是最新 up to date" in again.stdout) == (0, True)
    empty = command("score", "--database", url)
    assert (empty.exit_code, empty.stdout) == (1, "")


def test_an_older_store_says_what_brings_it_up_to_date(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    command("db", "upgrade", "--database", url)
    with sqlite3.connect(tmp_path / "old.db") as raw:
        raw.execute("update alembic_version set version_num = '0001'")
    raw.close()
    result = command("score", "--database", url)
    assert result.exit_code == 1
    assert "is at revision 0001" in result.stderr
    assert "Run: xinheng db upgrade" in result.stderr


def test_an_error_that_should_not_be_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from scoring.cli import _sentence, main

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nothing divides by zero")

    monkeypatch.setattr("scoring.cli.runs.list_runs", broken)
    monkeypatch.setattr("scoring.cli.runs.open_store", lambda _: io.StringIO())
    result = CliRunner().invoke(main, ["runs"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: an error that should not be: ZeroDivisionError")
    monkeypatch.setenv("LANGUAGE", "zh_CN")  # a command that is run in it keeps its help in it
    assert _sentence(ZeroDivisionError("x")).startswith("程序出错：ZeroDivisionError: x。")


def test_a_reader_that_stops_reading_ends_the_command_in_silence(database: str) -> None:
    running = subprocess.Popen(
        [str(PROGRAM), "runs", "--database", database, "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout
    assert running.stderr
    running.stdout.close()
    assert running.stderr.read() == b""
    running.stderr.close()
    running.wait()


TWO_PACKS = {
    "departments.csv": "部门编码,部门名称\nCD001,云衡区市场监管局\n",
    "enterprises.csv": "统一社会信用代码,企业名称\n91500156MA5U000019,甲公司\n91500156MA5U00002C,乙公司\n",
}
HOLDS = """
import sys, time
from scoring.cli import main, score

def hold(store, pack, as_of, progress, **how):
    def told(step, rows):
        progress(step, rows)
        if (pack.id, step) == (sys.argv[1], sys.argv[2]):
            print(step, flush=True)
            time.sleep(600)
    return run(store, pack, as_of, progress=told, **how)

run, score.run = score.run, hold
main(sys.argv[3:])
"""
"""``xinheng score`` itself, held where a pack has come to a step of its run."""


@pytest.mark.parametrize("step", ["snapshot", "touches"])
def test_of_a_command_killed_between_two_packs_the_first_stays_and_the_second_follows(
    command: Command, store_url: str, tmp_path: Path, step: str
) -> None:
    for name, text in TWO_PACKS.items():
        (tmp_path / name).write_text(text, "utf-8")
    said = command("ingest", *(tmp_path / name for name in TWO_PACKS), "--database", store_url)
    assert said.exit_code == 0, said.stderr
    line = ("score", "--as-of", str(AS_OF), "--database", store_url)
    with Warm(HOLDS, "enterprise-credit", step, *line) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == f"{step}\n"
            (first,), seen = graded(store_url)
        finally:
            child.kill()
    assert (first.pack_id, seen) == ("department-credit", {first.id: 1})
    assert graded(store_url) == ([first], seen)
    done = command(*line)
    assert done.exit_code == 0
    assert f"已发布 already published as run {first.id}" in done.stderr
    (second, still), seen = graded(store_url)
    assert (second.pack_id, still) == ("enterprise-credit", first)
    assert seen == {first.id: 1, second.id: 2}


def test_full_judging_fails_where_a_grade_differs_that_no_change_explains(
    command: Command, store_url: str, tmp_path: Path
) -> None:
    for name, text in TWO_PACKS.items():
        (tmp_path / name).write_text(text, "utf-8")
    command("ingest", *(tmp_path / name for name in TWO_PACKS), "--database", store_url)
    line = ("score", "--pack", "enterprise-credit", "--as-of", str(AS_OF), "--database", store_url)
    assert command(*line).exit_code == 0
    assert command(*line, "--full").exit_code == 0
    store = open_store(store_url)
    with store.writing() as session:
        session.execute(sa.update(Segment).where(Segment.subject == 1).values(score=1))
    store.close()
    told = command(*line, "--full")
    assert told.exit_code == 1
    assert "1 subjects are graded otherwise than was published" in told.stderr
    assert command(*line, "--full").exit_code == 0, "the new grade is published"


def graded(url: str) -> tuple[list[RunSummary], dict[int, int]]:
    """The runs of a store, the newest first, and how many scores it holds of each run."""
    store = open_store(url)
    try:
        runs = list_runs(store)
        return runs, {run.id: len(list_grades(store, run, Filters())) for run in runs}
    finally:
        store.close()
