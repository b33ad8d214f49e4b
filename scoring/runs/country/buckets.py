"""A bucket: some subjects with all of their records, judged by themselves.

:func:`judge_bucket` needs nothing but the bucket and a folder for its results, so that it may run anywhere.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rules.language.expressions import literal
from rules.model import Pack, Vocabulary
from rules.plan import compile_plan
from scoring.facts.ingest.mapping import Dataset
from scoring.judging.coded import code_facts
from scoring.judging.engine import grade_coded
from scoring.judging.judge import counts_on, places_on
from scoring.judging.sql import quoted, sql_type
from scoring.runs.file_error import not_written
from scoring.runs.files import (
    FileRun,
    copy_to,
    make_rejected,
    make_view,
    opened_files,
    reason_of,
    result_queries,
    rows_of,
    summary_of,
)
from scoring.store.workspace import workspace

RESULTS = ("scores", "hits", "dimensions", "measures", "rejected")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the rows of a bucket are: in files of their own, or among the pieces that a run has made.

    :param name: stands in the names of the results' folders, ``bucket=NAME``.
    :param pieces: the folder that :func:`put_in_buckets` wrote to.
    :param sources: of pieces, the files of which they are made: dataset → paths.
    """

    name: str
    subjects: tuple[Path, ...] = ()
    records: tuple[Path, ...] = ()
    pieces: Path | None = None
    sources: tuple[tuple[Dataset, tuple[Path, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the places of the values are that measures rank: a file for those that put the same in order.

    :param measures: the first of each.
    """

    folder: Path
    measures: tuple[str, ...] = ()

    def path(self, measure: str) -> Path:
        """The file of a measure."""
        return self.folder / f"{measure}.parquet"

    @contextmanager
    def opened(self) -> Iterator[dict[str, str]]:
        """Measure → the relation of its places, which serves within the block."""
        if not self.measures:
            yield {}
            return
        with open_folder(self.folder) as folder:
            paths = {measure: f"{folder}/{self.path(measure).name}" for measure in self.measures}
            yield {
                measure: f"read_parquet('{path}', hive_partitioning = false)"
                for measure, path in paths.items()
            }


@contextmanager
def open_folder(path: Path) -> Iterator[str]:
    """A name of a folder that is taken for no pattern."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/dev/fd/{number}"
    finally:
        os.close(number)


def judge_bucket(
    pack: Pack,
    as_of: dt.date,
    bucket: Bucket,
    out: Path,
    orphans: Path,
    places: Places,
    memory: str | None = None,
    spill: Path | None = None,
    read_on: dt.date | None = None,
) -> FileRun:
    """Grades the subjects of a bucket, and writes ``OUT/scores/bucket=NAME/part.parquet``, likewise ``hits``
    and ``dimensions``, and ``rejected`` if anything was set aside. Results of an earlier try are replaced.

    :param orphans: the file of the subjects that records speak of and the bucket has not.
    :param places: of all that the pack ranks; what is not among them is ranked within the bucket.
    :param spill: where what does not fit into the memory goes.
    :param read_on: the day of the check of dates ahead; by default today.
    :raises FileError: on a file that can't be read or written.
    :raises StoreError: where memory and disk do not suffice.
    """
    with workspace(memory, spill) as duck, _opened(duck, pack.vocabulary, bucket, read_on) as ignored:
        code_facts(duck, pack.vocabulary)
        with places.opened() as known:
            grade_coded(duck, pack, as_of, places=known, measured=True)
        written = _write(duck, pack, as_of, bucket, out)
        if pack.vocabulary.records is not None:
            link, key = quoted(pack.vocabulary.record_subject), quoted(pack.vocabulary.subject.key)
            strange = f"records r anti join subjects s on r.{link} = s.{key}"
            _replace(duck, f"select distinct {link} as subject_id from {strange}", orphans)
        return summary_of(duck, pack, as_of, ignored, written)


def rank_bucket(
    pack: Pack,
    as_of: dt.date,
    bucket: Bucket,
    number: int,
    ranks: Path,
    places: Places,
    memory: str | None = None,
    spill: Path | None = None,
    read_on: dt.date | None = None,
) -> tuple[Path, ...]:
    """Writes how many of a bucket's subjects have each value that a measure ranks, and when that changes, as
    ``RANKS/MEASURE/NAME.parquet``.

    :param number: of the round (:func:`scoring.judging.judge.ranked_in_rounds`), from 0.
    :param places: those that the rounds before have found.
    :raises FileError: on a file that can't be read or written.
    :raises StoreError: where memory and disk do not suffice.
    """
    with workspace(memory, spill) as duck, _opened(duck, pack.vocabulary, bucket, read_on):
        code_facts(duck, pack.vocabulary)
        written = []
        with places.opened() as known, counts_on(duck, compile_plan(pack), as_of, number, known) as counts:
            for measure, query in counts.items():
                written.append(ranks / measure / f"{bucket.name}.parquet")
                _replace(duck, query, written[-1])
        return tuple(written)


def place_all(
    pack: Pack,
    as_of: dt.date,
    measure: str,
    ranks: Path,
    place: Path,
    memory: str | None = None,
    spill: Path | None = None,
) -> None:
    """Writes the place of each value among those of everybody, on each day on which one of them changes.

    :param measure: the first of those that put the same in order.
    :param ranks: the folder of what :func:`rank_bucket` has written of each bucket.
    :param place: the file to be written.
    :raises FileError: on a file that can't be written.
    :raises StoreError: where memory and disk do not suffice.
    """
    with workspace(memory, spill) as duck, open_folder(ranks) as folder:
        counts = f"(from read_parquet('{folder}/*.parquet', hive_partitioning = false))"
        _replace(duck, places_on(compile_plan(pack), as_of, measure, counts), place)


@contextmanager
def _opened(
    duck: duckdb.DuckDBPyConnection, vocabulary: Vocabulary, bucket: Bucket, read_on: dt.date | None
) -> Iterator[tuple[str, ...]]:
    if bucket.pieces is None:
        with opened_files(duck, vocabulary, bucket.subjects, bucket.records, read_on) as ignored:
            yield ignored
        return
    make_rejected(duck)
    with open_folder(bucket.pieces) as folder:
        for dataset, paths in bucket.sources:
            rows = _pieces(vocabulary, dataset, bucket.pieces, folder, bucket.name)
            make_view(duck, vocabulary, dataset, rows, paths)
        yield ()


def _pieces(vocabulary: Vocabulary, dataset: Dataset, pieces: Path, folder: str, name: str) -> str:
    """The rows of a bucket as they were put into it. The folder is open: its name is taken for no pattern."""
    within = f"{dataset}/bucket={name}"
    if any(Path(pieces, within).glob("*.parquet")):
        return f"from read_parquet('{folder}/{within}/*.parquet', hive_partitioning = false)"
    table = vocabulary.subject if dataset == "subject" else vocabulary.records
    assert table is not None
    kinds = {n: sql_type(c.type) for n, c in table.columns.items()} | {"_sheet": "varchar"}
    kinds |= dict.fromkeys(("_file", "_block", "_row"), "bigint")
    return (
        f"select {', '.join(f'cast(null as {kind}) as {quoted(n)}' for n, kind in kinds.items())} where false"
    )


def pieces_of(pieces: Path, dataset: Dataset, first: int, bucket: str = "*") -> list[Path]:
    """The files that :func:`put_in_buckets` has written of the files from one on, into a bucket or all."""
    return list(pieces.glob(f"{dataset}/bucket={bucket}/{_mark(first)}*"))


def _mark(first: int) -> str:
    """How the names of these files begin."""
    return f"from{first:08}_"


def put_in_buckets(
    vocabulary: Vocabulary,
    dataset: Dataset,
    paths: Sequence[Path],
    first: int,
    buckets: Sequence[str],
    pieces: Path,
    rejected: Path,
    memory: str | None = None,
    spill: Path | None = None,
    read_on: dt.date | None = None,
) -> tuple[int, tuple[str, ...]]:
    """Reads files and writes their good rows to ``PIECES/DATASET/bucket=NAME``, by subject; what was set
    aside to a file. What an earlier try at the same files has written is replaced.

    :param first: the number of the first path among all of the dataset.
    :return: how many values were set aside, and for each file that has columns that the vocabulary has not,
        which.
    """
    key = vocabulary.subject.key if dataset == "subject" else vocabulary.record_subject
    folder = pieces / dataset
    folder.mkdir(parents=True, exist_ok=True)
    for left in pieces_of(pieces, dataset, first):
        left.unlink()
    names = f"[{', '.join(map(literal, buckets))}]"
    with workspace(memory, spill) as duck, ExitStack() as opened:
        make_rejected(duck)
        rows, ignored = rows_of(duck, vocabulary, dataset, paths, opened, read_on)
        bucket = f"{names}[1 + cast(hash({quoted(key)}) % {len(buckets)} as integer)]"
        numbered = f"select * replace (_file + {first} as _file), {bucket} as bucket from ({rows})"
        named = f"filename_pattern '{_mark(first)}{{i}}'"
        options = f"format parquet, partition_by (bucket), overwrite_or_ignore, {named}"
        try:
            duck.execute(f"copy ({numbered}) to {literal(str(folder))} ({options})")
        except duckdb.IOException as error:
            if str(folder) not in str(error):
                raise
            raise not_written(folder, reason_of(error)) from None
        for written in pieces_of(pieces, dataset, first):
            _keep_on_disk(written)
        found = duck.execute("select count(*) from rejected").fetchone()
        if found and found[0]:
            _replace(duck, "from rejected order by file, sheet, row_no, column_name", rejected)
        return (found[0] if found else 0), ignored


def _write(
    duck: duckdb.DuckDBPyConnection, pack: Pack, as_of: dt.date, bucket: Bucket, out: Path
) -> tuple[Path, ...]:
    paths = {name: out / name / f"bucket={bucket.name}" / "part.parquet" for name in RESULTS}
    queries = result_queries(duck, pack, as_of)
    for name, (query, order) in queries.items():
        _replace(duck, f"{query} order by {order}", paths[name])
    for name in paths.keys() - queries.keys():
        paths[name].unlink(missing_ok=True)
    return tuple(paths[name] for name in queries)


def _replace(duck: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """The rows of a query as a file that is there whole, on the disk, or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        copy_to(duck, query, path, partial)
        _keep_on_disk(partial)
        partial.replace(path)
    except OSError as error:
        raise not_written(path, error.strerror) from None


def _keep_on_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
