"""``xinheng rules import`` and what takes rules and examples from other notations, and gives them."""

from __future__ import annotations

import datetime as dt
from functools import partial as having
from pathlib import Path

import click
from click.core import ParameterSource

import scoring.cli.install  # noqa: F401  its commands belong to the group
from rules.calendar import today
from rules.library.loader import file_text, load_text, load_vocabulary
from rules.library.references import is_file, named_pack
from rules.tools.exchange.dmn_out import dmn_text
from rules.tools.exchange.examples import EXAMPLES, read_examples, with_examples
from rules.tools.exchange.pack import pack_text
from scoring.cli.language import in_language
from scoring.cli.options import Day, as_of_option, database_option, known_by, known_store
from scoring.cli.output import NewFile, tell, write_whole
from scoring.cli.rules import rules_group as rules_group
from scoring.rulemaking.brought import read_rules, sheets_in
from scoring.store.packs import PackText, text_of
from scoring.store.rulebook import known_text


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
@click.option("--subject", help="Ask of the columns of this shared vocabulary, by their names or titles.")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="Put the examples in FILE, a workbook of rules test --xlsx, into this pack instead.",
)
@click.pass_context
def import_command(
    context: click.Context,
    file: Path,
    out: Path | None,
    begins: dt.date,
    partial: bool,
    subject: str | None,
    into: Path | None,
) -> None:
    """Make a pack of the rules in FILE: DMN decision tables, a scorecard in PMML, a workbook or CSV.

    What the language can't say is named with its place, and no pack is made of the rest unless --partial asks
    for it.

    Example: xinheng rules import loan.dmn --out loan.yaml
    """
    if into is not None:
        for option, name in (("begins", "--from"), ("partial", "--partial"), ("subject", "--subject")):
            if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
                raise click.UsageError(
                    f"{name}不能与--into同用 {name} does not go with --into, which takes examples"
                )
        _give(_with_examples(file, into), out or into)
        return
    draft = read_rules(file, str(file), load_vocabulary(subject) if subject else None)
    text = pack_text(draft, begins, partial)
    for fault in (*draft.missing, *draft.remarks):
        tell(in_language(fault.title))
    _give(text, out)


@rules_group.command("export")
@click.argument("pack")
@click.option(
    "--table", "tables", multiple=True, metavar="ID", help="Write this table alone; may be given again."
)
@click.option("--dmn", "out", type=NewFile(".dmn", ".xml"), help="Write the model to this file.")
@click.option("--partial", is_flag=True, help="Leave out what DMN has no word for, and list it.")
@as_of_option
@database_option
def export_command(
    pack: str, tables: tuple[str, ...], out: Path | None, partial: bool, as_of: dt.date, database: str | None
) -> None:
    """Write the decision tables of PACK as DMN 1.3: a file, an id (the version in force) or id@version.

    With --table only the tables named are written, and those whose values they read. What DMN has no word for
    is named with its place, and nothing is written unless --partial asks for it.

    Example: xinheng rules export loan.yaml --dmn loan.dmn
    """
    source = _source(pack, as_of, database)
    text, missing = dmn_text(source.text, source.file, partial, tables)
    for fault in missing:
        tell(in_language(fault.title))
    _give(text, out)


def _source(name: str, day: dt.date, database: str | None) -> PackText:
    """The text of the pack that a name means, a file's or that of a version that is known."""
    if is_file(name):
        return PackText(file_text(Path(name)), name)
    pack = named_pack(name, day, having(known_by, database))
    with known_store(database) as store:
        return text_of(pack) if store is None else known_text(store, pack)


def _give(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, text)
        tell(f"written: {out}")


def _with_examples(file: Path, into: Path) -> str:
    """The text of a pack with the examples of a workbook; only one that can be loaded."""
    text = file_text(into)
    found = sheets_in(file)
    if EXAMPLES not in found:
        raise click.UsageError(f"没有工作表“{EXAMPLES}” no sheet is called {EXAMPLES}: {file}")
    examples = read_examples(found, load_text(text, str(into)), str(file))
    made = with_examples(text, str(into), examples)
    load_text(made, str(into))
    return made
