"""Packs and vocabularies by name or file, and which of them is in force on a day.

What reads a text is :mod:`rules.library.reading`; it is loaded where no copy of an earlier reading is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from rules.fault import WHOLE, Fault, PackError, Place, UnknownPackError
from rules.library.kept import kept
from rules.model import Pack, Vocabulary
from rules.titles import Title

HERE = Path(__file__).parent
PACKS = HERE / "packs"
VOCABULARIES = HERE / "vocabularies"
FORMS = HERE / "forms"
"""Official forms, which :mod:`scoring.facts.ingest.forms` reads: they stand beside the vocabularies."""


def load_pack(path: Path | str) -> Pack:
    """The pack in a file.

    :raises PackError: with every fault found.
    :raises OSError: where the file can't be read.
    """
    return load_text(file_text(Path(path)), str(path))


def load_text(text: str, file: str, vocabulary_text: str | None = None) -> Pack:
    """The pack in a text.

    :param file: the name that faults are reported under.
    :param vocabulary_text: the vocabulary to use where the pack names a shared one; by default the one
        installed under that name. A pack kept in a store is kept with it.
    :raises PackError: with every fault found.

    >>> from rules.library.loader import PACKS
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> load_text(text, "my.yaml").id
    'tourism-credit'
    >>> load_text(text.replace("state = 'operating'", "state = 'opened'", 1), "my.yaml")
    Traceback (most recent call last):
        ...
    rules.fault.PackError: my.yaml:115:19: rules[0].when (scheme.joined): state never has the value 'opened'
        found: 'opened'
        right: one of operating, suspended
    """
    from rules.library.reading import pack_in  # sqlglot, marshmallow and PyYAML: a third of a second

    def shared(name: str) -> Vocabulary:
        if vocabulary_text is None:
            return load_vocabulary(name)
        return parse_vocabulary(vocabulary_text, f"{name}.yaml")

    return pack_in(text, file, shared)


def load_kept(text: str, file: str, vocabulary_text: str | None = None) -> Pack:
    """The pack of :func:`load_text`, from the copy that an earlier load has kept where there is one.

    :raises PackError: with every fault found.
    """
    return kept(("pack", text, file, vocabulary_text), Pack, lambda: load_text(text, file, vocabulary_text))


def load_vocabulary(name: str) -> Vocabulary:
    """The shared vocabulary of that name.

    :raises UnknownPackError: where there is none.

    >>> tourism = load_vocabulary("tourism")
    >>> tourism.subject.key, tourism.records.key
    ('subject_id', 'record_id')
    >>> tourism.subject.columns["state"].values["suspended"]
    Title(zh='歇业', en='Suspended')
    """
    path = _vocabulary_file(name)
    return _vocabulary(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _vocabulary(path: Path, mtime: int) -> Vocabulary:
    return parse_vocabulary(file_text(path), path.name)


def vocabulary_text(name: str) -> str:
    """The source of the shared vocabulary of that name.

    :raises UnknownPackError: where there is none.
    """
    return file_text(_vocabulary_file(name))


def _vocabulary_file(name: str) -> Path:
    """Its file; a name that is none of these is no part of a path, however long and with whatever in it."""
    names = vocabulary_names()
    if name not in names:
        known = ", ".join(names)
        zh, en = f"没有名为{name}的词汇表;可用:{known}", f"no vocabulary is called {name}; there are {known}"
        raise UnknownPackError(Title(zh, en))
    return VOCABULARIES / f"{name}.yaml"


def vocabulary_names() -> list[str]:
    """The names of the shared vocabularies."""
    return sorted(path.stem for path in VOCABULARIES.glob("*.yaml"))


@lru_cache(maxsize=64)
def parse_vocabulary(text: str, file: str) -> Vocabulary:
    """The vocabulary in a text.

    :raises PackError: with every fault found.
    """
    from rules.library.reading import vocabulary_in

    return vocabulary_in(text, file)


def installed_packs(folder: Path = PACKS) -> tuple[Pack, ...]:
    """Every pack under a folder, by id and the date on which it comes into force.

    :raises PackError: with the faults of the first file that has any.

    >>> sorted({pack.id for pack in installed_packs()})
    ['department-credit', 'enterprise-credit', 'rural-credit', 'tourism-credit']
    """
    packs = (_cached(str(path), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*.yaml")))
    return tuple(sorted(packs, key=lambda pack: (pack.id, pack.in_force_from)))


def find_pack(pack_id: str, as_of: dt.date, folder: Path = PACKS) -> Pack:
    """The version of a pack that rules on a date.

    :raises UnknownPackError: where there is no such pack, or none of its versions is in force that day.

    >>> from datetime import date
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> pack.version, pack.tiers
    ('2026.1', ('A', 'B', 'C', 'D'))
    """
    return found_among(installed_packs(folder), pack_id, as_of)


def found_among(packs: Sequence[Pack], pack_id: str, as_of: dt.date) -> Pack:
    """As :func:`find_pack`, among versions that are given.

    :raises UnknownPackError: where there is no such pack, or none of its versions is in force that day.
    """
    versions = [pack for pack in packs if pack.id == pack_id]
    if not versions:
        known = ", ".join(sorted({pack.id for pack in packs})) or "none"
        raise UnknownPackError(
            Title(
                f"没有名为{pack_id}的评价规则;可用:{known}",
                f"no pack is called {pack_id}; there are: {known}",
            )
        )
    if (pack := ruling(versions, as_of)) is not None:
        return pack
    spans = "; ".join(
        f"{p.version} from {p.in_force_from} until {p.in_force_until or 'further notice'}" for p in versions
    )
    begun = "、".join(f"{p.version}自{p.in_force_from}起" for p in versions)
    raise UnknownPackError(
        Title(
            f"{pack_id}在{as_of}没有生效的版本;现有:{begun}",
            f"no version of {pack_id} is in force on {as_of}; there are: {spans}",
        )
    )


def in_force(pack: Pack, day: dt.date) -> bool:
    """Whether the pack grades on that day."""
    return pack.in_force_from <= day and (pack.in_force_until is None or day < pack.in_force_until)


def ruling(versions: Iterable[Pack], day: dt.date) -> Pack | None:
    """Of versions of one pack, the one that rules on a day: of those in force, the one that came last.

    None where none is in force; of several of one day the first.

    >>> from datetime import date
    >>> versions = [pack for pack in installed_packs() if pack.id == "tourism-credit"]
    >>> ruling(versions, date(2026, 8, 31)).version
    '2026.1'
    >>> ruling(versions, date(2025, 12, 31)) is None
    True
    """
    return max((v for v in versions if in_force(v, day)), key=lambda v: v.in_force_from, default=None)


def ruling_packs(day: dt.date, folder: Path = PACKS) -> tuple[Pack, ...]:
    """Of every installed pack the version that rules on a day, by id."""
    return ruling_among(installed_packs(folder), day)


def ruling_among(packs: Iterable[Pack], day: dt.date) -> tuple[Pack, ...]:
    """As :func:`ruling_packs`, among versions that are given, by id."""
    by_id = groupby(packs, key=lambda pack: pack.id)
    return tuple(pack for _, versions in by_id if (pack := ruling(versions, day)) is not None)


@lru_cache(maxsize=64)
def _cached(path: str, changed: int) -> Pack:
    return load_kept(file_text(Path(path)), path)


def file_text(path: Path) -> str:
    """What a file of a pack or vocabulary says.

    :raises PackError: where it is not UTF-8.
    :raises OSError: where it can't be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = f"not UTF-8 at byte {error.start}"
        raise PackError([Fault(Place(str(path), 1, 1), WHOLE, "", wrong, "save it as UTF-8")]) from None
