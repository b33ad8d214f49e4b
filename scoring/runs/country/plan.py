"""What a run over folders is about, written before it begins: whoever goes on with it must mean the same."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rules.calendar import today
from rules.identity import identity
from rules.model import Pack
from rules.titles import Title, TitledError
from scoring.runs.file_error import FileError, no_parquet, no_records, not_read

BYTES_A_ROW = 700
"""Of memory, that a row of a bucket may take while it is judged; 2 million real-shaped rows took 870 MB."""

FILES_AT_ONCE = 200
"""So many files of a bucket are read together; of more than that, the rows are put in buckets first."""

_BUCKET = re.compile(r"bucket=([0-9A-Za-z_-]+)")
_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}
_END = 1 << 16


class CountryError(TitledError):
    """A run over folders that can't be begun, or gone on with."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A Parquet file of a folder.

    :param path: within its folder.
    :param end: SHA-256 of its last bytes, where Parquet says what is in the file.
    """

    path: str
    bytes: int
    rows: int
    modified: int
    end: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is judged, by what, and in which parts.

    :param subjects: the folder of subjects, or one file.
    :param read_on: the day of the check of dates ahead.
    :param buckets: their names. A subject with all of its records is in one.
    :param is_bucketed: the folders are bucketed as they are, by folders ``bucket=NAME``.
    :param engine: of the function that puts subjects in buckets.
    """

    pack: str
    version: str
    hash: str
    as_of: str
    read_on: str
    subjects: str
    records: str | None
    subject_files: tuple[InputFile, ...]
    record_files: tuple[InputFile, ...]
    buckets: tuple[str, ...]
    is_bucketed: bool
    engine: str

    @property
    def rows(self) -> int:
        """Of all files."""
        return sum(file.rows for file in (*self.subject_files, *self.record_files))

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.bytes for file in (*self.subject_files, *self.record_files))

    @property
    def without_records(self) -> tuple[str, ...]:
        """The buckets of subjects for which the folder of records has none."""
        if not self.is_bucketed or self.records is None:
            return ()
        given = [{bucket_of(file) for file in files} for files in (self.subject_files, self.record_files)]
        return tuple(sorted(name for name in given[0] - given[1] if name))

    def files(self, dataset: str, bucket: str | None = None) -> list[tuple[Path, InputFile]]:
        """The files of subjects or of records: all of them, or those in the folder of a bucket."""
        is_subject = dataset == "subject"
        folder = Path(self.subjects if is_subject else self.records or "")
        files = self.subject_files if is_subject else self.record_files
        return [(folder / file.path, file) for file in files if bucket is None or bucket_of(file) == bucket]

    def paths(self, dataset: str, bucket: str | None = None) -> list[Path]:
        """Where :meth:`files` are."""
        return [path for path, _ in self.files(dataset, bucket)]

    def as_json(self) -> dict[str, Any]:
        """The plan as it is when it is read again."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def difference(self, other: Plan) -> Title | None:
        """In what another plan is one of another run; how it is parted does not matter."""
        ours, theirs = self.as_json(), other.as_json()
        for name, title in _MEANING.items():
            if ours[name] != theirs[name]:
                return title
        return None

    def going_on_with(self, kept: Plan) -> Plan:
        """This plan, in the parts of one that was begun."""
        return replace(
            self, read_on=kept.read_on, buckets=kept.buckets, is_bucketed=kept.is_bucketed, engine=kept.engine
        )


_MEANING: Mapping[str, Title] = {
    "pack": Title("评价规则", "pack"),
    "version": Title("评价规则版本", "version of the pack"),
    "hash": Title("评价规则内容", "text of the pack"),
    "as_of": Title("评价基准日", "day (--as-of)"),
    "subjects": Title("主体目录", "folder of subjects"),
    "records": Title("记录目录", "folder of records"),
    "subject_files": Title("主体文件", "files of subjects"),
    "record_files": Title("记录文件", "files of records"),
}


def plan_of(json_text: str) -> Plan:
    """A plan from its JSON."""
    data = json.loads(json_text)
    files = {
        name: tuple(InputFile(**file) for file in data[name]) for name in ("subject_files", "record_files")
    }
    return Plan(**(data | files | {"buckets": tuple(data["buckets"])}))


def make_plan(pack: Pack, as_of: dt.date, subjects: Path, records: Path | None, memory: str) -> Plan:
    """The plan of a run over folders of Parquet files.

    Folders ``bucket=NAME`` are taken as they are. Otherwise there are as many buckets as the memory asks for.

    :raises FileError: on a folder or file that is missing, empty or damaged.
    """
    if records is not None and pack.vocabulary.records is None:
        raise no_records(records, pack.vocabulary.id)
    subject_files = input_files(subjects)
    record_files = input_files(records) if records is not None else ()
    buckets = _given_buckets((*subject_files, *record_files))
    is_bucketed = bool(buckets)
    if not is_bucketed:
        rows = sum(file.rows for file in (*subject_files, *record_files))
        count = max(1, math.ceil(rows * BYTES_A_ROW / bytes_of(memory)))
        buckets = tuple(f"{number:0{len(str(count - 1))}}" for number in range(count))
    return Plan(
        pack=pack.id,
        version=pack.version,
        hash=identity(pack),
        as_of=as_of.isoformat(),
        read_on=today().isoformat(),
        subjects=str(subjects.resolve()),
        records=None if records is None else str(records.resolve()),
        subject_files=subject_files,
        record_files=record_files,
        buckets=buckets,
        is_bucketed=is_bucketed,
        engine=f"duckdb {duckdb.__version__}",
    )


def bytes_of(memory: str) -> int:
    """An amount of memory such as 512MB."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?) ?([KMGT])(i?)B", memory)
    amount = found and int(float(found[1]) * (1024 if found[3] else 1000) ** _UNITS[found[2]])
    if not amount:
        raise CountryError(Title(f"内存写法有误:{memory}", f"{memory} is no amount of memory such as 2GB"))
    return amount


