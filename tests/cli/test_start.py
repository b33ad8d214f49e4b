"""A command loads what it needs and nothing else, so that it starts at once."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from cli.market import HIT
from scoring.cli import COMMANDS, main

HEAVY = (
    *("alembic", "duckdb", "durable", "flask", "marshmallow", "numpy", "openpyxl", "psycopg", "pyarrow"),
    *("rich", "sqlalchemy", "sqlglot", "yaml"),
)
_LOADED = """
import sys
from scoring.cli import main
try:
    main(prog_name="xinheng")
except SystemExit as ended:
    assert not ended.code
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def loaded(*words: str, **environment: str) -> set[str]:
    """The modules that a process of its own has loaded once it has done what the words say."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.split())


def heavy(modules: set[str]) -> set[str]:
    return modules.intersection(HEAVY)


def test_the_list_of_commands_loads_none_of_them() -> None:
    modules = loaded("--help")
    assert heavy(modules) == set()
    assert {name for name in modules if name.startswith("scoring.cli.")} == {"scoring.cli.language"}


@pytest.mark.parametrize(
    "words",
    [
        ("explain", HIT),
        ("explain", HIT, "--as-of", "2026-03-03", "--why-not"),
        ("forecast", HIT),
        ("paths", HIT),
    ],
    ids=" ".join,
)
def test_what_one_subject_is_told_needs_neither_arrow_nor_an_engine(
    words: tuple[str, ...], database: str
) -> None:
    words = (*words, "--pack", "market", "--database", database)
    loaded(*words)  # has the pack kept
    lists = words[0] != "explain"  # rich knows whether there is a terminal to draw on
    assert heavy(loaded(*words)) == {"sqlalchemy", *(["rich"] if lists else [])}


def test_completing_a_command_loads_none_of_them() -> None:
    asked = {"_XINHENG_COMPLETE": "bash_complete", "COMP_WORDS": "xinheng re", "COMP_CWORD": "1"}
    assert heavy(loaded(**asked)) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_the_first_sentence_of_its_own_help(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    assert COMMANDS[name].does == command.get_short_help_str(limit=1_000)


def test_commands_and_options_are_completed_with_what_they_do() -> None:
    shell = ShellComplete(main, {}, "xinheng", "_XINHENG_COMPLETE")
    assert [(item.value, item.help) for item in shell.get_completions([], "re")] == [
        ("restore", "Make the backup in the directory FROM the..."),
        ("records", "Settle what only a person can:..."),
        ("replay", "Have RUN again from the facts at its..."),
        ("repeat-offences", "List repeat offenders by field: their..."),
        ("report", "Count the district's figures from the..."),
        ("repairs", "Repairs of records: apply, admit, decide,..."),
    ]
    assert [item.value for item in shell.get_completions([], "--")] == ["--version", "--help"]
    assert [item.value for item in shell.get_completions(["explain"], "--why")] == ["--why-not"]
