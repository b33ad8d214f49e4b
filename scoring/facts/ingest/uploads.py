"""Files that were handed in to be looked at first, until they are taken or given up, for a day at most.

A file may have rows that nobody may keep, those of natural persons: so it lies outside of the store and of
its backups, readable by the server's user alone. It goes as it is taken or given up, and who comes after a
day clears what is left. What an office has back from its file, the workbook to mend, lies beside it as long.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from rules.model import Title
from rules.titles import UnknownError, system_title
from scoring.characters.persons import without_persons
from scoring.characters.visible import one_line
from scoring.facts.ingest.quarantine import LONGEST_STEM
from scoring.store import Store, StoreError
from scoring.store.scratch import temporary_directory

KEPT_HOURS = 24
MOST_WAITING = 20
"""Files of an office that wait at once; of more the oldest goes."""

_DIGEST = re.compile("[0-9a-f]{64}")
_FILE, _TAKEN, _LOCK, _NONCE = "file", "taken", "lock", "nonce"


class UnknownUploadError(UnknownError):
    """There is no such file, or none any more."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits, or of which it is known that it was taken.

    :param path: the file, by the name that its office gave it, without persons' numbers.
    :param file_id: under which it was taken; None where it waits.
    :param nonce: of this handing in alone: kept with the taking, it says that it was taken also where a kill
        left no note here.
    """

    place: Path
    path: Path
    file_id: int | None
    nonce: str = ""

    def end(self, file_id: int) -> None:
        """Note that it was taken, and let it go; where the disk is full, it goes without a note."""
        unfinished = self.place / f"{_TAKEN}.part"
        with suppress(OSError):
            unfinished.write_text(str(file_id))
            unfinished.replace(self.place / _TAKEN)
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Uploads:
    """The files of an office that wait.

    :param folder: of the store; ``accounts`` of files lie there, and each office's files in a folder.
    :param office: which of them.
    """

    folder: Path
    office: str

    @property
    def accounts(self) -> Path:
        """Where the accounts of files lie."""
        return self.folder / "accounts"

    def keep(self, content: bytes, name: str) -> str:
        """Keep a file.

        :param name: as its office calls it; it may say what the file is.
        :return: the digest of its bytes and its name, by which it is found.
        :raises StoreError: where it can't be written: the disk is full, say.
        """
        self.clear()
        name = _safe(name)
        digest = hashlib.sha256(name.encode() + b"\0" + content).hexdigest()
        file = self._own / digest / _FILE / name
        unfinished = self._own / f"{uuid4().hex}.part"
        try:
            unfinished.write_bytes(content)
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(file)
            (self._own / digest / _NONCE).write_text(uuid4().hex)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            why = system_title(error.strerror)
            en = f"a file can't be kept in {self.folder}: {why.en}"
            raise StoreError(Title(f"文件无法存放在{self.folder}:{why.zh}", en)) from error
        (self._own / digest / _TAKEN).unlink(missing_ok=True)
        return digest

    def find(self, digest: str) -> Upload:
        """The file of a digest.

        :raises UnknownUploadError: where there is none, or it is gone: it was given up, or is a day old.
        """
        self.clear()
        place = self._own / digest
        if not _DIGEST.fullmatch(digest) or not place.is_dir():
            raise _unknown()
        found = _at(place)
        if found is None:
            raise _unknown()
        return found

    def waiting(self) -> dict[str, str]:
        """The files that wait, the latest first: digest → name."""
        places = sorted((path for path in self._own.iterdir() if _DIGEST.fullmatch(path.name)), key=_age)
        found = filter(None, map(_at, reversed(places)))
        return {one.place.name: one.path.name for one in found if one.file_id is None}

    @contextmanager
    def turn(self, digest: str) -> Iterator[Upload]:
        """The file of a digest, for one who takes it at a time; another one waits, and finds it taken.

        :raises UnknownUploadError: as :meth:`find`.
        """
        try:
            lock = (self.find(digest).place / _LOCK).open("a")
        except FileNotFoundError:  # given up just now
            raise _unknown() from None
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.fstat(lock.fileno()).st_nlink:  # given up while this one waited
                raise _unknown()
            yield self.find(digest)

    def drop(self, digest: str) -> None:
        """Give a file up; one that is gone is, and one that is being taken is taken first."""
        with suppress(UnknownUploadError), self.turn(digest) as found:
            shutil.rmtree(found.place, ignore_errors=True)

    def clear(self) -> None:
        """Let everything go that is a day old, of whichever office, and the oldest where too many wait.

        What is being taken stays.
        """
        before = time.time() - KEPT_HOURS * 3600
        for path in self.folder.glob("*/*"):
            if _age(path) < before:
                _remove(path)
        for digest in list(self.waiting())[MOST_WAITING:]:
            _remove(self._own / digest)

    @property
    def _own(self) -> Path:
        found = self.folder / hashlib.sha256(self.office.encode()).hexdigest()[:32]
        found.mkdir(exist_ok=True)
        return found


def uploads_of(store: Store, office: str) -> Uploads:
    """The files of an office that wait to be taken into a store.

    :raises StoreError: where there is no directory for them that nobody else can read.
    """
    parent = Path(temporary_directory() or tempfile.gettempdir(), f".xinheng-uploads-{os.getuid()}")
    folder = parent / hashlib.sha256(store.address.encode()).hexdigest()[:32]
    try:
        parent.mkdir(mode=0o700, exist_ok=True)
        found = parent.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise StoreError(
                Title(
                    f"{parent}不是仅运行用户可读的目录,请将其移除",
                    f"{parent} is not a directory that this user alone can read; remove it",
                )
            )
        (folder / "accounts").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = system_title(error.strerror)
        raise StoreError(
            Title(
                f"待入库文件的目录{parent}无法使用:{why.zh}",
                f"{parent}, where files wait to be taken, can't be used: {why.en}",
            )
        ) from None
    return Uploads(folder, office)


def _safe(name: str) -> str:
    """A name by which a file may lie here: no way to another place, and no person's number."""
    last = re.split(r"[/\\\0]", name.encode("utf-8", "replace").decode())[-1].lstrip(". ")
    known = Path(without_persons(one_line(last), is_sure=True))
    short = known.stem.encode()[: LONGEST_STEM - 20].decode(errors="ignore")
    return (short or "文件") + known.suffix[:10]


def _at(place: Path) -> Upload | None:
    with suppress(FileNotFoundError):
        return Upload(place, place, int((place / _TAKEN).read_text()))
    path = next((place / _FILE).glob("*"), None)
    nonce = place / _NONCE
    return None if path is None else Upload(place, path, None, nonce.read_text() if nonce.exists() else "")


def _age(path: Path) -> float:
    """When a file was put there; of an account, when it was written."""
    for one in (path / _FILE, path):
        with suppress(OSError):
            return one.stat().st_mtime
    return time.time()


def _remove(path: Path) -> None:
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    with suppress(OSError), (path / _LOCK).open("a") as lock:  # BlockingIOError: it is being taken
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)


def _unknown() -> UnknownUploadError:
    zh = f"这份文件不在等待之列:已放弃或超过{KEPT_HOURS}小时,请重新选择文件"
    en = f"this file waits no more: it was given up, or is more than {KEPT_HOURS} hours old; choose it again"
    return UnknownUploadError(Title(zh, en))
