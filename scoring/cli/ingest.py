"""``xinheng ingest``: files of offices into the store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import click

from scoring.cli.options import database_option
from scoring.cli.output import Format, format_option, print_rows, progress
from scoring.ingest.files import (
    QUARANTINE,
    FileReport,
    PathsReport,
    Progress,
    Reading,
    ingest_paths,
    table_named,
)
from scoring.ingest.mapping import NO_MAPPING, Dataset, load_mapping
from scoring.ingest.workbooks import write_template
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
    "vocabulary": "词汇表 vocabulary",
}
DETAILS = ("quarantine", "mend", "warnings", "ignored", "absent")


@click.command("ingest")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--vocabulary", help="What the files speak of; by default their headers decide.")
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
@click.option(
    "--template",
    type=click.Choice(["subject", "record"]),
    help="Write an empty workbook of the vocabulary's table (by default enterprise) to fill in, to stdout.",
)
@database_option
@format_option
def ingest_command(
    paths: tuple[Path, ...],
    vocabulary: str | None,
    mapping: Path | None,
    table: Dataset | None,
    quarantine: Path,
    template: Dataset | None,
    database: str | None,
    fmt: Format,
) -> None:
    """Take CSV and XLSX files, or directories of them, into the store.

    Good rows are kept; a row with an error goes to a quarantine file that says what is wrong with it. The
    same file twice changes nothing.

    Example: xinheng ingest 企业.xlsx 行政处罚.csv --quarantine work/quarantine
    """
    if template:
        _write_template(vocabulary or "enterprise", template)
        return
    if not paths:
        raise click.UsageError("no file was named; give one or more, or --template")
    reading = Reading(load_mapping(mapping) if mapping else NO_MAPPING, table, quarantine)
    with closing(open_store(database)) as store, ExitStack() as bars:
        report = ingest_paths(store, paths, vocabulary, reading, _bar(bars))
    _print(report, fmt)
    if report.failures:
        raise SystemExit(1)


def _write_template(vocabulary: str, dataset: Dataset) -> None:
    if sys.stdout.isatty():
        raise click.UsageError(f"a workbook is no text; send it to a file: --template {dataset} > 模板.xlsx")
    write_template(table_named(vocabulary, dataset), sys.stdout.buffer)


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
    if file.mend:
        notes.append(f"改好后可直接再次导入 mend and ingest again: {file.mend}")
    if file.warnings:
        notes.append(f"{file.warned} 行已入库但有疑点 rows taken with warnings: {file.warnings}")
    return notes


def _row(file: FileReport) -> dict[str, object]:
    return {name: getattr(file, name) for name in (*COLUMNS, *DETAILS)}
