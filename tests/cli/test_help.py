"""Every command says what it does, with an example and a word on each of its options."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.conftest import Command, commands
from fixtures.department.bodies import bodies
from scoring.cli import COMMANDS, main

EVERY = dict(commands(main))
ROOT = Path(__file__).parents[2]


def test_the_commands_are_listed(command: Command) -> None:
    shown = command("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert f"  {name} " in shown.stdout


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_has_an_example_that_calls_the_command(command: Command, path: tuple[str, ...]) -> None:
    shown = command(*path, "--help")
    assert shown.exit_code == 0
    assert "Example" in shown.stdout
    assert f"xinheng {' '.join(path)}" in shown.stdout.partition("Example")[2]


def test_a_body_in_an_example_is_one_of_the_sample_district(command: Command) -> None:
    [example] = re.findall(r"explain (\S+) --pack department-credit", command("explain", "--help").stdout)
    assert example in {body.subject_id for body in bodies()}


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    options = [p for p in EVERY[path].params if isinstance(p, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_an_unknown_option_is_bad_usage(command: Command, path: tuple[str, ...]) -> None:
    result = command(*path, "--no-such-option")
    assert (result.exit_code, result.stdout) == (2, "")


def test_an_unknown_command_is_bad_usage(command: Command) -> None:
    result = command("no-such-command")
    assert result.exit_code == 2
    assert "No such command 'no-such-command'" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scoring.runs.jobs",), "usage: python -m scoring.runs.jobs NUMBER"),
        (("scoring.runs.jobs", "x"), "scoring.runs.jobs: "),
        (("scoring.runs.jobs", "1"), "scoring.runs.jobs: there is no store at"),
        (("scoring.live.scan_jobs",), "usage: python -m scoring.live.scan_jobs NUMBER"),
        (("scoring.live.worker",), "started by the server alone"),
        (("scoring.live.worker", "99"), "Bad file descriptor"),
        (("benchmarks.data",), "usage: python -m benchmarks.data DIRECTORY"),
        (("scoring.cli", "score", "--pack", "nothing"), "Error: "),
        (("scoring.cli", "nothing"), "No such command 'nothing'"),
    ],
)
def test_no_module_that_is_run_shows_a_traceback(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "XINHENG_DATABASE_URL": f"sqlite:///{tmp_path}/none.db",
    }
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
