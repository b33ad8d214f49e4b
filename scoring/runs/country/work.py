"""The parts that a run over folders is made of: each can be done anywhere that has the folders, and again.

A part that is done says so in a file of its own, so that nobody who goes on does it twice.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rules.model import Pack
from scoring.facts.ingest.mapping import Dataset
from scoring.runs.country.buckets import Bucket, judge_bucket, pieces_of, put_in_buckets
from scoring.runs.country.plan import FILES_AT_ONCE, Plan, input_file
from scoring.runs.file_error import FileError

FOLDER = "_work"
COUNTS = ("subjects", "records", "orphans", "hits", "rejected")
_ROWS_AT_ONCE = 20_000_000

Part = TypeVar("Part")


class Each(Protocol):
    """Does a task for each of the parts, in any order; what comes of them as it comes."""

    def __call__(
        self, task: Callable[[Part], dict[str, Any]], parts: Sequence[Part]
    ) -> Iterator[dict[str, Any]]: ...


def one_by_one(task: Callable[[Part], dict[str, Any]], parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    """Here, one after the other."""
    return map(task, parts)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one dataset whose rows are put in buckets together.

    :param first: the number of the first path among all of the dataset.
    """

    dataset: Dataset
    first: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What all parts need to know. It can be pickled.

    :param out: the folder of the results, in which the parts leave what others need.
    :param memory: what DuckDB may use for one part before it spills.
    """

    pack: Pack
    as_of: dt.date
    plan: Plan
    out: Path
    memory: str

    @property
    def folder(self) -> Path:
        """Where what is not a result stands, until the run is finished."""
        return self.out / FOLDER

    def known(self, part: Any) -> dict[str, Any] | None:
        """What came of a batch or bucket that is done, if what it wrote is there as it was written."""
        found = read_json(self._said(part))
        return found if found is not None and is_as_written(self.out, found.get("written")) else None

    def batches(self) -> tuple[Batch, ...]:
        """All files in the order of the plan, some at a time."""
        return tuple(batch for dataset in self._datasets for batch in _batches(self.plan, dataset))

    def put(self, batch: Batch) -> dict[str, Any]:
        """Puts the rows of a batch in buckets."""
        self._require_as_planned(batch.dataset, None)
        unread = self.out / "rejected" / "bucket=unread" / f"{batch.dataset}-{batch.first:08}.parquet"
        rejected, ignored = put_in_buckets(
            self.pack.vocabulary,
            batch.dataset,
            batch.paths,
            batch.first,
            self.plan.buckets,
            self.folder / "pieces",
            unread,
            self.memory,
            self.folder,
            self._read_on,
        )
        written = self._pieces(batch) + ([unread] if rejected else [])
        return self._done(batch, {"rejected": rejected, "ignored": ignored}, written)

    def judge(self, bucket: str) -> dict[str, Any]:
        """Grades the subjects of a bucket."""
        orphans = self.folder / "orphans" / f"{bucket}.parquet"
        if self.plan.is_bucketed:
            for dataset in self._datasets:
                self._require_as_planned(dataset, bucket)
        found = judge_bucket(
            self.pack,
            self.as_of,
            self._bucket(bucket),
            self.out,
            orphans,
            self.memory,
            self.folder,
            self._read_on,
        )
        counts = {count: getattr(found, count) for count in COUNTS}
        written = [*found.written, *([orphans] if self.pack.vocabulary.records else [])]
        return self._done(bucket, {**counts, "tiers": found.tiers, "ignored": found.ignored}, written)

    @property
    def _datasets(self) -> tuple[Dataset, ...]:
        return ("subject", "record") if self.pack.vocabulary.records else ("subject",)

    @property
    def _read_on(self) -> dt.date:
        return dt.date.fromisoformat(self.plan.read_on)

    def _bucket(self, name: str) -> Bucket:
        if not self.plan.is_bucketed:
            for batch in self.batches():
                self._require_put(batch, name)
            sources = tuple((dataset, tuple(self.plan.paths(dataset))) for dataset in self._datasets)
            return Bucket(name, pieces=self.folder / "pieces", sources=sources)
        subjects, records = (tuple(self.plan.paths(dataset, name)) for dataset in ("subject", "record"))
        return Bucket(name, subjects, records)

    def _require_as_planned(self, dataset: Dataset, bucket: str | None) -> None:
        """The files are those of the plan."""
        for path, file in self.plan.files(dataset, bucket):
            if input_file(path, file.path) != file:
                raise FileError(f"{path}: the file was changed since the run was begun; name another --out")

    def _require_put(self, batch: Batch, bucket: str) -> None:
        """What a batch has put in a bucket is here: nothing is taken for empty that is only not seen."""
        known = read_json(self._said(batch))
        folder = f"{FOLDER}/pieces/{batch.dataset}/bucket={bucket}/"
        wanted = {} if known is None else known["written"]
        here = {name: size for name, size in wanted.items() if name.startswith(folder)}
        if known is None or sizes(self.out, self._pieces(batch, bucket)) != here:
            raise not_shared(self.folder)

    def _pieces(self, batch: Batch, bucket: str = "*") -> list[Path]:
        return pieces_of(self.folder / "pieces", batch.dataset, batch.first, bucket)

    def _said(self, part: Any) -> Path:
        if isinstance(part, str):
            return self.folder / "done" / f"{part}.json"
        return self.folder / "put" / f"{part.dataset}-{part.first:08}.json"

    def _done(self, part: Any, found: dict[str, Any], written: Iterable[Path]) -> dict[str, Any]:
        found = {**found, "written": sizes(self.out, written)}
        write_json(self._said(part), found)
        return found


def not_shared(folder: Path) -> FileError:
    """A machine does not see what another one has written."""
    said = "what was written there is not there as it was; the folder has to be the same one on every machine"
    return FileError(f"{folder}: {said}")


def _batches(plan: Plan, dataset: Dataset) -> Iterator[Batch]:
    files = plan.subject_files if dataset == "subject" else plan.record_files
    paths = tuple(plan.paths(dataset))
    first, rows = 0, 0
    for number, file in enumerate(files):
        if number > first and (rows + file.rows > _ROWS_AT_ONCE or number - first >= FILES_AT_ONCE):
            yield Batch(dataset, first, paths[first:number])
            first, rows = number, 0
        rows += file.rows
    if files:
        yield Batch(dataset, first, paths[first:])


# Files that are there whole, or not at all


def sizes(out: Path, paths: Iterable[Path]) -> dict[str, int]:
    """Files by their paths within a folder, in order, and how many bytes they have."""
    return {path.relative_to(out).as_posix(): path.stat().st_size for path in sorted(paths)}


def is_as_written(out: Path, written: Any) -> bool:
    """Whether files have as many bytes as was noted when they were written."""
    try:
        return isinstance(written, dict) and sizes(out, [out / name for name in written]) == written
    except OSError:
        return False


def read_json(path: Path) -> dict[str, Any] | None:
    """What a file says; None where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise FileError(f"{path}: not JSON, or damaged; name another --out")
    return found


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """The file whole and on the disk, or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        with open_folder(path.parent) as folder:
            os.fsync(int(folder.rpartition("/")[2]))
    except OSError as error:
        raise FileError(f"{path}: can't be written: {error.strerror}") from None


@contextmanager
def open_folder(path: Path) -> Iterator[str]:
    """A name of a folder that is taken for no pattern."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/dev/fd/{number}"
    finally:
        os.close(number)
