"""Directories and files of one's own until they are done: whoever is killed leaves nothing for good.

A directory is its owner's while the owner holds the lock in it. Whoever makes one first clears those of
owners that were killed; a process id would not tell, for another process may have it by then.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scoring.store.errors import StoreError, no_directory

DIRECTORY_VARIABLE = "XINHENG_TEMP_DIRECTORY"
_PREFIX = "xinheng-"
_LOCK = "owner.lock"


@contextmanager
def own_directory(parent: str | None = None) -> Iterator[str]:
    """A directory that is gone when the block ends, or, where the process is killed, when the next is made.

    :param parent: where it is made; by default the system's directory for what is temporary.
    """
    clear_dead(parent)
    directory = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
    made = Path(directory, "new.lock")
    with made.open("x") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made.rename(made.with_name(_LOCK))  # held before it can be found
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write, which takes the place of ``path`` when the block ends well; until then nothing does.

    A link goes on leading where it led, and the rights are those of the file before. Of a process that was
    killed, the next one that writes beside it clears what is left. A device or a pipe is written as it is.

    :raises OSError: naming ``path``, where no file can be made beside it.

    >>> from pathlib import Path
    >>> with whole_file(Path("list.csv")) as unfinished:
    ...     _ = unfinished.write_text("a,b", "utf-8")
    ...     Path("list.csv").exists()
    False
    >>> Path("list.csv").read_text("utf-8")
    'a,b'
    """
    if path.exists() and not path.is_file():
        yield path
        return
    place = path.resolve()
    try:
        with own_directory(str(place.parent)) as directory:
            unfinished = Path(directory, "unfinished")
            yield unfinished
            if place.exists():
                shutil.copymode(place, unfinished)
            unfinished.replace(place)
    except OSError as error:
        if error.errno is None or not str(error.filename or place.parent).startswith(str(place.parent)):
            raise  # of something else
        raise type(error)(error.errno, error.strerror, str(path)) from None


def clear_dead(parent: str | None = None) -> None:
    """Delete this user's directories whose owners are gone."""
    for path in Path(parent or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is another's, held, or gone by now
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                continue
            with (path / _LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)


def temporary_directory() -> str | None:
    """Where large temporary files go; None for the system's directory.

    :raises StoreError: where the directory does not exist.
    """
    directory = os.environ.get(DIRECTORY_VARIABLE) or None
    if directory is not None and not Path(directory).is_dir():
        raise StoreError(no_directory(DIRECTORY_VARIABLE, directory))
    return directory
