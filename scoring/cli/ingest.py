"""``xinheng ingest``: files of offices into the store, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from rules.library.loader import load_vocabulary
from rules.titles import Title
from scoring.cli.options import NUMBER, database_option, operator
from scoring.cli.output import Format, limit_option, listing_options, print_rows, progress, tell
from scoring.facts.ingest.files import (
    QUARANTINE,
    FileReport,
    PathsReport,
    Progress,
    Reading,
    ingest_paths,
)
from scoring.facts.ingest.forms import form_names
from scoring.facts.ingest.headers import TITLES
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.ingest.mapping import NO_MAPPING, Dataset, load_mapping
from scoring.facts.ingest.quarantine import is_account
from scoring.facts.ingest.templates import write_named_template
from scoring.facts.merging import ColumnChanges
from scoring.facts.noted import Rejected
from scoring.facts.undo import File, list_files, undo_file
from scoring.facts.versions import Moved
from scoring.store import open_store

SHOWN = 20
COLUMNS = {
    "file": "文件 file",
    "dataset": "表 table",
    "rows": "行 rows",
    "new": "新增 new",
    "changed": "更正 changed",
    "unchanged": "未变 unchanged",
    "rejected": "隔离 quarantined",
    "warned": "提示 warnings",
    "held": "维持 held",
    "file_id": "文件号 file no.",
    "vocabulary": "词汇表 vocabulary",
}
FILES = {
    "id": "文件号 file no.",
    "name": "文件 file",
    "vocabulary": "词汇表 vocabulary",
    "table": "表 table",
    "rows_good": "入库 taken",
    "rows_bad": "隔离 quarantined",
    "ingested_at": "入库时间 taken at",
    "source": "来源 source",
    "undoes": "撤回 takes back",
    "undone_by": "被撤回 taken back by",
}
SOURCES = {
    "file": Title("文件", "file"),
    "api": Title("接口", "request"),
    "mark": Title("办理", "mark"),
    "program": Title("程序", "program"),
    "undo": Title("撤回", "undo"),
}
DETAILS = ("quarantine", "mend", "warnings", "ignored", "doubted", "absent", "sheets")


class _Ingest(click.Command):
    """Takes files, unless its first word is that of a command of its own; a file so called is ``./list``."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        own = {"list": list_command, "undo": undo_command}
        if args and args[0] in own:
            return own[args[0]].make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command("ingest", cls=_Ingest)
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
    "--replace", is_flag=True, help="An empty cell clears what is known; by default it says nothing."
)
@click.option("--check", is_flag=True, help="Say what each file would change, and change nothing.")
@click.option(
    "--template",
    type=click.Choice(["subject", "record", *form_names()]),
    help="Write an empty workbook to fill in to stdout: of a vocabulary's table (by default enterprise), or"
    " of an official form.",
)
@database_option
@listing_options
def ingest_command(
    paths: tuple[Path, ...],
    vocabulary: str | None,
    mapping: Path | None,
    table: Dataset | None,
    quarantine: Path,
    replace: bool,
    check: bool,
    template: str | None,
    database: str | None,
    fmt: Format,
) -> None:
    """Take CSV, XLSX and XLS files, or directories of them, into the store.

    Good rows are kept; a row with an error goes to a quarantine file that says what is wrong with it. Every
    visible sheet of a workbook that holds a table is read; the others are named. Of a directory hidden files
    and what xinheng wrote are passed over; one without a table is an error. A column that a file lacks, or an
    empty cell, leaves what is known. The status that an objection, a decision or a repair gave a record
    stands: see `xinheng records contradictions`. The same file twice changes nothing.

    `xinheng ingest list` lists the files that were taken; `xinheng ingest undo NUMBER` takes one back.

    Example: xinheng ingest 企业.xlsx 行政处罚.csv --quarantine work/quarantine
    """
    if template:
        _write_template(vocabulary, template)
        return
    if not paths:
        raise click.UsageError("请写明文件 no file was named; give one or more, or --template")
    how = load_mapping(mapping) if mapping else NO_MAPPING
    reading = Reading(how, table, quarantine, replace, check, operator())
    with closing(open_store(database)) as store, ExitStack() as bars:
        report = ingest_paths(store, paths, vocabulary, reading, _bar(bars))
    _print(report, fmt)
    if report.failures:
        raise SystemExit(1)


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Also requests, marks and what the program put down.")
@limit_option()
@database_option
@listing_options
def list_command(everything: bool, limit: int, database: str | None, fmt: Format) -> None:
    """List the files that were taken, the newest first, by the number that takes them back.

    Example: xinheng ingest list --format csv
    """
    with closing(open_store(database)) as store:
        files = list_files(store, everything, limit)
    print_rows(map(_file, files), FILES, fmt, {"table": TITLES, "source": SOURCES})


@click.command("undo")
@click.argument("number", type=NUMBER)
@click.option("--reason", required=True, help="Why; it stands in the audit log.")
@database_option
def undo_command(number: int, reason: str, database: str | None) -> None:
    """Take the file of NUMBER back: what was known before it is known again. Nothing is deleted.

    What was said later of a key stays, and is listed; so does a mark. Grades follow at the next run. The
    undoing has a number as well, and can be undone.

    Example: xinheng ingest undo 17 --reason "sent by mistake"
    """
    with closing(open_store(database)) as store:
        done = undo_file(store, number, operator())
    for key in done.left:
        tell(f"{key}: 此后另有变更,保持不变 changed later, stays as it is")
    if done.file_id is None:
        tell(
            f"{done.name}: 没有可撤回的内容 nothing to take back "
            "(已撤回,或后来的文件另有说法 taken back already, or said anew later: xinheng ingest list)",
            err=False,
        )
        return
    said = (
        f"{done.name}: 已撤回 taken back (文件号 file no. {done.file_id}): {done.restored} 项恢复 restored, "
        f"{done.ended} 项终止 ended, {len(done.left)} 项保持 left"
    )
    if done.contradictions:
        said += f", {done.contradictions} 项矛盾关闭或重开 contradictions closed or open again"
    tell(said, err=False)


