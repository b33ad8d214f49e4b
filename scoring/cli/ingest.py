"""``xinheng ingest``: files of offices into the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import click

from scoring.cli.options import database_option
from scoring.cli.output import Format, format_option, print_rows, progress
from scoring.ingest.files import QUARANTINE, FileReport, PathsReport, Progress, Reading, ingest_paths
from scoring.ingest.mapping import NO_MAPPING, Dataset, load_mapping
from scoring.store import open_store

COLUMNS = {
    "file": "文件 file",
    "dataset": "表 table",
    "rows": "行 rows",
    "new": "新增 new",
    "changed": "更正 changed",
    "unchanged": "未变 unchanged",
    "rejected": "隔离 quarantined",
    "warned": "提示 warnings",
}
DETAILS = ("quarantine", "warnings", "ignored", "absent")


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--vocabulary", default="enterprise", show_default=True, help="What the files speak of.")
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="A YAML file that says how the files differ."
)
@click.option("--table", type=click.Choice(["subject", "record"]), help="By default the headers decide.")
@click.option(
    "--quarantine",
    type=click.Path(path_type=Path, file_okay=False),
    default=QUARANTINE,
    show_default=True,
    help="The directory for files of rejected rows.",
)
@database_option
@format_option
def ingest_command(
    paths: tuple[Path, ...],
    vocabulary: str,
    mapping: Path | None,
    table: Dataset | None,
    quarantine: Path,
    database: str | None,
    fmt: Format,
) -> None:
    """Take CSV and XLSX files, or directories of them, into the store.

    Good rows are kept; a row with an error goes to a quarantine file that says what is wrong with it. The
    same file twice changes nothing.

    Example: xinheng ingest 企业.xlsx 行政处罚.csv --quarantine work/quarantine
    """
    reading = Reading(load_mapping(mapping) if mapping else NO_MAPPING, table, quarantine)
    with closing(open_store(database)) as store, ExitStack() as bars:
        report = ingest_paths(store, paths, vocabulary, reading, _bar(bars))
    _print(report, fmt)
    if report.failures:
        raise SystemExit(1)


def _bar(bars: ExitStack) -> Callable[[Path], Progress]:
    """One bar at a time: the next file's takes the place of the last one's."""

    def start(path: Path) -> Progress:
        bars.close()
        return bars.enter_context(progress(path.name))

    return start


def _print(report: PathsReport, fmt: Format) -> None:
    details = {} if fmt == "table" else {name: name for name in DETAILS}
    print_rows(map(_row, report.files), COLUMNS | details, fmt)
    for file in report.files:
        for note in _notes(file):
            click.echo(f"{file.file}: {note}", err=True)
    for path in report.skipped:
        click.echo(f"{path}: 不是表格文件,已略过 no table, skipped", err=True)
    for failure in report.failures:
        click.echo(f"Error: {failure}", err=True)


def _notes(file: FileReport) -> list[str]:
    """What people should know besides the numbers."""
    notes = []
    if not file.rows:
        notes.append("只有表头,没有数据 headers only, no rows")
    if file.ignored:
        notes.append(f"未识别的列 columns ignored: {'、'.join(file.ignored)}")
    if file.quarantine:
        notes.append(f"{file.rejected} 行已隔离 rows quarantined: {file.quarantine}")
    if file.warnings:
        notes.append(f"{file.warned} 行已入库但有疑点 rows taken with warnings: {file.warnings}")
    return notes


def _row(file: FileReport) -> dict[str, object]:
    return {name: getattr(file, name) for name in (*COLUMNS, *DETAILS)}
