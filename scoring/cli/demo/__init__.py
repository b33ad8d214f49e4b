"""``xinheng demo``: the sample district at work, from its files to grades and what people do with them."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from contextlib import closing
from pathlib import Path

import click
import sqlalchemy as sa

from fixtures.district import DIRTY_ROWS, write_district
from rules.calendar import add_days, today
from rules.library.loader import ruling_packs
from scoring.access.passes import VARIABLE
from scoring.answers.explain import explain
from scoring.cli.alerts import scanned
from scoring.cli.computed import compute_shown
from scoring.cli.demo.day import work_a_day
from scoring.cli.demo.people import People
from scoring.cli.demo.readers import door_lines, next_lines
from scoring.cli.explain import explanation_lines
from scoring.cli.output import print_rows, progress, tell
from scoring.cli.score import COLUMNS, grade_store, tier_rows
from scoring.facts.ingest.files import Reading, ingest_paths
from scoring.facts.undo import list_files
from scoring.live.scanning import HISTORY_DAYS, rescan
from scoring.runs.published import RunSummary, latest_run
from scoring.runs.results import tier_counts
from scoring.runs.said import said
from scoring.store import Store, create_store
from scoring.store.timelines import GradedSubject, Segment, Span

AS_OF = dt.date(2026, 7, 31)
A_MONTH_BEFORE = dt.date(2026, 6, 30)
"""Graded as well, for people to see what has moved since."""

SHOWN = "enterprise-credit"
HOST, PORTS = "127.0.0.1", range(8000, 8020)


@click.command("demo")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("work"),
    show_default=True,
    help="Where everything is written.",
)
@click.option(
    "--serve",
    is_flag=True,
    help="Then serve the API and the pages, and sign an invented person of each role in.",
)
@click.pass_context
def demo_command(context: click.Context, directory: Path, serve: bool) -> None:
    """Make the sample district, grade everybody, look for alerts, and have its offices work for a day.

    Its store is the file xinheng.db in the directory; no other one is touched. Called again, it goes on from
    what is there, and does nothing twice.

    Example: xinheng demo --directory work --serve
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = directory / "district"
    _refuse_foreign(directory / "xinheng.db", files)
    if not (files / DIRTY_ROWS).exists():
        tell(f"样例区(虚构) making the invented district: {files}")
        write_district(files)
    url = f"sqlite:///{directory / 'xinheng.db'}"
    with closing(create_store(url)) as store:
        _ingest(store, files, directory / "quarantine")
        _graded(store, A_MONTH_BEFORE)
        print_rows(_graded(store, AS_OF), COLUMNS, "table")
        _graded(store, today())  # as on every night: a lender relies on no grade of long ago
        _look_for_alerts(store)
        _explain_some(store)
        people = work_a_day(store, SHOWN, AS_OF, directory)
        compute_shown(store)
    tell("\n" + "\n".join(next_lines(url, people)), err=False)
    if serve:
        _serve(context, url, people)


def _refuse_foreign(database: Path, files: Path) -> None:
    """A store is the demo's where the invented district was written beside it, before it was made."""
    is_own = (files / DIRTY_ROWS).exists() and not database.is_symlink()
    if database.exists() and not is_own:
        raise click.ClickException(
            f"{database}不是样例数据库,请换一个目录 is no demo's store: name another directory by --directory"
        )


def _serve(context: click.Context, url: str, people: People) -> None:
    """Serve the store, with an address for each of the people that signs them in for some minutes."""
    from scoring.cli.serve import free_port, serve_command

    port = free_port(HOST, PORTS)
    if port != PORTS[0]:
        tell(f"端口{PORTS[0]}已被占用,改用{port} port {PORTS[0]} is taken: {port} is used")
    os.environ[VARIABLE] = secrets.token_urlsafe(32)
    lines = door_lines(f"http://{HOST}:{port}", os.environ[VARIABLE], people)
    tell("\n" + "\n".join(lines), err=False)
    context.invoke(serve_command, host=HOST, port=port, database=url)


def _ingest(store: Store, files: Path, quarantine: Path) -> None:
    """Takes in each folder of the district, named after its vocabulary, but none twice: what people did since
    is newer.
    """
    taken = {(file.vocabulary, file.name) for file in list_files(store)}
    for folder in sorted(path for path in files.iterdir() if path.is_dir()):
        names = [path.name for path in folder.iterdir()]
        if taken.issuperset((folder.name, name) for name in names):
            tell(f"{folder.name}: {len(names)} files, 已导入 taken in before")
            continue
        with progress(folder.name) as advance:
            report = ingest_paths(
                store, [folder], folder.name, Reading(quarantine=quarantine), lambda _: advance
            )
        new, changed, rejected = (
            sum(getattr(f, n) for f in report.files) for n in ("new", "changed", "rejected")
        )
        tell(
            f"{folder.name}: {len(report.files)} files, {new:,} new rows, {changed:,} corrected, "
            f"{rejected:,} quarantined in {quarantine}"
        )


def _graded(store: Store, as_of: dt.date) -> list[dict[str, object]]:
    """The tier tables of a day, by the runs that there are: what people do afterwards is for a later run."""
    rows = list[dict[str, object]]()
    for pack in ruling_packs(as_of):
        run = latest_run(store, pack.id, as_of)
        if run is None or run.as_of != as_of:
            rows += grade_store(store, pack.id, as_of)
            continue
        tell(f"{pack.title}: 已发布 already published as run {run.id}")
        rows += tier_rows(pack, as_of, tier_counts(store, run), run.id)
    return rows


def _look_for_alerts(store: Store) -> None:
    """What an event would have raised, had the records come one by one."""
    for pack in ruling_packs(AS_OF):
        if pack.alerts:
            with progress(str(pack.title)) as advance:
                done = rescan(store, pack, progress=advance, past=add_days(AS_OF, -HISTORY_DAYS))
            tell(f"{pack.title}: {scanned(done)}")


def _explain_some(store: Store) -> None:
    """Explains the best, one under a veto and the one whom most rules hit."""
    run = latest_run(store, SHOWN)
    for subject in _telling(store, run) if run else ():
        click.echo("")
        tell("\n".join(explanation_lines(explain(store, SHOWN, subject), brief=True)), err=False)


def _telling(store: Store, run: RunSummary) -> list[str]:
    subject, run_of = GradedSubject.subject_id, (run.pack_id, run.id, run.as_of)
    best = said(Segment, *run_of, subject).order_by(Segment.score.desc(), subject)
    vetoed = best.where(Segment.veto.is_not(None))
    hits = said(Span, *run_of, subject).where(Span.points < 0)
    busiest = hits.group_by(subject).order_by(sa.func.count().desc(), subject)
    with store.reading() as session:
        found = [session.scalar(query.limit(1)) for query in (best, vetoed, busiest)]
    return list(dict.fromkeys(subject for subject in found if subject is not None))