def _write_template(vocabulary: str | None, name: str) -> None:
    if sys.stdout.isatty():
        raise click.UsageError(
            f"请存为文件 a workbook is no text; send it to a file: --template {name} > 模板.xlsx"
        )
    write_named_template(vocabulary or ENTERPRISES, name, sys.stdout.buffer)


def _bar(bars: ExitStack) -> Callable[[Path], Progress]:
    """One bar at a time: the next file's takes the place of the last one's."""

    def start(path: Path) -> Progress:
        bars.close()
        return bars.enter_context(progress(path.name))

    return start


def _print(report: PathsReport, fmt: Format) -> None:
    shown = DETAILS if fmt != "json" else (*DETAILS, "columns", "noted", "orphans", "moved")
    details = {} if fmt == "table" else {name: name for name in shown}
    print_rows(map(_row, report.files), COLUMNS | details, fmt, {"dataset": TITLES})
    for file in report.files:
        for note in _notes(file):
            tell(f"{file.file}: {note}")
    for path in report.skipped:
        tell(f"{path}: {_why_skipped(path)}")
    for failure in report.failures:
        tell(f"Error: {failure}")


def _why_skipped(path: Path) -> str:
    if is_account(path):
        return "信衡写出的文件,已略过,点名才导入 written by xinheng, skipped: name it to take it"
    return "不是表格文件,已略过 no table, skipped"


def _notes(file: FileReport) -> list[str]:
    """What people should know besides the numbers."""
    notes = []
    notes += [f"按“{form.zh}”表读取 read as a form: {form.en}" for form in file.forms]
    if any(sheet.state != "read" for sheet in file.sheets) or len(file.sheets) > 1:
        notes.append(f"工作表 sheets: {'; '.join(map(str, file.sheets))}")
    if not file.rows:
        notes.append("只有表头,没有数据 headers only, no rows")
    if file.ignored:
        notes.append(f"未识别的列 columns ignored: {'、'.join(file.ignored)}")
    notes += [f"表头有疑 header in doubt: {doubt}" for doubt in file.doubted]
    if file.quarantine:
        notes.append(f"{file.rejected} 行已隔离 rows quarantined: {file.quarantine}")
    if file.mend:
        notes.append(f"改好后可直接再次导入 mend and ingest again: {file.mend}")
    if file.warnings:
        notes.append(f"{file.warned} 行已入库但有疑点 rows taken with warnings: {file.warnings}")
    if file.orphans.codes:
        notes.append(_orphans(file))
    notes += map(_moved, file.moved)
    if file.held:
        notes.append(
            f"{file.held} 行的状态与本中心的决定不同,维持原决定 "
            "rows say another status than was decided here, which stands; what contradicts it: "
            "xinheng records contradictions"
        )
    if file.columns:
        notes.append("已知行的列 columns of known rows: " + "; ".join(map(_column, file.columns.items())))
    notes += [_place(note) for note in file.noted[:SHOWN]]
    if len(file.noted) > SHOWN:
        notes.append("……更多见 --format json more with --format json")
    if file.file_id is None:
        notes.append("仅检查,未入库 checked only, nothing was changed")
    return notes


def _orphans(file: FileReport) -> str:
    """Which codes no subject has, and what would be right."""
    orphans, title = file.orphans, load_vocabulary(file.vocabulary).title
    codes = "、".join(orphans.first) + ("…" if orphans.codes > len(orphans.first) else "")
    return (
        f"{orphans.records} 条记录的 {orphans.codes} 个代码查无此{title.zh},不计入任何主体的评价;"
        f"请核对代码,或导入主体 records of {orphans.codes} codes that no {title.en.lower()} has: they count"
        f" for nobody until the code is put right, or the subject is taken in: {codes}"
    )


def _moved(moved: Moved) -> str:
    """Whose records are whose from now on, and what to do where that is not meant."""
    return (
        f"{moved.records} 条{moved.before}的记录{moved.now.zh};不应变更的请更正文件,已入库的请撤回 "
        f"records of {moved.before} are {moved.now.en} by this file: put it right, or take it back, if that"
        " is not meant"
    )


def _place(note: Rejected) -> str:
    where = [note.sheet, f"第 {note.row_no} 行 row", note.column]
    return f"{', '.join(filter(None, where))}: {' '.join(filter(None, (note.value, note.reason)))}"


def _column(item: tuple[str, ColumnChanges]) -> str:
    name, changes = item
    told = [f"{_CHANGES[change]} {number}" for change, number in asdict(changes).items() if number]
    return f"{name} {' '.join(told)}"


_CHANGES = {"set": "补充 set", "changed": "更正 changed", "kept": "保留 kept", "cleared": "清除 cleared"}


def _row(file: FileReport) -> dict[str, object]:
    plain = {name: getattr(file, name) for name in (*COLUMNS, *DETAILS)}
    columns = {name: asdict(changes) for name, changes in file.columns.items()}
    more = {"columns": columns, "noted": [asdict(note) for note in file.noted]}
    moved = [asdict(one) for one in file.moved]
    return plain | more | {"orphans": asdict(file.orphans), "moved": moved}


def _file(file: File) -> dict[str, object]:
    return {name: getattr(file, name) for name in FILES}
