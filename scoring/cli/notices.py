"""``xinheng notices``: notices of an adverse change as pages for paper, a file each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import click

from scoring.answers.notices.compute import Notice, is_worse, notice_of_proposal, notice_of_run
from scoring.answers.notices.files import notice_html
from scoring.answers.search import run_before
from scoring.cli.options import NUMBER, database_option, operator
from scoring.cli.output import Format, listing_options, print_rows, write_whole
from scoring.runs.proposals import note_told
from scoring.runs.proposed import list_falls, show_proposal
from scoring.runs.published import get_run
from scoring.runs.results import moves
from scoring.store import Store, open_store
from scoring.store.packs import stored_pack

COLUMNS = {
    "subject_id": "主体 subject",
    "name": "名称 name",
    "tier_before": "原等级 tier before",
    "tier": "等级 tier",
    "file": "文件 file",
}


@click.command("notices")
@click.option("--proposal", type=NUMBER, help="Of those who would fall by this proposal.")
@click.option("--run", type=NUMBER, help="Of those who fell by this run since the one before.")
@click.option("--subject", help="Of this subject (its credit code) alone.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("notices"),
    show_default=True,
    help="The folder for the pages; it is made where there is none.",
)
@database_option
@listing_options
def notices_command(
    proposal: int | None, run: int | None, subject: str | None, out: Path, database: str | None, fmt: Format
) -> None:
    """Write the notice of each subject whose tier falls, by a proposal or a run, into a folder.

    One page of HTML each, to print or to send. Of a proposal it is noted who has been told.

    \b
    Examples:
      xinheng notices --proposal 3 --out notices/
      xinheng notices --run 8 --subject 91500000MA00000000
    """
    if (proposal is None) == (run is None):
        raise click.UsageError("--proposal与--run须选其一 give one of --proposal and --run")
    with closing(open_store(database)) as store:
        if proposal is not None:
            print_rows(_of_proposal(store, proposal, subject, out), COLUMNS, fmt)
        else:
            assert run is not None
            print_rows(_of_run(store, run, subject, out), COLUMNS, fmt)


def _of_proposal(store: Store, number: int, subject: str | None, out: Path) -> Iterator[dict[str, object]]:
    show_proposal(store, number)
    falls = [subject] if subject else [fall.subject_id for fall in list_falls(store, number)]
    for one in falls:
        notice = notice_of_proposal(store, number, one)
        yield _written(notice, out)
        note_told(store, number, notice.subject_id, operator())


def _of_run(store: Store, number: int, subject: str | None, out: Path) -> Iterator[dict[str, object]]:
    for one in [subject] if subject else _fallen(store, number):
        yield _written(notice_of_run(store, number, one), out)


def _fallen(store: Store, number: int) -> list[str]:
    """Whose tier fell by a run since the one before."""
    run = get_run(store, number)
    pack, before = stored_pack(store, run.pack_hash), run_before(store, run)
    found = [] if before is None else moves(store, before, run)
    return [move.subject_id for move in found if is_worse(pack, move.tier_before, move.tier)]


def _written(notice: Notice, out: Path) -> dict[str, object]:
    """Write a notice; its row of the listing."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{quote(notice.subject_id, safe='')}.html"
    write_whole(file, notice_html(notice))
    return {
        "subject_id": notice.subject_id,
        "name": notice.name,
        "tier_before": notice.before.tier,
        "tier": notice.now.tier,
        "file": str(file),
    }
