"""Where a copy lies: its files, the manifest that says what it is, and who may touch them when.

A file is written once, under a name that no other file ever had. The manifest names the files that count and
is replaced as a whole, so that a process that is killed leaves files that nobody names. One process at a
time changes the copy; files go only while nobody reads.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rules.model import Vocabulary
from rules.plan import closed_columns
from rules.titles import Title, TitledError
from scoring.judging.sql import sql_type
from scoring.store.connection import Store

VARIABLE = "XINHENG_COLUMNS_DIRECTORY"
PATIENCE = 60.0
"""Seconds to wait for another process that brings the copy up to date; then the store is read."""
_MANIFEST = "manifest.json"
_UNUSED_DAYS = 30


class ColumnsError(TitledError):
    """The copy can't be used; the message says why. The store has everything that is in it."""


class DamagedError(ColumnsError):
    """A file is not as it was written, or does not say what the store does: the copy is to be made anew."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was written."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """The versions of some subjects and of the records about them.

    :param numbers: how many subjects have a number in it: those with records alone too.
    :param rows: how many versions of records it has.
    """

    subjects: File
    records: File | None
    numbers: int
    rows: int

    @property
    def files(self) -> Iterator[File]:
        """Both."""
        yield self.subjects
        if self.records is not None:
            yield self.records


@dataclass(frozen=True, slots=True)
class Sum:
    """Number of rows, and the exclusive or of the 128-bit hashes of their documents."""

    count: int = 0
    xor: int = 0

    def without(self, other: Sum) -> Sum:
        """What is left where the other's rows go."""
        return Sum(self.count - other.count, self.xor ^ other.xor)

    def plus(self, other: Sum) -> Sum:
        """Both together."""
        return Sum(self.count + other.count, self.xor ^ other.xor)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a copy has come: the last file of its vocabulary, and the last versions of any.

    :param moment: at which the file became known, in microseconds since 1970.
    """

    file: int
    sha256: str
    moment: int
    subject_version: int
    record_version: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy is.

    :param made_for: the store and the program that it was made for; any other makes its own.
    :param buckets: every subject is in the one that a hash of its key says; as many as a power of two.
    :param recent: what the store knows of subjects that changed since: it counts, their bucket does not.
    :param signatures: number and columns of each; None where the vocabulary has no records.
    :param subjects: of what is known at the position.
    :param records: likewise.
    """

    made_for: str
    position: Position
    buckets: tuple[Part, ...]
    recent: Part | None
    signatures: File | None
    subjects: Sum
    records: Sum

    @property
    def sums(self) -> tuple[Sum, Sum]:
        """Of subjects and of records."""
        return self.subjects, self.records

    @property
    def parts(self) -> tuple[Part, ...]:
        """The buckets, and what is recent after them."""
        return self.buckets if self.recent is None else (*self.buckets, self.recent)

    @property
    def files(self) -> Iterator[File]:
        """All files of the copy."""
        for part in self.parts:
            yield from part.files
        if self.signatures is not None:
            yield self.signatures


