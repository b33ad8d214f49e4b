"""``xinheng demo``: the main job on the sample district, from its files to explained grades."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path

import click
import sqlalchemy as sa

from fixtures.district import write_district
from rules.calendar import add_days
from rules.library.loader import ruling_packs
from scoring.answers.explain import explain
from scoring.cli.alerts import scanned
from scoring.cli.explain import explanation_lines
from scoring.cli.output import print_rows, progress, tell
from scoring.cli.score import COLUMNS, grade_store
from scoring.facts.ingest.files import Reading, ingest_paths
from scoring.live.scanning import HISTORY_DAYS, rescan
from scoring.runs.published import RunSummary, latest_run
from scoring.runs.said import said
from scoring.store import Store, create_store
from scoring.store.timelines import GradedSubject, Segment, Span

AS_OF = dt.date(2026, 7, 31)
A_MONTH_BEFORE = dt.date(2026, 6, 30)
"""Graded as well, for people to see what has moved since."""

SHOWN = "enterprise-credit"


@click.command("demo")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("work"),
    show_default=True,
    help="Where everything is written.",
)
@click.option("--serve", is_flag=True, help="Then serve the API and the pages on 127.0.0.1:8000.")
@click.pass_context
def demo_command(context: click.Context, directory: Path, serve: bool) -> None:
    """Make the sample district, take its files in, grade everybody, look for alerts, explain some grades.

    Called again, it goes on from what is there.

    Example: xinheng demo --directory work
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = directory / "district"
    if not (files / "dirty-rows.json").exists():
        tell(f"样例区(虚构) making the invented district: {files}")
        write_district(files)
    url = f"sqlite:///{directory / 'xinheng.db'}"
    with closing(create_store(url)) as store:
        _ingest(store, files, directory / "quarantine")
        grade_store(store, None, A_MONTH_BEFORE)
        print_rows(grade_store(store, None, AS_OF), COLUMNS, "table")
        _look_for_alerts(store)
        subject = _explain_some(store)
    tell(
        f"\n下一步 next: export XINHENG_DATABASE_URL={url}; xinheng explain {subject}; xinheng report",
        err=False,
    )
    if serve:
        from scoring.cli.serve import serve_command

        context.invoke(serve_command, database=url)


def _ingest(store: Store, files: Path, quarantine: Path) -> None:
    """Each folder of the district is named after its vocabulary."""
    for folder in sorted(path for path in files.iterdir() if path.is_dir()):
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


def _look_for_alerts(store: Store) -> None:
    """What an event would have raised, had the records come one by one."""
    for pack in ruling_packs(AS_OF):
        if pack.alerts:
            with progress(str(pack.title)) as advance:
                done = rescan(store, pack, progress=advance, past=add_days(AS_OF, -HISTORY_DAYS))
            tell(f"{pack.title}: {scanned(done)}")


def _explain_some(store: Store) -> str:
    """Explains the best, one under a veto and the one whom most rules hit; that one's id."""
    run = latest_run(store, SHOWN)
    subject = ""
    for subject in _telling(store, run) if run else ():
        click.echo("")
        tell("\n".join(explanation_lines(explain(store, SHOWN, subject), brief=True)), err=False)
    return subject


def _telling(store: Store, run: RunSummary) -> list[str]:
    subject, run_of = GradedSubject.subject_id, (run.pack_id, run.id, run.as_of)
    best = said(Segment, *run_of, subject).order_by(Segment.score.desc(), subject)
    vetoed = best.where(Segment.veto.is_not(None))
    hits = said(Span, *run_of, subject).where(Span.points < 0)
    busiest = hits.group_by(subject).order_by(sa.func.count().desc(), subject)
    with store.reading() as session:
        found = [session.scalar(query.limit(1)) for query in (best, vetoed, busiest)]
    return list(dict.fromkeys(subject for subject in found if subject is not None))
