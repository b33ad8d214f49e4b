"""The parts that a run over folders is made of: each can be done anywhere that has the folders, and again.

A part that is done says so in a file of its own, so that nobody who goes on does it twice.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rules.model import Pack
from rules.plan import compile_plan
from rules.titles import Title
from scoring.facts.ingest.mapping import Dataset
from scoring.judging.judge import ranked_in_rounds
from scoring.runs.country.buckets import (
    Bucket,
    Places,
    judge_bucket,
    open_folder,
    pieces_of,
    place_all,
    put_in_buckets,
    rank_bucket,
)
from scoring.runs.country.plan import FILES_AT_ONCE, Plan, input_file
from scoring.runs.file_error import ANOTHER_OUT, FileError, not_written

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

    def __str__(self) -> str:
        return f"put/{self.dataset}-{self.first:08}"


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a bucket's subjects have of that by which everybody is ranked.

    :param round: some ranks can be taken only when others are known: the number of those before.
    """

    bucket: str
    round: int

    def __str__(self) -> str:
        return f"ranked/{self.round}-{self.bucket}"


@dataclass(frozen=True, slots=True)
class Placing:
    """The places of all that buckets have of what a measure ranks.

    :param measure: the first of those that put the same in order.
    """

    round: int
    measure: str

    def __str__(self) -> str:
        return f"placed/{self.round}-{self.measure}"


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

    @property
    def rounds(self) -> tuple[tuple[str, ...], ...]:
        """The measures by which subjects are compared, each round after those whose places it reads."""
        return ranked_in_rounds(compile_plan(self.pack))

    def rank(self, part: Ranking) -> dict[str, Any]:
        """Counts what a bucket's subjects have of that by which everybody is ranked in a round."""
        written = rank_bucket(
            self.pack,
            self.as_of,
            self._bucket(part.bucket),
            part.round,
            self.folder / "ranks",
            self._placed(part.round),
            self.memory,
            self.folder,
            self._read_on,
        )
        return self._done(part, {}, written)

    def place(self, part: Placing) -> dict[str, Any]:
        """Puts what the buckets have in order."""
        for bucket in self.plan.buckets:
            self._require_done(Ranking(bucket, part.round))
        ranks, place = self.folder / "ranks" / part.measure, self._places().path(part.measure)
        place_all(self.pack, self.as_of, part.measure, ranks, place, self.memory, self.folder)
        return self._done(part, {}, [place])

    def judge(self, bucket: str) -> dict[str, Any]:
        """Grades the subjects of a bucket."""
        orphans = self.folder / "orphans" / f"{bucket}.parquet"
        found = judge_bucket(
            self.pack,
            self.as_of,
            self._bucket(bucket),
            self.out,
            orphans,
            self._placed(len(self.rounds)),
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

    def _places(self, measures: tuple[str, ...] = ()) -> Places:
        return Places(self.folder / "places", measures)

    def _placed(self, rounds: int) -> Places:
        """The places that the first rounds have found."""
        parts = [Placing(n, name) for n, some in enumerate(self.rounds[:rounds]) for name in some]
        for part in parts:
            self._require_done(part)
        return self._places(tuple(part.measure for part in parts))

    def _require_done(self, part: Ranking | Placing) -> None:
        if self.known(part) is None:
            raise not_shared(self.folder)

    def _bucket(self, name: str) -> Bucket:
        """Where its rows are, as they were planned or put there."""
        if not self.plan.is_bucketed:
            for batch in self.batches():
                self._require_put(batch, name)
            sources = tuple((dataset, tuple(self.plan.paths(dataset))) for dataset in self._datasets)
            return Bucket(name, pieces=self.folder / "pieces", sources=sources)
        for dataset in self._datasets:
            self._require_as_planned(dataset, name)
        subjects, records = (tuple(self.plan.paths(dataset, name)) for dataset in ("subject", "record"))
        return Bucket(name, subjects, records)

    def _require_as_planned(self, dataset: Dataset, bucket: str | None) -> None:
        """The files are those of the plan."""
        for path, file in self.plan.files(dataset, bucket):
            if input_file(path, file.path) != file:
                reason = Title("评价开始之后文件有变动", "the file was changed since the run was begun")
                raise FileError(path, reason, *ANOTHER_OUT)

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
        return self.folder / (f"done/{part}.json" if isinstance(part, str) else f"{part}.json")

    def _done(self, part: Any, found: dict[str, Any], written: Iterable[Path]) -> dict[str, Any]:
        found = {**found, "written": sizes(self.out, written)}
        write_json(self._said(part), found)
        return found


def not_shared(folder: Path) -> FileError:
    """A machine does not see what another one has written."""
    reason = Title("所写的内容已不在或已改变", "what was written there is not there as it was")
    hint = Title("各台机器须使用同一个目录", "the folder has to be the same one on every machine")
    return FileError(folder, reason, hint)


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
        raise FileError(path, Title("不是JSON,或已损坏", "not JSON, or damaged"), *ANOTHER_OUT)
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
        raise not_written(path, error.strerror) from None
