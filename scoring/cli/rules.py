"""``xinheng rules``: the policy officer's tools."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

from rules.fault import Fault, PackError
from rules.library.loader import load_pack
from rules.library.references import named_pack, pack_files
from rules.model import Pack
from rules.plan import used_measures
from rules.titles import Title
from rules.tools.book import rule_book
from rules.tools.diff import FIELDS, PARTS, Change, compare
from rules.tools.documents import Grid, Heading, html, markdown
from rules.tools.exchange.examples import sheets
from rules.tools.layout import layout
from rules.tools.lint import Finding, Severity, lint_text, lint_versions
from rules.tools.lint.finding import LOAD, RIGHT, SEVERITIES
from scoring.answers.coverage import Covered, coverage
from scoring.answers.examples import ExampleResult, run_examples
from scoring.answers.trial_population import Source, open_population
from scoring.cli.language import in_language
from scoring.cli.options import as_of_option, database_option, known_by
from scoring.cli.output import (
    Format,
    NewFile,
    Titles,
    format_option,
    how_many,
    listing_options,
    print_rows,
    progress,
    tell,
    write_whole,
)

FINDINGS = {
    "severity": "级别 severity",
    "place": "位置 place",
    "check": "检查 check",
    "subject": "对象 subject",
    "message": "说明 message",
    "example": "示例 example",
}
RESULTS = {
    "place": "位置 place",
    "pack": "评价规则 pack",
    "rule": "规则 rule",
    "as_of": "评价基准日 as of",
    "passed": "通过 passed",
    "expected": "应为 expected",
    "got": "实为 got",
}
COVERED = {
    "pack": "评价规则 pack",
    "rule": "规则 rule",
    "title": "名称 title",
    "hit_by": "示例适用 examples hit",
    "passed_by": "示例未适用 examples missed",
    "subjects": "主体数 subjects",
    "hits": "适用次数 hits",
    "missing": "从未触及 never reached by",
}
CHANGES = {
    "part": "部分 part",
    "id": "编号 id",
    "title": "名称 title",
    "field": "内容 field",
    "before": "修改前 before",
    "after": "修改后 after",
}
CHANGE_TITLES: Titles = {"part": PARTS, "field": FIELDS}
packs_argument = click.argument("packs", nargs=-1)


@click.group("rules")
def rules_group() -> None:
    """Check, test, compare and print packs of rules; make a draft law by two persons.

    PACKS are files, folders, ids of installed packs, or id@version; by default all that are installed.
    """


@rules_group.command("lint")
@packs_argument
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option(
    "--least",
    type=click.Choice([str(severity) for severity in Severity]),
    default="notice",
    show_default=True,
    help="The least severity to show.",
)
@format_option
def lint_command(packs: tuple[str, ...], strict: bool, least: str, fmt: Format) -> None:
    """Find what is allowed in a pack but can hardly be meant.

    Example: xinheng rules lint my.yaml --strict
    """
    findings = _lint(pack_files(packs))
    order = list(Severity)
    shown = [f for f in findings if order.index(f.severity) <= order.index(Severity(least))]
    if fmt == "table":
        for finding in shown:
            tell(in_language(finding.title), err=False)
        counts = Counter(finding.severity for finding in findings)
        zh = "、".join(f"{SEVERITIES[s]}{counts[s]}个" for s in Severity)
        tell(in_language(Title(zh, ", ".join(how_many(counts[s], s) for s in Severity))))
    else:
        print_rows(({**row_of(f, FINDINGS), "place": str(f.place)} for f in shown), FINDINGS, fmt)
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    _exit(any(finding.severity in failing for finding in findings))


def _lint(paths: Sequence[Path]) -> list[Finding]:
    findings: list[Finding] = []
    loaded: list[Pack] = []
    for path in paths:
        try:
            loaded.append(load_pack(path))
            findings += lint_text(path.read_bytes().decode("utf-8-sig"), str(path))
        except PackError as error:
            findings += [_unloadable(fault) for fault in error.faults]
    return findings + lint_versions(loaded)


def _unloadable(fault: Fault) -> Finding:
    message = f"{fault.message}{RIGHT}{fault.hint}" if fault.hint else fault.message
    return Finding(fault.place, Severity.ERROR, LOAD, fault.field, message, fault.text)


@rules_group.command("test")
@packs_argument
@click.option(
    "--xlsx",
    type=NewFile(".xlsx"),
    help="Write the examples of one pack to this workbook: given, expected, got.",
)
@format_option
def test_command(packs: tuple[str, ...], xlsx: Path | None, fmt: Format) -> None:
    """Run the examples of packs through the engine; the exit code is 1 where one fails.

    Example: xinheng rules test enterprise-credit
    """
    files = pack_files(packs)
    if xlsx is not None and len(files) != 1:
        raise click.UsageError("--xlsx须指明一个评价规则 --xlsx goes with one pack")
    results = list(_results(files))
    if xlsx is not None:
        _write_examples(load_pack(files[0]), [result for _, result in results], xlsx)
    failed = [result for _, result in results if not result.passed]
    if fmt == "table":
        for result in failed:
            about = result.owner or "pack"
            tell(f"{result.place}: {about}: expected {result.expected.en}; got {result.got.en}", err=False)
        tell(f"{how_many(len(results), 'example')}, {len(failed)} failed")
    else:
        print_rows((_result(pack, result) for pack, result in results), RESULTS, fmt)
    _exit(bool(failed))


def _results(paths: Sequence[Path]) -> Iterator[tuple[Pack, ExampleResult]]:
    with progress("rules test") as advance:
        for number, path in enumerate(paths):
            pack = load_pack(path)
            yield from ((pack, result) for result in run_examples(pack))
            advance(number + 1, len(paths))


def _write_examples(pack: Pack, results: Sequence[ExampleResult], path: Path) -> None:
    from openpyxl import Workbook  # with what writes to it: a tenth of a second

    from scoring.characters.spreadsheets import append_row

    book = Workbook()
    book.remove(book.worksheets[0])
    told = ((r.owner, r.example, r.got.en, r.passed) for r in results)
    for name, rows in sheets(pack, told).items():
        sheet = book.create_sheet(name)
        for row in rows:
            append_row(sheet, row)
    book.save(path)
    tell(f"written: {path}")


def _result(pack: Pack, result: ExampleResult) -> dict[str, Any]:
    return {
        **row_of(result, RESULTS),
        "expected": result.expected.en,
        "got": result.got.en,
        "pack": pack.id,
        "rule": result.owner,
        "as_of": str(result.as_of),
        "place": str(result.place),
    }


@rules_group.command("coverage")
@packs_argument
@click.option("--population", is_flag=True, help="Look at the store's subjects too.")
@click.option("--subjects", type=click.Path(path_type=Path), help="Look at the subjects of this file too.")
@click.option("--records", type=click.Path(path_type=Path), help="The records about them.")
@click.option("--missing", is_flag=True, help="Show what is never reached, and nothing else.")
@as_of_option
@database_option
@listing_options
def coverage_command(
    packs: tuple[str, ...],
    population: bool,
    subjects: Path | None,
    records: Path | None,
    missing: bool,
    as_of: dt.date,
    database: str | None,
    fmt: Format,
) -> None:
    """Show which rules and table rows the examples, and a population, never reach.

    Example: xinheng rules coverage enterprise-credit --population --missing
    """
    if records is not None and subjects is None:
        raise click.UsageError("--records须与--subjects同用 --records go with --subjects")
    source = Source(database, subjects, records) if population or database or subjects else None
    rows = [row for path in pack_files(packs) for row in _covered(load_pack(path), source, as_of)]
    print_rows((row for row in rows if row["missing"] or not missing), COVERED, fmt)


def _covered(pack: Pack, source: Source | None, as_of: dt.date) -> list[dict[str, Any]]:
    if source is None:
        return [_cover(pack, covered) for covered in coverage(pack)]
    with open_population(source, pack.vocabulary) as connection:
        return [_cover(pack, covered) for covered in coverage(pack, connection, as_of)]


def _cover(pack: Pack, covered: Covered) -> dict[str, Any]:
    return {
        **row_of(covered, COVERED),
        "pack": pack.id,
        "title": str(covered.title),
        "missing": ", ".join(covered.missing),
    }


@rules_group.command("diff")
@click.argument("before")
@click.argument("after")
@as_of_option
@database_option
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
    help="How the changes are printed.",
)
def diff_command(
    before: str,
    after: str,
    as_of: dt.date,
    database: str | None,
    fmt: Literal["table", "json", "csv", "markdown"],
) -> None:
    """Show what changed from one pack to another, in words and in points.

    BEFORE and AFTER are files, ids (the version in force) or id@version.

    Example: xinheng rules diff enterprise-credit@2026.1 draft.yaml --format markdown
    """
    known = partial(known_by, database)
    old, new = named_pack(before, as_of, known), named_pack(after, as_of, known)
    changes = compare(old, new)
    if fmt == "markdown":
        click.echo(_changes_document(old, new, changes), nl=False)
    else:
        print_rows((row_of(change, CHANGES) for change in changes), CHANGES, fmt, CHANGE_TITLES)


def _changes_document(old: Pack, new: Pack, changes: Sequence[Change]) -> str:
    rows = tuple(tuple(str(getattr(change, name)) for name in CHANGES) for change in changes)
    heading = Heading(1, f"{new.title}: {old.id} {old.version} → {new.id} {new.version}")
    return markdown([heading, Grid(tuple(CHANGES.values()), rows)])


@rules_group.command("docs")
@click.argument("pack")
@click.option(
    "--form",
    type=click.Choice(["markdown", "html"]),
    help="By default HTML for an --out that ends so, else Markdown.",
)
@click.option("--out", type=NewFile(".md", ".html", ".htm"), help="Write to this file.")
@click.option("--dimension", "only", help="The rules of this dimension alone, such as negative-list.")
@as_of_option
@database_option
def docs_command(
    pack: str, form: str | None, out: Path | None, only: str | None, as_of: dt.date, database: str | None
) -> None:
    """Print a pack as a rule book, Chinese with English beside.

    Example: xinheng rules docs enterprise-credit --out rules.html
    """
    found = named_pack(pack, as_of, partial(known_by, database))
    if only is not None:
        found = _dimension_of(found, only)
    blocks = rule_book(found)
    as_html = form == "html" or (form is None and out is not None and out.suffix in (".html", ".htm"))
    text = html(str(found.title), blocks) if as_html else markdown(blocks)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, text)
        tell(f"written: {out}")


def _dimension_of(pack: Pack, dimension: str) -> Pack:
    known = [d.id for d in pack.dimensions]
    if dimension not in known:
        raise click.UsageError(
            f"没有这个维度 {pack.id} has no dimension {dimension}; it has {', '.join(known)}"
        )
    rules = tuple(rule for rule in pack.rules if rule.dimension == dimension)
    return replace(
        pack,
        dimensions=tuple(d for d in pack.dimensions if d.id == dimension),
        measures=used_measures(pack, rules),
        rules=rules,
    )


@rules_group.command("fmt")
@packs_argument
@click.option("--check", is_flag=True, help="Change nothing; the exit code is 1 where a file would change.")
def fmt_command(packs: tuple[str, ...], check: bool) -> None:
    """Put packs into their one layout: order of keys, indentation, spacing. Comments stay.

    Example: xinheng rules fmt my.yaml --check
    """
    changed = [path for path in pack_files(packs) if _laid_out(path, check)]
    for path in changed:
        tell(f"{'would change' if check else 'changed'}: {path}", err=False)
    _exit(check and bool(changed))


def _laid_out(path: Path, check: bool) -> bool:
    """Whether the file's text is not in the one layout yet; puts it there unless ``check``."""
    text = path.read_bytes().decode("utf-8")
    result = layout(text, str(path))
    if result != text and not check:
        write_whole(path, result)
    return result != text


def row_of(entry: object, columns: dict[str, str]) -> dict[str, Any]:
    """A row of a listing."""
    return {name: getattr(entry, name, None) for name in columns}


def _exit(failed: bool) -> None:
    if failed:
        raise SystemExit(1)
