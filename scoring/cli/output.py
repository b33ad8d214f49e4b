"""What every command prints with: listings, also as workbooks, and progress that only a terminal sees."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import click

from rules.calendar import SHANGHAI
from rules.titles import Title
from scoring.characters.formulas import inert
from scoring.characters.visible import visible
from scoring.store.scratch import whole_file

Format = Literal["table", "json", "csv"]
Kind = Literal["text", "number", "date", "moment"]
Row = Mapping[str, Any]
Titles = Mapping[str, Mapping[Any, Title]]
"""Column → code → what people call it."""
Advance = Callable[[int, int], None]
Command = Callable[..., Any]

format_option = click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How the listing is printed.",
)

SHOWN_OF_A_HASH = 12
_KINDS: Mapping[type, Kind] = {
    int: "number",
    float: "number",
    Decimal: "number",
    dt.date: "date",
    dt.datetime: "moment",
}
_WORKBOOK, _LIMIT = "xinheng.workbook", "xinheng.limit"


class NewFile(click.Path):
    """A file to be written, of a kind that its name says: a slip of the hand overwrites nothing else.

    :param endings: with which its name may end.
    """

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self._endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if Path(value).suffix.lower() not in self._endings:
            endings = " / ".join(self._endings)
            self.fail(f"文件名应以{endings}结尾 the name '{value}' does not end with {endings}", param, ctx)
        return super().convert(value, param, ctx)


def _keep_workbook(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    context.meta[_WORKBOOK] = path


def listing_options(command: Command) -> Command:
    """``--format``, and ``--xlsx`` for the one listing that the command prints."""
    workbook = click.option(
        "--xlsx",
        type=NewFile(".xlsx"),
        callback=_keep_workbook,
        expose_value=False,
        help="Write the listing to this workbook instead.",
    )
    return format_option(workbook(command))


def ask_one_more(context: click.Context, _: click.Parameter, limit: int) -> int:
    """Keeps how many rows a listing shows at most; the command gets one more."""
    context.meta[_LIMIT] = limit
    return limit + 1


def limit_option(most: int = 10_000, default: int = 100) -> Callable[[Command], Command]:
    """``--limit``. The command is asked for one row more than the listing shows, which then says that there
    are more."""
    return click.option(
        "--limit",
        default=default,
        show_default=True,
        type=click.IntRange(1, most),
        callback=ask_one_more,
        help="At most so many.",
    )


def print_rows(
    rows: Iterable[Row],
    columns: Mapping[str, str] | Sequence[str],
    fmt: Format,
    titles: Titles = MappingProxyType({}),
) -> None:
    """Print a listing, or write it to the workbook that ``--xlsx`` names; of a listing that ``--limit`` cuts
    it is said on standard error.

    :param rows: mappings that hold at least the columns; None is printed as nothing (JSON: null).
    :param columns: the keys to print, or key → heading; CSV and JSON use the keys, for programs read them.
    :param fmt: ``table`` is drawn on a terminal and tab-separated in a pipe; its times of day are those of
        Shanghai, in CSV and JSON they are UTC; what is so or not is 是 yes or 否 no.
    :param titles: by which people know the codes of columns, in tables and workbooks; of a pack's identity
        they are shown the start, by which commands take it.
    """
    if fmt == "table":
        rows = (_short(titled(row, titles)) for row in rows)
    headings = columns if isinstance(columns, Mapping) else {key: key for key in columns}
    context = click.get_current_context(silent=True)
    rows, limit = iter(rows), context.meta.get(_LIMIT) if context else None
    shown = islice(rows, limit)
    if context is not None and (path := context.meta.get(_WORKBOOK)):
        _write_workbook(list(shown), headings, context, path)
    else:
        printer = {"table": _print_table, "json": _print_json, "csv": _print_csv}[fmt]
        printer(([row.get(key) for key in headings] for row in shown), headings)
    if limit is not None and next(rows, None) is not None:
        tell(f"仅列出前 {limit:,} 项,还有更多;用--limit调整 the first {limit:,}, and there are more: --limit")


def _short(row: Row) -> Row:
    return {**row, "pack_hash": row["pack_hash"][:SHOWN_OF_A_HASH]} if "pack_hash" in row else row


def titled(row: Row, titles: Titles) -> Row:
    """A row for people: codes by their titles, each where it has one."""
    return {**row, **{key: _by_title(row.get(key), known) for key, known in titles.items()}}


def _by_title(value: Any, known: Mapping[Any, Title]) -> Any:
    if isinstance(value, list | tuple):
        return [_by_title(one, known) for one in value]
    return str(known[value]) if value in known else value


def how_many(number: int, noun: str, nouns: str | None = None) -> str:
    """A number of things in English; ``nouns`` where their name does not just end with an s.

    >>> how_many(1, "value"), how_many(2000, "value"), how_many(2, "entry", "entries")
    ('1 value', '2,000 values', '2 entries')
    """
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def tell(text: str, err: bool = True) -> None:
    """Print a message that names what came from outside: nothing in it steers the terminal.

    :param err: on standard error, beside the command's result.
    """
    click.echo(visible(text), err=err)


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A progress bar on the terminal's standard error; nothing in a pipe.

    :return: a function to call with how much is done and the whole (0: not known), in any one unit.
    """
    from rich.console import Console  # what draws is loaded where something is drawn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, whole: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    parts = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*parts, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole or None)


def _print_table(lines: Iterable[list[Any]], headings: Mapping[str, str]) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        for line in (headings.values(), *lines):
            click.echo("\t".join(map(_shown, line)))
        return
    from rich.table import Column, Table

    table = Table(*(Column(heading, overflow="fold") for heading in headings.values()), header_style="bold")
    for line in lines:
        table.add_row(*map(_shown, line))
    console.print(table, markup=False)


def _print_json(lines: Iterable[list[Any]], headings: Mapping[str, str]) -> None:
    rows = [dict(zip(headings, line, strict=True)) for line in lines]
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=str))


def _print_csv(lines: Iterable[list[Any]], headings: Mapping[str, str]) -> None:
    for line in (list(headings), *lines):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(map(_csv_text, line))
        click.echo(text.getvalue())


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in UTF-8, whole or not at all.

    :raises OSError: where it can't be written.
    """
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


def _write_workbook(
    rows: Sequence[Row], headings: Mapping[str, str], context: click.Context, path: Path
) -> None:
    from scoring.characters.listings import Field, Listing, write_workbook  # openpyxl

    def titled(text: str) -> Title:
        return Title(text, text)

    fields = {
        key: Field(titled(heading), _kind([row.get(key) for row in rows]))
        for key, heading in headings.items()
    }
    made = f"{dt.datetime.now(SHANGHAI):%Y-%m-%d %H:%M}"
    listing = Listing(titled(context.command_path), ((titled("制表"), made),), fields, rows)
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        write_workbook(listing, file)


def _kind(values: Iterable[Any]) -> Kind:
    """Of what kind a column's values are, where all are of one."""
    kinds = {_KINDS.get(type(value), "text") for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 else "text"


def _csv_text(value: Any) -> str:
    text = _text(value)
    return inert(text) if isinstance(value, str | list | tuple) else text


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "、".join(map(_text, value))
    return "" if value is None else str(value)


def _shown(value: Any) -> str:
    """A value in one line; what could steer a terminal, or how its neighbours are shown, stands as a mark."""
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    text = _text(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in visible(text))