def bucket_of(file: InputFile) -> str | None:
    """The bucket of whose folder a file is."""
    found = _BUCKET.fullmatch(file.path.split("/")[0])
    return found[1] if found else None


def _given_buckets(files: Sequence[InputFile]) -> tuple[str, ...]:
    """The buckets of files, if every one is of a bucket's folder, and a bucket has few of them."""
    names = [bucket_of(file) for file in files]
    many = max(map(names.count, set(names)), default=0) > FILES_AT_ONCE
    return () if many or None in names else tuple(sorted({name for name in names if name}))


def input_files(folder: Path) -> tuple[InputFile, ...]:
    """The Parquet files in a folder, at any depth, or the one file. What begins with . or _ is no data."""
    if folder.is_file():
        return (input_file(folder, ""),)
    if not folder.is_dir():
        hint = Title("请核对路径", "check the path")
        raise FileError(folder, Title("没有该目录", "there is no such folder"), hint)
    names = sorted(path.relative_to(folder).as_posix() for path in _inside(folder))
    if not names:
        hint = Title("请核对目录", "check the folder")
        raise FileError(
            folder, Title("目录中没有Parquet文件(*.parquet)", "no Parquet file (*.parquet) in it"), hint
        )
    return tuple(input_file(folder / name, name) for name in names)


def _inside(top: Path) -> Iterator[Path]:
    """The files that count in a folder and its folders; none of these is left out in silence."""
    for folder, folders, files in os.walk(top, onerror=_not_listed):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        linked = next((path for name in folders if (path := Path(folder, name)).is_symlink()), None)
        if linked is not None:
            reason = Title("是目录的链接,不予读取", "a link to a folder, which is not followed")
            raise FileError(linked, reason, Title("请改放目录本身", "put the folder itself there"))
        data = [Path(folder, name) for name in files if not name.startswith((".", "_"))]
        yield from (path for path in data if path.suffix.casefold() == ".parquet")


def _not_listed(error: OSError) -> NoReturn:
    raise not_read(error.filename, error.strerror)


def input_file(path: Path, name: str) -> InputFile:
    """A file as it is now.

    :param name: its path within its folder.
    :raises FileError: where it is missing or damaged.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would be to wait for somebody who writes
            hint = Title("请移走该项", "take it away")
            raise FileError(path, Title("不是普通文件", "not a regular file"), hint)
        rows = pq.read_metadata(path).num_rows
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            file.seek(max(0, found.st_size - _END))
            end = hashlib.sha256(file.read()).hexdigest()
    except (pa.ArrowInvalid, pa.ArrowException) as error:
        raise no_parquet(path, str(error).splitlines()[0]) from None
    except OSError as error:
        raise not_read(path, error.strerror or str(error)) from None
    return InputFile(name, found.st_size, rows, found.st_mtime_ns, end)
