"""What the commands on records share, and those on cases about them: objections and repairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any

import click

from rules.calendar import today
from rules.library.loader import installed_packs, load_vocabulary
from rules.model import Vocabulary
from rules.titles import Title, UnknownError
from scoring.access.keys import owners_of
from scoring.cli.options import Day, database_option
from scoring.cli.output import Format, limit_option, listing_options, print_rows, tell
from scoring.facts.cases import STEP_TITLES
from scoring.facts.desk import Filed, Wanted
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objections import Mark
from scoring.facts.records import RecordError
from scoring.store import Store, open_store

MARKS = {
    "effective_on": "日期 on",
    "kind": "事项 step",
    "status_after": "记录状态 record",
    "reason": "理由 reason",
    "made_by": "办理 by",
    "owner": "持有人 owner",
    "made_at": "登记于 entered",
}
vocabulary_option = click.option(
    "--vocabulary", default=ENTERPRISES, show_default=True, help="Of which records."
)


def step_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every step says: the record, why, what it rests on, on which day."""
    options = (
        click.argument("record"),
        click.option("--reason", required=True, help="Why; it stands beside the record."),
        click.option("--evidence", multiple=True, help="Number of a document that it rests on; repeatable."),
        click.option(
            "--on", "day", type=Day(), default=today, show_default="today", help="When it was done."
        ),
        vocabulary_option,
        database_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which cases are listed, at most how many, and how."""
    options = (
        click.option(
            "--open", "is_open", is_flag=True, help="Those about which an office has to do something."
        ),
        click.option("--overdue", is_flag=True, help="Those that are late."),
        limit_option(),
        vocabulary_option,
        database_option,
        listing_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


def wanted_cases(is_open: bool, overdue: bool) -> Wanted:
    """What :func:`list_options` asks for."""
    return Wanted(is_open=is_open, overdue_on=today() if overdue else None)


def case_row(found: Filed[Any]) -> dict[str, object]:
    """A case as a row of a list."""
    known = {name: getattr(found, name) for name in ("id", "record_id", "subject_id", "authority")}
    return known | asdict(found.case)


def tell_case(found: Filed[Any], stages: Mapping[Any, Title]) -> None:
    """Say which case it is, where it stands and until when something is due."""
    due = f", 期限 due {found.case.due_on}" if found.case.due_on else ""
    tell(f"{found.id} {found.record_id} ({found.subject_id}): {stages[found.case.stage]}{due}")


def print_marks(store: Store, found: Filed[Any], fmt: Format) -> None:
    """Print what was done about a case, each step with the holder of the key that made it."""
    owners = owners_of(store, (mark.made_by for mark in found.marks))
    rows = (asdict(mark) | {"owner": owners.get(mark.made_by)} for mark in found.marks)
    titles = {"kind": STEP_TITLES, "status_after": status_titles(found.vocabulary)}
    print_rows(rows, MARKS, fmt, titles)


def holders(store: Store, prefixes: Iterable[str | None]) -> dict[str, Title]:
    """What keys are called in tables, by their prefixes: as on the pages, by who holds them."""
    named = owners_of(store, filter(None, prefixes))
    return {prefix: Title(said := f"{owner} {prefix}", said) for prefix, owner in named.items()}


def evidence_of(numbers: tuple[str, ...]) -> tuple[dict[str, str], ...]:
    """Documents by their numbers, as a mark keeps them."""
    return tuple({"title": number, "reference": number} for number in numbers)


def tell_mark(mark: Mark, vocabulary: str) -> None:
    """Say what was done."""
    status = status_titles(vocabulary).get(mark.status_after, mark.status_after)
    tell(f"{mark.record_id}: {STEP_TITLES[mark.kind]}, {status}", err=False)


def status_titles(vocabulary: str) -> Mapping[str, Title]:
    """What the status of records is called."""
    records = load_vocabulary(vocabulary).records
    return records.columns["status"].values if records else {}


def kinds_of_records() -> list[Vocabulary]:
    """The vocabularies that have records, of all packs that are installed."""
    found = {pack.vocabulary.id: pack.vocabulary for pack in installed_packs() if pack.vocabulary.records}
    return [*found.values()]


@contextmanager
def store_of(database: str | None) -> Iterator[Store]:
    """The store; what a case does not allow ends the command with a sentence."""
    with closing(open_store(database)) as store:
        try:
            yield store
        except (RecordError, UnknownError) as error:
            raise click.ClickException(str(error.told)) from None
