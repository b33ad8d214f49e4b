"""``xinheng rules import`` and what takes rules and examples from other notations, and gives them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import click

import scoring.cli.install  # noqa: F401  its commands belong to the group
from rules.calendar import today
from rules.library.loader import file_text, load_text
from rules.titles import Title
from rules.tools.exchange.dmn_out import dmn_text
from rules.tools.exchange.draft import Draft
from rules.tools.exchange.examples import EXAMPLES, read_examples, with_examples
from rules.tools.exchange.models import read_model
from rules.tools.exchange.pack import pack_text
from rules.tools.exchange.scorecard import Line, read_scorecard
from rules.tools.exchange.xml import is_xml
from scoring.cli.language import in_language
from scoring.cli.options import Day
from scoring.cli.output import NewFile, tell
from scoring.cli.rules import rules_group as rules_group
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.folding import as_text
from scoring.facts.ingest.sheets import Sheet, open_sheets, visible


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
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="Put the examples in FILE, a workbook of rules test --xlsx, into this pack instead.",
)
def import_command(file: Path, out: Path | None, begins: dt.date, partial: bool, into: Path | None) -> None:
    """Make a pack of the rules in FILE: DMN decision tables, a scorecard in PMML, a workbook or CSV.

    What the language can't say is named with its place, and no pack is made of the rest unless --partial asks
    for it.

    Example: xinheng rules import loan.dmn --out loan.yaml
    """
    if into is not None:
        _give(_with_examples(file, into), out or into)
        return
    draft = _draft(file)
    text = pack_text(draft, begins, partial)
    for fault in (*draft.missing, *draft.remarks):
        tell(in_language(fault.title))
    _give(text, out)


@rules_group.command("export")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--dmn", "out", type=NewFile(".dmn", ".xml"), help="Write the model to this file.")
@click.option("--partial", is_flag=True, help="Leave out what DMN has no word for, and list it.")
def export_command(pack: Path, out: Path | None, partial: bool) -> None:
    """Write the decision tables of the pack in the file PACK as DMN 1.3.

    What DMN has no word for is named with its place, and nothing is written unless --partial asks for it.

    Example: xinheng rules export loan.yaml --dmn loan.dmn
    """
    text, missing = dmn_text(file_text(pack), str(pack), partial)
    for fault in missing:
        tell(in_language(fault.title))
    _give(text, out)


def _give(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        tell(f"written: {out}")


def _with_examples(file: Path, into: Path) -> str:
    """The text of a pack with the examples of a workbook; only one that can be loaded."""
    text = file_text(into)
    found = _sheets(file)
    if EXAMPLES not in found:
        raise click.UsageError(f"没有工作表“{EXAMPLES}” no sheet is called {EXAMPLES}: {file}")
    examples = read_examples(found, load_text(text, str(into)), str(file))
    made = with_examples(text, str(into), examples)
    load_text(made, str(into))
    return made


def _draft(file: Path) -> Draft:
    """What a file says, whatever it is by its content."""
    with file.open("rb") as stream:
        is_model = is_xml(stream.read(512))
    if is_model:
        return read_model(file.read_bytes(), str(file))
    return read_scorecard(_sheets(file), str(file))


def _sheets(file: Path) -> dict[str, list[Line]]:
    """What people see in a workbook, or in a CSV: what the cells of each row show, by sheet."""
    with open_sheets(file, lambda head: (max(map(len, head), default=0), 0)) as sheets:
        return {sheet.name or file.stem: list(_lines(file, sheet)) for sheet in visible(sheets)}


def _lines(file: Path, sheet: Sheet) -> Iterator[Line]:
    for number, cells in sheet.rows:
        if isinstance(cells, Fault):
            reason = Title(f"第{number}行: {cells.reason.zh}", f"row {number}: {cells.reason.en}")
            raise IngestError(file, reason, cells.hint)
        yield number, [as_text(cell) for cell in cells]
