"""Copies of what reading a text has given, kept on disk: reading a pack takes longer than explaining by it.

Others keep what they compute in the same way (:mod:`scoring.store.computed`).

A copy is data, not code: a list of the model's values, each made of earlier ones. It is found by what it was
made from, the rules' own code among it, and used only where it is whole and this user's own; else the text is
read again. The copies can be deleted at any time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, TypeVar

VARIABLE = "XINHENG_CACHE"
MOST = 64
"""The most copies that are kept; the oldest go first."""

_OWN = ("rules.", "scoring.")
_READERS = ("marshmallow", "pyyaml", "sqlglot")
Made = TypeVar("Made")


def kept(
    source: tuple[str | None, ...], kind: type[Made], make: Callable[[], Made], within: str = ""
) -> Made:
    """What ``make`` makes of a source, from its copy where there is a sound one.

    :param source: all that it depends on, beside the rules' code and the installed vocabularies.
    :param kind: its class.
    :param within: a directory among the copies whose copies make room for one another alone.
    """
    found = copy_of(source, kind, within)
    if found is not None:
        return found
    made = make()
    keep(source, made, within)
    return made


def copy_of(source: tuple[str | None, ...], kind: type[Made], within: str = "") -> Made | None:
    """What :func:`kept` has of a source; None where there is no sound copy."""
    name = _name(source)
    with suppress(OSError, RuntimeError, ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
        found = unpacked(_read(folder() / within / name, name))
        if isinstance(found, kind):
            return found
    return None


def keep(source: tuple[str | None, ...], made: object, within: str = "") -> None:
    """Have a copy of what was made of a source."""
    with suppress(OSError, RuntimeError):  # no home, or a full one: it is made again the next time
        _write(folder() / within, _name(source), packed(made))


def has_copy(source: tuple[str | None, ...], within: str = "") -> bool:
    """Whether there is a copy of a source, which is not read: it may be damaged."""
    with suppress(OSError, RuntimeError):
        return (folder() / within / _name(source)).is_file()
    return False


def _name(source: tuple[str | None, ...]) -> str:
    return hashlib.sha256(json.dumps([_code(), *source]).encode()).hexdigest()


def folder() -> Path:
    """Where copies are: ``XINHENG_CACHE``, else ``xinheng`` in the user's directory for caches."""
    if own := os.environ.get(VARIABLE):
        return Path(own)
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "xinheng"


def packed(value: Any) -> str:
    """A value of the model as text.

    :raises TypeError: where it holds what is neither plain data nor a class of the rules.
    """
    rows: list[Any] = []
    numbers: dict[Any, int] = {}
    _pack(value, rows, numbers)
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str) -> Any:
    """The value in a text of :func:`packed`.

    :raises ValueError, LookupError, TypeError, ArithmeticError, AttributeError: where it is damaged.
    """
    made: list[Any] = []
    for maker, *parts in json.loads(text):
        made.append(_MAKERS[maker](parts, made) if maker in _MAKERS else _of_class(maker, parts, made))
    return made[-1]


_MAKERS: Mapping[str, Callable[[list[Any], list[Any]], Any]] = {
    "plain": lambda parts, made: parts[0],
    "tuple": lambda parts, made: tuple([made[number] for number in parts]),
    "mapping": lambda parts, made: {made[k]: made[v] for k, v in zip(parts[::2], parts[1::2], strict=True)},
    "date": lambda parts, made: dt.date.fromisoformat(parts[0]),
    "decimal": lambda parts, made: Decimal(parts[0]),
    "fraction": lambda parts, made: Fraction(parts[0]),
}


def _pack(value: Any, rows: list[Any], numbers: dict[Any, int]) -> int:
    """Adds a value's row after those of its parts, unless it is there; its number."""

    def of(inner: Any) -> int:
        return _pack(inner, rows, numbers)

    row: tuple[Any, ...]
    match value:
        case Enum():
            row = (_name_of(type(value)), of(value.value))
        case None | bool() | int() | float() | str():
            row = ("plain", value)
        case tuple():
            row = ("tuple", *map(of, value))
        case Mapping():
            row = ("mapping", *(of(part) for pair in value.items() for part in pair))
        case dt.date():
            row = ("date", value.isoformat())
        case Decimal():
            row = ("decimal", str(value))
        case Fraction():
            row = ("fraction", str(value))
        case _ if is_dataclass(value):
            row = (_name_of(type(value)), *(of(getattr(value, field.name)) for field in fields(value)))
        case _:
            raise TypeError(f"{type(value).__name__} has no form that is kept")
    key = (row, type(row[-1]))  # 1 and true are two
    if key not in numbers:
        numbers[key] = len(rows)
        rows.append(row)
    return numbers[key]


def _name_of(kind: type) -> str:
    if not kind.__module__.startswith(_OWN):
        raise TypeError(f"{kind.__module__}.{kind.__name__} is no class of the product")
    return f"{kind.__module__}.{kind.__name__}"


def _of_class(name: str, parts: list[int], made: list[Any]) -> Any:
    return _class(name)(*[made[number] for number in parts])


@lru_cache(maxsize=256)
def _class(name: str) -> Any:
    """A dataclass or an enumeration of the product, and nothing else."""
    module, _, attribute = name.rpartition(".")
    if not module.startswith(_OWN):
        raise LookupError(name)
    kind = getattr(sys.modules.get(module) or import_module(module), attribute)
    is_value = isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum))
    if not is_value or kind.__module__ != module:
        raise LookupError(name)
    return kind


@lru_cache(maxsize=1)
def _code() -> str:
    """What a text is read by: this package, the shared vocabularies, and the versions of the libraries."""
    return code_in(Path(__file__).parents[1], _READERS, "**/*.py", "library/vocabularies/*.yaml")


def code_in(here: Path, libraries: Iterable[str], *patterns: str) -> str:
    """A digest of the files of a package, of Python's version and of those of libraries: with another one
    nothing is what it was.
    """
    digest = hashlib.sha256(repr((sys.version_info[:2], *map(metadata.version, libraries))).encode())
    for path in sorted(path for pattern in patterns for path in here.glob(pattern)):
        digest.update(f"{path.relative_to(here)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _read(path: Path, name: str) -> str:
    """A copy that is whole and that only this user can have written.

    :raises OSError: where there is none.
    :raises ValueError: where it is damaged, or could be another's.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        about = os.fstat(file.fileno())
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
            raise ValueError("another user can have written it")
        head, _, body = file.read().partition(b"\n")
    if head.decode() != _seal(name, body):
        raise ValueError("it is damaged")
    return body.decode()


def _write(directory: Path, name: str, text: str) -> None:
    """Seen whole or not at all; the oldest copies make room."""
    for made in (folder(), directory):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = text.encode()
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".", delete=False) as file:  # of mode 600
        file.write(f"{_seal(name, body)}\n".encode() + body)
    Path(file.name).replace(directory / name)
    copies = [path for path in directory.glob("*") if path.is_file()]
    copies.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in copies[MOST:]:
        old.unlink(missing_ok=True)


def _seal(name: str, body: bytes) -> str:
    return f"{name} {hashlib.sha256(body).hexdigest()}"
