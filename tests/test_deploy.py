"""What is installed by hand keeps to what the program takes: settings, commands, packages."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.settings import Settings, read_settings
from rules.library.kept import VARIABLE as CACHE_VARIABLE
from scoring.access.passes import VARIABLE as PASSES_VARIABLE
from scoring.answers.credit_report import ADDRESS_VARIABLE
from scoring.answers.notices.files import CONTACT, CONTACT_VARIABLE
from scoring.changes.addresses import VARIABLE as HOSTS_VARIABLE
from scoring.cli import main
from scoring.facts.columns.place import VARIABLE as COLUMNS_VARIABLE
from scoring.store.scratch import DIRECTORY_VARIABLE
from scoring.store.workspace import DEFAULT_MEMORY, MEMORY_VARIABLE, THREADS_VARIABLE

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
OF_BATCHES = {MEMORY_VARIABLE, THREADS_VARIABLE, DIRECTORY_VARIABLE, COLUMNS_VARIABLE, CACHE_VARIABLE}
OF_OTHERS = {HOSTS_VARIABLE, CONTACT_VARIABLE, ADDRESS_VARIABLE}
OF_SETTINGS = {f"XINHENG_{name.upper()}" for name in Settings.__slots__}
VARIABLES = (OF_SETTINGS - {PASSES_VARIABLE}) | OF_BATCHES | OF_OTHERS


def _commands() -> Iterator[str]:
    """Each command line of xinheng in the units, the container file and the page."""
    for unit in DEPLOY.glob("*.service"):
        yield from re.findall(r"^Exec\w+=\S+/bin/xinheng (.+)$", unit.read_text("utf-8"), re.MULTILINE)
    yield from re.findall(r"xinheng (db \w+|serve [^\"]+)", CONTAINERFILE)
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        yield from re.findall(r"^(?:podman exec xinheng )?xinheng ([^#\n]+)", block, re.MULTILINE)


@pytest.mark.parametrize("line", [*_commands()])
def test_a_command_is_one_that_xinheng_takes(line: str) -> None:
    command: click.Command = main
    words = shlex.split(line)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    command.make_context("xinheng", words)


def test_the_page_names_every_setting_and_its_default() -> None:
    told = dict(re.findall(r"^\| `(XINHENG_\w+)` \| (.+?) \|", PAGE, re.MULTILINE))
    assert set(told) == VARIABLES
    assert told[CONTACT_VARIABLE] == CONTACT
    shown = {name: text.strip("`") for name, text in told.items() if text.startswith("`")}
    assert shown.pop(MEMORY_VARIABLE) == DEFAULT_MEMORY
    shown.pop(CACHE_VARIABLE, None)  # said in words
    assert shown.pop("XINHENG_DATABASE_URL") == Settings().summary()["database_url"]
    assert read_settings({**shown, "XINHENG_SECRET": "x" * 32}) == Settings(secret="x" * 32)


def test_the_example_names_every_setting() -> None:
    example = (DEPLOY / "environment.example").read_text("utf-8")
    assert set(re.findall(r"^(?:# )?(XINHENG_\w+)=", example, re.MULTILINE)) == VARIABLES


def test_nothing_installed_lets_a_demos_passes_in() -> None:
    assert PASSES_VARIABLE in OF_SETTINGS
    installed = [*DEPLOY.rglob("*"), ROOT / "docs" / "operations.md", ROOT / "Makefile"]
    assert not [
        path for path in installed if path.is_file() and PASSES_VARIABLE.encode() in path.read_bytes()
    ]


def test_what_is_to_happen_by_itself_has_its_unit_and_is_switched_on() -> None:
    timers = {path.stem for path in DEPLOY.glob("*.timer")}
    assert timers == {"xinheng-score", "xinheng-tickets", "xinheng-anchor", "xinheng-deliveries"}
    assert timers <= {path.stem for path in DEPLOY.glob("*.service")}
    for line in re.findall(r"^systemctl enable --now (.+?)(?:  .*)?$", PAGE, re.MULTILINE):
        timers -= {unit.removesuffix(".timer") for unit in line.split()}
    assert timers == set()


def test_each_night_looks_for_alerts_once_everybody_is_graded() -> None:
    """What files brought in completes patterns as well, and nobody thinks of a command each morning."""
    unit = (DEPLOY / "xinheng-score.service").read_text("utf-8")
    assert re.findall(r"^ExecStart=\S+/xinheng (.+)$", unit, re.MULTILINE) == ["score", "alerts rescan"]


def test_the_key_of_the_anchors_is_kept_from_the_server() -> None:
    assert "LoadCredential=anchor.key:" in (DEPLOY / "xinheng-anchor.service").read_text("utf-8")
    assert "anchor.key" not in (DEPLOY / "xinheng.service").read_text("utf-8")


def test_the_container_takes_every_package_in() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    packages = set(built["targets"]["wheel"]["packages"])
    files = {"pyproject.toml", "README.md", "requirements-build.lock", "requirements.lock"}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE)
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert {name for names in copied for name in names.split()} == packages | files == set(let_in)
