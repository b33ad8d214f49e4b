"""What the command line says, in its catalogue. ``make messages`` collects it, joins it to the Chinese that
there is, compiles it, and prints what has no Chinese yet: that is empty, or fuzzy, in ``xinheng.po``."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from scoring.cli import COMMANDS, main
from scoring.cli.chinese import paragraphs
from scoring.cli.language import DOMAIN, LOCALE

PO = LOCALE / "zh" / "LC_MESSAGES" / f"{DOMAIN}.po"
MO = PO.with_suffix(".mo")
_NO_MATTER_WHEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def said() -> Catalog:
    """All that is to be said: help as the commands have it, and what click says for itself."""
    catalog = Catalog(domain=DOMAIN, fuzzy=False)
    for command in _commands(main):
        for text in _texts(command):
            catalog.add(text)
    for entry in COMMANDS.values():
        catalog.add(entry.does)
    for _, _, message, _, _ in extract_from_dir(Path(click.__file__).parent):
        catalog.add(message)
    catalog.add("required")  # click translates a variable that holds it
    return catalog


def kept() -> Catalog:
    """The Chinese that there is; Babel keeps no header in it, which would hold the hour."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh", domain=DOMAIN)


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as gettext reads it, the same whenever it is made."""
    catalog.creation_date = catalog.revision_date = _NO_MATTER_WHEN
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def _commands(group: click.Group) -> Iterator[click.Command]:
    yield group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from _commands(command)
        else:
            yield command


def _texts(command: click.Command) -> Iterator[str]:
    for part in paragraphs(command.help or ""):
        is_example = part.lstrip("\b\n").startswith("Example")
        yield part.lstrip("\b\n").partition(":")[0] + ":" if is_example else part
    for param in command.params:
        if isinstance(param, click.Option):
            yield from (text for text in (param.help, param.show_default) if text and isinstance(text, str))


if __name__ == "__main__":
    catalog = kept() if PO.exists() else Catalog(locale="zh", domain=DOMAIN, fuzzy=False)
    catalog.update(said())
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalog, width=110, sort_output=True, ignore_obsolete=True, omit_header=True)
    MO.write_bytes(compiled(catalog))
    print("\n".join(str(m.id) for m in catalog if m.id and (m.fuzzy or not m.string)))
