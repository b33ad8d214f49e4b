"""``xinheng alerts``: what records mean together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial

import click

from rules.calendar import add_days, today
from rules.library.loader import ruling_among
from rules.model import Title
from rules.titles import halves
from scoring.cli.cases import holders
from scoring.cli.options import NUMBER, Day, database_option, operator, pack_of
from scoring.cli.output import Format, Titles, limit_option, listing_options, print_rows, progress, tell
from scoring.facts.ingest.keys import ENTERPRISES, subject_key
from scoring.live.alerts import (
    STATES,
    Alert,
    AlertsRefusedError,
    UnknownAlertError,
    Wanted,
    acknowledge,
    assign,
    list_alerts,
)
from scoring.live.growing import HISTORY
from scoring.live.scan_jobs import NAMED, packs_with_alerts
from scoring.live.scanning import HISTORY_DAYS, Scan, rescan
from scoring.runs.leases import problem_of
from scoring.store import Store, open_store
from scoring.store.rulebook import known_packs

COLUMNS = {
    "id": "编号 no.",
    "alert": "预警 alert",
    "title": "名称 title",
    "subject_id": "主体 subject",
    "town": "乡镇街道 town",
    "records": "记录 records",
    "last_on": "最近记录 last record",
    "state": "状态 state",
    "raised_at": "产生 raised",
    "follows": "接续 follows",
    "assigned_to": "经办人 assigned to",
    "acknowledged_by": "确认人 acknowledged by",
    "note": "说明 note",
}

TITLES: Titles = {
    "state": STATES,
    "acknowledged_by": {HISTORY: Title("系统（往期情形）", "the system (history)")},
}


@click.group("alerts")
def alerts_group() -> None:
    """Patterns of several records: list them, assign and acknowledge them, look for them anew."""


@alerts_group.command("list")
@click.option(
    "--state", type=click.Choice(["open", "acknowledged", "withdrawn"]), help="By default those that stand."
)
@click.option("--subject", "subject_id", help="Of this subject alone.")
@click.option("--alert", help="Of the pattern of this id alone, such as alert.three-complaints.")
@click.option("--town", help="Of subjects of this town alone.")
@click.option("--since", type=Day(), help="Whose last record is of this day or after it.")
@click.option("--until", type=Day(), help="Whose last record is of this day or before it.")
@click.option("--assigned-to", help="Of this person alone.")
@click.option("--unassigned", is_flag=True, help="Of nobody yet.")
@limit_option()
@database_option
@listing_options
def list_command(
    state: str | None,
    subject_id: str | None,
    alert: str | None,
    town: str | None,
    since: dt.date | None,
    until: dt.date | None,
    assigned_to: str | None,
    unassigned: bool,
    limit: int,
    database: str | None,
    fmt: Format,
) -> None:
    """List alerts, the newest first.

    Example: xinheng alerts list --state open --town 云衡街道 --format csv
    """
    if unassigned and assigned_to:
        raise click.UsageError("--assigned-to与--unassigned只能用一个 give one of the two")
    wanted = Wanted(
        subject_id=subject_id and subject_key(ENTERPRISES, subject_id),
        alert=alert,
        town=town,
        since=since,
        until=until,
        assigned_to="" if unassigned else assigned_to,
        state=state,  # type: ignore[arg-type]  # one of the choices
    )
    with _store(database) as store:
        found = list_alerts(store, wanted, limit=limit)
        titles = _titles(store)
        by = holders(store, [alert.acknowledged_by for alert in found])
    named = {**TITLES, "acknowledged_by": {**TITLES["acknowledged_by"], **by}}
    print_rows((_row(alert, titles) for alert in found), COLUMNS, fmt, named)


@alerts_group.command("acknowledge")
@click.argument("numbers", type=NUMBER, nargs=-1, required=True)
@click.option("--note", help="What was found or done.")
@database_option
def acknowledge_command(numbers: Sequence[int], note: str | None, database: str | None) -> None:
    """Note that the alerts of NUMBERS have been seen: all of them, or none where one is not known.

    Example: xinheng alerts acknowledge 17 18 --note 已约谈
    """
    with _store(database) as store:
        for alert in acknowledge(store, dict.fromkeys(numbers), operator(), note):
            tell(f"{alert.id}: 已确认 acknowledged by {alert.acknowledged_by}", err=False)


@alerts_group.command("assign")
@click.argument("numbers", type=NUMBER, nargs=-1, required=True)
@click.option("--to", help="The owner of a regulator's key.")
@click.option("--to-nobody", is_flag=True, help="They are nobody's any more.")
@database_option
def assign_command(numbers: Sequence[int], to: str | None, to_nobody: bool, database: str | None) -> None:
    """Give the open alerts of NUMBERS to a person: all of them, or none where one is not open.

    Example: xinheng alerts assign 17 18 --to 王主任
    """
    if to_nobody == bool(to):
        raise click.UsageError("请用--to写明经办人,或用--to-nobody取消分派 say to whom, or --to-nobody")
    with _store(database) as store:
        for alert in assign(store, dict.fromkeys(numbers), to, operator()):
            said = f"已分派给{to} assigned to {to}" if to else "已取消分派 assigned to nobody"
            tell(f"{alert.id}: {said}", err=False)


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

    A scan that was stopped goes on where it ended.

    Example: xinheng ingest work/district/enterprise && xinheng alerts rescan
    """
    day = today()
    failed, past = False, add_days(day, -history_days)
    with _store(database) as store:
        packs = [pack_of(name, day, partial(known_packs, store))] if name else packs_with_alerts(store, day)
        for pack in packs:
            try:
                with progress(str(pack.title)) as advance:
                    done = rescan(store, pack, everybody, advance, past)
            except Exception as error:  # one pack that fails does not stop the others
                failed = True
                tell(f"{pack.title}: 复核失败 could not be judged: {problem_of(error)}")
            else:
                tell(f"{pack.title}: {scanned(done)}", err=False)
                if done.failed:
                    failed = True
                    named = map(str, map(halves, done.failed[:NAMED]))
                    shown = ", ".join(named) + ("…" if done.failed[NAMED:] else "")
                    said = f"{len(done.failed):,} 个主体未能复核 could not be judged"
                    tell(f"{pack.title}: {said}: {shown}")
    if failed:
        raise click.exceptions.Exit(1)


def scanned(done: Scan) -> str:
    """What a scan did, in a line."""
    judged = f"{done.subjects:,} 个主体已复核 subjects judged, {done.raised:,} 条新预警 new alerts"
    for number, said in (
        (done.grown, "条增加记录 alerts grew"),
        (done.history, "条属往期 older ones are history"),
        (done.before, "个主体上次已复核 subjects were judged before the scan was stopped"),
    ):
        judged += f", {number:,} {said}" if number else ""
    return judged


def _row(alert: Alert, titles: Mapping[str, Title]) -> dict[str, object]:
    """A row of the list; of a pattern that no pack has any more the id is its title."""
    title = titles.get(alert.alert, alert.alert)
    return {"title": str(title)} | {name: getattr(alert, name) for name in COLUMNS if name != "title"}


def _titles(store: Store) -> dict[str, Title]:
    """What patterns are called; by packs in force before others."""
    known = known_packs(store)
    packs = (*known, *ruling_among(known, today()))
    return {pattern.id: pattern.title for pack in packs for pattern in pack.alerts}


@contextmanager
def _store(database: str | None) -> Iterator[Store]:
    with closing(open_store(database)) as store:
        try:
            yield store
        except (UnknownAlertError, AlertsRefusedError) as error:
            raise click.ClickException(str(error.told)) from None
