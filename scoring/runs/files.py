"""Scoring from file to file: CSV, XLSX or Parquet in, CSV or Parquet out, no database.

A file is read as ``xinheng ingest`` reads it. A row with a value that its column can't hold exactly is set
aside with the reason; the rest is graded.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from rules.fault import UnknownPackError
from rules.identity import identity
from rules.language.expressions import literal
from rules.library.loader import in_force
from rules.model import Pack, Table, Title, Vocabulary
from rules.plan import rows_in_force
from scoring.characters.formulas import inert_sql
from scoring.characters.visible import one_line
from scoring.facts.ingest.cells import JsonValue
from scoring.facts.ingest.choice import check_file
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.files import blocks_of, key_headers
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING, Dataset
from scoring.facts.ingest.rows import Block, faults_of
from scoring.judging.engine import grade
from scoring.judging.reasons import MOST_REASONS, owners_of
from scoring.judging.sql import quoted, sql_type
from scoring.runs.file_error import ANOTHER_OUT, FileError, no_parquet, no_records, not_read, not_written
from scoring.runs.parquet import OPEN_FILES, open_parquet, parquet_layout
from scoring.store.scratch import own_directory
from scoring.store.workspace import workspace

WRITERS = {".csv": "(format csv, header)", ".parquet": "(format parquet)"}


@dataclass(frozen=True, slots=True)
class FileRun:
    """What a run from file to file did.

    :param orphans: records of subjects that the file of subjects does not have; they count for nobody.
    :param tiers: tier → how many subjects have it.
    :param rejected: how many values were set aside, with their rows.
    :param ignored: what was passed over: sheets that are no tables or are hidden, and columns that the
        vocabulary has not, with their file.
    :param written: the files written.
    """

    pack: Pack
    pack_hash: str
    as_of: dt.date
    subjects: int
    records: int
    orphans: int
    hits: int
    tiers: dict[str, int]
    rejected: int
    ignored: tuple[str, ...]
    written: tuple[Path, ...]


def score_files(
    pack: Pack,
    as_of: dt.date,
    subjects: Path,
    records: Path | None,
    out: Path,
    memory_limit: str | None = None,
) -> FileRun:
    """Grades the subjects of a file; writes scores, hits, dimension scores and measures: all files or none.

    :param out: the file of scores, ``.csv`` or ``.parquet``; the others go beside it, as ``NAME.hits.csv``,
        ``NAME.dimensions.csv`` and ``NAME.measures.csv``, and what was set aside as ``NAME.rejected.csv``.
        Points in the files are decimal points, not hundredths. ``unmatched`` of a score names the tables in
        force of which no row matched the subject. Of measures there is a column each, those that rules read.
    :param memory_limit: what DuckDB may use before it spills (:func:`scoring.store.workspace.workspace`).
    :raises UnknownPackError: where the pack is not in force on the day.
    :raises FileError: on a file that can't be read or written.
    :raises StoreError: where memory and disk do not suffice.

    >>> from pathlib import Path
    >>> from fixtures.small import AS_OF, small_files
    >>> from rules.library.loader import find_pack
    >>> register, records = small_files()
    >>> found = score_files(find_pack("tourism-credit", AS_OF), AS_OF, register, records, Path("scores.csv"))
    >>> lines = Path("scores.csv").read_text(encoding="utf-8-sig").splitlines()
    >>> [line.split(",")[:3] for line in lines[1:]]
    [['92500159MA4TP7FD8M', '79.50', 'B'], ['92500159MALQ20RD87', '67.00', 'C']]
    """
    require_in_force(pack, as_of)
    _check_out(out, subjects, records)
    with (
        workspace(memory_limit) as connection,
        opened_files(connection, pack.vocabulary, [subjects], [records] if records else []) as ignored,
    ):
        grade(connection, pack, as_of, records="records" if pack.vocabulary.records else None, measured=True)
        return summary_of(connection, pack, as_of, ignored, _write(connection, pack, as_of, out))


def require_in_force(pack: Pack, as_of: dt.date) -> None:
    """:raises UnknownPackError: where the pack is not in force on the day."""
    if not in_force(pack, as_of):
        span = f"from {pack.in_force_from} until {pack.in_force_until or 'further notice'}"
        en = f"{pack.id} {pack.version} is not in force on {as_of}: it is {span}"
        raise UnknownPackError(Title(f"{pack.id} {pack.version}在{as_of}不生效", en))


# Reading


@contextmanager
def opened_files(
    connection: duckdb.DuckDBPyConnection,
    vocabulary: Vocabulary,
    subjects: Sequence[Path],
    records: Sequence[Path],
    day: dt.date | None = None,
) -> Iterator[tuple[str, ...]]:
    """The views ``subjects`` and ``records``, which serve within the block, and the table ``rejected`` (file,
    sheet, row_no, column_name, value, reason).

    Headers and values are read as ``xinheng ingest`` reads them. Where a key stands in several rows, the
    first of the first file counts.

    :param records: none for a population without records, or one that has none yet.
    :param day: on which the files are read, for the check of dates ahead; by default today.
    :return: what was passed over, as :class:`FileRun` says it.
    :raises FileError: on a file that is missing, unreadable or without a column that is needed.
    """
    if vocabulary.records is None and records:
        raise no_records(records[0], vocabulary.id)
    make_rejected(connection)
    with ExitStack() as opened:
        ignored: tuple[str, ...] = ()
        given: dict[Dataset, Sequence[Path]] = {"subject": subjects}
        if vocabulary.records is not None:
            given["record"] = records
        for dataset, paths in given.items():
            rows, passed = rows_of(connection, vocabulary, dataset, paths, opened, day)
            make_view(connection, vocabulary, dataset, rows, paths)
            ignored += passed
        yield ignored


def make_rejected(connection: duckdb.DuckDBPyConnection) -> None:
    """An empty table of what is set aside."""
    connection.execute(
        "create or replace temp table rejected"
        " (file varchar, sheet varchar, row_no bigint, column_name varchar, value varchar, reason varchar)"
    )


def open_files(
    connection: duckdb.DuckDBPyConnection,
    vocabulary: Vocabulary,
    subjects: Path,
    records: Path | None,
    day: dt.date | None = None,
) -> tuple[str, ...]:
    """As :func:`opened_files`, with tables that last: for those who read them more than once."""
    with opened_files(connection, vocabulary, [subjects], [records] if records else [], day) as ignored:
        for name in ("subjects", "records") if vocabulary.records else ("subjects",):
            connection.execute(f"create temp table {name}_kept as from {name}")
            connection.execute(f"drop view {name}")
            connection.execute(f"alter table {name}_kept rename to {name}")
    return ignored


def rows_of(
    connection: duckdb.DuckDBPyConnection,
    vocabulary: Vocabulary,
    dataset: Dataset,
    paths: Sequence[Path],
    opened: ExitStack,
    day: dt.date | None = None,
) -> tuple[str, tuple[str, ...]]:
    """A query of the good rows of files, typed, with their places: ``_file`` (the number of the path),
    ``_block``, ``_sheet``, ``_row``. What is wrong with the others goes to ``rejected``.

    :param opened: holds the files open while the query serves.
    :return: and what was passed over, as :class:`FileRun` says it.
    """
    matcher = HeaderMatcher(vocabulary, NO_MAPPING, dataset)
    table = matcher.tables[dataset]
    queries, passed = [f"select {_nothing(table)} where false"], []
    for number, path in enumerate(paths):
        name = f"{dataset}_{number}"
        with _reading(path):
            if is_parquet(path):
                found = opened.enter_context(open_parquet(connection, matcher, path, name, day))
                _fill(connection, table, path, name, ((None, block) for block in found.others))
                queries.append(
                    f"select *, {number} as _file, 0 as _block, null as _sheet from ({found.good})"
                )
                ignored, notes = found.ignored, found.doubted
            else:
                if path.is_file():
                    check_file(vocabulary, path, dataset)
                with blocks_of(path, matcher, day) as (ignored, notes, blocks):
                    _fill(connection, table, path, name, blocks)
        queries.append(f"select *, {number} as _file from {name}")
        passed += [f"{path}: {one_line(note)}" for note in notes]
        if ignored:
            passed.append(f"{path}: {', '.join(ignored)}")
    return " union all by name ".join(queries), tuple(passed)


def _nothing(table: Table) -> str:
    kinds = {name: sql_type(column.type) for name, column in table.columns.items()} | _PLACE
    return ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in kinds.items())


def make_view(
    connection: duckdb.DuckDBPyConnection,
    vocabulary: Vocabulary,
    dataset: Dataset,
    rows: str,
    paths: Sequence[Path],
) -> None:
    """The view ``subjects`` or ``records`` of rows with their places, each key once: the first row of it. The
    other rows are set aside."""
    table = vocabulary.subject if dataset == "subject" else vocabulary.records
    assert table is not None
    key, name = quoted(table.key), f"{dataset}s"
    every, twice = f"{name}_all", f"{name}_twice"
    connection.execute(f"create temp view {every} as {rows}")
    connection.execute(
        f"create temp table {twice} as select distinct _h from"
        f" (select _h, lag(_h) over (order by _h) as _last from (select hash({key}) as _h from {every}))"
        " where _h = _last"
    )
    if _count(connection, twice):
        connection.execute(
            f"create or replace temp table {twice} as select {', '.join(_PLACE)}, {key} as key,"
            f" first_value(_file) over same as _first_file, first_value({_ROW_PLACE}) over same as _first"
            f" from {every} where hash({key}) in (select _h from {twice})"
            f" window same as (partition by {key} order by _file, _block, _row)"
            f" qualify row_number() over same > 1"
        )
        _set_aside_twice(connection, HeaderMatcher(vocabulary, NO_MAPPING, dataset), table, twice, paths)
        every += f" anti join {twice} using (_file, _block, _row)"
    listed = ", ".join(map(quoted, table.columns))
    connection.execute(f"create temp view {name} as select {listed} from {every}")


def _set_aside_twice(
    connection: duckdb.DuckDBPyConnection,
    matcher: HeaderMatcher,
    table: Table,
    twice: str,
    paths: Sequence[Path],
) -> None:
    """To ``rejected``, the rows whose key stands in an earlier one: under what header, and in which one."""
    numbers = [number for (number,) in connection.execute(f"select distinct _file from {twice}").fetchall()]
    headers = [
        (number, sheet, header)
        for number in numbers
        for sheet, header in _key_headers(connection, matcher, table, paths[number]).items()
    ]
    connection.execute("create or replace temp table headers (_file bigint, _sheet varchar, header varchar)")
    _append(connection, "headers", ("_file", "_sheet", "header"), list(zip(*headers, strict=True)))
    first = "case when _first_file = t._file then '' else names[_first_file + 1] || ' ' end || _first"
    zh, en = f"'编号与第 ' || {first} || ' 行相同'", f"' the same key as in row ' || {first}"
    connection.execute(
        f"insert into rejected select paths[t._file + 1], t._sheet, _row, header, key,"
        f" {zh} || '（每个编号一行）' || {en} || ' (one row a key)'"
        f" from (select *, ?::varchar[] as paths, ?::varchar[] as names from {twice}) t"
        f" left join headers h on h._file = t._file and h._sheet is not distinct from t._sheet",
        [list(map(str, paths)), [path.name for path in paths]],
    )


def _key_headers(
    connection: duckdb.DuckDBPyConnection, matcher: HeaderMatcher, table: Table, path: Path
) -> Mapping[str | None, str]:
    with _reading(path):
        if is_parquet(path):
            return {None: parquet_layout(connection, matcher, path).header(table.key)}
        return key_headers(path, matcher)


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    path: Path,
    name: str,
    blocks: Iterator[tuple[str | None, Block]],
) -> None:
    """The good rows to a new table, with their places; what is wrong with others to ``rejected``."""
    columns_of = f"select * exclude (_file) from (select {_nothing(table)}) where false"
    connection.execute(f"create or replace temp table {name} as {columns_of}")
    columns = [*table.columns, "_block", "_sheet", "_row"]
    numbered = ((number, sheet, block) for number, (sheet, block) in enumerate(blocks))
    while some := list(islice(numbered, _BLOCKS_AT_ONCE)):
        good = [[value for *_, block in some for value in _said(block, name)] for name in table.columns]
        places = (
            [number for number, _, block in some for _ in block.numbers],
            [sheet for _, sheet, block in some for _ in block.numbers],
            [row for *_, block in some for row in block.numbers],
        )
        _append(connection, name, columns, [*good, *places])
        bad = [
            (str(path), sheet, fault.row_no, fault.column, fault.value, fault.reason)
            for _, sheet, block in some
            for row in block.others
            for fault in faults_of(row)
        ]
        _append(connection, "rejected", _REJECTED, list(zip(*bad, strict=True)))


def _said(block: Block, name: str) -> Iterable[JsonValue]:
    """What the good rows say in a column; nothing where the file has it not."""
    return block.columns.get(name) or repeat(None, len(block.numbers))


_BLOCKS_AT_ONCE = 80
_PLACE = {"_file": "bigint", "_block": "bigint", "_sheet": "varchar", "_row": "bigint"}
_REJECTED = ("file", "sheet", "row_no", "column_name", "value", "reason")

_ROW_PLACE = "coalesce(_sheet || '!', '') || _row"
"""5, or 1月!5."""

_DAMAGE = (duckdb.InvalidInputException, duckdb.SerializationException, duckdb.IOException)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What keeps a file from being read, under the name by which it was given."""
    try:
        yield
    except FileError:
        raise
    except IngestError as error:
        raise FileError(path, error.reason, error.hint, error.option) from None
    except duckdb.Error as error:
        is_of_file = isinstance(error, _DAMAGE) or type(error) is duckdb.Error
        if not is_of_file or (isinstance(error, duckdb.IOException) and OPEN_FILES not in str(error)):
            raise
        raise no_parquet(path, reason_of(error)) from None
    except OSError as error:
        raise not_read(path, error.strerror) from None