def layout(vocabulary: Vocabulary) -> str:
    """What decides how a vocabulary's columns are written; a vocabulary that changes it has another copy."""
    tables = [vocabulary.subject, *([vocabulary.records] if vocabulary.records else [])]
    said = (
        [
            [table.key, *((name, sql_type(column.type)) for name, column in table.columns.items())]
            for table in tables
        ],
        vocabulary.record_subject,
        closed_columns(vocabulary),
    )
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of one vocabulary's copy.

    :param mode: who may use it, as for the file of the store.
    """

    directory: Path
    mode: int = 0o700

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Alone among those who change the copy.

        :raises ColumnsError: where another process does not come to an end with it.
        :raises OSError: where the directory can't be made or written.
        """
        self.directory.parent.parent.mkdir(parents=True, exist_ok=True)
        for directory in (self.directory.parent, self.directory):
            directory.mkdir(mode=self.mode, exist_ok=True)
        with _locked(self.directory / "change.lock", fcntl.LOCK_EX):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """No file of the copy goes.

        :raises OSError: where there is no copy.
        """
        with _locked(self.directory / "read.lock", fcntl.LOCK_SH):
            yield

    def manifest(self) -> Manifest | None:
        """The manifest; None where there is none, or none that was written whole."""
        try:
            said: dict[str, Any] = json.loads((self.directory / _MANIFEST).read_bytes())
            if said.pop("sha256") != _digest(said):
                return None
            return _manifest(said)
        except (FileNotFoundError, NotADirectoryError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def publish(self, manifest: Manifest) -> None:
        """Have this count from now on, and delete what does not any more unless somebody reads."""
        said = asdict(manifest)
        new = self.new_file(".json")
        new.write_text(json.dumps(said | {"sha256": _digest(said)}, indent=1), "utf-8")
        new.replace(self.directory / _MANIFEST)
        self.sweep()

    def sweep(self) -> None:
        """Delete the files that the manifest does not name, unless somebody reads."""
        manifest = self.manifest()
        named = {file.name for file in manifest.files} if manifest else set()
        named.add(_MANIFEST)
        with (
            suppress(ColumnsError, OSError),
            _locked(self.directory / "read.lock", fcntl.LOCK_EX, patience=0),
        ):
            for path in self.directory.iterdir():
                if path.name not in named and path.suffix in (".parquet", ".json"):
                    path.unlink(missing_ok=True)

    def sweep_others(self) -> None:
        """Delete copies of other forms of the vocabulary that nobody brought up to date for a month."""
        month_ago = time.time() - _UNUSED_DAYS * 86_400
        for other in self.directory.parent.glob(f"{self.directory.name.rpartition('-')[0]}-*"):
            with suppress(OSError):
                if other != self.directory and (other / _MANIFEST).stat().st_mtime < month_ago:
                    shutil.rmtree(other, ignore_errors=True)

    def new_file(self, suffix: str = ".parquet") -> Path:
        """A name that no file has or had."""
        return self.directory / f"{uuid.uuid4().hex}{suffix}"

    def checked(self, file: File) -> str:
        """Where a file of the copy is.

        :raises DamagedError: where it is not as it was written.
        """
        path = self.directory / file.name
        if not path.exists() or described(path) != file:
            raise DamagedError(Title(f"{path}与写入时不一致", f"{path} is not as it was written"))
        return str(path)


def described(path: Path) -> File:
    """A file as it is now."""
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return File(path.name, os.fstat(opened.fileno()).st_size, digest)


def place_of(store: Store, identity: str, vocabulary: Vocabulary) -> Place:
    """Where the copy of a vocabulary's facts lies; the directory need not be there.

    :param identity: of the store.
    """
    name = f"{vocabulary.id}-{layout(vocabulary)}"
    parent, database = os.environ.get(VARIABLE), store.engine.url.database or ""
    if store.is_sqlite and not parent:
        may = stat.S_IMODE(Path(database).stat().st_mode)
        return Place(Path(f"{database}.columns", name), may | (may & 0o444) >> 2)
    key = hashlib.sha256(f"{identity} {store.address}".encode()).hexdigest()[:16]
    return Place(Path(parent or _cache(), f"xinheng-{key}", name))


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home) if home else Path.home() / ".cache"


@contextmanager
def _locked(path: Path, kind: int, patience: float | None = None) -> Iterator[None]:
    """Hold a lock, of which the end of the process is the end too."""
    until = time.monotonic() + (PATIENCE if patience is None else patience)
    with os.fdopen(_opened(path)) as lock:
        while True:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    said = Title("被另一进程锁定", "another process keeps them locked")
                    raise ColumnsError(said) from None
                time.sleep(0.02)
        yield


def _opened(path: Path) -> int:
    """A copy that one may only read has its locks already."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return os.open(path, os.O_RDONLY)


def _digest(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _manifest(said: dict[str, Any]) -> Manifest:
    return Manifest(
        said["made_for"],
        Position(**said["position"]),
        tuple(_part(part) for part in said["buckets"]),
        None if said["recent"] is None else _part(said["recent"]),
        None if said["signatures"] is None else File(**said["signatures"]),
        Sum(**said["subjects"]),
        Sum(**said["records"]),
    )


def _part(said: dict[str, Any]) -> Part:
    records = said["records"]
    return Part(
        File(**said["subjects"]), None if records is None else File(**records), said["numbers"], said["rows"]
    )
