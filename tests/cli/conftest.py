"""The command as typed, and a small market, in files and in a store."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.market import AS_OF, PACK, RECORDS, SUBJECTS
from scoring.cli import main

Command = Callable[..., Result]
PROGRAM = Path(sys.executable).with_name("xinheng")
KEEP_NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For a program whose files are cut off: what Python keeps of its code would be as well."""


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs the command in this process; no traceback is ever shown, nor any other exception raised."""

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
        assert "an error that should not be" not in result.output
        assert "程序出错" not in result.output
        return result

    return run


@pytest.fixture(scope="session")
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the installed command in a process of its own."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        line = [str(PROGRAM), *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, encoding="utf-8", **options)  # type: ignore[call-overload, no-any-return]

    return run


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the market's pack and files."""
    directory = tmp_path_factory.mktemp("market")
    for name, text in (("market.yaml", PACK), ("subjects.csv", SUBJECTS), ("records.csv", RECORDS)):
        (directory / name).write_text(text, encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def graded(market: Path, command: Command) -> Path:
    """A store that holds the market, graded once; to be copied, and used by nobody."""
    path = market / "graded.db"
    url = f"sqlite:///{path}"
    for line in (
        ("db", "upgrade"),
        ("ingest", market / "subjects.csv", market / "records.csv", "--quarantine", market),
        ("score", "--pack", market / "market.yaml", "--as-of", AS_OF),
    ):
        result = command(*line, "--database", url)
        assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="session")
def database(market: Path, graded: Path) -> str:
    """The URL of a store that holds the market, graded at least once: tests share it."""
    shutil.copy(graded, market / "market.db")
    return f"sqlite:///{market / 'market.db'}"