def _append(
    connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    if columns and columns[-1]:
        connection.from_arrow(pa.table(list(map(pa.array, columns)), list(names))).insert_into(table)


def is_parquet(path: Path) -> bool:
    """Whether a file is one of Parquet, or is called so."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PAR1" or path.suffix.lower() == ".parquet"


# Writing


def _outputs(out: Path) -> dict[str, Path]:
    return {
        "scores": out,
        "hits": out.with_suffix(f".hits{out.suffix}"),
        "dimensions": out.with_suffix(f".dimensions{out.suffix}"),
        "measures": out.with_suffix(f".measures{out.suffix}"),
        "rejected": out.with_suffix(".rejected.csv"),
    }


def _check_out(out: Path, *inputs: Path | None) -> None:
    if out.suffix.lower() not in WRITERS:
        reason = Title("结果文件的类型不对", "results are not written so")
        raise FileError(
            out, reason, Title("文件名以.csv或.parquet结尾", "a name that ends with .csv or .parquet")
        )
    if not out.parent.is_dir():
        raise FileError(out, Title(f"没有目录{out.parent}", f"there is no folder {out.parent}"), *ANOTHER_OUT)
    taken = {path.resolve() for path in inputs if path is not None}
    for path in _outputs(out).values():
        if path.is_dir():
            raise FileError(
                path, Title("这是目录,结果须写入文件", "this is a folder; results need a file"), *ANOTHER_OUT
            )
        if path.resolve() in taken:
            reason = Title("结果会覆盖所评价的文件", "the results would overwrite what they are made from")
            raise FileError(path, reason, *ANOTHER_OUT)


def _write(connection: duckdb.DuckDBPyConnection, pack: Pack, as_of: dt.date, out: Path) -> tuple[Path, ...]:
    """Writes every file under another name, then gives all of them theirs; of a run that fails, none."""
    paths = _outputs(out)
    queries = {paths[name]: query for name, query in result_queries(connection, pack, as_of).items()}
    try:
        with own_directory(
            str(out.parent)
        ) as scratch:  # each of two runs writes its own, and puts all in place
            partial = {path: Path(scratch, path.name) for path in queries}
            for path, (query, order) in queries.items():
                shown = _inert(connection, query) if path.suffix.lower() == ".csv" else query
                copy_to(connection, f"{shown} order by {order}", path, partial[path])
            with _turn(out.parent):
                _put_in_place(partial, paths)
    except OSError as error:
        raise not_written(out, error.strerror) from None
    return tuple(queries)


def _put_in_place(partial: dict[Path, Path], paths: Mapping[str, Path]) -> None:
    """Those of the run before go first, and the scores come last: whoever is killed in between leaves files
    of one run alone, and scores only with all that belongs to them.
    """
    for path in paths.values():
        path.unlink(missing_ok=True)
    for path, whole in reversed(partial.items()):
        whole.replace(path)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Who puts files into a folder does so alone: those of one run stand there together."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def result_queries(
    connection: duckdb.DuckDBPyConnection, pack: Pack, as_of: dt.date
) -> dict[str, tuple[str, str]]:
    """What a run says, of the tables of :func:`grade` and what was set aside, if anything was: scores, hits,
    dimensions, measures, rejected → query and order."""
    _keep_owners(connection, pack, as_of)
    known = {name for name, *_ in connection.execute("describe measures").fetchall()}
    decided = [m.id for m in pack.measures if m.decision and m.id in known]
    scores = _in_points(_with_owners(rows_in_force(pack, as_of).values(), decided), "score")
    hits, dimensions = (
        _in_points(table, "points_before", "points") for table in ("hits", "dimension_scores")
    )
    queries = {
        "scores": (scores, "subject_id"),
        "hits": (hits, "subject_id, rule, record_id"),
        "dimensions": (dimensions, "subject_id, dimension"),
        "measures": ("from measures", "subject_id"),
    }
    if _count(connection, "rejected"):
        queries["rejected"] = ("from rejected", "file, sheet, row_no, column_name")
    return queries


def _inert(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query with texts that no spreadsheet runs."""
    columns = connection.execute(f"describe {query}").fetchall()
    texts = [quoted(name) for name, kind, *_ in columns if kind == "VARCHAR"]
    replaced = ", ".join(f"{inert_sql(name)} as {name}" for name in texts)
    return f"select * replace ({replaced}) from ({query})" if texts else query


def _keep_owners(connection: duckdb.DuckDBPyConnection, pack: Pack, as_of: dt.date) -> None:
    """The rules and tables in force that give points: ``place`` in the pack, and what is expected of them."""
    owners = enumerate(owners_of(pack, as_of).items())
    rows = [(rule.id, owner, place, rule.baseline or 0) for place, (owner, rules) in owners for rule in rules]
    names = ("rule", "owner", "place", "baseline")
    connection.execute(
        "create or replace temp table owners (rule varchar, owner varchar, place bigint, baseline bigint)"
    )
    _append(connection, "owners", names, list(zip(*rows, strict=True)))


def _with_owners(tables: Iterable[str], decided: Sequence[str]) -> str:
    """The scores with the tables of which no row matched the subject, and with the rules and tables that gave
    fewest points beside their baseline, the worst first: separated by spaces.

    :param tables: that give points.
    :param decided: measures that tables give.
    """
    listed = f"[{', '.join(map(literal, sorted({*tables, *decided})))}]::varchar[]"
    given = "".join(
        f" union all select subject_id, {literal(name)} from measures where {quoted(name)} is not null"
        for name in decided
    )
    matched = "select subject_id, owner from hits join owners using (rule)"
    matched += f" where list_contains({listed}, owner){given}"
    met = f"select subject_id, list(owner) as met from ({matched}) group by subject_id"
    points = (
        "select subject_id, place, sum(points) as points from ("
        "select subject_id, place, points from hits join owners using (rule) union all"
        " select subject_id, place, 0 from scores, (select distinct place from owners where baseline > 0)"
        ") group by subject_id, place"
    )
    worst_first = "(baseline - points) * (select count(*) from owners) - place"
    costs = (
        f"select subject_id, arg_max(owner, {worst_first}, {MOST_REASONS}) as costs"
        f" from ({points}) join (select distinct owner, place, baseline from owners) using (place)"
        " where points < baseline group by subject_id"
    )
    return (
        "(select s.*, array_to_string(list_filter("
        f"{listed}, lambda name: not list_contains(coalesce(met, []), name)), ' ') as unmatched,"
        f" coalesce(array_to_string(costs, ' '), '') as reasons from scores s"
        f" left join ({met}) using (subject_id) left join ({costs}) using (subject_id))"
    )


def _in_points(table: str, *columns: str) -> str:
    replaced = ", ".join(f"cast({name} as decimal(18, 0)) * 0.01 as {name}" for name in columns)
    return f"select * replace ({replaced}) from {table}"


def copy_to(connection: duckdb.DuckDBPyConnection, query: str, path: Path, partial: Path) -> None:
    """Write the rows of a query to a file that is called otherwise until it is whole."""
    try:
        target = literal(str(partial.absolute()))
        connection.execute(f"copy ({query}) to {target} {WRITERS[path.suffix.lower()]}")
    except duckdb.IOException as error:
        if partial.name not in str(error):
            raise
        raise not_written(path, reason_of(error)) from None


def summary_of(
    connection: duckdb.DuckDBPyConnection,
    pack: Pack,
    as_of: dt.date,
    ignored: tuple[str, ...],
    written: tuple[Path, ...],
) -> FileRun:
    """What a run did, of the tables of :func:`opened_files` and of :func:`grade`."""
    found = dict(connection.execute("select tier, count(*) from scores group by tier").fetchall())
    has_records = pack.vocabulary.records is not None
    return FileRun(
        pack=pack,
        pack_hash=identity(pack),
        as_of=as_of,
        subjects=_count(connection, "subjects"),
        records=_count(connection, "records") if has_records else 0,
        orphans=_count(connection, _orphans(pack.vocabulary)) if has_records else 0,
        hits=_count(connection, "hits"),
        tiers={tier: found.get(tier, 0) for tier in pack.tiers},
        rejected=_count(connection, "rejected"),
        ignored=ignored,
        written=written,
    )


def _orphans(vocabulary: Vocabulary) -> str:
    link, key = quoted(vocabulary.record_subject), quoted(vocabulary.subject.key)
    return f"records r anti join subjects s on r.{link} = s.{key}"


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"select count(*) from {source}").fetchone()
    return int(row[0]) if row else 0


def reason_of(error: Exception) -> str:
    """The system's reason at the end of DuckDB's sentence about a file, which may stand in JSON."""
    return str(error).splitlines()[0].partition('","errno"')[0].rpartition(": ")[2]
