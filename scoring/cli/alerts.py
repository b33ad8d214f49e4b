"""``xinheng alerts``: what records mean together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from rules.calendar import add_days, today
from rules.library.loader import ruling_packs
from scoring.cli.options import NUMBER, database_option, operator, pack_of
from scoring.cli.output import Format, listing_options, print_rows, progress, tell
from scoring.facts.ingest.keys import ENTERPRISES, subject_key
from scoring.live.alerts import Alert, UnknownAlertError, acknowledge, list_alerts
from scoring.live.events import Scan, rescan
from scoring.store import Store, open_store

HISTORY_DAYS = 180
"""Own choice: half a year after its last record nobody opens a case for an alert that was not seen then."""

COLUMNS = {
    "id": "编号 no.",
    "alert": "预警 alert",
    "subject_id": "主体 subject",
    "records": "记录 records",
    "state": "状态 state",
    "raised_at": "产生 raised",
    "acknowledged_by": "确认人 acknowledged by",
    "note": "说明 note",
}


@click.group("alerts")
def alerts_group() -> None:
    """Patterns of several records: list them, acknowledge them, look for them anew."""


@alerts_group.command("list")
@click.option(
    "--state", type=click.Choice(["open", "acknowledged", "withdrawn"]), help="By default those that stand."
)
@click.option("--subject", "subject_id", help="Of this subject alone.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many."
)
@database_option
@listing_options
def list_command(
    state: str | None, subject_id: str | None, limit: int, database: str | None, fmt: Format
) -> None:
    """List alerts, the newest first.

    Example: xinheng alerts list --state open --format csv
    """
    with _store(database) as store:
        wanted = subject_id and subject_key(ENTERPRISES, subject_id)
        found = list_alerts(store, state=state, subject_id=wanted, limit=limit)  # type: ignore[arg-type]
    print_rows(map(_row, found), COLUMNS, fmt)


@alerts_group.command("acknowledge")
@click.argument("number", type=NUMBER)
@click.option("--note", help="What was found or done.")
@database_option
def acknowledge_command(number: int, note: str | None, database: str | None) -> None:
    """Note that the alert of NUMBER has been seen.

    Example: xinheng alerts acknowledge 17 --note 已约谈
    """
    with _store(database) as store:
        alert = acknowledge(store, number, operator(), note)
    tell(f"{alert.id}: 已确认 acknowledged by {alert.acknowledged_by}", err=False)


@alerts_group.command("rescan")
@click.option(
    "--pack", "name", help="A pack's id, or its file; by default every pack in force that has alerts."
)
@click.option(
    "--all", "everybody", is_flag=True, help="All subjects, not just those changed since the last scan."
)
@click.option(
    "--history-days",
    default=HISTORY_DAYS,
    show_default=True,
    type=click.IntRange(1, 36_500),
    help="A new alert whose last record is older is history, and not opened.",
)
@database_option
def rescan_command(name: str | None, everybody: bool, history_days: int, database: str | None) -> None:
    """Judge subjects anew: after files were taken in, or a pack was changed.

    Example: xinheng ingest work/district/enterprise && xinheng alerts rescan
    """
    day = today()
    packs = [pack_of(name, day)] if name else [p for p in ruling_packs(day) if p.alerts]
    failed, past = False, add_days(day, -history_days)
    with _store(database) as store:
        for pack in packs:
            try:
                with progress(str(pack.title)) as advance:
                    done = rescan(store, pack, everybody, advance, past)
            except Exception as error:  # one pack that fails does not stop the others
                failed = True
                tell(f"{pack.title}: 复核失败 could not be judged: {error}")
            else:
                tell(f"{pack.title}: {_scanned(done)}", err=False)
    if failed:
        raise click.exceptions.Exit(1)


def _scanned(done: Scan) -> str:
    judged = f"{done.subjects:,} 个主体已复核 subjects judged, {done.raised:,} 条新预警 new alerts"
    return judged + (f", {done.history:,} 条属往期 older ones are history" if done.history else "")


def _row(alert: Alert) -> dict[str, object]:
    return {name: getattr(alert, name) for name in COLUMNS}


@contextmanager
def _store(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except UnknownAlertError as error:
            raise click.ClickException(str(error.told)) from None
