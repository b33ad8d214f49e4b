"""Packs as people name them: a file, the id of an installed pack, or id@version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from rules.fault import UnknownPackError
from rules.library.loader import PACKS, found_among, installed_packs, load_pack
from rules.model import Pack
from rules.titles import Title, system_title

_SUFFIXES = (".yaml", ".yml")


def is_file(name: str) -> bool:
    """Whether a name means a file rather than an installed pack."""
    return Path(name).suffix in _SUFFIXES or Path(name).is_file()


def named_pack(name: str, as_of: dt.date, known: Callable[[], Sequence[Pack]] = installed_packs) -> Pack:
    """The pack that a name means.

    :param name: ``path/to/pack.yaml``, ``enterprise-credit`` (the version in force on ``as_of``) or
        ``enterprise-credit@2026.1``.
    :param known: gives the versions that there are; asked where the name is none of a file.
    :raises PackError: with every fault of the file.
    :raises UnknownPackError: where there is no such file, pack or version.

    >>> from datetime import date
    >>> pack = named_pack("tourism-credit@2026.1", date(2026, 8, 31))
    >>> pack.id, pack.in_force_from.isoformat()
    ('tourism-credit', '2026-01-01')
    """
    if is_file(name):
        return _from_file(name)
    pack_id, _, version = name.partition("@")
    if not version:
        return found_among(known(), pack_id, as_of)
    versions = [pack for pack in known() if pack.id == pack_id]
    for pack in versions:
        if pack.version == version:
            return pack
    shown = ", ".join(f"{pack.id}@{pack.version}" for pack in versions or known()) or "none"
    raise UnknownPackError(
        Title(f"没有评价规则{name};现有:{shown}", f"there is no pack {name}; there are: {shown}")
    )


def pack_files(names: tuple[str, ...], folder: Path = PACKS) -> list[Path]:
    """The files that names of packs mean; all that are installed where no name is given. Folders hold packs.

    :raises UnknownPackError: where a name means nothing.
    """
    if not names:
        return sorted(folder.rglob("*.yaml"))
    return [path for name in names for path in _files(name, folder)]


def _files(name: str, folder: Path) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return sorted(path.rglob("*.yaml"))
    if is_file(name):
        return [path]
    pack_id, _, version = name.partition("@")
    found = [p for p in installed_packs(folder) if p.id == pack_id and version in ("", p.version)]
    if not found:
        known = ", ".join(sorted({pack.id for pack in installed_packs(folder)})) or "none"
        raise UnknownPackError(
            Title(
                f"没有名为{name}的文件或评价规则;现有评价规则:{known}",
                f"no file and no pack is called {name}; there are the packs: {known}",
            )
        )
    return [Path(pack.place.file) for pack in found]


def _from_file(name: str) -> Pack:
    try:
        return load_pack(name)
    except OSError as error:
        why = system_title(error.strerror)
        title = Title(f"评价规则{name}无法读取:{why.zh}", f"the pack {name} can't be read: {why.en}")
        raise UnknownPackError(title) from None
