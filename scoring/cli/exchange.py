"""``xinheng rules import`` and what takes rules and examples from other notations, and gives them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

import scoring.cli.install  # noqa: F401  its commands belong to the group
from rules.calendar import today
from rules.tools.exchange.models import read_model
from rules.tools.exchange.pack import pack_text
from scoring.cli.language import in_language
from scoring.cli.options import Day
from scoring.cli.output import NewFile, tell
from scoring.cli.rules import rules_group


@rules_group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=NewFile(".yaml", ".yml"), help="Write the pack to this file.")
@click.option(
    "--from",
    "begins",
    type=Day(),
    default=today,
    show_default="today",
    help="The day from which the pack is to rule.",
)
@click.option("--partial", is_flag=True, help="Leave out what the language can't say, and list it.")
def import_command(file: Path, out: Path | None, begins: dt.date, partial: bool) -> None:
    """Make a pack of the decision tables in FILE (DMN 1.2 to 1.6).

    What the language can't say is named with its place, and no pack is made of the rest unless --partial asks
    for it.

    Example: xinheng rules import loan.dmn --out loan.yaml
    """
    draft = read_model(file.read_bytes(), str(file))
    text = pack_text(draft, begins, partial)
    for fault in (*draft.missing, *draft.remarks):
        tell(in_language(fault.title))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        tell(f"written: {out}")
